//! What comes in and costs nothing, and what every message of a leg carries.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says why")]

#[allow(dead_code, reason = "each test program uses some of it")]
mod peer;

use peer::{Peer, SDP, text};
use sip::{Body, Event, Glance, Header, Request, glance, parse};

#[test]
fn o_01_a_request_refused_outright_leaves_nothing_and_is_refused_alike_when_it_comes_again() {
    let mut peer = Peer::new();
    let invite = peer.invite("o01", "");
    let refuse = |peer: &mut Peer, text: &str| {
        let wait: &[(&'static str, &[u8])] = &[("Retry-After", b"3")];
        peer.endpoint.refuse_outright(peer.remote(), text.as_bytes(), 503, wait);
        peer.take()
    };
    let (first, second) = (refuse(&mut peer, &invite), refuse(&mut peer, &invite));
    assert_eq!(first[0].status(), Some(503));
    assert_eq!(first[0].first("Retry-After"), Some(&b"3"[..]));
    assert!(text(first[0].first("To")).contains(";tag="));
    assert_eq!(first[0].raw(), second[0].raw());
    assert!(first[0].raw().len() < invite.len(), "the answer is no larger than the question");
    let ack = peer.inside("ACK", "o01", 1, &first[0], "", "");
    assert!(refuse(&mut peer, &ack).is_empty(), "an ACK is never answered");
    peer.tell(&ack);
    assert!(peer.take().is_empty());
    assert!(refuse(&mut peer, "INVITE sip:a SIP/2.0\r\n\r\n").is_empty());
    assert!(peer.endpoint.is_idle() && peer.event().is_none());
}

#[test]
fn s_15_a_call_in_progress_is_known_by_its_repetition_and_by_its_tag() {
    let mut peer = Peer::new();
    let invite = peer.invite("s15", "");
    let request = |text: &str| Request::read(parse(text.as_bytes()).unwrap()).unwrap();
    assert!(!peer.endpoint.is_repeated(&request(&invite)));
    let _leg = peer.ring(&invite);
    assert!(peer.endpoint.is_repeated(&request(&invite)));
    assert!(!peer.endpoint.is_repeated(&request(&peer.invite("another", ""))));
    let ringing = peer.last.clone().unwrap();
    let bye = peer.inside("BYE", "s15", 2, &ringing, "", "");
    let Glance::Inside(tag) = glance(bye.as_bytes()) else { panic!("{bye}") };
    assert!(peer.endpoint.is_own_tag(tag) && !peer.endpoint.is_own_tag(b"caller"));
    let (_, ours) = peer.originate();
    let ringing = peer.answer_to(&ours, 180);
    let Glance::Response(branch) = glance(ringing.as_bytes()) else { panic!("{ringing}") };
    assert!(peer.endpoint.is_own_branch(branch) && !peer.endpoint.is_own_branch(b"z9hG4bKs15"));
    peer.tell(&bye);
    assert!(!peer.endpoint.is_own_tag(tag), "the leg has ended");
}

#[test]
fn r_14_what_stands_on_a_leg_is_in_each_of_its_messages_those_of_the_endpoint_included() {
    let mut peer = Peer::new();
    let leg = peer.ring(&peer.invite("r14", ""));
    let standing = |value: &str| vec![Header::new("Session-ID", value).unwrap()];
    peer.endpoint.set_standing(leg, standing("1")).unwrap();
    peer.endpoint.respond(peer.now, leg, 200, &[], Some(&Body::sdp(SDP.into()))).unwrap();
    let answer = peer.take().remove(0);
    assert_eq!(answer.first("Session-ID"), Some(&b"1"[..]));
    peer.tell(&peer.inside("ACK", "r14", 1, &answer, "", ""));
    peer.endpoint.set_standing(leg, standing("2")).unwrap();
    peer.tell(&peer.inside("OPTIONS", "r14", 2, &answer, "", ""));
    let reply = peer.take().remove(0);
    assert_eq!((reply.status(), reply.first("Session-ID")), (Some(200), Some(&b"2"[..])));
    peer.endpoint.bye(peer.now, leg, &[]).unwrap();
    assert_eq!(peer.take().remove(0).first("Session-ID"), Some(&b"2"[..]));
    while peer.event().is_some_and(|event| !matches!(event, Event::Ended { .. })) {}
}
