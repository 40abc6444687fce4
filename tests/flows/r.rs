//! Routing, identity and topology: rows R.

use support::{
    peer::{
        leg::Leg,
        post::{Peer, What},
        seen::Seen,
    },
    scene::NEVER,
    stage::{CALLER, Stage, sdp, sdp_again},
};

#[test]
fn r_01_record_routes_come_back_in_every_response_and_our_requests_follow_them() {
    let mut stage = Stage::start();
    let (near, far) = (
        format!("<sip:{};lr;side=near>", stage.caller.own),
        "<sip:192.0.2.77:5070;lr;side=far>".to_owned(),
    );
    let mut a = stage.caller.calls(CALLER, NEVER);
    let invite =
        a.invite().with("Record-Route", &near).with("Record-Route", &far).sdp(sdp(stage.ear.own));
    stage.caller.send(&invite);
    let invite = stage.pbx.expect("INVITE");
    let mut b = stage.pbx.called(&invite);
    let (inner, outer) = (
        "<sip:192.0.2.88:5070;lr;side=inner>".to_owned(),
        format!("<sip:{};lr;side=outer>", stage.pbx.own),
    );
    stage.pbx.send(&b.reply(&invite, 180));
    let ringing = stage.caller.expect(180);
    let answer = b.reply(&invite, 200).with("Record-Route", &inner).with("Record-Route", &outer);
    stage.pbx.send(&answer.sdp(sdp(stage.desk.own)));
    let ok = stage.caller.expect((200, "INVITE"));
    for response in [&ringing, &ok] {
        assert_eq!(response.headers("Record-Route"), [near.as_str(), far.as_str()]);
    }
    stage.caller.send(&a.ack(&ok));
    // Our requests to the PBX: its route set from the end (RFC 3261 §12.1.2), its Contact as target.
    let ack = stage.pbx.expect("ACK");
    assert_eq!(ack.headers("Route"), [outer.as_str(), inner.as_str()]);
    assert_eq!(format!("<{}>", ack.uri()), b.contact);
    // Our requests to the caller: the route set as it came.
    stage.pbx.send(&b.request("BYE"));
    let bye = stage.caller.expect("BYE");
    assert_eq!(bye.headers("Route"), [near.as_str(), far.as_str()]);
    assert_eq!(format!("<{}>", bye.uri()), a.contact);
    stage.caller.send(&a.reply(&bye, 200));
}

#[test]
fn r_02_a_router_without_lr_becomes_the_target_and_the_target_the_last_route() {
    let mut stage = Stage::start();
    let (mut a, b, invite) = stage.rings();
    let strict = format!("sip:{}", stage.pbx.own);
    let answer = b.reply(&invite, 200).with("Record-Route", format!("<{strict}>"));
    stage.pbx.send(&answer.sdp(sdp(stage.desk.own)));
    let ack = stage.pbx.expect("ACK");
    assert_eq!(ack.uri(), strict, "RFC 3261 §12.2.1.1");
    assert_eq!(ack.headers("Route"), [b.contact.as_str()]);
    let ok = stage.caller.expect((200, "INVITE"));
    stage.caller.send(&a.ack(&ok));
}

#[test]
fn r_03_a_contact_is_the_target_with_all_its_parameters_and_a_new_one_moves_it() {
    let mut stage = Stage::start();
    let (a, mut b, invite) = stage.rings();
    let opaque = format!("sip:agent-7@{};transport=udp;x-m=ab%20c;ob", stage.pbx.own);
    b.contact = format!("<{opaque}>;+sip.instance=\"<urn:uuid:1>\"");
    let mut talk = stage.answers(a, b, invite);
    let is = |seen: &Seen| seen.method() == Some("ACK");
    let acks: Vec<_> = stage.pbx.everything().into_iter().filter(is).collect();
    assert_eq!(acks.first().map(Seen::uri), Some(opaque.as_str()));
    // A re-INVITE from another place: later requests go there.
    let mut moved = Peer::new(stage.node.sip);
    talk.b.contact = format!("<sip:agent-8@{}>", moved.own);
    stage.pbx.send(&talk.b.invite().sdp(sdp_again(stage.desk.own, 2, "sendrecv")));
    let ok = stage.pbx.expect((200, "INVITE"));
    stage.pbx.send(&talk.b.ack(&ok));
    stage.caller.send(&talk.a.request("BYE"));
    let bye = moved.expect("BYE");
    assert_eq!(bye.uri(), format!("sip:agent-8@{}", moved.own));
    moved.send(&talk.b.reply(&bye, 200));
}

#[test]
fn r_04_the_last_hop_is_refused_and_every_other_counts_one() {
    let mut stage = Stage::start();
    let mut a = stage.caller.calls(CALLER, NEVER);
    stage.caller.send(&a.invite().set("Max-Forwards", "0").sdp(sdp(stage.ear.own)));
    let refused = stage.caller.expect(483);
    stage.caller.send(&a.ack(&refused));
    stage.pbx.hears_no(50, "INVITE");
    let mut a = stage.caller.calls(CALLER, NEVER);
    stage.caller.send(&a.invite().set("Max-Forwards", "17").sdp(sdp(stage.ear.own)));
    assert_eq!(stage.pbx.expect("INVITE").header("Max-Forwards"), "16");
}

#[test]
fn r_06_the_reply_goes_to_the_source_with_rport_and_to_the_written_port_without() {
    let mut stage = Stage::start();
    let mut other = Peer::new(stage.node.sip);
    let options = |leg: &mut Leg, via: String| leg.request("OPTIONS").set("Via", via);
    let mut leg = stage.caller.calls(CALLER, NEVER);
    let port = other.own.port();
    // Behind a NAT: a name that nobody knows, and another port.
    let via = format!("SIP/2.0/UDP phone.invalid:{port};branch=z9hG4bKr1;rport");
    stage.caller.send(&options(&mut leg, via));
    let back = stage.caller.expect((200, "OPTIONS"));
    let (own, via) = (stage.caller.own, back.header("Via"));
    assert!(via.contains(&format!("rport={}", own.port())), "{via}");
    assert!(via.contains("received=127.0.0.1"), "{via}");
    other.hears_no(50, 200);
    // Without rport: to the address it came from, at the port of Via (RFC 3261 §18.2.2).
    let via = format!("SIP/2.0/UDP phone.invalid:{port};branch=z9hG4bKr2");
    stage.caller.send(&options(&mut leg, via));
    let back = other.expect((200, "OPTIONS"));
    assert!(back.header("Via").contains("received=127.0.0.1"), "{}", back.header("Via"));
    stage.caller.hears_no(50, 200);
}

#[test]
fn r_18_options_tells_what_we_do_and_is_refused_once_we_are_leaving() {
    let mut stage = Stage::start();
    let mut talk = stage.talk();
    let mut asks = stage.caller.calls(CALLER, NEVER);
    stage.caller.send(&asks.request("OPTIONS"));
    let able = stage.caller.expect((200, "OPTIONS"));
    let allow = able.headers("Allow").join(",");
    for method in ["INVITE", "ACK", "CANCEL", "BYE", "OPTIONS"] {
        assert!(allow.contains(method), "{allow}");
    }
    assert!(able.header("Accept").contains("application/sdp"));
    assert!(able.get("Supported").is_some());
    stage.node.terminate();
    // Whoever asks from now on is told to go elsewhere, while the last call ends.
    let left = std::time::Instant::now();
    loop {
        stage.caller.send(&asks.request("OPTIONS"));
        let cseq = asks.cseq;
        let is = move |seen: &Seen| seen.cseq() == (cseq, "OPTIONS");
        match stage.caller.expect(What::that("an answer to OPTIONS", is)).status() {
            Some(503) => break,
            status => assert_eq!(status, Some(200)),
        }
        assert!(left.elapsed().as_secs() < 2, "a node that leaves says that it takes calls");
    }
    let mut late = stage.caller.calls(CALLER, NEVER);
    stage.caller.send(&late.invite().sdp(sdp(stage.ear.own)));
    let refused = stage.caller.expect((503, "INVITE"));
    stage.caller.send(&late.ack(&refused));
    stage.caller.send(&talk.a.request("BYE"));
}
