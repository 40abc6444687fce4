//! Whether calls, verdicts, evidence, key slips and stored objects say the same (invariant 7): the pure
//! part. What is read for it, and in which order, is the database's business.

pub(crate) mod finding;
pub(crate) mod judge;
pub(crate) mod report;
pub(crate) mod story;
