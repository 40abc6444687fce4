//! What is now: the calls that run, what is wrong, and a pause by the page or by a program.

use std::time::Duration;

use axum::http::StatusCode;
use call::Time;
use portal::{Ailment, Taping, Trouble};

use crate::{
    archive::{Shelf, call_id, running},
    visitor::{START, Visitor},
};

/// A recorded call, a paused one that has a Call-ID as well, and one that is not recorded.
fn shelf() -> Shelf {
    let shelf = Shelf::of(Vec::new(), Vec::new());
    {
        let mut now = shelf.floor.lock().unwrap();
        now.calls = vec![
            running(1, START, Taping::On),
            running(31, START, Taping::Paused),
            running(9, START, Taping::Off),
        ];
        now.running = 3;
    }
    shelf
}

fn order(number: u8, name: &str) -> String {
    format!("/api/calls/{}/{name}", call_id(number))
}

async fn tapings(visitor: &Visitor) -> Vec<String> {
    let now = visitor.get("/api/now").await.json();
    let calls = now["calls"].as_array().unwrap();
    calls.iter().map(|call| call["recording"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_recording_is_paused_and_goes_on_by_the_calls_id_or_a_call_id() {
    let visitor = Visitor::inside(shelf()).await;
    let done = visitor.post(&order(1, "pause")).await;
    assert_eq!((done.status, done.body.len()), (StatusCode::NO_CONTENT, 0));
    let done = visitor.post("/api/calls/a%2Fb%40c.test/resume").await;
    assert_eq!(done.status, StatusCode::NO_CONTENT);
    assert_eq!(tapings(&visitor).await, ["paused", "on", "off"]);
}

#[tokio::test]
async fn a_customer_is_asked_once_where_the_house_may_ask() {
    let shelf = shelf();
    shelf.floor.lock().unwrap().calls[2].askable = true;
    let visitor = Visitor::inside(shelf).await;
    let page = visitor.get("/now").await;
    assert!(page.text().contains(&format!("data-order=\"{}\"", order(9, "ask"))), "no button");
    assert_eq!(visitor.get("/api/now").await.json()["calls"][2]["askable"], true);
    let done = visitor.post(&order(9, "ask")).await;
    assert_eq!((done.status, done.body.len()), (StatusCode::NO_CONTENT, 0));
    for (number, status, kind) in
        [(9, StatusCode::CONFLICT, "not-askable"), (77, StatusCode::NOT_FOUND, "unknown-call")]
    {
        let answer = visitor.post(&order(number, "ask")).await;
        assert_eq!(
            (answer.status, answer.json()["type"].as_str()),
            (status, Some(&*format!("/problems/{kind}")))
        );
    }
    let page = visitor.get("/now").await;
    let page = page.text();
    assert!(page.contains("being asked") && !page.contains("/ask\""), "the button stays");
    assert_eq!(tapings(&visitor).await, ["on", "paused", "asked"]);
}

#[tokio::test]
async fn l_03_a_program_says_who_talks_to_a_customer_and_that_nobody_does() {
    let visitor = Visitor::inside(shelf()).await;
    let path = order(1, "agent");
    let done = visitor.tell(&path, r#"{"agent":"Anna","queue":"support"}"#).await;
    assert_eq!((done.status, done.body.len()), (StatusCode::NO_CONTENT, 0));
    {
        let seated = visitor.shelf.seated.lock().unwrap();
        let seated = seated.as_ref().unwrap();
        assert_eq!(seated.agent.reveal(), "Anna");
        assert_eq!(seated.queue.map(|queue| queue.to_string()).as_deref(), Some("support"));
        assert!(!format!("{seated:?}").contains("Anna"));
    }
    let done = visitor.tell(&path, r#"{"agent":null}"#).await;
    assert_eq!(done.status, StatusCode::NO_CONTENT);
    assert!(visitor.shelf.seated.lock().unwrap().is_none());
    assert_eq!(tapings(&visitor).await, ["no-agent", "paused", "off"]);
    assert!(visitor.get("/now").await.text().contains("silent: no agent"));
}

#[tokio::test]
async fn l_03_a_word_about_an_agent_that_leaves_open_who_it_is_is_refused() {
    let visitor = Visitor::inside(shelf()).await;
    let long = format!(r#"{{"agent":"{}"}}"#, "a".repeat(129));
    for body in [
        "",
        "{}",
        r#"{"queue":"support"}"#,
        r#"{"agent":""}"#,
        r#"{"agent":7}"#,
        r#"{"agent":"Anna","queue":"not a queue"}"#,
        r#"{"agent":"Anna","queu":"support"}"#,
        &long,
    ] {
        let answer = visitor.tell(&order(1, "agent"), body).await;
        let kind = answer.json()["type"].clone();
        assert_eq!(
            (answer.status, kind),
            (StatusCode::BAD_REQUEST, "/problems/bad-agent".into()),
            "{body}"
        );
    }
    let answer = visitor.tell(&order(77, "agent"), r#"{"agent":"Anna"}"#).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(tapings(&visitor).await, ["on", "paused", "off"]);
}

#[tokio::test]
async fn l_08_a_program_passes_on_that_the_customer_wants_no_recording_any_more() {
    let visitor = Visitor::inside(shelf()).await;
    assert_eq!(tapings(&visitor).await[0], "on");
    assert_eq!(visitor.post(&order(1, "withdraw")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(tapings(&visitor).await[0], "off");
    for (call, status, kind) in [
        (1, StatusCode::CONFLICT, "nothing-to-withdraw"),
        (77, StatusCode::NOT_FOUND, "unknown-call"),
    ] {
        let answer = visitor.post(&order(call, "withdraw")).await;
        let said = answer.json()["type"].clone();
        assert_eq!((answer.status, said), (status, format!("/problems/{kind}").into()));
    }
}

#[tokio::test]
async fn what_cannot_be_paused_is_said_with_what_to_do() {
    let visitor = Visitor::inside(shelf()).await;
    for (path, status, kind) in [
        (order(9, "pause"), StatusCode::CONFLICT, "not-recorded"),
        (order(9, "resume"), StatusCode::CONFLICT, "not-recorded"),
        (order(77, "pause"), StatusCode::NOT_FOUND, "unknown-call"),
        (
            "/api/calls/nobody%40nowhere.test/resume".to_owned(),
            StatusCode::NOT_FOUND,
            "unknown-call",
        ),
    ] {
        let answer = visitor.post(&path).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        let problem = answer.json();
        assert_eq!(problem["type"], format!("/problems/{kind}"));
        assert!(problem["remedy"].as_str().unwrap().len() > 20);
        // The name could be somebody's address.
        assert!(!answer.text().contains("nowhere.test"));
    }
    assert_eq!(visitor.get(&order(1, "pause")).await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn nobody_pauses_without_a_session_or_from_another_site() {
    let mut visitor = Visitor::inside(shelf()).await;
    let body = axum::body::Body::empty;
    for origin in [None, Some("http://evil.test"), Some("http://127.0.0.1:9")] {
        let mut request = visitor.request("POST", &order(1, "pause"));
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let answer = visitor.send(request.body(body()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{origin:?}");
    }
    let cookie = visitor.cookie.take();
    let stranger = visitor.post(&order(1, "pause")).await;
    assert_eq!(stranger.status, StatusCode::UNAUTHORIZED);
    assert_eq!(visitor.get("/now").await.status, StatusCode::UNAUTHORIZED);
    visitor.cookie = cookie;
    assert_eq!(tapings(&visitor).await, ["on", "paused", "off"]);
}

#[tokio::test]
async fn what_is_wrong_is_told_with_call_leg_and_moment_on_the_page_and_in_json() {
    let visitor = Visitor::inside(Shelf::of_a_morning(START)).await;
    let now = visitor.get("/api/now").await.json();
    assert_eq!(now["running"], 4);
    let since = (START - Duration::from_secs(60)).to_string();
    let unheard = serde_json::json!({
        "alarm": "no sound of the customer: elsewhere", "leg": "customer", "since": since, "until": null,
    });
    assert_eq!(now["calls"][0]["alarms"][0], unheard);
    assert_eq!(now["calls"][0]["alarms"][1]["leg"], serde_json::Value::Null);
    assert_eq!(now["calls"][3]["line"], serde_json::Value::Null);
    let hears = serde_json::json!({
        "leg": "agent", "way": "sent", "mos": 4.31, "loss_percent": 1.54, "jitter_ms": 21.8,
    });
    assert_eq!(now["calls"][0]["quality"][1], hears);
    assert_eq!(now["calls"][1]["quality"], serde_json::json!([]), "it has hardly begun");
    let since = (START - Duration::from_secs(120)).to_string();
    assert_eq!(now["troubles"][0], serde_json::json!({ "what": "disk", "since": since }));
    assert_eq!(now["troubles"][1]["trunk"], "carrier");
    for path in ["/", "/now"] {
        let page = visitor.get(path).await;
        let text = page.text();
        for said in [
            "Nobody is asked: the disk for recordings is full or fails",
            "No key comes through on trunk carrier",
            "The customer is not heard",
            "Recorded no further",
            "Your side heard: 0.0 % lost, jitter 0 ms",
            "Your side hears: 1.5 % lost, jitter 22 ms",
            "being recorded",
            "paused",
        ] {
            assert!(text.contains(said), "{path} lacks {said}");
        }
        assert!(text.contains(&call_id(30).to_string()), "{path} does not name the call");
        assert_eq!(text.matches("data-order").count(), 2, "two are recorded");
    }
    let page = visitor.get("/").await;
    assert!(page.text().contains("role=\"alert\" data-part=\"alarms\""));
    let older = visitor.get(&format!("/?before={}", START.as_micros())).await;
    assert!(!older.text().contains("data-part"), "what was long ago has no now");
    let dutch = visitor.get_with("/now", "accept-language", "nl").await;
    assert!(dutch.text().contains("De klant is niet te horen"));
    assert!(dutch.text().contains("Uw kant hoort: 1,5 % verloren, jitter 22 ms"));
}

#[tokio::test]
async fn what_went_wrong_stays_with_the_recording_and_with_the_call() {
    let visitor = Visitor::inside(Shelf::of_a_morning(START)).await;
    let page = visitor.get(&format!("/recordings/{}", crate::archive::id(4))).await;
    let text = page.text();
    assert!(text.contains("What went wrong in the call"));
    assert!(text.contains("<strong>Your side is not heard</strong> from "));
    assert!(text.contains("<strong>The recording has a gap</strong> since "));
    let told = visitor.get(&format!("/api/recordings/{}", crate::archive::id(4))).await.json();
    let until = (START - Duration::from_secs(93 * 60)).to_string();
    assert_eq!(told["alarms"][0]["until"], until);
    let quiet = visitor.get(&format!("/recordings/{}", crate::archive::id(2))).await;
    assert!(!quiet.text().contains("What went wrong"));
    let list = visitor.get("/").await;
    assert_eq!(list.text().matches("<span class=\"pill\">alarm</span>").count(), 1);
    let calls = visitor.get("/api/calls").await.json();
    let wrong = calls["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["alarms"] != serde_json::json!([]));
    assert_eq!(wrong.count(), 1);
}

#[tokio::test]
async fn a_page_that_is_left_open_does_not_keep_its_session_from_ending() {
    let visitor = Visitor::inside(shelf()).await;
    for path in ["/now", "/api/now"] {
        visitor.wait(Duration::from_secs(120));
        let asked = visitor.get(path).await;
        assert_eq!((asked.status, asked.header("set-cookie")), (StatusCode::OK, ""), "{path}");
    }
    let looked = visitor.get("/").await;
    assert!(!looked.header("set-cookie").is_empty(), "somebody is there");
    visitor.wait(Duration::from_secs(27 * 60));
    assert_eq!(visitor.get("/now").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn more_calls_than_are_shown_are_counted_and_none_is_said_to_be_none() {
    let shelf = Shelf::of(Vec::new(), Vec::new());
    let visitor = Visitor::inside(shelf).await;
    assert!(visitor.get("/now").await.text().contains("No call runs now."));
    {
        let mut now = visitor.shelf.floor.lock().unwrap();
        now.calls = vec![running(1, Time::from_micros(1), Taping::Off)];
        now.running = 812;
    }
    assert!(visitor.get("/now").await.text().contains("812 calls run; the newest are shown."));
}

#[tokio::test]
async fn books_that_do_not_agree_are_an_alarm_of_the_node() {
    let shelf = shelf();
    let trouble = Trouble { what: Ailment::Unreconciled { mismatches: 3 }, since: START };
    shelf.floor.lock().unwrap().troubles = vec![trouble];
    let visitor = Visitor::inside(shelf).await;
    let page = visitor.get("/now").await;
    assert!(page.text().contains("(3 mismatches)"), "{}", page.text());
    assert!(page.text().contains("jawoord report reconcile"), "what to do");
    let now = visitor.get("/api/now").await.json();
    assert_eq!(now["troubles"][0]["what"], "unreconciled");
    assert_eq!(now["troubles"][0]["mismatches"], 3);
}

#[tokio::test]
async fn books_that_could_not_be_compared_are_an_alarm_and_not_said_to_agree() {
    let shelf = shelf();
    let trouble = Trouble { what: Ailment::BooksUnread, since: START };
    shelf.floor.lock().unwrap().troubles = vec![trouble];
    let visitor = Visitor::inside(shelf).await;
    let page = visitor.get("/now").await;
    assert!(page.text().contains("objects agree is not known"), "{}", page.text());
    assert_eq!(visitor.get("/api/now").await.json()["troubles"][0]["what"], "books-unread");
}
