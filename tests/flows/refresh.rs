//! Session timers and refreshes: rows B-11 and B-12.

use std::time::Instant;

use support::{
    node::Change,
    scene::NEVER,
    stage::{CALLER, Stage, sdp, sdp_again},
};

#[test]
fn b_11_each_side_agrees_on_its_own_timer_and_a_peer_without_one_gets_no_surprise() {
    let mut stage = Stage::start();
    // The caller knows no timers; the PBX is offered one and declines.
    let talk = stage.talk();
    assert!(talk.invite.headers("Supported").join(",").contains("timer"), "{}", talk.invite.text);
    assert_eq!(talk.ok.get("Session-Expires"), None, "{}", talk.ok.text);
    assert!(!talk.ok.headers("Require").join(",").contains("timer"));

    // Too short: the shortest that we bear (RFC 4028 §6). With that the call is made.
    let mut a = stage.caller.calls(CALLER, NEVER);
    let timed = |a: &mut support::peer::leg::Leg, seconds: &str| {
        let invite = a.invite().with("Supported", "timer").with("Session-Expires", seconds);
        invite.sdp(sdp(stage.ear.own))
    };
    let brief = timed(&mut a, "20;refresher=uac");
    stage.caller.send(&brief);
    let refused = stage.caller.expect((422, "INVITE"));
    let least = refused.header("Min-SE").to_owned();
    assert_eq!(least, "90");
    stage.caller.send(&a.ack(&refused));
    let long = timed(&mut a, &format!("{least};refresher=uac"));
    stage.caller.send(&long);
    let invite = stage.pbx.expect("INVITE");
    let b = stage.pbx.called(&invite);
    stage.pbx.send(&b.reply(&invite, 200).sdp(sdp(stage.desk.own)));
    let ok = stage.caller.expect((200, "INVITE"));
    assert_eq!(ok.header("Session-Expires"), "90;refresher=uac");
    assert!(ok.header("Require").contains("timer"));
    stage.caller.send(&a.ack(&ok));

    // A PBX that bears no less than it says is asked again with that.
    let (_, b, invite) = stage.rings();
    stage.pbx.send(&b.reply(&invite, 422).with("Min-SE", "7200"));
    let again = stage.pbx.expect("INVITE");
    let seconds = again.header("Session-Expires").split(';').next().unwrap_or_default();
    assert!(seconds.parse::<u32>().is_ok_and(|seconds| seconds >= 7_200), "{}", again.text);
    assert_eq!(again.header("Min-SE"), "7200");
    assert_eq!(again.header("Call-ID"), invite.header("Call-ID"));
    assert!(again.cseq().0 > invite.cseq().0);
}

#[test]
fn b_11_a_trunk_and_a_pbx_each_have_the_timer_that_their_table_names() {
    let change = Change::default()
        .with(
            "target = \"127.0.0.1:15070\"",
            "session_timer = { min_s = 600 }\ntarget = \"127.0.0.1:15070\"",
        )
        .with(
            "transfers = \"act\"",
            "transfers = \"act\"\nsession_timer = { expires_s = 900, min_s = 120 }",
        );
    let mut stage = Stage::with(change);
    // The trunk may ask for no less than its own; the rest is as for everybody.
    let mut a = stage.caller.calls(CALLER, NEVER);
    let timed = |a: &mut support::peer::leg::Leg, seconds: &str| {
        let invite = a.invite().with("Supported", "timer").with("Session-Expires", seconds);
        invite.sdp(sdp(stage.ear.own))
    };
    let brief = timed(&mut a, "300;refresher=uac");
    stage.caller.send(&brief);
    let refused = stage.caller.expect((422, "INVITE"));
    assert_eq!(refused.header("Min-SE"), "600");
    stage.caller.send(&a.ack(&refused));
    stage.pbx.hears_no(100, "INVITE");
    let long = timed(&mut a, "7200;refresher=uac");
    stage.caller.send(&long);
    let invite = stage.pbx.expect("INVITE");
    assert_eq!(invite.header("Session-Expires"), "900", "the PBX has another one");
    assert_eq!(invite.header("Min-SE"), "120");
    let b = stage.pbx.called(&invite);
    stage.pbx.send(&b.reply(&invite, 200).sdp(sdp(stage.desk.own)));
    let ok = stage.caller.expect((200, "INVITE"));
    assert_eq!(ok.header("Session-Expires"), "1800;refresher=uac");
    stage.caller.send(&a.ack(&ok));

    // A peer may be without one, too.
    let change = Change::default()
        .with("transfers = \"act\"", "transfers = \"act\"\nsession_timer = { expires_s = 0 }");
    let mut stage = Stage::with(change);
    let talk = stage.talk();
    assert_eq!(talk.invite.get("Session-Expires"), None, "{}", talk.invite.text);
    assert!(!talk.invite.headers("Supported").join(",").contains("timer"));
}

#[test]
fn b_12_a_refresh_that_changes_nothing_disturbs_nothing() {
    let mut stage = Stage::start();
    let mut talk = stage.talk();
    stage.ear.speak(700.0);
    stage.desk.speak(900.0);
    assert!(stage.desk.hears(700.0, Instant::now()) && stage.ear.hears(900.0, Instant::now()));
    let contact = talk.a.contact.clone();
    stage.caller.send(&talk.a.request("UPDATE").with("Contact", contact));
    let ok = stage.caller.expect((200, "UPDATE"));
    assert_eq!(ok.body(), "", "a refresh without an offer was answered");
    // The same description again, as many refresh by re-INVITE.
    stage.caller.send(&talk.a.invite().sdp(sdp_again(stage.ear.own, 1, "sendrecv")));
    let ok = stage.caller.expect((200, "INVITE"));
    assert_eq!(ok.line("o="), talk.ok.line("o="), "our description is another one");
    stage.caller.send(&talk.a.ack(&ok));
    let now = Instant::now();
    assert!(stage.desk.hears(700.0, now) && stage.ear.hears(900.0, now));
    let heard = stage.ear.heard();
    let whole = heard.windows(2).all(|pair| {
        pair[1].ssrc == pair[0].ssrc && pair[1].sequence == pair[0].sequence.wrapping_add(1)
    });
    assert!(whole, "the refresh is heard");
    stage.pbx.hears_no(100, "INVITE");
}
