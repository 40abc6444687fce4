//! Transfers: rows T.

use support::{
    peer::{post::What, seen::Seen},
    scene::{ENGLISH, NEVER},
    stage::{CALLER, Stage, sdp},
};

#[test]
fn t_08_the_route_set_of_the_pbx_is_reversed_and_never_names_ourselves() {
    let mut stage = Stage::start();
    let (mut a, b, invite) = stage.rings();
    let inner = "<sip:192.0.2.88;lr;n=1>".to_owned();
    let outer = format!("<sip:{};lr;n=2>", stage.pbx.own);
    // A peer that counts us among its proxies; a Route to ourselves would come straight back.
    let ours = format!("<sip:127.0.0.1:{};lr>", stage.node.sip);
    let mut answer = b.reply(&invite, 200);
    for route in [&inner, &outer, &ours] {
        answer = answer.with("Record-Route", route);
    }
    stage.pbx.send(&answer.sdp(sdp(stage.desk.own)));
    let ok = stage.caller.expect((200, "INVITE"));
    stage.caller.send(&a.ack(&ok));
    stage.caller.send(&a.request("BYE"));
    stage.caller.expect((200, "BYE"));
    let bye = stage.pbx.expect("BYE");
    assert_eq!(bye.headers("Route"), [outer.as_str(), inner.as_str()]);
    stage.pbx.send(&b.reply(&bye, 200));
}

#[test]
fn t_09_a_transfer_that_the_carrier_asks_for_is_declined_and_the_call_goes_on() {
    let mut stage = Stage::start();
    let mut talk = stage.talk();
    let refer = talk.a.request("REFER").with("Contact", talk.a.contact.clone());
    stage.caller.send(&refer.with("Refer-To", format!("<sip:+31900123456@{}>", stage.caller.node)));
    let is = |seen: &Seen| seen.cseq().1 == "REFER" && seen.status() >= Some(200);
    let refused = stage.caller.expect(What::that("an answer to REFER", is));
    assert!(matches!(refused.status(), Some(403 | 603)), "{}", refused.text);
    stage.caller.hears_no(100, "NOTIFY");
    assert_eq!(stage.pbx.times("INVITE"), 1, "the toll is on us");
    stage.desk.speak(700.0);
    assert!(stage.ear.hears(700.0, refused.at), "the call is disturbed");
}

#[test]
fn t_10_a_transfer_of_no_call_is_refused() {
    let mut stage = Stage::start();
    for number in [NEVER, ENGLISH] {
        let mut nobody = stage.caller.calls(CALLER, number);
        let refer = nobody.request("REFER").with("Contact", nobody.contact.clone());
        let to = format!("<sip:{ENGLISH}@{}>", stage.caller.node);
        stage.caller.send(&refer.with("Refer-To", to));
        let cseq = nobody.call_id.clone();
        let is = move |seen: &Seen| seen.header("Call-ID") == cseq && seen.status() >= Some(200);
        let refused = stage.caller.expect(What::that("an answer to REFER", is));
        assert!(matches!(refused.status(), Some(403 | 405 | 481)), "{}", refused.text);
    }
    stage.pbx.hears_no(50, "INVITE");
}

#[test]
fn t_14_a_transfer_while_the_notice_plays_is_refused_and_nobody_is_called() {
    let mut stage = Stage::start();
    let (mut a, ok) = stage.asked();
    assert!(stage.ear.until(3_000, |packets| packets.len() > 10), "no notice");
    let refer = a.request("REFER").with("Contact", a.contact.clone());
    stage.caller.send(&refer.with("Refer-To", format!("<sip:{NEVER}@{}>", stage.caller.node)));
    let is = |seen: &Seen| seen.cseq().1 == "REFER" && seen.status() >= Some(200);
    let refused = stage.caller.expect(What::that("an answer to REFER", is));
    assert!(matches!(refused.status(), Some(403 | 491 | 603)), "{}", refused.text);
    let heard = stage.ear.heard().len();
    assert!(stage.ear.until(2_000, |packets| packets.len() > heard + 10), "the notice stops");
    stage.pbx.hears_no(50, "INVITE");
    assert_eq!(ok.status(), Some(200));
    stage.caller.send(&a.request("BYE"));
    stage.caller.expect((200, "BYE"));
}
