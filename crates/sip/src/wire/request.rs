//! A request whose vital headers have been read: what transactions and dialogs work with.

use std::fmt;

use super::address::NameAddr;
use super::header::trim;
use super::message::{Fault, Message};
use super::method::Method;
use super::via::Via;

/// A well-formed request (RFC 3261 §8.1.1): every header that must be there is, once, and can be
/// read.
#[derive(Clone)]
pub struct Request {
    message: Message,
    method: Method,
    pub(crate) via: Via,
    from: NameAddr,
    to: NameAddr,
    call_id: Vec<u8>,
    cseq: u32,
    max_forwards: u8,
}

/// Headers that a message holds at most once (RFC 3261 §7.3.1).
const SINGLE: [&str; 8] =
    ["From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Length", "Content-Type", "Expires"];

impl Request {
    /// Reads what the endpoint needs of a request.
    ///
    /// # Errors
    /// The first [`Fault`] together with the message, which may still be answered with 400.
    pub fn read(message: Message) -> Result<Request, Box<(Fault, Message)>> {
        match vital(&message) {
            Ok((method, via, from, to, call_id, cseq, max_forwards)) => {
                Ok(Request { message, method, via, from, to, call_id, cseq, max_forwards })
            }
            Err(fault) => Err(Box::new((fault, message))),
        }
    }

    /// The message as received.
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// From.
    pub fn from(&self) -> &NameAddr {
        &self.from
    }

    /// To.
    pub fn to(&self) -> &NameAddr {
        &self.to
    }

    /// Call-ID: octets that a peer chose. Never a file name.
    pub fn call_id(&self) -> &[u8] {
        &self.call_id
    }

    /// The number of CSeq.
    pub fn cseq(&self) -> u32 {
        self.cseq
    }

    /// Expires in seconds, if it is there and a number above 0.
    pub fn expires(&self) -> Option<u32> {
        self.message.first("Expires").and_then(number).filter(|seconds| *seconds > 0)
    }

    /// Max-Forwards as received; 70 when it is missing (RFC 3261 §16.6 step 3).
    pub fn max_forwards(&self) -> u8 {
        self.max_forwards
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message.fmt(f)
    }
}

type Vital = (Method, Via, NameAddr, NameAddr, Vec<u8>, u32, u8);

fn vital(message: &Message) -> Result<Vital, Fault> {
    let method = message.method().ok_or(Fault::StartLine)?.clone();
    if let Some(fault) = message.fault() {
        return Err(fault);
    }
    for name in SINGLE {
        let mut values = message.all(name);
        let first = values.next();
        // A second Content-Length with the same number was let through by the framing.
        if name != "Content-Length" && first.is_some() && values.next().is_some() {
            return Err(Fault::Repeated(name));
        }
    }
    let via = top_via(message)?;
    // RFC 4475 §3.1.2.1: separators with nothing between them among the others.
    if message.list("Via").into_iter().any(|below| Via::parse(below).is_none()) {
        return Err(Fault::Unreadable("Via"));
    }
    let from = person(message, "From")?;
    let to = person(message, "To")?;
    let call_id = message.first("Call-ID").ok_or(Fault::Missing("Call-ID"))?;
    if call_id.is_empty() || call_id.iter().any(u8::is_ascii_whitespace) {
        return Err(Fault::Unreadable("Call-ID"));
    }
    let (cseq, stated) = cseq(message)?;
    if stated != method.name() {
        return Err(Fault::Unreadable("CSeq"));
    }
    let max_forwards = match message.first("Max-Forwards") {
        Some(text) => number(text)
            .and_then(|hops| u8::try_from(hops).ok())
            .ok_or(Fault::Unreadable("Max-Forwards"))?,
        None => 70,
    };
    Ok((method, via, from, to, call_id.to_vec(), cseq, max_forwards))
}

fn person(message: &Message, name: &'static str) -> Result<NameAddr, Fault> {
    let value = message.first(name).ok_or(Fault::Missing(name))?;
    NameAddr::parse(value).ok_or(Fault::Unreadable(name))
}

/// The topmost Via.
pub(crate) fn top_via(message: &Message) -> Result<Via, Fault> {
    let value = message.list("Via").into_iter().next().ok_or(Fault::Missing("Via"))?;
    Via::parse(value).ok_or(Fault::Unreadable("Via"))
}

/// Number and method of CSeq; the number is below 2^31 (RFC 3261 §8.1.1.5).
pub(crate) fn cseq(message: &Message) -> Result<(u32, &[u8]), Fault> {
    let value = message.first("CSeq").ok_or(Fault::Missing("CSeq"))?;
    let bad = Fault::Unreadable("CSeq");
    let gap = value.iter().position(|octet| octet.is_ascii_whitespace()).ok_or(bad)?;
    let digits = value.get(..gap).unwrap_or_default();
    let number = number(digits).filter(|number| *number < 1 << 31).ok_or(bad)?;
    Ok((number, trim(value.get(gap..).unwrap_or_default())))
}

fn number(text: &[u8]) -> Option<u32> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| digits)?.parse().ok()
}
