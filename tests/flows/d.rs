//! Keys, by whichever way they come and go: rows D.

use std::{net::SocketAddr, time::Duration};

use support::{
    node::Change,
    peer::{
        leg::Leg,
        post::What,
        seen::Seen,
        voice::{Packet, tones},
    },
    scene::{ENGLISH, NEVER},
    sound::{level, share},
    stage::{CALLER, Stage, Talk, sdp, wait},
};

const RELAY: &str = "application/dtmf-relay";

/// A session description without telephone events.
fn plain(sound: SocketAddr) -> String {
    let events = "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n";
    sdp(sound).replace("RTP/AVP 8 101", "RTP/AVP 8").replace(events, "")
}

/// A call on the line that is never recorded, of sides with these descriptions.
fn talk_with(stage: &mut Stage, caller: &str, pbx: &str) -> Talk {
    let mut a = stage.caller.calls(CALLER, NEVER);
    stage.caller.send(&a.invite().sdp(caller));
    let invite = stage.pbx.expect("INVITE");
    let b = stage.pbx.called(&invite);
    stage.pbx.send(&b.reply(&invite, 200).sdp(pbx));
    stage.pbx.expect("ACK");
    let ok = stage.caller.expect((200, "INVITE"));
    stage.caller.send(&a.ack(&ok));
    stage.ear.talk_to(ok.sound());
    stage.desk.talk_to(invite.sound());
    Talk { a, b, invite, ok }
}

/// The same, where the PBX has no telephone events.
fn talk_without_events(stage: &mut Stage) -> Talk {
    let (caller, pbx) = (sdp(stage.ear.own), plain(stage.desk.own));
    talk_with(stage, &caller, &pbx)
}

/// A caller with this description who is asked and hears the notice.
fn asked_with(stage: &mut Stage, caller: &str) -> Leg {
    stage.asked_by(caller.to_owned()).0
}

/// The PBX answers; what the caller presses now is for it.
fn put_through(stage: &mut Stage) -> Seen {
    // A yes counts when the notice has been heard in full.
    let invite = stage.pbx.expect_within(Duration::from_secs(30), "INVITE");
    let b = stage.pbx.called(&invite);
    stage.pbx.send(&b.reply(&invite, 200).sdp(sdp(stage.desk.own)));
    stage.pbx.expect("ACK");
    stage.desk.talk_to(invite.sound());
    invite
}

/// Waits until the PBX has been given so many keys as events, and a while longer.
fn keys_at_the_pbx(stage: &mut Stage, count: usize) -> String {
    let marks = |packets: &[Packet]| {
        packets.iter().filter(|packet| packet.kind == 101 && packet.marker).count() >= count
    };
    assert!(stage.desk.until(3_000, marks), "the PBX has {:?}", stage.desk.keys(101));
    wait(200);
    stage.desk.keys(101)
}

fn info(stage: &mut Stage, leg: &mut Leg, package: &str, kind: &str, body: &str) -> Seen {
    let mut draft = leg.request("INFO").body(kind, body);
    if !package.is_empty() {
        draft = draft.with("Info-Package", package);
    }
    stage.caller.send(&draft);
    let cseq = leg.cseq;
    let is = move |seen: &Seen| seen.status() >= Some(200) && seen.cseq() == (cseq, "INFO");
    stage.caller.expect(What::that("an answer to INFO", is))
}

#[test]
fn d_15_an_info_of_an_unknown_kind_gets_415_an_empty_one_200_an_unknown_package_469() {
    let mut stage = Stage::start();
    let mut talk = stage.talk();
    let odd = info(&mut stage, &mut talk.a, "", "application/x-odd", "odd");
    assert_eq!(odd.status(), Some(415));
    assert!(odd.header("Accept").contains("application/dtmf-relay"), "{}", odd.text);
    assert_eq!(info(&mut stage, &mut talk.a, "", "", "").status(), Some(200));
    let package = info(&mut stage, &mut talk.a, "x-odd", "application/dtmf", "1");
    assert_eq!(package.status(), Some(469), "{}", package.text);
    assert!(package.get("Recv-Info").is_some());
    stage.caller.hears_no(50, "BYE");
}

#[test]
fn d_16_an_info_outside_a_call_gets_481() {
    let mut stage = Stage::start();
    let mut nobody = stage.caller.calls(CALLER, NEVER);
    let lost = info(&mut stage, &mut nobody, "", "application/dtmf", "1");
    assert_eq!(lost.status(), Some(481), "{}", lost.text);
    nobody.remote.push_str(";tag=gone");
    let lost = info(&mut stage, &mut nobody, "", "application/dtmf-relay", "Signal=1\r\n");
    assert_eq!(lost.status(), Some(481), "{}", lost.text);
}

#[test]
fn d_13_keys_by_info_in_every_spelling_reach_the_pbx_as_events_once_each() {
    let mut stage = Stage::start();
    let mut talk = stage.talk();
    for body in [
        "Signal=1\r\nDuration=160\r\n",
        "Signal= 2\r\nDuration= 100",
        "signal=*",
        "Duration=80\nSignal = #\n",
        "Signal=10\r\n",
        "Signal=16\r\nDuration=100\r\n",
        "nonsense",
    ] {
        assert_eq!(info(&mut stage, &mut talk.a, "", RELAY, body).status(), Some(200), "{body:?}");
    }
    assert_eq!(keys_at_the_pbx(&mut stage, 5), "12*#*");
    stage.pbx.hears_no(10, "INFO");
}

#[test]
fn d_14_plain_keys_by_info_reach_the_pbx_as_events_once_each() {
    let mut stage = Stage::start();
    let mut talk = stage.talk();
    for body in ["5", "10", "11\r\n", "b"] {
        let seen = info(&mut stage, &mut talk.a, "", "application/dtmf", body);
        assert_eq!(seen.status(), Some(200), "{body:?}");
    }
    assert_eq!(keys_at_the_pbx(&mut stage, 4), "5*#B");
}

#[test]
fn d_18_a_key_pressed_by_event_and_by_info_at_once_is_one() {
    let mut stage = Stage::start();
    let mut talk = stage.talk();
    stage.ear.press('5');
    info(&mut stage, &mut talk.a, "", RELAY, "Signal=5\r\nDuration=100\r\n");
    wait(150);
    info(&mut stage, &mut talk.a, "", RELAY, "Signal=6\r\nDuration=100\r\n");
    stage.ear.press('6');
    wait(400);
    assert_eq!(keys_at_the_pbx(&mut stage, 2), "56");
}

#[test]
fn d_19_a_key_sounds_as_its_tones_to_a_pbx_without_events() {
    let mut stage = Stage::start();
    talk_without_events(&mut stage);
    wait(100);
    stage.ear.press('5');
    let sounds =
        |packets: &[Packet]| packets.iter().filter(|packet| packet.holds(770.0)).count() > 9;
    // Never true: a key has two tones. What is waited for is the time.
    assert!(!stage.desk.until(600, sounds));
    let sounded = stage.desk.sounded('5');
    assert!((40..=120).contains(&sounded), "it sounded for {sounded} ms");
    assert_eq!(stage.desk.keys(101), "");
}

#[test]
fn d_19_a_key_is_told_by_info_to_a_pbx_that_takes_keys_so() {
    let change =
        Change::default().with("keys_without_events = \"tones\"", "keys_without_events = \"info\"");
    let mut stage = Stage::with(change);
    let talk = talk_without_events(&mut stage);
    stage.ear.press('#');
    let told = stage.pbx.expect("INFO");
    assert_eq!(told.header("Content-Type"), RELAY);
    assert!(told.body().contains("Signal=#\r\n"), "{}", told.text);
    let held =
        told.body().split("Duration=").nth(1).and_then(|text| text.trim().parse::<u16>().ok());
    assert!(held.is_some_and(|held| (40..=100).contains(&held)), "{}", told.text);
    stage.pbx.send(&talk.b.reply(&told, 200));
    stage.pbx.hears_no(400, "INFO");
    assert_eq!(stage.desk.sounded('#'), 0);
}

#[test]
fn d_11_a_caller_without_events_consents_and_withdraws_by_tone_and_the_log_says_how_keys_come() {
    let mut stage = Stage::curt();
    let caller = plain(stage.ear.own);
    let mut a = asked_with(&mut stage, &caller);
    stage.ear.dial('1');
    put_through(&mut stage);
    wait(300);
    assert_eq!(stage.desk.sounded('1'), 0, "the consent key is heard at the PBX");
    stage.ear.dial('5');
    assert_eq!(keys_at_the_pbx(&mut stage, 1), "5", "a tone is an event to who takes events");
    stage.ear.dial('*');
    wait(400);
    assert!(stage.desk.sounded('*') <= 20, "{} ms", stage.desk.sounded('*'));
    stage.caller.send(&a.request("BYE"));
    stage.caller.expect((200, "BYE"));
    assert_eq!(stage.ended(1)[0]["consent"], "withdrawn");
    let log = stage.node.log();
    let of = |party: &str| {
        let mut told = log.lines().filter(|line| line.contains("how keys come"));
        told.any(|line| line.contains(party) && line.contains("tones in the sound, or INFO"))
    };
    assert!(of("customer") && !of("agent"), "{log}");
}

#[test]
fn d_20_the_key_of_the_decision_never_reaches_the_pbx_and_the_next_key_does() {
    let mut stage = Stage::curt();
    let caller = sdp(stage.ear.own);
    let mut a = asked_with(&mut stage, &caller);
    // A refusal acts at once, where a yes waits for the end of the notice.
    stage.ear.press('2');
    info(&mut stage, &mut a, "", RELAY, "Signal=2\r\nDuration=100\r\n");
    put_through(&mut stage);
    wait(200);
    stage.ear.press('7');
    assert_eq!(keys_at_the_pbx(&mut stage, 1), "7");
}

#[test]
fn d_21_the_last_key_before_the_caller_hangs_up_reaches_the_pbx() {
    let mut stage = Stage::start();
    let mut talk = stage.talk();
    for key in ['1', '2'] {
        stage.ear.press(key);
        wait(200);
    }
    stage.ear.press('3');
    wait(30);
    stage.caller.send(&talk.a.request("BYE"));
    stage.caller.expect((200, "BYE"));
    assert_eq!(keys_at_the_pbx(&mut stage, 3), "123");
}

#[test]
fn d_12_events_on_a_payload_type_not_agreed_go_nowhere_and_are_logged_once() {
    let mut stage = Stage::start();
    stage.talk();
    stage.ear.events(121);
    for key in ['1', '2'] {
        stage.ear.press(key);
        wait(250);
    }
    assert_eq!((stage.desk.keys(121), stage.desk.keys(101)), (String::new(), String::new()));
    let warned = stage.node.log().matches("payload type that was not agreed").count();
    assert_eq!(warned, 1);
}

#[test]
fn d_12_where_the_operator_accepts_them_such_events_are_keys_and_one_of_them_is_a_yes() {
    let change = Change::default()
        .with("confirm = \"first\"", "confirm = \"off\"")
        .with("stray_events = \"ignore\"", "stray_events = \"accept\"");
    let mut stage = Stage::with(change);
    let caller = plain(stage.ear.own);
    asked_with(&mut stage, &caller);
    stage.ear.events(121);
    stage.ear.press('1');
    put_through(&mut stage);
    for key in ['4', '2'] {
        stage.ear.press(key);
        wait(250);
    }
    assert_eq!(keys_at_the_pbx(&mut stage, 2), "42");
    stage.node.until(&["recordings", "list"], |rows| rows[0]["recording"].is_string());
    let warned = stage.node.log().matches("payload type that was not agreed").count();
    assert_eq!(warned, 1);
}

/// The answer to an offer with these formats beside A-law.
fn answer(stage: &mut Stage, formats: &str, attributes: &str) -> String {
    let offer = plain(stage.ear.own)
        .replace("RTP/AVP 8", &format!("RTP/AVP {formats}"))
        .replace("a=ptime:20\r\n", &format!("{attributes}a=ptime:20\r\n"));
    let mut a = stage.caller.calls(CALLER, ENGLISH);
    stage.caller.send(&a.invite().sdp(offer));
    let ok = stage.caller.expect((200, "INVITE"));
    stage.caller.send(&a.ack(&ok));
    ok.body().to_owned()
}

#[test]
fn d_10_of_events_in_two_clocks_those_in_the_clock_of_the_codec_are_agreed() {
    let mut stage = Stage::start();
    let both = "a=rtpmap:111 opus/48000/2\r\na=rtpmap:110 telephone-event/48000\r\n\
                a=rtpmap:126 telephone-event/8000\r\n";
    let agreed = answer(&mut stage, "111 110 8 126", both);
    assert!(agreed.contains("RTP/AVP 8 126\r\n"), "{agreed}");
    assert!(agreed.contains("a=rtpmap:126 telephone-event/8000"), "{agreed}");
    assert!(!agreed.contains("48000"), "{agreed}");
    let other = "a=rtpmap:110 telephone-event/48000\r\n";
    let agreed = answer(&mut stage, "8 110", other);
    assert!(agreed.contains("RTP/AVP 8\r\n") && !agreed.contains("telephone-event"), "{agreed}");
}

#[test]
fn d_28_redundant_coding_of_events_is_refused() {
    let mut stage = Stage::start();
    let red =
        "a=rtpmap:121 red/8000\r\na=fmtp:121 101/101\r\na=rtpmap:101 telephone-event/8000\r\n";
    let agreed = answer(&mut stage, "8 121 101", red);
    assert!(agreed.contains("RTP/AVP 8 101\r\n") && !agreed.contains("red/"), "{agreed}");
}

#[test]
fn d_24_a_key_shows_in_no_log_and_no_ladder() {
    let mut stage = Stage::start();
    let mut talk = stage.talk();
    for key in ["7", "8"] {
        info(&mut stage, &mut talk.a, "", RELAY, &format!("Signal={key}\r\nDuration=123\r\n"));
    }
    assert_eq!(keys_at_the_pbx(&mut stage, 2), "78");
    stage.hang_up(&mut talk);
    let calls = stage.ended(1);
    let id = calls[0]["call"]
        .as_str()
        .or_else(|| calls[0]["id"].as_str())
        .unwrap_or_default()
        .to_owned();
    let shown =
        stage.node.until(&["calls", "show", &id], |call| call["verdict"].is_string()).to_string();
    let log = stage.node.log();
    for text in [&shown, &log] {
        assert!(!text.contains("Signal") && !text.contains("Duration=123"), "{text}");
    }
    assert!(shown.contains("INFO"), "{shown}");
}

/// How many stretches of 20 ms hold the tones of a key. What is left over at the end is too short to tell
/// one tone from another.
fn dialled(samples: &[i16], key: char) -> usize {
    let (row, column) = tones(key);
    let both = |part: &&[i16]| {
        let (one, other) = (share(part, row), share(part, column));
        level(part) > 100.0 && one > 0.2 && other > 0.2 && one + other > 0.7
    };
    samples.chunks_exact(160).filter(both).count()
}

#[test]
fn d_23_tones_of_keys_are_silence_in_a_recording_that_is_to_hold_none_and_reach_the_pbx() {
    let change = Change::default()
        .with("confirm = \"first\"", "confirm = \"off\"")
        .with("blank_keys = false", "blank_keys = true");
    let mut stage = Stage::with(change);
    let caller = sdp(stage.ear.own);
    let mut a = asked_with(&mut stage, &caller);
    stage.ear.press('1');
    put_through(&mut stage);
    stage.ear.speak(600.0);
    stage.desk.speak(1_000.0);
    wait(1_000);
    for key in ['5', '9', '0'] {
        stage.ear.dial(key);
        wait(250);
    }
    stage.desk.dial('7');
    wait(700);
    assert!(stage.desk.sounded('5') >= 80 && stage.ear.sounded('7') >= 80, "the talk has them");
    stage.caller.send(&a.request("BYE"));
    stage.caller.expect((200, "BYE"));
    let stored = |list: &serde_json::Value| list[0]["state"] == "stored";
    let list = stage.node.until(&["recordings", "list"], stored);
    let (left, right) = stage.node.export(list[0]["recording"].as_str().expect("an id"));
    for (samples, hz) in [(&left, 600.0), (&right, 1_000.0)] {
        let talks = samples.chunks_exact(160).filter(|part| share(part, hz) > 0.9).count();
        assert!(talks > 60, "{talks} packets of speech are in the recording");
        let keys = ['5', '9', '0', '7'].map(|key| dialled(samples, key));
        assert_eq!(keys, [0; 4], "tones of keys are in the recording");
    }
}
