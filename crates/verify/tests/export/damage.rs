//! Damage to the trail and to objects: each has a name, and says what to do.

use std::fs;

use verify::Exit;

use crate::{
    bench::{Export, FIRST, SECOND, of, trail},
    support::{Bench, Dice},
};

const STORE_DIFFERS: &str = "its object is not the one that the trail says was stored";

#[test]
fn a_sound_export_is_proved_with_the_key_of_its_node() {
    let answer = Export::sound().verify();
    assert_eq!((answer.exit, answer.verdict(), answer.findings().len()), (Exit::Done, "proved", 0));
    let expected = "entries: 12 (from 2026-11-22T09:33:20.000000Z to 2026-11-22T09:33:31.000000Z)\n\
                    checkpoints: 3\nroot: ";
    assert!(answer.out.starts_with(expected), "{answer:#?}");
    let summary = "\nrecordings: 3 permitted, 2 here\ndeletions: 1\nverdict: proved\n";
    assert!(answer.out.ends_with(summary), "{answer:#?}");
}

#[test]
fn without_a_key_a_sound_export_is_consistent_and_its_signer_unknown() {
    let export = Export::sound();
    let answer = export.run(&[]);
    assert_eq!(
        (answer.exit, answer.verdict()),
        (Exit::NotProved, "consistent, signer unknown"),
        "{answer:#?}"
    );
    assert!(answer.findings().is_empty() && answer.out.contains("--trust KEYFILE"), "{answer:#?}");
    fs::remove_file(export.place(FIRST)).unwrap();
    assert_eq!(export.run(&[]).verdict(), "not proved", "damage is named without a key too");
}

#[test]
fn another_key_than_the_nodes_proves_nothing() {
    let (export, other) = (Export::sound(), Bench::new());
    let trust = export.trust_file(&[&other]);
    export.run(&["--trust", trust.to_str().unwrap()]).names(&[
        trail("3 checkpoints are signed by another key than the trusted one"),
        trail("no valid checkpoint covers any entry"),
        of(FIRST, "its object is signed by another key than the trusted one"),
        of(SECOND, "its object is signed by another key than the trusted one"),
    ]);
}

#[test]
fn of_several_trusted_keys_the_one_that_signed_counts() {
    let (export, other) = (Export::sound(), Bench::new());
    for nodes in [[&other, &export.bench], [&export.bench, &other]] {
        let trust = export.trust_file(&nodes);
        let answer = export.run(&["--trust", trust.to_str().unwrap()]);
        assert_eq!(answer.verdict(), "proved", "{answer:#?}");
    }
}

#[test]
fn a_changed_entry_is_found_by_every_checkpoint_after_it() {
    let export = Export::sound();
    export.edit("entries.jsonl", |lines| {
        lines[6] = lines[6].replacen("country NL", "country US", 1);
    });
    export.verify().names(&[
        trail("the tree differs from a stored checkpoint at size 10"),
        trail("the tree differs from a stored checkpoint at size 12"),
    ]);
    export.write();
    export.edit("entries.jsonl", |lines| lines[6] = lines[6].replacen("\"at\":17", "\"at\":16", 1));
    export.verify().names(&[trail("entry 6 is altered")]);
}

#[test]
fn a_dropped_entry_is_named_with_what_it_leaves_unproved() {
    let export = Export::sound();
    export.edit("entries.jsonl", |lines| drop(lines.remove(5)));
    export.verify().names(&[
        trail("entry 5 is missing"),
        of(SECOND, "its object is here, and the trail does not say that it was sealed"),
    ]);
    export.write();
    export.edit("entries.jsonl", |lines| drop(lines.pop()));
    let answer = export.verify();
    assert!(answer.findings()[0].contains("the tree has 11 entries, a checkpoint 12: it was cut"));
    assert_eq!(answer.exit, Exit::NotProved);
}

#[test]
fn two_entries_that_changed_places_are_named() {
    let export = Export::sound();
    export.edit("entries.jsonl", |lines| lines.swap(2, 3));
    export.verify().names(&[trail("entry 2 is missing"), trail("entry 2 stands out of its place")]);
}

#[test]
fn a_checkpoint_that_was_changed_or_taken_away_is_named() {
    let export = Export::sound();
    export.edit("checkpoints.jsonl", |lines| {
        lines[1] =
            lines[1].replace("\"size\":10", "\"size\":11").replacen("\\n10\\n", "\\n11\\n", 1);
    });
    export.verify().names(&[trail("a stored checkpoint at size 11 has a bad signature")]);
    export.write();
    export.edit("checkpoints.jsonl", |lines| drop(lines.pop()));
    export.verify().names(&[trail("no checkpoint covers entry 10 and later ones")]);
    fs::remove_file(export.file("checkpoints.jsonl")).unwrap();
    export.verify().names(&[
        "checkpoints.jsonl cannot be read (entity not found)".to_owned(),
        trail("no valid checkpoint covers any entry"),
    ]);
}

#[test]
fn a_trail_that_is_gone_leaves_every_object_without_a_permit() {
    let export = Export::sound();
    fs::remove_file(export.file("entries.jsonl")).unwrap();
    export.verify().names(&[
        "entries.jsonl cannot be read (entity not found)".to_owned(),
        trail("the tree has 0 entries, a checkpoint 12: it was cut"),
        of(FIRST, "there is sound, and no permit for it in the trail"),
        of(SECOND, "there is sound, and no permit for it in the trail"),
    ]);
}

#[test]
fn a_changed_second_is_named_with_the_recording() {
    let export = Export::sound();
    let mut object = export.object(FIRST);
    object[9_000] ^= 1;
    export.put(FIRST, &object);
    export
        .verify()
        .names(&[of(FIRST, "second 0: its bytes were changed"), of(FIRST, STORE_DIFFERS)]);
}

#[test]
fn an_object_that_was_cut_off_is_named() {
    let export = Export::sound();
    let object = export.object(FIRST);
    export.put(FIRST, &object[..object.len() - 1]);
    export.verify().names(&[
        of(
            FIRST,
            "the object has no end: it was cut off, or is no recording. Compare it with another \
             copy",
        ),
        of(FIRST, STORE_DIFFERS),
    ]);
}

#[test]
fn a_flipped_bit_anywhere_in_the_folder_is_found() {
    let export = Export::sound();
    let mut dice = Dice(7);
    for path in
        [export.file("entries.jsonl"), export.file("checkpoints.jsonl"), export.place(FIRST)]
    {
        let whole = fs::read(&path).unwrap();
        for byte in (0..whole.len()).step_by(1 + whole.len() / 80) {
            let (byte, bit) = (byte, dice.below(8));
            let mut damaged = whole.clone();
            damaged[byte] ^= 1 << bit;
            fs::write(&path, damaged).unwrap();
            let answer = export.verify();
            assert_eq!(answer.verdict(), "not proved", "{path:?} byte {byte} bit {bit}");
            assert!(!answer.findings().is_empty());
        }
        fs::write(&path, whole).unwrap();
    }
    assert_eq!(export.verify().verdict(), "proved", "as it was before");
}
