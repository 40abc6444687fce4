//! The reorder window of one channel: samples by position, wiped as soon as they are sealed.

use std::ops::Range;

use zeroize::Zeroize;

use crate::codec::Codec;

/// How many samples fit: 150 ms of reordering, a packet and a frame.
pub(crate) const WINDOW: usize = 2_048;
const MASK: u64 = WINDOW as u64 - 1;

/// Samples of one channel that are not sealed yet, each with its codec; zero is "nothing came".
pub(crate) struct Window {
    codes: Box<[u16]>,
    codecs: Box<[u8]>,
    codec: Codec,
}

impl Window {
    pub(crate) fn new(codec: Codec) -> Self {
        Self { codes: vec![0; WINDOW].into(), codecs: vec![0; WINDOW].into(), codec }
    }

    /// The codec of the last packet.
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
    pub(crate) fn put(&mut self, from: u64, codec: Codec, bytes: &[u8]) {
        self.codec = codec;
        let mut came = codec.codes(bytes);
        for stretch in Self::stretches(from, bytes.len() / codec.width()) {
            let codes = self.codes.get_mut(stretch.clone()).unwrap_or_default();
            let codecs = self.codecs.get_mut(stretch).unwrap_or_default();
            for ((to, kind), code) in codes.iter_mut().zip(codecs).zip(&mut came) {
                if *kind == 0 {
                    (*to, *kind) = (code, codec.number());
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
        let mut offset = 0;
        for stretch in Self::stretches(from, count) {
            let codes = self.codes.get_mut(stretch.clone()).unwrap_or_default();
            let codecs = self.codecs.get_mut(stretch).unwrap_or_default();
            for (code, kind) in codes.iter_mut().zip(codecs) {
                let had = std::mem::take(kind);
                each(offset, as_code_of(codec, had, std::mem::take(code)));
                offset += 1;
            }
        }
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
    }
}
