//! Hearing a recording again: any position, erased and absent seconds as silence.

use std::{
    fmt,
    io::{self, Read, Seek},
};

use zeroize::Zeroizing;

use crate::{
    chunk::{ChunkFault, Second, open_chunk, open_second},
    codec::Codec,
    format::{
        manifest::Manifest,
        object::{Object, ObjectError, read_part},
        row::{Absence, METADATA_CHUNK, Row, SAMPLES_PER_SECOND, State},
    },
    halfway::{REACH, halfway},
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
    last: Option<Rendered>,
}

/// A second as it is given out: both channels at the recording's one rate.
struct Rendered {
    chunk: u32,
    pcm: Zeroizing<Vec<[i16; 2]>>,
}

/// The end of the second before one, and the beginning of the second behind it, of one channel: what is
/// nearest to the second in between comes first.
type Edges = [Zeroizing<Vec<i16>>; 2];

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

    /// Length in positions, of which there are 8,000 a second whatever the sound's rate is.
    pub const fn samples(&self) -> u64 {
        self.object.manifest.samples
    }

    /// Samples per second of what [`Reader::read`] gives: as many as the channel has that has more of
    /// them anywhere in the recording, 8,000 or 16,000.
    pub fn rate_hz(&self) -> u32 {
        let codecs = self.object.manifest.codecs.into_iter().flatten();
        codecs.map(Codec::rate_hz).max().unwrap_or(SAMPLES_PER_SECOND)
    }

    /// Length in sample pairs of that rate.
    pub fn frames(&self) -> u64 {
        self.samples().saturating_mul(u64::from(self.rate_hz() / SAMPLES_PER_SECOND))
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

    /// Fills `out` with customer and agent samples at [`Reader::rate_hz`] from sample pair `from` on; what
    /// is erased or absent is silence, and what was said with fewer samples gets those in between. Gives
    /// how many were written, fewer than asked only at the end.
    ///
    /// # Errors
    /// [`ReadError`] when a second on the way is damaged; nothing of `out` is to be used then.
    pub fn read(&mut self, from: u64, out: &mut [[i16; 2]]) -> Result<usize, ReadError> {
        let left = usize::try_from(self.frames().saturating_sub(from)).unwrap_or(usize::MAX);
        let asked = out.len().min(left);
        let whole = self.rate_hz() as usize;
        let mut at = from;
        let mut rest = out.get_mut(..asked).unwrap_or_default();
        while !rest.is_empty() {
            let rate = whole as u64;
            let offset = usize::try_from(at % rate).unwrap_or(0);
            let here = rest.len().min(whole - offset);
            let (part, later) = rest.split_at_mut(here);
            let pcm = self.rendered(u32::try_from(at / rate).unwrap_or(METADATA_CHUNK))?;
            let heard = pcm.get(offset..).unwrap_or_default().iter().copied();
            let heard = heard.chain(std::iter::repeat([0; 2]));
            part.iter_mut().zip(heard).for_each(|(to, sample)| *to = sample);
            at += here as u64;
            rest = later;
        }
        Ok(asked)
    }

    /// A second at the recording's rate; nothing where there is no sound.
    fn rendered(&mut self, chunk: u32) -> Result<&[[i16; 2]], ReadError> {
        if self.last.as_ref().is_none_or(|last| last.chunk != chunk) {
            self.last = match self.second(chunk)? {
                Heard::Sound(second) => Some(Rendered { chunk, pcm: self.render(second) }),
                Heard::Absent(_) | Heard::Erased => None,
            };
        }
        let last = self.last.as_ref().filter(|last| last.chunk == chunk);
        Ok(last.map_or(&[], |last| last.pcm.as_slice()))
    }

    fn render(&mut self, second: Second) -> Zeroizing<Vec<[i16; 2]>> {
        let wide = self.rate_hz() > SAMPLES_PER_SECOND;
        let narrow = |codec: &Codec| codec.rate_hz() == SAMPLES_PER_SECOND;
        let mut edges = [Edges::default(), Edges::default()];
        if wide && second.codecs.iter().any(narrow) {
            // A neighbour that does not open says so in its own turn.
            let before = second.chunk.checked_sub(1).and_then(|chunk| self.neighbour(chunk));
            let after = self.neighbour(second.chunk + 1);
            for (channel, [end, beginning]) in edges.iter_mut().enumerate() {
                *end = edge(before.as_ref(), channel, true);
                *beginning = edge(after.as_ref(), channel, false);
            }
        }
        let Second { codecs, pcm, .. } = second;
        let [customer, agent] = codecs;
        let ([said, answered], [left, right]) = (pcm, edges);
        let [said, answered] = [(customer, said, left), (agent, answered, right)]
            .map(|(codec, pcm, edges)| at_rate(wide, codec, pcm, &edges));
        Zeroizing::new(said.iter().zip(answered.iter()).map(|(l, r)| [*l, *r]).collect())
    }

    fn neighbour(&mut self, chunk: u32) -> Option<Second> {
        match self.second(chunk) {
            Ok(Heard::Sound(second)) => Some(second),
            Ok(Heard::Absent(_) | Heard::Erased) | Err(_) => None,
        }
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

/// A channel of a second at the rate of its recording.
fn at_rate(
    wide: bool,
    codec: Codec,
    pcm: Zeroizing<Vec<i16>>,
    edges: &Edges,
) -> Zeroizing<Vec<i16>> {
    match (codec.samples(), wide) {
        (1, true) => widened(&pcm, edges),
        // A manifest that knows of none of these seconds: half of their samples are what it promises.
        (2, false) => Zeroizing::new(narrowed(codec, &pcm).collect()),
        _ => pcm,
    }
}

/// A channel of one sample a position, with those in between.
fn widened(pcm: &[i16], [end, beginning]: &Edges) -> Zeroizing<Vec<i16>> {
    let mut wide = Zeroizing::new(Vec::with_capacity(pcm.len() * 2));
    for (at, sample) in pcm.iter().enumerate() {
        let (before, after) = pcm.split_at(at + 1);
        let before = before.iter().rev().chain(end.iter()).copied();
        let after = after.iter().chain(beginning.iter()).copied();
        wide.extend([*sample, halfway(before, after)]);
    }
    wide
}

/// The first sample of each position of a channel.
fn narrowed(codec: Codec, pcm: &[i16]) -> impl DoubleEndedIterator<Item = i16> {
    pcm.chunks_exact(codec.samples()).filter_map(|position| position.first().copied())
}

/// The samples of a channel that are nearest to the second behind it or before it.
fn edge(second: Option<&Second>, channel: usize, end: bool) -> Zeroizing<Vec<i16>> {
    let found = second.and_then(|second| {
        let (codec, pcm) = (second.codecs.get(channel)?, second.pcm.get(channel)?);
        let samples = narrowed(*codec, pcm);
        let near: Vec<i16> =
            if end { samples.rev().take(REACH).collect() } else { samples.take(REACH).collect() };
        Some(near)
    });
    Zeroizing::new(found.unwrap_or_default())
}
