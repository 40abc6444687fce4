//! A recording for each ground: who is asked, who is told, who can end it, and what stands afterwards.

use std::time::Duration;

use support::{
    exchange::{Act, History, Manner, Plan},
    node::Change,
    scene::{ENGLISH, Scene, ladder, words},
    sound::{heard, level},
};

/// What the English line of the lab says of its ground.
const CONSENT: &str = "record = \"ask\"\nground = \"consent\"\npurposes";
/// How it waits for answers.
const PATIENCE: &str = "repeats = 1\nanswer_timeout_ms = 4000";
const CALLER: &str = "+31612345601";
/// What the caller says during the notice, and afterwards.
const BEFORE_HZ: f64 = 1_200.0;
const AFTER_HZ: f64 = 700.0;
const AGENT_HZ: f64 = 440.0;

/// A node whose English line records on another ground.
fn scene(lines: &str) -> Scene {
    let change = Change::default()
        .with(CONSENT, format!("{lines}\npurposes"))
        .with(PATIENCE, "repeats = 0\nanswer_timeout_ms = 1500");
    let acts = vec![(Duration::from_millis(300), Act::Speak(AGENT_HZ))];
    Scene::start(&change, Manner::Answers { after: Duration::from_millis(300), tone_hz: 0.0, acts })
}

fn legitimate_interest() -> Scene {
    scene("record = \"tell\"\nground = \"legitimate_interest\"\nlia_ref = \"LIA-3\"")
}

fn legal_obligation() -> Scene {
    scene("record = \"tell\"\nground = \"legal_obligation\"\nlaw = \"Wft\"\noutbound = \"join\"")
}

fn explicit_consent() -> Scene {
    scene("record = \"ask\"\nground = \"explicit_consent\"\ndpia_ref = \"DPIA-7\"")
}

/// A call in which the caller says one thing in the notice and another after it.
fn plan(notice_ms: u64) -> Plan {
    Plan::new(CALLER, ENGLISH)
        .at(0, Act::Speak(BEFORE_HZ))
        .at(notice_ms, Act::Speak(0.0))
        .at(notice_ms + 2_500, Act::Speak(AFTER_HZ))
}

/// Both sides of the call, once it is over, with its three words.
fn led(scene: &mut Scene, mut plan: Plan) -> (History, History, String) {
    plan.acts.sort_by_key(|(at, _)| *at);
    scene.call(plan);
    scene.over(1, 40);
    let (caller, agent) = scene.sides(CALLER);
    let call = scene.shown(CALLER);
    (caller, agent, words(&call))
}

fn recordings(scene: &Scene) -> usize {
    let rows = scene.node.done(&["recordings", "list"]);
    let rows = rows.as_array().cloned().unwrap_or_default();
    rows.iter().filter(|row| row["state"] == "stored").count()
}

fn keys(side: &History) -> String {
    side.pressed.iter().map(|(_, key)| *key).collect()
}

/// How loud the agent hears a tone in the last second of the call.
fn at_the_end(agent: &History, hz: f64) -> f64 {
    let last = agent.heard.last().expect("sound").at;
    heard(&agent.samples(last - Duration::from_secs(1), last), hz)
}

#[test]
fn l_01_on_a_legitimate_interest_nothing_is_recorded_before_the_notice_is_over() {
    let mut scene = legitimate_interest();
    let (caller, _, words) = led(&mut scene, plan(8_000).at(14_000, Act::HangUp));
    assert_eq!(words, "not-asked bridged recorded");
    let answered = caller.answered().expect("answered");
    let notice = caller.samples(answered, answered + Duration::from_secs(8));
    assert!(level(&notice) > 500.0, "the notice is not heard: {}", level(&notice));
    let tags = scene.recording(CALLER);
    assert_eq!(
        (&tags["ground"], &tags["verdict"]),
        (&"legitimate_interest".into(), &"recorded".into())
    );
    let (left, right) = scene.node.export(tags["recording"].as_str().expect("an id"));
    assert_eq!((heard(&left, BEFORE_HZ), heard(&right, BEFORE_HZ)), (0.0, 0.0));
    assert!(heard(&left, AFTER_HZ) > 0.3 && heard(&right, AGENT_HZ) > 0.3);
}

#[test]
fn l_21_an_objection_in_the_call_ends_the_recording_and_erases_it_and_the_call_goes_on() {
    let mut scene = legitimate_interest();
    let plan = plan(8_000).at(12_500, Act::Press('*')).at(18_000, Act::HangUp);
    let (_, agent, words) = led(&mut scene, plan);
    assert_eq!(words, "not-asked bridged withdrawn");
    assert_eq!(recordings(&scene), 0);
    assert!(at_the_end(&agent, AFTER_HZ) > 0.3, "the call does not go on");
    assert_eq!(keys(&agent), "", "the key is the house's");
}

#[test]
fn l_21_l_10_who_objects_in_the_notice_is_put_through_all_the_same() {
    let mut scene = legitimate_interest();
    let plan = plan(4_000).at(2_000, Act::Press('*')).at(10_000, Act::HangUp);
    let (_, agent, words) = led(&mut scene, plan);
    assert_eq!(words, "not-asked bridged refused");
    assert_eq!(recordings(&scene), 0);
    assert!(at_the_end(&agent, AFTER_HZ) > 0.3, "the call does not go on");
}

#[test]
fn l_13_explicit_consent_takes_the_key_again_after_a_second_question() {
    let mut scene = explicit_consent();
    let plan = plan(10_000)
        .at(11_000, Act::Press('1'))
        .at(16_800, Act::Press('1'))
        .at(25_000, Act::HangUp);
    let (_, _, words) = led(&mut scene, plan);
    assert_eq!(words, "granted bridged recorded");
    let tags = scene.recording(CALLER);
    assert_eq!(tags["ground"], "explicit_consent");
}

#[test]
fn l_13_l_11_a_single_yes_is_no_explicit_consent() {
    let mut scene = explicit_consent();
    let plan = plan(10_000).at(11_000, Act::Press('1')).at(24_000, Act::HangUp);
    let (_, agent, words) = led(&mut scene, plan);
    assert_eq!(words, "not-given bridged not-given");
    let steps = ladder(&scene.shown(CALLER));
    assert!(steps.iter().any(|(_, step)| step.ends_with("plays explicit")), "{steps:?}");
    assert_eq!(recordings(&scene), 0);
    assert!(at_the_end(&agent, AFTER_HZ) > 0.3, "the call does not go on");
}

#[test]
fn l_54_what_a_law_demands_no_key_ends_and_the_key_is_the_agents() {
    let mut scene = legal_obligation();
    let plan = plan(7_200).at(11_500, Act::Press('*')).at(15_000, Act::HangUp);
    let (_, agent, words) = led(&mut scene, plan);
    assert_eq!(words, "not-asked bridged recorded");
    assert_eq!(keys(&agent), "*");
    let tags = scene.recording(CALLER);
    assert_eq!(tags["ground"], "legal_obligation");
    let (left, _) = scene.node.export(tags["recording"].as_str().expect("an id"));
    let late = left.len().saturating_sub(8_000);
    assert!(heard(&left[late..], AFTER_HZ) > 0.3, "it ends with the key");
}
