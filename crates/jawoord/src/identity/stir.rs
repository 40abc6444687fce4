//! When a PASSporT still says what the message says, so that it may go along (RFC 8224, row R-10).

use sip::{Header, Message, NameAddr, Uri, wire::header::same_name};

/// What becomes of the `Identity` headers of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There is none.
    Absent,
    /// They go along, byte for byte.
    Passed,
    /// They would be wrong on the other side: this was changed.
    Dropped(&'static str),
}

impl Verdict {
    /// Judges what was received against what would be sent. RFC 8224 §4.1 signs the numbers of
    /// From (or P-Asserted-Identity) and To, or the whole address where there is no number, and
    /// the date.
    #[must_use]
    pub fn of(received: &Message, from: &NameAddr, to: &NameAddr, carried: &[Header]) -> Self {
        if received.first("Identity").is_none() {
            return Self::Absent;
        }
        let same = |name: &str, sent: &NameAddr| {
            let heard = received.first(name).and_then(NameAddr::parse);
            heard.is_some_and(|heard| claim(&heard.uri) == claim(&sent.uri))
        };
        let whole = |name: &str| {
            let sent = carried.iter().filter(|h| same_name(h.name(), name.as_bytes()));
            received.all(name).eq(sent.map(Header::value))
        };
        let changed = [
            (!same("From", from), "From"),
            (!same("To", to), "To"),
            (!whole("P-Asserted-Identity"), "P-Asserted-Identity"),
            (!whole("Date"), "Date"),
        ];
        let first = changed.into_iter().find(|(changed, _)| *changed);
        first.map_or(Self::Passed, |(_, name)| Self::Dropped(name))
    }
}

/// What a PASSporT claims of an address: its number in canonical form (RFC 8224 §8.3), or all of it.
fn claim(uri: &Uri) -> String {
    let user = uri.user().unwrap_or_default();
    let number = user.split(';').next().unwrap_or_default();
    let bare: String =
        number.chars().filter(|c| !matches!(c, '-' | '.' | '(' | ')' | ' ' | '+')).collect();
    let numeric = !bare.is_empty() && bare.chars().all(|c| c.is_ascii_digit() || "*#".contains(c));
    if numeric { bare } else { uri.to_wire() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNED: &str = "From: <sip:+31612345678@carrier.example>;tag=1\r\n\
         To: <sip:+31-20-1234567@box.example;user=phone>\r\n\
         P-Asserted-Identity: <sip:+31612345678@carrier.example>\r\n\
         Date: Sun, 22 Nov 2026 05:00:00 GMT\r\nIdentity: eyJ.e30.sig;info=<https://c.example/p>\r\n";

    fn verdict(message: &str, from: &str, to: &str, leave_out: &str) -> Verdict {
        let text = format!("INVITE sip:a@b SIP/2.0\r\n{message}\r\n");
        let message = sip::parse(text.as_bytes()).unwrap();
        let named = |(name, _): &(&[u8], &[u8])| *name != leave_out.as_bytes();
        let carried: Vec<Header> = message
            .headers()
            .filter(named)
            .filter_map(|(name, value)| Header::new(name, value).ok())
            .collect();
        let address = |text: &str| NameAddr::parse(text.as_bytes()).unwrap();
        Verdict::of(&message, &address(from), &address(to), &carried)
    }

    #[test]
    fn r_10_a_passport_goes_along_while_the_numbers_are_those_that_were_signed() {
        let (from, to) = ("<sip:+31612345678@192.0.2.1>", "<sip:+31201234567@192.0.2.2:5080>");
        assert_eq!(verdict(SIGNED, from, to, ""), Verdict::Passed);
        assert_eq!(verdict("Subject: a\r\n", from, to, ""), Verdict::Absent);
    }

    #[test]
    fn r_10_whatever_was_signed_and_changed_takes_the_passport_with_it() {
        let (from, to) = ("<sip:+31612345678@192.0.2.1>", "<sip:+31201234567@192.0.2.2>");
        let other = "<sip:0612345678@192.0.2.1>";
        assert_eq!(verdict(SIGNED, other, to, ""), Verdict::Dropped("From"));
        assert_eq!(verdict(SIGNED, from, "<sip:100@192.0.2.2>", ""), Verdict::Dropped("To"));
        assert_eq!(verdict(SIGNED, from, to, "Date"), Verdict::Dropped("Date"));
        let pai = Verdict::Dropped("P-Asserted-Identity");
        assert_eq!(verdict(SIGNED, from, to, "P-Asserted-Identity"), pai);
        let named = SIGNED.replace("sip:+31612345678@carrier", "sip:alice@carrier");
        let moved = "<sip:alice@192.0.2.1>";
        assert_eq!(verdict(&named, moved, to, ""), Verdict::Dropped("From"));
    }
}
