//! The folder that proves one decision by itself, for somebody who has nothing else of this node.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Write},
    path::Path,
    sync::Arc,
};

use call::{CallId, Digest, Evidence, FactKind, Language, PromptHeard, RecordingId};
use ledger::{
    CLOCK, CallRow, Controller, Entry, EvidenceFolder, Inventory, Kept, Listed, MANIFEST_FILE,
    PAGE_VERSION, ProvedFact, RECORD_FORM, Record, RecordingRow, Spoken,
};
use serde_json::{Value, json};

use super::archive::{Archive, Notary, OfficeError};
use crate::config::controller;

/// What a folder is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A recording, also one that is deleted.
    Recording(RecordingId),
    /// A call in which no recording was allowed.
    Call(CallId),
}

/// Files of a folder, by name.
pub(super) type Files = Vec<(Box<str>, Vec<u8>)>;

impl Archive {
    /// Writes the folder that `jawoord-verify evidence` proves. That somebody looked is a fact before
    /// the first byte, and part of it.
    ///
    /// # Errors
    /// [`OfficeError`]; the folder is not to be used then.
    pub async fn evidence(
        self: &Arc<Self>,
        subject: Subject,
        folder: &Path,
    ) -> Result<Value, OfficeError> {
        if fs::read_dir(folder).is_ok_and(|mut found| found.next().is_some()) {
            return Err(OfficeError::FolderTaken);
        }
        let mut files = Files::new();
        let told = self.told(subject, &mut files).await?;
        let missing = told.record.prompts.iter().filter(|spoken| spoken.file.is_none()).count();
        files.extend(told.files()?.into_iter().map(|(name, bytes)| (name.into(), bytes)));
        let listed = files.iter().map(|(name, bytes)| Listed::new(name, bytes)).collect();
        let inventory = Inventory::sign(listed, &Notary(Arc::clone(&self.keys)));
        let inventory = inventory.ok_or(ledger::LedgerError::SignerFailed)?;
        files.push((MANIFEST_FILE.into(), inventory.text().into_bytes()));
        let (count, place) = (files.len(), folder.to_owned());
        let written = tokio::task::spawn_blocking(move || write(&place, &files));
        written.await.map_err(|_| OfficeError::NotStored)??;
        Ok(json!({
            "folder": folder.display().to_string(),
            "files": count,
            "facts": told.facts.len(),
            "evidence": told.evidence_hash().map(|hash| hash.to_string()),
            "prompts_missing": missing,
        }))
    }

    /// The consent record and receipt of a recording (ISO/IEC TS 27560), as its folder has them. That
    /// somebody looked is a fact before.
    ///
    /// # Errors
    /// [`OfficeError`], as for the folder.
    pub async fn consent(self: &Arc<Self>, recording: RecordingId) -> Result<Value, OfficeError> {
        let told = self.told(Subject::Recording(recording), &mut Files::new()).await?;
        let text = told.consent().ok_or(OfficeError::Unknown)?;
        serde_json::from_str(&text).map_err(|error| OfficeError::Folder(error.into()))
    }

    /// What a folder says; the sounds that it names go to `files`. That somebody looked is a fact first.
    pub(super) async fn told(
        self: &Arc<Self>,
        subject: Subject,
        files: &mut Files,
    ) -> Result<EvidenceFolder, OfficeError> {
        let (call, recording) = match subject {
            Subject::Recording(recording) => (self.call_of(recording).await?, Some(recording)),
            Subject::Call(call) => match self.ledger.permitted_in(call).await?.first() {
                Some(permitted) => return Err(OfficeError::Permitted(*permitted)),
                None => (call, None),
            },
        };
        let row = self.ledger.call(call).await?.ok_or(OfficeError::Unknown)?;
        if let Some(recording) = recording {
            self.read(recording, "evidence").await?;
        }
        let evidence = self.decided(recording).await?;
        let kept = match recording {
            Some(recording) => self.ledger.recording(recording).await?,
            None => None,
        };
        let prompts = self.spoken(evidence.as_ref(), files);
        let checkpoint = self.ledger.checkpoint()?;
        let facts = self.proved(call, recording, checkpoint.head().size).await?;
        let record = self.record(&row, recording, kept.as_ref(), prompts);
        Ok(EvidenceFolder { evidence, record, facts, checkpoint })
    }

    /// The call of a recording, which the tree still knows when the catalogue does not.
    async fn call_of(&self, recording: RecordingId) -> Result<CallId, OfficeError> {
        if let Some(row) = self.ledger.recording(recording).await? {
            return Ok(row.call);
        }
        let facts = self.ledger.facts_of_recording(recording).await?;
        let call = facts.iter().find_map(|entry| entry.field("call")?.parse().ok());
        call.ok_or(OfficeError::Unknown)
    }

    /// The evidence of a recording, as long as there is one.
    async fn decided(
        &self,
        recording: Option<RecordingId>,
    ) -> Result<Option<Evidence>, OfficeError> {
        let Some(recording) = recording else { return Ok(None) };
        let Some(text) = self.ledger.evidence(recording).await? else { return Ok(None) };
        // What does not read back cannot be shown to be what was hashed.
        let evidence = Evidence::decode(text.reveal());
        evidence.map(Some).ok_or(ledger::LedgerError::TreeDamaged.into())
    }

    /// Every fact about call and recording, and the start of the program before them, with its path.
    async fn proved(
        &self,
        call: CallId,
        recording: Option<RecordingId>,
        size: u64,
    ) -> Result<Vec<ProvedFact>, OfficeError> {
        let mut entries = self.ledger.facts_of_call(call).await?;
        if let Some(recording) = recording {
            entries.extend(self.ledger.facts_of_recording(recording).await?);
        }
        let opened = entries.iter().find(|entry| entry.kind == FactKind::CallOpened);
        if let Some(opened) = opened {
            entries.extend(self.ledger.start_before(opened.index).await?);
        }
        entries.sort_by_key(|entry: &Entry| entry.index);
        entries.dedup_by_key(|entry| entry.index);
        let mut facts = Vec::with_capacity(entries.len());
        for entry in entries.into_iter().filter(|entry| entry.index < size) {
            let path = self.ledger.inclusion_proof(entry.index, size).await?.path;
            facts.push(ProvedFact { entry, path });
        }
        Ok(facts)
    }

    /// The prompts that evidence names, each once; their sounds go to `files`.
    fn spoken(&self, evidence: Option<&Evidence>, files: &mut Files) -> Vec<Spoken> {
        let Some(evidence) = evidence else { return Vec::new() };
        let mut seen = BTreeSet::new();
        let new = |heard: &&PromptHeard| seen.insert((heard.prompt.as_str(), heard.id.sha256));
        let heard: Vec<_> = evidence.prompts.iter().filter(new).collect();
        heard.into_iter().map(|heard| self.sound(evidence.language, heard, files)).collect()
    }

    fn sound(&self, language: Language, heard: &PromptHeard, files: &mut Files) -> Spoken {
        let (prompt, id) = (heard.prompt, heard.id);
        let name: Box<str> = format!("prompts/{language}-{prompt}-{}.wav", id.version).into();
        // Two sounds of one name would be two versions of one number.
        let free = !files.iter().any(|(taken, _)| *taken == name);
        let found = self.shelf.find(id.sha256).filter(|_| free);
        let (file, text) = match found {
            None => (None, None),
            Some(sound) => {
                files.push((name.clone(), sound.file));
                (Some(name.into_string()), sound.text)
            }
        };
        Spoken {
            prompt: prompt.to_string(),
            language: language.to_string(),
            version: id.version,
            sha256: id.sha256.to_string(),
            file,
            text,
        }
    }

    /// Who is responsible for a call, as the configuration says it now.
    fn controller(&self, call: &CallRow) -> Option<Controller> {
        let tenant = &call.call.line.as_ref()?.tenant;
        controller::of(&self.controllers.borrow(), tenant).cloned()
    }

    fn record(
        &self,
        call: &CallRow,
        recording: Option<RecordingId>,
        kept: Option<&RecordingRow>,
        prompts: Vec<Spoken>,
    ) -> Record {
        let (names, words) = (&call.names, call.words);
        Record {
            form: RECORD_FORM.to_owned(),
            page: PAGE_VERSION,
            exported_at: self.clock.now().to_string(),
            exported_by: concat!("jawoord ", env!("CARGO_PKG_VERSION")).to_owned(),
            clock: CLOCK.to_owned(),
            call: call.call.call.to_string(),
            direction: call.call.direction.to_string(),
            opened_at: call.opened_at.to_string(),
            closed_at: call.closed_at.map(|at| at.to_string()),
            consent: words.map(|words| words.consent.to_string()),
            outcome: words.map(|words| words.outcome.to_string()),
            verdict: words.map(|words| words.verdict.to_string()),
            caller_call_id_key: names.near_key.map(|key| key.to_string()),
            called_call_id: names.far_call_id.as_ref().map(ToString::to_string),
            session_id: names.session.as_ref().map(|ends| ends.each_ref().map(ToString::to_string)),
            controller: self.controller(call),
            recording: recording.map(|recording| recording.to_string()),
            kept: kept.map(of_recording),
            prompts,
        }
    }
}

fn of_recording(row: &RecordingRow) -> Kept {
    let key = |key: [u8; 32]| Digest::from_bytes(key).to_string();
    Kept {
        customer_key: row.parties.customer.map(key),
        agent_key: row.parties.agent.map(key),
        state: row.state.to_string(),
        permitted_at: row.permitted_at.to_string(),
        retention_class: row.retention_class.to_string(),
        delete_after: row.delete_after.to_string(),
        held: row.held,
        country: row.storage.country.to_string(),
        provider: row.storage.provider.to_string(),
        duration_ms: row.object.as_ref().map(|object| object.sealed.duration_ms),
    }
}

/// Writes the files, the signed list last: a folder without it is not whole. They hold keys that
/// somebody pressed, so that only their owner may read them.
fn write(folder: &Path, files: &Files) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    for (name, bytes) in files {
        let path = folder.join(&**name);
        if let Some(parent) = path.parent() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
        }
        let mut options = File::options();
        let mut file = options.write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()?;
    }
    Ok(())
}
