//! One side of a call: its peer, what it receives, and the one stream that it sends.

use std::{
    fmt,
    net::SocketAddr,
    ops::{Range, RangeInclusive},
    time::Duration,
};

use call::{Kept, Key, Party, Time};

use crate::{
    codec::Codec,
    digit::{
        dial::Dialler,
        event::{Detector, PAYLOAD_LEN},
        overheard::Overheard,
        press::Presses,
        tone::Ear,
    },
    latch::{Latch, Latching},
    opus::{clock::Clock, encoder::TICKS},
    packing::Packing,
    playout::{Playout, PromptEnd},
    reception::Reception,
    report::LegStats,
    rtcp::{Block, Reporter},
    rtp::{self, HEADER_LEN, Malformed, Packet, parse},
    srtp::context::Contexts,
    start::LegStart,
    stream::Stream,
    timeline::{Timeline, duration},
    tone::Tones,
    transcode::Transcoder,
};

/// The payload types whose meaning only offer and answer give (RFC 3551 §3).
const DYNAMIC: RangeInclusive<u8> = 96..=127;
/// Packets last so long unless a side asks for another length (RFC 3551 §4.2).
const PACKET_MS: u16 = 20;

/// What one direction of a leg agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// The audio codec.
    pub codec: Codec,
    /// Its payload type.
    pub payload_type: u8,
    /// The payload type of telephone events, if agreed.
    pub event_payload_type: Option<u8>,
}

/// The peer of a leg, as offer and answer agreed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Remote {
    /// Where its RTP goes to and must come from.
    pub rtp: SocketAddr,
    /// The same for RTCP: the port above, or what `a=rtcp` says (RFC 3605). The same as `rtp` when
    /// both share one port (`rtcp-mux`, RFC 5761): then ours do, too.
    pub rtcp: SocketAddr,
    /// What we send: the peer declared these payload types (row D-09).
    pub send: Format,
    /// What we receive: we declared these payload types.
    pub receive: Format,
    /// Whether the peer wants to hear us now; not while it says `sendonly` or `inactive`. A prompt
    /// waits meanwhile: what is not sent was not heard.
    pub hears: bool,
    /// Whether the peer may send sound now; not while it says `recvonly` or `inactive`, or is told so.
    pub sends: bool,
    /// How long the packets are to be that it is sent, in milliseconds: 10 to 60 (row B-30).
    pub packet_ms: u16,
    /// Ticks of the clock of telephone events in one of 8,000 Hz, both ways. It follows the clock of the
    /// codec (row D-10), but for peers that know events of 8,000 Hz only.
    pub event_ratio: u16,
    /// The payload types of comfort noise (RFC 3389) that we send and receive, if it was agreed on.
    pub noise: Option<(u8, u8)>,
    /// Whether it may send from elsewhere, as behind a NAT; then it is sent to there.
    pub latching: Option<Latching>,
}

impl Remote {
    /// How long a packet to it lasts. Whoever takes Opus takes packets of 20 ms (RFC 7587 §7).
    pub(crate) fn packet_time(&self) -> Duration {
        duration(self.packet_ticks() as u64)
    }

    /// How many ticks of 8,000 Hz that are, and how many bytes it carries at most; of anything but Opus
    /// exactly so many.
    pub(crate) fn packet_ticks(&self) -> usize {
        match self.send.codec {
            Codec::Pcma | Codec::Pcmu | Codec::G722 => {
                usize::from(self.packet_ms.clamp(10, 60)) * 8
            }
            Codec::Opus => TICKS,
        }
    }

    /// The socket on which reports come and go.
    pub(crate) fn reports(&self) -> Channel {
        if self.is_muxed() { Channel::Rtp } else { Channel::Rtcp }
    }

    /// It sends from here, and hears here. Its reports are next to its sound, as far as one can tell.
    pub(crate) fn move_to(&mut self, rtp: SocketAddr) {
        if rtp != self.rtp {
            let port = if self.is_muxed() { rtp.port() } else { rtp.port().wrapping_add(1) };
            (self.rtp, self.rtcp) = (rtp, SocketAddr::new(rtp.ip(), port));
        }
    }

    /// Whether sound and reports share one port.
    pub(crate) fn is_muxed(&self) -> bool {
        self.rtp == self.rtcp
    }
}

impl fmt::Debug for Remote {
    /// Addresses are personal data and stay out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Remote({:?} hears={})", self.send, self.hears)
    }
}

/// A packet to send: it lies in the buffer that was lent.
#[derive(Clone, PartialEq, Eq)]
pub struct Transmit {
    /// On whose leg.
    pub party: Party,
    /// From which of the leg's two sockets.
    pub channel: Channel,
    /// Where to.
    pub to: SocketAddr,
    /// Which bytes of the buffer.
    pub bytes: Range<usize>,
}

impl fmt::Debug for Transmit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {} {} bytes", self.channel, self.party.as_str(), self.bytes.len())
    }
}

/// One of a leg's two sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    /// Sound and telephone events.
    Rtp,
    /// Reports.
    Rtcp,
}

/// Why a received packet goes nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dropped {
    /// The leg has no peer yet.
    NoRemote,
    /// It came from another address than the peer's.
    Foreign,
    /// It is no RTP, or empty.
    Malformed,
    /// The leg is under SRTP, and this is not from who has the key.
    Unauthentic,
    /// The leg is under SRTP, and this packet has been before.
    Replayed,
    /// Its payload type was not agreed.
    UnknownFormat,
    /// A telephone event on a payload type that was not agreed.
    StrayEvent,
    /// It is a report that shares the port of the sound (RFC 5761 §4): it has been read.
    Report,
    /// The parties are not connected.
    NotConnected,
    /// It belongs to a key that is not for the other party.
    Withheld,
    /// The other party does not hear now, or did not agree on telephone events.
    NotHeard,
    /// It came too late for its place in the other leg's stream, or twice to one under SRTP.
    Late,
}

/// What a received packet carries.
pub(crate) enum Kind {
    Audio(Codec),
    Event,
    /// A telephone event on a payload type that was not agreed, from a peer whose events are taken so.
    StrayEvent,
    /// Comfort noise: the peer is silent and may send nothing.
    Noise,
    /// Something else: it arrived, and it goes nowhere.
    Unagreed(Dropped),
}

/// One side of a call.
pub(crate) struct Leg {
    pub(crate) party: Party,
    pub(crate) remote: Option<Remote>,
    pub(crate) stream: Stream,
    pub(crate) playout: Playout,
    /// Sound on its way to the peer in packets of another length than it came in.
    pub(crate) packing: Packing,
    /// What makes the peer's codec of the other leg's, when that takes more than a table.
    pub(crate) transcoder: Option<Box<Transcoder>>,
    pub(crate) timeline: Timeline,
    /// What the peer's timestamps are in ours, if its clock is another.
    clock: Option<Box<Clock>>,
    pub(crate) digits: Detector,
    /// Hears keys in the peer's sound; it is there only while it is needed.
    pub(crate) ear: Option<Box<Ear>>,
    /// The key that sounds is not for the other party.
    pub(crate) swallows: bool,
    /// The key that sounds, and from where on, if the other party is given it another way.
    pub(crate) sounding: Option<(Key, i64)>,
    /// Tones of keys that nobody listens to.
    pub(crate) overheard: Overheard,
    /// What the peer pressed lately, by whichever way.
    pub(crate) presses: Presses,
    /// The keys that the peer is still to be given.
    pub(crate) dialler: Dialler,
    /// When the key that is given began, on the stream's clock.
    pub(crate) dialled: u32,
    /// The peer is told of keys outside its sound if it has not agreed on telephone events.
    pub(crate) retells: bool,
    /// Telephone events of the peer are keys on payload types that were not agreed, too.
    pub(crate) takes_stray: bool,
    /// Which presses of the peer the other party does not get.
    pub(crate) kept: Kept,
    pub(crate) stats: LegStats,
    pub(crate) reception: Reception,
    pub(crate) reporter: Reporter,
    /// What the peer last told of our stream.
    pub(crate) told: Option<Block>,
    /// How many packets had been sent when the peer began to hear them.
    pub(crate) heard_from: u32,
    pub(crate) srtp: Option<Box<Contexts>>,
    pub(crate) latch: Option<Box<Latch>>,
}

/// Whether two addresses are the same host and port, however the socket writes an IPv4 address.
fn same_address(a: SocketAddr, b: SocketAddr) -> bool {
    a.port() == b.port() && a.ip().to_canonical() == b.ip().to_canonical()
}

impl Leg {
    pub(crate) fn new(now: Time, party: Party, start: &LegStart) -> Self {
        Self {
            party,
            remote: None,
            stream: Stream::new(now, start.ssrc, start.sequence, start.timestamp),
            playout: Playout::new(),
            packing: Packing::default(),
            transcoder: None,
            timeline: Timeline::default(),
            clock: None,
            digits: Detector::default(),
            ear: None,
            swallows: false,
            sounding: None,
            overheard: Overheard::default(),
            presses: Presses::default(),
            dialler: Dialler::default(),
            dialled: 0,
            retells: false,
            takes_stray: false,
            kept: Kept::Nothing,
            stats: LegStats::default(),
            reception: Reception::default(),
            reporter: Reporter::new(start.token, start.seed),
            told: None,
            heard_from: 0,
            srtp: None,
            latch: None,
        }
    }

    /// Follows the session description at once (row B-05). Where the peer really is, is learned anew; who
    /// states the same place is where it was until then.
    pub(crate) fn set_remote(&mut self, now: Time, mut remote: Remote) {
        let stated = remote.rtp;
        let learned = self.latch.take().filter(|latch| latch.stated() == stated).and(self.remote);
        if let Some(rule) = remote.latching {
            self.latch = Some(Box::new(Latch::new(now, rule, stated)));
            if let Some(known) = learned {
                remote.move_to(known.rtp);
            }
        }
        let (sent, received) =
            (remote.send.codec.clock_ratio(), remote.receive.codec.clock_ratio());
        self.clock = (received > 1).then(|| self.clock.take().unwrap_or_default());
        self.reception.counts_in(received);
        let begins = self.stream.tell_in(sent);
        if begins || self.remote.is_none_or(|known| known.rtp != remote.rtp) {
            // Somebody else hears us from here on, and counts from here.
            (self.told, self.heard_from) = (None, self.stream.numbers());
        }
        self.remote = Some(remote);
        self.packing.clear();
        self.reporter.start(now);
    }

    /// The peer, if it wants to hear and has an address to hear at (RFC 3264 §8.4: `0.0.0.0` is
    /// an old way to say hold).
    pub(crate) fn hearer(&self) -> Option<Remote> {
        self.remote.filter(|remote| remote.hears && !remote.rtp.ip().is_unspecified())
    }

    /// Reads a datagram from the RTP socket and counts it.
    pub(crate) fn accept(
        &mut self,
        now: Time,
        from: SocketAddr,
        bytes: &mut [u8],
    ) -> Result<(Packet, Kind), Dropped> {
        let remote = self.remote.ok_or(Dropped::NoRemote)?;
        let known = same_address(from, remote.rtp);
        if !known && !self.latch.as_ref().is_some_and(|latch| latch.may_learn(now, from)) {
            self.stats.foreign += 1;
            return Err(Dropped::Foreign);
        }
        let length = self.open(bytes, Contexts::open)?;
        let mut packet = match parse(bytes.get(..length).unwrap_or_default()) {
            Ok(packet) if !packet.payload.is_empty() => packet,
            Ok(_)
            | Err(Malformed::Short | Malformed::Version | Malformed::Padding | Malformed::Rtcp) => {
                self.stats.malformed += 1;
                return Err(Dropped::Malformed);
            }
        };
        self.learn(now, from, known, &packet)?;
        self.stats.received += 1;
        let is_noise = remote.noise.is_some_and(|(_, noise)| noise == packet.payload_type);
        let kind = if is_noise { Kind::Noise } else { self.classify(&remote.receive, &packet) };
        packet.timestamp = self.told_at(&packet, &kind);
        match kind {
            Kind::Event | Kind::StrayEvent => self.reception.counted(&packet),
            Kind::Audio(_) | Kind::Noise | Kind::Unagreed(_) => self.reception.heard(now, &packet),
        }
        Ok((packet, kind))
    }

    /// The timestamp of a packet in ticks of 8,000 Hz.
    fn told_at(&mut self, packet: &Packet, kind: &Kind) -> u32 {
        let Packet { ssrc, timestamp, .. } = *packet;
        match (&mut self.clock, kind) {
            (None, _) => timestamp,
            (Some(clock), Kind::Audio(_)) => clock.sound(ssrc, timestamp),
            (Some(clock), Kind::Event | Kind::StrayEvent | Kind::Noise | Kind::Unagreed(_)) => {
                clock.other(ssrc, timestamp)
            }
        }
    }

    fn classify(&mut self, format: &Format, packet: &Packet) -> Kind {
        let payload_type = packet.payload_type;
        if format.event_payload_type == Some(payload_type) {
            return Kind::Event;
        }
        if format.payload_type == payload_type {
            return Kind::Audio(format.codec);
        }
        // The other G.711 on its static payload type is understood, agreed or not, where its clock is the
        // same.
        let is_it = |codec: &Codec| {
            codec.usual_payload_type() == payload_type && format.codec != Codec::Opus
        };
        if let Some(codec) = [Codec::Pcma, Codec::Pcmu].into_iter().find(is_it) {
            return Kind::Audio(codec);
        }
        if packet.payload.len() == PAYLOAD_LEN {
            self.stats.stray_events += 1;
            // Static payload types have a meaning, which is never this one (RFC 3551 §6).
            let is_free = DYNAMIC.contains(&payload_type) && self.takes_stray;
            return if is_free { Kind::StrayEvent } else { Kind::Unagreed(Dropped::StrayEvent) };
        }
        self.stats.unknown_format += 1;
        Kind::Unagreed(Dropped::UnknownFormat)
    }

    /// Whether a datagram from the RTP socket is for [`Leg::accept_report`].
    pub(crate) fn is_report(&self, bytes: &[u8]) -> bool {
        self.remote.is_some_and(|remote| remote.is_muxed()) && rtp::is_report(bytes)
    }

    /// When the leg has something to send.
    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        let more = [self.reporter.due(), self.dialler.due(), self.packing.due()];
        self.playout.due().into_iter().chain(more.into_iter().flatten()).min()
    }

    /// Writes the packet that is due, if one is, and says which prompt ended with it.
    pub(crate) fn poll_transmit(
        &mut self,
        now: Time,
        tones: &Tones,
        scratch: &mut [u8],
    ) -> (Option<Transmit>, Option<PromptEnd>) {
        if let Some(transmit) = self.dial(now, tones, scratch) {
            return (Some(transmit), None);
        }
        let packed = self.poll_packed(now, scratch);
        if packed.is_some() {
            return (packed, None);
        }
        // A prompt waits for the end of a key.
        let hearer = self.hearer().filter(|_| !self.dialler.is_pressing());
        let lasts = hearer.map_or(Duration::from_millis(PACKET_MS.into()), |r| r.packet_time());
        if let Some(at) = self.playout.is_due(now, hearer.is_some(), lasts)
            && let Some(remote) = hearer
            && let Some((head, rest)) = scratch.split_first_chunk_mut::<HEADER_LEN>()
            && let Some(frame) = rest.get_mut(..remote.packet_ticks())
        {
            let Format { codec, payload_type, .. } = remote.send;
            let ticks = frame.len() as u32;
            let (length, end) = self.playout.frame(tones, codec, frame);
            *head = self.stream.own(at, payload_type, ticks).encode();
            return (self.transmit(&remote, length, 0..HEADER_LEN + length, scratch), end);
        }
        if self.reporter.due().is_some_and(|due| due <= now) {
            return (self.report(now, false, scratch), None);
        }
        (None, None)
    }
}
