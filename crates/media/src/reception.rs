//! What is known of the stream that a leg receives: what is missing, and how evenly it comes.

use call::Time;

use crate::{rtp::Packet, timeline::samples};

/// What is known of the stream that a leg receives (RFC 3550 A.1, A.3, A.8).
#[derive(Debug, Default)]
pub struct Reception {
    ssrc: Option<u32>,
    base: u32,
    newest: u32,
    received: u32,
    before: (u32, u32),
    lost_by_others: u64,
    expected_of_others: u64,
    bursts: u64,
    jitter: u32,
    /// The jitter of each packet that had any, and how many those were.
    jitters: (u64, u32),
    transit: Option<u32>,
    report: Option<(u32, Time)>,
    /// Ticks of the peer's clock in one of 8,000 Hz, less one: jitter is told in them.
    finer: u32,
}

impl Reception {
    /// The peer's clock has so many ticks in one of 8,000 Hz. What it says is told in those all the same.
    pub(crate) const fn counts_in(&mut self, ratio: u32) {
        self.finer = ratio.saturating_sub(1);
    }

    /// Counts a packet of sound that arrived.
    pub fn heard(&mut self, now: Time, packet: &Packet) {
        let transit = (samples(now.since(Time::default())) as u32).wrapping_sub(packet.timestamp);
        self.counted(packet);
        let Some(before) = self.transit.replace(transit) else {
            return;
        };
        let moved = transit.wrapping_sub(before).cast_signed().unsigned_abs();
        // The jitter is kept in sixteenths (RFC 3550 A.8).
        let jitter = u64::from(self.jitter) + u64::from(moved) - u64::from((self.jitter + 8) >> 4);
        self.jitter = u32::try_from(jitter).unwrap_or(u32::MAX >> 1).min(u32::MAX >> 1);
        let (sum, packets) = self.jitters;
        self.jitters = (sum + u64::from(self.jitter), packets.saturating_add(1));
    }

    /// Counts a packet whose timestamp does not say when it was sent, as those of a key.
    pub(crate) fn counted(&mut self, packet: &Packet) {
        let step = packet.sequence.wrapping_sub(self.newest as u16).cast_signed();
        if self.ssrc != Some(packet.ssrc) || step.unsigned_abs() > 3_000 {
            *self = Self {
                ssrc: Some(packet.ssrc),
                base: u32::from(packet.sequence),
                newest: u32::from(packet.sequence),
                received: 1,
                lost_by_others: self.lost(),
                expected_of_others: self.expected_in_all(),
                bursts: self.bursts,
                jitters: self.jitters,
                finer: self.finer,
                ..Self::default()
            };
            return;
        }
        if step > 0 {
            self.bursts += u64::from(step > 1);
            self.newest = self.newest.wrapping_add(u32::from(step.unsigned_abs()));
        }
        self.received = self.received.wrapping_add(1);
    }

    /// Notes a sender report of the peer.
    pub const fn told(&mut self, now: Time, middle: u32) {
        self.report = Some((middle, now));
    }

    /// Packets that were expected and did not come, over all sources of the leg.
    #[must_use]
    pub fn lost(&self) -> u64 {
        let expected = self.expected();
        self.lost_by_others + u64::from(expected.saturating_sub(self.received))
    }

    /// Interarrival jitter in samples, as it is now.
    #[must_use]
    pub const fn jitter_samples(&self) -> u32 {
        self.jitter >> 4
    }

    /// Packets that were sent, whether they came or not, over all sources of the leg.
    #[must_use]
    pub fn expected_in_all(&self) -> u64 {
        self.expected_of_others + u64::from(self.expected())
    }

    /// In how many stretches packets did not come, or not in their order.
    #[must_use]
    pub const fn bursts(&self) -> u64 {
        self.bursts
    }

    /// Mean interarrival jitter of the leg in microseconds.
    #[must_use]
    pub fn jitter_us(&self) -> u32 {
        let (sum, packets) = self.jitters;
        // In sixteenths of a sample of 125 us.
        let mean = sum.saturating_mul(125).checked_div(u64::from(packets) * 16).unwrap_or(0);
        u32::try_from(mean).unwrap_or(u32::MAX)
    }

    const fn expected(&self) -> u32 {
        match self.ssrc {
            Some(_) => self.newest.wrapping_sub(self.base).wrapping_add(1),
            None => 0,
        }
    }

    /// The report block about what was received, if anything was.
    pub(crate) fn block(&mut self, now: Time) -> Option<[u8; 24]> {
        let ssrc = self.ssrc?;
        let expected = self.expected();
        let interval = expected.wrapping_sub(self.before.0);
        let got = self.received.wrapping_sub(self.before.1);
        self.before = (expected, self.received);
        let lost = u64::from(interval.saturating_sub(got));
        let fraction = (lost << 8).checked_div(u64::from(interval)).unwrap_or(0).min(255) as u8;
        let total = i64::from(expected) - i64::from(self.received);
        let [_, _, _, _, _, t0, t1, t2] = total.clamp(-0x80_0000, 0x7F_FFFF).to_be_bytes();
        let (last, delay) = self.report.map_or((0, 0), |(middle, at)| {
            let micros = now.since(at).as_micros();
            (middle, u32::try_from((micros << 16) / 1_000_000).unwrap_or(u32::MAX))
        });
        let mut block = [0; 24];
        let words = [
            ssrc.to_be_bytes(),
            [fraction, t0, t1, t2],
            self.newest.to_be_bytes(),
            self.jitter_samples().saturating_mul(self.finer + 1).to_be_bytes(),
            last.to_be_bytes(),
            delay.to_be_bytes(),
        ];
        for (place, word) in block.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word);
        }
        Some(block)
    }
}
