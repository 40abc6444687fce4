//! What is done: each wish of a call, carried out by the one part that owns it.

use call::{Evidence, Fact, Fate, Permit, RecordingId, Words};
use ledger::Station;
use sip::{Header, LegId};

use super::{
    Node,
    convey::farewell,
    place::{far, near},
};
use crate::{
    bridge,
    progress::Progress,
    session::{Haste, Row, Session},
    wires::{End, Side},
};

impl Node {
    /// Gives a fact to the ledger. The opening of a call that will be asked is waited for.
    pub(crate) fn audit(&mut self, session: &mut Session, fact: Fact) {
        let now = self.now();
        if matches!(fact, Fact::CallOpened { .. }) {
            match session.row {
                Row::None => {}
                // The row was refused, and the call has begun anew without one.
                Row::Waiting(_) | Row::Settled => return,
            }
            // Who may be asked is answered or called first of all; any other is called meanwhile.
            let haste = if session.call.may_be_recorded() { Haste::Now } else { Haste::Soon };
            self.office.open(session, Some(fact), haste, now);
            // An emergency is never delayed, not even by a disk (rows E).
            let urgent = session.offer.emergency;
            session.row = if urgent { Row::Settled } else { Row::Waiting(now) };
        } else if matches!(fact, Fact::CallEnded { .. }) {
            // It goes to the ledger together with the words.
            session.ending = Some(fact);
        } else {
            self.office.fact(session, fact, now);
        }
    }

    /// Answers the near leg.
    pub(crate) fn answer(&mut self, session: &mut Session) {
        let body = session.wires.answer();
        if let Some(negotiated) = session.wires.negotiated(Side::Near) {
            self.sound.remote(session, Side::Near, &negotiated);
        }
        self.respond(session, 200, Some(&body));
    }

    /// Gives the near leg our description before the answer (183), so that it hears the notice. A
    /// reliable one is acknowledged, and nobody waits for any other.
    pub(crate) fn progress(&mut self, session: &mut Session) {
        let Some(Progress { notice: _, reliable, mark }) = session.progress.clone() else { return };
        let body = session.wires.answer();
        if let Some(negotiated) = session.wires.negotiated(Side::Near) {
            self.sound.remote(session, Side::Near, &negotiated);
        }
        self.say(session, 183, mark.as_slice(), Some(&body));
        if !reliable {
            session.call.handle(self.now(), bridge::PROGRESSED);
        }
    }

    /// Rings the near leg.
    pub(crate) fn ring(&mut self, session: &mut Session, early_media: bool) {
        // A caller that left the offer to us gets it in the 200 only (row A-03).
        let offered = session.wires.negotiated(Side::Near).is_some();
        let body = (early_media && offered).then(|| session.wires.answer());
        if body.is_some()
            && let Some(negotiated) = session.wires.negotiated(Side::Near)
        {
            self.sound.remote(session, Side::Near, &negotiated);
        }
        let status = match session.conveyed(Side::Near).status {
            _ if body.is_some() => 183,
            // Row R-13: a caller may know that it is forwarded or waits in a queue.
            Some(status @ (181 | 182)) => status,
            Some(_) | None => 180,
        };
        self.respond(session, status, body.as_ref());
    }

    /// Fails the near leg.
    pub(crate) fn reject(&mut self, session: &mut Session, status: u16) {
        self.respond(session, status, None);
    }

    fn respond(&mut self, session: &mut Session, status: u16, body: Option<&sip::Body>) {
        let headers = session.conveyed(Side::Near).headers;
        self.say(session, status, &headers, body);
    }

    fn say(
        &mut self,
        session: &mut Session,
        status: u16,
        headers: &[Header],
        body: Option<&sip::Body>,
    ) {
        let Some(leg) = session.wires.leg(Side::Near) else { return };
        session.ladder.add(
            self.now(),
            Station::Node,
            near(session.direction()),
            &status.to_string(),
        );
        if let Err(error) = self.endpoint.respond(self.instant, leg, status, headers, body) {
            tracing::debug!(call = %session.id(), %error, "responding");
        }
    }

    /// Ends an answered leg.
    pub(crate) fn hang_up(&mut self, session: &mut Session, side: Side, end: End) {
        let Some(leg) = session.wires.leg(side) else { return };
        let to = match side {
            Side::Near => near(session.direction()),
            Side::Far => far(session.direction()),
        };
        session.ladder.add(self.now(), Station::Node, to, "BYE");
        self.bye(leg, &farewell(session, side, end));
    }

    fn bye(&mut self, leg: LegId, headers: &[Header]) {
        if let Err(error) = self.endpoint.bye(self.instant, leg, headers) {
            tracing::debug!(%error, "hanging up");
        }
    }

    /// Sends evidence, slip and row to be committed.
    pub(crate) fn commit(&mut self, session: &mut Session, evidence: Box<Evidence>) {
        self.office.commit(session, evidence);
    }

    /// A permit: the writer first, then the tap.
    pub(crate) fn record(&mut self, session: &mut Session, permit: Permit) {
        session.recording = Some(permit.recording());
        self.metrics.recording.set(self.recordings() + 1);
        let config = session.writer_config();
        match self.recorder.begin(permit, session.seed.take(), &config, session.blanks_keys()) {
            Ok(tap) => {
                self.office.begun(session.id(), tap.recording(), self.now());
                self.sound.tap(session, tap);
            }
            Err(failed) => {
                tracing::error!(call = %session.id(), %failed, "the recording cannot begin");
                session.call.handle(self.now(), bridge::NOT_RECORDED);
            }
        }
    }

    /// The recording is over: the tap goes, and what it left has its fate.
    pub(crate) fn end_recording(
        &mut self,
        session: &mut Session,
        recording: RecordingId,
        fate: Fate,
    ) {
        session.ladder.add(self.now(), Station::Node, Station::Node, "tap closed");
        // An earlier one has none any more, and another may be running.
        if session.recording == Some(recording) {
            self.sound.untap(session);
        }
        session.seed = None;
        self.recorder.end(session.id(), recording, fate);
    }

    /// The three words.
    pub(crate) fn finish(&mut self, session: &mut Session, words: Words) {
        session.ladder.add(self.now(), Station::Node, Station::Node, &words.to_string());
        self.metrics.ended(words);
        self.answered(session, words);
        tracing::info!(
            call = %session.id(),
            consent = words.consent.as_str(),
            outcome = words.outcome.as_str(),
            verdict = words.verdict.as_str(),
            "call ended"
        );
        session.words = Some(words);
    }
}
