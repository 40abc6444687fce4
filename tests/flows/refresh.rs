//! Refreshes of a session that is to stay as it is: row B-12.

use std::time::Instant;

use support::stage::{Stage, sdp_again};

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
