//! Where the samples of a reorder window lie: a byte and a bit each, until two codecs meet in it.

use std::ops::Range;

use zeroize::Zeroize;

use crate::codec::Moment;

/// How many samples fit: 150 ms of reordering, a packet and a frame.
pub(crate) const WINDOW: usize = 2_048;
/// Bits of a word.
const WORD: usize = 64;

/// The samples of a window, each of a kind: the number of its codec, zero where nothing came.
pub(crate) enum Store {
    /// All of one kind that takes a byte a sample: nearly always.
    Narrow(Box<Narrow>),
    /// Each with its kind.
    Wide(Box<Wide>),
}

/// Codes of one kind, and a bit for each that came.
pub(crate) struct Narrow {
    kind: u8,
    codes: [u8; WINDOW],
    came: [u64; WINDOW / WORD],
}

/// Codes, each with its kind.
pub(crate) struct Wide {
    codes: [u16; WINDOW],
    kinds: [u8; WINDOW],
    /// The second code of each position; none until one comes that has two.
    seconds: Vec<u16>,
}

impl Wide {
    fn put(&mut self, place: usize, kind: u8, moment: Moment) {
        let (Some(code), Some(had)) = (self.codes.get_mut(place), self.kinds.get_mut(place)) else {
            return;
        };
        if *had == 0 {
            let [first, second] = moment;
            (*code, *had) = (first, kind);
            if second != 0 && self.seconds.is_empty() {
                self.seconds.resize(WINDOW, 0);
            }
            self.seconds.get_mut(place).into_iter().for_each(|code| *code = second);
        }
    }

    fn moment(&self, place: usize) -> (u8, Moment) {
        let of = |codes: &[u16]| codes.get(place).copied().unwrap_or_default();
        (self.kinds.get(place).copied().unwrap_or_default(), [of(&self.codes), of(&self.seconds)])
    }

    fn wipe(&mut self, place: usize) {
        self.codes.get_mut(place).into_iter().for_each(|code| *code = 0);
        self.seconds.get_mut(place).into_iter().for_each(|code| *code = 0);
        self.kinds.get_mut(place).into_iter().for_each(|kind| *kind = 0);
    }
}

/// The bits of a stretch of places, word by word.
fn words(places: Range<usize>) -> impl Iterator<Item = (usize, u64)> {
    let Range { start, end } = places;
    (start / WORD..end.div_ceil(WORD)).map(move |word| {
        let first = start.saturating_sub(word * WORD);
        let behind = (end - word * WORD).min(WORD);
        (word, u64::MAX << first & u64::MAX >> (WORD - behind))
    })
}

impl Narrow {
    fn bits(&self, places: Range<usize>) -> impl Iterator<Item = (u64, u64)> {
        words(places).map(|(word, bits)| (self.came.get(word).map_or(0, |came| came & bits), bits))
    }

    fn any(&self, places: Range<usize>) -> bool {
        self.bits(places).any(|(came, _)| came != 0)
    }

    fn all(&self, places: Range<usize>) -> bool {
        self.bits(places).all(|(came, all)| came == all)
    }

    fn put(&mut self, places: Range<usize>, codes: &[u8]) {
        if !self.any(places.clone()) {
            let room = self.codes.get_mut(places.clone()).unwrap_or_default();
            room.iter_mut().zip(codes).for_each(|(to, code)| *to = *code);
            return self.mark(places, true);
        }
        for (place, code) in places.zip(codes) {
            let here = place..place + 1;
            if !self.any(here.clone()) {
                self.put(here, &[*code]);
            }
        }
    }

    fn mark(&mut self, places: Range<usize>, came: bool) {
        for (word, bits) in words(places) {
            if let Some(word) = self.came.get_mut(word) {
                *word = if came { *word | bits } else { *word & !bits };
            }
        }
    }

    /// Appends the codes of these places and wipes them.
    fn take(&mut self, places: Range<usize>, to: &mut Vec<u8>) {
        let codes = self.codes.get_mut(places.clone()).unwrap_or_default();
        to.extend_from_slice(codes);
        codes.fill(0);
        self.mark(places, false);
    }

    fn widen(&self) -> Box<Wide> {
        let (codes, kinds) = ([0; WINDOW], [0; WINDOW]);
        let mut wide = Box::new(Wide { codes, kinds, seconds: Vec::new() });
        let places = wide.codes.iter_mut().zip(&mut wide.kinds).zip(&self.codes);
        for (place, ((code, kind), byte)) in places.enumerate() {
            if self.any(place..place + 1) {
                (*code, *kind) = ((*byte).into(), self.kind);
            }
        }
        wide
    }
}

impl Store {
    /// An empty one, for samples of this kind first.
    pub(crate) fn new(kind: u8) -> Self {
        Self::Narrow(Box::new(Narrow { kind, codes: [0; WINDOW], came: [0; WINDOW / WORD] }))
    }

    /// Puts codes of a byte in their places; the first one to come stays.
    pub(crate) fn put_bytes(&mut self, places: Range<usize>, kind: u8, codes: &[u8]) {
        match self {
            Self::Narrow(narrow) if narrow.kind == kind => narrow.put(places, codes),
            Self::Narrow(narrow) if !narrow.any(0..WINDOW) => {
                narrow.kind = kind;
                narrow.put(places, codes);
            }
            Self::Narrow(_) | Self::Wide(_) => {
                self.put(places, kind, codes.iter().map(|code| [u16::from(*code), 0]));
            }
        }
    }

    /// The same for codes of any width.
    pub(crate) fn put(
        &mut self,
        places: Range<usize>,
        kind: u8,
        came: impl Iterator<Item = Moment>,
    ) {
        if let Self::Narrow(narrow) = self {
            *self = Self::Wide(narrow.widen());
        }
        if let Self::Wide(wide) = self {
            places.zip(came).for_each(|(place, moment)| wide.put(place, kind, moment));
        }
    }

    /// Whether anything came in these places.
    pub(crate) fn any(&self, places: Range<usize>) -> bool {
        match self {
            Self::Narrow(narrow) => narrow.any(places),
            Self::Wide(wide) => {
                wide.kinds.get(places).unwrap_or_default().iter().any(|kind| *kind != 0)
            }
        }
    }

    /// What lies in a place, and its kind.
    pub(crate) fn look(&self, place: usize) -> (u8, Moment) {
        match self {
            Self::Narrow(narrow) if !narrow.any(place..place + 1) => (0, [0; 2]),
            Self::Narrow(narrow) => {
                let code = narrow.codes.get(place).copied().unwrap_or_default();
                (narrow.kind, [code.into(), 0])
            }
            Self::Wide(wide) => wide.moment(place),
        }
    }

    /// Takes what lies in a place, and its kind.
    pub(crate) fn take(&mut self, place: usize) -> (u8, Moment) {
        let found = self.look(place);
        match self {
            Self::Narrow(narrow) => {
                narrow.mark(place..place + 1, false);
                narrow.codes.get_mut(place).into_iter().for_each(|code| *code = 0);
            }
            Self::Wide(wide) => wide.wipe(place),
        }
        found
    }

    /// Appends the codes of these places and wipes them, if all came and are of this kind.
    pub(crate) fn take_bytes(
        &mut self,
        places: [Range<usize>; 2],
        kind: u8,
        to: &mut Vec<u8>,
    ) -> bool {
        let Self::Narrow(narrow) = self else { return false };
        if narrow.kind != kind || !places.iter().all(|part| narrow.all(part.clone())) {
            return false;
        }
        places.into_iter().for_each(|part| narrow.take(part, to));
        true
    }
}

impl Drop for Narrow {
    fn drop(&mut self) {
        self.codes.zeroize();
    }
}

impl Drop for Wide {
    fn drop(&mut self) {
        self.codes.zeroize();
        self.seconds.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What every place of a store says.
    fn all(store: &mut Store) -> Vec<(u8, Moment)> {
        (0..WINDOW).map(|place| store.take(place)).collect()
    }

    #[test]
    fn whichever_way_samples_lie_the_first_one_to_come_stays() {
        let puts = [(60..70, 1), (64..128, 1), (0..3, 1), (2_000..WINDOW, 1), (0..200, 1)];
        let (mut narrow, mut wide) = (Store::new(2), Store::new(1));
        let mut expected = vec![(0, [0; 2]); WINDOW];
        for (n, (places, kind)) in puts.into_iter().enumerate() {
            let codes = vec![n as u8 + 1; places.len()];
            narrow.put_bytes(places.clone(), kind, &codes);
            wide.put(places.clone(), kind, codes.iter().map(|code| [u16::from(*code), 0]));
            for place in places {
                if expected[place].0 == 0 {
                    expected[place] = (kind, [n as u16 + 1, 0]);
                }
            }
        }
        assert!(matches!((&narrow, &wide), (Store::Narrow(_), Store::Wide(_))));
        assert!(narrow.any(199..200) && !narrow.any(200..2_000) && wide.any(0..1));
        assert_eq!(all(&mut narrow), expected);
        assert_eq!(all(&mut wide), expected);
        assert!(!narrow.any(0..WINDOW) && !wide.any(0..WINDOW));
    }

    #[test]
    fn another_codec_among_what_waits_loses_nothing() {
        let mut store = Store::new(1);
        store.put_bytes(0..160, 1, &[7; 160]);
        store.put_bytes(100..320, 2, &[9; 220]);
        let mut expected = vec![(1, [7, 0]); 160];
        expected.resize(320, (2, [9, 0]));
        expected.resize(WINDOW, (0, [0; 2]));
        assert!(!store.take_bytes([0..160, 0..0], 1, &mut Vec::new()));
        assert_eq!(all(&mut store), expected);
    }

    #[test]
    fn two_samples_of_a_position_stay_together_among_others_and_are_wiped_together() {
        let mut store = Store::new(1);
        store.put_bytes(0..160, 1, &[7; 160]);
        store.put(100..320, 4, std::iter::repeat_n([8, 9], 220));
        let Store::Wide(wide) = &store else { panic!("two kinds meet") };
        assert_eq!(wide.seconds.len(), WINDOW);
        let mut expected = vec![(1, [7, 0]); 160];
        expected.resize(320, (4, [8, 9]));
        expected.resize(WINDOW, (0, [0; 2]));
        assert_eq!((store.look(99), store.look(200)), (expected[99], expected[200]));
        assert_eq!(all(&mut store), expected);
        let Store::Wide(wide) = &store else { panic!("it stays so") };
        assert!(wide.codes.iter().chain(&wide.seconds).all(|code| *code == 0));
    }

    #[test]
    fn what_lies_together_is_taken_together_and_wiped() {
        let mut store = Store::new(1);
        store.put_bytes(2_000..WINDOW, 1, &[3; 48]);
        store.put_bytes(0..111, 1, &[4; 111]);
        let mut taken = vec![0xAA];
        assert!(!store.take_bytes([2_000..WINDOW, 0..112], 1, &mut taken), "one is missing");
        store.put_bytes(111..112, 1, &[5]);
        assert!(!store.take_bytes([2_000..WINDOW, 0..112], 2, &mut taken), "of another codec");
        assert!(store.take_bytes([2_000..WINDOW, 0..112], 1, &mut taken));
        assert_eq!((taken.len(), taken[0], taken[48], taken[49], taken[160]), (161, 0xAA, 3, 4, 5));
        assert!(!store.any(0..WINDOW));
        let Store::Narrow(narrow) = store else { panic!("it stays narrow") };
        assert_eq!(narrow.codes, [0; WINDOW]);
    }
}
