//! Reading calls and their ladders.

use call::{
    CallId, Consent, Digest, Direction, LineId, Outcome, PolicyId, TenantId, Verdict, Words,
};
use sqlx::sqlite::SqliteRow;

use super::{
    column::{Columns, Result, failed, moment},
    error::Database,
    handle::Ledger,
};
use crate::catalogue::{
    calls::{CallFilter, CallLine, CallNames, CallRow, LadderStep, NewCall},
    quality::CallQuality,
};

const HERE: Database = Database::Ledger;

/// The most rows a listing gives; also its length when none is asked for.
pub(crate) const LISTING_MAX: u32 = 1_000;

/// How many rows to list for a filter's `limit`.
pub(crate) fn rows_for(limit: u32) -> i64 {
    i64::from(if limit == 0 { LISTING_MAX } else { limit.min(LISTING_MAX) })
}

impl Ledger {
    /// Calls, the newest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn calls(&self, filter: &CallFilter) -> Result<Vec<CallRow>> {
        let rows = sqlx::query(
            "SELECT * FROM calls
             WHERE (CAST($1 AS TEXT) IS NULL OR tenant = $1)
                 AND opened_at >= $2 AND opened_at < $3
             ORDER BY opened_at DESC, call_id LIMIT $4",
        )
        .bind(filter.tenant.as_ref().map(TenantId::as_str))
        .bind(filter.since.map_or(0, moment))
        .bind(filter.before.map_or(i64::MAX, moment))
        .bind(rows_for(filter.limit))
        .fetch_all(&self.readers)
        .await
        .map_err(failed(HERE))?;
        rows.iter().map(call_row).collect()
    }

    /// One call.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn call(&self, call: CallId) -> Result<Option<CallRow>> {
        let row = sqlx::query("SELECT * FROM calls WHERE call_id = $1").bind(&call.as_bytes()[..]);
        let row = row.fetch_optional(&self.readers).await.map_err(failed(HERE))?;
        row.as_ref().map(call_row).transpose()
    }

    /// The calls that other systems know by a name: a Call-ID of one of their dialogs (that of the
    /// side that called by its keyed hash), or an end of their Session-ID. The newest come first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn calls_named(&self, near_key: Digest, name: &str) -> Result<Vec<CallRow>> {
        let rows = sqlx::query(
            "SELECT * FROM calls
             WHERE near_key = $1 OR far_call_id = $2 OR near_end = $2 OR far_end = $2
             ORDER BY opened_at DESC, call_id LIMIT $3",
        )
        .bind(&near_key.as_bytes()[..])
        .bind(name)
        .bind(rows_for(0))
        .fetch_all(&self.readers)
        .await
        .map_err(failed(HERE))?;
        rows.iter().map(call_row).collect()
    }

    /// The ladder of a call, in order; empty until it has ended.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn ladder(&self, call: CallId) -> Result<Vec<LadderStep>> {
        let row = sqlx::query("SELECT ladder FROM calls WHERE call_id = $1")
            .bind(&call.as_bytes()[..])
            .fetch_optional(&self.readers)
            .await
            .map_err(failed(HERE))?;
        let Some(row) = row else { return Ok(Vec::new()) };
        Ok(Columns(&row).maybe_text("ladder", LadderStep::read)?.unwrap_or_default())
    }
}

fn call_row(row: &SqliteRow) -> Result<CallRow> {
    let row = Columns(row);
    Ok(CallRow {
        call: NewCall {
            call: row.call("call_id")?,
            direction: row.text("direction", Direction::from_name)?,
            line: call_line(&row)?,
        },
        opened_at: row.time("opened_at")?,
        closed_at: row.maybe_time("closed_at")?,
        words: words(&row)?,
        names: names(&row)?,
        quality: row.maybe_text("quality", CallQuality::read)?,
    })
}

fn names(row: &Columns<'_>) -> Result<CallNames> {
    let text = |name| row.maybe_text(name, |text| Some(Box::from(text)));
    Ok(CallNames {
        near_key: row.maybe_digest("near_key")?,
        far_call_id: text("far_call_id")?,
        session: text("near_end")?.zip(text("far_end")?).map(|(near, far)| [near, far]),
    })
}

/// The line of a call, if it has one.
pub(crate) fn call_line(row: &Columns<'_>) -> Result<Option<CallLine>> {
    let Some(tenant) = row.maybe_text("tenant", |id| TenantId::new(id).ok())? else {
        return Ok(None);
    };
    Ok(Some(CallLine {
        tenant,
        line: row.text("line", |id| LineId::new(id).ok())?,
        policy: row.text("policy", |id| PolicyId::new(id).ok())?,
        policy_version: row.small("policy_version")?,
        policy_hash: row.digest("policy_hash")?,
    }))
}

/// The three words, if the call has ended.
pub(crate) fn words(row: &Columns<'_>) -> Result<Option<Words>> {
    let Some(consent) = row.maybe_text("consent", Consent::from_name)? else { return Ok(None) };
    Ok(Some(Words {
        consent,
        outcome: row.text("outcome", Outcome::from_name)?,
        verdict: row.text("verdict", Verdict::from_name)?,
    }))
}
