//! A journal record: one sealed segment on its way to the disk, readable without any key.

use std::{fmt, io::Write};

use call::{Digest, RecordingId};
use crc32fast::Hasher;

use crate::{
    codec::Codec,
    format::row::Absence,
    segment::{SEGMENT_LENGTH, Segment},
};

/// Bytes in front of the body of every record.
pub(crate) const RECORD_HEADER_LENGTH: usize = 80;
/// Bytes of the header that are covered, with the body, by the checksum behind them.
const COVERED: usize = 76;
/// A body is at most one segment; a longer one is damage.
const BODY_LIMIT: usize = SEGMENT_LENGTH;
/// Every record begins with this.
pub(crate) const RECORD_MAGIC: &[u8; 4] = b"JWJ2";

/// CRC-32 of ISO-HDLC over both parts: it finds what a disk has torn or lost. Against whoever alters a
/// journal the body has its seal.
fn checksum(covered: &[u8], body: &[u8]) -> [u8; 4] {
    let mut sum = Hasher::new();
    sum.update(covered);
    sum.update(body);
    sum.finalize().to_be_bytes()
}

/// What is known when a chunk begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkOpens {
    /// Commitment to the chunk's key; the key itself is never written.
    pub commitment: Digest,
    /// Coding of both channels; `None` for the metadata chunk.
    pub codecs: Option<[Codec; 2]>,
}

/// What is known when a chunk ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChunkCloses {
    /// Samples of the recording's time it covers.
    pub samples: u32,
    /// Samples known to be missing, over both channels.
    pub missing: u32,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A sealed segment.
    Segment {
        /// Index, end mark and ciphertext.
        segment: Segment,
        /// Present in the first segment of a chunk only.
        opens: Option<ChunkOpens>,
        /// Present in the last segment of a chunk only.
        closes: Option<ChunkCloses>,
    },
    /// This second has no chunk.
    Absent {
        /// Why.
        reason: Absence,
        /// Its length and what is missing of it.
        closes: ChunkCloses,
    },
    /// The recording ended in order.
    Finished,
    /// The recording needs this journal no longer: it is stored, or it is gone.
    Released,
}

/// One record of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Which recording.
    pub recording: RecordingId,
    /// Which chunk; zero where it means nothing.
    pub chunk: u32,
    /// What it says.
    pub entry: Entry,
}

/// Bytes that are no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// The bytes end before the record does.
    Short,
    /// They are not a record, or its checksum does not fit.
    Damaged,
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Short => "the journal ends in the middle of a record; what came before is safe",
            Self::Damaged => "a record of the journal is damaged; check the disk",
        })
    }
}

impl std::error::Error for RecordError {}

/// The fixed part of a record, in the order of its bytes.
struct Header {
    body: u32,
    recording: RecordingId,
    chunk: u32,
    segment: u32,
    kind: u8,
    flags: u8,
    codecs: [u8; 2],
    closes: ChunkCloses,
    commitment: Digest,
}

const FIRST: u8 = 1;
const LAST: u8 = 2;

impl Record {
    /// The bytes of the record, as `FORMAT.md` lays them out.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let (header, body) = self.parts();
        [&header, body].concat()
    }

    /// The same in two pieces: what stands in front, and the body where it lies.
    pub(crate) fn parts(&self) -> ([u8; RECORD_HEADER_LENGTH], &[u8]) {
        let none: &[u8] = &[];
        let (header, body) = match &self.entry {
            Entry::Segment { segment, opens, closes } => {
                let flags = if opens.is_some() { FIRST } else { 0 }
                    | if closes.is_some() { LAST } else { 0 };
                let codecs = opens.and_then(|opens| opens.codecs);
                let mut header = self.header(1, flags, closes.unwrap_or_default());
                header.segment = segment.index;
                header.codecs = codecs.map_or([0; 2], |codecs| codecs.map(Codec::number));
                header.commitment = opens.map_or(header.commitment, |opens| opens.commitment);
                (header, &*segment.bytes)
            }
            Entry::Absent { reason, closes } => (self.header(2, reason.number(), *closes), none),
            Entry::Finished => (self.header(3, 0, ChunkCloses::default()), none),
            Entry::Released => (self.header(4, 0, ChunkCloses::default()), none),
        };
        (header.encode(body), body)
    }

    fn header(&self, kind: u8, flags: u8, closes: ChunkCloses) -> Header {
        Header {
            body: 0,
            recording: self.recording,
            chunk: self.chunk,
            segment: 0,
            kind,
            flags,
            codecs: [0; 2],
            closes,
            commitment: Digest::from_bytes([0; 32]),
        }
    }

    /// Reads the record at the beginning of `bytes`; gives its length too.
    ///
    /// # Errors
    /// [`RecordError`] says whether more bytes could help.
    pub fn decode(bytes: &[u8]) -> Result<(Self, usize), RecordError> {
        let header: &[u8; RECORD_HEADER_LENGTH] = bytes.first_chunk().ok_or(RecordError::Short)?;
        let header_end = RECORD_HEADER_LENGTH;
        let (covered, told) = header.split_at(COVERED);
        let header = Header::read(covered).ok_or(RecordError::Damaged)?;
        let body = usize::try_from(header.body).unwrap_or(usize::MAX);
        if body > BODY_LIMIT {
            return Err(RecordError::Damaged);
        }
        let body = bytes.get(header_end..header_end + body).ok_or(RecordError::Short)?;
        if told != checksum(covered, body) {
            return Err(RecordError::Damaged);
        }
        let entry = header.entry(body).ok_or(RecordError::Damaged)?;
        let record = Self { recording: header.recording, chunk: header.chunk, entry };
        Ok((record, header_end + body.len()))
    }
}

impl Header {
    fn encode(&self, body: &[u8]) -> [u8; RECORD_HEADER_LENGTH] {
        // A body is one segment, far below 2^32 bytes.
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
        let mut bytes = [0; RECORD_HEADER_LENGTH];
        let (mut covered, _) = bytes.split_at_mut(COVERED);
        // A slice takes what it has room for, and this fills it.
        let mut put = |part: &[u8]| covered.write_all(part).unwrap_or_default();
        put(RECORD_MAGIC);
        put(&length.to_be_bytes());
        put(self.recording.as_bytes());
        put(&self.chunk.to_be_bytes());
        put(&self.segment.to_be_bytes());
        put(&[self.kind, self.flags]);
        put(&self.codecs);
        put(&self.closes.samples.to_be_bytes());
        put(&self.closes.missing.to_be_bytes());
        put(self.commitment.as_bytes());
        let (covered, _) = bytes.split_at(COVERED);
        let sum = checksum(covered, body);
        bytes.iter_mut().skip(COVERED).zip(sum).for_each(|(to, from)| *to = from);
        bytes
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(RECORD_MAGIC)?;
        let (body, rest) = rest.split_first_chunk::<4>()?;
        let (recording, rest) = rest.split_first_chunk::<16>()?;
        let (chunk, rest) = rest.split_first_chunk::<4>()?;
        let (segment, rest) = rest.split_first_chunk::<4>()?;
        let ([kind, flags, customer, agent], rest) = rest.split_first_chunk::<4>()?;
        let (samples, rest) = rest.split_first_chunk::<4>()?;
        let (missing, rest) = rest.split_first_chunk::<4>()?;
        Some(Self {
            body: u32::from_be_bytes(*body),
            recording: RecordingId::from_bytes(*recording),
            chunk: u32::from_be_bytes(*chunk),
            segment: u32::from_be_bytes(*segment),
            kind: *kind,
            flags: *flags,
            codecs: [*customer, *agent],
            closes: ChunkCloses {
                samples: u32::from_be_bytes(*samples),
                missing: u32::from_be_bytes(*missing),
            },
            commitment: Digest::from_bytes(*rest.first_chunk()?),
        })
    }

    fn entry(&self, body: &[u8]) -> Option<Entry> {
        match self.kind {
            1 => {
                let [customer, agent] = self.codecs.map(Codec::from_number);
                let codecs = customer.zip(agent).map(|(customer, agent)| [customer, agent]);
                let opens = ChunkOpens { commitment: self.commitment, codecs };
                let last = self.flags & LAST != 0;
                let segment = Segment { index: self.segment, last, bytes: body.to_vec() };
                Some(Entry::Segment {
                    segment,
                    opens: (self.flags & FIRST != 0).then_some(opens),
                    closes: last.then_some(self.closes),
                })
            }
            2 => {
                let reason = Absence::from_number(self.flags)?;
                Some(Entry::Absent { reason, closes: self.closes })
            }
            3 => Some(Entry::Finished),
            4 => Some(Entry::Released),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records() -> Vec<Record> {
        let recording = RecordingId::from_bytes([7; 16]);
        let opens = ChunkOpens {
            commitment: Digest::from_bytes([9; 32]),
            codecs: Some([Codec::Pcma, Codec::Pcm16]),
        };
        let closes = ChunkCloses { samples: 8_000, missing: 160 };
        let segment = |index, last| Segment { index, last, bytes: vec![index as u8; 100] };
        let entries = [
            Entry::Segment { segment: segment(0, false), opens: Some(opens), closes: None },
            Entry::Segment { segment: segment(1, true), opens: None, closes: Some(closes) },
            Entry::Absent { reason: Absence::Hold, closes },
            Entry::Finished,
            Entry::Released,
        ];
        entries.into_iter().map(|entry| Record { recording, chunk: 3, entry }).collect()
    }

    #[test]
    fn a_record_reads_back_and_every_flipped_bit_is_noticed() {
        for record in records() {
            let bytes = record.encode();
            assert_eq!(Record::decode(&bytes), Ok((record, bytes.len())));
            for bit in 0..bytes.len() * 8 {
                let mut damaged = bytes.clone();
                damaged[bit / 8] ^= 1 << (bit % 8);
                assert!(Record::decode(&damaged).is_err(), "bit {bit}");
            }
            for cut in 0..bytes.len() {
                assert_eq!(Record::decode(&bytes[..cut]), Err(RecordError::Short));
            }
        }
    }
}
