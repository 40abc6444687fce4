//! What an endpoint is asked to start, and why it may decline.

use std::fmt;
use std::net::SocketAddr;

use super::config::SessionTimer;
use crate::network::ListenerId;
use crate::uri::Uri;
use crate::wire::address::NameAddr;
use crate::wire::build::Body;
use crate::wire::header::Header;

/// Which extensions an INVITE of ours uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// Take provisional responses that want to be acknowledged (`100rel`, RFC 3262).
    pub reliable: bool,
    /// Have the call refreshed (RFC 4028); `None` asks for no timer and promises none.
    pub session: Option<SessionTimer>,
}

impl Default for Abilities {
    fn default() -> Abilities {
        Abilities { reliable: true, session: Some(SessionTimer::default()) }
    }
}

/// An INVITE to be sent.
#[derive(Debug, Clone)]
pub struct Invite {
    /// The listener it leaves by.
    pub listener: ListenerId,
    /// The next hop, names resolved.
    pub destination: SocketAddr,
    /// The listener by which requests of more than 1,300 octets leave instead, when the peer takes TCP
    /// or TLS at `destination` as well (RFC 3261 §18.1.1, row R-15).
    pub stream: Option<ListenerId>,
    /// The Request-URI; `?headers` in it are left out.
    pub target: Uri,
    /// Configured Route values, none for a peer that is reached directly.
    pub routes: Vec<NameAddr>,
    /// From; its tag, if any, is replaced by one of ours.
    pub from: NameAddr,
    /// To; its tag, if any, is dropped.
    pub to: NameAddr,
    /// Further headers, written as they are.
    pub headers: Vec<Header>,
    /// The offer: an INVITE of ours always carries one.
    pub body: Body,
    /// Max-Forwards: for a call that came in, what [`Event::IncomingInvite`] says (row R-04).
    pub max_forwards: u8,
    /// The extensions that the peer may use.
    pub abilities: Abilities,
}

/// Why a command was not carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandError {
    /// No such leg, or it is over.
    UnknownLeg,
    /// The leg is not at the point where this makes sense.
    WrongState,
    /// A status code that does not fit the command.
    Status(u16),
    /// A 2xx to an INVITE needs a session description.
    NoDescription,
    /// A listener that the configuration does not have.
    UnknownListener,
    /// The limit of legs or transactions is reached.
    Full,
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CommandError::UnknownLeg => f.write_str("the leg is over; forget it"),
            CommandError::WrongState => {
                f.write_str("the leg is in another state; wait for its next event")
            }
            CommandError::Status(status) => {
                write!(f, "status {status} does not fit here; use 101 to 699 and 2xx once")
            }
            CommandError::NoDescription => {
                f.write_str("a 2xx has no session description; give the answer or an offer")
            }
            CommandError::UnknownListener => {
                f.write_str("no such listener; use one of the configuration")
            }
            CommandError::Full => f.write_str("too many calls; try again when some have ended"),
        }
    }
}

impl std::error::Error for CommandError {}
