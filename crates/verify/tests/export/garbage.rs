//! Folders that are no exports: an answer, never a panic, and nothing followed out of the folder.

use std::{fs, os::unix::fs::symlink};

use verify::{Exit, Trusted, Verdict, verify_folder};

use crate::{
    bench::{Export, FIRST, of},
    support::{Dice, Folder},
};

#[test]
fn an_empty_folder_is_not_proved() {
    let folder = Folder::new();
    let report = verify_folder(folder.path(), &Trusted::default()).unwrap();
    assert_eq!((report.verdict(), report.findings.len()), (Verdict::NotProved, 3));
}

#[test]
fn files_of_the_wrong_kind_are_named() {
    let export = Export::sound();
    for name in ["entries.jsonl", "checkpoints.jsonl"] {
        fs::remove_file(export.file(name)).unwrap();
        fs::create_dir(export.file(name)).unwrap();
    }
    fs::remove_dir_all(export.file("recordings")).unwrap();
    fs::write(export.file("recordings"), b"x").unwrap();
    let answer = export.verify();
    let named = |part: &str| {
        let line = format!("{part} cannot be read (");
        answer.findings().iter().any(|found| found.starts_with(&line))
    };
    assert!(named("entries.jsonl") && named("checkpoints.jsonl") && named("recordings"));
    assert_eq!(answer.exit, Exit::NotProved);
}

#[test]
fn what_is_no_object_is_named_and_never_followed() {
    let export = Export::sound();
    let aside = export.file("elsewhere.jwr");
    fs::rename(export.place(FIRST), &aside).unwrap();
    symlink(&aside, export.place(FIRST)).unwrap();
    let recordings = export.file("recordings");
    fs::write(recordings.join("line\nverdict: proved"), b"").unwrap();
    fs::write(recordings.join(format!("{}.jwr", "AB".repeat(16))), b"").unwrap();
    fs::create_dir(recordings.join(format!("{}.jwr", "ab".repeat(16)))).unwrap();
    let stranger = |name: &str| format!("recordings: {name:?} is not the object of a recording");
    export.verify().names(&[
        stranger(&format!("{FIRST}.jwr")),
        stranger(&format!("{}.jwr", "AB".repeat(16))),
        stranger(&format!("{}.jwr", "ab".repeat(16))),
        stranger("line\nverdict: proved"),
        of(FIRST, "it was stored and not deleted, as the trail says, and its object is not here"),
    ]);
}

#[test]
fn an_object_of_nothing_is_named() {
    let export = Export::sound();
    export.put(FIRST, b"");
    let answer = export.verify();
    assert!(answer.findings()[0].contains("the object has no end"), "{answer:#?}");
}

#[test]
fn random_changes_are_answered_and_never_proved() {
    let export = Export::sound();
    let mut dice = Dice(11);
    let files =
        [export.file("entries.jsonl"), export.file("checkpoints.jsonl"), export.place(FIRST)];
    let whole = files.clone().map(|file| fs::read(file).unwrap());
    for _ in 0..100 {
        for (file, whole) in files.iter().zip(&whole) {
            let mut bytes = whole.clone();
            for _ in 0..dice.below(20) {
                let at = usize::try_from(dice.below(bytes.len() as u64)).unwrap();
                bytes[at] = u8::try_from(dice.below(256)).unwrap();
            }
            if dice.below(4) == 0 {
                bytes.truncate(usize::try_from(dice.below(bytes.len() as u64)).unwrap());
            }
            if dice.below(8) == 0 {
                bytes = (0..dice.below(5_000)).map(|_| dice.below(256) as u8).collect();
            }
            fs::write(file, bytes).unwrap();
        }
        let same = files.iter().zip(&whole).all(|(file, whole)| fs::read(file).unwrap() == *whole);
        assert_eq!(export.verify().verdict() == "proved", same);
    }
}
