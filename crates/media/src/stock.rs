//! Empty blocks that all taps of a recorder share: of a thousand calls, hardly a hundred have one on its
//! way to the recorder at a time.

use std::{fmt, sync::Arc};

use crossbeam_queue::ArrayQueue;

use crate::block::Block;

/// So many lie by at most: some 2,000 calls have no more on their way to a recorder that keeps up.
const KEPT: usize = 256;
/// So many lie by when a tap begins: its first block, and one to go on with while that is on its way.
const FIRST: usize = 2;

/// Empty blocks for the taps of one recorder. They are in a queue that nobody waits for: media threads
/// take from its one end what the recorder puts in at the other.
#[derive(Clone)]
pub struct Stock(Arc<ArrayQueue<Box<Block>>>);

impl Stock {
    /// Sees to it that the first blocks of another tap lie here: a media thread makes none as long as
    /// the recorder keeps up.
    pub(crate) fn fill(&self) {
        for _ in self.0.len()..FIRST {
            let _enough_lie_by = self.0.push(Box::new(Block::empty()));
        }
    }

    /// An empty block.
    pub(crate) fn take(&self) -> Box<Block> {
        self.0.pop().unwrap_or_else(|| Box::new(Block::empty()))
    }

    /// Wipes a block and lets it lie by, or go if enough do.
    pub(crate) fn give_back(&self, mut block: Box<Block>) {
        block.wipe();
        let _enough_lie_by = self.0.push(block);
    }
}

impl Default for Stock {
    fn default() -> Self {
        Self(Arc::new(ArrayQueue::new(KEPT)))
    }
}

impl fmt::Debug for Stock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stock")
    }
}

#[cfg(test)]
mod tests {
    use call::Party;

    use super::*;
    use crate::codec::Codec;

    #[test]
    fn blocks_come_back_empty_and_no_more_lie_by_than_are_needed() {
        let stock = Stock::default();
        stock.fill();
        stock.fill();
        assert_eq!(stock.0.len(), FIRST);
        let mut block = stock.take();
        block.put(Party::Agent, Codec::Pcma, 0, &[1; 160]);
        stock.give_back(block);
        stock.take();
        assert_eq!((stock.take().frames().count(), stock.0.len()), (0, 0));
        let many: Vec<_> = (0..2 * KEPT).map(|_| stock.take()).collect();
        many.into_iter().for_each(|block| stock.give_back(block));
        assert_eq!(stock.0.len(), KEPT);
    }

    #[test]
    fn several_threads_have_no_block_at_the_same_time() {
        let stock = Stock::default();
        std::thread::scope(|scope| {
            for first in [1, 2, 3] {
                let stock = &stock;
                scope.spawn(move || {
                    for _ in 0..10_000 {
                        let mut block = stock.take();
                        block.put(Party::Agent, Codec::Pcma, 0, &[first; 160]);
                        let frame = block.frames().next().unwrap();
                        assert_eq!((frame.payload, block.frames().count()), (&[first; 160][..], 1));
                        stock.give_back(block);
                    }
                });
            }
        });
        assert!(stock.0.len() <= 3);
    }
}
