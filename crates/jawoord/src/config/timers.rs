//! The intervals of SIP's retransmissions, judged.

use std::time::Duration;

use serde::Deserialize;

use super::problem::Problem;

/// The base intervals of SIP's retransmissions (RFC 3261 table 4); read at start only.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Written {
    /// Milliseconds of the first retransmission interval; a peer is given up after 64 of them.
    pub t1_ms: u32,
    /// Milliseconds of the longest retransmission interval.
    pub t2_ms: u32,
    /// Milliseconds that a message may live in the network.
    pub t4_ms: u32,
}

impl Default for Written {
    fn default() -> Self {
        Self { t1_ms: 500, t2_ms: 4_000, t4_ms: 5_000 }
    }
}

/// The shortest T1 that a machine keeps up with, and the longest that a caller bears: 64 of them
/// pass before a silent peer is given up.
const T1_MS: std::ops::RangeInclusive<u32> = 10..=5_000;

/// No message of this age is still on its way, whatever the network (RFC 793 §3.3 takes 120 s).
const LONGEST_MS: u32 = 120_000;

/// Makes the intervals; every one that cannot be kept is a problem.
pub(super) fn timers(written: Written, problems: &mut Vec<Problem>) -> sip::Timers {
    let Written { t1_ms, t2_ms, t4_ms } = written;
    if !T1_MS.contains(&t1_ms) {
        problems.push(Problem::value(
            "timers",
            "t1_ms",
            t1_ms,
            "use 10 to 5000; RFC 3261 has 500, and a longer one where the network is slower",
        ));
    }
    for (key, value) in [("t2_ms", t2_ms), ("t4_ms", t4_ms)] {
        if value < t1_ms || value > LONGEST_MS {
            let mend = "use at least t1_ms and at most 120000";
            problems.push(Problem::value("timers", key, value, mend));
        }
    }
    let millis = |value: u32| Duration::from_millis(u64::from(value));
    sip::Timers { t1: millis(t1_ms), t2: millis(t2_ms), t4: millis(t4_ms) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(t1_ms: u32, t2_ms: u32, t4_ms: u32) -> (sip::Timers, usize) {
        let mut problems = Vec::new();
        let timers = timers(Written { t1_ms, t2_ms, t4_ms }, &mut problems);
        (timers, problems.len())
    }

    #[test]
    fn what_nobody_writes_is_what_the_rfc_says() {
        let mut problems = Vec::new();
        assert_eq!(timers(Written::default(), &mut problems), sip::Timers::default());
        assert!(problems.is_empty());
    }

    #[test]
    fn an_interval_that_nobody_can_keep_is_a_problem_by_name() {
        assert_eq!(judged(10, 10, 10).1, 0);
        for (t1_ms, t2_ms, t4_ms) in [(9, 100, 100), (5_001, 6_000, 6_000), (500, 499, 5_000)] {
            assert_eq!(judged(t1_ms, t2_ms, t4_ms).1, 1, "{t1_ms} {t2_ms} {t4_ms}");
        }
        assert_eq!(judged(500, 4_000, 120_001).1, 1);
    }
}
