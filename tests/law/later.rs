//! A yes that comes later than the first question: from a customer who changes their mind, and from a
//! caller whom the agent asks.

use std::{fs, time::Duration};

use support::{
    exchange::{Act, History, Manner, Plan, message::header},
    node::Change,
    page::Visitor,
    scene::{ENGLISH, Scene, step, words},
    sound::{heard, level},
};

const CALLER: &str = "+31612345602";
/// How long the question takes that holds its notice, at the English line, and a little.
const ASKED_MS: u64 = 12_500;
/// What each says before the yes, and afterwards.
const BEFORE: [f64; 2] = [1_200.0, 2_000.0];
const AFTER: [f64; 2] = [700.0, 440.0];
/// When a caller withdraws who has agreed during the notice, and has talked for a few seconds.
const WITHDRAWN_MS: u64 = 16_000;
/// When the question begins, after the answer of whom the test asks.
const BEGINS_MS: u64 = 5_000;
/// When the customer says yes.
const YES_MS: u64 = BEGINS_MS + ASKED_MS + 500;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A node whose English line has these lines in its policy, before a PBX whose agent does this.
fn scene(lines: &str, acts: &[(u64, Act)]) -> Scene {
    let policy = "record = \"ask\"\nground = \"consent\"\npurposes";
    let change = Change::default().with(policy, format!("{lines}{policy}"));
    let acts = acts.iter().map(|(at, act)| (ms(*at), *act)).collect();
    Scene::start(&change, Manner::Answers { after: ms(300), tone_hz: 0.0, acts })
}

/// A caller who says no at once.
fn refuses() -> Plan {
    Plan::new(CALLER, ENGLISH).at(0, Act::Speak(BEFORE[0])).at(1_000, Act::Press('2'))
}

/// What a caller does who says yes, and talks on.
fn agrees(plan: Plan) -> Plan {
    plan.at(YES_MS - 500, Act::Speak(0.0))
        .at(YES_MS, Act::Press('1'))
        .at(YES_MS + 3_000, Act::Speak(AFTER[0]))
        .at(YES_MS + 7_000, Act::HangUp)
}

fn keys(side: &History) -> String {
    side.pressed.iter().map(|(_, key)| *key).collect()
}

/// The stored recording, left and right. Nothing of what was said before the yes is in it.
fn kept_from_the_yes_on(scene: &mut Scene) -> [Vec<i16>; 2] {
    let tags = scene.recording(CALLER);
    assert_eq!((&tags["ground"], &tags["verdict"]), (&"consent".into(), &"recorded".into()));
    let (left, right) = scene.node.export(tags["recording"].as_str().expect("an id"));
    for hz in BEFORE {
        assert_eq!((heard(&left, hz), heard(&right, hz)), (0.0, 0.0), "{hz} Hz is kept");
    }
    assert!(heard(&left, AFTER[0]) > 0.3 && heard(&right, AFTER[1]) > 0.3);
    [left, right]
}

#[test]
fn l_08_who_said_no_presses_the_key_that_would_end_it_and_says_yes() {
    let agent = [
        (0, Act::Speak(BEFORE[1])),
        (YES_MS - 4_500, Act::Speak(0.0)),
        (YES_MS, Act::Speak(AFTER[1])),
    ];
    let mut scene = scene("", &agent);
    scene.call(agrees(refuses().at(BEGINS_MS, Act::Press('*'))));
    scene.over(1, 60);
    assert_eq!(words(&scene.shown(CALLER)), "granted bridged recorded");
    let (caller, agent) = scene.sides(CALLER);
    assert_eq!(keys(&agent), "", "what is for us is not for the PBX");
    let asked = caller.answered().expect("answered") + ms(BEGINS_MS + 3_000);
    for side in [&caller, &agent] {
        assert!(
            level(&side.samples(asked, asked + ms(6_000))) > 500.0,
            "the question is not heard"
        );
    }
    let [left, _] = kept_from_the_yes_on(&mut scene);
    assert!(left.len() < 8 * 8_000, "{} samples", left.len());
}

/// A caller who agrees at once, talks, and withdraws.
fn withdraws() -> Plan {
    Plan::new(CALLER, ENGLISH)
        .at(0, Act::Speak(BEFORE[0]))
        .at(1_000, Act::Press('1'))
        .at(WITHDRAWN_MS - 3_000, Act::Speak(1_600.0))
        .at(WITHDRAWN_MS, Act::Press('*'))
}

/// The facts of this kind that the audit tree holds.
fn facts(scene: &Scene, kind: &str) -> Vec<String> {
    let folder = scene.node.home.path().join(kind);
    let _exported = scene.node.done(&["audit", "export", &folder.display().to_string()]);
    let entries = fs::read_to_string(folder.join("entries.jsonl")).expect("the entries");
    entries.lines().filter(|line| line.contains(kind)).map(str::to_owned).collect()
}

/// How often a recording was permitted, and how often one was deleted since its customer took back the yes.
fn permitted_and_withdrawn(scene: &Scene) -> (usize, usize) {
    let deleted = facts(scene, "recording-deleted");
    let withdrawn = deleted.iter().filter(|fact| fact.contains("withdrawal")).count();
    (facts(scene, "recording-permitted").len(), withdrawn)
}

#[test]
fn l_08_who_withdrew_may_agree_again_and_that_recording_is_one_of_its_own() {
    let agent = [(0, Act::Speak(AFTER[1]))];
    let mut scene = scene("", &agent);
    let yes = WITHDRAWN_MS + 5_500;
    let back = withdraws()
        // Once more, to be sure: it says nothing new.
        .at(WITHDRAWN_MS + 600, Act::Press('*'))
        .at(WITHDRAWN_MS + 4_000, Act::Press('*'))
        .at(yes - 500, Act::Speak(0.0))
        .at(yes, Act::Press('1'))
        .at(yes + 2_500, Act::Speak(AFTER[0]))
        .at(yes + 6_000, Act::HangUp);
    scene.call(back);
    scene.over(1, 60);
    let call = scene.shown(CALLER);
    assert_eq!(words(&call), "granted bridged recorded");
    assert!(step(&call, "plays withdrawn") < step(&call, "plays resume to both"));
    assert_eq!(keys(&scene.sides(CALLER).1), "", "what is for us is not for the PBX");
    assert_eq!(permitted_and_withdrawn(&scene), (2, 1));
    let stored = scene.recording(CALLER);
    let (left, right) = scene.node.export(stored["recording"].as_str().expect("an id"));
    assert_eq!((heard(&left, BEFORE[0]), heard(&left, 1_600.0)), (0.0, 0.0), "of before the yes");
    assert!(heard(&left, AFTER[0]) > 0.3 && heard(&right, AFTER[1]) > 0.3);
    assert!(left.len() < 7 * 8_000, "{} samples", left.len());
}

#[test]
fn l_08_l_11_who_withdrew_comes_back_and_says_nothing_has_withdrawn() {
    let mut scene = scene("", &[]);
    let silent = withdraws()
        .at(WITHDRAWN_MS + 4_000, Act::Press('*'))
        .at(WITHDRAWN_MS + 16_000, Act::Press('8'))
        .at(WITHDRAWN_MS + 17_500, Act::HangUp);
    scene.call(silent);
    scene.over(1, 60);
    assert_eq!(words(&scene.shown(CALLER)), "withdrawn bridged withdrawn");
    assert_eq!(keys(&scene.sides(CALLER).1), "8", "their keys are theirs again");
    assert_eq!(permitted_and_withdrawn(&scene), (1, 1));
    assert_eq!(scene.node.files("store"), [], "an object");
}

#[test]
fn l_11_who_comes_back_and_says_nothing_is_not_recorded_and_has_their_keys_again() {
    let mut scene = scene("", &[]);
    let six_seconds = BEGINS_MS + ASKED_MS + 6_500;
    scene.call(
        refuses()
            .at(4_000, Act::Press('4'))
            .at(BEGINS_MS, Act::Press('*'))
            .at(six_seconds + 1_500, Act::Press('8'))
            .at(six_seconds + 3_000, Act::HangUp),
    );
    scene.over(1, 60);
    assert_eq!(words(&scene.shown(CALLER)), "refused bridged refused");
    assert_eq!(keys(&scene.sides(CALLER).1), "48");
    assert_eq!(scene.node.done(&["recordings", "list"]), serde_json::json!([]));
    assert_eq!(scene.node.files("store"), [], "an object");
}

#[test]
fn c_14_a_caller_is_put_through_at_once_and_recorded_from_when_the_agent_has_asked_and_they_agree()
{
    let agent = [
        (0, Act::Speak(BEFORE[1])),
        (BEGINS_MS, Act::Press('#')),
        (BEGINS_MS + 2_000, Act::Press('1')),
        (YES_MS - 500, Act::Speak(0.0)),
        (YES_MS + 3_000, Act::Speak(AFTER[1])),
    ];
    let mut scene = scene("inbound = \"agent_asks\"\n", &agent);
    scene.call(agrees(Plan::new(CALLER, ENGLISH).at(0, Act::Speak(BEFORE[0]))));
    scene.over(1, 60);
    assert_eq!(words(&scene.shown(CALLER)), "granted bridged recorded");
    let (caller, agent) = scene.sides(CALLER);
    let reached = agent.request("INVITE", true).expect("an INVITE").at;
    assert!(reached < caller.answered().expect("answered"), "the PBX is called first");
    assert_eq!((keys(&agent).as_str(), keys(&caller).as_str()), ("", "1"), "whose key is whose");
    kept_from_the_yes_on(&mut scene);
}

#[test]
fn c_14_a_program_has_a_caller_asked_by_the_call_id_of_the_pbx_and_the_page_says_so() {
    let mut scene = scene("inbound = \"agent_asks\"\n", &[]);
    let page = Visitor::enter(&scene.node);
    scene.call(
        Plan::new(CALLER, ENGLISH).at(YES_MS, Act::Press('1')).at(YES_MS + 2_500, Act::HangUp),
    );
    let answered = |calls: &[History]| calls.iter().any(|call| call.answered().is_some());
    assert!(scene.callers.until(ms(5_000), answered), "the caller is not put through");
    let now = || page.get("/api/now").json()["calls"][0].clone();
    assert_eq!((&now()["askable"], &now()["recording"]), (&true.into(), &"off".into()));
    let invite = scene.pbx.of(CALLER).request("INVITE", true).expect("an INVITE").text.clone();
    let path = format!("/api/calls/{}/ask", header(&invite, "Call-ID").expect("a Call-ID"));
    assert_eq!(page.post(&path).status, 204);
    assert_eq!((&now()["askable"], &now()["recording"]), (&false.into(), &"asked".into()));
    assert!(page.get("/now").body.contains("being asked"));
    let again = page.post(&path);
    assert_eq!((again.status, &again.json()["type"]), (409, &"/problems/not-askable".into()));
    scene.over(1, 60);
    assert_eq!(words(&scene.shown(CALLER)), "granted bridged recorded");
}
