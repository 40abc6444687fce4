//! A slow, obvious model argues with the call machine over every short history and many long ones.

#![allow(clippy::expect_used, reason = "a thread that fails fails its test")]

mod aside;
mod asked;
mod attended;
mod away;
mod chance;
mod chapter;
mod choice;
mod clock;
mod depth;
mod early;
mod exhaustive;
mod failing;
mod grounds;
mod hostile;
mod log;
mod notice;
mod outbound;
mod paused;
mod placed;
mod promises;
mod recorded;
mod reference;
#[path = "../support/mod.rs"]
mod support;
mod talk;
mod told;
mod word;
mod world;
