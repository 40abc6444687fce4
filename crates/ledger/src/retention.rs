//! Which recordings are due for deletion (GDPR Art. 5(1)(e), law row L05): a pure function.

use std::{collections::HashSet, time::Duration};

use call::{RecordingId, Time};

use crate::{catalogue::recordings::RecordingState, hold::Hold};

/// What retention needs to know of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionRow {
    /// Which recording.
    pub recording: RecordingId,
    /// When it is due.
    pub delete_after: Time,
    /// How far it has come. Failed, partial and never sealed recordings are due like any other.
    pub state: RecordingState,
    /// Whether its call still runs. Retention counts from the end of a recording, so nothing of a
    /// running call is due, however short its class.
    pub live: bool,
}

/// A recording that must go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// Which recording.
    pub recording: RecordingId,
    /// Since when.
    pub since: Time,
    /// For how long already.
    pub overdue: Duration,
}

/// When a recording that ended at `ended` is due under a class that keeps it for `keep`.
#[must_use]
pub fn delete_after(ended: Time, keep: Duration) -> Time {
    ended + keep
}

/// The recordings that are due at `now`, the longest overdue first. A recording is due from the
/// very microsecond of `delete_after` on. A hold in force blocks; nothing else does.
#[must_use]
pub fn due(rows: &[RetentionRow], holds: &[Hold], now: Time) -> Vec<Due> {
    let held: HashSet<_> =
        holds.iter().filter(|hold| hold.in_force(now)).map(|hold| hold.recording).collect();
    let mut due: Vec<_> = rows
        .iter()
        .filter(|row| !row.live && row.delete_after <= now && !held.contains(&row.recording))
        .map(|row| Due {
            recording: row.recording,
            since: row.delete_after,
            overdue: now.since(row.delete_after),
        })
        .collect();
    due.sort_unstable_by_key(|due| (due.since, due.recording));
    due
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::from_micros(1_000_000);

    fn row(id: u8, delete_after: u64, state: RecordingState) -> RetentionRow {
        let recording = RecordingId::from_bytes([id; 16]);
        RetentionRow {
            recording,
            delete_after: Time::from_micros(delete_after),
            state,
            live: false,
        }
    }

    fn ids(due: &[Due]) -> Vec<u8> {
        due.iter().map(|due| due.recording.as_bytes()[0]).collect()
    }

    #[test]
    fn l_05_due_from_the_very_moment_and_not_before() {
        let stored = RecordingState::Stored;
        let rows = [row(1, 999_999, stored), row(2, 1_000_000, stored), row(3, 1_000_001, stored)];
        let due = due(&rows, &[], NOW);
        assert_eq!(ids(&due), [1, 2]);
        assert_eq!(due[0].overdue, Duration::from_micros(1));
        assert_eq!(due[1].overdue, Duration::ZERO);
    }

    #[test]
    fn l_05_failed_partial_and_never_sealed_recordings_are_due_like_any_other() {
        let states = RecordingState::ALL.iter().zip(1..);
        let rows: Vec<_> = states.map(|(state, id)| row(id, 5, *state)).collect();
        assert_eq!(ids(&due(&rows, &[], NOW)), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn nothing_of_a_running_call_is_due() {
        let running = RetentionRow { live: true, ..row(1, 5, RecordingState::Recording) };
        assert_eq!(due(&[running], &[], NOW), []);
    }

    #[test]
    fn a_hold_blocks_its_recording_and_no_other() {
        let stored = RecordingState::Stored;
        let rows = [row(1, 5, stored), row(2, 5, stored), row(3, 5, stored)];
        let hold = |row: &RetentionRow, placed_at, released_at: Option<u64>| Hold {
            recording: row.recording,
            placed_at: Time::from_micros(placed_at),
            released_at: released_at.map(Time::from_micros),
        };
        let released = hold(&rows[1], 1, Some(1_000_000));
        let future = hold(&rows[2], 1_000_001, None);
        let holds = [hold(&rows[0], 1, None), released, future];
        assert_eq!(ids(&due(&rows, &holds, NOW)), [2, 3]);
        let twice = [hold(&rows[1], 1, Some(2)), hold(&rows[1], 3, None)];
        assert_eq!(ids(&due(&rows, &twice, NOW)), [1, 3]);
    }

    #[test]
    fn the_longest_overdue_goes_first() {
        let stored = RecordingState::Stored;
        let rows = [row(3, 7, stored), row(2, 5, stored), row(1, 7, stored)];
        assert_eq!(ids(&due(&rows, &[], NOW)), [2, 1, 3]);
    }

    #[test]
    fn a_class_of_two_seconds_counts_from_the_end() {
        let ended = Time::from_micros(60_000_000);
        assert_eq!(delete_after(ended, Duration::from_secs(2)).as_micros(), 62_000_000);
    }
}
