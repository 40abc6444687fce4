//! The RTP of one call of a peer: a tone, keys, and what comes in.

use std::{
    collections::VecDeque,
    f64::consts::TAU,
    net::{SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use crate::{
    arrival,
    peer::guard::Guard,
    sound::{decode_a, encode_a},
    stamp::Stamp,
};

/// A key lasts five packets; its end is sent three times (RFC 4733 §2.5.1.4).
const UPDATES: u16 = 5;
const ENDS: u16 = 3;
/// RFC 3551 §6.
const COMFORT_NOISE: u8 = 13;

pub(crate) struct Sound {
    pub(crate) socket: UdpSocket,
    pub(crate) remote: Option<SocketAddr>,
    pub(crate) event: u8,
    pub(crate) hz: f64,
    /// How long its packets last, in milliseconds.
    pub(crate) packet_ms: u16,
    /// Ticks of its clock in one of 8,000 Hz.
    pub(crate) clock: u32,
    phase: f64,
    pub(crate) sequence: u16,
    timestamp: u32,
    pub(crate) ssrc: u32,
    /// What it sends and receives is under SRTP.
    pub(crate) guard: Option<Guard>,
    /// So many packets more are lost on their way.
    pub(crate) lost: u16,
    /// The packet that went out last.
    pub(crate) last: Vec<u8>,
    next: Option<Instant>,
    key: Option<Key>,
    /// A key's two tones and for how many packets more they sound.
    pub(crate) dial: Option<(f64, f64, u16)>,
    dialled: u32,
    /// Nothing is said: comfort noise once (RFC 3389), and no packets.
    rests: bool,
    /// The next packet is the first of its kind.
    fresh: bool,
    /// What it plays instead of speaking: the payload type, and coded sound of 8,000 bytes a second.
    plays: Option<(u8, &'static [u8])>,
    /// How much of it has been played.
    played: usize,
    /// Its packets say which they are and when they were sent, counted from this moment.
    pub(crate) stamps: Option<Instant>,
    /// Keys that came in, and the timestamp of the last.
    pressed: VecDeque<char>,
    last_pressed: Option<u32>,
}

struct Key {
    event: u8,
    lost: bool,
    timestamp: u32,
    sent: u16,
}

impl Sound {
    pub(crate) fn new(ip: std::net::IpAddr, ssrc: u32) -> Self {
        let socket = even(ip);
        socket.set_nonblocking(true).expect("a socket");
        arrival::note(&socket);
        Self {
            socket,
            remote: None,
            event: 101,
            hz: 0.0,
            packet_ms: 20,
            clock: 1,
            phase: 0.0,
            sequence: ssrc as u16,
            timestamp: ssrc.rotate_left(9),
            ssrc,
            guard: None,
            lost: 0,
            last: Vec::new(),
            next: None,
            key: None,
            dial: None,
            dialled: 0,
            rests: false,
            fresh: false,
            plays: None,
            played: 0,
            stamps: None,
            pressed: VecDeque::new(),
            last_pressed: None,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.socket.local_addr().expect("an address")
    }

    pub(crate) fn begin(&mut self, remote: Option<SocketAddr>, now: Instant) {
        self.remote = remote;
        self.next.get_or_insert(now);
    }

    pub(crate) fn end(&mut self) {
        self.remote = None;
        self.next = None;
    }

    pub(crate) fn rest(&mut self, rests: bool) {
        (self.rests, self.fresh) = (rests, true);
    }

    pub(crate) fn play(&mut self, sound: Option<(u8, &'static [u8])>) {
        (self.plays, self.played) = (sound, 0);
    }

    pub(crate) fn press(&mut self, key: char, lost: bool) {
        let code = "0123456789*#ABCD".find(key).and_then(|code| u8::try_from(code).ok());
        let timestamp = self.timestamp;
        self.key = code.map(|event| Key { event, lost, timestamp, sent: 0 });
    }

    pub(crate) fn tick(&mut self, now: Instant) {
        while let Some(at) = self.next.filter(|at| *at <= now) {
            self.next = Some(at + Duration::from_millis(self.packet_ms.into()));
            self.sequence = self.sequence.wrapping_add(u16::from(self.frame()));
            self.timestamp = self.timestamp.wrapping_add(u32::from(self.packet_ms) * 8);
        }
    }

    /// The packet of this moment, if there is one.
    fn frame(&mut self) -> bool {
        let first = std::mem::take(&mut self.fresh);
        if self.rests {
            if first {
                self.send(COMFORT_NOISE, self.timestamp, &[70]);
            }
            return first;
        }
        let length = self.packet_ms * 8;
        let mut payload = Vec::with_capacity(length.into());
        if let Some((kind, coded)) = self.plays.filter(|_| self.key.is_none()) {
            let from = self.played % coded.len();
            payload.extend(coded.iter().cycle().skip(from).take(length.into()));
            self.played += usize::from(length);
            self.send(kind | u8::from(first) << 7, self.timestamp, &payload);
            return true;
        }
        for _ in 0..length {
            let sample = match self.dial {
                Some((row, column, _)) => {
                    let turn = f64::from(self.dialled) * TAU / 8_000.0;
                    self.dialled += 1;
                    (((turn * row).sin() + (turn * column).sin()) * 6_000.0) as i16
                }
                None if self.hz > 0.0 => (self.phase.sin() * 8_000.0) as i16,
                None => 0,
            };
            payload.push(encode_a(sample));
            self.phase = (self.phase + self.hz * TAU / 8_000.0) % TAU;
        }
        self.dial = self.dial.take().filter(|dial| dial.2 > 1).map(|(r, c, left)| (r, c, left - 1));
        let Some(mut key) = self.key.take() else {
            if let Some(since) = self.stamps {
                Stamp { number: self.sequence, sent: since.elapsed() }.write(&mut payload);
            }
            // The marker begins what comes after a pause (RFC 3551 §4.1).
            self.send(8 | u8::from(first) << 7, self.timestamp, &payload);
            return true;
        };
        key.sent += 1;
        let ended = key.sent > UPDATES;
        let [high, low] = (key.sent.min(UPDATES) * length * self.clock as u16).to_be_bytes();
        if !key.lost {
            let body = [key.event, 10 | u8::from(ended) << 7, high, low];
            self.send(self.event, key.timestamp, &body);
        }
        self.key = (key.sent < UPDATES + ENDS).then_some(key);
        true
    }

    fn send(&mut self, payload_type: u8, timestamp: u32, payload: &[u8]) {
        let Some(remote) = self.remote else { return };
        let mut packet = vec![0x80, payload_type];
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(timestamp.wrapping_mul(self.clock).to_be_bytes());
        packet.extend(self.ssrc.to_be_bytes());
        packet.extend(payload);
        if let Some(guard) = &mut self.guard {
            packet = guard.seal(&packet);
        }
        if self.lost > 0 {
            self.lost -= 1;
            return;
        }
        // What the network loses, a phone never knows of.
        let _lost = self.socket.send_to(&packet, remote);
        self.last = packet;
    }

    /// The next packet of sound: when it came, sequence number, timestamp, samples.
    pub(crate) fn hear(&mut self) -> Option<(Instant, u16, u32, Vec<i16>)> {
        let mut buffer = [0; 2_048];
        loop {
            let (length, _, at) = arrival::receive(&self.socket, &mut buffer).ok()?;
            let packet = buffer.get(..length)?;
            if packet.len() <= 12 {
                continue;
            }
            let timestamp = u32::from_be_bytes([packet[4], packet[5], packet[6], packet[7]]);
            if packet[1] & 0x7f == self.event && self.last_pressed != Some(timestamp) {
                self.last_pressed = Some(timestamp);
                self.pressed.extend("0123456789*#ABCD".chars().nth(usize::from(packet[12])));
            }
            if packet[1] & 0x7f == 8 {
                let sequence = u16::from_be_bytes([packet[2], packet[3]]);
                return Some((
                    at,
                    sequence,
                    timestamp,
                    packet[12..].iter().map(|b| decode_a(*b)).collect(),
                ));
            }
        }
    }
}

impl Sound {
    /// The next key that came in.
    pub(crate) fn pressed(&mut self) -> Option<char> {
        self.pressed.pop_front()
    }
}

fn even(ip: std::net::IpAddr) -> UdpSocket {
    loop {
        let socket = UdpSocket::bind((ip, 0)).expect("a free port");
        if socket.local_addr().is_ok_and(|address| address.port() % 2 == 0) {
            return socket;
        }
    }
}
