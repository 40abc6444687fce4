//! What stands above the list: what is wrong at this moment, and the calls that run.
//!
//! Both parts are also sent alone, and the script puts them in place of the ones that are shown when
//! they have changed; the element around the alarms stays, so that it is read aloud what is new.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use call::Party;
use maud::{Markup, html};

use crate::{
    floor::{Hearing, Now, Running, Taping, Trouble, Way},
    incident::Incident,
    language::Language,
    page::{
        alarm::{ailment, span},
        explain::Tone,
        figure,
    },
};

/// The section of the list.
pub(crate) fn section(language: Language, now: &Now) -> Markup {
    html! {
        section.now data-now="/now" aria-labelledby="running"
            data-lost=(language.pick("This is no longer up to date: Jawoord does not answer, or your session has ended. Reload the page.",
                "Dit is niet meer actueel: Jawoord antwoordt niet, of uw sessie is afgelopen. Laad de pagina opnieuw.")) {
            h2 #running { (language.pick("Now", "Nu")) }
            div.alarms role="alert" data-part="alarms" { (alarms(language, now)) }
            div data-part="calls" { (calls(language, now)) }
            p.said role="status" {}
        }
    }
}

/// Both parts alone.
pub(crate) fn parts(language: Language, now: &Now) -> Response {
    let markup = html! {
        div data-part="alarms" { (alarms(language, now)) }
        div data-part="calls" { (calls(language, now)) }
    };
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], markup.into_string()).into_response()
}

fn alarms(language: Language, now: &Now) -> Markup {
    let of_calls = now.calls.iter().any(|call| !call.alarms.is_empty());
    html! {
        @if of_calls || !now.troubles.is_empty() {
            ul {
                @for trouble in &now.troubles { li { (told(language, trouble)) } }
                @for call in &now.calls {
                    @for incident in &call.alarms { li { (heard(language, call, incident)) } }
                }
            }
        }
    }
}

fn told(language: Language, trouble: &Trouble) -> Markup {
    html! {
        (ailment(language, &trouble.what)) " "
        (language.pick("since ", "sinds ")) (figure::moment(trouble.since)) ". "
        span.why { (language.ailment_why(&trouble.what)) }
    }
}

fn heard(language: Language, call: &Running, incident: &Incident) -> Markup {
    html! {
        strong { (language.alarm(incident.alarm)) } " " (span(language, incident))
        @if let Some(line) = &call.line { ", " (language.pick("line ", "lijn ")) (line) }
        ", " (language.pick("call ", "gesprek ")) code { (call.call) } ". "
        span.why { (language.alarm_why(incident.alarm)) }
    }
}

fn calls(language: Language, now: &Now) -> Markup {
    html! {
        @if now.calls.is_empty() {
            p.soft { (language.pick("No call runs now.", "Er loopt nu geen gesprek.")) }
        } @else {
            (table(language, &now.calls))
            @if now.running > now.calls.len() {
                p.soft.more {
                    (now.running) " " (language.pick("calls run; the newest are shown.", "gesprekken lopen; de nieuwste staan hier."))
                }
            }
        }
    }
}

fn table(language: Language, calls: &[Running]) -> Markup {
    let line = language.pick("Line", "Lijn");
    let direction = language.pick("Direction", "Richting");
    let call = language.pick("Call", "Gesprek");
    let sound = language.pick("Sound so far", "Geluid tot nu toe");
    html! {
        table.cards.running {
            thead {
                tr {
                    th scope="col" { (language.pick("Since", "Sinds")) }
                    th scope="col" { (language.pick("Recording", "Opname")) }
                    th scope="col" { (line) }
                    th scope="col" { (direction) }
                    th scope="col" { (sound) }
                    th scope="col" { (call) }
                    th scope="col" { span.unseen { (language.pick("What can be done", "Wat kan")) } }
                }
            }
            tbody {
                @for running in calls {
                    tr data-call=(running.call) {
                        th scope="row" { (figure::moment(running.started_at)) }
                        td.verdict { (state(language, running.taping)) }
                        td data-label=(line) {
                            @match &running.line { Some(line) => (line), None => "–", }
                        }
                        td data-label=(direction) { (language.direction(running.direction)) }
                        td data-label=(sound) { (sounds(language, &running.sound)) }
                        td data-label=(call) { code { (running.call) } }
                        td.order { (order(language, running)) }
                    }
                }
            }
        }
    }
}

fn state(language: Language, taping: Taping) -> Markup {
    let (tone, text) = match taping {
        Taping::Off => (Tone::Quiet, language.pick("not recorded", "niet opgenomen")),
        Taping::Asked => (Tone::Quiet, language.pick("being asked", "wordt gevraagd")),
        Taping::On => (Tone::Good, language.pick("being recorded", "wordt opgenomen")),
        Taping::Paused => (Tone::Attention, language.pick("paused", "onderbroken")),
        Taping::NoAgent => {
            (Tone::Quiet, language.pick("silent: no agent", "stil: geen medewerker"))
        }
    };
    html! { span class={ "badge " (tone.class()) } { (text) } }
}

/// What was lost of each direction of each leg, and how unevenly it comes.
fn sounds(language: Language, ways: &[Hearing]) -> Markup {
    html! {
        @if ways.is_empty() { "–" }
        @for way in ways {
            div {
                (heard_by(language, way.leg, way.way)) ": "
                (figure::percent(way.lost_of_10000, language.pick(".", ",")))
                (language.pick(" lost, jitter ", " verloren, jitter "))
                (figure::millis(way.jitter_us))
            }
        }
    }
}

const fn heard_by(language: Language, leg: Party, way: Way) -> &'static str {
    match (leg, way) {
        (Party::Customer, Way::Received) => language.pick("Customer heard", "Klant te horen"),
        (Party::Customer, Way::Sent) => language.pick("Customer hears", "Klant hoort"),
        (Party::Agent, Way::Received) => language.pick("Your side heard", "Uw kant te horen"),
        (Party::Agent, Way::Sent) => language.pick("Your side hears", "Uw kant hoort"),
    }
}

/// The button that has the customer asked, makes a recording silent for a while, or lets it go on.
fn order(language: Language, running: &Running) -> Markup {
    let recording = language.pick("the recording of call ", "de opname van gesprek ");
    let (name, text, what) = match (running.taping, running.askable) {
        (Taping::Off, false) | (Taping::Asked, _) => return html! {},
        (Taping::Off, true) => (
            "ask",
            language.pick("Ask", "Vragen"),
            language.pick("the customer of call ", "aan de klant van gesprek "),
        ),
        (Taping::On | Taping::NoAgent, _) => {
            ("pause", language.pick("Pause", "Onderbreken"), recording)
        }
        (Taping::Paused, _) => ("resume", language.pick("Go on", "Hervatten"), recording),
    };
    html! {
        button type="button" data-order={ "/api/calls/" (running.call) "/" (name) } {
            (text)
            span.unseen {
                " " (what) (running.call)
            }
        }
    }
}
