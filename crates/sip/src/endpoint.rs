//! The user agent: every leg of a node behind one door in and one door out.

pub mod admit;
mod answer;
mod authorise;
mod compose;
pub mod config;
pub mod core;
mod door;
mod drive;
pub mod event;
mod incoming;
mod inside;
mod leg;
mod originate;
mod register;
mod size;
