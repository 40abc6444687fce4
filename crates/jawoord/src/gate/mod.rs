//! Who is let in: what a message costs before it is read, and how many calls there may be.

pub mod bucket;
pub mod limits;
pub mod quiet;
pub mod tally;
pub mod urgent;
