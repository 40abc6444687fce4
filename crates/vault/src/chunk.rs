//! The plaintext of a chunk: a header, 20 ms frames of both channels, and a trailer.
//!
//! The trailer stands at the end because frame count, gaps and peaks are known only then, while
//! the segments before it have long left the memory. A chunk that a crash cut has none.

use std::fmt;

use call::RecordingId;
use zeroize::Zeroizing;

use crate::{
    codec::Codec,
    format::row::{Absence, METADATA_CHUNK, Row, State},
    secret::sha256,
    segment::{OpenError, open_stream},
    tree::Leaf,
};

/// Positions of one frame: 20 ms.
pub(crate) const FRAME_SAMPLES: usize = 160;
/// Frames of a whole second.
pub(crate) const FRAMES: u16 = 50;
/// Bytes of the chunk header.
pub(crate) const CHUNK_HEADER_LENGTH: usize = 24;
/// Peaks per channel and second: one for each 50 ms.
pub(crate) const PEAKS: usize = 20;
/// Gaps that a trailer lists at most; the last one then reaches to the end of the last gap.
pub(crate) const GAP_LIMIT: usize = 100;
const GAP_LENGTH: usize = 6;
const VERSION: u8 = 1;
const FRAME_MS: u8 = 20;

/// The largest magnitude of each 50 ms, 0 to 32,768, per channel (customer, agent).
pub type Peaks = [[u16; PEAKS]; 2];

/// A stretch of a second in which one channel is silence because there was nothing to record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// 0 customer, 1 agent.
    pub channel: u8,
    /// Why.
    pub reason: Absence,
    /// First sample within the second.
    pub first: u16,
    /// How many samples.
    pub samples: u16,
}

/// Opened bytes that are no second of sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkError {
    /// Not a chunk header of a known version, or one of another second.
    Header,
    /// The frames are not as many as the trailer says.
    Frames,
    /// The trailer is not one.
    Trailer,
}

impl fmt::Display for ChunkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = match self {
            Self::Header => "header",
            Self::Frames => "frames",
            Self::Trailer => "trailer",
        };
        write!(
            f,
            "the {part} of this second is of no known form; use the program version that wrote it"
        )
    }
}

impl std::error::Error for ChunkError {}

/// Why a chunk of a table cannot be heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkFault {
    /// Its bytes are not those of the table.
    Hash,
    /// The slip's key is not the one that the table commits to.
    Key,
    /// Its ciphertext does not open.
    Open(OpenError),
    /// What it opens to is no second of sound.
    Form(ChunkError),
}

impl fmt::Display for ChunkFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hash => f.write_str(
                "its bytes are not those that the chunk table names; compare the object with \
                 another copy",
            ),
            Self::Key => f.write_str(
                "the key in the slip is not the one that the chunk table commits to; run \
                 `jawoord recordings verify`",
            ),
            Self::Open(error) => error.fmt(f),
            Self::Form(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ChunkFault {}

/// Recording ‖ BE32 chunk: the associated data of a chunk.
pub(crate) fn associated_data(recording: RecordingId, chunk: u32) -> Vec<u8> {
    [&recording.as_bytes()[..], &chunk.to_be_bytes()].concat()
}

/// The chunk header.
pub(crate) fn encode_header(codecs: [Codec; 2], first_sample: u64) -> [u8; CHUNK_HEADER_LENGTH] {
    let mut header = [0; CHUNK_HEADER_LENGTH];
    let [customer, agent] = codecs.map(Codec::number);
    let parts = [VERSION, 2, FRAME_MS, 0, customer, agent, 0, 0]
        .into_iter()
        .chain(codecs.into_iter().flat_map(|codec| codec.rate_hz().to_be_bytes()))
        .chain(first_sample.to_be_bytes());
    header.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
    header
}

/// The trailer: BE16 frames ‖ BE16 gaps ‖ the gaps ‖ 2 × 20 BE16 peaks ‖ BE16 length of all this.
pub(crate) fn encode_trailer(frames: u16, gaps: &[Gap], peaks: &Peaks) -> Zeroizing<Vec<u8>> {
    let gaps = gaps.get(..GAP_LIMIT).unwrap_or(gaps);
    let length = 4 + gaps.len() * GAP_LENGTH + 4 * PEAKS + 2;
    let mut bytes = Zeroizing::new(Vec::with_capacity(length));
    // Both counts are below 2^16: at most 100 gaps are listed.
    let short = |value: usize| u16::try_from(value).unwrap_or(u16::MAX).to_be_bytes();
    bytes.extend_from_slice(&frames.to_be_bytes());
    bytes.extend_from_slice(&short(gaps.len()));
    for gap in gaps {
        bytes.extend_from_slice(&[gap.channel, gap.reason.number()]);
        bytes.extend_from_slice(&gap.first.to_be_bytes());
        bytes.extend_from_slice(&gap.samples.to_be_bytes());
    }
    peaks.iter().flatten().for_each(|peak| bytes.extend_from_slice(&peak.to_be_bytes()));
    bytes.extend_from_slice(&short(length));
    bytes
}

/// Bytes of a frame of both channels.
pub(crate) fn frame_length(codecs: [Codec; 2]) -> usize {
    codecs.iter().map(|codec| codec.width() * FRAME_SAMPLES).sum()
}

/// One second of sound, decoded. Wiped when dropped.
pub struct Second {
    /// Which second.
    pub chunk: u32,
    /// How each channel is stored.
    pub codecs: [Codec; 2],
    /// Customer and agent, linear, each with as many samples a second as its codec has; whole frames.
    pub pcm: [Zeroizing<Vec<i16>>; 2],
    /// What was missing; empty for a cut chunk, whose list is lost.
    pub gaps: Vec<Gap>,
    /// The peaks; `None` for a cut chunk.
    pub peaks: Option<Peaks>,
}

impl Second {
    /// Reads the plaintext of chunk `chunk`; `whole` chunks have a trailer.
    ///
    /// # Errors
    /// [`ChunkError`] names the part that does not fit.
    pub fn decode(chunk: u32, plain: &[u8], whole: bool) -> Result<Self, ChunkError> {
        let (header, rest) =
            plain.split_first_chunk::<CHUNK_HEADER_LENGTH>().ok_or(ChunkError::Header)?;
        let [_, _, _, _, customer, agent, ..] = *header;
        let codecs = [customer, agent].map(Codec::from_number);
        let [Some(customer), Some(agent)] = codecs else { return Err(ChunkError::Header) };
        let codecs = [customer, agent];
        if encode_header(codecs, crate::format::row::first_sample(chunk)) != *header {
            return Err(ChunkError::Header);
        }
        let (frames, trailer) = if whole { split_trailer(rest)? } else { (rest, None) };
        let length = frame_length(codecs);
        let count = frames.len() / length;
        if count > usize::from(FRAMES) {
            return Err(ChunkError::Frames);
        }
        if let Some(trailer) = &trailer
            && (count != usize::from(trailer.frames) || !frames.len().is_multiple_of(length))
        {
            return Err(ChunkError::Frames);
        }
        let mut pcm = codecs.map(|codec| {
            Zeroizing::new(Vec::with_capacity(count * FRAME_SAMPLES * codec.samples()))
        });
        let [left, right] = &mut pcm;
        for frame in frames.chunks_exact(length) {
            let (said, answered) = frame.split_at(customer.width() * FRAME_SAMPLES);
            left.extend(customer.codes(said).map(|code| customer.decode(code)));
            right.extend(agent.codes(answered).map(|code| agent.decode(code)));
        }
        let (gaps, peaks) =
            trailer.map_or((Vec::new(), None), |found| (found.gaps, Some(found.peaks)));
        Ok(Self { chunk, codecs, pcm, gaps, peaks })
    }

    /// How many positions it has, at 8,000 Hz.
    #[must_use]
    pub fn positions(&self) -> usize {
        let [customer, _] = self.codecs;
        let [said, _] = &self.pcm;
        said.len() / customer.samples()
    }
}

struct Trailer {
    frames: u16,
    gaps: Vec<Gap>,
    peaks: Peaks,
}

fn split_trailer(rest: &[u8]) -> Result<(&[u8], Option<Trailer>), ChunkError> {
    let length = rest.last_chunk::<2>().ok_or(ChunkError::Trailer)?;
    let length = usize::from(u16::from_be_bytes(*length));
    let at = rest.len().checked_sub(length).ok_or(ChunkError::Trailer)?;
    let (frames, trailer) = rest.split_at(at);
    let trailer = read_trailer(trailer).ok_or(ChunkError::Trailer)?;
    Ok((frames, Some(trailer)))
}

fn read_trailer(bytes: &[u8]) -> Option<Trailer> {
    let (frames, rest) = bytes.split_first_chunk::<2>()?;
    let (count, rest) = rest.split_first_chunk::<2>()?;
    let (gaps, rest) =
        rest.split_at_checked(usize::from(u16::from_be_bytes(*count)) * GAP_LENGTH)?;
    let (listed, _length) = rest.split_at_checked(4 * PEAKS)?;
    let gap = |bytes: &[u8]| {
        let [channel, reason, f0, f1, s0, s1] = *bytes.first_chunk::<6>()?;
        Some(Gap {
            channel,
            reason: Absence::from_number(reason)?,
            first: u16::from_be_bytes([f0, f1]),
            samples: u16::from_be_bytes([s0, s1]),
        })
    };
    let mut peaks = [[0; PEAKS]; 2];
    let values = listed.as_chunks::<2>().0.iter().map(|bytes| u16::from_be_bytes(*bytes));
    peaks.iter_mut().flatten().zip(values).for_each(|(to, from)| *to = from);
    let gaps = gaps.chunks_exact(GAP_LENGTH).map(gap).collect::<Option<Vec<_>>>()?;
    let trailer = Trailer { frames: u16::from_be_bytes(*frames), gaps, peaks };
    let encoded = encode_trailer(trailer.frames, &trailer.gaps, &trailer.peaks);
    (**encoded == *bytes).then_some(trailer)
}

/// Checks and opens one chunk: hash and key commitment first, then the ciphertext.
pub(crate) fn open_chunk(
    recording: RecordingId,
    row: &Row,
    leaf: &Leaf,
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, ChunkFault> {
    if sha256(&[ciphertext]) != row.hash {
        return Err(ChunkFault::Hash);
    }
    if leaf.commitment(recording) != row.commitment {
        return Err(ChunkFault::Key);
    }
    let whole = match row.state {
        State::Sealed => true,
        State::Cut | State::Absent(_) => false,
    };
    let associated = associated_data(recording, row.chunk);
    open_stream(&leaf.key(), &associated, ciphertext, whole).map_err(ChunkFault::Open)
}

/// Opens one second of sound.
pub(crate) fn open_second(
    recording: RecordingId,
    row: &Row,
    leaf: &Leaf,
    ciphertext: &[u8],
) -> Result<Second, ChunkFault> {
    let plain = open_chunk(recording, row, leaf, ciphertext)?;
    debug_assert_ne!(row.chunk, METADATA_CHUNK);
    let second =
        Second::decode(row.chunk, &plain, row.state == State::Sealed).map_err(ChunkFault::Form)?;
    // A table that promises more than the chunk holds would export as silence unnoticed.
    let promised = usize::try_from(row.samples).unwrap_or(usize::MAX);
    if second.positions() < promised {
        return Err(ChunkFault::Form(ChunkError::Frames));
    }
    Ok(second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_header_is_the_one_of_the_specification() {
        let header = encode_header([Codec::Pcma, Codec::Pcmu], 16_000);
        let expected = [1, 2, 20, 0, 1, 2, 0, 0, 0, 0, 0x1f, 0x40, 0, 0, 0x1f, 0x40];
        assert_eq!(header[..16], expected);
        assert_eq!(header[16..], 16_000_u64.to_be_bytes());
        let header = encode_header([Codec::Pcm16Wide, Codec::Pcma], 8_000);
        assert_eq!(header[4..16], [4, 1, 0, 0, 0, 0, 0x3e, 0x80, 0, 0, 0x1f, 0x40]);
    }

    #[test]
    fn what_is_no_second_is_refused_at_the_part_that_does_not_fit() {
        let codecs = [Codec::Pcma; 2];
        let gap = Gap { channel: 1, reason: Absence::NoAudio, first: 5, samples: 7 };
        let mut peaks = [[0; PEAKS]; 2];
        peaks[1][19] = 32_768;
        let frames = [0x55; 640];
        let trailer = encode_trailer(2, &[gap], &peaks);
        let header = encode_header(codecs, 8_000);
        let plain = [&header[..], &frames, &trailer].concat();
        let second = Second::decode(1, &plain, true).unwrap();
        assert_eq!((second.positions(), second.gaps, second.peaks), (320, vec![gap], Some(peaks)));
        let error = |chunk, bytes: &[u8], whole| Second::decode(chunk, bytes, whole).err();
        assert_eq!(error(2, &plain, true), Some(ChunkError::Header), "another second");
        assert_eq!(error(1, &plain[..23], true), Some(ChunkError::Header));
        assert_eq!(error(1, &plain[..plain.len() - 1], true), Some(ChunkError::Trailer));
        let short = [&header[..], &frames[..320], &trailer].concat();
        assert_eq!(error(1, &short, true), Some(ChunkError::Frames));
        let cut = Second::decode(1, &plain[..24 + 320 + 100], false).unwrap();
        assert_eq!((cut.positions(), cut.peaks), (160, None));
        assert_eq!(
            error(1, &[&header[..], &[0; 51 * 320]].concat(), false),
            Some(ChunkError::Frames)
        );
    }
}
