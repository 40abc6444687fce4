//! The RTP stream that a leg sends: one source, sequence and timestamp through all that it carries.

use call::Time;

use crate::{
    rtp::{Header, Packet},
    timeline::{duration, samples},
};

/// A received sequence number this far from the newest is a new beginning (RFC 3550 A.1).
const MAX_DROPOUT: u16 = 3_000;

/// Numbers what is sent, so that prompt, tone and relayed speech are one stream to the receiver
/// (row A-20, RFC 3550 §5.1).
#[derive(Debug)]
pub(crate) struct Stream {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    /// The moment that `timestamp` stands for.
    due: Time,
    relayed: Option<Relayed>,
    started: bool,
    packets: u32,
    octets: u32,
    /// Sequence numbers used so far, those of packets that others lost among them.
    numbers: u32,
    /// Ticks of its clock in one of ours: timestamps are told in them.
    ratio: u32,
}

/// How much time a relayed packet covers, in samples.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Covers {
    /// Sound that lasts so long from now.
    Sound(u32),
    /// A key that has been held so long until now.
    Key(u32),
}

/// How the numbers of the stream being relayed become ours.
#[derive(Clone, Copy, Debug)]
struct Relayed {
    ssrc: u32,
    first: u16,
    newest: u16,
    sequence_shift: u16,
    timestamp_shift: u32,
}

/// Whether `a` lies behind `b` on the circle of sequence numbers.
const fn behind(a: u16, b: u16) -> bool {
    a.wrapping_sub(b).cast_signed() < 0
}

impl Stream {
    /// A stream with these first numbers.
    pub(crate) const fn new(now: Time, ssrc: u32, sequence: u16, timestamp: u32) -> Self {
        Self {
            ssrc,
            sequence,
            timestamp,
            due: now,
            relayed: None,
            started: false,
            packets: 0,
            octets: 0,
            numbers: 0,
            ratio: 1,
        }
    }

    /// Timestamps are told in a clock with so many ticks in one of ours. Where another clock was told
    /// before, another source begins (RFC 7160 §4.1); says whether one does.
    pub(crate) fn tell_in(&mut self, ratio: u32) -> bool {
        let begins = self.started && ratio != self.ratio;
        self.ratio = ratio;
        if begins {
            self.ssrc = !self.ssrc;
            // As at the beginning of any (`LegStart`).
            self.sequence &= 0x7FFF;
            (self.started, self.relayed) = (false, None);
            (self.packets, self.octets) = (0, 0);
        }
        begins
    }

    /// Our synchronisation source.
    pub(crate) const fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Packets and payload bytes sent so far, as a sender report counts them.
    pub(crate) const fn sent(&self) -> (u32, u32) {
        (self.packets, self.octets)
    }

    /// Sequence numbers used so far, also those that passed by with packets that never came to us.
    pub(crate) const fn numbers(&self) -> u32 {
        self.numbers
    }

    /// The sequence number that comes next.
    pub(crate) const fn next_sequence(&self) -> u16 {
        self.sequence
    }

    /// The next packet has this sequence number.
    fn go_on_with(&mut self, sequence: u16) {
        let used = sequence.wrapping_sub(self.sequence);
        (self.sequence, self.numbers) = (sequence, self.numbers.wrapping_add(used.into()));
    }

    /// The timestamp that stands for `now`.
    pub(crate) fn timestamp_at(&self, now: Time) -> u32 {
        let (after, before) = (samples(now.since(self.due)), samples(self.due.since(now)));
        let timestamp = self.timestamp.wrapping_add(after as u32).wrapping_sub(before as u32);
        timestamp.wrapping_mul(self.ratio)
    }

    /// Counts a packet that left.
    pub(crate) const fn count(&mut self, payload: usize) {
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(payload as u32);
    }

    /// Lets the time pass in which nothing was sent.
    fn catch_up(&mut self, now: Time) {
        let missed = samples(now.since(self.due));
        self.timestamp = self.timestamp.wrapping_add(missed as u32);
        self.due = self.due + duration(missed);
    }

    /// Numbers a packet of our own of `length` samples, which stands for the moment `at`.
    pub(crate) fn own(&mut self, at: Time, payload_type: u8, length: u32) -> Header {
        // The marker shows the receiver where the source of the sound changes (RFC 3551 §4.1).
        let marker = !self.started || self.relayed.take().is_some();
        self.catch_up(at);
        let header = self.header(marker, payload_type, self.sequence, self.timestamp);
        self.go_on_with(self.sequence.wrapping_add(1));
        self.timestamp = self.timestamp.wrapping_add(length);
        self.due = self.due + duration(u64::from(length));
        header
    }

    /// Numbers a received packet for this leg. A received gap stays a gap and
    /// a reordered packet keeps its place. `None`: it belongs before what this leg has heard.
    pub(crate) fn relay(
        &mut self,
        now: Time,
        packet: &Packet,
        anchored: bool,
        payload_type: u8,
        covers: Covers,
    ) -> Option<Header> {
        let goes_on = self.relayed.filter(|relayed| {
            let step = packet.sequence.wrapping_sub(relayed.newest).cast_signed();
            relayed.ssrc == packet.ssrc && !anchored && step.unsigned_abs() <= MAX_DROPOUT
        });
        let mut relayed = match goes_on {
            Some(relayed) => relayed,
            None => self.take_over(now, packet),
        };
        if behind(packet.sequence, relayed.first) {
            return None;
        }
        let marker = goes_on.is_none() || packet.marker;
        let sequence = packet.sequence.wrapping_add(relayed.sequence_shift);
        let timestamp = packet.timestamp.wrapping_add(relayed.timestamp_shift);
        if !behind(packet.sequence, relayed.newest) {
            relayed.newest = packet.sequence;
            // The bound moves along, or it would lie ahead after half the circle (11 minutes).
            if packet.sequence.wrapping_sub(relayed.first) > MAX_DROPOUT {
                relayed.first = packet.sequence.wrapping_sub(MAX_DROPOUT);
            }
            self.go_on_with(sequence.wrapping_add(1));
            let (length, due) = match covers {
                Covers::Sound(length) => (length, now + duration(u64::from(length))),
                Covers::Key(length) => (length, now),
            };
            let end = timestamp.wrapping_add(length);
            if end.wrapping_sub(self.timestamp).cast_signed() > 0 {
                (self.timestamp, self.due) = (end, due);
            }
        }
        self.relayed = Some(relayed);
        Some(self.header(marker, payload_type, sequence, timestamp))
    }

    /// Begins to relay: the packet continues our numbers.
    fn take_over(&mut self, now: Time, packet: &Packet) -> Relayed {
        self.catch_up(now);
        Relayed {
            ssrc: packet.ssrc,
            first: packet.sequence,
            newest: packet.sequence,
            sequence_shift: self.sequence.wrapping_sub(packet.sequence),
            timestamp_shift: self.timestamp.wrapping_sub(packet.timestamp),
        }
    }

    /// Notes that a packet is kept back on purpose, so that the receiver sees no loss.
    pub(crate) fn withhold(&mut self, packet: &Packet) {
        if let Some(relayed) = &mut self.relayed
            && relayed.ssrc == packet.ssrc
            && packet.sequence == relayed.newest.wrapping_add(1)
        {
            relayed.newest = packet.sequence;
            relayed.sequence_shift = relayed.sequence_shift.wrapping_sub(1);
        }
    }

    fn header(&mut self, marker: bool, payload_type: u8, sequence: u16, timestamp: u32) -> Header {
        self.started = true;
        let timestamp = timestamp.wrapping_mul(self.ratio);
        Header { marker, payload_type, sequence, timestamp, ssrc: self.ssrc }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Time {
        Time::from_micros(1_000_000 + ms * 1_000)
    }

    fn packet(sequence: u16, timestamp: u32, ssrc: u32) -> Packet {
        Packet { marker: false, payload_type: 8, sequence, timestamp, ssrc, payload: 12..172 }
    }

    fn numbers(header: Option<Header>) -> (u16, u32, bool) {
        let header = header.unwrap();
        (header.sequence, header.timestamp, header.marker)
    }

    #[test]
    fn a_20_our_own_packets_and_relayed_ones_are_one_stream() {
        let mut stream = Stream::new(at(0), 1, 0xFFFE, 0xFFFF_FF00);
        assert_eq!(numbers(Some(stream.own(at(0), 8, 160))), (0xFFFE, 0xFFFF_FF00, true));
        assert_eq!(numbers(Some(stream.own(at(20), 8, 160))), (0xFFFF, 0xFFFF_FFA0, false));
        // 7 ms after the next packet was due, another source takes over.
        let first = stream.relay(at(47), &packet(500, 90_000, 5), true, 8, Covers::Sound(160));
        assert_eq!(numbers(first), (0, 0x40 + 56, true));
        let second = stream.relay(at(67), &packet(501, 90_160, 5), false, 8, Covers::Sound(160));
        assert_eq!(numbers(second), (1, 0xE0 + 56, false));
        // And back to our own, 60 ms later.
        assert_eq!(numbers(Some(stream.own(at(147), 8, 160))), (2, 0x180 + 56 + 480, true));
    }

    #[test]
    fn a_stall_of_our_own_shows_in_the_timestamps_once() {
        let mut stream = Stream::new(at(0), 1, 0, 0);
        let times = [0, 100, 120, 140].map(|ms| stream.own(at(ms), 8, 160).timestamp);
        assert_eq!(times, [0, 800, 960, 1_120]);
    }

    #[test]
    fn after_a_burst_our_own_sound_begins_at_its_end() {
        let mut stream = Stream::new(at(0), 1, 0, 0);
        for n in 0..3_u16 {
            let packet = packet(n, u32::from(n) * 160, 5);
            stream.relay(at(0), &packet, false, 8, Covers::Sound(160));
        }
        assert_eq!(stream.own(at(5), 8, 160).timestamp, 480);
    }

    #[test]
    fn loss_and_reordering_reach_the_receiver_as_they_were() {
        let mut stream = Stream::new(at(0), 1, 100, 0);
        let mut relay = |ms, sequence: u16| {
            let timestamp = u32::from(sequence) * 160;
            stream.relay(at(ms), &packet(sequence, timestamp, 5), false, 8, Covers::Sound(160))
        };
        assert_eq!(numbers(relay(0, 10)), (100, 0, true));
        assert_eq!(numbers(relay(40, 12)), (102, 320, false));
        assert_eq!(numbers(relay(41, 11)), (101, 160, false));
        assert_eq!(relay(42, 9), None);
        assert_eq!(numbers(relay(60, 13)), (103, 480, false));
    }

    #[test]
    fn a_long_call_goes_round_the_circle_of_sequence_numbers_without_a_loss() {
        let mut stream = Stream::new(at(0), 1, 100, 0);
        for n in 0..200_000_u32 {
            let packet = packet(n as u16, n.wrapping_mul(160), 5);
            let header = stream
                .relay(at(u64::from(n) * 20), &packet, n == 0, 8, Covers::Sound(160))
                .unwrap();
            assert_eq!(header.sequence, (n as u16).wrapping_add(100));
            assert_eq!(header.marker, n == 0);
        }
    }

    #[test]
    fn what_is_withheld_leaves_no_hole_in_the_numbers() {
        let mut stream = Stream::new(at(0), 1, 100, 0);
        stream.relay(at(0), &packet(10, 0, 5), false, 8, Covers::Sound(160));
        stream.withhold(&packet(11, 160, 5));
        stream.withhold(&packet(12, 160, 5));
        let next = stream.relay(at(60), &packet(13, 480, 5), false, 8, Covers::Sound(160));
        assert_eq!(numbers(next), (101, 480, false));
    }

    #[test]
    fn a_new_source_continues_the_numbers_with_a_marker() {
        let mut stream = Stream::new(at(0), 1, 100, 0);
        stream.relay(at(0), &packet(10, 0, 5), false, 8, Covers::Sound(160));
        let other = stream.relay(at(30), &packet(60_000, 77, 6), true, 8, Covers::Sound(160));
        assert_eq!(numbers(other), (101, 240, true));
        let jumped = stream.relay(at(50), &packet(20_000, 237, 6), false, 8, Covers::Sound(160));
        assert_eq!(numbers(jumped), (102, 400, true));
    }

    #[test]
    fn d_19_sound_of_our_own_after_a_key_begins_where_the_key_ended() {
        let mut stream = Stream::new(at(0), 1, 100, 0);
        stream.relay(at(0), &packet(10, 0, 5), true, 8, Covers::Sound(160));
        for (n, held) in [(1, 160), (2, 320), (3, 480), (4, 640)] {
            let key = packet(10 + n, 160, 5);
            stream.relay(at(20 + u64::from(n) * 20), &key, false, 101, Covers::Key(held));
        }
        // The key began at 20 ms, was held for 80 ms, and 60 ms later our own sound follows.
        assert_eq!(numbers(Some(stream.own(at(160), 8, 160))), (105, 160 + 640 + 480, true));
    }

    #[test]
    fn in_another_clock_another_source_begins_and_goes_on_with_the_time() {
        let mut stream = Stream::new(at(0), 1, 0x7FFF, 1_000);
        assert!(!stream.tell_in(6), "nothing has been sent");
        let first = stream.own(at(0), 111, 160);
        let second = stream.relay(at(20), &packet(7, 90_000, 5), true, 111, Covers::Sound(480));
        assert_eq!((first.timestamp, numbers(second)), (6_000, (0x8000, 6_960, true)));
        assert_eq!(numbers(Some(stream.own(at(80), 111, 160))), (0x8001, 9_840, true));
        assert_eq!(stream.timestamp_at(at(110)), 9_840 + 30 * 48);
        assert!(!stream.tell_in(6) && stream.tell_in(1));
        let other = stream.own(at(100), 8, 160);
        assert_eq!((other.ssrc, numbers(Some(other))), (!1, (2, 1_800, true)));
        assert_eq!(stream.sent(), (0, 0));
    }

    #[test]
    fn the_timestamp_of_now_follows_the_stream() {
        let mut stream = Stream::new(at(0), 1, 0, 1_000);
        stream.own(at(0), 8, 160);
        assert_eq!(stream.timestamp_at(at(10)), 1_080);
        assert_eq!(stream.timestamp_at(at(30)), 1_240);
    }
}
