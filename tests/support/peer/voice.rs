//! The sound of a peer: a tone and keys that it sends, and every RTP packet that comes in.

use std::{
    net::{IpAddr, SocketAddr, UdpSocket},
    sync::mpsc::{Receiver, Sender, TryRecvError, channel},
    thread,
    time::{Duration, Instant},
};

use super::guard::Guard;
use crate::{
    arrival,
    exchange::sound::Sound,
    sound::{decode_a, decode_u, level, share},
};

/// An RTP packet as it came in.
#[derive(Clone, Debug)]
pub struct Packet {
    /// When.
    pub at: Instant,
    /// From where.
    pub from: SocketAddr,
    /// The marker bit.
    pub marker: bool,
    /// Payload type.
    pub kind: u8,
    /// Sequence number.
    pub sequence: u16,
    /// Timestamp.
    pub timestamp: u32,
    /// Synchronisation source.
    pub ssrc: u32,
    /// What it carries.
    pub payload: Vec<u8>,
}

impl Packet {
    fn read(at: Instant, from: SocketAddr, octets: &[u8]) -> Option<Self> {
        let word = |start: usize| -> Option<u32> {
            octets.get(start..start + 4)?.try_into().ok().map(u32::from_be_bytes)
        };
        Some(Self {
            at,
            from,
            marker: octets.get(1)? & 0x80 != 0,
            kind: octets.get(1)? & 0x7f,
            sequence: u16::try_from(word(0)? & 0xffff).ok()?,
            timestamp: word(4)?,
            ssrc: word(8)?,
            payload: octets.get(12..)?.to_vec(),
        })
    }

    /// Its samples, when it holds G.711.
    #[must_use]
    pub fn samples(&self) -> Vec<i16> {
        let decode = match self.kind {
            0 => decode_u,
            8 => decode_a,
            _ => return Vec::new(),
        };
        self.payload.iter().map(|byte| decode(*byte)).collect()
    }

    /// Whether it holds more than silence.
    #[must_use]
    pub fn speaks(&self) -> bool {
        level(&self.samples()) > 99.0
    }

    /// Whether it holds this tone and little else.
    #[must_use]
    pub fn holds(&self, hz: f64) -> bool {
        let samples = self.samples();
        level(&samples) > 300.0 && share(&samples, hz) > 0.8
    }
}

enum Order {
    To(Option<SocketAddr>),
    Speak(f64),
    Play(Option<(u8, &'static [u8])>),
    Press(char),
    Dial(char),
    Events(u8),
    Rest(bool),
    Packets(u16),
    Clock(u32),
    Guard(Option<Box<Guard>>),
    Jump(u16, Option<u32>),
    Skip(u16),
    Raw(Vec<u8>),
    Again,
}

/// A peer's RTP port. It hears from the start and is silent until it is told where to send.
pub struct Voice {
    /// Where it receives; an even port of its own.
    pub own: SocketAddr,
    orders: Sender<Order>,
    inbox: Receiver<Packet>,
    heard: Vec<Packet>,
}

impl Voice {
    /// A voice on a free port.
    ///
    /// # Panics
    /// There is none.
    #[must_use]
    pub fn new(ip: IpAddr) -> Self {
        let (voice, singer) = Self::apart(ip);
        thread::spawn(move || sing(vec![singer]));
        voice
    }

    /// So many of them that share one thread.
    ///
    /// # Panics
    /// There are not so many ports.
    #[must_use]
    pub fn choir(ip: IpAddr, count: usize) -> Vec<Self> {
        let (voices, singers): (_, Vec<_>) = (0..count).map(|_| Self::apart(ip)).unzip();
        thread::spawn(move || sing(singers));
        voices
    }

    fn apart(ip: IpAddr) -> (Self, Singer) {
        let sound = Sound::new(ip, 0x4000_0000 | std::process::id());
        let (orders, wishes) = channel();
        let (heard, inbox) = channel();
        let own = sound.address();
        (Self { own, orders, inbox, heard: Vec::new() }, Singer { sound, wishes, heard })
    }

    fn order(&self, order: Order) {
        self.orders.send(order).expect("the voice lives as long as its owner");
    }

    /// Sends A-law silence there, every 20 ms, until told otherwise.
    pub fn talk_to(&self, remote: SocketAddr) {
        self.order(Order::To(Some(remote)));
    }

    /// Sends nothing any more.
    pub fn stop(&self) {
        self.order(Order::To(None));
    }

    /// Speaks a tone of so many hertz from now on; 0 is silence.
    pub fn speak(&self, hz: f64) {
        self.order(Order::Speak(hz));
    }

    /// Plays sound of 8,000 bytes a second over and over, under a payload type, until it is to speak
    /// again; keys come between.
    pub fn play(&self, sound: Option<(u8, &'static [u8])>) {
        self.order(Order::Play(sound));
    }

    /// Presses a key for 100 ms (RFC 4733).
    pub fn press(&self, key: char) {
        self.order(Order::Press(key));
    }

    /// Presses a key for 100 ms by the tones of ITU-T Q.23 in its sound.
    pub fn dial(&self, key: char) {
        self.order(Order::Dial(key));
    }

    /// The keys that have come in as telephone events of this payload type.
    pub fn keys(&mut self, payload_type: u8) -> String {
        let mut keys = String::new();
        let mut known = Vec::new();
        for packet in self.heard().iter().filter(|packet| packet.kind == payload_type) {
            if !known.contains(&packet.timestamp) {
                known.push(packet.timestamp);
                let code = packet.payload.first().copied().unwrap_or(u8::MAX);
                keys.push("0123456789*#ABCD".chars().nth(code.into()).unwrap_or('?'));
            }
        }
        keys
    }

    /// For how many milliseconds of sound a key's tones have come in.
    pub fn sounded(&mut self, key: char) -> usize {
        let (row, column) = tones(key);
        let both = |packet: &&Packet| {
            let samples = packet.samples();
            let (one, other) = (share(&samples, row), share(&samples, column));
            level(&samples) > 300.0 && one > 0.2 && other > 0.2 && one + other > 0.8
        };
        self.heard().iter().filter(both).count() * 20
    }

    /// The payload type of the keys; 101 unless told otherwise.
    pub fn events(&self, payload_type: u8) {
        self.order(Order::Events(payload_type));
    }

    /// Says nothing for a while, as a phone that saves its bandwidth: comfort noise (RFC 3389), then no
    /// packet at all; or goes on.
    pub fn rest(&self, rests: bool) {
        self.order(Order::Rest(rests));
    }

    /// The length of its packets, in milliseconds; 20 unless told otherwise.
    pub fn packets(&self, packet_ms: u16) {
        self.order(Order::Packets(packet_ms));
    }

    /// Its clock has so many ticks in a second, in sound and in keys; 8,000 unless told otherwise.
    pub fn clock(&self, hz: u32) {
        self.order(Order::Clock(hz));
    }

    /// What it sends is under SRTP from now on, and it hears nothing else; or it is plain again.
    pub fn guard(&self, guard: Option<Guard>) {
        self.order(Order::Guard(guard.map(Box::new)));
    }

    /// Its next packet has this sequence number, and is of another source if one is named.
    pub fn jump(&self, sequence: u16, ssrc: Option<u32>) {
        self.order(Order::Jump(sequence, ssrc));
    }

    /// So many of its next packets are lost on their way.
    pub fn skip(&self, packets: u16) {
        self.order(Order::Skip(packets));
    }

    /// Sends this between its packets, to where they go, as who has its address could.
    pub fn raw(&self, datagram: Vec<u8>) {
        self.order(Order::Raw(datagram));
    }

    /// Sends its last packet once more.
    pub fn again(&self) {
        self.order(Order::Again);
    }

    /// Everything that has come in until now.
    pub fn heard(&mut self) -> &[Packet] {
        self.heard.extend(self.inbox.try_iter());
        &self.heard
    }

    /// Waits until something is true of what has come in, and says whether it is within `millis`.
    #[must_use]
    pub fn until(&mut self, millis: u64, is: impl Fn(&[Packet]) -> bool) -> bool {
        let until = Instant::now() + Duration::from_millis(millis);
        while !is(self.heard()) {
            if Instant::now() > until {
                return false;
            }
            thread::sleep(Duration::from_millis(2));
        }
        true
    }

    /// Waits up to two seconds for 60 ms of a tone that came in after a moment, and says whether it is
    /// heard.
    #[must_use]
    pub fn hears(&mut self, hz: f64, since: Instant) -> bool {
        self.until(2_000, |packets| {
            let tones = packets.iter().filter(|packet| packet.at >= since && packet.holds(hz));
            tones.count() >= 3
        })
    }

    /// Waits up to three seconds for sound that came in after a moment, and says whether it is heard.
    #[must_use]
    pub fn is_spoken_to(&mut self, since: Instant) -> bool {
        self.until(3_000, |packets| {
            packets.iter().any(|packet| packet.at >= since && packet.speaks())
        })
    }

    /// When a tone was last heard.
    #[must_use]
    pub fn last(&mut self, hz: f64) -> Option<Instant> {
        self.heard().iter().rfind(|packet| packet.holds(hz)).map(|packet| packet.at)
    }

    /// The samples that came in from a moment on.
    #[must_use]
    pub fn since(&mut self, from: Instant) -> Vec<i16> {
        let late = self.heard().iter().filter(|packet| packet.at >= from);
        late.flat_map(Packet::samples).collect()
    }
}

/// Row and column of a key in hertz (ITU-T Q.23).
///
/// # Panics
/// It is no key.
#[must_use]
pub fn tones(key: char) -> (f64, f64) {
    let place = "123A456B789C*0#D".find(key).expect("a key");
    let (row, column) = (place / 4, place % 4);
    ([697.0, 770.0, 852.0, 941.0][row], [1_209.0, 1_336.0, 1_477.0, 1_633.0][column])
}

/// The other end of a voice.
struct Singer {
    sound: Sound,
    wishes: Receiver<Order>,
    heard: Sender<Packet>,
}

/// Lets voices sound as long as somebody has them.
fn sing(mut singers: Vec<Singer>) {
    // Many of them take their turns less often, and each still speaks at its pace.
    let rest = Duration::from_millis(if singers.len() > 10 { 5 } else { 2 });
    while !singers.is_empty() {
        thread::sleep(rest);
        singers.retain_mut(Singer::turn);
    }
}

impl Singer {
    /// Does what it is told and what is due; `false` when nobody has the voice any more.
    fn turn(&mut self) -> bool {
        // What is late is still of before an order.
        self.sound.tick(Instant::now());
        loop {
            match self.wishes.try_recv() {
                Ok(order) => self.obey(order),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
        while let Some((at, from, octets)) = next(&self.sound.socket) {
            let plain = match &mut self.sound.guard {
                Some(guard) => guard.open(&octets),
                None => Some(octets),
            };
            let Some(packet) = plain.and_then(|plain| Packet::read(at, from, &plain)) else {
                continue;
            };
            if self.heard.send(packet).is_err() {
                return false;
            }
        }
        true
    }

    fn obey(&mut self, order: Order) {
        let sound = &mut self.sound;
        match order {
            Order::To(Some(remote)) => sound.begin(Some(remote), Instant::now()),
            Order::To(None) => sound.end(),
            Order::Speak(hz) => sound.hz = hz,
            Order::Play(coded) => sound.play(coded),
            Order::Press(key) => sound.press(key, false),
            Order::Dial(key) => {
                let (row, column) = tones(key);
                sound.dial = Some((row, column, 5));
            }
            Order::Events(payload_type) => sound.event = payload_type,
            Order::Rest(rests) => sound.rest(rests),
            Order::Packets(packet_ms) => sound.packet_ms = packet_ms,
            Order::Clock(hz) => sound.clock = hz / 8_000,
            Order::Guard(guard) => sound.guard = guard.map(|guard| *guard),
            Order::Jump(sequence, ssrc) => {
                (sound.sequence, sound.ssrc) = (sequence, ssrc.unwrap_or(sound.ssrc));
            }
            Order::Skip(packets) => sound.lost = packets,
            Order::Raw(datagram) => throw(sound, &datagram),
            Order::Again if sound.last.is_empty() => {}
            Order::Again => throw(sound, &sound.last),
        }
    }
}

fn next(socket: &UdpSocket) -> Option<(Instant, SocketAddr, Vec<u8>)> {
    let mut buffer = [0; 2_048];
    let (length, from, at) = arrival::receive(socket, &mut buffer).ok()?;
    Some((at, from, buffer.get(..length)?.to_vec()))
}

fn throw(sound: &Sound, datagram: &[u8]) {
    if let Some(remote) = sound.remote {
        // What the network loses, nobody ever knows of.
        let _lost = sound.socket.send_to(datagram, remote);
    }
}
