//! Verification without a store, a database or a network: every kind of damage has a name.
//!
//! The ciphertext alone is enough for hashes, table and signature; with a slip every key
//! commitment is checked and every second is opened too.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    io::{self, Read, Seek},
};

use call::{Digest, RecordingId, TenantId};

use crate::{
    chunk::{ChunkFault, open_chunk, open_second},
    epoch::EpochKey,
    format::{
        manifest::Manifest,
        object::{Object, ObjectError, read_part},
        row::{METADATA_CHUNK, Row, State},
    },
    metadata::Metadata,
    secret::sha256,
    signature::Trust,
    slip::{SealedSlip, Slip, SlipError},
};

/// Something that is not as it was signed. Second 1,048,575 is the sealed metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The signature over the manifest does not verify.
    Signature,
    /// The table has another number of rows than the manifest says.
    RowCount {
        /// Rows that the manifest names.
        signed: u32,
        /// Rows that are there.
        found: u32,
    },
    /// The table was changed: its root is not the signed one.
    Table,
    /// This row of the table is not where it belongs.
    RowPlace {
        /// The row, counted from 0.
        row: u32,
    },
    /// The bytes of this second were changed.
    Damaged {
        /// The second.
        chunk: u32,
    },
    /// This second's place holds another second.
    Swapped {
        /// The second that belongs there.
        chunk: u32,
        /// The second that is there.
        holds: u32,
    },
    /// The bytes of this second are gone.
    Missing {
        /// The second.
        chunk: u32,
    },
    /// Bytes that belong to nothing stand behind the last chunk.
    Surplus {
        /// How many.
        bytes: u64,
    },
    /// The slip belongs to another recording, so nothing was opened.
    OtherSlip,
    /// This second is there and cannot be heard with the slip.
    Closed {
        /// The second.
        chunk: u32,
        /// Why.
        fault: ChunkFault,
    },
    /// The opened metadata is of no known form.
    Metadata,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signature => f.write_str("manifest: the signature does not verify"),
            Self::RowCount { signed, found } => {
                write!(f, "chunk table: {found} rows, and {signed} were signed")
            }
            Self::Table => f.write_str("chunk table: changed, its root is not the signed one"),
            Self::RowPlace { row } => write!(f, "chunk table: row {row} is out of place"),
            Self::Damaged { chunk } => write!(f, "{}: its bytes were changed", Name(*chunk)),
            Self::Swapped { chunk, holds } => {
                write!(f, "{}: {} stands in its place", Name(*chunk), Name(*holds))
            }
            Self::Missing { chunk } => write!(f, "{}: cut off or removed", Name(*chunk)),
            Self::Surplus { bytes } => write!(f, "chunks: {bytes} bytes belong to nothing"),
            Self::OtherSlip => f.write_str("key slip: it belongs to another recording"),
            Self::Closed { chunk, fault } => write!(f, "{}: {fault}", Name(*chunk)),
            Self::Metadata => f.write_str("metadata: of no known form"),
        }
    }
}

struct Name(u32);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            METADATA_CHUNK => f.write_str("metadata"),
            second => write!(f, "second {second}"),
        }
    }
}

/// What a verification found.
#[derive(Debug)]
pub struct Report {
    /// Everything that is not as it was signed.
    pub findings: Vec<Finding>,
    /// What the manifest says; believe it only when [`Report::is_proved`].
    pub manifest: Manifest,
    /// Whether the signer is one of the trusted keys.
    pub signer_known: bool,
    /// Chunks opened with the slip.
    pub opened: u32,
    /// Chunks whose key is gone.
    pub erased: u32,
    /// Chunks that a crash had cut.
    pub cut: u32,
}

impl Report {
    /// Nothing contradicts anything else. Without a known signer this proves no origin.
    #[must_use]
    pub const fn is_consistent(&self) -> bool {
        self.findings.is_empty()
    }

    /// Consistent, and signed by somebody trusted.
    #[must_use]
    pub const fn is_proved(&self) -> bool {
        self.is_consistent() && self.signer_known
    }
}

/// Verifies an object; with its slip also every key and every second.
///
/// # Errors
/// [`ObjectError`] when it cannot even be taken apart (cut off at the end, footer, manifest or a
/// row unreadable): the error names that part.
pub fn verify_object<S: Read + Seek>(
    source: &mut S,
    trust: &Trust,
    slip: Option<&Slip>,
) -> Result<Report, ObjectError> {
    let object = Object::read(source)?;
    let mut findings = Vec::new();
    let message = Manifest::signed_message(&object.manifest_text);
    if !object.signer.signed(&message, &object.signature) {
        findings.push(Finding::Signature);
    }
    let found = u32::try_from(object.rows.len()).unwrap_or(u32::MAX);
    if found != object.manifest.rows {
        findings.push(Finding::RowCount { signed: object.manifest.rows, found });
    } else if object.table_root() != object.manifest.root {
        findings.push(Finding::Table);
    }
    findings.extend(object.misplaced_row().map(|row| Finding::RowPlace { row }));
    let recording = object.manifest.tags.recording;
    if slip.is_some_and(|slip| slip.recording() != recording) {
        findings.push(Finding::OtherSlip);
    }
    let mut walk = Walk {
        source,
        object: &object,
        slip: slip.filter(|slip| slip.recording() == recording),
        findings,
        opened: 0,
        erased: 0,
    };
    walk.chunks()?;
    let Walk { findings, opened, erased, .. } = walk;
    let cut = object.rows.iter().filter(|row| row.state == State::Cut).count();
    Ok(Report {
        findings,
        signer_known: trust.knows(&object.signer),
        manifest: object.manifest,
        opened,
        erased,
        cut: u32::try_from(cut).unwrap_or(u32::MAX),
    })
}

/// Goes through the chunks in the order in which they lie and says which is which.
struct Walk<'a, S> {
    source: &'a mut S,
    object: &'a Object,
    slip: Option<&'a Slip>,
    findings: Vec<Finding>,
    opened: u32,
    erased: u32,
}

impl<S: Read + Seek> Walk<'_, S> {
    fn chunks(&mut self) -> io::Result<()> {
        let object = self.object;
        let present: Vec<&Row> = object.rows.iter().filter(|row| row.length > 0).collect();
        // Rows whose place holds something, and what the places hold, in the same order.
        let (mut damaged, mut found, mut seen) = (BTreeSet::new(), Vec::new(), BTreeSet::new());
        let mut at = 0;
        for row in &present {
            let bytes = self.at(at, row.length)?;
            let here = match bytes {
                Some(bytes) if sha256(&[&bytes]) == row.hash => {
                    self.open(row, &bytes);
                    Some(*row)
                }
                Some(_) | None => self.strayed(at, &present)?,
            };
            match here {
                Some(here) if seen.insert(here.chunk) => {
                    found.push(here.chunk);
                    at += u64::from(here.length);
                }
                Some(twice) => {
                    damaged.insert(row.chunk);
                    let (chunk, holds) = (row.chunk, twice.chunk);
                    self.findings.push(Finding::Swapped { chunk, holds });
                    at += u64::from(twice.length);
                }
                None if at + u64::from(row.length) <= object.chunks_length => {
                    damaged.insert(row.chunk);
                    self.findings.push(Finding::Damaged { chunk: row.chunk });
                    at += u64::from(row.length);
                }
                None => {}
            }
        }
        self.order(&present, &damaged, &seen, &found);
        match object.chunks_length.saturating_sub(at) {
            0 => {}
            bytes => self.findings.push(Finding::Surplus { bytes }),
        }
        Ok(())
    }

    fn at(&mut self, at: u64, length: u32) -> io::Result<Option<Vec<u8>>> {
        if at + u64::from(length) > self.object.chunks_length {
            return Ok(None);
        }
        read_part(self.source, at, u64::from(length)).map(Some)
    }

    /// Whether the bytes at a place are a chunk that belongs elsewhere.
    fn strayed<'r>(&mut self, at: u64, present: &[&'r Row]) -> io::Result<Option<&'r Row>> {
        let known: BTreeMap<(u32, Digest), &Row> =
            present.iter().map(|row| ((row.length, row.hash), *row)).collect();
        let lengths: BTreeSet<u32> = present.iter().map(|row| row.length).collect();
        for length in lengths {
            let Some(bytes) = self.at(at, length)? else { break };
            if let Some(row) = known.get(&(length, sha256(&[&bytes]))) {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// Names what is gone and what changed places, once it is known what lies where.
    fn order(
        &mut self,
        present: &[&Row],
        damaged: &BTreeSet<u32>,
        seen: &BTreeSet<u32>,
        found: &[u32],
    ) {
        let mut places = found.iter();
        for row in present.iter().filter(|row| !damaged.contains(&row.chunk)) {
            let chunk = row.chunk;
            if !seen.contains(&chunk) {
                self.findings.push(Finding::Missing { chunk });
                continue;
            }
            match places.next() {
                Some(holds) if *holds != chunk => {
                    self.findings.push(Finding::Swapped { chunk, holds: *holds });
                }
                Some(_) | None => {}
            }
        }
    }

    fn open(&mut self, row: &Row, bytes: &[u8]) {
        let Some(slip) = self.slip else { return };
        let Some(leaf) = slip.leaf(row.chunk) else {
            self.erased += 1;
            return;
        };
        let recording = slip.recording();
        let opened = if row.chunk == METADATA_CHUNK {
            open_chunk(recording, row, &leaf, bytes).map(|plain| Metadata::decode(&plain).is_ok())
        } else {
            open_second(recording, row, &leaf, bytes).map(|_| true)
        };
        match opened {
            Ok(true) => self.opened += 1,
            Ok(false) => self.findings.push(Finding::Metadata),
            Err(fault) => self.findings.push(Finding::Closed { chunk: row.chunk, fault }),
        }
    }
}

/// What is wrong with a stored slip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlipFinding {
    /// It was altered or belongs elsewhere.
    Altered(SlipError),
    /// It opens, and is not the revision that the newest fact commits to: an old slip put back.
    NotNewest {
        /// The revision that was found.
        revision: u32,
    },
}

impl fmt::Display for SlipFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Altered(error) => write!(f, "key slip: {error}"),
            Self::NotNewest { revision } => write!(
                f,
                "key slip: revision {revision} is not the one last recorded; an old slip was put \
                 back. Erase it, and restore the newest from the slip database's own backup"
            ),
        }
    }
}

/// Opens a stored slip and compares it with the commitment of the newest fact about it.
///
/// # Errors
/// [`SlipFinding`] names what is wrong; the slip is not to be used then.
pub fn verify_slip(
    stored: &SealedSlip,
    key: &EpochKey,
    tenant: &TenantId,
    recording: RecordingId,
    newest: Digest,
) -> Result<Slip, SlipFinding> {
    let slip = stored.open(key, tenant, recording).map_err(SlipFinding::Altered)?;
    if stored.commitment() == newest {
        Ok(slip)
    } else {
        Err(SlipFinding::NotNewest { revision: slip.revision() })
    }
}
