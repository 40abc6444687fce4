//! A bench for recordings: a permit from a real call, a spool and a store in a folder of its own.

#![allow(dead_code, reason = "each test takes what it needs of the bench")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a bench that breaks fails its test"
)]

use std::{
    fs,
    io::Cursor,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use call::*;
use vault::*;

pub(crate) const RECORDING: RecordingId = RecordingId::from_bytes(*b"recording-number");
pub(crate) const CALL: CallId = CallId::from_bytes([0xca; 16]);
pub(crate) const START: Time = Time::from_micros(1_795_340_000_000_000);
pub(crate) const EPOCH: EpochNumber = EpochNumber(7);
pub(crate) const CALLER: &str = "+31612345678";

/// A folder that is gone when the test is.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("jawoord-vault-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Every file below, with its bytes.
    pub(crate) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        fn walk(folder: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, found);
                } else {
                    let bytes = fs::read(&path).unwrap();
                    found.push((path, bytes));
                }
            }
        }
        let mut found = Vec::new();
        walk(&self.0, &mut found);
        found
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone_anyway = fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

fn asking(heard: Parties) -> Asking {
    let key = |character| Key::new(character).unwrap();
    let id = PromptId { version: 1, sha256: Digest::from_bytes([1; 32]) };
    Asking {
        ground: Ground::Consent,
        purposes: [Purpose::Quality].into_iter().collect(),
        heard,
        language: Language::new("nl").unwrap(),
        prompts: Prompt::ALL.into_iter().map(|prompt| (prompt, id)).collect(),
        keys: Keys { grant: key('1'), refuse: key('2'), withdraw: key('*'), info: key('9') },
        repeats: 1,
        answer_timeout: Duration::from_secs(4),
        unbridged_limit: Duration::from_secs(35),
        confirm: Confirm::First,
        inbound: call::Inbound::First,
        audience: call::Audience::Both,
        outbound: Outbound::Never,
        on_withdraw: OnWithdraw::Erase,
        blank_keys: false,
        pausing: call::Pausing { key: None, limit: Duration::from_secs(300) },
        agent_cue: false,
        beep: None,
        when_recording_fails: WhenRecordingFails::GoOn,
        retention: Retention { class: "quality-30d".into(), keep: Duration::from_secs(2_592_000) },
    }
}

/// The only way to a permit: a call in which the notice is heard and the grant key is pressed.
/// The call comes along because it holds the leash.
pub(crate) fn granted(recording: RecordingId, heard: Parties) -> (Permit, Call) {
    let line = Line {
        id: LineId::new("sales").unwrap(),
        tenant: tenant(),
        pattern: DialledPattern::new("+31201234567").unwrap(),
        direction: None,
        record_from: RecordFrom::Answer,
        policy: Arc::new(Policy {
            id: PolicyId::new("ask").unwrap(),
            version: 3,
            hash: Digest::from_bytes([9; 32]),
            recording: Recording::Ask(Box::new(asking(heard))),
            ring_timeout: Duration::from_secs(30),
        }),
    };
    let offer = CallOffer {
        call: CALL,
        recording,
        direction: Direction::Inbound,
        line: Some(Arc::new(line)),
        emergency: false,
        aside: None,
        ready: Ok(()),
        target_up: true,
        early: None,
    };
    let mut now = START;
    let mut call = Call::new(now, offer);
    call.handle(now, Input::Confirmed);
    loop {
        match call.poll_action().expect("the call asks for a recording") {
            Action::Play(prompt @ Prompt::Notice) => {
                now = now + Duration::from_secs(9);
                call.handle(now, Input::PromptEnded { prompt, samples: 72_000, whole: true });
            }
            Action::Play(Prompt::Question) => {
                let key = Private::new(Key::new('1').unwrap());
                let raw = Private::new(Raw::NONE);
                let press = Press { key, at: now, transport: Transport::Rfc4733, raw };
                call.handle(now, Input::Digit(Party::Customer, press));
            }
            Action::Play(prompt) => {
                call.handle(now, Input::PromptEnded { prompt, samples: 8_000, whole: true });
            }
            Action::Commit(evidence) => {
                let (recording, hash) = (evidence.recording, Digest::from_bytes([5; 32]));
                call.handle(now, Input::Committed { recording, evidence: hash });
            }
            Action::Record(permit) => return (permit, call),
            _ => {}
        }
    }
}

pub(crate) fn seed() -> RootSeed {
    RootSeed::from_bytes(*b"the seed of the key tree, 32 by.")
}

pub(crate) fn slip() -> Slip {
    Slip::first(RECORDING, &seed())
}

pub(crate) fn sink() -> Sink {
    Sink { country: Country::new("NL").unwrap(), provider: "own disk".into() }
}

pub(crate) fn tags(recording: RecordingId) -> Tags {
    Tags {
        recording,
        call: CALL,
        tenant: tenant(),
        line: LineId::new("sales").unwrap(),
        direction: Direction::Inbound,
        purposes: [Purpose::Quality, Purpose::Training].into_iter().collect(),
        ground: Ground::Consent,
        evidence: Digest::from_bytes([5; 32]),
        policy: PolicyId::new("ask").unwrap(),
        policy_version: 3,
        policy_hash: Digest::from_bytes([9; 32]),
        retention_class: "quality 100%\n30d".into(),
        delete_after: START + Duration::from_secs(2_592_000),
        hold: false,
        storage_country: sink().country,
        storage_provider: sink().provider,
        started_at: START,
        words: Words {
            consent: Consent::Granted,
            outcome: Outcome::Bridged,
            verdict: Verdict::Recorded,
        },
        customer_key: Some(Digest::from_bytes([1; 32])),
        agent_key: None,
    }
}

pub(crate) fn metadata() -> Metadata {
    Metadata::default()
        .with(MetadataField::CustomerNumber, Private::new(CALLER.to_owned()))
        .with(MetadataField::CustomerCallId, Private::new("call-id@carrier.invalid".to_owned()))
}

/// A sound that differs at every position, between the channels, and is never silence: its value
/// says where it was spoken.
pub(crate) fn spoken(party: Party, codec: Codec, at: u64) -> i16 {
    let shift = match party {
        Party::Customer => 0,
        Party::Agent => 4_001,
    };
    let value = i16::try_from((at * 37 + shift) % 15_000).unwrap() + 500;
    // As it is after the codec, so that what is heard can be compared exactly.
    codec.decode(codec.encode(value))
}

pub(crate) fn payload(party: Party, codec: Codec, from: u64, count: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    for at in from..from + count {
        let code = codec.encode(spoken(party, codec, at)).to_le_bytes();
        for _ in 0..codec.samples() {
            bytes.extend_from_slice(&code[..codec.width() / codec.samples()]);
        }
    }
    bytes
}

/// Codes whose sound is that of A-law, so that every codec can say it exactly, and twice as loud in the
/// second half of each position.
struct Echo;

impl Decode for Echo {
    fn decode(&mut self, code: u8) -> Decoded {
        let narrow = Codec::Pcma.decode(code.into());
        Decoded { wide: [narrow, narrow.saturating_mul(2)], narrow }
    }
}

pub(crate) fn echo() -> Box<dyn Decode> {
    Box::new(Echo)
}

/// Folders, keys, spool and store of one node.
pub(crate) struct Bench {
    pub(crate) folder: Folder,
    pub(crate) keys: KeyFile,
    pub(crate) spool: Spool,
    pub(crate) store: LocalStore,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let folder = Folder::new();
        Self {
            keys: KeyFile::open_or_create(&folder.join("data.keys/jawoord.key")).unwrap(),
            spool: Spool::open(&folder.join("data/spool"), 0).unwrap(),
            store: LocalStore::open(&folder.join("data/objects"), sink()).unwrap(),
            folder,
        }
    }

    pub(crate) fn trust(&self) -> Trust {
        Trust::parse(&self.keys.public_key().trust_file()).unwrap()
    }

    pub(crate) fn spool_folder(&self) -> PathBuf {
        self.folder.join("data/spool")
    }

    /// Appends what the writer has, as the recorder does.
    pub(crate) fn drain(&mut self, writer: &mut Writer) {
        while let Some(record) = writer.poll_record() {
            self.spool.append(&record).unwrap();
        }
    }

    pub(crate) fn finish(&mut self, writer: Writer, end: u64) {
        for record in writer.finish(end).unwrap() {
            self.spool.append(&record).unwrap();
        }
    }

    /// Makes the tape into an object and gives its bytes.
    pub(crate) fn store(&mut self, recording: RecordingId) -> (Sealed, Vec<u8>) {
        let tape = self.spool.take(recording).unwrap();
        let sealed = tape.finalise(tags(recording), &self.keys, &self.store).unwrap();
        self.spool.release(recording).unwrap();
        (sealed, fs::read(self.store.path(recording)).unwrap())
    }

    /// A recording of both parties speaking all the time, in order.
    pub(crate) fn record(&mut self, recording: RecordingId, codecs: [Codec; 2], samples: u64) {
        let (permit, _call) = granted(recording, Parties::BOTH);
        let config = WriterConfig { codecs, metadata: metadata() };
        let mut writer = Writer::create(&permit, seed(), &config).unwrap();
        self.drain(&mut writer);
        let mut at = 0;
        while at < samples {
            let count = 160.min(samples - at);
            for (party, codec) in [Party::Customer, Party::Agent].into_iter().zip(codecs) {
                writer.push(party, at, codec, &payload(party, codec, at, count)).unwrap();
            }
            at += count;
            writer.advance(at).unwrap();
            self.drain(&mut writer);
        }
        self.finish(writer, samples);
    }

    /// The bytes of a plain A-law recording.
    pub(crate) fn object(&mut self, samples: u64) -> Vec<u8> {
        self.record(RECORDING, [Codec::Pcma; 2], samples);
        self.store(RECORDING).1
    }
}

pub(crate) fn verify(object: &[u8], trust: &Trust) -> Result<Report, ObjectError> {
    verify_object(&mut Cursor::new(object), trust, Some(&slip()))
}

/// Everything that can be heard, at the rate of the recording.
pub(crate) fn listen_at_rate(object: &[u8], slip: Slip) -> (u32, Vec<[i16; 2]>) {
    let mut reader = Reader::open(Cursor::new(object), slip).unwrap();
    let mut heard = vec![[0; 2]; usize::try_from(reader.frames()).unwrap()];
    let count = reader.read(0, &mut heard).unwrap();
    assert_eq!(count, heard.len());
    (reader.rate_hz(), heard)
}

/// What can be heard first at each position.
pub(crate) fn listen(object: &[u8], slip: Slip) -> Vec<[i16; 2]> {
    let (rate_hz, heard) = listen_at_rate(object, slip);
    heard.into_iter().step_by((rate_hz / SAMPLES_PER_SECOND) as usize).collect()
}

/// What both parties said at a position.
pub(crate) fn said(codecs: [Codec; 2], at: u64) -> [i16; 2] {
    let [customer, agent] = codecs;
    [spoken(Party::Customer, customer, at), spoken(Party::Agent, agent, at)]
}

/// Small pseudo-random numbers; the seed is in the test.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        // Knuth's MMIX constants; the high bits are good enough here.
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}
