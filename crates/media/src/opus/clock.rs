//! The clock of 48,000 Hz on a leg's wire, and the one of 8,000 Hz that counts everywhere else.

/// Ticks of its RTP clock (RFC 7587 §4.1) in one of ours.
pub(crate) const RATIO: u32 = 6;

/// Reads the timestamps of one received stream. Each leg has its own clock; behind it all count alike,
/// so that two clocks can meet in one call.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock(Option<Origin>);

#[derive(Clone, Copy, Debug)]
struct Origin {
    ssrc: u32,
    stated: u32,
    ticks: u32,
}

impl Origin {
    /// Whole ticks from here to a timestamp, before or behind.
    const fn steps(self, timestamp: u32) -> i32 {
        timestamp.wrapping_sub(self.stated).cast_signed().div_euclid(RATIO.cast_signed())
    }
}

impl Clock {
    /// The timestamp of sound in ticks. It goes along with the sound, so that the difference never wraps.
    pub(crate) fn sound(&mut self, ssrc: u32, timestamp: u32) -> u32 {
        let begin = Origin { ssrc, stated: timestamp, ticks: timestamp / RATIO };
        let mut origin = self.0.filter(|known| known.ssrc == ssrc).unwrap_or(begin);
        let steps = origin.steps(timestamp);
        let ticks = origin.ticks.wrapping_add_signed(steps);
        if let Ok(ahead) = u32::try_from(steps) {
            origin.stated = origin.stated.wrapping_add(ahead * RATIO);
            origin.ticks = ticks;
        }
        self.0 = Some(origin);
        ticks
    }

    /// The timestamp of anything else in ticks; some senders take it from another clock.
    pub(crate) fn other(self, ssrc: u32, timestamp: u32) -> u32 {
        let known = self.0.filter(|known| known.ssrc == ssrc);
        known.map_or(timestamp / RATIO, |origin| {
            origin.ticks.wrapping_add_signed(origin.steps(timestamp))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_of_48_000_hz_goes_round_its_circle_and_keeps_the_time() {
        let mut clock = Clock::default();
        let first = clock.sound(1, 0xFFFF_FFF0);
        // 24 hours of packets of 120 ms.
        for n in 0..720_000_u32 {
            let stated = 0xFFFF_FFF0_u32.wrapping_add(n.wrapping_mul(5_760));
            assert_eq!(clock.sound(1, stated).wrapping_sub(first), n.wrapping_mul(960));
        }
    }

    #[test]
    fn what_comes_late_lies_before_and_a_part_of_a_tick_is_none() {
        let mut clock = Clock::default();
        let first = clock.sound(1, 6_000);
        assert_eq!((first, clock.sound(1, 6_960), clock.sound(1, 6_480)), (1_000, 1_160, 1_080));
        assert_eq!((clock.other(1, 6_959), clock.other(1, 6_965)), (1_159, 1_160));
        // The fractions do not add up.
        let mut last = clock.sound(1, 6_960);
        for n in 1..=600_u32 {
            last = clock.sound(1, 6_960 + n);
        }
        assert_eq!(last, 1_260);
        assert_eq!(clock.sound(2, 60), 10, "another source");
    }
}
