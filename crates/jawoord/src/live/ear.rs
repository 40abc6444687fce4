//! What is heard in a trial call: packets, loss, jitter, level, and whether our own tone comes back.

use std::{f64::consts::TAU, net::SocketAddr};

use call::Time;
use media::{Decoder, RATE_HZ, Reception, parse_rtp};
use sip::Negotiated;

use crate::sound::coded;

/// The tone that a trial call plays, in hertz.
pub const TONE_HZ: f64 = 1_004.0;
/// Sound below this is silence: the least step of G.711 stands at -72 dBov.
const SILENCE_DBOV: f64 = -65.0;
/// Our tone has come back when it makes up so much of what is heard.
const ECHO_SHARE: f64 = 0.6;

/// Listens to one stream.
#[derive(Debug, Default)]
pub struct Ear {
    announced: Option<SocketAddr>,
    decoder: Option<Decoder>,
    /// The payload types of sound and of keys.
    formats: (u8, Option<u8>),
    reception: Reception,
    heard: Heard,
    samples: u64,
    energy: f64,
    tone: f64,
}

/// What was heard.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Heard {
    /// Packets of the announced stream, in the format that was agreed on.
    pub packets: u64,
    /// Of these, telephone events.
    pub events: u64,
    /// Packets that came from elsewhere.
    pub foreign: u64,
    /// Packets of the announced stream in another format.
    pub other: u64,
    /// Packets that did not come.
    pub lost: u64,
    /// Interarrival jitter in milliseconds.
    pub jitter_ms: u32,
    /// Milliseconds of sound in a packet.
    pub ptime_ms: u16,
    /// The mean level in decibels below a full-scale square wave (dBov); `None` for silence.
    pub level_dbov: Option<f64>,
    /// Whether it is our own tone.
    pub echo: bool,
}

impl Ear {
    /// Takes sound as both sides have agreed, from the address that was announced and from no
    /// other, as the node does.
    pub fn agree(&mut self, agreed: &Negotiated) {
        self.announced = agreed.remote_rtp;
        self.decoder = Some(Decoder::new(coded(agreed.codec)));
        self.formats = (agreed.receive_payload, agreed.receive_event);
    }

    /// Hears a datagram; one before an answer is nothing to judge by.
    pub fn hear(&mut self, now: Time, from: SocketAddr, octets: &[u8]) {
        let (sound, event) = self.formats;
        if self.decoder.is_none() {
            return;
        }
        let Ok(packet) = parse_rtp(octets) else { return };
        if Some(from) != self.announced {
            self.heard.foreign += 1;
            return;
        }
        if packet.payload_type != sound && Some(packet.payload_type) != event {
            self.heard.other += 1;
            return;
        }
        self.heard.packets += 1;
        self.reception.heard(now, &packet);
        if packet.payload_type == sound {
            self.listen(octets.get(packet.payload).unwrap_or_default());
        } else {
            self.heard.events += 1;
        }
    }

    /// Adds the energy of a payload, and that of our tone in it (Goertzel).
    fn listen(&mut self, payload: &[u8]) {
        let Some(decoder) = &mut self.decoder else { return };
        let rate = f64::from(RATE_HZ);
        let turn = 2.0 * (TAU * TONE_HZ / rate).cos();
        let (mut last, mut before) = (0.0, 0.0);
        for octet in payload {
            let sample = f64::from(decoder.decode(*octet)) / 32_768.0;
            self.energy += sample * sample;
            (last, before) = (sample + turn * last - before, last);
        }
        let power = last * last + before * before - turn * last * before;
        if !payload.is_empty() {
            self.tone += 2.0 * power / payload.len() as f64;
            let millis = payload.len() as u64 * 1_000 / u64::from(RATE_HZ);
            self.heard.ptime_ms = u16::try_from(millis).unwrap_or(u16::MAX);
        }
        self.samples += payload.len() as u64;
    }

    /// Notes a sender report of the far end, for ours.
    pub const fn told(&mut self, now: Time, middle: u32) {
        self.reception.told(now, middle);
    }

    /// The reception, for our reports.
    pub const fn reception(&mut self) -> &mut Reception {
        &mut self.reception
    }

    /// What was heard until now.
    #[must_use]
    pub fn heard(&self) -> Heard {
        let mean = if self.samples == 0 { 0.0 } else { self.energy / self.samples as f64 };
        let level = 10.0 * mean.max(f64::MIN_POSITIVE).log10();
        let loud = level > SILENCE_DBOV;
        Heard {
            lost: self.reception.lost(),
            jitter_ms: self.reception.jitter_samples() * 1_000 / RATE_HZ,
            level_dbov: loud.then_some(level),
            echo: loud && self.tone > ECHO_SHARE * self.energy,
            ..self.heard
        }
    }
}

#[cfg(test)]
mod tests {
    use media::{Header, Law};
    use sip::{Direction, Local, Own};

    use super::*;

    const FAR: &str = "192.0.2.9:4000";

    fn agreed() -> Negotiated {
        let local = Local::new("192.0.2.1:4000".parse().unwrap());
        let mut own = Own::new(1);
        let _offer = own.offer(&local);
        let answer = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n\
                      m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n";
        let agreed = own.read_answer(&local, answer.as_bytes()).unwrap();
        assert_eq!(agreed.direction, Direction::SendRecv);
        agreed
    }

    /// Packet `n` of a tone, a quarter of the full scale high; 0 Hz is silence.
    fn packet(n: u16, payload_type: u8, hz: f64) -> Vec<u8> {
        let header = Header {
            marker: false,
            payload_type,
            sequence: n,
            timestamp: u32::from(n) * 160,
            ssrc: 7,
        };
        let sample = |at: u32| (TAU * hz * f64::from(at) / 8_000.0).sin() * 8_192.0;
        let sound = (0..160).map(|at| sample(u32::from(n) * 160 + at) as i16);
        header.encode().into_iter().chain(sound.map(|sample| Law::A.encode(sample))).collect()
    }

    fn hears(numbers: impl IntoIterator<Item = u16>, payload_type: u8, hz: f64) -> Heard {
        let mut ear = Ear::default();
        ear.agree(&agreed());
        for n in numbers {
            let now = Time::from_micros(1_000_000 + u64::from(n) * 20_000);
            ear.hear(now, FAR.parse().unwrap(), &packet(n, payload_type, hz));
        }
        ear.heard()
    }

    #[test]
    fn a_stream_is_counted_with_its_loss_its_level_and_its_packet_time() {
        let heard = hears((0..100).filter(|n| n % 10 != 5), 8, 440.0);
        assert_eq!((heard.packets, heard.lost, heard.ptime_ms), (90, 10, 20));
        assert_eq!((heard.jitter_ms, heard.foreign, heard.echo), (0, 0, false));
        // A quarter of the full scale is -12 dB, and a sine has 3 dB less than its peak.
        let level = heard.level_dbov.unwrap();
        assert!((level + 15.05).abs() < 0.2, "{level}");
    }

    #[test]
    fn our_own_tone_is_known_again_and_silence_is_called_so() {
        assert!(hears(0..50, 8, TONE_HZ).echo);
        let silent = hears(0..50, 8, 0.0);
        assert_eq!((silent.packets, silent.level_dbov, silent.echo), (50, None, false));
    }

    #[test]
    fn what_comes_from_elsewhere_or_in_another_format_is_not_heard() {
        let mut ear = Ear::default();
        ear.hear(Time::default(), FAR.parse().unwrap(), &packet(0, 8, 440.0));
        ear.agree(&agreed());
        ear.hear(Time::default(), "192.0.2.9:4002".parse().unwrap(), &packet(1, 8, 440.0));
        ear.hear(Time::default(), FAR.parse().unwrap(), &packet(2, 18, 440.0));
        ear.hear(Time::default(), FAR.parse().unwrap(), b"no RTP");
        let heard = ear.heard();
        assert_eq!((heard.packets, heard.foreign, heard.other), (0, 1, 1));
        assert_eq!(hears([1], 101, 0.0).events, 1);
    }
}
