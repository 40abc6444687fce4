//! How customers come to be asked: those who call, those whom the PBX calls, and what the law rules out.

use call::{Direction, Inbound, Key, Outbound};

use super::{
    choice::{self, Record},
    problem::Problem,
    schema::{self, File},
};

/// How often the agent may ask in one call at most: more would be pressure, not a question.
const TIMES: std::ops::RangeInclusive<u8> = 1..=3;

/// How the customers of a policy come to be asked, in calls of either direction.
pub(super) fn asked(
    policy: &schema::Policy,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Option<(Inbound, Outbound)> {
    if !TIMES.contains(&policy.ask_times) {
        let mend = "use 1 to 3; a customer who is asked more often is pressed";
        problems.push(Problem::value(place, "ask_times", policy.ask_times, mend));
    }
    let agents = policy.outbound == choice::Outbound::AgentAsks
        || policy.inbound == choice::Inbound::AgentAsks;
    let key = if agents { ask_key(policy, place, problems)? } else { None };
    let times = policy.ask_times;
    let inbound = match policy.inbound {
        choice::Inbound::First => Inbound::First,
        choice::Inbound::AgentAsks => Inbound::AgentAsks { key, times },
    };
    let outbound = match policy.outbound {
        choice::Outbound::AgentAsks => Outbound::AgentAsks { key, times },
        choice::Outbound::Join => Outbound::Join,
        choice::Outbound::HoldBack => Outbound::HoldBack,
        choice::Outbound::Never => Outbound::Never,
    };
    Some((inbound, outbound))
}

/// The agent's key; an empty text is none, so that only the operator begins the question.
fn ask_key(
    policy: &schema::Policy,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Option<Option<Key>> {
    let mut characters = policy.ask_key.chars();
    let (first, rest) = (characters.next(), characters.next());
    let Some(character) = first else { return Some(None) };
    let keys = [policy.grant_key, policy.refuse_key, policy.withdraw_key, policy.info_key];
    let mend = if keys.contains(&character) {
        "the customer decides with this key; give the agent another one"
    } else {
        match (Key::new(character), rest) {
            (Ok(key), None) => return Some(Some(key)),
            (Ok(_) | Err(_), _) => "use one of 0-9, '*', '#' or A-D, or \"\" for no key",
        }
    };
    problems.push(Problem::value(place, "ask_key", &policy.ask_key, mend));
    None
}

/// Which calls a line is for; `None` is both directions.
pub(super) const fn direction(line: &schema::Line) -> Option<Direction> {
    match line.direction {
        choice::Direction::Inbound => Some(Direction::Inbound),
        choice::Direction::Outbound => Some(Direction::Outbound),
        choice::Direction::Both => None,
    }
}

/// The policy of a line that sells by telephone, if a machine would open its calls.
fn machine_first(file: &File, line: &schema::Line) -> Option<choice::Outbound> {
    let sells = line.telemarketing && direction(line) != Some(Direction::Inbound);
    let policy = file.policy.iter().find(|policy| policy.id == line.policy && sells)?;
    (policy.record != Record::Never).then_some(policy.outbound)
}

/// A call by which something is sold may not be opened by a machine: that takes a consent of its
/// own, given before (ePrivacy Directive 2002/58/EC Art. 13(1), Telecommunicatiewet art. 11.7).
pub(super) fn telemarketing(file: &File, problems: &mut Vec<Problem>) {
    for line in &file.line {
        if machine_first(file, line) == Some(choice::Outbound::Join) {
            problems.push(Problem::value(
                format_args!("line \"{}\"", line.id),
                "policy",
                &line.policy,
                "it joins callers to a machine's question, and this line sells by telephone: a \
                 machine may open such a call only with consent given before (ePrivacy Directive \
                 Art. 13(1), Telecommunicatiewet art. 11.7); use a policy with `outbound = \
                 \"agent_asks\"` or \"never\"",
            ));
        }
    }
}

/// What is allowed and foolish.
pub(super) fn warnings(file: &File) -> Vec<Box<str>> {
    let lines = file.line.iter();
    let held = lines.filter(|line| machine_first(file, line) == Some(choice::Outbound::HoldBack));
    held.map(|line| {
        format!(
            "line \"{}\" sells by telephone and holds its agents back, so that a machine opens the \
             call (Telecommunicatiewet art. 11.7); `outbound = \"agent_asks\"` does not",
            line.id
        )
        .into()
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::config::{
        judge::{Settings, judge},
        problem::Problems,
        read::read_text,
    };

    const JOIN: &[(&str, &str)] = &[("outbound", "\"join\"")];
    const SELLS: &[(&str, &str)] = &[("telemarketing", "true")];
    const LAB: &str = include_str!("../../../../config/lab.toml");

    /// The lab with other keys in its first policy and in its first line.
    fn lab(policy: &[(&str, &str)], line: &[(&str, &str)]) -> Result<Settings, String> {
        let mut text = LAB.to_owned();
        for (key, value) in policy.iter().chain(line) {
            let at = text.find(&format!("\n{key} = ")).expect("a key of the lab") + 1;
            let end = at + text[at..].find('\n').unwrap_or_default();
            text.replace_range(at..end, &format!("{key} = {value}"));
        }
        read_text(&text)
            .and_then(|read| judge(read, None))
            .map_err(|problems| Problems(&problems).to_string())
    }

    /// How those who call the first line come to be asked, and those whom it calls.
    fn both(settings: &Settings) -> (Inbound, Outbound) {
        let line = settings.lines.iter().find(|line| line.id.as_str() == "sales-nl").unwrap();
        match &Arc::clone(line).policy.recording {
            call::Recording::Ask(asking) => (asking.inbound, asking.outbound),
            call::Recording::Never => panic!("sales-nl asks"),
        }
    }

    fn asks(settings: &Settings) -> Outbound {
        both(settings).1
    }

    #[test]
    fn by_default_the_agent_asks_once_with_the_hash_key() {
        let key = Key::new('#').ok();
        assert_eq!(asks(&lab(&[], &[]).unwrap()), Outbound::AgentAsks { key, times: 1 });
        let own = asks(&lab(&[("ask_key", "\"7\""), ("ask_times", "3")], &[]).unwrap());
        assert_eq!(own, Outbound::AgentAsks { key: Key::new('7').ok(), times: 3 });
        let operator = asks(&lab(&[("ask_key", "\"\"")], &[]).unwrap());
        assert_eq!(operator, Outbound::AgentAsks { key: None, times: 1 });
        assert_eq!(asks(&lab(&[("outbound", "\"hold_back\"")], &[]).unwrap()), Outbound::HoldBack);
    }

    #[test]
    fn who_calls_is_asked_first_unless_the_agent_is_to() {
        assert_eq!(both(&lab(&[], &[]).unwrap()).0, Inbound::First);
        let key = Key::new('#').ok();
        let agent = [("inbound", "\"agent_asks\""), ("outbound", "\"never\"")];
        let agent = lab(&agent, &[]).unwrap();
        assert_eq!(both(&agent), (Inbound::AgentAsks { key, times: 1 }, Outbound::Never));
        let wrong =
            [("inbound", "\"agent_asks\""), ("outbound", "\"never\""), ("ask_key", "\"1\"")];
        let text = lab(&wrong, &[]).expect_err("refused");
        assert!(text.contains("`ask_key` is \"1\""), "{text}");
        let text = lab(&[("inbound", "\"join\"")], &[]).expect_err("refused");
        assert!(text.contains("`first` or `agent_asks`"), "{text}");
    }

    #[test]
    fn a_key_that_cannot_be_the_agents_is_refused_by_name() {
        for key in ["1", "*", "12", "x"] {
            let text = lab(&[("ask_key", &format!("\"{key}\""))], &[]).expect_err("refused");
            assert!(text.contains("`ask_key` is") && text.contains(key), "{text}");
        }
        let text = lab(&[("ask_times", "4")], &[]).expect_err("refused");
        assert!(text.contains("`ask_times` is \"4\""), "{text}");
    }

    #[test]
    fn l_52_a_machine_does_not_open_a_call_that_sells() {
        let text = lab(JOIN, SELLS).expect_err("refused");
        assert!(text.starts_with("line \"sales-nl\"") && text.contains("art. 11.7"), "{text}");
        assert!(text.contains("agent_asks") && text.lines().count() == 1, "{text}");
        assert!(lab(JOIN, &[]).is_ok(), "other lines may");
        let inbound = [("telemarketing", "true"), ("direction", "\"inbound\"")];
        assert!(lab(JOIN, &inbound).is_ok(), "who is called by customers may");
        let held = lab(&[("outbound", "\"hold_back\"")], SELLS).unwrap();
        assert!(held.warnings.iter().any(|text| text.contains("holds its agents back")));
        assert!(lab(&[], SELLS).unwrap().warnings.is_empty());
    }
}
