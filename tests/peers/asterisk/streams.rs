//! Signalling between the node and Asterisk over connections: TCP, and TLS on which each shows who it is.

use support::{exchange::Plan, node::Change};

use super::{
    Office, Pbx, Transport,
    hold::passes_on,
    plain::{SPEAKS, spoken},
};

/// Says that every message between the two went this way.
pub fn all_by(office: &Office, way: &str) {
    let log = office.asterisk.log();
    for line in [format!(" from {way}:127.0.0.1:"), format!(" to {way}:127.0.0.1:")] {
        assert!(log.contains(&line), "nothing went{line}");
    }
    assert!(!log.contains(" UDP:127.0.0.1:"), "a datagram went");
}

#[test]
fn s_08_a_recorded_call_over_tcp_is_heard_on_both_sides() {
    all_by(&spoken(Transport::Tcp, "", &Change::default()), "TCP");
}

#[test]
fn s_07_a_recorded_call_under_mutual_tls_is_heard_on_both_sides() {
    all_by(&spoken(Transport::Tls("pbx.example"), "", &Change::default()), "TLS");
}

#[test]
fn s_07_b_01_a_hold_that_asterisk_passes_on_under_tls_pauses_the_recording_and_speech_comes_back() {
    all_by(&passes_on(Transport::Tls("pbx.example"), "", &Change::default()), "TLS");
}

#[test]
fn s_07_an_asterisk_whose_certificate_is_for_another_name_is_not_called() {
    let transport = Transport::Tls("evil.example");
    let pbx = Pbx { dialplan: SPEAKS, transport, ..Pbx::default() };
    let mut office = Office::open(&Change::default(), pbx);
    office.call(Plan::new("+31612345610", "+31201110000"));
    office.over(1, 20);
    let caller = office.callers.of("+31612345610");
    assert_eq!(caller.answer("INVITE").map(|(_, code)| code), Some(503));
    let log = office.node.log();
    assert!(log.contains("is not for the peer's `tls_names`"), "{log}");
    assert!(!office.asterisk.log().contains("INVITE sip:"), "it was called all the same");
}
