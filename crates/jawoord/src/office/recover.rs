//! After a crash: closes what was being recorded, gives every call its words, resumes deletions.

use std::sync::Arc;

use call::{CallId, Consent, Fact, Outcome, Reason, RecordingId, Verdict, Words};
use ledger::{Leftovers, RecordingFilter, RecordingState};
use vault::{Recovered, Tape};

use super::{
    archive::{Archive, OfficeError},
    keeper::KeeperDoor,
    store::Making,
};

/// What was found and done at the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Recordings that a crash had cut and that are stored now.
    pub recovered: u64,
    /// Recordings without any sound, which were removed.
    pub empty: u64,
    /// Calls that got their words now.
    pub calls: u64,
    /// Pieces of journals that nobody owns.
    pub orphans: u64,
    /// Bytes of journals that could not be read, but for the cut ends.
    pub damaged: u64,
    /// Objects in the store that no row owns.
    pub strangers: u64,
}

impl Archive {
    /// Closes everything that the last run left behind.
    ///
    /// # Errors
    /// [`OfficeError`] when spool or ledger cannot be read; what was closed stays closed.
    pub async fn recover(
        self: &Arc<Self>,
        leftovers: &Leftovers,
        keeper: &KeeperDoor,
    ) -> Result<Found, OfficeError> {
        let mut found = Found::default();
        let spool = self.spool.clone();
        let recovered = tokio::task::spawn_blocking(move || vault::recover(&spool)).await;
        let mut recovered = match recovered {
            Ok(Ok(recovered)) => recovered,
            Ok(Err(error)) => {
                tracing::error!(%error, "the spool of the last run");
                return Err(OfficeError::NotStored);
            }
            Err(_) => return Err(OfficeError::NotStored),
        };
        let damage = recovered.damage.iter().filter(|damage| !damage.at_end);
        found.damaged = damage.map(|damage| damage.bytes).sum();
        let tapes: Vec<Tape> = recovered.tapes.drain(..).collect();
        let mut closed = Vec::new();
        for tape in tapes {
            closed.extend(self.close_tape(tape, &mut recovered, keeper, &mut found).await?);
        }
        for recording in leftovers.unsealed.iter().chain(&leftovers.unstored) {
            if !closed.contains(recording) {
                self.close_empty(*recording, keeper, &mut found).await?;
            }
        }
        for call in &leftovers.calls {
            self.close_call(*call, &mut found).await?;
        }
        found.strangers = self.strangers().await?;
        Ok(found)
    }

    /// Objects in the store that no row owns. They are counted and left alone: another node's
    /// store given by mistake must not be emptied.
    async fn strangers(self: &Arc<Self>) -> Result<u64, OfficeError> {
        let archive = Arc::clone(self);
        let listed = tokio::task::spawn_blocking(move || archive.store.list()).await;
        let mut strangers = 0;
        for recording in listed.map_err(|_| OfficeError::NotStored)?? {
            strangers += u64::from(self.ledger.recording(recording).await?.is_none());
        }
        if strangers > 0 {
            tracing::error!(strangers, "objects in the store have no row here; whose are they?");
        }
        Ok(strangers)
    }

    /// One recording of an old journal. Returns its id when it is dealt with.
    async fn close_tape(
        self: &Arc<Self>,
        tape: Tape,
        recovered: &mut Recovered,
        keeper: &KeeperDoor,
        found: &mut Found,
    ) -> Result<Option<RecordingId>, OfficeError> {
        let recording = tape.recording();
        let row = self.ledger.recording(recording).await?;
        let samples = tape.samples();
        match row {
            Some(row) if row.state != RecordingState::Stored && samples > 0 => {
                let started = row.permitted_at;
                let words = Words {
                    consent: Consent::Granted,
                    outcome: Outcome::Bridged,
                    verdict: Verdict::Degraded,
                };
                let ended = started + media::duration(samples);
                let making = Making { row, started, ended, words, recovered: true };
                let millis = self.make(&Arc::new(tape), making).await?;
                tracing::warn!(%recording, millis, "a recording that a crash had cut is stored");
                found.recovered += 1;
            }
            Some(row) if row.state != RecordingState::Stored => {
                self.close_empty(recording, keeper, found).await?;
            }
            Some(_) => {}
            None => found.orphans += 1,
        }
        if let Err(error) = recovered.release(recording) {
            tracing::warn!(%error, "an old journal could not be removed");
        }
        Ok(Some(recording))
    }

    async fn close_empty(
        &self,
        recording: RecordingId,
        keeper: &KeeperDoor,
        found: &mut Found,
    ) -> Result<(), OfficeError> {
        if let Err(open) = keeper.delete(recording, Reason::Empty).await {
            tracing::error!(%recording, %open, "a recording without sound");
        }
        found.empty += 1;
        Ok(())
    }

    /// A call that was running gets the words that can still be known.
    async fn close_call(&self, call: CallId, found: &mut Found) -> Result<(), OfficeError> {
        let filter = RecordingFilter { call: Some(call), ..RecordingFilter::default() };
        let recorded =
            self.ledger.recordings(&filter).await?.iter().any(|row| row.object.is_some());
        let words = if recorded {
            Words {
                consent: Consent::Granted,
                outcome: Outcome::Bridged,
                verdict: Verdict::Degraded,
            }
        } else {
            Words {
                consent: Consent::Abandoned,
                outcome: Outcome::CallerGone,
                verdict: Verdict::Failed,
            }
        };
        let Words { consent, outcome, verdict } = words;
        let fact = Fact::CallEnded { call, consent, outcome, verdict };
        let now = self.clock.now();
        self.ledger.close_call(now, call, words, Vec::new(), vec![fact]).await?;
        found.calls += 1;
        Ok(())
    }
}
