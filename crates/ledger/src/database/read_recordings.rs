//! Reading recordings: their tags, their evidence, what is due, what was removed.

use std::time::Duration;

use call::{Direction, Ground, LineId, PolicyId, Private, Purposes, RecordingId, TenantId, Time};
use sqlx::sqlite::SqliteRow;

use super::{
    column::{Columns, Result, any, failed, moment},
    error::Database,
    handle::Ledger,
    read_calls::{rows_for, words},
    recordings::slip_columns,
    removals::{self, reason, removal},
};
use crate::{
    catalogue::recordings::{
        ObjectTags, PartyKeys, RecordingFilter, RecordingRow, RecordingState, RemovalRow,
        SealedRecording, Storage,
    },
    clerk::Order,
    hold::Hold,
    retention::{Due, RetentionRow, due},
};

const HERE: Database = Database::Ledger;

/// How many due candidates are looked at in one read.
const DUE_PAGE: u64 = 1_000;

/// Every column of a recording, with the words of its call and whether a hold is in force.
macro_rules! select_recordings {
    ($rest:literal) => {
        concat!(
            "SELECT r.*, c.consent, c.outcome, c.verdict, EXISTS (SELECT 1 FROM holds h
                 WHERE h.recording_id = r.recording_id AND h.released_at IS NULL) AS held
             FROM recordings r JOIN calls c ON c.call_id = r.call_id ",
            $rest
        )
    };
}

impl Ledger {
    /// Recordings, the newest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn recordings(&self, filter: &RecordingFilter) -> Result<Vec<RecordingRow>> {
        // A parameter that may be absent keeps SQLite from its index: a call is asked by itself.
        let statement = match filter.call {
            None => select_recordings!(
                "WHERE (CAST($1 AS TEXT) IS NULL OR r.tenant = $1) AND $2 IS NULL
                     AND r.permitted_at >= $3 AND r.permitted_at < $4
                 ORDER BY r.permitted_at DESC, r.recording_id LIMIT $5"
            ),
            Some(_) => select_recordings!(
                "WHERE (CAST($1 AS TEXT) IS NULL OR r.tenant = $1) AND r.call_id = $2
                     AND r.permitted_at >= $3 AND r.permitted_at < $4
                 ORDER BY r.permitted_at DESC, r.recording_id LIMIT $5"
            ),
        };
        let rows = sqlx::query(statement)
            .bind(filter.tenant.as_ref().map(TenantId::as_str))
            .bind(filter.call.as_ref().map(|call| &call.as_bytes()[..]))
            .bind(filter.since.map_or(0, moment))
            .bind(filter.before.map_or(i64::MAX, moment))
            .bind(rows_for(filter.limit))
            .fetch_all(&self.readers)
            .await
            .map_err(failed(HERE))?;
        rows.iter().map(recording_row).collect()
    }

    /// One recording.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn recording(&self, recording: RecordingId) -> Result<Option<RecordingRow>> {
        let row = sqlx::query(select_recordings!("WHERE r.recording_id = $1"))
            .bind(&recording.as_bytes()[..]);
        let row = row.fetch_optional(&self.readers).await.map_err(failed(HERE))?;
        row.as_ref().map(recording_row).transpose()
    }

    /// The evidence of a recording, byte for byte as it was hashed. It holds what was pressed.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn evidence(&self, recording: RecordingId) -> Result<Option<Private<Vec<u8>>>> {
        let row = sqlx::query("SELECT body FROM evidence WHERE recording_id = $1")
            .bind(&recording.as_bytes()[..]);
        let row = row.fetch_optional(&self.readers).await.map_err(failed(HERE))?;
        row.map(|row| Columns(&row).bytes("body").map(Private::new)).transpose()
    }

    /// Every removal ever ordered of a recording, also after it is gone, with its two dates.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn removals(&self, recording: RecordingId) -> Result<Vec<RemovalRow>> {
        let rows =
            sqlx::query("SELECT * FROM intents WHERE recording_id = $1 ORDER BY intended_at")
                .bind(&recording.as_bytes()[..]);
        let rows = rows.fetch_all(&self.readers).await.map_err(failed(HERE))?;
        rows.iter().map(removal_row).collect()
    }

    /// Every removal that is ordered and not proved, oldest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn open_removals(&self) -> Result<Vec<Order>> {
        removals::open(&self.readers).await
    }

    /// What is due at `now`, the longest overdue first, at most `limit`: the pure
    /// [`due`] over every row whose date has come. `now` may lie in the future.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn due(&self, now: Time, limit: usize) -> Result<Vec<Due>> {
        let holds = self.holds().await?;
        let (mut found, mut after) = (Vec::new(), (0_i64, Vec::new()));
        loop {
            let rows = self.due_page(now, &after).await?;
            found.extend(due(&rows, &holds, now));
            let Some(last) = rows.last() else { break };
            after = (moment(last.delete_after), last.recording.as_bytes().to_vec());
            if found.len() >= limit || (rows.len() as u64) < DUE_PAGE {
                break;
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    async fn due_page(&self, now: Time, after: &(i64, Vec<u8>)) -> Result<Vec<RetentionRow>> {
        let rows = sqlx::query(
            "SELECT r.recording_id, r.delete_after, r.state, c.closed_at
             FROM recordings r JOIN calls c ON c.call_id = r.call_id
             WHERE r.delete_after <= $1
                 AND (r.delete_after > $2 OR (r.delete_after = $2 AND r.recording_id > $3))
             ORDER BY r.delete_after, r.recording_id LIMIT $4",
        )
        .bind(moment(now))
        .bind(after.0)
        .bind(&after.1[..])
        .bind(super::column::big(DUE_PAGE))
        .fetch_all(&self.readers)
        .await
        .map_err(failed(HERE))?;
        rows.iter()
            .map(|row| {
                let row = Columns(row);
                Ok(RetentionRow {
                    recording: row.recording("recording_id")?,
                    delete_after: row.time("delete_after")?,
                    state: row.text("state", RecordingState::from_name)?,
                    live: row.maybe_time("closed_at")?.is_none(),
                })
            })
            .collect()
    }

    /// Every hold that is in force.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn holds(&self) -> Result<Vec<Hold>> {
        let rows = sqlx::query("SELECT * FROM holds WHERE released_at IS NULL");
        let rows = rows.fetch_all(&self.readers).await.map_err(failed(HERE))?;
        rows.iter()
            .map(|row| {
                let row = Columns(row);
                Ok(Hold {
                    recording: row.recording("recording_id")?,
                    placed_at: row.time("placed_at")?,
                    released_at: row.maybe_time("released_at")?,
                })
            })
            .collect()
    }
}

fn recording_row(row: &SqliteRow) -> Result<RecordingRow> {
    let row = Columns(row);
    Ok(RecordingRow {
        recording: row.recording("recording_id")?,
        call: row.call("call_id")?,
        tenant: row.text("tenant", |id| TenantId::new(id).ok())?,
        line: row.text("line", |id| LineId::new(id).ok())?,
        direction: row.text("direction", Direction::from_name)?,
        policy: row.text("policy", |id| PolicyId::new(id).ok())?,
        policy_version: row.small("policy_version")?,
        policy_hash: row.digest("policy_hash")?,
        ground: row.text("ground", Ground::from_name)?,
        purposes: row.text("purposes", Purposes::from_names)?,
        evidence: row.digest("evidence_hash")?,
        retention_class: row.text("retention_class", any)?,
        keep: Duration::from_micros(row.count("keep_micros")?),
        delete_after: row.time("delete_after")?,
        held: row.flag("held")?,
        storage: Storage {
            country: row.text("country", any)?,
            provider: row.text("provider", any)?,
        },
        parties: PartyKeys {
            customer: row.maybe_array_32("customer_key")?,
            agent: row.maybe_array_32("agent_key")?,
        },
        state: row.text("state", RecordingState::from_name)?,
        permitted_at: row.time("permitted_at")?,
        object: object(&row)?,
        words: words(&row)?,
        slip: slip_columns(&row)?,
    })
}

fn object(row: &Columns<'_>) -> Result<Option<ObjectTags>> {
    let Some(manifest) = row.maybe_digest("manifest")? else { return Ok(None) };
    let sealed = SealedRecording {
        manifest,
        object: row.text("object", any)?,
        codec: row.text("codec", any)?,
        ended_at: row.time("ended_at")?,
        duration_ms: row.count("duration_ms")?,
        missing_ms: row.count("missing_ms")?,
        gaps: row.small("gaps")?,
        recovered: row.flag("recovered")?,
    };
    Ok(Some(ObjectTags { sealed, sha256: row.maybe_digest("object_sha256")? }))
}

fn removal_row(row: &SqliteRow) -> Result<RemovalRow> {
    let row = Columns(row);
    Ok(RemovalRow {
        recording: row.recording("recording_id")?,
        removal: removal(&row)?,
        reason: row.text("reason", reason)?,
        intended_at: row.time("intended_at")?,
        erased_at: row.maybe_time("erased_at")?,
        unrecoverable_at: row.maybe_time("unrecoverable_at")?,
    })
}
