//! Answering an INVITE: provisional responses that are acknowledged (RFC 3262 §3), then a final one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::command::CommandError;
use super::compose::{self, ACCEPT, Reply, borrowed};
use super::core::Endpoint;
use super::event::{By, Event, LegId, Sdp, Why};
use super::leg::{Invited, Pending, Phase, Queued, Ringing, Unacked};
use crate::timer::Alarm;
use crate::transaction::layer::ServerId;
use crate::wire::body::{Content, content};
use crate::wire::build::Body;
use crate::wire::extension::Rack;
use crate::wire::header::Header;
use crate::wire::request::Request;

/// How often a provisional response is repeated (RFC 3261 §13.3.1.1: every minute).
pub(crate) const REFRESH: Duration = Duration::from_secs(60);

/// Most responses that wait for a PRACK.
const MAX_QUEUE: usize = 16;

impl Endpoint {
    /// Answers the INVITE of an incoming leg: 101 to 199 any number of times, then one of 200 to 699.
    /// A 2xx to an INVITE without an offer must carry ours, unless an acknowledged provisional
    /// response did. 300 and more end the leg ([`Why::Refused`]).
    ///
    /// A provisional response is sent so that it must be acknowledged (RFC 3262) if the caller demands
    /// it, or if the caller knows how and the response has a body; [`Event::Pracked`] follows. What
    /// must not overtake the acknowledgement waits for it: the next such response, and a 2xx after
    /// one with a description (rows ).
    ///
    /// # Errors
    /// The leg is over, has been answered, the status does not fit, or a 2xx has no body.
    pub fn respond(
        &mut self,
        now: Instant,
        leg: LegId,
        status: u16,
        headers: &[Header],
        body: Option<&Body>,
    ) -> Result<(), CommandError> {
        if !(101..700).contains(&status) {
            return Err(CommandError::Status(status));
        }
        let held = self.live(leg)?;
        let Phase::Ringing(ringing) = &mut held.phase else { return Err(CommandError::WrongState) };
        if ringing.is_accepted() {
            return Err(CommandError::WrongState);
        }
        let message = ringing.invited.request.message();
        // RFC 6228 §4: only for those who asked to hear it.
        if status == 199 && !message.lists("Supported", "199") {
            return Err(CommandError::Status(status));
        }
        if (200..300).contains(&status) && body.is_none() && !ringing.described {
            return Err(CommandError::NoDescription);
        }
        let queued = Queued { status, headers: headers.to_vec(), body: body.cloned() };
        if status >= 300 {
            self.reject(now, leg, &queued, Why::Refused);
            return Ok(());
        }
        if must_wait(ringing, &queued) {
            if ringing.queue.len() >= MAX_QUEUE {
                return Err(CommandError::Full);
            }
            ringing.queue.push_back(queued);
            if status >= 200 {
                held.alarms.stop(Alarm::Expire);
                held.alarms.stop(Alarm::Refresh);
                self.file(leg);
            }
        } else {
            self.say(now, leg, queued);
        }
        Ok(())
    }

    /// Rejects the INVITE: the leg is over.
    fn reject(&mut self, now: Instant, id: LegId, queued: &Queued, why: Why) {
        self.end_ringing(now, id, queued, Event::Ended { leg: id, why });
    }

    /// Sends the final response of an INVITE that is not accepted, and the leg's last report.
    pub(crate) fn end_ringing(&mut self, now: Instant, id: LegId, queued: &Queued, last: Event) {
        let Some(leg) = self.legs.get(&id) else { return };
        let Phase::Ringing(ringing) = &leg.phase else { return };
        let (server, request) = (ringing.invited.server, ringing.invited.request.clone());
        let tag = leg.dialog.local_tag.clone();
        let (headers, body) = (&queued.headers, queued.body.as_ref());
        let reply = Reply { headers, body, ..Reply::plain(queued.status, &tag) };
        self.abandon(now, id);
        self.reply(now, server, &request, &reply);
        self.finish(id, last);
    }

    /// Sends a response that may go out now.
    fn say(&mut self, now: Instant, id: LegId, mut queued: Queued) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let Phase::Ringing(ringing) = &mut leg.phase else { return };
        let offered = ringing.invited.offered;
        if ringing.described {
            // The description is out: RFC 3261 §13.2.1 wants the same one again, or none. An offer of
            // ours that has been answered would be a second one.
            queued.body = queued.body.filter(|body| offered && leg.said.as_ref() == Some(body));
        }
        if queued.status < 200 && !offered && !ringing.supports {
            // An offer travels in what is acknowledged only (RFC 3261 §13.2.1).
            queued.body = None;
        }
        if queued.status >= 200 {
            let invited = ringing.invited.clone();
            let offers = !offered && !ringing.described;
            if queued.body.is_some() {
                leg.said = queued.body.clone();
            }
            if offered {
                leg.heard = leg.heard.take().or(Sdp::of(invited.request.message()));
            }
            leg.overtaken = ringing.pending.take().map(|pending| pending.rack);
            leg.alarms.clear();
            leg.phase = Phase::Up;
            self.accept(now, id, &invited, &queued, (true, offers));
        } else if is_reliable(ringing, &queued) {
            self.ring_reliably(now, id, &queued);
        } else {
            let (server, request) = (ringing.invited.server, ringing.invited.request.clone());
            let tag = leg.dialog.local_tag.clone();
            leg.alarms.set(Alarm::Refresh, now + REFRESH);
            let (headers, body) = (&queued.headers, queued.body.as_ref());
            let reply = Reply { headers, body, ..Reply::plain(queued.status, &tag) };
            self.reply(now, server, &request, &reply);
            self.file(id);
        }
    }

    /// Sends a provisional response that must be acknowledged, and keeps it until it is.
    fn ring_reliably(&mut self, now: Instant, id: LegId, queued: &Queued) {
        let (first, t1) = (1 + self.tokens.below(0x7fff_0000), self.config.timers.t1);
        let patience = self.config.timers.patience();
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let tag = leg.dialog.local_tag.clone();
        let Phase::Ringing(ringing) = &mut leg.phase else { return };
        let (server, request) = (ringing.invited.server, ringing.invited.request.clone());
        let Some(way) = self.transactions.way_back(server) else { return };
        let Some(listener) = self.config.listener(way.remote.listener) else { return };
        // RFC 3262 §3: a random start, then one more for each.
        let rseq = ringing.rseq.map_or(first, |last| last.wrapping_add(1).max(1));
        let number = rseq.to_string();
        let own: [(&str, &[u8]); 2] = [("Require", b"100rel"), ("RSeq", number.as_bytes())];
        let (headers, body) = (&queued.headers, queued.body.as_ref());
        let reply = Reply { own: &own, headers, body, ..Reply::plain(queued.status, &tag) };
        let standing = &leg.dialog.standing;
        let octets = compose::response(&self.config, listener, &request, &reply, standing);
        let offers = body.is_some() && !ringing.invited.offered;
        ringing.rseq = Some(rseq);
        ringing.pending = Some(Pending {
            rack: Rack { rseq, cseq: request.cseq() },
            way,
            octets: octets.clone(),
            interval: t1,
            described: body.is_some(),
            offers,
        });
        if body.is_some() {
            ringing.described = true;
            ringing.agreed = !offers;
            leg.said = queued.body.clone();
            leg.heard = leg.heard.take().or(Sdp::of(request.message()));
        }
        leg.alarms.set(Alarm::Retransmit, now + t1);
        leg.alarms.set(Alarm::GiveUp, now + patience);
        leg.alarms.set(Alarm::Refresh, now + REFRESH);
        self.transactions.respond(now, server, queued.status, octets);
        self.file(id);
    }

    /// The provisional response again, T1 doubling without end (RFC 3262 §3).
    pub(crate) fn repeat_ringing(&mut self, now: Instant, id: LegId) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let Phase::Ringing(ringing) = &mut leg.phase else { return };
        let Some(pending) = ringing.pending.as_mut() else { return };
        pending.interval *= 2;
        leg.alarms.set(Alarm::Retransmit, now + pending.interval);
        let (way, octets) = (pending.way, pending.octets.clone());
        self.transactions.transmit(way, octets);
        self.file(id);
    }

    /// Nobody acknowledges: a 5xx ends the INVITE (RFC 3262 §3, row A-08).
    pub(crate) fn ring_in_vain(&mut self, now: Instant, id: LegId) {
        self.reject(now, id, &Queued::plain(504), Why::NoPrack);
    }

    /// PRACK: 200 if it means what we sent, else 481 (row A-08).
    pub(crate) fn on_prack(&mut self, now: Instant, id: LegId, server: ServerId, request: Request) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let rack = request.message().first("RAck").and_then(Rack::parse);
        if rack.is_some() && leg.overtaken == rack {
            self.refuse(now, server, &request, 200, &[]);
            return;
        }
        let Phase::Ringing(ringing) = &mut leg.phase else {
            self.refuse(now, server, &request, 481, &[]);
            return;
        };
        let Some(pending) = ringing.pending.take_if(|pending| Some(pending.rack) == rack) else {
            self.refuse(now, server, &request, 481, &[]);
            return;
        };
        leg.alarms.stop(Alarm::Retransmit);
        leg.alarms.stop(Alarm::GiveUp);
        let sdp = match content(request.message()) {
            Content::Sdp(octets) => Some(Sdp(octets.into())),
            Content::Empty | Content::Optional => None,
            Content::Unsupported => {
                self.refuse(now, server, &request, 415, &[("Accept", ACCEPT)]);
                return self.advance(now, id);
            }
        };
        if pending.offers {
            self.on_pracked_answer(now, id, (server, &request), sdp);
        } else if let Some(offer) = sdp.filter(|_| ringing.agreed && leg.asked.is_none()) {
            // Row A-10: the answer goes out in the 200, and only then what else waits.
            let invited = Invited {
                server,
                request: Arc::new(request),
                offered: true,
                by: By::Prack,
                fork: None,
            };
            let request = invited.request.clone();
            leg.asked = Some(invited);
            self.emit(Event::Pracked { leg: id, answer: None });
            self.emit(Event::Reinvite { leg: id, by: By::Prack, request, offer: Some(offer) });
            self.file(id);
        } else {
            self.refuse(now, server, &request, 200, &[]);
            self.emit(Event::Pracked { leg: id, answer: None });
            self.advance(now, id);
        }
    }

    /// The PRACK of an offer of ours: without an answer in it there is nothing to talk in.
    fn on_pracked_answer(
        &mut self,
        now: Instant,
        id: LegId,
        (server, request): (ServerId, &Request),
        answer: Option<Sdp>,
    ) {
        self.refuse(now, server, request, 200, &[]);
        let Some(leg) = self.legs.get_mut(&id) else { return };
        if answer.is_none() {
            return self.reject(now, id, &Queued::plain(488), Why::NoAnswer);
        }
        if let Phase::Ringing(ringing) = &mut leg.phase {
            ringing.agreed = true;
        }
        leg.heard = answer.clone();
        self.emit(Event::Pracked { leg: id, answer });
        self.advance(now, id);
    }

    /// Sends what waited for the PRACK, up to the next response that must be acknowledged itself.
    pub(crate) fn advance(&mut self, now: Instant, id: LegId) {
        loop {
            let Some(leg) = self.legs.get_mut(&id) else { return };
            let Phase::Ringing(ringing) = &mut leg.phase else { return };
            if ringing.pending.is_some() || leg.asked.is_some() {
                break;
            }
            let Some(queued) = ringing.queue.pop_front() else { break };
            self.say(now, id, queued);
        }
        self.file(id);
    }

    /// Sends a 2xx and keeps it until its ACK; `first`: to the INVITE of the dialog, `offers`: with an
    /// offer of ours, so that the ACK must hold the answer.
    pub(crate) fn accept(
        &mut self,
        now: Instant,
        id: LegId,
        invited: &Invited,
        queued: &Queued,
        (first, offers): (bool, bool),
    ) {
        let own = self.agree_on_session(now, id, invited.request.message());
        let own = borrowed(&own);
        let Some(remote) = self.transactions.reply_to(invited.server) else { return };
        let Some(listener) = self.config.listener(remote.listener) else { return };
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let tag = leg.dialog.local_tag.clone();
        let (headers, body) = (&queued.headers, queued.body.as_ref());
        let reply = Reply { own: &own, headers, body, ..Reply::plain(queued.status, &tag) };
        let standing = &leg.dialog.standing;
        let octets = compose::response(&self.config, listener, &invited.request, &reply, standing);
        leg.unacked = Some(Unacked {
            server: invited.server,
            cseq: invited.request.cseq(),
            interval: self.config.timers.t1,
            offers,
            first,
            quiet: false,
        });
        self.transactions.respond(now, invited.server, queued.status, octets);
        self.await_ack(now, id);
    }
}

/// Does this response have to wait for a PRACK? None overtakes another one that waits.
fn must_wait(ringing: &Ringing, queued: &Queued) -> bool {
    let Some(pending) = &ringing.pending else { return !ringing.queue.is_empty() };
    let accepts = queued.status >= 200;
    !ringing.queue.is_empty()
        || (accepts && pending.described)
        || (!accepts && is_reliable(ringing, queued))
}

/// Must this provisional response be acknowledged (RFC 3262 §3, row A-08)?
fn is_reliable(ringing: &Ringing, queued: &Queued) -> bool {
    ringing.requires || (ringing.supports && queued.body.is_some())
}
