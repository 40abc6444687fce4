//! An hour in which both clocks drift: the channels stay together, nothing is longer or shorter, and
//! what is missing is what was lost.

use call::Party;

use crate::line::{DELAY_US, Line, Recorded, Speech};

/// A beep of 20 ms is spoken each ten seconds of the true time, over a murmur.
const EVERY_S: f64 = 10.0;

/// What a sender whose clock is `ppm` fast says.
fn beeps(ppm: i64) -> Speech {
    let rate = 8_000.0 * (1.0 + ppm as f64 / 1e6);
    Box::new(move |at| {
        let seconds = at as f64 / rate;
        let beep = seconds % EVERY_S < 0.02 && seconds > 1.0;
        let peak = if beep { 12_000 } else { 500 };
        if at % 8 < 4 { peak } else { -peak }
    })
}

/// Where each beep begins in a channel, as seconds off its true place.
fn off(recorded: &Recorded, channel: usize, from: usize, to: usize) -> Vec<f64> {
    let samples = &recorded.samples[channel];
    let place = |beep: usize| {
        let spoken = beep as f64 * EVERY_S + DELAY_US as f64 / 1e6 - recorded.started;
        let expected = (spoken * 8_000.0) as usize;
        let around = &samples[expected - 800..expected + 800];
        let first = around.iter().position(|sample| sample.unsigned_abs() > 5_000);
        (first.unwrap() as f64 - 800.0) / 8_000.0
    };
    (from..to).map(place).collect()
}

/// The spans that are lost: who sends it, the first packet and how many.
const LOST: [(Party, u64, u64); 5] = [
    (Party::Customer, 3_017, 1),
    (Party::Agent, 9_033, 2),
    (Party::Customer, 60_021, 5),
    (Party::Agent, 100_004, 1),
    (Party::Customer, 100_702, 60),
];

fn loses(party: Party, number: u64) -> bool {
    LOST.iter()
        .any(|(who, first, count)| *who == party && (*first..*first + *count).contains(&number))
}

#[test]
fn b_34_in_an_hour_of_drift_and_jitter_the_channels_stay_together_and_gaps_are_what_was_lost() {
    const SECONDS: f64 = 3_600.0;
    let mut line = Line::new([beeps(200), beeps(-200)], [200, -200]);
    line.jitter_us = 60_000;
    line.loses = Box::new(loses);
    line.run(2.0);
    line.record();
    line.run(SECONDS);
    let recorded = line.end();
    let length = recorded.samples[0].len() as f64 / 8_000.0;
    let expected = 2.0 + SECONDS - recorded.started;
    assert!((length - expected).abs() <= 0.020, "{length} s of {expected} s");
    let [customer, agent] = [0, 1].map(|channel| off(&recorded, channel, 1, 360));
    for (one, two) in customer.iter().zip(&agent) {
        assert!((one - two).abs() <= 0.020, "{one} s and {two} s off");
        assert!(one.abs() <= 0.020 && two.abs() <= 0.020, "{one} s and {two} s off");
    }
    // One of them is heard first, and what is on its way at the end of the call is never recorded.
    let end = recorded.samples[0].len() as u64 - 1_600;
    let late: Vec<_> = recorded.gaps.iter().filter(|gap| gap.1 > 160 && gap.1 < end).collect();
    assert_eq!(late.len(), LOST.len(), "{late:?}");
    for (who, first, count) in LOST {
        let channel = usize::from(who == Party::Agent);
        let fast = if channel == 0 { 1.0002 } else { 0.9998 };
        let said = first as f64 * 0.02 / fast + DELAY_US as f64 / 1e6 - recorded.started;
        let near = |at: u64| (at as f64 / 8_000.0 - said).abs() <= 0.020;
        let listed = late.iter().find(|gap| gap.0 == channel && near(gap.1));
        let (_, _, samples) = listed.unwrap_or_else(|| panic!("no gap at {said} s: {late:?}"));
        assert!(samples.abs_diff(count * 160) <= 8, "{samples} of {} samples", count * 160);
    }
}

#[test]
fn b_29_b_34_another_source_a_pause_and_another_codec_leave_the_channels_together() {
    let mut line = Line::new([beeps(200), beeps(-200)], [200, -200]);
    line.jitter_us = 40_000;
    // The customer sends comfort noise and then nothing for three seconds, as a phone that saves its
    // bandwidth; the agent sends nothing for one, and nobody knows why.
    line.hums = Box::new(|party, number| party == Party::Customer && number == 700);
    line.loses = Box::new(|party, number| match party {
        Party::Customer => (701..850).contains(&number),
        Party::Agent => (1_100..1_150).contains(&number),
    });
    line.run(2.0);
    line.record();
    line.run(33.0);
    line.replace(Party::Agent);
    line.run(20.0);
    line.speak(Party::Customer, media::Codec::Pcmu);
    line.run(20.0);
    line.speak(Party::Agent, media::Codec::G722);
    line.run(30.0);
    let recorded = line.end();
    let [customer, agent] = [0, 1].map(|channel| off(&recorded, channel, 1, 10));
    for (one, two) in customer.iter().zip(&agent) {
        assert!((one - two).abs() <= 0.020, "{one} s and {two} s off: {customer:?} {agent:?}");
    }
    let [rest] = recorded.rests[..] else { panic!("{:?}", recorded.rests) };
    assert!(rest.0 == 0 && rest.2.abs_diff(150 * 160) <= 8, "{rest:?}");
    let long: Vec<_> = recorded.gaps.iter().filter(|gap| gap.2 > 800).collect();
    let [lost] = long[..] else { panic!("{:?}", recorded.gaps) };
    assert!(lost.0 == 1 && lost.2.abs_diff(50 * 160) <= 8, "{lost:?}");
}

#[test]
fn d_25_a_pause_is_a_gap_of_its_own_reason_in_both_channels_and_a_hold_is_none_of_them() {
    let mut line = Line::new([beeps(0), beeps(0)], [0, 0]);
    line.run(1.0);
    line.record();
    line.run(10.3);
    line.hold(true);
    line.run(0.4);
    // Wanted while somebody holds: from here on it is a pause that is meant.
    line.pause();
    line.run(0.7);
    line.hold(false);
    line.run(5.0);
    let recorded = line.end();
    let [customer, agent] = recorded.pauses[..] else { panic!("{:?}", recorded.pauses) };
    assert_eq!((customer.0, agent.0), (0, 1));
    for (channel, first, length) in [customer, agent] {
        assert!(
            first.abs_diff(10_700 * 8) <= 320 && length.abs_diff(700 * 8) <= 320,
            "{first} {length}"
        );
        let silent = &recorded.samples[channel][first as usize..(first + length) as usize];
        let loudest = silent.iter().map(|sample| sample.unsigned_abs()).max();
        assert!(loudest <= Some(8), "{loudest:?}: A-law has no sample nearer to silence");
    }
    assert!(recorded.samples[0].len().abs_diff(16_400 * 8) <= 480, "{}", recorded.samples[0].len());
}
