//! What programs ask and order of calls that run: how it stands, a question to the customer, and a pause of a
//! recording.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};

use crate::{floor::Floor, problem::Problem, recordings::json};

pub(crate) async fn now<F: Floor>(State(floor): State<Arc<F>>) -> Result<Response, Problem> {
    json(&floor.now().await?)
}

pub(crate) async fn ask<F: Floor>(
    State(floor): State<Arc<F>>,
    Path(call): Path<String>,
) -> Result<StatusCode, Problem> {
    floor.ask(&call).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn pause<F: Floor>(
    State(floor): State<Arc<F>>,
    Path(call): Path<String>,
) -> Result<StatusCode, Problem> {
    ordered(&*floor, &call, true).await
}

pub(crate) async fn resume<F: Floor>(
    State(floor): State<Arc<F>>,
    Path(call): Path<String>,
) -> Result<StatusCode, Problem> {
    ordered(&*floor, &call, false).await
}

async fn ordered(floor: &impl Floor, call: &str, on: bool) -> Result<StatusCode, Problem> {
    floor.pause(call, on).await?;
    Ok(StatusCode::NO_CONTENT)
}
