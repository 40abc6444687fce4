//! Changes of the session that the other side asks for: re-INVITE (RFC 3261 §14.2) and UPDATE
//! (RFC 3311 §5.2).

use std::sync::Arc;
use std::time::Instant;

use super::compose::{ACCEPT, Reply, borrowed};
use super::core::Endpoint;
use super::event::{By, Event, ForkId, LegId, Sdp};
use super::leg::{Invited, Open, Own, Phase, Queued};
use super::session::too_short;
use crate::transaction::layer::ServerId;
use crate::wire::body::{Content, content};
use crate::wire::header::same_name;
use crate::wire::message::Message;
use crate::wire::request::Request;

/// What a change or a refresh of a session says besides the session's own (RFC 4028 §7.4) and who sends
/// it.
const USUAL: [&str; 27] = [
    "Via",
    "Max-Forwards",
    "Route",
    "Record-Route",
    "From",
    "To",
    "Call-ID",
    "CSeq",
    "Contact",
    "Allow",
    "Allow-Events",
    "Accept",
    "Accept-Encoding",
    "Supported",
    "Require",
    "Proxy-Require",
    "Session-Expires",
    "Min-SE",
    "User-Agent",
    "Date",
    "Authorization",
    "Proxy-Authorization",
    "MIME-Version",
    "Content-Type",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Length",
];

/// Whether a request says anything else.
fn says_more(message: &Message) -> bool {
    let usual = |name: &[u8]| USUAL.iter().any(|usual| same_name(name, usual.as_bytes()));
    message.headers().any(|(name, _)| !usual(name))
}

impl Endpoint {
    pub(crate) fn on_reinvite(
        &mut self,
        now: Instant,
        id: LegId,
        server: ServerId,
        request: Request,
    ) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        leg.note_abilities(request.message());
        let flying = leg.asking.as_ref().is_some_and(|asking| asking.client.is_some());
        // RFC 3261 §14.2, rows B-07 and B-08; a call that is not up has its first offer open.
        let status = match &leg.phase {
            Phase::Closing(..) | Phase::Over => Some(481),
            Phase::Ringing(_) => Some(500),
            Phase::Calling(_) => Some(491),
            Phase::Up if leg.asked.is_some() => Some(500),
            Phase::Up if flying || leg.unacked.is_some() => Some(491),
            Phase::Up => None,
        };
        if let Some(status) = status {
            self.refuse_change(now, server, &request, status);
            return;
        }
        if self.is_too_short(now, id, server, &request) {
            return;
        }
        let Some(offer) = self.offer_in(now, server, &request) else { return };
        self.reply(now, server, &request, &Reply { tag: None, ..Reply::plain(100, b"") });
        self.on_change(now, id, (server, request), offer, (By::Invite, None));
    }

    /// UPDATE (row A-11). One without an offer moves the target and keeps the session alive.
    pub(crate) fn on_update(
        &mut self,
        now: Instant,
        id: LegId,
        server: ServerId,
        request: Request,
        fork: Option<ForkId>,
    ) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        leg.note_abilities(request.message());
        let open = leg.open(fork);
        let over = matches!(leg.phase, Phase::Closing(..) | Phase::Over);
        let unanswered = leg.asked.as_ref().is_some_and(|asked| asked.by == By::Update);
        let Some(offer) = self.offer_in(now, server, &request) else { return };
        let status = match (over, unanswered, open) {
            (true, ..) => Some(481),
            (false, true, _) => Some(500),
            (false, false, Open::Ours) if offer.is_some() => Some(491),
            (false, false, Open::Theirs) if offer.is_some() => Some(500),
            (false, false, _) => None,
        };
        if let Some(status) = status {
            self.refuse_change(now, server, &request, status);
        } else if self.is_too_short(now, id, server, &request) {
            // 422 is sent.
        } else if offer.is_none() {
            if let Some(leg) = self.legs.get_mut(&id) {
                leg.dialog_at(fork).refresh(request.message());
            }
            let own = self.agree_on_session(now, id, request.message());
            self.refuse(now, server, &request, 200, &borrowed(&own));
            self.note(id, Arc::new(request));
        } else if self.legs.get(&id).is_some_and(|leg| leg.asked.is_some()) {
            self.refuse_change(now, server, &request, 500);
        } else {
            self.on_change(now, id, (server, request), offer, (By::Update, fork));
        }
    }

    /// Refuses a session interval that is shorter than ours (RFC 4028 §9).
    fn is_too_short(
        &mut self,
        now: Instant,
        id: LegId,
        server: ServerId,
        request: &Request,
    ) -> bool {
        let timer = self.legs.get(&id).and_then(|leg| leg.session);
        let Some(least) = too_short(timer, request.message()) else { return false };
        let least = least.to_string();
        self.refuse(now, server, request, 422, &[("Min-SE", least.as_bytes())]);
        true
    }

    /// The offer of a request, if it has one; a body that we cannot read is answered here.
    fn offer_in(
        &mut self,
        now: Instant,
        server: ServerId,
        request: &Request,
    ) -> Option<Option<Sdp>> {
        match content(request.message()) {
            Content::Sdp(octets) => Some(Some(Sdp(octets.into()))),
            Content::Empty | Content::Optional => Some(None),
            Content::Unsupported => {
                self.refuse(now, server, request, 415, &[("Accept", ACCEPT)]);
                None
            }
        }
    }

    fn refuse_change(&mut self, now: Instant, server: ServerId, request: &Request, status: u16) {
        let after = self.retry_after();
        let own: &[(&str, &[u8])] =
            if status == 500 { &[("Retry-After", after.as_bytes())] } else { &[] };
        self.refuse(now, server, request, status, own);
    }

    /// Answers a repetition of what is in force (rows B-10, B-12), and reports everything else.
    fn on_change(
        &mut self,
        now: Instant,
        id: LegId,
        (server, request): (ServerId, Request),
        offer: Option<Sdp>,
        (by, fork): (By, Option<ForkId>),
    ) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let same = fork.is_none() && offer.is_some() && offer == leg.heard;
        let request = Arc::new(request);
        let invited =
            Invited { server, request: request.clone(), offered: offer.is_some(), by, fork };
        match leg.said.clone().filter(|_| same) {
            Some(said) => {
                leg.dialog.refresh(request.message());
                let queued = Queued { body: Some(said), ..Queued::plain(200) };
                self.accept_change(now, id, &invited, &queued);
                if let Some(unacked) = self.legs.get_mut(&id).and_then(|leg| leg.unacked.as_mut()) {
                    unacked.quiet = true;
                }
                self.note(id, request);
            }
            None => {
                leg.asked = Some(invited);
                self.emit(Event::Reinvite { leg: id, by, request, offer });
            }
        }
    }

    /// Reports what a request says that the endpoint has answered by itself, if that is anything.
    fn note(&mut self, id: LegId, request: Arc<Request>) {
        let up = self.legs.get(&id).is_some_and(|leg| matches!(leg.phase, Phase::Up));
        if up && says_more(request.message()) {
            self.emit(Event::Noted { leg: id, request });
        }
    }

    /// Sends the 2xx to a change of the session; only that of a re-INVITE waits for an ACK.
    pub(crate) fn accept_change(
        &mut self,
        now: Instant,
        id: LegId,
        invited: &Invited,
        queued: &Queued,
    ) {
        match invited.by {
            By::Invite => self.accept(now, id, invited, queued, (false, !invited.offered)),
            By::Update | By::Prack => {
                let own = match invited.by {
                    By::Update => self.agree_on_session(now, id, invited.request.message()),
                    By::Invite | By::Prack => Own::new(),
                };
                let Some(leg) = self.legs.get(&id) else { return };
                let tag = leg.dialog.local_tag.clone();
                let (headers, body) = (&queued.headers, queued.body.as_ref());
                let own = borrowed(&own);
                let reply = Reply { own: &own, headers, body, ..Reply::plain(queued.status, &tag) };
                self.reply(now, invited.server, &invited.request, &reply);
            }
        }
    }
}
