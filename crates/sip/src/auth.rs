//! Digest authentication (RFC 3261 §22, RFC 7616, RFC 8760): who asks, who proves, and with what.

pub mod algorithm;
pub(crate) mod challenge;
pub mod credentials;
pub mod guard;
pub(crate) mod rewrite;
pub mod secret;
mod text;
pub(crate) mod wallet;
