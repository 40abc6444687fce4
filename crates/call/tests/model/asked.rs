//! The script's question: what is said, which key or silence means what, and when it is over.

use std::time::Duration;

use call::*;

use crate::{
    choice::{Choice, Decision},
    clock::Clock,
    reference::Script,
    support::{Seen::Hush, ms},
    word::{Stop, Word},
};

/// What of the dialogue there is left to say.
struct Left {
    repeats: u8,
    explanations: u8,
}

/// What follows something that was said in the question.
enum Next {
    Say(Prompt),
    Decide(Decision),
}

const MAY: Next = Next::Decide(Decision::Of(Choice::May));
const MAY_NOT: Next = Next::Decide(Decision::Of(Choice::MayNot));

impl Script<'_> {
    /// What comes of the dialogue, from the silence before the notice on.
    pub(super) fn ask(&mut self, clock: &mut Clock) -> Result<Decision, Stop> {
        loop {
            match self.listen(clock, None, None)? {
                Word::Late => return Ok(Decision::TooLate),
                Word::Fax => return Ok(Decision::Of(Choice::Fax)),
                Word::Confirmed => break,
                _ => {}
            }
        }
        self.inform(clock, Prompt::Notice)
    }

    /// The same, from the prompt on that holds the notice.
    pub(super) fn inform(&mut self, clock: &mut Clock, notice: Prompt) -> Result<Decision, Stop> {
        if !self.needs_a_yes() {
            return self.tell(clock);
        }
        if notice == Prompt::Resume {
            return self.question(clock, notice);
        }
        let keys = self.asking.keys;
        let mut granted = false;
        self.speak(notice);
        loop {
            match self.listen(clock, None, Some(notice))? {
                Word::Late => return Ok(Decision::TooLate),
                Word::Fax => return Ok(Decision::Of(Choice::Fax)),
                Word::Silence { whole: false } => return Ok(Decision::Of(Choice::Open)),
                Word::Silence { whole: true } if granted && self.asks_twice() => {
                    return self.question(clock, Prompt::Explicit);
                }
                Word::Silence { whole: true } if granted => return Ok(Decision::Of(Choice::May)),
                Word::Silence { whole: true } if self.postpones() && notice == Prompt::Notice => {
                    return Ok(Decision::Postponed);
                }
                Word::Silence { whole: true } => break,
                Word::Key(key) if key == keys.refuse => return Ok(Decision::Of(Choice::MayNot)),
                Word::Key(key) if key == keys.withdraw && granted => {
                    return Ok(Decision::Of(Choice::MayNot));
                }
                Word::Key(key) => granted |= key == keys.grant,
                _ => {}
            }
        }
        let asked = notice == Prompt::AgentAsk;
        self.question(clock, if asked { notice } else { Prompt::Question })
    }

    /// The question, from `first` on. The agent's has been heard together with its notice.
    pub(super) fn question(&mut self, clock: &mut Clock, first: Prompt) -> Result<Decision, Stop> {
        let repeats = if self.comes_back { 0 } else { self.asking.repeats };
        let mut left = Left { repeats, explanations: 2 };
        let mut saying = first;
        loop {
            match self.say_and_listen(clock, &mut left, saying)? {
                Next::Say(next) => saying = next,
                Next::Decide(decision) => return Ok(decision),
            }
        }
    }

    /// How long an answer is waited for.
    fn patience(&self) -> Duration {
        if self.comes_back { ms(6_000) } else { self.asking.answer_timeout }
    }

    /// Says one thing, and reads what the customer answers to it.
    fn say_and_listen(
        &mut self,
        clock: &mut Clock,
        left: &mut Left,
        saying: Prompt,
    ) -> Result<Next, Stop> {
        let keys = self.asking.keys;
        let (mut answer_until, mut heard, mut agreed) = (None, false, false);
        if saying == Prompt::AgentAsk {
            answer_until = Some(self.now + self.patience());
        } else {
            self.speak(saying);
        }
        loop {
            match self.listen(clock, answer_until, Some(saying))? {
                Word::Late if answer_until.is_some_and(|until| until <= clock.until()) => {
                    return Ok(self.again(clock, left, saying, Prompt::Reask));
                }
                Word::Late => return Ok(Next::Decide(Decision::TooLate)),
                Word::Fax => return Ok(Next::Decide(Decision::Of(Choice::Fax))),
                Word::Silence { .. } if saying == Prompt::Info => {
                    return Ok(Next::Say(Prompt::Question));
                }
                Word::Silence { whole: false } if saying == Prompt::Explicit => {
                    return Ok(self.again(clock, left, saying, saying));
                }
                Word::Silence { .. } if agreed => return Ok(MAY),
                Word::Silence { .. } => {
                    heard = true;
                    clock.run(self.now);
                    answer_until = Some(self.now + self.patience());
                }
                Word::Key(key) if key == keys.refuse || key == keys.withdraw => {
                    return Ok(MAY_NOT);
                }
                Word::Key(key) if key != keys.grant => {
                    if key == keys.info && saying == Prompt::Info {
                        continue;
                    }
                    return Ok(self.explain_or_repeat(clock, left, saying, key));
                }
                Word::Key(_) if !self.asks_twice() => return Ok(MAY),
                Word::Key(_) if saying != Prompt::Explicit => {
                    clock.run(self.now);
                    return Ok(Next::Say(Prompt::Explicit));
                }
                // The second step counts once it was heard in full.
                Word::Key(_) if heard => return Ok(MAY),
                Word::Key(_) => agreed = true,
                Word::Resumed => heard = false,
                _ => answer_until = answer_until.filter(|_| !self.log.holds(Party::Customer)),
            }
        }
    }

    /// What follows a key that is no answer.
    fn explain_or_repeat(
        &self,
        clock: &mut Clock,
        left: &mut Left,
        saying: Prompt,
        key: Key,
    ) -> Next {
        if key == self.asking.keys.info && left.explanations > 0 {
            left.explanations -= 1;
            clock.explain(self.now);
            return Next::Say(Prompt::Info);
        }
        self.again(clock, left, saying, Prompt::WrongKey)
    }

    /// Asks again, if there is a repeat left. A second step is said again as it is.
    fn again(&self, clock: &mut Clock, left: &mut Left, saying: Prompt, repeat: Prompt) -> Next {
        clock.run(self.now);
        if left.repeats == 0 {
            return Next::Decide(Decision::Of(Choice::Open));
        }
        left.repeats -= 1;
        Next::Say(if saying == Prompt::Explicit { saying } else { repeat })
    }

    /// What the customer does next in the dialogue. A customer who holds hears nothing: what was
    /// being said is said again when they are back.
    pub(super) fn listen(
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

    pub(super) fn speak(&mut self, prompt: Prompt) {
        if !self.log.holds(Party::Customer) {
            self.play(prompt);
        } else if self.log.prompt_sounds() {
            self.say(Hush);
        }
    }
}
