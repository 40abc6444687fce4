//! Writing calls: a row before the call is answered, its words and its ladder at the end. All calls
//! that begin in a batch are one statement, and so are all that end.

use std::collections::HashSet;

use call::{CallId, Time};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection, sqlite::SqliteRow};

use super::{
    column::{Columns, Result, failed, moment},
    error::Database,
    tree::ROWS_MAX,
};
use crate::catalogue::{
    calls::{CallEnd, CallNames, LadderStep, NewCall},
    quality::CallQuality,
};

const HERE: Database = Database::Ledger;

/// Invariant 4a: the rows of calls. Says of each whether it is new.
pub(crate) async fn open(
    db: &mut SqliteConnection,
    news: &[(Time, &NewCall)],
) -> Result<Vec<bool>> {
    let mut opened = HashSet::with_capacity(news.len());
    for news in news.chunks(ROWS_MAX) {
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT INTO calls (call_id, direction, tenant, line, policy, policy_version,
                 policy_hash, opened_at) ",
        );
        insert.push_values(news, |mut row, (at, NewCall { call, direction, line })| {
            let line = line.as_ref();
            row.push_bind(&call.as_bytes()[..])
                .push_bind(direction.as_str())
                .push_bind(line.map(|line| line.tenant.as_str()))
                .push_bind(line.map(|line| line.line.as_str()))
                .push_bind(line.map(|line| line.policy.as_str()))
                .push_bind(line.map(|line| i64::from(line.policy_version)))
                .push_bind(line.map(|line| &line.policy_hash.as_bytes()[..]))
                .push_bind(moment(*at));
        });
        insert.push(" ON CONFLICT DO NOTHING RETURNING call_id");
        let rows = insert.build().fetch_all(&mut *db).await.map_err(failed(HERE))?;
        opened.extend(ids(&rows)?);
    }
    Ok(news.iter().map(|(_, new)| opened.remove(&new.call)).collect())
}

/// The three words, once, the names and the ladders of calls. Says of each whether it was open.
pub(crate) async fn close(
    db: &mut SqliteConnection,
    ends: &[(Time, &CallEnd)],
) -> Result<Vec<bool>> {
    let (mut closed, mut asked) = (HashSet::with_capacity(ends.len()), HashSet::new());
    let once = ends.iter().filter(|(_, end)| asked.insert(end.call));
    let once: Vec<&(Time, &CallEnd)> = once.collect();
    for ends in once.chunks(ROWS_MAX) {
        let mut update = QueryBuilder::<Sqlite>::new(
            "UPDATE calls SET closed_at = ended.column2, consent = ended.column3,
                 outcome = ended.column4, verdict = ended.column5, near_key = ended.column6,
                 far_call_id = ended.column7, near_end = ended.column8, far_end = ended.column9,
                 ladder = ended.column10, quality = ended.column11
             FROM (",
        );
        update.push_values(ends, |mut row, (at, end)| {
            let CallEnd { call, words, ladder, names, quality } = end;
            let CallNames { near_key, far_call_id, session } = names;
            row.push_bind(&call.as_bytes()[..])
                .push_bind(moment(*at))
                .push_bind(words.consent.as_str())
                .push_bind(words.outcome.as_str())
                .push_bind(words.verdict.as_str())
                .push_bind(near_key.as_ref().map(|key| &key.as_bytes()[..]))
                .push_bind(far_call_id.as_deref())
                .push_bind(session.as_ref().map(|[near, _]| &**near))
                .push_bind(session.as_ref().map(|[_, far]| &**far))
                .push_bind(LadderStep::write(ladder))
                .push_bind(quality.as_ref().map(CallQuality::write));
        });
        update.push(
            ") AS ended WHERE calls.call_id = ended.column1 AND calls.closed_at IS NULL
             RETURNING calls.call_id AS call_id",
        );
        let rows = update.build().fetch_all(&mut *db).await.map_err(failed(HERE))?;
        closed.extend(ids(&rows)?);
    }
    Ok(ends.iter().map(|(_, end)| closed.remove(&end.call)).collect())
}

fn ids(rows: &[SqliteRow]) -> Result<Vec<CallId>> {
    rows.iter().map(|row| Columns(row).call("call_id")).collect()
}

/// Whether there is such a call.
pub(crate) async fn exists(db: &mut SqliteConnection, call: CallId) -> Result<bool> {
    let row = sqlx::query("SELECT 1 FROM calls WHERE call_id = $1").bind(&call.as_bytes()[..]);
    Ok(row.fetch_optional(db).await.map_err(failed(HERE))?.is_some())
}
