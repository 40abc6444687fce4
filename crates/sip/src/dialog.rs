//! A dialog: what both sides agreed to call it, and how to reach the other side (RFC 3261 §12).

use std::net::SocketAddr;

use crate::network::{Remote, Way};
use crate::uri::{Host, SipUri, Uri};
use crate::wire::address::NameAddr;
use crate::wire::header::{Header, Params};
use crate::wire::message::Message;
use crate::wire::request::Request;

/// The state of RFC 3261 §12, from our side.
#[derive(Clone)]
pub(crate) struct Dialog {
    pub(crate) call_id: Vec<u8>,
    /// From of our requests, tag included.
    pub(crate) local: Vec<u8>,
    pub(crate) local_tag: Vec<u8>,
    /// To of our requests, tag included once there is one.
    pub(crate) remote: Vec<u8>,
    pub(crate) remote_tag: Option<Vec<u8>>,
    pub(crate) local_cseq: u32,
    pub(crate) remote_cseq: Option<u32>,
    /// The route set in the order of our requests.
    routes: Vec<NameAddr>,
    target: Uri,
    /// What every message of ours in the dialog carries besides (RFC 7989).
    pub(crate) standing: Vec<Header>,
}

impl Dialog {
    /// The dialog that an INVITE opens towards us (RFC 3261 §12.1.1). An INVITE without a usable
    /// Contact leaves its From as the target; the address it came from is the next hop then.
    pub(crate) fn incoming(request: &Request, local_tag: String, local_cseq: u32) -> Dialog {
        let mut local = request.message().first("To").unwrap_or_default().to_vec();
        local.extend_from_slice(format!(";tag={local_tag}").as_bytes());
        let contact = contact(request.message());
        Dialog {
            call_id: request.call_id().to_vec(),
            local,
            local_tag: local_tag.into_bytes(),
            remote: request.message().first("From").unwrap_or_default().to_vec(),
            remote_tag: request.from().tag().map(<[u8]>::to_vec),
            local_cseq,
            remote_cseq: Some(request.cseq()),
            routes: record_routes(request.message()),
            target: contact.unwrap_or_else(|| request.from().uri.clone()),
            standing: Vec::new(),
        }
    }

    /// The dialog-to-be of an INVITE of ours; the routes are those configured for the peer.
    pub(crate) fn outgoing(
        call_id: String,
        local_tag: String,
        from: &NameAddr,
        to: &NameAddr,
        target: Uri,
        routes: Vec<NameAddr>,
        local_cseq: u32,
    ) -> Dialog {
        let (mut local, mut remote) = (from.clone(), to.clone());
        local.params.set("tag", Some(local_tag.as_bytes()));
        remote.params.remove("tag");
        Dialog {
            call_id: call_id.into_bytes(),
            local: local.to_wire(),
            local_tag: local_tag.into_bytes(),
            remote: remote.to_wire(),
            remote_tag: None,
            local_cseq,
            remote_cseq: None,
            routes,
            target,
            standing: Vec::new(),
        }
    }

    /// The dialog that a 2xx makes of it (RFC 3261 §12.1.2 and §13.2.2.4): its tag, its Contact, its
    /// Record-Route reversed.
    pub(crate) fn confirmed(&self, response: &Message) -> Dialog {
        let mut routes = record_routes(response);
        routes.reverse();
        Dialog {
            remote: response.first("To").unwrap_or(&self.remote).to_vec(),
            remote_tag: to_tag(response),
            // Another fork may have counted before this one answered.
            remote_cseq: self.remote_cseq.filter(|_| self.remote_tag == to_tag(response)),
            routes,
            target: contact(response).unwrap_or_else(|| self.target.clone()),
            ..self.clone()
        }
    }

    /// Takes ourselves off the beginning of the route set: what we put there, or a peer that counts us
    /// among its proxies, must not make us send to ourselves (row T-08).
    pub(crate) fn without(mut self, own: &[SocketAddr]) -> Dialog {
        let others = self.routes.iter().position(|route| {
            route.uri.socket_address().is_none_or(|address| !own.contains(&address))
        });
        self.routes.drain(..others.unwrap_or(self.routes.len()));
        self
    }

    /// Where the other side says that it is: its last Contact.
    pub(crate) fn target(&self) -> &Uri {
        &self.target
    }

    /// A target refresh (RFC 3261 §12.2): the Contact of a re-INVITE or of its 2xx.
    pub(crate) fn refresh(&mut self, message: &Message) {
        if let Some(contact) = contact(message) {
            self.target = contact;
        }
    }

    /// The number of our next request.
    pub(crate) fn next_cseq(&mut self) -> u32 {
        self.local_cseq = (self.local_cseq + 1) & 0x7fff_ffff;
        self.local_cseq
    }

    /// Is this request of the other side in order (RFC 3261 §12.2.2)? Notes its number if so.
    pub(crate) fn in_order(&mut self, cseq: u32) -> bool {
        let later = self.remote_cseq.is_none_or(|last| cseq > last);
        if later {
            self.remote_cseq = Some(cseq);
        }
        later
    }

    /// Request-URI and Route values of our next request (RFC 3261 §12.2.1.1); a first route without
    /// `lr` is a strict router and takes the place of the Request-URI (row R-02).
    pub(crate) fn heading(&self) -> (String, Vec<Vec<u8>>) {
        let target = self.target.to_request_uri();
        match self.routes.split_first() {
            None => (target, Vec::new()),
            Some((first, rest)) if is_strict(&first.uri) => {
                let mut routes: Vec<Vec<u8>> = rest.iter().map(NameAddr::to_wire).collect();
                routes.push(NameAddr::new(self.target.clone()).to_wire());
                (first.uri.to_request_uri(), routes)
            }
            Some(_) => (target, self.routes.iter().map(NameAddr::to_wire).collect()),
        }
    }

    /// Where our next request goes: the first route or the target if it is a numeric address, else
    /// the address the dialog was set up with (names are the shell's to resolve). A stream to the
    /// same host is used again while it is open: many a phone takes no connection of ours.
    pub(crate) fn next_hop(&self, peer: Remote) -> Way {
        let uri = self.routes.first().map_or(&self.target, |route| &route.uri);
        let address = uri.socket_address().unwrap_or(peer.address);
        let same = peer.transport.is_reliable() && address.ip() == peer.address.ip();
        let over = same.then_some(peer.address);
        Way { remote: Remote { address, ..peer }, over, alias: false }
    }
}

fn is_strict(uri: &Uri) -> bool {
    match uri {
        Uri::Sip(uri) => !uri.params.has("lr"),
        Uri::Tel(_) | Uri::Other(_) => false,
    }
}

/// The tag of To.
pub(crate) fn to_tag(message: &Message) -> Option<Vec<u8>> {
    NameAddr::parse(message.first("To")?)?.tag().map(<[u8]>::to_vec)
}

fn contact(message: &Message) -> Option<Uri> {
    message.list("Contact").into_iter().find_map(NameAddr::parse).map(|contact| contact.uri)
}

fn record_routes(message: &Message) -> Vec<NameAddr> {
    message.list("Record-Route").into_iter().filter_map(NameAddr::parse).collect()
}

/// A SIP URI for one of our own addresses.
pub(crate) fn own_uri(address: std::net::SocketAddr, transport: crate::network::Transport) -> Uri {
    let mut params = Params::default();
    match transport {
        crate::network::Transport::Udp => {}
        crate::network::Transport::Tcp => params.set("transport", Some(b"tcp")),
        crate::network::Transport::Tls => params.set("transport", Some(b"tls")),
    }
    Uri::Sip(SipUri {
        secure: false,
        user: None,
        password: None,
        host: Host::Ip(address.ip()),
        port: Some(address.port()),
        params,
        headers: None,
    })
}
