//! Real PBXs, proxies and phones around the real program: what each of them heard is checked from its own recording.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on says so and stops")]

mod asterisk;
mod baresip;
mod kamailio;
mod keepalived;
mod nat;

use support::{exchange::History, sound::heard};

/// The seconds in which a tone was heard.
pub fn seconds(samples: &[i16], hz: f64) -> f64 {
    heard(samples, hz) * samples.len() as f64 / 8_000.0
}

/// The seconds in which a party of the tests heard a tone.
pub fn party(history: &History, hz: f64) -> f64 {
    let samples: Vec<i16> =
        history.heard.iter().flat_map(|heard| heard.samples.iter().copied()).collect();
    seconds(&samples, hz)
}
