//! Who calls whom, as the other leg is told: identities kept, topology hidden (rows ).

use std::net::SocketAddr;

use call::{Private, Queue};
use sip::{Host, Message, NameAddr, Params, Request, SipUri, TelUri, Uri};

pub mod carry;
pub mod news;
pub mod privacy;
pub mod rules;
pub mod stir;
pub mod thread;

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

/// The number that a call which the PBX starts is made from: what the PBX asserts (RFC 3325), or
/// else the user of `From`. It says which line the call is of; it goes nowhere.
#[must_use]
pub fn calling(request: &Request) -> String {
    let asserted = request.message().list("P-Asserted-Identity");
    let user = |value: &&[u8]| NameAddr::parse(value)?.uri.user();
    asserted.iter().find_map(user).or_else(|| request.from().uri.user()).unwrap_or_default()
}

/// Who of the house is on the line, as a message of its PBX says it.
#[derive(Debug, PartialEq, Eq)]
pub enum Present {
    /// This one, to whom the customer came by this queue.
    Agent(Private<String>, Option<Queue>),
    /// Nobody: the customer waits, or hears a menu.
    Nobody,
}

/// The header in which a PBX says who talks to the customer: a name or number and, behind `;queue=`, by which
/// queue; or `none`. It never crosses.
const AGENT_HEADER: &str = "X-Jawoord-Agent";

/// Who is on the line by our own header, or, where the PBX asserts agents, by `P-Asserted-Identity` (RFC 3325,
/// RFC 5876). `None` when the message says nothing of it.
#[must_use]
pub fn present(message: &Message, asserted: bool) -> Option<Present> {
    let text = message.first(AGENT_HEADER).and_then(|value| std::str::from_utf8(value).ok());
    if let Some(text) = text {
        let mut parts = text.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let queue = parts.find_map(|part| Queue::new(part.strip_prefix("queue=")?).ok());
        let is_nobody = name.is_empty() || name.eq_ignore_ascii_case("none");
        let agent = || Present::Agent(Private::new(name.to_owned()), queue);
        return Some(if is_nobody { Present::Nobody } else { agent() });
    }
    let user = |value: &&[u8]| NameAddr::parse(value)?.uri.user();
    let list = message.list("P-Asserted-Identity");
    let user = list.iter().find_map(user).filter(|_| asserted)?;
    Some(Present::Agent(Private::new(user), None))
}

/// Everybody whom a request names as who calls: by From, and by what is asserted (RFC 3325).
#[must_use]
pub fn callers(request: &Request) -> Vec<String> {
    let asserted = request.message().list("P-Asserted-Identity");
    let asserted = asserted.into_iter().filter_map(NameAddr::parse).filter_map(|a| a.uri.user());
    request.from().uri.user().into_iter().chain(asserted).collect()
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
        Ok(Uri::Sip(uri)) => spoken(at(address, uri.user), &uri.params),
        Ok(Uri::Tel(tel)) => subscriber(address, &tel),
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
        uri.params = number_params(&uri.params);
        uri.password = None;
        uri.headers = None;
    }
    from.params = Params::default();
    from
}

/// From for a leg that a number calls which is no party of its request.
#[must_use]
pub fn number(number: &str, own: SocketAddr) -> NameAddr {
    let mut uri = at(own, Some(number.to_owned()));
    if let Uri::Sip(uri) = &mut uri {
        uri.port = None;
    }
    NameAddr::new(uri)
}

/// To for the other leg.
#[must_use]
pub fn to(request: &Request, address: SocketAddr) -> NameAddr {
    let mut to = request.to().clone();
    if let Uri::Sip(uri) = &mut to.uri {
        uri.host = Host::Ip(address.ip());
        uri.port = Some(address.port());
        uri.params = number_params(&uri.params);
        uri.headers = None;
    }
    to.params = Params::default();
    to
}

/// A tel URI as a SIP URI: the number with its parameters becomes the user (RFC 3261 §19.1.6, row
///
fn subscriber(address: SocketAddr, tel: &TelUri) -> Uri {
    let mut params = Vec::new();
    tel.params.write(&mut params);
    let user = tel.number.replace('#', "%23") + &String::from_utf8_lossy(&params);
    let mut phone = Params::default();
    phone.set("user", Some(b"phone"));
    spoken(at(address, Some(user)), &phone)
}

fn spoken(mut uri: Uri, params: &Params) -> Uri {
    if let Uri::Sip(uri) = &mut uri {
        uri.params = number_params(params);
    }
    uri
}

/// The parameters of a URI that say what kind of number it holds; the others say how one hop is
/// reached.
fn number_params(params: &Params) -> Params {
    let mut kept = Params::default();
    for name in ["user", "cpc", "isup-oli"] {
        if let Some(value) = params.get(name) {
            kept.set(name, value);
        }
    }
    kept
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

/// The caller's number as it was received; `None` when the caller withheld it (row R-11).
#[must_use]
pub fn caller(request: &Request) -> Option<String> {
    let known = !privacy::is_withheld(request.message(), request.from());
    request.from().uri.user().filter(|_| known)
}

/// The caller's name as it was received; `None` when the caller withheld its number.
#[must_use]
pub fn name(request: &Request) -> Option<String> {
    let known = !privacy::is_withheld(request.message(), request.from());
    request.from().display().filter(|_| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(uri: &str, headers: &str) -> Request {
        let text = format!(
            "INVITE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\nCall-ID: 1\r\n\
             CSeq: 1 INVITE\r\n{headers}Content-Length: 0\r\n\r\n"
        );
        Request::read(sip::parse(text.as_bytes()).unwrap()).unwrap()
    }

    const PARTIES: &str = "From: \"A, B\" <sip:+31612345678:pw@carrier.example:5070;user=phone;\
        transport=tcp;cpc=ordinary>;tag=1\r\nTo: <sip:0201234567@192.0.2.1;user=phone;maddr=192.0.2.7>\r\n";

    #[test]
    fn r_12_every_spelling_of_a_number_reaches_the_other_side_as_it_was() {
        let address = "192.0.2.2:5080".parse().unwrap();
        for (dialled, sent) in [
            ("sip:+31201234567@box", "sip:+31201234567@192.0.2.2:5080"),
            ("sip:0201234567@box;user=phone;maddr=9", "sip:0201234567@192.0.2.2:5080;user=phone"),
            ("sip:+31;npdi;rn=+319@box:5", "sip:+31;npdi;rn=+319@192.0.2.2:5080"),
            ("sip:*21%23@box", "sip:*21%23@192.0.2.2:5080"),
            (
                "tel:12-34;phone-context=+31",
                "sip:12-34;phone-context=+31@192.0.2.2:5080;user=phone",
            ),
            ("tel:*21#", "sip:*21%23@192.0.2.2:5080;user=phone"),
            ("urn:service:sos.fire", "urn:service:sos.fire"),
        ] {
            assert_eq!(target(&request(dialled, PARTIES), address).to_wire(), sent, "{dialled}");
        }
        assert_eq!(super::dialled(&request("sip:*21%23@box", PARTIES)), "*21#");
    }

    #[test]
    fn r_22_the_caller_stays_the_caller_and_nothing_says_where_it_is() {
        let request = request("sip:1@box", PARTIES);
        let (own, target) = ("192.0.2.1:5060".parse().unwrap(), "192.0.2.2:5080".parse().unwrap());
        let from = from(&request, own).to_wire();
        let wanted = "\"A, B\" <sip:+31612345678@192.0.2.1;user=phone;cpc=ordinary>";
        assert_eq!(String::from_utf8_lossy(&from), wanted);
        let to = to(&request, target).to_wire();
        assert_eq!(String::from_utf8_lossy(&to), "<sip:0201234567@192.0.2.2:5080;user=phone>");
    }

    #[test]
    fn r_11_a_caller_that_withholds_its_number_has_neither_number_nor_name_here() {
        assert_eq!(caller(&request("sip:1@b", PARTIES)).as_deref(), Some("+31612345678"));
        assert_eq!(name(&request("sip:1@b", PARTIES)).as_deref(), Some("A, B"));
        let hidden = request("sip:1@b", &format!("{PARTIES}Privacy: id\r\n"));
        assert_eq!((caller(&hidden), name(&hidden)), (None, None));
    }
}
