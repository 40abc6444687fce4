//! One entry of the audit trail: a fact, its salt, and the leaf that commits to both.

use std::fmt;

use call::{Digest, FactKind, Time};

use super::tree::{leaf_hash, sha256};

/// Separates these commitments from every other use of SHA-256.
const DOMAIN: &[u8] = b"jawoord/v1/fact\n";

/// 32 random bytes per entry. Without them a commitment says nothing about its fact, so a leaf
/// that has been published does not tie anybody down once salt and body are gone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Salt([u8; 32]);

impl Salt {
    /// Wraps random bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Digest::from_bytes(self.0))
    }
}

/// One recorded fact at its place in the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place, counted from 0.
    pub index: u64,
    /// When it was recorded.
    pub at: Time,
    /// What kind of fact it is.
    pub kind: FactKind,
    /// The salt of its commitment.
    pub salt: Salt,
    /// The fact's text as [`call::Fact::encode`] wrote it. It holds no personal data.
    pub body: Vec<u8>,
}

impl Entry {
    /// `SHA-256("jawoord/v1/fact\n" ‖ salt ‖ body)`: the data of the leaf.
    #[must_use]
    pub fn commitment(&self) -> Digest {
        sha256(&[DOMAIN, &self.salt.0, &self.body])
    }

    /// The leaf's hash, `SHA-256(0x00 ‖ commitment)`.
    #[must_use]
    pub fn leaf(&self) -> Digest {
        leaf_hash(self.commitment().as_bytes())
    }

    /// The value of a field of the fact, such as `recording`, as it stands in its text.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        str::from_utf8(field(&self.body, name)?).ok()
    }

    /// Whether kind and time beside the body are those in the body.
    #[must_use]
    pub fn agrees_with_its_body(&self) -> bool {
        let at = self.at.as_micros().to_string();
        field(&self.body, "kind") == Some(self.kind.as_str().as_bytes())
            && field(&self.body, "at") == Some(at.as_bytes())
    }
}

/// The value of a field of a fact's text.
pub(crate) fn field<'a>(body: &'a [u8], name: &str) -> Option<&'a [u8]> {
    body.split(|byte| *byte == b'\n')
        .find_map(|line| line.strip_prefix(name.as_bytes())?.strip_prefix(b" "))
}

#[cfg(test)]
mod tests {
    use call::{Fact, RecordingId};

    use super::*;

    fn entry() -> Entry {
        let fact = Fact::Unrecoverable { recording: RecordingId::from_bytes([7; 16]) };
        let at = Time::from_micros(5);
        let body = fact.encode(at);
        Entry { index: 0, at, kind: fact.kind(), salt: Salt::new([1; 32]), body }
    }

    #[test]
    fn a_leaf_commits_to_salt_and_body() {
        let first = entry();
        let again = Entry { index: 9, ..entry() };
        assert_eq!(first.leaf(), again.leaf(), "the place is committed to by the tree");
        assert_ne!(first.leaf(), Entry { salt: Salt::new([2; 32]), ..entry() }.leaf());
        assert_ne!(first.leaf(), Entry { body: b"other".to_vec(), ..entry() }.leaf());
        assert_ne!(first.leaf(), first.commitment());
    }

    #[test]
    fn kind_and_time_must_agree_with_the_body() {
        assert!(entry().agrees_with_its_body());
        assert!(!Entry { at: Time::from_micros(6), ..entry() }.agrees_with_its_body());
        assert!(!Entry { kind: FactKind::Erased, ..entry() }.agrees_with_its_body());
    }
}
