//! Requests outside any dialog of ours: new calls, CANCEL, OPTIONS, and what is refused.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::compose::{ACCEPT, ALLOW, Reply, SUPPORTED, borrowed, supported};
use super::config::SessionTimer;
use super::core::{Endpoint, Owner};
use super::event::{By, Event, LegId, Sdp};
use super::leg::{Invited, Leg, Own, Phase, Queued, Ringing};
use super::session::too_short;
use crate::dialog::Dialog;
use crate::network::Remote;
use crate::timer::Alarm;
use crate::transaction::layer::ServerId;
use crate::uri::{Host, SipUri, Uri};
use crate::wire::address::NameAddr;
use crate::wire::body::{Content, accepts_sdp, content};
use crate::wire::header::split_list;
use crate::wire::method::Method;
use crate::wire::request::Request;

/// What an OPTIONS learns about us (row R-18): nothing beyond RFC 3261 is promised.
pub(crate) fn abilities(session: Option<SessionTimer>) -> [(&'static str, &'static [u8]); 3] {
    let supported = supported(true, session.is_some());
    [("Allow", ALLOW), ("Accept", ACCEPT), ("Supported", supported)]
}

impl Endpoint {
    /// A request without a To tag.
    pub(crate) fn on_outside(
        &mut self,
        now: Instant,
        source: Remote,
        server: ServerId,
        request: Request,
    ) {
        if self.is_refused(now, server, &request) {
            return;
        }
        match request.method().clone() {
            Method::INVITE => self.on_invite(now, source, server, request),
            Method::OPTIONS => {
                let status = if self.draining { 503 } else { 200 };
                let own = abilities(self.config.session);
                self.refuse(now, server, &request, status, &own);
            }
            // RFC 3261 §15.1.2, RFC 6665 §4.1.3: these make sense in a dialog only.
            Method::BYE
            | Method::Known(
                rsip::Method::Info
                | rsip::Method::PRack
                | rsip::Method::Update
                | rsip::Method::Notify,
            ) => {
                self.refuse(now, server, &request, 481, &[]);
            }
            Method::Known(_) => self.refuse(now, server, &request, 405, &[("Allow", ALLOW)]),
            Method::Extension(_) => self.refuse(now, server, &request, 501, &[("Allow", ALLOW)]),
        }
    }

    /// The checks that come before any method's own (RFC 3261 §8.2, in its order).
    fn is_refused(&mut self, now: Instant, server: ServerId, request: &Request) -> bool {
        let opens = *request.method() == Method::INVITE;
        if opens && request.max_forwards() == 0 {
            self.refuse(now, server, request, 483, &[]);
            return true;
        }
        if opens {
            let bracketed = request.message().request_uri().contains(&b'[');
            let status = match Uri::parse(request.message().request_uri()) {
                // RFC 4475 §3.1.2.11 and RFC 5118 §4.2: `?headers`, and IPv6 without its brackets.
                Ok(Uri::Sip(uri)) if uri.headers.is_some() => Some(400),
                Ok(Uri::Sip(SipUri { host: Host::Ip(IpAddr::V6(_)), .. })) if !bracketed => {
                    Some(400)
                }
                Ok(Uri::Sip(_) | Uri::Tel(_)) => None,
                // urn:service:sos is how a phone asks for help (RFC 5031, row E-01).
                Ok(Uri::Other(uri)) if uri.to_ascii_lowercase().starts_with("urn:service:") => None,
                Ok(Uri::Other(_)) => Some(416),
                Err(_) => Some(400),
            };
            if let Some(status) = status {
                self.refuse(now, server, request, status, &[]);
                return true;
            }
            // RFC 3261 §21.4.7: whoever cannot read a description cannot read our answer.
            if !accepts_sdp(request.message()) {
                self.refuse(now, server, request, 406, &[("Accept", ACCEPT)]);
                return true;
            }
        }
        self.requires_unknown(now, server, request)
    }

    /// Row A-18: an extension that must be understood and is not.
    pub(crate) fn requires_unknown(
        &mut self,
        now: Instant,
        server: ServerId,
        request: &Request,
    ) -> bool {
        let known =
            |tag: &&[u8]| split_list(SUPPORTED).iter().any(|other| other.eq_ignore_ascii_case(tag));
        let mut unknown = request.message().list("Require");
        unknown.retain(|tag| !known(tag));
        let unknown = unknown.join(&b", "[..]);
        if unknown.is_empty() {
            return false;
        }
        self.refuse(now, server, request, 420, &[("Unsupported", &unknown)]);
        true
    }

    fn on_invite(&mut self, now: Instant, source: Remote, server: ServerId, request: Request) {
        if self.live_legs() >= self.config.max_legs {
            let after = self.retry_after();
            self.refuse(now, server, &request, 503, &[("Retry-After", after.as_bytes())]);
            return;
        }
        let offer = match content(request.message()) {
            Content::Sdp(octets) => Some(Sdp(octets.into())),
            Content::Empty | Content::Optional => None,
            Content::Unsupported => {
                self.refuse(
                    now,
                    server,
                    &request,
                    415,
                    &[("Accept", ACCEPT), ("Accept-Encoding", b"identity")],
                );
                return;
            }
        };
        if let Some((status, own)) = self.unfit(&request) {
            self.refuse(now, server, &request, status, &borrowed(&own));
            return;
        }
        // Row A-01: before anybody looks up anything.
        self.reply(now, server, &request, &Reply { tag: None, ..Reply::plain(100, b"") });
        let id = LegId(self.next_number());
        let number = 1 + self.tokens.below(10_000);
        let dialog = Dialog::incoming(&request, self.tokens.token(), number);
        let dialog = dialog.without(&self.config.own());
        let request = Arc::new(request);
        let (offered, by) = (offer.is_some(), By::Invite);
        let invited = Invited { server, request: request.clone(), offered, by, fork: None };
        let ringing = Ringing::new(invited);
        let reliable = ringing.supports;
        self.tags.insert(dialog.local_tag.clone(), id);
        let mut leg = Leg::new(id, dialog, source, Phase::Ringing(Box::new(ringing)), false);
        leg.session = self.config.session;
        leg.note_abilities(request.message());
        self.legs.insert(id, Box::new(leg));
        self.transactions.own(server, Owner::Leg(id));
        if let (Some(seconds), Some(leg)) = (request.expires(), self.legs.get_mut(&id)) {
            leg.alarms.set(Alarm::Expire, now + Duration::from_secs(u64::from(seconds)));
            self.file(id);
        }
        let max_forwards = request.max_forwards().saturating_sub(1);
        self.emit(Event::IncomingInvite {
            leg: id,
            source,
            request,
            max_forwards,
            offer,
            reliable,
        });
    }

    /// Why an INVITE that can be read cannot be taken.
    fn unfit(&self, request: &Request) -> Option<(u16, Own)> {
        let message = request.message();
        // RFC 3261 §8.1.1.8: without an address to call back there is no dialog.
        let contact = message.list("Contact").first().and_then(|contact| NameAddr::parse(contact));
        if contact.is_none() {
            return Some((400, Own::new()));
        }
        if let Some(least) = too_short(self.config.session, message) {
            return Some((422, vec![("Min-SE", least.to_string().into_bytes())]));
        }
        None
    }

    /// CANCEL (RFC 3261 §9.2): 200 for itself, 487 for an INVITE that is still open (row B-15).
    pub(crate) fn on_cancel(&mut self, now: Instant, server: ServerId, request: Request) {
        let Some(owner) = self.transactions.cancelled(&request) else {
            self.refuse(now, server, &request, 481, &[]);
            return;
        };
        let id = match owner {
            Some(Owner::Leg(id)) => Some(id),
            Some(Owner::Ping(_) | Owner::Registration(_)) | None => None,
        };
        let leg = id.and_then(|id| self.legs.get(&id));
        let tag = leg.map(|leg| leg.dialog.local_tag.clone());
        let open = leg.and_then(|leg| match &leg.phase {
            Phase::Ringing(_) => Some(leg.id),
            Phase::Calling(_) | Phase::Up | Phase::Closing(..) | Phase::Over => None,
        });
        match &tag {
            Some(tag) => self.reply(now, server, &request, &Reply::plain(200, tag)),
            None => self.refuse(now, server, &request, 200, &[]),
        }
        if let Some(leg) = open {
            let last = Event::Cancelled { leg, request: Arc::new(request) };
            self.end_ringing(now, leg, &Queued::plain(487), last);
        }
    }
}
