//! What a caller has asked to keep to itself, and what follows from it (RFC 3323, RFC 3325, row R-11).

use sip::{Host, Message, NameAddr, Params, SipUri, Uri};

/// The values of `Privacy` that anything here depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Privacy {
    /// The asserted identity stays among trusted peers (RFC 3325 §9.3).
    pub id: bool,
    /// Headers that say where the caller is (RFC 3323 §4.2).
    pub header: bool,
    /// Everything that the caller says of itself.
    pub user: bool,
    /// Where the call has been (RFC 7044 §10.1).
    pub history: bool,
    /// No privacy, and nobody may give any.
    pub none: bool,
}

impl Privacy {
    /// Reads every `Privacy` of a message. A list without a value it knows asks for nothing.
    #[must_use]
    pub fn of(message: &Message) -> Self {
        let mut asked = Self::default();
        let values = message.all("Privacy").flat_map(|line| line.split(|o| b";,".contains(o)));
        for value in values {
            match value.trim_ascii().to_ascii_lowercase().as_slice() {
                b"id" => asked.id = true,
                b"header" | b"session" => asked.header = true,
                b"user" => asked.user = true,
                b"history" => asked.history = true,
                b"none" => asked.none = true,
                _ => {}
            }
        }
        asked
    }

    /// What either of two messages asks for.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            id: self.id || other.id,
            header: self.header || other.header,
            user: self.user || other.user,
            history: self.history || other.history,
            none: self.none || other.none,
        }
    }

    /// Whether a header may be told to a peer outside of the trust domain.
    #[must_use]
    pub fn tells(self, name: &[u8], value: &[u8]) -> bool {
        let is = |list: &[&str]| {
            list.iter().any(|one| sip::wire::header::same_name(name, one.as_bytes()))
        };
        if is(&["P-Asserted-Identity", "Remote-Party-ID"]) {
            // RFC 3325 §7: `none` forbids taking it away.
            return self.none && !self.id;
        }
        if is(&["P-Preferred-Identity"]) {
            return !self.id && !self.user;
        }
        if is(&["History-Info"]) {
            return !(self.history || self.header || self.user);
        }
        if is(&["Diversion"]) {
            let hidden = value.to_ascii_lowercase();
            let full = hidden.windows(12).any(|part| part == b"privacy=full");
            return !(full || self.history || self.header || self.user);
        }
        let own = ["Subject", "Call-Info", "Organization", "Reply-To", "Referred-By"];
        !(is(&own) && (self.user || self.header))
    }
}

/// Whether the caller does not want to be known: by `Privacy`, by an anonymous From (RFC 3323
/// §4.1.1.3), or by an old PBX's `privacy=full`.
#[must_use]
pub fn is_withheld(message: &Message, from: &NameAddr) -> bool {
    let asked = Privacy::of(message);
    let full = message.all("Remote-Party-ID").any(|value| {
        let value = value.to_ascii_lowercase();
        value.windows(12).any(|part| part == b"privacy=full")
    });
    asked.id || asked.user || asked.header || full || is_anonymous(from)
}

/// Whether an address names nobody.
#[must_use]
pub fn is_anonymous(address: &NameAddr) -> bool {
    let user = address.uri.user().map(|user| user.to_ascii_lowercase());
    let named = matches!(user.as_deref(), Some("anonymous" | "restricted" | "unavailable"));
    let invalid = match &address.uri {
        Uri::Sip(uri) => matches!(&uri.host, Host::Name(name)
            if name.to_ascii_lowercase().ends_with("anonymous.invalid")),
        Uri::Tel(_) | Uri::Other(_) => false,
    };
    named || invalid
}

/// The From that says nothing (RFC 3323 §4.1.1.3).
#[must_use]
pub fn anonymous() -> NameAddr {
    NameAddr::new(Uri::Sip(SipUri {
        secure: false,
        user: Some("anonymous".to_owned()),
        password: None,
        host: Host::Name("anonymous.invalid".to_owned()),
        port: None,
        params: Params::default(),
        headers: None,
    }))
    .with_display("Anonymous")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(headers: &str) -> Message {
        let text = format!("INVITE sip:a@b SIP/2.0\r\n{headers}\r\n\r\n");
        sip::parse(text.as_bytes()).unwrap()
    }

    fn from(text: &str) -> NameAddr {
        NameAddr::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn r_11_every_way_to_withhold_a_number_is_understood() {
        let known = from("\"A\" <sip:+31612345678@carrier.example>");
        assert!(!is_withheld(&message("Privacy: none"), &known));
        assert!(!is_withheld(&message("X-Privacy: id"), &known));
        for asked in [
            "Privacy: id",
            "Privacy: critical; ID",
            "Privacy: user",
            "Privacy: session",
            "privacy:header;user",
            "Remote-Party-ID: <sip:1@b>;party=calling;Privacy=Full",
        ] {
            assert!(is_withheld(&message(asked), &known), "{asked}");
        }
        for nobody in ["sip:anonymous@anonymous.invalid", "<sip:Anonymous@carrier.example>"] {
            assert!(is_withheld(&message("Subject: a"), &from(nobody)), "{nobody}");
        }
    }

    #[test]
    fn r_11_an_untrusted_peer_is_told_an_asserted_identity_only_if_the_caller_insists() {
        let pai = |privacy: &str| Privacy::of(&message(privacy)).tells(b"P-Asserted-Identity", b"");
        assert!(!pai("Privacy: id") && !pai("Subject: a") && !pai("Privacy: id;none"));
        assert!(pai("Privacy: none"));
        let user = Privacy::of(&message("Privacy: user"));
        assert!(!user.tells(b"s", b"") && !user.tells(b"History-Info", b""));
        assert!(user.tells(b"Priority", b""));
        let none = Privacy::default();
        assert!(none.tells(b"Diversion", b"<sip:1@b>;reason=unconditional"));
        assert!(!none.tells(b"Diversion", b"<sip:1@b>;privacy=FULL"));
    }
}
