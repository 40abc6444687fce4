//! What surrounds a call: the inputs that can come, and both calls that hear them.

use std::{cell::Cell, time::Duration};

use call::*;

use crate::{
    promises::keeps_its_promises,
    reference::{Line, Script},
    support::*,
};

/// A kind of input, as far as a history tells one from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Time passes until the next deadline, or a second if there is none.
    Deadline,
    /// A little time passes.
    Wait(u64),
    Confirmed,
    Progressed,
    /// The oldest prompt without a report is reported: in full when it still sounds.
    Reported,
    /// The same, but a fault has cut it.
    Faulted,
    Key(char),
    AgentKey(char),
    Committed,
    CommittedOther,
    CommitFailed,
    Ringing {
        early_media: bool,
    },
    Answered,
    /// The agent of this number is there: of the first the manager of the PBX says so, of others a program.
    Agent(u8),
    /// Nobody is, says a program.
    NoAgent,
    /// The manager is not heard any more.
    Unheard,
    /// The operator wants the customer to be asked.
    Ask,
    /// The house wants silence in the recording, or sound again.
    Withdraw,
    Pause,
    Resume,
    Prepared,
    NotPrepared,
    Failed(Failure),
    HungUp(Party),
    Held(Party, bool),
    /// The customer's side makes a transfer and is to say more within so many milliseconds.
    SentAway(u64),
    /// That transfer has come to nothing.
    SentBack,
    HouseLeft,
    Urgent,
    /// The caller sounds the tone of a fax.
    Fax,
    TapCut,
    Degraded,
    RecorderFailed,
    /// The recording is closed that was ended first, or last.
    Closed {
        done: bool,
        millis: u64,
    },
    ClosedLast {
        done: bool,
        millis: u64,
    },
    Stop,
}

/// How much time passes before each input that is not a wait.
const PACE: Duration = Duration::from_millis(100);

/// The machine after a history, with all that it asked for.
pub(crate) struct Replay {
    /// The ground of the policy.
    pub(crate) ground: Ground,
    pub(crate) call: Call,
    pub(crate) said: Vec<(usize, Seen)>,
    pub(crate) permit: Option<Permit>,
    unreported: Vec<Prompt>,
    sounds: bool,
    /// What the ledger has been asked for and has not answered, oldest first.
    uncommitted: Vec<RecordingId>,
    /// What the recorder has.
    unclosed: Vec<RecordingId>,
}

/// The policy that a world lives under.
pub(crate) struct World {
    pub(crate) asking: Asking,
    pub(crate) offer: CallOffer,
    /// How many histories were compared.
    pub(crate) compared: Cell<u64>,
}

impl World {
    pub(crate) fn new(asking: Asking) -> Self {
        Self::of(Direction::Inbound, asking)
    }

    /// Calls of one direction.
    pub(crate) fn of(direction: Direction, asking: Asking) -> Self {
        let offer = CallOffer { direction, ..asked(asking.clone()) };
        Self { offer, asking, compared: Cell::new(0) }
    }

    /// Inbound calls that are recorded while an agent is there.
    pub(crate) fn attended(asking: Asking) -> Self {
        let world = Self::new(asking);
        Self { offer: attended(world.offer), ..world }
    }

    /// Inbound calls that hear the notice before the answer.
    pub(crate) fn early(early: EarlyNotice, asking: Asking) -> Self {
        let mut world = Self::new(asking);
        world.offer.early = Some(early);
        world
    }

    /// Plays a history to a new call.
    pub(crate) fn replay(&self, history: &[Line]) -> Replay {
        let mut replay = Replay {
            ground: self.asking.ground,
            call: Call::new(START, self.offer.clone()),
            said: Vec::with_capacity(32),
            permit: None,
            unreported: Vec::new(),
            sounds: false,
            uncommitted: Vec::new(),
            unclosed: Vec::new(),
        };
        replay.poll(0);
        for (index, (at, input)) in history.iter().enumerate() {
            replay.hear(index + 1, *at, *input);
        }
        replay
    }

    /// Plays so many inputs that `draw` chooses to a call after `start`. Every fourth time, and in the
    /// end, all that the call has asked for until then is compared.
    pub(crate) fn wander(
        &self,
        start: &[Class],
        steps: usize,
        mut draw: impl FnMut() -> Class,
    ) -> Replay {
        let mut history = self.tell(start);
        let mut replay = self.replay(&history);
        let mut now = history.last().map_or(START, |(at, _)| *at);
        for step in 1..=steps {
            let line = replay.line(draw(), now);
            now = line.0;
            history.push(line);
            replay.hear(history.len(), line.0, line.1);
            if step % 4 == 0 || step == steps {
                self.compare(&replay, &history);
                keeps_its_promises(&replay);
            }
        }
        replay
    }

    /// Compares all that the call has asked for in this history with what it should have.
    pub(crate) fn compare(&self, replay: &Replay, history: &[Line]) {
        self.compared.set(self.compared.get() + 1);
        let expected = Script::read(&self.asking, &self.offer, ms(30_000), START, history);
        let same = same_in_each_step(&replay.said, &expected.said);
        let deadline = replay.call.poll_timeout();
        assert!(
            same && deadline == expected.deadline,
            "\nhistory: {history:?}\nmachine: {:?} {deadline:?}\nmodel:   {:?} {:?}",
            replay.said,
            expected.said,
            expected.deadline,
        );
    }
}

/// Within a step the order is the machine's own; the flows prove it.
fn same_in_each_step(machine: &[(usize, Seen)], model: &[(usize, Seen)]) -> bool {
    let times = |list: &[(usize, Seen)], wanted| list.iter().filter(|one| **one == wanted).count();
    machine.len() == model.len()
        && (machine == model
            || machine.iter().all(|one| times(machine, *one) == times(model, *one)))
}

fn committed(recording: RecordingId) -> Input {
    Input::Committed { recording, evidence: HASH }
}

const fn closed(recording: RecordingId, done: bool, millis: u64) -> Input {
    Input::RecordingClosed { recording, done, millis }
}

/// The recording that ended last of those whose answer is to come.
fn last(waiting: &[RecordingId]) -> RecordingId {
    waiting.last().copied().unwrap_or(RECORDING)
}

/// The recording whose answer comes next, or the call's first, which has none to come.
fn first(waiting: &[RecordingId]) -> RecordingId {
    waiting.first().copied().unwrap_or(RECORDING)
}

fn take(waiting: &mut Vec<RecordingId>, answered: RecordingId) {
    if let Some(place) = waiting.iter().position(|recording| *recording == answered) {
        waiting.remove(place);
    }
}

impl Replay {
    /// The id of the recording of another yes: another one after each wish to be asked.
    fn next_recording(&self) -> RecordingId {
        let asks = self.said.iter().filter(|(_, seen)| *seen == Seen::Prepare).count();
        RecordingId::from_bytes([u8::try_from(asks).unwrap_or(u8::MAX); 16])
    }

    /// The prompt whose report comes next.
    pub(crate) fn oldest_unreported(&self) -> Option<Prompt> {
        self.unreported.first().copied()
    }

    /// The line that a class adds to a history which ends at `now`.
    pub(crate) fn line(&self, class: Class, now: Time) -> Line {
        let at = match class {
            Class::Deadline => self.call.poll_timeout().unwrap_or(now + ms(1_000)).max(now),
            Class::Wait(millis) => now + ms(millis),
            _ => now + PACE,
        };
        // A media layer reports only what it has played.
        let reported = |whole: bool| {
            let samples = if whole { 8_000 } else { 800 };
            let prompt = *self.unreported.first()?;
            Some(Input::PromptEnded { prompt, samples, whole })
        };
        let input = match class {
            Class::Deadline | Class::Wait(_) => None,
            Class::Confirmed => Some(Input::Confirmed),
            Class::Progressed => Some(Input::Progressed),
            Class::Reported => reported(self.sounds && self.unreported.len() == 1),
            Class::Faulted => reported(false),
            Class::Key(character) => Some(Input::Digit(Party::Customer, press(character, at))),
            Class::AgentKey(character) => Some(Input::Digit(Party::Agent, press(character, at))),
            Class::Committed => Some(committed(first(&self.uncommitted))),
            Class::CommittedOther => Some(committed(OTHER_RECORDING)),
            Class::CommitFailed => {
                Some(Input::CommitFailed { recording: first(&self.uncommitted) })
            }
            Class::Ringing { early_media } => Some(Input::Ringing { early_media }),
            Class::Answered => Some(Input::Answered),
            Class::Failed(failure) => Some(Input::Failed(failure)),
            Class::Agent(1) => Some(agent(1, AgentSource::Ami)),
            Class::Agent(number) => Some(agent(number, AgentSource::Api)),
            Class::NoAgent => Some(Input::Agent(AgentNews::Left(AgentSource::Api))),
            Class::Unheard => Some(Input::Agent(AgentNews::Lost(AgentSource::Ami))),
            Class::Ask => Some(Input::Ask),
            Class::Withdraw => Some(Input::Withdraw),
            Class::Pause => Some(Input::Pause),
            Class::Resume => Some(Input::Resume),
            Class::Prepared => Some(Input::Prepared(Ok(self.next_recording()))),
            Class::NotPrepared => Some(Input::Prepared(Err(NotReady::Disk))),
            Class::HungUp(party) => Some(Input::HungUp(party)),
            Class::Held(party, on) => Some(Input::Held(party, on)),
            Class::SentAway(millis) => Some(Input::SentAway(Some(ms(millis)))),
            Class::SentBack => Some(Input::SentAway(None)),
            Class::HouseLeft => Some(Input::HouseLeft),
            Class::Urgent => Some(Input::Urgent),
            Class::Fax => Some(Input::Fax),
            // A worker without a tap cuts none.
            Class::TapCut => {
                self.said.iter().any(|(_, seen)| *seen == Seen::Record).then_some(Input::TapCut)
            }
            Class::Degraded => Some(Input::Degraded),
            Class::RecorderFailed => Some(Input::RecorderFailed),
            Class::Closed { done, millis } => Some(closed(first(&self.unclosed), done, millis)),
            Class::ClosedLast { done, millis } => Some(closed(last(&self.unclosed), done, millis)),
            Class::Stop => Some(Input::Stop(Cause::Shutdown)),
        };
        (at, input)
    }

    pub(crate) fn hear(&mut self, step: usize, at: Time, input: Option<Input>) {
        match input {
            Some(input) => {
                if let Input::PromptEnded { .. } = input
                    && !self.unreported.is_empty()
                {
                    self.unreported.remove(0);
                    self.sounds &= !self.unreported.is_empty();
                }
                match input {
                    Input::Committed { recording, .. } | Input::CommitFailed { recording } => {
                        take(&mut self.uncommitted, recording);
                    }
                    Input::RecordingClosed { recording, .. } => {
                        take(&mut self.unclosed, recording);
                    }
                    _ => {}
                }
                self.call.handle(at, input);
            }
            None => self.call.handle_timeout(at),
        }
        self.poll(step);
    }

    fn poll(&mut self, step: usize) {
        while let Some(action) = self.call.poll_action() {
            let seen = Seen::of(&action);
            self.said.push((step, seen));
            match seen {
                Seen::Play(prompt) | Seen::Announce(prompt) => {
                    self.unreported.push(prompt);
                    self.sounds = true;
                }
                Seen::Hush | RINGS | Seen::Tone(_) => self.sounds = false,
                _ => {}
            }
            match action {
                Action::Record(permit) => {
                    let before = self.permit.replace(permit);
                    assert!(before.is_none_or(|permit| !permit.is_live()), "one permit at a time");
                }
                Action::Commit(evidence) => self.uncommitted.push(evidence.recording),
                Action::EndRecording { recording, .. } => self.unclosed.push(recording),
                _ => {}
            }
        }
    }
}
