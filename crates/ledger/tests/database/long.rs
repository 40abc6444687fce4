//! A million rows and a hundred thousand facts: an index finds what is asked, a proof holds it all.

use std::{fs::File, io::BufReader};

use call::{CallId, Fact, RecordingId};
use ledger::{
    CHECKPOINTS_FILE, CallFilter, ENTRIES_FILE, Finding, RecordingFilter, RecordingState,
    verify_export,
};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row, sqlite::SqliteConnectOptions};

use super::fixture::{Fixture, Running, WORDS, time, trusted};

const ROWS: u64 = 1_000_000;
/// A prime above [`ROWS`]: multiples of [`STRIDE`] modulo it spread what is due over all rows.
const PRIME: u64 = 1_000_003;
const STRIDE: u64 = 7_919;
/// Seconds after which the first recording is due.
const DUE: u64 = 2_000_000;

/// The id of row `n` as the statements below make it; neither times nor ids follow from another.
fn id(n: u64) -> [u8; 16] {
    let head = n.wrapping_mul(2_654_435_761) as u32;
    (u128::from(head) << 96 | u128::from(n)).to_be_bytes()
}

/// Calls and stored recordings past the ledger, because a million durable commits take an hour.
const FILL: &str = "
PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF;
PRAGMA cache_size = -1000000;
BEGIN;
CREATE TEMP TABLE n AS
    WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1000000)
    SELECT n, unhex(printf('%08x%024x', (n * 2654435761) & 4294967295, n)) AS id,
        1792000000000000 + n * 1000000 AS at FROM n;
INSERT INTO calls (call_id, direction, tenant, line, policy, policy_version, policy_hash,
        opened_at, closed_at, consent, outcome, verdict)
    SELECT id, 'inbound', 'acme', 'sales', 'quality', 3, zeroblob(32),
        at, at + 60000000, 'granted', 'bridged', 'recorded' FROM n;
INSERT INTO recordings (recording_id, call_id, tenant, line, direction,
        policy, policy_version, policy_hash, ground, purposes, evidence_hash,
        retention_class, keep_micros, delete_after, country, provider, state, permitted_at,
        manifest, object, codec, ended_at, duration_ms, missing_ms, gaps, recovered, object_sha256)
    SELECT id, id, 'acme', 'sales', 'inbound',
        'quality', 3, zeroblob(32), 'consent', 'quality', zeroblob(32),
        'quality-30d', 100000000, 1794000000000000 + (n * 7919 % 1000003) * 1000000,
        'NL', 'own-disk', 'stored', at + 5000000,
        zeroblob(32), '2026/12/object', 'PCMA/PCMA', at + 60000000, 55000, 0, 0, 0, zeroblob(32)
    FROM n;
COMMIT;
";

/// The statement that a function of the ledger runs: the first literal behind `function`.
fn statement<'a>(source: &'a str, function: &str) -> &'a str {
    let (_, body) = source.split_once(function).expect(function);
    body.split('"').nth(1).unwrap()
}

/// Asserts that SQLite begins a statement with a search in this index, and neither reads a whole
/// table nor sorts more than what is equal in the index.
async fn assert_searched(fixture: &Fixture, statement: &str, index: &str) {
    let options = SqliteConnectOptions::new().filename(fixture.path().join("ledger.db"));
    let mut db = options.connect().await.unwrap();
    let explained = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}")));
    let rows = explained.fetch_all(&mut db).await.unwrap();
    let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
    assert!(plan[0].starts_with("SEARCH") && plan[0].contains(index), "{statement}: {plan:?}");
    let whole = |step: &String| step.starts_with("SCAN") || step.ends_with("B-TREE FOR ORDER BY");
    assert!(!plan.iter().any(whole), "{statement}: {plan:?}");
    db.close().await.unwrap();
}

async fn assert_every_question_searches(fixture: &Fixture) {
    let calls = include_str!("../../src/database/read_calls.rs");
    let recordings = include_str!("../../src/database/read_recordings.rs");
    let recordings_of = |function| {
        statement(recordings, "macro_rules! select_recordings").to_owned()
            + statement(recordings, function)
    };
    let listed = recordings_of("pub async fn recordings(");
    let named = recordings_of("pub async fn recording(");
    let cases = [
        (statement(calls, "pub async fn calls("), "calls_by_time"),
        (statement(calls, "pub async fn call("), "(call_id=?)"),
        (statement(calls, "pub async fn ladder("), "(call_id=?)"),
        (listed.as_str(), "recordings_by_time"),
        (named.as_str(), "(recording_id=?)"),
        (statement(recordings, "async fn due_page("), "recordings_by_due"),
    ];
    for (statement, index) in cases {
        assert_searched(fixture, statement, index).await;
    }
}

async fn assert_newest_first(ledger: &Running) {
    let newest: Vec<_> = (ROWS - 999..=ROWS).rev().map(id).collect();
    let calls = ledger.calls(&CallFilter::default()).await.unwrap();
    let ids: Vec<_> = calls.iter().map(|row| *row.call.call.as_bytes()).collect();
    assert_eq!(ids, newest);
    let recordings = ledger.recordings(&RecordingFilter::default()).await.unwrap();
    let ids: Vec<_> = recordings.iter().map(|row| *row.recording.as_bytes()).collect();
    assert_eq!(ids, newest);
    let half = ROWS / 2;
    let before = Some(time(half));
    let filter = CallFilter { before, limit: 3, ..CallFilter::default() };
    let calls = ledger.calls(&filter).await.unwrap();
    let ids: Vec<_> = calls.iter().map(|row| *row.call.call.as_bytes()).collect();
    assert_eq!(ids, [half - 1, half - 2, half - 3].map(id));
    let since = Some(time(half - 2));
    let filter = RecordingFilter { since, before, ..RecordingFilter::default() };
    let recordings = ledger.recordings(&filter).await.unwrap();
    let ids: Vec<_> = recordings.iter().map(|row| *row.recording.as_bytes()).collect();
    assert_eq!(ids, [half - 6, half - 7].map(id), "permitted five seconds after their calls");
}

async fn assert_found_by_id(ledger: &Running) {
    for n in [1, 77_777, ROWS / 2, ROWS] {
        let call = ledger.call(CallId::from_bytes(id(n))).await.unwrap().unwrap();
        assert_eq!((call.opened_at, call.words), (time(n), Some(WORDS)));
        let recording = RecordingId::from_bytes(id(n));
        let row = ledger.recording(recording).await.unwrap().unwrap();
        assert_eq!((row.permitted_at, row.state), (time(n + 5), RecordingState::Stored));
        let filter = RecordingFilter { call: Some(row.call), ..RecordingFilter::default() };
        assert_eq!(ledger.recordings(&filter).await.unwrap(), [row]);
    }
    let nobody = id(ROWS + 1);
    assert_eq!(ledger.call(CallId::from_bytes(nobody)).await.unwrap(), None);
    assert_eq!(ledger.recording(RecordingId::from_bytes(nobody)).await.unwrap(), None);
}

/// What is due within `seconds`, as the statements above dated it, the longest overdue first.
fn expected_due(seconds: u64) -> Vec<(u64, u64)> {
    let mut due: Vec<_> = (1..=ROWS).map(|n| (n * STRIDE % PRIME, n)).collect();
    due.retain(|(after, _)| *after <= seconds);
    due.sort_unstable();
    due
}

#[tokio::test]
async fn of_a_million_recordings_the_due_the_newest_and_the_named_are_found_by_an_index() {
    let fixture = Fixture::new();
    fixture.open(0).await.stop().await;
    fixture.sql("ledger.db", FILL).await;
    assert_eq!(fixture.number("ledger.db", "SELECT COUNT(*) FROM recordings").await, 1_000_000);
    let expected = expected_due(2_500);
    let (held, running) = (expected[0].1, expected[1].1);
    let hex = |n| u128::from_be_bytes(id(n));
    let changes = format!(
        "INSERT INTO holds (recording_id, placed_at) VALUES (x'{:032x}', 1792000000000000);
         UPDATE calls SET closed_at = NULL, consent = NULL, outcome = NULL, verdict = NULL
             WHERE call_id = x'{:032x}';",
        hex(held),
        hex(running)
    );
    fixture.sql("ledger.db", &changes).await;
    let ledger = fixture.open(DUE).await;
    assert_eq!(ledger.leftovers.calls, [CallId::from_bytes(id(running))]);
    assert_every_question_searches(&fixture).await;
    assert_newest_first(&ledger).await;
    assert_found_by_id(&ledger).await;
    // More than two pages of candidates, of which a hold and a running call are none.
    let due = ledger.due(time(DUE + 2_500), usize::MAX).await.unwrap();
    let found: Vec<_> = due.iter().map(|due| (due.since, *due.recording.as_bytes())).collect();
    let dated = |(after, n): &(u64, u64)| (time(DUE + after), id(*n));
    assert_eq!(found, expected[2..].iter().map(dated).collect::<Vec<_>>());
    let first = ledger.due(time(DUE + 2_500), 10).await.unwrap();
    assert_eq!(first, due[..10]);
    assert_eq!(ledger.due(time(DUE), 10).await.unwrap(), []);
    ledger.stop().await;
}

const ENTRIES: u64 = 100_000;
const BATCH: u64 = 1_000;

/// One entry among the first `size`, spread by multiplication with a prime.
fn any_of(size: u64, n: u64) -> u64 {
    n.wrapping_mul(2_654_435_761) % size
}

#[tokio::test]
async fn a_tree_of_a_hundred_thousand_facts_is_proved_and_one_flipped_bit_in_it_is_named() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    let mut heads = Vec::new();
    for batch in 0..ENTRIES / BATCH {
        let read =
            |n| Fact::RecordingRead { recording: RecordingId::from_bytes(id(n)), access: "play" };
        let facts = (batch * BATCH..(batch + 1) * BATCH).map(read).collect();
        ledger.append(time(batch), facts).await.unwrap();
        heads.push(ledger.head());
    }
    let head = ledger.head();
    assert_eq!(head.size, ENTRIES);
    let report = ledger.audit(Some(trusted())).await.unwrap();
    assert!(report.is_proved() && report.head == head, "{report:?}");
    for n in 1..=1_000 {
        let index = any_of(ENTRIES, n);
        let entry = ledger.entries(index, 1).await.unwrap().remove(0);
        let proof = ledger.inclusion_proof(index, ENTRIES).await.unwrap();
        assert!(proof.holds(entry.leaf(), head), "entry {index}");
        assert!(!proof.holds(entry.commitment(), head), "entry {index}");
    }
    for old in heads {
        let proof = ledger.consistency_proof(old.size, ENTRIES).await.unwrap();
        assert!(proof.holds(old, head), "size {}", old.size);
    }
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(ledger.export_audit(folder.path()).await, Ok(ENTRIES));
    let open = |name| BufReader::new(File::open(folder.path().join(name)).unwrap());
    let report = verify_export(open(ENTRIES_FILE), open(CHECKPOINTS_FILE), Some(trusted()));
    assert_eq!(report.map(|report| (report.is_proved(), report.head)).ok(), Some((true, head)));
    let damage = "DROP TRIGGER entries_are_never_changed;
         UPDATE entries SET body = CAST(replace(body, 'play', 'qlay') AS BLOB) WHERE entry = 65537";
    fixture.sql("ledger.db", damage).await;
    let report = ledger.audit(Some(trusted())).await.unwrap();
    let (first, above) = report.findings.split_first().unwrap();
    assert_eq!(*first, Finding::EntryAltered(65_537));
    // Everything that was hashed over it differs as well, and nothing else does.
    let over = |finding: &Finding| match finding {
        Finding::NodeDiffers(node) => node.position == 65_537 >> node.level,
        other => matches!(other, Finding::RootDiffers { .. }),
    };
    assert!(above.len() > 16 && above.iter().all(over), "{above:?}");
    ledger.stop().await;
}
