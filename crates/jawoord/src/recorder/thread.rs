//! The recorder thread: takes blocks from taps, seals them, and appends them to the spool.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, TryRecvError},
    },
    thread,
    time::{Duration, Instant},
};

use call::{CallId, Fate, RecordingId, Time};
use media::TapReader;
use tokio::sync::mpsc::UnboundedSender;
use vault::{Spool, SpoolError, WriterError};

use super::{
    door::{Begin, Ended, Failing, Inside, Order, RecorderDoor, door},
    reel::Reel,
};
use crate::{
    clock::Clock,
    note::{Note, Tape},
    office::lanes::OfficeDoor,
};

/// How often each tap is looked at.
const TICK: Duration = Duration::from_millis(10);
/// So many are looked at in one go, spread over a tick: a media thread on the same processor waits for no
/// longer than that takes, some tenths of a millisecond.
const AT_A_TIME: usize = 100;
/// How often everything appended reaches the disk.
const SYNC: Duration = Duration::from_secs(1);
/// How much lower its priority is than that of the threads that carry speech.
const YIELDS: i32 = 5;
/// With less free space than this nobody is asked: it is for the calls that record already, and
/// holds a minute of 60 of them or an hour of one (a quarter of that where both sides speak G.722).
pub const ROOM: u64 = 64 * 1024 * 1024;

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
    let (door, inside) = door();
    let failing = inside.failing.clone();
    let folder = folder.to_owned();
    let running = Vec::new();
    let recorder = Recorder { spool, folder, clock, notes, office, failing, running };
    recorder.look(Ok(()));
    let mourner = Mourner(recorder.notes.clone());
    thread::Builder::new().name("recorder".to_owned()).spawn(move || {
        // Speech goes first: the media threads are not to wait for this one, whose taps wait for six seconds.
        let _refused_changes_nothing = rustix::process::nice(YIELDS);
        live(mourner, inside, |orders| recorder.run(orders));
    })?;
    Ok(door)
}

/// Tells the calls when the thread has ended by a defect.
struct Mourner(UnboundedSender<Note>);

impl Drop for Mourner {
    fn drop(&mut self) {
        if thread::panicking() {
            // The loop is gone only when the node is.
            let _stopping = self.0.send(Note::RecorderGone);
        }
    }
}

/// Works for as long as there are orders. When a defect ends it, nobody finds it ready any more, and then
/// the calls are told.
fn live(_dropped_last: Mourner, inside: Inside, work: impl FnOnce(&Receiver<Order>)) {
    let Inside { orders, alive: _alive, .. } = inside;
    work(&orders);
}

struct Running {
    call: CallId,
    recording: RecordingId,
    /// `None` once the recording cannot go on.
    reel: Option<Reel>,
    reader: TapReader,
    started: Option<Time>,
    missing_ms: u64,
    degraded: bool,
    fate: Option<Fate>,
    /// How often its end was asked for beyond the first time: each is answered.
    again: u8,
}

struct Recorder {
    spool: Spool,
    folder: PathBuf,
    clock: Clock,
    notes: UnboundedSender<Note>,
    office: OfficeDoor,
    failing: Failing,
    running: Vec<Running>,
}

impl Recorder {
    fn run(mut self, inbox: &Receiver<Order>) {
        let mut sync_at = Instant::now() + SYNC;
        let (mut next, mut look_at) = (0, Instant::now());
        loop {
            loop {
                match inbox.try_recv() {
                    Ok(order) => self.obey(order),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return,
                }
            }
            next = self.look_at_some(next);
            if Instant::now() >= sync_at {
                sync_at = Instant::now() + SYNC;
                let synced = self.spool.sync();
                self.look(synced);
            }
            if self.running.is_empty() {
                // Nothing records: wait for an order instead of ticking.
                match inbox.recv_timeout(SYNC) {
                    Ok(order) => self.obey(order),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            } else {
                let (goes, now) = (self.running.len().div_ceil(AT_A_TIME), Instant::now());
                // Whoever is late begins anew and does not hurry.
                look_at = (look_at + TICK / u32::try_from(goes).unwrap_or(u32::MAX)).max(now);
                thread::sleep(look_at.saturating_duration_since(now));
            }
        }
    }

    /// Looks at some recordings from `next` on and says which is next then; at all of them in turn, whichever
    /// end meanwhile.
    fn look_at_some(&mut self, next: usize) -> usize {
        let mut running = std::mem::take(&mut self.running);
        let mut next = if next < running.len() { next } else { 0 };
        for _ in 0..AT_A_TIME {
            let Some(one) = running.get_mut(next) else { break };
            if self.step(one) {
                next += 1;
            } else {
                running.swap_remove(next);
            }
        }
        self.running = running;
        next
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Begin(begin) => {
                let Begin { call, writer, reader } = *begin;
                let running = Running {
                    call,
                    recording: writer.recording(),
                    reader,
                    started: None,
                    missing_ms: 0,
                    degraded: false,
                    fate: None,
                    again: 0,
                    reel: Some(Reel::new(writer)),
                };
                self.running.push(running);
            }
            Order::End(call, recording, fate) => match self.find(recording) {
                Some(running) => {
                    running.again += u8::from(running.fate.is_some());
                    running.fate = Some(fate);
                }
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

    fn find(&mut self, recording: RecordingId) -> Option<&mut Running> {
        self.running.iter_mut().find(|running| running.recording == recording)
    }

    /// One turn of one recording; whether it goes on.
    fn step(&mut self, running: &mut Running) -> bool {
        match self.turn(running) {
            // Of a thousand recordings hardly one has anything at each look, and no more is touched of it.
            Ok(false) if running.fate.is_none() => return true,
            Ok(_) => {}
            Err(failed) => {
                tracing::error!(call = %running.call, %failed, "the recording cannot go on");
                running.reel = None;
                running.degraded = true;
                self.note(Tape::Failed { call: running.call, recording: running.recording });
            }
        }
        self.losses(running);
        match running.fate {
            Some(fate) if running.reader.is_closed() => {
                self.close(running, fate);
                false
            }
            Some(_) | None => true,
        }
    }

    /// Takes what the tap has handed on and seals what is old enough; whether there was anything.
    fn turn(&mut self, running: &mut Running) -> Result<bool, Failed> {
        let mut some = running.started.is_none();
        while let Some(block) = running.reader.pop() {
            some = true;
            running.started.get_or_insert(block.started());
            let taken = running.reel.as_mut().map_or(Ok(()), |reel| reel.take(&block));
            running.reader.give_back(block);
            taken?;
        }
        if some {
            self.append(running)?;
        }
        Ok(some)
    }

    fn append(&mut self, running: &mut Running) -> Result<(), Failed> {
        let Some(reel) = &mut running.reel else { return Ok(()) };
        while let Some(record) = reel.poll_record() {
            let result = self.spool.append(&record);
            self.failing(result);
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
            let Running { call, recording, .. } = *running;
            self.note(Tape::Degraded { call, recording, missing_ms });
        }
    }

    fn close(&mut self, running: &mut Running, fate: Fate) {
        let recording = running.recording;
        if let Some(reel) = running.reel.take() {
            let finished = reel.finish().map_err(Failed::from);
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
        self.failing(result);
        let ended = Ended {
            call: running.call,
            recording,
            tape: self.spool.take(recording).map(Arc::new),
            at: self.clock.now(),
            started: running.started,
            fate,
            degraded: running.degraded || result.is_err(),
        };
        let call = ended.call;
        self.office.ended(ended);
        if matches!(fate, Fate::Erase(_)) {
            (0..running.again).for_each(|_| self.office.unbegun(call, recording, fate));
        }
    }

    /// A disk that does not take sound must not make callers be asked.
    fn failing(&self, result: Result<(), SpoolError>) {
        if let Err(error) = result
            && self.failing.begins(self.clock.now())
        {
            tracing::error!(%error, "nobody is asked now");
        }
    }

    /// Looks at the disk, once a second. One that has failed must take a probe before anybody is
    /// asked again: that nothing was written means nothing.
    fn look(&self, synced: Result<(), SpoolError>) {
        let failed = self.failing.since().is_some();
        let result = synced
            .and_then(|()| self.room())
            .and_then(|()| if failed { self.spool.probe() } else { Ok(()) });
        self.failing(result);
        if result.is_ok() && self.failing.ends() {
            tracing::info!("the spool takes recordings again");
        }
    }

    fn room(&self) -> Result<(), SpoolError> {
        let space = rustix::fs::statvfs(&self.folder).map_err(io::Error::from)?;
        let free = space.f_bavail.saturating_mul(space.f_frsize);
        if free < ROOM { Err(SpoolError::Full) } else { Ok(()) }
    }

    fn note(&self, tape: Tape) {
        // The loop is gone only when the node is.
        let _stopping = self.notes.send(Note::Tape(tape));
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

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    #[test]
    fn o_05_a_recorder_that_dies_is_ready_no_more_and_then_the_calls_are_told() {
        let ends = |dies: bool| {
            let ((door, inside), (notes, mut inbox)) = (door(), mpsc::unbounded_channel());
            assert_eq!(door.ready(), Ok(()));
            let work = move |_: &Receiver<Order>| assert!(!dies, "announced: a defect of ours");
            let thread = thread::spawn(move || live(Mourner(notes), inside, work));
            assert_eq!(thread.join().is_err(), dies);
            assert_eq!(door.ready(), Err(call::NotReady::Recorder));
            inbox.try_recv()
        };
        assert!(matches!(ends(true), Ok(Note::RecorderGone)));
        assert!(ends(false).is_err(), "a node that stops has no dead recorder");
    }
}
