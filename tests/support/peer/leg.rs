//! One dialog of a peer: it numbers and addresses the messages and lets the test change each of them.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
};

use super::{draft::Draft, seen::Seen};
use crate::exchange::message::uri;

/// Every call, tag and branch of this process is another one.
static NEXT: AtomicU64 = AtomicU64::new(1);

fn fresh(what: &str) -> String {
    format!("{what}{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A dialog, or the beginning of one, seen from a peer. The fields may be changed at any time.
#[derive(Clone, Debug)]
pub struct Leg {
    /// The peer's own address, for `Via`.
    pub own: SocketAddr,
    /// `Contact` of the peer.
    pub contact: String,
    /// `Call-ID`.
    pub call_id: String,
    /// `From` of our requests.
    pub local: String,
    /// `To` of our requests.
    pub remote: String,
    /// The Request-URI of our requests.
    pub target: String,
    /// Our `Route` headers.
    pub routes: Vec<String>,
    /// The number of our last request.
    pub cseq: u32,
    /// The tag that our responses add to `To`.
    pub tag: String,
    /// `Via` says UDP, TCP or TLS.
    pub transport: &'static str,
    invite: Option<Draft>,
}

impl Leg {
    /// A call that `own` is about to place to `number` at the node.
    #[must_use]
    pub fn calling(own: SocketAddr, from: &str, number: &str, node: SocketAddr) -> Self {
        let tag = fresh("c");
        Self {
            own,
            contact: format!("<sip:{own}>"),
            call_id: fresh("call"),
            local: format!("<sip:{from}@{own}>;tag={tag}"),
            remote: format!("<sip:{number}@{node}>"),
            target: format!("sip:{number}@{node}"),
            routes: Vec::new(),
            cseq: 0,
            tag,
            transport: "UDP",
            invite: None,
        }
    }

    /// The call that this INVITE begins at `own`.
    #[must_use]
    pub fn called(own: SocketAddr, invite: &Seen) -> Self {
        let tag = fresh("p");
        Self {
            own,
            contact: format!("<sip:pbx@{own}>"),
            call_id: invite.header("Call-ID").to_owned(),
            local: format!("{};tag={tag}", invite.header("To")),
            remote: invite.header("From").to_owned(),
            target: invite.contact().to_owned(),
            routes: invite.headers("Record-Route").iter().map(|&route| route.to_owned()).collect(),
            cseq: 0,
            tag,
            transport: "UDP",
            invite: None,
        }
    }

    /// An INVITE (or re-INVITE) without a body.
    pub fn invite(&mut self) -> Draft {
        let draft = self.request("INVITE").with("Contact", &self.contact);
        self.invite = Some(draft.clone());
        draft
    }

    /// The next request of this method.
    pub fn request(&mut self, method: &str) -> Draft {
        self.cseq += 1;
        self.numbered(method, self.cseq, &fresh("z9hG4bK"))
    }

    fn numbered(&self, method: &str, cseq: u32, branch: &str) -> Draft {
        let mut draft = Draft::new(format!("{method} {} SIP/2.0", self.target))
            .with("Via", format!("SIP/2.0/{} {};branch={branch};rport", self.transport, self.own))
            .with("Max-Forwards", "70");
        for route in &self.routes {
            draft = draft.with("Route", route);
        }
        draft
            .with("From", &self.local)
            .with("To", &self.remote)
            .with("Call-ID", &self.call_id)
            .with("CSeq", format!("{cseq} {method}"))
    }

    /// The ACK of a final response to our INVITE; a 2xx is taken into the dialog first.
    ///
    /// # Panics
    /// No INVITE went out.
    pub fn ack(&mut self, response: &Seen) -> Draft {
        let (cseq, _) = response.cseq();
        if response.status().is_some_and(|status| status < 300) {
            self.take(response);
            return self.numbered("ACK", cseq, &fresh("z9hG4bK"));
        }
        let invite = self.invite.as_ref().expect("an INVITE");
        self.like(invite, "ACK", cseq).set("To", response.header("To"))
    }

    /// The CANCEL of our last INVITE.
    ///
    /// # Panics
    /// No INVITE went out.
    #[must_use]
    pub fn cancel(&self) -> Draft {
        let invite = self.invite.as_ref().expect("an INVITE");
        let (number, _) = invite.header("CSeq").and_then(|c| c.split_once(' ')).expect("a CSeq");
        self.like(invite, "CANCEL", number.parse().expect("a number"))
    }

    /// A request of the same transaction as this INVITE.
    fn like(&self, invite: &Draft, method: &str, cseq: u32) -> Draft {
        let draft = self.numbered(method, cseq, "x");
        draft.set("Via", invite.header("Via").expect("a Via"))
    }

    /// Takes tag, target and routes from a response that makes the dialog (RFC 3261 §12.1.2).
    pub fn take(&mut self, response: &Seen) {
        response.header("To").clone_into(&mut self.remote);
        if let Some(contact) = response.get("Contact") {
            uri(contact).clone_into(&mut self.target);
        }
        let routes = response.headers("Record-Route");
        self.routes = routes.iter().rev().map(|&route| route.to_owned()).collect();
    }

    /// A response to a request, with our tag, our Contact where it belongs, and no body.
    #[must_use]
    pub fn reply(&self, request: &Seen, status: u16) -> Draft {
        let mut draft = Draft::new(format!("SIP/2.0 {status} Said"));
        for via in request.headers("Via") {
            draft = draft.with("Via", via);
        }
        for route in request.headers("Record-Route") {
            draft = draft.with("Record-Route", route);
        }
        let to = request.header("To");
        let tagged = to.contains(";tag=") || status == 100;
        let to = if tagged { to.to_owned() } else { format!("{to};tag={}", self.tag) };
        draft = draft
            .with("From", request.header("From"))
            .with("To", to)
            .with("Call-ID", request.header("Call-ID"))
            .with("CSeq", request.header("CSeq"));
        let invites = request.method() == Some("INVITE");
        if invites && (101..400).contains(&status) {
            draft = draft.with("Contact", &self.contact);
        }
        draft
    }
}
