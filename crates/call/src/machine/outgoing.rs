//! How the customer of a call that the PBX started comes to be asked.

use crate::{Key, Outbound, machine::dialogue::Opening};

/// How the customer comes to be asked in a call that the PBX started.
#[derive(Clone, Copy)]
pub(super) enum Outgoing {
    /// When the agent or the operator wants it.
    Wanted {
        /// The agent's key, if there is one.
        key: Option<Key>,
        /// How often the question may still be begun.
        left: u8,
        /// Whether it is asked if everything is ready.
        preparing: bool,
    },
    /// At the answer, with the agent listening.
    Joined,
    /// At the answer, before the agent is connected.
    HeldBack,
}

impl Outgoing {
    /// What a policy asks for; `None` if it never asks.
    pub(super) const fn of(outbound: Outbound) -> Option<Self> {
        match outbound {
            Outbound::AgentAsks { key, times } => {
                Some(Self::Wanted { key, left: times, preparing: false })
            }
            Outbound::Join => Some(Self::Joined),
            Outbound::HoldBack => Some(Self::HeldBack),
            Outbound::Never => None,
        }
    }

    /// What the customer is asked with.
    pub(super) const fn opening(self) -> Opening {
        match self {
            Self::Wanted { .. } => Opening::AgentAsk,
            Self::Joined | Self::HeldBack => Opening::Notice,
        }
    }
}
