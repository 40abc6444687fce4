//! The waveform: how loud each channel was in each of a few hundred columns.

use serde::Serialize;
use zeroize::Zeroize;

use crate::sound::{Peak, ReadError, Sound};

/// The most columns a waveform has.
pub(crate) const MOST_COLUMNS: usize = 4_000;

/// So many frames are looked at at once, where there are no peaks: a second of 8,000 Hz.
const PIECE_FRAMES: usize = 8_000;

/// A waveform, ready to be drawn: values from 0 (silence) to 255 (full scale).
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Waveform {
    customer: Vec<u8>,
    agent: Vec<u8>,
}

/// The waveform of a sound in at most `columns` columns (1 to [`MOST_COLUMNS`]); fewer when there
/// are fewer peaks. Silence in a column is zero, so erased seconds leave no trace in it.
///
/// # Errors
/// [`ReadError`] of the sound.
pub(crate) fn waveform(sound: &mut dyn Sound, columns: usize) -> Result<Waveform, ReadError> {
    let columns = columns.clamp(1, MOST_COLUMNS);
    let loudest = match sound.peaks()? {
        Some(peaks) => folded(&peaks, columns),
        None => measured(sound, columns)?,
    };
    let channel = |pick: fn(&Peak) -> u16| {
        loudest.iter().map(|peak| u8::try_from(pick(peak) >> 7).unwrap_or(u8::MAX)).collect()
    };
    Ok(Waveform { customer: channel(|peak| peak[0]), agent: channel(|peak| peak[1]) })
}

fn raise(column: Option<&mut Peak>, by: Peak) {
    if let Some(column) = column {
        *column = [column[0].max(by[0]), column[1].max(by[1])];
    }
}

/// The column of item `index` of `count`.
fn column_of(index: u64, count: u64, columns: usize) -> usize {
    let wide = u128::from(index) * columns as u128 / u128::from(count.max(1));
    usize::try_from(wide).unwrap_or(usize::MAX)
}

/// Peaks kept beside the sound, the loudest of each column.
fn folded(peaks: &[Peak], columns: usize) -> Vec<Peak> {
    let columns = columns.min(peaks.len());
    let mut loudest = vec![[0; 2]; columns];
    for (index, peak) in (0..).zip(peaks) {
        raise(loudest.get_mut(column_of(index, peaks.len() as u64, columns)), *peak);
    }
    loudest
}

/// The loudest frame of each column, a piece of sound at a time.
fn measured(sound: &mut dyn Sound, columns: usize) -> Result<Vec<Peak>, ReadError> {
    let count = sound.frames();
    let columns = columns.min(usize::try_from(count).unwrap_or(usize::MAX));
    let mut loudest = vec![[0; 2]; columns];
    let mut piece = vec![[0_i16; 2]; PIECE_FRAMES];
    let mut first = 0;
    let mut outcome = Ok(());
    while first < count && outcome.is_ok() {
        let size = usize::try_from(count - first).unwrap_or(usize::MAX).min(piece.len());
        let Some(frames) = piece.get_mut(..size) else { break };
        outcome = sound.read(first, frames);
        for (index, frame) in (first..).zip(frames.iter()) {
            raise(loudest.get_mut(column_of(index, count, columns)), frame.map(i16::unsigned_abs));
        }
        first += size as u64;
    }
    piece.zeroize();
    outcome.map(|()| loudest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sound of given frames, with or without peaks of its own.
    struct Given {
        frames: Vec<[i16; 2]>,
        peaks: Option<Vec<Peak>>,
    }

    impl Sound for Given {
        fn rate_hz(&self) -> u32 {
            8_000
        }

        fn frames(&self) -> u64 {
            self.frames.len() as u64
        }

        fn read(&mut self, first: u64, out: &mut [[i16; 2]]) -> Result<(), ReadError> {
            out.copy_from_slice(&self.frames[first as usize..][..out.len()]);
            Ok(())
        }

        fn peaks(&mut self) -> Result<Option<Vec<Peak>>, ReadError> {
            Ok(self.peaks.clone())
        }
    }

    fn drawn(sound: &mut Given, columns: usize) -> (Vec<u8>, Vec<u8>) {
        let waveform = waveform(sound, columns).unwrap();
        (waveform.customer, waveform.agent)
    }

    #[test]
    fn each_column_is_its_loudest_frame_of_each_channel() {
        let mut frames = vec![[0, 0]; 20_000];
        frames[4_999] = [-32_768, 0];
        frames[5_000] = [0, 16_384];
        frames[19_999] = [128, -32_767];
        let mut sound = Given { frames, peaks: None };
        assert_eq!(drawn(&mut sound, 4), (vec![255, 0, 0, 1], vec![0, 128, 0, 255]));
        assert_eq!(drawn(&mut sound, 1), (vec![255], vec![255]));
        let (customer, _) = drawn(&mut sound, 1_000_000);
        assert_eq!(customer.len(), MOST_COLUMNS);
    }

    #[test]
    fn peaks_kept_beside_the_sound_spare_reading_it() {
        let peaks = Some(vec![[1 << 7, 0], [5 << 7, 0], [2 << 7, 9 << 7]]);
        let mut sound = Given { frames: Vec::new(), peaks };
        assert_eq!(drawn(&mut sound, 2), (vec![5, 2], vec![0, 9]));
        assert_eq!(drawn(&mut sound, 9), (vec![1, 5, 2], vec![0, 0, 9]));
    }

    #[test]
    fn an_empty_recording_has_no_columns() {
        let mut sound = Given { frames: Vec::new(), peaks: None };
        assert_eq!(drawn(&mut sound, 100), (Vec::new(), Vec::new()));
        sound.peaks = Some(Vec::new());
        assert_eq!(drawn(&mut sound, 100), (Vec::new(), Vec::new()));
    }
}
