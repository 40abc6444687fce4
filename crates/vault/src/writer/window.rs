//! The reorder window of one channel: samples by position, wiped as soon as they are sealed.

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

    fn slot(&mut self, at: u64) -> Option<(&mut u16, &mut u8)> {
        let place = usize::try_from(at & MASK).unwrap_or(0);
        self.codes.get_mut(place).zip(self.codecs.get_mut(place))
    }

    /// Puts one sample in its place; the first one to come stays (a duplicate changes nothing).
    pub(crate) fn put(&mut self, at: u64, codec: Codec, code: u16) {
        self.codec = codec;
        if let Some((to, kind)) = self.slot(at).filter(|(_, kind)| **kind == 0) {
            (*to, *kind) = (code, codec.number());
        }
    }

    /// Whether any of these samples came.
    pub(crate) fn any(&self, from: u64, count: usize) -> bool {
        (from..).take(count).any(|at| {
            let place = usize::try_from(at & MASK).unwrap_or(0);
            self.codecs.get(place).is_some_and(|kind| *kind != 0)
        })
    }

    /// Takes a sample out as a code of `codec` and wipes its place; `None` when nothing came.
    pub(crate) fn take(&mut self, at: u64, codec: Codec) -> Option<u16> {
        let (code, kind) = self.slot(at)?;
        let (taken, had) = (*code, *kind);
        code.zeroize();
        kind.zeroize();
        match Codec::from_number(had)? {
            same if same == codec => Some(taken),
            // A codec changed within the second: the chunk keeps the one it began with.
            other => Some(codec.encode(other.decode(taken))),
        }
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        self.codes.zeroize();
        self.codecs.zeroize();
    }
}
