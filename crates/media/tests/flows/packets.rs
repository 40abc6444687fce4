//! Packets of one length in, of another out (row B-30), and legs of G.722 beside G.711.

use call::{Connection, Party, Prompt};
use media::{Codec, Decoder, Encoder, Format, PromptAudio, Remote, Verdict};

use crate::stage::{AGENT, CUSTOMER, Heard, START, Stage, ms, peak, remote, sine};

const WIDE: Format = Format { codec: Codec::G722, payload_type: 9, event_payload_type: Some(101) };

/// A bridged call to whose agent packets of `packet_ms` are sent.
fn bridged(packet_ms: u16) -> Stage {
    let mut stage = Stage::bare();
    let agent = Remote { packet_ms, ..remote(Party::Agent, AGENT) };
    stage.relay.set_remote(START, Party::Agent, agent);
    stage.connect(Connection::Bridged);
    stage
}

/// The customer says bytes 0, 1, 2 … in `count` packets of `came_ms`, each at its time.
fn count_up(stage: &mut Stage, came_ms: u16, count: usize, skip: impl Fn(usize) -> bool) {
    let bytes = usize::from(came_ms) * 8;
    for n in 0..count {
        let payload: Vec<u8> = (0..bytes).map(|at| ((n * bytes + at) % 251) as u8).collect();
        let phone = &mut stage.customer;
        let timestamp = 0xFFFF_FF00_u32.wrapping_add((n * bytes) as u32);
        let packet = phone.at(8, false, timestamp, &payload);
        if !skip(n) {
            stage.send(Party::Customer, packet);
        }
        stage.run(ms(came_ms.into()));
    }
}

fn sound(heard: &[Heard]) -> Vec<u8> {
    heard.iter().flat_map(|packet| packet.payload.clone()).collect()
}

#[test]
fn b_30_whatever_length_comes_in_the_length_asked_for_goes_out_and_no_sample_is_changed() {
    for came_ms in [10, 20, 30, 40, 60, 200] {
        for asked_ms in [10, 20, 30, 40, 60] {
            let mut stage = bridged(asked_ms);
            let count = 2_400 / usize::from(came_ms);
            count_up(&mut stage, came_ms, count, |_| false);
            stage.run(ms(200));
            let heard = &stage.agent.heard;
            let at = format!("{came_ms} ms in, {asked_ms} ms out");
            let length = usize::from(asked_ms) * 8;
            let spoken: Vec<u8> = (0..2_400 * 8).map(|at| (at % 251) as u8).collect();
            let all = sound(heard);
            assert!(all.len() >= spoken.len() && all[..spoken.len()] == spoken[..], "{at}");
            for pair in heard[..spoken.len() / length].windows(2) {
                let (a, b) = (&pair[0], &pair[1]);
                assert_eq!((a.payload.len(), b.payload.len()), (length, length), "{at}");
                assert_eq!(b.header.sequence, a.header.sequence.wrapping_add(1), "{at}");
                let step = b.header.timestamp.wrapping_sub(a.header.timestamp);
                assert_eq!(step as usize, length, "{at}");
                assert!(!b.header.marker, "{at}");
                // Nothing waits longer than it must, and nothing leaves in bursts.
                let gap = b.at.since(a.at);
                let most = ms(u64::from(asked_ms.max(came_ms)) + 1);
                assert!(gap <= most, "{at}: {gap:?}");
            }
            let equal = came_ms == asked_ms;
            let prompt = heard[0].at.since(START) <= ms(u64::from(asked_ms));
            assert!(prompt, "{at}: the first packet waits");
            assert_eq!(stage.relay.stats().agent.sent as usize, heard.len());
            assert!(!equal || heard.iter().all(|packet| packet.payload.len() == length));
        }
    }
}

#[test]
fn b_30_equal_lengths_are_rewritten_in_place_and_others_leave_when_they_are_due() {
    let mut stage = bridged(20);
    let equal = stage.customer.raw(8, false, &[7; 160]);
    assert!(matches!(stage.send(Party::Customer, equal), Verdict::Forward(_)));
    let longer = stage.customer.raw(8, false, &[7; 240]);
    assert_eq!(stage.send(Party::Customer, longer), Verdict::Packed);
}

#[test]
fn b_30_a_lost_packet_is_a_hole_in_the_numbers_and_a_pause_a_step_in_the_time() {
    let mut stage = bridged(20);
    // Of packets of 60 ms one is lost: three of 20 ms are missing.
    count_up(&mut stage, 60, 4, |n| n == 2);
    stage.run(ms(100));
    let heard = &stage.agent.heard;
    assert_eq!(heard.len(), 9);
    let step = |a: &Heard, b: &Heard| {
        let (a, b) = (&a.header, &b.header);
        (b.sequence.wrapping_sub(a.sequence), b.timestamp.wrapping_sub(a.timestamp))
    };
    assert_eq!(step(&heard[5], &heard[6]), (4, 640));
    // A pause without packets: the numbers go on, the time has passed.
    let mut stage = bridged(20);
    for timestamp in [0, 240, 8_000] {
        let packet = stage.customer.at(8, false, timestamp, &[9; 240]);
        stage.send(Party::Customer, packet);
        stage.run(ms(30));
    }
    stage.run(ms(100));
    let heard = &stage.agent.heard;
    assert_eq!(step(&heard[2], &heard[3]), (1, 8_000 - 320));
}

#[test]
fn b_30_what_is_left_over_leaves_with_silence_and_what_comes_late_is_dropped() {
    let mut stage = bridged(30);
    let first = stage.customer.at(8, false, 160, &[9; 160]);
    let before = stage.customer.at(8, false, 0, &[8; 160]);
    stage.send(Party::Customer, first);
    assert!(matches!(stage.send(Party::Customer, before), Verdict::Drop(_)));
    stage.run(ms(70));
    let heard = &stage.agent.heard;
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0].payload[..160], [9; 160]);
    assert_eq!(heard[0].payload[160..], [0xD5; 80]);
    assert_eq!(stage.relay.stats().customer.late, 1);
}

#[test]
fn b_30_prompts_and_tones_come_in_packets_of_the_length_asked_for() {
    for packet_ms in [10, 20, 30, 40, 60] {
        let mut stage = Stage::bare();
        let customer = Remote { packet_ms, ..remote(Party::Customer, CUSTOMER) };
        stage.relay.set_remote(START, Party::Customer, customer);
        let prompt = PromptAudio::from_pcm(&sine(1_000.0, 8_000.0, 9_600));
        let whole = prompt.encoded(Codec::Pcma).to_vec();
        stage.relay.play(stage.now, Prompt::Notice, prompt);
        stage.run(ms(1_500));
        let heard = &stage.customer.heard;
        let length = usize::from(packet_ms) * 8;
        assert!(heard.iter().all(|packet| packet.payload.len() == length));
        let (count, most) = (1_500 / usize::from(packet_ms), 2);
        assert!(heard.len().abs_diff(count) <= most, "{} of {count}", heard.len());
        assert_eq!(sound(heard)[..whole.len()], whole[..]);
    }
}

#[test]
fn d_19_keys_between_packed_sound_have_their_place_in_the_numbers() {
    let mut stage = bridged(30);
    count_up(&mut stage, 20, 12, |_| false);
    stage.customer.timestamp = 0xFFFF_FF00_u32.wrapping_add(12 * 160);
    stage.press(Party::Customer, 5);
    let then = stage.customer.timestamp;
    for n in 0..12 {
        let packet = stage.customer.at(8, false, then.wrapping_add(n * 160), &[3; 160]);
        stage.send(Party::Customer, packet);
        stage.run(ms(20));
    }
    stage.run(ms(100));
    let heard = &stage.agent.heard;
    let keys: Vec<_> = heard.iter().filter(|packet| packet.header.payload_type == 101).collect();
    assert_eq!(keys.len(), 6);
    assert!(keys.windows(2).all(|k| k[0].header.timestamp == k[1].header.timestamp));
    let mut numbers: Vec<u16> = heard.iter().map(|packet| packet.header.sequence).collect();
    numbers.sort_by_key(|number| number.wrapping_sub(heard[0].header.sequence));
    assert!(numbers.windows(2).all(|n| n[1] == n[0].wrapping_add(1)), "{numbers:?}");
}

#[test]
fn nothing_of_what_waited_is_heard_after_the_parties_are_parted() {
    let mut stage = bridged(60);
    let packet = stage.customer.raw(8, false, &[9; 160]);
    stage.send(Party::Customer, packet);
    stage.connect(Connection::Apart);
    stage.run(ms(300));
    assert!(stage.agent.heard.is_empty());
}

/// A bridged call between A-law and G.722 in packets of `packet_ms`.
fn mixed(packet_ms: u16) -> Stage {
    let mut stage = Stage::bare();
    let agent = Remote { packet_ms, ..remote(Party::Agent, WIDE) };
    stage.relay.set_remote(START, Party::Agent, agent);
    stage.agent.format = WIDE;
    stage.connect(Connection::Bridged);
    stage
}

fn heard_as(codec: Codec, heard: &[Heard]) -> Vec<i16> {
    let mut decoder = Decoder::new(codec);
    sound(heard).iter().map(|byte| decoder.decode(*byte)).collect()
}

fn said_in(codec: Codec, samples: &[i16]) -> Vec<u8> {
    let mut encoder = Encoder::new(codec);
    samples.iter().map(|sample| encoder.encode(*sample)).collect()
}

#[test]
fn g_711_and_g_722_hear_each_other_in_packets_of_any_length() {
    for packet_ms in [20, 30] {
        let mut stage = mixed(packet_ms);
        let samples = sine(500.0, 8_000.0, 16_000);
        stage.agent.speak(stage.now, said_in(Codec::G722, &samples));
        stage.customer.speak(stage.now, said_in(Codec::Pcma, &samples));
        stage.run(ms(1_500));
        assert!(stage.customer.heard.iter().all(|packet| packet.header.payload_type == 8));
        assert!(stage.agent.heard.iter().all(|packet| packet.header.payload_type == 9));
        for (heard, codec) in
            [(&stage.customer.heard, Codec::Pcma), (&stage.agent.heard, Codec::G722)]
        {
            let back = heard_as(codec, heard);
            let level = peak(&back[1_600..9_600], 500.0);
            assert!((level / 8_000.0 - 1.0).abs() < 0.05, "{codec:?}: {level}");
        }
    }
}

#[test]
fn g_722_on_both_legs_passes_as_it_came_and_a_prompt_is_laid_over_it() {
    let mut stage = mixed(20);
    stage.relay.set_remote(START, Party::Customer, remote(Party::Customer, WIDE));
    stage.customer.format = WIDE;
    let speech = said_in(Codec::G722, &sine(500.0, 16_000.0, 16_000));
    stage.agent.speak(stage.now, speech.clone());
    stage.run(ms(400));
    assert_eq!(sound(&stage.customer.heard)[..], speech[..400 * 8]);
    let prompt = PromptAudio::from_pcm(&sine(1_000.0, 8_000.0, 8_000));
    stage.relay.play(stage.now, Prompt::Withdrawn, prompt);
    stage.run(ms(1_000));
    let both = heard_as(Codec::G722, &stage.customer.heard);
    let both = &both[30 * 160..65 * 160];
    let (prompt, speech) = (peak(both, 1_000.0), peak(both, 500.0));
    let near = |level: f64, wanted: f64| (level / wanted - 1.0).abs() < 0.1;
    assert!(near(prompt, 8_000.0) && near(speech, 4_000.0), "{prompt} {speech}");
}

#[test]
fn a_prompt_is_heard_in_g_722() {
    let mut stage = Stage::bare();
    stage.relay.set_remote(START, Party::Customer, remote(Party::Customer, WIDE));
    let prompt = PromptAudio::from_pcm(&sine(1_000.0, 8_000.0, 8_000));
    stage.relay.play(stage.now, Prompt::Notice, prompt);
    stage.run(ms(1_000));
    assert!(stage.customer.heard.iter().all(|packet| packet.header.payload_type == 9));
    let back = heard_as(Codec::G722, &stage.customer.heard);
    assert!((peak(&back[800..7_200], 1_000.0) / 8_000.0 - 1.0).abs() < 0.05);
}
