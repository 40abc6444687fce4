//! What the command line asks of a node, over the control socket or in-process.

use call::{CallId, RecordingId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{config::schema::Line, kept::Change, live::wanted::Wanted};

/// A request: one line of JSON.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "command", rename_all = "kebab-case")]
pub enum Request {
    /// Lists calls.
    CallsList,
    /// Finds calls by a name that another system has for them.
    CallsFind {
        /// A Call-ID, or an end of a Session-ID.
        name: String,
    },
    /// Shows a call with its ladder.
    CallsShow {
        /// The call.
        id: String,
    },
    /// Sends the messages of a call as a capture file.
    CallsTrace {
        /// The call.
        id: String,
    },
    /// Asks the customer of a running call.
    CallsAsk {
        /// The call.
        id: String,
    },
    /// Says who talks to the customer of a running call.
    CallsAgent {
        /// The call.
        id: String,
        /// Who; nobody without it.
        agent: Option<String>,
        /// By which queue the customer came.
        queue: Option<String>,
    },
    /// Makes a call's recording silent for a while, or lets it go on.
    CallsPause {
        /// The call.
        id: String,
        /// Which.
        on: bool,
    },
    /// Ends a recording whose customer has said that they want none.
    CallsWithdraw {
        /// The call.
        id: String,
    },
    /// Ends a call.
    CallsHangup {
        /// The call.
        id: String,
    },
    /// Lists recordings.
    RecordingsList,
    /// Shows a recording.
    RecordingsShow {
        /// The recording.
        id: String,
    },
    /// Sends a recording as WAV.
    RecordingsExport {
        /// The recording.
        id: String,
    },
    /// Checks a recording.
    RecordingsVerify {
        /// The recording.
        id: String,
    },
    /// Writes the folder that proves a recording's decision.
    RecordingsEvidence {
        /// The recording.
        id: String,
        /// The folder, as an absolute path.
        dir: String,
    },
    /// Sends a recording with its evidence as a signed vCon.
    RecordingsVcon {
        /// The recording.
        id: String,
    },
    /// Says the consent record and receipt of a recording.
    RecordingsConsent {
        /// The recording.
        id: String,
    },
    /// Writes the folder that proves what became of a call.
    CallsEvidence {
        /// The call.
        id: String,
        /// The folder, as an absolute path.
        dir: String,
    },
    /// Erases seconds, or everything.
    RecordingsErase {
        /// The recording.
        id: String,
        /// `[from, to)`; without it, everything.
        seconds: Option<(u32, u32)>,
    },
    /// Lists what is due for deletion.
    RetentionDue {
        /// At another moment: seconds since the Unix epoch.
        as_of: Option<u64>,
    },
    /// Deletes what is due.
    RetentionSweep,
    /// Lists epochs.
    KeysStatus,
    /// Rotates epochs.
    KeysRotate,
    /// Destroys an epoch.
    KeysDestroyEpoch {
        /// The epoch.
        epoch: u64,
    },
    /// Checks the audit tree.
    AuditVerify,
    /// Writes an audit export into a folder.
    AuditExport {
        /// The folder, as an absolute path.
        dir: String,
    },
    /// Holds calls, verdicts, evidence and stored objects against each other.
    ReportReconcile {
        /// From when on, in microseconds since the Unix epoch; the beginning without it.
        from: Option<u64>,
        /// Until when; now without it.
        to: Option<u64>,
    },
    /// Empties the node, or lets it take calls again.
    Drain {
        /// Which.
        on: bool,
    },
    /// Adds lines: all of them, or none.
    LinesAdd {
        /// As the configuration would write them.
        lines: Vec<Line>,
    },
    /// Removes lines that were added so: all of them, or none.
    LinesRemove {
        /// Their names.
        names: Vec<String>,
    },
    /// Looks at everything that the settings name.
    CheckLive {
        /// A call to place as well.
        call: Option<Wanted>,
    },
    /// Makes a new one-time link to the page.
    PortalLink,
    /// Reads the configuration again.
    Reload,
}

impl Request {
    /// The change of lines that is asked for, if one is.
    #[must_use]
    pub fn change(&self) -> Option<Change> {
        if let Self::LinesAdd { lines } = self {
            Some(Change::Add(lines.clone()))
        } else if let Self::LinesRemove { names } = self {
            Some(Change::Remove(names.clone()))
        } else {
            None
        }
    }
}

/// The answer: one line of JSON, then `bytes` raw bytes.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Reply {
    /// Whether it was done; the exit code is 0 or 1.
    pub done: bool,
    /// What was asked for.
    #[serde(default)]
    pub value: Value,
    /// What went wrong, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How many raw bytes follow.
    #[serde(default)]
    pub bytes: u64,
}

impl Reply {
    /// Done, with this value.
    #[must_use]
    pub const fn done(value: Value) -> Self {
        Self { done: true, value, error: None, bytes: 0 }
    }

    /// Not done.
    #[must_use]
    pub fn failed(error: impl std::fmt::Display) -> Self {
        Self { done: false, value: Value::Null, error: Some(error.to_string()), bytes: 0 }
    }

    /// Looked at, and something is wrong.
    #[must_use]
    pub const fn wrong(value: Value) -> Self {
        Self { done: false, value, error: None, bytes: 0 }
    }
}

/// Reads the id of a call.
///
/// # Errors
/// A reply that says what is wrong with it.
pub fn call_id(text: &str) -> Result<CallId, Reply> {
    text.parse().map_err(Reply::failed)
}

/// Reads the id of a recording.
///
/// # Errors
/// A reply that says what is wrong with it.
pub fn recording_id(text: &str) -> Result<RecordingId, Reply> {
    text.parse().map_err(Reply::failed)
}
