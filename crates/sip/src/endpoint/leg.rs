//! One leg: its dialog, the phase it is in, and what is outstanding in it.

use std::sync::Arc;
use std::time::Duration;

use super::event::{LegId, Sdp, Why};
use crate::auth::wallet::Wallet;
use crate::dialog::Dialog;
use crate::network::{ListenerId, Remote, Way};
use crate::timer::Alarms;
use crate::transaction::layer::{ClientId, ServerId};
use crate::wire::build::Body;
use crate::wire::header::Header;
use crate::wire::request::Request;

/// Most early dialogs of one INVITE whose session description is kept.
pub(crate) const MAX_FORKS: usize = 16;

/// An INVITE or re-INVITE of theirs that we have not answered.
#[derive(Clone)]
pub(crate) struct Invited {
    pub(crate) server: ServerId,
    pub(crate) request: Arc<Request>,
    pub(crate) offered: bool,
}

/// Our INVITE that they have not answered.
pub(crate) struct Calling {
    pub(crate) client: ClientId,
    /// A provisional response has come: a CANCEL may go out (rows B-15, C-10).
    pub(crate) heard: bool,
    /// We want to cancel; the headers for the CANCEL until it is sent.
    pub(crate) cancel: Option<Vec<Header>>,
    pub(crate) cancelled: bool,
    /// The last session description of each early dialog, by To tag.
    pub(crate) early: Vec<(Option<Vec<u8>>, Sdp)>,
}

pub(crate) enum Phase {
    Ringing(Invited),
    Calling(Calling),
    Up,
    /// Our BYE is out; the reason is reported when it is answered.
    Closing(ClientId, Why),
    Over,
}

/// A 2xx of ours that waits for its ACK.
pub(crate) struct Unacked {
    /// The transaction that sent it and keeps it as long as we wait.
    pub(crate) server: ServerId,
    pub(crate) cseq: u32,
    pub(crate) interval: Duration,
    /// The 2xx held our offer, so that the ACK must hold the answer.
    pub(crate) offers: bool,
    /// It answers the first INVITE of the dialog.
    pub(crate) first: bool,
}

/// A re-INVITE of ours: in flight, or waiting to be tried again after a crossing.
pub(crate) struct Asking {
    pub(crate) body: Body,
    pub(crate) client: Option<ClientId>,
    pub(crate) tries: u8,
}

/// An ACK we sent, for when its 2xx comes again (row B-17).
pub(crate) struct SentAck {
    pub(crate) cseq: u32,
    pub(crate) tag: Option<Vec<u8>>,
    pub(crate) way: Way,
    pub(crate) octets: Vec<u8>,
}

pub(crate) struct Leg {
    pub(crate) id: LegId,
    pub(crate) dialog: Dialog,
    /// Where the INVITE came from or went to.
    pub(crate) peer: Remote,
    /// The listener by which requests leave that are too large for a datagram.
    pub(crate) stream: Option<ListenerId>,
    pub(crate) phase: Phase,
    pub(crate) alarms: Alarms,
    /// Did we open the dialog? Its Call-ID is ours then (RFC 3261 §14.1).
    pub(crate) opened: bool,
    /// Client transactions that still name this leg.
    pub(crate) clients: u32,
    pub(crate) unacked: Option<Unacked>,
    pub(crate) asked: Option<Invited>,
    pub(crate) asking: Option<Asking>,
    pub(crate) acks: Vec<SentAck>,
    /// A BYE that waits for the ACK of our 2xx (RFC 3261 §15).
    pub(crate) bye_after_ack: Option<Vec<Header>>,
    /// What challenges in this leg are answered with.
    pub(crate) wallet: Option<Wallet>,
}

impl Leg {
    pub(crate) fn new(id: LegId, dialog: Dialog, peer: Remote, phase: Phase, opened: bool) -> Leg {
        Leg {
            id,
            dialog,
            peer,
            stream: None,
            phase,
            alarms: Alarms::default(),
            opened,
            clients: 0,
            unacked: None,
            asked: None,
            asking: None,
            acks: Vec::new(),
            bye_after_ack: None,
            wallet: None,
        }
    }

    /// Does an in-dialog request with this Call-ID and From tag belong here?
    pub(crate) fn is_party(&self, request: &Request) -> bool {
        let tag = request.from().tag();
        let same_tag = match &self.phase {
            // Any fork may speak before one of them has answered.
            Phase::Calling(_) => true,
            Phase::Ringing(_) | Phase::Up | Phase::Closing(..) | Phase::Over => {
                tag == self.dialog.remote_tag.as_deref()
            }
        };
        self.dialog.call_id == request.call_id() && same_tag
    }

    /// Remembers an ACK; the oldest go when there are many.
    pub(crate) fn remember(&mut self, ack: SentAck) {
        if self.acks.len() >= MAX_FORKS {
            self.acks.remove(0);
        }
        self.acks.push(ack);
    }
}
