//! A party who speaks wider than a telephone of G.711 can: all of it is recorded, beside one who does not.

use call::Party;
use media::Codec;

use crate::{
    line::Line,
    pure::{peak, sine},
};

/// A second of 5,000 Hz with a peak of 8,000, which ffmpeg 7 encoded (`-c:a g722`).
const TONE: &[u8] = include_bytes!("../../../../tests/support/tone_5000.g722");
/// Full seconds are compared in parts of 100 ms of 16,000 Hz.
const PART: usize = 1_600;

fn is_near(level: f64) -> bool {
    (level / 8_000.0 - 1.0).abs() < 0.06
}

#[test]
fn b_04_g_722_is_recorded_at_its_full_width_beside_g_711_and_through_a_change_of_codec() {
    let mut line = Line::new([sine(1_000.0), sine(440.0)], [0, 0]);
    line.play(Party::Customer, Codec::G722, TONE);
    line.run(2.0);
    line.record();
    line.run(6.0);
    line.speak(Party::Customer, Codec::Pcma);
    line.run(6.0);
    line.play(Party::Customer, Codec::G722, TONE);
    line.run(6.0);
    let recorded = line.end();
    assert_eq!(recorded.rate_hz, 16_000);
    let [customer, agent] = &recorded.whole;
    let length = customer.len() as f64 / 16_000.0;
    let expected = 20.0 - recorded.started;
    assert!((length - expected).abs() <= 0.020, "{length} s of {expected} s");
    assert!(recorded.gaps.iter().all(|gap| gap.2 <= 160), "{:?}", recorded.gaps);
    // Where the changes lie in it; each half second beside them is left out, and of the way back to
    // G.722 what is left of its second, which has begun narrow.
    let place = |second: f64| ((second - recorded.started) * 16_000.0) as usize;
    let stretches = [(2.5, 7.5, 5_000.0), (8.5, 13.5, 1_000.0), (15.1, 19.5, 5_000.0)];
    for (from, until, hertz) in stretches {
        for part in customer[place(from)..place(until)].chunks_exact(PART) {
            let level = peak(part, hertz);
            assert!(is_near(level), "{hertz} Hz from {from} s: {level}");
            // Neither the other tone, nor an image of one in either band.
            for other in [1_000.0, 3_000.0, 5_000.0, 7_000.0] {
                let beside = peak(part, other);
                assert!(other == hertz || beside < 200.0, "{other} beside {hertz} Hz: {beside}");
            }
        }
    }
    // To the change itself it is one tone and from there the other, at its place on the time line.
    let change = (0..customer.len() - 320)
        .step_by(80)
        .find(|at| peak(&customer[*at..at + 320], 1_000.0) > 7_000.0)
        .unwrap();
    assert!(change.abs_diff(place(8.005)) <= 480, "{change} and {}", place(8.005));
    for part in agent[PART..agent.len() - PART].chunks_exact(PART) {
        let (level, image) = (peak(part, 440.0), peak(part, 7_560.0));
        assert!(is_near(level) && image < 20.0, "440 Hz: {level}, its image {image}");
    }
}

#[test]
fn a_call_of_g_711_is_given_out_at_8_000_hz_as_ever() {
    let mut line = Line::new([sine(1_000.0), sine(440.0)], [0, 0]);
    line.run(1.0);
    line.record();
    line.run(3.0);
    let recorded = line.end();
    assert_eq!((recorded.rate_hz, &recorded.whole), (8_000, &recorded.samples));
}
