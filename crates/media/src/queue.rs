//! The event queue of a media thread: epoll, told of every socket once, and a bell. And what is done with a
//! socket for each packet, straight by system calls: the C library lets a thread be cancelled in each of
//! them, which nobody does here and which costs a packet three per cent.

use std::{
    io,
    net::{SocketAddr, UdpSocket},
    os::fd::OwnedFd,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering, fence},
    },
    time::Duration,
};

use rustix::{
    buffer::spare_capacity,
    event::{EventfdFlags, Timespec, epoll, eventfd},
    io::{Errno, read, write},
    net::{
        self, RecvFlags, SendFlags, recvfrom, sendto,
        sockopt::{self, Ipv4PathMtuDiscovery},
    },
};

/// So many sockets are told of at once.
const READY: usize = 1_024;
/// The bell's number; sockets count from 0.
const BELL: u64 = u64::MAX;

/// Makes a socket one of a leg: nobody waits for it alone, and it sends whole packets. Speech is far
/// shorter than any path's limit; a packet that may be cut would need a number of its own from the system.
/// Nobody's word that a path has become narrow is believed: anybody can send it.
pub(crate) fn prepare(socket: &UdpSocket) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    if socket.local_addr()?.is_ipv4() {
        sockopt::set_ip_mtu_discover(socket, Ipv4PathMtuDiscovery::PROBE)?;
    }
    Ok(())
}

/// The next datagram that waits in a socket: its length, and who sent it. `None` when there is none, or an
/// error of the past is told instead, such as a port that the peer has closed.
pub(crate) fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
    let (length, _, from) = recvfrom(socket, buffer, RecvFlags::empty()).ok()?;
    Some((length, from?.try_into().ok()?))
}

/// Sends a datagram. A full queue or an unreachable peer loses it, as any network may.
pub(crate) fn send(socket: &UdpSocket, bytes: &[u8], to: SocketAddr) {
    let _lost = sendto(socket, bytes, SendFlags::empty(), &to);
}

/// The same on a line. It may be told instead that an earlier one did not arrive, which is forgotten with
/// the telling: this one is no worse than that.
pub(crate) fn send_on(line: &UdpSocket, bytes: &[u8]) {
    if net::send(line, bytes, SendFlags::empty()) == Err(Errno::CONNREFUSED) {
        let _lost = net::send(line, bytes, SendFlags::empty());
    }
}

/// What waits for packets. A socket is ready for as long as something waits in it, so that a packet costs
/// one call to read it and not a second one that finds nothing.
pub(crate) struct Queue {
    epoll: OwnedFd,
    bell: Arc<Bell>,
}

struct Bell {
    event: OwnedFd,
    /// Whether who waits at the queue would not look soon without being rung for.
    wanted: AtomicBool,
}

/// The sockets that are ready. It stays with the thread that made it.
pub(crate) struct Ready(Vec<epoll::Event>);

impl Ready {
    /// None, and room for as many as are told of at once.
    pub(crate) fn none() -> Self {
        Self(Vec::with_capacity(READY))
    }

    /// Whether there are none.
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their numbers.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = usize> {
        self.0.iter().filter_map(|event| usize::try_from(event.data.u64()).ok())
    }
}

/// Wakes who waits at a queue.
pub(crate) struct Alarm(Arc<Bell>);

impl Alarm {
    /// Wakes who has said that it wants to be rung for, once. Nobody else is woken: a thread that looks
    /// at each tick would only take the processor from the one that rings.
    pub(crate) fn ring(&self) -> io::Result<()> {
        // Between what was handed over before and this look; `listen` has its counterpart.
        fence(Ordering::SeqCst);
        if !self.0.wanted.load(Ordering::Relaxed) || !self.0.wanted.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        match write(&self.0.event, &1_u64.to_ne_bytes()) {
            // A bell that has rung so often is heard as well.
            Ok(_) | Err(Errno::AGAIN) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Queue {
    /// A queue without sockets, and who wakes it.
    pub(crate) fn new() -> io::Result<(Self, Alarm)> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        epoll::add(&epoll, &event, epoll::EventData::new_u64(BELL), epoll::EventFlags::IN)?;
        let bell = Arc::new(Bell { event, wanted: AtomicBool::new(false) });
        let alarm = Alarm(Arc::clone(&bell));
        Ok((Self { epoll, bell }, alarm))
    }

    /// Puts a socket in under a number. Who closes it takes it out.
    pub(crate) fn add(&self, socket: &UdpSocket, number: usize) -> io::Result<()> {
        let data = epoll::EventData::new_u64(number as u64);
        Ok(epoll::add(&self.epoll, socket, data, epoll::EventFlags::IN)?)
    }

    /// From now on the bell rings for what is handed over. Who will wait for long says so first, and then
    /// looks once more at what has been handed over already.
    pub(crate) fn listen(&self) {
        self.bell.wanted.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    /// Waits until a socket is ready or the bell rings, `None`: for ever.
    pub(crate) fn wait(&self, Ready(events): &mut Ready, most: Option<Duration>) {
        let most = most.and_then(|most| Timespec::try_from(most).ok());
        events.clear();
        // An error is a signal that came meanwhile: whoever waits asks again.
        if epoll::wait(&self.epoll, spare_capacity(events), most.as_ref()).is_err() {
            events.clear();
        }
        if let Some(place) = events.iter().position(|event| event.data.u64() == BELL) {
            let _heard = read(&self.bell.event, &mut [0; 8]);
            events.swap_remove(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often the bell has rung unheard.
    fn rung(queue: &Queue) -> u64 {
        let mut count = [0; 8];
        read(&queue.bell.event, &mut count).map_or(0, |_| u64::from_ne_bytes(count))
    }

    #[test]
    fn a_socket_is_ready_until_it_is_empty_and_the_bell_is_heard_once() {
        let (queue, alarm) = Queue::new().unwrap();
        let mut ready = Ready::none();
        let mut waits = |most: Option<Duration>| {
            queue.wait(&mut ready, most);
            ready.numbers().collect::<Vec<_>>()
        };
        let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        queue.add(&socket, 7).unwrap();
        assert_eq!(waits(Some(Duration::ZERO)), []);
        let sender = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        for _ in 0..2 {
            sender.send_to(b"packet", socket.local_addr().unwrap()).unwrap();
        }
        queue.listen();
        alarm.ring().unwrap();
        alarm.ring().unwrap();
        for _ in 0..2 {
            assert_eq!(waits(None), [7]);
            socket.recv(&mut [0; 16]).unwrap();
        }
        assert_eq!(waits(Some(Duration::ZERO)), []);
        queue.listen();
        alarm.ring().unwrap();
        assert_eq!(waits(None), [], "it rang, and no socket is ready");
        assert_eq!(rung(&queue), 0, "one ring is heard twice");
        alarm.ring().unwrap();
        assert_eq!(rung(&queue), 0, "it rings for nobody");
        drop(socket);
        assert_eq!(waits(Some(Duration::from_millis(1))), []);
    }
}
