//! The user agent: every leg of a node behind one door in and one door out.

pub mod admit;
mod answer;
mod asked;
mod authorise;
mod change;
pub mod command;
mod compose;
pub mod config;
pub mod core;
mod door;
mod drive;
mod early;
pub mod event;
mod incoming;
mod inside;
mod leg;
mod originate;
mod register;
mod reliable;
mod session;
mod settle;
mod size;
