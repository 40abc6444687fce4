//! The two doors: datagrams and the passing of time.

use std::time::Instant;

use super::compose;
use super::core::Endpoint;
use super::event::{Event, LegId, Why};
use super::leg::{Phase, Queued};
use super::reliable::REFRESH;
use crate::network::Remote;
use crate::timer::Alarm;
use crate::transaction::layer::{Arrival, ClientId};
use crate::wire::message::{Fault, Message, Start};
use crate::wire::method::Method;
use crate::wire::parse::parse;
use crate::wire::request::{Request, top_via};

impl Endpoint {
    /// Takes one datagram, or one message that [`crate::stream::Framer`] cut out of a stream. What is
    /// no SIP message, and a response that nobody asked for, leaves no trace.
    pub fn receive(&mut self, now: Instant, source: Remote, datagram: &[u8]) {
        if self.config.listener(source.listener).is_none() {
            return;
        }
        let Ok(mut message) = parse(datagram) else { return };
        if source.transport.is_reliable() {
            message.must_state_its_length();
        }
        match message.start() {
            Start::Response { .. } => {
                // RFC 3261 §8.1.3.3: a response with another Via than ours is misrouted.
                if message.fault().is_none()
                    && message.list("Via").len() == 1
                    && let Some(passed) = self.transactions.response(now, &message)
                {
                    self.on_response(now, &passed, message);
                }
            }
            Start::Request { .. } => match Request::read(message) {
                Ok(request) => self.on_request(now, source, request),
                Err(refused) => self.on_fault(source, refused.0, &refused.1),
            },
        }
    }

    fn on_request(&mut self, now: Instant, source: Remote, mut request: Request) {
        request.via.stamp(source.address);
        if *request.method() == Method::ACK {
            if !self.transactions.ack(now, &request) {
                self.on_ack(now, &request);
            }
            return;
        }
        match self.transactions.request(&request, source) {
            Arrival::Repeated => {}
            Arrival::Full => {
                let tag = self.tokens.token();
                let via = request.via.to_wire();
                let status = (503, "Service Unavailable");
                let octets = compose::refusal(status, request.message(), &via, &tag, &[]);
                self.transactions.transmit(request.via.reply_to(source), octets);
            }
            Arrival::Merged(server) => self.refuse(now, server, &request, 482, &[]),
            Arrival::New(server) if *request.method() == Method::CANCEL => {
                self.on_cancel(now, server, request)
            }
            Arrival::New(server) if request.to().tag().is_some() => {
                self.on_inside(now, server, request)
            }
            Arrival::New(server) => self.on_outside(now, source, server, request),
        }
    }

    /// A request that cannot be read is answered without state; an ACK never is.
    fn on_fault(&mut self, source: Remote, fault: Fault, message: &Message) {
        let Ok(mut via) = top_via(message) else { return };
        if message.method().is_none_or(|method| *method == Method::ACK) {
            return;
        }
        via.stamp(source.address);
        let (status, tag) = (if fault == Fault::Version { 505 } else { 400 }, self.tokens.token());
        let status = (status, &*fault.to_string());
        let octets = compose::refusal(status, message, &via.to_wire(), &tag, &[]);
        self.transactions.transmit(via.reply_to(source), octets);
    }

    /// Does everything that is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(lapse) = self.transactions.timeout(now) {
            self.on_lapse(now, lapse);
        }
        while let Some(id) = self.agenda.due(now) {
            let alarm = self.legs.get_mut(&id).and_then(|leg| leg.alarms.take_due(now));
            self.file(id);
            if let Some(alarm) = alarm {
                self.on_alarm(now, id, alarm);
            }
        }
        self.renew(now);
    }

    fn on_alarm(&mut self, now: Instant, id: LegId, alarm: Alarm) {
        let rings = self.legs.get(&id).is_some_and(|leg| matches!(leg.phase, Phase::Ringing(_)));
        match alarm {
            Alarm::Retransmit if rings => self.repeat_ringing(now, id),
            Alarm::Retransmit => self.repeat_accept(now, id),
            Alarm::GiveUp if rings => self.ring_in_vain(now, id),
            Alarm::GiveUp => self.accept_in_vain(now, id),
            Alarm::Offer => self.offer_again(now, id),
            Alarm::Refresh => self.refresh_ringing(now, id),
            Alarm::Expire => {
                let last = Event::Ended { leg: id, why: Why::Expired };
                self.end_ringing(now, id, &Queued::plain(487), last);
            }
            Alarm::Renew => self.refresh_session(now, id),
            Alarm::Lapse => self.lapse(now, id),
            Alarm::Linger => {}
        }
    }

    /// Nobody acknowledges our 2xx: the call is over, whatever becomes of its BYE (row A-04).
    fn accept_in_vain(&mut self, now: Instant, id: LegId) {
        self.close(now, id, Why::NoAck, &[]);
        self.finish(id, Event::Ended { leg: id, why: Why::NoAck });
    }

    /// Row A-04: the 2xx again, T1 doubling to T2.
    fn repeat_accept(&mut self, now: Instant, id: LegId) {
        let timers = self.config.timers;
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let Some(unacked) = leg.unacked.as_mut() else { return };
        unacked.interval = timers.longer(unacked.interval);
        leg.alarms.set(Alarm::Retransmit, now + unacked.interval);
        self.transactions.repeat(unacked.server);
        self.file(id);
    }

    fn refresh_ringing(&mut self, now: Instant, id: LegId) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        match &leg.phase {
            Phase::Ringing(ringing) => {
                let server = ringing.invited.server;
                leg.alarms.set(Alarm::Refresh, now + REFRESH);
                self.transactions.refresh(server);
            }
            Phase::Calling(_) | Phase::Up | Phase::Closing(..) | Phase::Over => {}
        }
        self.file(id);
    }

    /// The shell could not reach an address (ICMP, a broken connection): requests to it that nobody
    /// has answered yet are given up at once (row R-16), or sent in a datagram if only their size made
    /// them go by a stream (row R-15).
    pub fn unreachable(&mut self, now: Instant, remote: Remote) {
        for client in self.transactions.waiting(remote) {
            self.lose(now, client);
        }
    }

    /// A connection that both sides have used is over, and messages to `asked` went by it. A request
    /// that nobody has answered yet may never have been read: it goes out again, octet for octet, by
    /// another connection, and so does a rejection without its ACK. What the shell then says of
    /// [`Endpoint::unreachable`] is the end of it. Other responses and ACKs are repeated by the rules
    /// of their own (RFC 3261 §13.3.1.4, §13.2.2.4), or by whoever still holds them in a queue.
    pub fn severed(&mut self, now: Instant, connection: Remote, asked: &[Remote]) {
        for client in
            asked.iter().flat_map(|remote| self.transactions.waiting(*remote)).collect::<Vec<_>>()
        {
            if !self.transactions.moves(client) {
                self.lose(now, client);
            }
        }
        self.transactions.reject_again(connection);
    }

    fn lose(&mut self, now: Instant, client: ClientId) {
        if let Some(lapse) = self.transactions.lost(now, client) {
            self.on_lapse(now, lapse);
        }
    }
}
