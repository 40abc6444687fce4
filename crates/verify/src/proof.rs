//! What the verification of a folder of evidence found, as lines for a reader and as one object.

use std::fmt;

use call::{Digest, Time};
use serde_json::{Value, json};

use crate::{
    difference::{Difference, What},
    report::Verdict,
};

/// The answer about a folder of evidence. Printed, it is one line for each difference and then the
/// summary.
#[derive(Debug)]
pub struct Proof {
    /// Whether a trusted key was brought along.
    pub signer_known: bool,
    /// Files that the signed list has.
    pub files: u64,
    /// Facts in the folder.
    pub facts: u64,
    /// Entries of the tree in which they stand.
    pub entries: u64,
    /// The root of that tree.
    pub root: Option<Digest>,
    /// SHA-256 of the evidence, as the permit names it.
    pub evidence: Option<Digest>,
    /// When the decision counted.
    pub decided: Option<Time>,
    /// When the recording was deleted, its evidence with it.
    pub deleted: Option<Time>,
    /// Prompts that the evidence names.
    pub prompts: u64,
    /// Of those, how many have no sound here.
    pub prompts_missing: u64,
    /// Each thing that is wrong.
    pub differences: Vec<Difference>,
}

impl Proof {
    /// A proof of nothing yet.
    pub(crate) const fn new(signer_known: bool) -> Self {
        Self {
            signer_known,
            files: 0,
            facts: 0,
            entries: 0,
            root: None,
            evidence: None,
            decided: None,
            deleted: None,
            prompts: 0,
            prompts_missing: 0,
            differences: Vec::new(),
        }
    }

    /// Adds what was found. What is known of a file is not said twice, and of one that was altered
    /// or is missing no more is said than that.
    pub(crate) fn find(&mut self, file: &str, what: What) {
        let settled = |known: &Difference| {
            &*known.file == file && (known.what.is_beyond() || known.what == what)
        };
        if !self.differences.iter().any(settled) {
            self.differences.push(Difference { file: file.into(), what });
        }
    }

    /// Whether every file that is listed is here as it was listed.
    pub(crate) fn is_whole(&self) -> bool {
        !self.differences.iter().any(|known| known.what.is_beyond())
    }

    /// The answer.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        Verdict::of(!self.differences.is_empty(), self.signer_known)
    }

    /// The proof as one JSON object: `verdict` as for an export, `files`, `facts`, `entries`, `root`
    /// and `evidence` (hexadecimal, or null), `decided` and `deleted` (RFC 3339, or null), `prompts`,
    /// `prompts_missing`, and `differences`, each with `file`, `what_happened` and `what_to_do`.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "verdict": self.verdict().as_str(),
            "files": self.files,
            "facts": self.facts,
            "entries": self.entries,
            "root": self.root.map(|root| root.to_string()),
            "evidence": self.evidence.map(|hash| hash.to_string()),
            "decided": self.decided.map(|at| at.to_string()),
            "deleted": self.deleted.map(|at| at.to_string()),
            "prompts": self.prompts,
            "prompts_missing": self.prompts_missing,
            "differences": self.differences.iter().map(Difference::json).collect::<Vec<_>>(),
        })
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for difference in &self.differences {
            writeln!(f, "{difference}. {}", difference.what_to_do())?;
        }
        writeln!(f, "files: {}", self.files)?;
        writeln!(f, "facts: {} of {} entries", self.facts, self.entries)?;
        if let Some(root) = self.root {
            writeln!(f, "root: {root}")?;
        }
        match (self.evidence, self.decided, self.deleted) {
            (Some(hash), Some(at), _) => writeln!(f, "evidence: {hash}, decided at {at}")?,
            (_, _, Some(at)) => writeln!(f, "evidence: erased with the recording at {at}")?,
            (_, _, None) => writeln!(f, "evidence: none, for nothing was allowed")?,
        }
        writeln!(f, "prompts: {} named, {} not here", self.prompts, self.prompts_missing)?;
        writeln!(f, "verdict: {}", self.verdict())?;
        match self.verdict() {
            Verdict::SignerUnknown => writeln!(
                f,
                "Nothing here says who made it. Get the node's key by another way than this \
                 folder, and verify again with --trust KEYFILE."
            ),
            Verdict::Proved | Verdict::NotProved => Ok(()),
        }
    }
}
