//! The end of a call: both legs, then the recording, then the words.

use std::time::Duration;

use crate::{
    Fact, Outcome, Party, Time, Words,
    machine::{
        io::{Action, Cause, Failure},
        state::{Call, Far, Near, Stage},
        timer::Timer,
    },
    verdict::{Audio, Choice, Verdict},
};

/// How long the end of a call waits for what the ledger, the recorder and the called leg still owe.
const CLOSING_LIMIT: Duration = Duration::from_secs(10);

impl Call {
    /// A party is gone. A customer who leaves an open question has abandoned it (flows row C-08);
    /// if the agent leaves, nobody has decided.
    pub(super) fn hung_up(&mut self, now: Time, party: Party) {
        let undecided = match party {
            Party::Customer => Choice::Abandoned,
            Party::Agent => Choice::NotGiven,
        };
        if party == self.direction.called() {
            self.far_hung_up(now, undecided);
        } else if self.near != Near::Gone {
            self.end(now, undecided, Cause::Normal);
        }
    }

    /// The called party is gone. Before its answer this comes as its failure.
    fn far_hung_up(&mut self, now: Time, undecided: Choice) {
        match self.far {
            Far::Bridged => {
                let caller = self.direction.caller();
                self.out.push_back(Action::HangUp(caller, Cause::Normal));
            }
            // The caller has heard nothing but ringing.
            Far::Answered => {
                self.failure = Some(Failure::NoAnswer);
                self.out.push_back(Action::Reject(Failure::NoAnswer));
            }
            Far::Idle | Far::Dialling(_) | Far::Cancelled | Far::Over => return,
        }
        self.far = Far::Over;
        self.end(now, undecided, Cause::Normal);
    }

    /// The house's last leg has left: what the customer says to somebody outside is nobody's to
    /// record, and nobody is asked (law row L51, flows row T-03). What was recorded until now is kept,
    /// and can still be withdrawn.
    pub(super) fn house_left(&mut self, now: Time) {
        if self.far != Far::Bridged {
            return;
        }
        (self.later, self.preparing, self.changes) = (None, None, 0);
        self.uncommitted = None;
        self.timers.clear(Timer::Report);
        if self.dialogue.take().is_some() {
            self.choose(Choice::NotGiven);
            self.timers.clear(Timer::Answer);
            self.sound.hush(&mut self.out);
            self.talk_on();
        }
        self.keep_what_is_ours();
        self.recording.finish(self.bridge.audible(now), &mut self.out);
        self.forget_news(now);
        // Who hears the house's side of the bridge now is not of the house.
        self.cued = false;
    }

    /// The operator ends the call. Nobody hung up, so an open question counts as not answered.
    pub(super) fn stop(&mut self, now: Time, cause: Cause) {
        match self.near {
            Near::Unanswered => self.out.push_back(Action::Reject(Failure::Unreachable)),
            Near::Answered => {
                self.out.push_back(Action::HangUp(self.direction.caller(), cause));
            }
            Near::Gone => return,
        }
        self.failure.get_or_insert(Failure::Unreachable);
        self.end(now, Choice::NotGiven, cause);
    }

    /// The caller's leg is done: the called leg ends for `cause`, and what was not decided yet is
    /// `undecided`.
    pub(super) fn end(&mut self, now: Time, undecided: Choice, cause: Cause) {
        self.near = Near::Gone;
        match self.far {
            Far::Dialling(_) => self.cancel_dial(),
            Far::Answered | Far::Bridged => {
                self.far = Far::Over;
                self.out.push_back(Action::HangUp(self.direction.called(), cause));
            }
            Far::Idle | Far::Cancelled | Far::Over => {}
        }
        if self.dialogue.take().is_some() {
            self.choose(undecided);
        }
        self.stage = Stage::Closing;
        (self.preparing, self.uncommitted) = (None, None);
        self.bridge.close(now);
        self.recording.finish(self.bridge.audible(now), &mut self.out);
        self.timers.clear_all();
        self.timers.set(Timer::Closing, now + CLOSING_LIMIT);
    }

    /// Finishes a call that waits for nothing any more.
    pub(super) fn settle(&mut self) {
        self.pause_no_more();
        self.cue();
        let waits = self.far == Far::Cancelled || self.awaits_paper();
        if self.stage == Stage::Closing && !waits {
            self.finish();
        }
    }

    /// Whether the ledger or the recorder still owes an answer.
    fn awaits_paper(&self) -> bool {
        self.recording.is_outstanding() || self.former.are_outstanding()
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
        let is_torn = audio == Audio::Complete && !self.former.are_whole();
        let verdict = Verdict::of(self.choice, if is_torn { Audio::Incomplete } else { audio });
        Words { consent: self.choice.consent(), outcome, verdict }
    }

    /// Gives up calling, and the answer may cross with that.
    pub(super) fn cancel_dial(&mut self) {
        self.far = Far::Cancelled;
        self.out.push_back(Action::CancelDial);
    }
}
