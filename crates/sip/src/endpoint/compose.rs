//! Writing the requests and responses of an endpoint.

use super::config::{Config, Listener};
use crate::dialog::{Dialog, own_uri};
use crate::wire::address::NameAddr;
use crate::wire::build::{Body, Builder};
use crate::wire::header::{Header, same_name};
use crate::wire::message::{Message, Value};
use crate::wire::method::Method;
use crate::wire::parse::parse;
use crate::wire::reason::phrase;
use crate::wire::request::{Request, top_via};

/// What we do; nothing more is promised (row A-18).
pub(crate) const ALLOW: &[u8] = b"INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, PRACK, UPDATE, REFER";
/// The extensions that we understand.
pub(crate) const SUPPORTED: &[u8] = b"100rel, 199, replaces, norefersub, timer";

/// The extensions that we promise, with and without these two.
pub(crate) fn supported(reliable: bool, timer: bool) -> &'static [u8] {
    match (reliable, timer) {
        (true, true) => SUPPORTED,
        (true, false) => b"100rel, 199, replaces, norefersub",
        (false, true) => b"199, replaces, norefersub, timer",
        (false, false) => b"199, replaces, norefersub",
    }
}
/// The bodies we read.
pub(crate) const ACCEPT: &[u8] = b"application/sdp, multipart/mixed";
/// The INFO bodies we read: Cisco's and the plain digit (rows D-13, D-14).
pub(crate) const ACCEPT_INFO: &[u8] = b"application/dtmf-relay, application/dtmf";

/// Own headers as they are passed on.
pub(crate) fn borrowed<'a>(own: &'a [(&'static str, Vec<u8>)]) -> Vec<(&'static str, &'a [u8])> {
    own.iter().map(|(name, value)| (*name, value.as_slice())).collect()
}

/// One request of ours.
pub(crate) struct Outgoing<'a> {
    pub(crate) method: Method,
    pub(crate) cseq: u32,
    pub(crate) branch: &'a str,
    pub(crate) max_forwards: u8,
    /// Written as they are, by name and value: what no other leg may bring along.
    pub(crate) own: &'a [(&'static str, &'a [u8])],
    pub(crate) headers: &'a [Header],
    pub(crate) body: Option<&'a Body>,
}

/// A request in a dialog, or the INVITE that opens one.
pub(crate) fn request(
    config: &Config,
    listener: Listener,
    dialog: &Dialog,
    parts: &Outgoing<'_>,
) -> Vec<u8> {
    let (uri, routes) = dialog.heading();
    let mut out = Builder::request(&parts.method, uri.as_bytes());
    out.header(b"Via", via(listener, parts.branch).as_bytes());
    out.header(b"Max-Forwards", parts.max_forwards.to_string().as_bytes());
    for route in routes {
        out.header(b"Route", &route);
    }
    out.header(b"From", &dialog.local);
    out.header(b"To", &dialog.remote);
    out.header(b"Call-ID", &dialog.call_id);
    let mut cseq = format!("{} ", parts.cseq).into_bytes();
    cseq.extend_from_slice(parts.method.name());
    out.header(b"CSeq", &cseq);
    if refreshes_target(&parts.method) {
        out.header(b"Contact", &contact(listener));
        out.header(b"Allow", ALLOW);
        out.header(b"Accept", ACCEPT);
    } else if names_contact(&parts.method) {
        out.header(b"Contact", &contact(listener));
    }
    if !config.user_agent.is_empty() && parts.method != Method::ACK {
        out.header(b"User-Agent", config.user_agent.as_bytes());
    }
    for (name, value) in parts.own {
        out.header(name.as_bytes(), value);
    }
    for header in dialog.standing.iter().chain(parts.headers) {
        out.header(header.name(), header.value());
    }
    out.finish(parts.body)
}

/// An OPTIONS outside any dialog (row R-17).
pub(crate) fn options(
    config: &Config,
    listener: Listener,
    target: &str,
    ids: (&str, &str, &str),
) -> Vec<u8> {
    let (branch, tag, call_id) = ids;
    let mut from = NameAddr::new(own_uri(listener.advertised, listener.transport));
    from.params.set("tag", Some(tag.as_bytes()));
    let mut out = Builder::request(&Method::OPTIONS, target.as_bytes());
    out.header(b"Via", via(listener, branch).as_bytes());
    out.header(b"Max-Forwards", b"70");
    out.header(b"From", &from.to_wire());
    out.header(b"To", format!("<{target}>").as_bytes());
    out.header(b"Call-ID", call_id.as_bytes());
    out.header(b"CSeq", b"1 OPTIONS");
    out.header(b"Contact", &contact(listener));
    out.header(b"Accept", ACCEPT);
    if !config.user_agent.is_empty() {
        out.header(b"User-Agent", config.user_agent.as_bytes());
    }
    out.finish(None)
}

/// One REGISTER.
pub(crate) struct Registering<'a> {
    pub(crate) registrar: String,
    pub(crate) account: String,
    pub(crate) contact: String,
    pub(crate) tag: &'a str,
    pub(crate) call_id: &'a str,
    pub(crate) cseq: u32,
    pub(crate) branch: &'a str,
    pub(crate) expires_s: u32,
}

/// A REGISTER (RFC 3261 §10.2); a proxy on the way may put itself into the path (RFC 3327 §5.1).
pub(crate) fn register(config: &Config, listener: Listener, parts: &Registering<'_>) -> Vec<u8> {
    let Registering { registrar, account, contact, tag, call_id, cseq, branch, expires_s } = parts;
    let mut out = Builder::request(&Method::Known(rsip::Method::Register), registrar.as_bytes());
    out.header(b"Via", via(listener, branch).as_bytes());
    out.header(b"Max-Forwards", b"70");
    out.header(b"From", format!("<{account}>;tag={tag}").as_bytes());
    out.header(b"To", format!("<{account}>").as_bytes());
    out.header(b"Call-ID", call_id.as_bytes());
    out.header(b"CSeq", format!("{cseq} REGISTER").as_bytes());
    out.header(b"Contact", format!("<{contact}>;expires={expires_s}").as_bytes());
    out.header(b"Expires", expires_s.to_string().as_bytes());
    out.header(b"Supported", b"path");
    if !config.user_agent.is_empty() {
        out.header(b"User-Agent", config.user_agent.as_bytes());
    }
    out.finish(None)
}

/// One response of ours.
pub(crate) struct Reply<'a> {
    pub(crate) status: u16,
    /// The To tag to add when the request has none; `None` in a 100.
    pub(crate) tag: Option<&'a [u8]>,
    /// Written as they are, by name and value.
    pub(crate) own: &'a [(&'static str, &'a [u8])],
    pub(crate) headers: &'a [Header],
    pub(crate) body: Option<&'a Body>,
}

impl<'a> Reply<'a> {
    /// A response without anything special.
    pub(crate) fn plain(status: u16, tag: &'a [u8]) -> Reply<'a> {
        Reply { status, tag: Some(tag), own: &[], headers: &[], body: None }
    }
}

/// The response to a request (RFC 3261 §8.2.6): its Vias, From, To, Call-ID and CSeq; for an INVITE
/// its Record-Route too (row R-01). `standing` is what every message of its dialog carries.
pub(crate) fn response(
    config: &Config,
    listener: Listener,
    request: &Request,
    reply: &Reply<'_>,
    standing: &[Header],
) -> Vec<u8> {
    let message = request.message();
    let mut out = Builder::response(reply.status, phrase(reply.status).as_bytes());
    out.header(b"Via", &request.via.to_wire());
    for via in message.list("Via").into_iter().skip(1) {
        out.header(b"Via", via);
    }
    let invites = *request.method() == Method::INVITE;
    let opens = invites && (101..300).contains(&reply.status);
    let accepts = refreshes_target(request.method()) && (200..300).contains(&reply.status);
    if opens {
        for route in message.all("Record-Route") {
            out.header(b"Record-Route", route);
        }
    }
    out.header(b"From", message.first("From").unwrap_or_default());
    let mut to = message.first("To").unwrap_or_default().to_vec();
    if let Some(tag) = reply.tag.filter(|_| request.to().tag().is_none()) {
        to.extend_from_slice(b";tag=");
        to.extend_from_slice(tag);
    }
    out.header(b"To", &to);
    out.header(b"Call-ID", request.call_id());
    out.header(b"CSeq", message.first("CSeq").unwrap_or_default());
    let refers = *request.method() == Method::REFER && (200..300).contains(&reply.status);
    if opens || accepts || refers {
        out.header(b"Contact", &contact(listener));
    }
    if accepts || reply.own.iter().any(|(name, _)| *name == "RSeq") {
        // Whoever is to send UPDATE in an early dialog must know that it may (RFC 3311 §4).
        out.header(b"Allow", ALLOW);
    }
    if accepts && reply.own.iter().all(|(name, _)| *name != "Supported") {
        out.header(b"Supported", SUPPORTED);
    }
    if !config.user_agent.is_empty() {
        out.header(b"Server", config.user_agent.as_bytes());
    }
    for (name, value) in reply.own {
        out.header(name.as_bytes(), value);
    }
    for header in standing.iter().chain(reply.headers) {
        out.header(header.name(), header.value());
    }
    out.finish(reply.body)
}

/// The answer to a request that is not looked at (RFC 3261 §16.3 step 1): whatever of the five
/// headers is there and what `own` adds, so that the answer is hardly larger than the question.
pub(crate) fn refusal(
    (status, reason): (u16, &str),
    message: &Message,
    via: &[u8],
    tag: &str,
    own: &[(&'static str, &[u8])],
) -> Vec<u8> {
    let mut out = Builder::response(status, reason.as_bytes());
    out.header(b"Via", via);
    for via in message.list("Via").into_iter().skip(1) {
        out.header(b"Via", via);
    }
    for name in ["From", "To", "Call-ID", "CSeq"] {
        if let Some(value) = message.first(name) {
            let mut value = value.to_vec();
            if same_name(name.as_bytes(), b"To")
                && NameAddr::parse(&value).is_some_and(|to| to.tag().is_none())
            {
                value.extend_from_slice(format!(";tag={tag}").as_bytes());
            }
            out.header(name.as_bytes(), &value);
        }
    }
    for (name, value) in own {
        out.header(name.as_bytes(), value);
    }
    out.finish(None)
}

/// The same request with the Via of another listener; everything else stays, octet for octet.
pub(crate) fn by(octets: &[u8], listener: Listener) -> Option<Vec<u8>> {
    let request = parse(octets).ok()?;
    let branch = top_via(&request).ok()?.branch()?.to_vec();
    let line = request.fields.iter().find(|field| {
        request.raw.get(field.name.clone()).is_some_and(|name| same_name(name, b"Via"))
    })?;
    let Value::Raw(value) = &line.value else { return None };
    let mut out = request.raw.get(..value.start)?.to_vec();
    out.extend_from_slice(via(listener, std::str::from_utf8(&branch).ok()?).as_bytes());
    out.extend_from_slice(request.raw.get(value.end..)?);
    Some(out)
}

/// Does the Contact of such a request, and of its 2xx, become the remote target (RFC 3261 §12.2,
/// RFC 3311 §5.1)?
fn refreshes_target(method: &Method) -> bool {
    *method == Method::INVITE || *method == Method::UPDATE
}

/// Must such a request of ours say where we are (RFC 3515 §2.2, RFC 6665 §8.1.1)?
fn names_contact(method: &Method) -> bool {
    *method == Method::REFER || *method == Method::NOTIFY
}

fn via(listener: Listener, branch: &str) -> String {
    format!("SIP/2.0/{} {};rport;branch={branch}", listener.transport.name(), listener.advertised)
}

fn contact(listener: Listener) -> Vec<u8> {
    NameAddr::new(own_uri(listener.advertised, listener.transport)).to_wire()
}
