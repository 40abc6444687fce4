//! G.711: A-law and µ-law to and from linear samples, to each other, and laid over each other.

#![allow(clippy::indexing_slicing, reason = "a table of 256 entries has one for every byte")]

/// The two codings of ITU-T G.711; every sample is one byte at 8,000 Hz.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Law {
    /// A-law.
    A,
    /// µ-law.
    U,
}

impl Law {
    /// The byte that sounds like nothing.
    #[must_use]
    pub const fn silence(self) -> u8 {
        match self {
            Self::A => 0xD5,
            Self::U => 0xFF,
        }
    }

    /// One sample to linear 16 bit.
    #[must_use]
    pub fn decode(self, byte: u8) -> i16 {
        self.linear()[usize::from(byte)]
    }

    /// One linear 16-bit sample to this coding.
    #[must_use]
    pub const fn encode(self, sample: i16) -> u8 {
        match self {
            Self::A => encode_a(sample),
            Self::U => encode_u(sample),
        }
    }

    const fn linear(self) -> &'static [i16; 256] {
        match self {
            Self::A => &LINEAR_A,
            Self::U => &LINEAR_U,
        }
    }

    /// Rewrites `payload` from this coding to `to`, in place.
    pub fn translate(self, to: Self, payload: &mut [u8]) {
        let table = match (self, to) {
            (Self::A, Self::U) => &A_TO_U,
            (Self::U, Self::A) => &U_TO_A,
            (Self::A, Self::A) | (Self::U, Self::U) => return,
        };
        for byte in payload {
            *byte = table[usize::from(*byte)];
        }
    }

    /// Lays `over` on `payload`, which is lowered by 12 dB (a quarter), in place. Both are in this
    /// coding; what goes beyond the range is clipped. What `over` does not reach stays as it is.
    pub fn mix(self, payload: &mut [u8], over: &[u8]) {
        let linear = self.linear();
        for (byte, over) in payload.iter_mut().zip(over) {
            let below = linear[usize::from(*byte)] / 4;
            *byte = self.encode(below.saturating_add(linear[usize::from(*over)]));
        }
    }
}

/// Linear 16 bit to A-law (G.711 table 1, even bits inverted).
#[must_use]
pub const fn encode_a(sample: i16) -> u8 {
    let (magnitude, mask) =
        if sample >= 0 { (sample as u16, 0xD5) } else { (!sample as u16, 0x55_u8) };
    let code = if magnitude < 0x100 {
        (magnitude >> 4) as u8
    } else {
        let segment = magnitude.ilog2() - 7;
        ((segment as u8) << 4) | ((magnitude >> (segment + 3)) & 0x0F) as u8
    };
    code ^ mask
}

/// A-law to linear 16 bit: the middle of the interval.
#[must_use]
pub const fn decode_a(byte: u8) -> i16 {
    let code = byte ^ 0x55;
    let (step, segment) = (((code & 0x0F) as i16) << 4, (code & 0x70) >> 4);
    let magnitude = if segment == 0 { step + 8 } else { (step + 0x108) << (segment - 1) };
    if code & 0x80 != 0 { magnitude } else { -magnitude }
}

/// What µ-law adds to a magnitude, so that each segment starts at a power of two.
const BIAS: u16 = 0x84;

/// Linear 16 bit to µ-law (G.711 table 2, all bits inverted).
#[must_use]
pub const fn encode_u(sample: i16) -> u8 {
    let mask = if sample >= 0 { 0xFF } else { 0x7F };
    let magnitude = sample.unsigned_abs();
    // 32,635 is the largest magnitude whose biased value still fits the last segment.
    let biased = (if magnitude > 32_635 { 32_635 } else { magnitude }) + BIAS;
    let segment = biased.ilog2() - 7;
    (((segment as u8) << 4) | ((biased >> (segment + 3)) & 0x0F) as u8) ^ mask
}

/// µ-law to linear 16 bit: the middle of the interval.
#[must_use]
pub const fn decode_u(byte: u8) -> i16 {
    let code = !byte;
    let (step, segment) = (((code & 0x0F) as i16) << 3, (code & 0x70) >> 4);
    let magnitude = ((step + BIAS as i16) << segment) - BIAS as i16;
    if code & 0x80 != 0 { -magnitude } else { magnitude }
}

const LINEAR_A: [i16; 256] = {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = decode_a(code as u8);
        code += 1;
    }
    table
};

const LINEAR_U: [i16; 256] = {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = decode_u(code as u8);
        code += 1;
    }
    table
};

const A_TO_U: [u8; 256] = {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = encode_u(decode_a(code as u8));
        code += 1;
    }
    table
};

const U_TO_A: [u8; 256] = {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = encode_a(decode_u(code as u8));
        code += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives_decoding_and_encoding() {
        for code in 0..=u8::MAX {
            assert_eq!(encode_a(decode_a(code)), code);
            // µ-law has two zeros; the negative one becomes the positive one.
            assert_eq!(encode_u(decode_u(code)), if code == 0x7F { 0xFF } else { code });
        }
    }

    #[test]
    fn the_decision_and_output_values_are_those_of_the_recommendation() {
        // G.711 tables 1a and 2a: the outermost and innermost output values, scaled to 16 bit.
        assert_eq!((decode_a(0xAA), decode_a(0x2A)), (32_256, -32_256));
        assert_eq!((decode_a(0xD5), decode_a(0x55)), (8, -8));
        assert_eq!((decode_u(0x80), decode_u(0x00)), (32_124, -32_124));
        assert_eq!((decode_u(0xFF), decode_u(0x7F)), (0, 0));
        assert_eq!((encode_a(i16::MAX), encode_a(i16::MIN)), (0xAA, 0x2A));
        assert_eq!((encode_u(i16::MAX), encode_u(i16::MIN)), (0x80, 0x00));
    }

    #[test]
    fn louder_samples_never_get_quieter_codes_and_stay_within_half_a_step() {
        for codec in [Law::A, Law::U] {
            let mut before = i16::MIN;
            for sample in i16::MIN..=i16::MAX {
                let got = codec.decode(codec.encode(sample));
                assert!(got >= before, "{codec:?} {sample}");
                before = got;
                // Half the step of the segment: 1/32 of its far end, or the clipped end.
                let size = sample.unsigned_abs();
                let step = (u32::from(size) + 132).next_power_of_two() / 16;
                let clipped = size > 32_256;
                assert!(u32::from(got.abs_diff(sample)) <= step.max(16) / 2 || clipped, "{sample}");
            }
        }
    }

    #[test]
    fn translation_keeps_the_sound() {
        for code in 0..=u8::MAX {
            for (from, to) in [(Law::A, Law::U), (Law::U, Law::A)] {
                let mut payload = [code];
                from.translate(to, &mut payload);
                let (was, is) = (i32::from(from.decode(code)), i32::from(to.decode(payload[0])));
                assert!((was - is).abs() <= 8.max(was.abs() / 24), "{was} {is}");
            }
        }
    }

    #[test]
    fn a_mix_clips_instead_of_wrapping() {
        for codec in [Law::A, Law::U] {
            let mut loud = [codec.encode(i16::MAX), codec.encode(i16::MIN)];
            codec.mix(&mut loud, &[codec.encode(i16::MAX), codec.encode(i16::MIN)]);
            assert_eq!(loud, [codec.encode(i16::MAX), codec.encode(i16::MIN)]);
        }
    }
}
