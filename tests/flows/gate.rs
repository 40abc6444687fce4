//! Who is let in, how much is too much, and how a node is emptied: rows O-01, O-03, R-18 to R-22, S-15, S-16.

use std::{
    fs,
    net::{SocketAddr, UdpSocket},
    process::Command,
    time::{Duration, Instant},
};

use support::{
    node::{Change, Node},
    peer::post::{Peer, What},
    scene::{ENGLISH, NEVER},
    stage::{CALLER, Stage, sdp, wait},
};

/// A node whose trunk is 127.0.0.1 only, so that other loopback addresses are strangers.
pub(crate) fn narrow() -> Change {
    Change::default().with("\"127.0.0.0/8\", \"::1/128\"", "\"127.0.0.1/32\"")
}

fn stranger(stage: &Stage) -> Peer {
    Peer::at(SocketAddr::from(([127, 0, 0, 2], 0)), stage.node.sip)
}

#[test]
fn o_01_a_call_too_many_gets_503_and_a_drawn_wait_and_the_others_go_on() {
    let mut stage = Stage::with(Change::default().with("calls = 0   ", "calls = 1   "));
    let mut talk = stage.talk();
    let mut waits = Vec::new();
    for _ in 0..12 {
        let mut over = stage.caller.calls(CALLER, NEVER);
        stage.caller.send(&over.invite().sdp(sdp(stage.ear.own)));
        let full = stage.caller.expect(503);
        stage.caller.send(&over.ack(&full));
        waits.push(full.header("Retry-After").parse::<u32>().expect("seconds"));
    }
    assert!(waits.iter().all(|wait| (1..=4).contains(wait)), "{waits:?}");
    waits.sort_unstable();
    waits.dedup();
    assert!(waits.len() > 1, "everybody comes back at once: {waits:?}");
    stage.pbx.hears_no(50, "INVITE");
    // What belongs to a call goes on, and its end makes room.
    stage.caller.send(&talk.a.request("OPTIONS"));
    stage.caller.expect((200, "OPTIONS"));
    stage.hang_up(&mut talk);
    let _ended = stage.ended(1);
    let _next = stage.rings();
    let metrics = stage.node.metrics();
    assert!(metrics.contains("jawoord_turned_away_total{limit=\"calls\"} 12"), "{metrics}");
}

#[test]
fn o_01_the_answer_to_a_call_too_many_is_a_choice() {
    let change = Change::default()
        .with("source_half_open = 500", "source_half_open = 1")
        .with("answer = \"503\"", "answer = \"drop\"");
    let mut stage = Stage::with(change);
    // Answered and never acknowledged: half open.
    let mut open = stage.caller.calls(CALLER, ENGLISH);
    stage.caller.send(&open.invite().sdp(sdp(stage.ear.own)));
    let ok = stage.caller.expect((200, "INVITE"));
    let mut second = stage.caller.calls(CALLER, ENGLISH);
    let invite = second.invite().sdp(sdp(stage.ear.own));
    stage.caller.send(&invite);
    let about_it = {
        let call = second.call_id.clone();
        What::that("an answer to the second call", move |seen| seen.get("Call-ID") == Some(&call))
    };
    stage.caller.hears_no(500, about_it);
    stage.caller.send(&open.ack(&ok));
    wait(100);
    // The same INVITE again finds room now.
    stage.caller.send(&invite);
    let ok = stage.caller.expect((200, "INVITE"));
    stage.caller.send(&second.ack(&ok));
}

#[test]
fn o_03_a_node_that_is_emptied_sends_new_calls_away_and_lets_running_ones_end() {
    let mut stage = Stage::start();
    let mut talk = stage.talk();
    let told = stage.node.done(&["drain", "on"]);
    assert_eq!((told["draining"].as_bool(), told["calls"].as_u64()), (Some(true), Some(1)));
    let mut ask = stage.caller.calls(CALLER, "ping");
    stage.caller.send(&ask.request("OPTIONS"));
    stage.caller.expect((503, "OPTIONS"));
    let mut away = stage.caller.calls(CALLER, NEVER);
    stage.caller.send(&away.invite().sdp(sdp(stage.ear.own)));
    let full = stage.caller.expect((503, "INVITE"));
    assert!(full.get("Retry-After").is_some());
    stage.caller.send(&away.ack(&full));
    stage.hang_up(&mut talk);
    let told = stage.node.done(&["drain", "off"]);
    assert_eq!(told["draining"].as_bool(), Some(false));
    stage.caller.send(&ask.request("OPTIONS"));
    stage.caller.expect((200, "OPTIONS"));
    let _taken = stage.rings();
}

#[test]
fn o_03_a_partner_takes_the_calls_of_a_node_that_is_emptied() {
    let written = "# partner = \"sip:192.0.2.8:5060\"";
    let mut stage = Stage::with(Change::default().with(written, &written[2..]));
    let _told = stage.node.done(&["drain", "on"]);
    let mut a = stage.caller.calls(CALLER, NEVER);
    stage.caller.send(&a.invite().sdp(sdp(stage.ear.own)));
    let moved = stage.caller.expect(302);
    assert_eq!(moved.contact(), "sip:192.0.2.8:5060");
    stage.caller.send(&a.ack(&moved));
}

fn signal(node: &Node) {
    let sent = Command::new("kill").arg(node.pid().to_string()).status();
    assert!(sent.is_ok_and(|status| status.success()));
}

fn is_gone(node: &Node) -> bool {
    // A child that has ended stays a zombie until somebody asks for it.
    let status = fs::read_to_string(format!("/proc/{}/stat", node.pid())).unwrap_or_default();
    status
        .rsplit(')')
        .next()
        .is_none_or(|rest| rest.trim_start().starts_with('Z') || rest.is_empty())
}

fn goes(node: &Node, patience: Duration) -> bool {
    let until = Instant::now() + patience;
    while !is_gone(node) {
        if Instant::now() > until {
            return false;
        }
        wait(20);
    }
    true
}

#[test]
fn o_03_the_first_signal_waits_for_the_last_call_and_the_second_hangs_up() {
    let change = || Change::default().with("limit_s = 0", "limit_s = 60");
    let mut stage = Stage::with(change());
    let mut talk = stage.talk();
    signal(&stage.node);
    assert!(!goes(&stage.node, Duration::from_millis(700)), "the call was not waited for");
    stage.hang_up(&mut talk);
    assert!(goes(&stage.node, Duration::from_secs(12)), "nothing is left to wait for");

    let mut stage = Stage::with(change());
    let mut talk = stage.talk();
    signal(&stage.node);
    wait(300);
    stage.caller.hears_no(50, "BYE");
    signal(&stage.node);
    for (peer, leg) in [(&mut stage.caller, &mut talk.a), (&mut stage.pbx, &mut talk.b)] {
        let bye = peer.expect("BYE");
        assert!(bye.headers("Reason").iter().any(|reason| reason.contains("cause=503")));
        peer.send(&leg.reply(&bye, 200));
    }
    assert!(goes(&stage.node, Duration::from_secs(12)));
    stage.node.kill();
    stage.node.run_again();
    let calls = stage.ended(1);
    assert_eq!(calls[0]["outcome"], "bridged");
}

#[test]
fn o_03_the_time_of_running_calls_is_limited() {
    let mut stage = Stage::with(Change::default().with("limit_s = 0", "limit_s = 1"));
    let mut talk = stage.talk();
    let at = Instant::now();
    signal(&stage.node);
    let bye = stage.caller.expect("BYE");
    assert!(bye.at - at > Duration::from_millis(900));
    stage.caller.send(&talk.a.reply(&bye, 200));
    let bye = stage.pbx.expect("BYE");
    stage.pbx.send(&talk.b.reply(&bye, 200));
    assert!(goes(&stage.node, Duration::from_secs(12)));
    talk.a.cseq = 9;
}

#[test]
fn r_18_options_says_what_we_do() {
    let mut stage = Stage::start();
    let mut ask = stage.caller.calls(CALLER, "ping");
    stage.caller.send(&ask.request("OPTIONS"));
    let ok = stage.caller.expect((200, "OPTIONS"));
    for method in ["INVITE", "ACK", "CANCEL", "BYE", "OPTIONS"] {
        assert!(ok.header("Allow").contains(method), "{}", ok.text);
    }
    assert!(ok.header("Accept").contains("application/sdp"));
    assert!(ok.get("Supported").is_some());
}

#[test]
fn r_19_a_stranger_gets_403_a_few_times_and_never_learns_whether_a_name_exists() {
    let mut stage = Stage::with(narrow());
    let mut nobody = stranger(&stage);
    for (method, body) in [("INVITE", true), ("OPTIONS", false), ("REGISTER", false)] {
        let mut leg = nobody.calls("100", "100");
        let mut draft = leg.request(method);
        if body {
            draft = draft.with("Contact", &leg.contact).sdp(sdp(stage.ear.own));
        }
        nobody.send(&draft);
        let no = nobody.expect((403, method));
        assert_eq!((no.get("WWW-Authenticate"), no.get("Server")), (None, None));
    }
    for _ in 0..200 {
        let mut leg = nobody.calls("100", "100");
        nobody.send(&leg.request("OPTIONS"));
    }
    wait(300);
    // Ten at once and five a second.
    let answered = nobody.times(403);
    assert!((5..=20).contains(&answered), "{answered} answers");
    let _heard = stage.talk();

    let mut stage = Stage::with(narrow().with("strangers = \"403\"", "strangers = \"drop\""));
    let mut nobody = stranger(&stage);
    let mut leg = nobody.calls("100", NEVER);
    nobody.send(&leg.invite().sdp(sdp(stage.ear.own)));
    nobody.hears_no(300, 403);
    assert_eq!(nobody.everything().len(), 0, "not even a 100");
    let _heard = stage.talk();
}

#[test]
fn r_20_r_21_what_we_are_not_is_refused_and_never_ignored() {
    let mut stage = Stage::start();
    for (method, status) in
        [("REGISTER", 403), ("SUBSCRIBE", 405), ("MESSAGE", 405), ("PUBLISH", 405), ("NOTIFY", 481)]
    {
        let mut leg = stage.caller.calls(CALLER, "100");
        let draft = leg.request(method).with("Contact", &leg.contact).with("Event", "presence");
        stage.caller.send(&draft);
        let refused = stage.caller.expect_within(
            Duration::from_secs(4),
            What::that(method, move |seen| {
                seen.status().is_some_and(|status| status >= 200) && seen.cseq().1 == method
            }),
        );
        assert_eq!(refused.status(), Some(status), "{method}");
    }
    assert!(stage.node.log().contains("phones register with the PBX"), "{}", stage.node.log());
}

#[test]
fn r_22_the_pbx_sees_who_calls_and_what_was_dialled() {
    let mut stage = Stage::start();
    let mut a = stage.caller.calls(CALLER, NEVER);
    a.local = a.local.replacen('<', "\"Jansen, \\\"J\\\"\" <", 1);
    stage.caller.send(&a.invite().sdp(sdp(stage.ear.own)));
    let seen = stage.pbx.expect("INVITE");
    let from = seen.header("From");
    assert!(from.starts_with("\"Jansen, \\\"J\\\"\" <sip:+31612345000@"), "{from}");
    assert!(seen.uri().starts_with(&format!("sip:{NEVER}@")), "{}", seen.uri());
    assert!(seen.header("To").contains(&format!("sip:{NEVER}@")));
}

#[test]
fn s_16_nothing_in_a_uri_a_name_or_a_call_id_becomes_a_header_or_a_path() {
    let mut stage = Stage::start();
    let mut a = stage.caller.calls(CALLER, NEVER);
    a.call_id = "../../../../tmp/jawoord-escape".to_owned();
    a.local = format!("\"x%0d%0aX-Evil: 1\" <sip:{CALLER}%0d%0aX-Evil:1@h>;tag=1");
    let plain = a.target.clone();
    a.target = format!("sip:{NEVER}@127.0.0.1?X-Evil=1&Route=%3Csip:evil%3E");
    stage.caller.send(&a.invite().sdp(sdp(stage.ear.own)));
    let refused = stage.caller.expect(400);
    stage.caller.send(&a.ack(&refused));
    a.target = plain;
    stage.caller.send(&a.invite().with("Subject", "a\r\n X-Evil: 1").sdp(sdp(stage.ear.own)));
    let seen = stage.pbx.expect("INVITE");
    assert_eq!((seen.get("X-Evil"), seen.get("Route")), (None, None), "{}", seen.text);
    assert!(!seen.uri().contains("Evil"), "{}", seen.uri());
    let b = stage.pbx.called(&seen);
    stage.pbx.send(&b.reply(&seen, 486));
    let busy = stage.caller.expect(486);
    stage.caller.send(&a.ack(&busy));
    let _ended = stage.ended(1);
    let strange = |name: &str| name.contains("escape") || name.contains("evil");
    assert!(stage.node.files("").iter().all(|(path, _)| !strange(&path.display().to_string())));
    assert!(!std::path::Path::new("/tmp/jawoord-escape").exists());
}

/// Kilobytes of memory that the node holds.
pub(crate) fn resident(node: &Node) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", node.pid())).expect("a process");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("its memory");
    line.split_whitespace().nth(1).and_then(|kb| kb.parse().ok()).expect("kilobytes")
}

/// Sends `count` messages of everything that scanners send, from a stranger and from a peer.
fn flood(node: &Node, count: usize) {
    let to = SocketAddr::from(([127, 0, 0, 1], node.sip));
    let sockets = [[127, 0, 0, 2], [127, 0, 0, 3], [127, 0, 0, 1]].map(|[a, b, c, d]: [u8; 4]| {
        UdpSocket::bind((std::net::Ipv4Addr::new(a, b, c, d), 0)).expect("a free port")
    });
    let methods = ["REGISTER", "INVITE", "OPTIONS", "SUBSCRIBE", "BYE", "ACK", "CANCEL"];
    for number in 0..count {
        let (socket, method) = (&sockets[number % 3], methods[number % methods.len()]);
        let tag = if number % 5 == 0 { ";tag=guessed" } else { "" };
        let text = match number % 11 {
            9 => format!("{number}\0garbage"),
            10 => format!("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK{number}\r\n\r\n"),
            _ => format!(
                "{method} sip:{number}@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.9:9;branch=z9hG4bK{number}\r\n\
                 Max-Forwards: 70\r\nFrom: <sip:{number}@a>;tag={number}\r\nTo: <sip:{number}@b>{tag}\r\n\
                 Call-ID: {number}@flood\r\nCSeq: 1 {method}\r\nContact: <sip:a@127.0.0.9>\r\n\
                 Content-Length: 0\r\n\r\n"
            ),
        };
        let _full = socket.send_to(text.as_bytes(), to);
        if number % 64 == 0 {
            // Slower than the machine can send, faster than anybody would read.
            wait(1);
        }
    }
}

fn flooded(count: usize, warm: Duration, most_kb: u64) {
    let mut stage = Stage::with(narrow().with("source_per_s = 200", "source_per_s = 20"));
    let (mut first, mut second) = (stage.talk(), stage.talk());
    // What the first flood makes the node take, it keeps: as much as fits in its memory of messages.
    let started = Instant::now();
    let mut rounds = Vec::new();
    while rounds.len() < 2 || started.elapsed() < warm {
        flood(&stage.node, count / 10);
        rounds.push(resident(&stage.node));
    }
    let before = resident(&stage.node);
    let heard = stage.ear.heard().len();
    let started = Instant::now();
    for _ in 0..10 {
        flood(&stage.node, count / 10);
        rounds.push(resident(&stage.node));
    }
    let packets = started.elapsed().as_millis() as usize / 20;
    let heard = stage.ear.heard().len() - heard;
    assert!(heard * 10 > packets * 8, "{heard} of {packets} packets of sound arrived");
    let after = resident(&stage.node);
    assert!(after < before + most_kb, "{before} kB became {after} kB: {rounds:?}");
    // Both calls go on and end as they should, once the system's queue has room for a message again.
    wait(1_000);
    for talk in [&mut first, &mut second] {
        stage.caller.send(&talk.a.request("OPTIONS"));
        stage.caller.expect((200, "OPTIONS"));
        stage.hang_up(talk);
    }
    let log = stage.node.log();
    let lines = log.lines().filter(|line| line.contains("node::gate")).count();
    assert!((1..12).contains(&lines), "{lines} lines about the flood:\n{log}");
    wait(1_100);
    let mut next = stage.caller.calls(CALLER, NEVER);
    stage.caller.send(&next.invite().sdp(sdp(stage.ear.own)));
    let ours = What::that("the next call", |seen| {
        seen.method() == Some("INVITE") && seen.uri().contains(NEVER)
    });
    let _taken = stage.pbx.expect(ours);
}

#[test]
fn s_15_two_calls_go_on_undisturbed_in_a_flood_and_memory_stays_flat() {
    flooded(20_000, Duration::ZERO, 20_000);
}

mod long {
    //! What takes minutes.

    #[test]
    fn s_15_a_million_messages_disturb_no_call_and_take_no_memory() {
        super::flooded(1_000_000, std::time::Duration::from_secs(20), 8_000);
    }
}
