//! Key presses, by the way in which they arrive.

pub(crate) mod event;
