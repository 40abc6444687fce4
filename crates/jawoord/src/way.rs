//! By which listener a request to an address of a peer leaves, and how its URI names the address.

use std::net::SocketAddr;

use sip::{Host, ListenerId, Remote, Transport, Uri};

use crate::{
    config::{exit::Exit, listener::Listener},
    net::Net,
};

/// By which way a request leaves.
#[derive(Clone, Copy)]
pub(crate) struct Leaves {
    /// The listener.
    pub(crate) listener: ListenerId,
    /// What the peer is told of it.
    pub(crate) own: SocketAddr,
    /// The listener for what is too large for a datagram.
    pub(crate) stream: Option<ListenerId>,
}

/// By which of the listeners, which are the sockets of `net` in their order, a request to an address
/// of a peer leaves; `None` when none leads there.
pub(crate) fn leaves(
    listeners: &[Listener],
    net: &mut Net,
    exit: &Exit,
    (host, address): (Option<&str>, SocketAddr),
    transport: Transport,
) -> Option<Leaves> {
    let by = |wanted: Transport| {
        listeners.iter().position(|listener| {
            let own = (&*listener.name, listener.transport, listener.advertised.ip());
            exit.fits(own, (wanted, address.ip()))
        })
    };
    let number = |index: usize| u16::try_from(index).ok().map(ListenerId);
    let place = by(transport)?;
    let listener = number(place)?;
    let stream = by(Transport::Tcp).filter(|_| exit.large_by_tcp).and_then(number);
    let own = listeners.get(place)?.advertised;
    if transport == Transport::Tls {
        let remote = Remote { address, listener, transport };
        net.expects(remote, exit.expected(host, address));
    }
    Some(Leaves { listener, own, stream })
}

/// A target that was found by its name is called by its name, so that every address of it gets the
/// same request. `default` is the port that goes without saying.
pub(crate) fn named(uri: &mut Uri, host: Option<&str>, default: u16) {
    if let (Uri::Sip(uri), Some(host)) = (uri, host) {
        uri.host = Host::Name(host.to_owned());
        uri.port = uri.port.filter(|port| *port != default);
    }
}

/// A stream is named, so that whoever passes the request on takes it, too (RFC 3261 §19.1.1).
pub(crate) fn carried(uri: &mut Uri, transport: Transport) {
    if let Uri::Sip(uri) = uri
        && transport.is_reliable()
    {
        uri.params.set("transport", Some(transport.name().to_ascii_lowercase().as_bytes()));
    }
}
