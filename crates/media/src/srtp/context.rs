//! What a leg under SRTP keeps: one boxed value, made when keys are agreed on.

use std::ops::Range;

use super::{
    incoming::{Incoming, Rejected},
    key::Keys,
    outgoing::Outgoing,
};

/// Both directions of a leg (RFC 3711 §3.2).
pub(crate) struct Contexts {
    send: Outgoing,
    receive: Incoming,
}

impl Contexts {
    pub(crate) fn new(keys: &Keys) -> Self {
        Self {
            send: Outgoing::new(keys.send.clone()),
            receive: Incoming::new(keys.receive.clone()),
        }
    }

    /// The session was agreed on anew. A key that stays goes on counting where it is; another one counts
    /// at once.
    pub(crate) fn renew(&mut self, keys: &Keys) {
        if !self.send.is_under(&keys.send) {
            self.send = Outgoing::new(keys.send.clone());
        }
        if !self.receive.is_under(&keys.receive) {
            self.receive.renew(keys.receive.clone());
        }
    }

    /// Encrypts an RTP packet in its place; `None` when it must not be sent.
    pub(crate) fn seal(&mut self, place: Range<usize>, buffer: &mut [u8]) -> Option<Range<usize>> {
        self.send.seal(place, buffer)
    }

    /// Encrypts a report of so many bytes.
    pub(crate) fn seal_report(&mut self, length: usize, buffer: &mut [u8]) -> Option<usize> {
        self.send.seal_report(length, buffer)
    }

    /// Decrypts an RTP packet, and says how long it is.
    pub(crate) fn open(&mut self, packet: &mut [u8]) -> Result<usize, Rejected> {
        self.receive.open(packet)
    }

    /// Decrypts a report, and says how long it is.
    pub(crate) fn open_report(&mut self, packet: &mut [u8]) -> Result<usize, Rejected> {
        self.receive.open_report(packet)
    }
}
