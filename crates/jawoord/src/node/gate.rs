//! The gate: what comes in is judged by where it comes from and what it would cost, before it is
//! read (rows O-01, O-03, R-19, S-15).

use std::{net::IpAddr, time::Duration};

use ring::rand::SecureRandom;
use sip::{Glance, Header, Remote, Request};

use super::Node;
use crate::{
    bridge,
    gate::{
        limits::{self, Answer, Over},
        tally::Seat,
        urgent,
    },
    identity,
    node::arrived::Arrived,
    number,
    peer::Peer,
    session::Session,
    sound::Shortage,
    wires::Side,
};

/// How long an emergency waits for the ports of a call that makes room for it.
const ROOM_PATIENCE: Duration = Duration::from_secs(1);
/// How often it looks.
const ROOM_PAUSE: Duration = Duration::from_millis(20);

/// The source that stands for all of them.
const EVERYBODY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);

impl Node {
    /// Whether a message is read. What belongs to a call in progress always is, an emergency of a
    /// known peer too; everything else has a price, and who has paid too often is answered without
    /// a trace, or not at all.
    pub(crate) fn admits(&mut self, remote: Remote, octets: &[u8]) -> bool {
        match sip::glance(octets) {
            Glance::Noise => false,
            Glance::Response(branch) => self.endpoint.is_own_branch(branch),
            Glance::Inside(tag) if self.endpoint.is_own_tag(tag) => true,
            Glance::Inside(_) => self.is_known(remote) || self.stranger(remote, octets),
            Glance::Outside(_) if !self.is_known(remote) => self.stranger(remote, octets),
            Glance::Outside(b"ACK" | b"CANCEL") => true,
            Glance::Outside(method) => self.opens(remote, octets, method),
        }
    }

    pub(crate) fn is_known(&self, remote: Remote) -> bool {
        self.peer(&self.settings, remote).is_some()
    }

    /// Answers a few of the messages of an unknown source, and drops the others (row R-19). Nothing
    /// that a password could change is ever said.
    fn stranger(&mut self, remote: Remote, octets: &[u8]) -> bool {
        self.metrics.strangers.inc();
        let limits = self.settings.limits;
        if let Some(times) = self.said.strangers.happens(self.instant) {
            tracing::warn!(
                times,
                "requests from unknown addresses are turned away; a peer that is \
                missing is added as [[trunk]] or [[pbx]]"
            );
        }
        let source = remote.address.ip();
        if limits.answer_unknown && self.buckets.take(self.instant, source, limits.unknown) {
            self.endpoint.refuse_outright(remote, octets, 403, &[]);
        }
        false
    }

    /// A request of a known peer outside any dialog.
    fn opens(&mut self, remote: Remote, octets: &[u8], method: &[u8]) -> bool {
        let Some(over) = self.over(remote, method) else {
            return method != b"REGISTER" || self.registers(remote, octets);
        };
        let Ok(Ok(request)) = sip::parse(octets).map(Request::read) else { return true };
        let invites = method == b"INVITE";
        if self.endpoint.is_repeated(&request) || (invites && self.is_urgent(remote, &request)) {
            return true;
        }
        self.turns_away(remote, octets, over, invites);
        false
    }

    /// The limit that this request would pass.
    fn over(&mut self, remote: Remote, method: &[u8]) -> Option<Over> {
        let (limits, source) = (self.settings.limits, remote.address.ip());
        let invites = method == b"INVITE";
        if invites && self.draining {
            return Some(Over::Draining);
        }
        if limits::crowded(self.endpoint.transactions(), self.ceiling) {
            return Some(Over::Transactions);
        }
        if !self.buckets.take(self.instant, source, limits.known) {
            return Some(Over::Rate);
        }
        if !invites {
            return None;
        }
        let trunk = match self.peer(&self.settings, remote) {
            Some(Peer::Trunk(trunk)) => Some((&*trunk.name, trunk.max_calls)),
            Some(Peer::Pbx(_)) | None => None,
        };
        let full = limits::over(&limits, &self.tally, source, trunk)
            .or_else(|| (!self.has_descriptors(false)).then_some(Over::Descriptors));
        let fast = limits.all.filter(|_| full.is_none());
        let fast = fast.is_some_and(|rate| !self.buckets.take(self.instant, EVERYBODY, rate));
        full.or(fast.then_some(Over::Rate))
    }

    /// Whether one more call has its descriptors, all that it may ever need, before it is taken.
    pub(crate) fn has_descriptors(&self, urgent: bool) -> bool {
        let (open, emergencies) = (self.sound.crew().sockets(), self.tally.urgent());
        self.descriptors.has_room(open, self.settings.limits.reserve, emergencies, urgent)
    }

    /// Says that a limit was passed, now and then.
    fn says_over(&mut self, over: Over) {
        self.metrics.turned_away(over);
        let Some(times) = self.said.over.happens(self.instant) else { return };
        if over == Over::Descriptors {
            tracing::error!(
                times,
                limit = self.descriptors.limit,
                carries = self.descriptors.calls(),
                "new calls are turned away: all files and sockets of the process are promised to \
                 calls; raise LimitNOFILE of the service (ulimit -n)"
            );
        } else {
            tracing::warn!(times, limit = over.as_str(), "new calls are turned away");
        }
    }

    fn is_urgent(&self, remote: Remote, request: &Request) -> bool {
        let country = match self.peer(&self.settings, remote) {
            Some(Peer::Trunk(trunk)) => Some(trunk.country),
            Some(Peer::Pbx(_)) | None => self.settings.trunks.first().map(|trunk| trunk.country),
        };
        let country = country.unwrap_or(phonenumber::country::Id::NL);
        let dialled = number::dialled(&identity::dialled(request), country);
        urgent::is_urgent(&self.settings, request, &dialled, country)
    }

    fn turns_away(&mut self, remote: Remote, octets: &[u8], over: Over, invites: bool) {
        self.says_over(over);
        let partner = self.settings.drain.partner.clone();
        if let (Over::Draining, Some(partner)) = (over, &partner) {
            let contact = [("Contact", partner.as_bytes())];
            return self.endpoint.refuse_outright(remote, octets, 302, &contact);
        }
        let wait = self.wait();
        match self.settings.limits.answer {
            Answer::Nothing if invites => {}
            Answer::Status(status) if status != 503 => {
                self.endpoint.refuse_outright(remote, octets, status, &[]);
            }
            Answer::Status(_) | Answer::Nothing => {
                let wait = [("Retry-After", wait.as_bytes())];
                self.endpoint.refuse_outright(remote, octets, 503, &wait);
            }
        }
    }

    /// Phones register with the PBX behind us, not here (row R-20).
    fn registers(&mut self, remote: Remote, octets: &[u8]) -> bool {
        if let Some(times) = self.said.registers.happens(self.instant) {
            tracing::warn!(
                times,
                "a REGISTER is refused: phones register with the PBX, only trunk \
                traffic goes through here"
            );
        }
        self.endpoint.refuse_outright(remote, octets, 403, &[]);
        false
    }

    /// The seconds of a Retry-After, drawn anew for each, or everybody comes back at once.
    fn wait(&self) -> String {
        let (least, most) = self.settings.limits.retry_after_s;
        let wait = least + self.below(most.saturating_sub(least) + 1);
        wait.to_string()
    }

    /// A random number below a limit.
    fn below(&self, limit: u32) -> u32 {
        let mut bytes = [0; 4];
        // Without chance every caller waits the least.
        self.random.fill(&mut bytes).map_or(0, |()| u32::from_be_bytes(bytes) % limit.max(1))
    }

    /// Counts a call that begins.
    pub(crate) fn seats(&mut self, session: &Session, source: IpAddr) {
        let urgent = session.offer.emergency;
        self.tally
            .enter(session.id(), Seat { source, trunk: session.alarms.carrier().cloned(), urgent });
    }

    /// No media port or no descriptor is free. A call that is no emergency is refused; for an emergency
    /// an ordinary call ends, the youngest one, and the emergency gets its sockets (row E-04).
    pub(crate) fn makes_room(&mut self, arrival: Arrived, urgent: bool, shortage: &Shortage) {
        let waited = self.instant.saturating_duration_since(arrival.since);
        let helps = !matches!(shortage, Shortage::Broken);
        if !(urgent && helps) || waited >= ROOM_PATIENCE {
            match shortage {
                Shortage::Ports(error) => {
                    tracing::error!(kind = ?error.kind(), "no media port is free; widen media.port_max");
                }
                Shortage::Descriptors => self.says_over(Over::Descriptors),
                Shortage::Broken => tracing::error!("no media thread runs; restart the node"),
            }
            let wait = Header::new("Retry-After", self.wait()).ok();
            return self.refuse(arrival.leg, 503, wait.as_slice());
        }
        if self.parked.is_empty() {
            self.preempts();
        }
        self.parked.push_back((self.instant + ROOM_PAUSE, arrival));
    }

    fn preempts(&mut self) {
        let ordinary = self.sessions.values().filter(|session| !session.offer.emergency);
        let Some(call) = ordinary.max_by_key(|session| session.since).map(|session| session.id())
        else {
            return;
        };
        tracing::warn!(%call, "this call makes room for an emergency");
        self.with(call, bridge::preempted());
    }

    /// Emergencies that wait for ports try again.
    pub(crate) fn unparks(&mut self) {
        let now = self.instant;
        while self.parked.front().is_some_and(|(at, _)| *at <= now) {
            let Some((_, arrival)) = self.parked.pop_front() else { return };
            // A caller that has given up in the meantime needs no port.
            if self.endpoint.is_ringing(arrival.leg) {
                self.arrives(arrival);
            }
        }
    }

    /// Empties the node, or takes calls again (row O-03).
    pub(crate) fn drains(&mut self, on: bool) {
        if self.draining != on {
            tracing::info!(on, calls = self.sessions.len(), "drain");
        }
        self.draining = on;
        self.endpoint.set_draining(on);
    }

    /// The caller has acknowledged our answer: the call is no half-open one any more.
    pub(crate) fn confirms(&mut self, session: &Session, side: Side) {
        if side == Side::Near {
            self.tally.confirm(session.id());
        }
    }
}
