//! SRTP: keys in descriptions, any mix of legs, and what is not under them (S-03, S-05, S-06).

use std::{
    net::UdpSocket,
    time::{Duration, Instant},
};

use support::{
    node::{Change, Node},
    peer::{
        guard::{Guard, Key, SUITES},
        leg::Leg,
        post::What,
        seen::Seen,
    },
    scene::{ENGLISH, NEVER},
    sound::heard,
    stage::{CALLER, Stage, Talk, sdp, sdp_again, wait},
};

/// A node whose trunk and PBX have SRTP in these ways; its keys may be told in the clear.
fn node(trunk: &str, pbx: &str) -> Change {
    Change::default().srtp((trunk, trunk != "off"), (pbx, pbx != "off"))
}

/// A description that wants SRTP under this key.
fn under(text: &str, profile: &str, key: &Key) -> String {
    text.replace("RTP/AVP", profile) + &key.line()
}

/// The one key of an answer, which must repeat tag and suite.
fn answered(seen: &Seen, own: &Key) -> Key {
    let [key] = Key::of(seen).try_into().unwrap_or_else(|_| panic!("no one key in\n{}", seen.text));
    assert_eq!((key.tag, &key.suite), (own.tag, &own.suite), "{}", seen.text);
    assert_ne!(key.octets, own.octets, "our key comes back");
    key
}

/// The key of an offer for a suite, and a key that answers it.
fn chosen(offer: &Seen, suite: &str, seed: u8) -> (Key, Key) {
    let all = Key::of(offer);
    let key = all.iter().find(|key| key.suite == suite).expect("every suite is offered").clone();
    (key.clone(), Key::new(key.tag, suite, seed))
}

/// A call on the line that is never recorded, each leg plain or under a suite.
fn talk(stage: &mut Stage, near: Option<&str>, far: Option<&str>) -> Talk {
    let mut a = stage.caller.calls(CALLER, NEVER);
    let own = near.map(|suite| Key::new(4, suite, 1));
    let plain = sdp(stage.ear.own);
    let offer = own.as_ref().map_or(plain.clone(), |key| under(&plain, "RTP/SAVP", key));
    stage.caller.send(&a.invite().sdp(offer));
    let invite = stage.pbx.expect("INVITE");
    let mut b = stage.pbx.called(&invite);
    let answer = sdp(stage.desk.own);
    let answer = match far {
        None => answer,
        Some(suite) => {
            let (theirs, ours) = chosen(&invite, suite, 2);
            stage.desk.guard(Some(Guard::new(&ours, &theirs)));
            under(&answer, "RTP/SAVP", &ours)
        }
    };
    stage.pbx.send(&b.reply(&invite, 200).sdp(answer));
    stage.pbx.expect("ACK");
    b.cseq = 0;
    let ok = stage.caller.expect((200, "INVITE"));
    stage.caller.send(&a.ack(&ok));
    if let Some(own) = own {
        assert!(ok.body().contains("RTP/SAVP"), "{}", ok.text);
        stage.ear.guard(Some(Guard::new(&own, &answered(&ok, &own))));
    }
    stage.ear.talk_to(ok.sound());
    stage.desk.talk_to(invite.sound());
    Talk { a, b, invite, ok }
}

/// Both speak and both hear.
fn hear_each_other(stage: &mut Stage) {
    stage.ear.speak(700.0);
    stage.desk.speak(440.0);
    let since = Instant::now();
    assert!(stage.desk.hears(700.0, since), "the PBX does not hear the caller");
    assert!(stage.ear.hears(440.0, since), "the caller does not hear the PBX");
}

/// Whether a text is anywhere in what the node logs or shows of its calls' signalling.
fn shows(node: &Node, secrets: &[String]) {
    let calls = node.json(&["calls", "list"]);
    let id = calls[0]["call"].as_str().expect("a call").to_owned();
    let pcap = node.home.path().join("call.pcap").display().to_string();
    let ladder = node.run(&["calls", "show", &id, "--ladder"]).stdout;
    let made = node.run(&["calls", "show", &id, "--pcap", &pcap]);
    let trace = std::fs::read(&pcap).unwrap_or(made.stdout);
    let text = String::from_utf8_lossy(&trace);
    assert!(text.contains("a=crypto:"), "the trace has no key line at all: {} octets", trace.len());
    for secret in secrets {
        // A piece is enough to find it wherever a line is broken.
        let piece = &secret[4..24];
        assert!(!node.log().contains(piece), "a key is in the log");
        assert!(!text.contains(piece), "a key is in the trace");
        assert!(!String::from_utf8_lossy(&ladder).contains(piece), "a key is in the ladder");
    }
}

#[test]
fn s_03_sound_is_heard_both_ways_in_any_mix_of_legs_and_suites() {
    let mixes: [(&str, &str, &[_]); 3] = [
        ("require", "off", &[(Some(SUITES[0].0), None), (Some(SUITES[5].0), None)]),
        ("off", "require", &[(None, Some(SUITES[2].0)), (None, Some(SUITES[4].0))]),
        (
            "offer",
            "require",
            &[
                (Some(SUITES[1].0), Some(SUITES[5].0)),
                (Some(SUITES[4].0), Some(SUITES[3].0)),
                (None, Some(SUITES[0].0)),
            ],
        ),
    ];
    for (trunk, pbx, legs) in mixes {
        let mut stage = Stage::with(node(trunk, pbx));
        for (near, far) in legs {
            (stage.ear, stage.desk) = {
                let voice = support::peer::voice::Voice::new;
                (voice(stage.caller.own.ip()), voice(stage.pbx.own.ip()))
            };
            let mut talk = talk(&mut stage, *near, *far);
            let said = talk.invite.body().contains("RTP/SAVP");
            assert_eq!(said, far.is_some(), "{}", talk.invite.text);
            hear_each_other(&mut stage);
            stage.hang_up(&mut talk);
        }
    }
}

#[test]
fn s_03_a_recorded_call_under_srtp_on_both_legs_is_in_its_recording() {
    let change = node("require", "require").with("confirm = \"first\"", "confirm = \"off\"");
    let mut stage = Stage::with(change);
    let (mut a, b, _) = recorded(&mut stage);
    hear_each_other(&mut stage);
    wait(1_500);
    let (left, right) = ends(&mut stage, &mut a, &b);
    assert!(heard(&left, 700.0) > 0.9, "the caller: {}", heard(&left, 700.0));
    assert!(heard(&right, 440.0) > 0.9, "the PBX: {}", heard(&right, 440.0));
}

/// A call that is recorded, both legs under SRTP; the INVITE at the PBX, too.
fn recorded(stage: &mut Stage) -> (Leg, Leg, Seen) {
    let start = Instant::now();
    let mut a = stage.caller.calls(CALLER, ENGLISH);
    let own = Key::new(1, SUITES[0].0, 1);
    stage.caller.send(&a.invite().sdp(under(&sdp(stage.ear.own), "RTP/SAVP", &own)));
    let ok = stage.caller.expect((200, "INVITE"));
    stage.caller.send(&a.ack(&ok));
    stage.ear.guard(Some(Guard::new(&own, &answered(&ok, &own))));
    stage.ear.talk_to(ok.sound());
    assert!(stage.ear.is_spoken_to(start), "no notice is heard");
    stage.ear.press('1');
    let invite = stage.pbx.expect_within(Duration::from_secs(20), "INVITE");
    let mut b = stage.pbx.called(&invite);
    let (theirs, ours) = chosen(&invite, SUITES[4].0, 2);
    stage.desk.guard(Some(Guard::new(&ours, &theirs)));
    stage.pbx.send(&b.reply(&invite, 200).sdp(under(&sdp(stage.desk.own), "RTP/SAVP", &ours)));
    stage.pbx.expect("ACK");
    b.cseq = 0;
    stage.desk.talk_to(invite.sound());
    (a, b, invite)
}

/// The caller hangs up; what was recorded of both.
fn ends(stage: &mut Stage, a: &mut Leg, b: &Leg) -> (Vec<i16>, Vec<i16>) {
    stage.caller.send(&a.request("BYE"));
    stage.caller.expect((200, "BYE"));
    let bye = stage.pbx.expect("BYE");
    stage.pbx.send(&b.reply(&bye, 200));
    let _ended = stage.ended(1);
    let rows = stage.node.until(&["recordings", "list"], |rows| rows[0]["state"] == "stored");
    stage.node.export(rows[0]["recording"].as_str().expect("an id"))
}

/// The final response to an offer.
fn refused(stage: &mut Stage, body: &str) -> Seen {
    let mut a = stage.caller.calls(CALLER, NEVER);
    stage.caller.send(&a.invite().sdp(body));
    let id = a.call_id.clone();
    let is = move |seen: &Seen| seen.status() >= Some(200) && seen.header("Call-ID") == id;
    let refused = stage.caller.expect(What::that("a final response", is));
    stage.caller.send(&a.ack(&refused));
    refused
}

#[test]
fn s_03_keys_that_cannot_be_used_and_sound_without_are_refused_with_488() {
    let mut stage = Stage::with(node("require", "off"));
    let plain = sdp(stage.ear.own);
    let good = Key::new(1, SUITES[0].0, 1);
    let savp = under(&plain, "RTP/SAVP", &good);
    let key = good.text();
    let faulty = [
        ("plain", plain.clone()),
        ("no key line", plain.replace("RTP/AVP", "RTP/SAVP")),
        ("a short key", savp.replace(&key, &key[..36])),
        ("no base64", savp.replace(&key, &format!("*{}", &key[1..]))),
        ("no suite of ours", savp.replace("AES_CM_128", "F8_128")),
        ("no tag", savp.replace("a=crypto:1 ", "a=crypto:")),
        ("no method", savp.replace("inline:", "")),
        ("a bad lifetime", savp.replace(&key, &format!("{key}|2^99"))),
        ("a bad identifier", savp.replace(&key, &format!("{key}|1:400"))),
        ("without encryption", savp.replace(&key, &format!("{key} UNENCRYPTED_SRTP"))),
        ("without tags", savp.replace(&key, &format!("{key} UNAUTHENTICATED_SRTP"))),
    ];
    for (fault, body) in faulty {
        assert_ne!(body, savp, "{fault} changes nothing");
        let refused = refused(&mut stage, &body);
        assert_eq!(refused.status(), Some(488), "{fault}: {}", refused.text);
        assert!(!refused.text.contains(&key[..20]), "a key goes back: {}", refused.text);
    }
    let mut talk = talk(&mut stage, Some(SUITES[0].0), None);
    hear_each_other(&mut stage);
    stage.hang_up(&mut talk);

    // A PBX that is to have SRTP and answers without is hung up on, and hears nothing.
    let mut stage = Stage::with(node("off", "require"));
    let (mut a, b, invite) = stage.rings();
    stage.desk.talk_to(invite.sound());
    stage.pbx.send(&b.reply(&invite, 200).sdp(sdp(stage.desk.own)));
    stage.pbx.expect("ACK");
    let bye = stage.pbx.expect("BYE");
    stage.pbx.send(&b.reply(&bye, 200));
    let failed = stage.caller.expect(503);
    stage.caller.send(&a.ack(&failed));
    assert!(stage.desk.heard().is_empty(), "something went out in the clear");
}

#[test]
fn s_05_keys_beside_plain_sound_are_offered_taken_and_done_without() {
    let mut stage = Stage::with(node("offer", "offer"));
    // The caller offers them in a plain line, and the PBX passes ours over.
    let own = Key::new(9, SUITES[0].0, 1);
    let mut a = stage.caller.calls(CALLER, NEVER);
    stage.caller.send(&a.invite().sdp(under(&sdp(stage.ear.own), "RTP/AVP", &own)));
    let invite = stage.pbx.expect("INVITE");
    assert!(invite.body().contains("RTP/AVP") && Key::of(&invite).len() == 6, "{}", invite.text);
    let b = stage.pbx.called(&invite);
    let mut one = stage.answers(a, b, invite);
    assert!(one.ok.body().contains("RTP/AVP"), "{}", one.ok.text);
    stage.ear.guard(Some(Guard::new(&own, &answered(&one.ok, &own))));
    hear_each_other(&mut stage);
    stage.hang_up(&mut one);
    // The caller has none, and the PBX takes ours.
    stage.ear = support::peer::voice::Voice::new(stage.caller.own.ip());
    stage.desk = support::peer::voice::Voice::new(stage.pbx.own.ip());
    let (a, b, invite) = stage.rings();
    let (theirs, ours) = chosen(&invite, SUITES[4].0, 2);
    stage.desk.guard(Some(Guard::new(&ours, &theirs)));
    let answer = under(&sdp(stage.desk.own), "RTP/AVP", &ours);
    let mut two = answers_with(&mut stage, a, b, invite, &answer);
    assert!(Key::of(&two.ok).is_empty(), "{}", two.ok.text);
    hear_each_other(&mut stage);
    stage.hang_up(&mut two);
}

fn answers_with(stage: &mut Stage, mut a: Leg, mut b: Leg, invite: Seen, answer: &str) -> Talk {
    stage.pbx.send(&b.reply(&invite, 200).sdp(answer));
    stage.pbx.expect("ACK");
    b.cseq = 0;
    let ok = stage.caller.expect((200, "INVITE"));
    stage.caller.send(&a.ack(&ok));
    stage.ear.talk_to(ok.sound());
    stage.desk.talk_to(invite.sound());
    Talk { a, b, invite, ok }
}

#[test]
fn s_06_rounds_with_losses_new_sources_and_new_keys_are_heard_and_no_key_is_shown() {
    let mut stage = Stage::with(node("require", "require"));
    for voice in [&stage.ear, &stage.desk] {
        voice.jump(65_000, None);
    }
    let mut talk = talk(&mut stage, Some(SUITES[0].0), Some(SUITES[4].0));
    hear_each_other(&mut stage);
    // The numbers go round, and what lies around their end is lost.
    for voice in [&stage.ear, &stage.desk] {
        voice.jump(65_530, None);
    }
    wait(60);
    for voice in [&stage.ear, &stage.desk] {
        voice.jump(20, None);
    }
    wait(60);
    hear_each_other(&mut stage);
    // Another source of the same peer begins in its first round.
    stage.ear.jump(40_000, Some(0x0BAD_CAFE));
    wait(60);
    hear_each_other(&mut stage);
    // A new key counts at once, a key that stays goes on, and so does ours.
    let own = Key::new(2, SUITES[0].0, 77);
    let again = under(&sdp_again(stage.ear.own, 2, "sendrecv"), "RTP/SAVP", &own);
    stage.caller.send(&talk.a.request("INVITE").sdp(again));
    let ok = stage.caller.expect((200, "INVITE"));
    stage.caller.send(&talk.a.ack(&ok));
    let theirs = answered(&ok, &own);
    assert_eq!(theirs.octets, Key::of(&talk.ok)[0].octets, "our key is another without need");
    // By another implementation ours goes on under it, in its second round or the first.
    stage.ear.guard(Some(Guard::new(&own, &theirs)));
    hear_each_other(&mut stage);
    let mut secrets: Vec<String> =
        [&talk.invite, &talk.ok].into_iter().flat_map(Key::of).map(|key| key.text()).collect();
    secrets.extend([own.text(), Key::new(4, SUITES[0].0, 1).text()]);
    shows(&stage.node, &secrets);
    stage.hang_up(&mut talk);
}

/// A plain packet of loud sound that belongs to a voice's stream, as far as its header says.
fn forged(sequence: u16, ssrc: u32) -> Vec<u8> {
    let mut packet = vec![0x80, 8];
    packet.extend(sequence.to_be_bytes());
    packet.extend(u32::from(sequence).wrapping_mul(160).to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.extend(
        support::sound::tone(1_900.0, 20, 20_000.0).into_iter().map(support::sound::encode_a),
    );
    packet
}

/// What a metric counts.
fn counted(node: &Node, reason: &str) -> u64 {
    let line = format!("jawoord_stray_media_total{{reason=\"{reason}\"}} ");
    let metrics = node.metrics();
    let found = metrics.lines().find_map(|text| text.strip_prefix(&line));
    found.and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("no {line} in\n{metrics}"))
}

#[test]
fn s_06_an_injector_who_knows_the_ports_is_neither_heard_nor_recorded_and_is_counted() {
    let change = node("require", "require").with("confirm = \"first\"", "confirm = \"off\"");
    let mut stage = Stage::with(change);
    let (mut a, b, invite) = recorded(&mut stage);
    hear_each_other(&mut stage);
    let near = stage.ear.heard().last().expect("sound").from;
    let far = invite.sound();
    let elsewhere = UdpSocket::bind((stage.caller.own.ip(), 0)).expect("a free port");
    let mut wrong = Guard::new(&Key::new(1, SUITES[0].0, 200), &Key::new(1, SUITES[0].0, 201));
    let bye = [0x81, 203, 0, 1, 0x40, 0, 0, 1];
    for n in 0..100_u16 {
        let plain = forged(n.wrapping_add(20_000), 0x4000_0001);
        let sealed = wrong.seal(&plain);
        for to in [near, far] {
            for datagram in [&plain, &sealed] {
                elsewhere.send_to(datagram, to).expect("it is sent");
            }
            let mut beside = to;
            beside.set_port(to.port() + 1);
            elsewhere.send_to(&bye, beside).expect("it is sent");
        }
        // And whoever can write the peer's own address.
        for voice in [&stage.ear, &stage.desk] {
            voice.raw(plain.clone());
            voice.raw(sealed.clone());
            voice.raw(vec![0x80 | (n as u8 & 0x3f); usize::from(n)]);
            voice.again();
        }
        wait(10);
    }
    hear_each_other(&mut stage);
    for voice in [&mut stage.ear, &mut stage.desk] {
        let strange = voice.heard().iter().filter(|packet| packet.holds(1_900.0)).count();
        assert_eq!(strange, 0, "the injector is heard");
    }
    let (left, right) = ends(&mut stage, &mut a, &b);
    for channel in [&left, &right] {
        assert!(heard(channel, 1_900.0) < 0.01, "the injector is recorded");
    }
    assert!(heard(&left, 700.0) > 0.8 && heard(&right, 440.0) > 0.8, "the call is not whole");
    assert!(counted(&stage.node, "foreign") >= 400, "{}", stage.node.metrics());
    assert!(counted(&stage.node, "unauthentic") >= 400, "{}", stage.node.metrics());
    assert!(counted(&stage.node, "replayed") >= 100, "{}", stage.node.metrics());
}
