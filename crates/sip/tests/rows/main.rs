//! Rows of the acceptance matrix against one endpoint, message by message.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says why")]

mod a;
mod b;
mod core;
mod early;
mod o;
#[path = "../peer/mod.rs"]
mod peer;
mod r;
mod session;
mod t;
mod update;
