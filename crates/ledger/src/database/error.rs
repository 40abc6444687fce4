//! What can go wrong in the ledger, sorted by what to do. No variant carries a stored value.

use std::{fmt, io::ErrorKind};

use crate::{audit::checkpoint::NoteError, catalogue::slips::EpochState, clerk::Obstacle};

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Database {
    /// `ledger.db`: catalogue, evidence, audit tree.
    Ledger,
    /// `slips.db`: sealed key slips.
    Slips,
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ledger => "ledger.db",
            Self::Slips => "slips.db",
        })
    }
}

/// Why the ledger did not do what it was asked: it refused this one change, or something is wrong
/// with files, databases or keys and nothing of the batch was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LedgerError {
    /// The database did not carry out a statement; its primary or extended result code, if any.
    Database(Database, Option<i32>),
    /// A stored value is not what the column holds.
    Unreadable(&'static str),
    /// A file of the data folder could not be read or written.
    File(&'static str, ErrorKind),
    /// The database was written by a newer program.
    SchemaNewer {
        /// Which one.
        database: Database,
        /// Its version.
        found: u32,
        /// The newest that this program knows.
        known: u32,
    },
    /// The tree is shorter than the checkpoint kept outside: an older database was put back.
    RolledBack {
        /// Entries in the tree.
        tree: u64,
        /// Entries in the checkpoint.
        checkpoint: u64,
    },
    /// The tree of the checkpoint's size has another root: the past was changed.
    Forked {
        /// The checkpoint's size.
        size: u64,
    },
    /// The tree has entries and no checkpoint is kept outside the database.
    CheckpointMissing {
        /// Entries in the tree.
        tree: u64,
    },
    /// The checkpoint kept outside cannot be read.
    CheckpointUnreadable(NoteError),
    /// The checkpoint kept outside is of another tree or not signed by this node's key.
    CheckpointForeign,
    /// The stored tree is damaged; `audit verify` names the place.
    TreeDamaged,
    /// `slips.db` is older than `ledger.db` knows it: an old copy was put back.
    SlipsRolledBack {
        /// Changes in `slips.db`.
        found: u64,
        /// Changes that `ledger.db` has seen.
        expected: u64,
    },
    /// `slips.db` holds slips and `ledger.db` is empty.
    SlipsWithoutLedger {
        /// How many.
        slips: u64,
    },
    /// The signing key could not be used.
    SignerFailed,
    /// The old slip was replaced, but its bytes could not be wiped from the write-ahead log.
    ShredIncomplete,
    /// The writer has ended.
    Stopped,
    /// The change does not fit what the ledger holds; nothing else is wrong.
    Refused(Refusal),
}

/// Why one change was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such call.
    CallUnknown,
    /// The call was opened before.
    CallExists,
    /// The call has its words already.
    CallEnded,
    /// There is no such recording.
    RecordingUnknown,
    /// The recording was committed before.
    RecordingExists,
    /// The recording is not in a state that allows this.
    RecordingState,
    /// There is no slip.
    SlipUnknown,
    /// The slip given is not the revision that follows the live one.
    SlipRevision {
        /// The live revision.
        live: u32,
        /// The revision given.
        given: u32,
    },
    /// The slip given belongs to another recording.
    SlipOfAnother,
    /// The slip must be destroyed before the row may go.
    SlipStays,
    /// There is no such epoch.
    EpochUnknown(u64),
    /// The epoch's number was used before.
    EpochExists(u64),
    /// The epoch accepts no new slip.
    EpochTakesNoSlip(u64),
    /// The epoch holds as many slips as it may.
    EpochFull(u64),
    /// The epoch still seals slips.
    EpochInUse {
        /// The epoch.
        epoch: u64,
        /// How many.
        slips: u64,
    },
    /// The epoch is not in the state that this needs.
    EpochState {
        /// The epoch.
        epoch: u64,
        /// Its state.
        state: EpochState,
    },
    /// A hold forbids it.
    Held,
    /// No intent orders it.
    NotIntended,
    /// The tree has no such entry or size.
    EntryUnknown,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CallUnknown => f.write_str("there is no such call; see `jawoord calls list`"),
            Self::CallExists => f.write_str("the call was opened before; draw a new id"),
            Self::CallEnded => f.write_str("the call has ended already; nothing was changed"),
            Self::RecordingUnknown => {
                f.write_str("there is no such recording; see `jawoord recordings list`")
            }
            Self::RecordingExists => f.write_str("the recording exists already; draw a new id"),
            Self::RecordingState => {
                f.write_str("the recording is not at the step before this one; see its state")
            }
            Self::SlipUnknown => f.write_str("the recording has no key slip; it was destroyed"),
            Self::SlipRevision { live, given } => write!(
                f,
                "the key slip is at revision {live} and {given} was given; read it again first"
            ),
            Self::SlipOfAnother => f.write_str(
                "the key slip belongs to another recording; seal one for this recording",
            ),
            Self::SlipStays => f.write_str("the key slip still exists; destroy it first"),
            Self::EpochUnknown(epoch) => {
                write!(f, "there is no key epoch {epoch}; see `jawoord keys status`")
            }
            Self::EpochExists(epoch) => write!(f, "key epoch {epoch} exists; take the next number"),
            Self::EpochTakesNoSlip(epoch) => {
                write!(f, "key epoch {epoch} accepts no new slip; seal it under the open one")
            }
            Self::EpochFull(epoch) => write!(f, "key epoch {epoch} is full; open the next one"),
            Self::EpochInUse { epoch, slips } => {
                write!(f, "key epoch {epoch} still seals {slips} slips; run `jawoord keys rotate`")
            }
            Self::EpochState { epoch, state } => {
                write!(f, "key epoch {epoch} is {state}; see the order in `jawoord keys status`")
            }
            Self::Held => f.write_str("a hold forbids this; release it first"),
            Self::NotIntended => f.write_str("no intent orders this; order it first"),
            Self::EntryUnknown => f.write_str("the audit tree has no such entry; see its size"),
        }
    }
}

impl std::error::Error for Refusal {}

impl LedgerError {
    /// What to tell the clerk when a step failed with this.
    #[must_use]
    pub const fn obstacle(self) -> Obstacle {
        if let Self::Refused(Refusal::Held) = self { Obstacle::Held } else { Obstacle::Ledger }
    }
}

impl From<Refusal> for LedgerError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database(database, Some(code)) => write!(
                f,
                "{database} failed with SQLite code {code}; check space, permissions and health of the disk"
            ),
            Self::Database(database, None) => {
                write!(f, "{database} is not available; check that it exists and is not locked")
            }
            Self::Unreadable(column) => write!(
                f,
                "a stored {column} is damaged; run `jawoord audit verify` and restore from backup"
            ),
            Self::File(file, kind) => {
                write!(f, "{file} failed ({kind}); check space and permissions of the data folder")
            }
            Self::SchemaNewer { database, found, known } => write!(
                f,
                "{database} has version {found}, this program knows {known}; use the newer program"
            ),
            Self::RolledBack { tree, checkpoint } => write!(
                f,
                "the audit tree has {tree} entries and its checkpoint {checkpoint}: an older ledger.db \
                 was put back; restore the newest one"
            ),
            Self::Forked { size } => write!(
                f,
                "the audit tree differs from its checkpoint of {size} entries; keep this data folder as \
                 evidence and restore the newest backup"
            ),
            Self::CheckpointMissing { tree } => write!(
                f,
                "the audit tree has {tree} entries and its checkpoint file is missing; put the file back"
            ),
            Self::CheckpointUnreadable(error) => write!(f, "the checkpoint file: {error}"),
            Self::CheckpointForeign => f.write_str(
                "the checkpoint file is not this node's; put back the node's own file and signing key",
            ),
            Self::TreeDamaged => f.write_str(
                "the stored audit tree is damaged; run `jawoord audit verify` and restore from backup",
            ),
            Self::SlipsRolledBack { found, expected } => write!(
                f,
                "slips.db has {found} changes and ledger.db saw {expected}: an old copy was put back, and \
                 it may open what was erased; restore the newest one"
            ),
            Self::SlipsWithoutLedger { slips } => write!(
                f,
                "slips.db holds {slips} slips and ledger.db is empty; put back the ledger.db they belong to"
            ),
            Self::SignerFailed => f.write_str("no signature could be made; check the key provider"),
            Self::Stopped => f.write_str("the ledger has stopped; see why in the log and start again"),
            Self::ShredIncomplete => f.write_str(
                "an old slip's bytes are still in the write-ahead log; end other readers of slips.db \
                 and try again",
            ),
            Self::Refused(refusal) => refusal.fmt(f),
        }
    }
}

impl std::error::Error for LedgerError {}
