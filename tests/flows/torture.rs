//! RFC 4475 and RFC 5118 case by case against the running node: in datagrams, and over connections
//! that are cut at any octet (row S-12). After each case the node answers OPTIONS.

use std::{
    net::{Ipv4Addr, SocketAddr},
    process,
    time::{Duration, Instant},
};

use set::{Case, Outcome, cases};
use support::{
    exchange::{Exchange, Manner},
    node::{Change, Node},
    peer::{draft::Draft, leg::Leg, post::Peer, seen::Seen, stream::Stream},
    scene::NEVER,
    stage::{CALLER, Stage, wait},
};

#[path = "../../crates/sip/tests/set/mod.rs"]
mod set;

/// The documents write from port 5070, or without a port: an address of loopback that is this
/// process's own has both.
fn own() -> Ipv4Addr {
    let [_, high, middle, low] = process::id().to_be_bytes();
    Ipv4Addr::new(127, 64 | high & 63, middle, low)
}

fn is_response(case: &Case) -> bool {
    case.octets.starts_with(b"SIP/")
}

/// What the node says of a case, call and its end included.
fn expected(case: &Case, outcome: Outcome) -> Vec<u16> {
    match outcome {
        // No registrar, and the reason is told by another status (row R-20).
        Outcome::Answered([405]) if case.octets.starts_with(b"REGISTER") => vec![403],
        // A call behind another question.
        Outcome::Answered(statuses @ [.., 100]) => [statuses, &[486]].concat(),
        Outcome::Answered(statuses) => statuses.to_vec(),
        Outcome::Call => vec![100, 486],
        Outcome::Silence => Vec::new(),
        Outcome::Rejected(status) => vec![100, status],
    }
}

/// Whoever sends the cases, at both of his ports.
struct Author {
    ports: [Peer; 2],
    /// How much has been looked at, at either port.
    read: [Vec<Vec<u8>>; 2],
}

impl Author {
    fn new(node: u16) -> Self {
        let at = |port| Peer::at(SocketAddr::from((own(), port)), node);
        Self { ports: [at(5_070), at(5_060)], read: [Vec::new(), Vec::new()] }
    }

    /// What is new; what was sent again is not.
    fn news(&mut self) -> Vec<Seen> {
        let mut news = Vec::new();
        for (port, read) in self.ports.iter_mut().zip(&mut self.read) {
            for seen in port.everything() {
                if !read.contains(&seen.octets) {
                    read.push(seen.octets.clone());
                    news.push(seen);
                }
            }
        }
        news
    }

    /// Sends a case and gives the statuses that come of it; a PBX that is called is busy.
    fn tells(&mut self, case: &Case, pbx: &mut Peer) -> Vec<u16> {
        let called = pbx.times("INVITE");
        self.ports[0].send_octets(&case.octets);
        let (mut statuses, mut busy) = (Vec::new(), false);
        let until = Instant::now() + Duration::from_secs(4);
        while Instant::now() < until && statuses.last().is_none_or(|last| *last < 200) {
            statuses.extend(self.news().iter().filter_map(Seen::status));
            if !busy && pbx.times("INVITE") > called {
                let invite = pbx.expect("INVITE");
                let busy_here = pbx.called(&invite).reply(&invite, 486);
                pbx.send(&busy_here);
                pbx.expect("ACK");
                busy = true;
            }
            wait(2);
        }
        statuses
    }

    fn lives(&mut self, place: &str) {
        let probe = self.ports[0].calls(CALLER, "ping").request("OPTIONS");
        let asked = probe.header("Call-ID").expect("a Call-ID").to_owned();
        self.ports[0].send(&probe);
        let until = Instant::now() + Duration::from_secs(4);
        loop {
            let news = self.news();
            if news.iter().any(|seen| seen.get("Call-ID") == Some(&asked)) {
                return;
            }
            assert!(Instant::now() < until, "{place}: the node answers no more");
            wait(2);
        }
    }
}

/// A response of the documents as one to an INVITE of the node.
fn filled(case: &Case, invite: &Seen) -> Vec<u8> {
    let mut text = String::from_utf8(case.octets.clone()).expect("text");
    let names = [
        ("@via", "Via"),
        ("@from", "From"),
        ("@to", "To"),
        ("@call", "Call-ID"),
        ("@cseq", "CSeq"),
    ];
    for (mark, name) in names {
        text = text.replace(mark, invite.header(name));
    }
    text.into_bytes()
}

/// Answers a call of the node with a case: what the caller is told at once.
fn answered(stage: &mut Stage, case: &Case) -> Vec<u16> {
    let (mut a, b, invite) = stage.rings();
    stage.pbx.send_octets(&filled(case, &invite));
    let mut told = vec![100];
    if case.outcome == Outcome::Silence {
        stage.pbx.hears_no(100, "ACK");
        stage.caller.hears_no(10, 486);
        told.clear();
        stage.pbx.send(&b.reply(&invite, 486));
    }
    stage.pbx.expect("ACK");
    let busy = stage.caller.expect((486, "INVITE"));
    told.extend(busy.status().filter(|_| case.outcome != Outcome::Silence));
    stage.caller.send(&a.ack(&busy));
    told
}

#[test]
fn s_12_every_case_of_the_documents_has_its_outcome_in_a_datagram() {
    let mut stage = Stage::hasty();
    let mut author = Author::new(stage.node.sip);
    let mut wrong = Vec::new();
    for case in cases() {
        let said = if is_response(&case) {
            answered(&mut stage, &case)
        } else {
            author.tells(&case, &mut stage.pbx)
        };
        let wanted = expected(&case, case.outcome);
        if said != wanted {
            wrong.push(format!("{}: {said:?} and not {wanted:?}", case.place));
        }
        author.lives(case.place);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A case as another message of its kind: other ids, so that it is no repetition.
fn again(case: &Case, number: usize) -> Vec<u8> {
    let text = String::from_utf8(case.octets.clone()).expect("text");
    let call: String = case.place.chars().filter(char::is_ascii_alphanumeric).collect();
    let ids = [call.as_str(), "winding.1", "branch=390skd", "Call-ID: old", "Call-ID: second"];
    let text = ids.iter().fold(text, |text, id| text.replace(id, &format!("{id}{number}")));
    text.replace("z9hG4bKsecond", &format!("z9hG4bKsecond{number}")).into_bytes()
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn options(stream: &Stream) -> Draft {
    let mut leg = Leg::calling(stream.own, CALLER, NEVER, stream.node);
    leg.transport = "TCP";
    leg.request("OPTIONS")
}

/// Sends every case over connections, cut once at so many places (or at every octet).
fn streamed(places: Option<usize>) {
    let change = Change::default()
        .with("name = \"lab\"\n", "name = \"lab\"\ntransport = [\"udp\", \"tcp\"]\n")
        .with("source_per_s = 200", "source_per_s = 100000")
        .with("t1_ms = 500", "t1_ms = 20");
    let node = Node::start(&change);
    let _busy = Exchange::start([127, 0, 0, 1], node.pbx, Manner::Says(486));
    let mut watch = Stream::to(local(node.sip));
    let (mut wrong, mut number) = (Vec::new(), 0);
    for case in cases().iter().filter(|case| !is_response(case)) {
        let wanted = expected(case, case.streamed);
        let length = case.octets.len();
        let step = places.map_or(1, |places| (length / (places + 1)).max(1));
        for cut in (step..length).step_by(step) {
            number += 1;
            let octets = again(case, number);
            let mut stream = Stream::to(local(node.sip));
            stream.write(&octets[..cut]);
            // What is written at once is mostly read at once.
            std::thread::sleep(Duration::from_micros(500));
            stream.write(&octets[cut..]);
            let said = stream.says(wanted.len());
            if said != wanted {
                wrong.push(format!("{} cut at {cut}: {said:?} and not {wanted:?}", case.place));
            }
            watch.send(&options(&watch));
            watch.expect("200");
        }
    }
    println!("{number} messages, each in two pieces");
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn s_12_every_case_has_its_outcome_over_a_connection_that_is_cut_in_some_places() {
    streamed(Some(6));
}

mod long {
    //! What takes minutes.

    #[test]
    fn s_12_every_case_has_its_outcome_over_a_connection_wherever_it_is_cut() {
        super::streamed(None);
    }
}
