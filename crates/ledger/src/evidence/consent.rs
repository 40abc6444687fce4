//! `consent.jsonld`: the consent record and its receipt by ISO/IEC TS 27560:2023, in the words of the
//! W3C Data Privacy Vocabulary ("Consent Records and Receipts as per ISO/IEC TS 27560:2023 using DPV",
//! 1 August 2024), as JSON-LD that fetches nothing.
//!
//! It says nothing that the other files of the folder do not say, and is made of them alone, so that it
//! can be made again. A record is said to conform (`dct:conformsTo`) only where all that the standard
//! demands is known; `rdfs:comment` names what is not.

use call::{FactKind, Ground, Manner, PromptHeard, Purpose, Purposes, Transport};
use serde_json::{Map, Value, json};

use super::{
    decided::{Basis, Lasts, Status, Way, asks, basis, entries, statuses},
    folder::{EVIDENCE_FILE, EvidenceFolder},
    record::Spoken,
};

/// What a record has to say to be one of TS 27560 (guide §8.1).
const RECORD_PROFILE: &str = "https://w3id.org/dpv/schema/dpv-27560#record";
/// The same for a receipt (guide §9.1).
const RECEIPT_PROFILE: &str = "https://w3id.org/dpv/schema/dpv-27560#receipt";

/// The rights of whoever is recorded, on any ground.
const RIGHTS: [&str; 4] = ["A15", "A16", "A18", "A77"];

/// The text of the file; `None` where the customer was neither asked nor recorded.
pub(super) fn consent(folder: &EvidenceFolder) -> Option<String> {
    let record = record(folder)?;
    let given = statuses(folder).iter().any(|status| status.is("dpv:ConsentGiven"));
    let mut graph = vec![record];
    if given {
        graph.push(receipt(folder));
    }
    let document = json!({ "@context": context(), "@graph": without_gaps(graph.into()) });
    Some(format!("{document:#}\n"))
}

/// Leaves out what is not known: no value, and lists of nothing.
fn without_gaps(value: Value) -> Value {
    let is_gap = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    match value {
        Value::Object(object) => {
            let kept = object.into_iter().map(|(name, value)| (name, without_gaps(value)));
            Value::Object(kept.filter(|(_, value)| !is_gap(value)).collect())
        }
        Value::Array(items) => {
            let kept = items.into_iter().map(without_gaps);
            Value::Array(kept.filter(|value| !is_gap(value)).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

/// Every word that is used, so that a reader need not fetch any; values that name something are its
/// identifiers, and not texts.
fn context() -> Value {
    let mut words = Map::new();
    for (prefix, namespace) in [
        ("dct", "http://purl.org/dc/terms/"),
        ("dpv", "https://w3id.org/dpv#"),
        ("eu-gdpr", "https://w3id.org/dpv/legal/eu/gdpr#"),
        ("loc", "https://w3id.org/dpv/loc#"),
        ("pd", "https://w3id.org/dpv/pd#"),
        ("rdf", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"),
        ("rdfs", "http://www.w3.org/2000/01/rdf-schema#"),
        ("schema", "https://schema.org/"),
        ("skos", "http://www.w3.org/2004/02/skos/core#"),
        ("xsd", "http://www.w3.org/2001/XMLSchema#"),
    ] {
        words.insert(prefix.to_owned(), namespace.into());
    }
    let names = [
        "dct:conformsTo",
        "dct:publisher",
        "dpv:hasDataController",
        "dpv:hasDataSource",
        "dpv:hasDataSubject",
        "dpv:hasJurisdiction",
        "dpv:hasLegalBasis",
        "dpv:hasLocation",
        "dpv:hasNecessity",
        "dpv:hasProcessing",
        "dpv:hasRecipient",
        "dpv:hasRecordOfActivity",
        "dpv:isExercisedAt",
        "dpv:isIndicatedBy",
        "schema:contentUrl",
        "schema:recipient",
        "schema:url",
        "skos:broader",
    ];
    for name in names {
        words.insert(name.to_owned(), json!({ "@type": "@id" }));
    }
    for moment in ["dct:created", "dct:date", "dpv:isIndicatedAtTime"] {
        words.insert(moment.to_owned(), json!({ "@type": "xsd:dateTime" }));
    }
    words.into()
}

/// The record of what was decided, or of a recording that needs no decision.
fn record(folder: &EvidenceFolder) -> Option<Value> {
    let told = &folder.record;
    let basis = basis(folder);
    let statuses = statuses(folder);
    let asked = basis.ground.is_none_or(asks);
    if basis.ground.is_none() && statuses.is_empty() {
        return None;
    }
    let missing = missing(folder, &basis);
    let kind = if asked { "dpv:ConsentRecord" } else { "dpv:DataProcessingRecord" };
    let mut record = json!({
        "@id": "#record",
        "@type": kind,
        "dct:identifier": subject(folder),
        "dpv:hasIdentifier": subject(folder),
        "dct:created": told.exported_at,
        // Whose clock the moments below are of.
        "dct:provenance": told.clock,
        "dct:source": sources(folder),
        "dpv:hasDataSubject": "#customer",
        "dpv:hasDataController": "#controller",
        "dpv:hasEntity": entities(folder),
        "dpv:hasNotice": notices(folder),
        "dpv:hasProcess": basis.ground.map(|ground| process(folder, ground, basis.purposes)),
    });
    let mut add = |name: &str, value: Value| {
        if let Some(object) = record.as_object_mut() {
            object.insert(name.to_owned(), value);
        }
    };
    let words: Vec<Value> = statuses.into_iter().map(|status| state(status, folder)).collect();
    add(if asked { "dpv:hasConsentStatus" } else { "dpv:hasStatus" }, words.into());
    match (asked, missing.is_empty()) {
        (true, true) => add("dct:conformsTo", RECORD_PROFILE.into()),
        (true, false) => add("rdfs:comment", without(&missing).into()),
        (false, _) => {}
    }
    Some(record)
}

fn without(missing: &[&str]) -> String {
    format!("does not conform to ISO/IEC TS 27560, for it is not known: {}", missing.join(", "))
}

/// What the customer is given of it (guide §9).
fn receipt(folder: &EvidenceFolder) -> Value {
    let id = format!("receipt-{}", subject(folder));
    let mut receipt = json!({
        "@id": "#receipt",
        "@type": "dpv:ConsentReceipt",
        // The guide names the one in its text and the other in its tables.
        "dct:identifier": id,
        "dpv:hasIdentifier": id,
        "dct:created": folder.record.exported_at,
        "dct:publisher": "#controller",
        "schema:recipient": "#customer",
        "dpv:hasRecordOfActivity": "#record",
    });
    let missing = missing(folder, &basis(folder));
    if let Some(object) = receipt.as_object_mut() {
        match missing.is_empty() {
            true => object.insert("dct:conformsTo".to_owned(), RECEIPT_PROFILE.into()),
            false => object.insert("rdfs:comment".to_owned(), without(&missing).into()),
        };
    }
    receipt
}

/// What it is about, by the recording's id or the call's.
fn subject(folder: &EvidenceFolder) -> &str {
    folder.record.recording.as_deref().unwrap_or(&folder.record.call)
}

/// What the standard demands and nobody knows here.
fn missing(folder: &EvidenceFolder, basis: &Basis) -> Vec<&'static str> {
    let known = [
        ("controller", folder.record.controller.is_some()),
        ("purpose", basis.ground.is_some()),
        ("privacy notice and language", folder.evidence.is_some()),
        ("storage location and retention period", folder.record.kept.is_some()),
    ];
    known.into_iter().filter(|(_, known)| !known).map(|(name, _)| name).collect()
}

/// Where it was taken from: the evidence by its hash, and the policy by its own.
fn sources(folder: &EvidenceFolder) -> Vec<Value> {
    let mut sources = Vec::new();
    if let Some(hash) = folder.evidence_hash() {
        sources.push(json!({ "@id": EVIDENCE_FILE, "schema:sha256": hash.to_string() }));
    }
    for opened in entries(folder, FactKind::CallOpened) {
        sources.push(json!({
            "@id": "#policy",
            "dct:title": opened.field("policy"),
            "schema:version": opened.field("policy_version"),
            "schema:sha256": opened.field("policy_hash"),
        }));
    }
    sources
}

/// Who takes part. The controller is known by the name of the house, and by what the configuration says
/// of it; the others are keyed hashes.
fn entities(folder: &EvidenceFolder) -> Vec<Value> {
    let record = &folder.record;
    let tenant = entries(folder, FactKind::CallOpened).find_map(|opened| opened.field("tenant"));
    let mut controller = json!({
        "@id": "#controller",
        "@type": ["dpv:Organisation", "dpv:DataController"],
        "dpv:hasIdentifier": tenant,
    });
    if let (Some(object), Some(known)) = (controller.as_object_mut(), &record.controller) {
        object.insert("dpv:hasName".to_owned(), known.name.as_str().into());
        let point = json!({ "@type": "schema:ContactPoint", "schema:url": known.contact });
        object.insert("schema:contactPoint".to_owned(), point);
        let address = json!({
            "@type": "schema:PostalAddress",
            "schema:streetAddress": known.address,
            "schema:addressCountry": known.country,
        });
        object.insert("schema:address".to_owned(), address);
        if let Some(notice) = &known.privacy_notice {
            object.insert("schema:url".to_owned(), notice.as_str().into());
        }
    }
    let keys = record.kept.as_ref();
    let customer = keys.and_then(|kept| kept.customer_key.as_deref());
    let mut all = vec![
        controller,
        json!({
            "@id": "#customer",
            "@type": "dpv:DataSubject",
            // Whoever withholds the number is known by the call alone.
            "dpv:hasIdentifier": customer.unwrap_or(&record.call),
        }),
    ];
    if let Some(agent) = keys.and_then(|kept| kept.agent_key.as_deref()) {
        all.push(json!({ "@id": "#agent", "@type": "dpv:Employee", "dpv:hasIdentifier": agent }));
    }
    all
}

/// What was heard before the decision, in order: that is what the customer was told.
fn notices(folder: &EvidenceFolder) -> Vec<Value> {
    let Some(evidence) = &folder.evidence else { return Vec::new() };
    let asked = asks(evidence.ground);
    let kind = if asked { "dpv:ConsentNotice" } else { "dpv:PrivacyNotice" };
    let spoken = |hash: &str| folder.record.prompts.iter().find(|spoken| spoken.sha256 == hash);
    let notice = |heard: &PromptHeard| {
        let hash = heard.id.sha256.to_string();
        let Spoken { file, text, .. } = spoken(&hash).cloned().unwrap_or_default();
        json!({
            "@type": kind,
            "dct:title": heard.prompt.as_str(),
            "dct:language": evidence.language.to_string(),
            "dct:date": heard.from.to_string(),
            "dct:description": text,
            "schema:contentUrl": file,
            "schema:sha256": hash,
            "schema:version": heard.id.version.to_string(),
            "dct:extent": extent(heard),
        })
    };
    evidence.prompts.iter().map(notice).collect()
}

fn extent(heard: &PromptHeard) -> String {
    let part = if heard.whole { "in full" } else { "in part" };
    format!("{} samples of 8,000 Hz, {part}", heard.samples)
}

/// What is done with which data, why, where and until when.
fn process(folder: &EvidenceFolder, ground: Ground, purposes: Purposes) -> Value {
    let record = &folder.record;
    let special = ground == Ground::ExplicitConsent;
    let kind = if special { "dpv:SpecialCategoryPersonalData" } else { "dpv:PersonalData" };
    let known = record.controller.as_ref();
    let country = known.map(|known| format!("loc:{}", known.country));
    let contact = known.map(|known| known.contact.as_str());
    let authority = known.and_then(|known| known.authority.as_deref());
    let mut process = json!({
        "@type": "dpv:Process",
        "dpv:hasDataController": "#controller",
        "dpv:hasDataSource": "dpv:DataSubjectDataSource",
        "dpv:hasLegalBasis": legal_basis(ground),
        "dpv:hasPersonalData": {
            "@type": kind,
            "dpv:hasNecessity": "dpv:Required",
            "skos:broader": "pd:VoiceCommunicationRecording",
        },
        "dpv:hasProcessing": ["dpv:Record", "dpv:Store", "dpv:Use"],
        "dpv:hasPurpose": purposes.iter().map(purpose).collect::<Vec<_>>(),
        // Nobody else is given it: no third party (TS 27560, recipient third parties).
        "dpv:hasRecipient": "#controller",
        "dpv:hasRight": rights(ground, contact),
        "dpv:hasJurisdiction": country,
        "dpv:hasAuthority": authority
            .map(|name| json!({ "@type": "dpv:DataProtectionAuthority", "dpv:hasName": name })),
    });
    let Some(object) = process.as_object_mut() else { return process };
    if let Some(kept) = &record.kept {
        let stored = json!([
            { "@type": "dpv:StorageLocation", "dpv:hasLocation": format!("loc:{}", kept.country) },
            { "@type": "dpv:StorageDuration", "dpv:hasDuration": until(&kept.delete_after) },
        ]);
        object.insert("dpv:hasStorageCondition".to_owned(), stored);
    }
    let (name, kind, how) = match ground.manner() {
        Some(Manner::Asked | Manner::AskedTwice) => (
            "dpv:hasConsentControl",
            "dpv:WithdrawConsent",
            "by the key that the notice names, at any moment of the call",
        ),
        Some(Manner::Opposing) => (
            "dpv:hasEntityControl",
            "dpv:ObjectingToProcess",
            "by the key that the notice names, before and during the recording",
        ),
        Some(Manner::Told) | None => return process,
    };
    let control = json!({ "@type": kind, "dct:description": how, "dpv:isExercisedAt": contact });
    object.insert(name.to_owned(), control);
    process
}

fn until(moment: &str) -> Value {
    json!({ "@type": "dpv:UntilTimeDuration", "rdf:value": moment })
}

/// The ground in the words of the extension for the GDPR.
fn legal_basis(ground: Ground) -> Value {
    match ground {
        Ground::Consent => json!(["dpv:ExpressedConsent", "eu-gdpr:A6-1-a"]),
        // What Art. 9 forbids and its exception allows needs a ground of Art. 6 all the same.
        Ground::ExplicitConsent => json!([
            "dpv:ExplicitlyExpressedConsent",
            "eu-gdpr:A6-1-a-explicit-consent",
            "eu-gdpr:A9-2-a",
        ]),
        Ground::Contract => json!("eu-gdpr:A6-1-b"),
        Ground::LegalObligation => json!("eu-gdpr:A6-1-c"),
        Ground::LegitimateInterest => json!("eu-gdpr:A6-1-f"),
        Ground::PublicTask => json!("eu-gdpr:A6-1-e"),
        Ground::VitalInterest => json!("eu-gdpr:A6-1-d"),
    }
}

/// Our word for a purpose, and the nearest of the vocabulary.
fn purpose(purpose: Purpose) -> Value {
    let broader = match purpose {
        Purpose::Quality => "dpv:ServiceOptimisation",
        Purpose::Training => "dpv:PersonnelManagement",
        Purpose::Evidence => "dpv:DisputeManagement",
        Purpose::Analysis => "dpv:OptimisationForController",
    };
    json!({ "@type": "dpv:Purpose", "dct:title": purpose.as_str(), "skos:broader": broader })
}

/// The rights that go with a ground (GDPR Art. 7(3), 15 to 21, 77), and where they are exercised.
fn rights(ground: Ground, contact: Option<&str>) -> Vec<Value> {
    let own: &[&str] = match ground {
        Ground::Consent | Ground::ExplicitConsent => &["A7-3", "A17", "A20"],
        Ground::Contract => &["A17", "A20"],
        Ground::LegitimateInterest => &["A17", "A21"],
        // There is none to erasure of what is kept for these (Art. 17(3)(b)).
        Ground::PublicTask => &["A21"],
        Ground::LegalObligation => &[],
        Ground::VitalInterest => &["A17"],
    };
    let right = |article: &&str| {
        // Whoever has a complaint goes to the authority.
        let at = contact.filter(|_| *article != "A77");
        let kinds = ["dpv:DataSubjectRight".to_owned(), format!("eu-gdpr:{article}")];
        json!({ "@type": kinds, "dpv:isExercisedAt": at })
    };
    own.iter().chain(&RIGHTS).map(right).collect()
}

/// What happened to a consent, by whom and how.
fn state(status: Status<'_>, folder: &EvidenceFolder) -> Value {
    let transport = |transport| match transport {
        Transport::Rfc4733 => "telephone event (RFC 4733)",
        Transport::Info => "SIP INFO",
        Transport::Inband => "tone in the sound",
    };
    let way = |way| match way {
        Way::Key(press) => {
            format!("key {} by {}", press.key.reveal().reveal(), transport(press.transport))
        }
        Way::Told => "aloud, to somebody of the controller who passed it on".to_owned(),
    };
    let kept = folder.record.kept.as_ref();
    let lasts = match status.lasts {
        Lasts::AsKept => kept.map(|kept| until(&kept.delete_after)),
        Lasts::Until(event) => {
            Some(json!({ "@type": "dpv:UntilEventDuration", "rdf:value": event }))
        }
        Lasts::Ever => Some(json!({ "@type": "dpv:EndlessDuration" })),
    };
    json!({
        "@type": status.kinds,
        "dpv:hasDuration": lasts,
        "dpv:hasIndicationMethod": status.way.map(way),
        "dpv:isIndicatedAtTime": status.at.to_string(),
        "dpv:isIndicatedBy": status.by,
    })
}
