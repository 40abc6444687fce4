//! The script of a call that the PBX starts: the customer is called, answers, and is perhaps asked.

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
        let until = self.now + ms(180_000);
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
        match self.asking.outbound {
            Outbound::AgentAsks { key, times } => {
                self.together();
                if let Some(key) = key {
                    self.say(Keep(Party::Agent, Kept::One(key)));
                }
                self.wait_for_the_agent(times)
            }
            Outbound::Join => {
                self.together();
                self.ask_in_the_call(Prompt::Notice, 0)?;
                self.wait_for_the_agent(0)
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
                self.wait_for_the_agent(0)
            }
            Outbound::Never => unreachable!("a policy that never asks is transparent"),
        }
    }

    fn turn_away(&mut self, failure: Failure) {
        self.failure = Some(failure);
        self.say(Reject(failure));
    }

    fn together(&mut self) {
        self.say(Answer);
        self.say(Connect(Connection::Bridged));
    }

    /// Whether a key of the agent begins the question.
    pub(super) fn begins(&self, pressed: Key) -> bool {
        matches!(self.asking.outbound, Outbound::AgentAsks { key, .. } if key == Some(pressed))
    }

    /// The parties talk, until somebody leaves.
    fn wait_for_the_agent(&mut self, times: u8) -> Result<(), Stop> {
        let (mut left, mut preparing) = (times, false);
        loop {
            let open = matches!(self.log.choice(), None | Some(Choice::Open));
            match self.next(None)? {
                // Who is gone wants nothing, and was not waited for.
                _ if self.house_is_out => {}
                Word::Wanted if left > 0 && open && !preparing => {
                    preparing = true;
                    self.say(Prepare);
                }
                Word::Prepared(Ok(())) if preparing => {
                    (left, preparing) = (left - 1, false);
                    self.ask_in_the_call(Prompt::AgentAsk, left)?;
                }
                Word::Prepared(Err(_)) if preparing => {
                    preparing = false;
                    self.blocked = true;
                }
                _ => {}
            }
        }
    }

    /// Asks while both listen.
    fn ask_in_the_call(&mut self, notice: Prompt, left: u8) -> Result<(), Stop> {
        (self.asks, self.shared) = (true, true);
        self.say(Keep(Party::Customer, Kept::All));
        let mut clock = Clock::Runs { until: self.now + ms(34_750) };
        let (choice, confirmation) = self.decision(&mut clock, notice)?;
        let sounding = self.log.prompt_sounds();
        self.settle(choice);
        self.keep_to_the_law(choice)?;
        self.say(Keep(Party::Customer, Kept::Nothing));
        let again = left > 0 && choice == Choice::Open;
        if matches!(self.asking.outbound, Outbound::AgentAsks { key: Some(_), .. }) && !again {
            self.say(Keep(Party::Agent, Kept::Nothing));
        }
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
        match party {
            Party::Customer if bridged => self.say(HangUp(Party::Agent, Cause::Normal)),
            Party::Customer if self.customer_is_up() => self.turn_away(Failure::NoAnswer),
            Party::Customer => return Ok(Word::Other),
            Party::Agent => self.drop_the_customer(Cause::Normal),
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
            self.say(HangUp(Party::Agent, cause));
        } else {
            self.turn_away(Failure::Unreachable);
        }
        self.drop_the_customer(cause);
        self.undecided(Choice::Open)
    }

    fn undecided(&mut self, choice: Choice) -> Result<Word, Stop> {
        if self.asks {
            self.settle(choice);
        }
        Err(Stop::Over)
    }

    fn drop_the_customer(&mut self, cause: Cause) {
        if self.customer_is_up() {
            self.say(HangUp(Party::Customer, cause));
        } else {
            self.say(CancelDial);
        }
    }

    /// Whether the customer has answered. Only then is anything asked or anybody connected.
    fn customer_is_up(&self) -> bool {
        self.log.has_heard_the_answer()
    }
}
