//! Sound that is played, encoded when it is loaded: never while a call waits for it.

use std::sync::Arc;

use ropus::{OPUS_APPLICATION_RESTRICTED_LOWDELAY, OpusEncoder};

use super::packet::SILENCE;

/// Ticks of 8,000 Hz of a packet: 20 ms.
pub(crate) const TICKS: usize = 160;
/// Bytes of a packet: 48 kbit/s, at which nobody hears that it was encoded.
const BYTES: usize = 120;
const BITS_PER_SECOND: i32 = 48_000;
const RATE_HZ: i32 = 8_000;

/// Packets of 20 ms, each of which can be understood without those before: they are begun, broken off
/// and repeated anywhere, by decoders that remember something else. Cloning shares them.
#[derive(Clone, Default)]
pub(crate) struct Packets(Arc<[u8]>);

impl Packets {
    /// Encodes linear samples at 8,000 Hz; nothing if they cannot be, which plays as silence.
    pub(crate) fn encode(samples: &[i16]) -> Self {
        encoded(samples).map(|bytes| Self(bytes.into())).unwrap_or_default()
    }

    /// The packet in which a sample lies; silence past the end.
    pub(crate) fn at(&self, sample: u32) -> &[u8] {
        let first = sample as usize / TICKS * BYTES;
        self.0.get(first..first + BYTES).unwrap_or(&SILENCE)
    }
}

fn encoded(samples: &[i16]) -> Result<Vec<u8>, i32> {
    // CELT alone: no delay worth mentioning, and tones and music as well as speech.
    let mut encoder = OpusEncoder::new(RATE_HZ, 1, OPUS_APPLICATION_RESTRICTED_LOWDELAY)?;
    for refused in [
        encoder.set_bitrate(BITS_PER_SECOND),
        encoder.set_vbr(0),
        // Each packet by itself.
        encoder.set_prediction_disabled(1),
    ] {
        if refused != 0 {
            return Err(refused);
        }
    }
    let mut all = Vec::with_capacity(samples.len().div_ceil(TICKS) * BYTES);
    for part in samples.chunks(TICKS) {
        let (mut frame, mut packet) = ([0; TICKS], [0; BYTES]);
        for (place, sample) in frame.iter_mut().zip(part) {
            *place = *sample;
        }
        let length = encoder.encode(&frame, TICKS as i32, &mut packet, BYTES as i32)?;
        if usize::try_from(length) != Ok(BYTES) {
            return Err(length);
        }
        all.extend(packet);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::opus::{decoder::Decoder, packet::ticks};

    fn sine(hertz: f64, length: usize) -> Vec<i16> {
        let wave = |n: usize| (std::f64::consts::TAU * hertz * n as f64 / 8_000.0).sin() * 8_000.0;
        (0..length).map(|n| wave(n) as i16).collect()
    }

    /// The share of a frequency in 16,000 Hz (Goertzel).
    fn share(samples: &[i16], hertz: f64) -> f64 {
        let coefficient = 2.0 * (std::f64::consts::TAU * hertz / 16_000.0).cos();
        let step = |(s1, s2): (f64, f64), x: &i16| (f64::from(*x) + coefficient * s1 - s2, s1);
        let (s1, s2) = samples.iter().fold((0.0, 0.0), step);
        let energy: f64 = samples.iter().map(|x| f64::from(*x).powi(2)).sum();
        let power = s1 * s1 + s2 * s2 - coefficient * s1 * s2;
        power * 2.0 / (energy.max(1.0) * samples.len() as f64)
    }

    #[test]
    fn each_packet_is_understood_by_a_decoder_that_has_heard_something_else() {
        let (tone, other) =
            (Packets::encode(&sine(1_000.0, 8_000)), Packets::encode(&sine(440.0, 800)));
        let mut decoder = Decoder::new();
        let mut out = [0; 1_920];
        for packet in [5, 6, 7] {
            for n in 0..5 {
                assert_eq!(decoder.decode(other.at(n * 160), &mut out), 320);
            }
            // The first overlaps with what was before; what follows is the tone and little else.
            decoder.decode(tone.at(packet * 160), &mut out);
            decoder.decode(tone.at((packet + 1) * 160 + 159), &mut out);
            let share = share(&out[..320], 1_000.0);
            assert!(share > 0.98, "{share}");
            let level =
                (out[..320].iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / 320.0).sqrt();
            assert!((level / 5_657.0 - 1.0).abs() < 0.1, "{level}");
        }
    }

    #[test]
    fn the_last_packet_is_filled_up_and_behind_it_is_silence() {
        let packets = Packets::encode(&sine(1_000.0, 161));
        assert_eq!([0, 160, 320].map(|at| packets.at(at).len()), [BYTES, BYTES, SILENCE.len()]);
        assert!([0, 160, 320].iter().all(|at| ticks(packets.at(*at)) == Some(160)));
        assert_eq!(Packets::encode(&[]).at(0), SILENCE);
    }
}
