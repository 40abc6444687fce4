//! Every kind of damage has a name.

use std::io::Cursor;

use vault::*;

use crate::support::*;

const A: [Codec; 2] = [Codec::Pcma; 2];

fn findings(object: &[u8], bench: &Bench) -> Vec<Finding> {
    verify(object, &bench.trust()).unwrap().findings
}

/// Where each chunk lies.
fn places(object: &[u8]) -> Vec<std::ops::Range<usize>> {
    let parts = Object::read(&mut Cursor::new(object)).unwrap();
    let mut end = 0;
    let place = |row: &Row| {
        let start = end;
        end += row.length as usize;
        start..end
    };
    parts.rows.iter().map(place).collect()
}

/// An object of the same table and manifest with other chunks, and a footer that fits.
fn with_chunks(object: &[u8], chunks: &[u8]) -> Vec<u8> {
    let end = places(object).last().unwrap().end;
    let mut rest = object[end..].to_vec();
    let footer = rest.len() - 32;
    rest[footer..footer + 8].copy_from_slice(&(chunks.len() as u64).to_be_bytes());
    [chunks, &rest].concat()
}

#[test]
fn a_flipped_bit_anywhere_is_named() {
    let mut bench = Bench::new();
    let object = bench.object(8_000 * 2 + 800);
    let places = places(&object);
    let chunks_end = places.last().unwrap().end;
    let mut dice = Dice(1);
    let sampled = (0..chunks_end).step_by(97).chain(chunks_end..object.len());
    for byte in sampled {
        let mut damaged = object.clone();
        damaged[byte] ^= 1 << dice.below(8);
        let chunk = places.iter().position(|place| place.contains(&byte));
        match (chunk, verify(&damaged, &bench.trust())) {
            (Some(place), Ok(report)) => {
                let chunk = if place + 1 == places.len() { METADATA_CHUNK } else { place as u32 };
                assert_eq!(report.findings, [Finding::Damaged { chunk }], "byte {byte}");
            }
            (Some(_), Err(error)) => panic!("byte {byte}: {error}"),
            (None, Ok(report)) => assert!(!report.is_proved(), "byte {byte}"),
            (None, Err(error)) => assert!(!error.to_string().is_empty()),
        }
    }
}

#[test]
fn two_chunks_that_changed_places_are_named() {
    let mut bench = Bench::new();
    let object = bench.object(8_000 * 4);
    let places = places(&object);
    let chunk = |place: usize| object[places[place].clone()].to_vec();
    let swapped = [chunk(0), chunk(2), chunk(1), chunk(3), chunk(4)].concat();
    let swapped = with_chunks(&object, &swapped);
    let expected =
        [Finding::Swapped { chunk: 1, holds: 2 }, Finding::Swapped { chunk: 2, holds: 1 }];
    assert_eq!(findings(&swapped, &bench), expected);
    assert_eq!(expected[0].to_string(), "second 1: second 2 stands in its place");
    let moved = with_chunks(&object, &[chunk(4), chunk(0), chunk(1), chunk(2), chunk(3)].concat());
    assert_eq!(findings(&moved, &bench).len(), 5, "a chunk of another length, moved to the front");
    let doubled =
        with_chunks(&object, &[chunk(0), chunk(1), chunk(1), chunk(3), chunk(4)].concat());
    assert_eq!(findings(&doubled, &bench), [Finding::Swapped { chunk: 2, holds: 1 }]);
}

#[test]
fn swapped_chunks_with_a_table_that_agrees_are_a_changed_table() {
    let mut bench = Bench::new();
    let object = bench.object(8_000 * 3);
    let places = places(&object);
    let table = places.last().unwrap().end;
    let mut forged = object.clone();
    // Hashes of rows 0 and 1 change places with the chunks, so that only the root can tell.
    let [one, two] = [places[0].clone(), places[1].clone()];
    let both = [&object[two.clone()], &object[one.clone()]].concat();
    forged[one.start..two.end].copy_from_slice(&both);
    for (to, from) in [(0, 1), (1, 0)] {
        let hash = table + from * 88 + 24..table + from * 88 + 56;
        forged[table + to * 88 + 24..table + to * 88 + 56].copy_from_slice(&object[hash]);
    }
    let found = findings(&forged, &bench);
    assert_eq!(found[0], Finding::Table);
    assert!(found[1..].iter().all(|finding| matches!(
        finding,
        Finding::Closed { chunk: 0 | 1, fault: ChunkFault::Open(OpenError::Segment(0)) }
    )));
    assert_eq!(found.len(), 3, "the key says which second it is");
    assert!(matches!(Reader::open(Cursor::new(&forged), slip()), Err(ReadError::Table)));
}

#[test]
fn what_is_cut_off_at_the_end_is_named() {
    let mut bench = Bench::new();
    let object = bench.object(8_000 * 3);
    for cut in [1, 31, 32, 100, 5_000, object.len() - 10] {
        let short = &object[..object.len() - cut];
        let error = verify(short, &bench.trust()).unwrap_err();
        assert!(matches!(error, ObjectError::Footer(FooterError::Missing)), "{cut}: {error}");
    }
    let places = places(&object);
    let kept: Vec<u8> = [&object[..places[2].start], &object[places[3].clone()]].concat();
    let without_last = with_chunks(&object, &kept);
    assert_eq!(findings(&without_last, &bench), [Finding::Missing { chunk: 2 }]);
    let without_end = with_chunks(&object, &object[..places[2].start]);
    let gone = |chunk| Finding::Missing { chunk };
    assert_eq!(findings(&without_end, &bench), [gone(2), gone(METADATA_CHUNK)]);
    let longer = with_chunks(&object, &[&object[..places[3].end], &[0; 77]].concat());
    assert_eq!(findings(&longer, &bench), [Finding::Surplus { bytes: 77 }]);
}

#[test]
fn a_row_taken_out_of_the_table_is_named() {
    let mut bench = Bench::new();
    let object = bench.object(8_000 * 3);
    let places = places(&object);
    let (table, end) = (places[3].end, object.len());
    let mut forged = [&object[..places[2].start], &object[places[3].clone()]].concat();
    let chunks_length = forged.len() as u64;
    forged.extend_from_slice(&object[table..table + 2 * 88]);
    forged.extend_from_slice(&object[table + 3 * 88..end - 32]);
    forged.extend_from_slice(&chunks_length.to_be_bytes());
    forged.extend_from_slice(&(3_u64 * 88).to_be_bytes());
    forged.extend_from_slice(&object[end - 16..]);
    let found = findings(&forged, &bench);
    assert_eq!(found, [Finding::RowCount { signed: 4, found: 3 }]);
}

#[test]
fn a_manifest_of_somebody_else_is_consistent_and_proves_nothing() {
    let mut bench = Bench::new();
    let object = bench.object(8_000);
    let report = verify(&object, &Trust::default()).unwrap();
    assert!(report.is_consistent() && !report.signer_known && !report.is_proved());
    let other = Bench::new();
    let report = verify(&object, &other.trust()).unwrap();
    assert!(report.is_consistent() && !report.is_proved());
}

#[test]
fn a_manifest_changed_and_signed_by_nobody_is_named() {
    let mut bench = Bench::new();
    let object = bench.object(8_000);
    let text = b"verdict recorded";
    let at = object.windows(text.len()).position(|window| window == text).unwrap();
    let mut forged = object.clone();
    forged[at..at + text.len()].copy_from_slice(b"verdict degraded");
    assert_eq!(findings(&forged, &bench), [Finding::Signature]);
}

#[test]
fn without_a_slip_every_damage_to_the_bytes_is_still_named() {
    let mut bench = Bench::new();
    let object = bench.object(8_000 * 2);
    let bare = |object: &[u8]| verify_object(&mut Cursor::new(object), &bench.trust(), None);
    let report = bare(&object).unwrap();
    assert!(report.is_proved());
    assert_eq!(report.opened, 0);
    let mut damaged = object.clone();
    damaged[9_000] ^= 4;
    assert_eq!(bare(&damaged).unwrap().findings, [Finding::Damaged { chunk: 0 }]);
}

#[test]
fn a_slip_with_other_keys_is_named_before_anything_is_opened() {
    let mut bench = Bench::new();
    let object = bench.object(8_000 * 2);
    let wrong = Slip::first(RECORDING, &RootSeed::from_bytes([1; 32]));
    let report = verify_object(&mut Cursor::new(&object), &bench.trust(), Some(&wrong)).unwrap();
    let closed = |chunk| Finding::Closed { chunk, fault: ChunkFault::Key };
    assert_eq!(report.findings, [closed(0), closed(1), closed(METADATA_CHUNK)]);
    let other = Slip::first(call::RecordingId::from_bytes([8; 16]), &seed());
    let report = verify_object(&mut Cursor::new(&object), &bench.trust(), Some(&other)).unwrap();
    assert_eq!(report.findings, [Finding::OtherSlip]);
    let reader = Reader::open(Cursor::new(&object), other);
    assert!(matches!(reader, Err(ReadError::OtherRecording)));
}

#[test]
fn damage_is_an_error_of_the_export_and_never_silence_in_it() {
    let mut bench = Bench::new();
    let mut object = bench.object(8_000 * 3);
    let second = places(&object)[1].clone();
    object[second.start + 100] ^= 1;
    let mut reader = Reader::open(Cursor::new(&object), slip()).unwrap();
    let exported = export_wav(&mut reader, Cursor::new(Vec::new()));
    let expected = ChunkFault::Hash;
    assert!(matches!(
        exported,
        Err(ExportError::Read(ReadError::Chunk { chunk: 1, fault })) if fault == expected
    ));
    let mut heard = [[0; 2]; 100];
    assert_eq!(reader.read(100, &mut heard).unwrap(), 100, "what is whole can be heard");
    assert_eq!(heard[0], said(A, 100));
}

#[test]
fn random_bytes_are_no_object_and_no_panic() {
    let mut bench = Bench::new();
    let object = bench.object(1_600);
    let mut dice = Dice(3);
    for _ in 0..2_000 {
        let mut damaged = object.clone();
        for _ in 0..1 + dice.below(20) {
            let at = usize::try_from(dice.below(damaged.len() as u64)).unwrap();
            damaged[at] = dice.below(256) as u8;
        }
        if dice.below(4) == 0 {
            damaged.truncate(usize::try_from(dice.below(object.len() as u64)).unwrap());
        }
        if damaged != object {
            let report = verify(&damaged, &bench.trust());
            assert!(!report.is_ok_and(|report| report.is_proved()));
        }
    }
}
