//! What is sent under one key: numbered once, encrypted, authenticated.

use std::ops::Range;

use super::{
    cipher::{Beside, Cipher, Covered, Use, cipher},
    key::MasterKey,
    window::Window,
};
use crate::rtp::{self, Head};

/// In front of a report's index: this report is encrypted (RFC 3711 §3.4).
pub(crate) const ENCRYPTED: u32 = 1 << 31;
/// What of a report stays readable: its first header and who sends it.
pub(crate) const REPORT_HEAD: usize = 8;
/// Octets of the index of a report.
pub(crate) const REPORT_INDEX: usize = 4;

/// The sending half of a leg under SRTP.
pub(crate) struct Outgoing {
    key: MasterKey,
    sound: Box<dyn Cipher>,
    reports: Box<dyn Cipher>,
    /// What has been sent. No index is used twice: two different payloads under one are readable to
    /// whoever has both (RFC 3711 §9.1), and a plain peer can make us relay a number twice.
    sent: Option<Window>,
    /// The source that it was sent as: each counts for itself (RFC 3711 §3.2.3).
    source: u32,
    /// The index of the next report.
    report: u32,
}

impl Outgoing {
    pub(crate) fn new(key: MasterKey) -> Self {
        let (sound, reports) = (cipher(&key, Use::Sound), cipher(&key, Use::Reports));
        Self { key, sound, reports, sent: None, source: 0, report: 0 }
    }

    /// Whether it is under this key.
    pub(crate) fn is_under(&self, key: &MasterKey) -> bool {
        self.key == *key
    }

    /// Encrypts the RTP packet that lies in `place` of `buffer`, and says where it lies now: its tag
    /// stands behind it. `None`: its number has been used, or there is no room.
    pub(crate) fn seal(&mut self, place: Range<usize>, buffer: &mut [u8]) -> Option<Range<usize>> {
        let Head { length, sequence, ssrc } = rtp::head(buffer.get(place.clone())?).ok()?;
        if ssrc != self.source {
            (self.source, self.sent) = (ssrc, None);
        }
        let index = match &self.sent {
            None => u64::from(sequence),
            Some(sent) => sent.nearest(sequence).filter(|index| sent.is_fresh(*index))?,
        };
        let end = place.end + self.key.suite().tag();
        let packet = buffer.get_mut(place.start..end)?;
        let (packet, tag) = packet.split_at_mut_checked(place.len())?;
        let (which, beside) = ((ssrc, index), Beside::Round((index >> 16) as u32));
        let made = self.sound.seal(Covered { which, head: length, packet, beside })?;
        tag.copy_from_slice(made.get(..tag.len())?);
        match &mut self.sent {
            None => self.sent = Some(Window::begun(index)),
            Some(sent) => sent.take(index),
        }
        Some(place.start..end)
    }

    /// Encrypts the report in the first `length` bytes of `buffer`, and says how long it is now.
    pub(crate) fn seal_report(&mut self, length: usize, buffer: &mut [u8]) -> Option<usize> {
        let ssrc = u32::from_be_bytes(rtp::read(buffer.get(..length)?, 4)?);
        let index = Some(self.report).filter(|index| *index < ENCRYPTED)?;
        let suite = self.key.suite();
        let end = length + REPORT_INDEX + suite.report_tag();
        let (report, trailer) = buffer.get_mut(..end)?.split_at_mut_checked(length)?;
        let word = ENCRYPTED | index;
        let (which, beside) = ((ssrc, u64::from(index)), Beside::Index(word));
        let packet = Covered { which, head: REPORT_HEAD, packet: report, beside };
        let tag = self.reports.seal(packet)?;
        // The index stands in front of a tag and behind ciphertext that ends with its own.
        let (first, second) = trailer.split_at_mut_checked(if suite.is_aead() {
            suite.report_tag()
        } else {
            REPORT_INDEX
        })?;
        let (tag_place, word_place) =
            if suite.is_aead() { (first, second) } else { (second, first) };
        tag_place.copy_from_slice(tag.get(..tag_place.len())?);
        word_place.copy_from_slice(&word.to_be_bytes());
        self.report = index + 1;
        Some(end)
    }
}
