//! Pages of one message: what went wrong and what to do, and the step through the door.

use maud::{Markup, html};

use crate::{
    language::Language,
    page::layout::{Page, page},
    problem::{COMMAND, Problem},
};

/// What happened, and what to do.
pub(crate) fn problem(problem: Problem, language: Language, command: &str) -> Page {
    let title = problem.title(language);
    let main = html! {
        section.notice {
            p.code { (problem.status().as_u16()) }
            h1 { (title) }
            p { (remedy(problem.remedy(language), command)) }
            @if !problem.status().is_client_error() || problem.status().as_u16() != 401 {
                p { a.button href="/" { (language.pick("To the list", "Naar de lijst")) } }
            }
        }
    };
    page(language, title, None, main)
}

fn remedy(text: &str, command: &str) -> Markup {
    let mut parts = text.split(COMMAND);
    html! {
        (parts.next().unwrap_or_default())
        @for part in parts { code { (command) } (part) }
    }
}

/// The answer to a link that opened the page. It leads on from a page of our own: browsers do not
/// send a `SameSite=Strict` cookie along a redirect that began on another site, such as webmail.
pub(crate) fn entered(language: Language) -> Page {
    let onward = html! { meta http-equiv="refresh" content="0; url=/"; };
    let title = language.pick("You are signed in", "U bent aangemeld");
    let main = html! {
        section.notice {
            h1 { (title) }
            p {
                (language.pick("The link has done its work and cannot be used again.",
                    "De link heeft zijn werk gedaan en kan niet opnieuw worden gebruikt."))
            }
            p { a.button href="/" { (language.pick("To the recordings", "Naar de opnamen")) } }
        }
    };
    page(language, title, Some(onward), main)
}
