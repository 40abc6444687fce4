//! The method of a request: the ones RFC 3261 and its extensions name, and any other token.

use rsip::Method as Known;

/// Every method that has a name of its own, as written on the wire (methods are case-sensitive,
/// RFC 3261 §7.1).
const NAMES: [(&[u8], Known); 14] = [
    (b"INVITE", Known::Invite),
    (b"ACK", Known::Ack),
    (b"CANCEL", Known::Cancel),
    (b"BYE", Known::Bye),
    (b"OPTIONS", Known::Options),
    (b"REGISTER", Known::Register),
    (b"INFO", Known::Info),
    (b"UPDATE", Known::Update),
    (b"PRACK", Known::PRack),
    (b"REFER", Known::Refer),
    (b"NOTIFY", Known::Notify),
    (b"SUBSCRIBE", Known::Subscribe),
    (b"MESSAGE", Known::Message),
    (b"PUBLISH", Known::Publish),
];

/// A request method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Method {
    /// One that the RFCs define.
    Known(Known),
    /// Any other token, exactly as received.
    Extension(Vec<u8>),
}

impl Method {
    /// `INVITE`.
    pub const INVITE: Method = Method::Known(Known::Invite);
    /// `ACK`.
    pub const ACK: Method = Method::Known(Known::Ack);
    /// `CANCEL`.
    pub const CANCEL: Method = Method::Known(Known::Cancel);
    /// `BYE`.
    pub const BYE: Method = Method::Known(Known::Bye);
    /// `OPTIONS`.
    pub const OPTIONS: Method = Method::Known(Known::Options);
    /// `PRACK`.
    pub const PRACK: Method = Method::Known(Known::PRack);
    /// `UPDATE`.
    pub const UPDATE: Method = Method::Known(Known::Update);
    /// `REFER`.
    pub const REFER: Method = Method::Known(Known::Refer);
    /// `NOTIFY`.
    pub const NOTIFY: Method = Method::Known(Known::Notify);
    /// `INFO`.
    pub const INFO: Method = Method::Known(Known::Info);

    /// Reads a method; `None` when it is not a token (RFC 3261 §25.1).
    pub fn parse(token: &[u8]) -> Option<Method> {
        if !super::header::is_token(token) {
            return None;
        }
        let known = NAMES.iter().find(|(name, _)| *name == token);
        Some(
            known.map_or_else(
                || Method::Extension(token.to_vec()),
                |(_, known)| Method::Known(*known),
            ),
        )
    }

    /// The method as it stands on the wire.
    pub fn name(&self) -> &[u8] {
        match self {
            Method::Known(known) => {
                NAMES.iter().find(|(_, other)| other == known).map_or(b"", |(name, _)| name)
            }
            Method::Extension(name) => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_of_the_vocabulary_is_written_as_it_is_read() {
        for known in Known::all() {
            let name = Method::Known(known).name().to_vec();
            assert_eq!(String::from_utf8_lossy(&name), known.to_string());
            assert_eq!(Method::parse(&name), Some(Method::Known(known)));
        }
    }

    #[test]
    fn a_method_in_small_letters_is_another_method() {
        assert_eq!(Method::parse(b"invite"), Some(Method::Extension(b"invite".to_vec())));
        assert_eq!(Method::parse(b"IN VITE"), None);
        assert_eq!(Method::parse(b""), None);
    }
}
