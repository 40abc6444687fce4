//! Names nobody can guess: branches, tags, Call-IDs and jitter, derived from a secret seed.

use std::time::Duration;

use ring::hmac;

/// A counter under a keyed hash: unguessable without the seed (RFC 3261 §19.3 asks for 32 random
/// bits, this gives 128), repeatable with it.
pub(crate) struct Tokens {
    key: hmac::Key,
    counter: u64,
}

impl Tokens {
    pub(crate) fn new(seed: [u8; 32]) -> Tokens {
        Tokens { key: hmac::Key::new(hmac::HMAC_SHA256, &seed), counter: 0 }
    }

    fn draw(&mut self) -> [u8; 16] {
        self.counter += 1;
        let tag = hmac::sign(&self.key, &self.counter.to_be_bytes());
        let mut out = [0; 16];
        out.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
        out
    }

    /// 32 hexadecimal digits.
    pub(crate) fn token(&mut self) -> String {
        self.draw().iter().map(|octet| format!("{octet:02x}")).collect()
    }

    /// 32 hexadecimal digits that are always the same for the same octets.
    pub(crate) fn derived(&self, octets: &[u8]) -> String {
        let tag = hmac::sign(&self.key, &[b"derived ", octets].concat());
        tag.as_ref().iter().take(16).map(|octet| format!("{octet:02x}")).collect()
    }

    /// A branch with the cookie of RFC 3261 §8.1.1.7.
    pub(crate) fn branch(&mut self) -> String {
        format!("z9hG4bK{}", self.token())
    }

    /// A number below `limit` (which is at least 1).
    pub(crate) fn below(&mut self, limit: u32) -> u32 {
        let drawn = self.draw();
        let wide = drawn.iter().take(8).fold(0_u64, |sum, octet| (sum << 8) | u64::from(*octet));
        u32::try_from(wide % u64::from(limit.max(1))).unwrap_or(0)
    }

    /// A length of time from `low` to `high` in steps of 10 ms (RFC 3261 §14.1).
    pub(crate) fn between(&mut self, low: Duration, high: Duration) -> Duration {
        let steps = u32::try_from(high.saturating_sub(low).as_millis() / 10).unwrap_or(0);
        low + Duration::from_millis(10) * self.below(steps + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_from_each_other_and_follow_from_the_seed() {
        let (mut one, mut same, mut other) =
            (Tokens::new([1; 32]), Tokens::new([1; 32]), Tokens::new([2; 32]));
        let first = one.token();
        assert_eq!(first, same.token());
        assert_ne!(first, one.token());
        assert_ne!(first, other.token());
        assert_eq!(first.len(), 32);
    }

    #[test]
    fn a_drawn_time_stays_in_its_range() {
        let mut tokens = Tokens::new([3; 32]);
        for _ in 0..200 {
            let wait = tokens.between(Duration::from_millis(2100), Duration::from_millis(4000));
            assert!((2100..=4000).contains(&wait.as_millis()));
        }
    }
}
