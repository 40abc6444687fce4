//! Configuration: read, judged, and turned into the settings of a running node.

pub mod account;
pub mod connections;
pub mod dns;
pub mod early;
pub mod exit;
pub mod headers;
pub mod inside;
pub mod judge;
pub mod latching;
pub mod limits;
pub mod lines;
pub mod listener;
pub mod media;
mod outbound;
pub mod peers;
pub mod problem;
pub mod read;
pub mod refresh;
pub mod rewrite;
pub mod schema;
mod secrecy;
pub mod srtp;
pub mod target;
pub mod timers;
pub mod ways;
pub mod written;
