//! A line that asks, and a desk at which a call is driven by hand under a virtual clock.

#![allow(dead_code, reason = "each test takes what it needs of the desk")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a desk that cannot go on fails its test"
)]

use std::{sync::Arc, time::Duration};

use call::*;

/// An action without what cannot be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Seen {
    Opened,
    Objected,
    Told(Hand),
    Decided(Consent),
    Ended(Words),
    Answer,
    Progress,
    Reject(Failure),
    Ring(bool),
    Play(Prompt),
    Announce(Prompt),
    Hush,
    RingBack(Party),
    Tone(Tone),
    Commit {
        prompts: usize,
        presses: usize,
    },
    Dial,
    CancelDial,
    Connect(Connection),
    Prepare,
    Keep(Party, Kept),
    Record,
    Arm(Key),
    Pause,
    Silence,
    Cue(Cue),
    Resume,
    ArmPause(Key),
    LeftPaused,
    LostSight,
    Alone,
    Met(AgentId, AgentSource),
    Missed(AgentSource),
    LostTrack(AgentSource),
    Paused(Hand),
    Resumed(Hand),
    End(Fate),
    /// The same of a recording that is not the call's first.
    EndOf(RecordingId, Fate),
    HangUp(Party, Cause),
    Finish(Words),
}

impl Seen {
    pub(crate) fn of(action: &Action) -> Self {
        match action {
            Action::Audit(Fact::CallOpened { .. }) => Self::Opened,
            Action::Audit(Fact::ConsentDecided { consent, .. }) => Self::Decided(*consent),
            Action::Audit(Fact::CustomerObjected { .. }) => Self::Objected,
            Action::Audit(Fact::WithdrawalTold { by, .. }) => Self::Told(*by),
            Action::Audit(Fact::CallEnded { consent, outcome, verdict, .. }) => {
                Self::Ended(Words { consent: *consent, outcome: *outcome, verdict: *verdict })
            }
            Action::Audit(Fact::AgentConnected { agent, by, .. }) => Self::Met(*agent, *by),
            Action::Audit(Fact::AgentLeft { by, .. }) => Self::Missed(*by),
            Action::Audit(Fact::AgentUnknown { by, .. }) => Self::LostTrack(*by),
            Action::Audit(Fact::RecordingPaused { by, .. }) => Self::Paused(*by),
            Action::Audit(Fact::RecordingResumed { by, .. }) => Self::Resumed(*by),
            Action::Audit(fact) => panic!("a call never states {:?}", fact.kind()),
            Action::Answer => Self::Answer,
            Action::Progress => Self::Progress,
            Action::Reject(failure) => Self::Reject(*failure),
            Action::Ring { early_media } => Self::Ring(*early_media),
            Action::Play(prompt) => Self::Play(*prompt),
            Action::Announce(prompt) => Self::Announce(*prompt),
            Action::Hush => Self::Hush,
            Action::RingBack(party) => Self::RingBack(*party),
            Action::Tone(tone) => Self::Tone(*tone),
            Action::Commit(evidence) => {
                Self::Commit { prompts: evidence.prompts.len(), presses: evidence.presses.len() }
            }
            Action::Dial => Self::Dial,
            Action::CancelDial => Self::CancelDial,
            Action::Connect(connection) => Self::Connect(*connection),
            Action::Prepare => Self::Prepare,
            Action::Keep(party, kept) => Self::Keep(*party, *kept),
            Action::Record(_) => Self::Record,
            Action::ArmWithdrawal(key) => Self::Arm(*key),
            Action::Pause(Pause::Hold) => Self::Pause,
            Action::Pause(Pause::NoAgent) => Self::Alone,
            Action::Pause(Pause::Wanted) => Self::Silence,
            Action::Resume => Self::Resume,
            Action::Cue(cue) => Self::Cue(*cue),
            Action::ArmPause(key) => Self::ArmPause(*key),
            Action::LeftPaused => Self::LeftPaused,
            Action::LostSight => Self::LostSight,
            Action::EndRecording { recording: RECORDING, fate } => Self::End(*fate),
            Action::EndRecording { recording, fate } => Self::EndOf(*recording, *fate),
            Action::HangUp(party, cause) => Self::HangUp(*party, *cause),
            Action::Finish(words) => Self::Finish(*words),
        }
    }
}

pub(crate) const CALL: CallId = CallId::from_bytes([0xca; 16]);
pub(crate) const RECORDING: RecordingId = RecordingId::from_bytes([0x7e; 16]);
pub(crate) const OTHER_RECORDING: RecordingId = RecordingId::from_bytes([0x0f; 16]);
/// The recording of a call's second yes.
pub(crate) const LATER: RecordingId = RecordingId::from_bytes([1; 16]);
pub(crate) const HASH: Digest = Digest::from_bytes([0xe5; 32]);
/// The customer hears that the PBX rings.
pub(crate) const RINGS: Seen = Seen::RingBack(Party::Customer);
pub(crate) const START: Time = Time::from_micros(1_795_340_000_000_000);

pub(crate) fn key(character: char) -> Key {
    Key::new(character).unwrap()
}

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(crate) fn press(character: char, at: Time) -> Press {
    let raw = Private::new(Raw::NONE);
    Press { key: Private::new(key(character)), at, transport: Transport::Rfc4733, raw }
}

/// How long each prompt of the lab lasts, in milliseconds.
pub(crate) const fn length_ms(prompt: Prompt) -> u64 {
    match prompt {
        Prompt::Notice => 9_000,
        Prompt::Question => 4_000,
        Prompt::Reask => 6_000,
        Prompt::WrongKey => 4_000,
        Prompt::Granted | Prompt::Refused | Prompt::NotGiven | Prompt::Resume => 2_500,
        Prompt::Withdrawn => 3_000,
        Prompt::Info | Prompt::ObligationInfo => 15_000,
        Prompt::NoAnswer => 4_000,
        Prompt::AgentAsk => 13_000,
        Prompt::Explicit => 6_000,
        Prompt::LegitimateInterest | Prompt::LegalObligation => 9_500,
    }
}

pub(crate) fn asking() -> Asking {
    let id = |prompt: Prompt| PromptId {
        version: 1,
        sha256: Digest::from_bytes([prompt as u8 + 1; 32]),
    };
    Asking {
        ground: Ground::Consent,
        purposes: [Purpose::Quality, Purpose::Training].into_iter().collect(),
        heard: Parties::BOTH,
        language: Language::new("nl").unwrap(),
        prompts: Prompt::ALL.into_iter().map(|prompt| (prompt, id(prompt))).collect(),
        keys: Keys { grant: key('1'), refuse: key('2'), withdraw: key('*'), info: key('9') },
        repeats: 1,
        answer_timeout: ms(4_000),
        unbridged_limit: ms(35_000),
        confirm: Confirm::First,
        inbound: Inbound::First,
        audience: Audience::Both,
        outbound: Outbound::AgentAsks { key: Some(key('#')), times: 1 },
        on_withdraw: OnWithdraw::Erase,
        blank_keys: false,
        pausing: Pausing { key: None, limit: ms(300_000) },
        agent_cue: false,
        beep: None,
        when_recording_fails: WhenRecordingFails::GoOn,
        retention: Retention { class: "quality-30d".into(), keep: ms(30 * 86_400_000) },
    }
}

pub(crate) fn line(recording: Recording) -> Arc<Line> {
    Arc::new(Line {
        id: LineId::new("sales").unwrap(),
        tenant: TenantId::new("acme").unwrap(),
        pattern: DialledPattern::new("+31201234567").unwrap(),
        direction: None,
        record_from: RecordFrom::Answer,
        policy: Arc::new(Policy {
            id: PolicyId::new("ask").unwrap(),
            version: 7,
            hash: Digest::from_bytes([0x9a; 32]),
            recording,
            ring_timeout: ms(30_000),
        }),
    })
}

pub(crate) fn offer(line: Option<Arc<Line>>) -> CallOffer {
    CallOffer {
        call: CALL,
        recording: RECORDING,
        direction: Direction::Inbound,
        line,
        emergency: false,
        aside: None,
        ready: Ok(()),
        target_up: true,
        early: None,
    }
}

pub(crate) fn asked(asking: Asking) -> CallOffer {
    offer(Some(line(Recording::Ask(Box::new(asking)))))
}

/// The same on a line that is recorded while an agent is there.
pub(crate) fn attended(offer: CallOffer) -> CallOffer {
    let line = offer.line.as_deref().cloned();
    let line = line.map(|line| Arc::new(Line { record_from: RecordFrom::Agent, ..line }));
    CallOffer { line, ..offer }
}

/// This agent talks to the customer, says this source.
pub(crate) fn agent(number: u8, source: AgentSource) -> Input {
    let id = AgentId::from_bytes([number; 16]);
    Input::Agent(AgentNews::Connected(Agent { id, queue: Queue::new("support").ok(), source }))
}

/// The same with the notice before the answer, which the carrier lets wait for a minute.
pub(crate) fn early(question: QuestionAt, asking: Asking) -> CallOffer {
    let early = EarlyNotice { question, limit: ms(60_000) };
    CallOffer { early: Some(early), ..asked(asking) }
}

/// The same for a call that the PBX starts.
pub(crate) fn placed(asking: Asking) -> CallOffer {
    CallOffer { direction: Direction::Outbound, ..asked(asking) }
}

pub(crate) fn words(consent: Consent, outcome: Outcome, verdict: Verdict) -> Words {
    Words { consent, outcome, verdict }
}

/// A call, the time, and everything it asked for.
pub(crate) struct Desk {
    pub(crate) call: Call,
    pub(crate) now: Time,
    /// The permit, as the tap would hold it.
    pub(crate) permit: Option<Permit>,
    pub(crate) evidence: Option<Box<Evidence>>,
    pub(crate) all: Vec<Seen>,
    polled: usize,
    unreported: Vec<Prompt>,
}

impl Desk {
    pub(crate) fn new(offer: CallOffer) -> Self {
        let mut desk = Self {
            call: Call::new(START, offer),
            now: START,
            permit: None,
            evidence: None,
            all: Vec::new(),
            polled: 0,
            unreported: Vec::new(),
        };
        desk.poll();
        desk
    }

    fn poll(&mut self) {
        while let Some(action) = self.call.poll_action() {
            let seen = Seen::of(&action);
            self.all.push(seen);
            if let Action::Play(prompt) | Action::Announce(prompt) = &action {
                self.unreported.push(*prompt);
            }
            if let Action::Record(permit) = action {
                let before = self.permit.replace(permit);
                assert!(before.is_none_or(|permit| !permit.is_live()), "one permit at a time");
            } else if let Action::Commit(evidence) = action {
                self.evidence = Some(evidence);
            }
        }
    }

    /// What was asked for since this was last asked.
    pub(crate) fn since(&mut self) -> Vec<Seen> {
        let since = self.all[self.polled..].to_vec();
        self.polled = self.all.len();
        since
    }

    /// Lets time pass, stopping at each deadline.
    pub(crate) fn wait(&mut self, millis: u64) -> Vec<Seen> {
        let until = self.now + ms(millis);
        while let Some(at) = self.call.poll_timeout().filter(|at| *at <= until) {
            assert!(at >= self.now, "a deadline lies in the past");
            self.now = at;
            self.call.handle_timeout(at);
            let next = self.call.poll_timeout();
            assert!(next.is_none_or(|next| next > at), "a deadline that was served is over");
            self.poll();
        }
        self.now = until;
        self.since()
    }

    /// Lets time pass until the next deadline, and says how long that was.
    pub(crate) fn wait_for_deadline(&mut self) -> (Duration, Vec<Seen>) {
        let at = self.call.poll_timeout().expect("nothing is waited for");
        let waited = at.since(self.now);
        self.now = at;
        self.call.handle_timeout(at);
        self.poll();
        (waited, self.since())
    }

    pub(crate) fn tell(&mut self, input: Input) -> Vec<Seen> {
        self.call.handle(self.now, input);
        self.poll();
        self.since()
    }

    pub(crate) fn press(&mut self, character: char) -> Vec<Seen> {
        self.tell(Input::Digit(Party::Customer, press(character, self.now)))
    }

    /// The oldest prompt is reported as cut after so many samples.
    pub(crate) fn cut(&mut self, samples: u32) -> Vec<Seen> {
        let prompt = self.unreported.remove(0);
        self.tell(Input::PromptEnded { prompt, samples, whole: false })
    }

    /// The oldest prompt is heard to its end.
    pub(crate) fn hear(&mut self) -> Vec<Seen> {
        let prompt = self.unreported.remove(0);
        let length = length_ms(prompt);
        self.wait(length);
        let samples = u32::try_from(length * 8).unwrap();
        self.call.handle(self.now, Input::PromptEnded { prompt, samples, whole: true });
        self.poll();
        self.since()
    }

    pub(crate) fn commit(&mut self) -> Vec<Seen> {
        let recording = self.evidence.as_ref().map_or(RECORDING, |evidence| evidence.recording);
        self.tell(Input::Committed { recording, evidence: HASH })
    }

    /// A call at the question, which is sounding.
    pub(crate) fn at_question(offer: CallOffer) -> Self {
        let mut desk = Self::new(offer);
        desk.tell(Input::Confirmed);
        desk.hear();
        desk
    }

    /// A call that was granted, committed and dialled; the PBX has said nothing yet.
    pub(crate) fn dialled(asking: Asking) -> Self {
        let mut desk = Self::new(asked(asking));
        desk.tell(Input::Confirmed);
        desk.press('1');
        desk.hear();
        desk.commit();
        if desk.all.last() != Some(&RINGS) && !desk.unreported.is_empty() {
            desk.hear();
        }
        desk.since();
        desk
    }

    /// A call that is bridged and recorded.
    pub(crate) fn recorded(asking: Asking) -> Self {
        let mut desk = Self::dialled(asking);
        desk.tell(Input::Answered);
        desk
    }

    /// The three words of the finished call.
    pub(crate) fn finished(&self) -> Words {
        match self.all.last() {
            Some(Seen::Finish(words)) => *words,
            other => panic!("the call is not finished: {other:?}"),
        }
    }
}
