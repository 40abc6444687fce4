//! A recording that the operator pauses, and one that somebody left paused (row D-25).

use call::CallId;

use super::Node;
use crate::{bridge, note::Paused, session::Session};

impl Node {
    /// The operator wants silence in a call's recording, or sound again.
    pub(crate) fn pauses(&mut self, call: CallId, on: bool) -> Paused {
        let Some(session) = self.sessions.get(&call) else { return Paused::Unknown };
        if !session.call.may_be_paused() {
            return Paused::NotRecorded;
        }
        self.with(call, bridge::pauses(on));
        Paused::Done
    }

    /// Nobody ended a pause in its time: somebody ought to know.
    pub(crate) fn left_paused(&self, session: &Session) {
        self.metrics.left_paused.inc();
        tracing::warn!(
            call = %session.id(),
            "the recording was left paused and goes on, as `pause_max_s` says"
        );
    }
}
