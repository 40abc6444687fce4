//! Commands on a leg: answer, hang up, change the session.

use std::time::Instant;

use super::compose::{self, Reply};
use super::core::Endpoint;
use super::event::{CommandError, Event, LegId, Why};
use super::leg::{Asking, Invited, Phase, Unacked};
use crate::timer::Alarm;
use crate::wire::build::Body;
use crate::wire::header::Header;
use crate::wire::method::Method;

/// How often a provisional response is repeated (RFC 3261 §13.3.1.1: every minute).
pub(crate) const REFRESH: std::time::Duration = std::time::Duration::from_secs(60);

impl Endpoint {
    /// Answers the INVITE of an incoming leg: 101 to 199 any number of times, then one of 200 to 699.
    /// A 2xx to an INVITE without an offer must carry ours. 300 and more end the leg
    /// ([`Why::Refused`]).
    ///
    /// # Errors
    /// The leg is over, has been answered, the status does not fit, or a 2xx has no body.
    pub fn respond(
        &mut self,
        now: Instant,
        leg: LegId,
        status: u16,
        headers: &[Header],
        body: Option<&Body>,
    ) -> Result<(), CommandError> {
        if !(101..700).contains(&status) {
            return Err(CommandError::Status(status));
        }
        if (200..300).contains(&status) && body.is_none() {
            return Err(CommandError::NoDescription);
        }
        let held = self.live(leg)?;
        let Phase::Ringing(ringing) = &held.phase else { return Err(CommandError::WrongState) };
        let invited = ringing.clone();
        let tag = held.dialog.local_tag.clone();
        let reply = Reply { status, tag: Some(&tag), own: &[], headers, body };
        match status {
            ..200 => {
                held.alarms.set(Alarm::Refresh, now + REFRESH);
                self.reply(now, invited.server, &invited.request, &reply);
                self.file(leg);
            }
            200..300 => {
                held.alarms.clear();
                held.phase = Phase::Up;
                self.accept(now, leg, &invited, &reply, true);
            }
            _ => {
                self.reply(now, invited.server, &invited.request, &reply);
                self.finish(leg, Event::Ended { leg, why: Why::Refused });
            }
        }
        Ok(())
    }

    /// Answers a re-INVITE ([`Event::Reinvite`]) with 200 to 699. A 2xx to one without an offer must
    /// carry ours.
    ///
    /// # Errors
    /// The leg is over, nothing was asked, the status does not fit, or a 2xx has no body.
    pub fn answer_reinvite(
        &mut self,
        now: Instant,
        leg: LegId,
        status: u16,
        headers: &[Header],
        body: Option<&Body>,
    ) -> Result<(), CommandError> {
        if !(200..700).contains(&status) {
            return Err(CommandError::Status(status));
        }
        if status < 300 && body.is_none() {
            return Err(CommandError::NoDescription);
        }
        let held = self.live(leg)?;
        let asked = held.asked.take().ok_or(CommandError::WrongState)?;
        let tag = held.dialog.local_tag.clone();
        let reply = Reply { status, tag: Some(&tag), own: &[], headers, body };
        if status < 300 {
            held.dialog.refresh(asked.request.message());
            self.accept(now, leg, &asked, &reply, false);
        } else {
            self.reply(now, asked.server, &asked.request, &reply);
        }
        Ok(())
    }

    /// Sends a 2xx and keeps it until its ACK.
    fn accept(
        &mut self,
        now: Instant,
        leg: LegId,
        invited: &Invited,
        reply: &Reply<'_>,
        first: bool,
    ) {
        let Some(remote) = self.transactions.reply_to(invited.server) else { return };
        let Some(listener) = self.config.listener(remote.listener) else { return };
        let standing = self.standing(&invited.request, reply);
        let octets = compose::response(&self.config, listener, &invited.request, reply, standing);
        if let Some(held) = self.legs.get_mut(&leg) {
            held.unacked = Some(Unacked {
                server: invited.server,
                cseq: invited.request.cseq(),
                interval: self.config.timers.t1,
                offers: !invited.offered,
                first,
            });
        }
        self.transactions.respond(now, invited.server, reply.status, octets);
        self.await_ack(now, leg);
    }

    /// Hangs up an answered leg; [`Why::HungUp`] follows. Before the ACK of our 2xx the BYE waits for
    /// it (RFC 3261 §15). A leg of ours that is not answered yet is cancelled.
    ///
    /// # Errors
    /// The leg is over, or it is an incoming one that has not been answered: reject it instead.
    pub fn bye(
        &mut self,
        now: Instant,
        leg: LegId,
        headers: &[Header],
    ) -> Result<(), CommandError> {
        let held = self.live(leg)?;
        match &held.phase {
            Phase::Ringing(_) => return Err(CommandError::WrongState),
            Phase::Calling(_) => return self.cancel(now, leg, headers),
            Phase::Closing(..) | Phase::Over => {}
            Phase::Up => {
                if held.unacked.as_ref().is_some_and(|unacked| unacked.first) {
                    held.bye_after_ack = Some(headers.to_vec());
                } else {
                    self.close(now, leg, Why::HungUp, headers);
                }
            }
        }
        Ok(())
    }

    /// Takes an INVITE of ours back; [`Why::Cancelled`] follows. The CANCEL goes out after the first
    /// provisional response (row C-10); a 2xx that crosses it is acknowledged and hung up on
    /// (row B-15). A leg that has just been answered is hung up.
    ///
    /// # Errors
    /// The leg is over or incoming.
    pub fn cancel(
        &mut self,
        now: Instant,
        leg: LegId,
        headers: &[Header],
    ) -> Result<(), CommandError> {
        let held = self.live(leg)?;
        let opened = held.opened;
        match &mut held.phase {
            Phase::Ringing(_) => Err(CommandError::WrongState),
            Phase::Calling(calling) => {
                if calling.cancel.is_none() {
                    calling.cancel = Some(headers.to_vec());
                    self.send_cancel(now, leg);
                }
                Ok(())
            }
            Phase::Up | Phase::Closing(..) | Phase::Over if opened => self.bye(now, leg, headers),
            Phase::Up | Phase::Closing(..) | Phase::Over => Err(CommandError::WrongState),
        }
    }

    /// Sends the CANCEL that is wanted, if it may go out now.
    pub(crate) fn send_cancel(&mut self, now: Instant, leg: LegId) {
        let Some(held) = self.legs.get_mut(&leg) else { return };
        let Phase::Calling(calling) = &mut held.phase else { return };
        if calling.cancelled || !calling.heard {
            return;
        }
        if let Some(headers) = calling.cancel.clone() {
            calling.cancelled = true;
            if self.transactions.cancel(now, calling.client, &headers).is_some() {
                held.clients += 1;
            }
        }
    }

    /// Offers a new session in the dialog; [`Event::Reanswered`] or [`Event::ReinviteRefused`]
    /// follows. A crossing with one of theirs is tried again after the wait of RFC 3261 §14.1.
    ///
    /// # Errors
    /// The leg is over or not answered, or another offer is open in either direction.
    pub fn reinvite(&mut self, now: Instant, leg: LegId, body: Body) -> Result<(), CommandError> {
        let held = self.live(leg)?;
        let free = held.asked.is_none() && held.asking.is_none() && held.unacked.is_none();
        if !matches!(held.phase, Phase::Up) || !free {
            return Err(CommandError::WrongState);
        }
        held.asking = Some(Asking { body, client: None, tries: 0 });
        self.offer_again(now, leg);
        Ok(())
    }

    /// Sends the re-INVITE that waits, or waits on while the other side's is open.
    pub(crate) fn offer_again(&mut self, now: Instant, leg: LegId) {
        let Some(held) = self.legs.get_mut(&leg) else { return };
        let busy = held.asked.is_some() || held.unacked.is_some();
        let opened = held.opened;
        let Some(asking) = held.asking.as_mut() else { return };
        if busy {
            let at = now + self.glare_wait(opened);
            if let Some(held) = self.legs.get_mut(&leg) {
                held.alarms.set(Alarm::Offer, at);
            }
            self.file(leg);
            return;
        }
        asking.tries += 1;
        let body = asking.body.clone();
        let client = self.send_in_dialog(now, leg, Method::INVITE, &[], Some(&body));
        if let Some(asking) = self.legs.get_mut(&leg).and_then(|held| held.asking.as_mut()) {
            asking.client = client;
        }
    }
}
