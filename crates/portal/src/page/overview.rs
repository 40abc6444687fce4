//! The list: what is now, recordings, and below them the calls that left none.

use call::{Purposes, Words};
use maud::{Markup, html};

use crate::{
    entry::{CallEntry, Entry, ErasureState},
    floor::Now,
    language::Language,
    page::{
        alarm::{incidents, pill},
        explain::{Tone, tone},
        figure,
        layout::{Page, page},
        now::section,
    },
};

/// The page of a list; `older` continues it. Only the first part says what is `now`, and that there is
/// nothing.
pub(crate) fn overview(
    language: Language,
    now: Option<&Now>,
    recordings: &[Entry],
    calls: &[CallEntry],
    older: Option<u64>,
) -> Page {
    let title = language.pick("Recordings", "Opnamen");
    let main = html! {
        @if let Some(now) = now { (section(language, now)) }
        div.heading {
            h1 { (title) }
            @if now.is_none() {
                a href="/" { (language.pick("Back to the newest", "Terug naar de nieuwste")) }
            }
        }
        @if recordings.is_empty() {
            (nothing(language, now.is_some()))
        } @else {
            (recording_table(language, recordings))
        }
        @if let Some(older) = older {
            p.more {
                a.button href={ "/?before=" (older) } { (language.pick("Older", "Ouder")) }
            }
        }
        @if !calls.is_empty() {
            section aria-labelledby="unrecorded" {
                h2 #unrecorded { (language.pick("Calls without a recording", "Gesprekken zonder opname")) }
                (call_table(language, calls))
            }
        }
    };
    page(language, title, None, main)
}

fn nothing(language: Language, is_first: bool) -> Markup {
    html! {
        p.empty {
            @if is_first {
                (language.pick("There is no recording yet. One appears here when a customer has said yes.",
                    "Er is nog geen opname. Hier verschijnt er een als een klant ja heeft gezegd."))
            } @else {
                (language.pick("There are no older recordings.", "Er zijn geen oudere opnamen."))
            }
        }
    }
}

fn recording_table(language: Language, recordings: &[Entry]) -> Markup {
    let columns = [
        language.pick("When", "Wanneer"),
        language.pick("Line", "Lijn"),
        language.pick("Length", "Duur"),
        language.pick("Verdict", "Oordeel"),
        language.pick("Ground and purposes", "Grondslag en doelen"),
        language.pick("Delete after", "Verwijderen na"),
        language.pick("Kept in", "Bewaard in"),
        language.pick("State", "Stand"),
    ];
    html! {
        table.cards.recordings {
            thead { tr { @for column in columns { th scope="col" { (column) } } } }
            tbody {
                @for entry in recordings {
                    (recording_row(language, entry, &columns))
                }
            }
        }
    }
}

fn recording_row(language: Language, entry: &Entry, columns: &[&str; 8]) -> Markup {
    let [_, line, length, _, ground, delete, kept, state] = columns;
    let is_erased = entry.erased.iter().any(|range| range.state != ErasureState::Ordered);
    html! {
        tr.link {
            th scope="row" {
                a href={ "/recordings/" (entry.recording) } { (figure::moment(entry.started_at)) }
            }
            td data-label=(line) { (entry.line) }
            td.number data-label=(length) {
                @if entry.state.is_sealed() { (figure::duration(entry.duration_ms)) } @else { "–" }
            }
            td.verdict { (badge(language, entry.words)) }
            td data-label=(ground) {
                (language.ground(entry.ground)) " " span.soft { (purposes(language, entry.purposes)) }
            }
            td data-label=(delete) {
                (figure::moment(entry.delete_after))
                @if entry.held { " " span.pill { (language.pick("on hold", "aangehouden")) } }
            }
            td data-label=(kept) { (entry.storage_country) " " span.soft { (entry.storage_provider) } }
            td data-label=(state) {
                (language.state(entry.state))
                @if is_erased { " " span.pill { (language.pick("partly erased", "deels gewist")) } }
                @if !entry.alarms.is_empty() { (pill(language)) }
            }
        }
    }
}

/// A call's verdict as a badge; a call that goes on has none yet.
pub(crate) fn badge(language: Language, words: Option<Words>) -> Markup {
    let (class, text) = match words {
        Some(words) => (tone(words.verdict).class(), language.verdict(words.verdict)),
        None => (Tone::Quiet.class(), language.pick("in progress", "bezig")),
    };
    html! { span class={ "badge " (class) } { (text) } }
}

/// Purposes in words, separated by commas.
pub(crate) fn purposes(language: Language, purposes: Purposes) -> String {
    let words: Vec<_> = purposes.iter().map(|purpose| language.purpose(purpose)).collect();
    words.join(", ")
}

fn call_table(language: Language, calls: &[CallEntry]) -> Markup {
    let line = language.pick("Line", "Lijn");
    let call = language.pick("Call", "Gesprek");
    html! {
        table.cards.calls {
            thead {
                tr {
                    th scope="col" { (language.pick("When", "Wanneer")) }
                    th scope="col" { (line) }
                    th scope="col" { (language.pick("Verdict", "Oordeel")) }
                    th scope="col" { (call) }
                    th scope="col" { (language.pick("Why there is no recording", "Waarom er geen opname is")) }
                }
            }
            tbody {
                @for entry in calls {
                    tr {
                        th scope="row" { (figure::moment(entry.started_at)) }
                        td data-label=(line) {
                            @match &entry.line { Some(line) => (line), None => "–", }
                        }
                        td.verdict { (badge(language, entry.words)) }
                        td data-label=(call) {
                            @match entry.words {
                                Some(words) => (language.outcome(words.outcome)),
                                None => (language.direction(entry.direction)),
                            }
                        }
                        td.why {
                            @match entry.words {
                                Some(words) => (language.verdict_why(words.verdict)),
                                None => (language.pick("The call goes on.", "Het gesprek loopt nog.")),
                            }
                            @if !entry.alarms.is_empty() { (incidents(language, &entry.alarms)) }
                        }
                    }
                }
            }
        }
    }
}
