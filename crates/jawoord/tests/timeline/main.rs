//! What is recorded of a call, from packets to samples, on virtual time: alignment, length and gaps
//! (row B-34), and how it sounds.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may")]

mod drift;
mod line;
mod opus;
mod pure;
mod quality;
#[path = "../../../vault/tests/support/mod.rs"]
mod support;
mod wide;
