//! The tap: when it listens, when it does not, where it puts what it hears, and how it ends.

use call::{Input, Parties, Party, Pause};
use media::{Block, Codec, Event, Format, TapEnd};

use crate::stage::{Asked, Stage, ms};

/// One frame as it was handed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) party: Party,
    pub(crate) codec: Codec,
    pub(crate) first: u64,
    pub(crate) bytes: Vec<u8>,
}

/// A block's beginning, end, and why it holds nothing.
pub(crate) type Span = (u64, u64, Option<Pause>);

/// All blocks, given back as a recorder does.
pub(crate) fn drain(stage: &mut Stage) -> (Vec<Taken>, Vec<Span>) {
    let (mut frames, mut spans) = (Vec::new(), Vec::new());
    let reader = stage.reader.as_mut().unwrap();
    while let Some(block) = reader.pop() {
        spans.push((block.from(), block.until(), block.paused()));
        frames.extend(taken(&block));
        reader.give_back(block);
    }
    (frames, spans)
}

fn taken(block: &Block) -> Vec<Taken> {
    let take = |frame: media::Frame<'_>| Taken {
        party: frame.party,
        codec: frame.codec,
        first: frame.first_sample,
        bytes: frame.payload.to_vec(),
    };
    block.frames().map(take).collect()
}

pub(crate) fn of(frames: &[Taken], party: Party) -> Vec<&Taken> {
    frames.iter().filter(|frame| frame.party == party).collect()
}

/// Runs and drains often enough that the ring is never full.
pub(crate) fn run(stage: &mut Stage, for_ms: u64) -> (Vec<Taken>, Vec<Span>) {
    let (mut frames, mut spans) = (Vec::new(), Vec::new());
    for _ in 0..for_ms / 20 {
        stage.run(ms(20));
        let (more, more_spans) = drain(stage);
        frames.extend(more);
        spans.extend(more_spans);
    }
    (frames, spans)
}

#[test]
fn nothing_from_before_the_bridge_is_ever_taken() {
    let mut stage = Stage::asking(Parties::BOTH);
    // A marker in every packet of both parties, changed at the bridge.
    stage.customer.say(stage.now, 0xBA);
    stage.agent.say(stage.now, 0xBB);
    stage.run(ms(300));
    stage.press(Party::Customer, 1);
    stage.run(ms(300));
    assert!(stage.reader.is_some(), "the permit is there before the PBX answers");
    assert_eq!(stage.asked, [Asked::Dial]);
    stage.tell(Input::Ringing { early_media: true });
    stage.run(ms(300));
    let (frames, _) = drain(&mut stage);
    assert!(frames.is_empty());
    stage.tell(Input::Answered);
    stage.customer.say(stage.now, 0x01);
    stage.agent.say(stage.now, 0x02);
    let (mut frames, _) = run(&mut stage, 400);
    stage.relay.remove_tap(stage.now);
    frames.extend(drain(&mut stage).0);
    let samples = |party| of(&frames, party).iter().map(|frame| frame.bytes.len()).sum::<usize>();
    assert_eq!(samples(Party::Customer), 3_200);
    // The agent's stream ran before: what lies before the first sample stays outside.
    assert!((3_000..=3_200).contains(&samples(Party::Agent)), "{}", samples(Party::Agent));
    assert!(frames.iter().all(|frame| frame.bytes.iter().all(|byte| [1, 2].contains(byte))));
    assert_eq!(frames[0].first, 0);
}

#[test]
fn nothing_is_taken_after_the_leash_drops() {
    let mut stage = Stage::granted();
    stage.customer.say(stage.now, 0x01);
    stage.run(ms(100));
    // The customer hangs up: the machine drops the leash.
    stage.tell(Input::HungUp(Party::Customer));
    stage.customer.say(stage.now, 0xEE);
    stage.run(ms(200));
    let (frames, _) = drain(&mut stage);
    assert_eq!(frames.len(), 5);
    assert!(frames.iter().all(|frame| frame.bytes == [1; 160]));
    let reader = stage.reader.as_ref().unwrap();
    assert!(reader.is_closed());
    assert_eq!(reader.end(), Some(TapEnd::LeashDropped));
    // Nobody withdrew: the machine must not hear that somebody did.
    assert!(!stage.events.contains(&Event::TapCut));
}

#[test]
fn a_machine_that_is_gone_takes_the_tap_with_it() {
    let mut stage = Stage::granted();
    stage.customer.say(stage.now, 0x01);
    stage.run(ms(100));
    stage.call = None;
    stage.run(ms(200));
    let (frames, _) = drain(&mut stage);
    assert_eq!(frames.len(), 5);
    assert!(stage.reader.as_ref().unwrap().is_closed());
}

#[test]
fn l_03_nothing_is_taken_on_hold_and_the_clock_runs_on() {
    let mut stage = Stage::granted();
    stage.customer.say(stage.now, 0x01);
    stage.agent.say(stage.now, 0x02);
    let (before, _) = run(&mut stage, 200);
    stage.tell(Input::Held(Party::Agent, true));
    stage.customer.say(stage.now, 0xEE);
    stage.agent.say(stage.now, 0xEF);
    let (during, spans) = run(&mut stage, 400);
    stage.tell(Input::Held(Party::Agent, false));
    stage.customer.say(stage.now, 0x03);
    stage.agent.say(stage.now, 0x04);
    let (after, more) = run(&mut stage, 200);
    let bytes = |frames: &[Taken]| {
        let mut all: Vec<u8> = frames.iter().flat_map(|frame| frame.bytes.clone()).collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    assert_eq!(bytes(&before), [1, 2]);
    // What was in hand when the hold began is handed on in it.
    assert_eq!(bytes(&during), [1, 2]);
    assert!(during.iter().all(|frame| frame.first < 1_600));
    assert_eq!(bytes(&after), [3, 4]);
    assert!(after.iter().all(|frame| frame.first >= 1_600 + 3_200));
    let held: Vec<_> = spans.iter().chain(&more).filter(|span| span.2.is_some()).collect();
    assert_eq!((held[0].0, held.last().unwrap().1), (1_600, 4_800));
}

#[test]
fn a_block_spans_at_most_80_ms_follows_the_one_before_and_comes_also_in_silence() {
    let mut stage = Stage::granted();
    stage.customer.say(stage.now, 0x01);
    let (_, spans) = run(&mut stage, 1_000);
    stage.customer.hush();
    let (frames, silent) = run(&mut stage, 1_000);
    assert!(frames.len() <= 4);
    // The recording's clock is the call's, counted from its first sample.
    let started = stage.now - ms(2_000);
    stage.relay.remove_tap(stage.now);
    let reader = stage.reader.as_mut().unwrap();
    assert!(!reader.is_closed(), "one block is still to be taken");
    let last = reader.pop().unwrap();
    assert_eq!(last.started(), started);
    reader.give_back(last);
    assert!(reader.is_closed());
    let all: Vec<_> = spans.into_iter().chain(silent).collect();
    let until = all.last().unwrap().1;
    assert!((16_000 - 80 * 8..=16_000).contains(&until), "{until}");
    assert!(all.len() >= 24, "{}", all.len());
    assert!(all.windows(2).all(|pair| pair[1].0 == pair[0].1));
    assert!(all.iter().all(|span| span.1 - span.0 <= 81 * 8), "{all:?}");
}

#[test]
fn both_channels_lie_on_one_clock_within_20_ms() {
    let mut stage = Stage::granted();
    // Both make the same click at the same moment, with unrelated numbers.
    let mut click = vec![0xD5; 8_000];
    click[4_000..4_008].fill(0x2A);
    stage.customer.timestamp = 123_456_789;
    stage.agent.timestamp = 0xFFFF_FF00;
    stage.customer.speak(stage.now, click.clone());
    stage.run(ms(7));
    stage.agent.speak(stage.now, click[56..].to_vec());
    let (frames, _) = run(&mut stage, 900);
    let clicked = |party| {
        let frame = |frame: &Taken| {
            let at = frame.bytes.iter().position(|byte| *byte == 0x2A)?;
            Some(frame.first + at as u64)
        };
        of(&frames, party).into_iter().find_map(frame).unwrap()
    };
    let (customer, agent) = (clicked(Party::Customer), clicked(Party::Agent));
    assert_eq!(customer, 4_000);
    assert!(customer.abs_diff(agent) <= 8, "{customer} {agent}");
}

#[test]
fn reordered_packets_are_placed_by_their_timestamps_and_a_new_source_by_its_arrival() {
    let mut stage = Stage::granted();
    stage.customer.say(stage.now, 0x01);
    stage.run(ms(20));
    stage.customer.hush();
    let (second, third) =
        (stage.customer.raw(8, false, &[2; 160]), stage.customer.raw(8, false, &[3; 160]));
    stage.run(ms(20));
    let _relayed = stage.send(Party::Customer, third);
    let _relayed = stage.send(Party::Customer, second);
    stage.run(ms(60));
    // 100 ms after the beginning another source sends, with numbers of its own.
    (stage.customer.ssrc, stage.customer.timestamp) = (0x77, 5);
    let other = stage.customer.raw(8, false, &[4; 160]);
    let _relayed = stage.send(Party::Customer, other);
    // And then its timestamps jump by an hour.
    stage.run(ms(20));
    stage.customer.timestamp = stage.customer.timestamp.wrapping_add(28_800_000);
    let jumped = stage.customer.raw(8, false, &[5; 160]);
    let _relayed = stage.send(Party::Customer, jumped);
    stage.run(ms(100));
    let (frames, _) = drain(&mut stage);
    let places: Vec<(u8, u64)> = frames.iter().map(|frame| (frame.bytes[0], frame.first)).collect();
    assert_eq!(places, [(1, 0), (3, 320), (2, 160), (4, 800), (5, 960)]);
}

#[test]
fn d_23_keys_are_never_in_a_block() {
    let mut stage = Stage::granted();
    stage.customer.say(stage.now, 0x01);
    stage.run(ms(40));
    stage.press(Party::Customer, 5);
    stage.press(Party::Agent, 6);
    let (frames, _) = run(&mut stage, 200);
    assert!(frames.iter().all(|frame| frame.bytes == [1; 160]));
    assert!(of(&frames, Party::Agent).is_empty());
}

#[test]
fn a_party_that_may_not_be_heard_is_silence() {
    let mut stage = Stage::granted_for(Parties { customer: true, agent: false });
    stage.customer.say(stage.now, 0x01);
    stage.agent.say(stage.now, 0x02);
    let (frames, _) = run(&mut stage, 200);
    assert!(frames.len() >= 8 && frames.iter().all(|frame| frame.party == Party::Customer));
}

#[test]
fn what_is_taken_is_what_was_received_not_what_was_sent_on() {
    let mut stage = Stage::granted();
    let mu = Format { codec: Codec::Pcmu, payload_type: 0, event_payload_type: None };
    let remote = crate::stage::remote(Party::Agent, mu);
    stage.relay.set_remote(stage.now, Party::Agent, remote);
    stage.agent.format = mu;
    stage.agent.say(stage.now, 0x9A);
    let audio = crate::stage::short_prompt(call::Prompt::Withdrawn);
    stage.relay.play(stage.now, call::Prompt::Withdrawn, audio);
    let (frames, _) = run(&mut stage, 200);
    assert!(frames.iter().all(|frame| frame.codec == Codec::Pcmu && frame.bytes == [0x9A; 160]));
    assert_ne!(stage.customer.heard.last().unwrap().payload, [0x9A; 160]);
}

#[test]
fn a_recorder_that_stands_still_costs_counted_milliseconds_and_never_delays_speech() {
    let mut stage = Stage::granted();
    stage.customer.say(stage.now, 0x01);
    stage.agent.heard.clear();
    // 16 blocks of 80 ms, then nothing is free.
    stage.run(ms(3_000));
    assert_eq!(stage.agent.heard.len(), 150);
    let missing = |event: &Event| match event {
        Event::TapOverrun { missing_ms } => Some(*missing_ms),
        _ => None,
    };
    let reported: u64 = stage.events.iter().filter_map(missing).sum();
    let (frames, spans) = drain(&mut stage);
    let kept_ms = frames.len() as u64 * 20;
    assert!((1_200..=1_300).contains(&kept_ms), "{kept_ms}");
    assert!((kept_ms + reported).abs_diff(3_000) <= 80, "{kept_ms} {reported}");
    assert_eq!(stage.reader.as_ref().unwrap().missing_ms(), reported);
    // It wakes up: the tap goes on where the clock stands, and the hole shows.
    let (more, later) = run(&mut stage, 400);
    assert!(more.iter().all(|frame| frame.first >= 23_000), "{:?}", more.first());
    assert!(later[0].0 - spans.last().unwrap().1 >= (reported - 100) * 8);
}

#[test]
fn odd_packet_times_are_split_over_blocks_without_loss() {
    for samples in [40, 80, 240, 480, 1_600] {
        let mut stage = Stage::granted();
        let (mut sent, mut frames) = (Vec::new(), Vec::new());
        for n in 0..40_u8 {
            let payload = vec![n; samples];
            let timestamp = stage.customer.timestamp;
            let bytes = stage.customer.at(8, false, timestamp, &payload);
            stage.customer.timestamp = timestamp.wrapping_add(samples as u32);
            let _relayed = stage.send(Party::Customer, bytes);
            sent.extend(payload);
            stage.run(ms(samples as u64 / 8));
            frames.extend(drain(&mut stage).0);
        }
        stage.relay.remove_tap(stage.now);
        frames.extend(drain(&mut stage).0);
        let got: Vec<u8> = frames.iter().flat_map(|frame| frame.bytes.clone()).collect();
        assert!(got == sent, "{samples}");
        let mut next = 0;
        for frame in frames {
            assert_eq!(frame.first, next);
            next += frame.bytes.len() as u64;
        }
        assert_eq!(stage.reader.as_ref().unwrap().end(), Some(TapEnd::Removed));
    }
}

#[test]
fn a_fault_in_the_worker_costs_the_recording_and_not_the_call() {
    let mut stage = Stage::granted();
    stage.customer.say(stage.now, 0x01);
    stage.run(ms(40));
    stage.relay.fault(stage.now);
    stage.agent.heard.clear();
    stage.run(ms(100));
    assert_eq!(stage.agent.heard.len(), 5);
    assert_eq!(stage.reader.as_ref().unwrap().end(), Some(TapEnd::Fault));
    assert_eq!(stage.relay.stats().faults, 1);
    assert!(stage.events.contains(&Event::Fault));
}

#[test]
fn a_tap_whose_permit_died_on_the_way_listens_to_nothing() {
    let mut stage = Stage::granted();
    let reader = stage.reader.as_ref().unwrap();
    assert_eq!((reader.end(), reader.is_closed()), (None, false));
    // A call that is withdrawn before its tap arrives.
    let mut late = Stage::asking(Parties::BOTH);
    late.run(ms(300));
    let key = late.customer.timestamp;
    late.event(Party::Customer, key, 1, true, true, 640);
    late.run(ms(300));
    late.tell(Input::HungUp(Party::Customer));
    late.run(ms(100));
    assert_eq!(late.reader.as_ref().unwrap().end(), Some(TapEnd::LeashDropped));
    assert!(late.asked.contains(&Asked::EndRecording));
    stage.relay.close(stage.now);
    assert_eq!(stage.reader.as_ref().unwrap().end(), Some(TapEnd::Closed));
}

#[test]
fn a_feed_that_is_dropped_ends_its_reader() {
    let (feed, reader) = media::ring(2);
    assert!(!reader.is_closed());
    drop(feed);
    assert_eq!((reader.end(), reader.is_closed()), (Some(TapEnd::Removed), true));
}
