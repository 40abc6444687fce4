//! A fax that calls a line whose callers are asked: it hears no notice and presses no key, and wants a fax
//! to answer while it still calls.

use crate::{
    Confirm, Time,
    machine::state::Call,
    verdict::{Choice, Unasked},
};

impl Call {
    /// The caller's sound holds the calling tone of a fax (ITU-T T.30): on to the other party, with nothing
    /// more said and nothing recorded. Who is asked later, or comes back to the question, has talked.
    ///
    /// Where a law demands the record it is no way around it: whoever can whistle would have one (L54).
    pub(super) fn fax_calls(&mut self, now: Time) {
        let is_asked_first = self.later.is_none() && self.anew.is_none() && self.dialogue.is_some();
        if is_asked_first && self.terms.is_some_and(|terms| terms.manner.can_be_ended()) {
            self.decide(now, Choice::Unasked(Unasked::Fax), Confirm::Off);
        }
    }
}
