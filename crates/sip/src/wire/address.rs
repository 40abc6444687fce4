//! Name-addr values: From, To, Contact, P-Asserted-Identity and their kin (RFC 3261 §20.10).

use std::fmt;

use super::header::{Params, trim};
use crate::uri::Uri;

/// A display name, a URI and the parameters behind it. `Debug` shows no value.
#[derive(Clone, PartialEq, Eq)]
pub struct NameAddr {
    /// The display name exactly as written, quotes included; empty when there is none.
    display: Vec<u8>,
    /// The URI.
    pub uri: Uri,
    /// The header parameters, `tag` among them.
    pub params: Params,
}

impl NameAddr {
    /// A URI without a display name.
    pub fn new(uri: Uri) -> NameAddr {
        NameAddr { display: Vec::new(), uri, params: Params::default() }
    }

    /// The same with a display name, quoted here; line breaks and NUL become spaces.
    pub fn with_display(mut self, name: &str) -> NameAddr {
        self.display = vec![b'"'];
        for octet in name.bytes() {
            match octet {
                b'"' | b'\\' => self.display.extend([b'\\', octet]),
                b'\r' | b'\n' | 0 => self.display.push(b' '),
                _ => self.display.push(octet),
            }
        }
        self.display.push(b'"');
        self
    }

    /// Reads one value: `"Name" <uri>;params`, `Name <uri>`, or `uri;params` (where parameters
    /// belong to the header, RFC 3261 §20). `None` when there is no URI to be found.
    pub fn parse(value: &[u8]) -> Option<NameAddr> {
        let value = trim(value);
        match open_angle(value) {
            Some(open) => {
                let close = open + value.get(open..)?.iter().position(|&octet| octet == b'>')?;
                let uri = Uri::parse(trim(value.get(open + 1..close)?)).ok()?;
                let display = trim(value.get(..open)?).to_vec();
                let rest = trim(value.get(close + 1..)?);
                let separated = rest.is_empty() || rest.starts_with(b";");
                let params = separated.then(|| Params::parse(rest))?;
                Some(NameAddr { display, uri, params })
            }
            None => {
                let end =
                    value.iter().position(|octet| b";,?".contains(octet)).unwrap_or(value.len());
                let rest = value.get(end..)?;
                // RFC 3261 §20.10: with `?` or `,` inside, the URI must stand in angle brackets.
                if rest.first().is_some_and(|&octet| octet != b';') {
                    return None;
                }
                let uri = Uri::parse(trim(value.get(..end)?)).ok()?;
                Some(NameAddr { display: Vec::new(), uri, params: Params::parse(rest) })
            }
        }
    }

    /// The display name as written, quotes and escapes included.
    pub fn display_raw(&self) -> &[u8] {
        &self.display
    }

    /// The display name as a person reads it; what is no UTF-8 becomes U+FFFD.
    pub fn display(&self) -> Option<String> {
        let inner = self.display.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
        let mut out = Vec::new();
        let mut escaped = false;
        for &octet in inner.unwrap_or(&self.display) {
            if octet == b'\\' && !escaped && inner.is_some() {
                escaped = true;
            } else {
                out.push(octet);
                escaped = false;
            }
        }
        (!out.is_empty()).then(|| String::from_utf8_lossy(&out).into_owned())
    }

    /// The tag, if there is one.
    pub fn tag(&self) -> Option<&[u8]> {
        self.params.value("tag")
    }

    /// The value in its unambiguous form, URI in angle brackets.
    pub fn to_wire(&self) -> Vec<u8> {
        let mut out = self.display.clone();
        if !out.is_empty() {
            out.push(b' ');
        }
        out.push(b'<');
        out.extend_from_slice(self.uri.to_wire().as_bytes());
        out.push(b'>');
        self.params.write(&mut out);
        out
    }
}

/// Where the `<` outside quotes is.
fn open_angle(value: &[u8]) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, &octet) in value.iter().enumerate() {
        if escaped {
            escaped = false;
        } else if quoted && octet == b'\\' {
            escaped = true;
        } else if octet == b'"' {
            quoted = !quoted;
        } else if octet == b'<' && !quoted {
            return Some(at);
        }
    }
    None
}

impl fmt::Debug for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NameAddr({:?})", self.uri)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_name_may_hold_angles_and_escapes() {
        let value = b"\"J \\\"<x>\\\\\" <sip:j@example.com;lr>;tag=a1;x";
        let parsed = NameAddr::parse(value).unwrap();
        assert_eq!(parsed.display().as_deref(), Some("J \"<x>\\"));
        assert_eq!(parsed.tag(), Some(&b"a1"[..]));
        assert_eq!(parsed.to_wire(), value);
    }

    #[test]
    fn parameters_behind_a_bare_uri_belong_to_the_header() {
        let parsed = NameAddr::parse(b"sip:j@example.com;tag=b").unwrap();
        assert_eq!(parsed.tag(), Some(&b"b"[..]));
        assert_eq!(parsed.uri.to_wire(), "sip:j@example.com");
        assert_eq!(parsed.display(), None);
    }

    #[test]
    fn a_name_in_latin_1_survives() {
        let value = b"J\xe9r\xf4me <sip:j@example.com>";
        let parsed = NameAddr::parse(value).unwrap();
        assert_eq!(parsed.display_raw(), b"J\xe9r\xf4me");
        assert_eq!(parsed.to_wire(), value);
    }

    #[test]
    fn what_has_no_uri_is_refused() {
        assert!(NameAddr::parse(b"\"Bob\" <sip:b@c").is_none());
        assert!(NameAddr::parse(b"\"Bob <sip:b@c>").is_none());
        assert!(NameAddr::parse(b"sip:a@b?Route=x").is_none());
        assert!(NameAddr::parse(b"").is_none());
    }

    #[test]
    fn s_16_a_name_cannot_start_a_line() {
        let uri = Uri::parse(b"sip:a@b.example").unwrap();
        let wire = NameAddr::new(uri).with_display("a\r\nX: \"y").to_wire();
        assert_eq!(wire, b"\"a  X: \\\"y\" <sip:a@b.example>");
    }
}
