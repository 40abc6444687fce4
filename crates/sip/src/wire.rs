//! Messages on the wire: read without changing an octet, written without letting one escape.

pub mod address;
pub mod body;
pub mod build;
pub mod dtmf;
pub(crate) mod extension;
pub mod glance;
pub mod header;
pub mod message;
pub mod method;
pub mod parse;
pub mod reason;
pub mod redirect;
pub mod request;
pub(crate) mod via;
