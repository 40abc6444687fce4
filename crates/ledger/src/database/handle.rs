//! The ledger's handle: every change by its name. A call returns when the change is durable.

use std::sync::Arc;

use call::{CallId, Digest, Erasure, Fact, Reason, RecordingId, TenantId, Time, Words};
use sqlx::SqlitePool;
use tokio::sync::{Notify, mpsc, oneshot, watch};

use super::{
    change::{Answer, Change, Job, Receipt},
    column::Result,
    error::LedgerError,
    outside::Outside,
    writer::Health,
};
use crate::{
    audit::{
        checkpoint::{Origin, Signer},
        tree::sha256,
    },
    catalogue::{
        calls::{CallEnd, CallNames, LadderStep, NewCall},
        recordings::{NewRecording, SealedRecording},
        slips::SealedSlip,
    },
    clerk::Order,
};

/// What a step of a removal came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is done and durable.
    Done,
    /// Nothing was left to do: the recording is gone, or these seconds were erased before.
    Settled,
}

/// A ledger that is open. Clones share one writer; the writer ends when the last of them is gone.
///
/// Every changing method takes the moment of the change, writes its rows and its facts in one
/// transaction, and returns when they are durable. Facts that the ledger writes by itself are
/// named at each method; `facts` are further ones, written before those.
#[derive(Clone)]
pub struct Ledger {
    pub(crate) queue: mpsc::UnboundedSender<Job>,
    pub(crate) awaited: Arc<Notify>,
    pub(crate) readers: SqlitePool,
    pub(crate) slip_readers: SqlitePool,
    pub(crate) health: watch::Receiver<Health>,
    pub(crate) origin: Origin,
    pub(crate) signer: Arc<dyn Signer>,
    pub(crate) outside: Outside,
}

impl Ledger {
    async fn change(&self, at: Time, facts: Vec<Fact>, change: Change) -> Result<Receipt> {
        let (answer, answered) = oneshot::channel();
        let job = Job { at, facts, change, answer: Answer::Awaited(answer) };
        self.queue.send(job).map_err(|_| LedgerError::Stopped)?;
        self.awaited.notify_one();
        answered.await.unwrap_or(Err(LedgerError::Stopped))
    }

    async fn done(&self, at: Time, facts: Vec<Fact>, change: Change) -> Result<()> {
        self.change(at, facts, change).await.map(|_| ())
    }

    async fn take(&self, at: Time, change: Change) -> Result<Taken> {
        Ok(match self.change(at, Vec::new(), change).await? {
            Receipt::Settled => Taken::Settled,
            Receipt::Done | Receipt::Unrecoverable(_) => Taken::Done,
        })
    }

    /// The same change without waiting for it: it is in the queue, in which the order is kept. What
    /// comes of it is told to `done`, when it is durable.
    fn later<F>(&self, at: Time, facts: Vec<Fact>, change: Change, done: F)
    where
        F: FnOnce(Result<()>) + Send + 'static,
    {
        let job = Job { at, facts, change, answer: Answer::Later(Box::new(done)) };
        if let Err(mpsc::error::SendError(job)) = self.queue.send(job) {
            job.answer.give(Err(LedgerError::Stopped));
        }
    }

    /// As [`Ledger::append`], for facts that nobody waits for.
    pub fn append_later<F>(&self, at: Time, facts: Vec<Fact>, done: F)
    where
        F: FnOnce(Result<()>) + Send + 'static,
    {
        self.later(at, facts, Change::Facts, done);
    }

    /// As [`Ledger::open_call`], for a call that is never recorded.
    pub fn open_call_later<F>(&self, at: Time, call: NewCall, facts: Vec<Fact>, done: F)
    where
        F: FnOnce(Result<()>) + Send + 'static,
    {
        self.later(at, facts, Change::OpenCall(call), done);
    }

    /// As [`Ledger::close_call`], with its names.
    pub fn close_call_later<F>(&self, at: Time, end: CallEnd, facts: Vec<Fact>, done: F)
    where
        F: FnOnce(Result<()>) + Send + 'static,
    {
        self.later(at, facts, Change::CloseCall(end), done);
    }

    /// Whether the ledger takes facts. When it does not, nobody is asked for consent.
    #[must_use]
    pub fn health(&self) -> Health {
        *self.health.borrow()
    }

    /// Closes the reading side. The writer ends once every clone of the handle is gone.
    pub async fn close(self) {
        self.readers.close().await;
        self.slip_readers.close().await;
    }

    /// Appends facts to the audit tree.
    ///
    /// # Errors
    /// Those of the database; then none of the facts is recorded.
    pub async fn append(&self, at: Time, facts: Vec<Fact>) -> Result<()> {
        self.done(at, facts, Change::Facts).await
    }

    /// The row of a call, before it is answered (invariant 4a).
    ///
    /// # Errors
    /// [`Refusal::CallExists`](crate::Refusal); those of the database.
    pub async fn open_call(&self, at: Time, call: NewCall, facts: Vec<Fact>) -> Result<()> {
        self.done(at, facts, Change::OpenCall(call)).await
    }

    /// The three words of a call, and its ladder, without any name of it.
    ///
    /// # Errors
    /// `CallUnknown` or `CallEnded`; those of the database.
    pub async fn close_call(
        &self,
        at: Time,
        call: CallId,
        words: Words,
        ladder: Vec<LadderStep>,
        facts: Vec<Fact>,
    ) -> Result<()> {
        let names = CallNames::default();
        let end = CallEnd { call, words, ladder, names, quality: None };
        self.done(at, facts, Change::CloseCall(end)).await
    }

    /// Evidence, key slip and recording row (invariant 4b), with the facts `RecordingPermitted`
    /// and `SlipRevised`. Returns the evidence hash for `Input::Committed`.
    ///
    /// # Errors
    /// `CallUnknown`, `RecordingExists`, or what the slip's epoch says; those of the databases.
    /// Whatever fails, no row exists afterwards.
    pub async fn commit_recording(
        &self,
        at: Time,
        recording: NewRecording,
        facts: Vec<Fact>,
    ) -> Result<Digest> {
        let hash = sha256(&[&recording.evidence.encode()]);
        self.done(at, facts, Change::Commit(Box::new(recording))).await?;
        Ok(hash)
    }

    /// A writer exists: sound is being sealed.
    ///
    /// # Errors
    /// `RecordingUnknown` or `RecordingState`; those of the database.
    pub async fn begin_recording(&self, at: Time, recording: RecordingId) -> Result<()> {
        self.done(at, Vec::new(), Change::Begin(recording)).await
    }

    /// The object is complete (invariant 4e). Writes `RecordingSealed`, after a crash
    /// `RecordingRecovered` before it. Retention counts from `sealed.ended_at` on.
    ///
    /// # Errors
    /// `RecordingUnknown` or `RecordingState`; those of the database.
    pub async fn seal_recording(
        &self,
        at: Time,
        recording: RecordingId,
        sealed: SealedRecording,
        facts: Vec<Fact>,
    ) -> Result<()> {
        self.done(at, facts, Change::Seal(recording, sealed)).await
    }

    /// The object was read back from its store and found equal (invariant 4f). Writes
    /// `RecordingStored`.
    ///
    /// # Errors
    /// `RecordingUnknown` or `RecordingState`; those of the database.
    pub async fn store_recording(
        &self,
        at: Time,
        recording: RecordingId,
        object: Digest,
    ) -> Result<()> {
        self.done(at, Vec::new(), Change::Store(recording, object)).await
    }

    /// The recording could not be made or kept. Its retention goes on.
    ///
    /// # Errors
    /// `RecordingUnknown` or `RecordingState`; those of the database.
    pub async fn fail_recording(
        &self,
        at: Time,
        recording: RecordingId,
        facts: Vec<Fact>,
    ) -> Result<()> {
        self.done(at, facts, Change::Fail(recording)).await
    }

    /// The clerk's `Intend`. Writes `DeletionIntended` or `EraseIntended`, once.
    ///
    /// # Errors
    /// `Held`; those of the database.
    pub async fn intend(&self, at: Time, order: Order) -> Result<Taken> {
        self.take(at, Change::Intend(order)).await
    }

    /// The clerk's `Puncture`: `slip` is the next revision, without these seconds. The old one is
    /// wiped first. Writes `SlipRevised` and `Erased`.
    ///
    /// # Errors
    /// `NotIntended`, `SlipUnknown`, `SlipRevision`, or what the slip's epoch says;
    /// [`LedgerError::ShredIncomplete`]; those of the databases.
    pub async fn puncture(
        &self,
        at: Time,
        slip: SealedSlip,
        seconds: Erasure,
        reason: Reason,
    ) -> Result<Taken> {
        self.take(at, Change::Puncture(slip, seconds, reason)).await
    }

    /// The next revision of a slip with the same keys, under another epoch. Writes `SlipRevised`.
    ///
    /// # Errors
    /// As [`Ledger::puncture`], without `NotIntended`.
    pub async fn reseal_slip(&self, at: Time, slip: SealedSlip) -> Result<()> {
        self.done(at, Vec::new(), Change::Reseal(slip)).await
    }

    /// The clerk's `DestroySlip`: gone from the table, the freed pages and the log. Safe to repeat.
    ///
    /// # Errors
    /// `NotIntended`; [`LedgerError::ShredIncomplete`]; those of the databases.
    pub async fn destroy_slip(&self, at: Time, recording: RecordingId) -> Result<Taken> {
        self.take(at, Change::DestroySlip(recording)).await
    }

    /// The clerk's `RemoveRow`: row, evidence and proof in one transaction. Writes
    /// `RecordingDeleted`.
    ///
    /// # Errors
    /// `NotIntended`, `SlipStays`, `RecordingUnknown`; those of the databases.
    pub async fn remove_row(
        &self,
        at: Time,
        recording: RecordingId,
        reason: Reason,
    ) -> Result<Taken> {
        self.take(at, Change::RemoveRow(recording, reason)).await
    }

    /// A new epoch, whose key the provider has made already. Writes `EpochOpened`.
    ///
    /// # Errors
    /// `EpochExists`; those of the databases.
    pub async fn open_epoch(
        &self,
        at: Time,
        epoch: u64,
        tenant: TenantId,
        month: &str,
    ) -> Result<()> {
        self.done(at, Vec::new(), Change::OpenEpoch(epoch, tenant, month.into())).await
    }

    /// The epoch accepts no new slip from here on. Writes `EpochClosed`, once.
    ///
    /// # Errors
    /// `EpochUnknown`; those of the databases.
    pub async fn close_epoch(&self, at: Time, epoch: u64) -> Result<()> {
        self.done(at, Vec::new(), Change::CloseEpoch(epoch)).await
    }

    /// Every node has acknowledged that the epoch accepts no new slip.
    ///
    /// # Errors
    /// `EpochUnknown` or `EpochState`; those of the databases.
    pub async fn acknowledge_epoch(&self, at: Time, epoch: u64) -> Result<()> {
        self.done(at, Vec::new(), Change::AcknowledgeEpoch(epoch)).await
    }

    /// The provider has destroyed the key, after [`Ledger::check_destroyable`] allowed it. Writes
    /// `EpochDestroyed`, and `Unrecoverable` for each recording returned.
    ///
    /// # Errors
    /// `EpochUnknown`, `EpochInUse` or `EpochState`; those of the databases.
    pub async fn epoch_destroyed(&self, at: Time, epoch: u64) -> Result<Vec<RecordingId>> {
        Ok(match self.change(at, Vec::new(), Change::EpochDestroyed(epoch)).await? {
            Receipt::Unrecoverable(recordings) => recordings,
            Receipt::Done | Receipt::Settled => Vec::new(),
        })
    }
}
