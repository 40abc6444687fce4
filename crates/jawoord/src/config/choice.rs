//! What a policy chooses among, as it is written.

use serde::{Deserialize, Serialize};

/// Whether a policy records.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// After the question, on yes only.
    Ask,
    /// After the notice, on a ground that is no consent.
    Tell,
    /// Never; nobody is asked.
    Never,
}

/// When the PBX is called after a decision.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Confirm {
    /// After the confirmation.
    #[default]
    First,
    /// At once; the confirmation is cut at the answer.
    WhileRinging,
    /// At once, without a confirmation.
    Off,
}

/// What becomes of a call whose recording fails.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenRecordingFails {
    /// It goes on, unrecorded from there.
    #[default]
    GoOn,
    /// It ends.
    EndCall,
}

/// What a withdrawal does to what was recorded.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnWithdraw {
    /// Erases it.
    #[default]
    Erase,
    /// Keeps it.
    Stop,
}

/// How the customer who calls comes to be asked.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Inbound {
    /// Before the PBX is called.
    #[default]
    First,
    /// When the agent wants it, in a call that is put through at once.
    AgentAsks,
}

/// How the customer of a call that the PBX starts comes to be asked.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outbound {
    /// When the agent presses a key or the operator asks; unrecorded until then.
    #[default]
    AgentAsks,
    /// At the answer, with the agent listening.
    Join,
    /// At the answer, before the agent is connected.
    HoldBack,
    /// Nobody is asked.
    Never,
}

/// From when on the calls of a line are recorded.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum RecordFrom {
    /// From the answer on.
    Answer,
    /// While an agent is known to talk to the customer.
    Agent,
}

/// Who hears the question in a call that is put through.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HeardBy {
    /// Both parties.
    #[default]
    Both,
    /// The customer alone.
    Customer,
}

/// Whether the calls of a line are people's.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// They go as the policy says.
    #[default]
    Policy,
    /// They are a lift's, an alarm's, a modem's: put through and never touched.
    Transparent,
}

/// What becomes of a call whose customer says no.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnRefuse {
    /// It goes on, unrecorded.
    #[default]
    GoOn,
    /// It ends: refused when the file is read, by the article that forbids it.
    EndCall,
}

/// What silence means.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnSilence {
    /// No consent.
    #[default]
    NotGiven,
    /// Consent: refused when the file is read, by the article that forbids it.
    Granted,
}

/// Which calls a line is for.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Those to its number.
    Inbound,
    /// Those from its number.
    Outbound,
    /// All of them.
    #[default]
    Both,
}

impl Direction {
    /// Whether it need not be written.
    pub(super) const fn is_both(&self) -> bool {
        matches!(self, Self::Both)
    }
}

impl Inbound {
    /// Whether it need not be written.
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl HeardBy {
    /// Whether it need not be written.
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl OnRefuse {
    /// Whether it need not be written.
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl OnSilence {
    /// Whether it need not be written.
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Mode {
    /// Whether it need not be written.
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
