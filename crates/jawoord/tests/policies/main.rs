//! What each shipped policy does with a call: the tables at the head of `config/policies/*.toml`, led through
//! the call machine.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a policy that cannot be read fails its test"
)]

mod desk;

use std::{fs, path::Path, sync::Arc};

use call::{Ground, Line, Recording};
use desk::{Desk, Scene};
use jawoord::config::{judge, problem::Problems, read};

const SHIPPED: [&str; 4] = ["nl-default", "nl-care", "nl-government", "nl-mifid"];

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../config"))
}

/// The line of a shipped policy, read from its file in `lines.d` beside the lab's configuration.
fn line(name: &str) -> Arc<Line> {
    let scratch = tempfile::tempdir().unwrap();
    let at = scratch.path();
    let mut lab = fs::read_to_string(folder().join("lab.toml")).unwrap();
    let shipped = folder().join("policies").join(name).with_extension("toml");
    fs::create_dir(at.join("lines.d")).unwrap();
    fs::copy(&shipped, at.join("lines.d/policy.toml")).unwrap();
    if folder().join("policies").join(name).is_dir() {
        let voices = at.join("voices");
        speaks(&folder().join("policies").join(name).join("nl/manifest.toml"), &voices.join("nl"));
        lab.push_str(&format!("\n[prompts]\npath = {:?}\n", voices.display().to_string()));
        // The lab's own policies speak with the voices in the program.
        let own = lab.find("[[policy]]").unwrap();
        let after = lab.find("[prompts]").unwrap();
        lab.replace_range(own..after, "");
    }
    fs::write(at.join("jawoord.toml"), lab).unwrap();
    let read = read::read(&at.join("jawoord.toml"), Some(&at.join("data")));
    let settings = read
        .and_then(|read| judge::judge(read, None))
        .unwrap_or_else(|problems| panic!("{name}: {}", Problems(&problems)));
    let found = settings.lines.iter().find(|line| line.id.as_str() == name);
    Arc::clone(found.expect("a line of the policy's name"))
}

/// A folder of voices that says what a policy's manifest says, without a synthesiser: the shipped sounds
/// under other words, which nobody listens to here.
fn speaks(manifest: &Path, to: &Path) {
    let shipped = folder().parent().unwrap().join("prompts/nl");
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(shipped).unwrap() {
        let file = file.unwrap().path();
        fs::copy(&file, to.join(file.file_name().unwrap())).unwrap();
    }
    let value = |text: &str, key: &str| {
        let line = text.lines().find(|line| line.starts_with(&format!("{key} = "))).unwrap();
        line.split('"').nth(1).unwrap().to_owned()
    };
    let (own, theirs) = (
        fs::read_to_string(to.join("manifest.toml")).unwrap(),
        fs::read_to_string(manifest).unwrap(),
    );
    let mut said = own.clone();
    for key in ["controller", "purpose", "retention"] {
        said = said.replace(&value(&own, key), &value(&theirs, key));
    }
    fs::write(to.join("manifest.toml"), said).unwrap();
}

/// The table of a policy: what is pressed or happens, whether the call goes on to its end, its three words,
/// and how much of the recording of a minute's talk is kept, in seconds; erased is nothing kept.
type Row = (Scene, bool, &'static str, Option<u64>);

const CONSENT: [Row; 7] = [
    (Scene::Keys("1"), true, "granted bridged recorded", Some(60)),
    (Scene::Keys("2"), true, "refused bridged refused", None),
    (Scene::Silence, true, "not-given bridged not-given", None),
    (Scene::Withdraws, true, "withdrawn bridged withdrawn", None),
    (Scene::RecorderFails, true, "granted bridged degraded", Some(30)),
    (Scene::TransferredOut, true, "granted bridged recorded", Some(30)),
    (Scene::NothingReady, true, "not-asked bridged blocked", None),
];

const CARE: [Row; 7] = [
    (Scene::Keys("11"), true, "granted bridged recorded", Some(60)),
    (Scene::Keys("1"), true, "not-given bridged not-given", None),
    (Scene::Keys("2"), true, "refused bridged refused", None),
    (Scene::Silence, true, "not-given bridged not-given", None),
    (Scene::RecorderFails, true, "granted bridged degraded", Some(30)),
    (Scene::TransferredOut, true, "granted bridged recorded", Some(30)),
    (Scene::NothingReady, true, "not-asked bridged blocked", None),
];

const GOVERNMENT: [Row; 7] = [
    (Scene::Silence, true, "not-asked bridged recorded", Some(60)),
    (Scene::Keys("1"), true, "not-asked bridged recorded", Some(60)),
    (Scene::Keys("*"), true, "not-asked bridged refused", None),
    (Scene::Withdraws, true, "not-asked bridged withdrawn", None),
    (Scene::RecorderFails, true, "not-asked bridged degraded", Some(30)),
    (Scene::TransferredOut, true, "not-asked bridged recorded", Some(30)),
    (Scene::NothingReady, true, "not-asked bridged blocked", None),
];

const MIFID: [Row; 6] = [
    (Scene::Silence, true, "not-asked bridged recorded", Some(60)),
    (Scene::Keys("2"), true, "not-asked bridged recorded", Some(60)),
    (Scene::Withdraws, true, "not-asked bridged recorded", Some(60)),
    (Scene::RecorderFails, false, "not-asked bridged degraded", Some(30)),
    (Scene::TransferredOut, true, "not-asked bridged recorded", Some(30)),
    (Scene::NothingReady, false, "not-asked unreachable blocked", None),
];

fn holds(name: &str, table: &[Row]) {
    let line = line(name);
    for (scene, goes_on, words, kept) in table {
        let led = Desk::lead(&line, *scene);
        let found = (led.went_on, led.words.to_string(), led.kept_s);
        assert_eq!(found, (*goes_on, (*words).to_owned(), *kept), "{name}, {scene:?}: {led:#?}");
    }
}

#[test]
fn l_08_l_11_nl_default_does_what_its_table_says() {
    holds("nl-default", &CONSENT);
}

#[test]
fn l_13_l_55_nl_care_records_on_a_yes_in_two_steps_only() {
    holds("nl-care", &CARE);
}

#[test]
fn l_21_l_56_nl_government_tells_and_lets_callers_object() {
    holds("nl-government", &GOVERNMENT);
}

#[test]
fn l_54_nl_mifid_records_every_call_or_leads_none() {
    holds("nl-mifid", &MIFID);
}

#[test]
fn l_10_who_refuses_is_put_through_like_who_agrees() {
    for (name, yes, no) in [("nl-default", "1", "2"), ("nl-care", "11", "2")] {
        let line = line(name);
        let (agreed, refused) =
            (Desk::lead(&line, Scene::Keys(yes)), Desk::lead(&line, Scene::Keys(no)));
        assert!(agreed.went_on && refused.went_on);
        assert_eq!(agreed.legs, refused.legs, "{name}: the legs hear the same");
    }
}

#[test]
fn l_50_l_57_every_shipped_policy_names_its_preset_its_sources_and_its_papers() {
    for name in SHIPPED {
        let text = fs::read_to_string(folder().join("policies").join(name).with_extension("toml"));
        let text = text.unwrap();
        for needed in [
            format!("preset = \"{name}\"\n"),
            "# Sources: ".to_owned(),
            "works_council_ref = ".to_owned(),
            "agent_ground = ".to_owned(),
        ] {
            assert!(text.contains(&needed), "{name}: {needed}");
        }
    }
    let shipped = fs::read_dir(folder().join("policies")).unwrap();
    let files = shipped.filter(|file| file.as_ref().unwrap().path().is_file()).count();
    assert_eq!(files, SHIPPED.len(), "a policy without a table");
}

#[test]
fn l_06_every_shipped_policy_stands_on_its_own_ground() {
    let ground = |name| match &line(name).policy.recording {
        Recording::Ask(asking) => asking.ground,
        Recording::Never => panic!("{name} records nothing"),
    };
    assert_eq!(
        SHIPPED.map(ground),
        [Ground::Consent, Ground::ExplicitConsent, Ground::PublicTask, Ground::LegalObligation]
    );
}
