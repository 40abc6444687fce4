//! Where datagrams come from and go to, as plain values: no socket is opened here.

use std::fmt;
use std::net::SocketAddr;

/// How a message travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Datagrams; we retransmit.
    Udp,
    /// A stream; the network retransmits.
    Tcp,
    /// A stream under TLS.
    Tls,
}

impl Transport {
    /// The name in a Via header.
    pub fn name(self) -> &'static str {
        match self {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
            Transport::Tls => "TLS",
        }
    }

    /// Does the transport retransmit by itself?
    pub fn is_reliable(self) -> bool {
        match self {
            Transport::Udp => false,
            Transport::Tcp | Transport::Tls => true,
        }
    }
}

/// One of the caller's sockets: its place in [`crate::Config::listeners`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ListenerId(pub u16);

/// The other end of an exchange, seen from one of our listeners. `Debug` shows no address.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Remote {
    /// The far address.
    pub address: SocketAddr,
    /// The listener it is reached through.
    pub listener: ListenerId,
    /// How.
    pub transport: Transport,
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Remote({} by {:?})", self.transport.name(), self.listener)
    }
}

/// A message to send.
#[derive(Clone, PartialEq, Eq)]
pub struct Transmit {
    /// Where to, and through which listener.
    pub remote: Remote,
    /// One whole message.
    pub octets: Vec<u8>,
}

impl fmt::Debug for Transmit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Transmit({:?}, {} octets)", self.remote, self.octets.len())
    }
}
