//! What comes back to a change of the session that we asked for, and to our other requests in a
//! dialog.

use std::time::Instant;

use super::core::Endpoint;
use super::event::{By, Event, LegId, Sdp, Why};
use super::leg::{Errand, Phase};
use super::session::SOON;
use crate::timer::Alarm;
use crate::wire::message::Message;
use crate::wire::request::cseq;

/// How often a crossed offer is tried before it counts as refused.
const MAX_TRIES: u8 = 5;

impl Endpoint {
    /// The final response to a request of ours that is neither INVITE nor BYE; 408 and no message when
    /// there was none.
    pub(crate) fn on_errand(
        &mut self,
        now: Instant,
        id: LegId,
        errand: Errand,
        status: u16,
        response: Option<&Message>,
    ) {
        match errand {
            // Whatever comes of it: the INVITE decides.
            Errand::Prack => {}
            Errand::Refresh => self.on_refreshed(now, id, status, response),
            Errand::Inform => self.on_informed(now, id, status, response),
            Errand::Update => match response {
                Some(response) if (200..300).contains(&status) => {
                    self.on_reaccepted(now, id, response);
                }
                Some(response) => self.on_rerejected(now, id, status, response),
                None => self.on_unanswered(now, id),
            },
            Errand::Ask { ask, fatal } => {
                self.emit(Event::Told { leg: id, ask, status });
                let up = self.legs.get(&id).is_some_and(|leg| matches!(leg.phase, Phase::Up));
                // RFC 5057 §5.1: these say that the whole dialog is gone.
                if fatal && up && matches!(status, 481 | 408) {
                    self.close(now, id, Why::Unknown, &[]);
                }
            }
        }
    }

    /// Our offer is answered.
    pub(crate) fn on_reaccepted(&mut self, now: Instant, id: LegId, response: &Message) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let Some(asking) = leg.asking.take() else { return };
        if matches!(leg.phase, Phase::Closing(..) | Phase::Over) {
            return;
        }
        leg.note_abilities(response);
        leg.dialog_at(asking.fork).refresh(response);
        let sdp = Sdp::of(response);
        let changed = sdp.is_some() && sdp != leg.heard;
        leg.said = Some(asking.body);
        match leg.forks.iter_mut().find(|early| Some(early.id) == asking.fork) {
            // What its 2xx to the INVITE leaves out is this (row A-17).
            Some(early) => early.sdp = sdp.clone().or(early.sdp.take()),
            None => leg.heard = sdp.clone().or(leg.heard.take()),
        }
        if asking.by == By::Invite {
            let dialog = leg.dialog.clone();
            let number = cseq(response).map_or(dialog.local_cseq, |(number, _)| number);
            self.acknowledge(id, &dialog, number);
        }
        self.take_session(now, id, response);
        // Row B-12: a refresh that changes nothing is nobody's business.
        if !asking.refresh || changed {
            self.emit(Event::Reanswered { leg: id, refresh: asking.refresh, sdp });
        }
        self.offer_next(now, id);
    }

    /// Our offer is refused, for now or for good.
    pub(crate) fn on_rerejected(
        &mut self,
        now: Instant,
        id: LegId,
        status: u16,
        response: &Message,
    ) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let longer = status == 422 && leg.learn_min(response);
        let (opened, up) = (leg.opened, matches!(leg.phase, Phase::Up));
        if matches!(leg.phase, Phase::Closing(..) | Phase::Over) {
            return;
        }
        match (status, leg.asking.as_mut()) {
            (491, Some(asking)) if asking.tries < MAX_TRIES => {
                asking.client = None;
                let at = now + self.glare_wait(opened);
                if let Some(leg) = self.legs.get_mut(&id) {
                    leg.alarms.set(Alarm::Offer, at);
                }
                self.file(id);
            }
            (422, Some(asking)) if longer && asking.tries < MAX_TRIES => {
                asking.client = None;
                self.offer_again(now, id);
            }
            (481 | 408, _) if up => self.close(now, id, Why::Unknown, &[]),
            (_, Some(_)) => self.give_up_offer(now, id, status),
            (_, None) => {}
        }
    }

    fn give_up_offer(&mut self, now: Instant, id: LegId, status: u16) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        if leg.asking.as_ref().is_some_and(|asking| asking.refresh) {
            // The session is still to be kept alive; who waits too long is hung up on.
            self.renew_after(now, id, SOON);
        } else {
            self.emit(Event::ReinviteRefused { leg: id, status });
        }
        self.offer_next(now, id);
    }

    /// Nobody answered our offer (RFC 3261 §12.2.1.2): a call that is up is over then.
    pub(crate) fn on_unanswered(&mut self, now: Instant, id: LegId) {
        match self.legs.get(&id).map(|leg| &leg.phase) {
            Some(Phase::Up) => self.close(now, id, Why::NoResponse, &[]),
            Some(Phase::Ringing(_) | Phase::Calling(_)) => self.give_up_offer(now, id, 408),
            Some(Phase::Closing(..) | Phase::Over) | None => {}
        }
    }
}
