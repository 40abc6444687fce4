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
        while self.busy < self.busy_max {
            let id = self.ready.pop_front()?;
            if !self.is_first(id) {
                continue;
            }
            let Some(item) = self.items.get_mut(&id) else { continue };
            if item.progress == Progress::Waiting {
                item.progress = Progress::Busy;
                self.busy += 1;
                return Some(action(id, item));
            }
        }
        None
    }

    /// Hears how a step went. What is said of an item with no step under way is ignored.
    pub fn handle(&mut self, input: ClerkInput) {
        let (ClerkInput::Done(id) | ClerkInput::Settled(id) | ClerkInput::Failed(id, _)) = input;
        let Some(item) = self.items.get_mut(&id).filter(|item| item.progress == Progress::Busy)
        else {
            return;
        };
        self.busy -= 1;
        let recording = item.order.recording;
        match input {
            ClerkInput::Done(_) => match next_step(item) {
                Some(step) => (item.step, item.progress) = (step, Progress::Waiting),
                None => self.finish(id),
            },
            ClerkInput::Settled(_) => self.finish(id),
            ClerkInput::Failed(_, obstacle) => {
                item.progress = Progress::Stuck;
                self.reports.push_back(ClerkReport::Open(id, item.order, item.step, obstacle));
            }
        }
        self.line_up(recording);
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
        self.line_up(order.recording);
        id
    }

    /// Puts the next item of a recording in line. A whole deletion overtakes the erasure of some
    /// seconds, which may be stuck, but not a step that is under way.
    fn line_up(&mut self, recording: RecordingId) {
        let Some(queue) = self.queues.get_mut(&recording) else { return };
        let progress = |id: &ItemId| self.items.get(id).map(|item| item.progress);
        if queue.front().and_then(progress) == Some(Progress::Busy) {
            return;
        }
        let is_whole = |id: &ItemId| {
            self.items.get(id).is_some_and(|item| item.order.removal == Removal::Whole)
        };
        if let Some(id) = queue.iter().position(is_whole).and_then(|place| queue.remove(place)) {
            queue.push_front(id);
        }
        match queue.front() {
            Some(first) => self.ready.push_back(*first),
            None => {
                self.queues.remove(&recording);
            }
        }
    }

    /// Whether an item is the one that its recording's removals have come to.
    fn is_first(&self, id: ItemId) -> bool {
        let queue = self.items.get(&id).and_then(|item| self.queues.get(&item.order.recording));
        queue.is_some_and(|queue| queue.front() == Some(&id))
    }

    /// Everything that an item ordered is gone; of a whole recording, everything is.
    fn finish(&mut self, id: ItemId) {
        let Some(item) = self.items.remove(&id) else { return };
        self.reports.push_back(ClerkReport::Removed(id, item.order));
        let recording = item.order.recording;
        let Some(queue) = self.queues.get_mut(&recording) else { return };
        queue.retain(|other| *other != id);
        if item.order.removal == Removal::Whole {
            for id in std::mem::take(queue) {
                let covered = self.items.remove(&id);
                let report = covered.map(|covered| ClerkReport::Removed(id, covered.order));
                self.reports.extend(report);
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

#[cfg(test)]
mod tests {
    use super::*;

    const RECORDING: RecordingId = RecordingId::from_bytes([1; 16]);

    const fn order(removal: Removal) -> Order {
        Order { recording: RECORDING, removal, reason: Reason::Request }
    }

    const fn seconds(from: u32, to: u32) -> Order {
        order(Removal::Seconds(Erasure { from, to }))
    }

    const WHOLE: Order = order(Removal::Whole);

    /// A slow, obvious world: what exists, and what the ledger has proved.
    #[derive(Clone, Debug)]
    struct World {
        slip: Option<Vec<bool>>,
        object: bool,
        row: bool,
        intents: Vec<Order>,
        proved: Vec<Order>,
    }

    impl World {
        fn new() -> Self {
            Self {
                slip: Some(vec![true; 30]),
                object: true,
                row: true,
                intents: Vec::new(),
                proved: Vec::new(),
            }
        }

        /// Whether what was ordered is really gone.
        fn is_gone(&self, order: Order) -> bool {
            match order.removal {
                Removal::Whole => self.slip.is_none() && !self.object && !self.row,
                Removal::Seconds(Erasure { from, to }) => self
                    .slip
                    .as_ref()
                    .is_none_or(|opens| !opens[from as usize..to as usize].contains(&true)),
            }
        }

        /// Takes a step; the order of the invariant is asserted at each.
        fn take(&mut self, action: ClerkAction) -> ClerkInput {
            match action {
                ClerkAction::Intend(id, order) => {
                    if !self.row || self.proved.contains(&order) {
                        return ClerkInput::Settled(id);
                    }
                    if !self.intents.contains(&order) {
                        self.intents.push(order);
                    }
                    ClerkInput::Done(id)
                }
                ClerkAction::Puncture(id, recording, seconds, reason) => {
                    let order = Order { recording, removal: Removal::Seconds(seconds), reason };
                    if self.proved.contains(&order) || !self.row {
                        return ClerkInput::Settled(id);
                    }
                    assert!(self.intents.contains(&order), "an intent goes before a puncture");
                    let opens = self.slip.as_mut().expect("no puncture without a slip");
                    opens[seconds.from as usize..seconds.to as usize].fill(false);
                    self.intents.retain(|other| *other != order);
                    self.proved.push(order);
                    ClerkInput::Done(id)
                }
                ClerkAction::DestroySlip(id, _) if !self.row => ClerkInput::Settled(id),
                ClerkAction::RemoveRow(id, ..) if !self.row => ClerkInput::Settled(id),
                ClerkAction::DestroySlip(id, _) => {
                    assert!(self.intents.contains(&WHOLE), "an intent goes before the slip");
                    self.slip = None;
                    ClerkInput::Done(id)
                }
                ClerkAction::DeleteObject(id, _) => {
                    assert!(self.slip.is_none(), "the slip goes before the object");
                    self.object = false;
                    ClerkInput::Done(id)
                }
                ClerkAction::RemoveRow(id, ..) => {
                    assert!(
                        self.slip.is_none() && !self.object,
                        "slip and object go before the row"
                    );
                    self.row = false;
                    self.proved.push(WHOLE);
                    self.intents.clear();
                    ClerkInput::Done(id)
                }
            }
        }
    }

    const fn id_of(action: ClerkAction) -> ItemId {
        match action {
            ClerkAction::Intend(id, _)
            | ClerkAction::Puncture(id, ..)
            | ClerkAction::DestroySlip(id, _)
            | ClerkAction::DeleteObject(id, _)
            | ClerkAction::RemoveRow(id, ..) => id,
        }
    }

    /// What happens to one step.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Luck {
        /// It works.
        Works,
        /// It fails before anything is done.
        Fails,
        /// It is done, and the answer is lost: told as a failure.
        FailsAfter,
        /// The program ends before it.
        Crashes,
        /// The program ends after it, before the answer.
        CrashesAfter,
    }

    const LUCK: [Luck; 5] =
        [Luck::Works, Luck::Fails, Luck::FailsAfter, Luck::Crashes, Luck::CrashesAfter];

    fn check_reports(clerk: &mut Clerk, world: &World) {
        while let Some(report) = clerk.poll_report() {
            if let ClerkReport::Removed(_, order) = report {
                assert!(world.is_gone(order), "{order:?} was reported and is not gone: {world:?}");
            }
        }
    }

    /// Carries out orders under a schedule of luck; afterwards everything works.
    fn run(orders: &[Order], schedule: &[Luck]) -> World {
        let (mut world, mut clerk) = (World::new(), Clerk::new(4));
        for order in orders {
            clerk.order(*order);
        }
        let mut luck = schedule.iter().copied().chain(std::iter::repeat(Luck::Works));
        for _ in 0..100 {
            let Some(action) = clerk.poll_action() else {
                check_reports(&mut clerk, &world);
                if clerk.open() == 0 {
                    return world;
                }
                assert!(clerk.stuck() > 0, "an open item is neither ready nor stuck");
                clerk.retry();
                continue;
            };
            let luck = luck.next().unwrap_or(Luck::Works);
            let answer = match luck {
                Luck::Fails | Luck::Crashes => None,
                Luck::Works | Luck::FailsAfter | Luck::CrashesAfter => Some(world.take(action)),
            };
            match (luck, answer) {
                (Luck::Works, Some(answer)) => clerk.handle(answer),
                (Luck::Crashes | Luck::CrashesAfter, _) => {
                    clerk = Clerk::new(4);
                    for order in world.intents.clone() {
                        clerk.resume(order);
                    }
                    // Whoever had ordered it orders it again; what is proved is settled at once.
                    for order in orders {
                        clerk.order(*order);
                    }
                }
                (_, _) => clerk.handle(ClerkInput::Failed(id_of(action), Obstacle::Store)),
            }
            check_reports(&mut clerk, &world);
        }
        panic!("{orders:?} under {schedule:?} never ends");
    }

    #[test]
    fn l_17_whatever_fails_or_crashes_everything_is_gone_at_the_end_and_nothing_is_said_before() {
        let cases: [&[Order]; 5] = [
            &[WHOLE],
            &[seconds(3, 9)],
            &[seconds(3, 9), seconds(20, 22)],
            &[seconds(3, 9), WHOLE],
            &[WHOLE, seconds(3, 9)],
        ];
        for orders in cases {
            // Every schedule of five steps.
            for number in 0..LUCK.len().pow(5) {
                let digits = std::iter::successors(Some(number), |n| Some(n / LUCK.len())).take(5);
                let schedule: Vec<_> = digits.map(|n| LUCK[n % LUCK.len()]).collect();
                let world = run(orders, &schedule);
                for order in orders {
                    assert!(world.is_gone(*order), "{orders:?} under {schedule:?}: {world:?}");
                }
                assert!(world.intents.is_empty(), "{orders:?} under {schedule:?}: {world:?}");
            }
        }
    }

    #[test]
    fn a_failed_step_leaves_the_item_open_at_that_step_and_says_so() {
        let mut clerk = Clerk::new(1);
        let id = clerk.order(WHOLE);
        assert_eq!(clerk.poll_action(), Some(ClerkAction::Intend(id, WHOLE)));
        clerk.handle(ClerkInput::Done(id));
        assert_eq!(clerk.poll_action(), Some(ClerkAction::DestroySlip(id, RECORDING)));
        clerk.handle(ClerkInput::Done(id));
        assert_eq!(clerk.poll_action(), Some(ClerkAction::DeleteObject(id, RECORDING)));
        clerk.handle(ClerkInput::Failed(id, Obstacle::Store));
        let open = ClerkReport::Open(id, WHOLE, Step::DeleteObject, Obstacle::Store);
        assert_eq!((clerk.poll_report(), clerk.poll_report()), (Some(open), None));
        assert_eq!((clerk.poll_action(), clerk.open(), clerk.stuck()), (None, 1, 1));
        clerk.handle(ClerkInput::Done(id));
        assert_eq!(clerk.open(), 1, "an answer without a step under way is ignored");
        clerk.retry();
        assert_eq!(clerk.poll_action(), Some(ClerkAction::DeleteObject(id, RECORDING)));
        clerk.handle(ClerkInput::Done(id));
        let reason = WHOLE.reason;
        assert_eq!(clerk.poll_action(), Some(ClerkAction::RemoveRow(id, RECORDING, reason)));
        clerk.handle(ClerkInput::Done(id));
        assert_eq!(clerk.poll_report(), Some(ClerkReport::Removed(id, WHOLE)));
        assert_eq!((clerk.open(), clerk.poll_action()), (0, None));
    }

    #[test]
    fn a_second_order_joins_the_one_that_covers_it() {
        let mut clerk = Clerk::new(1);
        let whole = clerk.order(WHOLE);
        assert_eq!(clerk.order(WHOLE), whole);
        assert_eq!(clerk.order(seconds(1, 2)), whole);
        let mut clerk = Clerk::new(1);
        let wide = clerk.order(seconds(1, 9));
        assert_eq!(clerk.order(seconds(2, 9)), wide);
        assert_ne!(clerk.order(seconds(2, 10)), wide);
    }

    #[test]
    fn a_whole_deletion_overtakes_a_stuck_erasure_and_ends_it() {
        let mut clerk = Clerk::new(4);
        let part = clerk.order(seconds(1, 2));
        assert_eq!(clerk.poll_action(), Some(ClerkAction::Intend(part, seconds(1, 2))));
        let whole = clerk.order(WHOLE);
        assert_eq!(clerk.poll_action(), None, "one step per recording at a time");
        clerk.handle(ClerkInput::Failed(part, Obstacle::Keys));
        assert_eq!(clerk.poll_action(), Some(ClerkAction::Intend(whole, WHOLE)));
        for _ in 0..3 {
            clerk.handle(ClerkInput::Done(whole));
            assert!(clerk.poll_action().is_some());
        }
        clerk.handle(ClerkInput::Done(whole));
        let reports: Vec<_> = std::iter::from_fn(|| clerk.poll_report()).collect();
        assert_eq!(
            reports[1..],
            [ClerkReport::Removed(whole, WHOLE), ClerkReport::Removed(part, seconds(1, 2)),]
        );
        assert_eq!(clerk.open(), 0);
    }

    #[test]
    fn no_more_steps_are_under_way_than_allowed() {
        let mut clerk = Clerk::new(2);
        for id in 1..=5 {
            let recording = RecordingId::from_bytes([id; 16]);
            clerk.order(Order { recording, ..WHOLE });
        }
        let first = clerk.poll_action().unwrap();
        assert!(clerk.poll_action().is_some());
        assert_eq!(clerk.poll_action(), None);
        clerk.handle(ClerkInput::Done(id_of(first)));
        assert!(clerk.poll_action().is_some());
        assert_eq!(clerk.poll_action(), None);
    }
}
