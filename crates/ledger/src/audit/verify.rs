//! The auditor: recomputes a trail from its first entry and names every damage it meets.

use std::fmt;

use call::Digest;

use super::{
    checkpoint::{Checkpoint, Signature},
    entry::Entry,
    tree::{Frontier, Node, TreeHead},
};

/// How many findings a report lists; the rest are counted.
const FINDINGS_MAX: usize = 1_000;

/// Which copy of a checkpoint is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// One of those stored or exported with the entries.
    Stored,
    /// The last one, kept outside the database.
    Outside,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stored => "a stored checkpoint",
            Self::Outside => "the checkpoint kept outside the database",
        })
    }
}

/// One damage, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Salt, body, kind or time of an entry is not what its leaf commits to.
    EntryAltered(u64),
    /// An entry cannot be read at all.
    EntryUnreadable(u64),
    /// Entries `from..to` are not there.
    EntriesMissing {
        /// The first missing.
        from: u64,
        /// The first that is there again.
        to: u64,
    },
    /// An entry stands where a later one should.
    EntryMisplaced(u64),
    /// A stored inner node is not the hash of what lies under it.
    NodeDiffers(Node),
    /// A stored inner node is not there.
    NodeMissing(Node),
    /// A stored inner node that no tree has.
    NodeSurplus(Node),
    /// A checkpoint cannot be read.
    CheckpointUnreadable(Source),
    /// A checkpoint of another tree.
    CheckpointForeign(Source),
    /// A checkpoint names the trusted key and is not signed by it.
    SignatureBad {
        /// Which copy.
        source: Source,
        /// Its tree size.
        size: u64,
    },
    /// A checkpoint is signed by another key than the trusted one.
    SignerOther {
        /// Which copy.
        source: Source,
        /// Its tree size.
        size: u64,
    },
    /// The tree of this size has another root than its checkpoint.
    RootDiffers {
        /// Which copy.
        source: Source,
        /// Its tree size.
        size: u64,
    },
    /// The tree ends before a checkpoint: it was rolled back or cut.
    TreeShorter {
        /// Entries in the tree.
        tree: u64,
        /// Entries in the checkpoint.
        checkpoint: u64,
    },
    /// Entries from this one on are under no checkpoint.
    Unsigned(u64),
    /// There is no checkpoint at all.
    CheckpointMissing(Source),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EntryAltered(index) => write!(f, "entry {index} is altered"),
            Self::EntryUnreadable(index) => write!(f, "entry {index} cannot be read"),
            Self::EntriesMissing { from, to } if to - from == 1 => {
                write!(f, "entry {from} is missing")
            }
            Self::EntriesMissing { from, to } => {
                write!(f, "entries {from} to {} are missing", to - 1)
            }
            Self::EntryMisplaced(index) => write!(f, "entry {index} stands out of its place"),
            Self::NodeDiffers(node) => {
                write!(f, "node {} of level {} differs", node.position, node.level)
            }
            Self::NodeMissing(node) => {
                write!(f, "node {} of level {} is missing", node.position, node.level)
            }
            Self::NodeSurplus(node) => {
                write!(f, "node {} of level {} belongs to no tree", node.position, node.level)
            }
            Self::CheckpointUnreadable(source) => write!(f, "{source} cannot be read"),
            Self::CheckpointForeign(source) => write!(f, "{source} belongs to another tree"),
            Self::SignatureBad { source, size } => {
                write!(f, "{source} at size {size} has a bad signature")
            }
            Self::SignerOther { source, size } => {
                write!(f, "{source} at size {size} is signed by another key")
            }
            Self::RootDiffers { source, size } => {
                write!(f, "the tree differs from {source} at size {size}")
            }
            Self::TreeShorter { tree, checkpoint } => {
                write!(f, "the tree has {tree} entries, a checkpoint {checkpoint}: it was cut")
            }
            Self::Unsigned(index) => write!(f, "no checkpoint covers entry {index} and later ones"),
            Self::CheckpointMissing(source) => write!(f, "{source} is missing"),
        }
    }
}

/// Whether the signer is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignerKnown {
    /// Every checkpoint was held against the key that the auditor brought along.
    Trusted,
    /// No key was brought: consistency says nothing about who wrote the trail.
    Unknown,
}

/// What an audit found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditReport {
    /// Size and root as recomputed.
    pub head: TreeHead,
    /// How many checkpoints were compared.
    pub checkpoints: u64,
    /// Whether a trusted key was given.
    pub signer: SignerKnown,
    /// Each damage, at most 1,000.
    pub findings: Vec<Finding>,
    /// How many more there are.
    pub more_findings: u64,
}

impl AuditReport {
    /// Whether nothing is damaged.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        self.findings.is_empty()
    }

    /// Whether nothing is damaged and the trusted key signed it.
    #[must_use]
    pub fn is_proved(&self) -> bool {
        self.is_consistent() && self.signer == SignerKnown::Trusted
    }
}

/// Recomputes a trail. Checkpoints go in first, then every entry in order, then [`Self::finish`].
#[derive(Debug)]
pub struct Auditor {
    trusted: Option<[u8; 32]>,
    checkpoints: Vec<(Source, Checkpoint)>,
    next_checkpoint: usize,
    tree: Frontier,
    expected: u64,
    /// Once an entry is missing, later nodes and roots cannot be recomputed and are not compared.
    broken: bool,
    findings: Vec<Finding>,
    more_findings: u64,
}

impl Auditor {
    /// An auditor who trusts this Ed25519 public key; `None` checks consistency only.
    #[must_use]
    pub const fn new(trusted: Option<[u8; 32]>) -> Self {
        Self {
            trusted,
            checkpoints: Vec::new(),
            next_checkpoint: 0,
            tree: Frontier::new(),
            expected: 0,
            broken: false,
            findings: Vec::new(),
            more_findings: 0,
        }
    }

    /// Names a damage.
    pub fn find(&mut self, finding: Finding) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        } else {
            self.more_findings += 1;
        }
    }

    /// Takes a checkpoint as its signed note. All of them come before the first entry.
    pub fn checkpoint(&mut self, source: Source, note: &str) {
        let Ok(checkpoint) = note.parse::<Checkpoint>() else {
            return self.find(Finding::CheckpointUnreadable(source));
        };
        let size = checkpoint.head().size;
        let foreign = |(_, first): &(Source, Checkpoint)| first.origin() != checkpoint.origin();
        if self.checkpoints.first().is_some_and(foreign) {
            return self.find(Finding::CheckpointForeign(source));
        }
        match self.trusted.map(|key| checkpoint.check(&key)) {
            None | Some(Signature::Good) => {}
            Some(Signature::OtherKey) => return self.find(Finding::SignerOther { source, size }),
            Some(Signature::Bad) => return self.find(Finding::SignatureBad { source, size }),
        }
        let place = self.checkpoints.partition_point(|(_, other)| other.head().size <= size);
        self.checkpoints.insert(place, (source, checkpoint));
    }

    /// Takes the next entry. `leaf` and `nodes` are the stored hashes where there are any: the
    /// entry's own leaf hash, and the inner nodes that it completes, lowest first.
    pub fn entry(&mut self, entry: &Entry, leaf: Option<Digest>, nodes: Option<&[(Node, Digest)]>) {
        if entry.index < self.expected {
            self.broken = true;
            return self.find(Finding::EntryMisplaced(entry.index));
        }
        if entry.index > self.expected {
            self.missing(entry.index);
        }
        self.expected = entry.index.saturating_add(1);
        let computed = entry.leaf();
        if !entry.agrees_with_its_body() || leaf.is_some_and(|stored| stored != computed) {
            self.find(Finding::EntryAltered(entry.index));
        }
        if self.broken {
            return;
        }
        self.compare_roots();
        let completed = self.tree.append(computed);
        if let Some(stored) = nodes {
            self.compare_nodes(&completed, stored);
        }
    }

    /// Takes note that the next entry is there and cannot be read.
    pub fn unreadable(&mut self) {
        self.find(Finding::EntryUnreadable(self.expected));
        self.expected = self.expected.saturating_add(1);
        self.broken = true;
    }

    /// The end of the trail.
    #[must_use]
    pub fn finish(mut self) -> AuditReport {
        if !self.broken {
            self.compare_roots();
        }
        let tree = self.expected;
        match self.checkpoints.last().map(|(_, last)| last.head().size) {
            None => self.find(Finding::CheckpointMissing(Source::Stored)),
            Some(checkpoint) if checkpoint > tree => {
                self.find(Finding::TreeShorter { tree, checkpoint });
            }
            Some(checkpoint) if checkpoint < tree => self.find(Finding::Unsigned(checkpoint)),
            Some(_) => {}
        }
        let signer =
            if self.trusted.is_some() { SignerKnown::Trusted } else { SignerKnown::Unknown };
        AuditReport {
            head: self.tree.head(),
            checkpoints: self.checkpoints.len() as u64,
            signer,
            findings: self.findings,
            more_findings: self.more_findings,
        }
    }

    fn missing(&mut self, found: u64) {
        self.find(Finding::EntriesMissing { from: self.expected, to: found });
        self.broken = true;
    }

    /// Holds the tree as it is now against every checkpoint of its size.
    fn compare_roots(&mut self) {
        while let Some((source, checkpoint)) = self.checkpoints.get(self.next_checkpoint) {
            let (source, head) = (*source, checkpoint.head());
            if head.size > self.tree.size() {
                return;
            }
            self.next_checkpoint += 1;
            if head != self.tree.head() {
                self.find(Finding::RootDiffers { source, size: head.size });
            }
        }
    }

    fn compare_nodes(&mut self, completed: &[(Node, Digest)], stored: &[(Node, Digest)]) {
        for (node, hash) in completed {
            match stored.iter().find(|(other, _)| other == node) {
                None => self.find(Finding::NodeMissing(*node)),
                Some((_, other)) if other != hash => self.find(Finding::NodeDiffers(*node)),
                Some(_) => {}
            }
        }
        for (node, _) in stored {
            if !completed.iter().any(|(other, _)| other == node) {
                self.find(Finding::NodeSurplus(*node));
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use call::{Fact, RecordingId, Time};

    use super::*;
    use crate::audit::{
        checkpoint::{Origin, Signer, tests::TestKey},
        entry::Salt,
    };

    /// An entry with the hashes that a database stores beside it.
    type Stored = (Entry, Digest, Vec<(Node, Digest)>);

    /// A trail as a database would hold it.
    #[derive(Clone)]
    pub(crate) struct Trail {
        pub(crate) entries: Vec<Stored>,
        pub(crate) notes: Vec<String>,
    }

    pub(crate) fn origin() -> Origin {
        Origin::new("node1.example.nl/jawoord").unwrap()
    }

    pub(crate) fn trusted() -> [u8; 32] {
        TestKey::new(1).public_key()
    }

    /// `size` entries, with a checkpoint after each of `at`.
    pub(crate) fn trail(size: u64, at: &[u64]) -> Trail {
        let (mut tree, mut trail) =
            (Frontier::new(), Trail { entries: Vec::new(), notes: Vec::new() });
        for index in 0..=size {
            if at.contains(&index) {
                let signed = Checkpoint::sign(&origin(), tree.head(), &TestKey::new(1)).unwrap();
                trail.notes.push(signed.note().to_owned());
            }
            let id = u8::try_from(index % 250).unwrap();
            let fact = Fact::Unrecoverable { recording: RecordingId::from_bytes([id; 16]) };
            let (at, salt) = (Time::from_micros(index), Salt::new([id; 32]));
            let entry = Entry { index, at, kind: fact.kind(), salt, body: fact.encode(at) };
            if index < size {
                let leaf = entry.leaf();
                trail.entries.push((entry, leaf, tree.append(leaf)));
            }
        }
        trail
    }

    pub(crate) fn audit(trail: &Trail, trusted: Option<[u8; 32]>) -> AuditReport {
        let mut auditor = Auditor::new(trusted);
        for note in &trail.notes {
            auditor.checkpoint(Source::Stored, note);
        }
        for (entry, leaf, nodes) in &trail.entries {
            auditor.entry(entry, Some(*leaf), Some(nodes));
        }
        auditor.finish()
    }

    fn findings(trail: &Trail) -> Vec<Finding> {
        audit(trail, Some(trusted())).findings
    }

    #[test]
    fn a_sound_trail_is_proved_with_the_key_and_only_consistent_without() {
        let trail = trail(21, &[0, 8, 21]);
        let report = audit(&trail, Some(trusted()));
        assert!(report.is_proved(), "{report:?}");
        assert_eq!((report.head.size, report.checkpoints), (21, 3));
        let report = audit(&trail, None);
        assert!(report.is_consistent() && !report.is_proved());
        assert_eq!(report.signer, SignerKnown::Unknown);
        let other = audit(&trail, Some(TestKey::new(2).public_key()));
        let source = Source::Stored;
        assert_eq!(other.findings[0], Finding::SignerOther { source, size: 0 });
        assert!(!other.is_proved());
    }

    #[test]
    fn every_flipped_bit_of_an_entry_is_named_with_its_index() {
        let sound = trail(3, &[3]);
        for place in 0..3 {
            let body_bits = sound.entries[place].0.body.len() * 8;
            for bit in 0..body_bits + 512 {
                let mut damaged = sound.clone();
                let (entry, leaf, _) = &mut damaged.entries[place];
                let flip = 1 << (bit % 8);
                if bit < body_bits {
                    entry.body[bit / 8] ^= flip;
                } else if bit < body_bits + 256 {
                    let mut salt = *entry.salt.as_bytes();
                    salt[(bit - body_bits) / 8] ^= flip;
                    entry.salt = Salt::new(salt);
                } else {
                    let mut hash = *leaf.as_bytes();
                    hash[(bit - body_bits - 256) / 8] ^= flip;
                    *leaf = Digest::from_bytes(hash);
                }
                let found = findings(&damaged);
                assert_eq!(found.first(), Some(&Finding::EntryAltered(place as u64)), "bit {bit}");
            }
        }
    }

    #[test]
    fn an_entry_changed_together_with_its_leaf_is_caught_by_the_nodes_and_the_root() {
        let mut damaged = trail(9, &[9]);
        let (entry, leaf, _) = &mut damaged.entries[4];
        entry.salt = Salt::new([99; 32]);
        *leaf = entry.leaf();
        let found = findings(&damaged);
        assert!(found.contains(&Finding::NodeDiffers(Node { level: 1, position: 2 })), "{found:?}");
        let source = Source::Stored;
        assert!(found.contains(&Finding::RootDiffers { source, size: 9 }), "{found:?}");
    }

    #[test]
    fn kind_and_time_beside_the_body_are_held_against_it() {
        let mut damaged = trail(3, &[3]);
        damaged.entries[1].0.at = Time::from_micros(77);
        damaged.entries[2].0.kind = call::FactKind::Erased;
        assert_eq!(findings(&damaged), [Finding::EntryAltered(1), Finding::EntryAltered(2)]);
    }

    #[test]
    fn every_flipped_bit_of_a_node_is_named_with_its_place() {
        let sound = trail(16, &[16]);
        for place in 0..16 {
            for number in 0..sound.entries[place].2.len() {
                for bit in 0..256 {
                    let mut damaged = sound.clone();
                    let (node, hash) = &mut damaged.entries[place].2[number];
                    let mut bytes = *hash.as_bytes();
                    bytes[bit / 8] ^= 1 << (bit % 8);
                    *hash = Digest::from_bytes(bytes);
                    let node = *node;
                    assert_eq!(findings(&damaged), [Finding::NodeDiffers(node)]);
                }
                let mut damaged = sound.clone();
                let (node, hash) = damaged.entries[place].2.remove(number);
                assert_eq!(findings(&damaged), [Finding::NodeMissing(node)]);
                let far = Node { level: 40, position: 0 };
                damaged.entries[place].2.extend([(node, hash), (far, hash)]);
                assert_eq!(findings(&damaged), [Finding::NodeSurplus(far)]);
            }
        }
    }

    #[test]
    fn missing_moved_and_added_entries_are_named() {
        let sound = trail(8, &[4, 8]);
        let mut cut = sound.clone();
        cut.entries.truncate(6);
        assert_eq!(findings(&cut), [Finding::TreeShorter { tree: 6, checkpoint: 8 }]);
        let mut hole = sound.clone();
        hole.entries.drain(2..4);
        assert_eq!(findings(&hole), [Finding::EntriesMissing { from: 2, to: 4 }]);
        let mut first = sound.clone();
        first.entries.remove(0);
        assert_eq!(findings(&first), [Finding::EntriesMissing { from: 0, to: 1 }]);
        let mut swapped = sound.clone();
        swapped.entries.swap(2, 3);
        let found = findings(&swapped);
        assert_eq!(found[0], Finding::EntriesMissing { from: 2, to: 3 });
        assert!(found.contains(&Finding::EntryMisplaced(2)));
        let mut longer = trail(9, &[4, 8]);
        assert_eq!(findings(&longer), [Finding::Unsigned(8)]);
        longer.notes.clear();
        assert_eq!(findings(&longer), [Finding::CheckpointMissing(Source::Stored)]);
    }

    #[test]
    fn checkpoints_that_are_forged_foreign_or_garbled_are_named() {
        let source = Source::Stored;
        let mut other = trail(8, &[8]);
        let head = TreeHead { size: 4, root: crate::audit::tree::leaf_hash(b"fork") };
        let fork = Checkpoint::sign(&origin(), head, &TestKey::new(1)).unwrap();
        other.notes.push(fork.note().to_owned());
        assert_eq!(findings(&other), [Finding::RootDiffers { source, size: 4 }]);
        let mut foreign = trail(8, &[8]);
        let elsewhere = Origin::new("elsewhere").unwrap();
        let sound = audit(&foreign, None).head;
        let signed = Checkpoint::sign(&elsewhere, sound, &TestKey::new(1)).unwrap();
        foreign.notes.push(signed.note().to_owned());
        assert_eq!(findings(&foreign), [Finding::CheckpointForeign(source)]);
        let mut forged = trail(8, &[8]);
        forged.notes[0] = forged.notes[0].replacen("\n8\n", "\n7\n", 1);
        assert_eq!(findings(&forged)[0], Finding::SignatureBad { source, size: 7 });
        let mut garbled = trail(8, &[8]);
        garbled.notes.push("not a note".to_owned());
        assert_eq!(findings(&garbled), [Finding::CheckpointUnreadable(source)]);
    }

    #[test]
    fn a_report_stays_small_however_much_is_damaged() {
        let mut trail = trail(1_500, &[1_500]);
        for (entry, ..) in &mut trail.entries {
            entry.salt = Salt::new([255; 32]);
        }
        let report = audit(&trail, None);
        assert_eq!(report.findings.len(), FINDINGS_MAX);
        assert!(report.more_findings > 500);
    }
}
