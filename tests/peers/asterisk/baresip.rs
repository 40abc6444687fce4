//! baresip as the caller, Asterisk as the PBX: no line of the peers is ours.

use std::{thread, time::Duration};

use support::{
    baresip::{Baresip, Sound},
    node::Change,
    scene::{ENGLISH, words},
};

use super::{Office, Pbx, all_heard, plain::SPEAKS, seconds};

#[test]
fn baresip_says_yes_and_is_recorded_as_both_peers_heard_it() {
    let office = Office::open(&Change::default(), Pbx { dialplan: SPEAKS, ..Pbx::default() });
    let mut caller = Baresip::start("+31612345609", 700.0, Sound::Plain);
    caller.order("dial", &format!("sip:{ENGLISH}@127.0.0.1:{}", office.node.sip));
    assert!(caller.reports("CALL_ESTABLISHED", Duration::from_secs(10)), "not answered");
    thread::sleep(Duration::from_millis(600));
    caller.order("sndcode", "1");
    assert!(caller.reports("CALL_CLOSED", Duration::from_secs(40)), "the call does not end");
    assert_eq!(words(&office.ended(1)[0]), "granted bridged recorded");
    let (left, right) = office.recorded();
    let rx = office.asterisk.heard("rx.wav");
    all_heard(&[
        ("baresip", seconds(&caller.heard(), 440.0), 4.9),
        ("Asterisk", seconds(&rx, 700.0), 4.9),
        ("the left side", seconds(&left, 700.0), 4.9),
        ("the right side", seconds(&right, 440.0), 4.9),
    ]);
}
