//! What was decided and what became of it, as the evidence and the facts of a folder have it.

use call::{Evidence, FactKind, Ground, Manner, Press, Purposes, Time};

use super::folder::EvidenceFolder;
use crate::audit::entry::Entry;

/// What the text is about: which ground and purposes, and whether a recording was allowed.
pub(super) struct Basis {
    /// `None` where no recording was allowed.
    pub(super) ground: Option<Ground>,
    pub(super) purposes: Purposes,
}

pub(super) fn entries(folder: &EvidenceFolder, kind: FactKind) -> impl Iterator<Item = &Entry> {
    let entries = folder.facts.iter().map(|fact| &fact.entry);
    entries.filter(move |entry| entry.kind == kind)
}

/// The permit, of which a folder has no other than that of its recording.
fn permit(folder: &EvidenceFolder) -> Option<&Entry> {
    entries(folder, FactKind::RecordingPermitted).next()
}

/// What came after the fact of this index, in order.
fn since(folder: &EvidenceFolder, index: u64) -> impl Iterator<Item = &Entry> {
    let entries = folder.facts.iter().map(|fact| &fact.entry);
    entries.filter(move |entry| entry.index > index)
}

/// Ground and purposes as the evidence has them; of a recording that is deleted, as its permit has.
pub(super) fn basis(folder: &EvidenceFolder) -> Basis {
    if let Some(Evidence { ground, purposes, .. }) = &folder.evidence {
        return Basis { ground: Some(*ground), purposes: *purposes };
    }
    let permit = permit(folder);
    let ground = permit.and_then(|permit| Ground::from_name(permit.field("ground")?));
    let purposes = permit.and_then(|permit| Purposes::from_names(permit.field("purposes")?));
    Basis { ground, purposes: purposes.unwrap_or_default() }
}

/// Whether a recording on this ground is one that the customer agrees to.
pub(super) fn asks(ground: Ground) -> bool {
    ground.manner().is_some_and(Manner::asks)
}

/// How somebody made it known.
#[derive(Clone, Copy)]
pub(super) enum Way<'a> {
    /// By this key.
    Key(&'a Press),
    /// Aloud, to somebody of the house who passed it on.
    Told,
}

/// How long it counts.
#[derive(Clone, Copy)]
pub(super) enum Lasts {
    /// Until the recording is deleted.
    AsKept,
    /// Until this happens.
    Until(&'static str),
    /// For good.
    Ever,
}

/// What happened to a consent, or to a recording on another ground.
pub(super) struct Status<'a> {
    /// In the words of the vocabulary, the first of which says what it is.
    pub(super) kinds: Vec<&'static str>,
    /// When.
    pub(super) at: Time,
    /// Who did it.
    pub(super) by: &'static str,
    /// How, where that is known.
    pub(super) way: Option<Way<'a>>,
    /// How long it counts.
    pub(super) lasts: Lasts,
}

impl Status<'_> {
    fn new(kind: &'static str, at: Time, by: &'static str, lasts: Lasts) -> Self {
        Self { kinds: vec![kind], at, by, way: None, lasts }
    }

    pub(super) fn is(&self, kind: &str) -> bool {
        self.kinds.contains(&kind)
    }
}

/// What happened, in order.
pub(super) fn statuses(folder: &EvidenceFolder) -> Vec<Status<'_>> {
    match (basis(folder).ground, permit(folder)) {
        (Some(ground), Some(permit)) if asks(ground) => granted(folder, ground, permit),
        (Some(ground), Some(permit)) => objected(folder, ground, permit),
        (_, None) | (None, Some(_)) => undecided(folder),
    }
}

/// Of a recording that was agreed to: the request, the yes, and what ended it.
fn granted<'a>(folder: &'a EvidenceFolder, ground: Ground, permit: &Entry) -> Vec<Status<'a>> {
    let mut all = Vec::new();
    let evidence = folder.evidence.as_ref();
    if let Some(heard) = evidence.and_then(|evidence| evidence.prompts.first()) {
        let lasts = Lasts::Until("the answer");
        all.push(Status::new("dpv:ConsentRequested", heard.from, "#controller", lasts));
    }
    let explicit = ground == Ground::ExplicitConsent;
    let manner = if explicit { "dpv:ExplicitlyExpressedConsent" } else { "dpv:ExpressedConsent" };
    all.push(Status {
        kinds: vec!["dpv:ConsentGiven", manner],
        at: evidence.map_or(permit.at, |evidence| evidence.decided_at),
        by: "#customer",
        // The yes is the last key before the decision.
        way: evidence.and_then(|evidence| evidence.presses.last()).map(Way::Key),
        lasts: Lasts::AsKept,
    });
    let ending = since(folder, permit.index).find_map(ended);
    all.extend(ending.map(|(end, entry)| Status { way: told(folder, entry), ..end }));
    all
}

/// What ends a consent, if this fact does.
fn ended(entry: &Entry) -> Option<(Status<'_>, &Entry)> {
    let intended = [FactKind::EraseIntended, FactKind::DeletionIntended].contains(&entry.kind);
    let withdrawn =
        entry.field("consent") == Some("withdrawn") && entry.kind == FactKind::ConsentDecided;
    let reason = entry.field("reason");
    let end = |kind, by| Some((Status::new(kind, entry.at, by, Lasts::Ever), entry));
    if withdrawn || (intended && reason == Some("withdrawal")) {
        return end("dpv:ConsentWithdrawn", "#customer");
    }
    let over = entry.kind == FactKind::RecordingDeleted && reason == Some("retention");
    if over { end("dpv:ConsentExpired", "#controller") } else { None }
}

/// Whether the customer said it to the house: then the fact before is that it was passed on.
fn told(folder: &EvidenceFolder, end: &Entry) -> Option<Way<'static>> {
    let earlier = folder.facts.iter().map(|fact| &fact.entry);
    let before = earlier.take_while(|entry| entry.index < end.index).last()?;
    (before.kind == FactKind::WithdrawalTold).then_some(Way::Told)
}

/// Of a recording that needs no consent: an objection, where one was made (Art. 21).
fn objected<'a>(folder: &'a EvidenceFolder, ground: Ground, permit: &Entry) -> Vec<Status<'a>> {
    let kind = match ground {
        Ground::LegitimateInterest => "dpv:LegitimateInterestObjected",
        Ground::PublicTask => "dpv:PublicInterestObjected",
        Ground::Consent
        | Ground::ExplicitConsent
        | Ground::Contract
        | Ground::LegalObligation
        | Ground::VitalInterest => return Vec::new(),
    };
    let objections =
        since(folder, permit.index).filter(|entry| entry.kind == FactKind::CustomerObjected);
    let objection = |entry: &Entry| {
        let status = Status::new(kind, entry.at, "#customer", Lasts::Ever);
        Status { way: told(folder, entry), ..status }
    };
    objections.map(objection).collect()
}

/// Of a call without a recording: what the customer said to the question, if they were asked.
fn undecided(folder: &EvidenceFolder) -> Vec<Status<'_>> {
    let here = Lasts::Until("the end of the call");
    let status = |entry: &Entry| match entry.field("consent")? {
        "refused" => Some(Status::new("dpv:ConsentRefused", entry.at, "#customer", here)),
        "granted" => Some(Status::new("dpv:ConsentGiven", entry.at, "#customer", here)),
        "withdrawn" => {
            let withdrawn = Status::new("dpv:ConsentWithdrawn", entry.at, "#customer", Lasts::Ever);
            Some(Status { way: told(folder, entry), ..withdrawn })
        }
        // Silence is no answer (Art. 4(11)): the question was put, and nothing follows from it.
        "not-given" | "abandoned" => {
            Some(Status::new("dpv:ConsentRequestDeferred", entry.at, "#customer", here))
        }
        _ => None,
    };
    entries(folder, FactKind::ConsentDecided).filter_map(status).collect()
}
