//! A caller who speaks G.722 to a PBX of G.711: each side hears the other, and the recording has all of it.

use std::{collections::BTreeSet, time::Instant};

use serde_json::Value;
use support::{
    peer::voice::Packet,
    scene::ENGLISH,
    sound::{level, share_at},
    stage::{CALLER, Stage, sdp, sdp_again, wait},
};

/// A second of 5,000 Hz with a peak of 8,000, which ffmpeg 7 encoded (`-c:a g722`).
const TONE: &[u8] = include_bytes!("../support/tone_5000.g722");
/// The root mean square of such a sine.
const LEVEL: f64 = 8_000.0 / std::f64::consts::SQRT_2;
/// 20 ms of 16,000 Hz.
const FRAME: usize = 320;

/// A description that has G.722 where it had A-law.
fn in_g722(description: &str) -> String {
    description.replace("RTP/AVP 8 101", "RTP/AVP 9 101").replace("8 PCMA/8000", "9 G722/8000")
}

/// The milliseconds of a channel in which a tone is heard at its level: the first, the last, and how
/// many between them have it not.
fn heard(samples: &[i16], hz: f64) -> (usize, usize, usize) {
    let is = |frame: &[i16]| {
        share_at(frame, hz, 16_000.0) > 0.95 && (level(frame) / LEVEL - 1.0).abs() < 0.15
    };
    let frames: Vec<bool> = samples.chunks_exact(FRAME).map(is).collect();
    let first = frames.iter().position(|is| *is).expect("the tone is heard");
    let last = frames.iter().rposition(|is| *is).expect("the tone is heard");
    let without = frames[first..=last].iter().filter(|is| !**is).count();
    (first * 20, last * 20 + 20, without * 20)
}

#[test]
fn b_04_a_tone_that_only_g_722_can_say_is_in_the_recording_and_a_change_to_g_711_keeps_the_time() {
    let mut stage = Stage::curt();
    let mut a = stage.caller.calls(CALLER, ENGLISH);
    stage.caller.send(&a.invite().sdp(in_g722(&sdp(stage.ear.own))));
    let ok = stage.caller.expect((200, "INVITE"));
    stage.caller.send(&a.ack(&ok));
    assert!(ok.line("m=audio ").is_some_and(|line| line.contains(" 9 ")), "{}", ok.text);
    stage.ear.talk_to(ok.sound());
    stage.ear.play(Some((9, TONE)));
    let speaks = |packet: &Packet| {
        packet.kind == 9 && packet.payload.iter().collect::<BTreeSet<_>>().len() > 8
    };
    assert!(stage.ear.until(3_000, |packets| packets.iter().any(speaks)), "no notice is heard");
    let (b, _invite) = stage.says_yes();
    stage.desk.speak(440.0);
    let bridged = Instant::now();
    wait(3_000);
    // From here on the caller speaks A-law.
    a.cseq += 1;
    stage.caller.send(&a.invite().sdp(sdp_again(stage.ear.own, 2, "sendrecv")));
    let ok = stage.caller.expect((200, "INVITE"));
    assert!(ok.line("m=audio ").is_some_and(|line| line.contains(" 8 ")), "{}", ok.text);
    stage.caller.send(&a.ack(&ok));
    stage.ear.play(None);
    stage.ear.speak(1_000.0);
    let changed = bridged.elapsed().as_millis() as usize;
    assert!(stage.desk.hears(1_000.0, Instant::now()), "the PBX does not hear the caller");
    wait(2_000);
    let talked = bridged.elapsed().as_millis() as usize;
    stage.caller.send(&a.request("BYE"));
    stage.caller.expect((200, "BYE"));
    let bye = stage.pbx.expect("BYE");
    stage.pbx.send(&b.reply(&bye, 200));
    let _ended = stage.ended(1);

    let stored = |rows: &Value| rows[0]["state"] == "stored";
    let rows = stage.node.until(&["recordings", "list"], stored);
    let id = rows[0]["recording"].as_str().expect("an id");
    assert_eq!(rows[0]["codec"], "pcm16-16000/pcma");
    let (left, right) = stage.node.export_at(id, 16_000);
    assert_eq!(left.len(), right.len(), "both sides are as long");
    let ((began, ended, none), (other, end, gaps)) = (heard(&left, 5_000.0), heard(&left, 1_000.0));
    assert!(began < 200 && ended.abs_diff(changed) < 300, "{began} to {ended} of {changed} ms");
    // Where the tone begins anew each second, a decoder needs a moment.
    assert!(none <= 200 && gaps <= 100, "{none} ms and {gaps} ms without the tones");
    // Until the caller has the answer, its G.722 is none that was agreed on: silence of its length.
    assert!(
        (ended..ended + 400).contains(&other),
        "from {ended} ms to {other} ms nothing is heard"
    );
    assert!(end.abs_diff(talked) < 300, "{end} ms of {talked} ms");
    let (from, until, gaps) = heard(&right, 440.0);
    assert!(until - from > 4_800 && gaps <= 60, "{from} to {until}, {gaps} ms without");
    assert_eq!(stage.node.done(&["recordings", "verify", id])["verified"], Value::Bool(true));
}
