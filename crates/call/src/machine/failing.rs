//! A recording that fails while its call runs: the call goes on without it, or ends (flows row O-05).

use crate::{
    Manner, RecordingId, Time,
    machine::{io::Cause, recording::Recording, state::Call},
};

impl Call {
    /// Whether the failure of its recording would end the call: where the house may not talk without a
    /// record, and never in an emergency.
    #[must_use]
    pub fn ends_unrecorded(&self) -> bool {
        !self.urgent && self.terms.is_some_and(|terms| terms.ends_unrecorded)
    }

    /// Whether a law lets this call not be led without a record, and the house keeps to it.
    pub(super) fn must_be_recorded(&self) -> bool {
        self.ends_unrecorded() && self.terms.is_some_and(|terms| terms.manner == Manner::Told)
    }

    /// The ledger could not commit what the customer has agreed to: it is never recorded.
    pub(super) fn commit_failed(&mut self, now: Time, recording: RecordingId) {
        let failed = self.former.or(&mut self.recording, recording);
        let wanted = failed.is_some_and(Recording::commit_failed);
        if wanted && self.ends_unrecorded() {
            self.stop(now, Cause::NotRecorded);
        }
    }

    /// The recorder cannot go on: what it sealed is kept.
    pub(super) fn recorder_failed(&mut self, now: Time) {
        match self.recording.fail() {
            true if self.ends_unrecorded() => self.stop(now, Cause::NotRecorded),
            true => self.recording.finish(self.bridge.audible(now), &mut self.out),
            false => {}
        }
    }
}
