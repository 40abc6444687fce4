//! What turns any recording into a prompt: resampling, trimming, levelling; and what measures it.
//!
//! Pure arithmetic over samples. Levels are in dB below the RMS of a full-scale square wave
//! (dBov, ITU-T G.100.1).

use std::ops::Range;

use super::wave::{RATE_HZ, Sound};

/// The level that speech is brought to.
const TARGET_DBOV: f32 = -20.0;
/// No sample comes nearer to full scale; A-law and µ-law phones clip early.
const CEILING_DBOV: f32 = -3.2;
/// What is this much below the loudest moment counts as silence.
const SILENCE_DB: f32 = -35.0;
/// The frame over which loudness is judged: 10 ms.
const FRAME: usize = RATE_HZ as usize / 100;
/// What stays before and after the speech: 30 ms, so that no soft consonant is cut.
const MARGIN: usize = 3 * FRAME;
/// Full scale of 16 bits.
const FULL: f32 = 32_768.0;

/// How loud a prompt is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Level {
    /// RMS of the frames that are not silence.
    pub(super) speech_dbov: f32,
    /// The highest sample.
    pub(super) peak_dbov: f32,
}

/// Silence at the two ends, in samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edges {
    /// Before the speech.
    pub(super) lead: usize,
    /// After it.
    pub(super) trail: usize,
}

/// The level of `samples`; `None` when there is no sound in them.
pub(super) fn level(samples: &[i16]) -> Option<Level> {
    level_of(&scaled(samples))
}

/// The silence around the speech; `None` when there is no sound at all.
pub(super) fn edges(samples: &[i16]) -> Option<Edges> {
    edges_of(&scaled(samples))
}

fn scaled(samples: &[i16]) -> Vec<f32> {
    samples.iter().map(|sample| f32::from(*sample) / FULL).collect()
}

fn gain(db: f32) -> f32 {
    10_f32.powf(db / 20.0)
}

fn decibel(amplitude: f32) -> f32 {
    20.0 * amplitude.log10()
}

fn power(frame: &[f32]) -> f32 {
    frame.iter().map(|s| s * s).sum::<f32>() / frame.len().max(1) as f32
}

/// The power below which a frame counts as silence; `None` when nothing is louder than the least
/// step of 16 bits.
fn threshold(samples: &[f32]) -> Option<f32> {
    let loudest = samples.chunks(FRAME).map(power).fold(0.0, f32::max);
    (loudest > FULL.powi(-2)).then(|| loudest * gain(SILENCE_DB).powi(2))
}

fn level_of(samples: &[f32]) -> Option<Level> {
    let silence = threshold(samples)?;
    let (sum, frames) = samples
        .chunks(FRAME)
        .map(power)
        .filter(|power| *power >= silence)
        .fold((0.0, 0.0), |(sum, frames), power| (sum + power, frames + 1.0));
    let peak = samples.iter().fold(0.0, |peak: f32, sample| peak.max(sample.abs()));
    Some(Level { speech_dbov: decibel((sum / frames).sqrt()), peak_dbov: decibel(peak) })
}

fn edges_of(samples: &[f32]) -> Option<Edges> {
    let silence = threshold(samples)?;
    let loud = |frame: &[f32]| power(frame) >= silence;
    let lead = samples.chunks(FRAME).position(loud)? * FRAME;
    let trail = samples.rchunks(FRAME).position(loud)? * FRAME;
    Some(Edges { lead, trail })
}

/// Makes a prompt of a recording: 8,000 Hz, without offset, trimmed, at −20 dBov. `None` when the
/// recording holds no sound.
pub(super) fn prepare(sound: &Sound) -> Option<Vec<i16>> {
    let samples = resample(&centred(&sound.samples), sound.rate_hz);
    let Edges { lead, trail } = edges_of(&samples)?;
    let end = (samples.len() - trail + MARGIN).min(samples.len());
    let mut samples = samples.get(lead.saturating_sub(MARGIN)..end)?.to_vec();
    // The limiter takes a little of the level away; a second and third pass give it back.
    for _ in 0..3 {
        let wanted = gain(TARGET_DBOV - level_of(&samples)?.speech_dbov);
        samples.iter_mut().for_each(|sample| *sample *= wanted);
        limit(&mut samples);
    }
    fade(&mut samples);
    Some(samples.iter().map(|sample| (sample * FULL).round() as i16).collect())
}

/// Turns the volume down around each peak above the ceiling, smoothly over ±5 ms.
fn limit(samples: &mut [f32]) {
    let ceiling = gain(CEILING_DBOV);
    let mut least = vec![1.0; samples.len()];
    for (at, sample) in samples.iter().enumerate().filter(|(_, s)| s.abs() > ceiling) {
        let allowed = ceiling / sample.abs();
        let near = least.get_mut(around(at, samples.len())).unwrap_or_default();
        near.iter_mut().for_each(|gain: &mut f32| *gain = gain.min(allowed));
    }
    // Each gain in the mean is at most what this sample allows, so the mean is too.
    let mut sum = 0.0;
    let sums = least.iter().map(|gain| {
        sum += f64::from(*gain);
        sum
    });
    let sums: Vec<f64> = std::iter::once(0.0).chain(sums).collect();
    let until = |at: usize| sums.get(at).copied().unwrap_or_default();
    let length = samples.len();
    for (at, sample) in samples.iter_mut().enumerate() {
        let near = around(at, length);
        let mean = (until(near.end) - until(near.start)) / near.len() as f64;
        *sample *= mean as f32;
    }
}

/// The places within 5 ms of a place.
fn around(at: usize, length: usize) -> Range<usize> {
    const REACH: usize = FRAME / 2;
    at.saturating_sub(REACH)..(at + REACH + 1).min(length)
}

/// A ramp of 5 ms at each end, against clicks.
fn fade(samples: &mut [f32]) {
    const RAMP: usize = FRAME / 2;
    let ramp = |place: usize| place as f32 / RAMP as f32;
    samples.iter_mut().take(RAMP).enumerate().for_each(|(at, s)| *s *= ramp(at));
    samples.iter_mut().rev().take(RAMP).enumerate().for_each(|(at, s)| *s *= ramp(at));
}

/// Without the constant offset of a bad converter.
fn centred(samples: &[f32]) -> Vec<f32> {
    let offset = samples.iter().sum::<f32>() / samples.len().max(1) as f32;
    samples.iter().map(|sample| sample - offset).collect()
}

/// From `rate_hz` to 8,000 Hz by a windowed sinc: −6 dB at 3,750 Hz, below −70 dB from 4,000 Hz
/// on, so that nothing folds back into the speech.
fn resample(samples: &[f32], rate_hz: u32) -> Vec<f32> {
    if rate_hz == RATE_HZ {
        return samples.to_vec();
    }
    // Output n lies at n · stride / phases input samples, so `phases` filters serve all outputs.
    let common = greatest_divisor(rate_hz, RATE_HZ);
    let (phases, stride) = ((RATE_HZ / common) as usize, (rate_hz / common) as usize);
    let filters: Vec<Vec<f32>> =
        (0..phases).map(|phase| low_pass(rate_hz, phase as f64 / phases as f64)).collect();
    let at_output = |n: usize| {
        let filter = filters.get(n * stride % phases).map_or(&[][..], Vec::as_slice);
        let reach = filter.len() / 2;
        let centre = n * stride / phases;
        let unheard = reach.saturating_sub(centre);
        let heard = samples.get((centre + unheard).saturating_sub(reach)..).unwrap_or_default();
        let taps = filter.iter().skip(unheard);
        heard.iter().zip(taps).map(|(sample, tap)| sample * tap).sum::<f32>()
    };
    (0..samples.len() * phases / stride).map(at_output).collect()
}

/// The taps of the filter for an output that lies `offset` (0 to 1) after an input sample; the
/// middle tap belongs to that sample.
fn low_pass(rate_hz: u32, offset: f64) -> Vec<f32> {
    const CUTOFF_HZ: f64 = 3_750.0;
    const TRANSITION_HZ: f64 = 500.0;
    let rate = f64::from(rate_hz);
    // A Blackman window of this length has that transition: 5.5 / length of the sampling rate.
    let reach = (5.5 * rate / TRANSITION_HZ / 2.0).ceil();
    let tap = |place: f64| {
        let distance = place - reach - offset;
        let turn = std::f64::consts::PI * distance / (reach + 1.0);
        let window = 0.42 + 0.5 * turn.cos() + 0.08 * (2.0 * turn).cos();
        let band = 2.0 * CUTOFF_HZ / rate;
        let angle = std::f64::consts::PI * band * distance;
        let sinc = if angle.abs() < 1e-9 { 1.0 } else { angle.sin() / angle };
        (band * sinc * window) as f32
    };
    (0..=2 * reach as u32).map(|place| tap(f64::from(place))).collect()
}

const fn greatest_divisor(one: u32, other: u32) -> u32 {
    if other == 0 { one } else { greatest_divisor(other, one % other) }
}

#[cfg(test)]
mod tests {
    use super::{edges, level, prepare};
    use crate::prompts::wave::Sound;

    fn tone(rate_hz: u32, hz: f32, seconds: f32, amplitude: f32) -> Vec<f32> {
        let count = (rate_hz as f32 * seconds) as usize;
        let turn = std::f32::consts::TAU * hz / rate_hz as f32;
        (0..count).map(|n| amplitude * (turn * n as f32).sin()).collect()
    }

    #[test]
    fn speech_is_trimmed_and_brought_to_one_level_whatever_it_was() {
        for amplitude in [0.01, 0.1, 0.9] {
            let mut samples = vec![0.2; 16_000];
            samples.extend(tone(16_000, 440.0, 1.0, amplitude).iter().map(|s| s + 0.2));
            samples.extend(vec![0.2; 8_000]);
            let prompt = prepare(&Sound { rate_hz: 16_000, samples }).unwrap();
            let level = level(&prompt).unwrap();
            assert!((level.speech_dbov + 20.0).abs() < 0.5, "{level:?}");
            let edges = edges(&prompt).unwrap();
            assert!(edges.lead <= 480 && edges.trail <= 480, "{edges:?}");
            assert!((8_000..8_700).contains(&prompt.len()), "{}", prompt.len());
        }
    }

    #[test]
    fn a_peak_is_turned_down_without_touching_what_is_far_from_it() {
        let mut samples = tone(8_000, 400.0, 1.0, 0.14);
        samples[4_000] = 5.0;
        let mut limited = samples.clone();
        super::limit(&mut limited);
        assert!(limited.iter().all(|s| s.abs() < 0.7));
        assert_eq!(limited[..3_900], samples[..3_900]);
        assert_eq!(limited[4_100..], samples[4_100..]);
    }

    #[test]
    fn what_a_telephone_cannot_carry_does_not_fold_back() {
        let wave = |hz| super::resample(&tone(44_100, hz, 0.25, 0.5), 44_100);
        let power = |hz| super::power(&wave(hz)[400..1_600]);
        assert!((power(1_000.0) - 0.125).abs() < 0.001, "{}", power(1_000.0));
        assert!(power(3_000.0) > 0.12);
        for hz in [4_100.0, 5_000.0, 7_000.0, 15_900.0] {
            assert!(power(hz) < 0.125e-7, "{hz} Hz comes back with {}", power(hz));
        }
    }

    #[test]
    fn silence_is_no_recording() {
        assert!(prepare(&Sound { rate_hz: 8_000, samples: vec![0.0; 8_000] }).is_none());
        assert!(prepare(&Sound { rate_hz: 8_000, samples: vec![] }).is_none());
        assert_eq!(level(&[]), None);
        assert_eq!(edges(&[0; 400]), None);
    }
}
