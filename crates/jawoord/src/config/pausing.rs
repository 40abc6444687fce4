//! How a recording is paused: the agent's key, and when a forgotten pause ends. And how often it beeps.

use std::time::Duration;

use call::{Key, Pausing};

use super::{problem::Problem, schema};

/// How long a pause may last that nobody ends, in seconds: time to say a card number, and no more than
/// somebody notices.
const LIMIT_S: std::ops::RangeInclusive<u32> = 5..=3_600;

/// How often a beep may be heard, in seconds.
const BEEP_S: std::ops::RangeInclusive<u32> = 5..=60;

/// How recordings of a policy are paused.
pub(super) fn pausing(
    policy: &schema::Policy,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Option<Pausing> {
    if !LIMIT_S.contains(&policy.pause_max_s) {
        let mend = "use 5 to 3600 seconds; who needs longer pauses again before they are over";
        problems.push(Problem::value(place, "pause_max_s", policy.pause_max_s, mend));
    }
    let key = pause_key(policy, place, problems)?;
    Some(Pausing { key, limit: Duration::from_secs(policy.pause_max_s.into()) })
}

/// How often both hear a beep.
pub(super) fn beep(
    policy: &schema::Policy,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Option<Duration> {
    if policy.beep_s != 0 && !BEEP_S.contains(&policy.beep_s) {
        let mend = "use 5 to 60 seconds, as recorders do with 15, or 0 for none";
        problems.push(Problem::value(place, "beep_s", policy.beep_s, mend));
    }
    (policy.beep_s != 0).then(|| Duration::from_secs(policy.beep_s.into()))
}

/// The agent's key; an empty text is none, so that only the operator pauses.
fn pause_key(
    policy: &schema::Policy,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Option<Option<Key>> {
    let mut characters = policy.pause_key.chars();
    let (first, rest) = (characters.next(), characters.next());
    let Some(character) = first else { return Some(None) };
    let keys = [policy.grant_key, policy.refuse_key, policy.withdraw_key, policy.info_key];
    let mend = if keys.contains(&character) {
        "the customer decides with this key; give the agent another one"
    } else if policy.ask_key == policy.pause_key {
        "the agent asks with this key (`ask_key`); use another one to pause"
    } else {
        match (Key::new(character), rest) {
            (Ok(key), None) => return Some(Some(key)),
            (Ok(_) | Err(_), _) => "use one of 0-9, '*', '#' or A-D, or \"\" for no key",
        }
    };
    problems.push(Problem::value(place, "pause_key", &policy.pause_key, mend));
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{judge::judge, problem::Problems, read::read_text};

    const LAB: &str = include_str!("../../../../config/lab.toml");

    /// How the lab's first policy pauses with these keys written into it.
    fn lab(keys: &str) -> Result<Pausing, String> {
        let text = LAB.replacen("pause_key = \"\"", "", 1).replacen("pause_max_s = 300", "", 1);
        assert_ne!(text, LAB);
        let text = text.replacen("blank_keys = false", &format!("blank_keys = false\n{keys}"), 1);
        let settings = read_text(&text)
            .and_then(|read| judge(read, None))
            .map_err(|problems| Problems(&problems).to_string())?;
        let line = settings.lines.iter().find(|line| line.id.as_str() == "sales-nl");
        match &line.expect("a line of the lab").policy.recording {
            call::Recording::Ask(asking) => Ok(asking.pausing),
            call::Recording::Never => panic!("sales-nl asks"),
        }
    }

    #[test]
    fn d_25_by_default_no_key_pauses_and_a_pause_ends_after_five_minutes() {
        let limit = Duration::from_secs(300);
        assert_eq!(lab(""), Ok(Pausing { key: None, limit }));
        let key = Key::new('7').ok();
        let own = lab("pause_key = \"7\"\npause_max_s = 30");
        assert_eq!(own, Ok(Pausing { key, limit: Duration::from_secs(30) }));
    }

    #[test]
    fn d_25_a_key_that_means_something_else_and_a_pause_without_end_are_refused_by_name() {
        for key in ["1", "*", "#", "77", "x"] {
            let text = lab(&format!("pause_key = \"{key}\"")).expect_err("refused");
            assert!(text.contains("`pause_key` is") && text.contains(key), "{text}");
        }
        for seconds in [0, 4, 3_601] {
            let text = lab(&format!("pause_max_s = {seconds}")).expect_err("refused");
            assert!(text.contains(&format!("`pause_max_s` is \"{seconds}\"")), "{text}");
        }
    }
}
