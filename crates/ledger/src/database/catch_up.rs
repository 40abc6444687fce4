//! After a crash between the two databases: `ledger.db` hears what `slips.db` already did.
//!
//! `slips.db` always goes first and notes in `pending` which recordings it touched. A slip without
//! a row opens nothing and is removed; a revision that the row has not heard of is recorded with
//! its fact; a slip that is gone is gone from the row; a gate that shut closes its epoch.

use call::{Fact, RecordingId};
use sqlx::{Connection, SqliteConnection};

use super::{
    change::Receipt,
    column::{Columns, Result, big, failed},
    epochs,
    error::{Database, LedgerError, Refusal},
    recordings::{remember_slip, set_slip, slip_columns, slip_fact},
    slips,
};
use crate::catalogue::recordings::SlipTags;

/// What a catching up found and did.
#[derive(Debug, Default)]
pub(crate) struct CaughtUp {
    pub(crate) facts: Vec<Fact>,
    /// Slips without a row, to be removed.
    pub(crate) unowned: Vec<RecordingId>,
    /// Gates without an epoch, to be removed.
    gates: Vec<u64>,
}

/// Brings `ledger.db` up to `slips.db`; the facts are still to be appended.
pub(crate) async fn ledger(
    ledger: &mut SqliteConnection,
    slips_db: &mut SqliteConnection,
) -> Result<CaughtUp> {
    let mut found = CaughtUp::default();
    for recording in pending(slips_db).await? {
        let slip = slips::live(slips_db, recording).await?;
        match (row(ledger, recording).await?, slip) {
            (None, None) => {}
            (None, Some(_)) => found.unowned.push(recording),
            (Some(None), None) => {}
            (Some(Some(_)), None) => set_slip(ledger, recording, None).await?,
            (Some(known), Some(slip)) => {
                remember_slip(ledger, recording, slip).await?;
                if known.is_none_or(|known| known.revision < slip.revision) {
                    set_slip(ledger, recording, Some(slip)).await?;
                    found.facts.push(slip_fact(recording, slip));
                }
            }
        }
    }
    for (epoch, accepting) in gates(slips_db).await? {
        match epochs::close_shut(ledger, epoch, accepting).await {
            Ok(applied) if applied.receipt == Receipt::Done => found.facts.extend(applied.facts),
            Ok(_) => {}
            Err(LedgerError::Refused(Refusal::EpochUnknown(_))) => found.gates.push(epoch),
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// Removes from `slips.db` what belongs to nothing, and notes that nothing is pending.
pub(crate) async fn slips(db: &mut SqliteConnection, found: &CaughtUp) -> Result<()> {
    let failed = failed(Database::Slips);
    let mut transaction = db.begin().await.map_err(&failed)?;
    for recording in &found.unowned {
        slips::remove(&mut transaction, *recording).await?;
    }
    for epoch in &found.gates {
        let delete = "DELETE FROM gates WHERE epoch = $1 AND slips = 0";
        let delete = sqlx::query(delete).bind(big(*epoch));
        delete.execute(&mut *transaction).await.map_err(&failed)?;
    }
    slips::clear_pending(&mut transaction).await?;
    transaction.commit().await.map_err(&failed)?;
    if found.unowned.is_empty() { Ok(()) } else { slips::shred(db).await }
}

/// What the row says of its slip; `None` without a row.
async fn row(
    db: &mut SqliteConnection,
    recording: RecordingId,
) -> Result<Option<Option<SlipTags>>> {
    let row = sqlx::query(
        "SELECT slip_revision, slip_epoch, slip_commitment FROM recordings
         WHERE recording_id = $1",
    )
    .bind(&recording.as_bytes()[..])
    .fetch_optional(db)
    .await
    .map_err(failed(Database::Ledger))?;
    row.map(|row| slip_columns(&Columns(&row))).transpose()
}

async fn pending(db: &mut SqliteConnection) -> Result<Vec<RecordingId>> {
    let rows = sqlx::query("SELECT recording_id FROM pending ORDER BY recording_id");
    let rows = rows.fetch_all(db).await.map_err(failed(Database::Slips))?;
    rows.iter().map(|row| Columns(row).recording("recording_id")).collect()
}

async fn gates(db: &mut SqliteConnection) -> Result<Vec<(u64, bool)>> {
    let rows = sqlx::query("SELECT epoch, accepting FROM gates ORDER BY epoch");
    let rows = rows.fetch_all(db).await.map_err(failed(Database::Slips))?;
    rows.iter()
        .map(|row| Ok((Columns(row).count("epoch")?, Columns(row).flag("accepting")?)))
        .collect()
}

/// How many transactions `slips.db` has seen.
pub(crate) async fn sequence(slips: &mut SqliteConnection) -> Result<u64> {
    counter(slips, Database::Slips).await
}

/// How many transactions of `slips.db` `ledger.db` has heard of.
pub(crate) async fn heard_sequence(ledger: &mut SqliteConnection) -> Result<u64> {
    counter(ledger, Database::Ledger).await
}

async fn counter(db: &mut SqliteConnection, database: Database) -> Result<u64> {
    let row = sqlx::query("SELECT value FROM counters WHERE name = 'slips'");
    Columns(&row.fetch_one(db).await.map_err(failed(database))?).count("value")
}

/// Keeps in `ledger.db` how far `slips.db` has come.
pub(crate) async fn store_sequence(ledger: &mut SqliteConnection, sequence: u64) -> Result<()> {
    sqlx::query("UPDATE counters SET value = $1 WHERE name = 'slips'")
        .bind(big(sequence))
        .execute(ledger)
        .await
        .map_err(failed(Database::Ledger))?;
    Ok(())
}
