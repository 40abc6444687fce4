//! An archive in memory with made-up calls, for the tests and for the example.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use call::{
    Alarm, CallId, Consent, DeadKeys, Digest, Direction, Ground, LineId, Outcome, Party, PolicyId,
    Purpose, RecordingId, TenantId, Time, Unheard, Verdict, Words,
};
use portal::{
    AgentError, Ailment, Archive, AskError, CallEntry, Entry, Erasure, ErasureState, Finding,
    Floor, Hearing, Incident, Now, OpenError, PauseError, Peak, ReadError, Reader, Reading,
    Running, Seated, Slice, Sound, State, Taping, Trouble, Unavailable, VerifyReport, Way,
    WithdrawError,
};

/// Frames per second of what is made up here.
const RATE_HZ: u32 = 8_000;

/// What the archive holds, and how often it was opened for each kind of reading.
pub(crate) struct Shelf {
    pub(crate) entries: Vec<Entry>,
    pub(crate) calls: Vec<CallEntry>,
    pub(crate) listened: AtomicU64,
    pub(crate) looked: AtomicU64,
    pub(crate) verified: AtomicU64,
    /// A recording with a second that does not open.
    pub(crate) damaged: Option<(RecordingId, u64)>,
    pub(crate) is_down: bool,
    /// The calls that run, and what is wrong.
    pub(crate) floor: Mutex<Now>,
    /// Who was said to talk to a customer last.
    pub(crate) seated: Mutex<Option<Seated>>,
}

pub(crate) fn id(number: u8) -> RecordingId {
    RecordingId::from_bytes([number; 16])
}

pub(crate) fn call_id(number: u8) -> CallId {
    CallId::from_bytes([number; 16])
}

pub(crate) const fn words(consent: Consent, outcome: Outcome, verdict: Verdict) -> Words {
    Words { consent, outcome, verdict }
}

pub(crate) const RECORDED: Words = words(Consent::Granted, Outcome::Bridged, Verdict::Recorded);

/// A complete recording of `seconds` that began at `started_at`.
pub(crate) fn entry(number: u8, started_at: Time, seconds: u64) -> Entry {
    Entry {
        recording: id(number),
        call: call_id(number),
        started_at,
        duration_ms: seconds * 1_000,
        tenant: TenantId::new("main").unwrap(),
        line: LineId::new("sales").unwrap(),
        direction: Direction::Inbound,
        ground: Ground::Consent,
        purposes: [Purpose::Quality, Purpose::Training].into_iter().collect(),
        evidence: Digest::from_bytes([number; 32]),
        policy: PolicyId::new("sales-consent").unwrap(),
        policy_version: 3,
        retention_class: "quality-30d".to_owned(),
        delete_after: started_at + Duration::from_secs(30 * 86_400),
        held: false,
        storage_country: "NL".to_owned(),
        storage_provider: "own disk".to_owned(),
        codec: "PCMA/PCMA".to_owned(),
        missing_ms: 0,
        gaps: 0,
        words: Some(RECORDED),
        state: State::Stored,
        erased: Vec::new(),
        alarms: Vec::new(),
    }
}

/// A call that left no recording.
pub(crate) fn call(number: u8, started_at: Time, words: Option<Words>) -> CallEntry {
    CallEntry {
        call: call_id(number),
        started_at,
        line: Some(LineId::new("support").unwrap()),
        direction: Direction::Inbound,
        words,
        alarms: Vec::new(),
    }
}

impl Shelf {
    pub(crate) fn of(entries: Vec<Entry>, calls: Vec<CallEntry>) -> Self {
        Self {
            entries,
            calls,
            listened: AtomicU64::new(0),
            looked: AtomicU64::new(0),
            verified: AtomicU64::new(0),
            damaged: None,
            is_down: false,
            floor: Mutex::default(),
            seated: Mutex::default(),
        }
    }

    /// A morning of calls of every kind.
    pub(crate) fn of_a_morning(now: Time) -> Self {
        let ago = |minutes: u64| now - Duration::from_secs(minutes * 60);
        let since = ago(5);
        let running = Entry {
            state: State::Recording,
            words: None,
            duration_ms: 0,
            codec: String::new(),
            ..entry(1, ago(1), 0)
        };
        let erased = Entry {
            erased: vec![
                Erasure { from_s: 10, to_s: 20, state: ErasureState::Unrecoverable, since },
                Erasure { from_s: 42, to_s: 47, state: ErasureState::Erased, since },
            ],
            line: LineId::new("support").unwrap(),
            ..entry(3, ago(48), 95)
        };
        let degraded = Entry {
            missing_ms: 340,
            gaps: 2,
            words: Some(words(Consent::Granted, Outcome::Bridged, Verdict::Degraded)),
            state: State::Sealed,
            held: true,
            alarms: vec![
                Incident {
                    alarm: Alarm::Unheard(Party::Agent, Unheard::Silent),
                    since: ago(94),
                    until: Some(ago(93)),
                },
                Incident { alarm: Alarm::Late, since: ago(94), until: None },
            ],
            ..entry(4, ago(95), 187)
        };
        let long = Entry {
            storage_provider: "Garage, Amsterdam".to_owned(),
            purposes: [Purpose::Evidence].into_iter().collect(),
            ..entry(5, ago(200), 3_725)
        };
        let entries = vec![running, entry(2, ago(12), 63), erased, degraded, long];
        let ended = |number, minutes, consent, outcome, verdict| {
            call(number, ago(minutes), Some(words(consent, outcome, verdict)))
        };
        let calls = vec![
            call(20, ago(0), None),
            ended(21, 7, Consent::Refused, Outcome::Bridged, Verdict::Refused),
            ended(22, 20, Consent::NotGiven, Outcome::Bridged, Verdict::NotGiven),
            ended(23, 31, Consent::Abandoned, Outcome::CallerGone, Verdict::Abandoned),
            ended(24, 44, Consent::Granted, Outcome::Busy, Verdict::Unconnected),
            ended(25, 70, Consent::NotAsked, Outcome::Bridged, Verdict::PolicyOff),
            ended(26, 81, Consent::NotAsked, Outcome::Bridged, Verdict::Emergency),
            ended(27, 99, Consent::NotAsked, Outcome::Bridged, Verdict::Blocked),
        ];
        let shelf = Self::of(entries, unheard_keys(calls, ago(20)));
        *shelf.floor.lock().unwrap() = floor(now);
        shelf
    }

    fn find(&self, recording: RecordingId) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.recording == recording)
    }

    fn up(&self) -> Result<(), Unavailable> {
        if self.is_down { Err(Unavailable) } else { Ok(()) }
    }
}

impl Archive for Shelf {
    async fn recordings(&self, slice: Slice) -> Result<Vec<Entry>, Unavailable> {
        self.up()?;
        let wanted = |entry: &&Entry| slice.before.is_none_or(|before| entry.started_at < before);
        Ok(self.entries.iter().filter(wanted).take(slice.limit).cloned().collect())
    }

    async fn recording(&self, recording: RecordingId) -> Result<Option<Entry>, Unavailable> {
        self.up()?;
        Ok(self.find(recording).cloned())
    }

    async fn calls(&self, slice: Slice) -> Result<Vec<CallEntry>, Unavailable> {
        self.up()?;
        let wanted = |it: &&CallEntry| slice.before.is_none_or(|before| it.started_at < before);
        Ok(self.calls.iter().filter(wanted).take(slice.limit).cloned().collect())
    }

    async fn open(
        &self,
        recording: RecordingId,
        reader: Reader,
    ) -> Result<Box<dyn Sound>, OpenError> {
        self.up().map_err(|Unavailable| OpenError::Unavailable)?;
        let entry = self.find(recording).ok_or(OpenError::Unknown)?;
        if !entry.state.is_sealed() {
            return Err(OpenError::NotReady);
        }
        let counter = match reader.reading {
            Reading::Listen => &self.listened,
            Reading::Look => &self.looked,
            Reading::Verify => &self.verified,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        let damaged = self.damaged.filter(|(damaged, _)| *damaged == recording);
        Ok(Box::new(Chatter {
            frames: entry.duration_ms * u64::from(RATE_HZ) / 1_000,
            erased: entry.erased.clone(),
            damaged: damaged.map(|(_, second)| second),
        }))
    }

    async fn verify(
        &self,
        recording: RecordingId,
        reader: Reader,
    ) -> Result<VerifyReport, OpenError> {
        assert_eq!(reader.reading, Reading::Verify);
        self.up().map_err(|Unavailable| OpenError::Unavailable)?;
        let entry = self.find(recording).ok_or(OpenError::Unknown)?;
        self.verified.fetch_add(1, Ordering::Relaxed);
        let finding = |holds, text: String| Finding { holds, text };
        let seconds = entry.duration_ms / 1_000;
        let mut findings = vec![
            finding(true, "the manifest is signed by this node".to_owned()),
            finding(true, "the slip is the newest revision".to_owned()),
        ];
        let damaged = self.damaged.filter(|(damaged, _)| *damaged == recording);
        findings.push(match damaged {
            Some((_, second)) => finding(false, format!("second {second} is not what was sealed")),
            None => finding(true, format!("{seconds} of {seconds} seconds are what was sealed")),
        });
        Ok(VerifyReport { sound: damaged.is_none(), findings })
    }
}

/// The calls that nobody answered, with the reason.
fn unheard_keys(calls: Vec<CallEntry>, since: Time) -> Vec<CallEntry> {
    let alarm = Alarm::DeadKeys(DeadKeys::Tones);
    let wrong = |call: CallEntry| match call.words {
        Some(words) if words.verdict == Verdict::NotGiven => {
            CallEntry { alarms: vec![Incident { alarm, since, until: None }], ..call }
        }
        Some(_) | None => call,
    };
    calls.into_iter().map(wrong).collect()
}

/// A call that runs.
pub(crate) fn running(number: u8, started_at: Time, taping: Taping) -> Running {
    Running {
        call: call_id(number),
        started_at,
        line: Some(LineId::new("sales").unwrap()),
        direction: Direction::Inbound,
        taping,
        askable: false,
        alarms: Vec::new(),
        sound: Vec::new(),
    }
}

/// So many packets of ten thousand lost, and so many microseconds of jitter.
fn hearing(leg: Party, way: Way, (lost_of_10000, jitter_us): (u16, u32)) -> Hearing {
    Hearing { leg, way, mos_hundredths: 431, lost_of_10000, jitter_us }
}

/// Calls of every kind that run, and something wrong of every kind.
fn floor(now: Time) -> Now {
    let ago = |minutes: u64| now - Duration::from_secs(minutes * 60);
    let unheard = Alarm::Unheard(Party::Customer, Unheard::Elsewhere);
    let wrong = Running {
        alarms: vec![
            Incident { alarm: unheard, since: ago(1), until: None },
            Incident { alarm: Alarm::CutShort, since: ago(0), until: None },
        ],
        sound: vec![
            hearing(Party::Agent, Way::Received, (3, 420)),
            hearing(Party::Agent, Way::Sent, (154, 21_760)),
        ],
        ..running(30, ago(3), Taping::Off)
    };
    let calls = vec![
        wrong,
        running(1, ago(1), Taping::On),
        running(31, ago(2), Taping::Paused),
        Running { line: None, direction: Direction::Outbound, ..running(32, ago(9), Taping::Off) },
    ];
    let dead = Ailment::Unanswered { trunk: "carrier".to_owned(), questions: 20 };
    let troubles = vec![
        Trouble { what: Ailment::Disk, since: ago(2) },
        Trouble { what: dead, since: ago(40) },
    ];
    Now { running: calls.len(), calls, troubles }
}

impl Floor for Shelf {
    async fn now(&self) -> Result<Now, Unavailable> {
        self.up()?;
        Ok(self.floor.lock().unwrap().clone())
    }

    async fn ask(&self, call: &str) -> Result<(), AskError> {
        let mut floor = self.floor.lock().unwrap();
        let mut calls = floor.calls.iter_mut();
        let running = calls.find(|it| it.call.to_string() == call).ok_or(AskError::Unknown)?;
        match (running.taping, std::mem::take(&mut running.askable)) {
            (Taping::Off, true) => {
                running.taping = Taping::Asked;
                Ok(())
            }
            (Taping::Off | Taping::Asked | Taping::On | Taping::Paused | Taping::NoAgent, _) => {
                Err(AskError::NotNow)
            }
        }
    }

    async fn agent(&self, call: &str, seated: Option<Seated>) -> Result<(), AgentError> {
        let mut floor = self.floor.lock().unwrap();
        let mut calls = floor.calls.iter_mut();
        let running = calls.find(|it| it.call.to_string() == call).ok_or(AgentError::Unknown)?;
        running.taping = if seated.is_some() { Taping::On } else { Taping::NoAgent };
        *self.seated.lock().unwrap() = seated;
        Ok(())
    }

    async fn pause(&self, call: &str, on: bool) -> Result<(), PauseError> {
        let mut floor = self.floor.lock().unwrap();
        // The third call is known by a Call-ID, too.
        let is = |it: &&mut Running| {
            it.call.to_string() == call || (call == "a/b@c.test" && it.call == call_id(31))
        };
        let running = floor.calls.iter_mut().find(is).ok_or(PauseError::Unknown)?;
        if matches!(running.taping, Taping::Off | Taping::Asked) {
            return Err(PauseError::NotRecorded);
        }
        running.taping = if on { Taping::Paused } else { Taping::On };
        Ok(())
    }

    async fn withdraw(&self, call: &str) -> Result<(), WithdrawError> {
        let mut floor = self.floor.lock().unwrap();
        let mut calls = floor.calls.iter_mut();
        let running = calls.find(|it| it.call.to_string() == call).ok_or(WithdrawError::Unknown)?;
        if matches!(running.taping, Taping::Off | Taping::Asked) {
            return Err(WithdrawError::Nothing);
        }
        running.taping = Taping::Off;
        Ok(())
    }
}

/// Two parties who take turns, as tones whose loudness rises and falls like syllables.
struct Chatter {
    frames: u64,
    erased: Vec<Erasure>,
    damaged: Option<u64>,
}

/// The frame with this number.
pub(crate) fn spoken(frame: u64) -> [i16; 2] {
    let time = frame as f64 / f64::from(RATE_HZ);
    // Who speaks changes every few seconds, with both silent for a moment in between.
    let turn = (time / 3.7).fract();
    let is_customer = ((time / 3.7) as u64).is_multiple_of(2);
    let phrase = if turn < 0.88 { (turn / 0.88 * std::f64::consts::PI).sin().sqrt() } else { 0.0 };
    let syllable = (time * 4.3).sin().abs() * (0.55 + 0.45 * (time * 1.7).sin());
    let loudness = phrase * syllable * if is_customer { 9_000.0 } else { 12_000.0 };
    let pitch = if is_customer { 210.0 } else { 135.0 };
    let wave = (time * pitch * std::f64::consts::TAU).sin()
        + 0.4 * (time * pitch * 3.0 * std::f64::consts::TAU).sin();
    let sample = (wave * loudness) as i16;
    if is_customer { [sample, 0] } else { [0, sample] }
}

impl Sound for Chatter {
    fn rate_hz(&self) -> u32 {
        RATE_HZ
    }

    fn frames(&self) -> u64 {
        self.frames
    }

    fn read(&mut self, first: u64, out: &mut [[i16; 2]]) -> Result<(), ReadError> {
        assert!(first + out.len() as u64 <= self.frames, "reads beyond the end");
        for (number, frame) in (first..).zip(out) {
            let second = number / u64::from(RATE_HZ);
            if self.damaged == Some(second) {
                return Err(ReadError::Damaged { second });
            }
            let is_erased =
                self.erased.iter().any(|range| (range.from_s..range.to_s).contains(&second));
            *frame = if is_erased { [0, 0] } else { spoken(number) };
        }
        Ok(())
    }

    fn peaks(&mut self) -> Result<Option<Vec<Peak>>, ReadError> {
        Ok(None)
    }
}
