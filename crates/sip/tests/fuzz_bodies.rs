//! The fuzz bodies over their seeds and over mutations of them, in every run.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says why")]

#[path = "../fuzz/bodies/mod.rs"]
mod bodies;

use std::fs;
use std::path::Path;

/// The seeds of a target, in the order of their names.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{target} has no seeds");
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// A small generator, so that a failing input can be had again.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (limit.max(1) as u64)).unwrap()
    }
}

/// Octets changed, taken out, doubled and joined.
fn mutated(chance: &mut Chance, seeds: &[Vec<u8>]) -> Vec<u8> {
    const BITS: [&[u8]; 12] = [
        b"\"",
        b"\\",
        b",",
        b"=",
        b";",
        b"\r\n",
        b" ",
        b":",
        b"\0",
        b"\xff",
        b"Digest ",
        b"999999999999",
    ];
    let mut out = seeds[chance.below(seeds.len())].clone();
    for _ in 0..=chance.below(5) {
        let at = chance.below(out.len() + 1);
        let end = (at + chance.below(30)).min(out.len());
        match chance.below(5) {
            0 => drop(out.drain(at..end)),
            1 => drop(out.splice(at..end, BITS[chance.below(BITS.len())].iter().copied())),
            2 => {
                let piece = out[at..end].to_vec();
                out.splice(at..at, piece);
            }
            3 => {
                if let Some(octet) = out.get_mut(at) {
                    *octet = u8::try_from(chance.below(256)).unwrap();
                }
            }
            _ => {
                let other = &seeds[chance.below(seeds.len())];
                out.extend_from_slice(&other[chance.below(other.len() + 1)..]);
            }
        }
    }
    out
}

fn replay(target: &str, body: fn(&[u8]), times: u64) {
    let seeds = seeds(target);
    seeds.iter().for_each(|seed| body(seed));
    for seed in 1..times {
        body(&mutated(&mut Chance(seed * 0x9e37_79b9), &seeds));
    }
}

#[test]
fn s_13_seeds_and_mutations_of_messages_are_read_or_refused() {
    replay("message", bodies::message, 20_000);
}

#[test]
fn s_14_seeds_and_mutations_of_descriptions_are_answered_or_refused() {
    replay("sdp", bodies::sdp, 20_000);
}

#[test]
fn s_13_seeds_and_mutations_of_talks_leave_an_endpoint_with_nothing() {
    replay("endpoint", bodies::endpoint, 4000);
}

#[test]
fn s_13_seeds_and_mutations_of_challenges_and_proofs_give_no_password_away() {
    replay("digest", bodies::digest, 3000);
}

#[test]
fn s_13_seeds_and_mutations_of_streams_are_cut_anywhere_alike() {
    replay("stream", bodies::stream, 10_000);
}
