//! Reliable provisional responses, UPDATE and forks before the answer: rows.

use support::{
    peer::{leg::Leg, post::What, seen::Seen, voice::Voice},
    scene::NEVER,
    stage::{CALLER, Stage, sdp, sdp_again},
};

/// The `RAck` that acknowledges a reliable response.
fn rack(response: &Seen) -> String {
    let (number, method) = response.cseq();
    format!("{} {number} {method}", response.header("RSeq"))
}

/// A call of a caller that says this of itself, up to its INVITE at the PBX.
fn rings(stage: &mut Stage, name: &str, value: &str) -> (Leg, Leg, Seen) {
    let mut a = stage.caller.calls(CALLER, NEVER);
    stage.caller.send(&a.invite().with(name, value).sdp(sdp(stage.ear.own)));
    let invite = stage.pbx.expect("INVITE");
    let b = stage.pbx.called(&invite);
    (a, b, invite)
}

#[test]
fn a_08_a_reliable_ringing_is_repeated_until_its_prack_and_only_where_it_is_due() {
    let mut stage = Stage::start();
    let (mut a, b, invite) = rings(&mut stage, "Require", "100rel");
    stage.pbx.send(&b.reply(&invite, 180));
    let ringing = stage.caller.expect(180);
    assert!(ringing.header("Require").contains("100rel"), "{}", ringing.text);
    assert!(stage.caller.repeated(&ringing, 3).len() >= 3, "it is not repeated");
    a.take(&ringing);
    let wrong = format!("7{}", rack(&ringing));
    stage.caller.send(&a.request("PRACK").with("RAck", wrong));
    stage.caller.expect((481, "PRACK"));
    stage.caller.send(&a.request("PRACK").with("RAck", rack(&ringing)));
    stage.caller.expect((200, "PRACK"));
    stage.pbx.send(&b.reply(&invite, 486));
    stage.pbx.expect("ACK");
    stage.caller.expect(486);

    // Who only supports it is rung plainly, and gets a description reliably.
    let (mut a, b, invite) = rings(&mut stage, "Supported", "100rel");
    stage.pbx.send(&b.reply(&invite, 180));
    let plain = stage.caller.expect(180);
    assert_eq!(plain.get("RSeq"), None, "{}", plain.text);
    stage.pbx.send(&b.reply(&invite, 183).sdp(sdp(stage.desk.own)));
    let early = stage.caller.expect(183);
    a.take(&early);
    stage.caller.send(&a.request("PRACK").with("RAck", rack(&early)));
    stage.caller.expect((200, "PRACK"));
    // Who does not, never.
    let (_, b, invite) = stage.rings();
    stage.pbx.send(&b.reply(&invite, 183).sdp(sdp(stage.desk.own)));
    assert_eq!(stage.caller.expect(183).get("RSeq"), None);
}

#[test]
fn a_09_no_200_overtakes_a_description_that_is_not_acknowledged() {
    let mut stage = Stage::start();
    let (mut a, b, invite) = rings(&mut stage, "Supported", "100rel");
    stage.pbx.send(&b.reply(&invite, 183).sdp(sdp(stage.desk.own)));
    let early = stage.caller.expect(183);
    stage.pbx.send(&b.reply(&invite, 200).sdp(sdp(stage.desk.own)));
    stage.pbx.expect("ACK");
    stage.caller.hears_no(400, (200, "INVITE"));
    a.take(&early);
    stage.caller.send(&a.request("PRACK").with("RAck", rack(&early)));
    stage.caller.expect((200, "PRACK"));
    let ok = stage.caller.expect((200, "INVITE"));
    stage.caller.send(&a.ack(&ok));
}

#[test]
fn a_11_update_before_the_answer_is_answered_and_one_beside_an_open_offer_is_not() {
    let mut stage = Stage::start();
    let (mut a, mut b, invite) = rings(&mut stage, "Require", "100rel");
    stage.pbx.send(&b.reply(&invite, 180));
    let ringing = stage.caller.expect(180);
    a.take(&ringing);
    stage.caller.send(&a.request("PRACK").with("RAck", rack(&ringing)));
    stage.caller.expect((200, "PRACK"));
    let contact = a.contact.clone();
    let update = |a: &mut Leg, version| {
        let draft = a.request("UPDATE").with("Contact", &contact);
        draft.sdp(sdp_again(stage.ear.own, version, "sendrecv"))
    };
    // The caller's own offer has no answer yet (RFC 3311 §5.2) …
    let early = update(&mut a, 2);
    stage.caller.send(&early);
    let refused = stage.caller.expect((500, "UPDATE"));
    let seconds: u32 = refused.header("Retry-After").parse().expect("seconds");
    assert!(seconds <= 10, "{seconds}");
    // … and neither has ours to the PBX.
    let bare = b.reply(&invite, 180).with("Require", "100rel").with("RSeq", "7");
    stage.pbx.send(&bare);
    let prack = stage.pbx.expect("PRACK");
    stage.pbx.send(&b.reply(&prack, 200));
    // The caller is rung reliably again, and the next response waits until it says so.
    let again = stage.caller.expect(180);
    stage.caller.send(&a.request("PRACK").with("RAck", rack(&again)));
    stage.caller.expect((200, "PRACK"));
    let contact_b = b.contact.clone();
    let crossing = b.request("UPDATE").with("Contact", contact_b).sdp(sdp(stage.desk.own));
    stage.pbx.send(&crossing);
    stage.pbx.expect((491, "UPDATE"));
    stage.pbx.send(&b.reply(&invite, 183).sdp(sdp(stage.desk.own)));
    let early = stage.caller.expect(183);
    stage.caller.send(&a.request("PRACK").with("RAck", rack(&early)));
    stage.caller.expect((200, "PRACK"));
    let late = update(&mut a, 3);
    stage.caller.send(&late);
    let ok = stage.caller.expect((200, "UPDATE"));
    assert!(ok.line("m=audio ").is_some_and(|line| !line.starts_with("0 ")), "{}", ok.text);
    stage.pbx.send(&b.reply(&invite, 486));
    stage.caller.expect((486, "INVITE"));
}

#[test]
fn a_13_each_early_dialog_of_a_fork_is_acknowledged_by_its_own_tag_and_the_last_is_heard() {
    let mut stage = Stage::start();
    let (_, b, invite) = stage.rings();
    let supported = invite.headers("Supported").join(",");
    assert!(supported.contains("100rel"), "{supported}");
    let fork = stage.pbx.called(&invite);
    let other = Voice::new(stage.pbx.own.ip());
    stage.desk.speak(700.0);
    other.speak(900.0);
    stage.desk.talk_to(invite.sound());
    other.talk_to(invite.sound());
    for (leg, sound, rseq, hz) in
        [(&b, stage.desk.own, "11", 700.0), (&fork, other.own, "5", 900.0)]
    {
        let early =
            leg.reply(&invite, 183).with("Require", "100rel").with("RSeq", rseq).sdp(sdp(sound));
        let sent = stage.pbx.send(&early);
        stage.pbx.send(&early);
        let prack = stage.pbx.expect("PRACK");
        assert_eq!(prack.tag("To"), Some(&*leg.tag), "the PRACK is of another dialog");
        assert_eq!(prack.header("RAck"), format!("{rseq} {}", invite.header("CSeq")));
        stage.pbx.send(&leg.reply(&prack, 200));
        assert!(stage.ear.hears(hz, sent), "the last fork is not heard at {hz} Hz");
    }
    let is = |seen: &Seen| seen.method() == Some("PRACK");
    stage.pbx.hears_no(200, What::that("a PRACK of a repetition", is));
}

#[test]
fn a_17_of_several_places_that_ring_the_one_that_spoke_last_is_heard_and_the_one_that_answers() {
    let mut stage = Stage::start();
    let (_, b, invite) = stage.rings();
    let fork = stage.pbx.called(&invite);
    let other = Voice::new(stage.pbx.own.ip());
    stage.desk.speak(700.0);
    other.speak(900.0);
    stage.desk.talk_to(invite.sound());
    other.talk_to(invite.sound());
    let sounds = [(&b, stage.desk.own, 700.0), (&fork, other.own, 900.0)];
    for (leg, sound, hz) in sounds {
        let sent = stage.pbx.send(&leg.reply(&invite, 183).sdp(sdp(sound)));
        assert!(stage.ear.hears(hz, sent), "the place at {hz} Hz is not heard");
    }
    // The first one speaks again, and needs not describe its sound again.
    let sent = stage.pbx.send(&b.reply(&invite, 180));
    assert!(stage.ear.hears(700.0, sent), "the place that speaks again is not heard");
    // It gives up, and the other one goes on.
    let sent = stage.pbx.send(&b.reply(&invite, 199));
    assert!(stage.ear.hears(900.0, sent), "the place that is left is not heard");
    let sent = stage.pbx.send(&fork.reply(&invite, 200));
    stage.pbx.expect("ACK");
    assert!(stage.ear.hears(900.0, sent), "the place that answers is not heard");
}
