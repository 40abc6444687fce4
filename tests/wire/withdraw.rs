//! `*` takes consent back: at once, and with everything that was recorded.

use std::time::Duration;

use support::{
    exchange::{Act, Manner, Plan},
    node::Change,
    scene::{DUTCH, ENGLISH, Scene, words},
    sound::heard,
};

#[test]
fn c_15_a_star_in_the_call_ends_the_recording_erases_it_and_the_call_goes_on() {
    let ms = Duration::from_millis;
    // The Dutch line keeps what was heard before the key, the English one erases it.
    let change = Change::default()
        .with("# first, while_ringing or off\non_withdraw = \"erase\"", "\non_withdraw = \"stop\"");
    let manner = Manner::Answers {
        after: ms(100),
        tone_hz: 440.0,
        acts: vec![(ms(3_000), Act::Speak(900.0)), (ms(8_000), Act::HangUp)],
    };
    let mut scene = Scene::start(&change, manner);
    for (from, line, bridge) in [("+31612345640", ENGLISH, 10_500), ("+31612345641", DUTCH, 12_300)]
    {
        let plan = Plan::new(from, line).at(400, Act::Press('1')).at(bridge, Act::Speak(700.0));
        scene.call(plan.at(bridge + 2_000, Act::Press('*')));
    }
    let begun = scene.callers.until(Duration::from_secs(13), |calls| {
        calls.first().is_some_and(|call| call.did(Act::Press('*')).is_some())
    });
    assert!(begun);
    let id = scene.id("+31612345640");
    scene.over(2, 30);
    assert_eq!(words(&scene.shown("+31612345640")), "withdrawn bridged withdrawn");
    assert_eq!(words(&scene.shown("+31612345641")), "withdrawn bridged withdrawn");

    // Both sides are heard until the end.
    for from in ["+31612345640", "+31612345641"] {
        let (caller, agent) = scene.sides(from);
        let star = caller.did(Act::Press('*')).expect("pressed");
        let end = agent.did(Act::HangUp).expect("hung up");
        assert!(end - star > Duration::from_secs(4));
        let quiet = Duration::from_millis(3_500);
        assert!(heard(&caller.samples(star + quiet, end), 900.0) > 0.9, "the caller hears nobody");
        assert!(heard(&agent.samples(star + quiet, end), 700.0) > 0.9, "the PBX hears nobody");
    }

    // What the policy keeps ends before the key; 900 Hz came after it.
    let kept = scene.recording("+31612345641");
    let (left, right) = scene.node.export(kept["recording"].as_str().expect("an id"));
    assert!(heard(&left, 700.0) > 0.5 && heard(&right, 440.0) > 0.5);
    assert_eq!((heard(&right, 900.0), kept["verdict"].as_str()), (0.0, Some("withdrawn")));
    let (caller, agent) = scene.sides("+31612345641");
    let until = caller.did(Act::Press('*')).expect("pressed") - agent.answered().expect("answered");
    assert!(left.len() as u128 <= until.as_millis() * 8 + 8 * 40, "{} samples", left.len());

    // What it erases is gone, and the proof says so.
    let rows = scene.node.done(&["recordings", "list"]);
    assert!(rows.as_array().is_some_and(|rows| rows.iter().all(|row| row["call"] != id.as_str())));
    assert_eq!(scene.node.files("store").len(), 1);
    let slips: u64 = scene
        .node
        .done(&["keys", "status"])
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|epoch| epoch["slips"].as_u64())
        .sum();
    assert_eq!(slips, 1);
    let folder = scene.node.home.path().join("audit");
    let _exported = scene.node.done(&["audit", "export", &folder.display().to_string()]);
    let entries = std::fs::read_to_string(folder.join("entries.jsonl")).expect("the trail");
    assert!(entries.lines().any(|line| line.contains("recording-deleted")), "{entries}");
    assert_eq!(scene.node.done(&["audit", "verify"])["verified"], true);
}
