//! The reconciliation: goes through every book, page by page, and names what does not agree.
//!
//! Calls go on meanwhile. So what does not agree is looked at a second time, when everything that was
//! being written then is written, and only what is wrong both times is named.

use std::{collections::HashSet, time::Duration};

use call::{CallId, FactKind, RecordingId, Time};
use sqlx::sqlite::SqliteRow;
use tokio::sync::mpsc;

use super::{
    column::{Columns, Result, big, failed, moment},
    error::{Database, LedgerError},
    handle::Ledger,
    tree,
};
use crate::reconcile::{
    finding::{About, Mismatch},
    judge,
    report::{Period, Reconciliation},
    story::{RecordingStory, Sheet},
};

/// How many calls or recordings are looked at together.
const PAGE: usize = 500;
/// How long what is on its way to the ledger has until the second look.
const BREATH: Duration = Duration::from_millis(200);

/// What is known beside the ledger: the store, and the calls that run.
pub trait World: Sync {
    /// Why it cannot be known.
    type Error: From<LedgerError> + Send;

    /// Whether the store has an object of a recording.
    ///
    /// # Errors
    /// The store does not say.
    fn has(&self, recording: RecordingId)
    -> impl Future<Output = Result<bool, Self::Error>> + Send;

    /// Hands on every object of the store, some at a time and in any order.
    ///
    /// # Errors
    /// They are not known to have been all.
    fn objects(
        &self,
        to: mpsc::Sender<Vec<RecordingId>>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Whether a call runs.
    fn runs(&self, call: CallId) -> impl Future<Output = bool> + Send;
}

/// A fact with which a call or a recording begins.
struct Begun {
    at: Time,
    entry: u64,
    about: About,
}

/// One reconciliation under way.
struct Audit<'a, W> {
    ledger: &'a Ledger,
    world: &'a W,
    now: Time,
    period: Period,
    report: Reconciliation,
}

impl Ledger {
    /// Holds every book against the others: calls that began in the period with their verdicts,
    /// recordings that were permitted in it with evidence, key slip and object, and every object and
    /// key slip there is with its row. A stored recording without its object is named whenever it was
    /// made.
    ///
    /// # Errors
    /// Those of the databases and of the world; nothing is known then.
    pub async fn reconcile<W: World>(
        &self,
        now: Time,
        period: Period,
        world: &W,
    ) -> Result<Reconciliation, W::Error> {
        let report = Reconciliation::new(now, period);
        let mut audit = Audit { ledger: self, world, now, period, report };
        audit.calls().await?;
        audit.recordings().await?;
        audit.begun().await?;
        audit.stored().await?;
        audit.objects().await?;
        audit.slips().await?;
        Ok(audit.report)
    }

    async fn calls_page(&self, period: Period, after: &Cursor) -> Result<Vec<SqliteRow>> {
        let rows = sqlx::query(
            "SELECT opened_at AS at, call_id AS id FROM calls
             WHERE opened_at >= $1 AND opened_at < $2 AND (opened_at > $1 OR call_id > $3)
             ORDER BY opened_at, call_id LIMIT $4",
        )
        .bind(moment(after.at))
        .bind(moment(period.to))
        .bind(after.id.clone())
        .bind(big(PAGE as u64));
        rows.fetch_all(&self.readers).await.map_err(failed(Database::Ledger))
    }

    async fn recordings_page(&self, period: Period, after: &Cursor) -> Result<Vec<SqliteRow>> {
        let rows = sqlx::query(
            "SELECT permitted_at AS at, recording_id AS id FROM recordings
             WHERE permitted_at >= $1 AND permitted_at < $2
                 AND (permitted_at > $1 OR recording_id > $3)
             ORDER BY permitted_at, recording_id LIMIT $4",
        )
        .bind(moment(after.at))
        .bind(moment(period.to))
        .bind(after.id.clone())
        .bind(big(PAGE as u64));
        rows.fetch_all(&self.readers).await.map_err(failed(Database::Ledger))
    }

    /// Facts with which something begins; the first list of kinds is that of their index.
    async fn begun_page(&self, period: Period, at: Time, after: Option<u64>) -> Result<Vec<Begun>> {
        let rows = sqlx::query(
            "SELECT * FROM entries
             WHERE kind IN ('call-opened', 'recording-permitted') AND at >= $1 AND at < $2
                 AND (at > $1 OR entry > $3)
             ORDER BY at, entry LIMIT $4",
        )
        .bind(moment(at))
        .bind(moment(period.to))
        .bind(after.map_or(-1, big))
        .bind(big(PAGE as u64));
        let rows = rows.fetch_all(&self.readers).await.map_err(failed(Database::Ledger))?;
        // What the tree says is believed here; where it cannot be read, the audit says more.
        let begun = |row| {
            let entry = tree::entry(&Columns(row)).ok_or(LedgerError::TreeDamaged)?;
            let about = match entry.kind == FactKind::CallOpened {
                true => entry.field("call").and_then(|id| id.parse().ok()).map(About::Call),
                false => {
                    entry.field("recording").and_then(|id| id.parse().ok()).map(About::Recording)
                }
            };
            let about = about.ok_or(LedgerError::TreeDamaged)?;
            Ok(Begun { at: entry.at, entry: entry.index, about })
        };
        rows.iter().map(begun).collect()
    }

    /// Key slips by recording, after one.
    async fn slips_page(&self, after: &[u8]) -> Result<Vec<RecordingId>> {
        let rows = sqlx::query(
            "SELECT recording_id FROM slips WHERE recording_id > $1
             ORDER BY recording_id LIMIT $2",
        )
        .bind(after)
        .bind(big(PAGE as u64));
        let rows = rows.fetch_all(&self.slip_readers).await.map_err(failed(Database::Slips))?;
        rows.iter().map(|row| Columns(row).recording("recording_id")).collect()
    }

    /// Stored recordings by recording, after one, with when each was permitted.
    async fn stored_page(&self, after: &[u8]) -> Result<Vec<(RecordingId, Time)>> {
        let rows = sqlx::query(
            "SELECT recording_id, permitted_at FROM recordings
             WHERE recording_id > $1 AND state = 'stored' ORDER BY recording_id LIMIT $2",
        )
        .bind(after)
        .bind(big(PAGE as u64));
        let rows = rows.fetch_all(&self.readers).await.map_err(failed(Database::Ledger))?;
        let read = |row| {
            let row = Columns(row);
            Ok((row.recording("recording_id")?, row.time("permitted_at")?))
        };
        rows.iter().map(read).collect()
    }
}

/// Where a walk by time has come to.
struct Cursor {
    at: Time,
    id: Vec<u8>,
}

impl Cursor {
    const fn new(period: Period) -> Self {
        Self { at: period.from, id: Vec::new() }
    }

    /// Goes on to the last row of a page; `false` at the end.
    fn follow(&mut self, rows: &[SqliteRow]) -> Result<bool> {
        let Some(last) = rows.last().map(Columns) else { return Ok(false) };
        (self.at, self.id) = (last.time("at")?, last.bytes("id")?);
        Ok(true)
    }
}

impl<W: World> Audit<'_, W> {
    /// Calls of the catalogue.
    async fn calls(&mut self) -> Result<(), W::Error> {
        let mut cursor = Cursor::new(self.period);
        loop {
            let rows = self.ledger.calls_page(self.period, &cursor).await?;
            if !cursor.follow(&rows)? {
                return Ok(());
            }
            let ids: Result<Vec<_>> = rows.iter().map(|row| Columns(row).call("id")).collect();
            let ids = ids?;
            self.report.calls += ids.len() as u64;
            self.look_at_calls(&ids).await?;
        }
    }

    /// Recordings of the catalogue.
    async fn recordings(&mut self) -> Result<(), W::Error> {
        let mut cursor = Cursor::new(self.period);
        loop {
            let rows = self.ledger.recordings_page(self.period, &cursor).await?;
            if !cursor.follow(&rows)? {
                return Ok(());
            }
            let ids: Result<Vec<_>> = rows.iter().map(|row| Columns(row).recording("id")).collect();
            let ids = ids?;
            self.report.recordings += ids.len() as u64;
            self.look_at_recordings(&ids, |_, _| true).await?;
        }
    }

    /// What the tree saw begin, and the catalogue does not have.
    async fn begun(&mut self) -> Result<(), W::Error> {
        let (mut at, mut after) = (self.period.from, None);
        loop {
            let page = self.ledger.begun_page(self.period, at, after).await?;
            let Some(last) = page.last() else { return Ok(()) };
            (at, after) = (last.at, Some(last.entry));
            let (mut calls, mut recordings) = (Vec::new(), Vec::new());
            for begun in &page {
                match begun.about {
                    About::Call(call) => calls.push(call),
                    About::Recording(recording) => recordings.push(recording),
                }
            }
            let calls = self.ledger.calls_without_row(&calls, self.period).await?;
            self.look_at_calls(&calls).await?;
            let period = Some(self.period);
            let recordings = self.ledger.recordings_without_row(&recordings, period).await?;
            self.report.recordings += recordings.len() as u64;
            self.look_at_recordings(&recordings, |_, found| !is_named_elsewhere(found)).await?;
        }
    }

    /// Stored recordings from outside the period.
    async fn stored(&mut self) -> Result<(), W::Error> {
        let mut after = Vec::new();
        loop {
            let page = self.ledger.stored_page(&after).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = last.as_bytes().to_vec();
            let mut lost = Vec::new();
            for (recording, _) in page.iter().filter(|(_, at)| !self.period.holds(*at)) {
                if !self.world.has(*recording).await? {
                    lost.push(*recording);
                }
            }
            self.look_at_recordings(&lost, |_, found| found == Mismatch::ObjectMissing).await?;
        }
    }

    /// Objects of the store, of whatever period.
    async fn objects(&mut self) -> Result<(), W::Error> {
        let (sender, mut objects) = mpsc::channel(2);
        let world = self.world;
        let walk = world.objects(sender);
        let look = async {
            while let Some(page) = objects.recv().await {
                self.report.objects += page.len() as u64;
                for page in page.chunks(PAGE) {
                    self.look_for_owners(page).await?;
                }
            }
            Ok(())
        };
        // A walk that breaks off hands nothing on either: only its own word says that it was whole.
        tokio::try_join!(walk, look)?;
        Ok(())
    }

    async fn look_for_owners(&mut self, objects: &[RecordingId]) -> Result<(), W::Error> {
        let strays = self.ledger.recordings_without_row(objects, None).await?;
        let period = self.period;
        let here = [Mismatch::ObjectUnowned, Mismatch::DeletedObject];
        // One that is missing from the period is named by the tree.
        self.look_at_recordings(&strays, |story, found| {
            here.contains(&found) || is_missing_from_elsewhen(story, found, period)
        })
        .await
    }

    /// Key slips, of whatever period.
    async fn slips(&mut self) -> Result<(), W::Error> {
        let mut after = Vec::new();
        loop {
            let page = self.ledger.slips_page(&after).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.as_bytes().to_vec();
            self.report.slips += page.len() as u64;
            let strays = self.ledger.recordings_without_row(&page, None).await?;
            let here = [Mismatch::SlipUnowned, Mismatch::DeletedSlip];
            self.look_at_recordings(&strays, |_, found| here.contains(&found)).await?;
        }
    }

    async fn look_at_calls(&mut self, calls: &[CallId]) -> Result<(), W::Error> {
        let (first, running) = self.judge_calls(calls).await?;
        self.report.running += running;
        if first.is_empty() {
            return Ok(());
        }
        self.settle().await?;
        let again: Vec<CallId> = distinct(first.iter().map(|(call, _)| *call));
        let second: HashSet<_> = self.judge_calls(&again).await?.0.into_iter().collect();
        for (call, found) in first.into_iter().filter(|found| second.contains(found)) {
            self.report.find(About::Call(call), found);
        }
        Ok(())
    }

    /// What is wrong with these calls, and how many of them run.
    async fn judge_calls(
        &self,
        calls: &[CallId],
    ) -> Result<(Vec<(CallId, Mismatch)>, u64), W::Error> {
        let (mut found, mut running) = (Vec::new(), 0);
        for mut story in self.ledger.call_stories(calls).await? {
            if let Sheet::Says(row) = &story.row
                && !row.closed
            {
                story.runs = self.world.runs(story.call).await;
                running += u64::from(story.runs);
            }
            found.extend(judge::call(&story).into_iter().map(|it| (story.call, it)));
        }
        Ok((found, running))
    }

    /// Names what is wrong twice, and what this walk is to name.
    async fn look_at_recordings(
        &mut self,
        recordings: &[RecordingId],
        names: impl Fn(&RecordingStory, Mismatch) -> bool,
    ) -> Result<(), W::Error> {
        let first = self.judge_recordings(recordings, &names).await?;
        if first.is_empty() {
            return Ok(());
        }
        self.settle().await?;
        let again = distinct(first.iter().map(|(recording, _)| *recording));
        let second: HashSet<_> = self.judge_recordings(&again, &names).await?.into_iter().collect();
        for (recording, found) in first.into_iter().filter(|found| second.contains(found)) {
            self.report.find(About::Recording(recording), found);
        }
        Ok(())
    }

    async fn judge_recordings(
        &self,
        recordings: &[RecordingId],
        names: &impl Fn(&RecordingStory, Mismatch) -> bool,
    ) -> Result<Vec<(RecordingId, Mismatch)>, W::Error> {
        let mut found = Vec::new();
        for mut story in self.ledger.recording_stories(recordings).await? {
            story.object = self.world.has(story.recording).await?;
            let judged = judge::recording(&story, self.now);
            let named = judged.into_iter().filter(|it| names(&story, *it));
            found.extend(named.map(|it| (story.recording, it)));
        }
        Ok(found)
    }

    /// Waits until what is on its way is written.
    async fn settle(&self) -> Result<(), W::Error> {
        tokio::time::sleep(BREATH).await;
        Ok(self.ledger.append(self.now, Vec::new()).await?)
    }
}

fn distinct<T: Copy + Eq>(ids: impl Iterator<Item = T>) -> Vec<T> {
    // What is found of one comes together.
    let mut ids: Vec<T> = ids.collect();
    ids.dedup();
    ids
}

/// Whether the walks through objects and key slips, or through what is stored, come by it.
fn is_named_elsewhere(found: Mismatch) -> bool {
    [
        Mismatch::ObjectUnowned,
        Mismatch::DeletedObject,
        Mismatch::SlipUnowned,
        Mismatch::DeletedSlip,
        Mismatch::ObjectMissing,
    ]
    .contains(&found)
}

/// Whether a row is missing whose permit the walk through the tree does not come by.
fn is_missing_from_elsewhen(story: &RecordingStory, found: Mismatch, period: Period) -> bool {
    let permit = story.trail.permit;
    found == Mismatch::RecordingMissing && permit.is_some_and(|permit| !period.holds(permit.at))
}
