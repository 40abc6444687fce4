//! Ports that nobody else on this machine takes: below those that the system hands out by itself, in
//! cells that one process of the tests holds at a time.
//!
//! A port that was free a moment ago may be taken before the program that it is for has started: by
//! another test, or by any connection, to which the system gives a port of its own range. Here
//! neither can happen. A cell belongs to who listens on its first TCP port, and the system takes that
//! back from a process that ends, however it ends.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener, UdpSocket},
    ops::RangeInclusive,
    process,
    sync::Mutex,
    thread,
    time::{Duration, Instant, SystemTime},
};

/// Where the tests' ports begin; below stand the servers that a machine may have.
const BOTTOM: u16 = 6_000;
/// Ports of a cell.
const CELL: u16 = 100;
/// How long to wait for others to end when every cell is taken.
const PATIENCE: Duration = Duration::from_secs(60);

/// Consecutive UDP ports of loopback that are this process's own for as long as this lives.
#[derive(Debug)]
pub struct Ports {
    first: u16,
    count: u16,
    _held: Vec<TcpListener>,
}

impl Ports {
    /// So many ports; the first is even.
    ///
    /// # Panics
    /// For a minute, nobody lets go of so many.
    #[must_use]
    pub fn reserve(count: u16) -> Self {
        let cells = count.div_ceil(CELL).max(1);
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some((first, held)) = take(cells) {
                return Self { first, count, _held: held };
            }
            assert!(Instant::now() < until, "all ports of the tests are taken, for a minute");
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// The first.
    #[must_use]
    pub const fn first(&self) -> u16 {
        self.first
    }

    /// The last.
    #[must_use]
    pub const fn last(&self) -> u16 {
        self.first + (self.count - 1)
    }

    /// All of them.
    #[must_use]
    pub const fn range(&self) -> RangeInclusive<u16> {
        self.first..=self.last()
    }
}

/// Single ports of this process, handed out once each, and the cells that they are of.
static SINGLE: Mutex<(Vec<u16>, Vec<Ports>)> = Mutex::new((Vec::new(), Vec::new()));

/// A port, for UDP and for TCP, that nobody gets until this process ends.
///
/// # Panics
/// See [`Ports::reserve`].
#[must_use]
pub fn free() -> u16 {
    loop {
        let port = next();
        if is_free(port) {
            return port;
        }
    }
}

/// An even port of which the same is true, and of the one above it.
///
/// # Panics
/// See [`Ports::reserve`].
#[must_use]
pub fn pair() -> u16 {
    loop {
        let port = free();
        if port.is_multiple_of(2) && next() == port + 1 && is_free(port + 1) {
            return port;
        }
    }
}

fn next() -> u16 {
    let mut single = SINGLE.lock().expect("nobody panics with it");
    let (ports, cells) = &mut *single;
    if let Some(port) = ports.pop() {
        return port;
    }
    let cell = Ports::reserve(CELL);
    // Its first TCP port is the lock.
    ports.extend(cell.range().skip(1).rev());
    cells.push(cell);
    ports.pop().expect("a cell has ports")
}

/// Whether nothing but a test holds the port.
fn is_free(port: u16) -> bool {
    let here = (Ipv4Addr::LOCALHOST, port);
    UdpSocket::bind(here).is_ok() && TcpListener::bind(here).is_ok()
}

/// So many cells in a row: their first port and what holds them.
fn take(cells: u16) -> Option<(u16, Vec<TcpListener>)> {
    let places = (top() - BOTTOM) / CELL;
    let chance = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let chance = chance.map_or(0, |since| since.subsec_micros()) ^ process::id();
    let start = u16::try_from(chance % u32::from(places)).expect("fewer than all ports");
    (0..places).find_map(|step| {
        let place = (start + step) % places;
        if place + cells > places {
            return None;
        }
        let first = BOTTOM + place * CELL;
        let held =
            (0..cells).map(|cell| TcpListener::bind((Ipv4Addr::LOCALHOST, first + cell * CELL)));
        held.collect::<Result<Vec<_>, _>>().ok().map(|held| (first, held))
    })
}

/// The first port that the system hands out by itself.
fn top() -> u16 {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let low = range.split_whitespace().next().and_then(|low| low.parse().ok()).unwrap_or(32_768);
    assert!(low > BOTTOM + 40 * CELL, "the system hands out ports from {low} on: none are left");
    low
}

#[test]
fn what_is_reserved_is_nobody_elses_until_it_is_let_go() {
    let one = Ports::reserve(400);
    let others: Vec<_> = (0..8).map(|_| Ports::reserve(150)).collect();
    for other in &others {
        assert!(other.last() < one.first() || one.last() < other.first(), "{one:?} {other:?}");
        assert!(other.first().is_multiple_of(2) && other.last() < top());
    }
    let at = (Ipv4Addr::LOCALHOST, one.first() + 3 * CELL);
    assert!(TcpListener::bind(at).is_err(), "its last cell is open to others");
    drop(one);
    assert!(TcpListener::bind(at).is_ok(), "it is kept");
}

#[test]
fn no_port_is_handed_out_twice_and_pairs_stand_side_by_side() {
    let mut ports: Vec<_> = (0..150).map(|_| free()).collect();
    for _ in 0..50 {
        let even = pair();
        assert!(even.is_multiple_of(2));
        ports.extend([even, even + 1]);
    }
    let count = ports.len();
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), count);
}
