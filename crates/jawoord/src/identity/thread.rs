//! The Session-ID of a call: one thread through both dialogs (RFC 7989, row R-14).

use std::fmt;

use sip::{Header, Message};

use crate::wires::Side;

/// The header.
pub const NAME: &str = "Session-ID";

/// One end of the thread: 128 bits that say nothing of whose they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct End(u128);

impl End {
    /// Nobody yet (RFC 7989 §5: all zeros).
    pub const NIL: Self = Self(0);

    /// A version 4 UUID of 16 random bytes (RFC 9562 §5.4).
    #[must_use]
    pub const fn random(bytes: [u8; 16]) -> Self {
        let version = 0xF000_u128 << 64;
        let variant = 0xC000_u128 << 48;
        let bits = u128::from_be_bytes(bytes) & !version & !variant;
        Self(bits | 0x4000 << 64 | 0x8000 << 48)
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let hex = text.len() == 32 && text.iter().all(u8::is_ascii_hexdigit);
        let text = std::str::from_utf8(text).ok().filter(|_| hex)?;
        u128::from_str_radix(text, 16).ok().map(Self)
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// The end that a message's sender says it is.
#[must_use]
pub fn sender(message: &Message) -> Option<End> {
    let mut parts = message.first(NAME)?.split(|&octet| octet == b';');
    End::parse(parts.next()?.trim_ascii()).filter(|end| *end != End::NIL)
}

/// Both ends as far as they are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thread {
    near: End,
    far: End,
    /// The far side has said something: it may be told its own end.
    met: bool,
}

impl Thread {
    /// The thread of an INVITE. Each side that has no end of its own is given one of these
    /// (RFC 7989 §7).
    #[must_use]
    pub fn new(invite: &Message, near: [u8; 16], far: [u8; 16]) -> Self {
        let near = sender(invite).unwrap_or(End::random(near));
        Self { near, far: End::random(far), met: false }
    }

    /// A message of one side: its end may be new. Returns whether anything is.
    pub fn heard(&mut self, side: Side, message: &Message) -> bool {
        let before = *self;
        let end = match side {
            Side::Near => &mut self.near,
            Side::Far => {
                self.met = true;
                &mut self.far
            }
        };
        if let Some(said) = sender(message) {
            *end = said;
        }
        *self != before
    }

    /// The end of the side that called.
    #[must_use]
    pub const fn near(&self) -> End {
        self.near
    }

    /// Both ends: of the side that called, and of the other one.
    #[must_use]
    pub const fn ends(&self) -> [End; 2] {
        [self.near, self.far]
    }

    /// The value towards one side: the other side's end first, as if it had spoken itself.
    #[must_use]
    pub fn value(&self, to: Side) -> String {
        match to {
            Side::Near => format!("{};remote={}", self.far, self.near),
            Side::Far if self.met => format!("{};remote={}", self.near, self.far),
            Side::Far => format!("{};remote={}", self.near, End::NIL),
        }
    }

    /// The header towards one side.
    #[must_use]
    pub fn header(&self, to: Side) -> Option<Header> {
        Header::new(NAME, self.value(to)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "ab30317f1a784dc48ff824d0d3715d86";
    const B: &str = "47755a9de7794ba387653f2099600ef2";
    const NIL: &str = "00000000000000000000000000000000";

    fn message(value: &str) -> Message {
        let text = format!("INVITE sip:a@b SIP/2.0\r\n{value}\r\n\r\n");
        sip::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn r_14_each_side_sees_the_other_as_the_sender_and_itself_as_the_remote() {
        let mut thread =
            Thread::new(&message(&format!("Session-ID: {A};remote={NIL}")), [1; 16], [2; 16]);
        assert_eq!(thread.value(Side::Far), format!("{A};remote={NIL}"));
        let ours = thread.value(Side::Near);
        assert!(ours.ends_with(&format!(";remote={A}")) && !ours.starts_with(NIL), "{ours}");
        assert!(thread.heard(Side::Far, &message(&format!("session-id:{B};remote={A}"))));
        assert_eq!(thread.value(Side::Near), format!("{B};remote={A}"));
        assert_eq!(thread.value(Side::Far), format!("{A};remote={B}"));
        assert!(!thread.heard(Side::Far, &message(&format!("Session-ID: {B};remote={A}"))));
    }

    #[test]
    fn r_14_a_side_without_a_session_id_is_given_one_that_is_a_uuid() {
        for silent in ["Subject: a", "Session-ID: xyz", &format!("Session-ID: {NIL}")] {
            let mut thread = Thread::new(&message(silent), [0xFF; 16], [2; 16]);
            assert_eq!(thread.near().to_string(), "ffffffffffff4fffbfffffffffffffff");
            let far = thread.value(Side::Near);
            assert!(thread.heard(Side::Far, &message("Subject: b")));
            assert_eq!(thread.value(Side::Near), far, "what was given stays");
        }
    }
}
