//! A recording that the house pauses (row D-25): with which packet it begins, and what is in no recording.

use call::{Input, Party, Pause};
use media::Law;

use crate::{
    stage::Stage,
    tap::{Taken, drain, run},
};

/// What is said in a pause.
const CARD: u8 = 0xEE;

fn holds(frames: &[Taken], byte: u8) -> bool {
    frames.iter().any(|frame| frame.bytes.contains(&byte))
}

#[test]
fn d_25_the_agents_key_pauses_with_its_first_packet_before_anybody_is_told() {
    let mut stage = Stage::granted_with_pause_key('7', true);
    stage.customer.say(stage.now, 1);
    stage.agent.say(stage.now, 2);
    run(&mut stage, 200);
    // The machine hears nothing for a while, as when the node is busy: the worker does it alone.
    let (now, start) = (stage.now, stage.agent.timestamp);
    let machine = stage.call.take();
    stage.customer.say(now, CARD);
    stage.agent.say(now, CARD);
    stage.event(Party::Agent, start, 7, true, false, 160);
    let (mut frames, mut spans) = run(&mut stage, 200);
    stage.call = machine;
    stage.relay.remove_tap(stage.now);
    let (more, more_spans) = drain(&mut stage);
    frames.extend(more);
    spans.extend(more_spans);
    assert!(!holds(&frames, CARD), "a packet of the pause was taken");
    assert!(holds(&frames, 1) && holds(&frames, 2), "what was said before is there");
    assert_eq!(spans.last().unwrap().2, Some(Pause::Wanted));
    assert!(spans.windows(2).all(|pair| pair[0].1 == pair[1].0), "the clock runs on: {spans:?}");
}

#[test]
fn d_25_the_same_key_lets_it_go_on_and_the_customer_is_given_neither_press() {
    let mut stage = Stage::granted_with_pause_key('7', true);
    stage.customer.say(stage.now, 1);
    run(&mut stage, 100);
    stage.press(Party::Agent, 7);
    stage.customer.say(stage.now, CARD);
    let (paused, _) = run(&mut stage, 300);
    stage.customer.say(stage.now, 3);
    stage.press(Party::Agent, 7);
    let (after, spans) = run(&mut stage, 200);
    assert!(!holds(&paused, CARD) && !holds(&after, CARD));
    assert!(holds(&after, 3), "it goes on");
    assert_eq!(spans.last().unwrap().2, None);
    assert!(stage.customer.heard.iter().all(|heard| heard.header.payload_type == 8));
    // The customer's press of the same key is the agent's to hear, and pauses nothing.
    stage.press(Party::Customer, 7);
    stage.customer.say(stage.now, 4);
    let (later, _) = run(&mut stage, 200);
    assert!(holds(&later, 4));
    assert!(stage.agent.heard.iter().any(|heard| heard.header.payload_type == 101));
}

/// So many milliseconds of the key 7 in A-law.
fn seven(for_ms: usize) -> Vec<u8> {
    let wave = |hz: f64, n: usize| (std::f64::consts::TAU * hz * n as f64 / 8_000.0).sin();
    let sample = |n| ((wave(852.0, n) + wave(1_209.0, n)) * 7_000.0) as i16;
    (0..for_ms * 8).map(|n| Law::A.encode(sample(n))).collect()
}

#[test]
fn d_25_neither_the_tone_that_pauses_nor_the_one_that_ends_the_pause_is_in_the_recording() {
    const SPEECH: u8 = 0x21;
    let silence = media::Codec::Pcma.silence();
    let mut stage = Stage::granted_with_pause_key('7', false);
    let mut frames = Vec::new();
    stage.agent.say(stage.now, SPEECH);
    frames.extend(run(&mut stage, 200).0);
    for after in [CARD, SPEECH] {
        stage.agent.speak(stage.now, seven(120));
        frames.extend(run(&mut stage, 120).0);
        stage.agent.say(stage.now, after);
        frames.extend(run(&mut stage, 400).0);
    }
    stage.relay.remove_tap(stage.now);
    frames.extend(drain(&mut stage).0);
    let strange = |byte: &u8| *byte != SPEECH && *byte != silence;
    let heard: Vec<u8> = frames.iter().flat_map(|frame| frame.bytes.clone()).collect();
    assert_eq!(heard.iter().filter(|byte| strange(byte)).count(), 0, "a tone or the card is there");
    let spoken = heard.iter().filter(|byte| **byte == SPEECH).count() / 8;
    assert!((500..=600).contains(&spoken), "{spoken} ms of 600 ms");
    assert_eq!(stage.keys(), "177");
}

#[test]
fn d_25_a_pause_and_a_hold_have_each_their_reason() {
    let mut stage = Stage::granted();
    stage.customer.say(stage.now, 1);
    run(&mut stage, 100);
    let mut reasons = Vec::new();
    for input in [
        Input::Held(Party::Agent, true),
        Input::Pause,
        Input::Held(Party::Agent, false),
        Input::Resume,
    ] {
        stage.tell(input);
        let (_, spans) = run(&mut stage, 200);
        reasons.push(spans.last().unwrap().2);
    }
    let wanted = Some(Pause::Wanted);
    assert_eq!(reasons, [Some(Pause::Hold), wanted, wanted, None]);
}
