//! When a new call is too much, and what is said then (rows O-01, S-15).

use std::net::IpAddr;

use super::{bucket::Rate, tally::Tally};

/// Why a call is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// The node is being emptied.
    Draining,
    /// All calls together.
    Calls,
    /// The calls of its trunk.
    Trunk,
    /// The calls of its source.
    Source,
    /// The files and sockets of the process.
    Descriptors,
    /// The calls of its source that nobody has acknowledged.
    HalfOpen,
    /// The new calls a second.
    Rate,
    /// What the endpoint can hold.
    Transactions,
}

impl Over {
    /// Every value.
    pub const ALL: [Self; 8] = [
        Self::Draining,
        Self::Calls,
        Self::Descriptors,
        Self::Trunk,
        Self::Source,
        Self::HalfOpen,
        Self::Rate,
        Self::Transactions,
    ];

    /// The name in metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draining => "draining",
            Self::Calls => "calls",
            Self::Trunk => "trunk",
            Self::Source => "source",
            Self::Descriptors => "descriptors",
            Self::HalfOpen => "half_open",
            Self::Rate => "rate",
            Self::Transactions => "transactions",
        }
    }
}

/// What a call too many is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This status, with a Retry-After if it is 503.
    Status(u16),
    /// Nothing: the peer tries again, or elsewhere, by its own clock.
    Nothing,
}

/// The limits of a node. 0 is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Calls at a time that are no emergencies.
    pub calls: usize,
    /// Media ports that only emergencies may use, in calls.
    pub reserve: usize,
    /// Calls at a time from one source.
    pub source_calls: usize,
    /// Calls from one source that it has not acknowledged.
    pub half_open: usize,
    /// New requests a second from one known source.
    pub known: Rate,
    /// New calls a second from all sources together.
    pub all: Option<Rate>,
    /// Answers a second to one unknown source; what comes beyond is dropped.
    pub unknown: Rate,
    /// Whether unknown sources are answered 403 at all.
    pub answer_unknown: bool,
    /// What a call too many is told.
    pub answer: Answer,
    /// Seconds of a Retry-After, from the least to the most.
    pub retry_after_s: (u32, u32),
}

/// Transactions beyond which only calls in progress and emergencies are served: nine tenths of what
/// the endpoint can hold.
#[must_use]
pub const fn crowded(transactions: usize, ceiling: usize) -> bool {
    transactions >= ceiling / 10 * 9
}

/// Which limit one more call of this source and trunk would pass.
#[must_use]
pub fn over(
    limits: &Limits,
    tally: &Tally,
    source: IpAddr,
    trunk: Option<(&str, usize)>,
) -> Option<Over> {
    let full = |limit: usize, count: usize| limit > 0 && count >= limit;
    if full(limits.calls, tally.ordinary()) {
        return Some(Over::Calls);
    }
    if trunk.is_some_and(|(name, limit)| full(limit, tally.of_trunk(name))) {
        return Some(Over::Trunk);
    }
    if full(limits.source_calls, tally.of_source(source)) {
        return Some(Over::Source);
    }
    full(limits.half_open, tally.half_open(source)).then_some(Over::HalfOpen)
}

#[cfg(test)]
mod tests {
    use call::CallId;

    use super::*;
    use crate::{config::written::Limiting, gate::tally::Seat};

    #[test]
    fn o_01_each_limit_is_reached_by_its_own_calls() {
        let source: IpAddr = "192.0.2.1".parse().unwrap();
        let other: IpAddr = "192.0.2.2".parse().unwrap();
        let limits =
            Limits { calls: 4, source_calls: 3, half_open: 2, ..Limiting::default().limits(100) };
        let mut tally = Tally::default();
        let mut number = 0;
        let mut enter = |tally: &mut Tally, source, urgent| {
            number += 1;
            let call = CallId::from_bytes([number; 16]);
            tally.enter(call, Seat { source, trunk: Some("carrier".into()), urgent });
            call
        };
        let trunk = |limit| Some(("carrier", limit));
        let first = enter(&mut tally, source, false);
        assert_eq!(over(&limits, &tally, source, trunk(0)), None);
        assert_eq!(over(&limits, &tally, source, trunk(1)), Some(Over::Trunk));
        let second = enter(&mut tally, source, false);
        assert_eq!(over(&limits, &tally, source, trunk(0)), Some(Over::HalfOpen));
        assert_eq!(over(&limits, &tally, other, trunk(0)), None);
        tally.confirm(first);
        tally.confirm(second);
        let third = enter(&mut tally, source, false);
        assert_eq!(over(&limits, &tally, source, None), Some(Over::Source));
        let _emergency = enter(&mut tally, other, true);
        assert_eq!(over(&limits, &tally, other, None), None, "emergencies take nobody's place");
        let _fourth = enter(&mut tally, other, false);
        assert_eq!(over(&limits, &tally, other, None), Some(Over::Calls));
        tally.leave(third);
        assert_eq!(over(&limits, &tally, other, None), None);
    }

    #[test]
    fn e_04_a_tenth_of_the_endpoint_is_kept() {
        assert!(!crowded(179_999, 200_000));
        assert!(crowded(180_000, 200_000));
    }
}
