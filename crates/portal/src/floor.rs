//! What the portal asks of the daemon about calls that run: how each stands, what is wrong, that a customer
//! be asked, and that a recording be silent for a while.

use std::{fmt, future::Future};

use call::{CallId, Direction, LineId, Party, Private, Queue, Time};
use serde::{Serialize, Serializer};

use crate::{
    archive::Unavailable,
    entry::{shown, shown_if_any},
    incident::Incident,
};

/// Whether a call is being recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Taping {
    /// It is not.
    Off,
    /// It is not, and the customer is being asked, or told, at this moment.
    Asked,
    /// It is.
    On,
    /// It is, and somebody wants silence in it for a while.
    Paused,
    /// It is while an agent is known to talk to the customer, and none is now.
    NoAgent,
}

/// Which way sound goes on a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// What its party says, as it came here.
    Received,
    /// What its party hears, by its own reports (RFC 3550).
    Sent,
}

/// How one direction of a leg of a running call has been so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Hearing {
    /// Whose leg.
    #[serde(serialize_with = "named")]
    pub leg: Party,
    /// Which direction.
    pub way: Way,
    /// The mean opinion score by the E-model of ITU-T G.107, in hundredths.
    #[serde(rename = "mos", serialize_with = "hundredths")]
    pub mos_hundredths: u16,
    /// Packets that did not arrive, of ten thousand.
    #[serde(rename = "loss_percent", serialize_with = "hundredths")]
    pub lost_of_10000: u16,
    /// Mean interarrival jitter.
    #[serde(rename = "jitter_ms", serialize_with = "tenths")]
    pub jitter_us: u32,
}

fn named<S: Serializer>(party: &Party, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(party.as_str())
}

fn hundredths<S: Serializer>(value: &u16, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(f64::from(*value) / 100.0)
}

/// Microseconds as milliseconds with one decimal.
fn tenths<S: Serializer>(micros: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((f64::from(*micros) / 100.0).round() / 10.0)
}

/// A call that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Running {
    /// The call.
    #[serde(rename = "id", serialize_with = "shown")]
    pub call: CallId,
    /// When it began.
    #[serde(serialize_with = "shown")]
    pub started_at: Time,
    /// On which line; `None` when the number has none.
    #[serde(serialize_with = "shown_if_any")]
    pub line: Option<LineId>,
    /// Who called whom.
    #[serde(serialize_with = "shown")]
    pub direction: Direction,
    /// Whether it is being recorded.
    #[serde(rename = "recording")]
    pub taping: Taping,
    /// Whether the house may have the customer asked now.
    pub askable: bool,
    /// What is wrong with it now, the oldest first.
    pub alarms: Vec<Incident>,
    /// How each leg has sounded so far: nothing of one that has hardly sounded, or, of what it hears, has
    /// reported nothing.
    #[serde(rename = "quality")]
    pub sound: Vec<Hearing>,
}

/// What can be wrong with the node, whoever calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Ailment {
    /// The disk of the recorder is full or fails: nobody is asked.
    Disk,
    /// The recorder has ended by a defect: nothing is recorded until a restart.
    Recorder,
    /// Calls, recordings and stored objects do not agree.
    Unreconciled {
        /// In how many ways.
        mismatches: u64,
    },
    /// They could not be compared: whether they agree is not known.
    BooksUnread,
    /// The manager of a PBX is not heard: whether an agent talks to its callers is not known.
    Manager {
        /// Of which PBX, as the configuration calls it.
        pbx: String,
    },
    /// So many questions in a row were answered by no key.
    Unanswered {
        /// On which trunk, as the configuration calls it.
        trunk: String,
        /// How many.
        questions: u32,
    },
}

/// Something that is wrong with the node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// What.
    #[serde(flatten)]
    pub what: Ailment,
    /// Since when.
    #[serde(serialize_with = "shown")]
    pub since: Time,
}

/// How it stands at this moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Now {
    /// How many calls run. There may be more than are listed.
    pub running: usize,
    /// Those with which something is wrong, then the others, the newest first.
    pub calls: Vec<Running>,
    /// What is wrong with the node.
    pub troubles: Vec<Trouble>,
}

/// Why a customer is not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskError {
    /// No such call runs.
    Unknown,
    /// It is not a call in which the house may have anybody asked now.
    NotNow,
    /// The recording could not be kept, or not be proved.
    NotReady,
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "no such call runs now; look for it in the list",
            Self::NotNow => "nobody can be asked in this call now; its policy says when",
            Self::NotReady => "the recording could not be kept; look at what is wrong",
        })
    }
}

impl std::error::Error for AskError {}

/// Why a recording was not paused, or did not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PauseError {
    /// No such call runs.
    Unknown,
    /// It is not being recorded.
    NotRecorded,
}

impl fmt::Display for PauseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "no such call runs now; look for it in the list",
            Self::NotRecorded => "the call is not being recorded; there is nothing to pause",
        })
    }
}

impl std::error::Error for PauseError {}

/// Why nothing was withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithdrawError {
    /// No such call runs.
    Unknown,
    /// Its customer has agreed to nothing, has withdrawn already, or a law demands the recording.
    Nothing,
}

impl fmt::Display for WithdrawError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "no such call runs now; look for it in the list",
            Self::Nothing => "there is nothing to withdraw in this call",
        })
    }
}

impl std::error::Error for WithdrawError {}

/// Who talks to the customer of a call, as a program of the house says.
#[derive(Clone, Debug)]
pub struct Seated {
    /// The agent, by whatever name the house has for them; only a keyed hash of it is kept.
    pub agent: Private<String>,
    /// By which queue the customer came to them.
    pub queue: Option<Queue>,
}

/// Why it is of no use to say who talks to a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentError {
    /// No such call runs.
    Unknown,
}

impl fmt::Display for AgentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "no such call runs now; look for it in the list",
        })
    }
}

impl std::error::Error for AgentError {}

/// Calls that run. The daemon implements it over its loop of calls.
pub trait Floor: Send + Sync + 'static {
    /// How it stands at this moment.
    ///
    /// # Errors
    /// [`Unavailable`] when the calls do not answer.
    fn now(&self) -> impl Future<Output = Result<Now, Unavailable>> + Send;

    /// Has the customer of a call asked, as the agent's key does. Only their own key answers. The call's
    /// name is its id, which `X-Jawoord-Call` tells the PBX, or the Call-ID of either leg.
    ///
    /// # Errors
    /// [`AskError`] says why not.
    fn ask(&self, call: &str) -> impl Future<Output = Result<(), AskError>> + Send;

    /// This agent talks to the customer of a call from here on, or, with `None`, nobody does: the customer waits,
    /// holds, or hears a menu. The call is named as for [`Floor::ask`].
    ///
    /// # Errors
    /// [`AgentError`] when there is no such call.
    fn agent(
        &self,
        call: &str,
        seated: Option<Seated>,
    ) -> impl Future<Output = Result<(), AgentError>> + Send;

    /// Makes the recording of a call silent from here on (`on`), or lets it go on. The daemon commits
    /// who did it to the audit tree. The call is named as for [`Floor::ask`].
    ///
    /// # Errors
    /// [`PauseError`] says why not.
    fn pause(&self, call: &str, on: bool) -> impl Future<Output = Result<(), PauseError>> + Send;

    /// Passes on that the customer of a call, who has said so, wants no recording any more: it ends, and is
    /// erased where their key would erase it (Art. 7(3), 21). The daemon commits that the house passed it on
    /// to the audit tree. The call is named as for [`Floor::ask`].
    ///
    /// # Errors
    /// [`WithdrawError`] says why not.
    fn withdraw(&self, call: &str) -> impl Future<Output = Result<(), WithdrawError>> + Send;
}
