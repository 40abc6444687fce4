//! The ledger on real files: one folder per test, thrown away at its end.

mod commits;
mod fixture;
