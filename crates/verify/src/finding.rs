//! Everything that can be wrong with an exported folder, in pairs: what happened, what to do.

use std::{fmt, io};

use call::RecordingId;
use vault::ObjectError;

/// A part of the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `entries.jsonl`.
    Entries,
    /// `checkpoints.jsonl`.
    Checkpoints,
    /// The folder of objects.
    Recordings,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Entries => ledger::ENTRIES_FILE,
            Self::Checkpoints => ledger::CHECKPOINTS_FILE,
            Self::Recordings => "recordings",
        })
    }
}

/// What a permit and a manifest both name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PermitField {
    /// The call.
    Call,
    /// The legal ground.
    Ground,
    /// The purposes.
    Purposes,
    /// The evidence of the decision.
    Evidence,
}

impl fmt::Display for PermitField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Call => "call",
            Self::Ground => "legal ground",
            Self::Purposes => "purposes",
            Self::Evidence => "evidence",
        })
    }
}

/// One thing that keeps a folder from being proved. Its text says what happened.
#[derive(Debug)]
pub enum Finding {
    /// A part of the folder cannot be read.
    Unread {
        /// Which part.
        part: Part,
        /// Why.
        kind: io::ErrorKind,
    },
    /// A damage to the trail itself.
    Trail(ledger::Finding),
    /// Checkpoints signed by another key than the trusted one.
    OtherSigner {
        /// How many, at least.
        checkpoints: u64,
    },
    /// The entry of this index speaks of a recording in a form that is not known.
    FactUnreadable(u64),
    /// Something of this name among the objects is not one.
    Stranger(Box<str>),
    /// Something about one recording.
    Recording {
        /// The recording.
        recording: RecordingId,
        /// What.
        fault: Fault,
    },
}

/// What is wrong about a recording: its object, or what trail and object say of each other.
#[derive(Debug)]
pub enum Fault {
    /// Its object cannot be read.
    Unread(io::ErrorKind),
    /// Its object cannot be taken apart.
    Form(ObjectError),
    /// Its object is not as it was sealed.
    Object(vault::Finding),
    /// Its object is signed by a key that is not trusted.
    Signer,
    /// The file under its name holds another recording.
    Holds(RecordingId),
    /// There was sound, and no permit before it.
    Unpermitted,
    /// Its manifest and its permit name different things.
    PermitDiffers(PermitField),
    /// Its object is here, and the trail does not say that it was sealed.
    Unsealed,
    /// Its manifest is not the one that the trail says was sealed.
    SealDiffers,
    /// Its object is here, and the trail does not say that it was stored.
    Unstored,
    /// Its object is not the one that the trail says was stored.
    StoreDiffers,
    /// It was stored and never deleted, and its object is not here.
    Missing,
    /// It was stored, its object is not here, and its deletion was ordered and never proved.
    Removing,
    /// This entry says that it was deleted, and its object is here.
    Outlived(u64),
    /// This entry deletes another manifest than the one that was sealed.
    DeletionDiffers(u64),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unread { part, kind } => write!(f, "{part} cannot be read ({kind})"),
            // A checkpoint that is there and forged or of another key covers nothing either.
            Self::Trail(ledger::Finding::CheckpointMissing(_)) => {
                f.write_str("trail: no valid checkpoint covers any entry")
            }
            Self::Trail(finding) => write!(f, "trail: {finding}"),
            Self::OtherSigner { checkpoints: 1 } => {
                f.write_str("trail: a checkpoint is signed by another key than the trusted one")
            }
            Self::OtherSigner { checkpoints } => write!(
                f,
                "trail: {checkpoints} checkpoints are signed by another key than the trusted one"
            ),
            Self::FactUnreadable(entry) => {
                write!(f, "trail: entry {entry} speaks of a recording in an unknown form")
            }
            Self::Stranger(name) => {
                write!(f, "{}: {name:?} is not the object of a recording", Part::Recordings)
            }
            Self::Recording { recording, fault } => write!(f, "recording {recording}: {fault}"),
        }
    }
}

impl Finding {
    /// What to do about it.
    #[must_use]
    pub const fn what_to_do(&self) -> &'static str {
        match self {
            Self::Unread { .. } => {
                "Copy the folder again, whole, and check the rights of its files."
            }
            Self::Trail(finding) => trail_advice(finding),
            Self::OtherSigner { .. } => {
                "Check that KEYFILE is the key of the node that made the export; if it is, this \
                 trail is not that node's."
            }
            Self::FactUnreadable(_) => {
                "Verify with the version of jawoord-verify that belongs to the node."
            }
            Self::Stranger(_) => {
                "A node writes nothing but ID.jwr there: find out who added it, and take it out."
            }
            Self::Recording { fault, .. } => fault.what_to_do(),
        }
    }
}

const fn trail_advice(finding: &ledger::Finding) -> &'static str {
    use ledger::Finding as Trail;
    match finding {
        Trail::EntryAltered(_)
        | Trail::EntryUnreadable(_)
        | Trail::EntriesMissing { .. }
        | Trail::EntryMisplaced(_)
        | Trail::NodeDiffers(_)
        | Trail::NodeMissing(_)
        | Trail::NodeSurplus(_)
        | Trail::RootDiffers { .. }
        | Trail::TreeShorter { .. } => {
            "Keep this copy and ask for another export: if that says the same, the trail was \
             changed after it was signed."
        }
        Trail::CheckpointUnreadable(_)
        | Trail::CheckpointForeign(_)
        | Trail::SignatureBad { .. }
        | Trail::SignerOther { .. } => {
            "Keep this copy and ask for another export: if that says the same, a checkpoint was \
             forged."
        }
        Trail::Unsigned(_) | Trail::CheckpointMissing(_) => {
            "Nobody has signed these entries: ask for an export with its checkpoints."
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unread(kind) => write!(f, "its object cannot be read ({kind})"),
            Self::Form(error) => error.fmt(f),
            Self::Object(finding) => finding.fmt(f),
            Self::Signer => f.write_str("its object is signed by another key than the trusted one"),
            Self::Holds(other) => write!(f, "the file of its name holds recording {other}"),
            Self::Unpermitted => f.write_str("there is sound, and no permit for it in the trail"),
            Self::PermitDiffers(field) => {
                write!(f, "its manifest does not have the {field} of its permit")
            }
            Self::Unsealed => {
                f.write_str("its object is here, and the trail does not say that it was sealed")
            }
            Self::SealDiffers => {
                f.write_str("its manifest is not the one that the trail says was sealed")
            }
            Self::Unstored => {
                f.write_str("its object is here, and the trail does not say that it was stored")
            }
            Self::StoreDiffers => {
                f.write_str("its object is not the one that the trail says was stored")
            }
            Self::Missing => f.write_str(
                "it was stored and not deleted, as the trail says, and its object is not here",
            ),
            Self::Removing => f.write_str(
                "its deletion was ordered, its object is not here, and nothing proves the deletion",
            ),
            Self::Outlived(entry) => {
                write!(f, "entry {entry} says that it was deleted, and its object is here")
            }
            Self::DeletionDiffers(entry) => {
                write!(f, "entry {entry} deletes another manifest than the one that was sealed")
            }
        }
    }
}

impl Fault {
    const fn what_to_do(&self) -> &'static str {
        match self {
            Self::Unread(_) => "Copy the folder again, whole, and check the rights of its files.",
            Self::Form(_) | Self::Object(_) => {
                "Do not rely on it, and ask the node for this object again."
            }
            Self::Signer => {
                "It is another node's or forged: bring that node's key along if you trust it, or \
                 leave this recording out of account."
            }
            Self::Holds(_) => "Give every object its own name, or ask for the export again.",
            Self::Unpermitted => {
                "Treat it as recorded without a permit: ask the controller how it came to be, and \
                 do not use it."
            }
            Self::PermitDiffers(_) | Self::SealDiffers | Self::StoreDiffers => {
                "It is not the recording that was permitted and kept: do not rely on it, and ask \
                 the node for this object again."
            }
            Self::Unsealed | Self::Unstored => {
                "Ask for an export made after the recording was stored; if it says the same, the \
                 object came by another way."
            }
            Self::Missing => "Ask for the object, or for the proof of its deletion.",
            Self::Removing => {
                "Ask for an export made after the deletion; if it says the same, ask why it stays \
                 open."
            }
            Self::Outlived(_) => {
                "A copy outlived its deletion: find out where it was kept, and destroy it."
            }
            Self::DeletionDiffers(_) => {
                "The proof is of something else: ask the controller what was deleted."
            }
        }
    }
}
