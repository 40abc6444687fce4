//! Keys pressed anew for a peer that cannot be given them as they came: as telephone events (RFC
//! 4733) or as tones, one after the other (row D-19).

use std::time::Duration;

use arrayvec::ArrayVec;
use call::{Key, Time};

use crate::timeline::duration;

/// Keys that wait; one more is dropped, nobody types so fast.
const WAITING: usize = 16;
/// The shortest press that every receiver takes for one: 40 ms (ITU-T Q.24).
const LEAST: u32 = 320;
/// A longer press is cut here: it fits one event without segments (RFC 4733 §2.5.1.3).
const MOST: u32 = 60_000;
/// How often the peer hears that the key is still held, and how long a piece of its tone is: 20 ms.
const STEP: u32 = 160;
/// Silence between two keys.
const PAUSE: Duration = Duration::from_millis(50);
/// The end of an event is told so often (RFC 4733 §2.5.1.4).
const ENDS: u8 = 3;

/// What is to be sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A packet of the key's event.
    Event {
        /// For how long it has been held, in samples.
        held: u16,
        /// It is over.
        end: bool,
    },
    /// So much of its tone, from this sample on; silence follows in the packet.
    Tone {
        /// First sample.
        from: u32,
        /// Samples.
        length: u32,
    },
}

/// What is sent for which key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) key: Key,
    pub(crate) first: bool,
    pub(crate) piece: Piece,
}

#[derive(Clone, Copy)]
struct Under {
    key: Key,
    length: u32,
    done: u32,
    ends: u8,
    /// As a tone and not as an event.
    sounds: bool,
}

/// The keys that a leg is still to be given.
#[derive(Default)]
pub(crate) struct Dialler {
    waiting: ArrayVec<(Key, u32), WAITING>,
    under: Option<Under>,
    due: Option<Time>,
}

impl Dialler {
    /// Presses a key that was held for `held` samples.
    pub(crate) fn press(&mut self, now: Time, key: Key, held: u32) {
        if self.waiting.try_push((key, held.clamp(LEAST, MOST))).is_ok() {
            self.due.get_or_insert(now);
        }
    }

    /// When the next piece is due.
    pub(crate) const fn due(&self) -> Option<Time> {
        self.due
    }

    /// Whether a key is being pressed: then nothing else is sent to the leg.
    pub(crate) const fn is_pressing(&self) -> bool {
        self.under.is_some()
    }

    /// What is to be sent at `now`, and the moment that it stands for. `sounds` says how the peer
    /// takes keys; a key that has begun ends as it began.
    pub(crate) fn next(&mut self, now: Time, sounds: bool) -> Option<(Time, Sent)> {
        let at = self.due.filter(|due| *due <= now)?;
        let fresh = self.under.is_none();
        let under = match self.under {
            Some(under) => under,
            None => {
                let Some((key, length)) = self.waiting.pop_at(0) else {
                    self.due = None;
                    return None;
                };
                Under { key, length, done: 0, ends: 0, sounds }
            }
        };
        let (piece, rest) = if under.sounds { tone(under) } else { event(under) };
        let step = if matches!(piece, Piece::Event { end: true, .. }) { 0 } else { STEP };
        self.under = rest;
        self.due = Some(match rest {
            Some(_) => at + duration(u64::from(step)),
            None => at + duration(u64::from(step)) + PAUSE,
        });
        Some((at, Sent { key: under.key, first: fresh, piece }))
    }

    /// The peer hears nothing now: what waits is not kept for later.
    pub(crate) fn drop_all(&mut self) {
        *self = Self::default();
    }
}

/// The next packet of an event: updates, then three times its end.
fn event(under: Under) -> (Piece, Option<Under>) {
    let done = (under.done + STEP).min(under.length);
    let end = done == under.length;
    let ends = under.ends + u8::from(end);
    let held = u16::try_from(done).unwrap_or(u16::MAX);
    (Piece::Event { held, end }, (ends < ENDS).then_some(Under { done, ends, ..under }))
}

/// The next piece of a tone.
fn tone(under: Under) -> (Piece, Option<Under>) {
    let length = STEP.min(under.length - under.done);
    let done = under.done + length;
    let piece = Piece::Tone { from: under.done, length };
    (piece, (done < under.length).then_some(Under { done, ..under }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Time {
        Time::from_micros(ms * 1_000)
    }

    /// Everything that is sent for these presses, with the milliseconds at which it is.
    fn all(presses: &[(char, u32)], sounds: bool) -> Vec<(u64, char, bool, Piece)> {
        let mut dialler = Dialler::default();
        for (character, held) in presses {
            dialler.press(at(0), Key::new(*character).unwrap(), *held);
        }
        let mut sent = Vec::new();
        for ms in 0..60_000 {
            while let Some((_, Sent { key, first, piece })) = dialler.next(at(ms), sounds) {
                sent.push((ms, key.reveal(), first, piece));
            }
        }
        assert!(!dialler.is_pressing() && dialler.due().is_none());
        sent
    }

    #[test]
    fn d_19_an_event_has_updates_of_20_ms_and_three_ends_and_lasts_as_long_as_the_press() {
        let event = |held, end| Piece::Event { held, end };
        let end = (60, '5', false, event(600, true));
        assert_eq!(
            all(&[('5', 600)], false),
            [
                (0, '5', true, event(160, false)),
                (20, '5', false, event(320, false)),
                (40, '5', false, event(480, false)),
                end,
                end,
                end,
            ]
        );
    }

    #[test]
    fn d_19_a_press_too_short_to_be_taken_for_one_lasts_40_ms() {
        for held in [0, 1, 160, 319] {
            let longest = |sounds| {
                let all = all(&[('1', held)], sounds);
                all.iter()
                    .map(|(.., piece)| match piece {
                        Piece::Event { held, .. } => u32::from(*held),
                        Piece::Tone { from, length } => from + length,
                    })
                    .max()
            };
            assert_eq!((longest(false), longest(true)), (Some(320), Some(320)));
        }
    }

    #[test]
    fn d_19_keys_follow_one_another_with_a_pause_and_in_their_order() {
        let sent = all(&[('1', 400), ('2', 320), ('2', 320)], true);
        let firsts: Vec<_> = sent.iter().filter(|(_, _, first, _)| *first).collect();
        let heads: Vec<_> = firsts.iter().map(|(ms, key, ..)| (*ms, *key)).collect();
        // 400 samples are three packets, the last of which is half silence.
        assert_eq!(heads, [(0, '1'), (110, '2'), (200, '2')]);
        assert_eq!(sent[2], (40, '1', false, Piece::Tone { from: 320, length: 80 }));
    }

    #[test]
    fn d_08_a_press_longer_than_an_event_is_cut_to_one_event() {
        let sent = all(&[('9', 200_000)], false);
        assert_eq!(sent.iter().filter(|(_, _, first, _)| *first).count(), 1);
        let last = sent.last().unwrap().3;
        assert_eq!(last, Piece::Event { held: 60_000, end: true });
    }
}
