//! What the page may see: the portal's archive, over the office's desk.

use std::collections::HashSet;

use call::{Alarm, CallId, HeardAgain, RecordingId, Time};
use ledger::{
    CallFilter, CallRow, LadderStep, RecordingFilter, RecordingRow, RecordingState, Removal,
    RemovalRow,
};
use portal::{
    AgentError, AskError, CallEntry, Entry, Erasure, ErasureState, Finding, Incident, Now,
    OpenError, PauseError, Peak, ReadError, Reader, Reading, Seated, SessionId, Slice, Sound,
    State, Unavailable, VerifyReport, WithdrawError,
};
use tokio::sync::Mutex;

use crate::{
    floor::FloorDoor,
    office::{answer::Desk, archive::OfficeError},
};

/// Hearings that are remembered, so that one hearing is one fact however often a browser asks.
const HEARINGS: usize = 4_096;

/// The portal's archive.
pub struct Page {
    desk: Desk,
    floor: FloorDoor,
    heard: Mutex<HashSet<(RecordingId, SessionId, Reading)>>,
}

impl Page {
    /// A page over a desk, and over the calls that run.
    #[must_use]
    pub fn new(desk: Desk, floor: FloorDoor) -> Self {
        Self { desk, floor, heard: Mutex::new(HashSet::new()) }
    }

    async fn entry(&self, row: &RecordingRow) -> Result<Entry, Unavailable> {
        let removals = self.desk.archive.ledger.removals(row.recording).await;
        Ok(Entry {
            alarms: self.alarms(row.call).await?,
            ..entry(row, &removals.map_err(|_| Unavailable)?)
        })
    }

    /// What was wrong with a call that has ended, as its ladder has it.
    async fn alarms(&self, call: CallId) -> Result<Vec<Incident>, Unavailable> {
        let steps = self.desk.archive.ledger.ladder(call).await;
        Ok(incidents(&steps.map_err(|_| Unavailable)?))
    }
}

impl portal::Archive for Page {
    async fn recordings(&self, slice: Slice) -> Result<Vec<Entry>, Unavailable> {
        let limit = u32::try_from(slice.limit).unwrap_or(u32::MAX);
        let filter = RecordingFilter { before: slice.before, limit, ..RecordingFilter::default() };
        let rows = self.desk.archive.ledger.recordings(&filter).await.map_err(|_| Unavailable)?;
        let mut entries = Vec::with_capacity(rows.len());
        for row in &rows {
            entries.push(self.entry(row).await?);
        }
        Ok(entries)
    }

    async fn recording(&self, recording: RecordingId) -> Result<Option<Entry>, Unavailable> {
        match self.desk.archive.ledger.recording(recording).await {
            Ok(Some(row)) => self.entry(&row).await.map(Some),
            Ok(None) => Ok(None),
            Err(_) => Err(Unavailable),
        }
    }

    async fn calls(&self, slice: Slice) -> Result<Vec<CallEntry>, Unavailable> {
        let limit = u32::try_from(slice.limit).unwrap_or(u32::MAX);
        let filter = CallFilter { before: slice.before, limit, ..CallFilter::default() };
        let rows = self.desk.archive.ledger.calls(&filter).await.map_err(|_| Unavailable)?;
        let mut entries = Vec::new();
        for row in rows {
            let filter =
                RecordingFilter { call: Some(row.call.call), ..RecordingFilter::default() };
            let recorded = self.desk.archive.ledger.recordings(&filter).await;
            if recorded.map_err(|_| Unavailable)?.is_empty() {
                let alarms = self.alarms(row.call.call).await?;
                entries.push(CallEntry { alarms, ..call_entry(&row) });
            }
        }
        Ok(entries)
    }

    async fn open(
        &self,
        recording: RecordingId,
        reader: Reader,
    ) -> Result<Box<dyn Sound>, OpenError> {
        let key = (recording, reader.session, reader.reading);
        let first = {
            let mut heard = self.heard.lock().await;
            if heard.len() >= HEARINGS {
                heard.clear();
            }
            heard.insert(key)
        };
        let access = first.then_some(match reader.reading {
            Reading::Listen => "play",
            Reading::Look => "waveform",
            Reading::Verify => "verify",
        });
        match self.desk.open(recording, access).await {
            Ok(reader) => Ok(Box::new(Opened(reader))),
            Err(error) => {
                self.heard.lock().await.remove(&key);
                Err(open_error(&error))
            }
        }
    }

    async fn verify(
        &self,
        recording: RecordingId,
        _reader: Reader,
    ) -> Result<VerifyReport, OpenError> {
        let archive = &self.desk.archive;
        archive.read(recording, "verify").await.map_err(|error| open_error(&error))?;
        let verified = archive.verify(recording).await.map_err(|error| open_error(&error))?;
        let mut findings: Vec<Finding> = verified
            .findings
            .iter()
            .map(|text| Finding { holds: false, text: text.clone() })
            .collect();
        if verified.is_well() {
            let said = |holds, text: String| Finding { holds, text };
            findings.push(said(
                true,
                format!("{} sealed chunks open with their keys", verified.opened),
            ));
            findings.push(said(true, format!("{} seconds are erased", verified.erased)));
            findings.push(said(true, "the manifest is signed by this node".to_owned()));
            findings.push(said(true, "slip and object are those of the audit tree".to_owned()));
        }
        Ok(VerifyReport { sound: verified.is_well(), findings })
    }
}

impl portal::Floor for Page {
    async fn now(&self) -> Result<Now, Unavailable> {
        self.floor.now().await
    }

    async fn ask(&self, call: &str) -> Result<(), AskError> {
        self.floor.ask(call).await
    }

    async fn agent(&self, call: &str, seated: Option<Seated>) -> Result<(), AgentError> {
        self.floor.agent(call, seated).await
    }

    async fn pause(&self, call: &str, on: bool) -> Result<(), PauseError> {
        self.floor.pause(call, on).await
    }

    async fn withdraw(&self, call: &str) -> Result<(), WithdrawError> {
        self.floor.withdraw(call).await
    }
}

/// An opened recording.
struct Opened(vault::Reader<Box<dyn vault::Source>>);

impl Sound for Opened {
    fn rate_hz(&self) -> u32 {
        self.0.rate_hz()
    }

    fn frames(&self) -> u64 {
        self.0.frames()
    }

    fn read(&mut self, first: u64, out: &mut [[i16; 2]]) -> Result<(), ReadError> {
        match self.0.read(first, out) {
            Ok(count) if count == out.len() => Ok(()),
            Ok(_) | Err(vault::ReadError::Table) => Err(ReadError::Unavailable),
            Err(_) => Err(ReadError::Damaged { second: first / u64::from(self.rate_hz()) }),
        }
    }

    fn peaks(&mut self) -> Result<Option<Vec<Peak>>, ReadError> {
        let mut peaks = Vec::new();
        for second in 0..self.0.seconds() {
            let damaged = ReadError::Damaged { second: u64::from(second) };
            match self.0.second(second).map_err(|_| damaged)? {
                vault::Heard::Sound(sound) => match sound.peaks {
                    Some([customer, agent]) => {
                        peaks.extend(customer.iter().zip(agent).map(|(c, a)| [*c, a]));
                    }
                    // A crash cut this second: its peaks come from the frames.
                    None => return Ok(None),
                },
                vault::Heard::Absent(_) | vault::Heard::Erased => {
                    peaks.extend([[0; 2]; portal::PEAKS_PER_SECOND as usize]);
                }
            }
        }
        Ok(Some(peaks))
    }
}

fn open_error(error: &OfficeError) -> OpenError {
    match error {
        OfficeError::Unknown => OpenError::Unknown,
        OfficeError::NotStored => OpenError::NotReady,
        OfficeError::Damaged(_) | OfficeError::Slip(_) => OpenError::Damaged,
        OfficeError::Ledger(_)
        | OfficeError::Keys(_)
        | OfficeError::KeyFile(_)
        | OfficeError::Store(_)
        | OfficeError::Cipher(_)
        | OfficeError::Folder(_)
        | OfficeError::Locked
        | OfficeError::Country
        | OfficeError::Permitted(_)
        | OfficeError::TooLong
        | OfficeError::FolderTaken => OpenError::Unavailable,
    }
}

/// What a ladder says was wrong, the oldest first: since when, and until when where it says that, too.
fn incidents(steps: &[LadderStep]) -> Vec<Incident> {
    let mut incidents: Vec<Incident> = Vec::new();
    for step in steps {
        if let Some(alarm) = Alarm::read(step.label()) {
            incidents.push(Incident { alarm, since: step.at, until: None });
        } else if let Some(HeardAgain { party, .. }) = HeardAgain::read(step.label()) {
            let is = |it: &&mut Incident| {
                it.until.is_none() && matches!(it.alarm, Alarm::Unheard(who, _) if who == party)
            };
            incidents.iter_mut().filter(is).for_each(|it| it.until = Some(step.at));
        }
    }
    incidents
}

fn entry(row: &RecordingRow, removals: &[RemovalRow]) -> Entry {
    let sealed = row.object.as_ref().map(|object| &object.sealed);
    let duration_ms = sealed.map_or(0, |sealed| sealed.duration_ms);
    Entry {
        recording: row.recording,
        call: row.call,
        started_at: row.permitted_at,
        duration_ms,
        tenant: row.tenant.clone(),
        line: row.line.clone(),
        direction: row.direction,
        ground: row.ground,
        purposes: row.purposes,
        evidence: row.evidence,
        policy: row.policy.clone(),
        policy_version: row.policy_version,
        retention_class: row.retention_class.to_string(),
        delete_after: row.delete_after,
        held: row.held,
        storage_country: row.storage.country.to_string(),
        storage_provider: row.storage.provider.to_string(),
        codec: sealed.map_or_else(String::new, |sealed| sealed.codec.to_string()),
        missing_ms: sealed.map_or(0, |sealed| sealed.missing_ms),
        gaps: sealed.map_or(0, |sealed| sealed.gaps),
        words: row.words,
        state: match row.state {
            RecordingState::Permitted => State::Permitted,
            RecordingState::Recording => State::Recording,
            RecordingState::Sealed => State::Sealed,
            RecordingState::Stored => State::Stored,
            RecordingState::Failed => State::Failed,
        },
        erased: removals.iter().map(|removal| erasure(removal, duration_ms)).collect(),
        alarms: Vec::new(),
    }
}

fn erasure(row: &RemovalRow, duration_ms: u64) -> Erasure {
    let (from_s, to_s) = match row.removal {
        Removal::Whole => (0, duration_ms.div_ceil(1_000)),
        Removal::Seconds(seconds) => (u64::from(seconds.from), u64::from(seconds.to)),
    };
    let (state, since): (ErasureState, Time) = match (row.erased_at, row.unrecoverable_at) {
        (None, _) => (ErasureState::Ordered, row.intended_at),
        (Some(at), None) => (ErasureState::Erased, at),
        (Some(_), Some(at)) => (ErasureState::Unrecoverable, at),
    };
    Erasure { from_s, to_s, state, since }
}

fn call_entry(row: &CallRow) -> CallEntry {
    CallEntry {
        call: row.call.call,
        started_at: row.opened_at,
        line: row.call.line.as_ref().map(|line| line.line.clone()),
        direction: row.call.direction,
        words: row.words,
        alarms: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use call::{Party, Unheard};
    use ledger::Station;

    use super::*;

    #[test]
    fn a_ladder_says_what_was_wrong_since_when_and_until_when() {
        let at = |second: u64| Time::from_micros(second * 1_000_000);
        let silent = |party| Alarm::Unheard(party, Unheard::Silent);
        let again = HeardAgain { party: Party::Customer, after_s: 12 };
        let labels = [
            (1, "INVITE".to_owned()),
            (10, silent(Party::Customer).to_string()),
            (11, silent(Party::Agent).to_string()),
            (15, again.to_string()),
            (20, silent(Party::Customer).to_string()),
            (30, Alarm::CutShort.to_string()),
        ];
        let step = |(second, label): &(u64, String)| {
            LadderStep::new(at(*second), Station::Node, Station::Node, label).unwrap()
        };
        let found = incidents(&labels.iter().map(step).collect::<Vec<_>>());
        let incident = |alarm, since, until: Option<u64>| Incident {
            alarm,
            since: at(since),
            until: until.map(at),
        };
        let expected = [
            incident(silent(Party::Customer), 10, Some(15)),
            incident(silent(Party::Agent), 11, None),
            incident(silent(Party::Customer), 20, None),
            incident(Alarm::CutShort, 30, None),
        ];
        assert_eq!(found, expected);
    }
}
