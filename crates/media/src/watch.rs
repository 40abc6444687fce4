//! Whether each party of a bridged call is heard while the other one is: one-way audio, noticed while the
//! call is up. And whether a customer can be heard at all while they are asked.

use std::time::Duration;

use call::{Party, Time, Unheard};

use crate::leg::Dropped;

/// Who has sent something this lately is there. A call in which neither is, is dead and not one-way (row
/// B-33).
const PRESENT: Duration = Duration::from_secs(1);

/// What a packet that goes nowhere says about its sender; `None` when the sender is heard.
const fn cause(dropped: Dropped) -> Option<Unheard> {
    match dropped {
        Dropped::Foreign => Some(Unheard::Elsewhere),
        Dropped::UnknownFormat | Dropped::StrayEvent => Some(Unheard::UnknownFormat),
        Dropped::Unauthentic | Dropped::Replayed => Some(Unheard::Unauthentic),
        Dropped::Malformed => Some(Unheard::Malformed),
        Dropped::NoRemote
        | Dropped::Report
        | Dropped::NotConnected
        | Dropped::Withheld
        | Dropped::NotHeard
        | Dropped::Late => None,
    }
}

/// One party.
#[derive(Clone, Copy, Debug)]
struct Side {
    /// When it was last heard, or could first have been.
    since: Time,
    /// It has said by comfort noise that it sends nothing for now.
    rests: bool,
    /// The alarm has been raised.
    raised: bool,
    /// What has come of it since that was of no use, by cause.
    useless: [u32; 5],
    /// The last cause, and for how long it was not heard in all.
    total: Option<(Unheard, Duration)>,
}

/// Who should be heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Nobody need be: they are not connected, or one holds the other.
    Nobody,
    /// The customer, who is asked: silence is no fault, but what comes should come from where it was said.
    Customer,
    /// Either party, as long as the other one is there.
    Both,
}

/// Both parties of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watch {
    /// How long a party may be missing; `None` is for ever.
    limit: Option<Duration>,
    expected: Expected,
    sides: [Side; 2],
    /// Not to be looked at before.
    look_at: Time,
}

const PARTIES: [Party; 2] = [Party::Customer, Party::Agent];

impl Watch {
    pub(crate) const fn new(now: Time) -> Self {
        let side = Side { since: now, rests: false, raised: false, useless: [0; 5], total: None };
        Self { limit: None, expected: Expected::Nobody, sides: [side; 2], look_at: now }
    }

    pub(crate) const fn limit(&mut self, limit: Option<Duration>) {
        self.limit = limit;
    }

    const fn side(&mut self, party: Party) -> &mut Side {
        let [customer, agent] = &mut self.sides;
        match party {
            Party::Customer => customer,
            Party::Agent => agent,
        }
    }

    /// Descriptions or connection have changed: from now on these should be heard. An alarm stays until
    /// the party is heard or the parties are parted.
    pub(crate) fn changed(&mut self, now: Time, expected: Expected, parted: bool) {
        self.expected = expected;
        for side in &mut self.sides {
            if parted && side.raised {
                side.over(now);
            }
            if !side.raised {
                (side.since, side.useless) = (now, [0; 5]);
            }
            side.rests = false;
        }
    }

    /// A party sent something that is of use. How long it was missing, if that was told.
    pub(crate) fn heard(&mut self, now: Time, party: Party, rests: bool) -> Option<Duration> {
        let side = self.side(party);
        let missing = side.raised.then(|| now.since(side.since));
        if side.raised {
            side.over(now);
        }
        (side.since, side.rests, side.useless) = (now, rests, [0; 5]);
        missing
    }

    /// Whether a party has said that it sends nothing for now: then nothing is waited for.
    pub(crate) const fn rests(&mut self, party: Party) -> bool {
        self.side(party).rests
    }

    /// A party sent something that is of no use.
    pub(crate) fn dropped(&mut self, party: Party, dropped: Dropped) {
        if let Some(cause) = cause(dropped)
            && let Some(count) = self.side(party).useless.get_mut(cause as usize)
        {
            *count = count.saturating_add(1);
        }
    }

    /// When there is something to look at.
    pub(crate) fn due(&self) -> Option<Time> {
        let limit = self.limit?;
        let [customer, agent] = &self.sides;
        let waits = |side: &&Side| !side.raised && !side.rests;
        let since = match self.expected {
            Expected::Nobody => None,
            Expected::Customer => Some(customer).filter(waits).map(|side| side.since),
            Expected::Both => [customer, agent].into_iter().filter(waits).map(|it| it.since).min(),
        };
        Some((since? + limit).max(self.look_at))
    }

    /// The party that is not heard any more while the other one is, why, and for how long: once.
    pub(crate) fn take(&mut self, now: Time) -> Option<(Party, Unheard, Duration)> {
        let limit = self.limit.filter(|_| self.due().is_some_and(|due| due <= now))?;
        for party in PARTIES {
            let counts = self.counts(now, party);
            let side = self.side(party);
            let missing = now.since(side.since);
            if counts && missing >= limit && !side.raised && !side.rests {
                side.raised = true;
                let cause = side.cause();
                side.total = Some((cause, side.total.map_or(Duration::ZERO, |(_, time)| time)));
                return Some((party, cause, missing));
            }
        }
        // Neither is there, and the other one may come back first; or nothing has come of the customer.
        self.look_at = now + PRESENT;
        None
    }

    /// Whether it is a fault that a party is not heard.
    fn counts(&mut self, now: Time, party: Party) -> bool {
        match self.expected {
            Expected::Nobody => false,
            Expected::Customer => {
                party == Party::Customer && self.side(party).cause() == Unheard::Elsewhere
            }
            Expected::Both => {
                let other = self.side(party.other());
                other.rests || now.since(other.since) < PRESENT
            }
        }
    }

    /// The last cause for which a party was not heard, and for how long in all.
    pub(crate) fn total(&self, party: Party) -> Option<(Unheard, Duration)> {
        let [customer, agent] = &self.sides;
        match party {
            Party::Customer => customer.total,
            Party::Agent => agent.total,
        }
    }
}

impl Side {
    /// What has come most.
    fn cause(&self) -> Unheard {
        let counted = Unheard::ALL.iter().copied().zip(self.useless);
        let most = counted.filter(|(_, count)| *count > 0).max_by_key(|(_, count)| *count);
        most.map_or(Unheard::Silent, |(cause, _)| cause)
    }

    /// It was missing until now.
    fn over(&mut self, now: Time) {
        self.raised = false;
        if let Some((_, total)) = &mut self.total {
            *total += now.since(self.since);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    fn at(ms: u64) -> Time {
        Time::from_micros(ms * 1_000)
    }

    fn watch() -> Watch {
        let mut watch = Watch::new(at(0));
        watch.limit(Some(LIMIT));
        watch.changed(at(0), Expected::Both, false);
        watch
    }

    /// The agent speaks until `end`; what is told until then.
    fn speaks(watch: &mut Watch, from: u64, end: u64) -> Vec<(u64, Party, Unheard)> {
        let mut told = Vec::new();
        for ms in (from..end).step_by(20) {
            watch.heard(at(ms), Party::Agent, false);
            while let Some((party, cause, missing)) = watch.take(at(ms)) {
                assert!(missing >= LIMIT, "{missing:?}");
                told.push((ms, party, cause));
            }
            assert!(watch.due().is_none_or(|due| due > at(ms)), "a worker would spin");
        }
        told
    }

    #[test]
    fn a_party_that_is_missing_while_the_other_speaks_is_told_once_and_so_is_its_return() {
        let mut watch = watch();
        assert_eq!(speaks(&mut watch, 0, 30_000), [(10_000, Party::Customer, Unheard::Silent)]);
        assert_eq!(watch.heard(at(30_000), Party::Customer, false), Some(Duration::from_secs(30)));
        assert_eq!(watch.heard(at(30_020), Party::Customer, false), None);
        let again = speaks(&mut watch, 30_040, 41_000);
        assert_eq!(again, [(40_020, Party::Customer, Unheard::Silent)]);
        watch.changed(at(42_020), Expected::Nobody, true);
        let total = watch.total(Party::Customer).unwrap();
        assert_eq!(total, (Unheard::Silent, Duration::from_secs(42)));
        assert_eq!(watch.total(Party::Agent), None);
    }

    #[test]
    fn what_came_instead_is_the_cause() {
        for (dropped, cause) in [
            (Dropped::Foreign, Unheard::Elsewhere),
            (Dropped::UnknownFormat, Unheard::UnknownFormat),
            (Dropped::StrayEvent, Unheard::UnknownFormat),
            (Dropped::Unauthentic, Unheard::Unauthentic),
            (Dropped::Replayed, Unheard::Unauthentic),
            (Dropped::Malformed, Unheard::Malformed),
            (Dropped::Late, Unheard::Silent),
        ] {
            let mut watch = watch();
            watch.dropped(Party::Customer, Dropped::Malformed);
            watch.heard(at(0), Party::Customer, false);
            for _ in 0..3 {
                watch.dropped(Party::Customer, dropped);
            }
            let told = speaks(&mut watch, 0, 11_000);
            assert_eq!(told, [(10_000, Party::Customer, cause)], "{dropped:?}");
        }
        assert!(Unheard::ALL.iter().enumerate().all(|(place, cause)| *cause as usize == place));
    }

    #[test]
    fn s_02_a_customer_who_is_asked_is_told_of_when_all_that_comes_is_from_elsewhere() {
        let asked = |from: u64, drop: Option<Dropped>| {
            let mut watch = watch();
            watch.changed(at(from), Expected::Customer, false);
            let mut told = Vec::new();
            for ms in (from..from + 30_000).step_by(20) {
                if let Some(dropped) = drop {
                    watch.dropped(Party::Customer, dropped);
                    watch.dropped(Party::Agent, dropped);
                }
                told.extend(watch.take(at(ms)));
                assert!(watch.due().is_none_or(|due| due > at(ms)), "a worker would spin");
            }
            (watch, told)
        };
        let (mut watch, told) = asked(5_000, Some(Dropped::Foreign));
        assert_eq!(told, [(Party::Customer, Unheard::Elsewhere, LIMIT)]);
        // It stays so when the parties are connected, and is over when the customer is heard.
        watch.changed(at(35_000), Expected::Both, false);
        assert_eq!(speaks(&mut watch, 35_000, 60_000), []);
        assert_eq!(watch.heard(at(60_000), Party::Customer, false), Some(Duration::from_secs(55)));
        // Who says nothing, or waits for an answer to their keys, need not be heard.
        assert_eq!(asked(0, None).1, []);
        assert_eq!(asked(0, Some(Dropped::NotConnected)).1, []);
        // A single packet from where it was said is enough to hear the customer.
        let mut heard = Watch::new(at(0));
        heard.limit(Some(LIMIT));
        heard.changed(at(0), Expected::Customer, false);
        for ms in (0..30_000).step_by(20) {
            heard.dropped(Party::Customer, Dropped::Foreign);
            if ms % 5_000 == 0 {
                assert_eq!(heard.heard(at(ms), Party::Customer, false), None);
            }
            assert_eq!(heard.take(at(ms)), None);
        }
    }

    #[test]
    fn a_call_in_which_neither_sends_is_dead_and_not_one_way() {
        let mut watch = watch();
        speaks(&mut watch, 0, 500);
        let mut looks = 0;
        for ms in 0..60_000 {
            if watch.due().is_some_and(|due| due <= at(ms)) {
                assert_eq!(watch.take(at(ms)), None);
                looks += 1;
            }
        }
        assert!((45..=52).contains(&looks), "{looks} looks");
        assert_eq!(
            speaks(&mut watch, 60_000, 61_500),
            [(60_000, Party::Customer, Unheard::Silent)]
        );
    }

    #[test]
    fn who_rests_by_comfort_noise_who_is_held_and_who_need_not_be_watched_is_not_missing() {
        let mut resting = watch();
        resting.heard(at(0), Party::Customer, true);
        assert_eq!(speaks(&mut resting, 0, 60_000), []);
        // And it is there, so that the other one can be missed.
        assert_eq!(
            resting.take(at(80_000)),
            Some((Party::Agent, Unheard::Silent, at(80_000).since(at(59_980))))
        );
        let mut held = watch();
        held.changed(at(5_000), Expected::Nobody, false);
        assert_eq!(speaks(&mut held, 0, 60_000), []);
        held.changed(at(60_000), Expected::Both, false);
        assert_eq!(speaks(&mut held, 60_000, 69_000), [], "it has its time again");
        let mut never = watch();
        never.limit(None);
        assert_eq!((speaks(&mut never, 0, 60_000), never.due()), (Vec::new(), None));
    }
}
