//! A permit has no public fields.
use std::sync::{Arc, atomic::AtomicBool};

fn main() {
    let _permit = call::Permit { live: Arc::new(AtomicBool::new(true)) };
}
