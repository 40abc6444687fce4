//! Rows O and S: operation and abuse.

use std::time::Duration;

use sip::Header;

use crate::peer::Peer;

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
