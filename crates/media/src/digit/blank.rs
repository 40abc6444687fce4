//! Sound that waits until it is known to be no key's: what a tap takes where keys are to be kept out of
//! a recording (row D-23, PCI DSS).

use std::{collections::VecDeque, time::Duration};

use call::{Party, Time};
use zeroize::Zeroize;

use super::tone::Ear;
use crate::codec::Codec;

/// Samples of a piece: 10 ms, the grain of what is blanked.
const PIECE: usize = 80;
/// So many pieces wait: 50 ms. A key is recognised 25 to 39 ms after it begins, and 13 ms later when
/// noise hides it at first.
const WAITING: usize = 5;
/// Who has not been heard for so long has ceased to send; what waits leaves.
const CEASED: Duration = Duration::from_millis(60);

/// Sound as it leaves: whose, in which coding, from which sample on.
pub(crate) struct Piece<'a> {
    pub(crate) party: Party,
    pub(crate) codec: Codec,
    pub(crate) position: i64,
    pub(crate) payload: &'a [u8],
}

struct Held {
    codec: Codec,
    position: i64,
    length: usize,
    is_key: bool,
    bytes: [u8; PIECE],
}

impl Held {
    fn payload(&mut self) -> &mut [u8] {
        self.bytes.get_mut(..self.length).unwrap_or_default()
    }
}

/// One party's sound.
struct Way {
    party: Party,
    ear: Ear,
    held: VecDeque<Held>,
    heard: Time,
}

impl Way {
    fn new(party: Party) -> Self {
        let held = VecDeque::with_capacity(WAITING + 1);
        Self { party, ear: Ear::default(), held, heard: Time::from_micros(0) }
    }

    fn hear(&mut self, codec: Codec, position: i64, part: &[u8]) {
        let begun = !self.ear.hear(position, codec, part).is_empty();
        if begun {
            // What is held by now is the key's beginning.
            self.held.iter_mut().for_each(|held| held.is_key = true);
        }
        let is_key = begun || self.ear.on().is_some();
        let length = part.len();
        self.held.push_back(Held { codec, position, length, is_key, bytes: [0; PIECE] });
        if let Some(held) = self.held.back_mut() {
            held.payload().copy_from_slice(part);
        }
    }

    /// Lets everything go. The end of it may be a key's beginning, whose rest comes late or never: that
    /// is silence, too.
    fn release_end(&mut self, out: &mut impl FnMut(&Piece<'_>)) {
        if self.ear.suspects().is_some() {
            self.held.iter_mut().for_each(|held| held.is_key = true);
        }
        self.release(0, out);
    }

    /// Lets the oldest pieces go until so many are left.
    fn release(&mut self, stays: usize, out: &mut impl FnMut(&Piece<'_>)) {
        while self.held.len() > stays
            && let Some(held) = self.held.front_mut()
        {
            let (codec, position, is_key) = (held.codec, held.position, held.is_key);
            let payload = held.payload();
            if is_key {
                payload.fill(codec.silence());
            }
            out(&Piece { party: self.party, codec, position, payload });
            held.bytes.zeroize();
            self.held.pop_front();
        }
    }
}

/// The delay line of both parties' sound. Nothing is kept longer than it waits; what leaves is wiped.
pub(crate) struct Blank {
    customer: Way,
    agent: Way,
}

impl Blank {
    pub(crate) fn new() -> Self {
        Self { customer: Way::new(Party::Customer), agent: Way::new(Party::Agent) }
    }

    /// Takes a packet's sound in and lets out what has waited long enough; where a key sounded, silence.
    pub(crate) fn hear(&mut self, now: Time, sound: &Piece<'_>, mut out: impl FnMut(&Piece<'_>)) {
        let way = match sound.party {
            Party::Customer => &mut self.customer,
            Party::Agent => &mut self.agent,
        };
        way.heard = now;
        let mut position = sound.position;
        for part in sound.payload.chunks(PIECE) {
            way.hear(sound.codec, position, part);
            position += part.len() as i64;
            way.release(WAITING, &mut out);
        }
    }

    /// Lets out what waits of who has ceased to send.
    pub(crate) fn release_ceased(&mut self, now: Time, mut out: impl FnMut(&Piece<'_>)) {
        for way in [&mut self.customer, &mut self.agent] {
            if now.since(way.heard) >= CEASED {
                way.release_end(&mut out);
            }
        }
    }

    /// Lets everything out.
    pub(crate) fn release_all(&mut self, mut out: impl FnMut(&Piece<'_>)) {
        for way in [&mut self.customer, &mut self.agent] {
            way.release_end(&mut out);
        }
    }
}

impl Drop for Blank {
    fn drop(&mut self) {
        self.release_all(|_| {});
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcode::Encoder;

    const TONES: [f64; 2] = [852.0, 1_336.0];

    /// `ms` of the key 8, or of silence's opposite: a byte that no key has.
    fn key(ms: usize, codec: Codec) -> Vec<u8> {
        let turn = |hz: f64, n: usize| (std::f64::consts::TAU * hz * n as f64 / 8_000.0).sin();
        let sample = |n: usize| (TONES.iter().map(|hz| turn(*hz, n)).sum::<f64>() * 8_000.0) as i16;
        let mut encoder = Encoder::new(codec);
        (0..ms * 8).map(|n| encoder.encode(sample(n))).collect()
    }

    fn speech(ms: usize) -> Vec<u8> {
        vec![0x21; ms * 8]
    }

    /// What comes out of packets of `packet` samples, by position.
    fn through(party: Party, sound: &[u8], packet: usize) -> Vec<u8> {
        let mut blank = Blank::new();
        let mut recorded = vec![0; sound.len()];
        let mut put = |piece: &Piece<'_>| {
            assert_eq!(piece.party, party);
            let from = piece.position as usize;
            recorded[from..from + piece.payload.len()].copy_from_slice(piece.payload);
        };
        for (n, payload) in sound.chunks(packet).enumerate() {
            let position = (n * packet) as i64;
            let piece = Piece { party, codec: Codec::Pcma, position, payload };
            blank.hear(Time::from_micros(0), &piece, &mut put);
        }
        blank.release_all(&mut put);
        recorded
    }

    #[test]
    fn d_23_of_a_key_in_the_sound_nothing_is_let_through_and_what_lies_around_it_is() {
        for party in [Party::Customer, Party::Agent] {
            for packet in [80, 160, 240, 480] {
                for before in 200..220 {
                    let sound = [speech(before), key(80, Codec::Pcma), speech(300)].concat();
                    let recorded = through(party, &sound, packet);
                    let (from, until) = (before * 8, (before + 80) * 8);
                    let silence = Codec::Pcma.silence();
                    assert!(recorded[from..until].iter().all(|byte| *byte == silence), "{before}");
                    // At most 40 ms beside it are lost.
                    assert_eq!(recorded[..from - 320], sound[..from - 320]);
                    assert_eq!(recorded[until + 480..], sound[until + 480..]);
                }
            }
        }
    }

    #[test]
    fn sound_without_keys_comes_out_as_it_went_in_at_its_place() {
        let sound: Vec<u8> =
            (0..16_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        for packet in [33, 80, 160, 1_000] {
            assert_eq!(through(Party::Agent, &sound, packet), sound);
        }
    }

    #[test]
    fn d_23_a_key_that_the_end_of_the_recording_cuts_is_silent_as_well() {
        let sound = [speech(200), key(30, Codec::Pcma)].concat();
        let recorded = through(Party::Customer, &sound, 160);
        let kept = recorded[1_600..].iter().filter(|byte| **byte != Codec::Pcma.silence()).count();
        assert_eq!(kept, 0);
    }

    #[test]
    fn d_23_a_key_whose_sound_stops_in_its_middle_and_goes_on_late_is_silent_throughout() {
        let key = key(80, Codec::Pcma);
        let (first, rest) = key.split_at(160);
        let mut blank = Blank::new();
        let piece = |position, payload| Piece {
            party: Party::Agent,
            codec: Codec::Pcma,
            position,
            payload,
        };
        let at = |ms: u64| Time::from_micros(ms * 1_000);
        let silent = |piece: &Piece<'_>| {
            assert!(piece.payload.iter().all(|byte| *byte == Codec::Pcma.silence()));
        };
        let speech = speech(60);
        blank.hear(at(1_000), &piece(0, &speech), |_| {});
        blank.hear(at(1_020), &piece(480, first), |_| {});
        blank.release_ceased(at(1_100), |piece| {
            if piece.position >= 480 {
                silent(piece);
            }
        });
        blank.hear(at(1_120), &piece(640, rest), silent);
        blank.release_all(silent);
    }

    #[test]
    fn what_waits_leaves_when_its_party_ceases_to_send() {
        let mut blank = Blank::new();
        let payload = speech(20);
        let piece = |position| Piece {
            party: Party::Agent,
            codec: Codec::Pcmu,
            position,
            payload: &payload,
        };
        let at = |ms: u64| Time::from_micros(ms * 1_000);
        blank.hear(at(1_000), &piece(0), |_| panic!("it waits"));
        let mut out = Vec::new();
        blank.release_ceased(at(1_059), |piece| out.push(piece.position));
        assert!(out.is_empty());
        blank.release_ceased(at(1_060), |piece| out.push(piece.position));
        assert_eq!(out, [0, 80]);
    }
}
