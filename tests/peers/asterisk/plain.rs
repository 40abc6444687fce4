//! A call that Asterisk takes itself.

use support::{
    exchange::{Act, Plan},
    node::Change,
    scene::{ENGLISH, words},
};

use super::{Office, Pbx, Transport, all_heard, party, seconds};

/// It speaks 440 Hz for five seconds, keeps what it hears, and hangs up.
pub const SPEAKS: &str = "
[from-box]
exten => _[+0-9].,1,Answer()
 same => n,MixMonitor(pbx.wav,r(rx.wav)t(tx.wav))
 same => n,PlayTones(440)
 same => n,Wait(5)
 same => n,Hangup()
";

/// A call with consent that both sides hear and that is recorded as they heard it.
pub fn spoken(transport: Transport, endpoint: &str, change: &Change) -> Office {
    let pbx = Pbx { dialplan: SPEAKS, transport, endpoint, ..Pbx::default() };
    let mut office = Office::open(change, pbx);
    let plan = Plan::new("+31612345601", ENGLISH);
    office.call(plan.at(400, Act::Press('1')).at(600, Act::Speak(700.0)));
    office.over(1, 40);
    assert_eq!(words(&office.ended(1)[0]), "granted bridged recorded");

    let caller = office.callers.of("+31612345601");
    let rx = office.asterisk.heard("rx.wav");
    let (left, right) = office.recorded();
    all_heard(&[
        ("the caller", party(&caller, 440.0), 4.9),
        ("Asterisk", seconds(&rx, 700.0), 4.9),
        ("the left side", seconds(&left, 700.0), 4.9),
        ("the right side", seconds(&right, 440.0), 4.9),
    ]);
    let crossed = [seconds(&rx, 440.0), seconds(&left, 440.0), seconds(&right, 700.0)];
    assert_eq!(crossed, [0.0; 3], "a side crosses");
    office
}

#[test]
fn a_call_with_consent_is_heard_on_both_sides_and_recorded_as_it_was_heard() {
    let _by_datagrams = spoken(Transport::Udp, "", &Change::default());
}
