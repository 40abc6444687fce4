//! `manifest.txt`: the name, size and SHA-256 of every other file of a folder, signed.
//!
//! ```text
//! jawoord/evidence-folder/v1
//! file <SHA-256> <bytes> <name>
//! …
//! key <Ed25519 public key>
//! signature <Ed25519 over all lines above, their line ends included>
//! ```

use std::fmt::Write as _;

use call::Digest;
use ring::signature::{ED25519, UnparsedPublicKey};

use crate::audit::{checkpoint::Signer, tree::sha256};

/// The name of the file.
pub const MANIFEST_FILE: &str = "manifest.txt";

/// The first line of the list of a folder of evidence. It also separates these signatures from every
/// other that a node makes.
const TITLE: &str = "jawoord/evidence-folder/v1";
/// The first line of the list beside a report.
const OF_REPORT: &str = "jawoord/report/v1";
/// The longest name of a file.
const NAME_MAX: usize = 120;

/// What a folder says of one of its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name within the folder, such as `prompts/nl-notice-1.wav`.
    pub name: Box<str>,
    /// How many bytes it has.
    pub bytes: u64,
    /// Their SHA-256.
    pub sha256: Digest,
}

impl Listed {
    /// The line for a file of these bytes.
    #[must_use]
    pub fn new(name: &str, bytes: &[u8]) -> Self {
        Self { name: name.into(), bytes: bytes.len() as u64, sha256: sha256(&[bytes]) }
    }

    /// Whether a file has these bytes.
    #[must_use]
    pub fn is(&self, bytes: &[u8]) -> bool {
        self.bytes == bytes.len() as u64 && self.sha256 == sha256(&[bytes])
    }
}

/// Every file of a folder but the list itself, and who says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inventory {
    /// The files, by name.
    pub files: Vec<Listed>,
    /// The Ed25519 public key of the signature.
    pub key: [u8; 32],
    signed: String,
    signature: [u8; 64],
}

impl Inventory {
    /// Signs a list; `None` when the signer cannot.
    #[must_use]
    pub fn sign(files: Vec<Listed>, signer: &dyn Signer) -> Option<Self> {
        Self::sign_as(TITLE, files, signer)
    }

    /// Signs the list beside a report, which names that one file; `None` when the signer cannot.
    #[must_use]
    pub fn sign_report(report: Listed, signer: &dyn Signer) -> Option<Self> {
        Self::sign_as(OF_REPORT, vec![report], signer)
    }

    fn sign_as(title: &str, mut files: Vec<Listed>, signer: &dyn Signer) -> Option<Self> {
        files.sort_by(|one, other| one.name.cmp(&other.name));
        let key = signer.public_key();
        let signed = signed(title, &files, key);
        let signature = signer.sign(signed.as_bytes())?;
        Some(Self { files, key, signed, signature })
    }

    /// Whether the signature is the key's.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        let key = UnparsedPublicKey::new(&ED25519, &self.key);
        key.verify(self.signed.as_bytes(), &self.signature).is_ok()
    }

    /// The text of the file.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = self.signed.clone();
        text.push_str("signature ");
        push_hex(&mut text, &self.signature);
        text.push('\n');
        text
    }

    /// Reads the text; `None` unless it is, byte for byte, what [`Inventory::text`] writes.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        Self::read_as(TITLE, text)
    }

    /// Reads the text beside a report; `None` unless it is what [`Inventory::text`] writes.
    #[must_use]
    pub fn read_report(text: &str) -> Option<Self> {
        Self::read_as(OF_REPORT, text).filter(|list| list.files.len() == 1)
    }

    fn read_as(title: &str, text: &str) -> Option<Self> {
        let mut lines = text.strip_prefix(title)?.strip_prefix('\n')?.lines().rev();
        let signature = read_hex(lines.next()?.strip_prefix("signature ")?)?;
        let key = *lines.next()?.strip_prefix("key ")?.parse::<Digest>().ok()?.as_bytes();
        let files = lines.rev().map(listed).collect::<Option<Vec<_>>>()?;
        let ordered = files.windows(2).all(|pair| match pair {
            [one, other] => one.name < other.name,
            _ => false,
        });
        let signed = signed(title, &files, key);
        let read = Self { files, key, signed, signature };
        (ordered && read.text() == text).then_some(read)
    }
}

fn signed(title: &str, files: &[Listed], key: [u8; 32]) -> String {
    let mut text = format!("{title}\n");
    for Listed { name, bytes, sha256 } in files {
        let _infallible = writeln!(text, "file {sha256} {bytes} {name}");
    }
    let _infallible = writeln!(text, "key {}", Digest::from_bytes(key));
    text
}

fn listed(line: &str) -> Option<Listed> {
    let mut words = line.strip_prefix("file ")?.splitn(3, ' ');
    let (sha256, bytes) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let name = words.next().filter(|name| is_name(name))?;
    Some(Listed { name: name.into(), bytes, sha256 })
}

/// Names that lead nowhere but into the folder.
fn is_name(name: &str) -> bool {
    let part = |part: &str| {
        let fits = |c: u8| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
        !part.is_empty() && !part.starts_with('.') && part.bytes().all(fits)
    };
    name.len() <= NAME_MAX && name != MANIFEST_FILE && name.split('/').all(part)
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        let _infallible = write!(text, "{byte:02x}");
    }
}

fn read_hex(text: &str) -> Option<[u8; 64]> {
    let byte = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    let bytes = (0..text.len()).step_by(2).map(byte).collect::<Option<Vec<u8>>>()?;
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::checkpoint::tests::TestKey;

    fn inventory() -> Inventory {
        let files = vec![
            Listed::new("prompts/nl-notice-1.wav", b"sound"),
            Listed::new("evidence.txt", b"text"),
        ];
        Inventory::sign(files, &TestKey::new(1)).unwrap()
    }

    #[test]
    fn a_list_reads_back_in_order_and_signed() {
        let inventory = inventory();
        assert!(inventory.is_signed());
        assert_eq!(&*inventory.files[0].name, "evidence.txt");
        assert!(inventory.files[0].is(b"text") && !inventory.files[0].is(b"tex"));
        assert_eq!(Inventory::read(&inventory.text()), Some(inventory));
    }

    #[test]
    fn the_list_of_a_report_is_none_of_a_folder_and_names_one_file() {
        let report = Listed::new("2026-12-02.json", b"{}");
        let list = Inventory::sign_report(report, &TestKey::new(1)).unwrap();
        assert_eq!(Inventory::read_report(&list.text()).as_ref(), Some(&list));
        assert!(list.is_signed() && list.files[0].is(b"{}"));
        assert_eq!(Inventory::read(&list.text()), None);
        assert_eq!(Inventory::read_report(&inventory().text()), None);
    }

    #[test]
    fn every_flipped_bit_of_a_list_is_no_list_or_not_signed() {
        let text = inventory().text();
        for bit in 0..text.len() * 8 {
            let mut bytes = text.clone().into_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let read = String::from_utf8(bytes).ok().and_then(|text| Inventory::read(&text));
            assert!(read.is_none_or(|read| !read.is_signed()), "bit {bit}");
        }
    }

    #[test]
    fn a_name_leads_nowhere_but_into_the_folder() {
        for name in ["/etc/passwd", "../x", "a//b", "a/..", ".x", "", "a b", "A", MANIFEST_FILE] {
            assert!(!is_name(name), "{name}");
        }
        assert!(is_name("prompts/nl-wrong_key-12.wav"));
    }
}
