//! The part of the script in which the customer's own side takes them to somebody outside (flows row
//! T-06), and whatever else may happen meanwhile.

use std::time::Duration;

use call::*;

use crate::{
    depth::depth,
    exhaustive::{BRIDGED, search},
    reference::Script,
    support::{
        Seen::{Connect, LostSight},
        asking, key, ms,
    },
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

    pub(super) fn house_leaves(&mut self) {
        if self.is_together() {
            self.news_until = None;
            self.house_is_out = true;
        }
    }

    /// Whether there were to be news before `at`, and nothing else was to happen before them.
    pub(super) fn news_are_missing(&self, at: Time, until: Option<Time>) -> bool {
        let first =
            |news: Time| [until, self.pause_until].into_iter().flatten().all(|other| news < other);
        self.news_until.is_some_and(|news| news <= at && first(news))
    }

    pub(super) fn lose_sight(&mut self) {
        self.now = self.news_until.unwrap_or(self.now);
        self.say(LostSight);
        self.house_leaves();
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
pub(crate) fn every_history_of_a_customer_who_is_sent_away() {
    // News are never missed in the same moment as a pause is.
    let pausing = Pausing { key: Some(key('7')), limit: ms(1_937) };
    let asking = Asking { pausing, ..asking() };
    search((Direction::Inbound, &asking), &BRIDGED, &AWAY, depth() - 2);
}
