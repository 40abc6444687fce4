//! What a recording that is being made holds in memory.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a bench that breaks fails its test")]

mod support;

use call::{Parties, Party};
use vault::*;

use support::*;

/// Bytes that a writer holds after two and a half seconds of both parties.
fn held(codecs: [Codec; 2], coded: bool) -> i64 {
    let (permit, call) = granted(RECORDING, Parties::BOTH);
    let config = WriterConfig { codecs, metadata: metadata() };
    let seed = seed();
    let packets: Vec<_> =
        (0..125).map(|n| payload(Party::Customer, Codec::Pcma, n * 160, 160)).collect();
    let mut kept = None;
    let measured = allocation_counter::measure(|| {
        let mut writer = Writer::create(&permit, seed, &config).unwrap();
        writer.decode_with(echo);
        for (at, packet) in (0..).step_by(160).zip(&packets) {
            for party in [Party::Customer, Party::Agent] {
                if coded {
                    writer.push_coded(party, at, packet).unwrap();
                } else {
                    writer.push(party, at, Codec::Pcma, packet).unwrap();
                }
            }
            writer.advance(at + 160).unwrap();
            while writer.poll_record().is_some() {}
        }
        kept = Some(writer);
    });
    drop((kept, call));
    measured.bytes_current
}

#[test]
fn a_call_of_g_711_holds_nothing_that_only_wider_sound_needs() {
    let narrow = held([Codec::Pcma; 2], false);
    let wide = held([Codec::Pcm16Wide; 2], true);
    assert!((1..=9_000).contains(&narrow), "{narrow} bytes");
    // How much of a segment is in the making differs from moment to moment.
    assert!((1..=narrow + 2_048).contains(&wide), "{wide} bytes, and {narrow} of G.711");
}
