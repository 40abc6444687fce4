//! Which change means what in `ledger.db`, and which changes touch `slips.db` first.

use call::{Fact, Time};
use sqlx::SqliteConnection;

use super::{
    calls,
    change::{Applied, Change, SlipEffect},
    column::Result,
    epochs, recordings, removals,
};

/// A change with its facts and its moment.
pub(crate) struct Work {
    pub(crate) at: Time,
    pub(crate) facts: Vec<Fact>,
    pub(crate) change: Change,
}

/// Does what a change means for `ledger.db`. A refusal comes before anything is written.
pub(crate) async fn apply(
    db: &mut SqliteConnection,
    work: &Work,
    effect: SlipEffect,
) -> Result<Applied> {
    let at = work.at;
    match &work.change {
        Change::Facts => Ok(Applied::done(Vec::new())),
        Change::OpenCall(new) => calls::open(db, at, new).await,
        Change::CloseCall(end) => calls::close(db, at, end).await,
        Change::Commit(new) => recordings::commit(db, at, new).await,
        Change::Begin(recording) => recordings::begin(db, *recording).await,
        Change::Seal(recording, sealed) => recordings::seal(db, *recording, sealed).await,
        Change::Store(recording, object) => recordings::store(db, *recording, *object).await,
        Change::Fail(recording) => recordings::fail(db, *recording).await,
        Change::Intend(order) => removals::intend(db, at, order).await,
        Change::Puncture(slip, seconds, reason) => {
            removals::remember_gone(db, slip.recording, effect).await?;
            removals::puncture(db, at, slip, *seconds, *reason).await
        }
        Change::Reseal(slip) => {
            removals::remember_gone(db, slip.recording, effect).await?;
            removals::reseal(db, slip).await
        }
        Change::DestroySlip(recording) => {
            removals::remember_gone(db, *recording, effect).await?;
            removals::slip_destroyed(db, *recording).await
        }
        Change::RemoveRow(recording, reason) => {
            removals::remove_row(db, at, *recording, *reason).await
        }
        Change::OpenEpoch(epoch, tenant, month) => {
            epochs::open(db, at, *epoch, tenant, month).await
        }
        Change::CloseEpoch(epoch) => epochs::close(db, *epoch).await,
        Change::AcknowledgeEpoch(epoch) => epochs::acknowledge(db, *epoch).await,
        Change::EpochDestroyed(epoch) => epochs::destroyed(db, at, *epoch).await,
    }
}

/// Whether a change writes to `slips.db`.
pub(crate) const fn touches_slips(change: &Change) -> bool {
    match change {
        Change::Commit(_)
        | Change::Puncture(..)
        | Change::Reseal(_)
        | Change::DestroySlip(_)
        | Change::OpenEpoch(..)
        | Change::CloseEpoch(_) => true,
        Change::Facts
        | Change::OpenCall(_)
        | Change::CloseCall(_)
        | Change::Begin(_)
        | Change::Seal(..)
        | Change::Store(..)
        | Change::Fail(_)
        | Change::Intend(_)
        | Change::RemoveRow(..)
        | Change::AcknowledgeEpoch(_)
        | Change::EpochDestroyed(_) => false,
    }
}

/// Whether a change takes a slip away, whose bytes must then be wiped.
pub(crate) const fn removes_slip(change: &Change) -> bool {
    matches!(change, Change::Puncture(..) | Change::Reseal(_) | Change::DestroySlip(_))
}
