//! WAV files: the one form that is played, and any form that a studio delivers.

use std::{fmt, io::Cursor};

use call::Digest;
use hound::{SampleFormat, WavReader, WavSpec, WavWriter};

/// Samples per second of every prompt.
pub(super) const RATE_HZ: u32 = 8_000;

const TELEPHONE: WavSpec = WavSpec {
    channels: 1,
    sample_rate: RATE_HZ,
    bits_per_sample: 16,
    sample_format: SampleFormat::Int,
};

/// Why a WAV file cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaveFault {
    /// It is no WAV file, it is cut short, or its coding is not PCM.
    Unreadable,
    /// So many samples per second.
    Rate(u32),
    /// So many channels.
    Channels(u16),
    /// So many bits per sample.
    Bits(u16),
}

impl fmt::Display for WaveFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable => f.write_str("it is not a whole WAV file of PCM samples"),
            Self::Rate(hz) => write!(f, "it has {hz} samples per second"),
            Self::Channels(channels) => write!(f, "it has {channels} channels"),
            Self::Bits(bits) => write!(f, "it has {bits} bits per sample"),
        }
    }
}

/// SHA-256 of a file (FIPS 180-4).
pub(super) fn digest(bytes: &[u8]) -> Digest {
    let hash = ring::digest::digest(&ring::digest::SHA256, bytes);
    let mut array = [0; 32];
    array.iter_mut().zip(hash.as_ref()).for_each(|(to, from)| *to = *from);
    Digest::from_bytes(array)
}

/// Reads a prompt: 8,000 Hz, mono, 16 bit, nothing else.
pub(super) fn decode(bytes: &[u8]) -> Result<Vec<i16>, WaveFault> {
    let reader = WavReader::new(Cursor::new(bytes)).map_err(|_| WaveFault::Unreadable)?;
    let spec = reader.spec();
    if spec.sample_rate != RATE_HZ {
        return Err(WaveFault::Rate(spec.sample_rate));
    }
    if spec.channels != 1 {
        return Err(WaveFault::Channels(spec.channels));
    }
    if spec.bits_per_sample != 16 || spec.sample_format != SampleFormat::Int {
        return Err(WaveFault::Bits(spec.bits_per_sample));
    }
    reader.into_samples().collect::<Result<_, _>>().map_err(|_| WaveFault::Unreadable)
}

/// Writes a prompt.
pub(super) fn encode(samples: &[i16]) -> Result<Vec<u8>, WaveFault> {
    let mut file = Cursor::new(Vec::with_capacity(44 + samples.len() * 2));
    let write = |file: &mut Cursor<Vec<u8>>| {
        let mut writer = WavWriter::new(file, TELEPHONE)?;
        samples.iter().try_for_each(|sample| writer.write_sample(*sample))?;
        writer.finalize()
    };
    write(&mut file).map_err(|_| WaveFault::Unreadable)?;
    Ok(file.into_inner())
}

/// A sound at any rate, mixed to one channel, full scale ±1.
pub(super) struct Sound {
    /// Samples per second.
    pub(super) rate_hz: u32,
    /// The samples.
    pub(super) samples: Vec<f32>,
}

/// Reads any PCM WAV file: 8 to 32 bits or floating point, 8,000 to 192,000 Hz, up to 8 channels,
/// which are mixed evenly. Reads no more than `limit_s` seconds; the rest is left out.
pub(super) fn open(bytes: &[u8], limit_s: u32) -> Result<Sound, WaveFault> {
    let reader = WavReader::new(Cursor::new(bytes)).map_err(|_| WaveFault::Unreadable)?;
    let spec = reader.spec();
    if !(RATE_HZ..=192_000).contains(&spec.sample_rate) {
        return Err(WaveFault::Rate(spec.sample_rate));
    }
    if !(1..=8).contains(&spec.channels) {
        return Err(WaveFault::Channels(spec.channels));
    }
    let limit = limit_s as usize * spec.sample_rate as usize * usize::from(spec.channels);
    let interleaved: Vec<f32> = match spec.sample_format {
        SampleFormat::Float => reader.into_samples::<f32>().take(limit).collect::<Result<_, _>>(),
        SampleFormat::Int => {
            let full = match spec.bits_per_sample {
                bits @ 8..=32 => (1_u64 << (bits - 1)) as f32,
                bits => return Err(WaveFault::Bits(bits)),
            };
            let scaled = |sample: Result<i32, _>| sample.map(|sample| sample as f32 / full);
            reader.into_samples::<i32>().take(limit).map(scaled).collect()
        }
    }
    .map_err(|_| WaveFault::Unreadable)?;
    let even = f32::from(spec.channels);
    let mix = |frame: &[f32]| frame.iter().filter(|s| s.is_finite()).sum::<f32>() / even;
    let samples = interleaved.chunks_exact(usize::from(spec.channels)).map(mix).collect();
    Ok(Sound { rate_hz: spec.sample_rate, samples })
}

#[cfg(test)]
mod tests {
    use super::{WaveFault, decode, digest, encode, open};

    #[test]
    fn what_is_written_is_read_back() {
        let samples: Vec<i16> = (-300..300).map(|n| n * 100).collect();
        let file = encode(&samples).unwrap();
        assert_eq!(decode(&file).unwrap(), samples);
        assert_eq!(decode(&file[..file.len() - 1]), Err(WaveFault::Unreadable));
        assert_eq!(decode(b"RIFF"), Err(WaveFault::Unreadable));
    }

    #[test]
    fn a_prompt_in_another_form_is_refused_by_what_it_has() {
        let with = |channels, sample_rate, bits_per_sample| {
            let sample_format = hound::SampleFormat::Int;
            let spec = hound::WavSpec { channels, sample_rate, bits_per_sample, sample_format };
            let mut file = std::io::Cursor::new(Vec::new());
            let mut writer = hound::WavWriter::new(&mut file, spec).unwrap();
            (0..16).for_each(|n| writer.write_sample(n).unwrap());
            writer.finalize().unwrap();
            file.into_inner()
        };
        assert_eq!(decode(&with(1, 8_000, 16)).unwrap().len(), 16);
        assert_eq!(decode(&with(1, 16_000, 16)), Err(WaveFault::Rate(16_000)));
        assert_eq!(decode(&with(2, 8_000, 16)), Err(WaveFault::Channels(2)));
        assert_eq!(decode(&with(1, 8_000, 24)), Err(WaveFault::Bits(24)));
        let studio = |file: &[u8]| open(file, 1).map(|sound| sound.samples.len());
        assert_eq!(studio(&with(2, 48_000, 24)), Ok(8));
        assert_eq!(studio(&with(16, 48_000, 24)), Err(WaveFault::Channels(16)));
        assert_eq!(studio(&with(1, 4_000, 16)), Err(WaveFault::Rate(4_000)));
    }

    #[test]
    fn a_digest_is_sha_256() {
        // FIPS 180-4, the example "abc".
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest(b"abc").to_string(), expected);
    }
}
