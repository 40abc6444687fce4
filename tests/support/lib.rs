//! What the tests share: real nodes on free ports, SIPp with sounds of our own, and ears.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what fails here fails the test"
)]

pub mod exchange;
pub mod node;
pub mod pcap;
pub mod scene;
pub mod sipp;
pub mod sound;
