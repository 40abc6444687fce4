//! One press of a key, by however many ways it arrives (row D-18).

use std::time::Duration;

use call::{Key, Time, Transport};

/// The other ways of a press arrive within so long of the end of it: an INFO is sent when the key is
/// let go, and again after 500 ms if it was lost (RFC 3261 §17.1.2.1).
const TOGETHER: Duration = Duration::from_secs(1);
/// How many presses stay known; nobody presses more keys in a second.
const KNOWN: usize = 16;

#[derive(Clone, Copy)]
struct Known {
    key: Key,
    by: [bool; 3],
    last: Time,
}

const fn place(by: Transport) -> usize {
    match by {
        Transport::Rfc4733 => 0,
        Transport::Info => 1,
        Transport::Inband => 2,
    }
}

/// The latest presses of a party. A press that comes by a second way is the oldest one of its key
/// that has not come by that way yet: so two presses by two ways are two, in whatever order.
#[derive(Default)]
pub(crate) struct Presses {
    /// At most [`KNOWN`], and room only for what was pressed.
    known: Vec<Known>,
}

impl Presses {
    /// Whether this is a press that no other way has told of yet.
    pub(crate) fn is_new(&mut self, now: Time, key: Key, by: Transport) -> bool {
        self.known.retain(|known| now.since(known.last) <= TOGETHER);
        let came =
            |known: &mut Known| known.by.get_mut(place(by)).map(|by| std::mem::replace(by, true));
        for known in self.known.iter_mut().filter(|known| known.key == key) {
            if came(known) == Some(false) {
                return false;
            }
        }
        if self.known.len() == KNOWN {
            self.known.remove(0);
        }
        let mut fresh = Known { key, by: [false; 3], last: now };
        let _by_this_way_first = came(&mut fresh);
        self.known.push(fresh);
        true
    }

    /// The newest press of a key is still held.
    pub(crate) fn held(&mut self, now: Time, key: Key) {
        if let Some(known) = self.known.iter_mut().rfind(|known| known.key == key) {
            known.last = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use Transport::{Inband, Info, Rfc4733};

    use super::*;

    fn at(ms: u64) -> Time {
        Time::from_micros(ms * 1_000)
    }

    fn key(character: char) -> Key {
        Key::new(character).unwrap()
    }

    #[test]
    fn d_18_a_press_by_three_ways_is_one_in_every_order() {
        let ways = [Rfc4733, Info, Inband];
        for a in 0..3 {
            for b in (0..3).filter(|b| *b != a) {
                let mut presses = Presses::default();
                assert!(presses.is_new(at(0), key('5'), ways[a]));
                assert!(!presses.is_new(at(30), key('5'), ways[b]));
                assert!(!presses.is_new(at(500), key('5'), ways[3 - a - b]));
                assert!(presses.is_new(at(600), key('5'), ways[a]), "pressed again");
            }
        }
    }

    #[test]
    fn d_18_two_quick_presses_by_two_ways_are_two() {
        let mut presses = Presses::default();
        let heard = [(0, Rfc4733), (90, Rfc4733), (120, Info), (130, Info)];
        let new = heard.map(|(ms, way)| presses.is_new(at(ms), key('8'), way));
        assert_eq!(new, [true, true, false, false]);
        assert!(presses.is_new(at(200), key('9'), Info), "another key is another press");
    }

    #[test]
    fn d_18_an_info_at_the_end_of_a_long_press_is_that_press_and_one_much_later_is_not() {
        let mut presses = Presses::default();
        assert!(presses.is_new(at(0), key('1'), Rfc4733));
        for ms in (20..5_000).step_by(20) {
            presses.held(at(ms), key('1'));
        }
        assert!(!presses.is_new(at(5_100), key('1'), Info));
        assert!(presses.is_new(at(6_200), key('1'), Info));
    }
}
