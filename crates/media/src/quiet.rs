//! How long nobody has sent anything in a bridged call (row B-33).

use std::time::Duration;

use call::Time;

/// How often silence on the wire is told.
pub const QUIET_STEP: Duration = Duration::from_secs(5);

/// The time since the last packet of either party.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quiet {
    since: Time,
    told: u32,
}

impl Quiet {
    pub(crate) const fn new(now: Time) -> Self {
        Self { since: now, told: 0 }
    }

    /// A party sent something.
    pub(crate) const fn heard(&mut self, now: Time) {
        *self = Self::new(now);
    }

    /// When there is something to tell.
    pub(crate) fn due(&self) -> Time {
        self.since + QUIET_STEP * (self.told + 1)
    }

    /// How long it has been quiet, once a step.
    pub(crate) fn take(&mut self, now: Time) -> Option<Duration> {
        (now >= self.due()).then(|| {
            let quiet = now.since(self.since);
            let steps = quiet.as_secs() / QUIET_STEP.as_secs();
            self.told = u32::try_from(steps).unwrap_or(u32::MAX - 1);
            quiet
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b_33_silence_is_told_once_a_step_and_begins_anew_with_each_packet() {
        let at = |ms: u64| Time::from_micros(ms * 1_000);
        let mut quiet = Quiet::new(at(0));
        assert_eq!((quiet.due(), quiet.take(at(4_999))), (at(5_000), None));
        assert_eq!(quiet.take(at(5_000)), Some(Duration::from_secs(5)));
        assert_eq!((quiet.take(at(5_001)), quiet.due()), (None, at(10_000)));
        // A loop that was late tells once, not once for every step it missed.
        assert_eq!(quiet.take(at(21_000)), Some(Duration::from_secs(21)));
        assert_eq!((quiet.take(at(21_000)), quiet.due()), (None, at(25_000)));
        quiet.heard(at(22_000));
        assert_eq!((quiet.take(at(26_000)), quiet.due()), (None, at(27_000)));
    }
}
