//! What a leg counted, in the words of those who listen: loss, jitter and a mean opinion score.

use std::time::Duration;

use crate::{codec::Codec, emodel::Way};

/// Fewer packets than a second of speech say nothing.
const FEWEST: u64 = 50;
/// How long a packet is on its way if no report tells, which is common within a country.
const USUAL_WAY: Duration = Duration::from_millis(25);

/// How one direction of a leg was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quality {
    /// Packets that did not arrive, of ten thousand.
    pub lost_of_10000: u16,
    /// Mean interarrival jitter in microseconds (RFC 3550 §6.4.1).
    pub jitter_us: u32,
    /// The mean opinion score in hundredths, 100 to 441: what a conversation over this leg alone would
    /// be worth (MOS-CQE of ITU-T G.107; `emodel.rs`). The delay in it is half the round trip, a packet,
    /// and a jitter buffer of twice the jitter.
    pub mos_hundredths: u16,
}

/// What was counted of one direction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted {
    pub(crate) codec: Codec,
    pub(crate) packet: Duration,
    /// Packets that were sent.
    pub(crate) expected: u64,
    /// How many of them did not arrive, and in how many stretches, if that is known.
    pub(crate) lost: u64,
    pub(crate) bursts: Option<u64>,
    pub(crate) jitter_us: u32,
    pub(crate) round_trip: Option<Duration>,
}

impl Counted {
    /// What it was like; `None` when there was hardly anything.
    pub(crate) fn quality(&self) -> Option<Quality> {
        if self.expected < FEWEST {
            return None;
        }
        let loss = (self.lost as f64 / self.expected as f64).min(1.0);
        let buffer = Duration::from_micros(u64::from(self.jitter_us) * 2).max(self.packet);
        let way = self.round_trip.map_or(USUAL_WAY, |trip| trip / 2);
        let delay_ms = (way + self.packet + buffer).as_secs_f64() * 1_000.0;
        let way = Way { codec: self.codec, loss, burst: self.burst(loss), delay_ms };
        Some(Quality {
            lost_of_10000: (loss * 10_000.0).round() as u16,
            jitter_us: self.jitter_us,
            mos_hundredths: (way.opinion() * 100.0).round() as u16,
        })
    }

    /// The mean length of a stretch of losses, against `1/(1 - loss)`, which chance would make it.
    fn burst(&self, loss: f64) -> f64 {
        let bursts = self.bursts.filter(|bursts| *bursts > 0);
        bursts.map_or(1.0, |bursts| (self.lost as f64 / bursts as f64 * (1.0 - loss)).max(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Counted = Counted {
        codec: Codec::Pcma,
        packet: Duration::from_millis(20),
        expected: 10_000,
        lost: 0,
        bursts: Some(0),
        jitter_us: 1_000,
        round_trip: Some(Duration::from_millis(20)),
    };

    fn mos(counted: Counted) -> u16 {
        counted.quality().unwrap().mos_hundredths
    }

    #[test]
    fn a_good_leg_is_rated_with_its_delay_and_loss_takes_from_that() {
        assert_eq!(mos(GOOD), 438);
        let lossy = Counted { lost: 200, bursts: Some(196), ..GOOD };
        let quality = lossy.quality().unwrap();
        assert_eq!((quality.lost_of_10000, quality.jitter_us), (200, 1_000));
        assert_eq!(quality.mos_hundredths, 419);
        assert!(mos(Counted { bursts: Some(20), ..lossy }) < 419, "ten in a row are worse");
        assert_eq!(mos(Counted { bursts: None, ..lossy }), 419, "nobody knows: by chance");
        assert_eq!(mos(Counted { lost: 20_000, ..GOOD }), 114, "more than there were");
    }

    #[test]
    fn a_long_way_and_a_deep_jitter_buffer_take_their_part() {
        let trip = |ms| Some(Duration::from_millis(ms));
        assert!(mos(Counted { round_trip: trip(600), ..GOOD }) < 380);
        assert!(mos(Counted { jitter_us: 100_000, ..GOOD }) < 410);
        let unknown = Counted { round_trip: None, ..GOOD };
        assert_eq!(mos(unknown), mos(Counted { round_trip: trip(50), ..GOOD }));
    }

    #[test]
    fn less_than_a_second_of_speech_has_no_score() {
        assert_eq!(Counted { expected: 49, ..GOOD }.quality(), None);
        assert!(Counted { expected: 50, ..GOOD }.quality().is_some());
    }
}
