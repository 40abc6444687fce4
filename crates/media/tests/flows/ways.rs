//! Keys by every way that they come, and given to each side in its own.

use std::time::Duration;

use call::{Connection, Key, Parties, Party, Raw, Transport};
use media::{Decoder, Event, Law, TapEnd};

use crate::stage::{AGENT, Asked, CUSTOMER, Heard, Stage, ms, peak, remote};

const PAIRS: [(char, f64, f64); 6] = [
    ('1', 697.0, 1_209.0),
    ('2', 697.0, 1_336.0),
    ('5', 770.0, 1_336.0),
    ('9', 852.0, 1_477.0),
    ('*', 941.0, 1_209.0),
    ('#', 941.0, 1_477.0),
];

fn key(character: char) -> Key {
    Key::new(character).unwrap()
}

fn pair(character: char) -> (f64, f64) {
    let (_, row, column) = PAIRS.into_iter().find(|(key, ..)| *key == character).unwrap();
    (row, column)
}

/// A key's own sound in A-law.
pub(crate) fn sound(character: char, millis: usize) -> Vec<u8> {
    let (row, column) = pair(character);
    let wave = |hertz: f64, n: usize| (std::f64::consts::TAU * hertz * n as f64 / 8_000.0).sin();
    let sample = |n: usize| ((wave(row, n) + wave(column, n)) * 7_000.0) as i16;
    (0..millis * 8).map(|n| Law::A.encode(sample(n))).collect()
}

/// How many milliseconds of packets hold a key's tones.
fn sounds_ms(heard: &[Heard], character: char) -> usize {
    let (row, column) = pair(character);
    let has = |packet: &&Heard| {
        let samples: Vec<i16> = packet.payload.iter().map(|b| Law::A.decode(*b)).collect();
        samples.len() == 160 && peak(&samples, row) > 3_000.0 && peak(&samples, column) > 3_000.0
    };
    heard.iter().filter(has).count() * 20
}

fn events(heard: &[Heard]) -> Vec<&Heard> {
    heard.iter().filter(|packet| packet.payload.len() == 4).collect()
}

/// By which ways keys were reported.
fn ways(stage: &Stage) -> Vec<(char, Transport)> {
    let press = |event: &Event| match event {
        Event::Digit(_, press) => Some((press.key.reveal().reveal(), press.transport)),
        _ => None,
    };
    stage.events.iter().filter_map(press).collect()
}

/// What the presses came in.
fn came(stage: &Stage) -> Vec<Vec<u8>> {
    let raw = |event: &Event| match event {
        Event::Digit(_, press) => Some(press.raw.reveal().reveal().to_vec()),
        _ => None,
    };
    stage.events.iter().filter_map(raw).collect()
}

fn retold(stage: &Stage) -> Vec<(Party, char, Duration)> {
    let one = |event: &Event| match event {
        Event::Retell { to, key, held } => Some((*to, key.reveal().reveal(), *held)),
        _ => None,
    };
    stage.events.iter().filter_map(one).collect()
}

/// A party that has not agreed on telephone events.
fn without_events(stage: &mut Stage, party: Party) {
    let mut plain = remote(party, if party == Party::Customer { CUSTOMER } else { AGENT });
    (plain.send.event_payload_type, plain.receive.event_payload_type) = (None, None);
    stage.relay.set_remote(stage.now, party, plain);
}

/// The recorded sound of a party by its place, from a tap that is drained as a recorder does.
fn recorded(stage: &mut Stage, party: Party, into: &mut Vec<i16>) {
    let reader = stage.reader.as_mut().unwrap();
    while let Some(block) = reader.pop() {
        for frame in block.frames().filter(|frame| frame.party == party) {
            let from = frame.first_sample as usize;
            into.resize(into.len().max(from + frame.payload.len()), 0);
            for (place, byte) in into[from..].iter_mut().zip(frame.payload) {
                *place = Decoder::new(frame.codec).decode(*byte);
            }
        }
        reader.give_back(block);
    }
}

#[test]
fn d_23_tones_of_keys_are_silence_in_the_recording_of_both_parties_and_the_rest_is_there() {
    for (blanks, party) in [
        (true, Party::Customer),
        (true, Party::Agent),
        (false, Party::Customer),
        (false, Party::Agent),
    ] {
        let mut stage = Stage::asking(Parties::BOTH);
        stage.blanks = blanks;
        stage.run(ms(300));
        stage.press(Party::Customer, 1);
        stage.run(ms(300));
        stage.tell(call::Input::Answered);
        let mut sound = Vec::new();
        let speech: Vec<u8> = crate::stage::sine(500.0, 6_000.0, 4_000)
            .into_iter()
            .map(|sample| Law::A.encode(sample))
            .collect();
        let mut said = speech.clone();
        for character in ['5', '9', '2'] {
            said.extend(self::sound(character, 60));
            said.extend(vec![0xD5; 60 * 8]);
        }
        let keys = 4_000..said.len();
        said.extend(speech);
        let (all_ms, now) = (said.len() as u64 / 8, stage.now);
        stage.phone(party).speak(now, said);
        for _ in 0..all_ms / 20 {
            stage.run(ms(20));
            recorded(&mut stage, party, &mut sound);
        }
        stage.relay.remove_tap(stage.now);
        recorded(&mut stage, party, &mut sound);
        let loud = |samples: &[i16]| samples.iter().filter(|s| s.unsigned_abs() > 200).count();
        let (row, column) = pair('5');
        let five = &sound[keys.start + 80..keys.start + 400];
        if blanks {
            assert_eq!(loud(&sound[keys.clone()]), 0, "{party:?}");
            // Speech is whole up to 20 ms before the first key and from 60 ms after the last.
            assert!(peak(&sound[..keys.start - 160], 500.0) > 5_500.0);
            assert!(peak(&sound[keys.end + 480..], 500.0) > 5_500.0);
        } else {
            assert!(peak(five, row) > 5_000.0 && peak(five, column) > 5_000.0);
        }
    }
}

/// The body of an INFO, as far as the relay has to know.
const INFO: &[u8] = b"Signal=1\r\nDuration=160\r\n";

/// The party says a key's sound and then silence.
fn say(stage: &mut Stage, party: Party, character: char, millis: usize) {
    let now = stage.now;
    stage.phone(party).speak(now, sound(character, millis));
    stage.run(ms(millis as u64));
    let now = stage.now;
    stage.phone(party).say(now, 0xD5);
}

fn info(stage: &mut Stage, party: Party, character: char, held: u64) {
    stage.relay.press(stage.now, party, key(character), ms(held), Raw::new(INFO));
    stage.take_events();
}

#[test]
fn d_13_a_key_by_info_is_a_yes_and_never_reaches_the_pbx() {
    let mut stage = Stage::asking(Parties::BOTH);
    stage.run(ms(300));
    info(&mut stage, Party::Customer, '1', 100);
    stage.run(ms(300));
    assert_eq!(stage.asked, [Asked::Dial]);
    assert_eq!(ways(&stage), [('1', Transport::Info)]);
    assert_eq!(came(&stage), [INFO]);
    stage.run(ms(200));
    assert!(events(&stage.agent.heard).is_empty() && sounds_ms(&stage.agent.heard, '1') == 0);
}

#[test]
fn d_18_a_key_by_two_ways_is_one_key_to_the_call_and_to_the_other_party() {
    for info_first in [false, true] {
        let mut stage = Stage::bare();
        stage.connect(Connection::Bridged);
        if info_first {
            info(&mut stage, Party::Customer, '5', 100);
            stage.run(ms(10));
        }
        stage.press(Party::Customer, 5);
        if !info_first {
            info(&mut stage, Party::Customer, '5', 100);
        }
        stage.run(ms(400));
        assert_eq!(stage.keys(), "5");
        let heard = events(&stage.agent.heard);
        let starts: Vec<_> = heard.iter().filter(|packet| packet.header.marker).collect();
        assert_eq!(starts.len(), 1, "INFO first: {info_first}");
        assert!(heard.iter().all(|p| p.header.timestamp == heard[0].header.timestamp));
    }
}

#[test]
fn d_19_a_key_by_info_becomes_an_event_of_the_other_leg_among_its_sound() {
    let mut stage = Stage::bare();
    stage.connect(Connection::Bridged);
    stage.customer.say(stage.now, 0x44);
    stage.run(ms(200));
    stage.agent.heard.clear();
    info(&mut stage, Party::Customer, '9', 110);
    stage.run(ms(400));
    let heard = &stage.agent.heard;
    let key = events(heard);
    // 110 ms: five updates and three ends, all of one timestamp, the marker once.
    assert_eq!(key.len(), 8);
    let held: Vec<u16> =
        key.iter().map(|p| u16::from_be_bytes([p.payload[2], p.payload[3]])).collect();
    assert_eq!(held, [160, 320, 480, 640, 800, 880, 880, 880]);
    let ends: Vec<bool> = key.iter().map(|p| p.payload[1] & 0x80 != 0).collect();
    assert_eq!(ends, [false, false, false, false, false, true, true, true]);
    assert!(key.iter().all(|p| p.payload[0] == 9 && p.header.payload_type == 101));
    assert!(key.iter().all(|p| p.header.timestamp == key[0].header.timestamp));
    assert_eq!(key.iter().filter(|p| p.header.marker).count(), 1);
    // One stream: no number is missing, and no sound lies in the key or before it.
    assert!(heard.windows(2).all(|p| p[1].header.sequence == p[0].header.sequence.wrapping_add(1)));
    let after = heard.iter().rfind(|p| p.payload.len() == 160).unwrap();
    let since = after.header.timestamp.wrapping_sub(key[0].header.timestamp);
    let passed = after.at.since(key[0].at).as_millis() as u32 * 8;
    assert!(since.abs_diff(passed) <= 160, "{since} {passed}");
    assert!(sounds_ms(heard, '9') == 0);
}

#[test]
fn d_19_an_event_becomes_a_tone_for_who_has_no_events_and_is_as_long() {
    for (held_ms, least, most) in [(100, 80, 100), (20, 40, 40)] {
        let mut stage = Stage::bare();
        without_events(&mut stage, Party::Agent);
        stage.connect(Connection::Bridged);
        let start = stage.customer.timestamp;
        let held = held_ms * 8;
        for duration in (160..held).step_by(160) {
            stage.event(Party::Customer, start, 5, duration == 160, false, duration);
            stage.run(ms(20));
        }
        for _ in 0..3 {
            stage.event(Party::Customer, start, 5, false, true, held);
        }
        stage.run(ms(400));
        let tone = sounds_ms(&stage.agent.heard, '5');
        assert!((least..=most).contains(&tone), "{held_ms} ms sounded for {tone} ms");
        assert!(events(&stage.agent.heard).is_empty());
    }
}

#[test]
fn d_19_an_event_is_told_to_who_takes_keys_by_info_once_and_when_it_is_over() {
    let mut stage = Stage::bare();
    without_events(&mut stage, Party::Agent);
    stage.relay.retell(Party::Agent, true);
    stage.connect(Connection::Bridged);
    stage.press(Party::Customer, 5);
    stage.run(ms(10));
    assert_eq!(retold(&stage), [(Party::Agent, '5', ms(80))]);
    // Its ends are lost: it is over when it has been silent for three updates.
    let start = stage.customer.timestamp.wrapping_add(800);
    stage.event(Party::Customer, start, 9, true, false, 160);
    stage.run(ms(20));
    stage.event(Party::Customer, start, 9, false, false, 320);
    stage.run(ms(140));
    assert_eq!(retold(&stage).len(), 1);
    stage.run(ms(20));
    assert_eq!(retold(&stage)[1], (Party::Agent, '9', ms(40)));
    stage.run(ms(500));
    assert_eq!(retold(&stage).len(), 2);
    assert_eq!(sounds_ms(&stage.agent.heard, '5'), 0);
}

#[test]
fn d_08_a_long_key_with_segments_is_told_once_with_its_whole_length() {
    let mut stage = Stage::bare();
    without_events(&mut stage, Party::Agent);
    stage.relay.retell(Party::Agent, true);
    stage.connect(Connection::Bridged);
    let mut start = stage.customer.timestamp;
    for n in 1..=409_u16 {
        stage.event(Party::Customer, start, 5, n == 1, false, n * 160);
        stage.run(ms(20));
    }
    start = start.wrapping_add(0xFFFF);
    stage.event(Party::Customer, start, 5, false, true, 800);
    stage.run(ms(200));
    assert_eq!(retold(&stage), [(Party::Agent, '5', Duration::from_micros((65_535 + 800) * 125))]);
}

#[test]
fn d_20_the_withdrawal_key_by_info_cuts_the_tap_and_is_told_nobody() {
    let mut stage = Stage::granted();
    stage.customer.say(stage.now, 0x44);
    stage.run(ms(200));
    info(&mut stage, Party::Customer, '*', 100);
    assert_eq!(stage.reader.as_ref().unwrap().end(), Some(TapEnd::Withdrawn));
    // The same press as an event.
    stage.press(Party::Customer, 10);
    stage.run(ms(400));
    assert!(events(&stage.agent.heard).is_empty() && sounds_ms(&stage.agent.heard, '*') == 0);
    assert_eq!(stage.asked, [Asked::Dial, Asked::EndRecording]);
}

/// A call on a line that asks, of a customer who has no telephone events.
fn asking_by_sound() -> Stage {
    let mut stage = Stage::asking(Parties::BOTH);
    without_events(&mut stage, Party::Customer);
    stage.customer.say(stage.now, 0xD5);
    stage.run(ms(300));
    stage
}

fn granted_by_sound() -> Stage {
    let mut stage = asking_by_sound();
    say(&mut stage, Party::Customer, '1', 100);
    stage.run(ms(300));
    assert_eq!(stage.asked, [Asked::Dial]);
    stage.tell(call::Input::Answered);
    stage.run(ms(100));
    stage
}

#[test]
fn d_11_a_customer_without_events_says_yes_by_tone_and_the_tone_never_reaches_the_pbx() {
    let stage = granted_by_sound();
    assert_eq!(ways(&stage), [('1', Transport::Inband)]);
    assert_eq!(sounds_ms(&stage.agent.heard, '1'), 0);
}

#[test]
fn d_20_the_tail_of_a_consent_tone_that_is_held_over_the_bridge_is_silence_to_the_pbx() {
    let mut stage = asking_by_sound();
    let now = stage.now;
    stage.customer.speak(now, sound('1', 2_000));
    stage.run(ms(300));
    stage.connect(Connection::Bridged);
    stage.run(ms(400));
    assert_eq!(sounds_ms(&stage.agent.heard, '1'), 0);
    let now = stage.now;
    stage.customer.speak(now, sound('2', 100));
    stage.run(ms(100));
    stage.customer.say(stage.now, 0xD5);
    stage.run(ms(300));
    let given = events(&stage.agent.heard);
    assert!(
        given.first().is_some_and(|packet| packet.payload[0] == 2),
        "the next key is the PBX's"
    );
}

#[test]
fn d_11_on_a_recorded_leg_without_events_the_withdrawal_tone_cuts_the_tap() {
    let mut stage = granted_by_sound();
    stage.run(ms(200));
    let before = stage.now;
    say(&mut stage, Party::Customer, '*', 200);
    assert_eq!(stage.reader.as_ref().unwrap().end(), Some(TapEnd::Withdrawn));
    let at = stage.events.iter().find_map(|event| match event {
        Event::Digit(_, press) if *press.key.reveal() == key('*') => Some(press.at),
        _ => None,
    });
    assert!(at.unwrap().since(before) <= ms(40), "two packets at most");
    // Less of it reaches the PBX than any receiver takes for a key (20 ms), and nothing after that.
    assert!(sounds_ms(&stage.agent.heard, '*') <= 20);
    assert_eq!(stage.asked, [Asked::Dial, Asked::EndRecording]);
    // The recording ends before the packet in which the key was recognised.
    stage.run(ms(200));
    say(&mut stage, Party::Customer, '*', 200);
    assert!(sounds_ms(&stage.agent.heard, '*') >= 160, "later it is a sound like any other");
}

#[test]
fn d_18_tones_beside_agreed_events_are_sound_and_no_key() {
    let mut stage = Stage::granted();
    stage.customer.say(stage.now, 0xD5);
    stage.run(ms(100));
    say(&mut stage, Party::Customer, '*', 200);
    assert_eq!(stage.keys(), "1");
    assert_eq!(stage.reader.as_ref().unwrap().end(), None);
    assert!(sounds_ms(&stage.agent.heard, '*') >= 180);
}

#[test]
fn d_18_where_the_operator_wants_it_tones_beside_events_are_keys_and_never_doubled() {
    for both in [false, true] {
        let mut stage = Stage::granted();
        stage.relay.hear_beside();
        stage.customer.say(stage.now, 0xD5);
        stage.run(ms(100));
        if both {
            // A gateway that sends the event and leaves the tone in the sound.
            let (now, start) = (stage.now, stage.customer.timestamp);
            stage.customer.speak(now, [sound('5', 100), vec![0xD5; 4_000]].concat());
            for n in 1..=5 {
                stage.event(Party::Customer, start, 5, n == 1, n > 3, n * 160);
                stage.run(ms(20));
            }
        } else {
            say(&mut stage, Party::Customer, '5', 100);
        }
        stage.run(ms(400));
        assert_eq!(stage.keys(), "15", "{both}");
        let heard = events(&stage.agent.heard);
        assert!(heard.iter().all(|p| p.header.timestamp == heard[0].header.timestamp), "{both}");
        assert_eq!(heard.iter().filter(|packet| packet.header.marker).count(), 1, "{both}");
    }
}

#[test]
fn d_19_a_tone_of_a_recorded_customer_is_an_event_to_a_pbx_that_takes_events() {
    let mut stage = granted_by_sound();
    for character in ['1', '2', '2', '#'] {
        say(&mut stage, Party::Customer, character, 100);
        stage.run(ms(80));
    }
    stage.run(ms(400));
    assert_eq!(stage.keys(), "1122#");
    let codes = |heard: &[&Heard]| -> Vec<u8> {
        heard.iter().filter(|p| p.header.marker).map(|p| p.payload[0]).collect()
    };
    let heard = events(&stage.agent.heard);
    assert_eq!(codes(&heard), [1, 2, 2, 11]);
    let held = |p: &&&Heard| u16::from_be_bytes([p.payload[2], p.payload[3]]) / 8;
    let ends = heard.iter().filter(|p| p.payload[1] & 0x80 != 0);
    assert!(
        ends.clone().count() == 12 && ends.map(|p| held(&p)).all(|ms| (40..=120).contains(&ms))
    );
    // What of the tone had been sent on before it was known for one is shorter than a key.
    assert!(sounds_ms(&stage.agent.heard, '2') <= 2 * 40);
    assert_eq!(stage.reader.as_ref().unwrap().end(), None, "the recording goes on");
}

#[test]
fn d_11_nobody_listens_for_tones_in_a_call_that_is_not_recorded() {
    let star = call::Key::new('*').expect("a key");
    // Nor for the one with which a customer comes back to the question.
    for kept in [call::Kept::Nothing, call::Kept::One(star)] {
        let mut stage = Stage::bare();
        without_events(&mut stage, Party::Customer);
        stage.relay.keep(Party::Customer, kept);
        stage.connect(Connection::Bridged);
        say(&mut stage, Party::Customer, '*', 200);
        assert_eq!(stage.keys(), "");
        assert_eq!(sounds_ms(&stage.agent.heard, '*'), 200);
    }
}

#[test]
fn d_11_sound_that_is_listened_to_gives_a_worker_nothing_to_do_but_where_a_key_begins_or_ends() {
    let mut stage = Stage::bare();
    without_events(&mut stage, Party::Customer);
    stage.connect(Connection::Bridged);
    stage.relay.arm_withdrawal(key('*'));
    let quiet = vec![0xD5; 160 * 20];
    let said = [&quiet[..], &sound('5', 100), &quiet].concat();
    let (mut news, mut scratch) = (Vec::new(), [0; 512]);
    for (n, part) in said.chunks_exact(160).enumerate() {
        let due = stage.relay.poll_timeout();
        let (from, mut bytes) = (stage.customer.from, stage.customer.raw(8, false, part));
        let _verdict = stage.receive(Party::Customer, from, &mut bytes);
        let is_sooner = |now| due.is_none_or(|before| now < before);
        if stage.relay.has_news() {
            news.push(n);
            stage.relay.handle_timeout(stage.now);
            while stage.relay.poll_transmit(stage.now, &mut scratch).is_some() {}
            stage.take_events();
        } else {
            assert!(!stage.relay.poll_timeout().is_some_and(is_sooner), "packet {n}");
        }
        stage.now = stage.now + ms(20);
    }
    // The key lasts from packet 20 to packet 24, and ends when it has been missed for 40 ms.
    news.retain(|n| *n > 1);
    assert_eq!((stage.keys().as_str(), news.as_slice()), ("5", &[21, 26][..]));
}

#[test]
fn while_recorded_a_menu_gets_every_key_and_only_the_withdrawal_key_ends_the_recording() {
    let mut stage = Stage::granted();
    stage.customer.say(stage.now, 0x44);
    stage.run(ms(100));
    for code in [1, 2, 2, 11] {
        stage.press(Party::Customer, code);
        stage.run(ms(60));
    }
    let codes: Vec<u8> = events(&stage.agent.heard)
        .iter()
        .filter(|packet| packet.header.marker)
        .map(|packet| packet.payload[0])
        .collect();
    assert_eq!(codes, [1, 2, 2, 11]);
    assert_eq!(stage.reader.as_ref().unwrap().end(), None);
    let start = stage.customer.timestamp;
    stage.event(Party::Customer, start, 10, true, false, 160);
    assert_eq!(
        stage.reader.as_ref().unwrap().end(),
        Some(TapEnd::Withdrawn),
        "at the first packet"
    );
}

#[test]
fn keys_for_who_is_on_hold_are_not_given_later() {
    let mut stage = Stage::bare();
    stage.connect(Connection::Bridged);
    let mut held = remote(Party::Agent, AGENT);
    held.hears = false;
    stage.relay.set_remote(stage.now, Party::Agent, held);
    info(&mut stage, Party::Customer, '5', 100);
    stage.run(ms(200));
    stage.relay.set_remote(stage.now, Party::Agent, remote(Party::Agent, AGENT));
    stage.run(ms(200));
    assert!(events(&stage.agent.heard).is_empty());
    assert_eq!(stage.keys(), "5");
}
