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

    /// The port that stands for none (RFC 3261 §18.2.2, §26.3.2.1).
    pub(crate) fn default_port(self) -> u16 {
        match self {
            Transport::Udp | Transport::Tcp => 5060,
            Transport::Tls => 5061,
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

/// How a message gets to the other side.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) remote: Remote,
    pub(crate) over: Option<SocketAddr>,
    pub(crate) alias: bool,
}

impl From<Remote> for Way {
    fn from(remote: Remote) -> Way {
        Way { remote, over: None, alias: false }
    }
}

/// A message to send.
#[derive(Clone, PartialEq, Eq)]
pub struct Transmit {
    /// Where to, and through which listener. Over a stream: where to connect to when there is no
    /// connection to it.
    pub remote: Remote,
    /// Over a stream: the far address of a connection that is used first if it is open, because the
    /// request came by it (RFC 3261 §18.2.2) or the dialog was set up over it.
    pub over: Option<SocketAddr>,
    /// The other side asked that the connection `over` carry our requests to `remote` as well
    /// (RFC 5923 §5).
    pub alias: bool,
    /// One whole message.
    pub octets: Vec<u8>,
}

impl fmt::Debug for Transmit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Transmit({:?}, {} octets)", self.remote, self.octets.len())
    }
}
