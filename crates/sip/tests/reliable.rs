//! An endpoint over streams: who answers by which connection, and what is too large for a datagram.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says why")]

use std::time::{Duration, Instant};

use sip::{
    Abilities, Body, Broken, Config, Endpoint, Event, Frame, Framer, Header, Invite, LegId,
    Listener, ListenerId, NameAddr, Remote, Transmit, Transport, Uri, Why, parse,
};

const UDP: ListenerId = ListenerId(0);
const TCP: ListenerId = ListenerId(1);

fn endpoint() -> Endpoint {
    let listener =
        |transport| Listener { transport, advertised: "192.0.2.1:5060".parse().unwrap() };
    let listeners = vec![listener(Transport::Udp), listener(Transport::Tcp)];
    Endpoint::new(Config::new("test", listeners), [3; 32])
}

fn remote(address: &str, transport: Transport) -> Remote {
    let listener = if transport == Transport::Udp { UDP } else { TCP };
    Remote { address: address.parse().unwrap(), listener, transport }
}

fn request(method: &str, via: &str, length: &str) -> String {
    format!(
        "{method} sip:+31201234567@192.0.2.1 SIP/2.0\r\nVia: {via};branch=z9hG4bK{method}\r\n\
         From: <sip:a@192.0.2.9>;tag=f\r\nTo: <sip:b@192.0.2.1>\r\nCall-ID: c\r\n\
         CSeq: 1 {method}\r\nContact: <sip:a@192.0.2.9:5070;transport=tcp>\r\n{length}\r\n"
    )
}

fn sent(endpoint: &mut Endpoint) -> Vec<Transmit> {
    std::iter::from_fn(|| endpoint.poll_transmit()).collect()
}

fn first_line(transmit: &Transmit) -> String {
    let line = transmit.octets.split(|octet| *octet == b'\r').next().unwrap();
    String::from_utf8_lossy(line).into_owned()
}

fn invite(endpoint: &mut Endpoint, now: Instant, padding: usize) -> LegId {
    invite_by(UDP, endpoint, now, padding)
}

fn invite_by(by: ListenerId, endpoint: &mut Endpoint, now: Instant, padding: usize) -> LegId {
    let uri = |text: &str| Uri::parse(text.as_bytes()).unwrap();
    let invite = Invite {
        listener: by,
        destination: "192.0.2.9:5070".parse().unwrap(),
        stream: Some(TCP),
        target: uri("sip:b@192.0.2.9:5070"),
        routes: Vec::new(),
        from: NameAddr::new(uri("sip:a@192.0.2.1")),
        to: NameAddr::new(uri("sip:b@192.0.2.9")),
        headers: vec![Header::new("X-Padding", "x".repeat(padding)).unwrap()],
        body: Body::sdp(b"v=0".to_vec()),
        max_forwards: 70,
        abilities: Abilities::default(),
    };
    endpoint.invite(now, &invite).unwrap()
}

#[test]
fn s_08_an_answer_goes_by_the_connection_its_question_came_by_and_else_to_what_via_says() {
    let (mut endpoint, now) = (endpoint(), Instant::now());
    let source = remote("192.0.2.9:40000", Transport::Tcp);
    let options = request("OPTIONS", "SIP/2.0/TCP 192.0.2.9:5070", "Content-Length: 0\r\n");
    endpoint.receive(now, source, options.as_bytes());
    let answers = sent(&mut endpoint);
    assert_eq!(first_line(&answers[0]), "SIP/2.0 200 OK");
    assert_eq!(answers[0].over, Some(source.address));
    assert_eq!(answers[0].remote, remote("192.0.2.9:5070", Transport::Tcp));
    endpoint.handle_timeout(now);
    assert!(endpoint.is_idle(), "over a stream nothing comes twice, so nothing is remembered");
}

#[test]
fn s_08_a_message_that_does_not_say_how_long_it_is_gets_400() {
    let (mut endpoint, now) = (endpoint(), Instant::now());
    let text = request("OPTIONS", "SIP/2.0/TCP 192.0.2.9:5070", "");
    let mut framer = Framer::new();
    framer.feed(text.as_bytes());
    let Err(Broken::Unframed(octets)) = framer.poll() else { panic!("it can be framed") };
    endpoint.receive(now, remote("192.0.2.9:40000", Transport::Tcp), &octets);
    assert_eq!(first_line(&sent(&mut endpoint)[0]), "SIP/2.0 400 Missing Content-Length");
    endpoint.receive(now, remote("192.0.2.9:40000", Transport::Udp), &octets);
    assert_eq!(first_line(&sent(&mut endpoint)[0]), "SIP/2.0 200 OK", "a datagram has an end");
}

#[test]
fn s_08_what_we_write_to_a_stream_can_be_framed() {
    let (mut endpoint, now) = (endpoint(), Instant::now());
    let leg = invite(&mut endpoint, now, 2_000);
    endpoint.cancel(now, leg, &[]).unwrap();
    let source = remote("192.0.2.9:5070", Transport::Tcp);
    let text = request("OPTIONS", "SIP/2.0/TCP 192.0.2.9:5070", "Content-Length: 0\r\n");
    endpoint.receive(now, source, text.as_bytes());
    let mut framer = Framer::new();
    let sent = sent(&mut endpoint);
    for transmit in &sent {
        framer.feed(&transmit.octets);
        assert_eq!(framer.poll(), Ok(Some(Frame::Message(transmit.octets.clone()))));
    }
    assert_eq!((sent.len(), framer.is_midway()), (2, false));
}

#[test]
fn s_08_requests_of_ours_in_a_dialog_take_the_connection_it_came_by() {
    let (mut endpoint, now) = (endpoint(), Instant::now());
    let source = remote("192.0.2.9:40000", Transport::Tcp);
    let text = request("INVITE", "SIP/2.0/TCP 192.0.2.9:5070;alias", "Content-Length: 0\r\n");
    endpoint.receive(now, source, text.as_bytes());
    let Some(Event::IncomingInvite { leg, .. }) = endpoint.poll_event() else { panic!() };
    endpoint.respond(now, leg, 200, &[], Some(&Body::sdp(b"v=0".to_vec()))).unwrap();
    let answers = sent(&mut endpoint);
    assert!(answers.iter().all(|answer| answer.alias && answer.over == Some(source.address)));
    // The 2xx has a clock of its own over any transport (RFC 3261 §13.3.1.4).
    endpoint.handle_timeout(now + Duration::from_millis(500));
    assert_eq!(sent(&mut endpoint), answers[1..]);
    // An ACK without the answer to our offer ends the call (row A-03): BYE is a request of ours.
    let to = parse(&answers[1].octets).unwrap().first("To").unwrap().to_vec();
    let to = format!("To: {}", String::from_utf8(to).unwrap());
    let ack = text.replace("INVITE", "ACK").replace("To: <sip:b@192.0.2.1>", &to);
    endpoint.receive(now, source, ack.as_bytes());
    let bye = sent(&mut endpoint).remove(0);
    assert!(first_line(&bye).starts_with("BYE "));
    assert_eq!(bye.remote, remote("192.0.2.9:5070", Transport::Tcp), "its Contact");
    assert_eq!(bye.over, Some(source.address), "by the connection that is open anyway");
}

#[test]
fn r_15_only_a_request_too_large_for_a_datagram_goes_by_tcp() {
    let (mut endpoint, now) = (endpoint(), Instant::now());
    let _small = invite(&mut endpoint, now, 10);
    let small = sent(&mut endpoint).remove(0);
    // The number of a CSeq has one to five digits.
    let room = 1_300 - small.octets.len() + 10 - 4;
    let _exact = invite(&mut endpoint, now, room);
    let exact = sent(&mut endpoint).remove(0);
    assert_eq!(exact.remote.transport, Transport::Udp);
    assert!((1_292..=1_300).contains(&exact.octets.len()), "{}", exact.octets.len());
    let _large = invite(&mut endpoint, now, room + 16);
    let large = sent(&mut endpoint).remove(0);
    assert_eq!(large.remote, remote("192.0.2.9:5070", Transport::Tcp));
    let via = parse(&large.octets).unwrap().first("Via").unwrap().to_vec();
    assert!(via.starts_with(b"SIP/2.0/TCP 192.0.2.1:5060;"), "Via names the transport in use");
    endpoint.handle_timeout(now + Duration::from_secs(3));
    let again = sent(&mut endpoint);
    assert!(again.iter().all(|transmit| transmit.remote.transport == Transport::Udp));
    assert_eq!(again.len(), 2, "TCP repeats by itself");
}

#[test]
fn r_15_a_large_request_goes_in_fragments_when_tcp_cannot_be_reached() {
    let (mut endpoint, now) = (endpoint(), Instant::now());
    let leg = invite(&mut endpoint, now, 2_000);
    let large = sent(&mut endpoint).remove(0);
    endpoint.unreachable(now, large.remote);
    let datagram = sent(&mut endpoint).remove(0);
    assert_eq!(datagram.remote, remote("192.0.2.9:5070", Transport::Udp));
    let message = parse(&datagram.octets).unwrap();
    assert!(message.first("Via").unwrap().starts_with(b"SIP/2.0/UDP 192.0.2.1:5060;"));
    assert!(endpoint.poll_event().is_none(), "nobody has to know");
    endpoint.handle_timeout(now + Duration::from_millis(500));
    assert_eq!(
        sent(&mut endpoint),
        std::slice::from_ref(&datagram),
        "and repeats as a datagram does"
    );
    endpoint.unreachable(now, datagram.remote);
    assert!(matches!(
        endpoint.poll_event(),
        Some(Event::Ended { leg: ended, why: Why::NoResponse }) if ended == leg
    ));
}

#[test]
fn r_15_a_large_request_in_a_dialog_goes_by_tcp_once_the_peer_is_known_to_have_it() {
    let (mut endpoint, now) = (endpoint(), Instant::now());
    let source = remote("192.0.2.9:5070", Transport::Udp);
    let text = request("INVITE", "SIP/2.0/UDP 192.0.2.9:5070", "Content-Length: 0\r\n");
    endpoint.receive(now, source, text.as_bytes());
    let Some(Event::IncomingInvite { leg, .. }) = endpoint.poll_event() else { panic!() };
    endpoint.set_stream(leg, Some(TCP)).unwrap();
    endpoint.respond(now, leg, 200, &[], Some(&Body::sdp(b"v=0".to_vec()))).unwrap();
    let answer = parse(&sent(&mut endpoint).remove(1).octets).unwrap();
    let to = String::from_utf8(answer.first("To").unwrap().to_vec()).unwrap();
    let ack = request("ACK", "SIP/2.0/UDP 192.0.2.9:5070", "Content-Length: 3\r\n") + "v=0";
    let ack = ack.replace("To: <sip:b@192.0.2.1>", &format!("To: {to}"));
    let ack = ack.replace("Content-Length", "Content-Type: application/sdp\r\nContent-Length");
    endpoint.receive(now, source, ack.as_bytes());
    assert!(matches!(endpoint.poll_event(), Some(Event::Acked { answer: Some(_), .. })));
    endpoint.reinvite(now, leg, Body::sdp(vec![b'a'; 1_300])).unwrap();
    assert_eq!(sent(&mut endpoint)[0].remote, remote("192.0.2.9:5070", Transport::Tcp));
}

/// The response with this status to a request of ours.
fn answer(request: &Transmit, status: u16) -> Vec<u8> {
    let message = parse(&request.octets).unwrap();
    let mut text = format!("SIP/2.0 {status} X\r\n");
    for name in ["Via", "From", "Call-ID", "CSeq"] {
        let value = String::from_utf8(message.first(name).unwrap().to_vec()).unwrap();
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("To: <sip:b@192.0.2.9>;tag=b\r\nContent-Length: 0\r\n\r\n");
    text.into_bytes()
}

#[test]
fn s_08_what_nobody_has_answered_goes_by_another_connection_when_its_own_ends_and_twice_at_most() {
    let (mut endpoint, now) = (endpoint(), Instant::now());
    let leg = invite_by(TCP, &mut endpoint, now, 0);
    let first = sent(&mut endpoint).remove(0);
    let asked = [first.remote];
    for _ in 0..2 {
        endpoint.severed(now, first.remote, &asked);
        assert_eq!(sent(&mut endpoint), std::slice::from_ref(&first), "the same, octet for octet");
    }
    let elsewhere = remote("192.0.2.8:5070", Transport::Tcp);
    endpoint.severed(now, elsewhere, &[elsewhere]);
    assert!(sent(&mut endpoint).is_empty() && endpoint.poll_event().is_none());
    endpoint.severed(now, first.remote, &asked);
    assert!(sent(&mut endpoint).is_empty(), "a peer that always hangs up is not asked for ever");
    assert!(matches!(
        endpoint.poll_event(),
        Some(Event::Ended { leg: ended, why: Why::NoResponse }) if ended == leg
    ));
}

#[test]
fn s_08_what_has_a_response_stays_where_it_is_and_a_new_connection_that_fails_is_the_end() {
    let (mut endpoint, now) = (endpoint(), Instant::now());
    invite_by(TCP, &mut endpoint, now, 0);
    let heard = sent(&mut endpoint).remove(0);
    endpoint.receive(now, heard.remote, &answer(&heard, 100));
    invite_by(TCP, &mut endpoint, now, 0);
    let unheard = sent(&mut endpoint).remove(0);
    endpoint.severed(now, heard.remote, &[heard.remote]);
    assert_eq!(sent(&mut endpoint), std::slice::from_ref(&unheard), "the other one only");
    endpoint.unreachable(now, unheard.remote);
    assert!(matches!(endpoint.poll_event(), Some(Event::Ended { why: Why::NoResponse, .. })));
    assert!(endpoint.poll_event().is_none(), "the one with a response goes on");
}

#[test]
fn s_08_a_rejection_without_its_ack_is_said_again_when_its_connection_ends() {
    let (mut endpoint, now) = (endpoint(), Instant::now());
    let source = remote("192.0.2.9:40000", Transport::Tcp);
    let text = request("INVITE", "SIP/2.0/TCP 192.0.2.9:5070", "Content-Length: 0\r\n");
    endpoint.receive(now, source, text.as_bytes());
    let Some(Event::IncomingInvite { leg, .. }) = endpoint.poll_event() else { panic!() };
    endpoint.severed(now, source, &[source]);
    assert_eq!(sent(&mut endpoint).len(), 1, "there is only the 100 yet");
    endpoint.respond(now, leg, 486, &[], None).unwrap();
    let busy = sent(&mut endpoint).remove(0);
    let other = remote("192.0.2.9:40001", Transport::Tcp);
    endpoint.severed(now, other, &[other]);
    assert!(sent(&mut endpoint).is_empty(), "another connection");
    endpoint.severed(now, source, &[source]);
    assert_eq!(sent(&mut endpoint), std::slice::from_ref(&busy));
    assert_eq!(busy.remote, remote("192.0.2.9:5070", Transport::Tcp), "where its Via says");
    let to = parse(&busy.octets).unwrap().first("To").unwrap().to_vec();
    let to = format!("To: {}", String::from_utf8(to).unwrap());
    let ack = text.replace("INVITE sip", "ACK sip").replace("CSeq: 1 INVITE", "CSeq: 1 ACK");
    let ack = ack.replace("To: <sip:b@192.0.2.1>", &to);
    endpoint.receive(now, source, ack.as_bytes());
    endpoint.severed(now, source, &[source]);
    assert!(sent(&mut endpoint).is_empty(), "it is acknowledged");
}
