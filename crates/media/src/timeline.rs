//! Where a received packet's sound belongs: RTP timestamps laid on the call's one clock.

use std::time::Duration;

use call::Time;

/// Samples per second of every clock here.
pub const RATE_HZ: u32 = 8_000;
/// A timestamp further than this from its arrival is a new beginning, not jitter: 200 ms.
const JUMP: i64 = 1_600;
/// What is later than that and goes on where the packet before it ended may have waited together with what
/// follows, for a network or for this machine: up to 2 s.
const STALL: i64 = 16_000;
/// It goes on if it begins within 60 ms of that packet.
const GOES_ON: i64 = 480;
/// A lasting deviation up to this is left alone: 2 ms.
const SLACK: i64 = 16;
/// After so many packets (about 5 s) a lasting deviation is looked for.
const WINDOW: u32 = 256;
/// The same at the beginning; each window is twice as long as the one before.
const FIRST_WINDOW: u32 = 16;
/// So many packets are the beginning of a stream, or of a sound in it (about 0.3 s). Whose first packet came
/// late is put right there at once: one joint at the start of a sound, and not a second of it that runs too
/// fast.
const BEGINNING: u32 = 16;
/// Later a deviation is taken back by a sample per packet, and one more for each 5 ms of it, up to this many:
/// the recording sounds 5 % faster or slower for a second or two at most, and nothing of it is missing.
/// The writer takes holes of this length for what they are, the joints of two packets.
const STEP: i64 = 8;
/// 5 ms.
const LARGE: i64 = 40;

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
/// timestamp more than 200 ms away from its arrival, anchors anew. A first packet that came late is put
/// right at once. A deviation that lasts through 256 packets (a drifting sender) is taken back sample by
/// sample:
/// what is recorded stretches or shrinks with the sender's clock, and no gap comes of it.
#[derive(Debug)]
pub(crate) struct Timeline {
    anchor: Option<Anchor>,
    /// How far positions are moved from where the timestamps say, and how far they should be.
    shift: i64,
    wanted: i64,
    seen: u32,
    window: u32,
    least: i64,
    /// Packets left of the beginning.
    fresh: u32,
    /// How late the packet before was, if that was a jump or the first of what had waited.
    behind: Option<i64>,
}

impl Default for Timeline {
    fn default() -> Self {
        Self {
            anchor: None,
            shift: 0,
            wanted: 0,
            seen: 0,
            window: FIRST_WINDOW,
            least: i64::MAX,
            fresh: BEGINNING,
            behind: None,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Anchor {
    ssrc: u32,
    timestamp: u32,
    position: i64,
}

impl Timeline {
    /// The next packet is marked as the beginning of a sound (RFC 3551 §4.1). Who sends it may have come from
    /// another source meanwhile, whose clock was a part of a packet off, as a B2BUA does after its ring-back.
    pub(crate) const fn begin_sound(&mut self) {
        self.fresh = BEGINNING;
    }

    /// Places a packet that arrived when the call's clock stood at `arrival`.
    pub(crate) fn place(&mut self, ssrc: u32, timestamp: u32, arrival: i64) -> Placed {
        if let Some(anchor) = self.anchor.filter(|anchor| anchor.ssrc == ssrc) {
            let step = i64::from(timestamp.wrapping_sub(anchor.timestamp).cast_signed());
            let stated = anchor.position + step;
            let late = arrival - stated;
            if self.is_of_a_burst(step, late) {
                self.behind = Some(late);
                self.anchor = Some(Anchor { ssrc, timestamp, position: stated });
                return Placed { position: stated + self.shift, anchored: false };
            }
            if (late - self.shift).abs() <= JUMP {
                self.behind = None;
                if self.fresh > 0 {
                    self.fresh -= 1;
                    self.put_right(late);
                }
                if step > 0 {
                    // The anchor moves along, so that the difference never wraps in a long call.
                    self.anchor = Some(Anchor { ssrc, timestamp, position: stated });
                    self.follow();
                }
                self.watch(late);
                return Placed { position: stated + self.shift, anchored: false };
            }
        }
        *self =
            Self { anchor: Some(Anchor { ssrc, timestamp, position: arrival }), ..Self::default() };
        Placed { position: arrival, anchored: true }
    }

    /// Whether a packet that is later than jitter can make it belongs where its timestamp says all the same:
    /// the first one, and those behind it for as long as they catch up. Where they do not, the sender's
    /// timestamps stood still while it was silent.
    fn is_of_a_burst(&self, step: i64, late: i64) -> bool {
        let catches_up = self.behind.is_none_or(|before| late <= before - step / 2);
        let goes_on = self.fresh < BEGINNING && (1..=GOES_ON).contains(&step);
        goes_on && catches_up && (JUMP + 1..=STALL).contains(&(late - self.shift))
    }

    /// A packet of the beginning that is clearly earlier than the first one said.
    fn put_right(&mut self, late: i64) {
        if late < self.shift - SLACK {
            (self.shift, self.wanted) = (late, late);
        }
    }

    /// Moves a little towards where the sender's clock is.
    fn follow(&mut self) {
        let owed = self.wanted - self.shift;
        let step = (1 + owed.abs() / LARGE).min(STEP);
        self.shift += owed.clamp(-step, step);
    }

    fn watch(&mut self, late: i64) {
        // Nothing comes before it was said: who is early shows that what we went by was late.
        self.wanted = self.wanted.min(late);
        // The least delayed packet of a window tells what is deviation and what is jitter.
        self.least = self.least.min(late);
        self.seen += 1;
        if self.seen == self.window {
            if self.least - self.wanted > SLACK {
                self.wanted = self.least;
            }
            (self.seen, self.least) = (0, i64::MAX);
            self.window = (self.window * 2).min(WINDOW);
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
        // 200 ms too early is no jump yet, and where it came at the beginning.
        assert_eq!(
            line.place(8, 999 + 160 + 1_600, 480),
            Placed { position: 480, anchored: false }
        );
        let jump = line.place(8, 999 + 320 + 1_600 + 1_700, 640);
        assert_eq!(jump, Placed { position: 640, anchored: true });
        // A sender whose timestamps stood still while it was silent, and who says that it begins again.
        line.begin_sound();
        assert!(line.place(8, 999 + 320 + 1_600 + 1_700 + 160, 640 + 8_000).anchored);
    }

    #[test]
    fn what_waited_together_lies_where_it_was_said() {
        let mut line = Timeline::default();
        for n in 0..50_u32 {
            line.place(1, n * 160, i64::from(n) * 160);
        }
        // Nothing comes for 700 ms, and then all of it at once.
        for n in 50..85_u32 {
            let placed = line.place(1, n * 160, 85 * 160);
            assert_eq!(placed, Placed { position: i64::from(n) * 160, anchored: false });
        }
        assert_eq!(line.place(1, 85 * 160, 85 * 160).position, 85 * 160);
    }

    #[test]
    fn a_sender_whose_timestamps_stand_still_in_silence_is_anchored_anew_at_its_second_packet() {
        let mut line = Timeline::default();
        for n in 0..50_u32 {
            line.place(1, n * 160, i64::from(n) * 160);
        }
        let after = 50 * 160 + 8_000;
        assert!(!line.place(1, 50 * 160, after).anchored);
        let second = Placed { position: after + 160, anchored: true };
        assert_eq!(line.place(1, 51 * 160, after + 160), second);
        assert_eq!(line.place(1, 52 * 160, after + 320).position, after + 320);
    }

    #[test]
    fn b_34_an_hour_of_drift_stays_within_5_ms_and_no_step_is_longer_than_a_millisecond() {
        for drift in [1, -1] {
            let mut line = Timeline::default();
            let (mut worst, mut end, mut step) = (0, 0, 0);
            for n in 0..180_000_i64 {
                // 200 ppm fast or slow, and up to 60 ms of jitter.
                let due = n * 160 - drift * (n * 160 / 5_000);
                let arrival = due + n * 7_919 % 480;
                let at = line.place(1, u32::try_from(n * 160).unwrap(), arrival).position;
                if n > 1_000 {
                    worst = worst.max((at - due).abs());
                }
                if n > i64::from(BEGINNING) + 1 {
                    step = step.max((at - end).abs());
                }
                end = at + 160;
            }
            assert!(worst <= 40, "{worst}");
            assert!(step <= STEP, "{step}");
        }
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
    fn a_first_packet_that_came_late_is_put_right_at_once() {
        let mut line = Timeline::default();
        line.place(1, 0, 1_000);
        // All that follows comes 60 ms earlier than the first one promised.
        let ahead = |line: &mut Timeline, n: u32| {
            let due = 1_000 + i64::from(n) * 160;
            let placed = line.place(1, n * 160, due - 480);
            assert!(!placed.anchored);
            due - placed.position
        };
        assert!((1..=200).all(|n| ahead(&mut line, n) == 480));
    }

    #[test]
    fn a_sound_that_begins_a_part_of_a_packet_ahead_is_put_right_at_its_first_packets() {
        let mut line = Timeline::default();
        for n in 0..100_u32 {
            line.place(1, n * 160, i64::from(n) * 160);
        }
        // Ring-back ends in the middle of a packet, and of what follows two packets come at once.
        line.begin_sound();
        let first = line.place(1, 16_000, 16_000 - 60);
        let second = line.place(1, 16_160, 16_000 - 55);
        assert_eq!((first.position, second.position), (15_940, 15_945));
        assert!((2..50).all(|n| {
            let arrival = 15_945 + i64::from(n - 1) * 160;
            line.place(1, 16_000 + n * 160, arrival).position == arrival
        }));
    }

    #[test]
    fn a_way_that_becomes_shorter_is_followed_little_by_little() {
        let mut line = Timeline::default();
        let mut moved = Vec::new();
        for n in 0..300_u32 {
            let due = 1_000 + i64::from(n) * 160;
            let arrival = if n < 50 { due } else { due - 480 };
            moved.push(due - line.place(1, n * 160, arrival).position);
        }
        let steps = moved.windows(2).map(|pair| pair[1] - pair[0]);
        assert!(steps.clone().all(|step| (0..=STEP).contains(&step)), "{moved:?}");
        assert_eq!((moved[50], moved[299]), (0, 480), "some seconds are enough");
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
