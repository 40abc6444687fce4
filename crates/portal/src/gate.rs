//! Who may pass: this machine's own addresses, our own page, and whoever has a session.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};
use call::Time;

use crate::{
    assets,
    language::Language,
    page::notice,
    problem::Problem,
    session::{Door, Session},
};

/// What a page that is open asks for again and again. It does not keep its session from ending.
const UNATTENDED: [&str; 2] = ["/now", "/api/now"];

/// What every request passes before it reaches a room.
pub(crate) struct Gate {
    pub(crate) door: Door,
    /// The command that prints a new link.
    pub(crate) link_command: &'static str,
    /// The time: whoever runs the portal tells it.
    pub(crate) clock: Box<dyn Fn() -> Time + Send + Sync>,
}

/// What becomes of a request.
enum Admission {
    /// It goes on; the cookie renews its session.
    Guest(Session, Option<String>),
    /// It goes on without a session: what it asks for tells nothing.
    Anyone,
    /// It brought a live link, which is now used up.
    Entered(Session),
    Refused(Problem),
}

/// The middleware around every route.
pub(crate) async fn pass(
    State(gate): State<Arc<Gate>>,
    mut request: Request,
    next: Next,
) -> Response {
    let language = Language::of(request.headers());
    let is_program = request.uri().path().starts_with("/api/");
    let mut cookie = None;
    let mut response = match gate.admit(&request) {
        Admission::Guest(session, renewal) => {
            cookie = renewal;
            request.extensions_mut().insert(session);
            next.run(request).await
        }
        Admission::Anyone => next.run(request).await,
        Admission::Entered(session) => {
            cookie = Some(gate.door.cookie(session));
            notice::entered(language).into_response()
        }
        Admission::Refused(problem) => problem.into_response(),
    };
    if let Some(problem) = response.extensions().get::<Problem>().copied() {
        response = gate.told(problem, response, language, is_program);
    }
    harden(response.headers_mut(), language);
    if let Some(cookie) = cookie.and_then(|cookie| HeaderValue::try_from(cookie).ok()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

impl Gate {
    fn admit(&self, request: &Request) -> Admission {
        let (headers, uri, method) = (request.headers(), request.uri(), request.method());
        let is_reading = method == Method::GET || method == Method::HEAD;
        let Some(host) = host(headers, uri).filter(is_loopback) else {
            return Admission::Refused(Problem::ForeignHost);
        };
        if !(is_reading || has_own_origin(headers, &host)) || is_embedded(headers) {
            return Admission::Refused(Problem::ForeignOrigin);
        }
        let tells_nothing = assets::is_open(uri.path()) || uri.path().starts_with("/problems/");
        if is_reading && tells_nothing {
            return Admission::Anyone;
        }
        let now = (self.clock)();
        // A preview that only asks for the head does not use a link up.
        if let Some(link) = link(uri).filter(|_| method == Method::GET) {
            return match self.door.enter(link, now) {
                Ok(session) => Admission::Entered(session),
                Err(dead) => Admission::Refused(dead.into()),
            };
        }
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|it| it.to_str().ok());
        match self.door.check(cookies, now) {
            // What the page asks by itself is no sign of anybody before it.
            Ok((session, renewal)) => {
                Admission::Guest(session, renewal.filter(|_| !UNATTENDED.contains(&uri.path())))
            }
            Err(none) => Admission::Refused(none.into()),
        }
    }

    /// Writes a problem out, for a person or for a program, and keeps what headers say about it.
    fn told(&self, problem: Problem, bare: Response, to: Language, is_program: bool) -> Response {
        let mut response = if is_program {
            problem.json(to, self.link_command)
        } else {
            (problem.status(), notice::problem(problem, to, self.link_command)).into_response()
        };
        for name in [header::ALLOW, header::CONTENT_RANGE] {
            if let Some(value) = bare.headers().get(&name) {
                response.headers_mut().insert(name, value.clone());
            }
        }
        if problem.status() == axum::http::StatusCode::UNAUTHORIZED {
            // RFC 9110 §15.5.2 wants a challenge; no browser knows this one, so none asks for a
            // password.
            let challenge = HeaderValue::from_static("OneTimeLink realm=\"jawoord\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// The link in an address such as `/?enter=…`.
fn link(uri: &Uri) -> Option<&str> {
    let query = uri.query().filter(|_| uri.path() == "/")?;
    query.split('&').find_map(|pair| pair.strip_prefix("enter="))
}

/// The host the request was made to: exactly one, and readable.
fn host(headers: &HeaderMap, uri: &Uri) -> Option<Authority> {
    let mut values = headers.get_all(header::HOST).iter();
    let host = values.next()?.to_str().ok()?.parse::<Authority>().ok()?;
    let is_only = values.next().is_none();
    let agrees = uri.authority().is_none_or(|authority| *authority == host);
    (is_only && agrees).then_some(host)
}

/// Whether a host is this machine and nothing else. A name of somebody else that resolves to
/// 127.0.0.1 (DNS rebinding) is not.
fn is_loopback(host: &Authority) -> bool {
    let name = host.host();
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    let is_own_address =
        bare.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback());
    // A user part would be somebody's trick: `localhost@elsewhere`.
    !host.as_str().contains('@') && (is_own_address || bare.eq_ignore_ascii_case("localhost"))
}

/// Whether the request says that a page of ours made it.
fn has_own_origin(headers: &HeaderMap, host: &Authority) -> bool {
    let origin = headers.get(header::ORIGIN).and_then(|value| value.to_str().ok());
    let origin = origin.and_then(|origin| origin.parse::<Uri>().ok());
    origin.is_some_and(|origin| origin.scheme().is_some() && origin.authority() == Some(host))
}

/// Whether a page of another origin uses ours as a part of itself. Pages on other ports of this
/// machine count as the same site to a browser, and get our cookie sent; only this tells them
/// apart (Fetch Metadata). Following a link is fine.
fn is_embedded(headers: &HeaderMap) -> bool {
    let value = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
    let is_ours = matches!(value("sec-fetch-site"), None | Some(b"same-origin" | b"none"));
    let is_followed = value("sec-fetch-mode") == Some(b"navigate")
        && value("sec-fetch-dest") == Some(b"document");
    !is_ours && !is_followed
}

/// What every answer says, refusals too.
fn harden(headers: &mut HeaderMap, language: Language) {
    const SAID: [(HeaderName, &str); 9] = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; script-src 'self'; style-src 'self'; media-src 'self'; \
             connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'",
        ),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("x-robots-tag"), "noindex"),
        (header::VARY, "Accept-Language, Cookie"),
    ];
    for (name, value) in SAID {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
}
