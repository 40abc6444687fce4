//! The part of the script in which the customer's own side takes them to somebody outside (flows row
//! T-06), and whatever else may happen meanwhile.

use std::time::Duration;

use call::*;

use crate::{
    choice::Choice,
    depth::depth,
    exhaustive::{BRIDGED, search},
    reference::Script,
    support::{
        Seen::{Connect, Hush, LostSight},
        asking, key, ms,
    },
    word::Stop,
    world::Class,
};

impl Script<'_> {
    fn is_together(&self) -> bool {
        self.log.has_said(Connect(Connection::Bridged)) && !self.closing
    }

    pub(super) fn sent_away(&mut self, within: Option<Duration>) {
        if self.is_together() {
            self.news_until = within.map(|within| self.now + within);
        }
    }

    /// Who is being asked is not any more.
    pub(super) fn house_leaves(&mut self) -> Result<(), Stop> {
        if !self.is_together() {
            return Ok(());
        }
        self.news_until = None;
        self.house_is_out = true;
        if self.asks {
            return Err(Stop::NobodyAsks);
        }
        self.keep_what_is_ours();
        Ok(())
    }

    /// The parties talk, and nobody is asked.
    pub(super) fn go_on_unasked(&mut self) -> Result<(), Stop> {
        let sounding = self.log.anything_sounds();
        self.settle(Choice::Open);
        if sounding {
            self.say(Hush);
        }
        self.keep_what_is_ours();
        loop {
            self.next(None)?;
        }
    }

    /// Whether there were to be news before `at`, and nothing else was to happen before them.
    pub(super) fn news_are_missing(&self, at: Time, until: Option<Time>) -> bool {
        let first =
            |news: Time| [until, self.pause_until].into_iter().flatten().all(|other| news < other);
        self.news_until.is_some_and(|news| news <= at && first(news))
    }

    pub(super) fn lose_sight(&mut self) -> Result<(), Stop> {
        self.now = self.news_until.unwrap_or(self.now);
        self.say(LostSight);
        self.house_leaves()
    }
}

/// A recorded call whose customer is sent to somebody outside, and comes back or does not.
const AWAY: [Class; 10] = [
    Class::SentAway(1_411),
    Class::SentBack,
    Class::HouseLeft,
    Class::Held(Party::Agent, true),
    Class::Held(Party::Agent, false),
    Class::Pause,
    Class::Deadline,
    Class::Wait(1_000),
    Class::Key('*'),
    Class::HungUp(Party::Customer),
];

#[test]
fn every_history_of_a_customer_who_is_sent_away() {
    // News are never missed in the same moment as a pause is.
    let pausing = Pausing { key: Some(key('7')), limit: ms(1_937) };
    let asking = Asking { pausing, agent_cue: true, ..asking() };
    search((Direction::Inbound, &asking), &BRIDGED, &AWAY, depth() - 2);
}

/// A customer who is asked or told in the call, and whom the house leaves.
const LEAVING: [Class; 10] = [
    Class::Ask,
    Class::Prepared,
    Class::Reported,
    Class::Key('1'),
    Class::Key('*'),
    Class::SentAway(1_411),
    Class::HouseLeft,
    Class::Deadline,
    Class::Committed,
    Class::HungUp(Party::Agent),
];

#[test]
fn l_51_every_history_of_a_house_that_leaves_while_it_asks() {
    for ground in [
        Ground::Consent,
        Ground::ExplicitConsent,
        Ground::LegitimateInterest,
        Ground::LegalObligation,
    ] {
        let when_recording_fails = WhenRecordingFails::EndCall;
        let agent_asks = Outbound::AgentAsks { key: None, times: 2 };
        for outbound in [agent_asks, Outbound::Join] {
            let asking = Asking { ground, when_recording_fails, outbound, ..asking() };
            search((Direction::Outbound, &asking), &[Class::Answered], &LEAVING, depth() - 2);
        }
    }
}

/// The same in the long lane, one input deeper and many more times.
mod long {
    use crate::depth::deeper;

    #[test]
    fn every_deeper_history_of_a_customer_who_is_sent_away() {
        deeper(super::every_history_of_a_customer_who_is_sent_away);
        deeper(super::l_51_every_history_of_a_house_that_leaves_while_it_asks);
    }
}
