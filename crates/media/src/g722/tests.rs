//! G.722 against itself and against what another implementation made.

use std::f64::consts::TAU;

use super::*;

/// A sine of 8,000 samples per second.
fn sine(hertz: f64, peak: f64, length: usize) -> Vec<i16> {
    (0..length).map(|n| ((TAU * hertz * n as f64 / 8_000.0).sin() * peak) as i16).collect()
}

/// The peak of one frequency in samples of `rate`, by Goertzel's recurrence.
fn peak(samples: &[i16], hertz: f64, rate: f64) -> f64 {
    let coefficient = 2.0 * (TAU * hertz / rate).cos();
    let step = |(s1, s2): (f64, f64), x: &i16| (f64::from(*x) + coefficient * s1 - s2, s1);
    let (s1, s2) = samples.iter().fold((0.0, 0.0), step);
    let power = s1 * s1 + s2 * s2 - coefficient * s1 * s2;
    2.0 * power.max(0.0).sqrt() / samples.len() as f64
}

fn encode(samples: &[i16]) -> Vec<u8> {
    let mut encoder = Encoder::default();
    samples.iter().map(|sample| encoder.encode(*sample)).collect()
}

fn narrow(bytes: &[u8]) -> Vec<i16> {
    let mut decoder = NarrowDecoder::default();
    bytes.iter().map(|byte| decoder.decode(*byte)).collect()
}

fn wide(bytes: &[u8]) -> Vec<i16> {
    let mut decoder = WideDecoder::default();
    bytes.iter().flat_map(|byte| decoder.decode(*byte)).collect()
}

#[test]
fn narrow_sound_comes_back_at_its_level_with_little_noise() {
    for hertz in [200.0, 440.0, 1_000.0, 2_400.0, 3_200.0] {
        let samples = sine(hertz, 8_000.0, 8_000);
        let back = narrow(&encode(&samples));
        let level = peak(&back[1_600..], hertz, 8_000.0);
        assert!((level / 8_000.0 - 1.0).abs() < 0.02, "{hertz}: {level}");
        let off = |(a, b): (&i16, &i16)| (f64::from(*a) - f64::from(*b)).powi(2);
        let noise: f64 = samples[1_600..].iter().zip(&back[1_600..]).map(off).sum();
        let power: f64 = samples[1_600..].iter().map(|x| f64::from(*x).powi(2)).sum();
        let ratio = 10.0 * (power / noise).log10();
        assert!(ratio > 25.0, "{hertz}: {ratio:.1} dB");
    }
}

#[test]
fn the_wide_decoder_hears_the_narrow_sound_at_its_place_and_no_image_of_it() {
    let heard = wide(&encode(&sine(1_000.0, 8_000.0, 8_000)));
    assert_eq!(heard.len(), 16_000);
    let level = peak(&heard[3_200..], 1_000.0, 16_000.0);
    assert!((level / 8_000.0 - 1.0).abs() < 0.05, "{level}");
    let image = peak(&heard[3_200..], 7_000.0, 16_000.0);
    assert!(image < 80.0, "{image}");
}

#[test]
fn the_wide_decoder_knows_what_the_narrow_one_makes_of_the_same_bytes() {
    let coded = encode(&sine(1_000.0, 8_000.0, 2_000));
    let (mut both, mut low) = (WideDecoder::default(), NarrowDecoder::default());
    assert!(coded.iter().all(|byte| both.decode_both(*byte).1 == low.decode(*byte)));
}

#[test]
fn silence_is_silent_and_stays_so() {
    let coded = encode(&[0; 4_000]);
    assert!(narrow(&coded[800..]).iter().all(|sample| sample.unsigned_abs() < 32));
    assert!(narrow(&[0xFD; 4_000]).iter().all(|sample| *sample == 0));
    assert!(wide(&[0xFD; 4_000]).iter().all(|sample| *sample == 0));
}

#[test]
fn no_row_of_bytes_breaks_a_decoder_or_an_encoder() {
    let (mut seed, mut low, mut both) = (1_u32, NarrowDecoder::default(), WideDecoder::default());
    let mut encoder = Encoder::default();
    for n in 0..200_000_u32 {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // Long rows of the extremes between random bytes: nothing may overflow.
        let byte =
            if n / 5_000 % 2 == 0 { (seed >> 24) as u8 } else { [0x04, 0x20][n as usize % 2] };
        let _samples = (low.decode(byte), both.decode(byte));
        let _code = encoder.encode(if n % 3 == 0 { i16::MIN } else { i16::MAX });
    }
}

#[test]
fn a_decoder_that_begins_in_the_middle_is_right_again_soon() {
    let coded = encode(&sine(440.0, 8_000.0, 8_000));
    let (whole, late) = (narrow(&coded), narrow(&coded[4_000..]));
    let off = |(a, b): (&i16, &i16)| a.abs_diff(*b);
    let worst = whole[6_000..].iter().zip(&late[2_000..]).map(off).max().unwrap();
    assert!(worst < 400, "{worst}");
}

/// 40 ms that ffmpeg 7 encoded (`-c:a g722`): sines of 500 and 6,000 Hz and some noise.
const FOREIGN: &str = "\
    fa5bdba20aa1a0a02026abb0353d9893101194951d3db5b12e2fb2f53a1f9b56155396da5e79b7f3\
    7171b0f63a5fdad51755d7db1d7ab5f27371b3f77a5e9ad71754d6991cfbf5f42d70f2f43a5fd8d8\
    10d6d49a1b77f8f33270f0733f7edbda535794967dfdb8f23370f2f37d7edcd21b1398d37b9dfab4\
    2b7decf578ffdf9516d6d7da195f72b63272717432ddd99f125c4f79557bbe713132f571f65cde5d\
    13199652745b7b737338ac731b6d54d95b5b94dd13715ef03578f3ed19b3d8947d1a927c54fa77f8\
    792ef4f23999b9dfd018d6dcd8bebef26c5de99e6ed9fdd91d509ed7fb58f9f1327bacfa76fe97b4\
    d44ff45813ed9bf67137bef1bcf69279563d98d3faf1d770707cb0bf787d991dd90ef67e525fa8d7\
    6c76da746c52ff9b197b9b551c737cf77b78aa9637df1776184ebafb7cdb39f4297e9c7c767558d3";

/// What ffmpeg's own decoder makes of it from the twentieth millisecond on.
const FOREIGN_SAMPLES: [i16; 32] = [
    2044, 6937, 4197, 1441, 5344, -982, 26, 454, -4828, -1411, -4014, -6098, -2707, -8061, -5501,
    -3537, -8495, -3372, -4472, -5566, 1125, -3195, -33, 3275, -678, 4963, 4591, 3412, 8563, 4279,
    6149, 7531,
];

#[test]
fn another_implementation_decodes_its_own_bytes_to_the_same_samples() {
    let digit = |at: usize| u8::from_str_radix(&FOREIGN[at..at + 2], 16).unwrap();
    let bytes: Vec<u8> = (0..FOREIGN.len()).step_by(2).map(digit).collect();
    assert_eq!(bytes.len(), 320);
    assert_eq!(wide(&bytes)[320..352], FOREIGN_SAMPLES);
}
