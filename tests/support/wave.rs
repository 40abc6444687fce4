//! Mono files of 8 kHz: what peers play, and what they kept of what they heard.

use std::path::Path;

/// Writes samples as a file that Asterisk and baresip play.
///
/// # Panics
/// The file cannot be written.
pub fn write(path: &Path, samples: &[i16]) {
    write_at(path, samples, 8_000);
}

/// The same at another rate.
///
/// # Panics
/// The file cannot be written.
pub fn write_at(path: &Path, samples: &[i16], rate_hz: u32) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: rate_hz,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(path, spec).expect("a WAV file");
    for sample in samples {
        file.write_sample(*sample).expect("a sample");
    }
    file.finalize().expect("a WAV file");
}

/// The samples of a file.
///
/// # Panics
/// It is no such file.
#[must_use]
pub fn mono(path: &Path) -> Vec<i16> {
    mono_at(path, 8_000)
}

/// The same at another rate.
///
/// # Panics
/// It is no such file.
#[must_use]
pub fn mono_at(path: &Path, rate_hz: u32) -> Vec<i16> {
    let mut reader = hound::WavReader::open(path).expect("a WAV file");
    let spec = reader.spec();
    assert_eq!((spec.channels, spec.sample_rate, spec.bits_per_sample), (1, rate_hz, 16));
    reader.samples().map(|sample| sample.expect("a sample")).collect()
}
