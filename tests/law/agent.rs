//! Lines that are recorded while an agent is there (law row L03): who says so, and what is recorded then.

use std::time::Duration;

use serde_json::Value;
use support::{
    node::Change,
    peer::leg::Leg,
    scene::words,
    sound::{level, share},
    stage::{Stage, sdp, wait},
};

use crate::bare::verify;

/// What is said with an agent there, and what a queue or a hold sounds like: caller and agent, in hertz.
const TALK: (f64, f64) = (700.0, 440.0);
const MUSIC: (f64, f64) = (1_100.0, 1_900.0);

/// The lab with an English line that is recorded while an agent is there, and no confirmation.
fn change() -> Change {
    Change::default().with("confirm = \"first\"", "confirm = \"off\"").with(
        "policy = \"quality-en\"\nrecord_from = \"answer\"",
        "policy = \"quality-en\"\nrecord_from = \"agent\"",
    )
}

fn say(stage: &Stage, (caller, agent): (f64, f64)) {
    stage.ear.speak(caller);
    stage.desk.speak(agent);
}

/// For how many milliseconds a tone is in a channel.
fn lasts(samples: &[i16], hz: f64) -> usize {
    let holds = |part: &&[i16]| level(part) > 300.0 && share(part, hz) > 0.9;
    samples.chunks_exact(160).filter(holds).count() * 20
}

/// Hangs up and takes the recording's row and both its channels.
fn recording(stage: &mut Stage, a: &mut Leg) -> (Value, [Vec<i16>; 2]) {
    stage.caller.send(&a.request("BYE"));
    stage.caller.expect((200, "BYE"));
    let list = stage.node.until(&["recordings", "list"], |rows| rows[0]["state"] == "stored");
    let (left, right) = stage.node.export(list[0]["recording"].as_str().expect("an id"));
    (list[0].clone(), [left, right])
}

fn id(stage: &Stage) -> String {
    let calls = stage.node.done(&["calls", "list"]);
    calls[0]["call"].as_str().expect("an id").to_owned()
}

/// Says that both channels hold at least so much of the talk, and nothing of the music.
fn holds_talk_alone(channels: &[Vec<i16>; 2], millis: usize) {
    for (samples, talk, music) in [(&channels[0], TALK.0, MUSIC.0), (&channels[1], TALK.1, MUSIC.1)]
    {
        assert_eq!(lasts(samples, music), 0, "what was said without an agent is recorded");
        assert!(lasts(samples, talk) >= millis, "{} ms", lasts(samples, talk));
    }
}

/// Agent, queue and source of each entry of the time line.
fn time_line(stage: &Stage, row: &Value) -> Vec<(String, String, String)> {
    let id = row["recording"].as_str().expect("an id");
    let shown = stage.node.done(&["recordings", "show", id]);
    let agents = shown["agents"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    agents.iter().map(|it| (text(&it["agent"]), text(&it["queue"]), text(&it["source"]))).collect()
}

/// The folder of evidence tells who was there, by which queue and who said so, and is proved by itself.
fn is_in_the_evidence(stage: &Stage, row: &Value, agent: &str) {
    let id = row["recording"].as_str().expect("an id");
    let folder = stage.node.home.path().join("evidence");
    let name = folder.display().to_string();
    let _told = stage.node.done(&["recordings", "evidence", id, "--out", &name]);
    let trust = stage.node.data().join("trust").display().to_string();
    let (code, said) = verify(&["--trust", &trust, "evidence", &name]);
    assert_eq!(code, Some(0), "{said}");
    let page = std::fs::read_to_string(folder.join("index.html")).expect("the page");
    for words in [
        format!("medewerker: {agent}, wachtrij: support, bron: een programma of de beheerder"),
        format!("agent: {agent}, queue: support, source: a program or the operator"),
    ] {
        assert!(page.contains(&words), "{words}");
    }
}

#[test]
fn l_03_only_what_is_said_while_a_program_names_an_agent_is_recorded() {
    let mut stage = Stage::with(change());
    let mut talk = stage.recorded();
    say(&stage, MUSIC);
    wait(1_000);
    let call = id(&stage);
    let call_id = talk.invite.header("Call-ID").to_owned();
    say(&stage, TALK);
    wait(60);
    let _id = stage.node.done(&["calls", "agent", &call, "Anna", "--queue", "support"]);
    wait(1_200);
    let _id = stage.node.done(&["calls", "agent", &call_id]);
    say(&stage, MUSIC);
    wait(1_000);
    say(&stage, TALK);
    wait(60);
    let _id = stage.node.done(&["calls", "agent", &call, "Bert"]);
    wait(1_200);
    let _why = stage.node.fails(&["calls", "agent", "0123456789abcdef0123456789abcdef", "Anna"]);
    let (row, channels) = recording(&mut stage, &mut talk.a);
    holds_talk_alone(&channels, 1_800);
    let line = time_line(&stage, &row);
    let [(anna, queue, source), (bert, no_queue, _)] = &line[..] else { panic!("{line:?}") };
    assert!(anna != bert && anna.len() == 32, "{line:?}");
    assert_eq!((&**queue, &**source, &**no_queue), ("support", "api", ""));
    is_in_the_evidence(&stage, &row, anna);
    assert!(!stage.node.log().contains("Anna"), "the log names an agent");
}

#[test]
fn l_03_a_call_in_which_no_agent_is_named_leaves_no_recording() {
    let mut stage = Stage::with(change());
    let mut talk = stage.recorded();
    say(&stage, MUSIC);
    wait(1_500);
    stage.hang_up(&mut talk);
    let ended = stage.ended(1);
    assert_eq!(words(&ended[0]), "granted bridged unconnected");
    let gone = |rows: &Value| rows.as_array().is_some_and(Vec::is_empty);
    let rows = stage.node.until(&["recordings", "list"], gone);
    assert!(gone(&rows), "{rows}");
}

/// The PBX tells something of the call by an UPDATE.
fn updates(stage: &mut Stage, b: &mut Leg, name: &str, value: &str) {
    let update = b.request("UPDATE").with("Contact", b.contact.clone()).with(name, value);
    stage.pbx.send(&update);
    stage.pbx.expect((200, "UPDATE"));
}

#[test]
fn l_03_the_pbx_says_in_its_answer_and_later_who_is_there() {
    let mut stage = Stage::with(change());
    let (mut a, _) = stage.asked();
    stage.ear.press('1');
    let invite = stage.pbx.expect_within(Duration::from_secs(30), "INVITE");
    let mut b = stage.pbx.called(&invite);
    let answer = b.reply(&invite, 200).sdp(sdp(stage.desk.own));
    stage.pbx.send(&answer.with("X-Jawoord-Agent", "6001;queue=support"));
    stage.pbx.expect("ACK");
    b.cseq = 0;
    stage.desk.talk_to(invite.sound());
    say(&stage, TALK);
    wait(1_200);
    updates(&mut stage, &mut b, "X-Jawoord-Agent", "none");
    say(&stage, MUSIC);
    wait(1_000);
    // Whom it asserts is no agent unless the configuration says so.
    updates(&mut stage, &mut b, "P-Asserted-Identity", "<sip:6002@pbx.example>");
    wait(500);
    say(&stage, TALK);
    wait(60);
    updates(&mut stage, &mut b, "X-Jawoord-Agent", "6003");
    wait(1_200);
    let (row, channels) = recording(&mut stage, &mut a);
    holds_talk_alone(&channels, 1_800);
    let line = time_line(&stage, &row);
    let [(first, queue, source), (other, _, _)] = &line[..] else { panic!("{line:?}") };
    assert!(first != other, "{line:?}");
    assert_eq!((&**queue, &**source), ("support", "sip"));
    let told = stage.caller.everything().iter().any(|it| it.get("X-Jawoord-Agent").is_some());
    assert!(!told, "the customer's side is told");
}

#[test]
fn l_03_whom_a_pbx_asserts_is_the_agent_where_the_configuration_says_so() {
    let change = change().with("asserts_agents = false", "asserts_agents = true");
    let mut stage = Stage::with(change);
    let mut talk = stage.recorded();
    say(&stage, MUSIC);
    wait(1_000);
    say(&stage, TALK);
    wait(60);
    updates(&mut stage, &mut talk.b, "P-Asserted-Identity", "<sip:6002@pbx.example>");
    wait(1_500);
    let (row, channels) = recording(&mut stage, &mut talk.a);
    holds_talk_alone(&channels, 1_000);
    let line = time_line(&stage, &row);
    assert_eq!(line.len(), 1, "{line:?}");
    assert_eq!(line[0].2, "sip");
}
