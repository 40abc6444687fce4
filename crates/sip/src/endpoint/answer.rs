//! Commands on a leg: answer, hang up, change the session.

use std::time::Instant;

use super::command::CommandError;
use super::compose::{Reply, borrowed};
use super::core::{Endpoint, Sending};
use super::event::{By, Event, ForkId, LegId, Sdp, Why};
use super::leg::{Asking, Errand, Open, Phase, Queued};
use crate::timer::Alarm;
use crate::wire::build::Body;
use crate::wire::header::Header;
use crate::wire::method::Method;

impl Endpoint {
    /// Answers a change of the session ([`Event::Reinvite`]) with 200 to 699, whatever request it came
    /// in. A 2xx must carry the answer, or our offer to a re-INVITE without one.
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
        if status < 300 {
            let offer = Sdp::of(asked.request.message());
            held.dialog_at(asked.fork).refresh(asked.request.message());
            held.said = body.cloned();
            match held.forks.iter_mut().find(|early| Some(early.id) == asked.fork) {
                Some(early) => early.sdp = offer,
                None => held.heard = offer.or(held.heard.take()),
            }
        }
        let queued = Queued { status, headers: headers.to_vec(), body: body.cloned() };
        if status < 300 {
            self.accept_change(now, leg, &asked, &queued);
        } else {
            let reply = Reply { headers, body, ..Reply::plain(status, &tag) };
            self.reply(now, asked.server, &asked.request, &reply);
        }
        // A 2xx to the INVITE may have waited for this one (RFC 3262 §5).
        self.advance(now, leg);
        Ok(())
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
            // The answer has been asked for and waits for a PRACK: then it is not sent at all.
            Phase::Ringing(ringing) if ringing.is_accepted() => {
                let queued = Queued { headers: headers.to_vec(), ..Queued::plain(480) };
                self.end_ringing(now, leg, &queued, Event::Ended { leg, why: Why::HungUp });
            }
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

    /// Offers a new session in the dialog by a re-INVITE; [`Event::Reanswered`] or
    /// [`Event::ReinviteRefused`] follows. A crossing with one of theirs is tried again after the wait
    /// of RFC 3261 §14.1. One that waits gives its place to the next: after an answer of ours its
    /// description would be older than what is in force (RFC 3264 §8).
    ///
    /// # Errors
    /// The leg is over or not answered, or another offer is open in either direction.
    pub fn reinvite(&mut self, now: Instant, leg: LegId, body: Body) -> Result<(), CommandError> {
        self.reinvite_saying(now, leg, &[], body)
    }

    /// The same with headers of the shell's.
    ///
    /// # Errors
    /// Those of `reinvite`.
    pub fn reinvite_saying(
        &mut self,
        now: Instant,
        leg: LegId,
        headers: &[Header],
        body: Body,
    ) -> Result<(), CommandError> {
        let held = self.live(leg)?;
        let free = held.asked.is_none() && held.unacked.is_none();
        if !matches!(held.phase, Phase::Up) || !free {
            return Err(CommandError::WrongState);
        }
        self.ask(now, leg, (By::Invite, None), headers, body)
    }

    /// Offers a new session by UPDATE (RFC 3311), which works before the answer too, once the first
    /// offer has been answered in a provisional response that was acknowledged; in a leg of ours,
    /// towards `fork` ([`Event::Provisional`]). What follows is the same as after `reinvite`.
    ///
    /// # Errors
    /// The leg is over, another offer is open in either direction, or the other side does not say
    /// that it takes UPDATE.
    pub fn update(
        &mut self,
        now: Instant,
        leg: LegId,
        fork: Option<ForkId>,
        body: Body,
    ) -> Result<(), CommandError> {
        let held = self.live(leg)?;
        let up = match held.phase {
            Phase::Up => true,
            Phase::Ringing(_) | Phase::Calling(_) => false,
            Phase::Closing(..) | Phase::Over => return Err(CommandError::WrongState),
        };
        let fork = fork.filter(|_| !up);
        if held.open(fork) != Open::Nothing || !held.takes_update {
            return Err(CommandError::WrongState);
        }
        self.ask(now, leg, (By::Update, fork), &[], body)
    }

    /// Says something by an UPDATE that offers nothing (RFC 3311 §5.1), such as who is at our end now
    /// (RFC 5876). `false` when the other side does not say that it takes UPDATE: nothing is sent. What
    /// comes back changes nothing but what is known of the other side, unless it knows of no call.
    ///
    /// # Errors
    /// The leg is over or not answered, or what was said last has no answer yet.
    pub fn inform(
        &mut self,
        now: Instant,
        leg: LegId,
        headers: &[Header],
    ) -> Result<bool, CommandError> {
        let held = self.live(leg)?;
        let waits = held.errands.iter().any(|(_, errand)| *errand == Errand::Inform);
        if !matches!(held.phase, Phase::Up) || waits {
            return Err(CommandError::WrongState);
        }
        if !held.takes_update {
            return Ok(false);
        }
        let own = held.session_terms();
        let own = borrowed(&own);
        let sending = Sending { own: &own, headers, ..Sending::plain(Method::UPDATE) };
        let sent = self.send_errand(now, leg, Errand::Inform, sending);
        sent.map(|_| true).ok_or(CommandError::Full)
    }

    /// Makes an offer, or keeps it until a refresh of ours that is in flight has its answer.
    fn ask(
        &mut self,
        now: Instant,
        leg: LegId,
        (by, fork): (By, Option<ForkId>),
        headers: &[Header],
        body: Body,
    ) -> Result<(), CommandError> {
        let held = self.live(leg)?;
        let headers = headers.to_vec();
        let (refresh, client, tries) = (false, None, 0);
        let mut asking = Box::new(Asking { body, headers, by, refresh, fork, client, tries });
        match &mut held.asking {
            // It waits after a crossing, and is tried when its time has come.
            Some(open) if !open.refresh && open.client.is_none() => {
                asking.tries = open.tries;
                if asking.headers.is_empty() {
                    // Nobody has heard what the one before it was to say.
                    asking.headers = std::mem::take(&mut open.headers);
                }
                held.asking = Some(asking);
                Ok(())
            }
            Some(open) if !open.refresh || held.next.is_some() => Err(CommandError::WrongState),
            Some(open) if open.client.is_some() => {
                held.next = Some(asking);
                Ok(())
            }
            Some(_) | None => {
                held.asking = Some(asking);
                self.offer_again(now, leg);
                Ok(())
            }
        }
    }

    /// The change that was asked for is settled; one that waited for it goes out.
    pub(crate) fn offer_next(&mut self, now: Instant, leg: LegId) {
        let Some(held) = self.legs.get_mut(&leg) else { return };
        held.asking = held.next.take();
        if held.asking.is_some() {
            self.offer_again(now, leg);
        }
    }

    /// Sends the offer that waits, or waits on while the other side's is open.
    pub(crate) fn offer_again(&mut self, now: Instant, leg: LegId) {
        let Some(held) = self.legs.get_mut(&leg) else { return };
        let opened = held.opened;
        let refresh = held.asking.as_mut().filter(|asking| asking.refresh);
        if let (Some(refresh), Some(said)) = (refresh, &held.said) {
            // What is in force may have changed while it waited after a crossing.
            refresh.body.clone_from(said);
        }
        let Some(asking) = held.asking.as_ref() else { return };
        let busy = match asking.by {
            By::Invite => held.asked.is_some() || held.unacked.is_some(),
            By::Update | By::Prack => held.open(asking.fork) != Open::Nothing,
        };
        if busy {
            let at = now + self.glare_wait(opened);
            if let Some(held) = self.legs.get_mut(&leg) {
                held.alarms.set(Alarm::Offer, at);
            }
            self.file(leg);
            return;
        }
        let (by, fork, body) = (asking.by, asking.fork, asking.body.clone());
        let headers = asking.headers.clone();
        let own = held.session_terms();
        let own = borrowed(&own);
        let sending = |method| Sending {
            fork,
            own: &own,
            headers: &headers,
            body: Some(&body),
            ..Sending::plain(method)
        };
        let client = match by {
            By::Invite => self.send_in_dialog(now, leg, sending(Method::INVITE)),
            By::Update | By::Prack => {
                self.send_errand(now, leg, Errand::Update, sending(Method::UPDATE))
            }
        };
        if let Some(asking) = self.legs.get_mut(&leg).and_then(|held| held.asking.as_mut()) {
            asking.tries += 1;
            asking.client = client;
        }
    }
}
