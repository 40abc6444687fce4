//! A block: the sound of at most 80 ms of a call on its way to a recorder, wiped after use.

use std::fmt;

use arrayvec::ArrayVec;
use call::{Party, Pause, Time};
use zeroize::Zeroize;

use crate::codec::Codec;

/// Bytes of sound in a block: 80 ms of two channels.
const BYTES: usize = 1_280;
/// Packets, or parts of packets, in a block.
const FRAMES: usize = 32;

/// One received packet's sound, or a part of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Who sent it.
    pub party: Party,
    /// How it is coded: as received, one byte per sample but for Opus.
    pub codec: Codec,
    /// First sample on the recording's timeline, 8,000 Hz.
    pub first_sample: u64,
    /// The samples, or a packet of Opus. None at all: from here on the party is silent and its phone sends nothing on
    /// purpose (RFC 3389).
    pub payload: &'a [u8],
}

impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} +{}", self.party.as_str(), self.first_sample, self.payload.len())
    }
}

/// A frame without its sound: eight bytes, because a call has a few dozen of them lying by.
struct Entry {
    party: Party,
    codec: Codec,
    length: u16,
    /// Its first sample, counted from that of the block's first frame.
    step: i32,
}

/// What a call sounded like for at most 80 ms, of both parties. Its sound is wiped when it is
/// given back or dropped.
pub struct Block {
    pub(crate) started: Time,
    pub(crate) from: u64,
    pub(crate) until: u64,
    pub(crate) paused: Option<Pause>,
    /// The first sample of the first frame.
    origin: u64,
    entries: ArrayVec<Entry, FRAMES>,
    bytes: [u8; BYTES],
    used: usize,
}

impl Block {
    pub(crate) const fn empty() -> Self {
        Self {
            started: Time::from_micros(0),
            from: 0,
            until: 0,
            paused: None,
            origin: 0,
            entries: ArrayVec::new_const(),
            bytes: [0; BYTES],
            used: 0,
        }
    }

    /// The moment of sample 0 of the recording.
    #[must_use]
    pub const fn started(&self) -> Time {
        self.started
    }

    /// The recording's clock when the block began, in samples. It is where the block before ended,
    /// unless blocks were lost between them.
    #[must_use]
    pub const fn from(&self) -> u64 {
        self.from
    }

    /// The recording's clock when the block was handed on, in samples. It also moves when nobody
    /// sends; frames may lie a little before or after the span.
    #[must_use]
    pub const fn until(&self) -> u64 {
        self.until
    }

    /// Why the tap kept silence in this block, if it did.
    #[must_use]
    pub const fn paused(&self) -> Option<Pause> {
        self.paused
    }

    /// The frames in the order in which they arrived.
    pub fn frames(&self) -> impl Iterator<Item = Frame<'_>> {
        let mut rest = self.bytes.get(..self.used).unwrap_or_default();
        self.entries.iter().filter_map(move |entry| {
            let (payload, after) = rest.split_at_checked(entry.length.into())?;
            rest = after;
            let Entry { party, codec, step, .. } = *entry;
            let first_sample = self.origin.saturating_add_signed(step.into());
            Some(Frame { party, codec, first_sample, payload })
        })
    }

    /// Whether a whole payload fits into an empty block.
    pub(crate) const fn fits(payload: &[u8]) -> bool {
        payload.len() <= BYTES
    }

    /// Copies as much as fits and says how much that was.
    pub(crate) fn put(
        &mut self,
        party: Party,
        codec: Codec,
        first_sample: u64,
        payload: &[u8],
    ) -> usize {
        let room = BYTES - self.used;
        let length = match codec {
            Codec::Pcma | Codec::Pcmu | Codec::G722 => payload.len().min(room),
            // A packet of it is whole or nothing.
            Codec::Opus if payload.len() > room => 0,
            Codec::Opus => payload.len(),
        };
        if length == 0 || !self.note(party, codec, first_sample, length) {
            return 0;
        }
        let room = self.bytes.get_mut(self.used..).unwrap_or_default();
        room.iter_mut().zip(payload).for_each(|(place, byte)| *place = *byte);
        self.used += length;
        length
    }

    /// Notes a frame; `false` when there is no room, or when it is days away from the block's first one.
    fn note(&mut self, party: Party, codec: Codec, first_sample: u64, length: usize) -> bool {
        if self.entries.is_empty() {
            self.origin = first_sample;
        }
        let step = i32::try_from(first_sample.wrapping_sub(self.origin).cast_signed());
        let (Ok(step), Ok(length)) = (step, u16::try_from(length)) else {
            return false;
        };
        self.entries.try_push(Entry { party, codec, length, step }).is_ok()
    }

    /// Notes that a party rests; says whether there was room.
    pub(crate) fn rest(&mut self, party: Party, codec: Codec, first_sample: u64) -> bool {
        self.note(party, codec, first_sample, 0)
    }

    pub(crate) fn wipe(&mut self) {
        if let Some(used) = self.bytes.get_mut(..self.used) {
            used.zeroize();
        }
        self.entries.clear();
        self.used = 0;
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        self.wipe();
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Block({}..{}, {} frames)", self.from, self.until, self.entries.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wiped_block_holds_nothing_of_what_was_said() {
        let mut block = Block::empty();
        assert_eq!(block.put(Party::Customer, Codec::Pcma, 0, &[0xAB; 1_000]), 1_000);
        assert_eq!(block.put(Party::Agent, Codec::Pcmu, 160, &[0xCD; 1_000]), 280);
        assert_eq!(block.put(Party::Agent, Codec::Pcmu, 160, &[0xCD; 1]), 0);
        let lengths: Vec<_> = block.frames().map(|frame| frame.payload.len()).collect();
        assert_eq!(lengths, [1_000, 280]);
        block.wipe();
        assert_eq!(block.frames().count(), 0);
        assert_eq!(block.bytes, [0; BYTES]);
    }

    #[test]
    fn a_block_takes_32_packets_at_most() {
        let mut block = Block::empty();
        for n in 0..40 {
            let put = block.put(Party::Customer, Codec::Pcma, n * 8, &[1; 8]);
            assert_eq!(put, if n < 32 { 8 } else { 0 });
        }
    }

    #[test]
    fn a_frame_days_away_from_the_first_one_goes_into_a_block_of_its_own() {
        let mut block = Block::empty();
        let first = 9_000_000_000;
        assert_eq!(block.put(Party::Customer, Codec::Pcma, first, &[1; 8]), 8);
        assert_eq!(block.put(Party::Agent, Codec::Pcma, first - 160, &[1; 8]), 8);
        assert_eq!(block.put(Party::Agent, Codec::Pcma, 0, &[1; 8]), 0);
        assert!(block.rest(Party::Agent, Codec::Pcma, first + 8));
        let places: Vec<_> = block.frames().map(|frame| frame.first_sample + 160 - first).collect();
        assert_eq!(places, [160, 0, 168]);
    }

    #[test]
    fn neither_a_block_nor_a_frame_prints_what_was_said() {
        let mut block = Block::empty();
        block.put(Party::Customer, Codec::Pcma, 8, &[0xAB; 3]);
        let frame = block.frames().next().unwrap();
        assert_eq!(format!("{block:?} {frame:?}"), "Block(0..0, 1 frames) customer 8 +3");
    }
}
