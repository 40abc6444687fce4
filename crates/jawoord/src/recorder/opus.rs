//! Opus on its way into a recording: put in order, decoded to 16,000 Hz, each packet in its place.

use std::collections::VecDeque;

use call::Party;
use media::opus::{
    decoder::Decoder,
    packet::{has_before, ticks},
};
use vault::{Codec, Writer, WriterError};
use zeroize::Zeroizing;

/// A packet waits so long for what lies before it, in samples of 8,000 Hz: 60 ms. The writer waits longer.
const WAITS: u64 = 480;
/// A packet that begins so close to the end of the one before goes on with it: 5 ms. Positions follow the
/// sender's clock sample by sample.
const JOINT: u64 = 40;
/// Two packets begin at least so far from one another: 2.5 ms.
const SHORTEST: u64 = 20;
/// Where more is missing, 120 ms, who listens begins anew.
const LONGEST: u64 = 960;

/// A packet and its place.
struct Waiting {
    at: u64,
    ticks: u64,
    packet: Zeroizing<Vec<u8>>,
}

/// One party's sound in Opus.
pub(super) struct Track {
    party: Party,
    decoder: Decoder,
    waiting: VecDeque<Waiting>,
    /// Where the sound decoded last ends, once there was some.
    next: Option<u64>,
    samples: Zeroizing<Vec<i16>>,
    bytes: Zeroizing<Vec<u8>>,
}

impl Track {
    pub(super) fn new(party: Party) -> Self {
        Self {
            party,
            decoder: Decoder::new(),
            waiting: VecDeque::new(),
            next: None,
            samples: Zeroizing::new(vec![0; Decoder::LONGEST]),
            bytes: Zeroizing::new(Vec::with_capacity(Decoder::LONGEST * 2)),
        }
    }

    /// Takes a packet in; one that came twice, or after its place has been passed, changes nothing.
    pub(super) fn take(&mut self, at: u64, packet: &[u8]) {
        let Some(ticks) = ticks(packet).map(u64::from) else { return };
        let late = self.next.is_some_and(|next| at + JOINT < next);
        let twice = self.waiting.iter().any(|other| other.at.abs_diff(at) < SHORTEST);
        if late || twice {
            return;
        }
        let place = self.waiting.iter().rposition(|other| other.at < at);
        let waiting = Waiting { at, ticks, packet: Zeroizing::new(packet.to_vec()) };
        self.waiting.insert(place.map_or(0, |place| place + 1), waiting);
    }

    /// Decodes what goes on, and what has waited long enough when the recording's clock stands at `now`.
    pub(super) fn write(&mut self, now: u64, writer: &mut Writer) -> Result<(), WriterError> {
        while let Some(first) = self.waiting.front() {
            let goes_on = self.next.is_some_and(|next| first.at <= next + JOINT);
            if !goes_on && first.at.saturating_add(WAITS) > now {
                return Ok(());
            }
            let Some(first) = self.waiting.pop_front() else { return Ok(()) };
            self.bridge(&first, writer)?;
            let count = self.decoder.decode(&first.packet, &mut self.samples);
            self.put(first.at, count, writer)?;
            self.next = Some(first.at + first.ticks);
        }
        Ok(())
    }

    /// What is missing before a packet: the end of it may be in this packet, too. The rest stays a gap, as
    /// it is in any codec: nobody said what a decoder makes up for it, but it goes on from there.
    fn bridge(&mut self, first: &Waiting, writer: &mut Writer) -> Result<(), WriterError> {
        let missing = self.next.map_or(0, |next| first.at.saturating_sub(next));
        if missing <= JOINT || missing > LONGEST {
            return Ok(());
        }
        let whole = missing + JOINT >= first.ticks && has_before(&first.packet);
        let known = if whole { first.ticks } else { 0 };
        // Decoders count in 2.5 ms.
        let grain = |ticks: u64| usize::try_from(ticks / 20 * 40).unwrap_or(0);
        if let Some(gap) = self
            .samples
            .get_mut(..grain(missing.saturating_sub(known)))
            .filter(|gap| !gap.is_empty())
        {
            self.decoder.miss(gap);
        }
        let copy = self.samples.get_mut(..grain(known)).filter(|copy| !copy.is_empty());
        let count = copy.map_or(0, |copy| self.decoder.recover(&first.packet, copy));
        self.put(first.at.saturating_sub(count as u64 / 2), count, writer)
    }

    /// Puts the first samples in their place: two for each position.
    fn put(&mut self, at: u64, count: usize, writer: &mut Writer) -> Result<(), WriterError> {
        self.bytes.clear();
        for sample in self.samples.iter().take(count) {
            self.bytes.extend(sample.to_le_bytes());
        }
        writer.push(self.party, at, Codec::Pcm16Wide, &self.bytes)
    }
}
