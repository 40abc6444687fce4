//! Evidence of a real call, as a lawyer gets it: a folder that is proved where there is nothing else.

use std::{fs, path::Path, time::Duration};

use support::{
    exchange::{Act, Manner, Plan},
    node::Change,
    scene::{ENGLISH, Scene},
};

use crate::bare::verify;

/// What a record or a receipt conforms to that says all that ISO/IEC TS 27560 demands.
const PROFILE: &str = "https://w3id.org/dpv/schema/dpv-27560#";
const CALLER: &str = "+31612345602";

fn scene() -> Scene {
    let acts = vec![(Duration::from_millis(3_200), Act::HangUp)];
    let answers = Manner::Answers { after: Duration::ZERO, tone_hz: 440.0, acts };
    Scene::start(&Change::default(), answers)
}

/// A call of that is answered by this key, once it is over.
fn led(key: char) -> Scene {
    let mut scene = scene();
    scene.call(Plan::new(CALLER, ENGLISH).at(400, Act::Press(key)));
    scene.over(1, 40);
    scene
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn l_07_the_evidence_of_a_real_call_holds_what_was_heard_and_pressed_and_is_proved_by_itself() {
    let mut scene = led('1');
    let id = scene.recording(CALLER)["recording"].as_str().expect("an id").to_owned();
    let folder = scene.node.home.path().join("evidence");
    let name = folder.display().to_string();
    let told = scene.node.done(&["recordings", "evidence", &id, "--out", &name]);
    assert_eq!(told["prompts_missing"], 0, "{told}");
    let trust = scene.node.data().join("trust").display().to_string();
    let (code, said) = verify(&["--trust", &trust, "evidence", &name]);
    assert_eq!(code, Some(0), "{said}");

    let evidence = read(&folder, "evidence.txt");
    let line = |name: &str| evidence.lines().find(|line| line.starts_with(name)).expect("a line");
    assert!(line("press 1 ").contains(" transport=rfc4733 raw=80"), "{evidence}");
    let raw = line("press 1 ").rsplit('=').next().expect("the packet");
    assert!(
        raw.len() == 32 && raw[24..].starts_with("01"),
        "a header and the event of key 1: {raw}"
    );
    assert!(line("prompt notice ").ends_with("whole=true"), "{evidence}");
    let record: serde_json::Value =
        serde_json::from_str(&read(&folder, "record.json")).expect("JSON");
    for known in ["called_call_id", "caller_call_id_key", "verdict"] {
        assert!(record[known].is_string(), "{known}: {record}");
    }
    assert_eq!(record["kept"]["customer_key"].as_str().map(str::len), Some(64));
    let names = ["evidence.txt", "record.json", "facts.jsonl", "index.html", "consent.jsonld"];
    let said = names.map(|name| read(&folder, name)).concat() + &read(&folder, "manifest.txt");
    assert!(!said.contains("612345602"), "a number is in the folder");
    let page = read(&folder, "index.html");
    for word in
        ["Toestemming (AVG art. 6 lid 1 a)", "Consent (GDPR Art. 6(1)(a))", "prompts/en-notice-"]
    {
        assert!(page.contains(word), "{word}");
    }
    let outside = ["<script", "http:", "https:", "src=", "@import", "url("];
    assert!(outside.iter().all(|word| !page.contains(word)), "the page is not by itself");

    // The consent record is what the command prints, but for when it was made.
    let made = |name: &str| -> serde_json::Value { serde_json::from_str(name).expect("JSON") };
    let mut consent = made(&read(&folder, "consent.jsonld"));
    let printed = scene.node.run(&["recordings", "consent", &id]);
    let mut printed = made(&String::from_utf8_lossy(&printed.stdout));
    for said in [&mut consent, &mut printed] {
        for part in said["@graph"].as_array_mut().expect("a record and a receipt") {
            part["dct:created"].take();
        }
    }
    assert_eq!(consent, printed);
    let (record, receipt) = (&consent["@graph"][0], &consent["@graph"][1]);
    let given = &record["dpv:hasConsentStatus"][1];
    assert_eq!(given["@type"][0], "dpv:ConsentGiven", "{record}");
    assert_eq!(given["dpv:hasIndicationMethod"], "key 1 by telephone event (RFC 4733)");
    assert_eq!(receipt["dpv:hasRecordOfActivity"], record["@id"]);
    let lacks = "it is not known: controller";
    assert!(record["rdfs:comment"].as_str().is_some_and(|said| said.ends_with(lacks)), "{record}");

    // The page is held against the data, the folder against a second one in its place.
    let again = scene.node.run(&["recordings", "evidence", &id, "--out", &name]);
    let said = String::from_utf8_lossy(&[again.stdout, again.stderr].concat()).into_owned();
    assert!(!again.status.success() && said.contains("holds something already"), "{said}");
}

#[test]
fn l_07_c_13_a_call_that_was_refused_has_a_folder_that_shows_how_it_went() {
    let mut scene = led('2');
    let id = scene.id(CALLER);
    assert_eq!(scene.shown(CALLER)["verdict"], "refused");
    let folder = scene.node.home.path().join("refused");
    let name = folder.display().to_string();
    let told = scene.node.done(&["calls", "evidence", &id, "--out", &name]);
    assert!(told["evidence"].is_null(), "{told}");
    let trust = scene.node.data().join("trust").display().to_string();
    let (code, said) = verify(&["--trust", &trust, "evidence", &name]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("evidence: none, for nothing was allowed"), "{said}");
    assert!(read(&folder, "index.html").contains("geweigerd, niet opgenomen"));
    let consent = read(&folder, "consent.jsonld");
    assert!(consent.contains("dpv:ConsentRefused") && !consent.contains("dpv:ConsentReceipt"));
}

#[test]
fn l_07_l_08_the_consent_record_of_an_erased_recording_has_its_end_and_nothing_that_was_in_it() {
    const CONTROLLER: &str = "[[controller]]\nname = \"Example Limited\"\naddress = \"1 Main St\"\n\
        country = \"NL\"\ncontact = \"mailto:privacy@example.nl\"\n";
    let limits = "[limits] ";
    let change = Change::default().with(limits, format!("{CONTROLLER}\n{limits}"));
    let acts = vec![(Duration::from_millis(3_200), Act::HangUp)];
    let answers = Manner::Answers { after: Duration::ZERO, tone_hz: 440.0, acts };
    let mut scene = Scene::start(&change, answers);
    scene.call(Plan::new(CALLER, ENGLISH).at(400, Act::Press('1')));
    scene.over(1, 40);
    let id = scene.recording(CALLER)["recording"].as_str().expect("an id").to_owned();
    let kept = scene.node.done(&["recordings", "consent", &id]);
    let profiles = ["record", "receipt"].map(|kind| format!("{PROFILE}{kind}"));
    for (part, profile) in profiles.iter().enumerate() {
        assert_eq!(kept["@graph"][part]["dct:conformsTo"], profile.as_str(), "{kept}");
    }
    assert!(kept.to_string().contains("mailto:privacy@example.nl"));
    let _erased = scene.node.done(&["recordings", "erase", &id]);
    let gone = scene.node.done(&["recordings", "consent", &id]).to_string();
    assert!(gone.contains("dpv:ConsentGiven") && !gone.contains(PROFILE), "{gone}");
    for what in ["hasIndicationMethod", "hasNotice", "hasStorageCondition"] {
        assert!(kept.to_string().contains(what) && !gone.contains(what), "{what}: {gone}");
    }
    let folder = scene.node.home.path().join("gone");
    let name = folder.display().to_string();
    let _written = scene.node.done(&["recordings", "evidence", &id, "--out", &name]);
    let trust = scene.node.data().join("trust").display().to_string();
    let (code, said) = verify(&["--trust", &trust, "evidence", &name]);
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn l_07_what_was_heard_is_still_there_when_the_prompts_have_changed() {
    let mut scene = led('1');
    let id = scene.recording(CALLER)["recording"].as_str().expect("an id").to_owned();
    scene.node.stop();
    let folder = scene.node.home.path().join("later");
    let name = folder.display().to_string();
    let told = scene.node.done(&["recordings", "evidence", &id, "--out", &name]);
    assert_eq!(told["prompts_missing"], 0, "{told}");
    let record: serde_json::Value =
        serde_json::from_str(&read(&folder, "record.json")).expect("JSON");
    let notice = &record["prompts"][0];
    let shelf = scene.node.data().join("prompts");
    let kept = shelf.join(format!("{}.wav", notice["sha256"].as_str().expect("a hash")));
    let sound = fs::read(&kept).expect("the sound");
    assert_eq!(fs::read(folder.join(notice["file"].as_str().expect("a file"))).expect("it"), sound);
    assert!(notice["text"].as_str().is_some_and(|text| text.len() > 40), "{notice}");

    // A sound that is not that sound any more is named, and not passed off as what was heard.
    let mut other = sound;
    other[9_000] ^= 1;
    fs::write(kept, other).expect("the sound");
    let without = scene.node.home.path().join("without");
    let name = without.display().to_string();
    let told = scene.node.done(&["recordings", "evidence", &id, "--out", &name]);
    assert_eq!(told["prompts_missing"], 1, "{told}");
    let trust = scene.node.data().join("trust").display().to_string();
    let (code, said) = verify(&["--trust", &trust, "evidence", &name]);
    assert!(code == Some(0) && said.contains(", 1 not here"), "{said}");
    assert!(
        read(&without, "index.html").contains("Het geluid met deze hash is niet meer voorhanden.")
    );
}

mod privileged {
    use super::*;
    use crate::bare::Bare;

    #[test]
    fn l_07_a_real_calls_evidence_is_proved_in_a_root_without_the_node_and_a_changed_bit_is_named()
    {
        let mut scene = led('1');
        let id = scene.recording(CALLER)["recording"].as_str().expect("an id").to_owned();
        let folder = scene.node.home.path().join("evidence");
        let name = folder.display().to_string();
        let told = scene.node.done(&["recordings", "evidence", &id, "--out", &name]);
        assert!(told["evidence"].is_string(), "{told}");
        let bare = Bare::new();
        bare.put(&folder, "evidence");
        bare.put(&scene.node.data().join("trust"), "key");
        let words = ["--trust", "/key", "evidence", "/evidence"];
        let (code, said) = bare.verify(&words);
        assert_eq!(code, Some(0), "{said}");
        let consent = read(&folder, "consent.jsonld");
        let other = consent.replacen("dpv:ConsentGiven", "dpv:ConsentGiveo", 1);
        fs::write(folder.join("consent.jsonld"), other).expect("the record");
        bare.put(&folder, "evidence");
        let (code, said) = bare.verify(&words);
        assert!(code == Some(1) && said.starts_with("consent.jsonld: its bytes"), "{said}");
        fs::write(folder.join("consent.jsonld"), consent).expect("the record");
        let page = read(&folder, "index.html").replacen("Consent (", "Konsent (", 1);
        fs::write(folder.join("index.html"), page).expect("the page");
        bare.put(&folder, "evidence");
        let (code, said) = bare.verify(&words);
        assert!(code == Some(1) && said.starts_with("index.html: its bytes"), "{said}");
    }
}
