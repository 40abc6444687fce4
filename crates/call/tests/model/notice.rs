//! The script's notice before the answer, and the question that waits for the answer.

use call::*;

use crate::{
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

    /// Whether the notice was heard to its end and no question follows it at once.
    pub(super) fn has_postponed(&self) -> bool {
        self.postpones() && self.log.notice_was_whole()
    }

    /// A key between the notice and its question.
    pub(super) fn decide_before_the_question(&mut self, key: Key) {
        let keys = self.asking.keys;
        let decided = if key == keys.grant {
            Consent::Granted
        } else if key == keys.refuse || key == keys.withdraw {
            Consent::Refused
        } else {
            return;
        };
        self.conclude(decided, self.asking.confirm != Confirm::Off);
    }

    /// Asks in the call, with both listening.
    pub(super) fn ask_at_last(&mut self) -> Result<(), Stop> {
        self.shared = true;
        let mut clock = Clock::Runs { until: self.now + ms(34_750) };
        let decided = self.question(&mut clock, Prompt::Notice)?;
        let confirms = decided.is_some() && self.asking.confirm != Confirm::Off;
        self.conclude(decided.unwrap_or(Consent::NotGiven), confirms);
        Ok(())
    }

    fn conclude(&mut self, decided: Consent, confirms: bool) {
        let sounding = self.log.prompt_sounds();
        self.asks = false;
        self.say(Decided(decided));
        self.say(Keep(Party::Customer, Kept::Nothing));
        if decided == Consent::Granted {
            self.report_until = Some(self.now + ms(500));
        }
        if confirms {
            let granted = decided == Consent::Granted;
            self.play(if granted { Prompt::Granted } else { Prompt::Refused });
        } else if sounding {
            self.say(Hush);
        }
    }
}
