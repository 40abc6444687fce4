//! The tables of both databases, by version, and the step from one version to the next.

use sqlx::{Connection, Row, SqliteConnection};

use super::{
    column::{Result, failed},
    error::{Database, LedgerError},
};

/// `ledger.db`, version by version. A version that has shipped is never edited.
const LEDGER: &[&str] = &[
    "
CREATE TABLE calls (
    call_id BLOB NOT NULL PRIMARY KEY,
    direction TEXT NOT NULL,
    tenant TEXT, line TEXT, policy TEXT, policy_version BIGINT, policy_hash BLOB,
    opened_at BIGINT NOT NULL,
    closed_at BIGINT, consent TEXT, outcome TEXT, verdict TEXT
);
CREATE INDEX calls_by_time ON calls (opened_at);
CREATE INDEX calls_by_tenant ON calls (tenant, opened_at);
CREATE INDEX calls_without_words ON calls (opened_at) WHERE closed_at IS NULL;

CREATE TABLE ladder (
    call_id BLOB NOT NULL REFERENCES calls (call_id),
    step BIGINT NOT NULL,
    at BIGINT NOT NULL,
    from_station TEXT NOT NULL, to_station TEXT NOT NULL,
    label TEXT NOT NULL,
    PRIMARY KEY (call_id, step)
);

CREATE TABLE recordings (
    recording_id BLOB NOT NULL PRIMARY KEY,
    call_id BLOB NOT NULL REFERENCES calls (call_id),
    tenant TEXT NOT NULL, line TEXT NOT NULL, direction TEXT NOT NULL,
    policy TEXT NOT NULL, policy_version BIGINT NOT NULL, policy_hash BLOB NOT NULL,
    ground TEXT NOT NULL, purposes TEXT NOT NULL,
    evidence_hash BLOB NOT NULL,
    retention_class TEXT NOT NULL, keep_micros BIGINT NOT NULL, delete_after BIGINT NOT NULL,
    country TEXT NOT NULL, provider TEXT NOT NULL,
    customer_key BLOB, agent_key BLOB,
    state TEXT NOT NULL, permitted_at BIGINT NOT NULL,
    manifest BLOB, object TEXT, codec TEXT, ended_at BIGINT, duration_ms BIGINT,
    missing_ms BIGINT, gaps BIGINT, recovered BIGINT, object_sha256 BLOB,
    slip_revision BIGINT, slip_epoch BIGINT, slip_commitment BLOB
);
CREATE INDEX recordings_by_due ON recordings (delete_after);
CREATE INDEX recordings_by_call ON recordings (call_id);
CREATE INDEX recordings_by_time ON recordings (permitted_at);
CREATE INDEX recordings_by_tenant ON recordings (tenant, permitted_at);
CREATE INDEX recordings_by_customer ON recordings (customer_key);
CREATE INDEX recordings_by_agent ON recordings (agent_key);
CREATE INDEX recordings_unsealed ON recordings (permitted_at)
    WHERE state IN ('permitted', 'recording', 'sealed');

CREATE TABLE evidence (
    recording_id BLOB NOT NULL PRIMARY KEY REFERENCES recordings (recording_id),
    body BLOB NOT NULL
);

CREATE TABLE holds (
    recording_id BLOB NOT NULL,
    placed_at BIGINT NOT NULL,
    released_at BIGINT,
    PRIMARY KEY (recording_id, placed_at)
);
CREATE INDEX holds_in_force ON holds (recording_id) WHERE released_at IS NULL;

CREATE TABLE intents (
    recording_id BLOB NOT NULL,
    whole BIGINT NOT NULL, from_second BIGINT NOT NULL, to_second BIGINT NOT NULL,
    reason TEXT NOT NULL,
    intended_at BIGINT NOT NULL,
    erased_at BIGINT, last_revision BIGINT, unrecoverable_at BIGINT,
    PRIMARY KEY (recording_id, whole, from_second, to_second)
);
CREATE INDEX intents_open ON intents (intended_at) WHERE erased_at IS NULL;
CREATE INDEX intents_recoverable ON intents (recording_id) WHERE unrecoverable_at IS NULL;

CREATE TABLE epochs (
    epoch BIGINT NOT NULL PRIMARY KEY,
    tenant TEXT NOT NULL, month TEXT NOT NULL, state TEXT NOT NULL,
    saw_erasure BIGINT NOT NULL, opened_at BIGINT NOT NULL, destroyed_at BIGINT
);
CREATE INDEX epochs_by_tenant ON epochs (tenant, month, state);

CREATE TABLE slip_revisions (
    recording_id BLOB NOT NULL, revision BIGINT NOT NULL,
    epoch BIGINT NOT NULL, commitment BLOB NOT NULL,
    PRIMARY KEY (recording_id, revision)
);

CREATE TABLE entries (
    entry BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL, kind TEXT NOT NULL, about TEXT,
    salt BLOB NOT NULL, body BLOB NOT NULL, leaf BLOB NOT NULL
);
CREATE INDEX entries_by_subject ON entries (about, entry);
CREATE TRIGGER entries_are_never_changed BEFORE UPDATE ON entries
    BEGIN SELECT RAISE(ABORT, 'the audit tree is append-only'); END;
CREATE TRIGGER entries_are_never_removed BEFORE DELETE ON entries
    BEGIN SELECT RAISE(ABORT, 'the audit tree is append-only'); END;

CREATE TABLE nodes (
    last_leaf BIGINT NOT NULL, level BIGINT NOT NULL, hash BLOB NOT NULL,
    PRIMARY KEY (last_leaf, level)
);

CREATE TABLE checkpoints (
    size BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    note TEXT NOT NULL
);

CREATE TABLE counters (name TEXT NOT NULL PRIMARY KEY, value BIGINT NOT NULL);
INSERT INTO counters (name, value) VALUES ('slips', 0);
",
    "
ALTER TABLE calls ADD COLUMN near_key BLOB;
ALTER TABLE calls ADD COLUMN far_call_id TEXT;
ALTER TABLE calls ADD COLUMN near_end TEXT;
ALTER TABLE calls ADD COLUMN far_end TEXT;
CREATE INDEX calls_by_near_key ON calls (near_key) WHERE near_key IS NOT NULL;
CREATE INDEX calls_by_far_call_id ON calls (far_call_id) WHERE far_call_id IS NOT NULL;
CREATE INDEX calls_by_near_end ON calls (near_end) WHERE near_end IS NOT NULL;
CREATE INDEX calls_by_far_end ON calls (far_end) WHERE far_end IS NOT NULL;
",
    "
ALTER TABLE calls ADD COLUMN ladder TEXT;
UPDATE calls SET ladder = (
    SELECT group_concat(at || ' ' || from_station || ' ' || to_station || ' ' || label, char(10))
    FROM (SELECT * FROM ladder WHERE ladder.call_id = calls.call_id ORDER BY step)
) WHERE closed_at IS NOT NULL;
DROP TABLE ladder;
",
    "
ALTER TABLE calls ADD COLUMN quality TEXT;
",
    "
CREATE INDEX entries_that_begin ON entries (at, entry)
    WHERE kind IN ('call-opened', 'recording-permitted');
",
];

/// `slips.db`, version by version. `gates` is the constraint that a closing epoch takes no slip.
///
/// `filler` is one page of zeros. SQLite keeps at most a page of a row in the table's own pages
/// and the rest in overflow pages (file format, section 1.6), which never move and are wiped whole
/// when their row is deleted. Behind the filler, every sealed byte lies in one of those.
const SLIPS: &[&str] = &["
CREATE TABLE gates (
    epoch BIGINT NOT NULL PRIMARY KEY,
    accepting BIGINT NOT NULL,
    slips BIGINT NOT NULL CHECK (slips >= 0)
);

CREATE TABLE slips (
    recording_id BLOB NOT NULL,
    revision BIGINT NOT NULL,
    epoch BIGINT NOT NULL REFERENCES gates (epoch),
    commitment BLOB NOT NULL,
    filler BLOB NOT NULL CHECK (length(filler) >= 512),
    sealed BLOB NOT NULL
);
CREATE UNIQUE INDEX slips_by_recording ON slips (recording_id);
CREATE INDEX slips_by_epoch ON slips (epoch, recording_id);
CREATE TRIGGER slips_enter_open_gates_only BEFORE INSERT ON slips
    WHEN NOT EXISTS (SELECT 1 FROM gates WHERE epoch = NEW.epoch AND accepting = 1)
    BEGIN SELECT RAISE(ABORT, 'the epoch accepts no new slip'); END;
CREATE TRIGGER slips_are_replaced_not_changed BEFORE UPDATE ON slips
    BEGIN SELECT RAISE(ABORT, 'a slip is replaced by a new revision'); END;

CREATE TABLE pending (recording_id BLOB NOT NULL PRIMARY KEY);

CREATE TABLE counters (name TEXT NOT NULL PRIMARY KEY, value BIGINT NOT NULL);
INSERT INTO counters (name, value) VALUES ('slips', 0);
"];

/// Brings a database to this program's version.
///
/// # Errors
/// [`LedgerError::SchemaNewer`] when it was written by a newer program.
pub(crate) async fn migrate(database: Database, connection: &mut SqliteConnection) -> Result<()> {
    let versions = match database {
        Database::Ledger => LEDGER,
        Database::Slips => SLIPS,
    };
    let failed = failed(database);
    let known = u32::try_from(versions.len()).unwrap_or(u32::MAX);
    let mut transaction = connection.begin().await.map_err(&failed)?;
    sqlx::query("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)")
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
    let row = sqlx::query("SELECT COALESCE(MAX(version), 0) AS version FROM schema_version")
        .fetch_one(&mut *transaction)
        .await
        .map_err(&failed)?;
    let found = row.try_get::<i64, _>("version").map_err(&failed)?;
    let found = u32::try_from(found).map_err(|_| LedgerError::Unreadable("version"))?;
    if found > known {
        return Err(LedgerError::SchemaNewer { database, found, known });
    }
    for (version, statements) in (1_u32..).zip(versions).skip(found as usize) {
        sqlx::raw_sql(*statements).execute(&mut *transaction).await.map_err(&failed)?;
        sqlx::query("INSERT INTO schema_version (version) VALUES ($1)")
            .bind(i64::from(version))
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
    }
    transaction.commit().await.map_err(&failed)
}
