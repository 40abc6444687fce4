//! The other side is called: one target after the other, until one takes the call.

use std::sync::Arc;

use call::Time;
use ledger::Station;
use ring::rand::SecureRandom;
use sip::{Abilities, Event, Invite, Uri, Why};

use super::{
    Node,
    convey::{Conveyed, withdrawal},
    place::{far, kind},
};
use crate::{
    attempts::{After, Attempts, rest},
    bridge,
    identity::{self, rules::Rules},
    route,
    session::Session,
    targets::{Candidate, Change, Kind, Trial},
    way::{Leaves, carried, named},
    wires::Side,
};

impl Node {
    /// Calls the other side. The targets are chosen now, and not when the call came: the notice may
    /// have taken long, and health changes.
    pub(crate) fn dial(&mut self, session: &mut Session) {
        let urgent = session.offer.emergency;
        let random = &self.random;
        let draw = |below: u32| {
            let mut bytes = [0; 4];
            // Without chance the order of the file is as good as any.
            random.fill(&mut bytes).map_or(0, |()| u32::from_be_bytes(bytes) % below.max(1))
        };
        let found = self.targets.candidates(kind(session.direction()), urgent, self.instant, draw);
        session.attempts = Attempts::new(found, urgent);
        if !self.advance(session) {
            session.call.handle(self.now(), bridge::UNREACHABLE);
        }
    }

    /// Calls the next target; `false` when none is left.
    fn advance(&mut self, session: &mut Session) -> bool {
        while let Some(candidate) = session.attempts.advance(self.now()) {
            if candidate.peer.kind == Kind::Trunk {
                session.alarms.goes_by(&candidate.name);
            }
            match self.invite(session, &candidate) {
                Ok(()) => return true,
                Err(error) => {
                    tracing::warn!(
                        call = %session.id(), peer = %candidate.name, %error,
                        "calling the other side"
                    );
                }
            }
        }
        session.attempts.settle();
        false
    }

    fn invite(
        &mut self,
        session: &mut Session,
        candidate: &Candidate,
    ) -> Result<(), sip::CommandError> {
        let address = candidate.address;
        session.rules[1] = rules(session, candidate);
        let (reach, host) = (Arc::clone(&candidate.reach), candidate.host.as_deref());
        let transport = candidate.transport.on_the_wire();
        let leaves = self.leaves(&reach.exit, (host, address), transport);
        let (Leaves { listener, own, stream }, terms) = leaves
            .zip(reach.terms(transport, address.ip()))
            .ok_or(sip::CommandError::UnknownListener)?;
        let request = session.wires.request().ok_or(sip::CommandError::WrongState)?;
        let (mut from, mut to) = (identity::from(&request, own), identity::to(&request, address));
        let mut target = identity::target(&request, address);
        let default = candidate.transport.port();
        named(&mut target, host, default);
        named(&mut to.uri, host, default);
        carried(&mut target, transport);
        let (origin, settings) = (Arc::clone(&session.origin), Arc::clone(&session.settings));
        let numbers = route::numbers(&settings, &origin, candidate, session.offer.emergency);
        numbers.parties(&mut target, &mut to, &mut from);
        if let (Uri::Sip(target), Some(contact)) = (&mut target, &candidate.contact) {
            // As the other side wrote it: it is its own number.
            target.user.clone_from(&contact.user);
        }
        let offer = session.wires.offer(terms);
        let Conveyed { from, headers, body } = self.conveys(session, &request, (from, &to), offer);
        let mut invite = Invite {
            listener,
            destination: address,
            stream,
            target,
            routes: match candidate.peer.kind {
                Kind::Pbx => Vec::new(),
                Kind::Trunk => self.registry.routes(&candidate.name),
            },
            from,
            to,
            headers,
            body,
            max_forwards: session.wires.max_forwards(),
            abilities: Abilities { session: candidate.reach.session, ..Abilities::default() },
        };
        numbers.asserted(&mut invite);
        let leg = self.endpoint.invite(self.instant, &invite)?;
        if let Some(credentials) = &candidate.reach.digest {
            self.endpoint.equip(leg, Arc::clone(credentials))?;
        }
        session.wires.dialled(leg);
        self.stands(session, Side::Far, leg);
        self.legs.insert(leg, (session.id(), Side::Far));
        if let Some(call_id) = self.endpoint.call_id(leg) {
            session.called = std::str::from_utf8(call_id).ok().map(Box::from);
            self.traces.tie(session.id(), call_id);
        }
        session.ladder.add(self.now(), Station::Node, far(session.direction()), "INVITE");
        Ok(())
    }

    /// Whether an event of the far leg is the end of one attempt only, and the next one is under
    /// way. The call machine learns of the last one.
    pub(crate) fn goes_on(&mut self, session: &mut Session, event: &Event) -> bool {
        if let Event::Provisional { sdp, .. } = event {
            session.attempts.heard(sdp.is_some());
            return false;
        }
        let Some(candidate) = session.attempts.current().cloned() else { return false };
        if let Event::Answered { .. } = event {
            self.targets.tried(&candidate, Trial::Served, self.instant);
            session.attempts.settle();
            return false;
        }
        let after = if let Event::Rejected { status, response, .. } = event {
            if matches!(status, 401 | 407) {
                tracing::warn!(
                    call = %session.id(), peer = %candidate.name,
                    "the peer wants a proof that it does not get; check its digest user, realm and secret"
                );
            }
            if *status == 503 {
                self.targets.tried(&candidate, Trial::Failed(rest(response)), self.instant);
            }
            let after = session.attempts.after(*status);
            if after == After::Follow {
                let kind = kind(session.direction());
                session.attempts.follow(response, |uri| self.targets.redirected(kind, uri));
            }
            after
        } else if let Event::Ended { why: Why::NoResponse, .. } = event {
            self.targets.tried(&candidate, Trial::Failed(None), self.instant);
            After::Next
        } else {
            After::Over
        };
        if after == After::Over {
            if event.ends_leg().is_some() {
                session.attempts.settle();
            }
            return false;
        }
        self.tries_on(session)
    }

    /// Calls the next target after one has failed.
    fn tries_on(&mut self, session: &mut Session) -> bool {
        let goes_on = self.advance(session);
        if goes_on {
            tracing::info!(call = %session.id(), "the call goes on to the next target");
            // What the last one said is nothing that the other side should be told.
            session.heard = None;
            if session.attempts.had_early_media() {
                // What the last one played is over; its successor has yet to be heard.
                self.sound.ring_back(session, session.party(Side::Near));
            }
        }
        goes_on
    }

    /// A target has had its time, and another one is left (rows B-20, R-17).
    pub(crate) fn lingers(&mut self, session: &mut Session, now: Time) {
        let Some(leg) = session.wires.leg(Side::Far) else {
            return session.attempts.settle();
        };
        if session.attempts.is_silent(now) {
            // A bare 100 is no event, and still a sign of life.
            if self.endpoint.has_heard(leg) {
                session.attempts.heard(false);
                return;
            }
            if let Some(candidate) = session.attempts.current().cloned() {
                self.targets.tried(&candidate, Trial::Failed(None), self.instant);
            }
        } else if !session.attempts.is_unanswered(now) {
            return;
        }
        // From here on the leg is the endpoint's alone: it sends the CANCEL when it may, and hangs
        // up on an answer that crosses with it (row C-10).
        self.withdraw(session, leg);
        self.legs.remove(&leg);
        session.wires.over(Side::Far);
        if !self.tries_on(session) {
            session.call.handle(self.now(), bridge::UNREACHABLE);
            self.drive(session);
        }
    }

    /// Takes the far leg's INVITE back; no other target is tried.
    pub(crate) fn cancel(&mut self, session: &mut Session) {
        session.attempts.settle();
        if let Some(leg) = session.wires.leg(Side::Far) {
            self.withdraw(session, leg);
        }
    }

    fn withdraw(&mut self, session: &mut Session, leg: sip::LegId) {
        session.ladder.add(self.now(), Station::Node, far(session.direction()), "CANCEL");
        if let Err(error) = self.endpoint.cancel(self.instant, leg, &withdrawal(session)) {
            tracing::debug!(call = %session.id(), %error, "cancelling");
        }
    }

    /// Asks every target that is due whether it lives (row R-17).
    pub(crate) fn ping(&mut self) {
        let mut changes = self.targets.lapse(self.instant);
        for ping in self.targets.due(self.instant) {
            let mut target = identity::host(ping.address);
            named(&mut target, ping.host.as_deref(), ping.transport.port());
            let transport = ping.transport.on_the_wire();
            let to = (ping.host.as_deref(), ping.address);
            let leaves = self.leaves(&ping.reach.exit, to, transport);
            let sent = leaves.ok_or(sip::CommandError::UnknownListener).and_then(|leaves| {
                self.endpoint.options(self.instant, leaves.listener, ping.address, &target)
            });
            match sent {
                Ok(sent) => {
                    self.pings.insert(sent, ping.number);
                }
                Err(error) => {
                    tracing::debug!(%error, "OPTIONS");
                    changes.extend(self.targets.pong(ping.number, false, self.instant));
                }
            }
        }
        self.changed(&changes);
    }

    /// What became of an OPTIONS.
    pub(crate) fn pong(&mut self, ping: sip::PingId, pong: sip::Pong) {
        let Some(number) = self.pings.remove(&ping) else { return };
        let answered = matches!(pong, sip::Pong::Status(status) if status != 503);
        let change = self.targets.pong(number, answered, self.instant);
        self.changed(change.as_slice());
    }

    fn changed(&self, changes: &[Change]) {
        changes.iter().for_each(said);
        let down = self.targets.down(self.instant);
        self.metrics.targets_down.set(i64::try_from(down).unwrap_or(i64::MAX));
    }
}

/// What crosses to and from the side that is called.
pub(crate) fn rules(session: &Session, candidate: &Candidate) -> Arc<Rules> {
    let headers = &session.settings.headers;
    match candidate.peer.kind {
        Kind::Pbx => headers.pbx(&candidate.name),
        Kind::Trunk => headers.trunk(&candidate.name),
    }
}

fn said(change: &Change) {
    let Change { peer, place, up } = change;
    if *up {
        tracing::info!(%peer, target_place = place, "a target is up");
    } else {
        tracing::warn!(%peer, target_place = place, "a target is down; calls go to the others");
    }
}
