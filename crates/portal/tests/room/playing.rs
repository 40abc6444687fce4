//! Hearing a recording: the bytes, their ranges, their pieces and the waveform.

use std::sync::atomic::Ordering;

use axum::{
    body::{Body, HttpBody},
    http::StatusCode,
};
use http_body_util::BodyExt;
use portal::{Entry, Erasure, ErasureState};
use tower::ServiceExt;

use crate::{
    archive::{Shelf, entry, id, spoken},
    visitor::{START, Visitor},
};

const SECONDS: u64 = 9;
const LENGTH: usize = 44 + 9 * 8_000 * 4;

async fn visitor() -> Visitor {
    Visitor::inside(Shelf::of(vec![entry(1, START, SECONDS)], Vec::new())).await
}

fn audio() -> String {
    format!("/api/recordings/{}/audio.wav", id(1))
}

/// The sound as it was spoken, without the header.
fn samples(frames: std::ops::Range<u64>) -> Vec<u8> {
    frames.flat_map(spoken).flat_map(i16::to_le_bytes).collect()
}

#[tokio::test]
async fn the_whole_recording_is_a_wav_with_the_customer_on_the_left() {
    let visitor = visitor().await;
    let answer = visitor.get(&audio()).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "audio/wav");
    assert_eq!(answer.header("accept-ranges"), "bytes");
    assert_eq!(answer.header("content-length"), LENGTH.to_string());
    assert_eq!(answer.body.len(), LENGTH);
    assert_eq!(&answer.body[..4], b"RIFF");
    assert!(answer.body[44..] == samples(0..72_000)[..]);
}

#[tokio::test]
async fn a_range_is_the_same_bytes_as_in_the_whole() {
    let visitor = visitor().await;
    let whole = visitor.get(&audio()).await.body;
    let last = LENGTH - 1;
    let ranges = [
        ("bytes=0-0".to_owned(), 0, 0),
        ("bytes=0-".to_owned(), 0, last),
        ("bytes=40-50".to_owned(), 40, 50),
        ("bytes=45-45".to_owned(), 45, 45),
        ("bytes=100001-".to_owned(), 100_001, last),
        ("bytes=-3".to_owned(), last - 2, last),
        ("bytes=-99999999".to_owned(), 0, last),
        (format!("bytes={last}-99999999999"), last, last),
        ("bytes=32043-96045".to_owned(), 32_043, 96_045),
    ];
    for (range, first, end) in ranges {
        let answer = visitor.get_with(&audio(), "range", &range).await;
        assert_eq!(answer.status, StatusCode::PARTIAL_CONTENT, "{range}");
        assert_eq!(answer.header("content-range"), format!("bytes {first}-{end}/{LENGTH}"));
        assert_eq!(answer.header("content-length"), (end - first + 1).to_string());
        assert!(answer.body == whole[first..=end], "{range}");
    }
}

#[tokio::test]
async fn a_range_beyond_the_end_says_how_long_the_recording_is() {
    let visitor = visitor().await;
    for range in [format!("bytes={LENGTH}-"), "bytes=-0".to_owned()] {
        let answer = visitor.get_with(&audio(), "range", &range).await;
        assert_eq!(answer.status, StatusCode::RANGE_NOT_SATISFIABLE, "{range}");
        assert_eq!(answer.header("content-range"), format!("bytes */{LENGTH}"));
        assert_eq!(answer.json()["type"], "/problems/no-such-range");
    }
}

#[tokio::test]
async fn several_ranges_or_a_validator_that_is_not_ours_get_the_whole() {
    let visitor = visitor().await;
    let several = visitor.get_with(&audio(), "range", "bytes=0-1,5-6").await;
    assert_eq!((several.status, several.body.len()), (StatusCode::OK, LENGTH));
    let request = visitor.request("GET", &audio()).header("range", "bytes=0-1");
    let request = request.header("if-range", "\"old\"").body(Body::empty()).unwrap();
    assert_eq!(visitor.send(request).await.status, StatusCode::OK);
}

#[tokio::test]
async fn asking_for_the_head_tells_the_length_and_sends_no_sound() {
    let visitor = visitor().await;
    let request = visitor.request("HEAD", &audio()).body(Body::empty()).unwrap();
    let answer = visitor.send(request).await;
    assert_eq!(answer.header("content-length"), LENGTH.to_string());
    assert!(answer.body.is_empty());
}

#[tokio::test]
async fn an_hour_is_sent_in_pieces_and_read_only_as_fast_as_it_is_taken() {
    let visitor = Visitor::inside(Shelf::of(vec![entry(1, START, 3_600)], Vec::new())).await;
    let request = visitor.request("GET", &audio()).body(Body::empty()).unwrap();
    let response = visitor.router.clone().oneshot(request).await.unwrap();
    let mut body = response.into_body();
    assert_eq!(body.size_hint().exact(), Some(44 + 3_600 * 32_000));
    let mut taken = 0;
    for _ in 0..5 {
        let piece = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert!(!piece.is_empty() && piece.len() <= 64 * 1024, "{}", piece.len());
        taken += piece.len();
    }
    assert!(taken < 320 * 1024);
    assert_eq!(body.size_hint().exact(), Some(44 + 3_600 * 32_000 - taken as u64));
}

#[tokio::test]
async fn a_damaged_second_cuts_the_sound_short_instead_of_passing_as_the_end() {
    let mut shelf = Shelf::of(vec![entry(1, START, SECONDS)], Vec::new());
    shelf.damaged = Some((id(1), 5));
    let visitor = Visitor::inside(shelf).await;
    let request = visitor.request("GET", &audio()).body(Body::empty()).unwrap();
    let response = visitor.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.headers()["content-length"], LENGTH.to_string());
    let mut body = response.into_body();
    let (mut taken, mut failure) = (0, None);
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => taken += frame.into_data().unwrap().len(),
            Err(error) => failure = Some(error.to_string()),
        }
    }
    assert_eq!(taken, 44 + 4 * 32_000);
    assert!(failure.is_some_and(|failure| failure.contains("second 5")));
    let peaks = visitor.get(&format!("/api/recordings/{}/peaks", id(1))).await;
    assert_eq!(peaks.json()["type"], "/problems/damaged");
}

#[tokio::test]
async fn an_erased_second_is_silence_in_sound_and_waveform() {
    let range = Erasure { from_s: 1, to_s: 3, state: ErasureState::Erased, since: START };
    let erased = Entry { erased: vec![range], ..entry(1, START, SECONDS) };
    let visitor = Visitor::inside(Shelf::of(vec![erased], Vec::new())).await;
    let body = visitor.get(&audio()).await.body;
    assert!(body[44 + 32_000..44 + 3 * 32_000].iter().all(|byte| *byte == 0));
    assert!(body[44..44 + 32_000] == samples(0..8_000)[..]);
    let peaks = visitor.get(&format!("/api/recordings/{}/peaks?columns=9", id(1))).await.json();
    let customer: Vec<u64> =
        peaks["customer"].as_array().unwrap().iter().map(|peak| peak.as_u64().unwrap()).collect();
    assert_eq!(customer.len(), 9);
    assert!(customer[0] > 0 && customer[1] == 0 && customer[2] == 0 && customer[3] > 0);
}

#[tokio::test]
async fn hearing_looking_and_verifying_are_told_apart_for_the_audit() {
    let visitor = visitor().await;
    visitor.get(&format!("/recordings/{}", id(1))).await;
    let count = |visitor: &Visitor| {
        let shelf = &visitor.shelf;
        [&shelf.listened, &shelf.looked, &shelf.verified].map(|it| it.load(Ordering::SeqCst))
    };
    assert_eq!(count(&visitor), [0, 0, 0], "the page itself opens no sound");
    visitor.get(&format!("/api/recordings/{}/peaks", id(1))).await;
    visitor.get(&audio()).await;
    visitor.post(&format!("/api/recordings/{}/verify", id(1))).await;
    assert_eq!(count(&visitor), [1, 1, 1]);
}
