//! What the agent hears of the recording, where the policy wants it: they are recorded as well, and may not have
//! to look at a page to know it.
//!
//! It is told whenever it changes, whoever or whatever changed it, and so it is not told by any of them. A hold
//! changes nothing: whoever holds knows of it, and hears music.

use crate::machine::{
    io::{Action, Cue},
    state::{Call, Far, Stage},
};

impl Call {
    /// Lets the agent hear what they have not been told yet.
    pub(super) fn cue(&mut self) {
        let talks = self.stage == Stage::Open && self.far == Far::Bridged;
        if !talks || !self.terms.is_some_and(|terms| terms.agent_cue) {
            return;
        }
        let is_recorded = self.recording.is_open() && !self.bridge.is_suspended();
        if is_recorded != std::mem::replace(&mut self.cued, is_recorded) {
            self.out.push_back(Action::Cue(if is_recorded { Cue::Begins } else { Cue::Ends }));
        }
    }
}
