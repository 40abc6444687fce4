//! The notice before the answer (flow F2): heard as early media, and the question when it may come.

use crate::{
    Party, Time,
    machine::{
        dialogue::{Dialogue, Turn},
        io::{Action, Kept},
        route::Terms,
        state::{Call, Far, Near},
        timer::Timer,
    },
};

impl Call {
    /// Begins with a caller who is asked: answered first, or told where the sound comes from.
    pub(super) fn turn_to_the_caller(&mut self, now: Time, terms: &Terms) {
        self.timers.set(Timer::Limit, now + terms.until_dial);
        match terms.early {
            None => self.answer(),
            Some(early) => {
                self.timers.set(Timer::Early, now + early.limit);
                self.out.push_back(Action::Progress);
            }
        }
    }

    /// Answers the caller: first of all, or because the parties come together or the carrier lets
    /// nobody be without an answer for longer.
    pub(super) fn answer(&mut self) {
        if self.near == Near::Unanswered {
            self.near = Near::Answered;
            self.timers.clear(Timer::Early);
            self.out.push_back(Action::Answer);
        }
    }

    /// The unanswered caller hears us: the notice begins.
    pub(super) fn progressed(&mut self, now: Time) {
        if self.near == Near::Unanswered {
            let turn = self.dialogue.as_mut().map_or(Turn::Stay, Dialogue::begin);
            self.take(now, turn);
        }
    }

    /// The notice has been heard, and the question waits: on with the way to the other party. A key
    /// that decides is not for the PBX to hear, whenever it is pressed.
    pub(super) fn postpone(&mut self, now: Time) {
        self.keep(Party::Customer, Kept::All);
        self.spoken(now);
    }

    /// Asks what was postponed, as soon as the parties hear each other and the caller's leg can be
    /// trusted to carry keys.
    pub(super) fn ask_at_last(&mut self, now: Time) {
        let Some(terms) = self.terms else { return };
        let waits = self.dialogue.as_ref().is_some_and(Dialogue::is_postponed);
        if waits && self.confirmed && self.far == Far::Bridged {
            self.sound.address(terms.audience);
            self.timers.set(Timer::Limit, now + terms.until_dial);
            let turn = self.dialogue.as_mut().map_or(Turn::Stay, Dialogue::ask);
            self.take(now, turn);
        }
    }
}
