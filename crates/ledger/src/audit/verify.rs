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
        self.expected = entry.index + 1;
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
        self.expected += 1;
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
