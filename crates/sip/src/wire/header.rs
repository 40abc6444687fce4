//! Header names and values: compact forms, comma lists, parameters, and the header we may write.

use std::fmt;

/// Short and long form of every header that has both (IANA registry of SIP header fields).
const COMPACT: [(u8, &str); 20] = [
    (b'a', "Accept-Contact"),
    (b'b', "Referred-By"),
    (b'c', "Content-Type"),
    (b'd', "Request-Disposition"),
    (b'e', "Content-Encoding"),
    (b'f', "From"),
    (b'i', "Call-ID"),
    (b'j', "Reject-Contact"),
    (b'k', "Supported"),
    (b'l', "Content-Length"),
    (b'm', "Contact"),
    (b'n', "Identity-Info"),
    (b'o', "Event"),
    (b'r', "Refer-To"),
    (b's', "Subject"),
    (b't', "To"),
    (b'u', "Allow-Events"),
    (b'v', "Via"),
    (b'x', "Session-Expires"),
    (b'y', "Identity"),
];

/// Is this a token of RFC 3261 §25.1?
pub fn is_token(text: &[u8]) -> bool {
    !text.is_empty()
        && text.iter().all(|&octet| octet.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&octet))
}

/// The long form of a header name; a name without a compact form comes back as it is.
pub fn long_form(name: &[u8]) -> &[u8] {
    match name {
        [letter] => COMPACT
            .iter()
            .find(|(short, _)| *short == letter.to_ascii_lowercase())
            .map_or(name, |(_, long)| long.as_bytes()),
        _ => name,
    }
}

/// What all spellings of a header's name have in common, so that most others are told apart without
/// reading them: FNV-1a of the long form in lower case.
pub(crate) fn key(name: &[u8]) -> u32 {
    long_form(name).iter().fold(0x811c_9dc5, |key, octet| {
        (key ^ u32::from(octet.to_ascii_lowercase())).wrapping_mul(0x0100_0193)
    })
}

/// Do two header names mean the same header? Letter case and compact forms do not matter.
pub fn same_name(one: &[u8], other: &[u8]) -> bool {
    long_form(one).eq_ignore_ascii_case(long_form(other))
}

/// Without the white space on both sides.
pub(crate) fn trim(text: &[u8]) -> &[u8] {
    text.trim_ascii()
}

/// Splits at a separator that stands outside quoted strings and angle brackets.
pub(crate) fn split_outside(text: &[u8], separator: u8) -> Vec<&[u8]> {
    let (mut parts, mut start) = (Vec::new(), 0);
    let (mut quoted, mut escaped, mut angle) = (false, false, false);
    for (at, &octet) in text.iter().enumerate() {
        if escaped {
            escaped = false;
        } else if quoted {
            escaped = octet == b'\\';
            quoted = octet != b'"';
        } else if octet == b'"' {
            quoted = true;
        } else if octet == b'<' {
            angle = true;
        } else if octet == b'>' {
            angle = false;
        } else if octet == separator && !angle {
            parts.push(trim(text.get(start..at).unwrap_or_default()));
            start = at + 1;
        }
    }
    parts.push(trim(text.get(start..).unwrap_or_default()));
    parts
}

/// The elements of a comma-separated value, empty ones left out.
pub fn split_list(value: &[u8]) -> Vec<&[u8]> {
    split_outside(value, b',').into_iter().filter(|part| !part.is_empty()).collect()
}

/// The parameters behind a value: `;name=value;flag`, in order, values as written.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Params(Vec<(Vec<u8>, Option<Vec<u8>>)>);

impl Params {
    /// Reads what follows the first `;` (with or without it); empty elements are skipped.
    pub fn parse(text: &[u8]) -> Params {
        let one = |part: &&[u8]| {
            let mut sides = part.splitn(2, |&octet| octet == b'=');
            let name = trim(sides.next().unwrap_or_default()).to_vec();
            (name, sides.next().map(|value| trim(value).to_vec()))
        };
        let parts = split_outside(text, b';');
        Params(parts.iter().filter(|part| !part.is_empty()).map(one).collect())
    }

    /// `Some(None)` for a parameter without a value, `Some(Some(value))` for one with.
    pub fn get(&self, name: &str) -> Option<Option<&[u8]>> {
        let found = self.0.iter().find(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()));
        found.map(|(_, value)| value.as_deref())
    }

    /// The value of a parameter that has one.
    pub fn value(&self, name: &str) -> Option<&[u8]> {
        self.get(name).flatten()
    }

    /// Is the parameter there, with or without a value?
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Takes a parameter away, however often it is there.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(key, _)| !key.eq_ignore_ascii_case(name.as_bytes()));
    }

    /// Sets a parameter, at the end if it is new.
    pub fn set(&mut self, name: &str, value: Option<&[u8]>) {
        let found = self.0.iter_mut().find(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()));
        match found {
            Some((_, old)) => *old = value.map(<[u8]>::to_vec),
            None => self.0.push((name.as_bytes().to_vec(), value.map(<[u8]>::to_vec))),
        }
    }

    /// Name and value of each, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.0.iter().map(|(name, value)| (name.as_slice(), value.as_deref()))
    }

    /// Appends `;name=value` for each.
    pub fn write(&self, out: &mut Vec<u8>) {
        for (name, value) in self.iter() {
            out.push(b';');
            out.extend_from_slice(name);
            if let Some(value) = value {
                out.push(b'=');
                out.extend_from_slice(value);
            }
        }
    }
}

impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Params({})", self.0.len())
    }
}

/// Why a header may not be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderError {
    /// The name is not a token.
    Name,
    /// The value holds a CR, LF or NUL octet at this offset: it could become a header of its own.
    Octet {
        /// Offset of the octet in the value.
        at: usize,
    },
    /// The message layer writes this header itself (Via, Call-ID, Content-Length and the like).
    Reserved,
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HeaderError::Name => {
                f.write_str("a header name is not a token; use letters, digits and dashes")
            }
            HeaderError::Octet { at } => {
                write!(
                    f,
                    "a header value holds a line break or NUL at offset {at}; leave the header out"
                )
            }
            HeaderError::Reserved => {
                f.write_str("the endpoint writes this header itself; leave it out")
            }
        }
    }
}

impl std::error::Error for HeaderError {}

/// A header that we add to a message: it cannot break out of its line (row S-16).
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    name: Vec<u8>,
    value: Vec<u8>,
}

/// Headers that belong to one hop or one dialog; copying them to another leg breaks either it or
/// the hiding of the topology (row R-08).
const RESERVED: [&str; 19] = [
    "Via",
    "From",
    "To",
    "Call-ID",
    "CSeq",
    "Contact",
    "Max-Forwards",
    "Route",
    "Record-Route",
    "Content-Length",
    "Content-Type",
    "Require",
    "Proxy-Require",
    "Supported",
    "Allow",
    "RSeq",
    "RAck",
    "Session-Expires",
    "Min-SE",
];

impl Header {
    /// A header that the endpoint does not write itself.
    ///
    /// # Errors
    /// A name that is no token or is reserved, a value with a CR, LF or NUL octet.
    pub fn new(name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<Header, HeaderError> {
        let name = name.as_ref();
        if !is_token(name) {
            return Err(HeaderError::Name);
        }
        if RESERVED.iter().any(|reserved| same_name(reserved.as_bytes(), name)) {
            return Err(HeaderError::Reserved);
        }
        let value = trim(value.as_ref());
        match value.iter().position(|octet| matches!(octet, b'\r' | b'\n' | 0)) {
            Some(at) => Err(HeaderError::Octet { at }),
            None => Ok(Header { name: name.to_vec(), value: value.to_vec() }),
        }
    }

    /// A header of the endpoint's own making.
    pub(crate) fn own(name: &'static str, value: String) -> Header {
        Header { name: name.as_bytes().to_vec(), value: value.into_bytes() }
    }

    /// The name as given.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// The value as given, trimmed.
    pub fn value(&self) -> &[u8] {
        &self.value
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Header({}, {} octets)", String::from_utf8_lossy(&self.name), self.value.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_in_quotes_or_angles_does_not_split_a_list() {
        let list = split_list(b"\"Doe, \\\" J\" <sip:a,b@c>;x=1 , <sip:d@e>,, sip:f@g");
        assert_eq!(list.len(), 3);
        assert_eq!(list[0], b"\"Doe, \\\" J\" <sip:a,b@c>;x=1");
        assert_eq!(list[2], b"sip:f@g");
    }

    #[test]
    fn compact_and_long_names_are_one_header() {
        assert!(same_name(b"v", b"VIA"));
        assert!(same_name(b"I", b"call-id"));
        assert!(!same_name(b"q", b"Contact"));
    }

    #[test]
    fn s_16_a_line_break_in_a_value_is_refused() {
        assert_eq!(Header::new("X-A", "a\r\nX-B: b"), Err(HeaderError::Octet { at: 1 }));
        assert_eq!(Header::new("X-A", "a\nb"), Err(HeaderError::Octet { at: 1 }));
        assert_eq!(Header::new("X A", "b"), Err(HeaderError::Name));
        assert_eq!(Header::new("v", "SIP/2.0/UDP a"), Err(HeaderError::Reserved));
        assert!(Header::new("X-A", "\u{e9} b").is_ok());
    }

    #[test]
    fn parameters_keep_order_and_spelling() {
        let mut params = Params::parse(b";lr;Foo=\"a;b\" ; ttl = 3");
        assert!(params.has("LR"));
        assert_eq!(params.value("foo"), Some(&b"\"a;b\""[..]));
        assert_eq!(params.value("ttl"), Some(&b"3"[..]));
        params.set("lr", Some(b"on"));
        params.remove("foo");
        let mut out = Vec::new();
        params.write(&mut out);
        assert_eq!(out, b";lr=on;ttl=3");
    }
}
