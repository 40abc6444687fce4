//! Tests of the reports: what we write is read, what is damaged is refused, nothing panics.

use super::*;
use crate::rtp::Packet;

fn packet(sequence: u16, timestamp: u32) -> Packet {
    Packet { marker: false, payload_type: 8, sequence, timestamp, ssrc: 77, payload: 12..172 }
}

fn at(ms: u64) -> Time {
    Time::from_micros(1_700_000_000_000_000 + ms * 1_000)
}

fn sending(packets: u32) -> Sending {
    Sending { ssrc: 0x0A0B_0C0D, timestamp: 0x1122_3344, packets, octets: packets * 160 }
}

#[test]
fn b_31_a_report_of_ours_is_a_compound_of_report_name_and_goodbye() {
    let mut reporter = Reporter::new([0xAB; TOKEN_LEN], 1);
    let mut reception = Reception::default();
    for n in [0, 1, 3, 4] {
        reception.heard(at(u64::from(n) * 20), &packet(0xFFFE_u16.wrapping_add(n), 160));
    }
    reception.told(at(90), 0x5566_7788);
    let mut out = [0; 112];
    let length = reporter.write(at(1_090), &sending(9), &mut reception, true, &mut out);
    let out = &out[..length];
    assert_eq!(length, 28 + 24 + 36 + 8);
    assert_eq!(out[..8], [0x81, 200, 0, 12, 0x0A, 0x0B, 0x0C, 0x0D]);
    // 2023-11-14T22:13:21.09Z in NTP time (RFC 5905 §6): 3,908,988,801 s and 0.09 of 2^32.
    assert_eq!(u32::from_be_bytes(out[8..12].try_into().unwrap()), 3_908_988_801);
    assert_eq!(u32::from_be_bytes(out[12..16].try_into().unwrap()), 386_547_056);
    assert_eq!(out[16..28], [0x11, 0x22, 0x33, 0x44, 0, 0, 0, 9, 0, 0, 5, 160]);
    // One of five lost, newest is 65,536 + 2, the peer's report came one second ago.
    assert_eq!(out[28..40], [0, 0, 0, 77, 51, 0, 0, 1, 0, 1, 0, 2]);
    assert_eq!(out[44..52], [0x55, 0x66, 0x77, 0x88, 0, 1, 0, 0]);
    assert_eq!(out[52..62], [0x81, 202, 0, 8, 0x0A, 0x0B, 0x0C, 0x0D, 1, 24]);
    assert_eq!(&out[62..88], b"abababababababababababab\0\0");
    assert_eq!(out[88..], [0x81, 203, 0, 1, 0x0A, 0x0B, 0x0C, 0x0D]);
    assert_eq!(reporter.due(), None);
    let told = parse(out, 77).unwrap();
    assert_eq!(told.sender, Some((0x0A0B_0C0D, ntp_middle(at(1_090)))));
    assert!(told.goodbye && told.about_us.unwrap().fraction_lost == 51);
}

#[test]
fn a_leg_that_sent_nothing_since_is_a_receiver_and_the_interval_varies_by_half() {
    let mut reporter = Reporter::new([0; TOKEN_LEN], 7);
    let mut out = [0; 112];
    reporter.start(at(0));
    let first = reporter.due().unwrap().since(at(0));
    assert!(first <= INTERVAL * 3 / 4, "{first:?}");
    let mut gaps = Vec::new();
    for _ in 0..200 {
        reporter.write(at(0), &sending(3), &mut Reception::default(), false, &mut out);
        gaps.push(reporter.due().unwrap().since(at(0)));
    }
    assert_eq!(out[..4], [0x80, 201, 0, 1]);
    assert!(gaps.iter().all(|gap| *gap >= INTERVAL / 2 && *gap <= INTERVAL * 3 / 2));
    assert!(gaps.iter().max().unwrap().abs_diff(*gaps.iter().min().unwrap()) > INTERVAL * 3 / 4);
    assert_eq!(
        reporter.write(at(0), &sending(3), &mut Reception::default(), false, &mut [0; 20]),
        0
    );
}

#[test]
fn the_round_trip_is_what_the_peer_did_not_hold() {
    let block = Block {
        fraction_lost: 0,
        lost: 0,
        highest: 0,
        jitter: 0,
        last_report: ntp_middle(at(0)),
        delay: 0x0001_0000,
    };
    let trip = block.round_trip_us(at(1_050)).unwrap();
    assert!((49_900..=50_100).contains(&trip), "{trip}");
    assert_eq!(block.round_trip_us(at(900)), None);
    assert_eq!(Block { last_report: 0, ..block }.round_trip_us(at(1_050)), None);
}

#[test]
fn jitter_grows_with_unevenness_and_loss_survives_a_new_source() {
    let mut reception = Reception::default();
    for n in 0..100_u16 {
        let uneven = u64::from(n % 2) * 5;
        reception.heard(at(u64::from(n) * 20 + uneven), &packet(n, u32::from(n) * 160));
    }
    let jitter = reception.jitter_samples();
    assert!((36..=41).contains(&jitter), "{jitter}");
    reception.heard(at(2_100), &packet(103, 16_480));
    assert_eq!(reception.lost(), 3);
    let other = Packet { ssrc: 78, ..packet(9, 9) };
    reception.heard(at(2_120), &other);
    assert_eq!(reception.lost(), 3);
    // A duplicate is not a gain.
    reception.heard(at(2_121), &other);
    assert_eq!(reception.lost(), 3);
}

#[test]
fn what_was_sent_lost_and_uneven_is_counted_over_all_sources_and_keys_are_not_uneven() {
    let mut reception = Reception::default();
    // Two packets and three packets are missing, and two of a second source.
    for n in (0..100_u16).filter(|n| ![20, 21, 50, 51, 52].contains(n)) {
        reception.heard(at(u64::from(n) * 20), &packet(n, u32::from(n) * 160));
    }
    // A key of a second: all its packets have its beginning's timestamp.
    for n in 100..150_u16 {
        reception.counted(&packet(n, 16_000));
    }
    for n in (0..50_u16).filter(|n| ![7, 9].contains(n)) {
        let other = Packet { ssrc: 78, ..packet(n, u32::from(n) * 160) };
        reception.heard(at(4_000 + u64::from(n) * 20), &other);
    }
    let counted = (reception.expected_in_all(), reception.lost(), reception.bursts());
    assert_eq!((counted, reception.jitter_us()), ((200, 7, 4), 0));
    let mut uneven = Reception::default();
    for n in 0..1_000_u16 {
        let late = u64::from(n % 2) * 5;
        uneven.heard(at(u64::from(n) * 20 + late), &packet(n, u32::from(n) * 160));
    }
    assert!((4_700..=5_000).contains(&uneven.jitter_us()), "{}", uneven.jitter_us());
}

#[test]
fn what_a_peer_lost_in_all_may_be_less_than_nothing() {
    for (octets, lost) in [([0, 0, 9], 9), ([0xFF, 0xFF, 0xFE], -2), ([0x80, 0, 0], -0x80_0000)] {
        let mut bytes = vec![0x81, 201, 0, 7, 0, 0, 0, 2, 0, 0, 0, 6, 3];
        bytes.extend(octets);
        bytes.extend([0, 1, 0xFF, 0xFD]);
        bytes.resize(32, 0);
        let block = parse(&bytes, 6).unwrap().about_us.unwrap();
        assert_eq!((block.fraction_lost, block.lost, block.highest), (3, lost, 0xFFFD));
    }
}

#[test]
fn b_31_compounds_of_several_reports_are_read_whole() {
    let block = |ssrc: u32, lost: u8| {
        let mut block = vec![0; 24];
        block[..4].copy_from_slice(&ssrc.to_be_bytes());
        block[4] = lost;
        block
    };
    let mut bytes = vec![0x80, 201, 0, 1, 0, 0, 0, 1];
    bytes.extend([0x82, 201, 0, 13, 0, 0, 0, 2]);
    bytes.extend(block(5, 1));
    bytes.extend(block(6, 99));
    bytes.extend([0x80, 204, 0, 2, 0, 0, 0, 2, b'n', b'a', b'm', b'e']);
    bytes.extend([0x81, 207, 0, 0]);
    let told = parse(&bytes, 6).unwrap();
    assert_eq!(told.about_us.unwrap().fraction_lost, 99);
    assert_eq!((told.sender, told.goodbye), (None, false));
}

#[test]
fn each_kind_of_damage_is_named() {
    assert_eq!(parse(&[], 1), Err(MalformedReport::Short));
    assert_eq!(parse(&[0x80, 201, 0, 1, 0, 0, 0], 1), Err(MalformedReport::Short));
    assert_eq!(parse(&[0x40, 201, 0, 0], 1), Err(MalformedReport::Version));
    assert_eq!(parse(&[0x80, 8, 0, 0], 1), Err(MalformedReport::Type));
    // One block announced, none there.
    assert_eq!(parse(&[0x81, 201, 0, 1, 0, 0, 0, 1], 1), Err(MalformedReport::Short));
    assert_eq!(parse(&[0x80, 200, 0, 1, 0, 0, 0, 1], 1), Err(MalformedReport::Short));
    assert_eq!(parse(&[0x80, 203, 0, 0, 1], 1), Err(MalformedReport::Short));
}

#[test]
fn random_bytes_never_panic() {
    let mut chance = 0x1234_5678_9ABC_DEF1_u64;
    let mut next = || {
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        chance
    };
    let mut read = 0;
    for _ in 0..200_000 {
        let length = next() as usize % 96;
        let mut bytes: Vec<u8> = (0..length).map(|_| next() as u8).collect();
        // Make the beginning plausible, so that the insides are reached.
        let shape = [0x80 | (next() as u8 & 3), 200 + next() as u8 % 8, 0, next() as u8 % 24];
        for (place, byte) in bytes.iter_mut().zip(shape) {
            *place = byte;
        }
        read += u32::from(parse(&bytes, 1).is_ok());
    }
    assert!(read > 100, "{read}");
}
