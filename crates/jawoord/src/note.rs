//! What reaches the loop of calls from the rest of the program.

use std::{fmt, sync::Arc};

use call::{CallId, Digest, Private, RecordingId};
use ledger::LadderStep;
use portal::Seated;
use tokio::sync::oneshot;
use vault::RootSeed;

use crate::{
    alarm::Raised,
    ami::word::Word,
    books::Compared,
    config::judge::Settings,
    live::ask::Ask,
    targets::{Found, Question},
    trace::Message,
};

/// What reaches the loop from the rest of the program.
#[derive(Debug)]
pub enum Note {
    /// A media worker heard something.
    Media(media::Report),
    /// The ledger answered.
    Paper(Paper),
    /// The recorder reports.
    Tape(Tape),
    /// The recorder's thread has ended by a defect: nothing is recorded any more.
    RecorderGone,
    /// New settings take effect; running calls keep theirs.
    Settings(Arc<Settings>),
    /// The operator wants the customer of a call to be asked. Its name is its id, or the Call-ID of one of
    /// its legs.
    Ask(Private<String>, oneshot::Sender<Asked>),
    /// A program of the house says who talks to the customer of a call, or that nobody does.
    Agent(Private<String>, Option<Seated>, oneshot::Sender<Seating>),
    /// The manager of a PBX says something of its calls, or nothing any more.
    Agents(Word),
    /// The operator wants a call's recording to pause, or to go on.
    Pause(Private<String>, bool, oneshot::Sender<Paused>),
    /// The operator passes on that the customer of a call wants no recording any more.
    Withdraw(Private<String>, oneshot::Sender<Withdrawal>),
    /// Somebody is about to look at the page: how the calls that it shows have sounded is wanted.
    Count,
    /// Somebody looks at the page: which calls run, and what is wrong.
    Floor(oneshot::Sender<portal::Now>),
    /// A name of a target leads there from now on.
    Resolved(Question, Vec<Found>),
    /// The operator ends a call; the answer says whether there was one.
    HangUp(CallId, oneshot::Sender<bool>),
    /// The operator looks at the messages of a call; the answer is empty when none are held.
    Trace(CallId, oneshot::Sender<Vec<Message>>),
    /// The operator looks at a running call; `None` when it does not run.
    Stand(CallId, oneshot::Sender<Option<Standing>>),
    /// Calls, recordings and objects were reconciled, or could not be.
    Reconciled(Compared),
    /// Empties the node, or takes calls again; the answer says how many calls run.
    Drain(bool, oneshot::Sender<usize>),
    /// The operator looks at the node: with which settings it works.
    Look(oneshot::Sender<Arc<Settings>>),
    /// The operator tries something out.
    Try(Ask),
    /// The node stops when its calls have ended, or their time is over.
    Leave,
    /// The node stops: end every call, then the loop.
    Stop,
}

/// How a running call stands.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Its ladder so far.
    pub steps: Vec<LadderStep>,
    /// What is wrong with it now.
    pub alarms: Vec<Raised>,
}

/// What became of the operator's wish to have a customer asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The question begins.
    Begun,
    /// No such call runs.
    Unknown,
    /// It is not a call in which anybody may be asked now.
    NotNow,
    /// What the evidence or the recording needs is not ready.
    NotReady,
}

/// What became of a program's word about an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seating {
    /// It is known.
    Known,
    /// No such call runs.
    Unknown,
}

/// What became of the operator's wish to have a recording paused, or to let it go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paused {
    /// It is so.
    Done,
    /// No such call runs.
    Unknown,
    /// The call is not being recorded.
    NotRecorded,
}

/// What became of a withdrawal that the operator passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withdrawal {
    /// The recording has ended, as by the customer's key.
    Done,
    /// No such call runs.
    Unknown,
    /// The customer has agreed to nothing that could be withdrawn, or a law demands the recording.
    Nothing,
}

/// What the office tells the calls.
pub enum Paper {
    /// The row of a call is on disk, or cannot be.
    Row {
        /// The call.
        call: CallId,
        /// Whether it is.
        written: bool,
    },
    /// Evidence, slip and row of a recording are on disk.
    Committed {
        /// The call.
        call: CallId,
        /// The recording.
        recording: RecordingId,
        /// SHA-256 of the evidence.
        evidence: Digest,
        /// The seed of its keys, which exists nowhere else.
        seed: RootSeed,
    },
    /// They are not.
    CommitFailed {
        /// The call.
        call: CallId,
        /// The recording.
        recording: RecordingId,
    },
    /// An ended recording has met its fate, or could not.
    Closed {
        /// The call.
        call: CallId,
        /// The recording.
        recording: RecordingId,
        /// Whether it has.
        done: bool,
        /// How many milliseconds of sound it holds.
        millis: u64,
    },
}

impl fmt::Debug for Paper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Row { .. } => "Row",
            Self::Committed { .. } => "Committed",
            Self::CommitFailed { .. } => "CommitFailed",
            Self::Closed { .. } => "Closed",
        };
        f.write_str(name)
    }
}

/// What the recorder tells the calls.
#[derive(Debug)]
pub enum Tape {
    /// Audio of a running recording was lost.
    Degraded {
        /// The call.
        call: CallId,
        /// The recording.
        recording: RecordingId,
        /// How much.
        missing_ms: u64,
    },
    /// A recording cannot go on.
    Failed {
        /// The call.
        call: CallId,
        /// The recording.
        recording: RecordingId,
    },
}
