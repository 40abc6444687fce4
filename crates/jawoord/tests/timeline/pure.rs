//! Pure tones: what a party hums, and how much of one is in a recording of 16,000 Hz.

use std::f64::consts::TAU;

use crate::line::Speech;

/// A tone with a peak of 8,000.
pub(crate) fn sine(hertz: f64) -> Speech {
    Box::new(move |at| ((at as f64 / 8_000.0 * hertz * TAU).sin() * 8_000.0) as i16)
}

/// The peak of one frequency (Goertzel).
pub(crate) fn peak(samples: &[i16], hertz: f64) -> f64 {
    let coefficient = 2.0 * (TAU * hertz / 16_000.0).cos();
    let step = |(s1, s2): (f64, f64), x: &i16| (f64::from(*x) + coefficient * s1 - s2, s1);
    let (s1, s2) = samples.iter().fold((0.0, 0.0), step);
    let power = s1 * s1 + s2 * s2 - coefficient * s1 * s2;
    2.0 * power.max(0.0).sqrt() / samples.len() as f64
}
