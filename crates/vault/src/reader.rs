//! Hearing a recording again: any position, erased and absent seconds as silence.

use std::{
    fmt,
    io::{self, Read, Seek},
};

use crate::{
    chunk::{ChunkFault, Second, open_chunk, open_second},
    format::{
        manifest::Manifest,
        object::{Object, ObjectError, read_part},
        row::{Absence, METADATA_CHUNK, Row, SAMPLES_PER_SECOND, State},
    },
    metadata::{Metadata, MetadataError},
    slip::Slip,
};

/// What a second of a recording is now.
pub enum Heard {
    /// It can be heard.
    Sound(Second),
    /// It was never recorded.
    Absent(Absence),
    /// Its key is gone.
    Erased,
}

/// Why a recording cannot be read.
#[derive(Debug)]
pub enum ReadError {
    /// The object cannot be taken apart.
    Object(ObjectError),
    /// The slip belongs to another recording.
    OtherRecording,
    /// The chunk table is not the one that the manifest was made for.
    Table,
    /// This second cannot be heard.
    Chunk {
        /// Which.
        chunk: u32,
        /// Why.
        fault: ChunkFault,
    },
    /// The sealed metadata is of no known form.
    Metadata(MetadataError),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(error) => error.fmt(f),
            Self::OtherRecording => f.write_str(
                "the key slip belongs to another recording; run `jawoord recordings verify`",
            ),
            Self::Table => f.write_str(
                "the chunk table is not the one that was signed; compare the object with another \
                 copy",
            ),
            Self::Chunk { chunk, fault } => write!(f, "second {chunk}: {fault}"),
            Self::Metadata(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ReadError {}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Object(error.into())
    }
}

/// A recording that is open for reading. It verifies what it gives out (hash, key commitment,
/// authentication, table root), not who signed it: that is [`verify_object`](crate::verify_object).
pub struct Reader<S> {
    source: S,
    object: Object,
    /// Where the chunk of each row begins.
    offsets: Vec<u64>,
    slip: Slip,
    last: Option<Second>,
}

impl<S: Read + Seek> Reader<S> {
    /// Opens an object with its slip.
    ///
    /// # Errors
    /// [`ReadError`] when it cannot be taken apart, its table is not the signed one, or the slip
    /// is of another recording.
    pub fn open(mut source: S, slip: Slip) -> Result<Self, ReadError> {
        let object = Object::read(&mut source).map_err(ReadError::Object)?;
        if object.manifest.tags.recording != slip.recording() {
            return Err(ReadError::OtherRecording);
        }
        let mut offsets = Vec::with_capacity(object.rows.len());
        let mut end = 0;
        for row in &object.rows {
            offsets.push(end);
            end += u64::from(row.length);
        }
        let whole = u32::try_from(object.rows.len()) == Ok(object.manifest.rows)
            && object.misplaced_row().is_none()
            && object.table_root() == object.manifest.root
            && end == object.chunks_length;
        if !whole {
            return Err(ReadError::Table);
        }
        Ok(Self { source, object, offsets, slip, last: None })
    }

    /// What the manifest says.
    pub const fn manifest(&self) -> &Manifest {
        &self.object.manifest
    }

    /// The table.
    pub fn rows(&self) -> &[Row] {
        &self.object.rows
    }

    /// Length in samples at 8,000 Hz.
    pub const fn samples(&self) -> u64 {
        self.object.manifest.samples
    }

    /// How many seconds there are, the last one perhaps not whole.
    pub fn seconds(&self) -> u32 {
        u32::try_from(self.samples().div_ceil(u64::from(SAMPLES_PER_SECOND))).unwrap_or(u32::MAX)
    }

    fn ciphertext(&mut self, row: &Row, place: usize) -> Result<Vec<u8>, ReadError> {
        let from = self.offsets.get(place).copied().ok_or(ReadError::Table)?;
        Ok(read_part(&mut self.source, from, u64::from(row.length))?)
    }

    /// One second. Past the end there is [`Absence::NoAudio`].
    ///
    /// # Errors
    /// [`ReadError::Chunk`] when it is there and damaged.
    pub fn second(&mut self, chunk: u32) -> Result<Heard, ReadError> {
        let place = usize::try_from(chunk).unwrap_or(usize::MAX);
        let found = self.object.rows.get(place).copied().filter(|row| row.chunk == chunk);
        let Some(row) = found else { return Ok(Heard::Absent(Absence::NoAudio)) };
        match row.state {
            State::Absent(reason) => return Ok(Heard::Absent(reason)),
            State::Sealed | State::Cut => {}
        }
        let Some(leaf) = self.slip.leaf(chunk) else { return Ok(Heard::Erased) };
        let ciphertext = self.ciphertext(&row, place)?;
        open_second(self.slip.recording(), &row, &leaf, &ciphertext)
            .map(Heard::Sound)
            .map_err(|fault| ReadError::Chunk { chunk, fault })
    }

    /// Fills `out` with customer and agent samples from position `from` on; what is erased or
    /// absent is silence. Gives how many were written, fewer than asked only at the end.
    ///
    /// # Errors
    /// [`ReadError`] when a second on the way is damaged; nothing of `out` is to be used then.
    pub fn read(&mut self, from: u64, out: &mut [[i16; 2]]) -> Result<usize, ReadError> {
        let left = usize::try_from(self.samples().saturating_sub(from)).unwrap_or(usize::MAX);
        let asked = out.len().min(left);
        let mut at = from;
        let mut rest = out.get_mut(..asked).unwrap_or_default();
        while !rest.is_empty() {
            let rate = u64::from(SAMPLES_PER_SECOND);
            let offset = usize::try_from(at % rate).unwrap_or(0);
            let here = rest.len().min(SAMPLES_PER_SECOND as usize - offset);
            let (part, later) = rest.split_at_mut(here);
            let second = self.cached(u32::try_from(at / rate).unwrap_or(METADATA_CHUNK))?;
            let pcm = second.and_then(|second| second.pcm.get(offset..)).unwrap_or_default();
            let heard = pcm.iter().copied().chain(std::iter::repeat([0; 2]));
            part.iter_mut().zip(heard).for_each(|(to, sample)| *to = sample);
            at += here as u64;
            rest = later;
        }
        Ok(asked)
    }

    fn cached(&mut self, chunk: u32) -> Result<Option<&Second>, ReadError> {
        if self.last.as_ref().is_none_or(|second| second.chunk != chunk) {
            self.last = match self.second(chunk)? {
                Heard::Sound(second) => Some(second),
                Heard::Absent(_) | Heard::Erased => None,
            };
        }
        Ok(self.last.as_ref().filter(|second| second.chunk == chunk))
    }

    /// The sealed names, numbers and signalling ids; `None` when they are erased or were lost.
    ///
    /// # Errors
    /// [`ReadError`] when they are there and damaged.
    pub fn metadata(&mut self) -> Result<Option<Metadata>, ReadError> {
        let place = self.object.rows.len().saturating_sub(1);
        let found = self.object.rows.get(place).copied();
        let sealed = found.filter(|row| row.chunk == METADATA_CHUNK && row.length > 0);
        let (Some(row), Some(leaf)) = (sealed, self.slip.leaf(METADATA_CHUNK)) else {
            return Ok(None);
        };
        let ciphertext = self.ciphertext(&row, place)?;
        let plain = open_chunk(self.slip.recording(), &row, &leaf, &ciphertext)
            .map_err(|fault| ReadError::Chunk { chunk: METADATA_CHUNK, fault })?;
        Metadata::decode(&plain).map(Some).map_err(ReadError::Metadata)
    }
}
