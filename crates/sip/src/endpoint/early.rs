//! Responses to our INVITE up to the answer: the places that ring, and the one that answers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use super::compose::{self, Outgoing};
use super::core::{Endpoint, Owner, Sending};
use super::event::{Event, ForkId, LegId, Sdp, Why};
use super::leg::{Early, Errand, Leg, MAX_FORKS, Phase};
use crate::dialog::to_tag;
use crate::wire::extension::{Rack, rseq};
use crate::wire::message::Message;
use crate::wire::method::Method;
use crate::wire::request::cseq;

impl Endpoint {
    /// 100 to 199.
    pub(crate) fn on_provisional(
        &mut self,
        now: Instant,
        id: LegId,
        status: u16,
        response: Message,
    ) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let Phase::Calling(calling) = &mut leg.phase else { return };
        calling.heard = true;
        if calling.cancel.is_some() {
            self.send_cancel(now, id);
            return;
        }
        if status == 100 {
            return;
        }
        leg.note_abilities(&response);
        let own = self.config.own();
        let Some(early) = place(leg, &response, &own) else { return };
        let fork = early.id;
        let sdp = Sdp::of(&response);
        if let Some(rseq) = rseq(&response) {
            // RFC 3262 §4: each once and in order; what came again has its PRACK on the way.
            if early.tag.is_none() || early.rseq.is_some_and(|last| rseq != last.wrapping_add(1)) {
                return;
            }
            early.rseq = Some(rseq);
            early.agreed |= sdp.is_some();
        }
        early.sdp = sdp.clone().or(early.sdp.take());
        if let (Some(rseq), Ok((cseq, _))) = (rseq(&response), cseq(&response)) {
            let rack = Rack { rseq, cseq }.to_wire();
            let own: [(&str, &[u8]); 1] = [("RAck", &rack)];
            let sending = Sending { fork: Some(fork), own: &own, ..Sending::plain(Method::PRACK) };
            self.send_errand(now, id, Errand::Prack, sending);
        }
        if status == 199 {
            self.forget(id, fork);
        } else {
            let response = Arc::new(response);
            self.emit(Event::Provisional { leg: id, fork, status, sdp, response });
        }
    }

    /// 199 (RFC 6228, row A-16): one place has given up.
    fn forget(&mut self, id: LegId, fork: ForkId) {
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.forks.retain(|early| early.id != fork);
            self.emit(Event::ForkEnded { leg: id, fork });
        }
    }

    /// The first 2xx: the call is up (rows ).
    pub(crate) fn on_accepted(&mut self, now: Instant, id: LegId, response: Message) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let Phase::Calling(calling) = &leg.phase else { return };
        let (cancelled, said) = (calling.cancel.is_some(), calling.invite.body.clone());
        leg.note_abilities(&response);
        let number = cseq(&response).map_or(leg.dialog.local_cseq, |(number, _)| number);
        let tag = to_tag(&response);
        let early = leg.fork(tag.as_deref());
        let sdp = Sdp::of(&response).or(early.and_then(|early| early.sdp.clone()));
        let agreed = early.is_some_and(|early| early.agreed);
        let fork = early.map_or(ForkId(leg.heard_of), |early| early.id);
        let dialog = early.map_or(&leg.dialog, |early| &early.dialog).confirmed(&response);
        let dialog = dialog.without(&self.config.own());
        leg.dialog = dialog.clone();
        leg.phase = Phase::Up;
        // An UPDATE in the early dialog may have changed what we said.
        leg.said = leg.said.take().filter(|_| agreed).or(Some(said));
        leg.heard = sdp.clone();
        let lost = leg.asked.take_if(|asked| asked.fork.is_some_and(|other| other != fork));
        if let Some(asked) = &mut leg.asked {
            asked.fork = None;
        }
        self.acknowledge(id, &dialog, number);
        if let Some(lost) = lost {
            self.refuse(now, lost.server, &lost.request, 487, &[]);
        }
        self.take_session(now, id, &response);
        match sdp {
            _ if cancelled => self.close(now, id, Why::Cancelled { answered: true }, &[]),
            Some(sdp) => {
                let response = Arc::new(response);
                self.emit(Event::Answered { leg: id, fork, sdp, response });
            }
            None => self.close(now, id, Why::NoAnswer, &[]),
        }
    }

    /// Acknowledges a 2xx that nobody wants and hangs up on it, in a dialog of its own (row A-14).
    pub(crate) fn turn_away(&mut self, now: Instant, id: LegId, response: &Message) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let Ok((number, _)) = cseq(response) else { return };
        let early = leg.fork(to_tag(response).as_deref());
        let mut stray = early.map_or(&leg.dialog, |early| &early.dialog).confirmed(response);
        stray = stray.without(&self.config.own());
        let (peer, counted) = (leg.peer, early.is_some());
        self.acknowledge(id, &stray, number);
        // A stale re-INVITE's 2xx within our own dialog needs its ACK and no BYE of its own.
        if self.legs.get(&id).is_some_and(|leg| leg.dialog.remote_tag == stray.remote_tag) {
            return;
        }
        let branch = self.tokens.branch();
        let Some(listener) = self.config.listener(peer.listener) else { return };
        if !counted {
            stray.local_cseq = number;
        }
        let parts = Outgoing {
            method: Method::BYE,
            cseq: stray.next_cseq(),
            branch: &branch,
            max_forwards: 70,
            own: &[],
            headers: &[],
            body: None,
        };
        let octets = compose::request(&self.config, listener, &stray, &parts);
        if self.transactions.send(now, Owner::Leg(id), stray.next_hop(peer), octets).is_some()
            && let Some(leg) = self.legs.get_mut(&id)
        {
            leg.clients += 1;
        }
    }
}

/// The early dialog that a provisional response belongs to; `None` when there are too many.
fn place<'a>(leg: &'a mut Leg, response: &Message, own: &[SocketAddr]) -> Option<&'a mut Early> {
    let tag = to_tag(response);
    let known = leg.forks.iter().position(|early| early.tag == tag);
    let at = match known {
        Some(at) => at,
        None if leg.forks.len() >= MAX_FORKS => return None,
        None => {
            let id = ForkId(leg.heard_of);
            leg.heard_of += 1;
            let dialog = leg.dialog.confirmed(response).without(own);
            leg.forks.push(Early { id, tag, dialog, sdp: None, rseq: None, agreed: false });
            leg.forks.len() - 1
        }
    };
    leg.forks.get_mut(at)
}
