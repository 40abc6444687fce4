//! What becomes of requests and answers whose address nobody is at, or whose connection has ended.

use std::sync::Arc;
use std::time::Instant;

use super::client::{Client, Kind};
use super::layer::{ClientId, Lapse, Transactions, Who};
use crate::network::{Remote, Transmit, Way};
use crate::wire::method::Method;

/// How often a request goes out again because its connection has ended. Two can lead to an address
/// before a new one is made: the one by which the dialog came, and another that stands.
const MOST_MOVES: u8 = 2;

impl<O: Copy> Transactions<O> {
    /// The requests that wait for their first response from an address.
    pub(crate) fn waiting(&self, remote: Remote) -> Vec<ClientId> {
        let waits = self
            .clients
            .iter()
            .filter(|(_, entry)| entry.way.remote == remote && entry.machine.is_calling());
        waits.map(|(id, _)| *id).collect()
    }

    /// Sends a request again, octet for octet, because the connection it went by has ended. Whoever
    /// has it already knows it by its branch (RFC 3261 §17.2.3). `false` when that was done often
    /// enough.
    pub(crate) fn moves(&mut self, client: ClientId) -> bool {
        let Some(entry) = self.clients.get_mut(&client) else { return false };
        if entry.moved >= MOST_MOVES {
            return false;
        }
        entry.moved += 1;
        let Way { remote, over, alias } = entry.way;
        let octets = entry.request.to_vec();
        self.out.push_back(Transmit { remote, over, alias, octets });
        true
    }

    /// A request does not get to where it should: it takes its other way, or is given up.
    pub(crate) fn lost(&mut self, now: Instant, client: ClientId) -> Option<Lapse<O>> {
        if let Some(spare) = self.clients.get_mut(&client)?.spare.take() {
            let (way, octets) = *spare;
            self.detour(now, client, way, octets);
            return None;
        }
        let entry = self.drop_client(client)?;
        Some(Lapse::GaveUp { client, owner: entry.owner, method: entry.method })
    }

    /// Begins a request anew as a datagram.
    fn detour(&mut self, now: Instant, id: ClientId, way: Way, octets: Vec<u8>) {
        let Some(entry) = self.clients.get_mut(&id) else { return };
        let kind = if entry.method == Method::INVITE { Kind::Invite } else { Kind::Other };
        let reliable = way.remote.transport.is_reliable();
        entry.machine = Client::new(now, kind, reliable, Arc::clone(&self.timers));
        entry.way = way;
        entry.request = octets.as_slice().into();
        self.agenda.file(Who::Client(id), entry.machine.next_timeout());
        self.transmit(way, octets);
    }

    /// Sends those rejections of an INVITE again that went by a connection which has ended and that
    /// nobody has acknowledged: over a stream nothing else repeats them (RFC 3261 §17.2.1), and who
    /// called would wait. The new connection leads to where the Via says (§18.2.2).
    pub(crate) fn reject_again(&mut self, connection: Remote) {
        for entry in self.servers.values().filter(|entry| entry.machine.is_unacknowledged()) {
            let Way { remote, over, alias } = entry.reply_to;
            let came_by = over.map(|address| Remote { address, ..remote });
            if let Some(last) = entry.last.as_deref().filter(|_| came_by == Some(connection)) {
                let octets = last.to_vec();
                self.out.push_back(Transmit { remote, over, alias, octets });
            }
        }
    }
}
