//! The torture set: a message of our own for every case of RFC 4475 and RFC 5118, and what becomes of it.

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// These responses, and no call.
    Answered(&'static [u16]),
    /// 100 at once and a call.
    Call,
    /// Not a word.
    Silence,
    /// It is a response to an INVITE of ours, which ends with this status.
    Rejected(u16),
}

/// One case: where it stands, the message, and its outcome in a datagram and over a stream.
pub(crate) struct Case {
    pub(crate) place: &'static str,
    pub(crate) octets: Vec<u8>,
    pub(crate) outcome: Outcome,
    pub(crate) streamed: Outcome,
}

impl Case {
    /// The same way over a stream.
    fn streamed(mut self, outcome: Outcome) -> Case {
        self.streamed = outcome;
        self
    }

    /// With one thing changed.
    fn but(mut self, from: &str, to: &str) -> Case {
        let text = String::from_utf8(self.octets).expect("text so far");
        assert!(text.contains(from), "{}: no {from:?}", self.place);
        self.octets = text.replace(from, to).into_bytes();
        self
    }
}

const SDP: &str = "v=0\r\no=a 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n\
     m=audio 4000 RTP/AVP 8\r\n";

fn case(place: &'static str, octets: impl Into<Vec<u8>>, outcome: Outcome) -> Case {
    Case { place, octets: octets.into(), outcome, streamed: outcome }
}

fn message(place: &'static str, method: &str, typed: &str, body: &str, outcome: Outcome) -> Case {
    let call: String = place.chars().filter(char::is_ascii_alphanumeric).collect();
    let octets = format!(
        "{method} sip:bob@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bK{call}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:alice@192.0.2.9>;tag=a\r\nTo: <sip:bob@192.0.2.1>\r\n\
         Call-ID: {call}\r\nCSeq: 1 {method}\r\nContact: <sip:alice@192.0.2.9:5070>\r\n{typed}\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    case(place, octets, outcome)
}

fn invite(place: &'static str, outcome: Outcome) -> Case {
    message(place, "INVITE", "Content-Type: application/sdp\r\n", SDP, outcome)
}

fn options(place: &'static str, outcome: Outcome) -> Case {
    message(place, "OPTIONS", "", "", outcome)
}

fn register(place: &'static str, contact: &str) -> Case {
    message(place, "REGISTER", "", "", Outcome::Answered(&[405]))
        .but("<sip:alice@192.0.2.9:5070>", contact)
}

const REQUEST: &str = "sip:bob@192.0.2.1 SIP/2.0";
const BAD: Outcome = Outcome::Answered(&[400]);
const FINE: Outcome = Outcome::Answered(&[200]);

/// RFC 4475 §3.1.1: right, and hard to read.
fn valid() -> Vec<Case> {
    let winding = "INVITE sip:bob@192.0.2.1;unheardof SIP/2.0\r\nTO :\r\n sip:bob@192.0.2.1 ;   x    = 1\r\n\
         f : \"A \\\\\\\"B\\\"\" <sip:alice@192.0.2.9>\r\n  ;\r\n  tag = 98\r\nMaX-fOrWaRdS: 0068\r\n\
         i: winding.1@192.0.2.9\r\nm: \"Quoted\" <sip:alice@192.0.2.9> ; newparam = newvalue ;\r\n  secondparam ; q = 0.33\r\n\
         cseq: 0009\r\n  INVITE\r\nVia  : SIP  /   2.0\r\n /UDP\r\n    192.0.2.9;branch=390skd\r\ns :\r\n\
         NewFangled:   new value\r\n continued newfangled value\r\nUnknown: ;;,,;;,;\r\n\
         v:  SIP  / 2.0  / TCP     spindle.example   ;\r\n  branch  =   z9hG4bK9ik  ,\r\n SIP  /    2.0   / UDP  192.168.255.111\r\n\
         c: application/sdp\r\nRoute:\r\n <sip:services.example;lr;unknownwith=value;unknown-no-value>\r\n";
    let winding = format!("{winding}l: {}\r\n\r\n{SDP}", SDP.len());
    let token = "!odd-Method0123456789_*+`.%is'~";
    let odd_user = "1_odd.user~(is!it)&so+$/yes;;*:&pass=1,wo~rd";
    let parts = format!(
        "--frontier\r\nContent-Type: application/sdp\r\n\r\n{SDP}\r\n--frontier\r\n\
         Content-Type: application/x-octets\r\nContent-Transfer-Encoding: binary\r\n\r\n\u{1}\u{2}\r\n--frontier--\r\n"
    );
    vec![
        case("4475 3.1.1.1 folds, tabs, small and compact names", winding, Outcome::Call),
        message("4475 3.1.1.2 every character that a token may have", token, "", "", Outcome::Answered(&[501]))
            .but(REQUEST, &format!("sip:{odd_user}@192.0.2.1 SIP/2.0"))
            .but("<sip:alice@192.0.2.9>;tag=a", "token1~` token2'+_ token3*%!.- <sip:mundane@192.0.2.9>;fromParam''~+*_!.-%=\"w\";tag=_token~1'+`*%!-."),
        invite("4475 3.1.1.3 escapes in a user part", Outcome::Call)
            .but(REQUEST, "sip:sips%3Auser%40example.com@192.0.2.1 SIP/2.0"),
        invite("4475 3.1.1.4 escaped nulls", Outcome::Call)
            .but("sip:alice@192.0.2.9>;tag", "sip:null-%00-null@192.0.2.9>;tag")
            .but("To: <sip:bob@", "To: <sip:%00@"),
        message("4475 3.1.1.5 a percent sign that escapes nothing", "RE%47IST%45R", "", "", Outcome::Answered(&[501])),
        options("4475 3.1.1.6 no space before the angle bracket", FINE)
            .but("<sip:alice@192.0.2.9>;tag=a", "caller<sip:alice@192.0.2.9>;tag=a"),
        invite("4475 3.1.1.7 long values everywhere", Outcome::Call)
            .but("bob@192.0.2.1 SIP", &format!("bob{}@192.0.2.1 SIP", "x".repeat(1000)))
            .but("<sip:alice@192.0.2.9>;tag=a", &format!("\"{}\" <sip:alice@192.0.2.9>;{}=v;tag={}", "I have a long name ".repeat(60), "longParam".repeat(60), "t".repeat(400)))
            .but("Contact:", &format!("Unknown{}: {}\r\nContact:", "Long".repeat(50), "value ".repeat(300))),
        options("4475 3.1.1.8 a second message behind the first", FINE)
            .but("Content-Length: 0\r\n\r\n", &format!("Content-Length: 0\r\n\r\nINVITE sip:x@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKsecond\r\nMax-Forwards: 7\r\nFrom: <sip:a@b.example>;tag=s\r\nTo: <sip:x@192.0.2.1>\r\nCall-ID: second\r\nCSeq: 1 INVITE\r\nContact: <sip:a@192.0.2.9>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{SDP}", SDP.len()))
            .streamed(Outcome::Answered(&[200, 100])),
        options("4475 3.1.1.9 parameters in a user part", FINE)
            .but(REQUEST, "sip:user;par=u%40example.net@192.0.2.1 SIP/2.0"),
        options("4475 3.1.1.10 transports nobody knows", FINE)
            .but("Max-Forwards", "Via: SIP/2.0/SCTP t2.example;branch=z9hG4bKk, SIP/2.0/UNKNOWN t6.example;branch=z9hG4bKl\r\nVia: SIP/2.0/TLS t4.example;branch=z9hG4bKm\r\nMax-Forwards"),
        message("4475 3.1.1.11 a description among other parts", "INVITE", "Content-Type: multipart/mixed;boundary=frontier\r\n", &parts, Outcome::Call),
        case("4475 3.1.1.12 a reason phrase of any octets", response("= 2**3 * 5**2 \u{43d}\u{43e}"), Outcome::Rejected(486)),
        case("4475 3.1.1.13 no reason phrase", response(""), Outcome::Rejected(486)),
    ]
}

/// A 486 to the INVITE of ours; the test puts our Via, tags and numbers in.
fn response(reason: &str) -> Vec<u8> {
    format!(
        "SIP/2.0 486 {reason}\r\nVia: @via\r\nFrom: @from\r\nTo: @to;tag=r\r\nCall-ID: @call\r\n\
         CSeq: @cseq\r\nContent-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

fn response_but(place: &'static str, from: &str, to: &str) -> Case {
    case(place, response("Busy"), Outcome::Silence).but(from, to)
}

/// RFC 4475 §3.1.2: wrong.
fn invalid() -> Vec<Case> {
    let typed = "Content-Type: application/sdp\r\n";
    vec![
        invite("4475 3.1.2.1 separators between nothing", BAD)
            .but("branch=z9hG4bK44753121separatorsbetweennothing", "branch=z9hG4bK1;;,;,,"),
        message("4475 3.1.2.2 a length beyond the message", "INVITE", typed, "v=0", BAD)
            .but("Content-Length: 3", "Content-Length: 9999")
            .streamed(Outcome::Silence),
        invite("4475 3.1.2.3 a negative length", BAD).but("Content-Length: ", "Content-Length: -"),
        options("4475 3.1.2.4 numbers that are too large", BAD)
            .but("CSeq: 1 ", "CSeq: 36893488147419103232 ")
            .but("Max-Forwards: 70", "Max-Forwards: 300"),
        response_but(
            "4475 3.1.2.5 numbers that are too large in a response",
            "CSeq: @cseq",
            "CSeq: 9292394834772304023312 OPTIONS",
        ),
        invite("4475 3.1.2.6 a quote that never ends", BAD)
            .but("To: <sip:", "To: \"Mr. Watson <sip:"),
        invite("4475 3.1.2.7 a Request-URI in angle brackets", BAD)
            .but(REQUEST, "<sip:bob@192.0.2.1> SIP/2.0"),
        invite("4475 3.1.2.8 spaces in a Request-URI", BAD)
            .but(REQUEST, "sip:bob@192.0.2.1; lr SIP/2.0"),
        invite("4475 3.1.2.9 two spaces in the first line", BAD)
            .but(REQUEST, "sip:bob@192.0.2.1  SIP/2.0"),
        options("4475 3.1.2.10 a space at the end of the first line", BAD)
            .but(REQUEST, "sip:bob@192.0.2.1 SIP/2.0 "),
        invite("4475 3.1.2.11 headers in a Request-URI", BAD)
            .but(REQUEST, "sip:bob@192.0.2.1?Route=%3Csip:example.com%3E SIP/2.0"),
        // "May" be refused; nothing of ours depends on it.
        invite("4475 3.1.2.12 a date in a zone of its own", Outcome::Call)
            .but("Contact:", "Date: Fri, 01 Jan 2010 16:00:00 EST\r\nContact:"),
        // No registrar here: the method is refused before its Contact is looked at.
        register(
            "4475 3.1.2.13 a Contact that needs its angle brackets",
            "sip:user@example.com?Route=%3Csip:x.example%3E",
        ),
        // May be read liberally where the meaning is plain.
        options("4475 3.1.2.14 spaces in angle brackets", FINE)
            .but("To: <sip:bob@192.0.2.1>", "To: \"Watson\" < sip:bob@192.0.2.1 >"),
        options("4475 3.1.2.15 a display name that wants quotes", FINE)
            .but("From: <sip:alice@192.0.2.9>", "From: Bell, Alexander <sip:alice@192.0.2.9>"),
        options("4475 3.1.2.16 another version", Outcome::Answered(&[505]))
            .but(" SIP/2.0\r\nVia", " SIP/7.0\r\nVia"),
        options("4475 3.1.2.17 two methods", BAD).but("CSeq: 1 OPTIONS", "CSeq: 8 INVITE"),
        message("4475 3.1.2.18 two methods, one unknown", "NEWMETHOD", "", "", BAD)
            .but("CSeq: 1 NEWMETHOD", "CSeq: 8 INVITE"),
        response_but(
            "4475 3.1.2.19 a status beyond all numbers",
            "SIP/2.0 486",
            "SIP/2.0 4294967301",
        ),
    ]
}

/// RFC 4475 §3.2 to §3.4: right in form, and what they ask for is another question.
fn meant() -> Vec<Case> {
    let broadcast = "Via: @via\r\nVia: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bKb";
    let old = "INVITE sip:bob@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9:5070\r\nFrom: <sip:alice@192.0.2.9>\r\n\
         To: sip:bob@192.0.2.1\r\nCall-ID: old\r\nCSeq: 1 INVITE\r\nContact: <sip:alice@192.0.2.9:5070>\r\n\
         Content-Type: application/sdp\r\n\r\n";
    vec![
        options("4475 3.2.1 a branch that is all cookie", FINE)
            .but("branch=z9hG4bK", "branch=z9hG4bK;x="),
        invite("4475 3.3.1 headers that must be there", BAD)
            .but("From: <sip:alice@192.0.2.9>;tag=a\r\nTo: <sip:bob@192.0.2.1>\r\n", ""),
        options("4475 3.3.2 a scheme nobody knows", FINE)
            .but(REQUEST, "nobodyKnows:opaque SIP/2.0"),
        invite("4475 3.3.3 a scheme of another trade", Outcome::Answered(&[416]))
            .but(REQUEST, "soap.beep://192.0.2.103:3002 SIP/2.0"),
        options("4475 3.3.4 schemes nobody knows in headers", FINE)
            .but("From: <sip:alice@192.0.2.9>", "From: <http://www.example.com>")
            .but("To: <sip:bob@192.0.2.1>", "To: isbn:2983792873"),
        options("4475 3.3.5 extensions nobody has", Outcome::Answered(&[420])).but(
            "Contact:",
            "Require: nobodySupportsThis, norThis\r\nProxy-Require: noProxies\r\nContact:",
        ),
        message(
            "4475 3.3.6 a body nobody reads",
            "INVITE",
            "Content-Type: application/unknown\r\n",
            "<audio/>",
            Outcome::Answered(&[415]),
        ),
        invite("4475 3.3.7 a proof by an unknown scheme", Outcome::Call)
            .but("Contact:", "Authorization: NoOneKnowsThisScheme opaque-data=here\r\nContact:"),
        invite("4475 3.3.8 single headers more than once", BAD).but(
            "CSeq: 1 INVITE\r\n",
            "CSeq: 1 INVITE\r\nCSeq: 59 INVITE\r\nFrom: <sip:x@y.example>;tag=b\r\n",
        ),
        options("4475 3.3.9 two lengths", BAD)
            .but("Content-Length: 0\r\n", "Content-Length: 0\r\nContent-Length: 5\r\n"),
        response_but("4475 3.3.10 a response that goes to everybody", "Via: @via", broadcast),
        invite("4475 3.3.11 no hop left", Outcome::Answered(&[483]))
            .but("Max-Forwards: 70", "Max-Forwards: 0"),
        register(
            "4475 3.3.12 a Contact with a parameter",
            "sip:+19725552222@192.0.2.9;unknownparam",
        ),
        register(
            "4475 3.3.13 a Contact with a parameter of its URI",
            "<sip:+19725552222@192.0.2.9;unknownparam>",
        ),
        register(
            "4475 3.3.14 a Contact with headers in its URI",
            "<sip:user@example.com?Route=%3Csip:x.example%3E>",
        ),
        invite("4475 3.3.15 an answer that we cannot give", Outcome::Answered(&[406]))
            .but("Contact:", "Accept: text/nobodyKnowsThis\r\nContact:"),
        // Without a length nobody can tell where it ends in a stream.
        case("4475 3.4.1 a caller of RFC 2543", format!("{old}{SDP}"), Outcome::Call).streamed(BAD),
    ]
}

/// RFC 5118 §4: IPv6 addresses right, wrong, and with a port that is none.
fn ipv6() -> Vec<Case> {
    let described = |place, address: &str| {
        let body = SDP.replace("IP4 192.0.2.9", &format!("IP6 {address}"));
        message(place, "INVITE", "Content-Type: application/sdp\r\n", &body, Outcome::Call)
    };
    let mixed = SDP.replace(
        "m=audio 4000 RTP/AVP 8\r\n",
        "m=audio 4000 RTP/AVP 8\r\nc=IN IP6 2001:db8::1\r\n",
    );
    vec![
        invite("5118 4.1 an address in brackets", Outcome::Call).but(REQUEST, "sip:bob@[2001:db8::10] SIP/2.0"),
        invite("5118 4.2 an address without", BAD).but(REQUEST, "sip:bob@2001:db8::10 SIP/2.0"),
        invite("5118 4.3 a port that is part of the address", Outcome::Call).but(REQUEST, "sip:bob@[2001:db8::10:5070] SIP/2.0"),
        invite("5118 4.4 a port behind it", Outcome::Call).but(REQUEST, "sip:bob@[2001:db8::10]:5070 SIP/2.0"),
        options("5118 4.5 received without brackets", FINE)
            .but("Via: SIP/2.0/UDP 192.0.2.9:5070", "Via: SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:255"),
        options("5118 4.6 received with brackets", FINE)
            .but("Via: SIP/2.0/UDP 192.0.2.9:5070", "Via: SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255]"),
        described("5118 4.7 an address in a description", "2001:db8::20"),
        options("5118 4.8 addresses of both kinds in Vias", FINE)
            .but("Max-Forwards", "Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKv6;received=[2001:db8::9:255]\r\nVia: SIP/2.0/UDP 192.0.2.200;branch=z9hG4bKv4\r\nMax-Forwards"),
        message("5118 4.9 addresses of both kinds in a description", "INVITE", "Content-Type: application/sdp\r\n", &mixed, Outcome::Call),
        described("5118 4.10 an IPv4 address in IPv6's clothes", "::ffff:192.0.2.10"),
        invite("5118 4.10 the same in a Contact", Outcome::Call)
            .but("Contact: <sip:alice@192.0.2.9:5070>", "Contact: <sip:alice@[::ffff:192.0.2.9]>"),
        invite("5118 4.11 three colons", BAD).but(REQUEST, "sip:bob@[2001:db8:::192.0.2.1] SIP/2.0"),
    ]
}

/// All of them in the order of the documents.
pub(crate) fn cases() -> Vec<Case> {
    valid().into_iter().chain(invalid()).chain(meant()).chain(ipv6()).collect()
}
