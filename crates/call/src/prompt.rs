//! The prompts of the dialogue, by their part in it.

use std::fmt;

/// A prompt by its part in the dialogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Prompt {
    /// Who records, why, how long, and how to stop.
    Notice,
    /// Which key means what.
    Question,
    /// The short repeat after silence.
    Reask,
    /// The short repeat after a key that means nothing.
    WrongKey,
    /// Recording was granted.
    Granted,
    /// Recording was refused.
    Refused,
    /// No decision was given.
    NotGiven,
    /// Recording was stopped by the customer.
    Withdrawn,
    /// The explanation behind the info key.
    Info,
    /// Nobody answers.
    NoAnswer,
    /// Notice and question in one, in a call that the agent has begun.
    AgentAsk,
    /// The second step of explicit consent: the same key once more (Art. 9(2)(a)).
    Explicit,
    /// The notice where the customer is not asked and may object (Art. 21).
    LegitimateInterest,
    /// The notice where a law demands the recording (Art. 6(1)(c)).
    LegalObligation,
    /// The explanation behind the info key there: nothing can be stopped or erased (Art. 17(3)(b)).
    ObligationInfo,
    /// Whether to go on, of a customer who has withdrawn and comes back.
    Resume,
}

impl Prompt {
    /// Every prompt.
    pub const ALL: [Self; 16] = [
        Self::Notice,
        Self::Question,
        Self::Reask,
        Self::WrongKey,
        Self::Granted,
        Self::Refused,
        Self::NotGiven,
        Self::Withdrawn,
        Self::Info,
        Self::NoAnswer,
        Self::AgentAsk,
        Self::Explicit,
        Self::LegitimateInterest,
        Self::LegalObligation,
        Self::ObligationInfo,
        Self::Resume,
    ];

    /// The name of its files, and in evidence.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Question => "question",
            Self::Reask => "reask",
            Self::WrongKey => "wrong_key",
            Self::Granted => "granted",
            Self::Refused => "refused",
            Self::NotGiven => "not_given",
            Self::Withdrawn => "withdrawn",
            Self::Info => "info",
            Self::NoAnswer => "no_answer",
            Self::AgentAsk => "agent_ask",
            Self::Explicit => "explicit",
            Self::LegitimateInterest => "legitimate_interest",
            Self::LegalObligation => "legal_obligation",
            Self::ObligationInfo => "obligation_info",
            Self::Resume => "resume",
        }
    }

    /// The prompt of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|prompt| prompt.as_str() == name)
    }
}

impl fmt::Display for Prompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Prompt;

    #[test]
    fn a_prompt_is_found_by_its_name() {
        assert!(Prompt::ALL.into_iter().all(|one| Prompt::from_name(one.as_str()) == Some(one)));
        assert_eq!(Prompt::from_name("Notice"), None);
        assert_eq!(Prompt::WrongKey.to_string(), "wrong_key");
    }
}
