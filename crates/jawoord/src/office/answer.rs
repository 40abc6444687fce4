//! Carries out what the command line asks for, in the daemon or in-process.

use std::{path::Path, sync::Arc, time::Instant};

use call::{CallId, Erasure, Private, Reason, RecordingId, Time};
use ledger::{CallFilter, Period, RecordingFilter};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use vault::{Reader, wav_header};

use super::{
    archive::{Archive, OfficeError},
    evidence::Subject,
    keeper::KeeperDoor,
    listing,
};
use crate::{
    books::Compared,
    command::request::{Reply, Request, call_id, recording_id},
    control::Answer,
    floor::FloorDoor,
};

/// Rows of one listing.
const LIMIT: u32 = 1_000;
/// Recordings deleted by one sweep before it looks again.
const SWEEP: usize = 1_000;
/// Frames of one piece of an export.
const PIECE: usize = 8_000;

/// Whoever answers: the archive and the keeper.
#[derive(Clone)]
pub struct Desk {
    /// Ledger, keys and store.
    pub archive: Arc<Archive>,
    /// Deletions.
    pub keeper: KeeperDoor,
}

impl Desk {
    /// Carries out a request. Those that need running calls are not for the desk.
    pub async fn answer(&self, request: Request) -> Answer {
        if let Request::RecordingsExport { id } = &request {
            match recording_id(id) {
                Ok(id) => self.export(id).await,
                Err(reply) => reply.into(),
            }
        } else if let Request::RecordingsVcon { id } = &request {
            match recording_id(id) {
                Ok(id) => self.vcon(id).await,
                Err(reply) => reply.into(),
            }
        } else {
            self.reply(request).await.into()
        }
    }

    async fn reply(&self, request: Request) -> Reply {
        let result = match request {
            Request::CallsList => self.calls().await,
            Request::CallsFind { name } => self.named(name).await,
            Request::CallsShow { id } => match call_id(&id) {
                Ok(id) => self.call(id).await,
                Err(reply) => return reply,
            },
            Request::RecordingsList => self.recordings().await,
            Request::RecordingsShow { id } => match recording_id(&id) {
                Ok(id) => self.recording(id).await,
                Err(reply) => return reply,
            },
            Request::RecordingsVerify { id } => match recording_id(&id) {
                Ok(id) => return self.verify(id).await,
                Err(reply) => return reply,
            },
            Request::RecordingsEvidence { id, dir } => {
                return self.evidence(recording_id(&id).map(Subject::Recording), &dir).await;
            }
            Request::RecordingsConsent { id } => return self.consent(recording_id(&id)).await,
            Request::CallsEvidence { id, dir } => {
                return self.evidence(call_id(&id).map(Subject::Call), &dir).await;
            }
            Request::RecordingsErase { id, seconds } => match recording_id(&id) {
                Ok(id) => return self.erase(id, seconds).await,
                Err(reply) => return reply,
            },
            Request::RetentionDue { as_of } => self.due(as_of).await,
            Request::RetentionSweep => return self.sweep().await,
            Request::KeysStatus => self.epochs().await,
            Request::KeysRotate => self.rotate().await,
            Request::KeysDestroyEpoch { epoch } => self.destroy(epoch).await,
            Request::AuditVerify => match self.archive.audit().await {
                Ok((value, true)) => Ok(value),
                Ok((value, false)) => return Reply::wrong(value),
                Err(error) => Err(error),
            },
            Request::ReportReconcile { from, to } => return self.reconcile(from, to, None).await,
            Request::AuditExport { dir } => self.archive.export_audit(Path::new(&dir)).await,
            Request::CallsAsk { .. }
            | Request::CallsAgent { .. }
            | Request::CallsPause { .. }
            | Request::CallsWithdraw { .. }
            | Request::CallsHangup { .. }
            | Request::CallsTrace { .. }
            | Request::LinesAdd { .. }
            | Request::LinesRemove { .. }
            | Request::Reload
            | Request::Drain { .. }
            | Request::CheckLive { .. }
            | Request::PortalLink => {
                return Reply::failed("no node runs on this data folder; start it with `serve`");
            }
            Request::RecordingsExport { .. } | Request::RecordingsVcon { .. } => {
                return Reply::failed("an export has a body");
            }
        };
        result.map_or_else(Reply::failed, Reply::done)
    }

    async fn calls(&self) -> Result<Value, OfficeError> {
        let filter = CallFilter { limit: LIMIT, ..CallFilter::default() };
        let rows = self.archive.ledger.calls(&filter).await?;
        Ok(rows.iter().map(listing::call).collect())
    }

    async fn call(&self, id: CallId) -> Result<Value, OfficeError> {
        let row = self.archive.ledger.call(id).await?.ok_or(OfficeError::Unknown)?;
        let mut value = listing::call(&row);
        if let Some(object) = value.as_object_mut() {
            let steps = self.archive.ledger.ladder(id).await?;
            let filter = RecordingFilter { call: Some(id), ..RecordingFilter::default() };
            let recordings = self.archive.ledger.recordings(&filter).await?;
            let ids: Vec<String> = recordings.iter().map(|row| row.recording.to_string()).collect();
            object.insert("recordings".to_owned(), ids.into());
            object.insert("ladder".to_owned(), listing::ladder(&steps));
            object.insert("drawing".to_owned(), crate::ladder::draw(&steps).into());
        }
        Ok(value)
    }

    async fn named(&self, name: String) -> Result<Value, OfficeError> {
        let name = Private::new(name);
        let key = self.archive.call_id_key(&name);
        let rows = self.archive.ledger.calls_named(key, name.reveal()).await?;
        Ok(rows.iter().map(listing::call).collect::<Vec<_>>().into())
    }

    async fn recordings(&self) -> Result<Value, OfficeError> {
        let filter = RecordingFilter { limit: LIMIT, ..RecordingFilter::default() };
        let mut rows = Vec::new();
        for row in self.archive.ledger.recordings(&filter).await? {
            let removals = self.archive.ledger.removals(row.recording).await?;
            rows.push(listing::recording(&row, &removals));
        }
        Ok(rows.into())
    }

    async fn recording(&self, id: RecordingId) -> Result<Value, OfficeError> {
        let removals = self.archive.ledger.removals(id).await?;
        match self.archive.ledger.recording(id).await? {
            Some(row) => {
                let mut value = listing::recording(&row, &removals);
                let facts = self.archive.ledger.facts_of_recording(id).await?;
                if let Some(object) = value.as_object_mut() {
                    object.insert("agents".to_owned(), listing::agents(&facts));
                }
                Ok(value)
            }
            // The row is gone; what proves its end is not.
            None if !removals.is_empty() => Ok(json!({
                "recording": id.to_string(),
                "state": "deleted",
                "erased": removals.iter().map(listing::removal).collect::<Vec<_>>(),
            })),
            None => Err(OfficeError::Unknown),
        }
    }

    async fn verify(&self, id: RecordingId) -> Reply {
        if let Err(error) = self.archive.read(id, "verify").await {
            return Reply::failed(error);
        }
        match self.archive.verify(id).await {
            Ok(verified) if verified.is_well() => Reply::done(verified.value(id)),
            Ok(verified) => Reply::wrong(verified.value(id)),
            Err(error) => Reply::failed(error),
        }
    }

    async fn evidence(&self, subject: Result<Subject, Reply>, dir: &str) -> Reply {
        match subject {
            Ok(subject) => match self.archive.evidence(subject, Path::new(dir)).await {
                Ok(value) => Reply::done(value),
                Err(error) => Reply::failed(error),
            },
            Err(reply) => reply,
        }
    }

    /// Reconciles a period, or everything. `floor` are the calls that run, where a node does.
    pub async fn reconcile(
        &self,
        from: Option<u64>,
        to: Option<u64>,
        floor: Option<&FloorDoor>,
    ) -> Reply {
        let now = self.archive.clock.now();
        let period = Period {
            from: Time::from_micros(from.unwrap_or(0)),
            to: to.map_or(now, Time::from_micros),
        };
        if period.from >= period.to {
            return Reply::failed(
                "`--to`, which is now without it, must be after `--from`; nothing was compared",
            );
        }
        let written = match self.archive.reconcile(now, period, floor, None).await {
            Ok(written) => written,
            Err(error) => return Reply::failed(error),
        };
        // A part of it can neither raise the alarm about all nor end it.
        if let (Some(floor), None, None) = (floor, from, to) {
            let mismatches = Some(written.report.mismatches);
            floor.reconciled(Compared { at: now, from: period.from, mismatches });
        }
        match written.report.agrees() {
            true => Reply::done(written.value()),
            false => Reply::wrong(written.value()),
        }
    }

    async fn consent(&self, recording: Result<RecordingId, Reply>) -> Reply {
        match recording {
            Ok(recording) => {
                self.archive.consent(recording).await.map_or_else(Reply::failed, Reply::done)
            }
            Err(reply) => reply,
        }
    }

    async fn rotate(&self) -> Result<Value, OfficeError> {
        let rotated = self.archive.rotate().await?;
        Ok(json!({ "closed": rotated.closed, "slips": rotated.slips }))
    }

    async fn destroy(&self, epoch: u64) -> Result<Value, OfficeError> {
        let recordings = self.archive.destroy(epoch).await?;
        let ids: Vec<String> = recordings.iter().map(ToString::to_string).collect();
        Ok(json!({ "destroyed": epoch, "unrecoverable": ids }))
    }

    async fn erase(&self, id: RecordingId, seconds: Option<(u32, u32)>) -> Reply {
        match self.archive.ledger.recording(id).await {
            Ok(Some(_)) => {}
            Ok(None) => return Reply::failed(OfficeError::Unknown),
            Err(error) => return Reply::failed(error),
        }
        let erased = match seconds {
            Some((from, to)) if from >= to => {
                return Reply::failed("`--to` must be after `--from`; nothing was erased");
            }
            Some((from, to)) => self.keeper.erase(id, Erasure { from, to }, Reason::Request).await,
            None => self.keeper.delete(id, Reason::Request).await,
        };
        match erased {
            Ok(()) => match self.recording(id).await {
                Ok(value) => Reply::done(value),
                Err(error) => Reply::failed(error),
            },
            Err(open) => Reply::failed(open),
        }
    }

    async fn due(&self, as_of: Option<u64>) -> Result<Value, OfficeError> {
        let now = as_of.map_or_else(
            || self.archive.clock.now(),
            |seconds| Time::from_micros(seconds.saturating_mul(1_000_000)),
        );
        let due = self.archive.ledger.due(now, SWEEP).await?;
        Ok(due.iter().map(listing::due).collect())
    }

    /// Deletes what is due. What could not be deleted is listed, stays open, and makes the exit
    /// code 1.
    pub async fn sweep(&self) -> Reply {
        let started = Instant::now();
        let (mut deleted, mut open) = (Vec::new(), Vec::new());
        let due = match self.archive.ledger.due(self.archive.clock.now(), SWEEP).await {
            Ok(due) => due,
            Err(error) => return Reply::failed(error),
        };
        for due in due {
            match self.keeper.delete(due.recording, Reason::Retention).await {
                Ok(()) => deleted.push(due.recording),
                Err(still) => open.push((due.recording, still.to_string())),
            }
        }
        let value = listing::sweep(&deleted, &open, started.elapsed());
        if open.is_empty() {
            return Reply::done(value);
        }
        let error = format!("{} deletions failed and stay open; see `open`", open.len());
        Reply { done: false, value, error: Some(error), bytes: 0 }
    }

    async fn epochs(&self) -> Result<Value, OfficeError> {
        Ok(self.archive.ledger.epochs().await?.iter().map(listing::epoch).collect())
    }

    /// Sends a recording as WAV, second by second. The read is a fact before the first byte.
    async fn export(&self, id: RecordingId) -> Answer {
        match self.open(id, Some("export")).await {
            Ok(reader) => stream(reader),
            Err(error) => Reply::failed(error).into(),
        }
    }

    /// Opens a recording and notes that it was read, and how; `None` goes on with a reading that
    /// is noted already.
    ///
    /// # Errors
    /// [`OfficeError`] when it cannot be opened, or the read cannot be noted.
    pub async fn open(
        &self,
        id: RecordingId,
        access: Option<&'static str>,
    ) -> Result<Reader<Box<dyn vault::Source>>, OfficeError> {
        let row = self.archive.ledger.recording(id).await?.ok_or(OfficeError::Unknown)?;
        if row.object.is_none() {
            return Err(OfficeError::NotStored);
        }
        let slip = self.archive.slip(id, &row.tenant).await?;
        if let Some(access) = access {
            self.archive.read(id, access).await?;
        }
        let archive = Arc::clone(&self.archive);
        let opened = tokio::task::spawn_blocking(move || {
            let source = archive.store.open(id)?;
            Reader::open(source, slip).map_err(OfficeError::Damaged)
        });
        opened.await.map_err(|_| OfficeError::NotStored)?
    }
}

fn stream(mut reader: Reader<Box<dyn vault::Source>>) -> Answer {
    let rate_hz = reader.rate_hz();
    let header = match wav_header(reader.frames(), rate_hz) {
        Ok(header) => header,
        Err(error) => return Reply::failed(error).into(),
    };
    let bytes = header.len() as u64 + reader.frames() * 4;
    let (sender, body) = mpsc::channel(4);
    tokio::task::spawn_blocking(move || {
        if sender.blocking_send(header.to_vec()).is_err() {
            return;
        }
        let (mut at, mut piece) = (0, vec![[0; 2]; PIECE]);
        // A second that does not open ends the stream early, and the receiver sees that it is cut.
        while let Ok(count) = reader.read(at, &mut piece) {
            let samples = piece.iter().take(count).flatten();
            let bytes = samples.flat_map(|sample: &i16| sample.to_le_bytes()).collect();
            if count == 0 || sender.blocking_send(bytes).is_err() {
                return;
            }
            at += count as u64;
        }
    });
    let format = format!("WAV, {},000 Hz, customer left, PBX right", rate_hz / 1_000);
    let mut reply = Reply::done(json!({ "format": format }));
    reply.bytes = bytes;
    Answer { reply, body: Some(body) }
}
