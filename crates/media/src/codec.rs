//! The codecs that a leg can agree on, and how long their payloads last.

use crate::{g711::Law, opus};

/// An audio codec. But for Opus it has 64 kbit/s, one byte per tick of 125 µs, so that a length in
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
    /// Opus (RFC 7587): its packets say how long they last, and its clock is 48,000 Hz.
    Opus,
}

impl Codec {
    /// Every codec.
    pub const ALL: [Self; 4] = [Self::Pcma, Self::Pcmu, Self::G722, Self::Opus];

    /// The static payload type (RFC 3551 table 4), or for Opus, which has none, the usual one.
    #[must_use]
    pub const fn usual_payload_type(self) -> u8 {
        match self {
            Self::Pcma => 8,
            Self::Pcmu => 0,
            Self::G722 => 9,
            Self::Opus => 111,
        }
    }

    /// Its law, when it is G.711.
    #[must_use]
    pub const fn law(self) -> Option<Law> {
        match self {
            Self::Pcma => Some(Law::A),
            Self::Pcmu => Some(Law::U),
            Self::G722 | Self::Opus => None,
        }
    }

    /// How many ticks of its RTP clock last as long as one of 8,000 Hz.
    #[must_use]
    pub const fn clock_ratio(self) -> u32 {
        match self {
            Self::Pcma | Self::Pcmu | Self::G722 => 1,
            Self::Opus => opus::clock::RATIO,
        }
    }

    /// How many ticks of 8,000 Hz a payload lasts; `None` when it is no payload of this codec.
    #[must_use]
    pub fn ticks(self, payload: &[u8]) -> Option<usize> {
        match self {
            Self::Pcma | Self::Pcmu | Self::G722 => Some(payload.len()),
            Self::Opus => opus::packet::ticks(payload).map(|ticks| ticks as usize),
        }
    }

    /// The byte that sounds like nothing. Opus has none: a payload of it is whole or nothing.
    #[must_use]
    pub const fn silence(self) -> u8 {
        match self {
            Self::Pcma => Law::A.silence(),
            Self::Pcmu => Law::U.silence(),
            // The smallest step of both bands, which makes the next ones smaller.
            Self::G722 => 0xFD,
            Self::Opus => 0,
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
