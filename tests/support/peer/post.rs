//! A peer's SIP socket: what a test sends, what came in and when, and waiting for it.

use std::{
    collections::HashSet,
    fmt::Write as _,
    net::{SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, channel},
    },
    thread,
    time::{Duration, Instant},
};

use super::{draft::Draft, leg::Leg, seen::Seen};
use crate::arrival;

/// How long [`Peer::expect`] waits; a loaded machine is slow, and a right answer is quick.
const PATIENCE: Duration = Duration::from_secs(8);

/// What is waited for: a method (`"INVITE"`), a status (`200`), a status of a method
/// (`(200, "BYE")`), or whatever [`What::that`] tells apart.
pub struct What {
    name: String,
    is: Box<dyn Fn(&Seen) -> bool>,
}

impl What {
    /// A message of which something is true.
    pub fn that(name: &str, is: impl Fn(&Seen) -> bool + 'static) -> Self {
        Self { name: name.to_owned(), is: Box::new(is) }
    }
}

impl From<&'static str> for What {
    fn from(method: &'static str) -> Self {
        Self::that(method, move |seen| seen.method() == Some(method))
    }
}

impl From<u16> for What {
    fn from(status: u16) -> Self {
        Self::that(&status.to_string(), move |seen| seen.status() == Some(status))
    }
}

impl From<(u16, &'static str)> for What {
    fn from((status, method): (u16, &'static str)) -> Self {
        let is = move |seen: &Seen| seen.status() == Some(status) && seen.cseq().1 == method;
        Self::that(&format!("{status} to {method}"), is)
    }
}

/// A peer on a UDP port. It answers nothing and repeats nothing by itself.
pub struct Peer {
    /// Where it receives.
    pub own: SocketAddr,
    /// Where it sends to unless told otherwise.
    pub node: SocketAddr,
    socket: Arc<UdpSocket>,
    inbox: Receiver<Seen>,
    /// Everything that came in, and whether a test has taken it (or one like it).
    seen: Vec<(Seen, bool)>,
    sent: Vec<(Instant, String)>,
    over: Arc<AtomicBool>,
}

impl Peer {
    /// A peer on a free port of loopback before this node.
    #[must_use]
    pub fn new(node: u16) -> Self {
        Self::at(SocketAddr::from(([127, 0, 0, 1], 0)), node)
    }

    /// A peer on this address before a node on the loopback of the same kind.
    ///
    /// # Panics
    /// The address is taken.
    #[must_use]
    pub fn at(address: SocketAddr, node: u16) -> Self {
        let socket = Arc::new(UdpSocket::bind(address).expect("a free port"));
        arrival::note(&socket);
        let own = socket.local_addr().expect("an address");
        let node = match own {
            SocketAddr::V4(_) => SocketAddr::from(([127, 0, 0, 1], node)),
            SocketAddr::V6(_) => SocketAddr::new(std::net::Ipv6Addr::LOCALHOST.into(), node),
        };
        let (sender, inbox) = channel();
        let over = Arc::new(AtomicBool::new(false));
        let (ear, stop) = (Arc::clone(&socket), Arc::clone(&over));
        socket.set_read_timeout(Some(Duration::from_millis(50))).expect("a time-out");
        thread::spawn(move || {
            let mut buffer = vec![0; 65_535];
            while !stop.load(Ordering::Relaxed) {
                // A time-out, or an ICMP answer to something sent before.
                let Ok((length, from, at)) = arrival::receive(&ear, &mut buffer) else { continue };
                let octets = buffer[..length].to_vec();
                let text = String::from_utf8_lossy(&octets).into_owned();
                let seen = Seen { at, from, octets, text };
                if sender.send(seen).is_err() {
                    return;
                }
            }
        });
        Self { own, node, socket, inbox, seen: Vec::new(), sent: Vec::new(), over }
    }

    /// A dialog in which this peer calls `number`.
    #[must_use]
    pub fn calls(&self, from: &str, number: &str) -> Leg {
        Leg::calling(self.own, from, number, self.node)
    }

    /// The dialog that an INVITE begins here.
    #[must_use]
    pub fn called(&self, invite: &Seen) -> Leg {
        Leg::called(self.own, invite)
    }

    /// Sends a message to the node and says when.
    pub fn send(&mut self, draft: &Draft) -> Instant {
        self.send_octets(&draft.wire())
    }

    /// Sends any octets to the node and says when.
    ///
    /// # Panics
    /// The system does not take them.
    pub fn send_octets(&mut self, octets: &[u8]) -> Instant {
        let at = Instant::now();
        self.sent.push((at, String::from_utf8_lossy(octets).into_owned()));
        self.socket.send_to(octets, self.node).expect("a datagram is sent");
        at
    }

    /// Waits for the next message of a kind that no test has taken yet, and takes it. Repetitions of
    /// one that was taken are passed over, other messages stay.
    ///
    /// # Panics
    /// None comes in eight seconds.
    pub fn expect(&mut self, what: impl Into<What>) -> Seen {
        self.expect_within(PATIENCE, what)
    }

    /// The same with another patience.
    ///
    /// # Panics
    /// None comes in time.
    pub fn expect_within(&mut self, patience: Duration, what: impl Into<What>) -> Seen {
        let what = what.into();
        match self.look(patience, &what) {
            Some(seen) => seen,
            None => panic!("no {} came in {patience:?}\n{}", what.name, self.story()),
        }
    }

    /// Waits and sees that nothing of a kind comes that no test has taken.
    ///
    /// # Panics
    /// It comes.
    pub fn hears_no(&mut self, millis: u64, what: impl Into<What>) {
        let what = what.into();
        if let Some(seen) = self.look(Duration::from_millis(millis), &what) {
            panic!("{} came:\n{}\n{}", what.name, seen.text, self.story());
        }
    }

    /// How often a kind has come until now, repetitions included.
    pub fn times(&mut self, what: impl Into<What>) -> usize {
        self.gather();
        let what = what.into();
        self.seen.iter().filter(|(seen, _)| (what.is)(seen)).count()
    }

    /// How many different messages of a kind have come until now.
    pub fn kinds(&mut self, what: impl Into<What>) -> usize {
        self.gather();
        let what = what.into();
        let seen = self.seen.iter().filter(|(seen, _)| (what.is)(seen));
        seen.map(|(seen, _)| &seen.octets).collect::<HashSet<_>>().len()
    }

    /// Waits until this very message has come `times` times in all, and says when each came.
    ///
    /// # Panics
    /// It does not in ten seconds.
    pub fn repeated(&mut self, message: &Seen, times: usize) -> Vec<Instant> {
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            self.gather();
            let same = self.seen.iter().filter(|(seen, _)| seen.octets == message.octets);
            let at: Vec<_> = same.map(|(seen, _)| seen.at).collect();
            if at.len() >= times {
                return at;
            }
            let late = Instant::now() > until;
            assert!(!late, "{} of {times} came:\n{}\n{}", at.len(), message.text, self.story());
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Everything that has come in until now.
    pub fn everything(&mut self) -> Vec<Seen> {
        self.gather();
        self.seen.iter().map(|(seen, _)| seen.clone()).collect()
    }

    fn look(&mut self, patience: Duration, what: &What) -> Option<Seen> {
        let until = Instant::now() + patience;
        loop {
            self.gather();
            if let Some(seen) = self.take(what) {
                return Some(seen);
            }
            match self.inbox.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(seen) => self.note(seen),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    fn take(&mut self, what: &What) -> Option<Seen> {
        let is = |(seen, taken): &(Seen, bool)| !taken && (what.is)(seen);
        let found = self.seen.iter().find(|entry| is(entry))?.0.clone();
        for (seen, taken) in &mut self.seen {
            *taken |= seen.octets == found.octets;
        }
        Some(found)
    }

    fn gather(&mut self) {
        while let Ok(seen) = self.inbox.try_recv() {
            self.note(seen);
        }
    }

    fn note(&mut self, seen: Seen) {
        let again = self.seen.iter().any(|(old, taken)| *taken && old.octets == seen.octets);
        self.seen.push((seen, again));
    }

    /// What went out and came in, in order, for the reader of a failure.
    fn story(&mut self) -> String {
        self.gather();
        let came = self.seen.iter().map(|(seen, _)| (seen.at, "<<<", &seen.text));
        let went = self.sent.iter().map(|(at, text)| (*at, ">>>", text));
        let mut all: Vec<_> = came.chain(went).collect();
        all.sort_by_key(|(at, ..)| *at);
        let start = all.first().map(|(at, ..)| *at);
        let mut out = format!("--- what {} sent and saw ---\n", self.own);
        for (at, way, text) in all {
            let ms = start.map_or(0, |start| (at - start).as_millis());
            let _infallible = writeln!(out, "{way} {ms} ms\n{text}");
        }
        out
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if thread::panicking() {
            eprintln!("{}", self.story());
        }
    }
}
