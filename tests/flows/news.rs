//! What one side says of itself in a call that goes on, and the other one is told (rows R-09, T-01).

use support::{
    node::Change,
    peer::{draft::Draft, leg::Leg, post::What, seen::Seen},
    scene::NEVER,
    stage::{CALLER, Stage, Talk, sdp, sdp_again},
};

const ANN: &str = "\"Ann; sales\" <sip:101@pbx.example;x=1>";
const BOB: &str = "\"Bob\" <sip:102@pbx.example>,<tel:+31201111102>";

/// A call whose caller says that it takes these methods.
fn talk(stage: &mut Stage, allow: &str) -> Talk {
    let mut a = stage.caller.calls(CALLER, NEVER);
    let invite = a.invite().with("Allow", allow).with("X-Case", "7");
    stage.caller.send(&invite.sdp(sdp(stage.ear.own)));
    let invite = stage.pbx.expect("INVITE");
    let b = stage.pbx.called(&invite);
    stage.answers(a, b, invite)
}

/// An UPDATE without an offer.
fn update(leg: &mut Leg, who: &str) -> Draft {
    let update = leg.request("UPDATE").with("Contact", leg.contact.clone());
    update.with("P-Asserted-Identity", who).with("Server-Secret", "10.0.0.7")
}

/// The PBX sends an UPDATE, which is answered.
fn says(stage: &mut Stage, b: &mut Leg, who: &str) {
    stage.pbx.send(&update(b, who));
    let cseq = b.cseq;
    let is = move |seen: &Seen| seen.status() == Some(200) && seen.cseq() == (cseq, "UPDATE");
    stage.pbx.expect(What::that("200 to the UPDATE", is));
}

/// The caller hears who is there, once.
fn hears(stage: &mut Stage, a: &Leg, who: &str) -> Seen {
    let told = stage.caller.expect("UPDATE");
    assert_eq!(told.header("P-Asserted-Identity"), who, "octet for octet");
    assert!(told.body().is_empty() && told.get("Server-Secret").is_none(), "{}", told.text);
    assert!(told.get("Contact").is_some(), "it is a target refresh: {}", told.text);
    stage.caller.send(&a.reply(&told, 200));
    told
}

#[test]
fn t_01_r_09_who_is_there_after_a_transfer_in_the_pbx_is_told_by_update_and_told_once() {
    let mut stage = Stage::start();
    let Talk { mut a, mut b, .. } = talk(&mut stage, "INVITE, ACK, BYE, UPDATE");
    for who in [ANN, BOB] {
        says(&mut stage, &mut b, who);
        hears(&mut stage, &a, who);
        says(&mut stage, &mut b, who);
    }
    stage.caller.hears_no(150, "UPDATE");
    // A re-INVITE with the description that is in force, as many a PBX sends it.
    let again = b.invite().with("P-Asserted-Identity", ANN).with("X-Queue", "east");
    stage.pbx.send(&again.sdp(sdp(stage.desk.own)));
    let ok = stage.pbx.expect((200, "INVITE"));
    stage.pbx.send(&b.ack(&ok));
    let told = hears(&mut stage, &a, ANN);
    assert_eq!(told.header("X-Queue"), "east");
    // The other way round: what the PBX knows from the INVITE is not said again.
    let known = a.request("UPDATE").with("Contact", a.contact.clone()).with("X-Case", "7");
    stage.caller.send(&known);
    stage.caller.expect((200, "UPDATE"));
    stage.pbx.hears_no(150, "UPDATE");
    stage.caller.send(&a.request("BYE"));
    stage.caller.expect((200, "BYE"));
    let bye = stage.pbx.expect("BYE");
    stage.pbx.send(&b.reply(&bye, 200));
    stage.ended(1);
}

#[test]
fn r_09_who_takes_no_update_is_told_with_the_next_re_invite_and_a_courtesy_ends_no_call() {
    let relaying = Change::default().with("hold = \"absorb\"", "hold = \"relay\"");
    let mut stage = Stage::with(relaying);
    let Talk { a, mut b, .. } = talk(&mut stage, "INVITE, ACK, BYE");
    says(&mut stage, &mut b, ANN);
    stage.caller.hears_no(150, "UPDATE");
    let hold = b.invite();
    stage.pbx.send(&hold.sdp(sdp_again(stage.desk.own, 2, "sendonly")));
    let ok = stage.pbx.expect((200, "INVITE"));
    stage.pbx.send(&b.ack(&ok));
    let is = |seen: &Seen| seen.method() == Some("INVITE") && seen.header("To").contains(";tag=");
    let offer = stage.caller.expect(What::that("the relayed hold", is));
    assert_eq!(offer.header("P-Asserted-Identity"), ANN);
    stage.caller.send(&a.reply(&offer, 200).sdp(sdp_again(stage.ear.own, 2, "recvonly")));
    stage.caller.expect("ACK");

    let mut stage = Stage::hasty();
    let Talk { a, mut b, .. } = talk(&mut stage, "INVITE, ACK, BYE, UPDATE");
    says(&mut stage, &mut b, ANN);
    // Nobody answers it: 64*T1 later the call is still there.
    stage.caller.expect("UPDATE");
    stage.caller.hears_no(1_700, "BYE");
    says(&mut stage, &mut b, BOB);
    let told = stage.caller.expect(What::that("the next", |seen: &Seen| {
        seen.method() == Some("UPDATE") && seen.header("P-Asserted-Identity") == BOB
    }));
    stage.caller.send(&a.reply(&told, 405));
    says(&mut stage, &mut b, ANN);
    stage.caller.hears_no(200, "BYE");
    stage.pbx.send(&b.request("BYE"));
    stage.pbx.expect((200, "BYE"));
    let bye = stage.caller.expect("BYE");
    stage.caller.send(&a.reply(&bye, 200));
}
