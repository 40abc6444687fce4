//! Requests inside a dialog: ACK, BYE, re-INVITE, INFO, OPTIONS, and strangers.

use std::sync::Arc;
use std::time::Instant;

use super::compose::{ACCEPT_INFO, ALLOW};
use super::core::Endpoint;
use super::event::{Event, LegId, Sdp, Why};
use super::incoming::abilities;
use super::leg::{Phase, Queued};
use crate::timer::Alarm;
use crate::transaction::layer::ServerId;
use crate::wire::body::media_type;
use crate::wire::method::Method;
use crate::wire::request::Request;

impl Endpoint {
    /// The leg that an in-dialog request means.
    fn party(&self, request: &Request) -> Option<LegId> {
        let id = self.tags.get(request.to().tag()?)?;
        let leg = self.legs.get(id).filter(|leg| !matches!(leg.phase, Phase::Over))?;
        leg.is_party(request).then_some(*id)
    }

    /// A request with a To tag that is no ACK and no CANCEL.
    pub(crate) fn on_inside(&mut self, now: Instant, server: ServerId, request: Request) {
        // Rows B-25, O-04: who is not in a call with us hears so.
        let Some(id) = self.party(&request) else {
            self.refuse(now, server, &request, 481, &[]);
            return;
        };
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let fork = leg.fork(request.from().tag()).map(|early| early.id);
        let calling = matches!(leg.phase, Phase::Calling(_));
        let fork = fork.filter(|_| calling);
        // A place that has not rung can only have answered and hung up.
        if calling && fork.is_none() && *request.method() != Method::BYE {
            self.refuse(now, server, &request, 481, &[]);
            return;
        }
        let in_order = leg.dialog_at(fork).in_order(request.cseq());
        if !in_order {
            self.refuse(now, server, &request, 500, &[]);
            return;
        }
        // A call can always be ended, whatever its BYE requires.
        if *request.method() != Method::BYE && self.requires_unknown(now, server, &request) {
            return;
        }
        match request.method().clone() {
            Method::BYE => self.on_bye(now, id, server, request),
            Method::INVITE => self.on_reinvite(now, id, server, request),
            Method::OPTIONS => {
                let session = self.legs.get(&id).and_then(|leg| leg.session);
                self.refuse(now, server, &request, 200, &abilities(session));
            }
            Method::INFO => self.on_info(now, id, server, request),
            Method::PRACK => self.on_prack(now, id, server, request),
            Method::UPDATE => self.on_update(now, id, server, request, fork),
            Method::REFER => self.on_asked(now, id, server, request),
            Method::NOTIFY if self.legs.get(&id).is_some_and(|leg| leg.refers) => {
                self.on_asked(now, id, server, request);
            }
            // No other subscription of ours is ever open.
            Method::NOTIFY => self.refuse(now, server, &request, 481, &[]),
            Method::Known(_) => self.refuse(now, server, &request, 405, &[("Allow", ALLOW)]),
            Method::Extension(_) => self.refuse(now, server, &request, 501, &[("Allow", ALLOW)]),
        }
    }

    fn on_bye(&mut self, now: Instant, id: LegId, server: ServerId, request: Request) {
        self.refuse(now, server, &request, 200, &[]);
        let Some(leg) = self.legs.get_mut(&id) else { return };
        match &mut leg.phase {
            // Row B-13: our own BYE is out; its answer ends the leg.
            Phase::Closing(..) | Phase::Over => return,
            // Row B-16.
            Phase::Ringing(_) => {
                let last = Event::Bye { leg: id, request: Arc::new(request) };
                return self.end_ringing(now, id, &Queued::plain(487), last);
            }
            // The 2xx that this BYE follows is lost or late: it is turned away when it comes.
            Phase::Calling(calling) => {
                calling.cancel.get_or_insert_default();
                self.send_cancel(now, id);
            }
            Phase::Up => self.abandon(now, id),
        }
        self.finish(id, Event::Bye { leg: id, request: Arc::new(request) });
    }

    /// Rows D-13 to D-15.
    fn on_info(&mut self, now: Instant, id: LegId, server: ServerId, request: Request) {
        let message = request.message();
        let kind =
            message.first("Content-Type").map(|kind| media_type(kind).0.to_ascii_lowercase());
        let digits = match kind.as_deref() {
            _ if message.body().is_empty() => false,
            Some(b"application/dtmf-relay" | b"application/dtmf") => true,
            Some(_) | None => {
                self.refuse(now, server, &request, 415, &[("Accept", ACCEPT_INFO)]);
                return;
            }
        };
        if message.first("Info-Package").is_some() {
            // RFC 6086 §4.2.2: a package that we never said we receive.
            self.refuse(now, server, &request, 469, &[("Recv-Info", b"")]);
            return;
        }
        self.refuse(now, server, &request, 200, &[]);
        if digits {
            self.emit(Event::Info { leg: id, request: Arc::new(request) });
        }
    }

    /// The ACK of a 2xx of ours. One that acknowledges nothing outstanding is a retransmission.
    pub(crate) fn on_ack(&mut self, now: Instant, request: &Request) {
        let Some(id) = self.party(request) else { return };
        let Some(leg) = self.legs.get_mut(&id) else { return };
        if leg.unacked.as_ref().is_none_or(|unacked| unacked.cseq != request.cseq()) {
            return;
        }
        let Some(unacked) = leg.unacked.take() else { return };
        self.transactions.acknowledged(unacked.server);
        leg.alarms.stop(Alarm::Retransmit);
        leg.alarms.stop(Alarm::GiveUp);
        let bye = leg.bye_after_ack.take();
        let answer = Sdp::of(request.message()).filter(|_| unacked.offers);
        if answer.is_some() {
            leg.heard = answer.clone();
        }
        self.file(id);
        match bye {
            Some(headers) => self.close(now, id, Why::HungUp, &headers),
            // Row A-03: no media without an answer. A re-INVITE's missing answer changes nothing.
            None if unacked.offers && unacked.first && answer.is_none() => {
                self.close(now, id, Why::NoAnswer, &[]);
            }
            None if unacked.quiet => {}
            None => self.emit(Event::Acked { leg: id, answer }),
        }
    }
}
