//! `jawoord check --number`: which way a call would go here, and why.

use std::sync::Arc;

use call::{
    Aside, Asking, Direction, Inbound, Line, Manner, Outbound, Private, QuestionAt, Recording, Time,
};
use jiff::civil::DateTime;
use serde_json::{Value, json};

use crate::{
    config::{judge::Settings, target::Reach},
    hours::Hours,
    number,
    peer::Peer,
    rewrite::{Field, Way},
    route,
    targets::Kind,
};

/// A call to try out.
#[derive(Clone, Debug)]
pub struct Trial<'a> {
    /// What is dialled.
    pub number: &'a str,
    /// Who calls.
    pub from: Option<&'a str>,
    /// The trunk it comes by; without it and without a PBX, the first one.
    pub trunk: Option<&'a str>,
    /// The PBX that starts it, for a call that goes out.
    pub pbx: Option<&'a str>,
    /// When it comes, by the wall clock of the line's hours.
    pub at: Option<DateTime>,
    /// When it is asked about.
    pub now: Time,
}

/// What a call would get; the text, the same as JSON, and whether it would get through.
#[must_use]
pub fn explain(settings: &Settings, trial: &Trial<'_>) -> (String, Value, bool) {
    match peer(settings, trial) {
        Ok(peer) => Explained::of(settings, peer, trial).told(),
        Err(fault) => (format!("{fault}\n"), json!({ "good": false, "problems": [fault] }), false),
    }
}

/// The peer that the call comes from.
fn peer<'a>(settings: &'a Settings, trial: &Trial<'_>) -> Result<Peer<'a>, String> {
    let unknown = |kind: &str, name: &str, known: Vec<&str>| {
        format!("no {kind} is named {name:?}; there is {}", listed(&known))
    };
    let trunks = || settings.trunks.iter().map(|trunk| &*trunk.name).collect();
    match (trial.trunk, trial.pbx) {
        (_, Some(name)) => {
            let pbx = settings.pbxs.iter().find(|pbx| *pbx.name == *name).map(Peer::Pbx);
            let known = settings.pbxs.iter().map(|pbx| &*pbx.name).collect();
            pbx.ok_or_else(|| unknown("PBX", name, known))
        }
        (Some(name), None) => {
            let trunk = settings.trunks.iter().find(|trunk| *trunk.name == *name);
            trunk.map(Peer::Trunk).ok_or_else(|| unknown("trunk", name, trunks()))
        }
        (None, None) => {
            let first = settings.trunks.first().map(Peer::Trunk);
            first.ok_or_else(|| "no trunk is configured; add a [[trunk]]".to_owned())
        }
    }
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// One target that the call would try.
struct Step {
    peer: Arc<str>,
    target: String,
    priority: u16,
    weight: u16,
    dialled: String,
    calling: Option<String>,
}

struct Explained {
    from: String,
    outbound: bool,
    read: Private<String>,
    emergency: bool,
    line: Option<Arc<Line>>,
    /// Why it is left alone, and what says so.
    aside: Option<(Aside, String)>,
    /// When the line is open, if it is not always.
    hours: Option<Arc<Hours>>,
    /// When the question comes whose notice is heard before the answer.
    early: Option<QuestionAt>,
    steps: Vec<Step>,
    why: Vec<String>,
}

impl Explained {
    fn of(settings: &Settings, peer: Peer<'_>, trial: &Trial<'_>) -> Self {
        let (outbound, country, early) = match peer {
            Peer::Trunk(trunk) => (false, Some(trunk.country), trunk.early),
            Peer::Pbx(_) => (true, settings.trunks.first().map(|trunk| trunk.country), None),
        };
        let country = country.unwrap_or(phonenumber::country::Id::NL);
        let plain = number::dialled(trial.number, country);
        let read = route::read(settings, peer, (trial.number, &plain), country);
        let emergency = settings.emergency.matches(&read) || settings.emergency.matches(&plain);
        // A line is known by the number of the house: the one that is called, or calls.
        let calling = trial.from.map(|from| route::caller(peer, from, country));
        let (direction, house) = match outbound {
            true => (Direction::Outbound, calling.clone()),
            false => (Direction::Inbound, Some(read.clone())),
        };
        let line = house.and_then(|house| settings.lines.find(direction, &house).cloned());
        let customers =
            if outbound { vec![read.clone()] } else { calling.iter().cloned().collect() };
        let line = line.map(|line| settings.tongues.speak(line, &[], || customers));
        let numbers: Vec<_> = [read.clone(), plain].into_iter().chain(calling).collect();
        let hours = line.as_ref().and_then(|line| settings.asides.hours.get(&line.id)).cloned();
        let aside = line.as_deref().filter(|_| !emergency).and_then(|line| {
            let at = trial.at.zip(hours.as_ref()).and_then(|(at, hours)| hours.moment(at));
            aside(settings, direction, line, &numbers, at.unwrap_or(trial.now))
        });
        let steps = steps(settings, peer, trial, emergency);
        let mut explained = Self {
            from: peer.name().to_owned(),
            outbound,
            read,
            emergency,
            line,
            aside,
            hours,
            early: early.map(|early| early.notice.question),
            steps,
            why: Vec::new(),
        };
        explained.why = explained.reasons(trial);
        explained
    }

    /// Why it gets what it gets, in the order in which it is decided.
    fn reasons(&self, trial: &Trial<'_>) -> Vec<String> {
        let mut why = Vec::new();
        let read = self.read.reveal();
        if read != trial.number {
            why.push(format!("{} is read as {read} by the rules of {}", trial.number, self.from));
        }
        match (self.emergency, &self.line) {
            (true, _) => why.push(
                "it is an emergency number: bridged at once, to every target if need be, never \
                 asked, never recorded"
                    .to_owned(),
            ),
            (false, Some(line)) => {
                why.push(format!("line {} has {}", line.id, line.pattern));
                if let Some((aside, says)) = &self.aside {
                    why.push(format!(
                        "{says}: bridged at once, never asked and never recorded (verdict {aside})"
                    ));
                    return self.or_nowhere(why);
                }
                why.push(self.policy_says(line));
            }
            (false, None) if self.outbound => {
                why.push(
                    "no line has the calling number (`--from`): bridged at once and not recorded"
                        .to_owned(),
                );
            }
            (false, None) => {
                why.push("no line has this number: bridged at once and not recorded".to_owned());
            }
        }
        if let Some(hours) = self.hours.as_ref().filter(|_| !self.outbound && !self.emergency) {
            why.push(format!(
                "it is open by its hours {hours}; outside them callers are bridged at once, and neither \
                 asked nor recorded (verdict closed)"
            ));
        }
        self.or_nowhere(why)
    }

    /// What the policy of its line has done with it.
    fn policy_says(&self, line: &Line) -> String {
        let policy = &line.policy;
        match &policy.recording {
            Recording::Ask(asking) => format!(
                "policy {} {} in {} on the ground {}, and records {}",
                policy.id,
                self.when(asking),
                asking.language,
                asking.ground,
                until(asking)
            ),
            Recording::Never => format!("policy {} never records: bridged at once", policy.id),
        }
    }

    fn or_nowhere(&self, mut why: Vec<String>) -> Vec<String> {
        if self.steps.is_empty() {
            why.push("there is no target to send it to: it would get 503".to_owned());
        }
        why
    }

    /// When the customer is asked, or told where nobody is asked.
    fn when(&self, asking: &Asking) -> &'static str {
        let agents = matches!(asking.inbound, Inbound::AgentAsks { .. });
        if !asking.ground.manner().is_none_or(Manner::asks) {
            return match (self.outbound, asking.outbound) {
                (false, _) if agents => "gives notice when the agent wants it",
                (false, _) if self.early.is_some() => "gives notice before the answer",
                (false, _) => "gives notice",
                (true, Outbound::AgentAsks { .. }) => "gives notice when the agent wants it",
                (true, Outbound::Join) => "gives notice with the agent listening",
                (true, Outbound::HoldBack) => "gives notice before the agent is connected",
                (true, Outbound::Never) => "never records those who are called",
            };
        }
        match (self.outbound, asking.outbound) {
            (false, _) if agents => "asks when the agent wants it,",
            (false, _) => match self.early {
                None => "asks",
                Some(QuestionAt::AfterAnswer) => "gives notice before the answer, asks after it,",
                Some(QuestionAt::BeforeAnswer) => "gives notice and asks before the answer,",
            },
            (true, Outbound::AgentAsks { .. }) => "asks when the agent wants it,",
            (true, Outbound::Join) => "asks with the agent listening,",
            (true, Outbound::HoldBack) => "asks before the agent is connected,",
            (true, Outbound::Never) => "never asks those who are called,",
        }
    }

    fn told(self) -> (String, Value, bool) {
        let mut text = String::new();
        for reason in &self.why {
            text.push_str(&format!("{reason}\n"));
        }
        for (place, step) in (1..).zip(&self.steps) {
            let calling = step.calling.as_ref().map(|number| format!(", from {number}"));
            text.push_str(&format!(
                "{place}. {} at {} (priority {}, weight {}) gets {}{}\n",
                step.peer,
                step.target,
                step.priority,
                step.weight,
                step.dialled,
                calling.unwrap_or_default(),
            ));
        }
        let steps: Vec<Value> = self
            .steps
            .iter()
            .map(|step| {
                json!({
                    "peer": &*step.peer,
                    "target": step.target,
                    "priority": step.priority,
                    "weight": step.weight,
                    "dialled": step.dialled,
                    "calling": step.calling,
                })
            })
            .collect();
        let policy = self.line.as_ref().map(|line| &line.policy);
        let asks = policy.is_some_and(|policy| match &policy.recording {
            Recording::Ask(asking) => {
                let asks = asking.ground.manner().is_some_and(Manner::asks);
                asks && (!self.outbound || asking.outbound != Outbound::Never)
            }
            Recording::Never => false,
        });
        let good = !self.steps.is_empty();
        let value = json!({
            "good": good,
            "direction": if self.outbound { "outbound" } else { "inbound" },
            "peer": self.from,
            "number": self.read.reveal(),
            "emergency": self.emergency,
            "line": self.line.as_ref().map(|line| line.id.as_str()),
            "policy": policy.map(|policy| policy.id.as_str()),
            "asked": asks && !self.emergency && self.aside.is_none(),
            "aside": self.aside.as_ref().map(|(aside, _)| aside.as_str()),
            "targets": steps,
            "why": self.why,
        });
        (text, value, good)
    }
}

/// Why a call of a line is left alone at a moment, if it is, and what says so. A line that would leave it
/// alone all the same needs no reason.
fn aside(
    settings: &Settings,
    direction: Direction,
    line: &Line,
    numbers: &[Private<String>],
    at: Time,
) -> Option<(Aside, String)> {
    let asides = &settings.asides;
    let aside = asides.of(direction, line, || numbers.to_vec(), at)?;
    let is_asked = match &line.policy.recording {
        Recording::Ask(asking) => {
            direction == Direction::Inbound || asking.outbound != Outbound::Never
        }
        Recording::Never => false,
    };
    let says = match aside {
        Aside::Transparent => format!("line {} is for machines (`mode`)", line.id),
        Aside::Confidential if is_asked => {
            let list = asides.confides(&line.tenant, numbers)?;
            format!("one of its numbers is among {list}")
        }
        Aside::Closed if is_asked => {
            format!("line {} is closed then by its hours {}", line.id, asides.hours.get(&line.id)?)
        }
        Aside::Confidential | Aside::Closed => return None,
    };
    Some((aside, says))
}

/// The targets in the order of the file and their priorities; DNS and health may change it.
fn steps(settings: &Settings, from: Peer<'_>, trial: &Trial<'_>, emergency: bool) -> Vec<Step> {
    let kind = match from {
        Peer::Trunk(_) => Kind::Pbx,
        Peer::Pbx(_) => Kind::Trunk,
    };
    let pbxs = settings.pbxs.iter().map(|pbx| (&pbx.name, &pbx.reach));
    let trunks = settings.trunks.iter().map(|trunk| (&trunk.name, &trunk.reach));
    let peers: Vec<(&Box<str>, &Arc<Reach>)> = match kind {
        Kind::Pbx => pbxs.collect(),
        Kind::Trunk => trunks.collect(),
    };
    let mut steps = Vec::new();
    for (name, reach) in peers {
        let way = Way {
            inward: &from.reach().rewrites.inward,
            outward: &reach.rewrites.outward,
            emergency: emergency.then_some(&settings.emergency),
        };
        let mut targets: Vec<_> = reach.targets.iter().collect();
        targets.sort_by_key(|target| target.priority);
        steps.extend(targets.into_iter().map(|target| Step {
            peer: Arc::from(&**name),
            target: target.to_string(),
            priority: target.priority,
            weight: target.weight,
            dialled: way.number(Field::RequestUri, trial.number),
            calling: trial.from.map(|number| way.number(Field::From, number)),
        }));
    }
    steps
}

/// What lets a recording be made, or ends it.
fn until(asking: &Asking) -> &'static str {
    match asking.ground.manner() {
        Some(Manner::Asked) | None => "on yes only",
        Some(Manner::AskedTwice) => "on a yes that is confirmed only",
        Some(Manner::Opposing) => "unless the customer objects",
        Some(Manner::Told) => "whatever the customer presses",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use call::EarlyNotice;

    use super::*;
    use crate::config::{
        early::{Early, Unmarked},
        judge,
        problem::Problems,
        read::read_text,
    };

    fn settings() -> Settings {
        let lab = include_str!("../../../../config/lab.toml");
        let more = lab
            .replace(
                "[[pbx]]\n",
                "[[trunk.rewrite]]\ndirection = \"in\"\nnumber = \"both\"\nform = \"e164\"\n\n[[pbx]]\n",
            )
            .replace(
                "\n[emergency]",
                "\n[[pbx.target]]\nhost = \"pbx.example.net\"\n\
                 [[pbx.rewrite]]\ndirection = \"out\"\nnumber = \"dialled\"\n\
                 pattern = '\\+3120123([0-9]{4})'\nreplace = \"$1\"\n\n[emergency]",
            );
        let judged = read_text(&more).and_then(|read| judge::judge(read, None));
        judged.map_err(|problems| Problems(&problems).to_string()).unwrap()
    }

    fn inbound(number: &str) -> Trial<'_> {
        let now = Time::from_micros(1_796_202_000_000_000);
        Trial { number, from: Some("0612345678"), trunk: None, pbx: None, at: None, now }
    }

    #[test]
    fn r_22_a_number_says_which_line_policy_and_target_it_gets_and_why() {
        let settings = settings();
        let (text, value, good) = explain(&settings, &inbound("0201234567"));
        assert!(good, "{text}");
        assert_eq!((&value["line"], &value["policy"]), (&json!("sales-nl"), &json!("quality-nl")));
        assert_eq!((&value["asked"], &value["emergency"]), (&true.into(), &false.into()));
        assert_eq!(value["targets"][0]["dialled"], "4567");
        assert_eq!(value["targets"][0]["calling"], "+31612345678");
        assert_eq!(value["targets"][1]["target"], "pbx.example.net/udp");
        assert!(text.starts_with("0201234567 is read as +31201234567 by the rules of carrier\n"));
        assert!(text.contains("line sales-nl has +31201234567\n"), "{text}");
        assert!(
            text.contains("1. pbx at 127.0.0.1:15080/udp (priority 0, weight 1) gets 4567, from")
        );
    }

    #[test]
    fn a_06_a_number_whose_notice_comes_before_the_answer_says_so() {
        let mut settings = settings();
        for (question, said) in [
            (QuestionAt::AfterAnswer, "gives notice before the answer, asks after it, in nl"),
            (QuestionAt::BeforeAnswer, "gives notice and asks before the answer, in nl"),
        ] {
            let notice = EarlyNotice { question, limit: Duration::from_secs(60) };
            let trunk = settings.trunks.first_mut().expect("a trunk");
            trunk.early = Some(Early { notice, unmarked: Unmarked::Plain });
            let (text, _, _) = explain(&settings, &inbound("0201234567"));
            assert!(text.contains(said), "{text}");
        }
    }

    #[test]
    fn e_01_an_emergency_number_is_said_to_be_one() {
        let settings = settings();
        let (text, value, _) = explain(&settings, &inbound("112"));
        assert_eq!((&value["emergency"], &value["asked"]), (&true.into(), &false.into()));
        assert_eq!(value["targets"][0]["dialled"], "112");
        assert!(text.contains("emergency number"), "{text}");
    }

    #[test]
    fn a_number_of_no_line_and_a_name_of_no_peer_are_said_plainly() {
        let settings = settings();
        let (text, value, good) = explain(&settings, &inbound("0209999999"));
        assert!(
            good && value["line"].is_null() && text.contains("no line has this number"),
            "{text}"
        );
        let trial = Trial { trunk: Some("nobody"), ..inbound("112") };
        let (text, _, good) = explain(&settings, &trial);
        assert!(!good && text == "no trunk is named \"nobody\"; there is carrier\n", "{text}");
        let out = Trial { pbx: Some("pbx"), ..inbound("0101234567") };
        let (text, value, _) = explain(&settings, &out);
        assert_eq!(
            (&value["direction"], &value["targets"][0]["peer"]),
            (&json!("outbound"), &json!("carrier"))
        );
        assert!(text.contains("no line has the calling number"), "{text}");
        let known = Trial { from: Some("0201234567"), ..out };
        let (text, value, _) = explain(&settings, &known);
        assert_eq!(value["line"], "sales-nl", "{text}");
    }

    /// The same with opening hours, a helpline and a line for machines.
    fn left_alone() -> Settings {
        let lab = include_str!("../../../../config/lab.toml");
        let text = lab
            .replacen("id = \"sales-nl\"", "id = \"sales-nl\"\nhours = \"office\"", 1)
            .replacen("id = \"alarm\"", "id = \"alarm\"\nmode = \"transparent\"", 1)
            + "\n[[hours]]\nid = \"office\"\nzone = \"Europe/Amsterdam\"\nopen = [\"mon-fri \
               09:00-17:00\"]\nclosed = [\"2026-12-25\"]\n[[confidential]]\nsets = [\"nl-helplines\"]\n";
        let judged = read_text(&text).and_then(|read| judge::judge(read, None));
        judged.map_err(|problems| Problems(&problems).to_string()).unwrap()
    }

    #[test]
    fn a_call_that_is_left_alone_says_why_and_when() {
        let settings = left_alone();
        let at = |text: &str| Trial { at: text.parse().ok(), ..inbound("0201234567") };
        let out = |number, from| Trial { pbx: Some("pbx"), from: Some(from), ..inbound(number) };
        for (trial, aside, said) in [
            (
                at("2026-12-02T10:00"),
                None,
                "it is open by its hours office (Europe/Amsterdam); outside",
            ),
            (
                at("2026-12-02T17:00"),
                Some("closed"),
                "line sales-nl is closed then by its hours office",
            ),
            (at("2026-12-25T10:00"), Some("closed"), "(verdict closed)"),
            (
                inbound("+31201234569"),
                Some("transparent"),
                "line alarm is for machines (`mode`): bridged",
            ),
            (
                out("0800-0113", "0201234568"),
                Some("confidential"),
                "one of its numbers is among the confidential numbers of nl-helplines: bridged at once",
            ),
            (
                out("0201111111", "0201234568"),
                None,
                "policy quality-en asks when the agent wants it",
            ),
            (
                Trial { from: Some("113"), ..inbound("0201234568") },
                Some("confidential"),
                "(verdict confidential)",
            ),
        ] {
            let (text, value, good) = explain(&settings, &trial);
            assert!(good && text.contains(said), "{text}");
            assert_eq!(value["aside"].as_str(), aside, "{text}");
            assert_eq!(value["asked"], aside.is_none(), "{text}");
        }
        let night =
            Trial { at: "2026-12-02T23:00".parse().ok(), ..out("0201111111", "0201234567") };
        assert_eq!(
            explain(&settings, &night).1["aside"],
            Value::Null,
            "who calls from it is there"
        );
        let (text, value, _) = explain(&settings, &inbound("112"));
        assert_eq!((&value["emergency"], &value["aside"]), (&true.into(), &Value::Null), "{text}");
    }
}
