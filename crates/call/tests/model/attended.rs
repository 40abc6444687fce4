//! The part of the script in which somebody says who of the house talks to the customer (law row L03), and
//! calls that are recorded only meanwhile.

use call::*;

use crate::{
    chance::{Chance, any_policy, seed},
    depth::{depth, runs},
    exhaustive::{BRIDGED, bridged, search, search_worlds},
    reference::Script,
    support::{Seen, Seen::*, asking, key, ms},
    world::{Class, World},
};

impl Script<'_> {
    /// Says of a recording what has changed since `before`.
    pub(super) fn hears_of_agents(&mut self, before: Option<Agent>, news: AgentNews) {
        if !self.log.chapter().is_recording() {
            return;
        }
        match (self.log.agent(), news) {
            (Some(agent), _) if before != Some(agent) => self.say(Met(agent.id, agent.source)),
            (None, AgentNews::Left(source)) if before.is_some() => self.say(Missed(source)),
            (None, AgentNews::Lost(source)) if before.is_some() => self.say(LostTrack(source)),
            _ => {}
        }
    }
}

/// A call that may be recorded: agents who come and go, and what else keeps a tap silent.
const ATTENDED: [Class; 10] = [
    Class::Agent(1),
    Class::Agent(2),
    Class::NoAgent,
    Class::Unheard,
    Class::Held(Party::Agent, true),
    Class::Held(Party::Agent, false),
    Class::Pause,
    Class::Deadline,
    Class::Key('*'),
    Class::HungUp(Party::Customer),
];

/// From the yes on: an agent may be there before the ledger, the PBX or anybody has said a word.
const AWAITED: [Class; 10] = [
    Class::Committed,
    Class::Answered,
    Class::Agent(1),
    Class::NoAgent,
    Class::Wait(1_000),
    Class::RecorderFailed,
    Class::HouseLeft,
    Class::Key('*'),
    Class::Closed { done: true, millis: 700 },
    Class::HungUp(Party::Agent),
];

#[test]
fn l_03_every_history_of_agents_who_come_and_go() {
    // A pause never ends in the same moment as anything else.
    let pausing = Pausing { key: Some(key('7')), limit: ms(1_937) };
    let asking = Asking { pausing, agent_cue: true, ..asking() };
    search_worlds(&|| World::attended(asking.clone()), &BRIDGED, &ATTENDED, depth() - 2);
    search((Direction::Inbound, &asking), &BRIDGED, &ATTENDED, depth() - 3);
}

#[test]
fn l_03_every_history_of_a_recording_that_awaits_an_agent() {
    let asked = [Class::Confirmed, Class::Reported, Class::Key('1'), Class::Reported];
    for when_recording_fails in [WhenRecordingFails::GoOn, WhenRecordingFails::EndCall] {
        for on_withdraw in [OnWithdraw::Erase, OnWithdraw::Stop] {
            let asking = Asking { when_recording_fails, on_withdraw, agent_cue: true, ..asking() };
            search_worlds(&|| World::attended(asking.clone()), &asked, &AWAITED, depth() - 2);
        }
    }
}

#[test]
fn l_03_nobody_is_recorded_in_any_long_history_while_no_agent_is_there() {
    let mut chance = Chance::from_seed(seed());
    let mut recorded = 0;
    for _ in 0..runs(500) {
        let world = World::attended(any_policy(&mut chance));
        let start = bridged(world.asking.ground);
        let mut draw = || match chance.below(3) {
            0 => ATTENDED[chance.below(ATTENDED.len() - 1)],
            1 => AWAITED[chance.below(AWAITED.len() - 1)],
            _ => [Class::Agent(1), Class::NoAgent, Class::Reported][chance.below(3)],
        };
        let replay = world.wander(start, 40, &mut draw);
        recorded += usize::from(is_recorded_with_agents_alone(&replay.said));
    }
    assert!(recorded > 10, "the runs go somewhere: {recorded}");
}

/// Whether anything was recorded; and that between an agent who leaves and the next one nothing is, nor before
/// the first.
fn is_recorded_with_agents_alone(said: &[(usize, Seen)]) -> bool {
    let (mut there, mut listens, mut ever) = (false, false, false);
    for (at, (step, seen)) in said.iter().enumerate() {
        match seen {
            Met(..) => there = true,
            Missed(_) | LostTrack(_) => there = false,
            Record | Resume => listens = true,
            Pause | Silence | Alone | End(_) => listens = false,
            _ => {}
        }
        ever |= listens;
        let is_last = said.get(at + 1).is_none_or(|(next, _)| next != step);
        assert!(there || !listens || !is_last, "{said:?}");
    }
    ever
}

/// The same in the long lane, one input deeper and many more times.
mod long {
    use crate::depth::deeper;

    #[test]
    fn every_deeper_history_of_agents() {
        deeper(super::l_03_every_history_of_agents_who_come_and_go);
        deeper(super::l_03_every_history_of_a_recording_that_awaits_an_agent);
        deeper(super::l_03_nobody_is_recorded_in_any_long_history_while_no_agent_is_there);
    }
}
