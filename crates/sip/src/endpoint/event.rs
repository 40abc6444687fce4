//! What an endpoint reports, and what it is asked to start.

use std::fmt;
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;

use crate::network::{ListenerId, Remote};
use crate::registration::{RegistrationId, Standing};
use crate::uri::Uri;
use crate::wire::address::NameAddr;
use crate::wire::build::Body;
use crate::wire::header::Header;
use crate::wire::message::Message;
use crate::wire::request::Request;

/// One dialog, or dialog to be, seen from us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LegId(pub(crate) u64);

impl LegId {
    /// A number that no other leg of this endpoint has; fit for a log.
    pub fn number(self) -> u64 {
        self.0
    }
}

/// One OPTIONS of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PingId(pub(crate) u64);

/// The octets of a session description. `Debug` shows their number only: they hold addresses.
#[derive(Clone, PartialEq, Eq)]
pub struct Sdp(pub Vec<u8>);

impl Deref for Sdp {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Sdp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sdp({} octets)", self.0.len())
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
}

/// Why a leg ended without the other side saying so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// We rejected its INVITE.
    Refused,
    /// The Expires of its INVITE ran out before we answered; 487 is sent (row A-24).
    Expired,
    /// We hung up; the other side has answered the BYE or never will.
    HungUp,
    /// We cancelled the INVITE. `answered` when its 2xx crossed the CANCEL and was hung up on.
    Cancelled {
        /// Had the other side answered?
        answered: bool,
    },
    /// No response to our INVITE in 64*T1, or none to a re-INVITE.
    NoResponse,
    /// Our 2xx was not acknowledged in 64*T1 (row A-04).
    NoAck,
    /// The offer in our 2xx was not answered in the ACK (row A-03), or our INVITE was accepted
    /// without a session description.
    NoAnswer,
    /// The other side says that it knows no such call (481 or 408 in the dialog, row B-09).
    Unknown,
}

/// The result of an OPTIONS of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pong {
    /// Any final response: the peer lives, whatever the status says.
    Status(u16),
    /// Nothing in 64*T1.
    Timeout,
}

/// What the endpoint reports. Every leg ends with exactly one of [`Event::Rejected`],
/// [`Event::Cancelled`], [`Event::Bye`] and [`Event::Ended`]; nothing follows it.
#[derive(Debug, Clone)]
pub enum Event {
    /// A new call. 100 Trying is on its way; answer with `respond`.
    IncomingInvite {
        /// The new leg.
        leg: LegId,
        /// Where it came from.
        source: Remote,
        /// The whole request.
        request: Arc<Request>,
        /// Max-Forwards for the other leg: one less than received (row R-04).
        max_forwards: u8,
        /// The offer; `None` asks us to offer in the 2xx (row A-03).
        offer: Option<Sdp>,
    },
    /// Our 2xx (to the INVITE or to a re-INVITE) has been acknowledged.
    Acked {
        /// The leg.
        leg: LegId,
        /// The answer, when our 2xx held the offer.
        answer: Option<Sdp>,
    },
    /// The caller gave up before we answered; 487 is sent. The leg is over.
    Cancelled {
        /// The leg.
        leg: LegId,
        /// The CANCEL, for its Reason.
        request: Arc<Request>,
    },
    /// A provisional response (not 100) to our INVITE.
    Provisional {
        /// The leg.
        leg: LegId,
        /// 101 to 199.
        status: u16,
        /// Early media.
        sdp: Option<Sdp>,
        /// The whole response.
        response: Arc<Message>,
    },
    /// Our INVITE was accepted; the ACK is on its way.
    Answered {
        /// The leg.
        leg: LegId,
        /// The answer: of the 2xx, or of an earlier response of the same dialog (row A-17).
        sdp: Sdp,
        /// The whole response.
        response: Arc<Message>,
    },
    /// Our INVITE was rejected. The leg is over.
    Rejected {
        /// The leg.
        leg: LegId,
        /// 300 to 699.
        status: u16,
        /// The whole response, for Reason, Retry-After, Contact …
        response: Arc<Message>,
    },
    /// The other side wants to change the session; answer with `answer_reinvite`.
    Reinvite {
        /// The leg.
        leg: LegId,
        /// The whole request.
        request: Arc<Request>,
        /// The offer; `None` asks us to offer in the 2xx (row B-03).
        offer: Option<Sdp>,
    },
    /// Our re-INVITE was accepted.
    Reanswered {
        /// The leg.
        leg: LegId,
        /// The answer.
        sdp: Option<Sdp>,
    },
    /// Our re-INVITE was refused for good; the call and its media stay as they are (row B-09).
    ReinviteRefused {
        /// The leg.
        leg: LegId,
        /// 300 to 699.
        status: u16,
    },
    /// A DTMF digit or other INFO body; 200 is sent.
    Info {
        /// The leg.
        leg: LegId,
        /// The whole request.
        request: Arc<Request>,
    },
    /// The other side hung up; 200 is sent. The leg is over.
    Bye {
        /// The leg.
        leg: LegId,
        /// The BYE, for its Reason.
        request: Arc<Request>,
    },
    /// The leg is over for a reason of ours.
    Ended {
        /// The leg.
        leg: LegId,
        /// Which.
        why: Why,
    },
    /// How a registration stands now.
    Registration {
        /// Which.
        registration: RegistrationId,
        /// How.
        standing: Standing,
    },
    /// The result of `options`.
    Pong {
        /// Which.
        ping: PingId,
        /// What came back.
        pong: Pong,
    },
}

impl Event {
    /// Is this the last event of its leg?
    pub fn ends_leg(&self) -> Option<LegId> {
        match self {
            Event::Cancelled { leg, .. }
            | Event::Rejected { leg, .. }
            | Event::Bye { leg, .. }
            | Event::Ended { leg, .. } => Some(*leg),
            Event::IncomingInvite { .. }
            | Event::Acked { .. }
            | Event::Provisional { .. }
            | Event::Answered { .. }
            | Event::Reinvite { .. }
            | Event::Reanswered { .. }
            | Event::ReinviteRefused { .. }
            | Event::Info { .. }
            | Event::Registration { .. }
            | Event::Pong { .. } => None,
        }
    }
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
