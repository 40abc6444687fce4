//! The reorder window of one channel: samples by position, wiped as soon as they are sealed.

use std::ops::Range;

use zeroize::Zeroize;

use super::store::{Store, WINDOW};
use crate::codec::Codec;

const MASK: u64 = WINDOW as u64 - 1;
/// A hole of at most so many samples (1 ms) between sound and sound is where two packets of a clock
/// that is not ours meet: the sample before it goes on through it.
const JOINT: usize = 8;
/// What stands for a code that is decoded when its turn comes.
const CODED: u8 = u8::MAX;

/// Decodes a codec that is not stored as it came, code by code and in their order: whoever makes the
/// recording knows it.
pub trait Decode: Send {
    /// The sample of the next code, 16 bits at 8,000 Hz.
    fn decode(&mut self, code: u8) -> i16;
}

/// What the bytes of a packet are.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// Samples in a codec that is stored.
    Stored(Codec),
    /// One code per sample, for the channel's decoder.
    Coded,
}

impl Form {
    pub(crate) const fn width(self) -> usize {
        match self {
            Self::Stored(codec) => codec.width(),
            Self::Coded => 1,
        }
    }

    const fn number(self) -> u8 {
        match self {
            Self::Stored(codec) => codec.number(),
            Self::Coded => CODED,
        }
    }

    /// What it is stored as.
    const fn stored(self) -> Codec {
        match self {
            Self::Stored(codec) => codec,
            Self::Coded => Codec::Pcm16,
        }
    }
}

/// Samples of one channel that are not sealed yet.
pub(crate) struct Window {
    store: Store,
    codec: Codec,
    decoder: Option<Box<dyn Decode>>,
    /// The last sample that was taken, and its codec, while nothing is missing.
    last: Option<(u8, u16)>,
    /// How many samples before the next one were filled in.
    joined: usize,
}

impl Window {
    pub(crate) fn new(codec: Codec) -> Self {
        Self { store: Store::new(codec.number()), codec, decoder: None, last: None, joined: 0 }
    }

    /// Who makes sense of codes that are not stored as they come.
    pub(crate) fn decode_with(&mut self, decoder: Box<dyn Decode>) {
        self.decoder = Some(decoder);
    }

    /// What the last packet is stored as.
    pub(crate) const fn codec(&self) -> Codec {
        self.codec
    }

    /// The two stretches of the ring that hold `count` samples from `from` on, in order.
    fn stretches(from: u64, count: usize) -> [Range<usize>; 2] {
        let start = usize::try_from(from & MASK).unwrap_or(0);
        let first = count.min(WINDOW - start);
        [start..start + first, 0..count - first]
    }

    /// Puts samples in their places; the first one to come stays (a duplicate changes nothing).
    /// They fit: `bytes` hold at most a window's worth and nothing older is still in it.
    pub(crate) fn put(&mut self, from: u64, form: Form, bytes: &[u8]) {
        self.codec = form.stored();
        let mut rest = bytes;
        for stretch in Self::stretches(from, bytes.len() / form.width()) {
            let (part, after) = rest.split_at(rest.len().min(stretch.len() * form.width()));
            match form {
                Form::Stored(Codec::Pcm16) => {
                    self.store.put(stretch, form.number(), Codec::Pcm16.codes(part));
                }
                Form::Stored(Codec::Pcma | Codec::Pcmu) | Form::Coded => {
                    self.store.put_bytes(stretch, form.number(), part);
                }
            }
            rest = after;
        }
    }

    /// Whether any of these samples came.
    pub(crate) fn any(&self, from: u64, count: usize) -> bool {
        Self::stretches(from, count).into_iter().any(|stretch| self.store.any(stretch))
    }

    /// Appends samples as codes of `codec` and wipes their places, if all came and are of it: nearly always.
    pub(crate) fn take_plain(
        &mut self,
        from: u64,
        count: usize,
        codec: Codec,
        to: &mut Vec<u8>,
    ) -> bool {
        let taken = self.store.take_bytes(Self::stretches(from, count), codec.number(), to);
        if taken {
            self.last = to.last().map(|code| (codec.number(), u16::from(*code)));
            self.joined = 0;
        }
        taken
    }

    /// Takes samples out as codes of `codec` and wipes their places; `None` when nothing came.
    pub(crate) fn take(
        &mut self,
        from: u64,
        count: usize,
        codec: Codec,
        mut each: impl FnMut(usize, Option<u16>),
    ) {
        for offset in 0..count {
            let taken = self.take_one(from + offset as u64);
            each(offset, taken.and_then(|(had, code)| as_code_of(codec, had, code)));
        }
    }

    /// Takes the sample at a position and wipes its place.
    fn take_one(&mut self, at: u64) -> Option<(u8, u16)> {
        let place = usize::try_from(at & MASK).unwrap_or(0);
        let (kind, code) = self.store.take(place);
        let taken = match (kind, &mut self.decoder) {
            (0, _) => self.last.filter(|_| self.any(at + 1, JOINT - self.joined)),
            (CODED, Some(decoder)) => {
                let sample = decoder.decode(u8::try_from(code).unwrap_or_default());
                Some((Codec::Pcm16.number(), Codec::Pcm16.encode(sample)))
            }
            (CODED, None) => None,
            (kind, _) => Some((kind, code)),
        };
        self.joined = if kind == 0 && taken.is_some() { self.joined + 1 } else { 0 };
        self.last = taken;
        taken
    }
}

fn as_code_of(codec: Codec, had: u8, code: u16) -> Option<u16> {
    if had == codec.number() {
        return Some(code);
    }
    // A codec changed within the second: the chunk keeps the one it began with.
    Codec::from_number(had).map(|other| codec.encode(other.decode(code)))
}

impl Drop for Window {
    fn drop(&mut self) {
        self.last.zeroize();
    }
}
