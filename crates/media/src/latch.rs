//! Where a peer behind a NAT really sends from, learned from its packets (row S-02, RFC 7362 §5).
//!
//! Who knows the port and is quicker could be learned instead (RTP bleed). So nothing is learned unless the
//! configuration says so, only for a while after signalling, only from near the peer, only from several
//! packets of one stream; and what the peer's description says goes before all that.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use arrayvec::ArrayVec;
use call::Time;

use crate::rtp::Packet;

/// Sources that can be tried out side by side.
const CANDIDATES: usize = 4;
/// A stream may lose so many packets in a row and is still the same.
const GAP: u16 = 50;

/// How near to its peer a source must be to be learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Near {
    /// At an address of the peer, on another port.
    SameAddress,
    /// In the /24 of such an address, or the /64 of IPv6.
    SameNetwork,
    /// Anywhere.
    Anywhere,
}

/// What may be learned of a peer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Latching {
    /// From how near.
    pub near: Near,
    /// Where its signalling comes from: an address of the peer besides the one in its description.
    pub signalling: IpAddr,
    /// For how long after a description.
    pub window: Duration,
    /// How many packets of one stream it takes.
    pub packets: u8,
}

impl std::fmt::Debug for Latching {
    /// Addresses are personal data and stay out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Latching({:?} {:?} {})", self.near, self.window, self.packets)
    }
}

impl Latching {
    fn fits(&self, stated: IpAddr, from: IpAddr) -> bool {
        [stated, self.signalling].into_iter().any(|own| match self.near {
            Near::SameAddress => own.to_canonical() == from.to_canonical(),
            Near::SameNetwork => network(own) == network(from),
            Near::Anywhere => true,
        })
    }
}

/// The first 24 bits of an IPv4 address, the first 64 of an IPv6 address.
fn network(ip: IpAddr) -> (bool, u64) {
    match ip.to_canonical() {
        IpAddr::V4(ip) => (false, u64::from(u32::from(ip) >> 8)),
        IpAddr::V6(ip) => (true, (u128::from(ip) >> 64) as u64),
    }
}

/// A source that is being tried out.
struct Candidate {
    from: SocketAddr,
    ssrc: u32,
    sequence: u16,
    packets: u8,
}

/// What has been learned since the last description.
pub(crate) struct Latch {
    rule: Latching,
    /// What the description says.
    stated: SocketAddr,
    until: Time,
    candidates: ArrayVec<Candidate, CANDIDATES>,
    locked: bool,
}

impl Latch {
    pub(crate) fn new(now: Time, rule: Latching, stated: SocketAddr) -> Self {
        let candidates = ArrayVec::new();
        Self { rule, stated, until: now + rule.window, candidates, locked: false }
    }

    /// What the description said.
    pub(crate) const fn stated(&self) -> SocketAddr {
        self.stated
    }

    /// Whether a packet from here could be the peer's.
    pub(crate) fn may_learn(&self, now: Time, from: SocketAddr) -> bool {
        !self.locked && now < self.until && self.rule.fits(self.stated.ip(), from.ip())
    }

    /// A packet of the stream came; with SRTP it is authentic. Whether its source is the peer's from now
    /// on: the description's place with its first packet, any other with several of one stream.
    pub(crate) fn learn(&mut self, now: Time, from: SocketAddr, packet: &Packet) -> bool {
        if self.locked || now >= self.until {
            return false;
        }
        self.locked = from == self.stated || self.has_proved(from, packet);
        self.locked
    }

    fn has_proved(&mut self, from: SocketAddr, packet: &Packet) -> bool {
        let (ssrc, sequence) = (packet.ssrc, packet.sequence);
        let fresh = Candidate { from, ssrc, sequence, packets: 1 };
        let Some(known) = self.candidates.iter_mut().find(|known| known.from == from) else {
            // Who comes fifth takes the place of the first.
            if self.candidates.is_full() {
                self.candidates.remove(0);
            }
            let alone = fresh.packets >= self.rule.packets;
            self.candidates.push(fresh);
            return alone;
        };
        let goes_on = (1..=GAP).contains(&sequence.wrapping_sub(known.sequence));
        if known.ssrc == ssrc && goes_on {
            (known.sequence, known.packets) = (sequence, known.packets.saturating_add(1));
        } else {
            *known = fresh;
        }
        known.packets >= self.rule.packets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Time {
        Time::from_micros(ms * 1_000)
    }

    fn packet(sequence: u16, ssrc: u32) -> Packet {
        Packet { marker: false, payload_type: 8, sequence, timestamp: 0, ssrc, payload: 12..172 }
    }

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn latch(near: Near) -> Latch {
        let signalling = "198.51.100.9".parse().unwrap();
        let rule = Latching { near, signalling, window: Duration::from_secs(5), packets: 4 };
        Latch::new(at(0), rule, address("192.168.1.2:4000"))
    }

    #[test]
    fn s_02_only_what_is_near_the_peer_may_be_learned() {
        for (near, from, may) in [
            (Near::SameAddress, "198.51.100.9:1", true),
            (Near::SameAddress, "192.168.1.2:9", true),
            (Near::SameAddress, "[::ffff:198.51.100.9]:1", true),
            (Near::SameAddress, "198.51.100.10:1", false),
            (Near::SameNetwork, "198.51.100.10:1", true),
            (Near::SameNetwork, "198.51.101.9:1", false),
            (Near::SameNetwork, "[2001:db8::1]:1", false),
            (Near::Anywhere, "203.0.113.1:1", true),
        ] {
            assert_eq!(latch(near).may_learn(at(10), address(from)), may, "{near:?} {from}");
        }
    }

    #[test]
    fn s_02_it_takes_several_packets_of_one_stream_within_the_window() {
        let nat = address("198.51.100.9:7000");
        let mut one = latch(Near::SameAddress);
        let learned = |latch: &mut Latch, packets: &[(u16, u32)]| {
            packets
                .iter()
                .any(|(sequence, ssrc)| latch.learn(at(10), nat, &packet(*sequence, *ssrc)))
        };
        assert!(!learned(&mut one, &[(1, 7), (2, 7), (3, 7)]));
        // Another source, a number that stands still, and one that leaps begin anew.
        assert!(!learned(&mut one, &[(4, 8), (5, 8), (6, 8), (6, 8), (7, 8), (8, 8), (900, 8)]));
        assert!(learned(&mut one, &[(901, 8), (903, 8), (904, 8)]));
        assert!(!one.may_learn(at(11), address("198.51.100.9:7002")), "it is locked");
        let mut late = latch(Near::SameAddress);
        assert!(!late.may_learn(at(5_000), nat));
        assert!(!(1..9).any(|n| late.learn(at(5_000), nat, &packet(n, 7))));
    }

    #[test]
    fn s_02_the_place_in_the_description_goes_before_any_other() {
        let mut one = latch(Near::Anywhere);
        let other = address("203.0.113.1:4000");
        for n in 1..4 {
            assert!(!one.learn(at(10), other, &packet(n, 7)));
        }
        assert!(one.learn(at(11), address("192.168.1.2:4000"), &packet(1, 9)));
        assert!(!one.may_learn(at(12), other));
    }

    #[test]
    fn s_02_who_floods_beside_the_peer_does_not_keep_it_from_being_learned() {
        let mut one = latch(Near::SameAddress);
        let nat = address("198.51.100.9:7000");
        let mut learned = None;
        for n in 1..10_u16 {
            for port in 1..3 {
                let noise = SocketAddr::new(nat.ip(), port);
                // What it sends is no stream.
                assert!(!one.learn(at(10), noise, &packet(n * 999, u32::from(n))));
            }
            if one.learn(at(10), nat, &packet(n, 7)) {
                learned = Some(n);
                break;
            }
        }
        assert_eq!(learned, Some(4));
    }
}
