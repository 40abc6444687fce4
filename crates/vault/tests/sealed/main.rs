//! Recordings from the first packet to the last proof, on real files.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a bench that breaks fails its test")]

mod crash;
mod damage;
mod erasure;
mod golden;
mod keys;
mod oracle;
mod roundtrip;
mod stores;
#[path = "../support/mod.rs"]
mod support;
mod wide;
