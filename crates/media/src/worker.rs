//! The media thread: it owns the sockets of its calls, drives their relays, and alone reads the
//! clock.

use std::{
    collections::HashMap,
    fmt, io,
    net::UdpSocket,
    sync::{
        Arc,
        mpsc::{Receiver, Sender, TryRecvError, channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use call::{CallId, Party, Time};

use crate::{
    line::Lines,
    order::{Command, LegOpen, Order},
    queue::{Alarm, Queue, Ready, prepare, receive},
    relay::{Relay, TRAILER},
    report::{Event, Report},
    slot::{LINES, SOCKETS, Slot, carry_out},
    tone::Tones,
};

/// The longest datagram that is read; a longer one is no telephony.
const DATAGRAM: usize = 2_048;
/// How long a tick lasts.
const TICK: Duration = Duration::from_millis(1);
/// An order waits for so long at most: who wakes within it is not rung for. To be woken for each would
/// take the processor from the thread that gives them, in the midst of what it does.
const SOON: Duration = Duration::from_millis(4);
/// Up to so many calls the thread sleeps from tick to tick instead of being woken per packet;
/// above, waking costs less than a tick's packets do (reference measurements: factor 2.5 at 100).
/// After a tick in which nothing came it waits for whatever comes next.
const QUIET_CALLS: usize = 500;
/// So many calls let their lines go at a time: it takes some microseconds each.
const LET_GO: usize = 32;
/// Nothing that the node does besides may keep speech waiting: writing down that a thousand recordings
/// waited for their disk takes the better part of a second. So much nicer is the rest to this thread,
/// where the system lets us say so.
const GOES_FIRST: i32 = -10;
/// The clock of the whole node: the monotonic clock, laid on the wall clock once at start (O-06).
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    at: Time,
}

impl Clock {
    /// A clock on which `started` is the moment `at`. Every part of the node must use the same.
    #[must_use]
    pub const fn new(started: Instant, at: Time) -> Self {
        Self { started, at }
    }

    /// Now.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "the thread's loop is where time comes from")]
    pub fn now(&self) -> Time {
        self.at + self.started.elapsed()
    }
}

/// What a worker needs.
pub struct Config {
    /// The node's clock.
    pub clock: Clock,
    /// The tones of its country.
    pub tones: Tones,
    /// How many lines there may be: the same of all workers.
    pub lines: Arc<Lines>,
    /// Takes each report, on the worker's thread: it must neither block nor wait (for example an
    /// unbounded sender).
    pub reports: Box<dyn FnMut(Report) + Send>,
}

/// The worker has ended and takes no more commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerGone;

impl fmt::Display for WorkerGone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a media thread has ended; the node cannot carry calls, restart it")
    }
}

impl std::error::Error for WorkerGone {}

/// A running media thread. Dropping it ends every call in it and waits for the thread.
pub struct Worker {
    commands: Option<Sender<Command>>,
    alarm: Alarm,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts a thread named `media-INDEX`.
    ///
    /// # Errors
    /// What the system says when it gives no event queue or no thread.
    pub fn spawn(index: usize, config: Config) -> io::Result<Self> {
        let (queue, alarm) = Queue::new()?;
        let (commands, orders) = channel();
        let node = Loop {
            queue,
            orders,
            config,
            slots: Vec::new(),
            deadlines: Vec::new(),
            places: HashMap::new(),
            scratch: Box::new([0; DATAGRAM + TRAILER]),
        };
        let name = format!("media-{index}");
        let thread = thread::Builder::new().name(name).spawn(move || {
            let _refused_changes_nothing = rustix::process::nice(GOES_FIRST);
            node.run();
        })?;
        Ok(Self { commands: Some(commands), alarm, thread: Some(thread) })
    }

    /// Hands a command to the thread; commands of one call are carried out in their order.
    ///
    /// # Errors
    /// [`WorkerGone`] when the thread has ended.
    pub fn send(&self, command: Command) -> Result<(), WorkerGone> {
        let commands = self.commands.as_ref().ok_or(WorkerGone)?;
        commands.send(command).map_err(|_| WorkerGone)?;
        self.alarm.ring().map_err(|_| WorkerGone)
    }

    /// Whether the thread runs.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.commands = None;
        let _ends_anyway = self.alarm.ring();
        if let Some(thread) = self.thread.take() {
            let _its_panic_was_reported = thread.join();
        }
    }
}

/// The thread's state.
struct Loop {
    queue: Queue,
    orders: Receiver<Command>,
    config: Config,
    slots: Vec<Option<Slot>>,
    /// When each slot has something to send, or earlier.
    deadlines: Vec<Option<Time>>,
    places: HashMap<CallId, usize>,
    /// The only place in which received sound lies, one datagram at a time; wiped after each.
    scratch: Box<[u8; DATAGRAM + TRAILER]>,
}

/// What the thread does between packets while it has few calls.
#[derive(Clone, Copy, PartialEq)]
enum Pace {
    /// It waits for whatever comes next.
    Waits,
    /// Packets came: it has slept until the tick that is now, and takes what is there, asking once.
    Ticks,
}

/// Which commands waited.
#[derive(Clone, Copy, PartialEq)]
enum Obeyed {
    /// None.
    Nothing,
    /// Some.
    Orders,
    /// There will be no more.
    Last,
}

impl Loop {
    fn run(mut self) {
        let (mut tick, mut pace) = (self.config.clock.now(), Pace::Waits);
        let mut ready = Ready::none();
        loop {
            let quiet = self.places.len() <= QUIET_CALLS;
            let wait = match (self.places.len(), pace) {
                (0, _) => None,
                (_, Pace::Ticks) if quiet => Some(Duration::ZERO),
                (_, _) if quiet => self.until_due(tick),
                (_, _) => Some(TICK),
            };
            let wait = if wait.is_none_or(|wait| wait > SOON) {
                self.queue.listen();
                match self.obey() {
                    Obeyed::Nothing => wait,
                    Obeyed::Orders => Some(Duration::ZERO),
                    Obeyed::Last => return self.end(),
                }
            } else {
                wait
            };
            self.queue.wait(&mut ready, wait);
            // What was ordered before a packet came is in force when it is read.
            if self.obey() == Obeyed::Last {
                return self.end();
            }
            for token in ready.numbers() {
                let _waits_no_more = self.read(token);
            }
            let now = self.config.clock.now();
            if now >= tick {
                self.transmit(now);
                // Who comes late, for it slept or had much to do, begins anew and does not hurry.
                tick = if now < tick + TICK { tick } else { now } + TICK;
            }
            pace = if quiet && !ready.is_empty() {
                thread::sleep(tick.since(self.config.clock.now()));
                Pace::Ticks
            } else {
                Pace::Waits
            };
        }
    }

    /// How long until a call has something to send, in whole ticks, and not before the next tick;
    /// `None` when none has.
    fn until_due(&self, tick: Time) -> Option<Duration> {
        let due = self.deadlines.iter().flatten().copied().min()?.max(tick);
        let ticks = due.since(self.config.clock.now()).as_micros().div_ceil(TICK.as_micros());
        Some(TICK * u32::try_from(ticks).unwrap_or(u32::MAX))
    }

    /// Carries out the commands that wait.
    fn obey(&mut self) -> Obeyed {
        let mut obeyed = Obeyed::Nothing;
        loop {
            match self.orders.try_recv() {
                Ok(command) => self.command(command),
                Err(TryRecvError::Empty) => return obeyed,
                Err(TryRecvError::Disconnected) => return Obeyed::Last,
            }
            obeyed = Obeyed::Orders;
        }
    }

    fn command(&mut self, command: Command) {
        let Command { call, order } = command;
        let now = self.config.clock.now();
        if let Order::Open { customer, agent } = order {
            return self.open(now, call, *customer, *agent);
        }
        let Some(&place) = self.places.get(&call) else {
            return;
        };
        let closes = matches!(order, Order::Close);
        let shares = if let Order::SetRemote(party, remote, _) = &order {
            Some((*party, remote.is_muxed()))
        } else {
            None
        };
        if let Some(slot) = self.slots.get_mut(place).and_then(Option::as_mut) {
            let _done = slot.guarded(now, |slot| carry_out(&mut slot.relay, now, order));
        }
        if let Some((party, shares)) = shares {
            // Without a port for reports there is a call all the same.
            let _none = self.share(place, party, shares);
        }
        self.step(now, place);
        if closes {
            self.remove(place);
        }
    }

    fn open(&mut self, now: Time, call: CallId, customer: LegOpen, agent: LegOpen) {
        let relay = Relay::new(now, &customer.start, &agent.start, self.config.tones.clone());
        let place = match self.slots.iter().position(Option::is_none) {
            Some(place) => place,
            None => {
                self.slots.push(None);
                self.deadlines.push(None);
                self.slots.len() - 1
            }
        };
        let opened = Slot::new(call, relay, customer, agent);
        match self.register(place, &opened) {
            Ok(()) if !self.places.contains_key(&call) => {
                if let Some(slot) = self.slots.get_mut(place) {
                    *slot = Some(opened);
                    self.places.insert(call, place);
                }
            }
            // A call whose sockets do not work, or a second call of the same name, ends at once:
            // whoever opened it learns so from the report.
            Ok(()) | Err(_) => {
                let event = Event::Closed(Box::new(opened.relay.stats()));
                (self.config.reports)(Report { call, event });
            }
        }
    }

    fn register(&self, place: usize, slot: &Slot) -> io::Result<()> {
        for (n, socket) in slot.sockets.iter().enumerate() {
            if let Some(socket) = socket {
                self.listen(socket, place * SOCKETS + n)?;
            }
        }
        Ok(())
    }

    fn listen(&self, socket: &UdpSocket, token: usize) -> io::Result<()> {
        prepare(socket)?;
        self.queue.add(socket, token)
    }

    /// A leg has one socket while its reports share the port of its sound.
    fn share(&mut self, place: usize, party: Party, shares: bool) -> io::Result<()> {
        let Some(slot) = self.slots.get_mut(place).and_then(Option::as_mut) else {
            return Ok(());
        };
        let Some(opened) = slot.share(party, shares)? else { return Ok(()) };
        let slot = self.slots.get(place).and_then(Option::as_ref);
        let socket = slot.and_then(|slot| slot.sockets.get(opened)).and_then(Option::as_ref);
        socket.map_or(Ok(()), |socket| self.listen(socket, place * SOCKETS + opened))
    }

    fn remove(&mut self, place: usize) {
        if let Some(slot) = self.slots.get_mut(place).and_then(Option::take) {
            // Closing the sockets takes them out of the event queue as well.
            self.places.remove(&slot.call);
        }
        if let Some(deadline) = self.deadlines.get_mut(place) {
            *deadline = None;
        }
    }

    /// Reads one datagram from a socket that is ready, and says whether there was one. Where more wait, it
    /// is ready again when the others have had their turn.
    fn read(&mut self, token: usize) -> bool {
        let (place, socket) = (token / SOCKETS, token % SOCKETS);
        let Some(slot) = self.slots.get_mut(place).and_then(Option::as_mut) else {
            return false;
        };
        let Some(source) = slot.at(socket) else { return false };
        let (buffer, _) = self.scratch.split_at_mut(DATAGRAM);
        // A datagram that fills the buffer may have been cut.
        let Some((length, from)) = receive(source, buffer) else {
            return false;
        };
        let now = self.config.clock.now();
        let datagram = (&mut self.scratch[..], length);
        let received = (length < DATAGRAM)
            .then(|| slot.guarded(now, |slot| slot.received(now, socket, from, datagram)));
        // The next read hands this memory to the system, so that the compiler leaves these stores in.
        self.scratch.get_mut(..length + TRAILER).unwrap_or_default().fill(0);
        let opened = slot.straighten(socket, from, &self.config.lines);
        // A fault is told as well.
        if received.is_some_and(|news| news.unwrap_or(true)) {
            self.step(now, place);
        }
        if let Some(opened) = opened {
            // What cannot be listened to is let go of.
            let _none = self.attend(place, opened);
        }
        true
    }

    /// Listens to a line.
    fn attend(&mut self, place: usize, opened: usize) -> io::Result<()> {
        let slot = self.slots.get_mut(place).and_then(Option::as_mut);
        let Some(slot) = slot else { return Ok(()) };
        let listens = slot.at(opened).map(|line| {
            prepare(line)?;
            self.queue.add(line, place * SOCKETS + opened)
        });
        listens.unwrap_or(Ok(())).inspect_err(|_| slot.go_shared())
    }

    /// Lets lines go while there are more than there may be, a few at a time.
    fn go_shared(&mut self) {
        let mut left = LET_GO;
        for place in 0..self.slots.len() {
            if left == 0 || !self.config.lines.are_too_many() {
                return;
            }
            let slot = self.slots.get(place).and_then(Option::as_ref);
            if !slot.is_some_and(Slot::has_line) {
                continue;
            }
            left -= 1;
            // What waits in them is heard first, or it would be lost.
            slot.into_iter().for_each(Slot::shut);
            for line in LINES {
                while self.read(place * SOCKETS + line) {}
            }
            self.slots
                .get_mut(place)
                .and_then(Option::as_mut)
                .into_iter()
                .for_each(Slot::go_shared);
        }
    }

    /// Sends what is due in every call.
    fn transmit(&mut self, now: Time) {
        if self.config.lines.are_too_many() {
            self.go_shared();
        }
        for place in 0..self.deadlines.len() {
            if self.deadlines.get(place).copied().flatten().is_some_and(|due| due <= now) {
                self.step(now, place);
            }
        }
    }

    /// Lets a call send what is due, takes its reports, and notes when it is due again.
    fn step(&mut self, now: Time, place: usize) {
        let Some(slot) = self.slots.get_mut(place).and_then(Option::as_mut) else {
            return;
        };
        let scratch = &mut *self.scratch;
        let _done = slot.guarded(now, |slot| slot.transmit(now, scratch));
        let call = slot.call;
        while let Some(event) = slot.relay.poll_event() {
            (self.config.reports)(Report { call, event });
        }
        if let Some(deadline) = self.deadlines.get_mut(place) {
            *deadline = slot.relay.poll_timeout();
        }
    }

    /// Nobody can give orders any more: every call ends with its goodbyes.
    fn end(mut self) {
        let now = self.config.clock.now();
        for place in 0..self.slots.len() {
            if let Some(slot) = self.slots.get_mut(place).and_then(Option::as_mut) {
                slot.relay.close(now);
                self.step(now, place);
            }
        }
    }
}
