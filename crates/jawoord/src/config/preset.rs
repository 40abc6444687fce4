//! The presets: what kinds of Dutch houses may do, beside what the law asks of everybody.
//!
//! A preset grants nothing. It holds a policy to more than its ground does: to the grounds that fit such a
//! house, to how long it may keep, and to the papers that an inspector asks for first.

use std::time::Duration;

use call::{Ground, Retention};

use super::{choice::WhenRecordingFails, problem::Problem, schema::Policy};

const DAY: u64 = 86_400;

/// What a preset holds its policies to, each with the words that refuse what does not fit.
struct Preset {
    name: &'static str,
    grounds: &'static [Ground],
    other_ground: &'static str,
    /// In days.
    at_least: u64,
    too_short: &'static str,
    /// In days; longer for a reason.
    at_most: u64,
    too_long: &'static str,
    /// What is wrong with leading a call that is not recorded, if it is wrong.
    unrecorded: Option<&'static str>,
}

const PRESETS: [Preset; 4] = [
    Preset {
        name: "nl-default",
        grounds: &[Ground::Consent, Ground::ExplicitConsent, Ground::LegitimateInterest],
        other_ground: "calls about service and quality are recorded with consent, or on a balanced \
                       interest (GDPR Art. 6(1)(a), (f)): use `consent`, `explicit_consent` or \
                       `legitimate_interest`",
        at_least: 0,
        too_short: "",
        at_most: 90,
        too_long: "keep no longer than the purpose needs (GDPR Art. 5(1)(e)): 90 days at most, or say in \
                   the policy's `retention_reason` why you must",
        unrecorded: None,
    },
    Preset {
        name: "nl-mifid",
        grounds: &[Ground::LegalObligation],
        other_ground: "who may receive orders must record and asks nobody (MiFID II Art. 16(7), \
                       Delegated Regulation (EU) 2017/565 Art. 76): use `legal_obligation`",
        at_least: FIVE_YEARS,
        too_short: "keep it for five years at least, which is 1827 days (MiFID II Art. 16(7))",
        at_most: SEVEN_YEARS,
        too_long: "keep it for seven years at most, which is 2557 days, and so long only if the authority \
                   asks (MiFID II Art. 16(7)), or say in the policy's `retention_reason` why you must",
        unrecorded: Some(
            "no order may come by a call that is not recorded (MiFID II Art. 16(7)): use `end_call`",
        ),
    },
    Preset {
        name: "nl-care",
        grounds: &[Ground::ExplicitConsent],
        other_ground: "callers speak of their health, and only an explicit yes, in two steps, lets that be \
                       recorded (GDPR Art. 9(2)(a)): use `explicit_consent`",
        at_least: 0,
        too_short: "",
        at_most: 90,
        too_long: "what is no part of the medical file (7:454 BW) is not kept like it (GDPR Art. \
                   5(1)(e)): 90 days at most, or say in the policy's `retention_reason` why you must",
        unrecorded: None,
    },
    Preset {
        name: "nl-government",
        grounds: &[Ground::PublicTask, Ground::Consent],
        other_ground: "an authority acts on its task and balances no interests of its own (GDPR Art. 6(1), \
                       last sentence): use `public_task` or `consent`",
        at_least: 0,
        too_short: "",
        at_most: 90,
        too_long: "keep no longer than the selection list says (Archiefwet art. 3, 5): 90 days at most, or \
                   name its entry in the policy's `retention_reason`",
        unrecorded: None,
    },
];

/// With the leap days that so many years can have.
const FIVE_YEARS: u64 = 5 * 365 + 2;
const SEVEN_YEARS: u64 = 7 * 365 + 2;

/// Holds a policy that records on this ground, and keeps for so long, to its preset, if it names one.
pub(super) fn held_to(
    policy: &Policy,
    (ground, keep): (Ground, &Retention),
    place: &str,
    problems: &mut Vec<Problem>,
) {
    let Some(name) = policy.preset.as_deref() else {
        return agents_consent(policy, place, problems);
    };
    let Some(preset) = PRESETS.iter().find(|preset| preset.name == name) else {
        let mend = "no such preset; use `nl-default`, `nl-mifid`, `nl-care` or `nl-government`, or leave \
                    it out";
        problems.push(Problem::value(place, "preset", name, mend));
        return;
    };
    if !preset.grounds.contains(&ground) {
        problems.push(Problem::value(place, "ground", ground.as_str(), preset.other_ground));
    }
    period(preset, policy, keep, problems);
    let goes_on = matches!(policy.when_recording_fails, WhenRecordingFails::GoOn);
    if let Some(mend) = preset.unrecorded.filter(|_| goes_on) {
        problems.push(Problem::value(place, "when_recording_fails", "go_on", mend));
    }
    agents(policy, place, problems);
}

/// How long it keeps.
fn period(preset: &Preset, policy: &Policy, retention: &Retention, problems: &mut Vec<Problem>) {
    let place = format!("retention \"{}\"", retention.class);
    let days = |days: u64| Duration::from_secs(days * DAY);
    let mut wrong = |mend| {
        let kept = retention.keep.as_secs() / DAY;
        problems.push(Problem::value(&place, "keep_days", kept, mend));
    };
    if retention.keep < days(preset.at_least) {
        wrong(preset.too_short);
    }
    let reason = policy.retention_reason.as_deref().unwrap_or_default();
    if retention.keep > days(preset.at_most) && reason.trim().is_empty() {
        wrong(preset.too_long);
    }
}

/// On which ground the agents' voices are recorded, and what was agreed with those who stand for them.
fn agents(policy: &Policy, place: &str, problems: &mut Vec<Problem>) {
    if policy.agent_ground.is_none() {
        problems.push(Problem::missing(place, "agent_ground", AGENT_MEND));
    } else {
        agents_ground(policy, place, problems);
    }
    if is_blank(policy.works_council_ref.as_deref()) {
        let mend = "say where the works council's agreement is filed (WOR art. 27(1)(k), (l)), or why there \
                    is no council, such as \"none: 20 people\"";
        problems.push(Problem::missing(place, "works_council_ref", mend));
    }
}

/// The ground that is named, and what it asks for.
fn agents_ground(policy: &Policy, place: &str, problems: &mut Vec<Problem>) {
    let written = policy.agent_ground.as_deref().unwrap_or_default();
    match Ground::from_name(written) {
        Some(Ground::LegitimateInterest) if is_blank(policy.agent_lia_ref.as_deref()) => {
            let mend = "say where the balancing of your interests with your agents' is filed (GDPR Art. \
                        6(1)(f))";
            problems.push(Problem::missing(place, "agent_lia_ref", mend));
        }
        Some(
            Ground::LegitimateInterest
            | Ground::LegalObligation
            | Ground::PublicTask
            | Ground::Contract,
        ) => {}
        Some(Ground::Consent | Ground::ExplicitConsent | Ground::VitalInterest) | None => {
            problems.push(Problem::value(place, "agent_ground", written, AGENT_MEND));
        }
    }
}

fn is_blank(text: Option<&str>) -> bool {
    text.is_none_or(|text| text.trim().is_empty())
}

const AGENT_MEND: &str = "agents are recorded, too, and an employee's yes is not free (GDPR Art. 7, recital \
                          43; WOR art. 27): name `legitimate_interest`, `legal_obligation`, `public_task` \
                          or `contract`";

/// An agent's consent is no ground in a policy without a preset, either.
fn agents_consent(policy: &Policy, place: &str, problems: &mut Vec<Problem>) {
    if policy.agent_ground.is_some() {
        agents_ground(policy, place, problems);
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{judge, problem::Problems, read};

    const LAB: &str = include_str!("../../../../config/lab.toml");
    const AGENTS: &str = "agent_ground = \"legitimate_interest\"\nagent_lia_ref = \"LIA-9\"\n\
                          works_council_ref = \"OR-2026-4\"\n";

    /// What is wrong with the lab when its English policy has these lines, and keeps for so many days.
    fn wrong(lines: &str, keep_days: u32) -> Option<String> {
        let says =
            |key| lines.lines().any(|line| line.trim_start_matches("AGENTS").starts_with(key));
        let ground = if says("ground = ") { "" } else { "ground = \"consent\"\n" };
        let record = if says("record = ") { "" } else { "record = \"ask\"\n" };
        let policy = "record = \"ask\"\nground = \"consent\"\npurposes";
        let written = lines.replace("AGENTS", AGENTS);
        let class = format!("keep_days = {keep_days}");
        let text = LAB
            .replacen(policy, &format!("{record}{ground}{written}\npurposes"), 1)
            .replacen("keep_days = 30", &class, 1);
        let judged = read::read_text(&text).and_then(|read| judge::judge(read, None));
        judged.err().map(|problems| Problems(&problems).to_string())
    }

    fn refused(lines: &str, keep_days: u32, says: &[&str]) {
        let told = wrong(lines, keep_days).unwrap_or_else(|| panic!("{lines} is taken"));
        for word in says {
            assert!(told.contains(word), "{lines}: {word}: {told}");
        }
    }

    #[test]
    fn l_57_a_preset_wants_the_agents_ground_and_the_works_councils_paper() {
        assert_eq!(wrong("preset = \"nl-default\"\nAGENTS", 30), None);
        let preset = "preset = \"nl-default\"\n";
        refused(preset, 30, &["agent_ground", "works_council_ref", "WOR art. 27"]);
        let no_paper = AGENTS.replace("\"LIA-9\"", "\" \"").replace("\"OR-2026-4\"", "\"\"");
        refused(&format!("{preset}{no_paper}"), 30, &["agent_lia_ref", "works_council_ref"]);
    }

    #[test]
    fn l_57_an_agents_consent_is_no_ground() {
        for preset in ["", "preset = \"nl-default\"\nworks_council_ref = \"none: 20 people\"\n"] {
            for ground in ["consent", "explicit_consent"] {
                let lines = format!("{preset}agent_ground = \"{ground}\"\nground = \"consent\"");
                refused(&lines, 30, &["agent_ground", ground, "recital 43"]);
            }
            assert_eq!(
                wrong(&format!("{preset}agent_ground = \"contract\"\nground = \"consent\""), 30),
                None
            );
        }
    }

    #[test]
    fn l_05_a_preset_keeps_no_longer_than_its_limit_without_a_reason() {
        assert_eq!(wrong("preset = \"nl-default\"\nAGENTS", 30), None);
        let preset = "preset = \"nl-default\"\nAGENTS";
        refused(preset, 91, &["quality-30d", "91", "90 days", "retention_reason", "Art. 5(1)(e)"]);
        let told = wrong(&format!("{preset}retention_reason = \"a claim runs\"\n"), 91);
        let told = told.expect("callers are promised thirty days");
        assert!(!told.contains("retention_reason"), "{told}");
    }

    #[test]
    fn l_54_what_mifid_demands_is_kept_for_five_years_and_never_left_out() {
        let mifid = "preset = \"nl-mifid\"\nAGENTSrecord = \"tell\"\nground = \"legal_obligation\"\n\
                     law = \"Wft\"\noutbound = \"join\"\n";
        refused(
            mifid,
            30,
            &["1827 days", "MiFID II Art. 16(7)", "when_recording_fails", "end_call"],
        );
        let closed = format!("{mifid}when_recording_fails = \"end_call\"\n");
        let told = wrong(&closed, 1_827).expect("callers are promised thirty days");
        assert!(!told.contains("Art. 16(7)"), "{told}");
        refused("preset = \"nl-mifid\"\nAGENTS", 30, &["`legal_obligation`", "Art. 76"]);
    }

    #[test]
    fn l_13_l_55_care_takes_an_explicit_yes_and_nothing_less() {
        refused(
            "preset = \"nl-care\"\nAGENTS",
            30,
            &["ground", "explicit_consent", "Art. 9(2)(a)"],
        );
        let explicit = "ground = \"explicit_consent\"\ndpia_ref = \"DPIA-7\"\n";
        assert_eq!(wrong(&format!("preset = \"nl-care\"\n{explicit}AGENTS"), 30), None);
    }

    #[test]
    fn l_56_an_authority_does_not_balance_interests() {
        let lines = "preset = \"nl-government\"\nAGENTSrecord = \"tell\"\n\
                     ground = \"legitimate_interest\"\nlia_ref = \"LIA-3\"\n";
        refused(lines, 30, &["ground", "last sentence", "`public_task`"]);
        refused("preset = \"nl-gov\"", 30, &["no such preset", "nl-government"]);
    }
}
