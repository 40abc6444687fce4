//! An export as a node writes it: real objects, a trail that tells of them, and its checkpoints.

#![allow(clippy::unwrap_used, reason = "a bench that breaks fails its test")]

use std::{ffi::OsString, fs, path::PathBuf};

use call::{Digest, Fact, Reason, RecordingId, Time};
use ledger::{Checkpoint, Entry, Frontier, Origin, Salt, checkpoint_line, entry_line};
use vault::{Codec, KeyFile, Sealed, Signer};
use verify::{Exit, run};

use crate::support::{Bench, tags};

pub(crate) const FIRST: RecordingId = RecordingId::from_bytes([0x11; 16]);
pub(crate) const SECOND: RecordingId = RecordingId::from_bytes([0x22; 16]);
pub(crate) const GONE: RecordingId = RecordingId::from_bytes([0x33; 16]);

struct Notary<'a>(&'a KeyFile);

impl ledger::Signer for Notary<'_> {
    fn public_key(&self) -> [u8; 32] {
        *self.0.public_key().as_bytes()
    }

    fn sign(&self, message: &[u8]) -> Option<[u8; 64]> {
        Some(self.0.sign(message))
    }
}

/// What the program said.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) exit: Exit,
    pub(crate) out: String,
    pub(crate) told: String,
}

impl Answer {
    pub(crate) fn verdict(&self) -> &str {
        self.out.lines().find_map(|line| line.strip_prefix("verdict: ")).unwrap()
    }

    /// The lines before the summary.
    pub(crate) fn findings(&self) -> Vec<&str> {
        self.out.lines().take_while(|line| !line.starts_with("entries: ")).collect()
    }

    /// Whether exactly these things were found, in this order. Each says what to do as well.
    #[track_caller]
    pub(crate) fn names(&self, what_happened: &[String]) {
        let found = self.findings();
        assert_eq!(found.len(), what_happened.len(), "{self:#?}");
        for (line, what) in found.iter().zip(what_happened) {
            let advice = line.strip_prefix(what.as_str()).and_then(|rest| rest.strip_prefix(". "));
            assert!(advice.is_some_and(|advice| advice.len() > 20), "{line}\nis not {what}");
        }
        assert_eq!((self.exit, self.verdict()), (Exit::NotProved, "not proved"));
    }
}

/// A node with two recordings, a third one that was deleted, and the export of them.
pub(crate) struct Export {
    pub(crate) bench: Bench,
    pub(crate) facts: Vec<Fact>,
}

impl Export {
    /// Everything as it should be.
    pub(crate) fn sound() -> Self {
        let mut export = Self { bench: Bench::new(), facts: Vec::new() };
        export.facts.push(Fact::NodeStarted {
            configuration: Digest::from_bytes([8; 32]),
            version: "0.1.0",
        });
        for recording in [FIRST, SECOND] {
            let sealed = export.record(recording, 8_000 + 800);
            export.tell(recording, &sealed);
            export.put(recording, &export.object(recording));
        }
        let sealed = export.record(GONE, 800);
        export.tell(GONE, &sealed);
        let (recording, reason, manifest) = (GONE, Reason::Retention, sealed.manifest_hash);
        export.facts.push(Fact::DeletionIntended { recording, reason });
        export.facts.push(Fact::RecordingDeleted { recording, reason, manifest });
        export.write();
        export
    }

    pub(crate) fn record(&mut self, recording: RecordingId, samples: u64) -> Sealed {
        self.bench.record(recording, [Codec::Pcma; 2], samples);
        self.bench.store(recording).0
    }

    /// The bytes of an object in the node's store.
    pub(crate) fn object(&self, recording: RecordingId) -> Vec<u8> {
        fs::read(self.bench.store.path(recording)).unwrap()
    }

    /// Permit, seal and storage of a recording.
    pub(crate) fn tell(&mut self, recording: RecordingId, sealed: &Sealed) {
        let tags = tags(recording);
        self.facts.push(Fact::RecordingPermitted {
            call: tags.call,
            recording,
            ground: tags.ground,
            purposes: tags.purposes,
            evidence: tags.evidence,
        });
        let (manifest, seconds, missing_ms) = (sealed.manifest_hash, sealed.seconds, 0);
        self.facts.push(Fact::RecordingSealed { recording, manifest, seconds, missing_ms });
        let (object, country, provider) = (sealed.object, "NL".into(), "own disk".into());
        self.facts.push(Fact::RecordingStored { recording, object, country, provider });
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.bench.folder.join("export")
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    pub(crate) fn place(&self, recording: RecordingId) -> PathBuf {
        self.folder().join(format!("recordings/{recording}.jwr"))
    }

    pub(crate) fn put(&self, recording: RecordingId, object: &[u8]) {
        fs::create_dir_all(self.file("recordings")).unwrap();
        fs::write(self.place(recording), object).unwrap();
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        let moment = |index| Time::from_micros(1_795_340_000_000_000 + index * 1_000_000);
        let numbered = (0_u64..).zip(&self.facts);
        let entry = |(index, fact): (u64, &Fact)| Entry {
            index,
            at: moment(index),
            kind: fact.kind(),
            salt: Salt::new([u8::try_from(index).unwrap(); 32]),
            body: fact.encode(moment(index)),
        };
        numbered.map(entry).collect()
    }

    /// Writes the trail, signed after every fifth entry and at the end.
    pub(crate) fn write(&self) {
        let origin = Origin::new("node1.example.nl/jawoord").unwrap();
        let (mut tree, mut entries, mut notes) = (Frontier::new(), String::new(), String::new());
        for entry in self.entries() {
            entries += &(entry_line(&entry).unwrap() + "\n");
            tree.append(entry.leaf());
            if tree.size().is_multiple_of(5) || tree.size() == self.facts.len() as u64 {
                let signed = Checkpoint::sign(&origin, tree.head(), &Notary(&self.bench.keys));
                notes += &(checkpoint_line(&signed.unwrap()).unwrap() + "\n");
            }
        }
        fs::create_dir_all(self.folder()).unwrap();
        fs::write(self.file("entries.jsonl"), entries).unwrap();
        fs::write(self.file("checkpoints.jsonl"), notes).unwrap();
    }

    /// Writes the lines of a file anew.
    pub(crate) fn edit(&self, name: &str, edit: impl FnOnce(&mut Vec<String>)) {
        let text = fs::read_to_string(self.file(name)).unwrap();
        let mut lines: Vec<_> = text.lines().map(|line| line.to_owned() + "\n").collect();
        edit(&mut lines);
        fs::write(self.file(name), lines.concat()).unwrap();
    }

    /// A trust file of the keys of these nodes.
    pub(crate) fn trust_file(&self, nodes: &[&Bench]) -> PathBuf {
        let path = self.bench.folder.join("trust");
        let lines = nodes.iter().map(|node| node.keys.public_key().trust_file());
        fs::write(&path, lines.collect::<String>()).unwrap();
        path
    }

    /// Runs the program with these words and the folder.
    pub(crate) fn run(&self, words: &[&str]) -> Answer {
        let folder = self.folder().into_os_string();
        let words = words.iter().map(OsString::from).chain([folder]);
        let (mut out, mut told) = (Vec::new(), Vec::new());
        let exit = run(words, &mut out, &mut told);
        let [out, told] = [out, told].map(|bytes| String::from_utf8(bytes).unwrap());
        Answer { exit, out, told }
    }

    /// Verifies with this node's own key.
    pub(crate) fn verify(&self) -> Answer {
        let trust = self.trust_file(&[&self.bench]);
        self.run(&["--trust", trust.to_str().unwrap()])
    }
}

/// The line about a recording, up to its advice.
pub(crate) fn of(recording: RecordingId, what: &str) -> String {
    format!("recording {recording}: {what}")
}

/// The line about the trail, up to its advice.
pub(crate) fn trail(what: &str) -> String {
    format!("trail: {what}")
}
