//! The writer: one task, one batch at a time, slips first, then rows and facts together.
//!
//! The durable path of a batch: one transaction in `slips.db` (commit, and a truncating checkpoint
//! of its log if a slip went), one transaction in `ledger.db`, one replaced checkpoint file, then
//! the answers. A crash between the two leaves slips that `pending` names; see `catch_up`.

use std::{mem::replace, path::PathBuf, sync::Arc, time::Duration};

use call::Time;
use ring::rand::SystemRandom;
use sqlx::{Connection, SqliteConnection};
use tokio::{
    sync::{Notify, mpsc, watch},
    time::{Instant, timeout_at},
};

use super::{
    apply::{self, Work},
    catch_up,
    change::{Job, Receipt, SlipEffect},
    column::{Result, failed},
    connect,
    error::{Database, LedgerError},
    outside::Outside,
    removals, slips,
    tree::{self, Growth},
};
use crate::audit::{
    checkpoint::{Checkpoint, Origin, Signer},
    tree::{Frontier, TreeHead},
};

/// How many changes share a transaction at most.
const BATCH_MAX: usize = 256;

/// How long after a batch the next one begins at the earliest, if nobody waits for it: a busy node
/// writes twenty times a second, however many calls begin and end, and an idle one at once.
const GATHER: Duration = Duration::from_millis(50);

/// What a change of a batch came to; `None` while it is still to be done.
type Verdict = Option<Result<Receipt>>;

/// Whether the ledger takes facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// Size and root of the tree.
    pub head: TreeHead,
    /// What the last batch failed with; `None` when it was written whole, its checkpoint included.
    pub fault: Option<LedgerError>,
}

/// The one writer of a ledger. The caller runs [`LedgerWriter::run`] on a task of its own.
pub struct LedgerWriter {
    pub(crate) queue: mpsc::UnboundedReceiver<Job>,
    /// Told of each change that somebody waits for, once it is in the queue.
    pub(crate) awaited: Arc<Notify>,
    pub(crate) ledger: SqliteConnection,
    pub(crate) slips: SqliteConnection,
    pub(crate) tree: Frontier,
    pub(crate) random: SystemRandom,
    pub(crate) notary: Notary,
    pub(crate) outside: Outside,
    pub(crate) health: watch::Sender<Health>,
    /// The newest checkpoint.
    pub(crate) latest: Checkpoint,
    /// Whether the file outside has yet to hear of it.
    pub(crate) unpublished: bool,
    /// Whether `slips.db` may be ahead of `ledger.db` since a batch that failed half-way.
    pub(crate) behind: bool,
    /// Something failed on the connections: they are replaced before anything else is written.
    pub(crate) suspect: bool,
    /// Where the databases are.
    pub(crate) folder: PathBuf,
}

impl LedgerWriter {
    /// Writes until every [`crate::Ledger`] of this writer is gone, then closes the databases.
    pub async fn run(mut self) {
        let mut next = Instant::now();
        loop {
            let jobs = self.gather(next).await;
            if jobs.is_empty() {
                break;
            }
            next = Instant::now() + GATHER;
            let (mut answers, mut work) = (Vec::new(), Vec::new());
            for job in jobs {
                answers.push(job.answer);
                work.push(Work { at: job.at, facts: job.facts, change: job.change });
            }
            let results = self.batch(&work).await;
            for (answer, result) in answers.into_iter().zip(results) {
                answer.give(result);
            }
        }
        // Both databases are durable already; closing only tidies their logs away.
        let _ledger = self.ledger.close().await;
        let _slips = self.slips.close().await;
    }

    /// The next batch: what waits to be written, and, unless somebody waits for any of it, what comes
    /// until `next`. Empty when nobody can ask any more.
    ///
    /// The queue is not listened to meanwhile: each change would wake the task for nothing.
    async fn gather(&mut self, next: Instant) -> Vec<Job> {
        let mut jobs = Vec::with_capacity(BATCH_MAX);
        self.queue.recv_many(&mut jobs, BATCH_MAX).await;
        let has_time = |job: &Job| !job.is_awaited();
        if !jobs.is_empty() && jobs.len() < BATCH_MAX && jobs.iter().all(has_time) {
            let _either = timeout_at(next, self.awaited.notified()).await;
            while jobs.len() < BATCH_MAX
                && let Ok(job) = self.queue.try_recv()
            {
                jobs.push(job);
            }
        }
        jobs
    }

    async fn batch(&mut self, work: &[Work]) -> Vec<Result<Receipt>> {
        let mut results = vec![None; work.len()];
        let fault = match self.write(work, &mut results).await {
            Ok(()) => self.publish().await.err(),
            Err(fault) => {
                self.suspect = true;
                results.fill(Some(Err(fault)));
                Some(fault)
            }
        };
        self.health.send_replace(Health { head: self.tree.head(), fault });
        results.into_iter().map(|result| result.unwrap_or(Err(LedgerError::Stopped))).collect()
    }

    /// Both transactions. An error means that nothing of the batch is in `ledger.db`.
    async fn write(&mut self, work: &[Work], results: &mut [Verdict]) -> Result<()> {
        if self.suspect {
            self.reconnect().await?;
        }
        if self.behind {
            let at = work.iter().map(|work| work.at).max().unwrap_or_default();
            self.catch_up(at).await?;
        }
        self.refuse(work, results).await?;
        let effects = self.slips_first(work, results).await?;
        let touched = effects.iter().any(|effect| effect.wrote);
        // Until `ledger.db` has it, what was written stays pending.
        self.behind = touched;
        let sequence =
            if touched { Some(catch_up::sequence(&mut self.slips).await?) } else { None };
        self.ledger_second(work, &effects, results, sequence).await?;
        let refused = |(effect, result): (&SlipEffect, &Verdict)| {
            effect.wrote && matches!(result, Some(Err(_)))
        };
        self.behind = effects.iter().zip(results.iter()).any(refused);
        Ok(())
    }

    /// Puts new connections in the place of those on which something failed. SQLite ends some failed
    /// transactions by itself (a full disk), and `sqlx` then counts one that is not there: it would
    /// begin the next as a savepoint, and what is released in a savepoint may never be committed.
    async fn reconnect(&mut self) -> Result<()> {
        let ledger = connect::writer(&self.folder, Database::Ledger).await?;
        let slips = connect::writer(&self.folder, Database::Slips).await?;
        for old in [replace(&mut self.ledger, ledger), replace(&mut self.slips, slips)] {
            // Whatever it still had open, nobody was told that it was written.
            let _rolled_back = old.close().await;
        }
        // A commit may fail in our eyes and be on disk all the same.
        let size = tree::size(&mut self.ledger).await?;
        if size > self.tree.size() {
            let tree = tree::frontier(&mut self.ledger, size).await?;
            let latest = self.notary.sign(tree.head())?;
            self.grow(tree, latest);
        }
        self.suspect = false;
        Ok(())
    }

    /// What `ledger.db` forbids is refused before `slips.db` is touched.
    async fn refuse(&mut self, work: &[Work], results: &mut [Verdict]) -> Result<()> {
        for (work, result) in work.iter().zip(results) {
            match removals::check(&mut self.ledger, &mut self.slips, &work.change).await {
                Ok(true) => {}
                Ok(false) => *result = Some(Ok(Receipt::Settled)),
                Err(error) => *result = refused(error)?,
            }
        }
        Ok(())
    }

    async fn slips_first(
        &mut self,
        work: &[Work],
        results: &mut [Verdict],
    ) -> Result<Vec<SlipEffect>> {
        let mut effects = vec![SlipEffect::default(); work.len()];
        if !work.iter().any(|work| apply::touches_slips(&work.change)) {
            return Ok(effects);
        }
        let failed = failed(Database::Slips);
        let mut transaction = self.slips.begin().await.map_err(&failed)?;
        // The batch before this one is in `ledger.db`, or `behind` had led to a catching up.
        slips::clear_pending(&mut transaction).await?;
        slips::next_sequence(&mut transaction).await?;
        let mut shred = false;
        for ((work, result), effect) in work.iter().zip(results).zip(&mut effects) {
            if result.is_some() {
                continue;
            }
            match slips::apply(&mut transaction, &work.change).await {
                Ok(done) => *effect = done,
                Err(error) => *result = refused(error)?,
            }
            shred |= apply::removes_slip(&work.change);
        }
        self.behind = true;
        transaction.commit().await.map_err(&failed)?;
        if shred {
            slips::shred(&mut self.slips).await?;
        }
        Ok(effects)
    }

    async fn ledger_second(
        &mut self,
        work: &[Work],
        effects: &[SlipEffect],
        results: &mut [Verdict],
        sequence: Option<u64>,
    ) -> Result<()> {
        let failed = failed(Database::Ledger);
        let mut growth = Growth::new(&self.tree);
        let mut transaction = self.ledger.begin().await.map_err(&failed)?;
        let due: Vec<bool> = results.iter().map(Option::is_none).collect();
        let outcomes = apply::apply_all(&mut transaction, work, effects, &due).await?;
        for ((work, outcome), result) in work.iter().zip(outcomes).zip(results) {
            match outcome {
                None => {}
                Some(Err(error)) => *result = Some(Err(error)),
                Some(Ok(applied)) => {
                    for fact in work.facts.iter().chain(&applied.facts) {
                        growth.append(&self.random, work.at, fact)?;
                    }
                    *result = Some(Ok(applied.receipt));
                }
            }
        }
        if let Some(sequence) = sequence {
            catch_up::store_sequence(&mut transaction, sequence).await?;
        }
        let tree = growth.store(&mut transaction).await?;
        let at = work.iter().map(|work| work.at).max().unwrap_or_default();
        let latest = self.notary.checkpoint(&mut transaction, at, &tree, &self.latest).await?;
        transaction.commit().await.map_err(&failed)?;
        self.grow(tree, latest);
        Ok(())
    }

    /// Brings `ledger.db` up to `slips.db` and the tree with it.
    pub(crate) async fn catch_up(&mut self, at: Time) -> Result<catch_up::CaughtUp> {
        let mut growth = Growth::new(&self.tree);
        let mut transaction = self.ledger.begin().await.map_err(failed(Database::Ledger))?;
        let found = catch_up::ledger(&mut transaction, &mut self.slips).await?;
        for fact in &found.facts {
            growth.append(&self.random, at, fact)?;
        }
        let tree = growth.store(&mut transaction).await?;
        let sequence = catch_up::sequence(&mut self.slips).await?;
        catch_up::store_sequence(&mut transaction, sequence).await?;
        let latest = self.notary.checkpoint(&mut transaction, at, &tree, &self.latest).await?;
        transaction.commit().await.map_err(failed(Database::Ledger))?;
        self.grow(tree, latest);
        catch_up::slips(&mut self.slips, &found).await?;
        self.behind = false;
        Ok(found)
    }

    /// The tree as it is on disk now.
    fn grow(&mut self, tree: Frontier, latest: Checkpoint) {
        self.unpublished |= latest != self.latest;
        (self.tree, self.latest) = (tree, latest);
    }

    /// Replaces the checkpoint that is kept outside, if there is a newer one.
    pub(crate) async fn publish(&mut self) -> Result<()> {
        if !self.unpublished {
            return Ok(());
        }
        let (outside, latest) = (self.outside.clone(), self.latest.clone());
        let written = tokio::task::spawn_blocking(move || outside.write(latest.note())).await;
        written.unwrap_or(Err(LedgerError::Stopped))?;
        self.unpublished = false;
        Ok(())
    }
}

/// Signs the tree's heads.
pub(crate) struct Notary {
    pub(crate) origin: Origin,
    pub(crate) signer: Arc<dyn Signer>,
}

impl Notary {
    /// Signs a head.
    pub(crate) fn sign(&self, head: TreeHead) -> Result<Checkpoint> {
        let signed = Checkpoint::sign(&self.origin, head, &*self.signer);
        signed.ok_or(LedgerError::SignerFailed)
    }

    /// The checkpoint of a tree, stored with it if it grew.
    async fn checkpoint(
        &self,
        db: &mut SqliteConnection,
        at: Time,
        tree: &Frontier,
        latest: &Checkpoint,
    ) -> Result<Checkpoint> {
        if tree.size() == latest.head().size {
            return Ok(latest.clone());
        }
        let checkpoint = self.sign(tree.head())?;
        tree::store_checkpoint(db, at, &checkpoint).await?;
        Ok(checkpoint)
    }
}

/// One refused change leaves the batch; anything else ends it.
const fn refused(error: LedgerError) -> Result<Verdict> {
    if let LedgerError::Refused(_) = error { Ok(Some(Err(error))) } else { Err(error) }
}
