//! Hold and resume from the caller's side.

use std::time::Duration;

use support::{
    exchange::{Act, Manner, Plan},
    node::Change,
    scene::{ENGLISH, Scene, words},
    sound::heard,
};

#[test]
fn l_03_nothing_is_recorded_while_the_caller_holds_and_the_time_line_stays_true() {
    let manner = Manner::Answers { after: Duration::ZERO, tone_hz: 440.0, acts: Vec::new() };
    let mut scene = Scene::start(&Change::default(), manner);
    // The caller's phone goes on talking into the hold, as careless ones do.
    let plan = Plan::new("+31612345650", ENGLISH)
        .at(400, Act::Press('1'))
        .at(10_300, Act::Speak(700.0))
        .at(13_000, Act::Hold)
        .at(16_000, Act::Resume)
        .at(18_500, Act::HangUp);
    scene.call(plan);
    scene.over(1, 30);
    assert_eq!(words(&scene.shown("+31612345650")), "granted bridged recorded");
    let (caller, agent) = scene.sides("+31612345650");
    let answers: Vec<_> = caller.messages.iter().filter(|m| m.received).map(|m| &m.text).collect();
    assert!(answers.iter().any(|text| text.contains("a=recvonly")), "{answers:#?}");

    let recording = scene.recording("+31612345650");
    let (left, right) = scene.node.export(recording["recording"].as_str().expect("an id"));
    let start = agent.answered().expect("answered");
    let sample = |act| (caller.did(act).expect("done") - start).as_millis() as usize * 8;
    let (held, back) = (sample(Act::Hold), sample(Act::Resume));
    let margin = 8 * 200;
    for (name, side, hz) in [("left", &left, 700.0), ("right", &right, 440.0)] {
        assert!(heard(&side[held - 8_000..held - margin], hz) > 0.9, "{name} before the hold");
        assert_eq!(heard(&side[held + margin..back - margin], hz), 0.0, "{name} in the hold");
        assert!(heard(&side[back + margin..back + 16_000], hz) > 0.9, "{name} after the hold");
    }
    let true_ms = (caller.did(Act::HangUp).expect("done") - start).as_millis();
    let kept_ms = left.len() as u128 / 8;
    assert!(kept_ms.abs_diff(true_ms) < 150, "{kept_ms} ms kept of {true_ms}");
}
