//! One recording: the player, the verification, and every tag in plain words.

use maud::{Markup, html};

use crate::{
    entry::{Entry, Erasure, ErasureState},
    language::Language,
    page::{
        alarm::incidents,
        figure,
        layout::{Page, page},
        overview::{badge, purposes},
    },
};

/// The page of one recording.
pub(crate) fn details(language: Language, entry: &Entry) -> Page {
    let title = language.pick("Recording", "Opname");
    let main = html! {
        p.back { a href="/" { "← " (language.pick("All recordings", "Alle opnamen")) } }
        div.heading {
            h1 {
                (title) " "
                span.when {
                    (figure::moment(entry.started_at))
                    @if entry.state.is_sealed() { " · " (figure::duration(entry.duration_ms)) }
                }
            }
            (badge(language, entry.words))
        }
        @if entry.state.is_sealed() {
            (player(language, entry))
            (verification(language, entry))
        } @else {
            p.empty { (language.state_why(entry.state)) }
        }
        @if !entry.alarms.is_empty() {
            section.card.wrong aria-labelledby="wrong" {
                h2 #wrong { (language.pick("What went wrong in the call", "Wat er misging in het gesprek")) }
                (incidents(language, &entry.alarms))
            }
        }
        div.facts {
            (decision(language, entry))
            (retention(language, entry))
            (origin(language, entry))
            (technique(language, entry))
        }
    };
    page(language, title, None, main)
}

fn player(language: Language, entry: &Entry) -> Markup {
    let audio = format!("/api/recordings/{}/audio.wav", entry.recording);
    let peaks = format!("/api/recordings/{}/peaks", entry.recording);
    let done = entry.erased.iter().filter(|range| range.state != ErasureState::Ordered);
    let erased: Vec<_> = done.map(|range| format!("{}-{}", range.from_s, range.to_s)).collect();
    let speeds = ["0.75", "1", "1.25", "1.5", "2"];
    html! {
        section.card.player data-peaks=(peaks) data-duration-ms=(entry.duration_ms)
            data-erased=(erased.join(" ")) aria-label=(language.pick("Listen", "Luisteren")) {
            div.wave {
                div.lanes aria-hidden="true" {
                    span.customer { (language.pick("Customer", "Klant")) }
                    span.agent { (language.pick("Your side", "Uw kant")) }
                }
                div.canvas role="slider" tabindex="0" aria-valuemin="0" aria-valuenow="0"
                    aria-valuemax=(entry.duration_ms / 1_000) aria-valuetext="0:00"
                    aria-label=(language.pick("Place in the recording", "Plaats in de opname")) {
                    canvas aria-hidden="true" {}
                    div.head {}
                }
            }
            // Nothing is opened before somebody wants to hear it, and hearing is not taking along
            // (L25: no download unless it is granted).
            audio controls preload="none" src=(audio) disableremoteplayback
                controlslist="nodownload noplaybackrate noremoteplayback" {}
            div.under {
                fieldset.speed {
                    legend { (language.pick("Speed", "Snelheid")) }
                    @for speed in speeds {
                        label {
                            input type="radio" name="speed" value=(speed) checked[speed == "1"];
                            span { (speed) "×" }
                        }
                    }
                }
                p.soft.channels {
                    (language.pick("Customer on the left, your side on the right.",
                        "Klant links, uw kant rechts."))
                }
            }
            p.problem role="alert" hidden
                data-text=(language.pick("The sound could not be loaded. Reload the page; if it stays so, verify the recording.",
                    "Het geluid kon niet worden geladen. Laad de pagina opnieuw; blijft het zo, controleer dan de opname.")) {}
            @if !entry.erased.is_empty() { (erasures(language, &entry.erased)) }
        }
    }
}

fn erasures(language: Language, erased: &[Erasure]) -> Markup {
    html! {
        ul.erased {
            @for range in erased {
                li {
                    strong { (figure::clock(range.from_s)) "–" (figure::clock(range.to_s)) }
                    " " (language.erasure(range.state)) ", "
                    (language.pick("since ", "sinds ")) (figure::moment(range.since)) ": "
                    (language.erasure_why(range.state)) "."
                }
            }
        }
    }
}

fn verification(language: Language, entry: &Entry) -> Markup {
    html! {
        section.card.verify data-verify={ "/api/recordings/" (entry.recording) "/verify" }
            data-running=(language.pick("Checking every second…", "Elke seconde wordt gecontroleerd…"))
            data-sound=(language.pick("Everything is as it was sealed.", "Alles is zoals het is verzegeld."))
            data-unsound=(language.pick("This is not what was sealed.", "Dit is niet wat is verzegeld."))
            data-failed=(language.pick("The check could not be done.", "De controle kon niet worden gedaan."))
            data-good=(language.pick("In order: ", "In orde: "))
            data-bad=(language.pick("Not in order: ", "Niet in orde: ")) {
            div.heading {
                h2 { (language.pick("Is it genuine?", "Is de opname echt?")) }
                button type="button" { (language.pick("Verify", "Controleren")) }
            }
            p.soft {
                (language.pick("Checks the signature, every sealed second and the proofs of erasure against the keys of this machine.",
                    "Controleert de handtekening, elke verzegelde seconde en de bewijzen van wissing tegen de sleutels van deze machine."))
            }
            div.result role="status" {}
        }
    }
}

/// A group of tags.
fn group(title: &str, rows: Markup) -> Markup {
    html! { section.card { h2 { (title) } dl { (rows) } } }
}

fn row(name: &str, value: Markup, why: Option<&str>) -> Markup {
    html! {
        dt { (name) }
        dd { (value) @if let Some(why) = why { p.soft { (why) } } }
    }
}

fn text(value: impl std::fmt::Display) -> Markup {
    html! { (value.to_string()) }
}

fn decision(language: Language, entry: &Entry) -> Markup {
    let t = |english, dutch| language.pick(english, dutch);
    let rows = html! {
        (row(t("Legal ground", "Grondslag"), text(language.ground(entry.ground)), Some(language.ground_why(entry.ground))))
        (row(t("May be used for", "Mag worden gebruikt voor"), text(purposes(language, entry.purposes)), None))
        @if let Some(words) = entry.words {
            (row(t("Decision", "Keuze"), text(language.consent(words.consent)), None))
            (row(t("Call", "Gesprek"), text(language.outcome(words.outcome)), None))
            (row(t("Verdict", "Oordeel"), badge(language, entry.words), Some(language.verdict_why(words.verdict))))
        }
        (row(t("Policy", "Beleid"), html! { (entry.policy) ", " (t("version ", "versie ")) (entry.policy_version) }, None))
        (row(t("Evidence", "Bewijs"), html! { code { (entry.evidence) } },
            Some(t("The fingerprint (SHA-256) of what was played and pressed.", "De vingerafdruk (SHA-256) van wat er is afgespeeld en ingedrukt."))))
    };
    group(t("Why it may exist", "Waarom de opname er mag zijn"), rows)
}

fn retention(language: Language, entry: &Entry) -> Markup {
    let t = |english, dutch| language.pick(english, dutch);
    let hold = if entry.held {
        t(
            "Yes: it may not be deleted until the hold is released.",
            "Ja: de opname mag niet worden verwijderd tot dat is opgeheven.",
        )
    } else {
        t("No", "Nee")
    };
    let rows = html! {
        (row(t("Retention class", "Bewaarklasse"), text(&entry.retention_class), None))
        (row(t("Delete after", "Verwijderen na"), figure::moment(entry.delete_after),
            Some(t("Then it is erased, and the proof of that is kept.", "Dan wordt de opname gewist, en het bewijs daarvan bewaard."))))
        (row(t("On hold", "Aangehouden"), text(hold), None))
        (row(t("Kept in", "Bewaard in"), html! { (entry.storage_country) ", " (entry.storage_provider) }, None))
        (row(t("State", "Stand"), text(language.state(entry.state)), Some(language.state_why(entry.state))))
    };
    group(t("How long and where", "Hoe lang en waar"), rows)
}

fn origin(language: Language, entry: &Entry) -> Markup {
    let t = |english, dutch| language.pick(english, dutch);
    let rows = html! {
        (row(t("Tenant", "Klantomgeving"), text(&entry.tenant), None))
        (row(t("Line", "Lijn"), text(&entry.line), None))
        (row(t("Direction", "Richting"), text(language.direction(entry.direction)), None))
        (row(t("Began", "Begon"), figure::moment(entry.started_at), None))
        (row(t("Length", "Duur"), text(figure::duration(entry.duration_ms)), None))
    };
    group(t("Where it comes from", "Waar de opname vandaan komt"), rows)
}

fn technique(language: Language, entry: &Entry) -> Markup {
    let t = |english, dutch| language.pick(english, dutch);
    let missing = if entry.gaps == 0 {
        text(t("Nothing", "Niets"))
    } else {
        let seconds = figure::seconds(entry.missing_ms, t(".", ","));
        html! { (seconds) " " (t("in", "in")) " " (entry.gaps) " " (if entry.gaps == 1 { t("gap", "hiaat") } else { t("gaps", "hiaten") }) }
    };
    let rows = html! {
        (row(t("Codec", "Codec"), text(if entry.codec.is_empty() { "–" } else { &entry.codec }),
            Some(t("The customer's and your side's.", "Van de klant en van uw kant."))))
        (row(t("Missing", "Ontbreekt"), missing, None))
        (row(t("Recording", "Opname"), html! { code { (entry.recording) } }, None))
        (row(t("Call", "Gesprek"), html! { code { (entry.call) } }, None))
    };
    group(t("For the technician", "Voor de technicus"), rows)
}
