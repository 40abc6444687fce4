//! Answering, early media and provisional responses: rows A.

use std::time::Duration;

use support::{
    scene::NEVER,
    stage::{CALLER, Stage, sdp},
};

#[test]
fn a_01_trying_comes_at_once_and_before_the_pbx_hears_of_the_call() {
    let mut stage = Stage::start();
    // A loaded machine may keep the node from its core once; the node itself never waits.
    let mut waits = Vec::new();
    for _ in 0..5 {
        let mut a = stage.caller.calls(CALLER, NEVER);
        let sent = stage.caller.send(&a.invite().sdp(sdp(stage.ear.own)));
        let trying = stage.caller.expect(100);
        let invite = stage.pbx.expect("INVITE");
        assert!(trying.at < invite.at, "the PBX was called first");
        assert_eq!(trying.tag("To"), None, "a 100 makes no dialog");
        // Nothing else is said until the PBX says something.
        stage.caller.hears_no(50, 180);
        let b = stage.pbx.called(&invite);
        stage.pbx.send(&b.reply(&invite, 486));
        let busy = stage.caller.expect(486);
        stage.caller.send(&a.ack(&busy));
        stage.pbx.expect("ACK");
        waits.push(trying.at - sent);
    }
    let quickest = waits.iter().min().expect("five calls");
    assert!(*quickest < Duration::from_millis(200), "{waits:?}");
}
