//! A folder as it is written: its files, and the page among them.

use std::io;

use super::{
    folder::{CHECKPOINT_FILE, EVIDENCE_FILE, EvidenceFolder, FACTS_FILE, PAGE_FILE, RECORD_FILE},
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
        Ok(files)
    }

    /// The page that is made of it.
    #[must_use]
    pub fn page(&self) -> String {
        page(self)
    }
}

#[cfg(test)]
mod tests {
    use call::{
        AgentId, AgentSource, CallId, Consent, Digest, Evidence, Fact, Ground, Hand, Key, Language,
        LineId, Outcome, PolicyId, Press, Private, Prompt, PromptHeard, PromptId, Purpose, Raw,
        RecordingId, TenantId, Time, Transport, Verdict,
    };

    use super::*;
    use crate::{
        CLOCK, Checkpoint, Entry, Frontier, Origin, PAGE_VERSION, ProvedFact, RECORD_FORM, Record,
        Salt, Spoken, audit::checkpoint::tests::TestKey, read_facts, read_record,
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
