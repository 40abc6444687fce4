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
    /// The carrier lets a caller be without an answer no longer.
    Early,
    /// A pause that the house wanted ends at the latest.
    Pause,
    /// What became of a transfer that the customer's side makes is heard at the latest.
    News,
    /// What a customer without an agent hears ends at the latest.
    Farewell,
    /// What is still outstanding at the end of a call arrives at the latest.
    Closing,
}

impl Timer {
    const ALL: [Self; 10] = [
        Self::Answer,
        Self::Limit,
        Self::Explanation,
        Self::Report,
        Self::Ring,
        Self::Early,
        Self::Pause,
        Self::News,
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

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(micros: u64) -> Time {
        Time::from_micros(micros)
    }

    fn due(timers: &mut Timers, now: Time) -> Option<usize> {
        timers.take_due(now).map(|timer| timer as usize)
    }

    #[test]
    fn a_cleared_timer_says_when_it_would_have_fired_and_never_does() {
        let mut timers = Timers::default();
        timers.set(Timer::Limit, at(9));
        assert_eq!(timers.clear(Timer::Limit), Some(at(9)));
        assert_eq!(timers.clear(Timer::Limit), None);
        assert_eq!((timers.next(), due(&mut timers, at(9))), (None, None));
    }

    #[test]
    fn timers_fire_in_the_order_of_their_deadlines_and_then_of_the_table() {
        let mut timers = Timers::default();
        timers.set(Timer::Closing, at(5));
        timers.set(Timer::Ring, at(7));
        timers.set(Timer::Answer, at(7));
        assert_eq!(timers.next(), Some(at(5)));
        assert_eq!(due(&mut timers, at(4)), None);
        assert_eq!(due(&mut timers, at(8)), Some(Timer::Closing as usize));
        assert_eq!(due(&mut timers, at(8)), Some(Timer::Answer as usize));
        assert_eq!(due(&mut timers, at(7)), Some(Timer::Ring as usize));
        assert_eq!(due(&mut timers, at(8)), None);
    }

    #[test]
    fn a_timer_set_again_has_one_deadline() {
        let mut timers = Timers::default();
        timers.set(Timer::Report, at(5));
        timers.set(Timer::Report, at(6));
        assert_eq!(timers.next(), Some(at(6)));
        timers.set(Timer::Farewell, at(1));
        timers.clear_all();
        assert_eq!(timers.next(), None);
    }
}
