//! The part of the script in which the house pauses a recording (flows row D-25).

use call::*;

use crate::{
    depth::depth,
    exhaustive::{BRIDGED, search},
    log::Entry::Said,
    reference::Script,
    support::{
        Seen::{self, *},
        asking, key, ms,
    },
    world::Class,
};

impl Script<'_> {
    fn is_recording(&self) -> bool {
        self.log.chapter().is_recording()
    }

    /// The agent's key, where there is one, is the house's from now on.
    pub(super) fn let_pause(&mut self) {
        if let Some(key) = self.asking.pausing.key {
            self.say(ArmPause(key));
            self.say(Keep(Party::Agent, Kept::One(key)));
        }
    }

    /// A recording that has ended cannot be paused, and the key is given back to who talks on.
    pub(super) fn pause_no_more(&mut self) {
        let one = self.log.chapter();
        if !one.is_permitted() || one.ends() == 0 {
            return;
        }
        self.pause_until = None;
        let given = Keep(Party::Agent, Kept::Nothing);
        let last = self.log.last_said(|seen| matches!(seen, Keep(Party::Agent, _)));
        let talks_on = !self.closing && self.failure.is_none();
        if self.asking.pausing.key.is_some() && talks_on && last != Some(given) {
            self.say(given);
        }
    }

    pub(super) fn pause(&mut self, by: Hand) {
        if self.is_recording() {
            self.pause_until = Some(self.now + self.asking.pausing.limit);
            self.say(Paused(by));
        }
    }

    pub(super) fn resume(&mut self, by: Hand) {
        if self.pause_until.take().is_some() {
            self.say(Resumed(by));
        }
    }

    pub(super) fn toggles(&mut self, pressed: Key) {
        if self.asking.pausing.key != Some(pressed) {
        } else if self.pause_until.is_some() {
            self.resume(Hand::Agent);
        } else {
            self.pause(Hand::Agent);
        }
    }

    /// Whether nobody ended the pause before `at`, and the story has nothing earlier to tell.
    pub(super) fn pause_is_forgotten(&self, at: Time, until: Option<Time>) -> bool {
        self.pause_until.is_some_and(|pause| pause <= at && until.is_none_or(|until| pause < until))
    }

    pub(super) fn left_paused(&mut self) {
        self.now = self.pause_until.unwrap_or(self.now);
        self.resume(Hand::Limit);
        self.say(LeftPaused);
    }

    /// Says what the tap ought to do by now, if it does something else.
    pub(super) fn keep_silence(&mut self) {
        let held = self.log.anybody_holds() || self.news_until.is_some();
        let now = match (self.pause_until, held, self.log.lacks_an_agent()) {
            (Some(_), _, _) => Silence,
            (None, true, _) => Pause,
            (None, false, true) => Alone,
            (None, false, false) => Resume,
        };
        let told =
            self.log.chapter().last_said(|seen| matches!(seen, Silence | Pause | Alone | Resume));
        if told.unwrap_or(Resume) != now {
            self.say(now);
        }
    }
}

impl Script<'_> {
    /// Tells the agent whether they are recorded, if they were told something else. Nobody of the house hears
    /// anything after it has left.
    pub(super) fn cue(&mut self) {
        let talks = self.log.has_said(Connect(Connection::Bridged)) && !self.is_apart();
        if !talks || self.house_is_out || !self.asking.agent_cue {
            return;
        }
        let one = self.log.chapter();
        let listens = one.is_begun() && one.ends() == 0;
        let recorded = listens && self.pause_until.is_none() && !self.log.lacks_an_agent();
        let told = self.log.last_said(|seen| matches!(seen, Cue(_)));
        if recorded != (told == Some(Cue(call::Cue::Begins))) {
            self.say(Cue(if recorded { call::Cue::Begins } else { call::Cue::Ends }));
        }
    }
}

impl crate::log::Log {
    /// The last of these that was said.
    fn last_said(&self, wanted: impl Fn(&Seen) -> bool) -> Option<Seen> {
        self.entries().rev().find_map(|entry| match entry {
            Said(seen) if wanted(seen) => Some(*seen),
            _ => None,
        })
    }
}

/// A recorded call that is paused and goes on, by whomever.
const PAUSED: [Class; 10] = [
    Class::Pause,
    Class::Resume,
    Class::AgentKey('7'),
    Class::Held(Party::Agent, true),
    Class::Held(Party::Agent, false),
    Class::Deadline,
    Class::Wait(1_000),
    Class::Key('*'),
    Class::RecorderFailed,
    Class::HungUp(Party::Customer),
];

#[test]
fn every_history_of_a_recording_that_is_paused() {
    for pause_key in [None, Some(key('7'))] {
        // A pause never ends in the same moment as anything else.
        let pausing = Pausing { key: pause_key, limit: ms(1_937) };
        let asking = Asking { pausing, agent_cue: true, ..asking() };
        search((Direction::Inbound, &asking), &BRIDGED, &PAUSED, depth() - 2);
    }
}

/// The same in the long lane, one input deeper and many more times.
mod long {
    use crate::depth::deeper;

    #[test]
    fn every_deeper_history_of_a_recording_that_is_paused() {
        deeper(super::every_history_of_a_recording_that_is_paused);
    }
}
