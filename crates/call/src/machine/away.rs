//! A customer whom the house sends to somebody outside, and whose own side makes that call (flows row
//! T-06).
//!
//! Nobody here hears when the customer begins to talk to the new party, so a tap keeps silence from the
//! moment at which their side takes the transfer on. It goes on when that has come to nothing, and is over
//! in every other case (law row L51); nobody says so for ever, and so it is over, too, when nothing was
//! heard for as long as there was to be news.

use std::time::Duration;

use crate::{
    Time,
    machine::{
        io::Action,
        state::{Call, Far, Stage},
        timer::Timer,
    },
};

impl Call {
    /// The customer's side has taken a transfer on, or has news of it: the next, or the end, is to be
    /// heard `within` so long. `None` when it has come to nothing.
    pub(super) fn sent_away(&mut self, now: Time, within: Option<Duration>) {
        if self.stage != Stage::Open || self.far != Far::Bridged {
            return;
        }
        let before = self.bridge.silence();
        self.timers.clear(Timer::News);
        if let Some(within) = within {
            self.timers.set(Timer::News, now + within);
        }
        self.bridge.send_away(now, within.is_some());
        self.keep_silence(before);
    }

    /// What became of the transfer was to be said by now. The customer may be with somebody outside.
    pub(super) fn without_news(&mut self, now: Time) {
        self.house_left(now);
        self.out.push_back(Action::LostSight);
    }

    /// Nothing is waited for any more.
    pub(super) fn forget_news(&mut self, now: Time) {
        self.timers.clear(Timer::News);
        self.bridge.send_away(now, false);
    }
}
