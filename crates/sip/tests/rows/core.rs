//! What no row names: the house's own promises.

use std::time::Duration;

use sip::{Body, Event, Why};

use crate::peer::{Peer, SDP, text};

#[test]
fn every_via_comes_back_in_its_order() {
    let mut peer = Peer::new();
    let more = "Via: SIP/2.0/UDP 192.0.2.66;branch=z9hG4bKb, SIP/2.0/TCP c.example;branch=z9hG4bKc\r\nVia: SIP/2.0/UDP d\r\n";
    peer.tell(&peer.request("OPTIONS", "vias", 1, more, ""));
    let response = peer.take().remove(0);
    let vias: Vec<_> = response.all("Via").map(|value| text(Some(value))).collect();
    assert_eq!(
        vias,
        [
            "SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bKvias",
            "SIP/2.0/UDP 192.0.2.66;branch=z9hG4bKb",
            "SIP/2.0/TCP c.example;branch=z9hG4bKc",
            "SIP/2.0/UDP d",
        ]
    );
}

#[test]
fn an_ack_of_something_else_confirms_nothing() {
    let mut peer = Peer::new();
    let leg = peer.ring(&peer.invite("other", ""));
    peer.endpoint.respond(peer.now, leg, 200, &[], Some(&Body::sdp(SDP.into()))).unwrap();
    let answer = peer.take().remove(0);
    peer.tell(&peer.inside("ACK", "other", 2, &answer, "", ""));
    assert!(peer.event().is_none());
    peer.wait(Duration::from_millis(600));
    assert_eq!(peer.statuses(), [200], "it is still waited for");
}

#[test]
fn a_request_that_comes_over_two_ways_is_taken_once() {
    let mut peer = Peer::new();
    let invite = peer.invite("merged", "");
    peer.ring(&invite);
    peer.tell(&invite.replace("z9hG4bKmerged", "z9hG4bKother"));
    assert_eq!(peer.statuses(), [482]);
}

#[test]
fn the_ringing_is_repeated_every_minute() {
    let mut peer = Peer::new();
    peer.ring(&peer.invite("refresh", ""));
    peer.wait(Duration::from_secs(61));
    assert_eq!(peer.statuses(), [180]);
    peer.wait(Duration::from_secs(60));
    assert_eq!(peer.statuses(), [180]);
}

#[test]
fn commands_that_do_not_fit_are_refused_and_change_nothing() {
    use sip::CommandError::{Status, UnknownLeg, WrongState};
    let mut peer = Peer::new();
    let leg = peer.ring(&peer.invite("wrong", ""));
    let (now, sdp) = (peer.now, Body::sdp(SDP.into()));
    assert_eq!(peer.endpoint.bye(now, leg, &[]), Err(WrongState));
    assert_eq!(peer.endpoint.cancel(now, leg, &[]), Err(WrongState));
    assert_eq!(peer.endpoint.reinvite(now, leg, sdp.clone()), Err(WrongState));
    assert_eq!(peer.endpoint.answer_reinvite(now, leg, 488, &[], None), Err(WrongState));
    assert_eq!(peer.endpoint.respond(now, leg, 100, &[], None), Err(Status(100)));
    assert_eq!(peer.endpoint.respond(now, leg, 700, &[], None), Err(Status(700)));
    assert!(peer.take().is_empty());
    peer.endpoint.respond(now, leg, 486, &[], None).unwrap();
    assert_eq!(peer.endpoint.respond(now, leg, 200, &[], Some(&sdp)), Err(UnknownLeg));
    assert!(matches!(peer.event(), Some(Event::Ended { why: Why::Refused, .. })));
}

#[test]
fn a_hang_up_before_the_ack_waits_for_it() {
    let mut peer = Peer::new();
    let leg = peer.ring(&peer.invite("early", ""));
    peer.endpoint.respond(peer.now, leg, 200, &[], Some(&Body::sdp(SDP.into()))).unwrap();
    let answer = peer.take().remove(0);
    peer.endpoint.bye(peer.now, leg, &[]).unwrap();
    assert_eq!(peer.methods(), [""; 0], "RFC 3261 §15: no BYE before the ACK");
    peer.tell(&peer.inside("ACK", "early", 1, &answer, "", ""));
    let bye = peer.take().remove(0);
    assert_eq!(bye.method().unwrap().name(), b"BYE");
    peer.tell(&peer.answer_to(&bye, 200));
    assert!(matches!(peer.event(), Some(Event::Ended { why: Why::HungUp, .. })));
}

#[test]
fn no_number_name_or_address_shows_in_debug() {
    let mut peer = Peer::new();
    peer.tell(&peer.invite("secret-call-id", "P-Asserted-Identity: <tel:+31687654321>\r\n"));
    let (_, invite) = peer.originate();
    peer.tell(&peer.answer_as(&invite, 486, "x"));
    let remote = peer.remote();
    let mut shown = format!("{:?} {remote:?} {invite:?}", peer.endpoint);
    while let Some(event) = peer.event() {
        if let Event::IncomingInvite { request, .. } = &event {
            shown.push_str(&format!("{:?} {:?}", request.from(), request.to()));
        }
        shown.push_str(&format!("{event:?}"));
    }
    for secret in ["3120123", "31687654321", "caller", "192.0.2", "secret"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}
