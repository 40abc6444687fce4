//! The speech of all calls: when each stream sends its packets, and what is in them.

use std::{collections::HashMap, net::SocketAddrV4};

use rtc_srtp::context::Context;

use crate::ground::{Call, HERE, SOCKETS};

/// Octets of a packet: the header and 20 ms of G.711.
pub(crate) const PACKET: usize = 172;

/// The time from one packet of a stream to its next is cut into so many slots, over which the streams are
/// spread.
pub(crate) const SLOTS: usize = 80;

/// G.711 A-law, the static payload type of RFC 3551.
const PCMA: u8 = 8;

/// Where the time of sending and the mark stand; the rest of the payload is noise.
const SENT: std::ops::Range<usize> = 12..20;
const MARK: std::ops::Range<usize> = 20..24;
/// Says that a packet was sent within the window.
const COUNTED: [u8; 4] = *b"@WIN";

/// One direction of one call.
pub(crate) struct Stream {
    /// Where its packets go.
    pub(crate) to: SocketAddrV4,
    /// 0: from the caller, 1: from the callee.
    pub(crate) side: usize,
    /// Which of the side's sockets sends it.
    pub(crate) socket: usize,
    /// What it sends is under SRTP.
    guard: Option<Context>,
    sequence: u16,
    timestamp: u32,
    source: u32,
}

/// What is heard under SRTP, by the port of the program that it comes from.
pub(crate) type Ears = HashMap<u16, Context>;

/// The streams, by the slot in which they send, and what their parties hear with.
pub(crate) fn spread(calls: Vec<Call>) -> (Vec<Vec<Stream>>, Ears) {
    let mut slots: Vec<Vec<Stream>> = (0..SLOTS).map(|_| Vec::new()).collect();
    let (count, mut ears) = (calls.len(), Ears::new());
    for (call, Call { ports, guards }) in calls.into_iter().enumerate() {
        let mut guards = guards.map(IntoIterator::into_iter);
        for (side, port) in ports.iter().enumerate() {
            let guard = guards.as_mut().and_then(Iterator::next).map(|guard| {
                ears.insert(*port, guard.hear);
                guard.send
            });
            // The two parties of a call speak half a frame apart.
            let slot = (call * SLOTS / count + side * SLOTS / 2) % SLOTS;
            let number = u32::try_from(call * 2 + side).unwrap_or_default();
            let stream = Stream {
                to: SocketAddrV4::new(HERE, *port),
                side,
                socket: call % SOCKETS,
                guard,
                sequence: (call * 7) as u16,
                timestamp: number.wrapping_mul(999),
                source: 0x1000_0000 + number,
            };
            if let Some(slot) = slots.get_mut(slot) {
                slot.push(stream);
            }
        }
    }
    (slots, ears)
}

impl Stream {
    /// The packet as it goes out; `None` when it cannot be sealed.
    pub(crate) fn sealed(&mut self, packet: &[u8; PACKET], out: &mut Vec<u8>) -> Option<()> {
        out.clear();
        match &mut self.guard {
            Some(guard) => out.extend_from_slice(&guard.encrypt_rtp(packet).ok()?),
            None => out.extend_from_slice(packet),
        }
        Some(())
    }

    /// Writes its next packet. `now_ns` is the time of day.
    pub(crate) fn next(&mut self, packet: &mut [u8; PACKET], now_ns: u64, counted: bool) {
        packet[0] = 0x80;
        packet[1] = PCMA;
        packet[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        packet[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        packet[8..12].copy_from_slice(&self.source.to_be_bytes());
        packet[SENT].copy_from_slice(&now_ns.to_be_bytes());
        packet[MARK].copy_from_slice(if counted { &COUNTED } else { b"@out" });
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(160);
    }
}

/// A packet with noise where speech would be: the same every time.
pub(crate) fn noise() -> [u8; PACKET] {
    let mut state = 0x2545_f491_u32;
    std::array::from_fn(|_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_be_bytes()[0]
    })
}

/// What came back, if it is speech of ours: when it was sent, and whether within the window.
pub(crate) fn heard(packet: &[u8]) -> Option<(u64, bool)> {
    if packet.len() != PACKET || packet.first()? >> 6 != 2 || packet.get(1)? & 0x7f != PCMA {
        return None;
    }
    let sent = u64::from_be_bytes(packet.get(SENT)?.try_into().ok()?);
    Some((sent, packet.get(MARK)? == COUNTED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stream_has_one_slot_and_the_slots_are_even() {
        let calls = (0..1000).map(|_| Call { ports: [1, 2], guards: None }).collect();
        let (slots, ears) = spread(calls);
        assert!(ears.is_empty());
        assert_eq!(slots.iter().map(Vec::len).sum::<usize>(), 2000);
        assert!(slots.iter().all(|slot| (24..=26).contains(&slot.len())));
    }

    #[test]
    fn a_packet_tells_when_it_was_sent_and_counts_on() {
        let (mut slots, _) = spread(vec![Call { ports: [5000, 6000], guards: None }]);
        let stream = &mut slots[0][0];
        let mut packet = noise();
        stream.next(&mut packet, 77, false);
        assert_eq!(heard(&packet), Some((77, false)));
        let first = packet;
        stream.next(&mut packet, 78, true);
        assert_eq!(heard(&packet), Some((78, true)));
        assert_eq!(packet[3], first[3] + 1);
        assert_eq!(packet[24..], first[24..]);
    }

    #[test]
    fn what_is_not_speech_of_ours_is_not_counted() {
        assert_eq!(heard(&[0x80; 171]), None);
        let mut report = noise();
        (report[0], report[1]) = (0x80, 200);
        assert_eq!(heard(&report), None);
    }
}
