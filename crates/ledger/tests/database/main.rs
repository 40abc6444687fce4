//! The ledger on real files: one folder per test, thrown away at its end.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on ends")]

mod audits;
mod commits;
mod epochs;
mod fixture;
mod long;
mod reconcile;
mod removals;
mod starts;
