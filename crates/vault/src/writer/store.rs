//! Where the samples of a reorder window lie: a byte and a bit each, until two codecs meet in it.

use std::ops::Range;

use zeroize::{Zeroize, optimization_barrier};

use crate::{
    codec::Moment,
    shelf::{Blank, Shelf},
};

/// How many samples fit: 150 ms of reordering, a packet and a frame.
pub(crate) const WINDOW: usize = 2_048;
/// Bits of a word.
const WORD: usize = 64;
/// Samples of a page. A call that lies well has half of a window's pages, and there are thousands of
/// windows: a page is there while something lies in it.
const PAGE: usize = 256;

/// The samples of a window, each of a kind: the number of its codec, zero where nothing came.
pub(crate) enum Store {
    /// All of one kind that takes a byte a sample: nearly always.
    Narrow(Narrow),
    /// Each with its kind.
    Wide(Box<Wide>),
}

/// Codes of one kind.
pub(crate) struct Narrow {
    kind: u8,
    pages: [Option<Box<Page>>; WINDOW / PAGE],
    empty: Shelf<Page>,
}

/// Codes, and a bit for each that came.
pub(crate) struct Page {
    codes: [u8; PAGE],
    came: [u64; PAGE / WORD],
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

/// The parts of a stretch of places that lie in one page each: which page, and where in it.
fn parts(places: Range<usize>) -> impl Iterator<Item = (usize, Range<usize>)> {
    let Range { start, end } = places;
    (start / PAGE..end.div_ceil(PAGE)).map(move |page| {
        let first = start.saturating_sub(page * PAGE);
        (page, first..(end - page * PAGE).min(PAGE))
    })
}

impl Blank for Page {
    fn new() -> Self {
        Self { codes: [0; PAGE], came: [0; PAGE / WORD] }
    }

    fn wipe(&mut self) {
        // As for what is sealed: many at once, and nothing leaves that out.
        self.codes.fill(0);
        optimization_barrier(&self.codes);
        self.came = [0; PAGE / WORD];
    }
}

impl Page {
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

    /// Wipes these places. Whether nothing is left.
    fn clear(&mut self, places: Range<usize>) -> bool {
        self.codes.get_mut(places.clone()).unwrap_or_default().fill(0);
        self.mark(places, false);
        self.came.iter().all(|came| *came == 0)
    }
}

impl Narrow {
    fn page(&self, page: usize) -> Option<&Page> {
        self.pages.get(page)?.as_deref()
    }

    fn any(&self, places: Range<usize>) -> bool {
        parts(places).any(|(page, part)| self.page(page).is_some_and(|page| page.any(part)))
    }

    fn all(&self, places: Range<usize>) -> bool {
        parts(places).all(|(page, part)| self.page(page).is_some_and(|page| page.all(part)))
    }

    fn put(&mut self, places: Range<usize>, codes: &[u8]) {
        let mut rest = codes;
        for (page, part) in parts(places) {
            let (now, later) = rest.split_at(rest.len().min(part.len()));
            if let Some(page) = self.pages.get_mut(page) {
                page.get_or_insert_with(|| self.empty.take()).put(part, now);
            }
            rest = later;
        }
    }

    /// What lies in a place, if anything came.
    fn code(&self, place: usize) -> Option<u8> {
        let (page, place) = (self.page(place / PAGE)?, place % PAGE);
        page.codes.get(place).copied().filter(|_| page.any(place..place + 1))
    }

    /// Wipes these places.
    fn wipe(&mut self, places: Range<usize>) {
        for (page, part) in parts(places) {
            if let Some(page) = self.pages.get_mut(page)
                && let Some(empty) = page.take_if(|page| page.clear(part))
            {
                self.empty.give_back(empty);
            }
        }
    }

    /// Appends the codes of these places and wipes them.
    fn take(&mut self, places: Range<usize>, to: &mut Vec<u8>) {
        for (page, part) in parts(places.clone()) {
            let codes = self.page(page).and_then(|page| page.codes.get(part));
            to.extend_from_slice(codes.unwrap_or_default());
        }
        self.wipe(places);
    }

    fn widen(&self) -> Box<Wide> {
        let (codes, kinds) = ([0; WINDOW], [0; WINDOW]);
        let mut wide = Box::new(Wide { codes, kinds, seconds: Vec::new() });
        let Wide { codes, kinds, .. } = &mut *wide;
        for (place, (code, kind)) in codes.iter_mut().zip(kinds).enumerate() {
            if let Some(byte) = self.code(place) {
                (*code, *kind) = (byte.into(), self.kind);
            }
        }
        wide
    }
}

impl Store {
    /// An empty one, for samples of this kind first.
    pub(crate) fn new(kind: u8) -> Self {
        let (pages, empty) = ([const { None }; WINDOW / PAGE], Shelf::default());
        Self::Narrow(Narrow { kind, pages, empty })
    }

    /// The same, with the empty pages of others.
    pub(crate) fn share(&mut self, shelf: &Shelf<Page>) {
        if let Self::Narrow(narrow) = self {
            narrow.empty = shelf.clone();
        }
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
            Self::Narrow(narrow) => match narrow.code(place) {
                Some(code) => (narrow.kind, [code.into(), 0]),
                None => (0, [0; 2]),
            },
            Self::Wide(wide) => wide.moment(place),
        }
    }

    /// Takes what lies in a place, and its kind.
    pub(crate) fn take(&mut self, place: usize) -> (u8, Moment) {
        let found = self.look(place);
        match self {
            Self::Narrow(narrow) => narrow.wipe(place..place + 1),
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

impl Drop for Page {
    fn drop(&mut self) {
        self.wipe();
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
    fn what_is_taken_from_a_page_in_which_more_lies_is_wiped_there() {
        let mut store = Store::new(1);
        store.put_bytes(0..PAGE + 160, 1, &[7; PAGE + 160]);
        assert!(store.take_bytes([0..PAGE + 10, 0..0], 1, &mut Vec::new()));
        assert_eq!(store.take(PAGE + 10), (1, [7, 0]));
        let Store::Narrow(narrow) = &store else { panic!("it stays narrow") };
        let [None, Some(page), rest @ ..] = &narrow.pages else { panic!("something lies there") };
        assert!(rest.iter().all(Option::is_none));
        assert!(page.codes[..11].iter().all(|code| *code == 0) && page.codes[11..160] == [7; 149]);
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
        assert!(narrow.pages.iter().all(Option::is_none), "nothing lies there any more");
    }
}
