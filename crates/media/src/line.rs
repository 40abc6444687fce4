//! A leg's line to its peer: a second socket on the leg's port that only the peer reaches.
//!
//! The system sorts by sender then: whoever floods the port fills a queue in which no speech waits. And it
//! has looked up the way to the peer once and not for every packet, which is a twentieth of what a packet
//! costs. The first socket stays and hears everybody else, so that strangers are counted as before and a
//! peer that moves is found.

use std::{
    io,
    net::{SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use rustix::net::{
    AddressFamily, SocketFlags, SocketType, bind, connect, socket_with,
    sockopt::set_socket_reuseport,
};

/// How many lines there are in all workers, and how many there may be: they take only the descriptors that
/// calls have no use for.
#[derive(Debug, Default)]
pub struct Lines {
    most: AtomicUsize,
    open: AtomicUsize,
}

impl Lines {
    /// From now on there may be so many. Whoever has more lets them go within a few ticks; the calls go on
    /// without.
    pub fn allow(&self, most: usize) {
        self.most.store(most, Ordering::Relaxed);
    }

    /// How many there are.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Whether there are more than there may be.
    pub(crate) fn are_too_many(&self) -> bool {
        self.open() > self.most.load(Ordering::Relaxed)
    }

    fn take(self: &Arc<Self>) -> Option<Taken> {
        let more = |open: usize| (open < self.most.load(Ordering::Relaxed)).then_some(open + 1);
        let taken = self.open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        taken.is_ok().then(|| Taken(Arc::clone(self)))
    }
}

/// One of the lines that there may be, until it is let go of.
struct Taken(Arc<Lines>);

impl Drop for Taken {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How a leg reaches its peer.
#[derive(Default)]
pub(crate) enum Way {
    /// By the socket that everybody reaches.
    #[default]
    Shared,
    /// The same, and the system gives no line to this peer.
    Refused(SocketAddr),
    /// By a line.
    Line(Line),
}

/// A socket of one leg and one peer.
pub(crate) struct Line {
    socket: UdpSocket,
    peer: SocketAddr,
    _taken: Taken,
}

impl Way {
    /// The socket to a peer, if there is one of its own.
    pub(crate) fn to(&self, peer: SocketAddr) -> Option<&UdpSocket> {
        match self {
            Self::Line(line) if line.peer == peer => Some(&line.socket),
            Self::Line(_) | Self::Shared | Self::Refused(_) => None,
        }
    }

    /// The socket on which somebody may speak.
    pub(crate) fn socket(&self) -> Option<&UdpSocket> {
        match self {
            Self::Line(line) => Some(&line.socket),
            Self::Shared | Self::Refused(_) => None,
        }
    }

    /// From now on the peer's packets come where everybody's do. One that came between the last look into
    /// the line and its end would be lost otherwise.
    pub(crate) fn shut(&self) {
        // Nobody but the leg itself sends from its port.
        let own = self.socket().and_then(|line| Some((line, line.local_addr().ok()?)));
        let _lost_at_worst = own.map(|(line, own)| connect(line, &own));
    }

    /// Makes a line to a peer beside the socket that has the port, unless there is one, or cannot be one, or
    /// may not be one now. Whether there is a new one.
    pub(crate) fn straighten(
        &mut self,
        shared: &UdpSocket,
        peer: SocketAddr,
        lines: &Arc<Lines>,
    ) -> bool {
        if matches!(self, Self::Refused(refused) if *refused == peer) || self.to(peer).is_some() {
            return false;
        }
        *self = Self::Shared;
        let Some(taken) = lines.take() else { return false };
        *self = match beside(shared, peer) {
            Ok(socket) => Self::Line(Line { socket, peer, _taken: taken }),
            Err(_) => Self::Refused(peer),
        };
        matches!(self, Self::Line(_))
    }
}

/// A socket on the port of another one, which the peer's packets prefer. Both say for as long as it takes
/// that the port may be had twice, and then nobody can join them.
fn beside(shared: &UdpSocket, peer: SocketAddr) -> io::Result<UdpSocket> {
    let own = shared.local_addr()?;
    let family = if own.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let line = socket_with(family, SocketType::DGRAM, flags, None)?;
    set_socket_reuseport(&line, true)?;
    set_socket_reuseport(shared, true)?;
    let bound = bind(&line, &own);
    set_socket_reuseport(shared, false)?;
    bound?;
    set_socket_reuseport(&line, false)?;
    connect(&line, &peer)?;
    Ok(line.into())
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;

    fn socket() -> UdpSocket {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        socket.set_nonblocking(true).unwrap();
        socket
    }

    fn hears(socket: &UdpSocket) -> Option<u8> {
        let mut buffer = [0; 1];
        socket.recv(&mut buffer).ok().map(|_| buffer[0])
    }

    #[test]
    fn s_02_only_the_peer_reaches_a_line_and_strangers_the_shared_socket() {
        let (shared, peer, stranger, lines) = (socket(), socket(), socket(), Arc::default());
        let (port, place) = (shared.local_addr().unwrap(), peer.local_addr().unwrap());
        let mut way = Way::default();
        assert!(!way.straighten(&shared, place, &lines), "none is allowed");
        lines.allow(1);
        assert!(way.straighten(&shared, place, &lines) && lines.open() == 1);
        assert!(!way.straighten(&shared, place, &lines), "there is one");
        for n in 0..3 {
            peer.send_to(&[n], port).unwrap();
            stranger.send_to(&[9], port).unwrap();
            let line = way.to(place).unwrap();
            assert_eq!((hears(line), hears(line)), (Some(n), None));
            assert_eq!((hears(&shared), hears(&shared)), (Some(9), None));
        }
        let mut buffer = [0; 1];
        way.to(place).unwrap().send(&[7]).unwrap();
        assert_eq!(peer.recv_from(&mut buffer).unwrap(), (1, port), "S-01: it sends from the port");
        assert!(way.to(stranger.local_addr().unwrap()).is_none());
        peer.send_to(&[5], port).unwrap();
        way.shut();
        peer.send_to(&[6], port).unwrap();
        let waits = way.socket().map(|line| (hears(line), hears(line)));
        assert_eq!((waits, hears(&shared)), (Some((Some(5), None)), Some(6)), "none is lost");
        drop(way);
        peer.send_to(&[8], port).unwrap();
        assert_eq!((hears(&shared), lines.open()), (Some(8), 0), "the port is the leg's as before");
    }

    #[test]
    fn nobody_else_gets_the_port_of_a_leg_with_a_line() {
        let (shared, peer, lines) = (socket(), socket(), Arc::<Lines>::default());
        lines.allow(1);
        let own = shared.local_addr().unwrap();
        let third = || {
            let socket =
                socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None);
            let socket = socket.unwrap();
            set_socket_reuseport(&socket, true).unwrap();
            bind(&socket, &own).map_err(|error| io::Error::from(error).kind())
        };
        assert_eq!(third(), Err(ErrorKind::AddrInUse));
        let mut way = Way::default();
        assert!(way.straighten(&shared, peer.local_addr().unwrap(), &lines));
        assert_eq!(third(), Err(ErrorKind::AddrInUse));
    }

    #[test]
    fn a_peer_to_which_there_is_no_way_is_not_tried_for_every_packet() {
        let (shared, lines) = (socket(), Arc::<Lines>::default());
        lines.allow(2);
        // A socket of IPv4 reaches nobody of IPv6.
        let peer: SocketAddr = "[2001:db8::1]:4000".parse().unwrap();
        let mut way = Way::default();
        assert!(!way.straighten(&shared, peer, &lines));
        assert!(matches!(way, Way::Refused(refused) if refused == peer) && lines.open() == 0);
        assert!(!way.straighten(&shared, peer, &lines));
        let other = socket();
        assert!(way.straighten(&shared, other.local_addr().unwrap(), &lines));
    }
}
