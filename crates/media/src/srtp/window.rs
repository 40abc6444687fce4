//! Where a packet stands in its stream, and whether it has been there before (RFC 3711 §3.3).

/// How far back a packet may come; RFC 3711 §3.3.2 asks for 64 at least.
pub(crate) const DEPTH: u64 = 128;
/// A packet's index has 48 bits: how often its sequence number has gone round, and that number.
const INDICES: u64 = 1 << 48;

/// The highest index of a stream, and which of those below it have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    highest: u64,
    /// The lowest bit stands for the highest index.
    seen: u128,
}

impl Window {
    /// A stream of which this packet is the first.
    pub(crate) const fn begun(index: u64) -> Self {
        Self { highest: index, seen: 1 }
    }

    /// The index of a packet with this sequence number: the nearest one (RFC 3711 §3.3.1). `None`: it
    /// lies before the beginning, or the key has been used up.
    pub(crate) fn nearest(&self, sequence: u16) -> Option<u64> {
        let step = sequence.wrapping_sub(self.highest as u16).cast_signed();
        self.highest.checked_add_signed(i64::from(step)).filter(|index| *index < INDICES)
    }

    /// Whether this index has not been, as far as one can look back.
    pub(crate) const fn is_fresh(&self, index: u64) -> bool {
        match self.highest.checked_sub(index) {
            None => true,
            Some(back) => back < DEPTH && (self.seen >> back) & 1 == 0,
        }
    }

    /// Notes that this index has been.
    pub(crate) const fn take(&mut self, index: u64) {
        if index > self.highest {
            let step = index - self.highest;
            self.seen = if step < DEPTH { self.seen << step } else { 0 };
            self.highest = index;
        }
        let back = self.highest - index;
        if back < DEPTH {
            self.seen |= 1 << back;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same by remembering everything.
    #[derive(Default)]
    struct Model {
        seen: std::collections::BTreeSet<u64>,
    }

    #[test]
    fn s_06_the_window_agrees_with_a_memory_of_everything() {
        let mut chance = 0x9E37_79B9_7F4A_7C15_u64;
        let mut window = Window::begun(60_000);
        let mut model = Model::default();
        model.seen.insert(60_000);
        let mut rounds = 0;
        for _ in 0..200_000 {
            chance ^= chance << 13;
            chance ^= chance >> 7;
            chance ^= chance << 17;
            // Mostly a little forward, often a little back, sometimes a leap.
            let step = match chance % 16 {
                0 => (chance >> 8) % 30_000,
                1..6 => (chance >> 8) % 200,
                _ => 1,
            };
            let back = chance & 0x10 != 0;
            let newest = *model.seen.last().unwrap();
            let index = if back { newest.saturating_sub(step) } else { newest + step };
            assert_eq!(window.nearest(index as u16), Some(index));
            let fresh = newest < index + DEPTH && !model.seen.contains(&index);
            assert_eq!(window.is_fresh(index), fresh, "{index} after {newest}");
            if fresh {
                window.take(index);
                model.seen.insert(index);
                rounds = window.highest >> 16;
            }
        }
        assert!(rounds > 100, "the sequence number went round {rounds} times");
    }

    #[test]
    fn s_06_the_sequence_number_goes_round_with_losses_and_a_straggler_is_put_back() {
        let mut window = Window::begun(65_533);
        // 65535 and 0 to 9 are lost.
        assert_eq!(window.nearest(10), Some(65_546));
        window.take(65_546);
        assert_eq!(window.nearest(65_535), Some(65_535));
        assert!(window.is_fresh(65_535));
        window.take(65_535);
        assert!(!window.is_fresh(65_535) && !window.is_fresh(65_533));
    }

    #[test]
    fn what_lies_before_the_beginning_or_behind_the_end_has_no_index() {
        assert_eq!(Window::begun(3).nearest(65_000), None);
        assert_eq!(Window::begun(INDICES - 2).nearest(5), None);
        assert_eq!(Window::begun(INDICES - 2).nearest(65_535), Some(INDICES - 1));
    }
}
