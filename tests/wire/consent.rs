//! What a yes leaves, what everything else leaves, and that the PBX cannot tell them apart.

use std::time::Duration;

use support::{
    exchange::{Act, Manner, Plan, message::header},
    node::Change,
    scene::{DUTCH, ENGLISH, Scene, ladder, step, words},
    sound::{begins, heard, level},
};

fn pbx(hang_up_ms: u64) -> Manner {
    let ms = Duration::from_millis;
    Manner::Answers {
        after: ms(300),
        tone_hz: 0.0,
        acts: vec![(ms(1_700), Act::Speak(440.0)), (ms(hang_up_ms), Act::HangUp)],
    }
}

#[test]
fn c_01_a_yes_at_the_question_records_both_sides_from_the_bridge_on_and_nothing_before() {
    let mut scene = Scene::start(&Change::default(), pbx(5_000));
    // A marker until the key; then silence until the bridge stands; then the caller talks.
    let plan = Plan::new("+31612345601", DUTCH)
        .at(0, Act::Speak(1_200.0))
        .at(11_000, Act::Press('1'))
        .at(11_160, Act::Speak(0.0))
        .at(15_500, Act::Speak(700.0));
    scene.call(plan);
    scene.over(1, 40);
    let (caller, agent) = scene.sides("+31612345601");
    let answered = caller.answered().expect("answered");
    let notice = caller.samples(answered, answered + Duration::from_secs(9));
    assert!(level(&notice) > 500.0, "the notice is not heard: {}", level(&notice));
    assert!(heard(&agent.samples(answered, agent.heard.last().expect("sound").at), 700.0) > 0.3);

    let call = scene.shown("+31612345601");
    assert_eq!(words(&call), "granted bridged recorded");
    let tags = scene.recording("+31612345601");
    for tag in [
        "tenant",
        "line",
        "ground",
        "purposes",
        "policy",
        "policy_version",
        "policy_hash",
        "evidence",
        "retention_class",
        "delete_after",
        "storage_country",
        "storage_provider",
        "codec",
        "duration_ms",
        "direction",
        "verdict",
        "permitted_at",
        "ended_at",
        "manifest",
        "object",
        "slip_revision",
        "epoch",
    ] {
        assert!(!tags[tag].is_null(), "{tag} is missing in {tags:#}");
    }
    assert_eq!((&tags["ground"], &tags["verdict"]), (&"consent".into(), &"recorded".into()));
    assert_eq!((&tags["tenant"], &tags["storage_country"]), (&"voorbeeld".into(), &"NL".into()));

    let (left, right) = scene.node.export(tags["recording"].as_str().expect("an id"));
    assert_eq!((heard(&left, 1_200.0), heard(&right, 1_200.0)), (0.0, 0.0), "the marker is kept");
    assert_eq!((heard(&left, 440.0), heard(&right, 700.0)), (0.0, 0.0), "a side crosses");
    let spoken = caller.did(Act::Speak(700.0)).expect("spoken");
    let answered = agent.did(Act::Speak(440.0)).expect("spoken");
    let true_ms = if spoken > answered {
        (spoken - answered).as_secs_f64() * 1_000.0
    } else {
        -(answered - spoken).as_secs_f64() * 1_000.0
    };
    let (left, right) =
        (begins(&left, 700.0).expect("left"), begins(&right, 440.0).expect("right"));
    let kept_ms = (left as f64 - right as f64) / 8.0;
    assert!((kept_ms - true_ms).abs() <= 20.0, "{kept_ms} ms apart, and it was {true_ms} ms");
    let listed = scene.node.done(&["recordings", "list"]);
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
}

#[test]
fn c_02_a_yes_in_the_notice_counts_when_it_has_ended_and_a_pbx_that_answers_at_once_is_heard() {
    let manner = Manner::Answers {
        after: Duration::from_millis(5),
        tone_hz: 440.0,
        acts: vec![(Duration::from_millis(2_000), Act::HangUp)],
    };
    let mut scene = Scene::start(&Change::default(), manner);
    scene.call(Plan::new("+31612345602", ENGLISH).at(700, Act::Press('1')));
    scene.over(1, 30);
    let call = scene.shown("+31612345602");
    assert_eq!(words(&call), "granted bridged recorded");
    assert!(ladder(&call).iter().all(|(_, text)| !text.contains("question")), "{call:#}");
    let notice = step(&call, "plays granted") - step(&call, "plays notice");
    assert!((8.3..8.8).contains(&notice), "the notice took {notice} s");
    // Everything that the caller hears after the answer of the PBX is its tone, from the first
    // packet on: 2 s without its first 20 ms would be 99 packets.
    let (caller, agent) = scene.sides("+31612345602");
    let answered = agent.answered().expect("answered");
    let after = caller.heard.iter().filter(|heard| heard.at > answered);
    let tones = after.filter(|packet| heard(&packet.samples, 440.0) > 0.5).count();
    let span = agent.did(Act::HangUp).expect("hung up") - answered;
    let sent = span.as_millis() as usize / 20;
    assert!(tones + 1 >= sent, "{tones} of {sent} packets of the PBX were heard");
    let first = caller.heard.iter().find(|packet| heard(&packet.samples, 440.0) > 0.5);
    let late = first.expect("a tone").at - answered;
    assert!(late < Duration::from_millis(120), "the PBX is heard {late:?} after its answer");
    // No gap and no jump where prompt, silence and bridge meet (row A-20).
    for pair in caller.heard.windows(2) {
        assert_eq!(pair[1].sequence, pair[0].sequence.wrapping_add(1), "a packet is missing");
    }
}

/// An INVITE without what is of one call or of one test only.
fn bare(invite: &str, from: &str, node: u16, pbx: u16) -> String {
    let mut lines = Vec::new();
    for line in invite.replace(from, "CALLER").lines() {
        let line = line.replace(&format!(":{node}"), ":NODE").replace(&format!(":{pbx}"), ":PBX");
        let cut = |at: &str| line.split_once(at).map_or(line.clone(), |(kept, _)| kept.to_owned());
        let name = line.split(':').next().unwrap_or_default();
        lines.push(match name {
            "Via" => cut(";branch="),
            "From" => cut(";tag="),
            "Call-ID" | "CSeq" | "X-Jawoord-Call" | "Session-ID" | "Content-Length" => {
                name.to_owned()
            }
            _ if line.starts_with("o=") => "o=".to_owned(),
            _ if line.starts_with("m=audio") => {
                line.split(' ').enumerate().filter(|(n, _)| *n != 1).map(|(_, w)| w).collect()
            }
            _ => line,
        });
    }
    lines.join("\n")
}

#[test]
fn l_10_no_silence_wrong_keys_and_lost_digits_are_served_alike_and_leave_nothing() {
    let mut scene = Scene::start(&Change::default(), pbx(2_000));
    let mut asked = Scene::start(&Change::default(), pbx(2_000));
    asked.call(Plan::new("+31612345610", ENGLISH).at(500, Act::Press('1')));
    let plans = [
        (Plan::new("+31612345611", ENGLISH).at(500, Act::Press('2')), "refused bridged refused"),
        (Plan::new("+31612345612", ENGLISH), "not-given bridged not-given"),
        (
            Plan::new("+31612345613", ENGLISH)
                .at(9_200, Act::Press('5'))
                .at(14_500, Act::Press('7')),
            "not-given bridged not-given",
        ),
        (
            Plan::new("+31612345614", ENGLISH).at(9_500, Act::PressLost('1')),
            "not-given bridged not-given",
        ),
    ];
    for (plan, _) in &plans {
        scene.call(plan.clone().at(0, Act::Speak(1_200.0)));
    }
    scene.call(Plan::new("+31612345615", ENGLISH).at(3_000, Act::HangUp));
    scene.over(5, 60);
    asked.over(1, 30);

    let granted = asked.pbx.of("+31612345610");
    let granted = &granted.request("INVITE", true).expect("an INVITE").text;
    let model = bare(granted, "+31612345610", asked.node.sip, asked.node.pbx);
    for (plan, expected) in &plans {
        let call = scene.shown(&plan.from);
        assert_eq!(words(&call), *expected, "{}", plan.from);
        let (caller, agent) = scene.sides(&plan.from);
        let invite = agent.request("INVITE", true).expect("an INVITE");
        let (node, pbx) = (scene.node.sip, scene.node.pbx);
        assert_eq!(bare(&invite.text, &plan.from, node, pbx), model, "{}", plan.from);
        let waited = invite.at - caller.answered().expect("answered");
        assert!(waited < Duration::from_secs(35), "{waited:?} until the PBX was called");
        assert!(caller.heard.iter().any(|packet| heard(&packet.samples, 440.0) > 0.5));
    }
    assert!(scene.pbx.find("+31612345615").is_none(), "c_08: the PBX was called for nobody");
    let calls = scene.node.until(&["calls", "list"], |calls| {
        calls.as_array().is_some_and(|rows| rows.iter().all(|row| row["verdict"].is_string()))
    });
    let gone = calls.as_array().into_iter().flatten().filter(|row| row["consent"] == "abandoned");
    assert_eq!(gone.map(words).collect::<Vec<_>>(), ["abandoned caller-gone abandoned"]);

    assert_eq!(scene.node.done(&["recordings", "list"]), serde_json::json!([]));
    assert_eq!(scene.node.done(&["keys", "status"]), serde_json::json!([]), "a slip was sealed");
    assert_eq!(scene.node.files("store"), [], "an object");
    let journals = scene.node.files("spool");
    assert!(journals.iter().all(|(_, size)| *size == 0), "{journals:?}");
    assert!(header(granted, "X-Jawoord-Call").is_some());
    // The other node shows that this would have been seen.
    let _stored = asked.recording("+31612345610");
    assert_eq!(
        (asked.node.files("store").len(), asked.node.done(&["keys", "status"])[0]["slips"].clone()),
        (1, 1.into())
    );
}
