//! What happens: SIP events, media events, answers of the ledger and the recorder, deadlines.

use std::time::Duration;

use call::{CallId, Private};
use sip::{By, Event, Refusal};

use super::{
    Node,
    arrived::Arrived,
    hold::declined,
    place::{far, near},
};
use crate::{
    bridge,
    leg::Hold,
    note::{Asked, Paper, Tape},
    session::{Row, Session},
    wires::Side,
};
use ledger::Station;

impl Node {
    /// One SIP event.
    pub(crate) fn signalled(&mut self, event: Event) {
        match event {
            Event::IncomingInvite { leg, source, request, max_forwards, offer, reliable } => {
                let since = self.instant;
                let arrived =
                    Arrived { leg, source, request, max_forwards, offer, reliable, since };
                self.arrives(arrived);
            }
            Event::Pong { ping, pong, seen: _ } => self.pong(ping, pong),
            Event::Registration { registration, standing } => {
                self.registered(registration, standing);
            }
            Event::Acked { .. }
            | Event::Pracked { .. }
            | Event::Cancelled { .. }
            | Event::Provisional { .. }
            | Event::ForkEnded { .. }
            | Event::Answered { .. }
            | Event::Rejected { .. }
            | Event::Reinvite { .. }
            | Event::Noted { .. }
            | Event::Reanswered { .. }
            | Event::ReinviteRefused { .. }
            | Event::Info { .. }
            | Event::Bye { .. }
            | Event::Ended { .. } => self.on_leg(&event),
            Event::Asked { leg, ask, request } => self.asked(leg, ask, &request),
            Event::Told { leg, ask, status } => self.told(leg, ask, status),
        }
    }

    fn on_leg(&mut self, event: &Event) {
        let Some((leg, label)) = named(event) else { return };
        let Some((call, side)) = self.legs.get(&leg).copied() else {
            self.succeeds(leg, event);
            return;
        };
        if event.ends_leg().is_some() {
            self.legs.remove(&leg);
        }
        let Some(mut session) = self.sessions.remove(&call) else { return };
        let from = match side {
            Side::Near => near(session.direction()),
            Side::Far => far(session.direction()),
        };
        if let Some(label) = label {
            session.ladder.add(self.now(), from, Station::Node, &label);
        }
        if event.ends_leg().is_some() {
            session.wires.over(side);
            if self.referrer_left(&mut session, leg) {
                return self.put_back(session);
            }
        }
        self.notes_heard(&mut session, side, event);
        if let Event::Info { request, .. } = event {
            self.informed(&session, side, request);
        }
        if matches!(event, Event::Acked { .. }) {
            self.confirms(&session, side);
        }
        if side == Side::Far && self.goes_on(&mut session, event) {
            session.heard = None;
            return self.put_back(session);
        }
        match self.described(&mut session, side, event) {
            Ok(hold) => {
                session.answered |= matches!(event, Event::Answered { .. });
                let (party, answered) = (session.party(side), session.answered);
                if let Some(input) = bridge::told(side, party, event, hold, answered) {
                    self.tell(&mut session, input);
                }
                // A late answer may hold the call, too (row B-03).
                if let (Event::Acked { .. }, Some(hold)) = (event, hold) {
                    let held = bridge::held(session.party(side), hold);
                    self.tell(&mut session, held);
                }
                self.reads_agent(&mut session, side, event);
            }
            Err(refusal) => {
                tracing::info!(call = %session.id(), %refusal, "session description");
                self.unusable(&mut session, leg, side, event);
            }
        }
        session.heard = None;
        self.put_back(session);
    }

    /// A description that cannot be used ends the leg it came on: there is no call without sound.
    /// Early media is only not heard, and a refused change leaves the call as it was (row B-09).
    fn unusable(&mut self, session: &mut Session, leg: sip::LegId, side: Side, event: &Event) {
        if let Event::Pracked { .. } = event {
            // It answers the offer in our 183.
            self.refuse(leg, 488, &[]);
        } else if !matches!(event, Event::Acked { .. } | Event::Answered { .. }) {
            return;
        } else if let Err(error) = self.endpoint.bye(self.instant, leg, &[]) {
            tracing::debug!(%error, "hanging up");
        }
        let input = match side {
            Side::Near => bridge::gone(session.party(side)),
            Side::Far => bridge::UNREACHABLE,
        };
        self.tell(session, input);
    }

    /// Reads the session description of an event and moves the media accordingly.
    fn described(
        &mut self,
        session: &mut Session,
        side: Side,
        event: &Event,
    ) -> Result<Option<Hold>, Refusal> {
        let agreed = match event {
            Event::Acked { answer: Some(sdp), .. }
            | Event::Pracked { answer: Some(sdp), .. }
            | Event::Answered { sdp, .. } => session.wires.read_answer(side, sdp)?,
            Event::Provisional { fork, sdp, .. } => session.wires.rings(*fork, sdp.as_ref())?,
            Event::ForkEnded { fork, .. } => session.wires.gives_up(*fork)?,
            Event::Reanswered { refresh, sdp, .. } => {
                if !refresh {
                    session.wires.accepted(side);
                }
                let read = sdp.as_ref().map(|sdp| session.wires.read_answer(side, sdp));
                read.transpose()?.flatten()
            }
            Event::ReinviteRefused { .. } => {
                declined(session, side);
                None
            }
            Event::Reinvite { leg, offer, .. } => {
                let reply = session.wires.reinvited(side, offer.as_ref());
                let body = reply.body.as_ref();
                let sent =
                    self.endpoint.answer_reinvite(self.instant, *leg, reply.status, &[], body);
                if let Err(error) = sent {
                    tracing::debug!(%error, "answering a re-INVITE");
                }
                reply.negotiated
            }
            Event::Acked { answer: None, .. }
            | Event::Pracked { answer: None, .. }
            | Event::IncomingInvite { .. }
            | Event::Cancelled { .. }
            | Event::Rejected { .. }
            | Event::Info { .. }
            | Event::Noted { .. }
            | Event::Asked { .. }
            | Event::Told { .. }
            | Event::Bye { .. }
            | Event::Ended { .. }
            | Event::Registration { .. }
            | Event::Pong { .. } => None,
        };
        if let Some(agreed) = &agreed {
            self.sound.remote(session, side, agreed);
        }
        Ok(agreed.map(|_| session.wires.hold(side)))
    }

    /// One event of a media worker.
    pub(crate) fn heard(&mut self, report: &media::Report) {
        if let media::Event::Quiet(silence) = report.event {
            self.silent(report.call, silence);
        }
        if let media::Event::Retell { to, key, held } = &report.event {
            self.informs(report.call, *to, *key.reveal(), *held);
        }
        if let media::Event::Counted(stats) = &report.event {
            self.sounds(report.call, stats);
        }
        if let media::Event::Closed(stats) = &report.event {
            self.counted(report.call, Some(stats));
        }
        self.noticed(report.call, &report.event);
        if let Some(input) = bridge::heard(report.call, &report.event) {
            self.with(report.call, input);
        }
    }

    /// Ends a call in which neither party sends anything any more: nobody would ever hang up
    /// (row B-33). A call on hold may be quiet for longer, and an emergency for as long as it likes.
    fn silent(&mut self, call: CallId, silence: Duration) {
        let Some(session) = self.sessions.get(&call) else { return };
        let media = &session.settings.media;
        let limit = if session.wires.is_held() { media.dead_hold } else { media.dead_call };
        let is_dead = limit.is_some_and(|limit| silence >= limit) && !session.offer.emergency;
        if is_dead {
            tracing::warn!(%call, silent_s = silence.as_secs(), "neither party sends; the call ends");
            self.with(call, bridge::DEAD);
        }
    }

    /// One answer of the office.
    pub(crate) fn papered(&mut self, paper: Paper) {
        let input = bridge::papered(&paper);
        match paper {
            Paper::Row { call, written } => self.row(call, written),
            Paper::Committed { call, seed, .. } => {
                if let Some(session) = self.sessions.get_mut(&call) {
                    session.seed = Some(seed);
                }
            }
            Paper::CommitFailed { .. } => {}
            Paper::Closed { call, recording, .. } => {
                if let Some(session) = self.sessions.get_mut(&call) {
                    session.recording.take_if(|running| *running == recording);
                }
                self.metrics.recording.set(self.recordings());
            }
        }
        if let Some((call, input)) = input {
            self.with(call, input);
        }
    }

    /// One event of the recorder.
    pub(crate) fn taped(&mut self, tape: &Tape) {
        let (call, recording) = match *tape {
            Tape::Degraded { call, recording, missing_ms } => {
                self.metrics.lost_ms.inc_by(missing_ms);
                (call, recording)
            }
            Tape::Failed { call, recording } => (call, recording),
        };
        // What is known late of one that a withdrawal has ended is no news of the one that runs.
        let at_hand = self.sessions.get(&call).and_then(|session| session.recording);
        if at_hand.is_some_and(|at_hand| at_hand != recording) {
            return;
        }
        match tape {
            Tape::Failed { .. } => self.cut_short(call),
            Tape::Degraded { .. } => {}
        }
        let (call, input) = bridge::taped(tape);
        self.with(call, input);
    }

    /// How many calls have a recording.
    pub(crate) fn recordings(&self) -> i64 {
        let recorded = self.sessions.values().filter(|session| session.recording.is_some());
        i64::try_from(recorded.count()).unwrap_or(i64::MAX)
    }

    /// The row of a call is on disk, or cannot be: then the question is not asked.
    fn row(&mut self, call: CallId, written: bool) {
        let Some(mut session) = self.sessions.remove(&call) else { return };
        if matches!(session.row, Row::Waiting(_)) {
            self.settled(&mut session, written);
        }
        self.put_back(session);
    }

    /// The row's fate is known, or has been waited for long enough.
    fn settled(&mut self, session: &mut Session, written: bool) {
        session.row = Row::Settled;
        if written || !session.call.may_be_recorded() {
            self.release(session);
        } else {
            self.unasked(session);
        }
    }

    /// Begins the call anew as one that nobody can record.
    pub(crate) fn unasked(&mut self, session: &mut Session) {
        tracing::error!(call = %session.id(), "the ledger takes no row; the call goes on unrecorded");
        session.waiting.clear();
        session.offer.ready = Err(call::NotReady::Ledger);
        session.call = call::Call::new(self.now(), session.offer.clone());
        self.drive(session);
    }

    fn release(&mut self, session: &mut Session) {
        while let Some(action) = session.waiting.pop_front() {
            bridge::perform(self, session, action);
        }
        self.drive(session);
    }

    /// Tells a call by its id.
    pub(crate) fn with(&mut self, call: CallId, input: bridge::Told) {
        if let Some(mut session) = self.sessions.remove(&call) {
            self.tell(&mut session, input);
            self.put_back(session);
        }
    }

    /// The operator wants the customer of the call of this name to be asked.
    pub(crate) fn ask(&mut self, name: &Private<String>) -> Asked {
        let Some(session) = self.named(name.reveal()) else { return Asked::Unknown };
        let call = session.id();
        if !session.call.may_be_asked() {
            return Asked::NotNow;
        }
        if self.ready(&session.offer, &session.settings).is_err() {
            return Asked::NotReady;
        }
        self.with(call, bridge::ASK);
        Asked::Begun
    }

    pub(crate) fn tell(&mut self, session: &mut Session, input: bridge::Told) {
        session.call.handle(self.now(), input);
        self.drive(session);
    }

    /// Carries out everything the machine asks for.
    pub(crate) fn drive(&mut self, session: &mut Session) {
        while let Some(action) = session.call.poll_action() {
            if session.holds_back(bridge::answers(&action)) {
                session.waiting.push_back(action);
            } else {
                bridge::perform(self, session, action);
            }
        }
    }

    /// Files the call under its next deadline, or forgets it when it is over.
    pub(crate) fn put_back(&mut self, mut session: Box<Session>) {
        let (id, now) = (session.id(), self.now());
        self.transfer_lapses(&mut session, now);
        if let Some(old) = session.due.take() {
            self.due.remove(&(old, id));
        }
        if session.words.is_some() {
            self.sound.close(id, session.worker);
            self.metrics.active.dec();
            self.forgets(session.thread.near(), id);
            self.tally.leave(id);
            if session.alarms.unheard() > 0 {
                self.count_unheard();
            }
            self.closes(session);
            return;
        }
        let row = match session.row {
            Row::Waiting(since) => Some(since + super::run::ROW_PATIENCE),
            Row::None | Row::Settled => None,
        };
        let transfer = session.transfer.as_ref().map(|transfer| transfer.until);
        self.relays(&mut session, now);
        session.rests();
        let (held, tried) = (session.again, session.attempts.due());
        let due = [session.call.poll_timeout(), tried, row, transfer, held];
        session.due = due.into_iter().flatten().min();
        if let Some(due) = session.due {
            self.due.insert((due, id));
        }
        self.sessions.insert(id, session);
    }

    /// Everything that is due.
    pub(crate) fn timeouts(&mut self) {
        self.endpoint.handle_timeout(self.instant);
        let now = self.now();
        while let Some((at, call)) = self.due.first().copied().filter(|(at, _)| *at <= now) {
            self.due.remove(&(at, call));
            let Some(mut session) = self.sessions.remove(&call) else {
                self.counted(call, None);
                continue;
            };
            session.due = None;
            match session.row {
                Row::Waiting(since) if now >= since + super::run::ROW_PATIENCE => {
                    self.settled(&mut session, false);
                }
                Row::Waiting(_) | Row::None | Row::Settled => {
                    self.lingers(&mut session, now);
                    session.call.handle_timeout(now);
                    self.drive(&mut session);
                }
            }
            self.put_back(session);
        }
        self.ping();
        self.unparks();
    }
}

/// The leg of an event and how it is called on the ladder.
fn named(event: &Event) -> Option<(sip::LegId, Option<String>)> {
    let (leg, label) = match event {
        Event::IncomingInvite { .. } | Event::Registration { .. } | Event::Pong { .. } => {
            return None;
        }
        Event::Acked { leg, .. } => (*leg, Some("ACK".to_owned())),
        Event::Pracked { leg, .. } => (*leg, Some("PRACK".to_owned())),
        Event::Cancelled { leg, .. } => (*leg, Some("CANCEL".to_owned())),
        Event::Provisional { leg, status, .. } => (*leg, Some(status.to_string())),
        Event::ForkEnded { leg, .. } => (*leg, Some("199".to_owned())),
        Event::Answered { leg, .. } => (*leg, Some("200 OK".to_owned())),
        Event::Rejected { leg, status, .. } => (*leg, Some(status.to_string())),
        Event::Reinvite { leg, by, .. } => {
            let by = match by {
                By::Invite => "re-INVITE",
                By::Update => "UPDATE",
                By::Prack => "PRACK",
            };
            (*leg, Some(by.to_owned()))
        }
        Event::Reanswered { leg, .. } => (*leg, Some("200 OK (re-INVITE)".to_owned())),
        Event::ReinviteRefused { leg, status } => (*leg, Some(format!("{status} (re-INVITE)"))),
        Event::Asked { leg, .. } | Event::Told { leg, .. } | Event::Noted { leg, .. } => {
            (*leg, None)
        }
        Event::Info { leg, .. } => (*leg, Some("INFO".to_owned())),
        Event::Bye { leg, .. } => (*leg, Some("BYE".to_owned())),
        Event::Ended { leg, .. } => (*leg, None),
    };
    Some((leg, label))
}
