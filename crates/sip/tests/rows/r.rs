//! Rows R and T: routing, identity, topology.

use std::time::Duration;

use sip::{Body, Event, Pong};

use crate::peer::{Peer, SDP, text};

#[test]
fn r_02_a_strict_router_takes_the_place_of_the_target() {
    let mut peer = Peer::new();
    let (leg, _) = peer.up("r02", "Record-Route: <sip:192.0.2.60>\r\n");
    peer.endpoint.bye(peer.now, leg, &[]).unwrap();
    let bye = peer.take().remove(0);
    assert_eq!(bye.request_uri(), b"sip:192.0.2.60");
    assert_eq!(bye.first("Route"), Some(&b"<sip:caller@192.0.2.9:5070>"[..]));
    assert_eq!(peer.destination, "192.0.2.60:5060".parse().ok());
}

#[test]
fn t_08_our_requests_take_the_record_route_of_the_answer_from_its_end() {
    let mut peer = Peer::new();
    let (leg, invite) = peer.originate();
    let routes = "Record-Route: <sip:far;lr>, <sip:192.0.2.71:5071;lr>\r\nRecord-Route: <sip:192.0.2.70;lr>\r\nCSeq";
    peer.tell(&peer.answer_as(&invite, 200, "x").replace("CSeq", routes));
    let ack = peer.take().remove(0);
    assert_eq!(peer.destination, "192.0.2.70:5060".parse().ok());
    peer.endpoint.bye(peer.now, leg, &[]).unwrap();
    for request in [ack, peer.take().remove(0)] {
        let routes: Vec<_> = request.all("Route").map(|value| text(Some(value))).collect();
        assert_eq!(routes, ["<sip:192.0.2.70;lr>", "<sip:192.0.2.71:5071;lr>", "<sip:far;lr>"]);
        assert_eq!(request.request_uri(), b"sip:x@192.0.2.9:5070");
    }
}

#[test]
fn r_18_options_says_what_we_do_and_when_we_are_leaving() {
    let mut peer = Peer::new();
    peer.tell(&peer.request("OPTIONS", "r18", 1, "", ""));
    let alive = peer.take().remove(0);
    assert_eq!(alive.status(), Some(200));
    assert_eq!(
        alive.first("Allow"),
        Some(&b"INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, PRACK, UPDATE, REFER"[..])
    );
    assert_eq!(alive.first("Accept"), Some(&b"application/sdp, multipart/mixed"[..]));
    assert_eq!(alive.first("Supported"), Some(&b"100rel, 199, replaces, norefersub, timer"[..]));
    peer.endpoint.set_draining(true);
    peer.tell(&peer.request("OPTIONS", "r18b", 1, "", ""));
    assert_eq!(peer.statuses(), [503]);
}

#[test]
fn r_17_a_peer_that_answers_lives_and_one_that_does_not_is_reported() {
    let mut peer = Peer::new();
    let target = sip::Uri::parse(b"sip:192.0.2.9").unwrap();
    let ping = |peer: &mut Peer| {
        peer.endpoint.options(peer.now, sip::ListenerId(0), peer.address, &target).unwrap();
        peer.take().remove(0)
    };
    let options = ping(&mut peer);
    peer.tell(&peer.answer_to(&options, 404));
    assert!(matches!(peer.event(), Some(Event::Pong { pong: Pong::Status(404), seen: None, .. })));
    let options = ping(&mut peer);
    let stamped =
        peer.answer_to(&options, 200).replacen(";rport", ";rport=4060;received=203.0.113.7", 1);
    peer.tell(&stamped);
    let nat = "203.0.113.7:4060".parse().unwrap();
    assert!(matches!(peer.event(), Some(Event::Pong { seen: Some(seen), .. }) if seen == nat));
    ping(&mut peer);
    peer.wait(Duration::from_secs(33));
    assert!(matches!(peer.event(), Some(Event::Pong { pong: Pong::Timeout, .. })));
    ping(&mut peer);
    peer.endpoint.unreachable(peer.now, peer.remote());
    assert!(matches!(peer.event(), Some(Event::Pong { pong: Pong::Timeout, .. })));
}

#[test]
fn r_04_hops_are_counted_down_and_end() {
    let mut peer = Peer::new();
    peer.tell(&peer.invite("r04", "").replace("Max-Forwards: 70", "Max-Forwards: 0"));
    assert_eq!(peer.statuses(), [483]);
    peer.tell(&peer.invite("r04b", "").replace("Max-Forwards: 70", "Max-Forwards: 12"));
    assert!(matches!(peer.event(), Some(Event::IncomingInvite { max_forwards: 11, .. })));
}

#[test]
fn r_06_the_reply_goes_where_rport_says() {
    let mut peer = Peer::new();
    peer.tell(
        &peer
            .request("OPTIONS", "r06", 1, "", "")
            .replace("192.0.2.9:5070;", "10.0.0.1:5099;rport;"),
    );
    let via = text(peer.take()[0].first("Via"));
    assert!(via.contains("received=192.0.2.9") && via.contains("rport=5070"), "{via}");
    assert_eq!(peer.destination, Some(peer.address));
    peer.tell(
        &peer.request("OPTIONS", "r06b", 1, "", "").replace("192.0.2.9:5070;", "10.0.0.1:5099;"),
    );
    peer.take();
    assert_eq!(peer.destination, "192.0.2.9:5099".parse().ok());
}

#[test]
fn r_08_nothing_of_one_leg_shows_on_another() {
    let mut peer = Peer::new();
    peer.tell(&peer.invite("topology", "Record-Route: <sip:inner.example;lr>\r\n"));
    peer.take();
    let (_, invite) = peer.originate();
    let wire = String::from_utf8_lossy(invite.raw()).into_owned();
    for secret in ["topology", "inner.example", "caller", "z9hG4bKtopology"] {
        assert!(!wire.contains(secret), "{secret}");
    }
}

#[test]
fn r_20_what_we_are_not_for_is_refused_with_what_we_are() {
    let mut peer = Peer::new();
    let expected =
        [("REGISTER", 405), ("SUBSCRIBE", 405), ("MESSAGE", 405), ("REFER", 405), ("DANCE", 501)];
    for (method, status) in expected {
        peer.tell(&peer.request(method, method, 1, "", ""));
        let refused = peer.take().remove(0);
        assert_eq!(refused.status(), Some(status), "{method}");
        assert!(refused.first("Allow").is_some());
    }
}

#[test]
fn r_03_an_offer_moves_the_target_of_later_requests() {
    let mut peer = Peer::new();
    let (leg, answer) = peer.up("r03", "");
    let moved = peer
        .inside("INVITE", "r03", 2, &answer, "Content-Type: application/sdp\r\n", "v=0 moved")
        .replace(
            "Contact: <sip:caller@192.0.2.9:5070>",
            "Contact: <sip:new@192.0.2.44:5090;transport=udp;x=y>",
        );
    peer.tell(&moved);
    peer.endpoint.answer_reinvite(peer.now, leg, 200, &[], Some(&Body::sdp(SDP.into()))).unwrap();
    peer.tell(&peer.inside("ACK", "r03", 2, &answer, "", ""));
    peer.take();
    peer.endpoint.bye(peer.now, leg, &[]).unwrap();
    assert_eq!(peer.take()[0].request_uri(), b"sip:new@192.0.2.44:5090;transport=udp;x=y");
    assert_eq!(peer.destination, "192.0.2.44:5090".parse().ok());
}

#[test]
fn t_08_we_are_never_on_our_own_way() {
    let mut peer = Peer::new();
    let ours = "Record-Route: <sip:192.0.2.1:5060;lr>, <sip:192.0.2.50;lr>\r\n";
    let (leg, _) = peer.up("t08", ours);
    peer.endpoint.bye(peer.now, leg, &[]).unwrap();
    let bye = peer.take().remove(0);
    assert_eq!(bye.list("Route"), [b"<sip:192.0.2.50;lr>"]);
    assert_eq!(peer.destination, "192.0.2.50:5060".parse().ok());
}

#[test]
fn a_18_a_call_without_an_address_to_call_back_gets_400() {
    let mut peer = Peer::new();
    let contact = "Contact: <sip:caller@192.0.2.9:5070>\r\n";
    for wrong in ["", "Contact: *\r\n", "Contact: nowhere\r\n"] {
        peer.tell(&peer.invite(&format!("c{}", wrong.len()), "").replace(contact, wrong));
        assert_eq!(peer.statuses(), [400], "{wrong}");
    }
    assert!(peer.event().is_none());
}
