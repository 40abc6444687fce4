//! The pages a person sees: the list, one recording, and what to do when something is wrong.

use std::sync::Arc;

use axum::{
    extract::{Path, Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};

use crate::{
    archive::Archive,
    floor::Floor,
    language::Language,
    problem::Problem,
    recordings::{ListQuery, named, next_before},
};

mod alarm;
mod details;
mod explain;
mod figure;
mod layout;
pub(crate) mod notice;
mod now;
mod overview;

/// How many calls without a recording stand below the recordings.
const CALLS: usize = 50;

pub(crate) async fn list<A: Archive + Floor>(
    State(archive): State<Arc<A>>,
    language: Language,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let slice = query.map_err(|_| Problem::BadQuery)?.slice();
    let recordings = archive.recordings(slice).await?;
    let calls = archive.calls(crate::archive::Slice { limit: CALLS, ..slice }).await?;
    let last = recordings.last().map(|entry| entry.started_at);
    let older = next_before(recordings.len(), slice, last);
    // What is now stands above the newest, not above what was long ago.
    let now = match slice.before {
        None => Some(archive.now().await?),
        Some(_) => None,
    };
    Ok(overview::overview(language, now.as_ref(), &recordings, &calls, older).into_response())
}

/// What stands above the list, alone: the script asks for it again and again.
pub(crate) async fn now<F: Floor>(
    State(floor): State<Arc<F>>,
    language: Language,
) -> Result<Response, Problem> {
    Ok(now::parts(language, &floor.now().await?))
}

pub(crate) async fn detail<A: Archive>(
    State(archive): State<Arc<A>>,
    language: Language,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let entry = archive.recording(named(&id)?).await?.ok_or(Problem::UnknownRecording)?;
    Ok(details::details(language, &entry).into_response())
}

/// What a problem's type means, at the address that the JSON gives for it.
pub(crate) async fn problem(
    language: Language,
    Path(name): Path<String>,
    command: &'static str,
) -> Result<Response, Problem> {
    let known = Problem::ALL.iter().find(|problem| problem.name() == name);
    let problem = known.ok_or(Problem::UnknownPage)?;
    Ok(notice::problem(*problem, language, command).into_response())
}
