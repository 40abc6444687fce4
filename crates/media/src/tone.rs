//! Ring-back, busy and congestion as each country sounds them (ITU-T E.180 supplement 2).

use std::{f64::consts::TAU, sync::Arc};

use call::{Cue, Key, Tone};

use crate::{codec::Codec, prompt::PromptAudio};

/// Whose tones are played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Country {
    /// The Netherlands: 425 Hz.
    #[default]
    Nl,
    /// Germany: 425 Hz.
    De,
    /// France: 440 Hz.
    Fr,
    /// The United Kingdom: 400 Hz, ring-back 400 + 450 Hz.
    Gb,
}

impl Country {
    /// The country of an ISO 3166-1 alpha-2 code in upper case.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "NL" => Some(Self::Nl),
            "DE" => Some(Self::De),
            "FR" => Some(Self::Fr),
            "GB" => Some(Self::Gb),
            _ => None,
        }
    }
}

/// How a sound is encoded: in which codecs.
type Encode = fn(&[i16]) -> PromptAudio;

/// One tone: frequencies in Hz, then spans in ms, sounding and silent in turn.
struct Cadence {
    hertz: &'static [u16],
    spans_ms: &'static [u16],
}

const fn cadence(hertz: &'static [u16], spans_ms: &'static [u16]) -> Cadence {
    Cadence { hertz, spans_ms }
}

/// Ring-back, busy, congestion.
const fn cadences(country: Country) -> [Cadence; 3] {
    match country {
        Country::Nl => [
            cadence(&[425], &[1_000, 4_000]),
            cadence(&[425], &[500, 500]),
            cadence(&[425], &[250, 250]),
        ],
        Country::De => [
            cadence(&[425], &[1_000, 4_000]),
            cadence(&[425], &[480, 480]),
            cadence(&[425], &[240, 240]),
        ],
        Country::Fr => [
            cadence(&[440], &[1_500, 3_500]),
            cadence(&[440], &[500, 500]),
            cadence(&[440], &[250, 250]),
        ],
        Country::Gb => [
            cadence(&[400, 450], &[400, 200, 400, 2_000]),
            cadence(&[400], &[375, 375]),
            cadence(&[400], &[400, 350, 225, 525]),
        ],
    }
}

/// Level of the largest sine of A-law in dBm0 (G.711 §4).
#[cfg(test)]
const FULL_SCALE_DBM0: f64 = 314.0 / 100.0;
/// Peak of a sine of -12 dBm0 in 16-bit samples. The largest sine of G.711 is +3.14 dBm0 at a
/// peak of 32,767: 32,767 × 10^((-12 - 3.14) / 20).
const PEAK: f64 = 5_733.7;
/// A tone rises and falls within 4 ms, so that it does not click.
const RAMP: usize = 32;

impl Cadence {
    /// One whole turn of the cadence; playing it again and again is the tone.
    fn turn(&self, encode: Encode) -> PromptAudio {
        let mut samples = Vec::new();
        for (place, &ms) in self.spans_ms.iter().enumerate() {
            let length = usize::from(ms) * 8;
            let sounds = place % 2 == 0;
            samples.extend((0..length).map(|n| if sounds { self.sample(n, length) } else { 0 }));
        }
        encode(&samples)
    }

    fn sample(&self, n: usize, length: usize) -> i16 {
        let wave = |hertz: &u16| (TAU * f64::from(*hertz) * n as f64 / 8_000.0).sin();
        let sum: f64 = self.hertz.iter().map(wave).sum();
        let edge = n.min(length - 1 - n).min(RAMP) as f64 / RAMP as f64;
        (sum * PEAK / (self.hertz.len() as f64).sqrt() * edge) as i16
    }
}

/// The tones of a country, encoded once and shared by all calls.
#[derive(Clone, Debug)]
pub struct Tones(Arc<Encoded>);

#[derive(Debug)]
struct Encoded {
    ring_back: PromptAudio,
    busy: PromptAudio,
    congestion: PromptAudio,
    keys: [PromptAudio; 16],
}

/// What an agent hears of a recording: two short beeps when it begins and a long one when it ends, of 1,400 Hz
/// as recorders have long beeped.
#[must_use]
pub fn cue(cue: Cue, encode: fn(&[i16]) -> PromptAudio) -> PromptAudio {
    let spans_ms: &'static [u16] = match cue {
        Cue::Begins => &[120, 80, 120],
        Cue::Ends => &[600],
    };
    cadence(&[1_400], spans_ms).turn(encode)
}

/// What both parties hear every so often while they are recorded: a short beep of the same sound.
#[must_use]
pub fn beep(encode: fn(&[i16]) -> PromptAudio) -> PromptAudio {
    cadence(&[1_400], &[200]).turn(encode)
}

/// Peaks of a key's row and column, -9 and -7 dBm0: lines lose more of the higher one.
const KEY_PEAKS: [f64; 2] = [8_099.0, 10_196.0];
/// A key's tones last so long before they are played again from the beginning, which nobody hears: both
/// frequencies are whole numbers of hertz.
const KEY_TURN: usize = 8_000;

/// The pair of tones of the key with an event code (ITU-T Q.23).
fn key_tones(code: usize, encode: Encode) -> PromptAudio {
    let rows = [941, 697, 697, 697, 770, 770, 770, 852, 852, 852, 941, 941, 697, 770, 852, 941];
    let columns = [
        1_336, 1_209, 1_336, 1_477, 1_209, 1_336, 1_477, 1_209, 1_336, 1_477, 1_209, 1_477, 1_633,
        1_633, 1_633, 1_633,
    ];
    let hertz = [rows, columns].map(|tones| f64::from(tones.get(code).copied().unwrap_or(0)));
    let wave = |n: usize| {
        let one = |(hz, peak): (f64, f64)| (TAU * hz * n as f64 / 8_000.0).sin() * peak;
        hertz.into_iter().zip(KEY_PEAKS).map(one).sum::<f64>() as i16
    };
    encode(&(0..KEY_TURN).map(wave).collect::<Vec<_>>())
}

impl Tones {
    /// Makes the tones of `country`.
    #[must_use]
    pub fn new(country: Country) -> Self {
        Self::encoded(country, PromptAudio::from_pcm)
    }

    /// The same for legs of Opus, too.
    #[must_use]
    pub fn with_opus(country: Country) -> Self {
        Self::encoded(country, PromptAudio::with_opus)
    }

    fn encoded(country: Country, encode: Encode) -> Self {
        let [ring_back, busy, congestion] = cadences(country).map(|cadence| cadence.turn(encode));
        let keys = std::array::from_fn(|code| key_tones(code, encode));
        Self(Arc::new(Encoded { ring_back, busy, congestion, keys }))
    }

    /// One turn of the ring-back tone.
    #[must_use]
    pub fn ring_back(&self) -> &PromptAudio {
        &self.0.ring_back
    }

    /// `most` samples of a key's tones from `from` on; a whole second of them lies in one piece.
    pub(crate) fn key(&self, key: Key, codec: Codec, from: u32, most: u32) -> &[u8] {
        let audio = self.0.keys.get(usize::from(key.event()));
        let from = from % KEY_TURN as u32;
        audio.map(|audio| audio.piece(codec, from, most as usize)).unwrap_or_default()
    }

    /// The packet of Opus of a key's tones in which a sample lies.
    pub(crate) fn key_packet(&self, key: Key, at: u32) -> &[u8] {
        let audio = self.0.keys.get(usize::from(key.event()));
        audio.map(|audio| audio.packet(at % KEY_TURN as u32)).unwrap_or_default()
    }

    /// One turn of a tone.
    #[must_use]
    pub fn tone(&self, tone: Tone) -> &PromptAudio {
        match tone {
            Tone::Busy => &self.0.busy,
            Tone::Congestion => &self.0.congestion,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::g711::Law;

    fn pcm(audio: &PromptAudio) -> Vec<f64> {
        let bytes = audio.encoded(Codec::Pcma).iter();
        bytes.map(|byte| f64::from(Law::A.decode(*byte))).collect()
    }

    /// Level of one frequency in dBm0, by Goertzel's recurrence.
    fn level(samples: &[f64], hertz: f64) -> f64 {
        let coefficient = 2.0 * (TAU * hertz / 8_000.0).cos();
        let (s1, s2) =
            samples.iter().fold((0.0, 0.0), |(s1, s2), x| (x + coefficient * s1 - s2, s1));
        let power = s1 * s1 + s2 * s2 - coefficient * s1 * s2;
        let peak = 2.0 * power.sqrt() / samples.len() as f64;
        20.0 * (peak / 32_767.0).log10() + FULL_SCALE_DBM0
    }

    /// Lengths in ms of sound and silence in turn, in steps of 5 ms.
    fn spans(samples: &[f64]) -> Vec<usize> {
        let loud = |part: &[f64]| part.iter().any(|x| x.abs() > 500.0);
        let steps: Vec<bool> = samples.chunks(40).map(loud).collect();
        steps.chunk_by(|a, b| a == b).map(|run| run.len() * 5).collect()
    }

    #[test]
    fn a_19_the_dutch_tones_have_their_frequency_level_and_cadence() {
        let tones = Tones::new(Country::Nl);
        let all = [
            (tones.ring_back(), vec![1_000, 4_000]),
            (tones.tone(Tone::Busy), vec![500, 500]),
            (tones.tone(Tone::Congestion), vec![250, 250]),
        ];
        for (audio, cadence) in all {
            let samples = pcm(audio);
            assert_eq!(spans(&samples), cadence);
            let on = &samples[400..400 + 1_600];
            assert!((level(on, 425.0) + 12.0).abs() < 0.3, "{}", level(on, 425.0));
            for other in [350.0, 400.0, 450.0, 500.0, 850.0, 1_275.0] {
                assert!(level(on, other) < -40.0, "{other}: {}", level(on, other));
            }
        }
    }

    #[test]
    fn a_19_other_countries_differ_where_they_should() {
        let british = pcm(Tones::new(Country::Gb).ring_back());
        assert_eq!(spans(&british), [400, 200, 400, 2_000]);
        for hertz in [400.0, 450.0] {
            assert!((level(&british[80..80 + 1_600], hertz) + 15.0).abs() < 0.5);
        }
        let french = pcm(Tones::new(Country::Fr).ring_back());
        assert_eq!(spans(&french), [1_500, 3_500]);
        assert!((level(&french[400..2_000], 440.0) + 12.0).abs() < 0.3);
        let german = Tones::new(Country::from_code("DE").unwrap());
        assert_eq!(spans(&pcm(german.tone(Tone::Busy))), [480, 480]);
        assert_eq!(Country::from_code("nl"), None);
    }
}
