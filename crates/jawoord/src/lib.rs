//! The daemon and the operator's command line: configuration, sockets, threads, and what joins the
//! crates.
//!
//! No rule of the domain is here. [`bridge`] is the only file that speaks both SIP and the domain.

pub mod alarm;
pub mod ami;
pub mod aside;
pub mod attempts;
pub mod books;
pub mod bridge;
pub mod clock;
pub mod command;
pub mod config;
pub mod control;
pub mod crew;
pub mod demo;
pub mod descriptors;
pub mod floor;
pub mod gate;
pub mod harden;
pub mod hearing;
pub mod hours;
pub mod http;
pub mod icmp;
pub mod identity;
pub mod kept;
pub mod ladder;
pub mod leg;
pub mod live;
pub mod load;
pub mod metrics;
pub mod net;
pub mod node;
pub mod note;
pub mod number;
pub mod office;
pub mod page;
pub mod peer;
pub mod phone;
pub mod places;
pub mod port;
pub mod progress;
pub mod prompts;
pub mod quality;
pub mod recorder;
pub mod referral;
mod registry;
pub mod resolver;
pub mod rewrite;
pub mod route;
pub mod session;
pub mod signalling;
pub mod sound;
pub mod targets;
pub mod tongues;
pub mod trace;
mod way;
pub mod wires;
