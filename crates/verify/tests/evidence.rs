//! Folders of evidence that the node's own key has signed and that are not true: each is named by its file.

#![allow(clippy::unwrap_used, reason = "a folder that cannot be made fails its test")]

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use call::{
    CallId, Consent, Digest, Evidence, Fact, Ground, Key, Language, LineId, Outcome, PolicyId,
    Press, Private, Prompt, PromptHeard, PromptId, Purpose, Raw, Reason, RecordingId, TenantId,
    Time, Transport, Verdict,
};
use ledger::{
    CLOCK, CONSENT_FILE, Checkpoint, EVIDENCE_FILE, Entry, EvidenceFolder, FACTS_FILE, Frontier,
    Inventory, Kept, Listed, MANIFEST_FILE, Origin, PAGE_FILE, PAGE_VERSION, ProvedFact,
    RECORD_FILE, RECORD_FORM, Record, Salt, Spoken, leaf_hash, node_hash,
};
use ring::signature::{Ed25519KeyPair, KeyPair};

const CALL: CallId = CallId::from_bytes([1; 16]);
const RECORDING: RecordingId = RecordingId::from_bytes([2; 16]);
const SOUND: &str = "prompts/nl-notice-1.wav";
const SAMPLES: u32 = 160;

struct Node(Ed25519KeyPair);

impl ledger::Signer for Node {
    fn public_key(&self) -> [u8; 32] {
        self.0.public_key().as_ref().try_into().unwrap()
    }

    fn sign(&self, message: &[u8]) -> Option<[u8; 64]> {
        self.0.sign(message).as_ref().try_into().ok()
    }
}

fn node(seed: u8) -> Node {
    Node(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap())
}

fn at(seconds: u64) -> Time {
    Time::from_micros(1_795_340_000_000_000 + seconds * 1_000_000)
}

fn sound() -> Vec<u8> {
    let mut file = vault::wav_header(0, 8_000).unwrap().to_vec();
    // One channel of 16 bits: the fields that differ from those of a recording.
    let data = SAMPLES * 2;
    file[4..8].copy_from_slice(&(36 + data).to_le_bytes());
    file[22..24].copy_from_slice(&1_u16.to_le_bytes());
    file[28..32].copy_from_slice(&16_000_u32.to_le_bytes());
    file[32..34].copy_from_slice(&2_u16.to_le_bytes());
    file[40..44].copy_from_slice(&data.to_le_bytes());
    file.extend(vec![7; data as usize]);
    file
}

/// What the node knows, and what it writes of it.
struct Story {
    evidence: Option<Evidence>,
    /// Whether the permit names the evidence that there is now, or what there was before.
    commits: bool,
    facts: Vec<Fact>,
    record: Record,
    sound: Vec<u8>,
}

impl Story {
    fn true_one() -> Self {
        let sound = sound();
        let sha256 = Listed::new(SOUND, &sound).sha256;
        let evidence = evidence(sha256);
        let facts = facts(&evidence);
        let record = record(sha256);
        Self { evidence: Some(evidence), commits: false, facts, record, sound }
    }

    fn evidence(&mut self) -> &mut Evidence {
        self.evidence.as_mut().unwrap()
    }

    /// The folder as the node would write and sign it.
    fn told(&mut self) -> EvidenceFolder {
        if let (true, Some(evidence)) = (self.commits, &self.evidence) {
            for fact in &mut self.facts {
                if let Fact::RecordingPermitted { .. } = fact {
                    *fact = permit(evidence);
                }
            }
        }
        let (mut tree, mut entries) = (Frontier::new(), Vec::new());
        for (index, fact) in (0_u64..).zip(&self.facts) {
            let (at, kind, salt) = (at(index), fact.kind(), Salt::new([5; 32]));
            entries.push(Entry { index, at, kind, salt, body: fact.encode(at) });
            tree.append(entries.last().unwrap().leaf());
        }
        let leaves: Vec<Digest> = entries.iter().map(Entry::leaf).collect();
        let paths = (0..leaves.len()).map(|place| path(&leaves, place));
        let facts = entries.iter().cloned().zip(paths);
        let facts = facts.map(|(entry, path)| ProvedFact { entry, path }).collect();
        let origin = Origin::new("jawoord").unwrap();
        let checkpoint = Checkpoint::sign(&origin, tree.head(), &node(1)).unwrap();
        let (evidence, record) = (self.evidence.clone(), self.record.clone());
        EvidenceFolder { evidence, record, facts, checkpoint }
    }
}

fn evidence(sha256: Digest) -> Evidence {
    let raw = Private::new(Raw::NONE);
    let key = Private::new(Key::new('1').unwrap());
    let heard = PromptHeard {
        prompt: Prompt::Notice,
        id: PromptId { version: 1, sha256 },
        from: at(1),
        until: at(2),
        samples: SAMPLES,
        whole: true,
    };
    Evidence {
        call: CALL,
        recording: RECORDING,
        tenant: TenantId::new("acme").unwrap(),
        line: LineId::new("sales").unwrap(),
        policy: PolicyId::new("ask").unwrap(),
        policy_version: 7,
        policy_hash: Digest::from_bytes([9; 32]),
        ground: Ground::Consent,
        purposes: [Purpose::Quality].into_iter().collect(),
        language: Language::new("nl").unwrap(),
        prompts: vec![heard],
        presses: vec![Press { key, at: at(2), transport: Transport::Inband, raw }],
        decided_at: at(2),
    }
}

fn facts(evidence: &Evidence) -> Vec<Fact> {
    vec![
        Fact::CallOpened {
            call: CALL,
            tenant: evidence.tenant.clone(),
            line: evidence.line.clone(),
            policy: evidence.policy.clone(),
            policy_version: 7,
            policy_hash: evidence.policy_hash,
        },
        Fact::ConsentDecided { call: CALL, consent: Consent::Granted },
        Fact::NodeStarted { configuration: Digest::from_bytes([4; 32]), version: "0.1.0" },
        permit(evidence),
        Fact::RecordingStored {
            recording: RECORDING,
            object: Digest::from_bytes([8; 32]),
            country: "NL".into(),
            provider: "own disk".into(),
        },
        Fact::CallEnded {
            call: CALL,
            consent: Consent::Granted,
            outcome: Outcome::Bridged,
            verdict: Verdict::Recorded,
        },
    ]
}

fn record(sha256: Digest) -> Record {
    let kept = Kept {
        customer_key: Some("ab".repeat(32)),
        agent_key: None,
        state: "stored".to_owned(),
        permitted_at: at(3).to_string(),
        retention_class: "quality-30d".to_owned(),
        delete_after: at(90).to_string(),
        held: false,
        country: "NL".to_owned(),
        provider: "own disk".to_owned(),
        duration_ms: Some(4_000),
    };
    Record {
        form: RECORD_FORM.to_owned(),
        page: PAGE_VERSION,
        exported_at: at(60).to_string(),
        exported_by: "jawoord 0.1.0".to_owned(),
        clock: CLOCK.to_owned(),
        call: CALL.to_string(),
        direction: "inbound".to_owned(),
        opened_at: at(0).to_string(),
        closed_at: Some(at(50).to_string()),
        consent: Some("granted".to_owned()),
        outcome: Some("bridged".to_owned()),
        verdict: Some("recorded".to_owned()),
        caller_call_id_key: None,
        called_call_id: None,
        session_id: None,
        controller: None,
        recording: Some(RECORDING.to_string()),
        kept: Some(kept),
        prompts: vec![Spoken {
            prompt: "notice".to_owned(),
            language: "nl".to_owned(),
            version: 1,
            sha256: sha256.to_string(),
            file: Some(SOUND.to_owned()),
            text: Some("We willen dit gesprek opnemen.".to_owned()),
        }],
    }
}

fn permit(evidence: &Evidence) -> Fact {
    Fact::RecordingPermitted {
        call: CALL,
        recording: RECORDING,
        ground: Ground::Consent,
        purposes: [Purpose::Quality].into_iter().collect(),
        evidence: Listed::new(EVIDENCE_FILE, &evidence.encode()).sha256,
    }
}

/// The path of a leaf (RFC 9162 §2.1.3.1), the slow way.
fn path(leaves: &[Digest], place: usize) -> Vec<Digest> {
    fn root(leaves: &[Digest]) -> Digest {
        match leaves {
            [] => leaf_hash(b""),
            [leaf] => *leaf,
            more => {
                let (left, right) = more.split_at(more.len().next_power_of_two() / 2);
                node_hash(root(left), root(right))
            }
        }
    }
    if leaves.len() < 2 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    let (mut below, beside) = match place.checked_sub(left.len()) {
        None => (path(left, place), root(right)),
        Some(place) => (path(right, place), root(left)),
    };
    below.push(beside);
    below
}

/// A file that is to say something else, or to be missing.
type Other = (&'static str, Option<String>);

/// A place for folders.
struct Desk(PathBuf);

impl Drop for Desk {
    fn drop(&mut self) {
        let _gone_anyway = fs::remove_dir_all(&self.0);
    }
}

impl Desk {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("jawoord-evidence-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Writes and signs a folder, and says what the program says of it.
    fn verify(&self, told: &EvidenceFolder, sound: &[u8], other: Option<Other>) -> (u8, String) {
        let folder = self.0.join("folder");
        let _none_before = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("prompts")).unwrap();
        let mut files: Vec<(&str, Vec<u8>)> = told.files().unwrap();
        files.push((SOUND, sound.to_vec()));
        if let Some((name, text)) = other {
            files.retain(|(taken, _)| *taken != name);
            files.extend(text.map(|text| (name, text.into_bytes())));
        }
        for (name, bytes) in &files {
            fs::write(folder.join(*name), bytes).unwrap();
        }
        let listed = files.iter().map(|(name, bytes)| Listed::new(name, bytes)).collect();
        let inventory = Inventory::sign(listed, &node(1)).unwrap();
        fs::write(folder.join(MANIFEST_FILE), inventory.text()).unwrap();
        self.run(&folder, 1)
    }

    fn run(&self, folder: &Path, key: u8) -> (u8, String) {
        let trust = self.0.join("trust");
        let key = Digest::from_bytes(ledger::Signer::public_key(&node(key)));
        fs::write(&trust, format!("jawoord-ed25519 {key}\n")).unwrap();
        let words = ["--trust".into(), trust.into_os_string(), "evidence".into(), folder.into()];
        let (mut out, mut told) = (Vec::new(), Vec::new());
        let exit = verify::run(words.map(OsString::from), &mut out, &mut told);
        (exit.code(), String::from_utf8([out, told].concat()).unwrap())
    }

    /// What is not true of a folder is named once, with its file and what it is, and nothing else is.
    #[track_caller]
    fn finds(&self, mut story: Story, file: &str, what: &str) {
        let told = story.told();
        let (code, said) = self.verify(&told, &story.sound, None);
        let found: Vec<_> = said.lines().take_while(|line| !line.starts_with("files: ")).collect();
        let right = found.first().is_some_and(|line| line.starts_with(&format!("{file}: {what}")));
        assert!(code == 1 && found.len() == 1 && right, "{file}: {what}:\n{said}");
    }
}

/// A change of a story, and what it is called.
type Lie = (fn(&mut Story), &'static str, &'static str);

#[test]
fn l_07_a_true_folder_is_proved_by_its_nodes_key_and_by_no_other() {
    let desk = Desk::new("true");
    let mut story = Story::true_one();
    let told = story.told();
    let (code, said) = desk.verify(&told, &story.sound, None);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("prompts: 1 named, 0 not here\nverdict: proved\n"), "{said}");
    let (code, said) = desk.run(&desk.0.join("folder"), 2);
    assert!(code == 1 && said.starts_with("manifest.txt: it is signed by another key"), "{said}");
}

#[test]
fn l_07_what_the_node_signs_and_its_tree_does_not_say_is_named() {
    let desk = Desk::new("lies");
    let disagrees = "is not the one in the audit tree";
    let lies: &[Lie] = &[
        (|it| it.evidence().ground = Ground::Contract, EVIDENCE_FILE, "its legal ground"),
        (
            |it| it.evidence().purposes = Purpose::ALL.iter().copied().collect(),
            EVIDENCE_FILE,
            "its purposes",
        ),
        (|it| it.evidence().call = CallId::from_bytes([7; 16]), EVIDENCE_FILE, "its call"),
        (
            |it| it.evidence().recording = RecordingId::from_bytes([7; 16]),
            EVIDENCE_FILE,
            "its recording",
        ),
        (|it| it.evidence().tenant = TenantId::new("other").unwrap(), EVIDENCE_FILE, "its tenant"),
        (|it| it.evidence().line = LineId::new("other").unwrap(), EVIDENCE_FILE, "its line"),
        (|it| it.evidence().policy = PolicyId::new("other").unwrap(), EVIDENCE_FILE, "its policy"),
        (|it| it.evidence().policy_version = 8, EVIDENCE_FILE, "its policy version"),
        (
            |it| it.evidence().policy_hash = Digest::from_bytes([1; 32]),
            EVIDENCE_FILE,
            "its policy hash",
        ),
        (|it| it.record.consent = Some("refused".to_owned()), RECORD_FILE, "its consent"),
        (|it| it.record.outcome = Some("busy".to_owned()), RECORD_FILE, "its outcome"),
        (|it| it.record.verdict = Some("refused".to_owned()), RECORD_FILE, "its verdict"),
        (|it| it.record.clock = "GPS".to_owned(), RECORD_FILE, "its clock"),
        (
            |it| it.record.kept.as_mut().unwrap().country = "US".to_owned(),
            RECORD_FILE,
            "its country",
        ),
        (|it| it.record.prompts.clear(), RECORD_FILE, "its list of prompts"),
    ];
    for (lie, file, what) in lies {
        let mut story = Story::true_one();
        story.commits = true;
        lie(&mut story);
        desk.finds(story, file, &format!("{what} {disagrees}"));
    }
}

#[test]
fn l_07_evidence_that_the_permit_does_not_name_is_no_evidence() {
    let desk = Desk::new("permit");
    let permit = "it and the permit in the audit tree do not belong together";
    let mut pressed = Story::true_one();
    pressed.evidence().presses.clear();
    desk.finds(pressed, EVIDENCE_FILE, permit);
    let mut late = Story::true_one();
    late.commits = true;
    late.evidence().decided_at = at(1_000);
    desk.finds(late, EVIDENCE_FILE, permit);
    let mut never = Story::true_one();
    never.facts.remove(3);
    desk.finds(never, EVIDENCE_FILE, permit);
    let mut hidden = Story::true_one();
    hidden.evidence = None;
    desk.finds(hidden, EVIDENCE_FILE, permit);
    let mut silent = Story::true_one();
    (silent.evidence, silent.record.recording, silent.record.kept) = (None, None, None);
    silent.facts.truncate(2);
    let told = silent.told();
    let (code, said) = desk.verify(&told, &silent.sound, None);
    assert!(code == 0 && said.contains("evidence: none, for nothing was allowed"), "{said}");
}

#[test]
fn l_07_evidence_is_missing_rightly_where_the_tree_says_that_the_recording_is_deleted() {
    let desk = Desk::new("deleted");
    let mut story = Story::true_one();
    let (recording, reason) = (RECORDING, Reason::Withdrawal);
    let manifest = Digest::from_bytes([0; 32]);
    story.facts.push(Fact::RecordingDeleted { recording, reason, manifest });
    (story.evidence, story.record.kept) = (None, None);
    let told = story.told();
    let (code, said) = desk.verify(&told, &story.sound, None);
    assert!(code == 0 && said.contains("evidence: erased with the recording at"), "{said}");
    assert!(told.page().contains("toestemming ingetrokken"));
    let mut kept = Story::true_one();
    kept.facts.push(Fact::RecordingDeleted { recording, reason, manifest });
    desk.finds(kept, RECORD_FILE, "its retention is not the one in the audit tree");
}

#[test]
fn l_07_a_sound_of_another_hash_or_length_is_not_what_was_heard() {
    let desk = Desk::new("sound");
    let mut other = Story::true_one();
    *other.sound.last_mut().unwrap() ^= 1;
    desk.finds(other, SOUND, "it is not the sound that the evidence names");
    for (samples, whole) in [(SAMPLES - 1, true), (SAMPLES + 1, true), (SAMPLES + 1, false)] {
        let mut longer = Story::true_one();
        longer.commits = true;
        let heard = &mut longer.evidence().prompts[0];
        (heard.samples, heard.whole) = (samples, whole);
        desk.finds(longer, EVIDENCE_FILE, "it does not have the length of a prompt's sound");
    }
    let mut part = Story::true_one();
    part.commits = true;
    (part.evidence().prompts[0].samples, part.evidence().prompts[0].whole) = (8, false);
    let told = part.told();
    assert_eq!(desk.verify(&told, &part.sound, None).0, 0);
}

#[test]
fn l_07_a_fact_that_the_tree_does_not_hold_or_that_is_about_another_call_is_named() {
    let desk = Desk::new("facts");
    let mut story = Story::true_one();
    let mut told = story.told();
    told.facts[1].path.swap(0, 1);
    let (code, said) = desk.verify(&told, &story.sound, None);
    assert!(code == 1 && said.starts_with("facts.jsonl: fact 1 does not stand"), "{said}");
    let mut told = story.told();
    told.facts.swap(1, 2);
    let (code, said) = desk.verify(&told, &story.sound, None);
    assert!(code == 1 && said.starts_with("facts.jsonl: fact 1 is not in its place"), "{said}");
    let mut foreign = Story::true_one();
    let call = CallId::from_bytes([7; 16]);
    foreign.facts[1] = Fact::ConsentDecided { call, consent: Consent::Granted };
    desk.finds(foreign, FACTS_FILE, "fact 1 is not in its place");
    let mut foreign = Story::true_one();
    let recording = RecordingId::from_bytes([7; 16]);
    foreign.facts.push(Fact::Unrecoverable { recording });
    desk.finds(foreign, FACTS_FILE, "fact 6 is not in its place");
}

#[test]
fn l_07_a_page_that_says_something_else_than_the_data_is_named_even_when_the_node_signs_it() {
    let desk = Desk::new("page");
    let mut story = Story::true_one();
    let told = story.told();
    let page = told.page().replacen("Toestemming", "Toestemming, met graagte", 1);
    let (code, said) = desk.verify(&told, &story.sound, Some((PAGE_FILE, Some(page))));
    assert!(code == 1 && said.starts_with("index.html: it does not say what the other"), "{said}");
    let mut newer = Story::true_one();
    newer.record.page = PAGE_VERSION + 1;
    let told = newer.told();
    let (code, said) = desk.verify(&told, &newer.sound, None);
    let found: Vec<_> = said.lines().take_while(|line| !line.starts_with("files: ")).collect();
    let other =
        [PAGE_FILE, CONSENT_FILE].map(|name| format!("{name}: it does not say what the other"));
    let named = found.iter().zip(&other).all(|(line, other)| line.starts_with(other));
    assert!(code == 1 && found.len() == 2 && named, "{said}");
}

#[test]
fn l_07_a_consent_record_that_says_something_else_than_the_evidence_is_named_even_when_it_is_signed()
 {
    let desk = Desk::new("consent");
    let mut story = Story::true_one();
    let told = story.told();
    let consent = told.consent().expect("a record");
    for (from, to) in [
        ("dpv:ConsentGiven", "dpv:ConsentRefused"),
        ("eu-gdpr:A6-1-a", "eu-gdpr:A6-1-f"),
        ("dpv:ServiceOptimisation", "dpv:PersonnelManagement"),
        ("loc:NL", "loc:US"),
    ] {
        let other = consent.replacen(from, to, 1);
        assert_ne!(other, consent, "{from}");
        let (code, said) = desk.verify(&told, &story.sound, Some((CONSENT_FILE, Some(other))));
        let named = said.starts_with("consent.jsonld: it does not say what the other files say");
        assert!(code == 1 && named, "{from}: {said}");
    }
    let (code, said) = desk.verify(&told, &story.sound, Some((CONSENT_FILE, None)));
    assert!(code == 1 && said.starts_with("consent.jsonld: it is not here"), "{said}");
    let mut silent = Story::true_one();
    (silent.evidence, silent.record.recording, silent.record.kept) = (None, None, None);
    silent.facts.truncate(1);
    let told = silent.told();
    assert_eq!(told.consent(), None);
    let (code, said) = desk.verify(&told, &silent.sound, Some((CONSENT_FILE, Some(consent))));
    assert!(code == 1 && said.starts_with("consent.jsonld: it does not say"), "{said}");
}
