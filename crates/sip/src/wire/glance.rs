//! A first look at a datagram, cheap enough for a flood: what kind of message it could be.

use super::header::{same_name, trim};
use super::method::Method;

/// As many octets are looked at; who hides the To header behind more is not told apart.
const DEPTH: usize = 8_192;

/// What a datagram seems to be. Nothing is promised about whether it can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glance<'a> {
    /// No SIP message.
    Noise,
    /// A response to the request with this branch; empty when it names none.
    Response(&'a [u8]),
    /// A request with this To tag: it belongs to a dialog, or says so.
    Inside(&'a [u8]),
    /// A request without a To tag, with its method.
    Outside(&'a [u8]),
}

/// Looks at the first line and the To header, or the first Via of a response, and reads nothing
/// else.
#[must_use]
pub fn glance(datagram: &[u8]) -> Glance<'_> {
    let text = datagram.trim_ascii_start();
    let mut lines = text.get(..DEPTH).unwrap_or(text).split(|&octet| octet == b'\n');
    let first = lines.next().unwrap_or_default();
    if first.get(..8).is_some_and(|head| head.eq_ignore_ascii_case(b"SIP/2.0 ")) {
        return Glance::Response(lines.find_map(branch).unwrap_or_default());
    }
    let line = first.trim_ascii_end();
    let version = line.len().checked_sub(8).and_then(|at| line.get(at..at + 5));
    if version != Some(b" SIP/") {
        return Glance::Noise;
    }
    let method = line.split(|&octet| octet == b' ').next().unwrap_or_default();
    let mut is_to = false;
    for line in lines {
        if line.trim_ascii().is_empty() {
            break;
        }
        // A folded line goes on with the header before it (RFC 3261 §7.3.1).
        if !matches!(line.first(), Some(b' ' | b'\t')) {
            let colon = line.iter().position(|&octet| octet == b':').unwrap_or(0);
            is_to = same_name(trim(line.get(..colon).unwrap_or_default()), b"To");
        }
        if let Some(tag) = is_to.then(|| param(line, b"tag")).flatten() {
            return Glance::Inside(tag);
        }
    }
    Glance::Outside(method)
}

/// Method and branch of a request that we have composed.
pub(crate) fn of_own(request: &[u8]) -> Option<(Method, &[u8])> {
    let mut lines = request.split(|&octet| octet == b'\n');
    let method = lines.next()?.split(|&octet| octet == b' ').next()?;
    Some((Method::parse(method)?, lines.find_map(branch)?))
}

/// The branch of a Via line.
fn branch(line: &[u8]) -> Option<&[u8]> {
    let colon = line.iter().position(|&octet| octet == b':')?;
    let is_via = same_name(trim(line.get(..colon)?), b"Via");
    let first = line.split(|&octet| octet == b',').next().filter(|_| is_via)?;
    param(first, b"branch")
}

/// The value of a parameter behind the address of a line.
fn param<'a>(line: &'a [u8], wanted: &[u8]) -> Option<&'a [u8]> {
    let behind = line.iter().rposition(|&octet| octet == b'>').map_or(0, |at| at + 1);
    line.get(behind..)?.split(|&octet| octet == b';').skip(1).find_map(|param| {
        let (name, value) = param.split_at(param.iter().position(|&octet| octet == b'=')?);
        let value = trim(value.get(1..)?);
        (trim(name).eq_ignore_ascii_case(wanted) && !value.is_empty()).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glance_tells_a_dialog_from_a_stranger() {
        let seen = |to: &str| {
            let text =
                format!("BYE sip:a@b SIP/2.0\r\nVia: x;tag=no\r\n{to}\r\n\r\nTo: b;tag=body");
            match glance(text.as_bytes()) {
                Glance::Inside(tag) => String::from_utf8_lossy(tag).into_owned(),
                other => format!("{other:?}"),
            }
        };
        let outside = format!("{:?}", Glance::Outside(b"BYE"));
        assert_eq!(seen("To: <sip:a;tag=x@b>;tag=7f"), "7f");
        assert_eq!(seen("t:\"a;tag=q\" <sip:a@b> ; TAG = 7f;x"), "7f");
        assert_eq!(seen("To: <sip:a@b>\r\n ;tag=7f"), "7f");
        assert_eq!(seen("To: sip:a@b;tag=7f"), "7f");
        assert_eq!(seen("To: <sip:a@b>"), outside);
        assert_eq!(seen("From: <sip:a@b>;tag=7f"), outside);
    }

    #[test]
    fn a_glance_at_anything_is_an_answer() {
        assert_eq!(glance(b"\r\n\r\n"), Glance::Noise);
        assert_eq!(glance(b""), Glance::Noise);
        assert_eq!(glance(b"GET / HTTP/1.1\r\n\r\n"), Glance::Noise);
        assert_eq!(glance(b"\r\nSIP/2.0 200 OK\r\n\r\n"), Glance::Response(b""));
        let response =
            b"SIP/2.0 180 R\r\nTo: a;branch=no\r\nv: SIP/2.0/UDP a;rport;branch=z1,b;branch=z2\r\n";
        assert_eq!(glance(response), Glance::Response(b"z1"));
        assert_eq!(glance(b"REGISTER sip:b SIP/2.0"), Glance::Outside(b"REGISTER"));
        assert_eq!(glance(b" SIP/2.0"), Glance::Noise);
    }
}
