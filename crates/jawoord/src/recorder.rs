//! The recorder thread: takes blocks from taps, seals them, and appends them to the spool.

use std::{
    collections::HashMap,
    fmt, io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender, TryRecvError, channel},
    },
    thread,
    time::{Duration, Instant},
};

use call::{CallId, Fate, NotReady, Permit, RecordingId, Time};
use media::{Block, Tap, TapReader, ring};
use tokio::sync::mpsc::UnboundedSender;
use vault::{
    Absence, Codec, RootSeed, Spool, SpoolError, Tape as Spooled, Writer, WriterConfig, WriterError,
};

use crate::{clock::Clock, node::run::Note, office::lanes::OfficeDoor};

/// Blocks of a tap: two seconds of sound, before speech is lost for want of a disk.
const BLOCKS: usize = 24;
/// How often the thread looks at its taps.
const TICK: Duration = Duration::from_millis(10);
/// How often everything appended reaches the disk.
const SYNC: Duration = Duration::from_secs(1);

/// What the recorder tells the calls.
#[derive(Debug)]
pub enum Tape {
    /// Audio of a running recording was lost.
    Degraded {
        /// The call.
        call: CallId,
        /// How much.
        missing_ms: u64,
    },
    /// A recording cannot go on.
    Failed {
        /// The call.
        call: CallId,
    },
}

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
    call: CallId,
    writer: Writer,
    reader: TapReader,
}

/// A recording that has ended and waits for its store.
pub struct Ended {
    /// Its call.
    pub call: CallId,
    /// The recording.
    pub recording: RecordingId,
    /// What is in the spool; `None` when nothing usable is.
    pub tape: Option<Spooled>,
    /// When its first sample was heard.
    pub started: Option<Time>,
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
    full: Arc<AtomicBool>,
    alive: Arc<()>,
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
        if self.full.load(Ordering::Acquire) { Err(NotReady::Disk) } else { Ok(()) }
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
    ) -> Result<Tap, BeginError> {
        let seed = seed.ok_or(BeginError::NoSeed)?;
        let writer = Writer::create(&permit, seed, config).map_err(BeginError::Writer)?;
        let (feed, reader) = ring(BLOCKS);
        let begin = Box::new(Begin { call: permit.call(), writer, reader });
        self.orders.send(Order::Begin(begin)).map_err(|_| BeginError::NoThread)?;
        Ok(Tap::open(permit, feed))
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

/// Starts the recorder thread on a spool folder.
///
/// # Errors
/// The folder cannot be used, or there is no thread.
pub fn start(
    folder: &Path,
    clock: Clock,
    notes: UnboundedSender<Note>,
    office: OfficeDoor,
) -> io::Result<RecorderDoor> {
    let spool = Spool::open(folder, 0).map_err(io::Error::other)?;
    let (orders, inbox) = channel();
    let (full, alive) = (Arc::new(AtomicBool::new(false)), Arc::new(()));
    let door = RecorderDoor { orders, full: Arc::clone(&full), alive: Arc::clone(&alive) };
    let recorder = Recorder { spool, clock, notes, office, full, running: HashMap::new() };
    thread::Builder::new().name("recorder".to_owned()).spawn(move || {
        let _alive = alive;
        recorder.run(&inbox);
    })?;
    Ok(door)
}

struct Running {
    call: CallId,
    writer: Option<Writer>,
    reader: TapReader,
    started: Option<Time>,
    until: u64,
    paused: bool,
    missing_ms: u64,
    degraded: bool,
    fate: Option<Fate>,
}

struct Recorder {
    spool: Spool,
    clock: Clock,
    notes: UnboundedSender<Note>,
    office: OfficeDoor,
    full: Arc<AtomicBool>,
    running: HashMap<RecordingId, Running>,
}

impl Recorder {
    fn run(mut self, inbox: &Receiver<Order>) {
        let mut sync_at = Instant::now() + SYNC;
        loop {
            loop {
                match inbox.try_recv() {
                    Ok(order) => self.obey(order),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return,
                }
            }
            let recordings: Vec<RecordingId> = self.running.keys().copied().collect();
            for recording in recordings {
                if let Some(running) = self.running.remove(&recording) {
                    self.step(recording, running);
                }
            }
            if Instant::now() >= sync_at {
                sync_at = Instant::now() + SYNC;
                let result = self.spool.sync();
                self.judge(result);
            }
            if self.running.is_empty() {
                // Nothing records: wait for an order instead of ticking.
                match inbox.recv_timeout(SYNC) {
                    Ok(order) => self.obey(order),
                    Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
                    Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return,
                }
            } else {
                thread::sleep(TICK);
            }
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Begin(begin) => {
                let Begin { call, writer, reader } = *begin;
                let running = Running {
                    call,
                    reader,
                    started: None,
                    until: 0,
                    paused: false,
                    missing_ms: 0,
                    degraded: false,
                    fate: None,
                    writer: Some(writer),
                };
                let recording = running.writer.as_ref().map(Writer::recording);
                if let Some(recording) = recording {
                    self.running.insert(recording, running);
                }
            }
            Order::End(call, recording, fate) => match self.running.get_mut(&recording) {
                Some(running) => running.fate = Some(fate),
                // It never began: the office still has its row and slip.
                None => self.office.unbegun(call, recording, fate),
            },
            Order::Release(recording) => {
                if let Err(error) = self.spool.release(recording)
                    && error != SpoolError::Unknown
                {
                    tracing::warn!(%recording, %error, "a journal could not be removed");
                }
            }
        }
    }

    /// One turn of one recording.
    fn step(&mut self, recording: RecordingId, mut running: Running) {
        if let Err(failed) = self.turn(&mut running) {
            tracing::error!(call = %running.call, %failed, "the recording cannot go on");
            running.writer = None;
            running.degraded = true;
            self.note(Tape::Failed { call: running.call });
        }
        self.losses(&mut running);
        match running.fate {
            Some(fate) if running.reader.is_closed() => self.close(recording, running, fate),
            Some(_) | None => {
                self.running.insert(recording, running);
            }
        }
    }

    /// Takes what the tap has handed on and seals what is old enough.
    fn turn(&mut self, running: &mut Running) -> Result<(), Failed> {
        while let Some(block) = running.reader.pop() {
            let pushed = running.take(&block);
            running.reader.give_back(block);
            pushed?;
        }
        if let (Some(started), Some(writer)) = (running.started, &mut running.writer) {
            writer.advance(media::samples(self.clock.now().since(started)))?;
        }
        self.append(running)
    }

    fn append(&mut self, running: &mut Running) -> Result<(), Failed> {
        let Some(writer) = &mut running.writer else { return Ok(()) };
        while let Some(record) = writer.poll_record() {
            let result = self.spool.append(&record);
            self.judge(result);
            result?;
        }
        Ok(())
    }

    fn losses(&self, running: &mut Running) {
        let missing_ms = running.reader.missing_ms();
        if missing_ms > running.missing_ms {
            let missing_ms = missing_ms - running.missing_ms;
            running.missing_ms += missing_ms;
            running.degraded = true;
            self.note(Tape::Degraded { call: running.call, missing_ms });
        }
    }

    fn close(&mut self, recording: RecordingId, mut running: Running, fate: Fate) {
        if let Some(writer) = running.writer.take() {
            let finished = writer.finish(running.until).map_err(Failed::from);
            let appended = finished.and_then(|records| {
                records
                    .iter()
                    .try_for_each(|record| self.spool.append(record))
                    .map_err(Failed::from)
            });
            if let Err(failed) = appended {
                tracing::error!(call = %running.call, %failed, "the end of a recording is lost");
                running.degraded = true;
            }
        }
        let result = self.spool.sync();
        self.judge(result);
        let ended = Ended {
            call: running.call,
            recording,
            tape: self.spool.take(recording),
            started: running.started,
            fate,
            degraded: running.degraded || result.is_err(),
        };
        self.office.ended(ended);
    }

    /// A disk that does not take sound must not make callers be asked.
    fn judge(&self, result: Result<(), SpoolError>) {
        let failing = result.is_err();
        if self.full.swap(failing, Ordering::AcqRel) != failing {
            match result {
                Err(error) => tracing::error!(%error, "the spool"),
                Ok(()) => tracing::info!("the spool takes recordings again"),
            }
        }
    }

    fn note(&self, tape: Tape) {
        // The loop is gone only when the node is.
        let _stopping = self.notes.send(Note::Tape(tape));
    }
}

impl Running {
    fn take(&mut self, block: &Block) -> Result<(), WriterError> {
        self.started.get_or_insert(block.started());
        let Some(writer) = &mut self.writer else { return Ok(()) };
        match (block.paused().is_some(), self.paused) {
            (true, false) => writer.pause(block.from(), Absence::Hold),
            (false, true) => writer.resume(block.from()),
            (true, true) | (false, false) => {}
        }
        self.paused = block.paused().is_some();
        self.until = self.until.max(block.until());
        for frame in block.frames() {
            let codec = match frame.codec {
                media::Codec::Pcma => Codec::Pcma,
                media::Codec::Pcmu => Codec::Pcmu,
            };
            writer.push(frame.party, frame.first_sample, codec, frame.payload)?;
        }
        Ok(())
    }
}

/// Why a recording stopped.
#[derive(Clone, Copy, Debug)]
enum Failed {
    Writer(WriterError),
    Spool(SpoolError),
}

impl From<WriterError> for Failed {
    fn from(error: WriterError) -> Self {
        Self::Writer(error)
    }
}

impl From<SpoolError> for Failed {
    fn from(error: SpoolError) -> Self {
        Self::Spool(error)
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Writer(error) => error.fmt(f),
            Self::Spool(error) => error.fmt(f),
        }
    }
}
