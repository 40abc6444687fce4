//! A slip can be neither copied nor printed.

use call::RecordingId;
use vault::{RootSeed, Slip};

fn main() {
    let slip = Slip::first(RecordingId::from_bytes([0; 16]), &RootSeed::from_bytes([0; 32]));
    let _copy = slip.clone();
    println!("{slip:?}");
}
