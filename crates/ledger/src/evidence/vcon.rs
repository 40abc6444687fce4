//! The conversation as a vCon (draft-ietf-vcon-vcon-core-04) with its ground as `lawful_basis`
//! (draft-howe-vcon-lawful-basis-01), made of what a folder of evidence says. The sound is put in by
//! whoever has it.
//!
//! Nobody is named in it but the controller: parties are identifiers made of keyed hashes.

use call::{Direction, Evidence, FactKind, Ground, Time};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde_json::{Map, Value, json};

use super::{
    decided::{Lasts, asks, entries, statuses},
    folder::{CONSENT_FILE, EvidenceFolder},
};

/// Where the recording stands, whose `body` is to be the sound in base64url (a JSON pointer).
pub const VCON_SOUND: &str = "/dialog/1";

/// The place of the recording in `dialog`; before it stands the call.
const RECORDING: usize = 1;

/// The parties, by their place.
const CUSTOMER: usize = 0;
const AGENT: usize = 1;
const CONTROLLER: usize = 2;

/// What a vCon says of a recording beside what its folder says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VconSound {
    /// When the vCon is made.
    pub made_at: Time,
    /// When the first sample was heard.
    pub started_at: Time,
    /// From the first sample to the last, in milliseconds.
    pub duration_ms: u64,
}

impl EvidenceFolder {
    /// The vCon without its sound, and its identifier, made of the `host` whose key signs it; `None`
    /// without evidence, for there is nothing to hand over then.
    #[must_use]
    pub fn vcon(&self, host: &str, sound: VconSound) -> Option<(String, Value)> {
        let evidence = self.evidence.as_ref()?;
        let uuid = uuid_of(host, sound.made_at);
        let consent = self.consent().and_then(|text| serde_json::from_str::<Value>(&text).ok());
        let record = consent.map(|body| {
            json!({
                "purpose": "consent_record",
                "start": self.record.exported_at,
                "party": CONTROLLER,
                "dialog": RECORDING,
                "mediatype": "application/ld+json",
                "filename": CONSENT_FILE,
                "encoding": "json",
                "body": body,
            })
        });
        let lawful = json!({
            "purpose": "lawful_basis",
            "start": evidence.decided_at.to_string(),
            // Consent is given by the customer; any other ground is what the controller says it is.
            "party": if asks(evidence.ground) { CUSTOMER } else { CONTROLLER },
            "dialog": RECORDING,
            "mediatype": "application/json",
            "encoding": "json",
            "body": lawful_basis(self, evidence),
        });
        let value = json!({
            "vcon": "0.4.0",
            "uuid": uuid,
            "extensions": ["lawful_basis"],
            "created_at": sound.made_at.to_string(),
            "parties": parties(self),
            "dialog": [session(self), recording(self, sound)],
            "attachments": std::iter::once(lawful).chain(record).collect::<Vec<_>>(),
        });
        Some((uuid, value))
    }
}

/// A version 8 UUID as the core draft makes it: the layout of version 7, with the first 62 bits of the
/// SHA-1 of the host's name for its end.
fn uuid_of(host: &str, at: Time) -> String {
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, host.as_bytes());
    let first =
        |bytes: &[u8]| bytes.iter().take(8).fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
    let (millis, micros) = (at.as_micros() / 1_000, at.as_micros() % 1_000);
    // Below the millisecond, 12 bits (RFC 9562 §6.2, method 3).
    let high = (millis << 16) | (micros * 4_096 / 1_000);
    uuid((u128::from(high) << 64) | u128::from(first(hash.as_ref()) >> 2))
}

/// The identifier of a party: the first bits of a keyed hash in the form of a UUID.
fn pseudonym(key: &str) -> Option<String> {
    u128::from_str_radix(key.get(..32)?, 16).ok().map(uuid)
}

/// Version 8 and the variant of RFC 9562, and the 122 other bits as they are.
fn uuid(bits: u128) -> String {
    let free = bits & !(0xf << 76) & !(0b11 << 62);
    let bits = free | (8 << 76) | (0b10 << 62);
    let text = format!("{bits:032x}");
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

fn parties(folder: &EvidenceFolder) -> Vec<Value> {
    let record = &folder.record;
    let kept = record.kept.as_ref();
    let person = |key: Option<&String>| match key.and_then(|key| pseudonym(key)) {
        Some(uuid) => json!({ "type": "person", "uuid": uuid }),
        // Whoever withholds the number has no name, and no more than that (core §party, `name`).
        None => json!({ "name": "anonymous" }),
    };
    let mut house = Map::new();
    house.insert("type".to_owned(), "organization".into());
    if let Some(evidence) = &folder.evidence {
        house.insert("org".to_owned(), evidence.tenant.as_str().into());
    }
    if let Some(controller) = &record.controller {
        house.insert("name".to_owned(), controller.name.as_str().into());
        house.insert("validation".to_owned(), "configuration of the node".into());
        for (scheme, key) in [("mailto:", "mailto"), ("tel:", "tel")] {
            if controller.contact.starts_with(scheme) {
                house.insert(key.to_owned(), controller.contact.as_str().into());
            }
        }
    }
    vec![
        person(kept.and_then(|kept| kept.customer_key.as_ref())),
        person(kept.and_then(|kept| kept.agent_key.as_ref())),
        house.into(),
    ]
}

/// The call as a whole, to which what was pressed before the recording belongs.
fn session(folder: &EvidenceFolder) -> Value {
    let at = |kind| entries(folder, kind).next().map(|entry| entry.at);
    let (opened, ended) = (at(FactKind::CallOpened), at(FactKind::CallEnded));
    let mut session = json!({
        "type": "recording-set",
        "start": opened.map_or_else(|| folder.record.opened_at.clone(), |at| at.to_string()),
        "parties": [CUSTOMER, AGENT],
        "recordings": [RECORDING],
        "party_history": history(folder),
    });
    let mut add = |name: &str, value: Value| {
        if let Some(object) = session.as_object_mut() {
            object.insert(name.to_owned(), value);
        }
    };
    if let (Some(opened), Some(ended)) = (opened, ended) {
        add("duration", ended.since(opened).as_secs_f64().into());
    }
    if let Some([local, remote]) = &folder.record.session_id {
        add("session_id", json!({ "local": local, "remote": remote }));
    }
    originate(folder, &mut session);
    session
}

/// The first of the parties is who called, or it is said who.
fn originate(folder: &EvidenceFolder, dialog: &mut Value) {
    if folder.record.direction == Direction::Outbound.as_str()
        && let Some(object) = dialog.as_object_mut()
    {
        object.insert("originator".to_owned(), AGENT.into());
    }
}

/// What was pressed, and who came and went, in order.
fn history(folder: &EvidenceFolder) -> Vec<Value> {
    let presses = folder.evidence.iter().flat_map(|evidence| &evidence.presses);
    let pressed = presses.map(|press| {
        let button = press.key.reveal().reveal().to_string();
        let event = json!({
            "party": CUSTOMER,
            "time": press.at.to_string(),
            "event": "keydown",
            "button": button,
        });
        (press.at, event)
    });
    let agents = [(FactKind::AgentConnected, "join"), (FactKind::AgentLeft, "drop")];
    let moved = agents.into_iter().flat_map(|(kind, event)| {
        entries(folder, kind).map(move |entry| {
            let at = entry.at.to_string();
            (entry.at, json!({ "party": AGENT, "time": at, "event": event }))
        })
    });
    let mut all: Vec<(Time, Value)> = pressed.chain(moved).collect();
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, event)| event).collect()
}

/// The recording, a party on each channel; its `body` is to be put in.
fn recording(folder: &EvidenceFolder, sound: VconSound) -> Value {
    let id = folder.record.recording.as_deref().unwrap_or_default();
    let mut recording = json!({
        "type": "recording",
        "start": sound.started_at.to_string(),
        "duration": std::time::Duration::from_millis(sound.duration_ms).as_secs_f64(),
        "parties": [CUSTOMER, AGENT],
        "recording_set": 0,
        "mediatype": "audio/x-wav",
        "filename": format!("{id}.wav"),
        "encoding": "base64url",
    });
    originate(folder, &mut recording);
    recording
}

/// The ground, what it was for, and what proves it. What was withdrawn, has expired or was objected to
/// is granted no more.
fn lawful_basis(folder: &EvidenceFolder, evidence: &Evidence) -> Value {
    let over = statuses(folder)
        .into_iter()
        .find(|status| matches!(status.lasts, Lasts::Ever))
        .map(|status| status.at);
    let at = over.unwrap_or(evidence.decided_at).to_string();
    let grant =
        |purpose: &str| json!({ "purpose": purpose, "granted": over.is_none(), "granted_at": at });
    let recording = std::iter::once(grant("recording"));
    let grants = recording.chain(evidence.purposes.iter().map(|purpose| grant(purpose.as_str())));
    let head = folder.checkpoint.head();
    let proof = entries(folder, FactKind::RecordingPermitted).next().map(|permit| {
        json!({
            "proof_type": "external_system",
            "timestamp": permit.at.to_string(),
            "proof_data": {
                "system": "jawoord",
                "evidence_sha256": permit.field("evidence"),
                "audit_entry": permit.index,
                "audit_size": head.size,
                "audit_root": head.root.to_string(),
            },
        })
    });
    let record = &folder.record;
    let notice = record.controller.as_ref().and_then(|known| known.privacy_notice.as_ref());
    json!({
        "lawful_basis": name_of(evidence.ground),
        "expiration": record.kept.as_ref().map(|kept| &kept.delete_after),
        "purpose_grants": grants.collect::<Vec<_>>(),
        "proof_mechanisms": proof.into_iter().collect::<Vec<_>>(),
        "metadata": {
            "explicit": evidence.ground == Ground::ExplicitConsent,
            "policy": evidence.policy.as_str(),
            "policy_version": evidence.policy_version,
            "policy_sha256": evidence.policy_hash.to_string(),
            "privacy_notice": notice,
        },
    })
}

/// The ground in the words of the extension, which has six.
const fn name_of(ground: Ground) -> &'static str {
    match ground {
        Ground::Consent | Ground::ExplicitConsent => "consent",
        Ground::Contract => "contract",
        Ground::LegalObligation => "legal_obligation",
        Ground::LegitimateInterest => "legitimate_interests",
        Ground::PublicTask => "public_task",
        Ground::VitalInterest => "vital_interests",
    }
}
