//! All transactions of an endpoint: matching, retransmission, limits, one agenda.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use super::client::{self, Client, Heard, Kind};
use super::hop;
use super::key::{ClientKey, MergeKey, ServerKey};
use super::server::{self, Server};
use crate::network::{Remote, Transmit, Way};
use crate::timer::{Agenda, Timers};
use crate::wire::glance;
use crate::wire::header::Header;
use crate::wire::message::Message;
use crate::wire::method::Method;
use crate::wire::parse::parse;
use crate::wire::request::{Request, cseq, top_via};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ClientId(u64);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ServerId(u64);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Who {
    Client(ClientId),
    Server(ServerId),
}

pub(super) struct ClientEntry<O> {
    pub(super) machine: Client,
    pub(super) owner: O,
    pub(super) way: Way,
    /// All of it, for as long as it may be sent again, acknowledged, cancelled or asked for.
    pub(super) request: Box<[u8]>,
    pub(super) method: Method,
    key: ClientKey,
    /// The same request as a datagram, in case the stream it went by cannot be reached.
    pub(super) spare: Option<Box<(Way, Vec<u8>)>>,
    /// How often it was sent again with credentials.
    tries: u8,
    /// How often it was sent again because the connection it went by has ended.
    pub(super) moved: u8,
}

pub(super) struct ServerEntry<O> {
    pub(super) machine: Server,
    owner: Option<O>,
    pub(super) reply_to: Way,
    /// The last response, for as long as it may be sent again.
    pub(super) last: Option<Box<[u8]>>,
    key: ServerKey,
    merge: Option<MergeKey>,
}

/// A response that the user of a client transaction sees.
#[derive(Debug)]
pub(crate) struct Passed<O> {
    pub(crate) client: ClientId,
    pub(crate) owner: O,
    pub(crate) method: Method,
}

/// What became of an incoming request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// The first of its transaction.
    New(ServerId),
    /// A retransmission; the last response went out again if there was one.
    Repeated,
    /// The same request over another way (482, RFC 3261 §8.2.2.2).
    Merged(ServerId),
    /// The limit is reached (503).
    Full,
}

/// What the passing of time did to a client transaction.
#[derive(Debug)]
pub(crate) enum Lapse<O> {
    /// Nobody answered.
    GaveUp { client: ClientId, owner: O, method: Method },
    /// It is over; its owner holds one transaction less.
    Over { owner: O },
}

/// The transactions and what they want to send.
pub(crate) struct Transactions<O> {
    pub(super) timers: Arc<Timers>,
    limit: usize,
    counter: u64,
    /// Each in a place of its own: the tree's nodes are half empty, as numbers only rise.
    pub(super) clients: BTreeMap<ClientId, Box<ClientEntry<O>>>,
    client_keys: BTreeMap<ClientKey, ClientId>,
    pub(super) servers: BTreeMap<ServerId, Box<ServerEntry<O>>>,
    server_keys: BTreeMap<ServerKey, ServerId>,
    merges: BTreeMap<MergeKey, ServerId>,
    pub(super) agenda: Agenda<Who>,
    pub(super) out: VecDeque<Transmit>,
}

impl<O: Copy> Transactions<O> {
    pub(crate) fn new(timers: Timers, limit: usize) -> Transactions<O> {
        Transactions {
            timers: Arc::new(timers),
            limit,
            counter: 0,
            clients: BTreeMap::new(),
            client_keys: BTreeMap::new(),
            servers: BTreeMap::new(),
            server_keys: BTreeMap::new(),
            merges: BTreeMap::new(),
            agenda: Agenda::new(),
            out: VecDeque::new(),
        }
    }

    pub(crate) fn poll_transmit(&mut self) -> Option<Transmit> {
        self.out.pop_front()
    }

    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        self.agenda.next()
    }

    /// How many transactions there are.
    pub(crate) fn len(&self) -> usize {
        self.clients.len() + self.servers.len()
    }

    /// Is nothing held, neither a transaction nor a key of one?
    pub(crate) fn is_idle(&self) -> bool {
        self.len() == 0
            && self.client_keys.is_empty()
            && self.server_keys.is_empty()
            && self.merges.is_empty()
    }

    /// Sends outside any transaction: the ACK of a 2xx, a 2xx again, a stateless response.
    pub(crate) fn transmit(&mut self, way: impl Into<Way>, octets: Vec<u8>) {
        let Way { remote, over, alias } = way.into();
        self.out.push_back(Transmit { remote, over, alias, octets });
    }

    /// Sends a request of ours in a transaction of its own. `None` when the octets are no request
    /// of ours, which would be a fault of the composer.
    pub(crate) fn send(
        &mut self,
        now: Instant,
        owner: O,
        way: impl Into<Way>,
        octets: Vec<u8>,
    ) -> Option<ClientId> {
        let way = way.into();
        let (method, branch) = glance::of_own(&octets)?;
        let (key, request) = (ClientKey::new(branch, &method), octets.as_slice().into());
        let kind = if method == Method::INVITE { Kind::Invite } else { Kind::Other };
        let reliable = way.remote.transport.is_reliable();
        let machine = Client::new(now, kind, reliable, Arc::clone(&self.timers));
        self.counter += 1;
        let id = ClientId(self.counter);
        self.client_keys.insert(key.clone(), id);
        self.agenda.file(Who::Client(id), machine.next_timeout());
        let (spare, tries, moved) = (None, 0, 0);
        let entry = ClientEntry { machine, owner, way, request, method, key, spare, tries, moved };
        self.clients.insert(id, Box::new(entry));
        self.transmit(way, octets);
        Some(id)
    }

    /// The way a request takes when the stream it went by cannot be reached (RFC 3261 §18.1.1).
    pub(crate) fn keep_spare(&mut self, client: ClientId, way: Way, octets: Vec<u8>) {
        if let Some(entry) = self.clients.get_mut(&client) {
            entry.spare = Some(Box::new((way, octets)));
        }
    }

    /// The request of a transaction of ours that was not accepted, where it went, and how often it has
    /// been sent again.
    pub(crate) fn asked(&self, client: ClientId) -> Option<(Message, Way, u8)> {
        let entry = self.clients.get(&client)?;
        Some((parse(&entry.request).ok()?, entry.way, entry.tries))
    }

    /// Lets a request that was sent again take over the name of the one that was refused, so that
    /// who waits for the one hears of the other.
    pub(crate) fn succeed(&mut self, old: ClientId, new: ClientId) {
        let Some(refused) = self.clients.remove(&old) else { return };
        let Some(mut again) = self.clients.remove(&new) else { return };
        again.tries = refused.tries.saturating_add(1);
        for (id, entry) in [(old, again), (new, refused)] {
            self.client_keys.insert(entry.key.clone(), id);
            self.agenda.file(Who::Client(id), entry.machine.next_timeout());
            self.clients.insert(id, entry);
        }
    }

    /// Cancels an INVITE that has had a provisional response and no final one. `None` when there
    /// is nothing left to cancel.
    pub(crate) fn cancel(
        &mut self,
        now: Instant,
        invite: ClientId,
        headers: &[Header],
    ) -> Option<ClientId> {
        let entry = self.clients.get_mut(&invite).filter(|entry| entry.machine.is_open())?;
        entry.machine.forsake(now);
        let (owner, way) = (entry.owner, entry.way);
        let octets = parse(&entry.request).map(|invite| hop::cancel(&invite, headers));
        self.agenda.file(Who::Client(invite), entry.machine.next_timeout());
        self.send(now, owner, way, octets.ok()?)
    }

    /// Nobody needs the final response of this INVITE any more: it is not waited for beyond 64*T1.
    pub(crate) fn forsake(&mut self, now: Instant, invite: ClientId) {
        if let Some(entry) = self.clients.get_mut(&invite).filter(|entry| entry.machine.is_open()) {
            entry.machine.forsake(now);
            self.agenda.file(Who::Client(invite), entry.machine.next_timeout());
        }
    }

    /// Takes a response; `None` when it belongs to nothing or is absorbed.
    pub(crate) fn response(&mut self, now: Instant, response: &Message) -> Option<Passed<O>> {
        let status = response.status()?;
        let method = Method::parse(cseq(response).ok()?.1)?;
        let key = ClientKey::new(top_via(response).ok()?.branch()?, &method);
        let client = *self.client_keys.get(&key)?;
        let entry = self.clients.get_mut(&client)?;
        let heard = entry.machine.response(now, status);
        self.agenda.file(Who::Client(client), entry.machine.next_timeout());
        let passed = Passed { client, owner: entry.owner, method };
        if (200..300).contains(&status) {
            // Its answers are waited for until others can have come, but it is never needed again.
            entry.request = Box::default();
        }
        match heard {
            Heard::Pass => Some(passed),
            Heard::Absorb => None,
            Heard::PassAndAck | Heard::AckAgain => {
                let invite = parse(&entry.request).ok()?;
                let (way, octets) = (entry.way, hop::ack(&invite, response));
                self.transmit(way, octets);
                (heard == Heard::PassAndAck).then_some(passed)
            }
        }
    }

    /// Takes a request that is no ACK.
    pub(crate) fn request(&mut self, request: &Request, source: Remote) -> Arrival {
        let key = ServerKey::own(request);
        if let Some(entry) = self.server_keys.get(&key).and_then(|id| self.servers.get(id)) {
            if let Some(last) = entry.last.as_deref().filter(|_| entry.machine.repeated()) {
                let (way, octets) = (entry.reply_to, last.to_vec());
                self.transmit(way, octets);
            }
            return Arrival::Repeated;
        }
        if self.len() >= self.limit {
            return Arrival::Full;
        }
        let merge = MergeKey::of(request).filter(|_| *request.method() != Method::CANCEL);
        let merged = merge.as_ref().is_some_and(|merge| self.merges.contains_key(merge));
        self.counter += 1;
        let id = ServerId(self.counter);
        let kind = if *request.method() == Method::INVITE { Kind::Invite } else { Kind::Other };
        let reliable = source.transport.is_reliable();
        let machine = Server::new(kind, reliable, Arc::clone(&self.timers));
        let merge = merge.filter(|_| !merged);
        if let Some(merge) = &merge {
            self.merges.insert(merge.clone(), id);
        }
        let reply_to = request.via.reply_to(source);
        self.server_keys.insert(key.clone(), id);
        let entry = ServerEntry { machine, owner: None, reply_to, last: None, key, merge };
        self.servers.insert(id, Box::new(entry));
        if merged { Arrival::Merged(id) } else { Arrival::New(id) }
    }

    /// Is there a request of ours with this branch, whatever its method?
    pub(crate) fn has_branch(&self, branch: &[u8]) -> bool {
        let first = ClientKey::first_of(branch);
        self.client_keys.range(&first..).next().is_some_and(|(found, _)| found.is_of(&first))
    }

    /// Whose request it is that has this branch.
    pub(crate) fn owner(&self, branch: &[u8], method: &Method) -> Option<O> {
        let client = self.client_keys.get(&ClientKey::new(branch, method))?;
        self.clients.get(client).map(|entry| entry.owner)
    }

    /// Has this request opened a transaction that still lives?
    pub(crate) fn is_known(&self, request: &Request) -> bool {
        self.server_keys.contains_key(&ServerKey::own(request))
    }

    /// Ties a server transaction to its user, for CANCEL.
    pub(crate) fn own(&mut self, server: ServerId, owner: O) {
        if let Some(entry) = self.servers.get_mut(&server) {
            entry.owner = Some(owner);
        }
    }

    /// The INVITE that a CANCEL means (RFC 3261 §9.2), and its user.
    pub(crate) fn cancelled(&self, cancel: &Request) -> Option<Option<O>> {
        let id = self.server_keys.get(&ServerKey::of_invite(cancel))?;
        self.servers.get(id).map(|entry| entry.owner)
    }

    /// Takes an ACK; `false` when it acknowledges a 2xx and is the dialog's.
    pub(crate) fn ack(&mut self, now: Instant, ack: &Request) -> bool {
        let Some(id) = self.server_keys.get(&ServerKey::of_invite(ack)).copied() else {
            return false;
        };
        let Some(entry) = self.servers.get_mut(&id) else { return false };
        let ours = entry.machine.ack(now);
        self.agenda.file(Who::Server(id), entry.machine.next_timeout());
        ours
    }

    /// Answers a request. `false` when a final response went out before.
    pub(crate) fn respond(
        &mut self,
        now: Instant,
        server: ServerId,
        status: u16,
        octets: Vec<u8>,
    ) -> bool {
        let Some(entry) = self.servers.get_mut(&server) else { return false };
        if !entry.machine.respond(now, status) {
            return false;
        }
        entry.last = Some(octets.as_slice().into());
        let way = entry.reply_to;
        self.agenda.file(Who::Server(server), entry.machine.next_timeout());
        self.transmit(way, octets);
        true
    }

    /// Sends the last response again, whatever state the transaction is in.
    pub(crate) fn repeat(&mut self, server: ServerId) {
        let entry = self.servers.get(&server);
        if let Some((way, octets)) =
            entry.and_then(|entry| Some((entry.reply_to, entry.last.as_ref()?.to_vec())))
        {
            self.transmit(way, octets);
        }
    }

    /// The 2xx of this transaction has its ACK: nobody asks for it any more (RFC 6026 §7.1).
    pub(crate) fn acknowledged(&mut self, server: ServerId) {
        if let Some(entry) = self.servers.get_mut(&server).filter(|entry| !entry.machine.repeated())
        {
            entry.last = None;
        }
    }

    /// Sends the last provisional response again (RFC 3261 §13.3.1.1).
    pub(crate) fn refresh(&mut self, server: ServerId) {
        if self.servers.get(&server).is_some_and(|entry| entry.machine.is_open()) {
            self.repeat(server);
        }
    }

    /// Where the response to a request goes.
    pub(crate) fn reply_to(&self, server: ServerId) -> Option<Remote> {
        self.way_back(server).map(|way| way.remote)
    }

    /// The same with the connection it came by.
    pub(crate) fn way_back(&self, server: ServerId) -> Option<Way> {
        self.servers.get(&server).map(|entry| entry.reply_to)
    }

    /// Does what is due at `now`; call until `None`.
    pub(crate) fn timeout(&mut self, now: Instant) -> Option<Lapse<O>> {
        while let Some(who) = self.agenda.due(now) {
            match who {
                Who::Client(id) => {
                    if let Some(lapse) = self.client_timeout(now, id) {
                        return Some(lapse);
                    }
                }
                Who::Server(id) => self.server_timeout(now, id),
            }
        }
        None
    }

    fn client_timeout(&mut self, now: Instant, id: ClientId) -> Option<Lapse<O>> {
        let Some(entry) = self.clients.get_mut(&id) else {
            self.agenda.file(Who::Client(id), None);
            return None;
        };
        let due = entry.machine.timeout(now);
        self.agenda.file(Who::Client(id), entry.machine.next_timeout());
        match due {
            Some(client::Due::Retransmit) => {
                let (way, octets) = (entry.way, entry.request.to_vec());
                self.transmit(way, octets);
                None
            }
            Some(client::Due::GaveUp) => {
                let entry = self.drop_client(id)?;
                Some(Lapse::GaveUp { client: id, owner: entry.owner, method: entry.method })
            }
            Some(client::Due::Over) => {
                let entry = self.drop_client(id)?;
                Some(Lapse::Over { owner: entry.owner })
            }
            None => None,
        }
    }

    pub(super) fn drop_client(&mut self, id: ClientId) -> Option<Box<ClientEntry<O>>> {
        let entry = self.clients.remove(&id)?;
        self.client_keys.remove(&entry.key);
        self.agenda.file(Who::Client(id), None);
        Some(entry)
    }

    fn server_timeout(&mut self, now: Instant, id: ServerId) {
        let Some(entry) = self.servers.get_mut(&id) else {
            self.agenda.file(Who::Server(id), None);
            return;
        };
        let due = entry.machine.timeout(now);
        self.agenda.file(Who::Server(id), entry.machine.next_timeout());
        match due {
            Some(server::Due::Retransmit) => {
                let way = entry.reply_to;
                if let Some(octets) = entry.last.as_ref().map(|last| last.to_vec()) {
                    self.transmit(way, octets);
                }
            }
            Some(server::Due::Over) => {
                if let Some(entry) = self.servers.remove(&id) {
                    self.server_keys.remove(&entry.key);
                    if let Some(merge) = entry.merge {
                        self.merges.remove(&merge);
                    }
                }
                self.agenda.file(Who::Server(id), None);
            }
            None => {}
        }
    }
}
