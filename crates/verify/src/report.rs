//! What a verification found, as lines for a reader and as one object for a program.

use std::fmt;

use call::{Digest, Time};
use serde_json::{Value, json};

use crate::finding::Finding;

/// How many findings a report lists; the rest are counted.
const FINDINGS_MAX: usize = 2_000;

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything is as a trusted key signed it, and trail and objects say the same.
    Proved,
    /// Nothing contradicts anything else, and nobody knows who signed it.
    SignerUnknown,
    /// Something is damaged, missing, or not what it says.
    NotProved,
}

impl Verdict {
    /// What is proved where nothing `differs`, by whether the signer is one of those that are trusted.
    pub(crate) const fn of(differs: bool, signer_known: bool) -> Self {
        match (differs, signer_known) {
            (true, _) => Self::NotProved,
            (false, false) => Self::SignerUnknown,
            (false, true) => Self::Proved,
        }
    }

    /// The name in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proved => "proved",
            Self::SignerUnknown => "signer-unknown",
            Self::NotProved => "not-proved",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Proved => "proved",
            Self::SignerUnknown => "consistent, signer unknown",
            Self::NotProved => "not proved",
        })
    }
}

/// What a verification found. Printed, it is one line for each finding and then the summary.
#[derive(Debug)]
pub struct Report {
    /// Whether a trusted key was brought along.
    pub signer_known: bool,
    /// Entries of the trail that could be read.
    pub entries: u64,
    /// When the first of them was recorded.
    pub first: Option<Time>,
    /// When the last of them was recorded: what came later is not in this folder.
    pub last: Option<Time>,
    /// The root of the tree over all entries, if the trail is whole.
    pub root: Option<Digest>,
    /// Checkpoints that the trail was held against.
    pub checkpoints: u64,
    /// Recordings that were permitted.
    pub recordings: u64,
    /// Objects in the folder.
    pub objects: u64,
    /// Recordings whose deletion is recorded.
    pub deletions: u64,
    /// Each thing that is wrong, at most 2,000.
    pub findings: Vec<Finding>,
    /// How many more there are.
    pub more_findings: u64,
}

impl Report {
    /// A report of nothing yet.
    pub(crate) const fn new(signer_known: bool) -> Self {
        Self {
            signer_known,
            entries: 0,
            first: None,
            last: None,
            root: None,
            checkpoints: 0,
            recordings: 0,
            objects: 0,
            deletions: 0,
            findings: Vec::new(),
            more_findings: 0,
        }
    }

    /// Adds what was found.
    pub(crate) fn find(&mut self, findings: impl IntoIterator<Item = Finding>) {
        for finding in findings {
            if self.findings.len() < FINDINGS_MAX {
                self.findings.push(finding);
            } else {
                self.more_findings += 1;
            }
        }
    }

    /// The answer.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        Verdict::of(!self.findings.is_empty(), self.signer_known)
    }

    /// The report as one JSON object: `verdict` (`proved`, `signer-unknown`, `not-proved`),
    /// `entries`, `first` and `last` (RFC 3339, or null), `root` (hexadecimal, or null),
    /// `checkpoints`, `recordings`, `objects`, `deletions`, `more_findings`, and `findings`, each
    /// with `recording` (hexadecimal, or null), `what_happened` and `what_to_do`.
    #[must_use]
    pub fn json(&self) -> Value {
        let findings: Vec<_> = self.findings.iter().map(finding_json).collect();
        json!({
            "verdict": self.verdict().as_str(),
            "entries": self.entries,
            "first": self.first.map(|at| at.to_string()),
            "last": self.last.map(|at| at.to_string()),
            "root": self.root.map(|root| root.to_string()),
            "checkpoints": self.checkpoints,
            "recordings": self.recordings,
            "objects": self.objects,
            "deletions": self.deletions,
            "findings": findings,
            "more_findings": self.more_findings,
        })
    }
}

fn finding_json(finding: &Finding) -> Value {
    let recording = match finding {
        Finding::Recording { recording, .. } => Some(recording.to_string()),
        Finding::Unread { .. }
        | Finding::Trail(_)
        | Finding::OtherSigner { .. }
        | Finding::FactUnreadable(_)
        | Finding::Stranger(_) => None,
    };
    json!({
        "recording": recording,
        "what_happened": finding.to_string(),
        "what_to_do": finding.what_to_do(),
    })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{finding}. {}", finding.what_to_do())?;
        }
        if self.more_findings > 0 {
            writeln!(f, "... and {} more", self.more_findings)?;
        }
        write!(f, "entries: {}", self.entries)?;
        if let (Some(first), Some(last)) = (self.first, self.last) {
            write!(f, " (from {first} to {last})")?;
        }
        writeln!(f, "\ncheckpoints: {}", self.checkpoints)?;
        if let Some(root) = self.root {
            writeln!(f, "root: {root}")?;
        }
        writeln!(f, "recordings: {} permitted, {} here", self.recordings, self.objects)?;
        writeln!(f, "deletions: {}", self.deletions)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_stays_small_however_much_is_wrong_and_never_calls_it_proved() {
        let mut report = Report::new(true);
        assert_eq!(report.verdict(), Verdict::Proved);
        report.find((0..2_500).map(Finding::FactUnreadable));
        assert_eq!((report.findings.len(), report.more_findings), (FINDINGS_MAX, 500));
        assert_eq!(report.verdict(), Verdict::NotProved);
        let text = report.to_string();
        assert_eq!(text.lines().filter(|line| line.starts_with("trail: ")).count(), FINDINGS_MAX);
        assert!(text.contains("\n... and 500 more\n"));
        assert_eq!(report.json()["more_findings"], 500);
    }
}
