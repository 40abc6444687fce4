//! Transfers that a PBX asks for (RFC 3515, RFC 5589; rows T): the customer's leg stays and the PBX's
//! is replaced. When that takes the house out of the call, its recording ends (law row L51).

use std::{collections::VecDeque, sync::Arc, time::Duration};

use call::{CallId, Connection, Party, Time};
use ledger::Station;
use ring::rand::SecureRandom;
use sip::{
    Abilities, AskId, Event, Header, Invite, Keyring, LegId, Method, NameAddr, Refer, Replaces,
    Request, Sdp, Uri,
};

use super::{Node, arrived::Arrived, convey::learns};
use crate::{
    bridge,
    config::inside::Transfers,
    identity::{
        self,
        carry::{self, CALL_HEADER, Crossing},
    },
    leg::Hold,
    peer::Peer,
    referral::{self, Place, Transfer},
    route,
    session::Session,
    targets::{Candidate, Kind},
    wires::{Side, Successor},
};

/// How long the new place may ring, so that nobody waits there for ever.
const RING: Duration = Duration::from_secs(60);

impl Node {
    /// A REFER inside a call: it is carried out for a PBX and for nobody else (row T-09).
    pub(crate) fn asked(&mut self, leg: LegId, ask: AskId, request: &Request) {
        let known = self.legs.get(&leg).copied();
        let session = known.and_then(|(call, side)| Some((self.sessions.remove(&call)?, side)));
        let Some((mut session, side)) = session else {
            return self.says(leg, ask, 481);
        };
        if *request.method() == Method::NOTIFY {
            self.hears_of(&mut session, (leg, ask), request);
            return self.put_back(session);
        }
        let transfers = self.transfers_of(&session, leg);
        let status = if session.party(side) == Party::Customer || transfers == Transfers::Refuse {
            603
        } else {
            self.refer(&mut session, side, (leg, ask), (request, transfers))
        };
        if status != 0 {
            self.says(leg, ask, status);
        }
        self.put_back(session);
    }

    pub(crate) fn says(&mut self, leg: LegId, ask: AskId, status: u16) {
        self.answers(leg, ask, status, &[]);
    }

    /// Takes a REFER on, and says so when nothing will be told of it (RFC 4488 §4).
    pub(crate) fn accepts(&mut self, leg: LegId, ask: AskId, tells: bool) {
        let silent = Header::new("Refer-Sub", "false").ok().filter(|_| !tells);
        self.answers(leg, ask, 202, silent.as_slice());
    }

    fn answers(&mut self, leg: LegId, ask: AskId, status: u16, headers: &[Header]) {
        let answered = self.endpoint.answer_asked(self.instant, (leg, ask), status, headers, None);
        if let Err(error) = answered {
            tracing::debug!(%error, "answering inside a call");
        }
    }

    /// What becomes of the transfers of the peer at a leg.
    fn transfers_of(&self, session: &Session, leg: LegId) -> Transfers {
        let source = self.endpoint.peer(leg);
        let peer = source.and_then(|source| self.peer(&session.settings, source));
        match peer {
            Some(Peer::Pbx(pbx)) => pbx.transfers,
            Some(Peer::Trunk(_)) | None => Transfers::Refuse,
        }
    }

    /// Begins a transfer; the status that refuses it, or 0 when it has been answered.
    fn refer(
        &mut self,
        session: &mut Session,
        side: Side,
        (leg, ask): (LegId, AskId),
        (request, transfers): (&Request, Transfers),
    ) -> u16 {
        // Row T-14: nothing goes past the question, and one transfer is made at a time.
        if session.transfer.is_some() || session.handed.is_some() || !session.call.is_talking() {
            return 491;
        }
        let refer = match Refer::read(request.message()) {
            Ok(refer) => refer,
            Err(error) => return error.status(),
        };
        if transfers == Transfers::Pass
            && let Some(status) = self.hands_on(session, side, (leg, ask), (request, &refer))
        {
            return status;
        }
        let way = match self.way(session, &refer) {
            Ok(way) => way,
            Err(status) => return status,
        };
        let referred = request.message().first("Referred-By").map(<[u8]>::to_vec);
        let Some(drawn) = self.drawn() else { return 500 };
        let (transport, to) = (way.candidate.transport.on_the_wire(), way.candidate.address.ip());
        let Some(terms) = way.candidate.reach.terms(transport, to) else { return 503 };
        let mut successor = session.wires.successor(side, drawn, terms);
        let invite =
            self.invitation(session, side, &refer.target, &way, successor.offer(), referred);
        let Some(invite) = invite else { return 503 };
        let Ok(called) = self.endpoint.invite(self.instant, &invite) else { return 503 };
        if let Some(credentials) = &way.candidate.reach.digest
            && let Err(error) = self.endpoint.equip(called, Arc::clone(credentials))
        {
            tracing::debug!(call = %session.id(), %error, "credentials for a transfer");
        }
        self.accepts(leg, ask, refer.tells);
        self.leads(session, &way);
        self.transfers.insert(called, session.id());
        if let Some(call_id) = self.endpoint.call_id(called) {
            self.traces.tie(session.id(), call_id);
        }
        session.transfer = Some(Box::new(Transfer {
            referrer: Some(leg),
            tells: refer.tells.then(|| request.cseq()),
            leg: called,
            successor,
            place: way.place,
            until: self.now() + RING,
        }));
        self.notify(session, 100);
        0
    }

    /// A transfer is under way: where it leads is written down, and what leads to an emergency is one.
    fn leads(&mut self, session: &mut Session, way: &Way) {
        let label = match way.place {
            Place::Inside => "transfer inside the house",
            Place::Outside => "transfer out of the house",
        };
        session.ladder.add(self.now(), Station::Node, Station::Node, label);
        if way.urgent {
            self.tell(session, bridge::URGENT);
        }
    }

    /// Where a transfer goes: the dialog that it names at the other leg of ours, or a target.
    fn way(&self, session: &Session, refer: &Refer) -> Result<Way, u16> {
        if let Some(replaces) = &refer.replaces {
            return self.replaced_way(session.id(), replaces).ok_or(481);
        }
        let trunk = session.settings.trunks.first();
        let country = trunk.map_or(phonenumber::country::Id::NL, |trunk| trunk.country);
        let place = referral::place(&session.settings, &self.targets, &refer.target, country);
        let candidate = self.found(place.kind()).pop_front().ok_or(503_u16)?;
        let urgent = self.leads_to_help(session, &refer.target);
        Ok(Way { place, urgent, candidate, replaces: None })
    }

    /// The party at the other end of the call that an attended transfer names (row T-04). That call
    /// must be one of ours, and not this one.
    pub(crate) fn replaced_way(&self, own: CallId, replaces: &Replaces) -> Option<Way> {
        let named = self.endpoint.replaced(replaces)?;
        let (call, side) = self.legs.get(&named).copied().filter(|(call, _)| *call != own)?;
        let session = self.sessions.get(&call)?;
        let other = session.wires.leg(side.other())?;
        let source = self.endpoint.peer(other)?;
        let kind = match session.party(side.other()) {
            Party::Customer => Kind::Trunk,
            Party::Agent => Kind::Pbx,
        };
        let place = if kind == Kind::Pbx { Place::Inside } else { Place::Outside };
        // It is reached where it is, by a peer that calls go to.
        let found = self.found(kind);
        let there = found.iter().find(|found| found.address == source.address);
        let candidate = there.or(found.front()).cloned()?;
        let candidate = Candidate { address: source.address, ..candidate };
        let (urgent, replaces) = (session.offer.emergency, Some(self.endpoint.replaces(other)?));
        Some(Way { place, urgent, candidate, replaces })
    }

    /// Where a call may go now, the best first.
    fn found(&self, kind: Kind) -> VecDeque<Candidate> {
        let random = &self.random;
        let draw = |below: u32| {
            let mut bytes = [0; 4];
            random.fill(&mut bytes).map_or(0, |()| u32::from_be_bytes(bytes) % below.max(1))
        };
        self.targets.candidates(kind, false, self.instant, draw)
    }

    /// The INVITE to the new party.
    fn invitation(
        &mut self,
        session: &Session,
        side: Side,
        wanted: &Uri,
        way: &Way,
        body: sip::Body,
        referred: Option<Vec<u8>>,
    ) -> Option<Invite> {
        let (candidate, request) = (&way.candidate, session.wires.request()?);
        let (reach, host) = (Arc::clone(&candidate.reach), candidate.host.as_deref());
        let transport = candidate.transport.on_the_wire();
        let exit = self.leaves(&reach.exit, (host, candidate.address), transport)?;
        let mut target = referred_to(wanted, candidate);
        crate::way::carried(&mut target, transport);
        let mut to = NameAddr::new(target.clone());
        let mut from = match side {
            Side::Far => identity::from(&request, exit.own),
            Side::Near => identity::number(session.dialled.reveal(), exit.own),
        };
        let settings = Arc::clone(&session.settings);
        let numbers = route::numbers(&settings, &session.origin, candidate, false);
        if way.place == Place::Outside {
            numbers.parties(&mut target, &mut to, &mut from);
        }
        let rules = super::dial::rules(session, candidate);
        let mut headers = Vec::new();
        if side == Side::Far {
            let limits = session.settings.headers.limits;
            let crossing = Crossing { from: &session.rules[0], to: &rules, limits };
            let opening = carry::opening(&request, &crossing, from, &to);
            (from, headers) = (opening.from, opening.headers);
        }
        headers.extend(session.thread.header(side));
        if way.place == Place::Inside {
            headers.extend(Header::new(CALL_HEADER, session.id().to_string()));
            let referred = referred.map(|value| Header::new("Referred-By", value));
            headers.extend(referred.into_iter().flatten());
        }
        headers.extend(way.replaces.as_ref().and_then(Replaces::header));
        Some(Invite {
            listener: exit.listener,
            destination: candidate.address,
            stream: exit.stream,
            target,
            routes: Vec::new(),
            from,
            to,
            headers,
            body,
            max_forwards: session.wires.max_forwards(),
            abilities: Abilities { session: candidate.reach.session, ..Abilities::default() },
        })
    }

    /// An event of a leg that is to take another's place; `false` when the leg is none.
    pub(crate) fn succeeds(&mut self, leg: LegId, event: &Event) -> bool {
        let Some(call) = self.transfers.get(&leg).copied() else { return false };
        let Some(mut session) = self.sessions.remove(&call) else {
            self.transfers.remove(&leg);
            return true;
        };
        if let Event::Provisional { status: status @ (180..184), .. } = event {
            self.notify(&mut session, (*status).min(182));
        } else if let Event::Answered { sdp, response, .. } = event {
            self.transfers.remove(&leg);
            self.arrived_at(&mut session, leg, sdp);
            let side = session.side(Party::Agent);
            if session.wires.leg(side) == Some(leg) {
                // Who is there now, the customer's side is told, too (RFC 5876).
                learns(&mut session, side, response);
            }
        } else if let Event::Rejected { status, .. } = event {
            self.transfers.remove(&leg);
            self.comes_to_nothing(&mut session, *status);
        } else if event.ends_leg().is_some() {
            self.transfers.remove(&leg);
            self.comes_to_nothing(&mut session, 408);
        }
        self.put_back(session);
        true
    }

    /// The new party has answered: it takes the place of the one that asked.
    fn arrived_at(&mut self, session: &mut Session, leg: LegId, sdp: &Sdp) {
        let Some(mut transfer) = session.transfer.take() else { return self.drops(leg) };
        let side = session.side(Party::Agent);
        match transfer.successor.read_answer(sdp) {
            Ok(agreed) => {
                session.transfer = Some(transfer);
                self.notify(session, 200);
                let Some(transfer) = session.transfer.take() else { return };
                self.replace(session, side, (leg, transfer.successor), &agreed);
                if transfer.place == Place::Outside {
                    self.tell(session, bridge::HOUSE_LEFT);
                }
                if transfer.referrer.is_none() {
                    self.sound.connect(session, Connection::Bridged);
                }
                self.tell(session, bridge::held(Party::Agent, session.wires.hold(side)));
            }
            Err(refusal) => {
                tracing::info!(call = %session.id(), %refusal, "the new party's description");
                self.drops(leg);
                session.transfer = Some(transfer);
                self.comes_to_nothing(session, 488);
            }
        }
    }

    /// Puts a leg into the place of another, which is hung up.
    fn replace(
        &mut self,
        session: &mut Session,
        side: Side,
        (leg, successor): (LegId, Successor),
        agreed: &sip::Negotiated,
    ) {
        if let Some(old) = session.wires.leg(side) {
            self.legs.remove(&old);
            self.drops(old);
        }
        session.wires.succeed(side, leg, successor);
        self.legs.insert(leg, (session.id(), side));
        self.stands(session, side, leg);
        self.sound.remote(session, side, agreed);
        session.ladder.add(self.now(), Station::Node, Station::Node, "the agent's leg is replaced");
    }

    fn drops(&mut self, leg: LegId) {
        if let Err(error) = self.endpoint.bye(self.instant, leg, &bridge::REPLACED.headers()) {
            tracing::debug!(%error, "letting a leg go");
        }
    }

    /// The new party is not there: the referrer is back in the call, or, when it has left, the call
    /// is over (row T-07).
    fn comes_to_nothing(&mut self, session: &mut Session, status: u16) {
        self.notify(session, status.max(400));
        let Some(transfer) = session.transfer.take() else { return };
        session.ladder.add(self.now(), Station::Node, Station::Node, "the transfer has failed");
        if transfer.referrer.is_none() {
            self.tell(session, bridge::gone(Party::Agent));
        }
    }

    /// Tells the referrer how far the transfer is.
    fn notify(&mut self, session: &mut Session, status: u16) {
        let Some(transfer) = &session.transfer else { return };
        let Some((leg, refer)) = transfer.referrer.zip(transfer.tells) else { return };
        if let Err(error) = self.endpoint.notify(self.instant, leg, refer, status) {
            tracing::debug!(call = %session.id(), %error, "telling of a transfer");
        }
    }

    /// A leg of a call with a transfer has ended. The referrer may leave before the new party is
    /// there (RFC 5589 §6.1): the customer hears that it rings, and nothing is recorded meanwhile.
    /// `true` when that is all there is to it.
    pub(crate) fn referrer_left(&mut self, session: &mut Session, leg: LegId) -> bool {
        let Some(transfer) = &mut session.transfer else { return false };
        if transfer.referrer != Some(leg) {
            return false;
        }
        transfer.referrer = None;
        self.tell(session, bridge::held(Party::Agent, Hold::Held));
        // What the referrer still sends would end the ring-back.
        self.sound.connect(session, Connection::Apart);
        self.sound.ring_back(session, Party::Customer);
        true
    }

    /// The new place has rung for long enough, or nobody waits for it any more.
    pub(crate) fn transfer_lapses(&mut self, session: &mut Session, now: Time) {
        let Some(transfer) = &session.transfer else { return };
        let alone = session.wires.leg(session.side(Party::Customer)).is_none();
        let over = session.words.is_some() || alone;
        if !over && now < transfer.until {
            return;
        }
        let leg = transfer.leg;
        self.transfers.remove(&leg);
        if let Err(error) = self.endpoint.cancel(self.instant, leg, &[]) {
            tracing::debug!(call = %session.id(), %error, "giving a transfer up");
        }
        if over {
            session.transfer = None;
        } else {
            self.comes_to_nothing(session, 408);
        }
    }

    /// An INVITE that takes over a leg of a PBX's own (RFC 3891): a call that is picked up, parked or
    /// transferred behind the PBX. The customer stays, and consent with it. `false` when it names no
    /// dialog.
    pub(crate) fn takes_over(&mut self, arrival: &Arrived) -> bool {
        let named = match Replaces::of(arrival.request.message()) {
            Ok(None) => return false,
            Ok(Some(replaces)) => self.endpoint.replaced(&replaces),
            Err(error) => {
                self.refuse(arrival.leg, error.status(), &[]);
                return true;
            }
        };
        let known = named.and_then(|leg| self.legs.get(&leg)).copied();
        let session = known.and_then(|(call, side)| Some((self.sessions.remove(&call)?, side)));
        let Some((mut session, side)) = session else {
            self.refuse(arrival.leg, 481, &[]);
            return true;
        };
        let status = self.taken_over(&mut session, side, arrival);
        if status != 0 {
            self.refuse(arrival.leg, status, &[]);
        }
        self.put_back(session);
        true
    }

    /// The number of a description and keys, neither of which another leg has.
    fn drawn(&self) -> Option<(u64, Keyring)> {
        let number = self.draw().map(|bytes| u64::from_be_bytes(first(bytes)) >> 8);
        number.zip(self.keyring())
    }

    fn taken_over(&mut self, session: &mut Session, side: Side, arrival: &Arrived) -> u16 {
        let peer = self.peer(&session.settings, arrival.source);
        let inside = matches!(peer, Some(Peer::Pbx(pbx)) if pbx.transfers != Transfers::Refuse);
        if !inside || session.party(side) == Party::Customer {
            return 403;
        }
        // A leg that we called may be taken over while it rings, too (RFC 3891 §3).
        let rings = side == Side::Far && !session.answered;
        if !rings && !session.call.is_talking() {
            return 491;
        }
        let (Some(offer), Some(drawn)) = (&arrival.offer, self.drawn()) else { return 488 };
        let (transport, from) = (arrival.source.transport, arrival.source.address.ip());
        let terms = peer.map(|peer| peer.reach().terms(transport, from));
        let Some(terms) = terms.unwrap_or_default() else { return 488 };
        let mut successor = session.wires.successor(side, drawn, terms);
        let (body, agreed) = match successor.answer(offer) {
            Ok(answered) => answered,
            Err(refusal) => return refusal.status(),
        };
        let sent = self.endpoint.respond(self.instant, arrival.leg, 200, &[], Some(&body));
        if sent.is_err() {
            return 500;
        }
        self.traces.tie(session.id(), arrival.request.call_id());
        self.replace(session, side, (arrival.leg, successor), &agreed);
        if rings {
            session.attempts.settle();
            session.answered = true;
            self.tell(session, bridge::ANSWERED);
        }
        self.tell(session, bridge::held(Party::Agent, session.wires.hold(side)));
        0
    }
}

/// Where a transfer goes.
pub(crate) struct Way {
    pub(crate) place: Place,
    /// Whether the new party is an emergency.
    urgent: bool,
    candidate: Candidate,
    pub(crate) replaces: Option<Replaces>,
}

/// The address of the new party at the peer that leads to it. Whatever else the referrer wrote stays
/// as it is (row T-05).
fn referred_to(wanted: &Uri, candidate: &Candidate) -> Uri {
    let mut target = identity::host(candidate.address);
    if let Uri::Sip(place) = &mut target {
        match wanted {
            Uri::Sip(uri) => {
                place.user.clone_from(&uri.user);
                place.params = uri.params.clone();
                for hop in ["transport", "maddr", "ttl", "lr"] {
                    place.params.remove(hop);
                }
            }
            Uri::Tel(tel) => place.user = Some(tel.number.clone()),
            Uri::Other(_) => return wanted.clone(),
        }
    }
    target
}

fn first(bytes: [u8; 16]) -> [u8; 8] {
    let mut half = [0; 8];
    half.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    half
}
