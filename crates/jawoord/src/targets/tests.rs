//! Which addresses a call tries, in which order, and what brings them down and back.

use super::*;
use crate::config::{
    inside::Transfers,
    target::{Keys, Written},
};

fn reach(targets: &[Written], keepalive_s: u32) -> Arc<Reach> {
    let keys = Keys {
        targets,
        keepalive_s,
        down_after: 2,
        up_after: 1,
        silent_after_s: 8,
        no_answer_s: 0,
    };
    let mut problems = Vec::new();
    let reach = keys.judge("pbx", &mut problems);
    assert_eq!(problems, []);
    Arc::new(reach)
}

fn pbx(name: &str, targets: &[&str], keepalive_s: u32) -> Pbx {
    let written: Vec<Written> = targets.iter().map(|text| Written::short(text)).collect();
    Pbx {
        name: name.into(),
        networks: Vec::new(),
        tls_names: Vec::new(),
        manager: None,
        transfers: Transfers::Act,
        reach: reach(&written, keepalive_s),
    }
}

fn ports(targets: &Targets, emergency: bool, now: Instant) -> Vec<u16> {
    let candidates = targets.candidates(Kind::Pbx, emergency, now, |_| 0);
    candidates.iter().map(|candidate| candidate.address.port()).collect()
}

/// Lets every OPTIONS that is due be answered, but for those to these ports.
fn pinged(targets: &mut Targets, silent: &[u16], now: Instant) -> Vec<Change> {
    let pings = targets.due(now);
    let answered = |ping: &Ping| !silent.contains(&ping.address.port());
    pings.iter().filter_map(|ping| targets.pong(ping.number, answered(ping), now)).collect()
}

#[test]
fn r_17_a_call_goes_to_the_next_target_when_the_first_is_known_to_be_down() {
    let mut now = Instant::now();
    let pbxs = [pbx("a", &["127.0.0.1:1", "127.0.0.1:2"], 30), pbx("b", &["127.0.0.1:3"], 30)];
    let mut targets = Targets::new(&pbxs, &[], now);
    assert_eq!(ports(&targets, false, now), [1, 2, 3]);
    assert_eq!(pinged(&mut targets, &[1], now), []);
    assert_eq!(ports(&targets, false, now), [1, 2, 3]);
    now += Duration::from_secs(31);
    let down = Change { peer: "a".into(), place: 1, up: false };
    assert_eq!(pinged(&mut targets, &[1], now), [down]);
    assert_eq!(ports(&targets, false, now), [2, 3]);
    assert_eq!(ports(&targets, true, now), [2, 3, 1]);
    now += Duration::from_secs(31);
    let up = Change { peer: "a".into(), place: 1, up: true };
    assert_eq!(pinged(&mut targets, &[], now), [up]);
    assert_eq!(ports(&targets, false, now), [1, 2, 3]);
}

#[test]
fn r_17_an_options_that_is_lost_counts_as_missed_and_its_late_answer_as_nothing() {
    let mut now = Instant::now();
    let mut targets = Targets::new(&[pbx("a", &["127.0.0.1:1"], 30)], &[], now);
    let late = targets.due(now);
    now += Duration::from_secs(5);
    assert_eq!(targets.lapse(now), []);
    now += Duration::from_secs(1);
    let sent = targets.due(now);
    assert_eq!((late.len(), sent.len()), (1, 1));
    now += Duration::from_secs(5);
    assert_eq!(targets.lapse(now).len(), 1);
    assert_eq!(targets.pong(late[0].number, true, now), None);
    assert!(!targets.is_up(Kind::Pbx, false, now) && targets.is_up(Kind::Pbx, true, now));
    assert!(!targets.is_up(Kind::Trunk, true, now));
}

#[test]
fn e_06_when_all_are_down_every_one_is_tried() {
    let mut now = Instant::now();
    let pbxs = [pbx("a", &["127.0.0.1:1", "127.0.0.1:2"], 30)];
    let mut targets = Targets::new(&pbxs, &[], now);
    for _ in 0..2 {
        pinged(&mut targets, &[1, 2], now);
        now += Duration::from_secs(31);
    }
    assert!(!targets.is_up(Kind::Pbx, false, now));
    assert_eq!(ports(&targets, true, now), [1, 2]);
    // A call that was let in while one was up does not end because it is down now.
    assert_eq!(ports(&targets, false, now), [1, 2]);
}

#[test]
fn r_17_a_target_that_failed_a_call_stands_behind_the_others_for_a_while() {
    let now = Instant::now();
    let mut targets = Targets::new(&[pbx("a", &["127.0.0.1:1", "127.0.0.1:2"], 0)], &[], now);
    let first = targets.candidates(Kind::Pbx, false, now, |_| 0);
    targets.tried(&first[0], Trial::Failed(None), now);
    assert_eq!(ports(&targets, false, now), [2, 1]);
    assert_eq!(ports(&targets, false, now + Duration::from_secs(31)), [1, 2]);
    targets.tried(&first[0], Trial::Served, now);
    assert_eq!(ports(&targets, false, now), [1, 2]);
    assert_eq!(targets.wakes(), None);
}

#[test]
fn r_16_a_name_leads_to_what_dns_says_and_keeps_what_is_known_of_addresses_that_stay() {
    let mut now = Instant::now();
    let pbxs = [pbx("a", &["pbx.example"], 30)];
    let mut targets = Targets::new(&pbxs, &[], now);
    let question = Question { name: "pbx.example".into(), port: None, transport: Transport::Udp };
    assert_eq!(targets.questions(), std::slice::from_ref(&question));
    assert!(!targets.is_up(Kind::Pbx, true, now));
    let found = |port: u16, priority| Found {
        address: SocketAddr::from(([127, 0, 0, 1], port)),
        rank: Rank { priority, weight: 1 },
    };
    targets.resolved(&question, &[found(2, 20), found(1, 10)], now);
    assert_eq!(ports(&targets, false, now), [1, 2]);
    for _ in 0..2 {
        pinged(&mut targets, &[1], now);
        now += Duration::from_secs(31);
    }
    assert_eq!(ports(&targets, false, now), [2]);
    targets.resolved(&question, &[found(3, 5), found(1, 10)], now);
    assert_eq!(ports(&targets, false, now), [3]);
    // A reload keeps both the answer and the health.
    let more = [pbx("new", &["127.0.0.1:9"], 0), pbx("a", &["pbx.example"], 30)];
    targets.renew(&more, &[], now);
    assert_eq!(ports(&targets, false, now), [9, 3]);
    let candidates = targets.candidates(Kind::Pbx, false, now, |_| 0);
    assert_eq!(candidates[1].host.as_deref(), Some("pbx.example"));
    assert_eq!(candidates[1].peer.index, 1);
}

#[test]
fn r_19_a_datagram_is_a_peers_by_address_and_port_and_a_stream_by_address() {
    let now = Instant::now();
    let tls = Written { transport: Transport::Tls, ..Written::short("192.0.2.1") };
    let mut other = pbx("b", &["192.0.2.2:5070"], 0);
    let secure = Pbx { reach: reach(&[tls], 0), ..other.clone() };
    other.name = "c".into();
    let targets = Targets::new(&[secure, other], &[], now);
    let from = |text: &str, stream| {
        let holder = targets.holder(Kind::Pbx, text.parse().unwrap(), stream);
        holder.map(|peer| peer.index)
    };
    assert_eq!(from("192.0.2.1:40000", true), Some(0));
    assert_eq!(from("192.0.2.1:5061", false), Some(0));
    assert_eq!(from("192.0.2.2:5070", false), Some(1));
    assert_eq!(from("[::ffff:192.0.2.2]:5070", false), Some(1));
    assert_eq!(from("192.0.2.2:5071", false), None);
    assert_eq!(from("192.0.2.2:5070", true), None);
}

#[test]
fn b_21_a_3xx_leads_only_to_where_calls_go_anyway() {
    let now = Instant::now();
    let pbxs = [pbx("a", &["192.0.2.1:5060", "pbx.example:5070"], 0)];
    let mut targets = Targets::new(&pbxs, &[], now);
    let question =
        Question { name: "pbx.example".into(), port: Some(5070), transport: Transport::Udp };
    let address = SocketAddr::from(([192, 0, 2, 9], 5070));
    let rank = Rank { priority: 0, weight: 1 };
    targets.resolved(&question, &[Found { address, rank }], now);
    let followed = |text: &str| {
        let Ok(sip::Uri::Sip(uri)) = sip::Uri::parse(text.as_bytes()) else { panic!("{text}") };
        let candidate = targets.redirected(Kind::Pbx, &uri)?;
        Some((candidate.address.to_string(), candidate.contact.and_then(|uri| uri.user)?))
    };
    let to = |address: &str, user: &str| Some((address.to_owned(), user.to_owned()));
    assert_eq!(followed("sip:201@192.0.2.1"), to("192.0.2.1:5060", "201"));
    assert_eq!(followed("sip:201@PBX.example"), to("192.0.2.9:5070", "201"));
    assert_eq!(followed("sip:201@192.0.2.9:5070"), to("192.0.2.9:5070", "201"));
    for elsewhere in ["sip:201@192.0.2.1:5099", "sip:201@203.0.113.1", "sip:201@evil.example"] {
        assert_eq!(followed(elsewhere), None, "{elsewhere}");
    }
}
