//! The one clock of the node: the wall clock is read once, the monotonic clock carries it on.

use std::time::{Duration, Instant, SystemTime};

use call::Time;

/// Turns monotonic instants into [`Time`], so that a clock step changes no duration (row O-06).
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    wall: Time,
}

impl Clock {
    /// Reads both clocks.
    #[must_use]
    pub fn start() -> Self {
        let since_epoch =
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Self { started: Instant::now(), wall: Time::default() + since_epoch }
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Time {
        self.at(Instant::now())
    }

    /// The moment of an instant of the monotonic clock.
    #[must_use]
    pub fn at(&self, instant: Instant) -> Time {
        self.wall + instant.saturating_duration_since(self.started)
    }

    /// The instant of a moment.
    #[must_use]
    pub fn instant(&self, time: Time) -> Instant {
        self.started + time.since(self.wall)
    }

    /// The pair of an instant and its moment, for threads that keep a clock of their own.
    #[must_use]
    pub const fn anchor(&self) -> (Instant, Time) {
        (self.started, self.wall)
    }
}
