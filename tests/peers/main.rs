//! Real PBXs, proxies and phones around the real program: what each of them heard is checked from its own recording.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on says so and stops")]

mod asterisk;
