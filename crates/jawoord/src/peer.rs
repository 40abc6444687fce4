//! Who sent a request: the PBX, a trunk, or a stranger.

use std::net::SocketAddr;

use crate::config::judge::{Pbx, Settings, Trunk};

/// A known sender.
#[derive(Clone, Copy, Debug)]
pub enum Peer<'a> {
    /// A PBX, known by its exact address and port.
    Pbx(&'a Pbx),
    /// A trunk, known by the narrowest network that holds the address.
    Trunk(&'a Trunk),
}

impl Peer<'_> {
    /// Its configured name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Pbx(pbx) => &pbx.name,
            Self::Trunk(trunk) => &trunk.name,
        }
    }
}

/// The most specific peer of a source: address and port first, then the narrowest network.
#[must_use]
pub fn of<'a>(settings: &'a Settings, source: SocketAddr) -> Option<Peer<'a>> {
    let ip = source.ip().to_canonical();
    let source = SocketAddr::new(ip, source.port());
    if let Some(pbx) = settings.pbxs.iter().find(|pbx| pbx.address == source) {
        return Some(Peer::Pbx(pbx));
    }
    settings
        .trunks
        .iter()
        .flat_map(|trunk| trunk.networks.iter().map(move |network| (network, trunk)))
        .filter(|(network, _)| network.contains(&ip))
        .max_by_key(|(network, _)| network.prefix_len())
        .map(|(_, trunk)| Peer::Trunk(trunk))
}
