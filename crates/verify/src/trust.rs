//! The keys that the auditor brings along, from a trust file got by another way than the folder.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::Path,
};

use call::Digest;
use vault::{Trust, TrustError};

/// More than any trust file: room for hundreds of keys with a comment each.
const LENGTH_MAX: u64 = 65_536;

/// Why no key could be had from a trust file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrustedError {
    /// It could not be read.
    Unread(io::ErrorKind),
    /// It is longer than 64 KiB, or is not text.
    NoText,
    /// A line of it is wrong, or it names no key.
    Form(TrustError),
}

impl fmt::Display for TrustedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unread(kind) => {
                write!(f, "the trust file cannot be read ({kind}); check its name and its rights")
            }
            Self::NoText => f.write_str(
                "the trust file is too long or is not text; write one line for each key, \
                 `jawoord-ed25519` and its 64 hexadecimal digits",
            ),
            Self::Form(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TrustedError {}

/// Whom the auditor trusts. By default nobody: then a folder can be consistent and never proved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trusted {
    objects: Trust,
    keys: Vec<[u8; 32]>,
}

impl Trusted {
    /// Reads a trust file: lines `jawoord-ed25519 <64 hexadecimal digits>`.
    ///
    /// # Errors
    /// [`TrustedError`] says why it names no key.
    pub fn read(path: &Path) -> Result<Self, TrustedError> {
        let unread = |error: io::Error| TrustedError::Unread(error.kind());
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(unread)?;
        file.take(LENGTH_MAX + 1).read_to_end(&mut bytes).map_err(unread)?;
        if bytes.len() as u64 > LENGTH_MAX {
            return Err(TrustedError::NoText);
        }
        let text = str::from_utf8(&bytes).map_err(|_| TrustedError::NoText)?;
        Self::parse(text).map_err(TrustedError::Form)
    }

    /// Reads the text of a trust file.
    ///
    /// # Errors
    /// [`TrustError`] names the line that is wrong.
    pub fn parse(text: &str) -> Result<Self, TrustError> {
        let objects = Trust::parse(text)?;
        // What has been read above is comments, and lines that end in the 64 digits of a key.
        let digits = |line: &str| line.get(line.len().checked_sub(64)?..)?.parse::<Digest>().ok();
        let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
        let keys = lines.filter_map(digits).map(|key| *key.as_bytes()).collect();
        Ok(Self { objects, keys })
    }

    /// Whether nobody is trusted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys, as manifests are held against them.
    pub(crate) const fn objects(&self) -> &Trust {
        &self.objects
    }

    /// The keys, as checkpoints are held against them.
    pub(crate) fn keys(&self) -> &[[u8; 32]] {
        &self.keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_file_counts_for_objects_and_for_the_trail() {
        let text = format!(
            "# {comment}\n\n jawoord-ed25519 {one}\r\njawoord-ed25519   {two} \n",
            comment = "ff".repeat(32),
            one = "01".repeat(32),
            two = "02".repeat(32)
        );
        let trusted = Trusted::parse(&text).unwrap();
        assert_eq!(trusted.keys(), [[1; 32], [2; 32]]);
        let known = |byte| trusted.objects().knows(&vault::PublicKey::from_bytes([byte; 32]));
        assert!(known(1) && known(2) && !known(0xff));
        assert!(!trusted.is_empty() && Trusted::default().is_empty());
    }

    #[test]
    fn a_file_without_a_key_is_named() {
        assert_eq!(Trusted::parse("# none\n"), Err(TrustError::Empty));
        assert_eq!(Trusted::parse("jawoord-ed25519 01\n"), Err(TrustError::Line(1)));
        let nowhere = Trusted::read(Path::new("no/such/file"));
        assert_eq!(nowhere, Err(TrustedError::Unread(io::ErrorKind::NotFound)));
    }
}
