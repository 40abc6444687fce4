//! What is noticed of a call while it is up, and what its record says of its sound afterwards: one-way
//! audio (beside B-33), keys that do not come through, loss, jitter and how that is heard (O-08).

use std::{
    net::{SocketAddr, UdpSocket},
    time::Duration,
};

use serde_json::Value;
use support::{
    exchange::{Act, Manner, Plan},
    node::{Change, Node},
    peer::voice::Voice,
    scene::{ENGLISH, Scene},
    stage::{Stage, sdp_again, wait},
};

/// An alarm after two seconds of one-way audio.
fn quick() -> Change {
    Change::default().with("one_way_s = 10", "one_way_s = 2")
}

/// The call that runs.
fn running(node: &Node) -> String {
    let rows = node.until(&["calls", "list"], |rows| rows[0]["call"].is_string());
    rows[0]["call"].as_str().expect("an id").to_owned()
}

/// Waits until exactly this is wrong with a running call.
fn wrong(node: &Node, call: &str, alarms: &[&str]) -> Value {
    node.until(&["calls", "show", call], |shown| shown["alarms"] == Value::from(alarms))
}

fn counts(node: &Node, line: &str) -> bool {
    node.metrics().lines().any(|metric| metric == line)
}

/// How often the log says something.
fn said(node: &Node, what: &str) -> usize {
    node.log().lines().filter(|line| line.contains("WARN") && line.contains(what)).count()
}

/// The ladder's own remarks.
fn remarks(shown: &Value) -> Vec<String> {
    let steps = shown["ladder"].as_array().cloned().unwrap_or_default();
    let label = |step: &Value| step["label"].as_str().unwrap_or_default().to_owned();
    steps
        .iter()
        .map(label)
        .filter(|label| label.contains("sound") || label.contains("keys"))
        .collect()
}

/// One row of the record of how a call sounded.
fn row<'a>(shown: &'a Value, leg: &str, way: &str) -> &'a Value {
    let rows = shown["quality"].as_array().expect("a record of the sound");
    let is = |row: &&Value| row["leg"] == leg && row["way"] == way;
    rows.iter().find(is).expect("a row of the leg")
}

#[test]
fn b_33_a_side_that_sends_nothing_raises_an_alarm_while_the_call_goes_on_and_its_sound_ends_it() {
    let mut stage = Stage::with(quick());
    let mut talk = stage.talk();
    let call = running(&stage.node);
    wait(1_000);
    assert_eq!(wrong(&stage.node, &call, &[])["verdict"], Value::Null);
    stage.ear.stop();
    wrong(&stage.node, &call, &["no sound of the customer: silent"]);
    assert!(counts(&stage.node, "jawoord_unheard_total{cause=\"silent\",leg=\"customer\"} 1"));
    assert!(counts(&stage.node, "jawoord_unheard_legs 1"));
    stage.ear.talk_to(talk.ok.sound());
    wrong(&stage.node, &call, &[]);
    assert!(counts(&stage.node, "jawoord_unheard_legs 0"));
    // And the other side, which is still missing when the call ends.
    stage.desk.stop();
    wrong(&stage.node, &call, &["no sound of the agent: silent"]);
    stage.hang_up(&mut talk);
    stage.ended(1);
    assert!(
        counts(&stage.node, "jawoord_unheard_legs 0"),
        "nobody is missing in a call that is over"
    );
    let shown = stage.node.json(&["calls", "show", &call]);
    let told = remarks(&shown);
    let back = told.get(1).expect("three remarks");
    assert!(back.starts_with("sound of the customer again after"), "{told:?}");
    assert_eq!(
        [&told[0], &told[2]],
        ["no sound of the customer: silent", "no sound of the agent: silent"]
    );
    for leg in ["customer", "agent"] {
        let row = row(&shown, leg, "received");
        assert_eq!(row["unheard"], "silent", "{row}");
        assert!(row["unheard_ms"].as_u64().is_some_and(|ms| (2_000..9_000).contains(&ms)), "{row}");
    }
    // One line for each, and no address in it.
    assert_eq!(said(&stage.node, "one side of a call is not heard"), 2);
    let lines = stage.node.log();
    assert!(
        !lines.lines().any(|line| line.contains("WARN") && line.contains("127.0.0.1")),
        "{lines}"
    );
}

/// Sends an RTP packet each 20 ms for so long, from `send`.
fn streams(millis: u64, kind: u8, mut send: impl FnMut(Vec<u8>)) {
    for number in 0..millis / 20 {
        let mut packet = vec![0x80, kind];
        packet.extend((number as u16).to_be_bytes());
        packet.extend((number as u32 * 160).to_be_bytes());
        packet.extend(0x0bad_cafe_u32.to_be_bytes());
        packet.extend([0xd5; 160]);
        send(packet);
        wait(20);
    }
}

#[test]
fn b_33_what_comes_instead_of_a_sides_sound_is_named_and_who_is_held_is_not_missed() {
    let mut stage = Stage::with(quick());
    let mut talk = stage.talk();
    let call = running(&stage.node);
    wait(300);
    // The customer's sound comes from a port that its description does not name.
    stage.ear.stop();
    let elsewhere = UdpSocket::bind((stage.caller.own.ip(), 0)).expect("a free port");
    let node = talk.ok.sound();
    streams(2_500, 8, |packet| {
        elsewhere.send_to(&packet, node).expect("it is sent");
    });
    wrong(&stage.node, &call, &["no sound of the customer: elsewhere"]);
    // It comes from the right place again, and is of a payload type that nobody has agreed on.
    stage.ear.talk_to(node);
    wrong(&stage.node, &call, &[]);
    stage.ear.rest(true);
    let ear: &Voice = &stage.ear;
    streams(2_500, 96, |packet| ear.raw(packet));
    wrong(&stage.node, &call, &["no sound of the customer: unknown-format"]);
    stage.ear.rest(false);
    wrong(&stage.node, &call, &[]);
    // Held by the PBX, the customer may be silent for as long as it likes.
    offers(&mut stage, &mut talk.b, 2, "sendonly");
    stage.ear.stop();
    wait(3_500);
    assert_eq!(wrong(&stage.node, &call, &[])["verdict"], Value::Null);
    // When the hold is over, it has its time again.
    offers(&mut stage, &mut talk.b, 3, "sendrecv");
    wrong(&stage.node, &call, &["no sound of the customer: silent"]);
    stage.hang_up(&mut talk);
    stage.ended(1);
    let shown = stage.node.json(&["calls", "show", &call]);
    assert_eq!(row(&shown, "agent", "received")["unheard"], Value::Null);
}

/// The PBX offers a direction and takes the answer.
fn offers(stage: &mut Stage, b: &mut support::peer::leg::Leg, version: u32, direction: &str) {
    b.cseq += 1;
    stage.pbx.send(&b.invite().sdp(sdp_again(stage.desk.own, version, direction)));
    let cseq = b.cseq;
    let is = move |seen: &support::peer::seen::Seen| {
        seen.status() == Some(200) && seen.cseq() == (cseq, "INVITE")
    };
    let ok = stage.pbx.expect(support::peer::post::What::that("200 to the offer", is));
    stage.pbx.send(&b.ack(&ok));
}

#[test]
fn d_18_tones_for_an_answer_where_events_are_agreed_raise_an_alarm_and_a_key_ends_it() {
    let mut stage = Stage::curt();
    let (mut a, _ok) = stage.asked();
    let call = running(&stage.node);
    wait(500);
    stage.ear.dial('1');
    wrong(&stage.node, &call, &["keys do not come through: tones"]);
    assert!(counts(&stage.node, "jawoord_dead_keys_total{cause=\"tones\"} 1"));
    assert_eq!(said(&stage.node, "media.tones_beside_events"), 1);
    stage.ear.press('2');
    wrong(&stage.node, &call, &[]);
    stage.caller.send(&a.request("BYE"));
    stage.caller.expect((200, "BYE"));
    stage.ended(1);
    let shown = stage.node.json(&["calls", "show", &call]);
    assert_eq!(remarks(&shown), ["keys do not come through: tones"]);
    // Nothing says which key it was.
    assert!(!shown["ladder"].to_string().contains("key 1"), "{shown}");
}

#[test]
fn d_12_keys_of_a_payload_type_that_was_not_agreed_raise_an_alarm_while_one_is_awaited() {
    let mut stage = Stage::start();
    let (mut a, _ok) = stage.asked();
    let call = running(&stage.node);
    wait(500);
    stage.ear.events(97);
    stage.ear.press('1');
    wrong(&stage.node, &call, &["keys do not come through: stray-events"]);
    assert!(counts(&stage.node, "jawoord_dead_keys_total{cause=\"stray-events\"} 1"));
    stage.caller.send(&a.request("BYE"));
    stage.caller.expect((200, "BYE"));
    stage.ended(1);
    // Nobody is asked here, and nobody cares.
    let mut talk = stage.talk();
    stage.ear.events(98);
    stage.ear.press('1');
    wait(500);
    assert!(counts(&stage.node, "jawoord_dead_keys_total{cause=\"stray-events\"} 1"));
    stage.hang_up(&mut talk);
}

#[test]
fn a_trunk_on_which_no_question_is_ever_answered_by_a_key_raises_an_alarm() {
    let change = Change::default()
        .with("unanswered_questions = 20", "unanswered_questions = 3")
        .with("answer_timeout_ms = 4000", "answer_timeout_ms = 2000")
        .with("repeats = 1", "repeats = 0");
    let acts = vec![(Duration::from_millis(300), Act::HangUp)];
    let manner = Manner::Answers { after: Duration::ZERO, tone_hz: 0.0, acts };
    let mut scene = Scene::start(&change, manner);
    for from in ["+31612345611", "+31612345612", "+31612345613"] {
        scene.call(Plan::new(from, ENGLISH));
    }
    // Who hangs up in the notice says nothing about keys.
    scene.call(Plan::new("+31612345614", ENGLISH).at(1_000, Act::HangUp));
    scene.over(4, 40);
    let calls = scene.node.until(&["calls", "list"], |rows| {
        rows.as_array().is_some_and(|rows| rows.iter().all(|row| row["verdict"].is_string()))
    });
    let silent = calls.as_array().into_iter().flatten().filter(|row| row["consent"] == "not-given");
    assert_eq!(silent.count(), 3, "{calls}");
    assert!(counts(&scene.node, "jawoord_unanswered_questions{trunk=\"carrier\"} 3"));
    assert!(counts(&scene.node, "jawoord_dead_keys_total{cause=\"unanswered\"} 1"));
    assert_eq!(said(&scene.node, "were answered by no key"), 1);
    // One key, and it is over.
    scene
        .call(Plan::new("+31612345615", ENGLISH).at(1_000, Act::Press('5')).at(2_000, Act::HangUp));
    scene.over(5, 10);
    scene.node.until(&["calls", "list"], |rows| {
        rows.as_array()
            .is_some_and(|rows| rows.iter().filter(|row| row["verdict"].is_string()).count() == 5)
    });
    assert!(counts(&scene.node, "jawoord_unanswered_questions{trunk=\"carrier\"} 0"));
}

/// A receiver report about `node`: so many lost up to this sequence number, and this jitter in samples.
fn about(node: u32, lost: u8, highest: u16, jitter: u8) -> Vec<u8> {
    let mut report = vec![0x81, 201, 0, 7];
    report.extend(0x1234_5678_u32.to_be_bytes());
    report.extend(node.to_be_bytes());
    report.extend([0, 0, 0, lost, 0, 0]);
    report.extend(highest.to_be_bytes());
    report.extend([0, 0, 0, jitter]);
    report.resize(32, 0);
    report
}

#[test]
fn o_08_the_record_says_how_each_leg_sounded_by_what_came_and_by_what_the_peer_reports() {
    let mut stage = Stage::start();
    let mut talk = stage.talk();
    let call = running(&stage.node);
    wait(1_500);
    // Of the customer's sound, ten packets in a row are lost.
    let last = stage.desk.heard().last().expect("sound").sequence;
    let spoken = stage.desk.heard().len();
    assert!(spoken > 50, "{spoken} packets in a second and a half");
    stage.ear.skip(10);
    wait(1_500);
    let after = stage.desk.heard().last().expect("sound").sequence;
    assert!(after.wrapping_sub(last) > 60, "the numbers go on");
    // The customer's phone reports that it has lost five, unevenly.
    let (ssrc, highest, count) = {
        let heard = stage.ear.heard();
        let newest = heard.last().expect("sound");
        (newest.ssrc, newest.sequence, heard.len())
    };
    let beside = UdpSocket::bind((stage.ear.own.ip(), 0)).expect("a free port");
    let reports = SocketAddr::new(talk.ok.sound().ip(), talk.ok.sound().port() + 1);
    beside.send_to(&about(ssrc, 5, highest, 40), reports).expect("it is sent");
    wait(200);
    stage.hang_up(&mut talk);
    stage.ended(1);
    let shown = stage.node.json(&["calls", "show", &call]);
    let number = |leg: &str, way: &str, name: &str| {
        row(&shown, leg, way)[name].as_f64().unwrap_or_else(|| panic!("no {name}: {shown:#}"))
    };
    let sent = f64::from(after.wrapping_sub(last)) + spoken as f64;
    let lost = number("customer", "received", "loss_percent");
    assert!((lost - 1_000.0 / sent).abs() < 1.0, "{lost} % of {sent}");
    let (bad, good) = (number("customer", "received", "mos"), number("agent", "received", "mos"));
    // Ten lost of some two hundred cost a tenth at the least; how many there were depends on the clock.
    assert!(bad < good - 0.1 && (4.2..4.42).contains(&good), "{bad} and {good}");
    assert!(number("agent", "received", "loss_percent") < 0.01);
    let told = number("customer", "sent", "loss_percent");
    assert!((told - 500.0 / count as f64).abs() < 0.3, "{told} % of {count}");
    assert!((number("customer", "sent", "jitter_ms") - 5.0).abs() < 0.01);
    assert_eq!(row(&shown, "agent", "sent")["mos"], Value::Null, "the PBX has told nothing");
    assert_eq!(row(&shown, "customer", "received")["codec"], "pcma");
    for (leg, way, calls) in [
        ("customer", "received", 1),
        ("customer", "sent", 1),
        ("agent", "received", 1),
        ("agent", "sent", 0),
    ] {
        let line = format!("jawoord_call_mos_count{{leg=\"{leg}\",way=\"{way}\"}} {calls}");
        assert!(counts(&stage.node, &line), "{line}");
    }
    let text = stage.node.run(&["calls", "show", &call]).stdout;
    let text = String::from_utf8_lossy(&text).into_owned();
    let table = text.lines().find(|line| line.starts_with("leg ")).unwrap_or_default();
    assert!(table.contains("mos") && table.contains("loss percent"), "{text}");
}
