//! A million packets through a relay with a tap in place, and not one allocation.

#![allow(clippy::unwrap_used, reason = "a test may")]

#[path = "flows/stage.rs"]
#[allow(dead_code, reason = "the stage serves more tests than this one")]
mod stage;

use call::{Parties, Party, Prompt, Raw, Time};
use media::{Dropped, Event, Law, MasterKey, PromptAudio, Suite, TRAILER, Verdict};
use rtc_srtp::{context::Context, protection_profile::ProtectionProfile};

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

/// Turns until both parties have pressed all the keys that are remembered: room for those is made when
/// somebody presses one.
const WARM: usize = 1_700;

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
    (0..WARM as u32).for_each(|n| turn(&mut stage, &mut ways, n, &mut Tally::default()));
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
    let mut turn = |n: usize| {
        way.header(8, way.timestamp);
        way.timestamp = way.timestamp.wrapping_add(160);
        // 200 ms of a key every two seconds.
        match key.as_chunks::<160>().0.get(n % 100) {
            Some(part) => way.bytes[12..].copy_from_slice(part),
            None => way.bytes[12..].fill(n as u8),
        }
        if n % 100 == 50 {
            let key = call::Key::from_event(7).unwrap();
            stage.relay.press(stage.now, Party::Customer, key, ms(100), Raw::NONE);
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
    };
    (0..WARM).for_each(&mut turn);
    let info = allocation_counter::measure(|| (WARM..100_000).for_each(&mut turn));
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

/// Every suite, and how the other implementation calls it.
const SUITES: [(Suite, ProtectionProfile); 6] = [
    (Suite::AesCm128Sha1_80, ProtectionProfile::Aes128CmHmacSha1_80),
    (Suite::AesCm128Sha1_32, ProtectionProfile::Aes128CmHmacSha1_32),
    (Suite::AesCm256Sha1_80, ProtectionProfile::Aes256CmHmacSha1_80),
    (Suite::AesCm256Sha1_32, ProtectionProfile::Aes256CmHmacSha1_32),
    (Suite::AesGcm128, ProtectionProfile::AeadAes128Gcm),
    (Suite::AesGcm256, ProtectionProfile::AeadAes256Gcm),
];

/// A key of ours, and the same in the other implementation's hands.
fn key((suite, profile): (Suite, ProtectionProfile), seed: u8) -> (MasterKey, Context) {
    let (key, salt) = suite.lengths();
    let octets: Vec<u8> = (0..key + salt).map(|n| (n as u8).wrapping_mul(29) ^ seed).collect();
    let (bytes, rest) = octets.split_at(key);
    let provider = rtc_crypto::default_provider().unwrap();
    let theirs = Context::new(bytes, rest, profile, None, None, provider.crypto()).unwrap();
    (MasterKey::new(suite, &octets, &[]).unwrap(), theirs)
}

/// What a peer under SRTP sends of a talk: `length` packets, among them keys, and its reports.
fn sealed(way: &mut Way, by: &mut Context, length: u32) -> Vec<Vec<u8>> {
    let packet = |n: u32| {
        let key = n % 100;
        let whole = if key < 5 {
            let start = way.timestamp.wrapping_sub(160 * key);
            way.header(if way.party == Party::Customer { 96 } else { 101 }, start);
            way.bytes[12..16].copy_from_slice(&[5, if key > 2 { 0x8A } else { 0x0A }, 3, 32]);
            16
        } else {
            way.header(8, way.timestamp);
            way.bytes[12..].fill(n as u8);
            172
        };
        way.timestamp = way.timestamp.wrapping_add(160);
        by.encrypt_rtp(&way.bytes[..whole]).unwrap().to_vec()
    };
    (0..length).map(packet).collect()
}

/// Two legs under SRTP with what their peers send, and what comes of it.
struct Secured {
    stage: Stage,
    sent: [Vec<Vec<u8>>; 2],
    reports: [Vec<Vec<u8>>; 2],
    buffer: [u8; 256],
    /// What went to each party; there is room for all of it.
    heard: [Vec<([u8; 256], usize)>; 2],
    tally: Tally,
    rejected: u32,
}

impl Secured {
    /// The `n`th packets of both peers, each of them a second time, and one that is forged.
    fn turn(&mut self, n: usize) {
        for (index, party) in [Party::Customer, Party::Agent].into_iter().enumerate() {
            let from = stage::address(party);
            let genuine = &self.sent[index][n];
            for changed in [1, 0, 0] {
                let length = genuine.len();
                self.buffer[..length].copy_from_slice(genuine);
                self.buffer[length - 1] ^= changed;
                let datagram = (&mut self.buffer[..length + TRAILER], length);
                let verdict = self.stage.relay.receive(self.stage.now, party, from, datagram);
                if let Verdict::Forward(transmit) = verdict {
                    let (mut packet, whole) = ([0; 256], transmit.bytes.len());
                    packet[..whole].copy_from_slice(&self.buffer[transmit.bytes]);
                    self.heard[1 - index].push((packet, whole));
                    self.tally.forwarded += 1;
                } else {
                    let rejected = [Dropped::Unauthentic, Dropped::Replayed].map(Verdict::Drop);
                    assert!(rejected.contains(&verdict), "packet {n}: {verdict:?}");
                    self.rejected += 1;
                }
            }
            if let Some(report) = self.reports[index].get(n / 250).filter(|_| n.is_multiple_of(250))
            {
                let length = report.len();
                self.buffer[..length].copy_from_slice(report);
                let reporter = stage::remote(party, stage::AGENT).rtcp;
                let report = &mut self.buffer[..length];
                self.stage.relay.receive_report(self.stage.now, party, reporter, report);
            }
        }
        let stage = &mut self.stage;
        stage.relay.handle_timeout(stage.now);
        while stage.relay.poll_transmit(stage.now, &mut self.buffer).is_some() {
            self.tally.own += 1;
        }
        while let Some(event) = stage.relay.poll_event() {
            self.tally.keys += u32::from(matches!(event, Event::Digit(..)));
        }
        let reader = stage.reader.as_mut().unwrap();
        while let Some(block) = reader.pop() {
            self.tally.taken += block.frames().map(|frame| frame.payload.len() as u64).sum::<u64>();
            reader.give_back(block);
        }
        stage.now = stage.now + ms(20);
    }
}

#[test]
fn s_06_legs_under_srtp_in_every_suite_allocate_nothing_for_good_and_false_packets_and_reports() {
    const TURNS: u32 = 5_000;
    for suite in SUITES {
        let mut stage = Stage::granted();
        let way =
            |party, ssrc| Way { party, sequence: 60_000, timestamp: 7, ssrc, bytes: [0; 172] };
        let mut legs = [(Party::Customer, 10), (Party::Agent, 20)].map(|(party, seed)| {
            let ((receive, mut theirs), (send, ear)) = (key(suite, seed), key(suite, seed + 1));
            stage.relay.secure(party, Some(&media::Keys { send, receive }));
            let sent = sealed(&mut way(party, u32::from(seed)), &mut theirs, TURNS);
            // A goodbye says nothing that a leg acts upon, and is authenticated all the same.
            let report = [0x81, 203, 0, 1, 0, 0, 0, seed];
            let reports = (0..TURNS / 250).map(|_| theirs.encrypt_rtcp(&report).unwrap().to_vec());
            (sent, reports.collect(), ear)
        });
        let sent = [0, 1].map(|leg: usize| std::mem::take(&mut legs[leg].0));
        let reports = [0, 1].map(|leg: usize| std::mem::take(&mut legs[leg].1));
        let heard = [(); 2].map(|()| Vec::with_capacity(TURNS as usize));
        let (buffer, tally) = ([0; 256], Tally::default());
        let mut talk = Secured { stage, sent, reports, buffer, heard, tally, rejected: 0 };
        (0..WARM).for_each(|n| talk.turn(n));
        let rest = WARM..TURNS as usize;
        let info = allocation_counter::measure(|| rest.for_each(|n| talk.turn(n)));
        assert_eq!(info.count_total, 0, "{suite:?}: {info:?}");
        // It was a real talk: all that was genuine was relayed once, taken, pressed and read.
        assert_eq!((talk.tally.forwarded, talk.rejected), (2 * TURNS, 4 * TURNS), "{suite:?}");
        assert_eq!(talk.tally.keys, 2 * TURNS / 100);
        assert!(talk.tally.own > 10, "{} reports of ours", talk.tally.own);
        let sound = u64::from(TURNS / 100 * 95) * 2 * 160;
        assert!(talk.tally.taken > sound - 16 * 1_280 && talk.tally.taken <= sound);
        let stats = talk.stage.relay.stats();
        for (leg, stats) in [stats.customer, stats.agent].into_iter().enumerate() {
            assert_eq!(stats.reports, u64::from(TURNS) / 250);
            for (n, (packet, length)) in talk.heard[leg].iter().enumerate() {
                let plain = legs[leg].2.decrypt_rtp(&packet[..*length]).unwrap();
                let sound = [n as u8; 160];
                assert!(n % 100 < 5 || plain[12..] == sound, "{suite:?} packet {n}");
            }
        }
    }
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
fn opus_on_both_sides_recorded_and_a_prompt_in_it_allocate_nothing() {
    let mut stage = Stage::granted();
    let opus = media::Format {
        codec: media::Codec::Opus,
        payload_type: 111,
        event_payload_type: Some(110),
    };
    for party in [Party::Customer, Party::Agent] {
        stage.relay.set_remote(stage.now, party, stage::remote(party, opus));
    }
    let prompt = media::PromptAudio::with_opus(&[1_000; 1_600]);
    let way = |party, ssrc| Way { party, sequence: 1, timestamp: 7, ssrc, bytes: [0; 172] };
    let mut ways = [way(Party::Customer, 1), way(Party::Agent, 2)];
    let (mut forwarded, mut taken) = (0, 0);
    let mut talk = |stage: &mut Stage, packets: u32| {
        for n in 0..packets {
            for way in &mut ways {
                way.header(111, way.timestamp);
                way.timestamp = way.timestamp.wrapping_add(960);
                // 20 ms of CELT.
                way.bytes[12..].fill(0xF8);
                let from = stage::address(way.party);
                let verdict = stage.receive(way.party, from, &mut way.bytes);
                forwarded += u32::from(matches!(verdict, Verdict::Forward(_)));
            }
            if n % 1_000 == 500 {
                stage.relay.play(stage.now, call::Prompt::Withdrawn, prompt.clone());
            }
            stage.relay.handle_timeout(stage.now);
            let mut scratch = [0; 512];
            while stage.relay.poll_transmit(stage.now, &mut scratch).is_some() {}
            while stage.relay.poll_event().is_some() {}
            let reader = stage.reader.as_mut().unwrap();
            while let Some(block) = reader.pop() {
                taken += block.frames().count();
                reader.give_back(block);
            }
            stage.now = stage.now + ms(20);
        }
    };
    talk(&mut stage, 1);
    let info = allocation_counter::measure(|| talk(&mut stage, 20_000));
    assert_eq!(info.count_total, 0, "{info:?}");
    // While a prompt plays its hearer does not hear the other.
    assert!((39_500..40_002).contains(&forwarded), "{forwarded}");
    assert!((39_980..=40_002).contains(&taken), "{taken}");
}

#[test]
fn the_counter_counts() {
    let info = allocation_counter::measure(|| drop(std::hint::black_box(vec![1_u8; 100])));
    assert_eq!(info.count_total, 1);
}
