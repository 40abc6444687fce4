//! Rows B-22 to B-24 against one endpoint, message by message: challenged, and challenging.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says why")]

#[allow(dead_code, reason = "each test program uses some of it")]
mod peer;

use std::sync::Arc;
use std::time::Duration;

use peer::{Peer, SDP, text};
use sip::{Admission, Algorithm, Body, Credentials, Demand, Event, LegId, Message, Secret, Why};

fn credentials(realm: Option<&str>) -> Arc<Credentials> {
    Arc::new(Credentials {
        user: "box".to_owned(),
        secret: Secret::new("swordfish"),
        realm: realm.map(str::to_owned),
        weakest: Algorithm::Md5,
    })
}

/// A refusal of a request of the endpoint's with these headers.
fn refuse(peer: &mut Peer, request: &Message, status: u16, headers: &str) {
    let answer = peer.answer_to(request, status);
    let to = format!("To: {}", text(request.first("To")));
    let tagged = if to.contains(";tag=") { to.clone() } else { format!("{to};tag=refused") };
    peer.tell(
        &answer
            .replace(&to, &tagged)
            .replace("Content-Length", &format!("{headers}Content-Length")),
    );
}

fn challenge(name: &str, realm: &str, nonce: &str, more: &str) -> String {
    format!("{name}: Digest realm=\"{realm}\", nonce=\"{nonce}\", qop=\"auth\"{more}\r\n")
}

fn originate(peer: &mut Peer, realm: Option<&str>) -> (LegId, Message) {
    let (leg, invite) = peer.originate();
    peer.endpoint.equip(leg, credentials(realm)).unwrap();
    (leg, invite)
}

/// The ACK of the refusal and the request that follows it.
fn ack_and_retry(peer: &mut Peer) -> (Message, Message) {
    let mut sent = peer.take();
    assert_eq!(sent.len(), 2, "{sent:?}");
    (sent.remove(0), sent.remove(0))
}

fn number(message: &Message) -> u32 {
    text(message.first("CSeq")).split(' ').next().unwrap().parse().unwrap()
}

#[test]
fn b_22_a_challenged_invite_goes_out_again_with_the_next_number_and_the_same_call_id() {
    let mut peer = Peer::new();
    let (leg, invite) = originate(&mut peer, None);
    let asked = challenge("WWW-Authenticate", "trunk", "n1", ", opaque=\"o\"");
    refuse(&mut peer, &invite, 401, &asked);
    let (ack, again) = ack_and_retry(&mut peer);
    assert_eq!(text(ack.first("CSeq")), format!("{} ACK", number(&invite)));
    assert_eq!(ack.first("Via"), invite.first("Via"));
    assert_eq!(number(&again), number(&invite) + 1);
    for kept in ["Call-ID", "From", "To", "Contact", "Max-Forwards", "Content-Type"] {
        assert_eq!(again.first(kept), invite.first(kept), "{kept}");
    }
    assert_ne!(again.first("Via"), invite.first("Via"), "a branch of its own");
    assert_eq!(again.body(), invite.body());
    let answer = text(again.first("Authorization"));
    assert!(answer.contains("username=\"box\"") && answer.contains("opaque=\"o\""), "{answer}");
    assert!(answer.contains("uri=\"sip:100@192.0.2.9:5070\""), "{answer}");
    assert!(!String::from_utf8_lossy(again.raw()).contains("swordfish"));
    assert!(peer.event().is_none(), "the challenge is nobody else's business");
    peer.tell(&peer.answer_as(&again, 200, "far"));
    assert!(matches!(peer.event(), Some(Event::Answered { leg: up, .. }) if up == leg));
    let ack = peer.take().remove(0);
    assert_eq!(number(&ack), number(&again));
    assert_eq!(ack.first("Authorization"), again.first("Authorization"), "RFC 3261 §22.1");
    // What follows in the dialog proves itself unasked, with the next count.
    peer.endpoint.bye(peer.now, leg, &[]).unwrap();
    let bye = peer.take().remove(0);
    let answer = text(bye.first("Authorization"));
    assert!(answer.contains("nonce=\"n1\"") && answer.ends_with("nc=00000002"), "{answer}");
    peer.tell(&peer.answer_to(&bye, 200));
    assert!(matches!(peer.event(), Some(Event::Ended { why: Why::HungUp, .. })));
    peer.wait(Duration::from_secs(70));
    assert!(peer.endpoint.is_idle());
}

#[test]
fn b_22_a_proxy_and_the_end_may_both_ask_and_a_third_time_is_too_often() {
    let mut peer = Peer::new();
    let (_, invite) = originate(&mut peer, None);
    refuse(&mut peer, &invite, 407, &challenge("Proxy-Authenticate", "proxy", "p", ""));
    let (_, again) = ack_and_retry(&mut peer);
    assert!(again.first("Proxy-Authorization").is_some());
    refuse(&mut peer, &again, 401, &challenge("WWW-Authenticate", "end", "e", ""));
    let (_, third) = ack_and_retry(&mut peer);
    assert!(text(third.first("Proxy-Authorization")).ends_with("nc=00000002"));
    assert!(text(third.first("Authorization")).ends_with("nc=00000001"));
    assert_eq!(number(&third), number(&invite) + 2);
    let stale = challenge("WWW-Authenticate", "end", "f", ", stale=true");
    refuse(&mut peer, &third, 401, &stale);
    assert_eq!(peer.methods(), ["ACK"]);
    assert!(matches!(peer.event(), Some(Event::Rejected { status: 401, .. })));
    peer.wait(Duration::from_secs(70));
    assert!(peer.endpoint.is_idle());
}

#[test]
fn b_22_a_challenge_without_credentials_is_a_rejection() {
    let mut peer = Peer::new();
    let (_, invite) = peer.originate();
    refuse(&mut peer, &invite, 407, &challenge("Proxy-Authenticate", "proxy", "p", ""));
    assert_eq!(peer.methods(), ["ACK"]);
    assert!(matches!(peer.event(), Some(Event::Rejected { status: 407, .. })));
}

#[test]
fn b_22_a_challenge_to_an_invite_that_is_cancelled_is_not_answered() {
    let mut peer = Peer::new();
    let (leg, invite) = originate(&mut peer, None);
    peer.endpoint.cancel(peer.now, leg, &[]).unwrap();
    refuse(&mut peer, &invite, 401, &challenge("WWW-Authenticate", "trunk", "n", ""));
    assert_eq!(peer.methods(), ["ACK"]);
    assert!(matches!(peer.event(), Some(Event::Ended { why: Why::Cancelled { .. }, .. })));
}

#[test]
fn b_22_a_cancel_of_the_second_invite_waits_for_its_own_first_response() {
    let mut peer = Peer::new();
    let (leg, invite) = originate(&mut peer, None);
    peer.tell(&peer.answer_to(&invite, 100));
    refuse(&mut peer, &invite, 401, &challenge("WWW-Authenticate", "trunk", "n", ""));
    let (_, again) = ack_and_retry(&mut peer);
    peer.endpoint.cancel(peer.now, leg, &[]).unwrap();
    assert_eq!(peer.methods(), [""; 0]);
    peer.tell(&peer.answer_to(&again, 100));
    let cancel = peer.take().remove(0);
    assert_eq!(text(cancel.first("CSeq")), format!("{} CANCEL", number(&again)));
    assert_eq!(cancel.first("Via"), again.first("Via"));
    assert!(cancel.first("Authorization").is_none());
}

#[test]
fn b_22_a_challenge_that_comes_again_is_acknowledged_again_and_answered_once() {
    let mut peer = Peer::new();
    let (_, invite) = originate(&mut peer, None);
    let asked = challenge("WWW-Authenticate", "trunk", "n", "");
    refuse(&mut peer, &invite, 401, &asked);
    drop(ack_and_retry(&mut peer));
    refuse(&mut peer, &invite, 401, &asked);
    assert_eq!(peer.methods(), ["ACK"]);
    assert!(peer.event().is_none());
}

/// A call of ours that is up, its leg without a proof yet.
fn up(peer: &mut Peer, realm: Option<&str>) -> LegId {
    let (leg, invite) = originate(peer, realm);
    peer.tell(&peer.answer_as(&invite, 200, "far"));
    assert!(matches!(peer.event(), Some(Event::Answered { .. })));
    peer.take();
    leg
}

#[test]
fn b_22_a_challenged_bye_and_reinvite_are_answered_too() {
    let mut peer = Peer::new();
    let leg = up(&mut peer, None);
    peer.endpoint.reinvite(peer.now, leg, Body::sdp(b"v=0 hold".to_vec())).unwrap();
    let reinvite = peer.take().remove(0);
    refuse(&mut peer, &reinvite, 401, &challenge("WWW-Authenticate", "trunk", "n", ""));
    let (_, again) = ack_and_retry(&mut peer);
    assert_eq!((number(&again), again.body()), (number(&reinvite) + 1, &b"v=0 hold"[..]));
    peer.tell(&peer.answer_as(&again, 200, "far"));
    assert!(matches!(peer.event(), Some(Event::Reanswered { .. })));
    peer.take();
    peer.endpoint.bye(peer.now, leg, &[]).unwrap();
    let bye = peer.take().remove(0);
    refuse(&mut peer, &bye, 401, &challenge("WWW-Authenticate", "trunk", "m", ", stale=true"));
    let again = peer.take().remove(0);
    assert_eq!(number(&again), number(&bye) + 1);
    assert!(text(again.first("Authorization")).contains("nonce=\"m\""));
    peer.tell(&peer.answer_to(&again, 200));
    assert!(matches!(peer.event(), Some(Event::Ended { why: Why::HungUp, .. })));
    peer.wait(Duration::from_secs(70));
    assert!(peer.endpoint.is_idle());
}

#[test]
fn b_24_a_challenge_in_the_dialog_with_another_realm_gets_no_proof() {
    let mut peer = Peer::new();
    let leg = up(&mut peer, Some("trunk"));
    peer.endpoint.bye(peer.now, leg, &[]).unwrap();
    let bye = peer.take().remove(0);
    assert!(bye.first("Authorization").is_none());
    refuse(&mut peer, &bye, 407, &challenge("Proxy-Authenticate", "attacker", "n", ""));
    assert_eq!(peer.methods(), [""; 0], "not a word, and the call is over all the same");
    assert!(matches!(peer.event(), Some(Event::Ended { why: Why::HungUp, .. })));
}

#[test]
fn b_24_a_caller_that_hangs_on_and_challenges_our_bye_gets_no_proof() {
    let mut peer = Peer::new();
    let (leg, _) = peer.up("leak", "");
    peer.endpoint.bye(peer.now, leg, &[]).unwrap();
    let bye = peer.take().remove(0);
    refuse(&mut peer, &bye, 401, &challenge("WWW-Authenticate", "trunk", "n", ""));
    assert_eq!(peer.methods(), [""; 0]);
    assert!(matches!(peer.event(), Some(Event::Ended { why: Why::HungUp, .. })));
}

fn demand() -> Demand {
    Demand { realm: "box".to_owned(), md5: true }
}

/// Puts the demand to a new call; the passwords are the ones the box knows.
fn admit(peer: &mut Peer) -> (LegId, Admission) {
    let secret = Secret::new("swordfish");
    let Some(Event::IncomingInvite { leg, .. }) = peer.event() else { panic!("no call") };
    let lookup = |user: &str| (user == "box").then_some(&secret);
    let admission = peer.endpoint.admit(peer.now, leg, &demand(), lookup).unwrap();
    (leg, admission)
}

#[test]
fn b_23_a_caller_is_challenged_with_the_strongest_first_and_let_in_with_the_right_proof() {
    let mut peer = Peer::new();
    peer.tell(&peer.invite("b23", ""));
    let (leg, admission) = admit(&mut peer);
    assert_eq!(admission, Admission::Challenged);
    let refused = peer.take().remove(1);
    assert_eq!(refused.status(), Some(401));
    let asked: Vec<String> = refused.all("WWW-Authenticate").map(|line| text(Some(line))).collect();
    assert_eq!(asked.len(), 2);
    assert!(asked[0].contains("algorithm=SHA-256") && asked[1].contains("algorithm=MD5"));
    assert!(
        matches!(peer.event(), Some(Event::Ended { leg: over, why: Why::Refused }) if over == leg)
    );
    // The ACK of the refusal is asked nothing; an endpoint of ours plays the caller that answers.
    let ack = peer.inside("ACK", "b23", 1, &refused, "", "");
    peer.tell(&ack.replace("branch=z9hG4bKb23-ACK-1", "branch=z9hG4bKb23"));
    assert!(peer.take().is_empty() && peer.event().is_none());
    let mut caller = Peer::new();
    let (_, invite) = originate(&mut caller, None);
    let lines: String = asked.iter().map(|line| format!("WWW-Authenticate: {line}\r\n")).collect();
    refuse(&mut caller, &invite, 401, &lines);
    let (_, again) = ack_and_retry(&mut caller);
    let proven = String::from_utf8_lossy(again.raw()).into_owned();
    peer.tell(&proven);
    let (leg, admission) = admit(&mut peer);
    assert_eq!(admission, Admission::Known("box".to_owned()));
    peer.endpoint.respond(peer.now, leg, 200, &[], Some(&Body::sdp(SDP.into()))).unwrap();
    assert_eq!(peer.statuses(), [100, 200]);
}

#[test]
fn b_23_a_proof_that_is_played_again_is_stale() {
    let mut peer = Peer::new();
    peer.tell(&peer.invite("b23", ""));
    assert_eq!(admit(&mut peer).1, Admission::Challenged);
    let refused = peer.take().remove(1);
    let mut caller = Peer::new();
    let (_, invite) = originate(&mut caller, None);
    let asked = format!("WWW-Authenticate: {}\r\n", text(refused.first("WWW-Authenticate")));
    refuse(&mut caller, &invite, 401, &asked);
    let (_, again) = ack_and_retry(&mut caller);
    let proven = String::from_utf8_lossy(again.raw()).into_owned();
    drop(peer.event());
    peer.tell(&proven);
    assert!(matches!(admit(&mut peer).1, Admission::Known(_)));
    let call_id = text(again.first("Call-ID"));
    peer.take();
    peer.tell(&proven.replace(&call_id, "replayed").replace("branch=z9hG4bK", "branch=z9hG4bKr"));
    assert_eq!(admit(&mut peer).1, Admission::Challenged);
    let answer = peer.take().remove(1);
    assert!(text(answer.first("WWW-Authenticate")).contains("stale=true"), "{answer:?}");
}
