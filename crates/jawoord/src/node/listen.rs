//! By which listener a message comes and goes, and who is at its other end.

use std::net::SocketAddr;

use sip::{ListenerId, Remote, Transport};

use super::Node;
use crate::{
    config::{exit::Exit, judge::Settings, listener::Listener},
    peer::{self, Peer, Seen},
    way::{self, Leaves},
};

impl Node {
    /// A listener. They stay what they were at the start, whatever the configuration says later.
    pub(crate) fn listener(&self, id: ListenerId) -> Option<&Listener> {
        self.listeners.get(usize::from(id.0))
    }

    /// Who is at the other end.
    pub(crate) fn peer<'a>(&self, settings: &'a Settings, source: Remote) -> Option<Peer<'a>> {
        let listener = self.listener(source.listener);
        let seen = Seen {
            source,
            listener: listener.map(|listener| &*listener.name),
            shown: self.net.names(source),
            asked: listener.and_then(|l| l.tls.as_ref()).is_some_and(|tls| tls.asks),
        };
        peer::of(settings, &self.targets, seen)
    }

    /// By which listener a request to an address of a peer leaves; `None` when none leads there.
    pub(crate) fn leaves(
        &mut self,
        exit: &Exit,
        (host, address): (Option<&str>, SocketAddr),
        transport: Transport,
    ) -> Option<Leaves> {
        way::leaves(&self.listeners, &mut self.net, exit, (host, address), transport)
    }

    /// New certificates and bounds take effect at once, on connections that are made from now on;
    /// new listeners at the next start.
    pub(crate) fn renew_listeners(&mut self, settings: &Settings) {
        let openings: Vec<_> = settings.listeners.iter().map(Listener::opening).collect();
        self.net.renew(&openings, settings.bounds);
        for listener in &mut self.listeners {
            if let Some(new) = settings.listeners.iter().find(|new| new.is_same(listener)) {
                listener.tls.clone_from(&new.tls);
            }
        }
        let same = self.listeners.len() == settings.listeners.len()
            && self.listeners.iter().zip(&settings.listeners).all(|(a, b)| a.is_same(b));
        if !same {
            tracing::warn!("changed listeners take effect at the next start");
        }
    }
}
