//! The sound of a softphone: packets of 20 ms with a tone, keys as events, and what comes in.

use std::{
    f64::consts::TAU,
    net::{SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use media::{Codec, Header, g711, parse_rtp};
use sip::Negotiated;

use super::Payloads;

const FRAME: Duration = Duration::from_millis(20);
const FRAME_SAMPLES: u32 = 160;
/// A key lasts five packets; its end is sent three times (RFC 4733 §2.5.1.4).
const KEY_PACKETS: u16 = 5;
const KEY_ENDS: u16 = 3;

struct KeyPress {
    event: u8,
    timestamp: u32,
    sent: u16,
}

/// What a phone speaks and hears in one call.
pub(super) struct Voice {
    socket: UdpSocket,
    remote: Option<SocketAddr>,
    codec: Codec,
    payload_type: u8,
    event_type: Option<u8>,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
    payloads: Option<Payloads>,
    tone_hz: f64,
    phase: f64,
    next: Option<Instant>,
    press: Option<KeyPress>,
}

impl Voice {
    pub(super) fn new(socket: UdpSocket, ssrc: u32) -> Self {
        Self {
            socket,
            remote: None,
            codec: Codec::Pcma,
            payload_type: 8,
            event_type: None,
            sequence: ssrc as u16,
            timestamp: ssrc.rotate_left(7),
            ssrc,
            payloads: None,
            tone_hz: 0.0,
            phase: 0.0,
            next: None,
            press: None,
        }
    }

    pub(super) fn speak(&mut self, hz: f64) {
        self.payloads = None;
        self.tone_hz = hz;
    }

    pub(super) fn utter(&mut self, payloads: Payloads) {
        self.payloads = Some(payloads);
    }

    pub(super) fn press(&mut self, key: char) {
        let code = "0123456789*#ABCD".find(key).and_then(|code| u8::try_from(code).ok());
        self.press = code.map(|event| KeyPress { event, timestamp: self.timestamp, sent: 0 });
    }

    pub(super) fn agree(&mut self, agreed: &Negotiated, now: Instant) {
        self.remote = agreed.remote_rtp.filter(|_| agreed.direction.sends());
        self.codec = match agreed.codec {
            sip::Codec::Pcma => Codec::Pcma,
            sip::Codec::Pcmu => Codec::Pcmu,
        };
        self.payload_type = agreed.send_payload;
        self.event_type = agreed.send_event;
        self.next.get_or_insert(now);
    }

    pub(super) const fn silence(&mut self) {
        self.remote = None;
        self.next = None;
        self.press = None;
    }

    /// Sends what is due.
    pub(super) fn tick(&mut self, now: Instant) {
        while let Some(at) = self.next.filter(|at| *at <= now) {
            self.next = Some(at + FRAME);
            self.frame();
        }
    }

    fn frame(&mut self) {
        match (self.press.take(), self.remote) {
            (Some(press), _) => self.key(press),
            (None, Some(_)) => {
                let payload = self.payload();
                self.send(self.payload_type, self.timestamp, &payload);
            }
            // On hold, time goes on without packets.
            (None, None) => {}
        }
        self.timestamp = self.timestamp.wrapping_add(FRAME_SAMPLES);
    }

    /// What the next packet of sound carries.
    fn payload(&mut self) -> [u8; FRAME_SAMPLES as usize] {
        if let Some(Payloads(make)) = &self.payloads {
            return make();
        }
        let mut payload = [0; FRAME_SAMPLES as usize];
        for byte in &mut payload {
            let sample = if self.tone_hz > 0.0 { (self.phase.sin() * 8_000.0) as i16 } else { 0 };
            *byte = self.codec.encode(sample);
            self.phase = (self.phase + self.tone_hz * TAU / 8_000.0) % TAU;
        }
        payload
    }

    /// One packet of a key, in the place of a packet of sound.
    fn key(&mut self, press: KeyPress) {
        let sent = press.sent + 1;
        let ended = sent > KEY_PACKETS;
        let duration = sent.min(KEY_PACKETS + 1) * FRAME_SAMPLES as u16;
        let [high, low] = duration.to_be_bytes();
        let payload = [press.event, 10 | u8::from(ended) << 7, high, low];
        if let Some(event_type) = self.event_type {
            self.send(event_type, press.timestamp, &payload);
        }
        if sent < KEY_PACKETS + KEY_ENDS {
            self.press = Some(KeyPress { sent, ..press });
        }
    }

    fn send(&mut self, payload_type: u8, timestamp: u32, payload: &[u8]) {
        let header = Header {
            marker: false,
            payload_type,
            sequence: self.sequence,
            timestamp,
            ssrc: self.ssrc,
        };
        self.sequence = self.sequence.wrapping_add(1);
        let packet = [&header.encode()[..], payload].concat();
        if let Some(remote) = self.remote {
            // What the network loses, a phone never knows of.
            let _lost = self.socket.send_to(&packet, remote);
        }
    }

    /// The next packet of sound that has come in, decoded.
    pub(super) fn hear(&self) -> Option<Vec<i16>> {
        let mut buffer = [0; 2_048];
        let (length, _) = self.socket.recv_from(&mut buffer).ok()?;
        let bytes = buffer.get(..length)?;
        let packet = parse_rtp(bytes).ok()?;
        let decode = match packet.payload_type {
            8 => g711::decode_a,
            0 => g711::decode_u,
            _ => return Some(Vec::new()),
        };
        Some(bytes.get(packet.payload)?.iter().map(|byte| decode(*byte)).collect())
    }
}
