//! Every history of ten kinds of input up to a depth, and long histories drawn from a seed.

use std::time::Duration;

use call::*;

use crate::{
    chance::{Chance, any_policy, seed},
    depth::{depth, runs},
    promises::keeps_its_promises,
    reference::Line,
    support::*,
    world::{Class, World},
};

/// From the answer to the bridge, and away again.
const MAIN: [Class; 10] = [
    Class::Confirmed,
    Class::Reported,
    Class::Key('1'),
    Class::Key('2'),
    Class::Key('*'),
    Class::Deadline,
    Class::Committed,
    Class::Answered,
    Class::Failed(Failure::Busy),
    Class::HungUp(Party::Customer),
];

/// The dialogue in full: wrong keys, explanations, holds and faults.
const DIALOGUE: [Class; 10] = [
    Class::Confirmed,
    Class::Reported,
    Class::Faulted,
    Class::Key('1'),
    Class::Key('*'),
    Class::Key('5'),
    Class::Key('9'),
    Class::Deadline,
    Class::Held(Party::Customer, true),
    Class::Held(Party::Customer, false),
];

/// The way to the PBX after a decision.
const RINGING: [Class; 10] = [
    Class::Reported,
    Class::Key('*'),
    Class::Deadline,
    Class::Committed,
    Class::CommitFailed,
    Class::Ringing { early_media: true },
    Class::Answered,
    Class::Failed(Failure::NoAnswer),
    Class::HungUp(Party::Customer),
    Class::Stop,
];

/// A recorded call and its end.
pub(crate) const RECORDED: [Class; 10] = [
    Class::Key('*'),
    Class::TapCut,
    Class::Held(Party::Customer, true),
    Class::Held(Party::Customer, false),
    Class::Wait(1_000),
    Class::Degraded,
    Class::RecorderFailed,
    Class::Closed { done: true, millis: 5_000 },
    Class::Closed { done: true, millis: 0 },
    Class::HungUp(Party::Agent),
];

/// A call on its way to being recorded and bridged, whatever its confirmation.
pub(crate) const BRIDGED: [Class; 6] = [
    Class::Confirmed,
    Class::Key('1'),
    Class::Reported,
    Class::Committed,
    Class::Reported,
    Class::Answered,
];

/// The same on any ground.
pub(crate) const fn bridged(ground: Ground) -> &'static [Class] {
    match ground {
        Ground::ExplicitConsent => &[
            Class::Confirmed,
            Class::Key('1'),
            Class::Reported,
            Class::Key('1'),
            Class::Reported,
            Class::Committed,
            Class::Reported,
            Class::Answered,
        ],
        Ground::Consent => &BRIDGED,
        _ => &[Class::Confirmed, Class::Reported, Class::Committed, Class::Answered],
    }
}

/// Compares every history that begins with `history` and has up to `depth` more inputs.
fn explore(world: &World, classes: &[Class], history: &mut Vec<Line>, depth: usize) {
    let replay = world.replay(history);
    world.compare(&replay, history);
    keeps_its_promises(&replay);
    if depth == 0 {
        return;
    }
    let now = history.last().map_or(START, |(at, _)| *at);
    for class in classes {
        history.push(replay.line(*class, now));
        explore(world, classes, history, depth - 1);
        history.pop();
    }
}

/// Explores calls of one direction and policy, and says how many histories were compared.
pub(crate) fn search(
    (direction, asking): (Direction, &Asking),
    prefix: &[Class],
    classes: &[Class; 10],
    depth: usize,
) -> u64 {
    search_worlds(&|| World::of(direction, asking.clone()), prefix, classes, depth)
}

/// The same in any world, on two threads.
pub(crate) fn search_worlds(
    world: &(impl Fn() -> World + Sync),
    prefix: &[Class],
    classes: &[Class; 10],
    depth: usize,
) -> u64 {
    std::thread::scope(|scope| {
        let halves = classes.chunks(5).map(|half| {
            scope.spawn(move || {
                let world = world();
                let mut history = world.tell(prefix);
                let replay = world.replay(&history);
                let now = history.last().map_or(START, |(at, _)| *at);
                for class in half {
                    history.push(replay.line(*class, now));
                    explore(&world, classes, &mut history, depth.saturating_sub(1));
                    history.pop();
                }
                world.compared.get()
            })
        });
        let threads: Vec<_> = halves.collect();
        let compared =
            threads.into_iter().map(|thread| thread.join().expect("the model agrees")).sum();
        println!("{compared} histories compared");
        compared
    })
}

impl World {
    /// A history told by its classes.
    pub(crate) fn tell(&self, classes: &[Class]) -> Vec<Line> {
        let mut history = Vec::new();
        let mut replay = self.replay(&[]);
        let mut now = START;
        for class in classes {
            let line = replay.line(*class, now);
            now = line.0;
            history.push(line);
            replay.hear(history.len(), line.0, line.1);
            self.compare(&replay, &history);
        }
        history
    }
}

#[test]
fn every_history_of_the_main_road() {
    let compared = search((Direction::Inbound, &asking()), &[], &MAIN, depth());
    let leaves = 10_u64.pow(u32::try_from(depth()).unwrap());
    assert_eq!(compared, (leaves - 1) / 9 * 10, "each sequence was compared");
}

#[test]
fn every_history_of_the_dialogue() {
    let asking = Asking { repeats: 2, ..asking() };
    search((Direction::Inbound, &asking), &[], &DIALOGUE, depth() - 1);
}

#[test]
fn every_history_between_decision_and_answer() {
    let asked = [Class::Confirmed, Class::Reported, Class::Key('1')];
    for confirm in [Confirm::First, Confirm::WhileRinging, Confirm::Off] {
        let asking = Asking { confirm, ..asking() };
        search((Direction::Inbound, &asking), &asked, &RINGING, depth() - 2);
    }
}

#[test]
fn every_history_of_a_recorded_call() {
    for on_withdraw in [OnWithdraw::Erase, OnWithdraw::Stop] {
        let asking = Asking { on_withdraw, ..asking() };
        search((Direction::Inbound, &asking), &BRIDGED, &RECORDED, depth() - 2);
    }
}

/// Inputs in the proportion in which they take a call somewhere.
const ANYTHING: [Class; 47] = [
    Class::Confirmed,
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
    Class::Key('2'),
    Class::Key('*'),
    Class::Key('5'),
    Class::Key('9'),
    Class::AgentKey('1'),
    Class::AgentKey('*'),
    Class::AgentKey('7'),
    Class::Pause,
    Class::Resume,
    Class::Withdraw,
    Class::Committed,
    Class::Committed,
    Class::CommittedOther,
    Class::CommitFailed,
    Class::Ringing { early_media: false },
    Class::Ringing { early_media: true },
    Class::Answered,
    Class::Answered,
    Class::Failed(Failure::Busy),
    Class::Failed(Failure::Rejected(603)),
    Class::HungUp(Party::Customer),
    Class::HungUp(Party::Agent),
    Class::Held(Party::Customer, true),
    Class::Held(Party::Customer, false),
    Class::Held(Party::Agent, true),
    Class::Held(Party::Agent, false),
    Class::TapCut,
    Class::Degraded,
    Class::RecorderFailed,
    Class::Closed { done: true, millis: 700 },
    Class::ClosedLast { done: true, millis: 700 },
    Class::Prepared,
    Class::Prepared,
];

/// What ends a call early, and is therefore drawn again most of the time.
const ENDINGS: [Class; 6] = [
    Class::HungUp(Party::Customer),
    Class::HungUp(Party::Agent),
    Class::Failed(Failure::Busy),
    Class::Failed(Failure::Rejected(603)),
    Class::CommitFailed,
    Class::RecorderFailed,
];

const RARE: [Class; 7] = [
    Class::Urgent,
    Class::Fax,
    Class::Stop,
    Class::Failed(Failure::NoAnswer),
    Class::Failed(Failure::Unreachable),
    Class::Closed { done: false, millis: 700 },
    Class::Closed { done: true, millis: 0 },
];

fn draw(chance: &mut Chance) -> Class {
    if chance.below(40) == 0 {
        return RARE[chance.below(RARE.len())];
    }
    let class = ANYTHING[chance.below(ANYTHING.len())];
    if ENDINGS.contains(&class) && chance.below(8) > 0 { draw(chance) } else { class }
}

#[test]
fn long_histories_of_every_input() {
    let mut chance = Chance::from_seed(seed());
    let mut finished = [0_u64; 3];
    for _ in 0..runs(2_000) {
        let world = World::new(any_policy(&mut chance));
        // Half of the runs start where chance alone seldom comes.
        let start = if chance.below(2) == 0 { &[][..] } else { bridged(world.asking.ground) };
        let replay = world.wander(start, 40, || draw(&mut chance));
        if let Some((_, Seen::Finish(words))) = replay.said.last() {
            match words.verdict {
                Verdict::Recorded => finished[0] += 1,
                Verdict::Withdrawn => finished[1] += 1,
                _ => finished[2] += 1,
            }
        }
    }
    assert!(finished.iter().all(|times| *times > 10), "the runs go somewhere: {finished:?}");
}

/// The longest time from the answer to the PBX that any history without an explanation needs.
const DIAL_LIMIT: Duration = Duration::from_secs(35);

#[test]
fn the_pbx_is_called_in_time_unless_the_caller_is_gone() {
    let mut chance = Chance::from_seed(seed());
    for _ in 0..runs(2_000) {
        let world = World::new(any_policy(&mut chance));
        let mut replay = world.replay(&[]);
        let mut now = START;
        let mut explained = false;
        while now.since(START) < DIAL_LIMIT {
            // The shell wakes the call at its deadlines, as it promises.
            let class = draw(&mut chance);
            explained |= class == Class::Key('9');
            let (at, input) = replay.line(class, now);
            while let Some(due) = replay.call.poll_timeout().filter(|due| *due <= at) {
                replay.hear(1, due, None);
                let next = replay.call.poll_timeout();
                assert!(next.is_none_or(|next| next > due), "a deadline that was served is over");
            }
            now = at;
            replay.hear(1, at, input);
        }
        let reached = replay
            .said
            .iter()
            .any(|(_, seen)| matches!(seen, Seen::Dial | Seen::Finish(_) | Seen::HangUp(..)));
        assert!(reached || explained, "{:?}", replay.said);
    }
}

/// The same in the long lane, one input deeper and many more times.
mod long {
    use crate::depth::deeper;

    #[test]
    fn every_deeper_history_of_the_main_road() {
        deeper(super::every_history_of_the_main_road);
    }

    #[test]
    fn every_deeper_history_of_a_call_that_came_in() {
        deeper(super::every_history_of_the_dialogue);
        deeper(super::every_history_between_decision_and_answer);
        deeper(super::every_history_of_a_recorded_call);
    }

    #[test]
    fn many_more_long_histories() {
        deeper(super::long_histories_of_every_input);
        deeper(super::the_pbx_is_called_in_time_unless_the_caller_is_gone);
    }
}
