//! Time as a table: the RFC's intervals, the alarms of one owner, and the agenda over all owners.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// The base intervals of RFC 3261 §17.1.1.1 and table 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timers {
    /// Estimated round trip: first retransmission interval.
    pub t1: Duration,
    /// Longest retransmission interval of non-INVITE requests and INVITE responses.
    pub t2: Duration,
    /// Longest life of a message in the network.
    pub t4: Duration,
}

impl Default for Timers {
    fn default() -> Timers {
        Timers {
            t1: Duration::from_millis(500),
            t2: Duration::from_secs(4),
            t4: Duration::from_secs(5),
        }
    }
}

impl Timers {
    /// 64*T1: timers B, F, H, J, L and M.
    pub fn patience(&self) -> Duration {
        self.t1 * 64
    }

    /// Timer D: at least 32 s over UDP (RFC 3261 §17.1.1.2).
    pub(crate) fn linger(&self) -> Duration {
        self.patience().max(Duration::from_secs(32))
    }

    /// The interval after this one: double, but at most T2.
    pub(crate) fn longer(&self, interval: Duration) -> Duration {
        (interval * 2).min(self.t2)
    }
}

/// What an alarm is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alarm {
    /// Send the last message again (timers A, E, G; the 2xx of §13.3.1.4).
    Retransmit,
    /// Nobody answers (timers B, F, H; 64*T1 for the ACK).
    GiveUp,
    /// Stop absorbing retransmissions (timers D, I, J, K, L, M).
    Linger,
    /// Offer again after a crossing (RFC 3261 §14.1).
    Offer,
    /// Repeat a provisional response, lest a proxy on the way loses patience (§13.3.1.1).
    Refresh,
    /// The INVITE is no longer wanted (its Expires, §13.3.1).
    Expire,
    /// Refresh the session (RFC 4028 §10).
    Renew,
    /// Nobody has refreshed it.
    Lapse,
}

const ALARMS: [Alarm; 8] = [
    Alarm::Retransmit,
    Alarm::GiveUp,
    Alarm::Linger,
    Alarm::Offer,
    Alarm::Refresh,
    Alarm::Expire,
    Alarm::Renew,
    Alarm::Lapse,
];

/// The deadlines of one owner.
#[derive(Debug, Clone)]
pub(crate) struct Alarms<const KINDS: usize>([Option<Instant>; KINDS]);

/// The alarms of a leg: it knows every kind.
pub(crate) type LegAlarms = Alarms<{ ALARMS.len() }>;
/// Those of a transaction, of which there are many: it knows the first three kinds only.
pub(crate) type FewAlarms = Alarms<3>;

impl<const KINDS: usize> Default for Alarms<KINDS> {
    fn default() -> Self {
        Alarms([None; KINDS])
    }
}

impl<const KINDS: usize> Alarms<KINDS> {
    pub(crate) fn set(&mut self, alarm: Alarm, at: Instant) {
        self.put(alarm, Some(at));
    }

    pub(crate) fn stop(&mut self, alarm: Alarm) {
        self.put(alarm, None);
    }

    pub(crate) fn clear(&mut self) {
        *self = Alarms::default();
    }

    fn put(&mut self, alarm: Alarm, at: Option<Instant>) {
        if let Some(slot) = self.0.get_mut(alarm as usize) {
            *slot = at;
        }
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.iter().flatten().min().copied()
    }

    /// Takes the earliest alarm that is due.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Alarm> {
        let due =
            |alarm: &Alarm| self.0.get(*alarm as usize).copied().flatten().filter(|at| *at <= now);
        let alarm = ALARMS.into_iter().filter_map(|alarm| due(&alarm).map(|at| (at, alarm)));
        let alarm = alarm.min_by_key(|(at, _)| *at).map(|(_, alarm)| alarm)?;
        self.stop(alarm);
        Some(alarm)
    }
}

/// The next deadline of every owner, in order.
#[derive(Debug)]
pub(crate) struct Agenda<K> {
    order: BTreeSet<(Instant, K)>,
    filed: BTreeMap<K, Instant>,
}

impl<K: Copy + Ord> Agenda<K> {
    pub(crate) fn new() -> Agenda<K> {
        Agenda { order: BTreeSet::new(), filed: BTreeMap::new() }
    }

    /// Files an owner's next deadline, or takes the owner off.
    pub(crate) fn file(&mut self, owner: K, at: Option<Instant>) {
        if let Some(old) = self.filed.remove(&owner) {
            self.order.remove(&(old, owner));
        }
        if let Some(at) = at {
            self.filed.insert(owner, at);
            self.order.insert((at, owner));
        }
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.order.first().map(|(at, _)| *at)
    }

    /// An owner whose deadline has come.
    pub(crate) fn due(&self, now: Instant) -> Option<K> {
        self.order.first().filter(|(at, _)| *at <= now).map(|(_, owner)| *owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_alarm_that_is_due_comes_first_and_once() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut alarms = LegAlarms::default();
        alarms.set(Alarm::Linger, at(5));
        alarms.set(Alarm::Retransmit, at(9));
        alarms.set(Alarm::GiveUp, at(20));
        assert_eq!(alarms.next(), Some(at(5)));
        assert_eq!(alarms.take_due(at(10)), Some(Alarm::Linger));
        assert_eq!(alarms.take_due(at(10)), Some(Alarm::Retransmit));
        assert_eq!(alarms.take_due(at(10)), None);
        assert_eq!(alarms.next(), Some(at(20)));
    }

    #[test]
    fn an_owner_is_on_the_agenda_once() {
        let start = Instant::now();
        let mut agenda = Agenda::new();
        agenda.file(1, Some(start + Duration::from_secs(1)));
        agenda.file(2, Some(start + Duration::from_secs(2)));
        agenda.file(1, Some(start + Duration::from_secs(3)));
        assert_eq!(agenda.due(start + Duration::from_secs(2)), Some(2));
        agenda.file(2, None);
        assert_eq!(agenda.due(start + Duration::from_secs(2)), None);
        assert_eq!(agenda.next(), Some(start + Duration::from_secs(3)));
    }
}
