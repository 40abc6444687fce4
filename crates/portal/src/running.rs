//! What programs ask and order of calls that run, and tell of them: how it stands, a question to the customer,
//! who of the house talks to them, and a pause of a recording.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};

use call::{Private, Queue};
use serde::{Deserialize, Deserializer};

use crate::{
    floor::{Floor, Seated},
    problem::Problem,
    recordings::json,
};

/// The longest name of an agent, in bytes.
const NAME: usize = 128;

/// What a program says of the agent. That there is none is said aloud.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    #[serde(deserialize_with = "said_aloud")]
    agent: Option<String>,
    #[serde(default)]
    queue: Option<String>,
}

/// What is missing is a fault, and no `null`.
fn said_aloud<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Option::deserialize(from)
}

impl Told {
    /// Who talks to the customer, if anybody does.
    fn seated(self) -> Result<Option<Seated>, Problem> {
        let queue = self.queue.map(|name| Queue::new(&name)).transpose();
        let queue = queue.map_err(|_| Problem::BadAgent)?;
        match self.agent {
            Some(agent) if agent.is_empty() || agent.len() > NAME => Err(Problem::BadAgent),
            Some(agent) => Ok(Some(Seated { agent: Private::new(agent), queue })),
            None => Ok(None),
        }
    }
}

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

pub(crate) async fn agent<F: Floor>(
    State(floor): State<Arc<F>>,
    Path(call): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let told: Told = serde_json::from_slice(&body).map_err(|_| Problem::BadAgent)?;
    floor.agent(&call, told.seated()?).await?;
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

pub(crate) async fn withdraw<F: Floor>(
    State(floor): State<Arc<F>>,
    Path(call): Path<String>,
) -> Result<StatusCode, Problem> {
    floor.withdraw(&call).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn ordered(floor: &impl Floor, call: &str, on: bool) -> Result<StatusCode, Problem> {
    floor.pause(call, on).await?;
    Ok(StatusCode::NO_CONTENT)
}
