//! The way to the recorder thread: what it is told, and what it gives back.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
};

use call::{CallId, Fate, NotReady, Permit, RecordingId, Time};
use media::{Stock, Tap, TapReader};
use vault::{Paper, RootSeed, Tape as Spooled, Writer, WriterConfig, WriterError};

/// Blocks of a tap: more than six seconds of sound, before speech is lost for want of a disk. They are
/// made only while the disk is late.
const BLOCKS: u16 = 80;
/// The same where a block is of 30 ms, because keys are kept out.
const SHORT_BLOCKS: u16 = 210;

/// What the recorder is told.
pub enum Order {
    /// A recording begins.
    Begin(Box<Begin>),
    /// A recording ends with this fate.
    End(CallId, RecordingId, Fate),
    /// A recording is stored, or erased: its journal is needed no longer.
    Release(RecordingId),
}

/// A recording that begins.
pub struct Begin {
    pub(super) call: CallId,
    pub(super) writer: Writer,
    pub(super) reader: TapReader,
}

/// A recording that has ended and waits for its store.
pub struct Ended {
    /// Its call.
    pub call: CallId,
    /// The recording.
    pub recording: RecordingId,
    /// What is in the spool; `None` when nothing usable is.
    pub tape: Option<Arc<Spooled>>,
    /// When its first sample was heard.
    pub started: Option<Time>,
    /// When it ended: retention counts from here.
    pub at: Time,
    /// What is to become of it.
    pub fate: Fate,
    /// Whether audio is missing.
    pub degraded: bool,
}

/// Why a recording cannot begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BeginError {
    /// The seed of the committed slip is gone.
    NoSeed,
    /// The writer refused.
    Writer(WriterError),
    /// The recorder thread is gone.
    NoThread,
}

impl fmt::Display for BeginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSeed => f.write_str("its key is no longer in memory; nothing to be done"),
            Self::Writer(error) => error.fmt(f),
            Self::NoThread => f.write_str("the recorder thread has ended; restart the node"),
        }
    }
}

/// The way to the recorder thread.
#[derive(Clone)]
pub struct RecorderDoor {
    orders: Sender<Order>,
    failing: Failing,
    alive: Arc<()>,
    /// Blocks for the taps.
    stock: Stock,
    /// What the recordings are written on.
    paper: Paper,
}

/// Since when the disk takes nothing, in microseconds since 1970; 0 while it takes recordings.
#[derive(Clone, Debug, Default)]
pub(super) struct Failing(Arc<AtomicU64>);

impl Failing {
    /// Since when, if it is so.
    pub(super) fn since(&self) -> Option<Time> {
        Some(self.0.load(Ordering::Acquire)).filter(|since| *since > 0).map(Time::from_micros)
    }

    /// It takes nothing from now on. Whether that is news.
    pub(super) fn begins(&self, now: Time) -> bool {
        let now = now.as_micros().max(1);
        self.0.compare_exchange(0, now, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// It takes recordings again. Whether that is news.
    pub(super) fn ends(&self) -> bool {
        self.0.swap(0, Ordering::AcqRel) > 0
    }
}

impl RecorderDoor {
    /// Whether a recording could begin now.
    ///
    /// # Errors
    /// The disk is full or failing, or the thread is gone.
    pub fn ready(&self) -> Result<(), NotReady> {
        // The thread holds the other half for as long as it lives.
        if Arc::strong_count(&self.alive) < 2 {
            return Err(NotReady::Recorder);
        }
        if self.failing().is_some() { Err(NotReady::Disk) } else { Ok(()) }
    }

    /// Since when the disk has been full or failing, if it is.
    #[must_use]
    pub fn failing(&self) -> Option<Time> {
        self.failing.since()
    }

    /// Makes the writer of a permit, then its tap: in this order, so that no audio is ever taken
    /// that nobody could seal.
    ///
    /// # Errors
    /// [`BeginError`]; the permit is spent and nothing is recorded.
    pub fn begin(
        &self,
        permit: Permit,
        seed: Option<RootSeed>,
        config: &WriterConfig,
        blank_keys: bool,
    ) -> Result<Tap, BeginError> {
        let seed = seed.ok_or(BeginError::NoSeed)?;
        let writer = Writer::create(&permit, seed, config).map_err(BeginError::Writer)?;
        let writer = writer.on(&self.paper);
        let (feed, reader) = self.stock.ring(if blank_keys { SHORT_BLOCKS } else { BLOCKS });
        let begin = Box::new(Begin { call: permit.call(), writer, reader });
        self.orders.send(Order::Begin(begin)).map_err(|_| BeginError::NoThread)?;
        let tap = Tap::open(permit, feed);
        Ok(if blank_keys { tap.without_keys() } else { tap })
    }

    /// Tells the thread that a recording is over.
    pub fn end(&self, call: CallId, recording: RecordingId, fate: Fate) {
        self.tell(Order::End(call, recording, fate));
    }

    /// Tells the thread that a recording needs its journal no longer.
    pub fn release(&self, recording: RecordingId) {
        self.tell(Order::Release(recording));
    }

    fn tell(&self, order: Order) {
        if self.orders.send(order).is_err() {
            tracing::error!("the recorder thread has ended; restart the node");
        }
    }
}

/// The thread's half of a door.
pub(super) struct Inside {
    pub(super) orders: Receiver<Order>,
    /// Whether the disk takes nothing.
    pub(super) failing: Failing,
    /// Held for as long as the thread lives.
    pub(super) alive: Arc<()>,
}

/// Both halves.
pub(super) fn door() -> (RecorderDoor, Inside) {
    let (orders, inbox) = channel();
    let (failing, alive) = (Failing::default(), Arc::new(()));
    let (stock, paper) = (Stock::default(), Paper::default());
    let door =
        RecorderDoor { orders, failing: failing.clone(), alive: Arc::clone(&alive), stock, paper };
    (door, Inside { orders: inbox, failing, alive })
}
