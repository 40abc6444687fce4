//! The signalling loop: one task that owns the endpoint and every call.

mod act;
mod admit;
mod agents;
mod arrived;
mod aside;
mod closing;
mod convey;
mod dial;
mod enrol;
mod floor;
mod gate;
mod hand_on;
mod hear;
mod hold;
mod keys;
mod listen;
mod pause;
mod place;
pub mod run;
mod transfer;
mod watch;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    io,
    sync::Arc,
    time::Instant,
};

use call::{CallId, NotReady, RecordingId, Time};
use ring::rand::{SecureRandom, SystemRandom};
use sip::{Endpoint, LegId, PingId};

use self::arrived::Arrived;
use crate::{
    alarm::Unanswered,
    ami::client::Managers,
    books::Books,
    clock::Clock,
    config::{judge::Settings, listener::Listener},
    descriptors::Descriptors,
    gate::{bucket::Buckets, quiet::Quiet, tally::Tally},
    identity::thread::End,
    live::ask::Trials,
    metrics::Metrics,
    net::Net,
    number::Spellings,
    office::lanes::OfficeDoor,
    recorder::door::RecorderDoor,
    registry::Registry,
    resolver::Resolver,
    session::Session,
    sound::Sound,
    targets::Targets,
    trace::Traces,
    wires::Side,
};

/// Everything the loop owns.
pub struct Node {
    pub(crate) clock: Clock,
    pub(crate) settings: Arc<Settings>,
    pub(crate) endpoint: Endpoint,
    pub(crate) sessions: HashMap<CallId, Box<Session>>,
    /// Calls that are over and wait for what their media has counted.
    pub(crate) closing: HashMap<CallId, (Box<Session>, Time)>,
    pub(crate) legs: HashMap<LegId, (CallId, Side)>,
    /// The call in which a leg is to take another's place.
    pub(crate) transfers: HashMap<LegId, CallId>,
    pub(crate) pings: HashMap<PingId, u64>,
    pub(crate) due: BTreeSet<(Time, CallId)>,
    /// The running call of each Session-ID, by the end of the side that called.
    pub(crate) threads: HashMap<End, CallId>,
    pub(crate) targets: Targets,
    pub(crate) resolver: Resolver,
    /// The managers of PBXs, and since when each is not heard.
    pub(crate) managers: Managers,
    pub(crate) unheard: BTreeMap<Arc<str>, Time>,
    /// The carriers that we are registered with.
    pub(crate) registry: Registry,
    /// The media workers and their ports.
    pub sound: Sound,
    pub(crate) office: OfficeDoor,
    pub(crate) recorder: RecorderDoor,
    /// When the recorder has ended by a defect.
    pub(crate) recorder_gone: Option<Time>,
    /// Whether calls, recordings and stored objects agree.
    pub(crate) books: Books,
    pub(crate) metrics: Metrics,
    pub(crate) random: SystemRandom,
    pub(crate) draining: bool,
    /// Until when the running calls of a node that leaves may go on.
    pub(crate) leaving: Option<Instant>,
    /// How many transactions the endpoint can hold.
    pub(crate) ceiling: usize,
    /// What the process may have open.
    pub(crate) descriptors: Descriptors,
    pub(crate) buckets: Buckets,
    pub(crate) tally: Tally,
    pub(crate) said: Said,
    /// Questions in a row that no key answered, by trunk.
    pub(crate) unanswered: Unanswered,
    /// Emergencies that wait for media ports, and until when.
    pub(crate) parked: VecDeque<(Instant, Arrived)>,
    /// What the operator tries out.
    pub(crate) trials: Trials,
    /// How the numbers of the house are written by those who call them.
    pub(crate) spellings: Spellings,
    /// The messages of the latest calls.
    pub(crate) traces: Traces,
    /// The sockets, and the listeners that they are, by the number of each.
    pub(crate) net: Net,
    pub(crate) listeners: Box<[Listener]>,
    /// The instant of the input that is being handled: one clock read each.
    pub(crate) instant: Instant,
}

/// What the log has said about what happens often.
#[derive(Debug, Default)]
pub(crate) struct Said {
    pub(crate) strangers: Quiet,
    pub(crate) over: Quiet,
    pub(crate) registers: Quiet,
}

/// What a node is made of.
pub struct Parts {
    /// The clock.
    pub clock: Clock,
    /// Names of targets.
    pub resolver: Resolver,
    /// The managers of PBXs.
    pub managers: Managers,
    /// The settings at start.
    pub settings: Arc<Settings>,
    /// The media workers.
    pub sound: Sound,
    /// What the process may have open.
    pub descriptors: Descriptors,
    /// The way to the ledger.
    pub office: OfficeDoor,
    /// The way to the recorder.
    pub recorder: RecorderDoor,
    /// The counters.
    pub metrics: Metrics,
    /// The sockets of the settings' listeners.
    pub net: Net,
}

impl Node {
    /// A node without calls.
    ///
    /// # Errors
    /// The machine gives no random seed.
    pub fn new(parts: Parts) -> io::Result<Self> {
        let random = SystemRandom::new();
        let mut seed = [0; 32];
        random.fill(&mut seed).map_err(|_| io::Error::other("no random seed"))?;
        let listeners: Box<[Listener]> = parts.settings.listeners.as_slice().into();
        let ends = listeners.iter().map(Listener::for_endpoint).collect();
        let targets = Targets::new(&parts.settings.pbxs, &parts.settings.trunks, Instant::now());
        let mut resolver = parts.resolver;
        resolver.follow(&targets.questions());
        let mut managers = parts.managers;
        managers.follow(parts.settings.managers());
        let agent = concat!("jawoord/", env!("CARGO_PKG_VERSION"));
        let timers = parts.settings.timers;
        // What every peer may ask for; each leg gets the timer of its own.
        let session = parts.settings.session.map(|_| sip::SessionTimer::default());
        let config = sip::Config { timers, session, ..sip::Config::new(agent, ends) };
        let ceiling = config.max_transactions;
        Ok(Self {
            clock: parts.clock,
            endpoint: Endpoint::new(config, seed),
            sessions: HashMap::new(),
            closing: HashMap::new(),
            unanswered: Unanswered::default(),
            legs: HashMap::new(),
            transfers: HashMap::new(),
            pings: HashMap::new(),
            due: BTreeSet::new(),
            threads: HashMap::new(),
            targets,
            resolver,
            managers,
            unheard: BTreeMap::new(),
            net: parts.net,
            listeners,
            registry: Registry::default(),
            trials: Trials::default(),
            spellings: Spellings::default(),
            traces: Traces::new(parts.settings.trace_octets),
            settings: parts.settings,
            sound: parts.sound,
            descriptors: parts.descriptors,
            office: parts.office,
            recorder: parts.recorder,
            recorder_gone: None,
            books: Books::default(),
            metrics: parts.metrics,
            random,
            draining: false,
            leaving: None,
            ceiling,
            buckets: Buckets::new(Instant::now()),
            tally: Tally::default(),
            said: Said::default(),
            parked: VecDeque::new(),
            instant: Instant::now(),
        })
    }

    /// The moment of the input that is being handled.
    #[must_use]
    pub fn now(&self) -> Time {
        self.clock.at(self.instant)
    }

    /// Keys for SRTP that no other leg has.
    pub(crate) fn keyring(&self) -> Option<sip::Keyring> {
        let mut seed = zeroize::Zeroizing::new([0; 32]);
        self.random.fill(&mut *seed).ok().map(|()| sip::Keyring::new(*seed))
    }

    /// 16 bytes for the id of a row: six of the time in milliseconds, as in RFC 9562 §5.7, so that the
    /// rows of an hour lie together in the ledger's indexes, and ten of chance.
    pub(crate) fn name(&self) -> Option<[u8; 16]> {
        let mut bytes = self.draw()?;
        let millis = (self.now().as_micros() / 1_000).to_be_bytes();
        let (time, _) = bytes.split_at_mut(6);
        time.iter_mut().zip(millis.iter().skip(2)).for_each(|(byte, of_time)| *byte = *of_time);
        Some(bytes)
    }

    /// The id of a recording that another yes in a call would get.
    pub(crate) fn names_a_recording(&self) -> Result<RecordingId, NotReady> {
        self.name().map(RecordingId::from_bytes).ok_or(NotReady::Keys)
    }

    /// 16 random bytes.
    pub(crate) fn draw(&self) -> Option<[u8; 16]> {
        let mut bytes = [0; 16];
        self.random.fill(&mut bytes).ok().map(|()| bytes)
    }
}
