//! The reorder window of one channel: samples by position, wiped as soon as they are sealed.

use std::ops::Range;

use zeroize::Zeroize;

use crate::codec::Codec;

/// How many samples fit: 150 ms of reordering, a packet and a frame.
pub(crate) const WINDOW: usize = 2_048;
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

    /// How its bytes become codes: those of a decoder are bytes, like those of A-law.
    const fn spelt(self) -> Codec {
        match self {
            Self::Stored(codec) => codec,
            Self::Coded => Codec::Pcma,
        }
    }
}

/// Samples of one channel that are not sealed yet, each with its codec; zero is "nothing came".
pub(crate) struct Window {
    codes: Box<[u16]>,
    codecs: Box<[u8]>,
    codec: Codec,
    decoder: Option<Box<dyn Decode>>,
    /// The last sample that was taken, and its codec, while nothing is missing.
    last: Option<(u8, u16)>,
    /// How many samples before the next one were filled in.
    joined: usize,
}

impl Window {
    pub(crate) fn new(codec: Codec) -> Self {
        Self {
            codes: vec![0; WINDOW].into(),
            codecs: vec![0; WINDOW].into(),
            codec,
            decoder: None,
            last: None,
            joined: 0,
        }
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
        let mut came = form.spelt().codes(bytes);
        for stretch in Self::stretches(from, bytes.len() / form.width()) {
            let codes = self.codes.get_mut(stretch.clone()).unwrap_or_default();
            let codecs = self.codecs.get_mut(stretch).unwrap_or_default();
            for ((to, kind), code) in codes.iter_mut().zip(codecs).zip(&mut came) {
                if *kind == 0 {
                    (*to, *kind) = (code, form.number());
                }
            }
        }
    }

    /// Whether any of these samples came.
    pub(crate) fn any(&self, from: u64, count: usize) -> bool {
        let came = |stretch: Range<usize>| {
            self.codecs.get(stretch).unwrap_or_default().iter().any(|k| *k != 0)
        };
        Self::stretches(from, count).into_iter().any(came)
    }

    /// Takes samples out as codes of `codec` and wipes their places; `None` when nothing came.
    pub(crate) fn take(
        &mut self,
        from: u64,
        count: usize,
        codec: Codec,
        mut each: impl FnMut(usize, Option<u16>),
    ) {
        if !self.is_plain(from, count) {
            for offset in 0..count {
                let taken = self.take_one(from + offset as u64);
                each(offset, taken.and_then(|(had, code)| as_code_of(codec, had, code)));
            }
            return;
        }
        let mut offset = 0;
        for stretch in Self::stretches(from, count) {
            let codes = self.codes.get_mut(stretch.clone()).unwrap_or_default();
            let codecs = self.codecs.get_mut(stretch).unwrap_or_default();
            for (code, kind) in codes.iter_mut().zip(codecs) {
                let (had, code) = (std::mem::take(kind), std::mem::take(code));
                (self.last, self.joined) = (Some((had, code)), 0);
                each(offset, as_code_of(codec, had, code));
                offset += 1;
            }
        }
    }

    /// Whether all of these samples came, in codecs that are stored: nearly always.
    fn is_plain(&self, from: u64, count: usize) -> bool {
        let plain = |stretch: Range<usize>| {
            self.codecs.get(stretch).unwrap_or_default().iter().all(|k| *k != 0 && *k != CODED)
        };
        Self::stretches(from, count).into_iter().all(plain)
    }

    /// Takes the sample at a position and wipes its place.
    fn take_one(&mut self, at: u64) -> Option<(u8, u16)> {
        let place = usize::try_from(at & MASK).unwrap_or(0);
        let (code, kind) = (self.codes.get_mut(place)?, self.codecs.get_mut(place)?);
        let (code, kind) = (std::mem::take(code), std::mem::take(kind));
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
        self.codes.zeroize();
        self.codecs.zeroize();
        self.last.zeroize();
    }
}
