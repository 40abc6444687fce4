//! How often a call is refreshed, so that none outlives its parties (RFC 4028), judged.

use serde::Deserialize;

use super::problem::Problem;

/// RFC 4028 §4 and §5 allow no shorter interval, and nobody needs one of more than a day.
const INTERVAL_S: std::ops::RangeInclusive<u32> = 90..=86_400;

/// The session timer of every leg, unless its trunk or PBX has its own.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Written {
    /// Seconds within which a call is refreshed, or it ends; 0 asks for no timer and agrees to none.
    pub expires_s: u32,
    /// Seconds of the shortest interval that a peer may ask for.
    pub min_s: u32,
}

impl Default for Written {
    fn default() -> Self {
        let sip::SessionTimer { expires_s, min_s } = sip::SessionTimer::default();
        Self { expires_s, min_s }
    }
}

/// The session timer of one trunk or PBX; what it leaves out is as for everybody.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OfPeer {
    /// Seconds within which its calls are refreshed, or they end; 0: no timer with this peer.
    pub expires_s: Option<u32>,
    /// Seconds of the shortest interval that it may ask for.
    pub min_s: Option<u32>,
}

/// Makes the timer, `None` when it is off; an interval that no peer may agree to is a problem.
pub(super) fn session(
    written: Written,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Option<sip::SessionTimer> {
    let Written { expires_s, min_s } = written;
    if expires_s == 0 {
        return None;
    }
    if !INTERVAL_S.contains(&min_s) {
        let mend = "use 90 to 86400; RFC 4028 allows no shorter one";
        problems.push(Problem::value(place, "min_s", min_s, mend));
    }
    if expires_s < min_s || !INTERVAL_S.contains(&expires_s) {
        let mend = "use at least min_s and at most 86400, or 0 for no session timer";
        problems.push(Problem::value(place, "expires_s", expires_s, mend));
    }
    Some(sip::SessionTimer { expires_s, min_s })
}

/// The same for one peer, which changes some of what holds for `all`.
pub(super) fn session_of(
    peer: Option<OfPeer>,
    all: Written,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Option<sip::SessionTimer> {
    let own = peer.unwrap_or_default();
    let written = Written {
        expires_s: own.expires_s.unwrap_or(all.expires_s),
        min_s: own.min_s.unwrap_or(all.min_s),
    };
    // What is wrong for everybody is said once, and not here.
    let mut known = Vec::new();
    let problems = if peer.is_some() { problems } else { &mut known };
    session(written, &format!("{place}: session_timer"), problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(expires_s: u32, min_s: u32) -> (Option<sip::SessionTimer>, usize) {
        let mut problems = Vec::new();
        let timer = session(Written { expires_s, min_s }, "session_timer", &mut problems);
        (timer, problems.len())
    }

    #[test]
    fn b_11_what_nobody_writes_is_half_an_hour_and_nought_is_no_timer() {
        let mut problems = Vec::new();
        let timer = session(Written::default(), "session_timer", &mut problems);
        assert_eq!(timer, Some(sip::SessionTimer { expires_s: 1800, min_s: 90 }));
        assert!(problems.is_empty());
        assert_eq!(judged(0, 90), (None, 0));
    }

    #[test]
    fn an_interval_that_no_peer_may_agree_to_is_a_problem_by_name() {
        assert_eq!(judged(90, 90).1, 0);
        assert_eq!(judged(86_400, 600).1, 0);
        for (expires_s, min_s) in [(89, 80), (1800, 89), (300, 600), (86_401, 90)] {
            assert!(judged(expires_s, min_s).1 > 0, "{expires_s} {min_s}");
        }
    }

    #[test]
    fn b_11_a_peer_has_a_timer_of_its_own_and_what_it_leaves_out_is_as_for_everybody() {
        let mut problems = Vec::new();
        let all = Written { expires_s: 1800, min_s: 300 };
        let mut of = |expires_s, min_s| {
            session_of(Some(OfPeer { expires_s, min_s }), all, "trunk \"a\"", &mut problems)
        };
        assert_eq!(of(Some(600), None), Some(sip::SessionTimer { expires_s: 600, min_s: 300 }));
        assert_eq!(of(None, Some(90)), Some(sip::SessionTimer { expires_s: 1800, min_s: 90 }));
        assert_eq!(of(Some(0), None), None);
        of(Some(200), None);
        let said: Vec<String> = problems.iter().map(Problem::to_string).collect();
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(
            said[0].starts_with("trunk \"a\": session_timer: `expires_s` is \"200\""),
            "{said:?}"
        );
        // The fault of everybody's is no fault of this peer.
        let all = Written { expires_s: 1, min_s: 300 };
        session_of(None, all, "trunk \"a\"", &mut problems);
        assert_eq!(problems.len(), 1);
    }
}
