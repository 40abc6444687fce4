//! Signed checkpoints: a tree head as a C2SP signed note (`tlog-checkpoint`, `signed-note`).

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::STANDARD};
use call::Digest;
use ring::signature::{ED25519, UnparsedPublicKey};

use super::tree::{TreeHead, sha256};

/// The signature type of Ed25519 in a signed note's key id.
const ED25519_NOTE: u8 = 1;

/// Whoever holds the node's signing key. The key itself lives with the vault's key provider.
pub trait Signer: Send + Sync {
    /// The Ed25519 public key, 32 bytes.
    fn public_key(&self) -> [u8; 32];

    /// The Ed25519 signature over `message`, 64 bytes; `None` when the key cannot be used now.
    fn sign(&self, message: &[u8]) -> Option<[u8; 64]>;
}

/// Why a text is not a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteError {
    /// It is not text, lacks a line, or has one too many. The number is the line, from 1.
    Line(usize),
    /// It carries no signature line of the log's own name.
    Unsigned,
}

impl fmt::Display for NoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(
                f,
                "line {line} is not that of a checkpoint; put back the file as the node wrote it"
            ),
            Self::Unsigned => f.write_str(
                "the checkpoint is not signed by its log; put back the file as the node wrote it",
            ),
        }
    }
}

impl std::error::Error for NoteError {}

/// Why an origin cannot name a log: it is empty or holds a blank, `+` or a control character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OriginError;

impl fmt::Display for OriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the name of the audit tree is empty or has a blank, '+' or control character; use one \
             such as node1.example.nl/jawoord",
        )
    }
}

impl std::error::Error for OriginError {}

/// The name of a tree, unique to the node, such as `node1.example.nl/jawoord`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(Box<str>);

impl Origin {
    /// Accepts a name that can stand in a signed note.
    ///
    /// # Errors
    /// [`OriginError`] when it is empty or holds a blank, `+` or a control character.
    pub fn new(name: &str) -> Result<Self, OriginError> {
        let wrong = |c: char| c.is_whitespace() || c.is_control() || c == '+';
        if name.is_empty() || name.contains(wrong) {
            return Err(OriginError);
        }
        Ok(Self(name.into()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a checkpoint's signature says about who made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// Made with the trusted key.
    Good,
    /// Made with another key than the trusted one.
    OtherKey,
    /// Names the trusted key and is not its signature.
    Bad,
}

/// A tree head with the signature of the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    origin: Origin,
    head: TreeHead,
    key_id: [u8; 4],
    signature: Vec<u8>,
    text: Box<str>,
    note: Box<str>,
}

impl Checkpoint {
    /// Signs a tree head; `None` when the signer cannot.
    #[must_use]
    pub fn sign(origin: &Origin, head: TreeHead, signer: &dyn Signer) -> Option<Self> {
        let root = STANDARD.encode(head.root.as_bytes());
        let text = format!("{origin}\n{}\n{root}\n", head.size);
        let key_id = key_id(origin.as_str(), &signer.public_key());
        let signature = signer.sign(text.as_bytes())?;
        let mut signed = key_id.to_vec();
        signed.extend_from_slice(&signature);
        let note = format!("{text}\n\u{2014} {origin} {}\n", STANDARD.encode(signed));
        let (text, note) = (text.into(), note.into());
        Some(Self { origin: origin.clone(), head, key_id, signature: signature.into(), text, note })
    }

    /// The name of the tree.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Size and root.
    #[must_use]
    pub const fn head(&self) -> TreeHead {
        self.head
    }

    /// The signed note, byte for byte.
    #[must_use]
    pub fn note(&self) -> &str {
        &self.note
    }

    /// Whose signature this is, seen from an Ed25519 public key.
    #[must_use]
    pub fn check(&self, trusted: &[u8; 32]) -> Signature {
        if self.key_id != key_id(self.origin.as_str(), trusted) {
            return Signature::OtherKey;
        }
        let key = UnparsedPublicKey::new(&ED25519, trusted);
        match key.verify(self.text.as_bytes(), &self.signature) {
            Ok(()) => Signature::Good,
            Err(_) => Signature::Bad,
        }
    }
}

impl FromStr for Checkpoint {
    type Err = NoteError;

    /// Reads a signed note. Extension lines (`tlog-checkpoint`) and further signatures are kept
    /// and skipped; base64 must be canonical, so that no two texts are the same checkpoint.
    fn from_str(note: &str) -> Result<Self, NoteError> {
        let (body, signatures) = note.split_once("\n\n").ok_or(NoteError::Line(4))?;
        let text = format!("{body}\n");
        let mut lines = body.split('\n');
        let origin = lines.next().and_then(|line| Origin::new(line).ok());
        let origin = origin.ok_or(NoteError::Line(1))?;
        let size = lines.next().ok_or(NoteError::Line(2))?;
        let canonical = !size.is_empty()
            && size.bytes().all(|byte| byte.is_ascii_digit())
            && (size == "0" || !size.starts_with('0'));
        let size = size.parse().ok().filter(|_: &u64| canonical).ok_or(NoteError::Line(2))?;
        let root = lines.next().and_then(|line| STANDARD.decode(line).ok());
        let root = root.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let root = Digest::from_bytes(root.ok_or(NoteError::Line(3))?);
        let signatures = signatures.strip_suffix('\n').ok_or(NoteError::Unsigned)?;
        let own = format!("\u{2014} {origin} ");
        let signed = signatures.split('\n').find_map(|line| line.strip_prefix(own.as_str()));
        let signed = signed.and_then(|value| STANDARD.decode(value).ok());
        let signed = signed.ok_or(NoteError::Unsigned)?;
        let (key_id, signature) = signed.split_first_chunk().ok_or(NoteError::Unsigned)?;
        Ok(Self {
            origin,
            head: TreeHead { size, root },
            key_id: *key_id,
            signature: signature.to_vec(),
            text: text.into(),
            note: note.into(),
        })
    }
}

/// The key id of `signed-note`: the first four bytes of `SHA-256(name ‖ "\n" ‖ type ‖ key)`.
fn key_id(name: &str, key: &[u8; 32]) -> [u8; 4] {
    let hash = sha256(&[name.as_bytes(), b"\n", &[ED25519_NOTE], key]);
    let [a, b, c, d, ..] = *hash.as_bytes();
    [a, b, c, d]
}

#[cfg(test)]
pub(crate) mod tests {
    use ring::signature::{Ed25519KeyPair, KeyPair};

    use super::*;
    use crate::audit::tree::leaf_hash;

    /// A signer whose key is made of one byte.
    pub(crate) struct TestKey(Ed25519KeyPair);

    impl TestKey {
        pub(crate) fn new(seed: u8) -> Self {
            Self(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap())
        }
    }

    impl Signer for TestKey {
        fn public_key(&self) -> [u8; 32] {
            self.0.public_key().as_ref().try_into().unwrap()
        }

        fn sign(&self, message: &[u8]) -> Option<[u8; 64]> {
            self.0.sign(message).as_ref().try_into().ok()
        }
    }

    fn checkpoint() -> Checkpoint {
        let origin = Origin::new("node1.example.nl/jawoord").unwrap();
        let head = TreeHead { size: 12, root: leaf_hash(b"root") };
        Checkpoint::sign(&origin, head, &TestKey::new(3)).unwrap()
    }

    #[test]
    fn a_checkpoint_reads_back_and_is_signed_by_its_key_only() {
        let signed = checkpoint();
        let read: Checkpoint = signed.note().parse().unwrap();
        assert_eq!(read, signed);
        assert_eq!(read.check(&TestKey::new(3).public_key()), Signature::Good);
        assert_eq!(read.check(&TestKey::new(4).public_key()), Signature::OtherKey);
    }

    #[test]
    fn the_note_has_the_lines_of_c2sp() {
        let note = checkpoint().note().to_owned();
        let lines: Vec<_> = note.split('\n').collect();
        assert_eq!(lines[0..2], ["node1.example.nl/jawoord", "12"]);
        assert_eq!(lines[3], "");
        assert!(lines[4].starts_with("\u{2014} node1.example.nl/jawoord "));
        assert_eq!((lines.len(), lines[5]), (6, ""));
    }

    /// The example of the signed-note format's first implementation, an outside oracle for key id
    /// and signature.
    #[test]
    fn the_key_id_and_signature_are_those_of_signed_note() {
        let key = STANDARD.decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").unwrap();
        let key: [u8; 32] = key[1..].try_into().unwrap();
        assert_eq!(key_id("PeterNeumann", &key), [0xc7, 0x4f, 0x20, 0xa3]);
        let signed = STANDARD
            .decode(concat!(
                "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6Ry",
                "yBwJnAM="
            ))
            .unwrap();
        let text = "If you think cryptography is the answer to your problem,\n\
                    then you don't know what your problem is.\n";
        let key = UnparsedPublicKey::new(&ED25519, key);
        assert!(key.verify(text.as_bytes(), &signed[4..]).is_ok());
    }

    #[test]
    fn no_flipped_bit_of_a_note_is_taken_for_a_good_checkpoint() {
        let signed = checkpoint();
        let trusted = TestKey::new(3).public_key();
        for place in 0..signed.note().len() * 8 {
            let mut bytes = signed.note().as_bytes().to_vec();
            bytes[place / 8] ^= 1 << (place % 8);
            let Ok(text) = String::from_utf8(bytes) else { continue };
            let good = text
                .parse::<Checkpoint>()
                .is_ok_and(|read| read.check(&trusted) == Signature::Good);
            assert!(!good, "bit {place}");
        }
    }

    #[test]
    fn a_size_has_one_spelling() {
        for wrong in ["012", "+12", "", "12 ", "18446744073709551616"] {
            let note = checkpoint().note().replacen("\n12\n", &format!("\n{wrong}\n"), 1);
            assert_eq!(note.parse::<Checkpoint>(), Err(NoteError::Line(2)), "{wrong}");
        }
        assert_eq!("".parse::<Checkpoint>(), Err(NoteError::Line(4)));
        assert!(
            Origin::new("a b").is_err() && Origin::new("").is_err() && Origin::new("a+b").is_err()
        );
    }
}
