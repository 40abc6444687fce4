//! baresip as the caller and baresip as the PBX, in Opus: no line of the peers is ours.

use std::{thread, time::Duration};

use serde_json::Value;
use support::{
    baresip::{Baresip, Sound},
    node::{Change, Node},
    port,
    scene::ENGLISH,
    sound::{level, share_at},
};

/// The seconds in which a tone was heard at a rate.
fn seconds(samples: &[i16], hz: f64, rate_hz: u32) -> f64 {
    let is = |frame: &&[i16]| level(frame) > 300.0 && share_at(frame, hz, f64::from(rate_hz)) > 0.9;
    samples.chunks_exact(rate_hz as usize / 50).filter(is).count() as f64 / 50.0
}

#[test]
fn two_baresips_hear_each_other_in_opus_and_the_recording_has_both() {
    // A baresip takes the port above its own, too.
    let sip = port::pair();
    let there = format!("name = \"pbx\"\ntarget = [{{ host = \"127.0.0.1\", port = {sip} }}]\n#");
    let codecs = "codecs = [\"opus\", \"pcma\"]";
    let change = Change::default()
        .with("name = \"pbx\"\n", there)
        .with("codecs = [\"pcma\", \"pcmu\", \"g722\"]", codecs);
    let node = Node::start(&change);
    // Neither could be said in A-law.
    let (said, answered) = (5_000.0, 6_500.0);
    let pbx = Baresip::at(sip, ENGLISH, answered, Sound::Opus);
    let mut caller = Baresip::start("+31612345609", said, Sound::Opus);
    caller.order("dial", &format!("sip:{ENGLISH}@127.0.0.1:{}", node.sip));
    assert!(caller.reports("CALL_ESTABLISHED", Duration::from_secs(10)), "not answered");
    thread::sleep(Duration::from_millis(600));
    caller.order("sndcode", "1");
    let _granted = node.until(&["recordings", "list"], |rows| rows[0]["recording"].is_string());
    // A confirmation, then the two of them.
    thread::sleep(Duration::from_secs(9));
    caller.order("hangup", "");
    let words = |calls: &Value| calls[0]["verdict"] == "recorded";
    let _ended = node.until(&["calls", "list"], words);
    let rows = node.until(&["recordings", "list"], |rows| rows[0]["state"] == "stored");
    let id = rows[0]["recording"].as_str().expect("an id");
    let (left, right) = node.export_at(id, 16_000);
    let (ear, desk) = (caller.heard_at(48_000), pbx.heard_at(48_000));
    for (what, heard) in [
        ("the caller", seconds(&ear, answered, 48_000)),
        ("the PBX", seconds(&desk, said, 48_000)),
        ("the left side", seconds(&left, said, 16_000)),
        ("the right side", seconds(&right, answered, 16_000)),
    ] {
        assert!(heard >= 4.9, "{what} has {heard} s");
    }
    let middle = &left[left.len() / 4..left.len() * 3 / 4];
    let loud = 8_000.0 / std::f64::consts::SQRT_2;
    assert!((level(middle) / loud - 1.0).abs() < 0.1, "{} instead of {loud}", level(middle));
    assert_eq!(node.done(&["recordings", "verify", id])["verified"], Value::Bool(true));
}
