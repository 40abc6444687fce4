//! One leg's half of a session: what we have told its side, what that side has said, and what we
//! still want to tell it.

use std::net::SocketAddr;

use sip::{
    Body, Codec, Description, Direction, Keyring, LegId, Local, Negotiated, Own, Refusal, Sdp,
};

use crate::config::{inside::Holds, target::Terms};

/// What a re-INVITE asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// The other side will not hear us.
    Held,
    /// It hears us (again).
    Heard,
}

/// What a side is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wanted {
    direction: Direction,
    /// It speaks Opus, and the other side does not any more: it is to speak something else.
    leaves_opus: bool,
}

/// An offer of ours that is on its way, or waits until it may be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Asked {
    wanted: Wanted,
    /// We have answered an offer of theirs since: ours is older than what is in force.
    stale: bool,
}

/// An offer that could be made.
#[derive(Debug)]
pub struct Proposal {
    /// What it says.
    pub body: Body,
    own: Own,
    wanted: Wanted,
}

/// A leg.
#[derive(Debug)]
pub struct Leg {
    /// The dialog, while it lives.
    pub(crate) id: Option<LegId>,
    own: Own,
    local: Local,
    /// All that it may speak, best first.
    speaks: Box<[Codec]>,
    /// What the descriptions agree on.
    pub(crate) agreed: Option<Negotiated>,
    /// The other side's last description.
    theirs: Option<Sdp>,
    /// What becomes of this side's holds.
    pub(crate) relays: Holds,
    /// What is learned of where this side sends from.
    pub(crate) latching: Option<media::Latching>,
    /// Whether this side holds.
    holds: bool,
    asked: Option<Asked>,
    /// What this side would not be told.
    declined: Option<Wanted>,
}

impl Leg {
    /// A leg of which nothing is known, which speaks these codecs; `session` is a number that no other
    /// session has, and no other has the keys.
    #[must_use]
    pub fn new(
        (session, keys): (u64, Keyring),
        rtp: SocketAddr,
        terms: Terms,
        codecs: &[Codec],
    ) -> Self {
        Self {
            id: None,
            own: Own::new(session).with_keys(keys),
            local: Local { srtp: terms.srtp, codecs: codecs.to_vec(), ..Local::new(rtp) },
            speaks: codecs.into(),
            agreed: None,
            theirs: None,
            relays: terms.holds,
            latching: terms.latching,
            holds: false,
            asked: None,
            declined: None,
        }
    }

    /// The address that this side is told.
    #[must_use]
    pub const fn rtp(&self) -> SocketAddr {
        self.local.rtp
    }

    /// Prefers what the other leg speaks, so that nothing is transcoded. Opus never is: it is spoken by
    /// both sides or by none, and by one that knows nothing else it is spoken or there is no call.
    pub fn speak_as(&mut self, other: &Self) {
        let agreed = other.agreed.as_ref();
        self.local.codecs = self.fitting(agreed.map(|agreed| agreed.codec));
        if let Some(agreed) = agreed {
            if agreed.codec == Codec::Opus && !agreed.plain {
                self.local.codecs.retain(|codec| *codec == Codec::Opus);
            }
            self.local.ptime_ms = agreed.ptime_ms;
            self.local.noise = agreed.noise.is_some();
            if let Some(wanted) = &agreed.opus {
                self.local.opus.clone_from(wanted);
            }
        }
    }

    /// What this side may be offered while the other one speaks `other`, or nothing yet: that first.
    fn fitting(&self, other: Option<Codec>) -> Vec<Codec> {
        let mut codecs = self.speaks.to_vec();
        codecs.retain(|codec| *codec != Codec::Opus || other == Some(Codec::Opus));
        codecs.sort_by_key(|codec| Some(*codec) != other);
        codecs
    }

    /// What it speaks, once that is agreed on.
    #[must_use]
    pub fn codec(&self) -> Option<Codec> {
        self.agreed.as_ref().map(|agreed| agreed.codec)
    }

    /// From now on it speaks Opus if that is spoken already, and otherwise not.
    pub fn keeps_to(&mut self, spoken: Option<Codec>) {
        self.local.codecs.retain(|codec| *codec != Codec::Opus);
        if spoken == Some(Codec::Opus) && self.speaks.contains(&Codec::Opus) {
            self.local.codecs.insert(0, Codec::Opus);
        }
    }

    /// Whether its sound cannot pass to the other side: Opus goes to one who speaks it, or nowhere.
    fn is_apart(&self, other: Option<Codec>) -> bool {
        self.codec() == Some(Codec::Opus) && other.is_some_and(|other| other != Codec::Opus)
    }

    /// Somebody else is called: nothing stands with them yet.
    pub fn begins(&mut self, terms: Terms) {
        self.local.srtp = terms.srtp;
        (self.relays, self.latching) = (terms.holds, terms.latching);
        self.own.begin_anew();
    }

    /// An offer of everything that we speak, with fresh keys.
    pub fn offer(&mut self) -> Body {
        self.own.renew_keys();
        if let Some(asked) = &mut self.asked {
            asked.stale = true;
        }
        Body::sdp(self.own.offer(&self.local))
    }

    /// Answers an offer of theirs; one that cannot be agreed on changes nothing (row B-09).
    ///
    /// # Errors
    /// The offer cannot be read or shares no codec with us.
    pub fn answer(&mut self, offer: &Sdp) -> Result<(Body, Negotiated), Refusal> {
        let offer = self.meant(offer).clone();
        let description = Description::parse(&offer).map_err(Refusal::Malformed)?;
        // One port for sound and reports is what a side may have, and what we never ask for; comfort
        // noise is offered to one who is to hear a side that has it.
        let local = Local { rtcp_mux: true, noise: true, ..self.local.clone() };
        let (octets, agreed) = self.own.answer(&description, &local)?;
        if let Some(asked) = &mut self.asked {
            asked.stale = true;
        }
        self.holds = agreed.is_held();
        Ok((Body::sdp(octets), self.agree(agreed, offer)))
    }

    /// Reads the answer to an offer of ours. Who is held need not say whether it holds, too.
    ///
    /// # Errors
    /// There is nothing to talk in.
    pub fn read_answer(&mut self, sdp: &Sdp) -> Result<Negotiated, Refusal> {
        let agreed = self.own.read_answer(&self.local, sdp)?;
        if self.local.direction.receives() {
            self.holds = agreed.is_held();
        }
        Ok(self.agree(agreed, sdp.clone()))
    }

    /// Who says 0.0.0.0 is where it was, and hears nothing there.
    fn agree(&mut self, mut agreed: Negotiated, theirs: Sdp) -> Negotiated {
        if agreed.remote_rtp.is_none()
            && let Some(before) = &self.agreed
        {
            (agreed.remote_rtp, agreed.remote_rtcp) = (before.remote_rtp, before.remote_rtcp);
        }
        // A later offer of ours leaves the ports as they are (RFC 5761 §5.1.1).
        self.local.rtcp_mux = agreed.rtcp_mux;
        self.local.noise = agreed.noise.is_some();
        self.agreed = Some(agreed.clone());
        self.theirs = Some(theirs);
        agreed
    }

    /// Whether this side holds.
    #[must_use]
    pub const fn hold(&self) -> Hold {
        if self.holds { Hold::Held } else { Hold::Heard }
    }

    /// What this side's hold has us tell the other: what it does itself (RFC 3264 §8.4).
    #[must_use]
    pub fn passes_on(&self) -> Direction {
        let stated = self.agreed.as_ref().filter(|_| self.holds).map(|agreed| agreed.stated);
        match (stated, self.relays) {
            (Some(stated), Holds::Relay) => stated.and(Direction::SendOnly),
            (Some(_), Holds::Absorb) | (None, _) => Direction::SendRecv,
        }
    }

    /// The offer that tells this side of `direction`, or to leave Opus for what the other side speaks;
    /// `None` when it knows, is being told, or would not be told.
    #[must_use]
    pub fn proposal(&mut self, direction: Direction, other: Option<Codec>) -> Option<Proposal> {
        let spoken = self.agreed.as_ref()?.codec;
        let leaves_opus = self.is_apart(other);
        let wanted = Wanted { direction, leaves_opus };
        let known = match self.asked {
            Some(asked) => asked.wanted == wanted && !asked.stale,
            None => self.local.direction == direction && !leaves_opus,
        };
        if self.declined.is_some_and(|declined| declined != wanted) {
            self.declined = None;
        }
        if known || self.declined.is_some() {
            return None;
        }
        // Nothing but that is to change.
        let codecs = self.fitting(if leaves_opus { other } else { Some(spoken) });
        let local = Local { direction, codecs, ..self.local.clone() };
        let mut own = self.own.clone();
        let body = Body::sdp(own.offer(&local));
        Some(Proposal { body, own, wanted })
    }

    /// The proposal is on its way.
    pub fn proposed(&mut self, proposal: Proposal) {
        self.own = proposal.own;
        self.asked = Some(Asked { wanted: proposal.wanted, stale: false });
    }

    /// The proposal was accepted; what it was answered with is read next.
    pub const fn accepted(&mut self) {
        if let Some(asked) = self.asked.take() {
            self.local.direction = asked.wanted.direction;
        }
    }

    /// The proposal was refused for good: everything stays as it was.
    pub fn refused(&mut self) {
        self.declined = self.asked.take().map(|asked| asked.wanted);
    }

    /// What an offer means: while the version of its `o=` stands still, the session is the one that
    /// it was, whatever else the offer says (RFC 3264 §8, row B-10).
    fn meant<'a>(&'a self, offer: &'a Sdp) -> &'a Sdp {
        let same = |known: &&Sdp| {
            origin(known).is_some_and(|origin_known| origin(offer) == Some(origin_known))
                && media_lines(known) == media_lines(offer)
        };
        self.theirs.as_ref().filter(same).unwrap_or(offer)
    }

    /// What its speech is stored as; A-law until something is agreed on.
    #[must_use]
    pub fn stored_as(&self) -> vault::Codec {
        match self.agreed.as_ref().map(|agreed| agreed.codec) {
            Some(Codec::Pcma) | None => vault::Codec::Pcma,
            Some(Codec::Pcmu) => vault::Codec::Pcmu,
            Some(Codec::G722 | Codec::Opus) => vault::Codec::Pcm16Wide,
        }
    }
}

fn lines(sdp: &[u8]) -> impl Iterator<Item = &[u8]> {
    sdp.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end)
}

fn origin(sdp: &[u8]) -> Option<&[u8]> {
    lines(sdp).find(|line| line.starts_with(b"o="))
}

fn media_lines(sdp: &[u8]) -> usize {
    lines(sdp).filter(|line| line.starts_with(b"m=")).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODECS: [Codec; 2] = [Codec::Pcma, Codec::Pcmu];

    fn theirs(version: u32, direction: &str) -> Sdp {
        let text = format!(
            "v=0\r\no=- 7 {version} IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n\
             m=audio 4000 RTP/AVP 0 8\r\na={direction}\r\n"
        );
        Sdp(text.into_bytes().into())
    }

    fn up(relays: Holds) -> Leg {
        let terms = Terms { holds: relays, ..Terms::default() };
        let drawn = (1, Keyring::new([7; 32]));
        let rtp = SocketAddr::from(([192, 0, 2, 1], 30_000));
        let mut leg = Leg::new(drawn, rtp, terms, &CODECS);
        leg.answer(&theirs(1, "sendrecv")).unwrap();
        leg
    }

    fn text(proposal: &Proposal) -> String {
        String::from_utf8(proposal.body.octets().to_vec()).unwrap()
    }

    fn version(text: &str) -> u32 {
        let origin = text.lines().find(|line| line.starts_with("o=")).unwrap();
        origin.split(' ').nth(2).unwrap().parse().unwrap()
    }

    #[test]
    fn b_02_a_hold_is_passed_on_as_it_was_said_and_only_where_it_is_to_be() {
        for (direction, passed) in [
            ("sendonly", Direction::SendOnly),
            ("inactive", Direction::Inactive),
            ("recvonly", Direction::SendRecv),
            ("sendrecv", Direction::SendRecv),
        ] {
            for relays in [Holds::Relay, Holds::Absorb] {
                let mut leg = up(relays);
                leg.answer(&theirs(2, direction)).unwrap();
                let passed = if relays == Holds::Relay { passed } else { Direction::SendRecv };
                assert_eq!(leg.passes_on(), passed, "{direction} {relays:?}");
            }
        }
    }

    #[test]
    fn b_02_a_side_is_told_once_and_again_when_it_changes() {
        let mut leg = up(Holds::Absorb);
        assert!(leg.proposal(Direction::SendRecv, None).is_none(), "it knows");
        let hold = leg.proposal(Direction::SendOnly, None).unwrap();
        assert!(text(&hold).contains("a=sendonly"), "{}", text(&hold));
        leg.proposed(hold);
        assert!(leg.proposal(Direction::SendOnly, None).is_none(), "it is being told");
        leg.accepted();
        leg.read_answer(&theirs(2, "recvonly")).unwrap();
        assert_eq!(leg.hold(), Hold::Heard);
        assert!(leg.proposal(Direction::SendOnly, None).is_none(), "it knows");
        let resume = leg.proposal(Direction::SendRecv, None).unwrap();
        assert!(text(&resume).contains("a=sendrecv") && version(&text(&resume)) == 3);
    }

    #[test]
    fn b_02_who_is_held_and_answers_inactive_does_not_hold_itself() {
        let mut leg = up(Holds::Relay);
        let hold = leg.proposal(Direction::SendOnly, None).unwrap();
        leg.proposed(hold);
        leg.accepted();
        leg.read_answer(&theirs(2, "inactive")).unwrap();
        assert_eq!((leg.hold(), leg.passes_on()), (Hold::Heard, Direction::SendRecv));
    }

    #[test]
    fn b_07_an_offer_that_waits_is_made_anew_after_an_answer_of_ours() {
        let mut leg = up(Holds::Absorb);
        let hold = leg.proposal(Direction::SendOnly, None).unwrap();
        let first = version(&text(&hold));
        leg.proposed(hold);
        let (answer, _) = leg.answer(&theirs(2, "recvonly")).unwrap();
        let again = leg.proposal(Direction::SendOnly, None).unwrap();
        let answered = version(std::str::from_utf8(answer.octets()).unwrap());
        assert!(first < answered && answered < version(&text(&again)));
    }

    #[test]
    fn b_09_what_a_side_would_not_be_told_is_not_said_again_until_it_changes() {
        let mut leg = up(Holds::Absorb);
        let hold = leg.proposal(Direction::SendOnly, None).unwrap();
        leg.proposed(hold);
        leg.refused();
        assert!(leg.proposal(Direction::SendOnly, None).is_none(), "it was asked");
        assert!(leg.proposal(Direction::SendRecv, None).is_none(), "it never knew otherwise");
        assert!(leg.proposal(Direction::SendOnly, None).is_some(), "the next hold");
    }

    #[test]
    fn b_01_an_address_that_nobody_has_leaves_the_place_and_takes_the_hearing() {
        let mut leg = up(Holds::Absorb);
        let held = String::from_utf8(theirs(2, "sendrecv").to_vec()).unwrap();
        let held = Sdp(held.replace("c=IN IP4 192.0.2.9", "c=IN IP4 0.0.0.0").into_bytes().into());
        let (_, agreed) = leg.answer(&held).unwrap();
        assert_eq!(agreed.remote_rtp, Some(SocketAddr::from(([192, 0, 2, 9], 4000))));
        assert!(!agreed.direction.sends() && leg.hold() == Hold::Held);
    }
}
