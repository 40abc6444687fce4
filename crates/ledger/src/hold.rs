//! Holds: a recording that may not be deleted for as long as somebody has a lawful reason.

use call::{RecordingId, Time};

/// A hold on one recording. It blocks deletion and erasure, not playback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Which recording.
    pub recording: RecordingId,
    /// From when on.
    pub placed_at: Time,
    /// Until when; `None` while it is in force.
    pub released_at: Option<Time>,
}

impl Hold {
    /// Whether it is in force at `now`: from the moment it is placed to the one it is released.
    #[must_use]
    pub fn in_force(&self, now: Time) -> bool {
        self.placed_at <= now && self.released_at.is_none_or(|released| now < released)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_is_in_force_from_placing_to_release() {
        let at = Time::from_micros;
        let recording = RecordingId::from_bytes([1; 16]);
        let hold = Hold { recording, placed_at: at(10), released_at: Some(at(20)) };
        let states = [9, 10, 19, 20].map(|now| hold.in_force(at(now)));
        assert_eq!(states, [false, true, true, false]);
        assert!(Hold { released_at: None, ..hold }.in_force(at(1_000)));
    }
}
