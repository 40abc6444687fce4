//! SIPp as caller and as PBX, with scenarios and sounds of our own: a peer that nobody here wrote.

use std::time::Duration;

use serde_json::Value;
use support::{
    node::{Change, Node},
    pcap, port,
    scene::words,
    sipp::{Sipp, Sound},
    sound::{encode_a, heard, tone},
};

const LINE: &str = "+31201234568";

fn packets(hz: f64, millis: u32, first: u16) -> Vec<pcap::Packet> {
    let encoded: Vec<u8> = tone(hz, millis, 8_000.0).into_iter().map(encode_a).collect();
    pcap::audio(&encoded, 8, first)
}

/// A PBX at the node's address whose tone of 440 Hz takes three seconds.
fn pbx(node: &Node, scenario: &str, calls: &str) -> Sipp {
    let tone = packets(440.0, 3_000, 100);
    Sipp::start(scenario, node.pbx, &[Sound::Own("tone.pcap", &tone)], &["-m", calls])
}

fn caller(node: &Node, scenario: &str) -> Sipp {
    let (marker, talk) = (packets(1_200.0, 2_000, 100), packets(700.0, 3_000, 2_000));
    let sounds = [
        Sound::Own("marker.pcap", &marker),
        Sound::Key("key.pcap", "1"),
        Sound::Own("talk.pcap", &talk),
    ];
    let to = format!("127.0.0.1:{}", node.sip);
    Sipp::start(scenario, port::free(), &sounds, &[&to, "-m", "1", "-s", LINE])
}

/// All calls, once there are so many and each has its words; the oldest first.
fn ended(node: &Node, count: usize) -> Vec<Value> {
    let value = node.until(&["calls", "list"], |calls| {
        calls.as_array().is_some_and(|rows| {
            rows.len() == count && rows.iter().all(|row| row["verdict"].is_string())
        })
    });
    value.as_array().into_iter().flatten().rev().cloned().collect()
}

#[test]
fn keys_at_the_question_and_in_the_notice_record_and_a_hang_up_leaves_nothing() {
    let node = Node::start(&Change::default());
    let answers = pbx(&node, "pbx_answers", "2");
    let limit = Duration::from_secs(50);
    let callers = ["caller_question", "caller_notice", "caller_leaves"];
    let callers = callers.map(|scenario| caller(&node, scenario));
    for (n, caller) in callers.into_iter().enumerate() {
        assert!(caller.succeeds(limit), "caller {n}:\n{}", node.log());
    }
    assert!(answers.succeeds(limit), "the PBX");
    let mut all: Vec<_> = ended(&node, 3).iter().map(words).collect();
    all.sort();
    let granted = "granted bridged recorded";
    assert_eq!(all, ["abandoned caller-gone abandoned", granted, granted]);

    let stored = |rows: &Value| {
        let rows = rows.as_array().into_iter().flatten();
        rows.filter(|row| row["state"] == "stored").count() == 2
    };
    let rows = node.until(&["recordings", "list"], stored);
    for row in rows.as_array().into_iter().flatten() {
        let (left, right) = node.export(row["recording"].as_str().expect("an id"));
        let share = |side: &[i16], hz| heard(side, hz) * side.len() as f64 / 8_000.0;
        assert!((2.9..3.1).contains(&share(&left, 700.0)), "{} s", share(&left, 700.0));
        assert!((2.9..3.1).contains(&share(&right, 440.0)), "{} s", share(&right, 440.0));
        assert_eq!((heard(&left, 1_200.0), heard(&right, 1_200.0)), (0.0, 0.0), "the marker");
        assert_eq!((heard(&left, 440.0), heard(&right, 700.0)), (0.0, 0.0), "a side crosses");
    }
    assert_eq!(node.files("store").len(), 2);
}

#[test]
fn a_pbx_that_hangs_up_is_busy_or_only_rings_ends_the_call_with_bye_to_the_caller() {
    let brief = Change::default().with("ring_timeout_s = 30", "ring_timeout_s = 2");
    let limit = Duration::from_secs(50);
    let cases = [
        ("pbx_hangs_up", "granted bridged recorded"),
        ("pbx_busy", "granted busy unconnected"),
        ("pbx_slow", "granted no-answer unconnected"),
    ];
    let running = cases.map(|(scenario, expected)| {
        let node = Node::start(&brief);
        let pbx = pbx(&node, scenario, "1");
        let caller = caller(&node, "caller_waits");
        (node, pbx, caller, scenario, expected)
    });
    for (node, pbx, caller, scenario, expected) in running {
        assert!(caller.succeeds(limit), "{scenario}: the caller:\n{}", node.log());
        assert!(pbx.succeeds(limit), "{scenario}: the PBX:\n{}", node.log());
        assert_eq!(words(&ended(&node, 1)[0]), expected, "{scenario}");
    }
}
