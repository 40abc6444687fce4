//! What a phone says: packets of 20 ms with a tone or payloads of its maker, and keys as events.

use std::f64::consts::TAU;

use media::{Encoder, Header, Law};
use sip::Negotiated;

use super::Payloads;
use crate::sound::coded;

/// Samples in a packet.
pub const FRAME_SAMPLES: u32 = 160;
/// A key lasts five packets; its end is sent three times (RFC 4733 §2.5.1.4).
const KEY_PACKETS: u16 = 5;
const KEY_ENDS: u16 = 3;

/// A key that is being pressed.
#[derive(Clone, Copy, Debug)]
struct KeyPress {
    event: u8,
    timestamp: u32,
    sent: u16,
}

/// What is said in one call.
#[derive(Debug)]
pub struct Speech {
    encoder: Encoder,
    payload_type: u8,
    event_type: Option<u8>,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
    payloads: Option<Payloads>,
    tone_hz: f64,
    phase: f64,
    press: Option<KeyPress>,
}

impl Speech {
    /// Silence in A-law, from this synchronisation source.
    #[must_use]
    pub const fn new(ssrc: u32) -> Self {
        Self {
            encoder: Encoder::G711(Law::A),
            payload_type: 8,
            event_type: None,
            sequence: ssrc as u16,
            timestamp: ssrc.rotate_left(7),
            ssrc,
            payloads: None,
            tone_hz: 0.0,
            phase: 0.0,
            press: None,
        }
    }

    /// A tone of so many hertz from now on; 0 is silence. It peaks at a quarter of the full scale.
    pub fn speak(&mut self, hz: f64) {
        self.payloads = None;
        self.tone_hz = hz;
    }

    /// These payloads from now on, as they are.
    pub fn utter(&mut self, payloads: Payloads) {
        self.payloads = Some(payloads);
    }

    /// Presses a key for 100 ms; an unknown one is no key.
    pub fn press(&mut self, key: char) {
        let code = "0123456789*#ABCD".find(key).and_then(|code| u8::try_from(code).ok());
        self.press = code.map(|event| KeyPress { event, timestamp: self.timestamp, sent: 0 });
    }

    /// Lets go of a key.
    pub const fn let_go(&mut self) {
        self.press = None;
    }

    /// Speaks as both sides have agreed.
    pub fn agree(&mut self, agreed: &Negotiated) {
        self.encoder = Encoder::new(coded(agreed.codec));
        self.payload_type = agreed.send_payload;
        self.event_type = agreed.send_event;
    }

    /// Whether keys can be told as events.
    #[must_use]
    pub const fn has_keys(&self) -> bool {
        self.event_type.is_some()
    }

    /// The timestamp of the next packet.
    #[must_use]
    pub const fn timestamp(&self) -> u32 {
        self.timestamp
    }

    /// The packet of the next 20 ms; nothing when nobody is to hear it, and time goes on.
    pub fn frame(&mut self, heard: bool) -> Option<Vec<u8>> {
        let packet = match (self.press.take(), heard) {
            (Some(press), _) => self.key(press),
            (None, true) => {
                let payload = self.payload();
                Some(self.packet(self.payload_type, self.timestamp, &payload))
            }
            // On hold, time goes on without packets.
            (None, false) => None,
        };
        self.timestamp = self.timestamp.wrapping_add(FRAME_SAMPLES);
        packet.filter(|_| heard)
    }

    fn payload(&mut self) -> [u8; FRAME_SAMPLES as usize] {
        if let Some(Payloads(make)) = &self.payloads {
            return make();
        }
        let mut payload = [0; FRAME_SAMPLES as usize];
        for byte in &mut payload {
            let sample = if self.tone_hz > 0.0 { (self.phase.sin() * 8_000.0) as i16 } else { 0 };
            *byte = self.encoder.encode(sample);
            self.phase = (self.phase + self.tone_hz * TAU / 8_000.0) % TAU;
        }
        payload
    }

    /// One packet of a key; the last three say that it has ended.
    fn key(&mut self, press: KeyPress) -> Option<Vec<u8>> {
        let sent = press.sent + 1;
        let ended = sent > KEY_PACKETS;
        let duration = sent.min(KEY_PACKETS + 1) * FRAME_SAMPLES as u16;
        let [high, low] = duration.to_be_bytes();
        let payload = [press.event, 10 | u8::from(ended) << 7, high, low];
        if sent < KEY_PACKETS + KEY_ENDS {
            self.press = Some(KeyPress { sent, ..press });
        }
        let event_type = self.event_type?;
        Some(self.packet(event_type, press.timestamp, &payload))
    }

    fn packet(&mut self, payload_type: u8, timestamp: u32, payload: &[u8]) -> Vec<u8> {
        let header = Header {
            marker: false,
            payload_type,
            sequence: self.sequence,
            timestamp,
            ssrc: self.ssrc,
        };
        self.sequence = self.sequence.wrapping_add(1);
        [&header.encode()[..], payload].concat()
    }
}
