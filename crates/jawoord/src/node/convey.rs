//! What of one side's messages the other side is told, and by what a call is known again.

use call::{CallId, Direction, Private};
use ledger::Station;
use sip::{Body, Event, Header, LegId, Message, NameAddr, Request};

use super::{Node, place::far};
use crate::{
    identity::{
        carry::{self, CALL_HEADER, Heard},
        thread,
    },
    session::Session,
    wires::{End, Side},
};

/// The two parties, the headers and the body of an INVITE to the other side.
pub(crate) struct Conveyed {
    pub(crate) from: NameAddr,
    pub(crate) headers: Vec<Header>,
    pub(crate) body: Body,
}

impl Node {
    /// Whether this INVITE is one of ours that has come back: by its Session-ID, our header or our
    /// Via, and dialled as before (row R-05). A call that the PBX forwards to another number is none.
    pub(crate) fn comes_back(&self, request: &Request, dialled: &Private<String>) -> bool {
        let message = request.message();
        let named = message.first(CALL_HEADER).and_then(|id| std::str::from_utf8(id).ok());
        let by_name = named.and_then(|id| id.trim().parse::<CallId>().ok());
        let by_thread = thread::sender(message).and_then(|end| self.threads.get(&end).copied());
        let by_via = self.endpoint.is_own_invite(request);
        let by_via = by_via.and_then(|leg| self.legs.get(&leg)).map(|(call, _)| *call);
        [by_name, by_thread, by_via].into_iter().flatten().any(|call| {
            let session = self.sessions.get(&call);
            session.is_some_and(|session| session.dialled.reveal() == dialled.reveal())
        })
    }

    /// What the far leg's INVITE says besides where it goes.
    pub(crate) fn conveys(
        &self,
        session: &mut Session,
        request: &Request,
        (from, to): (NameAddr, &NameAddr),
        offer: Body,
    ) -> Conveyed {
        let crossing = session.crossing(Side::Far);
        let opening = carry::opening(request, &crossing, from, to);
        let (body, version) = carry::body(request, &crossing, offer);
        session.news.opens(Side::Near, &opening.headers);
        let mut headers = opening.headers;
        headers.extend(version);
        headers.extend(standing(session, Side::Far));
        for note in opening.notes {
            session.ladder.add(self.now(), Station::Node, Station::Node, &note);
        }
        Conveyed { from: opening.from, headers, body }
    }

    /// Notes what is being handled: what follows from it carries some of it along.
    pub(crate) fn notes_heard(&mut self, session: &mut Session, side: Side, event: &Event) {
        let heard = match event {
            Event::Provisional { response, .. }
            | Event::Answered { response, .. }
            | Event::Rejected { response, .. } => Heard::Response(response.clone()),
            Event::Cancelled { request, .. } | Event::Bye { request, .. } => {
                Heard::Request(request.clone())
            }
            Event::Reinvite { request, .. } | Event::Noted { request, .. } => {
                self.threads_on(session, side, request.message());
                return learns(session, side, request.message());
            }
            Event::Info { request, .. } | Event::Asked { request, .. } => {
                return self.threads_on(session, side, request.message());
            }
            Event::IncomingInvite { .. }
            | Event::Acked { .. }
            | Event::Pracked { .. }
            | Event::ForkEnded { .. }
            | Event::Reanswered { .. }
            | Event::ReinviteRefused { .. }
            | Event::Ended { .. }
            | Event::Told { .. }
            | Event::Registration { .. }
            | Event::Pong { .. } => return,
        };
        match &heard {
            Heard::Response(response) => {
                self.threads_on(session, side, response);
                // What it says with its answer is no news later.
                let said = carry::headers(response, &session.crossing(side.other())).headers;
                session.news.opens(side, &said);
            }
            Heard::Request(request) => self.threads_on(session, side, request.message()),
        }
        session.heard = Some((side, heard));
    }

    /// A message may name another end of the Session-ID than before: both legs say it from now on.
    fn threads_on(&mut self, session: &mut Session, side: Side, message: &Message) {
        let before = session.thread.near();
        if !session.thread.heard(side, message) {
            return;
        }
        if session.thread.near() != before {
            self.forgets(before, session.id());
            self.threads.insert(session.thread.near(), session.id());
        }
        for side in [Side::Near, Side::Far] {
            if let Some(leg) = session.wires.leg(side) {
                self.stands(session, side, leg);
            }
        }
    }

    /// A call no longer goes by this end of a Session-ID. Another one with the same may.
    pub(crate) fn forgets(&mut self, end: thread::End, call: CallId) {
        if self.threads.get(&end) == Some(&call) {
            self.threads.remove(&end);
        }
    }

    /// Sets what every message of a leg carries.
    pub(crate) fn stands(&mut self, session: &Session, side: Side, leg: LegId) {
        if let Err(error) = self.endpoint.set_standing(leg, standing(session, side)) {
            tracing::debug!(call = %session.id(), %error, "Session-ID");
        }
    }
}

/// A side says something in a call that goes on: the other one is told what of it crosses and is new.
pub(crate) fn learns(session: &mut Session, side: Side, message: &Message) {
    let opening = session.wires.request().filter(|_| side == Side::Near);
    let opening = opening.as_deref().map(Request::message);
    let said = carry::meanwhile(message, opening, &session.crossing(side.other()));
    session.news.hears(side, &said);
}

/// What every message to a side carries: the Session-ID, and to the PBX the id of the call.
fn standing(session: &Session, side: Side) -> Vec<Header> {
    let is_pbx = match side {
        Side::Near => session.direction() == Direction::Outbound,
        Side::Far => far(session.direction()) == Station::Pbx,
    };
    let call = is_pbx.then(|| Header::new(CALL_HEADER, session.id().to_string()).ok()).flatten();
    session.thread.header(side).into_iter().chain(call).collect()
}

/// The headers of a BYE: the other side's reason if it gave one, and ours otherwise.
pub(crate) fn farewell(session: &Session, side: Side, end: End) -> Vec<Header> {
    let mut headers = session.conveyed(side).headers;
    if !headers.iter().any(|header| header.name().eq_ignore_ascii_case(b"Reason")) {
        headers.extend(end.headers());
    }
    headers
}

/// The headers of a CANCEL. It is made of its INVITE, so that nothing stands on it.
pub(crate) fn withdrawal(session: &Session) -> Vec<Header> {
    let mut headers = session.conveyed(Side::Far).headers;
    headers.extend(session.thread.header(Side::Far));
    headers
}
