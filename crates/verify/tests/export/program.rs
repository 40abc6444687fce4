//! The program itself: its exit codes, its JSON, and what it says of a wrong use.

use std::{fs, process::Command};

use verify::Exit;

use crate::bench::{Export, FIRST};

#[test]
fn the_exit_codes_are_0_proved_1_not_proved_2_wrong_use() {
    let export = Export::sound();
    let trust = export.trust_file(&[&export.bench]);
    let code = |words: &[&std::ffi::OsStr]| {
        let done = Command::new(env!("CARGO_BIN_EXE_jawoord-verify")).args(words).output().unwrap();
        (done.status.code(), String::from_utf8(done.stdout).unwrap())
    };
    let folder = export.folder();
    let proved = code(&["--trust".as_ref(), trust.as_os_str(), folder.as_os_str()]);
    assert_eq!(proved.0, Some(0), "{proved:?}");
    assert!(proved.1.ends_with("verdict: proved\n"));
    assert_eq!(code(&[folder.as_os_str()]).0, Some(1));
    assert_eq!(code(&[]), (Some(2), String::new()));
    assert_eq!(code(&["--help".as_ref()]).0, Some(0));
}

#[test]
fn json_is_one_object_with_everything_in_it() {
    let export = Export::sound();
    let trust = export.trust_file(&[&export.bench]);
    let words = ["--json", "--trust", trust.to_str().unwrap()];
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let answer = export.run(&words);
    let sound = read(&answer.out);
    assert_eq!(answer.exit, Exit::Done);
    assert_eq!(sound["verdict"], "proved");
    assert_eq!(sound["root"].as_str().unwrap().len(), 64);
    assert_eq!(sound["last"], "2026-11-22T09:33:31.000000Z");
    let counts = ["entries", "checkpoints", "recordings", "objects", "deletions", "more_findings"];
    assert_eq!(counts.map(|name| sound[name].as_u64().unwrap()), [12, 3, 3, 2, 1, 0]);
    assert_eq!(sound["findings"].as_array().unwrap().len(), 0);
    assert_eq!(read(&export.run(&["--json"]).out)["verdict"], "signer-unknown");
    fs::remove_file(export.place(FIRST)).unwrap();
    let damaged = read(&export.run(&words).out);
    assert_eq!(damaged["verdict"], "not-proved");
    assert_eq!(damaged["findings"][0]["recording"], FIRST.to_string());
    assert!(damaged["findings"][0]["what_happened"].as_str().unwrap().contains("is not here"));
    assert!(damaged["findings"][0]["what_to_do"].as_str().unwrap().starts_with("Ask for"));
}

#[test]
fn a_wrong_use_is_told_aside_and_answers_nothing() {
    let export = Export::sound();
    let empty = export.bench.folder.join("empty");
    fs::write(&empty, "# nobody\n").unwrap();
    let absent = export.bench.folder.join("absent");
    for words in [
        vec!["--trust", absent.to_str().unwrap()],
        vec!["--trust", empty.to_str().unwrap()],
        vec!["--trsut"],
        vec!["a-second-folder"],
    ] {
        let answer = export.run(&words);
        assert_eq!((answer.exit, answer.out.as_str()), (Exit::WrongUse, ""), "{words:?}");
        assert!(answer.told.starts_with("jawoord-verify: ") && answer.told.contains(';'));
    }
    fs::remove_dir_all(export.folder()).unwrap();
    assert_eq!(export.run(&[]).exit, Exit::WrongUse, "there is no folder");
    fs::write(export.folder(), b"x").unwrap();
    assert_eq!(export.run(&[]).exit, Exit::WrongUse, "a file is no folder");
}

#[test]
fn nothing_in_the_folder_is_changed() {
    let export = Export::sound();
    let before = export.bench.folder.files();
    let trust = export.trust_file(&[&export.bench]);
    export.run(&["--trust", trust.to_str().unwrap()]);
    fs::remove_file(trust).unwrap();
    assert!(export.bench.folder.files() == before);
}
