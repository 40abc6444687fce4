//! Every peer's addresses: which are up, and in which order a call tries them (rows ).

pub mod health;
pub mod order;

use std::{
    collections::VecDeque,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use sip::SipUri;

use crate::config::{
    peers::{Pbx, Trunk},
    target::{Host, Reach, Target, Transport},
};
use health::{Class, Health};
use order::{Rank, order};

/// Which kind of peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A PBX.
    Pbx,
    /// A carrier or SBC.
    Trunk,
}

/// A peer: its kind and its place in the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerId {
    /// Which list of the settings.
    pub kind: Kind,
    /// The place in it.
    pub index: usize,
}

/// What a resolver is asked: all that leads to the addresses of one target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    /// The name.
    pub name: Arc<str>,
    /// The port, if it is written: SRV is not asked then (RFC 3263 §4.2).
    pub port: Option<u16>,
    /// How messages travel.
    pub transport: Transport,
}

/// One address that a name leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The address.
    pub address: SocketAddr,
    /// The order among the others.
    pub rank: Rank,
}

/// One address to try.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Whose it is.
    pub peer: PeerId,
    /// The peer's name, for the log.
    pub name: Arc<str>,
    /// How the peer is reached.
    pub reach: Arc<Reach>,
    /// The name by which the address was found; `None` for a numeric target.
    pub host: Option<Arc<str>>,
    /// The address.
    pub address: SocketAddr,
    /// How messages travel.
    pub transport: Transport,
    /// Where a 3xx wants the call to go (row B-21); `None` for the number as dialled.
    pub contact: Option<SipUri>,
}

/// How a call went at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trial {
    /// It was answered.
    Served,
    /// It failed there, and the target asked to be left alone for so long.
    Failed(Option<Duration>),
}

/// An OPTIONS to send.
#[derive(Clone, Debug)]
pub struct Ping {
    /// Its number, for [`Targets::pong`].
    pub number: u64,
    /// The name by which the address was found.
    pub host: Option<Arc<str>>,
    /// Where to.
    pub address: SocketAddr,
    /// How.
    pub transport: Transport,
    /// By which way.
    pub reach: Arc<Reach>,
}

/// A peer's address went up or down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The peer.
    pub peer: Arc<str>,
    /// Which of its addresses, counted from 1 in the order of the file.
    pub place: usize,
    /// Whether it is up now.
    pub up: bool,
}

struct Peer {
    id: PeerId,
    name: Arc<str>,
    reach: Arc<Reach>,
    /// For each target, what it leads to; a numeric one leads to itself.
    leads: Vec<Vec<Found>>,
}

/// One address of one peer.
struct Spot {
    peer: PeerId,
    host: Option<Arc<str>>,
    address: SocketAddr,
    transport: Transport,
    health: Health,
}

/// All peers' addresses.
#[derive(Default)]
pub struct Targets {
    peers: Vec<Peer>,
    spots: Vec<Spot>,
    pings: u64,
}

impl Targets {
    /// All are taken to be up until they have missed enough. Names lead nowhere until
    /// [`Targets::resolved`].
    #[must_use]
    pub fn new(pbxs: &[Pbx], trunks: &[Trunk], now: Instant) -> Self {
        let peer = |kind, index, name: &str, reach: &Arc<Reach>| Peer {
            id: PeerId { kind, index },
            name: name.into(),
            reach: Arc::clone(reach),
            leads: reach.targets.iter().map(numeric).collect(),
        };
        let pbxs = pbxs.iter().enumerate();
        let trunks = trunks.iter().enumerate();
        let peers = pbxs.map(|(index, pbx)| peer(Kind::Pbx, index, &pbx.name, &pbx.reach)).chain(
            trunks.map(|(index, trunk)| peer(Kind::Trunk, index, &trunk.name, &trunk.reach)),
        );
        let mut targets = Self { peers: peers.collect(), spots: Vec::new(), pings: 0 };
        targets.spread(now);
        targets
    }

    /// Takes new lists and keeps what is known of addresses and names that stay.
    pub fn renew(&mut self, pbxs: &[Pbx], trunks: &[Trunk], now: Instant) {
        let mut new = Self::new(pbxs, trunks, now);
        for (question, found) in self.answers() {
            new.lead(&question, found);
        }
        new.spots = std::mem::take(&mut self.spots);
        new.pings = self.pings;
        // A peer's place may have changed; its addresses are matched anew.
        for spot in &mut new.spots {
            let old = self.peers.iter().find(|peer| peer.id == spot.peer);
            let same = |peer: &&Peer| {
                old.is_some_and(|old| old.name == peer.name && old.id.kind == peer.id.kind)
            };
            if let Some(peer) = new.peers.iter().find(same) {
                spot.peer = peer.id;
                spot.health.renew(peer.reach.watch, now);
            }
        }
        *self = new;
        self.spread(now);
    }

    /// The names to resolve, each once.
    #[must_use]
    pub fn questions(&self) -> Vec<Question> {
        let all = self.peers.iter().flat_map(|peer| peer.reach.targets.iter().filter_map(question));
        let mut questions: Vec<Question> = all.collect();
        questions.sort_unstable();
        questions.dedup();
        questions
    }

    /// A name leads to these addresses from now on.
    pub fn resolved(&mut self, question: &Question, found: &[Found], now: Instant) {
        self.lead(question, found.to_vec());
        self.spread(now);
    }

    fn answers(&self) -> Vec<(Question, Vec<Found>)> {
        let pairs = self.peers.iter().flat_map(|peer| peer.reach.targets.iter().zip(&peer.leads));
        pairs.filter_map(|(target, found)| Some((question(target)?, found.clone()))).collect()
    }

    fn lead(&mut self, asked: &Question, found: Vec<Found>) {
        for peer in &mut self.peers {
            for (target, leads) in peer.reach.targets.iter().zip(&mut peer.leads) {
                if question(target).as_ref() == Some(asked) {
                    leads.clone_from(&found);
                }
            }
        }
    }

    /// Makes one spot of each address of each peer; what is known of the old ones stays.
    fn spread(&mut self, now: Instant) {
        let mut old = std::mem::take(&mut self.spots);
        for peer in &self.peers {
            for (target, leads) in peer.reach.targets.iter().zip(&peer.leads) {
                for found in leads {
                    let is = |spot: &Spot| {
                        spot.peer == peer.id
                            && spot.address == found.address
                            && spot.transport == target.transport
                    };
                    if self.spots.iter().any(is) {
                        continue;
                    }
                    let spot = match old.iter().position(is) {
                        Some(place) => old.swap_remove(place),
                        None => Spot {
                            peer: peer.id,
                            host: name(target),
                            address: found.address,
                            transport: target.transport,
                            health: Health::new(peer.reach.watch, now),
                        },
                    };
                    self.spots.push(spot);
                }
            }
        }
    }

    /// The peer that has this address, if any has. A stream comes from a port of the moment, so
    /// that its address alone says who it is.
    #[must_use]
    pub fn holder(&self, kind: Kind, source: SocketAddr, stream: bool) -> Option<PeerId> {
        let ip = source.ip().to_canonical();
        let is = |spot: &&Spot| {
            spot.peer.kind == kind
                && spot.address.ip() == ip
                && if stream {
                    spot.transport != Transport::Udp
                } else {
                    spot.address.port() == source.port()
                }
        };
        self.spots.iter().find(is).map(|spot| spot.peer)
    }

    /// Whether a call can go to any peer of this kind. An emergency goes to one that is down, too.
    #[must_use]
    pub fn is_up(&self, kind: Kind, emergency: bool, now: Instant) -> bool {
        let mut spots = self.spots.iter().filter(|spot| spot.peer.kind == kind);
        spots.any(|spot| emergency || spot.health.class(now) != Class::Dead)
    }

    /// The addresses that a call tries, in order: those that are up first, each peer's in the order
    /// of RFC 2782, and the peers in the order of the file. What is down is left out, unless the
    /// call is an emergency or there is nothing else (row E-06).
    pub fn candidates(
        &self,
        kind: Kind,
        emergency: bool,
        now: Instant,
        mut draw: impl FnMut(u32) -> u32,
    ) -> VecDeque<Candidate> {
        let mut found: Vec<(Class, Candidate)> = Vec::new();
        for peer in self.peers.iter().filter(|peer| peer.id.kind == kind) {
            let ranks: Vec<Rank> = peer.reach.targets.iter().map(rank).collect();
            for place in order(&ranks, &mut draw) {
                let pair = peer.reach.targets.get(place).zip(peer.leads.get(place));
                let Some((target, leads)) = pair else { continue };
                let ranks: Vec<Rank> = leads.iter().map(|found| found.rank).collect();
                for place in order(&ranks, &mut draw) {
                    let Some(lead) = leads.get(place) else { continue };
                    let Some(spot) = self.spot(peer.id, lead.address, target.transport) else {
                        continue;
                    };
                    found.push((spot.health.class(now), candidate(peer, target, lead.address)));
                }
            }
        }
        let alive = found.iter().any(|(class, _)| *class != Class::Dead);
        found.retain(|(class, _)| emergency || !alive || *class != Class::Dead);
        // A stable sort keeps the order within a class.
        found.sort_by_key(|(class, _)| *class);
        let mut candidates: VecDeque<Candidate> = VecDeque::new();
        for (_, candidate) in found {
            let same = |other: &Candidate| {
                other.address == candidate.address && other.transport == candidate.transport
            };
            if !candidates.iter().any(same) {
                candidates.push_back(candidate);
            }
        }
        candidates
    }

    /// Whether a peer of this kind has this address, whatever the port.
    #[must_use]
    pub fn is_at(&self, kind: Kind, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.spots.iter().any(|spot| spot.peer.kind == kind && spot.address.ip() == ip)
    }

    /// The address of a peer of this kind to which a 3xx may send a call: only where calls go
    /// anyway (row B-21).
    #[must_use]
    pub fn redirected(&self, kind: Kind, contact: &SipUri) -> Option<Candidate> {
        let peers = self.peers.iter().filter(|peer| peer.id.kind == kind);
        let mut pairs = peers.flat_map(|peer| {
            peer.reach
                .targets
                .iter()
                .zip(&peer.leads)
                .map(move |(target, leads)| (peer, target, leads))
        });
        let (peer, target, address) = pairs.find_map(|(peer, target, leads)| {
            let port =
                |address: &SocketAddr| contact.port.is_none_or(|port| port == address.port());
            let lead = match &contact.host {
                sip::Host::Ip(ip) => leads.iter().map(|found| found.address).find(|address| {
                    // RFC 3261 §19.1.2: without a port it is the transport's.
                    let default = contact.port.unwrap_or(target.transport.port());
                    address.ip() == ip.to_canonical() && address.port() == default
                }),
                sip::Host::Name(host) => {
                    let named = name(target).is_some_and(|name| name.eq_ignore_ascii_case(host));
                    leads.iter().map(|found| found.address).filter(|_| named).find(port)
                }
            };
            Some((peer, target, lead?))
        })?;
        Some(Candidate { contact: Some(contact.clone()), ..candidate(peer, target, address) })
    }

    fn spot(&self, peer: PeerId, address: SocketAddr, transport: Transport) -> Option<&Spot> {
        self.spots.iter().find(|spot| {
            spot.peer == peer && spot.address == address && spot.transport == transport
        })
    }

    /// A call was answered there, or failed for a reason that lies with the address.
    pub fn tried(&mut self, candidate: &Candidate, trial: Trial, now: Instant) {
        let is = |spot: &&mut Spot| {
            spot.address == candidate.address && spot.transport == candidate.transport
        };
        for spot in self.spots.iter_mut().filter(is) {
            match trial {
                Trial::Served => spot.health.served(),
                Trial::Failed(rest) => spot.health.failed(rest.unwrap_or(health::REST), now),
            }
        }
    }

    /// How many addresses get no calls because they do not answer.
    #[must_use]
    pub fn down(&self, now: Instant) -> usize {
        self.spots.iter().filter(|spot| spot.health.class(now) >= Class::Doubtful).count()
    }

    /// When an OPTIONS is due, or one has been out for too long.
    #[must_use]
    pub fn wakes(&self) -> Option<Instant> {
        self.spots.iter().filter_map(|spot| spot.health.wakes()).min()
    }

    /// Counts what has been out for too long, and says what changed by it.
    pub fn lapse(&mut self, now: Instant) -> Vec<Change> {
        let overdue: Vec<usize> = self
            .spots
            .iter()
            .enumerate()
            .filter(|(_, spot)| spot.health.is_overdue(now))
            .map(|(place, _)| place)
            .collect();
        overdue.into_iter().filter_map(|place| self.noted(place, false, now)).collect()
    }

    /// The OPTIONS to send now.
    pub fn due(&mut self, now: Instant) -> Vec<Ping> {
        let mut pings = Vec::new();
        for spot in &mut self.spots {
            let Some(peer) = self.peers.iter().find(|peer| peer.id == spot.peer) else { continue };
            if spot.health.ask(self.pings + 1, now) {
                self.pings += 1;
                pings.push(Ping {
                    reach: Arc::clone(&peer.reach),
                    number: self.pings,
                    host: spot.host.clone(),
                    address: spot.address,
                    transport: spot.transport,
                });
            }
        }
        pings
    }

    /// An OPTIONS was answered, or will not be. One that has been given up already means nothing.
    pub fn pong(&mut self, number: u64, answered: bool, now: Instant) -> Option<Change> {
        let place = self.spots.iter().position(|spot| spot.health.awaits(number))?;
        self.noted(place, answered, now)
    }

    fn noted(&mut self, place: usize, answered: bool, now: Instant) -> Option<Change> {
        let id = self.spots.get(place)?.peer;
        let peer = self.peers.iter().find(|peer| peer.id == id)?;
        let before = self.spots.iter().take(place).filter(|spot| spot.peer == id).count();
        let spot = self.spots.get_mut(place)?;
        let up = spot.health.pong(answered, peer.reach.watch, now)?;
        Some(Change { peer: Arc::clone(&peer.name), place: before + 1, up })
    }
}

fn candidate(peer: &Peer, target: &Target, address: SocketAddr) -> Candidate {
    Candidate {
        peer: peer.id,
        name: Arc::clone(&peer.name),
        reach: Arc::clone(&peer.reach),
        host: name(target),
        address,
        transport: target.transport,
        contact: None,
    }
}

fn numeric(target: &Target) -> Vec<Found> {
    match &target.host {
        Host::Ip(ip) => {
            let port = target.port.unwrap_or(target.transport.port());
            vec![Found { address: SocketAddr::new(*ip, port), rank: rank(target) }]
        }
        Host::Name(_) => Vec::new(),
    }
}

const fn rank(target: &Target) -> Rank {
    Rank { priority: target.priority, weight: target.weight }
}

fn name(target: &Target) -> Option<Arc<str>> {
    match &target.host {
        Host::Ip(_) => None,
        Host::Name(name) => Some(Arc::clone(name)),
    }
}

fn question(target: &Target) -> Option<Question> {
    let name = name(target)?;
    Some(Question { name, port: target.port, transport: target.transport })
}

#[cfg(test)]
mod tests;
