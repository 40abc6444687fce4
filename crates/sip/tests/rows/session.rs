//! Session timers (RFC 4028): row B-11 on either side of a call.

use std::time::Duration;

use sip::{Abilities, Body, Event, Invite, LegId, Message, SessionTimer, Why};

use crate::peer::{Peer, SDP, text};

const TIMER: &str = "Supported: timer\r\n";

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A call of the peer's that is answered; its 200.
fn answered(peer: &mut Peer, call: &str, headers: &str) -> (LegId, Message) {
    let (leg, answer) = peer.up(call, headers);
    assert!(peer.take().is_empty());
    (leg, answer)
}

/// A call of ours that is answered with these headers.
fn called(peer: &mut Peer, headers: &str) -> (LegId, Message) {
    let abilities = Abilities { session: Some(SessionTimer::default()), ..Abilities::default() };
    let invite = Invite { abilities, ..peer.invitation() };
    let leg = peer.endpoint.invite(peer.now, &invite).unwrap();
    let invite = peer.take().remove(0);
    assert_eq!(invite.first("Session-Expires"), Some(&b"1800"[..]));
    assert_eq!(invite.first("Min-SE"), Some(&b"90"[..]));
    assert!(invite.lists("Supported", "timer") && invite.first("Require").is_none());
    peer.tell(&peer.answer_as(&invite, 200, "x").replace("Contact", &format!("{headers}Contact")));
    assert!(matches!(peer.event(), Some(Event::Answered { .. })));
    assert_eq!(peer.methods(), ["ACK"]);
    (leg, invite)
}

#[test]
fn b_11_a_peer_without_timer_gets_no_surprise() {
    let mut peer = Peer::new();
    let (_, answer) = answered(&mut peer, "b11", "");
    assert!(answer.first("Session-Expires").is_none() && answer.first("Require").is_none());
    peer.wait(seconds(7200));
    assert!(peer.take().is_empty() && peer.event().is_none());
    called(&mut peer, "");
    peer.wait(seconds(7200));
    assert!(peer.take().is_empty() && peer.event().is_none());
}

#[test]
fn b_11_who_asks_for_a_timer_refreshes_or_is_hung_up_on() {
    let mut peer = Peer::new();
    let (_, answer) = answered(&mut peer, "b11", &format!("{TIMER}Session-Expires: 300\r\n"));
    assert_eq!(answer.first("Session-Expires"), Some(&b"300;refresher=uac"[..]));
    assert_eq!(answer.first("Require"), Some(&b"timer"[..]));
    peer.wait(seconds(200));
    // It is refreshed without a description: nobody hears of it (row B-12).
    let refresh = format!("{TIMER}Session-Expires: 300;refresher=uac\r\n");
    peer.tell(&peer.inside("UPDATE", "b11", 2, &answer, &refresh, ""));
    let refreshed = peer.take().remove(0);
    assert_eq!(refreshed.first("Session-Expires"), Some(&b"300;refresher=uac"[..]));
    peer.wait(seconds(200));
    assert!(peer.take().is_empty() && peer.event().is_none());
    // With the same description: neither.
    let again = format!("{refresh}Content-Type: application/sdp\r\n");
    peer.tell(&peer.inside("INVITE", "b11", 3, &answer, &again, SDP));
    peer.tell(&peer.inside("ACK", "b11", 3, &answer, "", ""));
    assert_eq!(peer.statuses(), [100, 200]);
    peer.wait(seconds(267));
    assert!(peer.take().is_empty() && peer.event().is_none());
    peer.wait(seconds(1));
    assert_eq!(peer.methods(), ["BYE"], "32 s before the end");
    assert!(matches!(peer.event(), Some(Event::Ended { why: Why::Stale, .. })));
}

#[test]
fn b_11_we_refresh_by_update_where_it_is_taken() {
    let mut peer = Peer::new();
    let headers = format!("{TIMER}Allow: UPDATE\r\n");
    let (_, answer) = answered(&mut peer, "b11", &headers);
    assert_eq!(answer.first("Session-Expires"), Some(&b"1800;refresher=uas"[..]));
    assert!(answer.first("Require").is_none());
    for _ in 0..3 {
        peer.wait(seconds(900));
        let update = peer.take().remove(0);
        assert_eq!(update.method().unwrap().name(), b"UPDATE");
        assert_eq!(update.first("Session-Expires"), Some(&b"1800;refresher=uac"[..]));
        assert!(update.body().is_empty() && update.lists("Supported", "timer"));
        let ok = peer.answer_to(&update, 200);
        let ok = ok.replace("CSeq", "Session-Expires: 1800;refresher=uac\r\nCSeq");
        peer.tell(&ok);
    }
    assert!(peer.event().is_none());
    // The next one is refused as unknown here: from then on it is a re-INVITE.
    peer.wait(seconds(900));
    let update = peer.take().remove(0);
    peer.tell(&peer.answer_to(&update, 405));
    let again = peer.take().remove(0);
    assert_eq!((again.method().unwrap().name(), again.body()), (&b"INVITE"[..], SDP.as_bytes()));
}

#[test]
fn b_11_we_refresh_by_a_re_invite_that_changes_nothing() {
    let mut peer = Peer::new();
    let (leg, _) = called(&mut peer, "Session-Expires: 1800;refresher=uac\r\n");
    peer.wait(seconds(900));
    let again = peer.take().remove(0);
    assert_eq!((again.method().unwrap().name(), again.body()), (&b"INVITE"[..], SDP.as_bytes()));
    // What is asked for meanwhile waits for it.
    peer.endpoint.reinvite(peer.now, leg, Body::sdp(b"v=0 held".to_vec())).unwrap();
    assert!(peer.take().is_empty());
    let body = "Content-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0 x";
    let ok = peer.answer_to(&again, 200).replace("Content-Length: 0\r\n\r\n", body);
    peer.tell(&ok.replace("CSeq", "Session-Expires: 1800;refresher=uac\r\nCSeq"));
    assert!(peer.event().is_none(), "nothing has changed");
    let sent = peer.take();
    assert_eq!(sent[0].method().unwrap().name(), b"ACK");
    assert_eq!(sent[1].body(), b"v=0 held");
}

#[test]
fn b_11_a_refresh_that_nobody_answers_ends_the_call() {
    let mut peer = Peer::new();
    called(&mut peer, "Session-Expires: 90;refresher=uac\r\nAllow: UPDATE\r\n");
    peer.wait(seconds(45));
    assert_eq!(peer.methods(), ["UPDATE"]);
    peer.wait(seconds(32));
    assert!(peer.methods().contains(&"BYE".to_owned()));
    peer.wait(seconds(33));
    assert!(matches!(peer.event(), Some(Event::Ended { .. })));
    assert!(peer.event().is_none());
    peer.wait(seconds(60));
    assert!(peer.endpoint.is_idle());
}

#[test]
fn b_11_an_interval_that_is_too_short_gets_422_and_ours() {
    let mut peer = Peer::new();
    peer.tell(&peer.invite("b11", &format!("{TIMER}Session-Expires: 60\r\n")));
    let refused = peer.take().remove(0);
    assert_eq!((refused.status(), refused.first("Min-SE")), (Some(422), Some(&b"90"[..])));
    assert!(peer.event().is_none());
    // A leg with a timer of its own.
    let leg = peer.ring(&peer.invite("b11b", &format!("{TIMER}Session-Expires: 120\r\n")));
    let own = SessionTimer { expires_s: 1800, min_s: 600 };
    peer.endpoint.set_session_timer(peer.now, leg, Some(own)).unwrap();
    let refused = peer.take().remove(0);
    assert_eq!((refused.status(), refused.first("Min-SE")), (Some(422), Some(&b"600"[..])));
    assert!(matches!(peer.event(), Some(Event::Ended { why: Why::Refused, .. })));
    // Inside a call the call goes on.
    let (_, answer) = answered(&mut peer, "b11c", &format!("{TIMER}Session-Expires: 300\r\n"));
    let short = format!("{TIMER}Session-Expires: 30\r\n");
    peer.tell(&peer.inside("UPDATE", "b11c", 2, &answer, &short, ""));
    assert_eq!(peer.statuses(), [422]);
    assert_eq!(peer.endpoint.live_legs(), 1);
}

#[test]
fn b_11_an_invite_of_ours_is_made_again_with_the_interval_that_they_want() {
    let mut peer = Peer::new();
    let abilities = Abilities { session: Some(SessionTimer::default()), ..Abilities::default() };
    let invite = Invite { abilities, ..peer.invitation() };
    let leg = peer.endpoint.invite(peer.now, &invite).unwrap();
    let first = peer.take().remove(0);
    peer.tell(&peer.answer_as(&first, 422, "x").replace("Contact", "Min-SE: 3600\r\nContact"));
    let sent = peer.take();
    assert_eq!(sent[0].method().unwrap().name(), b"ACK");
    let again = &sent[1];
    assert_eq!(again.first("Session-Expires"), Some(&b"3600"[..]));
    assert_eq!(again.first("Min-SE"), Some(&b"3600"[..]));
    assert_eq!(
        (again.first("Call-ID"), again.first("To")),
        (first.first("Call-ID"), first.first("To"))
    );
    let number = |invite: &Message| -> u32 {
        text(invite.first("CSeq")).trim_end_matches(" INVITE").parse().unwrap()
    };
    assert_eq!(number(again), number(&first) + 1);
    assert!(peer.event().is_none());
    // The same demand again leads nowhere.
    let again = again.clone();
    peer.tell(&peer.answer_as(&again, 422, "x").replace("Contact", "Min-SE: 3600\r\nContact"));
    assert!(matches!(peer.event(), Some(Event::Rejected { leg: l, status: 422, .. }) if l == leg));
}

#[test]
fn b_11_a_leg_without_a_timer_promises_none() {
    let mut peer = Peer::new();
    let (_, invite) = peer.originate();
    assert!(invite.first("Session-Expires").is_none() && !invite.lists("Supported", "timer"));
    let leg = peer.ring(&peer.invite("b11", &format!("{TIMER}Session-Expires: 300\r\n")));
    peer.endpoint.set_session_timer(peer.now, leg, None).unwrap();
    let answer = peer.respond(leg, 200, Some(SDP));
    assert!(answer.first("Session-Expires").is_none() && !answer.lists("Supported", "timer"));
}

#[test]
fn b_11_what_a_proxy_asks_for_is_ours_to_refresh() {
    let mut peer = Peer::new();
    let (_, answer) = answered(&mut peer, "b11", "Session-Expires: 300;refresher=uac\r\n");
    assert_eq!(answer.first("Session-Expires"), Some(&b"300;refresher=uas"[..]));
    assert!(answer.first("Require").is_none());
    peer.wait(seconds(150));
    assert_eq!(peer.methods(), ["INVITE"]);
}
