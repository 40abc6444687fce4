//! The notice before the answer (flow F2), as a trunk's configuration allows it, judged.

use std::time::Duration;

use call::{EarlyNotice, QuestionAt};
use serde::Deserialize;

use super::problem::Problem;

/// Carriers end a call without an answer after one to three minutes; in less than ten seconds no
/// notice is heard.
const LIMIT_S: std::ops::RangeInclusive<u32> = 10..=180;

/// The notice before the answer, as written.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Written {
    /// When the question comes.
    pub question: Question,
    /// Seconds without an answer at most.
    pub limit_s: u32,
    /// What is done for a caller that does not say `P-Early-Media: supported`.
    pub unmarked: Unmarked,
}

impl Default for Written {
    fn default() -> Self {
        Self { question: Question::default(), limit_s: 60, unmarked: Unmarked::default() }
    }
}

/// When the question comes.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// When both have answered, with both listening.
    #[default]
    AfterAnswer,
    /// Right after the notice.
    BeforeAnswer,
}

/// What is done for a caller that does not say `P-Early-Media: supported` (RFC 5009).
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Unmarked {
    /// The notice comes before the answer, and nothing is said of it.
    #[default]
    Plain,
    /// The same, and the 183 asks for its sound to be let through all the same.
    Marked,
    /// The call is answered first.
    Answer,
}

/// What a trunk lets be done before the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Early {
    /// How the notice is heard.
    pub notice: EarlyNotice,
    /// What is done for a caller that does not say that it knows early media.
    pub unmarked: Unmarked,
}

/// Judges what is written for a trunk; nothing written is the answer first.
pub(super) fn early(
    written: Option<Written>,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Option<Early> {
    let Written { question, limit_s, unmarked } = written?;
    if !LIMIT_S.contains(&limit_s) {
        let place = format_args!("{place}: early_notice");
        let mend = "use 10 to 180, and less than the carrier lets a call be without an answer";
        problems.push(Problem::value(place, "limit_s", limit_s, mend));
    }
    let question = match question {
        Question::AfterAnswer => QuestionAt::AfterAnswer,
        Question::BeforeAnswer => QuestionAt::BeforeAnswer,
    };
    let limit = Duration::from_secs(u64::from(limit_s));
    Some(Early { notice: EarlyNotice { question, limit }, unmarked })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of these keys, and what is said of them.
    fn judged(keys: &str) -> (Early, Vec<String>) {
        let mut problems = Vec::new();
        let written = toml::from_str(keys).expect("known keys");
        let early = early(Some(written), "trunk \"carrier\"", &mut problems).expect("the mode");
        (early, problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn an_empty_table_is_the_cautious_mode_and_none_answers_first() {
        assert_eq!(early(None, "trunk", &mut Vec::new()), None);
        let (early, problems) = judged("");
        assert!(problems.is_empty());
        assert_eq!(early.notice.question, QuestionAt::AfterAnswer);
        assert_eq!((early.notice.limit.as_secs(), early.unmarked), (60, Unmarked::Plain));
        let keys = "question = \"before_answer\"\nlimit_s = 90\nunmarked = \"answer\"";
        let (early, problems) = judged(keys);
        assert!(problems.is_empty());
        assert_eq!(early.notice.question, QuestionAt::BeforeAnswer);
        assert_eq!((early.notice.limit.as_secs(), early.unmarked), (90, Unmarked::Answer));
    }

    #[test]
    fn a_limit_that_no_carrier_has_is_refused_by_name() {
        for limit in [0, 9, 181] {
            let (_, problems) = judged(&format!("limit_s = {limit}"));
            let [said] = problems.as_slice() else { panic!("{problems:?}") };
            let named = format!("trunk \"carrier\": early_notice: `limit_s` is \"{limit}\"");
            assert!(said.starts_with(&named), "{said}");
        }
        for limit in [10, 180] {
            assert!(judged(&format!("limit_s = {limit}")).1.is_empty());
        }
        assert!(toml::from_str::<Written>("question = \"never\"").is_err());
    }
}
