//! The legal ground of a policy: which it is, what has to be written down for it, and what the law rules
//! out on it. Each refusal names the article and the mend.

use call::{Ground, Manner};

use super::{
    choice::{Inbound, OnRefuse, OnSilence, Outbound, Record},
    problem::Problem,
    schema,
};

/// The ground, if all that it asks for is there.
pub(super) fn ground(
    policy: &schema::Policy,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Option<Ground> {
    let Some(name) = &policy.ground else {
        let mend = "name the legal ground; there is no default (GDPR Art. 6): `consent`, \
                    `explicit_consent`, `legitimate_interest`, `public_task` or `legal_obligation`";
        problems.push(Problem::missing(place, "ground", mend));
        return None;
    };
    let Some(ground) = Ground::from_name(name) else {
        let mend = "no such ground (GDPR Art. 6); use `consent`, `explicit_consent`, \
                    `legitimate_interest`, `public_task` or `legal_obligation`";
        problems.push(Problem::value(place, "ground", name, mend));
        return None;
    };
    let Some(manner) = ground.manner() else {
        let mend =
            "this version records nothing on this ground; use another, or `record = \"never\"`";
        problems.push(Problem::value(place, "ground", name, mend));
        return None;
    };
    let before = problems.len();
    asks_or_tells(policy, manner, place, problems);
    references(policy, ground, place, problems);
    ruled_out(policy, manner, place, problems);
    (problems.len() == before).then_some(ground)
}

/// Whether customers are asked is no choice: the ground says it.
fn asks_or_tells(
    policy: &schema::Policy,
    manner: Manner,
    place: &str,
    problems: &mut Vec<Problem>,
) {
    let mend = match (policy.record, manner.asks()) {
        (Record::Ask, false) => {
            "on this ground nobody is asked, and an answer would be no consent (GDPR Art. 7); use \
             `record = \"tell\"`"
        }
        (Record::Tell, true) => {
            "consent is an act: silence after a notice is none (GDPR Art. 4(11), recital 32); use \
             `record = \"ask\"`, or name the ground on which you record without asking"
        }
        (Record::Ask, true) | (Record::Tell, false) | (Record::Never, _) => return,
    };
    let written = if policy.record == Record::Ask { "ask" } else { "tell" };
    problems.push(Problem::value(place, "record", written, mend));
}

/// What the controller has to have written down before it records on a ground.
fn references(policy: &schema::Policy, ground: Ground, place: &str, problems: &mut Vec<Problem>) {
    let (key, value, mend) = match ground {
        Ground::LegitimateInterest => (
            "lia_ref",
            &policy.lia_ref,
            "say where your balancing of interests is filed (GDPR Art. 6(1)(f), 5(2)); without it this \
             ground cannot be shown to hold",
        ),
        Ground::ExplicitConsent => (
            "dpia_ref",
            &policy.dpia_ref,
            "say where your impact assessment is filed (GDPR Art. 35(3)(b)): special categories of \
             data are recorded here",
        ),
        Ground::LegalObligation | Ground::PublicTask => (
            "law",
            &policy.law,
            "name the law that lays the duty or the task on you (GDPR Art. 6(3)), such as \"Wft, \
             Delegated Regulation (EU) 2017/565 Art. 76\"",
        ),
        Ground::Consent | Ground::Contract | Ground::VitalInterest => return,
    };
    if value.as_deref().is_none_or(|text| text.trim().is_empty()) {
        problems.push(Problem::missing(place, key, mend));
    }
}

/// What a policy may not do on its ground.
fn ruled_out(policy: &schema::Policy, manner: Manner, place: &str, problems: &mut Vec<Problem>) {
    if policy.on_refuse == OnRefuse::EndCall {
        let mend = "who says no is served all the same, or their yes is not free (GDPR Art. 7(4)); \
                    leave it out, or use `go_on`";
        problems.push(Problem::value(place, "on_refuse", "end_call", mend));
    }
    if policy.on_silence == OnSilence::Granted {
        let mend = "who stays on the line has not consented (GDPR Art. 4(11), recital 32); leave it \
                    out, or use `not_given`";
        problems.push(Problem::value(place, "on_silence", "granted", mend));
    }
    if manner == Manner::Told && policy.outbound == Outbound::AgentAsks {
        let mend = "what a law demands is not for the agent to begin (GDPR Art. 6(1)(c)); use `join`, \
                    `hold_back` or `never`";
        problems.push(Problem::value(place, "outbound", "agent_asks", mend));
    }
    if manner == Manner::Told && policy.inbound == Inbound::AgentAsks {
        let mend =
            "what a law demands is not for the agent to begin (GDPR Art. 6(1)(c)); use `first`";
        problems.push(Problem::value(place, "inbound", "agent_asks", mend));
    }
}

#[cfg(test)]
mod tests {
    use call::{Asking, Recording};

    use super::*;
    use crate::config::{judge, problem::Problems, read};

    const LAB: &str = include_str!("../../../../config/lab.toml");

    /// The English policy of the lab with these lines in place of its ground, as it is judged.
    fn judged(lines: &str) -> Result<Asking, String> {
        let asks = if lines.contains("record =") { "" } else { "record = \"ask\"\n" };
        let before = "record = \"ask\"\nground = \"consent\"\npurposes";
        let text = LAB.replacen(before, &format!("{asks}{lines}\npurposes"), 1);
        assert!(LAB.contains(before), "the lab has a ground");
        let read = read::read_text(&text).map_err(|problems| Problems(&problems).to_string())?;
        let judged = judge::judge(read, None);
        let settings = judged.map_err(|problems| Problems(&problems).to_string())?;
        let english = settings.lines.iter().find_map(|line| match &line.policy.recording {
            Recording::Ask(asking) if asking.language.to_string() == "en" => Some(asking),
            Recording::Ask(_) | Recording::Never => None,
        });
        english.map(|asking| (**asking).clone()).ok_or_else(|| "never".to_owned())
    }

    #[test]
    fn l_06_every_ground_with_a_flow_loads_with_what_it_asks_for() {
        for (lines, ground) in [
            ("ground = \"consent\"", Ground::Consent),
            ("ground = \"explicit_consent\"\ndpia_ref = \"DPIA-7\"", Ground::ExplicitConsent),
            (
                "record = \"tell\"\nground = \"legitimate_interest\"\nlia_ref = \"LIA-3\"",
                Ground::LegitimateInterest,
            ),
            (
                "record = \"tell\"\nground = \"public_task\"\nlaw = \"Gemeentewet\"",
                Ground::PublicTask,
            ),
            (
                "record = \"tell\"\nground = \"legal_obligation\"\nlaw = \"Wft\"\noutbound = \"join\"",
                Ground::LegalObligation,
            ),
        ] {
            assert_eq!(judged(lines).map(|asking| asking.ground), Ok(ground), "{lines}");
        }
    }

    #[test]
    fn l_06_a_ground_without_what_it_asks_for_is_refused_by_its_article() {
        for (lines, key, article) in [
            ("", "ground", "Art. 6"),
            ("ground = \"habit\"", "habit", "Art. 6"),
            ("record = \"tell\"\nground = \"legitimate_interest\"", "lia_ref", "Art. 6(1)(f)"),
            (
                "record = \"tell\"\nground = \"legitimate_interest\"\nlia_ref = \" \"",
                "lia_ref",
                "Art. 6(1)(f)",
            ),
            ("ground = \"explicit_consent\"", "dpia_ref", "Art. 35(3)(b)"),
            ("record = \"tell\"\nground = \"public_task\"", "law", "Art. 6(3)"),
            (
                "record = \"tell\"\nground = \"legal_obligation\"\noutbound = \"join\"",
                "law",
                "Art. 6(3)",
            ),
            ("ground = \"contract\"", "contract", "record = \"never\""),
            ("ground = \"vital_interest\"", "vital_interest", "record = \"never\""),
        ] {
            let refused = judged(lines).expect_err(lines);
            assert!(refused.contains(key) && refused.contains(article), "{lines}: {refused}");
        }
    }

    #[test]
    fn l_44_a_house_that_only_tells_says_who_runs_its_store_like_one_that_asks() {
        let text = LAB
            .replace("record = \"ask\"\n", "record = \"tell\"\nlia_ref = \"LIA-3\"\n")
            .replace("ground = \"consent\"", "ground = \"legitimate_interest\"")
            .replace("provider = \"this machine\"\n", "");
        let read = read::read_text(&text).expect("the lab can be read");
        let problems = judge::judge(read, None).expect_err("nobody runs the store");
        let told = Problems(&problems).to_string();
        assert!(told.contains("store: `provider` is missing"), "{told}");
    }

    #[test]
    fn l_10_l_11_what_would_make_a_yes_worthless_is_refused_by_its_article() {
        for (lines, key, article) in [
            ("ground = \"consent\"\non_refuse = \"end_call\"", "on_refuse", "Art. 7(4)"),
            ("ground = \"consent\"\non_silence = \"granted\"", "on_silence", "Art. 4(11)"),
            ("record = \"tell\"\nground = \"consent\"", "record", "Art. 4(11)"),
            (
                "record = \"ask\"\nground = \"legitimate_interest\"\nlia_ref = \"LIA-3\"",
                "record",
                "Art. 7",
            ),
            (
                "record = \"tell\"\nground = \"legal_obligation\"\nlaw = \"Wft\"",
                "outbound",
                "Art. 6(1)(c)",
            ),
            (
                "record = \"tell\"\nground = \"legal_obligation\"\nlaw = \"Wft\"\noutbound = \"join\"\n\
                 inbound = \"agent_asks\"",
                "inbound",
                "Art. 6(1)(c)",
            ),
        ] {
            let refused = judged(lines).expect_err(lines);
            assert!(refused.contains(key) && refused.contains(article), "{lines}: {refused}");
        }
        let go_on = "ground = \"consent\"\non_refuse = \"go_on\"\non_silence = \"not_given\"";
        assert!(judged(go_on).is_ok(), "what the law asks for may be written");
    }
}
