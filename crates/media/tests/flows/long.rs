//! Ten million packets and reports, real ones damaged by chance, through calls with a tap in place.

use std::net::SocketAddr;

use call::{Connection, Party};
use media::{HEADER_LEN, Header, Verdict, parse_rtcp, parse_rtp};

use crate::{
    fuzz::Chance,
    stage::{AGENT, CUSTOMER, Stage, address, ms},
};

const PACKETS: u64 = 10_000_000;
/// So many go through one call; then the next begins with a tap of its own.
const PER_CALL: u64 = 100_000;
const FIRST_SEED: u64 = 0x6A09_E667_F3BC_C908;
/// Whose reception the damaged reports tell of.
const OURS: u32 = 0x1234_5678;

/// A datagram in the making.
struct Datagram {
    bytes: [u8; 256],
    length: usize,
}

impl Datagram {
    const EMPTY: Self = Self { bytes: [0; 256], length: 0 };

    fn all(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.length]
    }

    fn noise(&mut self, chance: &mut Chance, length: u64) {
        self.length = length as usize;
        for piece in self.bytes.chunks_exact_mut(8) {
            piece.copy_from_slice(&chance.next().to_ne_bytes());
        }
    }

    /// Sound, or one packet of a key press, as a phone sends it.
    fn packet(&mut self, chance: &mut Chance, party: Party, n: u64) {
        let format = if party == Party::Customer { CUSTOMER } else { AGENT };
        let key = chance.below(8) == 0;
        let header = Header {
            marker: chance.below(50) == 0,
            payload_type: if key { format.event_payload_type.unwrap() } else { 8 },
            sequence: n as u16,
            timestamp: (n / 5 * 160) as u32,
            ssrc: 7,
        };
        self.noise(chance, HEADER_LEN as u64 + if key { 4 } else { 160 });
        self.bytes[..HEADER_LEN].copy_from_slice(&header.encode());
        if key {
            // Digits: the key that withdraws comes by damage only, so that the tap lives for a while.
            self.bytes[HEADER_LEN] = chance.below(10) as u8;
        }
    }

    /// A sender report with a block, a description and a goodbye (RFC 3550 §6.1).
    fn report(&mut self, chance: &mut Chance) {
        self.noise(chance, 72);
        self.bytes[..4].copy_from_slice(&[0x81, 200, 0, 12]);
        self.bytes[28..32].copy_from_slice(&OURS.to_be_bytes());
        self.bytes[52..56].copy_from_slice(&[0x81, 202, 0, 2]);
        self.bytes[60..64].copy_from_slice(&[1, 1, b'x', 0]);
        self.bytes[64..68].copy_from_slice(&[0x81, 203, 0, 1]);
    }

    /// Up to four damages: a byte of the head, a byte anywhere, an end too early or too late.
    fn damage(&mut self, chance: &mut Chance) {
        for _ in 0..chance.below(5) {
            let byte = chance.next() as u8;
            match chance.below(8) {
                0..=2 => self.bytes[chance.below(16) as usize] = byte,
                3..=5 => self.bytes[chance.below(self.length.max(1) as u64) as usize] ^= byte,
                6 => self.length = chance.below(self.length as u64 + 1) as usize,
                _ => self.length = (self.length + usize::from(byte) % 40).min(self.bytes.len()),
            }
        }
    }
}

#[derive(Debug, Default)]
struct Tally {
    forwarded: u64,
    dropped: u64,
    own: u64,
    frames: u64,
    told: u64,
    no_report: u64,
}

/// A packet reaches the relay; what is sent on is plain, agreed and from the other leg's source.
fn arrive(stage: &mut Stage, party: Party, datagram: &mut Datagram, tally: &mut Tally) {
    let bytes = datagram.all();
    match stage.receive(party, address(party), bytes) {
        Verdict::Drop(_) => tally.dropped += 1,
        Verdict::Packed => tally.forwarded += 1,
        Verdict::Forward(transmit) => {
            tally.forwarded += 1;
            assert_eq!((transmit.party, transmit.to), (party.other(), address(party.other())));
            let sent = &bytes[transmit.bytes];
            let packet = parse_rtp(sent).unwrap();
            let agreed = if party == Party::Customer { AGENT } else { CUSTOMER };
            let types = [Some(agreed.payload_type), agreed.event_payload_type];
            assert!(types.contains(&Some(packet.payload_type)), "{packet:?}");
            assert_eq!(packet.payload, HEADER_LEN..sent.len());
        }
    }
}

/// A report reaches the parser and the relay; what is read is whole words to the last byte.
fn report(stage: &mut Stage, party: Party, datagram: &mut Datagram, tally: &mut Tally) {
    let bytes = datagram.all();
    match parse_rtcp(bytes, OURS) {
        Ok(_) => {
            tally.told += 1;
            assert!(!bytes.is_empty() && bytes.len().is_multiple_of(4), "{bytes:?}");
        }
        Err(_) => tally.no_report += 1,
    }
    let rtp = address(party);
    let from = SocketAddr::new(rtp.ip(), rtp.port() + 1);
    stage.relay.receive_report(stage.now, party, from, bytes);
}

/// What a worker and a recorder do meanwhile.
fn turn(stage: &mut Stage, chance: &mut Chance, tally: &mut Tally) {
    stage.now = stage.now + ms(chance.below(30));
    match chance.below(1_000) {
        0 => stage.connect(Connection::Early),
        1..=5 => stage.connect(Connection::Bridged),
        6 => stage.relay.hush(stage.now),
        7 => stage.relay.ring_back(stage.now, Party::Customer),
        _ => {}
    }
    stage.relay.handle_timeout(stage.now);
    let mut scratch = [0; 256];
    while stage.relay.poll_transmit(stage.now, &mut scratch).is_some() {
        tally.own += 1;
    }
    let reader = stage.reader.as_mut().unwrap();
    while let Some(block) = reader.pop() {
        tally.frames += block.frames().count() as u64;
        reader.give_back(block);
    }
    stage.take_events();
    stage.events.clear();
}

#[test]
fn ten_million_damaged_packets_and_reports_never_panic_and_what_is_sent_on_is_plain() {
    println!("first seed {FIRST_SEED:#x}");
    let (mut tally, mut datagram) = (Tally::default(), Datagram::EMPTY);
    for call in 0..PACKETS / PER_CALL {
        let mut chance = Chance(FIRST_SEED + call);
        let mut stage = Stage::granted();
        for n in 0..PER_CALL {
            let party = if chance.below(2) == 0 { Party::Customer } else { Party::Agent };
            if chance.below(8) == 0 {
                let length = chance.below(220);
                datagram.noise(&mut chance, length);
            } else {
                datagram.packet(&mut chance, party, n);
                datagram.damage(&mut chance);
            }
            arrive(&mut stage, party, &mut datagram, &mut tally);
            datagram.report(&mut chance);
            datagram.damage(&mut chance);
            report(&mut stage, party, &mut datagram, &mut tally);
            if n % 10 == 0 {
                turn(&mut stage, &mut chance, &mut tally);
            }
        }
        assert_eq!(stage.relay.stats().faults, 0, "call {call}");
    }
    println!("{tally:?}");
    assert_eq!(tally.forwarded + tally.dropped, PACKETS);
    let least = [tally.forwarded, tally.dropped, tally.told, tally.no_report];
    assert!(least.iter().all(|count| *count > PACKETS / 10), "{tally:?}");
    assert!(tally.frames > 100_000 && tally.own > 1_000, "{tally:?}");
}
