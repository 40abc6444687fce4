//! Who comes in and who does not: links, sessions, hosts, origins and headers.

use std::time::Duration;

use axum::{body::Body, http::StatusCode};

use crate::{
    archive::{Shelf, entry, id},
    visitor::{Answer, START, Visitor},
};

fn shelf() -> Shelf {
    Shelf::of(vec![entry(1, START, 3)], Vec::new())
}

/// Every address that shows something of a call.
fn rooms() -> Vec<(&'static str, String)> {
    let id = id(1);
    vec![
        ("GET", "/".to_owned()),
        ("GET", format!("/recordings/{id}")),
        ("GET", "/api/recordings".to_owned()),
        ("GET", format!("/api/recordings/{id}")),
        ("GET", format!("/api/recordings/{id}/audio.wav")),
        ("GET", format!("/api/recordings/{id}/peaks")),
        ("POST", format!("/api/recordings/{id}/verify")),
        ("GET", "/api/calls".to_owned()),
    ]
}

async fn visit(visitor: &Visitor, method: &str, path: &str) -> Answer {
    if method == "POST" { visitor.post(path).await } else { visitor.get(path).await }
}

#[tokio::test]
async fn a_link_opens_the_page_once_and_says_so_the_second_time() {
    let mut visitor = Visitor::outside(shelf());
    let link = visitor.link();
    let first = visitor.get(&link).await;
    assert_eq!(first.status, StatusCode::OK);
    let cookie = first.header("set-cookie");
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let second = visitor.get(&link).await;
    assert_eq!(second.status, StatusCode::UNAUTHORIZED);
    assert!(second.headers.get("set-cookie").is_none());
    assert!(second.text().contains("has been used"));
    assert!(second.text().contains("<code>jawoord page</code> prints a new link"));
    visitor.keep(&first);
    assert_eq!(visitor.get("/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_preview_that_asks_for_the_head_leaves_the_link_alive() {
    let visitor = Visitor::outside(shelf());
    let link = visitor.link();
    let head = visitor.request("HEAD", &link).body(Body::empty()).unwrap();
    assert_eq!(visitor.send(head).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(visitor.get(&link).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_old_a_replaced_and_an_invented_link_open_nothing() {
    let visitor = Visitor::outside(shelf());
    let (first, second) = (visitor.link(), visitor.link());
    assert!(visitor.get(&first).await.text().contains("has been used"));
    visitor.wait(Duration::from_secs(601));
    assert!(visitor.get(&second).await.text().contains("too old"));
    for invented in ["/?enter=", "/?enter=00", "/?a=b&enter=%00", "/?enter=zz"] {
        let answer = visitor.get(invented).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{invented}");
        assert!(answer.text().contains("not valid"), "{invented}");
    }
}

#[tokio::test]
async fn without_a_session_every_room_is_shut() {
    let mut visitor = Visitor::outside(shelf());
    for cookie in [None, Some("jawoord-00000000=00".to_owned()), Some("a=b; c".to_owned())] {
        visitor.cookie = cookie;
        for (method, path) in rooms() {
            let answer = visit(&visitor, method, &path).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
            assert!(answer.header("www-authenticate").starts_with("OneTimeLink"));
            assert!(!answer.text().contains("sales"), "{path} tells something");
            if path.starts_with("/api/") {
                assert_eq!(answer.header("content-type"), "application/problem+json");
                let problem = answer.json();
                assert_eq!(problem["status"], 401);
                assert_eq!(problem["type"], "/problems/no-session");
                assert!(problem["remedy"].as_str().unwrap().contains("jawoord page"));
            } else {
                assert!(answer.header("content-type").starts_with("text/html"));
            }
        }
    }
    assert_eq!(visitor.shelf.listened.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_session_outlives_half_an_hour_only_when_it_is_used() {
    let mut visitor = Visitor::inside(shelf()).await;
    for _ in 0..3 {
        visitor.wait(Duration::from_secs(29 * 60));
        let answer = visitor.get("/").await;
        assert_eq!(answer.status, StatusCode::OK);
        visitor.keep(&answer);
    }
    visitor.wait(Duration::from_secs(31 * 60));
    let answer = visitor.get("/").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.text().contains("Your session has ended"));
}

#[tokio::test]
async fn a_session_ends_after_twelve_hours_however_busy() {
    let mut visitor = Visitor::inside(shelf()).await;
    for _ in 0..48 {
        visitor.wait(Duration::from_secs(15 * 60));
        let answer = visitor.get("/api/calls").await;
        assert_eq!(answer.status, StatusCode::OK);
        visitor.keep(&answer);
    }
    visitor.wait(Duration::from_secs(1));
    let answer = visitor.get("/api/calls").await;
    assert_eq!(answer.json()["type"], "/problems/session-over");
}

#[tokio::test]
async fn only_this_machines_own_names_are_answered() {
    let visitor = Visitor::inside(shelf()).await;
    let ask = |host: &str| {
        let request = axum::http::Request::get("/api/calls")
            .header("host", host)
            .header("cookie", visitor.cookie.clone().unwrap());
        visitor.send(request.body(Body::empty()).unwrap())
    };
    let own = [
        "127.0.0.1",
        "127.0.0.1:9",
        "127.1.2.3:80",
        "localhost",
        "LocalHost:1",
        "[::1]",
        "[::1]:8",
    ];
    for host in own {
        assert_eq!(ask(host).await.status, StatusCode::OK, "{host}");
    }
    let foreign = [
        "rebind.example",
        "127.0.0.1.nip.io",
        "localhost.example",
        "10.0.0.1",
        "0.0.0.0",
        "[::]",
        "localhost@rebind.example",
        "a@127.0.0.1",
        "",
        "::1",
        "2130706433",
    ];
    for host in foreign {
        let answer = ask(host).await;
        assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST, "{host}");
        assert_eq!(answer.json()["type"], "/problems/foreign-host");
    }
}

#[tokio::test]
async fn a_request_with_no_host_or_two_or_another_target_is_refused() {
    let visitor = Visitor::inside(shelf()).await;
    let cookie = visitor.cookie.clone().unwrap();
    let bare = || axum::http::Request::get("/api/calls").header("cookie", &cookie);
    let none = bare().body(Body::empty()).unwrap();
    let two = bare().header("host", "localhost").header("host", "localhost");
    let two = two.body(Body::empty()).unwrap();
    let other = bare().uri("http://rebind.example/api/calls").header("host", "localhost");
    let other = other.body(Body::empty()).unwrap();
    for request in [none, two, other] {
        assert_eq!(visitor.send(request).await.status, StatusCode::MISDIRECTED_REQUEST);
    }
}

#[tokio::test]
async fn only_our_own_page_may_make_the_daemon_do_something() {
    let visitor = Visitor::inside(shelf()).await;
    let path = format!("/api/recordings/{}/verify", id(1));
    let origins = [
        None,
        Some("null"),
        Some("http://127.0.0.1:9999"),
        Some("http://localhost:8080"),
        Some("http://evil.example"),
        Some("127.0.0.1:8080"),
        Some(""),
    ];
    for origin in origins {
        let mut request = visitor.request("POST", &path);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let answer = visitor.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{origin:?}");
    }
    assert_eq!(visitor.shelf.verified.load(std::sync::atomic::Ordering::SeqCst), 0);
    assert_eq!(visitor.post(&path).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_page_on_another_port_cannot_embed_a_recording_but_may_link_here() {
    let visitor = Visitor::inside(shelf()).await;
    let audio = format!("/api/recordings/{}/audio.wav", id(1));
    let ask = |site: &'static str, mode: &'static str, destination: &'static str| {
        let request = visitor
            .request("GET", &audio)
            .header("sec-fetch-site", site)
            .header("sec-fetch-mode", mode)
            .header("sec-fetch-dest", destination);
        visitor.send(request.body(Body::empty()).unwrap())
    };
    for site in ["same-site", "cross-site"] {
        for (mode, destination) in [("no-cors", "audio"), ("cors", "empty"), ("navigate", "iframe")]
        {
            let answer = ask(site, mode, destination).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{site} {mode} {destination}");
        }
    }
    assert_eq!(ask("same-origin", "no-cors", "audio").await.status, StatusCode::OK);
    assert_eq!(ask("cross-site", "navigate", "document").await.status, StatusCode::OK);
}

#[tokio::test]
async fn every_answer_carries_the_same_strict_headers() {
    let visitor = Visitor::inside(shelf()).await;
    let stranger = Visitor::outside(shelf());
    let mut answers = Vec::new();
    for (method, path) in rooms() {
        answers.push(visit(&visitor, method, &path).await);
        answers.push(visit(&stranger, method, &path).await);
    }
    for path in ["/style.css", "/page.js", "/icon.svg", "/nothing", "/problems/erased"] {
        answers.push(visitor.get(path).await);
    }
    answers.push(visitor.get_with("/", "host", "rebind.example").await);
    for answer in answers {
        let policy = answer.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe"));
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin");
        assert_eq!(answer.header("content-language"), "en");
    }
}

#[tokio::test]
async fn no_page_has_an_inline_script_or_style() {
    let visitor = Visitor::inside(Shelf::of_a_morning(START)).await;
    for path in ["/".to_owned(), format!("/recordings/{}", id(3)), "/nothing".to_owned()] {
        let page = visitor.get(&path).await;
        let text = page.text();
        assert!(!text.contains("<style") && !text.contains(" style="), "{path}");
        assert!(!text.contains(" onclick=") && !text.contains("javascript:"), "{path}");
        assert_eq!(text.matches("<script").count(), text.matches("<script src=\"/").count());
    }
}

#[tokio::test]
async fn style_script_and_icon_are_for_everyone_and_of_their_kind() {
    let stranger = Visitor::outside(shelf());
    for (path, kind) in [
        ("/style.css", "text/css; charset=utf-8"),
        ("/page.js", "text/javascript; charset=utf-8"),
        ("/icon.svg", "image/svg+xml"),
    ] {
        let answer = stranger.get(path).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header("content-type"), kind);
    }
    assert_eq!(stranger.get("/problems/no-session").await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_does_not_exist_says_so_in_the_asked_form() {
    let visitor = Visitor::inside(shelf()).await;
    let page = visitor.get("/elsewhere").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert!(page.text().contains("There is nothing here"));
    let api = visitor.get("/api/elsewhere").await;
    assert_eq!(api.json()["type"], "/problems/unknown-page");
    let method = visitor.post("/api/calls").await;
    assert_eq!(method.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(method.header("allow").contains("GET"));
    let dutch = visitor.get_with("/api/elsewhere", "accept-language", "nl").await;
    assert_eq!(dutch.json()["title"], "Hier is niets");
    assert_eq!(dutch.header("content-language"), "nl");
}
