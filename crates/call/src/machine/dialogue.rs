//! The spoken question: which key or silence means what, and what is said next.

use crate::{Key, Keys, Manner, Prompt, verdict::Choice};

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
    /// Whether to go on, of a customer who had said yes in this call and has taken it back.
    Resume,
}

impl Opening {
    /// What is said first: the prompt that holds the notice, if they have not heard it. Where nothing is
    /// asked, there is one, whoever began.
    pub(super) const fn prompt(self, manner: Manner) -> Prompt {
        match (manner, self) {
            (Manner::Opposing, _) => Prompt::LegitimateInterest,
            (Manner::Told, _) => Prompt::LegalObligation,
            (Manner::Asked | Manner::AskedTwice, Self::Notice | Self::NoticeAlone) => {
                Prompt::Notice
            }
            (Manner::Asked | Manner::AskedTwice, Self::AgentAsk) => Prompt::AgentAsk,
            (Manner::Asked | Manner::AskedTwice, Self::Resume) => Prompt::Resume,
        }
    }
}

/// What was pressed while the notice was said. Nothing of it counts before the notice is over.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Early {
    Nothing,
    Grant,
    Info,
}

/// Where the dialogue stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The customer's media does not flow yet.
    Silent,
    /// The notice, or the prompt that holds it.
    Notice(Early),
    /// The notice has been heard; the question waits until the parties are connected.
    Postponed,
    /// The explanation.
    Explaining,
    /// The question, a repeat of it, or the wait after it.
    Asking,
    /// The second step of a yes, or the wait after it: whether it has been heard, and whether the grant
    /// key was pressed in it.
    Confirming { heard: bool, granted: bool },
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
    manner: Manner,
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
    pub(super) const fn new(opening: Opening, manner: Manner, keys: Keys, repeats: u8) -> Self {
        Self {
            opening,
            manner,
            keys,
            phase: Phase::Silent,
            said: opening.prompt(manner),
            repeats,
            explanations: EXPLANATIONS,
            explained: false,
        }
    }

    /// The customer's media flows.
    pub(super) fn begin(&mut self) -> Turn {
        if self.phase != Phase::Silent {
            return Turn::Stay;
        }
        self.phase = match self.opening {
            Opening::Resume => Phase::Asking,
            Opening::Notice | Opening::NoticeAlone | Opening::AgentAsk => {
                Phase::Notice(Early::Nothing)
            }
        };
        self.say(self.opening.prompt(self.manner))
    }

    /// The parties are connected: a question that was postponed is asked.
    pub(super) fn ask(&mut self) -> Turn {
        if self.phase != Phase::Postponed {
            return Turn::Stay;
        }
        self.phase = Phase::Asking;
        self.say(Prompt::Question)
    }

    /// Whether the notice has been heard and the question waits.
    pub(super) fn is_postponed(&self) -> bool {
        self.phase == Phase::Postponed
    }

    /// What was being said came to its end, or was cut by a fault.
    pub(super) fn said(&mut self, whole: bool) -> Turn {
        match self.phase {
            Phase::Silent | Phase::Postponed => Turn::Stay,
            // A notice that was not heard in full can never lead to a recording (L01).
            Phase::Notice(_) if !whole => Turn::Decide(Choice::NotGiven),
            Phase::Notice(early) => self.noticed(early),
            Phase::Explaining if !self.manner.asks() => Turn::Decide(Choice::Informed),
            Phase::Explaining => {
                self.phase = Phase::Asking;
                self.say(Prompt::Question)
            }
            Phase::Asking => {
                self.explained = false;
                Turn::Wait
            }
            // Nor can a second step that was not heard lead to a consent of two steps (L13).
            Phase::Confirming { .. } if !whole => self.ask_again(Prompt::Explicit),
            Phase::Confirming { granted: true, .. } => Turn::Decide(Choice::Granted),
            Phase::Confirming { granted: false, .. } => {
                self.phase = Phase::Confirming { heard: true, granted: false };
                Turn::Wait
            }
        }
    }

    /// The notice has been heard in full.
    fn noticed(&mut self, early: Early) -> Turn {
        match (self.manner, early, self.opening) {
            (Manner::Opposing | Manner::Told, Early::Info, _) => self.explain(),
            (Manner::Opposing | Manner::Told, Early::Nothing | Early::Grant, _) => {
                Turn::Decide(Choice::Informed)
            }
            (Manner::Asked, Early::Grant, _) => Turn::Decide(Choice::Granted),
            (Manner::AskedTwice, Early::Grant, _) => self.confirm(),
            // Who was asked in one prompt with the notice has heard the question as well.
            (_, _, Opening::AgentAsk | Opening::Resume) => {
                self.phase = Phase::Asking;
                Turn::Wait
            }
            (_, _, Opening::NoticeAlone) => {
                self.phase = Phase::Postponed;
                Turn::Postpone
            }
            (_, _, Opening::Notice) => {
                self.phase = Phase::Asking;
                self.say(Prompt::Question)
            }
        }
    }

    /// The customer pressed a key.
    pub(super) fn pressed(&mut self, key: Key) -> Turn {
        if !self.manner.asks() {
            return self.told(key);
        }
        match &mut self.phase {
            Phase::Silent => Turn::Stay,
            Phase::Notice(early) => {
                let granted = *early == Early::Grant;
                if key == self.keys.refuse || (key == self.keys.withdraw && granted) {
                    return Turn::Decide(Choice::Refused);
                }
                if key == self.keys.grant {
                    *early = Early::Grant;
                }
                Turn::Stay
            }
            // A key that comes before its question counts like one in the notice (flows row C-02). A yes
            // of two steps is asked for in both.
            Phase::Postponed => match self.decision(key) {
                Some(Choice::Granted) if self.manner == Manner::AskedTwice => Turn::Stay,
                Some(choice) => Turn::Decide(choice),
                None => Turn::Stay,
            },
            Phase::Explaining if key == self.keys.info => Turn::Stay,
            // One press too many is no confirmation: that counts once it has been asked for in full.
            Phase::Confirming { heard: false, granted } if key == self.keys.grant => {
                *granted = true;
                Turn::Stay
            }
            Phase::Explaining | Phase::Asking | Phase::Confirming { .. } => self.answered(key),
        }
    }

    /// A key of a customer who is told: an objection, or the wish for an explanation. Every other key is
    /// without meaning.
    fn told(&mut self, key: Key) -> Turn {
        let objects = self.manner.can_be_ended() && key == self.keys.withdraw;
        match &mut self.phase {
            Phase::Notice(_) | Phase::Explaining if objects => Turn::Decide(Choice::Opposed),
            Phase::Notice(early) if key == self.keys.info => {
                *early = Early::Info;
                Turn::Stay
            }
            Phase::Silent
            | Phase::Notice(_)
            | Phase::Postponed
            | Phase::Explaining
            | Phase::Asking
            | Phase::Confirming { .. } => Turn::Stay,
        }
    }

    /// What this key decides, if anything.
    fn decision(&self, key: Key) -> Option<Choice> {
        let refuses = key == self.keys.refuse || key == self.keys.withdraw;
        let grants = (key == self.keys.grant).then_some(Choice::Granted);
        if refuses { Some(Choice::Refused) } else { grants }
    }

    fn answered(&mut self, key: Key) -> Turn {
        let confirms = matches!(self.phase, Phase::Confirming { .. });
        match self.decision(key) {
            Some(Choice::Granted) if self.manner == Manner::AskedTwice && !confirms => {
                return self.confirm();
            }
            Some(choice) => return Turn::Decide(choice),
            None => {}
        }
        if key == self.keys.info && self.explanations > 0 {
            return self.explain();
        }
        self.ask_again(Prompt::WrongKey)
    }

    fn explain(&mut self) -> Turn {
        self.explanations = self.explanations.saturating_sub(1);
        self.explained = true;
        self.phase = Phase::Explaining;
        self.say(match self.manner {
            Manner::Told => Prompt::ObligationInfo,
            Manner::Asked | Manner::AskedTwice | Manner::Opposing => Prompt::Info,
        })
    }

    /// Asks for the second step of a yes.
    fn confirm(&mut self) -> Turn {
        self.explained = false;
        self.phase = Phase::Confirming { heard: false, granted: false };
        self.say(Prompt::Explicit)
    }

    /// The customer's answer did not come in time.
    pub(super) fn silence(&mut self) -> Turn {
        self.ask_again(Prompt::Reask)
    }

    fn ask_again(&mut self, prompt: Prompt) -> Turn {
        let Some(left) = self.repeats.checked_sub(1) else {
            return Turn::Decide(Choice::NotGiven);
        };
        self.repeats = left;
        if matches!(self.phase, Phase::Confirming { .. }) {
            return self.confirm();
        }
        self.explained = false;
        self.phase = Phase::Asking;
        self.say(prompt)
    }

    /// The customer is back from a hold in which nothing could be heard (flows row C-11).
    pub(super) const fn resumed(&mut self) -> Turn {
        match &mut self.phase {
            Phase::Silent | Phase::Postponed => Turn::Stay,
            Phase::Notice(_) | Phase::Explaining | Phase::Asking => Turn::Say(self.said),
            Phase::Confirming { heard, .. } => {
                *heard = false;
                Turn::Say(self.said)
            }
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
