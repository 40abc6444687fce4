//! Fuzzes the body of this name in `bodies/mod.rs`.
#![no_main]

#[path = "../bodies/mod.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| bodies::endpoint(octets));
