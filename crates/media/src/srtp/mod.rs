//! SRTP and SRTCP in the packet's own buffer (RFC 3711, RFC 6188, RFC 7714).
//!
//! The ciphers are those of crates; the packet format around them is written here and not taken from
//! `rtc-srtp`, which is what our packets are compared with in `tests.rs`. It copies each packet
//! into a buffer that nobody wipes, keeps a place for every source that anybody claims to be, and takes
//! a report whose encryption bit is not set without looking at its tag.

pub(crate) mod cipher;
pub(crate) mod context;
pub(crate) mod incoming;
pub(crate) mod key;
mod outgoing;
#[cfg(test)]
mod tests;
mod window;
