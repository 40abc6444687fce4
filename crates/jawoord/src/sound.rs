//! The media side of calls: workers, ports, and what each call plays, hears and taps.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    num::NonZero,
    sync::Arc,
    thread,
    time::Duration,
};

use call::{
    CallId, Connection, Cue, Direction, Kept, Key, Party, Pause, Private, Prompt, Raw, Recording,
    Tone,
};
use media::{
    Codec, Command, Format, Held, LegOpen, LegStart, MasterKey, Order, PromptAudio, Remote, Suite,
    Tap, Tones, Worker,
};
use ring::rand::{SecureRandom, SystemRandom};
use sip::{Negotiated, Secured};

use crate::{
    clock::Clock,
    config::{
        judge::Settings,
        media::{Keys, MediaSettings, Stray},
    },
    crew::Crew,
    note::Note,
    port::{Pair, Ports, is_exhausted},
    session::Session,
    wires::Side,
};

/// Every prompt of a prompt set, encoded once and shared by all calls.
type Encoded = HashMap<(call::Language, Prompt), PromptAudio>;

/// The media workers of a node.
pub struct Sound {
    crew: Crew,
    ranges: Vec<(Option<Box<str>>, IpAddr, Ports)>,
    prompts: Arc<Encoded>,
    cues: [PromptAudio; 3],
    random: SystemRandom,
}

/// Why a call gets no sound.
#[derive(Debug)]
pub enum Shortage {
    /// No port of a range is free.
    Ports(io::Error),
    /// There is no descriptor for its sockets.
    Descriptors,
    /// No media thread runs, or there is no chance to be had.
    Broken,
}

/// The media threads of these settings on this machine.
#[must_use]
pub fn threads(media: &MediaSettings) -> usize {
    media.threads(thread::available_parallelism().map_or(1, NonZero::get))
}

/// The keys that two descriptions agree on, as a leg takes them.
fn secrets(secured: &Secured) -> Option<media::Keys> {
    let key = |key: &sip::MasterKey| {
        let suite = match key.suite() {
            sip::Suite::AesCm128Sha1_80 => Suite::AesCm128Sha1_80,
            sip::Suite::AesCm128Sha1_32 => Suite::AesCm128Sha1_32,
            sip::Suite::AesCm256Sha1_80 => Suite::AesCm256Sha1_80,
            sip::Suite::AesCm256Sha1_32 => Suite::AesCm256Sha1_32,
            sip::Suite::AesGcm128 => Suite::AesGcm128,
            sip::Suite::AesGcm256 => Suite::AesGcm256,
        };
        MasterKey::new(suite, key.octets(), key.mki())
    };
    Some(media::Keys { send: key(&secured.send)?, receive: key(&secured.receive)? })
}

/// What a new call gets.
#[derive(Clone, Copy, Debug)]
pub struct Opened {
    /// Which worker.
    pub worker: usize,
    /// The RTP addresses that the near and the far leg are told.
    pub addresses: (SocketAddr, SocketAddr),
}

/// The codec that a description names.
#[must_use]
pub const fn coded(codec: sip::Codec) -> Codec {
    match codec {
        sip::Codec::Pcma => Codec::Pcma,
        sip::Codec::Pcmu => Codec::Pcmu,
        sip::Codec::G722 => Codec::G722,
        sip::Codec::Opus => Codec::Opus,
    }
}

/// How sound that is played is encoded: for legs of Opus only where there may be any.
fn encodes(settings: &Settings) -> fn(&[i16]) -> PromptAudio {
    let opus = settings.media.codecs.contains(&sip::Codec::Opus);
    if opus { PromptAudio::with_opus } else { PromptAudio::from_pcm }
}

/// Encodes the prompts of a configuration.
#[must_use]
pub fn encode(settings: &Settings) -> Arc<Encoded> {
    let (set, encode) = (&settings.prompts, encodes(settings));
    let all = set.languages().flat_map(|language| {
        set.entries(language)
            .map(move |(prompt, entry)| ((language, prompt), encode(&entry.samples)))
    });
    Arc::new(all.collect())
}

/// Encodes what agents hear when a recording begins and when it ends, and what both hear meanwhile.
fn cues(settings: &Settings) -> [PromptAudio; 3] {
    let encode = encodes(settings);
    [media::cue(Cue::Begins, encode), media::cue(Cue::Ends, encode), media::beep(encode)]
}

impl Sound {
    /// Starts the workers.
    ///
    /// # Errors
    /// The system gives no thread or no event queue.
    pub fn start(
        settings: &Settings,
        clock: Clock,
        notes: &tokio::sync::mpsc::UnboundedSender<Note>,
    ) -> io::Result<Self> {
        let MediaSettings { ranges, tones, .. } = &settings.media;
        let country = media::Country::from_code(&tones.to_uppercase()).unwrap_or_default();
        let opus = settings.media.codecs.contains(&sip::Codec::Opus);
        let tones = if opus { Tones::with_opus(country) } else { Tones::new(country) };
        let (instant, wall) = clock.anchor();
        let worker = |index, lines| {
            let (notes, tones) = (notes.clone(), tones.clone());
            let config = media::Config {
                clock: media::Clock::new(instant, wall),
                tones,
                lines,
                reports: Box::new(move |report| {
                    // The loop is gone only when the node is.
                    let _stopping = notes.send(Note::Media(report));
                }),
            };
            Worker::spawn(index, config)
        };
        let random = SystemRandom::new();
        let mut chance = [0; 2];
        random.fill(&mut chance).map_err(|_| io::Error::other("no random number"))?;
        Ok(Self {
            crew: Crew::start(threads(&settings.media), worker)?,
            ranges: ranges
                .iter()
                .map(|range| {
                    let ports = Ports::new(range.bind, range.ports, u16::from_be_bytes(chance));
                    (range.name.clone(), range.advertised, ports)
                })
                .collect(),
            prompts: encode(settings),
            cues: cues(settings),
            random,
        })
    }

    /// The prompts of new settings take effect; what plays now plays on.
    pub fn renew(&mut self, settings: &Settings) {
        (self.prompts, self.cues) = (encode(settings), cues(settings));
    }

    /// Binds the ports of a new call, of the near and of the far leg, and hands them to a worker.
    ///
    /// # Errors
    /// [`Shortage`]; nothing is open then.
    pub fn open(
        &mut self,
        call: CallId,
        direction: Direction,
        ranges: [Option<&str>; 2],
    ) -> Result<Opened, Shortage> {
        let [near, far] = ranges;
        let (worker, held) = self.crew.least().ok_or(Shortage::Broken)?;
        let ((near_told, near), (far_told, far)) = (self.bind(near)?, self.bind(far)?);
        let addresses =
            (SocketAddr::new(near_told, near.port), SocketAddr::new(far_told, far.port));
        let (near, far) = (self.leg(near, &held)?, self.leg(far, &held)?);
        let order = match direction {
            Direction::Inbound => Order::Open { customer: near, agent: far },
            Direction::Outbound => Order::Open { customer: far, agent: near },
        };
        let sent = self.crew.send(worker, Command { call, order });
        sent.map(|()| Opened { worker, addresses }).map_err(|_| Shortage::Broken)
    }

    /// The threads: which has how many calls.
    #[must_use]
    pub const fn crew(&self) -> &Crew {
        &self.crew
    }

    /// A pair of ports of a range, and the address that peers are told of it. A range that a new
    /// configuration names and the start did not know is the first one until the next start.
    fn bind(&mut self, name: Option<&str>) -> Result<(IpAddr, Pair), Shortage> {
        let found = self.ranges.iter().position(|(known, ..)| known.as_deref() == name);
        let (_, told, ports) = self.ranges.get_mut(found.unwrap_or(0)).ok_or(Shortage::Broken)?;
        let short = |error| match is_exhausted(&error) {
            true => Shortage::Descriptors,
            false => Shortage::Ports(error),
        };
        Ok((*told, ports.bind().map_err(short)?))
    }

    fn leg(&self, Pair { rtp, rtcp, .. }: Pair, held: &Held) -> Result<Box<LegOpen>, Shortage> {
        let mut bytes = [0; 32];
        self.random.fill(&mut bytes).map_err(|_| Shortage::Broken)?;
        let start = LegStart::from_random(bytes);
        Ok(Box::new(LegOpen { rtp, rtcp, start, held: held.clone() }))
    }

    /// Ends a call's media.
    pub fn close(&self, call: CallId, worker: usize) {
        self.order(call, worker, Order::Close);
    }

    fn order(&self, call: CallId, worker: usize, order: Order) {
        if let Err(error) = self.crew.send(worker, Command { call, order }) {
            tracing::error!(%call, %error, "media");
        }
    }

    fn tell(&self, session: &Session, order: Order) {
        self.order(session.id(), session.worker, order);
    }

    /// A leg's session description was agreed or changed.
    pub fn remote(&self, session: &Session, side: Side, agreed: &Negotiated) {
        let (Some(rtp), Some(rtcp)) = (agreed.remote_rtp, agreed.remote_rtcp) else {
            return;
        };
        let codec = coded(agreed.codec);
        let format =
            |payload_type, event_payload_type| Format { codec, payload_type, event_payload_type };
        let remote = Remote {
            rtp,
            rtcp,
            send: format(agreed.send_payload, agreed.send_event),
            receive: format(agreed.receive_payload, agreed.receive_event),
            hears: agreed.direction.sends(),
            sends: agreed.direction.receives(),
            packet_ms: agreed.ptime_ms,
            event_ratio: if agreed.event_hz == 48_000 { 6 } else { 1 },
            noise: agreed.noise,
            latching: session.wires.latching(side),
        };
        let party = session.party(side);
        let informs = session.settings.media.keys == Keys::Info;
        if session.call.may_be_recorded() && agreed.receive_event.is_none() {
            // Row D-11: should anybody wonder why no key is heard.
            let (call, keys) = (session.id(), "tones in the sound, or INFO");
            tracing::info!(%call, party = party.as_str(), keys, "how keys come");
        }
        if informs {
            self.tell(session, Order::Retell(party, true));
        }
        self.tell(session, Order::Watch(session.settings.alarms.one_way));
        if session.settings.media.tones_beside_events {
            self.tell(session, Order::HearBeside);
        }
        if session.settings.media.stray == Stray::Accept {
            self.tell(session, Order::TakeStray);
        }
        let secured = agreed.secured.as_ref().and_then(secrets).map(Box::new);
        if agreed.secured.is_some() && secured.is_none() {
            // A key of a length that its suite does not have cannot be agreed on.
            tracing::error!(call = %session.id(), "a key of SRTP does not fit its suite");
            return;
        }
        self.tell(session, Order::SetRemote(party, remote, secured));
    }

    /// A side pressed a key outside its sound, as this body says.
    pub fn press(
        &self,
        session: &Session,
        side: Side,
        key: Key,
        held: Duration,
        body: Private<Raw>,
    ) {
        let party = session.party(side);
        self.tell(session, Order::Press(party, Private::new(key), held, body));
    }

    /// Plays a prompt to the customer, in the language of the line.
    pub fn play(&self, session: &Session, prompt: Prompt) {
        if let Some(audio) = self.audio(session, prompt) {
            self.tell(session, Order::Play(prompt, audio));
        }
    }

    /// Plays a prompt to both parties.
    pub fn announce(&self, session: &Session, prompt: Prompt) {
        if let Some(audio) = self.audio(session, prompt) {
            self.tell(session, Order::Announce(prompt, audio));
        }
    }

    /// Lets the agent hear what becomes of the recording.
    pub fn cue(&self, session: &Session, cue: Cue) {
        let [begins, ends, _] = &self.cues;
        let audio = match cue {
            Cue::Begins => begins,
            Cue::Ends => ends,
        };
        self.tell(session, Order::Cue(Box::new(audio.clone())));
    }

    fn audio(&self, session: &Session, prompt: Prompt) -> Option<PromptAudio> {
        let audio = session.offer.line.as_ref().and_then(|line| match &line.policy.recording {
            Recording::Ask(asking) => self.prompts.get(&(asking.language, prompt)),
            Recording::Never => None,
        });
        if audio.is_none() {
            tracing::error!(call = %session.id(), %prompt, "a prompt is missing");
        }
        audio.cloned()
    }

    /// Asks what has been counted of the call so far.
    pub fn count(&self, session: &Session) {
        self.tell(session, Order::Count);
    }

    /// Ends what plays.
    pub fn hush(&self, session: &Session) {
        self.tell(session, Order::Hush);
    }

    /// Plays ring-back to a party.
    pub fn ring_back(&self, session: &Session, party: Party) {
        self.tell(session, Order::RingBack(party));
    }

    /// So much of what a party presses does not reach the other.
    pub fn keep(&self, session: &Session, party: Party, kept: Kept) {
        self.tell(session, Order::Keep(party, kept));
    }

    /// Plays a tone.
    pub fn tone(&self, session: &Session, tone: Tone) {
        self.tell(session, Order::Tone(tone));
    }

    /// Connects the legs, or parts them.
    pub fn connect(&self, session: &Session, connection: Connection) {
        self.tell(session, Order::Connect(connection));
    }

    /// Arms the withdrawal key.
    pub fn arm(&self, session: &Session, key: Key) {
        self.tell(session, Order::ArmWithdrawal(key));
    }

    /// Puts a tap in.
    pub fn tap(&self, session: &Session, tap: Tap) {
        let [_, _, beep] = &self.cues;
        let every = session.offer.line.as_ref().and_then(|line| match &line.policy.recording {
            Recording::Ask(asking) => asking.beep,
            Recording::Never => None,
        });
        if let Some(every) = every {
            self.tell(session, Order::Beep(every, Box::new(beep.clone())));
        }
        self.tell(session, Order::InsertTap(Box::new(tap)));
    }

    /// Takes the tap out.
    pub fn untap(&self, session: &Session) {
        self.tell(session, Order::RemoveTap);
    }

    /// The agent's key makes the tap keep silence.
    pub fn arm_pause(&self, session: &Session, key: Key) {
        self.tell(session, Order::ArmPause(key));
    }

    /// The tap keeps silence.
    pub fn pause(&self, session: &Session, why: Pause) {
        self.tell(session, Order::Pause(why));
    }

    /// The tap listens again.
    pub fn resume(&self, session: &Session) {
        self.tell(session, Order::Resume);
    }
}
