//! Which way a call goes, and who is on which of its ends.

use crate::{Party, named};

named!(
    /// Who called whom.
    Direction {
        /// From the trunk to the PBX: the customer called.
        Inbound = "inbound",
        /// From the PBX to the trunk: the agent called.
        Outbound = "outbound",
    }
);

impl Direction {
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
