//! Every history of a call that is left alone, and of a fax that calls, up to a depth.

use call::*;

use crate::{
    chance::{Chance, any_policy, seed},
    depth::{depth, runs},
    exhaustive::search_worlds,
    outbound::RINGING,
    reference::Script,
    support::*,
    world::{Class, World},
};

const AFTER: QuestionAt = QuestionAt::AfterAnswer;
const BEFORE: QuestionAt = QuestionAt::BeforeAnswer;

impl Script<'_> {
    /// Whether a calling tone says that the caller is a fax: who is asked before anybody of the house talks
    /// to them, and can say no.
    pub(super) fn may_be_a_fax(&self) -> bool {
        !self.is_put_through_first() && !self.comes_back && self.can_be_ended()
    }
}

/// A call of one direction that is left alone.
fn left_alone(why: Aside, direction: Direction, asking: Asking) -> World {
    let mut world = World::of(direction, asking);
    world.offer.aside = Some(why);
    world
}

/// Whatever would mean something in another call.
const TALK: [Class; 10] = [
    Class::Fax,
    Class::Confirmed,
    Class::Key('1'),
    Class::Key('*'),
    Class::AgentKey('#'),
    Class::Ask,
    Class::Prepared,
    Class::Committed,
    Class::Deadline,
    Class::HungUp(Party::Customer),
];

#[test]
fn every_history_of_a_call_that_is_left_alone() {
    for (number, why) in Aside::ALL.iter().enumerate() {
        for direction in Direction::ALL {
            let inbound = Inbound::AgentAsks { key: Some(key('#')), times: 2 };
            let policy = || match number % 2 {
                0 => asking(),
                _ => Asking { inbound, outbound: Outbound::HoldBack, ..asking() },
            };
            let world = || left_alone(*why, *direction, policy());
            search_worlds(&world, &[], &RINGING, depth() - 2);
            search_worlds(&world, &[Class::Answered], &TALK, depth() - 2);
        }
    }
}

/// From the answer to the bridge, with a fax at any moment.
const MAIN: [Class; 10] = [
    Class::Fax,
    Class::Confirmed,
    Class::Reported,
    Class::Key('1'),
    Class::Key('9'),
    Class::Deadline,
    Class::Committed,
    Class::Answered,
    Class::Failed(Failure::Busy),
    Class::HungUp(Party::Customer),
];

/// The same while a question waits, and in the call.
const EARLY: [Class; 10] = [
    Class::Fax,
    Class::Progressed,
    Class::Reported,
    Class::Key('9'),
    Class::Deadline,
    Class::Ringing { early_media: true },
    Class::Answered,
    Class::Confirmed,
    Class::Held(Party::Customer, true),
    Class::HungUp(Party::Agent),
];

/// Nothing that a fax began is asked or recorded any more.
const OVER: [Class; 10] = [
    Class::Fax,
    Class::Reported,
    Class::Key('1'),
    Class::Key('*'),
    Class::Ask,
    Class::Prepared,
    Class::Committed,
    Class::Answered,
    Class::Deadline,
    Class::HungUp(Party::Customer),
];

#[test]
fn every_history_in_which_a_fax_calls() {
    for ground in
        [Ground::Consent, Ground::ExplicitConsent, Ground::PublicTask, Ground::LegalObligation]
    {
        for when_recording_fails in [WhenRecordingFails::GoOn, WhenRecordingFails::EndCall] {
            let world = || World::new(Asking { ground, when_recording_fails, ..asking() });
            search_worlds(&world, &[], &MAIN, depth() - 2);
            let asked = [Class::Confirmed, Class::Reported, Class::Fax];
            search_worlds(&world, &asked, &OVER, depth() - 2);
        }
    }
}

#[test]
fn every_history_in_which_a_fax_calls_before_the_answer() {
    for question in [AFTER, BEFORE] {
        for ground in [Ground::Consent, Ground::LegitimateInterest] {
            let notice = EarlyNotice { question, limit: ms(60_000) };
            let world = || World::early(notice, Asking { ground, ..asking() });
            search_worlds(&world, &[], &EARLY, depth() - 2);
            search_worlds(&world, &[Class::Progressed, Class::Reported], &EARLY, depth() - 2);
            let asked = [Class::Progressed, Class::Reported, Class::Answered, Class::Confirmed];
            search_worlds(&world, &asked, &EARLY, depth() - 3);
        }
    }
}

#[test]
fn long_histories_in_which_a_fax_calls() {
    let mut chance = Chance::from_seed(seed());
    let mut faxes = 0;
    for _ in 0..runs(600) {
        let question = [AFTER, BEFORE][chance.below(2)];
        let mut world = World::new(any_policy(&mut chance));
        let notice = EarlyNotice { question, limit: ms(12_000) };
        world.offer.early = (chance.below(2) == 0).then_some(notice);
        let classes: Vec<Class> = [&MAIN[..], &EARLY, &OVER].concat();
        let replay = world.wander(&[], 30, || classes[chance.below(classes.len())]);
        if let Some((_, Seen::Finish(words))) = replay.said.last() {
            faxes += u64::from(words.verdict == Verdict::Fax);
        }
    }
    assert!(faxes > 50, "the runs go somewhere: {faxes}");
}

/// The same in the long lane, one input deeper and many more times.
mod long {
    use crate::depth::deeper;

    #[test]
    fn every_deeper_history_of_a_call_that_is_left_alone() {
        deeper(super::every_history_of_a_call_that_is_left_alone);
    }

    #[test]
    fn every_deeper_history_in_which_a_fax_calls() {
        deeper(super::every_history_in_which_a_fax_calls);
        deeper(super::every_history_in_which_a_fax_calls_before_the_answer);
        deeper(super::long_histories_in_which_a_fax_calls);
    }
}
