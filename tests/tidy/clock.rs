//! The rule that the core is told the time and given its chances, and opens nothing.

use quote::ToTokens;

use crate::{
    house::{self, Finding, House, Rule, Source},
    strip, token,
};

/// DESIGN invariant 10: `call`, `sip` and the pure parts of `media`, `vault` and `ledger` are told
/// the time and never ask.
pub(crate) const ASKS_INSTEAD_OF_BEING_TOLD: Rule = Rule {
    name: "asks",
    law: "call, sip and the pure parts of media, vault and ledger read no clock, draw no random \
          number, start no task and (call and sip) open nothing",
    check: asks,
};

/// The crates that are pure, and the rooms in them that are not.
///
/// Of `vault` and `ledger` the pure part is what builds without their features, which is what the
/// offline verifier links; the rest of them is looked at without that.
const PURE: [(&str, &[&str]); 5] = [
    ("call", &[]),
    ("sip", &[]),
    // The worker is the thread: its loop reads the clock for everybody else.
    ("media", &["worker"]),
    ("vault", &[]),
    ("ledger", &[]),
];

/// Ends of paths that ask for the time or for chance, or that start something on their own.
const ASKING: [&[&str]; 14] = [
    &["Instant", "now"],
    &["SystemTime", "now"],
    &["UtcDateTime", "now_utc"],
    &["OffsetDateTime", "now_utc"],
    &["Utc", "now"],
    &["SystemRandom", "new"],
    &["rand", "random"],
    &["rand", "rng"],
    &["getrandom", "fill"],
    &["tokio", "spawn"],
    &["task", "spawn"],
    &["thread", "spawn"],
    &["thread", "sleep"],
    &["time", "sleep"],
];

/// What the two crates on the ground floor may not even name.
const OPENING: [&str; 7] =
    ["UdpSocket", "TcpStream", "TcpListener", "File", "OpenOptions", "SystemRandom", "RandomState"];

fn asks(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    let featured = featured(house);
    for source in house.product() {
        let Some((_, shell)) = PURE.iter().find(|(name, _)| *name == source.crate_name) else {
            continue;
        };
        let stem = source.path.trim_end_matches(".rs");
        let behind = |room: &String| stem == room || stem.starts_with(&format!("{room}/"));
        if shell.iter().any(|room| is_in(source, room)) || featured.iter().any(behind) {
            continue;
        }
        let grounded = matches!(source.crate_name.as_str(), "call" | "sip");
        let pure = strip::without_features(source.product.clone()).product;
        let tokens = token::flatten(pure.to_token_stream());
        for (path, line) in token::paths(&tokens) {
            let asking = ASKING.iter().any(|ending| ends_with(&path, ending));
            let opening = grounded && path.iter().any(|word| OPENING.contains(&word.as_str()));
            if asking || opening {
                findings.push(Finding::new(&source.path, line, path.join("::")));
            }
        }
    }
    findings
}

/// The rooms that are there with a feature only, as paths without `.rs`.
fn featured(house: &House) -> Vec<String> {
    let rooms = |source: &Source| {
        let gone = strip::without_features(source.product.clone()).modules;
        let path = source.path.clone();
        gone.into_iter().map(move |room| house::inside(&path, &room))
    };
    house.product().flat_map(rooms).collect()
}

/// Whether a file is `src/ROOM.rs` or lies in `src/ROOM/`.
fn is_in(source: &Source, room: &str) -> bool {
    let room = format!("crates/{}/src/{room}", source.crate_name);
    source.path.strip_prefix(&room).is_some_and(|rest| rest.starts_with(['.', '/']))
}

fn ends_with(path: &[String], ending: &[&str]) -> bool {
    path.len() >= ending.len() && path.iter().rev().zip(ending.iter().rev()).all(|(a, b)| a == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, body: &str) -> usize {
        asks(&House::of(&[(path, &format!("fn f() {{ {body}; }}\n"))])).len()
    }

    #[test]
    fn a_clock_a_random_source_and_a_task_are_found() {
        let bodies = [
            "Instant::now()",
            "std::time::Instant::now()",
            "elapsed(SystemTime::now())",
            "debug!(\"{:?}\", Instant::now())",
            "ring::rand::SystemRandom::new()",
            "tokio::spawn(g())",
            "thread::sleep(d)",
            "map(Instant::now)",
        ];
        for body in bodies {
            assert_eq!(found("crates/sip/src/timer.rs", body), 1, "{body}");
            assert_eq!(found("crates/vault/src/tree.rs", body), 1, "{body}");
        }
    }

    #[test]
    fn the_ground_floor_opens_nothing() {
        assert_eq!(found("crates/call/src/id.rs", "std::fs::File::open(p)"), 1);
        assert_eq!(found("crates/sip/src/uri.rs", "UdpSocket::bind(a)"), 1);
        assert_eq!(found("crates/vault/src/spool.rs", "std::fs::File::open(p)"), 0);
    }

    #[test]
    fn the_shell_and_the_tests_may_ask() {
        assert_eq!(found("crates/media/src/worker.rs", "Instant::now()"), 0);
        assert_eq!(found("crates/media/src/worker/queue.rs", "Instant::now()"), 0);
        assert_eq!(found("crates/media/src/workers.rs", "Instant::now()"), 1);
        assert_eq!(found("crates/jawoord/src/listen.rs", "Instant::now()"), 0);
        assert_eq!(found("crates/sip/tests/two.rs", "Instant::now()"), 0);
    }

    #[test]
    fn what_a_feature_brings_may_ask() {
        let gated = "#[cfg(feature = \"storage\")]\nfn f() { SystemRandom::new(); }\n";
        let room = ("crates/vault/src/spool.rs", "fn f() { Instant::now(); }\n");
        let house = |lib| House::of(&[("crates/vault/src/lib.rs", lib), room]);
        assert!(asks(&house("#[cfg(feature = \"storage\")]\nmod spool;\n")).is_empty());
        assert_eq!(asks(&house("mod spool;\n")).len(), 1);
        assert!(asks(&House::of(&[("crates/vault/src/secret.rs", gated)])).is_empty());
    }

    #[test]
    fn a_time_that_is_passed_in_is_no_question() {
        assert_eq!(found("crates/sip/src/timer.rs", "let now: Instant = told.now"), 0);
    }
}
