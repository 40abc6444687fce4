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
    // A new version of the format commits what is left here beside the old one.
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::copy(bench.store.path(RECORDING), folder.join("v1.jwr")).unwrap();
    fs::write(folder.join("v1.manifest"), sealed.manifest.encode()).unwrap();
    fs::write(folder.join("v1.trust"), bench.keys.public_key().trust_file()).unwrap();
}
