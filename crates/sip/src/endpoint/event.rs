//! What an endpoint reports.

use std::fmt;
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;

use crate::network::Remote;
use crate::registration::{RegistrationId, Standing};
use crate::wire::body::{Content, content};
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

/// One request in a dialog that is neither the session's nor the dialog's own business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AskId(pub(crate) u64);

/// One early dialog of an INVITE of ours: the other side may ring in several places, each with a tag
/// and a session description of its own (row A-13). Counted from 0 within the leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ForkId(pub(crate) u32);

impl ForkId {
    /// Which of the leg's early dialogs, in the order in which they were heard of.
    pub fn number(self) -> u32 {
        self.0
    }
}

/// The request that an offer came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A re-INVITE: [`Event::Acked`] follows our 2xx.
    Invite,
    /// UPDATE (RFC 3311), before or after the answer: nothing follows our 2xx.
    Update,
    /// The PRACK of a provisional response of ours (RFC 3262 §5): nothing follows our 2xx.
    Prack,
}

/// The octets of a session description, which all who keep it share. `Debug` shows their number only:
/// they hold addresses.
#[derive(Clone, PartialEq, Eq)]
pub struct Sdp(pub Arc<[u8]>);

impl Sdp {
    /// The session description of a message, wherever it is in the body.
    pub(crate) fn of(message: &Message) -> Option<Sdp> {
        match content(message) {
            Content::Sdp(octets) => Some(Sdp(octets.into())),
            Content::Empty | Content::Optional | Content::Unsupported => None,
        }
    }
}

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
    /// Our provisional response was not acknowledged in 64*T1 (row A-08); 504 is sent.
    NoPrack,
    /// No response to our INVITE in 64*T1, or none to a re-INVITE.
    NoResponse,
    /// Our 2xx was not acknowledged in 64*T1 (row A-04).
    NoAck,
    /// The offer in our 2xx was not answered in the ACK (row A-03), or our INVITE was accepted
    /// without a session description.
    NoAnswer,
    /// Nobody refreshed the session in time (RFC 4028, row B-11).
    Stale,
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
        /// The offer; `None` asks us to offer in the 2xx (row A-03), or in a provisional response
        /// if `reliable`.
        offer: Option<Sdp>,
        /// A provisional response with a session description will be acknowledged (row A-08).
        reliable: bool,
    },
    /// A provisional response of ours has been acknowledged (RFC 3262).
    Pracked {
        /// The leg.
        leg: LegId,
        /// The answer, when our provisional response held the offer.
        answer: Option<Sdp>,
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
    /// A provisional response (not 100 and not 199) to our INVITE; what must be acknowledged is.
    Provisional {
        /// The leg.
        leg: LegId,
        /// Which of the places that ring.
        fork: ForkId,
        /// 101 to 199.
        status: u16,
        /// Early media.
        sdp: Option<Sdp>,
        /// The whole response.
        response: Arc<Message>,
    },
    /// One of the places that ring has given up (199, RFC 6228); the others go on.
    ForkEnded {
        /// The leg.
        leg: LegId,
        /// Which.
        fork: ForkId,
    },
    /// Our INVITE was accepted; the ACK is on its way.
    Answered {
        /// The leg.
        leg: LegId,
        /// The place that answered.
        fork: ForkId,
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
    /// The other side wants to change the session; answer with `answer_reinvite`. One that repeats
    /// the description it gave last is answered by the endpoint and not reported (row B-12).
    Reinvite {
        /// The leg.
        leg: LegId,
        /// In a re-INVITE, or in another request that carries an offer.
        by: By,
        /// The whole request.
        request: Arc<Request>,
        /// The offer; `None` (in a re-INVITE only) asks us to offer in the 2xx (row B-03).
        offer: Option<Sdp>,
    },
    /// A re-INVITE or UPDATE that leaves the session as it is says something else in its headers, such as
    /// who is there now (RFC 5876); 200 is sent.
    Noted {
        /// The leg.
        leg: LegId,
        /// The whole request.
        request: Arc<Request>,
    },
    /// Our re-INVITE or UPDATE was accepted.
    Reanswered {
        /// The leg.
        leg: LegId,
        /// It only kept the session alive, and the answer has changed all the same.
        refresh: bool,
        /// The answer.
        sdp: Option<Sdp>,
    },
    /// Our re-INVITE or UPDATE was refused for good; the call and its media stay as they are (row B-09).
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
    /// A request that the endpoint has no answer to (REFER, and NOTIFY after a REFER of ours): answer
    /// with `answer_asked`.
    Asked {
        /// The leg.
        leg: LegId,
        /// Which.
        ask: AskId,
        /// The whole request.
        request: Arc<Request>,
    },
    /// What came of a request that [`crate::Endpoint::send`] or [`crate::Endpoint::notify`] sent.
    Told {
        /// The leg.
        leg: LegId,
        /// Which.
        ask: AskId,
        /// 200 to 699; 408 when nobody answered.
        status: u16,
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
        /// Where the peer saw it come from, if it says so (RFC 3581 §4): behind a NAT, another
        /// address than ours.
        seen: Option<SocketAddr>,
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
            | Event::Pracked { .. }
            | Event::Acked { .. }
            | Event::Provisional { .. }
            | Event::ForkEnded { .. }
            | Event::Answered { .. }
            | Event::Reinvite { .. }
            | Event::Noted { .. }
            | Event::Reanswered { .. }
            | Event::ReinviteRefused { .. }
            | Event::Info { .. }
            | Event::Registration { .. }
            | Event::Asked { .. }
            | Event::Told { .. }
            | Event::Pong { .. } => None,
        }
    }
}
