//! How many calls there are: together, of each trunk, and of each source.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::Hash,
    net::IpAddr,
    sync::Arc,
};

use call::CallId;

use super::bucket::site;

/// What a call counts towards.
#[derive(Clone, Debug)]
pub struct Seat {
    /// Where it came from.
    pub source: IpAddr,
    /// The trunk it came by, if it did.
    pub trunk: Option<Arc<str>>,
    /// An emergency counts towards nothing.
    pub urgent: bool,
}

#[derive(Debug)]
struct Taken {
    seat: Seat,
    open: bool,
}

/// The calls that run.
#[derive(Debug, Default)]
pub struct Tally {
    calls: HashMap<CallId, Taken>,
    ordinary: usize,
    urgent: usize,
    sources: HashMap<IpAddr, usize>,
    half_open: HashMap<IpAddr, usize>,
    trunks: HashMap<Arc<str>, usize>,
}

impl Tally {
    /// A call begins; its caller has not confirmed anything yet.
    pub fn enter(&mut self, call: CallId, seat: Seat) {
        let seat = Seat { source: site(seat.source), ..seat };
        if !seat.urgent {
            self.ordinary += 1;
            *self.sources.entry(seat.source).or_default() += 1;
            *self.half_open.entry(seat.source).or_default() += 1;
            if let Some(trunk) = &seat.trunk {
                *self.trunks.entry(trunk.clone()).or_default() += 1;
            }
        } else {
            self.urgent += 1;
        }
        self.calls.insert(call, Taken { seat, open: true });
    }

    /// Its caller has acknowledged our answer.
    pub fn confirm(&mut self, call: CallId) {
        if let Some(taken) = self.calls.get_mut(&call).filter(|taken| taken.open) {
            taken.open = false;
            if !taken.seat.urgent {
                lower(&mut self.half_open, taken.seat.source);
            }
        }
    }

    /// It is over.
    pub fn leave(&mut self, call: CallId) {
        let Some(Taken { seat, open }) = self.calls.remove(&call) else { return };
        if seat.urgent {
            self.urgent = self.urgent.saturating_sub(1);
            return;
        }
        self.ordinary = self.ordinary.saturating_sub(1);
        lower(&mut self.sources, seat.source);
        if open {
            lower(&mut self.half_open, seat.source);
        }
        if let Some(trunk) = seat.trunk {
            lower(&mut self.trunks, trunk);
        }
    }

    /// Calls that are no emergencies.
    #[must_use]
    pub const fn ordinary(&self) -> usize {
        self.ordinary
    }

    /// Emergencies.
    #[must_use]
    pub const fn urgent(&self) -> usize {
        self.urgent
    }

    /// Of one source.
    #[must_use]
    pub fn of_source(&self, source: IpAddr) -> usize {
        self.sources.get(&site(source)).copied().unwrap_or(0)
    }

    /// Of one source that has not acknowledged them.
    #[must_use]
    pub fn half_open(&self, source: IpAddr) -> usize {
        self.half_open.get(&site(source)).copied().unwrap_or(0)
    }

    /// Of one trunk.
    #[must_use]
    pub fn of_trunk(&self, trunk: &str) -> usize {
        self.trunks.get(trunk).copied().unwrap_or(0)
    }
}

fn lower<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: K) {
    if let Entry::Occupied(mut count) = counts.entry(key) {
        if *count.get() <= 1 {
            count.remove();
        } else {
            *count.get_mut() -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_counts_no_more_and_leaves_nothing_behind() {
        let mut tally = Tally::default();
        let source: IpAddr = "192.0.2.1".parse().unwrap();
        let id = |number| CallId::from_bytes([number; 16]);
        let seat = |urgent| Seat { source, trunk: Some("carrier".into()), urgent };
        tally.enter(id(1), seat(false));
        tally.enter(id(2), seat(false));
        tally.enter(id(3), seat(true));
        tally.confirm(id(1));
        tally.confirm(id(1));
        assert_eq!((tally.ordinary(), tally.of_source(source)), (2, 2), "no emergency counts");
        assert_eq!(tally.urgent(), 1);
        assert_eq!((tally.half_open(source), tally.of_trunk("carrier")), (1, 2));
        for number in [1, 2, 3, 3] {
            tally.leave(id(number));
        }
        let empty = [&tally.sources, &tally.half_open].iter().all(|counts| counts.is_empty());
        assert!(empty && tally.trunks.is_empty() && tally.calls.is_empty());
        assert_eq!((tally.ordinary(), tally.urgent()), (0, 0));
    }
}
