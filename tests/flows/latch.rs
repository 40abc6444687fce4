//! A peer behind a NAT: it sends from elsewhere than it says, and nobody else is taken for it (S-02).

use std::{
    net::{SocketAddr, UdpSocket},
    time::Instant,
};

use support::{
    node::Change,
    peer::voice::Voice,
    scene::NEVER,
    sound::{encode_a, tone},
    stage::{CALLER, Stage, Talk, sdp, sdp_again, wait},
};

/// A node whose trunk is learned in this way.
fn node(latching: &str) -> Change {
    Change::default().with("latching = \"off\" ", format!("latching = {latching} "))
}

/// A call whose caller says that its sound is at a port where nobody sends from.
fn behind_a_nat(stage: &mut Stage) -> (Talk, SocketAddr) {
    let inside = UdpSocket::bind((stage.caller.own.ip(), 0)).expect("a free port");
    let stated = inside.local_addr().expect("an address");
    let mut a = stage.caller.calls(CALLER, NEVER);
    stage.caller.send(&a.invite().sdp(sdp(stated)));
    let invite = stage.pbx.expect("INVITE");
    let b = stage.pbx.called(&invite);
    (stage.answers(a, b, invite), stated)
}

/// Loud packets of a stream of somebody else's.
fn intrudes(socket: &UdpSocket, to: SocketAddr, packets: u16) {
    for n in 0..packets {
        let mut packet = vec![0x80, 8];
        packet.extend((n + 300).to_be_bytes());
        packet.extend((u32::from(n) * 160).to_be_bytes());
        packet.extend(0x0bad_0bad_u32.to_be_bytes());
        packet.extend(tone(1_900.0, 20, 20_000.0).into_iter().map(encode_a));
        socket.send_to(&packet, to).expect("it is sent");
    }
}

fn hears_intruder(voice: &mut Voice) -> bool {
    voice.heard().iter().any(|packet| packet.holds(1_900.0))
}

fn foreign(stage: &Stage) -> u64 {
    let metrics = stage.node.metrics();
    let line = "jawoord_stray_media_total{reason=\"foreign\"} ";
    let found = metrics.lines().find_map(|text| text.strip_prefix(line));
    found.and_then(|count| count.parse().ok()).expect("the metric")
}

#[test]
fn s_02_a_peer_is_learned_from_several_packets_and_then_nobody_else_until_the_next_description() {
    let mut stage = Stage::with(node("\"same-ip\""));
    let (mut talk, stated) = behind_a_nat(&mut stage);
    stage.ear.speak(700.0);
    stage.desk.speak(440.0);
    let since = Instant::now();
    assert!(stage.desk.hears(700.0, since), "the caller is not learned");
    assert!(stage.ear.hears(440.0, since), "what is said to it goes where nobody is");
    // It is locked: another port of the same address is a stranger.
    let intruder = UdpSocket::bind((stage.caller.own.ip(), 0)).expect("a free port");
    intrudes(&intruder, talk.ok.sound(), 50);
    wait(200);
    assert!(!hears_intruder(&mut stage.desk), "an intruder is heard");
    // A new description, and it has moved behind its NAT: it is learned anew.
    stage.ear.stop();
    stage.caller.send(&talk.a.request("INVITE").sdp(sdp_again(stated, 2, "sendrecv")));
    let ok = stage.caller.expect((200, "INVITE"));
    stage.caller.send(&talk.a.ack(&ok));
    stage.ear = Voice::new(stage.caller.own.ip());
    stage.ear.speak(900.0);
    stage.ear.talk_to(ok.sound());
    let since = Instant::now();
    assert!(stage.desk.hears(900.0, since), "the caller is not learned again");
    assert!(stage.ear.hears(440.0, since), "what is said to it goes where it was");
    stage.hang_up(&mut talk);
    let _ended = stage.ended(1);
    assert!(foreign(&stage) >= 50, "{}", stage.node.metrics());
}

#[test]
fn s_02_nobody_is_learned_without_leave_from_too_far_away_or_too_late() {
    for (latching, elsewhere, late) in [
        ("\"off\"", false, false),
        ("\"same-ip\"", true, false),
        ("\"same-24\"", true, false),
        ("{ from = \"any\", window_ms = 100 }", true, true),
    ] {
        let mut stage = Stage::with(node(latching));
        let address = if elsewhere { [127, 9, 9, 9].into() } else { stage.caller.own.ip() };
        let intruder = UdpSocket::bind((address, 0)).expect("a free port");
        let (mut talk, _) = behind_a_nat(&mut stage);
        // The caller itself says nothing.
        stage.ear.stop();
        if late {
            wait(400);
        }
        intrudes(&intruder, talk.ok.sound(), 50);
        wait(200);
        assert!(!hears_intruder(&mut stage.desk), "{latching}: an intruder is heard");
        stage.hang_up(&mut talk);
    }
}

#[test]
fn s_02_the_place_in_the_description_goes_before_one_that_sends_as_much() {
    let mut stage = Stage::with(node("\"any\""));
    let intruder = UdpSocket::bind((stage.caller.own.ip(), 0)).expect("a free port");
    let mut a = stage.caller.calls(CALLER, NEVER);
    stage.caller.send(&a.invite().sdp(sdp(stage.ear.own)));
    let invite = stage.pbx.expect("INVITE");
    let b = stage.pbx.called(&invite);
    let mut talk = stage.answers(a, b, invite);
    stage.ear.speak(700.0);
    let since = Instant::now();
    assert!(stage.desk.hears(700.0, since), "the caller is not heard");
    intrudes(&intruder, talk.ok.sound(), 50);
    wait(200);
    assert!(!hears_intruder(&mut stage.desk), "an intruder is heard");
    stage.hang_up(&mut talk);
}
