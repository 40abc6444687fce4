//! Offer and answer for one audio line (RFC 3264): what we say, in which line and in which version.

use std::fmt;
use std::net::IpAddr;

use crate::agreement::{
    Codec, Local, Negotiated, Refusal, choose, codec_of, event_of, has_mux, is_plain_rtp, noise_of,
    payloads, reachable, their_direction,
};
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
    payloads: [(Codec, u8); 3],
    event: u8,
    noise: u8,
    /// The last description without its version.
    last: Option<Vec<u8>>,
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Own(version {}, {} media lines)", self.version, self.slots.len())
    }
}

impl Own {
    /// A session of ours; `id` is a number that no other session of this node has.
    pub fn new(id: u64) -> Own {
        let payloads =
            [Codec::Pcmu, Codec::Pcma, Codec::G722].map(|codec| (codec, codec.payload()));
        Own {
            id,
            version: 0,
            slots: vec![Slot::Audio],
            payloads,
            event: 101,
            noise: NOISE,
            last: None,
        }
    }

    /// An offer: every codec of ours (row B-03), in the lines that the session has.
    pub fn offer(&mut self, local: &Local) -> Vec<u8> {
        let noise = local.noise.then(|| (self.noise, NOISE_NAME.to_owned()));
        let codecs = local.codecs.iter();
        let named = |codec: &Codec| (self.payload_of(*codec), format!("{}/8000", codec.name()));
        let formats: Vec<(u8, String)> = codecs.map(named).chain(noise).collect();
        let event = local.events.then_some(self.event);
        self.write(local, &formats, event, local.direction, local.rtcp_mux, b"0 0")
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
        let (place, payload, codec) = choose(offer, &local.codecs)?;
        let audio = offer.media.get(place).ok_or(Refusal::NoAudio)?;
        let theirs = their_direction(offer, audio)?;
        let direction = theirs.reversed().and(local.direction);
        let event = event_of(audio).filter(|_| local.events);
        let rtcp_mux = local.rtcp_mux && has_mux(audio);
        let noise = noise_of(audio).filter(|_| local.noise);
        let agreed = Negotiated {
            codec,
            send_payload: payload,
            receive_payload: payload,
            send_event: event,
            receive_event: event,
            noise: noise.map(|noise| (noise, noise)),
            direction,
            stated: theirs,
            rtcp_mux,
            ..reachable(offer, audio, codec, rtcp_mux)?
        };
        self.slots = offer
            .media
            .iter()
            .enumerate()
            .map(|(at, media)| if at == place { Slot::Audio } else { closed(media) })
            .collect();
        self.payloads
            .iter_mut()
            .filter(|(other, _)| *other == codec)
            .for_each(|entry| entry.1 = payload);
        self.event = event.unwrap_or(self.event);
        self.noise = noise.unwrap_or(self.noise);
        // RFC 3264 §6: the answer repeats the offer's t= line.
        let time = offer.session.lines(b't').next().filter(|time| {
            time.iter().all(|octet| octet.is_ascii_digit() || *octet == b' ') && time.len() < 64
        });
        let named = noise.map(|noise| (noise, NOISE_NAME.to_owned()));
        let codec = (payload, format!("{}/8000", codec.name()));
        let formats: Vec<_> = [codec].into_iter().chain(named).collect();
        let octets =
            self.write(local, &formats, event, direction, rtcp_mux, time.unwrap_or(b"0 0"));
        Ok((octets, agreed))
    }

    /// Reads the answer to our last offer, which was made from `local`.
    ///
    /// # Errors
    /// [`Refusal`] when there is nothing to talk in.
    pub fn read_answer(&self, local: &Local, octets: &[u8]) -> Result<Negotiated, Refusal> {
        let answer = Description::parse(octets).map_err(Refusal::Malformed)?;
        let place =
            self.slots.iter().position(|slot| *slot == Slot::Audio).ok_or(Refusal::Rejected)?;
        let audio = answer.media.get(place).filter(|media| media.is_audio() && media.port > 0);
        let audio = audio.ok_or(Refusal::Rejected)?;
        if !is_plain_rtp(audio) {
            return Err(Refusal::Transport);
        }
        let (payload, codec) = payloads(audio)
            .find_map(|payload| {
                codec_of(audio, payload, &local.codecs).map(|codec| (payload, codec))
            })
            .ok_or(Refusal::NoCodec)?;
        let send_event = event_of(audio).filter(|_| local.events);
        let rtcp_mux = local.rtcp_mux && has_mux(audio);
        let stated = their_direction(&answer, audio)?;
        Ok(Negotiated {
            codec,
            send_payload: payload,
            receive_payload: self.payload_of(codec),
            send_event,
            receive_event: send_event.map(|_| self.event),
            noise: noise_of(audio).filter(|_| local.noise).map(|noise| (noise, self.noise)),
            direction: stated.reversed().and(local.direction),
            stated,
            rtcp_mux,
            ..reachable(&answer, audio, codec, rtcp_mux)?
        })
    }

    fn payload_of(&self, codec: Codec) -> u8 {
        let entry = self.payloads.iter().find(|(other, _)| *other == codec);
        entry.map_or(codec.payload(), |(_, payload)| *payload)
    }

    /// Writes a description; the version grows only when something else has changed (row A-02).
    fn write(
        &mut self,
        local: &Local,
        formats: &[(u8, String)],
        event: Option<u8>,
        direction: Direction,
        mux: bool,
        time: &[u8],
    ) -> Vec<u8> {
        let mut rest = format!("s=-\r\nc=IN {}\r\nt=", family(local.rtp.ip())).into_bytes();
        rest.extend_from_slice(time);
        rest.extend_from_slice(b"\r\n");
        for slot in &self.slots {
            match slot {
                Slot::Audio => audio_lines(&mut rest, local, formats, event, direction, mux),
                Slot::Closed { kind, protocol, format } => {
                    rest.extend_from_slice(
                        &[b"m=", &kind[..], b" 0 ", protocol, b" ", format, b"\r\n"].concat(),
                    );
                }
            }
        }
        if self.last.as_ref() != Some(&rest) {
            self.version += 1;
            self.last = Some(rest.clone());
        }
        let head =
            format!("v=0\r\no=- {} {} IN {}\r\n", self.id, self.version, family(local.rtp.ip()));
        [head.as_bytes(), &rest].concat()
    }
}

fn family(address: IpAddr) -> String {
    format!("{} {address}", if address.is_ipv4() { "IP4" } else { "IP6" })
}

fn audio_lines(
    out: &mut Vec<u8>,
    local: &Local,
    formats: &[(u8, String)],
    event: Option<u8>,
    direction: Direction,
    mux: bool,
) {
    let mut text = format!("m=audio {} RTP/AVP", local.rtp.port());
    for payload in formats.iter().map(|(payload, _)| *payload).chain(event) {
        text.push_str(&format!(" {payload}"));
    }
    text.push_str("\r\n");
    for (payload, encoding) in formats {
        text.push_str(&format!("a=rtpmap:{payload} {encoding}\r\n"));
    }
    if let Some(event) = event {
        // RFC 4733 §7.1.1: the sixteen keys and flash are understood.
        text.push_str(&format!("a=rtpmap:{event} telephone-event/8000\r\na=fmtp:{event} 0-16\r\n"));
    }
    text.push_str(&format!("a=ptime:{}\r\na={}\r\n", local.ptime_ms, direction.name()));
    if mux {
        text.push_str("a=rtcp-mux\r\n");
    }
    out.extend_from_slice(text.as_bytes());
}

fn closed(media: &Media) -> Slot {
    Slot::Closed {
        kind: media.kind.clone(),
        protocol: media.protocol.clone(),
        format: media.formats.first().cloned().unwrap_or_else(|| b"0".to_vec()),
    }
}
