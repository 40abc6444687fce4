//! The SIP of a call as a capture file: what an engineer needs, and nobody's number.

use std::{fs, time::Duration};

use support::{
    exchange::{Act, Manner, Plan},
    node::Change,
    scene::{NEVER, Scene},
};

#[test]
fn d_24_a_capture_of_a_call_shows_both_dialogs_and_no_number() {
    let manner = Manner::Answers { after: Duration::ZERO, tone_hz: 440.0, acts: Vec::new() };
    let mut scene = Scene::start(&Change::default(), manner);
    let from = "+31612345670";
    scene.call(Plan::new(from, NEVER).at(300, Act::HangUp));
    scene.over(1, 5);
    let id = scene.id(from);
    let file = scene.node.home.path().join("call.pcap");
    let name = file.to_str().expect("a name");
    let shown = scene.node.done(&["calls", "show", &id, "--pcap", name]);
    assert!(shown["messages"].as_u64().is_some_and(|count| count >= 11), "{shown}");
    let capture = fs::read(&file).expect("a capture");
    let text = String::from_utf8_lossy(&capture);
    for seen in ["INVITE sip:", "SIP/2.0 200 OK", "ACK sip:", "BYE sip:", "m=audio", &id] {
        assert!(text.matches(seen).count() >= 1, "{seen} is not in the capture");
    }
    assert_eq!(text.matches("INVITE sip:").count(), 2, "one INVITE a leg");
    for number in [from, NEVER, "612345670", "201234569"] {
        assert!(!text.contains(number), "a number is in the capture");
    }
    let unknown = scene.node.fails(&["calls", "show", &"0".repeat(id.len()), "--pcap", name]);
    assert!(unknown.to_string().contains("messages"), "{unknown}");
}
