//! A menu and a queue of an Asterisk that answer before any agent, holds that no re-INVITE tells of, and a
//! transfer: on a line that is recorded while an agent is there, the manager says when that is (law row L03).

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    thread,
    time::{Duration, Instant, SystemTime},
};

use serde_json::Value;
use support::{
    asterisk::MUSIC_HZ,
    exchange::{Act, Exchange, Manner, Plan},
    node::Change,
    port,
    scene::{ENGLISH, words},
    sound::{level, share},
};
use tempfile::TempDir;

use super::{Office, Pbx, party, seconds};

const CALLER: &str = "+31612345620";

/// What the menu sounds like, in hertz.
const MENU_HZ: f64 = 1_300.0;

/// A menu of two seconds, then a queue with music.
const QUEUE_FIRST: &str = "
[from-box]
exten => _[+0-9].,1,Answer()
 same => n,PlayTones(1300)
 same => n,Wait(2)
 same => n,StopPlayTones()
 same => n,Queue(support,t)
 same => n,Hangup()

[from-phone]
exten => 6002,1,Dial(PJSIP/6002,20)
 same => n,Hangup()
";

const SUPPORT: &str = "[support]\nstrategy = ringall\ntimeout = 20\nmember => PJSIP/6001\n";

/// For how long the first agent's phone rings, while the caller hears music.
const RINGS: Duration = Duration::from_secs(5);

/// A phone at 127.0.0.`last` that rings for so long and then speaks.
fn phone(last: u8, tone_hz: f64, after: Duration) -> Exchange {
    Exchange::start([127, 0, 0, last], 0, Manner::Answers { after, tone_hz, acts: Vec::new() })
}

/// A node whose English line is recorded while an agent is there, before an Asterisk with that queue, whose
/// manager it listens to.
fn office(phones: &[&Exchange], papers: &TempDir) -> Office {
    let manager = port::free();
    let secret = papers.path().join("ami.secret");
    fs::write(&secret, "sesame\n").expect("a file");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).expect("a file");
    let ami = format!(
        "[pbx.ami]\naddress = \"127.0.0.1:{manager}\"\nuser = \"jawoord\"\nsecret_file = {secret:?}\n\n[dns]"
    );
    let change = Change::default().with("[dns]", ami).with(
        "policy = \"quality-en\"\nrecord_from = \"answer\"",
        "policy = \"quality-en\"\nrecord_from = \"agent\"",
    );
    let users = ["6001", "6002"];
    let phones: Vec<_> =
        users.into_iter().zip(phones).map(|(user, phone)| (user, phone.address())).collect();
    let pbx =
        Pbx { phones: &phones, manager, queues: SUPPORT, dialplan: QUEUE_FIRST, ..Pbx::default() };
    let office = Office::open(&change, pbx);
    let until = Instant::now() + Duration::from_secs(15);
    while !office.node.log().contains("says who talks to callers") {
        assert!(Instant::now() < until, "no manager:\n{}", office.node.log());
        thread::sleep(Duration::from_millis(50));
    }
    office
}

fn plan() -> Plan {
    Plan::new(CALLER, ENGLISH).at(400, Act::Press('1')).at(600, Act::Speak(700.0))
}

/// The second of the day, for a moment as `recordings show` writes it and for now.
fn second(moment: &Value) -> f64 {
    let text = moment.as_str().expect("a moment");
    let time = text.split_once('T').expect("a time").1.trim_end_matches('Z');
    time.split(':').fold(0.0, |sum, part| sum * 60.0 + part.parse::<f64>().expect("a number"))
}

fn now() -> f64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock");
    since.as_secs_f64() % 86_400.0
}

/// Says that not even a hundredth of a second of this tone is in a channel.
fn holds_none(who: &str, samples: &[i16], hz: f64) {
    let is = |part: &[i16]| level(part) > 200.0 && share(part, hz) > 0.7;
    let found = samples.windows(80).step_by(20).position(is);
    assert_eq!(found.map(|place| place * 20), None, "{who}: {hz} Hz at this sample");
}

#[test]
fn l_03_no_music_and_no_menu_of_a_real_queue_is_recorded_and_both_agents_are_named() {
    let papers = TempDir::new().expect("a temporary folder");
    let mut first = phone(11, 440.0, RINGS);
    let mut second_phone = phone(12, 620.0, Duration::ZERO);
    let mut office = office(&[&first, &second_phone], &papers);
    office.call(plan());
    let up = first.until(Duration::from_secs(40), |calls| {
        calls.first().is_some_and(|call| call.answered().is_some())
    });
    assert!(up, "the first agent is not called:\n{}", office.node.log());
    let first_since = now();
    thread::sleep(Duration::from_secs(3));
    first.act(0, Act::Hold);
    let held = now();
    thread::sleep(Duration::from_secs(3));
    first.act(0, Act::Resume);
    let resumed = now();
    thread::sleep(Duration::from_secs(3));
    let agent = office.asterisk.channel("6001");
    office.asterisk.ask(&[
        ("Action", "Atxfer"),
        ("Channel", &agent),
        ("Context", "from-phone"),
        ("Exten", "6002"),
    ]);
    let consulting = now();
    let consulted = second_phone.until(Duration::from_secs(20), |calls| {
        calls.first().is_some_and(|call| party(call, 440.0) > 1.5)
    });
    assert!(consulted, "the agents do not hear each other");
    first.act(0, Act::HangUp);
    let second_since = now();
    let joined = second_phone.until(Duration::from_secs(15), |calls| party(&calls[0], 700.0) > 3.0);
    assert!(joined, "the second agent does not hear the caller");
    second_phone.act(0, Act::HangUp);
    office.over(1, 20);
    assert_eq!(words(&office.ended(1)[0]), "granted bridged recorded");

    let caller = office.callers.of(CALLER);
    assert!(party(&caller, MENU_HZ) > 1.5, "the caller hears no menu");
    assert!(party(&caller, MUSIC_HZ) > 8.0, "no music: {:.1} s", party(&caller, MUSIC_HZ));
    let (left, right) = office.recorded();
    for (who, samples) in [("the left side", &left), ("the right side", &right)] {
        holds_none(who, samples, MUSIC_HZ);
        holds_none(who, samples, MENU_HZ);
    }
    // Nor is what the caller says to music and menu: 3 s, 3 s, and 3 s and a little more with agents.
    let talked = seconds(&left, 700.0);
    assert!((7.5..11.0).contains(&talked), "{talked:.2} s of the caller");
    assert!(seconds(&right, 440.0) > 5.0 && seconds(&right, 620.0) > 2.0, "the agents");

    let list = office.node.json(&["recordings", "list"]);
    let id = list[0]["recording"].as_str().expect("an id");
    let shown = office.node.json(&["recordings", "show", id]);
    let told = shown["agents"].as_array().expect("a time line");
    // A channel that takes another's place is in no bridge for a moment.
    let mut agents: Vec<Value> = Vec::new();
    for next in told {
        let same = |last: &&mut Value| {
            let gap = second(&next["since"]) - second(&last["until"]);
            last["agent"] == next["agent"] && gap < 0.5
        };
        match agents.last_mut().filter(same) {
            Some(last) => last["until"] = next["until"].clone(),
            None => agents.push(next.clone()),
        }
    }
    let [one, again, other] = &agents[..] else { panic!("{told:#?}") };
    assert_eq!(one["agent"], again["agent"]);
    assert_ne!(one["agent"], other["agent"]);
    assert_eq!((one["queue"].as_str(), one["source"].as_str()), (Some("support"), Some("ami")));
    assert_eq!(other["queue"], Value::Null, "no queue brought the second agent");
    assert!(!shown.to_string().contains("6001"), "an agent is named by a pseudonym");
    for (what, found, wanted) in [
        ("the first agent", &one["since"], first_since),
        ("the hold", &one["until"], held),
        ("its end", &again["since"], resumed),
        ("the consultation", &again["until"], consulting),
        ("the second agent", &other["since"], second_since),
    ] {
        let late = second(found) - wanted;
        assert!(late.abs() < 1.0, "{what}: {late:.2} s from {wanted:.2}");
    }
}

#[test]
fn l_03_while_the_manager_is_not_heard_nothing_is_recorded_and_that_is_said() {
    let papers = TempDir::new().expect("a temporary folder");
    let mut first = phone(11, 440.0, Duration::ZERO);
    let mut office = office(&[&first], &papers);
    office.call(plan());
    let up = first.until(Duration::from_secs(40), |calls| {
        calls.first().is_some_and(|call| party(call, 700.0) > 2.0)
    });
    assert!(up, "the agent does not hear the caller:\n{}", office.node.log());
    // Asterisk ends the manager's session, as a restart of its manager would.
    let sessions =
        office.asterisk.ask(&[("Action", "Command"), ("Command", "manager show connected")]);
    let ours = sessions.lines().find(|line| line.contains("jawoord")).expect("our session");
    let handle = ours.split_whitespace().nth(5).expect("a file descriptor");
    let kick = format!("manager kick session {handle}");
    let _said = office.asterisk.ask(&[("Action", "Command"), ("Command", &kick)]);
    let log = |office: &Office, what: &str, times: usize| {
        let until = Instant::now() + Duration::from_secs(15);
        while office.node.log().matches(what).count() < times {
            assert!(Instant::now() < until, "not {what}: {sessions}\n{}", office.node.log());
            thread::sleep(Duration::from_millis(20));
        }
    };
    log(&office, "the manager of the PBX is not heard", 1);
    first.act(0, Act::Speak(1_900.0));
    log(&office, "says who talks to callers", 2);
    // It is heard again; whether the caller hears music is not known until the agent has held once.
    thread::sleep(Duration::from_secs(1));
    first.act(0, Act::Hold);
    thread::sleep(Duration::from_millis(1_500));
    first.act(0, Act::Speak(440.0));
    first.act(0, Act::Resume);
    thread::sleep(Duration::from_secs(3));
    first.act(0, Act::HangUp);
    office.over(1, 20);
    assert_eq!(words(&office.ended(1)[0]), "granted bridged recorded");
    let caller = office.callers.of(CALLER);
    assert!(party(&caller, 1_900.0) > 0.8, "the caller does not hear the agent");
    let (left, right) = office.recorded();
    for (who, samples) in [("the left side", &left), ("the right side", &right)] {
        holds_none(who, samples, MUSIC_HZ);
        holds_none(who, samples, 1_900.0);
    }
    let spoken = seconds(&right, 440.0);
    assert!(spoken > 3.5, "{spoken:.2} s of the agent before and after");
    let list = office.node.json(&["recordings", "list"]);
    let id = list[0]["recording"].as_str().expect("an id");
    let agents = office.node.json(&["recordings", "show", id])["agents"].clone();
    let count = agents.as_array().map_or(0, Vec::len);
    assert!(count >= 2 && agents[0]["until"].is_string(), "{agents:#}");
}
