//! Configuration: read, judged, and turned into the settings of a running node.

pub mod headers;
pub mod judge;
pub mod limits;
pub mod lines;
mod outbound;
pub mod peers;
pub mod problem;
pub mod read;
pub mod rewrite;
pub mod schema;
pub mod target;
mod timers;
