//! The clock between the answer and the call to the PBX.

use std::time::Duration;

use call::Time;

use crate::support::ms;

/// The clock between the answer and the call to the PBX.
#[derive(Clone, Copy)]
pub(super) enum Clock {
    Runs { until: Time },
    Explains { until: Time, left: Duration },
}

impl Clock {
    pub(super) const fn until(&self) -> Time {
        match self {
            Self::Runs { until } | Self::Explains { until, .. } => *until,
        }
    }

    pub(super) fn explain(&mut self, now: Time) {
        if let Self::Runs { until } = *self {
            *self = Self::Explains { until: now + ms(60_000), left: until.since(now) };
        }
    }

    pub(super) fn run(&mut self, now: Time) {
        if let Self::Explains { left, .. } = *self {
            *self = Self::Runs { until: now + left };
        }
    }
}
