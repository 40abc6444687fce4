//! What a configuration is worth on this machine and in this network, tried out: `check --live`.
//!
//! Nothing here decides how the node works; it uses the node's own parts (resolver, TLS, endpoint,
//! ports, keys, store) and says what came of it. While the node runs, it looks at itself through
//! this room, because the ports and the folder are its own; else the command does, with sockets of
//! its own. What is said holds no number, no name and no address of a person.

pub mod alone;
pub mod ask;
pub mod bench;
pub mod call;
pub mod ear;
pub mod finding;
pub mod keep;
pub mod look;
pub mod machine;
pub mod node;
pub mod reach;
pub mod subject;
pub mod talk;
pub mod told;
pub mod tries;
pub mod wanted;
