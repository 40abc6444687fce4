//! Every history of a call with its notice before the answer, up to a depth, and long ones drawn
//! from a seed.

use call::*;

use crate::{
    chance::{Chance, any_policy, seed},
    depth::{depth, runs},
    exhaustive::search_worlds,
    support::*,
    world::{Class, World},
};

const AFTER: QuestionAt = QuestionAt::AfterAnswer;
const BEFORE: QuestionAt = QuestionAt::BeforeAnswer;

fn world(question: QuestionAt, limit_ms: u64, asking: Asking) -> World {
    World::early(EarlyNotice { question, limit: ms(limit_ms) }, asking)
}

/// From the 183 to the bridge, and away again.
const MAIN: [Class; 10] = [
    Class::Progressed,
    Class::Reported,
    Class::Key('1'),
    Class::Key('2'),
    Class::Deadline,
    Class::Answered,
    Class::Confirmed,
    Class::Failed(Failure::Busy),
    Class::HungUp(Party::Customer),
    Class::Committed,
];

/// While the PBX rings and the question waits.
const RINGING: [Class; 10] = [
    Class::Key('1'),
    Class::Key('*'),
    Class::Key('5'),
    Class::Deadline,
    Class::Reported,
    Class::Ringing { early_media: true },
    Class::Answered,
    Class::Confirmed,
    Class::Held(Party::Customer, true),
    Class::Stop,
];

/// The question in the call.
const QUESTION: [Class; 10] = [
    Class::Reported,
    Class::Key('1'),
    Class::Key('2'),
    Class::Key('9'),
    Class::Key('5'),
    Class::Deadline,
    Class::Held(Party::Customer, true),
    Class::Held(Party::Customer, false),
    Class::Committed,
    Class::HungUp(Party::Agent),
];

#[test]
fn every_history_of_a_notice_before_the_answer() {
    for question in [AFTER, BEFORE] {
        search_worlds(&|| world(question, 60_000, asking()), &[], &MAIN, depth() - 1);
    }
}

#[test]
fn every_history_while_the_question_waits() {
    let rings = [Class::Progressed, Class::Reported];
    for confirm in [Confirm::First, Confirm::WhileRinging, Confirm::Off] {
        let policy = || Asking { confirm, ..asking() };
        search_worlds(&|| world(AFTER, 60_000, policy()), &rings, &RINGING, depth() - 2);
        // The carrier wants an answer before the PBX has rung for long.
        search_worlds(&|| world(AFTER, 5_000, policy()), &rings, &RINGING, depth() - 3);
    }
}

#[test]
fn every_history_of_a_question_that_waited() {
    let asked = [Class::Progressed, Class::Reported, Class::Answered, Class::Confirmed];
    for confirm in [Confirm::First, Confirm::WhileRinging, Confirm::Off] {
        let policy = || Asking { confirm, ..asking() };
        search_worlds(&|| world(AFTER, 60_000, policy()), &asked, &QUESTION, depth() - 2);
    }
}

/// Inputs in the proportion in which they take a call somewhere.
const ANYTHING: [Class; 36] = [
    Class::Progressed,
    Class::Progressed,
    Class::Reported,
    Class::Reported,
    Class::Reported,
    Class::Reported,
    Class::Reported,
    Class::Faulted,
    Class::Deadline,
    Class::Wait(10),
    Class::Wait(700),
    Class::Wait(5_000),
    Class::Key('1'),
    Class::Key('1'),
    Class::Key('2'),
    Class::Key('*'),
    Class::Key('5'),
    Class::Key('9'),
    Class::AgentKey('1'),
    Class::Committed,
    Class::Committed,
    Class::Committed,
    Class::CommitFailed,
    Class::Ringing { early_media: false },
    Class::Ringing { early_media: true },
    Class::Answered,
    Class::Answered,
    Class::Answered,
    Class::Confirmed,
    Class::Confirmed,
    Class::Held(Party::Customer, true),
    Class::Held(Party::Customer, false),
    Class::Held(Party::Agent, true),
    Class::Held(Party::Agent, false),
    Class::TapCut,
    Class::Closed { done: true, millis: 700 },
];

const RARE: [Class; 7] = [
    Class::Fax,
    Class::Stop,
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

/// What must hold besides: nobody is recorded who was never answered.
fn is_answered_first(said: &[(usize, Seen)]) -> bool {
    let first = |wanted: Seen| said.iter().position(|(_, seen)| *seen == wanted);
    let bridged = first(Seen::Connect(Connection::Bridged));
    bridged.is_none() || first(Seen::Answer) < bridged
}

#[test]
fn long_histories_of_notices_before_the_answer() {
    let mut chance = Chance::from_seed(seed());
    let mut verdicts = [0_u64; 5];
    for _ in 0..runs(900) {
        let question = [AFTER, BEFORE][chance.below(2)];
        let limit = [0, 1_000, 12_000, 60_000][chance.below(4)];
        let world = world(question, limit, any_policy(&mut chance));
        // Half of the runs start where chance alone seldom comes.
        let start: &[Class] = match chance.below(2) {
            0 => &[Class::Progressed, Class::Reported],
            _ => &[],
        };
        let replay = world.wander(start, 40, || draw(&mut chance));
        assert!(is_answered_first(&replay.said), "{:?}", replay.said);
        if let Some((_, Seen::Finish(words))) = replay.said.last() {
            match words.verdict {
                Verdict::Recorded => verdicts[0] += 1,
                Verdict::Refused => verdicts[1] += 1,
                Verdict::NotGiven => verdicts[2] += 1,
                Verdict::Abandoned => verdicts[3] += 1,
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
    fn every_deeper_history_of_a_notice_before_the_answer() {
        deeper(super::every_history_of_a_notice_before_the_answer);
        deeper(super::every_history_while_the_question_waits);
        deeper(super::every_history_of_a_question_that_waited);
    }

    #[test]
    fn many_more_long_histories() {
        deeper(super::long_histories_of_notices_before_the_answer);
    }
}
