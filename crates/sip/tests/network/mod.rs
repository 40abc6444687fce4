//! Two endpoints, a virtual clock and a wire that loses, doubles and reorders, all from one seed.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on says why")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sip::{
    Abilities, Body, Config, Endpoint, Event, ForkId, Header, Invite, LegId, Listener, ListenerId,
    Method, NameAddr, Remote, SessionTimer, Transport, Uri,
};

/// A small generator (xorshift64*): the whole run follows from its seed.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Chance {
        Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % limit
    }
}

/// How bad the wire is, in parts of a thousand and milliseconds.
#[derive(Clone, Copy)]
pub(crate) struct Weather {
    pub(crate) loss: u64,
    pub(crate) twice: u64,
    pub(crate) delay_ms: u64,
}

/// Something one side does at a certain time.
#[derive(Clone)]
pub(crate) enum Step {
    Ring,
    Answer,
    Reject(u16),
    Bye,
    Cancel,
    Reinvite(&'static str),
    Refer,
    /// Rings with a description of its own.
    Early,
    Update(&'static str),
}

enum Task {
    Deliver(usize, SocketAddr, Vec<u8>),
    Step(usize, Step),
}

pub(crate) struct Node {
    pub(crate) endpoint: Endpoint,
    pub(crate) address: SocketAddr,
    pub(crate) leg: Option<LegId>,
    /// The place that rings.
    pub(crate) fork: Option<ForkId>,
    pub(crate) events: Vec<Event>,
    /// The offer or answer that each side of this node said last, and the one it heard last.
    pub(crate) said: Option<Vec<u8>>,
    pub(crate) heard: Option<Vec<u8>>,
    pub(crate) invites: usize,
    /// REFERs heard, and the statuses of those sent.
    pub(crate) asked: usize,
    pub(crate) told: Vec<u16>,
}

pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) start: Instant,
    pub(crate) nodes: [Node; 2],
    tasks: BTreeMap<(Instant, u64), Task>,
    counter: u64,
    chance: Chance,
    weather: Weather,
    /// What the called side does when an INVITE comes: milliseconds after it, and what.
    pub(crate) called: Vec<(u64, Step)>,
    pub(crate) trace: Vec<String>,
    /// An element on the way takes the offer out of the first INVITE and puts an answer into its ACK:
    /// for the called side it is a call with a late offer (row A-03).
    pub(crate) late: bool,
    answers: Vec<Option<Vec<u8>>>,
    /// The session timer of both sides.
    pub(crate) session: Option<SessionTimer>,
}

/// The answer that [`World::late`] puts into the ACK.
pub(crate) const LATE: &[u8] = b"v=0 late answer";

/// What the element on the way makes of a message.
fn late(octets: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(octets.to_vec()).expect("our own text");
    let (head, _) = text.split_once("\r\n\r\n").expect("a head");
    let kept = |line: &&str| !line.starts_with("Content-");
    let mut out: String =
        head.split("\r\n").filter(kept).map(|line| format!("{line}\r\n")).collect();
    if text.starts_with("INVITE") {
        out.push_str("Content-Length: 0\r\n\r\n");
    } else {
        let answer = String::from_utf8_lossy(LATE);
        out.push_str(&format!(
            "Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{answer}",
            LATE.len()
        ));
    }
    out.into_bytes()
}

pub(crate) fn endpoint(address: SocketAddr, seed: u8) -> Endpoint {
    let listener = Listener { transport: Transport::Udp, advertised: address };
    Endpoint::new(Config::new("test", vec![listener]), [seed; 32])
}

pub(crate) fn uri(text: &str) -> Uri {
    Uri::parse(text.as_bytes()).expect("a URI")
}

pub(crate) fn remote(address: SocketAddr) -> Remote {
    Remote { address, listener: ListenerId(0), transport: Transport::Udp }
}

pub(crate) fn invite(destination: SocketAddr, offer: &str) -> Invite {
    Invite {
        listener: ListenerId(0),
        destination,
        stream: None,
        target: uri("sip:+31201234567@192.0.2.2"),
        routes: Vec::new(),
        from: NameAddr::new(uri("sip:+31612345678@192.0.2.1")),
        to: NameAddr::new(uri("sip:+31201234567@192.0.2.2")),
        headers: Vec::new(),
        body: Body::sdp(offer.as_bytes().to_vec()),
        max_forwards: 70,
        abilities: Abilities::default(),
    }
}

impl World {
    pub(crate) fn new(seed: u64, weather: Weather) -> World {
        let start = Instant::now();
        let node = |address: &str, seed: u8| {
            let address = address.parse().expect("an address");
            Node {
                endpoint: endpoint(address, seed),
                address,
                leg: None,
                fork: None,
                events: Vec::new(),
                said: None,
                heard: None,
                invites: 0,
                asked: 0,
                told: Vec::new(),
            }
        };
        World {
            now: start,
            start,
            nodes: [node("192.0.2.1:5060", 1), node("192.0.2.2:5060", 2)],
            tasks: BTreeMap::new(),
            counter: 0,
            chance: Chance::new(seed),
            weather,
            called: Vec::new(),
            trace: Vec::new(),
            late: false,
            answers: Vec::new(),
            session: None,
        }
    }

    /// The answers that came in ACKs to the called side.
    pub(crate) fn late_answers(&self) -> &[Option<Vec<u8>>] {
        &self.answers
    }

    /// Node 0 calls node 1 now.
    pub(crate) fn call(&mut self) {
        let destination = self.nodes[1].address;
        let abilities = Abilities { session: self.session, ..Abilities::default() };
        let invite = Invite { abilities, ..invite(destination, "v=0 first") };
        let leg = self.nodes[0].endpoint.invite(self.now, &invite).expect("room");
        self.nodes[0].leg = Some(leg);
        self.nodes[0].said = Some(b"v=0 first".to_vec());
        self.flush();
    }

    /// Plans a step, milliseconds from the start.
    pub(crate) fn at(&mut self, ms: u64, node: usize, step: Step) {
        self.put(self.start + Duration::from_millis(ms), Task::Step(node, step));
    }

    fn put(&mut self, at: Instant, task: Task) {
        self.counter += 1;
        self.tasks.insert((at, self.counter), task);
    }

    /// Runs until nothing is left to happen.
    pub(crate) fn run(&mut self) {
        loop {
            let timers = self.nodes.iter().filter_map(|node| node.endpoint.poll_timeout()).min();
            let task = self.tasks.first_key_value().map(|((at, _), _)| *at);
            let Some(next) = timers.into_iter().chain(task).min() else { return };
            self.now = self.now.max(next);
            assert!(
                self.now - self.start < Duration::from_secs(1200),
                "the world never comes to rest"
            );
            for node in &mut self.nodes {
                node.endpoint.handle_timeout(self.now);
            }
            if task.is_some_and(|at| at <= self.now)
                && let Some((_, task)) = self.tasks.pop_first()
            {
                self.act(task);
            }
            self.flush();
        }
    }

    fn act(&mut self, task: Task) {
        match task {
            Task::Deliver(to, from, octets) => {
                self.nodes[to].endpoint.receive(self.now, remote(from), &octets);
            }
            Task::Step(at, step) => {
                let now = self.now;
                let node = &mut self.nodes[at];
                let Some(leg) = node.leg else { return };
                // A step that comes too late is refused, which is what the scenarios race for.
                let done = match &step {
                    Step::Ring => node.endpoint.respond(now, leg, 180, &[], None),
                    Step::Answer => {
                        let answer =
                            [b"answer to ", node.heard.as_deref().unwrap_or_default()].concat();
                        let body = Body::sdp(answer.clone());
                        let done = node.endpoint.respond(now, leg, 200, &[], Some(&body));
                        if done.is_ok() {
                            node.said = Some(answer);
                        }
                        done
                    }
                    Step::Reject(status) => node.endpoint.respond(now, leg, *status, &[], None),
                    Step::Bye => node.endpoint.bye(now, leg, &[]),
                    Step::Refer => {
                        let to = Header::new("Refer-To", "<sip:102@192.0.2.9>").expect("a header");
                        node.endpoint.send(now, leg, Method::REFER, &[to], None).map(|_| ())
                    }
                    Step::Cancel => node.endpoint.cancel(now, leg, &[]),
                    Step::Reinvite(offer) => {
                        node.endpoint.reinvite(now, leg, Body::sdp(offer.as_bytes().to_vec()))
                    }
                    Step::Early => {
                        let answer =
                            [b"answer to ", node.heard.as_deref().unwrap_or_default()].concat();
                        node.endpoint.respond(now, leg, 183, &[], Some(&Body::sdp(answer)))
                    }
                    Step::Update(offer) => {
                        let body = Body::sdp(offer.as_bytes().to_vec());
                        node.endpoint.update(now, leg, node.fork, body)
                    }
                };
                self.trace.push(format!("{:?} node {at} step {:?}", now - self.start, done));
            }
        }
    }

    /// Carries what the endpoints want to send and takes note of what they report.
    fn flush(&mut self) {
        for at in 0..2 {
            while let Some(event) = self.nodes[at].endpoint.poll_event() {
                self.trace.push(format!("{:?} node {at} {event:?}", self.now - self.start));
                self.note(at, &event);
                self.nodes[at].events.push(event);
            }
        }
        for at in 0..2 {
            let from = self.nodes[at].address;
            while let Some(transmit) = self.nodes[at].endpoint.poll_transmit() {
                let to = self.nodes.iter().position(|node| node.address == transmit.remote.address);
                let first =
                    transmit.octets.split(|&octet| octet == b'\r').next().unwrap_or_default();
                let line = String::from_utf8_lossy(first).into_owned();
                self.trace.push(format!("{:?} node {at} sends {line}", self.now - self.start));
                self.carry(to.expect("a node"), from, &transmit.octets);
            }
        }
    }

    fn carry(&mut self, to: usize, from: SocketAddr, octets: &[u8]) {
        let passing = self.late && (octets.starts_with(b"INVITE") || octets.starts_with(b"ACK"));
        let octets = if passing { late(octets) } else { octets.to_vec() };
        let copies = 1 + u64::from(self.chance.below(1000) < self.weather.twice);
        for _ in 0..copies {
            if self.chance.below(1000) >= self.weather.loss {
                let delay = Duration::from_millis(1 + self.chance.below(self.weather.delay_ms + 1));
                self.put(self.now + delay, Task::Deliver(to, from, octets.to_vec()));
            }
        }
    }

    fn note(&mut self, at: usize, event: &Event) {
        let now = self.now;
        match event {
            Event::IncomingInvite { leg, offer, .. } => {
                let node = &mut self.nodes[at];
                node.invites += 1;
                node.endpoint.set_session_timer(now, *leg, self.session).expect("a leg");
                node.leg = Some(*leg);
                node.heard = offer.as_ref().map(|offer| offer.to_vec());
                for (ms, step) in self.called.clone() {
                    self.put(now + Duration::from_millis(ms), Task::Step(at, step));
                }
            }
            Event::Answered { sdp, .. } => self.nodes[at].heard = Some(sdp.to_vec()),
            Event::Reinvite { leg, offer, .. } => {
                let node = &mut self.nodes[at];
                let offer = offer.as_ref().map(|offer| offer.to_vec()).unwrap_or_default();
                let answer = [b"answer to ", &offer[..]].concat();
                let body = Body::sdp(answer.clone());
                node.endpoint.answer_reinvite(now, *leg, 200, &[], Some(&body)).expect("asked");
                (node.said, node.heard) = (Some(answer), Some(offer));
            }
            Event::Reanswered { sdp, .. } => {
                let answer = sdp.as_ref().map(|sdp| sdp.to_vec()).expect("an answer");
                let node = &mut self.nodes[at];
                node.said =
                    answer.strip_prefix(b"answer to ").map(<[u8]>::to_vec).or(node.said.take());
                node.heard = Some(answer);
            }
            Event::Acked { answer, .. } => {
                self.answers.push(answer.as_ref().map(|answer| answer.to_vec()))
            }
            Event::Asked { leg, ask, .. } => {
                let node = &mut self.nodes[at];
                node.endpoint.answer_asked(now, (*leg, *ask), 202, &[], None).expect("asked");
                node.asked += 1;
            }
            Event::Told { status, .. } => self.nodes[at].told.push(*status),
            Event::Provisional { fork, .. } => self.nodes[at].fork = Some(*fork),
            Event::Pracked { .. }
            | Event::ForkEnded { .. }
            | Event::Cancelled { .. }
            | Event::Rejected { .. }
            | Event::ReinviteRefused { .. }
            | Event::Info { .. }
            | Event::Bye { .. }
            | Event::Ended { .. }
            | Event::Registration { .. }
            | Event::Noted { .. }
            | Event::Pong { .. } => {}
        }
    }

    /// What must hold after every run, whatever the weather.
    pub(crate) fn check(&self, seed: u64) {
        for (at, node) in self.nodes.iter().enumerate() {
            let context = || format!("seed {seed}, node {at}\n{}", self.trace.join("\n"));
            assert_eq!(node.endpoint.legs(), 0, "a leg is left: {}", context());
            assert_eq!(node.endpoint.transactions(), 0, "a transaction is left: {}", context());
            assert!(node.endpoint.is_idle(), "a name or deadline is left: {}", context());
            assert!(node.invites <= 1, "a retransmission became a call: {}", context());
            let ends = node.events.iter().filter(|event| event.ends_leg().is_some()).count();
            assert_eq!(ends, usize::from(node.leg.is_some()), "one end per leg: {}", context());
            if let Some(last) = node.events.last() {
                assert!(last.ends_leg().is_some(), "nothing follows the end: {}", context());
            }
        }
    }

    /// How each side ended, for counting.
    pub(crate) fn ends(&self) -> [String; 2] {
        let end = |node: &Node| match node.events.last() {
            Some(Event::Rejected { status, .. }) => format!("Rejected {status}"),
            Some(Event::Cancelled { .. }) => "Cancelled".to_owned(),
            Some(Event::Bye { .. }) => "Bye".to_owned(),
            Some(Event::Ended { why, .. }) => format!("{why:?}"),
            Some(_) | None => "nothing".to_owned(),
        };
        [end(&self.nodes[0]), end(&self.nodes[1])]
    }
}
