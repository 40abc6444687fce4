//! Where a received packet's sound belongs: RTP timestamps laid on the call's one clock.

use std::time::Duration;

use call::Time;

/// Samples per second of every clock here.
pub const RATE_HZ: u32 = 8_000;
/// A timestamp further than this from its arrival is a new beginning, not jitter: 200 ms.
const JUMP: i64 = 1_600;
/// A lasting deviation beyond this is taken back: 20 ms.
const DRIFT: i64 = 160;
/// After so many packets (about 5 s) a lasting deviation is looked for.
const WINDOW: u32 = 256;

/// How many samples last as long as `wait`.
#[must_use]
pub fn samples(wait: Duration) -> u64 {
    u64::try_from(wait.as_micros()).unwrap_or(u64::MAX) / 125
}

/// How long `samples` last.
#[must_use]
pub const fn duration(samples: u64) -> Duration {
    Duration::from_micros(samples.saturating_mul(125))
}

/// The call's clock: samples since the relay was made. Both directions are laid on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallClock(Time);

impl CallClock {
    /// A clock that stands at 0 now.
    pub(crate) const fn start(now: Time) -> Self {
        Self(now)
    }

    /// Where the clock stands.
    pub(crate) fn position(self, now: Time) -> i64 {
        i64::try_from(samples(now.since(self.0))).unwrap_or(i64::MAX)
    }

    /// The moment of a position.
    pub(crate) fn moment(self, position: i64) -> Time {
        self.0 + duration(u64::try_from(position).unwrap_or(0))
    }
}

/// Where a packet was placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    /// First sample on the call's clock.
    pub(crate) position: i64,
    /// Whether the stream began anew here: its timestamps say nothing about what came before.
    pub(crate) anchored: bool,
}

/// Lays the packets of one received stream on the call's clock.
///
/// The first packet is anchored at its arrival; from there RTP timestamps decide, so that
/// reordered packets fall into place and a gap stays as long as it was. A new SSRC, or a
/// timestamp more than 200 ms away from its arrival, anchors anew. A deviation that lasts through
/// 256 packets (a drifting sender, or a first packet that came late) is taken back at once.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    anchor: Option<Anchor>,
    seen: u32,
    least: i64,
}

#[derive(Clone, Copy, Debug)]
struct Anchor {
    ssrc: u32,
    timestamp: u32,
    position: i64,
}

impl Timeline {
    /// Places a packet that arrived when the call's clock stood at `arrival`.
    pub(crate) fn place(&mut self, ssrc: u32, timestamp: u32, arrival: i64) -> Placed {
        if let Some(anchor) = self.anchor.filter(|anchor| anchor.ssrc == ssrc) {
            let step = i64::from(timestamp.wrapping_sub(anchor.timestamp).cast_signed());
            let position = anchor.position + step;
            let late = arrival - position;
            if late.abs() <= JUMP {
                if step > 0 {
                    // The anchor moves along, so that the difference never wraps in a long call.
                    self.anchor = Some(Anchor { ssrc, timestamp, position });
                }
                self.watch(late);
                return Placed { position, anchored: false };
            }
        }
        self.anchor = Some(Anchor { ssrc, timestamp, position: arrival });
        (self.seen, self.least) = (0, i64::MAX);
        Placed { position: arrival, anchored: true }
    }

    fn watch(&mut self, late: i64) {
        // The least delayed packet of a window tells what is deviation and what is jitter.
        self.least = self.least.min(late);
        self.seen += 1;
        if self.seen == WINDOW {
            if self.least.abs() > DRIFT
                && let Some(anchor) = &mut self.anchor
            {
                anchor.position += self.least;
            }
            (self.seen, self.least) = (0, i64::MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reordered_packets_fall_into_place_and_a_gap_keeps_its_length() {
        let mut line = Timeline::default();
        assert_eq!(line.place(7, 5_000, 800), Placed { position: 800, anchored: true });
        assert_eq!(line.place(7, 5_320, 1_150).position, 1_120);
        assert_eq!(line.place(7, 5_160, 1_160).position, 960);
        assert_eq!(line.place(7, 21_000, 16_800), Placed { position: 16_800, anchored: false });
    }

    #[test]
    fn a_new_source_and_a_jump_of_the_timestamps_anchor_anew() {
        let mut line = Timeline::default();
        line.place(7, 0xFFFF_FFF0, 0);
        assert_eq!(line.place(7, 144, 160), Placed { position: 160, anchored: false });
        assert_eq!(line.place(8, 999, 320), Placed { position: 320, anchored: true });
        assert_eq!(line.place(8, 999 + 160 + 1_600, 480).position, 320 + 1_760);
        let jump = line.place(8, 999 + 320 + 1_600 + 1_700, 640);
        assert_eq!(jump, Placed { position: 640, anchored: true });
        // A sender whose timestamps stood still while it was silent.
        assert!(line.place(8, 999 + 320 + 1_600 + 1_700 + 160, 640 + 8_000).anchored);
    }

    #[test]
    fn b_34_a_drifting_sender_stays_within_20_ms_and_a_bit() {
        let mut line = Timeline::default();
        let mut worst = 0;
        for n in 0..90_000_i64 {
            // 200 ppm fast: its 160 samples last 19.996 ms.
            let arrival = n * 160 - n * 160 / 5_000;
            let at = line.place(1, u32::try_from(n * 160).unwrap(), arrival).position;
            worst = worst.max((at - arrival).abs());
        }
        assert!(worst <= DRIFT + 10, "{worst}");
    }

    #[test]
    fn a_call_of_many_days_never_wraps() {
        let mut line = Timeline::default();
        let day = 8_000 * 86_400_u32;
        for n in 0..20_u32 {
            let at = i64::from(n) * i64::from(day);
            let placed = line.place(1, n.wrapping_mul(day), at);
            assert_eq!(placed, Placed { position: at, anchored: n == 0 });
        }
    }

    #[test]
    fn a_first_packet_that_came_late_is_made_good_and_a_little_lateness_left_alone() {
        for (early, in_the_end) in [(240, 240), (120, 0)] {
            let mut line = Timeline::default();
            line.place(1, 0, 1_000);
            let place = |line: &mut Timeline, n: u32| {
                let arrival = 1_000 + i64::from(n) * 160 - early;
                let placed = line.place(1, n * 160, arrival);
                assert!(!placed.anchored);
                1_000 + i64::from(n) * 160 - placed.position
            };
            for n in 1..=256 {
                assert_eq!(place(&mut line, n), 0);
            }
            for n in 257..1_000 {
                assert_eq!(place(&mut line, n), in_the_end);
            }
        }
    }

    #[test]
    fn jitter_moves_nothing() {
        let mut line = Timeline::default();
        line.place(1, 0, 0);
        for n in 1..2_000_u32 {
            let late = i64::from(n * 7_919 % 400);
            let arrival = i64::from(n) * 160 + if n % 16 == 0 { 0 } else { late };
            assert_eq!(line.place(1, n * 160, arrival).position, i64::from(n) * 160);
        }
    }
}
