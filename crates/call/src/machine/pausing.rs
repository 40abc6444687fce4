//! A recording that the house pauses for a while, as while a card number is said (flows row D-25).
//!
//! A pause has an end: what somebody forgot to end would be a hole in what the customer agreed to, and
//! nobody would know before somebody listens. So after the policy's time it ends by itself, and that is
//! said aloud; who needs longer wants it again.

use crate::{
    Fact, Hand, Key, Time,
    machine::{
        io::{Action, Pause},
        state::{Call, Stage},
        timer::Timer,
    },
};

impl Call {
    /// Whether the house can pause the recording now: there is one, and it has not ended.
    #[must_use]
    pub const fn may_be_paused(&self) -> bool {
        self.recording.is_live()
    }

    /// Whether it is paused: by somebody's wish, which is not a hold.
    #[must_use]
    pub const fn is_paused(&self) -> bool {
        self.recording.is_live() && self.bridge.is_paused()
    }

    /// The agent's key that pauses, as long as there is anything to pause.
    pub(super) fn pause_key(&self) -> Option<Key> {
        self.terms.filter(|_| self.pauses)?.pausing.key
    }

    /// A recording has begun: the agent's key is listened for from now on.
    pub(super) fn let_pause(&mut self) {
        self.pauses = true;
        if let Some(key) = self.pause_key() {
            self.out.push_back(Action::ArmPause(key));
            self.keep_what_is_ours();
        }
    }

    /// A recording that is over needs no end of its pause, and the agent's key is the agent's again.
    pub(super) fn pause_no_more(&mut self) {
        if !self.pauses || self.recording.is_live() {
            return;
        }
        let had_key = self.pause_key().is_some();
        self.pauses = false;
        self.timers.clear(Timer::Pause);
        if had_key && self.stage == Stage::Open {
            self.keep_what_is_ours();
        }
    }

    /// The agent's key: it begins a pause, and ends one.
    pub(super) fn pause_or_resume(&mut self, now: Time) {
        if self.bridge.is_paused() {
            self.resume(now, Hand::Agent);
        } else {
            self.pause(now, Hand::Agent);
        }
    }

    /// Somebody wants silence from here; who wants it again wants it for longer.
    pub(super) fn pause(&mut self, now: Time, by: Hand) {
        let Some(terms) = self.terms.filter(|_| self.recording.is_live()) else { return };
        let before = self.bridge.silence();
        self.bridge.pause(now, true);
        self.keep_silence(before);
        self.timers.set(Timer::Pause, now + terms.pausing.limit);
        let recording = self.recording.id();
        self.out.push_back(Action::Audit(Fact::RecordingPaused { recording, by }));
    }

    /// Somebody wants sound again. Whoever holds is silent all the same.
    pub(super) fn resume(&mut self, now: Time, by: Hand) {
        if !self.recording.is_live() || !self.bridge.is_paused() {
            return;
        }
        let before = self.bridge.silence();
        self.bridge.pause(now, false);
        self.keep_silence(before);
        self.timers.clear(Timer::Pause);
        let recording = self.recording.id();
        self.out.push_back(Action::Audit(Fact::RecordingResumed { recording, by }));
    }

    /// Nobody has ended a pause in its time.
    pub(super) fn left_paused(&mut self, now: Time) {
        self.resume(now, Hand::Limit);
        self.out.push_back(Action::LeftPaused);
    }

    /// Tells the tap, if its reason to keep silence is not the one of before.
    pub(super) fn keep_silence(&mut self, before: Option<Pause>) {
        let silence = self.bridge.silence();
        if self.recording.is_open() && silence != before {
            self.out.push_back(silence.map_or(Action::Resume, Action::Pause));
        }
    }
}
