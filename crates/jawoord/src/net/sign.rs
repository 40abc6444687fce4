//! What the tasks of sockets and connections tell the loop, and what of it is heard first.

use sip::{Glance, Remote};
use tokio::{
    net::TcpStream,
    sync::mpsc::{self, error::TrySendError},
};

use super::{certificate::Names, connection::Letter, table::Number};

/// One sign of life, or of its end.
pub enum Sign {
    /// A datagram.
    Datagram {
        /// Where it came from.
        remote: Remote,
        /// All of it.
        octets: Vec<u8>,
    },
    /// A datagram of ours found nobody (ICMP).
    Refused {
        /// Where it went.
        remote: Remote,
    },
    /// Somebody wants a connection.
    Knock {
        /// Who.
        remote: Remote,
        /// The stream, with nothing read from it.
        stream: TcpStream,
    },
    /// A certificate that we trust was shown.
    Shown {
        /// By the other end of which connection.
        number: Number,
        /// Whom it names.
        names: Names,
    },
    /// A message, or the head of one that cannot be framed.
    Message {
        /// By which connection.
        number: Number,
        /// All of it.
        octets: Vec<u8>,
    },
    /// A connection is over, or never stood.
    Over {
        /// Which.
        number: Number,
    },
    /// What was to go by a connection that is over, and did not.
    Unsent {
        /// In its order.
        letters: Vec<Letter>,
    },
}

/// Signs that may wait for the loop, of either kind.
const QUEUE: usize = 1_024;

/// Nobody listens any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deaf;

/// The tasks' way to the loop. What belongs to calls in progress goes first; what may begin one
/// waits (row O-01).
#[derive(Clone)]
pub struct Inlet {
    first: mpsc::Sender<Sign>,
    last: mpsc::Sender<Sign>,
}

/// The loop's end of it.
pub struct Outlet {
    first: mpsc::Receiver<Sign>,
    last: mpsc::Receiver<Sign>,
}

/// Both ends.
#[must_use]
pub fn channel() -> (Inlet, Outlet) {
    let (first, from_first) = mpsc::channel(QUEUE);
    let (last, from_last) = mpsc::channel(QUEUE);
    (Inlet { first, last }, Outlet { first: from_first, last: from_last })
}

/// Does a message belong to what goes on already?
fn is_inside(octets: &[u8]) -> bool {
    match sip::glance(octets) {
        Glance::Response(_) | Glance::Inside(_) | Glance::Outside(b"ACK" | b"CANCEL") => true,
        Glance::Outside(_) | Glance::Noise => false,
    }
}

impl Inlet {
    /// Takes a sign. A datagram that may begin something is dropped when too many wait: it comes
    /// again. Whoever sends over a connection waits instead.
    ///
    /// # Errors
    /// [`Deaf`].
    pub async fn take(&self, sign: Sign) -> Result<(), Deaf> {
        let queue = match &sign {
            Sign::Datagram { octets, .. } if matches!(sip::glance(octets), Glance::Noise) => {
                return Ok(());
            }
            Sign::Datagram { octets, .. } if !is_inside(octets) => {
                return match self.last.try_send(sign) {
                    Ok(()) | Err(TrySendError::Full(_)) => Ok(()),
                    Err(TrySendError::Closed(_)) => Err(Deaf),
                };
            }
            Sign::Message { octets, .. } if !is_inside(octets) => &self.last,
            // A connection's certificate before its messages, its end after all of them.
            Sign::Datagram { .. }
            | Sign::Refused { .. }
            | Sign::Message { .. }
            | Sign::Shown { .. } => &self.first,
            Sign::Knock { .. } | Sign::Over { .. } | Sign::Unsent { .. } => &self.last,
        };
        queue.send(sign).await.map_err(|_| Deaf)
    }
}

impl Outlet {
    /// The next sign, calls in progress first.
    pub async fn next(&mut self) -> Option<Sign> {
        tokio::select! {
            biased;
            Some(sign) = self.first.recv() => Some(sign),
            Some(sign) = self.last.recv() => Some(sign),
            else => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use sip::{ListenerId, Transport};

    use super::*;

    fn datagram(text: &str) -> Sign {
        let address: SocketAddr = ([192, 0, 2, 9], 5060).into();
        let remote = Remote { address, listener: ListenerId(0), transport: Transport::Udp };
        Sign::Datagram { remote, octets: text.into() }
    }

    fn request(method: &str, to: &str) -> String {
        format!("{method} sip:a SIP/2.0\r\nTo: <sip:a>{to}\r\n\r\n")
    }

    #[tokio::test]
    async fn o_01_calls_in_progress_go_before_new_ones_and_of_these_too_many_are_dropped() {
        let (inlet, mut outlet) = channel();
        for _ in 0..QUEUE + 10 {
            inlet.take(datagram(&request("INVITE", ""))).await.unwrap();
        }
        inlet.take(datagram("noise")).await.unwrap();
        for text in [request("BYE", ";tag=1"), "SIP/2.0 200 OK\r\n\r\n".into()] {
            inlet.take(datagram(&text)).await.unwrap();
        }
        let (mut order, mut news) = (Vec::new(), 0);
        drop(inlet);
        while let Some(Sign::Datagram { octets, .. }) = outlet.next().await {
            if octets.starts_with(b"INVITE") { news += 1 } else { order.push(news) }
        }
        assert_eq!((order, news), (vec![0, 0], QUEUE));
    }
}
