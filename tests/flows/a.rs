//! Answering, early media and provisional responses: rows A.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use support::{
    peer::{
        post::What,
        seen::Seen,
        voice::{Packet, Voice},
    },
    scene::{ENGLISH, NEVER},
    sound::level,
    stage::{CALLER, Stage, sdp, wait},
};

#[test]
fn a_01_trying_comes_at_once_and_before_the_pbx_hears_of_the_call() {
    let mut stage = Stage::start();
    let mut waits = Vec::new();
    for _ in 0..5 {
        let mut a = stage.caller.calls(CALLER, NEVER);
        let sent = stage.caller.send(&a.invite().sdp(sdp(stage.ear.own)));
        let trying = stage.caller.expect(100);
        let invite = stage.pbx.expect("INVITE");
        assert!(trying.at < invite.at, "the PBX is called first");
        assert_eq!(trying.tag("To"), None, "a 100 makes no dialog");
        // Nothing else is said until the PBX says something.
        stage.caller.hears_no(50, 180);
        let b = stage.pbx.called(&invite);
        stage.pbx.send(&b.reply(&invite, 486));
        let busy = stage.caller.expect(486);
        stage.caller.send(&a.ack(&busy));
        stage.pbx.expect("ACK");
        waits.push(trying.at - sent);
    }
    // A loaded machine may keep the node from its core once.
    let quickest = waits.iter().min().expect("five calls");
    assert!(*quickest < Duration::from_millis(200), "{waits:?}");
}

#[test]
fn a_02_one_audio_line_the_offers_payload_types_and_one_description_from_183_to_200() {
    let mut stage = Stage::start();
    let offer = sdp(stage.ear.own).replace("101", "96").replace("AVP 8 96", "AVP 18 0 8 96");
    let mut a = stage.caller.calls(CALLER, NEVER);
    stage.caller.send(&a.invite().sdp(&offer));
    let invite = stage.pbx.expect("INVITE");
    let b = stage.pbx.called(&invite);
    stage.pbx.send(&b.reply(&invite, 183).sdp(sdp(stage.desk.own)));
    let progress = stage.caller.expect(183);
    let line = progress.line("m=audio ").expect("audio");
    let (port, formats) = line.split_once(" RTP/AVP ").expect("a port and formats");
    assert_ne!(port, "0");
    assert_eq!(formats, "8 96", "one codec, and the offer's number for the keys");
    assert_eq!(progress.body().matches("m=").count(), 1);
    assert!(progress.body().contains("a=rtpmap:96 telephone-event/8000"), "{}", progress.body());
    stage.pbx.send(&b.reply(&invite, 200).sdp(sdp(stage.desk.own)));
    let ok = stage.caller.expect((200, "INVITE"));
    assert_eq!(ok.body(), progress.body(), "the description changed without a reason");
    assert_eq!(ok.tag("To"), progress.tag("To"));
}

#[test]
fn a_03_without_an_offer_the_200_makes_one_and_the_notice_waits_for_the_ack() {
    let mut stage = Stage::start();
    let mut a = stage.caller.calls(CALLER, ENGLISH);
    stage.caller.send(&a.invite());
    let ok = stage.caller.expect((200, "INVITE"));
    let formats = ok.line("m=audio ").expect("audio").split_once("AVP ").expect("formats").1;
    assert_eq!(formats, "8 0 9 101", "the offer names every codec");
    stage.ear.talk_to(ok.sound());
    wait(200);
    assert!(stage.ear.heard().is_empty(), "the notice begins before anybody listens");
    let acknowledged = Instant::now();
    stage.caller.send(&a.ack(&ok).sdp(sdp(stage.ear.own)));
    assert!(stage.ear.is_spoken_to(acknowledged), "no notice after the ACK");
    stage.caller.send(&a.request("BYE"));
    stage.caller.expect((200, "BYE"));

    // The ACK without an answer: there is nothing to talk in.
    let mut a = stage.caller.calls(CALLER, ENGLISH);
    stage.caller.send(&a.invite());
    let ok = stage.caller.expect((200, "INVITE"));
    stage.caller.send(&a.ack(&ok));
    let bye = stage.caller.expect("BYE");
    assert_eq!(bye.header("Call-ID"), a.call_id);
    stage.caller.send(&a.reply(&bye, 200));
    assert_eq!(stage.ended(2).len(), 2);
}

#[test]
fn a_04_the_200_is_repeated_until_its_ack_and_a_caller_that_never_sends_one_is_hung_up_on() {
    let mut stage = Stage::hasty();
    let mut a = stage.caller.calls(CALLER, ENGLISH);
    stage.caller.send(&a.invite().sdp(sdp(stage.ear.own)));
    let ok = stage.caller.expect((200, "INVITE"));
    let at = stage.caller.repeated(&ok, 6);
    // From the first 200 to the n-th: T1, 3, 7, 15 T1, then T2 (8 T1) apart. A busy machine may be
    // late and is never early.
    for (n, times) in [(1, 1), (2, 3), (3, 7), (4, 15), (5, 23)] {
        let least = Duration::from_millis(20 * times - 4);
        assert!(at[n] - at[0] >= least, "the {n}. repetition after {:?}", at[n] - at[0]);
    }
    let bye = stage.caller.expect("BYE");
    let after = bye.at - at[0];
    assert!(after >= Duration::from_millis(1_270), "given up after {after:?}, not 64 T1");
    stage.caller.send(&a.reply(&bye, 200));

    // With its ACK the repetition ends, and the same ACK again is nothing new.
    let mut a = stage.caller.calls(CALLER, ENGLISH);
    stage.caller.send(&a.invite().sdp(sdp(stage.ear.own)));
    let ok = stage.caller.expect((200, "INVITE"));
    let ack = a.ack(&ok);
    for _ in 0..3 {
        stage.caller.send(&ack);
    }
    wait(100);
    let said = stage.caller.times((200, "INVITE"));
    stage.caller.hears_no(1_500, "BYE");
    assert_eq!(stage.caller.times((200, "INVITE")), said, "the 200 comes after its ACK");
}

#[test]
fn a_05_an_invite_that_comes_again_begins_no_second_call_and_no_second_notice() {
    let mut stage = Stage::start();
    let mut a = stage.caller.calls(CALLER, ENGLISH);
    let invite = a.invite().sdp(sdp(stage.ear.own));
    stage.caller.send(&invite);
    stage.caller.send(&invite);
    let ok = stage.caller.expect((200, "INVITE"));
    stage.caller.send(&invite);
    stage.caller.send(&a.ack(&ok));
    assert!(stage.ear.until(2_000, |packets| packets.len() > 10), "no notice");
    stage.caller.send(&invite);
    assert!(stage.ear.until(2_000, |packets| packets.len() > 40), "the notice has ended");
    let calls = stage.node.done(&["calls", "list"]);
    assert_eq!(calls.as_array().map(Vec::len), Some(1), "{calls:#}");
    let tags: BTreeSet<_> = stage
        .caller
        .everything()
        .iter()
        .filter(|seen| seen.status() == Some(200))
        .filter_map(|seen| seen.tag("To").map(str::to_owned))
        .collect();
    assert_eq!(tags.len(), 1, "{tags:?}");
    let packets = stage.ear.heard();
    assert!(packets.windows(2).all(|pair| pair[0].ssrc == pair[1].ssrc), "another stream");
    let following = |pair: &[Packet]| pair[1].sequence == pair[0].sequence.wrapping_add(1);
    assert!(packets.windows(2).all(following), "the notice begins anew");
}

#[test]
fn a_12_the_pbx_rings_speaks_and_rings_again_and_an_answered_caller_hears_it_and_gets_no_18x() {
    let mut stage = Stage::curt();
    let (_, b, invite) = stage.refused();
    stage.pbx.send(&b.reply(&invite, 180));
    assert!(stage.ear.hears(425.0, invite.at), "no ring-back");
    stage.desk.speak(700.0);
    stage.desk.talk_to(invite.sound());
    stage.pbx.send(&b.reply(&invite, 183).sdp(sdp(stage.desk.own)));
    assert!(stage.ear.hears(700.0, invite.at), "the PBX's early sound is not heard");
    stage.pbx.send(&b.reply(&invite, 180));
    let again = Instant::now();
    assert!(stage.ear.hears(700.0, again) || stage.ear.hears(425.0, again), "silence after 180");
    stage.desk.speak(900.0);
    stage.pbx.send(&b.reply(&invite, 200).sdp(sdp(stage.desk.own)));
    stage.pbx.expect("ACK");
    assert!(stage.ear.hears(900.0, again), "the PBX is not heard after its answer");
    unbroken(stage.ear.heard());
    let rung = stage.caller.everything();
    let rung = rung.iter().filter(|seen| seen.status().is_some_and(|s| s > 100 && s < 200));
    assert_eq!(rung.count(), 0, "an answered caller is told that it rings");

    // A caller that is not answered is told each time.
    let (_, b, invite) = stage.rings();
    stage.pbx.send(&b.reply(&invite, 180));
    stage.caller.expect(180);
    stage.pbx.send(&b.reply(&invite, 183).sdp(sdp(stage.desk.own)));
    stage.caller.expect(183);
}

/// One stream: one source, and neither a number nor a moment is left out.
fn unbroken(packets: &[Packet]) {
    for pair in packets.windows(2) {
        assert_eq!(pair[1].ssrc, pair[0].ssrc, "another source");
        assert_eq!(pair[1].sequence, pair[0].sequence.wrapping_add(1), "a packet is missing");
        assert_eq!(pair[1].timestamp, pair[0].timestamp.wrapping_add(160), "time jumps");
    }
}

#[test]
fn a_14_a_second_fork_that_answers_is_acknowledged_and_hung_up_on_and_the_call_goes_on() {
    let mut stage = Stage::start();
    let (a, b, invite) = stage.rings();
    let mut fork = stage.pbx.called(&invite);
    fork.contact = fork.contact.replace("pbx@", "other@");
    stage.pbx.send(&b.reply(&invite, 180));
    stage.pbx.send(&fork.reply(&invite, 180));
    let talk = stage.answers(a, b, invite.clone());
    stage.pbx.send(&fork.reply(&invite, 200).sdp(sdp(stage.desk.own)));
    let tag = fork.tag.clone();
    let is = move |seen: &Seen| seen.method() == Some("ACK") && seen.tag("To") == Some(&*tag);
    let ack = stage.pbx.expect(What::that("ACK of the fork", is));
    assert!(ack.uri().contains("other@"), "{}", ack.uri());
    let bye = stage.pbx.expect("BYE");
    assert_eq!(bye.tag("To"), Some(&*fork.tag), "the wrong fork is hung up on");
    assert!(bye.uri().contains("other@") && bye.cseq().0 > invite.cseq().0);
    stage.pbx.send(&fork.reply(&bye, 200));
    // The first one talks on.
    stage.desk.speak(700.0);
    assert!(stage.ear.hears(700.0, bye.at));
    stage.caller.hears_no(100, "BYE");
    assert_eq!(talk.b.remote, invite.header("From"));
}

#[test]
fn a_15_the_tag_and_the_description_of_the_200_count_not_those_of_the_ringing() {
    let mut stage = Stage::start();
    let (a, early, invite) = stage.rings();
    let mut elsewhere = Voice::new(stage.pbx.own.ip());
    stage.pbx.send(&early.reply(&invite, 180).sdp(sdp(elsewhere.own)));
    stage.caller.expect(What::that("18x", |seen| matches!(seen.status(), Some(180 | 183))));
    let b = stage.pbx.called(&invite);
    assert_ne!(b.tag, early.tag);
    let mut talk = stage.answers(a, b, invite);
    let answered = Instant::now();
    stage.ear.speak(700.0);
    assert!(stage.desk.hears(700.0, answered), "the place in the 200 hears nothing");
    assert!(!elsewhere.heard().iter().any(|packet| packet.holds(700.0)), "it goes elsewhere");
    let acks: Vec<_> =
        stage.pbx.everything().into_iter().filter(|s| s.method() == Some("ACK")).collect();
    assert!(acks.iter().all(|ack| ack.tag("To") == Some(&*talk.b.tag)), "{acks:#?}");
    stage.caller.send(&talk.a.request("BYE"));
    let bye = stage.pbx.expect("BYE");
    assert_eq!(bye.tag("To"), Some(&*talk.b.tag));
}

#[test]
fn a_17_ringing_without_a_tag_and_an_answer_without_a_description_are_taken() {
    let mut stage = Stage::start();
    let (mut a, b, invite) = stage.rings();
    let bare = b.reply(&invite, 180).set("To", invite.header("To"));
    stage.pbx.send(&bare);
    stage.caller.expect(180);
    stage.pbx.send(&b.reply(&invite, 183).sdp(sdp(stage.desk.own)));
    stage.caller.expect(183);
    stage.pbx.send(&b.reply(&invite, 200));
    stage.pbx.expect("ACK");
    let ok = stage.caller.expect((200, "INVITE"));
    stage.caller.send(&a.ack(&ok));
    stage.ear.talk_to(ok.sound());
    stage.ear.speak(700.0);
    assert!(stage.desk.hears(700.0, ok.at), "the place in the 183 hears nothing");

    // A description of another fork stands for nothing.
    let (mut a, b, invite) = stage.rings();
    let fork = stage.pbx.called(&invite);
    stage.pbx.send(&fork.reply(&invite, 183).sdp(sdp(stage.desk.own)));
    stage.caller.expect(183);
    stage.pbx.send(&b.reply(&invite, 200));
    let bye = stage.pbx.expect("BYE");
    assert_eq!(bye.tag("To"), Some(&*b.tag));
    stage.pbx.send(&b.reply(&bye, 200));
    let is = |seen: &Seen| seen.cseq().1 == "INVITE" && seen.status() >= Some(200);
    let failed = stage.caller.expect(What::that("a final response", is));
    assert!(failed.status() >= Some(400), "{}", failed.text);
    stage.caller.send(&a.ack(&failed));
}

#[test]
fn a_18_what_is_required_and_unknown_is_named_and_what_is_promised_is_done() {
    let mut stage = Stage::start();
    let mut a = stage.caller.calls(CALLER, NEVER);
    let odd = a.invite().sdp(sdp(stage.ear.own)).with("Require", "x-odd, x-even");
    stage.caller.send(&odd);
    let refused = stage.caller.expect(420);
    let named = refused.headers("Unsupported").join(", ");
    assert!(named.contains("x-odd") && named.contains("x-even"), "{named}");
    stage.caller.send(&a.ack(&refused));
    stage.pbx.hears_no(100, "INVITE");

    let mut asks = stage.caller.calls(CALLER, NEVER);
    stage.caller.send(&asks.request("OPTIONS"));
    let able = stage.caller.expect((200, "OPTIONS"));
    let supported = able.headers("Supported").join(",");
    for tag in supported.split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
        stage.caller.send(&asks.request("OPTIONS").with("Require", tag));
        let is = |seen: &Seen| seen.cseq().1 == "OPTIONS" && seen.status().is_some();
        let answer = stage.caller.expect(What::that("an answer", is));
        assert_eq!(answer.status(), Some(200), "{tag} is promised and not understood");
    }
    let done = ["100rel", "timer", "replaces", "norefersub", "199", "histinfo"];
    let tags = supported.split(',').map(str::trim).filter(|tag| !tag.is_empty());
    for tag in tags {
        assert!(done.contains(&tag), "nothing here is {tag}");
    }
}

#[test]
fn a_19_ring_back_has_its_pitch_and_cadence_and_ends_with_the_answer() {
    let mut stage = Stage::curt();
    let (a, b, invite) = stage.refused();
    stage.pbx.send(&b.reply(&invite, 180));
    assert!(stage.ear.hears(425.0, invite.at), "no ring-back");
    // One second on, four off (ITU-T E.180, Netherlands).
    wait(1_600);
    let packets = stage.ear.heard();
    let first = packets.iter().position(|packet| packet.holds(425.0)).expect("a tone");
    let on = packets[first..].iter().take_while(|packet| packet.holds(425.0)).count();
    assert!((49..=51).contains(&on), "the tone lasts {on} packets of 20 ms");
    let rest = &packets[first + on + 1..];
    assert!(rest.len() > 10 && rest.iter().all(|packet| level(&packet.samples()) < 50.0));
    stage.pbx.send(&b.reply(&invite, 486));
    stage.pbx.expect("ACK");
    // The caller hears that it is busy, which is of the same pitch, to its end.
    let bye = stage.caller.expect("BYE");
    stage.caller.send(&a.reply(&bye, 200));

    // In the middle of a tone the PBX answers: 100 ms later nothing is left of it.
    let mut late = Duration::MAX;
    for _ in 0..6 {
        let (mut a, b, invite) = stage.refused();
        stage.pbx.send(&b.reply(&invite, 180));
        assert!(stage.ear.hears(425.0, invite.at), "no ring-back");
        stage.pbx.send(&b.reply(&invite, 200).sdp(sdp(stage.desk.own)));
        // The ACK says when the node has taken the answer in.
        let answered = stage.pbx.expect("ACK").at;
        stage.desk.talk_to(invite.sound());
        wait(300);
        let last = stage.ear.last(425.0).expect("a tone");
        // A loaded machine may be late once; what the node does is in every try.
        late = late.min(last.saturating_duration_since(answered));
        stage.desk.stop();
        if late < Duration::from_millis(100) {
            return;
        }
        stage.caller.send(&a.request("BYE"));
        stage.caller.expect((200, "BYE"));
        let bye = stage.pbx.expect("BYE");
        stage.pbx.send(&b.reply(&bye, 200));
    }
    panic!("the tone went on for {late:?}");
}

#[test]
fn a_20_notice_ring_back_and_bridge_are_one_stream_without_a_gap() {
    let mut stage = Stage::curt();
    let (mut a, mut b, invite) = stage.refused();
    stage.pbx.send(&b.reply(&invite, 180));
    assert!(stage.ear.hears(425.0, invite.at), "no ring-back");
    stage.desk.speak(700.0);
    stage.desk.talk_to(invite.sound());
    stage.pbx.send(&b.reply(&invite, 200).sdp(sdp(stage.desk.own)));
    let ack = stage.pbx.expect("ACK");
    assert!(stage.ear.hears(700.0, ack.at), "the PBX is not heard");
    wait(300);
    let packets = stage.ear.heard();
    unbroken(packets);
    // A machine that is busy may stall everything; one that is not shows what the node does.
    let gaps = packets.windows(2).map(|pair| pair[1].at - pair[0].at);
    let long = gaps.filter(|gap| *gap > Duration::from_millis(100)).count();
    assert!(long * 50 <= packets.len(), "{long} gaps in {} packets", packets.len());
    stage.caller.send(&a.request("BYE"));
    let bye = stage.pbx.expect("BYE");
    stage.pbx.send(&b.reply(&bye, 200));
    b.cseq += 1;
}

#[test]
fn a_22_without_a_codec_in_common_the_call_is_refused_with_its_warning_and_never_answered() {
    let mut stage = Stage::start();
    let g729 = sdp(stage.ear.own).replace("AVP 8 101", "AVP 18").replace("8 PCMA", "18 G729");
    let fax =
        sdp(stage.ear.own).replace("m=audio", "m=image").replace("RTP/AVP 8 101", "udptl t38");
    for (offer, warning) in [(g729, "305"), (fax, "304")] {
        let mut a = stage.caller.calls(CALLER, ENGLISH);
        stage.caller.send(&a.invite().sdp(offer));
        let refused = stage.caller.expect(488);
        assert!(refused.header("Warning").starts_with(warning), "{}", refused.header("Warning"));
        stage.caller.send(&a.ack(&refused));
    }
    assert_eq!(stage.caller.times(200), 0);
    stage.pbx.hears_no(100, "INVITE");
}

#[test]
fn a_23_a_body_that_is_no_description_is_refused_and_one_inside_a_multipart_is_found() {
    let mut stage = Stage::start();
    let mut a = stage.caller.calls(CALLER, NEVER);
    stage.caller.send(&a.invite().body("application/x-odd", "odd"));
    let refused = stage.caller.expect(415);
    assert!(refused.header("Accept").contains("application/sdp"));
    stage.caller.send(&a.ack(&refused));
    stage.pbx.hears_no(50, "INVITE");

    let place = "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\"/>";
    let both = format!(
        "--odd-one\r\nContent-Type: application/pidf+xml\r\n\r\n{place}\r\n--odd-one\r\n\
         Content-Type: application/sdp\r\n\r\n{}\r\n--odd-one--\r\n",
        sdp(stage.ear.own)
    );
    let mut a = stage.caller.calls(CALLER, NEVER);
    stage.caller.send(&a.invite().body("multipart/mixed;boundary=odd-one", both));
    let invite = stage.pbx.expect("INVITE");
    let b = stage.pbx.called(&invite);
    let talk = stage.answers(a, b, invite);
    stage.desk.speak(700.0);
    assert!(stage.ear.hears(700.0, talk.ok.at), "the description in the multipart is not read");
}

#[test]
fn a_24_an_invite_that_expires_before_the_answer_gets_487_and_the_pbx_a_cancel() {
    let mut stage = Stage::start();
    let mut a = stage.caller.calls(CALLER, NEVER);
    let sent = stage.caller.send(&a.invite().with("Expires", "1").sdp(sdp(stage.ear.own)));
    let invite = stage.pbx.expect("INVITE");
    let b = stage.pbx.called(&invite);
    stage.pbx.send(&b.reply(&invite, 180));
    let gone = stage.caller.expect(487);
    let after = gone.at - sent;
    assert!(after >= Duration::from_millis(990), "after {after:?}");
    stage.caller.send(&a.ack(&gone));
    let cancel = stage.pbx.expect("CANCEL");
    stage.pbx.send(&b.reply(&cancel, 200));
    stage.pbx.send(&b.reply(&invite, 487));
    stage.pbx.expect("ACK");
    assert_eq!(stage.ended(1).len(), 1);
}
