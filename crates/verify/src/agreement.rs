//! Whether the files of a folder of evidence say the same: the evidence, the facts, the record.

use call::{Evidence, FactKind};
use ledger::{CLOCK, EVIDENCE_FILE, Entry, EvidenceFolder, FACTS_FILE, Inventory, RECORD_FILE};

use crate::difference::What;

/// A file, and what of it another one contradicts.
type Found = Vec<(Box<str>, What)>;

/// Everything that two files of a folder say differently.
pub(crate) fn disagreements(told: &EvidenceFolder, inventory: &Inventory) -> Found {
    let mut found = Found::new();
    about_others(told, &mut found);
    match &told.evidence {
        Some(evidence) => committed(told, evidence, &mut found),
        None => absent(told, &mut found),
    }
    record(told, &mut found);
    let listed = |name: &str| inventory.files.iter().any(|file| &*file.name == name);
    let sounds = told.record.prompts.iter().filter_map(|spoken| spoken.file.as_ref());
    for name in sounds.filter(|name| !listed(name)) {
        found.push((name.as_str().into(), What::Missing));
    }
    found
}

fn of(told: &EvidenceFolder, kind: FactKind) -> Option<&Entry> {
    told.facts.iter().map(|fact| &fact.entry).find(|entry| entry.kind == kind)
}

/// A fact about another call or recording has no business in this folder.
fn about_others(told: &EvidenceFolder, found: &mut Found) {
    let record = &told.record;
    for fact in &told.facts {
        let other =
            |name, own: Option<&str>| fact.entry.field(name).is_some_and(|id| Some(id) != own);
        let recording = other("recording", record.recording.as_deref());
        if recording || other("call", Some(&record.call)) {
            found.push((FACTS_FILE.into(), What::Order(fact.entry.index)));
        }
    }
}

/// The evidence is the one whose hash the permit names, and the permit says the same.
fn committed(told: &EvidenceFolder, evidence: &Evidence, found: &mut Found) {
    let hash = told.evidence_hash().map(|hash| hash.to_string());
    let Some(permit) = of(told, FactKind::RecordingPermitted) else {
        return found.push((EVIDENCE_FILE.into(), What::Permit));
    };
    if permit.field("evidence") != hash.as_deref() || permit.at < evidence.decided_at {
        found.push((EVIDENCE_FILE.into(), What::Permit));
    }
    let mut differ = |fact: &Entry, name: &'static str, field, own: String| {
        if fact.field(field) != Some(own.as_str()) {
            found.push((EVIDENCE_FILE.into(), What::Disagrees(name)));
        }
    };
    differ(permit, "call", "call", evidence.call.to_string());
    differ(permit, "recording", "recording", evidence.recording.to_string());
    differ(permit, "legal ground", "ground", evidence.ground.to_string());
    differ(permit, "purposes", "purposes", evidence.purposes.to_string());
    if let Some(opened) = of(told, FactKind::CallOpened) {
        differ(opened, "tenant", "tenant", evidence.tenant.as_str().to_owned());
        differ(opened, "line", "line", evidence.line.as_str().to_owned());
        differ(opened, "policy", "policy", evidence.policy.as_str().to_owned());
        differ(opened, "policy version", "policy_version", evidence.policy_version.to_string());
        differ(opened, "policy hash", "policy_hash", evidence.policy_hash.to_string());
    }
    let known = |hash: &str| told.record.prompts.iter().any(|spoken| spoken.sha256 == hash);
    for heard in &evidence.prompts {
        if !known(&heard.id.sha256.to_string()) {
            found.push((RECORD_FILE.into(), What::Disagrees("list of prompts")));
        }
    }
}

/// Evidence is missing only where a recording is deleted, or never was.
fn absent(told: &EvidenceFolder, found: &mut Found) {
    let permitted = of(told, FactKind::RecordingPermitted).is_some();
    let deleted = of(told, FactKind::RecordingDeleted).is_some();
    let recording = told.record.recording.is_some();
    if permitted != recording || (permitted && !deleted) {
        found.push((EVIDENCE_FILE.into(), What::Permit));
    }
}

/// What the catalogue says is not more than the tree knows, as far as the tree knows it.
fn record(told: &EvidenceFolder, found: &mut Found) {
    let record = &told.record;
    let mut differ = |name: &'static str, same: bool| {
        if !same {
            found.push((RECORD_FILE.into(), What::Disagrees(name)));
        }
    };
    differ("clock", record.clock == CLOCK);
    let opened = of(told, FactKind::CallOpened);
    differ("call", opened.is_none_or(|fact| fact.field("call") == Some(&record.call)));
    if let Some(ended) = of(told, FactKind::CallEnded) {
        let words = [
            ("consent", &record.consent),
            ("outcome", &record.outcome),
            ("verdict", &record.verdict),
        ];
        for (name, word) in words {
            differ(name, word.is_none() || ended.field(name) == word.as_deref());
        }
    }
    if let Some(stored) = of(told, FactKind::RecordingStored)
        && let Some(kept) = &record.kept
    {
        differ("country", stored.field("country") == Some(&kept.country));
    }
    let deleted = of(told, FactKind::RecordingDeleted).is_some();
    differ("retention", !(deleted && record.kept.is_some()));
}
