//! SIPp as the caller, with an offer that comes late (RFC 3261 §13.2.1), and Asterisk as the PBX.

use std::time::Duration;

use support::{
    node::Change,
    port,
    scene::{ENGLISH, words},
    sipp::{Sipp, Sound},
};

use super::{Office, Pbx, all_heard, plain::SPEAKS, seconds};

#[test]
fn a_03_a_caller_who_offers_late_is_asked_and_what_he_echoes_comes_back_to_asterisk() {
    let office = Office::open(&Change::default(), Pbx { dialplan: SPEAKS, ..Pbx::default() });
    let to = format!("127.0.0.1:{}", office.node.sip);
    // SIPp sends back what it hears: Asterisk hears its own tone only if both ways are open.
    let more = [&to, "-m", "1", "-s", ENGLISH, "-rtp_echo"];
    let caller = Sipp::start("caller_late", port::free(), &[Sound::Key("key.pcap", "1")], &more);
    assert!(caller.succeeds(Duration::from_secs(50)), "{}", office.node.log());
    assert_eq!(words(&office.ended(1)[0]), "granted bridged recorded");
    let (left, right) = office.recorded();
    let rx = office.asterisk.heard("rx.wav");
    all_heard(&[
        ("Asterisk", seconds(&rx, 440.0), 4.9),
        ("the left side", seconds(&left, 440.0), 4.9),
        ("the right side", seconds(&right, 440.0), 4.9),
    ]);
}
