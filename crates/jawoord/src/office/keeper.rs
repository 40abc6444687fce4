//! The keeper: carries out what the clerk decides, one deletion step at a time, and proves it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use call::{Erasure, Reason, RecordingId};
use ledger::{
    Clerk, ClerkAction, ClerkInput, ClerkReport, ItemId, LedgerError, Obstacle, Order, Removal,
    Step, Taken,
};
use tokio::{
    sync::{mpsc, oneshot},
    time,
};

use super::archive::{Archive, OfficeError, month, sealed};
use crate::metrics::Metrics;

/// How long a removal that failed waits for its next try.
const RETRY: Duration = Duration::from_secs(60);
/// Steps under way at once.
const BUSY: usize = 4;

/// A removal that could not be finished: it stays open, and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    /// The step that failed.
    pub step: Step,
    /// What stood in the way.
    pub obstacle: Obstacle,
}

impl std::fmt::Display for Open {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let step = match self.step {
            Step::Intend => "ordering the deletion",
            Step::Puncture => "making the seconds unreadable",
            Step::DestroySlip => "destroying the key slip",
            Step::DeleteObject => "deleting the object",
            Step::RemoveRow => "removing the row",
        };
        let mend = match self.obstacle {
            Obstacle::Held => "a hold forbids it; release the hold",
            Obstacle::Ledger => "the ledger could not write; check the data folder",
            Obstacle::Keys => "the keys could not be used; check the key folder",
            Obstacle::Store => "the store refused, or the object is still there; check the store",
        };
        write!(f, "{step} failed: {mend}. The deletion stays open and is tried again")
    }
}

struct Wish {
    order: Order,
    answer: oneshot::Sender<Result<(), Open>>,
}

/// The way to the keeper.
#[derive(Clone)]
pub struct KeeperDoor(mpsc::UnboundedSender<Wish>);

impl KeeperDoor {
    /// Starts the keeper on what the last run left open.
    #[must_use]
    pub fn start(archive: Arc<Archive>, open: Vec<Order>, metrics: Metrics) -> Self {
        let (sender, wishes) = mpsc::unbounded_channel();
        let mut clerk = Clerk::new(BUSY);
        for order in open {
            clerk.resume(order);
        }
        let keeper = Keeper { archive, clerk, metrics, waiting: HashMap::new() };
        tokio::spawn(keeper.run(wishes));
        Self(sender)
    }

    /// Deletes a recording with proof.
    ///
    /// # Errors
    /// [`Open`]: it is not deleted, and stays ordered.
    pub async fn delete(&self, recording: RecordingId, reason: Reason) -> Result<(), Open> {
        self.remove(Order { recording, removal: Removal::Whole, reason }).await
    }

    /// Makes some seconds of a recording unreadable, with proof.
    ///
    /// # Errors
    /// [`Open`]: they are not, and it stays ordered.
    pub async fn erase(
        &self,
        recording: RecordingId,
        seconds: Erasure,
        reason: Reason,
    ) -> Result<(), Open> {
        self.remove(Order { recording, removal: Removal::Seconds(seconds), reason }).await
    }

    async fn remove(&self, order: Order) -> Result<(), Open> {
        let stopped = Open { step: Step::Intend, obstacle: Obstacle::Ledger };
        let (answer, answered) = oneshot::channel();
        self.0.send(Wish { order, answer }).map_err(|_| stopped)?;
        answered.await.unwrap_or(Err(stopped))
    }
}

struct Keeper {
    archive: Arc<Archive>,
    clerk: Clerk,
    metrics: Metrics,
    waiting: HashMap<ItemId, Vec<oneshot::Sender<Result<(), Open>>>>,
}

impl Keeper {
    async fn run(mut self, mut wishes: mpsc::UnboundedReceiver<Wish>) {
        let mut retry = time::interval(RETRY);
        loop {
            self.work().await;
            tokio::select! {
                wish = wishes.recv() => match wish {
                    Some(Wish { order, answer }) => {
                        let item = self.clerk.order(order);
                        self.waiting.entry(item).or_default().push(answer);
                        // A stuck removal that is asked for again is tried again.
                        self.clerk.retry();
                    }
                    None => return,
                },
                _ = retry.tick() => self.clerk.retry(),
            }
        }
    }

    async fn work(&mut self) {
        while let Some(action) = self.clerk.poll_action() {
            let heard = self.step(action).await;
            self.clerk.handle(heard);
            self.report();
        }
        self.metrics.open_deletions.set(i64::try_from(self.clerk.stuck()).unwrap_or(i64::MAX));
    }

    fn report(&mut self) {
        while let Some(report) = self.clerk.poll_report() {
            let (item, result) = match report {
                ClerkReport::Removed(item, order) => {
                    tracing::info!(recording = %order.recording, reason = %order.reason, "removed");
                    (item, Ok(()))
                }
                ClerkReport::Open(item, order, step, obstacle) => {
                    let open = Open { step, obstacle };
                    tracing::error!(recording = %order.recording, %open, "removal");
                    (item, Err(open))
                }
            };
            for answer in self.waiting.remove(&item).unwrap_or_default() {
                let _nobody_waits = answer.send(result);
            }
        }
    }

    async fn step(&self, action: ClerkAction) -> ClerkInput {
        let now = self.archive.clock.now();
        let ledger = &self.archive.ledger;
        let (item, taken) = match action {
            ClerkAction::Intend(item, order) => (item, said(ledger.intend(now, order).await)),
            ClerkAction::Puncture(item, recording, seconds, reason) => {
                (item, self.puncture(recording, seconds, reason).await)
            }
            ClerkAction::DestroySlip(item, recording) => {
                (item, said(ledger.destroy_slip(now, recording).await))
            }
            ClerkAction::DeleteObject(item, recording) => (item, self.delete(recording).await),
            ClerkAction::RemoveRow(item, recording, reason) => {
                (item, said(ledger.remove_row(now, recording, reason).await))
            }
        };
        match taken {
            Ok(Taken::Done) => ClerkInput::Done(item),
            Ok(Taken::Settled) => ClerkInput::Settled(item),
            Err(obstacle) => ClerkInput::Failed(item, obstacle),
        }
    }

    async fn puncture(
        &self,
        recording: RecordingId,
        seconds: Erasure,
        reason: Reason,
    ) -> Result<Taken, Obstacle> {
        let alarm = |error: OfficeError| {
            tracing::error!(%recording, %error, "erasing seconds");
            Obstacle::Keys
        };
        let row = ledger_read(self.archive.ledger.recording(recording).await)?;
        let slip = self.archive.slip(recording, &row.tenant).await.map_err(alarm)?;
        let epoch = self.archive.epoch(&row.tenant, &month(row.delete_after)).await;
        let (epoch, key) = epoch.map_err(alarm)?;
        let slip = sealed(&slip.erase(seconds), &row.tenant, epoch, &key)
            .map_err(|error| alarm(error.into()))?;
        let now = self.archive.clock.now();
        said(self.archive.ledger.puncture(now, slip, seconds, reason).await)
    }

    async fn delete(&self, recording: RecordingId) -> Result<Taken, Obstacle> {
        let archive = Arc::clone(&self.archive);
        let deleted = tokio::task::spawn_blocking(move || archive.store.delete(recording)).await;
        match deleted {
            Ok(Ok(())) => Ok(Taken::Done),
            Ok(Err(error)) => {
                tracing::error!(%recording, %error, "deleting an object");
                Err(Obstacle::Store)
            }
            Err(_) => Err(Obstacle::Store),
        }
    }
}

fn ledger_read<T>(read: Result<Option<T>, LedgerError>) -> Result<T, Obstacle> {
    match read {
        Ok(Some(row)) => Ok(row),
        Ok(None) | Err(_) => Err(Obstacle::Ledger),
    }
}

fn said(taken: Result<Taken, LedgerError>) -> Result<Taken, Obstacle> {
    taken.map_err(|error| {
        tracing::error!(%error, "a deletion step in the ledger");
        error.obstacle()
    })
}
