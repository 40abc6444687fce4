//! What is fuzzed, as plain functions: the fuzz targets and the ordinary tests share them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a finding is a panic")]
#![allow(dead_code, reason = "each program uses one of them")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use sip::{
    Algorithm, Body, Config, Credentials, Demand, Description, Endpoint, Event, Frame, Framer,
    Invite, Listener, ListenerId, Local, NameAddr, Own, Remote, Request, Secret, Transport, Uri,
    parse,
};

/// The message parser: what it reads, it can say again, and shows nobody's name.
pub(crate) fn message(octets: &[u8]) {
    let Ok(message) = parse(octets) else { return };
    assert!(message.body().len() <= octets.len());
    let lines = message.headers().count();
    assert!(lines <= 256, "{lines} headers");
    for (name, value) in message.headers() {
        assert!(!name.is_empty() && !value.contains(&b'\n'));
        if let Some(read) = NameAddr::parse(value) {
            let again = NameAddr::parse(&read.to_wire());
            assert!(again.is_some_and(|again| again.uri == read.uri), "a name-addr says itself");
        }
    }
    if let Ok(uri) = Uri::parse(message.request_uri()) {
        let again = Uri::parse(uri.to_wire().as_bytes());
        assert!(again.is_ok_and(|again| again == uri), "a URI says itself");
    }
    drop(format!("{:?}", Request::read(message)));
}

/// Session descriptions: an answer to an offer is one that can be read, with as many lines.
pub(crate) fn sdp(octets: &[u8]) {
    let Ok(offer) = Description::parse(octets) else { return };
    let local = Local::new("192.0.2.1:4000".parse().unwrap());
    if let Ok((answer, _)) = Own::new(7).answer(&offer, &local) {
        let read = Description::parse(&answer).unwrap();
        assert_eq!(read.media.len(), offer.media.len(), "every line has its answer");
    }
    let mut own = Own::new(9);
    drop(own.offer(&local));
    drop(own.read_answer(&local, octets));
}

fn udp(address: &str) -> Remote {
    Remote { address: address.parse().unwrap(), listener: ListenerId(0), transport: Transport::Udp }
}

fn a_box() -> Endpoint {
    let advertised = "192.0.2.1:5060".parse().unwrap();
    let listener = Listener { transport: Transport::Udp, advertised };
    let config =
        Config { max_legs: 30, max_transactions: 200, ..Config::new("fuzz", vec![listener]) };
    Endpoint::new(config, [3; 32])
}

fn credentials() -> Arc<Credentials> {
    Arc::new(Credentials {
        user: "box".to_owned(),
        secret: Secret::new("swordfish"),
        realm: None,
        weakest: Algorithm::Md5,
    })
}

fn order() -> Invite {
    let uri = |text: &str| Uri::parse(text.as_bytes()).unwrap();
    Invite {
        listener: ListenerId(0),
        destination: "192.0.2.9:5060".parse().unwrap(),
        stream: None,
        target: uri("sip:b@192.0.2.9"),
        routes: Vec::new(),
        from: NameAddr::new(uri("sip:a@192.0.2.1")),
        to: NameAddr::new(uri("sip:b@192.0.2.9")),
        headers: Vec::new(),
        body: Body::sdp(b"v=0".to_vec()),
        max_forwards: 70,
        abilities: sip::Abilities::default(),
    }
}

/// An endpoint with octets and time as its input. The input is a row of frames: one octet that says
/// what happens, two that say how many octets follow or how much time passes. In a frame, `@N` is
/// replaced by the N-th message that the endpoint sent: its Via, so that responses find their request.
pub(crate) fn endpoint(octets: &[u8]) {
    let (mut now, mut endpoint) = (Instant::now(), a_box());
    let (mut rest, mut legs, mut last) = (octets, Vec::new(), Vec::new());
    let mut steps = 0;
    while let [what, high, low, tail @ ..] = rest {
        let number = usize::from(*high) << 8 | usize::from(*low);
        rest = tail;
        steps += 1;
        if steps > 200 {
            break;
        }
        let leg = legs.get(number % legs.len().max(1)).copied();
        match what % 8 {
            0 | 1 => {
                let (frame, behind) = tail.split_at(number.min(tail.len()));
                rest = behind;
                endpoint.receive(now, udp("192.0.2.9:5060"), frame);
            }
            2 => {
                // The answer to the last request of ours: its status is the input's.
                let status = 100 + number % 600;
                endpoint.receive(now, udp("192.0.2.9:5060"), &answer(&last, status));
            }
            3 => {
                now += Duration::from_millis(u64::try_from(number).unwrap());
                endpoint.handle_timeout(now);
            }
            4 => {
                if let Ok(leg) = endpoint.invite(now, &order()) {
                    endpoint.equip(leg, credentials()).unwrap();
                    legs.push(leg);
                }
            }
            5 => {
                if let Some(leg) = leg {
                    let status = u16::try_from(100 + number % 600).unwrap();
                    let body = Body::sdp(b"v=0".to_vec());
                    let _late = endpoint.respond(now, leg, status, &[], Some(&body));
                    let _late = endpoint.answer_reinvite(now, leg, status, &[], Some(&body));
                }
            }
            6 => {
                if let Some(leg) = leg {
                    let _late = endpoint.bye(now, leg, &[]);
                }
            }
            _ => {
                if let Some(leg) = leg {
                    let _late = endpoint.reinvite(now, leg, Body::sdp(b"v=0 again".to_vec()));
                }
            }
        }
        look(&mut endpoint, &mut legs, &mut last);
        let (live, transactions) = (endpoint.live_legs(), endpoint.transactions());
        assert!(live <= 30 && transactions <= 200, "{live} legs, {transactions} transactions");
        // A leg that is over waits only as long as a transaction of it does.
        assert!(endpoint.legs() <= 30 + 200, "{} legs with those that are over", endpoint.legs());
    }
    ends(now, endpoint, legs, &mut last);
}

/// Whatever it was, it is over once everybody has hung up and the timers have run.
fn ends(mut now: Instant, mut endpoint: Endpoint, legs: Vec<sip::LegId>, last: &mut Vec<u8>) {
    for leg in legs {
        if endpoint.bye(now, leg, &[]).is_err() {
            let _late = endpoint.respond(now, leg, 480, &[], None);
        }
    }
    for _ in 0..100_000 {
        let mut legs = Vec::new();
        look(&mut endpoint, &mut legs, last);
        let Some(at) = endpoint.poll_timeout() else { break };
        now = now.max(at);
        endpoint.handle_timeout(now);
    }
    assert!(endpoint.is_idle(), "something is left behind: {endpoint:?}");
}

/// Reads all that the endpoint says; every message of it can be read back.
fn look(endpoint: &mut Endpoint, legs: &mut Vec<sip::LegId>, last: &mut Vec<u8>) {
    while let Some(transmit) = endpoint.poll_transmit() {
        let said = parse(&transmit.octets).unwrap();
        assert_eq!(said.fault(), None, "what we write can be read");
        if said.method().is_some_and(|method| method.name() != b"ACK") {
            *last = transmit.octets;
        }
    }
    while let Some(event) = endpoint.poll_event() {
        drop(format!("{event:?}"));
        if let Event::IncomingInvite { leg, .. } = event {
            legs.push(leg);
        }
    }
}

/// A response to a request of ours, a challenge when it is 401 or 407.
fn answer(request: &[u8], status: usize) -> Vec<u8> {
    let Ok(request) = parse(request) else { return Vec::new() };
    let mut out = format!("SIP/2.0 {status} Said\r\n").into_bytes();
    for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
        let mut value = request.first(name).unwrap_or_default().to_vec();
        if name == "To" && !value.windows(5).any(|part| part == b";tag=") {
            value.extend_from_slice(b";tag=far");
        }
        out.extend_from_slice(&[name.as_bytes(), b": ", &value, b"\r\n"].concat());
    }
    match status {
        401 => out.extend_from_slice(b"WWW-Authenticate: Digest realm=r, nonce=n, qop=auth\r\n"),
        407 => out.extend_from_slice(b"Proxy-Authenticate: Digest realm=p, nonce=n\r\n"),
        _ => out.extend_from_slice(b"Contact: <sip:b@192.0.2.9>\r\n"),
    }
    [&out[..], b"Content-Type: application/sdp\r\nContent-Length: 3\r\n\r\nv=0"].concat()
}

/// Digest: any challenge to an INVITE of ours and any proof in an INVITE to us. The input is cut at its
/// first line feed: a challenge, and a proof.
pub(crate) fn digest(octets: &[u8]) {
    let cut = octets.iter().position(|&octet| octet == b'\n').unwrap_or(octets.len());
    let (challenge, proof) = octets.split_at(cut);
    let (now, mut endpoint) = (Instant::now(), a_box());
    let leg = endpoint.invite(now, &order()).unwrap();
    endpoint.equip(leg, credentials()).unwrap();
    let invite = endpoint.poll_transmit().unwrap().octets;
    let line = |name: &str, value: &[u8]| {
        let value: Vec<u8> = value.iter().copied().filter(|o| !b"\r\n".contains(o)).collect();
        [name.as_bytes(), b": ", &value, b"\r\nContent-Type"].concat()
    };
    let refused = answer(&invite, 486);
    let refused = replaced(&refused, b"486 Said", b"401 Said");
    let refused = replaced(&refused, b"Content-Type", &line("WWW-Authenticate", challenge));
    endpoint.receive(now, udp("192.0.2.9:5060"), &refused);
    while let Some(transmit) = endpoint.poll_transmit() {
        assert_eq!(parse(&transmit.octets).unwrap().fault(), None);
        assert!(!transmit.octets.windows(9).any(|part| part == b"swordfish"), "the password!");
    }
    drop(endpoint.poll_event());
    let call = b"INVITE sip:b@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKp\r\n\
        From: <sip:a@192.0.2.9>;tag=1\r\nTo: <sip:b@192.0.2.1>\r\nCall-ID: p\r\nCSeq: 1 INVITE\r\n\
        Contact: <sip:a@192.0.2.9>\r\nContent-Type: application/sdp\r\nContent-Length: 3\r\n\r\nv=0";
    let call = replaced(call, b"Content-Type", &line("Authorization", proof));
    endpoint.receive(now, udp("192.0.2.9:5060"), &call);
    while let Some(event) = endpoint.poll_event() {
        let Event::IncomingInvite { leg, .. } = event else { continue };
        let demand = Demand { realm: "r".to_owned(), md5: true };
        let secret = Secret::new("swordfish");
        let admission = endpoint.admit(now, leg, &demand, |_| Some(&secret)).unwrap();
        // Nobody guesses a nonce that has never been given.
        assert_eq!(admission, sip::Admission::Challenged);
    }
}

fn replaced(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    match text.windows(from.len()).position(|part| part == from) {
        Some(at) => [&text[..at], to, &text[at + from.len()..]].concat(),
        None => text.to_vec(),
    }
}

/// The stream framer: the first octet says where the rest is cut, and it makes no difference.
pub(crate) fn stream(octets: &[u8]) {
    let Some((cut, octets)) = octets.split_first() else { return };
    let frames = |pieces: Vec<&[u8]>| {
        let (mut framer, mut found) = (Framer::new(), Vec::new());
        for piece in pieces {
            framer.feed(piece);
            loop {
                match framer.poll() {
                    Ok(Some(frame)) => found.push(frame),
                    Ok(None) => break,
                    Err(broken) => return (found, Some(broken)),
                }
            }
        }
        (found, None)
    };
    let whole = frames(vec![octets]);
    let step = usize::from(*cut).max(1);
    assert_eq!(frames(octets.chunks(step).collect()), whole, "cut every {step}");
    for frame in whole.0 {
        if let Frame::Message(octets) = frame {
            assert!(parse(&octets).is_ok());
        }
    }
}
