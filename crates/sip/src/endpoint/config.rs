//! What an endpoint is told when it is made.

use std::net::SocketAddr;

use crate::network::{ListenerId, Transport};
use crate::timer::Timers;

/// How often a call is to be refreshed, so that neither side holds it for ever when the other one has
/// vanished (RFC 4028).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionTimer {
    /// The interval that we ask for, in seconds: a refresh every half of it.
    pub expires_s: u32,
    /// The shortest interval that we agree to, in seconds; 90 at least.
    pub min_s: u32,
}

impl Default for SessionTimer {
    /// What RFC 4028 §4 and §5 recommend: half an hour, and no less than a minute and a half.
    fn default() -> SessionTimer {
        SessionTimer { expires_s: 1800, min_s: 90 }
    }
}

/// One socket of the caller's and how the world sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listener {
    /// How messages travel through it.
    pub transport: Transport,
    /// The address written into Via and Contact.
    pub advertised: SocketAddr,
}

/// The settings of an endpoint; they do not change while it lives.
#[derive(Debug, Clone)]
pub struct Config {
    /// Written as `User-Agent` and `Server`; empty writes neither.
    pub user_agent: String,
    /// The sockets; a [`ListenerId`] is a place in this list.
    pub listeners: Vec<Listener>,
    /// The base intervals.
    pub timers: Timers,
    /// What incoming calls get by way of a session timer; `None` agrees to none.
    pub session: Option<SessionTimer>,
    /// The most legs at a time; an INVITE beyond it is answered 503.
    pub max_legs: usize,
    /// The most transactions at a time; a request beyond it is answered 503 without state.
    pub max_transactions: usize,
}

impl Config {
    /// The settings for these sockets: timers of RFC 3261, 20,000 legs, 200,000 transactions.
    pub fn new(user_agent: &str, listeners: Vec<Listener>) -> Config {
        Config {
            user_agent: user_agent.to_owned(),
            listeners,
            timers: Timers::default(),
            session: Some(SessionTimer::default()),
            max_legs: 20_000,
            max_transactions: 200_000,
        }
    }

    /// Every address that is ours.
    pub(crate) fn own(&self) -> Vec<SocketAddr> {
        self.listeners.iter().map(|listener| listener.advertised).collect()
    }

    pub(crate) fn listener(&self, id: ListenerId) -> Option<Listener> {
        self.listeners.get(usize::from(id.0)).copied()
    }
}
