//! Erasing seconds: the tree against an obvious model, slips and their revisions, both states.

use std::{collections::BTreeSet, fs, io::Cursor};

use call::Erasure;
use vault::*;

use crate::support::*;

const A: [Codec; 2] = [Codec::Pcma; 2];

fn key() -> EpochKey {
    EpochKey::from_bytes([0x11; 32])
}

#[test]
fn the_tree_forgets_exactly_what_an_obvious_set_forgets() {
    // Whole ranges at the very edges, then random ones; the model is a set of live seconds.
    let mut dice = Dice(2_026);
    for round in 0..40 {
        let mut nodes = NodeSet::root(&seed());
        let mut gone: BTreeSet<u32> = BTreeSet::new();
        let watched = 600;
        for _ in 0..1 + dice.below(8) {
            let from = dice.below(u64::from(watched)) as u32;
            let to = from + dice.below(60) as u32;
            gone.extend(from..to);
            nodes = nodes.erase(from..to);
        }
        for chunk in 0..watched + 100 {
            assert_eq!(nodes.holds(chunk), !gone.contains(&chunk), "round {round} chunk {chunk}");
        }
        let whole = NodeSet::root(&seed());
        for chunk in (0..watched).step_by(37).filter(|chunk| !gone.contains(chunk)) {
            let (left, right) = (nodes.leaf(chunk).unwrap(), whole.leaf(chunk).unwrap());
            assert_eq!(left.key().reveal(), right.key().reveal());
        }
        // Minimal: no node covers a forgotten second, no two could be one.
        let nodes = nodes.nodes();
        assert!(nodes.windows(2).all(|pair| {
            let siblings = pair[0].depth() == pair[1].depth()
                && pair[0].prefix() ^ 1 == pair[1].prefix()
                && pair[0].prefix() < pair[1].prefix();
            !siblings
        }));
    }
}

#[test]
fn an_empty_range_erases_nothing_and_the_edges_can_be_erased() {
    let nodes = NodeSet::root(&seed()).erase(5..5);
    assert_eq!(nodes.nodes().len(), 1);
    let nodes = nodes.erase(0..1).erase(1_048_575..1_048_576);
    assert!(!nodes.holds(0) && nodes.holds(1) && !nodes.holds(1_048_575));
    assert_eq!(nodes.erase(0..1_048_576).nodes().len(), 0);
}

#[test]
fn part_of_a_second_erases_the_whole_second() {
    assert_eq!(seconds_of(8_001..8_002), Erasure { from: 1, to: 2 });
    assert_eq!(seconds_of(7_999..16_001), Erasure { from: 0, to: 3 });
    assert_eq!(seconds_of(8_000..16_000), Erasure { from: 1, to: 2 });
    assert_eq!(seconds_of(8_000..8_000), Erasure { from: 1, to: 1 });
    assert_eq!(seconds_of(0..u64::MAX).to, METADATA_CHUNK);
}

#[test]
fn erased_seconds_are_silence_and_the_rest_plays() {
    let mut bench = Bench::new();
    let object = bench.object(8_000 * 30);
    let erased = slip().erase(Erasure { from: 10, to: 20 });
    assert_eq!(erased.revision(), 2);
    assert_eq!(erased.erased(30), [Erasure { from: 10, to: 20 }]);
    let report = verify_object(&mut Cursor::new(&object), &bench.trust(), Some(&erased)).unwrap();
    assert!(report.is_proved(), "an erasure is no damage: {:?}", report.findings);
    assert_eq!((report.erased, report.opened), (10, 21));
    let mut reader =
        Reader::open(Cursor::new(&object), slip().erase(Erasure { from: 10, to: 20 })).unwrap();
    assert!(matches!(reader.second(10).unwrap(), Heard::Erased));
    assert_eq!(reader.metadata().unwrap(), Some(metadata()));
    for (at, sample) in (0..).zip(listen(&object, erased)) {
        let gone = (80_000..160_000).contains(&at);
        assert_eq!(sample, if gone { [0; 2] } else { said(A, at) }, "at {at}");
    }
}

#[test]
fn everything_can_be_erased_and_the_names_stay_until_the_slip_goes() {
    let all = slip().erase(Erasure { from: 0, to: u32::MAX });
    assert_eq!(all.erased(30), [Erasure { from: 0, to: 30 }]);
    assert!(all.holds(METADATA_CHUNK) && !all.holds(0) && !all.holds(METADATA_CHUNK - 1));
}

#[test]
fn a_sealed_slip_opens_only_as_what_it_is() {
    let sealed = slip().seal(&key(), EPOCH, &tenant()).unwrap();
    let stored = SealedSlip::from_bytes(sealed.as_bytes().to_vec()).unwrap();
    assert_eq!((stored.revision(), stored.epoch()), (1, EPOCH));
    let opened = stored.open(&key(), &tenant(), RECORDING).unwrap();
    assert_eq!(opened.leaf(311).unwrap().key().reveal(), slip().leaf(311).unwrap().key().reveal());
    let refused = SlipError::DoesNotOpen { revision: 1, epoch: EPOCH };
    let other_key = EpochKey::from_bytes([0x12; 32]);
    assert_eq!(stored.open(&other_key, &tenant(), RECORDING).err(), Some(refused));
    let other_tenant = call::TenantId::new("acm").unwrap();
    assert_eq!(stored.open(&key(), &other_tenant, RECORDING).err(), Some(refused));
    let other = call::RecordingId::from_bytes([1; 16]);
    assert_eq!(stored.open(&key(), &tenant(), other).err(), Some(refused));
}

#[test]
fn a_flipped_bit_anywhere_in_a_slip_is_named() {
    let sealed = slip().erase(Erasure { from: 3, to: 5 }).seal(&key(), EPOCH, &tenant()).unwrap();
    let newest = sealed.commitment();
    for bit in 0..sealed.as_bytes().len() * 8 {
        let mut bytes = sealed.as_bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let found = SealedSlip::from_bytes(bytes)
            .map_err(SlipFinding::Altered)
            .and_then(|slip| verify_slip(&slip, &key(), &tenant(), RECORDING, newest));
        assert!(matches!(found.err(), Some(SlipFinding::Altered(_))), "bit {bit}");
    }
    for length in 0..sealed.as_bytes().len() {
        let bytes = sealed.as_bytes()[..length].to_vec();
        let opened =
            SealedSlip::from_bytes(bytes).and_then(|slip| slip.open(&key(), &tenant(), RECORDING));
        assert!(opened.is_err(), "cut to {length}");
    }
}

#[test]
fn an_old_slip_put_back_is_named() {
    let first = slip().seal(&key(), EPOCH, &tenant()).unwrap();
    let erased = slip().erase(Erasure { from: 1, to: 2 }).seal(&key(), EPOCH, &tenant()).unwrap();
    let newest = erased.commitment();
    let check = |slip| verify_slip(slip, &key(), &tenant(), RECORDING, newest);
    assert_eq!(check(&erased).map(|slip| slip.revision()).ok(), Some(2));
    assert_eq!(check(&first).err(), Some(SlipFinding::NotNewest { revision: 1 }));
}

#[test]
fn one_revision_sealed_twice_has_two_commitments() {
    let seal = || slip().seal(&key(), EPOCH, &tenant()).unwrap();
    assert_ne!(seal().commitment(), seal().commitment(), "the salt is fresh each time");
    let salted = || slip().seal_with(&key(), EPOCH, &tenant(), [7; 32]).unwrap();
    assert_eq!(salted().commitment(), salted().commitment());
}

#[test]
fn after_rotation_and_destruction_yesterdays_copy_opens_the_erased_seconds_neither() {
    let mut bench = Bench::new();
    let first_key = bench.keys.create(EPOCH).unwrap();
    let old = slip().seal(&first_key, EPOCH, &tenant()).unwrap();
    fs::write(bench.folder.join("data/slip"), old.as_bytes()).unwrap();
    let object = bench.object(8_000 * 3);
    // Yesterday's copy of the whole data folder: the object and the slip that opens everything.
    let copied = SealedSlip::from_bytes(fs::read(bench.folder.join("data/slip")).unwrap()).unwrap();
    let inside: Vec<_> = bench.folder.files().into_iter().map(|(path, _)| path).collect();
    let data = bench.folder.join("data");
    let keys_in_data = inside.iter().filter(|path| {
        path.starts_with(&data) && path.extension().is_some_and(|ending| ending == "key")
    });
    assert_eq!(keys_in_data.count(), 0, "no key is in the data folder");
    // Erase: the live slip does not open second 1 any more.
    let next = EpochNumber(8);
    let second_key = bench.keys.create(next).unwrap();
    let opened = old.open(&bench.keys.open(EPOCH).unwrap(), &tenant(), RECORDING).unwrap();
    let erased = opened.erase(Erasure { from: 1, to: 2 });
    // Rotate: what is left goes to another epoch.
    let rotated = erased.renew().seal(&second_key, next, &tenant()).unwrap();
    let copy_opens = |bench: &Bench| {
        let key = bench.keys.open(copied.epoch()).ok()?;
        copied.open(&key, &tenant(), RECORDING).ok()
    };
    assert!(copy_opens(&bench).is_some_and(|slip| slip.holds(1)), "erased, not unrecoverable yet");
    bench.keys.destroy(EPOCH).unwrap();
    assert!(copy_opens(&bench).is_none(), "unrecoverable");
    assert_eq!(bench.keys.open(EPOCH).err(), Some(ProviderError::Unknown(EPOCH)));
    let live = rotated.open(&bench.keys.open(next).unwrap(), &tenant(), RECORDING).unwrap();
    assert_eq!(live.revision(), 3);
    let heard = listen(&object, live);
    assert_eq!((heard[0], heard[8_000], heard[16_000]), (said(A, 0), [0; 2], said(A, 16_000)));
}
