//! A fact that stands alone: the entry of the audit tree and its path to the root.

use std::io;

use call::{Digest, FactKind, Time};
use serde::{Deserialize, Serialize};

use crate::audit::{
    entry::{Entry, Salt},
    proof::InclusionProof,
    tree::TreeHead,
};

/// An entry with what proves that it stands in a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvedFact {
    /// The entry.
    pub entry: Entry,
    /// The hashes that lead from it to the root, nearest first.
    pub path: Vec<Digest>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    index: u64,
    at: u64,
    kind: String,
    salt: String,
    body: String,
    path: Vec<String>,
}

impl ProvedFact {
    /// Whether it stands in the tree with this head, and says of itself what its body says.
    #[must_use]
    pub fn holds(&self, head: TreeHead) -> bool {
        let Self { entry, path } = self;
        let proof = InclusionProof { index: entry.index, size: head.size, path: path.clone() };
        entry.agrees_with_its_body() && proof.holds(entry.leaf(), head)
    }

    /// Its line in `facts.jsonl`, without the line end.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] when the body is not text, which no fact's is.
    pub(crate) fn line(&self) -> io::Result<String> {
        let Self { entry, path } = self;
        let body = String::from_utf8(entry.body.clone())
            .map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        let line = Line {
            index: entry.index,
            at: entry.at.as_micros(),
            kind: entry.kind.as_str().to_owned(),
            salt: Digest::from_bytes(*entry.salt.as_bytes()).to_string(),
            body,
            path: path.iter().map(ToString::to_string).collect(),
        };
        Ok(serde_json::to_string(&line)?)
    }

    /// Reads a line of `facts.jsonl`; `None` when it is damaged.
    pub(crate) fn read(line: &str) -> Option<Self> {
        let line: Line = serde_json::from_str(line).ok()?;
        let salt: Digest = line.salt.parse().ok()?;
        let entry = Entry {
            index: line.index,
            at: Time::from_micros(line.at),
            kind: FactKind::from_name(&line.kind)?,
            salt: Salt::new(*salt.as_bytes()),
            body: line.body.into_bytes(),
        };
        let path = line.path.iter().map(|hash| hash.parse().ok()).collect::<Option<_>>()?;
        Some(Self { entry, path })
    }
}
