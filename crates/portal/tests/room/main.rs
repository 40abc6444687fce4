//! The portal as a browser or a program meets it, through its router and on a clock of our own.

#![allow(clippy::unwrap_used, reason = "a visitor that gets no answer fails its test")]

mod archive;
mod door;
mod lists;
mod now;
mod playing;
mod visitor;
