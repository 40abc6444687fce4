//! The notice before the answer, in a 183: rows, B-18, C-09 and C-11.

use std::time::Instant;

use serde_json::Value;
use support::{
    node::Change,
    peer::{leg::Leg, seen::Seen, voice::Packet},
    scene::{ENGLISH, NEVER, words},
    stage::{CALLER, Stage, sdp, sdp_again, wait},
};

/// A stage whose trunk lets the notice be heard before the answer, with these keys beside, and on
/// which nobody hears a confirmation.
fn early(keys: &str) -> Stage {
    let table = format!("[trunk.early_notice]\n{keys}\n\n[[pbx]]\nname = \"pbx\"\n");
    let change = Change::default().with("[[pbx]]\nname = \"pbx\"\n", table);
    Stage::with(change.with("confirm = \"first\"", "confirm = \"off\""))
}

/// Places a call to the line that asks, with this header beside, and returns the 183 that follows.
fn progresses(stage: &mut Stage, (name, value): (&str, &str)) -> (Leg, Seen) {
    let mut a = stage.caller.calls(CALLER, ENGLISH);
    stage.caller.send(&a.invite().with(name, value).sdp(sdp(stage.ear.own)));
    let progress = stage.caller.expect(183);
    a.take(&progress);
    stage.ear.talk_to(progress.sound());
    (a, progress)
}

/// What every caller says.
const PLAIN: (&str, &str) = ("Subject", "notice");

/// Waits for the notice, and sees that it comes from the place that this description names.
fn hears_the_notice(stage: &mut Stage, description: &Seen, since: Instant) {
    let spoken =
        |packets: &[Packet]| packets.iter().filter(|p| p.at >= since && p.speaks()).count();
    assert!(stage.ear.until(3_000, |packets| spoken(packets) > 20), "no notice");
    let (sound, heard) = (description.sound(), stage.ear.heard());
    let strays = heard.iter().filter(|packet| packet.at >= since && packet.from != sound).count();
    assert_eq!(strays, 0, "sound comes from elsewhere than {sound}");
}

/// Acknowledges a response that asks for it.
fn pracks(stage: &mut Stage, a: &mut Leg, response: &Seen, answer: Option<String>) -> Seen {
    let (number, method) = response.cseq();
    let rack = format!("{} {number} {method}", response.header("RSeq"));
    let prack = a.request("PRACK").with("RAck", rack);
    stage.caller.send(&match answer {
        Some(answer) => prack.sdp(answer),
        None => prack,
    });
    stage.caller.expect((200, "PRACK"))
}

/// No recording was ever made, not even one that was removed again.
fn leaves_no_recording(stage: &Stage) {
    assert_eq!(stage.node.json(&["recordings", "list"]), Value::Array(Vec::new()));
    let store = stage.node.files("store");
    assert!(store.is_empty(), "{store:?}");
}

/// The words of the only calls that there were.
fn all_words(stage: &Stage, count: usize) -> Vec<String> {
    stage.ended(count).iter().map(words).collect()
}

#[test]
fn a_06_one_tag_one_description_and_one_port_from_the_183_to_the_200() {
    let mut stage = early("");
    let start = Instant::now();
    let (mut a, progress) = progresses(&mut stage, PLAIN);
    assert_eq!(progress.get("RSeq"), None, "{}", progress.text);
    hears_the_notice(&mut stage, &progress, start);
    stage.caller.hears_no(50, (200, "INVITE"));
    stage.pbx.hears_no(50, "INVITE");
    // A no counts at once, answered or not.
    stage.ear.press('2');
    let invite = stage.pbx.expect("INVITE");
    let b = stage.pbx.called(&invite);
    stage.pbx.send(&b.reply(&invite, 180));
    assert_eq!(stage.caller.expect(180).tag("To"), progress.tag("To"));
    let rings = Instant::now();
    assert!(stage.ear.hears(425.0, rings), "no ring-back before the answer");
    stage.pbx.send(&b.reply(&invite, 200).sdp(sdp(stage.desk.own)));
    stage.pbx.expect("ACK");
    let ok = stage.caller.expect((200, "INVITE"));
    assert_eq!(ok.tag("To"), progress.tag("To"));
    assert_eq!(ok.body(), progress.body(), "the description has changed");
    stage.caller.send(&a.ack(&ok));
    stage.desk.talk_to(invite.sound());
    stage.desk.speak(700.0);
    let talks = Instant::now();
    assert!(stage.ear.hears(700.0, talks), "the PBX is not heard");
    let from_elsewhere = stage.ear.heard().iter().filter(|p| p.from != progress.sound()).count();
    assert_eq!(from_elsewhere, 0, "the port has changed");
    stage.caller.send(&a.request("BYE"));
    stage.caller.expect((200, "BYE"));
    assert_eq!(all_words(&stage, 1), ["refused bridged refused"]);
    leaves_no_recording(&stage);
}

#[test]
fn a_06_a_reliable_183_is_acknowledged_before_the_notice_and_may_hold_the_offer() {
    let mut stage = early("");
    for offers in [true, false] {
        let mut a = stage.caller.calls(CALLER, ENGLISH);
        let invite = a.invite().with("Supported", "100rel");
        stage.caller.send(&if offers { invite.sdp(sdp(stage.ear.own)) } else { invite });
        let progress = stage.caller.expect(183);
        a.take(&progress);
        assert!(progress.header("Require").contains("100rel"), "{}", progress.text);
        let formats = progress.line("m=audio ").expect("audio").split_once("AVP ").expect("them").1;
        assert_eq!(formats, if offers { "8 101" } else { "8 0 9 101" });
        let before = Instant::now();
        wait(250);
        let early = stage.ear.heard().iter().filter(|p| p.at >= before && p.speaks()).count();
        assert_eq!(early, 0, "the notice does not wait for the PRACK");
        let answer = (!offers).then(|| sdp(stage.ear.own));
        let acknowledged = Instant::now();
        pracks(&mut stage, &mut a, &progress, answer);
        stage.ear.talk_to(progress.sound());
        hears_the_notice(&mut stage, &progress, acknowledged);
        stage.ear.press('2');
        let invite = stage.pbx.expect("INVITE");
        let b = stage.pbx.called(&invite);
        stage.pbx.send(&b.reply(&invite, 200).sdp(sdp(stage.desk.own)));
        stage.pbx.expect("ACK");
        let ok = stage.caller.expect((200, "INVITE"));
        assert_eq!(ok.tag("To"), progress.tag("To"));
        // An offer that was answered is not made again (RFC 3261 §13.2.1).
        assert_eq!(ok.body(), if offers { progress.body() } else { "" });
        stage.caller.send(&a.ack(&ok));
        stage.caller.send(&a.request("BYE"));
        stage.caller.expect((200, "BYE"));
        let bye = stage.pbx.expect("BYE");
        stage.pbx.send(&b.reply(&bye, 200));
    }
}

#[test]
fn a_06_who_cannot_hear_a_183_is_answered_first_and_a_quiet_line_rings_as_ever() {
    let mut stage = early("");
    // No offer, and no way to take ours before the answer.
    let mut a = stage.caller.calls(CALLER, ENGLISH);
    stage.caller.send(&a.invite());
    let ok = stage.caller.expect((200, "INVITE"));
    let is = |seen: &Seen| seen.status() == Some(183);
    assert!(!stage.caller.everything().iter().any(is), "a 183 without an ear to hear");
    stage.caller.send(&a.ack(&ok).sdp(sdp(stage.ear.own)));
    let acknowledged = Instant::now();
    hears_the_notice(&mut stage, &ok, acknowledged);
    stage.caller.send(&a.request("BYE"));
    stage.caller.expect((200, "BYE"));
    // A line that is never recorded has no notice.
    let mut a = stage.caller.calls(CALLER, NEVER);
    stage.caller.send(&a.invite().sdp(sdp(stage.ear.own)));
    let invite = stage.pbx.expect("INVITE");
    let b = stage.pbx.called(&invite);
    assert!(!stage.caller.everything().iter().any(is), "a notice on a quiet line");
    stage.pbx.send(&b.reply(&invite, 486));
    stage.caller.expect((486, "INVITE"));
}

#[test]
fn a_07_the_183_of_who_supports_p_early_media_says_which_way_sound_flows() {
    const SUPPORTED: (&str, &str) = ("P-Early-Media", "supported");
    let mut stage = early("");
    let (_, progress) = progresses(&mut stage, SUPPORTED);
    assert_eq!(progress.headers("P-Early-Media"), ["sendonly"]);
    let (_, progress) = progresses(&mut stage, PLAIN);
    assert_eq!(progress.get("P-Early-Media"), None, "{}", progress.text);
    // A trunk whose keys come through, and which trusts only who says so.
    let mut stage = early("question = \"before_answer\"\nunmarked = \"answer\"");
    let (_, progress) = progresses(&mut stage, SUPPORTED);
    assert_eq!(progress.headers("P-Early-Media"), ["sendrecv"]);
    let (_, ok) = stage.asked();
    assert_eq!(ok.get("P-Early-Media"), None, "{}", ok.text);
}

#[test]
fn b_18_a_busy_pbx_costs_the_caller_nothing_and_says_why() {
    let mut stage = early("");
    let (mut a, _) = progresses(&mut stage, PLAIN);
    let start = Instant::now();
    assert!(stage.ear.is_spoken_to(start), "no notice");
    stage.ear.press('2');
    let invite = stage.pbx.expect("INVITE");
    let b = stage.pbx.called(&invite);
    let busy = b.reply(&invite, 486);
    let busy = busy.with("Reason", "Q.850;cause=17;text=\"User busy\"").with("Retry-After", "30");
    stage.pbx.send(&busy.with("Warning", "399 pbx.inside \"All agents talk\""));
    stage.pbx.expect("ACK");
    let refused = stage.caller.expect((486, "INVITE"));
    assert_eq!(refused.header("Reason"), "Q.850;cause=17;text=\"User busy\"");
    assert_eq!(refused.header("Retry-After"), "30");
    assert_eq!(refused.header("Warning"), "399 jawoord \"All agents talk\"");
    stage.caller.send(&a.ack(&refused));
    assert_eq!(stage.caller.times((200, "INVITE")), 0, "the caller was answered");
    assert_eq!(all_words(&stage, 1), ["refused busy refused"]);
    leaves_no_recording(&stage);
}

#[test]
fn c_09_a_cancel_in_the_notice_ends_it_with_487_and_nobody_else_hears_of_the_call() {
    let mut stage = early("question = \"before_answer\"");
    let start = Instant::now();
    let (mut a, progress) = progresses(&mut stage, PLAIN);
    hears_the_notice(&mut stage, &progress, start);
    // Not even a yes outlives the call.
    stage.ear.press('1');
    wait(150);
    stage.caller.send(&a.cancel());
    stage.caller.expect((200, "CANCEL"));
    let gone = stage.caller.expect((487, "INVITE"));
    assert_eq!(gone.tag("To"), progress.tag("To"));
    stage.caller.send(&a.ack(&gone));
    wait(60);
    let after = Instant::now();
    stage.pbx.hears_no(300, "INVITE");
    let late = stage.ear.heard().iter().filter(|packet| packet.at >= after).count();
    assert_eq!(late, 0, "the notice goes on");
    assert_eq!(all_words(&stage, 1), ["abandoned caller-gone abandoned"]);
    leaves_no_recording(&stage);
}

#[test]
fn c_11_a_hold_before_the_answer_stops_the_notice_and_its_end_plays_it_again() {
    let mut stage = early("");
    let mut a = stage.caller.calls(CALLER, ENGLISH);
    let start = Instant::now();
    stage.caller.send(&a.invite().with("Supported", "100rel").sdp(sdp(stage.ear.own)));
    let progress = stage.caller.expect(183);
    a.take(&progress);
    pracks(&mut stage, &mut a, &progress, None);
    hears_the_notice(&mut stage, &progress, start);
    let update = |stage: &mut Stage, a: &mut Leg, version, direction| {
        let contact = a.contact.clone();
        let draft = a.request("UPDATE").with("Contact", contact);
        stage.caller.send(&draft.sdp(sdp_again(stage.ear.own, version, direction)));
        stage.caller.expect((200, "UPDATE"))
    };
    let ok = update(&mut stage, &mut a, 2, "sendonly");
    assert!(ok.body().contains("a=recvonly"), "{}", ok.body());
    wait(100);
    let held = Instant::now();
    wait(400);
    let spoken = stage.ear.heard().iter().filter(|p| p.at >= held && p.speaks()).count();
    assert_eq!(spoken, 0, "the notice goes on in the hold");
    let back = Instant::now();
    update(&mut stage, &mut a, 3, "sendrecv");
    hears_the_notice(&mut stage, &progress, back);
    stage.caller.send(&a.cancel());
    stage.caller.expect((487, "INVITE"));
    stage.pbx.hears_no(50, "INVITE");
}
