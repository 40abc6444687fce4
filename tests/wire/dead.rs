//! Calls that nobody will ever hang up.

use std::time::Duration;

use support::{
    exchange::{Act, Manner, Plan},
    node::Change,
    scene::{NEVER, Scene, words},
};

#[test]
fn b_33_a_call_in_which_nobody_sends_is_ended_and_one_on_hold_or_with_one_voice_is_not() {
    let change = Change::default().with("dead_call_s = 60", "dead_call_s = 5");
    let acts = vec![(Duration::from_millis(300), Act::Mute)];
    let manner = Manner::Answers { after: Duration::ZERO, tone_hz: 440.0, acts };
    let mut scene = Scene::start(&change, manner);
    let [lost, held, spoken] = ["+31612345601", "+31612345602", "+31612345603"];
    scene.call(Plan::new(lost, NEVER).at(300, Act::Mute));
    scene.call(Plan::new(held, NEVER).at(200, Act::Hold).at(400, Act::Mute).at(8_000, Act::HangUp));
    scene.call(Plan::new(spoken, NEVER).at(8_000, Act::HangUp));
    scene.over(3, 12);
    let (caller, agent) = scene.sides(lost);
    for side in [&caller, &agent] {
        let bye = side.request("BYE", true).expect("a BYE to each side");
        assert!(bye.text.contains("Q.850;cause=102"), "{}", bye.text);
        let lived = bye.at - side.answered().expect("answered");
        assert!((5_000..6_500).contains(&lived.as_millis()), "{lived:?}");
    }
    assert_eq!(words(&scene.shown(lost)), "not-asked bridged policy-off");
    for from in [held, spoken] {
        let (caller, agent) = scene.sides(from);
        assert!(caller.request("BYE", true).is_none(), "the node ended a call that lives");
        assert!(agent.request("BYE", true).is_some());
    }
}
