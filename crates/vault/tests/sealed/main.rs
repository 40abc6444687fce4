//! Recordings from the first packet to the last proof, on real files.

mod crash;
mod damage;
mod erasure;
mod keys;
mod oracle;
mod roundtrip;
mod stores;
#[path = "../support/mod.rs"]
mod support;
