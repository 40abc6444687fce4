//! Requests that are too large for a datagram (RFC 3261 §18.1.1, row R-15).

use std::time::Instant;

use super::command::CommandError;
use super::compose;
use super::core::{Endpoint, Owner};
use super::event::LegId;
use crate::network::{ListenerId, Remote, Way};
use crate::transaction::layer::ClientId;

/// The largest request that goes in a datagram when there is a choice, in octets.
const MAX_DATAGRAM: usize = 1300;

impl Endpoint {
    /// The listener by which requests of this leg leave that are too large for a datagram; `None`
    /// sends them in fragments. A leg of ours has it from [`super::command::Invite::stream`].
    ///
    /// # Errors
    /// The leg is over.
    pub fn set_stream(
        &mut self,
        leg: LegId,
        stream: Option<ListenerId>,
    ) -> Result<(), CommandError> {
        self.live(leg)?.stream = stream;
        Ok(())
    }

    /// Sends a request in a transaction of its own: over a stream if it is too large for a datagram
    /// and there is one. When that cannot be reached, it goes in a datagram after all.
    pub(crate) fn send_sized(
        &mut self,
        now: Instant,
        owner: Owner,
        (way, stream): (Way, Option<ListenerId>),
        octets: Vec<u8>,
    ) -> Option<ClientId> {
        let large = !way.remote.transport.is_reliable() && octets.len() > MAX_DATAGRAM;
        let stream = stream
            .filter(|_| large)
            .and_then(|id| Some((id, self.config.listener(id)?)))
            .filter(|(_, listener)| listener.transport.is_reliable());
        let Some((id, listener)) = stream else {
            return self.transactions.send(now, owner, way, octets);
        };
        let moved = compose::by(&octets, listener)?;
        let remote = Remote { listener: id, transport: listener.transport, ..way.remote };
        let client = self.transactions.send(now, owner, remote, moved)?;
        self.transactions.keep_spare(client, way, octets);
        Some(client)
    }
}
