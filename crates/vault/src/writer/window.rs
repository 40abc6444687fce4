//! The reorder window of one channel: samples by position, wiped as soon as they are sealed.

use std::ops::Range;

use zeroize::Zeroize;

use super::store::{Page, Store, WINDOW};
use crate::{
    codec::{Codec, Moment},
    halfway::{REACH, halfway},
    shelf::Shelf,
};

const MASK: u64 = WINDOW as u64 - 1;
/// A hole of at most so many samples (1 ms) between sound and sound is where two packets of a clock
/// that is not ours meet: the sample before it goes on through it.
const JOINT: usize = 8;
/// What stands for a code that is decoded when its turn comes.
const CODED: u8 = u8::MAX;

/// What a code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Its two samples at 16,000 Hz.
    pub wide: [i16; 2],
    /// What a telephone of 8,000 Hz hears of them.
    pub narrow: i16,
}

/// Decodes a codec that is not stored as it came, code by code and in their order: whoever makes the
/// recording knows it.
pub trait Decode: Send {
    /// What the next code says; there are 8,000 a second.
    fn decode(&mut self, code: u8) -> Decoded;
}

/// Whoever decodes what comes by one channel: nobody has to before the first code of it comes.
enum Decoder {
    Nobody,
    Asleep(fn() -> Box<dyn Decode>),
    Awake(Box<dyn Decode>),
}

impl Decoder {
    fn decode(&mut self, code: u8) -> Option<Decoded> {
        if let Self::Asleep(new) = self {
            *self = Self::Awake(new());
        }
        match self {
            Self::Awake(decoder) => Some(decoder.decode(code)),
            Self::Nobody | Self::Asleep(_) => None,
        }
    }
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
    /// Bytes of one position.
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
            Self::Coded => Codec::Pcm16Wide,
        }
    }
}

/// What was said at one position.
#[derive(Clone, Copy)]
struct Said {
    codec: Codec,
    moment: Moment,
    /// What a telephone of 8,000 Hz hears of it.
    narrow: i16,
}

impl Said {
    /// What was stored as a code of this number.
    fn stored(number: u8, moment: Moment) -> Option<Self> {
        let codec = Codec::from_number(number)?;
        let [first, second] = moment.map(|code| codec.decode(code));
        let narrow = match codec {
            Codec::Pcma | Codec::Pcmu | Codec::Pcm16 => first,
            Codec::Pcm16Wide => first.midpoint(second),
        };
        Some(Self { codec, moment, narrow })
    }

    /// What was decoded.
    fn decoded(Decoded { wide, narrow }: Decoded) -> Self {
        let codec = Codec::Pcm16Wide;
        Self { codec, moment: wide.map(|sample| codec.encode(sample)), narrow }
    }

    /// The same, should nothing follow: its last sample goes on.
    const fn held(self) -> Self {
        let [first, second] = self.moment;
        let moment = match self.codec {
            Codec::Pcma | Codec::Pcmu | Codec::Pcm16 => [first, 0],
            Codec::Pcm16Wide => [second, second],
        };
        Self { moment, ..self }
    }
}

/// What was taken last, the newest first: what comes between two positions is made of it.
#[derive(Default)]
struct Recent {
    /// Where it ends.
    until: u64,
    samples: [i16; REACH],
}

impl Recent {
    fn note(&mut self, at: u64, sample: i16) {
        if self.until == at {
            self.samples.rotate_right(1);
            let [newest, ..] = &mut self.samples;
            *newest = sample;
        } else {
            // Nobody has asked for what came before: it was as it is now.
            self.samples = [sample; REACH];
        }
        self.until = at + 1;
    }
}

/// Samples of one channel that are not sealed yet.
pub(crate) struct Window {
    store: Store,
    codec: Codec,
    decoder: Decoder,
    /// What was taken last, while nothing is missing.
    last: Option<Said>,
    /// How many samples before the next one were filled in.
    joined: usize,
    recent: Recent,
}

impl Window {
    pub(crate) fn new(codec: Codec) -> Self {
        Self {
            store: Store::new(codec.number()),
            codec,
            decoder: Decoder::Nobody,
            last: None,
            joined: 0,
            recent: Recent::default(),
        }
    }

    /// Its samples lie on pages that others use, too.
    pub(crate) fn share(&mut self, pages: &Shelf<Page>) {
        self.store.share(pages);
    }

    /// Who makes sense of codes that are not stored as they come.
    pub(crate) fn decode_with(&mut self, new: fn() -> Box<dyn Decode>) {
        self.decoder = Decoder::Asleep(new);
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
                Form::Stored(codec @ (Codec::Pcm16 | Codec::Pcm16Wide)) => {
                    self.store.put(stretch, form.number(), codec.moments(part));
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
            let last = to.last().map(|code| [u16::from(*code), 0]);
            self.last = last.and_then(|moment| Said::stored(codec.number(), moment));
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
        mut each: impl FnMut(usize, Option<Moment>),
    ) {
        for offset in 0..count {
            let at = from + offset as u64;
            let taken = self.take_one(at);
            let moment = match codec {
                Codec::Pcma | Codec::Pcmu | Codec::Pcm16 => taken.map(|said| narrowed(codec, said)),
                Codec::Pcm16Wide => self.widened(at, taken),
            };
            each(offset, moment);
        }
    }

    /// What was said at a position as two samples. What was said as one is followed by the one that lies
    /// between it and the next.
    fn widened(&mut self, at: u64, said: Option<Said>) -> Option<Moment> {
        self.recent.note(at, said.map_or(0, |said| said.narrow));
        let Said { codec, moment, narrow } = said?;
        Some(match codec {
            Codec::Pcm16Wide => moment,
            Codec::Pcma | Codec::Pcmu | Codec::Pcm16 => {
                let next = halfway(self.recent.samples, self.ahead(at));
                [narrow, next].map(|sample| Codec::Pcm16Wide.encode(sample))
            }
        })
    }

    /// What will be taken behind a position. Of what is not decoded yet nothing is known.
    fn ahead(&self, at: u64) -> impl Iterator<Item = i16> {
        (at + 1..).take(REACH).map(|at| {
            let (kind, moment) = self.store.look(usize::try_from(at & MASK).unwrap_or(0));
            Said::stored(kind, moment).map_or(0, |said| said.narrow)
        })
    }

    /// Forgets the samples of these positions.
    pub(crate) fn wipe(&mut self, from: u64, count: usize) {
        for at in (from..).take(count) {
            let _forgotten = self.store.take(usize::try_from(at & MASK).unwrap_or(0));
        }
    }

    /// Takes the sample at a position and wipes its place.
    fn take_one(&mut self, at: u64) -> Option<Said> {
        let place = usize::try_from(at & MASK).unwrap_or(0);
        let (kind, moment) = self.store.take(place);
        let [code, _] = moment;
        let taken = match kind {
            0 => self.last.map(Said::held).filter(|_| self.any(at + 1, JOINT - self.joined)),
            CODED => {
                let code = u8::try_from(code).unwrap_or_default();
                self.decoder.decode(code).map(Said::decoded)
            }
            kind => Said::stored(kind, moment),
        };
        self.joined = if kind == 0 && taken.is_some() { self.joined + 1 } else { 0 };
        self.last = taken;
        taken
    }
}

/// What was said as one sample of a codec. It may have changed within the second: the chunk keeps the one
/// that it began with.
fn narrowed(codec: Codec, said: Said) -> Moment {
    if said.codec == codec { said.moment } else { [codec.encode(said.narrow), 0] }
}

impl Drop for Window {
    fn drop(&mut self) {
        if let Some(Said { moment, narrow, .. }) = &mut self.last {
            moment.zeroize();
            narrow.zeroize();
        }
        self.recent.samples.zeroize();
    }
}
