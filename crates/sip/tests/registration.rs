//! The registration client against a registrar made of text.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says why")]

#[allow(dead_code, reason = "this test program uses a part of the peer")]
mod peer;

use std::sync::Arc;
use std::time::Duration;

use peer::{Peer, text};
use sip::{
    Algorithm, Credentials, Event, ListenerId, Message, RegisterFault, Registration,
    RegistrationId, Secret, Standing, Uri,
};

fn uri(text: &str) -> Uri {
    Uri::parse(text.as_bytes()).unwrap()
}

fn register(peer: &mut Peer) -> (RegistrationId, Message) {
    let order = Registration {
        listener: ListenerId(0),
        destination: peer.address,
        registrar: uri("sip:carrier.example"),
        account: uri("sip:box@carrier.example"),
        contact_user: "box".to_owned(),
        expires_s: 600,
        credentials: Some(Arc::new(Credentials {
            user: "box".to_owned(),
            secret: Secret::new("swordfish"),
            realm: Some("carrier.example".to_owned()),
            weakest: Algorithm::Md5,
        })),
    };
    let id = peer.endpoint.register(peer.now, order).unwrap();
    (id, peer.take().remove(0))
}

/// The registrar's answer with these headers.
fn answer(peer: &mut Peer, request: &Message, status: u16, headers: &str) {
    let plain = peer.answer_to(request, status);
    peer.tell(&plain.replace("Content-Length", &format!("{headers}Content-Length")));
}

const CHALLENGE: &str = "WWW-Authenticate: Digest realm=\"carrier.example\", nonce=\"n\", \
     algorithm=SHA-256, qop=\"auth\"\r\n";
const GRANTED: &str = "Contact: <sip:other@192.0.2.77>;expires=30, \
     <sip:box@192.0.2.1:5060>;expires=100\r\nService-Route: <sip:edge.example;lr>\r\nExpires: 9\r\n";

fn standing(peer: &mut Peer) -> Standing {
    match peer.event() {
        Some(Event::Registration { standing, .. }) => standing,
        other => panic!("{other:?}"),
    }
}

/// The next request, and after how many seconds.
fn next(peer: &mut Peer, most_s: u64) -> (u64, Message) {
    for second in 1..=most_s {
        peer.wait(Duration::from_secs(1));
        if let Some(request) = peer.take().into_iter().next() {
            return (second, request);
        }
    }
    panic!("nothing in {most_s} s");
}

#[test]
fn it_registers_with_a_proof_and_renews_after_three_quarters_of_what_its_own_contact_was_granted() {
    let mut peer = Peer::new();
    let (_, first) = register(&mut peer);
    assert_eq!(first.request_uri(), b"sip:carrier.example");
    assert_eq!(first.first("To"), Some(&b"<sip:box@carrier.example>"[..]));
    assert_eq!(first.first("Contact"), Some(&b"<sip:box@192.0.2.1:5060>;expires=600"[..]));
    answer(&mut peer, &first, 401, CHALLENGE);
    let again = peer.take().remove(0);
    assert_eq!(text(again.first("CSeq")), "2 REGISTER");
    assert_eq!(again.first("Call-ID"), first.first("Call-ID"));
    assert!(text(again.first("Authorization")).contains("uri=\"sip:carrier.example\""));
    answer(&mut peer, &again, 200, GRANTED);
    let Standing::Registered { expires_s: 100, service_route } = standing(&mut peer) else {
        panic!("not registered");
    };
    assert_eq!(service_route[0].to_wire(), b"<sip:edge.example;lr>");
    let (after, renewal) = next(&mut peer, 100);
    assert_eq!(after, 75);
    assert_eq!(text(renewal.first("CSeq")), "3 REGISTER");
    assert!(text(renewal.first("Authorization")).ends_with("nc=00000002"), "unasked");
    answer(&mut peer, &renewal, 200, GRANTED);
    assert!(peer.event().is_none(), "no news");
}

#[test]
fn a_time_that_is_too_short_is_asked_for_longer_at_once() {
    let mut peer = Peer::new();
    let (_, first) = register(&mut peer);
    answer(&mut peer, &first, 423, "Min-Expires: 3600\r\n");
    let again = peer.take().remove(0);
    assert_eq!(again.first("Expires"), Some(&b"3600"[..]));
    answer(&mut peer, &again, 200, "Expires: 3600\r\n");
    assert!(matches!(standing(&mut peer), Standing::Registered { expires_s: 3600, .. }));
    let (_, first) = register(&mut peer);
    answer(&mut peer, &first, 423, "Min-Expires: 60\r\n");
    let fault = RegisterFault::Status(423);
    assert!(matches!(standing(&mut peer), Standing::Failed { fault: why, .. } if why == fault));
}

#[test]
fn a_registrar_that_is_silent_or_refuses_is_asked_ever_more_rarely() {
    let mut peer = Peer::new();
    let (_, mut request) = register(&mut peer);
    let mut waits = Vec::new();
    for _ in 0..9 {
        answer(&mut peer, &request, 403, "");
        let Standing::Failed { fault: RegisterFault::Status(403), retry_s } = standing(&mut peer)
        else {
            panic!("not failed");
        };
        let (after, again) = next(&mut peer, 1801);
        assert!(after.abs_diff(u64::from(retry_s)) <= 1, "{after} is not {retry_s}");
        waits.push(after);
        request = again;
    }
    assert!((15..=31).contains(&waits[0]) && (900..=1801).contains(&waits[8]), "{waits:?}");
    answer(&mut peer, &request, 200, "Expires: 3600\r\n");
    assert!(matches!(standing(&mut peer), Standing::Registered { .. }));
    let (mut silent, _) = (Peer::new(), ());
    register(&mut silent);
    silent.wait(Duration::from_secs(33));
    let fault = RegisterFault::Timeout;
    assert!(matches!(standing(&mut silent), Standing::Failed { fault: why, .. } if why == fault));
}

#[test]
fn a_password_that_is_turned_down_is_tried_once_in_a_while() {
    let mut peer = Peer::new();
    let (_, first) = register(&mut peer);
    answer(&mut peer, &first, 401, CHALLENGE);
    let again = peer.take().remove(0);
    answer(&mut peer, &again, 401, &CHALLENGE.replace("nonce=\"n\"", "nonce=\"m\""));
    assert!(peer.take().is_empty(), "no guessing");
    let Standing::Failed { fault, .. } = standing(&mut peer) else { panic!("not failed") };
    assert_eq!(fault, RegisterFault::Status(401));
    assert!(fault.to_string().contains("check user, realm and secret"), "{fault}");
    assert!(!format!("{fault:?}{fault}").contains("swordfish"));
}

#[test]
fn it_is_taken_back_with_expires_zero_and_leaves_nothing_behind() {
    let mut peer = Peer::new();
    let (id, first) = register(&mut peer);
    answer(&mut peer, &first, 200, GRANTED);
    standing(&mut peer);
    peer.endpoint.unregister(peer.now, id).unwrap();
    let last = peer.take().remove(0);
    assert_eq!(last.first("Contact"), Some(&b"<sip:box@192.0.2.1:5060>;expires=0"[..]));
    answer(&mut peer, &last, 401, CHALLENGE);
    let last = peer.take().remove(0);
    answer(&mut peer, &last, 200, "");
    assert_eq!(standing(&mut peer), Standing::Over);
    peer.wait(Duration::from_secs(60));
    assert!(peer.endpoint.is_idle());
}

#[test]
fn it_is_taken_back_only_after_the_answer_to_what_is_under_way() {
    let mut peer = Peer::new();
    let (id, first) = register(&mut peer);
    peer.endpoint.unregister(peer.now, id).unwrap();
    assert!(peer.take().is_empty());
    answer(&mut peer, &first, 200, GRANTED);
    let last = peer.take().remove(0);
    assert_eq!(last.first("Expires"), Some(&b"0"[..]));
    peer.wait(Duration::from_secs(70));
    assert_eq!(standing(&mut peer), Standing::Over, "whether the registrar lives or not");
    assert!(peer.endpoint.is_idle());
}
