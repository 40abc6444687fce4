//! Where the parts of an object lie: footer, manifest and table, read without any key.

use std::{
    fmt,
    io::{self, Read, Seek, SeekFrom},
};

use call::Digest;

use super::{
    manifest::{Manifest, ManifestError},
    merkle,
    row::{METADATA_CHUNK, ROW_LENGTH, Row, State, first_sample},
};
use crate::signature::PublicKey;

/// Bytes of the footer.
pub(crate) const FOOTER_LENGTH: u64 = 32;
/// Behind the manifest's text: the signer's public key and the signature.
pub(crate) const SIGNATURE_LENGTH: usize = 32 + 64;
const MAGIC: &[u8; 8] = b"JAWOORD\x01";
const VERSION: u32 = 1;
/// More than any manifest of ours; a longer one is damage, not a reason to fill the memory.
const MANIFEST_LIMIT: u64 = 64 * 1024;
const TABLE_LIMIT: u64 = (METADATA_CHUNK as u64 + 1) * ROW_LENGTH as u64;

/// The last 32 bytes of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Footer {
    /// Bytes of all chunks together.
    pub chunks_length: u64,
    /// Bytes of the chunk table.
    pub table_length: u64,
    /// Bytes of the manifest with its signature.
    pub manifest_length: u32,
}

/// Why the last 32 bytes are no footer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FooterError {
    /// There is none: the object was cut off at the end, or is something else.
    Missing,
    /// It belongs to a version that this program does not know, or its version is damaged.
    Version(u32),
    /// The parts do not add up to the object's length: damaged, or bytes were added or removed.
    Lengths,
}

impl fmt::Display for FooterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str(
                "the object has no end: it was cut off, or is no recording. Compare it with \
                 another copy",
            ),
            Self::Version(version) => write!(
                f,
                "the object has format version {version}, which this program does not know. Use a \
                 newer program, or compare it with another copy"
            ),
            Self::Lengths => f.write_str(
                "the lengths in the object's footer do not fit it: bytes were changed, added or \
                 removed. Compare it with another copy",
            ),
        }
    }
}

impl std::error::Error for FooterError {}

impl Footer {
    /// The bytes of the footer.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        [
            &self.chunks_length.to_be_bytes()[..],
            &self.table_length.to_be_bytes(),
            &self.manifest_length.to_be_bytes(),
            &VERSION.to_be_bytes(),
            MAGIC,
        ]
        .concat()
    }

    /// Reads the footer of an object of `length` bytes.
    ///
    /// # Errors
    /// [`FooterError`] says what does not fit.
    pub fn decode(bytes: &[u8], length: u64) -> Result<Self, FooterError> {
        let rest = bytes.strip_suffix(MAGIC).ok_or(FooterError::Missing)?;
        let (chunks, rest) = rest.split_first_chunk::<8>().ok_or(FooterError::Missing)?;
        let (table, rest) = rest.split_first_chunk::<8>().ok_or(FooterError::Missing)?;
        let (manifest, rest) = rest.split_first_chunk::<4>().ok_or(FooterError::Missing)?;
        let version = rest.try_into().map_err(|_| FooterError::Missing)?;
        if u32::from_be_bytes(version) != VERSION {
            return Err(FooterError::Version(u32::from_be_bytes(version)));
        }
        let footer = Self {
            chunks_length: u64::from_be_bytes(*chunks),
            table_length: u64::from_be_bytes(*table),
            manifest_length: u32::from_be_bytes(*manifest),
        };
        let sum = footer
            .chunks_length
            .checked_add(footer.table_length)
            .and_then(|sum| sum.checked_add(u64::from(footer.manifest_length) + FOOTER_LENGTH));
        let fits = sum == Some(length)
            && footer.table_length <= TABLE_LIMIT
            && footer.table_length.is_multiple_of(ROW_LENGTH as u64)
            && u64::from(footer.manifest_length) <= MANIFEST_LIMIT
            && footer.manifest_length as usize >= SIGNATURE_LENGTH;
        if fits { Ok(footer) } else { Err(FooterError::Lengths) }
    }
}

/// Why an object cannot be taken apart.
#[derive(Debug)]
pub enum ObjectError {
    /// Its footer.
    Footer(FooterError),
    /// Its manifest.
    Manifest(ManifestError),
    /// This row of its table, counted from 0.
    Row(u32),
    /// The source could not be read.
    Source(io::ErrorKind),
}

impl fmt::Display for ObjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Footer(error) => error.fmt(f),
            Self::Manifest(error) => error.fmt(f),
            Self::Row(row) => write!(
                f,
                "row {row} of the chunk table is damaged; compare the object with another copy"
            ),
            Self::Source(kind) => {
                write!(f, "the object could not be read ({kind}); check the store and try again")
            }
        }
    }
}

impl std::error::Error for ObjectError {}

impl From<io::Error> for ObjectError {
    fn from(error: io::Error) -> Self {
        Self::Source(error.kind())
    }
}

/// An object taken apart: everything but the chunks.
#[derive(Clone, Debug)]
pub struct Object {
    /// What the manifest says.
    pub manifest: Manifest,
    /// Its text as stored, over which the signature was made.
    pub manifest_text: Vec<u8>,
    /// The key that claims to have signed it.
    pub signer: PublicKey,
    /// The Ed25519 signature.
    pub signature: [u8; 64],
    /// The rows of the table.
    pub rows: Vec<Row>,
    /// Bytes of all chunks together.
    pub chunks_length: u64,
}

impl Object {
    /// Reads footer, manifest and table. Nothing is verified here but the form.
    ///
    /// # Errors
    /// [`ObjectError`] names the part that cannot be read.
    pub fn read<S: Read + Seek>(source: &mut S) -> Result<Self, ObjectError> {
        let length = source.seek(SeekFrom::End(0))?;
        let start = length.checked_sub(FOOTER_LENGTH);
        let start = start.ok_or(ObjectError::Footer(FooterError::Missing))?;
        let footer = read_part(source, start, FOOTER_LENGTH)?;
        let footer = Footer::decode(&footer, length).map_err(ObjectError::Footer)?;
        let after_chunks = footer.chunks_length;
        let table = read_part(source, after_chunks, footer.table_length)?;
        let after_table = after_chunks + footer.table_length;
        let mut text = read_part(source, after_table, u64::from(footer.manifest_length))?;
        let missing = || ObjectError::Manifest(ManifestError::Form);
        let tail = text.split_off(text.len().saturating_sub(SIGNATURE_LENGTH));
        let (signer, signature) = tail.split_first_chunk::<32>().ok_or_else(missing)?;
        let manifest = Manifest::decode(&text).map_err(ObjectError::Manifest)?;
        let mut rows = Vec::with_capacity(table.len() / ROW_LENGTH);
        for (place, bytes) in table.as_chunks::<ROW_LENGTH>().0.iter().enumerate() {
            let place = u32::try_from(place).unwrap_or(u32::MAX);
            rows.push(Row::decode(bytes).map_err(|_| ObjectError::Row(place))?);
        }
        Ok(Self {
            manifest,
            manifest_text: text,
            signer: PublicKey::from_bytes(*signer),
            signature: signature.try_into().map_err(|_| missing())?,
            rows,
            chunks_length: footer.chunks_length,
        })
    }

    /// The RFC 6962 root of the rows as they are in the table.
    #[must_use]
    pub fn table_root(&self) -> Digest {
        table_root(&self.rows)
    }

    /// The first row that is not where the format wants it: seconds from 0 without a hole, then
    /// the metadata chunk.
    #[must_use]
    pub fn misplaced_row(&self) -> Option<u32> {
        let count = self.rows.len();
        let wrong = |(place, row): &(usize, &Row)| {
            let second = u32::try_from(*place).ok();
            let expected = if place + 1 == count { Some(METADATA_CHUNK) } else { second };
            let empty = matches!(row.state, State::Absent(_));
            Some(row.chunk) != expected
                || row.first_sample != first_sample(row.chunk)
                || empty != (row.length == 0)
        };
        if count == 0 {
            return Some(0);
        }
        let found = self.rows.iter().enumerate().find(wrong);
        found.map(|(place, _)| u32::try_from(place).unwrap_or(u32::MAX))
    }
}

/// The RFC 6962 root of a table.
pub(crate) fn table_root(rows: &[Row]) -> Digest {
    let leaves: Vec<_> = rows.iter().map(|row| merkle::leaf_hash(&row.encode())).collect();
    merkle::root(&leaves)
}

pub(crate) fn read_part<S: Read + Seek>(
    source: &mut S,
    from: u64,
    length: u64,
) -> io::Result<Vec<u8>> {
    source.seek(SeekFrom::Start(from))?;
    let length = usize::try_from(length).map_err(|_| io::ErrorKind::InvalidData)?;
    let mut bytes = vec![0; length];
    source.read_exact(&mut bytes)?;
    Ok(bytes)
}
