//! kill -9 at any byte: what is lost, what is kept, and that all of it verifies.

use std::{collections::BTreeSet, fs, path::PathBuf};

use call::{Parties, Party, RecordingId};
use vault::*;

use crate::support::*;

const A: [Codec; 2] = [Codec::Pcma; 2];

/// A recording that is running: everything appended, nothing finished.
fn running(bench: &mut Bench, samples: u64) -> PathBuf {
    let (permit, _call) = granted(RECORDING, Parties::BOTH);
    let config = WriterConfig { codecs: A, metadata: metadata() };
    let mut writer = Writer::create(&permit, seed(), &config).unwrap();
    bench.drain(&mut writer);
    for at in (0..samples).step_by(160) {
        for party in [Party::Customer, Party::Agent] {
            let sound = payload(party, Codec::Pcma, at, 160);
            writer.push(party, at, Codec::Pcma, &sound).unwrap();
        }
        writer.advance(at + 160).unwrap();
        bench.drain(&mut writer);
    }
    let mut files = bench.folder.files();
    files.retain(|(path, _)| path.starts_with(bench.spool_folder()));
    assert_eq!(files.len(), 1);
    files.remove(0).0
}

/// What a restart makes of a spool folder, checked against what was said.
fn recovered(bench: &Bench, journal: &[u8], name: &str) -> Option<u64> {
    let spool = bench.folder.join(name);
    fs::create_dir_all(&spool).unwrap();
    fs::write(spool.join("0-0.jwj"), journal).unwrap();
    let mut found = recover(&spool).unwrap();
    let tapes = std::mem::take(&mut found.tapes);
    let samples = tapes.first().map(|tape| {
        assert!(!tape.is_whole());
        let sealed = tape.finalise(tags(RECORDING), &bench.keys, &bench.store).unwrap();
        let object = fs::read(bench.store.path(RECORDING)).unwrap();
        let report = verify(&object, &bench.trust()).unwrap();
        assert_eq!(report.findings, [], "{} bytes of journal", journal.len());
        assert!(report.is_proved());
        for (at, sample) in (0..).zip(listen(&object, slip())) {
            assert_eq!(sample, said(A, at), "at {at}");
        }
        sealed.manifest.samples
    });
    if samples.is_some() {
        found.release(RECORDING).unwrap();
    }
    assert_eq!(fs::read_dir(&spool).unwrap().count(), 0, "the journal is gone");
    samples
}

#[test]
fn at_no_moment_is_more_than_half_a_second_unsealed() {
    // The tap may hold another 80 ms that the writer has not seen.
    let limit = 8 * (500 - 80);
    for codecs in [A, [Codec::Pcm16; 2], [Codec::Pcma, Codec::Pcm16]] {
        let mut bench = Bench::new();
        let (permit, _call) = granted(RECORDING, Parties::BOTH);
        let mut writer =
            Writer::create(&permit, seed(), &WriterConfig { codecs, metadata: metadata() })
                .unwrap();
        bench.drain(&mut writer);
        let mut worst = 0;
        for at in (0..8_000 * 4).step_by(160) {
            // The moment before the next packets is the worst one to be killed at.
            let kept = recover(&bench.spool_folder()).unwrap().tapes[0].samples();
            worst = worst.max(at + 159 - kept.min(at));
            for (party, codec) in [Party::Customer, Party::Agent].into_iter().zip(codecs) {
                writer.push(party, at, codec, &payload(party, codec, at, 160)).unwrap();
            }
            writer.advance(at + 160).unwrap();
            bench.drain(&mut writer);
        }
        assert!(worst <= limit, "{codecs:?}: {worst} samples");
        assert!(worst > 8 * 200, "{codecs:?}: {worst} samples; is anything measured?");
    }
}

#[test]
fn a_journal_cut_at_any_byte_near_its_end_verifies_and_loses_one_segment_at_a_time() {
    let mut bench = Bench::new();
    let journal = running(&mut bench, 8_000 * 2 + 2_400);
    let bytes = fs::read(&journal).unwrap();
    let ends = record_ends(&bytes);
    let whole = recovered(&bench, &bytes, "whole").unwrap();
    let (mut lengths, mut last) = (BTreeSet::new(), whole);
    for cut in (bytes.len() - 9_000..bytes.len()).rev() {
        // Every byte of a record's header and its end, every 64th within its body.
        let behind = ends.iter().rfind(|end| **end <= cut).map_or(0, |end| cut - end);
        let before = ends.iter().find(|end| **end > cut).map_or(0, |end| end - cut);
        if behind > 90 && before > 4 && cut % 64 != 0 {
            continue;
        }
        let samples = recovered(&bench, &bytes[..cut], "cut").unwrap();
        assert!(samples <= last, "a shorter journal never holds more");
        assert!(last - samples <= 8 * 260, "one record is at most one segment: {last} {samples}");
        lengths.insert(samples);
        last = samples;
    }
    assert!(lengths.len() >= 3, "{lengths:?}");
}

/// Where each record of a journal ends.
fn record_ends(journal: &[u8]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut at = 0;
    while let Ok((_, length)) = Record::decode(&journal[at..]) {
        at += length;
        ends.push(at);
    }
    ends
}

#[test]
fn a_journal_cut_in_its_first_record_leaves_nothing() {
    let mut bench = Bench::new();
    let journal = running(&mut bench, 1_600);
    let bytes = fs::read(&journal).unwrap();
    for cut in [0, 1, 83, 84, 500] {
        assert_eq!(recovered(&bench, &bytes[..cut], "start"), None, "{cut}");
    }
}

#[test]
fn the_running_second_is_listened_to_as_far_as_it_was_sealed() {
    let mut bench = Bench::new();
    let journal = running(&mut bench, 8_000 + 7_000);
    let mut found = recover(&bench.spool_folder()).unwrap();
    assert_eq!(found.damage, []);
    let tape = found.tapes.remove(0);
    let sealed = tape.finalise(tags(RECORDING), &bench.keys, &bench.store).unwrap();
    let object = fs::read(bench.store.path(RECORDING)).unwrap();
    let report = verify(&object, &bench.trust()).unwrap();
    assert_eq!((report.cut, report.opened), (1, 3));
    assert_eq!(sealed.manifest.samples % 160, 0);
    assert!(journal.exists());
    found.release(RECORDING).unwrap();
    assert!(!journal.exists());
}

#[test]
fn damage_in_the_middle_is_reported_and_costs_only_what_it_hit() {
    let mut bench = Bench::new();
    let journal = running(&mut bench, 8_000 * 6);
    let bytes = fs::read(&journal).unwrap();
    let mut dice = Dice(99);
    for _ in 0..40 {
        let mut damaged = bytes.clone();
        let at = usize::try_from(dice.below(bytes.len() as u64)).unwrap();
        damaged[at] ^= 1 << dice.below(8);
        fs::write(&journal, &damaged).unwrap();
        let found = recover(&bench.spool_folder()).unwrap();
        assert_eq!(found.damage.len(), 1, "bit flipped in byte {at}");
        let tape = &found.tapes[0];
        tape.finalise(tags(RECORDING), &bench.keys, &bench.store).unwrap();
        let object = fs::read(bench.store.path(RECORDING)).unwrap();
        let report = verify(&object, &bench.trust()).unwrap();
        assert_eq!(report.findings, []);
        let mut reader = Reader::open(std::io::Cursor::new(&object), slip()).unwrap();
        let silent = (0..reader.seconds())
            .filter(|chunk| match reader.second(*chunk).unwrap() {
                Heard::Sound(second) => second.positions() < 8_000,
                Heard::Absent(_) | Heard::Erased => true,
            })
            .count();
        assert!(silent <= 2, "one second was hit, and the last one runs: {silent}");
    }
}

#[test]
fn rubbish_is_no_journal_and_no_panic() {
    let folder = Folder::new();
    let mut dice = Dice(7);
    let rubbish: Vec<u8> = (0..100_000).map(|_| dice.below(256) as u8).collect();
    let magic = [b"JWJ2".repeat(30_000), rubbish.clone()].concat();
    for bytes in [rubbish, magic, vec![0; 50_000]] {
        fs::write(folder.join("0-0.jwj"), &bytes).unwrap();
        let found = recover(folder.path()).unwrap();
        assert!(found.tapes.is_empty());
        let lost: u64 = found.damage.iter().map(|damage| damage.bytes).sum();
        assert_eq!(lost, bytes.len() as u64);
    }
}

#[test]
fn a_new_spool_never_appends_to_an_old_journal() {
    let mut bench = Bench::new();
    let journal = running(&mut bench, 8_000);
    let before = fs::read(&journal).unwrap();
    bench.spool = Spool::open(&bench.spool_folder(), 0).unwrap();
    let other = RecordingId::from_bytes([3; 16]);
    bench.record(other, A, 8_000);
    assert_eq!(fs::read(&journal).unwrap(), before);
    bench.spool.sync().unwrap();
    bench.store(other);
    assert!(journal.exists());
}

#[test]
fn a_journal_is_removed_with_the_last_of_its_recordings() {
    let mut bench = Bench::new();
    let (one, two) = (RecordingId::from_bytes([1; 16]), RecordingId::from_bytes([2; 16]));
    bench.record(one, A, 8_000);
    bench.record(two, A, 16_000);
    assert!(bench.spool.length() > 48_000);
    bench.store(one);
    let found = recover(&bench.spool_folder()).unwrap();
    let left: Vec<_> = found.tapes.iter().map(Tape::recording).collect();
    assert_eq!(left, [two], "what is stored is not recovered again");
    bench.store(two);
    assert_eq!(bench.spool.length(), 0);
    assert_eq!(fs::read_dir(bench.spool_folder()).unwrap().count(), 0);
    assert_eq!(bench.store.list().unwrap(), [one, two]);
}

#[test]
fn a_probe_leaves_nothing_behind_and_fails_where_no_journal_could_be_written() {
    let bench = Bench::new();
    bench.spool.probe().unwrap();
    assert_eq!(fs::read_dir(bench.spool_folder()).unwrap().count(), 0);
    fs::remove_dir(bench.spool_folder()).unwrap();
    assert_eq!(bench.spool.probe(), Err(SpoolError::Io(std::io::ErrorKind::NotFound)));
}

#[test]
fn a_long_journal_takes_no_new_recording_and_keeps_those_it_has() {
    let mut bench = Bench::new();
    bench.spool = Spool::open(&bench.spool_folder(), 3).unwrap().with_journal_limit(20_000);
    let ids = [1, 2, 3].map(|number| RecordingId::from_bytes([number; 16]));
    let journals = |bench: &Bench| {
        let names = fs::read_dir(bench.spool_folder()).unwrap();
        let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    bench.record(ids[0], A, 8_000);
    bench.record(ids[1], A, 16_000);
    bench.record(ids[2], A, 8_000);
    assert_eq!(journals(&bench), ["3-0.jwj", "3-1.jwj"]);
    bench.spool.sync().unwrap();
    bench.store(ids[2]);
    assert_eq!(journals(&bench), ["3-0.jwj"]);
    for id in &ids[..2] {
        let (sealed, _) = bench.store(*id);
        assert_eq!(sealed.manifest.missing_samples, 0);
    }
    assert!(journals(&bench).is_empty());
}

#[test]
fn a_recording_that_was_finished_before_the_crash_is_whole() {
    let mut bench = Bench::new();
    bench.record(RECORDING, A, 8_000);
    let found = recover(&bench.spool_folder()).unwrap();
    assert!(found.tapes[0].is_whole());
    assert_eq!((found.tapes[0].samples(), found.tapes[0].missing_samples()), (8_000, 0));
}
