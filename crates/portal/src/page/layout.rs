//! The frame of every page: head, header, and the main part.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::language::Language;

/// A finished page.
pub(crate) struct Page(Markup);

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let body = self.0.into_string();
        ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], body).into_response()
    }
}

/// A page with a title and content, and whatever else its head needs.
pub(crate) fn page(language: Language, title: &str, head: Option<Markup>, main: Markup) -> Page {
    Page(html! {
        (DOCTYPE)
        html lang=(language.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Jawoord" }
                link rel="icon" href="/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/style.css";
                script src="/page.js" defer {}
                @if let Some(head) = head { (head) }
            }
            body {
                a.skip href="#main" { (language.pick("Skip to content", "Naar de inhoud")) }
                header.top {
                    a.brand href="/" { (mark()) span { "Jawoord" } }
                    span.room { (language.pick("On this machine only", "Alleen op deze machine")) }
                }
                main #main { (main) }
            }
        }
    })
}

/// Two bars of sound, one per party, in the colours of the waveform.
fn mark() -> PreEscaped<&'static str> {
    PreEscaped(
        "<svg class=\"mark\" viewBox=\"0 0 32 32\" aria-hidden=\"true\"><path class=\"customer\" \
         d=\"M6 13v6M11 8v16\"/><path class=\"agent\" d=\"M16 12v8M21 5v22M26 12v8\"/></svg>",
    )
}
