//! Just enough of SIP and SDP as text.

use std::net::SocketAddr;

/// The value of the first header of this name.
#[must_use]
pub fn header<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let head = text.split("\r\n\r\n").next()?;
    head.lines().skip(1).find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.trim().eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// The values of all headers of this name, one to a header line.
#[must_use]
pub fn headers<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    let fields = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    let named = fields.filter(|(found, _)| found.trim().eq_ignore_ascii_case(name));
    named.map(|(_, value)| value.trim()).collect()
}

/// The status of a response.
#[must_use]
pub fn status(text: &str) -> Option<u16> {
    text.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()
}

/// The user of `From`.
#[must_use]
pub fn user_of(text: &str) -> Option<&str> {
    header(text, "From")?.split_once("sip:")?.1.split_once('@').map(|(user, _)| user)
}

/// The URI between angle brackets.
pub(crate) fn uri(value: &str) -> &str {
    let inner = value.split_once('<').map_or(value, |(_, rest)| rest);
    inner.split_once('>').map_or(inner, |(uri, _)| uri)
}

/// The address to which a session description wants its sound.
#[must_use]
pub fn address_of(text: &str) -> Option<SocketAddr> {
    let line = |start: &str| text.lines().find_map(|line| line.strip_prefix(start));
    let ip = line("c=IN IP4 ").or(line("c=IN IP6 "))?.trim().parse().ok()?;
    let port = line("m=audio ")?.split(' ').next()?.parse().ok()?;
    Some(SocketAddr::new(ip, port))
}

/// The payload type of telephone events at 8 kHz in a session description.
pub(crate) fn event_type(text: &str) -> Option<u8> {
    text.lines().find_map(|line| {
        let (number, name) = line.strip_prefix("a=rtpmap:")?.split_once(' ')?;
        (name.trim() == "telephone-event/8000").then(|| number.parse().ok())?
    })
}

/// An offer or answer with A-law and telephone events.
pub(crate) fn description(sound: SocketAddr, version: u32, event: u8, direction: &str) -> String {
    let (ip, port) = (sound.ip(), sound.port());
    let kind = if ip.is_ipv4() { "IP4" } else { "IP6" };
    format!(
        "v=0\r\no=peer {port} {version} IN {kind} {ip}\r\ns=-\r\nc=IN {kind} {ip}\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP 8 {event}\r\na=rtpmap:8 PCMA/8000\r\n\
         a=rtpmap:{event} telephone-event/8000\r\na=fmtp:{event} 0-15\r\na=ptime:20\r\n\
         a={direction}\r\n"
    )
}

/// The answer to an offer: Opus to who offers that, with telephone events of its clock, and else as
/// [`description`].
pub(crate) fn answer(offer: &str, sound: SocketAddr, event: u8) -> String {
    let typed = |name: &str| {
        let lines = offer.lines().filter_map(|line| line.strip_prefix("a=rtpmap:"));
        lines.filter_map(|line| line.split_once(' ')).find(|(_, of)| of.trim() == name)
    };
    let plain = description(sound, 1, event, "sendrecv");
    let opus = typed("opus/48000/2").zip(typed("telephone-event/48000"));
    let Some(((opus, _), (keys, _))) = opus else { return plain };
    plain
        .replace(&format!("RTP/AVP 8 {event}"), &format!("RTP/AVP {opus} {keys}"))
        .replace("rtpmap:8 PCMA/8000", &format!("rtpmap:{opus} opus/48000/2"))
        .replace(
            &format!(":{event} telephone-event/8000"),
            &format!(":{keys} telephone-event/48000"),
        )
        .replace(&format!("fmtp:{event} "), &format!("fmtp:{keys} "))
}

/// The headers that a response repeats.
pub(crate) fn repeated(request: &str, to_tag: &str) -> String {
    let mut text = String::new();
    let head = request.split("\r\n\r\n").next().unwrap_or_default();
    for line in head.lines().skip(1) {
        let name = line.split(':').next().unwrap_or_default().trim().to_ascii_lowercase();
        if matches!(name.as_str(), "via" | "from" | "call-id" | "cseq" | "record-route") {
            text.push_str(&format!("{line}\r\n"));
        } else if name == "to" {
            let tagged = line.contains(";tag=") || to_tag.is_empty();
            let tag = if tagged { String::new() } else { format!(";tag={to_tag}") };
            text.push_str(&format!("{line}{tag}\r\n"));
        }
    }
    text
}
