//! Google Tink's streaming AEAD `AES256_GCM_HKDF_4KB`, made with `ring`, segment by segment.

use std::fmt;

use ring::aead::{Aad, LessSafeKey, Nonce};
use zeroize::Zeroizing;

use crate::{
    secret::{CipherError, Secret},
    tree::ChunkKey,
};

/// Ciphertext bytes of a whole segment.
pub(crate) const SEGMENT_LENGTH: usize = 4096;
/// The stream header in front of the first segment: its own length, salt and nonce prefix.
pub(crate) const HEADER_LENGTH: usize = 40;
/// The GCM tag behind every segment.
pub(crate) const TAG_LENGTH: usize = 16;

/// Salt and nonce prefix of one stream. Both are public; under one chunk key they are used once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamSalt {
    /// HKDF salt.
    pub salt: [u8; 32],
    /// The first seven bytes of every nonce.
    pub nonce_prefix: [u8; 7],
}

/// One sealed segment, ready to be written; the first carries the stream header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Place in the stream, counted from 0.
    pub index: u32,
    /// Whether the stream ends here.
    pub last: bool,
    /// Ciphertext and tag.
    pub bytes: Vec<u8>,
}

/// Why a stream does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// The stream header is missing or not one of this layout.
    Header,
    /// This segment is altered, cut off, out of place, or sealed with another key.
    Segment(u32),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => f.write_str(
                "the chunk has no stream header; it was altered or cut off. Compare it with \
                 another copy",
            ),
            Self::Segment(index) => write!(
                f,
                "segment {index} does not open; it was altered, cut off or moved. Compare it with \
                 another copy"
            ),
        }
    }
}

impl std::error::Error for OpenError {}

fn nonce(prefix: &[u8; 7], index: u32, last: bool) -> Nonce {
    let [p0, p1, p2, p3, p4, p5, p6] = *prefix;
    let [i0, i1, i2, i3] = index.to_be_bytes();
    Nonce::assume_unique_for_key([p0, p1, p2, p3, p4, p5, p6, i0, i1, i2, i3, u8::from(last)])
}

/// The key of one stream: the associated data is bound here, through HKDF's info.
fn stream_key(key: &ChunkKey, salt: &[u8; 32], associated: &[u8]) -> Secret {
    key.secret().hkdf(salt, &[associated])
}

/// Seals one stream. A whole segment is given out at once, so that what was said a quarter of a
/// second ago no longer exists as plaintext.
pub struct Sealer {
    key: LessSafeKey,
    prefix: [u8; 7],
    index: u32,
    /// Stream header (first segment only), then plaintext; sealed in place.
    buffer: Zeroizing<Vec<u8>>,
    clear_from: usize,
}

impl Sealer {
    /// Begins a stream under a key that seals nothing else.
    ///
    /// # Errors
    /// [`CipherError`] when the cipher does not work.
    pub fn new(
        key: &ChunkKey,
        associated: &[u8],
        stream: &StreamSalt,
    ) -> Result<Self, CipherError> {
        let mut buffer = Zeroizing::new(Vec::with_capacity(SEGMENT_LENGTH));
        buffer.push(HEADER_LENGTH as u8);
        buffer.extend_from_slice(&stream.salt);
        buffer.extend_from_slice(&stream.nonce_prefix);
        let key = stream_key(key, &stream.salt, associated).aes()?;
        let prefix = stream.nonce_prefix;
        Ok(Self { key, prefix, index: 0, buffer, clear_from: HEADER_LENGTH })
    }

    fn room(&self) -> usize {
        (SEGMENT_LENGTH - TAG_LENGTH).saturating_sub(self.buffer.len())
    }

    /// Adds plaintext that more will follow. Every segment that becomes full goes to `out`.
    ///
    /// # Errors
    /// [`CipherError`] when the cipher does not work.
    pub fn push(&mut self, data: &[u8], out: &mut Vec<Segment>) -> Result<(), CipherError> {
        let mut rest = data;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(self.room()));
            self.buffer.extend_from_slice(now);
            rest = later;
            if self.room() == 0 {
                out.push(self.seal(false)?);
            }
        }
        Ok(())
    }

    /// Adds the end of the plaintext and seals the last segment. `data` is not empty, unless the
    /// whole stream is.
    ///
    /// # Errors
    /// [`CipherError`] when the cipher does not work.
    pub fn finish(mut self, data: &[u8], out: &mut Vec<Segment>) -> Result<(), CipherError> {
        let mut rest = data;
        while rest.len() > self.room() {
            let (now, later) = rest.split_at(self.room());
            self.buffer.extend_from_slice(now);
            rest = later;
            out.push(self.seal(false)?);
        }
        self.buffer.extend_from_slice(rest);
        out.push(self.seal(true)?);
        Ok(())
    }

    fn seal(&mut self, last: bool) -> Result<Segment, CipherError> {
        let clear = self.buffer.get_mut(self.clear_from..).ok_or(CipherError)?;
        let nonce = nonce(&self.prefix, self.index, last);
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce, Aad::empty(), clear)
            .map_err(|_| CipherError)?;
        self.buffer.extend_from_slice(tag.as_ref());
        let bytes = std::mem::replace(&mut *self.buffer, Vec::with_capacity(SEGMENT_LENGTH));
        self.clear_from = 0;
        let segment = Segment { index: self.index, last, bytes };
        self.index = self.index.checked_add(1).ok_or(CipherError)?;
        Ok(segment)
    }
}

/// Opens the segments of one stream, in any order.
pub struct Opener {
    key: LessSafeKey,
    prefix: [u8; 7],
}

impl Opener {
    /// Reads the stream header, the first 40 bytes of a stream.
    ///
    /// # Errors
    /// [`OpenError::Header`] when it is not one.
    pub fn new(key: &ChunkKey, associated: &[u8], stream: &[u8]) -> Result<Self, OpenError> {
        let header: &[u8; HEADER_LENGTH] = stream.first_chunk().ok_or(OpenError::Header)?;
        let (length, rest) = header.split_first().ok_or(OpenError::Header)?;
        if usize::from(*length) != HEADER_LENGTH {
            return Err(OpenError::Header);
        }
        let salt: [u8; 32] = *rest.first_chunk().ok_or(OpenError::Header)?;
        let prefix: [u8; 7] = *rest.last_chunk().ok_or(OpenError::Header)?;
        let key = stream_key(key, &salt, associated).aes().map_err(|_| OpenError::Header)?;
        Ok(Self { key, prefix })
    }

    /// Opens segment `index` in place (without the stream header); gives its plaintext.
    ///
    /// # Errors
    /// [`OpenError::Segment`] when it does not open.
    pub fn open<'a>(
        &self,
        index: u32,
        last: bool,
        sealed: &'a mut [u8],
    ) -> Result<&'a mut [u8], OpenError> {
        self.key
            .open_in_place(nonce(&self.prefix, index, last), Aad::empty(), sealed)
            .map_err(|_| OpenError::Segment(index))
    }
}

/// Opens a stream of one chunk. `whole` streams must end with a segment marked as the last; a
/// stream that is not whole (a chunk cut by a crash) has only full segments, none marked.
///
/// # Errors
/// [`OpenError`] names the first segment that does not open; nothing is given out then.
pub fn open_stream(
    key: &ChunkKey,
    associated: &[u8],
    stream: &[u8],
    whole: bool,
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let opener = Opener::new(key, associated, stream)?;
    let count = stream.len().div_ceil(SEGMENT_LENGTH);
    let mut plain = Zeroizing::new(Vec::with_capacity(stream.len()));
    let mut scratch = Zeroizing::new(Vec::with_capacity(SEGMENT_LENGTH));
    for (place, segment) in stream.chunks(SEGMENT_LENGTH).enumerate() {
        let index = u32::try_from(place).map_err(|_| OpenError::Header)?;
        let sealed = if place == 0 { segment.get(HEADER_LENGTH..) } else { Some(segment) };
        scratch.clear();
        scratch.extend_from_slice(sealed.ok_or(OpenError::Header)?);
        let last = whole && place + 1 == count;
        plain.extend_from_slice(opener.open(index, last, &mut scratch)?);
    }
    Ok(plain)
}
