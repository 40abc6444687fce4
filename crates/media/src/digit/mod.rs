//! Key presses, by the way in which they arrive and in which they are passed on; and who cannot press any.

pub(crate) mod blank;
pub(crate) mod dial;
pub(crate) mod event;
pub(crate) mod fax;
pub(crate) mod overheard;
pub(crate) mod press;
pub(crate) mod tone;
