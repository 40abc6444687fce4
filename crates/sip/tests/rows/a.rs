//! Rows A: answering, early media, provisional responses.

use std::time::Duration;

use sip::{Body, Event, Header, Why};

use crate::peer::{Peer, SDP, text};

#[test]
fn a_01_trying_is_sent_before_anything_is_decided() {
    let mut peer = Peer::new();
    peer.tell(&peer.invite("a01", ""));
    let sent = peer.take();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].status(), Some(100));
    assert!(!text(sent[0].first("To")).contains("tag="), "a 100 opens no dialog");
    assert!(matches!(peer.event(), Some(Event::IncomingInvite { offer: Some(_), .. })));
}

#[test]
fn a_05_an_invite_that_comes_again_gets_the_last_response_again_and_starts_nothing() {
    let mut peer = Peer::new();
    let invite = peer.invite("a05", "");
    let leg = peer.ring(&invite);
    peer.tell(&invite);
    assert_eq!(peer.statuses(), [180]);
    peer.endpoint.respond(peer.now, leg, 200, &[], Some(&Body::sdp(SDP.into()))).unwrap();
    assert_eq!(peer.statuses(), [200]);
    peer.tell(&invite);
    assert_eq!(peer.statuses(), [0_u16; 0], "the 2xx has a clock of its own");
    assert!(peer.event().is_none());
}

#[test]
fn a_02_r_01_the_answer_carries_record_routes_and_one_tag_from_first_to_last() {
    let mut peer = Peer::new();
    let routes = "Record-Route: <sip:p2.example;lr>,<sip:192.0.2.50:5061;lr>\r\nRecord-Route: <sip:p0;lr>\r\n";
    let leg = peer.ring(&peer.invite("r01", routes));
    let ringing = peer.last.clone().unwrap();
    peer.endpoint.respond(peer.now, leg, 200, &[], Some(&Body::sdp(SDP.into()))).unwrap();
    let answer = peer.take().remove(0);
    for response in [&ringing, &answer] {
        let routes: Vec<_> = response.all("Record-Route").map(|value| text(Some(value))).collect();
        assert_eq!(routes, ["<sip:p2.example;lr>,<sip:192.0.2.50:5061;lr>", "<sip:p0;lr>"]);
        assert_eq!(response.first("Contact"), Some(&b"<sip:192.0.2.1:5060>"[..]));
    }
    assert_eq!(ringing.first("To"), answer.first("To"));
    peer.tell(&peer.inside("ACK", "r01", 1, &answer, "", ""));
    assert!(matches!(peer.event(), Some(Event::Acked { answer: None, .. })));
    // Our own request takes the same way back, in the same order; the first hop is a name, so it goes
    // where the call came from.
    peer.endpoint.bye(peer.now, leg, &[Header::new("Reason", "SIP;cause=486").unwrap()]).unwrap();
    let bye = peer.take().remove(0);
    let routes: Vec<_> = bye.all("Route").map(|value| text(Some(value))).collect();
    assert_eq!(routes, ["<sip:p2.example;lr>", "<sip:192.0.2.50:5061;lr>", "<sip:p0;lr>"]);
    assert_eq!(bye.request_uri(), b"sip:caller@192.0.2.9:5070");
    assert_eq!(bye.first("Reason"), Some(&b"SIP;cause=486"[..]));
}

#[test]
fn a_03_a_late_offer_is_answered_in_the_ack() {
    let mut peer = Peer::new();
    let leg = peer.ring(&peer.request("INVITE", "a03", 1, "", ""));
    peer.endpoint.respond(peer.now, leg, 200, &[], Some(&Body::sdp(b"v=0 ours".to_vec()))).unwrap();
    let answer = peer.take().remove(0);
    assert_eq!(answer.body(), b"v=0 ours");
    peer.tell(&peer.inside(
        "ACK",
        "a03",
        1,
        &answer,
        "Content-Type: application/sdp\r\n",
        "v=0 theirs",
    ));
    match peer.event() {
        Some(Event::Acked { answer: Some(sdp), .. }) => assert_eq!(&sdp[..], b"v=0 theirs"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_03_a_late_offer_that_is_never_answered_ends_the_call() {
    let mut peer = Peer::new();
    let leg = peer.ring(&peer.request("INVITE", "a03", 1, "", ""));
    peer.endpoint.respond(peer.now, leg, 200, &[], Some(&Body::sdp(b"v=0 ours".to_vec()))).unwrap();
    let answer = peer.take().remove(0);
    peer.tell(&peer.inside("ACK", "a03", 1, &answer, "", ""));
    let bye = peer.take().remove(0);
    assert_eq!(bye.method().unwrap().name(), b"BYE");
    peer.tell(&peer.answer_to(&bye, 200));
    assert!(matches!(peer.event(), Some(Event::Ended { why: Why::NoAnswer, .. })));
}

#[test]
fn a_18_what_must_be_understood_and_is_not_is_named() {
    let mut peer = Peer::new();
    peer.tell(&peer.invite("a18", "Require: 100rel, x-one\r\nRequire: x-two\r\n"));
    let refused = peer.take().remove(0);
    assert_eq!(refused.status(), Some(420));
    assert_eq!(refused.first("Unsupported"), Some(&b"x-one, x-two"[..]));
    assert!(peer.event().is_none());
}

#[test]
fn a_23_a_body_that_is_no_session_is_refused_with_what_we_read() {
    let mut peer = Peer::new();
    peer.tell(&peer.request("INVITE", "a23", 1, "Content-Type: text/plain\r\n", "hello"));
    let refused = peer.take().remove(0);
    assert_eq!(refused.status(), Some(415));
    assert_eq!(refused.first("Accept"), Some(&b"application/sdp, multipart/mixed"[..]));
    let multipart = "--b\r\nContent-Type: application/sdp\r\n\r\nv=0 part\r\n--b--\r\n";
    peer.tell(&peer.request(
        "INVITE",
        "a23b",
        1,
        "Content-Type: multipart/mixed;boundary=b\r\n",
        multipart,
    ));
    match peer.event() {
        Some(Event::IncomingInvite { offer: Some(sdp), .. }) => assert_eq!(&sdp[..], b"v=0 part"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_14_a_second_fork_that_answers_is_acknowledged_and_hung_up_on() {
    let mut peer = Peer::new();
    let (_, invite) = peer.originate();
    peer.tell(&peer.answer_as(&invite, 200, "one"));
    assert!(matches!(peer.event(), Some(Event::Answered { .. })));
    assert_eq!(peer.methods(), ["ACK"]);
    peer.tell(&peer.answer_as(&invite, 200, "two"));
    let sent = peer.take();
    let names: Vec<_> =
        sent.iter().map(|sent| text(sent.method().map(|method| method.name()))).collect();
    assert_eq!(names, ["ACK", "BYE"]);
    assert!(sent.iter().all(|sent| text(sent.first("To")).ends_with("tag=two")));
    assert!(peer.event().is_none(), "the call goes on with the first");
}

#[test]
fn a_15_the_tag_of_the_answer_counts_not_that_of_the_ringing() {
    let mut peer = Peer::new();
    let (leg, invite) = peer.originate();
    peer.tell(&peer.answer_as(&invite, 180, "early"));
    assert!(matches!(peer.event(), Some(Event::Provisional { status: 180, .. })));
    peer.tell(&peer.answer_as(&invite, 200, "final"));
    let ack = peer.take().remove(0);
    assert!(text(ack.first("To")).ends_with("tag=final"));
    peer.endpoint.bye(peer.now, leg, &[]).unwrap();
    assert!(text(peer.take()[0].first("To")).ends_with("tag=final"));
}

#[test]
fn a_17_early_media_of_the_same_dialog_stands_for_an_empty_answer() {
    let mut peer = Peer::new();
    let (_, invite) = peer.originate();
    peer.tell(&peer.answer_as(&invite, 183, "x"));
    peer.event();
    let bare = peer.answer_as(&invite, 200, "x").split("Content-Type").next().unwrap().to_owned();
    peer.tell(&format!("{bare}Content-Length: 0\r\n\r\n"));
    match peer.event() {
        Some(Event::Answered { sdp, .. }) => assert_eq!(&sdp[..], b"v=0 x"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_17_an_answer_without_any_session_is_acknowledged_and_hung_up_on() {
    let mut peer = Peer::new();
    let (_, invite) = peer.originate();
    peer.tell(&peer.answer_as(&invite, 183, "other"));
    peer.event();
    let bare = peer.answer_as(&invite, 200, "x").split("Content-Type").next().unwrap().to_owned();
    peer.tell(&format!("{bare}Content-Length: 0\r\n\r\n"));
    assert_eq!(peer.methods(), ["ACK", "BYE"]);
}

#[test]
fn a_24_an_invite_that_expires_gets_487() {
    let mut peer = Peer::new();
    peer.ring(&peer.invite("a24", "Expires: 30\r\n"));
    peer.wait(Duration::from_secs(29));
    assert!(peer.event().is_none());
    peer.wait(Duration::from_millis(1100));
    assert_eq!(peer.statuses(), [487]);
    assert!(matches!(peer.event(), Some(Event::Ended { why: Why::Expired, .. })));
    let (_, _) = peer.up("a24b", "Expires: 30\r\n");
    peer.wait(Duration::from_secs(60));
    assert_eq!(peer.endpoint.live_legs(), 1, "an answered call does not expire");
}

#[test]
fn a_2xx_without_a_description_is_not_sent() {
    let mut peer = Peer::new();
    let leg = peer.ring(&peer.invite("empty", ""));
    let refused = peer.endpoint.respond(peer.now, leg, 200, &[], None);
    assert_eq!(refused, Err(sip::CommandError::NoDescription));
    assert!(peer.take().is_empty());
}
