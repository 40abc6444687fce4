//! What two descriptions can agree on: codecs, payload types, addresses, directions (RFC 3264 §6).

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::crypto::{Line, MasterKey, Profile, Srtp, has_lines, usable};
use crate::sdp::{Description, Direction, Media, SdpError, address, number};

/// An audio codec that we speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// G.711 µ-law, payload type 0.
    Pcmu,
    /// G.711 A-law, payload type 8.
    Pcma,
    /// G.722 at 64 kbit/s, payload type 9; its clock is said to be 8,000 Hz (RFC 3551 §4.5.2).
    G722,
    /// Opus, of a payload type that each description names (RFC 7587).
    Opus,
}

impl Codec {
    /// The static payload type of RFC 3551, or the one that our offers name.
    pub fn payload(self) -> u8 {
        match self {
            Codec::Pcmu => 0,
            Codec::Pcma => 8,
            Codec::G722 => 9,
            Codec::Opus => 111,
        }
    }

    /// The encoding name.
    pub fn name(self) -> &'static str {
        match self {
            Codec::Pcmu => "PCMU",
            Codec::Pcma => "PCMA",
            Codec::G722 => "G722",
            Codec::Opus => "opus",
        }
    }

    /// The clock of its timestamps in hertz.
    pub fn clock_hz(self) -> u32 {
        match self {
            Codec::Pcmu | Codec::Pcma | Codec::G722 => 8_000,
            Codec::Opus => 48_000,
        }
    }

    /// What an `rtpmap` calls it (RFC 7587 §7: two channels, whatever is sent).
    pub(crate) fn encoding(self) -> String {
        let channels = if self == Codec::Opus { "/2" } else { "" };
        format!("{}/{}{channels}", self.name(), self.clock_hz())
    }
}

/// Telephone events as `rtpmap` names them, in small letters (RFC 4733 §7.1.1).
const EVENTS: &[u8] = b"telephone-event";
/// Lost packets of Opus may be made good by those behind them.
const OPUS: &str = "useinbandfec=1";
/// An `fmtp` longer than this is none.
const FMTP: usize = 255;

/// Our side of the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Local {
    /// Where we receive RTP; RTCP is the port above unless multiplexed.
    pub rtp: SocketAddr,
    /// The codecs we take, best first.
    pub codecs: Vec<Codec>,
    /// Do we take telephone events, in the clock of the codec (row D-10)?
    pub events: bool,
    /// What Opus is to be like that is sent to us: an `fmtp` (RFC 7587 §6.1).
    pub opus: String,
    /// Take comfort noise (RFC 3389) when it is offered, and offer it.
    pub noise: bool,
    /// What we want to do; hold is [`Direction::SendOnly`] or [`Direction::Inactive`].
    pub direction: Direction,
    /// Milliseconds per packet that we like to receive.
    pub ptime_ms: u16,
    /// Take `rtcp-mux` when it is offered, and offer it.
    pub rtcp_mux: bool,
    /// Whether sound and reports are SRTP; without keys of our own they never are.
    pub srtp: Srtp,
}

impl Local {
    /// A-law before µ-law with events, both ways, 20 ms, RTCP on a port of its own.
    pub fn new(rtp: SocketAddr) -> Local {
        Local {
            rtp,
            codecs: vec![Codec::Pcma, Codec::Pcmu],
            events: true,
            opus: OPUS.to_owned(),
            noise: false,
            direction: Direction::SendRecv,
            ptime_ms: 20,
            rtcp_mux: false,
            srtp: Srtp::Off,
        }
    }
}

/// The keys of both directions of a session under SRTP; their suite is the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secured {
    /// Ours: what we send is under it.
    pub send: MasterKey,
    /// Theirs: what we receive is under it.
    pub receive: MasterKey,
}

/// What an offer and its answer agree on, seen from us.
#[derive(Clone, PartialEq, Eq)]
pub struct Negotiated {
    /// The codec of both directions.
    pub codec: Codec,
    /// Payload type that we send: the one the other side declared (row D-09).
    pub send_payload: u8,
    /// Payload type that we receive: the one we declared.
    pub receive_payload: u8,
    /// Payload type of events that we send; `None` when the other side takes none.
    pub send_event: Option<u8>,
    /// Payload type of events that we receive.
    pub receive_event: Option<u8>,
    /// The clock of events in hertz: that of the codec, but for peers of Opus who know events of 8,000 Hz
    /// only.
    pub event_hz: u32,
    /// What Opus is to be like that is sent to the other side: its `fmtp`.
    pub opus: Option<String>,
    /// The other side names another codec of ours, whose clock is 8,000 Hz.
    pub plain: bool,
    /// Payload types of comfort noise that we send and that we receive; `None` when a side takes none.
    pub noise: Option<(u8, u8)>,
    /// Where to send RTP; `None` while the other side says 0.0.0.0 (hold of RFC 2543).
    pub remote_rtp: Option<SocketAddr>,
    /// Where to send RTCP.
    pub remote_rtcp: Option<SocketAddr>,
    /// May we send, will we receive?
    pub direction: Direction,
    /// What the other side says that it does, whatever we want; an address that nobody has counts as
    /// [`Direction::SendOnly`].
    pub stated: Direction,
    /// Milliseconds per packet that we send.
    pub ptime_ms: u16,
    /// RTP and RTCP share a port.
    pub rtcp_mux: bool,
    /// The keys, when it is SRTP.
    pub secured: Option<Secured>,
}

impl Negotiated {
    /// Does the other side hold the call: will it not hear what we send (row B-01)? Its answer to an
    /// offer of ours that sends nothing cannot say so.
    pub fn is_held(&self) -> bool {
        !self.stated.receives()
    }
}

impl fmt::Debug for Negotiated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Negotiated({:?} {}/{}, events {:?}/{:?}, {:?}, {} ms, {})",
            self.codec,
            self.send_payload,
            self.receive_payload,
            self.send_event,
            self.receive_event,
            self.direction,
            self.ptime_ms,
            self.secured.as_ref().map_or("plain", |secured| secured.send.suite().name())
        )
    }
}

/// Why a description leads to no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It cannot be read.
    Malformed(SdpError),
    /// No audio line is open.
    NoAudio,
    /// Audio, but none in a transport that we speak (`RTP/AVP`, and `RTP/SAVP` where it is wanted).
    Transport,
    /// SRTP without a key that we can use: a suite that we do not have, or a faulty line.
    Keys,
    /// Plain sound where SRTP is required.
    Unsecured,
    /// Audio, but no codec in common (row A-22).
    NoCodec,
    /// No numeric address to send to.
    Address,
    /// The answer refuses our audio line or does not fit the offer.
    Rejected,
}

impl Refusal {
    /// The status code for an offer with this fault.
    pub fn status(self) -> u16 {
        match self {
            Refusal::Malformed(_) => 400,
            Refusal::NoAudio
            | Refusal::Transport
            | Refusal::Keys
            | Refusal::Unsecured
            | Refusal::NoCodec
            | Refusal::Address
            | Refusal::Rejected => 488,
        }
    }

    /// Code and text of the Warning header (RFC 3261 §20.43, row A-22).
    pub fn warning(self) -> (u16, &'static str) {
        match self {
            Refusal::Malformed(_) => (399, "Session description cannot be read"),
            Refusal::NoAudio => (304, "Media type not available"),
            Refusal::Transport => (302, "Incompatible transport protocol"),
            Refusal::Keys => (399, "No usable crypto attribute"),
            Refusal::Unsecured => (399, "SRTP is required"),
            Refusal::NoCodec | Refusal::Rejected => (305, "Incompatible media format"),
            Refusal::Address => (301, "Incompatible network address formats"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Malformed(error) => error.fmt(f),
            Refusal::NoAudio => f.write_str("no audio line is offered; offer one with a port"),
            Refusal::Transport => {
                f.write_str("audio is offered in no known transport; offer RTP/AVP")
            }
            Refusal::Keys => f.write_str(
                "SRTP without a key that can be used; write one a=crypto line of a known suite, \
                 such as AES_CM_128_HMAC_SHA1_80",
            ),
            Refusal::Unsecured => f.write_str(
                "plain sound where SRTP is required; write RTP/SAVP and an a=crypto line",
            ),
            Refusal::NoCodec => f.write_str(
                "no codec in common; offer PCMA, PCMU or G722, or Opus with telephone events",
            ),
            Refusal::Address => {
                f.write_str("audio has no numeric address; write a c= line with one")
            }
            Refusal::Rejected => f.write_str("the answer takes none of what was offered"),
        }
    }
}

impl std::error::Error for Refusal {}

/// What to answer an offer with.
pub(crate) struct Choice {
    /// The place of the audio line.
    pub(crate) place: usize,
    pub(crate) payload: u8,
    pub(crate) codec: Codec,
    /// Their key, when it is SRTP.
    pub(crate) secured: Option<Line>,
}

/// The line, the payload type and the codec to answer with: SRTP before plain sound, then our order of
/// preference, then theirs.
pub(crate) fn choose(offer: &Description, local: &Local) -> Result<Choice, Refusal> {
    let open = |media: &&Media| media.is_audio() && media.port > 0;
    if !offer.media.iter().any(|media| open(&media)) {
        return Err(Refusal::NoAudio);
    }
    let all = offer.media.iter().enumerate().filter(|(_, media)| open(media));
    let (mut fits, mut refusals) = (Vec::new(), Vec::new());
    for (place, media) in all {
        match secured_by(local.srtp, media) {
            Ok(secured) => fits.push((place, media, secured)),
            Err(refusal) => refusals.push(refusal),
        }
    }
    if fits.is_empty() {
        let told = refusals.into_iter().find(|refusal| *refusal != Refusal::Transport);
        return Err(told.unwrap_or(Refusal::Transport));
    }
    fits.sort_by_key(|(_, _, secured)| secured.is_none());
    let find = |(place, media, secured): (usize, &Media, Option<Line>)| {
        local.codecs.iter().find_map(|codec| {
            // Keys are heard in the sound of any other codec (row D-11).
            let keys = *codec != Codec::Opus || !local.events || event_of(media, *codec).is_some();
            let payload = payloads(media)
                .find(|payload| codec_of(media, *payload, &[*codec]).is_some())
                .filter(|_| keys)?;
            Some(Choice { place, payload, codec: *codec, secured: secured.clone() })
        })
    };
    fits.into_iter().find_map(find).ok_or(Refusal::NoCodec)
}

/// Their key for an offered line, `None` for plain sound. They name their suites in their order of
/// preference (RFC 4568 §5.1.1), and we have all that there are.
fn secured_by(srtp: Srtp, media: &Media) -> Result<Option<Line>, Refusal> {
    let profile = Profile::of(media).ok_or(Refusal::Transport)?;
    match (srtp, profile) {
        (Srtp::Off, Profile::Avp) => Ok(None),
        (Srtp::Off, Profile::Savp) => Err(Refusal::Transport),
        // RFC 8643 §3.2: keys that cannot be used leave the line plain.
        (Srtp::Offer, Profile::Avp) => Ok(usable(media).into_iter().next()),
        (Srtp::Offer | Srtp::Require, Profile::Savp) => {
            usable(media).into_iter().next().map(Some).ok_or(Refusal::Keys)
        }
        (Srtp::Require, Profile::Avp) => {
            let refusal = if has_lines(media) { Refusal::Keys } else { Refusal::Unsecured };
            usable(media).into_iter().next().map(Some).ok_or(refusal)
        }
    }
}

/// The payload types of a line in order.
pub(crate) fn payloads(media: &Media) -> impl Iterator<Item = u8> {
    let read =
        |format: &Vec<u8>| number(format).and_then(|n| u8::try_from(n).ok()).filter(|n| *n < 128);
    media.formats.iter().filter_map(read)
}

pub(crate) fn codec_of(media: &Media, payload: u8, codecs: &[Codec]) -> Option<Codec> {
    let (name, rate) = media.encoding(payload)?;
    let same = |codec: &&Codec| {
        rate == codec.clock_hz() && name.eq_ignore_ascii_case(codec.name().as_bytes())
    };
    codecs.iter().find(same).copied()
}

/// The payload type of telephone events and their clock: that of the codec (row D-10, RFC 4733 §2.1).
/// Some who speak Opus know events of 8,000 Hz only, and say so.
pub(crate) fn event_of(media: &Media, codec: Codec) -> Option<(u8, u32)> {
    let find = |hz: u32| {
        let is_it = |payload: &u8| media.encoding(*payload) == Some((EVENTS.to_vec(), hz));
        payloads(media).find(is_it).map(|payload| (payload, hz))
    };
    find(codec.clock_hz()).or_else(|| find(8_000))
}

/// What the other side says that Opus is to be like.
pub(crate) fn opus_of(media: &Media, payload: u8, codec: Codec) -> Option<String> {
    let stated = media.section.attributes("fmtp").find_map(|value| {
        let end = value.iter().position(u8::is_ascii_whitespace)?;
        let (own, rest) = value.split_at_checked(end)?;
        (number(own)? == u32::from(payload)).then(|| rest.trim_ascii())
    })?;
    let text = std::str::from_utf8(stated).ok()?;
    let plain = text.len() <= FMTP && text.bytes().all(|octet| (b' '..=b'~').contains(&octet));
    (codec == Codec::Opus && plain).then(|| text.to_owned())
}

/// Whether a line names a codec of ours whose clock is 8,000 Hz.
pub(crate) fn has_plain(media: &Media) -> bool {
    const PLAIN: [Codec; 3] = [Codec::Pcmu, Codec::Pcma, Codec::G722];
    payloads(media).any(|payload| codec_of(media, payload, &PLAIN).is_some())
}

/// The payload type of comfort noise.
pub(crate) fn noise_of(media: &Media) -> Option<u8> {
    payloads(media).find(|payload| media.encoding(*payload) == Some((b"cn".to_vec(), 8000)))
}

pub(crate) fn has_mux(media: &Media) -> bool {
    media.section.attributes("rtcp-mux").next().is_some()
}

/// The address of an audio line: its own `c=` or the session's.
fn connection(description: &Description, media: &Media) -> Result<IpAddr, Refusal> {
    let stated = media.section.connection().or(description.session.connection());
    stated.flatten().ok_or(Refusal::Address)
}

/// The direction of an audio line, the address 0.0.0.0 counted as hold (RFC 3264 §8.4, row B-01).
pub(crate) fn their_direction(
    description: &Description,
    media: &Media,
) -> Result<Direction, Refusal> {
    let stated = media.section.direction().or(description.session.direction());
    let stated = stated.unwrap_or(Direction::SendRecv);
    let held = connection(description, media)?.is_unspecified();
    Ok(if held { stated.and(Direction::SendOnly) } else { stated })
}

/// Addresses and packet time of the other side; the caller fills in what was agreed.
pub(crate) fn reachable(
    description: &Description,
    media: &Media,
    codec: Codec,
    rtcp_mux: bool,
) -> Result<Negotiated, Refusal> {
    let ip = connection(description, media)?;
    let remote_rtp = (!ip.is_unspecified()).then_some(SocketAddr::new(ip, media.port));
    Ok(Negotiated {
        codec,
        send_payload: codec.payload(),
        receive_payload: codec.payload(),
        send_event: None,
        receive_event: None,
        event_hz: codec.clock_hz(),
        opus: None,
        plain: has_plain(media),
        noise: None,
        remote_rtp,
        remote_rtcp: remote_rtp
            .and_then(|rtp| if rtcp_mux { Some(rtp) } else { rtcp_of(media, rtp) }),
        direction: Direction::SendRecv,
        stated: Direction::SendRecv,
        ptime_ms: ptime(media),
        rtcp_mux,
        secured: None,
    })
}

/// `a=rtcp:port [IN IP4 address]` (RFC 3605), else the port above.
fn rtcp_of(media: &Media, rtp: SocketAddr) -> Option<SocketAddr> {
    let stated = media.section.attributes("rtcp").find_map(|value| {
        let end = value.iter().position(u8::is_ascii_whitespace).unwrap_or(value.len());
        let port = u16::try_from(number(value.get(..end)?)?).ok().filter(|port| *port > 0)?;
        let ip = address(value.get(end..)?).unwrap_or(rtp.ip());
        Some(SocketAddr::new(ip, port))
    });
    stated.or_else(|| rtp.port().checked_add(1).map(|port| SocketAddr::new(rtp.ip(), port)))
}

/// The packet time the other side asks for, as far as its `maxptime` allows; 20 ms unless it is 10 to
/// 60 in tens (row B-30).
fn ptime(media: &Media) -> u16 {
    let read = |name: &str| {
        media.section.attributes(name).find_map(number).and_then(|ms| u16::try_from(ms).ok())
    };
    let most = read("maxptime").unwrap_or(u16::MAX);
    let wanted = read("ptime").filter(|ms| (10..=60).contains(ms) && ms % 10 == 0).unwrap_or(20);
    if most >= 10 && wanted > most { most - most % 10 } else { wanted }
}
