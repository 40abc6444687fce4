//! UPDATE before and after the answer (RFC 3311), and changes that change nothing.

use std::time::Duration;

use sip::{Body, By, Event, LegId, Message};

use crate::peer::{Peer, SDP, text};

const ALLOW: &str = "Allow: INVITE, UPDATE\r\n";

/// A call of the peer's with early media that is acknowledged.
fn early(peer: &mut Peer, call: &str) -> (LegId, Message) {
    peer.tell(&peer.invite(call, &format!("Supported: 100rel\r\n{ALLOW}")));
    let Some(Event::IncomingInvite { leg, .. }) = peer.event() else { panic!("no call") };
    peer.take();
    let early = peer.respond(leg, 183, Some("v=0 early"));
    peer.tell(&peer.prack(call, 2, &early, ""));
    assert_eq!(peer.statuses(), [200]);
    assert!(matches!(peer.event(), Some(Event::Pracked { .. })));
    (leg, early)
}

#[test]
fn a_11_the_caller_changes_the_session_before_the_answer() {
    let mut peer = Peer::new();
    let (leg, early) = early(&mut peer, "a11");
    peer.tell(&peer.offer("UPDATE", "a11", 3, &early, "v=0 moved"));
    assert!(peer.take().is_empty(), "no 100 to what is no INVITE");
    match peer.event() {
        Some(Event::Reinvite { by: By::Update, offer: Some(offer), .. }) => {
            assert_eq!(&offer[..], b"v=0 moved");
        }
        other => panic!("{other:?}"),
    }
    let body = Body::sdp(b"v=0 moved too".to_vec());
    peer.endpoint.answer_reinvite(peer.now, leg, 200, &[], Some(&body)).unwrap();
    let answer = peer.take().remove(0);
    assert_eq!((answer.status(), answer.body()), (Some(200), &b"v=0 moved too"[..]));
    assert_eq!(answer.first("Contact"), Some(&b"<sip:192.0.2.1:5060>"[..]));
    peer.wait(Duration::from_secs(10));
    assert!(peer.take().is_empty(), "nobody acknowledges it");
    assert_eq!(peer.respond(leg, 200, Some("v=0 early")).body(), b"", "the older one is void");
}

#[test]
fn a_11_an_offer_before_the_first_is_answered_gets_500_and_a_time() {
    let mut peer = Peer::new();
    peer.ring(&peer.invite("a11", ALLOW));
    let ringing = peer.last.clone().unwrap();
    peer.tell(&peer.offer("UPDATE", "a11", 2, &ringing, "v=0 x"));
    let refused = peer.take().remove(0);
    assert_eq!(refused.status(), Some(500));
    assert!(text(refused.first("Retry-After")).parse::<u32>().unwrap() <= 10);
    assert!(peer.event().is_none());
}

#[test]
fn a_11_an_update_before_the_last_one_is_answered_gets_500_and_one_across_ours_491() {
    let mut peer = Peer::new();
    let (leg, answer) = peer.up("a11", ALLOW);
    peer.tell(&peer.offer("UPDATE", "a11", 2, &answer, "v=0 one"));
    assert!(matches!(peer.event(), Some(Event::Reinvite { .. })));
    peer.tell(&peer.offer("UPDATE", "a11", 3, &answer, "v=0 two"));
    assert_eq!(peer.statuses(), [500]);
    peer.tell(&peer.inside("UPDATE", "a11", 4, &answer, "", ""));
    assert_eq!(peer.statuses(), [500]);
    peer.endpoint.answer_reinvite(peer.now, leg, 488, &[], None).unwrap();
    assert_eq!(peer.statuses(), [488]);
    peer.endpoint.reinvite(peer.now, leg, Body::sdp(b"v=0 ours".to_vec())).unwrap();
    peer.take();
    peer.tell(&peer.offer("UPDATE", "a11", 5, &answer, "v=0 three"));
    assert_eq!(peer.statuses(), [491]);
    peer.tell(&peer.inside("UPDATE", "a11", 6, &answer, "", ""));
    assert_eq!(peer.statuses(), [200], "one without an offer crosses nothing");
}

#[test]
fn a_11_the_called_side_changes_the_session_before_it_answers() {
    let mut peer = Peer::new();
    let (leg, invite) = peer.originate();
    let from_far = |peer: &Peer, ringing: &str, cseq: u32| {
        let ringing = sip::parse(ringing.as_bytes()).unwrap();
        let (to, from) = (text(ringing.first("From")), text(ringing.first("To")));
        let call = text(ringing.first("Call-ID"));
        peer.offer("UPDATE", &call, cseq, &ringing, "v=0 moved")
            .replace("\"A\" <sip:caller@192.0.2.9>;tag=caller", &from)
            .replace(&format!("To: {from}"), &format!("To: {to}"))
    };
    // Our offer has no answer yet that counts.
    let early = peer.answer_as(&invite, 183, "x");
    peer.tell(&early);
    peer.tell(&from_far(&peer, &early, 1));
    assert_eq!(peer.statuses(), [491]);
    let early = peer.ring_as(&invite, 183, "x", 1);
    peer.tell(&early);
    peer.take();
    while peer.event().is_some() {}
    peer.tell(&from_far(&peer, &early, 2));
    assert!(matches!(peer.event(), Some(Event::Reinvite { by: By::Update, .. })));
    let body = Body::sdp(b"v=0 answer".to_vec());
    peer.endpoint.answer_reinvite(peer.now, leg, 200, &[], Some(&body)).unwrap();
    assert_eq!(peer.take()[0].body(), b"v=0 answer");
    // A place that never rang has no dialog to change.
    peer.tell(&from_far(&peer, &early.replace("tag=x", "tag=y"), 3));
    assert_eq!(peer.statuses(), [481]);
}

#[test]
fn a_11_we_change_the_session_before_and_after_the_answer() {
    let mut peer = Peer::new();
    let (leg, _) = early(&mut peer, "a11");
    let offer = |text: &str| Body::sdp(text.as_bytes().to_vec());
    peer.endpoint.update(peer.now, leg, None, offer("v=0 ours")).unwrap();
    let update = peer.take().remove(0);
    assert_eq!(
        (update.method().unwrap().name(), update.body()),
        (&b"UPDATE"[..], &b"v=0 ours"[..])
    );
    assert!(update.first("Contact").is_some());
    let again = peer.endpoint.update(peer.now, leg, None, offer("v=0 more"));
    assert_eq!(again, Err(sip::CommandError::WrongState), "one at a time");
    let answer = peer.answer_to(&update, 200).replace(
        "Content-Length: 0\r\n\r\n",
        "Content-Type: application/sdp\r\nContent-Length: 7\r\n\r\nv=0 yes",
    );
    peer.tell(&answer);
    match peer.event() {
        Some(Event::Reanswered { sdp: Some(sdp), .. }) => assert_eq!(&sdp[..], b"v=0 yes"),
        other => panic!("{other:?}"),
    }
    let (leg, _) = peer.up("a11b", ALLOW);
    peer.endpoint.update(peer.now, leg, None, offer("v=0 a")).unwrap();
    let update = peer.take().remove(0);
    peer.tell(&peer.answer_to(&update, 488));
    assert!(matches!(peer.event(), Some(Event::ReinviteRefused { status: 488, .. })));
}

#[test]
fn b_07_an_update_of_ours_that_crosses_is_made_again() {
    let mut peer = Peer::new();
    let (leg, _) = peer.up("b07", ALLOW);
    peer.endpoint.update(peer.now, leg, None, Body::sdp(b"v=0 a".to_vec())).unwrap();
    let update = peer.take().remove(0);
    peer.tell(&peer.answer_to(&update, 491));
    assert!(peer.event().is_none() && peer.take().is_empty());
    peer.wait(Duration::from_secs(2));
    let again = peer.take();
    assert_eq!(again[0].method().unwrap().name(), b"UPDATE");
    assert!(again.iter().all(|one| one.raw() == again[0].raw()), "one and its repetitions");
}

#[test]
fn a_11_update_is_sent_to_those_who_take_it() {
    let mut peer = Peer::new();
    let (leg, _) = peer.up("a11", "");
    let refused = peer.endpoint.update(peer.now, leg, None, Body::sdp(SDP.into()));
    assert_eq!(refused, Err(sip::CommandError::WrongState));
}

#[test]
fn r_03_an_update_without_an_offer_moves_the_target() {
    let mut peer = Peer::new();
    let (leg, answer) = peer.up("r03", "");
    let moved = peer.inside("UPDATE", "r03", 2, &answer, "", "").replace(
        "Contact: <sip:caller@192.0.2.9:5070>",
        "Contact: \"x\" <sip:new@192.0.2.44:5090;x-t=a%20b;maddr=192.0.2.99>;+sip.instance=\"z\"",
    );
    peer.tell(&moved);
    assert_eq!(peer.statuses(), [200]);
    assert!(peer.event().is_none());
    peer.endpoint.bye(peer.now, leg, &[]).unwrap();
    let uri = b"sip:new@192.0.2.44:5090;x-t=a%20b;maddr=192.0.2.99";
    assert_eq!(peer.take()[0].request_uri(), uri);
    // Row R-07: maddr is kept and not followed.
    assert_eq!(peer.destination, "192.0.2.44:5090".parse().ok());
}

#[test]
fn b_12_the_same_description_again_is_answered_and_reported_to_nobody() {
    let mut peer = Peer::new();
    let (leg, answer) = peer.up("b12", ALLOW);
    peer.tell(&peer.offer("INVITE", "b12", 2, &answer, SDP));
    let sent = peer.take();
    assert_eq!(sent[0].status(), Some(100));
    assert_eq!((sent[1].status(), sent[1].body()), (Some(200), SDP.as_bytes()));
    peer.tell(&peer.inside("ACK", "b12", 2, &answer, "", ""));
    peer.tell(&peer.offer("UPDATE", "b12", 3, &answer, SDP));
    assert_eq!(peer.take()[0].body(), SDP.as_bytes());
    assert!(peer.event().is_none());
    // Another one is news, and from then on the one that is not.
    peer.tell(&peer.offer("UPDATE", "b12", 4, &answer, "v=0 held"));
    assert!(matches!(peer.event(), Some(Event::Reinvite { .. })));
    let body = Body::sdp(b"v=0 held, too".to_vec());
    peer.endpoint.answer_reinvite(peer.now, leg, 200, &[], Some(&body)).unwrap();
    peer.take();
    peer.tell(&peer.offer("UPDATE", "b12", 5, &answer, "v=0 held"));
    assert_eq!(peer.take()[0].body(), b"v=0 held, too");
    assert!(peer.event().is_none());
}

const WHO: &str = "P-Asserted-Identity: \"Ann\" <sip:101@192.0.2.9>\r\n";

#[test]
fn t_01_who_is_there_now_is_reported_and_the_session_stays_as_it_is() {
    let mut peer = Peer::new();
    let (leg, answer) = peer.up("t01", ALLOW);
    peer.tell(&peer.inside("UPDATE", "t01", 2, &answer, WHO, ""));
    assert_eq!(peer.statuses(), [200]);
    match peer.event() {
        Some(Event::Noted { leg: noted, request }) => {
            assert_eq!(noted, leg);
            assert!(text(request.message().first("P-Asserted-Identity")).contains("101"));
        }
        other => panic!("{other:?}"),
    }
    let again = peer.offer("INVITE", "t01", 3, &answer, SDP);
    peer.tell(&again.replacen("Contact:", &format!("{WHO}Contact:"), 1));
    assert_eq!(peer.take().last().and_then(Message::status), Some(200));
    assert!(matches!(peer.event(), Some(Event::Noted { .. })));
}

#[test]
fn t_01_we_say_who_is_there_without_an_offer_one_after_the_other_and_to_those_who_take_update() {
    let mut peer = Peer::new();
    let who = [sip::Header::new("P-Asserted-Identity", "<sip:101@192.0.2.1>").unwrap()];
    let (leg, _) = peer.up("t01", "");
    assert_eq!(peer.endpoint.inform(peer.now, leg, &who), Ok(false));
    assert!(peer.take().is_empty());
    let (leg, _) =
        peer.up("t01b", &format!("{ALLOW}Supported: timer\r\nSession-Expires: 1800\r\n"));
    for status in [200, 500, 405] {
        assert_eq!(peer.endpoint.inform(peer.now, leg, &who), Ok(true), "before the {status}");
        let update = peer.take().remove(0);
        assert_eq!(update.method().unwrap().name(), b"UPDATE");
        assert_eq!((update.body(), text(update.first("Content-Length"))), (&b""[..], "0".into()));
        assert!(update.first("Contact").is_some() && update.first("P-Asserted-Identity").is_some());
        // RFC 4028 §7.4: without it, this would end the session timer.
        assert!(update.first("Session-Expires").is_some());
        let second = peer.endpoint.inform(peer.now, leg, &who);
        assert_eq!(second, Err(sip::CommandError::WrongState), "one at a time");
        peer.tell(&peer.answer_to(&update, status));
        assert!(peer.event().is_none() && peer.take().is_empty(), "whatever comes of it");
    }
    assert_eq!(
        peer.endpoint.inform(peer.now, leg, &who),
        Ok(false),
        "405: it takes none after all"
    );
}

#[test]
fn t_01_what_is_said_with_an_offer_that_crosses_is_said_with_the_next() {
    let mut peer = Peer::new();
    let (leg, _) = peer.up("t01", "");
    let who = [sip::Header::new("P-Asserted-Identity", "<sip:101@192.0.2.1>").unwrap()];
    let body = |text: &str| Body::sdp(text.as_bytes().to_vec());
    peer.endpoint.reinvite_saying(peer.now, leg, &who, body("v=0 held")).unwrap();
    let held = peer.take().remove(0);
    assert!(held.first("P-Asserted-Identity").is_some());
    peer.tell(&peer.answer_to(&held, 491));
    peer.take();
    peer.endpoint.reinvite(peer.now, leg, body("v=0 back")).unwrap();
    peer.wait(Duration::from_secs(4));
    let back = peer.take().into_iter().find(|one| one.body() == b"v=0 back").expect("the offer");
    assert!(back.first("P-Asserted-Identity").is_some());
}
