//! From the spool to the store: object, seal, read back, row.

use std::sync::Arc;

use call::{Consent, Outcome, Time, Verdict, Words};
use ledger::{RecordingRow, SealedRecording};
use vault::{Codec, Country, FinaliseError, Sealed, Tags, Tape};

use super::archive::{Archive, OfficeError};
use crate::recorder::door::Ended;

const SAMPLES_PER_MS: u64 = 8;

/// What is known of a recording when its object is made.
pub(crate) struct Making {
    pub(crate) row: RecordingRow,
    pub(crate) started: Time,
    pub(crate) ended: Time,
    pub(crate) words: Words,
    pub(crate) recovered: bool,
}

impl Archive {
    /// Makes the object of an ended recording, stores it, reads it back, and writes the row.
    /// Returns its length in milliseconds.
    ///
    /// # Errors
    /// [`OfficeError`]; the spool still has it.
    pub async fn store(self: &Arc<Self>, ended: &Ended) -> Result<u64, OfficeError> {
        let row = self.ledger.recording(ended.recording).await?.ok_or(OfficeError::Unknown)?;
        let Some(tape) = &ended.tape else { return Err(OfficeError::NotStored) };
        let started = ended.started.unwrap_or(row.permitted_at);
        // A party that sent nothing leaves gaps, which are listed; only loss degrades.
        let whole = tape.is_whole() && !ended.degraded;
        let verdict = if whole { Verdict::Recorded } else { Verdict::Degraded };
        let words = Words { consent: Consent::Granted, outcome: Outcome::Bridged, verdict };
        let making = Making { row, started, ended: ended.at, words, recovered: false };
        self.make(tape, making).await
    }

    /// The object, the seal, the store and the row of a tape.
    pub(crate) async fn make(
        self: &Arc<Self>,
        tape: &Arc<Tape>,
        making: Making,
    ) -> Result<u64, OfficeError> {
        let Making { row, started, ended, words, recovered } = making;
        let recording = row.recording;
        let tags = tags(&row, started, ended, words)?;
        // The semaphore is never closed.
        let _turn = self.making.acquire().await.ok();
        let (archive, blocking) = (Arc::clone(self), Arc::clone(tape));
        let made = tokio::task::spawn_blocking(move || {
            blocking.finalise(tags, &*archive.keys, &*archive.store)
        });
        let sealed = made.await.map_err(|_| OfficeError::NotStored)?.map_err(finalise_error)?;
        let duration_ms = sealed.manifest.samples / SAMPLES_PER_MS;
        let catalogue = catalogue(&sealed, tape, ended, duration_ms, recovered);
        self.ledger.seal_recording(ended, recording, catalogue, Vec::new()).await?;
        self.ledger.store_recording(self.clock.now(), recording, sealed.object).await?;
        Ok(duration_ms)
    }
}

fn finalise_error(error: FinaliseError) -> OfficeError {
    tracing::error!(%error, "making an object");
    OfficeError::NotStored
}

fn tags(row: &RecordingRow, started: Time, ended: Time, words: Words) -> Result<Tags, OfficeError> {
    let digest = |key: Option<[u8; 32]>| key.map(call::Digest::from_bytes);
    Ok(Tags {
        recording: row.recording,
        call: row.call,
        tenant: row.tenant.clone(),
        line: row.line.clone(),
        direction: row.direction,
        purposes: row.purposes,
        ground: row.ground,
        evidence: row.evidence,
        policy: row.policy.clone(),
        policy_version: row.policy_version,
        policy_hash: row.policy_hash,
        retention_class: row.retention_class.clone(),
        delete_after: ended + row.keep,
        hold: row.held,
        storage_country: Country::new(&row.storage.country).ok_or(OfficeError::Country)?,
        storage_provider: row.storage.provider.clone(),
        started_at: started,
        words,
        customer_key: digest(row.parties.customer),
        agent_key: digest(row.parties.agent),
    })
}

fn catalogue(
    sealed: &Sealed,
    tape: &Tape,
    ended_at: Time,
    duration_ms: u64,
    recovered: bool,
) -> SealedRecording {
    let name = |codec: &Codec| codec.as_str();
    let codec = sealed.manifest.codecs.map_or_else(String::new, |[customer, agent]| {
        format!("{}/{}", name(&customer), name(&agent))
    });
    // The manifest counts samples of both channels.
    let missing_ms = sealed.manifest.missing_samples / SAMPLES_PER_MS / 2;
    SealedRecording {
        manifest: sealed.manifest_hash,
        object: sealed.manifest.tags.recording.to_string().into(),
        codec: codec.into(),
        ended_at,
        duration_ms,
        missing_ms,
        gaps: u32::from(!tape.is_whole() || missing_ms > 0),
        recovered,
    }
}
