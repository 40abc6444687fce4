//! Sound that says of itself which packet it is and when it was sent, for who measures its way through a
//! node that hands speech on as it is.
//!
//! Sixteen samples at the head of a packet hold four bits each, in steps of A-law's lowest segment: next
//! to a tone that is silence, in a recording, too.

use std::time::Duration;

use crate::sound::encode_a;

/// Digits of the number and of the microseconds; one more is what they add up to.
const DIGITS: [u32; 2] = [4, 11];
const LENGTH: usize = 16;
/// A silent packet is no packet number 0.
const CHECK: u8 = 9;

/// What a packet says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The sequence number under which it was sent.
    pub number: u16,
    /// When it was sent, since a moment that both ends know.
    pub sent: Duration,
}

fn digits(value: u64, count: u32) -> impl Iterator<Item = u8> {
    (0..count).rev().map(move |place| (value >> (place * 4) & 15) as u8)
}

fn sum(digits: impl Iterator<Item = u8>) -> u8 {
    digits.fold(CHECK, |sum, digit| (sum + digit) & 15)
}

impl Stamp {
    /// Writes it over the head of an A-law payload.
    pub fn write(self, payload: &mut [u8]) {
        let number = digits(self.number.into(), DIGITS[0]);
        let said: Vec<u8> = number.chain(digits(self.sent.as_micros() as u64, DIGITS[1])).collect();
        let check = sum(said.iter().copied());
        for (octet, digit) in payload.iter_mut().zip(said.into_iter().chain([check])) {
            *octet = encode_a(i16::from(digit) * 16 + 8);
        }
    }

    /// Reads it from decoded samples; `None` where none stands.
    #[must_use]
    pub fn read(samples: &[i16]) -> Option<Self> {
        let head = samples.get(..LENGTH)?;
        let digit = |sample: &i16| (8..264).contains(sample).then(|| (sample / 16) as u8);
        let digits = head.iter().map(digit).collect::<Option<Vec<_>>>()?;
        let (check, said) = digits.split_last()?;
        let value =
            |part: &[u8]| part.iter().fold(0, |value, digit| value << 4 | u64::from(*digit));
        let (number, micros) = said.split_at(DIGITS[0] as usize);
        (sum(said.iter().copied()) == *check).then(|| Self {
            number: value(number) as u16,
            sent: Duration::from_micros(value(micros)),
        })
    }
}

#[test]
fn what_a_packet_says_of_itself_is_read_again_and_sound_that_says_nothing_is_not() {
    let decoded = |payload: &[u8]| {
        payload.iter().map(|octet| crate::sound::decode_a(*octet)).collect::<Vec<_>>()
    };
    for (number, micros) in [(0, 0), (1, 1), (0xfff0, 0xfff_ffff_ffff), (0x1234, 28_000_000)] {
        let mut payload = [encode_a(9_000); 160];
        let stamp = Stamp { number, sent: Duration::from_micros(micros) };
        stamp.write(&mut payload);
        assert_eq!(Stamp::read(&decoded(&payload)), Some(stamp));
        payload[3] ^= 1;
        assert_eq!(Stamp::read(&decoded(&payload)), None, "one bit is another");
    }
    for silence in [0xd5, 0x55] {
        assert_eq!(Stamp::read(&decoded(&[silence; 160])), None);
    }
    assert_eq!(Stamp::read(&crate::sound::tone(440.0, 20, 8_000.0)), None);
    assert_eq!(Stamp::read(&[8; 15]), None);
}
