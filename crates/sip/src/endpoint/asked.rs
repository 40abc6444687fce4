//! Requests inside a dialog that mean nothing to a dialog: the shell answers those of the other side
//! and sends its own (REFER, NOTIFY, INFO; rows B-25, T-02, T-06).

use std::sync::Arc;
use std::time::Instant;

use super::command::CommandError;
use super::compose::Reply;
use super::core::{Endpoint, Sending};
use super::event::{AskId, Event, LegId};
use super::leg::{Asked, Errand, Phase};
use crate::network::Remote;
use crate::refer::Replaces;
use crate::transaction::layer::ServerId;
use crate::uri::Uri;
use crate::wire::address::NameAddr;
use crate::wire::build::Body;
use crate::wire::header::Header;
use crate::wire::method::Method;
use crate::wire::request::Request;

/// Requests of one leg that wait for the shell; one more is refused.
const MAX_ASKED: usize = 8;

impl Endpoint {
    /// Reports a request for the shell to answer.
    pub(crate) fn on_asked(&mut self, now: Instant, id: LegId, server: ServerId, request: Request) {
        let ask = AskId(self.next_number());
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let up = matches!(leg.phase, Phase::Up);
        if !up || leg.asks.len() >= MAX_ASKED {
            let status = if up { 500 } else { 491 };
            let after = self.retry_after();
            let own: &[(&str, &[u8])] = if up { &[("Retry-After", after.as_bytes())] } else { &[] };
            self.refuse(now, server, &request, status, own);
            return;
        }
        let request = Arc::new(request);
        leg.asks.push(Asked { ask, server, request: request.clone() });
        self.emit(Event::Asked { leg: id, ask, request });
    }

    /// Answers a request that [`Event::Asked`] reported, with 200 to 699.
    ///
    /// # Errors
    /// The leg is over, the request is answered already, or the status is no final one.
    pub fn answer_asked(
        &mut self,
        now: Instant,
        (leg, ask): (LegId, AskId),
        status: u16,
        headers: &[Header],
        body: Option<&Body>,
    ) -> Result<(), CommandError> {
        if !(200..700).contains(&status) {
            return Err(CommandError::Status(status));
        }
        let asks = &mut self.live(leg)?.asks;
        let at = asks.iter().position(|asked| asked.ask == ask).ok_or(CommandError::WrongState)?;
        let asked = asks.swap_remove(at);
        let reply = Reply { headers, body, ..Reply::plain(status, b"") };
        self.reply(now, asked.server, &asked.request, &reply);
        Ok(())
    }

    /// Sends a request in the dialog of an answered leg; [`Event::Told`] says what came of it. A 481
    /// or 408 ends the dialog (RFC 5057 §5.1) unless the request is a NOTIFY, whose subscription alone
    /// it ends.
    ///
    /// # Errors
    /// The leg is over or not answered.
    pub fn send(
        &mut self,
        now: Instant,
        leg: LegId,
        method: Method,
        headers: &[Header],
        body: Option<&Body>,
    ) -> Result<AskId, CommandError> {
        if !matches!(self.live(leg)?.phase, Phase::Up) {
            return Err(CommandError::WrongState);
        }
        let ask = AskId(self.next_number());
        let refers = method == Method::REFER;
        let fatal = method != Method::NOTIFY;
        // Who refers may want no news of it (RFC 4488 §5).
        let own: &[(&str, &[u8])] = if refers { &[("Supported", b"norefersub")] } else { &[] };
        let sending = Sending { own, headers, body, ..Sending::plain(method) };
        let sent = self.send_errand(now, leg, Errand::Ask { ask, fatal }, sending);
        if let Some(held) = self.legs.get_mut(&leg).filter(|_| sent.is_some()) {
            // It may tell us how far it is (RFC 3515 §2.4.4).
            held.refers |= refers;
        }
        sent.map(|_| ask).ok_or(CommandError::Full)
    }

    /// Tells the referrer how far the call is that it asked for (RFC 3515 §2.4.5): a NOTIFY with the
    /// first line of `status`. A final status ends the subscription. `refer` is the CSeq number of the
    /// REFER, which tells several apart.
    ///
    /// # Errors
    /// The leg is over or not answered.
    pub fn notify(
        &mut self,
        now: Instant,
        leg: LegId,
        refer: u32,
        status: u16,
    ) -> Result<AskId, CommandError> {
        let state = if status < 200 { "active;expires=60" } else { "terminated;reason=noresource" };
        let event = format!("refer;id={refer}");
        let headers: Vec<Header> = [("Event", event.as_str()), ("Subscription-State", state)]
            .into_iter()
            .filter_map(|(name, value)| Header::new(name, value).ok())
            .collect();
        let phrase = crate::wire::reason::phrase(status);
        let line = format!("SIP/2.0 {status} {phrase}\r\n").into_bytes();
        let body = Body::new("message/sipfrag;version=2.0", line);
        self.send(now, leg, Method::NOTIFY, &headers, Some(&body))
    }

    /// The leg of ours that a Replaces names, if there is one and it may be replaced (RFC 3891 §3):
    /// one that is up, or with `early-only` one of ours that still rings.
    pub fn replaced(&self, replaces: &Replaces) -> Option<LegId> {
        let id = *self.tags.get(&replaces.to_tag)?;
        let leg = self.legs.get(&id)?;
        let theirs = Some(&replaces.from_tag[..]);
        let named = match &leg.phase {
            Phase::Up => !replaces.early_only && leg.dialog.remote_tag.as_deref() == theirs,
            // Each place that rings has a tag of its own.
            Phase::Calling(_) => leg.fork(theirs).is_some(),
            Phase::Ringing(_) | Phase::Closing(..) | Phase::Over => false,
        };
        (named && leg.dialog.call_id == replaces.call_id).then_some(id)
    }

    /// Where the other end of a leg is, and by which of our listeners it is reached.
    pub fn peer(&self, leg: LegId) -> Option<Remote> {
        self.legs.get(&leg).map(|leg| leg.peer)
    }

    /// Where the other side of a leg says that it is: the Contact to which our requests go.
    pub fn remote_target(&self, leg: LegId) -> Option<&Uri> {
        self.legs.get(&leg).map(|leg| leg.dialog.target())
    }

    /// As whom the other side of a leg knows us: the From of our requests.
    pub fn own_party(&self, leg: LegId) -> Option<NameAddr> {
        NameAddr::parse(&self.legs.get(&leg)?.dialog.local)
    }

    /// What an INVITE to the peer of this leg says to take the leg's dialog over: the tags as that
    /// peer sees them (row T-04). `None` while the peer has no tag.
    pub fn replaces(&self, leg: LegId) -> Option<Replaces> {
        let dialog = &self.legs.get(&leg)?.dialog;
        Some(Replaces {
            call_id: dialog.call_id.clone(),
            to_tag: dialog.remote_tag.clone()?,
            from_tag: dialog.local_tag.clone(),
            early_only: false,
        })
    }
}
