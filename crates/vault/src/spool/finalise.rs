//! From tape to object: chunks, table, signed manifest, footer; stored and read back.

use std::{
    fmt,
    fs::File,
    io::{self, Read, Write},
};

use call::Digest;

use super::tape::{Plan, Tape};
use crate::{
    format::{
        manifest::{Manifest, Tags},
        object::{Footer, read_part, table_root},
        row::{METADATA_CHUNK, Row, State, first_sample},
    },
    record::{Entry, Record},
    secret::Sha256,
    signature::Signer,
    store::{Store, StoreError},
};

/// Why a tape did not become a stored object. The journal still has it; try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinaliseError {
    /// The journal could not be read, or a record of it changed since it was written.
    Journal(io::ErrorKind),
    /// The store did not take it.
    Store(StoreError),
    /// What the store gives back is not what was written.
    Differs,
    /// The tags are of another recording than the tape.
    OtherRecording,
}

impl fmt::Display for FinaliseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Journal(kind) => {
                write!(f, "the spool's journal could not be read ({kind}); check its disk")
            }
            Self::Store(error) => error.fmt(f),
            Self::Differs => f.write_str(
                "the store gave back other bytes than it was given; check it. The spool keeps \
                 the recording",
            ),
            Self::OtherRecording => f.write_str(
                "the tags are of another recording; nothing was written. Restart the node",
            ),
        }
    }
}

impl std::error::Error for FinaliseError {}

/// A stored object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// SHA-256 of the whole object, as read back.
    pub object: Digest,
    /// Its length in bytes.
    pub length: u64,
    /// SHA-256 of what the signature covers.
    pub manifest_hash: Digest,
    /// The manifest.
    pub manifest: Manifest,
    /// How many seconds it covers, the last one perhaps not whole.
    pub seconds: u32,
}

impl Tape {
    /// Makes the object, stores it, reads it back. Only after this returns may the journal be
    /// released. It blocks for as long as the store does: call it from a storage thread.
    ///
    /// # Errors
    /// [`FinaliseError`]; nothing is stored under the recording's name then, or (after
    /// [`FinaliseError::Differs`]) nothing that may be relied on.
    pub fn finalise(
        &self,
        tags: Tags,
        signer: &dyn Signer,
        store: &dyn Store,
    ) -> Result<Sealed, FinaliseError> {
        if tags.recording != self.recording() {
            return Err(FinaliseError::OtherRecording);
        }
        let mut journal =
            File::open(self.journal()).map_err(|error| FinaliseError::Journal(error.kind()))?;
        let (mut done, mut unread) = (None, None);
        let put = store.put(self.recording(), &mut |out| {
            let mut out = Hashed { out, hash: Sha256::new(), length: 0 };
            let rows = match self.write_chunks(&mut journal, &mut out) {
                Err(Stop::Journal(kind)) => {
                    unread = Some(kind);
                    return Err(kind.into());
                }
                Err(Stop::Out(error)) => return Err(error),
                Ok(rows) => rows,
            };
            let manifest = self.write_end(tags.clone(), &rows, signer, &mut out)?;
            done = Some((out.hash.finish(), out.length, manifest));
            Ok(())
        });
        if let Some(kind) = unread {
            return Err(FinaliseError::Journal(kind));
        }
        put.map_err(FinaliseError::Store)?;
        let (object, length, manifest) = done.ok_or(FinaliseError::Differs)?;
        read_back(store, self.recording(), object, length)?;
        let seconds = manifest.rows.saturating_sub(1);
        Ok(Sealed { object, length, manifest_hash: manifest.hash(), manifest, seconds })
    }

    fn write_chunks(&self, journal: &mut File, out: &mut Hashed<'_>) -> Result<Vec<Row>, Stop> {
        self.plans().map(|plan| write_chunk(&plan, journal, out)).collect()
    }

    fn write_end(
        &self,
        tags: Tags,
        rows: &[Row],
        signer: &dyn Signer,
        out: &mut Hashed<'_>,
    ) -> io::Result<Manifest> {
        let chunks_length = out.length;
        for row in rows {
            out.write_all(&row.encode())?;
        }
        let table_length = out.length - chunks_length;
        let manifest = Manifest {
            tags,
            codecs: self.codecs(),
            samples: self.samples(),
            missing_samples: self.missing_samples(),
            rows: u32::try_from(rows.len()).unwrap_or(u32::MAX),
            root: table_root(rows),
        };
        let text = manifest.encode().into_bytes();
        let signature = signer.sign(&Manifest::signed_message(&text));
        out.write_all(&text)?;
        out.write_all(signer.public_key().as_bytes())?;
        out.write_all(&signature)?;
        let manifest_length = out.length - table_length - chunks_length;
        let manifest_length = u32::try_from(manifest_length).unwrap_or(u32::MAX);
        out.write_all(&Footer { chunks_length, table_length, manifest_length }.encode())?;
        Ok(manifest)
    }
}

enum Stop {
    Journal(io::ErrorKind),
    Out(io::Error),
}

fn write_chunk(plan: &Plan<'_>, journal: &mut File, out: &mut Hashed<'_>) -> Result<Row, Stop> {
    if let State::Absent(reason) = plan.state {
        return Ok(Row::absent(plan.chunk, reason, plan.closes.samples));
    }
    let damaged = || Stop::Journal(io::ErrorKind::InvalidData);
    let (mut hash, mut length, mut commitment) = (Sha256::new(), 0, None);
    for place in plan.places {
        let bytes = read_part(journal, place.offset(), place.length() as u64)
            .map_err(|error| Stop::Journal(error.kind()))?;
        let Ok((Record { chunk, entry: Entry::Segment { segment, opens, .. }, .. }, _)) =
            Record::decode(&bytes)
        else {
            return Err(damaged());
        };
        if chunk != plan.chunk {
            return Err(damaged());
        }
        commitment = commitment.or(opens.map(|opens| opens.commitment));
        hash.update(&segment.bytes);
        length += segment.bytes.len();
        out.write_all(&segment.bytes).map_err(Stop::Out)?;
    }
    Ok(Row {
        chunk: plan.chunk,
        state: plan.state,
        first_sample: first_sample(plan.chunk),
        samples: if plan.chunk == METADATA_CHUNK { 0 } else { plan.closes.samples },
        length: u32::try_from(length).unwrap_or(u32::MAX),
        hash: hash.finish(),
        commitment: commitment.ok_or_else(damaged)?,
    })
}

fn read_back(
    store: &dyn Store,
    recording: call::RecordingId,
    object: Digest,
    length: u64,
) -> Result<(), FinaliseError> {
    let mut source = store.open(recording).map_err(FinaliseError::Store)?;
    let mut hash = Sha256::new();
    let mut read = 0;
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let count = source.read(&mut buffer).map_err(|error| {
            FinaliseError::Store(StoreError::from_io(crate::store::StoreStep::Open, &error))
        })?;
        if count == 0 {
            break;
        }
        hash.update(buffer.get(..count).unwrap_or_default());
        read += count as u64;
    }
    if hash.finish() == object && read == length { Ok(()) } else { Err(FinaliseError::Differs) }
}

/// Counts and hashes what goes by.
struct Hashed<'a> {
    out: &'a mut dyn Write,
    hash: Sha256,
    length: u64,
}

impl Write for Hashed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or_default());
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
