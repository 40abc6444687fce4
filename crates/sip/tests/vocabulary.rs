//! Where the typed vocabulary of `rsip` is not right for us, each with the message that shows it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says why")]

use sip::{Method, Request, Uri, parse};

/// The smallest message with these header lines.
fn options(uri: &str, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "OPTIONS {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKa\r\nFrom: <sip:a@192.0.2.9>;tag=1\r\n\
         To: <sip:b@192.0.2.1>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n{headers}\r\n{body}"
    )
    .into_bytes()
}

fn theirs(message: &[u8]) -> Result<rsip::SipMessage, rsip::Error> {
    rsip::SipMessage::try_from(message)
}

#[test]
fn a_plain_message_is_read_by_both() {
    let message = options("sip:b@192.0.2.1", "", "");
    assert!(theirs(&message).is_ok());
    assert!(Request::read(parse(&message).unwrap()).is_ok());
}

#[test]
fn a_host_in_ipv6() {
    let message = options("sip:b@[2001:db8::1]:5070", "", "");
    assert!(theirs(&message).is_err());
    let request = Request::read(parse(&message).unwrap()).unwrap();
    let uri = Uri::parse(request.message().request_uri()).unwrap();
    assert_eq!(uri.socket_address(), "[2001:db8::1]:5070".parse().ok());
}

#[test]
fn a_method_of_its_own() {
    let message =
        String::from_utf8(options("sip:b@192.0.2.1", "", "")).unwrap().replace("OPTIONS", "DANCE");
    assert!(theirs(message.as_bytes()).is_err());
    assert!(Request::read(parse(message.as_bytes()).unwrap()).is_ok());
}

#[test]
fn a_method_in_small_letters() {
    assert_eq!("invite".parse::<rsip::Method>(), Ok(rsip::Method::Invite));
    assert_ne!(Method::parse(b"invite"), Some(Method::INVITE), "RFC 3261 §7.1: case-sensitive");
}

#[test]
fn a_folded_header() {
    let message = options("sip:b@192.0.2.1", "Subject: one\r\n two\r\n", "");
    assert!(theirs(&message).is_err());
    assert_eq!(parse(&message).unwrap().first("Subject"), Some(&b"one two"[..]));
}

#[test]
fn a_name_in_latin_1() {
    let mut message = options("sip:b@192.0.2.1", "Subject: caf?\r\n", "");
    let at = message.iter().position(|&octet| octet == b'?').unwrap();
    message[at] = 0xe9;
    assert!(theirs(&message).is_err());
    assert_eq!(parse(&message).unwrap().first("Subject"), Some(&b"caf\xe9"[..]));
}

#[test]
fn a_body_that_is_shorter_than_the_datagram() {
    let message = options("sip:b@192.0.2.1", "Content-Length: 2\r\n", "ab and more");
    match theirs(&message) {
        Ok(rsip::SipMessage::Request(request)) => assert_eq!(request.body, b"ab and more"),
        other => panic!("{other:?}"),
    }
    assert_eq!(parse(&message).unwrap().body(), b"ab");
}

#[test]
fn a_reason_phrase_of_its_own() {
    let message = b"SIP/2.0 486 Bezet\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKa\r\n\r\n";
    match theirs(message) {
        Ok(rsip::SipMessage::Response(response)) => {
            assert_eq!(response.status_code, rsip::StatusCode::BusyHere, "and no phrase beside it");
        }
        other => panic!("{other:?}"),
    }
    match parse(message).unwrap().start() {
        sip::Start::Response { reason, .. } => assert_eq!(reason, b"Bezet"),
        sip::Start::Request { .. } => panic!("a response"),
    }
}

#[test]
fn a_session_name_in_latin_1_is_why_descriptions_are_read_here() {
    // sdp-types 0.3 refuses the whole description for one octet in a line that nobody acts on.
    let text = b"v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=B\xfcro\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nb=AS:\r\nm=audio 4000  RTP/AVP 8\r\n";
    assert_eq!(sip::Description::parse(text).unwrap().media.len(), 1);
}
