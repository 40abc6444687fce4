//! The endpoint itself: what it owns, and the small steps that everything else is made of.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::{Duration, Instant};

use super::command::CommandError;
use super::compose::{self, Outgoing, Reply};
use super::config::{Config, Listener};
use super::event::{Event, ForkId, LegId, PingId, Why};
use super::leg::{Errand, Leg, Phase, SentAck};
use crate::auth::guard::Guard;
use crate::auth::rewrite::authorised;
use crate::dialog::Dialog;
use crate::network::{ListenerId, Remote, Transmit};
use crate::registration::{Account, RegistrationId};
use crate::timer::{Agenda, Alarm};
use crate::token::Tokens;
use crate::transaction::layer::{ClientId, ServerId, Transactions};
use crate::wire::build::Body;
use crate::wire::header::Header;
use crate::wire::method::Method;
use crate::wire::request::Request;

/// Whose a client transaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    Leg(LegId),
    Ping(PingId),
    Registration(RegistrationId),
}

/// A request to be sent in a dialog.
pub(crate) struct Sending<'a> {
    pub(crate) method: Method,
    /// The early dialog it is for, if not the leg's own.
    pub(crate) fork: Option<ForkId>,
    pub(crate) own: &'a [(&'static str, &'a [u8])],
    pub(crate) headers: &'a [Header],
    pub(crate) body: Option<&'a Body>,
}

impl Sending<'_> {
    /// A request without anything special.
    pub(crate) fn plain(method: Method) -> Sending<'static> {
        Sending { method, fork: None, own: &[], headers: &[], body: None }
    }
}

/// All SIP of one node, without a socket, a clock or a source of chance.
///
/// Feed it with [`Endpoint::receive`], [`Endpoint::handle_timeout`] and the commands; after each of
/// them take everything from [`Endpoint::poll_transmit`] and [`Endpoint::poll_event`], then ask
/// [`Endpoint::poll_timeout`] when to come back.
pub struct Endpoint {
    pub(crate) config: Config,
    pub(crate) tokens: Tokens,
    pub(crate) transactions: Transactions<Owner>,
    pub(crate) legs: BTreeMap<LegId, Box<Leg>>,
    /// Our tag, which is part of every request of a dialog, leads to its leg.
    pub(crate) tags: BTreeMap<Vec<u8>, LegId>,
    pub(crate) agenda: Agenda<LegId>,
    pub(crate) events: VecDeque<Event>,
    pub(crate) draining: bool,
    pub(crate) counter: u64,
    /// Legs that are over and only wait for late responses.
    pub(crate) over: usize,
    pub(crate) accounts: BTreeMap<RegistrationId, Account>,
    pub(crate) refreshes: Agenda<RegistrationId>,
    /// Challenges of ours.
    pub(crate) guard: Guard,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({} legs, {} transactions)", self.legs.len(), self.transactions.len())
    }
}

impl Endpoint {
    /// An endpoint. Branches, tags and Call-IDs follow from the seed, which must be secret and
    /// never be used twice.
    pub fn new(config: Config, seed: [u8; 32]) -> Endpoint {
        let transactions = Transactions::new(config.timers, config.max_transactions);
        Endpoint {
            config,
            tokens: Tokens::new(seed),
            transactions,
            legs: BTreeMap::new(),
            tags: BTreeMap::new(),
            agenda: Agenda::new(),
            events: VecDeque::new(),
            draining: false,
            counter: 0,
            over: 0,
            accounts: BTreeMap::new(),
            refreshes: Agenda::new(),
            guard: Guard::new(&seed),
        }
    }

    /// While draining, OPTIONS is answered 503, so that peers look elsewhere (row R-18). New INVITEs
    /// are still reported: whether a call is an emergency is not this layer's to say.
    pub fn set_draining(&mut self, draining: bool) {
        self.draining = draining;
    }

    /// The next message to send. May change after any call that takes `now`.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transactions.poll_transmit()
    }

    /// The next report. May change after any call that takes `now`.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When to call [`Endpoint::handle_timeout`]. May change after any call that takes `now`.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let timers = [self.transactions.next_timeout(), self.agenda.next(), self.next_renewal()];
        timers.into_iter().flatten().min()
    }

    /// The Call-ID of a leg, as its peer knows it.
    pub fn call_id(&self, leg: LegId) -> Option<&[u8]> {
        self.legs.get(&leg).map(|leg| &leg.dialog.call_id[..])
    }

    /// How many legs are held, those included that only wait for late responses.
    pub fn legs(&self) -> usize {
        self.legs.len()
    }

    /// How many legs have not ended.
    pub fn live_legs(&self) -> usize {
        self.legs.len().saturating_sub(self.over)
    }

    /// How many transactions are held.
    pub fn transactions(&self) -> usize {
        self.transactions.len()
    }

    /// Is everything over and forgotten: no leg, no transaction, no name of one, no deadline?
    pub fn is_idle(&self) -> bool {
        self.legs.is_empty()
            && self.accounts.is_empty()
            && self.tags.is_empty()
            && self.transactions.is_idle()
            && self.poll_timeout().is_none()
    }

    pub(crate) fn emit(&mut self, event: Event) {
        self.events.push_back(event);
    }

    pub(crate) fn next_number(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    pub(crate) fn listener(&self, id: ListenerId) -> Result<Listener, CommandError> {
        self.config.listener(id).ok_or(CommandError::UnknownListener)
    }

    /// A leg that is not over.
    pub(crate) fn live(&mut self, id: LegId) -> Result<&mut Leg, CommandError> {
        match self.legs.get_mut(&id) {
            Some(leg) if !matches!(leg.phase, Phase::Over) => Ok(leg),
            Some(_) | None => Err(CommandError::UnknownLeg),
        }
    }

    /// Files the leg's next deadline.
    pub(crate) fn file(&mut self, id: LegId) {
        let at = self.legs.get(&id).and_then(|leg| leg.alarms.next());
        self.agenda.file(id, at);
    }

    /// Answers a request in its server transaction.
    pub(crate) fn reply(
        &mut self,
        now: Instant,
        server: ServerId,
        request: &Request,
        reply: &Reply<'_>,
    ) {
        let Some(remote) = self.transactions.reply_to(server) else { return };
        if let Some(listener) = self.config.listener(remote.listener) {
            let standing = self.standing(request, reply);
            let octets = compose::response(&self.config, listener, request, reply, standing);
            self.transactions.respond(now, server, reply.status, octets);
        }
    }

    /// Answers a request outside a dialog, or one that ours knows nothing of, with a fresh tag.
    pub(crate) fn refuse(
        &mut self,
        now: Instant,
        server: ServerId,
        request: &Request,
        status: u16,
        own: &[(&'static str, &[u8])],
    ) {
        let tag = self.tokens.token();
        self.reply(now, server, request, &Reply { own, ..Reply::plain(status, tag.as_bytes()) });
    }

    /// Sends the next request of the dialog, or of an early one, and counts it on the leg.
    pub(crate) fn send_in_dialog(
        &mut self,
        now: Instant,
        id: LegId,
        sending: Sending<'_>,
    ) -> Option<ClientId> {
        let branch = self.tokens.branch();
        let leg = self.legs.get_mut(&id)?;
        let listener = self.config.listener(leg.peer.listener)?;
        let peer = leg.peer;
        let dialog = leg.dialog_at(sending.fork);
        let parts = Outgoing {
            method: sending.method,
            cseq: dialog.next_cseq(),
            branch: &branch,
            max_forwards: 70,
            own: sending.own,
            headers: sending.headers,
            body: sending.body,
        };
        let octets = compose::request(&self.config, listener, dialog, &parts);
        let way = dialog.next_hop(peer);
        let (octets, stream) = (authorised(leg.wallet.as_deref_mut(), octets), leg.stream);
        let client = self.send_sized(now, Owner::Leg(id), (way, stream), octets)?;
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.clients += 1;
        }
        Some(client)
    }

    /// Sends a request that is neither INVITE nor BYE; what comes of it is its errand's business.
    pub(crate) fn send_errand(
        &mut self,
        now: Instant,
        id: LegId,
        errand: Errand,
        sending: Sending<'_>,
    ) -> Option<ClientId> {
        let client = self.send_in_dialog(now, id, sending)?;
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.errands.push((client, errand));
        }
        Some(client)
    }

    /// Acknowledges a 2xx in the given dialog and remembers the ACK (rows, B-17).
    pub(crate) fn acknowledge(&mut self, id: LegId, dialog: &Dialog, cseq: u32) {
        let branch = self.tokens.branch();
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let Some(listener) = self.config.listener(leg.peer.listener) else { return };
        let parts = Outgoing {
            method: Method::ACK,
            cseq,
            branch: &branch,
            max_forwards: 70,
            own: &[],
            headers: &[],
            body: None,
        };
        let octets = compose::request(&self.config, listener, dialog, &parts);
        let octets = authorised(leg.wallet.as_deref_mut(), octets);
        let way = dialog.next_hop(leg.peer);
        leg.remember(SentAck { cseq, tag: dialog.remote_tag.clone(), way, octets: octets.clone() });
        self.transactions.transmit(way, octets);
    }

    /// Sends BYE; the end is reported when it is answered or nobody will.
    pub(crate) fn close(&mut self, now: Instant, id: LegId, why: Why, headers: &[Header]) {
        self.abandon(now, id);
        let sending = Sending { headers, ..Sending::plain(Method::BYE) };
        match self.send_in_dialog(now, id, sending) {
            Some(client) => {
                if let Some(leg) = self.legs.get_mut(&id) {
                    leg.phase = Phase::Closing(client, why);
                }
            }
            None => self.finish(id, Event::Ended { leg: id, why }),
        }
    }

    /// Lets go of everything outstanding in the dialog: no offer outlives the call (row B-14).
    pub(crate) fn abandon(&mut self, now: Instant, id: LegId) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        leg.alarms.clear();
        leg.unacked = None;
        leg.bye_after_ack = None;
        leg.next = None;
        if let Some(client) = leg.asking.take().and_then(|asking| asking.client) {
            self.transactions.forsake(now, client);
        }
        let tag = leg.dialog.local_tag.clone();
        leg.ticking = None;
        let asked = leg.asked.take().map(|asked| (asked.server, asked.request));
        let asks = std::mem::take(&mut leg.asks);
        self.file(id);
        let asks = asks.into_iter().map(|asked| (asked.server, asked.request));
        for (server, request) in asked.into_iter().chain(asks) {
            self.reply(now, server, &request, &Reply::plain(487, &tag));
        }
    }

    /// The leg is over: one last report, and it is gone when its transactions are.
    pub(crate) fn finish(&mut self, id: LegId, last: Event) {
        if let Ok(leg) = self.live(id) {
            leg.phase = Phase::Over;
            leg.alarms.clear();
            self.over += 1;
            self.events.push_back(last);
        }
        self.file(id);
        self.reap(id);
    }

    /// Forgets a leg that is over and has no transaction left.
    pub(crate) fn reap(&mut self, id: LegId) {
        let leg = self.legs.get(&id);
        if leg.is_some_and(|leg| leg.clients == 0 && matches!(leg.phase, Phase::Over))
            && let Some(leg) = self.legs.remove(&id)
        {
            self.over = self.over.saturating_sub(1);
            self.tags.remove(&leg.dialog.local_tag);
            self.agenda.file(id, None);
        }
    }

    /// Starts to wait for the ACK of a 2xx (RFC 3261 §13.3.1.4).
    pub(crate) fn await_ack(&mut self, now: Instant, id: LegId) {
        let timers = self.config.timers;
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.alarms.set(Alarm::Retransmit, now + timers.t1);
            leg.alarms.set(Alarm::GiveUp, now + timers.patience());
        }
        self.file(id);
    }

    /// 0 to 10 seconds, as Retry-After asks for (rows B-08, O-01).
    pub(crate) fn retry_after(&mut self) -> String {
        self.tokens.below(11).to_string()
    }

    /// How long to wait before offering again after a crossing (RFC 3261 §14.1, row B-07).
    pub(crate) fn glare_wait(&mut self, opened: bool) -> Duration {
        let (low, high) = if opened { (2100, 4000) } else { (0, 2000) };
        self.tokens.between(Duration::from_millis(low), Duration::from_millis(high))
    }

    /// An address to send to through a listener.
    pub(crate) fn remote(
        &self,
        listener: ListenerId,
        address: std::net::SocketAddr,
    ) -> Result<Remote, CommandError> {
        let transport = self.listener(listener)?.transport;
        Ok(Remote { address, listener, transport })
    }
}
