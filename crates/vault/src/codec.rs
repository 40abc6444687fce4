//! How one channel is stored: G.711 as it came (ITU-T G.711), everything else as 16-bit samples, of
//! 8,000 or 16,000 a second.

use std::fmt;

use crate::format::row::SAMPLES_PER_SECOND;

/// The coding of a stored channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// G.711 A-law, one byte per sample.
    Pcma = 1,
    /// G.711 µ-law, one byte per sample.
    Pcmu = 2,
    /// Linear 16-bit, two bytes per sample, little-endian.
    Pcm16 = 3,
    /// The same with 16,000 samples a second: what has more to say than a telephone of G.711 can.
    Pcm16Wide = 4,
}

/// What a channel says at one position, an eighth of a millisecond: a code, and a second one where the
/// codec has two samples there.
#[cfg(feature = "storage")]
pub(crate) type Moment = [u16; 2];

impl Codec {
    /// Every codec.
    pub const ALL: [Self; 4] = [Self::Pcma, Self::Pcmu, Self::Pcm16, Self::Pcm16Wide];

    /// The number in the format.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The codec of this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| codec.number() == number)
    }

    /// The name used in manifest and catalogue.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pcma => "pcma",
            Self::Pcmu => "pcmu",
            Self::Pcm16 => "pcm16",
            Self::Pcm16Wide => "pcm16-16000",
        }
    }

    /// The codec of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| codec.as_str() == name)
    }

    /// Bytes of one position, an eighth of a millisecond.
    #[must_use]
    pub const fn width(self) -> usize {
        match self {
            Self::Pcma | Self::Pcmu => 1,
            Self::Pcm16 => 2,
            Self::Pcm16Wide => 4,
        }
    }

    /// Samples of one position: two where there are 16,000 a second.
    #[must_use]
    pub const fn samples(self) -> usize {
        match self {
            Self::Pcma | Self::Pcmu | Self::Pcm16 => 1,
            Self::Pcm16Wide => 2,
        }
    }

    /// Samples per second.
    #[must_use]
    pub const fn rate_hz(self) -> u32 {
        SAMPLES_PER_SECOND * self.samples() as u32
    }

    /// The code of silence.
    #[must_use]
    pub const fn silence(self) -> u16 {
        match self {
            Self::Pcma => 0xD5,
            Self::Pcmu => 0xFF,
            Self::Pcm16 | Self::Pcm16Wide => 0,
        }
    }

    /// The linear value of a code, -32768 to 32767 (G.711 codes scaled to 16 bits).
    #[must_use]
    pub const fn decode(self, code: u16) -> i16 {
        match self {
            Self::Pcma => decode_a(code as u8),
            Self::Pcmu => decode_u(code as u8),
            Self::Pcm16 | Self::Pcm16Wide => code as i16,
        }
    }

    /// The code nearest to a linear value.
    #[must_use]
    pub const fn encode(self, sample: i16) -> u16 {
        match self {
            Self::Pcma => encode_a(sample) as u16,
            Self::Pcmu => encode_u(sample) as u16,
            Self::Pcm16 | Self::Pcm16Wide => sample as u16,
        }
    }

    /// The codes in stored bytes; an odd last byte of a two-byte codec is dropped.
    pub(crate) fn codes(self, bytes: &[u8]) -> impl Iterator<Item = u16> {
        bytes.chunks_exact(self.width() / self.samples()).map(|code| match code {
            [low, high] => u16::from_le_bytes([*low, *high]),
            [one] => u16::from(*one),
            _ => 0,
        })
    }

    /// The greatest magnitude in stored bytes. What G.711 stores grows with it, the sign aside.
    #[cfg(feature = "storage")]
    pub(crate) fn loudest(self, bytes: &[u8]) -> u16 {
        let greatest = |flip: u8| {
            let code = bytes.iter().map(|code| (code ^ flip) & 0x7F).max();
            code.map_or(0, |code| self.decode(u16::from(code ^ flip)).unsigned_abs())
        };
        match self {
            Self::Pcma => greatest(0x55),
            Self::Pcmu => greatest(0xFF),
            Self::Pcm16 | Self::Pcm16Wide => {
                self.codes(bytes).map(|code| self.decode(code).unsigned_abs()).max().unwrap_or(0)
            }
        }
    }

    /// What stored bytes say, position by position.
    #[cfg(feature = "storage")]
    pub(crate) fn moments(self, bytes: &[u8]) -> impl Iterator<Item = Moment> {
        bytes.chunks_exact(self.width()).map(move |position| {
            let mut codes = self.codes(position);
            [codes.next().unwrap_or_default(), codes.next().unwrap_or_default()]
        })
    }

    /// Appends what is said at a position as it is stored.
    #[cfg(feature = "storage")]
    pub(crate) fn put(self, moment: Moment, to: &mut Vec<u8>) {
        for code in moment.into_iter().take(self.samples()) {
            let [low, high] = code.to_le_bytes();
            to.push(low);
            match self {
                Self::Pcma | Self::Pcmu => {}
                Self::Pcm16 | Self::Pcm16Wide => to.push(high),
            }
        }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// G.711 table 1: even bits are inverted, then sign, segment and step.
const fn decode_a(code: u8) -> i16 {
    let code = code ^ 0x55;
    let (segment, step) = ((code >> 4) & 7, (code & 15) as i16);
    let magnitude = match segment {
        0 => (step << 4) + 8,
        _ => ((step << 4) + 0x108) << (segment - 1),
    };
    if code & 0x80 != 0 { magnitude } else { -magnitude }
}

const fn encode_a(sample: i16) -> u8 {
    let (sign, magnitude) = if sample >= 0 { (0x80, sample) } else { (0, !sample) };
    let steps = (magnitude >> 4) as u16;
    let code = if steps < 32 {
        steps as u8
    } else {
        let segment = steps.ilog2() as u8 - 3;
        segment << 4 | (steps >> (segment - 1)) as u8 & 15
    };
    (sign | code) ^ 0x55
}

/// G.711 table 2: all bits are inverted; the magnitude is biased by 132 (at 16 bits).
const fn decode_u(code: u8) -> i16 {
    let code = !code;
    let (segment, step) = ((code >> 4) & 7, (code & 15) as i16);
    let magnitude = (((step << 3) + 132) << segment) - 132;
    if code & 0x80 != 0 { -magnitude } else { magnitude }
}

const fn encode_u(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let clipped = if sample.unsigned_abs() > 32_635 { 32_635 } else { sample.unsigned_abs() };
    let biased = clipped + 132;
    let segment = biased.ilog2() as u8 - 7;
    !(sign | segment << 4 | (biased >> (segment + 3)) as u8 & 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g_711_extremes_are_those_of_the_recommendation() {
        let a = |code| Codec::Pcma.decode(code);
        assert_eq!((a(0xD5), a(0x55), a(0xAA), a(0x2A)), (8, -8, 32_256, -32_256));
        let u = |code| Codec::Pcmu.decode(code);
        assert_eq!((u(0xFF), u(0x80), u(0x00)), (0, 32_124, -32_124));
    }

    #[test]
    fn every_code_survives_decoding_and_encoding() {
        for code in 0..=255 {
            assert_eq!(Codec::Pcma.encode(Codec::Pcma.decode(code)), code, "A-law {code:#x}");
            // µ-law has two zeros; the negative one becomes the positive one.
            let expected = if code == 0x7F { 0xFF } else { code };
            assert_eq!(Codec::Pcmu.encode(Codec::Pcmu.decode(code)), expected, "mu-law {code:#x}");
        }
    }

    #[test]
    fn the_loudest_code_is_found_without_decoding_the_others() {
        let codes: Vec<u8> = (0..=255).collect();
        for codec in Codec::ALL {
            assert_eq!(codec.loudest(&[]), 0);
            for from in 0..255 {
                for until in [from + 2, 256] {
                    let part = codes.get(from..until).unwrap_or_default();
                    let decoded = codec.codes(part).map(|code| codec.decode(code).unsigned_abs());
                    assert_eq!(codec.loudest(part), decoded.max().unwrap_or(0), "{codec}");
                }
            }
        }
    }

    #[test]
    fn every_sample_is_encoded_to_the_nearest_step() {
        for codec in [Codec::Pcma, Codec::Pcmu] {
            for sample in i16::MIN..=i16::MAX {
                let heard = i32::from(codec.decode(codec.encode(sample)));
                let error = (heard - i32::from(sample)).abs();
                // Half a step of the segment, and the clipped top of the scale.
                assert!(error <= 16 + i32::from(sample.unsigned_abs()) / 31, "{codec} {sample}");
            }
        }
    }
}
