//! A password that nobody prints and that is wiped when it is dropped.

use std::fmt;

use zeroize::Zeroizing;

/// A password. It has no `Display`, its `Debug` says nothing, and it is zero after use. What this
/// cannot reach: a hash of it may stay on the stack until something else is done there.
#[derive(PartialEq, Eq)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// A password as the other side knows it: UTF-8 if it is text (RFC 7616 §4).
    pub fn new(octets: impl Into<Vec<u8>>) -> Secret {
        Secret(Zeroizing::new(octets.into()))
    }

    pub(crate) fn octets(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
