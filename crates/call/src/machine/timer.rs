//! The timers of a call as a table of deadlines.

use crate::Time;

/// What a deadline of a call is for.
#[derive(Clone, Copy)]
pub(super) enum Timer {
    /// The customer's answer is waited for.
    Answer,
    /// The PBX is called at the latest.
    Limit,
    /// An explanation that was asked for ends at the latest.
    Explanation,
    /// The report of a prompt that was cut arrives at the latest.
    Report,
    /// The PBX answers at the latest.
    Ring,
    /// What a customer without an agent hears ends at the latest.
    Farewell,
    /// What is still outstanding at the end of a call arrives at the latest.
    Closing,
}

impl Timer {
    const ALL: [Self; 7] = [
        Self::Answer,
        Self::Limit,
        Self::Explanation,
        Self::Report,
        Self::Ring,
        Self::Farewell,
        Self::Closing,
    ];
}

/// One deadline for each [`Timer`] that runs.
#[derive(Default)]
pub(super) struct Timers([Option<Time>; Timer::ALL.len()]);

impl Timers {
    pub(super) const fn set(&mut self, timer: Timer, at: Time) {
        *self.slot(timer) = Some(at);
    }

    /// Stops `timer` and says when it would have fired.
    pub(super) const fn clear(&mut self, timer: Timer) -> Option<Time> {
        self.slot(timer).take()
    }

    pub(super) fn clear_all(&mut self) {
        *self = Self::default();
    }

    /// The earliest deadline.
    pub(super) fn next(&self) -> Option<Time> {
        self.0.iter().flatten().min().copied()
    }

    /// Stops the earliest timer that is due at `now` and names it; of two due at once, the one
    /// that stands first in the table.
    pub(super) fn take_due(&mut self, now: Time) -> Option<Timer> {
        let at = self.next().filter(|at| *at <= now)?;
        let due = Timer::ALL.into_iter().find(|timer| *self.slot(*timer) == Some(at))?;
        self.clear(due);
        Some(due)
    }

    #[expect(clippy::indexing_slicing, reason = "the table has a place for every timer")]
    const fn slot(&mut self, timer: Timer) -> &mut Option<Time> {
        &mut self.0[timer as usize]
    }
}
