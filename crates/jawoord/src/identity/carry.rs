//! What of one side's message goes into ours to the other side (rows ).

use std::sync::Arc;

use sip::{Body, Header, Message, NameAddr, Request, wire::header::same_name};

use super::{
    privacy::{self, Privacy},
    rules::{Limits, Rules},
    stir::Verdict,
};

/// The header with which a PBX finds the call here.
pub const CALL_HEADER: &str = "X-Jawoord-Call";

/// Who is named in a Warning of ours: a name, because an address would say where the PBX is.
const WARN_AGENT: &str = "jawoord";

/// From one side to the other.
#[derive(Clone, Copy, Debug)]
pub struct Crossing<'a> {
    /// The rules of the side it comes from.
    pub from: &'a Rules,
    /// The rules of the side it goes to.
    pub to: &'a Rules,
    /// How much goes along.
    pub limits: Limits,
}

impl Crossing<'_> {
    fn pass(&self, privacy: Privacy, name: &[u8], value: &[u8]) -> bool {
        // RFC 3325 §5: nobody believes what a stranger asserts.
        let asserted =
            same_name(name, b"P-Asserted-Identity") || same_name(name, b"Remote-Party-ID");
        let believed = self.from.trusted || !asserted;
        let told = self.to.trusted || privacy.tells(name, value);
        self.from.pass(name) && self.to.pass(name) && believed && told
    }
}

/// What goes along, and how much was too long to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// In the order of the message; names and values as they were, a folded value on one line.
    pub headers: Vec<Header>,
    /// How many headers were left out because of their size or an octet that no line may hold.
    pub left_out: usize,
}

/// The headers of a message that cross.
#[must_use]
pub fn headers(message: &Message, crossing: &Crossing<'_>) -> Carried {
    within(Privacy::of(message), message, crossing)
}

/// The headers of a request inside a call that cross. What the caller wished to keep to itself with its
/// INVITE it wishes still (RFC 3323 §4.2); a signature is of the INVITE alone (RFC 8224 §4).
#[must_use]
pub fn meanwhile(
    message: &Message,
    opening: Option<&Message>,
    crossing: &Crossing<'_>,
) -> Vec<Header> {
    let privacy = opening.map(Privacy::of).unwrap_or_default().and(Privacy::of(message));
    let mut headers = within(privacy, message, crossing).headers;
    let signed = |header: &Header| {
        ["Identity", "Date"].iter().any(|name| same_name(header.name(), name.as_bytes()))
    };
    headers.retain(|header| !signed(header));
    headers
}

fn within(privacy: Privacy, message: &Message, crossing: &Crossing<'_>) -> Carried {
    let (mut carried, mut total) = (Carried::default(), 0_usize);
    let passing = message.headers().filter(|(name, value)| crossing.pass(privacy, name, value));
    for (name, value) in passing {
        let size = name.len() + value.len();
        let fits = value.len() <= crossing.limits.value_octets
            && total + size <= crossing.limits.total_octets;
        match Header::new(name, value) {
            Ok(header) if fits => {
                total += size;
                carried.headers.push(header);
            }
            Ok(_) | Err(_) => carried.left_out += 1,
        }
    }
    carried
}

/// The headers of a final or provisional response that cross; a Warning keeps its text and loses
/// the name of who warns (RFC 3261 §20.43).
#[must_use]
pub fn of_response(message: &Message, crossing: &Crossing<'_>) -> Carried {
    let mut carried = headers(message, crossing);
    if !crossing.from.blocks(b"Warning") && !crossing.to.blocks(b"Warning") {
        let warnings = message.list("Warning").into_iter().filter_map(warning);
        carried.headers.extend(warnings);
    }
    carried
}

fn warning(value: &[u8]) -> Option<Header> {
    let mut parts = value.splitn(3, |&octet| octet == b' ');
    let (code, _agent, text) = (parts.next()?, parts.next()?, parts.next()?);
    let known = code.len() == 3 && code.iter().all(u8::is_ascii_digit);
    let value = [code, b" ", WARN_AGENT.as_bytes(), b" ", text].concat();
    known.then(|| Header::new("Warning", value).ok()).flatten()
}

/// A message of one side that makes us send one to the other.
#[derive(Clone)]
pub enum Heard {
    /// A response of the far leg.
    Response(Arc<Message>),
    /// A BYE or CANCEL.
    Request(Arc<Request>),
}

/// What of a message goes along.
#[derive(Clone, Debug, Default)]
pub struct Along {
    /// The headers that cross.
    pub headers: Vec<Header>,
    /// The status of a response.
    pub status: Option<u16>,
}

impl Heard {
    /// What goes along to the other side.
    #[must_use]
    pub fn along(&self, crossing: &Crossing<'_>) -> Along {
        match self {
            Self::Response(response) => {
                let headers = of_response(response, crossing).headers;
                Along { headers, status: response.status() }
            }
            Self::Request(request) => {
                Along { headers: headers(request.message(), crossing).headers, status: None }
            }
        }
    }
}

/// An INVITE for the other side.
#[derive(Clone, Debug)]
pub struct Opening {
    /// From: anonymous where the caller asked for that and the other side is not trusted.
    pub from: NameAddr,
    /// The headers.
    pub headers: Vec<Header>,
    /// What the ladder says about them.
    pub notes: Vec<String>,
}

/// The From and the headers of the INVITE that follows from another one. `from` and `to` are what
/// it would say otherwise, numbers rewritten.
#[must_use]
pub fn opening(
    request: &Request,
    crossing: &Crossing<'_>,
    from: NameAddr,
    to: &NameAddr,
) -> Opening {
    let message = request.message();
    let hidden = Privacy::of(message).user && !crossing.to.trusted;
    let from = if hidden { privacy::anonymous() } else { from };
    let Carried { mut headers, left_out } = headers(message, crossing);
    let mut notes = Vec::new();
    if left_out > 0 {
        notes.push(format!("{left_out} headers too long to pass"));
    }
    if let Verdict::Dropped(changed) = Verdict::of(message, &from, to, &headers) {
        headers.retain(|header| !same_name(header.name(), b"Identity"));
        notes.push(format!("Identity left out: {changed} was changed"));
    }
    Opening { from, headers, notes }
}

/// The body of the INVITE that follows from another one: our session description, and around it
/// what else the caller sent, such as where it is (row E-05).
#[must_use]
pub fn body(request: &Request, crossing: &Crossing<'_>, offer: Body) -> (Body, Option<Header>) {
    let message = request.message();
    let privacy = Privacy::of(message);
    if !crossing.to.trusted && (privacy.user || privacy.header) {
        return (offer, None);
    }
    match sip::with_description(message, offer.octets()) {
        Some(body) => {
            let version = message.first("MIME-Version");
            (body, version.and_then(|value| Header::new("MIME-Version", value).ok()))
        }
        None => (offer, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIA: &str = "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\nCall-ID: secret@192.0.2.9\r\n\
         CSeq: 1 INVITE\r\nFrom: \"A\" <sip:+31612345678@carrier.example>;tag=1\r\n\
         To: <sip:+31201234567@192.0.2.1>\r\n";

    fn request(headers: &str, body: &str) -> Request {
        let length = body.len();
        let text = format!(
            "INVITE sip:a@b SIP/2.0\r\n{VIA}{headers}Content-Length: {length}\r\n\r\n{body}"
        );
        Request::read(sip::parse(text.as_bytes()).unwrap()).unwrap()
    }

    fn shown(headers: &[Header]) -> Vec<String> {
        let text = |header: &Header| {
            let (name, value) = (header.name().to_vec(), header.value().to_vec());
            format!("{}: {}", String::from_utf8_lossy(&name), String::from_utf8_lossy(&value))
        };
        headers.iter().map(text).collect()
    }

    fn crossing<'a>(from: &'a Rules, to: &'a Rules) -> Crossing<'a> {
        Crossing { from, to, limits: Limits::default() }
    }

    fn untrusted() -> Rules {
        Rules::new(None, &[], false).unwrap()
    }

    #[test]
    fn r_13_several_values_keep_their_order_and_their_octets() {
        let diversions: Vec<String> = (0..7)
            .map(|i| format!("Diversion: <sip:{i}@a>;reason=user-busy;counter=1,<sip:{i}@b>"))
            .collect();
        let history =
            "History-Info: <sip:a@b?Reason=SIP%3Bcause%3D302>;index=1,<sip:c@d>;index=1.1";
        let lines = format!("{}\r\n{history}\r\n", diversions.join("\r\n"));
        let rules = Rules::default();
        let carried = headers(request(&lines, "").message(), &crossing(&rules, &rules));
        let all: Vec<String> = diversions.into_iter().chain([history.to_owned()]).collect();
        assert_eq!(shown(&carried.headers), all);
    }

    #[test]
    fn r_09_octets_that_are_no_text_and_folded_values_arrive() {
        let mut raw = b"INVITE sip:a@b SIP/2.0\r\nSubject: caf\xe9\r\nX-Long: one\r\n  two\r\n\
            s:  short \r\n\r\n"
            .to_vec();
        raw.extend_from_slice(b"");
        let rules = Rules::default();
        let message = sip::parse(&raw).unwrap();
        let carried = headers(&message, &crossing(&rules, &rules));
        let values: Vec<&[u8]> = carried.headers.iter().map(Header::value).collect();
        assert_eq!(values, [&b"caf\xe9"[..], b"one two", b"short"]);
    }

    #[test]
    fn r_09_what_is_too_long_is_left_out_and_counted() {
        let rules = Rules::default();
        let limits = Limits { value_octets: 10, total_octets: 30 };
        let crossing = Crossing { from: &rules, to: &rules, limits };
        let long = "X-A: 12345678901\r\nX-B: 1234567890\r\nX-C: 1234567890\r\nX-D: 12\r\n";
        let carried = headers(request(long, "").message(), &crossing);
        assert_eq!(shown(&carried.headers), ["X-B: 1234567890", "X-C: 1234567890"]);
        assert_eq!(carried.left_out, 2);
    }

    #[test]
    fn r_11_an_asserted_identity_is_told_to_trusted_peers_only_and_believed_of_them_only() {
        let (inside, outside) = (Rules::default(), untrusted());
        let asserted = "P-Asserted-Identity: <sip:1@b>\r\nPrivacy: id\r\nSubject: s\r\n";
        let names = |from: &Rules, to: &Rules| {
            let carried = headers(request(asserted, "").message(), &crossing(from, to));
            carried.headers.iter().map(|h| h.name().len()).collect::<Vec<_>>()
        };
        assert_eq!(names(&inside, &inside), [19, 7, 7]);
        assert_eq!(names(&inside, &outside), [7, 7]);
        assert_eq!(names(&outside, &inside), [7, 7]);
    }

    #[test]
    fn r_11_an_untrusted_peer_gets_an_anonymous_from_when_the_caller_wants_none() {
        let (inside, outside) = (Rules::default(), untrusted());
        let request = request("Privacy: user\r\n", "");
        let from = |to: &Rules| {
            let from = request.from().clone();
            opening(&request, &crossing(&inside, to), from, request.to()).from
        };
        assert!(privacy::is_anonymous(&from(&outside)));
        assert_eq!(from(&inside), *request.from());
    }

    #[test]
    fn r_11_what_a_caller_keeps_to_itself_it_keeps_for_the_whole_call() {
        let (inside, outside) = (Rules::default(), untrusted());
        let opening = request("Privacy: user;id\r\n", "");
        let lines = "P-Asserted-Identity: <sip:1@a>\r\nSubject: me\r\nX-Step: 2\r\n\
             Privacy: none\r\nIdentity: eyJ.e30.sig\r\nDate: now\r\n";
        let update = request(lines, "");
        let told = |opening: Option<&Request>, to: &Rules| {
            let crossing = crossing(&inside, to);
            shown(&meanwhile(update.message(), opening.map(Request::message), &crossing)).join("|")
        };
        let all = "P-Asserted-Identity: <sip:1@a>|Subject: me|X-Step: 2|Privacy: none";
        assert_eq!(told(None, &outside), all, "it says itself that it keeps nothing back");
        assert_eq!(told(Some(&opening), &outside), "X-Step: 2|Privacy: none");
        assert_eq!(told(Some(&opening), &inside), all, "a trusted peer keeps it");
    }

    #[test]
    fn r_10_a_passport_that_no_longer_fits_stays_behind_and_the_ladder_says_so() {
        let rules = Rules::default();
        let request = request("Identity: eyJ.e30.sig\r\ny: eyJ.div.sig\r\n", "");
        let sent =
            |from: NameAddr| opening(&request, &crossing(&rules, &rules), from, request.to());
        let same = sent(request.from().clone());
        assert_eq!(shown(&same.headers), ["Identity: eyJ.e30.sig", "y: eyJ.div.sig"]);
        let other = sent(NameAddr::parse(b"<sip:100@192.0.2.1>").unwrap());
        assert!(other.headers.is_empty());
        assert_eq!(other.notes, ["Identity left out: From was changed"]);
    }

    #[test]
    fn r_08_a_warning_keeps_its_text_and_not_who_warns() {
        let text = "SIP/2.0 488 No\r\nWarning: 304 pbx.inside:5060 \"Media type, not available\", \
             399 192.0.2.7 \"x\"\r\nWarning: nonsense\r\nRetry-After: 3\r\nServer: PBX\r\n\r\n";
        let message = sip::parse(text.as_bytes()).unwrap();
        let rules = Rules::default();
        let shown = shown(&of_response(&message, &crossing(&rules, &rules)).headers);
        let warnings =
            ["Warning: 304 jawoord \"Media type, not available\"", "Warning: 399 jawoord \"x\""];
        assert_eq!(shown, ["Retry-After: 3", warnings[0], warnings[1]]);
        let deaf = Rules::new(None, &["Warning".to_owned()], true).unwrap();
        assert_eq!(of_response(&message, &crossing(&rules, &deaf)).headers.len(), 1);
    }

    #[test]
    fn e_05_a_location_goes_along_around_our_own_description() {
        let kind = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed;boundary=x\r\n";
        let parts = "--x\r\nContent-Type: application/pidf+xml\r\n\r\n<geo/>\r\n--x\r\n\
             Content-Type: application/sdp\r\n\r\nv=0\r\nc=theirs\r\n\r\n--x--\r\n";
        let rules = Rules::default();
        let offer = Body::sdp(b"v=0\r\nc=ours\r\n".to_vec());
        let request = request(kind, parts);
        let (body, version) = body(&request, &crossing(&rules, &rules), offer);
        assert_eq!(body.octets(), parts.replace("theirs", "ours").as_bytes());
        assert_eq!(shown(version.as_slice()), ["MIME-Version: 1.0"]);
    }
}
