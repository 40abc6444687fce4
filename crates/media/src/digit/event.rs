//! Telephone events (RFC 4733): one key per event, however its packets are lost, doubled or mixed.

use std::time::Duration;

use call::{Key, Time};

use crate::{opus::clock::RATIO, rtp};

/// Length of an event's payload (RFC 4733 §2.3).
pub(crate) const PAYLOAD_LEN: usize = 4;
/// How many events stay known, so that their late packets are not taken for new presses.
const KNOWN: usize = 16;
/// Three updates of at most 50 ms that did not come end an event (RFC 4733 §2.5.1.2, §2.5.2.2).
const SILENT: Duration = Duration::from_millis(150);
/// A segment of a long event starts this long after the one before (RFC 4733 §2.5.1.3), in the clock of
/// its sender: 8,000 Hz or 48,000 Hz.
const SEGMENTS: [u32; 2] = [0xFFFF, 0xFFFF / RATIO];

/// One packet's payload (RFC 4733 §2.3). Volume and the reserved bit say nothing we need (D-27).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Payload {
    /// The event code.
    pub(crate) code: u8,
    /// Whether the event is over.
    pub(crate) end: bool,
    /// How long it has lasted, in timestamp units.
    pub(crate) duration: u16,
}

impl Payload {
    /// Reads the first event of a payload; `None` when it is too short.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let [code, flags, duration @ ..]: [u8; PAYLOAD_LEN] = rtp::read(bytes, 0)?;
        Some(Self { code, end: flags & 0x80 != 0, duration: u16::from_be_bytes(duration) })
    }
}

/// Tells the duration of a payload in another clock. What does not fit into it is as long as can be told.
pub(crate) fn retime(payload: &mut [u8], told: impl FnOnce(u16) -> u16) {
    if let Some([_, _, high, low]) = payload.first_chunk_mut::<PAYLOAD_LEN>() {
        [*high, *low] = told(u16::from_be_bytes([*high, *low])).to_be_bytes();
    }
}

/// One event, or one segment of a long one.
#[derive(Clone, Copy)]
pub(crate) struct Event {
    ssrc: u32,
    timestamp: u32,
    code: u8,
    longest: u16,
    closed: bool,
    last: Time,
    /// Whether its packets go to the other leg: decided at its first packet and for all of it.
    pub(crate) passes: bool,
    /// Whether one of its packets went to the other leg.
    pub(crate) passed: bool,
    /// Whether the other leg is told of it another way when it is over.
    pub(crate) retold: bool,
    /// How long its earlier segments lasted, in timestamp units.
    before: u32,
}

impl Event {
    /// The key, if the event is one.
    pub(crate) fn key(&self) -> Option<Key> {
        Key::from_event(self.code)
    }

    fn is_open(&self, now: Time) -> bool {
        !self.closed && now.since(self.last) < SILENT
    }

    /// Whether a packet with a new timestamp goes on with this event: it is still held, and the
    /// new segment begins where a segment must end. Some senders cut at the last whole packet.
    fn goes_on(&self, now: Time, ssrc: u32, timestamp: u32, code: u8) -> bool {
        let step = timestamp.wrapping_sub(self.timestamp);
        self.is_open(now)
            && (self.ssrc, self.code) == (ssrc, code)
            && SEGMENTS.iter().any(|segment| (segment - 400..=segment + 1).contains(&step))
            && u32::from(self.longest) + 1_600 >= step
    }
}

/// Turns packets into presses. An event is its synchronisation source and RTP timestamp; marker
/// bits and sequence numbers say nothing reliable (rows D-01, D-06, D-22).
#[derive(Default)]
pub(crate) struct Detector {
    /// At most [`KNOWN`]. Most parties never press a key, and have no room for one.
    known: Vec<Event>,
}

impl Detector {
    /// Hears a packet. Answers whether it is the first of its event (then the key was pressed)
    /// and the event itself; `None` when the payload is too short.
    pub(crate) fn packet(
        &mut self,
        now: Time,
        ssrc: u32,
        timestamp: u32,
        payload: &[u8],
    ) -> Option<(bool, &mut Event)> {
        let Payload { code, end, duration } = Payload::parse(payload)?;
        let same = |event: &Event| (event.ssrc, event.timestamp) == (ssrc, timestamp);
        let place = self.known.iter().rposition(same);
        let first = place.is_none() && {
            let before = self.known.last().copied();
            let joined = before.filter(|event| event.goes_on(now, ssrc, timestamp, code));
            // A new timestamp closes what was open (D-02).
            if let Some(last) = self.known.last_mut() {
                last.closed = true;
            }
            if self.known.len() == KNOWN {
                self.known.remove(0);
            }
            let (passes, passed) = joined.map_or((false, false), |e| (e.passes, e.passed));
            let retold = joined.is_some_and(|event| event.retold);
            let step = |e: Event| e.before.saturating_add(timestamp.wrapping_sub(e.timestamp));
            let before = joined.map_or(0, step);
            if let Some(last) = self.known.last_mut().filter(|_| joined.is_some()) {
                last.retold = false;
            }
            self.known.push(Event {
                ssrc,
                timestamp,
                code,
                longest: 0,
                closed: false,
                last: now,
                passes,
                passed,
                retold,
                before,
            });
            joined.is_none()
        };
        let event = match place {
            Some(place) => self.known.get_mut(place)?,
            None => self.known.last_mut()?,
        };
        event.longest = event.longest.max(duration);
        event.closed |= end;
        event.last = now;
        Some((first, event))
    }

    /// Hears that a packet of sound arrived: sound from after the event closes it (D-02). Sound
    /// sent beside the event (D-05) does not.
    pub(crate) fn audio(&mut self, ssrc: u32, timestamp: u32) -> bool {
        let open = |event: &&mut Event| !event.closed && event.ssrc == ssrc;
        self.known.last_mut().filter(open).is_some_and(|last| {
            let after = timestamp.wrapping_sub(last.timestamp).cast_signed();
            last.closed = after > i32::from(last.longest) + 480;
            last.closed
        })
    }

    /// The event of the packet heard last that began one.
    pub(crate) fn newest(&mut self) -> Option<&mut Event> {
        self.known.last_mut()
    }

    /// The event of a packet.
    pub(crate) fn find(&mut self, ssrc: u32, timestamp: u32) -> Option<&mut Event> {
        let same = |event: &&mut Event| (event.ssrc, event.timestamp) == (ssrc, timestamp);
        self.known.iter_mut().rfind(same)
    }

    /// A key that is over and is to be told another way, and how long it was held, in timestamp
    /// units.
    pub(crate) fn take_over(&mut self, now: Time) -> Option<(Key, u32)> {
        let event = self.known.iter_mut().find(|event| event.retold && !event.is_open(now))?;
        event.retold = false;
        Some((event.key()?, event.before.saturating_add(u32::from(event.longest))))
    }

    /// When [`Self::take_over`] has something to give.
    pub(crate) fn over_at(&self) -> Option<Time> {
        let over = |event: &Event| if event.closed { event.last } else { event.last + SILENT };
        self.known.iter().filter(|event| event.retold).map(over).min()
    }

    /// Whether a key is held that the other leg is not given: what its sender says meanwhile is the
    /// key's own sound, if anything (row D-20).
    pub(crate) fn withholds(&self, now: Time) -> bool {
        let last = self.known.last();
        last.is_some_and(|event| event.is_open(now) && !event.passes && event.key().is_some())
    }

    /// Whether a key is held now.
    #[cfg(test)]
    pub(crate) fn is_open(&self, now: Time) -> bool {
        self.known.last().is_some_and(|event| event.is_open(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packets of one press: `(ms after its start, end bit, duration in ticks)`.
    const PRESS: [(u64, bool, u16); 6] = [
        (0, false, 160),
        (20, false, 320),
        (40, false, 480),
        (60, true, 640),
        (62, true, 640),
        (64, true, 640),
    ];

    #[derive(Default)]
    struct Ear(Detector, String);

    impl Ear {
        fn hear(&mut self, ms: u64, timestamp: u32, code: u8, end: bool, duration: u16) {
            let [high, low] = duration.to_be_bytes();
            let payload = [code, (u8::from(end) << 7) | 10, high, low];
            let now = Time::from_micros(ms * 1_000);
            let (first, event) = self.0.packet(now, 1, timestamp, &payload).unwrap();
            if first && let Some(key) = event.key() {
                self.1.push(key.reveal());
            }
        }

        fn press(&mut self, ms: u64, timestamp: u32, code: u8, packets: &[usize]) {
            for &n in packets {
                let (after, end, duration) = PRESS[n];
                self.hear(ms + after, timestamp, code, end, duration);
            }
        }
    }

    #[test]
    fn d_01_one_event_per_timestamp_whatever_the_marker() {
        // The marker is not even an argument; the same timestamp is the same press.
        let mut ear = Ear::default();
        ear.press(0, 1_000, 1, &[0, 1, 2, 3, 4, 5]);
        assert_eq!(ear.1, "1");
        ear.press(500, 5_000, 1, &[0, 1, 2, 3, 4, 5]);
        assert_eq!(ear.1, "11");
    }

    #[test]
    fn d_02_an_event_without_ends_closes_by_new_timestamp_audio_or_time() {
        let at = |ms: u64| Time::from_micros(ms * 1_000);
        let mut ear = Ear::default();
        ear.press(0, 1_000, 5, &[0, 1, 2]);
        assert!(ear.0.is_open(at(50)));
        ear.press(90, 1_720, 6, &[0]);
        assert_eq!(ear.1, "56");
        // Sound from after the event.
        ear.0.audio(1, 1_720 + 160 + 480);
        assert!(ear.0.is_open(at(95)));
        ear.0.audio(1, 1_720 + 160 + 481);
        assert!(!ear.0.is_open(at(95)));
        // Three updates missed.
        ear.press(1_000, 9_000, 7, &[0, 1]);
        assert!(ear.0.is_open(at(1_020 + 149)));
        assert!(!ear.0.is_open(at(1_020 + 150)));
        // Nothing of what is closed counts again.
        ear.press(1_300, 9_000, 7, &[3, 4, 5]);
        ear.press(1_400, 1_000, 5, &[3]);
        assert_eq!(ear.1, "567");
    }

    #[test]
    fn d_03_one_three_or_ten_ends_are_one_digit() {
        for ends in [1, 3, 10] {
            let mut ear = Ear::default();
            ear.press(0, 1_000, 10, &[0, 1, 2]);
            for n in 0..ends {
                ear.hear(60 + n, 1_000, 10, true, 640);
            }
            assert_eq!(ear.1, "*");
            assert!(!ear.0.is_open(Time::from_micros(61_000)));
        }
    }

    #[test]
    fn d_04_only_ends_are_one_digit() {
        let mut ear = Ear::default();
        ear.press(0, 1_000, 11, &[3, 4, 5]);
        assert_eq!(ear.1, "#");
        assert_eq!(ear.0.known[0].longest, 640);
    }

    #[test]
    fn d_05_zero_first_duration_jumps_and_sound_between_the_ends() {
        let mut ear = Ear::default();
        for (ms, end, duration) in [(0, false, 0), (20, false, 160), (40, false, 800)] {
            ear.hear(ms, 1_000, 2, end, duration);
        }
        ear.0.audio(1, 2_000);
        ear.hear(60, 1_000, 2, true, 813);
        ear.0.audio(1, 2_160);
        ear.hear(80, 1_000, 2, true, 813);
        ear.0.audio(1, 2_320);
        ear.hear(100, 1_000, 2, true, 813);
        assert_eq!(ear.1, "2");
    }

    #[test]
    fn d_06_every_order_of_the_packets_and_doubles_are_one_digit() {
        let mut order = [0, 1, 2, 3, 4, 5];
        // Heap's algorithm over all 720 orders, each heard twice.
        fn each(order: &mut [usize; 6], k: usize, check: &mut impl FnMut(&[usize; 6])) {
            if k <= 1 {
                return check(order);
            }
            for i in 0..k {
                each(order, k - 1, check);
                order.swap(if k.is_multiple_of(2) { i } else { 0 }, k - 1);
            }
        }
        let mut count = 0;
        each(&mut order, 6, &mut |order| {
            let mut ear = Ear::default();
            ear.press(0, 1_000, 3, order);
            ear.press(0, 1_000, 3, order);
            assert_eq!(ear.1, "3");
            count += 1;
        });
        assert_eq!(count, 720);
        // The late ends of one press among the packets of the next.
        let mut ear = Ear::default();
        ear.press(0, 1_000, 1, &[0, 1]);
        ear.press(100, 1_800, 2, &[0]);
        ear.press(100, 1_000, 1, &[3]);
        ear.press(100, 1_800, 2, &[1]);
        ear.press(100, 1_000, 1, &[4, 5]);
        ear.press(100, 1_800, 2, &[3, 4, 5]);
        assert_eq!(ear.1, "12");
    }

    #[test]
    fn d_07_the_same_digit_twice_40_ms_apart_is_two() {
        for gap_ms in [40, 50] {
            let mut ear = Ear::default();
            ear.press(0, 1_000, 8, &[0, 1, 2, 3, 4, 5]);
            let next = 80 + gap_ms;
            ear.press(next, 1_000 + u32::try_from(next).unwrap() * 8, 8, &[0, 1, 2, 3, 4, 5]);
            assert_eq!(ear.1, "88");
        }
    }

    #[test]
    fn d_08_segments_of_a_long_event_are_one_digit() {
        // RFC 4733 §2.5.1.3: the next segment starts 0xFFFF after; some cut at the last packet.
        for step in [0x1_0000_u32, 0xFFFF, 65_520, 65_280] {
            let mut ear = Ear::default();
            let mut start = 0xFFFF_F000_u32;
            for segment in 0..3_u64 {
                for n in 1..=u64::from(step.min(0xFFFF) / 160) {
                    let duration = u16::try_from(n * 160).unwrap();
                    ear.hear(segment * u64::from(step) / 8 + n * 20, start, 9, false, duration);
                }
                start = start.wrapping_add(step);
            }
            ear.hear(24_600, start, 9, true, 400);
            assert_eq!(ear.1, "9", "{step}");
        }
    }

    #[test]
    fn d_08_a_second_press_8_s_after_a_short_one_is_not_joined() {
        let mut ear = Ear::default();
        ear.press(0, 1_000, 4, &[0, 1, 2]);
        ear.press(8_192, 1_000 + 0xFFFF, 4, &[0, 1, 2]);
        assert_eq!(ear.1, "44");
    }

    #[test]
    fn d_07_the_same_digit_twice_is_two_even_when_the_first_ones_ends_are_lost() {
        // A short step, and one as long as a segment although the key was held for 60 ms only.
        for step in [720, 0xFFFF] {
            let mut ear = Ear::default();
            ear.press(0, 1_000, 8, &[0, 1, 2]);
            ear.press(90, 1_000 + step, 8, &[0, 1, 2]);
            assert_eq!(ear.1, "88", "{step}");
        }
    }

    #[test]
    fn d_26_flash_and_fax_events_are_no_key() {
        let mut ear = Ear::default();
        for (n, code) in [16, 32, 36, 49, 255].into_iter().enumerate() {
            ear.press(n as u64 * 200, 1_000 + n as u32 * 1_600, code, &[0, 1, 3]);
        }
        assert_eq!(ear.1, "");
    }

    #[test]
    fn d_27_volume_and_the_reserved_bit_are_ignored() {
        let event = Payload::parse(&[1, 0x7F, 0, 160]).unwrap();
        assert_eq!(event, Payload { code: 1, end: false, duration: 160 });
        assert_eq!(Payload::parse(&[1, 0x80, 0]), None);
    }
}
