//! From a datagram to a [`Message`]: lines, folds, framing, limits; never a panic.

use std::ops::Range;

use super::header::{is_token, key};
use super::message::{Fault, Field, Message, Start, Value};
use super::method::Method;

/// The largest message: a UDP payload cannot be longer (row R-15).
pub const MAX_MESSAGE: usize = 65_535;
/// The most header lines in one message.
pub const MAX_HEADERS: usize = 256;
/// The longest header in octets, folds included; a PASSporT of RFC 8225 needs a few thousand.
pub const MAX_HEADER: usize = 16_384;

/// A datagram that is no SIP message at all and gets no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSip {
    /// Empty or line breaks only: a keep-alive (RFC 5626 §3.5.1).
    KeepAlive,
    /// Longer than [`MAX_MESSAGE`].
    TooLong,
    /// The first line is neither a request line nor a status line.
    Foreign,
}

/// Reads one datagram.
///
/// A message whose first line can be read comes back with as many headers as could be read;
/// [`Message::fault`] names the first thing that is wrong, so that a request can still be
/// answered 400.
///
/// # Errors
/// [`NotSip`] when there is nothing to answer.
pub fn parse(datagram: &[u8]) -> Result<Message, NotSip> {
    if datagram.len() > MAX_MESSAGE {
        return Err(NotSip::TooLong);
    }
    // RFC 3261 §7.5: empty lines before the start line are ignored.
    let blank = datagram.iter().take_while(|octet| matches!(octet, b'\r' | b'\n')).count();
    let raw = datagram.get(blank..).unwrap_or_default().to_vec();
    if raw.is_empty() {
        return Err(NotSip::KeepAlive);
    }
    let mut fault = None;
    let (line, mut at) = next_line(&raw, 0);
    let start = start_line(raw.get(line).unwrap_or_default(), &mut fault)?;
    let mut fields: Vec<Field> = Vec::new();
    let body_at = loop {
        let (line, next) = next_line(&raw, at);
        if line.is_empty() {
            if next == at {
                note(&mut fault, Fault::Truncated);
            }
            break next;
        }
        if fields.len() >= MAX_HEADERS {
            note(&mut fault, Fault::HeaderLimit);
            break raw.len();
        }
        at = field(&raw, line, next, &mut fields, &mut fault);
    };
    let mut message = Message { body: body_at..raw.len(), raw, start, fields, fault };
    frame(&mut message);
    Ok(message)
}

/// Keeps the first fault.
fn note(fault: &mut Option<Fault>, new: Fault) {
    fault.get_or_insert(new);
}

/// The line from `at` without its end, and where the next one starts. At the end of the octets
/// both are `at`.
fn next_line(raw: &[u8], at: usize) -> (Range<usize>, usize) {
    let rest = raw.get(at..).unwrap_or_default();
    match rest.iter().position(|&octet| octet == b'\n') {
        Some(end) => {
            let cut = usize::from(end > 0 && rest.get(end - 1) == Some(&b'\r'));
            (at..at + end - cut, at + end + 1)
        }
        None => (at..raw.len(), raw.len()),
    }
}

/// Reads the first line; what is no SIP at all is an error, what is bad SIP a fault.
fn start_line(line: &[u8], fault: &mut Option<Fault>) -> Result<Start, NotSip> {
    if line.get(..4).is_some_and(|head| head.eq_ignore_ascii_case(b"SIP/")) {
        return status_line(line).ok_or(NotSip::Foreign);
    }
    let first = line.iter().position(|&octet| octet == b' ').ok_or(NotSip::Foreign)?;
    let method = line.get(..first).and_then(Method::parse).ok_or(NotSip::Foreign)?;
    let rest = line.get(first + 1..).unwrap_or_default();
    let at = version_at(rest).ok_or(NotSip::Foreign)?;
    let uri = rest.get(..at).unwrap_or_default();
    let version = rest.get(at + 1..).unwrap_or_default();
    // RFC 4475 §3.1.2.7 to §3.1.2.9: no white space beside or inside the URI, no angle brackets.
    let bad = uri.is_empty()
        || uri.iter().any(|octet| octet.is_ascii_whitespace() || b"<>\0".contains(octet));
    if bad || version.iter().any(u8::is_ascii_whitespace) {
        note(fault, Fault::StartLine);
    } else if !version.eq_ignore_ascii_case(b"SIP/2.0") {
        note(fault, Fault::Version);
    }
    Ok(Start::Request { method, uri: uri.to_vec() })
}

/// Where the space before the version is: the last ` SIP/` of the line.
fn version_at(rest: &[u8]) -> Option<usize> {
    rest.windows(5).rposition(|window| window.eq_ignore_ascii_case(b" SIP/"))
}

/// `SIP/2.0 code reason`; any reason phrase, an empty one included.
fn status_line(line: &[u8]) -> Option<Start> {
    let rest = line
        .get(7..)
        .filter(|_| line.get(..7).is_some_and(|v| v.eq_ignore_ascii_case(b"SIP/2.0")))?;
    let code = rest.get(..4).filter(|code| code.first() == Some(&b' '))?;
    let digits = std::str::from_utf8(code.get(1..)?).ok()?;
    let status = digits.parse::<u16>().ok().filter(|status| (100..=699).contains(status))?;
    let tail = rest.get(4..).unwrap_or_default();
    if tail.first().is_some_and(|&octet| octet != b' ') {
        return None;
    }
    Some(Start::Response { status, reason: tail.get(1..).unwrap_or_default().to_vec() })
}

/// Reads one header with its folds into the table; returns where the next line starts.
fn field(
    raw: &[u8],
    line: Range<usize>,
    mut next: usize,
    fields: &mut Vec<Field>,
    fault: &mut Option<Fault>,
) -> usize {
    let mut unfolded: Option<Vec<u8>> = None;
    let colon = raw.get(line.clone()).and_then(|text| text.iter().position(|&octet| octet == b':'));
    let value =
        colon.map_or(line.end..line.end, |colon| trimmed(raw, line.start + colon + 1..line.end));
    while matches!(raw.get(next), Some(b' ' | b'\t')) {
        let (fold, after) = next_line(raw, next);
        let text =
            unfolded.get_or_insert_with(|| raw.get(value.clone()).unwrap_or_default().to_vec());
        let more = raw.get(trimmed(raw, fold)).unwrap_or_default();
        if !text.is_empty() && !more.is_empty() {
            text.push(b' ');
        }
        text.extend_from_slice(more);
        next = after;
    }
    let name = colon.map(|colon| trimmed(raw, line.start..line.start + colon));
    let Some(name) =
        name.filter(|name| name.start == line.start && raw.get(name.clone()).is_some_and(is_token))
    else {
        note(fault, Fault::HeaderLine);
        return next;
    };
    if next - line.start > MAX_HEADER {
        note(fault, Fault::HeaderLimit);
        return next;
    }
    let value = unfolded.map_or(Value::Raw(value), Value::Unfolded);
    let text = match &value {
        Value::Raw(range) => raw.get(range.clone()).unwrap_or_default(),
        Value::Unfolded(text) => text.as_slice(),
    };
    if text.contains(&b'\r') {
        note(fault, Fault::BareReturn);
        return next;
    }
    let key = key(raw.get(name.clone()).unwrap_or_default());
    fields.push(Field { name, key, value });
    next
}

/// The range without white space at its ends.
fn trimmed(raw: &[u8], range: Range<usize>) -> Range<usize> {
    let text = raw.get(range.clone()).unwrap_or_default();
    let front = text.iter().take_while(|octet| matches!(octet, b' ' | b'\t')).count();
    let back = text.iter().rev().take_while(|octet| matches!(octet, b' ' | b'\t')).count();
    if front == text.len() { range.end..range.end } else { range.start + front..range.end - back }
}

/// Cuts the body to Content-Length (RFC 3261 §18.3): octets behind it are dropped, a length beyond
/// the datagram is a fault, none means the rest of the datagram.
fn frame(message: &mut Message) {
    let end = stated_length(message).map(|length| match length {
        Some(length) => message.body.start.checked_add(length),
        None => Some(message.raw.len()),
    });
    match end {
        Ok(Some(end)) if end <= message.raw.len() => message.body.end = end,
        Ok(_) | Err(_) => note(&mut message.fault, Fault::ContentLength),
    }
}

/// What Content-Length says, if it is there; more than one must say the same.
///
/// # Errors
/// It is no number, or two of them differ.
pub(crate) fn stated_length(message: &Message) -> Result<Option<usize>, Fault> {
    let mut stated = None;
    for value in message.all("Content-Length") {
        let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
        let length = std::str::from_utf8(value).ok().and_then(|text| text.parse::<usize>().ok());
        match length.filter(|_| digits) {
            Some(length) if stated.is_none_or(|other| other == length) => stated = Some(length),
            Some(_) | None => return Err(Fault::ContentLength),
        }
    }
    Ok(stated)
}
