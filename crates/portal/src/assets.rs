//! The files a page needs to look and work as it should; they tell nothing about any call.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};

/// A file that everyone may have.
struct Asset {
    path: &'static str,
    kind: &'static str,
    body: &'static str,
}

const ASSETS: [Asset; 3] = [
    Asset {
        path: "/style.css",
        kind: "text/css; charset=utf-8",
        body: include_str!("page/style.css"),
    },
    Asset {
        path: "/page.js",
        kind: "text/javascript; charset=utf-8",
        body: include_str!("page/page.js"),
    },
    Asset { path: "/icon.svg", kind: "image/svg+xml", body: include_str!("page/icon.svg") },
];

/// The addresses of all files.
pub(crate) fn paths() -> impl Iterator<Item = &'static str> {
    ASSETS.iter().map(|asset| asset.path)
}

/// Whether a path is one of the files.
pub(crate) fn is_open(path: &str) -> bool {
    paths().any(|open| open == path)
}

/// The file at a path; `None` when there is none.
pub(crate) fn answer(path: &str) -> Option<Response> {
    let asset = ASSETS.iter().find(|asset| asset.path == path)?;
    Some(([(header::CONTENT_TYPE, asset.kind)], asset.body).into_response())
}
