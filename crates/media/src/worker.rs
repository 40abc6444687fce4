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

use call::{CallId, Time};
use mio::{Events, Interest, Poll, Token, Waker};
use zeroize::Zeroize;

use crate::{
    order::{Command, LegOpen, Order},
    relay::{Relay, TRAILER},
    report::{Event, Report},
    slot::{SOCKETS, Slot, carry_out},
    tone::Tones,
};

/// The longest datagram that is read; a longer one is no telephony.
const DATAGRAM: usize = 2_048;
/// How long a tick lasts.
const TICK: Duration = Duration::from_millis(1);
/// Up to so many calls the thread sleeps from tick to tick instead of being woken per packet;
/// above, waking costs less than a tick's packets do (reference measurements: factor 2.5 at 100).
/// After a tick in which nothing came it waits for whatever comes next.
const QUIET_CALLS: usize = 500;
/// So many datagrams are read from one socket before the others have their turn.
const BURST: usize = 64;
/// The waker's token; sockets count from 0.
const WAKER: Token = Token(usize::MAX);

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
    waker: Arc<Waker>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts a thread named `media-INDEX`.
    ///
    /// # Errors
    /// What the system says when it gives no event queue or no thread.
    pub fn spawn(index: usize, config: Config) -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
        let (commands, orders) = channel();
        let node = Loop {
            poll,
            orders,
            config,
            slots: Vec::new(),
            deadlines: Vec::new(),
            places: HashMap::new(),
            again: Vec::new(),
            scratch: Box::new([0; DATAGRAM + TRAILER]),
        };
        let name = format!("media-{index}");
        let thread = thread::Builder::new().name(name).spawn(move || node.run())?;
        Ok(Self { commands: Some(commands), waker, thread: Some(thread) })
    }

    /// Hands a command to the thread; commands of one call are carried out in their order.
    ///
    /// # Errors
    /// [`WorkerGone`] when the thread has ended.
    pub fn send(&self, command: Command) -> Result<(), WorkerGone> {
        let commands = self.commands.as_ref().ok_or(WorkerGone)?;
        commands.send(command).map_err(|_| WorkerGone)?;
        self.waker.wake().map_err(|_| WorkerGone)
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
        let _ends_anyway = self.waker.wake();
        if let Some(thread) = self.thread.take() {
            let _its_panic_was_reported = thread.join();
        }
    }
}

/// The thread's state.
struct Loop {
    poll: Poll,
    orders: Receiver<Command>,
    config: Config,
    slots: Vec<Option<Slot>>,
    /// When each slot has something to send; never earlier than its relay says.
    deadlines: Vec<Option<Time>>,
    places: HashMap<CallId, usize>,
    /// Sockets that had more than their burst.
    again: Vec<Token>,
    /// The only place in which received sound lies, one datagram at a time; wiped after each.
    scratch: Box<[u8; DATAGRAM + TRAILER]>,
}

impl Loop {
    fn run(mut self) {
        let mut events = Events::with_capacity(1_024);
        let mut ready = Vec::with_capacity(1_024);
        let (mut tick, mut busy) = (self.config.clock.now(), false);
        loop {
            let quiet = self.places.len() <= QUIET_CALLS;
            let wait = match self.places.len() {
                0 => None,
                _ if !self.again.is_empty() || (quiet && busy) => Some(Duration::ZERO),
                _ if quiet => self.until_due(tick),
                _ => Some(TICK),
            };
            if self.poll.poll(&mut events, wait).is_err() {
                // Interrupted by a signal: the next round asks again.
                events.clear();
            }
            // What was ordered before a packet came is in force when it is read.
            if !self.obey() {
                return self.end();
            }
            ready.append(&mut self.again);
            ready.extend(events.iter().map(|event| event.token()).filter(|token| *token != WAKER));
            busy = !ready.is_empty();
            for token in ready.drain(..) {
                self.read(token);
            }
            let now = self.config.clock.now();
            if now >= tick {
                self.transmit(now);
                tick = (tick + TICK).max(now);
            }
            if quiet && busy && self.again.is_empty() {
                thread::sleep(tick.since(self.config.clock.now()));
            }
        }
    }

    /// How long until a call has something to send, in whole ticks, and not before the next tick;
    /// `None` when none has.
    fn until_due(&self, tick: Time) -> Option<Duration> {
        let due = self.deadlines.iter().flatten().copied().min()?.max(tick);
        let ticks = due.since(self.config.clock.now()).as_micros().div_ceil(TICK.as_micros());
        Some(TICK * u32::try_from(ticks).unwrap_or(u32::MAX))
    }

    /// Carries out the commands that wait; `false` when there will be no more.
    fn obey(&mut self) -> bool {
        loop {
            match self.orders.try_recv() {
                Ok(command) => self.command(command),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
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
        if let Some(slot) = self.slots.get_mut(place).and_then(Option::as_mut) {
            slot.guarded(now, |slot| carry_out(&mut slot.relay, now, order));
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
        let sockets = [customer.rtp, customer.rtcp, agent.rtp, agent.rtcp];
        match self.register(place, sockets) {
            Ok(sockets) if !self.places.contains_key(&call) => {
                if let Some(slot) = self.slots.get_mut(place) {
                    *slot = Some(Slot { call, relay, sockets });
                    self.places.insert(call, place);
                }
            }
            // A call whose sockets do not work, or a second call of the same name, ends at once:
            // whoever opened it learns so from the report.
            Ok(_) | Err(_) => {
                let event = Event::Closed(Box::new(relay.stats()));
                (self.config.reports)(Report { call, event });
            }
        }
    }

    fn register(
        &self,
        place: usize,
        sockets: [UdpSocket; SOCKETS],
    ) -> io::Result<[mio::net::UdpSocket; SOCKETS]> {
        for socket in &sockets {
            socket.set_nonblocking(true)?;
        }
        let mut sockets = sockets.map(mio::net::UdpSocket::from_std);
        for (n, socket) in sockets.iter_mut().enumerate() {
            let token = Token(place * SOCKETS + n);
            self.poll.registry().register(socket, token, Interest::READABLE)?;
        }
        Ok(sockets)
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

    /// Reads a socket until it is empty or has had its burst.
    fn read(&mut self, token: Token) {
        let (place, socket) = (token.0 / SOCKETS, token.0 % SOCKETS);
        let Some(slot) = self.slots.get_mut(place).and_then(Option::as_mut) else {
            return;
        };
        let now = self.config.clock.now();
        let mut left = BURST;
        while left > 0 {
            let Some(source) = slot.sockets.get(socket) else {
                return;
            };
            let (place, _) = self.scratch.split_at_mut(DATAGRAM);
            match source.recv_from(place) {
                Ok((length, from)) => {
                    // A datagram that fills the buffer may have been cut.
                    if length < DATAGRAM {
                        let datagram = (&mut self.scratch[..], length);
                        slot.guarded(now, |slot| slot.received(now, socket, from, datagram));
                    }
                    self.scratch.get_mut(..length).unwrap_or_default().zeroize();
                    left -= 1;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // Such as a port that the peer has closed: the next datagram may be good.
                Err(_) => left -= 1,
            }
        }
        if left == 0 {
            self.again.push(token);
        }
        self.step(now, place);
    }

    /// Sends what is due in every call.
    fn transmit(&mut self, now: Time) {
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
        slot.guarded(now, |slot| slot.transmit(now, scratch));
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
