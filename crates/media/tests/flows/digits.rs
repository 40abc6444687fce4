//! Keys through a relay: which reach the machine, which reach the other party, and which cut.

use call::{Connection, Key, Parties, Party};
use media::{Dropped, Event, TapEnd, Verdict};

use crate::stage::{Asked, Heard, Stage, ms};

/// The event packets that a party heard.
fn events(heard: &[Heard]) -> Vec<&Heard> {
    heard.iter().filter(|packet| packet.payload.len() == 4).collect()
}

#[test]
fn d_12_events_on_a_payload_type_not_agreed_are_ignored_and_told_once() {
    let mut stage = Stage::bare();
    for _ in 0..3 {
        let bytes = stage.customer.raw(121, true, &[1, 10, 0, 160]);
        assert_eq!(stage.send(Party::Customer, bytes), Verdict::Drop(Dropped::StrayEvent));
    }
    assert_eq!(stage.events, [Event::StrayEvents { party: Party::Customer, taken: false }]);
    assert_eq!(stage.relay.stats().customer.stray_events, 3);
}

#[test]
fn d_12_where_the_operator_takes_them_events_on_a_payload_type_not_agreed_are_keys_told_of_once() {
    let mut stage = Stage::bare();
    stage.relay.take_stray();
    stage.connect(Connection::Bridged);
    stage.customer.format.event_payload_type = Some(121);
    stage.press(Party::Customer, 5);
    stage.press(Party::Customer, 6);
    let first = Event::StrayEvents { party: Party::Customer, taken: true };
    assert_eq!(stage.events.iter().filter(|event| **event == first).count(), 1);
    assert_eq!(stage.keys(), "56");
    let given: Vec<_> = stage.agent.heard.iter().filter(|heard| heard.header.marker).collect();
    let codes: Vec<_> = given.iter().map(|heard| heard.payload[0]).collect();
    assert_eq!(codes, [5, 6]);
    assert!(given.iter().all(|heard| heard.header.payload_type == 101), "by the number agreed");
    // Four octets under a number that has another meaning are no event.
    let comfort = stage.customer.raw(13, true, &[1, 10, 0, 160]);
    assert_eq!(stage.send(Party::Customer, comfort), Verdict::Drop(Dropped::StrayEvent));
    assert_eq!(stage.keys(), "56");
}

#[test]
fn d_19_a_key_after_the_bridge_keeps_its_shape_on_the_other_leg() {
    let mut stage = Stage::bare();
    stage.connect(Connection::Bridged);
    stage.customer.say(stage.now, 0x44);
    stage.run(ms(100));
    stage.customer.hush();
    stage.agent.heard.remove(0);
    // Its first packet is lost, the third carries a marker that it should not.
    let start = stage.customer.timestamp;
    for (marker, end, duration) in [
        (false, false, 320),
        (true, false, 480),
        (false, true, 640),
        (false, true, 640),
        (false, true, 640),
    ] {
        stage.event(Party::Customer, start, 7, marker, end, duration);
        stage.run(ms(20));
    }
    stage.customer.timestamp = start.wrapping_add(800);
    stage.customer.say(stage.now, 0x44);
    stage.run(ms(60));
    let heard = &stage.agent.heard;
    let key = events(heard);
    assert_eq!(key.len(), 5);
    let markers: Vec<bool> = key.iter().map(|packet| packet.header.marker).collect();
    assert_eq!(markers, [true, false, false, false, false]);
    assert!(key.iter().all(|packet| packet.header.payload_type == 101));
    assert!(key.iter().all(|packet| packet.header.timestamp == key[0].header.timestamp));
    assert_eq!(key.iter().filter(|packet| packet.payload[1] & 0x80 != 0).count(), 3);
    // Sound before and after lies where it lay: the stream's timestamps are the sender's, moved.
    let sound: Vec<_> = heard.iter().filter(|packet| packet.payload.len() == 160).collect();
    let (before, after) = (sound[3].header, sound[4].header);
    assert_eq!(key[0].header.timestamp.wrapping_sub(before.timestamp), 160);
    assert_eq!(after.timestamp.wrapping_sub(key[0].header.timestamp), 800);
    assert!(heard.windows(2).all(|p| p[1].header.sequence == p[0].header.sequence.wrapping_add(1)));
    assert_eq!(stage.keys(), "7");
}

#[test]
fn d_20_the_consent_key_with_its_late_ends_is_never_relayed() {
    let mut stage = Stage::asking(Parties::BOTH);
    stage.run(ms(300));
    let start = stage.customer.timestamp;
    stage.event(Party::Customer, start, 1, true, false, 160);
    stage.run(ms(20));
    stage.event(Party::Customer, start, 1, false, false, 320);
    // The bridge comes while the key is still held.
    stage.connect(Connection::Bridged);
    stage.customer.say(stage.now, 0x44);
    stage.run(ms(40));
    stage.event(Party::Customer, start, 1, false, false, 800);
    for _ in 0..3 {
        stage.event(Party::Customer, start, 1, false, true, 960);
    }
    stage.run(ms(200));
    assert!(events(&stage.agent.heard).is_empty());
    assert_eq!(stage.keys(), "1");
    // The next key is the PBX's, and what was withheld does not look like loss.
    stage.press(Party::Customer, 1);
    assert_eq!(events(&stage.agent.heard).len(), 6);
    let heard = &stage.agent.heard[1..];
    assert!(heard.windows(2).all(|p| p[1].header.sequence == p[0].header.sequence.wrapping_add(1)));
}

#[test]
fn the_withdrawal_key_cuts_the_tap_before_anybody_is_told_and_never_reaches_the_pbx() {
    let mut stage = Stage::granted();
    stage.customer.say(stage.now, 0x44);
    stage.run(ms(200));
    let before = stage.events.len();
    let start = stage.customer.timestamp;
    stage.event(Party::Customer, start, 10, true, false, 160);
    assert_eq!(stage.reader.as_ref().unwrap().end(), Some(TapEnd::Withdrawn));
    assert_eq!(stage.events[before], Event::TapCut);
    assert!(matches!(stage.events[before + 1], Event::Digit(Party::Customer, _)));
    assert_eq!(stage.asked, [Asked::Dial, Asked::EndRecording]);
    stage.run(ms(20));
    for _ in 0..3 {
        stage.event(Party::Customer, start, 10, false, true, 640);
    }
    stage.run(ms(200));
    assert!(events(&stage.agent.heard).is_empty());
    // What arrived in earlier packets is handed on, nothing of what came after.
    let mut samples = 0;
    let reader = stage.reader.as_mut().unwrap();
    while let Some(block) = reader.pop() {
        samples += block.frames().map(|frame| frame.payload.len()).sum::<usize>();
    }
    assert_eq!(samples, 10 * 160);
    assert!(reader.is_closed());
    // The call goes on. The same key stays ours, for whoever thinks again; every other is the PBX's.
    stage.press(Party::Customer, 10);
    assert!(events(&stage.agent.heard).is_empty());
    stage.press(Party::Customer, 5);
    assert_eq!(events(&stage.agent.heard).len(), 6);
}

#[test]
fn the_agents_star_and_other_keys_cut_nothing() {
    let mut stage = Stage::granted();
    stage.press(Party::Agent, 10);
    stage.press(Party::Customer, 1);
    stage.press(Party::Customer, 11);
    assert_eq!(stage.reader.as_ref().unwrap().end(), None);
    assert_eq!(events(&stage.customer.heard).len(), 6);
    assert_eq!(events(&stage.agent.heard).len(), 12);
}

#[test]
fn d_08_the_tail_of_a_long_withdrawal_key_stays_withheld_over_its_segments() {
    let mut stage = Stage::granted();
    stage.customer.hush();
    let mut start = stage.customer.timestamp;
    for _segment in 0..2 {
        for n in 1..=409_u16 {
            stage.event(Party::Customer, start, 10, n == 1, false, n * 160);
            stage.run(ms(20));
        }
        start = start.wrapping_add(0xFFFF);
    }
    stage.event(Party::Customer, start, 10, false, true, 160);
    assert!(events(&stage.agent.heard).is_empty());
    assert_eq!(stage.keys(), "1*");
}

#[test]
fn a_peer_without_events_gets_no_key_and_sees_no_loss() {
    let mut stage = Stage::bare();
    let mut plain = crate::stage::remote(Party::Agent, crate::stage::AGENT);
    plain.send.event_payload_type = None;
    stage.relay.set_remote(stage.now, Party::Agent, plain);
    stage.connect(Connection::Bridged);
    stage.customer.say(stage.now, 0x44);
    stage.run(ms(100));
    stage.press(Party::Customer, 3);
    stage.run(ms(100));
    assert_eq!(stage.keys(), "3");
    let heard = &stage.agent.heard[1..];
    assert!(heard.iter().all(|packet| packet.payload.len() == 160));
    assert!(heard.windows(2).all(|p| p[1].header.sequence == p[0].header.sequence.wrapping_add(1)));
}

#[test]
fn d_26_flash_is_neither_reported_nor_relayed() {
    let mut stage = Stage::bare();
    stage.connect(Connection::Bridged);
    stage.press(Party::Customer, 16);
    assert!(events(&stage.agent.heard).is_empty());
    assert_eq!(stage.keys(), "");
    assert!(Key::from_event(16).is_none());
}

#[test]
fn d_22_a_gap_in_the_numbers_before_and_after_a_key_and_numbers_of_its_own_are_survived() {
    // A gap as of lost packets, and one so large that it is a beginning of its own.
    for gap in [1_u16, 50, 2_500, 20_000] {
        let mut stage = Stage::bare();
        stage.connect(Connection::Bridged);
        stage.customer.say(stage.now, 0x44);
        stage.run(ms(100));
        stage.customer.hush();
        let sequence = stage.customer.sequence;
        stage.customer.sequence = sequence.wrapping_add(gap);
        stage.press(Party::Customer, 5);
        // After the key the sound goes on with its own numbers, as if there had been no key.
        stage.customer.sequence =
            if gap == 20_000 { sequence } else { stage.customer.sequence.wrapping_add(gap) };
        stage.customer.say(stage.now, 0x44);
        stage.run(ms(100));
        stage.customer.hush();
        stage.press(Party::Customer, 6);
        assert_eq!(stage.keys(), "56", "{gap}");
        let heard = &stage.agent.heard;
        let mut starts: Vec<u32> = events(heard).iter().map(|p| p.header.timestamp).collect();
        assert_eq!(starts.len(), 12, "{gap}");
        starts.dedup();
        assert_eq!(starts.len(), 2, "each key has one timestamp: {gap}");
        let sound = heard.iter().filter(|packet| packet.payload.len() == 160).count();
        assert!(sound >= 10, "{gap}: {sound}");
        assert!(heard.iter().all(|packet| packet.header.ssrc == heard[0].header.ssrc));
    }
}

#[test]
fn l_07_a_press_comes_with_the_packet_that_told_of_it_as_it_was_sent() {
    let mut stage = Stage::bare();
    let events = stage.customer.format.event_payload_type.unwrap();
    let sent = stage.customer.raw(events, true, &[5, 10, 0, 160]);
    let _verdict = stage.send(Party::Customer, sent.clone());
    let came = |event: &Event| match event {
        Event::Digit(Party::Customer, press) => Some(press.raw.reveal().reveal().to_vec()),
        _ => None,
    };
    let came: Vec<_> = stage.events.iter().filter_map(came).collect();
    assert_eq!(came, [sent]);
    assert_eq!(came[0].len(), 16, "a header and an event, and none of what followed");
}
