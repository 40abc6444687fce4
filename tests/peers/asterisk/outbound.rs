//! Calls that Asterisk starts, through the node, to the carrier.

use std::time::Duration;

use support::{
    exchange::{Act, message::user_of},
    node::Change,
};

use super::{Office, Pbx, all_heard, party, phone, seconds};

const SPEAKS: &str = "
[agent]
exten => s,1,MixMonitor(pbx.wav,r(rx.wav)t(tx.wav))
 same => n,PlayTones(440)
 same => n,Wait(60)
";

#[test]
fn a_call_that_asterisk_starts_reaches_the_carrier_and_is_heard_on_both_sides() {
    let _heard = placed("", &Change::default());
}

/// A call to a carrier who speaks for five seconds and hangs up.
pub fn placed(endpoint: &str, change: &Change) -> Office {
    let mut carrier = phone(21, 700.0, &[(5_000, Act::HangUp)]);
    let target = carrier.address().to_string();
    let change = change.clone().with("127.0.0.1:15070", target);
    let office = Office::open(&change, Pbx { dialplan: SPEAKS, endpoint, ..Pbx::default() });
    office.asterisk.ask(&[
        ("Action", "Originate"),
        ("Channel", "PJSIP/+31612345678@box"),
        ("CallerID", "\"Sales\" <+31201234567>"),
        ("Context", "agent"),
        ("Exten", "s"),
        ("Priority", "1"),
        ("Async", "true"),
    ]);
    let done = carrier.until(Duration::from_secs(30), |calls| {
        calls.first().is_some_and(support::exchange::History::over)
    });
    assert!(done, "the call does not come, or does not end:\n{}", office.node.log());
    let customer = carrier.calls()[0].clone();
    let invite = customer.request("INVITE", true).expect("an INVITE");
    assert_eq!(user_of(&invite.text), Some("+31201234567"), "who calls");
    assert!(invite.text.starts_with("INVITE sip:+31612345678@"), "whom: {}", invite.text);
    let rx = office.asterisk.heard("rx.wav");
    all_heard(&[
        ("the customer", party(&customer, 440.0), 4.9),
        ("Asterisk", seconds(&rx, 700.0), 4.9),
    ]);
    assert_eq!(office.ended(1)[0]["direction"], "outbound");
    office
}
