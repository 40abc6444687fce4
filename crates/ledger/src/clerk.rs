//! The clerk: decides the next step of every removal, in the one order that a crash cannot harm.
//!
//! Whole recording: intent, slip, every object version, then row and proof in one transaction.
//! Seconds: intent, then a slip revision without them, with its proof. The clerk does nothing
//! itself: the keeper executes each [`ClerkAction`] and says how it went. What failed stays open
//! and is reported; what is reported as removed was removed.

use std::collections::{BTreeMap, HashMap, VecDeque};

use call::{Erasure, Reason, RecordingId};

use crate::catalogue::recordings::Removal;

/// One removal in the clerk's hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemId(u64);

/// What somebody wants removed, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Of which recording.
    pub recording: RecordingId,
    /// What.
    pub removal: Removal,
    /// Why.
    pub reason: Reason,
}

/// A step that the keeper has to take now. Each is safe to take twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClerkAction {
    /// Write the intent and its fact; a restart resumes from there.
    Intend(ItemId, Order),
    /// Replace the slip by a revision that does not open these seconds, and prove it.
    Puncture(ItemId, RecordingId, Erasure, Reason),
    /// Destroy every trace of the slip.
    DestroySlip(ItemId, RecordingId),
    /// Delete every version of the object, spooled pieces included, and check their absence.
    DeleteObject(ItemId, RecordingId),
    /// Remove row and evidence and write the proof, in one transaction.
    RemoveRow(ItemId, RecordingId, Reason),
}

/// Which step of a removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// [`ClerkAction::Intend`].
    Intend,
    /// [`ClerkAction::Puncture`].
    Puncture,
    /// [`ClerkAction::DestroySlip`].
    DestroySlip,
    /// [`ClerkAction::DeleteObject`].
    DeleteObject,
    /// [`ClerkAction::RemoveRow`].
    RemoveRow,
}

/// What stood in the way of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Obstacle {
    /// A hold forbids it.
    Held,
    /// The ledger could not write.
    Ledger,
    /// The key provider could not open or seal a slip.
    Keys,
    /// The store refused, or what was deleted is still there.
    Store,
}

/// What the keeper tells of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClerkInput {
    /// It is done and durable.
    Done(ItemId),
    /// There was nothing left to remove: an earlier order had done it all.
    Settled(ItemId),
    /// It is not done, or not certainly.
    Failed(ItemId, Obstacle),
}

/// What became of a removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClerkReport {
    /// Everything ordered is gone, with proof.
    Removed(ItemId, Order),
    /// A step failed; the removal stays open until [`Clerk::retry`].
    Open(ItemId, Order, Step, Obstacle),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Waiting,
    Busy,
    Stuck,
}

#[derive(Debug)]
struct Item {
    order: Order,
    step: Step,
    progress: Progress,
}

/// The removals of a node. At most one step per recording is under way at a time.
#[derive(Debug)]
pub struct Clerk {
    items: BTreeMap<ItemId, Item>,
    /// The items of each recording, in order; only the first is worked on.
    queues: HashMap<RecordingId, VecDeque<ItemId>>,
    ready: VecDeque<ItemId>,
    reports: VecDeque<ClerkReport>,
    next: u64,
    busy: usize,
    busy_max: usize,
}

impl Clerk {
    /// A clerk with nothing to do, who has at most `busy_max` steps (at least one) under way.
    #[must_use]
    pub fn new(busy_max: usize) -> Self {
        Self {
            items: BTreeMap::new(),
            queues: HashMap::new(),
            ready: VecDeque::new(),
            reports: VecDeque::new(),
            next: 0,
            busy: 0,
            busy_max: busy_max.max(1),
        }
    }

    /// Takes an order. One that an open removal of the same recording covers joins it.
    pub fn order(&mut self, order: Order) -> ItemId {
        self.take(order, Step::Intend)
    }

    /// Takes up a removal whose intent stands in the ledger since before a restart.
    pub fn resume(&mut self, order: Order) -> ItemId {
        self.take(order, first_step(order.removal))
    }

    /// The next step to take. The answer may change after every other call.
    pub fn poll_action(&mut self) -> Option<ClerkAction> {
        if self.busy == self.busy_max {
            return None;
        }
        let id = self.ready.pop_front()?;
        let item = self.items.get_mut(&id)?;
        item.progress = Progress::Busy;
        self.busy += 1;
        Some(action(id, item))
    }

    /// Hears how a step went. What is said of an item with no step under way is ignored.
    pub fn handle(&mut self, input: ClerkInput) {
        let (ClerkInput::Done(id) | ClerkInput::Settled(id) | ClerkInput::Failed(id, _)) = input;
        let Some(item) = self.items.get_mut(&id).filter(|item| item.progress == Progress::Busy)
        else {
            return;
        };
        self.busy -= 1;
        match input {
            ClerkInput::Done(_) => match next_step(item) {
                Some(step) => {
                    (item.step, item.progress) = (step, Progress::Waiting);
                    self.ready.push_back(id);
                }
                None => self.finish(id),
            },
            ClerkInput::Settled(_) => self.finish(id),
            ClerkInput::Failed(_, obstacle) => {
                item.progress = Progress::Stuck;
                self.reports.push_back(ClerkReport::Open(id, item.order, item.step, obstacle));
            }
        }
    }

    /// Puts every stuck removal in line again, at the step that failed.
    pub fn retry(&mut self) {
        for (id, item) in &mut self.items {
            if item.progress == Progress::Stuck {
                item.progress = Progress::Waiting;
                self.ready.push_back(*id);
            }
        }
    }

    /// The next report. The answer may change after [`Clerk::handle`].
    pub fn poll_report(&mut self) -> Option<ClerkReport> {
        self.reports.pop_front()
    }

    /// How many removals are not finished.
    #[must_use]
    pub fn open(&self) -> usize {
        self.items.len()
    }

    /// How many of them wait for [`Clerk::retry`].
    #[must_use]
    pub fn stuck(&self) -> usize {
        self.items.values().filter(|item| item.progress == Progress::Stuck).count()
    }

    fn take(&mut self, order: Order, step: Step) -> ItemId {
        let queue = self.queues.entry(order.recording).or_default();
        let covering = queue.iter().copied().find(|id| {
            self.items.get(id).is_some_and(|item| covers(item.order.removal, order.removal))
        });
        if let Some(id) = covering {
            return id;
        }
        let id = ItemId(self.next);
        self.next += 1;
        self.items.insert(id, Item { order, step, progress: Progress::Waiting });
        queue.push_back(id);
        if queue.len() == 1 {
            self.ready.push_back(id);
        }
        id
    }

    fn finish(&mut self, id: ItemId) {
        let Some(item) = self.items.remove(&id) else { return };
        self.reports.push_back(ClerkReport::Removed(id, item.order));
        let Some(queue) = self.queues.get_mut(&item.order.recording) else { return };
        queue.retain(|other| *other != id);
        match queue.front() {
            Some(next) => self.ready.push_back(*next),
            None => {
                self.queues.remove(&item.order.recording);
            }
        }
    }
}

/// Whether carrying out `open` also carries out `asked`.
fn covers(open: Removal, asked: Removal) -> bool {
    match (open, asked) {
        (Removal::Whole, _) => true,
        (Removal::Seconds(_), Removal::Whole) => false,
        (Removal::Seconds(open), Removal::Seconds(asked)) => {
            open.from <= asked.from && asked.to <= open.to
        }
    }
}

const fn first_step(removal: Removal) -> Step {
    match removal {
        Removal::Whole => Step::DestroySlip,
        Removal::Seconds(_) => Step::Puncture,
    }
}

const fn next_step(item: &Item) -> Option<Step> {
    match item.step {
        Step::Intend => Some(first_step(item.order.removal)),
        Step::DestroySlip => Some(Step::DeleteObject),
        Step::DeleteObject => Some(Step::RemoveRow),
        Step::Puncture | Step::RemoveRow => None,
    }
}

const fn action(id: ItemId, item: &Item) -> ClerkAction {
    let Order { recording, removal, reason } = item.order;
    match (item.step, removal) {
        (Step::Intend, _) => ClerkAction::Intend(id, item.order),
        (Step::Puncture, Removal::Seconds(seconds)) => {
            ClerkAction::Puncture(id, recording, seconds, reason)
        }
        (Step::DestroySlip | Step::Puncture, _) => ClerkAction::DestroySlip(id, recording),
        (Step::DeleteObject, _) => ClerkAction::DeleteObject(id, recording),
        (Step::RemoveRow, _) => ClerkAction::RemoveRow(id, recording, reason),
    }
}
