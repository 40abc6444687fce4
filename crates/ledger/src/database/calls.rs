//! Writing calls: a row before the call is answered, its words and its ladder at the end.

use call::{CallId, Time};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::{
    change::Applied,
    column::{Result, failed, moment},
    error::{Database, Refusal},
    tree::ROWS_MAX,
};
use crate::catalogue::calls::{CallEnd, LadderStep, NewCall};

const HERE: Database = Database::Ledger;

/// Invariant 4a: the row of a call.
pub(crate) async fn open(db: &mut SqliteConnection, at: Time, new: &NewCall) -> Result<Applied> {
    let line = new.line.as_ref();
    let made = sqlx::query(
        "INSERT INTO calls (call_id, direction, tenant, line, policy, policy_version, policy_hash,
             opened_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
    )
    .bind(&new.call.as_bytes()[..])
    .bind(new.direction.as_str())
    .bind(line.map(|line| line.tenant.as_str()))
    .bind(line.map(|line| line.line.as_str()))
    .bind(line.map(|line| line.policy.as_str()))
    .bind(line.map(|line| i64::from(line.policy_version)))
    .bind(line.map(|line| &line.policy_hash.as_bytes()[..]))
    .bind(moment(at))
    .execute(db)
    .await
    .map_err(failed(HERE))?;
    if made.rows_affected() == 0 {
        return Err(Refusal::CallExists.into());
    }
    Ok(Applied::done(Vec::new()))
}

/// The three words, once, and the ladder.
pub(crate) async fn close(
    db: &mut SqliteConnection,
    at: Time,
    CallEnd { call, words, ladder, names }: &CallEnd,
) -> Result<Applied> {
    let closed = sqlx::query(
        "UPDATE calls SET closed_at = $1, consent = $2, outcome = $3, verdict = $4,
             near_key = $6, far_call_id = $7, near_end = $8, far_end = $9
         WHERE call_id = $5 AND closed_at IS NULL",
    )
    .bind(moment(at))
    .bind(words.consent.as_str())
    .bind(words.outcome.as_str())
    .bind(words.verdict.as_str())
    .bind(&call.as_bytes()[..])
    .bind(names.near_key.as_ref().map(|key| &key.as_bytes()[..]))
    .bind(names.far_call_id.as_deref())
    .bind(names.session.as_ref().map(|[near, _]| &**near))
    .bind(names.session.as_ref().map(|[_, far]| &**far))
    .execute(&mut *db)
    .await
    .map_err(failed(HERE))?;
    if closed.rows_affected() == 0 {
        let known = exists(db, *call).await?;
        return Err(if known { Refusal::CallEnded } else { Refusal::CallUnknown }.into());
    }
    let steps: Vec<(i64, &LadderStep)> = (0_i64..).zip(ladder).collect();
    for steps in steps.chunks(ROWS_MAX) {
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT INTO ladder (call_id, step, at, from_station, to_station, label) ",
        );
        insert.push_values(steps, |mut row, (number, step)| {
            row.push_bind(&call.as_bytes()[..])
                .push_bind(*number)
                .push_bind(moment(step.at))
                .push_bind(step.from.as_str())
                .push_bind(step.to.as_str())
                .push_bind(step.label());
        });
        insert.build().execute(&mut *db).await.map_err(failed(HERE))?;
    }
    Ok(Applied::done(Vec::new()))
}

/// Whether there is such a call.
pub(crate) async fn exists(db: &mut SqliteConnection, call: CallId) -> Result<bool> {
    let row = sqlx::query("SELECT 1 FROM calls WHERE call_id = $1").bind(&call.as_bytes()[..]);
    Ok(row.fetch_optional(db).await.map_err(failed(HERE))?.is_some())
}
