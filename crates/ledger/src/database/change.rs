//! The one door into the ledger: every change it can make, as a value with facts and answer.

use call::{Digest, Erasure, Fact, Reason, RecordingId, TenantId, Time};
use tokio::sync::oneshot;

use super::column::Result;
use crate::{
    catalogue::{
        calls::{CallEnd, NewCall},
        recordings::{NewRecording, SealedRecording, SlipTags},
        slips::SealedSlip,
    },
    clerk::Order,
};

/// Everything that can be changed.
#[derive(Debug)]
pub(crate) enum Change {
    /// Only the facts that came along.
    Facts,
    OpenCall(NewCall),
    CloseCall(CallEnd),
    Commit(Box<NewRecording>),
    Begin(RecordingId),
    Seal(RecordingId, SealedRecording),
    Store(RecordingId, Digest),
    Fail(RecordingId),
    Intend(Order),
    /// A revision without the given seconds.
    Puncture(SealedSlip, Erasure, Reason),
    /// The same keys under another epoch.
    Reseal(SealedSlip),
    DestroySlip(RecordingId),
    RemoveRow(RecordingId, Reason),
    OpenEpoch(u64, TenantId, Box<str>),
    CloseEpoch(u64),
    AcknowledgeEpoch(u64),
    EpochDestroyed(u64),
}

/// What a change answers beyond being durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Receipt {
    Done,
    /// There was nothing left to do.
    Settled,
    /// What became unrecoverable by it.
    Unrecoverable(Vec<RecordingId>),
}

/// A change on its way to the writer.
pub(crate) struct Job {
    pub(crate) at: Time,
    pub(crate) facts: Vec<Fact>,
    pub(crate) change: Change,
    pub(crate) answer: Answer,
}

/// Who hears what a change came to.
pub(crate) enum Answer {
    /// Somebody waits until it is durable: it is written at once.
    Awaited(oneshot::Sender<Result<Receipt>>),
    /// Nobody waits, and this hears of it: it may share a transaction with what comes after.
    Later(Box<dyn FnOnce(Result<()>) + Send>),
}

impl Job {
    /// Whether somebody waits for it.
    pub(crate) const fn is_awaited(&self) -> bool {
        matches!(self.answer, Answer::Awaited(_))
    }
}

impl Answer {
    /// Says what the change came to.
    pub(crate) fn give(self, result: Result<Receipt>) {
        match self {
            // Who asked may have gone; what was asked is written all the same.
            Self::Awaited(answer) => drop(answer.send(result)),
            Self::Later(done) => done(result.map(|_receipt| ())),
        }
    }
}

/// What a change did to `slips.db`, which always goes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SlipEffect {
    /// Whether anything was written there at all.
    pub(crate) wrote: bool,
    /// The slip that is gone now, so that its epoch stays known.
    pub(crate) gone: Option<SlipTags>,
}

/// What a change did to `ledger.db`.
#[derive(Debug)]
pub(crate) struct Applied {
    pub(crate) receipt: Receipt,
    pub(crate) facts: Vec<Fact>,
}

impl Applied {
    /// Done, with these facts.
    pub(crate) fn done(facts: Vec<Fact>) -> Self {
        Self { receipt: Receipt::Done, facts }
    }
}
