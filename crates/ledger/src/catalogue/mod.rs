//! What the catalogue holds: calls, recordings, slips and epochs, as plain values.

pub(crate) mod calls;
pub(crate) mod quality;
pub(crate) mod recordings;
pub(crate) mod slips;
