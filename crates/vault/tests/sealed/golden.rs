//! Makes the object that `tests/vectors.rs` reads for ever, should a new version need one.

use std::fs;

use call::{Parties, Party};
use vault::*;

use crate::support::*;

/// Second 0 whole, second 1 on hold, second 2 with a gap, second 3 cut by a crash.
#[test]
fn the_object_that_is_read_for_ever_can_be_laid_down_again_for_a_new_version() {
    let bench = Bench::new();
    let mut spool = Spool::open(&bench.folder.join("crashed"), 0).unwrap();
    let (permit, _call) = granted(RECORDING, Parties::BOTH);
    let codecs = [Codec::Pcma, Codec::Pcmu];
    let config = WriterConfig { codecs, metadata: metadata() };
    let mut writer = Writer::create(&permit, seed(), &config).unwrap();
    for at in (0..30_400).step_by(160) {
        if at == 8_000 {
            writer.pause(8_000, Absence::Hold);
        }
        if at == 16_000 {
            writer.resume(16_000);
        }
        for (party, codec) in [Party::Customer, Party::Agent].into_iter().zip(codecs) {
            if party == Party::Agent && (17_600..18_400).contains(&at) {
                continue;
            }
            writer.push(party, at, codec, &payload(party, codec, at, 160)).unwrap();
        }
        writer.advance(at + 160).unwrap();
        while let Some(record) = writer.poll_record() {
            spool.append(&record).unwrap();
        }
    }
    let found = recover(&bench.folder.join("crashed")).unwrap();
    let sealed = found.tapes[0].finalise(tags(RECORDING), &bench.keys, &bench.store).unwrap();
    assert_eq!((sealed.seconds, found.tapes[0].is_whole()), (4, false));
    lay_down(&bench, &sealed, "v1");
}

/// What a new version of the format commits beside the old one.
fn lay_down(bench: &Bench, sealed: &Sealed, name: &str) {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::copy(bench.store.path(RECORDING), folder.join(format!("{name}.jwr"))).unwrap();
    fs::write(folder.join(format!("{name}.manifest")), sealed.manifest.encode()).unwrap();
    let trust = bench.keys.public_key().trust_file();
    fs::write(folder.join(format!("{name}.trust")), trust).unwrap();
}

/// The customer is wide for a second and a half and then A-law; the agent is A-law.
#[test]
fn the_wide_object_that_is_read_for_ever_can_be_laid_down_again_for_a_new_version() {
    let mut bench = Bench::new();
    let (permit, _call) = granted(RECORDING, Parties::BOTH);
    let config = WriterConfig { codecs: [Codec::Pcm16Wide, Codec::Pcma], metadata: metadata() };
    let mut writer = Writer::create(&permit, seed(), &config).unwrap();
    writer.decode_with(echo);
    for at in (0..20_000).step_by(160) {
        let said = payload(Party::Customer, Codec::Pcma, at, 160);
        if at < 12_000 {
            writer.push_coded(Party::Customer, at, &said).unwrap();
        } else {
            writer.push(Party::Customer, at, Codec::Pcma, &said).unwrap();
        }
        let said = payload(Party::Agent, Codec::Pcma, at, 160);
        writer.push(Party::Agent, at, Codec::Pcma, &said).unwrap();
        writer.advance(at + 160).unwrap();
        bench.drain(&mut writer);
    }
    bench.finish(writer, 20_000);
    let tape = bench.spool.take(RECORDING).unwrap();
    let sealed = tape.finalise(tags(RECORDING), &bench.keys, &bench.store).unwrap();
    lay_down(&bench, &sealed, "v1-wide");
}
