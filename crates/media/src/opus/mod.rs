//! Opus (RFC 6716, RFC 7587): packets that say how long they last, under a clock of 48,000 Hz.
//!
//! A worker neither encodes nor decodes it: what is relayed passes as it came, what is played was
//! encoded when it was loaded, and what is recorded is decoded by the recorder.

pub(crate) mod clock;
pub mod decoder;
pub(crate) mod encoder;
pub mod packet;
