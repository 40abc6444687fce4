//! What is asked of whoever owns the sockets, the node's loop or a bench, and what it hears of it.

use std::{
    collections::HashMap,
    fmt,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use call::Private;
use sip::{
    Abilities, Body, CommandError, Endpoint, Event, Invite, LegId, NameAddr, PingId, Pong, SipUri,
    Uri,
};
use tokio::sync::{mpsc, oneshot};

use crate::{
    config::target::{Reach, Transport},
    identity, rewrite,
    way::{Leaves, carried, named},
};

/// One address of a peer.
#[derive(Clone)]
pub struct Way {
    /// How the peer is reached.
    pub reach: Arc<Reach>,
    /// The name by which the address was found.
    pub host: Option<Arc<str>>,
    /// The address.
    pub address: SocketAddr,
    /// How messages travel.
    pub transport: Transport,
}

/// A call to place.
pub struct Placing {
    /// Where to.
    pub way: Way,
    /// The trunk's name, for the routes that its registrar wants calls to take.
    pub trunk: Box<str>,
    /// Who calls.
    pub from: Private<String>,
    /// Whom.
    pub number: Private<String>,
    /// Whom a 3xx wants to be called there, as it is written there.
    pub contact: Option<SipUri>,
    /// Our offer.
    pub offer: Vec<u8>,
}

/// What is said in a call that was placed.
pub enum Word {
    /// It is taken back before its answer.
    Cancel,
    /// It is taken back unless there was any response, a bare 100 included.
    CancelUnheard,
    /// It ends.
    HangUp,
    /// The answer to a re-INVITE; without a description, it is refused.
    Agree(Option<Vec<u8>>),
}

/// What is asked.
pub enum Ask {
    /// Whether an address answers OPTIONS.
    Ping(Way, oneshot::Sender<Pinged>),
    /// A call.
    Call(Box<Placing>, mpsc::UnboundedSender<Told>),
    /// Something in a call.
    Say(LegId, Word),
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ping(..) => "Ping",
            Self::Call(..) => "Call",
            Self::Say(..) => "Say",
        })
    }
}

impl Ask {
    /// Where it goes, if it begins something.
    pub(crate) fn way(&self) -> Option<&Way> {
        match self {
            Self::Ping(way, _) => Some(way),
            Self::Call(placing, _) => Some(&placing.way),
            Self::Say(..) => None,
        }
    }

    /// The trunk that it calls by.
    pub(crate) fn trunk(&self) -> Option<&str> {
        match self {
            Self::Call(placing, _) => Some(&placing.trunk),
            Self::Ping(..) | Self::Say(..) => None,
        }
    }
}

/// What became of an OPTIONS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pinged {
    /// An answer.
    Answered {
        /// Its status.
        status: u16,
        /// How long it took.
        after: Duration,
        /// What the peer was told of our address.
        told: SocketAddr,
        /// Where it saw us, if it says so.
        seen: Option<SocketAddr>,
    },
    /// Nobody is there: the system said so, or a connection does not stand.
    Nobody,
    /// It did not leave; why.
    Unsent(CommandError),
}

/// What is heard of a call.
#[derive(Debug)]
pub enum Told {
    /// Its INVITE is out.
    Placed(LegId),
    /// It did not leave; why.
    Unsent(CommandError),
    /// Nobody has responded, and it is taken back.
    Unheard,
    /// What happened, and when.
    Event(Instant, Box<Event>),
}

/// The questions that are open and the calls that run. It has no part in the node's own calls.
#[derive(Default)]
pub(crate) struct Trials {
    /// When each went out, what it told of our address, and who waits for it.
    pings: HashMap<PingId, (Instant, SocketAddr, oneshot::Sender<Pinged>)>,
    calls: HashMap<LegId, mpsc::UnboundedSender<Told>>,
}

impl Trials {
    /// Carries out what is asked. `leaves` is by which way it leaves, `routes` what the trunk's
    /// registrar wants.
    pub(crate) fn take(
        &mut self,
        now: Instant,
        ask: Ask,
        endpoint: &mut Endpoint,
        leaves: Option<Leaves>,
        routes: Vec<NameAddr>,
    ) {
        match ask {
            Ask::Ping(way, answer) => match ping(now, &way, endpoint, leaves) {
                Ok((ping, told)) => {
                    self.pings.insert(ping, (now, told, answer));
                }
                Err(error) => {
                    let _nobody_waits = answer.send(Pinged::Unsent(error));
                }
            },
            Ask::Call(placing, tells) => match place(now, &placing, endpoint, leaves, routes) {
                Ok(leg) => {
                    let _nobody_listens = tells.send(Told::Placed(leg));
                    self.calls.insert(leg, tells);
                }
                Err(error) => {
                    let _nobody_listens = tells.send(Told::Unsent(error));
                }
            },
            Ask::Say(leg, word) => {
                // A leg that is not ours, or has ended, hears nothing of us.
                let Some(tells) = self.calls.get(&leg) else { return };
                if matches!(word, Word::CancelUnheard) && !endpoint.has_heard(leg) {
                    let _nobody_listens = tells.send(Told::Unheard);
                }
                say(now, leg, word, endpoint);
            }
        }
    }

    /// Keeps what belongs here and gives back what does not.
    pub(crate) fn heard(
        &mut self,
        now: Instant,
        event: Event,
        endpoint: &mut Endpoint,
    ) -> Option<Event> {
        if let Event::Pong { ping, pong, seen } = &event {
            let Some((sent, told, answer)) = self.pings.remove(ping) else { return Some(event) };
            let _nobody_waits = answer.send(match pong {
                Pong::Status(status) => {
                    let (status, after) = (*status, now.duration_since(sent));
                    Pinged::Answered { status, after, told, seen: *seen }
                }
                Pong::Timeout => Pinged::Nobody,
            });
            return None;
        }
        let Some(leg) = leg(&event) else { return Some(event) };
        let Some(tells) = self.calls.get(&leg) else { return Some(event) };
        if let Event::Asked { ask, .. } = &event {
            // Whatever it is, a call that only listens has no use for it.
            let _over = endpoint.answer_asked(now, (leg, *ask), 501, &[], None);
        }
        let over = event.ends_leg().is_some();
        if tells.send(Told::Event(now, Box::new(event))).is_err() && !over {
            let _ended = endpoint.bye(now, leg, &[]);
        }
        if over {
            self.calls.remove(&leg);
        }
        None
    }

    /// Ends every call.
    pub(crate) fn end(&mut self, now: Instant, endpoint: &mut Endpoint) {
        for leg in self.calls.keys() {
            // Whichever of the two fits: the other one says that it does not.
            let _answered = endpoint.cancel(now, *leg, &[]);
            let _unanswered = endpoint.bye(now, *leg, &[]);
        }
    }
}

fn ping(
    now: Instant,
    way: &Way,
    endpoint: &mut Endpoint,
    leaves: Option<Leaves>,
) -> Result<(PingId, SocketAddr), CommandError> {
    let leaves = leaves.ok_or(CommandError::UnknownListener)?;
    let mut target = identity::host(way.address);
    named(&mut target, way.host.as_deref(), way.transport.port());
    let ping = endpoint.options(now, leaves.listener, way.address, &target)?;
    Ok((ping, leaves.own))
}

fn place(
    now: Instant,
    placing: &Placing,
    endpoint: &mut Endpoint,
    leaves: Option<Leaves>,
    routes: Vec<NameAddr>,
) -> Result<LegId, CommandError> {
    let leaves = leaves.ok_or(CommandError::UnknownListener)?;
    let way = &placing.way;
    let (host, default) = (way.host.as_deref(), way.transport.port());
    let mut target = identity::host(way.address);
    named(&mut target, host, default);
    let mut from = identity::number(placing.from.reveal(), leaves.own);
    if let Uri::Sip(uri) = &mut target {
        uri.user = Some(placing.number.reveal().clone());
    }
    let mut to = NameAddr::new(target.clone());
    carried(&mut target, way.transport.on_the_wire());
    let numbers =
        rewrite::Way { inward: &[], outward: &way.reach.rewrites.outward, emergency: None };
    numbers.parties(&mut target, &mut to, &mut from);
    if let (Uri::Sip(target), Some(contact)) = (&mut target, &placing.contact) {
        target.user.clone_from(&contact.user);
    }
    let invite = Invite {
        listener: leaves.listener,
        stream: leaves.stream,
        destination: way.address,
        target,
        routes,
        from,
        to,
        headers: Vec::new(),
        body: Body::sdp(placing.offer.clone()),
        max_forwards: 70,
        abilities: Abilities { session: None, ..Abilities::default() },
    };
    let leg = endpoint.invite(now, &invite)?;
    if let Some(credentials) = &way.reach.digest {
        endpoint.equip(leg, Arc::clone(credentials))?;
    }
    Ok(leg)
}

fn say(now: Instant, leg: LegId, word: Word, endpoint: &mut Endpoint) {
    // A call that has ended meanwhile needs no word; its end is heard as an event.
    let _over = match word {
        Word::CancelUnheard if endpoint.has_heard(leg) => Ok(()),
        Word::Cancel | Word::CancelUnheard => endpoint.cancel(now, leg, &[]),
        Word::HangUp => endpoint.bye(now, leg, &[]),
        Word::Agree(Some(answer)) => {
            endpoint.answer_reinvite(now, leg, 200, &[], Some(&Body::sdp(answer)))
        }
        Word::Agree(None) => endpoint.answer_reinvite(now, leg, 488, &[], None),
    };
}

/// The leg of an event of a call that we placed.
fn leg(event: &Event) -> Option<LegId> {
    match event {
        Event::Pracked { leg, .. }
        | Event::Acked { leg, .. }
        | Event::Cancelled { leg, .. }
        | Event::Provisional { leg, .. }
        | Event::ForkEnded { leg, .. }
        | Event::Answered { leg, .. }
        | Event::Rejected { leg, .. }
        | Event::Reinvite { leg, .. }
        | Event::Noted { leg, .. }
        | Event::Reanswered { leg, .. }
        | Event::ReinviteRefused { leg, .. }
        | Event::Info { leg, .. }
        | Event::Asked { leg, .. }
        | Event::Told { leg, .. }
        | Event::Bye { leg, .. }
        | Event::Ended { leg, .. } => Some(*leg),
        // An INVITE that comes in is never ours.
        Event::IncomingInvite { .. } | Event::Registration { .. } | Event::Pong { .. } => None,
    }
}
