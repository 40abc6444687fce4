//! Sound as the portal reads it: an opened recording that is decrypted piece by piece.

use std::fmt;

/// Peaks per second and channel that a recording keeps beside its sound.
pub const PEAKS_PER_SECOND: u32 = 20;

/// The largest absolute sample of each channel, customer first.
pub type Peak = [u16; 2];

/// Why a piece of an opened recording could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// This second (counted from 0) does not open or is not what was sealed.
    Damaged {
        /// The second of the recording.
        second: u64,
    },
    /// The store or the key provider did not answer.
    Unavailable,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged { second } => write!(
                f,
                "second {second} of the recording is damaged; verify the recording to see what is"
            ),
            Self::Unavailable => {
                f.write_str("the store or the key provider does not answer; try again later")
            }
        }
    }
}

impl std::error::Error for ReadError {}

/// One opened recording: two channels, the customer on the left, 16 bit, both at [`Sound::rate_hz`].
///
/// It is read on a thread where it may block. Dropping it closes the recording; whoever implements
/// it wipes the keys it held.
pub trait Sound: Send {
    /// Frames per second, of the WAV made of it too: 8,000, or 16,000 where somebody spoke wider.
    fn rate_hz(&self) -> u32;

    /// How many frames (one sample per channel) there are, pauses and erased seconds included.
    fn frames(&self) -> u64;

    /// Fills `out` with the frames from `first` on, `[customer, agent]` each. What is absent
    /// (paused, held, erased) is zeros. `first + out.len()` never exceeds [`Sound::frames`].
    ///
    /// # Errors
    /// [`ReadError`]; `out` then holds nothing of use.
    fn read(&mut self, first: u64, out: &mut [[i16; 2]]) -> Result<(), ReadError>;

    /// The peaks kept beside the sound, [`PEAKS_PER_SECOND`] of them per second, or `None` when
    /// there are none, in which case the portal takes them from the frames.
    ///
    /// # Errors
    /// [`ReadError`] as for [`Sound::read`].
    fn peaks(&mut self) -> Result<Option<Vec<Peak>>, ReadError> {
        Ok(None)
    }
}
