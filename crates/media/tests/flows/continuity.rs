//! Row: the customer hears one stream without a gap from the notice to the bridge.

use call::{Connection, Input, Parties, Party, Prompt, Tone};
use media::{Event, Law};

use crate::stage::{Heard, Stage, ms, short_prompt};

/// One source, each sequence number once and in order, timestamps that follow the clock, and
/// nothing further apart than `most_ms`. Returns how many packets carried the marker.
fn one_stream(heard: &[Heard], most_ms: u64) -> usize {
    for pair in heard.windows(2) {
        let (a, b) = (&pair[0], &pair[1]);
        assert_eq!(a.header.ssrc, b.header.ssrc);
        assert_eq!(b.header.sequence, a.header.sequence.wrapping_add(1), "at {}", b.at);
        let gap = b.at.since(a.at);
        assert!(gap <= ms(most_ms), "{gap:?} at {}", b.at);
        let step = i64::from(b.header.timestamp.wrapping_sub(a.header.timestamp).cast_signed());
        assert!(step >= 160, "{step} at {}", b.at);
        let off = step - i64::try_from(gap.as_micros() / 125).unwrap();
        assert!(off.abs() <= 320, "{off} samples off at {}", b.at);
    }
    heard.iter().filter(|packet| packet.header.marker).count()
}

/// All that was heard, as linear samples.
fn pcm(heard: &[Heard]) -> Vec<i16> {
    heard.iter().flat_map(|packet| &packet.payload).map(|b| Law::A.decode(*b)).collect()
}

#[test]
fn a_20_notice_question_ring_back_and_bridge_are_one_stream_without_a_gap() {
    // The PBX answers after ring-back has sounded, and sends its first packet late.
    let mut stage = Stage::asking(Parties::BOTH);
    stage.run(ms(2_000));
    stage.press(Party::Customer, 1);
    stage.run(ms(1_000));
    stage.tell(Input::Ringing { early_media: false });
    stage.run(ms(1_500));
    stage.tell(Input::Answered);
    stage.run(ms(137));
    stage.agent.say(stage.now, 0x11);
    stage.run(ms(1_000));
    let heard = &stage.customer.heard;
    assert_eq!(one_stream(heard, 40), 2);
    assert!(heard.len() > 280, "{}", heard.len());
    assert_eq!(heard.last().unwrap().payload, [0x11; 160]);
    // Both ends of the way were the same: nothing was left out of the middle either.
    let spoken = heard.last().unwrap().at.since(heard[0].at).as_millis() as usize;
    assert!(heard.len().abs_diff(spoken / 20 + 1) <= 2, "{} in {spoken} ms", heard.len());
}

#[test]
fn a_20_the_first_20_ms_of_a_pbx_that_answers_at_once_are_heard() {
    for early_ms in [0, 5, 19, 20] {
        let mut stage = Stage::asking(Parties::BOTH);
        stage.run(ms(300));
        stage.press(Party::Customer, 1);
        stage.run(ms(250 + early_ms));
        stage.tell(Input::Answered);
        let speech = (0..=255).collect();
        stage.agent.speak(stage.now, speech);
        stage.run(ms(200));
        let heard = &stage.customer.heard;
        one_stream(heard, 40);
        let first = heard.iter().position(|packet| packet.payload[..3] == [0, 1, 2]).unwrap();
        assert!(heard[first].header.marker);
        let relayed: Vec<u8> = heard[first..].iter().flat_map(|p| p.payload.clone()).collect();
        assert!(relayed.iter().enumerate().all(|(n, byte)| usize::from(*byte) == n % 256));
    }
}

#[test]
fn a_19_ring_back_comes_after_300_ms_in_the_dutch_cadence_and_ends_with_the_answer() {
    let mut stage = Stage::bare();
    stage.relay.ring_back(stage.now, Party::Customer);
    stage.run(ms(10_000));
    // Asking again does not begin again.
    stage.relay.ring_back(stage.now, Party::Customer);
    stage.run(ms(600));
    let samples = pcm(&stage.customer.heard);
    let loud: Vec<bool> =
        samples.chunks(80).map(|ten_ms| ten_ms.iter().any(|x| *x > 500)).collect();
    let spans: Vec<_> = loud.chunk_by(|a, b| a == b).map(|span| (span[0], span.len())).collect();
    assert_eq!(
        spans,
        [(false, 30), (true, 100), (false, 400), (true, 100), (false, 400), (true, 30)]
    );
    let answered = stage.now;
    stage.connect(Connection::Bridged);
    stage.run(ms(300));
    let after = stage.customer.heard.iter().filter(|packet| packet.at >= answered);
    assert!(after.flat_map(|packet| &packet.payload).all(|byte| *byte == 0xD5));
    assert_eq!(one_stream(&stage.customer.heard, 20), 1);
}

#[test]
fn a_19_a_pbx_that_answers_within_300_ms_is_not_preceded_by_a_blip_of_tone() {
    let mut stage = Stage::bare();
    stage.relay.ring_back(stage.now, Party::Customer);
    stage.run(ms(299));
    stage.connect(Connection::Bridged);
    stage.run(ms(100));
    assert!(pcm(&stage.customer.heard).iter().all(|sample| sample.abs() <= 8));
}

#[test]
fn early_media_takes_over_from_ring_back_with_its_first_packet() {
    let mut stage = Stage::bare();
    stage.relay.ring_back(stage.now, Party::Customer);
    stage.run(ms(500));
    stage.connect(Connection::Early);
    stage.run(ms(200));
    let loud = |heard: &[Heard]| pcm(heard).iter().any(|sample| *sample > 500);
    assert!(loud(&stage.customer.heard[30..]));
    let from = stage.now;
    stage.agent.say(from, 0x22);
    stage.run(ms(500));
    let after: Vec<_> = stage.customer.heard.iter().filter(|p| p.at >= from).cloned().collect();
    assert!(after.iter().all(|packet| packet.payload == [0x22; 160]));
    assert_eq!(after.len(), 25);
    one_stream(&stage.customer.heard, 40);
}

#[test]
fn busy_and_congestion_sound_until_something_else_is_played() {
    for (tone, half_ms) in [(Tone::Busy, 500), (Tone::Congestion, 250)] {
        let mut stage = Stage::bare();
        stage.relay.tone(stage.now, tone);
        stage.run(ms(half_ms * 20));
        let samples = pcm(&stage.customer.heard);
        let half = half_ms as usize * 8;
        let sounding = |span: &[i16]| span[40..span.len() - 40].iter().any(|x| *x > 500);
        let spans: Vec<bool> = samples.chunks_exact(half).map(sounding).collect();
        assert_eq!(spans.len(), 20);
        assert!(spans.iter().enumerate().all(|(n, loud)| *loud == (n % 2 == 0)), "{tone:?}");
        stage.relay.hush(stage.now);
        stage.customer.heard.clear();
        stage.run(ms(100));
        assert_eq!(pcm(&stage.customer.heard), [8; 800]);
    }
}

#[test]
fn a_prompt_ends_with_its_last_sample_and_one_that_is_cut_says_how_much_was_heard() {
    let mut stage = Stage::bare();
    stage.relay.play(stage.now, Prompt::Notice, short_prompt(Prompt::Notice));
    stage.run(ms(250));
    let ended = |stage: &Stage| {
        let end = |event: &Event| match event {
            Event::PromptEnded(end) => Some((end.prompt, end.samples, end.whole)),
            _ => None,
        };
        stage.events.iter().filter_map(end).collect::<Vec<_>>()
    };
    assert_eq!(ended(&stage), [(Prompt::Notice, 2_000, true)]);
    assert_eq!(stage.customer.heard.len(), 13);
    // The last frame holds 80 samples of prompt, then silence.
    assert_eq!(stage.customer.heard[12].payload[80..], [0xD5; 80]);
    assert_ne!(stage.customer.heard[12].payload[..80], [0xD5; 80]);
    stage.events.clear();
    stage.relay.play(stage.now, Prompt::Question, short_prompt(Prompt::Question));
    stage.run(ms(101));
    stage.relay.play(stage.now, Prompt::Refused, short_prompt(Prompt::Refused));
    stage.take_events();
    assert_eq!(ended(&stage), [(Prompt::Question, 800, false)]);
    stage.run(ms(40));
    stage.relay.hush(stage.now);
    stage.take_events();
    assert_eq!(ended(&stage)[1], (Prompt::Refused, 320, false));
    assert_eq!(one_stream(&stage.customer.heard, 20), 1);
}

#[test]
fn frames_are_paced_by_deadlines_and_a_stall_is_not_made_up_by_a_burst() {
    let mut stage = Stage::bare();
    stage.relay.play(stage.now, Prompt::Notice, short_prompt(Prompt::Notice));
    stage.run(ms(40));
    // The thread did not run for 45 ms: the frames come late, the ones after in time.
    stage.now = stage.now + ms(45);
    stage.run(ms(40));
    let times = |stage: &Stage| -> Vec<u128> {
        let first = stage.customer.heard[0].at;
        stage.customer.heard.iter().map(|packet| packet.at.since(first).as_millis()).collect()
    };
    assert_eq!(times(&stage), [0, 20, 85, 85, 85, 100, 120]);
    // Nor for two seconds: one frame, then 20 ms each, and the timestamps show the time.
    stage.now = stage.now + ms(2_000);
    stage.run(ms(60));
    let heard = &stage.customer.heard;
    assert_eq!(heard.len(), 10);
    let step = heard[7].header.timestamp.wrapping_sub(heard[6].header.timestamp);
    assert_eq!(u128::from(step) / 8, heard[7].at.since(heard[6].at).as_millis());
}

#[test]
fn a_prompt_waits_while_the_customer_cannot_hear() {
    let mut stage = Stage::bare();
    stage.relay.play(stage.now, Prompt::Notice, short_prompt(Prompt::Notice));
    stage.run(ms(100));
    let held = media::Remote {
        hears: false,
        ..crate::stage::remote(Party::Customer, crate::stage::CUSTOMER)
    };
    stage.relay.set_remote(stage.now, Party::Customer, held);
    stage.run(ms(1_000));
    assert_eq!((stage.customer.heard.len(), stage.events.len()), (5, 0));
    let back = media::Remote { hears: true, ..held };
    stage.relay.set_remote(stage.now, Party::Customer, back);
    stage.run(ms(400));
    let Event::PromptEnded(end) = stage.events[0] else { panic!("{:?}", stage.events) };
    assert!(end.whole && end.samples == 2_000);
}
