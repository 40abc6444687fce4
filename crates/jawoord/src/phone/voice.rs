//! The sound of a softphone: what it says goes out every 20 ms, and what comes in is heard.

use std::{
    net::{SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use media::{g711, parse_rtp};
use sip::Negotiated;

use super::{Payloads, speech::Speech};

const FRAME: Duration = Duration::from_millis(20);

/// What a phone speaks and hears in one call.
pub(super) struct Voice {
    socket: UdpSocket,
    remote: Option<SocketAddr>,
    speech: Speech,
    next: Option<Instant>,
}

impl Voice {
    pub(super) fn new(socket: UdpSocket, ssrc: u32) -> Self {
        Self { socket, remote: None, speech: Speech::new(ssrc), next: None }
    }

    pub(super) fn speak(&mut self, hz: f64) {
        self.speech.speak(hz);
    }

    pub(super) fn utter(&mut self, payloads: Payloads) {
        self.speech.utter(payloads);
    }

    pub(super) fn press(&mut self, key: char) {
        self.speech.press(key);
    }

    pub(super) fn agree(&mut self, agreed: &Negotiated, now: Instant) {
        self.remote = agreed.remote_rtp.filter(|_| agreed.direction.sends());
        self.speech.agree(agreed);
        self.next.get_or_insert(now);
    }

    pub(super) const fn silence(&mut self) {
        self.remote = None;
        self.next = None;
        self.speech.let_go();
    }

    pub(super) fn tick(&mut self, now: Instant) {
        while let Some(at) = self.next.filter(|at| *at <= now) {
            self.next = Some(at + FRAME);
            if let (Some(packet), Some(remote)) =
                (self.speech.frame(self.remote.is_some()), self.remote)
            {
                // What the network loses, a phone never knows of.
                let _lost = self.socket.send_to(&packet, remote);
            }
        }
    }

    /// The next 20 ms that have come in, decoded; nothing for what is no sound.
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
