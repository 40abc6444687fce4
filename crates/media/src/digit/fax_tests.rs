//! Calling tones as lines and telephones spoil them, and what is none.

use super::*;
use crate::transcode::Encoder;

/// Chance that can be repeated (xorshift64*).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.between(-0.5, 0.5)).sum()
    }

    fn one_of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.next() as usize % list.len()]
    }
}

const TURN: f64 = std::f64::consts::TAU;

/// Peak of a sine of so many dBm0; the largest of G.711 is of 3.14.
fn peak(dbm0: f64) -> f64 {
    32_767.0 * 10_f64.powf((dbm0 - 314.0 / 100.0) / 20.0)
}

/// A part of a line's sound: what sounds, for how long, and how loud.
#[derive(Clone, Copy, Debug)]
struct Part {
    hertz: f64,
    ms: f64,
    dbm0: f64,
}

const fn part(hertz: f64, ms: f64) -> Part {
    Part { hertz, ms, dbm0: -15.0 }
}

const fn quiet(ms: f64) -> Part {
    Part { hertz: 0.0, ms, dbm0: -200.0 }
}

/// Parts one after the other, over noise of so many dBm0.
fn render(parts: &[Part], noise: Option<f64>, chance: &mut Chance) -> Vec<i16> {
    let noise = noise.map_or(0.0, |dbm0| peak(dbm0) / 2_f64.sqrt());
    let mut samples = Vec::new();
    for part in parts {
        let phase = chance.between(0.0, TURN);
        for n in 0..(part.ms * 8.0) as usize {
            let tone = (TURN * part.hertz * n as f64 / 8_000.0 + phase).sin() * peak(part.dbm0);
            samples.push((tone + chance.normal() * noise).clamp(-32_768.0, 32_767.0) as i16);
        }
    }
    samples
}

/// In which of the packets a calling tone ends.
fn heard(samples: &[i16], codec: Codec, packet: usize) -> Vec<usize> {
    let (mut fax, mut encoder) = (Fax::default(), Encoder::new(codec));
    let packets = samples.chunks(packet).enumerate();
    let calls = packets.filter(|(n, part)| {
        let payload: Vec<u8> = part.iter().map(|sample| encoder.encode(*sample)).collect();
        fax.hear((n * packet) as i64, codec, &payload)
    });
    calls.map(|(n, _)| n).collect()
}

fn times(parts: &[Part]) -> usize {
    heard(&render(parts, None, &mut Chance(1)), Codec::Pcma, 160).len()
}

/// A calling tone with quiet around it.
fn call(hertz: f64, ms: f64) -> [Part; 3] {
    [quiet(207.0), part(hertz, ms), quiet(600.0)]
}

#[test]
fn every_calling_tone_within_the_recommendation_is_heard_once_and_before_100_ms_have_passed() {
    let mut chance = Chance(2);
    for round in 0..600 {
        let dbm0 = chance.between(-40.0, -4.0);
        let hertz = HERTZ as f64 + chance.one_of(&[-38.0, -20.0, 0.0, 20.0, 38.0]);
        let (before, ms) = (chance.between(60.0, 700.0), chance.between(426.0, 574.0));
        let noise = chance.one_of(&[None, Some(dbm0 - 12.0), Some(dbm0 - 20.0)]);
        let parts = [quiet(before), Part { hertz, ms, dbm0 }, quiet(300.0)];
        let codec = chance.one_of(&[Codec::Pcma, Codec::Pcmu, Codec::G722]);
        let packet = chance.one_of(&[80, 160, 240, 480]);
        let ends = heard(&render(&parts, noise, &mut chance), codec, packet);
        let said = format!("round {round}, {codec:?}, {packet}, {noise:?}: {parts:?}");
        assert_eq!(ends.len(), 1, "{said}");
        let heard_at = ((ends[0] + 1) * packet) as f64 / 8.0;
        let after = heard_at - before - ms;
        assert!((45.0..60.0 + packet as f64 / 8.0).contains(&after), "{after} ms, {said}");
    }
}

#[test]
fn a_fax_is_heard_each_time_that_it_calls() {
    let turns: Vec<Part> = (0..5).flat_map(|_| [part(1_100.0, 500.0), quiet(3_000.0)]).collect();
    assert_eq!(times(&[&[quiet(100.0)], &turns[..]].concat()), 5);
    // Whose first tone has begun before anybody could hear it is heard at the second.
    assert_eq!(times(&[&[part(1_100.0, 220.0), quiet(3_000.0)], &turns[..]].concat()), 5);
    assert_eq!(times(&turns), 4, "how long the first one was nobody knows");
}

#[test]
fn a_tone_of_another_length_or_frequency_is_no_fax() {
    for ms in [40.0, 100.0, 250.0, 390.0, 610.0, 1_000.0, 3_000.0] {
        assert_eq!(times(&call(1_100.0, ms)), 0, "{ms} ms");
    }
    // Tones of exchanges, modems, answering machines and neighbours of the tone.
    for hertz in [350.0, 425.0, 980.0, 1_000.0, 1_045.0, 1_155.0, 1_209.0, 1_300.0, 2_100.0] {
        assert_eq!(times(&call(hertz, 500.0)), 0, "{hertz} Hz");
    }
}

#[test]
fn a_note_among_notes_is_no_fax() {
    let note = part(1_108.7, 500.0);
    assert_eq!(times(&[quiet(200.0), note, quiet(300.0)]), 1, "alone it could be one");
    for other in [987.8, 1_046.5, 1_174.7, 1_318.5, 554.4] {
        assert_eq!(times(&[quiet(200.0), part(other, 300.0), note, quiet(300.0)]), 0, "{other}");
        assert_eq!(times(&[quiet(200.0), note, part(other, 300.0), quiet(300.0)]), 0, "{other}");
    }
    assert_eq!(times(&[quiet(200.0), note, quiet(25.0), note, quiet(300.0)]), 0, "too soon again");
}

#[test]
fn a_voice_is_no_fax_however_long_it_sings_that_note() {
    let mut chance = Chance(3);
    for round in 0..40 {
        let (pitch, tremble) = (chance.between(1_080.0, 1_120.0), chance.between(20.0, 60.0));
        let (harmonics, mut phase) = (round % 2, 0.0);
        let sung = |n: usize| {
            // Half a second with the vibrato of a singer, or with the harmonics of anybody.
            let wave = (TURN * 5.5 * n as f64 / 8_000.0).sin();
            let bent = if harmonics == 0 { tremble * wave } else { 0.0 };
            phase += TURN * (pitch + bent) / 8_000.0;
            let over: f64 = if harmonics == 0 { 0.0 } else { (2.0 * phase).sin() * 0.7 };
            ((phase.sin() + over) * 6_000.0) as i16
        };
        let mut samples = vec![0; 2_000];
        samples.extend((0..4_000).map(sung));
        samples.extend([0; 2_400]);
        assert_eq!(heard(&samples, Codec::Pcma, 160), [0; 0], "round {round}");
    }
}

#[test]
fn noise_and_a_voice_that_glides_are_no_fax() {
    let mut chance = Chance(4);
    for round in 0..20 {
        let noise: Vec<i16> = (0..80_000).map(|_| (chance.normal() * 3_000.0) as i16).collect();
        assert_eq!(heard(&noise, Codec::Pcma, 160), [0; 0], "noise, round {round}");
        let (mut phase, mut hertz) = (0.0, chance.between(80.0, 300.0));
        let buzz = |n: usize| {
            hertz = (hertz + 0.004 * f64::from(n % 4_000 < 2_000) - 0.002).clamp(70.0, 400.0);
            phase += TURN * hertz / 8_000.0;
            let many = (3_900.0 / hertz) as u32;
            let sum: f64 = (1..=many).map(|k| (phase * f64::from(k)).sin() / f64::from(k)).sum();
            (sum * 6_000.0) as i16
        };
        let voice: Vec<i16> = (0..80_000).map(buzz).collect();
        assert_eq!(heard(&voice, Codec::Pcmu, 160), [0; 0], "voice, round {round}");
    }
}

#[test]
fn a_click_a_lost_packet_and_silence_that_is_not_sent_hide_no_fax() {
    let mut chance = Chance(5);
    for round in 0..100 {
        let mut samples = render(&call(1_100.0, 500.0), None, &mut chance);
        let click = 1_900 + round * 30;
        samples[click..click + 30].fill(20_000);
        let lost = 13 + round % 20;
        let (mut fax, mut times) = (Fax::default(), 0);
        let mut encoder = Encoder::new(Codec::Pcma);
        for (n, part) in samples.chunks(160).enumerate() {
            let payload: Vec<u8> = part.iter().map(|sample| encoder.encode(*sample)).collect();
            // A sender that suppresses silence sends none of it.
            let is_sent = part.iter().any(|sample| *sample != 0) || n < 2;
            if is_sent && n != lost {
                times += usize::from(fax.hear(n as i64 * 160, Codec::Pcma, &payload));
            }
        }
        let later = [encoder.encode(0); 160];
        times += usize::from(fax.hear(samples.len() as i64 + 20_000, Codec::Pcma, &later));
        assert_eq!(times, 1, "round {round}");
    }
}

#[test]
fn what_comes_late_is_not_heard_twice_and_a_sender_may_begin_anew() {
    let samples = render(&call(1_100.0, 500.0), None, &mut Chance(6));
    let mut encoder = Encoder::new(Codec::Pcma);
    let payload: Vec<u8> = samples.iter().map(|sample| encoder.encode(*sample)).collect();
    let (mut fax, mut times) = (Fax::default(), 0);
    for (n, part) in payload.chunks(160).enumerate() {
        let at = 4_000_000_000 + n as i64 * 160;
        times += usize::from(fax.hear(at, Codec::Pcma, part));
        times += usize::from(fax.hear(at - 320, Codec::Pcma, part));
    }
    assert_eq!(times, 1);
    assert!(fax.hear(17, Codec::Pcma, &payload), "another source");
}

#[test]
fn nobody_hears_a_fax_in_opus() {
    let mut fax = Fax::default();
    assert!((0..200).all(|n| !fax.hear(n * 160, Codec::Opus, &[0x55; 160])));
}
