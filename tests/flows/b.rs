//! Bridging, changes in the call and teardown: rows B.

use std::time::Instant;

use support::{
    peer::{leg::Leg, post::What, seen::Seen, voice::Voice},
    scene::{ENGLISH, NEVER},
    stage::{CALLER, Stage, Talk, sdp, sdp_again, wait},
};

/// Which of the two sides a test is about.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Caller,
    Pbx,
}

/// Offers a new session on one side, sees it accepted, acknowledges, and returns the 200.
fn offers(stage: &mut Stage, talk: &mut Talk, end: End, body: &str) -> Seen {
    let (peer, leg) = match end {
        End::Caller => (&mut stage.caller, &mut talk.a),
        End::Pbx => (&mut stage.pbx, &mut talk.b),
    };
    let invite = leg.invite();
    peer.send(&invite.sdp(body));
    let cseq = leg.cseq;
    let is = move |seen: &Seen| seen.status() >= Some(200) && seen.cseq() == (cseq, "INVITE");
    let ok = peer.expect(What::that("an answer to the offer", is));
    assert_eq!(ok.status(), Some(200), "{}", ok.text);
    peer.send(&leg.ack(&ok));
    ok
}

/// Both sides speak and both hear each other, from now on.
fn both_hear(stage: &mut Stage) {
    let now = Instant::now();
    stage.ear.speak(700.0);
    stage.desk.speak(900.0);
    assert!(stage.desk.hears(700.0, now), "the PBX does not hear the caller");
    assert!(stage.ear.hears(900.0, now), "the caller does not hear the PBX");
}

#[test]
fn b_01_hold_in_every_spelling_by_either_side_is_answered_right_and_resume_brings_sound_back() {
    let mut stage = Stage::start();
    let mut talk = stage.talk();
    both_hear(&mut stage);
    let mut version = 1;
    for end in [End::Caller, End::Pbx] {
        let own = if end == End::Caller { stage.ear.own } else { stage.desk.own };
        let old = format!("c=IN IP4 {}", own.ip());
        for (spelling, answers) in [
            (Some("sendonly"), "recvonly"),
            (Some("inactive"), "inactive"),
            // RFC 2543: no direction, and an address that nobody has.
            (None, "recvonly"),
        ] {
            version += 1;
            let body = match spelling {
                Some(direction) => sdp_again(own, version, direction),
                None => sdp_again(own, version, "sendrecv").replace(&old, "c=IN IP4 0.0.0.0"),
            };
            let ok = offers(&mut stage, &mut talk, end, &body);
            assert!(
                ok.body().contains(&format!("a={answers}")),
                "{end:?} {spelling:?}: {}",
                ok.text
            );
            version += 1;
            let ok = offers(&mut stage, &mut talk, end, &sdp_again(own, version, "sendrecv"));
            assert!(ok.body().contains("a=sendrecv"), "{}", ok.text);
            both_hear(&mut stage);
        }
    }
    // Hold and resume at another port, as some phones do.
    let moved = Voice::new(stage.caller.own.ip());
    offers(&mut stage, &mut talk, End::Caller, &sdp_again(moved.own, 50, "sendonly"));
    offers(&mut stage, &mut talk, End::Caller, &sdp_again(moved.own, 51, "sendrecv"));
    moved.talk_to(talk.ok.sound());
    stage.ear.stop();
    stage.ear = moved;
    both_hear(&mut stage);
}

#[test]
fn b_03_a_re_invite_without_an_offer_gets_one_with_every_codec_and_the_acks_answer_counts() {
    let mut stage = Stage::start();
    let mut talk = stage.talk();
    both_hear(&mut stage);
    let mut moved = Voice::new(stage.pbx.own.ip());
    stage.pbx.send(&talk.b.invite());
    let ok = stage.pbx.expect((200, "INVITE"));
    let formats = ok.line("m=audio ").expect("audio").split_once("AVP ").expect("formats").1;
    let mut formats: Vec<_> = formats.split(' ').collect();
    formats.sort_unstable();
    assert_eq!(formats, ["0", "101", "8", "9"], "not every codec is offered");
    stage.pbx.send(&talk.b.ack(&ok).sdp(sdp_again(moved.own, 2, "sendrecv")));
    let at = Instant::now();
    assert!(moved.hears(700.0, at), "the place in the ACK hears nothing");
    moved.talk_to(ok.sound());
    moved.speak(1_100.0);
    assert!(stage.ear.hears(1_100.0, at), "the place in the ACK is not heard");
}

#[test]
fn b_05_a_new_place_is_followed_at_once_and_the_old_source_is_dropped() {
    let mut stage = Stage::start();
    let mut talk = stage.talk();
    both_hear(&mut stage);
    let mut moved = Voice::new(stage.caller.own.ip());
    let ok = offers(&mut stage, &mut talk, End::Caller, &sdp_again(moved.own, 2, "sendrecv"));
    let at = Instant::now();
    assert!(moved.hears(900.0, at), "the new place hears nothing");
    moved.talk_to(ok.sound());
    moved.speak(1_100.0);
    assert!(stage.desk.hears(1_100.0, at), "the new place is not heard");
    // The old one talks on, as a phone that was left behind does.
    stage.ear.speak(1_300.0);
    wait(150);
    let at = Instant::now();
    wait(150);
    assert!(stage.desk.last(1_300.0).is_none(), "the old source is heard");
    assert!(stage.desk.last(1_100.0) > Some(at), "the new one is not heard any more");
    assert!(stage.ear.last(900.0) < Some(at), "the old place still gets sound");
}

#[test]
fn b_06_after_several_re_invites_in_a_row_the_caller_hears_each_place() {
    let mut stage = Stage::start();
    let mut talk = stage.talk();
    both_hear(&mut stage);
    for (n, hz) in [(2, 500.0), (3, 1_100.0), (4, 1_300.0)] {
        let mut place = Voice::new(stage.pbx.own.ip());
        place.speak(hz);
        let (ok, at);
        if n == 3 {
            // One of them comes without an offer.
            stage.pbx.send(&talk.b.invite());
            let cseq = talk.b.cseq;
            let is = move |seen: &Seen| seen.status() == Some(200) && seen.cseq().0 == cseq;
            ok = stage.pbx.expect(What::that("200", is));
            stage.pbx.send(&talk.b.ack(&ok).sdp(sdp_again(place.own, n, "sendrecv")));
        } else {
            ok = offers(&mut stage, &mut talk, End::Pbx, &sdp_again(place.own, n, "sendrecv"));
        }
        at = Instant::now();
        place.talk_to(ok.sound());
        assert!(stage.ear.hears(hz, at), "the {n}. place is not heard");
        assert!(place.hears(700.0, at), "the {n}. place hears nothing");
    }
    stage.caller.hears_no(50, "BYE");
}

#[test]
fn b_08_a_second_offer_while_one_is_open_is_refused_and_a_later_one_taken() {
    let mut stage = Stage::start();
    let (mut a, b, invite) = stage.rings();
    stage.pbx.send(&b.reply(&invite, 180));
    let ringing = stage.caller.expect(180);
    // In the call that is not answered yet (RFC 3261 §14.2).
    let first = a.clone();
    a.take(&ringing);
    stage.caller.send(&a.invite().sdp(sdp_again(stage.ear.own, 2, "sendrecv")));
    let refused = stage.caller.expect((500, "INVITE"));
    let seconds: u32 = refused.header("Retry-After").parse().expect("seconds");
    assert!(seconds <= 10, "{seconds}");
    stage.caller.send(&a.ack(&refused));

    let mut talk = stage.answers(first, b, invite);
    talk.a.cseq = a.cseq;
    // Before the 200 to the last one is acknowledged.
    stage.caller.send(&talk.a.invite().sdp(sdp_again(stage.ear.own, 3, "sendonly")));
    let open = stage.caller.expect((200, "INVITE"));
    let first = talk.a.clone();
    stage.caller.send(&talk.a.invite().sdp(sdp_again(stage.ear.own, 4, "inactive")));
    let is = |seen: &Seen| matches!(seen.status(), Some(491 | 500)) && seen.cseq().1 == "INVITE";
    let refused = stage.caller.expect(What::that("491 or 500", is));
    if refused.status() == Some(500) {
        assert!(refused.get("Retry-After").is_some());
    }
    stage.caller.send(&talk.a.ack(&refused));
    stage.caller.send(&{ first }.ack(&open));
    wait(50);
    let again = sdp_again(stage.ear.own, 5, "sendrecv");
    let ok = offers(&mut stage, &mut talk, End::Caller, &again);
    assert!(ok.body().contains("a=sendrecv"), "{}", ok.text);
    both_hear(&mut stage);
}

#[test]
fn b_10_an_old_cseq_gets_500_and_an_unchanged_version_changes_nothing() {
    let mut stage = Stage::start();
    let mut talk = stage.talk();
    both_hear(&mut stage);
    let again = sdp_again(stage.ear.own, 2, "sendrecv");
    offers(&mut stage, &mut talk, End::Caller, &again);
    let cseq = talk.a.cseq;
    talk.a.cseq = cseq - 2;
    stage.caller.send(&talk.a.request("OPTIONS"));
    stage.caller.expect((500, "OPTIONS"));
    talk.a.cseq = cseq;

    // The version of o= stands still, so whatever else differs is no offer of anything new.
    let elsewhere = Voice::new(stage.caller.own.ip());
    let same = sdp_again(stage.ear.own, 2, "sendrecv");
    let m = format!("m=audio {}", stage.ear.own.port());
    let odd = same.replace(&m, &format!("m=audio {}", elsewhere.own.port()));
    offers(&mut stage, &mut talk, End::Caller, &odd);
    both_hear(&mut stage);
}

#[test]
fn b_13_both_sides_hang_up_at_once_and_each_gets_200_and_there_is_one_record() {
    let mut stage = Stage::start();
    let mut talk = stage.talk();
    let (one, other) = (talk.a.request("BYE"), talk.b.request("BYE"));
    stage.caller.send(&one);
    stage.pbx.send(&other);
    stage.caller.expect((200, "BYE"));
    stage.pbx.expect((200, "BYE"));
    let ended = stage.ended(1);
    assert_eq!(ended.len(), 1);
    // A BYE of the node that crossed was answered with 481 or 200 by nobody here; it ends all the
    // same, and nothing is sent to a dialog that is over.
    stage.caller.hears_no(50, "INVITE");
}

#[test]
fn b_14_a_bye_crosses_an_offer_and_after_a_bye_there_is_no_dialog() {
    let mut stage = Stage::start();
    let mut talk = stage.talk();
    // The PBX hangs up; before the caller hears of it, the caller offers something.
    stage.pbx.send(&talk.b.request("BYE"));
    stage.pbx.expect((200, "BYE"));
    let bye = stage.caller.expect("BYE");
    stage.caller.send(&talk.a.invite().sdp(sdp_again(stage.ear.own, 2, "sendonly")));
    let is = |seen: &Seen| matches!(seen.status(), Some(481 | 487)) && seen.cseq().1 == "INVITE";
    let refused = stage.caller.expect(What::that("481 or 487", is));
    stage.caller.send(&talk.a.ack(&refused));
    stage.caller.send(&talk.a.reply(&bye, 200));
    assert_eq!(stage.ended(1).len(), 1);
    // And the other way round: who hung up has no dialog any more.
    let mut talk = stage.talk();
    stage.caller.send(&talk.a.request("BYE"));
    stage.caller.expect((200, "BYE"));
    stage.caller.send(&talk.a.invite().sdp(sdp_again(stage.ear.own, 2, "sendonly")));
    let refused = stage.caller.expect((481, "INVITE"));
    stage.caller.send(&talk.a.ack(&refused));
    let bye = stage.pbx.expect("BYE");
    stage.pbx.send(&talk.b.reply(&bye, 200));
    assert_eq!(stage.ended(2).len(), 2);
}

#[test]
fn b_15_a_cancel_waits_for_a_1xx_and_one_that_crosses_the_answer_is_followed_by_ack_and_bye() {
    let mut stage = Stage::start();
    // No CANCEL of ours before the PBX has said anything; then it cancels, and the answer crosses.
    let (mut a, b, invite) = stage.rings();
    stage.caller.send(&a.cancel());
    stage.caller.expect((200, "CANCEL"));
    let gone = stage.caller.expect((487, "INVITE"));
    stage.caller.send(&a.ack(&gone));
    stage.pbx.hears_no(300, "CANCEL");
    stage.pbx.send(&b.reply(&invite, 180));
    let cancel = stage.pbx.expect("CANCEL");
    assert_eq!(cancel.header("Via"), invite.header("Via"), "it is not of the INVITE's transaction");
    assert_eq!((cancel.uri(), cancel.cseq().0), (invite.uri(), invite.cseq().0));
    stage.pbx.send(&b.reply(&invite, 200).sdp(sdp(stage.desk.own)));
    stage.pbx.send(&b.reply(&cancel, 200));
    stage.pbx.expect("ACK");
    let bye = stage.pbx.expect("BYE");
    stage.pbx.send(&b.reply(&bye, 200));
    stage.caller.hears_no(50, (200, "INVITE"));
    // Ours of no INVITE.
    let mut nobody = stage.caller.calls(CALLER, NEVER);
    let _never_sent = nobody.invite();
    stage.caller.send(&nobody.cancel());
    stage.caller.expect((481, "CANCEL"));
    // The caller's CANCEL crosses our 200: it is answered, and the call stands.
    let mut a = stage.caller.calls(CALLER, ENGLISH);
    stage.caller.send(&a.invite().sdp(sdp(stage.ear.own)));
    let ok = stage.caller.expect((200, "INVITE"));
    stage.caller.send(&a.cancel());
    stage.caller.expect((200, "CANCEL"));
    stage.caller.send(&a.ack(&ok));
    stage.caller.hears_no(200, "BYE");
    assert_eq!(stage.caller.times(487), 1);
    stage.caller.send(&a.request("BYE"));
    stage.caller.expect((200, "BYE"));
    assert_eq!(stage.ended(2).len(), 2);
}

#[test]
fn b_16_a_bye_before_the_answer_ends_the_invite_with_487() {
    let mut stage = Stage::start();
    let (mut a, b, invite) = stage.rings();
    stage.pbx.send(&b.reply(&invite, 180));
    let ringing = stage.caller.expect(180);
    let early = {
        let mut early = a.clone();
        early.take(&ringing);
        early.request("BYE")
    };
    stage.caller.send(&early);
    stage.caller.expect((200, "BYE"));
    let gone = stage.caller.expect((487, "INVITE"));
    stage.caller.send(&a.ack(&gone));
    let cancel = stage.pbx.expect("CANCEL");
    stage.pbx.send(&b.reply(&cancel, 200));
    stage.pbx.send(&b.reply(&invite, 487));
    stage.pbx.expect("ACK");
    assert_eq!(stage.ended(1).len(), 1);
}

#[test]
fn b_17_an_answer_of_the_pbx_that_comes_again_is_acknowledged_again() {
    let mut stage = Stage::start();
    let (mut a, b, invite) = stage.rings();
    let answer = b.reply(&invite, 200).sdp(sdp(stage.desk.own));
    stage.pbx.send(&answer);
    let ack = stage.pbx.expect("ACK");
    for _ in 0..2 {
        stage.pbx.send(&answer);
    }
    let acks = stage.pbx.repeated(&ack, 3);
    assert_eq!(acks.len(), 3);
    let ok = stage.caller.expect((200, "INVITE"));
    stage.caller.send(&a.ack(&ok));
    wait(250);
    assert_eq!(stage.pbx.times("ACK"), 3, "an ACK for nothing");
    assert_eq!(stage.pbx.times("BYE"), 0);
}

/// A request inside the dialog and what it is answered with.
fn asks(stage: &mut Stage, leg: &mut Leg, method: &'static str, kind: &str, body: &str) -> Seen {
    let draft = leg.request(method).body(kind, body);
    stage.caller.send(&draft);
    let cseq = leg.cseq;
    let is = move |seen: &Seen| seen.status() >= Some(200) && seen.cseq() == (cseq, method);
    stage.caller.expect(What::that(method, is))
}

#[test]
fn b_25_every_method_inside_a_call_gets_its_right_code_and_a_stranger_481() {
    let mut stage = Stage::start();
    let mut talk = stage.talk();
    let a = &mut talk.a;
    assert_eq!(asks(&mut stage, a, "OPTIONS", "", "").status(), Some(200));
    let message = asks(&mut stage, a, "MESSAGE", "text/plain", "hello");
    assert!(matches!(message.status(), Some(200 | 202 | 405 | 415 | 603)), "{}", message.text);
    assert_eq!(asks(&mut stage, a, "NOTIFY", "", "").status(), Some(481), "nobody subscribed");
    for method in ["DANCE", "PUBLISH"] {
        let unknown = asks(&mut stage, a, method, "", "");
        assert!(matches!(unknown.status(), Some(405 | 501)), "{}", unknown.text);
        assert!(unknown.header("Allow").contains("INVITE"));
    }
    both_hear(&mut stage);
    let mut stranger = stage.caller.calls(CALLER, NEVER);
    stranger.remote = talk.a.remote.clone();
    for method in ["BYE", "OPTIONS", "INFO", "MESSAGE"] {
        assert_eq!(asks(&mut stage, &mut stranger, method, "", "").status(), Some(481), "{method}");
    }
    both_hear(&mut stage);
}

#[test]
fn b_26_every_other_line_is_refused_in_its_place_and_bundle_does_no_harm() {
    let mut stage = Stage::start();
    let own = stage.ear.own;
    let more = "m=audio 9 RTP/AVP 0\r\nm=video 7078 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n\
                m=image 7080 udptl t38\r\nm=application 7082 TCP/BFCP *\r\n";
    let offer = sdp(own).replace("t=0 0", "t=0 0\r\na=group:BUNDLE 0 1")
        + "a=mid:0\r\n\
                a=rtcp-mux\r\n"
        + more;
    let mut a = stage.caller.calls(CALLER, NEVER);
    stage.caller.send(&a.invite().sdp(&offer));
    let invite = stage.pbx.expect("INVITE");
    assert_eq!(invite.body().matches("m=").count(), 1, "the PBX is offered {}", invite.body());
    let b = stage.pbx.called(&invite);
    let mut talk = stage.answers(a, b, invite);
    let ok = offers(&mut stage, &mut talk, End::Caller, &offer.replace(" 1 IN", " 2 IN"));
    for answer in [&talk.ok, &ok] {
        let lines: Vec<_> =
            answer.body().lines().filter_map(|line| line.strip_prefix("m=")).collect();
        let kinds: Vec<_> = lines.iter().filter_map(|line| line.split(' ').next()).collect();
        assert_eq!(kinds, ["audio", "audio", "video", "image", "application"]);
        let open = lines.iter().map(|line| line.split(' ').nth(1) != Some("0"));
        assert_eq!(open.collect::<Vec<_>>(), [true, false, false, false, false], "{lines:?}");
    }
    both_hear(&mut stage);
}

#[test]
fn b_28_fax_over_t38_is_refused_so_that_it_stays_g711_and_the_call_goes_on() {
    let mut stage = Stage::start();
    let mut talk = stage.talk();
    both_hear(&mut stage);
    for end in [End::Pbx, End::Caller] {
        let own = if end == End::Caller { stage.ear.own } else { stage.desk.own };
        let fax = sdp_again(own, 2, "sendrecv")
            .replace("m=audio", "m=image")
            .replace("RTP/AVP 8 101", "udptl t38");
        let (peer, leg) = match end {
            End::Caller => (&mut stage.caller, &mut talk.a),
            End::Pbx => (&mut stage.pbx, &mut talk.b),
        };
        peer.send(&leg.invite().sdp(fax));
        let refused = peer.expect((488, "INVITE"));
        peer.send(&leg.ack(&refused));
        both_hear(&mut stage);
        let ok = offers(&mut stage, &mut talk, end, &sdp_again(own, 3, "sendrecv"));
        assert!(ok.line("m=audio ").is_some_and(|line| !line.starts_with("0 ")));
    }
    both_hear(&mut stage);
}

#[test]
fn b_04_one_side_changes_its_codec_and_the_other_notices_nothing() {
    let mut stage = Stage::start();
    let mut talk = stage.talk();
    both_hear(&mut stage);
    let mu_law = sdp_again(stage.ear.own, 2, "sendrecv")
        .replace("AVP 8 101", "AVP 0 101")
        .replace("8 PCMA", "0 PCMU");
    let ok = offers(&mut stage, &mut talk, End::Caller, &mu_law);
    assert!(ok.line("m=audio ").is_some_and(|line| line.ends_with(" 0 101")), "{}", ok.text);
    let changed = Instant::now();
    let translated = stage.ear.until(2_000, |packets| {
        packets.iter().filter(|p| p.at > changed && p.kind == 0 && p.holds(900.0)).count() > 3
    });
    assert!(translated, "the caller does not hear the PBX in what it asked for");
    assert!(stage.desk.hears(700.0, changed), "the PBX no longer hears the caller");
    stage.pbx.hears_no(100, "INVITE");
    let after = Instant::now();
    wait(100);
    let odd = stage.desk.heard().iter().filter(|packet| packet.at > after && packet.kind != 8);
    assert_eq!(odd.count(), 0, "the PBX gets another codec");
}

#[test]
fn b_18_a_failure_before_the_answer_is_passed_on_with_what_explains_it() {
    let mut stage = Stage::start();
    for (status, name, value) in [
        (404, "Reason", "Q.850;cause=1;text=\"Unallocated\""),
        (480, "Retry-After", "30"),
        (486, "Reason", "Q.850;cause=17"),
        (603, "Reason", "SIP;cause=603;text=\"No\""),
    ] {
        let (mut a, b, invite) = stage.rings();
        stage.pbx.send(&b.reply(&invite, status).with(name, value));
        stage.pbx.expect("ACK");
        let id = a.call_id.clone();
        let is = move |seen: &Seen| seen.status() >= Some(200) && seen.header("Call-ID") == id;
        let failed = stage.caller.expect(What::that("a final response", is));
        assert_eq!(failed.status(), Some(status), "{}", failed.text);
        assert!(failed.headers(name).contains(&value), "{name} is lost: {}", failed.text);
        stage.caller.send(&a.ack(&failed));
    }
}
