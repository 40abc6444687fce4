//! The object of one recording: chunks, chunk table, manifest, footer (`FORMAT.md`).

pub(crate) mod manifest;
pub(crate) mod merkle;
pub(crate) mod object;
pub(crate) mod row;
