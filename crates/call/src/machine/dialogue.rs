//! The spoken question: which key or silence means what, and what is said next.

use crate::{Key, Keys, Prompt, verdict::Choice};

/// How often the explanation is given in one call; after that its key is a wrong key.
const EXPLANATIONS: u8 = 2;

/// What the dialogue begins with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Opening {
    /// The notice, and then the question.
    Notice,
    /// Both in one prompt, in the middle of a call.
    AgentAsk,
}

impl Opening {
    /// The prompt that holds the notice.
    pub(super) const fn prompt(self) -> Prompt {
        match self {
            Self::Notice => Prompt::Notice,
            Self::AgentAsk => Prompt::AgentAsk,
        }
    }
}

/// Where the dialogue stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The customer's media does not flow yet.
    Silent,
    /// The notice, or the prompt that holds it; whether the grant key was pressed in it.
    Notice { granted: bool },
    /// The explanation.
    Explaining,
    /// The question, a repeat of it, or the wait after it.
    Asking,
}

/// What the dialogue wants next.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Nothing changes.
    Stay,
    /// This prompt is said; what was being said is cut.
    Say(Prompt),
    /// The customer's answer is waited for.
    Wait,
    /// The dialogue is over.
    Decide(Choice),
}

/// One dialogue. It ends with the first [`Turn::Decide`].
pub(super) struct Dialogue {
    opening: Opening,
    keys: Keys,
    phase: Phase,
    /// What was said last, to be said again after a hold.
    said: Prompt,
    repeats: u8,
    explanations: u8,
    /// From the info key to the end of the question that follows the explanation.
    explained: bool,
}

impl Dialogue {
    pub(super) const fn new(opening: Opening, keys: Keys, repeats: u8) -> Self {
        Self {
            opening,
            keys,
            phase: Phase::Silent,
            said: opening.prompt(),
            repeats,
            explanations: EXPLANATIONS,
            explained: false,
        }
    }

    /// The customer's media flows.
    pub(super) fn begin(&mut self) -> Turn {
        match self.phase {
            Phase::Silent => {
                self.phase = Phase::Notice { granted: false };
                self.say(self.opening.prompt())
            }
            Phase::Notice { .. } | Phase::Explaining | Phase::Asking => Turn::Stay,
        }
    }

    /// What was being said came to its end, or was cut by a fault.
    pub(super) fn said(&mut self, whole: bool) -> Turn {
        match self.phase {
            Phase::Silent => Turn::Stay,
            // A notice that was not heard in full can never lead to consent (L01).
            Phase::Notice { .. } if !whole => Turn::Decide(Choice::NotGiven),
            Phase::Notice { granted: true } => Turn::Decide(Choice::Granted),
            // Who was asked in one prompt with the notice has heard the question as well.
            Phase::Notice { granted: false } if self.opening == Opening::AgentAsk => {
                self.phase = Phase::Asking;
                Turn::Wait
            }
            Phase::Notice { granted: false } | Phase::Explaining => {
                self.phase = Phase::Asking;
                self.say(Prompt::Question)
            }
            Phase::Asking => {
                self.explained = false;
                Turn::Wait
            }
        }
    }

    /// The customer pressed a key.
    pub(super) fn pressed(&mut self, key: Key) -> Turn {
        match &mut self.phase {
            Phase::Silent => Turn::Stay,
            Phase::Notice { granted } => {
                if key == self.keys.refuse || (key == self.keys.withdraw && *granted) {
                    return Turn::Decide(Choice::Refused);
                }
                *granted |= key == self.keys.grant;
                Turn::Stay
            }
            Phase::Explaining if key == self.keys.info => Turn::Stay,
            Phase::Explaining | Phase::Asking => self.answered(key),
        }
    }

    fn answered(&mut self, key: Key) -> Turn {
        if key == self.keys.refuse || key == self.keys.withdraw {
            return Turn::Decide(Choice::Refused);
        }
        if key == self.keys.grant {
            return Turn::Decide(Choice::Granted);
        }
        if key == self.keys.info && self.explanations > 0 {
            self.explanations -= 1;
            self.explained = true;
            self.phase = Phase::Explaining;
            return self.say(Prompt::Info);
        }
        self.ask_again(Prompt::WrongKey)
    }

    /// The customer's answer did not come in time.
    pub(super) fn silence(&mut self) -> Turn {
        self.ask_again(Prompt::Reask)
    }

    fn ask_again(&mut self, prompt: Prompt) -> Turn {
        self.explained = false;
        self.phase = Phase::Asking;
        match self.repeats.checked_sub(1) {
            Some(left) => {
                self.repeats = left;
                self.say(prompt)
            }
            None => Turn::Decide(Choice::NotGiven),
        }
    }

    /// The customer is back from a hold in which nothing could be heard (flows row C-11).
    pub(super) const fn resumed(&self) -> Turn {
        match self.phase {
            Phase::Silent => Turn::Stay,
            Phase::Notice { .. } | Phase::Explaining | Phase::Asking => Turn::Say(self.said),
        }
    }

    /// Whether the customer hears what was asked for with the info key: it does not count to the
    /// time until the PBX is called.
    pub(super) const fn explains(&self) -> bool {
        self.explained
    }

    const fn say(&mut self, prompt: Prompt) -> Turn {
        self.said = prompt;
        Turn::Say(prompt)
    }
}
