//! The dialogue with the customer, from the confirmed answer to the decision.

use std::time::Duration;

use crate::{
    Confirm, Party, Press, Prompt, Time,
    machine::{
        dialogue::{Dialogue, Turn},
        io::Cause,
        state::{Call, Far, Near, Stage},
        timer::Timer,
    },
    verdict::Choice,
};

/// How long a caller listens to an explanation and the question after it at most.
const EXPLANATION_LIMIT: Duration = Duration::from_secs(60);
/// How long the report of a cut prompt may take before the evidence says that it is unknown.
const REPORT_LIMIT: Duration = Duration::from_millis(500);

impl Call {
    /// The customer's media flows: the notice begins, or the question that waited for the answer.
    pub(super) fn confirmed(&mut self, now: Time) {
        self.confirmed |= self.near == Near::Answered;
        let turn = self.dialogue.as_mut().map_or(Turn::Stay, Dialogue::begin);
        self.take(now, turn);
        self.ask_at_last(now);
    }

    /// A prompt was reported: what it was the last word of goes on.
    pub(super) fn prompt_ended(&mut self, now: Time, prompt: Prompt, samples: u32, whole: bool) {
        let silent = self.sound.ended(now, prompt, samples, whole);
        if !self.sound.awaits_report() {
            self.commit();
        }
        if !silent {
            return;
        }
        if let Some(dialogue) = &mut self.dialogue {
            let turn = dialogue.said(whole);
            self.take(now, turn);
        } else {
            match self.stage {
                Stage::Open => self.spoken(now),
                Stage::Farewell(_) => self.farewell_ended(now),
                Stage::Closing | Stage::Finished => {}
            }
        }
    }

    /// The customer pressed a key: an answer before the decision, after it perhaps a withdrawal.
    pub(super) fn pressed(&mut self, now: Time, press: Press) {
        let key = *press.key.reveal();
        let ends = self.terms.is_some_and(|terms| terms.ending_key() == Some(key));
        let comes_back = ends && self.comes_back();
        // What took an earlier yes back belongs to the story of a later one.
        let takes_back = ends && matches!(self.choice, Choice::Granted | Choice::Withdrawn);
        let decides = self.dialogue.is_some() || self.uncommitted.is_some();
        if decides || comes_back || takes_back {
            self.presses.push(press);
        }
        if let Some(dialogue) = &mut self.dialogue {
            let turn = dialogue.pressed(key);
            self.take(now, turn);
        } else if comes_back {
            self.prepare(Party::Customer);
        } else if ends {
            self.withdraw(now);
        }
    }

    /// Does what the dialogue wants next.
    pub(super) fn take(&mut self, now: Time, turn: Turn) {
        let Some(terms) = self.terms else { return };
        match turn {
            Turn::Stay => {}
            // A customer who holds hears nothing; the resume says it again (flows row C-11). What sounds
            // still is of an earlier question, whose end is not to be taken for that of this one (L01).
            Turn::Say(_) if self.bridge.customer_holds() => self.sound.cut(&mut self.out),
            Turn::Wait if self.bridge.customer_holds() => {}
            Turn::Say(prompt) => {
                self.timers.clear(Timer::Answer);
                self.sound.play(now, prompt, &mut self.out);
            }
            Turn::Wait => {
                let patience = self.patience(terms.answer_timeout);
                self.timers.set(Timer::Answer, now + patience);
            }
            Turn::Postpone => self.postpone(now),
            Turn::Decide(choice) => self.decide(now, choice, terms.confirm),
        }
        self.stop_or_start_limit(now);
    }

    /// An explanation does not count to the time that the question may take; it has its own bound.
    fn stop_or_start_limit(&mut self, now: Time) {
        let explains = self.dialogue.as_ref().is_some_and(Dialogue::explains);
        match self.left_until_dial {
            None if explains => {
                self.left_until_dial = self.timers.clear(Timer::Limit).map(|at| at.since(now));
                self.timers.set(Timer::Explanation, now + EXPLANATION_LIMIT);
            }
            Some(left) if !explains => {
                self.left_until_dial = None;
                self.timers.clear(Timer::Explanation);
                self.timers.set(Timer::Limit, now + left);
            }
            None | Some(_) => {}
        }
    }

    /// The time that the question may take is over: whatever is being said is cut. A customer who has
    /// not decided by now has not consented (L11).
    pub(super) fn limit_reached(&mut self, now: Time) {
        if self.dialogue.is_some() {
            self.decide(now, Choice::NotGiven, Confirm::Off);
        } else {
            self.sound.hush(&mut self.out);
            self.spoken(now);
        }
    }

    /// Ends the dialogue. Every decision goes the same way to the other party (L10).
    pub(super) fn decide(&mut self, now: Time, choice: Choice, confirm: Confirm) {
        let waited = self.dialogue.take().is_some_and(|dialogue| dialogue.is_postponed());
        self.timers.clear(Timer::Answer);
        let choice = self.choose(choice);
        if !choice.permits() && self.must_be_recorded() {
            return self.stop(now, Cause::NotRecorded);
        }
        let together = self.far == Far::Bridged;
        if together || waited {
            self.talk_on();
        }
        match (confirm, confirmation(choice, together)) {
            (Confirm::First, Some(confirmation)) => {
                self.sound.play(now, confirmation, &mut self.out);
            }
            (Confirm::WhileRinging, Some(confirmation)) => {
                if self.far == Far::Idle {
                    self.dial(now);
                }
                self.sound.play(now, confirmation, &mut self.out);
            }
            (Confirm::Off, _) | (_, None) => {
                self.sound.cut(&mut self.out);
                self.spoken(now);
            }
        }
        if choice.permits() {
            self.recording.want(self.bridge.audible(now));
            self.uncommitted = Some(now);
            if self.sound.awaits_report() {
                self.timers.set(Timer::Report, now + REPORT_LIMIT);
            } else {
                self.commit();
            }
        }
    }

    /// A party holds or is back: a live tap keeps silence meanwhile (L03), and a customer who could
    /// not hear the question hears it again (flows row C-11).
    pub(super) fn held(&mut self, now: Time, party: Party, on: bool) {
        let before = self.bridge.silence();
        let was_deaf = self.bridge.customer_holds();
        self.bridge.hold(now, party, on);
        self.keep_silence(before);
        let Some(dialogue) = &mut self.dialogue else { return };
        if was_deaf && !self.bridge.customer_holds() {
            let turn = dialogue.resumed();
            self.take(now, turn);
        } else if self.bridge.customer_holds() {
            self.timers.clear(Timer::Answer);
            // What the agent does is no news of the customer's ear.
            if party == Party::Customer {
                self.sound.cut(&mut self.out);
            }
        }
    }
}

/// The prompt that tells the customer what was understood, if anything was to be. Who talks to the agent
/// already is not told that they will.
const fn confirmation(choice: Choice, together: bool) -> Option<Prompt> {
    match choice {
        Choice::Granted => Some(Prompt::Granted),
        // Who had withdrawn, came back and has not said yes is told so like anybody else.
        Choice::Refused | Choice::Opposed | Choice::Withdrawn => Some(Prompt::Refused),
        Choice::NotGiven if together => Some(Prompt::Refused),
        Choice::NotGiven => Some(Prompt::NotGiven),
        Choice::Informed | Choice::Abandoned | Choice::Objected | Choice::Unasked(_) => None,
    }
}
