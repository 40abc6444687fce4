//! The way to the called party: dialled, ringing, answered or failed.

use std::time::Duration;

use crate::{
    Prompt, Time,
    machine::{
        io::{Action, Cause, Connection, Failure, Tone},
        state::{Call, EarlyMedia, Far, Near, Stage},
        timer::Timer,
    },
    verdict::Choice,
};

/// How long a caller hears why there is no agent.
const TONE_LENGTH: Duration = Duration::from_secs(5);
/// The same for a prompt, which ends by itself.
const FAREWELL_LIMIT: Duration = Duration::from_secs(15);

impl Call {
    /// Calls the other side, which stops every clock of the dialogue.
    pub(super) fn dial(&mut self, now: Time) {
        self.stop_clocks();
        self.far = Far::Dialling(EarlyMedia::None);
        self.out.push_back(Action::Dial);
        if let Some(ring_timeout) = self.ring_timeout {
            self.timers.set(Timer::Ring, now + ring_timeout);
        }
    }

    /// The question has taken all the time that it takes.
    pub(super) fn stop_clocks(&mut self) {
        self.left_until_dial = None;
        self.timers.clear(Timer::Limit);
        self.timers.clear(Timer::Explanation);
    }

    /// The customer has heard what was to be said: on with the way to the other party.
    pub(super) fn spoken(&mut self, now: Time) {
        match self.far {
            Far::Idle => {
                self.dial(now);
                self.sound.ring_back(&mut self.out);
            }
            Far::Dialling(EarlyMedia::None) => self.sound.ring_back(&mut self.out),
            Far::Dialling(EarlyMedia::Waiting) => self.connect_early(),
            Far::Answered => self.bring_together(now),
            Far::Dialling(EarlyMedia::Connected) | Far::Bridged | Far::Cancelled | Far::Over => {}
        }
    }

    /// The called party rings. Its own sound waits for the end of ours, is heard, and is never recorded
    /// (L01).
    pub(super) fn ringing(&mut self, early_media: bool) {
        let Far::Dialling(early) = self.far else { return };
        self.rang = true;
        if self.near == Near::Unanswered {
            self.out.push_back(Action::Ring { early_media });
        }
        if early_media && early == EarlyMedia::None {
            if self.sound.speaks() {
                self.far = Far::Dialling(EarlyMedia::Waiting);
            } else {
                self.connect_early();
            }
        }
    }

    fn connect_early(&mut self) {
        self.far = Far::Dialling(EarlyMedia::Connected);
        self.sound.hush(&mut self.out);
        self.out.push_back(Action::Connect(Connection::Early));
    }

    /// The called party answered.
    pub(super) fn answered(&mut self, now: Time) {
        match self.far {
            Far::Dialling(early) => match self.later {
                None => self.bring_together(now),
                Some(how) => self.answered_unasked(now, early, how),
            },
            // The answer crossed with the CANCEL (RFC 3261 §9.1; flows row C-10).
            Far::Cancelled => {
                self.far = Far::Over;
                self.out.push_back(Action::HangUp(self.direction.called(), Cause::Normal));
            }
            Far::Idle | Far::Answered | Far::Bridged | Far::Over => {}
        }
    }

    /// Both parties hear each other from here.
    pub(super) fn bring_together(&mut self, now: Time) {
        self.far = Far::Bridged;
        self.stop_clocks();
        self.timers.clear(Timer::Ring);
        self.answer();
        self.sound.hush(&mut self.out);
        self.out.push_back(Action::Connect(Connection::Bridged));
        self.bridge.open(now);
        self.keep_what_is_ours();
        self.ask_at_last(now);
    }

    /// The called party has had its time. One that has not even rung is not there (flows row B-20): its
    /// transport would say so only after 32 s (RFC 3261 §17.1.1.2, timer B).
    pub(super) fn rung_out(&mut self, now: Time) {
        self.cancel_dial();
        let failure = if self.rang { Failure::NoAnswer } else { Failure::Unreachable };
        self.unconnected(now, failure);
    }

    /// The called leg came to nothing.
    pub(super) fn far_failed(&mut self, now: Time, failure: Failure) {
        match self.far {
            Far::Dialling(_) => {
                self.far = Far::Over;
                self.unconnected(now, failure);
            }
            Far::Cancelled => self.far = Far::Over,
            Far::Idle | Far::Answered | Far::Bridged | Far::Over => {}
        }
    }

    /// There will be nobody to talk to: the caller is told in the way that fits their leg (B-18,
    /// B-19).
    pub(super) fn unconnected(&mut self, now: Time, failure: Failure) {
        self.failure = Some(failure);
        if self.near == Near::Unanswered {
            self.out.push_back(Action::Reject(failure));
            self.end(now, Choice::NotGiven, Cause::Failed(failure));
            return;
        }
        self.stage = Stage::Farewell(failure);
        // A question that waited for the other party's answer is asked for nobody any more.
        if self.dialogue.take().is_some() {
            self.choose(Choice::NotGiven);
        }
        self.uncommitted = None;
        self.timers.clear_all();
        self.recording.finish(Duration::ZERO, &mut self.out);
        let length = match failure {
            Failure::Busy => {
                self.sound.tone(Tone::Busy, &mut self.out);
                TONE_LENGTH
            }
            Failure::NoAnswer => {
                self.sound.play(now, Prompt::NoAnswer, &mut self.out);
                FAREWELL_LIMIT
            }
            Failure::Unreachable | Failure::Rejected(_) => {
                self.sound.tone(Tone::Congestion, &mut self.out);
                TONE_LENGTH
            }
        };
        self.timers.set(Timer::Farewell, now + length);
    }

    /// The customer has heard why there is no agent.
    pub(super) fn farewell_ended(&mut self, now: Time) {
        if let Stage::Farewell(failure) = self.stage {
            let cause = Cause::Failed(failure);
            self.out.push_back(Action::HangUp(self.direction.caller(), cause));
            self.end(now, Choice::NotGiven, cause);
        }
    }
}
