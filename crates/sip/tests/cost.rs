//! What the endpoint itself costs: instructions of a call without a socket, counted by valgrind and held
//! under a ceiling. The text that the peer of these tests writes and reads is counted with it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says why")]

#[allow(dead_code, reason = "this test program uses a part of the peer")]
mod peer;

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use peer::{Peer, SDP};
use sip::{Body, Event};

/// Set in the process that is counted, to the number of its calls.
const CALLS: &str = "JAWOORD_COUNTED_CALLS";
/// INVITE, 100, 180, 200, ACK, BYE, 200: what one call puts through the endpoint.
const MESSAGES: u64 = 7;

/// So many calls, one after the other, each forgotten in its time.
fn calls(count: u64) {
    let mut peer = Peer::new();
    for number in 0..count {
        let call = format!("cost{number}");
        let routes =
            "Record-Route: <sip:192.0.2.50;lr>\r\nP-Asserted-Identity: <tel:+31201234567>\r\n";
        peer.tell(&peer.invite(&call, routes));
        let Some(Event::IncomingInvite { leg, .. }) = peer.event() else { panic!("no call") };
        peer.endpoint.respond(peer.now, leg, 180, &[], None).unwrap();
        let body = Body::sdp(SDP.into());
        peer.endpoint.respond(peer.now, leg, 200, &[], Some(&body)).unwrap();
        let answer = peer.take().remove(2);
        peer.tell(&peer.inside("ACK", &call, 1, &answer, "", ""));
        peer.tell(&peer.inside("BYE", &call, 2, &answer, "", ""));
        while peer.event().is_some() {}
        assert_eq!(peer.statuses(), [200]);
        peer.wait(Duration::from_millis(500));
    }
}

/// What is counted: the run below starts this program again for this test alone.
#[test]
fn calls_go_through() {
    let count = env::var(CALLS).ok().and_then(|count| count.parse().ok());
    calls(count.unwrap_or(3));
}

fn ceiling() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cost.txt")
}

mod valgrind {
    use super::*;

    /// Instructions of the whole program with so many calls.
    fn instructions(count: u64) -> u64 {
        let out = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(env::current_exe().unwrap())
            .args(["--exact", "calls_go_through", "--test-threads=1"])
            .env(CALLS, count.to_string())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(out.status.success(), "{said}");
        let line = said.lines().find_map(|line| line.split_once("Collected : "));
        let total = line.unwrap_or_else(|| panic!("no count in {said}")).1;
        total.trim().parse().unwrap()
    }

    /// `RENEW=1 cargo test -p jawoord-sip --test cost` writes the ceiling again, a tenth above what is
    /// counted now. A build of another compiler or profile has another count.
    #[test]
    fn a_call_stays_under_its_ceiling_of_instructions() {
        let (few, many) = (20, 120);
        let counted = (instructions(many) - instructions(few)) / (many - few);
        let each = counted / MESSAGES;
        println!("{counted} instructions a call, {each} a message");
        if env::var_os("RENEW").is_some() {
            let most = counted + counted / 10;
            std::fs::write(ceiling(), format!("{most} instructions a call at most\n")).unwrap();
        }
        let text = std::fs::read_to_string(ceiling()).unwrap();
        let most: u64 = text.split(' ').next().unwrap().parse().unwrap();
        assert!(counted <= most, "{counted} instructions a call are more than {most}");
        // A ceiling far above the cost holds nothing: it is renewed when the cost falls.
        assert!(counted > most / 2, "{counted} is far below {most}; renew the ceiling");
    }
}
