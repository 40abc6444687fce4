//! Session timers (RFC 4028): each leg has its own, so that neither side holds a call for ever.

use std::time::{Duration, Instant};

use super::command::{Abilities, CommandError};
use super::compose::{borrowed, supported};
use super::config::SessionTimer;
use super::core::{Endpoint, Sending};
use super::event::{By, Event, LegId, Why};
use super::leg::{Asking, Errand, Leg, Own, Phase, Queued, Ticking};
use crate::timer::Alarm;
use crate::wire::extension::{Refresher, SessionExpires, min_se};
use crate::wire::header::Header;
use crate::wire::message::Message;
use crate::wire::method::Method;

/// No interval is shorter (RFC 4028 §5).
const SHORTEST_S: u32 = 90;
/// No interval is longer: what a peer asks for beyond a day is cut.
const LONGEST_S: u32 = 86_400;
/// How long a refresh waits that cannot go out now.
pub(crate) const SOON: Duration = Duration::from_secs(2);

impl Endpoint {
    /// The session timer that a leg is to have, in place of the one of the configuration; `None` for
    /// none. Call it before the leg is answered. An INVITE that asks for a shorter interval than
    /// `min_s` is answered 422, which ends the leg ([`Why::Refused`]); `false` then.
    ///
    /// # Errors
    /// The leg is over.
    pub fn set_session_timer(
        &mut self,
        now: Instant,
        leg: LegId,
        timer: Option<SessionTimer>,
    ) -> Result<bool, CommandError> {
        let held = self.live(leg)?;
        held.session = timer;
        let short = match &held.phase {
            Phase::Ringing(ringing) => too_short(timer, ringing.invited.request.message()),
            Phase::Calling(_) | Phase::Up | Phase::Closing(..) | Phase::Over => None,
        };
        if let Some(min_s) = short {
            let headers = vec![Header::own("Min-SE", min_s.to_string())];
            let queued = Queued { headers, ..Queued::plain(422) };
            self.end_ringing(now, leg, &queued, Event::Ended { leg, why: Why::Refused });
        }
        Ok(short.is_none())
    }

    /// What our 2xx says about the session timer (RFC 4028 §9), and the timer set accordingly.
    pub(crate) fn agree_on_session(&mut self, now: Instant, id: LegId, request: &Message) -> Own {
        let Some(leg) = self.legs.get_mut(&id) else { return Own::new() };
        leg.note_abilities(request);
        let mut own = vec![("Supported", supported(true, leg.session.is_some()).to_vec())];
        let Some(terms) = terms(leg, request) else { return own };
        own.push(("Session-Expires", terms.to_wire()));
        if terms.refresher == Some(Refresher::Uac) {
            own.push(("Require", b"timer".to_vec()));
        }
        let ours = terms.refresher == Some(Refresher::Uas);
        self.tick(now, id, Ticking { seconds: terms.seconds, ours });
        own
    }

    /// What their 2xx says about the session timer (RFC 4028 §7.2).
    pub(crate) fn take_session(&mut self, now: Instant, id: LegId, response: &Message) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let stated = SessionExpires::of(response).filter(|_| leg.session.is_some());
        let ticking = match stated {
            Some(stated) => Some(Ticking {
                seconds: stated.seconds.clamp(SHORTEST_S, LONGEST_S),
                ours: stated.refresher != Some(Refresher::Uas),
            }),
            // It says nothing and has answered: what ticks begins anew.
            None => leg.ticking,
        };
        if let Some(ticking) = ticking {
            self.tick(now, id, ticking);
        }
    }

    fn tick(&mut self, now: Instant, id: LegId, ticking: Ticking) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        leg.ticking = Some(ticking);
        let interval = Duration::from_secs(u64::from(ticking.seconds));
        leg.alarms.stop(Alarm::Renew);
        if ticking.ours {
            leg.alarms.set(Alarm::Renew, now + interval / 2);
        }
        // RFC 4028 §10: the BYE goes out a little before the session is over.
        let early = (interval / 3).min(Duration::from_secs(32));
        leg.alarms.set(Alarm::Lapse, now + interval.saturating_sub(early));
        self.file(id);
    }

    /// It is ours to refresh, and time: by UPDATE where they take it, else by a re-INVITE with the
    /// description that is in force (RFC 4028 §7.4).
    pub(crate) fn refresh_session(&mut self, now: Instant, id: LegId) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let free = leg.asked.is_none() && leg.asking.is_none() && leg.unacked.is_none();
        if !matches!(leg.phase, Phase::Up) || leg.ticking.is_none() {
            return;
        }
        if leg.takes_update {
            let own = leg.session_terms();
            let sending = Sending { own: &borrowed(&own), ..Sending::plain(Method::UPDATE) };
            self.send_errand(now, id, Errand::Refresh, sending);
        } else if let Some(body) = leg.said.clone().filter(|_| free) {
            let (by, fork, client, tries, headers) = (By::Invite, None, None, 0, Vec::new());
            let refresh = true;
            leg.asking = Some(Box::new(Asking { body, headers, by, refresh, fork, client, tries }));
            self.offer_again(now, id);
        } else {
            self.renew_after(now, id, SOON);
        }
    }

    pub(crate) fn renew_after(&mut self, now: Instant, id: LegId, wait: Duration) {
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.alarms.set(Alarm::Renew, now + wait);
            self.file(id);
        }
    }

    /// What came back to our refresh by UPDATE.
    pub(crate) fn on_refreshed(
        &mut self,
        now: Instant,
        id: LegId,
        status: u16,
        response: Option<&Message>,
    ) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        if !matches!(leg.phase, Phase::Up) {
            return;
        }
        match (status, response) {
            (200..300, Some(response)) => {
                leg.note_abilities(response);
                leg.dialog.refresh(response);
                self.take_session(now, id, response);
            }
            (_, None) => self.close(now, id, Why::NoResponse, &[]),
            (481 | 408, Some(_)) => self.close(now, id, Why::Unknown, &[]),
            (405 | 501, Some(_)) => {
                leg.takes_update = false;
                self.refresh_session(now, id);
            }
            (_, Some(response)) => {
                leg.learn_min(response);
                self.renew_after(now, id, SOON);
            }
        }
    }

    /// What came back to our UPDATE that offered nothing. Nobody is hung up on because of a courtesy: only
    /// who says that there is no such call.
    pub(crate) fn on_informed(
        &mut self,
        now: Instant,
        id: LegId,
        status: u16,
        response: Option<&Message>,
    ) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let Some(response) = response.filter(|_| matches!(leg.phase, Phase::Up)) else { return };
        match status {
            200..300 => {
                leg.note_abilities(response);
                leg.dialog.refresh(response);
                self.take_session(now, id, response);
            }
            481 => self.close(now, id, Why::Unknown, &[]),
            405 | 501 => leg.takes_update = false,
            _ => {}
        }
    }

    /// Nobody has refreshed the session in time (row B-11).
    pub(crate) fn lapse(&mut self, now: Instant, id: LegId) {
        if self.legs.get(&id).is_some_and(|leg| matches!(leg.phase, Phase::Up)) {
            self.close(now, id, Why::Stale, &[]);
            self.finish(id, Event::Ended { leg: id, why: Why::Stale });
        }
    }
}

/// The interval that we want at least, if a request asks for a shorter one and can be told so: a proxy
/// may have asked for a caller that knows nothing of timers (RFC 4028 §9).
pub(crate) fn too_short(timer: Option<SessionTimer>, request: &Message) -> Option<u32> {
    let min_s = timer?.min_s.max(SHORTEST_S);
    let asked = SessionExpires::of(request)?.seconds;
    let knows = request.lists("Supported", "timer") || request.lists("Require", "timer");
    (asked < min_s && knows).then_some(min_s)
}

/// What is agreed on in our 2xx to a request: never more than it asks for, and nothing with who knows
/// no timers, unless a proxy asked on its behalf. Then it is ours to refresh.
fn terms(leg: &Leg, request: &Message) -> Option<SessionExpires> {
    let required = request.lists("Require", "timer").then(SessionTimer::default);
    let timer = leg.session.or(required)?;
    let least = min_se(request).unwrap_or(SHORTEST_S).max(timer.min_s).max(SHORTEST_S);
    let most = timer.expires_s.max(least);
    match SessionExpires::of(request) {
        Some(asked) => {
            let knows = leg.knows_timers;
            let refresher = asked.refresher.filter(|_| knows);
            let refresher =
                refresher.unwrap_or(if knows { Refresher::Uac } else { Refresher::Uas });
            let seconds = asked.seconds.min(most).clamp(SHORTEST_S, LONGEST_S);
            Some(SessionExpires { seconds, refresher: Some(refresher) })
        }
        None if leg.knows_timers => {
            let seconds = most.min(LONGEST_S);
            Some(SessionExpires { seconds, refresher: Some(Refresher::Uas) })
        }
        None => None,
    }
}

/// What an INVITE of ours says about extensions: what we can do, and the interval that we want.
pub(crate) fn opening_terms(abilities: Abilities, least: u32) -> Own {
    let mut own =
        vec![("Supported", supported(abilities.reliable, abilities.session.is_some()).to_vec())];
    if let Some(timer) = abilities.session {
        let least = timer.min_s.max(least).max(SHORTEST_S);
        let seconds = timer.expires_s.clamp(least, LONGEST_S.max(least));
        let terms = SessionExpires { seconds, refresher: None };
        own.push(("Session-Expires", terms.to_wire()));
        own.push(("Min-SE", least.to_string().into_bytes()));
    }
    own
}

impl Leg {
    /// What a change of ours inside the call says about extensions: the interval that is agreed on,
    /// and who refreshes. Nobody who knows no timers is asked to begin one.
    pub(crate) fn session_terms(&self) -> Own {
        let mut own = vec![("Supported", supported(true, self.session.is_some()).to_vec())];
        if let Some(ticking) = self.ticking {
            let who = if ticking.ours { Refresher::Uac } else { Refresher::Uas };
            let least = self.session.unwrap_or_default().min_s.max(self.min_s).max(SHORTEST_S);
            let seconds = ticking.seconds.max(least);
            let terms = SessionExpires { seconds, refresher: Some(who) };
            own.push(("Session-Expires", terms.to_wire()));
            own.push(("Min-SE", least.to_string().into_bytes()));
        }
        own
    }

    /// The least interval that a 422 names, if it is more than was known. A second 422 with the same
    /// one leads nowhere.
    pub(crate) fn learn_min(&mut self, response: &Message) -> bool {
        let least = min_se(response).filter(|least| *least > self.min_s && *least <= LONGEST_S);
        self.min_s = least.unwrap_or(self.min_s);
        least.is_some()
    }
}
