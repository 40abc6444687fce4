//! Offer and answer for one audio line (RFC 3264): what we say, in which line and in which version.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::agreement::{
    Choice, Codec, Local, Negotiated, Refusal, Secured, choose, codec_of, event_of, has_mux,
    noise_of, opus_of, payloads, reachable, their_direction,
};
use crate::crypto::{Keyring, MasterKey, Profile, Srtp, Suite, answered, has_lines, line};
use crate::sdp::{Description, Direction, Media};

/// The payload type and the name of comfort noise (RFC 3389 §4).
const NOISE: u8 = 13;
const NOISE_NAME: &str = "CN/8000";

/// One media line of the session so far: its place never changes (RFC 3264 §8).
#[derive(Clone, PartialEq, Eq)]
enum Slot {
    /// Ours.
    Audio,
    /// Refused, with what its `m=` line says besides the port.
    Closed { kind: Vec<u8>, protocol: Vec<u8>, format: Vec<u8> },
}

/// Our half of a dialog's session: identity and version of `o=`, and the place of every media line.
#[derive(Clone)]
pub struct Own {
    id: u64,
    version: u64,
    slots: Vec<Slot>,
    /// The payload types of the session, kept in later offers (RFC 3264 §8.3.2).
    payloads: [(Codec, u8); 4],
    /// Those of telephone events by their clock in hertz.
    events: [(u32, u8); 2],
    noise: u8,
    /// The last description without its version.
    last: Option<Box<[u8]>>,
    /// Where our keys for SRTP come from.
    keys: Option<Keyring>,
    /// The keys of our last offer; their tags count from 1.
    offered: Vec<MasterKey>,
    /// What was agreed on last.
    stands: Option<Stands>,
}

/// How sound is carried in the session as it stands: later offers of ours leave that as it is.
#[derive(Clone, Copy)]
struct Stands {
    profile: Profile,
    suite: Option<Suite>,
    remote: Option<SocketAddr>,
}

/// A format of our audio line.
struct Form {
    payload: u8,
    /// Its `rtpmap`.
    encoding: String,
    /// Its `fmtp`.
    detail: Option<String>,
}

impl Form {
    fn codec(payload: u8, codec: Codec, local: &Local) -> Form {
        let detail = (codec == Codec::Opus && !local.opus.is_empty()).then(|| local.opus.clone());
        Form { payload, encoding: codec.encoding(), detail }
    }

    fn noise(payload: u8) -> Form {
        Form { payload, encoding: NOISE_NAME.to_owned(), detail: None }
    }

    /// The sixteen keys and flash are understood (RFC 4733 §7.1.1).
    fn events((hz, payload): (u32, u8)) -> Form {
        let encoding = format!("telephone-event/{hz}");
        Form { payload, encoding, detail: Some("0-16".to_owned()) }
    }
}

/// How our audio line carries sound.
struct Carried<'a> {
    profile: Profile,
    /// Our keys with their tags.
    keys: &'a [(u32, MasterKey)],
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Own(version {}, {} media lines)", self.version, self.slots.len())
    }
}

impl Own {
    /// A session of ours; `id` is a number that no other session of this node has.
    pub fn new(id: u64) -> Own {
        let codecs = [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus];
        let payloads = codecs.map(|codec| (codec, codec.payload()));
        Own {
            id,
            version: 0,
            slots: vec![Slot::Audio],
            payloads,
            events: [(8_000, 101), (48_000, 110)],
            noise: NOISE,
            last: None,
            keys: None,
            offered: Vec::new(),
            stands: None,
        }
    }

    /// The same with keys for SRTP.
    #[must_use]
    pub fn with_keys(self, keys: Keyring) -> Own {
        Own { keys: Some(keys), ..self }
    }

    /// The next offer may reach another place than the last, and has fresh keys (RFC 4568 §7.1.4).
    pub fn renew_keys(&mut self) {
        if let Some(keys) = &mut self.keys {
            keys.renew();
        }
    }

    /// The next offer goes to somebody else, with whom nothing stands yet.
    pub fn begin_anew(&mut self) {
        self.renew_keys();
        self.stands = None;
    }

    /// An offer: every codec of ours (row B-03), in the lines that the session has.
    pub fn offer(&mut self, local: &Local) -> Vec<u8> {
        let codecs = local.codecs.iter();
        let noise = local.noise.then(|| Form::noise(self.noise));
        // Each clock has events of its own (row D-10); those of 8,000 Hz everybody knows.
        let known =
            |hz: u32| hz == 8_000 || local.codecs.iter().any(|codec| codec.clock_hz() == hz);
        let events = self.events.iter().filter(|(hz, _)| local.events && known(*hz));
        let formats: Vec<Form> = codecs
            .map(|codec| Form::codec(self.payload_of(*codec), *codec, local))
            .chain(noise)
            .chain(events.map(|event| Form::events(*event)))
            .collect();
        let (profile, keys) = self.carries(local.srtp);
        self.offered = keys.iter().map(|(_, key)| key.clone()).collect();
        let carried = Carried { profile, keys: &keys };
        self.write(local, &formats, (local.direction, local.rtcp_mux), &carried, b"0 0")
    }

    /// How our next offer carries sound: as it stands, the suite in use first.
    fn carries(&self, srtp: Srtp) -> (Profile, Vec<(u32, MasterKey)>) {
        let Some(keys) = self.keys.as_ref().filter(|_| srtp != Srtp::Off) else {
            return (Profile::Avp, Vec::new());
        };
        let first = match self.stands {
            Some(Stands { suite: None, .. }) if srtp != Srtp::Require => {
                return (Profile::Avp, Vec::new());
            }
            Some(Stands { suite, .. }) => suite,
            None => None,
        };
        let profile = match (self.stands, srtp) {
            (_, Srtp::Require) => Profile::Savp,
            (Some(stands), _) => stands.profile,
            (None, _) => Profile::Avp,
        };
        let mut suites = Suite::ALL;
        suites.sort_by_key(|suite| Some(*suite) != first);
        (profile, (1..).zip(suites.map(|suite| keys.key(suite))).collect())
    }

    /// The answer to an offer: one codec, the offer's payload types (row A-02), every other line
    /// refused in its place (row B-26).
    ///
    /// # Errors
    /// [`Refusal`] with the status and the warning to send; nothing of this session has changed then.
    pub fn answer(
        &mut self,
        offer: &Description,
        local: &Local,
    ) -> Result<(Vec<u8>, Negotiated), Refusal> {
        let wanted = Local { srtp: self.able(local.srtp), ..local.clone() };
        let Choice { place, payload, codec, secured } = choose(offer, &wanted)?;
        let audio = offer.media.get(place).ok_or(Refusal::NoAudio)?;
        let theirs = their_direction(offer, audio)?;
        let direction = theirs.reversed().and(local.direction);
        let event = event_of(audio, codec).filter(|_| local.events);
        let rtcp_mux = local.rtcp_mux && has_mux(audio);
        let noise = noise_of(audio).filter(|_| local.noise && codec != Codec::Opus);
        let mut agreed = Negotiated {
            codec,
            send_payload: payload,
            receive_payload: payload,
            send_event: event.map(|(payload, _)| payload),
            receive_event: event.map(|(payload, _)| payload),
            event_hz: event.map_or(codec.clock_hz(), |(_, hz)| hz),
            opus: opus_of(audio, payload, codec),
            noise: noise.map(|noise| (noise, noise)),
            direction,
            stated: theirs,
            rtcp_mux,
            ..reachable(offer, audio, codec, rtcp_mux)?
        };
        let stands = Stands {
            profile: Profile::of(audio).ok_or(Refusal::Transport)?,
            suite: secured.as_ref().map(|line| line.key.suite()),
            remote: agreed.remote_rtp,
        };
        if self.is_elsewhere(&stands) {
            self.renew_keys();
        }
        self.stands = Some(stands);
        let own = secured.and_then(|theirs| {
            let send = self.keys.as_ref()?.key(theirs.key.suite());
            agreed.secured = Some(Secured { send: send.clone(), receive: theirs.key });
            Some((theirs.tag, send))
        });
        self.slots = offer
            .media
            .iter()
            .enumerate()
            .map(|(at, media)| if at == place { Slot::Audio } else { closed(media) })
            .collect();
        self.keep_payloads(&agreed);
        let named = event.map(|(payload, hz)| Form::events((hz, payload)));
        let formats: Vec<Form> = [Form::codec(payload, codec, local)]
            .into_iter()
            .chain(noise.map(Form::noise))
            .chain(named)
            .collect();
        let carried = Carried { profile: stands.profile, keys: own.as_slice() };
        let time = time_of(offer);
        let octets = self.write(local, &formats, (direction, rtcp_mux), &carried, time);
        Ok((octets, agreed))
    }

    /// The payload types of an answer are those of the session from now on.
    fn keep_payloads(&mut self, agreed: &Negotiated) {
        let codecs = self.payloads.iter_mut().filter(|known| known.0 == agreed.codec);
        codecs.for_each(|known| known.1 = agreed.receive_payload);
        if let Some(payload) = agreed.receive_event {
            let events = self.events.iter_mut().filter(|known| known.0 == agreed.event_hz);
            events.for_each(|known| known.1 = payload);
        }
        self.noise = agreed.noise.map_or(self.noise, |(_, payload)| payload);
    }

    /// Without keys there is no SRTP.
    fn able(&self, srtp: Srtp) -> Srtp {
        if self.keys.is_some() { srtp } else { Srtp::Off }
    }

    /// Whether an agreement is with another place than the last, or in another suite: whoever is there
    /// need not know how far our key has counted, and one key does not serve twice (RFC 4568 §7.1.4).
    fn is_elsewhere(&self, new: &Stands) -> bool {
        self.stands.is_some_and(|old| {
            let moved = old.remote.zip(new.remote).is_some_and(|(old, new)| old != new);
            (moved && old.suite.is_some()) || old.suite != new.suite
        })
    }

    /// Reads the answer to our last offer, which was made from `local`.
    ///
    /// # Errors
    /// [`Refusal`] when there is nothing to talk in.
    pub fn read_answer(&mut self, local: &Local, octets: &[u8]) -> Result<Negotiated, Refusal> {
        let answer = Description::parse(octets).map_err(Refusal::Malformed)?;
        let place =
            self.slots.iter().position(|slot| *slot == Slot::Audio).ok_or(Refusal::Rejected)?;
        let audio = answer.media.get(place).filter(|media| media.is_audio() && media.port > 0);
        let audio = audio.ok_or(Refusal::Rejected)?;
        let secured = self.secured_by(local.srtp, audio)?;
        let (payload, codec) = payloads(audio)
            .find_map(|payload| {
                codec_of(audio, payload, &local.codecs).map(|codec| (payload, codec))
            })
            .ok_or(Refusal::NoCodec)?;
        let event = event_of(audio, codec).filter(|_| local.events);
        let rtcp_mux = local.rtcp_mux && has_mux(audio);
        let stated = their_direction(&answer, audio)?;
        let agreed = Negotiated {
            codec,
            send_payload: payload,
            receive_payload: self.payload_of(codec),
            send_event: event.map(|(payload, _)| payload),
            receive_event: event.map(|(_, hz)| self.event_of(hz)),
            event_hz: event.map_or(codec.clock_hz(), |(_, hz)| hz),
            opus: opus_of(audio, payload, codec),
            noise: noise_of(audio)
                .filter(|_| local.noise && codec != Codec::Opus)
                .map(|noise| (noise, self.noise)),
            direction: stated.reversed().and(local.direction),
            stated,
            rtcp_mux,
            secured,
            ..reachable(&answer, audio, codec, rtcp_mux)?
        };
        self.stands = Some(Stands {
            profile: Profile::of(audio).ok_or(Refusal::Transport)?,
            suite: agreed.secured.as_ref().map(|secured| secured.send.suite()),
            remote: agreed.remote_rtp,
        });
        Ok(agreed)
    }

    /// The keys that an answer to our offer leads to. One line answers, with a tag and the suite of ours
    /// that it stands for (RFC 4568 §5.1.3).
    fn secured_by(&self, srtp: Srtp, audio: &Media) -> Result<Option<Secured>, Refusal> {
        let profile = Profile::of(audio).ok_or(Refusal::Transport)?;
        if self.offered.is_empty() {
            return if profile == Profile::Avp { Ok(None) } else { Err(Refusal::Transport) };
        }
        if !has_lines(audio) {
            let plain = profile == Profile::Avp && srtp != Srtp::Require;
            return if plain { Ok(None) } else { Err(Refusal::Unsecured) };
        }
        let theirs = answered(audio).ok_or(Refusal::Keys)?;
        let place = usize::try_from(theirs.tag).ok().and_then(|tag| tag.checked_sub(1));
        let ours = place.and_then(|place| self.offered.get(place)).ok_or(Refusal::Keys)?;
        if ours.suite() != theirs.key.suite() {
            return Err(Refusal::Keys);
        }
        Ok(Some(Secured { send: ours.clone(), receive: theirs.key }))
    }

    fn payload_of(&self, codec: Codec) -> u8 {
        let entry = self.payloads.iter().find(|(other, _)| *other == codec);
        entry.map_or(codec.payload(), |(_, payload)| *payload)
    }

    fn event_of(&self, clock_hz: u32) -> u8 {
        let [(_, plain), _] = self.events;
        let entry = self.events.iter().find(|(hz, _)| *hz == clock_hz);
        entry.map_or(plain, |(_, payload)| *payload)
    }

    /// Writes a description; the version grows only when something else has changed (row A-02).
    fn write(
        &mut self,
        local: &Local,
        formats: &[Form],
        way: (Direction, bool),
        carried: &Carried<'_>,
        time: &[u8],
    ) -> Vec<u8> {
        let mut rest = format!("s=-\r\nc=IN {}\r\nt=", family(local.rtp.ip())).into_bytes();
        rest.extend_from_slice(time);
        rest.extend_from_slice(b"\r\n");
        for slot in &self.slots {
            match slot {
                Slot::Audio => audio_lines(&mut rest, local, formats, way, carried),
                Slot::Closed { kind, protocol, format } => {
                    rest.extend_from_slice(
                        &[b"m=", &kind[..], b" 0 ", protocol, b" ", format, b"\r\n"].concat(),
                    );
                }
            }
        }
        if self.last.as_deref() != Some(&rest) {
            self.version += 1;
            self.last = Some(rest.as_slice().into());
        }
        let head =
            format!("v=0\r\no=- {} {} IN {}\r\n", self.id, self.version, family(local.rtp.ip()));
        [head.as_bytes(), &rest].concat()
    }
}

/// The time of an answer: it repeats the offer's `t=` line (RFC 3264 §6).
fn time_of(offer: &Description) -> &[u8] {
    let plain = |time: &&[u8]| {
        time.iter().all(|octet| octet.is_ascii_digit() || *octet == b' ') && time.len() < 64
    };
    offer.session.lines(b't').next().filter(plain).unwrap_or(b"0 0")
}

fn family(address: IpAddr) -> String {
    format!("{} {address}", if address.is_ipv4() { "IP4" } else { "IP6" })
}

fn audio_lines(
    out: &mut Vec<u8>,
    local: &Local,
    formats: &[Form],
    (direction, mux): (Direction, bool),
    carried: &Carried<'_>,
) {
    let mut text = format!("m=audio {} {}", local.rtp.port(), carried.profile.name());
    for form in formats {
        text.push_str(&format!(" {}", form.payload));
    }
    text.push_str("\r\n");
    for Form { payload, encoding, detail } in formats {
        text.push_str(&format!("a=rtpmap:{payload} {encoding}\r\n"));
        if let Some(detail) = detail {
            text.push_str(&format!("a=fmtp:{payload} {detail}\r\n"));
        }
    }
    text.push_str(&format!("a=ptime:{}\r\na={}\r\n", local.ptime_ms, direction.name()));
    if mux {
        text.push_str("a=rtcp-mux\r\n");
    }
    out.extend_from_slice(text.as_bytes());
    for (tag, key) in carried.keys {
        out.extend_from_slice(line(*tag, key).as_bytes());
    }
}

fn closed(media: &Media) -> Slot {
    Slot::Closed {
        kind: media.kind.clone(),
        protocol: media.protocol.clone(),
        format: media.formats.first().cloned().unwrap_or_else(|| b"0".to_vec()),
    }
}
