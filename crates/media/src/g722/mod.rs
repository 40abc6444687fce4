//! G.722 at 64 kbit/s (ITU-T G.722): two ADPCM bands, each half of 16,000 samples per second.

mod band;
mod filter;
mod table;

use self::{band::Band, filter::Synthesis};

/// Makes narrow sound of G.722: the lower band, 0 to 4,000 Hz, which is a signal of 8,000 samples
/// per second already. What a telephone of G.711 hears of a call in G.722.
#[derive(Clone, Debug)]
pub struct NarrowDecoder {
    low: Band,
}

impl Default for NarrowDecoder {
    fn default() -> Self {
        Self { low: Band::low() }
    }
}

impl NarrowDecoder {
    /// The next sample at 8,000 Hz, 16 bits.
    pub fn decode(&mut self, byte: u8) -> i16 {
        saturate(self.low.decode_low(byte) << 1)
    }
}

/// Makes wide sound of G.722.
#[derive(Clone, Debug)]
pub struct WideDecoder {
    low: Band,
    high: Band,
    synthesis: Synthesis,
}

impl Default for WideDecoder {
    fn default() -> Self {
        Self { low: Band::low(), high: Band::high(), synthesis: Synthesis::default() }
    }
}

impl WideDecoder {
    /// The next two samples at 16,000 Hz, 16 bits.
    pub fn decode(&mut self, byte: u8) -> [i16; 2] {
        self.decode_both(byte).0
    }

    /// The same, and what a [`NarrowDecoder`] makes of the byte.
    pub fn decode_both(&mut self, byte: u8) -> ([i16; 2], i16) {
        let low = self.low.decode_low(byte);
        let high = self.high.decode_high(byte);
        (self.synthesis.join(low, high).map(saturate), saturate(low << 1))
    }
}

/// Makes G.722 of narrow sound: the upper band is silent.
#[derive(Clone, Debug)]
pub struct Encoder {
    low: Band,
}

impl Default for Encoder {
    fn default() -> Self {
        Self { low: Band::low() }
    }
}

impl Encoder {
    /// The byte of the next sample at 8,000 Hz, 16 bits.
    pub fn encode(&mut self, sample: i16) -> u8 {
        self.low.encode_low(i32::from(sample) >> 1) | table::HIGH_AT_REST
    }
}

fn saturate(value: i32) -> i16 {
    i16::try_from(value).unwrap_or(if value < 0 { i16::MIN } else { i16::MAX })
}

#[cfg(test)]
mod tests;
