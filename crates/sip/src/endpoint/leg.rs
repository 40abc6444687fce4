//! One leg: its dialog, the phase it is in, and what is outstanding in it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::command::Invite;
use super::config::SessionTimer;
use super::event::{AskId, By, ForkId, LegId, Sdp, Why};
use crate::auth::wallet::Wallet;
use crate::dialog::Dialog;
use crate::network::{ListenerId, Remote, Way};
use crate::timer::LegAlarms;
use crate::transaction::layer::{ClientId, ServerId};
use crate::wire::build::Body;
use crate::wire::extension::Rack;
use crate::wire::header::Header;
use crate::wire::message::Message;
use crate::wire::request::Request;

/// Most early dialogs of one INVITE.
pub(crate) const MAX_FORKS: usize = 16;

/// An INVITE, re-INVITE, UPDATE or PRACK of theirs with an offer that we have not answered.
#[derive(Clone)]
pub(crate) struct Invited {
    pub(crate) server: ServerId,
    pub(crate) request: Arc<Request>,
    pub(crate) offered: bool,
    pub(crate) by: By,
    /// The early dialog it came in, when our own INVITE is not answered yet.
    pub(crate) fork: Option<ForkId>,
}

/// A provisional response of ours that waits for its PRACK (RFC 3262 §3).
pub(crate) struct Pending {
    pub(crate) rack: Rack,
    pub(crate) way: Way,
    pub(crate) octets: Vec<u8>,
    pub(crate) interval: Duration,
    /// It holds a session description, so that no 2xx may overtake its PRACK.
    pub(crate) described: bool,
    /// That description is our offer, so that the PRACK must hold the answer.
    pub(crate) offers: bool,
}

/// A response that waits for a PRACK before it may go out.
pub(crate) struct Queued {
    pub(crate) status: u16,
    pub(crate) headers: Vec<Header>,
    pub(crate) body: Option<Body>,
}

impl Queued {
    /// A response without anything special.
    pub(crate) fn plain(status: u16) -> Queued {
        Queued { status, headers: Vec::new(), body: None }
    }
}

/// Their INVITE that we have not answered.
pub(crate) struct Ringing {
    pub(crate) invited: Invited,
    /// The caller can acknowledge provisional responses.
    pub(crate) supports: bool,
    /// The caller wants every one of them to be acknowledged.
    pub(crate) requires: bool,
    /// The RSeq of the last one.
    pub(crate) rseq: Option<u32>,
    pub(crate) pending: Option<Pending>,
    pub(crate) queue: VecDeque<Queued>,
    /// A description of ours went out in a response that must be acknowledged.
    pub(crate) described: bool,
    /// The first offer and its answer have been exchanged.
    pub(crate) agreed: bool,
}

impl Ringing {
    pub(crate) fn new(invited: Invited) -> Ringing {
        let message = invited.request.message();
        let requires = message.lists("Require", "100rel");
        let supports = requires || message.lists("Supported", "100rel");
        Ringing {
            invited,
            supports,
            requires,
            rseq: None,
            pending: None,
            queue: VecDeque::new(),
            described: false,
            agreed: false,
        }
    }

    /// Has a 2xx been asked for that waits for a PRACK?
    pub(crate) fn is_accepted(&self) -> bool {
        self.queue.iter().any(|queued| queued.status >= 200)
    }
}

/// One place that rings: an early dialog of our INVITE (RFC 3261 §12.1.2).
pub(crate) struct Early {
    pub(crate) id: ForkId,
    pub(crate) tag: Option<Vec<u8>>,
    pub(crate) dialog: Dialog,
    /// Its last session description.
    pub(crate) sdp: Option<Sdp>,
    /// The RSeq of its last response that was acknowledged.
    pub(crate) rseq: Option<u32>,
    /// Our offer has its answer in a response that was acknowledged.
    pub(crate) agreed: bool,
}

/// Our INVITE that they have not answered.
pub(crate) struct Calling {
    pub(crate) client: ClientId,
    /// What was asked for, to be sent again when the other side wants something changed.
    pub(crate) invite: Box<Invite>,
    /// How often it has been sent again.
    pub(crate) tries: u8,
    /// A provisional response has come: a CANCEL may go out (rows B-15, C-10).
    pub(crate) heard: bool,
    /// We want to cancel; the headers for the CANCEL until it is sent.
    pub(crate) cancel: Option<Vec<Header>>,
    pub(crate) cancelled: bool,
}

pub(crate) enum Phase {
    Ringing(Box<Ringing>),
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
    /// It repeats what was agreed: its ACK is no news.
    pub(crate) quiet: bool,
}

/// A change of the session that we want: in flight, or waiting to be tried again after a crossing.
pub(crate) struct Asking {
    pub(crate) body: Body,
    /// What else it says.
    pub(crate) headers: Vec<Header>,
    /// [`By::Invite`] or [`By::Update`].
    pub(crate) by: By,
    /// It only repeats what was agreed, to keep the session alive (RFC 4028 §7.4).
    pub(crate) refresh: bool,
    pub(crate) fork: Option<ForkId>,
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

/// Headers that the endpoint writes itself, by name and value.
pub(crate) type Own = Vec<(&'static str, Vec<u8>)>;

/// The session timer that both sides agreed on (RFC 4028).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticking {
    pub(crate) seconds: u32,
    /// We refresh.
    pub(crate) ours: bool,
}

/// What a request of ours that is neither INVITE nor BYE is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Errand {
    /// It acknowledges a provisional response.
    Prack,
    /// It carries an offer.
    Update,
    /// It keeps the session alive (RFC 4028).
    Refresh,
    /// It says something and offers nothing.
    Inform,
    /// The shell's. If `fatal`, a peer that knows no such dialog ends the call.
    Ask { ask: AskId, fatal: bool },
}

/// A request of theirs that waits for the shell's answer.
pub(crate) struct Asked {
    pub(crate) ask: AskId,
    pub(crate) server: ServerId,
    pub(crate) request: Arc<Request>,
}

/// Whose offer is open (RFC 3264 §4: one at a time).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Open {
    Nothing,
    Ours,
    Theirs,
}

pub(crate) struct Leg {
    pub(crate) id: LegId,
    pub(crate) dialog: Dialog,
    /// Where the INVITE came from or went to.
    pub(crate) peer: Remote,
    /// The listener by which requests leave that are too large for a datagram.
    pub(crate) stream: Option<ListenerId>,
    pub(crate) phase: Phase,
    pub(crate) alarms: LegAlarms,
    /// Did we open the dialog? Its Call-ID is ours then (RFC 3261 §14.1).
    pub(crate) opened: bool,
    /// Client transactions that still name this leg.
    pub(crate) clients: u32,
    pub(crate) errands: Vec<(ClientId, Errand)>,
    pub(crate) asks: Vec<Asked>,
    pub(crate) unacked: Option<Unacked>,
    pub(crate) asked: Option<Invited>,
    pub(crate) asking: Option<Box<Asking>>,
    /// A change that waits until a refresh of ours has its answer.
    pub(crate) next: Option<Box<Asking>>,
    /// We have sent REFER: NOTIFYs may come.
    pub(crate) refers: bool,
    /// The other side lists UPDATE in Allow (RFC 3311 §4).
    pub(crate) takes_update: bool,
    pub(crate) acks: Vec<SentAck>,
    /// The early dialogs of an INVITE of ours, kept for what still comes from those that lost.
    pub(crate) forks: Vec<Early>,
    /// How many early dialogs there have been: the next one's number.
    pub(crate) heard_of: u32,
    /// A BYE that waits for the ACK of our 2xx (RFC 3261 §15).
    pub(crate) bye_after_ack: Option<Vec<Header>>,
    /// What challenges in this leg are answered with.
    pub(crate) wallet: Option<Box<Wallet>>,
    /// A provisional response that the final one has overtaken: its PRACK is still answered.
    pub(crate) overtaken: Option<Rack>,
    /// The last description of ours and of theirs that is in force.
    pub(crate) said: Option<Body>,
    pub(crate) heard: Option<Sdp>,
    /// The session timer that we want; `None` for none at all.
    pub(crate) session: Option<SessionTimer>,
    /// The one that is agreed on.
    pub(crate) ticking: Option<Ticking>,
    /// The shortest interval that they take, in seconds, as far as they have said.
    pub(crate) min_s: u32,
    /// They list `timer` in Supported.
    pub(crate) knows_timers: bool,
}

impl Leg {
    pub(crate) fn new(id: LegId, dialog: Dialog, peer: Remote, phase: Phase, opened: bool) -> Leg {
        Leg {
            id,
            dialog,
            peer,
            stream: None,
            phase,
            alarms: LegAlarms::default(),
            opened,
            clients: 0,
            errands: Vec::new(),
            asks: Vec::new(),
            unacked: None,
            asked: None,
            asking: None,
            next: None,
            refers: false,
            takes_update: false,
            acks: Vec::new(),
            forks: Vec::new(),
            heard_of: 0,
            bye_after_ack: None,
            wallet: None,
            overtaken: None,
            said: None,
            heard: None,
            session: None,
            ticking: None,
            min_s: 0,
            knows_timers: false,
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

    /// What a request or response of theirs says that they can do.
    pub(crate) fn note_abilities(&mut self, message: &Message) {
        if message.first("Allow").is_some() {
            self.takes_update = message.lists("Allow", "UPDATE");
        }
        self.knows_timers |=
            message.lists("Supported", "timer") || message.lists("Require", "timer");
    }

    /// The early dialog with this tag of theirs.
    pub(crate) fn fork(&self, tag: Option<&[u8]>) -> Option<&Early> {
        self.forks.iter().find(|early| early.tag.as_deref() == tag)
    }

    /// The dialog itself, or one of the early dialogs.
    pub(crate) fn dialog_at(&mut self, fork: Option<ForkId>) -> &mut Dialog {
        let early = fork.and_then(|id| self.forks.iter_mut().find(|early| early.id == id));
        early.map_or(&mut self.dialog, |early| &mut early.dialog)
    }

    /// Whose offer is open, in the dialog or in one of the early ones.
    pub(crate) fn open(&self, fork: Option<ForkId>) -> Open {
        if self.asked.as_ref().is_some_and(|asked| asked.fork == fork) {
            return Open::Theirs;
        }
        if self.asking.as_ref().is_some_and(|asking| asking.client.is_some()) {
            return Open::Ours;
        }
        match &self.phase {
            Phase::Ringing(ringing) if ringing.agreed => Open::Nothing,
            Phase::Ringing(ringing) if ringing.described => Open::Ours,
            // Theirs waits for our answer, or they wait for our offer.
            Phase::Ringing(_) => Open::Theirs,
            Phase::Calling(_) => {
                let early = self.forks.iter().find(|early| Some(early.id) == fork);
                if early.is_some_and(|early| early.agreed) { Open::Nothing } else { Open::Ours }
            }
            Phase::Up if self.unacked.as_ref().is_some_and(|unacked| unacked.offers) => Open::Ours,
            Phase::Up | Phase::Closing(..) | Phase::Over => Open::Nothing,
        }
    }

    /// Takes the errand of a transaction that has its final response, or never will.
    pub(crate) fn take_errand(&mut self, client: ClientId) -> Option<Errand> {
        let at = self.errands.iter().position(|(other, _)| *other == client)?;
        Some(self.errands.swap_remove(at).1)
    }

    /// Remembers an ACK; the oldest go when there are many.
    pub(crate) fn remember(&mut self, ack: SentAck) {
        if self.acks.len() >= MAX_FORKS {
            self.acks.remove(0);
        }
        // Hardly any call has more than one.
        self.acks.reserve_exact(1);
        self.acks.push(ack);
    }
}
