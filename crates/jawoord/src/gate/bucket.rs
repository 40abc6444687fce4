//! Token buckets for any number of sources in a table that never grows (row S-15).

use std::{
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    time::{Duration, Instant},
};

/// Rows of buckets; a source is refused only if its bucket in every row is empty, so that it takes
/// two unlucky coincidences to suffer for somebody else.
const ROWS: usize = 2;
/// Buckets a row.
const WIDTH: usize = 4_096;

/// How fast a bucket fills, and how much it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Tokens a second.
    pub per_s: u32,
    /// Tokens at most.
    pub burst: u32,
}

/// One bucket: when it would have been empty, had it filled from then on.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket(Duration);

impl Bucket {
    /// Takes a token at `now`, if there is one.
    fn take(&mut self, now: Duration, rate: Rate) -> bool {
        let each = Duration::from_secs(1) / rate.per_s.max(1);
        let full = now.saturating_sub(each * rate.burst.max(1));
        let empty = self.0.max(full) + each;
        let has = empty <= now;
        if has {
            self.0 = empty;
        }
        has
    }
}

/// The buckets of all sources.
#[derive(Debug)]
pub struct Buckets {
    hasher: RandomState,
    start: Instant,
    buckets: Box<[Bucket]>,
}

impl Buckets {
    /// Full buckets. Which sources share one follows from a secret of this process.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        let buckets = vec![Bucket::default(); ROWS * WIDTH].into();
        // A bucket counts back from its first use, so the time starts well before it.
        let start = now.checked_sub(Duration::from_secs(3_600)).unwrap_or(now);
        Self { hasher: RandomState::new(), start, buckets }
    }

    /// Takes a token of a source; `false` when it has none. An IPv6 source is its /64.
    pub fn take(&mut self, now: Instant, source: IpAddr, rate: Rate) -> bool {
        let now = now.saturating_duration_since(self.start);
        let source = site(source);
        let mut taken = false;
        for row in 0..ROWS {
            let hash = usize::try_from(self.hasher.hash_one((row, source)) % WIDTH as u64);
            let place = row * WIDTH + hash.unwrap_or_default();
            if let Some(bucket) = self.buckets.get_mut(place) {
                taken |= bucket.take(now, rate);
            }
        }
        taken
    }
}

/// What counts as one source: an IPv4 address, or the network of an IPv6 host.
#[must_use]
pub fn site(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) >> 64 << 64).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { per_s: 10, burst: 3 };

    fn taken(buckets: &mut Buckets, now: Instant, source: &str) -> usize {
        let source = source.parse().unwrap();
        (0..100).filter(|_| buckets.take(now, source, RATE)).count()
    }

    #[test]
    fn s_15_a_source_gets_its_burst_and_then_its_rate_and_no_other_suffers() {
        let now = Instant::now();
        let mut buckets = Buckets::new(now);
        assert_eq!(taken(&mut buckets, now, "192.0.2.1"), 3);
        assert_eq!(taken(&mut buckets, now, "192.0.2.2"), 3);
        assert_eq!(taken(&mut buckets, now + Duration::from_millis(99), "192.0.2.1"), 0);
        assert_eq!(taken(&mut buckets, now + Duration::from_millis(200), "192.0.2.1"), 2);
        assert_eq!(taken(&mut buckets, now + Duration::from_secs(60), "192.0.2.1"), 3);
    }

    #[test]
    fn s_15_an_ipv6_host_cannot_walk_through_its_own_network() {
        let now = Instant::now();
        let mut buckets = Buckets::new(now);
        assert_eq!(taken(&mut buckets, now, "2001:db8::1"), 3);
        assert_eq!(taken(&mut buckets, now, "2001:db8::ffff:2"), 0);
        assert_eq!(taken(&mut buckets, now, "2001:db8:0:1::1"), 3);
        assert_eq!(taken(&mut buckets, now, "::ffff:192.0.2.9"), 3);
        assert_eq!(taken(&mut buckets, now, "192.0.2.9"), 0, "the same host, written otherwise");
    }

    #[test]
    fn s_15_a_million_sources_take_no_more_room_than_one() {
        let now = Instant::now();
        let mut buckets = Buckets::new(now);
        let size = buckets.buckets.len();
        for number in 0..1_000_000_u32 {
            let _either = buckets.take(now, IpAddr::from(number.to_be_bytes()), RATE);
        }
        assert_eq!(buckets.buckets.len(), size);
        // Every bucket is empty now: a flood from everywhere is limited as a whole.
        assert_eq!(taken(&mut buckets, now, "255.0.2.1"), 0);
    }
}
