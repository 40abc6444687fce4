//! `jawoord check`: judges a configuration and says what it would do.

use std::path::Path;

use call::{
    Direction, Ground, Inbound, Line, Manner, Outbound, RecordFrom, Recording, WhenRecordingFails,
};
use serde_json::{Value, json};

use super::route::{self, Trial};
use crate::{
    aside::Confidential,
    config::{
        judge::{self, Settings},
        problem::{Problem, Problems},
        read, tongue,
    },
    descriptors::{self, Descriptors},
    sound::threads,
};

/// Reads and judges a configuration file.
///
/// # Errors
/// Every problem found.
pub fn settings(config: &Path, data: Option<&Path>) -> Result<Settings, Vec<Problem>> {
    judge::judge(read::read(config, data)?, data)
}

/// Judges a configuration; the text, the same as JSON, and whether `serve` would take it. With a
/// call to try out, says what that would get instead.
#[must_use]
pub fn run(config: &Path, data: Option<&Path>, trial: Option<&Trial<'_>>) -> (String, Value, bool) {
    let judged = settings(config, data);
    if let (Ok(settings), Some(trial)) = (&judged, trial) {
        return route::explain(settings, trial);
    }
    match judged {
        Ok(settings) => {
            let lines: Vec<Value> =
                settings.lines.iter().map(|line| value(&settings, line)).collect();
            let mut text = String::new();
            for warning in &settings.warnings {
                text.push_str(&format!("warning: {warning}\n"));
            }
            let carried = Carried::of(&settings, descriptors::limit());
            text.push_str(&carried.told());
            for (peer, how) in secured(&settings) {
                text.push_str(&format!("{peer} has {how}\n"));
            }
            for line in settings.lines.iter() {
                text.push_str(&format!(
                    "line {} ({}) {}\n",
                    line.id,
                    line.pattern,
                    told(&settings, line)
                ));
            }
            for list in &settings.asides.confidential {
                text.push_str(&format!("{}\n", keeps(list)));
            }
            text.push_str("the configuration is good\n");
            let value = json!({
                "good": true,
                "configuration": settings.hash.to_string(),
                "warnings": settings.warnings,
                "srtp": secured(&settings).map(|(peer, how)| json!({ "peer": peer, "has": how })).collect::<Vec<_>>(),
                "calls": carried.value(),
                "lines": lines,
                "confidential": settings.asides.confidential.iter().map(keeps).collect::<Vec<_>>(),
            });
            (text, value, true)
        }
        Err(problems) => {
            let said: Vec<String> = problems.iter().map(Problem::to_string).collect();
            (Problems(&problems).to_string(), json!({ "good": false, "problems": said }), false)
        }
    }
}

/// How many calls at a time a node of these settings takes where this is asked.
struct Carried {
    /// By media ports and `limits.calls`.
    wanted: usize,
    /// For emergencies alone, beyond them.
    reserve: usize,
    /// What may be open.
    descriptors: Descriptors,
}

impl Carried {
    fn of(settings: &Settings, limit: u64) -> Self {
        let descriptors = Descriptors::new(limit, settings, threads(&settings.media));
        Self { wanted: settings.limits.calls, reserve: settings.limits.reserve, descriptors }
    }

    /// What is taken of what is wanted.
    fn calls(&self) -> usize {
        self.wanted.min(self.descriptors.calls().saturating_sub(self.reserve))
    }

    fn needed(&self) -> u64 {
        self.descriptors.needed(self.wanted.saturating_add(self.reserve))
    }

    fn told(&self) -> String {
        let (calls, reserve, limit) = (self.calls(), self.reserve, self.descriptors.limit);
        let mut told = format!("{calls} calls at a time, and {reserve} emergencies beyond them\n");
        if calls < self.wanted {
            told.push_str(&format!(
                "warning: {limit} files and sockets may be open here, and {} calls need {}; raise \
                 LimitNOFILE of the service (ulimit -n), or lower `limits.calls`\n",
                self.wanted,
                self.needed()
            ));
        }
        told
    }

    fn value(&self) -> Value {
        json!({
            "at_a_time": self.calls(),
            "emergencies_beyond": self.reserve,
            "wanted": self.wanted,
            "descriptors": self.descriptors.limit,
            "descriptors_needed": self.needed(),
        })
    }
}

/// The peers whose sound is SRTP, and how.
fn secured(settings: &Settings) -> impl Iterator<Item = (String, &'static str)> {
    let trunks = settings.trunks.iter().map(|trunk| ("trunk", &trunk.name, &trunk.reach));
    let pbxs = settings.pbxs.iter().map(|pbx| ("pbx", &pbx.name, &pbx.reach));
    trunks
        .chain(pbxs)
        .filter_map(|(kind, name, reach)| Some((format!("{kind} \"{name}\""), reach.srtp.told()?)))
}

/// A line as JSON.
fn value(settings: &Settings, line: &Line) -> Value {
    let mode = if is_for_machines(settings, line) { "transparent" } else { "policy" };
    let recorded = matches!(line.policy.recording, Recording::Ask(_));
    json!({
        "line": line.id.as_str(),
        "tenant": line.tenant.as_str(),
        "number": line.pattern.to_string(),
        "policy": line.policy.id.as_str(),
        "version": line.policy.version,
        "recorded": recorded,
        "direction": line.direction.map_or("both", Direction::as_str),
        "inbound": inbound(line),
        "outbound": outbound(line),
        "record_from": recorded.then(|| line.record_from.as_str()),
        "when_recording_fails": unrecorded(line),
        "mode": mode,
        "hours": settings.asides.hours.get(&line.id).map(ToString::to_string),
        "languages": tongue::spoken(&settings.tongues, line),
    })
}

/// What becomes of a line's calls, in words.
fn told(settings: &Settings, line: &Line) -> String {
    if is_for_machines(settings, line) {
        return "is for machines: put through untouched, never recorded".to_owned();
    }
    let hours = settings.asides.hours.get(&line.id);
    let hours = hours.map_or_else(String::new, |hours| format!(", callers when open by {hours}"));
    let spoken = tongue::spoken(&settings.tongues, line);
    let others = match spoken.get(1..) {
        Some(others @ [_, ..]) => format!(", in {} to who speaks it", others.join(" or ")),
        _ => String::new(),
    };
    format!("{}{others}{hours}", does(line))
}

fn is_for_machines(settings: &Settings, line: &Line) -> bool {
    settings.asides.transparent.contains(&line.id)
}

/// What a list of confidential numbers does, in words.
fn keeps(list: &Confidential) -> String {
    let whose = match &list.tenant {
        Some(tenant) => format!("tenant {tenant}"),
        None => "every tenant".to_owned(),
    };
    format!("calls of {whose} with {list} ({}) are never asked or recorded", list.numbers.len())
}

/// What a line does with its calls, in words.
fn does(line: &Line) -> String {
    let Recording::Ask(asking) = &line.policy.recording else {
        return "is never recorded".to_owned();
    };
    let asks = asking.ground.manner().is_none_or(Manner::asks);
    let does = if asks { "asks" } else { "tells" };
    let callers = match asking.inbound {
        Inbound::First => "callers",
        Inbound::AgentAsks { .. } => "callers when the agent wants it",
    };
    let whom = match (line.direction, outbound(line)) {
        (Some(Direction::Inbound), _) => format!("{does} {callers}"),
        (Some(Direction::Outbound), how) => format!("calls out ({how})"),
        (None, how) => format!("{does} {callers} and calls out ({how})"),
    };
    let unrecorded = match (asking.when_recording_fails, asking.ground) {
        (WhenRecordingFails::GoOn, _) => "",
        (WhenRecordingFails::EndCall, Ground::LegalObligation) => {
            ", and leads no call that cannot be recorded"
        }
        (WhenRecordingFails::EndCall, _) => ", and ends a call whose recording fails",
    };
    let from = match line.record_from {
        RecordFrom::Agent => "while an agent is there",
        RecordFrom::Answer => "from the answer (not behind a queue or a menu, Art. 5(1)(c))",
    };
    format!(
        "{whom} in {} on the ground {}, recorded {from}, kept {} s{unrecorded}",
        asking.language,
        asking.ground,
        asking.retention.keep.as_secs()
    )
}

/// What becomes of a line's calls whose recording fails, as the configuration says it.
fn unrecorded(line: &Line) -> Option<&'static str> {
    match &line.policy.recording {
        Recording::Never => None,
        Recording::Ask(asking) => Some(match asking.when_recording_fails {
            WhenRecordingFails::GoOn => "go_on",
            WhenRecordingFails::EndCall => "end_call",
        }),
    }
}

/// How those who call a line come to be asked, as the configuration says it.
fn inbound(line: &Line) -> &'static str {
    match &line.policy.recording {
        Recording::Never => "never",
        Recording::Ask(_) if line.direction == Some(Direction::Outbound) => "never",
        Recording::Ask(asking) => match asking.inbound {
            Inbound::First => "first",
            Inbound::AgentAsks { .. } => "agent_asks",
        },
    }
}

/// How the customers of a line's outgoing calls come to be asked, as the configuration says it.
fn outbound(line: &Line) -> &'static str {
    match &line.policy.recording {
        Recording::Never => "never",
        Recording::Ask(_) if line.direction == Some(Direction::Inbound) => "never",
        Recording::Ask(asking) => match asking.outbound {
            Outbound::AgentAsks { .. } => "agent_asks",
            Outbound::Join => "join",
            Outbound::HoldBack => "hold_back",
            Outbound::Never => "never",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::problem::Problems;

    const LAB: &str = include_str!("../../../../config/lab.toml");

    #[test]
    fn o_05_it_is_said_which_lines_end_a_call_whose_recording_fails() {
        let told = |choice: &str| {
            let chosen = format!("when_recording_fails = \"{choice}\"");
            let text = LAB.replacen("when_recording_fails = \"go_on\"", &chosen, 1);
            let judged = read::read_text(&text).and_then(|read| judge::judge(read, None));
            let settings = judged.map_err(|problems| Problems(&problems).to_string())?;
            let lines = settings.lines.iter().map(|line| (unrecorded(line), does(line)));
            Ok::<Vec<_>, String>(lines.collect())
        };
        let [first, second, never] = told("end_call").unwrap().try_into().unwrap();
        assert_eq!(first.0, Some("end_call"));
        assert!(first.1.ends_with(", and ends a call whose recording fails"), "{}", first.1);
        assert_eq!(second.0, Some("go_on"));
        assert!(!second.1.contains("fails"), "{}", second.1);
        assert_eq!(never, (None, "is never recorded".to_owned()));
        assert_eq!(told("go_on").unwrap()[0].0, Some("go_on"), "as by default");
        let refused = told("stop").expect_err("no such choice");
        assert!(refused.contains("`go_on` or `end_call`"), "{refused}");
    }

    #[test]
    fn l_03_it_is_said_from_when_on_a_line_is_recorded() {
        let text = LAB.replacen("record_from = \"answer\"", "record_from = \"agent\"", 1);
        let settings = read::read_text(&text).and_then(|read| judge::judge(read, None)).unwrap();
        let [first, second, never] =
            settings.lines.iter().map(|line| does(line)).collect::<Vec<_>>().try_into().unwrap();
        assert!(first.contains("recorded while an agent is there"), "{first}");
        assert!(second.contains("not behind a queue or a menu, Art. 5(1)(c)"), "{second}");
        assert_eq!(never, "is never recorded");
    }

    #[test]
    fn it_is_said_which_lines_leave_the_question_to_the_agent() {
        let text = LAB.replacen("\ninbound = \"first\"", "\ninbound = \"agent_asks\"", 1);
        let settings = read::read_text(&text).and_then(|read| judge::judge(read, None)).unwrap();
        let told = settings.lines.iter().map(|line| (inbound(line), does(line)));
        let [first, second, never] = told.collect::<Vec<_>>().try_into().unwrap();
        assert_eq!((first.0, second.0, never.0), ("agent_asks", "first", "never"));
        assert!(
            first.1.starts_with("asks callers when the agent wants it and calls"),
            "{}",
            first.1
        );
        assert!(second.1.starts_with("asks callers and calls out"), "{}", second.1);
    }

    #[test]
    fn o_01_a_limit_that_carries_fewer_calls_is_warned_of_with_the_one_that_is_needed() {
        let carried = |limit| Carried {
            wanted: 100,
            reserve: 4,
            descriptors: Descriptors { limit, kept: 300 },
        };
        let enough = carried(716);
        assert_eq!(enough.told(), "100 calls at a time, and 4 emergencies beyond them\n");
        let few = carried(715);
        assert!(few.told().starts_with("99 calls at a time"), "{}", few.told());
        assert!(few.told().contains("100 calls need 716; raise LimitNOFILE"), "{}", few.told());
        assert_eq!(few.value()["descriptors_needed"], 716);
        assert_eq!(carried(100).calls(), 0);
    }

    #[test]
    fn it_is_said_which_lines_and_numbers_are_left_alone() {
        let text = LAB
            .replacen("id = \"sales-nl\"", "id = \"sales-nl\"\nhours = \"office\"", 1)
            .replacen("id = \"alarm\"", "id = \"alarm\"\nmode = \"transparent\"", 1)
            + "\n[[hours]]\nid = \"office\"\nzone = \"Europe/Amsterdam\"\nopen = [\"mon 09:00-17:00\"]\n\
               [[confidential]]\nsets = [\"eu-helplines\"]\n\
               [[confidential]]\ntenant = \"voorbeeld\"\nnumbers = [\"113\"]\n";
        let settings = read::read_text(&text).and_then(|read| judge::judge(read, None)).unwrap();
        let lines: Vec<_> = settings.lines.iter().map(|line| told(&settings, line)).collect();
        assert!(
            lines[0].ends_with(", callers when open by office (Europe/Amsterdam)"),
            "{lines:?}"
        );
        assert!(!lines[1].contains("open"), "{lines:?}");
        assert_eq!(lines[2], "is for machines: put through untouched, never recorded");
        let values: Vec<_> = settings.lines.iter().map(|line| value(&settings, line)).collect();
        assert_eq!(
            (&values[0]["mode"], &values[2]["mode"]),
            (&"policy".into(), &"transparent".into())
        );
        assert_eq!(
            (&values[0]["hours"], &values[1]["hours"]),
            (&"office (Europe/Amsterdam)".into(), &Value::Null)
        );
        assert_eq!(
            (&values[0]["record_from"], &values[2]["record_from"]),
            (&"answer".into(), &Value::Null)
        );
        let lists: Vec<_> = settings.asides.confidential.iter().map(keeps).collect();
        assert_eq!(
            lists,
            [
                "calls of every tenant with the confidential numbers of eu-helplines (4) are never \
                 asked or recorded",
                "calls of tenant voorbeeld with the confidential numbers of this configuration (1) are \
                 never asked or recorded",
            ]
        );
    }
}
