//! The notice before the answer, heard in full: what comes after it, and what a recording holds.

use std::time::{Duration, Instant};

use support::{
    node::Change,
    peer::{
        leg::Leg,
        post::Peer,
        seen::Seen,
        voice::{Packet, Voice},
    },
    scene::{ENGLISH, words},
    sound::{begins, level},
    stage::{CALLER, Stage, sdp, wait},
};

/// A second caller.
const OTHER: &str = "+31612345001";

/// A call that hears the notice before the answer.
fn progresses(caller: &mut Peer, ear: &Voice, from: &str) -> (Leg, Seen) {
    let mut a = caller.calls(from, ENGLISH);
    caller.send(&a.invite().sdp(sdp(ear.own)));
    let progress = caller.expect(183);
    a.take(&progress);
    ear.talk_to(progress.sound());
    (a, progress)
}

#[test]
fn a_06_after_the_notice_the_pbx_answers_the_question_is_put_to_both_and_a_yes_records() {
    let table = "[trunk.early_notice]\nlimit_s = 10\n\n[[pbx]]\nname = \"pbx\"\n";
    let mut stage = Stage::with(Change::default().with("[[pbx]]\nname = \"pbx\"\n", table));
    let (mut caller, mut ear) = (Peer::new(stage.node.sip), Voice::new(stage.caller.own.ip()));
    let (mut a, progress) = progresses(&mut stage.caller, &stage.ear, CALLER);
    // What is said before the answer is nobody's to keep.
    stage.ear.speak(1_200.0);
    let (mut other, promised) = progresses(&mut caller, &ear, OTHER);

    // The notice of the English line is 8.4 s long; only then is the PBX called.
    let invite = stage.pbx.expect_within(Duration::from_secs(20), "INVITE");
    stage.pbx.send(&stage.pbx.called(&invite).reply(&invite, 100));
    let second = stage.pbx.expect("INVITE");
    let is_first = invite.header("From").contains(CALLER);
    let (invite, second) = if is_first { (invite, second) } else { (second, invite) };
    let (b, busy) = (stage.pbx.called(&invite), stage.pbx.called(&second));
    stage.pbx.send(&busy.reply(&second, 180));
    stage.pbx.send(&b.reply(&invite, 200).sdp(sdp(stage.desk.own)));
    stage.desk.talk_to(invite.sound());
    let ok = stage.caller.expect((200, "INVITE"));
    assert_eq!(ok.body(), progress.body(), "the description has changed");
    let asked = Instant::now();
    stage.caller.send(&a.ack(&ok));
    stage.ear.speak(0.0);

    // Both hear the question.
    let speech = |packets: &[Packet]| {
        let loud = |packet: &&Packet| packet.at >= asked && level(&packet.samples()) > 500.0;
        packets.iter().filter(loud).count() > 20
    };
    assert!(stage.ear.until(3_000, speech), "the caller hears no question");
    assert!(stage.desk.until(3_000, speech), "the PBX hears no question");
    stage.ear.press('1');

    // The carrier's limit is over while the other call rings: it is answered, and goes on ringing.
    let late = caller.expect((200, "INVITE"));
    assert_eq!(late.body(), promised.body(), "the description has changed");
    caller.send(&other.ack(&late));
    let answered = Instant::now();
    // A second of ring-back, then four of silence.
    let rings = |packets: &[Packet]| packets.iter().any(|p| p.at >= answered && p.holds(425.0));
    assert!(ear.until(6_000, rings), "no ring-back after the limit");
    stage.pbx.send(&busy.reply(&second, 486));
    let bye = caller.expect("BYE");
    assert!(bye.headers("Reason").iter().any(|reason| reason.contains("486")), "{}", bye.text);
    caller.send(&other.reply(&bye, 200));

    stage.ear.speak(700.0);
    stage.desk.speak(900.0);
    let talks = Instant::now();
    assert!(stage.ear.hears(900.0, talks) && stage.desk.hears(700.0, talks), "they do not talk");
    wait(1_500);
    stage.caller.send(&a.request("BYE"));
    stage.caller.expect((200, "BYE"));
    let bye = stage.pbx.expect("BYE");
    stage.pbx.send(&b.reply(&bye, 200));

    let mut all: Vec<String> = stage.ended(2).iter().map(words).collect();
    all.sort();
    assert_eq!(all, ["granted bridged recorded", "not-given busy not-given"]);
    let list = stage.node.until(&["recordings", "list"], |list| {
        list.as_array().is_some_and(|rows| rows.iter().any(|row| row["state"] == "stored"))
    });
    let rows = list.as_array().expect("recordings");
    assert_eq!(rows.len(), 1, "{list:#}");
    let recording = rows[0]["recording"].as_str().expect("an id");
    let (customer, agent) = stage.node.export(recording);
    assert!(begins(&customer, 700.0).is_some(), "what the caller said is lost");
    assert!(begins(&agent, 900.0).is_some(), "what the PBX said is lost");
    assert_eq!(begins(&customer, 1_200.0), None, "the time before the answer is in the recording");
}
