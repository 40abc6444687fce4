//! Where empty pieces of a buffer lie that all recordings of a recorder share. Each holds some only for a
//! moment; given back to the allocator every time they would leave it full of holes.

use std::sync::Arc;

use crossbeam_queue::ArrayQueue;

/// So many lie by at most: what a thousand calls give back in a moment and take again in the next.
const KEPT: usize = 1_024;

/// Something that is as good as new once it is wiped.
pub(crate) trait Blank {
    fn new() -> Self;

    /// Nothing that was in it is there any more.
    fn wipe(&mut self);
}

/// A shelf of one kind. One that nobody shares keeps nothing.
pub(crate) struct Shelf<T>(Option<Arc<ArrayQueue<Box<T>>>>);

impl<T: Blank> Shelf<T> {
    /// One to share.
    pub(crate) fn shared() -> Self {
        Self(Some(Arc::new(ArrayQueue::new(KEPT))))
    }

    /// An empty one.
    pub(crate) fn take(&self) -> Box<T> {
        self.0.as_ref().and_then(|lying| lying.pop()).unwrap_or_else(|| Box::new(T::new()))
    }

    /// Wipes one and lets it lie by, or go if enough do.
    pub(crate) fn give_back(&self, mut used: Box<T>) {
        used.wipe();
        if let Some(lying) = &self.0 {
            let _enough_lie_by = lying.push(used);
        }
    }
}

impl<T> Clone for Shelf<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Number(u32);

    impl Blank for Number {
        fn new() -> Self {
            Self(0)
        }

        fn wipe(&mut self) {
            self.0 = 0;
        }
    }

    fn lying(shelf: &Shelf<Number>) -> usize {
        shelf.0.as_ref().map_or(0, |lying| lying.len())
    }

    #[test]
    fn what_is_given_back_is_wiped_and_no_more_lies_by_than_is_needed() {
        let shelf = Shelf::shared();
        shelf.give_back(Box::new(Number(7)));
        assert_eq!((lying(&shelf), *shelf.clone().take(), lying(&shelf)), (1, Number(0), 0));
        (0..2_000).for_each(|_| shelf.give_back(Box::new(Number(7))));
        assert_eq!(lying(&shelf), KEPT);
    }

    #[test]
    fn a_shelf_that_nobody_shares_keeps_nothing() {
        let shelf = Shelf::default();
        shelf.give_back(Box::new(Number(7)));
        assert_eq!((lying(&shelf), *shelf.take()), (0, Number(0)));
    }
}
