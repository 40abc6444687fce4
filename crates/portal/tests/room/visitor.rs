//! A browser without a screen: it keeps its cookie, and asks the router without a socket.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode, header},
};
use call::Time;
use http_body_util::BodyExt;
use portal::Portal;
use serde_json::Value;
use tower::ServiceExt;

use crate::archive::Shelf;

pub(crate) const START: Time = Time::from_micros(1_795_339_805_000_000);

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A portal and whoever visits it.
pub(crate) struct Visitor {
    pub(crate) portal: Portal<Shelf>,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) router: Router,
    clock: Arc<AtomicU64>,
    pub(crate) cookie: Option<String>,
}

impl Visitor {
    /// Somebody without a session.
    pub(crate) fn outside(shelf: Shelf) -> Self {
        let (shelf, clock) = (Arc::new(shelf), Arc::new(AtomicU64::new(START.as_micros())));
        let told = Arc::clone(&clock);
        let now = move || Time::from_micros(told.load(Ordering::SeqCst));
        let portal = Portal::new(Arc::clone(&shelf), [42; 32], "jawoord page", now);
        Self { router: portal.router(), portal, shelf, clock, cookie: None }
    }

    /// Somebody who has come in through a link.
    pub(crate) async fn inside(shelf: Shelf) -> Self {
        let mut visitor = Self::outside(shelf);
        let link = visitor.link();
        let answer = visitor.get(&link).await;
        assert_eq!(answer.status, StatusCode::OK);
        visitor.keep(&answer);
        visitor
    }

    /// The path of a new link.
    pub(crate) fn link(&self) -> String {
        let url = self.portal.new_link().url(([127, 0, 0, 1], 80).into());
        url.strip_prefix("http://127.0.0.1:80").unwrap().to_owned()
    }

    pub(crate) fn wait(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap();
        self.clock.fetch_add(micros, Ordering::SeqCst);
    }

    /// Keeps the cookie of an answer, as a browser does.
    pub(crate) fn keep(&mut self, answer: &Answer) {
        let set = answer.header("set-cookie");
        self.cookie = set.split(';').next().filter(|it| !it.is_empty()).map(str::to_owned);
    }

    /// A request with the headers a browser sends; more can be added.
    pub(crate) fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        let mut request =
            Request::builder().method(method).uri(path).header(header::HOST, "127.0.0.1:8080");
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        request
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn get_with(&self, path: &str, name: &str, value: &str) -> Answer {
        let request = self.request("GET", path).header(name, value);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// A POST as our own page makes it.
    pub(crate) async fn post(&self, path: &str) -> Answer {
        self.tell(path, "").await
    }

    pub(crate) async fn tell(&self, path: &str, body: &str) -> Answer {
        let request = self.request("POST", path).header(header::ORIGIN, "http://127.0.0.1:8080");
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }
}
