//! What a policy chooses among, as it is written.

use serde::{Deserialize, Serialize};

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
