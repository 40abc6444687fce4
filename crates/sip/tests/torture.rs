//! Messages that RFC 4475, RFC 5118 and broken peers teach us to expect; and mutations of real ones.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says why")]

#[allow(dead_code, reason = "each test program uses some of it")]
mod peer;

use peer::{Peer, text};
use sip::{Description, Fault, Method, NameAddr, NotSip, Request, Uri, parse};

fn fault(message: &[u8]) -> Option<Fault> {
    match Request::read(parse(message).unwrap()) {
        Ok(_) => None,
        Err(refused) => Some(refused.0),
    }
}

/// A well-formed INVITE of ours in which tests change one thing.
fn invite() -> String {
    Peer::new().invite("torture", "")
}

#[test]
fn odd_but_right_is_read() {
    // After RFC 4475 §3.1.1.1, in words of our own: folds, tabs, compact and small names, odd spacing.
    let message = b"INVITE sip:vivekg@chair.example;unknownparam SIP/2.0\r\n\
        TO :\r\n sip:vivekg@chair.example ;   tag    = 19b\r\n\
        f : \"J \\\"R\\\\\" <sip:jdr@example.com>\r\n  ;\r\n  tag = 98a\r\n\
        MaX-fOrWaRdS: 0068\r\n\
        i: odd.1@192.0.2.2\r\n\
        cseq: 0009\r\n  INVITE\r\n\
        Via  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw\r\n\
        s :\r\n\
        NewFangledHeader:   newfangled value\r\n continued value\r\n\
        v:  SIP  / 2.0  / TCP     spindle.example   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n SIP  /    2.0   / UDP  192.168.255.111\r\n\
        l: 4\r\n\r\nbody and what UDP lost";
    let request = Request::read(parse(message).unwrap()).unwrap();
    assert_eq!(*request.method(), Method::INVITE);
    assert_eq!((request.cseq(), request.max_forwards()), (9, 68));
    assert_eq!(request.to().tag(), Some(&b"19b"[..]));
    assert_eq!(request.from().display().as_deref(), Some("J \"R\\"));
    assert_eq!(
        request.message().first("newfangledheader"),
        Some(&b"newfangled value continued value"[..])
    );
    assert_eq!(request.message().first("Subject"), Some(&b""[..]));
    assert_eq!(request.message().list("Via").len(), 3);
    assert_eq!(request.message().body(), b"body");
}

#[test]
fn any_method_is_read() {
    // RFC 4475 §3.1.1.2: every character that a token may have.
    let method = "!interesting-Method0123456789_*+`.%indeed'~";
    let message = invite().replace("INVITE", method);
    let request = Request::read(parse(message.as_bytes()).unwrap()).unwrap();
    assert_eq!(request.method().name(), method.as_bytes());
}

#[test]
fn any_reason_phrase_survives() {
    for reason in
        [&b""[..], "= 2**3 * 5**2 \u{43d}\u{435}".as_bytes(), b"Occup\xe9", b" two  spaces "]
    {
        let message = [b"SIP/2.0 486 ", reason, b"\r\nCSeq: 1 INVITE\r\n\r\n"].concat();
        match parse(&message).unwrap().start() {
            sip::Start::Response { status: 486, reason: read } => assert_eq!(read, reason),
            other => panic!("{other:?}"),
        }
    }
    assert!(parse(b"SIP/2.0 200\r\n\r\n").is_ok(), "a status line without its last space");
}

#[test]
fn octets_that_are_no_text_survive() {
    let value = b"\"\xe9\xff\x00\" <sip:a@b.example>";
    let message = [b"OPTIONS sip:a SIP/2.0\r\nX-Name: ", &value[..], b"\r\n\r\n"].concat();
    assert_eq!(parse(&message).unwrap().first("x-name"), Some(&value[..]));
}

#[test]
fn binary_bodies_are_cut_to_their_length() {
    let message = b"MESSAGE sip:a SIP/2.0\r\nl: 4\r\n\r\n\x00\r\n\r\x01\x02";
    assert_eq!(parse(message).unwrap().body(), b"\x00\r\n\r");
    assert_eq!(parse(b"MESSAGE sip:a SIP/2.0\r\n\r\nall of it").unwrap().body(), b"all of it");
}

#[test]
fn line_feeds_alone_end_lines() {
    let message = invite().replace("\r\n", "\n");
    assert_eq!(fault(message.as_bytes()), None);
}

#[test]
fn what_is_wrong_is_named() {
    let change = |from: &str, to: &str| fault(invite().replace(from, to).as_bytes());
    assert_eq!(change("", ""), None);
    // Start line: RFC 4475 §3.1.2.7 to §3.1.2.10, §3.1.2.16.
    assert_eq!(
        change("INVITE sip:+31201234567@192.0.2.1", "INVITE <sip:a@192.0.2.1>"),
        Some(Fault::StartLine)
    );
    assert_eq!(change("INVITE sip:", "INVITE  sip:"), Some(Fault::StartLine));
    assert_eq!(change(" SIP/2.0\r\nVia", "  SIP/2.0\r\nVia"), Some(Fault::StartLine));
    assert_eq!(change(" SIP/2.0\r\nVia", " SIP/2.0 \r\nVia"), Some(Fault::StartLine));
    assert_eq!(change("INVITE sip:+31201234567@", "INVITE sip:a; b@"), Some(Fault::StartLine));
    assert_eq!(change(" SIP/2.0\r\nVia", " SIP/7.0\r\nVia"), Some(Fault::Version));
    // Headers.
    assert_eq!(
        change("Max-Forwards: 70", "Max-Forwards: 300"),
        Some(Fault::Unreadable("Max-Forwards"))
    );
    assert_eq!(
        change("Max-Forwards: 70", "Max-Forwards: -1"),
        Some(Fault::Unreadable("Max-Forwards"))
    );
    assert_eq!(change("CSeq: 1 INVITE", "CSeq: 1 OPTIONS"), Some(Fault::Unreadable("CSeq")));
    assert_eq!(
        change("CSeq: 1 INVITE", "CSeq: 36893488147419103232 INVITE"),
        Some(Fault::Unreadable("CSeq"))
    );
    assert_eq!(
        change("CSeq: 1 INVITE", "CSeq: 2147483648 INVITE"),
        Some(Fault::Unreadable("CSeq"))
    );
    assert_eq!(change("CSeq: 1 INVITE", "CSeq: INVITE"), Some(Fault::Unreadable("CSeq")));
    assert_eq!(change("From: \"A\"", "From: \"A"), Some(Fault::Unreadable("From")));
    assert_eq!(change("To: <sip:", "To: <"), Some(Fault::Unreadable("To")));
    assert_eq!(change("To: <", "X-To: <"), Some(Fault::Missing("To")));
    assert_eq!(change("Call-ID: torture", "Call-ID: a b"), Some(Fault::Unreadable("Call-ID")));
    assert_eq!(change("CSeq:", "Call-ID: again\r\nCSeq:"), Some(Fault::Repeated("Call-ID")));
    assert_eq!(change("CSeq:", "f: sip:x@y\r\nCSeq:"), Some(Fault::Repeated("From")));
    assert_eq!(change("CSeq:", "no colon\r\nCSeq:"), Some(Fault::HeaderLine));
    assert_eq!(change("CSeq:", "b@d name: x\r\nCSeq:"), Some(Fault::HeaderLine));
    assert_eq!(change("\"A\"", "\"A\rX: y\""), Some(Fault::BareReturn));
    // Framing: RFC 4475 §3.1.2.2 to §3.1.2.3.
    assert_eq!(change("Content-Length: 7", "Content-Length: 8"), Some(Fault::ContentLength));
    assert_eq!(change("Content-Length: 7", "Content-Length: -7"), Some(Fault::ContentLength));
    assert_eq!(
        change("Content-Length: 7", "Content-Length: 7\r\nl: 6"),
        Some(Fault::ContentLength)
    );
    assert_eq!(
        change("Content-Length: 7", "Content-Length: 99999999999999999999"),
        Some(Fault::ContentLength)
    );
    assert_eq!(change("\r\n\r\nv=0 sdp", ""), Some(Fault::Truncated));
}

#[test]
fn r_15_limits_are_kept() {
    let many = invite().replace("CSeq:", &format!("{}CSeq:", "X: y\r\n".repeat(300)));
    assert_eq!(fault(many.as_bytes()), Some(Fault::HeaderLimit));
    let long = invite().replace("CSeq:", &format!("X: {}\r\nCSeq:", "y".repeat(17_000)));
    assert_eq!(fault(long.as_bytes()), Some(Fault::HeaderLimit));
    let wide =
        invite().replace("Content-Length: 7", "X: y").replace("v=0 sdp", &"v".repeat(65_000));
    assert_eq!(fault(wide.as_bytes()), None);
    assert_eq!(parse(&[b'a'; 65_536]).unwrap_err(), NotSip::TooLong);
}

#[test]
fn what_is_no_sip_gets_no_answer() {
    for noise in [
        &b""[..],
        b"\r\n\r\n",
        b"\0",
        b"GET / HTTP/1.1\r\n\r\n",
        b"SIP/2.0 99 x\r\n\r\n",
        b"SIP/2.0 9999 x\r\n\r\n",
        b"\x80\x60\x12\x34",
        b"SIP/2.0",
    ] {
        assert!(parse(noise).is_err());
        let mut peer = Peer::new();
        peer.endpoint.receive(peer.now, peer.remote(), noise);
        assert!(peer.take().is_empty());
    }
}

#[test]
fn a_bad_request_is_answered_400_and_no_larger_than_it_came() {
    let mut peer = Peer::new();
    let bad =
        invite().replace("Max-Forwards: 70", &format!("Max-Forwards: x\r\nX: {}", "y".repeat(500)));
    peer.tell(&bad);
    let answer = peer.take().remove(0);
    assert_eq!(answer.status(), Some(400));
    assert!(answer.raw().len() < bad.len());
    assert!(text(answer.first("To")).contains(";tag="));
    peer.tell(&bad.replace("INVITE", "ACK"));
    assert!(peer.take().is_empty(), "an ACK is never answered");
    peer.tell(&invite().replace(" SIP/2.0\r\n", " SIP/3.0\r\n"));
    assert_eq!(peer.statuses(), [505]);
}

#[test]
fn s_10_ipv6_references_are_read_with_and_without_delimiters() {
    // After RFC 5118 §4: brackets in URI and Via, none in received, a port behind or none.
    let mut peer = Peer::new();
    peer.address = "[2001:db8::9]:5070".parse().unwrap();
    let message = peer
        .request("OPTIONS", "ipv6", 1, "", "")
        .replace("192.0.2.9:5070;branch", "[2001:db8::9:1];received=2001:db8::9:255;branch")
        .replace("@192.0.2.1 ", "@[2001:db8::10]:5070 ");
    peer.tell(&message);
    let answer = peer.take().remove(0);
    assert_eq!(answer.status(), Some(200));
    assert_eq!(
        answer.first("Via"),
        Some(&b"SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9;branch=z9hG4bKipv6"[..])
    );
    assert_eq!(peer.destination, "[2001:db8::9]:5060".parse().ok());
}

#[test]
fn a_response_that_is_not_ours_is_dropped() {
    let mut peer = Peer::new();
    let (_, invite) = peer.originate();
    let answer = peer.answer_as(&invite, 200, "x");
    let via = text(invite.first("Via"));
    peer.tell(&answer.replace("Via: ", "Via: SIP/2.0/UDP 192.0.2.77;branch=z9hG4bKq\r\nVia: "));
    peer.tell(&answer.replace(&via, &format!("{via}, SIP/2.0/UDP 192.0.2.77")));
    peer.tell(&answer.replace(&via, "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKforged"));
    peer.tell(&answer.replace(" INVITE", " BYE"));
    peer.tell(&answer.replace("Content-Length: 5", "Content-Length: 5000"));
    assert_eq!(peer.methods(), [""; 0]);
    assert!(peer.event().is_none());
}

#[test]
fn r_12_request_uris_that_we_cannot_route_are_refused() {
    for (uri, status) in [
        ("sip:a@b.example", 100),
        ("tel:+31201234567", 100),
        ("urn:service:sos.fire", 100),
        ("sips:a@b.example", 100),
        ("http://example.com", 416),
        ("nobodyKnowsThisScheme:totallyopaquecontent", 416),
        ("sip:a@b.example:x", 400),
        ("hello", 400),
    ] {
        let mut peer = Peer::new();
        peer.tell(&invite().replace("sip:+31201234567@192.0.2.1 SIP", &format!("{uri} SIP")));
        assert_eq!(peer.statuses(), [status], "{uri}");
    }
}

/// A small generator, so that a failing message can be had again from its seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (limit.max(1) as u64)).unwrap()
    }
}

/// Cuts, doubles, swaps, replaces; the bits of trade that break parsers among the replacements.
fn mutate(chance: &mut Chance, seeds: &[Vec<u8>]) -> Vec<u8> {
    const BITS: [&[u8]; 18] = [
        b"\r",
        b"\n",
        b"\r\n",
        b"\r\n\r\n",
        b"\r\n ",
        b":",
        b";",
        b",",
        b"\"",
        b"\\",
        b"<",
        b">",
        b"=",
        b"\0",
        b"\xff",
        b"%",
        b"99999999999999999999",
        b"[::",
    ];
    let mut out = seeds[chance.below(seeds.len())].clone();
    for _ in 0..=chance.below(6) {
        let at = chance.below(out.len() + 1);
        let end = (at + chance.below(40)).min(out.len());
        match chance.below(6) {
            0 => drop(out.drain(at..end)),
            1 => out.truncate(at),
            2 => drop(out.splice(at..at, BITS[chance.below(BITS.len())].iter().copied())),
            3 => drop(out.splice(at..end, BITS[chance.below(BITS.len())].iter().copied())),
            4 => {
                let piece = out[at..end].to_vec();
                let to = chance.below(out.len() + 1);
                out.splice(to..to, piece);
            }
            _ => {
                let other = &seeds[chance.below(seeds.len())];
                let from = chance.below(other.len() + 1);
                out.truncate(at);
                out.extend_from_slice(&other[from..]);
            }
        }
    }
    out
}

/// An endpoint with a call up and a call on its way out, and what its peer could say next.
struct Siege {
    peer: Peer,
    messages: Vec<Vec<u8>>,
}

impl Siege {
    fn new(max_legs: usize, max_transactions: usize) -> Siege {
        let mut peer = Peer::with_limits(max_legs, max_transactions);
        let (_, answer) = peer.up("alive", "Record-Route: <sip:192.0.2.50;lr>\r\n");
        let (_, ours) = peer.originate();
        let sdp = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\n";
        let typed = "Content-Type: application/sdp\r\n";
        let timer = "Require: timer\r\nContent-Type: multipart/mixed;boundary=b\r\n";
        let parts = "--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--b--";
        let routes =
            "Record-Route: <sip:a;lr>, <sip:b>\r\nP-Asserted-Identity: \"x\" <tel:+31;rn=1>\r\n";
        let relay = "Content-Type: application/dtmf-relay\r\n";
        let messages = [
            peer.request("INVITE", "fuzz", 1, typed, sdp),
            peer.request("INVITE", "fuzz2", 1, timer, parts),
            peer.invite("fuzz3", routes),
            peer.inside("INVITE", "alive", 7, &answer, typed, sdp),
            peer.inside("INFO", "alive", 8, &answer, relay, "Signal=1\r\n"),
            peer.inside("BYE", "other", 9, &answer, "Reason: SIP;cause=200\r\n", ""),
            peer.request("CANCEL", "fuzz", 1, "", ""),
            peer.request("OPTIONS", "fuzz4", 1, "", ""),
            peer.answer_as(&ours, 183, "x"),
            peer.answer_as(&ours, 486, "y"),
        ];
        Siege { peer, messages: messages.map(String::into_bytes).into() }
    }

    /// Sends the mutation of this seed and reads all that comes of it.
    fn strike(&mut self, seed: u64) {
        let peer = &mut self.peer;
        let message = mutate(&mut Chance(seed * 0x9e37_79b9), &self.messages);
        peer.endpoint.receive(peer.now, peer.remote(), &message);
        // `take` asserts that everything we send can be read back.
        peer.take();
        while let Some(event) = peer.event() {
            if let sip::Event::IncomingInvite { leg, offer, request, .. } = event {
                assert_eq!(format!("{request:?}").find("sip:"), None, "seed {seed}");
                if let Some(Ok(offer)) = offer.map(|offer| Description::parse(&offer)) {
                    let local = sip::Local::new(peer.address);
                    drop(sip::Own::new(1).answer(&offer, &local));
                }
                peer.endpoint.respond(peer.now, leg, 486, &[], None).unwrap();
            }
        }
        if let Ok(text) = std::str::from_utf8(&message) {
            drop((Uri::parse(text.as_bytes()), NameAddr::parse(text.as_bytes())));
        }
        drop(Description::parse(&message));
    }

    /// Leaves the endpoint in peace until what waits is over; then it answers as ever.
    fn rest(&mut self, seed: u64) {
        self.peer.wait(std::time::Duration::from_secs(40));
        self.peer.take();
        self.peer.tell(&self.peer.request("OPTIONS", &format!("check{seed}"), 1, "", ""));
        assert!(self.peer.statuses().contains(&200), "seed {seed}");
    }

    /// What is over is forgotten.
    fn end(mut self) {
        self.peer.wait(std::time::Duration::from_secs(400));
        assert!(self.peer.endpoint.transactions() <= 1, "what is over is forgotten");
        assert!(self.peer.endpoint.legs() <= 2);
    }
}

#[test]
fn s_13_no_mutation_stops_the_endpoint_or_makes_it_say_what_cannot_be_read() {
    let mut siege = Siege::new(400, 4000);
    for seed in 1..30_000 {
        siege.strike(seed);
        if seed % 100 == 0 {
            siege.rest(seed);
        }
    }
    siege.end();
}

mod long {
    use super::Siege;

    const MESSAGES: u64 = 2_000_000;
    const LEGS: usize = 20;
    const TRANSACTIONS: usize = 100;

    #[test]
    fn s_13_two_million_mutations_fill_the_endpoint_to_its_limits_and_never_beyond() {
        let seeds = 1_000_000..1_000_000 + MESSAGES;
        println!("seeds {seeds:?}");
        let mut siege = Siege::new(LEGS, TRANSACTIONS);
        let mut full = 0_u64;
        for seed in seeds {
            siege.strike(seed);
            let (legs, held) = (siege.peer.endpoint.legs(), siege.peer.endpoint.transactions());
            assert!(legs <= LEGS && held <= TRANSACTIONS, "seed {seed}: {legs} legs, {held} held");
            full += u64::from(held == TRANSACTIONS);
            if seed % 20_000 == 0 {
                siege.rest(seed);
            }
        }
        println!("full after {full} of {MESSAGES}");
        assert!((MESSAGES / 10..MESSAGES / 10 * 9).contains(&full), "either side of the limit");
        siege.end();
    }
}
