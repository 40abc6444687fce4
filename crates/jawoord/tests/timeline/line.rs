//! A bridged and tapped call on virtual time: two senders with clocks of their own, a network that
//! delays, doubles and loses, the relay, the tap and the reel that writes.

use std::{cmp::Reverse, collections::BinaryHeap, io::Cursor, net::SocketAddr, time::Duration};

use call::{Call, Connection, Party, Pause, Time};
use jawoord::recorder::reel::Reel;
use media::{
    Codec, Country, Encoder, Format, Header, LegStart, Relay, Remote, Tap, TapReader, Tones, ring,
};
use vault::{Absence, Heard, Reader, Writer, WriterConfig};

use crate::support::{Bench, Dice, RECORDING, START, granted, metadata, seed, slip};

/// What the network adds at least, in microseconds.
pub(crate) const DELAY_US: u64 = 5_000;
/// The time between two looks at what is due.
const STEP: Duration = Duration::from_millis(20);

/// Both know comfort noise by its static payload type (RFC 3389 §4).
const NOISE: Option<(u8, u8)> = Some((13, 13));

/// What a sender says: the sample of its own clock.
pub(crate) type Speech = Box<dyn Fn(u64) -> i16>;

/// One end: it sends a packet each 20 ms of its own clock.
struct Sender {
    party: Party,
    speech: Speech,
    /// How much its clock runs fast, in millionths.
    ppm: i64,
    format: Format,
    encoder: Encoder,
    ssrc: u32,
    /// Packets made so far.
    made: u64,
    /// What it plays instead of speaking, in the codec of its format, over and over.
    plays: Option<&'static [u8]>,
    /// Each part of it has its length before it.
    slots: bool,
}

/// A packet on its way.
type OnItsWay = Reverse<(u64, u64, bool, Vec<u8>)>;

/// A call.
pub(crate) struct Line {
    now: Time,
    relay: Relay,
    senders: [Sender; 2],
    network: BinaryHeap<OnItsWay>,
    dice: Dice,
    /// The most that the network adds to its delay, in microseconds.
    pub(crate) jitter_us: u64,
    /// Whether a packet is lost: who sends it, and its number from 0.
    pub(crate) loses: Box<dyn Fn(Party, u64) -> bool>,
    /// Whether a packet is comfort noise.
    pub(crate) hums: Box<dyn Fn(Party, u64) -> bool>,
    bench: Bench,
    reader: Option<TapReader>,
    reel: Option<Reel>,
    call: Option<Call>,
}

/// What was recorded.
pub(crate) struct Recorded {
    /// When it begins, in seconds of the call.
    pub(crate) started: f64,
    /// Customer and agent at 8,000 Hz.
    pub(crate) samples: [Vec<i16>; 2],
    /// The rate at which it is given out, and both at that rate.
    pub(crate) rate_hz: u32,
    pub(crate) whole: [Vec<i16>; 2],
    /// Channel, first sample and length of each gap that is a loss, joined over seconds.
    pub(crate) gaps: Vec<(usize, u64, u64)>,
    /// The same of those in which a party rested.
    pub(crate) rests: Vec<(usize, u64, u64)>,
    /// The same of those that the house wanted.
    pub(crate) pauses: Vec<(usize, u64, u64)>,
}

fn address(party: Party) -> SocketAddr {
    let host = if party == Party::Customer { [192, 0, 2, 1] } else { [198, 51, 100, 7] };
    SocketAddr::from((host, 4_000))
}

fn format(codec: Codec) -> Format {
    Format { codec, payload_type: codec.usual_payload_type(), event_payload_type: None }
}

fn remote(party: Party, codec: Codec) -> Remote {
    let rtp = address(party);
    let rtcp = SocketAddr::new(rtp.ip(), 4_001);
    let format = format(codec);
    let (packet_ms, noise, latching) = (20, NOISE, None);
    Remote {
        rtp,
        rtcp,
        send: format,
        receive: format,
        hears: true,
        sends: true,
        packet_ms,
        event_ratio: codec.clock_ratio() as u16,
        noise,
        latching,
    }
}

impl Line {
    /// A call that is not connected yet; both ends send A-law from the beginning.
    pub(crate) fn new(speech: [Speech; 2], ppm: [i64; 2]) -> Self {
        let (one, two) = (LegStart::from_random([7; 32]), LegStart::from_random([9; 32]));
        let mut relay = Relay::new(START, &one, &two, Tones::new(Country::Nl));
        for party in [Party::Customer, Party::Agent] {
            relay.set_remote(START, party, remote(party, Codec::Pcma));
        }
        let [customer, agent] = speech;
        let [fast, slow] = ppm;
        let sender = |party, speech, ppm, ssrc| Sender {
            party,
            speech,
            ppm,
            format: format(Codec::Pcma),
            encoder: Encoder::new(Codec::Pcma),
            ssrc,
            made: 0,
            plays: None,
            slots: false,
        };
        Self {
            now: START,
            relay,
            senders: [
                sender(Party::Customer, customer, fast, 1),
                sender(Party::Agent, agent, slow, 2),
            ],
            network: BinaryHeap::new(),
            dice: Dice(1),
            jitter_us: 0,
            loses: Box::new(|_, _| false),
            hums: Box::new(|_, _| false),
            bench: Bench::new(),
            reader: None,
            reel: None,
            call: None,
        }
    }

    /// The parties are connected, and what they say is recorded from now on.
    pub(crate) fn record(&mut self) {
        self.relay.connect(self.now, Connection::Bridged);
        let (permit, call) = granted(RECORDING, call::Parties::BOTH);
        let config = WriterConfig { codecs: [vault::Codec::Pcma; 2], metadata: metadata() };
        self.reel = Some(Reel::new(Writer::create(&permit, seed(), &config).unwrap()));
        let (feed, reader) = ring(24);
        self.relay.insert_tap(self.now, Tap::open(permit, feed));
        (self.reader, self.call) = (Some(reader), Some(call));
    }

    /// Somebody holds the call from now on, or nobody.
    pub(crate) fn hold(&mut self, held: bool) {
        if held { self.relay.pause(self.now, Pause::Hold) } else { self.relay.resume(self.now) }
    }

    /// The house wants silence from now on; who holds besides changes nothing.
    pub(crate) fn pause(&mut self) {
        self.relay.pause(self.now, Pause::Wanted);
    }

    /// One side speaks another codec from now on.
    pub(crate) fn speak(&mut self, party: Party, codec: Codec) {
        self.relay.set_remote(self.now, party, remote(party, codec));
        let sender = &mut self.senders[usize::from(party == Party::Agent)];
        (sender.format, sender.encoder) = (format(codec), Encoder::new(codec));
        sender.plays = None;
    }

    /// One side plays this from now on, whose packets begin at every 160 bytes.
    pub(crate) fn play(&mut self, party: Party, codec: Codec, coded: &'static [u8]) {
        self.speak(party, codec);
        let sender = &mut self.senders[usize::from(party == Party::Agent)];
        (sender.plays, sender.slots) = (Some(coded), false);
    }

    /// The same of packets shorter than that, which have their length before them.
    pub(crate) fn play_slots(&mut self, party: Party, codec: Codec, coded: &'static [u8]) {
        self.play(party, codec, coded);
        self.senders[usize::from(party == Party::Agent)].slots = true;
    }

    /// Another source takes over on one side, with other timestamps.
    pub(crate) fn replace(&mut self, party: Party) {
        self.senders[usize::from(party == Party::Agent)].ssrc += 1_000;
    }

    /// Lets time pass.
    pub(crate) fn run(&mut self, seconds: f64) {
        let end = self.now + Duration::from_secs_f64(seconds);
        while self.now < end {
            self.now = self.now + STEP;
            self.send();
            self.deliver();
            self.work();
        }
    }

    fn elapsed_us(&self) -> u64 {
        u64::try_from(self.now.since(START).as_micros()).unwrap()
    }

    /// Packets that the senders' clocks make by now are on their way.
    fn send(&mut self) {
        let now = self.elapsed_us();
        for sender in &mut self.senders {
            loop {
                let own = sender.made * 20_000;
                let spoken =
                    own.checked_add_signed(-((own as i64) * sender.ppm / 1_000_000)).unwrap();
                if spoken > now {
                    break;
                }
                let number = sender.made;
                let packet = sender.packet((self.hums)(sender.party, number));
                let lost = (self.loses)(sender.party, number);
                let doubled = self.dice.below(100) == 0;
                for _ in 0..u8::from(!lost) * (1 + u8::from(doubled)) {
                    let arrives = spoken + DELAY_US + self.dice.below(self.jitter_us + 1);
                    let agent = sender.party == Party::Agent;
                    self.network.push(Reverse((arrives, number, agent, packet.clone())));
                }
            }
        }
    }

    fn deliver(&mut self) {
        let now = self.elapsed_us();
        while self.network.peek().is_some_and(|Reverse((arrives, ..))| *arrives <= now) {
            let Some(Reverse((arrives, _, agent, mut packet))) = self.network.pop() else { return };
            let party = if agent { Party::Agent } else { Party::Customer };
            let at = START + Duration::from_micros(arrives);
            let length = packet.len();
            let _verdict = self.relay.receive(at, party, address(party), (&mut packet, length));
        }
    }

    /// What a worker and a recorder do meanwhile.
    fn work(&mut self) {
        self.relay.handle_timeout(self.now);
        let mut scratch = [0; 512];
        while self.relay.poll_transmit(self.now, &mut scratch).is_some() {}
        while self.relay.poll_event().is_some() {}
        let (Some(reader), Some(reel)) = (&mut self.reader, &mut self.reel) else { return };
        while let Some(block) = reader.pop() {
            reel.take(&block).unwrap();
            reader.give_back(block);
        }
        while let Some(record) = reel.poll_record() {
            self.bench.spool.append(&record).unwrap();
        }
    }

    /// Ends the call and reads what was recorded of it.
    pub(crate) fn end(mut self) -> Recorded {
        self.relay.close(self.now);
        let mut reader = self.reader.take().unwrap();
        let mut reel = self.reel.take().unwrap();
        let mut started = None;
        while let Some(block) = reader.pop() {
            started = Some(block.started());
            reel.take(&block).unwrap();
            reader.give_back(block);
        }
        for record in reel.finish().unwrap() {
            self.bench.spool.append(&record).unwrap();
        }
        let (_sealed, object) = self.bench.store(RECORDING);
        let mut reader = Reader::open(Cursor::new(&object), slip()).unwrap();
        let mut pcm = vec![[0; 2]; usize::try_from(reader.frames()).unwrap()];
        assert_eq!(reader.read(0, &mut pcm).unwrap(), pcm.len());
        let rate_hz = reader.rate_hz();
        let whole: [Vec<i16>; 2] =
            [0, 1].map(|channel| pcm.iter().map(|pair| pair[channel]).collect());
        let step = (rate_hz / 8_000) as usize;
        let samples = [0, 1].map(|channel| whole[channel].iter().copied().step_by(step).collect());
        let started = started.unwrap().since(START).as_secs_f64();
        let listed = [Absence::NoAudio, Absence::Rest, Absence::Pause];
        let [gaps, rests, pauses] = listed.map(|why| gaps(&mut reader, why));
        Recorded { started, samples, rate_hz, whole, gaps, rests, pauses }
    }
}

/// Every gap that is listed with this reason, joined where one second's ends and the next one's begins.
fn gaps(reader: &mut Reader<Cursor<&Vec<u8>>>, why: Absence) -> Vec<(usize, u64, u64)> {
    let mut found: Vec<(usize, u64, u64)> = Vec::new();
    for second in 0..reader.seconds() {
        let Heard::Sound(sound) = reader.second(second).unwrap() else { continue };
        for gap in sound.gaps.iter().filter(|gap| gap.reason == why) {
            let (channel, length) = (usize::from(gap.channel), u64::from(gap.samples));
            let first = u64::from(second) * 8_000 + u64::from(gap.first);
            match found.iter_mut().rev().find(|gap| gap.0 == channel) {
                Some(last) if last.1 + last.2 == first => last.2 += length,
                Some(_) | None => found.push((channel, first, length)),
            }
        }
    }
    found
}

impl Sender {
    /// The packet of the next 20 ms of its clock.
    fn packet(&mut self, hums: bool) -> Vec<u8> {
        let first = self.made * 160;
        let header = Header {
            marker: false,
            payload_type: if hums { 13 } else { self.format.payload_type },
            sequence: self.made as u16,
            timestamp: (first as u32)
                .wrapping_mul(self.format.codec.clock_ratio())
                .wrapping_add(self.ssrc.wrapping_mul(0x9E37_79B9)),
            ssrc: self.ssrc,
        };
        self.made += 1;
        if hums {
            return header.encode().into_iter().chain([70]).collect();
        }
        if let Some(coded) = self.plays {
            let at = first as usize % coded.len();
            let slot = &coded[at..at + 160];
            let short = usize::from(slot[0]);
            let packet = if self.slots { &slot[1..=short] } else { slot };
            return [&header.encode(), packet].concat();
        }
        let samples = (first..first + 160).map(|at| self.encoder.encode((self.speech)(at)));
        header.encode().into_iter().chain(samples).collect()
    }
}
