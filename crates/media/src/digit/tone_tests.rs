//! Keys in the sound, rendered as lines and telephones spoil them (row D-17).

use super::*;
use crate::{g711::Law, transcode::Encoder};

/// Chance that can be repeated (xorshift64*).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Evenly between two numbers.
    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Normally, with a deviation of 1.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.between(-0.5, 0.5)).sum()
    }

    fn one_of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.next() as usize % list.len()]
    }
}

const TURN: f64 = std::f64::consts::TAU;

/// Peak of a sine of so many dBm0; the largest of G.711 is of 3.14 (§4).
fn peak(dbm0: f64) -> f64 {
    32_767.0 * 10_f64.powf((dbm0 - 314.0 / 100.0) / 20.0)
}

/// How a line of keys sounds.
#[derive(Clone, Copy, Debug)]
struct Line {
    on_ms: f64,
    off_ms: f64,
    row_dbm0: f64,
    column_dbm0: f64,
    /// As parts of the frequencies.
    row_off: f64,
    column_off: f64,
    /// In dB below the pair, white.
    noise: Option<f64>,
}

const PLAIN: Line = Line {
    on_ms: 40.0,
    off_ms: 40.0,
    row_dbm0: -10.0,
    column_dbm0: -10.0,
    row_off: 0.0,
    column_off: 0.0,
    noise: None,
};

fn tones(key: char) -> (f64, f64) {
    let place = KEYPAD.as_flattened().iter().position(|each| *each == key).unwrap_or(16);
    (f64::from(ROWS[place / 4]), f64::from(COLUMNS[place % 4]))
}

/// The keys after a beginning of random length, so that blocks lie anywhere in them.
fn render(line: Line, keys: &str, chance: &mut Chance) -> Vec<i16> {
    let (row_peak, column_peak) = (peak(line.row_dbm0), peak(line.column_dbm0));
    let power = (row_peak * row_peak + column_peak * column_peak) / 2.0;
    let noise = line.noise.map_or(0.0, |below| (power / 10_f64.powf(below / 10.0)).sqrt());
    let mut samples = Vec::new();
    let quiet = |samples: &mut Vec<i16>, length: f64, chance: &mut Chance| {
        samples.extend((0..length as usize).map(|_| (chance.normal() * noise) as i16));
    };
    let before = chance.between(200.0, 700.0);
    quiet(&mut samples, before, chance);
    for key in keys.chars() {
        let (row, column) = tones(key);
        let phases = (chance.between(0.0, TURN), chance.between(0.0, TURN));
        for n in 0..(line.on_ms * 8.0) as usize {
            let turn = TURN * n as f64 / 8_000.0;
            let a = (turn * row * (1.0 + line.row_off) + phases.0).sin() * row_peak;
            let b = (turn * column * (1.0 + line.column_off) + phases.1).sin() * column_peak;
            samples.push((a + b + chance.normal() * noise).clamp(-32_768.0, 32_767.0) as i16);
        }
        quiet(&mut samples, line.off_ms * 8.0, chance);
    }
    quiet(&mut samples, 800.0, chance);
    samples
}

/// What an ear hears of samples that come in packets of so many.
fn heard(samples: &[i16], codec: Codec, packet: usize) -> String {
    let (mut ear, mut encoder) = (Ear::default(), Encoder::new(codec));
    let mut keys = String::new();
    for (n, part) in samples.chunks(packet).enumerate() {
        let payload: Vec<u8> = part.iter().map(|sample| encoder.encode(*sample)).collect();
        let begun = ear.hear((n * packet) as i64, codec, &payload);
        keys.extend(begun.iter().map(|key| key.reveal()));
    }
    keys
}

const ALL: &str = "0123456789*#ABCD";
const CODECS: [Codec; 2] = [Codec::Pcma, Codec::Pcmu];

/// Sixteen keys in any order, with some twice in a row.
fn some_keys(chance: &mut Chance) -> String {
    let all: Vec<char> = ALL.chars().collect();
    (0..16).map(|_| chance.one_of(&all)).collect()
}

#[test]
fn d_17_all_sixteen_keys_are_heard_in_both_codings_and_any_packets() {
    let mut chance = Chance(1);
    for codec in CODECS {
        for packet in [80, 160, 240, 480] {
            assert_eq!(heard(&render(PLAIN, ALL, &mut chance), codec, packet), ALL);
        }
    }
}

#[test]
fn keys_of_a_wideband_telephone_are_heard_as_well() {
    let mut chance = Chance(9);
    for round in 0..60 {
        let level = chance.between(-22.0, -4.0);
        let line = Line {
            on_ms: 60.0,
            row_dbm0: level,
            column_dbm0: level + chance.between(-4.0, 1.0),
            row_off: chance.one_of(&[-0.01, 0.0, 0.01]),
            column_off: chance.one_of(&[-0.01, 0.0, 0.01]),
            ..PLAIN
        };
        let keys = some_keys(&mut chance);
        let samples = render(line, &keys, &mut chance);
        assert_eq!(heard(&samples, Codec::G722, 160), keys, "round {round}: {line:?}");
    }
}

#[test]
fn d_17_keys_within_the_recommendation_are_heard_exactly() {
    let mut chance = Chance(2);
    for round in 0..400 {
        let row_dbm0 = chance.between(-25.0, -3.0);
        let column_dbm0 = (row_dbm0 + chance.between(-6.0, 3.0)).min(-3.0);
        let line = Line {
            row_dbm0,
            column_dbm0,
            row_off: chance.one_of(&[-0.01, 0.0, 0.01]),
            column_off: chance.one_of(&[-0.01, 0.0, 0.01]),
            noise: Some(12.0),
            ..PLAIN
        };
        let (keys, codec) = (some_keys(&mut chance), chance.one_of(&CODECS));
        let samples = render(line, &keys, &mut chance);
        assert_eq!(heard(&samples, codec, 160), keys, "round {round}, {codec:?}: {line:?}");
    }
}

#[test]
fn d_17_what_is_too_short_is_no_key() {
    let mut chance = Chance(3);
    for round in 0..200 {
        let level = chance.between(-25.0, -3.0);
        let line = Line { on_ms: 15.0, row_dbm0: level, column_dbm0: level, ..PLAIN };
        let keys = some_keys(&mut chance);
        let samples = render(line, &keys, &mut chance);
        assert_eq!(heard(&samples, chance.one_of(&CODECS), 160), "", "round {round}: {line:?}");
    }
}

#[test]
fn d_17_a_tone_that_is_4_percent_off_is_no_key() {
    let mut chance = Chance(4);
    for round in 0..600 {
        let row_dbm0 = chance.between(-25.0, -6.0);
        let off = chance.one_of(&[-0.04, 0.04]);
        let (row_off, column_off) =
            chance.one_of(&[(off, 0.0), (0.0, off), (off, off), (off, -off)]);
        let line = Line {
            on_ms: chance.between(40.0, 120.0),
            row_dbm0,
            column_dbm0: row_dbm0 + chance.between(-6.0, 3.0),
            row_off,
            column_off,
            noise: chance.one_of(&[None, Some(12.0), Some(20.0)]),
            ..PLAIN
        };
        let keys = some_keys(&mut chance);
        let samples = render(line, &keys, &mut chance);
        assert_eq!(heard(&samples, chance.one_of(&CODECS), 160), "", "round {round}: {line:?}");
    }
}

#[test]
fn d_17_tones_that_differ_by_20_db_are_no_key() {
    let mut chance = Chance(5);
    for round in 0..200 {
        let loud = chance.between(-5.0, -3.0);
        let (row_dbm0, column_dbm0) = chance.one_of(&[(loud, loud - 20.0), (loud - 20.0, loud)]);
        let line = Line { row_dbm0, column_dbm0, on_ms: 80.0, ..PLAIN };
        let keys = some_keys(&mut chance);
        let samples = render(line, &keys, &mut chance);
        assert_eq!(heard(&samples, chance.one_of(&CODECS), 160), "", "round {round}: {line:?}");
    }
}

#[test]
fn d_17_a_long_key_is_one_and_a_click_or_a_lost_packet_in_it_does_not_make_it_two() {
    let mut chance = Chance(6);
    for round in 0..100 {
        let line = Line { on_ms: 600.0, ..PLAIN };
        let mut samples = render(line, "5", &mut chance);
        let (click, lost) = (2_000 + round * 7, 3_200 + round * 5);
        samples[click..click + 80].fill(0);
        let mut ear = Ear::default();
        let mut keys = String::new();
        for (n, part) in samples.chunks(160).enumerate().filter(|(n, _)| *n != lost / 160) {
            let payload: Vec<u8> = part.iter().map(|s| Law::A.encode(*s)).collect();
            let begun = ear.hear(n as i64 * 160, Codec::Pcma, &payload);
            keys.extend(begun.iter().map(|key| key.reveal()));
        }
        assert_eq!(keys, "5", "round {round}");
    }
}

#[test]
fn d_17_keys_are_heard_while_a_clock_is_followed_and_after_a_sender_begins_anew() {
    let mut chance = Chance(7);
    let keys = some_keys(&mut chance);
    let samples = render(PLAIN, &keys, &mut chance);
    for shift in [-8, -1, 0, 1, 8] {
        let mut ear = Ear::default();
        let mut heard = String::new();
        for (n, part) in samples.chunks(160).enumerate() {
            let payload: Vec<u8> = part.iter().map(|s| Law::A.encode(*s)).collect();
            let at = 4_000_000_000 + n as i64 * (160 + shift);
            let begun = ear.hear(at, Codec::Pcma, &payload);
            heard.extend(begun.iter().map(|key| key.reveal()));
            let late = ear.hear(at - 320, Codec::Pcma, &payload);
            assert!(late.is_empty(), "it has been heard");
        }
        assert_eq!(heard, keys, "{shift}");
        let payload: Vec<u8> = samples.iter().map(|s| Law::A.encode(*s)).collect();
        assert_eq!(ear.hear(17, Codec::Pcma, &payload).len(), keys.len(), "another source");
    }
}

#[test]
fn noise_tones_and_harmonics_of_a_voice_are_no_key() {
    let mut chance = Chance(7);
    for round in 0..40 {
        let noise: Vec<i16> =
            (0..80_000).map(|_| (chance.normal() * 3_000.0).clamp(-32e3, 32e3) as i16).collect();
        assert_eq!(heard(&noise, Codec::Pcma, 160), "", "noise, round {round}");
        // A buzz whose pitch glides, as a voice does: every harmonic up to 4 kHz.
        let (mut phase, mut hertz) = (0.0, chance.between(80.0, 300.0));
        let glide = chance.between(-0.004, 0.004);
        let buzz: Vec<i16> = (0..80_000)
            .map(|n| {
                hertz =
                    (hertz + glide * f64::from(n % 4_000 < 2_000) - glide / 2.0).clamp(70.0, 400.0);
                phase += TURN * hertz / 8_000.0;
                let many = (3_900.0 / hertz) as u32;
                let sum: f64 =
                    (1..=many).map(|k| (phase * f64::from(k)).sin() / f64::from(k)).sum();
                (sum * 6_000.0) as i16
            })
            .collect();
        assert_eq!(heard(&buzz, Codec::Pcmu, 160), "", "buzz, round {round}");
    }
    // Each tone alone, and tones of exchanges.
    for hertz in
        ROWS.into_iter().chain(COLUMNS).chain([350.0, 425.0, 440.0, 620.0, 1_100.0, 2_100.0])
    {
        let turn = TURN * f64::from(hertz) / 8_000.0;
        let sine: Vec<i16> =
            (0..8_000).map(|n| ((turn * f64::from(n)).sin() * 9_000.0) as i16).collect();
        assert_eq!(heard(&sine, Codec::Pcma, 160), "", "{hertz}");
    }
}

#[test]
fn d_20_a_key_is_suspected_before_20_ms_of_it_have_been_passed_on() {
    let mut chance = Chance(8);
    for round in 0..300 {
        let samples = render(Line { on_ms: 100.0, ..PLAIN }, "1", &mut chance);
        let begins = samples.iter().position(|sample| *sample != 0).unwrap();
        let mut ear = Ear::default();
        let mut passed = 0;
        for (n, part) in samples.chunks(160).enumerate() {
            let payload: Vec<u8> = part.iter().map(|s| Law::A.encode(*s)).collect();
            let _begun = ear.hear(n as i64 * 160, Codec::Pcma, &payload);
            let end = n * 160 + part.len();
            if ear.suspects().is_none()
                && ear.on().is_none()
                && (begins..begins + 800).contains(&end)
            {
                passed = passed.max(end - begins);
            }
        }
        assert!(passed <= 204, "round {round}: {passed} samples were passed on");
    }
}
