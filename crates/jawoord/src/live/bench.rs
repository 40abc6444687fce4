//! Sockets for a look without a node: the listeners' own, with an endpoint that only asks.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use ring::rand::{SecureRandom, SystemRandom};
use sip::{Endpoint, Glance, Remote};
use tokio::{runtime::Handle, sync::mpsc, task::AbortHandle, time};

use super::ask::{Ask, Trials};
use crate::{
    config::{judge::Settings, listener::Listener},
    net::{Heard, Net, sign::Outlet},
    way,
};

/// A running bench; it ends, and its sockets close, when it is dropped.
pub struct Bench {
    asks: mpsc::UnboundedSender<Ask>,
    task: AbortHandle,
}

impl Bench {
    /// Opens these listeners and begins to ask. Whoever calls meanwhile hears nothing: no node is
    /// here.
    ///
    /// # Errors
    /// An address is taken, or the machine gives no random seed.
    pub async fn start(settings: &Arc<Settings>, listeners: Box<[Listener]>) -> io::Result<Self> {
        let openings: Vec<_> = listeners.iter().map(Listener::opening).collect();
        let (net, signs) = Net::open(&openings, settings.bounds, Handle::current()).await?;
        let mut seed = [0; 32];
        let drawn = SystemRandom::new().fill(&mut seed);
        drawn.map_err(|_| io::Error::other("no random seed"))?;
        let ends = listeners.iter().map(Listener::for_endpoint).collect();
        let agent = concat!("jawoord/", env!("CARGO_PKG_VERSION"));
        let config = sip::Config { timers: settings.timers, ..sip::Config::new(agent, ends) };
        let endpoint = Endpoint::new(config, seed);
        let (asks, inbox) = mpsc::unbounded_channel();
        let owner = Owner { endpoint, net, listeners, trials: Trials::default() };
        let task = tokio::spawn(owner.run(signs, inbox)).abort_handle();
        Ok(Self { asks, task })
    }

    /// The way to ask.
    #[must_use]
    pub fn asks(&self) -> mpsc::UnboundedSender<Ask> {
        self.asks.clone()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What the bench's loop owns.
struct Owner {
    endpoint: Endpoint,
    net: Net,
    listeners: Box<[Listener]>,
    trials: Trials,
}

impl Owner {
    async fn run(mut self, mut signs: Outlet, mut asks: mpsc::UnboundedReceiver<Ask>) {
        loop {
            let wake = self.endpoint.poll_timeout();
            let wake = wake.unwrap_or_else(|| Instant::now() + Duration::from_secs(3_600));
            tokio::select! {
                Some(sign) = signs.next() => {
                    let heard = self.net.take(sign, true);
                    self.hears(heard);
                }
                Some(ask) = asks.recv() => self.takes(ask),
                () = time::sleep_until(wake.into()) => {
                    self.endpoint.handle_timeout(Instant::now());
                }
            }
            self.settle();
        }
    }

    fn hears(&mut self, heard: Option<Heard>) {
        match heard {
            Some(Heard::Message { source, octets }) if is_answer(&octets) => {
                self.endpoint.receive(Instant::now(), source, &octets);
            }
            Some(Heard::Gone(asked)) => asked.into_iter().for_each(|remote| self.gone(remote)),
            Some(Heard::Severed { connection, asked }) => {
                self.endpoint.severed(Instant::now(), connection, &asked);
            }
            Some(Heard::Message { .. }) | None => {}
        }
    }

    fn gone(&mut self, remote: Remote) {
        self.endpoint.unreachable(Instant::now(), remote);
    }

    fn takes(&mut self, ask: Ask) {
        let leaves = ask.way().and_then(|way| {
            let to = (way.host.as_deref(), way.address);
            let transport = way.transport.on_the_wire();
            way::leaves(&self.listeners, &mut self.net, &way.reach.exit, to, transport)
        });
        self.trials.take(Instant::now(), ask, &mut self.endpoint, leaves, Vec::new());
    }

    fn settle(&mut self) {
        loop {
            while let Some(event) = self.endpoint.poll_event() {
                let _nobody_elses = self.trials.heard(Instant::now(), event, &mut self.endpoint);
            }
            let Some(transmit) = self.endpoint.poll_transmit() else { return };
            let remote = transmit.remote;
            if self.net.send(transmit).is_err() {
                self.gone(remote);
            }
        }
    }
}

/// Whether a message belongs to what we asked. A peer that asks whether we live must not be told
/// so: calls would follow.
fn is_answer(octets: &[u8]) -> bool {
    match sip::glance(octets) {
        Glance::Response(_) | Glance::Inside(_) => true,
        Glance::Outside(_) | Glance::Noise => false,
    }
}
