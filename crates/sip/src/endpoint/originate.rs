//! Requests of ours and what comes back: INVITE, re-INVITE, BYE, OPTIONS.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use super::command::{CommandError, Invite};
use super::compose::{self, Outgoing, borrowed};
use super::config::Listener;
use super::core::{Endpoint, Owner};
use super::event::{Event, LegId, PingId, Pong, Why};
use super::leg::{Calling, Leg, Phase};
use super::session::opening_terms;
use crate::auth::rewrite::authorised;
use crate::dialog::{Dialog, to_tag};
use crate::network::ListenerId;
use crate::transaction::layer::{Lapse, Passed};
use crate::uri::Uri;
use crate::wire::message::Message;
use crate::wire::method::Method;
use crate::wire::request::cseq;
use crate::wire::via::Via;

/// How often an INVITE is sent again with a longer session interval.
const MAX_TRIES: u8 = 3;

impl Endpoint {
    /// Sends an INVITE with a dialog of its own: Call-ID, tag, Via and Contact have nothing of any
    /// other leg (row R-08).
    ///
    /// # Errors
    /// An unknown listener, or the limit of legs is reached.
    pub fn invite(&mut self, now: Instant, invite: &Invite) -> Result<LegId, CommandError> {
        if self.live_legs() >= self.config.max_legs || self.is_full() {
            return Err(CommandError::Full);
        }
        let remote = self.remote(invite.listener, invite.destination)?;
        let listener = self.listener(invite.listener)?;
        let (call_id, tag) = (self.tokens.token(), self.tokens.token());
        let number = self.tokens.below(10_000);
        let (target, routes) = (invite.target.clone(), invite.routes.clone());
        let mut dialog =
            Dialog::outgoing(call_id, tag, &invite.from, &invite.to, target, routes, number);
        let id = LegId(self.next_number());
        let octets = self.compose_invite(listener, &mut dialog, (invite, 0));
        let way = (remote.into(), invite.stream);
        let client = self.send_sized(now, Owner::Leg(id), way, octets).ok_or(CommandError::Full)?;
        let calling = Calling {
            client,
            invite: Box::new(invite.clone()),
            tries: 0,
            heard: false,
            cancel: None,
            cancelled: false,
        };
        self.tags.insert(dialog.local_tag.clone(), id);
        let mut leg = Leg::new(id, dialog, remote, Phase::Calling(calling), true);
        leg.session = invite.abilities.session;
        leg.clients = 1;
        leg.stream = invite.stream;
        self.legs.insert(id, Box::new(leg));
        Ok(id)
    }

    /// Has the peer responded to our INVITE in any way? A bare 100 makes no event.
    pub fn has_heard(&self, id: LegId) -> bool {
        self.legs.get(&id).is_some_and(|leg| match &leg.phase {
            Phase::Calling(calling) => calling.heard,
            Phase::Ringing(_) | Phase::Up | Phase::Closing(..) | Phase::Over => true,
        })
    }

    /// Writes an INVITE with the next number of its dialog-to-be; `least`: the shortest session
    /// interval that the other side takes, in seconds.
    fn compose_invite(
        &mut self,
        listener: Listener,
        dialog: &mut Dialog,
        (invite, least): (&Invite, u32),
    ) -> Vec<u8> {
        let branch = self.tokens.branch();
        let own = opening_terms(invite.abilities, least);
        let parts = Outgoing {
            method: Method::INVITE,
            cseq: dialog.next_cseq(),
            branch: &branch,
            max_forwards: invite.max_forwards,
            own: &borrowed(&own),
            headers: &invite.headers,
            body: Some(&invite.body),
        };
        compose::request(&self.config, listener, dialog, &parts)
    }

    /// Asks a peer whether it lives; [`Event::Pong`] follows (row R-17).
    ///
    /// # Errors
    /// An unknown listener, or the limit of transactions is reached.
    pub fn options(
        &mut self,
        now: Instant,
        listener: ListenerId,
        destination: SocketAddr,
        target: &Uri,
    ) -> Result<PingId, CommandError> {
        if self.is_full() {
            return Err(CommandError::Full);
        }
        let remote = self.remote(listener, destination)?;
        let local = self.listener(listener)?;
        let (branch, tag, call_id) =
            (self.tokens.branch(), self.tokens.token(), self.tokens.token());
        let target = target.to_request_uri();
        let octets = compose::options(&self.config, local, &target, (&branch, &tag, &call_id));
        let ping = PingId(self.next_number());
        self.transactions.send(now, Owner::Ping(ping), remote, octets).ok_or(CommandError::Full)?;
        Ok(ping)
    }

    /// Is there no room for another transaction of ours?
    pub(crate) fn is_full(&self) -> bool {
        self.transactions.len() >= self.config.max_transactions
    }

    /// A response that a transaction of ours passed up.
    pub(crate) fn on_response(&mut self, now: Instant, passed: &Passed<Owner>, response: Message) {
        let Some(status) = response.status() else { return };
        if matches!(status, 401 | 407) && self.prove(now, passed, &response) {
            return;
        }
        match passed.owner {
            Owner::Ping(ping) if status >= 200 => {
                let seen = response.list("Via").first().and_then(|via| Via::parse(via)?.seen());
                self.emit(Event::Pong { ping, pong: Pong::Status(status), seen })
            }
            Owner::Ping(_) => {}
            Owner::Registration(id) if status >= 200 => {
                self.on_registered(now, id, Some(&response));
            }
            Owner::Registration(_) => {}
            Owner::Leg(id) if passed.method == Method::INVITE => {
                self.on_invite_response(now, id, passed, status, response);
            }
            Owner::Leg(id) if passed.method == Method::BYE && status >= 200 => {
                self.closed(id, passed)
            }
            Owner::Leg(id) if status >= 200 => {
                if let Some(errand) =
                    self.legs.get_mut(&id).and_then(|leg| leg.take_errand(passed.client))
                {
                    self.on_errand(now, id, errand, status, Some(&response));
                }
            }
            Owner::Leg(_) => {}
        }
    }

    /// The BYE has been answered, or never will be: either way the call is over.
    fn closed(&mut self, id: LegId, passed: &Passed<Owner>) {
        if let Some(leg) = self.legs.get(&id)
            && let Phase::Closing(client, why) = leg.phase
            && client == passed.client
        {
            self.finish(id, Event::Ended { leg: id, why });
        }
    }

    fn on_invite_response(
        &mut self,
        now: Instant,
        id: LegId,
        passed: &Passed<Owner>,
        status: u16,
        response: Message,
    ) {
        if (200..300).contains(&status) && self.acknowledge_again(id, &response) {
            return;
        }
        let Some(leg) = self.legs.get(&id) else { return };
        let calls =
            matches!(&leg.phase, Phase::Calling(calling) if calling.client == passed.client);
        let asks = leg.asking.as_ref().is_some_and(|asking| asking.client == Some(passed.client));
        match status {
            ..200 if calls => self.on_provisional(now, id, status, response),
            ..200 => {}
            200..300 if calls => self.on_accepted(now, id, response),
            200..300 if asks => self.on_reaccepted(now, id, &response),
            // A fork that answers second, or a 2xx that comes when its call is over (row A-14).
            200..300 => self.turn_away(now, id, &response),
            _ if calls => self.on_rejected(now, id, status, response),
            _ if asks => self.on_rerejected(now, id, status, &response),
            _ => {}
        }
    }

    /// Sends the ACK of a 2xx that came again (row B-17).
    fn acknowledge_again(&mut self, id: LegId, response: &Message) -> bool {
        let tag = to_tag(response);
        let number = cseq(response).map_or(0, |(number, _)| number);
        let Some(leg) = self.legs.get(&id) else { return false };
        let Some(ack) = leg.acks.iter().find(|ack| ack.cseq == number && ack.tag == tag) else {
            return false;
        };
        let (way, octets) = (ack.way, ack.octets.clone());
        self.transactions.transmit(way, octets);
        true
    }

    fn on_rejected(&mut self, now: Instant, id: LegId, status: u16, response: Message) {
        let cancelled = self.legs.get(&id).is_some_and(|leg| match &leg.phase {
            Phase::Calling(calling) => calling.cancel.is_some(),
            Phase::Ringing(_) | Phase::Up | Phase::Closing(..) | Phase::Over => false,
        });
        if status == 422 && !cancelled && self.invite_again(now, id, &response) {
            return;
        }
        self.abandon(now, id);
        let last = if cancelled {
            Event::Ended { leg: id, why: Why::Cancelled { answered: false } }
        } else {
            Event::Rejected { leg: id, status, response: Arc::new(response) }
        };
        self.finish(id, last);
    }

    /// Sends an INVITE again with the session interval that the other side wants at least: same call,
    /// next number (RFC 4028 §7.4, row B-11). `false` when that has been tried or names nothing new.
    fn invite_again(&mut self, now: Instant, id: LegId, response: &Message) -> bool {
        let Some(leg) = self.legs.get_mut(&id) else { return false };
        let learnt = leg.learn_min(response);
        let (least, stream) = (leg.min_s, leg.stream);
        let Phase::Calling(calling) = &mut leg.phase else { return false };
        if !learnt || calling.tries >= MAX_TRIES {
            return false;
        }
        calling.tries += 1;
        calling.heard = false;
        let (invite, mut dialog) = (calling.invite.clone(), leg.dialog.clone());
        leg.forks.clear();
        let Ok(listener) = self.listener(invite.listener) else { return false };
        let Ok(remote) = self.remote(invite.listener, invite.destination) else { return false };
        let octets = self.compose_invite(listener, &mut dialog, (&invite, least));
        let Some(leg) = self.legs.get_mut(&id) else { return false };
        let octets = authorised(leg.wallet.as_deref_mut(), octets);
        let way = (remote.into(), stream);
        let Some(client) = self.send_sized(now, Owner::Leg(id), way, octets) else { return false };
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.dialog = dialog;
            leg.clients += 1;
            if let Phase::Calling(calling) = &mut leg.phase {
                calling.client = client;
            }
        }
        true
    }

    /// A transaction of ours has run out of time or is forgotten.
    pub(crate) fn on_lapse(&mut self, now: Instant, lapse: Lapse<Owner>) {
        let (owner, silent) = match lapse {
            Lapse::Over { owner } => (owner, None),
            Lapse::GaveUp { client, owner, method } => {
                (owner, Some(Passed { client, owner, method }))
            }
        };
        let id = match owner {
            Owner::Leg(id) => id,
            Owner::Registration(id) => {
                let waits =
                    |client| self.accounts.get(&id).is_some_and(|a| a.client == Some(client));
                if silent.is_some_and(|passed| waits(passed.client)) {
                    self.on_registered(now, id, None);
                }
                return;
            }
            Owner::Ping(ping) => {
                if silent.is_some() {
                    self.emit(Event::Pong { ping, pong: Pong::Timeout, seen: None });
                }
                return;
            }
        };
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.clients = leg.clients.saturating_sub(1);
        }
        if let Some(passed) = silent {
            self.on_silence(now, id, &passed);
        }
        self.reap(id);
    }

    /// Nobody answered a request of this leg (RFC 3261 §8.1.3.1: as if 408).
    fn on_silence(&mut self, now: Instant, id: LegId, passed: &Passed<Owner>) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        if let Some(errand) = leg.take_errand(passed.client) {
            self.on_errand(now, id, errand, 408, None);
            return;
        }
        let asks = leg.asking.as_ref().is_some_and(|asking| asking.client == Some(passed.client));
        match &leg.phase {
            Phase::Calling(calling) if calling.client == passed.client => {
                let why = match calling.cancel {
                    Some(_) => Why::Cancelled { answered: false },
                    None => Why::NoResponse,
                };
                self.abandon(now, id);
                self.finish(id, Event::Ended { leg: id, why });
            }
            Phase::Closing(..) => self.closed(id, passed),
            Phase::Up if asks => self.on_unanswered(now, id),
            Phase::Calling(_) | Phase::Ringing(_) | Phase::Up | Phase::Over => {}
        }
    }
}
