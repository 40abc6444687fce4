//! The codecs that a leg can agree on. Each has one byte for each tick of its RTP clock of 8,000 Hz.

use crate::g711::Law;

/// An audio codec of 64 kbit/s. Its payloads have one byte per tick of 125 µs, so that a length in
/// bytes is a length in time whatever the codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// G.711 A-law, static payload type 8 (RFC 3551 §6).
    Pcma,
    /// G.711 µ-law, static payload type 0 (RFC 3551 §6).
    Pcmu,
    /// G.722 at 64 kbit/s, static payload type 9: two samples of 16,000 Hz in a byte, under a clock
    /// that is 8,000 Hz by a mistake which RFC 3551 §4.5.2 keeps.
    G722,
}

impl Codec {
    /// Every codec.
    pub const ALL: [Self; 3] = [Self::Pcma, Self::Pcmu, Self::G722];

    /// The static payload type (RFC 3551 table 4).
    #[must_use]
    pub const fn static_payload_type(self) -> u8 {
        match self {
            Self::Pcma => 8,
            Self::Pcmu => 0,
            Self::G722 => 9,
        }
    }

    /// Its law, when it is G.711.
    #[must_use]
    pub const fn law(self) -> Option<Law> {
        match self {
            Self::Pcma => Some(Law::A),
            Self::Pcmu => Some(Law::U),
            Self::G722 => None,
        }
    }

    /// The byte that sounds like nothing.
    #[must_use]
    pub const fn silence(self) -> u8 {
        match self {
            Self::Pcma => Law::A.silence(),
            Self::Pcmu => Law::U.silence(),
            // The smallest step of both bands, which makes the next ones smaller.
            Self::G722 => 0xFD,
        }
    }
}

impl From<Law> for Codec {
    fn from(law: Law) -> Self {
        match law {
            Law::A => Self::Pcma,
            Law::U => Self::Pcmu,
        }
    }
}
