//! Reports of a leg: what the peer tells of our stream, what we tell of the peer's, and how both were.

use std::{net::SocketAddr, time::Duration};

use call::Time;

use crate::{
    leg::{Leg, Remote, Transmit},
    quality::{Counted, Quality},
    report::LegStats,
    rtcp::{self, Sending},
    srtp::context::Contexts,
};

/// A report names a packet of at most so many ago, half a minute; any other number is not to be believed.
const MOST_ON_ITS_WAY: u32 = 1_500;

impl Leg {
    /// Reads a report.
    pub(crate) fn accept_report(&mut self, now: Time, from: SocketAddr, bytes: &mut [u8]) -> bool {
        let Some(remote) = self.remote else {
            return false;
        };
        // Some peers report from the RTP port's neighbour although they declare another; the
        // host must be right, and a report changes nothing but our statistics.
        if from.ip().to_canonical() != remote.rtcp.ip().to_canonical() {
            self.stats.foreign += 1;
            return false;
        }
        let Ok(length) = self.open(bytes, Contexts::open_report) else {
            return false;
        };
        let bytes = bytes.get(..length).unwrap_or_default();
        let Ok(told) = rtcp::parse(bytes, self.stream.ssrc()) else {
            self.stats.malformed_reports += 1;
            return false;
        };
        self.stats.reports += 1;
        if let Some((_, middle)) = told.sender {
            self.reception.told(now, middle);
        }
        if let Some(block) = told.about_us {
            self.stats.peer_fraction_lost = block.fraction_lost;
            self.told = Some(block);
            self.stats.round_trip_us = block.round_trip_us(now).or(self.stats.round_trip_us);
        }
        true
    }

    /// Writes a report, the last one with `goodbye`.
    pub(crate) fn report(
        &mut self,
        now: Time,
        goodbye: bool,
        scratch: &mut [u8],
    ) -> Option<Transmit> {
        let remote = self.remote.filter(|remote| !remote.rtcp.ip().is_unspecified())?;
        let (packets, octets) = self.stream.sent();
        let timestamp = self.stream.timestamp_at(now);
        let sending = Sending { ssrc: self.stream.ssrc(), timestamp, packets, octets };
        let length = self.reporter.write(now, &sending, &mut self.reception, goodbye, scratch);
        let length = match &mut self.srtp {
            Some(srtp) if length > 0 => srtp.seal_report(length, scratch)?,
            Some(_) | None => length,
        };
        let (party, channel) = (self.party, remote.reports());
        (length > 0).then_some(Transmit { party, channel, to: remote.rtcp, bytes: 0..length })
    }

    /// What the leg counted.
    pub(crate) fn stats(&self) -> LegStats {
        LegStats {
            lost: self.reception.lost(),
            jitter_samples: self.reception.jitter_samples(),
            codec: self.remote.map(|remote| remote.receive.codec),
            heard: self.heard(),
            told: self.told(),
            ..self.stats
        }
    }

    /// How the peer's stream came to us.
    fn heard(&self) -> Option<Quality> {
        let Remote { receive, .. } = self.remote?;
        let counted = Counted {
            codec: receive.codec,
            packet: self.remote?.packet_time(),
            expected: self.reception.expected_in_all(),
            lost: self.reception.lost(),
            bursts: Some(self.reception.bursts()),
            jitter_us: self.reception.jitter_us(),
            round_trip: self.round_trip(),
        };
        counted.quality()
    }

    /// How ours came to the peer, by its last report.
    fn told(&self) -> Option<Quality> {
        let (remote, told) = (self.remote?, self.told?);
        // What has been sent since the packet that it names was still on its way.
        let since = self.stream.next_sequence().wrapping_sub(told.highest.wrapping_add(1));
        let expected = self.stream.numbers().wrapping_sub(self.heard_from);
        let expected = expected.saturating_sub(u32::from(since).min(MOST_ON_ITS_WAY));
        let counted = Counted {
            codec: remote.send.codec,
            packet: remote.packet_time(),
            expected: expected.into(),
            lost: u64::try_from(told.lost).unwrap_or(0),
            bursts: None,
            jitter_us: told.jitter.saturating_mul(125) / remote.send.codec.clock_ratio(),
            round_trip: self.round_trip(),
        };
        counted.quality()
    }

    fn round_trip(&self) -> Option<Duration> {
        self.stats.round_trip_us.map(Duration::from_micros)
    }
}
