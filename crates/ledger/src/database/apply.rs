//! Which change means what in `ledger.db`, and which changes touch `slips.db` first.

use call::{Fact, Time};
use sqlx::SqliteConnection;

use super::{
    calls,
    change::{Applied, Change, SlipEffect},
    column::Result,
    epochs,
    error::{LedgerError, Refusal},
    recordings, removals,
};
use crate::catalogue::calls::{CallEnd, NewCall};

/// A change with its facts and its moment.
pub(crate) struct Work {
    pub(crate) at: Time,
    pub(crate) facts: Vec<Fact>,
    pub(crate) change: Change,
}

/// What a change of a batch came to; `None` when it was not to be done.
pub(crate) type Outcome = Option<Result<Applied>>;

/// Does what the changes of a batch mean for `ledger.db`, as far as they are `due`: first all calls
/// that begin, then whatever may be about them, in its order, then all calls that end.
///
/// # Errors
/// Those of the database; what is refused is an outcome.
pub(crate) async fn apply_all(
    db: &mut SqliteConnection,
    work: &[Work],
    effects: &[SlipEffect],
    due: &[bool],
) -> Result<Vec<Outcome>> {
    let mut outcomes: Vec<Outcome> = work.iter().map(|_| None).collect();
    let is_due = |place: &usize| due.get(*place) == Some(&true);
    let places: Vec<usize> = (0..work.len()).filter(is_due).collect();
    let (mut news, mut others, mut ends) = (Vec::new(), Vec::new(), Vec::new());
    for (place, work) in places.into_iter().filter_map(|place| Some((place, work.get(place)?))) {
        match &work.change {
            Change::OpenCall(new) => news.push((place, (work.at, new))),
            Change::CloseCall(end) => ends.push((place, (work.at, end))),
            Change::Facts
            | Change::Commit(_)
            | Change::Begin(_)
            | Change::Seal(..)
            | Change::Store(..)
            | Change::Fail(_)
            | Change::Intend(_)
            | Change::Puncture(..)
            | Change::Reseal(_)
            | Change::DestroySlip(_)
            | Change::RemoveRow(..)
            | Change::OpenEpoch(..)
            | Change::CloseEpoch(_)
            | Change::AcknowledgeEpoch(_)
            | Change::EpochDestroyed(_) => others.push((place, work)),
        }
    }
    let mut done = open_calls(db, news).await?;
    for (place, work) in others {
        let effect = effects.get(place).copied().unwrap_or_default();
        done.push((place, refusable(apply(db, work, effect).await)?));
    }
    done.extend(close_calls(db, ends).await?);
    for (place, result) in done {
        if let Some(outcome) = outcomes.get_mut(place) {
            *outcome = Some(result);
        }
    }
    Ok(outcomes)
}

/// The results of some changes, by their places in the batch.
type Results = Vec<(usize, Result<Applied>)>;

async fn open_calls(
    db: &mut SqliteConnection,
    news: Vec<(usize, (Time, &NewCall))>,
) -> Result<Results> {
    let (places, news): (Vec<usize>, Vec<(Time, &NewCall)>) = news.into_iter().unzip();
    let opened = calls::open(db, &news).await?;
    let result = |is_new| match is_new {
        true => Ok(Applied::done(Vec::new())),
        false => Err(Refusal::CallExists.into()),
    };
    Ok(places.into_iter().zip(opened.into_iter().map(result)).collect())
}

async fn close_calls(
    db: &mut SqliteConnection,
    ends: Vec<(usize, (Time, &CallEnd))>,
) -> Result<Results> {
    let (places, ends): (Vec<usize>, Vec<(Time, &CallEnd)>) = ends.into_iter().unzip();
    let closed = calls::close(db, &ends).await?;
    let mut results = Vec::with_capacity(places.len());
    for ((place, (_, end)), was_open) in places.into_iter().zip(ends).zip(closed) {
        results.push((
            place,
            match was_open {
                true => Ok(Applied::done(Vec::new())),
                false if calls::exists(db, end.call).await? => Err(Refusal::CallEnded.into()),
                false => Err(Refusal::CallUnknown.into()),
            },
        ));
    }
    Ok(results)
}

/// A refusal is a result like another; anything else ends the batch.
fn refusable(result: Result<Applied>) -> Result<Result<Applied>> {
    match result {
        Err(error @ LedgerError::Refused(_)) => Ok(Err(error)),
        other => other.map(Ok),
    }
}

/// Does what a change means for `ledger.db`. A refusal comes before anything is written.
async fn apply(db: &mut SqliteConnection, work: &Work, effect: SlipEffect) -> Result<Applied> {
    let at = work.at;
    match &work.change {
        // Calls are written together, before and after this.
        Change::Facts | Change::OpenCall(_) | Change::CloseCall(_) => Ok(Applied::done(Vec::new())),
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
