//! The recordings that a call has had before the one at hand: a withdrawal has ended each.
//!
//! Each is one of its own, with its evidence, its key and its retention: what is taken back is erased by
//! itself, and nothing of it hangs on a later yes (Art. 7(3)).

use crate::{RecordingId, machine::recording::Recording};

/// None of them can be permitted any more.
#[derive(Default)]
pub(super) struct Former(Vec<Recording>);

impl Former {
    /// Another recording takes the place of this one.
    pub(super) fn push(&mut self, recording: Recording) {
        self.0.push(recording);
    }

    /// The one of this id, of these and the one at hand.
    pub(super) fn or<'a>(
        &'a mut self,
        at_hand: &'a mut Recording,
        id: RecordingId,
    ) -> Option<&'a mut Recording> {
        self.0.iter_mut().chain([at_hand]).find(|recording| recording.id() == id)
    }

    /// The recorder lost audio of a recording that it has not answered for: which, it does not say.
    pub(super) fn degrade(&mut self) {
        self.0.iter_mut().for_each(Recording::degrade);
    }

    /// Whether the ledger or the recorder still owes an answer for one.
    pub(super) fn are_outstanding(&self) -> bool {
        self.0.iter().any(Recording::is_outstanding)
    }

    /// No answer is waited for any longer.
    pub(super) fn give_up(&mut self) {
        self.0.iter_mut().for_each(Recording::give_up);
    }

    /// Whether all is there of those that were to be kept.
    pub(super) fn are_whole(&self) -> bool {
        self.0.iter().all(Recording::is_whole)
    }
}
