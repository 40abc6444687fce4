//! A million packets through a relay with a tap in place, and not one allocation.

#![allow(clippy::unwrap_used, reason = "a test may")]

#[path = "flows/stage.rs"]
#[allow(dead_code, reason = "the stage serves more tests than this one")]
mod stage;

use call::{Parties, Party, Prompt, Time};
use media::{Event, Law, PromptAudio, Verdict};

use stage::{Stage, ms};

const PACKETS: u32 = 1_000_000;

/// One way of a talk: packets of 20 ms whose numbers we count on without making new buffers.
struct Way {
    party: Party,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
    bytes: [u8; 172],
}

impl Way {
    fn header(&mut self, payload_type: u8, timestamp: u32) {
        let header = media::Header {
            marker: false,
            payload_type,
            sequence: self.sequence,
            timestamp,
            ssrc: self.ssrc,
        };
        self.sequence = self.sequence.wrapping_add(1);
        self.bytes[..12].copy_from_slice(&header.encode());
    }
}

/// What a worker does in 20 ms of one call: both packets, what is due, events, and a recorder.
fn turn(stage: &mut Stage, ways: &mut [Way; 2], n: u32, tally: &mut Tally) {
    for way in ways {
        let from = stage::address(way.party);
        // A key every two seconds: five packets of it instead of sound.
        let key = n % 100;
        let length = if key < 5 {
            let start = way.timestamp.wrapping_sub(160 * key);
            way.header(if way.party == Party::Customer { 96 } else { 101 }, start);
            let end = if key > 2 { 0x8A } else { 0x0A };
            let [high, low] = (u16::try_from(key).unwrap() * 160).to_be_bytes();
            way.bytes[12..16].copy_from_slice(&[5, end, high, low]);
            16
        } else {
            way.header(8, way.timestamp);
            way.bytes[12..].fill(n as u8);
            172
        };
        way.timestamp = way.timestamp.wrapping_add(160);
        let verdict = stage.receive(way.party, from, &mut way.bytes[..length]);
        tally.packets += 1;
        tally.forwarded += u32::from(matches!(verdict, Verdict::Forward(_)));
    }
    stage.relay.handle_timeout(stage.now);
    let mut scratch = [0; 256];
    while stage.relay.poll_transmit(stage.now, &mut scratch).is_some() {
        tally.own += 1;
    }
    while let Some(event) = stage.relay.poll_event() {
        tally.keys += u32::from(matches!(event, Event::Digit(..)));
        assert!(!matches!(event, Event::TapOverrun { .. } | Event::Fault), "{event:?}");
    }
    let reader = stage.reader.as_mut().unwrap();
    while let Some(block) = reader.pop() {
        tally.taken += block.frames().map(|frame| frame.payload.len() as u64).sum::<u64>();
        reader.give_back(block);
    }
    stage.now = stage.now + ms(20);
}

#[derive(Default)]
struct Tally {
    packets: u32,
    forwarded: u32,
    own: u32,
    keys: u32,
    taken: u64,
}

#[test]
fn a_million_packets_with_tap_keys_prompts_and_reports_allocate_nothing() {
    let mut stage = Stage::granted();
    let mu = media::Format { codec: media::Codec::Pcmu, ..stage::AGENT };
    let mut transcoded = stage::remote(Party::Agent, stage::AGENT);
    transcoded.send = media::Format { payload_type: 0, ..mu };
    stage.relay.set_remote(stage.now, Party::Agent, transcoded);
    let prompt = PromptAudio::from_pcm(&[1_000; 80_000]);
    let way = |party, ssrc| Way { party, sequence: 1, timestamp: 7, ssrc, bytes: [0; 172] };
    let mut ways = [way(Party::Customer, 1), way(Party::Agent, 2)];
    let mut tally = Tally::default();
    let begun: Time = stage.now;
    let info = allocation_counter::measure(|| {
        for n in 0..PACKETS / 2 {
            if n % 5_000 == 0 {
                stage.relay.play(stage.now, Prompt::Withdrawn, prompt.clone());
            }
            turn(&mut stage, &mut ways, n, &mut tally);
        }
    });
    assert_eq!(info.count_total, 0, "{info:?}");
    // It was a real talk: all of it was relayed, taken, reported on and pressed.
    assert_eq!((tally.packets, tally.forwarded), (PACKETS, PACKETS));
    assert_eq!(tally.keys, PACKETS / 100);
    assert!(tally.own > 3_000, "{}", tally.own);
    let sound = u64::from(PACKETS / 100 * 95) * 160;
    assert!(tally.taken > sound - 16 * 1_280 && tally.taken <= sound, "{}", tally.taken);
    assert_eq!(stage.now.since(begun).as_secs(), u64::from(PACKETS / 100));
}

#[test]
fn hearing_keys_in_the_sound_keeping_them_out_and_pressing_them_anew_allocate_nothing() {
    let mut stage = Stage::asking(Parties::BOTH);
    stage.blanks = true;
    stage.run(ms(300));
    stage.press(Party::Customer, 1);
    stage.run(ms(300));
    stage.tell(call::Input::Answered);
    let mut plain = stage::remote(Party::Customer, stage::CUSTOMER);
    (plain.send.event_payload_type, plain.receive.event_payload_type) = (None, None);
    stage.relay.set_remote(stage.now, Party::Customer, plain);
    let wave = |hz: f64, n: usize| (std::f64::consts::TAU * hz * n as f64 / 8_000.0).sin();
    let key: Vec<u8> = (0..1_600)
        .map(|n| Law::A.encode(((wave(852.0, n) + wave(1_477.0, n)) * 7_000.0) as i16))
        .collect();
    let mut way =
        Way { party: Party::Customer, sequence: 1, timestamp: 7, ssrc: 1, bytes: [0; 172] };
    let (mut keys, mut pressed, mut taken) = (0, 0, 0);
    let mut scratch = [0; 256];
    let info = allocation_counter::measure(|| {
        for n in 0..100_000_usize {
            way.header(8, way.timestamp);
            way.timestamp = way.timestamp.wrapping_add(160);
            // 200 ms of a key every two seconds.
            match key.as_chunks::<160>().0.get(n % 100) {
                Some(part) => way.bytes[12..].copy_from_slice(part),
                None => way.bytes[12..].fill(n as u8),
            }
            if n % 100 == 50 {
                let key = call::Key::from_event(7).unwrap();
                stage.relay.press(stage.now, Party::Customer, key, ms(100));
            }
            let from = stage::address(Party::Customer);
            let _verdict = stage.receive(Party::Customer, from, &mut way.bytes);
            stage.relay.handle_timeout(stage.now);
            while let Some(transmit) = stage.relay.poll_transmit(stage.now, &mut scratch) {
                pressed += usize::from(transmit.bytes.len() == 16);
            }
            while let Some(event) = stage.relay.poll_event() {
                keys += usize::from(matches!(event, Event::Digit(..)));
            }
            let reader = stage.reader.as_mut().unwrap();
            while let Some(block) = reader.pop() {
                taken += block.frames().map(|frame| frame.payload.len()).sum::<usize>();
                reader.give_back(block);
            }
            stage.now = stage.now + ms(20);
        }
    });
    assert_eq!(info.count_total, 0, "{info:?}");
    // It was all of it: a thousand keys by INFO, given as four updates and three ends, and a thousand by
    // tone, of 180 to 220 ms as the packets fall: eight to ten updates and three ends.
    assert_eq!(keys, 2_000);
    assert!((18_000..=20_000).contains(&pressed), "{pressed}");
    assert!(taken > 99_980 * 160, "{taken}");
}

#[test]
fn packets_of_another_length_in_another_codec_allocate_nothing_after_the_first() {
    let mut stage = Stage::bare();
    let wide =
        media::Format { codec: media::Codec::G722, payload_type: 9, event_payload_type: Some(101) };
    let agent = media::Remote { packet_ms: 30, ..stage::remote(Party::Agent, wide) };
    stage.relay.set_remote(stage.now, Party::Agent, agent);
    stage.connect(call::Connection::Bridged);
    let mut way =
        Way { party: Party::Customer, sequence: 1, timestamp: 7, ssrc: 1, bytes: [0; 172] };
    let mut scratch = [0; 512];
    let mut talk = |stage: &mut Stage, packets: u32| {
        let (mut packed, mut left) = (0, 0);
        for n in 0..packets {
            way.header(8, way.timestamp);
            way.timestamp = way.timestamp.wrapping_add(160);
            way.bytes[12..].fill(n as u8);
            let from = stage::address(Party::Customer);
            let verdict = stage.receive(Party::Customer, from, &mut way.bytes);
            packed += u32::from(verdict == Verdict::Packed);
            while let Some(transmit) = stage.relay.poll_transmit(stage.now, &mut scratch) {
                left += u32::from(transmit.bytes.len() == 12 + 240);
            }
            while stage.relay.poll_event().is_some() {}
            stage.now = stage.now + ms(20);
        }
        (packed, left)
    };
    // The packing has its memory from the first packet on.
    talk(&mut stage, 1);
    let mut told = (0, 0);
    let info = allocation_counter::measure(|| told = talk(&mut stage, 30_000));
    assert_eq!(info.count_total, 0, "{info:?}");
    assert_eq!(told.0, 30_000);
    assert!(told.1.abs_diff(20_000) <= 1, "{}", told.1);
}

#[test]
fn g722_and_g711_in_place_both_ways_and_a_pause_of_the_recording_allocate_nothing() {
    let mut stage = Stage::granted();
    let wide =
        media::Format { codec: media::Codec::G722, payload_type: 9, event_payload_type: Some(101) };
    stage.relay.set_remote(stage.now, Party::Agent, stage::remote(Party::Agent, wide));
    let way = |party, ssrc| Way { party, sequence: 1, timestamp: 7, ssrc, bytes: [0; 172] };
    let mut ways = [way(Party::Customer, 1), way(Party::Agent, 2)];
    let (mut forwarded, mut taken) = (0, 0);
    let mut talk = |stage: &mut Stage, packets: u32| {
        for n in 0..packets {
            for way in &mut ways {
                way.header(if way.party == Party::Agent { 9 } else { 8 }, way.timestamp);
                way.timestamp = way.timestamp.wrapping_add(160);
                way.bytes[12..].fill(n as u8);
                let from = stage::address(way.party);
                let verdict = stage.receive(way.party, from, &mut way.bytes);
                forwarded += u32::from(matches!(verdict, Verdict::Forward(_)));
            }
            match n % 1_000 {
                400 => stage.relay.pause(stage.now, call::Pause::Wanted),
                600 => stage.relay.resume(stage.now),
                _ => {}
            }
            stage.relay.handle_timeout(stage.now);
            let mut scratch = [0; 512];
            while stage.relay.poll_transmit(stage.now, &mut scratch).is_some() {}
            while stage.relay.poll_event().is_some() {}
            let reader = stage.reader.as_mut().unwrap();
            while let Some(block) = reader.pop() {
                taken += block.frames().map(|frame| frame.payload.len()).sum::<usize>();
                reader.give_back(block);
            }
            stage.now = stage.now + ms(20);
        }
    };
    // Each side's transcoder is made with its first packet.
    talk(&mut stage, 1);
    let info = allocation_counter::measure(|| talk(&mut stage, 20_000));
    assert_eq!(info.count_total, 0, "{info:?}");
    assert_eq!(forwarded, 40_002);
    // A fifth of the time was paused.
    let sound = 32_000 * 160;
    assert!((sound - 20 * 1_280..=sound + 20 * 1_280).contains(&taken), "{taken}");
}

#[test]
fn the_counter_counts() {
    let info = allocation_counter::measure(|| drop(std::hint::black_box(vec![1_u8; 100])));
    assert_eq!(info.count_total, 1);
}
