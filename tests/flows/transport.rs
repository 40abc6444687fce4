//! How messages travel: streams, TLS, IPv6, large requests, and who is known by what (R, S).

use std::{
    net::{Ipv6Addr, SocketAddr},
    thread,
    time::Duration,
};

use support::{
    node::Change,
    peer::{
        draft::Draft,
        leg::Leg,
        post::Peer,
        stream::{Authority, Ear, Stream},
        voice::Voice,
    },
    port::{self, Ports},
    scene::NEVER,
    stage::{CALLER, Stage, sdp},
};
use tempfile::TempDir;

const LISTENER: &str = "name = \"lab\"\n";

pub(crate) fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// A node whose listener takes TCP on the same port, with more changes.
pub(crate) fn both(change: Change) -> Stage {
    Stage::with(change.with(LISTENER, "name = \"lab\"\ntransport = [\"udp\", \"tcp\"]\n"))
}

/// A dialog of ours over a stream.
pub(crate) fn calls(stream: &Stream, transport: &'static str) -> Leg {
    let mut leg = Leg::calling(stream.own, CALLER, NEVER, stream.node);
    leg.transport = transport;
    leg.contact = format!("<sip:caller@{};transport={}>", stream.own, transport.to_lowercase());
    leg
}

fn options(stream: &Stream, transport: &'static str) -> Draft {
    calls(stream, transport).request("OPTIONS")
}

#[test]
fn s_08_a_call_over_tcp_however_its_octets_arrive_and_all_of_it_by_one_connection() {
    let mut stage = both(Change::default());
    let mut stream = Stream::to(local(stage.node.sip));
    let mut a = calls(&stream, "TCP");
    for octet in a.invite().sdp(sdp(stage.ear.own)).wire() {
        stream.write(&[octet]);
    }
    let invite = stage.pbx.expect("INVITE");
    let mut b = stage.pbx.called(&invite);
    stage.pbx.send(&b.reply(&invite, 200).sdp(sdp(stage.desk.own)));
    stage.pbx.expect("ACK");
    b.cseq = 0;
    let ok = stream.expect("200");
    assert!(ok.contact().contains(";transport=tcp"), "{}", ok.contact());
    // The ACK, half a keep-alive, the other half, and a question: in two pieces.
    let mut pieces = a.ack(&ok).wire();
    pieces.extend(b"\r\n");
    stream.write(&pieces);
    let mut pieces = b"\r\n".to_vec();
    pieces.extend(options(&stream, "TCP").wire());
    pieces.extend(options(&stream, "TCP").wire());
    stream.write(&pieces);
    stream.expect_octets(b"\r\n");
    stream.expect("200");
    stream.expect("200");
    stage.pbx.send(&b.request("BYE"));
    stage.pbx.expect((200, "BYE"));
    // Nobody listens where the Contact points to: the BYE comes by the connection that is open.
    let bye = stream.expect("BYE");
    stream.send(&a.reply(&bye, 200));
    stage.ended(1);
}

#[test]
fn s_08_a_stream_that_nobody_can_frame_gets_400_and_is_closed_and_another_takes_its_place() {
    let stage = both(Change::default());
    let mut stream = Stream::to(local(stage.node.sip));
    let draft = options(&stream, "TCP").with("l", "x");
    stream.send(&draft);
    stream.expect("400");
    assert!(stream.closes(Duration::from_secs(2)));
    let mut stream = Stream::to(local(stage.node.sip));
    stream.write(b"GET / HTTP/1.1\r\n");
    assert!(stream.closes(Duration::from_secs(2)));
    let mut stream = Stream::to(local(stage.node.sip));
    stream.send(&options(&stream, "TCP"));
    stream.expect("200");
}

/// The PBX of a configuration by this transport and port, instead of its address.
pub(crate) fn pbx_by(change: Change, transport: &str, port: u16) -> Change {
    let target = format!(
        "name = \"pbx\"\ntls_names = [\"pbx.example\"]\ntarget = [{{ host = \"127.0.0.1\", \
         port = {port}, transport = \"{transport}\" }}]\n#"
    );
    change.with("name = \"pbx\"\n", target)
}

#[test]
fn s_08_a_pbx_that_is_reached_by_tcp_is_reached_anew_after_it_has_hung_up() {
    let ear = Ear::at(local(0));
    let mut stage = both(pbx_by(Change::default(), "tcp", ear.own.port()));
    for _ in 0..2 {
        let mut a = stage.caller.calls(CALLER, NEVER);
        stage.caller.send(&a.invite().sdp(sdp(stage.ear.own)));
        let mut stream = ear.accept();
        let invite = stream.expect("INVITE");
        assert!(invite.uri().contains(";transport=tcp"), "{}", invite.uri());
        stream.send(&Leg::called(stream.own, &invite).reply(&invite, 486));
        stream.expect("ACK");
        stage.caller.expect((486, "INVITE"));
        // It hangs up, and the node gets to know: a call in the same millisecond would still go by it.
        drop(stream);
        thread::sleep(Duration::from_millis(200));
    }
    // Two calls at a time share one connection.
    let mut a = stage.caller.calls(CALLER, NEVER);
    stage.caller.send(&a.invite().sdp(sdp(stage.ear.own)));
    let mut stream = ear.accept();
    stream.expect("INVITE");
    let mut again = stage.caller.calls("+31612345001", NEVER);
    stage.caller.send(&again.invite().sdp(sdp(stage.ear.own)));
    stream.expect("INVITE");
}

#[test]
fn r_15_a_large_request_goes_by_tcp_where_the_pbx_has_it_and_else_in_a_datagram() {
    let change =
        Change::default().with("name = \"pbx\"\n", "name = \"pbx\"\nlarge_by_tcp = true\n");
    let mut stage = both(change);
    let large = |a: &mut Leg, ear: &Voice| {
        (0..12).fold(a.invite().sdp(sdp(ear.own)), |draft, at| {
            draft.with("X-Large", format!("{at} {}", "x".repeat(90)))
        })
    };
    let mut a = stage.caller.calls(CALLER, NEVER);
    let invite = large(&mut a, &stage.ear);
    assert!(invite.wire().len() > 1_300);
    {
        let ear = Ear::at(stage.pbx.own);
        stage.caller.send(&invite);
        let mut stream = ear.accept();
        let invite = stream.expect("INVITE");
        assert!(invite.header("Via").starts_with("SIP/2.0/TCP "), "{}", invite.header("Via"));
        assert!(invite.octets.len() > 1_300);
        let b = stage.pbx.called(&invite);
        stream.send(&b.reply(&invite, 486));
        stream.expect("ACK");
        stage.caller.expect((486, "INVITE"));
    }
    // Nobody takes TCP there any more: the call is not lost.
    let mut a = stage.caller.calls(CALLER, NEVER);
    let invite = large(&mut a, &stage.ear);
    stage.caller.send(&invite);
    let invite = stage.pbx.expect("INVITE");
    assert!(invite.header("Via").starts_with("SIP/2.0/UDP "), "{}", invite.header("Via"));
    assert!(invite.octets.len() > 1_300);
}

#[test]
fn s_10_a_caller_on_ipv6_talks_to_a_pbx_on_ipv4_and_each_is_told_its_own_kind() {
    let second = "name = \"six\"\nbind = \"[::1]:15060\"\n\n[[listener]]\nname = \"lab\"\n";
    let (port, sound) = (port::free(), Ports::reserve(40));
    let second = second.replace("15060", &port.to_string());
    let change = Change::default()
        .with(LISTENER, second)
        .with("default_country = \"NL\"\n", "default_country = \"NL\"\nmedia = \"six\"\n")
        .with(
            "[[trunk]]\n",
            format!(
                "[[media.range]]\nname = \"six\"\nbind = \"::1\"\nport_min = {0}\nport_max = {1}\n[[trunk]]\n",
                sound.first(),
                sound.last()
            ),
        );
    let mut stage = Stage::with(change);
    let six = SocketAddr::new(Ipv6Addr::LOCALHOST.into(), 0);
    stage.caller = Peer::at(six, port);
    stage.ear = Voice::new(Ipv6Addr::LOCALHOST.into());
    let mut talk = stage.talk();
    assert!(talk.ok.sound().is_ipv6() && talk.invite.sound().is_ipv4());
    assert!(talk.ok.contact().contains("[::1]"), "{}", talk.ok.contact());
    let text = &talk.invite.text;
    assert!(!text.contains("::1") && !text.contains("IP6"), "{text}");
    assert!(!talk.ok.body().contains("IP4"), "{}", talk.ok.body());
    stage.ear.speak(440.0);
    stage.desk.speak(440.0);
    assert!(stage.desk.until(3_000, |heard| heard.len() > 20), "the PBX hears nothing");
    assert!(stage.ear.until(3_000, |heard| heard.len() > 20), "the caller hears nothing");
    stage.hang_up(&mut talk);
}

/// A node with a TLS listener that asks for certificates; the trunk is known by its name only.
struct Secure {
    stage: Stage,
    ca: Authority,
    folder: TempDir,
    port: u16,
}

impl Secure {
    fn start(more: impl FnOnce(Change) -> Change) -> Self {
        let (ca, folder) = (Authority::new(), TempDir::new().expect("a folder"));
        let (certificate, key) = ca.signs("node.example").write(folder.path());
        let authority = ca.file(folder.path());
        let port = port::free();
        let listener = format!(
            "name = \"secure\"\ntransport = \"tls\"\nbind = \"127.0.0.1:{port}\"\n\
             [listener.tls]\ncertificate = {certificate:?}\nkey = {key:?}\n\
             client_ca = {authority:?}\nserver_ca = {authority:?}\n\
             require_client_certificate = true\n\n[[listener]]\n{LISTENER}"
        );
        let change = Change::default().with(LISTENER, listener).with(
            "[\"127.0.0.0/8\", \"::1/128\"]",
            "[\"127.9.9.9/32\"]\ntls_names = [\"sbc.example\"]",
        );
        let stage = Stage::with(more(change));
        Self { stage, ca, folder, port }
    }

    fn connect(&self, name: &str) -> Result<Stream, String> {
        Stream::secured(local(self.port), &self.ca, Some(&self.ca.signs(name)))
    }
}

#[test]
fn s_07_r_19_a_trunk_is_known_by_its_certificate_and_a_new_one_of_ours_drops_no_call() {
    let mut secure = Secure::start(|change| change);
    let mut stream = secure.connect("sbc.example").expect("a handshake");
    let mut a = calls(&stream, "TLS");
    stream.send(&a.invite().sdp(sdp(secure.stage.ear.own)));
    let invite = secure.stage.pbx.expect("INVITE");
    let mut b = secure.stage.pbx.called(&invite);
    secure.stage.pbx.send(&b.reply(&invite, 200).sdp(sdp(secure.stage.desk.own)));
    secure.stage.pbx.expect("ACK");
    b.cseq = 0;
    let ok = stream.expect("200");
    stream.send(&a.ack(&ok));

    let old = stream.shown.clone().expect("a certificate");
    let new = secure.ca.signs("node.example");
    new.write(secure.folder.path());
    assert!(secure.stage.node.run(&["reload"]).status.success());
    let again = secure.connect("sbc.example").expect("a handshake");
    assert!(again.shown.as_ref() == Some(new.certificate()) && again.shown.as_ref() != Some(&old));
    secure.stage.pbx.send(&b.request("BYE"));
    let bye = stream.expect("BYE");
    stream.send(&a.reply(&bye, 200));
    secure.stage.ended(1);

    // Another name of the same authority is a stranger; without a certificate nobody comes in.
    let mut stranger = secure.connect("other.example").expect("a handshake");
    let mut leg = calls(&stranger, "TLS");
    stranger.send(&leg.invite().sdp(sdp(secure.stage.ear.own)));
    stranger.expect("403");
    let bare = Stream::secured(local(secure.port), &secure.ca, None);
    assert!(bare.is_err() || bare.is_ok_and(|mut bare| bare.closes(Duration::from_secs(2))));
    let other = Authority::new();
    let forged = other.signs("sbc.example");
    let forged = Stream::secured(local(secure.port), &secure.ca, Some(&forged));
    assert!(forged.is_err() || forged.is_ok_and(|mut one| one.closes(Duration::from_secs(2))));
}

#[test]
fn s_07_a_pbx_under_tls_is_called_only_when_its_certificate_is_for_its_name() {
    for (shown, expected) in [("pbx.example", true), ("evil.example", false), ("*.example", false)]
    {
        let ear = Ear::at(local(0));
        let port = ear.own.port();
        let secure = Secure::start(|change| pbx_by(change, "tls", port));
        let mut stream = secure.connect("sbc.example").expect("a handshake");
        let mut a = calls(&stream, "TLS");
        stream.send(&a.invite().sdp(sdp(secure.stage.ear.own)));
        let paper = secure.ca.signs(shown);
        match ear.accept_secured(&secure.ca, &paper) {
            Ok(mut pbx) if expected => {
                let invite = pbx.expect("INVITE");
                assert!(invite.header("Via").starts_with("SIP/2.0/TLS "));
                let b = Leg::called(pbx.own, &invite);
                pbx.send(&b.reply(&invite, 486));
                stream.expect("486");
            }
            Ok(mut pbx) => {
                assert!(pbx.closes(Duration::from_secs(2)), "{shown} was taken");
                stream.expect("503");
            }
            Err(_) => {
                assert!(!expected, "{shown} was refused");
                stream.expect("503");
            }
        }
        let log = secure.stage.node.log();
        assert_eq!(log.contains("is not for the peer's `tls_names`"), !expected, "{shown}: {log}");
    }
}

#[test]
fn s_07_a_pbx_that_does_not_accept_our_certificate_is_said_to_and_the_caller_is_told() {
    let ear = Ear::at(local(0));
    let port = ear.own.port();
    let secure = Secure::start(|change| pbx_by(change, "tls", port));
    let mut stream = secure.connect("sbc.example").expect("a handshake");
    let mut a = calls(&stream, "TLS");
    stream.send(&a.invite().sdp(sdp(secure.stage.ear.own)));
    let paper = secure.ca.signs("pbx.example");
    assert!(ear.accept_secured(&Authority::new(), &paper).is_err(), "it knows our authority");
    stream.expect("503");
    let log = secure.stage.node.log();
    assert!(log.contains("the other side does not accept our certificate"), "{log}");
}

#[test]
fn s_15_silent_and_trickling_connections_are_closed_while_a_call_over_tcp_lives() {
    let change = Change::default()
        .with("max_half_open = 200", "max_half_open = 6")
        .with("message_timeout_s = 10", "message_timeout_s = 2");
    let mut stage = both(change);
    let node = local(stage.node.sip);
    let mut stream = Stream::to(node);
    let mut a = calls(&stream, "TCP");
    stream.send(&a.invite().sdp(sdp(stage.ear.own)));
    let invite = stage.pbx.expect("INVITE");
    let mut b = stage.pbx.called(&invite);
    stage.pbx.send(&b.reply(&invite, 200).sdp(sdp(stage.desk.own)));
    stage.pbx.expect("ACK");
    b.cseq = 0;
    let ok = stream.expect("200");
    stream.send(&a.ack(&ok));

    let mut silent: Vec<Stream> = (0..20).map(|_| Stream::to(node)).collect();
    let gone = |stream: &mut Stream| stream.closes(Duration::from_millis(100));
    let closed = silent.iter_mut().take(14).map(gone).filter(|closed| *closed).count();
    assert_eq!(closed, 14, "the oldest give way at once");
    assert!(!silent.iter_mut().skip(14).any(gone), "the others have time");
    let mut slow = Stream::to(node);
    for octet in options(&slow, "TCP").wire().iter().take(24) {
        slow.write(&[*octet]);
        thread::sleep(Duration::from_millis(100));
    }
    assert!(slow.closes(Duration::from_millis(500)), "a message may not take for ever");
    stage.pbx.send(&b.request("BYE"));
    let bye = stream.expect("BYE");
    stream.send(&a.reply(&bye, 200));
    stage.ended(1);
}
