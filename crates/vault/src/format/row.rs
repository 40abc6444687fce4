//! A row of the chunk table: what became of one second of a recording.

use std::fmt;

use call::Digest;

/// Samples per second of the recording's clock. A chunk is one second.
pub const SAMPLES_PER_SECOND: u32 = 8_000;
/// The chunk in which names, numbers and signalling ids are sealed: the last leaf of the key tree.
pub const METADATA_CHUNK: u32 = 0xF_FFFF;
/// Bytes of a row.
pub(crate) const ROW_LENGTH: usize = 88;

/// Why a second has no chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Absence {
    /// A party was on hold: not needed for the purpose, so not recorded (law row L03).
    Hold = 1,
    /// Recording was paused.
    Pause = 2,
    /// Nobody sent audio.
    NoAudio = 3,
    /// The node lost it.
    Lost = 4,
    /// The permit does not let this party be heard.
    NotHeard = 5,
    /// The party was silent and its phone sent nothing on purpose, after comfort noise (RFC 3389).
    Rest = 6,
    /// No agent was known to talk to the customer, who waited, held or heard a menu (law row L03).
    NoAgent = 7,
}

impl Absence {
    /// Every reason.
    pub const ALL: [Self; 7] = [
        Self::Hold,
        Self::Pause,
        Self::NoAudio,
        Self::Lost,
        Self::NotHeard,
        Self::Rest,
        Self::NoAgent,
    ];

    /// The number in the format.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The reason of this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.number() == number)
    }

    /// Whether the audio was wanted and is missing (the others are meant).
    #[must_use]
    pub const fn is_loss(self) -> bool {
        match self {
            Self::Hold | Self::Pause | Self::NotHeard | Self::Rest | Self::NoAgent => false,
            Self::NoAudio | Self::Lost => true,
        }
    }
}

/// What stands behind a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// A whole chunk.
    Sealed,
    /// A chunk that a crash ended: whole segments, no end mark, no trailer.
    Cut,
    /// No chunk, and why.
    Absent(Absence),
}

impl State {
    const fn numbers(self) -> [u8; 2] {
        match self {
            Self::Sealed => [1, 0],
            Self::Cut => [2, 0],
            Self::Absent(reason) => [3, reason.number()],
        }
    }
}

/// One row, 88 bytes in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The second of the recording, or [`METADATA_CHUNK`].
    pub chunk: u32,
    /// What stands behind it.
    pub state: State,
    /// First sample of the second, at 8,000 Hz since the recording began.
    pub first_sample: u64,
    /// How many samples of the recording's time it covers.
    pub samples: u32,
    /// Bytes of ciphertext; zero when absent.
    pub length: u32,
    /// SHA-256 of the ciphertext; zero when absent.
    pub hash: Digest,
    /// Commitment to the chunk's key; zero when absent.
    pub commitment: Digest,
}

/// Bytes that are no row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowError;

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a row of the chunk table is damaged; compare the object with another copy of it",
        )
    }
}

impl std::error::Error for RowError {}

impl Row {
    /// The row of a second without a chunk.
    #[must_use]
    pub fn absent(chunk: u32, reason: Absence, samples: u32) -> Self {
        Self {
            chunk,
            state: State::Absent(reason),
            first_sample: first_sample(chunk),
            samples,
            length: 0,
            hash: Digest::from_bytes([0; 32]),
            commitment: Digest::from_bytes([0; 32]),
        }
    }

    /// The bytes of the row.
    #[must_use]
    pub fn encode(&self) -> [u8; ROW_LENGTH] {
        let mut bytes = [0; ROW_LENGTH];
        let [state, reason] = self.state.numbers();
        let parts = self
            .chunk
            .to_be_bytes()
            .into_iter()
            .chain([state, reason, 0, 0])
            .chain(self.first_sample.to_be_bytes())
            .chain(self.samples.to_be_bytes())
            .chain(self.length.to_be_bytes())
            .chain(*self.hash.as_bytes())
            .chain(*self.commitment.as_bytes());
        bytes.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
        bytes
    }

    /// Reads a row; every bit counts, so that what is read encodes to the same bytes.
    ///
    /// # Errors
    /// [`RowError`] when the bytes are no row.
    pub fn decode(bytes: &[u8; ROW_LENGTH]) -> Result<Self, RowError> {
        Self::read(bytes).filter(|row| row.encode() == *bytes).ok_or(RowError)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (chunk, rest) = bytes.split_first_chunk::<4>()?;
        let ([state, reason, _, _], rest) = rest.split_first_chunk::<4>()?;
        let (first_sample, rest) = rest.split_first_chunk::<8>()?;
        let (samples, rest) = rest.split_first_chunk::<4>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (hash, rest) = rest.split_first_chunk::<32>()?;
        let state = match state {
            1 => State::Sealed,
            2 => State::Cut,
            3 => State::Absent(Absence::from_number(*reason)?),
            _ => return None,
        };
        Some(Self {
            chunk: u32::from_be_bytes(*chunk),
            state,
            first_sample: u64::from_be_bytes(*first_sample),
            samples: u32::from_be_bytes(*samples),
            length: u32::from_be_bytes(*length),
            hash: Digest::from_bytes(*hash),
            commitment: Digest::from_bytes(*rest.first_chunk()?),
        })
    }
}

/// First sample of a chunk; zero for the metadata chunk, which is outside time.
pub(crate) fn first_sample(chunk: u32) -> u64 {
    if chunk == METADATA_CHUNK { 0 } else { u64::from(chunk) * u64::from(SAMPLES_PER_SECOND) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_reads_back_and_no_bit_of_it_is_ignored() {
        let row = Row {
            chunk: 7,
            state: State::Cut,
            first_sample: 56_000,
            samples: 1_600,
            length: 4_096,
            hash: Digest::from_bytes([1; 32]),
            commitment: Digest::from_bytes([2; 32]),
        };
        assert_eq!(Row::decode(&row.encode()), Ok(row));
        for bit in 0..ROW_LENGTH * 8 {
            let mut bytes = row.encode();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(Row::decode(&bytes), Ok(row), "bit {bit}");
        }
        for reason in Absence::ALL {
            let absent = Row::absent(3, reason, 8_000);
            assert_eq!(Row::decode(&absent.encode()), Ok(absent));
        }
    }
}
