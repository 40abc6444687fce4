//! A recording that the house pauses, as while a card number is said: row D-25.

use std::time::Instant;

use serde_json::Value;
use support::{
    node::Change,
    peer::leg::Leg,
    sound::{heard, level, share},
    stage::{Stage, wait},
};

/// What is said of the recording, and what is said in a pause: caller and agent, in hertz.
pub(crate) const TALK: (f64, f64) = (700.0, 440.0);
pub(crate) const CARD: (f64, f64) = (1_100.0, 1_900.0);

/// A recorded call, its id, and when the PBX answered.
fn recorded(stage: &mut Stage) -> (Leg, String, Instant) {
    let talk = stage.recorded();
    let answered = Instant::now();
    let calls = stage.node.done(&["calls", "list"]);
    let call = calls[0]["call"].as_str().expect("an id").to_owned();
    // On a slow disk the permit comes later than the answer, and the agent's key is theirs until then.
    let tapped = |call: &Value| call["drawing"].as_str().is_some_and(|it| it.contains("tap"));
    let _call = stage.node.until(&["calls", "show", &call], tapped);
    (talk.a, call, answered)
}

pub(crate) fn say(stage: &Stage, (caller, agent): (f64, f64)) {
    stage.ear.speak(caller);
    stage.desk.speak(agent);
}

/// Hangs up and takes the recording's row and both its channels.
pub(crate) fn recording(stage: &mut Stage, a: &mut Leg) -> (Value, [Vec<i16>; 2]) {
    stage.caller.send(&a.request("BYE"));
    stage.caller.expect((200, "BYE"));
    let list = stage.node.until(&["recordings", "list"], |rows| rows[0]["state"] == "stored");
    let (left, right) = stage.node.export(list[0]["recording"].as_str().expect("an id"));
    (list[0].clone(), [left, right])
}

/// For how many milliseconds a tone is in a channel.
pub(crate) fn lasts(samples: &[i16], hz: f64) -> usize {
    let holds = |part: &&[i16]| level(part) > 300.0 && share(part, hz) > 0.9;
    samples.chunks_exact(160).filter(holds).count() * 20
}

/// Who paused and resumed, as the audit tree has it.
pub(crate) fn facts(stage: &Stage) -> Vec<(String, String)> {
    let folder = stage.node.temporary().join("audit");
    let _head = stage.node.done(&["audit", "export", folder.to_str().expect("a name")]);
    let entries = std::fs::read_dir(&folder).expect("an export").filter_map(Result::ok);
    let texts = entries.filter_map(|entry| std::fs::read_to_string(entry.path()).ok());
    let mut facts = Vec::new();
    for line in texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()) {
        let Ok(entry) = serde_json::from_str::<Value>(&line) else { continue };
        let kind = entry["kind"].as_str().unwrap_or_default().to_owned();
        if kind == "recording-paused" || kind == "recording-resumed" {
            let body = entry["body"].as_str().unwrap_or_default();
            let by = body.lines().find_map(|line| line.strip_prefix("by ")).unwrap_or_default();
            facts.push((kind, by.to_owned()));
        }
    }
    facts
}

/// A fact of this kind, by this hand.
pub(crate) fn fact(kind: &str, by: &str) -> (String, String) {
    (format!("recording-{kind}"), by.to_owned())
}

#[test]
fn d_25_what_is_said_in_a_pause_is_nowhere_and_the_recording_keeps_its_length() {
    let change = Change::default()
        .with("confirm = \"first\"", "confirm = \"off\"")
        .with("pause_key = \"\"", "pause_key = \"7\"");
    let mut stage = Stage::with(change);
    let (mut a, call, answered) = recorded(&mut stage);
    let begun = Instant::now();
    say(&stage, TALK);
    wait(1_000);
    // The agent pauses by a key, and the operator lets it go on.
    stage.desk.press('7');
    wait(60);
    say(&stage, CARD);
    wait(1_000);
    assert!(stage.desk.hears(CARD.0, begun) && stage.ear.hears(CARD.1, begun), "the talk goes on");
    say(&stage, TALK);
    wait(60);
    let _id = stage.node.done(&["calls", "resume", &call]);
    wait(1_000);
    // And the other way round.
    let _id = stage.node.done(&["calls", "pause", &call]);
    say(&stage, CARD);
    wait(1_000);
    say(&stage, TALK);
    wait(60);
    stage.desk.press('7');
    wait(1_000);
    assert_eq!(stage.ear.keys(101), "", "the customer has the agent's key");
    let talked = answered.elapsed().as_millis();
    let (row, channels) = recording(&mut stage, &mut a);
    let length = (channels[0].len() / 8) as u128;
    // Two seconds and more are paused; a busy machine begins late.
    assert!(length.abs_diff(talked) < 1_500, "{length} ms of {talked} ms");
    // The press that resumes takes the place of sound, and the voices may be late; two pauses are 2 s.
    let missing = row["missing_ms"].as_u64().unwrap_or(0);
    assert!(missing < 1_500, "a pause is no loss: {missing} ms are missing");
    for (samples, talk, card) in [(&channels[0], TALK.0, CARD.0), (&channels[1], TALK.1, CARD.1)] {
        assert_eq!(lasts(samples, card), 0, "the card is in the recording");
        let kept = lasts(samples, talk);
        let most = samples.len() / 8 - 1_800;
        assert!((2_000..most).contains(&kept), "{kept} ms, the pauses not among them");
        assert!(heard(&samples[samples.len() - 4_000..], talk) > 0.8, "it does not go on");
    }
    let who = [("paused", "agent"), ("resumed", "operator"), ("paused", "operator")];
    let who = who.into_iter().chain([("resumed", "agent")]);
    assert_eq!(facts(&stage), who.map(|(kind, by)| fact(kind, by)).collect::<Vec<_>>());
}

#[test]
fn d_25_a_pause_that_nobody_ends_does_so_with_an_alarm_and_without_a_key_none_pauses() {
    let change = Change::default()
        .with("confirm = \"first\"", "confirm = \"off\"")
        .with("pause_max_s = 300", "pause_max_s = 5");
    let mut stage = Stage::with(change);
    let unknown = stage.node.fails(&["calls", "pause", &"0".repeat(32)]);
    assert!(unknown.to_string().contains("no such call"), "{unknown}");
    let talk = stage.talk();
    let calls = stage.node.done(&["calls", "list"]);
    let call = calls[0]["call"].as_str().expect("an id").to_owned();
    let never = stage.node.fails(&["calls", "pause", &call]);
    assert!(never.to_string().contains("not being recorded"), "{never}");
    let mut talk = talk;
    stage.hang_up(&mut talk);

    let (mut a, call, _) = recorded(&mut stage);
    say(&stage, TALK);
    stage.desk.press('7');
    wait(1_000);
    assert_eq!(stage.ear.keys(101), "7", "it is the customer's to hear");
    let _id = stage.node.done(&["calls", "pause", &call]);
    say(&stage, CARD);
    wait(4_000);
    say(&stage, TALK);
    wait(2_500);
    let metrics = stage.node.metrics();
    assert!(metrics.contains("jawoord_recordings_left_paused_total 1"), "{metrics}");
    assert!(stage.node.log().contains("left paused"), "{}", stage.node.log());
    let (_, [left, _]) = recording(&mut stage, &mut a);
    assert_eq!(lasts(&left, CARD.0), 0);
    let kept = lasts(&left, TALK.0);
    let most = left.len() / 8 - 4_500;
    assert!((1_400..most).contains(&kept), "{kept} ms, the pause not among them");
    assert_eq!(facts(&stage), [fact("paused", "operator"), fact("resumed", "limit")]);
}

/// For how many milliseconds a beep of the node is heard in this.
fn beeps(samples: &[i16]) -> usize {
    lasts(samples, 1_400.0)
}

#[test]
fn d_25_an_agent_hears_beeps_when_the_recording_begins_pauses_goes_on_and_ends_and_nobody_else() {
    let change = Change::default()
        .with("confirm = \"first\"", "confirm = \"off\"")
        .with("on_withdraw = \"erase\"", "on_withdraw = \"stop\"")
        .with("agent_cue = false", "agent_cue = true");
    let mut stage = Stage::with(change);
    let start = Instant::now();
    let (mut a, call, _) = recorded(&mut stage);
    wait(800);
    let (two, one) = (180..=280, 540..=660);
    let begins = beeps(&stage.desk.since(start));
    assert!(two.contains(&begins), "{begins} ms when it begins");
    for (command, heard) in [("pause", &one), ("resume", &two)] {
        let from = Instant::now();
        let _id = stage.node.done(&["calls", command, &call]);
        wait(1_000);
        let beeps = beeps(&stage.desk.since(from));
        assert!(heard.contains(&beeps), "{beeps} ms at the {command}");
    }
    let from = Instant::now();
    stage.ear.press('*');
    // Both are told first.
    wait(5_500);
    let ends = beeps(&stage.desk.since(from));
    assert!(one.contains(&ends), "{ends} ms when it is withdrawn");
    assert_eq!(beeps(&stage.ear.since(start)), 0, "the customer hears none");
    let (_row, channels) = recording(&mut stage, &mut a);
    assert_eq!(channels.map(|samples| beeps(&samples)), [0, 0], "none is in the recording");
}

#[test]
fn c_20_a_beep_reaches_both_at_its_level_and_period_while_they_are_recorded_and_no_recording() {
    let change = Change::default()
        .with("confirm = \"first\"", "confirm = \"off\"")
        .with("beep_s = 0", "beep_s = 5");
    let mut stage = Stage::with(change);
    let (mut a, call, _) = recorded(&mut stage);
    let start = Instant::now();
    wait(11_500);
    for samples in [stage.ear.since(start), stage.desk.since(start)] {
        let beeps: Vec<bool> =
            samples.chunks_exact(160).map(|part| lasts(part, 1_400.0) > 0).collect();
        let begins = |place: &usize| beeps[*place] && (*place == 0 || !beeps[*place - 1]);
        let begins: Vec<usize> = (0..beeps.len()).filter(begins).collect();
        let [first, second] = begins[..] else { panic!("{begins:?}") };
        assert!((second - first).abs_diff(250) <= 3, "every five seconds: {begins:?}");
        let lasts = beeps.iter().filter(|beeps| **beeps).count() * 20;
        assert!((360..=440).contains(&lasts), "200 ms each: {lasts}");
        // -12 dBm0 is a root mean square of 4,054.
        let loudest = samples.chunks_exact(160).map(level).fold(0.0, f64::max);
        assert!((3_600.0..4_500.0).contains(&loudest), "{loudest}");
    }
    let _id = stage.node.done(&["calls", "pause", &call]);
    // One that has begun is heard to its end.
    wait(400);
    let from = Instant::now();
    wait(6_000);
    assert_eq!(beeps(&stage.ear.since(from)) + beeps(&stage.desk.since(from)), 0);
    let (_row, channels) = recording(&mut stage, &mut a);
    assert_eq!(channels.map(|samples| beeps(&samples)), [0, 0], "none is in the recording");
}
