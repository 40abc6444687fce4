//! Where a redirection leads (RFC 3261 §8.1.3.4).

use super::address::NameAddr;
use super::message::Message;
use crate::sdp::number;

/// The Contacts of a redirection, the most wanted first (RFC 3261 §8.1.3.4, row B-21): highest `q`,
/// then the order in which they are written.
pub fn redirections(response: &Message) -> Vec<NameAddr> {
    let mut found: Vec<(u32, NameAddr)> = response
        .list("Contact")
        .into_iter()
        .filter_map(NameAddr::parse)
        .map(|contact| (thousandths(contact.params.value("q")), contact))
        .collect();
    found.sort_by_key(|(q, _)| std::cmp::Reverse(*q));
    found.into_iter().map(|(_, contact)| contact).collect()
}

/// A `q` value in thousandths; 1 when it is missing or cannot be read.
fn thousandths(q: Option<&[u8]>) -> u32 {
    let read = |text: &[u8]| {
        let text = std::str::from_utf8(text).ok()?;
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let whole = number(whole.as_bytes())?;
        let part = format!("{part:0<3}");
        Some(whole.checked_mul(1000)? + number(part.as_bytes().get(..3)?)?)
    };
    q.and_then(read).unwrap_or(1000).min(1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::parse::parse;

    #[test]
    fn b_21_redirections_come_in_the_order_of_q() {
        let text = "SIP/2.0 302 x\r\nContact: <sip:c@x>;q=0.2, <sip:a@x>\r\nm: <sip:d@x>;q=0.15,<sip:b@x>;q=1.0\r\n\r\n";
        let found = redirections(&parse(text.as_bytes()).unwrap());
        let users: Vec<_> = found.iter().filter_map(|contact| contact.uri.user()).collect();
        assert_eq!(users, ["a", "b", "c", "d"]);
    }
}
