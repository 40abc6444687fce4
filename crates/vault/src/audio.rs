//! A recording as WAV: two channels, 16 bits, the customer on the left, at the rate of its sound.

use std::{
    fmt,
    io::{Read, Seek, Write},
};

use zeroize::Zeroizing;

use crate::reader::{ReadError, Reader};

/// Bytes in front of the samples of a WAV file of this form.
pub const WAV_HEADER_LENGTH: usize = 44;
const BYTES_PER_SAMPLE: u64 = 4;

/// The recording is longer than a WAV file can say (2^32 bytes, 37 hours at 8,000 Hz).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WavHeaderError;

impl fmt::Display for WavHeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the recording is too long for one WAV file; export it in parts")
    }
}

impl std::error::Error for WavHeaderError {}

/// Why an export failed. What was written is not to be used.
#[derive(Debug)]
pub enum ExportError {
    /// The recording cannot be read.
    Read(ReadError),
    /// It does not fit a WAV file.
    TooLong(WavHeaderError),
    /// The file could not be written.
    Write(std::io::ErrorKind),
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => error.fmt(f),
            Self::TooLong(error) => error.fmt(f),
            Self::Write(kind) => {
                write!(f, "the WAV file could not be written ({kind}); choose another place")
            }
        }
    }
}

impl std::error::Error for ExportError {}

impl From<hound::Error> for ExportError {
    fn from(error: hound::Error) -> Self {
        match error {
            hound::Error::IoError(error) => Self::Write(error.kind()),
            _ => Self::TooLong(WavHeaderError),
        }
    }
}

/// The 44 bytes in front of `frames` sample pairs of this rate, for a player that seeks by byte ranges:
/// byte `44 + 4 n` begins sample pair `n`.
///
/// # Errors
/// [`WavHeaderError`] when the recording is longer than 2^32 bytes.
pub fn wav_header(frames: u64, rate_hz: u32) -> Result<[u8; WAV_HEADER_LENGTH], WavHeaderError> {
    let data = frames.checked_mul(BYTES_PER_SAMPLE).ok_or(WavHeaderError)?;
    let data = u32::try_from(data).map_err(|_| WavHeaderError)?;
    let riff = data.checked_add(WAV_HEADER_LENGTH as u32 - 8).ok_or(WavHeaderError)?;
    let bytes = [
        &b"RIFF"[..],
        &riff.to_le_bytes(),
        b"WAVEfmt ",
        &16_u32.to_le_bytes(),
        &1_u16.to_le_bytes(),
        &2_u16.to_le_bytes(),
        &rate_hz.to_le_bytes(),
        &rate_hz.saturating_mul(BYTES_PER_SAMPLE as u32).to_le_bytes(),
        &4_u16.to_le_bytes(),
        &16_u16.to_le_bytes(),
        b"data",
        &data.to_le_bytes(),
    ]
    .concat();
    bytes.try_into().map_err(|_| WavHeaderError)
}

/// Writes the whole recording as WAV, at [`Reader::rate_hz`]. A damaged second ends the export with an error: an export
/// never passes damage off as silence.
///
/// # Errors
/// [`ExportError`]; the file is not to be used then.
pub fn export_wav<S: Read + Seek>(
    reader: &mut Reader<S>,
    out: impl Write + Seek,
) -> Result<(), ExportError> {
    let rate_hz = reader.rate_hz();
    wav_header(reader.frames(), rate_hz).map_err(ExportError::TooLong)?;
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: rate_hz,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::new(out, spec)?;
    let mut second = Zeroizing::new(vec![[0_i16; 2]; rate_hz as usize]);
    let mut at = 0;
    loop {
        let count = reader.read(at, &mut second).map_err(ExportError::Read)?;
        if count == 0 {
            break;
        }
        for sample in second.iter().take(count).flatten() {
            wav.write_sample(*sample)?;
        }
        at += count as u64;
    }
    Ok(wav.finalize()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_header_is_the_one_that_hound_writes() {
        for sample_rate in [8_000, 16_000] {
            let spec = hound::WavSpec {
                channels: 2,
                sample_rate,
                bits_per_sample: 16,
                sample_format: hound::SampleFormat::Int,
            };
            let mut file = std::io::Cursor::new(Vec::new());
            let mut wav = hound::WavWriter::new(&mut file, spec).unwrap();
            (0..6).for_each(|sample| wav.write_sample(sample).unwrap());
            wav.finalize().unwrap();
            assert_eq!(file.into_inner()[..44], wav_header(3, sample_rate).unwrap());
        }
        assert_eq!(wav_header(1 << 30, 8_000), Err(WavHeaderError));
    }
}
