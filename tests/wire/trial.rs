//! `check --live --call`: a real call by a trunk, and what is said of its sound and of its keys.

use std::{
    net::{SocketAddr, UdpSocket},
    thread,
    time::Duration,
};

use serde_json::Value;
use support::{
    exchange::{Exchange, Manner, message::header},
    node::{Change, Node, program},
    peer::{post::Peer, seen::Seen},
    sound::{level, share},
};

/// Whom the trials call.
const CALLED: &str = "+31201111111";
/// The tone that a trial plays.
const TONE_HZ: f64 = 1_004.0;

fn trial(number: &str) -> [&str; 6] {
    ["check", "--live", "--call", number, "--seconds", "3"]
}

/// The lab with its trunk at this address, before a PBX that answers OPTIONS.
fn before(trunk: SocketAddr) -> (Node, Exchange) {
    let pbx = Exchange::start([127, 0, 0, 1], 0, Manner::Says(200));
    let here = format!("name = \"pbx\"\naddress = \"{}\" #", pbx.address());
    let change = Change::default()
        .with("name = \"pbx\"\naddress = ", here)
        .with("127.0.0.1:15070", trunk.to_string());
    (Node::start(&change), pbx)
}

fn carrier(manner: Manner) -> Exchange {
    Exchange::start([127, 0, 0, 1], 0, manner)
}

/// What is said of the call: of all of it, or of a part.
fn said<'a>(report: &'a Value, part: &str) -> &'a Value {
    let place = format!("call by trunk \"carrier\"{part}");
    let all = report["findings"].as_array().into_iter().flatten();
    let found: Vec<_> = all.filter(|finding| finding["place"] == place.as_str()).collect();
    assert_eq!(found.len(), 1, "{place}: {report:#}");
    found[0]
}

fn grades(report: &Value) -> Vec<&str> {
    ["", ", format", ", sound from it", ", sound to it", ", keys"]
        .map(|part| said(report, part)["grade"].as_str().expect("a grade"))
        .to_vec()
}

#[test]
fn a_trial_rings_is_heard_on_both_sides_presses_a_key_hangs_up_and_is_recorded_nowhere() {
    let after = Duration::from_millis(300);
    let mut carrier = carrier(Manner::Answers { after, tone_hz: 440.0, acts: Vec::new() });
    let (node, _pbx) = before(carrier.address());
    let report = node.done(&trial(CALLED));
    assert_eq!(grades(&report), ["ok", "ok", "ok", "warn", "ok"], "{report:#}");
    let call = &said(&report, "")["facts"];
    assert!(call["answered_s"].as_f64().is_some_and(|s| (0.3..1.5).contains(&s)), "{call}");
    let format = &said(&report, ", format")["facts"];
    assert_eq!((&format["codec"], &format["ptime_ms"]), (&"PCMA".into(), &20.into()));
    let from = &said(&report, ", sound from it")["facts"];
    assert!(from["packets"].as_u64().is_some_and(|n| (120..=160).contains(&n)), "{from}");
    assert!(from["level_dbov"].as_f64().is_some_and(|level| level > -30.0), "{from}");
    assert_eq!((&from["announced_address"], &from["lost"]), (&true.into(), &0.into()));
    assert_eq!(said(&report, ", keys")["facts"]["telephone_event"], 101);

    let over = carrier.until(Duration::from_secs(2), |calls| calls.iter().all(|call| call.over()));
    assert!(over && carrier.calls().len() == 1);
    let heard = &carrier.calls()[0];
    let keys: Vec<char> = heard.pressed.iter().map(|(_, key)| *key).collect();
    assert_eq!(keys, ['5']);
    let samples: Vec<i16> = heard.heard.iter().flat_map(|heard| heard.samples.clone()).collect();
    assert!(level(&samples) > 3_000.0 && share(&samples, TONE_HZ) > 0.9, "{}", level(&samples));
    let invite = heard.request("INVITE", true).expect("an INVITE");
    let by = header(&invite.text, "Via").is_some_and(|via| via.contains(&node.sip.to_string()));
    assert!(by && header(&invite.text, "From").is_some_and(|from| from.contains("+31201234567")));

    let text = format!("{report}{}", node.log());
    assert!(!text.contains(&CALLED[1..]) && !text.contains("31201234567"), "{text}");
    assert_eq!(node.json(&["calls", "list"]), serde_json::json!([]));
    assert_eq!((node.files("spool").len(), node.files("store").len()), (0, 0));
}

/// Sends every packet back, and tells what is missing: nothing, after a jitter of four samples.
fn echo() -> SocketAddr {
    let even = || loop {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let port = socket.local_addr().expect("an address").port();
        match UdpSocket::bind(("127.0.0.1", port + 1)) {
            Ok(reports) if port.is_multiple_of(2) => return (socket, reports),
            Ok(_) | Err(_) => {}
        }
    };
    let (sound, reports) = even();
    let own = sound.local_addr().expect("an address");
    sound.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out");
    thread::spawn(move || {
        let (mut buffer, mut count) = ([0; 2_048], 0);
        while let Ok((length, from)) = sound.recv_from(&mut buffer) {
            let _lost = sound.send_to(&buffer[..length], from);
            count += 1;
            if count == 20 {
                // RFC 3550 §6.4.2: one block, about the source of this packet.
                let mut report = vec![0x81, 201, 0, 7, 1, 2, 3, 4];
                report.extend(&buffer[8..12]);
                report.extend([0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0, 40]);
                report.extend([0; 8]);
                let _lost = reports.send_to(&report, (from.ip(), from.port() + 1));
            }
        }
    });
    own
}

/// A carrier that answers OPTIONS and takes one call with this description.
fn scripted(
    sdp: impl Fn(SocketAddr) -> String + Send + 'static,
    allow: &'static str,
) -> SocketAddr {
    let mut peer = Peer::new(0);
    let own = peer.own;
    thread::spawn(move || {
        let to = |seen: &Seen| seen.from;
        let options = peer.expect("OPTIONS");
        peer.node = to(&options);
        let reply = peer.called(&options).reply(&options, 200);
        peer.send(&reply);
        let invite = peer.expect("INVITE");
        let leg = peer.called(&invite);
        peer.send(&leg.reply(&invite, 200).set("Allow", allow).sdp(sdp(echo())));
        peer.expect("ACK");
        let bye = peer.expect_within(Duration::from_secs(20), "BYE");
        peer.send(&leg.reply(&bye, 200));
    });
    own
}

fn description(sound: SocketAddr) -> String {
    let (ip, port) = (sound.ip(), sound.port());
    format!(
        "v=0\r\no=c 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n"
    )
}

#[test]
fn without_a_node_an_echo_and_a_report_tell_that_sound_arrives_and_keys_without_events_are_warned_of()
 {
    let (mut node, _pbx) = before(scripted(description, "INVITE, ACK, BYE, CANCEL, INFO"));
    node.stop();
    let report = node.done(&trial(CALLED));
    assert_eq!(grades(&report), ["ok", "ok", "ok", "ok", "warn"], "{report:#}");
    assert_eq!(said(&report, ", format")["facts"]["codec"], "PCMU");
    let to = &said(&report, ", sound to it")["facts"];
    let told = (&to["echo"], &to["lost_percent"], &to["jitter_ms"]);
    assert_eq!(told, (&true.into(), &0.into(), &5.into()), "{to}");
    let keys = &said(&report, ", keys")["facts"];
    assert_eq!((&keys["telephone_event"], &keys["info"]), (&Value::Null, &true.into()));
    assert_eq!(keys["pressed"], false);
}

#[test]
fn sound_from_elsewhere_is_not_heard_and_no_sound_at_all_names_the_ports() {
    // The description names a port from which nothing comes; the echo's own packets are foreign.
    let other = |sound: SocketAddr| {
        let forward = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let announced = forward.local_addr().expect("an address");
        thread::spawn(move || {
            let back = UdpSocket::bind("127.0.0.1:0").expect("a port");
            let mut buffer = [0; 2_048];
            let _limit = forward.set_read_timeout(Some(Duration::from_secs(20)));
            while let Ok((length, from)) = forward.recv_from(&mut buffer) {
                let _lost = back.send_to(&buffer[..length], from);
            }
        });
        let _unused = sound;
        description(announced)
    };
    let (node, _pbx) = before(scripted(other, "INVITE"));
    let report = node.fails(&trial(CALLED));
    let from = said(&report, ", sound from it");
    assert_eq!(from["grade"], "fail");
    assert!(
        from["found"].as_str().is_some_and(|found| found.contains("another address")),
        "{from}"
    );

    // Nobody sends anything.
    let mute = |_: SocketAddr| {
        let deaf = UdpSocket::bind("127.0.0.1:0").expect("a port");
        description(deaf.local_addr().expect("an address"))
    };
    let (node, _pbx) = before(scripted(mute, "INVITE"));
    let report = node.fails(&trial(CALLED));
    let from = said(&report, ", sound from it");
    assert_eq!((&from["grade"], &from["found"]), (&"fail".into(), &"no packet came".into()));
    assert!(from["mend"].as_str().is_some_and(|mend| mend.contains("let UDP")), "{from}");
    let keys = said(&report, ", keys");
    assert_eq!(keys["found"], "in the sound only");
}

#[test]
fn a_command_that_is_stopped_takes_its_call_back() {
    let mut carrier = carrier(Manner::Rings);
    let (mut node, _pbx) = before(carrier.address());
    node.stop();
    let mut command = std::process::Command::new(program("jawoord"));
    command.args(trial(CALLED)).arg("--config").arg(node.home.path().join("node.toml"));
    command.arg("--data").arg(node.data()).stdout(std::process::Stdio::null());
    let mut command = command.spawn().expect("the program starts");
    assert!(carrier.until(Duration::from_secs(8), |calls| calls.len() == 1));
    thread::sleep(Duration::from_millis(300));
    let pid = command.id().to_string();
    let sent = std::process::Command::new("kill").args(["-INT", &pid]).status();
    assert!(sent.is_ok_and(|sent| sent.success()));
    let taken = |call: &support::exchange::History| call.request("CANCEL", true).is_some();
    assert!(carrier.until(Duration::from_secs(5), |calls| calls.iter().any(taken)));
    let ended = command.wait().expect("an end");
    assert_eq!(ended.code(), Some(0), "a call that nobody answers is a warning");
}

#[test]
fn e_01_an_emergency_is_refused_before_anything_leaves_and_a_refusal_names_its_mend() {
    let mut unknown = carrier(Manner::Says(404));
    let (node, _pbx) = before(unknown.address());
    for number in ["112", "+31112"] {
        let report = node.fails(&trial(number));
        let refused = report["findings"].as_array().and_then(|all| all.last()).expect("a finding");
        assert!(refused["found"].as_str().is_some_and(|found| found.contains("emergency")));
    }
    assert_eq!(unknown.calls().len(), 0);
    let report = node.fails(&trial(CALLED));
    let refused = said(&report, "");
    assert_eq!(
        (&refused["grade"], &refused["found"]),
        (&"fail".into(), &"the trunk says 404".into())
    );
    assert!(refused["mend"].as_str().is_some_and(|mend| mend.contains("[[trunk.rewrite]]")));
    let other = node.fails(&["check", "--live", "--call", CALLED, "--trunk", "other"]);
    assert!(other.to_string().contains("no such trunk"), "{other:#}");
}

/// A carrier's first target, which answers OPTIONS and says this to a call, or nothing; and the lab with
/// its trunk at that target and, after it, at this one.
fn first_of_two(says: Option<(u16, String)>, second: SocketAddr) -> (SocketAddr, Node, Exchange) {
    let mut peer = Peer::new(0);
    let first = peer.own;
    thread::spawn(move || {
        let options = peer.expect("OPTIONS");
        peer.node = options.from;
        let reply = peer.called(&options).reply(&options, 200);
        peer.send(&reply);
        let invite = peer.expect("INVITE");
        let Some((status, contact)) = says else { return };
        let reply = peer.called(&invite).reply(&invite, status);
        peer.send(&if contact.is_empty() { reply } else { reply.set("Contact", contact) });
        peer.expect("ACK");
    });
    let pbx = Exchange::start([127, 0, 0, 1], 0, Manner::Says(200));
    let here = format!("name = \"pbx\"\naddress = \"{}\" #", pbx.address());
    let at = |address: SocketAddr, priority: u8| {
        let (ip, port) = (address.ip(), address.port());
        format!("{{ host = \"{ip}\", port = {port}, priority = {priority} }}")
    };
    let both = format!("silent_after_s = 1\ntarget = [{}, {}]", at(first, 1), at(second, 2));
    let change = Change::default()
        .with("name = \"pbx\"\naddress = ", here)
        .with("target = \"127.0.0.1:15070\"", both);
    (first, Node::start(&change), pbx)
}

fn answering() -> Exchange {
    let after = Duration::from_millis(100);
    carrier(Manner::Answers { after, tone_hz: 440.0, acts: Vec::new() })
}

#[test]
fn b_21_a_trial_goes_on_to_the_next_target_where_a_call_would_and_says_at_which_it_was() {
    for says in [Some((503, String::new())), None] {
        let mut second = answering();
        let status = says.as_ref().map(|(status, _)| *status);
        let (first, node, _pbx) = first_of_two(says, second.address());
        let report = node.done(&trial(CALLED));
        let left = said(&report, &format!(", tried at {first}/udp"));
        assert_eq!((&left["grade"], &left["facts"]["status"]), (&"warn".into(), &status.into()));
        let call = &said(&report, "")["facts"];
        assert_eq!(call["target"], format!("{}/udp", second.address()));
        assert!(call["answered_s"].is_number() && second.calls().len() == 1, "{report:#}");
    }
    // Busy is an answer, and another target would say the same.
    let mut second = answering();
    let (first, node, _pbx) = first_of_two(Some((486, String::new())), second.address());
    let report = node.done(&trial(CALLED));
    let facts = &said(&report, "")["facts"];
    assert_eq!((&facts["status"], &facts["target"]), (&486.into(), &format!("{first}/udp").into()));
    assert_eq!(second.calls().len(), 0);
}

#[test]
fn b_21_a_trial_follows_a_3xx_to_a_target_of_the_trunk_and_never_to_an_emergency_or_elsewhere() {
    let elsewhere = Some("192.0.2.77:5060");
    for (user, host, called) in [
        ("+31202222222", None, "+31202222222"),
        ("0112", None, CALLED),
        ("+31202222222", elsewhere, CALLED),
    ] {
        let mut second = answering();
        let own = second.address().to_string();
        let contact = format!("<sip:{user}@{}>", host.unwrap_or(&own));
        let (first, node, _pbx) = first_of_two(Some((302, contact)), second.address());
        let report = node.done(&trial(CALLED));
        let left = said(&report, &format!(", tried at {first}/udp"));
        assert_eq!((&left["grade"], &left["facts"]["status"]), (&"ok".into(), &302.into()));
        let invite = second.calls()[0].request("INVITE", true).expect("an INVITE").text.clone();
        assert!(invite.starts_with(&format!("INVITE sip:{called}@")), "{invite}");
    }
}

#[test]
fn a_carrier_that_wants_a_proof_gets_it_and_one_that_sees_us_elsewhere_is_told_of() {
    let mut peer = Peer::new(0);
    let target = peer.own;
    let pbx = carrier(Manner::Says(200));
    let change = Change::default()
        .with(
            "name = \"pbx\"\naddress = ",
            format!("name = \"pbx\"\naddress = \"{}\" #", pbx.address()),
        )
        .with("127.0.0.1:15070", target.to_string())
        .with(
            "\n[[pbx]]\n",
            "\n[trunk.digest]\nuser = \"box\"\nsecret_env = \"SECRET\"\n\n[[pbx]]\n",
        )
        .under("SECRET", "wachtwoord");
    let node = Node::start(&change);
    let playing = thread::spawn(move || {
        let options = peer.expect("OPTIONS");
        peer.node = options.from;
        let via = options.header("Via").replace(";rport", ";rport=4060;received=203.0.113.7");
        let reply = peer.called(&options).reply(&options, 200).set("Via", via);
        peer.send(&reply);
        let invite = peer.expect("INVITE");
        let challenge = "Digest realm=\"c\", nonce=\"1\", qop=\"auth\", algorithm=SHA-256";
        let reply = peer.called(&invite).reply(&invite, 407);
        peer.send(&reply.with("Proxy-Authenticate", challenge));
        let proved = peer.expect("INVITE");
        let proof = proved.header("Proxy-Authorization").to_owned();
        let reply = peer.called(&proved).reply(&proved, 486);
        peer.send(&reply);
        proof
    });
    // The command has not the node's secret, and says so; the node has.
    let report = node.done(&trial(CALLED));
    assert!(report["findings"][0]["found"].as_str().is_some_and(|found| found.contains("SECRET")));
    let proof = playing.join().expect("the carrier");
    assert!(proof.contains("username=\"box\"") && proof.contains("nc=00000001"), "{proof}");
    assert_eq!(said(&report, "")["facts"]["status"], 486);
    let all = report["findings"].as_array().into_iter().flatten();
    let ours: Vec<_> = all
        .filter(|finding| finding["place"].as_str().is_some_and(|p| p.ends_with("our address")))
        .collect();
    assert_eq!(ours.len(), 1, "{report:#}");
    assert_eq!(
        (&ours[0]["grade"], &ours[0]["facts"]["seen"]),
        (&"warn".into(), &"203.0.113.7:4060".into())
    );
    assert!(!report.to_string().contains("wachtwoord"));
}

mod sipp {
    use std::process::{Child, Command, Stdio};

    use super::*;

    /// A SIPp that answers one call and sends its sound back.
    struct Uas(Child);

    impl Drop for Uas {
        fn drop(&mut self) {
            let _gone = self.0.kill();
            let _reaped = self.0.wait();
        }
    }

    #[test]
    fn a_trial_to_sipp_is_answered_and_hears_its_own_tone_again() {
        let ports = support::port::Ports::reserve(6);
        let (sip, media) = (ports.first(), (ports.first() + 2).to_string());
        let (node, _pbx) = before(SocketAddr::from(([127, 0, 0, 1], sip)));
        let port = sip.to_string();
        let arguments = ["-sn", "uas", "-rtp_echo", "-i", "127.0.0.1", "-p", &port, "-mp", &media];
        let child = Command::new("sipp")
            .args(arguments)
            .arg("-nostdin")
            .current_dir(node.home.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("SIPp is installed (package sip-tester)");
        let _uas = Uas(child);
        thread::sleep(Duration::from_millis(500));
        let report = node.json(&trial(CALLED));
        assert_eq!(said(&report, "")["grade"], "ok", "{report:#}");
        assert_eq!(said(&report, ", format")["facts"]["codec"], "PCMU");
        assert_eq!(said(&report, ", sound from it")["grade"], "ok", "{report:#}");
        assert_eq!(said(&report, ", sound to it")["facts"]["echo"], true);
    }
}
