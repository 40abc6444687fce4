//! A small softphone: it calls or answers, speaks a tone, presses keys, and reports what it hears.
//!
//! `demo` uses two of them as caller and PBX, and so do the tests. It is a real SIP and RTP peer on
//! real sockets, built from the same endpoint as the node.

mod line;
pub mod speech;
mod voice;

use std::{
    fmt,
    net::SocketAddr,
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

/// Makes the payload of each packet that a phone sends, when it sends it: 160 coded samples.
#[derive(Clone)]
pub struct Payloads(Arc<dyn Fn() -> [u8; 160] + Send + Sync>);

impl Payloads {
    /// Asks `make` once for every packet, on the phone's thread.
    pub fn new(make: impl Fn() -> [u8; 160] + Send + Sync + 'static) -> Self {
        Self(Arc::new(make))
    }
}

impl fmt::Debug for Payloads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Payloads")
    }
}

/// What a phone is to do.
#[derive(Clone, Debug)]
pub enum Order {
    /// Call a number at a node.
    Call {
        /// The node.
        node: SocketAddr,
        /// The number.
        number: String,
    },
    /// Speak a tone of so many hertz from now on; 0 is silence.
    Speak(f64),
    /// Speak these payloads from now on, as they are.
    Utter(Payloads),
    /// Press a key for 100 ms (RFC 4733).
    Press(char),
    /// Hang up.
    HangUp,
}

/// How a phone takes calls.
#[derive(Clone, Copy, Debug)]
pub enum Manner {
    /// It only calls.
    Caller,
    /// It answers after a while and speaks a tone.
    Answers {
        /// How long it rings.
        after: Duration,
        /// The tone in hertz.
        tone_hz: f64,
    },
}

/// What happened at a phone.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A call came in.
    Invited,
    /// The other side rings.
    Ringing,
    /// The call is answered.
    Answered,
    /// 20 ms of sound came in, decoded to 8 kHz samples.
    Heard(Vec<i16>),
    /// The call is over.
    Ended,
}

/// What happened, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Happened {
    /// When.
    pub at: Instant,
    /// What.
    pub what: What,
}

/// A running phone. Dropping it ends its thread and with it the call.
pub struct Phone {
    address: SocketAddr,
    orders: mpsc::Sender<Order>,
    happened: mpsc::Receiver<Happened>,
}

impl Phone {
    /// Where it receives SIP.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Gives an order. A phone that is gone takes none.
    pub fn order(&self, order: Order) {
        let _gone = self.orders.send(order);
    }

    /// What happens next, if anything does within `wait`.
    #[must_use]
    pub fn next(&self, wait: Duration) -> Option<Happened> {
        self.happened.recv_timeout(wait).ok()
    }

    /// Everything that has happened until now.
    pub fn all(&self) -> impl Iterator<Item = Happened> {
        self.happened.try_iter()
    }
}
