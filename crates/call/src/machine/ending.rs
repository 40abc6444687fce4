//! The end of a call: both legs, then the recording, then the words.

use std::time::Duration;

use crate::{
    Fact, Outcome, Party, Time, Words,
    machine::{
        io::{Action, Cause, Failure},
        state::{Call, Customer, Pbx, Stage},
        timer::Timer,
    },
    verdict::{Choice, Verdict},
};

/// How long the end of a call waits for what the ledger, the recorder and the PBX still owe.
const CLOSING_LIMIT: Duration = Duration::from_secs(10);

impl Call {
    /// The customer is gone; undecided, they have abandoned the call (flows row C-08).
    pub(super) fn customer_hung_up(&mut self, now: Time) {
        if self.customer != Customer::Gone {
            self.end(now, Choice::Abandoned, Cause::Normal);
        }
    }

    /// The agent is gone. Before the bridge this comes as a failure of the PBX.
    pub(super) fn agent_hung_up(&mut self, now: Time) {
        if self.pbx == Pbx::Bridged {
            self.pbx = Pbx::Over;
            self.out.push_back(Action::HangUp(Party::Customer, Cause::Normal));
            self.end(now, Choice::NotGiven, Cause::Normal);
        }
    }

    /// The operator ends the call. Nobody hung up, so an open question counts as not answered.
    pub(super) fn stop(&mut self, now: Time, cause: Cause) {
        match self.customer {
            Customer::Unanswered => self.out.push_back(Action::Reject(Failure::Unreachable)),
            Customer::Answered => self.out.push_back(Action::HangUp(Party::Customer, cause)),
            Customer::Gone => return,
        }
        self.failure.get_or_insert(Failure::Unreachable);
        self.end(now, Choice::NotGiven, cause);
    }

    /// The customer's leg is done: the PBX's leg ends for `cause`, and what was not decided yet is
    /// `undecided`.
    pub(super) fn end(&mut self, now: Time, undecided: Choice, cause: Cause) {
        self.customer = Customer::Gone;
        match self.pbx {
            Pbx::Dialling(_) => self.cancel_dial(),
            Pbx::Bridged => {
                self.pbx = Pbx::Over;
                self.out.push_back(Action::HangUp(Party::Agent, cause));
            }
            Pbx::Idle | Pbx::Cancelled | Pbx::Over => {}
        }
        if self.dialogue.take().is_some() {
            self.choose(undecided);
        }
        self.stage = Stage::Closing;
        self.uncommitted = None;
        self.bridge.close(now);
        self.recording.finish(self.bridge.audible(now), &mut self.out);
        self.timers.clear_all();
        self.timers.set(Timer::Closing, now + CLOSING_LIMIT);
    }

    /// Finishes a call that waits for nothing any more.
    pub(super) fn settle(&mut self) {
        let waits = self.pbx == Pbx::Cancelled || self.recording.is_outstanding();
        if self.stage == Stage::Closing && !waits {
            self.finish();
        }
    }

    /// Says the words, as the last thing.
    pub(super) fn finish(&mut self) {
        self.stage = Stage::Finished;
        self.timers.clear_all();
        let words = self.words();
        let Words { consent, outcome, verdict } = words;
        if self.line.is_some() {
            let call = self.call;
            self.out.push_back(Action::Audit(Fact::CallEnded { call, consent, outcome, verdict }));
        }
        self.out.push_back(Action::Finish(words));
    }

    fn words(&self) -> Words {
        let heard = self.bridge.heard();
        let outcome = match (heard, self.failure) {
            (Some(_), _) => Outcome::Bridged,
            (None, None) => Outcome::CallerGone,
            (None, Some(Failure::Busy)) => Outcome::Busy,
            (None, Some(Failure::NoAnswer)) => Outcome::NoAnswer,
            (None, Some(Failure::Unreachable | Failure::Rejected(_))) => Outcome::Unreachable,
        };
        let audio = self.recording.audio(heard);
        let verdict = Verdict::of(self.choice, audio);
        Words { consent: self.choice.consent(), outcome, verdict }
    }

    /// Gives up calling the PBX, whose answer may cross with that.
    pub(super) fn cancel_dial(&mut self) {
        self.pbx = Pbx::Cancelled;
        self.out.push_back(Action::CancelDial);
    }
}
