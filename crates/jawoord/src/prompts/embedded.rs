//! The prompts compiled into the program, so that it needs no folder beside it.

use call::Prompt;

/// A language's files.
pub(super) struct Files {
    /// The language, as in the name of the folder.
    pub(super) language: &'static str,
    /// `manifest.toml`.
    pub(super) manifest: &'static str,
    /// Each prompt's sound and template.
    pub(super) prompts: [(Prompt, &'static [u8], &'static str); Prompt::ALL.len()],
}

macro_rules! prompt {
    ($prompt:ident, $language:literal, $name:literal) => {
        (
            Prompt::$prompt,
            include_bytes!(concat!("../../../../prompts/", $language, "/", $name, ".wav")),
            include_str!(concat!("../../../../prompts/", $language, "/", $name, ".txt")),
        )
    };
}

macro_rules! language {
    ($language:literal) => {
        Files {
            language: $language,
            manifest: include_str!(concat!("../../../../prompts/", $language, "/manifest.toml")),
            prompts: [
                prompt!(Notice, $language, "notice"),
                prompt!(Question, $language, "question"),
                prompt!(Reask, $language, "reask"),
                prompt!(WrongKey, $language, "wrong_key"),
                prompt!(Granted, $language, "granted"),
                prompt!(Refused, $language, "refused"),
                prompt!(NotGiven, $language, "not_given"),
                prompt!(Withdrawn, $language, "withdrawn"),
                prompt!(Info, $language, "info"),
                prompt!(NoAnswer, $language, "no_answer"),
                prompt!(AgentAsk, $language, "agent_ask"),
                prompt!(Explicit, $language, "explicit"),
                prompt!(LegitimateInterest, $language, "legitimate_interest"),
                prompt!(LegalObligation, $language, "legal_obligation"),
                prompt!(ObligationInfo, $language, "obligation_info"),
                prompt!(Resume, $language, "resume"),
            ],
        }
    };
}

/// Every language that is shipped.
pub(super) const LANGUAGES: [Files; 4] =
    [language!("nl"), language!("en"), language!("de"), language!("fr")];
