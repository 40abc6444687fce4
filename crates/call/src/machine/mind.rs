//! The customer's own keys in a call that is put through: their answers, and the key with which one who
//! is not recorded says that they want to be after all.
//!
//! A yes may come at any moment, and not only when the house asks: the key that ends a
//! recording begins the question where there is none. It is the whole one, notice and all, so that a yes
//! is as well informed as the first would have been (L01); who had said yes to it before, and has taken
//! that back, is only asked whether to go on. Silence changes nothing. What a yes after a withdrawal
//! permits is a recording of its own.

use std::time::Duration;

use crate::{
    Party, Time,
    machine::{
        dialogue::{Dialogue, Opening},
        io::{Action, Kept},
        state::{Call, Far},
        timer::Timer,
        way::Later,
    },
    verdict::Choice,
};

/// How long the answer of one who has come back is waited for. Their keys are not the PBX's meanwhile.
const PATIENCE: Duration = Duration::from_secs(6);

impl Call {
    /// Whether the customer's key is for the question: they were asked, do not say yes any more, and talk.
    pub(super) fn may_change_their_mind(&self) -> bool {
        let asks = self.terms.is_some_and(|terms| terms.manner.asks());
        let denied = matches!(self.choice, Choice::Refused | Choice::NotGiven | Choice::Withdrawn);
        asks && denied && self.changes > 0 && self.is_talking()
    }

    /// Whether that key, pressed now, begins it. Whoever withdraws may press it twice, to be sure, or by
    /// two ways at once: while they are told that the recording is over, it says nothing new.
    pub(super) fn comes_back(&self) -> bool {
        let is_told = self.choice == Choice::Withdrawn && self.sound.speaks();
        self.may_change_their_mind() && !is_told
    }

    /// Asks a customer who wanted it. Nobody presses them: it is asked once.
    pub(super) fn ask_anew(&mut self, now: Time) {
        let Some(terms) = self.terms else { return };
        self.changes = self.changes.saturating_sub(1);
        self.anew = Some(self.choice);
        // Only who has heard the notice in full can have said the yes that was withdrawn.
        let withdrew = self.choice == Choice::Withdrawn;
        let opening = if withdrew { Opening::Resume } else { Opening::AgentAsk };
        self.begin(now, Dialogue::new(opening, terms.manner, terms.keys, 0));
    }

    /// Begins a dialogue in a call whose parties are connected, or with a customer who alone is there.
    pub(super) fn begin(&mut self, now: Time, mut dialogue: Dialogue) {
        let Some(terms) = self.terms else { return };
        let turn = dialogue.begin();
        self.dialogue = Some(dialogue);
        self.choice = Choice::NotGiven;
        if self.far == Far::Bridged {
            self.sound.address(terms.audience);
            self.keep(Party::Customer, Kept::All);
        }
        self.timers.set(Timer::Limit, now + terms.until_dial);
        self.take(now, turn);
    }

    /// How long an answer is waited for.
    pub(super) fn patience(&self, usual: Duration) -> Duration {
        if self.anew.is_some() { PATIENCE } else { usual }
    }

    /// What silence, and a hang-up, come to after a question that the customer wanted: what they had said
    /// before it. Of a recording that was withdrawn, a no says nothing that the withdrawal has not said.
    pub(super) fn or_as_before(&mut self, choice: Choice) -> Choice {
        let undecided = matches!(choice, Choice::NotGiven | Choice::Abandoned);
        let stays = |before: &Choice| match before {
            Choice::Refused => undecided,
            Choice::Withdrawn => !choice.permits(),
            Choice::Unasked(_)
            | Choice::Granted
            | Choice::Informed
            | Choice::NotGiven
            | Choice::Abandoned
            | Choice::Opposed
            | Choice::Objected => false,
        };
        self.anew.take().filter(stays).unwrap_or(choice)
    }

    /// The question is over, and the parties talk on: keys are theirs again and no clock runs.
    pub(super) fn talk_on(&mut self) {
        self.stop_clocks();
        self.keep_what_is_ours();
    }

    /// Keeps from each party the keys of the other that mean something to us now, and gives back those
    /// that do not any more. A key that asks and one that pauses never do at once: there is a recording
    /// only after the yes.
    pub(super) fn keep_what_is_ours(&mut self) {
        self.keep(Party::Customer, self.keys_of_the_customer());
        self.keep(Party::Agent, self.keys_of_the_agent());
    }

    fn keys_of_the_customer(&self) -> Kept {
        let anew = self.terms.filter(|_| self.may_change_their_mind());
        match &self.dialogue {
            Some(_) => Kept::All,
            None => anew.map_or(Kept::Nothing, |terms| Kept::One(terms.keys.withdraw)),
        }
    }

    fn keys_of_the_agent(&self) -> Kept {
        let key = match self.later {
            Some(Later::Wanted { key, .. }) if self.may_be_asked() => key,
            Some(Later::Wanted { .. } | Later::Joined | Later::HeldBack) | None => None,
        };
        self.pause_key().or(key).map_or(Kept::Nothing, Kept::One)
    }

    pub(super) fn keep(&mut self, party: Party, kept: Kept) {
        let before = match party {
            Party::Customer => &mut self.kept_of_the_customer,
            Party::Agent => &mut self.kept_of_the_agent,
        };
        if std::mem::replace(before, kept) != kept {
            self.out.push_back(Action::Keep(party, kept));
        }
    }
}
