//! RFC 4475 and RFC 5118 case by case: in a datagram, and over a stream cut at every octet.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says why"
)]

#[allow(dead_code, reason = "this test program uses a part of the peer")]
mod peer;
mod set;

use peer::{Peer, text};
use set::{Case, Outcome, cases};
use sip::{
    Broken, Config, Endpoint, Event, Frame, Framer, Listener, ListenerId, Remote, Transport,
};

/// A peer before an endpoint that listens for datagrams and for streams, and an INVITE to it.
struct Scene {
    peer: Peer,
    invite: sip::Message,
}

impl Scene {
    fn new() -> Scene {
        let mut peer = Peer::new();
        let advertised = "192.0.2.1:5060".parse().unwrap();
        let listeners = [Transport::Udp, Transport::Tcp]
            .map(|transport| Listener { transport, advertised })
            .into();
        peer.endpoint = Endpoint::new(Config::new("test", listeners), [9; 32]);
        let (_, invite) = peer.originate();
        Scene { peer, invite }
    }

    /// The octets of a case, a response made one to our own INVITE.
    fn octets(&self, case: &Case) -> Vec<u8> {
        if !case.octets.starts_with(b"SIP/") {
            return case.octets.clone();
        }
        let mut out = String::from_utf8(case.octets.clone()).unwrap();
        for (mark, name) in [
            ("@via", "Via"),
            ("@from", "From"),
            ("@to", "To"),
            ("@call", "Call-ID"),
            ("@cseq", "CSeq"),
        ] {
            out = out.replace(mark, &text(self.invite.first(name)));
        }
        out.into_bytes()
    }

    fn receive(&mut self, octets: &[u8], stream: bool) {
        let (listener, transport) =
            if stream { (ListenerId(1), Transport::Tcp) } else { (ListenerId(0), Transport::Udp) };
        let remote = Remote { address: self.peer.address, listener, transport };
        self.peer.endpoint.receive(self.peer.now, remote, octets);
    }

    /// What became of what was received.
    fn outcome(&mut self, place: &str) -> Outcome {
        // `take` asserts that all that we write can be read.
        let statuses = self.peer.statuses();
        let mut calls = 0;
        while let Some(event) = self.peer.event() {
            match event {
                Event::IncomingInvite { leg, request, .. } => {
                    calls += 1;
                    assert!(
                        !format!("{request:?}").contains("alice"),
                        "{place}: a log would say who"
                    );
                    let now = self.peer.now;
                    self.peer.endpoint.respond(now, leg, 486, &[], None).unwrap();
                }
                // The end of the call that was refused just now.
                Event::Ended { .. } => {}
                Event::Rejected { status, .. } => return Outcome::Rejected(status),
                other => panic!("{place}: {other:?}"),
            }
        }
        self.peer.take();
        match (calls, statuses.as_slice()) {
            (0, []) => Outcome::Silence,
            (1, [100]) => Outcome::Call,
            (_, statuses) => Outcome::Answered(statuses.to_vec().leak()),
        }
    }

    fn lives(&mut self, place: &str) {
        let check = self.peer.request("OPTIONS", "lives", 1, "", "");
        self.receive(check.as_bytes(), false);
        assert_eq!(self.peer.statuses(), [200], "{place}: the endpoint answers no more");
    }
}

#[test]
fn s_12_every_case_of_rfc_4475_and_rfc_5118_has_its_outcome_in_a_datagram() {
    let mut wrong = Vec::new();
    for case in cases() {
        let mut scene = Scene::new();
        let octets = scene.octets(&case);
        scene.receive(&octets, false);
        let outcome = scene.outcome(case.place);
        if outcome != case.outcome {
            wrong.push(format!("{}: {outcome:?} and not {:?}", case.place, case.outcome));
        }
        scene.lives(case.place);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a framer makes of these pieces, and whether the stream is lost.
fn frames(pieces: [&[u8]; 2]) -> (Vec<Frame>, Option<Broken>) {
    let (mut framer, mut found) = (Framer::new(), Vec::new());
    for piece in pieces {
        framer.feed(piece);
        loop {
            match framer.poll() {
                Ok(Some(frame)) => found.push(frame),
                Ok(None) => break,
                Err(broken) => return (found, Some(broken)),
            }
        }
    }
    (found, None)
}

#[test]
fn s_12_every_case_has_its_outcome_over_a_stream_wherever_it_is_cut() {
    let mut wrong = Vec::new();
    for case in cases() {
        let mut scene = Scene::new();
        let octets = scene.octets(&case);
        let whole = frames([&octets, b""]);
        for at in 1..octets.len() {
            let cut = frames([&octets[..at], &octets[at..]]);
            assert_eq!(cut, whole, "{} cut at {at}", case.place);
        }
        let (found, broken) = whole;
        let unframed = broken.and_then(|broken| match broken {
            Broken::Unframed(octets) => Some(octets),
            Broken::TooLong | Broken::Foreign => None,
        });
        for frame in found {
            match frame {
                Frame::Message(octets) => scene.receive(&octets, true),
                Frame::Ping => {}
            }
        }
        if let Some(octets) = unframed {
            scene.receive(&octets, true);
        }
        let outcome = scene.outcome(case.place);
        if outcome != case.streamed {
            wrong.push(format!("{}: {outcome:?} and not {:?}", case.place, case.streamed));
        }
        scene.lives(case.place);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn s_12_the_set_is_whole() {
    let of =
        |document: &str| cases().iter().filter(|case| case.place.starts_with(document)).count();
    assert_eq!((of("4475"), of("5118")), (49, 12), "RFC 4475 has 49 cases, RFC 5118 twelve");
    let mut places: Vec<&str> = cases().iter().map(|case| case.place).collect();
    places.sort_unstable();
    places.dedup();
    assert_eq!(places.len(), 61);
}
