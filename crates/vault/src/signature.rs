//! Ed25519 (RFC 8032): who signed a manifest, and whom an auditor trusts.

use std::fmt;

use ring::signature::{ED25519, UnparsedPublicKey};

/// The public key of a node.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// The key of these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes of the key.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether this key signed the message.
    #[must_use]
    pub fn signed(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(message, signature).is_ok()
    }

    /// A trust file that names this key: one line, `jawoord-ed25519` and 64 hexadecimal digits.
    #[must_use]
    pub fn trust_file(&self) -> String {
        format!("{PREFIX} {self}\n")
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        call::Digest::from_bytes(self.0).fmt(f)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

const PREFIX: &str = "jawoord-ed25519";

/// Signs for a node; the key itself stays with its keeper.
pub trait Signer {
    /// The key by which the signatures are verified.
    fn public_key(&self) -> PublicKey;

    /// Signs the message, which begins with a domain prefix.
    fn sign(&self, message: &[u8]) -> [u8; 64];
}

/// Why a text is no trust file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrustError {
    /// This line (counted from 1) is not `jawoord-ed25519` and 64 hexadecimal digits.
    Line(usize),
    /// It names no key.
    Empty,
}

impl fmt::Display for TrustError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line} of the trust file names no key"),
            Self::Empty => f.write_str("the trust file names no key"),
        }?;
        f.write_str("; write `jawoord-ed25519` and the 64 hexadecimal digits of the key")
    }
}

impl std::error::Error for TrustError {}

/// The keys that whoever verifies has brought along. Empty: every signer is unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust(Vec<PublicKey>);

impl Trust {
    /// Trusts these keys.
    #[must_use]
    pub const fn new(keys: Vec<PublicKey>) -> Self {
        Self(keys)
    }

    /// Reads a trust file; empty lines and lines that begin with `#` are skipped.
    ///
    /// # Errors
    /// [`TrustError`] names the line that is wrong.
    pub fn parse(text: &str) -> Result<Self, TrustError> {
        let mut keys = Vec::new();
        for (place, line) in text.lines().map(str::trim).enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let digits = line.strip_prefix(PREFIX).map(str::trim_start);
            let key = digits.and_then(|digits| digits.parse::<call::Digest>().ok());
            keys.push(PublicKey(*key.ok_or(TrustError::Line(place + 1))?.as_bytes()));
        }
        if keys.is_empty() { Err(TrustError::Empty) } else { Ok(Self(keys)) }
    }

    /// Whether the key is one of them.
    #[must_use]
    pub fn knows(&self, key: &PublicKey) -> bool {
        self.0.contains(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trust_file_reads_back_and_names_the_wrong_line() {
        let key = PublicKey::from_bytes([0xAB; 32]);
        let text = format!("# node 1\n\n{}", key.trust_file());
        assert!(Trust::parse(&text).unwrap().knows(&key));
        assert_eq!(Trust::parse("# nothing\n"), Err(TrustError::Empty));
        let bad = format!("{text}jawoord-ed25519 12\n");
        assert_eq!(Trust::parse(&bad), Err(TrustError::Line(4)));
    }
}
