//! The call's sound from end to end: a real call machine and a real relay on a virtual clock.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may")]

mod bridge;
mod continuity;
mod digits;
mod fax;
mod fuzz;
mod long;
mod opus;
mod outbound;
mod packets;
mod pausing;
mod peers;
mod quality;
mod render;
mod stage;
mod talk_off;
mod tap;
mod ways;
