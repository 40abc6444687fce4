//! Calls, recordings and epochs as JSON: every tag, no number, name or address.

use std::time::Duration;

use call::{FactKind, RecordingId};
use ledger::{CallRow, Due, Entry, Epoch, LadderStep, RecordingRow, Removal, RemovalRow};
use serde_json::{Map, Value, json};

use crate::{ladder::draw, note::Standing, quality};

/// A call.
#[must_use]
pub fn call(row: &CallRow) -> Value {
    let line = row.call.line.as_ref();
    json!({
        "call": row.call.call.to_string(),
        "opened_at": row.opened_at.to_string(),
        "closed_at": row.closed_at.map(|at| at.to_string()),
        "direction": row.call.direction.as_str(),
        "tenant": line.map(|line| line.tenant.as_str()),
        "line": line.map(|line| line.line.as_str()),
        "policy": line.map(|line| line.policy.as_str()),
        "policy_version": line.map(|line| line.policy_version),
        "policy_hash": line.map(|line| line.policy_hash.to_string()),
        "consent": row.words.map(|words| words.consent.as_str()),
        "outcome": row.words.map(|words| words.outcome.as_str()),
        "verdict": row.words.map(|words| words.verdict.as_str()),
        "caller_call_id_key": row.names.near_key.map(|key| key.to_string()),
        "called_call_id": row.names.far_call_id,
        "quality": row.quality.as_ref().map(quality::rows),
        "session_id": row.names.session.as_ref().map(|[near, far]| format!("{near};remote={far}")),
    })
}

/// How a running call stands, beside what the catalogue has of it: its ladder, and what is wrong with it.
pub fn standing(standing: &Standing, call: &mut Map<String, Value>) {
    let alarms: Value = standing.alarms.iter().map(|raised| raised.alarm.to_string()).collect();
    call.insert("alarms".to_owned(), alarms);
    call.insert("ladder".to_owned(), ladder(&standing.steps));
    call.insert("drawing".to_owned(), draw(&standing.steps).into());
}

/// A ladder.
#[must_use]
pub fn ladder(steps: &[LadderStep]) -> Value {
    steps
        .iter()
        .map(|step| {
            json!({
                "at": step.at.to_string(),
                "from": step.from.as_str(),
                "to": step.to.as_str(),
                "label": step.label(),
            })
        })
        .collect()
}

/// A recording with every retention tag.
#[must_use]
pub fn recording(row: &RecordingRow, removals: &[RemovalRow]) -> Value {
    let sealed = row.object.as_ref().map(|object| &object.sealed);
    let words = row.words;
    json!({
        "recording": row.recording.to_string(),
        "call": row.call.to_string(),
        "tenant": row.tenant.as_str(),
        "line": row.line.as_str(),
        "direction": row.direction.as_str(),
        "ground": row.ground.as_str(),
        "purposes": row.purposes.iter().map(|purpose| purpose.as_str()).collect::<Vec<_>>(),
        "policy": row.policy.as_str(),
        "policy_version": row.policy_version,
        "policy_hash": row.policy_hash.to_string(),
        "evidence": row.evidence.to_string(),
        "retention_class": &*row.retention_class,
        "delete_after": row.delete_after.to_string(),
        "held": row.held,
        "storage_country": &*row.storage.country,
        "storage_provider": &*row.storage.provider,
        "state": row.state.as_str(),
        "permitted_at": row.permitted_at.to_string(),
        "ended_at": sealed.map(|sealed| sealed.ended_at.to_string()),
        "duration_ms": sealed.map(|sealed| sealed.duration_ms),
        "missing_ms": sealed.map(|sealed| sealed.missing_ms),
        "gaps": sealed.map(|sealed| sealed.gaps),
        "codec": sealed.map(|sealed| &*sealed.codec),
        "degraded": sealed.is_some_and(|sealed| sealed.recovered)
            || words.is_some_and(|words| words.verdict == call::Verdict::Degraded),
        "manifest": sealed.map(|sealed| sealed.manifest.to_string()),
        "object": row.object.as_ref().and_then(|object| object.sha256).map(|hash| hash.to_string()),
        "slip_revision": row.slip.map(|slip| slip.revision),
        "epoch": row.slip.map(|slip| slip.epoch),
        "consent": words.map(|words| words.consent.as_str()),
        "outcome": words.map(|words| words.outcome.as_str()),
        "verdict": words.map(|words| words.verdict.as_str()),
        "party_keys": {
            "customer": row.parties.customer.map(|key| call::Digest::from_bytes(key).to_string()),
            "agent": row.parties.agent.map(|key| call::Digest::from_bytes(key).to_string()),
        },
        "erased": removals.iter().map(removal).collect::<Vec<_>>(),
    })
}

/// Who talked to the customer, by a pseudonym, from when until when, and who said so. Without an end it was the
/// end of the recording.
#[must_use]
pub fn agents(facts: &[Entry]) -> Value {
    let mut agents: Vec<Value> = Vec::new();
    for fact in facts {
        let is_new = fact.kind == FactKind::AgentConnected;
        if (is_new || matches!(fact.kind, FactKind::AgentLeft | FactKind::AgentUnknown))
            && let Some(last) = agents.last_mut()
            && last["until"].is_null()
        {
            last["until"] = fact.at.to_string().into();
        }
        if is_new {
            agents.push(json!({
                "agent": fact.field("agent"),
                "queue": fact.field("queue").filter(|queue| !queue.is_empty()),
                "source": fact.field("by"),
                "since": fact.at.to_string(),
                "until": null,
            }));
        }
    }
    agents.into()
}

/// An erasure and its dates.
#[must_use]
pub fn removal(row: &RemovalRow) -> Value {
    let state = match (row.erased_at, row.unrecoverable_at) {
        (None, _) => "ordered",
        (Some(_), None) => "erased",
        (Some(_), Some(_)) => "unrecoverable",
    };
    let (from, to) = match row.removal {
        Removal::Whole => (None, None),
        Removal::Seconds(seconds) => (Some(seconds.from), Some(seconds.to)),
    };
    json!({
        "from": from,
        "to": to,
        "reason": row.reason.as_str(),
        "state": state,
        "ordered_at": row.intended_at.to_string(),
        "erased_at": row.erased_at.map(|at| at.to_string()),
        "unrecoverable_at": row.unrecoverable_at.map(|at| at.to_string()),
    })
}

/// A recording that is due.
#[must_use]
pub fn due(due: &Due) -> Value {
    json!({
        "recording": due.recording.to_string(),
        "overdue_s": due.overdue.as_secs(),
    })
}

/// A key epoch.
#[must_use]
pub fn epoch(epoch: &Epoch) -> Value {
    json!({
        "epoch": epoch.number,
        "tenant": epoch.tenant.as_str(),
        "month": &*epoch.month,
        "state": epoch.state.as_str(),
        "slips": epoch.slips,
        "saw_erasure": epoch.saw_erasure,
        "opened_at": epoch.opened_at.to_string(),
        "destroyed_at": epoch.destroyed_at.map(|at| at.to_string()),
    })
}

/// What a sweep did.
#[must_use]
pub fn sweep(deleted: &[RecordingId], open: &[(RecordingId, String)], took: Duration) -> Value {
    json!({
        "deleted": deleted.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "open": open
            .iter()
            .map(|(recording, why)| json!({ "recording": recording.to_string(), "why": why }))
            .collect::<Vec<_>>(),
        "took_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
    })
}
