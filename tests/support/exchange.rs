//! A SIP and RTP peer written apart from the product: any number of calls, as callers or as a PBX.
//!
//! It shares no line of protocol code with the node, so that both cannot be wrong in the same way.

pub mod message;
pub(crate) mod sound;
mod work;

use std::{
    net::SocketAddr,
    sync::mpsc::{Receiver, Sender},
    thread,
    time::{Duration, Instant},
};

use message::{header, status, user_of};

/// How a peer takes calls.
#[derive(Clone, Debug)]
pub enum Manner {
    /// It answers after a while, speaks a tone, and then acts by the clock of its answer.
    Answers {
        /// How long it rings; nothing at all rings for zero.
        after: Duration,
        /// The tone from the answer on, in hertz.
        tone_hz: f64,
        /// What it does, and when after the answer.
        acts: Vec<(Duration, Act)>,
    },
    /// It says this status.
    Says(u16),
    /// It rings until it is cancelled.
    Rings,
}

/// Something that a party does in a call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Act {
    /// Speaks a tone of so many hertz; 0 is silence.
    Speak(f64),
    /// Presses a key for 100 ms (RFC 4733).
    Press(char),
    /// Presses a key whose packets all get lost.
    PressLost(char),
    /// Holds with a re-INVITE (`sendonly`).
    Hold,
    /// Comes back with a re-INVITE (`sendrecv`).
    Resume,
    /// Sends no packet any more, as a phone that has lost its network.
    Mute,
    /// Each of its packets says from now on which it is, and when it was sent, counted from this moment
    /// ([`crate::stamp::Stamp`]).
    Stamp(Instant),
    /// Transfers the other side to this user of its peer, blindly (RFC 3515).
    Refer(&'static str),
    /// Hangs up.
    HangUp,
}

/// A call to place.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What is dialled.
    pub number: String,
    /// Who calls: the user of `From`.
    pub from: String,
    /// What the caller does, and when after the answer.
    pub acts: Vec<(Duration, Act)>,
}

impl Plan {
    /// A call of `from` to `number`.
    #[must_use]
    pub fn new(from: &str, number: &str) -> Self {
        Self { number: number.to_owned(), from: from.to_owned(), acts: Vec::new() }
    }

    /// Adds something to do so many milliseconds after the answer.
    #[must_use]
    pub fn at(mut self, millis: u64, act: Act) -> Self {
        self.acts.push((Duration::from_millis(millis), act));
        self
    }
}

/// A SIP message as it crossed the wire.
#[derive(Clone, Debug)]
pub struct Message {
    /// When.
    pub at: Instant,
    /// Whether it came in.
    pub received: bool,
    /// All of it.
    pub text: String,
}

/// 20 ms of sound as they came in.
#[derive(Clone, Debug)]
pub struct Heard {
    /// When.
    pub at: Instant,
    /// RTP sequence number.
    pub sequence: u16,
    /// RTP timestamp.
    pub timestamp: u32,
    /// 8 kHz samples.
    pub samples: Vec<i16>,
}

/// Everything that happened in one call.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// SIP, in order.
    pub messages: Vec<Message>,
    /// Sound that came in.
    pub heard: Vec<Heard>,
    /// Keys that came in (RFC 4733), each once.
    pub pressed: Vec<(Instant, char)>,
    /// What was done, and when its first packet or message left.
    pub acts: Vec<(Instant, Act)>,
}

impl History {
    /// The first request of a method that came in (or went out).
    #[must_use]
    pub fn request(&self, method: &str, received: bool) -> Option<&Message> {
        let is = |m: &&Message| m.received == received && m.text.starts_with(&format!("{method} "));
        self.messages.iter().find(is)
    }

    /// The final status that came in for a method.
    #[must_use]
    pub fn answer(&self, method: &str) -> Option<(Instant, u16)> {
        let of = |m: &&Message| {
            m.received && header(&m.text, "CSeq").is_some_and(|cseq| cseq.ends_with(method))
        };
        let all = self.messages.iter().filter(of);
        all.filter_map(|m| status(&m.text).map(|status| (m.at, status))).find(|(_, s)| *s >= 200)
    }

    /// When the call was answered, whoever did.
    #[must_use]
    pub fn answered(&self) -> Option<Instant> {
        let ok = |m: &&Message| {
            status(&m.text) == Some(200)
                && header(&m.text, "CSeq").is_some_and(|cseq| cseq.ends_with("INVITE"))
        };
        self.messages.iter().find(ok).map(|m| m.at)
    }

    /// Whether it is over: a BYE in either direction, a cancellation, or a refusal.
    #[must_use]
    pub fn over(&self) -> bool {
        let bye = |m: &Message| m.text.starts_with("BYE ") || m.text.starts_with("CANCEL ");
        self.messages.iter().any(bye) || self.answer("INVITE").is_some_and(|(_, s)| s >= 300)
    }

    /// When it first did this.
    #[must_use]
    pub fn did(&self, act: Act) -> Option<Instant> {
        self.acts.iter().find(|(_, done)| *done == act).map(|(at, _)| *at)
    }

    /// All samples that came in from one moment to another, in order.
    #[must_use]
    pub fn samples(&self, from: Instant, until: Instant) -> Vec<i16> {
        let between = self.heard.iter().filter(|heard| heard.at >= from && heard.at < until);
        between.flat_map(|heard| heard.samples.iter().copied()).collect()
    }
}

pub(crate) enum Order {
    Call(SocketAddr, Plan),
    Act(usize, Act),
}

pub(crate) struct Seen {
    call: usize,
    at: Instant,
    what: What,
}

pub(crate) enum What {
    Message(bool, String),
    Heard { sequence: u16, timestamp: u32, samples: Vec<i16> },
    Pressed(char),
    Acted(Act),
}

/// A running peer. Dropping it silences it without a word.
pub struct Exchange {
    address: SocketAddr,
    orders: Sender<Order>,
    seen: Receiver<Seen>,
    placed: usize,
    calls: Vec<History>,
}

impl Exchange {
    /// Its SIP address.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Places a call and returns its index.
    pub fn call(&mut self, node: u16, plan: Plan) -> usize {
        let node = SocketAddr::from(([127, 0, 0, 1], node));
        let _gone = self.orders.send(Order::Call(node, plan));
        self.placed += 1;
        self.placed - 1
    }

    /// Does something in a call, now.
    pub fn act(&self, call: usize, act: Act) {
        let _gone = self.orders.send(Order::Act(call, act));
    }

    /// Everything that has happened until now.
    pub fn calls(&mut self) -> &[History] {
        while let Ok(seen) = self.seen.try_recv() {
            self.note(seen);
        }
        &self.calls
    }

    /// Waits until something is true of the calls, and says whether it is.
    #[must_use]
    pub fn until(&mut self, limit: Duration, is: impl Fn(&[History]) -> bool) -> bool {
        let until = Instant::now() + limit;
        while !is(self.calls()) {
            if Instant::now() > until {
                return false;
            }
            thread::sleep(Duration::from_millis(5));
        }
        true
    }

    /// The history of the call that this user placed.
    ///
    /// # Panics
    /// There is none.
    #[must_use]
    pub fn of(&mut self, from: &str) -> History {
        self.find(from).unwrap_or_else(|| panic!("no call of {from} came here"))
    }

    /// The same, when it may not exist.
    #[must_use]
    pub fn find(&mut self, from: &str) -> Option<History> {
        let by = |call: &&History| {
            let invite = call.messages.iter().find(|m| m.text.starts_with("INVITE "));
            invite.and_then(|m| user_of(&m.text)).is_some_and(|user| user == from)
        };
        self.calls().iter().find(by).cloned()
    }

    fn note(&mut self, Seen { call, at, what }: Seen) {
        while self.calls.len() <= call {
            self.calls.push(History::default());
        }
        let Some(history) = self.calls.get_mut(call) else { return };
        match what {
            What::Message(received, text) => {
                history.messages.push(Message { at, received, text });
            }
            What::Heard { sequence, timestamp, samples } => {
                history.heard.push(Heard { at, sequence, timestamp, samples });
            }
            What::Pressed(key) => history.pressed.push((at, key)),
            What::Acted(act) => history.acts.push((at, act)),
        }
    }
}
