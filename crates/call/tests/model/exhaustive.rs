//! Every history of ten kinds of input up to a depth, and long histories drawn from a seed.

use std::time::Duration;

use call::*;

use crate::{
    reference::Line,
    support::*,
    world::{Class, Replay, World},
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

/// How many inputs long the longest history of an exhaustive search is: 7, or what the environment
/// variable says, for runs that repeat the search many times.
pub(crate) fn depth() -> usize {
    let depth = std::env::var("JAWOORD_MODEL_DEPTH").ok().and_then(|depth| depth.parse().ok());
    depth.unwrap_or(7)
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
        threads.into_iter().map(|thread| thread.join().expect("the model agrees")).sum()
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

/// What holds in every history, whatever the model thinks (invariants 2 to 4 and 7).
pub(crate) fn keeps_its_promises(replay: &Replay) {
    let said = &replay.said;
    let first = |wanted: fn(&Seen) -> bool| said.iter().position(|(_, seen)| wanted(seen));
    let times = |wanted: fn(&Seen) -> bool| said.iter().filter(|(_, seen)| wanted(seen)).count();
    let granted = first(|seen| *seen == Seen::Decided(Consent::Granted));
    let committed = first(|seen| matches!(seen, Seen::Commit { .. }));
    let recorded = first(|seen| *seen == Seen::Record);
    let finished = first(|seen| matches!(seen, Seen::Finish(_)));
    assert!(recorded.is_none() || (granted < committed && committed < recorded), "{said:?}");
    assert!(granted.is_some() || committed.is_none(), "{said:?}");
    let decisions = said.iter().enumerate().filter_map(|(place, (_, seen))| match seen {
        Seen::Decided(consent) => Some((place, *consent)),
        _ => None,
    });
    let decisions: Vec<_> = decisions.collect();
    // Silence may be asked again; a yes, a no and a hang-up are final, but for the withdrawal.
    let lasting = decisions.windows(2).all(|pair| {
        let (before, after) = (pair[0].1, pair[1].1);
        before == Consent::NotGiven || (before, after) == (Consent::Granted, Consent::Withdrawn)
    });
    assert!(lasting, "a decision is changed: {said:?}");
    let decided = decisions.iter().rfind(|(place, _)| committed.is_some_and(|at| *place < at));
    let granted_last = decided.is_some_and(|(_, consent)| *consent == Consent::Granted);
    assert!(committed.is_none() || granted_last, "refusal and silence never record: {said:?}");
    let connected = first(|seen| *seen == Seen::Connect(Connection::Bridged));
    let announced = first(|seen| matches!(seen, Seen::Announce(_)));
    assert!(announced.is_none() || connected < announced, "announced to nobody: {said:?}");
    let over = said.iter().any(|(_, seen)| {
        matches!(seen, Seen::Decided(Consent::Withdrawn) | Seen::HangUp(..) | Seen::Finish(_))
    });
    let live = replay.permit.as_ref().is_some_and(Permit::is_live);
    assert!(!(over && live), "a withdrawn or ended call has no live permit: {said:?}");
    assert!(times(|seen| *seen == Seen::Dial) <= 1, "{said:?}");
    assert!(times(|seen| matches!(seen, Seen::Finish(_))) <= 1, "{said:?}");
    assert!(finished.is_none_or(|place| place + 1 == said.len()), "{said:?}");
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

/// Numbers from a seed (splitmix64).
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn from_seed(seed: u64) -> Self {
        println!("seed {seed}");
        Self(seed)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 33) as usize % end
    }
}

/// The seed of a run: fixed, or what the environment variable says, to look elsewhere.
pub(crate) fn seed() -> u64 {
    let seed = std::env::var("JAWOORD_MODEL_SEED").ok().and_then(|seed| seed.parse().ok());
    seed.unwrap_or(20_261_122)
}

/// Inputs in the proportion in which they take a call somewhere.
const ANYTHING: [Class; 43] = [
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

const RARE: [Class; 6] = [
    Class::Urgent,
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

/// No pause ends in the same moment as anything else.
pub(crate) fn any_pausing(chance: &mut Chance) -> Pausing {
    let key = [None, Some(key('7'))][chance.below(2)];
    Pausing { key, limit: ms([1_937, 30_937][chance.below(2)]) }
}

/// What becomes of a call whose recording fails.
pub(crate) fn any_end(chance: &mut Chance) -> WhenRecordingFails {
    [WhenRecordingFails::GoOn, WhenRecordingFails::EndCall][chance.below(2)]
}

pub(crate) fn any_policy(chance: &mut Chance) -> Asking {
    Asking {
        repeats: [0, 1, 2, 3][chance.below(4)],
        answer_timeout: ms([0, 1, 500, 4_000][chance.below(4)]),
        confirm: [Confirm::First, Confirm::WhileRinging, Confirm::Off][chance.below(3)],
        on_withdraw: [OnWithdraw::Erase, OnWithdraw::Stop][chance.below(2)],
        pausing: any_pausing(chance),
        when_recording_fails: any_end(chance),
        ..asking()
    }
}

#[test]
fn long_histories_of_every_input() {
    let mut chance = Chance::from_seed(seed());
    let mut finished = [0_u64; 3];
    for _ in 0..depth() * 8_000 {
        let world = World::new(any_policy(&mut chance));
        // Half of the runs start where chance alone seldom comes.
        let start = if chance.below(2) == 0 { &[][..] } else { &BRIDGED[..] };
        let mut history = world.tell(start);
        let mut replay = world.replay(&history);
        let mut now = history.last().map_or(START, |(at, _)| *at);
        for _ in 0..40 {
            let line = replay.line(draw(&mut chance), now);
            now = line.0;
            history.push(line);
            replay.hear(history.len(), line.0, line.1);
            world.compare(&replay, &history);
            keeps_its_promises(&replay);
        }
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
    for _ in 0..depth() * 2_000 {
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
