//! Measures sound: tones, levels, and where a tone begins.

use std::f64::consts::TAU;

/// A sine of `hz` at 8 kHz with this peak (full scale 32,767).
#[must_use]
pub fn tone(hz: f64, millis: u32, peak: f64) -> Vec<i16> {
    tone_at(hz, millis, peak, 8_000)
}

/// The same at another rate.
#[must_use]
pub fn tone_at(hz: f64, millis: u32, peak: f64, rate_hz: u32) -> Vec<i16> {
    let turn = hz * TAU / f64::from(rate_hz);
    let count = millis * (rate_hz / 1_000);
    (0..count).map(|n| ((f64::from(n) * turn).sin() * peak) as i16).collect()
}

/// How much of the power of `samples` at 8 kHz lies at `hz`: 0 to 1.
#[must_use]
pub fn share(samples: &[i16], hz: f64) -> f64 {
    share_at(samples, hz, 8_000.0)
}

/// The same at any rate (Goertzel).
#[must_use]
pub fn share_at(samples: &[i16], hz: f64, rate: f64) -> f64 {
    let energy: f64 = samples.iter().map(|s| f64::from(*s) * f64::from(*s)).sum();
    if samples.is_empty() || energy < 1.0 {
        return 0.0;
    }
    let coefficient = 2.0 * (TAU * hz / rate).cos();
    let (mut one, mut two) = (0.0, 0.0);
    for sample in samples {
        (one, two) = (f64::from(*sample) + coefficient * one - two, one);
    }
    let power = one * one + two * two - coefficient * one * two;
    power * 2.0 / (energy * samples.len() as f64)
}

/// The root mean square.
#[must_use]
pub fn level(samples: &[i16]) -> f64 {
    if samples.is_empty() {
        return 0.0;
    }
    let energy: f64 = samples.iter().map(|s| f64::from(*s) * f64::from(*s)).sum();
    (energy / samples.len() as f64).sqrt()
}

/// The sample at which `hz` begins, to within 5 ms; `None` when it is nowhere.
#[must_use]
pub fn begins(samples: &[i16], hz: f64) -> Option<usize> {
    samples
        .windows(160)
        .step_by(40)
        .position(|window| level(window) > 300.0 && share(window, hz) > 0.8)
        .map(|index| index * 40)
}

/// The share of 20 ms windows in which `hz` is heard.
#[must_use]
pub fn heard(samples: &[i16], hz: f64) -> f64 {
    let windows = samples.chunks_exact(160);
    let count = windows.len().max(1);
    let with = windows.filter(|w| level(w) > 300.0 && share(w, hz) > 0.8).count();
    with as f64 / count as f64
}

/// Encodes a sample as A-law (ITU-T G.711).
#[must_use]
pub fn encode_a(sample: i16) -> u8 {
    let sign = if sample >= 0 { 0xd5 } else { 0x55 };
    let magnitude = i32::from(if sample >= 0 { sample } else { !sample }) >> 3;
    let segment = (0..8).find(|s| magnitude < 0x20 << s).unwrap_or(7);
    let step = if segment == 0 { magnitude >> 1 } else { magnitude >> segment };
    sign ^ ((segment << 4 | step & 15) as u8)
}

/// Decodes A-law (ITU-T G.711).
#[must_use]
pub fn decode_a(byte: u8) -> i16 {
    let code = byte ^ 0x55;
    let (segment, step) = (i16::from(code >> 4 & 7), i16::from(code & 15));
    let magnitude = match segment {
        0 => (step << 4) + 8,
        segment => ((step << 4) + 0x108) << (segment - 1),
    };
    if code & 0x80 == 0 { -magnitude } else { magnitude }
}

/// Decodes µ-law (ITU-T G.711).
#[must_use]
pub fn decode_u(byte: u8) -> i16 {
    let code = !byte;
    let (segment, step) = (i16::from(code >> 4 & 7), i16::from(code & 15));
    let magnitude = (((step << 3) + 0x84) << segment) - 0x84;
    if code & 0x80 == 0 { magnitude } else { -magnitude }
}

/// Both channels of a WAV file of 8,000 Hz.
///
/// # Panics
/// It is no such file.
#[must_use]
pub fn channels(path: &std::path::Path) -> (Vec<i16>, Vec<i16>) {
    channels_at(path, 8_000)
}

/// The same of another rate.
///
/// # Panics
/// It is no two-channel WAV file of that rate.
#[must_use]
pub fn channels_at(path: &std::path::Path, rate_hz: u32) -> (Vec<i16>, Vec<i16>) {
    let mut reader = hound::WavReader::open(path).expect("a WAV file");
    let spec = reader.spec();
    assert_eq!((spec.channels, spec.sample_rate, spec.bits_per_sample), (2, rate_hz, 16));
    let samples: Vec<i16> = reader.samples().map(|sample| sample.expect("a sample")).collect();
    samples.chunks_exact(2).map(|pair| (pair[0], pair[1])).unzip()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mu_law_has_its_ends_and_its_zeros() {
        for (byte, sample) in [(0xff, 0), (0x7f, 0), (0x80, 32_124), (0x00, -32_124), (0xfe, 8)] {
            assert_eq!(decode_u(byte), sample, "{byte:02x}");
        }
    }

    #[test]
    fn a_law_comes_back_within_its_steps() {
        for (sample, byte) in [(0, 0xd5), (-1, 0x55), (8, 0xd5), (16, 0xd4), (32_767, 0xaa)] {
            assert_eq!(encode_a(sample), byte, "{sample}");
        }
        for sample in (-32_768..=32_767).step_by(97).map(|s: i32| s as i16) {
            let back = f64::from(decode_a(encode_a(sample)));
            assert!((back - f64::from(sample)).abs() <= 16.0 + f64::from(sample).abs() / 30.0);
        }
    }
}
