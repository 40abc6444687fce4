//! Listens to loopback as who stands on the wire does. Only root may.

use std::{
    io::Read,
    ops::RangeInclusive,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use socket2::{Domain, Protocol, Socket, Type};

/// Octets of the queue of the system: seconds of many calls.
const QUEUE: usize = 8 << 20;

/// A UDP datagram as it went over the wire.
#[derive(Clone, Debug)]
pub struct Datagram {
    /// The ports that it went between, the sender's first.
    pub ports: [u16; 2],
    /// What it carried.
    pub payload: Vec<u8>,
}

impl Datagram {
    /// Reads an IPv4 packet (RFC 791 §3.1) with a UDP datagram (RFC 768) in it.
    fn read(packet: &[u8]) -> Option<Self> {
        let header = usize::from(packet.first()? & 15) * 4;
        let port = |at: usize| Some(u16::from_be_bytes(packet.get(at..at + 2)?.try_into().ok()?));
        let ports = [port(header)?, port(header + 2)?];
        Some(Self { ports, payload: packet.get(header + 8..)?.to_vec() })
    }
}

/// A tap on loopback.
pub struct Wiretap {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<Vec<Datagram>>>,
}

impl Wiretap {
    /// Keeps what goes to or from these ports from now on.
    ///
    /// # Panics
    /// Somebody else than root asks.
    #[must_use]
    pub fn open(ports: RangeInclusive<u16>) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::UDP)).expect("root");
        socket.set_recv_buffer_size(QUEUE).expect("a queue");
        socket.set_read_timeout(Some(Duration::from_millis(50))).expect("a time-out");
        let over = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&over);
        let thread = thread::spawn(move || {
            let (mut taken, mut packet) = (Vec::new(), vec![0; 65_536]);
            while !stop.load(Ordering::Relaxed) {
                // A time-out is silence on the wire.
                let length = (&socket).read(&mut packet).unwrap_or(0);
                let datagram = Datagram::read(&packet[..length]);
                let ours = |d: &Datagram| d.ports.iter().any(|port| ports.contains(port));
                taken.extend(datagram.filter(ours));
            }
            taken
        });
        Self { over, thread: Some(thread) }
    }

    /// What has gone over the wire until now.
    ///
    /// # Panics
    /// The thread that listens has.
    #[must_use]
    pub fn taken(mut self) -> Vec<Datagram> {
        self.over.store(true, Ordering::Relaxed);
        self.thread.take().map(|thread| thread.join().expect("it listens")).unwrap_or_default()
    }
}

impl Drop for Wiretap {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}
