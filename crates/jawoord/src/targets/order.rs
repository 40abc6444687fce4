//! The order in which equals are tried: by priority, then by weight and chance (RFC 2782).

/// What an entry is ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rank {
    /// Lower comes first, always.
    pub priority: u16,
    /// Among equals, the share of first places. With weight 0 the chance is very small.
    pub weight: u16,
}

/// The places of `ranks` in the order in which they are tried. `draw(n)` gives a number below
/// `n`, each as likely as the others.
pub fn order(ranks: &[Rank], mut draw: impl FnMut(u32) -> u32) -> Vec<usize> {
    let mut left: Vec<(usize, Rank)> = ranks.iter().copied().enumerate().collect();
    // Weight 0 stands in front, so that it has its small chance: when 0 is drawn.
    left.sort_by_key(|(place, rank)| (rank.priority, rank.weight > 0, *place));
    let mut ordered = Vec::with_capacity(left.len());
    while let Some((_, Rank { priority, .. })) = left.first().copied() {
        let same = left.iter().take_while(|(_, rank)| rank.priority == priority);
        let total: u32 = same.clone().map(|(_, rank)| u32::from(rank.weight)).sum();
        let drawn = draw(total + 1);
        let chosen = same
            .scan(0, |sum, (_, rank)| {
                *sum += u32::from(rank.weight);
                Some(*sum)
            })
            .position(|sum| sum >= drawn)
            .unwrap_or(0);
        ordered.push(left.remove(chosen).0);
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn rank(priority: u16, weight: u16) -> Rank {
        Rank { priority, weight }
    }

    #[test]
    fn r_16_a_lower_priority_comes_first_whatever_the_weights() {
        let ranks = [rank(20, 60_000), rank(10, 0), rank(30, 5), rank(10, 1)];
        for drawn in 0..3 {
            let order = order(&ranks, |below| drawn.min(below - 1));
            let priorities: Vec<u16> = order.iter().map(|place| ranks[*place].priority).collect();
            assert_eq!(priorities, [10, 10, 20, 30]);
        }
    }

    #[test]
    fn r_16_weights_share_the_first_place_in_their_ratio() {
        let ranks = [rank(0, 60), rank(0, 20), rank(0, 20), rank(0, 0)];
        let mut first = [0; 4];
        for drawn in 0..=100 {
            // The first draw is walked through; what follows does not matter.
            let mut draws = [drawn, 0, 0, 0].into_iter();
            let order = order(&ranks, |_| draws.next().unwrap_or(0));
            assert_eq!(order.len(), 4);
            first[order[0]] += 1;
        }
        assert_eq!(first, [60, 20, 20, 1]);
    }

    #[test]
    fn every_entry_is_tried_exactly_once_whatever_is_drawn() {
        let ranks: Vec<Rank> = (0..12).map(|n| rank(n % 3, n % 4)).collect();
        for seed in 0..500_u32 {
            let mut state = seed;
            let mut order = order(&ranks, |below| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) % below
            });
            order.sort_unstable();
            assert_eq!(order, (0..12).collect::<Vec<_>>());
        }
        assert_eq!(order(&[], |_| 0), Vec::<usize>::new());
    }
}
