//! The recorder: one thread that seals what taps hand on, away from speech.

pub mod door;
pub mod reel;
pub mod thread;
