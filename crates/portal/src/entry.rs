//! A recording and a call as the portal lists them: every tag, and no number, name or address.

use std::fmt;

use call::{
    CallId, Consent, Digest, Direction, Ground, LineId, Outcome, PolicyId, Purposes, RecordingId,
    TenantId, Time, Verdict, Words,
};
use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::incident::Incident;

/// How far a recording has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Allowed; no sound has been written.
    Permitted,
    /// Being recorded.
    Recording,
    /// Complete and signed, on its way to the store.
    Sealed,
    /// Read back from the store and found equal.
    Stored,
    /// It could not be made or kept.
    Failed,
}

impl State {
    /// Whether there is a signed object to read.
    #[must_use]
    pub const fn is_sealed(self) -> bool {
        match self {
            Self::Sealed | Self::Stored => true,
            Self::Permitted | Self::Recording | Self::Failed => false,
        }
    }
}

/// How far an erasure has come (invariant 8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErasureState {
    /// Ordered and not done yet.
    Ordered,
    /// No live slip opens it.
    Erased,
    /// No backup opens it either.
    Unrecoverable,
}

/// Seconds of a recording that were erased: `[from_s, to_s)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Erasure {
    /// The first erased second.
    pub from_s: u64,
    /// The first second after them.
    pub to_s: u64,
    /// How far it has come.
    pub state: ErasureState,
    /// Since when it is in this state.
    #[serde(serialize_with = "shown")]
    pub since: Time,
}

/// A recording with every tag of its retention.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The recording.
    #[serde(rename = "id", serialize_with = "shown")]
    pub recording: RecordingId,
    /// Its call.
    #[serde(serialize_with = "shown")]
    pub call: CallId,
    /// When recording began (when it was permitted, until there is sound).
    #[serde(serialize_with = "shown")]
    pub started_at: Time,
    /// From the first to the last sample, in milliseconds; 0 until it is sealed.
    pub duration_ms: u64,
    /// Whose it is.
    #[serde(serialize_with = "shown")]
    pub tenant: TenantId,
    /// On which line.
    #[serde(serialize_with = "shown")]
    pub line: LineId,
    /// Who called whom.
    #[serde(serialize_with = "shown")]
    pub direction: Direction,
    /// On which legal ground.
    #[serde(serialize_with = "shown")]
    pub ground: Ground,
    /// For which purposes.
    #[serde(serialize_with = "purposes")]
    pub purposes: Purposes,
    /// SHA-256 of the evidence.
    #[serde(serialize_with = "shown")]
    pub evidence: Digest,
    /// Under which policy.
    #[serde(serialize_with = "shown")]
    pub policy: PolicyId,
    /// Its version.
    pub policy_version: u32,
    /// The retention class.
    pub retention_class: String,
    /// When it is due for deletion.
    #[serde(serialize_with = "shown")]
    pub delete_after: Time,
    /// Whether a hold forbids its deletion.
    pub held: bool,
    /// Where it is kept, ISO 3166-1 alpha-2.
    pub storage_country: String,
    /// Whose store that is.
    pub storage_provider: String,
    /// The codecs of the customer's and the agent's channel, such as `PCMA/PCMA`; empty until it
    /// is sealed.
    pub codec: String,
    /// How much should have been heard and was not, in milliseconds.
    pub missing_ms: u64,
    /// In how many gaps.
    pub gaps: u32,
    /// The three words of its call, once that has ended.
    #[serde(serialize_with = "words")]
    pub words: Option<Words>,
    /// How far it has come.
    pub state: State,
    /// Which seconds were erased.
    pub erased: Vec<Erasure>,
    /// What was wrong with its call, the oldest first; empty until that has ended.
    pub alarms: Vec<Incident>,
}

/// A call that left no recording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CallEntry {
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
    /// Its three words, once it has ended.
    #[serde(serialize_with = "words")]
    pub words: Option<Words>,
    /// What was wrong with it, the oldest first; empty until it has ended.
    pub alarms: Vec<Incident>,
}

pub(crate) fn shown<T: fmt::Display, S: Serializer>(
    value: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

pub(crate) fn shown_if_any<T: fmt::Display, S: Serializer>(
    value: &Option<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}

fn purposes<S: Serializer>(purposes: &Purposes, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(purposes.iter().map(call::Purpose::as_str))
}

/// The three words as an object of three fields.
struct ThreeWords<'a>(&'a Words);

impl Serialize for ThreeWords<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Words", 3)?;
        object.serialize_field("consent", Consent::as_str(self.0.consent))?;
        object.serialize_field("outcome", Outcome::as_str(self.0.outcome))?;
        object.serialize_field("verdict", Verdict::as_str(self.0.verdict))?;
        object.end()
    }
}

fn words<S: Serializer>(words: &Option<Words>, serializer: S) -> Result<S::Ok, S::Error> {
    words.as_ref().map(ThreeWords).serialize(serializer)
}
