//! The JSON beneath the page: recordings, calls, sound, waveform and verification.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use call::{RecordingId, Time};
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

use crate::{
    archive::{Archive, Reader, Reading, Slice},
    peaks, playback,
    problem::Problem,
    session::Session,
};

/// How many entries a list has when nobody says.
const USUAL_LIMIT: usize = 100;
/// How many it has at most.
const MOST: usize = 1_000;

/// Which part of a list an address asks for.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct ListQuery {
    before: Option<u64>,
    limit: Option<usize>,
}

impl ListQuery {
    pub(crate) fn slice(&self) -> Slice {
        let limit = self.limit.unwrap_or(USUAL_LIMIT).clamp(1, MOST);
        Slice { before: self.before.map(Time::from_micros), limit }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct PeaksQuery {
    columns: Option<usize>,
}

#[derive(Serialize)]
struct Listing<T> {
    items: Vec<T>,
    /// The `before` of the next part, when there may be one.
    next_before: Option<u64>,
}

/// The `before` that continues a list which ended with an entry of `started_at`.
pub(crate) fn next_before(count: usize, slice: Slice, last: Option<Time>) -> Option<u64> {
    last.filter(|_| count >= slice.limit).map(Time::as_micros)
}

/// The recording an address names.
pub(crate) fn named(id: &str) -> Result<RecordingId, Problem> {
    id.parse().map_err(|_| Problem::UnknownRecording)
}

pub(crate) async fn list<A: Archive>(
    State(archive): State<Arc<A>>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let slice = query.map_err(|_| Problem::BadQuery)?.slice();
    let items = archive.recordings(slice).await?;
    let next_before = next_before(items.len(), slice, items.last().map(|it| it.started_at));
    json(&Listing { items, next_before })
}

pub(crate) async fn calls<A: Archive>(
    State(archive): State<Arc<A>>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let slice = query.map_err(|_| Problem::BadQuery)?.slice();
    let items = archive.calls(slice).await?;
    let next_before = next_before(items.len(), slice, items.last().map(|it| it.started_at));
    json(&Listing { items, next_before })
}

pub(crate) async fn show<A: Archive>(
    State(archive): State<Arc<A>>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let entry = archive.recording(named(&id)?).await?;
    json(&entry.ok_or(Problem::UnknownRecording)?)
}

pub(crate) async fn audio<A: Archive>(
    State(archive): State<Arc<A>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let reader = Reader { session: session.id(), reading: Reading::Listen };
    let sound = archive.open(named(&id)?, reader).await?;
    Ok(playback::answer(sound, &headers))
}

pub(crate) async fn waveform<A: Archive>(
    State(archive): State<Arc<A>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
    query: Result<Query<PeaksQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    const USUAL_COLUMNS: usize = 1_000;
    let Query(query) = query.map_err(|_| Problem::BadQuery)?;
    let columns = query.columns.unwrap_or(USUAL_COLUMNS);
    let reader = Reader { session: session.id(), reading: Reading::Look };
    let mut sound = archive.open(named(&id)?, reader).await?;
    let waveform = spawn_blocking(move || peaks::waveform(&mut *sound, columns)).await;
    json(&waveform.map_err(|_| Problem::Fault)??)
}

pub(crate) async fn verify<A: Archive>(
    State(archive): State<Arc<A>>,
    Extension(session): Extension<Session>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let reader = Reader { session: session.id(), reading: Reading::Verify };
    json(&archive.verify(named(&id)?, reader).await?)
}

/// A value as JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<Response, Problem> {
    let body = serde_json::to_vec(value).map_err(|_| Problem::Fault)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}
