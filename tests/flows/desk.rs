//! What the page and programs see of calls that run, and what they may do with them: a pause by HTTP
//! (row D-25), and alarms while a call is up and after it (rows B-33, O-08, S-02).

use support::{
    node::Change,
    page::Visitor,
    peer::voice::Voice,
    scene::ENGLISH,
    stage::{CALLER, Stage, Talk, sdp, wait},
};

use crate::pause::{CARD, TALK, fact, facts, lasts, recording, say};

/// A name as it stands in a path (RFC 3986 §2.1).
fn escaped(name: &str) -> String {
    let byte = |byte: u8| match byte.is_ascii_alphanumeric() {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    name.bytes().map(byte).collect()
}

fn order(call: &str, name: &str) -> String {
    format!("/api/calls/{}/{name}", escaped(call))
}

/// The call that runs.
fn running(page: &Visitor) -> serde_json::Value {
    let now = page.get("/api/now").json();
    assert_eq!(now["running"], 1, "{now}");
    now["calls"][0].clone()
}

#[test]
fn d_25_a_program_pauses_by_http_and_what_is_said_then_is_nowhere() {
    let mut stage = Stage::curt();
    let page = Visitor::enter(&stage.node);
    let unknown = page.post(&order(&"0".repeat(32), "pause"));
    assert_eq!((unknown.status, &unknown.json()["type"]), (404, &"/problems/unknown-call".into()));
    let mut talk = stage.talk();
    let call = running(&page);
    assert_eq!((&call["recording"], &call["line"]), (&"off".into(), &"alarm".into()), "{call}");
    let never = page.post(&order(call["id"].as_str().expect("an id"), "pause"));
    assert_eq!((never.status, &never.json()["type"]), (409, &"/problems/not-recorded".into()));
    stage.hang_up(&mut talk);

    let Talk { mut a, b, .. } = stage.recorded();
    say(&stage, TALK);
    wait(1_000);
    let call = running(&page);
    let id = call["id"].as_str().expect("an id").to_owned();
    assert_eq!(call["recording"], "on", "{call}");
    // Neither a page of another site nor somebody who was never let in.
    let path = order(&id, "pause");
    assert_eq!(page.ask("POST", &path, &[("Origin", "http://127.0.0.1:1")]).status, 403);
    let own = format!("http://127.0.0.1:{}", stage.node.portal);
    let stranger = page.ask("POST", &path, &[("Origin", &own), ("Host", "jawoord.test")]);
    assert_ne!(stranger.status, 204);
    assert_eq!(running(&page)["recording"], "on");
    // By its id, by the Call-ID of the leg to the PBX, and by that of the caller's.
    for name in [&id, &b.call_id, &a.call_id] {
        let paused = page.post(&order(name, "pause"));
        assert_eq!((paused.status, paused.body.as_str()), (204, ""), "{paused:?}");
        assert_eq!(running(&page)["recording"], "paused");
        say(&stage, CARD);
        wait(700);
        say(&stage, TALK);
        wait(60);
        assert_eq!(page.post(&order(name, "resume")).status, 204);
        assert_eq!(running(&page)["recording"], "on");
        wait(700);
    }
    let (_, channels) = recording(&mut stage, &mut a);
    for (samples, talk, card) in [(&channels[0], TALK.0, CARD.0), (&channels[1], TALK.1, CARD.1)] {
        assert_eq!(lasts(samples, card), 0, "the card is in the recording");
        let (kept, most) = (lasts(samples, talk), samples.len() / 8 - 1_800);
        assert!((2_000..most).contains(&kept), "{kept} ms, the pauses not among them");
    }
    let turns = [fact("paused", "operator"), fact("resumed", "operator")];
    assert_eq!(facts(&stage), [turns.clone(), turns.clone(), turns].concat());
    assert!(!stage.node.log().contains(&a.call_id), "a Call-ID may hold an address");
}

#[test]
fn b_33_the_page_says_which_side_is_not_heard_since_when_and_until_when() {
    let mut stage = Stage::with(Change::default().with("one_way_s = 10", "one_way_s = 2"));
    let page = Visitor::enter(&stage.node);
    let mut talk = stage.talk();
    wait(500);
    assert!(running(&page)["alarms"].as_array().is_some_and(Vec::is_empty));
    stage.ear.stop();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(8);
    let alarm = loop {
        let call = running(&page);
        if let Some(alarm) = call["alarms"].get(0) {
            break alarm.clone();
        }
        assert!(std::time::Instant::now() < until, "no alarm: {call}");
        wait(100);
    };
    assert_eq!(alarm["alarm"], "no sound of the customer: silent");
    assert_eq!((&alarm["leg"], &alarm["until"]), (&"customer".into(), &serde_json::Value::Null));
    assert!(page.get("/now").body.contains("The customer is not heard"));
    stage.ear.talk_to(talk.ok.sound());
    wait(1_500);
    assert!(running(&page)["alarms"].as_array().is_some_and(Vec::is_empty), "it is over");
    stage.hang_up(&mut talk);
    stage.ended(1);
    let calls = page.get("/api/calls").json();
    let told = &calls["items"][0]["alarms"];
    assert_eq!((&told[0]["alarm"], &told[0]["since"]), (&alarm["alarm"], &alarm["since"]));
    assert!(told[0]["until"].as_str() > told[0]["since"].as_str() && told[1].is_null(), "{told}");
    let list = page.get("/");
    assert!(list.body.contains("<strong>The customer is not heard</strong> from"));
    assert!(!list.body.contains("127.0.0.1") && !list.body.contains("+316"), "{}", list.body);
}

#[test]
fn s_02_the_page_says_while_the_question_runs_that_a_caller_s_packets_come_from_elsewhere() {
    let mut stage = Stage::with(Change::default().with("one_way_s = 10", "one_way_s = 2"));
    let page = Visitor::enter(&stage.node);
    let mut a = stage.caller.calls(CALLER, ENGLISH);
    stage.caller.send(&a.invite().sdp(sdp(stage.ear.own)));
    let ok = stage.caller.expect((200, "INVITE"));
    stage.caller.send(&a.ack(&ok));
    // Silence is no fault of a caller who listens; a key from elsewhere is none.
    wait(3_000);
    assert!(running(&page)["alarms"].as_array().is_some_and(Vec::is_empty));
    let elsewhere = Voice::new(stage.caller.own.ip());
    elsewhere.talk_to(ok.sound());
    elsewhere.press('1');
    let until = std::time::Instant::now() + std::time::Duration::from_secs(5);
    while running(&page)["alarms"][0]["alarm"] != "no sound of the customer: elsewhere" {
        assert!(std::time::Instant::now() < until, "no alarm: {}", running(&page));
        wait(100);
    }
    stage.pbx.hears_no(0, "INVITE");
    assert!(page.get("/now").body.contains("The customer is not heard"));
    assert_eq!(stage.node.log().matches("one side of a call is not heard").count(), 1);
    stage.ear.talk_to(ok.sound());
    wait(500);
    assert!(running(&page)["alarms"].as_array().is_some_and(Vec::is_empty), "it is over");
}

mod chromium {
    //! The same by hand, in a real browser.

    use std::{
        io::{BufRead, BufReader, Write},
        process::Stdio,
    };

    use support::page;

    use super::*;

    /// Where the browser's pictures go: nowhere, unless somebody wants to look.
    fn shots() -> Option<std::path::PathBuf> {
        std::env::var_os("JAWOORD_SHOTS").map(std::path::PathBuf::from)
    }

    #[test]
    fn d_25_b_33_a_click_pauses_a_recording_and_alarms_appear_and_stay_after_the_call() {
        let change = Change::default()
            .with("confirm = \"first\"", "confirm = \"off\"")
            .with("one_way_s = 10", "one_way_s = 2");
        let mut stage = Stage::with(change);
        let Talk { mut a, ok, .. } = stage.recorded();
        say(&stage, TALK);
        wait(1_000);
        let mut command = page::browser("live.mjs", &page::link(&stage.node));
        let mut browser = command
            .args(shots())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node is installed");
        let mut said = BufReader::new(browser.stdout.take().expect("a pipe")).lines();
        let mut orders = browser.stdin.take().expect("a pipe");
        let mut hears = |word: &str| {
            let line = said.next().and_then(Result::ok).unwrap_or_default();
            assert_eq!(line, word, "{}", said.by_ref().map_while(Result::ok).collect::<String>());
        };
        let mut goes_on = || writeln!(orders, "on").expect("the browser reads");
        hears("paused");
        say(&stage, CARD);
        wait(1_000);
        say(&stage, TALK);
        wait(60);
        goes_on();
        hears("resumed");
        wait(1_000);
        // The customer's sound stops and comes back.
        stage.ear.stop();
        hears("alarmed");
        stage.ear.talk_to(ok.sound());
        hears("quiet");
        let (_, channels) = recording(&mut stage, &mut a);
        goes_on();
        hears("kept");
        drop(orders);
        assert!(browser.wait().expect("an end").success());
        for (samples, card) in [(&channels[0], CARD.0), (&channels[1], CARD.1)] {
            assert_eq!(lasts(samples, card), 0, "the card is in the recording");
        }
        assert!(lasts(&channels[1], TALK.1) > 2_000, "it does not go on");
    }
}
