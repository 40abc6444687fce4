//! One call of a line, led from its INVITE to its words.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use call::{
    Action, Call, CallId, CallOffer, Connection, Digest, Direction, Fate, Input, Key, Line,
    NotReady, Party, Permit, Press, Private, Prompt, Raw, RecordingId, Time, Transport, Words,
};

/// What happens in a call of a minute's talk.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scene {
    /// The customer presses these keys, each in the question that it answers.
    Keys(&'static str),
    /// The customer says and presses nothing.
    Silence,
    /// The customer agrees in every step, and presses the withdrawal key in the middle of the talk.
    Withdraws,
    /// The same, and the recorder cannot go on in the middle of it.
    RecorderFails,
    /// The same, and in the middle of it the last of the house leaves.
    TransferredOut,
    /// Nothing could be recorded when the call came.
    NothingReady,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Led {
    /// Whether the parties talked to the end.
    pub went_on: bool,
    pub words: Words,
    /// How much of a recording is kept.
    pub kept_s: Option<u64>,
    /// What the legs were given, prompts aside.
    pub legs: Vec<String>,
}

const HALF_S: u64 = 30;

/// Leads the call.
pub(crate) struct Desk {
    call: Call,
    now: Time,
    scene: Scene,
    keys: VecDeque<char>,
    playing: VecDeque<Prompt>,
    permit: Option<Permit>,
    /// For how long a permit has lived while the parties talked.
    recorded: Duration,
    kept: Option<Duration>,
    words: Option<Words>,
    legs: Vec<String>,
    bridged: bool,
    ended_by_us: bool,
}

impl Desk {
    /// Leads a call to a line.
    pub(crate) fn lead(line: &Arc<Line>, scene: Scene) -> Led {
        let now = Time::from_micros(1_795_340_000_000_000);
        let offer = CallOffer {
            call: CallId::from_bytes([1; 16]),
            recording: RecordingId::from_bytes([2; 16]),
            direction: Direction::Inbound,
            line: Some(Arc::clone(line)),
            emergency: false,
            ready: match scene {
                Scene::NothingReady => Err(NotReady::Disk),
                _ => Ok(()),
            },
            target_up: true,
            early: None,
            aside: None,
        };
        let keys = match scene {
            Scene::Keys(keys) => keys,
            Scene::Silence | Scene::NothingReady => "",
            // A key that means nothing on a ground changes nothing there.
            Scene::Withdraws | Scene::RecorderFails | Scene::TransferredOut => "11",
        };
        let mut desk = Self {
            call: Call::new(now, offer),
            now,
            scene,
            keys: keys.chars().collect(),
            playing: VecDeque::new(),
            permit: None,
            recorded: Duration::ZERO,
            kept: None,
            words: None,
            legs: Vec::new(),
            bridged: false,
            ended_by_us: false,
        };
        desk.act();
        desk.tell(Input::Confirmed);
        desk.connect();
        desk.talk();
        let went_on = desk.bridged && !desk.ended_by_us;
        desk.tell(Input::HungUp(Party::Customer));
        desk.wait(Duration::from_secs(20));
        Led {
            went_on,
            words: desk.words.expect("the call has its words"),
            kept_s: desk.kept.map(|kept| kept.as_secs()),
            legs: desk.legs,
        }
    }

    /// Until the parties are connected, or the call is over.
    fn connect(&mut self) {
        for _ in 0..40 {
            if self.bridged || self.words.is_some() {
                return;
            }
            match self.playing.pop_front() {
                Some(prompt) => {
                    self.press_in(prompt);
                    self.now = self.now + Duration::from_secs(5);
                    self.tell(Input::PromptEnded { prompt, samples: 40_000, whole: true });
                }
                None => self.wait(Duration::from_secs(5)),
            }
        }
        panic!("the parties never come together: {:?}", self.legs);
    }

    /// The customer answers what is being said, if they have an answer to it.
    fn press_in(&mut self, prompt: Prompt) {
        let asked = matches!(
            prompt,
            Prompt::Question
                | Prompt::Reask
                | Prompt::Explicit
                | Prompt::LegitimateInterest
                | Prompt::LegalObligation
        );
        if asked && let Some(key) = self.keys.pop_front() {
            self.press(key);
        }
    }

    fn press(&mut self, key: char) {
        let (key, raw) = (Private::new(Key::new(key).unwrap()), Private::new(Raw::NONE));
        let press = Press { key, at: self.now, transport: Transport::Rfc4733, raw };
        self.tell(Input::Digit(Party::Customer, press));
    }

    fn talk(&mut self) {
        if !self.bridged {
            return;
        }
        self.wait(Duration::from_secs(HALF_S));
        match self.scene {
            Scene::Withdraws => self.press('*'),
            Scene::RecorderFails => self.tell(Input::RecorderFailed),
            Scene::TransferredOut => self.tell(Input::HouseLeft),
            Scene::Keys(_) | Scene::Silence | Scene::NothingReady => {}
        }
        self.wait(Duration::from_secs(HALF_S));
    }

    fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(at) = self.call.poll_timeout().filter(|at| *at <= until) {
            self.pass(at);
            self.call.handle_timeout(at);
            self.act();
        }
        self.pass(until);
    }

    fn pass(&mut self, at: Time) {
        if self.bridged && self.permit.as_ref().is_some_and(Permit::is_live) {
            self.recorded += at.since(self.now);
        }
        self.now = at;
    }

    fn tell(&mut self, input: Input) {
        self.call.handle(self.now, input);
        self.act();
    }

    fn act(&mut self) {
        while let Some(action) = self.call.poll_action() {
            match action {
                Action::Play(prompt) | Action::Announce(prompt) => self.playing.push_back(prompt),
                Action::Hush => self.playing.clear(),
                Action::Commit(evidence) => {
                    let recording = evidence.recording;
                    self.call.handle(
                        self.now,
                        Input::Committed { recording, evidence: Digest::from_bytes([3; 32]) },
                    );
                }
                Action::Record(permit) => self.permit = Some(permit),
                Action::EndRecording { recording, fate } => {
                    let kept = (fate == Fate::Keep).then_some(self.recorded);
                    self.kept = kept;
                    let millis = kept.map_or(0, |kept| u64::try_from(kept.as_millis()).unwrap());
                    let closed = Input::RecordingClosed { recording, done: true, millis };
                    self.call.handle(self.now, closed);
                }
                Action::Dial => {
                    self.legs.push("dial".to_owned());
                    self.call.handle(self.now, Input::Answered);
                }
                Action::Connect(connection) => {
                    self.legs.push(format!("{connection:?}"));
                    self.bridged = connection == Connection::Bridged;
                }
                Action::HangUp(party, cause) => {
                    self.legs.push(format!("{party:?} {cause:?}"));
                    self.ended_by_us |= self.words.is_none() && party == Party::Customer;
                }
                Action::Reject(failure) => self.legs.push(format!("{failure:?}")),
                Action::Finish(words) => self.words = Some(words),
                Action::Audit(_)
                | Action::Answer
                | Action::Progress
                | Action::Ring { .. }
                | Action::RingBack(_)
                | Action::Tone(_)
                | Action::CancelDial
                | Action::Prepare
                | Action::Keep(..)
                | Action::ArmWithdrawal(_)
                | Action::ArmPause(_)
                | Action::Cue(_)
                | Action::Pause(_)
                | Action::Resume
                | Action::LeftPaused
                | Action::LostSight => {}
            }
        }
    }
}
