//! Operation, as those who run the node see it: rows O.

use support::stage::{Stage, Talk, sdp_again};

#[test]
fn o_04_after_a_kill_old_dialogs_hear_481_and_new_calls_get_other_ports() {
    let mut stage = Stage::start();
    let mut talk = stage.talk();
    let ports = |talk: &Talk| (talk.ok.sound().port(), talk.invite.sound().port());
    let mut used = vec![ports(&talk)];
    stage.node.kill();
    stage.node.run_again();
    stage.caller.send(&talk.a.invite().sdp(sdp_again(stage.ear.own, 2, "sendonly")));
    let unknown = stage.caller.expect((481, "INVITE"));
    stage.caller.send(&talk.a.ack(&unknown));
    stage.pbx.send(&talk.b.request("BYE"));
    stage.pbx.expect((481, "BYE"));
    // The words of the call that the kill has cut are written, and the node takes calls again.
    assert_eq!(stage.ended(1).len(), 1);
    // The first ports of a start are anybody's guess; three starts do not guess the same.
    used.push(ports(&stage.talk()));
    stage.node.kill();
    stage.node.run_again();
    used.push(ports(&stage.talk()));
    used.dedup();
    assert!(used.len() > 1, "{used:?} are used again and again");
}
