//! What each book says of one call and of one recording.

use call::{CallId, Digest, Ground, Purposes, RecordingId, Time, Words};

use crate::catalogue::{
    calls::CallLine,
    recordings::{RecordingState, SlipTags},
};

/// A row, as far as it is there and can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sheet<T> {
    /// There is none.
    Absent,
    /// A column of it is damaged.
    Unreadable,
    /// What it says.
    Says(T),
}

/// What all books say of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CallStory {
    pub(crate) call: CallId,
    pub(crate) row: Sheet<CallSheet>,
    /// Its beginning in the tree.
    pub(crate) opened: Option<Opening>,
    /// The words of its end in the tree.
    pub(crate) ended: Option<Words>,
    /// Whether it runs now.
    pub(crate) runs: bool,
    /// The states of its recordings in the catalogue.
    pub(crate) recordings: Vec<RecordingState>,
    /// Whether the tree permits a recording of it; only asked where the verdict hangs on it.
    pub(crate) permitted: bool,
}

/// How a call of a line began, as a row or its fact has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opening {
    pub(crate) at: Time,
    pub(crate) line: CallLine,
}

/// What the catalogue says of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CallSheet {
    /// Its beginning, if it is of a line: others leave no facts.
    pub(crate) opening: Option<Opening>,
    pub(crate) closed: bool,
    pub(crate) words: Option<Words>,
}

/// What all books say of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RecordingStory {
    pub(crate) recording: RecordingId,
    pub(crate) row: Sheet<RecordingSheet>,
    /// SHA-256 of the evidence that is kept.
    pub(crate) evidence: Option<Digest>,
    /// The live key slip.
    pub(crate) slip: Option<SlipTags>,
    /// Whether the store has an object of it.
    pub(crate) object: bool,
    pub(crate) trail: Trail,
}

/// What the catalogue says of a recording, and of its call's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordingSheet {
    pub(crate) permit: Permit,
    pub(crate) state: RecordingState,
    pub(crate) manifest: Option<Digest>,
    pub(crate) object: Option<Digest>,
    pub(crate) call_closed_at: Option<Time>,
    pub(crate) words: Option<Words>,
}

/// A permit as a row or its fact has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Permit {
    pub(crate) call: CallId,
    pub(crate) ground: Ground,
    pub(crate) purposes: Purposes,
    pub(crate) evidence: Digest,
    pub(crate) at: Time,
}

/// What the audit tree says of a recording. Of two facts of a kind the later one counts: a crash
/// between sealing and storing makes a node seal again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trail {
    pub(crate) permit: Option<Permit>,
    /// The manifest it was sealed with.
    pub(crate) sealed: Option<Digest>,
    /// The object that was stored.
    pub(crate) stored: Option<Digest>,
    pub(crate) slip: Option<SlipTags>,
    /// Since when its deletion is ordered.
    pub(crate) removing: Option<Time>,
    pub(crate) deleted: bool,
    /// How many erasures of seconds are ordered and not done, and when the last of them was ordered.
    pub(crate) erasing: (u32, Time),
}
