//! `[alarms]`: what is said of a call that goes wrong while it is up.

use std::time::Duration;

use serde::Deserialize;

use super::problem::Problem;

/// The section as it is written.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Written {
    /// One side of a connected call is not heard for so long while the other one is; 0 is never said.
    pub one_way_s: u32,
    /// So many questions in a row on one trunk to which nobody pressed any key; 0 is never said.
    pub unanswered_questions: u32,
}

impl Default for Written {
    fn default() -> Self {
        Self { one_way_s: 10, unanswered_questions: 20 }
    }
}

/// The same, judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alarms {
    /// How long one side may be missing.
    pub one_way: Option<Duration>,
    /// How many questions in a row may be unanswered.
    pub unanswered: Option<u32>,
}

/// Judges it.
pub(super) fn alarms(written: Written, problems: &mut Vec<Problem>) -> Alarms {
    let Written { one_way_s, unanswered_questions } = written;
    if !(one_way_s == 0 || (2..=3_600).contains(&one_way_s)) {
        let mend = "use 2 to 3600, or 0 for never; a phone may be silent for a second";
        problems.push(Problem::value("alarms", "one_way_s", one_way_s, mend));
    }
    if !(unanswered_questions == 0 || (3..=1_000).contains(&unanswered_questions)) {
        let mend = "use 3 to 1000, or 0 for never; two callers in a row may have no wish to answer";
        problems.push(Problem::value("alarms", "unanswered_questions", unanswered_questions, mend));
    }
    let one_way = (one_way_s > 0).then(|| Duration::from_secs(one_way_s.into()));
    Alarms { one_way, unanswered: (unanswered_questions > 0).then_some(unanswered_questions) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(text: &str) -> (Alarms, Vec<String>) {
        let mut problems = Vec::new();
        let alarms = alarms(toml::from_str(text).unwrap(), &mut problems);
        (alarms, problems.iter().map(Problem::to_string).collect())
    }

    #[test]
    fn ten_seconds_and_twenty_questions_unless_told_otherwise_and_nought_is_never() {
        let usual = Alarms { one_way: Some(Duration::from_secs(10)), unanswered: Some(20) };
        assert_eq!(judged(""), (usual, Vec::new()));
        let never = Alarms { one_way: None, unanswered: None };
        assert_eq!(judged("one_way_s = 0\nunanswered_questions = 0"), (never, Vec::new()));
    }

    #[test]
    fn what_would_cry_wolf_is_refused_by_name() {
        for (text, key) in [
            ("one_way_s = 1", "`one_way_s` is \"1\""),
            ("one_way_s = 3601", "`one_way_s` is \"3601\""),
            ("unanswered_questions = 2", "`unanswered_questions` is \"2\""),
            ("unanswered_questions = 1001", "`unanswered_questions` is \"1001\""),
        ] {
            let (_, said) = judged(text);
            assert!(said.len() == 1 && said[0].contains(key), "{said:?}");
        }
        assert!(toml::from_str::<Written>("one_way = 10").is_err());
    }
}
