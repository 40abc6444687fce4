//! Who sent a request: the PBX, a trunk, or a stranger.

use std::{net::IpAddr, sync::Arc};

use sip::Remote;

use crate::{
    config::{
        judge::Settings,
        peers::{Pbx, Trunk},
        target::Reach,
    },
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

/// The most specific peer of a source: the address of a PBX first, then the narrowest network.
#[must_use]
pub fn of<'a>(settings: &'a Settings, targets: &Targets, source: Remote) -> Option<Peer<'a>> {
    let stream = source.transport.is_reliable();
    let holder = targets.holder(Kind::Pbx, source.address, stream);
    if let Some(pbx) = holder.and_then(|peer| settings.pbxs.get(peer.index)) {
        return Some(Peer::Pbx(pbx));
    }
    let ip: IpAddr = source.address.ip().to_canonical();
    let pbxs = settings.pbxs.iter().map(|pbx| (&pbx.networks, Peer::Pbx(pbx)));
    let trunks = settings.trunks.iter().map(|trunk| (&trunk.networks, Peer::Trunk(trunk)));
    pbxs.chain(trunks)
        .flat_map(|(networks, peer)| networks.iter().map(move |network| (network, peer)))
        .filter(|(network, _)| network.contains(&ip))
        .max_by_key(|(network, _)| network.prefix_len())
        .map(|(_, peer)| peer)
}
