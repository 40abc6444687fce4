//! A leash has no public fields.
use std::sync::{Arc, atomic::AtomicBool};

fn main() {
    let _leash = call::Leash { live: Arc::new(AtomicBool::new(true)) };
}
