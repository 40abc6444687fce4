//! Provisional responses that are acknowledged, and calls that ring in several places (RFC 3262).

use std::time::Duration;

use sip::{Abilities, Body, By, Event, LegId, Message, Why};

use crate::peer::{Peer, SDP, text};

const SUPPORTED: &str = "Supported: 100rel\r\n";
const REQUIRED: &str = "Require: 100rel\r\n";

/// A call of the peer's that has been told to wait.
fn arrive(peer: &mut Peer, invite: &str) -> LegId {
    peer.tell(invite);
    assert_eq!(peer.statuses(), [100]);
    match peer.event() {
        Some(Event::IncomingInvite { leg, reliable: true, .. }) => leg,
        other => panic!("{other:?}"),
    }
}

fn rseq(ringing: &Message) -> u32 {
    text(ringing.first("RSeq")).parse().unwrap()
}

#[test]
fn a_08_ringing_that_must_be_acknowledged_is_repeated_until_it_is() {
    let mut peer = Peer::new();
    let invite = peer.invite("a08", REQUIRED);
    let leg = arrive(&mut peer, &invite);
    let ringing = peer.respond(leg, 180, None);
    assert_eq!(ringing.first("Require"), Some(&b"100rel"[..]));
    assert!(text(ringing.first("Allow")).contains("UPDATE"));
    assert!((1..1 << 31).contains(&rseq(&ringing)));
    // T1, doubled each time and not held at T2.
    for ms in [500, 1000, 2000, 4000, 8000] {
        peer.wait(Duration::from_millis(ms - 1));
        assert!(peer.take().is_empty(), "{ms}");
        peer.wait(Duration::from_millis(1));
        assert_eq!(peer.take().remove(0).raw(), ringing.raw(), "{ms}");
    }
    peer.tell(&peer.prack("a08", 2, &ringing, ""));
    assert_eq!(peer.statuses(), [200]);
    assert!(matches!(peer.event(), Some(Event::Pracked { answer: None, .. })));
    peer.wait(Duration::from_secs(40));
    assert!(peer.take().is_empty(), "it is acknowledged");
    assert_eq!(peer.respond(leg, 200, Some(SDP)).status(), Some(200));
}

#[test]
fn a_08_an_acknowledgement_of_something_else_gets_481() {
    let mut peer = Peer::new();
    let invite = peer.invite("a08", REQUIRED);
    let leg = arrive(&mut peer, &invite);
    let ringing = peer.respond(leg, 180, None);
    let right = format!("RAck: {} 1 INVITE", rseq(&ringing));
    for (cseq, wrong) in [
        (2, format!("RAck: {} 1 INVITE", rseq(&ringing) + 1)),
        (3, format!("RAck: {} 2 INVITE", rseq(&ringing))),
        (4, format!("RAck: {} 1 UPDATE", rseq(&ringing))),
        (5, "X-Rack: none".to_owned()),
    ] {
        peer.tell(&peer.prack("a08", cseq, &ringing, "").replace(&right, &wrong));
        assert_eq!(peer.statuses(), [481], "{wrong}");
    }
    assert!(peer.event().is_none());
    peer.wait(Duration::from_millis(500));
    assert_eq!(peer.statuses(), [180], "it is still waited for");
}

#[test]
fn a_08_who_only_can_acknowledge_does_so_for_a_description() {
    let mut peer = Peer::new();
    let invite = peer.invite("a08", SUPPORTED);
    let leg = arrive(&mut peer, &invite);
    assert!(peer.respond(leg, 180, None).first("RSeq").is_none());
    let early = peer.respond(leg, 183, Some("v=0 early"));
    assert!(early.first("RSeq").is_some());
    let mut peer = Peer::new();
    let leg = peer.ring(&peer.invite("a08b", ""));
    assert!(peer.respond(leg, 183, Some("v=0 early")).first("RSeq").is_none());
}

#[test]
fn a_08_ringing_that_nobody_acknowledges_ends_the_call_with_a_5xx() {
    let mut peer = Peer::new();
    let invite = peer.invite("a08", REQUIRED);
    let leg = arrive(&mut peer, &invite);
    peer.respond(leg, 180, None);
    peer.wait(Duration::from_millis(31_999));
    assert!(peer.event().is_none());
    peer.take();
    peer.wait(Duration::from_millis(1));
    assert_eq!(peer.statuses(), [504]);
    assert!(matches!(peer.event(), Some(Event::Ended { why: Why::NoPrack, .. })));
}

#[test]
fn a_09_the_answer_waits_until_early_media_is_acknowledged() {
    let mut peer = Peer::new();
    let invite = peer.invite("a09", SUPPORTED);
    let leg = arrive(&mut peer, &invite);
    let early = peer.respond(leg, 183, Some("v=0 same"));
    let body = Body::sdp(b"v=0 same".to_vec());
    peer.endpoint.respond(peer.now, leg, 200, &[], Some(&body)).unwrap();
    assert!(peer.take().is_empty());
    let again = peer.endpoint.respond(peer.now, leg, 200, &[], Some(&body));
    assert_eq!(again, Err(sip::CommandError::WrongState), "it has been answered");
    peer.tell(&peer.prack("a09", 2, &early, ""));
    let sent = peer.take();
    assert_eq!(sent.iter().filter_map(Message::status).collect::<Vec<_>>(), [200, 200]);
    assert_eq!(text(sent[0].first("CSeq")), "2 PRACK");
    assert_eq!(sent[1].body(), b"v=0 same", "row A-06: one description from first to last");
    assert_eq!(sent[1].first("To"), early.first("To"));
    peer.tell(&peer.inside("ACK", "a09", 1, &sent[1], "", ""));
    assert!(matches!(peer.event(), Some(Event::Pracked { .. })));
    assert!(matches!(peer.event(), Some(Event::Acked { answer: None, .. })));
}

#[test]
fn a_09_the_answer_does_not_wait_for_ringing_without_a_description() {
    let mut peer = Peer::new();
    let invite = peer.invite("a09", REQUIRED);
    let leg = arrive(&mut peer, &invite);
    let ringing = peer.respond(leg, 180, None);
    let answer = peer.respond(leg, 200, Some(SDP));
    assert_eq!(answer.status(), Some(200));
    peer.tell(&peer.prack("a09", 2, &ringing, ""));
    assert_eq!(peer.statuses(), [200], "RFC 3262 §3: it is still acknowledged");
    peer.tell(&peer.inside("ACK", "a09", 1, &answer, "", ""));
    peer.wait(Duration::from_secs(40));
    assert!(peer.take().is_empty());
}

#[test]
fn a_08_the_next_ringing_waits_for_the_acknowledgement_of_the_last() {
    let mut peer = Peer::new();
    let invite = peer.invite("a08", REQUIRED);
    let leg = arrive(&mut peer, &invite);
    let first = peer.respond(leg, 180, None);
    for status in [181, 183] {
        peer.endpoint.respond(peer.now, leg, status, &[], None).unwrap();
    }
    peer.endpoint.respond(peer.now, leg, 200, &[], Some(&Body::sdp(SDP.into()))).unwrap();
    assert!(peer.take().is_empty());
    peer.tell(&peer.prack("a08", 2, &first, ""));
    let second = peer.take().remove(1);
    assert_eq!((second.status(), rseq(&second)), (Some(181), rseq(&first) + 1));
    peer.tell(&peer.prack("a08", 3, &second, ""));
    let third = peer.take().remove(1);
    assert_eq!((third.status(), rseq(&third)), (Some(183), rseq(&first) + 2));
    peer.tell(&peer.prack("a08", 4, &third, ""));
    assert_eq!(peer.statuses(), [200, 200]);
}

#[test]
fn a_10_an_offer_in_the_acknowledgement_is_answered_in_its_200() {
    let mut peer = Peer::new();
    let invite = peer.invite("a10", SUPPORTED);
    let leg = arrive(&mut peer, &invite);
    let early = peer.respond(leg, 183, Some("v=0 early"));
    let body = Body::sdp(b"v=0 early".to_vec());
    peer.endpoint.respond(peer.now, leg, 200, &[], Some(&body)).unwrap();
    peer.tell(&peer.prack("a10", 2, &early, "v=0 moved"));
    assert!(peer.take().is_empty(), "nothing overtakes the answer");
    assert!(matches!(peer.event(), Some(Event::Pracked { answer: None, .. })));
    match peer.event() {
        Some(Event::Reinvite { by: By::Prack, offer: Some(offer), .. }) => {
            assert_eq!(&offer[..], b"v=0 moved");
        }
        other => panic!("{other:?}"),
    }
    let moved = Body::sdp(b"v=0 moved too".to_vec());
    peer.endpoint.answer_reinvite(peer.now, leg, 200, &[], Some(&moved)).unwrap();
    let sent = peer.take();
    assert_eq!(text(sent[0].first("CSeq")), "2 PRACK");
    assert_eq!(sent[0].body(), b"v=0 moved too");
    assert_eq!((sent[1].status(), sent[1].body()), (Some(200), &b""[..]), "no older one again");
}

#[test]
fn a_03_a_late_offer_in_early_media_is_answered_in_the_acknowledgement() {
    let mut peer = Peer::new();
    let invite = peer.request("INVITE", "a03", 1, SUPPORTED, "");
    let leg = arrive(&mut peer, &invite);
    let early = peer.respond(leg, 183, Some("v=0 ours"));
    assert_eq!(early.body(), b"v=0 ours");
    peer.tell(&peer.prack("a03", 2, &early, "v=0 theirs"));
    match peer.event() {
        Some(Event::Pracked { answer: Some(answer), .. }) => assert_eq!(&answer[..], b"v=0 theirs"),
        other => panic!("{other:?}"),
    }
    peer.take();
    let answer = peer.respond(leg, 200, Some("v=0 ours"));
    assert!(answer.body().is_empty(), "that would be a second offer");
    peer.tell(&peer.inside("ACK", "a03", 1, &answer, "", ""));
    assert!(matches!(peer.event(), Some(Event::Acked { answer: None, .. })));
}

#[test]
fn a_03_a_late_offer_in_early_media_that_is_not_answered_ends_the_call() {
    let mut peer = Peer::new();
    let invite = peer.request("INVITE", "a03", 1, REQUIRED, "");
    let leg = arrive(&mut peer, &invite);
    let early = peer.respond(leg, 183, Some("v=0 ours"));
    peer.tell(&peer.prack("a03", 2, &early, ""));
    assert_eq!(peer.statuses(), [200, 488]);
    assert!(matches!(peer.event(), Some(Event::Ended { why: Why::NoAnswer, .. })));
}

#[test]
fn a_03_a_late_offer_never_travels_in_what_is_not_acknowledged() {
    let mut peer = Peer::new();
    let leg = peer.ring(&peer.request("INVITE", "a03", 1, "", ""));
    assert!(peer.respond(leg, 183, Some("v=0 ours")).body().is_empty());
    assert_eq!(peer.respond(leg, 200, Some("v=0 ours")).body(), b"v=0 ours");
}

#[test]
fn a_09_a_call_that_ends_while_its_answer_waits_is_never_answered() {
    let held = |call: &str| {
        let mut peer = Peer::new();
        let invite = peer.invite(call, SUPPORTED);
        let leg = arrive(&mut peer, &invite);
        peer.respond(leg, 183, Some(SDP));
        peer.endpoint.respond(peer.now, leg, 200, &[], Some(&Body::sdp(SDP.into()))).unwrap();
        (peer, leg, invite)
    };
    let (mut peer, leg, _) = held("a09");
    peer.endpoint.bye(peer.now, leg, &[]).unwrap();
    assert_eq!(peer.statuses(), [480]);
    assert!(matches!(peer.event(), Some(Event::Ended { why: Why::HungUp, .. })));
    let (mut peer, _, invite) = held("c09");
    peer.tell(&invite.replace("INVITE", "CANCEL").replace("Supported: 100rel\r\n", ""));
    assert_eq!(peer.statuses(), [200, 487]);
    assert!(matches!(peer.event(), Some(Event::Cancelled { .. })));
}

#[test]
fn a_13_each_place_that_rings_is_acknowledged_in_its_own_dialog() {
    let mut peer = Peer::new();
    let (leg, invite) = peer.originate();
    assert!(invite.lists("Supported", "100rel"));
    let routed = |tag: &str, rseq: u32, peer: &Peer| {
        let routes = format!("Record-Route: <sip:{tag}.example;lr>\r\nCSeq");
        peer.ring_as(&invite, 183, tag, rseq).replace("CSeq", &routes)
    };
    let mut sent = Vec::new();
    for (fork, (tag, rseq)) in [("one", 700), ("two", 40)].into_iter().enumerate() {
        peer.tell(&routed(tag, rseq, &peer));
        match peer.event() {
            Some(Event::Provisional { fork: id, sdp: Some(sdp), .. }) => {
                assert_eq!(id.number() as usize, fork);
                assert_eq!(&sdp[..], format!("v=0 {tag}").as_bytes());
            }
            other => panic!("{other:?}"),
        }
        let prack = peer.take().remove(0);
        assert_eq!(prack.method().unwrap().name(), b"PRACK");
        assert!(text(prack.first("To")).ends_with(&format!("tag={tag}")));
        assert_eq!(text(prack.first("Route")), format!("<sip:{tag}.example;lr>"));
        assert_eq!(prack.request_uri(), format!("sip:{tag}@192.0.2.9:5070").as_bytes());
        let number: u32 = text(invite.first("CSeq")).trim_end_matches(" INVITE").parse().unwrap();
        assert_eq!(text(prack.first("RAck")), format!("{rseq} {number} INVITE"));
        assert_eq!(text(prack.first("CSeq")), format!("{} PRACK", number + 1));
        sent.push(prack);
    }
    // Each dialog counts for itself: the BYE of the one that answers follows its PRACK.
    peer.tell(&peer.answer_to(&sent[0], 200));
    peer.tell(&peer.answer_as(&invite, 200, "two"));
    assert!(matches!(peer.event(), Some(Event::Answered { fork, .. }) if fork.number() == 1));
    assert_eq!(
        text(peer.take()[0].first("CSeq")),
        text(invite.first("CSeq")).replace("INVITE", "ACK")
    );
    peer.endpoint.bye(peer.now, leg, &[]).unwrap();
    let number = text(sent[1].first("CSeq")).replace(" PRACK", "").parse::<u32>().unwrap();
    assert_eq!(text(peer.take()[0].first("CSeq")), format!("{} BYE", number + 1));
}

#[test]
fn a_13_ringing_that_comes_again_or_out_of_order_is_not_taken() {
    let mut peer = Peer::new();
    let (_, invite) = peer.originate();
    for (rseq, taken) in [(10, true), (10, false), (12, false), (9, false), (11, true)] {
        peer.tell(&peer.ring_as(&invite, 180, "x", rseq));
        assert_eq!(peer.methods().len(), usize::from(taken), "{rseq}");
        assert_eq!(peer.event().is_some(), taken, "{rseq}");
    }
}

#[test]
fn a_13_a_second_place_that_answers_is_hung_up_on_after_its_acknowledgement() {
    let mut peer = Peer::new();
    let (_, invite) = peer.originate();
    for tag in ["one", "two"] {
        peer.tell(&peer.ring_as(&invite, 183, tag, 1));
    }
    let prack = peer.take().remove(1);
    peer.tell(&peer.answer_as(&invite, 200, "one"));
    peer.take();
    peer.tell(&peer.answer_as(&invite, 200, "two"));
    let bye = peer.take().remove(1);
    let number = text(prack.first("CSeq")).replace(" PRACK", "").parse::<u32>().unwrap();
    assert_eq!(text(bye.first("CSeq")), format!("{} BYE", number + 1));
}

#[test]
fn a_18_what_was_not_wished_for_is_not_promised() {
    let mut peer = Peer::new();
    let invite = sip::Invite {
        abilities: Abilities { reliable: false, session: None },
        ..peer.invitation()
    };
    peer.endpoint.invite(peer.now, &invite).unwrap();
    let sent = peer.take().remove(0);
    assert!(!sent.lists("Supported", "100rel") && sent.lists("Supported", "199"));
}

#[test]
fn a_16_a_place_that_gives_up_is_told_apart_from_one_that_rings() {
    let mut peer = Peer::new();
    let (_, invite) = peer.originate();
    for tag in ["one", "two"] {
        peer.tell(&peer.answer_as(&invite, 183, tag));
        assert!(matches!(peer.event(), Some(Event::Provisional { .. })));
    }
    peer.tell(&peer.answer_as(&invite, 199, "one"));
    assert!(matches!(peer.event(), Some(Event::ForkEnded { fork, .. }) if fork.number() == 0));
    // We say it only to those who asked.
    let leg = peer.ring(&peer.invite("a16", ""));
    let refused = peer.endpoint.respond(peer.now, leg, 199, &[], None);
    assert_eq!(refused, Err(sip::CommandError::Status(199)));
    let leg = peer.ring(&peer.invite("a16b", "Supported: 199\r\n"));
    assert_eq!(peer.respond(leg, 199, None).status(), Some(199));
}

#[test]
fn a_17_ringing_without_a_tag_is_a_place_of_its_own() {
    let mut peer = Peer::new();
    let (_, invite) = peer.originate();
    peer.tell(&peer.answer_to(&invite, 180));
    assert!(matches!(peer.event(), Some(Event::Provisional { status: 180, sdp: None, .. })));
    peer.tell(&peer.answer_as(&invite, 200, "x"));
    assert!(matches!(peer.event(), Some(Event::Answered { .. })));
}
