//! What is between the words: pauses without packets (B-29), the length of packets (B-30), what the legs
//! report of themselves (B-31), on the port of the sound where a side wants that (B-32), and what a bad
//! network does to it (B-34).

use std::{
    net::{SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use support::{
    peer::voice::Voice,
    sound::{heard, level},
    stage::{Stage, sdp, wait},
};

/// How long the caller pauses, in milliseconds.
const PAUSE_MS: u64 = 2_000;

#[test]
fn b_29_a_pause_without_packets_is_silence_of_its_length_in_the_recording_and_no_loss_to_the_pbx() {
    let mut stage = Stage::curt();
    let (mut a, _ok) = stage.asked();
    wait(300);
    let (b, _invite) = stage.says_yes();
    stage.desk.speak(440.0);
    stage.ear.speak(700.0);
    wait(1_500);
    stage.ear.rest(true);
    wait(PAUSE_MS);
    stage.ear.rest(false);
    wait(1_500);
    stage.caller.send(&a.request("BYE"));
    stage.caller.expect((200, "BYE"));
    let bye = stage.pbx.expect("BYE");
    stage.pbx.send(&b.reply(&bye, 200));
    let _ended = stage.ended(1);

    // What the PBX got of it: packets without a gap in their numbers, and a step in their time.
    let packets = stage.desk.heard();
    assert!(
        packets.iter().all(|packet| packet.kind == 8),
        "the PBX has not agreed on comfort noise"
    );
    let whole = packets.windows(2).all(|pair| pair[1].sequence == pair[0].sequence.wrapping_add(1));
    assert!(whole, "the PBX takes the pause for loss");
    let step =
        |pair: &[support::peer::voice::Packet]| pair[1].timestamp.wrapping_sub(pair[0].timestamp);
    let longest = packets.windows(2).map(step).max().unwrap_or_default() / 8;
    assert!(u64::from(longest).abs_diff(PAUSE_MS) < 200, "a step of {longest} ms");

    let rows = stage.node.until(&["recordings", "list"], |rows| rows[0]["state"] == "stored");
    let (left, right) = stage.node.export(rows[0]["recording"].as_str().expect("an id"));
    assert_eq!(left.len(), right.len(), "both sides are as long");
    let frames: Vec<f64> = left.chunks(160).map(level).collect();
    let loud = |frame: &f64| *frame > 300.0;
    let first = frames.iter().position(loud).expect("speech");
    let last = frames.iter().rposition(loud).expect("speech");
    // The longest stretch of silence between speech and speech.
    let silent = frames[first..last].split(loud).map(<[f64]>::len).max().unwrap_or_default() * 20;
    assert!((silent as u64).abs_diff(PAUSE_MS) < 150, "{silent} ms of silence");
    assert!(heard(&right, 440.0) > 0.9, "the other side went on: {}", heard(&right, 440.0));
}

/// A voice whose reports come to the port above its own, and that port.
fn reporting(stage: &Stage) -> (Voice, UdpSocket) {
    loop {
        let voice = Voice::new(stage.pbx.own.ip());
        let above = SocketAddr::new(voice.own.ip(), voice.own.port() + 1);
        if let Ok(socket) = UdpSocket::bind(above) {
            return (voice, socket);
        }
    }
}

/// The packets of a compound: type, and everything behind its header (RFC 3550 §6.1).
fn packets(compound: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(header) = compound.get(at..at + 4) {
        assert_eq!(header[0] >> 6, 2, "a version that is none: {compound:?}");
        let length = usize::from(u16::from_be_bytes([header[2], header[3]])) * 4;
        let body = compound.get(at + 4..at + 4 + length).expect("as long as it says");
        found.push((header[1], body.to_vec()));
        at += 4 + length;
    }
    assert_eq!(at, compound.len(), "octets behind the last packet");
    found
}

/// The next compound that comes to a socket, and from where.
fn report(socket: &UdpSocket) -> (Vec<(u8, Vec<u8>)>, SocketAddr) {
    let mut buffer = [0; 2_048];
    socket.set_read_timeout(Some(Duration::from_secs(12))).expect("a time-out");
    let (length, from) = socket.recv_from(&mut buffer).expect("a report within 12 s");
    (packets(&buffer[..length]), from)
}

fn word(octets: &[u8], at: usize) -> u32 {
    octets.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_be_bytes)
}

/// A compound of several reports: as a sender, as a receiver about a stranger and about `node`, twice.
fn several(own: u32, node: u32, middle: u32) -> Vec<u8> {
    let mut sender = vec![0x80, 200, 0, 6];
    for word in [own, middle >> 16, middle << 16, 160, 5, 800] {
        sender.extend(word.to_be_bytes());
    }
    let mut receiver = vec![0x82, 201, 0, 13];
    receiver.extend(own.to_be_bytes());
    for (source, lost) in [(0x0bad_0bad_u32, 0_u32), (node, 64 << 24)] {
        for word in [source, lost, 0, 0, 0, 0] {
            receiver.extend(word.to_be_bytes());
        }
    }
    let mut name = vec![0x81, 202, 0, 3];
    name.extend(own.to_be_bytes());
    name.extend([1, 4, b'p', b'e', b'e', b'r', 0, 0]);
    [sender, receiver.clone(), name, receiver].concat()
}

#[test]
fn b_31_each_leg_has_reports_of_its_own_where_its_line_says_and_a_goodbye_at_the_end() {
    let mut stage = Stage::start();
    let (desk, beside) = reporting(&stage);
    stage.desk = desk;
    // The caller wants his somewhere else (RFC 3605).
    let elsewhere = UdpSocket::bind((stage.caller.own.ip(), 0)).expect("a free port");
    let port = elsewhere.local_addr().expect("an address").port();
    let mut a = stage.caller.calls(support::stage::CALLER, support::scene::NEVER);
    stage.caller.send(&a.invite().sdp(format!("{}a=rtcp:{port}\r\n", sdp(stage.ear.own))));
    let invite = stage.pbx.expect("INVITE");
    let b = stage.pbx.called(&invite);
    let mut talk = stage.answers(a, b, invite);

    let ((ours, at_caller), (theirs, at_pbx)) = (report(&elsewhere), report(&beside));
    assert_eq!(at_caller.port(), talk.ok.sound().port() + 1);
    assert_eq!(at_pbx.port(), talk.invite.sound().port() + 1);
    let mut names = Vec::new();
    for (compound, voice) in [(&ours, &mut stage.ear), (&theirs, &mut stage.desk)] {
        let source = voice.heard().first().expect("sound").ssrc;
        let [(200, sender), (202, name)] = compound.as_slice() else { panic!("{compound:?}") };
        assert_eq!((word(sender, 0), word(name, 0)), (source, source), "of another stream");
        assert_eq!(sender.len(), 24 + 24, "it says what it has received");
        names.push((source, name.get(6..30).map(<[u8]>::to_vec)));
    }
    assert!(names[0].0 != names[1].0 && names[0].1 != names[1].1, "one leg shows on the other");

    // A compound of several reports is read to its end: our next one refers to it.
    let (own, middle) = (0x1234_5678, 0xabcd_4321);
    let sent = several(own, names[0].0, middle);
    elsewhere.send_to(&sent, at_caller).expect("it is sent");
    elsewhere.send_to(&sent[..sent.len() - 3], at_caller).expect("it is sent");
    elsewhere.send_to(&[0x80, 200, 0xff, 0xff], at_caller).expect("it is sent");
    let (next, _) = report(&elsewhere);
    assert_eq!(word(&next[0].1, 24 + 16), middle, "our report is not referred to: {next:?}");
    stage.desk.speak(500.0);
    assert!(stage.ear.hears(500.0, Instant::now()), "the call has ended with it");

    stage.hang_up(&mut talk);
    for (socket, source) in [(&elsewhere, names[0].0), (&beside, names[1].0)] {
        let last = loop {
            let (compound, _) = report(socket);
            if compound.iter().any(|(kind, _)| *kind == 203) {
                break compound;
            }
        };
        let (_, goodbye) = last.last().expect("a packet");
        assert_eq!(word(goodbye, 0), source);
    }
    let mut buffer = [0; 2_048];
    beside.set_nonblocking(true).expect("a socket");
    wait(100);
    assert!(beside.recv(&mut buffer).is_err(), "it goes on after the goodbye");
}

/// What comes to a socket that has sound and reports on one port: the first of each, and from where.
fn muxed(socket: &UdpSocket) -> [(Vec<u8>, SocketAddr); 2] {
    let (mut sound, mut told) = (None, None);
    let mut buffer = [0; 2_048];
    socket.set_read_timeout(Some(Duration::from_secs(12))).expect("a time-out");
    while sound.is_none() || told.is_none() {
        let (length, from) = socket.recv_from(&mut buffer).expect("sound and a report within 12 s");
        let is_report = (192..=223).contains(&buffer[1]);
        let first = if is_report { &mut told } else { &mut sound };
        first.get_or_insert_with(|| (buffer[..length].to_vec(), from));
    }
    [sound, told].map(|found| found.expect("both came"))
}

#[test]
fn b_32_who_wants_reports_on_the_port_of_the_sound_has_them_there_and_the_other_leg_does_not() {
    let mut stage = Stage::start();
    let (desk, beside) = reporting(&stage);
    stage.desk = desk;
    let one = UdpSocket::bind((stage.caller.own.ip(), 0)).expect("a free port");
    let own = one.local_addr().expect("an address");
    let mut a = stage.caller.calls(support::stage::CALLER, support::scene::NEVER);
    let before = stage.node.sockets();
    stage.caller.send(&a.invite().sdp(format!("{}a=rtcp-mux\r\n", sdp(own))));
    let invite = stage.pbx.expect("INVITE");
    assert!(!invite.text.contains("rtcp-mux"), "mirrored: {}", invite.text);
    let b = stage.pbx.called(&invite);
    let mut talk = stage.answers(a, b, invite);
    assert!(talk.ok.text.contains("a=rtcp-mux\r\n"), "not taken: {}", talk.ok.text);
    stage.desk.speak(500.0);

    // One port of ours for both, and two for the PBX.
    let [(sound, rtp), (compound, rtcp)] = muxed(&one);
    assert_eq!((rtp, rtcp), (talk.ok.sound(), talk.ok.sound()));
    let source = word(&sound, 8);
    let told = packets(&compound);
    assert_eq!(word(&told[0].1, 0), source, "a report of another stream");
    let (_, at_pbx) = report(&beside);
    assert_eq!(at_pbx.port(), talk.invite.sound().port() + 1);
    assert_eq!(stage.node.sockets(), before + 3, "a socket that nobody needs stays open");

    // What the caller reports there is read, and is no sound for the PBX.
    let (ours, middle) = (0x1234_5678_u32, 0xabcd_4321);
    for number in 0..5_u8 {
        let mut packet = vec![0x80, 8, 0, number, 0, 0, 0, 160];
        packet[6..8].copy_from_slice(&(u16::from(number) * 160).to_be_bytes());
        packet.extend(ours.to_be_bytes());
        packet.extend([0xd5; 160]);
        one.send_to(&packet, rtp).expect("it is sent");
    }
    one.send_to(&several(ours, source, middle), rtp).expect("it is sent");
    let next = loop {
        let [_, (compound, _)] = muxed(&one);
        let told = packets(&compound);
        if told[0].1.len() == 24 + 24 {
            break told;
        }
    };
    assert_eq!(word(&next[0].1, 24 + 16), middle, "our report does not refer to it: {next:?}");
    assert!(stage.desk.heard().iter().all(|packet| packet.kind == 8), "a report was relayed");

    // The caller wants them apart again, and the port above is there for it.
    let plain = support::stage::sdp_again(own, 2, "sendrecv");
    stage.caller.send(&talk.a.invite().sdp(plain));
    let ok = stage.caller.expect((200, "INVITE"));
    stage.caller.send(&talk.a.ack(&ok));
    assert!(!ok.text.contains("rtcp-mux"), "{}", ok.text);
    wait(200);
    assert_eq!(stage.node.sockets(), before + 4);
    stage.hang_up(&mut talk);
    wait(200);
    assert_eq!(stage.node.sockets(), before, "a call that is over holds sockets");
}

/// A description that asks for packets of this length, in these words.
fn wanting(sound: SocketAddr, words: &str) -> String {
    sdp(sound).replace("a=ptime:20\r\n", words)
}

/// Waits for ten packets of sound since `from` and checks that all have this length and the numbers of
/// one stream.
fn comes_in(voice: &mut Voice, from: Instant, packet_ms: u16, hz: f64) {
    let late = |packets: &[support::peer::voice::Packet]| -> Vec<support::peer::voice::Packet> {
        packets.iter().filter(|packet| packet.at > from && packet.kind == 8).cloned().collect()
    };
    assert!(voice.until(4_000, |packets| late(packets).len() >= 10), "nothing is heard");
    let packets = late(voice.heard());
    let length = usize::from(packet_ms) * 8;
    for pair in packets.windows(2) {
        assert_eq!(pair[1].payload.len(), length, "{packet_ms} ms were asked for");
        assert_eq!(pair[1].sequence, pair[0].sequence.wrapping_add(1), "a packet is missing");
        let step = pair[1].timestamp.wrapping_sub(pair[0].timestamp);
        assert_eq!(step as usize, length, "the time does not go on with the sound");
    }
    let samples: Vec<i16> =
        packets.iter().flat_map(support::peer::voice::Packet::samples).collect();
    assert!(heard(&samples, hz) > 0.9, "{packet_ms} ms: {}", heard(&samples, hz));
}

#[test]
fn b_30_each_side_gets_packets_of_the_length_that_it_asks_for_whatever_the_other_sends() {
    let mut stage = Stage::start();
    // What the caller asks for, what it sends, the same of the PBX, and the two lengths that come.
    let cases = [
        ("a=ptime:30\r\n", 20, "a=ptime:40\r\n", 10, 30, 40),
        ("a=ptime:60\r\na=maxptime:25\r\n", 60, "", 20, 20, 20),
        ("a=ptime:10\r\n", 40, "a=ptime:60\r\n", 30, 10, 60),
    ];
    for (caller, caller_ms, pbx, pbx_ms, caller_gets, pbx_gets) in cases {
        let mut a = stage.caller.calls(support::stage::CALLER, support::scene::NEVER);
        stage.caller.send(&a.invite().sdp(wanting(stage.ear.own, caller)));
        let invite = stage.pbx.expect("INVITE");
        let asked = format!("a=ptime:{caller_gets}");
        assert!(invite.body().contains(&asked), "the PBX is not asked for {asked}");
        let mut b = stage.pbx.called(&invite);
        stage.pbx.send(&b.reply(&invite, 200).sdp(wanting(stage.desk.own, pbx)));
        stage.pbx.expect("ACK");
        b.cseq = 0;
        let ok = stage.caller.expect((200, "INVITE"));
        stage.caller.send(&a.ack(&ok));
        stage.ear.packets(caller_ms);
        stage.desk.packets(pbx_ms);
        stage.ear.speak(700.0);
        stage.desk.speak(900.0);
        stage.ear.talk_to(ok.sound());
        stage.desk.talk_to(invite.sound());
        wait(300);
        let from = Instant::now();
        comes_in(&mut stage.desk, from, pbx_gets, 700.0);
        comes_in(&mut stage.ear, from, caller_gets, 900.0);
        let mut talk = support::stage::Talk { a, b, invite, ok };
        stage.hang_up(&mut talk);
        stage.ear.stop();
        stage.desk.stop();
        wait(100);
    }
    // The notice comes so, too.
    let mut a = stage.caller.calls(support::stage::CALLER, support::scene::ENGLISH);
    stage.caller.send(&a.invite().sdp(wanting(stage.ear.own, "a=ptime:60\r\n")));
    let from = Instant::now();
    let ok = stage.caller.expect((200, "INVITE"));
    stage.caller.send(&a.ack(&ok));
    let speaks = |packet: &support::peer::voice::Packet| {
        packet.at > from && packet.payload.len() == 480 && level(&packet.samples()) > 99.0
    };
    assert!(stage.ear.until(4_000, |packets| packets.iter().filter(|p| speaks(p)).count() > 10));
    let odd =
        stage.ear.heard().iter().any(|p| p.at > from && p.kind == 8 && p.payload.len() != 480);
    assert!(!odd, "the notice comes in packets of another length");
}

/// An RTP packet in A-law or of telephone events.
fn rtp(kind: u8, sequence: u16, timestamp: u32, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x80, kind];
    packet.extend(sequence.to_be_bytes());
    packet.extend(timestamp.to_be_bytes());
    packet.extend(0x0bad_cafe_u32.to_be_bytes());
    packet.extend(payload);
    packet
}

#[test]
fn b_34_through_loss_doubles_jitter_and_drift_the_recording_keeps_its_length_and_its_sound() {
    const PACKETS: u32 = 300;
    let mut stage = Stage::curt();
    let phone = UdpSocket::bind((stage.caller.own.ip(), 0)).expect("a free port");
    let mut a = stage.caller.calls(support::stage::CALLER, support::scene::ENGLISH);
    let own = phone.local_addr().expect("an address");
    stage.caller.send(&a.invite().sdp(sdp(own)));
    let ok = stage.caller.expect((200, "INVITE"));
    stage.caller.send(&a.ack(&ok));
    wait(300);
    for (number, held) in [(1, 160_u16), (2, 320), (3, 480)] {
        let [high, low] = held.to_be_bytes();
        let key = rtp(101, number, 160, &[1, if number == 3 { 0x8a } else { 10 }, high, low]);
        phone.send_to(&key, ok.sound()).expect("it is sent");
        wait(20);
    }
    let invite = stage.pbx.expect_within(Duration::from_secs(20), "INVITE");
    let mut b = stage.pbx.called(&invite);
    stage.pbx.send(&b.reply(&invite, 200).sdp(sdp(stage.desk.own)));
    stage.pbx.expect("ACK");
    b.cseq = 0;
    stage.desk.talk_to(invite.sound());
    stage.desk.speak(440.0);
    wait(300);

    // Six seconds of 700 Hz by a clock that is half a per cent fast. Each twentieth packet is lost,
    // each seventh comes twice, and every one up to 60 ms late, so that many overtake others.
    let began = Instant::now();
    let due = |number: u32| {
        let jitter = u64::from(number.wrapping_mul(7_919) % 60);
        Duration::from_micros(u64::from(number) * 19_900) + Duration::from_millis(jitter)
    };
    let mut order: Vec<u32> = (0..PACKETS).filter(|number| number % 20 != 13).collect();
    order.sort_by_key(|number| due(*number));
    for number in order {
        let sample = |at: u32| {
            let turn = f64::from(number * 160 + at) * 700.0 * std::f64::consts::TAU / 8_000.0;
            support::sound::encode_a((turn.sin() * 8_000.0) as i16)
        };
        let payload: Vec<u8> = (0..160).map(sample).collect();
        let packet = rtp(8, 10 + number as u16, 8_000 + number * 160, &payload);
        std::thread::sleep(due(number).saturating_sub(began.elapsed()));
        for _ in 0..if number % 7 == 0 { 2 } else { 1 } {
            phone.send_to(&packet, ok.sound()).expect("it is sent");
        }
    }
    let talked = began.elapsed();
    stage.caller.send(&a.request("BYE"));
    stage.caller.expect((200, "BYE"));
    let bye = stage.pbx.expect("BYE");
    stage.pbx.send(&b.reply(&bye, 200));
    let _ended = stage.ended(1);

    let rows = stage.node.until(&["recordings", "list"], |rows| rows[0]["state"] == "stored");
    let (left, right) = stage.node.export(rows[0]["recording"].as_str().expect("an id"));
    assert_eq!(left.len(), right.len(), "both sides are as long");
    let frames: Vec<f64> = left.chunks(160).map(level).collect();
    let loud = |frame: &f64| *frame > 300.0;
    let first = frames.iter().position(loud).expect("speech") * 20;
    let last = frames.iter().rposition(loud).expect("speech") * 20;
    let (spoken, heard_ms) = (talked.as_millis() as usize, last - first);
    assert!(heard_ms.abs_diff(spoken) <= spoken / 100 + 60, "{heard_ms} ms of {spoken} ms");
    // What was lost is missing, and nothing else: a packet of it is a part of two frames.
    let talk = &left[first * 8..last * 8];
    assert!(heard(talk, 700.0) > 0.8, "{}", heard(talk, 700.0));
    let silent = talk.chunks(160).filter(|frame| level(frame) < 100.0).count();
    assert!(silent <= 16, "{silent} frames of silence, and 15 were lost");
    assert!(heard(&right[first * 8..last * 8], 440.0) > 0.95, "the other side is disturbed");
}
