//! Reports of reconciliations: what the node has signed is proved, and every change to it is named by its
//! file.

#![allow(clippy::unwrap_used, reason = "a file that cannot be made fails its test")]

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use ledger::{Inventory, Listed};
use ring::signature::{Ed25519KeyPair, KeyPair};
use tempfile::TempDir;
use verify::{Exit, Verdict, What, run, verify_report};

struct Node(Ed25519KeyPair);

impl ledger::Signer for Node {
    fn public_key(&self) -> [u8; 32] {
        self.0.public_key().as_ref().try_into().unwrap()
    }

    fn sign(&self, message: &[u8]) -> Option<[u8; 64]> {
        self.0.sign(message).as_ref().try_into().ok()
    }
}

fn node(seed: u8) -> Node {
    Node(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap())
}

const NAME: &str = "2026-12-02.json";
const REPORT: &str = r#"{
  "form": "jawoord/reconciliation/v1",
  "made_at": "2026-12-02T03:00:00.000000Z",
  "from": "2026-11-30T00:00:00.000000Z",
  "to": "2026-12-02T00:00:00.000000Z",
  "calls": 3, "running": 0, "recordings": 2, "objects": 1, "slips": 2,
  "mismatches": 1,
  "kinds": { "object-missing": 1 },
  "findings": [ {
    "mismatch": "object-missing",
    "recording": "07070707070707070707070707070707",
    "says": "the recording is stored, and the store has no object of it"
  } ]
}"#;

/// A report that this node has signed, under a name.
fn signed(folder: &Path, name: &str, text: &str, by: u8) -> PathBuf {
    let list = Inventory::sign_report(Listed::new(name, text.as_bytes()), &node(by)).unwrap();
    let file = folder.join(name);
    fs::write(&file, text).unwrap();
    fs::write(file.with_extension("sig"), list.text()).unwrap();
    file
}

fn trusted(seed: u8) -> verify::Trusted {
    let key: String =
        ledger::Signer::public_key(&node(seed)).iter().map(|byte| format!("{byte:02x}")).collect();
    verify::Trusted::parse(&format!("jawoord-ed25519 {key}\n")).unwrap()
}

/// What is wrong with a file, by its ending.
fn wrong(file: &Path) -> Vec<(String, What)> {
    let answer = verify_report(file, &trusted(1)).unwrap();
    let differences = answer.differences.into_iter();
    let ending = |file: &str| file.rsplit('.').next().unwrap().to_owned();
    differences.map(|difference| (ending(&difference.file), difference.what)).collect()
}

#[test]
fn a_report_that_the_node_has_signed_is_proved_and_shown() {
    let home = TempDir::new().unwrap();
    let file = signed(home.path(), NAME, REPORT, 1);
    let answer = verify_report(&file, &trusted(1)).unwrap();
    assert_eq!(answer.verdict(), Verdict::Proved, "{answer}");
    let shown = answer.to_string();
    for part in [
        "recording 07070707070707070707070707070707: the recording is stored, and",
        "\nfrom: 2026-11-30T00:00:00.000000Z\nto: 2026-12-02T00:00:00.000000Z\n",
        "\nmismatches: 1\n",
        "\nverdict: proved\n",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert_eq!(answer.json()["report"]["kinds"]["object-missing"], 1);
    assert_eq!(answer.json()["sha256"].as_str().unwrap().len(), 64);
    let unknown = verify_report(&file, &verify::Trusted::default()).unwrap();
    assert_eq!(unknown.verdict(), Verdict::SignerUnknown);
}

#[test]
fn every_flipped_bit_of_a_report_or_its_line_is_found() {
    let home = TempDir::new().unwrap();
    let file = signed(home.path(), NAME, REPORT, 1);
    for path in [file.clone(), file.with_extension("sig")] {
        let sound = fs::read(&path).unwrap();
        for bit in 0..sound.len() * 8 {
            let mut bytes = sound.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, bytes).unwrap();
            let answer = verify_report(&file, &trusted(1)).unwrap();
            assert_eq!(answer.verdict(), Verdict::NotProved, "bit {bit} of {}", path.display());
        }
        fs::write(&path, sound).unwrap();
    }
    assert_eq!(wrong(&file), []);
}

#[test]
fn a_report_of_another_node_or_another_day_or_that_contradicts_itself_is_named() {
    let home = TempDir::new().unwrap();
    let of = |what, file: &str| vec![(file.to_owned(), what)];
    assert_eq!(wrong(&signed(home.path(), NAME, REPORT, 2)), of(What::OtherSigner, "sig"));
    let file = signed(home.path(), NAME, REPORT, 1);
    let other = home.path().join("2026-12-03.json");
    fs::rename(&file, &other).unwrap();
    assert_eq!(wrong(&other), of(What::Missing, "sig"));
    fs::rename(file.with_extension("sig"), other.with_extension("sig")).unwrap();
    assert_eq!(wrong(&other), of(What::Stranger, "json"));
    for (from, to) in [
        ("\"mismatches\": 1", "\"mismatches\": 0"),
        ("\"object-missing\": 1", "\"object-missing\": 2"),
        ("reconciliation/v1", "reconciliation/v2"),
        ("\"calls\": 3", "\"calls\": -3"),
    ] {
        let file = signed(home.path(), NAME, &REPORT.replace(from, to), 1);
        assert_eq!(wrong(&file), of(What::Form, "json"), "{to}");
    }
}

#[test]
fn the_program_proves_a_report_by_its_name_also_from_within_its_folder() {
    let home = TempDir::new().unwrap();
    let file = signed(home.path(), NAME, REPORT, 1);
    let (mut out, mut told) = (Vec::new(), Vec::new());
    let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
    let exit = run(words(&["report", file.to_str().unwrap()]), &mut out, &mut told);
    assert_eq!((exit, told.len()), (Exit::NotProved, 0), "nobody is trusted");
    let absent = home.path().join("absent.json");
    let exit = run(words(&["report", absent.to_str().unwrap()]), &mut out, &mut told);
    assert_eq!(exit, Exit::WrongUse);
    // A bare name has no folder of its own.
    let done = std::process::Command::new(env!("CARGO_BIN_EXE_jawoord-verify"))
        .current_dir(home.path())
        .args(["report", NAME, "--json"])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&done.stdout).contains("signer-unknown"), "{done:?}");
}
