//! A folder as it is written: its files, and the page among them.

use std::io;

use super::{
    consent::consent,
    folder::{
        CHECKPOINT_FILE, CONSENT_FILE, EVIDENCE_FILE, EvidenceFolder, FACTS_FILE, PAGE_FILE,
        RECORD_FILE,
    },
    page::page,
};

impl EvidenceFolder {
    /// The name and the bytes of each file, the page among them.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] when a fact is not text, which none is.
    pub fn files(&self) -> io::Result<Vec<(&'static str, Vec<u8>)>> {
        let mut facts = String::new();
        for fact in &self.facts {
            facts.push_str(&fact.line()?);
            facts.push('\n');
        }
        let mut files = vec![
            (PAGE_FILE, page(self).into_bytes()),
            (RECORD_FILE, serde_json::to_string_pretty(&self.record)?.into_bytes()),
            (FACTS_FILE, facts.into_bytes()),
            (CHECKPOINT_FILE, self.checkpoint.note().as_bytes().to_vec()),
        ];
        files.extend(self.evidence.as_ref().map(|evidence| (EVIDENCE_FILE, evidence.encode())));
        files.extend(consent(self).map(|text| (CONSENT_FILE, text.into_bytes())));
        Ok(files)
    }

    /// The page that is made of it.
    #[must_use]
    pub fn page(&self) -> String {
        page(self)
    }

    /// The consent record and receipt that are made of it; `None` where the customer was neither asked
    /// nor recorded.
    #[must_use]
    pub fn consent(&self) -> Option<String> {
        consent(self)
    }
}

#[cfg(test)]
mod tests {
    use call::{
        AgentId, AgentSource, CallId, Consent, Digest, Evidence, Fact, FactKind, Ground, Hand, Key,
        Language, LineId, Outcome, PolicyId, Press, Private, Prompt, PromptHeard, PromptId,
        Purpose, Raw, Reason, RecordingId, TenantId, Time, Transport, Verdict,
    };

    use super::*;
    use crate::{
        CLOCK, Checkpoint, Controller, Entry, Frontier, Kept, Origin, PAGE_VERSION, ProvedFact,
        RECORD_FORM, Record, Salt, Spoken, VCON_SOUND, VconSound,
        audit::checkpoint::tests::TestKey, read_facts, read_record,
    };

    const CALL: CallId = CallId::from_bytes([1; 16]);
    const RECORDING: RecordingId = RecordingId::from_bytes([2; 16]);
    const SOUND: Digest = Digest::from_bytes([3; 32]);

    fn at(seconds: u64) -> Time {
        Time::from_micros(1_795_340_000_000_000 + seconds * 1_000_000)
    }

    fn evidence() -> Evidence {
        let raw = Private::new(Raw::new(&[0x80, 0xe5, 1, 10, 0, 160]));
        let key = Private::new(Key::new('1').unwrap());
        Evidence {
            call: CALL,
            recording: RECORDING,
            tenant: TenantId::new("acme").unwrap(),
            line: LineId::new("sales").unwrap(),
            policy: PolicyId::new("ask").unwrap(),
            policy_version: 7,
            policy_hash: Digest::from_bytes([9; 32]),
            ground: Ground::Consent,
            purposes: [Purpose::Quality, Purpose::Training].into_iter().collect(),
            language: Language::new("nl").unwrap(),
            prompts: vec![PromptHeard {
                prompt: Prompt::Notice,
                id: PromptId { version: 4, sha256: SOUND },
                from: at(1),
                until: at(10),
                samples: 72_000,
                whole: true,
            }],
            presses: vec![Press { key, at: at(8), transport: Transport::Rfc4733, raw }],
            decided_at: at(10),
        }
    }

    fn record(text: &str) -> Record {
        Record {
            form: RECORD_FORM.to_owned(),
            page: PAGE_VERSION,
            exported_at: at(90).to_string(),
            exported_by: "jawoord 0.1.0".to_owned(),
            clock: CLOCK.to_owned(),
            call: CALL.to_string(),
            direction: "inbound".to_owned(),
            opened_at: at(0).to_string(),
            closed_at: Some(at(60).to_string()),
            consent: Some("granted".to_owned()),
            outcome: Some("bridged".to_owned()),
            verdict: Some("recorded".to_owned()),
            caller_call_id_key: None,
            called_call_id: Some(text.to_owned()),
            session_id: None,
            controller: None,
            recording: Some(RECORDING.to_string()),
            kept: None,
            prompts: vec![Spoken {
                prompt: "notice".to_owned(),
                language: "nl".to_owned(),
                version: 4,
                sha256: SOUND.to_string(),
                file: Some("prompts/nl-notice-4.wav".to_owned()),
                text: Some(text.to_owned()),
            }],
        }
    }

    /// A folder of one decision; `text` is what somebody else has written.
    fn folder(text: &str) -> EvidenceFolder {
        let evidence = evidence();
        let facts = [
            Fact::CallOpened {
                call: CALL,
                tenant: evidence.tenant.clone(),
                line: evidence.line.clone(),
                policy: evidence.policy.clone(),
                policy_version: 7,
                policy_hash: evidence.policy_hash,
            },
            Fact::CallEnded {
                call: CALL,
                consent: Consent::Granted,
                outcome: Outcome::Bridged,
                verdict: Verdict::Recorded,
            },
        ];
        let mut tree = Frontier::new();
        let facts: Vec<_> = (0_u64..)
            .zip(facts)
            .map(|(index, fact)| {
                let (at, kind, salt) = (at(index), fact.kind(), Salt::new([5; 32]));
                let entry = Entry { index, at, kind, salt, body: fact.encode(at) };
                tree.append(entry.leaf());
                ProvedFact { entry, path: Vec::new() }
            })
            .collect();
        // Two leaves: each is the path of the other.
        let leaves: Vec<_> = facts.iter().map(|fact| fact.entry.leaf()).collect();
        let pair = facts.into_iter().zip(leaves.into_iter().rev());
        let facts = pair.map(|(fact, other)| ProvedFact { path: vec![other], ..fact }).collect();
        let origin = Origin::new("jawoord").unwrap();
        let record = record(text);
        let checkpoint = Checkpoint::sign(&origin, tree.head(), &TestKey::new(1)).unwrap();
        EvidenceFolder { evidence: Some(evidence), record, facts, checkpoint }
    }

    fn file(folder: &EvidenceFolder, name: &str) -> String {
        let files = folder.files().unwrap();
        let found = files.into_iter().find(|(found, _)| *found == name);
        String::from_utf8(found.unwrap().1).unwrap()
    }

    /// Folders are verified for as long as a recording may be asked about: who changes the page raises
    /// [`PAGE_VERSION`], and says in the verifier what becomes of folders with the one before.
    #[test]
    fn the_page_is_the_one_that_was_agreed_on_for_its_version() {
        let page = file(&folder("We willen dit gesprek opnemen."), PAGE_FILE);
        let name = format!("tests/golden/evidence-{PAGE_VERSION}.html");
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        if std::env::var_os("JAWOORD_BLESS").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &page).unwrap();
        }
        assert!(page == std::fs::read_to_string(path).unwrap(), "the page of this version changed");
    }

    /// A folder of a recording whose controller is known, with these facts more.
    fn whole(facts: &[Fact]) -> EvidenceFolder {
        let mut folder = folder("We willen dit gesprek opnemen.");
        folder.record.controller = Some(Controller {
            name: "Voorbeeld BV".to_owned(),
            address: "Voorbeeldstraat 1, 1011 AA Amsterdam".to_owned(),
            country: "NL".to_owned(),
            contact: "mailto:privacy@voorbeeld.example".to_owned(),
            privacy_notice: Some("https://voorbeeld.example/privacy".to_owned()),
            authority: Some("Autoriteit Persoonsgegevens".to_owned()),
        });
        folder.record.kept = Some(Kept {
            customer_key: Some("ab".repeat(32)),
            agent_key: None,
            state: "stored".to_owned(),
            permitted_at: at(11).to_string(),
            retention_class: "quality-30d".to_owned(),
            delete_after: at(2_592_000).to_string(),
            held: false,
            country: "NL".to_owned(),
            provider: "own disk".to_owned(),
            duration_ms: Some(49_000),
        });
        let ground = folder.evidence.as_ref().map_or(Ground::Consent, |evidence| evidence.ground);
        let permit = Fact::RecordingPermitted {
            call: CALL,
            recording: RECORDING,
            ground,
            purposes: [Purpose::Quality, Purpose::Training].into_iter().collect(),
            evidence: SOUND,
        };
        for fact in std::iter::once(&permit).chain(facts) {
            let index = folder.facts.len() as u64;
            let (at, kind, salt) = (at(10 + index), fact.kind(), Salt::new([5; 32]));
            let entry = Entry { index, at, kind, salt, body: fact.encode(at) };
            folder.facts.push(ProvedFact { entry, path: Vec::new() });
        }
        folder
    }

    fn consent_of(folder: &EvidenceFolder) -> serde_json::Value {
        serde_json::from_str(&folder.consent().expect("a record")).unwrap()
    }

    /// What a record says of the consent: each kind of status, and when.
    fn states(consent: &serde_json::Value, property: &str) -> Vec<String> {
        let record = &consent["@graph"][0];
        let all = record[property].as_array().map(Vec::as_slice).unwrap_or_default();
        let kind = |one: &serde_json::Value| one["@type"][0].as_str().unwrap().to_owned();
        all.iter().map(kind).collect()
    }

    /// What makes something unknown, and its name.
    type Lack = (fn(&mut EvidenceFolder), &'static str);

    /// It is held to the byte as long as the page is: see above.
    #[test]
    fn l_07_the_consent_record_is_the_one_that_was_agreed_on_for_its_version() {
        let withdrawn = Fact::ConsentDecided { call: CALL, consent: Consent::Withdrawn };
        let text = file(&whole(&[withdrawn]), CONSENT_FILE);
        let name = format!("tests/golden/consent-{PAGE_VERSION}.jsonld");
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        if std::env::var_os("JAWOORD_BLESS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        assert!(
            text == std::fs::read_to_string(path).unwrap(),
            "the record of this version changed"
        );
    }

    #[test]
    fn l_07_a_consent_record_conforms_only_where_all_that_is_demanded_is_known() {
        const PROFILE: &str = "https://w3id.org/dpv/schema/dpv-27560#";
        let conforms = |folder: &EvidenceFolder| {
            let graph = consent_of(folder)["@graph"].clone();
            [0, 1].map(|place| graph[place]["dct:conformsTo"].as_str().map(str::to_owned))
        };
        let known = ["record", "receipt"].map(|kind| Some(format!("{PROFILE}{kind}")));
        assert_eq!(conforms(&whole(&[])), known);
        let lacks: &[Lack] = &[
            (|it| it.record.controller = None, "controller"),
            (|it| it.record.kept = None, "storage location and retention period"),
            (|it| it.evidence = None, "privacy notice and language"),
        ];
        for (change, named) in lacks {
            let mut folder = whole(&[]);
            change(&mut folder);
            assert_eq!(conforms(&folder), [None, None], "{named}");
            for item in consent_of(&folder)["@graph"].as_array().unwrap() {
                let said = item["rdfs:comment"].as_str().unwrap();
                assert!(said.ends_with(&format!("not known: {named}")), "{said}");
            }
        }
    }

    #[test]
    fn l_08_what_ends_a_consent_is_in_its_record_and_nothing_of_what_is_deleted() {
        const STATUS: &str = "dpv:hasConsentStatus";
        let given = ["dpv:ConsentRequested", "dpv:ConsentGiven"];
        assert_eq!(states(&consent_of(&whole(&[])), STATUS), given);
        let deleted = |reason| {
            let intended = Fact::DeletionIntended { recording: RECORDING, reason };
            let manifest = Digest::from_bytes([0; 32]);
            let gone = Fact::RecordingDeleted { recording: RECORDING, reason, manifest };
            let mut folder = whole(&[intended, gone]);
            (folder.evidence, folder.record.kept) = (None, None);
            folder.record.prompts.clear();
            folder
        };
        for (reason, ends) in [
            (Reason::Withdrawal, vec!["dpv:ConsentGiven", "dpv:ConsentWithdrawn"]),
            (Reason::Retention, vec!["dpv:ConsentGiven", "dpv:ConsentExpired"]),
            (Reason::Request, vec!["dpv:ConsentGiven"]),
        ] {
            let consent = consent_of(&deleted(reason));
            assert_eq!(states(&consent, STATUS), ends, "{reason}");
            let text = consent.to_string();
            for gone in ["hasIndicationMethod", "hasNotice", "hasStorageCondition", "abab"] {
                assert!(!text.contains(gone), "{gone} of a deleted recording: {text}");
            }
        }
    }

    #[test]
    fn l_08_a_withdrawal_is_of_the_consent_before_it_and_says_when_it_was_told_to_the_house() {
        const STATUS: &str = "dpv:hasConsentStatus";
        let withdrawn = Fact::ConsentDecided { call: CALL, consent: Consent::Withdrawn };
        let told = Fact::WithdrawalTold { call: CALL, by: Hand::Operator };
        for (facts, way) in [
            (
                vec![told, withdrawn.clone()],
                Some("aloud, to somebody of the controller who passed it on"),
            ),
            (vec![withdrawn.clone()], None),
        ] {
            let consent = consent_of(&whole(&facts));
            let end = &consent["@graph"][0][STATUS][2];
            assert_eq!(end["@type"][0], "dpv:ConsentWithdrawn");
            assert_eq!(end["dpv:hasIndicationMethod"].as_str(), way);
            assert_eq!(end["dpv:isIndicatedBy"], "#customer");
        }
        // Of a second recording in a call, the withdrawal of the first is no business.
        let mut second = whole(&[withdrawn]);
        let [.., permit, before] = &mut second.facts[..] else { panic!("two facts") };
        std::mem::swap(permit, before);
        (permit.entry.index, before.entry.index) = (2, 3);
        let given = ["dpv:ConsentRequested", "dpv:ConsentGiven"];
        assert_eq!(states(&consent_of(&second), STATUS), given);
    }

    /// TS 27560 §6.3.7: time, validity, who, and what of every event.
    #[test]
    fn l_07_every_event_of_a_record_says_when_by_whom_and_how_long_it_counts() {
        let told = |consent| whole(&[Fact::ConsentDecided { call: CALL, consent }]);
        let alone = |consent| {
            let mut folder = told(consent);
            (folder.evidence, folder.record.recording) = (None, None);
            folder.facts.retain(|fact| fact.entry.kind != FactKind::RecordingPermitted);
            folder
        };
        let mut seen = 0;
        for folder in [
            told(Consent::Withdrawn),
            alone(Consent::Refused),
            alone(Consent::NotGiven),
            alone(Consent::Abandoned),
            alone(Consent::Granted),
            alone(Consent::Withdrawn),
        ] {
            let consent = consent_of(&folder);
            for event in consent["@graph"][0]["dpv:hasConsentStatus"].as_array().unwrap() {
                let lasts = event["dpv:hasDuration"]["@type"].as_str().unwrap();
                let ends = ["dpv:ConsentWithdrawn", "dpv:ConsentExpired"];
                let ended = ends.contains(&event["@type"][0].as_str().unwrap());
                assert_eq!(lasts == "dpv:EndlessDuration", ended, "{event}");
                let at = event["dpv:isIndicatedAtTime"].as_str().unwrap();
                assert!(at.ends_with('Z'), "{event}");
                assert!(
                    ["#customer", "#controller"]
                        .map(Into::into)
                        .contains(&event["dpv:isIndicatedBy"])
                );
                seen += 1;
            }
        }
        assert_eq!(seen, 8, "events");
    }

    #[test]
    fn l_13_explicit_consent_has_its_exception_and_a_ground_beside_it() {
        let mut folder = whole(&[]);
        folder.evidence.as_mut().unwrap().ground = Ground::ExplicitConsent;
        let consent = consent_of(&folder);
        let record = &consent["@graph"][0];
        let process = &record["dpv:hasProcess"];
        let bases =
            ["dpv:ExplicitlyExpressedConsent", "eu-gdpr:A6-1-a-explicit-consent", "eu-gdpr:A9-2-a"];
        assert_eq!(process["dpv:hasLegalBasis"], serde_json::json!(bases));
        assert_eq!(process["dpv:hasPersonalData"]["@type"], "dpv:SpecialCategoryPersonalData");
        assert_eq!(record["dpv:hasConsentStatus"][1]["@type"][1], bases[0]);
    }

    #[test]
    fn l_11_who_said_no_or_nothing_has_given_nothing_and_gets_no_receipt() {
        for (consent, status) in [
            (Consent::Refused, Some("dpv:ConsentRefused")),
            (Consent::NotGiven, Some("dpv:ConsentRequestDeferred")),
            (Consent::Abandoned, Some("dpv:ConsentRequestDeferred")),
            (Consent::NotAsked, None),
        ] {
            let mut folder = folder("text");
            (folder.evidence, folder.record.recording) = (None, None);
            let fact = Fact::ConsentDecided { call: CALL, consent };
            let (at, kind, salt) = (at(20), fact.kind(), Salt::new([5; 32]));
            let entry = Entry { index: 2, at, kind, salt, body: fact.encode(at) };
            folder.facts.push(ProvedFact { entry, path: Vec::new() });
            let told = folder.consent().map(|_| consent_of(&folder));
            let states = told.as_ref().map(|told| states(told, "dpv:hasConsentStatus"));
            assert_eq!(states, status.map(|status| vec![status.to_owned()]), "{consent}");
            let parts = told.as_ref().map(|told| told["@graph"].as_array().unwrap().len());
            assert_eq!(parts, status.map(|_| 1), "a receipt for {consent}");
        }
    }

    #[test]
    fn l_21_a_recording_that_needs_no_consent_has_a_record_that_claims_none() {
        let interest = Some("dpv:LegitimateInterestObjected");
        for (ground, basis, objected, own) in [
            (Ground::LegitimateInterest, "eu-gdpr:A6-1-f", interest, &["A17", "A21"][..]),
            (Ground::PublicTask, "eu-gdpr:A6-1-e", Some("dpv:PublicInterestObjected"), &["A21"]),
            (Ground::LegalObligation, "eu-gdpr:A6-1-c", None, &[]),
            (Ground::Contract, "eu-gdpr:A6-1-b", None, &["A17", "A20"]),
            (Ground::VitalInterest, "eu-gdpr:A6-1-d", None, &["A17"]),
        ] {
            let mut folder = whole(&[Fact::CustomerObjected { call: CALL }]);
            folder.evidence.as_mut().unwrap().ground = ground;
            let consent = consent_of(&folder);
            let record = &consent["@graph"][0];
            assert_eq!(record["@type"], "dpv:DataProcessingRecord", "{ground}");
            assert_eq!(record["dpv:hasProcess"]["dpv:hasLegalBasis"], basis);
            assert!(record.get("dct:conformsTo").is_none(), "a consent record of {ground}");
            let rights = record["dpv:hasProcess"]["dpv:hasRight"].as_array().unwrap();
            let named: Vec<_> = rights.iter().map(|right| right["@type"][1].as_str()).collect();
            let due = own.iter().chain(&["A15", "A16", "A18", "A77"]);
            let due: Vec<_> = due.map(|article| format!("eu-gdpr:{article}")).collect();
            assert_eq!(named, due.iter().map(|one| Some(one.as_str())).collect::<Vec<_>>());
            assert_eq!(rights[0]["dpv:isExercisedAt"], "mailto:privacy@voorbeeld.example");
            let objections: Vec<_> = objected.into_iter().collect();
            assert_eq!(states(&consent, "dpv:hasStatus"), objections);
            assert_eq!(consent["@graph"].as_array().unwrap().len(), 1, "a receipt for {ground}");
            assert!(!consent.to_string().contains("ConsentGiven"), "{ground}");
        }
    }

    const HOST: &str = "node.example.nl";

    fn sound() -> VconSound {
        VconSound { made_at: at(90), started_at: at(11), duration_ms: 49_020 }
    }

    fn vcon_of(folder: &EvidenceFolder) -> serde_json::Value {
        folder.vcon(HOST, sound()).expect("a vCon").1
    }

    #[test]
    fn l_20_a_vcon_is_the_one_that_was_agreed_on() {
        let agent = AgentId::from_bytes([0xab; 16]);
        let mut folder = whole(&[
            Fact::AgentConnected {
                recording: RECORDING,
                agent,
                queue: "support".into(),
                by: AgentSource::Ami,
            },
            Fact::AgentLeft { recording: RECORDING, by: AgentSource::Ami },
        ]);
        folder.record.session_id = Some(["1".repeat(32), "2".repeat(32)]);
        let (uuid, vcon) = folder.vcon(HOST, sound()).unwrap();
        assert_eq!(vcon["uuid"], uuid.as_str());
        assert!(vcon.pointer(VCON_SOUND).is_some_and(|dialog| dialog["type"] == "recording"));
        let text = format!("{vcon:#}\n");
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/vcon.json");
        if std::env::var_os("JAWOORD_BLESS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        assert!(text == std::fs::read_to_string(path).unwrap(), "the vCon changed");
        // Names that the core draft had and has no more.
        for old in ["\"appended\"", "\"must_support\"", "\"mimetype\"", "\"schema_version\""] {
            assert!(!text.contains(old), "{old}");
        }
        let attachments = vcon["attachments"].as_array().unwrap();
        assert!(
            attachments.iter().all(|one| one.get("type").is_none() && one["purpose"].is_string())
        );
    }

    /// RFC 9562 §5.8 and the core draft: time, version, variant, and the host's name.
    #[test]
    fn l_20_the_identifier_of_a_vcon_is_a_uuid_of_version_8_made_of_time_and_host() {
        let uuid = |host, at| {
            let sound = VconSound { made_at: at, ..sound() };
            whole(&[]).vcon(host, sound).unwrap().0
        };
        // 1,795,340,090,123 ms are 01a2029bbb0b; 456 of 1,000 µs are 74b of 1000 in hexadecimal; the SHA-1
        // of the name begins with b80cde6025cab633, of which the first 62 bits stand after the variant.
        let moment = Time::from_micros(1_795_340_090_123_456);
        assert_eq!(uuid(HOST, moment), "01a2029b-bb0b-874b-ae03-37980972ad8c");
        assert_ne!(uuid("other.example.nl", moment), uuid(HOST, moment));
        assert_ne!(uuid(HOST, Time::from_micros(1_795_340_090_123_457)), uuid(HOST, moment));
    }

    #[test]
    fn l_06_a_vcon_names_each_ground_in_the_words_of_its_extension_and_whose_it_is() {
        for (ground, name, party) in [
            (Ground::Consent, "consent", 0),
            (Ground::ExplicitConsent, "consent", 0),
            (Ground::Contract, "contract", 2),
            (Ground::LegalObligation, "legal_obligation", 2),
            (Ground::LegitimateInterest, "legitimate_interests", 2),
            (Ground::PublicTask, "public_task", 2),
            (Ground::VitalInterest, "vital_interests", 2),
        ] {
            let mut folder = whole(&[]);
            folder.evidence.as_mut().unwrap().ground = ground;
            let lawful = vcon_of(&folder)["attachments"][0].clone();
            assert_eq!(lawful["body"]["lawful_basis"], name);
            assert_eq!(lawful["party"], party, "{ground}");
            assert_eq!(lawful["body"]["metadata"]["explicit"], ground == Ground::ExplicitConsent);
        }
    }

    #[test]
    fn l_08_l_21_what_was_withdrawn_or_objected_to_is_granted_no_more_in_a_vcon() {
        let grants = |folder: &EvidenceFolder| {
            let vcon = vcon_of(folder);
            let grants = vcon["attachments"][0]["body"]["purpose_grants"].clone();
            let grants: Vec<serde_json::Value> = serde_json::from_value(grants).unwrap();
            let named: Vec<_> = grants.iter().map(|grant| grant["purpose"].clone()).collect();
            assert_eq!(named, ["recording", "quality", "training"]);
            let first = (grants[0]["granted"].clone(), grants[0]["granted_at"].clone());
            let alike =
                |one: &serde_json::Value| one["granted"] == first.0 && one["granted_at"] == first.1;
            assert!(grants.iter().all(alike));
            (first.0 == true, first.1.as_str().unwrap().to_owned())
        };
        assert_eq!(grants(&whole(&[])), (true, at(10).to_string()));
        let withdrawn = Fact::ConsentDecided { call: CALL, consent: Consent::Withdrawn };
        assert_eq!(grants(&whole(&[withdrawn])), (false, at(13).to_string()));
        let mut objected = whole(&[Fact::CustomerObjected { call: CALL }]);
        objected.evidence.as_mut().unwrap().ground = Ground::LegitimateInterest;
        assert_eq!(grants(&objected), (false, at(13).to_string()));
    }

    #[test]
    fn l_20_a_vcon_names_nobody_and_is_not_made_of_what_is_deleted() {
        let mut folder = whole(&[]);
        let customer = vcon_of(&folder)["parties"][0].clone();
        assert_eq!(customer["uuid"], "abababab-abab-8bab-abab-abababababab");
        assert!(customer.get("tel").is_none() && customer.get("name").is_none());
        folder.record.kept.as_mut().unwrap().customer_key = None;
        assert_eq!(vcon_of(&folder)["parties"][0], serde_json::json!({ "name": "anonymous" }));
        folder.record.direction = "outbound".to_owned();
        assert_eq!(vcon_of(&folder)["dialog"][0]["originator"], 1, "who called");
        folder.evidence = None;
        assert!(folder.vcon(HOST, sound()).is_none());
    }

    /// The words of the page for a fact, in Dutch and in English.
    fn told(fact: &Fact) -> [String; 2] {
        let mut folder = folder("text");
        let (at, kind, salt) = (at(20), fact.kind(), Salt::new([5; 32]));
        let entry = Entry { index: 2, at, kind, salt, body: fact.encode(at) };
        folder.facts = vec![ProvedFact { entry, path: Vec::new() }];
        let page = folder.page();
        let after = page.split(" UTC</td><td>").skip(1);
        let rows = after.map(|row| row.split("</td>").next().unwrap().to_owned());
        rows.filter(|row| !row.is_empty()).collect::<Vec<_>>().try_into().unwrap()
    }

    #[test]
    fn l_03_who_talked_to_the_customer_is_told_with_who_said_so() {
        let connected = |queue: &str, by| Fact::AgentConnected {
            recording: RECORDING,
            agent: AgentId::from_bytes([0xab; 16]),
            queue: queue.into(),
            by,
        };
        let agent = "ab".repeat(16);
        assert_eq!(
            told(&connected("support", AgentSource::Ami)),
            [
                format!(
                    "Vanaf nu sprak een medewerker met de klant, medewerker: {agent}, wachtrij: support, \
                     bron: de telefooncentrale, via AMI"
                ),
                format!(
                    "From here on an agent talked to the customer, agent: {agent}, queue: support, \
                     source: the telephone exchange, by AMI"
                ),
            ]
        );
        let [_, english] = told(&connected("", AgentSource::Api));
        assert!(english.ends_with(&format!("{agent}, source: a program or the operator")));
        let [dutch, _] = told(&Fact::AgentLeft { recording: RECORDING, by: AgentSource::Sip });
        let left =
            "Vanaf nu sprak geen medewerker met de klant, bron: de telefooncentrale, via SIP";
        assert_eq!(dutch, left);
        let lost = Fact::AgentUnknown { recording: RECORDING, by: AgentSource::Ami };
        assert!(told(&lost)[1].contains("not known whether an agent talked to the customer"));
        let paused = Fact::RecordingPaused { recording: RECORDING, by: Hand::Agent };
        assert_eq!(told(&paused)[0], "De opname pauzeerde, door: de medewerker");
    }

    #[test]
    fn no_value_on_the_page_is_more_than_text_and_nothing_is_fetched() {
        let page = file(&folder("<script src=//x></script>\" onload=\"x"), PAGE_FILE);
        assert!(!page.contains("<script") && !page.contains("\" onload"));
        assert!(page.contains("&lt;script src=//x&gt;"));
        assert!(page.contains("default-src 'none'"));
    }

    #[test]
    fn what_is_written_reads_back() {
        let folder = folder("text");
        assert!(read_record(&file(&folder, RECORD_FILE)) == Some(folder.record.clone()));
        assert_eq!(read_facts(&file(&folder, FACTS_FILE)), Some(folder.facts.clone()));
        let checkpoint: Checkpoint = file(&folder, CHECKPOINT_FILE).parse().unwrap();
        let head = checkpoint.head();
        assert!(folder.facts.iter().all(|fact| fact.holds(head)));
        let evidence = Evidence::decode(file(&folder, EVIDENCE_FILE).as_bytes());
        assert_eq!(evidence, folder.evidence);
        let newer = file(&folder, RECORD_FILE).replacen("record/v1", "record/v2", 1);
        assert!(read_record(&newer).is_none() && read_facts("").is_none());
    }
}
