//! A beep that both parties hear every so often while they are recorded (flows row C-20).

use std::time::Duration;

use call::Time;

use crate::prompt::PromptAudio;

/// What beeps, and when the next one is due.
pub(crate) struct Beeps {
    audio: PromptAudio,
    every: Duration,
    due: Time,
}

impl Beeps {
    /// The first is due after one interval.
    pub(crate) fn new(now: Time, every: Duration, audio: PromptAudio) -> Self {
        Self { audio, every, due: now + every }
    }

    /// When the next one is due.
    pub(crate) const fn due(&self) -> Time {
        self.due
    }

    /// What is due by now; what was missed in a stall is not made up for.
    pub(crate) fn take(&mut self, now: Time) -> Option<PromptAudio> {
        if self.due > now {
            return None;
        }
        let next = self.due + self.every;
        self.due = if next > now { next } else { now + self.every };
        Some(self.audio.clone())
    }
}
