//! `index.html`: the folder in words for somebody who knows the law and not the program. One page in
//! Dutch and one in English, without script, and with nothing from elsewhere.

use call::{Consent, Direction, Evidence, FactKind, PromptHeard, Time, Verdict};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    fact::ProvedFact,
    folder::EvidenceFolder,
    record::{Kept, Record},
    words::Tongue,
};
use crate::audit::entry::Entry;

/// Samples of a prompt in a second.
const RATE_HZ: u32 = 8_000;

/// Nothing is loaded and nothing runs, whatever a value may hold.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

const STYLE: &str = "\
body{margin:0;font:.94rem/1.45 system-ui,sans-serif;color:#16212b;background:#eef1f4}\
nav{max-width:54rem;margin:1rem auto 0;padding:0 1.5rem}\
section{max-width:54rem;margin:1rem auto;padding:1.5rem 2rem;background:#fff;border:1px solid #d5dce2;border-radius:6px}\
h1{font-size:1.4rem;margin:0 0 .3rem}h2{font-size:1rem;margin:1.2rem 0 .3rem}p{margin:.3rem 0}\
.lead{font-size:1.05rem}table{border-collapse:collapse;width:100%;font-size:.85rem}\
th,td{text-align:left;vertical-align:top;padding:.18rem .6rem .18rem 0;border-bottom:1px solid #e3e8ec}\
th[scope=row]{width:13rem;font-weight:600}code{font:.78rem/1.3 ui-monospace,monospace;overflow-wrap:anywhere}\
blockquote{margin:.1rem 0;font-style:italic}\
.limits{font-size:.85rem;border-left:3px solid #b7791f;padding-left:.8rem}\
@page{size:A4;margin:11mm}@media print{html{font-size:10px}body{background:#fff}nav{display:none}h2{margin:.7rem 0 .2rem}\
section{border:0;margin:0;padding:0;max-width:none;break-after:page}section:last-of-type{break-after:auto}}";

/// The page of a folder. It is made of the folder's data alone, so that it can be made again.
pub(super) fn page(folder: &EvidenceFolder) -> String {
    html! {
        (DOCTYPE)
        html lang="nl" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { "Bewijs · Evidence · " (subject(&folder.record)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                nav { a href="#nl" { "Nederlands" } " · " a href="#en" { "English" } }
                @for tongue in [Tongue::Dutch, Tongue::English] {
                    section lang=(tongue.tag()) id=(tongue.tag()) { (sheet(tongue, folder)) }
                }
            }
        }
        "\n"
    }
    .into_string()
}

/// What the folder is about.
fn subject(record: &Record) -> &str {
    record.recording.as_deref().unwrap_or(&record.call)
}

fn sheet(tongue: Tongue, folder: &EvidenceFolder) -> Markup {
    html! {
        h1 { (tongue.pick(
            "Bewijs van een beslissing over het opnemen van een gesprek",
            "Evidence of a decision about recording a call",
        )) }
        p.lead { (summary(tongue, folder)) }
        (decision(tongue, folder))
        @if let Some(evidence) = &folder.evidence {
            (heard(tongue, evidence, &folder.record))
            (pressed(tongue, evidence))
        }
        (parties(tongue, &folder.record))
        (happened(tongue, &folder.facts))
        (limits(tongue, folder))
    }
}

/// The answer in a sentence.
fn summary(tongue: Tongue, folder: &EvidenceFolder) -> Markup {
    let deleted = folder.facts.iter().find(|fact| fact.entry.kind == FactKind::RecordingDeleted);
    html! {
        @if let Some(evidence) = &folder.evidence {
            (tongue.pick("Op ", "On ")) (moment(evidence.decided_at))
            (tongue.pick(
                " stond vast dat dit gesprek mocht worden opgenomen. Grondslag: ",
                " it was settled that this call might be recorded. Legal ground: ",
            ))
            strong { (tongue.ground(evidence.ground)) } ". "
            (tongue.pick("Doelen: ", "Purposes: "))
            strong { (purposes(tongue, evidence)) } "."
        } @else if let Some(deleted) = deleted {
            (tongue.pick(
                "De opname is verwijderd op ",
                "The recording was deleted on ",
            ))
            (moment(deleted.entry.at))
            (tongue.pick(
                ". Wat de klant hoorde en indrukte is met de opname gewist; de feiten hieronder zijn gebleven.",
                ". What the customer heard and pressed was erased with it; the facts below have stayed.",
            ))
        } @else {
            (tongue.pick(
                "In dit gesprek is geen opname toegestaan, en er is er geen gemaakt. De feiten hieronder tonen hoe het ging.",
                "No recording was allowed in this call, and none was made. The facts below show how it went.",
            ))
        }
    }
}

fn decision(tongue: Tongue, folder: &EvidenceFolder) -> Markup {
    let record = &folder.record;
    let word = |text: &Option<String>| text.clone().unwrap_or_default();
    let consent = Consent::from_name(&word(&record.consent));
    let verdict = Verdict::from_name(&word(&record.verdict));
    let direction = Direction::from_name(&record.direction);
    let opened = folder.facts.iter().find(|fact| fact.entry.kind == FactKind::CallOpened);
    let of_line = |name: &str| opened.and_then(|fact| fact.entry.field(name)).unwrap_or("-");
    html! {
        h2 { (tongue.pick("De beslissing", "The decision")) }
        table {
            @if let Some(recording) = &record.recording {
                (row(tongue.pick("Opname", "Recording"), html! { code { (recording) } }))
            }
            (row(tongue.pick("Gesprek", "Call"), html! {
                code { (record.call) }
                @if let Some(direction) = direction { ", " (tongue.direction(direction)) }
            }))
            (row(tongue.pick("Begin en einde", "Begin and end"), html! {
                (day(&record.opened_at)) " – "
                @match &record.closed_at { Some(at) => (day(at)), None => "…" }
            }))
            (row(tongue.pick("Verantwoordelijke, lijn", "Controller, line"), html! {
                (of_line("tenant")) ", " (of_line("line"))
            }))
            (row(tongue.pick("Beleid", "Policy"), html! {
                (of_line("policy")) ", " (tongue.pick("versie ", "version ")) (of_line("policy_version"))
                ", SHA-256 " code { (of_line("policy_hash")) }
            }))
            @if let Some(consent) = consent {
                (row(tongue.pick("Keuze van de klant", "The customer's choice"), html! { (tongue.consent(consent)) }))
            }
            @if let Some(verdict) = verdict {
                (row(tongue.pick("Uitkomst", "What became of it"), html! { (tongue.verdict(verdict)) }))
            }
            @if let Some(kept) = &record.kept { (retention(tongue, kept)) }
        }
    }
}

fn retention(tongue: Tongue, kept: &Kept) -> Markup {
    let held = if kept.held { tongue.pick(" (vastgehouden)", " (on hold)") } else { "" };
    row(
        tongue.pick("Bewaring", "Retention"),
        html! {
            (kept.retention_class) ", " (tongue.pick("tot ", "until ")) (day(&kept.delete_after)) (held)
            ", " (kept.country) ", " (kept.provider)
        },
    )
}

fn heard(tongue: Tongue, evidence: &Evidence, record: &Record) -> Markup {
    html! {
        h2 { (tongue.pick("Wat de klant hoorde", "What the customer heard"))
            " (" (tongue.pick("taal: ", "language: ")) (evidence.language) ")" }
        @if evidence.prompts.is_empty() {
            p { (tongue.pick("Niets.", "Nothing.")) }
        } @else {
            table {
                tr {
                    th { (tongue.pick("Tijd (UTC)", "Time (UTC)")) }
                    th { (tongue.pick("Gesproken tekst", "Prompt")) }
                    th { (tongue.pick("Gespeeld", "Played")) }
                }
                @for heard in &evidence.prompts { (prompt(tongue, heard, record)) }
            }
        }
    }
}

fn prompt(tongue: Tongue, heard: &PromptHeard, record: &Record) -> Markup {
    let hash = heard.id.sha256.to_string();
    let spoken = record.prompts.iter().find(|spoken| spoken.sha256 == hash);
    let language = spoken.map(|spoken| &spoken.language);
    let seconds = format!("{}.{:01} s", heard.samples / RATE_HZ, heard.samples % RATE_HZ / 800);
    html! {
        tr {
            td { (clock(heard.from)) " – " (clock(heard.until)) }
            td {
                (tongue.prompt(heard.prompt)) ", " (tongue.pick("versie ", "version ")) (heard.id.version)
                @if let Some(text) = spoken.and_then(|spoken| spoken.text.as_ref()) {
                    blockquote lang=[language] { (text) }
                }
                " "
                @match spoken.and_then(|spoken| spoken.file.as_ref()) {
                    Some(file) => a href=(file) { (tongue.pick("beluister", "listen")) },
                    None => (tongue.pick(
                        "Het geluid met deze hash is niet meer voorhanden.",
                        "The sound of this hash is not at hand any more.",
                    )),
                }
                " · SHA-256 " code { (hash) }
            }
            td {
                @if heard.whole { (tongue.pick("helemaal", "in full")) }
                @else { (tongue.pick("deels", "in part")) }
                ", " (heard.samples) " " (tongue.pick("samples", "samples")) " (" (seconds) ")"
            }
        }
    }
}

fn pressed(tongue: Tongue, evidence: &Evidence) -> Markup {
    html! {
        h2 { (tongue.pick("Wat de klant indrukte", "What the customer pressed")) }
        @if evidence.presses.is_empty() {
            p { (tongue.pick("Niets.", "Nothing.")) }
        } @else {
            table {
                tr {
                    th { (tongue.pick("Tijd (UTC)", "Time (UTC)")) }
                    th { (tongue.pick("Toets", "Key")) }
                    th { (tongue.pick("Hoe die aankwam", "How it came")) }
                    th { (tongue.pick("Wat aankwam (hexadecimaal)", "What came (hexadecimal)")) }
                }
                @for press in &evidence.presses {
                    tr {
                        td { (clock(press.at)) }
                        td { strong { (press.key.reveal().reveal()) } }
                        td { (tongue.transport(press.transport)) }
                        td { code { (hex(press.raw.reveal().reveal())) } }
                    }
                }
            }
        }
    }
}

fn parties(tongue: Tongue, record: &Record) -> Markup {
    let unknown = tongue.pick("niet bekend", "not known");
    let or_unknown = |key: Option<&String>| {
        html! {
            @match key { Some(key) => code { (key) }, None => (unknown) }
        }
    };
    let kept = record.kept.as_ref();
    html! {
        h2 { (tongue.pick("Wie, onder pseudoniem", "Who, under pseudonyms")) }
        table {
            @if let Some(kept) = kept {
                (row(tongue.pick("Klant", "Customer"), or_unknown(kept.customer_key.as_ref())))
                (row(tongue.pick("Medewerker", "Agent"), or_unknown(kept.agent_key.as_ref())))
            }
            (row(tongue.pick("Call-ID, belde (hash)", "Call-ID, calling (hash)"),
                or_unknown(record.caller_call_id_key.as_ref())))
            (row(tongue.pick("Call-ID, gebeld", "Call-ID, called"),
                or_unknown(record.called_call_id.as_ref())))
        }
    }
}

fn happened(tongue: Tongue, facts: &[ProvedFact]) -> Markup {
    html! {
        h2 { (tongue.pick("Wat er gebeurde", "What happened")) }
        table {
            @for ProvedFact { entry, .. } in facts {
                tr {
                    td { (moment(entry.at)) }
                    td { (tongue.fact(entry.kind)) @for (name, value) in details(tongue, entry) {
                        ", " (name) ": " (value)
                    } }
                    td { (tongue.pick("feit ", "fact ")) (entry.index) }
                }
            }
        }
    }
}

/// What of a fact a reader asks for.
fn details(tongue: Tongue, entry: &Entry) -> impl Iterator<Item = (&'static str, &str)> {
    Tongue::ASKED.into_iter().filter_map(move |name| {
        let value = entry.field(name).filter(|value| !value.is_empty())?;
        Some((tongue.detail(name, value), tongue.value(name, value).unwrap_or(value)))
    })
}

fn limits(tongue: Tongue, folder: &EvidenceFolder) -> Markup {
    let head = folder.checkpoint.head();
    let permit = folder.facts.iter().find(|fact| fact.entry.kind == FactKind::RecordingPermitted);
    html! {
        h2 { (tongue.pick("Wat dit bewijst, en hoe het te controleren is", "What this proves, and how to check it")) }
        div.limits {
            @if let Some((hash, permit)) = folder.evidence_hash().zip(permit) {
                p {
                    (tongue.pick("Vastgelegd op het moment zelf: ", "Committed at the time itself: "))
                    (tongue.pick(
                        "alles over de beslissing, de gesproken tekst en de toetsen. De SHA-256 daarvan, ",
                        "everything about the decision, the prompts and the keys. Its SHA-256, ",
                    ))
                    code { (hash) }
                    (tongue.pick(", is deel van feit ", ", is part of fact ")) (permit.entry.index)
                    (tongue.pick(" in het logboek waaraan alleen kan worden toegevoegd.", " in the log that can only be appended to."))
                }
            }
            p {
                (tongue.pick("Dat logboek had bij het maken van deze map ", "When this folder was made that log had ")) (head.size)
                (tongue.pick(" feiten en de wortel ", " facts and the root ")) code { (head.root) }
                (tongue.pick(", ondertekend in checkpoint.txt.", ", signed in checkpoint.txt."))
            }
            p {
                (tongue.pick(
                    "Zoals de administratie het had toen deze map werd gemaakt (",
                    "As the catalogue had it when this folder was made (",
                ))
                (day(&folder.record.exported_at)) ", " (folder.record.exported_by)
                (tongue.pick(
                    "), en toen ondertekend: begin en einde, pseudoniemen, Call-ID's, bewaring en de woorden van de gesproken teksten. ",
                    "), and signed then: begin and end, pseudonyms, Call-IDs, retention and the words of the prompts. ",
                ))
                (tongue.pick(
                    "Alle tijden komen van de systeemklok van de machine; of die gelijk liep is niet vastgelegd.",
                    "All times are those of the machine's system clock; whether it was right is not recorded.",
                ))
            }
            p {
                (tongue.pick(
                    "Wie de openbare sleutel langs een andere weg heeft gekregen, controleert alles zonder netwerk met: ",
                    "Who has got the public key by another way checks all of it without a network by: ",
                ))
                code { "jawoord-verify --trust KEYFILE evidence ." }
            }
        }
    }
}

fn row(name: &str, value: Markup) -> Markup {
    html! { tr { th scope="row" { (name) } td { (value) } } }
}

fn purposes(tongue: Tongue, evidence: &Evidence) -> String {
    let names: Vec<_> = evidence.purposes.iter().map(|purpose| tongue.purpose(purpose)).collect();
    names.join(", ")
}

/// Such as `2026-11-22 09:33:20.123 UTC`.
fn moment(at: Time) -> String {
    day(&at.to_string())
}

/// The same of a moment as text.
fn day(at: &str) -> String {
    match (at.get(..10), at.get(11..23)) {
        (Some(day), Some(time)) => format!("{day} {time} UTC"),
        (None, _) | (_, None) => at.to_owned(),
    }
}

/// Such as `09:33:20.123`.
fn clock(at: Time) -> String {
    at.to_string().get(11..23).unwrap_or_default().to_owned()
}

fn hex(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "–".to_owned();
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
