//! Rows T: REFER, NOTIFY and Replaces, and what else is asked inside a call.

use std::time::Duration;

use sip::{Body, CommandError, Event, Method, Progress, Refer, Replaces, Why};

use crate::peer::{Peer, SDP, text};

const REFER_TO: &str = "Refer-To: <sip:102@192.0.2.9>\r\nReferred-By: <sip:101@192.0.2.9>\r\n";

fn asked(peer: &mut Peer) -> (sip::LegId, sip::AskId, std::sync::Arc<sip::Request>) {
    match peer.event() {
        Some(Event::Asked { leg, ask, request }) => (leg, ask, request),
        other => panic!("{other:?}"),
    }
}

#[test]
fn t_02_a_refer_is_answered_by_the_shell_and_its_course_is_told() {
    let mut peer = Peer::new();
    let (leg, answer) = peer.up("t02", "");
    peer.tell(&peer.inside("REFER", "t02", 7, &answer, REFER_TO, ""));
    assert!(peer.take().is_empty(), "nobody answers for the shell");
    let (at, ask, request) = asked(&mut peer);
    assert_eq!(at, leg);
    assert_eq!(Refer::read(request.message()).unwrap().target.to_wire(), "sip:102@192.0.2.9");
    peer.endpoint.answer_asked(peer.now, (leg, ask), 202, &[], None).unwrap();
    let accepted = peer.take().remove(0);
    assert_eq!(accepted.status(), Some(202));
    assert!(text(accepted.first("Contact")).contains("192.0.2.1"));
    let again = peer.endpoint.answer_asked(peer.now, (leg, ask), 200, &[], None);
    assert_eq!(again, Err(CommandError::WrongState), "a request is answered once");

    for (status, line, state) in [
        (100, "SIP/2.0 100 Trying\r\n", "active"),
        (486, "SIP/2.0 486 Busy Here\r\n", "terminated"),
    ] {
        let told = peer.endpoint.notify(peer.now, leg, request.cseq(), status).unwrap();
        let notify = peer.take().remove(0);
        assert_eq!(notify.method(), Some(&Method::NOTIFY));
        assert_eq!(text(notify.first("Event")), "refer;id=7");
        assert!(text(notify.first("Subscription-State")).starts_with(state));
        assert!(text(notify.first("Content-Type")).starts_with("message/sipfrag"));
        assert!(notify.first("Contact").is_some());
        assert_eq!(notify.body(), line.as_bytes());
        peer.tell(&peer.answer_to(&notify, 200));
        let heard = peer.event();
        assert!(matches!(heard, Some(Event::Told { ask, status: 200, .. }) if ask == told));
    }
}

#[test]
fn t_02_a_referrer_that_knows_of_no_subscription_keeps_its_call() {
    let mut peer = Peer::new();
    let (leg, _) = peer.up("t02", "");
    peer.endpoint.notify(peer.now, leg, 7, 100).unwrap();
    let notify = peer.take().remove(0);
    peer.tell(&peer.answer_to(&notify, 481));
    assert!(matches!(peer.event(), Some(Event::Told { status: 481, .. })));
    assert!(peer.event().is_none() && peer.take().is_empty());
    // What is no notification may end the call: its peer knows nothing of it.
    peer.endpoint.send(peer.now, leg, Method::INFO, &[], None).unwrap();
    let info = peer.take().remove(0);
    peer.tell(&peer.answer_to(&info, 481));
    assert!(matches!(peer.event(), Some(Event::Told { status: 481, .. })));
    assert_eq!(peer.methods(), ["BYE"]);
}

#[test]
fn b_25_what_the_shell_never_answers_is_let_go_with_the_call() {
    let mut peer = Peer::new();
    let (leg, answer) = peer.up("b25", "");
    for cseq in 2..10 {
        peer.tell(&peer.inside("REFER", "b25", cseq, &answer, "", ""));
    }
    assert!(peer.take().is_empty());
    peer.tell(&peer.inside("REFER", "b25", 10, &answer, "", ""));
    assert_eq!(peer.statuses(), [500], "a peer may not pile up questions");
    while peer.event().is_some() {}
    peer.endpoint.bye(peer.now, leg, &[]).unwrap();
    let sent = peer.take();
    assert_eq!(sent.iter().filter(|sent| sent.status() == Some(487)).count(), 8);
    peer.wait(Duration::from_secs(70));
    assert!(matches!(peer.event(), Some(Event::Ended { why: Why::HungUp, .. })));
    assert!(peer.endpoint.is_idle());
}

#[test]
fn b_14_a_question_before_the_call_is_up_gets_491_and_a_late_one_481() {
    let mut peer = Peer::new();
    let leg = peer.ring(&peer.invite("b14", ""));
    let ringing = peer.last.clone().expect("ringing");
    peer.tell(&peer.inside("REFER", "b14", 2, &ringing, REFER_TO, ""));
    assert_eq!(peer.statuses(), [491]);
    let asked = peer.endpoint.send(peer.now, leg, Method::INFO, &[], None);
    assert_eq!(asked, Err(CommandError::WrongState));
    peer.endpoint.respond(peer.now, leg, 486, &[], None).unwrap();
    peer.take();
    peer.tell(&peer.inside("REFER", "b14", 3, &ringing, REFER_TO, ""));
    assert_eq!(peer.statuses(), [481]);
}

#[test]
fn t_06_a_notify_is_the_shells_after_a_refer_of_ours_and_before_it_nobodys() {
    let mut peer = Peer::new();
    let (leg, answer) = peer.up("t06", "");
    let state = "Event: refer\r\nSubscription-State: active;expires=60\r\nContent-Type: message/sipfrag\r\n";
    peer.tell(&peer.inside("NOTIFY", "t06", 2, &answer, state, "SIP/2.0 100 Trying\r\n"));
    assert_eq!(peer.statuses(), [481]);
    let target = sip::Uri::parse(b"sip:+31209876543@192.0.2.9").unwrap();
    let replaces = Replaces::parse(b"a@b;to-tag=1;from-tag=2").unwrap();
    let header = sip::refer_to(&target, Some(&replaces)).unwrap();
    peer.endpoint.send(peer.now, leg, Method::REFER, &[header], None).unwrap();
    let refer = peer.take().remove(0);
    assert_eq!(
        text(refer.first("Refer-To")),
        "<sip:+31209876543@192.0.2.9?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>"
    );
    assert_eq!(Refer::read(&refer).unwrap().replaces, Some(replaces));
    assert!(refer.first("Contact").is_some(), "RFC 3515 §2.2");
    for (cseq, state, body, progress) in [
        (3, "active;expires=60", "SIP/2.0 180 Ringing\r\n", Progress::Under(180)),
        (4, "active", "", Progress::Under(100)),
        (5, "active", "SIP/2.0 200 OK\r\n", Progress::Done(200)),
        (6, "terminated;reason=timeout", "SIP/2.0 100 Trying\r\n", Progress::Unknown),
        (7, "terminated", "SIP/2.0 999 What\r\n", Progress::Unknown),
    ] {
        let headers = format!("Event: refer\r\nSubscription-State: {state}\r\n");
        peer.tell(&peer.inside("NOTIFY", "t06", cseq, &answer, &headers, body));
        let (_, ask, request) = asked(&mut peer);
        assert_eq!(Progress::read(request.message()), progress, "{body}");
        peer.endpoint.answer_asked(peer.now, (leg, ask), 200, &[], None).unwrap();
        assert_eq!(peer.statuses(), [200]);
    }
    let lasts = |state: &str| {
        let notify = format!("NOTIFY sip:a SIP/2.0\r\nSubscription-State: {state}\r\n\r\n");
        Progress::lasts(&sip::parse(notify.as_bytes()).unwrap()).map(|lasts| lasts.as_secs())
    };
    assert_eq!(lasts("active; Expires = 60;x=y"), Some(60));
    assert_eq!([lasts("active"), lasts("active;expires=soon"), lasts("")], [None; 3]);
    assert_eq!(peer.endpoint.remote_target(leg).unwrap().to_wire(), "sip:caller@192.0.2.9:5070");
    let own = peer.endpoint.own_party(leg).unwrap();
    assert_eq!(own.uri.to_wire(), "sip:+31201234567@192.0.2.1");
}

#[test]
fn t_10_a_refer_outside_a_call_is_refused() {
    let mut peer = Peer::new();
    peer.tell(&peer.request("REFER", "t10", 1, REFER_TO, ""));
    assert_eq!(peer.statuses(), [405]);
    assert!(peer.event().is_none());
}

#[test]
fn t_04_a_dialog_of_ours_is_found_by_its_replaces_and_no_other() {
    let mut peer = Peer::new();
    let (leg, answer) = peer.up("t04", "");
    let to = text(answer.first("To"));
    let tag = to.rsplit_once("tag=").expect("a tag").1;
    let named = |call: &str, to: &str, from: &str, early: &str| {
        Replaces::parse(format!("{call};to-tag={to};from-tag={from}{early}").as_bytes()).unwrap()
    };
    assert_eq!(peer.endpoint.replaced(&named("t04", tag, "caller", "")), Some(leg));
    for other in [
        named("t05", tag, "caller", ""),
        named("t04", "caller", tag, ""),
        named("t04", tag, "other", ""),
        named("t04", tag, "caller", ";early-only"),
    ] {
        assert_eq!(peer.endpoint.replaced(&other), None, "{other:?}");
    }
    // The peer would be told its own view of it.
    let told = peer.endpoint.replaces(leg).unwrap();
    assert_eq!((&told.to_tag[..], &told.from_tag[..]), (&b"caller"[..], tag.as_bytes()));

    let (ours, invite) = peer.originate();
    assert_eq!(peer.endpoint.replaces(ours), None, "nobody has answered yet");
    // It rings in two places, and each may be named before one of them answers.
    let from = text(invite.first("From"));
    let own = from.rsplit_once("tag=").expect("a tag").1;
    let call = text(invite.first("Call-ID"));
    for place in ["one", "two"] {
        peer.tell(&peer.answer_as(&invite, 180, place));
        for early in ["", ";early-only"] {
            let named = named(&call, own, place, early);
            assert_eq!(peer.endpoint.replaced(&named), Some(ours), "{place}{early}");
        }
    }
    assert_eq!(peer.endpoint.replaced(&named(&call, own, "three", "")), None);
    assert_eq!(peer.endpoint.replaced(&named("other", own, "one", "")), None);
    peer.tell(&peer.answer_as(&invite, 200, "theirs"));
    let told = peer.endpoint.replaces(ours).unwrap();
    assert_eq!(told.to_tag, b"theirs");
    let mirrored = Replaces { to_tag: told.from_tag, from_tag: told.to_tag, ..told };
    assert_eq!(peer.endpoint.replaced(&mirrored), Some(ours));
    let body = Body::sdp(SDP.into());
    assert!(peer.endpoint.reinvite(peer.now, ours, body).is_ok());
}
