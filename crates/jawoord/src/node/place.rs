//! A new call: who sent it, which line it is of, whether it may be asked, and its first steps.

use std::{collections::VecDeque, sync::Arc};

use call::{Call, CallId, CallOffer, Direction, NotReady, Private, Prompt, Recording, RecordingId};
use ledger::Station;
use phonenumber::country::Id;
use sip::{Codec, Header, LegId, Request};

use super::{Node, arrived::Arrived};
use crate::{
    alarm::Alarms,
    attempts::Attempts,
    config::{
        judge::Settings,
        target::{Reach, Terms},
    },
    gate::urgent::is_urgent,
    identity::{self, news::News, rules::Rules, thread::Thread},
    ladder::Ladder,
    peer::Peer,
    progress::Progress,
    route,
    session::{Haste, Row, Session},
    sound::{Opened, Shortage},
    targets::Kind,
    wires::{Call as Arrival, Side, Wires},
};

impl Node {
    /// An INVITE outside of any dialog.
    pub(crate) fn arrives(&mut self, arrival: Arrived) {
        let settings = Arc::clone(&self.settings);
        let Some(peer) = self.peer(&settings, arrival.source) else {
            self.metrics.strangers.inc();
            return self.refuse(arrival.leg, 403, &[]);
        };
        if !self.paces(arrival.leg, peer) || self.takes_over(&arrival) {
            return;
        }
        let (direction, country) = comes(&settings, peer);
        let user = identity::dialled(&arrival.request);
        let plain = self.spellings.dialled(&user, country);
        let dialled = route::read(&settings, peer, (&user, &plain), country);
        // As it was dialled, or as the trunk's rules read it.
        let emergency = is_urgent(&settings, &arrival.request, &plain, country)
            || settings.emergency.matches(&dialled);
        if self.comes_back(&arrival.request, &dialled) {
            return self.refuse(arrival.leg, 482, &[]);
        }
        if !self.is_proven(peer, arrival.leg, emergency) {
            return;
        }
        let house = house((direction, peer, country), &arrival.request, &dialled);
        let line = settings.lines.find(direction, &house).cloned().map(|line| {
            let way = (&*settings, peer, country);
            Self::in_words(way, (direction, line), &arrival.request, [&dialled, &plain])
        });
        let aside = line.as_deref().and_then(|line| {
            let (way, called) = ((&*settings, peer, country), [&dialled, &plain]);
            self.aside(way, (direction, line), &arrival.request, called)
        });
        if line.is_some() && direction == Direction::Inbound {
            self.spellings.learn(&user, country, &plain);
        }
        let Some((call, recording)) = self.name().zip(self.name()) else {
            return self.refuse(arrival.leg, 503, &[]);
        };
        let progress = before_the_answer(peer, &arrival);
        let early = progress.as_ref().map(|progress| progress.notice);
        let offer = CallOffer {
            call: CallId::from_bytes(call),
            recording: RecordingId::from_bytes(recording),
            direction,
            line,
            emergency,
            aside,
            ready: Ok(()),
            target_up: self.targets.is_up(kind(direction), emergency, self.instant),
            early: None,
        };
        let offer = CallOffer { ready: self.ready(&offer, &settings), early, ..offer };
        let origin = Arc::clone(peer.reach());
        let rules = [rules(&settings, peer), Arc::default()];
        let trunk = match peer {
            Peer::Trunk(trunk) => Some(Arc::from(&*trunk.name)),
            Peer::Pbx(_) => None,
        };
        self.open(arrival, offer, Way { dialled, rules, trunk, origin, progress }, settings);
    }

    fn open(
        &mut self,
        arrival: Arrived,
        offer: CallOffer,
        Way { dialled, rules, trunk, origin, progress }: Way,
        settings: Arc<Settings>,
    ) {
        let ranges = ranges(&settings, offer.direction, &origin);
        let opened = match self.seated(&offer, ranges) {
            Ok(opened) => opened,
            Err(shortage) => return self.makes_room(arrival, offer.emergency, &shortage),
        };
        let Some((near, far)) = self.draw().zip(self.draw()) else {
            self.sound.close(offer.call, opened.worker);
            return self.refuse(arrival.leg, 503, &[]);
        };
        let thread = Thread::new(arrival.request.message(), near, far);
        let (leg, source, since) = (arrival.leg, arrival.source.address.ip(), arrival.since);
        let terms = origin.terms(arrival.source.transport, source);
        let Some(wires) = self.wires((arrival, terms), &offer, opened) else { return };
        tracing::debug!(call = %offer.call, emergency = offer.emergency, "call");
        self.legs.insert(leg, (offer.call, Side::Near));
        self.traces.tie(offer.call, wires.call_id());
        let session = Session {
            call: Call::new(self.now(), offer.clone()),
            wires,
            rules,
            thread,
            called: None,
            news: News::default(),
            heard: None,
            answered: false,
            alarms: Alarms::on(trunk),
            manager: None,
            sound: None,
            since,
            transfer: None,
            progress,
            handed: None,
            again: None,
            attempts: Attempts::default(),
            origin,
            worker: opened.worker,
            ladder: Ladder::default(),
            settings,
            row: Row::None,
            haste: Haste::Now,
            waiting: VecDeque::new(),
            due: None,
            seed: None,
            recording: None,
            ending: None,
            words: None,
            dialled,
            offer,
        };
        self.equips(&session, leg);
        self.seats(&session, source);
        self.begin(session);
    }

    /// The sockets of a new call, if there are descriptors for them.
    fn seated(&mut self, offer: &CallOffer, ranges: [Option<&str>; 2]) -> Result<Opened, Shortage> {
        if !self.has_descriptors(offer.emergency) {
            return Err(Shortage::Descriptors);
        }
        let crew = self.sound.crew();
        crew.spare(self.descriptors.spare(crew.sockets()));
        self.sound.open(offer.call, offer.direction, ranges)
    }

    /// Reads the caller's offer. A call that cannot be is refused, and its ports are free again.
    fn wires(
        &mut self,
        (arrival, terms): (Arrived, Option<Terms>),
        offer: &CallOffer,
        opened: Opened,
    ) -> Option<Wires> {
        let (call, leg) = (offer.call, arrival.leg);
        let local = self
            .listener(arrival.source.listener)
            .map_or(arrival.source.address, |listener| listener.advertised);
        let arrived = Arrival {
            leg,
            request: arrival.request,
            source: arrival.source,
            max_forwards: arrival.max_forwards,
            local,
            terms,
            codecs: spoken(&self.settings, offer),
        };
        if terms.is_none() {
            tracing::warn!(%call, "SRTP is required of a peer that calls without TLS, and its keys are \
                not told in the clear; the call is refused");
        }
        let Some(keys) = self.keyring().zip(self.keyring()) else {
            self.sound.close(call, opened.worker);
            self.refuse(leg, 503, &[]);
            return None;
        };
        let drawn = (self.session_number(), keys.into());
        match Wires::new(arrived, opened.addresses, drawn, arrival.offer) {
            Ok(wires) => Some(wires),
            Err(refusal) => {
                self.sound.close(call, opened.worker);
                self.refuse(leg, refusal.status, &refusal.headers);
                None
            }
        }
    }

    fn begin(&mut self, mut session: Session) {
        session.ladder.add(self.now(), near(session.direction()), Station::Node, "INVITE");
        self.metrics.active.inc();
        self.threads.insert(session.thread.near(), session.id());
        if let Some(leg) = session.wires.leg(Side::Near) {
            self.stands(&session, Side::Near, leg);
        }
        if session.offer.line.is_none() {
            self.office.open(&mut session, None, Haste::Soon, self.now());
        }
        self.drive(&mut session);
        self.reads_first_agent(&mut session);
        self.put_back(Box::new(session));
    }

    /// Whether everything the evidence and the recording need is there (invariant 4).
    pub(crate) fn ready(&self, offer: &CallOffer, settings: &Settings) -> Result<(), NotReady> {
        let Some(line) = &offer.line else { return Ok(()) };
        let Recording::Ask(asking) = &line.policy.recording else { return Ok(()) };
        let spoken = |prompt: Prompt| settings.prompts.get(asking.language, prompt).is_some();
        let manner = asking.ground.manner();
        let needed = |prompt: &Prompt| manner.is_some_and(|manner| manner.says(*prompt));
        if !Prompt::ALL.into_iter().filter(needed).all(spoken) {
            return Err(NotReady::Prompts);
        }
        self.recorder.ready()?;
        self.office.ready()
    }

    /// The number of a session description: no other session of this node has it.
    fn session_number(&self) -> u64 {
        self.draw().map_or(0, |bytes| {
            // RFC 8866 §5.2 wants a decimal number; half of a 64-bit one leaves room for two legs.
            bytes.iter().take(7).fold(0, |number, byte| number << 8 | u64::from(*byte))
        })
    }

    /// Gives a leg the session timer of its peer; `false` when the peer wants a shorter interval and
    /// hears which one it may have (RFC 4028 §9).
    fn paces(&mut self, leg: LegId, peer: Peer<'_>) -> bool {
        let session = peer.reach().session;
        self.endpoint.set_session_timer(self.instant, leg, session).is_ok_and(|stands| stands)
    }

    pub(crate) fn refuse(&mut self, leg: LegId, status: u16, headers: &[Header]) {
        if let Err(error) = self.endpoint.respond(self.instant, leg, status, headers, None) {
            tracing::debug!(%error, "refusing");
        }
    }
}

/// What both sides of a call may speak. Tones of keys are not found in Opus: where they are kept out of
/// recordings it is not spoken.
fn spoken(settings: &Settings, offer: &CallOffer) -> Arc<[Codec]> {
    let codecs = &settings.media.codecs;
    let keeps_keys_out = offer.line.as_ref().is_some_and(|line| match &line.policy.recording {
        Recording::Ask(asking) => asking.keeps_keys_out(),
        Recording::Never => false,
    });
    if keeps_keys_out {
        codecs.iter().copied().filter(|codec| *codec != Codec::Opus).collect()
    } else {
        Arc::clone(codecs)
    }
}

/// Which way a call of a peer goes, and of which country its numbers are.
fn comes(settings: &Settings, peer: Peer<'_>) -> (Direction, Id) {
    match peer {
        Peer::Trunk(trunk) => (Direction::Inbound, trunk.country),
        Peer::Pbx(_) => {
            let country = settings.trunks.first().map(|trunk| trunk.country);
            (Direction::Outbound, country.unwrap_or(Id::NL))
        }
    }
}

/// A line is known by the number of the house: the one that is called, or calls.
fn house(
    (direction, peer, country): (Direction, Peer<'_>, Id),
    request: &Request,
    dialled: &Private<String>,
) -> Private<String> {
    match direction {
        Direction::Inbound => dialled.clone(),
        Direction::Outbound => route::caller(peer, &identity::calling(request), country),
    }
}

/// What the trunk of a caller lets be done before the answer.
fn before_the_answer(peer: Peer<'_>, arrival: &Arrived) -> Option<Progress> {
    let early = match peer {
        Peer::Trunk(trunk) => trunk.early?,
        Peer::Pbx(_) => return None,
    };
    Progress::of(early, &arrival.request, arrival.offer.is_some(), arrival.reliable)
}

/// The ranges of media ports of the leg that called and of the one that is called.
fn ranges<'a>(
    settings: &'a Settings,
    direction: Direction,
    origin: &'a Reach,
) -> [Option<&'a str>; 2] {
    let mut trunks = settings.trunks.iter().map(|trunk| &trunk.reach);
    let far = match direction {
        Direction::Inbound => settings.pbxs.first().map(|pbx| &pbx.reach),
        Direction::Outbound => trunks.find(|reach| !reach.targets.is_empty()),
    };
    [origin.exit.media.as_deref(), far.and_then(|far| far.exit.media.as_deref())]
}

/// What was dialled, and what else the side that called says and wants.
struct Way {
    dialled: Private<String>,
    rules: [Arc<Rules>; 2],
    trunk: Option<Arc<str>>,
    origin: Arc<Reach>,
    progress: Option<Progress>,
}

/// What crosses to and from the side that called.
fn rules(settings: &Settings, peer: Peer<'_>) -> Arc<Rules> {
    match peer {
        Peer::Trunk(trunk) => settings.headers.trunk(&trunk.name),
        Peer::Pbx(pbx) => settings.headers.pbx(&pbx.name),
    }
}

/// Where the leg that called comes from.
#[must_use]
pub(crate) const fn near(direction: Direction) -> Station {
    match direction {
        Direction::Inbound => Station::Trunk,
        Direction::Outbound => Station::Pbx,
    }
}

/// Where the leg that we call goes to.
#[must_use]
pub(crate) const fn far(direction: Direction) -> Station {
    match direction {
        Direction::Inbound => Station::Pbx,
        Direction::Outbound => Station::Trunk,
    }
}

/// Which kind of peer a call goes to.
#[must_use]
pub(crate) const fn kind(direction: Direction) -> Kind {
    match direction {
        Direction::Inbound => Kind::Pbx,
        Direction::Outbound => Kind::Trunk,
    }
}
