//! A peer made of text: it speaks to one endpoint word by word and reads what comes back.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on says why")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use sip::{
    Abilities, Body, Config, Endpoint, Event, Invite, LegId, Listener, ListenerId, Message,
    NameAddr, Remote, Transport, Uri, parse,
};

pub(crate) const SDP: &str = "v=0 sdp";

pub(crate) struct Peer {
    pub(crate) endpoint: Endpoint,
    pub(crate) now: Instant,
    pub(crate) address: SocketAddr,
    /// The last message that was taken, and where it was to go.
    pub(crate) last: Option<Message>,
    pub(crate) destination: Option<SocketAddr>,
}

pub(crate) fn text(value: Option<&[u8]>) -> String {
    String::from_utf8_lossy(value.unwrap_or_default()).into_owned()
}

impl Peer {
    pub(crate) fn new() -> Peer {
        Peer::with_limits(100, 1000)
    }

    pub(crate) fn with_limits(max_legs: usize, max_transactions: usize) -> Peer {
        let advertised = "192.0.2.1:5060".parse().expect("an address");
        let listeners = vec![Listener { transport: Transport::Udp, advertised }];
        let config = Config { max_legs, max_transactions, ..Config::new("test", listeners) };
        Peer {
            endpoint: Endpoint::new(config, [9; 32]),
            now: Instant::now(),
            address: "192.0.2.9:5070".parse().expect("an address"),
            last: None,
            destination: None,
        }
    }

    pub(crate) fn remote(&self) -> Remote {
        Remote { address: self.address, listener: ListenerId(0), transport: Transport::Udp }
    }

    pub(crate) fn tell(&mut self, message: &str) {
        self.endpoint.receive(self.now, self.remote(), message.as_bytes());
    }

    /// Everything the endpoint has to say, read.
    pub(crate) fn take(&mut self) -> Vec<Message> {
        let mut found = Vec::new();
        while let Some(transmit) = self.endpoint.poll_transmit() {
            self.destination = Some(transmit.remote.address);
            let message = parse(&transmit.octets).expect("a message");
            assert_eq!(message.fault(), None, "what we write can be read");
            self.last = Some(message.clone());
            found.push(message);
        }
        found
    }

    pub(crate) fn statuses(&mut self) -> Vec<u16> {
        self.take().iter().filter_map(Message::status).collect()
    }

    pub(crate) fn methods(&mut self) -> Vec<String> {
        self.take()
            .iter()
            .filter_map(Message::method)
            .map(|method| text(Some(method.name())))
            .collect()
    }

    pub(crate) fn event(&mut self) -> Option<Event> {
        self.endpoint.poll_event()
    }

    pub(crate) fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.endpoint.poll_timeout().filter(|at| *at <= end) {
            self.endpoint.handle_timeout(at);
        }
        self.now = end;
    }

    /// A request outside a dialog; the Call-ID is part of the branch.
    pub(crate) fn request(
        &self,
        method: &str,
        call: &str,
        cseq: u32,
        headers: &str,
        body: &str,
    ) -> String {
        format!(
            "{method} sip:+31201234567@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bK{call}\r\n\
             Max-Forwards: 70\r\nFrom: \"A\" <sip:caller@192.0.2.9>;tag=caller\r\nTo: <sip:+31201234567@192.0.2.1>\r\n\
             Call-ID: {call}\r\nCSeq: {cseq} {method}\r\nContact: <sip:caller@192.0.2.9:5070>\r\n{headers}\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    pub(crate) fn invite(&self, call: &str, headers: &str) -> String {
        self.request("INVITE", call, 1, &format!("{headers}Content-Type: application/sdp\r\n"), SDP)
    }

    /// A request inside the dialog of a response of the endpoint's.
    pub(crate) fn inside(
        &self,
        method: &str,
        call: &str,
        cseq: u32,
        dialog: &Message,
        headers: &str,
        body: &str,
    ) -> String {
        let to = text(dialog.first("To"));
        self.request(method, call, cseq, headers, body)
            .replace("To: <sip:+31201234567@192.0.2.1>", &format!("To: {to}"))
            .replace(
                &format!("branch=z9hG4bK{call}"),
                &format!("branch=z9hG4bK{call}-{method}-{cseq}"),
            )
    }

    /// Sends an INVITE to the endpoint and lets it ring.
    pub(crate) fn ring(&mut self, invite: &str) -> LegId {
        self.tell(invite);
        let leg = match self.event() {
            Some(Event::IncomingInvite { leg, .. }) => leg,
            other => panic!("{other:?}"),
        };
        self.endpoint.respond(self.now, leg, 180, &[], None).expect("ringing");
        assert_eq!(self.statuses(), [100, 180]);
        leg
    }

    /// A call to the endpoint that is answered and acknowledged; its 200.
    pub(crate) fn up(&mut self, call: &str, headers: &str) -> (LegId, Message) {
        let leg = self.ring(&self.invite(call, headers));
        self.endpoint
            .respond(self.now, leg, 200, &[], Some(&Body::sdp(SDP.into())))
            .expect("answered");
        let answer = self.take().remove(0);
        self.tell(&self.inside("ACK", call, 1, &answer, "", ""));
        assert!(matches!(self.event(), Some(Event::Acked { .. })));
        (leg, answer)
    }

    /// An INVITE of the endpoint's to this peer.
    pub(crate) fn originate(&mut self) -> (LegId, Message) {
        let invite = self.invitation();
        let leg = self.endpoint.invite(self.now, &invite).expect("room");
        (leg, self.take().remove(0))
    }

    /// What [`Peer::originate`] sends.
    pub(crate) fn invitation(&self) -> Invite {
        let uri = |text: &str| Uri::parse(text.as_bytes()).expect("a URI");
        Invite {
            listener: ListenerId(0),
            destination: self.address,
            stream: None,
            target: uri("sip:100@192.0.2.9:5070"),
            routes: Vec::new(),
            from: NameAddr::new(uri("sip:+31612345678@192.0.2.1")).with_display("A"),
            to: NameAddr::new(uri("sip:100@192.0.2.9")),
            headers: Vec::new(),
            body: Body::sdp(SDP.into()),
            max_forwards: 69,
            abilities: Abilities { session: None, ..Abilities::default() },
        }
    }

    /// A response to a request of the endpoint's, without a body.
    pub(crate) fn answer_to(&self, request: &Message, status: u16) -> String {
        let mut out = format!("SIP/2.0 {status} Whatever\r\n");
        for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
            out.push_str(&format!("{name}: {}\r\n", text(request.first(name))));
        }
        out + "Content-Length: 0\r\n\r\n"
    }

    /// A response to an INVITE of the endpoint's from a fork with this tag; its body is `v=0 TAG`.
    pub(crate) fn answer_as(&self, invite: &Message, status: u16, tag: &str) -> String {
        let plain = self.answer_to(invite, status);
        let to = format!("To: {}", text(invite.first("To")));
        let body = format!("v=0 {tag}");
        let tail = format!(
            "Contact: <sip:{tag}@192.0.2.9:5070>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        plain.replace(&to, &format!("{to};tag={tag}")).replace("Content-Length: 0\r\n\r\n", &tail)
    }

    /// The same, so that it must be acknowledged (RFC 3262).
    pub(crate) fn ring_as(&self, invite: &Message, status: u16, tag: &str, rseq: u32) -> String {
        let reliable = format!("Require: 100rel\r\nRSeq: {rseq}\r\nAllow: UPDATE\r\nContact");
        self.answer_as(invite, status, tag).replace("Contact", &reliable)
    }

    /// The acknowledgement of a provisional response of the endpoint's.
    pub(crate) fn prack(&self, call: &str, cseq: u32, ringing: &Message, body: &str) -> String {
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let headers = format!("RAck: {} 1 INVITE\r\n{kind}", text(ringing.first("RSeq")));
        self.inside("PRACK", call, cseq, ringing, &headers, body)
    }

    /// A request with a session description inside a dialog.
    pub(crate) fn offer(
        &self,
        method: &str,
        call: &str,
        cseq: u32,
        dialog: &Message,
        sdp: &str,
    ) -> String {
        self.inside(method, call, cseq, dialog, "Content-Type: application/sdp\r\n", sdp)
    }

    /// Answers a call of the endpoint's or of the peer's.
    pub(crate) fn respond(&mut self, leg: LegId, status: u16, sdp: Option<&str>) -> Message {
        let body = sdp.map(|sdp| Body::sdp(sdp.into()));
        self.endpoint.respond(self.now, leg, status, &[], body.as_ref()).expect("a response");
        self.take().remove(0)
    }
}
