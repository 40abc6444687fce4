//! The script's notice before the answer, and the question that waits for the answer.

use call::*;

use crate::{
    choice::{Choice, Decision},
    clock::Clock,
    reference::Script,
    support::{Seen::*, ms},
    word::Stop,
};

impl Script<'_> {
    /// Answers the caller, or lets them hear us before.
    pub(super) fn greet(&mut self) {
        match self.early {
            None => self.say(Answer),
            Some(early) => {
                self.early_until = Some(self.now + early.limit);
                self.say(Progress);
            }
        }
    }

    /// Answers a caller who is not yet.
    pub(super) fn answer(&mut self) {
        self.early_until = None;
        if !self.log.has_said(Answer) {
            self.say(Answer);
        }
    }

    /// Whether the question comes after the answer, and the notice before.
    pub(super) fn postpones(&self) -> bool {
        self.early.is_some_and(|early| early.question == QuestionAt::AfterAnswer)
    }

    /// A key between the notice and its question. A yes of two steps waits for both.
    pub(super) fn decide_before_the_question(&mut self, key: Key) {
        let keys = self.asking.keys;
        let choice = if key == keys.grant && !self.asks_twice() {
            Choice::May
        } else if key == keys.refuse || key == keys.withdraw {
            Choice::MayNot
        } else {
            return;
        };
        self.conclude(choice, self.asking.confirm);
    }

    /// Asks in the call, with both listening.
    pub(super) fn ask_at_last(&mut self) -> Result<(), Stop> {
        self.shared = self.asking.audience == Audience::Both;
        let mut clock = Clock::Runs { until: self.now + ms(34_750) };
        match self.question(&mut clock, Prompt::Question)? {
            Decision::Of(choice) => self.conclude(choice, self.asking.confirm),
            Decision::TooLate | Decision::Postponed => self.conclude(Choice::Open, Confirm::Off),
        }
        Ok(())
    }

    pub(super) fn conclude(&mut self, choice: Choice, confirm: Confirm) {
        let sounding = self.log.prompt_sounds();
        self.settle(choice);
        self.keep_what_is_ours();
        if choice == Choice::May {
            self.report_until = Some(self.now + ms(500));
        }
        match self.confirmation(choice).filter(|_| confirm != Confirm::Off) {
            Some(prompt) => self.play(prompt),
            None if sounding => self.say(Hush),
            None => {}
        }
    }
}
