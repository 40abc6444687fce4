//! Two parties connected: what each hears of the other, and a prompt laid over it.

use call::{Connection, Party, Prompt};
use media::{Codec, Decoder, Encoder, Event, Format, PromptAudio};

use crate::stage::{AGENT, CUSTOMER, Heard, Stage, ms, peak, remote, sine};

const AGENT_PEAK: f64 = 16_000.0;

fn encoded(codec: Codec, samples: &[i16]) -> Vec<u8> {
    let mut encoder = Encoder::new(codec);
    samples.iter().map(|sample| encoder.encode(*sample)).collect()
}

fn pcm(codec: Codec, heard: &[Heard]) -> Vec<i16> {
    let mut decoder = Decoder::new(codec);
    heard.iter().flat_map(|packet| &packet.payload).map(|byte| decoder.decode(*byte)).collect()
}

fn db(a: f64, b: f64) -> f64 {
    20.0 * (a / b).log10()
}

/// A bridged call in which the agent sounds 500 Hz.
fn talking() -> Stage {
    let mut stage = Stage::bare();
    stage.connect(Connection::Bridged);
    let speech = encoded(Codec::Pcma, &sine(500.0, AGENT_PEAK, 800));
    stage.agent.speak(stage.now, speech);
    stage.run(ms(400));
    stage
}

#[test]
fn speech_reaches_the_other_party_unchanged_with_the_legs_own_numbers() {
    let mut stage = talking();
    stage.customer.say(stage.now, 0x33);
    stage.run(ms(400));
    assert_eq!(stage.agent.heard.last().unwrap().payload, [0x33; 160]);
    let heard = &stage.customer.heard;
    assert_eq!(heard.len(), 40);
    assert!(heard.iter().all(|packet| packet.header.ssrc == 0xF0F0_F0F0));
    assert!(stage.agent.heard.iter().all(|packet| packet.header.ssrc == 0x2121_2121));
    let level = peak(&pcm(Codec::Pcma, &heard[..20]), 500.0);
    assert!(db(level, AGENT_PEAK).abs() < 0.1);
}

#[test]
fn legs_of_different_codings_are_transcoded_both_ways() {
    let mu = Format { codec: Codec::Pcmu, payload_type: 0, event_payload_type: None };
    let mut stage = Stage::bare();
    stage.relay.set_remote(stage.now, Party::Agent, remote(Party::Agent, mu));
    stage.agent.format = mu;
    stage.connect(Connection::Bridged);
    let samples = sine(500.0, AGENT_PEAK, 800);
    stage.agent.speak(stage.now, encoded(Codec::Pcmu, &samples));
    stage.customer.speak(stage.now, encoded(Codec::Pcma, &samples));
    stage.run(ms(200));
    assert!(stage.customer.heard.iter().all(|packet| packet.header.payload_type == 8));
    assert!(stage.agent.heard.iter().all(|packet| packet.header.payload_type == 0));
    let near = |heard: &[Heard], codec| {
        let off = |(n, got): (usize, &i16)| i32::from(*got) - i32::from(samples[n % 800]);
        let worst = pcm(codec, heard).iter().enumerate().map(|pair| off(pair).abs()).max();
        assert!(worst.unwrap() < 16_000 / 16, "{worst:?}");
    };
    near(&stage.customer.heard[1..], Codec::Pcma);
    near(&stage.agent.heard[1..], Codec::Pcmu);
}

#[test]
fn a_prompt_is_mixed_over_the_agent_who_is_lowered_by_12_db_and_flows_on() {
    let mut stage = talking();
    // Between two packets of the agent: the prompt waits for the next.
    stage.run(ms(7));
    stage.customer.heard.clear();
    let prompt = PromptAudio::from_pcm(&sine(1_000.0, 8_000.0, 4_000));
    stage.relay.play(stage.now, Prompt::Withdrawn, prompt);
    stage.run(ms(700));
    let heard = &stage.customer.heard;
    // Every packet of the agent came through, none was added.
    assert_eq!(heard.len(), 35);
    assert!(heard.iter().all(|packet| !packet.header.marker));
    let (during, after) = (pcm(Codec::Pcma, &heard[..25]), pcm(Codec::Pcma, &heard[25..]));
    let lowered = db(peak(&during, 500.0), AGENT_PEAK);
    assert!((lowered + 12.0).abs() < 0.2, "{lowered}");
    assert!(db(peak(&during, 1_000.0), 8_000.0).abs() < 0.2);
    assert!(db(peak(&after, 500.0), AGENT_PEAK).abs() < 0.1);
    assert!(peak(&after, 1_000.0) < 100.0);
    let Event::PromptEnded(end) = stage.events[0] else { panic!("{:?}", stage.events) };
    assert_eq!((end.prompt, end.samples, end.whole), (Prompt::Withdrawn, 4_000, true));
    assert_eq!(stage.events.len(), 1);
}

#[test]
fn neither_the_answer_nor_a_hush_puts_a_frame_between_relayed_packets() {
    let mut stage = Stage::bare();
    stage.relay.ring_back(stage.now, Party::Customer);
    stage.run(ms(100));
    stage.connect(Connection::Early);
    stage.agent.say(stage.now, 0x11);
    stage.run(ms(107));
    stage.customer.heard.clear();
    stage.connect(Connection::Bridged);
    stage.run(ms(40));
    stage.relay.hush(stage.now);
    stage.run(ms(40));
    let heard = &stage.customer.heard;
    assert_eq!(heard.len(), 4);
    assert!(heard.iter().all(|packet| packet.payload == [0x11; 160] && !packet.header.marker));
    // And when the agent stops, silence follows after three packets that did not come.
    stage.relay.hush(stage.now);
    stage.agent.hush();
    stage.run(ms(100));
    assert!(stage.customer.heard[4..].iter().all(|packet| packet.payload == [0xD5; 160]));
    assert!((2..=3).contains(&(stage.customer.heard.len() - 4)));
}

#[test]
fn a_prompt_plays_by_its_own_clock_when_the_agent_sends_nothing() {
    let mut stage = talking();
    stage.agent.hush();
    stage.run(ms(200));
    stage.customer.heard.clear();
    let prompt = PromptAudio::from_pcm(&sine(1_000.0, 8_000.0, 1_600));
    stage.relay.play(stage.now, Prompt::Withdrawn, prompt.clone());
    stage.run(ms(200));
    assert_eq!(pcm(Codec::Pcma, &stage.customer.heard).len(), 1_600);
    let level = db(peak(&pcm(Codec::Pcma, &stage.customer.heard), 1_000.0), 8_000.0);
    assert!(level.abs() < 0.2, "{level}");
    assert_eq!(stage.events.len(), 1);
    // Also when the agent falls silent in the middle of it, and comes back.
    stage.agent.say(stage.now, 0xD5);
    stage.run(ms(100));
    stage.relay.play(stage.now, Prompt::Withdrawn, prompt);
    stage.run(ms(60));
    stage.agent.hush();
    stage.run(ms(100));
    stage.agent.say(stage.now, 0xD5);
    stage.run(ms(200));
    let Event::PromptEnded(end) = stage.events[1] else { panic!("{:?}", stage.events) };
    assert!(end.whole && end.samples == 1_600);
    let sequences: Vec<u16> = stage.customer.heard.iter().map(|p| p.header.sequence).collect();
    assert!(sequences.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1)));
}

#[test]
fn b_05_media_follows_the_description_at_once_and_the_old_source_is_dropped() {
    let mut stage = talking();
    let mut moved = remote(Party::Agent, AGENT);
    moved.rtp = "203.0.113.9:5000".parse().unwrap();
    stage.relay.set_remote(stage.now, Party::Agent, moved);
    stage.customer.heard.clear();
    stage.run(ms(100));
    assert!(stage.customer.heard.is_empty());
    assert_eq!(stage.relay.stats().agent.foreign, 5);
    (stage.agent.from, stage.agent.ssrc, stage.agent.timestamp) = (moved.rtp, 0xBEEF, 12);
    stage.run(ms(100));
    assert_eq!(stage.customer.heard.len(), 5);
    let mut bytes = stage.customer.raw(8, false, &[1; 160]);
    let verdict = stage.receive(Party::Customer, stage.customer.from, &mut bytes);
    let media::Verdict::Forward(transmit) = verdict else { panic!("{verdict:?}") };
    assert_eq!(transmit.to, moved.rtp);
}

#[test]
fn nothing_is_sent_to_a_party_on_hold_and_no_loss_shows_when_it_is_back() {
    let mut stage = talking();
    let before = stage.customer.heard.last().unwrap().header.sequence;
    let here = remote(Party::Customer, CUSTOMER);
    let mut held = here;
    held.rtp.set_ip([0, 0, 0, 0].into());
    for held in [held, media::Remote { hears: false, ..here }] {
        stage.customer.heard.clear();
        stage.relay.set_remote(stage.now, Party::Customer, held);
        stage.run(ms(200));
        assert!(stage.customer.heard.is_empty());
    }
    stage.relay.set_remote(stage.now, Party::Customer, here);
    stage.run(ms(40));
    assert_eq!(stage.customer.heard[0].header.sequence, before.wrapping_add(1));
}
