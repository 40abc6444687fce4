//! From consent to the permit, and back when consent is withdrawn.

use crate::{
    Digest, Fact, Hand, Prompt, Reason, RecordingId, Time,
    machine::{
        io::Action,
        recording::Recording,
        route::Terms,
        state::{Call, Stage},
        timer::Timer,
        trail,
    },
    permit::Decision,
};

impl Call {
    /// Commits a decision that waits for it, now that its evidence is complete.
    pub(super) fn commit(&mut self) {
        self.timers.clear(Timer::Report);
        let (Some(decided_at), Some(line)) = (self.uncommitted.take(), &self.line) else { return };
        let heard = self.sound.heard();
        let recording = self.recording.id();
        let evidence =
            trail::evidence(self.call, recording, line, heard, &self.presses, decided_at);
        if let Some(evidence) = evidence {
            self.recording.commit(evidence, &mut self.out);
        }
    }

    /// The ledger has committed; a party that holds by now is not recorded.
    pub(super) fn committed(&mut self, now: Time, recording: RecordingId, evidence: Digest) {
        if let Some(recording) = self.former.or(&mut self.recording, recording) {
            recording.committed_in_vain(&mut self.out);
        }
        let Some(terms) = self.terms.filter(|_| recording == self.recording.id()) else { return };
        let Terms { ground, purposes, heard, .. } = terms;
        let decision = Decision { call: self.call, recording, ground, purposes, heard, evidence };
        let heard = (self.bridge.audible(now), self.bridge.is_unattended());
        if self.recording.committed(decision, terms.ending_key(), heard, &mut self.out) {
            self.keep_silence(None);
            self.let_pause();
            self.name_the_agent();
        }
    }

    /// A question is asked whose yes is for a recording of its own: of this id, where the one at hand was
    /// for an earlier yes.
    pub(super) fn renew(&mut self, id: RecordingId) {
        if self.recording.is_used() {
            self.former.push(std::mem::replace(&mut self.recording, Recording::new(id)));
        }
    }

    /// The recorder is done with an ended recording.
    pub(super) fn closed(&mut self, id: RecordingId, done: bool, millis: u64) {
        if let Some(recording) = self.former.or(&mut self.recording, id) {
            recording.closed(done, millis, &mut self.out);
        }
    }

    /// Whether the customer could end the recording now, or one that is about to begin.
    #[must_use]
    pub fn may_be_withdrawn(&self) -> bool {
        let can_be_ended = self.terms.is_some_and(|terms| terms.manner.can_be_ended());
        self.choice.permits() && can_be_ended
    }

    /// The customer has said it to somebody of the house, who passes it on: it ends what their key would
    /// (L08, L21), and it can be proved whose word that was.
    pub(super) fn withdraw_as_told(&mut self, now: Time, by: Hand) {
        if self.may_be_withdrawn() {
            self.out.push_back(Action::Audit(Fact::WithdrawalTold { call: self.call, by }));
            self.withdraw(now);
        }
    }

    /// Consent is taken back, or the customer objects: recording ends with the packet in hand (L08, L21),
    /// the call goes on.
    pub(super) fn withdraw(&mut self, now: Time) {
        let Some(terms) = self.terms.filter(|_| self.may_be_withdrawn()) else { return };
        self.uncommitted = None;
        self.timers.clear(Timer::Report);
        let audible = self.bridge.audible(now);
        let reason = if terms.manner.asks() { Reason::Withdrawal } else { Reason::Objection };
        self.recording.withdraw(reason, terms.keep_withdrawn, audible, &mut self.out);
        // A pause is over with what it was a pause of.
        self.bridge.pause(now, false);
        self.choose(self.choice.ended());
        if self.stage == Stage::Open {
            self.keep_what_is_ours();
            self.sound.play(now, Prompt::Withdrawn, &mut self.out);
        }
    }
}
