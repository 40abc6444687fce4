//! Calls that are put through and left alone: a line for machines, a confidential helpline, a closed line.

use std::{
    sync::LazyLock,
    time::{Duration, Instant, SystemTime},
};

use support::{
    exchange::{Act, Manner, Plan},
    node::Change,
    scene::{DUTCH, ENGLISH, NEVER, Scene, words},
    sound::heard,
    stage::{Stage, wait},
};

/// What no telephone says: a second of octets in which each value follows upon each other one.
static MACHINE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let octet = |n: u32| (n.wrapping_mul(2_654_435_761) >> 13) as u8;
    (0..8_000).map(octet).collect()
});

/// A PBX that answers at once and says 440 Hz.
fn answers() -> Manner {
    Manner::Answers { after: Duration::from_millis(50), tone_hz: 440.0, acts: Vec::new() }
}

/// Whether these octets are a stretch of what a machine sends, over and over.
fn is_of_a_machine(octets: &[u8]) -> bool {
    let twice = [&MACHINE[..], &MACHINE[..]].concat();
    let Some(begin) = octets.get(..160) else { return false };
    let place = twice.windows(160).position(|stretch| stretch == begin);
    let expected = |place: usize| MACHINE.iter().cycle().skip(place).take(octets.len());
    place.is_some_and(|place| expected(place).eq(octets))
}

#[test]
fn a_line_for_machines_passes_every_octet_both_ways_and_says_nothing() {
    let mode = "number = \"+31201234569\"\nmode = \"transparent\"";
    // Tones beside events are looked for nowhere on such a line.
    let change = Change::default()
        .with("number = \"+31201234569\"", mode)
        .with("tones_beside_events = false", "tones_beside_events = true");
    let mut stage = Stage::with(change);
    let called = Instant::now();
    let (a, b, invite) = stage.rings();
    assert!(called.elapsed() < Duration::from_millis(500), "{:?}", called.elapsed());
    let mut talk = stage.answers(a, b, invite);
    wait(200);
    let since = Instant::now();
    for voice in [&stage.ear, &stage.desk] {
        voice.play(Some((8, &MACHINE)));
    }
    wait(2_000);
    for voice in [&mut stage.ear, &mut stage.desk] {
        let packets = voice.heard().iter().filter(|packet| packet.at >= since);
        let silent = |octet: &u8| *octet == 0xD5;
        let octets: Vec<u8> = packets.flat_map(|packet| packet.payload.clone()).collect();
        let begin = octets.iter().position(|octet| !silent(octet)).expect("something");
        let octets = &octets[begin / 160 * 160..];
        assert!(octets.len() > 8_000, "{} octets came", octets.len());
        assert!(is_of_a_machine(octets), "an octet is another one");
    }
    // A key is one for the other side, whichever it is.
    for key in "19*#".chars() {
        stage.ear.press(key);
        wait(250);
    }
    assert_eq!(stage.desk.keys(101), "19*#");
    stage.hang_up(&mut talk);
    assert_eq!(words(&stage.ended(1)[0]), "not-asked bridged transparent");
    assert!(stage.node.metrics().contains("jawoord_verdict_total{verdict=\"transparent\"} 1"));
    assert_eq!(stage.node.done(&["recordings", "list"]), serde_json::json!([]));
}

#[test]
fn who_calls_from_a_helpline_is_put_through_at_once_and_nobody_else() {
    let list =
        "[[confidential]]\nsets = [\"nl-helplines\"]\nnumbers = [\"020-7654321\"]\n\n[headers] ";
    let mut scene = Scene::start(&Change::default().with("[headers] ", list), answers());
    let calls = [
        ("08002000", "not-asked bridged confidential"),
        ("+31207654321", "not-asked bridged confidential"),
        ("+31207654322", "abandoned caller-gone abandoned"),
    ];
    for (from, _) in calls {
        scene.call(Plan::new(from, ENGLISH).at(2_000, Act::HangUp));
    }
    scene.over(3, 15);
    let list = scene.node.until(&["calls", "list"], |calls| {
        calls.as_array().is_some_and(|rows| rows.iter().all(|row| row["verdict"].is_string()))
    });
    let mut said: Vec<String> = list.as_array().into_iter().flatten().map(words).collect();
    said.sort();
    let mut expected = calls.map(|(_, words)| words.to_owned());
    expected.sort();
    assert_eq!(said, expected);
    for (from, _) in &calls[..2] {
        let (caller, agent) = scene.sides(from);
        let invited = agent.request("INVITE", true).expect("an INVITE").at;
        assert!(invited - caller.messages[0].at < Duration::from_millis(300), "{from}");
        let sound: Vec<i16> = caller.heard.iter().flat_map(|p| p.samples.clone()).collect();
        assert!(heard(&sound, 440.0) > 0.8, "{from} hears something else");
    }
    assert_eq!(scene.node.done(&["keys", "status"]), serde_json::json!([]), "a slip was sealed");
}

#[test]
fn who_calls_a_closed_line_is_put_through_unasked_and_an_open_one_asks() {
    let minute = SystemTime::UNIX_EPOCH.elapsed().expect("a clock").as_secs() / 60 % 1_440;
    let (open, closed) = match minute < 720 {
        true => ("00:00-18:00", "19:00-23:00"),
        false => ("06:00-24:00", "01:00-05:00"),
    };
    let hours = |id: &str, span: &str| {
        format!("[[hours]]\nid = \"{id}\"\nzone = \"Etc/UTC\"\nopen = [\"mon-sun {span}\"]\n")
    };
    let tables = format!("{}{}\n[headers] ", hours("now", open), hours("then", closed));
    let change = Change::default()
        .with("[headers] ", tables)
        .with("number = \"+31201234567\"", "number = \"+31201234567\"\nhours = \"now\"")
        .with("number = \"+31201234568\"", "number = \"+31201234568\"\nhours = \"then\"");
    let mut scene = Scene::start(&change, answers());
    scene.call(Plan::new("+31612345690", ENGLISH).at(2_000, Act::HangUp));
    scene.call(Plan::new("+31612345691", NEVER).at(2_000, Act::HangUp));
    let asked = scene.call(Plan::new("+31612345692", DUTCH).at(3_000, Act::HangUp));
    scene.over(3, 15);
    assert_eq!(words(&scene.shown("+31612345690")), "not-asked bridged closed");
    assert_eq!(words(&scene.shown("+31612345691")), "not-asked bridged policy-off");
    let (caller, agent) = scene.sides("+31612345690");
    let invited = agent.request("INVITE", true).expect("an INVITE").at;
    assert!(invited - caller.messages[0].at < Duration::from_millis(300), "it waits");
    let sound: Vec<i16> = caller.heard.iter().flat_map(|p| p.samples.clone()).collect();
    assert!(heard(&sound, 440.0) > 0.8, "something else is heard");
    let asked = scene.callers.calls()[asked].clone();
    assert!(asked.answered().is_some() && scene.pbx.find("+31612345692").is_none());
    let sound: Vec<i16> = asked.heard.iter().flat_map(|p| p.samples.clone()).collect();
    assert!(heard(&sound, 440.0) < 0.1, "the notice is heard, and no PBX");
    // The operator is told the same before anybody calls.
    let check = scene.node.run(&["check", "--number", ENGLISH]);
    let text = String::from_utf8_lossy(&check.stdout);
    assert!(text.contains("closed then by its hours then (Etc/UTC)"), "{text}");
}
