//! Reconciliation on a node with real calls: it agrees, also while calls run, and each damage is named.

use std::{
    collections::BTreeMap, fs, os::unix::fs::PermissionsExt, path::Path, process::Command,
    time::Duration,
};

use serde_json::Value;
use support::{
    exchange::{Act, Manner, Plan},
    node::{Change, Node, program},
    scene::{ENGLISH, NEVER, Scene},
};

/// Long enough for a busy machine to look at a call while it runs.
fn manner() -> Manner {
    Manner::Answers {
        after: Duration::ZERO,
        tone_hz: 440.0,
        acts: vec![(Duration::from_secs(8), Act::HangUp)],
    }
}

const YES: &str = "+31612345691";
const NO: &str = "+31612345692";
const UNASKED: &str = "+31612345693";

/// A node with three calls behind it: one recorded, one refused, one of a line that never records.
fn after_three_calls() -> Scene {
    let mut scene = Scene::start(&Change::default(), manner());
    scene.call(Plan::new(YES, ENGLISH).at(400, Act::Press('1')));
    scene.call(Plan::new(NO, ENGLISH).at(400, Act::Press('2')));
    scene.call(Plan::new(UNASKED, NEVER));
    scene.over(3, 60);
    let _stored = scene.recording(YES);
    for caller in [NO, UNASKED] {
        let _with_its_words = scene.shown(caller);
    }
    scene
}

/// What is found: each mismatch by its name, with what it is about.
fn found(report: &Value) -> BTreeMap<String, String> {
    let all = report["findings"].as_array().cloned().unwrap_or_default();
    assert_eq!(report["mismatches"], all.len(), "{report:#}");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    all.iter()
        .map(|found| {
            assert!(found["says"].as_str().is_some_and(|says| says.len() > 20), "{found:#}");
            (text(&found["mismatch"]), text(&found["recording"]) + &text(&found["call"]))
        })
        .collect()
}

fn named(node: &Node) -> BTreeMap<String, String> {
    found(&node.fails(&["report", "reconcile"]))
}

fn expected(all: &[(&str, &str)]) -> BTreeMap<String, String> {
    all.iter().map(|(name, about)| ((*name).to_owned(), (*about).to_owned())).collect()
}

fn agrees(node: &Node) -> Value {
    let report = node.done(&["report", "reconcile"]);
    assert_eq!(found(&report), BTreeMap::new());
    report
}

/// An auditor proves a report elsewhere, by the node's key, and finds what was changed in it.
fn proved(node: &Node, report: &Path, text: &str) {
    let (trust, name) = (node.data().join("trust"), report.display().to_string());
    let verify = || {
        let mut command = Command::new(program("jawoord-verify"));
        let output = command.arg("--trust").arg(&trust).args(["report", &*name]).output();
        let output = output.expect("the program");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (code, said) = verify();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("\ncalls: 3\n") && said.contains("\nmismatches: 0\n"), "{said}");
    fs::write(report, text.replacen("\"calls\": 3", "\"calls\": 2", 1)).expect("the report");
    let (code, said) = verify();
    assert!(code == Some(1) && said.contains("not those that were signed"), "{code:?}: {said}");
    fs::write(report, text).expect("the report");
}

#[test]
fn calls_verdicts_and_objects_agree_and_each_damage_to_them_is_named() {
    let mut scene = after_three_calls();
    let recording = scene.recording(YES)["recording"].as_str().expect("an id").to_owned();
    let report = agrees(&scene.node);
    let counts = ["calls", "running", "recordings", "objects", "slips"].map(|name| &report[name]);
    assert_eq!(counts, [3, 0, 1, 1, 1]);

    // It is written down, signed, and in the tree; it holds nobody's number.
    let name = report["report"].as_str().expect("a name");
    let folder = scene.node.data().join("reports");
    let text = fs::read_to_string(folder.join(name)).expect("the report");
    assert!(!text.contains("316") && !text.contains("31201234568"), "{text}");
    let signed = fs::read_to_string(folder.join(name).with_extension("sig")).expect("its line");
    let hash = report["sha256"].as_str().expect("a hash");
    assert!(signed.contains(&format!("file {hash} {} {name}\n", text.len())), "{signed}");
    let mode = |path: &Path| fs::metadata(path).expect("it").permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&folder.join(name))), (0o700, 0o600));
    let exported = scene.node.home.path().join("audit");
    let _exported = scene.node.done(&["audit", "export", &exported.display().to_string()]);
    let entries = fs::read_to_string(exported.join("entries.jsonl")).expect("the trail");
    assert_eq!(entries.lines().filter(|line| line.contains("\"reconciled\"")).count(), 1);
    assert!(scene.node.metrics().contains("jawoord_reconcile_mismatches 0"));
    proved(&scene.node, &folder.join(name), &text);

    // A call that runs, and is being recorded, is no mismatch; its beginning alone may be asked for.
    scene.call(Plan::new("+31612345694", ENGLISH).at(400, Act::Press('1')));
    let runs = |list: &Value| list.as_array().is_some_and(|rows| rows[0]["verdict"].is_null());
    let _running = scene.node.until(&["calls", "list"], runs);
    assert_eq!(agrees(&scene.node)["running"], 1);
    let earlier = ["report", "reconcile", "--from", "2026-01-01", "--to", "2026-01-02T12:00"];
    let empty = scene.node.done(&earlier);
    assert_eq!((&empty["calls"], &empty["objects"]), (&0.into(), &1.into()));
    scene.over(4, 60);
    let second = scene.recording("+31612345694")["recording"].as_str().expect("an id").to_owned();
    let _agree = agrees(&scene.node);

    // An object that is gone, and one that nobody owns.
    let path = |id: &str| scene.node.data().join(format!("store/{}/{id}.jwr", &id[..2]));
    let (stranger, object) = ("ab".repeat(16), fs::read(path(&second)).expect("the object"));
    fs::create_dir_all(path(&stranger).parent().expect("a shard")).expect("a shard");
    fs::write(path(&stranger), &object).expect("a stranger");
    fs::write(path(&recording), "").expect("what holds nothing is none");
    let both = [("object-missing", &*recording), ("object-unowned", &stranger)];
    assert_eq!(named(&scene.node), expected(&both));
    assert!(scene.node.metrics().contains("jawoord_reconcile_mismatches 2"));
    assert!(scene.node.log().contains("do not agree"), "{}", scene.node.log());
    // A person reads it too, and the exit code says it.
    let output = scene.node.run(&["report", "reconcile"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("the store has an object that no row names"), "{said}");
    fs::remove_file(path(&stranger)).expect("gone");
    fs::remove_file(path(&recording)).expect("gone");

    // A node that dies in a call: nobody knows of the call until it starts again.
    scene.call(Plan::new("+31612345695", NEVER));
    let _running = scene.node.until(&["calls", "list"], runs);
    let call = scene.node.json(&["calls", "list"])[0]["call"].as_str().expect("an id").to_owned();
    scene.node.kill();
    let two = [("object-missing", &*recording), ("call-open", &call)];
    assert_eq!(named(&scene.node), expected(&two));
    scene.node.run_again();
    assert_eq!(named(&scene.node), expected(&[("object-missing", &recording)]));

    // What is deleted with proof is missed by nobody.
    let _deleted = scene.node.done(&["recordings", "erase", &recording]);
    assert_eq!(agrees(&scene.node)["objects"], 1);
    assert!(scene.node.metrics().contains("jawoord_reconcile_mismatches 0"));
    let wrong = scene.node.run(&["report", "reconcile", "--from", "yesterday"]);
    assert_eq!(wrong.status.code(), Some(2), "wrong use");
}

#[test]
fn what_is_withdrawn_erased_or_sealed_under_another_key_is_nobodys_mismatch() {
    let mut scene = Scene::start(&Change::default(), manner());
    scene.call(Plan::new(YES, ENGLISH).at(400, Act::Press('1')));
    scene.call(Plan::new(NO, ENGLISH).at(400, Act::Press('1')).at(12_000, Act::Press('*')));
    scene.over(2, 60);
    let recording = scene.recording(YES)["recording"].as_str().expect("an id").to_owned();
    assert_eq!(scene.shown(NO)["verdict"], "withdrawn");
    let report = agrees(&scene.node);
    assert_eq!(["calls", "recordings", "objects"].map(|name| &report[name]), [2, 2, 1]);
    let erase = ["recordings", "erase", &recording, "--from", "1", "--to", "2"];
    let _erased = scene.node.done(&erase);
    let _agree = agrees(&scene.node);
    let epochs = scene.node.done(&["keys", "status"]);
    let epoch = epochs[0]["epoch"].to_string();
    let _rotated = scene.node.done(&["keys", "rotate"]);
    let _agree = agrees(&scene.node);
    let _destroyed = scene.node.done(&["keys", "destroy-epoch", &epoch]);
    assert_eq!(agrees(&scene.node)["objects"], 1);
}

/// The catalogue changed past the node.
mod sqlite {
    use std::process::Command;

    use super::*;

    fn sql(node: &Node, file: &str, statement: &str) {
        let output = Command::new("sqlite3").arg(node.data().join(file)).arg(statement).output();
        let output = output.expect("package sqlite3");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    #[test]
    fn a_catalogue_that_was_changed_is_named_row_by_row() {
        let mut scene = after_three_calls();
        let recording = scene.recording(YES)["recording"].as_str().expect("an id").to_owned();
        let refused = scene.id(NO);
        scene.node.stop();
        let node = &scene.node;
        for (file, damage, mend, name, about) in [
            (
                "ledger.db",
                "UPDATE recordings SET evidence_hash = zeroblob(32)",
                "UPDATE recordings SET evidence_hash = (SELECT evidence_hash FROM kept)",
                "evidence-differs",
                &recording,
            ),
            (
                "ledger.db",
                "UPDATE recordings SET object_sha256 = zeroblob(32)",
                "UPDATE recordings SET object_sha256 = (SELECT object_sha256 FROM kept)",
                "object-differs",
                &recording,
            ),
            (
                "ledger.db",
                "UPDATE calls SET verdict = 'not-given' WHERE verdict = 'refused'",
                "UPDATE calls SET verdict = 'refused' WHERE verdict = 'not-given'",
                "verdict-differs",
                &refused,
            ),
            ("slips.db", "DELETE FROM slips", "", "slip-missing", &recording),
        ] {
            if file == "ledger.db" {
                sql(node, file, "CREATE TABLE IF NOT EXISTS kept AS SELECT * FROM recordings");
            }
            sql(node, file, damage);
            assert_eq!(named(node), expected(&[(name, about)]), "{damage}");
            if !mend.is_empty() {
                sql(node, file, mend);
                let _agree = agrees(node);
            }
        }
    }
}
