//! The list, one recording, and the JSON beneath them.

use std::time::Duration;

use axum::http::StatusCode;
use call::{Consent, Outcome, Time, Verdict};
use portal::{Entry, State};

use crate::{
    archive::{Shelf, call, entry, id, words},
    visitor::{START, Visitor},
};

fn ago(minutes: u64) -> Time {
    START - Duration::from_secs(minutes * 60)
}

#[tokio::test]
async fn a_recording_is_told_with_every_tag() {
    let visitor = Visitor::inside(Shelf::of(vec![entry(7, START, 63)], Vec::new())).await;
    let told = visitor.get(&format!("/api/recordings/{}", id(7))).await.json();
    let expected = serde_json::json!({
        "id": "07".repeat(16),
        "call": "07".repeat(16),
        "started_at": "2026-11-22T09:30:05.000000Z",
        "duration_ms": 63_000,
        "tenant": "main",
        "line": "sales",
        "direction": "inbound",
        "ground": "consent",
        "purposes": ["quality", "training"],
        "evidence": "07".repeat(32),
        "policy": "sales-consent",
        "policy_version": 3,
        "retention_class": "quality-30d",
        "delete_after": "2026-12-22T09:30:05.000000Z",
        "held": false,
        "storage_country": "NL",
        "storage_provider": "own disk",
        "codec": "PCMA/PCMA",
        "missing_ms": 0,
        "gaps": 0,
        "words": {"consent": "granted", "outcome": "bridged", "verdict": "recorded"},
        "state": "stored",
        "erased": [],
        "alarms": [],
    });
    assert_eq!(told, expected);
    let list = visitor.get("/api/recordings").await.json();
    assert_eq!(list["items"], serde_json::json!([expected]));
    assert!(list["next_before"].is_null());
}

#[tokio::test]
async fn a_call_without_a_recording_is_told_with_its_three_words() {
    let refused = words(Consent::Refused, Outcome::Bridged, Verdict::Refused);
    let mut nowhere = call(2, ago(2), None);
    nowhere.line = None;
    let calls = vec![call(1, ago(1), Some(refused)), nowhere];
    let visitor = Visitor::inside(Shelf::of(Vec::new(), calls)).await;
    let told = visitor.get("/api/calls").await.json();
    assert_eq!(told["items"][0]["words"]["verdict"], "refused");
    assert_eq!(told["items"][0]["line"], "support");
    assert!(told["items"][1]["words"].is_null() && told["items"][1]["line"].is_null());
    let page = visitor.get("/").await;
    assert!(page.text().contains("The customer said no."));
    assert!(page.text().contains("There is no recording yet"));
}

#[tokio::test]
async fn a_long_list_goes_on_where_the_part_before_it_ended() {
    let entries: Vec<Entry> =
        (1..=25).map(|number| entry(number, ago(u64::from(number)), 5)).collect();
    let visitor = Visitor::inside(Shelf::of(entries, Vec::new())).await;
    let (mut seen, mut path) = (Vec::new(), "/api/recordings?limit=10".to_owned());
    loop {
        let part = visitor.get(&path).await.json();
        seen.extend(part["items"].as_array().unwrap().iter().map(|item| item["id"].to_string()));
        let Some(before) = part["next_before"].as_u64() else { break };
        path = format!("/api/recordings?limit=10&before={before}");
    }
    assert_eq!(seen.len(), 25);
    seen.dedup();
    assert_eq!(seen.len(), 25);
    let page = visitor.get("/?limit=10").await;
    let before = ago(10).as_micros();
    assert!(page.text().contains(&format!("href=\"/?before={before}\"")), "{}", page.text());
    let older = visitor.get(&format!("/?before={before}")).await;
    assert!(older.text().contains("Back to the newest"));
}

#[tokio::test]
async fn a_query_that_cannot_be_read_is_refused_and_a_greedy_one_is_cut() {
    let visitor = Visitor::inside(Shelf::of(vec![entry(1, START, 1)], Vec::new())).await;
    for query in ["limit=x", "before=2026-11-22", "limit=-1", "before=99999999999999999999"] {
        for path in ["/", "/api/recordings", "/api/calls"] {
            let answer = visitor.get(&format!("{path}?{query}")).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}?{query}");
        }
    }
    let greedy = visitor.get("/api/recordings?limit=18446744073709551615").await;
    assert_eq!(greedy.status, StatusCode::OK);
}

#[tokio::test]
async fn an_unknown_recording_is_not_found_whatever_its_name() {
    let visitor = Visitor::inside(Shelf::of(Vec::new(), Vec::new())).await;
    for name in ["x", "..%2F..%2Fetc%2Fpasswd", &"0".repeat(32), &"0".repeat(33), "%00"] {
        for path in ["/recordings/", "/api/recordings/"] {
            let answer = visitor.get(&format!("{path}{name}")).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}{name}");
        }
    }
}

#[tokio::test]
async fn what_the_operator_wrote_is_shown_as_text_and_never_as_markup() {
    let attack = "<script>alert(1)</script>\"'&";
    let hostile = Entry {
        retention_class: attack.to_owned(),
        storage_provider: attack.to_owned(),
        storage_country: attack.to_owned(),
        codec: attack.to_owned(),
        ..entry(1, START, 5)
    };
    let visitor = Visitor::inside(Shelf::of(vec![hostile], Vec::new())).await;
    for path in ["/".to_owned(), format!("/recordings/{}", id(1))] {
        let page = visitor.get(&path).await;
        assert!(!page.text().contains("<script>"), "{path}");
        assert!(page.text().contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;"), "{path}");
    }
}

#[tokio::test]
async fn the_page_speaks_dutch_to_whoever_asks_for_it() {
    let visitor = Visitor::inside(Shelf::of_a_morning(START)).await;
    for path in ["/".to_owned(), format!("/recordings/{}", id(3))] {
        let dutch = visitor.get_with(&path, "accept-language", "nl-NL,nl;q=0.9,en;q=0.8").await;
        assert!(dutch.text().contains("<html lang=\"nl\">"));
        assert!(dutch.text().contains("Toestemming"), "{path}");
        assert!(!dutch.text().contains(">Legal ground<"), "{path}");
        let english = visitor.get(&path).await;
        assert!(english.text().contains("<html lang=\"en\">"));
        assert!(!english.text().contains("Toestemming"));
    }
}

#[tokio::test]
async fn a_recording_that_is_still_being_made_has_no_player() {
    let running = Entry { state: State::Recording, words: None, ..entry(1, START, 0) };
    let visitor = Visitor::inside(Shelf::of(vec![running], Vec::new())).await;
    let page = visitor.get(&format!("/recordings/{}", id(1))).await;
    assert!(page.text().contains("being recorded at this moment"));
    assert!(!page.text().contains("<audio"));
    let audio = visitor.get(&format!("/api/recordings/{}/audio.wav", id(1))).await;
    assert_eq!(audio.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_recording_with_erased_seconds_says_which_and_how_far() {
    let visitor = Visitor::inside(Shelf::of_a_morning(START)).await;
    let page = visitor.get(&format!("/recordings/{}", id(3))).await;
    let text = page.text();
    assert!(text.contains("data-erased=\"10-20 42-47\""));
    assert!(text.contains("<strong>0:10–0:20</strong> unrecoverable"));
    assert!(text.contains("<strong>0:42–0:47</strong> erased"));
    let told = visitor.get(&format!("/api/recordings/{}", id(3))).await.json();
    assert_eq!(told["erased"][0]["state"], "unrecoverable");
    assert_eq!(told["erased"][1]["from_s"], 42);
}

#[tokio::test]
async fn verifying_names_each_thing_that_was_checked() {
    let mut shelf = Shelf::of(vec![entry(1, START, 5), entry(2, START, 5)], Vec::new());
    shelf.damaged = Some((id(2), 3));
    let visitor = Visitor::inside(shelf).await;
    let good = visitor.post(&format!("/api/recordings/{}/verify", id(1))).await.json();
    assert_eq!(good["sound"], true);
    assert_eq!(good["findings"][2]["text"], "5 of 5 seconds are what was sealed");
    let bad = visitor.post(&format!("/api/recordings/{}/verify", id(2))).await.json();
    assert_eq!(bad["sound"], false);
    assert_eq!(bad["findings"][2]["holds"], false);
    let none = visitor.post(&format!("/api/recordings/{}/verify", id(9))).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_archive_that_does_not_answer_is_said_to_be_unavailable() {
    let mut shelf = Shelf::of(vec![entry(1, START, 5)], Vec::new());
    shelf.is_down = true;
    let visitor = Visitor::inside(shelf).await;
    let id = id(1);
    for path in ["/", "/api/recordings", "/api/calls"] {
        assert_eq!(visitor.get(path).await.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
    }
    for path in [format!("/recordings/{id}"), format!("/api/recordings/{id}/audio.wav")] {
        assert_eq!(visitor.get(&path).await.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
    }
}
