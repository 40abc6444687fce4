//! The way from calls to the office: jobs of one call are done in order, of many calls at once.

use std::{collections::HashMap, sync::Arc, time::Duration};

use call::{
    AgentId, CallId, Evidence, Fact, Fate, NotReady, Private, Recording, RecordingId, TenantId,
    Time, Words,
};
use ledger::{CallEnd, CallLine, CallNames, CallQuality, LadderStep, LedgerError, NewCall};
use media::CallStats;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
};

use super::{
    archive::{Archive, OfficeError, Wanted},
    keeper::KeeperDoor,
};
use crate::{
    note::{Note, Paper},
    quality,
    recorder::door::{Ended, RecorderDoor},
    session::{Haste, Session},
};

/// How many calls' paperwork is done at once; more share a lane and one disk write.
const LANES: usize = 32;
/// How long a recording waits in its journal before the store is tried again.
const STORE_RETRY: Duration = Duration::from_secs(30);

enum Job {
    Short(Short),
    Lengthy(Lengthy),
}

/// What takes as long as a store does.
enum Lengthy {
    Ended(Box<Ended>),
    Unbegun(RecordingId, Fate),
}

/// What takes one write.
enum Short {
    Open(Box<NewCall>, Option<Fact>, Time),
    Fact(Fact, Time),
    Commit(Box<Wanted>),
    Begun(RecordingId, Time),
    Close(Box<Closing>, Option<Fact>, Time),
    /// Everything before it is done.
    Barrier(oneshot::Sender<()>),
}

/// What a call leaves in the catalogue; the side that called is not named in clear yet.
struct Closing {
    words: Words,
    ladder: Vec<LadderStep>,
    caller: Private<String>,
    called: Option<Box<str>>,
    session: [Box<str>; 2],
    quality: Option<CallQuality>,
}

/// The calls' way to the office.
#[derive(Clone)]
pub struct OfficeDoor {
    lanes: Arc<[mpsc::UnboundedSender<(CallId, Job)>]>,
    staff: Staff,
}

/// What the lanes work with.
#[derive(Clone)]
pub struct Staff {
    /// Ledger, keys and store.
    pub archive: Arc<Archive>,
    /// Deletions.
    pub keeper: KeeperDoor,
    /// The calls.
    pub notes: mpsc::UnboundedSender<Note>,
    /// The recorder, once it runs.
    pub recorder: Arc<std::sync::OnceLock<RecorderDoor>>,
}

impl OfficeDoor {
    /// Starts the lanes.
    #[must_use]
    pub fn start(staff: &Staff) -> Self {
        let lane = |_| {
            let (sender, jobs) = mpsc::unbounded_channel();
            tokio::spawn(work(staff.clone(), jobs));
            sender
        };
        Self { lanes: (0..LANES).map(lane).collect(), staff: staff.clone() }
    }

    fn send(&self, call: CallId, job: Job) {
        // Its last byte is of chance; its first ones are of the time.
        let lane = usize::from(call.as_bytes()[15]) % LANES;
        if let Some(sender) = self.lanes.get(lane) {
            // The lanes end only when the node does.
            let _stopping = sender.send((call, job));
        }
    }

    /// Whether the ledger takes facts now.
    ///
    /// # Errors
    /// It does not.
    pub fn ready(&self) -> Result<(), NotReady> {
        if self.staff.archive.ledger.health().fault.is_some() {
            Err(NotReady::Ledger)
        } else {
            Ok(())
        }
    }

    /// The pseudonym of an agent among those of a tenant.
    #[must_use]
    pub fn agent(&self, tenant: &TenantId, name: &Private<String>) -> AgentId {
        self.staff.archive.agent_id(tenant, name)
    }

    /// The row of a call, before it is answered (invariant 4a). What comes of it comes back as
    /// [`Paper::Row`].
    pub fn open(&self, session: &mut Session, fact: Option<Fact>, haste: Haste, at: Time) {
        session.haste = haste;
        let line = session.offer.line.as_ref().map(|line| CallLine {
            tenant: line.tenant.clone(),
            line: line.id.clone(),
            policy: line.policy.id.clone(),
            policy_version: line.policy.version,
            policy_hash: line.policy.hash,
        });
        let row = NewCall { call: session.id(), direction: session.direction(), line };
        match haste {
            Haste::Soon => self.staff.open_soon(row, fact, at),
            Haste::Now => {
                let open = Short::Open(Box::new(row), fact, at);
                self.send(session.id(), Job::Short(open));
            }
        }
    }

    /// Waits until every write that was asked for is done.
    pub async fn drain(&self) {
        let mut barriers = Vec::new();
        for lane in self.lanes.iter() {
            let (passed, waiting) = oneshot::channel();
            let job = Job::Short(Short::Barrier(passed));
            if lane.send((CallId::from_bytes([0; 16]), job)).is_ok() {
                barriers.push(waiting);
            }
        }
        for barrier in barriers {
            let _passed_or_gone = barrier.await;
        }
    }

    /// A fact of a call.
    pub fn fact(&self, session: &Session, fact: Fact, now: Time) {
        match session.haste {
            Haste::Soon => self.staff.fact(session.id(), fact, now),
            Haste::Now => self.send(session.id(), Job::Short(Short::Fact(fact, now))),
        }
    }

    /// Evidence, slip and row of a recording.
    pub fn commit(&self, session: &Session, evidence: Box<Evidence>) {
        let Some(line) = &session.offer.line else { return };
        let Recording::Ask(asking) = &line.policy.recording else { return };
        let wanted = Wanted {
            evidence,
            retention: asking.retention.clone(),
            direction: session.direction(),
            customer: session.customer(),
        };
        self.send(session.id(), Job::Short(Short::Commit(Box::new(wanted))));
    }

    /// A recording has begun: its writer exists.
    pub fn begun(&self, call: CallId, recording: RecordingId, now: Time) {
        self.send(call, Job::Short(Short::Begun(recording, now)));
    }

    /// A recording has ended.
    pub fn ended(&self, ended: Ended) {
        self.send(ended.call, Job::Lengthy(Lengthy::Ended(Box::new(ended))));
    }

    /// A recording has ended before it began.
    pub fn unbegun(&self, call: CallId, recording: RecordingId, fate: Fate) {
        self.send(call, Job::Lengthy(Lengthy::Unbegun(recording, fate)));
    }

    /// A call is over, and its media has counted this.
    pub fn closed(
        &self,
        session: Box<Session>,
        fact: Option<Fact>,
        stats: Option<&CallStats>,
        now: Time,
    ) {
        let Some(words) = session.words else { return };
        let (call, haste) = (session.id(), session.haste);
        let caller = String::from_utf8_lossy(session.wires.call_id()).into_owned();
        let closing = Closing {
            words,
            caller: Private::new(caller),
            called: session.called,
            session: session.thread.ends().map(|end| end.to_string().into()),
            ladder: session.ladder.into_steps(),
            quality: stats.map(quality::kept),
        };
        match haste {
            Haste::Soon => self.staff.close(call, closing, fact, now),
            Haste::Now => {
                self.send(call, Job::Short(Short::Close(Box::new(closing), fact, now)));
            }
        }
    }
}

/// What takes as long as it takes: storing and deleting. No other call's row waits for it, and of
/// one call the next waits for the one before, so that nothing is stored after it was deleted.
#[derive(Default)]
struct Long {
    running: JoinSet<Option<Box<Ended>>>,
    last: HashMap<CallId, oneshot::Receiver<()>>,
}

impl Long {
    /// Takes a job up: now, or `after` a while.
    fn take(&mut self, staff: &Staff, call: CallId, job: Lengthy, after: Duration) {
        let (done, next) = oneshot::channel::<()>();
        let before = self.last.insert(call, next);
        let staff = staff.clone();
        self.running.spawn(async move {
            tokio::time::sleep(after).await;
            if let Some(before) = before {
                let _done_or_gone = before.await;
            }
            let again = match job {
                Lengthy::Ended(ended) => staff.ended(call, ended).await,
                Lengthy::Unbegun(recording, fate) => {
                    staff.erase(call, recording, fate).await;
                    None
                }
            };
            drop(done);
            again
        });
    }

    /// Forgets what is done; what was not stored is tried again later.
    fn settle(&mut self, staff: &Staff, again: Option<Box<Ended>>) {
        self.last.retain(|_, done| done.try_recv() == Err(oneshot::error::TryRecvError::Empty));
        if let Some(ended) = again {
            self.take(staff, ended.call, Lengthy::Ended(ended), STORE_RETRY);
        }
    }
}

async fn work(staff: Staff, mut jobs: mpsc::UnboundedReceiver<(CallId, Job)>) {
    let mut long = Long::default();
    loop {
        tokio::select! {
            job = jobs.recv() => match job {
                Some((call, Job::Lengthy(job))) => long.take(&staff, call, job, Duration::ZERO),
                Some((call, Job::Short(job))) => staff.short(call, job).await,
                None => break,
            },
            Some(done) = long.running.join_next() => long.settle(&staff, done.ok().flatten()),
        }
    }
    while long.running.join_next().await.is_some() {}
}

impl Staff {
    async fn short(&self, call: CallId, job: Short) {
        let ledger = &self.archive.ledger;
        match job {
            Short::Open(row, fact, at) => {
                let opened = ledger.open_call(at, *row, fact.into_iter().collect()).await;
                self.opened(call, opened);
            }
            Short::Fact(fact, at) => self.fact(call, fact, at),
            Short::Commit(wanted) => self.commit(call, *wanted).await,
            Short::Begun(recording, at) => {
                if let Err(error) = ledger.begin_recording(at, recording).await {
                    tracing::error!(%call, %error, "the recording's state");
                }
            }
            Short::Barrier(passed) => {
                // Nothing to add; but it is behind everything that was not waited for.
                if let Err(error) = ledger.append(self.archive.clock.now(), Vec::new()).await {
                    tracing::error!(%error, "the last writes");
                }
                let _nobody_waits = passed.send(());
            }
            Short::Close(closing, fact, at) => self.close(call, *closing, fact, at),
        }
    }

    fn open_soon(&self, row: NewCall, fact: Option<Fact>, at: Time) {
        let (staff, call) = (self.clone(), row.call);
        let done = move |opened| staff.opened(call, opened);
        self.archive.ledger.open_call_later(at, row, fact.into_iter().collect(), done);
    }

    fn opened(&self, call: CallId, opened: Result<(), LedgerError>) {
        if let Err(error) = &opened {
            tracing::error!(%call, %error, "the call's row");
        }
        self.tell(Paper::Row { call, written: opened.is_ok() });
    }

    fn fact(&self, call: CallId, fact: Fact, at: Time) {
        let kind = fact.kind().as_str();
        let done = move |done| {
            if let Err(error) = done {
                tracing::error!(%call, kind, %error, "a fact could not be written");
            }
        };
        self.archive.ledger.append_later(at, vec![fact], done);
    }

    fn close(&self, call: CallId, closing: Closing, fact: Option<Fact>, at: Time) {
        let Closing { words, ladder, caller, called, session, quality } = closing;
        let names = CallNames {
            near_key: Some(self.archive.call_id_key(&caller)),
            far_call_id: called,
            session: Some(session),
        };
        let end = CallEnd { call, words, ladder, names, quality };
        let done = move |done| {
            if let Err(error) = done {
                tracing::error!(%call, %error, "the call's words");
            }
        };
        self.archive.ledger.close_call_later(at, end, fact.into_iter().collect(), done);
    }

    async fn commit(&self, call: CallId, wanted: Wanted) {
        let recording = wanted.evidence.recording;
        match self.archive.commit(wanted).await {
            Ok((evidence, seed)) => {
                self.tell(Paper::Committed { call, recording, evidence, seed });
            }
            Err(error) => {
                tracing::error!(%call, %error, "the decision could not be committed");
                self.tell(Paper::CommitFailed { call, recording });
            }
        }
    }

    /// Keeps or erases an ended recording. What the store does not take comes back: its journal has
    /// it, and it is tried again.
    async fn ended(&self, call: CallId, ended: Box<Ended>) -> Option<Box<Ended>> {
        let recording = ended.recording;
        if ended.fate != Fate::Keep || ended.started.is_none() || ended.tape.is_none() {
            self.erase(call, recording, ended.fate).await;
            return None;
        }
        let stored = self.archive.store(&ended).await;
        let (done, millis) = stored.as_ref().map_or((false, 0), |millis| (true, *millis));
        self.tell(Paper::Closed { call, recording, done, millis });
        match stored {
            Ok(_) => {}
            // It was deleted meanwhile.
            Err(OfficeError::Unknown) => {}
            Err(error) => {
                tracing::error!(%call, %error, "the recording is not stored yet; its journal stays");
                return Some(ended);
            }
        }
        self.release(recording);
        None
    }

    async fn erase(&self, call: CallId, recording: RecordingId, fate: Fate) {
        self.release(recording);
        let reason = match fate {
            Fate::Erase(reason) => reason,
            Fate::Keep => call::Reason::Empty,
        };
        let done = self.keeper.delete(recording, reason).await.is_ok();
        self.tell(Paper::Closed { call, recording, done, millis: 0 });
    }

    fn release(&self, recording: RecordingId) {
        if let Some(recorder) = self.recorder.get() {
            recorder.release(recording);
        }
    }

    fn tell(&self, paper: Paper) {
        // The loop is gone only when the node is.
        let _stopping = self.notes.send(Note::Paper(paper));
    }
}
