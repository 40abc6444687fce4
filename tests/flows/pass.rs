//! Transfers out of the house that are handed on to the customer's side (row T-06).

use std::time::Instant;

use support::{
    node::Change,
    peer::{
        leg::Leg,
        post::{Peer, What},
        seen::Seen,
        voice::Voice,
    },
    port,
    sound::heard,
    stage::{Stage, Talk, sdp, wait},
};

const OUTSIDE: &str = "<sip:+31209876543@pbx.example;x-secret=1>";

fn passing() -> Change {
    Change::default().with("transfers = \"act\"", "transfers = \"pass\"")
}

/// The PBX asks that the customer talk to somebody else; what the customer's side is asked.
fn refers(stage: &mut Stage, b: &mut Leg, to: &str) -> Seen {
    let refer = b.request("REFER").with("Contact", b.contact.clone()).with("Refer-To", to);
    stage.pbx.send(&refer.with("Referred-By", "<sip:101@pbx.example>"));
    stage.caller.expect("REFER")
}

/// The customer's side says how far it is.
fn says(stage: &mut Stage, a: &mut Leg, status: u16, state: &str) {
    let notify = a
        .request("NOTIFY")
        .with("Contact", a.contact.clone())
        .with("Event", "refer")
        .with("Subscription-State", state)
        .body(
            "message/sipfrag",
            format!("SIP/2.0 {status} Said\r\nContact: <sip:c@192.0.2.77>\r\n"),
        );
    stage.caller.send(&notify);
    let cseq = a.cseq;
    let is = move |seen: &Seen| seen.status() == Some(200) && seen.cseq() == (cseq, "NOTIFY");
    stage.caller.expect(What::that("200 to the NOTIFY", is));
}

/// A NOTIFY to the PBX that tells of this status, answered.
fn told(stage: &mut Stage, b: &Leg, status: u16) -> Seen {
    let line = format!("SIP/2.0 {status} ");
    let notify = stage.pbx.expect(What::that(&format!("NOTIFY of {status}"), move |seen| {
        seen.method() == Some("NOTIFY") && seen.body().starts_with(&line)
    }));
    stage.pbx.send(&b.reply(&notify, 200));
    notify
}

fn both_hear(stage: &mut Stage) {
    stage.ear.speak(700.0);
    stage.desk.speak(900.0);
    let now = Instant::now();
    assert!(stage.desk.hears(700.0, now), "the PBX does not hear the caller");
    assert!(stage.ear.hears(900.0, now), "the caller does not hear the PBX");
}

#[test]
fn t_06_a_transfer_is_handed_on_without_a_trace_of_the_house_and_its_course_comes_back() {
    let mut stage = Stage::with(passing());
    let Talk { mut a, mut b, .. } = stage.talk();
    let refer = refers(&mut stage, &mut b, OUTSIDE);
    let there = a.contact.replace("<sip:", "<sip:+31209876543@");
    assert_eq!(refer.header("Refer-To"), there);
    assert!(refer.header("Referred-By").contains("+31201234569@"), "{}", refer.text);
    for secret in ["pbx.example", "sip:101@", "x-secret", &stage.pbx.own.to_string(), &b.call_id] {
        assert!(!refer.text.contains(secret), "{secret} is told: {}", refer.text);
    }
    assert_eq!(stage.pbx.times("REFER"), 0, "nobody has answered for the customer's side");
    stage.caller.send(&a.reply(&refer, 202));
    let taken = stage.pbx.expect((202, "REFER"));
    assert_eq!(taken.get("Refer-Sub"), None);
    says(&mut stage, &mut a, 100, "active;expires=60");
    let trying = told(&mut stage, &b, 100);
    assert!(trying.header("Subscription-State").starts_with("active"));
    says(&mut stage, &mut a, 486, "terminated;reason=noresource");
    let busy = told(&mut stage, &b, 486);
    assert!(busy.header("Subscription-State").starts_with("terminated"));
    assert!(!busy.text.contains("192.0.2.77"), "where the new party is: {}", busy.text);
    stage.pbx.hears_no(50, "BYE");
    both_hear(&mut stage);
    // Once more, and this time it works: the referrer leaves, and the customer with it.
    let refer = refers(&mut stage, &mut b, OUTSIDE);
    stage.caller.send(&a.reply(&refer, 202));
    stage.pbx.expect((202, "REFER"));
    says(&mut stage, &mut a, 200, "terminated;reason=noresource");
    told(&mut stage, &b, 200);
    stage.pbx.send(&b.request("BYE"));
    stage.pbx.expect((200, "BYE"));
    let bye = stage.caller.expect("BYE");
    stage.caller.send(&a.reply(&bye, 200));
    assert_eq!(stage.ended(1)[0]["outcome"], "bridged");
}

#[test]
fn t_06_what_the_customers_side_will_not_do_is_refused_and_what_stays_in_the_house_is_done_here() {
    let mut stage = Stage::with(passing());
    let Talk { mut a, mut b, .. } = stage.talk();
    for status in [405, 603] {
        let refer = refers(&mut stage, &mut b, OUTSIDE);
        stage.caller.send(&a.reply(&refer, status));
        stage.pbx.expect((status, "REFER"));
        both_hear(&mut stage);
    }
    // Nobody wants to hear of it: RFC 4488 goes along.
    let silent = b.request("REFER").with("Contact", b.contact.clone()).with("Refer-To", OUTSIDE);
    stage.pbx.send(&silent.with("Refer-Sub", "false").with("Supported", "norefersub"));
    let refer = stage.caller.expect("REFER");
    assert_eq!(refer.header("Refer-Sub"), "false");
    assert!(refer.headers("Supported").join(",").contains("norefersub"), "{}", refer.text);
    stage.caller.send(&a.reply(&refer, 202).with("Refer-Sub", "false"));
    let taken = stage.pbx.expect((202, "REFER"));
    assert_eq!(taken.header("Refer-Sub"), "false");
    // One that tells all the same is answered, and nobody else hears of it.
    says(&mut stage, &mut a, 200, "terminated;reason=noresource");
    stage.pbx.hears_no(100, "NOTIFY");
    // An extension is called from here, and so is an emergency; the customer's side is not asked.
    let asked = stage.caller.times("REFER");
    let refer = b.request("REFER").with("Contact", b.contact.clone());
    stage.pbx.send(&refer.with("Refer-To", "<sip:102@pbx.example>"));
    stage.pbx.expect((202, "REFER"));
    let second = stage.pbx.expect("INVITE");
    assert!(second.uri().starts_with("sip:102@"), "{}", second.uri());
    assert_eq!(stage.caller.times("REFER"), asked);
}

#[test]
fn t_06_l_51_nothing_is_recorded_from_when_a_transfer_is_taken_on_until_it_has_failed() {
    let mut stage = Stage::with(passing());
    let (mut a, _ok) = stage.asked();
    let (mut b, _invite) = stage.says_yes();
    stage.desk.speak(440.0);
    wait(1_200);
    for (status, hz) in [(486, 1_100.0), (200, 1_300.0)] {
        let refer = refers(&mut stage, &mut b, OUTSIDE);
        stage.caller.send(&a.reply(&refer, 202));
        stage.pbx.expect((202, "REFER"));
        // What is said now is said with a new party, for all we know.
        stage.ear.speak(hz);
        wait(1_200);
        says(&mut stage, &mut a, status, "terminated;reason=noresource");
        told(&mut stage, &b, status);
        stage.ear.speak(if status == 486 { 700.0 } else { hz });
        wait(1_200);
    }
    stage.pbx.send(&b.request("BYE"));
    stage.pbx.expect((200, "BYE"));
    let bye = stage.caller.expect("BYE");
    stage.caller.send(&a.reply(&bye, 200));
    let call = &stage.ended(1)[0];
    assert_eq!((&call["consent"], &call["verdict"]), (&"granted".into(), &"recorded".into()));
    let listed = stage.node.until(&["recordings", "list"], |rows| rows[0]["state"] == "stored");
    let (left, right) = stage.node.export(listed[0]["recording"].as_str().expect("an id"));
    for hz in [1_100.0, 1_300.0] {
        assert!(heard(&left, hz) < 0.05, "{hz} Hz, said to somebody outside, is in it");
    }
    let millis = left.len() / 8;
    assert!(heard(&left, 700.0) > 0.2, "it goes on after the failure");
    assert!(heard(&right[..8_000], 440.0) > 0.8);
    assert!((3_000..5_000).contains(&millis), "{millis} ms: it ends with the second transfer");
}

#[test]
fn t_06_l_51_when_nobody_says_what_became_of_a_transfer_the_recording_is_over_and_the_pbx_is_told()
{
    let mut stage = Stage::with(passing());
    let (mut a, _ok) = stage.asked();
    let (mut b, _invite) = stage.says_yes();
    stage.ear.speak(700.0);
    wait(1_500);
    let refer = refers(&mut stage, &mut b, OUTSIDE);
    stage.caller.send(&a.reply(&refer, 202));
    stage.pbx.expect((202, "REFER"));
    stage.ear.speak(1_100.0);
    // There is to be news within two seconds, and there is none.
    says(&mut stage, &mut a, 180, "active;expires=2");
    told(&mut stage, &b, 180);
    let again = b.request("REFER").with("Contact", b.contact.clone()).with("Refer-To", OUTSIDE);
    stage.pbx.send(&again);
    stage.pbx.expect((491, "REFER"));
    let over = told(&mut stage, &b, 408);
    assert!(over.header("Subscription-State").starts_with("terminated"), "{}", over.text);
    // Both still hear each other, for all that is known, and it may be somebody else.
    stage.ear.speak(1_300.0);
    stage.desk.speak(900.0);
    assert!(stage.ear.hears(900.0, Instant::now()), "the call itself goes on");
    wait(1_200);
    refers(&mut stage, &mut b, OUTSIDE);
    stage.pbx.send(&b.request("BYE"));
    stage.pbx.expect((200, "BYE"));
    let bye = stage.caller.expect("BYE");
    stage.caller.send(&a.reply(&bye, 200));
    let call = &stage.ended(1)[0];
    assert_eq!((&call["consent"], &call["verdict"]), (&"granted".into(), &"recorded".into()));
    let id = call["call"].as_str().expect("an id");
    let shown = stage.node.run(&["calls", "show", id, "--ladder"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("nobody says what became of the transfer"), "{shown}");
    let listed = stage.node.until(&["recordings", "list"], |rows| rows[0]["state"] == "stored");
    let (left, _) = stage.node.export(listed[0]["recording"].as_str().expect("an id"));
    let millis = left.len() / 8;
    assert!((1_000..4_500).contains(&millis), "{millis} ms");
    assert!(heard(&left, 700.0) > 0.2, "what was said before: {}", heard(&left, 700.0));
    for hz in [1_100.0, 1_300.0] {
        assert!(heard(&left, hz) < 0.05, "{hz} Hz, said to somebody outside, is in it");
    }
}

fn tag(address: &str) -> &str {
    address.rsplit_once("tag=").expect("a tag").1
}

#[test]
fn t_06_t_04_an_attended_transfer_out_of_the_house_names_the_dialog_that_the_new_party_knows() {
    let there = std::net::SocketAddr::from(([127, 0, 0, 1], port::free()));
    let change = passing().with("127.0.0.1:15070", there.to_string());
    let mut stage = Stage::with(change);
    let mut d = Peer::at(there, stage.node.sip);
    let Talk { a, mut b, .. } = stage.talk();
    // The agent consults somebody outside.
    let mut x = stage.pbx.calls("101", "+31209876543");
    stage.pbx.send(&x.invite().sdp(sdp(stage.desk.own)));
    let invite = d.expect("INVITE");
    let y = d.called(&invite);
    let ear = Voice::new(d.own.ip());
    d.send(&y.reply(&invite, 200).sdp(sdp(ear.own)));
    d.expect("ACK");
    let ok = stage.pbx.expect((200, "INVITE"));
    stage.pbx.send(&x.ack(&ok));
    let named = format!(
        "<sip:+31209876543@pbx.example?Replaces={}%3Bto-tag%3D{}%3Bfrom-tag%3D{}>",
        x.call_id,
        tag(&x.remote),
        tag(&x.local)
    );
    let refer = refers(&mut stage, &mut b, &named);
    let told =
        format!("?Replaces={}%3Bto-tag%3D{}%3Bfrom-tag%3D{}>", y.call_id, y.tag, tag(&y.remote));
    assert!(refer.header("Refer-To").ends_with(&told), "{told}: {}", refer.text);
    assert!(!refer.text.contains(&x.call_id), "{}", refer.text);
    stage.caller.send(&a.reply(&refer, 202));
    stage.pbx.expect((202, "REFER"));
}
