//! What signalling owes to security: rows S, and where replies go.

use std::net::{SocketAddr, UdpSocket};

use support::{
    peer::{post::What, seen::Seen},
    scene::{ENGLISH, NEVER},
    stage::{CALLER, Stage, sdp},
};

#[test]
fn s_14_a_faulty_description_is_refused_and_never_answered_wrongly() {
    let mut stage = Stage::start();
    let good = sdp(stage.ear.own);
    let m = format!("m=audio {} RTP/AVP 8 101", stage.ear.own.port());
    let faulty = [
        ("no c=", good.replace("c=IN IP4 127.0.0.1\r\n", "")),
        ("no v=", good.replace("v=0\r\n", "")),
        ("no formats", good.replace(&m, &format!("m=audio {} RTP/AVP", stage.ear.own.port()))),
        ("no port", good.replace(&m, "m=audio RTP/AVP 8")),
        ("a port too large", good.replace(&m, "m=audio 70000 RTP/AVP 8 101")),
        ("no m=", good.split("m=").next().unwrap_or_default().to_owned()),
        ("a name for an address", good.replace("c=IN IP4 127.0.0.1", "c=IN IP4 nowhere.invalid")),
        ("noise", "\u{0}\u{1}\u{2}=\r\n=\r\n".repeat(20)),
        (
            "no codec of ours",
            good.replace("AVP 8 101", "AVP 97").replace("8 PCMA", "97 opus/48000"),
        ),
        ("SRTP that is not spoken", good.replace("RTP/AVP", "RTP/SAVPX")),
    ];
    for (fault, body) in faulty {
        assert_ne!(body, good, "{fault} changes nothing");
        let mut a = stage.caller.calls(CALLER, ENGLISH);
        stage.caller.send(&a.invite().sdp(&body));
        let id = a.call_id.clone();
        let is = move |seen: &Seen| seen.status() >= Some(200) && seen.header("Call-ID") == id;
        let refused = stage.caller.expect(What::that("a final response", is));
        assert!(matches!(refused.status(), Some(400 | 488)), "{fault}: {}", refused.text);
        stage.caller.send(&a.ack(&refused));
    }
    // And it is well: the next call is answered.
    let (mut a, _) = stage.asked();
    stage.caller.send(&a.request("BYE"));
    stage.caller.expect((200, "BYE"));
}

#[test]
fn r_07_maddr_and_ttl_are_read_and_never_followed() {
    let mut stage = Stage::start();
    // Somebody else's address, at the same port.
    let port = stage.caller.own.port();
    let trap = UdpSocket::bind(SocketAddr::from(([127, 0, 0, 9], port))).expect("a free port");
    trap.set_nonblocking(true).expect("a socket");
    let mut asks = stage.caller.calls(CALLER, NEVER);
    let via = format!("SIP/2.0/UDP {};maddr=127.0.0.9;ttl=1;branch=z9hG4bKr7", stage.caller.own);
    stage.caller.send(&asks.request("OPTIONS").set("Via", via));
    let able = stage.caller.expect((200, "OPTIONS"));
    assert!(able.header("Via").contains("maddr=127.0.0.9"), "{}", able.text);
    let (mut a, mut b, invite) = stage.rings();
    a.contact = format!("<sip:phone@{};maddr=127.0.0.9;ttl=1>", stage.caller.own);
    b.contact = format!("<sip:pbx@{};maddr=127.0.0.9>", stage.pbx.own);
    let mut talk = stage.answers(a, b, invite);
    stage.caller.send(&talk.a.request("BYE"));
    stage.pbx.expect("BYE");
    let mut buffer = [0; 2_048];
    assert!(trap.recv_from(&mut buffer).is_err(), "a message was led away");
}
