//! What is known of the books: whether calls, recordings and stored objects agree, as one reconciliation
//! after the other says. What is not known is not taken for well.

use call::Time;
use portal::{Ailment, Trouble};

/// What a reconciliation came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compared {
    /// When it was.
    pub at: Time,
    /// From when on the calls began that it looked at.
    pub from: Time,
    /// How many mismatches it found; `None` when it could not be made.
    pub mismatches: Option<u64>,
}

/// What is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Books {
    /// The mismatches that stand, if any.
    apart: Option<Apart>,
    /// Since when they could not be compared.
    unread: Option<Time>,
}

#[derive(Clone, Copy, Debug)]
struct Apart {
    since: Time,
    from: Time,
    mismatches: u64,
}

impl Books {
    /// Takes a reconciliation into account. Mismatches stand until one that looks as far back, or further,
    /// finds none.
    pub fn compared(&mut self, Compared { at, from, mismatches }: Compared) {
        let Some(mismatches) = mismatches else {
            self.unread.get_or_insert(at);
            return;
        };
        self.unread = None;
        self.apart = match self.apart {
            Some(apart) if apart.from < from => {
                Some(Apart { mismatches: apart.mismatches.max(mismatches), ..apart })
            }
            known => (mismatches > 0).then(|| {
                let since = known.map_or(at, |known| known.since);
                Apart { since, from, mismatches }
            }),
        };
    }

    /// How many mismatches stand.
    #[must_use]
    pub fn mismatches(&self) -> u64 {
        self.apart.map_or(0, |apart| apart.mismatches)
    }

    /// What is wrong.
    pub fn troubles(&self) -> impl Iterator<Item = Trouble> + use<> {
        let unread = self.unread.map(|since| Trouble { what: Ailment::BooksUnread, since });
        let apart = self.apart.map(|Apart { since, mismatches, .. }| Trouble {
            what: Ailment::Unreconciled { mismatches },
            since,
        });
        unread.into_iter().chain(apart)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(at: u64, from: u64, mismatches: Option<u64>) -> Compared {
        Compared { at: Time::from_micros(at), from: Time::from_micros(from), mismatches }
    }

    /// Each trouble with when it began.
    fn troubles(books: &Books) -> Vec<(Ailment, u64)> {
        books.troubles().map(|trouble| (trouble.what, trouble.since.as_micros())).collect()
    }

    #[test]
    fn mismatches_stand_until_a_look_as_far_back_finds_none() {
        let mut books = Books::default();
        assert_eq!((troubles(&books), books.mismatches()), (vec![], 0));
        let apart = |mismatches| Ailment::Unreconciled { mismatches };
        for (told, expected) in [
            (compared(10, 5, Some(2)), Some((apart(2), 10))),
            (compared(11, 6, Some(0)), Some((apart(2), 10))),
            (compared(12, 7, Some(3)), Some((apart(3), 10))),
            (compared(13, 5, Some(1)), Some((apart(1), 10))),
            (compared(14, 5, Some(0)), None),
            (compared(15, 9, Some(1)), Some((apart(1), 15))),
            (compared(16, 0, Some(4)), Some((apart(4), 15))),
            (compared(17, 9, Some(0)), Some((apart(4), 15))),
            (compared(18, 0, Some(0)), None),
        ] {
            books.compared(told);
            assert_eq!(troubles(&books), Vec::from_iter(expected), "{told:?}");
        }
        assert_eq!(books.mismatches(), 0);
    }

    #[test]
    fn books_that_cannot_be_compared_are_a_trouble_and_end_none() {
        let mut books = Books::default();
        books.compared(compared(10, 5, Some(2)));
        books.compared(compared(20, 5, None));
        books.compared(compared(30, 5, None));
        let apart = Ailment::Unreconciled { mismatches: 2 };
        assert_eq!(troubles(&books), [(Ailment::BooksUnread, 20), (apart, 10)]);
        assert_eq!(books.mismatches(), 2);
        books.compared(compared(40, 5, Some(0)));
        assert_eq!(troubles(&books), []);
    }
}
