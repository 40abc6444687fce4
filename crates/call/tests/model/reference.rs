//! The slow, obvious call: a script that is read from its first line again for every input.
//!
//! It keeps no state between inputs. Each time, it reads the whole history from the start and
//! stops where the history ends. What it needs to know on the way, such as whether a permit lives
//! or for how long the parties could be heard, it finds by leafing back through its log.

use std::time::Duration;

use call::*;

use crate::support::{
    RECORDING,
    Seen::{self, *},
    ms,
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

/// Why the script stops reading.
enum Stop {
    /// The history ends here.
    NoMore,
    /// The customer is gone, or sent away.
    Over,
}

/// What the script reads next.
enum Word {
    /// The time it wanted to wait is over.
    Late,
    Confirmed,
    /// What was sounding has come to its end.
    Silence {
        whole: bool,
    },
    Key(Key),
    Resumed,
    Ringing {
        early_media: bool,
    },
    Answered,
    Failed(Failure),
    AgentGone,
    /// Something else was read.
    Other,
}

/// The clock between the answer and the call to the PBX.
#[derive(Clone, Copy)]
enum Clock {
    Runs { until: Time },
    Explains { until: Time, left: Duration },
}

#[derive(Clone, Copy)]
enum Entry {
    Read(Input),
    Said(Seen),
}

use Entry::{Read, Said};

pub(crate) struct Script<'a> {
    asking: &'a Asking,
    ring_timeout: Duration,
    history: &'a [Line],
    /// How many lines of history have been read.
    read: usize,
    /// Which line is being answered, counted from 1.
    step: usize,
    now: Time,
    /// What was read and said, in order.
    log: Vec<(usize, Time, Entry)>,
    /// Until when the story waits.
    until: Option<Time>,
    /// Until when the commit waits for the report of a cut prompt.
    report_until: Option<Time>,
    failure: Option<Failure>,
    closing: bool,
}

impl<'a> Script<'a> {
    /// Reads the history of a call that began at `start` and is asked as `asking` says.
    pub(crate) fn read(
        asking: &'a Asking,
        ring_timeout: Duration,
        start: Time,
        history: &'a [Line],
    ) -> Expected {
        let mut script = Self {
            asking,
            ring_timeout,
            history,
            read: 0,
            step: 0,
            now: start,
            log: Vec::with_capacity(64),
            until: None,
            report_until: None,
            failure: None,
            closing: false,
        };
        script.call();
        let said = script.log.iter().filter_map(|(step, _, entry)| match entry {
            Said(seen) => Some((*step, *seen)),
            Read(_) => None,
        });
        let deadlines = [script.until, script.report_until];
        Expected { said: said.collect(), deadline: deadlines.into_iter().flatten().min() }
    }

    // --- the story ---------------------------------------------------------------------------

    fn call(&mut self) {
        self.say(Opened);
        self.say(Answer);
        if let Err(Stop::NoMore) = self.until_the_customer_is_gone() {
            return;
        }
        self.closing = true;
        self.record();
        let until = self.now + ms(10_000);
        while self.pbx_is_cancelled() || self.owes_an_answer() {
            match self.next(Some(until)) {
                Err(Stop::NoMore) => return,
                Ok(Word::Late) => break,
                Ok(_) | Err(Stop::Over) => self.record(),
            }
        }
        self.until = None;
        let words = self.words();
        self.say(Ended(words));
        self.say(Finish(words));
    }

    fn until_the_customer_is_gone(&mut self) -> Result<(), Stop> {
        let mut clock = Clock::Runs { until: self.now + ms(34_750) };
        let (decided, confirm) = match self.ask(&mut clock) {
            Ok(Some(consent)) => (consent, self.asking.confirm),
            Ok(None) => (Consent::NotGiven, Confirm::Off),
            Err(stop) => return Err(stop),
        };
        let sounding = self.prompt_sounds();
        self.say(Decided(decided));
        let confirmation = match decided {
            Consent::Granted => Prompt::Granted,
            Consent::Refused => Prompt::Refused,
            _ => Prompt::NotGiven,
        };
        match confirm {
            Confirm::First => self.say(Play(confirmation)),
            Confirm::WhileRinging => {
                self.say(Dial);
                self.say(Play(confirmation));
            }
            Confirm::Off => {
                if sounding {
                    self.say(Hush);
                }
                self.say(Dial);
                self.say(RingBack);
            }
        }
        if decided == Consent::Granted {
            self.report_until = Some(self.now + ms(500));
        }
        if confirm == Confirm::First {
            let until = match clock {
                Clock::Runs { until } => until,
                Clock::Explains { left, .. } => self.now + left,
            };
            loop {
                match self.next(Some(until))? {
                    Word::Late => {
                        self.say(Hush);
                        break;
                    }
                    Word::Silence { .. } => break,
                    _ => {}
                }
            }
            self.say(Dial);
            self.say(RingBack);
        }
        self.ring()
    }

    /// The decision, or nothing when the time for it is over.
    fn ask(&mut self, clock: &mut Clock) -> Result<Option<Consent>, Stop> {
        let keys = self.asking.keys;
        loop {
            match self.listen(clock, None, None)? {
                Word::Late => return Ok(None),
                Word::Confirmed => break,
                _ => {}
            }
        }
        let mut granted = false;
        self.speak(Prompt::Notice);
        loop {
            match self.listen(clock, None, Some(Prompt::Notice))? {
                Word::Late => return Ok(None),
                Word::Silence { whole: false } => return Ok(Some(Consent::NotGiven)),
                Word::Silence { whole: true } if granted => return Ok(Some(Consent::Granted)),
                Word::Silence { whole: true } => break,
                Word::Key(key) if key == keys.refuse => return Ok(Some(Consent::Refused)),
                Word::Key(key) if key == keys.withdraw && granted => {
                    return Ok(Some(Consent::Refused));
                }
                Word::Key(key) => granted |= key == keys.grant,
                _ => {}
            }
        }
        self.question(clock)
    }

    fn question(&mut self, clock: &mut Clock) -> Result<Option<Consent>, Stop> {
        let keys = self.asking.keys;
        let (mut tries, mut explanations) = (self.asking.repeats, 2);
        let mut saying = Prompt::Question;
        let mut answer_until = None;
        self.speak(saying);
        loop {
            let again = match self.listen(clock, answer_until, Some(saying))? {
                Word::Late if answer_until.is_some_and(|until| until <= clock.until()) => {
                    Prompt::Reask
                }
                Word::Late => return Ok(None),
                Word::Silence { .. } if saying == Prompt::Info => {
                    saying = Prompt::Question;
                    self.speak(saying);
                    continue;
                }
                Word::Silence { .. } => {
                    clock.run(self.now);
                    answer_until = Some(self.now + self.asking.answer_timeout);
                    continue;
                }
                Word::Key(key) if key == keys.refuse || key == keys.withdraw => {
                    return Ok(Some(Consent::Refused));
                }
                Word::Key(key) if key == keys.grant => return Ok(Some(Consent::Granted)),
                Word::Key(key) if key == keys.info && saying == Prompt::Info => continue,
                Word::Key(key) if key == keys.info && explanations > 0 => {
                    explanations -= 1;
                    answer_until = None;
                    clock.explain(self.now);
                    saying = Prompt::Info;
                    self.speak(saying);
                    continue;
                }
                Word::Key(_) => Prompt::WrongKey,
                _ => {
                    answer_until = answer_until.filter(|_| !self.holds(Party::Customer));
                    continue;
                }
            };
            clock.run(self.now);
            answer_until = None;
            if tries == 0 {
                return Ok(Some(Consent::NotGiven));
            }
            tries -= 1;
            saying = again;
            self.speak(saying);
        }
    }

    fn ring(&mut self) -> Result<(), Stop> {
        let until = self.now + self.ring_timeout;
        let (mut early, mut connected) = (false, false);
        loop {
            let word = self.next(Some(until))?;
            match word {
                Word::Late => {
                    self.say(CancelDial);
                    return self.farewell(Failure::NoAnswer);
                }
                Word::Failed(failure) => return self.farewell(failure),
                Word::Answered => break,
                Word::Silence { .. } if !early => self.say(RingBack),
                Word::Ringing { early_media } => early |= early_media,
                _ => {}
            }
            if early && !connected && !self.prompt_sounds() {
                connected = true;
                if self.anything_sounds() {
                    self.say(Hush);
                }
                self.say(Connect(Connection::Early));
            }
        }
        if self.anything_sounds() {
            self.say(Hush);
        }
        self.say(Connect(Connection::Bridged));
        loop {
            if let Word::AgentGone = self.next(None)? {
                self.say(HangUp(Party::Customer, Cause::Normal));
                return Ok(());
            }
        }
    }

    fn farewell(&mut self, failure: Failure) -> Result<(), Stop> {
        self.failure = Some(failure);
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

    /// What the customer does next in the dialogue. A customer who holds hears nothing: what was
    /// being said is said again when they are back.
    fn listen(
        &mut self,
        clock: &Clock,
        answer_until: Option<Time>,
        saying: Option<Prompt>,
    ) -> Result<Word, Stop> {
        let until = answer_until.map_or(clock.until(), |answer| answer.min(clock.until()));
        let word = self.next(Some(until))?;
        if let (Word::Resumed, Some(prompt)) = (&word, saying) {
            self.say(Play(prompt));
        }
        Ok(word)
    }

    fn speak(&mut self, prompt: Prompt) {
        if !self.holds(Party::Customer) {
            self.say(Play(prompt));
        }
    }

    /// The next thing that happens, or that does not happen in time.
    fn next(&mut self, until: Option<Time>) -> Result<Word, Stop> {
        loop {
            self.record();
            self.until = until;
            let Some((at, input)) = self.history.get(self.read).copied() else {
                return Err(Stop::NoMore);
            };
            self.now = at;
            self.step = self.read + 1;
            let report_is_late = self
                .report_until
                .is_some_and(|report| report <= at && until.is_none_or(|until| report < until));
            if report_is_late {
                self.commit();
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
        let undecided = self.consent().is_none();
        let held = self.holds(Party::Customer);
        let sounded = self.prompt_sounds();
        let cancelled = self.pbx_is_cancelled();
        self.log.push((self.step, self.now, Read(input)));
        let withdraw = self.asking.keys.withdraw;
        match input {
            Input::Confirmed => return Ok(Word::Confirmed),
            Input::PromptEnded { whole, .. } if sounded && !self.prompt_sounds() => {
                return Ok(Word::Silence { whole });
            }
            Input::Digit(Party::Customer, press) if undecided => {
                return Ok(Word::Key(*press.key.reveal()));
            }
            Input::Digit(Party::Customer, press) if *press.key.reveal() == withdraw => {
                self.withdraw();
            }
            Input::TapCut if self.has_said(Record) => self.withdraw(),
            Input::Held(Party::Customer, true) if undecided && sounded => self.say(Hush),
            Input::Held(Party::Customer, false) if undecided && held => return Ok(Word::Resumed),
            Input::Ringing { early_media } => return Ok(Word::Ringing { early_media }),
            Input::PbxAnswered if cancelled => self.say(HangUp(Party::Agent, Cause::Normal)),
            Input::PbxAnswered => return Ok(Word::Answered),
            Input::PbxFailed(failure) => return Ok(Word::Failed(failure)),
            Input::HungUp(Party::Agent) => return Ok(Word::AgentGone),
            Input::HungUp(Party::Customer) if !self.closing => {
                self.leave(Consent::Abandoned, Cause::Normal);
                return Err(Stop::Over);
            }
            Input::Stop(cause) if !self.closing => {
                self.say(HangUp(Party::Customer, cause));
                self.leave(Consent::NotGiven, cause);
                return Err(Stop::Over);
            }
            _ => {}
        }
        Ok(Word::Other)
    }

    fn leave(&mut self, undecided: Consent, cause: Cause) {
        if self.consent().is_none() {
            self.say(Decided(undecided));
        }
        if self.has_said(Connect(Connection::Bridged)) {
            self.say(HangUp(Party::Agent, cause));
        } else if self.has_said(Dial) && self.failure.is_none() {
            self.say(CancelDial);
        }
    }

    fn withdraw(&mut self) {
        if self.consent() == Some(Consent::Granted) {
            self.say(Decided(Consent::Withdrawn));
            if !self.is_apart() {
                self.say(Play(Prompt::Withdrawn));
            }
        }
    }

    // --- the recording -----------------------------------------------------------------------

    /// Says what ought to have been said of the recording by now and has not.
    fn record(&mut self) {
        if !self.has_said(Decided(Consent::Granted)) {
            return;
        }
        let withdrawn = self.has_said(Decided(Consent::Withdrawn));
        if withdrawn || self.is_apart() {
            self.report_until = None;
        } else if self.reports() >= self.plays() - usize::from(self.prompt_sounds()) {
            self.commit();
        }
        if self.acknowledgement() == Some(true) && self.ends() == 0 {
            if !self.has_said(Record) {
                self.begin(withdrawn);
            } else {
                self.end_or_pause(withdrawn);
            }
        }
        if self.last_end() == Some(Fate::Keep) {
            let closed_empty = self.last_close() == Some((true, 0));
            if withdrawn && self.asking.on_withdraw == OnWithdraw::Erase {
                self.say(End(Fate::Erase(Reason::Withdrawal)));
            } else if closed_empty {
                self.say(End(Fate::Erase(Reason::Empty)));
            }
        }
    }

    fn commit(&mut self) {
        self.report_until = None;
        if self.commits() {
            return;
        }
        let prompts = self.plays() - usize::from(self.prompt_sounds());
        let presses = self.count(|entry| matches!(entry, Read(Input::Digit(Party::Customer, _))));
        self.say(Commit { prompts, presses });
    }

    fn begin(&mut self, withdrawn: bool) {
        if withdrawn {
            self.say(End(Fate::Erase(Reason::Withdrawal)));
        } else if self.is_apart() {
            self.say(End(Fate::Erase(Reason::Empty)));
        } else {
            self.say(Record);
            self.say(Arm(self.asking.keys.withdraw));
            if self.anybody_holds() {
                self.say(Pause);
            }
        }
    }

    fn end_or_pause(&mut self, withdrawn: bool) {
        let audible = self.audible() > self.audible_before(Record);
        if withdrawn {
            let keeps = audible && self.asking.on_withdraw == OnWithdraw::Stop;
            self.say(End(if keeps { Fate::Keep } else { Fate::Erase(Reason::Withdrawal) }));
        } else if self.recorder_failed() || self.is_apart() {
            self.say(End(if audible { Fate::Keep } else { Fate::Erase(Reason::Empty) }));
        } else {
            let paused = self.count(|entry| matches!(entry, Said(Pause)))
                > self.count(|entry| matches!(entry, Said(Resume)));
            if paused != self.anybody_holds() {
                self.say(if paused { Resume } else { Pause });
            }
        }
    }

    fn words(&self) -> Words {
        let consent = self.consent().unwrap_or(Consent::NotAsked);
        let bridged = self.has_said(Connect(Connection::Bridged));
        let stopped = self.has_said(HangUp(Party::Customer, Cause::Shutdown));
        let outcome = match self.failure {
            _ if bridged => Outcome::Bridged,
            Some(Failure::Busy) => Outcome::Busy,
            Some(Failure::NoAnswer) => Outcome::NoAnswer,
            Some(Failure::Unreachable | Failure::Rejected(_)) => Outcome::Unreachable,
            None if stopped => Outcome::Unreachable,
            None => Outcome::CallerGone,
        };
        let verdict = match consent {
            Consent::Refused => Verdict::Refused,
            Consent::NotGiven => Verdict::NotGiven,
            Consent::Abandoned => Verdict::Abandoned,
            Consent::Withdrawn => Verdict::Withdrawn,
            Consent::Granted if !bridged => Verdict::Unconnected,
            Consent::Granted | Consent::NotAsked => self.verdict_of_the_audio(),
        };
        Words { consent, outcome, verdict }
    }

    fn verdict_of_the_audio(&self) -> Verdict {
        if self.owes_an_answer() || self.recorder_failed() || self.acknowledgement() == Some(false)
        {
            return Verdict::Failed;
        }
        match (self.last_end(), self.last_close()) {
            (Some(Fate::Keep), Some((false, _))) => Verdict::Failed,
            (Some(Fate::Keep), _) if self.lost_audio() => Verdict::Degraded,
            (Some(Fate::Keep), _) => Verdict::Recorded,
            _ if self.audible() < ms(1_000) => Verdict::Unconnected,
            _ => Verdict::Failed,
        }
    }

    // --- leafing back through the log ----------------------------------------------------------

    fn say(&mut self, seen: Seen) {
        self.log.push((self.step, self.now, Said(seen)));
    }

    fn has_said(&self, wanted: Seen) -> bool {
        self.log.iter().any(|(_, _, entry)| matches!(entry, Said(seen) if *seen == wanted))
    }

    fn count(&self, wanted: impl Fn(&Entry) -> bool) -> usize {
        self.log.iter().filter(|(_, _, entry)| wanted(entry)).count()
    }

    fn consent(&self) -> Option<Consent> {
        self.log.iter().rev().find_map(|(_, _, entry)| match entry {
            Said(Decided(consent)) => Some(*consent),
            _ => None,
        })
    }

    fn plays(&self) -> usize {
        self.count(|entry| matches!(entry, Said(Play(_))))
    }

    /// How many prompts are reported. Only a prompt that was played can be.
    fn reports(&self) -> usize {
        let mut plays = 0;
        let mut reports = 0;
        for (_, _, entry) in &self.log {
            match entry {
                Said(Play(_)) => plays += 1,
                Read(Input::PromptEnded { .. }) if reports < plays => reports += 1,
                _ => {}
            }
        }
        reports
    }

    fn last_sound(&self) -> Option<Seen> {
        self.log.iter().rev().find_map(|(_, _, entry)| match entry {
            Said(sound @ (Play(_) | RingBack | Tone(_) | Hush)) => Some(*sound),
            _ => None,
        })
    }

    /// Whether a prompt sounds: it was played last, and fewer are reported than were played.
    fn prompt_sounds(&self) -> bool {
        matches!(self.last_sound(), Some(Play(_))) && self.reports() < self.plays()
    }

    fn anything_sounds(&self) -> bool {
        self.prompt_sounds() || matches!(self.last_sound(), Some(RingBack | Tone(_)))
    }

    fn holds(&self, party: Party) -> bool {
        let hold = self.log.iter().rev().find_map(|(_, _, entry)| match entry {
            Read(Input::Held(who, on)) if *who == party => Some(*on),
            _ => None,
        });
        hold == Some(true)
    }

    fn anybody_holds(&self) -> bool {
        self.holds(Party::Customer) || self.holds(Party::Agent)
    }

    /// Whether the parties will not come together, or are apart again.
    fn is_apart(&self) -> bool {
        self.closing || self.failure.is_some()
    }

    fn pbx_is_cancelled(&self) -> bool {
        let mut cancelled = false;
        for (_, _, entry) in &self.log {
            match entry {
                Said(CancelDial) => cancelled = true,
                Read(Input::PbxAnswered | Input::PbxFailed(_)) => cancelled = false,
                _ => {}
            }
        }
        cancelled
    }

    fn commits(&self) -> bool {
        self.count(|entry| matches!(entry, Said(Commit { .. }))) > 0
    }

    /// What the ledger said to the commit.
    fn acknowledgement(&self) -> Option<bool> {
        let mut after =
            self.log.iter().skip_while(|(_, _, entry)| !matches!(entry, Said(Commit { .. })));
        after.find_map(|(_, _, entry)| match entry {
            Read(Input::Committed { recording: RECORDING, .. }) => Some(true),
            Read(Input::CommitFailed { recording: RECORDING }) => Some(false),
            _ => None,
        })
    }

    fn ends(&self) -> usize {
        self.count(|entry| matches!(entry, Said(End(_))))
    }

    fn last_end(&self) -> Option<Fate> {
        self.log.iter().rev().find_map(|(_, _, entry)| match entry {
            Said(End(fate)) => Some(*fate),
            _ => None,
        })
    }

    /// How many ends were answered, and the answer to the last end, if it came.
    fn closes(&self) -> (usize, Option<(bool, u64)>) {
        let (mut ends, mut closes, mut last) = (0, 0, None);
        for (_, _, entry) in &self.log {
            match entry {
                Said(End(_)) => {
                    ends += 1;
                    last = None;
                }
                Read(Input::RecordingClosed { done, millis }) if closes < ends => {
                    closes += 1;
                    last = (closes == ends).then_some((*done, *millis));
                }
                _ => {}
            }
        }
        (closes, last)
    }

    fn last_close(&self) -> Option<(bool, u64)> {
        self.closes().1
    }

    /// Whether the ledger or the recorder has not answered yet.
    fn owes_an_answer(&self) -> bool {
        (self.commits() && self.acknowledgement().is_none()) || self.closes().0 < self.ends()
    }

    /// Whether the recorder failed while it was recording.
    fn recorder_failed(&self) -> bool {
        let recording = self
            .log
            .iter()
            .skip_while(|(_, _, entry)| !matches!(entry, Said(Record)))
            .take_while(|(_, _, entry)| !matches!(entry, Said(End(_))));
        recording.filter(|(_, _, entry)| matches!(entry, Read(Input::RecorderFailed))).count() > 0
    }

    fn lost_audio(&self) -> bool {
        let recorded = self.log.iter().skip_while(|(_, _, entry)| !matches!(entry, Said(Record)));
        let mut after = recorded.map(|(_, _, entry)| entry);
        self.audible_before(Record) >= ms(1_000)
            || after.any(|entry| matches!(entry, Read(Input::Degraded)))
    }

    fn audible(&self) -> Duration {
        self.audible_in(&self.log, self.now)
    }

    fn audible_before(&self, wanted: Seen) -> Duration {
        let place = self
            .log
            .iter()
            .position(|(_, _, entry)| matches!(entry, Said(seen) if *seen == wanted));
        place.map_or(Duration::ZERO, |place| self.audible_in(&self.log[..place], self.log[place].1))
    }

    /// For how long both parties were connected and nobody held.
    fn audible_in(&self, log: &[(usize, Time, Entry)], end: Time) -> Duration {
        let (mut bridged, mut customer, mut agent) = (false, false, false);
        let (mut since, mut total) = (Time::default(), Duration::ZERO);
        let last = [(0, end, Said(Finish(NO_WORDS)))];
        for (_, at, entry) in log.iter().chain(&last) {
            if bridged && !customer && !agent {
                total += at.since(since);
            }
            since = *at;
            match entry {
                Said(Connect(Connection::Bridged)) => bridged = true,
                Said(HangUp(..)) => bridged = false,
                Read(Input::Held(Party::Customer, on)) => customer = *on,
                Read(Input::Held(Party::Agent, on)) => agent = *on,
                _ => {}
            }
        }
        total
    }
}

/// Stands at the end of the log where only the time matters.
const NO_WORDS: Words =
    Words { consent: Consent::NotAsked, outcome: Outcome::CallerGone, verdict: Verdict::PolicyOff };

impl Clock {
    const fn until(&self) -> Time {
        match self {
            Self::Runs { until } | Self::Explains { until, .. } => *until,
        }
    }

    fn explain(&mut self, now: Time) {
        if let Self::Runs { until } = *self {
            *self = Self::Explains { until: now + ms(60_000), left: until.since(now) };
        }
    }

    fn run(&mut self, now: Time) {
        if let Self::Explains { left, .. } = *self {
            *self = Self::Runs { until: now + left };
        }
    }
}
