//! Why a recording may exist (GDPR Art. 6 and 9), for which purposes, and who may be heard in it.

use std::fmt;

use crate::{named, prompt::Prompt};

named!(
    /// The legal ground of a recording. There is no default: a line without one does not load
    /// (law row L06).
    Ground {
        /// Art. 6(1)(a): the customer pressed the grant key after the notice.
        Consent = "consent",
        /// Art. 9(2)(a): consent confirmed in a second step.
        ExplicitConsent = "explicit_consent",
        /// Art. 6(1)(b): a segment in which a contract is concluded.
        Contract = "contract",
        /// Art. 6(1)(c): a law demands the recording.
        LegalObligation = "legal_obligation",
        /// Art. 6(1)(f): a balanced interest, with a right to object.
        LegitimateInterest = "legitimate_interest",
        /// Art. 6(1)(e): a task in the public interest.
        PublicTask = "public_task",
        /// Art. 6(1)(d): to protect a life.
        VitalInterest = "vital_interest",
    }
);

named!(
    /// What a recording may be used for (Art. 5(1)(b)). They are listed everywhere in this order.
    #[derive(PartialOrd, Ord)]
    Purpose {
        /// Improving the service; quality review.
        Quality = "quality",
        /// Training of staff.
        Training = "training",
        /// Proving what was agreed.
        Evidence = "evidence",
        /// Transcription and analysis.
        Analysis = "analysis",
    }
);

/// How the customer takes part in a recording on a ground.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Manner {
    /// They are asked, and only a yes permits (Art. 6(1)(a), 7).
    Asked,
    /// They are asked, and confirm their yes in a second step (Art. 9(2)(a)).
    AskedTwice,
    /// They are told, and may object at any time (Art. 6(1)(e) and (f), 21).
    Opposing,
    /// They are told; a law leaves no choice (Art. 6(1)(c)).
    Told,
}

impl Manner {
    /// Whether a key of theirs ends the recording: a withdrawal (Art. 7(3)) or an objection (Art. 21).
    #[must_use]
    pub const fn can_be_ended(self) -> bool {
        match self {
            Self::Asked | Self::AskedTwice | Self::Opposing => true,
            Self::Told => false,
        }
    }

    /// Whether only their yes permits a recording.
    #[must_use]
    pub const fn asks(self) -> bool {
        match self {
            Self::Asked | Self::AskedTwice => true,
            Self::Opposing | Self::Told => false,
        }
    }

    /// Whether `prompt` belongs to its dialogue, so that a call can neither be led nor proved without it.
    #[must_use]
    pub const fn says(self, prompt: Prompt) -> bool {
        match prompt {
            Prompt::NoAnswer => true,
            Prompt::LegalObligation | Prompt::ObligationInfo => matches!(self, Self::Told),
            Prompt::LegitimateInterest => matches!(self, Self::Opposing),
            Prompt::Explicit => matches!(self, Self::AskedTwice),
            Prompt::Info | Prompt::Refused | Prompt::Withdrawn => self.can_be_ended(),
            Prompt::Notice
            | Prompt::Question
            | Prompt::Reask
            | Prompt::WrongKey
            | Prompt::Granted
            | Prompt::NotGiven
            | Prompt::AgentAsk
            | Prompt::Resume => self.asks(),
        }
    }
}

impl Ground {
    /// How the customer takes part; `None` for a ground on which no flow records yet.
    #[must_use]
    pub const fn manner(self) -> Option<Manner> {
        match self {
            Self::Consent => Some(Manner::Asked),
            Self::ExplicitConsent => Some(Manner::AskedTwice),
            Self::LegitimateInterest | Self::PublicTask => Some(Manner::Opposing),
            Self::LegalObligation => Some(Manner::Told),
            Self::Contract | Self::VitalInterest => None,
        }
    }
}

impl Purpose {
    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of purposes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Purposes(u8);

impl Purposes {
    /// Whether `purpose` is among them.
    #[must_use]
    pub const fn contains(self, purpose: Purpose) -> bool {
        self.0 & purpose.bit() != 0
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Reads the names, separated by commas; `None` when one of them is unknown.
    #[must_use]
    pub fn from_names(names: &str) -> Option<Self> {
        names.split(',').filter(|name| !name.is_empty()).map(Purpose::from_name).collect()
    }

    /// Each purpose, in the order of [`Purpose::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Purpose> {
        Purpose::ALL.iter().copied().filter(move |purpose| self.contains(*purpose))
    }
}

impl FromIterator<Purpose> for Purposes {
    fn from_iter<I: IntoIterator<Item = Purpose>>(purposes: I) -> Self {
        Self(purposes.into_iter().fold(0, |set, purpose| set | purpose.bit()))
    }
}

impl fmt::Display for Purposes {
    /// The names, separated by commas.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, purpose) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            f.write_str(purpose.as_str())?;
        }
        Ok(())
    }
}

named!(
    /// One side of a call: the customer is on the trunk's leg and the agent on the PBX's, whoever
    /// called.
    Party {
        /// The person outside, whose decision counts. Channel 0 (left) of a recording.
        Customer = "customer",
        /// The PBX and whoever it connects. Channel 1 (right) of a recording.
        Agent = "agent",
    }
);

impl Party {
    /// The party at the other end.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Customer => Self::Agent,
            Self::Agent => Self::Customer,
        }
    }
}

/// Which parties may be heard in a recording; a party that may not be heard is silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Parties {
    /// Whether the customer may be heard.
    pub customer: bool,
    /// Whether the agent's side may be heard.
    pub agent: bool,
}

impl Parties {
    /// Both sides.
    pub const BOTH: Self = Self { customer: true, agent: true };

    /// Whether `party` may be heard.
    #[must_use]
    pub const fn hears(self, party: Party) -> bool {
        match party {
            Party::Customer => self.customer,
            Party::Agent => self.agent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_are_a_set_in_a_fixed_order() {
        let set: Purposes =
            [Purpose::Evidence, Purpose::Quality, Purpose::Quality].into_iter().collect();
        assert_eq!(set.to_string(), "quality,evidence");
        assert!(set.contains(Purpose::Quality) && set.contains(Purpose::Evidence));
        assert!(!set.contains(Purpose::Training) && !set.contains(Purpose::Analysis));
        assert_eq!(set.iter().collect::<Vec<_>>(), [Purpose::Quality, Purpose::Evidence]);
        assert!(!set.is_empty());
        assert!(Purposes::default().is_empty() && Purposes::default().to_string().is_empty());
        let all: Purposes = Purpose::ALL.iter().copied().collect();
        assert_eq!(all.to_string(), "quality,training,evidence,analysis");
    }

    #[test]
    fn a_name_that_is_no_ground_and_no_purpose_is_none() {
        assert_eq!(Ground::from_name("Consent"), None);
        assert_eq!(Ground::from_name(""), None);
        assert_eq!(Purpose::from_name("marketing"), None);
    }

    #[test]
    fn each_party_has_another_and_is_heard_by_itself() {
        assert_eq!(Party::Customer.other(), Party::Agent);
        assert_eq!(Party::Agent.other(), Party::Customer);
        let customer_only = Parties { customer: true, agent: false };
        assert!(customer_only.hears(Party::Customer) && !customer_only.hears(Party::Agent));
        assert!(Parties::BOTH.hears(Party::Customer) && Parties::BOTH.hears(Party::Agent));
    }
}
