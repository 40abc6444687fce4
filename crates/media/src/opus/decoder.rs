//! Decodes Opus to 16,000 Hz for a recording, away from the media threads.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

use ropus::{Channels, DecodeMode};

use super::packet::{LONGEST, SILENCE};

/// What is decoded to.
const RATE_HZ: u32 = 16_000;
/// So many packets of silence take the place of what the decoder remembers.
const FORGETS_AFTER: usize = 6;

/// One stream, mono whatever its sender made of it: a call has one channel for each party.
pub struct Decoder(Option<ropus::Decoder>);

impl Decoder {
    /// Samples of the longest packet.
    pub const LONGEST: usize = LONGEST as usize * 2;

    /// At the beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self(ropus::Decoder::new(RATE_HZ, Channels::Mono).ok())
    }

    /// Decodes a packet into `out`, which has room for [`Decoder::LONGEST`] samples, and says how many
    /// they are: none of one that is damaged.
    pub fn decode(&mut self, packet: &[u8], out: &mut [i16]) -> usize {
        self.run(packet, out, DecodeMode::Normal)
    }

    /// Fills `out` with what the packet before this one said, of which this one has a copy
    /// ([`super::packet::has_before`]).
    pub fn recover(&mut self, packet: &[u8], out: &mut [i16]) -> usize {
        self.run(packet, out, DecodeMode::Fec)
    }

    /// Lets time pass in which nothing came, as whoever listens does. What it makes up goes nowhere.
    pub fn miss(&mut self, out: &mut [i16]) {
        let _made_up = self.run(&[], out, DecodeMode::Normal);
        out.fill(0);
    }

    fn run(&mut self, packet: &[u8], out: &mut [i16], mode: DecodeMode) -> usize {
        let Some(decoder) = &mut self.0 else { return 0 };
        // What a peer sends must not end the recordings of others, whatever a decoder makes of it.
        match catch_unwind(AssertUnwindSafe(|| decoder.decode(packet, out, mode))) {
            Ok(decoded) => decoded.unwrap_or(0),
            Err(_) => {
                *self = Self::new();
                0
            }
        }
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        let mut out = [0; Self::LONGEST];
        for _ in 0..FORGETS_AFTER {
            self.decode(&SILENCE, &mut out);
        }
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Decoder")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_packet_of_opus_gives_no_sound_and_does_no_harm() {
        let mut decoder = Decoder::new();
        let mut out = [0; Decoder::LONGEST];
        // A linear congruential generator (Knuth, MMIX), so that it fails again where it has failed.
        let mut chance = 7_u64;
        for length in (1..200).chain([1_275, 1_400]).cycle().take(3_000) {
            let junk: Vec<u8> = (0..length)
                .map(|_| {
                    chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    (chance >> 56) as u8
                })
                .collect();
            assert!(decoder.decode(&junk, &mut out) <= Decoder::LONGEST);
        }
        assert_eq!(decoder.decode(&SILENCE, &mut out), 320);
    }
}
