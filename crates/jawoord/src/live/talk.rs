//! The sound of a trial call: a tone and a key go out, what comes in is heard, and reports are read.

use std::{io, net::SocketAddr, time::Duration};

use media::{HEADER_LEN, ReportBlock, Reporter, Sending, TOKEN_LEN, parse_rtcp};
use sip::Negotiated;
use tokio::{
    net::UdpSocket,
    time::{Interval, MissedTickBehavior, interval},
};

use super::ear::{Ear, Heard, TONE_HZ};
use crate::{clock::Clock, phone::speech::Speech, port::Pair};

/// A packet of ours.
const FRAME: Duration = Duration::from_millis(20);
/// The key that is pressed, and after how many packets.
const KEY: (char, u32) = ('5', 50);
/// Larger than any RTP or RTCP packet of a telephone call.
const DATAGRAM: usize = 2_048;

/// What the far end has said of our sound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reported {
    /// The largest share of packets lost between two reports, in percent.
    pub lost_percent: u32,
    /// The latest interarrival jitter in milliseconds.
    pub jitter_ms: u32,
    /// The latest round trip in milliseconds, if it can be told.
    pub trip_ms: Option<u64>,
}

/// Random parts of a stream: its source, its name in reports, and the spread of these.
#[derive(Clone, Copy, Debug)]
pub struct Chance {
    /// Synchronisation source.
    pub ssrc: u32,
    /// Canonical name.
    pub token: [u8; TOKEN_LEN],
    /// Seed of the intervals.
    pub seed: u64,
}

/// Both directions of the sound.
pub struct Talk {
    rtp: UdpSocket,
    rtcp: UdpSocket,
    /// Where sound and reports go, once it is agreed.
    far: Option<(SocketAddr, Option<SocketAddr>)>,
    clock: Clock,
    speech: Speech,
    ear: Ear,
    reporter: Reporter,
    ssrc: u32,
    frames: Interval,
    packets: u32,
    octets: u32,
    pressed: bool,
    reported: Option<Reported>,
    buffers: [Box<[u8]>; 2],
}

impl Talk {
    /// Silence on this pair until something is agreed.
    ///
    /// # Errors
    /// The sockets cannot be watched.
    pub fn new(pair: Pair, clock: Clock, chance: Chance) -> io::Result<Self> {
        let mut frames = interval(FRAME);
        frames.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut speech = Speech::new(chance.ssrc);
        speech.speak(TONE_HZ);
        Ok(Self {
            rtp: UdpSocket::from_std(pair.rtp)?,
            rtcp: UdpSocket::from_std(pair.rtcp)?,
            far: None,
            clock,
            speech,
            ear: Ear::default(),
            reporter: Reporter::new(chance.token, chance.seed),
            ssrc: chance.ssrc,
            frames,
            packets: 0,
            octets: 0,
            pressed: false,
            reported: None,
            buffers: [vec![0; DATAGRAM].into(), vec![0; DATAGRAM].into()],
        })
    }

    /// Speaks and hears as both sides have agreed.
    pub fn agree(&mut self, agreed: &Negotiated) {
        if self.far.is_none() {
            self.frames.reset();
            self.reporter.start(self.clock.now());
        }
        let rtp = agreed.remote_rtp.filter(|_| agreed.direction.sends());
        self.far = rtp.map(|rtp| (rtp, agreed.remote_rtcp));
        self.speech.agree(agreed);
        self.ear.agree(agreed);
    }

    /// Does the next thing: sends what is due, or hears what has come. It may be dropped at any
    /// time and called again.
    pub async fn step(&mut self) {
        let [sound, reports] = &mut self.buffers;
        tokio::select! {
            _ = self.frames.tick() => self.frame(),
            Ok((length, from)) = self.rtp.recv_from(sound) => {
                let octets = sound.get(..length).unwrap_or_default();
                self.ear.hear(self.clock.now(), from, octets);
            }
            Ok((length, _)) = self.rtcp.recv_from(reports) => self.report(length),
        }
    }

    fn frame(&mut self) {
        if self.packets == KEY.1 && !self.pressed && self.speech.has_keys() {
            self.speech.press(KEY.0);
            self.pressed = true;
        }
        let Some((rtp, rtcp)) = self.far else { return };
        if let Some(packet) = self.speech.frame(true) {
            // What does not go out is lost to the far end, which says so.
            let _lost = self.rtp.try_send_to(&packet, rtp);
            self.packets += 1;
            self.octets += u32::try_from(packet.len() - HEADER_LEN).unwrap_or_default();
        }
        let now = self.clock.now();
        if let Some(rtcp) = rtcp.filter(|_| self.reporter.due().is_some_and(|due| due <= now)) {
            self.tell(rtcp, false);
        }
    }

    /// Reports to the far end (RFC 3550 §6.4); the last report says goodbye.
    fn tell(&mut self, rtcp: SocketAddr, goodbye: bool) {
        let (packets, octets) = (self.packets, self.octets);
        let sending =
            Sending { ssrc: self.ssrc, timestamp: self.speech.timestamp(), packets, octets };
        let mut out = [0; 128];
        let reception = self.ear.reception();
        let length = self.reporter.write(self.clock.now(), &sending, reception, goodbye, &mut out);
        let _lost = self.rtcp.try_send_to(out.get(..length).unwrap_or_default(), rtcp);
    }

    fn report(&mut self, length: usize) {
        let octets = self.buffers[1].get(..length).unwrap_or_default();
        let Ok(told) = parse_rtcp(octets, self.ssrc) else { return };
        let now = self.clock.now();
        if let Some((_, middle)) = told.sender {
            self.ear.told(now, middle);
        }
        if let Some(block) = told.about_us {
            self.about_us(&block);
        }
    }

    fn about_us(&mut self, block: &ReportBlock) {
        let before = self.reported.unwrap_or_default();
        let trip = block.round_trip_us(self.clock.now()).map(|us| us / 1_000);
        self.reported = Some(Reported {
            lost_percent: before.lost_percent.max(u32::from(block.fraction_lost) * 100 / 256),
            jitter_ms: block.jitter * 1_000 / media::RATE_HZ,
            trip_ms: trip.or(before.trip_ms),
        });
    }

    /// Falls silent, and says goodbye.
    pub fn end(&mut self) {
        if let Some((_, Some(rtcp))) = self.far.take() {
            self.tell(rtcp, true);
        }
    }

    /// What was heard.
    #[must_use]
    pub fn heard(&self) -> Heard {
        self.ear.heard()
    }

    /// What the far end has said of our sound, if it has.
    #[must_use]
    pub const fn reported(&self) -> Option<Reported> {
        self.reported
    }

    /// Packets that went out, and whether the key was among them.
    #[must_use]
    pub const fn sent(&self) -> (u32, bool) {
        (self.packets, self.pressed)
    }
}
