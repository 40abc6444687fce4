//! Rows B, C and D: changes of the session, teardown, digits.

use std::time::Duration;

use sip::{Body, Event, Why};

use crate::peer::{Peer, SDP, text};

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
fn b_07_an_offer_that_waits_gives_its_place_to_the_next_and_keeps_its_time() {
    let offer = |text: &str| Body::sdp(text.into());
    let mut peer = Peer::new();
    let (leg, _) = peer.up("b07", "");
    peer.endpoint.reinvite(peer.now, leg, offer("v=0 one")).unwrap();
    let flying = peer.endpoint.reinvite(peer.now, leg, offer("v=0 two"));
    assert_eq!(flying, Err(sip::CommandError::WrongState));
    let first = peer.take().remove(0);
    peer.tell(&peer.answer_to(&first, 491));
    assert_eq!(peer.methods(), ["ACK"]);
    let due = peer.endpoint.poll_timeout().unwrap();
    peer.endpoint.reinvite(peer.now, leg, offer("v=0 two")).unwrap();
    assert_eq!((peer.take().len(), peer.endpoint.poll_timeout()), (0, Some(due)));
    peer.wait(Duration::from_secs(2));
    let again = peer.take().remove(0);
    assert_eq!(again.body(), b"v=0 two");
    peer.tell(&peer.answer_to(&again, 488));
    assert!(matches!(peer.event(), Some(Event::ReinviteRefused { status: 488, .. })));
}

#[test]
fn b_07_a_refresh_that_waits_says_what_is_in_force_by_then() {
    let mut peer = Peer::new();
    let (leg, answer) = peer.up("b07", "Supported: timer\r\nAllow: INVITE\r\n");
    peer.wait(Duration::from_secs(900));
    let refresh = peer.take().remove(0);
    assert_eq!(refresh.body(), SDP.as_bytes());
    peer.tell(&peer.answer_to(&refresh, 491));
    peer.take();
    let sdp = "Content-Type: application/sdp\r\n";
    peer.tell(&peer.inside("INVITE", "b07", 2, &answer, sdp, "v=0 theirs"));
    let body = Body::sdp(b"v=0 later".to_vec());
    peer.endpoint.answer_reinvite(peer.now, leg, 200, &[], Some(&body)).unwrap();
    peer.tell(&peer.inside("ACK", "b07", 2, &answer, "", ""));
    peer.take();
    peer.wait(Duration::from_secs(4));
    assert_eq!(peer.take().remove(0).body(), b"v=0 later");
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
        ("SUBSCRIBE", "", "", 405),
        ("MESSAGE", "", "", 405),
        ("UPDATE", "", "", 200),
        ("DANCE", "", "", 501),
    ];
    for (number, (method, headers, body, status)) in (2..).zip(expected) {
        peer.tell(&peer.inside(method, "b25", number, &answer, headers, body));
        let response = peer.take().remove(0);
        assert_eq!(response.status(), Some(status), "{method}");
        assert_eq!(
            response.first("Allow").is_some(),
            [200, 405, 501].contains(&status) && method != "INFO",
            "{method}"
        );
    }
    assert!(matches!(peer.event(), Some(Event::Info { .. })), "the digit, and it alone");
    assert!(peer.event().is_none());
}

#[test]
fn d_16_info_outside_a_call_gets_481() {
    let mut peer = Peer::new();
    peer.tell(&peer.request("INFO", "d16", 1, "", ""));
    assert_eq!(peer.statuses(), [481]);
}
