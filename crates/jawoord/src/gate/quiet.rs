//! One line of the log for what happens a million times.

use std::time::{Duration, Instant};

/// Between two lines about the same thing.
const PAUSE: Duration = Duration::from_secs(60);

/// Counts what happens, and says now and then that it does.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quiet {
    said: Option<Instant>,
    since: u64,
}

impl Quiet {
    /// It has happened; the number of times since the last line when it is time for another.
    pub fn happens(&mut self, now: Instant) -> Option<u64> {
        self.since += 1;
        let due = self.said.is_none_or(|said| now.saturating_duration_since(said) >= PAUSE);
        if !due {
            return None;
        }
        self.said = Some(now);
        Some(std::mem::take(&mut self.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s_15_a_flood_is_one_line_a_minute() {
        let start = Instant::now();
        let mut quiet = Quiet::default();
        let lines: Vec<u64> = (0..120_000_u64)
            .filter_map(|milli| quiet.happens(start + Duration::from_millis(milli)))
            .collect();
        assert_eq!(lines, [1, 60_000]);
    }
}
