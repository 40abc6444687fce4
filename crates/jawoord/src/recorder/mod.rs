//! The recorder: one thread that seals what taps hand on, away from speech.

pub mod door;
mod opus;
pub mod reel;
pub mod thread;
