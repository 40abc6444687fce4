//! The script's question: what is said, which key or silence means what, and when it is over.

use call::*;

use crate::{
    clock::Clock,
    reference::Script,
    support::Seen::Hush,
    word::{Stop, Word},
};

impl Script<'_> {
    /// The decision, or nothing when the time for it is over.
    pub(super) fn ask(&mut self, clock: &mut Clock) -> Result<Option<Consent>, Stop> {
        loop {
            match self.listen(clock, None, None)? {
                Word::Late => return Ok(None),
                Word::Confirmed => break,
                _ => {}
            }
        }
        self.inform(clock, Prompt::Notice)
    }

    /// The same, from the prompt on that holds the notice.
    pub(super) fn inform(
        &mut self,
        clock: &mut Clock,
        notice: Prompt,
    ) -> Result<Option<Consent>, Stop> {
        let keys = self.asking.keys;
        let mut granted = false;
        self.speak(notice);
        loop {
            match self.listen(clock, None, Some(notice))? {
                Word::Late => return Ok(None),
                Word::Silence { whole: false } => return Ok(Some(Consent::NotGiven)),
                Word::Silence { whole: true } if granted => return Ok(Some(Consent::Granted)),
                Word::Silence { whole: true } if self.postpones() => return Ok(None),
                Word::Silence { whole: true } => break,
                Word::Key(key) if key == keys.refuse => return Ok(Some(Consent::Refused)),
                Word::Key(key) if key == keys.withdraw && granted => {
                    return Ok(Some(Consent::Refused));
                }
                Word::Key(key) => granted |= key == keys.grant,
                _ => {}
            }
        }
        self.question(clock, notice)
    }

    /// The question, whose notice has been heard.
    pub(super) fn question(
        &mut self,
        clock: &mut Clock,
        notice: Prompt,
    ) -> Result<Option<Consent>, Stop> {
        let keys = self.asking.keys;
        let (mut tries, mut explanations) = (self.asking.repeats, 2);
        let (mut saying, mut answer_until) = (notice, None);
        if notice == Prompt::AgentAsk {
            answer_until = Some(self.now + self.asking.answer_timeout);
        } else {
            saying = Prompt::Question;
            self.speak(saying);
        }
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
                    answer_until = answer_until.filter(|_| !self.log.holds(Party::Customer));
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
            self.play(prompt);
        }
        Ok(word)
    }

    fn speak(&mut self, prompt: Prompt) {
        if !self.log.holds(Party::Customer) {
            self.play(prompt);
        } else if self.log.prompt_sounds() {
            self.say(Hush);
        }
    }
}
