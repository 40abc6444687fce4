//! Which way a call goes, and who is on which of its ends.

use std::fmt;

use crate::Party;

/// Who called whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the trunk to the PBX: the customer called.
    Inbound,
    /// From the PBX to the trunk: the agent called.
    Outbound,
}

impl Direction {
    /// Both.
    pub const ALL: &'static [Self] = &[Self::Inbound, Self::Outbound];

    /// The name used in configuration, catalogue and listings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        }
    }

    /// The direction of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|direction| direction.as_str() == name)
    }

    /// The party that called: the one whose leg came in.
    #[must_use]
    pub const fn caller(self) -> Party {
        match self {
            Self::Inbound => Party::Customer,
            Self::Outbound => Party::Agent,
        }
    }

    /// The party that was called: the one whose leg we dialled.
    #[must_use]
    pub const fn called(self) -> Party {
        self.caller().other()
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_customer_calls_in_and_is_called_out() {
        assert_eq!(Direction::Inbound.caller(), Party::Customer);
        assert_eq!(Direction::Outbound.caller(), Party::Agent);
        assert_eq!(Direction::Outbound.called(), Party::Customer);
    }

    #[test]
    fn names_read_back() {
        let back = |one: &Direction| Direction::from_name(one.as_str()) == Some(*one);
        assert!(Direction::ALL.iter().all(back));
        assert_eq!(Direction::from_name("both"), None);
    }
}
