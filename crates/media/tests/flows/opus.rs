//! Legs of Opus: passed on packet by packet under a clock of 48,000 Hz, and played what was encoded before.

use call::{Connection, Kept, Key, Party, Prompt, Raw, Tone};
use media::{
    Codec, Country, Dropped, Event, Format, LegStart, PromptAudio, Relay, Remote, Tones, Verdict,
};

use crate::stage::{AGENT, CUSTOMER, START, Stage, ms, remote, sine};

const OPUS: Format =
    Format { codec: Codec::Opus, payload_type: 111, event_payload_type: Some(110) };
/// One frame of CELT of 20 ms, full band; two of them; three frames of SILK of 20 ms; and nothing said.
const PACKETS: [(&[u8], u32); 4] = [
    (&[0xF8, 1, 2, 3, 4, 5], 960),
    (&[0xF9, 1, 2, 3, 4], 1_920),
    (&[0x4B, 3, 9, 9, 9], 2_880),
    (&[0x48], 960),
];

fn prompt(_prompt: Prompt) -> PromptAudio {
    PromptAudio::with_opus(&sine(1_000.0, 8_000.0, 2_000))
}

/// Two sides of Opus.
fn both(format: Format) -> Stage {
    let mut stage = Stage::bare();
    let (a, b) = (LegStart::from_random([0xF0; 32]), LegStart::from_random([0x21; 32]));
    stage.relay = Relay::new(START, &a, &b, Tones::with_opus(Country::Nl));
    stage.prompt = prompt;
    for party in [Party::Customer, Party::Agent] {
        stage.relay.set_remote(START, party, remote(party, format));
        stage.phone(party).format = format;
    }
    stage
}

#[test]
fn packets_of_opus_pass_as_they_came_and_their_time_is_told_in_48_000_hz() {
    let mut stage = both(OPUS);
    stage.connect(Connection::Bridged);
    let (mut stated, mut sent) = (0xFFFF_F000_u32, Vec::new());
    for n in 0..400_usize {
        let (payload, lasts) = PACKETS[n % PACKETS.len()];
        // What it does not send in a pause, and what is lost: the time goes on.
        let lost = n % 17 == 9;
        let packet = stage.customer.at(111, false, stated, payload);
        if !lost {
            assert!(matches!(stage.send(Party::Customer, packet), Verdict::Forward(_)), "{n}");
            sent.push((stated, payload.to_vec(), n));
        }
        stated = stated.wrapping_add(lasts);
        stage.run(ms(u64::from(lasts) / 48));
    }
    let heard = &stage.agent.heard;
    assert_eq!(heard.len(), sent.len());
    let first = &heard[0];
    for (packet, (stated, payload, n)) in heard.iter().zip(&sent) {
        assert_eq!((&packet.payload, packet.header.payload_type), (payload, 111), "{n}");
        let (time, number) = (
            packet.header.timestamp.wrapping_sub(first.header.timestamp),
            packet.header.sequence.wrapping_sub(first.header.sequence),
        );
        assert_eq!((time, usize::from(number)), (stated.wrapping_sub(0xFFFF_F000), *n));
        assert_eq!(packet.header.marker, *n == 0);
    }
    assert_eq!(stage.relay.stats().customer.jitter_samples, 0);
}

#[test]
fn what_is_not_opus_does_not_pass_to_it_nor_it_to_anything_else() {
    let mut stage = both(OPUS);
    stage.relay.set_remote(START, Party::Agent, remote(Party::Agent, AGENT));
    stage.connect(Connection::Bridged);
    let opus = stage.customer.at(111, false, 960, PACKETS[0].0);
    assert_eq!(stage.send(Party::Customer, opus), Verdict::Drop(Dropped::NotHeard));
    let law = stage.agent.at(8, false, 160, &[0x55; 160]);
    assert_eq!(stage.send(Party::Agent, law), Verdict::Drop(Dropped::NotHeard));
    // No G.711 on its static payload type from one whose clock is another, and nothing that is no packet.
    let law = stage.customer.at(8, false, 1_920, &[0x55; 160]);
    assert_eq!(stage.send(Party::Customer, law), Verdict::Drop(Dropped::UnknownFormat));
    let junk = stage.customer.at(111, false, 2_880, &[0xFB, 63]);
    assert_eq!(stage.send(Party::Customer, junk), Verdict::Drop(Dropped::Malformed));
}

#[test]
fn a_prompt_is_heard_in_packets_of_20_ms_and_told_of_when_it_has_been_heard_in_full() {
    let mut stage = both(OPUS);
    stage.relay.play(stage.now, Prompt::Notice, prompt(Prompt::Notice));
    stage.run(ms(400));
    let heard = &stage.customer.heard;
    let audio = prompt(Prompt::Notice);
    // 250 ms are twelve and a half packets; silence follows.
    for (n, packet) in heard.iter().enumerate() {
        let at = n as u32 * 160;
        assert_eq!(packet.payload, audio.packet(at), "packet {n}");
        let time = packet.header.timestamp.wrapping_sub(heard[0].header.timestamp);
        assert_eq!((time, packet.header.payload_type), (at * 6, 111));
    }
    assert_eq!((heard.len(), heard[12].payload.len(), heard[13].payload.len()), (20, 120, 3));
    let [Event::PromptEnded(end)] = stage.events[..] else { panic!("{:?}", stage.events) };
    assert!(end.whole && end.samples == 2_000);
}

#[test]
fn tones_sound_to_a_leg_of_opus_and_ring_back_only_after_its_wait() {
    let mut stage = both(OPUS);
    stage.relay.ring_back(stage.now, Party::Customer);
    stage.run(ms(6_500));
    let sounds: Vec<bool> = stage.customer.heard.iter().map(|p| p.payload.len() > 3).collect();
    // All of a turn is encoded, its silence, too.
    assert_eq!(sounds.iter().position(|sounds| *sounds), Some(15));
    assert!(sounds[15..].iter().all(|sounds| *sounds));
    let turn: Vec<_> = stage.customer.heard[15..].iter().map(|p| p.payload.clone()).collect();
    assert!(turn.len() > 300 && turn[..50] == turn[250..300], "five seconds are one turn");
    stage.relay.tone(stage.now, Tone::Busy);
    let before = stage.customer.heard.len();
    stage.run(ms(100));
    let busy = &stage.customer.heard[before..];
    let tones = Tones::with_opus(Country::Nl);
    assert_eq!(busy[1].payload, tones.tone(Tone::Busy).packet(160));
}

#[test]
fn while_a_prompt_plays_the_other_party_waits_and_passes_again_after_it() {
    let mut stage = both(OPUS);
    stage.connect(Connection::Bridged);
    let mut stated = 0;
    let mut talk = |stage: &mut Stage, packets: u32| {
        for _ in 0..packets {
            let packet = stage.agent.at(111, false, stated, PACKETS[0].0);
            stage.send(Party::Agent, packet);
            stated += 960;
            stage.run(ms(20));
        }
    };
    talk(&mut stage, 50);
    assert_eq!(stage.customer.heard.len(), 50);
    stage.relay.play(stage.now, Prompt::Granted, prompt(Prompt::Granted));
    talk(&mut stage, 50);
    let played = stage.customer.heard[50..].iter().filter(|p| p.payload.len() == 120).count();
    assert_eq!(played, 13, "all of the prompt");
    assert!(stage.events.iter().any(|event| matches!(event, Event::PromptEnded(e) if e.whole)));
    for pair in stage.customer.heard.windows(2) {
        let step = pair[1].header.sequence.wrapping_sub(pair[0].header.sequence);
        assert_eq!(step, 1, "no hole in the numbers");
        let ahead = pair[1].header.timestamp.wrapping_sub(pair[0].header.timestamp);
        assert!((1..48_000 / 4).contains(&ahead), "{ahead}");
    }
    let last = stage.customer.heard.last().unwrap();
    assert_eq!(last.payload, PACKETS[0].0, "the other party again");
}

#[test]
fn d_10_events_of_48_000_hz_are_told_in_the_clock_of_the_other_side_and_back() {
    let mut stage = both(OPUS);
    let coarse = Remote { event_ratio: 1, ..remote(Party::Agent, OPUS) };
    stage.relay.set_remote(START, Party::Agent, coarse);
    stage.connect(Connection::Bridged);
    let durations = |heard: &[crate::stage::Heard]| -> Vec<u16> {
        let events = heard.iter().filter(|packet| packet.header.payload_type == 110);
        events.map(|packet| u16::from_be_bytes([packet.payload[2], packet.payload[3]])).collect()
    };
    for (held, end) in [(960, false), (1_920, false), (7_680, true)] {
        stage.event(Party::Customer, 96_000, 5, held == 960, end, held);
        stage.run(ms(20));
    }
    assert_eq!(durations(&stage.agent.heard), [160, 320, 1_280]);
    for (held, end) in [(160, false), (320, false), (1_280, true), (12_000, true)] {
        stage.event(Party::Agent, 4_800, 6, held == 160, end, held);
        stage.run(ms(20));
    }
    // 1.5 s are more than a duration of 48,000 Hz can say.
    assert_eq!(durations(&stage.customer.heard), [960, 1_920, 7_680, 0xFFFF]);
    assert_eq!(stage.keys(), "56");
}

#[test]
fn d_08_a_key_held_for_three_seconds_in_48_000_hz_is_one_key() {
    let mut stage = both(OPUS);
    stage.connect(Connection::Bridged);
    let mut held = 0_u32;
    for n in 0..150_u32 {
        held += 960;
        // Each segment is as long as a duration can say.
        let (segment, within) = (held / 0xFFFF, held % 0xFFFF);
        let end = n == 149;
        let start = 48_000 + segment * 0xFFFF;
        stage.event(Party::Customer, start, 7, n == 0, end, within as u16);
        stage.run(ms(20));
    }
    assert_eq!(stage.keys(), "7");
}

#[test]
fn d_19_a_key_for_a_leg_of_opus_is_an_event_in_its_clock_or_tones_in_its_sound() {
    let key = Key::new('4').unwrap();
    let mut stage = both(OPUS);
    stage.connect(Connection::Bridged);
    stage.relay.press(stage.now, Party::Customer, key, ms(100), Raw::NONE);
    stage.run(ms(300));
    let held: Vec<u16> = stage
        .agent
        .heard
        .iter()
        .filter(|packet| packet.header.payload_type == 110)
        .map(|packet| u16::from_be_bytes([packet.payload[2], packet.payload[3]]))
        .collect();
    assert_eq!(held, [960, 1_920, 2_880, 3_840, 4_800, 4_800, 4_800]);

    let mut stage = both(Format { event_payload_type: None, ..OPUS });
    stage.connect(Connection::Bridged);
    stage.relay.press(stage.now, Party::Customer, key, ms(100), Raw::NONE);
    stage.run(ms(200));
    let tones = stage.agent.heard.iter().filter(|packet| packet.payload.len() == 120).count();
    assert_eq!(tones, 5, "100 ms");
}

#[test]
fn a_key_that_the_other_party_is_not_given_takes_its_sound_with_it() {
    let mut stage = both(OPUS);
    stage.connect(Connection::Bridged);
    stage.relay.keep(Party::Customer, Kept::All);
    stage.event(Party::Customer, 960, 1, true, false, 960);
    let packet = stage.customer.at(111, false, 960, PACKETS[0].0);
    assert_eq!(stage.send(Party::Customer, packet), Verdict::Drop(Dropped::Withheld));
    assert_eq!(stage.keys(), "1");
}

#[test]
fn a_recorded_leg_of_opus_gives_whole_packets_in_their_places_and_says_when_it_rests() {
    let mut stage = Stage::granted();
    stage.relay.set_remote(stage.now, Party::Customer, remote(Party::Customer, OPUS));
    stage.relay.set_remote(stage.now, Party::Agent, remote(Party::Agent, OPUS));
    let (long, mut stated) = ([&[0xF8][..], &[7; 700]].concat(), 5);
    let mut frames = Vec::new();
    for n in 0..50 {
        if n < 40 {
            let payload = if n == 39 { &[0x48][..] } else { &long[..] };
            let packet = stage.customer.at(111, false, stated, payload);
            stage.send(Party::Customer, packet);
            stated += 960;
        }
        stage.run(ms(20));
        let reader = stage.reader.as_mut().unwrap();
        while let Some(block) = reader.pop() {
            let each =
                |frame: media::Frame<'_>| (frame.codec, frame.first_sample, frame.payload.len());
            frames.extend(block.frames().map(each));
            reader.give_back(block);
        }
    }
    let first = frames[0].1;
    for (n, (codec, at, length)) in frames.iter().enumerate() {
        let expected = [701, 1, 0][(n >= 39) as usize + (n >= 40) as usize];
        assert_eq!((*codec, *at - first, *length), (Codec::Opus, n as u64 * 160, expected), "{n}");
    }
    assert_eq!(frames.len(), 41);
}

#[test]
fn where_tones_of_keys_are_kept_out_nothing_of_opus_is_recorded() {
    let mut stage = Stage::granted_with_pause_key('0', true);
    stage.relay.set_remote(stage.now, Party::Customer, remote(Party::Customer, OPUS));
    for n in 0..40 {
        let packet = stage.customer.at(111, false, n * 960, PACKETS[0].0);
        stage.send(Party::Customer, packet);
        stage.run(ms(20));
    }
    let reader = stage.reader.as_mut().unwrap();
    while let Some(block) = reader.pop() {
        assert_eq!(block.frames().count(), 0);
        reader.give_back(block);
    }
}

#[test]
fn a_leg_that_leaves_opus_is_another_source_of_another_clock() {
    let mut stage = both(OPUS);
    stage.relay.play(stage.now, Prompt::Notice, prompt(Prompt::Notice));
    stage.run(ms(100));
    stage.relay.set_remote(stage.now, Party::Customer, remote(Party::Customer, CUSTOMER));
    stage.run(ms(300));
    let heard = &stage.customer.heard;
    let change = heard.iter().position(|packet| packet.header.payload_type == 8).unwrap();
    let (before, after) = (&heard[change - 1].header, &heard[change].header);
    assert!(before.ssrc != after.ssrc && after.marker);
    assert_eq!(heard[change + 1].header.timestamp.wrapping_sub(after.timestamp), 160);
    let Some(Event::PromptEnded(end)) = stage.events.first() else { panic!("{:?}", stage.events) };
    assert!(end.whole && end.samples == 2_000, "the prompt goes on");
}
