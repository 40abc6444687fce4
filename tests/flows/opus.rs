//! Opus between two sides that speak it: passed on, recorded, and left where one of them does not.

use std::time::{Duration, Instant};

use serde_json::Value;
use support::{
    node::Change,
    peer::{
        leg::Leg,
        seen::Seen,
        voice::{Packet, Voice},
    },
    scene::{ENGLISH, NEVER},
    sound::{level, share_at},
    stage::{CALLER, Stage, sdp, wait},
};

/// A second of 5,000 Hz with a peak of 8,000 in packets of 160 bytes, which libopus 1.3.1 encoded.
const TONE: &[u8] = include_bytes!("../support/tone_5000.opus");
/// The root mean square of such a sine.
const LEVEL: f64 = 8_000.0 / std::f64::consts::SQRT_2;
/// What the lab speaks.
const CODECS: &str = "codecs = [\"pcma\", \"pcmu\", \"g722\"]";

/// A stage that speaks Opus first, on which nobody hears a confirmation.
fn stage() -> Stage {
    let codecs = "codecs = [\"opus\", \"pcma\"]";
    let change = Change::default().with("confirm = \"first\"", "confirm = \"off\"");
    let stage = Stage::with(change.with(CODECS, codecs));
    for voice in [&stage.ear, &stage.desk] {
        speaks_opus(voice);
    }
    stage
}

fn speaks_opus(voice: &Voice) {
    voice.clock(48_000);
    voice.events(110);
    voice.play(Some((111, TONE)));
}

/// A description that has Opus before A-law, or alone.
fn in_opus(description: &str, alone: bool) -> String {
    let formats = if alone { "RTP/AVP 111 110" } else { "RTP/AVP 111 8 110 101" };
    description.replace("RTP/AVP 8 101", formats).replace(
        "a=rtpmap:8 PCMA/8000\r\n",
        "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 maxaveragebitrate=64000;stereo=0\r\n\
         a=rtpmap:110 telephone-event/48000\r\na=rtpmap:8 PCMA/8000\r\n",
    )
}

/// Whether one side has what the other sends, packet by packet, each 960 ticks after the one before.
fn hears_the_other(voice: &mut Voice, since: Instant) -> bool {
    voice.until(3_000, |packets| {
        let tone: Vec<&Packet> = packets
            .iter()
            .filter(|packet| packet.at >= since && packet.kind == 111)
            .filter(|packet| TONE.chunks_exact(160).any(|part| part == packet.payload))
            .collect();
        let in_time = |pair: &[&Packet]| {
            let number = pair[1].sequence.wrapping_sub(pair[0].sequence);
            let time = pair[1].timestamp.wrapping_sub(pair[0].timestamp);
            time == u32::from(number) * 960
        };
        tone.len() > 50 && tone.windows(2).all(in_time)
    })
}

/// The caller is asked, says yes, and the PBX is called.
fn asked(stage: &mut Stage, offer: &str) -> (Leg, Seen) {
    let mut a = stage.caller.calls(CALLER, ENGLISH);
    stage.caller.send(&a.invite().sdp(offer));
    let ok = stage.caller.expect((200, "INVITE"));
    stage.caller.send(&a.ack(&ok));
    assert!(ok.text.contains("opus/48000/2"), "{}", ok.text);
    assert!(ok.text.contains("a=rtpmap:110 telephone-event/48000"), "{}", ok.text);
    stage.ear.talk_to(ok.sound());
    // The notice comes in packets of 20 ms that were encoded when it was loaded.
    let speaks = |packet: &Packet| packet.kind == 111 && packet.payload.len() == 120;
    assert!(stage.ear.until(3_000, |packets| packets.iter().any(speaks)), "no notice is heard");
    stage.ear.press('1');
    (a, stage.pbx.expect_within(Duration::from_secs(20), "INVITE"))
}

#[test]
fn d_10_opus_passes_between_two_sides_with_keys_in_its_clock_and_is_recorded() {
    let mut stage = stage();
    let offer = in_opus(&sdp(stage.ear.own), false);
    let (mut a, invite) = asked(&mut stage, &offer);
    // What the caller wants of Opus is what the PBX is told.
    assert!(invite.text.contains("a=fmtp:111 maxaveragebitrate=64000;stereo=0"), "{}", invite.text);
    let mut b = stage.pbx.called(&invite);
    stage.pbx.send(&b.reply(&invite, 200).sdp(in_opus(&sdp(stage.desk.own), true)));
    stage.pbx.expect("ACK");
    b.cseq = 0;
    stage.desk.talk_to(invite.sound());
    let bridged = Instant::now();
    wait(300);
    assert!(hears_the_other(&mut stage.ear, bridged) && hears_the_other(&mut stage.desk, bridged));
    stage.ear.press('7');
    wait(1_500);
    assert_eq!(stage.desk.keys(110), "7");
    let held = |packet: &&Packet| packet.kind == 110;
    let longest = stage
        .desk
        .heard()
        .iter()
        .filter(held)
        .map(|packet| u16::from_be_bytes([packet.payload[2], packet.payload[3]]));
    assert_eq!(longest.max(), Some(4_800), "100 ms of 48,000 Hz");
    wait(1_500);
    stage.caller.send(&a.request("BYE"));
    stage.caller.expect((200, "BYE"));
    let bye = stage.pbx.expect("BYE");
    stage.pbx.send(&b.reply(&bye, 200));
    let calls = stage.ended(1);
    assert_eq!(calls[0]["verdict"], "recorded");

    let rows = stage.node.until(&["recordings", "list"], |rows| rows[0]["state"] == "stored");
    let id = rows[0]["recording"].as_str().expect("an id");
    assert_eq!(rows[0]["codec"], "pcm16-16000/pcm16-16000");
    let (left, right) = stage.node.export_at(id, 16_000);
    for (side, least) in [(left, 3.0), (right, 3.3)] {
        let is = |frame: &&[i16]| {
            share_at(frame, 5_000.0, 16_000.0) > 0.95 && (level(frame) / LEVEL - 1.0).abs() < 0.15
        };
        let seconds = side.chunks_exact(320).filter(is).count() as f64 / 50.0;
        assert!(seconds > least, "{seconds} s of the tone");
    }
    assert_eq!(stage.node.done(&["recordings", "verify", id])["verified"], Value::Bool(true));
}

#[test]
fn b_04_where_the_pbx_speaks_no_opus_the_caller_is_asked_to_leave_it_and_both_hear_each_other() {
    let mut stage = stage();
    let offer = in_opus(&sdp(stage.ear.own), false);
    let (mut a, invite) = asked(&mut stage, &offer);
    assert!(
        invite.line("m=audio ").is_some_and(|line| line.contains(" 111 8 ")),
        "{}",
        invite.text
    );
    let mut b = stage.pbx.called(&invite);
    stage.pbx.send(&b.reply(&invite, 200).sdp(sdp(stage.desk.own)));
    stage.pbx.expect("ACK");
    b.cseq = 0;
    let again = stage.caller.expect("INVITE");
    assert!(!again.text.contains("opus") && again.text.contains("PCMA/8000"), "{}", again.text);
    stage.caller.send(&a.reply(&again, 200).sdp(sdp(stage.ear.own)));
    stage.caller.expect("ACK");
    for (voice, to) in [(&stage.ear, again.sound()), (&stage.desk, invite.sound())] {
        voice.clock(8_000);
        voice.events(101);
        voice.play(None);
        voice.talk_to(to);
    }
    stage.ear.speak(700.0);
    stage.desk.speak(440.0);
    wait(200);
    let since = Instant::now();
    assert!(stage.desk.hears(700.0, since), "the PBX does not hear the caller");
    assert!(stage.ear.hears(440.0, since), "the caller does not hear the PBX");
    stage.caller.send(&a.request("BYE"));
    stage.caller.expect((200, "BYE"));
    let bye = stage.pbx.expect("BYE");
    stage.pbx.send(&b.reply(&bye, 200));
    assert_eq!(stage.ended(1)[0]["verdict"], "recorded");
}

#[test]
fn b_09_a_caller_who_will_not_leave_opus_stays_and_the_log_says_why_neither_hears_the_other() {
    let mut stage = stage();
    let offer = in_opus(&sdp(stage.ear.own), false);
    let (mut a, invite) = asked(&mut stage, &offer);
    let mut b = stage.pbx.called(&invite);
    stage.pbx.send(&b.reply(&invite, 200).sdp(sdp(stage.desk.own)));
    stage.pbx.expect("ACK");
    b.cseq = 0;
    let again = stage.caller.expect("INVITE");
    stage.caller.send(&a.reply(&again, 488));
    stage.caller.expect("ACK");
    let until = Instant::now() + Duration::from_secs(3);
    while !stage.node.log().contains("will not leave it") {
        assert!(Instant::now() < until, "{}", stage.node.log());
        wait(20);
    }
    // It is asked once.
    wait(600);
    stage.caller.send(&a.request("BYE"));
    stage.caller.expect((200, "BYE"));
    let bye = stage.pbx.expect("BYE");
    stage.pbx.send(&b.reply(&bye, 200));
    assert_eq!(stage.node.log().matches("will not leave it").count(), 1);
}

#[test]
fn a_02_a_line_that_is_never_recorded_passes_opus_and_one_who_knows_nothing_else_is_told_so() {
    let mut stage = stage();
    let mut a = stage.caller.calls(CALLER, NEVER);
    stage.caller.send(&a.invite().sdp(in_opus(&sdp(stage.ear.own), true)));
    let invite = stage.pbx.expect("INVITE");
    // A caller of Opus alone is one for a PBX of Opus alone.
    assert!(invite.line("m=audio ").is_some_and(|line| line.contains("RTP/AVP 111 101 110")));
    let mut b = stage.pbx.called(&invite);
    stage.pbx.send(&b.reply(&invite, 200).sdp(in_opus(&sdp(stage.desk.own), true)));
    stage.pbx.expect("ACK");
    b.cseq = 0;
    let ok = stage.caller.expect((200, "INVITE"));
    stage.caller.send(&a.ack(&ok));
    stage.ear.talk_to(ok.sound());
    stage.desk.talk_to(invite.sound());
    wait(200);
    let since = Instant::now();
    assert!(hears_the_other(&mut stage.ear, since) && hears_the_other(&mut stage.desk, since));
    stage.caller.send(&a.request("BYE"));
    stage.caller.expect((200, "BYE"));
    let bye = stage.pbx.expect("BYE");
    stage.pbx.send(&b.reply(&bye, 200));
}
