//! The script of a call that is put through before anybody is asked: the called party answers, and the
//! customer is perhaps asked.

use call::*;

use crate::{
    choice::{Choice, Decision},
    clock::Clock,
    reference::Script,
    support::{Seen::*, ms},
    word::{Stop, Word},
};

impl Script<'_> {
    pub(super) fn place_a_call(&mut self) -> Result<(), Stop> {
        self.say(Dial);
        let until = self.now
            + match self.direction {
                Direction::Inbound => self.ring_timeout,
                Direction::Outbound => ms(180_000),
            };
        let (mut rang, mut early) = (false, false);
        loop {
            match self.next(Some(until))? {
                Word::Late => {
                    self.say(CancelDial);
                    self.turn_away(if rang { Failure::NoAnswer } else { Failure::Unreachable });
                    return Ok(());
                }
                Word::Failed(failure) => {
                    self.turn_away(failure);
                    return Ok(());
                }
                Word::Ringing { early_media } => {
                    self.say(Ring(early_media));
                    if early_media && !early {
                        self.say(Connect(Connection::Early));
                    }
                    rang = true;
                    early |= early_media;
                }
                Word::Answered => break,
                _ => {}
            }
        }
        if self.agents_way().is_some() || self.aside.is_some() {
            self.together();
            return self.talk();
        }
        match self.asking.outbound {
            Outbound::Join => {
                self.together();
                self.ask_in_the_call(Prompt::Notice)?;
            }
            Outbound::HoldBack => {
                if early {
                    self.say(Connect(Connection::Apart));
                    self.say(RingBack(Party::Agent));
                } else if !rang {
                    self.say(Ring(false));
                }
                self.ask_before_the_agent()?;
                self.together();
            }
            Outbound::AgentAsks { .. } | Outbound::Never => unreachable!("nobody is asked so"),
        }
        self.talk()
    }

    fn turn_away(&mut self, failure: Failure) {
        self.failure = Some(failure);
        self.say(Reject(failure));
    }

    fn together(&mut self) {
        self.say(Answer);
        self.say(Connect(Connection::Bridged));
    }

    /// Asks while both listen.
    pub(super) fn ask_in_the_call(&mut self, notice: Prompt) -> Result<(), Stop> {
        self.asks = true;
        self.shared = self.asking.audience == Audience::Both;
        self.keep(Party::Customer, Kept::All);
        let mut clock = Clock::Runs { until: self.now + ms(34_750) };
        let (choice, confirmation) = self.decision(&mut clock, notice)?;
        let sounding = self.log.prompt_sounds();
        self.settle(choice);
        self.keep_to_the_law(choice)?;
        self.keep_what_is_ours();
        match confirmation {
            Some(prompt) => self.play(prompt),
            None if sounding => self.say(Hush),
            None => {}
        }
        Ok(())
    }

    /// Asks while the agent hears that it rings.
    fn ask_before_the_agent(&mut self) -> Result<(), Stop> {
        self.asks = true;
        let mut clock = Clock::Runs { until: self.now + ms(34_750) };
        let (choice, confirmation) = self.decision(&mut clock, Prompt::Notice)?;
        let sounding = self.log.prompt_sounds();
        self.settle(choice);
        self.keep_to_the_law(choice)?;
        let Some(prompt) = confirmation else {
            if sounding {
                self.say(Hush);
            }
            return Ok(());
        };
        self.play(prompt);
        self.wait_for_the_confirmation(&clock)
    }

    /// What came of the dialogue, and how it is confirmed.
    fn decision(
        &mut self,
        clock: &mut Clock,
        notice: Prompt,
    ) -> Result<(Choice, Option<Prompt>), Stop> {
        let (choice, confirm) = match self.inform(clock, notice)? {
            Decision::Of(choice) => (choice, self.asking.confirm),
            Decision::TooLate | Decision::Postponed => (Choice::Open, Confirm::Off),
        };
        if choice == Choice::May {
            self.report_until = Some(self.now + ms(500));
        }
        Ok((choice, self.confirmation(choice).filter(|_| confirm != Confirm::Off)))
    }

    /// A party is gone.
    pub(super) fn parted(&mut self, party: Party) -> Result<Word, Stop> {
        let bridged = self.log.has_said(Connect(Connection::Bridged));
        if self.closing {
            return Ok(Word::Other);
        }
        let caller = self.direction.caller();
        if party == caller {
            self.drop_the_called(Cause::Normal);
        } else if bridged {
            self.say(HangUp(caller, Cause::Normal));
        } else if self.has_answered() {
            self.turn_away(Failure::NoAnswer);
        } else {
            return Ok(Word::Other);
        }
        self.undecided(match party {
            Party::Customer => Choice::Gone,
            Party::Agent => Choice::Open,
        })
    }

    /// The operator ends the call.
    pub(super) fn stopped(&mut self, cause: Cause) -> Result<Word, Stop> {
        if self.closing {
            return Ok(Word::Other);
        }
        if self.log.has_said(Answer) {
            self.say(HangUp(self.direction.caller(), cause));
        } else {
            self.turn_away(Failure::Unreachable);
        }
        self.drop_the_called(cause);
        self.undecided(Choice::Open)
    }

    fn undecided(&mut self, choice: Choice) -> Result<Word, Stop> {
        if self.asks {
            self.settle(choice);
        }
        Err(Stop::Over)
    }

    fn drop_the_called(&mut self, cause: Cause) {
        if self.has_answered() {
            self.say(HangUp(self.direction.called(), cause));
        } else {
            self.say(CancelDial);
        }
    }

    /// Whether the called party has answered. Only then is anything asked or anybody connected.
    fn has_answered(&self) -> bool {
        self.log.has_heard_the_answer()
    }
}
