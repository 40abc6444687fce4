//! Whether one address is up: what its answers and silences mean (row R-17).

use std::time::{Duration, Instant};

use crate::config::target::Watch;

/// How soon a doubt is settled: between the first miss and the verdict, or the first answer and
/// the return.
const DOUBT: Duration = Duration::from_secs(1);
/// How often a target that is down is asked at least.
const DOWN: Duration = Duration::from_secs(5);
/// An OPTIONS without an answer after so long is a miss, though its transaction tries on.
const PATIENCE: Duration = Duration::from_secs(4);
/// How long a target that failed a call stands behind the others, if it does not say.
pub const REST: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Calls go there; so many OPTIONS in a row were missed.
    Up(u8),
    /// It was down and has answered so many in a row. It is asked, and gets calls only when there
    /// is no better one.
    HalfOpen(u8),
    /// No call goes there.
    Down,
}

/// How eagerly an address is used; the lower, the sooner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Up.
    Good,
    /// Up, but it has just failed a call.
    Resting,
    /// On its way back.
    Doubtful,
    /// Down.
    Dead,
}

/// What is known of one address.
#[derive(Clone, Copy, Debug)]
pub struct Health {
    state: State,
    rests_until: Option<Instant>,
    next_ping: Option<Instant>,
    /// The OPTIONS that is out, and when it counts as missed.
    ping: Option<(u64, Instant)>,
}

impl Health {
    /// Taken to be up until it has missed enough; asked for the first time at `now`.
    #[must_use]
    pub fn new(watch: Watch, now: Instant) -> Self {
        let next_ping = watch.keepalive.map(|_| now);
        Self { state: State::Up(0), rests_until: None, next_ping, ping: None }
    }

    /// Goes on under other settings. Without OPTIONS there is nothing that could bring it back, so
    /// it is up.
    pub fn renew(&mut self, watch: Watch, now: Instant) {
        match (watch.keepalive, self.next_ping) {
            (None, _) => *self = Self { rests_until: self.rests_until, ..Self::new(watch, now) },
            (Some(_), None) => self.next_ping = Some(now),
            (Some(wait), Some(next)) => self.next_ping = Some(next.min(now + wait)),
        }
    }

    /// How eagerly it is used.
    #[must_use]
    pub fn class(&self, now: Instant) -> Class {
        match self.state {
            State::Up(_) if self.rests_until.is_some_and(|until| now < until) => Class::Resting,
            State::Up(_) => Class::Good,
            State::HalfOpen(_) => Class::Doubtful,
            State::Down => Class::Dead,
        }
    }

    /// When to look at it again: an OPTIONS is due, or one has been out for too long.
    #[must_use]
    pub fn wakes(&self) -> Option<Instant> {
        self.ping.map_or(self.next_ping, |(_, missed)| Some(missed))
    }

    /// Whether an OPTIONS is due at `now`; the one that is sent has this number.
    pub fn ask(&mut self, number: u64, now: Instant) -> bool {
        let due = self.ping.is_none() && self.next_ping.is_some_and(|at| at <= now);
        if due {
            self.ping = Some((number, now + PATIENCE));
        }
        due
    }

    /// Whether the OPTIONS that is out has been out for too long.
    #[must_use]
    pub fn is_overdue(&self, now: Instant) -> bool {
        self.ping.is_some_and(|(_, missed)| missed <= now)
    }

    /// Whether this OPTIONS is the one that is out.
    #[must_use]
    pub fn awaits(&self, number: u64) -> bool {
        self.ping.is_some_and(|(out, _)| out == number)
    }

    /// The OPTIONS that is out was answered or missed. Says when that makes it up or down.
    pub fn pong(&mut self, answered: bool, watch: Watch, now: Instant) -> Option<bool> {
        let was_up = matches!(self.state, State::Up(_));
        self.state = match (self.state, answered) {
            (State::Up(_), true) => State::Up(0),
            (State::Up(missed), false) if missed + 1 < watch.down_after => State::Up(missed + 1),
            (State::Up(_), false) => State::Down,
            (State::Down, true) => Self::returns(1, watch),
            (State::HalfOpen(count), true) => Self::returns(count.saturating_add(1), watch),
            (State::HalfOpen(_) | State::Down, false) => State::Down,
        };
        let wait = watch.keepalive.map(|wait| match self.state {
            State::Up(0) => wait,
            State::Up(_) | State::HalfOpen(_) => wait.min(DOUBT),
            State::Down => wait.min(DOWN),
        });
        self.ping = None;
        self.next_ping = wait.map(|wait| now + wait);
        if answered {
            self.rests_until = None;
        }
        let is_up = matches!(self.state, State::Up(_));
        (is_up != was_up).then_some(is_up)
    }

    const fn returns(answered: u8, watch: Watch) -> State {
        if answered >= watch.up_after { State::Up(0) } else { State::HalfOpen(answered) }
    }

    /// A call failed there: others go first for a while, and its OPTIONS goes out at once.
    pub fn failed(&mut self, rest: Duration, now: Instant) {
        self.rests_until = Some(now + rest);
        if let Some(next) = &mut self.next_ping {
            *next = now.min(*next);
        }
    }

    /// A call was answered there.
    pub const fn served(&mut self) {
        self.rests_until = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WATCH: Watch =
        Watch { keepalive: Some(Duration::from_secs(30)), down_after: 2, up_after: 3 };

    fn told(health: &mut Health, answers: &[bool], now: Instant) -> Vec<Option<bool>> {
        answers.iter().map(|answered| health.pong(*answered, WATCH, now)).collect()
    }

    #[test]
    fn r_17_an_address_is_down_after_n_misses_and_up_after_m_answers() {
        let now = Instant::now();
        let mut health = Health::new(WATCH, now);
        let said = told(&mut health, &[false, true, false, false], now);
        assert_eq!(said, [None, None, None, Some(false)]);
        assert_eq!(health.class(now), Class::Dead);
        let said = told(&mut health, &[true, true, true], now);
        assert_eq!(said, [None, None, Some(true)]);
        assert_eq!(health.class(now), Class::Good);
    }

    #[test]
    fn r_17_one_that_flaps_stays_half_open_and_comes_last() {
        let now = Instant::now();
        let mut health = Health::new(WATCH, now);
        told(&mut health, &[false, false], now);
        for _ in 0..50 {
            assert_eq!(told(&mut health, &[true, true, false], now), [None; 3]);
            assert_eq!(health.class(now), Class::Dead);
        }
        assert_eq!(told(&mut health, &[true], now), [None]);
        assert_eq!(health.class(now), Class::Doubtful);
    }

    #[test]
    fn r_17_a_doubt_is_settled_within_seconds_and_silence_is_a_miss_by_itself() {
        let now = Instant::now();
        let mut health = Health::new(WATCH, now);
        assert!(health.ask(1, now) && !health.ask(2, now) && health.awaits(1));
        assert_eq!(health.wakes(), Some(now + PATIENCE));
        assert!(!health.is_overdue(now) && health.is_overdue(now + PATIENCE));
        health.pong(false, WATCH, now);
        assert_eq!(health.wakes(), Some(now + DOUBT));
        health.pong(false, WATCH, now);
        assert_eq!(health.wakes(), Some(now + DOWN));
        health.pong(true, WATCH, now);
        assert_eq!(health.wakes(), Some(now + DOUBT));
    }

    #[test]
    fn an_address_that_failed_a_call_rests_and_is_asked_at_once() {
        let now = Instant::now();
        let mut health = Health::new(WATCH, now);
        health.pong(true, WATCH, now);
        assert_eq!(health.wakes(), Some(now + Duration::from_secs(30)));
        health.failed(REST, now);
        assert_eq!((health.class(now), health.wakes()), (Class::Resting, Some(now)));
        assert_eq!(health.class(now + REST), Class::Good);
        health.served();
        assert_eq!(health.class(now), Class::Good);
    }

    #[test]
    fn without_options_an_address_is_never_down() {
        let now = Instant::now();
        let quiet = Watch { keepalive: None, ..WATCH };
        let mut health = Health::new(WATCH, now);
        told(&mut health, &[false, false], now);
        health.renew(quiet, now);
        assert_eq!((health.class(now), health.wakes()), (Class::Good, None));
        health.failed(REST, now);
        assert_eq!((health.class(now), health.wakes()), (Class::Resting, None));
        health.renew(WATCH, now);
        assert_eq!(health.wakes(), Some(now));
    }
}
