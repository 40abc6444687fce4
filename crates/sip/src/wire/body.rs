//! Finding the session description in a body: plain SDP, or one part of multipart/mixed (RFC 5621).

use std::ops::Range;

use super::build::Body;
use super::header::{Params, same_name, trim};
use super::message::Message;

/// What a message's body holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content<'a> {
    /// No body.
    Empty,
    /// A session description.
    Sdp(&'a [u8]),
    /// A body that we cannot use and that its sender says may be ignored
    /// (`handling=optional`, RFC 3204).
    Optional,
    /// A body of another type, an encoded one, or a multipart without a session description:
    /// 415 with Accept (row A-23).
    Unsupported,
}

/// Most parts of a multipart body that are looked at.
const MAX_PARTS: usize = 32;

/// Finds the session description of a message.
pub fn content(message: &Message) -> Content<'_> {
    let body = message.body();
    if body.is_empty() {
        return Content::Empty;
    }
    let encoding = message.first("Content-Encoding").unwrap_or(b"identity");
    let kind = message.first("Content-Type").unwrap_or(b"application/sdp");
    if !encoding.eq_ignore_ascii_case(b"identity") {
        return Content::Unsupported;
    }
    let (kind, params) = media_type(kind);
    if kind.eq_ignore_ascii_case(b"application/sdp") {
        return Content::Sdp(body);
    }
    if kind.get(..10).is_some_and(|head| head.eq_ignore_ascii_case(b"multipart/")) {
        let boundary = params.value("boundary").map(unquote).unwrap_or_default();
        let part = described_part(body, boundary).and_then(|range| body.get(range));
        return part.map_or(Content::Unsupported, Content::Sdp);
    }
    match message.first("Content-Disposition") {
        Some(text)
            if media_type(text)
                .1
                .value("handling")
                .is_some_and(|h| h.eq_ignore_ascii_case(b"optional")) =>
        {
            Content::Optional
        }
        Some(_) | None => Content::Unsupported,
    }
}

/// The multipart body of a message with another session description in it, every other octet as it
/// was, and its boundary (rows A-23, E-05). `None` when the body is not multipart or has no session
/// description.
pub fn with_description(message: &Message, sdp: &[u8]) -> Option<Body> {
    let kind = std::str::from_utf8(message.first("Content-Type")?).ok()?;
    let (name, params) = media_type(kind.as_bytes());
    if !name.get(..10)?.eq_ignore_ascii_case(b"multipart/") {
        return None;
    }
    let body = message.body();
    let part = described_part(body, unquote(params.value("boundary")?))?;
    let octets = [body.get(..part.start)?, sdp.trim_ascii_end(), b"\r\n", body.get(part.end..)?];
    Some(Body::new(kind, octets.concat()))
}

/// Splits `type/subtype;params`.
pub(crate) fn media_type(value: &[u8]) -> (&[u8], Params) {
    let end = value.iter().position(|&octet| octet == b';').unwrap_or(value.len());
    (
        trim(value.get(..end).unwrap_or_default()),
        Params::parse(value.get(end..).unwrap_or_default()),
    )
}

fn unquote(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(text)
}

/// The parts between `--boundary` lines (RFC 2046 §5.1.1), without the line break before the next
/// delimiter.
fn parts(body: &[u8], boundary: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    if boundary.is_empty() {
        return found;
    }
    let (mut at, mut start) = (0, None);
    while at < body.len() && found.len() < MAX_PARTS {
        let rest = body.get(at..).unwrap_or_default();
        let end = rest.iter().position(|&octet| octet == b'\n').map_or(rest.len(), |end| end + 1);
        let line = trim(rest.get(..end).unwrap_or_default());
        let tail = line.strip_prefix(b"--").and_then(|line| line.strip_prefix(boundary));
        if tail.is_some_and(|tail| tail.is_empty() || tail == b"--") {
            if let Some(start) = start {
                let part: &[u8] = body.get(start..at).unwrap_or_default();
                let part = part.strip_suffix(b"\n").unwrap_or(part);
                found.push(start..start + part.strip_suffix(b"\r").unwrap_or(part).len());
            }
            start = Some(at + end);
        }
        at += end;
    }
    found
}

/// Where the session description of a multipart body is.
fn described_part(body: &[u8], boundary: &[u8]) -> Option<Range<usize>> {
    parts(body, boundary).into_iter().find_map(|part| {
        let start = description_in(body.get(part.clone())?)?;
        Some(part.start + start..part.end)
    })
}

/// Where the content of a part begins whose own headers say that it is a session description.
fn description_in(part: &[u8]) -> Option<usize> {
    let (mut at, mut is_sdp) = (0, false);
    loop {
        let rest = part.get(at..)?;
        let end = rest.iter().position(|&octet| octet == b'\n')? + 1;
        let line = trim(rest.get(..end)?);
        at += end;
        if line.is_empty() {
            return is_sdp.then_some(at);
        }
        let colon = line.iter().position(|&octet| octet == b':').unwrap_or(line.len());
        if same_name(trim(line.get(..colon)?), b"Content-Type") {
            let kind = media_type(line.get(colon + 1..).unwrap_or_default()).0;
            is_sdp = kind.eq_ignore_ascii_case(b"application/sdp");
        }
    }
}

/// May the answer to this request be a session description? Without `Accept`, or with an empty one,
/// it may (RFC 3261 §20.1 has it that an empty one wants nothing; whoever sends it means no harm).
pub(crate) fn accepts_sdp(message: &Message) -> bool {
    let ranges = message.list("Accept");
    let fits = |range: &[u8]| {
        let name = media_type(range).0.to_ascii_lowercase();
        matches!(&name[..], b"application/sdp" | b"application/*" | b"*/*")
    };
    ranges.is_empty() || ranges.into_iter().any(fits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::parse::parse;

    fn message(kind: &str, extra: &str, body: &str) -> Message {
        let text = format!("INVITE sip:a@b SIP/2.0\r\nContent-Type: {kind}\r\n{extra}\r\n{body}");
        parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_23_the_sdp_part_of_a_multipart_body_is_found_byte_for_byte() {
        let body = "preamble\r\n--x y\r\nContent-Type: application/pidf+xml\r\n\r\n<a/>\r\n--x y\r\n\
                    C: 1\r\nContent-Type: Application/SDP ; v=0\r\n\r\nv=0\r\no=a\r\n\r\n--x y--\r\nend";
        let message = message("multipart/mixed; boundary=\"x y\"", "", body);
        assert_eq!(content(&message), Content::Sdp(b"v=0\r\no=a\r\n"));
    }

    #[test]
    fn e_05_a_location_beside_the_description_stays_as_it_was() {
        let body = "--x\r\nContent-ID: <l@h>\r\nContent-Type: application/pidf+xml\r\n\r\n<\u{e9}/>\r\n\
                    --x\r\nContent-Type: application/sdp\r\n\r\nv=0\r\no=a\r\n\r\n--x--\r\n";
        let kind = "multipart/mixed;boundary=\"x\"";
        let new = with_description(&message(kind, "", body), b"v=0\r\no=new\r\n").unwrap();
        assert_eq!(new.octets(), body.replace("o=a", "o=new").as_bytes());
        assert_eq!(new.content_type(), kind);
        assert_eq!(with_description(&message("application/sdp", "", "v=0"), b"v=0"), None);
        assert_eq!(
            with_description(&message("multipart/mixed;boundary=y", "", body), b"v=0"),
            None
        );
    }

    #[test]
    fn a_23_what_is_no_sdp_is_unsupported_unless_it_may_be_ignored() {
        assert_eq!(content(&message("text/plain", "", "hello")), Content::Unsupported);
        let optional = "Content-Disposition: render;handling=Optional\r\n";
        assert_eq!(content(&message("text/plain", optional, "hello")), Content::Optional);
        assert_eq!(
            content(&message("application/sdp", "e: gzip\r\n", "v=0")),
            Content::Unsupported
        );
        assert_eq!(content(&message("multipart/mixed", "", "--\r\n")), Content::Unsupported);
        assert_eq!(
            content(&message("application/SDP;charset=utf-8", "", "v=0")),
            Content::Sdp(b"v=0")
        );
        assert_eq!(content(&message("text/plain", "", "")), Content::Empty);
    }
}
