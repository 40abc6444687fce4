//! Offers of the node's own: a hold that it relays, offers that cross, and refusals of them (rows B-02,
//! B-07, B-09).

use std::time::Instant;

use support::{
    node::Change,
    peer::{
        leg::Leg,
        post::Peer,
        post::What,
        seen::Seen,
        voice::{Packet, Voice},
    },
    sound::heard,
    stage::{Stage, Talk, sdp_again, wait},
};

/// Both peers' holds are relayed.
fn relaying() -> Change {
    Change::default().with("hold = \"absorb\"", "hold = \"relay\"")
}

/// Offers a direction and takes the answer.
fn offers(peer: &mut Peer, leg: &mut Leg, voice: &Voice, version: u32, direction: &str) -> Seen {
    let invite = leg.invite();
    peer.send(&invite.sdp(sdp_again(voice.own, version, direction)));
    let cseq = leg.cseq;
    let is = move |seen: &Seen| seen.status() == Some(200) && seen.cseq() == (cseq, "INVITE");
    let ok = peer.expect(What::that("200 to the offer", is));
    peer.send(&leg.ack(&ok));
    ok
}

/// An offer of the node's in a call.
fn offered(peer: &mut Peer) -> Seen {
    let is = |seen: &Seen| seen.method() == Some("INVITE") && seen.header("To").contains(";tag=");
    peer.expect(What::that("an offer inside the call", is))
}

/// Answers such an offer.
fn answers(peer: &mut Peer, leg: &Leg, offer: &Seen, voice: &Voice, version: u32, way: &str) {
    peer.send(&leg.reply(offer, 200).sdp(sdp_again(voice.own, version, way)));
    let cseq = offer.cseq().0;
    let is = move |seen: &Seen| seen.cseq() == (cseq, "ACK");
    peer.expect(What::that("the ACK of the offer", is));
}

fn version(seen: &Seen) -> u32 {
    let origin = seen.line("o=").expect("an o= line");
    origin.split(' ').nth(2).expect("a version").parse().expect("a number")
}

/// Both voices reach each other.
fn both_hear(stage: &mut Stage) {
    stage.ear.speak(700.0);
    stage.desk.speak(900.0);
    let now = Instant::now();
    assert!(stage.desk.hears(700.0, now), "the PBX does not hear the caller");
    assert!(stage.ear.hears(900.0, now), "the caller does not hear the PBX");
}

#[test]
fn b_02_a_hold_is_relayed_as_it_was_said_and_so_is_its_end() {
    let mut stage = Stage::with(relaying());
    let Talk { mut a, mut b, .. } = stage.talk();
    both_hear(&mut stage);
    let (mut ours, mut theirs) = (1, 1);
    for (direction, answer) in [("sendonly", "recvonly"), ("inactive", "inactive")] {
        // The PBX holds: it has its answer before the caller has any.
        ours += 1;
        let ok = offers(&mut stage.pbx, &mut b, &stage.desk, ours, direction);
        assert!(ok.body().contains(&format!("a={answer}")), "{}", ok.text);
        let offer = offered(&mut stage.caller);
        assert!(offer.body().contains(&format!("a={direction}")), "{}", offer.text);
        theirs += 1;
        answers(&mut stage.caller, &a, &offer, &stage.ear, theirs, answer);
        ours += 1;
        offers(&mut stage.pbx, &mut b, &stage.desk, ours, "sendrecv");
        let resumed = offered(&mut stage.caller);
        assert!(resumed.body().contains("a=sendrecv"), "{}", resumed.text);
        assert_eq!(version(&resumed), version(&offer) + 1, "RFC 3264 §8");
        theirs += 1;
        answers(&mut stage.caller, &a, &resumed, &stage.ear, theirs, "sendrecv");
        both_hear(&mut stage);
    }
    // And the other way round, in the words of RFC 2543.
    let old = format!("c=IN IP4 {}", stage.ear.own.ip());
    let held = sdp_again(stage.ear.own, 50, "sendrecv").replace(&old, "c=IN IP4 0.0.0.0");
    a.cseq += 1;
    stage.caller.send(&a.invite().sdp(held));
    let ok = stage.caller.expect((200, "INVITE"));
    stage.caller.send(&a.ack(&ok));
    let offer = offered(&mut stage.pbx);
    assert!(offer.body().contains("a=sendonly"), "{}", offer.text);
    answers(&mut stage.pbx, &b, &offer, &stage.desk, 50, "recvonly");
    offers(&mut stage.caller, &mut a, &stage.ear, 51, "sendrecv");
    let resumed = offered(&mut stage.pbx);
    assert!(resumed.body().contains("a=sendrecv"), "{}", resumed.text);
    answers(&mut stage.pbx, &b, &resumed, &stage.desk, 51, "sendrecv");
    both_hear(&mut stage);
}

#[test]
fn b_02_an_absorbed_hold_is_silence_or_the_music_of_the_holder_and_nobody_is_offered_anything() {
    let mut stage = Stage::start();
    let Talk { mut b, .. } = stage.talk();
    both_hear(&mut stage);
    offers(&mut stage.pbx, &mut b, &stage.desk, 2, "inactive");
    stage.desk.stop();
    wait(100);
    let from = Instant::now();
    wait(600);
    let steady = |heard: &[Packet]| heard.iter().filter(|packet| packet.at > from).count() > 25;
    assert!(stage.ear.until(2_000, steady), "no packets: a network would hang up");
    let speech = stage.ear.since(from);
    assert!(heard(&speech, 900.0) < 0.05, "somebody is heard");
    // The music of the holder takes the place of the silence.
    offers(&mut stage.pbx, &mut b, &stage.desk, 3, "sendonly");
    let music = Voice::new(stage.pbx.own.ip());
    let ok = offers(&mut stage.pbx, &mut b, &music, 4, "sendonly");
    music.talk_to(ok.sound());
    music.speak(1_100.0);
    assert!(stage.ear.hears(1_100.0, Instant::now()), "the music is not heard");
    stage.caller.hears_no(100, "INVITE");
    stage.caller.hears_no(10, "UPDATE");
}

#[test]
fn b_02_l_03_neither_policy_records_the_hold_and_the_time_line_stays_true() {
    for relay in [true, false] {
        let mut stage = Stage::with(if relay { relaying() } else { Change::default() });
        let (mut a, _ok) = stage.asked();
        let (mut b, _invite) = stage.says_yes();
        stage.desk.speak(440.0);
        stage.ear.speak(700.0);
        wait(1_200);
        offers(&mut stage.pbx, &mut b, &stage.desk, 2, "sendonly");
        stage.desk.speak(1_100.0);
        if relay {
            let offer = offered(&mut stage.caller);
            answers(&mut stage.caller, &a, &offer, &stage.ear, 2, "recvonly");
        }
        wait(1_500);
        offers(&mut stage.pbx, &mut b, &stage.desk, 3, "sendrecv");
        stage.desk.speak(440.0);
        if relay {
            let offer = offered(&mut stage.caller);
            answers(&mut stage.caller, &a, &offer, &stage.ear, 3, "sendrecv");
        }
        wait(1_200);
        stage.caller.send(&a.request("BYE"));
        stage.caller.expect((200, "BYE"));
        let bye = stage.pbx.expect("BYE");
        stage.pbx.send(&b.reply(&bye, 200));
        assert_eq!(stage.ended(1)[0]["verdict"], "recorded");
        let listed = stage.node.until(&["recordings", "list"], |rows| rows[0]["state"] == "stored");
        let (left, right) = stage.node.export(listed[0]["recording"].as_str().expect("an id"));
        let (third, end) = (right.len() / 3, right.len());
        assert!((3_600..4_800).contains(&(end / 8)), "{} ms", end / 8);
        assert!(heard(&right, 1_100.0) < 0.05, "relay {relay}: the music is in it");
        let pause = third + 1_600..end - third - 1_600;
        assert!(heard(&left[pause.clone()], 700.0) < 0.05, "relay {relay}: the hold is in it");
        assert!(heard(&right[pause], 440.0) < 0.05, "relay {relay}: the hold is in it");
        for (side, hz) in [(&left, 700.0), (&right, 440.0)] {
            assert!(heard(&side[..7_000], hz) > 0.8, "relay {relay}: {hz} before the hold");
            assert!(heard(&side[end - 7_000..], hz) > 0.8, "relay {relay}: {hz} after it");
        }
    }
}

/// An offer of the node's crosses one of the peer's: each gets 491. How long the node waits until it
/// offers again.
fn crosses(peer: &mut Peer, leg: &mut Leg, voice: &Voice, offer: &Seen, at: u32) -> (Seen, u128) {
    let own = leg.invite();
    peer.send(&own.sdp(sdp_again(voice.own, at, "sendrecv")));
    let cseq = leg.cseq;
    let is = move |seen: &Seen| seen.status() == Some(491) && seen.cseq() == (cseq, "INVITE");
    let refused = peer.expect(What::that("491 to the offer that crosses", is));
    peer.send(&leg.ack(&refused));
    peer.send(&leg.reply(offer, 491));
    let crossed = Instant::now();
    let again = offered(peer);
    (again, crossed.elapsed().as_millis())
}

#[test]
fn b_07_offers_that_cross_get_491_and_who_owns_the_call_id_waits_longer() {
    let mut stage = Stage::with(relaying());
    let Talk { mut a, mut b, .. } = stage.talk();
    both_hear(&mut stage);
    // The node called the PBX, so that the Call-ID is the node's.
    offers(&mut stage.caller, &mut a, &stage.ear, 2, "sendonly");
    let offer = offered(&mut stage.pbx);
    let (again, waited) = crosses(&mut stage.pbx, &mut b, &stage.desk, &offer, 2);
    assert!((2_050..4_200).contains(&waited), "{waited} ms with its own Call-ID");
    assert!(again.cseq().0 > offer.cseq().0 && again.body().contains("a=sendonly"));
    answers(&mut stage.pbx, &b, &again, &stage.desk, 3, "recvonly");
    offers(&mut stage.caller, &mut a, &stage.ear, 3, "sendrecv");
    let resumed = offered(&mut stage.pbx);
    answers(&mut stage.pbx, &b, &resumed, &stage.desk, 4, "sendrecv");
    both_hear(&mut stage);

    // The caller called the node: the node waits two seconds at most, and what comes first wins.
    offers(&mut stage.pbx, &mut b, &stage.desk, 5, "sendonly");
    let offer = offered(&mut stage.caller);
    let (again, waited) = crosses(&mut stage.caller, &mut a, &stage.ear, &offer, 4);
    assert!(waited < 2_100, "{waited} ms with a Call-ID of the peer's");
    answers(&mut stage.caller, &a, &again, &stage.ear, 5, "recvonly");
    offers(&mut stage.pbx, &mut b, &stage.desk, 6, "sendrecv");
    let resumed = offered(&mut stage.caller);
    answers(&mut stage.caller, &a, &resumed, &stage.ear, 6, "sendrecv");
    both_hear(&mut stage);
}

#[test]
fn b_07_an_offer_that_is_made_again_is_younger_than_what_was_agreed_meanwhile() {
    let mut stage = Stage::with(relaying());
    let Talk { mut a, mut b, .. } = stage.talk();
    both_hear(&mut stage);
    offers(&mut stage.caller, &mut a, &stage.ear, 2, "sendonly");
    let offer = offered(&mut stage.pbx);
    stage.pbx.send(&b.reply(&offer, 491));
    // The PBX is first: it moves.
    let moved = Voice::new(stage.pbx.own.ip());
    let ok = offers(&mut stage.pbx, &mut b, &moved, 2, "sendrecv");
    moved.talk_to(ok.sound());
    stage.desk.stop();
    stage.desk = moved;
    let again = offered(&mut stage.pbx);
    assert!(again.body().contains("a=sendonly"), "{}", again.text);
    assert_eq!(version(&again), version(&ok) + 1, "{}", again.text);
    answers(&mut stage.pbx, &b, &again, &stage.desk, 3, "recvonly");
    offers(&mut stage.caller, &mut a, &stage.ear, 3, "sendrecv");
    let resumed = offered(&mut stage.pbx);
    answers(&mut stage.pbx, &b, &resumed, &stage.desk, 4, "sendrecv");
    both_hear(&mut stage);
}

#[test]
fn b_09_an_offer_that_is_refused_leaves_call_and_sound_and_one_of_no_call_ends_it() {
    let mut stage = Stage::with(relaying());
    let Talk { a, mut b, .. } = stage.talk();
    both_hear(&mut stage);
    let mut version = 1;
    for status in [488, 415, 500] {
        version += 1;
        let ok = offers(&mut stage.pbx, &mut b, &stage.desk, version, "sendonly");
        assert!(ok.body().contains("a=recvonly"), "the holder has its answer: {}", ok.text);
        let offer = offered(&mut stage.caller);
        stage.caller.send(&a.reply(&offer, status));
        stage.caller.expect("ACK");
        // Music goes on to the caller, who would not be told.
        stage.desk.speak(1_100.0);
        assert!(stage.ear.hears(1_100.0, Instant::now()), "{status}: the music is not heard");
        version += 1;
        offers(&mut stage.pbx, &mut b, &stage.desk, version, "sendrecv");
        both_hear(&mut stage);
        stage.caller.hears_no(300, "INVITE");
    }
    assert_eq!(stage.caller.times("BYE") + stage.pbx.times("BYE"), 0);
    // It knows nothing of the call any more: then it is over on both sides.
    for status in [481, 408] {
        let mut stage = Stage::with(relaying());
        let Talk { mut a, b, .. } = stage.talk();
        offers(&mut stage.caller, &mut a, &stage.ear, 2, "sendonly");
        let offer = offered(&mut stage.pbx);
        stage.pbx.send(&b.reply(&offer, status));
        let bye = stage.pbx.expect("BYE");
        stage.pbx.send(&b.reply(&bye, 481));
        let bye = stage.caller.expect("BYE");
        stage.caller.send(&a.reply(&bye, 200));
        assert_eq!(stage.ended(1)[0]["outcome"], "bridged");
    }
}
