//! Transfers, and what they mean for consent: rows T.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Instant,
};

use support::{
    node::Change,
    peer::{
        leg::Leg,
        post::{Peer, What},
        seen::Seen,
        voice::Voice,
    },
    port,
    scene::{ENGLISH, NEVER},
    sound::heard,
    stage::{CALLER, Stage, Talk, sdp, sdp_again, wait},
};

/// A NOTIFY that tells of this status, answered.
fn told(stage: &mut Stage, b: &Leg, status: u16) -> Seen {
    let line = format!("SIP/2.0 {status} ");
    let notify = stage.pbx.expect(What::that(&format!("NOTIFY of {status}"), move |seen| {
        seen.method() == Some("NOTIFY") && seen.body().starts_with(&line)
    }));
    stage.pbx.send(&b.reply(&notify, 200));
    notify
}

/// The PBX asks that the customer talk to somebody else.
fn refers(stage: &mut Stage, b: &mut Leg, to: &str) {
    let refer = b.request("REFER").with("Contact", b.contact.clone()).with("Refer-To", to);
    stage.pbx.send(&refer.with("Referred-By", "<sip:101@pbx.example>"));
}

/// Both voices reach each other.
fn talk(one: &mut Voice, other: &mut Voice) {
    one.speak(700.0);
    other.speak(500.0);
    wait(300);
    let from = Instant::now();
    wait(400);
    assert!(heard(&one.since(from), 500.0) > 0.8, "the customer does not hear the agent");
    assert!(heard(&other.since(from), 700.0) > 0.8, "the agent does not hear the customer");
}

fn outside() -> (Change, SocketAddr) {
    let there = SocketAddr::from((Ipv4Addr::LOCALHOST, port::free()));
    (Change::default().with("127.0.0.1:15070", there.to_string()), there)
}

#[test]
fn t_02_a_blind_transfer_inside_leaves_the_customer_and_replaces_the_agent() {
    let mut stage = Stage::start();
    let Talk { mut a, mut b, invite, .. } = stage.talk();
    let to = format!("<sip:102@{}>", stage.pbx.own);
    refers(&mut stage, &mut b, &to);
    stage.pbx.expect((202, "REFER"));
    told(&mut stage, &b, 100);
    let second = stage.pbx.expect("INVITE");
    assert!(second.uri().starts_with("sip:102@"), "{}", second.uri());
    assert_eq!(second.header("X-Jawoord-Call"), invite.header("X-Jawoord-Call"));
    assert_eq!(second.header("Referred-By"), "<sip:101@pbx.example>");
    assert!(second.header("From").contains(CALLER), "{}", second.header("From"));
    assert_ne!(second.header("Call-ID"), invite.header("Call-ID"));
    let mut c = stage.pbx.called(&second);
    stage.pbx.send(&c.reply(&second, 180));
    told(&mut stage, &b, 180);
    let mut desk = Voice::new(stage.pbx.own.ip());
    stage.pbx.send(&c.reply(&second, 200).sdp(sdp(desk.own)));
    let last = told(&mut stage, &b, 200);
    assert!(last.header("Subscription-State").starts_with("terminated"));
    let bye = stage.pbx.expect("BYE");
    assert_eq!(bye.header("Call-ID"), b.call_id, "the referrer leaves");
    stage.pbx.send(&b.reply(&bye, 200));
    desk.talk_to(second.sound());
    talk(&mut stage.ear, &mut desk);
    stage.caller.hears_no(10, "INVITE");
    // And the new agent ends it.
    c.cseq = 0;
    stage.pbx.send(&c.request("BYE"));
    stage.pbx.expect((200, "BYE"));
    let bye = stage.caller.expect("BYE");
    stage.caller.send(&a.reply(&bye, 200));
    a.cseq += 1;
    assert_eq!(stage.ended(1)[0]["outcome"], "bridged");
}

#[test]
fn t_07_a_transfer_to_a_busy_place_brings_the_referrer_back_with_sound() {
    let mut stage = Stage::start();
    let mut talking = stage.talk();
    let to = format!("<sip:102@{}>", stage.pbx.own);
    refers(&mut stage, &mut talking.b, &to);
    stage.pbx.expect((202, "REFER"));
    told(&mut stage, &talking.b, 100);
    let second = stage.pbx.expect("INVITE");
    let c = stage.pbx.called(&second);
    stage.pbx.send(&c.reply(&second, 486));
    stage.pbx.expect("ACK");
    let last = told(&mut stage, &talking.b, 486);
    assert!(last.header("Subscription-State").starts_with("terminated"));
    stage.pbx.hears_no(100, "BYE");
    let Stage { ear, desk, .. } = &mut stage;
    talk(ear, desk);
    stage.hang_up(&mut talking);
}

#[test]
fn t_02_a_referrer_may_leave_at_once_and_the_customer_hears_that_it_rings() {
    let mut stage = Stage::start();
    for answers in [true, false] {
        let Talk { mut a, mut b, .. } = stage.talk();
        let to = format!("<sip:102@{}>", stage.pbx.own);
        refers(&mut stage, &mut b, &to);
        stage.pbx.expect((202, "REFER"));
        told(&mut stage, &b, 100);
        let second = stage.pbx.expect("INVITE");
        let mut c = stage.pbx.called(&second);
        stage.pbx.send(&c.reply(&second, 180));
        told(&mut stage, &b, 180);
        stage.pbx.send(&b.request("BYE"));
        stage.pbx.expect((200, "BYE"));
        stage.desk.stop();
        let from = Instant::now();
        wait(900);
        assert!(heard(&stage.ear.since(from), 425.0) > 0.3, "no ring-back");
        stage.caller.hears_no(10, "BYE");
        if answers {
            let mut desk = Voice::new(stage.pbx.own.ip());
            stage.pbx.send(&c.reply(&second, 200).sdp(sdp(desk.own)));
            stage.pbx.expect("ACK");
            desk.talk_to(second.sound());
            talk(&mut stage.ear, &mut desk);
            stage.caller.send(&a.request("BYE"));
            stage.caller.expect((200, "BYE"));
            let bye = stage.pbx.expect("BYE");
            c.cseq = 0;
            stage.pbx.send(&c.reply(&bye, 200));
        } else {
            stage.pbx.send(&c.reply(&second, 603));
            stage.pbx.expect("ACK");
            let bye = stage.caller.expect("BYE");
            stage.caller.send(&a.reply(&bye, 200));
        }
    }
    stage.ended(2);
}

#[test]
fn t_01_t_03_l_51_a_recording_survives_a_transfer_inside_and_ends_with_one_to_the_outside() {
    let (change, there) = outside();
    let mut stage = Stage::with(change);
    let mut d = Peer::at(there, stage.node.sip);
    let (mut a, _ok) = stage.asked();
    let (mut b, _invite) = stage.says_yes();
    stage.desk.speak(440.0);
    wait(1_500);
    // Row T-01: behind the PBX somebody else takes over, with other media.
    let colleague = Voice::new(stage.pbx.own.ip());
    let again = b.invite().sdp(sdp_again(colleague.own, 2, "sendrecv"));
    stage.pbx.send(&again);
    let ok = stage.pbx.expect((200, "INVITE"));
    stage.pbx.send(&b.ack(&ok));
    colleague.talk_to(ok.sound());
    colleague.speak(600.0);
    wait(1_500);
    refers(&mut stage, &mut b, "<sip:+31209876543@carrier.example>");
    stage.pbx.expect((202, "REFER"));
    told(&mut stage, &b, 100);
    let second = d.expect("INVITE");
    assert!(second.uri().starts_with("sip:+31209876543@"), "{}", second.uri());
    assert_eq!(second.get("X-Jawoord-Call"), None, "nobody outside is told");
    assert_eq!(second.get("Referred-By"), None, "nor who sent the customer there");
    let c = d.called(&second);
    let friend = Voice::new(d.own.ip());
    d.send(&c.reply(&second, 200).sdp(sdp(friend.own)));
    d.expect("ACK");
    friend.talk_to(second.sound());
    friend.speak(900.0);
    told(&mut stage, &b, 200);
    let bye = stage.pbx.expect("BYE");
    stage.pbx.send(&b.reply(&bye, 200));
    wait(2_000);
    stage.caller.send(&a.request("BYE"));
    stage.caller.expect((200, "BYE"));
    let bye = d.expect("BYE");
    d.send(&c.reply(&bye, 200));
    let call = &stage.ended(1)[0];
    assert_eq!((&call["consent"], &call["verdict"]), (&"granted".into(), &"recorded".into()));
    let listed = stage.node.until(&["recordings", "list"], |rows| rows[0]["state"] == "stored");
    let (_, right) = stage.node.export(listed[0]["recording"].as_str().expect("an id"));
    let millis = right.len() / 8;
    assert!((2_800..4_000).contains(&millis), "{millis} ms: it ends with the transfer");
    let quarter = right.len() / 4;
    assert!(heard(&right[..quarter], 440.0) > 0.8, "the first agent");
    assert!(heard(&right[right.len() - quarter..], 600.0) > 0.7, "the second agent");
    assert!(heard(&right, 900.0) < 0.05, "nobody outside is in it");
}

/// The PBX calls somebody outside; both have answered.
fn consults(stage: &mut Stage, d: &mut Peer) -> (Leg, Leg) {
    let mut x = stage.pbx.calls("101", "+31209876543");
    stage.pbx.send(&x.invite().sdp(sdp(stage.desk.own)));
    let invite = d.expect("INVITE");
    let mut y = d.called(&invite);
    let ear = Voice::new(d.own.ip());
    d.send(&y.reply(&invite, 200).sdp(sdp(ear.own)));
    d.expect("ACK");
    y.cseq = 0;
    let ok = stage.pbx.expect((200, "INVITE"));
    stage.pbx.send(&x.ack(&ok));
    (x, y)
}

fn tag(address: &str) -> &str {
    address.rsplit_once("tag=").expect("a tag").1
}

#[test]
fn t_04_an_attended_transfer_names_the_dialog_at_the_other_leg_and_no_other() {
    let (change, there) = outside();
    let mut stage = Stage::with(change);
    let mut d = Peer::at(there, stage.node.sip);
    let Talk { mut b, .. } = stage.talk();
    let (mut x, y) = consults(&mut stage, &mut d);
    let replaces = |call: &str, to: &str, from: &str| {
        format!(
            "<sip:+31209876543@carrier.example?Replaces={call}%3Bto-tag%3D{to}%3Bfrom-tag%3D{from}>"
        )
    };
    let unknown = replaces("nobody", "knows", "it");
    refers(&mut stage, &mut b, &unknown);
    stage.pbx.expect((481, "REFER"));
    let known = replaces(&x.call_id, tag(&x.remote), tag(&x.local));
    refers(&mut stage, &mut b, &known);
    stage.pbx.expect((202, "REFER"));
    told(&mut stage, &b, 100);
    let second = d.expect("INVITE");
    let named = format!("{};to-tag={};from-tag={}", y.call_id, y.tag, tag(&y.remote));
    assert_eq!(second.header("Replaces"), named);
    let c = d.called(&second);
    let mut friend = Voice::new(d.own.ip());
    d.send(&c.reply(&second, 200).sdp(sdp(friend.own)));
    d.expect("ACK");
    told(&mut stage, &b, 200);
    friend.talk_to(second.sound());
    talk(&mut stage.ear, &mut friend);
    // Its old call ends as any other, and so does the PBX's leg of it.
    let mut y = y;
    d.send(&y.request("BYE"));
    d.expect((200, "BYE"));
    let leaves = What::that("BYE of the consultation", {
        let call = x.call_id.clone();
        move |seen| seen.method() == Some("BYE") && seen.header("Call-ID") == call
    });
    let bye = stage.pbx.expect(leaves);
    stage.pbx.send(&x.reply(&bye, 200));
    x.cseq += 1;
}

#[test]
fn t_04_the_pbx_takes_its_own_leg_over_and_nobody_else_does() {
    let mut stage = Stage::start();
    let Talk { mut a, b, .. } = stage.talk();
    let named = format!("{};to-tag={};from-tag={}", b.call_id, tag(&b.remote), b.tag);
    let mut stranger = stage.caller.calls("0612", "102");
    stage.caller.send(&stranger.invite().with("Replaces", &named).sdp(sdp(stage.ear.own)));
    stage.caller.expect((403, "INVITE"));
    let mut lost = stage.pbx.calls("102", "103");
    stage
        .pbx
        .send(&lost.invite().with("Replaces", "x;to-tag=1;from-tag=2").sdp(sdp(stage.desk.own)));
    stage.pbx.expect((481, "INVITE"));

    let mut desk = Voice::new(stage.pbx.own.ip());
    let mut c = stage.pbx.calls("102", "103");
    let invite = c.invite().with("Require", "replaces").with("Replaces", &named);
    stage.pbx.send(&invite.sdp(sdp(desk.own)));
    let ok = stage.pbx.expect((200, "INVITE"));
    stage.pbx.send(&c.ack(&ok));
    let bye = stage.pbx.expect("BYE");
    assert_eq!(bye.header("Call-ID"), b.call_id);
    stage.pbx.send(&b.reply(&bye, 200));
    desk.talk_to(ok.sound());
    talk(&mut stage.ear, &mut desk);
    stage.caller.send(&a.request("BYE"));
    stage.caller.expect((200, "BYE"));
    let bye = stage.pbx.expect("BYE");
    assert_eq!(bye.header("Call-ID"), c.call_id);
    stage.pbx.send(&c.reply(&bye, 200));
}

#[test]
fn t_04_a_call_that_rings_is_picked_up_by_the_pbx_and_the_place_that_rang_is_let_go() {
    let mut stage = Stage::start();
    let (mut a, b, invite) = stage.rings();
    stage.pbx.send(&b.reply(&invite, 180));
    stage.caller.expect(180);
    let ours = tag(invite.header("From"));
    let named = format!("{};to-tag={ours};from-tag={};early-only", b.call_id, b.tag);
    let mut desk = Voice::new(stage.pbx.own.ip());
    let mut c = stage.pbx.calls("102", "103");
    let pick_up = c.invite().with("Require", "replaces").with("Replaces", &named);
    stage.pbx.send(&pick_up.sdp(sdp(desk.own)));
    let taken = stage.pbx.expect((200, "INVITE"));
    stage.pbx.send(&c.ack(&taken));
    let cancel = stage.pbx.expect("CANCEL");
    assert_eq!(cancel.header("Call-ID"), b.call_id);
    stage.pbx.send(&b.reply(&cancel, 200));
    stage.pbx.send(&b.reply(&invite, 487));
    let ok = stage.caller.expect((200, "INVITE"));
    stage.caller.send(&a.ack(&ok));
    stage.ear.talk_to(ok.sound());
    desk.talk_to(taken.sound());
    talk(&mut stage.ear, &mut desk);
    stage.caller.send(&a.request("BYE"));
    stage.caller.expect((200, "BYE"));
    let bye = stage.pbx.expect("BYE");
    assert_eq!(bye.header("Call-ID"), c.call_id);
    stage.pbx.send(&c.reply(&bye, 200));
    assert_eq!(stage.ended(1)[0]["outcome"], "bridged");
}

#[test]
fn t_05_a_target_without_a_user_keeps_its_long_parameters() {
    let mut stage = Stage::start();
    let Talk { mut b, .. } = stage.talk();
    let opaque = "a1b2c3d4-".repeat(20);
    let to = format!("<sip:{};transport=udp;x-m={opaque};x-t=0f>", stage.pbx.own);
    refers(&mut stage, &mut b, &to);
    stage.pbx.expect((202, "REFER"));
    told(&mut stage, &b, 100);
    let second = stage.pbx.expect("INVITE");
    let wanted = format!("sip:{};x-m={opaque};x-t=0f", stage.pbx.own);
    assert_eq!(second.uri(), wanted);
}

#[test]
fn t_06_a_pbx_whose_transfers_are_refused_hears_603_and_who_wants_no_news_gets_none() {
    let change = Change::default().with("transfers = \"act\"", "transfers = \"refuse\"");
    let mut stage = Stage::with(change);
    let mut talking = stage.talk();
    refers(&mut stage, &mut talking.b, "<sip:102@127.0.0.1>");
    stage.pbx.expect((603, "REFER"));
    stage.pbx.hears_no(200, "INVITE");
    stage.hang_up(&mut talking);

    let mut stage = Stage::start();
    let Talk { mut b, .. } = stage.talk();
    let to = format!("<sip:102@{}>", stage.pbx.own);
    let refer = b.request("REFER").with("Contact", b.contact.clone()).with("Refer-To", to);
    stage.pbx.send(&refer.with("Refer-Sub", "false").with("Supported", "norefersub"));
    stage.pbx.expect((202, "REFER"));
    stage.pbx.expect("INVITE");
    stage.pbx.hears_no(200, "NOTIFY");
}

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
    assert_eq!(stage.pbx.kinds("INVITE"), 1, "the toll is on us");
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
