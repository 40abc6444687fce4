//! The sockets of SIP: datagrams, streams, TLS, and the one owner of all connections.
//!
//! The loop of calls owns [`Net`]. Tasks only read, write and connect; whatever they find comes back
//! to the loop as a [`Sign`], so that one place decides who may have a connection and which one a
//! message takes.

pub mod certificate;
pub mod connection;
pub mod handshake;
pub mod sign;
pub mod table;
mod task;
pub mod tls;

use std::{collections::HashMap, fmt, io, net::SocketAddr, sync::Arc};

use sip::{ListenerId, Remote, Transmit, Transport};
use tokio::{
    net::{TcpListener, TcpStream, UdpSocket},
    runtime,
    sync::mpsc::{self, error::TrySendError},
    task::AbortHandle,
};
use tokio_rustls::TlsConnector;

use certificate::Names;
use connection::{Letter, Patience};
use sign::{Inlet, Outlet, Sign};
use table::{Limits, Number, Row, Table};
use task::Task;
use tls::{Expected, Tls};

use crate::icmp;

/// Messages that may wait for one connection; a peer that lets more wait does not read.
const QUEUE: usize = 256;

/// One socket to be opened.
#[derive(Clone, Debug)]
pub struct Opening {
    /// How messages travel.
    pub transport: Transport,
    /// Where it binds.
    pub bind: SocketAddr,
    /// Certificates, for [`Transport::Tls`].
    pub tls: Option<Arc<Tls>>,
}

/// How many connections there may be, and how long they wait for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// How many.
    pub limits: Limits,
    /// How long.
    pub patience: Patience,
}

/// What a sign means to the node.
#[derive(Debug)]
pub enum Heard {
    /// A whole message.
    Message {
        /// Where it came from.
        source: Remote,
        /// All of it.
        octets: Vec<u8>,
    },
    /// Who cannot be reached: a datagram came back, or a connection to them never came to anything.
    Gone(Vec<Remote>),
    /// A connection that both sides have used is over.
    Severed {
        /// Its far end.
        connection: Remote,
        /// Where messages that went by it were sent to.
        asked: Vec<Remote>,
    },
}

/// A message was not sent, and nobody will answer it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsent;

/// What the node keeps of a connection.
struct Handle {
    queue: mpsc::Sender<Letter>,
    /// Whom the peer's certificate names, once it has shown one that we trust.
    names: Names,
    /// Its task, which may be in a handshake and hear nothing of the queue.
    task: Option<AbortHandle>,
}

enum Socket {
    Udp(Arc<UdpSocket>),
    Stream(Option<Arc<Tls>>),
}

/// Every socket of a node.
pub struct Net {
    sockets: Vec<(SocketAddr, Socket)>,
    table: Table<Handle>,
    expected: HashMap<Remote, Expected>,
    patience: Patience,
    signs: Inlet,
    /// Where connections have their tasks.
    crowd: runtime::Handle,
}

impl fmt::Debug for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Net({} sockets, {} connections)", self.sockets.len(), self.table.len())
    }
}

impl Net {
    /// Opens every socket, in the order of the endpoint's listeners; the signs come from the
    /// receiver. Sockets are read where this runs; connections have their tasks in `crowd`, so that
    /// no handshake of a stranger holds up the calls.
    ///
    /// # Errors
    /// An address is taken or not ours.
    pub async fn open(
        openings: &[Opening],
        bounds: Bounds,
        crowd: runtime::Handle,
    ) -> io::Result<(Self, Outlet)> {
        let (signs, receiver) = sign::channel();
        let mut sockets = Vec::new();
        for (index, opening) in openings.iter().enumerate() {
            let listener = ListenerId(u16::try_from(index).map_err(io::Error::other)?);
            let (address, transport) = (opening.bind, opening.transport);
            let own = Remote { address, listener, transport };
            let socket = if transport.is_reliable() {
                let listener = TcpListener::bind(address).await?;
                tokio::spawn(task::accept(listener, own, signs.clone()));
                Socket::Stream(opening.tls.clone())
            } else {
                let socket = Arc::new(UdpSocket::bind(address).await?);
                icmp::watch(&socket)?;
                tokio::spawn(task::receive(Arc::clone(&socket), own, signs.clone()));
                Socket::Udp(socket)
            };
            sockets.push((address, socket));
        }
        let (table, expected) = (Table::new(bounds.limits), HashMap::new());
        Ok((Self { sockets, table, expected, patience: bounds.patience, signs, crowd }, receiver))
    }

    /// New certificates and bounds. Connections that stand keep what they were made with.
    pub fn renew(&mut self, openings: &[Opening], bounds: Bounds) {
        for (bind, socket) in &mut self.sockets {
            if let Socket::Stream(Some(tls)) = socket {
                let new = openings.iter().filter(|opening| opening.bind == *bind);
                if let Some(new) = new.filter_map(|opening| opening.tls.as_ref()).next() {
                    *tls = Arc::clone(new);
                }
            }
        }
        self.table.limit(bounds.limits);
        self.patience = bounds.patience;
    }

    /// Whom to expect where we connect to under TLS. Without a word the certificate must name the
    /// address itself.
    pub fn expects(&mut self, remote: Remote, expected: Expected) {
        self.expected.insert(remote, expected);
    }

    /// A peer that moves to another port is still the same.
    fn expected(&self, remote: Remote) -> Expected {
        let same = |other: &Remote| {
            other.listener == remote.listener && other.address.ip() == remote.address.ip()
        };
        let exactly = self.expected.get(&remote);
        let near = || self.expected.iter().find(|(other, _)| same(other)).map(|(_, e)| e);
        exactly.or_else(near).cloned().unwrap_or(Expected::Address(remote.address.ip()))
    }

    /// Whom the certificate names that the other end of a connection has shown.
    #[must_use]
    pub fn names(&self, remote: Remote) -> Option<&Names> {
        let row = self.table.row(self.table.find(remote, None)?)?;
        Some(&row.handle.names)
    }

    /// What a sign means; `known` says whether who knocks has the address of a trunk or PBX.
    pub fn take(&mut self, sign: Sign, known: bool) -> Option<Heard> {
        match sign {
            Sign::Refused { remote } => Some(Heard::Gone(vec![remote])),
            Sign::Datagram { remote, octets } => Some(Heard::Message { source: remote, octets }),
            Sign::Knock { remote, stream } => {
                self.admit(remote, stream, known);
                None
            }
            Sign::Shown { number, names } => {
                if let Some(handle) = self.table.handle(number) {
                    handle.names = names;
                }
                None
            }
            Sign::Message { number, octets } => {
                self.table.prove(number);
                let source = self.table.row(number)?.remote;
                Some(Heard::Message { source, octets })
            }
            Sign::Over { number } => {
                let Row { remote: connection, heard, asked, .. } = self.table.remove(number)?;
                if asked.is_empty() {
                    None
                } else if heard {
                    Some(Heard::Severed { connection, asked })
                } else {
                    Some(Heard::Gone(asked))
                }
            }
            Sign::Unsent { letters } => {
                for letter in letters.into_iter().filter(|letter| letter.is_nobodys()) {
                    self.forward(letter);
                }
                None
            }
        }
    }

    /// Sends a message, or lets it wait until its connection stands.
    ///
    /// # Errors
    /// [`Unsent`].
    pub fn send(&mut self, transmit: Transmit) -> Result<(), Unsent> {
        let Transmit { remote, over, alias, octets } = transmit;
        let Some((bind, socket)) = self.sockets.get(usize::from(remote.listener.0)) else {
            return Err(Unsent);
        };
        if let Socket::Udp(socket) = socket {
            let to = task::outward(bind.ip(), remote.address);
            // The first error may be news of an earlier datagram, and this one has not gone out then.
            let sent = socket.try_send_to(&octets, to).or_else(|_| socket.try_send_to(&octets, to));
            return match sent {
                Ok(_) => Ok(()),
                // A full send buffer is a lost datagram; SIP repeats what matters.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
                Err(_) => Err(Unsent),
            };
        }
        let over = over.map(|address| Remote { address, ..remote });
        self.post((remote, over, alias), Letter::to(remote, octets))
    }

    /// Sends what has not gone by a connection that is over by another one, once.
    fn forward(&mut self, letter: Letter) {
        let Some(remote) = letter.to.filter(|_| !letter.moved) else { return };
        if self.post((remote, None, false), Letter { moved: true, ..letter }).is_err() {
            tracing::debug!("an answer could not be sent by another connection either");
        }
    }

    /// Puts a message into the queue of its connection: the one that it came by, the one that leads
    /// there, or a new one, as long as one of them still takes it.
    fn post(
        &mut self,
        (remote, over, alias): (Remote, Option<Remote>, bool),
        mut letter: Letter,
    ) -> Result<(), Unsent> {
        for _ in 0..3 {
            let number = match self.table.find(remote, over) {
                Some(number) => number,
                None => self.dial(remote).ok_or(Unsent)?,
            };
            if alias {
                self.table.alias(number, remote);
            }
            self.table.asks(number, remote);
            match self.table.handle(number).map(|handle| handle.queue.try_send(letter)) {
                Some(Ok(())) => return Ok(()),
                // It has just ended, and its end is on the way here.
                Some(Err(TrySendError::Closed(back))) => {
                    letter = back;
                    self.table.leave(number);
                }
                Some(Err(TrySendError::Full(_))) | None => {
                    // The peer does not read: the next message takes a new one.
                    self.table.remove(number);
                    return Err(Unsent);
                }
            }
        }
        Err(Unsent)
    }

    fn admit(&mut self, remote: Remote, stream: TcpStream, known: bool) {
        let Some((_, Socket::Stream(tls))) = self.sockets.get(usize::from(remote.listener.0))
        else {
            return;
        };
        let tls = tls.clone();
        let (queue, messages) = mpsc::channel(QUEUE);
        let own = queue.downgrade();
        let handle = Handle { queue, names: Names::default(), task: None };
        // Who is not admitted hears nothing: the stream is dropped.
        let Ok((number, evicted)) = self.table.admit(remote, known, handle) else { return };
        if let Some(task) = evicted
            .and_then(|evicted| self.table.remove(evicted))
            .and_then(|evicted| evicted.handle.task)
        {
            task.abort();
        }
        let task = self.crowd.spawn(self.task(number, messages, own).answer(stream, tls));
        if let Some(handle) = self.table.handle(number) {
            handle.task = Some(task.abort_handle());
        }
    }

    fn dial(&mut self, remote: Remote) -> Option<Number> {
        let (bind, socket) = self.sockets.get(usize::from(remote.listener.0))?;
        let Socket::Stream(tls) = socket else { return None };
        let (own, to) = (bind.ip(), remote.address);
        let secured = match tls {
            None => None,
            Some(tls) => {
                let expected = self.expected(remote);
                let name = tls::server_name(&expected, to.ip());
                Some((TlsConnector::from(Arc::new(tls.client(expected).ok()?)), name))
            }
        };
        let (queue, messages) = mpsc::channel(QUEUE);
        let weak = queue.downgrade();
        let number = self.table.dial(remote, Handle { queue, names: Names::default(), task: None });
        self.crowd.spawn(self.task(number, messages, weak).dial(own, to, secured));
        Some(number)
    }

    fn task(
        &self,
        number: Number,
        queue: mpsc::Receiver<Letter>,
        own: mpsc::WeakSender<Letter>,
    ) -> Task {
        Task { number, queue, own, signs: self.signs.clone(), patience: self.patience }
    }
}
