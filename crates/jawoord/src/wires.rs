//! The SIP side of one call: its two legs and what their session descriptions agree on.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use sip::{Body, Codec, ForkId, Header, Keyring, LegId, Negotiated, Refusal, Remote, Request, Sdp};

use crate::{
    config::target::Terms,
    leg::{Hold, Leg, Proposal},
    places::Places,
};

/// One of the two legs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The leg that called.
    Near,
    /// The leg that we call.
    Far,
}

impl Side {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Near => Self::Far,
            Self::Far => Self::Near,
        }
    }
}

/// The Q.850 cause of a call that makes room for another.
pub const PREEMPTION: u8 = 8;

/// Why a leg ends, for its `Reason` headers (RFC 3326).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The SIP status it ended with, if there was one.
    pub sip: Option<u16>,
    /// The Q.850 cause.
    pub q850: u8,
    /// In words.
    pub text: &'static str,
}

impl End {
    /// The headers.
    #[must_use]
    pub fn headers(self) -> Vec<Header> {
        let sip = self.sip.map(|status| format!("SIP;cause={status};text=\"{}\"", self.text));
        let q850 = format!("Q.850;cause={};text=\"{}\"", self.q850, self.text);
        let header = |value: String| Header::new("Reason", value).ok();
        // RFC 4411 §5.1.
        let preempted = (self.q850 == PREEMPTION)
            .then(|| "preemption;cause=3;text=\"Generic Preemption\"".to_owned());
        sip.into_iter().chain(preempted).chain([q850]).filter_map(header).collect()
    }
}

/// An answer to an INVITE that cannot be handled.
#[derive(Debug)]
pub struct Refused {
    /// The status.
    pub status: u16,
    /// What goes along.
    pub headers: Vec<Header>,
}

impl Refused {
    fn of(refusal: Refusal, own: IpAddr) -> Self {
        let (code, text) = refusal.warning();
        let warning = Header::new("Warning", format!("{code} {own} \"{text}\""));
        Self { status: refusal.status(), headers: warning.into_iter().collect() }
    }
}

/// What has arrived, and where it is to go.
pub struct Call {
    /// The near leg.
    pub leg: LegId,
    /// Its INVITE.
    pub request: Arc<Request>,
    /// Where it came from.
    pub source: Remote,
    /// Max-Forwards of the far leg.
    pub max_forwards: u8,
    /// Our own address on the listener it came by.
    pub local: SocketAddr,
    /// What holds for the caller; `None` when there can be no call.
    pub terms: Option<Terms>,
    /// What both legs may speak, best first.
    pub codecs: Arc<[Codec]>,
}

/// What a re-INVITE is answered with.
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The answer, or our offer.
    pub body: Option<Body>,
    /// What is agreed on, when the offer was in the re-INVITE.
    pub negotiated: Option<Negotiated>,
}

/// The INVITE with which the call began.
enum Opening {
    /// As it was read.
    Read(Arc<Request>),
    /// As it came: once everybody has answered it is hardly ever looked at, and what is known of its
    /// headers is three times as large as they are.
    Kept(Box<[u8]>),
}

impl Opening {
    fn request(&self) -> Option<Arc<Request>> {
        match self {
            Self::Read(request) => Some(Arc::clone(request)),
            Self::Kept(octets) => Request::read(sip::parse(octets).ok()?).ok().map(Arc::new),
        }
    }

    /// Keeps it as it came. Whether it was not yet.
    fn keep(&mut self) -> bool {
        match self {
            Self::Read(request) => {
                *self = Self::Kept(request.message().raw().into());
                true
            }
            Self::Kept(_) => false,
        }
    }
}

/// Both legs.
pub struct Wires {
    opening: Opening,
    call_id: Box<[u8]>,
    max_forwards: u8,
    codecs: Arc<[Codec]>,
    near: Leg,
    far: Leg,
    /// Where the far leg rings.
    places: Places,
    /// The answer to the caller's offer, or our offer once it is made, when it was left to us.
    answer: Option<Body>,
}

impl Wires {
    /// Reads the caller's offer and prepares the answer, which may be sent later or never.
    ///
    /// # Errors
    /// The offer cannot be read or shares no codec with us (row A-22).
    pub fn new(
        call: Call,
        media: (SocketAddr, SocketAddr),
        (session, [near, far]): (u64, [Keyring; 2]),
        offer: Option<Sdp>,
    ) -> Result<Self, Refused> {
        let own_ip = call.local.ip();
        let terms = call.terms.ok_or_else(|| Refused::of(Refusal::Unsecured, own_ip))?;
        let mut near = Leg::new((session, near), media.0, terms, &call.codecs);
        near.id = Some(call.leg);
        let answered = offer.map(|offer| near.answer(&offer)).transpose();
        let answer =
            answered.map_err(|refusal| Refused::of(refusal, own_ip))?.map(|(body, _)| body);
        let drawn = (session.wrapping_add(1), far);
        let far = Leg::new(drawn, media.1, Terms::default(), &call.codecs);
        let Call { request, max_forwards, codecs, .. } = call;
        let (call_id, opening) = (request.call_id().into(), Opening::Read(request));
        let places = Places::default();
        Ok(Self { opening, call_id, max_forwards, codecs, near, far, places, answer })
    }

    const fn side(&mut self, side: Side) -> &mut Leg {
        match side {
            Side::Near => &mut self.near,
            Side::Far => &mut self.far,
        }
    }

    /// The leg's id, while it lives.
    #[must_use]
    pub const fn leg(&self, side: Side) -> Option<LegId> {
        match side {
            Side::Near => self.near.id,
            Side::Far => self.far.id,
        }
    }

    /// The leg has ended.
    pub const fn over(&mut self, side: Side) {
        self.side(side).id = None;
    }

    /// What a leg's descriptions agree on.
    #[must_use]
    pub fn negotiated(&self, side: Side) -> Option<Negotiated> {
        match side {
            Side::Near => self.near.agreed.clone(),
            Side::Far => self.far.agreed.clone(),
        }
    }

    /// What is learned of where a side sends from.
    #[must_use]
    pub const fn latching(&self, side: Side) -> Option<media::Latching> {
        match side {
            Side::Near => self.near.latching,
            Side::Far => self.far.latching,
        }
    }

    /// Whether a side holds the call.
    #[must_use]
    pub fn is_held(&self) -> bool {
        [&self.near, &self.far].iter().any(|leg| leg.hold() == Hold::Held)
    }

    /// Whether one side speaks Opus and the other does not: nothing passes between them.
    #[must_use]
    pub fn is_apart(&self) -> bool {
        let (near, far) = (self.near.codec(), self.far.codec());
        let speaks = |codec: Option<Codec>| codec == Some(Codec::Opus);
        near.and(far).is_some() && speaks(near) != speaks(far)
    }

    /// Whether one side holds the call.
    #[must_use]
    pub const fn hold(&self, side: Side) -> Hold {
        match side {
            Side::Near => self.near.hold(),
            Side::Far => self.far.hold(),
        }
    }

    /// What a leg's speech is stored as; A-law until something is agreed on.
    #[must_use]
    pub fn stored_as(&self, side: Side) -> vault::Codec {
        match side {
            Side::Near => self.near.stored_as(),
            Side::Far => self.far.stored_as(),
        }
    }

    /// The body of our 18x and 2xx: the answer, or the offer when the caller left it to us. It is
    /// the same one each time (row A-06).
    pub fn answer(&mut self) -> Body {
        let Self { near, far, answer, .. } = self;
        answer
            .get_or_insert_with(|| {
                near.keeps_to(far.codec());
                near.offer()
            })
            .clone()
    }

    /// The offer to the far leg: the codec of the near leg first, so that nothing is transcoded
    /// and the caller needs no re-INVITE when the parties are connected.
    pub fn offer(&mut self, terms: Terms) -> Body {
        self.far.begins(terms);
        self.far.speak_as(&self.near);
        self.far.offer()
    }

    /// The far leg's INVITE is out.
    pub fn dialled(&mut self, leg: LegId) {
        self.far.id = Some(leg);
        self.places = Places::default();
    }

    /// A place of the far leg rings, perhaps with a description: what is agreed with the one that is
    /// heard from now on, if that changes.
    ///
    /// # Errors
    /// There is nothing to hear.
    pub fn rings(
        &mut self,
        fork: ForkId,
        sdp: Option<&Sdp>,
    ) -> Result<Option<Negotiated>, Refusal> {
        let heard = self.places.rings(fork, sdp);
        heard.map_or(Ok(None), |sdp| self.read_answer(Side::Far, &sdp))
    }

    /// The same for a place that has given up.
    ///
    /// # Errors
    /// There is nothing to hear in the one that is left.
    pub fn gives_up(&mut self, fork: ForkId) -> Result<Option<Negotiated>, Refusal> {
        let heard = self.places.gives_up(fork);
        heard.map_or(Ok(None), |sdp| self.read_answer(Side::Far, &sdp))
    }

    /// Reads the answer to an offer of ours.
    ///
    /// # Errors
    /// There is nothing to talk in.
    pub fn read_answer(&mut self, side: Side, sdp: &Sdp) -> Result<Option<Negotiated>, Refusal> {
        self.side(side).read_answer(sdp).map(Some)
    }

    /// Answers a re-INVITE; one that cannot be agreed on changes nothing (row B-09).
    pub fn reinvited(&mut self, side: Side, offer: Option<&Sdp>) -> Reply {
        let other = self.side(side.other()).codec();
        let leg = self.side(side);
        leg.keeps_to(other.or(leg.codec()));
        let Some(offer) = offer else {
            return Reply { status: 200, body: Some(leg.offer()), negotiated: None };
        };
        match leg.answer(offer) {
            Ok((body, agreed)) => Reply { status: 200, body: Some(body), negotiated: Some(agreed) },
            Err(refusal) => Reply { status: refusal.status(), body: None, negotiated: None },
        }
    }

    /// The offer by which a side learns that the other one holds, or does so no longer (row B-02), or that
    /// it speaks no Opus; `None` when there is nothing to tell.
    pub fn proposal(&mut self, side: Side) -> Option<Proposal> {
        let other = self.side(side.other());
        let (wanted, spoken) = (other.passes_on(), other.codec());
        self.side(side).proposal(wanted, spoken)
    }

    /// A proposal is on its way.
    pub fn proposed(&mut self, side: Side, proposal: Proposal) {
        self.side(side).proposed(proposal);
    }

    /// A proposal was accepted; the answer is read next.
    pub const fn accepted(&mut self, side: Side) {
        self.side(side).accepted();
    }

    /// A proposal was refused for good.
    pub fn refused(&mut self, side: Side) {
        self.side(side).refused();
    }

    /// A leg that is to take the place of the one on `side`: it is told the same media address, and
    /// speaks what the other side speaks first. What is drawn no session has.
    #[must_use]
    pub fn successor(&self, side: Side, drawn: (u64, Keyring), terms: Terms) -> Successor {
        let (old, other) = match side {
            Side::Near => (&self.near, &self.far),
            Side::Far => (&self.far, &self.near),
        };
        let mut leg = Leg::new(drawn, old.rtp(), terms, &self.codecs);
        leg.speak_as(other);
        Successor(leg)
    }

    /// The successor is there.
    pub fn succeed(&mut self, side: Side, leg: LegId, successor: Successor) {
        let Successor(mut half) = successor;
        half.id = Some(leg);
        *self.side(side) = half;
    }

    /// The caller's INVITE. It was read when it came: there is none only if that cannot be done again.
    #[must_use]
    pub fn request(&self) -> Option<Arc<Request>> {
        self.opening.request()
    }

    /// The Call-ID of the near leg.
    #[must_use]
    pub const fn call_id(&self) -> &[u8] {
        &self.call_id
    }

    /// Everybody has answered: what was needed to come so far is kept small. Whether it was not yet.
    pub fn rest(&mut self) -> bool {
        self.opening.keep()
    }

    /// Max-Forwards of the far leg.
    #[must_use]
    pub const fn max_forwards(&self) -> u8 {
        self.max_forwards
    }
}

/// A leg in the making, which will take the place of another.
#[derive(Debug)]
pub struct Successor(Leg);

impl Successor {
    /// Our offer to it.
    pub fn offer(&mut self) -> Body {
        self.0.offer()
    }

    /// Reads its answer.
    ///
    /// # Errors
    /// There is nothing to talk in.
    pub fn read_answer(&mut self, sdp: &Sdp) -> Result<Negotiated, Refusal> {
        self.0.read_answer(sdp)
    }

    /// Answers its offer.
    ///
    /// # Errors
    /// The offer cannot be read or shares no codec with us.
    pub fn answer(&mut self, offer: &Sdp) -> Result<(Body, Negotiated), Refusal> {
        self.0.answer(offer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invite_that_is_kept_as_it_came_is_read_again_when_it_is_asked_for() {
        let text = "INVITE sip:b@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\n\
                    Max-Forwards: 70\r\nFrom: <sip:a@192.0.2.9>;tag=1\r\nTo: <sip:b@192.0.2.1>\r\n\
                    Call-ID: 7\r\nCSeq: 1 INVITE\r\nContact: <sip:a@192.0.2.9>\r\n\
                    Content-Length: 0\r\n\r\n";
        let request = Request::read(sip::parse(text.as_bytes()).unwrap()).unwrap();
        let mut opening = Opening::Read(Arc::new(request));
        assert!(opening.keep() && !opening.keep());
        let Opening::Kept(octets) = &opening else { panic!("it was told to keep it") };
        assert_eq!(&**octets, text.as_bytes());
        assert_eq!(opening.request().unwrap().call_id(), b"7");
    }
}
