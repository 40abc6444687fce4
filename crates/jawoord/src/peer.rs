//! Who sent a request: the PBX, a trunk, or a stranger.

use std::{net::IpAddr, sync::Arc};

use sip::Remote;

use crate::{
    config::{
        judge::Settings,
        peers::{Pbx, Trunk},
        target::Reach,
    },
    net::certificate::Names,
    targets::{Kind, Targets},
};

/// A known sender.
#[derive(Clone, Copy, Debug)]
pub enum Peer<'a> {
    /// A PBX, known by its exact address and port.
    Pbx(&'a Pbx),
    /// A trunk, known by the narrowest network that holds the address.
    Trunk(&'a Trunk),
}

impl Peer<'_> {
    /// How it is reached, and how it writes numbers.
    #[must_use]
    pub const fn reach(&self) -> &Arc<Reach> {
        match self {
            Self::Pbx(pbx) => &pbx.reach,
            Self::Trunk(trunk) => &trunk.reach,
        }
    }

    /// Its configured name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Pbx(pbx) => &pbx.name,
            Self::Trunk(trunk) => &trunk.name,
        }
    }
}

/// What is seen of whoever sends something.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Where it comes from.
    pub source: Remote,
    /// By which listener.
    pub listener: Option<&'a str>,
    /// Whom its certificate names, if it has shown one that we trust.
    pub shown: Option<&'a Names>,
    /// Whether it was asked for one.
    pub asked: bool,
}

impl Seen<'_> {
    /// Whether the peer may come by this listener, and in this way: one that has names is known by
    /// them alone where certificates are asked for.
    fn may_be(&self, reach: &Reach, by_name: bool) -> bool {
        let exit = &reach.exit;
        let here = exit.listener.as_deref().is_none_or(|name| self.listener == Some(name));
        here && (by_name || !self.asked || exit.tls_names.is_empty())
    }

    fn is_named(&self, names: &[Box<str>]) -> bool {
        self.shown.is_some_and(|shown| names.iter().any(|name| shown.has(name)))
    }
}

/// The most specific peer of a source (row R-19): by the name in its certificate, then the address
/// of a PBX, then the narrowest network.
#[must_use]
pub fn of<'a>(settings: &'a Settings, targets: &Targets, seen: Seen<'_>) -> Option<Peer<'a>> {
    let all = || {
        let pbxs = settings.pbxs.iter().map(|pbx| (&pbx.networks, Peer::Pbx(pbx)));
        let trunks = settings.trunks.iter().map(|trunk| (&trunk.networks, Peer::Trunk(trunk)));
        pbxs.chain(trunks)
    };
    let named = all().map(|(_, peer)| peer).find(|peer| {
        let reach = peer.reach();
        seen.is_named(&reach.exit.tls_names) && seen.may_be(reach, true)
    });
    if named.is_some() {
        return named;
    }
    let stream = seen.source.transport.is_reliable();
    let holder = targets.holder(Kind::Pbx, seen.source.address, stream);
    let pbx = holder.and_then(|peer| settings.pbxs.get(peer.index));
    if let Some(pbx) = pbx.filter(|pbx| seen.may_be(&pbx.reach, false)) {
        return Some(Peer::Pbx(pbx));
    }
    let ip: IpAddr = seen.source.address.ip().to_canonical();
    all()
        .filter(|(_, peer)| seen.may_be(peer.reach(), false))
        .flat_map(|(networks, peer)| networks.iter().map(move |network| (network, peer)))
        .filter(|(network, _)| network.contains(&ip))
        .max_by_key(|(network, _)| network.prefix_len())
        .map(|(_, peer)| peer)
}
