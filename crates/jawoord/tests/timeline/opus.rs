//! A party who speaks Opus: decoded where it is recorded, on one line of time with one who speaks G.711.

use call::Party;
use media::Codec;

use crate::{
    line::{Line, Recorded},
    pure::{peak, sine},
};

/// A second of 5,000 Hz with a peak of 8,000 in packets of 160 bytes, which libopus 1.3.1 encoded (CELT,
/// 48,000 Hz, 64 kbit/s).
const TONE: &[u8] = include_bytes!("../../../../tests/support/tone_5000.opus");
/// A second of 500 Hz that swells four times to a peak of 8,000, by the same (SILK, 16,000 Hz, 24 kbit/s, in
/// nearly each packet a copy of the one before): 50 times a length and a packet in 160 bytes.
const SWELL: &[u8] = include_bytes!("../../../../tests/support/tone_500.opus");
/// 20 ms of 16,000 Hz.
const FRAME: usize = 320;

/// A party of Opus beside one of A-law, recorded for so many seconds.
fn recorded(plays: impl FnOnce(&mut Line), seconds: f64, line: impl FnOnce(&mut Line)) -> Recorded {
    let mut call = Line::new([sine(1_000.0), sine(440.0)], [200, -200]);
    plays(&mut call);
    line(&mut call);
    call.run(2.0);
    call.record();
    call.run(seconds);
    call.end()
}

#[test]
fn b_34_opus_of_48_000_hz_beside_g_711_keeps_the_time_through_jitter_and_drift() {
    let tone = |line: &mut Line| line.play(Party::Customer, Codec::Opus, TONE);
    let recorded = recorded(tone, 30.0, |line| line.jitter_us = 60_000);
    assert_eq!(recorded.rate_hz, 16_000);
    let [customer, agent] = &recorded.whole;
    let length = customer.len() as f64 / 16_000.0;
    let expected = 32.0 - recorded.started;
    assert!((length - expected).abs() <= 0.020, "{length} s of {expected} s");
    assert!(recorded.gaps.iter().all(|gap| gap.1 < 800 || gap.2 <= 16), "{:?}", recorded.gaps);
    for (side, hertz) in [(customer, 5_000.0), (agent, 440.0)] {
        let frames: Vec<f64> = side[8_000..side.len() - 8_000]
            .chunks_exact(FRAME)
            .map(|frame| peak(frame, hertz) / 8_000.0)
            .collect();
        let off = frames.iter().filter(|level| (*level - 1.0).abs() > 0.1).count();
        // A drifting clock is followed sample by sample, which a tone of 5,000 Hz shows.
        assert!(
            off * 25 <= frames.len(),
            "{off} of {} frames of {hertz} Hz: {frames:?}",
            frames.len()
        );
    }
    // Nothing of one side is in the other.
    assert!(peak(customer, 440.0) < 30.0 && peak(agent, 5_000.0) < 30.0);
}

/// Where the loud packets are lost: one in each second, from its second on.
fn loses(party: Party, number: u64) -> bool {
    party == Party::Customer && number > 150 && number % 50 == 6
}

#[test]
fn what_is_lost_is_taken_from_the_packet_behind_it_where_that_has_it_and_is_a_gap_where_not() {
    let swell = |line: &mut Line| line.play_slots(Party::Customer, Codec::Opus, SWELL);
    let whole = recorded(swell, 10.0, |_| {});
    let mended = recorded(swell, 10.0, |line| line.loses = Box::new(loses));
    assert!(mended.gaps.iter().all(|gap| gap.0 != 0 || gap.1 < 800), "{:?}", mended.gaps);
    let ([said, _], [heard, _]) = (&whole.whole, &mended.whole);
    let levels = |side: &[i16]| -> Vec<f64> {
        side[16_000..16_000 * 9].chunks_exact(FRAME).map(|frame| peak(frame, 500.0)).collect()
    };
    let loud = levels(said).iter().filter(|level| **level > 6_000.0).count();
    assert!(loud > 100, "{loud} loud frames");
    for (n, (said, heard)) in levels(said).iter().zip(levels(heard)).enumerate() {
        assert!((said - heard).abs() < 2_500.0, "frame {n}: {heard} of {said}");
    }
    // CELT has no copies: what is lost is a gap of its length, and only that.
    let tone = |line: &mut Line| line.play(Party::Customer, Codec::Opus, TONE);
    let torn = recorded(tone, 10.0, |line| line.loses = Box::new(loses));
    let gaps: Vec<_> = torn.gaps.iter().filter(|gap| gap.0 == 0 && gap.1 > 800).collect();
    assert!((8..=10).contains(&gaps.len()), "{gaps:?}");
    assert!(gaps.iter().all(|gap| gap.2.abs_diff(160) <= 16), "{gaps:?}");
    let (_, at, _) = *gaps[4];
    let before = (at as usize * 2).saturating_sub(FRAME);
    let beside = torn.whole[0][before..before + FRAME].to_vec();
    assert!((peak(&beside, 5_000.0) / 8_000.0 - 1.0).abs() < 0.1);
}

#[test]
fn a_pause_and_a_change_of_codec_leave_each_its_own_sound() {
    let tone = |line: &mut Line| line.play(Party::Customer, Codec::Opus, TONE);
    let mut line = Line::new([sine(1_000.0), sine(440.0)], [0, 0]);
    tone(&mut line);
    line.run(1.0);
    line.record();
    line.run(3.0);
    line.hold(true);
    line.run(2.0);
    line.hold(false);
    line.run(3.0);
    line.speak(Party::Customer, Codec::Pcma);
    line.run(3.0);
    let recorded = line.end();
    let customer = &recorded.whole[0];
    let place = |second: f64| ((second - recorded.started) * 16_000.0) as usize;
    for (from, until, hertz) in [(1.2, 3.9, 5_000.0), (6.2, 8.8, 5_000.0), (9.2, 11.8, 1_000.0)] {
        for part in customer[place(from)..place(until)].chunks_exact(1_600) {
            let level = peak(part, hertz);
            assert!((level / 8_000.0 - 1.0).abs() < 0.1, "{hertz} Hz from {from} s: {level}");
        }
    }
    let held = &customer[place(4.1)..place(5.9)];
    assert!(held.iter().all(|sample| *sample == 0), "a hold is silence");
}
