//! Asterisk's manager interface: who talks to whose caller, told by the PBX itself.

pub mod client;
mod message;
mod scene;
pub mod word;
