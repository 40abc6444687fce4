//! The slow, obvious call: a script that is read from its first line again for every input.
//!
//! It keeps no state between inputs. Each time, it reads the whole history from the start and
//! stops where the history ends. What it needs to know on the way, such as whether a permit lives
//! or for how long the parties could be heard, it finds by leafing back through its log.

use std::time::Duration;

use call::*;

use crate::{
    choice::{Choice, Decision},
    clock::Clock,
    log::{
        Entry::{Read, Said, WantsAgent},
        Log,
    },
    support::{
        RINGS,
        Seen::{self, *},
        ms,
    },
    word::{Stop, Word},
};

/// One line of history: when, and what (nothing but time may have passed).
pub(crate) type Line = (Time, Option<Input>);

/// What ought to have happened.
pub(crate) struct Expected {
    /// What was asked for, with the number of the input that led to it; 0 is the beginning.
    pub(crate) said: Vec<(usize, Seen)>,
    /// When the call wants to be woken.
    pub(crate) deadline: Option<Time>,
}

pub(crate) struct Script<'a> {
    pub(super) asking: &'a Asking,
    pub(super) direction: Direction,
    pub(super) early: Option<EarlyNotice>,
    /// Why it is left alone, if it is.
    pub(super) aside: Option<Aside>,
    pub(super) ring_timeout: Duration,
    history: &'a [Line],
    /// How many lines of history have been read.
    read: usize,
    /// Which line is being answered, counted from 1.
    pub(super) step: usize,
    pub(super) now: Time,
    /// What was read and said, in order.
    pub(super) log: Log,
    /// Whether the customer is being asked at this moment.
    pub(super) asks: bool,
    /// Whether that is because they wanted it, and how often they still may.
    pub(super) comes_back: bool,
    pub(super) changes: u8,
    /// How often the house may still want it.
    pub(super) left: u8,
    /// Whether both parties hear the prompts.
    pub(super) shared: bool,
    /// Whether something was not ready when the agent wanted to ask.
    pub(super) blocked: bool,
    /// What the customer pressed while they were asked, and until the evidence was committed.
    pub(super) presses: usize,
    /// Until when the story waits.
    until: Option<Time>,
    /// Until when the commit waits for the report of a cut prompt.
    pub(super) report_until: Option<Time>,
    /// Until when the caller may be without an answer.
    pub(super) early_until: Option<Time>,
    /// Until when the recording is silent because the house wants it.
    pub(super) pause_until: Option<Time>,
    /// Until when there is to be news of the transfer that the customer's side makes.
    pub(super) news_until: Option<Time>,
    /// Whether nobody of the house is in the call any more, for all that is known.
    pub(super) house_is_out: bool,
    pub(super) failure: Option<Failure>,
    pub(super) closing: bool,
}

impl<'a> Script<'a> {
    /// Reads the history of a call that began at `start` and is asked as `asking` says.
    pub(crate) fn read(
        asking: &'a Asking,
        offer: &CallOffer,
        ring_timeout: Duration,
        start: Time,
        history: &'a [Line],
    ) -> Expected {
        let mut script = Self {
            asking,
            direction: offer.direction,
            early: offer.early,
            aside: offer.aside,
            ring_timeout,
            history,
            read: 0,
            step: 0,
            now: start,
            log: Log::new(),
            asks: false,
            comes_back: false,
            changes: 3,
            left: 0,
            shared: false,
            blocked: false,
            presses: 0,
            until: None,
            report_until: None,
            early_until: None,
            pause_until: None,
            news_until: None,
            house_is_out: false,
            failure: None,
            closing: false,
        };
        if offer.line.as_ref().is_some_and(|line| line.record_from == RecordFrom::Agent) {
            script.log.write(0, start, WantsAgent);
        }
        script.call();
        let deadlines = [
            script.until,
            script.report_until,
            script.early_until,
            script.pause_until,
            script.news_until,
        ];
        Expected { said: script.log.said(), deadline: deadlines.into_iter().flatten().min() }
    }

    // --- the story ---------------------------------------------------------------------------

    fn call(&mut self) {
        self.say(Opened);
        self.asks = !self.is_put_through_first();
        self.left = self.agents_way().map_or(0, |(_, times)| times);
        let story = match self.asks {
            true => self.take_a_call(),
            false => self.place_a_call(),
        };
        let story = match story {
            Err(Stop::NobodyAsks) => self.go_on_unasked(),
            told => told,
        };
        if let Err(Stop::NoMore) = story {
            return;
        }
        self.closing = true;
        self.early_until = None;
        self.news_until = None;
        self.record();
        let until = self.now + ms(10_000);
        while self.log.pbx_is_cancelled() || self.log.owes_an_answer() {
            match self.next(Some(until)) {
                Err(Stop::NoMore) => return,
                Ok(Word::Late) => break,
                Ok(_) | Err(Stop::Over | Stop::NobodyAsks) => self.record(),
            }
        }
        self.until = None;
        let unasked = if self.blocked { Verdict::Blocked } else { Verdict::PolicyOff };
        let mut words = self.log.words(self.asking.ground, self.failure, unasked);
        match self.aside {
            Some(Aside::Transparent) => words.verdict = Verdict::Transparent,
            Some(Aside::Confidential) => words.verdict = Verdict::Confidential,
            Some(Aside::Closed) => words.verdict = Verdict::Closed,
            None => {}
        }
        self.say(Ended(words));
        self.say(Finish(words));
    }

    fn take_a_call(&mut self) -> Result<(), Stop> {
        self.greet();
        let mut clock = Clock::Runs { until: self.now + ms(34_750) };
        let (choice, confirm) = match self.ask(&mut clock)? {
            Decision::Of(choice) => (choice, self.asking.confirm),
            Decision::TooLate => (Choice::Open, Confirm::Off),
            Decision::Postponed => {
                self.say(Dial);
                self.say(RINGS);
                self.say(Keep(Party::Customer, Kept::All));
                return self.ring();
            }
        };
        let sounding = self.log.prompt_sounds();
        self.settle(choice);
        self.keep_to_the_law(choice)?;
        if choice == Choice::May {
            self.report_until = Some(self.now + ms(500));
        }
        match (confirm, self.confirmation(choice)) {
            (Confirm::First, Some(prompt)) => {
                self.play(prompt);
                self.wait_for_the_confirmation(&clock)?;
                self.say(Dial);
                self.say(RINGS);
            }
            (Confirm::WhileRinging, Some(prompt)) => {
                self.say(Dial);
                self.play(prompt);
            }
            (Confirm::Off, _) | (_, None) => {
                if sounding {
                    self.say(Hush);
                }
                self.say(Dial);
                self.say(RINGS);
            }
        }
        self.ring()
    }

    /// Lets the customer hear what was understood, for as long as the clock lets them.
    pub(super) fn wait_for_the_confirmation(&mut self, clock: &Clock) -> Result<(), Stop> {
        let until = match *clock {
            Clock::Runs { until } => until,
            Clock::Explains { left, .. } => self.now + left,
        };
        loop {
            match self.next(Some(until))? {
                Word::Late => {
                    self.say(Hush);
                    return Ok(());
                }
                Word::Silence { .. } => return Ok(()),
                _ => {}
            }
        }
    }

    fn ring(&mut self) -> Result<(), Stop> {
        let until = self.now + self.ring_timeout;
        let (mut rang, mut early, mut connected) = (false, false, false);
        loop {
            let word = self.next(Some(until))?;
            rang |= matches!(word, Word::Ringing { .. });
            if let Word::Ringing { early_media } = word
                && !self.log.has_said(Answer)
            {
                self.say(Ring(early_media));
            }
            match word {
                Word::Late => {
                    self.say(CancelDial);
                    let silent = Failure::Unreachable;
                    return self.farewell(if rang { Failure::NoAnswer } else { silent });
                }
                Word::Failed(failure) => return self.farewell(failure),
                Word::Answered => break,
                Word::Silence { .. } if !early => self.say(RINGS),
                Word::Key(key) => self.decide_before_the_question(key),
                Word::Fax => self.conclude(Choice::Fax, Confirm::Off),
                Word::Ringing { early_media } => early |= early_media,
                _ => {}
            }
            if early && !connected && !self.log.prompt_sounds() {
                connected = true;
                if self.log.anything_sounds() {
                    self.say(Hush);
                }
                self.say(Connect(Connection::Early));
            }
        }
        self.answer();
        if self.log.anything_sounds() {
            self.say(Hush);
        }
        self.say(Connect(Connection::Bridged));
        self.talk()
    }

    fn farewell(&mut self, failure: Failure) -> Result<(), Stop> {
        self.failure = Some(failure);
        if self.asks {
            self.settle(Choice::Open);
        }
        if !self.log.has_said(Answer) {
            self.say(Reject(failure));
            return Ok(());
        }
        let (sound, length) = match failure {
            Failure::Busy => (Tone(call::Tone::Busy), 5_000),
            Failure::NoAnswer => (Play(Prompt::NoAnswer), 15_000),
            Failure::Unreachable | Failure::Rejected(_) => (Tone(call::Tone::Congestion), 5_000),
        };
        self.say(sound);
        let until = self.now + ms(length);
        loop {
            match self.next(Some(until))? {
                Word::Late | Word::Silence { .. } => break,
                _ => {}
            }
        }
        self.say(HangUp(Party::Customer, Cause::Failed(failure)));
        Ok(())
    }

    // --- reading -----------------------------------------------------------------------------

    /// The next thing that happens, or that does not happen in time.
    pub(super) fn next(&mut self, until: Option<Time>) -> Result<Word, Stop> {
        loop {
            self.record();
            self.cue();
            self.until = until;
            let Some((at, input)) = self.history.get(self.read).copied() else {
                return Err(Stop::NoMore);
            };
            self.now = at;
            self.step = self.read + 1;
            let report_is_late = self
                .report_until
                .is_some_and(|report| report <= at && until.is_none_or(|until| report < until));
            let unanswered_for_long = self
                .early_until
                .is_some_and(|early| early <= at && until.is_none_or(|until| early < until));
            if report_is_late {
                self.commit();
            } else if unanswered_for_long {
                self.answer();
            } else if self.news_are_missing(at, until) {
                self.lose_sight()?;
            } else if self.pause_is_forgotten(at, until) {
                self.left_paused();
            } else if until.is_some_and(|until| until <= at) {
                return Ok(Word::Late);
            } else {
                self.read += 1;
                if let Some(input) = input {
                    return self.understand(input);
                }
            }
        }
    }

    fn understand(&mut self, input: Input) -> Result<Word, Stop> {
        let (undecided, held) = (self.asks, self.log.holds(Party::Customer));
        let sounded = self.log.prompt_sounds();
        let cancelled = self.log.pbx_is_cancelled();
        let (wanted, before) = (self.is_wanted(), self.log.agent());
        self.log.write(self.step, self.now, Read(input));
        match input {
            Input::Confirmed => return Ok(Word::Confirmed),
            Input::Progressed if !self.log.has_said(Answer) => return Ok(Word::Confirmed),
            Input::PromptEnded { whole, .. } if sounded && !self.log.prompt_sounds() => {
                return Ok(Word::Silence { whole });
            }
            Input::Digit(Party::Customer, press) if undecided => {
                self.presses += 1;
                return Ok(Word::Key(*press.key.reveal()));
            }
            Input::Digit(Party::Customer, press) => {
                return Ok(self.hears_no_answer(*press.key.reveal()));
            }
            Input::Digit(Party::Agent, press) if self.begins(*press.key.reveal()) => {
                return Ok(Word::Wanted);
            }
            Input::Digit(Party::Agent, press) => self.toggles(*press.key.reveal()),
            Input::Withdraw => self.withdraw_as_told(),
            Input::Pause => self.pause(Hand::Operator),
            Input::Resume => self.resume(Hand::Operator),
            Input::Agent(news) => self.hears_of_agents(before, news),
            Input::SentAway(within) => self.sent_away(within),
            Input::HouseLeft => self.house_leaves()?,
            Input::Ask => return Ok(Word::Wanted),
            Input::Fax if undecided && self.may_be_a_fax() => return Ok(Word::Fax),
            Input::Prepared(ready) => return Ok(Word::Prepared(ready)),
            Input::TapCut if self.log.chapter().acknowledgement().is_some() => self.withdraw(),
            Input::Held(Party::Customer, true) if undecided && sounded => self.say(Hush),
            Input::Held(Party::Customer, false) if undecided && held => return Ok(Word::Resumed),
            Input::Ringing { early_media } => return Ok(Word::Ringing { early_media }),
            Input::Answered if cancelled => {
                self.say(HangUp(self.direction.called(), Cause::Normal));
            }
            Input::Answered => return Ok(Word::Answered),
            Input::Failed(failure) => return Ok(Word::Failed(failure)),
            Input::HungUp(party) if self.is_put_through_first() => {
                return self.parted(party);
            }
            Input::Stop(cause) if self.is_put_through_first() => {
                return self.stopped(cause);
            }
            Input::HungUp(_) | Input::Stop(_) if !self.closing => return self.ended(input),
            Input::RecorderFailed | Input::CommitFailed { .. } if wanted => return self.fails(),
            _ => {}
        }
        Ok(Word::Other)
    }

    /// The customer presses a key that answers nothing: it may end the recording, or bring back who is not
    /// recorded.
    fn hears_no_answer(&mut self, key: Key) -> Word {
        let ends = key == self.asking.keys.withdraw;
        let comes_back = ends && self.comes_back_now();
        let had_said_yes = matches!(self.log.choice(), Some(Choice::May | Choice::NoMore));
        let takes_back = ends && had_said_yes && self.needs_a_yes();
        let counts = self.report_until.is_some() || comes_back || takes_back;
        self.presses += usize::from(counts);
        if ends && !comes_back {
            self.withdraw();
        }
        if comes_back { Word::ComesBack } else { Word::Other }
    }

    /// Somebody ends a call that came in.
    pub(super) fn ended(&mut self, input: Input) -> Result<Word, Stop> {
        match input {
            Input::HungUp(Party::Agent) if self.log.has_said(Connect(Connection::Bridged)) => {
                self.say(HangUp(Party::Customer, Cause::Normal));
                if self.asks {
                    self.settle(Choice::Open);
                }
            }
            Input::HungUp(Party::Customer) => self.leave(Choice::Gone, Cause::Normal),
            Input::Stop(cause) if self.log.has_said(Answer) => {
                self.say(HangUp(Party::Customer, cause));
                self.leave(Choice::Open, cause);
            }
            Input::Stop(cause) => {
                self.say(Reject(Failure::Unreachable));
                self.leave(Choice::Open, cause);
                self.failure = Some(Failure::Unreachable);
            }
            _ => return Ok(Word::Other),
        }
        Err(Stop::Over)
    }

    fn leave(&mut self, undecided: Choice, cause: Cause) {
        if self.asks {
            self.settle(undecided);
        }
        if self.log.has_said(Connect(Connection::Bridged)) {
            self.say(HangUp(Party::Agent, cause));
        } else if self.log.has_said(Dial) && self.failure.is_none() {
            self.say(CancelDial);
        }
    }

    /// The house passes on what the customer has said: that is as good as their key.
    fn withdraw_as_told(&mut self) {
        if self.log.choice() == Some(Choice::May) && self.can_be_ended() {
            self.say(Told(Hand::Operator));
        }
        self.withdraw();
    }

    fn withdraw(&mut self) {
        if self.log.choice() == Some(Choice::May) && self.can_be_ended() {
            self.settle(Choice::NoMore);
            if !self.is_apart() {
                self.keep_what_is_ours();
                self.play(Prompt::Withdrawn);
            }
        }
    }

    // --- saying ------------------------------------------------------------------------------

    pub(super) fn play(&mut self, prompt: Prompt) {
        self.say(if self.shared { Announce(prompt) } else { Play(prompt) });
    }

    pub(super) fn say(&mut self, seen: Seen) {
        self.log.write(self.step, self.now, Said(seen));
    }

    /// Whether the parties will not come together, or are apart again.
    pub(super) fn is_apart(&self) -> bool {
        self.closing || self.failure.is_some()
    }
}
