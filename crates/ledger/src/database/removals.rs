//! Writing removals: the intent, the slip that is gone, the row with its proof, the second state.

use call::{Digest, Erasure, Fact, Reason, RecordingId, Time};
use sqlx::SqliteConnection;

use super::{
    change::{Applied, Change, Receipt, SlipEffect},
    column::{Columns, Result, failed, moment},
    error::{Database, Refusal},
    recordings::{remember_slip, set_slip, slip_fact, tags},
    slips,
};
use crate::{
    catalogue::{recordings::Removal, slips::SealedSlip},
    clerk::Order,
};

const HERE: Database = Database::Ledger;

/// A removal as the columns `whole, from_second, to_second` hold it.
fn columns(removal: Removal) -> (i64, i64, i64) {
    match removal {
        Removal::Whole => (1, 0, 0),
        Removal::Seconds(Erasure { from, to }) => (0, i64::from(from), i64::from(to)),
    }
}

/// Reads a removal back.
pub(crate) fn removal(row: &Columns<'_>) -> Result<Removal> {
    if row.flag("whole")? {
        return Ok(Removal::Whole);
    }
    Ok(Removal::Seconds(Erasure { from: row.small("from_second")?, to: row.small("to_second")? }))
}

/// Reads a reason back by its name.
pub(crate) fn reason(name: &str) -> Option<Reason> {
    Reason::from_name(name)
}

/// Refuses what `ledger.db` forbids before `slips.db` is touched. Returns whether there is anything
/// to do: a step whose proof stands already is settled, however often it is asked for.
pub(crate) async fn check(
    ledger: &mut SqliteConnection,
    slips: &mut SqliteConnection,
    change: &Change,
) -> Result<bool> {
    match change {
        Change::Puncture(slip, seconds, _) => {
            intended(ledger, slip.recording, Removal::Seconds(*seconds)).await
        }
        Change::DestroySlip(recording) => intended(ledger, *recording, Removal::Whole).await,
        Change::RemoveRow(recording, _) => {
            if slips::live(slips, *recording).await?.is_some() {
                return Err(Refusal::SlipStays.into());
            }
            intended(ledger, *recording, Removal::Whole).await
        }
        Change::Reseal(slip) => match row_exists(ledger, slip.recording).await? {
            true => Ok(true),
            false => Err(Refusal::RecordingUnknown.into()),
        },
        Change::EpochDestroyed(epoch) => match slips::count(slips, *epoch).await? {
            0 => Ok(true),
            slips => Err(Refusal::EpochInUse { epoch: *epoch, slips }.into()),
        },
        Change::Facts
        | Change::OpenCall(_)
        | Change::CloseCall(_)
        | Change::Commit(_)
        | Change::Begin(_)
        | Change::Seal(..)
        | Change::Store(..)
        | Change::Fail(_)
        | Change::Intend(_)
        | Change::OpenEpoch(..)
        | Change::CloseEpoch(_)
        | Change::AcknowledgeEpoch(_) => Ok(true),
    }
}

/// Whether the intent of a removal is open; refused when there is none.
async fn intended(
    db: &mut SqliteConnection,
    recording: RecordingId,
    what: Removal,
) -> Result<bool> {
    let (whole, from, to) = columns(what);
    let row = sqlx::query(
        "SELECT erased_at FROM intents WHERE recording_id = $1 AND whole = $2
             AND from_second = $3 AND to_second = $4",
    )
    .bind(&recording.as_bytes()[..])
    .bind(whole)
    .bind(from)
    .bind(to);
    let row = row.fetch_optional(db).await.map_err(failed(HERE))?.ok_or(Refusal::NotIntended)?;
    Ok(Columns(&row).maybe_time("erased_at")?.is_none())
}

async fn row_exists(db: &mut SqliteConnection, recording: RecordingId) -> Result<bool> {
    let row = sqlx::query("SELECT 1 FROM recordings WHERE recording_id = $1")
        .bind(&recording.as_bytes()[..]);
    Ok(row.fetch_optional(db).await.map_err(failed(HERE))?.is_some())
}

/// The intent and its fact. An intent that is open already is left as it is; a recording that is
/// gone, or seconds that were erased before, are settled.
pub(crate) async fn intend(db: &mut SqliteConnection, at: Time, order: &Order) -> Result<Applied> {
    let recording = order.recording;
    let settled = Applied { receipt: Receipt::Settled, facts: Vec::new() };
    if !row_exists(db, recording).await? {
        return Ok(settled);
    }
    let held = sqlx::query("SELECT 1 FROM holds WHERE recording_id = $1 AND released_at IS NULL")
        .bind(&recording.as_bytes()[..]);
    if held.fetch_optional(&mut *db).await.map_err(failed(HERE))?.is_some() {
        return Err(Refusal::Held.into());
    }
    let (whole, from, to) = columns(order.removal);
    let made = sqlx::query(
        "INSERT INTO intents (recording_id, whole, from_second, to_second, reason, intended_at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
    )
    .bind(&recording.as_bytes()[..])
    .bind(whole)
    .bind(from)
    .bind(to)
    .bind(order.reason.as_str())
    .bind(moment(at))
    .execute(&mut *db)
    .await
    .map_err(failed(HERE))?;
    if made.rows_affected() == 0 {
        let open = intended(db, recording, order.removal).await?;
        return Ok(if open { Applied::done(Vec::new()) } else { settled });
    }
    let reason = order.reason;
    Ok(Applied::done(vec![match order.removal {
        Removal::Whole => Fact::DeletionIntended { recording, reason },
        Removal::Seconds(seconds) => Fact::EraseIntended { recording, seconds, reason },
    }]))
}

/// A revision without some seconds took the place of the live one, in both databases.
pub(crate) async fn puncture(
    db: &mut SqliteConnection,
    at: Time,
    slip: &SealedSlip,
    seconds: Erasure,
    reason: Reason,
) -> Result<Applied> {
    let recording = slip.recording;
    set_slip(db, recording, Some(tags(slip))).await?;
    remember_slip(db, recording, tags(slip)).await?;
    mark_epochs(db, recording).await?;
    let (whole, from, to) = columns(Removal::Seconds(seconds));
    sqlx::query(
        "UPDATE intents SET erased_at = $1, last_revision = $2
         WHERE recording_id = $3 AND whole = $4 AND from_second = $5 AND to_second = $6",
    )
    .bind(moment(at))
    .bind(i64::from(slip.revision) - 1)
    .bind(&recording.as_bytes()[..])
    .bind(whole)
    .bind(from)
    .bind(to)
    .execute(&mut *db)
    .await
    .map_err(failed(HERE))?;
    let mut facts =
        vec![slip_fact(recording, tags(slip)), Fact::Erased { recording, seconds, reason }];
    if settle(db, at, recording).await? {
        facts.push(Fact::Unrecoverable { recording });
    }
    Ok(Applied::done(facts))
}

/// The same keys under another epoch.
pub(crate) async fn reseal(db: &mut SqliteConnection, slip: &SealedSlip) -> Result<Applied> {
    set_slip(db, slip.recording, Some(tags(slip))).await?;
    remember_slip(db, slip.recording, tags(slip)).await?;
    Ok(Applied::done(vec![slip_fact(slip.recording, tags(slip))]))
}

/// Before a slip is replaced or destroyed for good, its epoch is remembered; this closes the hole
/// of a revision that `ledger.db` never heard of.
pub(crate) async fn remember_gone(
    db: &mut SqliteConnection,
    recording: RecordingId,
    effect: SlipEffect,
) -> Result<()> {
    match effect.gone {
        Some(gone) => remember_slip(db, recording, gone).await,
        None => Ok(()),
    }
}

/// The slip is gone from `slips.db`.
pub(crate) async fn slip_destroyed(
    db: &mut SqliteConnection,
    recording: RecordingId,
) -> Result<Applied> {
    set_slip(db, recording, None).await?;
    mark_epochs(db, recording).await?;
    Ok(Applied::done(Vec::new()))
}

/// Row, evidence and every open intent end together with the proof.
pub(crate) async fn remove_row(
    db: &mut SqliteConnection,
    at: Time,
    recording: RecordingId,
    reason: Reason,
) -> Result<Applied> {
    let row = sqlx::query("SELECT manifest FROM recordings WHERE recording_id = $1")
        .bind(&recording.as_bytes()[..])
        .fetch_optional(&mut *db)
        .await
        .map_err(failed(HERE))?
        .ok_or(Refusal::RecordingUnknown)?;
    let manifest = Columns(&row).maybe_digest("manifest")?;
    let manifest = manifest.unwrap_or(Digest::from_bytes([0; 32]));
    for statement in [
        "DELETE FROM evidence WHERE recording_id = $1",
        "DELETE FROM recordings WHERE recording_id = $1",
    ] {
        sqlx::query(statement)
            .bind(&recording.as_bytes()[..])
            .execute(&mut *db)
            .await
            .map_err(failed(HERE))?;
    }
    sqlx::query(
        "UPDATE intents SET erased_at = $1, last_revision =
             (SELECT MAX(revision) FROM slip_revisions WHERE recording_id = $2)
         WHERE recording_id = $2 AND erased_at IS NULL",
    )
    .bind(moment(at))
    .bind(&recording.as_bytes()[..])
    .execute(&mut *db)
    .await
    .map_err(failed(HERE))?;
    let mut facts = vec![Fact::RecordingDeleted { recording, reason, manifest }];
    if settle(db, at, recording).await? {
        facts.push(Fact::Unrecoverable { recording });
    }
    Ok(Applied::done(facts))
}

/// Marks every epoch that ever sealed this recording: it saw an erasure and is rotated early.
async fn mark_epochs(db: &mut SqliteConnection, recording: RecordingId) -> Result<()> {
    sqlx::query(
        "UPDATE epochs SET saw_erasure = 1 WHERE epoch IN
             (SELECT epoch FROM slip_revisions WHERE recording_id = $1)",
    )
    .bind(&recording.as_bytes()[..])
    .execute(db)
    .await
    .map_err(failed(HERE))?;
    Ok(())
}

/// The second state (invariant 8): what was erased of a recording is unrecoverable once every
/// epoch that sealed a slip revision from before the latest erasure is destroyed. Returns whether
/// that became true now.
pub(crate) async fn settle(
    db: &mut SqliteConnection,
    at: Time,
    recording: RecordingId,
) -> Result<bool> {
    let settled = sqlx::query(
        "UPDATE intents SET unrecoverable_at = $1
         WHERE recording_id = $2 AND erased_at IS NOT NULL AND unrecoverable_at IS NULL
             AND NOT EXISTS (
                 SELECT 1 FROM slip_revisions s JOIN epochs e ON e.epoch = s.epoch
                 WHERE s.recording_id = $2 AND e.state <> 'destroyed' AND s.revision <= (
                     SELECT MAX(i.last_revision) FROM intents i
                     WHERE i.recording_id = $2 AND i.erased_at IS NOT NULL))",
    )
    .bind(moment(at))
    .bind(&recording.as_bytes()[..])
    .execute(db)
    .await
    .map_err(failed(HERE))?;
    Ok(settled.rows_affected() > 0)
}

/// Settles every recording whose erasure may have waited for this epoch.
pub(crate) async fn settle_epoch(
    db: &mut SqliteConnection,
    at: Time,
    epoch: u64,
) -> Result<Vec<RecordingId>> {
    let rows = sqlx::query(
        "SELECT DISTINCT i.recording_id FROM intents i
         JOIN slip_revisions s ON s.recording_id = i.recording_id
         WHERE i.erased_at IS NOT NULL AND i.unrecoverable_at IS NULL AND s.epoch = $1
         ORDER BY i.recording_id",
    )
    .bind(super::column::big(epoch))
    .fetch_all(&mut *db)
    .await
    .map_err(failed(HERE))?;
    let mut settled = Vec::new();
    for row in &rows {
        let recording = Columns(row).recording("recording_id")?;
        if settle(db, at, recording).await? {
            settled.push(recording);
        }
    }
    Ok(settled)
}

/// Every order whose intent stands and whose proof does not, oldest first.
pub(crate) async fn open<'c>(
    db: impl sqlx::Executor<'c, Database = sqlx::Sqlite>,
) -> Result<Vec<Order>> {
    let rows = sqlx::query(
        "SELECT recording_id, whole, from_second, to_second, reason FROM intents
         WHERE erased_at IS NULL ORDER BY intended_at, recording_id",
    );
    let rows = rows.fetch_all(db).await.map_err(failed(HERE))?;
    rows.iter()
        .map(|row| {
            let row = Columns(row);
            Ok(Order {
                recording: row.recording("recording_id")?,
                removal: removal(&row)?,
                reason: row.text("reason", reason)?,
            })
        })
        .collect()
}
