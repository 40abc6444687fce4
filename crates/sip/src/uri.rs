//! SIP, SIPS and tel URIs (RFC 3261 §19.1, RFC 3966): read liberally, written back as they came.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use crate::wire::header::Params;

/// The host of a SIP URI.
#[derive(Clone, PartialEq, Eq)]
pub enum Host {
    /// A name that only DNS can turn into an address.
    Name(String),
    /// A numeric address.
    Ip(IpAddr),
}

impl Host {
    /// Reads a host; IPv6 with or without brackets (RFC 5118 §4.5 asks for them, §4.10 forgives).
    pub fn parse(text: &str) -> Option<Host> {
        let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if let Ok(address) = inner.unwrap_or(text).parse::<Ipv6Addr>() {
            return Some(Host::Ip(IpAddr::V6(address)));
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Some(Host::Ip(address));
        }
        let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        (!text.is_empty() && text.chars().all(named)).then(|| Host::Name(text.to_owned()))
    }

    /// As it stands in a URI, IPv6 in brackets.
    pub fn to_wire(&self) -> String {
        match self {
            Host::Name(name) => name.clone(),
            Host::Ip(IpAddr::V4(address)) => address.to_string(),
            Host::Ip(IpAddr::V6(address)) => format!("[{address}]"),
        }
    }
}

/// A `sip:` or `sips:` URI.
#[derive(Clone, PartialEq, Eq)]
pub struct SipUri {
    /// `sips:`?
    pub secure: bool,
    /// The user part as written, escapes and all; tel-style parameters inside it stay.
    pub user: Option<String>,
    /// The password, which nobody should send.
    pub password: Option<String>,
    /// The host.
    pub host: Host,
    /// The port if it is written.
    pub port: Option<u16>,
    /// The parameters in order, as written.
    pub params: Params,
    /// What follows `?`; never copied into a message (RFC 4475 §3.1.2.11, row S-16).
    pub headers: Option<String>,
}

/// A `tel:` URI.
#[derive(Clone, PartialEq, Eq)]
pub struct TelUri {
    /// The number as written, with its `+` and visual separators.
    pub number: String,
    /// `phone-context`, `npdi`, `rn` and the others in order.
    pub params: Params,
}

/// A URI as SIP uses them. `Debug` shows the scheme only: the rest may be a person's number.
#[derive(Clone, PartialEq, Eq)]
pub enum Uri {
    /// `sip:` or `sips:`.
    Sip(SipUri),
    /// `tel:`.
    Tel(TelUri),
    /// Another scheme, as written.
    Other(String),
}

/// Why a URI cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UriError {
    /// No scheme, or octets that no URI may hold.
    Shape,
    /// The host of a SIP URI.
    Host,
    /// The port of a SIP URI.
    Port,
    /// The number of a tel URI.
    Number,
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            UriError::Shape => "this is no URI; write it as sip:user@host or tel:+number",
            UriError::Host => "the host of a URI cannot be read; use a name, IPv4 or [IPv6]",
            UriError::Port => "the port of a URI cannot be read; use 1 to 65535",
            UriError::Number => "the number of a tel URI is empty or no number; use + and digits",
        })
    }
}

impl std::error::Error for UriError {}

impl Uri {
    /// Reads a URI.
    ///
    /// # Errors
    /// [`UriError`] says which part cannot be read.
    pub fn parse(text: &[u8]) -> Result<Uri, UriError> {
        let text = std::str::from_utf8(text).map_err(|_| UriError::Shape)?;
        if text.chars().any(|c| c.is_ascii_control() || matches!(c, ' ' | '<' | '>' | '"')) {
            return Err(UriError::Shape);
        }
        let (scheme, rest) = text.split_once(':').ok_or(UriError::Shape)?;
        if !scheme.starts_with(|c: char| c.is_ascii_alphabetic()) || rest.is_empty() {
            return Err(UriError::Shape);
        }
        match scheme.to_ascii_lowercase().as_str() {
            "sip" => SipUri::parse(false, rest).map(Uri::Sip),
            "sips" => SipUri::parse(true, rest).map(Uri::Sip),
            "tel" => TelUri::parse(rest).map(Uri::Tel),
            _ => Ok(Uri::Other(text.to_owned())),
        }
    }

    /// The user part of a SIP URI with its escapes undone, or the number of a tel URI.
    pub fn user(&self) -> Option<String> {
        match self {
            Uri::Sip(uri) => uri.user.as_deref().map(unescape),
            Uri::Tel(uri) => Some(uri.number.clone()),
            Uri::Other(_) => None,
        }
    }

    /// The URI as it may stand in a Request-URI: without `?headers` and `method=` (RFC 3261
    /// §19.1.1, table 1).
    pub fn to_request_uri(&self) -> String {
        match self {
            Uri::Sip(uri) => {
                let mut plain = uri.clone();
                plain.params.remove("method");
                plain.headers = None;
                plain.to_wire()
            }
            Uri::Tel(_) | Uri::Other(_) => self.to_wire(),
        }
    }

    /// The URI as written.
    pub fn to_wire(&self) -> String {
        match self {
            Uri::Sip(uri) => uri.to_wire(),
            Uri::Tel(uri) => format!("tel:{}{}", uri.number, params_text(&uri.params)),
            Uri::Other(text) => text.clone(),
        }
    }

    /// Where a request for this URI goes without asking DNS: a numeric host with its port, 5060
    /// (5061 for `sips:` and `transport=tls`) when none is written (RFC 3263 §4.2). `None` for names and other schemes.
    pub fn socket_address(&self) -> Option<SocketAddr> {
        match self {
            Uri::Sip(uri) => match uri.host {
                Host::Ip(ip) => Some(SocketAddr::new(ip, uri.port.unwrap_or(uri.default_port()))),
                Host::Name(_) => None,
            },
            Uri::Tel(_) | Uri::Other(_) => None,
        }
    }
}

impl SipUri {
    fn default_port(&self) -> u16 {
        let tls = self.params.value("transport").is_some_and(|t| t.eq_ignore_ascii_case(b"tls"));
        if self.secure || tls { 5061 } else { 5060 }
    }

    fn parse(secure: bool, rest: &str) -> Result<SipUri, UriError> {
        // The user part may hold `?` and `;` (RFC 3261 §25.1 user-unreserved), so the last `@` before
        // anything else decides; an `@` in headers must be escaped, so there is no later one.
        let (userinfo, rest) = match rest.rsplit_once('@') {
            Some((user, rest)) => (Some(user), rest),
            None => (None, rest),
        };
        let (rest, headers) = match rest.split_once('?') {
            Some((rest, headers)) => (rest, Some(headers.to_owned())),
            None => (rest, None),
        };
        let (hostport, params) = rest.split_once(';').unwrap_or((rest, ""));
        let (host, port) = host_and_port(hostport)?;
        let (user, password) = match userinfo.map(|user| user.split_once(':').unwrap_or((user, "")))
        {
            Some(("", _)) => return Err(UriError::Shape),
            Some((user, password)) => {
                (Some(user.to_owned()), (!password.is_empty()).then(|| password.to_owned()))
            }
            None => (None, None),
        };
        Ok(SipUri {
            secure,
            user,
            password,
            host,
            port,
            params: Params::parse(params.as_bytes()),
            headers,
        })
    }

    /// The URI as written, scheme in small letters.
    pub fn to_wire(&self) -> String {
        let mut out = String::from(if self.secure { "sips:" } else { "sip:" });
        if let Some(user) = &self.user {
            out.push_str(user);
            if let Some(password) = &self.password {
                out.push(':');
                out.push_str(password);
            }
            out.push('@');
        }
        out.push_str(&self.host.to_wire());
        if let Some(port) = self.port {
            out.push_str(&format!(":{port}"));
        }
        out.push_str(&params_text(&self.params));
        if let Some(headers) = &self.headers {
            out.push('?');
            out.push_str(headers);
        }
        out
    }
}

impl TelUri {
    fn parse(rest: &str) -> Result<TelUri, UriError> {
        let (number, params) = rest.split_once(';').unwrap_or((rest, ""));
        let digits = number.strip_prefix('+').unwrap_or(number);
        let allowed =
            |c: char| c.is_ascii_hexdigit() || matches!(c, '-' | '.' | '(' | ')' | '*' | '#');
        if digits.is_empty() || !digits.chars().all(allowed) {
            return Err(UriError::Number);
        }
        Ok(TelUri { number: number.to_owned(), params: Params::parse(params.as_bytes()) })
    }
}

/// Splits `host[:port]`, brackets respected.
pub(crate) fn host_and_port(text: &str) -> Result<(Host, Option<u16>), UriError> {
    let bracket = text.find(']').map_or(0, |at| at + 1);
    let (name, port) = match text.get(bracket..).and_then(|tail| tail.find(':')) {
        Some(colon) if bracket > 0 || text.matches(':').count() == 1 => {
            let colon = bracket + colon;
            (text.get(..colon).unwrap_or_default(), text.get(colon + 1..))
        }
        Some(_) | None => (text, None),
    };
    let port = match port {
        Some(digits) => {
            Some(digits.parse::<u16>().ok().filter(|port| *port > 0).ok_or(UriError::Port)?)
        }
        None => None,
    };
    Ok((Host::parse(name).ok_or(UriError::Host)?, port))
}

fn params_text(params: &Params) -> String {
    let mut out = Vec::new();
    params.write(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// Undoes `%hh` escapes; a broken escape stays as it is, what is no UTF-8 becomes U+FFFD.
pub(crate) fn unescape(text: &str) -> String {
    let (mut out, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((&first, tail)) = rest.split_first() {
        let pair = tail.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        let octet =
            pair.filter(|_| first == b'%').and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match octet {
            Some(octet) => {
                out.push(octet);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                out.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Host::Name(_) => "Name(…)",
            Host::Ip(_) => "Ip(…)",
        })
    }
}

impl fmt::Debug for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Uri::Sip(SipUri { secure: false, .. }) => "sip:…",
            Uri::Sip(SipUri { secure: true, .. }) => "sips:…",
            Uri::Tel(_) => "tel:…",
            Uri::Other(_) => "other:…",
        })
    }
}

impl fmt::Debug for SipUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sip:…")
    }
}

impl fmt::Debug for TelUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tel:…")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sip(text: &str) -> SipUri {
        match Uri::parse(text.as_bytes()) {
            Ok(Uri::Sip(uri)) => uri,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn r_12_numbers_keep_their_parameters_and_escapes() {
        let uri =
            Uri::parse(b"tel:+31-20-1234567;npdi;rn=+31201;phone-context=example.com").unwrap();
        assert_eq!(uri.user().as_deref(), Some("+31-20-1234567"));
        assert_eq!(uri.to_wire(), "tel:+31-20-1234567;npdi;rn=+31201;phone-context=example.com");
        let uri = sip("sip:%2331201234567;npdi@[2001:db8::1]:5070;user=phone;lr");
        assert_eq!(uri.user.as_deref(), Some("%2331201234567;npdi"));
        assert_eq!(Uri::Sip(uri.clone()).user().as_deref(), Some("#31201234567;npdi"));
        assert_eq!(uri.port, Some(5070));
        assert_eq!(uri.to_wire(), "sip:%2331201234567;npdi@[2001:db8::1]:5070;user=phone;lr");
    }

    #[test]
    fn s_16_headers_and_method_of_a_uri_never_reach_a_request_line() {
        let uri =
            Uri::parse(b"sip:user@example.com;method=REGISTER;a=b?Route=%3Csip:evil%3E").unwrap();
        assert_eq!(uri.to_request_uri(), "sip:user@example.com;a=b");
    }

    #[test]
    fn only_a_numeric_host_has_an_address_of_its_own() {
        let address = |text: &[u8]| Uri::parse(text).unwrap().socket_address();
        assert_eq!(address(b"sip:a@192.0.2.1;transport=TLS"), "192.0.2.1:5061".parse().ok());
        assert_eq!(address(b"sip:192.0.2.1"), Some("192.0.2.1:5060".parse().unwrap()));
        assert_eq!(address(b"sips:[2001:db8::9]"), Some("[2001:db8::9]:5061".parse().unwrap()));
        assert_eq!(address(b"sip:pbx.example"), None);
    }

    #[test]
    fn what_is_no_uri_is_named() {
        assert_eq!(Uri::parse(b"sip:a b@c"), Err(UriError::Shape));
        assert_eq!(Uri::parse(b"<sip:a@b>"), Err(UriError::Shape));
        assert_eq!(Uri::parse(b"sip:a@b:99999"), Err(UriError::Port));
        assert_eq!(Uri::parse(b"sip:a@"), Err(UriError::Host));
        assert_eq!(Uri::parse(b"tel:hello"), Err(UriError::Number));
        assert!(matches!(Uri::parse(b"urn:service:sos"), Ok(Uri::Other(_))));
    }

    #[test]
    fn debug_shows_no_number() {
        let uri = Uri::parse(b"sip:+31201234567@192.0.2.1").unwrap();
        assert!(!format!("{uri:?}").contains("31201234567"));
        assert!(!format!("{:?}", sip("sip:+31201234567@192.0.2.1")).contains("192"));
    }
}
