//! Every history of a call that the PBX starts, up to a depth, and long ones drawn from a seed.

use call::*;

use crate::{
    chance::{Chance, any_policy, seed},
    depth::{depth, runs},
    exhaustive::{RECORDED, search},
    support::*,
    world::{Class, World},
};

const OUT: Direction = Direction::Outbound;

fn agent_asks(times: u8) -> Asking {
    Asking { outbound: Outbound::AgentAsks { key: Some(key('#')), times }, ..asking() }
}

fn of(outbound: Outbound) -> Asking {
    Asking { outbound, ..asking() }
}

/// From the answer of the customer to a decision and its recording.
pub(crate) const MAIN: [Class; 10] = [
    Class::AgentKey('#'),
    Class::Prepared,
    Class::Reported,
    Class::Key('1'),
    Class::Key('2'),
    Class::Deadline,
    Class::Committed,
    Class::AgentKey('1'),
    Class::HungUp(Party::Customer),
    Class::HungUp(Party::Agent),
];

/// The question in full.
pub(crate) const DIALOGUE: [Class; 10] = [
    Class::Reported,
    Class::Faulted,
    Class::Key('1'),
    Class::Key('*'),
    Class::Key('5'),
    Class::Key('9'),
    Class::Deadline,
    Class::Held(Party::Customer, true),
    Class::Held(Party::Customer, false),
    Class::AgentKey('#'),
];

/// The way to the customer.
pub(crate) const RINGING: [Class; 10] = [
    Class::Ringing { early_media: false },
    Class::Ringing { early_media: true },
    Class::Answered,
    Class::Failed(Failure::Busy),
    Class::Deadline,
    Class::Ask,
    Class::Key('1'),
    Class::HungUp(Party::Customer),
    Class::HungUp(Party::Agent),
    Class::Stop,
];

/// The customer alone, while the agent hears ringing.
const ALONE: [Class; 10] = [
    Class::Confirmed,
    Class::Reported,
    Class::Key('1'),
    Class::Key('2'),
    Class::Key('*'),
    Class::Deadline,
    Class::Committed,
    Class::HungUp(Party::Customer),
    Class::HungUp(Party::Agent),
    Class::Stop,
];

/// Asked in vain, and perhaps asked again.
pub(crate) const AGAIN: [Class; 10] = [
    Class::Ask,
    Class::Prepared,
    Class::NotPrepared,
    Class::Reported,
    Class::Key('1'),
    Class::Key('2'),
    Class::Key('*'),
    Class::Deadline,
    Class::CommitFailed,
    Class::Committed,
];

const RECORDING: [Class; 6] = [
    Class::Answered,
    Class::Ask,
    Class::Prepared,
    Class::Reported,
    Class::Key('1'),
    Class::Committed,
];

/// A call on its way to being recorded, on any ground.
pub(crate) const fn recorded(ground: Ground) -> &'static [Class] {
    match ground {
        Ground::ExplicitConsent => &[
            Class::Answered,
            Class::Ask,
            Class::Prepared,
            Class::Reported,
            Class::Key('1'),
            Class::Reported,
            Class::Key('1'),
            Class::Committed,
        ],
        Ground::Consent => &RECORDING,
        _ => &[Class::Answered, Class::Ask, Class::Prepared, Class::Reported, Class::Committed],
    }
}

#[test]
fn every_history_in_which_the_agent_asks() {
    search((OUT, &agent_asks(1)), &[Class::Answered], &MAIN, depth() - 1);
}

#[test]
fn every_history_of_a_question_in_the_call() {
    let begun = [Class::Answered, Class::AgentKey('#'), Class::Prepared];
    for confirm in [Confirm::First, Confirm::Off] {
        let asking = Asking { confirm, repeats: 2, ..agent_asks(2) };
        search((OUT, &asking), &begun, &DIALOGUE, depth() - 2);
    }
    search((OUT, &of(Outbound::Join)), &[Class::Answered], &DIALOGUE, depth() - 2);
}

#[test]
fn every_history_before_the_customer_answers() {
    for asking in [agent_asks(1), of(Outbound::Join), of(Outbound::HoldBack)] {
        search((OUT, &asking), &[], &RINGING, depth() - 2);
    }
}

#[test]
fn every_history_of_an_agent_who_is_held_back() {
    for early_media in [false, true] {
        let alone = [Class::Ringing { early_media }, Class::Answered];
        for confirm in [Confirm::First, Confirm::WhileRinging, Confirm::Off] {
            let asking = Asking { confirm, ..of(Outbound::HoldBack) };
            search((OUT, &asking), &alone, &ALONE, depth() - 2);
        }
    }
}

#[test]
fn every_history_of_a_customer_who_is_asked_again() {
    let silent = [Class::Answered, Class::Ask, Class::Prepared, Class::Deadline];
    search((OUT, &agent_asks(2)), &silent, &AGAIN, depth() - 1);
    search((OUT, &agent_asks(2)), &[Class::Answered], &AGAIN, depth() - 2);
}

#[test]
fn every_history_of_a_recorded_call_that_the_pbx_started() {
    for on_withdraw in [OnWithdraw::Erase, OnWithdraw::Stop] {
        let asking = Asking { on_withdraw, ..agent_asks(1) };
        search((OUT, &asking), &RECORDING, &RECORDED, depth() - 2);
    }
}

/// Inputs in the proportion in which they take a call somewhere.
const ANYTHING: [Class; 44] = [
    Class::Reported,
    Class::Reported,
    Class::Reported,
    Class::Reported,
    Class::Reported,
    Class::Faulted,
    Class::Deadline,
    Class::Deadline,
    Class::Wait(10),
    Class::Wait(700),
    Class::Wait(5_000),
    Class::Key('1'),
    Class::Key('1'),
    Class::Key('1'),
    Class::Key('2'),
    Class::Key('*'),
    Class::Key('5'),
    Class::Key('9'),
    Class::AgentKey('1'),
    Class::AgentKey('#'),
    Class::AgentKey('#'),
    Class::Ask,
    Class::Prepared,
    Class::Prepared,
    Class::Prepared,
    Class::NotPrepared,
    Class::Committed,
    Class::Committed,
    Class::CommittedOther,
    Class::Ringing { early_media: false },
    Class::Ringing { early_media: true },
    Class::Answered,
    Class::Answered,
    Class::Answered,
    Class::Confirmed,
    Class::Held(Party::Customer, true),
    Class::Held(Party::Customer, false),
    Class::Held(Party::Agent, true),
    Class::Held(Party::Agent, false),
    Class::TapCut,
    Class::Degraded,
    Class::Closed { done: true, millis: 700 },
    Class::Closed { done: true, millis: 0 },
    Class::Closed { done: false, millis: 700 },
];

const RARE: [Class; 7] = [
    Class::Stop,
    Class::CommitFailed,
    Class::RecorderFailed,
    Class::Failed(Failure::Busy),
    Class::Failed(Failure::Rejected(603)),
    Class::HungUp(Party::Customer),
    Class::HungUp(Party::Agent),
];

fn draw(chance: &mut Chance) -> Class {
    match chance.below(25) {
        0 => RARE[chance.below(RARE.len())],
        _ => ANYTHING[chance.below(ANYTHING.len())],
    }
}

#[test]
fn long_histories_of_calls_that_are_put_through_first() {
    let mut chance = Chance::from_seed(seed());
    let mut verdicts = [0_u64; 5];
    for _ in 0..runs(700) {
        let outbound = [
            Outbound::AgentAsks { key: Some(key('#')), times: 1 },
            Outbound::AgentAsks { key: Some(key('#')), times: 3 },
            Outbound::AgentAsks { key: None, times: 0 },
            Outbound::Join,
            Outbound::HoldBack,
        ];
        let outbound = outbound[chance.below(outbound.len())];
        let policy = Asking { outbound, ..any_policy(&mut chance) };
        let world = match (outbound, chance.below(2)) {
            (Outbound::AgentAsks { key, times }, 0) => {
                let inbound = Inbound::AgentAsks { key, times };
                World::of(Direction::Inbound, Asking { inbound, ..policy })
            }
            _ => World::of(OUT, policy),
        };
        // Half of the runs start where chance alone seldom comes.
        let asks = matches!(outbound, Outbound::AgentAsks { times: 1.., .. });
        let start =
            if asks && chance.below(4) > 0 { recorded(world.asking.ground) } else { &[][..] };
        let replay = world.wander(start, 45, || draw(&mut chance));
        if let Some((_, Seen::Finish(words))) = replay.said.last() {
            match words.verdict {
                Verdict::Recorded => verdicts[0] += 1,
                Verdict::Withdrawn => verdicts[1] += 1,
                Verdict::Refused => verdicts[2] += 1,
                Verdict::PolicyOff => verdicts[3] += 1,
                _ => verdicts[4] += 1,
            }
        }
    }
    assert!(verdicts.iter().all(|times| *times > 10), "the runs go somewhere: {verdicts:?}");
}

/// The same in the long lane, one input deeper and many more times.
mod long {
    use crate::depth::deeper;

    #[test]
    fn every_deeper_history_of_a_call_that_the_pbx_started() {
        deeper(super::every_history_in_which_the_agent_asks);
        deeper(super::every_history_of_a_question_in_the_call);
        deeper(super::every_history_before_the_customer_answers);
        deeper(super::every_history_of_an_agent_who_is_held_back);
        deeper(super::every_history_of_a_customer_who_is_asked_again);
        deeper(super::every_history_of_a_recorded_call_that_the_pbx_started);
    }

    #[test]
    fn many_more_long_histories() {
        deeper(super::long_histories_of_calls_that_are_put_through_first);
    }
}
