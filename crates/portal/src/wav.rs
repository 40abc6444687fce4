//! A recording as the bytes of a WAV file, any part of which can be made without the rest.

use zeroize::{Zeroize, Zeroizing};

use crate::sound::{ReadError, Sound};

/// Bytes before the first frame: RIFF, `fmt ` and `data` headers.
pub(crate) const HEADER_LENGTH: u64 = 44;

const CHANNELS: u16 = 2;
const BITS: u16 = 16;

/// Bytes of one frame: one sample of each channel.
const FRAME_LENGTH: u64 = (CHANNELS * BITS / 8) as u64;

/// The most frames one piece holds: two seconds of 8,000 Hz or one of 16,000, so that no second is
/// opened twice and a piece stays under 64 KiB.
const PIECE_FRAMES: u64 = 16_000;

/// The length of the WAV of this many frames, header included.
pub(crate) const fn length(frames: u64) -> u64 {
    HEADER_LENGTH.saturating_add(frames.saturating_mul(FRAME_LENGTH))
}

/// The header. Lengths beyond the format's 32 bits (37 hours of 8,000 Hz) are given as the largest,
/// which players take for "until the end".
fn header(frames: u64, rate_hz: u32) -> [u8; HEADER_LENGTH as usize] {
    let data = u32::try_from(frames.saturating_mul(FRAME_LENGTH)).unwrap_or(u32::MAX);
    let frame_length = CHANNELS * BITS / 8;
    let fields: [&[u8]; 13] = [
        b"RIFF",
        &data.saturating_add(HEADER_LENGTH as u32 - 8).to_le_bytes(),
        b"WAVE",
        b"fmt ",
        &16_u32.to_le_bytes(),
        &1_u16.to_le_bytes(),
        &CHANNELS.to_le_bytes(),
        &rate_hz.to_le_bytes(),
        &rate_hz.saturating_mul(u32::from(frame_length)).to_le_bytes(),
        &frame_length.to_le_bytes(),
        &BITS.to_le_bytes(),
        b"data",
        &data.to_le_bytes(),
    ];
    let mut bytes = [0; HEADER_LENGTH as usize];
    for (to, from) in bytes.iter_mut().zip(fields.into_iter().flatten()) {
        *to = *from;
    }
    bytes
}

/// Where the piece that begins at byte `start` ends: at a whole second of sound, or at `end`.
const fn piece_end(start: u64, end: u64) -> u64 {
    let frame = start.saturating_sub(HEADER_LENGTH) / FRAME_LENGTH;
    // A piece with the header in it is half as long, which keeps it under 64 KiB too.
    let limit = if start < HEADER_LENGTH {
        PIECE_FRAMES / 2
    } else {
        (frame / PIECE_FRAMES + 1) * PIECE_FRAMES
    };
    let limit = length(limit);
    if limit < end { limit } else { end }
}

/// The next piece of the bytes `[start, end)`, at least one byte and at most 64 KiB; empty when
/// `start` is not below `end`. `end` is at most the [`length`] of the sound's WAV.
///
/// # Errors
/// [`ReadError`] of the sound.
pub(crate) fn piece(
    sound: &mut dyn Sound,
    start: u64,
    end: u64,
) -> Result<Zeroizing<Vec<u8>>, ReadError> {
    let stop = piece_end(start, end);
    let size = usize::try_from(stop.saturating_sub(start)).unwrap_or(0);
    let mut bytes = Zeroizing::new(Vec::with_capacity(size));
    let of_header = header(sound.frames(), sound.rate_hz());
    let place = usize::try_from(start).unwrap_or(usize::MAX);
    bytes.extend(of_header.iter().skip(place).take(size));
    if bytes.len() < size {
        let from = start.max(HEADER_LENGTH) - HEADER_LENGTH;
        let first = from / FRAME_LENGTH;
        let after = (stop - HEADER_LENGTH).div_ceil(FRAME_LENGTH);
        let mut frames = vec![[0_i16; 2]; usize::try_from(after - first).unwrap_or(0)];
        let outcome = sound.read(first, &mut frames);
        if outcome.is_ok() {
            let samples = frames.iter().flatten().flat_map(|sample| sample.to_le_bytes());
            let inside = usize::try_from(from % FRAME_LENGTH).unwrap_or(0);
            let missing = size - bytes.len();
            bytes.extend(samples.skip(inside).take(missing));
        }
        frames.zeroize();
        outcome?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frame n is `[n, -n]`, so that every byte tells where it is from.
    struct Counting(u64);

    impl Sound for Counting {
        fn rate_hz(&self) -> u32 {
            8_000
        }

        fn frames(&self) -> u64 {
            self.0
        }

        fn read(&mut self, first: u64, out: &mut [[i16; 2]]) -> Result<(), ReadError> {
            assert!(first + out.len() as u64 <= self.0, "reads beyond the end");
            for (number, frame) in (first..).zip(out) {
                let sample = (number % 30_000) as i16;
                *frame = [sample, -sample];
            }
            Ok(())
        }
    }

    fn naive(frames: u64) -> Vec<u8> {
        let mut bytes = header(frames, 8_000).to_vec();
        for number in 0..frames {
            let sample = (number % 30_000) as i16;
            bytes.extend(sample.to_le_bytes());
            bytes.extend((-sample).to_le_bytes());
        }
        bytes
    }

    fn pieced(frames: u64, start: u64, end: u64) -> Vec<u8> {
        let (mut bytes, mut at) = (Vec::new(), start);
        while at < end {
            let piece = piece(&mut Counting(frames), at, end).unwrap();
            assert!(!piece.is_empty() && piece.len() <= 64 * 1024);
            at += piece.len() as u64;
            bytes.extend(piece.iter());
        }
        bytes
    }

    #[test]
    fn the_header_says_two_channels_of_16_bit_at_8_khz() {
        let header = header(8_000, 8_000);
        assert_eq!(&header[..4], b"RIFF");
        assert_eq!(u32::from_le_bytes(header[4..8].try_into().unwrap()), 32_000 + 36);
        assert_eq!(&header[8..16], b"WAVEfmt ");
        assert_eq!(&header[20..24], [1, 0, 2, 0]);
        assert_eq!(u32::from_le_bytes(header[24..28].try_into().unwrap()), 8_000);
        assert_eq!(u32::from_le_bytes(header[28..32].try_into().unwrap()), 32_000);
        assert_eq!(&header[32..40], [4, 0, 16, 0, b'd', b'a', b't', b'a']);
        assert_eq!(u32::from_le_bytes(header[40..44].try_into().unwrap()), 32_000);
    }

    #[test]
    fn a_wide_sound_says_its_rate_and_goes_out_a_second_at_a_time() {
        let header = header(16_000, 16_000);
        assert_eq!(u32::from_le_bytes(header[24..28].try_into().unwrap()), 16_000);
        assert_eq!(u32::from_le_bytes(header[28..32].try_into().unwrap()), 64_000);
        assert_eq!(piece_end(HEADER_LENGTH, u64::MAX), length(16_000));
    }

    #[test]
    fn any_part_of_a_short_file_is_the_same_bytes_as_in_the_whole() {
        let whole = naive(7);
        assert_eq!(whole.len() as u64, length(7));
        for start in 0..whole.len() {
            for end in start..=whole.len() {
                assert_eq!(pieced(7, start as u64, end as u64), whole[start..end]);
            }
        }
    }

    #[test]
    fn a_long_file_is_the_same_in_pieces_from_any_offset() {
        let whole = naive(50_001);
        for start in [0, 1, 43, 44, 45, 32_043, 32_044, 64_045, 64_047, 200_047] {
            assert_eq!(pieced(50_001, start as u64, length(50_001)), whole[start..]);
        }
    }

    #[test]
    fn a_recording_beyond_32_bits_says_the_largest_length() {
        let header = header(u64::MAX, 8_000);
        assert_eq!(&header[4..8], [255; 4]);
        assert_eq!(&header[40..44], [255; 4]);
        assert_eq!(length(u64::MAX), u64::MAX);
    }
}
