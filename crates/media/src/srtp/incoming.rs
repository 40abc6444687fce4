//! What comes under one key: nothing is believed before its tag is right, and nothing twice.

use arrayvec::ArrayVec;

use super::{
    cipher::{Beside, Cipher, Covered, Use, cipher},
    key::MasterKey,
    outgoing::{ENCRYPTED, REPORT_HEAD, REPORT_INDEX},
    window::Window,
};
use crate::rtp::{self, Head};

/// Sources that a peer can have under one key. None is forgotten, or what it sent could be sent again;
/// so many changes of source without a new key no peer makes.
const SOURCES: usize = 32;

/// Why a packet is not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rejected {
    /// It is no RTP or RTCP.
    Malformed,
    /// Its tag is wrong, or there is none.
    Unauthentic,
    /// It has been before, or it comes too late to tell.
    Replayed,
}

/// One source of the peer, and which of its packets have been.
struct Source {
    ssrc: u32,
    window: Window,
}

/// The receiving half of a leg under SRTP.
pub(crate) struct Incoming {
    key: MasterKey,
    sound: Box<dyn Cipher>,
    reports: Box<dyn Cipher>,
    sources: ArrayVec<Source, SOURCES>,
    reporters: ArrayVec<Source, SOURCES>,
    /// The sources under the key before, which may go on counting.
    before: ArrayVec<Source, SOURCES>,
}

impl Incoming {
    pub(crate) fn new(key: MasterKey) -> Self {
        let (sound, reports) = (cipher(&key, Use::Sound), cipher(&key, Use::Reports));
        let (sources, reporters, before) = Default::default();
        Self { key, sound, reports, sources, reporters, before }
    }

    /// The same peer takes its next key.
    pub(crate) fn renew(&mut self, key: MasterKey) {
        let sources = std::mem::take(&mut self.sources);
        let before = if sources.is_empty() { std::mem::take(&mut self.before) } else { sources };
        *self = Self { before, ..Self::new(key) };
    }

    /// Whether it is under this key.
    pub(crate) fn is_under(&self, key: &MasterKey) -> bool {
        self.key == *key
    }

    /// Authenticates and decrypts an RTP packet in place, and says how long it is then.
    pub(crate) fn open(&mut self, packet: &mut [u8]) -> Result<usize, Rejected> {
        let Head { length, sequence, ssrc } = rtp::head(packet).map_err(|_| Rejected::Malformed)?;
        let suite = self.key.suite();
        let tag = suite.tag();
        let whole = self.without_identifier(packet, if suite.is_aead() { 0 } else { tag })?;
        let packet = packet.get_mut(..whole).ok_or(Rejected::Unauthentic)?;
        let end = whole.checked_sub(tag).ok_or(Rejected::Unauthentic)?;
        let (packet, tag) = packet.split_at_mut_checked(end).ok_or(Rejected::Unauthentic)?;
        let known = self.sources.iter().position(|source| source.ssrc == ssrc);
        let window = known.and_then(|place| self.sources.get(place)).map(|source| source.window);
        let candidates = match &window {
            Some(window) => {
                let index = window.nearest(sequence).ok_or(Rejected::Unauthentic)?;
                if !window.is_fresh(index) {
                    return Err(Rejected::Replayed);
                }
                ArrayVec::from_iter([index])
            }
            None => self.beginnings(ssrc, sequence),
        };
        let sound = &self.sound;
        let right = |index: &u64| {
            let (which, beside) = ((ssrc, *index), Beside::Round((index >> 16) as u32));
            sound.open(Covered { which, head: length, packet: &mut *packet, beside }, tag)
        };
        let index = candidates.into_iter().find(right).ok_or(Rejected::Unauthentic)?;
        note(&mut self.sources, ssrc, index)?;
        Ok(end)
    }

    /// Where the first packet of a source may stand. A new key begins to count anew (RFC 4568 §7.1.4) or
    /// goes on (RFC 3711 §3.3.1), as its owner sees it; and who began close to the end of the circle, and
    /// whose first packets were lost, is in its second round.
    fn beginnings(&self, ssrc: u32, sequence: u16) -> ArrayVec<u64, 3> {
        if self.sources.is_full() {
            return ArrayVec::new();
        }
        let first = u64::from(sequence);
        let before = self.before.iter().find(|source| source.ssrc == ssrc);
        let goes_on = before.and_then(|source| source.window.nearest(sequence));
        let second = (sequence < 1 << 15).then_some(first + (1 << 16));
        [Some(first), goes_on, second].into_iter().flatten().collect()
    }

    /// Authenticates and decrypts a report in place, and says how long it is then. One that says that it
    /// is not encrypted is not believed: that was never agreed on (RFC 4568 §6.3.2).
    pub(crate) fn open_report(&mut self, packet: &mut [u8]) -> Result<usize, Rejected> {
        let suite = self.key.suite();
        let tag = suite.report_tag();
        let ssrc = rtp::read(packet, 4).map(u32::from_be_bytes).ok_or(Rejected::Malformed)?;
        let whole = self.without_identifier(packet, if suite.is_aead() { 0 } else { tag })?;
        let packet = packet.get_mut(..whole).ok_or(Rejected::Unauthentic)?;
        let end = whole.checked_sub(tag + REPORT_INDEX).ok_or(Rejected::Unauthentic)?;
        let (report, trailer) = packet.split_at_mut_checked(end).ok_or(Rejected::Unauthentic)?;
        let first = if suite.is_aead() { tag } else { REPORT_INDEX };
        let (first, second) = trailer.split_at_checked(first).ok_or(Rejected::Unauthentic)?;
        let (tag, word) = if suite.is_aead() { (first, second) } else { (second, first) };
        let word = rtp::read(word, 0).map(u32::from_be_bytes).ok_or(Rejected::Unauthentic)?;
        if word & ENCRYPTED == 0 {
            return Err(Rejected::Unauthentic);
        }
        let index = u64::from(word & !ENCRYPTED);
        match self.reporters.iter().find(|source| source.ssrc == ssrc) {
            Some(source) if !source.window.is_fresh(index) => return Err(Rejected::Replayed),
            None if self.reporters.is_full() => return Err(Rejected::Unauthentic),
            Some(_) | None => {}
        }
        let (which, beside) = ((ssrc, index), Beside::Index(word));
        let packet = Covered { which, head: REPORT_HEAD, packet: report, beside };
        if !self.reports.open(packet, tag) {
            return Err(Rejected::Unauthentic);
        }
        note(&mut self.reporters, ssrc, index)?;
        Ok(end)
    }

    /// Takes the key's identifier out of a packet, which stands in front of the last `behind` bytes, and
    /// says how long the packet is then (RFC 3711 §3.1).
    fn without_identifier(&self, packet: &mut [u8], behind: usize) -> Result<usize, Rejected> {
        let mki = self.key.mki();
        let length = packet.len();
        if mki.is_empty() {
            return Ok(length);
        }
        let start = length.checked_sub(mki.len() + behind).ok_or(Rejected::Unauthentic)?;
        if packet.get(start..start + mki.len()) != Some(mki) {
            return Err(Rejected::Unauthentic);
        }
        packet.copy_within(length - behind.., start);
        Ok(start + behind)
    }
}

/// Notes that an authentic packet has been.
fn note(sources: &mut ArrayVec<Source, SOURCES>, ssrc: u32, index: u64) -> Result<(), Rejected> {
    match sources.iter_mut().find(|source| source.ssrc == ssrc) {
        Some(source) => {
            source.window.take(index);
            Ok(())
        }
        None => {
            let source = Source { ssrc, window: Window::begun(index) };
            sources.try_push(source).map_err(|_| Rejected::Unauthentic)
        }
    }
}
