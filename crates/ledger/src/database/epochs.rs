//! Writing epochs: opened, closing, closed, destroyed; the gate in `slips.db` always moves first.

use call::{Fact, TenantId, Time};
use sqlx::SqliteConnection;

use super::{
    change::{Applied, Receipt},
    column::{Columns, Result, big, failed, moment},
    error::{Database, Refusal},
    removals::settle_epoch,
};
use crate::catalogue::slips::EpochState;

const HERE: Database = Database::Ledger;

/// A new epoch; its key exists already.
pub(crate) async fn open(
    db: &mut SqliteConnection,
    at: Time,
    epoch: u64,
    tenant: &TenantId,
    month: &str,
) -> Result<Applied> {
    let made = sqlx::query(
        "INSERT INTO epochs (epoch, tenant, month, state, saw_erasure, opened_at)
         VALUES ($1, $2, $3, $4, 0, $5) ON CONFLICT DO NOTHING",
    )
    .bind(big(epoch))
    .bind(tenant.as_str())
    .bind(month)
    .bind(EpochState::Open.as_str())
    .bind(moment(at))
    .execute(db)
    .await
    .map_err(failed(HERE))?;
    if made.rows_affected() == 0 {
        return Err(Refusal::EpochExists(epoch).into());
    }
    let (tenant, month) = (tenant.clone(), month.into());
    Ok(Applied::done(vec![Fact::EpochOpened { epoch, tenant, month }]))
}

/// The epoch takes no new slip from here on. Closing one that is not open changes nothing.
pub(crate) async fn close(db: &mut SqliteConnection, epoch: u64) -> Result<Applied> {
    match state(db, epoch).await? {
        EpochState::Open => {
            set(db, epoch, EpochState::Closing).await?;
            Ok(Applied::done(vec![Fact::EpochClosed { epoch }]))
        }
        EpochState::Closing | EpochState::Closed | EpochState::Destroyed => {
            Ok(Applied { receipt: Receipt::Settled, facts: Vec::new() })
        }
    }
}

/// Closes an epoch whose gate is found shut after a crash; an open gate changes nothing.
pub(crate) async fn close_shut(
    db: &mut SqliteConnection,
    epoch: u64,
    accepting: bool,
) -> Result<Applied> {
    if accepting {
        state(db, epoch).await?;
        return Ok(Applied { receipt: Receipt::Settled, facts: Vec::new() });
    }
    close(db, epoch).await
}

/// Every node knows that the epoch takes no new slip.
pub(crate) async fn acknowledge(db: &mut SqliteConnection, epoch: u64) -> Result<Applied> {
    match state(db, epoch).await? {
        EpochState::Closing => {
            set(db, epoch, EpochState::Closed).await?;
            Ok(Applied::done(Vec::new()))
        }
        EpochState::Closed => Ok(Applied { receipt: Receipt::Settled, facts: Vec::new() }),
        state @ (EpochState::Open | EpochState::Destroyed) => {
            Err(Refusal::EpochState { epoch, state }.into())
        }
    }
}

/// The key is gone; what waited for that is unrecoverable now.
pub(crate) async fn destroyed(db: &mut SqliteConnection, at: Time, epoch: u64) -> Result<Applied> {
    match state(db, epoch).await? {
        EpochState::Closed => {}
        EpochState::Destroyed => {
            return Ok(Applied { receipt: Receipt::Settled, facts: Vec::new() });
        }
        state @ (EpochState::Open | EpochState::Closing) => {
            return Err(Refusal::EpochState { epoch, state }.into());
        }
    }
    set(db, epoch, EpochState::Destroyed).await?;
    sqlx::query("UPDATE epochs SET destroyed_at = $1 WHERE epoch = $2")
        .bind(moment(at))
        .bind(big(epoch))
        .execute(&mut *db)
        .await
        .map_err(failed(HERE))?;
    let recordings = settle_epoch(db, at, epoch).await?;
    let unrecoverable = recordings.iter().map(|id| Fact::Unrecoverable { recording: *id });
    let facts = [Fact::EpochDestroyed { epoch }].into_iter().chain(unrecoverable).collect();
    Ok(Applied { receipt: Receipt::Unrecoverable(recordings), facts })
}

/// The state of an epoch.
pub(crate) async fn state(db: &mut SqliteConnection, epoch: u64) -> Result<EpochState> {
    let row = sqlx::query("SELECT state FROM epochs WHERE epoch = $1")
        .bind(big(epoch))
        .fetch_optional(db)
        .await
        .map_err(failed(HERE))?
        .ok_or(Refusal::EpochUnknown(epoch))?;
    Columns(&row).text("state", EpochState::from_name)
}

async fn set(db: &mut SqliteConnection, epoch: u64, state: EpochState) -> Result<()> {
    sqlx::query("UPDATE epochs SET state = $1 WHERE epoch = $2")
        .bind(state.as_str())
        .bind(big(epoch))
        .execute(db)
        .await
        .map_err(failed(HERE))?;
    Ok(())
}
