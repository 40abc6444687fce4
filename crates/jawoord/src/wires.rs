//! The SIP side of one call: its two legs and what their session descriptions agree on.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use sip::{
    Body, Codec, Description, Header, LegId, Local, Negotiated, Own, Refusal, Remote, Request, Sdp,
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

/// What a re-INVITE asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// The other side will not hear us.
    Held,
    /// It hears us (again).
    Heard,
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

struct Leg {
    id: Option<LegId>,
    own: Own,
    local: Local,
    agreed: Option<Negotiated>,
    /// The other side's last description.
    theirs: Option<Sdp>,
}

impl Leg {
    /// What an offer means: while the version of its `o=` stands still, the session is the one that
    /// it was, whatever else the offer says (RFC 3264 §8, row B-10).
    fn meant<'a>(&'a self, offer: &'a Sdp) -> &'a Sdp {
        let same = |known: &&Sdp| {
            origin(known).is_some_and(|origin_known| origin(offer) == Some(origin_known))
                && media_lines(known) == media_lines(offer)
        };
        self.theirs.as_ref().filter(same).unwrap_or(offer)
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

/// Both legs.
pub struct Wires {
    call: Call,
    near: Leg,
    far: Leg,
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
        session: u64,
        offer: Option<Sdp>,
    ) -> Result<Self, Refused> {
        let own_ip = call.local.ip();
        let mut near = Leg {
            id: Some(call.leg),
            own: Own::new(session),
            local: Local::new(media.0),
            agreed: None,
            theirs: None,
        };
        let mut answer = None;
        if let Some(offer) = offer {
            near.theirs = Some(offer.clone());
            let description = Description::parse(&offer).map_err(Refusal::Malformed);
            let (octets, agreed) = description
                .and_then(|description| near.own.answer(&description, &near.local))
                .map_err(|refusal| Refused::of(refusal, own_ip))?;
            answer = Some(Body::sdp(octets));
            near.agreed = Some(agreed);
        }
        let far = Leg {
            id: None,
            own: Own::new(session.wrapping_add(1)),
            local: Local::new(media.1),
            agreed: None,
            theirs: None,
        };
        Ok(Self { call, near, far, answer })
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

    /// Whether a side holds the call.
    #[must_use]
    pub fn is_held(&self) -> bool {
        [&self.near, &self.far]
            .iter()
            .any(|leg| leg.agreed.as_ref().is_some_and(Negotiated::is_held))
    }

    /// Whether a leg speaks µ-law; A-law is what is spoken until something is agreed on.
    #[must_use]
    pub fn is_mu_law(&self, side: Side) -> bool {
        self.negotiated(side).is_some_and(|agreed| agreed.codec == Codec::Pcmu)
    }

    /// The body of our 18x and 2xx: the answer, or the offer when the caller left it to us. It is
    /// the same one each time (row A-06).
    pub fn answer(&mut self) -> Body {
        let Self { near, answer, .. } = self;
        answer.get_or_insert_with(|| Body::sdp(near.own.offer(&near.local))).clone()
    }

    /// The offer to the far leg: the codec of the near leg first, so that nothing is transcoded
    /// and the caller needs no re-INVITE when the parties are connected.
    pub fn offer(&mut self) -> Body {
        if let Some(agreed) = &self.near.agreed {
            let other = match agreed.codec {
                Codec::Pcma => Codec::Pcmu,
                Codec::Pcmu => Codec::Pcma,
            };
            self.far.local.codecs = vec![agreed.codec, other];
            self.far.local.ptime_ms = agreed.ptime_ms;
        }
        Body::sdp(self.far.own.offer(&self.far.local))
    }

    /// The far leg's INVITE is out.
    pub const fn dialled(&mut self, leg: LegId) {
        self.far.id = Some(leg);
    }

    /// Reads the answer to an offer of ours.
    ///
    /// # Errors
    /// There is nothing to talk in.
    pub fn read_answer(&mut self, side: Side, sdp: &Sdp) -> Result<Option<Negotiated>, Refusal> {
        let leg = self.side(side);
        let agreed = leg.own.read_answer(&leg.local, sdp)?;
        leg.agreed = Some(agreed.clone());
        leg.theirs = Some(sdp.clone());
        Ok(Some(agreed))
    }

    /// Answers a re-INVITE; one that cannot be agreed on changes nothing (row B-09).
    pub fn reinvited(&mut self, side: Side, offer: Option<&Sdp>) -> Reply {
        let leg = self.side(side);
        let Some(offer) = offer else {
            let body = Some(Body::sdp(leg.own.offer(&leg.local)));
            return Reply { status: 200, body, negotiated: None };
        };
        let offer = leg.meant(offer).clone();
        let answered = Description::parse(&offer)
            .map_err(Refusal::Malformed)
            .and_then(|description| leg.own.answer(&description, &leg.local));
        match answered {
            Ok((octets, agreed)) => {
                leg.agreed = Some(agreed.clone());
                leg.theirs = Some(offer);
                Reply { status: 200, body: Some(Body::sdp(octets)), negotiated: Some(agreed) }
            }
            Err(refusal) => Reply { status: refusal.status(), body: None, negotiated: None },
        }
    }

    /// A leg that is to take the place of the one on `side`: it is told the same media address, and
    /// speaks what the other side speaks first. `session` is a number that no session has.
    #[must_use]
    pub fn successor(&self, side: Side, session: u64) -> Successor {
        let (old, other) = match side {
            Side::Near => (&self.near, &self.far),
            Side::Far => (&self.far, &self.near),
        };
        let mut local = Local::new(old.local.rtp);
        if let Some(agreed) = &other.agreed {
            local.codecs.sort_by_key(|codec| *codec != agreed.codec);
            local.ptime_ms = agreed.ptime_ms;
        }
        Successor { own: Own::new(session), local }
    }

    /// The successor is there.
    pub fn succeed(&mut self, side: Side, leg: LegId, successor: Successor, agreed: Negotiated) {
        let Successor { own, local } = successor;
        *self.side(side) = Leg { id: Some(leg), own, local, agreed: Some(agreed), theirs: None };
    }

    /// The caller's INVITE.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.call.request
    }

    /// Max-Forwards of the far leg.
    #[must_use]
    pub const fn max_forwards(&self) -> u8 {
        self.call.max_forwards
    }
}

/// A leg in the making, which will take the place of another.
#[derive(Clone, Debug)]
pub struct Successor {
    own: Own,
    local: Local,
}

impl Successor {
    /// Our offer to it.
    pub fn offer(&mut self) -> Body {
        Body::sdp(self.own.offer(&self.local))
    }

    /// Reads its answer.
    ///
    /// # Errors
    /// There is nothing to talk in.
    pub fn read_answer(&self, sdp: &Sdp) -> Result<Negotiated, Refusal> {
        self.own.read_answer(&self.local, sdp)
    }

    /// Answers its offer.
    ///
    /// # Errors
    /// The offer cannot be read or shares no codec with us.
    pub fn answer(&mut self, offer: &Sdp) -> Result<(Body, Negotiated), Refusal> {
        let description = Description::parse(offer).map_err(Refusal::Malformed)?;
        let (octets, agreed) = self.own.answer(&description, &self.local)?;
        Ok((Body::sdp(octets), agreed))
    }
}

/// Whether a leg's agreement holds the call.
#[must_use]
pub fn hold(agreed: &Negotiated) -> Hold {
    if agreed.is_held() { Hold::Held } else { Hold::Heard }
}
