//! A data folder, a signing key, and ready-made calls, recordings and slips.

use std::{path::Path, sync::Arc, time::Duration};

use call::{
    CallId, Consent, Digest, Direction, Evidence, Fact, Ground, Language, LineId, Outcome,
    PolicyId, Purpose, RecordingId, Retention, TenantId, Time, Verdict, Words,
};
use ledger::{
    CallLine, Ledger, LedgerConfig, LedgerError, LedgerWriter, Leftovers, NewCall, NewRecording,
    Origin, PartyKeys, SealedRecording, SealedSlip, Signer, Storage,
};
use ring::signature::{Ed25519KeyPair, KeyPair};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// A signer whose key is made of one byte.
pub(crate) struct Key(Ed25519KeyPair);

impl Key {
    pub(crate) fn new(seed: u8) -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap())
    }
}

impl Signer for Key {
    fn public_key(&self) -> [u8; 32] {
        self.0.public_key().as_ref().try_into().unwrap()
    }

    fn sign(&self, message: &[u8]) -> Option<[u8; 64]> {
        self.0.sign(message).as_ref().try_into().ok()
    }
}

/// The public half of the key that every fixture signs with.
pub(crate) fn trusted() -> [u8; 32] {
    Key::new(1).public_key()
}

/// A ledger in a folder of its own.
pub(crate) struct Fixture {
    pub(crate) folder: TempDir,
}

/// An open ledger and its writer's task.
pub(crate) struct Running {
    pub(crate) ledger: Ledger,
    pub(crate) leftovers: Leftovers,
    task: JoinHandle<()>,
}

impl std::ops::Deref for Running {
    type Target = Ledger;

    fn deref(&self) -> &Ledger {
        &self.ledger
    }
}

impl Running {
    /// Ends in order.
    pub(crate) async fn stop(self) {
        self.ledger.close().await;
        self.task.await.unwrap();
    }
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn config(&self) -> LedgerConfig {
        let origin = Origin::new("node1.example.nl/jawoord").unwrap();
        LedgerConfig::in_folder(self.path(), origin, Arc::new(Key::new(1)))
    }

    pub(crate) async fn try_open(
        &self,
        at: u64,
    ) -> Result<(Ledger, LedgerWriter, Leftovers), LedgerError> {
        Ledger::open(self.config(), time(at)).await
    }

    pub(crate) async fn open(&self, at: u64) -> Running {
        let (ledger, writer, leftovers) = self.try_open(at).await.unwrap();
        Running { ledger, leftovers, task: tokio::spawn(writer.run()) }
    }

    /// Opens it and gives back why that was refused.
    pub(crate) async fn refusal(&self, at: u64) -> LedgerError {
        self.try_open(at).await.err().expect("the ledger must not open")
    }

    /// Runs statements on one of the database files, past the ledger.
    pub(crate) async fn sql(&self, file: &str, statements: &str) {
        let options = SqliteConnectOptions::new().filename(self.path().join(file));
        let mut db = options.connect().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut db).await.unwrap();
        db.close().await.unwrap();
    }

    /// One number out of one of the database files.
    pub(crate) async fn number(&self, file: &str, query: &str) -> i64 {
        let options = SqliteConnectOptions::new().filename(self.path().join(file));
        let mut db = options.connect().await.unwrap();
        let number = sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(&mut db).await.unwrap();
        db.close().await.unwrap();
        number
    }

    /// Copies every file of the folder.
    pub(crate) fn copy(&self) -> TempDir {
        let copy = tempfile::tempdir().unwrap();
        copy_files(self.path(), copy.path());
        copy
    }

    /// Whether any file of the folder holds these bytes.
    pub(crate) fn holds(&self, needle: &[u8]) -> bool {
        let files = std::fs::read_dir(self.path()).unwrap();
        // A log that a closing connection takes away meanwhile holds nothing.
        let mut contents = files.filter_map(|file| std::fs::read(file.unwrap().path()).ok());
        contents.any(|bytes| find(&bytes, needle))
    }
}

/// Finds bytes in bytes, from one first byte to the next.
pub(crate) fn find(mut bytes: &[u8], needle: &[u8]) -> bool {
    while let Some(place) = memchr::memchr(needle[0], bytes) {
        if bytes[place..].starts_with(needle) {
            return true;
        }
        bytes = &bytes[place + 1..];
    }
    false
}

pub(crate) fn copy_files(from: &Path, to: &Path) {
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

pub(crate) fn time(secs: u64) -> Time {
    Time::from_micros(1_792_000_000_000_000 + secs * 1_000_000)
}

pub(crate) fn call(id: u8) -> CallId {
    CallId::from_bytes([id; 16])
}

pub(crate) fn recording(id: u8) -> RecordingId {
    RecordingId::from_bytes([id; 16])
}

pub(crate) fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

pub(crate) fn digest(byte: u8) -> Digest {
    Digest::from_bytes([byte; 32])
}

pub(crate) fn new_call(id: u8) -> NewCall {
    let line = CallLine {
        tenant: tenant(),
        line: LineId::new("sales").unwrap(),
        policy: PolicyId::new("quality").unwrap(),
        policy_version: 3,
        policy_hash: digest(3),
    };
    NewCall { call: call(id), direction: Direction::Inbound, line: Some(line) }
}

pub(crate) fn opened(id: u8) -> Fact {
    let line = new_call(id).line.unwrap();
    Fact::CallOpened {
        call: call(id),
        tenant: line.tenant,
        line: line.line,
        policy: line.policy,
        policy_version: line.policy_version,
        policy_hash: line.policy_hash,
    }
}

pub(crate) fn evidence(id: u8) -> Evidence {
    let line = new_call(id).line.unwrap();
    Evidence {
        call: call(id),
        recording: recording(id),
        tenant: line.tenant,
        line: line.line,
        policy: line.policy,
        policy_version: line.policy_version,
        policy_hash: line.policy_hash,
        ground: Ground::Consent,
        purposes: [Purpose::Quality, Purpose::Training].into_iter().collect(),
        language: Language::new("nl").unwrap(),
        prompts: Vec::new(),
        presses: Vec::new(),
        decided_at: time(5),
    }
}

/// A slip whose sealed bytes are found nowhere else.
pub(crate) fn slip(id: u8, revision: u32, epoch: u64) -> SealedSlip {
    let pattern = [b"slip".as_slice(), &[id], &revision.to_be_bytes(), &[id ^ 0x5a]].concat();
    SealedSlip {
        recording: recording(id),
        revision,
        epoch,
        sealed: pattern.repeat(60),
        commitment: digest(id.wrapping_add(u8::try_from(revision).unwrap())),
    }
}

pub(crate) fn new_recording(id: u8, epoch: u64) -> NewRecording {
    NewRecording {
        evidence: evidence(id),
        direction: Direction::Inbound,
        retention: Retention { class: "quality-30d".into(), keep: Duration::from_secs(100) },
        storage: Storage { country: "NL".into(), provider: "own-disk".into() },
        parties: PartyKeys { customer: Some([id; 32]), agent: None },
        slip: slip(id, 1, epoch),
    }
}

pub(crate) fn sealed(ended: u64) -> SealedRecording {
    SealedRecording {
        manifest: digest(77),
        object: "2026/12/object".into(),
        codec: "PCMA/PCMA".into(),
        ended_at: time(ended),
        duration_ms: 12_345,
        missing_ms: 20,
        gaps: 1,
        recovered: false,
    }
}

pub(crate) const WORDS: Words =
    Words { consent: Consent::Granted, outcome: Outcome::Bridged, verdict: Verdict::Recorded };

/// An epoch that is open.
pub(crate) async fn open_epoch(ledger: &Ledger, epoch: u64) {
    ledger.open_epoch(time(0), epoch, tenant(), "2026-12").await.unwrap();
}

/// A call with its committed recording.
pub(crate) async fn commit(ledger: &Ledger, id: u8, epoch: u64) {
    ledger.open_call(time(1), new_call(id), vec![opened(id)]).await.unwrap();
    ledger.commit_recording(time(5), new_recording(id, epoch), Vec::new()).await.unwrap();
}

/// A call that has ended, with its stored recording, due at 160 s.
pub(crate) async fn store(ledger: &Ledger, id: u8, epoch: u64) {
    commit(ledger, id, epoch).await;
    ledger.begin_recording(time(6), recording(id)).await.unwrap();
    ledger.seal_recording(time(60), recording(id), sealed(60), Vec::new()).await.unwrap();
    ledger.store_recording(time(61), recording(id), digest(88)).await.unwrap();
    let ended = Fact::CallEnded {
        call: call(id),
        consent: WORDS.consent,
        outcome: WORDS.outcome,
        verdict: WORDS.verdict,
    };
    ledger.close_call(time(62), call(id), WORDS, Vec::new(), vec![ended]).await.unwrap();
}
