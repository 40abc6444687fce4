//! Writing recordings: the commit before the permit, then sealed, then stored.

use std::time::Duration;

use call::{Digest, Fact, RecordingId, Time};
use sqlx::SqliteConnection;

use super::{
    calls,
    change::Applied,
    column::{Columns, Result, big, failed, micros, moment},
    error::{Database, LedgerError, Refusal},
};
use crate::{
    audit::tree::sha256,
    catalogue::{
        recordings::{NewRecording, RecordingState, SealedRecording, SlipTags},
        slips::SealedSlip,
    },
    retention::delete_after,
};

const HERE: Database = Database::Ledger;

/// Invariant 4b: evidence, row and facts in one transaction; the slip is in `slips.db` already.
pub(crate) async fn commit(
    db: &mut SqliteConnection,
    at: Time,
    new: &NewRecording,
) -> Result<Applied> {
    let evidence = &new.evidence;
    if !calls::exists(db, evidence.call).await? {
        return Err(Refusal::CallUnknown.into());
    }
    let body = evidence.encode();
    let hash = sha256(&[&body]);
    insert_row(db, at, new, hash).await?;
    sqlx::query("INSERT INTO evidence (recording_id, body) VALUES ($1, $2)")
        .bind(&evidence.recording.as_bytes()[..])
        .bind(body)
        .execute(&mut *db)
        .await
        .map_err(failed(HERE))?;
    remember_slip(db, evidence.recording, tags(&new.slip)).await?;
    Ok(Applied::done(vec![
        Fact::RecordingPermitted {
            call: evidence.call,
            recording: evidence.recording,
            ground: evidence.ground,
            purposes: evidence.purposes,
            evidence: hash,
        },
        slip_fact(evidence.recording, tags(&new.slip)),
    ]))
}

async fn insert_row(
    db: &mut SqliteConnection,
    at: Time,
    new: &NewRecording,
    hash: Digest,
) -> Result<()> {
    let evidence = &new.evidence;
    let made = sqlx::query(
        "INSERT INTO recordings (recording_id, call_id, tenant, line, direction, policy,
             policy_version, policy_hash, ground, purposes, evidence_hash, retention_class,
             keep_micros, delete_after, country, provider, customer_key, agent_key, state,
             permitted_at, slip_revision, slip_epoch, slip_commitment)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
             $19, $20, $21, $22, $23) ON CONFLICT DO NOTHING",
    )
    .bind(&evidence.recording.as_bytes()[..])
    .bind(&evidence.call.as_bytes()[..])
    .bind(evidence.tenant.as_str())
    .bind(evidence.line.as_str())
    .bind(new.direction.as_str())
    .bind(evidence.policy.as_str())
    .bind(i64::from(evidence.policy_version))
    .bind(&evidence.policy_hash.as_bytes()[..])
    .bind(evidence.ground.as_str())
    .bind(evidence.purposes.to_string())
    .bind(&hash.as_bytes()[..])
    .bind(&*new.retention.class)
    .bind(micros(new.retention.keep))
    .bind(moment(delete_after(at, new.retention.keep)))
    .bind(&*new.storage.country)
    .bind(&*new.storage.provider)
    .bind(new.parties.customer.as_ref().map(|key| &key[..]))
    .bind(new.parties.agent.as_ref().map(|key| &key[..]))
    .bind(RecordingState::Permitted.as_str())
    .bind(moment(at))
    .bind(i64::from(new.slip.revision))
    .bind(big(new.slip.epoch))
    .bind(&new.slip.commitment.as_bytes()[..])
    .execute(db)
    .await
    .map_err(failed(HERE))?;
    if made.rows_affected() == 0 { Err(Refusal::RecordingExists.into()) } else { Ok(()) }
}

/// A writer exists.
pub(crate) async fn begin(db: &mut SqliteConnection, recording: RecordingId) -> Result<Applied> {
    step(db, recording, RecordingState::Recording, &[RecordingState::Permitted]).await?;
    Ok(Applied::done(Vec::new()))
}

/// It could not be made or kept.
pub(crate) async fn fail(db: &mut SqliteConnection, recording: RecordingId) -> Result<Applied> {
    use RecordingState::{Failed, Permitted, Recording, Sealed};
    step(db, recording, Failed, &[Permitted, Recording, Sealed]).await?;
    Ok(Applied::done(Vec::new()))
}

/// The object is complete: retention counts from the end that is known now.
pub(crate) async fn seal(
    db: &mut SqliteConnection,
    recording: RecordingId,
    sealed: &SealedRecording,
) -> Result<Applied> {
    use RecordingState::{Failed, Permitted, Recording, Sealed};
    let row = sqlx::query("SELECT keep_micros FROM recordings WHERE recording_id = $1")
        .bind(&recording.as_bytes()[..])
        .fetch_optional(&mut *db)
        .await
        .map_err(failed(HERE))?
        .ok_or(Refusal::RecordingUnknown)?;
    let keep = Duration::from_micros(Columns(&row).count("keep_micros")?);
    step(db, recording, Sealed, &[Permitted, Recording, Failed]).await?;
    sqlx::query(
        "UPDATE recordings SET manifest = $1, object = $2, codec = $3, ended_at = $4,
             duration_ms = $5, missing_ms = $6, gaps = $7, recovered = $8, delete_after = $9
         WHERE recording_id = $10",
    )
    .bind(&sealed.manifest.as_bytes()[..])
    .bind(&*sealed.object)
    .bind(&*sealed.codec)
    .bind(moment(sealed.ended_at))
    .bind(big(sealed.duration_ms))
    .bind(big(sealed.missing_ms))
    .bind(i64::from(sealed.gaps))
    .bind(i64::from(sealed.recovered))
    .bind(moment(delete_after(sealed.ended_at, keep)))
    .bind(&recording.as_bytes()[..])
    .execute(db)
    .await
    .map_err(failed(HERE))?;
    let seconds = u32::try_from(sealed.duration_ms.div_ceil(1_000)).unwrap_or(u32::MAX);
    let mut facts = Vec::new();
    if sealed.recovered {
        facts.push(Fact::RecordingRecovered { recording, seconds });
    }
    let (manifest, missing_ms) = (sealed.manifest, sealed.missing_ms);
    facts.push(Fact::RecordingSealed { recording, manifest, seconds, missing_ms });
    Ok(Applied::done(facts))
}

/// The object was read back from its store and found equal.
pub(crate) async fn store(
    db: &mut SqliteConnection,
    recording: RecordingId,
    object: Digest,
) -> Result<Applied> {
    step(db, recording, RecordingState::Stored, &[RecordingState::Sealed]).await?;
    let row = sqlx::query(
        "UPDATE recordings SET object_sha256 = $1 WHERE recording_id = $2
         RETURNING country, provider",
    )
    .bind(&object.as_bytes()[..])
    .bind(&recording.as_bytes()[..])
    .fetch_one(db)
    .await
    .map_err(failed(HERE))?;
    let row = Columns(&row);
    let country = row.text("country", super::column::any)?;
    let provider = row.text("provider", super::column::any)?;
    Ok(Applied::done(vec![Fact::RecordingStored { recording, object, country, provider }]))
}

/// Moves a recording to a state that may follow the one it is in.
async fn step(
    db: &mut SqliteConnection,
    recording: RecordingId,
    to: RecordingState,
    from: &[RecordingState],
) -> Result<()> {
    let row = sqlx::query("SELECT state FROM recordings WHERE recording_id = $1")
        .bind(&recording.as_bytes()[..])
        .fetch_optional(&mut *db)
        .await
        .map_err(failed(HERE))?
        .ok_or(Refusal::RecordingUnknown)?;
    let state = Columns(&row).text("state", RecordingState::from_name)?;
    if !from.contains(&state) {
        return Err(Refusal::RecordingState.into());
    }
    sqlx::query("UPDATE recordings SET state = $1 WHERE recording_id = $2")
        .bind(to.as_str())
        .bind(&recording.as_bytes()[..])
        .execute(db)
        .await
        .map_err(failed(HERE))?;
    Ok(())
}

/// The tags of a slip.
pub(crate) const fn tags(slip: &SealedSlip) -> SlipTags {
    SlipTags { revision: slip.revision, epoch: slip.epoch, commitment: slip.commitment }
}

/// The fact that proves a slip revision.
pub(crate) const fn slip_fact(recording: RecordingId, slip: SlipTags) -> Fact {
    let SlipTags { revision, epoch, commitment } = slip;
    Fact::SlipRevised { recording, revision, epoch, commitment }
}

/// Makes a slip the live one of its row.
pub(crate) async fn set_slip(
    db: &mut SqliteConnection,
    recording: RecordingId,
    slip: Option<SlipTags>,
) -> Result<()> {
    let done = sqlx::query(
        "UPDATE recordings SET slip_revision = $1, slip_epoch = $2, slip_commitment = $3
         WHERE recording_id = $4",
    )
    .bind(slip.map(|slip| i64::from(slip.revision)))
    .bind(slip.map(|slip| big(slip.epoch)))
    .bind(slip.as_ref().map(|slip| &slip.commitment.as_bytes()[..]))
    .bind(&recording.as_bytes()[..])
    .execute(db)
    .await
    .map_err(failed(HERE))?;
    if done.rows_affected() == 0 { Err(Refusal::RecordingUnknown.into()) } else { Ok(()) }
}

/// Remembers which epoch sealed a revision, for as long as a backup could hold it.
pub(crate) async fn remember_slip(
    db: &mut SqliteConnection,
    recording: RecordingId,
    slip: SlipTags,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO slip_revisions (recording_id, revision, epoch, commitment)
         VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    )
    .bind(&recording.as_bytes()[..])
    .bind(i64::from(slip.revision))
    .bind(big(slip.epoch))
    .bind(&slip.commitment.as_bytes()[..])
    .execute(db)
    .await
    .map_err(failed(HERE))?;
    Ok(())
}

/// The tags of the live slip as the row has them.
pub(crate) fn slip_columns(row: &Columns<'_>) -> Result<Option<SlipTags>, LedgerError> {
    let Some(revision) = row.maybe_count("slip_revision")? else { return Ok(None) };
    Ok(Some(SlipTags {
        revision: u32::try_from(revision).map_err(|_| LedgerError::Unreadable("slip_revision"))?,
        epoch: row.count("slip_epoch")?,
        commitment: row.digest("slip_commitment")?,
    }))
}
