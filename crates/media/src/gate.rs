//! What a leg lets in, and how what it sends goes out: the peer's key, and the peer's place.

use std::{net::SocketAddr, ops::Range};

use call::Time;

use crate::{
    leg::{Channel, Dropped, Leg, Remote, Transmit},
    rtp::Packet,
    srtp::{context::Contexts, incoming::Rejected, key::Keys},
};

impl Leg {
    /// From now on all that is sent and received is under these keys, or plain without any.
    pub(crate) fn secure(&mut self, keys: Option<&Keys>) {
        match (&mut self.srtp, keys) {
            (Some(srtp), Some(keys)) => srtp.renew(keys),
            (srtp, keys) => *srtp = keys.map(|keys| Box::new(Contexts::new(keys))),
        }
    }

    /// Takes SRTP off a packet or a report in place, and says how long it is then.
    pub(crate) fn open(
        &mut self,
        bytes: &mut [u8],
        by: fn(&mut Contexts, &mut [u8]) -> Result<usize, Rejected>,
    ) -> Result<usize, Dropped> {
        let Some(srtp) = &mut self.srtp else {
            return Ok(bytes.len());
        };
        by(srtp, bytes).map_err(|rejected| match rejected {
            Rejected::Malformed => {
                self.stats.malformed += 1;
                Dropped::Malformed
            }
            Rejected::Unauthentic => {
                self.stats.unauthentic += 1;
                Dropped::Unauthentic
            }
            Rejected::Replayed => {
                self.stats.replayed += 1;
                Dropped::Replayed
            }
        })
    }

    /// The packet as it goes to the peer: it lies in `place` of `buffer`, and is counted.
    pub(crate) fn transmit(
        &mut self,
        remote: &Remote,
        payload: usize,
        place: Range<usize>,
        buffer: &mut [u8],
    ) -> Option<Transmit> {
        let bytes = match &mut self.srtp {
            Some(srtp) => srtp.seal(place, buffer)?,
            None => place,
        };
        self.stream.count(payload);
        self.stats.sent += 1;
        Some(Transmit { party: self.party, channel: Channel::Rtp, to: remote.rtp, bytes })
    }

    /// Whether a packet is the peer's; perhaps it shows where the peer is (row S-02).
    pub(crate) fn learn(
        &mut self,
        now: Time,
        from: SocketAddr,
        known: bool,
        packet: &Packet,
    ) -> Result<(), Dropped> {
        let learned = self.latch.as_mut().is_some_and(|latch| latch.learn(now, from, packet));
        if known {
            return Ok(());
        }
        if let Some(remote) = self.remote.as_mut().filter(|_| learned) {
            remote.move_to(from);
            return Ok(());
        }
        self.stats.foreign += 1;
        Err(Dropped::Foreign)
    }
}
