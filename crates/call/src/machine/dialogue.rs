//! The spoken question: which key or silence means what, and what is said next.

use crate::{Key, Keys, Prompt, verdict::Choice};

/// How often the explanation is given in one call; after that its key is a wrong key.
const EXPLANATIONS: u8 = 2;

/// What the dialogue begins with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Opening {
    /// The notice, and then the question.
    Notice,
    /// The notice before the answer; the question waits until the parties are connected.
    NoticeAlone,
    /// Both in one prompt, in the middle of a call.
    AgentAsk,
}

impl Opening {
    /// The prompt that holds the notice.
    pub(super) const fn prompt(self) -> Prompt {
        match self {
            Self::Notice | Self::NoticeAlone => Prompt::Notice,
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
    /// The notice has been heard; the question waits until the parties are connected.
    Postponed,
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
    /// The other party is called before the question is asked.
    Postpone,
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
            Phase::Notice { .. } | Phase::Postponed | Phase::Explaining | Phase::Asking => {
                Turn::Stay
            }
        }
    }

    /// The parties are connected: a question that was postponed is asked.
    pub(super) fn ask(&mut self) -> Turn {
        match self.phase {
            Phase::Postponed => {
                self.phase = Phase::Asking;
                self.say(Prompt::Question)
            }
            Phase::Silent | Phase::Notice { .. } | Phase::Explaining | Phase::Asking => Turn::Stay,
        }
    }

    /// Whether the notice has been heard and the question waits.
    pub(super) fn is_postponed(&self) -> bool {
        self.phase == Phase::Postponed
    }

    /// What was being said came to its end, or was cut by a fault.
    pub(super) fn said(&mut self, whole: bool) -> Turn {
        match self.phase {
            Phase::Silent | Phase::Postponed => Turn::Stay,
            // A notice that was not heard in full can never lead to consent (L01).
            Phase::Notice { .. } if !whole => Turn::Decide(Choice::NotGiven),
            Phase::Notice { granted: true } => Turn::Decide(Choice::Granted),
            Phase::Notice { granted: false } => match self.opening {
                // Who was asked in one prompt with the notice has heard the question as well.
                Opening::AgentAsk => {
                    self.phase = Phase::Asking;
                    Turn::Wait
                }
                Opening::NoticeAlone => {
                    self.phase = Phase::Postponed;
                    Turn::Postpone
                }
                Opening::Notice => {
                    self.phase = Phase::Asking;
                    self.say(Prompt::Question)
                }
            },
            Phase::Explaining => {
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
            // A key that comes before its question counts like one in the notice (flows row C-02).
            Phase::Postponed => self.decision(key).map_or(Turn::Stay, Turn::Decide),
            Phase::Explaining if key == self.keys.info => Turn::Stay,
            Phase::Explaining | Phase::Asking => self.answered(key),
        }
    }

    /// What this key decides, if anything.
    fn decision(&self, key: Key) -> Option<Choice> {
        let refuses = key == self.keys.refuse || key == self.keys.withdraw;
        let grants = (key == self.keys.grant).then_some(Choice::Granted);
        if refuses { Some(Choice::Refused) } else { grants }
    }

    fn answered(&mut self, key: Key) -> Turn {
        if let Some(choice) = self.decision(key) {
            return Turn::Decide(choice);
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
            Phase::Silent | Phase::Postponed => Turn::Stay,
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
