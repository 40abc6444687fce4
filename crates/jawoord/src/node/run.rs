//! The loop: one input at a time, then everything that follows from it.

use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use call::CallId;
use sip::{Glance, ListenerId, Remote, Transport};
use tokio::{
    net::UdpSocket,
    sync::mpsc::{self, error::TrySendError},
    time,
};

use super::Node;
use crate::{bridge, icmp, note::Note};

/// How long a call waits for its row before it goes on unrecorded.
pub(crate) const ROW_PATIENCE: Duration = Duration::from_secs(2);

/// How long a stopping node waits for its calls.
const STOP_PATIENCE: Duration = Duration::from_secs(8);

/// Datagrams that may wait for the loop, of either kind.
const QUEUE: usize = 1_024;

/// The loop's receiving ends.
pub struct Inbox {
    /// One socket a listener, in the order of the settings.
    pub sockets: Vec<Arc<UdpSocket>>,
    /// Notes.
    pub notes: mpsc::UnboundedReceiver<Note>,
}

/// A datagram and where it came from, or news of one of ours that found nobody.
struct Datagram {
    listener: usize,
    peer: SocketAddr,
    /// `None` when nobody can be reached there (ICMP).
    octets: Option<Vec<u8>>,
}

/// Runs the node until it is told to stop and its calls have ended.
///
/// # Errors
/// A listener's socket is gone.
pub async fn run(mut node: Node, inbox: Inbox) -> io::Result<()> {
    let Inbox { sockets, mut notes } = inbox;
    let (first, mut inside) = mpsc::channel(QUEUE);
    let (last, mut outside) = mpsc::channel(QUEUE);
    let inlet = Inlet { inside: first, outside: last };
    let mut readers = tokio::task::JoinSet::new();
    for (listener, socket) in sockets.iter().enumerate() {
        icmp::watch(socket)?;
        readers.spawn(read(listener, Arc::clone(socket), inlet.clone()));
    }
    let mut stop_by: Option<Instant> = None;
    loop {
        let wake = [node.wake(), stop_by].into_iter().flatten().min();
        let sleep = wake.unwrap_or_else(|| Instant::now() + Duration::from_secs(3_600));
        tokio::select! {
            Some(datagram) = next(&mut inside, &mut outside) => node.datagram(&datagram),
            Some(note) = notes.recv() => {
                node.instant = Instant::now();
                if matches!(note, Note::Stop) {
                    stop_by = Some(node.instant + STOP_PATIENCE);
                }
                node.note(note);
            }
            () = time::sleep_until(sleep.into()) => {
                node.instant = Instant::now();
                node.timeouts();
            }
        }
        if node.has_left() {
            stop_by = Some(node.instant + STOP_PATIENCE);
            node.note(Note::Stop);
        }
        node.settle(&sockets);
        let now = Instant::now();
        if stop_by.is_some_and(|by| now >= by || node.quiet()) {
            return Ok(());
        }
    }
}

/// What belongs to calls in progress goes first; what may begin one waits, and is dropped when too
/// much of it waits: it comes again (row O-01).
#[derive(Clone)]
struct Inlet {
    inside: mpsc::Sender<Datagram>,
    outside: mpsc::Sender<Datagram>,
}

impl Inlet {
    /// Takes a datagram; `false` when nobody is there to read it.
    async fn take(&self, datagram: Datagram) -> bool {
        let Some(octets) = &datagram.octets else {
            return self.inside.send(datagram).await.is_ok();
        };
        match sip::glance(octets) {
            Glance::Noise => true,
            Glance::Response(_) | Glance::Inside(_) | Glance::Outside(b"ACK" | b"CANCEL") => {
                self.inside.send(datagram).await.is_ok()
            }
            Glance::Outside(_) => match self.outside.try_send(datagram) {
                Ok(()) | Err(TrySendError::Full(_)) => true,
                Err(TrySendError::Closed(_)) => false,
            },
        }
    }
}

/// The next datagram, calls in progress first.
async fn next(
    inside: &mut mpsc::Receiver<Datagram>,
    outside: &mut mpsc::Receiver<Datagram>,
) -> Option<Datagram> {
    tokio::select! {
        biased;
        Some(datagram) = inside.recv() => Some(datagram),
        Some(datagram) = outside.recv() => Some(datagram),
        else => None,
    }
}

async fn read(listener: usize, socket: Arc<UdpSocket>, inlet: Inlet) {
    let mut buffer = vec![0; 65_535];
    loop {
        match socket.recv_from(&mut buffer).await {
            Ok((length, peer)) => {
                let octets = Some(buffer.get(..length).unwrap_or_default().to_vec());
                if !inlet.take(Datagram { listener, peer, octets }).await {
                    return;
                }
            }
            // An ICMP answer to something that we sent.
            Err(error) => {
                tracing::debug!(kind = ?error.kind(), "receiving SIP");
                for peer in icmp::unreachable(&socket) {
                    if !inlet.take(Datagram { listener, peer, octets: None }).await {
                        return;
                    }
                }
            }
        }
    }
}

impl Node {
    /// When the loop must wake even if nothing happens.
    fn wake(&self) -> Option<Instant> {
        let calls = self.due.first().map(|(at, _)| self.clock.instant(*at));
        let parked = self.parked.front().map(|(at, _)| *at);
        let targets = self.targets.wakes();
        [self.endpoint.poll_timeout(), calls, targets, parked, self.leaving]
            .into_iter()
            .flatten()
            .min()
    }

    fn datagram(&mut self, datagram: &Datagram) {
        self.instant = Instant::now();
        let Ok(listener) = u16::try_from(datagram.listener) else { return };
        let remote = Remote {
            address: datagram.peer,
            listener: ListenerId(listener),
            transport: Transport::Udp,
        };
        let Some(octets) = &datagram.octets else {
            return self.endpoint.unreachable(self.instant, remote);
        };
        if self.admits(remote, octets) {
            self.traced(&remote, octets, true);
            self.endpoint.receive(self.instant, remote, octets);
        }
    }

    fn note(&mut self, note: Note) {
        match note {
            Note::Media(report) => self.heard(&report),
            Note::Paper(paper) => self.papered(paper),
            Note::Tape(tape) => self.taped(&tape),
            Note::Settings(settings) => {
                self.targets.renew(&settings.pbxs, &settings.trunks, self.instant);
                self.sound.renew(&settings);
                self.settings = settings;
            }
            Note::Ask(call, answer) => {
                let _nobody_waits = answer.send(self.ask(call));
            }
            Note::HangUp(call, answer) => {
                let known = self.sessions.contains_key(&call);
                self.with(call, bridge::stop(false));
                let _nobody_waits = answer.send(known);
            }
            Note::Trace(call, answer) => {
                let _nobody_waits = answer.send(self.traces.of(call));
            }
            Note::Drain(on, answer) => {
                self.drains(on);
                let _nobody_waits = answer.send(self.sessions.len());
            }
            Note::Leave => {
                self.drains(true);
                self.leaving = Some(self.instant + self.settings.drain.limit);
            }
            Note::Stop => {
                self.leaving = None;
                self.drains(true);
                let calls: Vec<CallId> = self.sessions.keys().copied().collect();
                for call in calls {
                    self.with(call, bridge::stop(true));
                }
            }
        }
    }

    /// Everything that follows from the last input: events, then datagrams.
    fn settle(&mut self, sockets: &[Arc<UdpSocket>]) {
        while let Some(event) = self.endpoint.poll_event() {
            self.signalled(event);
        }
        while let Some(transmit) = self.endpoint.poll_transmit() {
            self.traced(&transmit.remote, &transmit.octets, false);
            let socket = sockets.get(usize::from(transmit.remote.listener.0));
            let Some(socket) = socket else { continue };
            let send = || socket.try_send_to(&transmit.octets, transmit.remote.address);
            // The first error may be news of an earlier datagram, and this one has not gone out
            // then. A full send buffer is a lost datagram; SIP repeats what matters.
            if let Err(error) = send().or_else(|_| send()) {
                tracing::debug!(kind = ?error.kind(), "sending SIP");
            }
        }
    }

    /// Keeps a message for whoever looks at the call later.
    fn traced(&mut self, remote: &Remote, octets: &[u8], received: bool) {
        let at = self.now();
        let listener = self.settings.listeners.get(usize::from(remote.listener.0));
        let own = listener.map_or(remote.address, |listener| listener.advertised);
        let (from, to) = if received { (remote.address, own) } else { (own, remote.address) };
        self.traces.add(at, from, to, octets);
    }

    /// Whether a node that leaves has nothing to wait for any more.
    fn has_left(&self) -> bool {
        let late = |by: Instant| self.sessions.is_empty() || self.instant >= by;
        self.leaving.is_some_and(late)
    }

    fn quiet(&self) -> bool {
        self.sessions.is_empty() && self.endpoint.legs() == 0
    }
}
