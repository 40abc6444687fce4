//! Opening a ledger: files, schema, the tree against its checkpoint outside, and what a crash left.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use call::{CallId, RecordingId, Time};
use ring::rand::SystemRandom;
use sqlx::SqliteConnection;
use tokio::sync::{Notify, mpsc, watch};

use super::{
    catch_up,
    column::{Columns, Result, failed},
    connect,
    error::{Database, LedgerError},
    handle::Ledger,
    outside::{Outside, own},
    removals, tree,
    writer::{Health, LedgerWriter, Notary},
};
use crate::{
    audit::{
        checkpoint::{Origin, Signer},
        tree::Frontier,
    },
    clerk::Order,
};

/// Where a ledger is, and who signs for it.
#[derive(Clone)]
pub struct LedgerConfig {
    /// The data folder; it holds `ledger.db` and `slips.db`. It exists and only the owner enters it.
    pub folder: PathBuf,
    /// Where the last checkpoint is kept outside the database. Another disk or machine than the
    /// data folder's makes a rollback of the whole folder visible too.
    pub checkpoint: PathBuf,
    /// The name of this node's audit tree.
    pub origin: Origin,
    /// The node's signing key.
    pub signer: Arc<dyn Signer>,
}

impl LedgerConfig {
    /// A ledger whose checkpoint is the file `checkpoint` of its data folder.
    pub fn in_folder(folder: &Path, origin: Origin, signer: Arc<dyn Signer>) -> Self {
        let (folder, checkpoint) = (folder.to_owned(), folder.join("checkpoint"));
        Self { folder, checkpoint, origin, signer }
    }
}

/// What the last run left behind, for the keeper to finish.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// Calls without words: the program ended while they ran.
    pub calls: Vec<CallId>,
    /// Recordings that were permitted and never sealed: their spool is to be closed.
    pub unsealed: Vec<RecordingId>,
    /// Recordings that were sealed and not yet read back from their store.
    pub unstored: Vec<RecordingId>,
    /// Removals whose intent stands and whose proof does not.
    pub removals: Vec<Order>,
    /// How many slips without a row were removed; nothing was ever sealed under them.
    pub slips_removed: u64,
    /// How many facts were written about slips that a crash had separated from their rows.
    pub facts_caught_up: u64,
}

impl Ledger {
    /// Opens a ledger, or makes it. The writer that comes along must be run on a task of its own:
    /// `tokio::spawn(writer.run())`; until then every change waits.
    ///
    /// # Errors
    /// [`LedgerError::RolledBack`], [`LedgerError::Forked`], [`LedgerError::CheckpointMissing`],
    /// [`LedgerError::CheckpointForeign`] and [`LedgerError::CheckpointUnreadable`] when the tree
    /// is not a continuation of what the checkpoint outside says (invariant 9);
    /// [`LedgerError::SlipsRolledBack`] when `slips.db` is older than `ledger.db`; those of files
    /// and databases.
    pub async fn open(config: LedgerConfig, at: Time) -> Result<(Self, LedgerWriter, Leftovers)> {
        let mut ledger = connect::writer(&config.folder, Database::Ledger).await?;
        let mut slips = connect::writer(&config.folder, Database::Slips).await?;
        let outside = Outside::new(config.checkpoint.clone());
        let tree = checked_tree(&mut ledger, &outside, &config).await?;
        check_slips(&mut ledger, &mut slips, tree.size()).await?;
        let readers = connect::readers(&config.folder, Database::Ledger).await?;
        let slip_readers = connect::readers(&config.folder, Database::Slips).await?;
        let (sender, queue) = mpsc::unbounded_channel();
        let awaited = Arc::new(Notify::new());
        let (health, watched) = watch::channel(Health { head: tree.head(), fault: None });
        let (origin, signer) = (config.origin.clone(), Arc::clone(&config.signer));
        let notary = Notary { origin, signer };
        let mut writer = LedgerWriter {
            queue,
            awaited: Arc::clone(&awaited),
            ledger,
            slips,
            random: SystemRandom::new(),
            latest: notary.sign(tree.head())?,
            notary,
            tree,
            outside: outside.clone(),
            health,
            unpublished: true,
            behind: true,
            suspect: false,
            folder: config.folder.clone(),
        };
        let caught_up = writer.catch_up(at).await?;
        writer.publish().await?;
        writer.health.send_replace(Health { head: writer.tree.head(), fault: None });
        let mut leftovers = leftovers(&mut writer.ledger).await?;
        leftovers.slips_removed = caught_up.unowned.len() as u64;
        leftovers.facts_caught_up = caught_up.facts.len() as u64;
        let ledger = Self {
            queue: sender,
            awaited,
            readers,
            slip_readers,
            health: watched,
            origin: config.origin,
            signer: config.signer,
            outside,
        };
        Ok((ledger, writer, leftovers))
    }
}

/// The edge of the stored tree, once it is known to continue every checkpoint (invariant 9).
async fn checked_tree(
    db: &mut SqliteConnection,
    outside: &Outside,
    config: &LedgerConfig,
) -> Result<Frontier> {
    let size = tree::size(db).await?;
    let tree = tree::frontier(db, size).await?;
    if let Some(stored) = tree::last_checkpoint(db).await?
        && stored.head() != tree.head()
    {
        return Err(LedgerError::TreeDamaged);
    }
    let Some(note) = outside.read()? else {
        // A first start has neither; the first checkpoint, of size 0, is written before any entry.
        return if size == 0 {
            Ok(tree)
        } else {
            Err(LedgerError::CheckpointMissing { tree: size })
        };
    };
    let known = own(&note, &config.origin, &*config.signer)?.head();
    if known.size > size {
        return Err(LedgerError::RolledBack { tree: size, checkpoint: known.size });
    }
    if tree::frontier(db, known.size).await?.head() != known {
        return Err(LedgerError::Forked { size: known.size });
    }
    Ok(tree)
}

/// `slips.db` is the one that `ledger.db` knows, not an older one and not a stranger.
async fn check_slips(
    ledger: &mut SqliteConnection,
    slips: &mut SqliteConnection,
    size: u64,
) -> Result<()> {
    let found = catch_up::sequence(slips).await?;
    let expected = catch_up::heard_sequence(ledger).await?;
    if found < expected {
        return Err(LedgerError::SlipsRolledBack { found, expected });
    }
    let count = sqlx::query("SELECT COUNT(*) AS slips FROM slips");
    let count = count.fetch_one(slips).await.map_err(failed(Database::Slips))?;
    match (size, Columns(&count).count("slips")?) {
        (0, slips @ 1..) => Err(LedgerError::SlipsWithoutLedger { slips }),
        _ => Ok(()),
    }
}

async fn leftovers(db: &mut SqliteConnection) -> Result<Leftovers> {
    let failed = failed(Database::Ledger);
    let calls = "SELECT call_id FROM calls WHERE closed_at IS NULL ORDER BY opened_at";
    let calls = sqlx::query(calls).fetch_all(&mut *db).await.map_err(&failed)?;
    let recordings = "SELECT recording_id, state FROM recordings
         WHERE state IN ('permitted', 'recording', 'sealed') ORDER BY permitted_at";
    let recordings = sqlx::query(recordings).fetch_all(&mut *db).await.map_err(&failed)?;
    let calls = calls.iter().map(|row| Columns(row).call("call_id")).collect::<Result<_>>()?;
    let mut leftovers = Leftovers { calls, ..Leftovers::default() };
    for row in &recordings {
        let row = Columns(row);
        let recording = row.recording("recording_id")?;
        match row.text("state", |state| Some(state == "sealed"))? {
            true => leftovers.unstored.push(recording),
            false => leftovers.unsealed.push(recording),
        }
    }
    leftovers.removals = removals::open(db).await?;
    Ok(leftovers)
}
