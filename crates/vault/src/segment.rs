//! Google Tink's streaming AEAD `AES256_GCM_HKDF_4KB`, made with `ring`, segment by segment.

use std::fmt;

use ring::aead::{Aad, LessSafeKey, Nonce};
use zeroize::{Zeroizing, optimization_barrier};

use crate::{
    secret::{CipherError, Secret},
    shelf::{Blank, Shelf},
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

/// Plaintext of a segment in the making lies in pieces of so many bytes. A call adds to its segment
/// for a quarter of a second, and in pieces it holds half a segment on the average and not all of it.
const PIECE: usize = 512;

/// A part of a segment in the making; it is wiped when it goes.
pub(crate) struct Piece {
    bytes: [u8; PIECE],
    used: usize,
}

impl Blank for Piece {
    fn new() -> Self {
        Self { bytes: [0; PIECE], used: 0 }
    }

    fn wipe(&mut self) {
        // Every byte of a recording passes here: many at once, and nothing leaves that out.
        self.bytes.fill(0);
        optimization_barrier(&self.bytes);
        self.used = 0;
    }
}

impl Piece {
    /// Takes as much as there is room for, and gives back the rest.
    fn take<'a>(&mut self, data: &'a [u8]) -> &'a [u8] {
        let room = self.bytes.get_mut(self.used..).unwrap_or_default();
        let (now, later) = data.split_at(data.len().min(room.len()));
        room.iter_mut().zip(now).for_each(|(to, from)| *to = *from);
        self.used += now.len();
        later
    }

    fn clear(&self) -> &[u8] {
        self.bytes.get(..self.used).unwrap_or_default()
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.wipe();
    }
}

/// Seals one stream. A whole segment is given out at once, so that what was said a quarter of a
/// second ago no longer exists as plaintext.
pub struct Sealer {
    /// As it is: what the cipher makes of it is 17 times as long, and made anew for each segment, of
    /// which there are four in a second.
    key: Secret,
    stream: StreamSalt,
    index: u32,
    /// Plaintext that is in no sealed segment yet.
    #[expect(
        clippy::vec_box,
        reason = "they stay where they are: what is moved leaves copies behind"
    )]
    pieces: Vec<Box<Piece>>,
    length: usize,
    empty: Shelf<Piece>,
}

impl Sealer {
    /// Begins a stream under a key that seals nothing else.
    #[must_use]
    pub fn new(key: &ChunkKey, associated: &[u8], stream: &StreamSalt) -> Self {
        let key = stream_key(key, &stream.salt, associated);
        let pieces = Vec::with_capacity(SEGMENT_LENGTH / PIECE);
        let empty = Shelf::default();
        Self { key, stream: *stream, index: 0, pieces, length: 0, empty }
    }

    /// The same on pieces that others use, too.
    pub(crate) fn share(self, empty: Shelf<Piece>) -> Self {
        Self { empty, ..self }
    }

    /// Bytes of the stream header in front of the segment in the making.
    const fn ahead(&self) -> usize {
        if self.index == 0 { HEADER_LENGTH } else { 0 }
    }

    fn room(&self) -> usize {
        (SEGMENT_LENGTH - TAG_LENGTH).saturating_sub(self.ahead() + self.length)
    }

    /// Adds to the segment in the making, which has room for it.
    fn add(&mut self, data: &[u8]) {
        self.length += data.len();
        let mut rest = self.pieces.last_mut().map_or(data, |piece| piece.take(data));
        while !rest.is_empty() {
            let mut piece = self.empty.take();
            rest = piece.take(rest);
            self.pieces.push(piece);
        }
    }

    /// Adds plaintext that more will follow. Every segment that becomes full goes to `out`.
    ///
    /// # Errors
    /// [`CipherError`] when the cipher does not work.
    pub fn push(&mut self, data: &[u8], out: &mut Vec<Segment>) -> Result<(), CipherError> {
        let mut rest = data;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(self.room()));
            self.add(now);
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
            self.add(now);
            rest = later;
            out.push(self.seal(false)?);
        }
        self.add(rest);
        out.push(self.seal(true)?);
        Ok(())
    }

    fn seal(&mut self, last: bool) -> Result<Segment, CipherError> {
        let ahead = self.ahead();
        // As long as it becomes, so that nothing of it is ever moved, and wiped unless it is sealed.
        let mut bytes = Zeroizing::new(Vec::with_capacity(ahead + self.length + TAG_LENGTH));
        if ahead > 0 {
            bytes.push(HEADER_LENGTH as u8);
            bytes.extend_from_slice(&self.stream.salt);
            bytes.extend_from_slice(&self.stream.nonce_prefix);
        }
        for piece in self.pieces.drain(..) {
            bytes.extend_from_slice(piece.clear());
            self.empty.give_back(piece);
        }
        self.length = 0;
        let clear = bytes.get_mut(ahead..).ok_or(CipherError)?;
        let nonce = nonce(&self.stream.nonce_prefix, self.index, last);
        let tag = self
            .key
            .aes()?
            .seal_in_place_separate_tag(nonce, Aad::empty(), clear)
            .map_err(|_| CipherError)?;
        bytes.extend_from_slice(tag.as_ref());
        let segment = Segment { index: self.index, last, bytes: std::mem::take(&mut *bytes) };
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
