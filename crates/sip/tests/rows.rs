//! Rows of the acceptance matrix against one endpoint, message by message.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says why")]

mod peer;

use std::time::Duration;

use peer::{Peer, SDP, text};
use sip::{Body, Event, Header, Pong, Why};

#[test]
fn a_01_trying_is_sent_before_anything_is_decided() {
    let mut peer = Peer::new();
    peer.tell(&peer.invite("a01", ""));
    let sent = peer.take();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].status(), Some(100));
    assert!(!text(sent[0].first("To")).contains("tag="), "a 100 opens no dialog");
    assert!(matches!(peer.event(), Some(Event::IncomingInvite { offer: Some(_), .. })));
}

#[test]
fn a_05_an_invite_that_comes_again_gets_the_last_response_again_and_starts_nothing() {
    let mut peer = Peer::new();
    let invite = peer.invite("a05", "");
    let leg = peer.ring(&invite);
    peer.tell(&invite);
    assert_eq!(peer.statuses(), [180]);
    peer.endpoint.respond(peer.now, leg, 200, &[], Some(&Body::sdp(SDP.into()))).unwrap();
    assert_eq!(peer.statuses(), [200]);
    peer.tell(&invite);
    assert_eq!(peer.statuses(), [0_u16; 0], "the 2xx has a clock of its own");
    assert!(peer.event().is_none());
}

#[test]
fn a_02_r_01_the_answer_carries_record_routes_and_one_tag_from_first_to_last() {
    let mut peer = Peer::new();
    let routes = "Record-Route: <sip:p2.example;lr>,<sip:192.0.2.50:5061;lr>\r\nRecord-Route: <sip:p0;lr>\r\n";
    let leg = peer.ring(&peer.invite("r01", routes));
    let ringing = peer.last.clone().unwrap();
    peer.endpoint.respond(peer.now, leg, 200, &[], Some(&Body::sdp(SDP.into()))).unwrap();
    let answer = peer.take().remove(0);
    for response in [&ringing, &answer] {
        let routes: Vec<_> = response.all("Record-Route").map(|value| text(Some(value))).collect();
        assert_eq!(routes, ["<sip:p2.example;lr>,<sip:192.0.2.50:5061;lr>", "<sip:p0;lr>"]);
        assert_eq!(response.first("Contact"), Some(&b"<sip:192.0.2.1:5060>"[..]));
    }
    assert_eq!(ringing.first("To"), answer.first("To"));
    peer.tell(&peer.inside("ACK", "r01", 1, &answer, "", ""));
    assert!(matches!(peer.event(), Some(Event::Acked { answer: None, .. })));
    // Our own request takes the same way back, in the same order; the first hop is a name, so it goes
    // where the call came from.
    peer.endpoint.bye(peer.now, leg, &[Header::new("Reason", "SIP;cause=486").unwrap()]).unwrap();
    let bye = peer.take().remove(0);
    let routes: Vec<_> = bye.all("Route").map(|value| text(Some(value))).collect();
    assert_eq!(routes, ["<sip:p2.example;lr>", "<sip:192.0.2.50:5061;lr>", "<sip:p0;lr>"]);
    assert_eq!(bye.request_uri(), b"sip:caller@192.0.2.9:5070");
    assert_eq!(bye.first("Reason"), Some(&b"SIP;cause=486"[..]));
}

#[test]
fn r_02_a_strict_router_takes_the_place_of_the_target() {
    let mut peer = Peer::new();
    let (leg, _) = peer.up("r02", "Record-Route: <sip:192.0.2.60>\r\n");
    peer.endpoint.bye(peer.now, leg, &[]).unwrap();
    let bye = peer.take().remove(0);
    assert_eq!(bye.request_uri(), b"sip:192.0.2.60");
    assert_eq!(bye.first("Route"), Some(&b"<sip:caller@192.0.2.9:5070>"[..]));
    assert_eq!(peer.destination, "192.0.2.60:5060".parse().ok());
}

#[test]
fn a_03_a_late_offer_is_answered_in_the_ack() {
    let mut peer = Peer::new();
    let leg = peer.ring(&peer.request("INVITE", "a03", 1, "", ""));
    peer.endpoint.respond(peer.now, leg, 200, &[], Some(&Body::sdp(b"v=0 ours".to_vec()))).unwrap();
    let answer = peer.take().remove(0);
    assert_eq!(answer.body(), b"v=0 ours");
    peer.tell(&peer.inside(
        "ACK",
        "a03",
        1,
        &answer,
        "Content-Type: application/sdp\r\n",
        "v=0 theirs",
    ));
    match peer.event() {
        Some(Event::Acked { answer: Some(sdp), .. }) => assert_eq!(&sdp[..], b"v=0 theirs"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_03_a_late_offer_that_is_never_answered_ends_the_call() {
    let mut peer = Peer::new();
    let leg = peer.ring(&peer.request("INVITE", "a03", 1, "", ""));
    peer.endpoint.respond(peer.now, leg, 200, &[], Some(&Body::sdp(b"v=0 ours".to_vec()))).unwrap();
    let answer = peer.take().remove(0);
    peer.tell(&peer.inside("ACK", "a03", 1, &answer, "", ""));
    let bye = peer.take().remove(0);
    assert_eq!(bye.method().unwrap().name(), b"BYE");
    peer.tell(&peer.answer_to(&bye, 200));
    assert!(matches!(peer.event(), Some(Event::Ended { why: Why::NoAnswer, .. })));
}

#[test]
fn a_18_what_must_be_understood_and_is_not_is_named() {
    let mut peer = Peer::new();
    peer.tell(&peer.invite("a18", "Require: 100rel, x-one\r\nRequire: x-two\r\n"));
    let refused = peer.take().remove(0);
    assert_eq!(refused.status(), Some(420));
    assert_eq!(refused.first("Unsupported"), Some(&b"100rel, x-one, x-two"[..]));
    assert!(peer.event().is_none());
}

#[test]
fn a_23_a_body_that_is_no_session_is_refused_with_what_we_read() {
    let mut peer = Peer::new();
    peer.tell(&peer.request("INVITE", "a23", 1, "Content-Type: text/plain\r\n", "hello"));
    let refused = peer.take().remove(0);
    assert_eq!(refused.status(), Some(415));
    assert_eq!(refused.first("Accept"), Some(&b"application/sdp, multipart/mixed"[..]));
    let multipart = "--b\r\nContent-Type: application/sdp\r\n\r\nv=0 part\r\n--b--\r\n";
    peer.tell(&peer.request(
        "INVITE",
        "a23b",
        1,
        "Content-Type: multipart/mixed;boundary=b\r\n",
        multipart,
    ));
    match peer.event() {
        Some(Event::IncomingInvite { offer: Some(sdp), .. }) => assert_eq!(&sdp[..], b"v=0 part"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn t_08_our_requests_take_the_record_route_of_the_answer_from_its_end() {
    let mut peer = Peer::new();
    let (leg, invite) = peer.originate();
    let routes = "Record-Route: <sip:far;lr>, <sip:192.0.2.71:5071;lr>\r\nRecord-Route: <sip:192.0.2.70;lr>\r\nCSeq";
    peer.tell(&peer.answer_as(&invite, 200, "x").replace("CSeq", routes));
    let ack = peer.take().remove(0);
    assert_eq!(peer.destination, "192.0.2.70:5060".parse().ok());
    peer.endpoint.bye(peer.now, leg, &[]).unwrap();
    for request in [ack, peer.take().remove(0)] {
        let routes: Vec<_> = request.all("Route").map(|value| text(Some(value))).collect();
        assert_eq!(routes, ["<sip:192.0.2.70;lr>", "<sip:192.0.2.71:5071;lr>", "<sip:far;lr>"]);
        assert_eq!(request.request_uri(), b"sip:x@192.0.2.9:5070");
    }
}

#[test]
fn every_via_comes_back_in_its_order() {
    let mut peer = Peer::new();
    let more = "Via: SIP/2.0/UDP 192.0.2.66;branch=z9hG4bKb, SIP/2.0/TCP c.example;branch=z9hG4bKc\r\nVia: SIP/2.0/UDP d\r\n";
    peer.tell(&peer.request("OPTIONS", "vias", 1, more, ""));
    let response = peer.take().remove(0);
    let vias: Vec<_> = response.all("Via").map(|value| text(Some(value))).collect();
    assert_eq!(
        vias,
        [
            "SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bKvias",
            "SIP/2.0/UDP 192.0.2.66;branch=z9hG4bKb",
            "SIP/2.0/TCP c.example;branch=z9hG4bKc",
            "SIP/2.0/UDP d",
        ]
    );
}

#[test]
fn an_ack_of_something_else_confirms_nothing() {
    let mut peer = Peer::new();
    let leg = peer.ring(&peer.invite("other", ""));
    peer.endpoint.respond(peer.now, leg, 200, &[], Some(&Body::sdp(SDP.into()))).unwrap();
    let answer = peer.take().remove(0);
    peer.tell(&peer.inside("ACK", "other", 2, &answer, "", ""));
    assert!(peer.event().is_none());
    peer.wait(Duration::from_millis(600));
    assert_eq!(peer.statuses(), [200], "it is still waited for");
}

#[test]
fn b_14_a_hang_up_ends_the_wait_for_the_ack_of_an_offer() {
    let mut peer = Peer::new();
    let (leg, answer) = peer.up("b14", "");
    peer.tell(&peer.inside(
        "INVITE",
        "b14",
        2,
        &answer,
        "Content-Type: application/sdp\r\n",
        "v=0 x",
    ));
    peer.endpoint.answer_reinvite(peer.now, leg, 200, &[], Some(&Body::sdp(SDP.into()))).unwrap();
    peer.wait(Duration::from_secs(10));
    peer.take();
    peer.endpoint.bye(peer.now, leg, &[]).unwrap();
    peer.wait(Duration::from_secs(60));
    let sent = peer.take();
    let first = sent[0].raw().to_vec();
    assert!(
        sent.iter().all(|sent| sent.raw() == first),
        "one BYE and its repetitions, nothing else"
    );
    peer.event();
    assert!(matches!(peer.event(), Some(Event::Ended { why: Why::HungUp, .. })));
    assert!(peer.endpoint.is_idle());
}

#[test]
fn b_14_an_answer_to_an_offer_after_the_hang_up_is_acknowledged_and_no_more() {
    let mut peer = Peer::new();
    let (leg, _) = peer.up("b14", "");
    peer.endpoint.reinvite(peer.now, leg, Body::sdp(SDP.into())).unwrap();
    let offer = peer.take().remove(0);
    peer.endpoint.bye(peer.now, leg, &[]).unwrap();
    assert_eq!(peer.methods(), ["BYE"]);
    peer.tell(&peer.answer_to(&offer, 200));
    assert_eq!(peer.methods(), ["ACK"]);
    assert!(peer.event().is_none());
}

#[test]
fn b_08_an_offer_before_the_ack_of_the_last_answer_gets_491() {
    let mut peer = Peer::new();
    let leg = peer.ring(&peer.invite("b08", ""));
    peer.endpoint.respond(peer.now, leg, 200, &[], Some(&Body::sdp(SDP.into()))).unwrap();
    let answer = peer.take().remove(0);
    peer.tell(&peer.inside(
        "INVITE",
        "b08",
        2,
        &answer,
        "Content-Type: application/sdp\r\n",
        "v=0 x",
    ));
    assert_eq!(peer.statuses(), [491]);
    assert!(peer.event().is_none());
}

#[test]
fn b_14_an_offer_that_is_forsaken_is_not_waited_for_for_ever() {
    let mut peer = Peer::new();
    let (leg, answer) = peer.up("b14", "");
    peer.endpoint.reinvite(peer.now, leg, Body::sdp(SDP.into())).unwrap();
    let offer = peer.take().remove(0);
    peer.tell(&peer.answer_to(&offer, 100));
    peer.tell(&peer.inside("BYE", "b14", 2, &answer, "", ""));
    assert_eq!(peer.statuses(), [200]);
    peer.wait(Duration::from_secs(70));
    assert!(peer.endpoint.is_idle());
}

#[test]
fn b_10_a_request_out_of_order_gets_500() {
    let mut peer = Peer::new();
    let (_, answer) = peer.up("b10", "");
    peer.tell(&peer.inside("INFO", "b10", 5, &answer, "", ""));
    assert_eq!(peer.statuses(), [200]);
    peer.tell(&peer.inside("OPTIONS", "b10", 4, &answer, "", ""));
    assert_eq!(peer.statuses(), [500]);
    peer.tell(&peer.inside("OPTIONS", "b10", 5, &answer, "", ""));
    assert_eq!(peer.statuses(), [500], "a number is used once");
}

#[test]
fn b_08_a_second_offer_before_the_first_is_answered_gets_500_and_a_time() {
    let mut peer = Peer::new();
    let (leg, answer) = peer.up("b08", "");
    let sdp = "Content-Type: application/sdp\r\n";
    peer.tell(&peer.inside("INVITE", "b08", 2, &answer, sdp, "v=0 one"));
    assert_eq!(peer.statuses(), [100]);
    assert!(matches!(peer.event(), Some(Event::Reinvite { offer: Some(_), .. })));
    peer.tell(&peer.inside("INVITE", "b08", 3, &answer, sdp, "v=0 two"));
    let refused = peer.take().remove(0);
    assert_eq!(refused.status(), Some(500));
    let after: u32 = text(refused.first("Retry-After")).parse().unwrap();
    assert!(after <= 10);
    peer.endpoint.answer_reinvite(peer.now, leg, 488, &[], None).unwrap();
    assert_eq!(peer.statuses(), [488]);
    assert_eq!(peer.endpoint.legs(), 1, "row B-09: the call goes on");
}

#[test]
fn b_03_a_late_offer_inside_the_call_is_answered_in_the_ack() {
    let mut peer = Peer::new();
    let (leg, answer) = peer.up("b03", "");
    peer.tell(&peer.inside("INVITE", "b03", 2, &answer, "", ""));
    assert!(matches!(peer.event(), Some(Event::Reinvite { offer: None, .. })));
    peer.endpoint
        .answer_reinvite(peer.now, leg, 200, &[], Some(&Body::sdp(b"v=0 all".to_vec())))
        .unwrap();
    assert_eq!(peer.statuses(), [100, 200]);
    peer.tell(&peer.inside(
        "ACK",
        "b03",
        2,
        &answer,
        "Content-Type: application/sdp\r\n",
        "v=0 one",
    ));
    assert!(matches!(peer.event(), Some(Event::Acked { answer: Some(_), .. })));
}

#[test]
fn b_16_a_bye_before_the_answer_ends_the_invite_with_487() {
    let mut peer = Peer::new();
    peer.ring(&peer.invite("b16", ""));
    let ringing = peer.last.clone().unwrap();
    peer.tell(&peer.inside("BYE", "b16", 2, &ringing, "", ""));
    assert_eq!(peer.statuses(), [200, 487]);
    assert!(matches!(peer.event(), Some(Event::Bye { .. })));
}

#[test]
fn b_15_a_cancel_is_answered_and_ends_the_invite_or_finds_nothing() {
    let mut peer = Peer::new();
    let invite = peer.invite("b15", "");
    peer.ring(&invite);
    peer.tell(&invite.replace("INVITE", "CANCEL"));
    let sent = peer.take();
    assert_eq!(sent.iter().filter_map(sip::Message::status).collect::<Vec<_>>(), [200, 487]);
    assert_eq!(sent[0].first("To"), sent[1].first("To"), "RFC 3261 §9.2: the same tag");
    assert!(matches!(peer.event(), Some(Event::Cancelled { .. })));
    peer.tell(&peer.request("CANCEL", "nobody", 1, "", ""));
    assert_eq!(peer.statuses(), [481]);
}

#[test]
fn a_14_a_second_fork_that_answers_is_acknowledged_and_hung_up_on() {
    let mut peer = Peer::new();
    let (_, invite) = peer.originate();
    peer.tell(&peer.answer_as(&invite, 200, "one"));
    assert!(matches!(peer.event(), Some(Event::Answered { .. })));
    assert_eq!(peer.methods(), ["ACK"]);
    peer.tell(&peer.answer_as(&invite, 200, "two"));
    let sent = peer.take();
    let names: Vec<_> =
        sent.iter().map(|sent| text(sent.method().map(|method| method.name()))).collect();
    assert_eq!(names, ["ACK", "BYE"]);
    assert!(sent.iter().all(|sent| text(sent.first("To")).ends_with("tag=two")));
    assert!(peer.event().is_none(), "the call goes on with the first");
}

#[test]
fn a_15_the_tag_of_the_answer_counts_not_that_of_the_ringing() {
    let mut peer = Peer::new();
    let (leg, invite) = peer.originate();
    peer.tell(&peer.answer_as(&invite, 180, "early"));
    assert!(matches!(peer.event(), Some(Event::Provisional { status: 180, .. })));
    peer.tell(&peer.answer_as(&invite, 200, "final"));
    let ack = peer.take().remove(0);
    assert!(text(ack.first("To")).ends_with("tag=final"));
    peer.endpoint.bye(peer.now, leg, &[]).unwrap();
    assert!(text(peer.take()[0].first("To")).ends_with("tag=final"));
}

#[test]
fn a_17_early_media_of_the_same_dialog_stands_for_an_empty_answer() {
    let mut peer = Peer::new();
    let (_, invite) = peer.originate();
    peer.tell(&peer.answer_as(&invite, 183, "x"));
    peer.event();
    let bare = peer.answer_as(&invite, 200, "x").split("Content-Type").next().unwrap().to_owned();
    peer.tell(&format!("{bare}Content-Length: 0\r\n\r\n"));
    match peer.event() {
        Some(Event::Answered { sdp, .. }) => assert_eq!(&sdp[..], b"v=0 x"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_17_an_answer_without_any_session_is_acknowledged_and_hung_up_on() {
    let mut peer = Peer::new();
    let (_, invite) = peer.originate();
    peer.tell(&peer.answer_as(&invite, 183, "other"));
    peer.event();
    let bare = peer.answer_as(&invite, 200, "x").split("Content-Type").next().unwrap().to_owned();
    peer.tell(&format!("{bare}Content-Length: 0\r\n\r\n"));
    assert_eq!(peer.methods(), ["ACK", "BYE"]);
}

#[test]
fn b_17_an_answer_that_comes_again_is_acknowledged_again() {
    let mut peer = Peer::new();
    let (_, invite) = peer.originate();
    let answer = peer.answer_as(&invite, 200, "one");
    peer.tell(&answer);
    let first = peer.take().remove(0);
    peer.tell(&answer);
    assert_eq!(peer.take()[0].raw(), first.raw());
}

#[test]
fn c_10_cancel_waits_for_a_provisional_response() {
    let mut peer = Peer::new();
    let (leg, invite) = peer.originate();
    peer.endpoint.cancel(peer.now, leg, &[]).unwrap();
    assert_eq!(peer.methods(), [""; 0]);
    peer.tell(&peer.answer_as(&invite, 180, "x"));
    let cancel = peer.take().remove(0);
    assert_eq!(cancel.method().unwrap().name(), b"CANCEL");
    for name in ["Via", "From", "To", "Call-ID"] {
        assert_eq!(cancel.first(name), invite.first(name), "{name}");
    }
    assert_eq!(cancel.request_uri(), invite.request_uri());
    peer.tell(&peer.answer_as(&invite, 487, "x"));
    assert_eq!(peer.methods(), ["ACK"]);
    assert!(matches!(
        peer.event(),
        Some(Event::Ended { why: Why::Cancelled { answered: false }, .. })
    ));
}

#[test]
fn b_18_a_rejection_is_handed_over_whole_and_acknowledged() {
    let mut peer = Peer::new();
    let (_, invite) = peer.originate();
    peer.tell(&peer.answer_as(&invite, 486, "x").replace("CSeq", "Reason: Q.850;cause=17\r\nCSeq"));
    assert_eq!(peer.methods(), ["ACK"]);
    match peer.event() {
        Some(Event::Rejected { status: 486, response, .. }) => {
            assert_eq!(response.first("Reason"), Some(&b"Q.850;cause=17"[..]));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn b_09_a_refused_offer_leaves_the_call_and_a_lost_dialog_ends_it() {
    for (status, ends) in [(488, false), (481, true), (408, true)] {
        let mut peer = Peer::new();
        let (leg, _) = peer.up("b09", "");
        peer.endpoint.reinvite(peer.now, leg, Body::sdp(SDP.into())).unwrap();
        let offer = peer.take().remove(0);
        peer.tell(&peer.answer_to(&offer, status));
        if ends {
            assert_eq!(peer.methods(), ["ACK", "BYE"]);
        } else {
            assert_eq!(peer.methods(), ["ACK"]);
            assert!(matches!(peer.event(), Some(Event::ReinviteRefused { status: 488, .. })));
        }
    }
}

#[test]
fn o_04_b_25_strangers_in_a_dialog_get_481() {
    let mut peer = Peer::new();
    let (_, answer) = peer.up("b25", "");
    for method in ["BYE", "INVITE", "INFO", "OPTIONS", "UPDATE"] {
        let stranger = peer.inside(method, "other", 9, &answer, "", "");
        peer.tell(&stranger);
        assert_eq!(peer.statuses(), [481], "{method}");
    }
    let stranger = peer.inside("BYE", "b25", 9, &answer, "", "").replace("tag=caller", "tag=thief");
    peer.tell(&stranger);
    assert_eq!(peer.statuses(), [481]);
    assert_eq!(peer.endpoint.legs(), 1);
}

#[test]
fn b_25_methods_inside_a_call_get_the_right_code() {
    let mut peer = Peer::new();
    let (_, answer) = peer.up("b25", "");
    let expected = [
        ("OPTIONS", "", "", 200),
        ("INFO", "", "", 200),
        ("INFO", "Content-Type: application/dtmf-relay\r\n", "Signal= 1\r\n", 200),
        ("INFO", "Content-Type: text/plain\r\n", "hello", 415),
        ("NOTIFY", "", "", 481),
        ("PRACK", "", "", 481),
        ("REFER", "", "", 405),
        ("UPDATE", "", "", 405),
        ("DANCE", "", "", 501),
    ];
    for (number, (method, headers, body, status)) in (2..).zip(expected) {
        peer.tell(&peer.inside(method, "b25", number, &answer, headers, body));
        let response = peer.take().remove(0);
        assert_eq!(response.status(), Some(status), "{method}");
        assert_eq!(
            response.first("Allow").is_some(),
            [200, 405, 501].contains(&status) && method != "INFO"
        );
    }
    assert!(matches!(peer.event(), Some(Event::Info { .. })), "the digit, and it alone");
    assert!(peer.event().is_none());
}

#[test]
fn r_18_options_says_what_we_do_and_when_we_are_leaving() {
    let mut peer = Peer::new();
    peer.tell(&peer.request("OPTIONS", "r18", 1, "", ""));
    let alive = peer.take().remove(0);
    assert_eq!(alive.status(), Some(200));
    assert_eq!(alive.first("Allow"), Some(&b"INVITE, ACK, CANCEL, BYE, OPTIONS, INFO"[..]));
    assert_eq!(alive.first("Accept"), Some(&b"application/sdp, multipart/mixed"[..]));
    assert_eq!(alive.first("Supported"), Some(&b""[..]));
    peer.endpoint.set_draining(true);
    peer.tell(&peer.request("OPTIONS", "r18b", 1, "", ""));
    assert_eq!(peer.statuses(), [503]);
}

#[test]
fn r_17_a_peer_that_answers_lives_and_one_that_does_not_is_reported() {
    let mut peer = Peer::new();
    let target = sip::Uri::parse(b"sip:192.0.2.9").unwrap();
    let ping = |peer: &mut Peer| {
        peer.endpoint.options(peer.now, sip::ListenerId(0), peer.address, &target).unwrap();
        peer.take().remove(0)
    };
    let options = ping(&mut peer);
    peer.tell(&peer.answer_to(&options, 404));
    assert!(matches!(peer.event(), Some(Event::Pong { pong: Pong::Status(404), .. })));
    ping(&mut peer);
    peer.wait(Duration::from_secs(33));
    assert!(matches!(peer.event(), Some(Event::Pong { pong: Pong::Timeout, .. })));
    ping(&mut peer);
    peer.endpoint.unreachable(peer.now, peer.remote());
    assert!(matches!(peer.event(), Some(Event::Pong { pong: Pong::Timeout, .. })));
}

#[test]
fn r_04_hops_are_counted_down_and_end() {
    let mut peer = Peer::new();
    peer.tell(&peer.invite("r04", "").replace("Max-Forwards: 70", "Max-Forwards: 0"));
    assert_eq!(peer.statuses(), [483]);
    peer.tell(&peer.invite("r04b", "").replace("Max-Forwards: 70", "Max-Forwards: 12"));
    assert!(matches!(peer.event(), Some(Event::IncomingInvite { max_forwards: 11, .. })));
}

#[test]
fn r_06_the_reply_goes_where_rport_says() {
    let mut peer = Peer::new();
    peer.tell(
        &peer
            .request("OPTIONS", "r06", 1, "", "")
            .replace("192.0.2.9:5070;", "10.0.0.1:5099;rport;"),
    );
    let via = text(peer.take()[0].first("Via"));
    assert!(via.contains("received=192.0.2.9") && via.contains("rport=5070"), "{via}");
    assert_eq!(peer.destination, Some(peer.address));
    peer.tell(
        &peer.request("OPTIONS", "r06b", 1, "", "").replace("192.0.2.9:5070;", "10.0.0.1:5099;"),
    );
    peer.take();
    assert_eq!(peer.destination, "192.0.2.9:5099".parse().ok());
}

#[test]
fn r_08_nothing_of_one_leg_shows_on_another() {
    let mut peer = Peer::new();
    peer.tell(&peer.invite("topology", "Record-Route: <sip:inner.example;lr>\r\n"));
    peer.take();
    let (_, invite) = peer.originate();
    let wire = String::from_utf8_lossy(invite.raw()).into_owned();
    for secret in ["topology", "inner.example", "caller", "z9hG4bKtopology"] {
        assert!(!wire.contains(secret), "{secret}");
    }
}

#[test]
fn r_20_what_we_are_not_for_is_refused_with_what_we_are() {
    let mut peer = Peer::new();
    let expected =
        [("REGISTER", 405), ("SUBSCRIBE", 405), ("MESSAGE", 405), ("REFER", 405), ("DANCE", 501)];
    for (method, status) in expected {
        peer.tell(&peer.request(method, method, 1, "", ""));
        let refused = peer.take().remove(0);
        assert_eq!(refused.status(), Some(status), "{method}");
        assert!(refused.first("Allow").is_some());
    }
}

#[test]
fn d_16_info_outside_a_call_gets_481() {
    let mut peer = Peer::new();
    peer.tell(&peer.request("INFO", "d16", 1, "", ""));
    assert_eq!(peer.statuses(), [481]);
}

#[test]
fn a_request_that_comes_over_two_ways_is_taken_once() {
    let mut peer = Peer::new();
    let invite = peer.invite("merged", "");
    peer.ring(&invite);
    peer.tell(&invite.replace("z9hG4bKmerged", "z9hG4bKother"));
    assert_eq!(peer.statuses(), [482]);
}

#[test]
fn o_01_beyond_the_limit_of_legs_calls_are_refused_for_a_while() {
    let mut peer = Peer::with_limits(1, 100);
    peer.ring(&peer.invite("one", ""));
    peer.tell(&peer.invite("two", ""));
    let refused = peer.take().remove(0);
    assert_eq!(refused.status(), Some(503));
    assert!(refused.first("Retry-After").is_some());
}

#[test]
fn s_15_beyond_the_limit_of_transactions_requests_are_refused_without_state() {
    let mut peer = Peer::with_limits(10, 3);
    for number in 0..5 {
        peer.tell(&peer.request("OPTIONS", &format!("s15-{number}"), 1, "", ""));
    }
    assert_eq!(peer.statuses(), [200, 200, 200, 503, 503]);
    assert_eq!(peer.endpoint.transactions(), 3);
    peer.wait(Duration::from_secs(33));
    assert_eq!(peer.endpoint.transactions(), 0);
}

#[test]
fn s_16_a_header_of_the_daemon_cannot_replace_one_of_the_dialog() {
    for name in ["Via", "v", "Contact", "m", "Call-ID", "Record-Route", "Content-Length", "l"] {
        assert!(Header::new(name, "x").is_err(), "{name}");
    }
}

#[test]
fn the_ringing_is_repeated_every_minute() {
    let mut peer = Peer::new();
    peer.ring(&peer.invite("refresh", ""));
    peer.wait(Duration::from_secs(61));
    assert_eq!(peer.statuses(), [180]);
    peer.wait(Duration::from_secs(60));
    assert_eq!(peer.statuses(), [180]);
}

#[test]
fn a_24_an_invite_that_expires_gets_487() {
    let mut peer = Peer::new();
    peer.ring(&peer.invite("a24", "Expires: 30\r\n"));
    peer.wait(Duration::from_secs(29));
    assert!(peer.event().is_none());
    peer.wait(Duration::from_millis(1100));
    assert_eq!(peer.statuses(), [487]);
    assert!(matches!(peer.event(), Some(Event::Ended { why: Why::Expired, .. })));
    let (_, _) = peer.up("a24b", "Expires: 30\r\n");
    peer.wait(Duration::from_secs(60));
    assert_eq!(peer.endpoint.live_legs(), 1, "an answered call does not expire");
}

#[test]
fn a_2xx_without_a_description_is_not_sent() {
    let mut peer = Peer::new();
    let leg = peer.ring(&peer.invite("empty", ""));
    let refused = peer.endpoint.respond(peer.now, leg, 200, &[], None);
    assert_eq!(refused, Err(sip::CommandError::NoDescription));
    assert!(peer.take().is_empty());
}

#[test]
fn commands_that_do_not_fit_are_refused_and_change_nothing() {
    use sip::CommandError::{Status, UnknownLeg, WrongState};
    let mut peer = Peer::new();
    let leg = peer.ring(&peer.invite("wrong", ""));
    let (now, sdp) = (peer.now, Body::sdp(SDP.into()));
    assert_eq!(peer.endpoint.bye(now, leg, &[]), Err(WrongState));
    assert_eq!(peer.endpoint.cancel(now, leg, &[]), Err(WrongState));
    assert_eq!(peer.endpoint.reinvite(now, leg, sdp.clone()), Err(WrongState));
    assert_eq!(peer.endpoint.answer_reinvite(now, leg, 488, &[], None), Err(WrongState));
    assert_eq!(peer.endpoint.respond(now, leg, 100, &[], None), Err(Status(100)));
    assert_eq!(peer.endpoint.respond(now, leg, 700, &[], None), Err(Status(700)));
    assert!(peer.take().is_empty());
    peer.endpoint.respond(now, leg, 486, &[], None).unwrap();
    assert_eq!(peer.endpoint.respond(now, leg, 200, &[], Some(&sdp)), Err(UnknownLeg));
    assert!(matches!(peer.event(), Some(Event::Ended { why: Why::Refused, .. })));
}

#[test]
fn a_hang_up_before_the_ack_waits_for_it() {
    let mut peer = Peer::new();
    let leg = peer.ring(&peer.invite("early", ""));
    peer.endpoint.respond(peer.now, leg, 200, &[], Some(&Body::sdp(SDP.into()))).unwrap();
    let answer = peer.take().remove(0);
    peer.endpoint.bye(peer.now, leg, &[]).unwrap();
    assert_eq!(peer.methods(), [""; 0], "RFC 3261 §15: no BYE before the ACK");
    peer.tell(&peer.inside("ACK", "early", 1, &answer, "", ""));
    let bye = peer.take().remove(0);
    assert_eq!(bye.method().unwrap().name(), b"BYE");
    peer.tell(&peer.answer_to(&bye, 200));
    assert!(matches!(peer.event(), Some(Event::Ended { why: Why::HungUp, .. })));
}

#[test]
fn r_03_an_offer_moves_the_target_of_later_requests() {
    let mut peer = Peer::new();
    let (leg, answer) = peer.up("r03", "");
    let moved = peer
        .inside("INVITE", "r03", 2, &answer, "Content-Type: application/sdp\r\n", "v=0 moved")
        .replace(
            "Contact: <sip:caller@192.0.2.9:5070>",
            "Contact: <sip:new@192.0.2.44:5090;transport=udp;x=y>",
        );
    peer.tell(&moved);
    peer.endpoint.answer_reinvite(peer.now, leg, 200, &[], Some(&Body::sdp(SDP.into()))).unwrap();
    peer.tell(&peer.inside("ACK", "r03", 2, &answer, "", ""));
    peer.take();
    peer.endpoint.bye(peer.now, leg, &[]).unwrap();
    assert_eq!(peer.take()[0].request_uri(), b"sip:new@192.0.2.44:5090;transport=udp;x=y");
    assert_eq!(peer.destination, "192.0.2.44:5090".parse().ok());
}

#[test]
fn no_number_name_or_address_shows_in_debug() {
    let mut peer = Peer::new();
    peer.tell(&peer.invite("secret-call-id", "P-Asserted-Identity: <tel:+31687654321>\r\n"));
    let (_, invite) = peer.originate();
    peer.tell(&peer.answer_as(&invite, 486, "x"));
    let remote = peer.remote();
    let mut shown = format!("{:?} {remote:?} {invite:?}", peer.endpoint);
    while let Some(event) = peer.event() {
        if let Event::IncomingInvite { request, .. } = &event {
            shown.push_str(&format!("{:?} {:?}", request.from(), request.to()));
        }
        shown.push_str(&format!("{event:?}"));
    }
    for secret in ["3120123", "31687654321", "caller", "192.0.2", "secret"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}
