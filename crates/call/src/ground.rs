//! Why a recording may exist (GDPR Art. 6 and 9), for which purposes, and who may be heard in it.

use std::fmt;

/// The legal ground of a recording. There is no default: a line without one does not load
/// (law row L06).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ground {
    /// Art. 6(1)(a): the customer pressed the grant key after the notice.
    Consent,
    /// Art. 9(2)(a): consent confirmed in a second step.
    ExplicitConsent,
    /// Art. 6(1)(b): a segment in which a contract is concluded.
    Contract,
    /// Art. 6(1)(c): a law demands the recording.
    LegalObligation,
    /// Art. 6(1)(f): a balanced interest, with a right to object.
    LegitimateInterest,
    /// Art. 6(1)(e): a task in the public interest.
    PublicTask,
    /// Art. 6(1)(d): to protect a life.
    VitalInterest,
}

impl Ground {
    /// Every ground.
    pub const ALL: [Self; 7] = [
        Self::Consent,
        Self::ExplicitConsent,
        Self::Contract,
        Self::LegalObligation,
        Self::LegitimateInterest,
        Self::PublicTask,
        Self::VitalInterest,
    ];

    /// The name used in configuration, catalogue and facts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Consent => "consent",
            Self::ExplicitConsent => "explicit_consent",
            Self::Contract => "contract",
            Self::LegalObligation => "legal_obligation",
            Self::LegitimateInterest => "legitimate_interest",
            Self::PublicTask => "public_task",
            Self::VitalInterest => "vital_interest",
        }
    }

    /// The ground of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ground| ground.as_str() == name)
    }
}

impl fmt::Display for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a recording may be used for (Art. 5(1)(b)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// Improving the service; quality review.
    Quality,
    /// Training of staff.
    Training,
    /// Proving what was agreed.
    Evidence,
    /// Transcription and analysis.
    Analysis,
}

impl Purpose {
    /// Every purpose, in the order in which they are listed everywhere.
    pub const ALL: [Self; 4] = [Self::Quality, Self::Training, Self::Evidence, Self::Analysis];

    /// The name used in configuration, catalogue and facts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Quality => "quality",
            Self::Training => "training",
            Self::Evidence => "evidence",
            Self::Analysis => "analysis",
        }
    }

    /// The purpose of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == name)
    }

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

    /// Each purpose, in the order of [`Purpose::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Purpose> {
        Purpose::ALL.into_iter().filter(move |purpose| self.contains(*purpose))
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

/// One side of a call: the customer is on the trunk's leg and the agent on the PBX's, whoever
/// called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Party {
    /// The person outside, whose decision counts. Channel 0 (left) of a recording.
    Customer,
    /// The PBX and whoever it connects. Channel 1 (right) of a recording.
    Agent,
}

impl Party {
    /// The name used in facts and listings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Agent => "agent",
        }
    }

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
        let all: Purposes = Purpose::ALL.into_iter().collect();
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
