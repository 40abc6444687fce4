//! Thousands of calls through a caller, a box in the middle and a PBX, over a wire that loses, doubles
//! and reorders, with clocks that jump and hang-ups at every point: nothing is left behind.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says why")]

#[allow(dead_code, reason = "this test program uses the chance and the wire of the other one")]
mod network;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use network::{Chance, endpoint, invite, remote, uri};
use sip::{
    Admission, Algorithm, Body, CommandError, Credentials, Demand, Endpoint, Event, LegId,
    ListenerId, NameAddr, Registration, Secret,
};

const CALLER: usize = 0;
const BOX: usize = 1;
const PBX: usize = 2;

/// What somebody does to a leg at a certain time.
#[derive(Debug, Clone, Copy)]
enum Step {
    Call,
    Ring,
    Answer,
    Reject(u16),
    HangUp,
    Reinvite,
    Register,
}

enum Task {
    Deliver(usize, SocketAddr, Vec<u8>),
    Step(usize, Option<LegId>, Step),
}

/// A caller, a box that is a bridge between its two legs, and a PBX.
struct World {
    now: Instant,
    start: Instant,
    endpoints: [Endpoint; 3],
    addresses: [SocketAddr; 3],
    tasks: BTreeMap<(Instant, u64), Task>,
    counter: u64,
    chance: Chance,
    loss: u64,
    twice: u64,
    delay_ms: u64,
    jumps: bool,
    /// The other leg of each leg of the box.
    pairs: BTreeMap<LegId, LegId>,
    /// Legs that have begun and not ended, by endpoint.
    live: [Vec<LegId>; 3],
    /// The PBX wants to know who calls.
    asks: bool,
    secret: Secret,
    credentials: Arc<Credentials>,
    answered: u64,
    trace: Vec<String>,
}

impl World {
    fn new(seed: u64) -> World {
        let start = Instant::now();
        let addresses = ["192.0.2.1:5060", "192.0.2.2:5060", "192.0.2.3:5060"]
            .map(|address| address.parse().unwrap());
        let mut chance = Chance::new(seed ^ 0x51b0_7a11);
        let rough = chance.below(4);
        let credentials = Credentials {
            user: "box".to_owned(),
            secret: Secret::new("swordfish"),
            realm: Some("pbx".to_owned()),
            weakest: Algorithm::Sha256,
        };
        World {
            now: start,
            start,
            endpoints: [1, 2, 3].map(|number| endpoint(addresses[number as usize - 1], number)),
            addresses,
            tasks: BTreeMap::new(),
            counter: 0,
            loss: [0, 50, 200, 400][rough as usize],
            twice: chance.below(300),
            delay_ms: 1 + chance.below(900),
            jumps: chance.below(2) == 0,
            asks: chance.below(3) == 0,
            pairs: BTreeMap::new(),
            live: [const { Vec::new() }; 3],
            secret: Secret::new("swordfish"),
            credentials: Arc::new(credentials),
            answered: 0,
            trace: Vec::new(),
            chance,
        }
    }

    fn put(&mut self, after_ms: u64, task: Task) {
        self.counter += 1;
        self.tasks.insert((self.now + Duration::from_millis(after_ms), self.counter), task);
    }

    /// Runs until nothing is left to happen. A clock that jumps comes late to its deadlines.
    fn run(&mut self) {
        loop {
            let timers = self.endpoints.iter().filter_map(Endpoint::poll_timeout).min();
            let task = self.tasks.first_key_value().map(|((at, _), _)| *at);
            let Some(next) = timers.into_iter().chain(task).min() else { return };
            self.now = self.now.max(next);
            if self.jumps && self.chance.below(100) == 0 {
                self.now += Duration::from_millis(self.chance.below(120_000));
            }
            let over = self.now - self.start > Duration::from_secs(6 * 3600);
            assert!(!over, "it never comes to rest\n{}", self.trace.join("\n"));
            for endpoint in &mut self.endpoints {
                endpoint.handle_timeout(self.now);
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
                self.endpoints[to].receive(self.now, remote(from), &octets);
            }
            Task::Step(at, leg, step) => self.step(at, leg, step),
        }
    }

    /// A step that comes too late is refused, which is what it races for.
    fn step(&mut self, at: usize, leg: Option<LegId>, step: Step) {
        let now = self.now;
        let leg = leg.or_else(|| self.live[at].last().copied());
        self.trace.push(format!("{:?} {at} does {step:?}", now - self.start));
        match step {
            Step::Call => {
                let order = invite(self.addresses[BOX], "v=0 caller");
                let leg = self.endpoints[CALLER].invite(now, &order).unwrap();
                self.live[CALLER].push(leg);
            }
            Step::Register => {
                let order = Registration {
                    listener: ListenerId(0),
                    destination: self.addresses[PBX],
                    registrar: uri("sip:pbx.example"),
                    account: uri("sip:box@pbx.example"),
                    contact_user: "box".to_owned(),
                    expires_s: 60,
                    credentials: Some(self.credentials.clone()),
                };
                let id = self.endpoints[BOX].register(now, order).unwrap();
                self.endpoints[BOX].unregister(now, id).unwrap();
            }
            Step::Ring | Step::Answer | Step::Reject(_) | Step::HangUp | Step::Reinvite => {
                let Some(leg) = leg else { return };
                self.deal(at, leg, step);
            }
        }
    }

    fn deal(&mut self, at: usize, leg: LegId, step: Step) {
        let now = self.now;
        let endpoint = &mut self.endpoints[at];
        let body = Body::sdp(b"v=0 answer".to_vec());
        let _refused_when_late = match step {
            Step::Ring => endpoint.respond(now, leg, 180, &[], None),
            Step::Answer => endpoint.respond(now, leg, 200, &[], Some(&body)),
            Step::Reject(status) => endpoint.respond(now, leg, status, &[], None),
            Step::Reinvite => endpoint.reinvite(now, leg, body),
            Step::HangUp => {
                endpoint.bye(now, leg, &[]).or_else(|_| endpoint.respond(now, leg, 480, &[], None))
            }
            Step::Call | Step::Register => Ok(()),
        };
    }

    fn flush(&mut self) {
        for at in [CALLER, BOX, PBX] {
            while let Some(event) = self.endpoints[at].poll_event() {
                self.trace.push(format!("{:?} {at} {event:?}", self.now - self.start));
                self.note(at, event);
            }
        }
        for at in [CALLER, BOX, PBX] {
            while let Some(transmit) = self.endpoints[at].poll_transmit() {
                let to = transmit.remote.address;
                let to = self.addresses.iter().position(|address| *address == to).unwrap();
                let copies = 1 + u64::from(self.chance.below(1000) < self.twice);
                for _ in 0..copies {
                    if self.chance.below(1000) >= self.loss {
                        let delay = 1 + self.chance.below(self.delay_ms);
                        let octets = transmit.octets.clone();
                        self.put(delay, Task::Deliver(to, self.addresses[at], octets));
                    }
                }
            }
        }
    }

    fn note(&mut self, at: usize, event: Event) {
        if let Some(leg) = event.ends_leg() {
            let place = self.live[at].iter().position(|live| *live == leg);
            let place = place.unwrap_or_else(|| panic!("a second end: {}", self.trace.join("\n")));
            self.live[at].swap_remove(place);
        }
        match event {
            Event::IncomingInvite { leg, .. } => {
                self.live[at].push(leg);
                if at == BOX { self.bridge(leg) } else { self.rings(leg) }
            }
            Event::Reinvite { leg, .. } => {
                let body = Body::sdp(b"v=0 again".to_vec());
                let answered =
                    self.endpoints[at].answer_reinvite(self.now, leg, 200, &[], Some(&body));
                // An event before this one, of the other leg, may have hung it up.
                assert!(matches!(answered, Ok(()) | Err(CommandError::WrongState)), "{answered:?}");
            }
            Event::Provisional { leg, .. } if at == BOX => self.other(leg, Step::Ring),
            Event::Answered { leg, .. } if at == BOX => {
                self.answered += 1;
                self.other(leg, Step::Answer);
            }
            Event::Rejected { leg, status, .. } if at == BOX => {
                self.other(leg, Step::Reject(if status >= 300 { status } else { 480 }));
            }
            Event::Cancelled { leg, .. } | Event::Bye { leg, .. } | Event::Ended { leg, .. }
                if at == BOX =>
            {
                self.other(leg, Step::HangUp);
            }
            _ => {}
        }
    }

    /// What happened on one leg of the box is done to the other.
    fn other(&mut self, leg: LegId, step: Step) {
        if let Some(other) = self.pairs.get(&leg).copied() {
            self.deal(BOX, other, step);
        }
    }

    /// The box calls on.
    fn bridge(&mut self, near: LegId) {
        let mut order = invite(self.addresses[PBX], "v=0 box");
        order.from = NameAddr::new(uri("sip:+31612345678@192.0.2.2"));
        let far = self.endpoints[BOX].invite(self.now, &order).unwrap();
        self.endpoints[BOX].equip(far, self.credentials.clone()).unwrap();
        self.live[BOX].push(far);
        self.pairs.insert(near, far);
        self.pairs.insert(far, near);
    }

    /// The PBX asks who it is, perhaps, and lets it ring for a while.
    fn rings(&mut self, leg: LegId) {
        if self.asks {
            let demand = Demand { realm: "pbx".to_owned(), md5: false };
            let lookup = |user: &str| (user == "box").then_some(&self.secret);
            let admission = self.endpoints[PBX].admit(self.now, leg, &demand, lookup).unwrap();
            if admission == Admission::Challenged {
                return;
            }
        }
        let mut after = self.chance.below(3000);
        self.put(after, Task::Step(PBX, Some(leg), Step::Ring));
        after += self.chance.below(20_000);
        let end = match self.chance.below(5) {
            0 => Step::Reject(486),
            1 => Step::Reject(503),
            _ => Step::Answer,
        };
        self.put(after, Task::Step(PBX, Some(leg), end));
    }
}

/// One call from its seed: both ends and the box itself hang up at any time. Returns whether the
/// box's call was answered.
fn call(seed: u64) -> bool {
    let mut world = World::new(seed);
    world.put(0, Task::Step(CALLER, None, Step::Call));
    if world.chance.below(8) == 0 {
        let after = world.chance.below(1000);
        world.put(after, Task::Step(BOX, None, Step::Register));
    }
    for _ in 0..world.chance.below(6) {
        let at = usize::try_from(world.chance.below(3)).unwrap();
        let step = if world.chance.below(3) == 0 { Step::HangUp } else { Step::Reinvite };
        let after = world.chance.below(60_000);
        world.put(after, Task::Step(at, None, step));
    }
    // Whoever is still there hangs up, one after the other.
    for (at, after) in [(CALLER, 600_000), (PBX, 700_000), (BOX, 800_000), (BOX, 900_000)] {
        world.put(after, Task::Step(at, None, Step::HangUp));
    }
    world.run();
    for (at, endpoint) in world.endpoints.iter().enumerate() {
        let context = || format!("seed {seed}, endpoint {at}: {}", world.trace.join("\n"));
        assert!(world.live[at].is_empty(), "a leg never ended: {}", context());
        assert_eq!(endpoint.transactions(), 0, "a transaction is left: {}", context());
        assert_eq!(endpoint.legs(), 0, "a leg is left: {}", context());
        assert_eq!(endpoint.registrations(), 0, "a registration is left: {}", context());
        assert!(endpoint.is_idle(), "a name or a deadline is left: {}", context());
    }
    world.answered > 0
}

#[test]
fn three_thousand_calls_through_the_box_leave_no_leg_transaction_or_timer_behind() {
    let answered = (0..3000).filter(|seed| call(*seed)).count();
    assert!((500..2900).contains(&answered), "{answered} were answered: the scenes are too tame");
}

mod long {
    use super::call;

    #[test]
    fn ten_thousand_more_calls_leave_no_leg_transaction_or_timer_behind() {
        let seeds = 1_000_000..1_010_000_u64;
        println!("seeds {seeds:?}");
        let answered = seeds.filter(|seed| call(*seed)).count();
        println!("{answered} were answered");
    }
}
