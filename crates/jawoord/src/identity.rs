//! Who calls whom, as the other leg is told: identities kept, topology hidden (rows ).

use std::net::SocketAddr;

use sip::{Header, Host, NameAddr, Params, Request, SipUri, Uri};

/// Headers that go to the other leg byte for byte. Extension headers (`X-…`) go along too.
const PASSED: [&str; 17] = [
    "P-Asserted-Identity",
    "P-Preferred-Identity",
    "Remote-Party-ID",
    "Privacy",
    "Diversion",
    "History-Info",
    "Referred-By",
    "Identity",
    "Date",
    "Subject",
    "User-to-User",
    "Alert-Info",
    "Accept-Language",
    "Priority",
    "Resource-Priority",
    "Geolocation",
    "Geolocation-Routing",
];

/// The header with which a PBX finds the call here.
const CALL_HEADER: &str = "X-Jawoord-Call";

/// A header value longer than this is left out rather than relayed.
const VALUE_LIMIT: usize = 4_096;

/// The user part of the Request-URI: what was dialled. A service URN is returned whole.
#[must_use]
pub fn dialled(request: &Request) -> String {
    match Uri::parse(request.message().request_uri()) {
        Ok(uri @ Uri::Sip(_)) => uri.user().unwrap_or_default(),
        Ok(Uri::Tel(tel)) => tel.number,
        Ok(Uri::Other(urn)) => urn,
        Err(_) => String::new(),
    }
}

/// Whether the request itself says that it is an emergency or a call-back from one
/// (rows E-02, E-03).
#[must_use]
pub fn urgent(request: &Request) -> bool {
    let message = request.message();
    let priority = message.first("Priority").map(<[u8]>::to_ascii_lowercase);
    let named = matches!(priority.as_deref(), Some(b"emergency" | b"psap-callback"));
    let resource = message
        .list("Resource-Priority")
        .iter()
        .any(|value| value.to_ascii_lowercase().starts_with(b"esnet."));
    named || resource
}

/// The Request-URI for the other leg: the user as dialled, at the target's address.
#[must_use]
pub fn target(request: &Request, address: SocketAddr) -> Uri {
    match Uri::parse(request.message().request_uri()) {
        Ok(Uri::Sip(uri)) => at(address, uri.user),
        Ok(Uri::Tel(tel)) => at(address, Some(tel.number)),
        Ok(urn @ Uri::Other(_)) => urn,
        Err(_) => at(address, None),
    }
}

/// From for the other leg: the caller's name and number, our host (row R-22). An anonymous caller
/// keeps the anonymous host (RFC 3323 §4.1.1.3).
#[must_use]
pub fn from(request: &Request, own: SocketAddr) -> NameAddr {
    let mut from = request.from().clone();
    if let Uri::Sip(uri) = &mut from.uri {
        let anonymous = matches!(&uri.host, Host::Name(name) if name.ends_with(".invalid"));
        if !anonymous {
            uri.host = Host::Ip(own.ip());
            uri.port = None;
        }
        uri.params = Params::default();
        uri.password = None;
        uri.headers = None;
    }
    from.params = Params::default();
    from
}

/// To for the other leg.
#[must_use]
pub fn to(request: &Request, address: SocketAddr) -> NameAddr {
    let mut to = request.to().clone();
    if let Uri::Sip(uri) = &mut to.uri {
        uri.host = Host::Ip(address.ip());
        uri.port = Some(address.port());
        uri.params = Params::default();
        uri.headers = None;
    }
    to.params = Params::default();
    to
}

/// The headers that go along to the other leg, and the call's id.
#[must_use]
pub fn headers(request: &Request, call: &str) -> Vec<Header> {
    let passed = |name: &[u8]| {
        let extension = name.get(..2).is_some_and(|start| start.eq_ignore_ascii_case(b"x-"));
        (extension && !name.eq_ignore_ascii_case(CALL_HEADER.as_bytes()))
            || PASSED.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
    };
    request
        .message()
        .headers()
        .filter(|(name, value)| passed(name) && value.len() <= VALUE_LIMIT)
        .filter_map(|(name, value)| Header::new(std::str::from_utf8(name).ok()?, value).ok())
        .chain(Header::new(CALL_HEADER, call))
        .collect()
}

/// The URI of a host itself, for OPTIONS.
#[must_use]
pub fn host(address: SocketAddr) -> Uri {
    at(address, None)
}

fn at(address: SocketAddr, user: Option<String>) -> Uri {
    Uri::Sip(SipUri {
        secure: false,
        user,
        password: None,
        host: Host::Ip(address.ip()),
        port: Some(address.port()),
        params: Params::default(),
        headers: None,
    })
}

/// The caller's number as it was received; `None` when the caller withheld it (RFC 3323).
#[must_use]
pub fn caller(request: &Request) -> Option<String> {
    let message = request.message();
    let withheld = message.list("Privacy").iter().any(|value| {
        let value = value.to_ascii_lowercase();
        value.split(|byte| *byte == b';').any(|part| matches!(part, b"id" | b"user" | b"header"))
    });
    let user = request.from().uri.user().filter(|user| user != "anonymous");
    if withheld { None } else { user }
}
