//! Transactions (RFC 3261 §17, RFC 6026): one state machine per side and a layer that owns them all.

pub(crate) mod client;
pub(crate) mod hop;
pub(crate) mod key;
pub(crate) mod layer;
pub(crate) mod lost;
pub(crate) mod server;
