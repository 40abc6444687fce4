//! Measures sound: tones, levels, and where a tone begins.

use std::f64::consts::TAU;

/// A sine of `hz` at 8 kHz with this peak (full scale 32,767).
#[must_use]
pub fn tone(hz: f64, millis: u32, peak: f64) -> Vec<i16> {
    (0..millis * 8).map(|n| ((f64::from(n) * hz * TAU / 8_000.0).sin() * peak) as i16).collect()
}

/// How much of the power of `samples` lies at `hz`: 0 to 1 (Goertzel).
#[must_use]
pub fn share(samples: &[i16], hz: f64) -> f64 {
    let energy: f64 = samples.iter().map(|s| f64::from(*s) * f64::from(*s)).sum();
    if samples.is_empty() || energy < 1.0 {
        return 0.0;
    }
    let coefficient = 2.0 * (TAU * hz / 8_000.0).cos();
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
