//! Calls of which nobody asks anything: emergencies, lines that are never recorded, strangers.

use std::time::{Duration, Instant};

use support::{
    exchange::{Act, Exchange, Manner, Plan, message::header},
    node::Change,
    scene::{NEVER, Scene, words},
    sound::heard,
};

#[test]
fn e_01_an_emergency_is_bridged_at_once_a_quiet_line_too_and_a_stranger_gets_403() {
    let manner =
        Manner::Answers { after: Duration::from_millis(50), tone_hz: 440.0, acts: Vec::new() };
    let change = Change::default().with("\"127.0.0.0/8\"", "\"127.0.0.2/32\"");
    let mut scene = Scene::start(&change, manner);
    let stranger = scene.call(Plan::new("+31612345660", NEVER));
    let refused = scene.callers.until(Duration::from_secs(3), |calls| {
        calls.first().is_some_and(|call| call.answer("INVITE").is_some())
    });
    assert!(refused);
    let answer = scene.callers.calls()[stranger].answer("INVITE").expect("an answer");
    assert_eq!(answer.1, 403);

    scene.callers = Exchange::start([127, 0, 0, 2], 0, Manner::Says(480));
    for (from, number) in
        [("+31612345661", "112"), ("+31612345662", NEVER), ("+31612345663", "999")]
    {
        scene.call(Plan::new(from, number).at(1_000, Act::HangUp));
    }
    scene.over(3, 10);
    for (from, expected) in [
        ("+31612345661", "not-asked bridged emergency"),
        ("+31612345662", "not-asked bridged policy-off"),
        ("+31612345663", "not-asked bridged emergency"),
    ] {
        assert_eq!(words(&scene.shown(from)), expected);
        let (caller, agent) = scene.sides(from);
        let asked: Instant = caller.messages[0].at;
        let invited = agent.request("INVITE", true).expect("an INVITE");
        assert!(invited.at - asked < Duration::from_millis(300), "{:?}", invited.at - asked);
        // The call is answered when the PBX answers, and nobody but the PBX is heard.
        assert!(caller.answered() > agent.answered());
        let sound: Vec<i16> = caller.heard.iter().flat_map(|p| p.samples.clone()).collect();
        assert!(
            heard(&sound, 440.0) > 0.8,
            "{from} hears something else: {}",
            heard(&sound, 440.0)
        );
        assert!(header(&invited.text, "From").is_some_and(|value| value.contains(from)));
    }
    assert_eq!(scene.node.done(&["recordings", "list"]), serde_json::json!([]));
}
