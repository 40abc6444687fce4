//! Writing `slips.db`: sealed slips, the gates of their epochs, and the shredding of old revisions.

use call::RecordingId;
use sqlx::{Row, SqliteConnection};

use super::{
    change::{Change, SlipEffect},
    column::{Columns, Result, big, failed},
    connect::SLIP_PAGE_BYTES,
    error::{Database, LedgerError, Refusal},
};
use crate::catalogue::{
    recordings::SlipTags,
    slips::{SLIPS_PER_EPOCH, SealedSlip},
};

const HERE: Database = Database::Slips;

/// Does what a change means for `slips.db`. A refusal comes before anything is written.
pub(crate) async fn apply(db: &mut SqliteConnection, change: &Change) -> Result<SlipEffect> {
    let wrote = SlipEffect { wrote: true, gone: None };
    match change {
        Change::Commit(new) => {
            if live(db, new.slip.recording).await?.is_some() {
                return Err(Refusal::RecordingExists.into());
            }
            if new.slip.recording != new.evidence.recording {
                return Err(Refusal::SlipOfAnother.into());
            }
            if new.slip.revision != 1 {
                return Err(Refusal::SlipRevision { live: 0, given: new.slip.revision }.into());
            }
            insert(db, &new.slip).await?;
            mark_pending(db, new.slip.recording).await?;
            Ok(wrote)
        }
        Change::Puncture(slip, ..) | Change::Reseal(slip) => {
            let gone = replace(db, slip).await?;
            mark_pending(db, slip.recording).await?;
            Ok(SlipEffect { wrote: true, gone: Some(gone) })
        }
        Change::DestroySlip(recording) => {
            let gone = remove(db, *recording).await?;
            mark_pending(db, *recording).await?;
            Ok(SlipEffect { wrote: true, gone })
        }
        Change::OpenEpoch(epoch, ..) => open_gate(db, *epoch).await.map(|()| wrote),
        Change::CloseEpoch(epoch) => close_gate(db, *epoch).await.map(|()| wrote),
        Change::Facts
        | Change::OpenCall(_)
        | Change::CloseCall(..)
        | Change::Begin(_)
        | Change::Seal(..)
        | Change::Store(..)
        | Change::Fail(_)
        | Change::Intend(_)
        | Change::RemoveRow(..)
        | Change::AcknowledgeEpoch(_)
        | Change::EpochDestroyed(_) => Ok(SlipEffect::default()),
    }
}

/// The live slip of a recording.
pub(crate) async fn live(
    db: &mut SqliteConnection,
    recording: RecordingId,
) -> Result<Option<SlipTags>> {
    sqlx::query("SELECT revision, epoch, commitment FROM slips WHERE recording_id = $1")
        .bind(&recording.as_bytes()[..])
        .fetch_optional(db)
        .await
        .map_err(failed(HERE))?
        .map(|row| {
            let row = Columns(&row);
            Ok(SlipTags {
                revision: row.small("revision")?,
                epoch: row.count("epoch")?,
                commitment: row.digest("commitment")?,
            })
        })
        .transpose()
}

/// Takes one place in an epoch and puts the slip there.
async fn insert(db: &mut SqliteConnection, slip: &SealedSlip) -> Result<()> {
    let taken = sqlx::query(
        "UPDATE gates SET slips = slips + 1 WHERE epoch = $1 AND accepting = 1 AND slips < $2",
    )
    .bind(big(slip.epoch))
    .bind(big(SLIPS_PER_EPOCH))
    .execute(&mut *db)
    .await
    .map_err(failed(HERE))?;
    if taken.rows_affected() == 0 {
        return Err(closed_gate(db, slip.epoch).await?.into());
    }
    sqlx::query(
        "INSERT INTO slips (recording_id, revision, epoch, commitment, filler, sealed)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(&slip.recording.as_bytes()[..])
    .bind(i64::from(slip.revision))
    .bind(big(slip.epoch))
    .bind(&slip.commitment.as_bytes()[..])
    .bind(&[0; SLIP_PAGE_BYTES as usize][..])
    .bind(&slip.sealed[..])
    .execute(db)
    .await
    .map_err(failed(HERE))?;
    Ok(())
}

/// Why a gate let nothing in.
async fn closed_gate(db: &mut SqliteConnection, epoch: u64) -> Result<Refusal> {
    let gate = sqlx::query("SELECT accepting FROM gates WHERE epoch = $1").bind(big(epoch));
    let Some(row) = gate.fetch_optional(db).await.map_err(failed(HERE))? else {
        return Ok(Refusal::EpochUnknown(epoch));
    };
    let accepting = Columns(&row).flag("accepting")?;
    Ok(if accepting { Refusal::EpochFull(epoch) } else { Refusal::EpochTakesNoSlip(epoch) })
}

/// Puts the next revision in the place of the live one.
async fn replace(db: &mut SqliteConnection, slip: &SealedSlip) -> Result<SlipTags> {
    let gone = live(db, slip.recording).await?.ok_or(Refusal::SlipUnknown)?;
    if gone.revision.checked_add(1) != Some(slip.revision) {
        return Err(Refusal::SlipRevision { live: gone.revision, given: slip.revision }.into());
    }
    check_gate(db, slip.epoch, gone.epoch).await?;
    remove(db, slip.recording).await?;
    insert(db, slip).await?;
    Ok(gone)
}

/// Refuses before anything is removed when the new revision would find no place.
async fn check_gate(db: &mut SqliteConnection, epoch: u64, leaving: u64) -> Result<()> {
    let room = SLIPS_PER_EPOCH + u64::from(epoch == leaving);
    let open = "SELECT 1 FROM gates WHERE epoch = $1 AND accepting = 1 AND slips < $2";
    let open = sqlx::query(open).bind(big(epoch)).bind(big(room));
    if open.fetch_optional(&mut *db).await.map_err(failed(HERE))?.is_none() {
        return Err(closed_gate(db, epoch).await?.into());
    }
    Ok(())
}

/// Removes a recording's slip, if it has one, and frees its place.
pub(crate) async fn remove(
    db: &mut SqliteConnection,
    recording: RecordingId,
) -> Result<Option<SlipTags>> {
    let Some(gone) = live(db, recording).await? else { return Ok(None) };
    sqlx::query("DELETE FROM slips WHERE recording_id = $1")
        .bind(&recording.as_bytes()[..])
        .execute(&mut *db)
        .await
        .map_err(failed(HERE))?;
    sqlx::query("UPDATE gates SET slips = slips - 1 WHERE epoch = $1")
        .bind(big(gone.epoch))
        .execute(db)
        .await
        .map_err(failed(HERE))?;
    Ok(Some(gone))
}

async fn open_gate(db: &mut SqliteConnection, epoch: u64) -> Result<()> {
    let made = sqlx::query(
        "INSERT INTO gates (epoch, accepting, slips) VALUES ($1, 1, 0) ON CONFLICT DO NOTHING",
    )
    .bind(big(epoch))
    .execute(db)
    .await
    .map_err(failed(HERE))?;
    if made.rows_affected() == 0 {
        return Err(Refusal::EpochExists(epoch).into());
    }
    Ok(())
}

async fn close_gate(db: &mut SqliteConnection, epoch: u64) -> Result<()> {
    let shut = sqlx::query("UPDATE gates SET accepting = 0 WHERE epoch = $1")
        .bind(big(epoch))
        .execute(db)
        .await
        .map_err(failed(HERE))?;
    if shut.rows_affected() == 0 {
        return Err(Refusal::EpochUnknown(epoch).into());
    }
    Ok(())
}

/// How many slips an epoch seals, counted and not remembered.
pub(crate) async fn count(db: &mut SqliteConnection, epoch: u64) -> Result<u64> {
    let row = sqlx::query("SELECT COUNT(*) AS slips FROM slips WHERE epoch = $1")
        .bind(big(epoch))
        .fetch_one(db)
        .await
        .map_err(failed(HERE))?;
    Columns(&row).count("slips")
}

/// Notes that `ledger.db` has yet to hear of this recording's slip.
async fn mark_pending(db: &mut SqliteConnection, recording: RecordingId) -> Result<()> {
    sqlx::query("INSERT INTO pending (recording_id) VALUES ($1) ON CONFLICT DO NOTHING")
        .bind(&recording.as_bytes()[..])
        .execute(db)
        .await
        .map_err(failed(HERE))?;
    Ok(())
}

/// Counts one more transaction of this database and returns the count. `ledger.db` keeps the same
/// number, so that an old `slips.db` put back is seen.
pub(crate) async fn next_sequence(db: &mut SqliteConnection) -> Result<u64> {
    let row =
        sqlx::query("UPDATE counters SET value = value + 1 WHERE name = 'slips' RETURNING value")
            .fetch_one(db)
            .await
            .map_err(failed(HERE))?;
    Columns(&row).count("value")
}

/// `ledger.db` has heard of every slip: nothing is pending.
pub(crate) async fn clear_pending(db: &mut SqliteConnection) -> Result<()> {
    sqlx::query("DELETE FROM pending").execute(db).await.map_err(failed(HERE))?;
    Ok(())
}

/// Wipes what was removed: moves every page, with its zeros, into the database file and cuts the
/// write-ahead log to nothing.
///
/// # Errors
/// [`LedgerError::ShredIncomplete`] when a reader keeps the log alive.
pub(crate) async fn shred(db: &mut SqliteConnection) -> Result<()> {
    let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(db).await;
    let busy: i64 = row.and_then(|row| row.try_get(0)).map_err(failed(HERE))?;
    if busy == 0 { Ok(()) } else { Err(LedgerError::ShredIncomplete) }
}
