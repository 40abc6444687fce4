//! When the customer is asked: before the other party is called, or once the call is put through.

use crate::{Asking, Direction, Inbound, Key, Outbound, machine::dialogue::Opening};

/// How often a customer may come back to a question that they have left or denied.
pub(super) const CHANGES: u8 = 3;

/// How the customer comes to be asked in a call that is put through before anybody is.
#[derive(Clone, Copy)]
pub(super) enum Later {
    /// When the agent or the operator wants it.
    Wanted {
        /// The agent's key, if there is one.
        key: Option<Key>,
        /// How often the question may still be begun.
        left: u8,
    },
    /// At the answer, with the agent listening.
    Joined,
    /// At the answer, before the agent is connected.
    HeldBack,
}

impl Later {
    /// What the customer is asked with.
    pub(super) const fn opening(self) -> Opening {
        match self {
            Self::Wanted { .. } => Opening::AgentAsk,
            Self::Joined | Self::HeldBack => Opening::Notice,
        }
    }
}

/// When the customer is asked.
pub(super) enum Way {
    First,
    Later(Later),
}

impl Way {
    /// What a policy wants in calls of this direction; `None` if it never asks.
    pub(super) fn of(asking: &Asking, direction: Direction) -> Option<Self> {
        let wanted = |key, left| Some(Self::Later(Later::Wanted { key, left }));
        match (direction, asking.inbound, asking.outbound) {
            (Direction::Inbound, Inbound::First, _) => Some(Self::First),
            (Direction::Inbound, Inbound::AgentAsks { key, times }, _)
            | (Direction::Outbound, _, Outbound::AgentAsks { key, times }) => wanted(key, times),
            (Direction::Outbound, _, Outbound::Join) => Some(Self::Later(Later::Joined)),
            (Direction::Outbound, _, Outbound::HoldBack) => Some(Self::Later(Later::HeldBack)),
            (Direction::Outbound, _, Outbound::Never) => None,
        }
    }
}
