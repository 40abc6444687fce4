//! What a recorded call leaves in memory when its tap and its blocks are gone: nothing.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod scan;
#[path = "../flows/stage.rs"]
#[allow(dead_code, reason = "the stage serves more tests than this one")]
mod stage;

use call::Party;
use media::Header;

use scan::{marker, markers_in_memory, the_scanner_sees_what_is_there};
use stage::{Stage, address, ms};

/// Twenty packets of the customer, full of the marker, which is wiped after each.
fn speak(stage: &mut Stage) {
    let mut bytes = [0; 172];
    for n in 0..20_u16 {
        let header = Header {
            marker: false,
            payload_type: 8,
            sequence: n,
            timestamp: u32::from(n) * 160,
            ssrc: 1,
        };
        bytes[..12].copy_from_slice(&header.encode());
        (0..160).for_each(|n| bytes[12 + n] = marker(n));
        stage.receive(Party::Customer, address(Party::Customer), &mut bytes);
        zeroize::Zeroize::zeroize(&mut bytes);
        stage.run(ms(20));
    }
}

#[test]
fn blocks_that_were_given_back_dropped_in_the_ring_or_left_in_hand_hold_nothing() {
    the_scanner_sees_what_is_there();
    let mut stage = Stage::granted();
    speak(&mut stage);
    assert!(markers_in_memory() >= 20, "the tap holds what was said");
    // Some are given back, some dropped by the recorder, the rest goes with the ring.
    let reader = stage.reader.as_mut().unwrap();
    let given = reader.pop().unwrap();
    reader.give_back(given);
    drop(reader.pop().unwrap());
    let left = markers_in_memory();
    assert!((1..=12).contains(&left), "{left}");
    drop(stage);
    assert_eq!(markers_in_memory(), 0);
}
