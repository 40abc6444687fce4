//! One flipped bit, a swap, a cut, an old slip: each is named by verifying.

use std::{fs, path::Path, time::Duration};

use serde_json::Value;
use support::{
    exchange::{Act, Manner, Plan},
    node::{Change, Node},
    scene::{ENGLISH, Scene},
};

/// A node that has stopped, and its one recording of a bit more than four seconds.
fn stopped(from: &str) -> (Node, String) {
    let manner = Manner::Answers {
        after: Duration::ZERO,
        tone_hz: 440.0,
        acts: vec![(Duration::from_millis(4_300), Act::HangUp)],
    };
    let mut scene = Scene::start(&Change::default(), manner);
    scene.call(Plan::new(from, ENGLISH).at(400, Act::Press('1')));
    scene.over(1, 30);
    let id = scene.recording(from)["recording"].as_str().expect("an id").to_owned();
    scene.node.stop();
    (scene.node, id)
}

fn number(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

/// Where the parts of an object lie: every chunk, the table, the manifest (`FORMAT.md` §1).
struct Parts {
    chunks: Vec<std::ops::Range<usize>>,
    table: usize,
    manifest: std::ops::Range<usize>,
}

fn parts(object: &[u8]) -> Parts {
    let footer = &object[object.len() - 32..];
    let (chunks, table, manifest) =
        (number(&footer[..8]), number(&footer[8..16]), number(&footer[16..20]));
    let (mut at, mut found) = (0, Vec::new());
    for row in object[chunks..chunks + table].chunks_exact(88) {
        let length = number(&row[20..24]);
        found.push(at..at + length);
        at += length;
    }
    assert_eq!(at, chunks);
    Parts { chunks: found, table: chunks, manifest: chunks + table..chunks + table + manifest }
}

fn findings(value: &Value) -> String {
    assert_ne!(value["verified"], true, "{value:#}");
    let all = value["findings"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let text = all.collect::<Vec<_>>().join("\n");
    if text.is_empty() { value.to_string() } else { text }
}

fn named(node: &Node, id: &str, path: &Path, bytes: &[u8], name: &str) {
    fs::write(path, bytes).expect("the object");
    let said = findings(&node.fails(&["recordings", "verify", id]));
    assert!(said.contains(name), "{name:?} is not named in: {said}");
}

#[test]
fn every_damage_to_a_stored_object_is_named() {
    let (node, id) = stopped("+31612345696");
    let (path, _) = node.files("store").pop().expect("an object");
    let whole = fs::read(&path).expect("the object");
    assert_eq!(node.done(&["recordings", "verify", &id])["verified"], true);
    let Parts { chunks, table, manifest } = parts(&whole);
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        bytes
    };
    for at in [chunks[2].start, chunks[2].start + 2_000, chunks[2].end - 1] {
        named(&node, &id, &path, &flipped(at), "second 2");
    }
    named(&node, &id, &path, &flipped(table + 88 + 30), "chunk table");
    named(&node, &id, &path, &flipped(table + 2 * 88 + 3), "chunk table");
    named(&node, &id, &path, &flipped(manifest.start + 40), "manifest");
    named(&node, &id, &path, &flipped(manifest.end - 1), "signature");
    named(&node, &id, &path, &flipped(whole.len() - 30), "footer");
    // Anywhere at all: something is named, and nothing is called well.
    for at in (1..whole.len()).step_by(whole.len() / 12) {
        named(&node, &id, &path, &flipped(at), "");
    }

    let mut swapped = whole.clone();
    assert_eq!(chunks[1].len(), chunks[2].len());
    swapped[chunks[1].clone()].copy_from_slice(&whole[chunks[2].clone()]);
    swapped[chunks[2].clone()].copy_from_slice(&whole[chunks[1].clone()]);
    named(&node, &id, &path, &swapped, "second 1: second 2 stands in its place");
    let mut without = whole.clone();
    without.drain(chunks[3].clone());
    let end = without.len() - 32;
    let shorter = (table - chunks[3].len()) as u64;
    without[end..end + 8].copy_from_slice(&shorter.to_be_bytes());
    named(&node, &id, &path, &without, "second 3: cut off or removed");
    named(&node, &id, &path, &whole[..whole.len() - 100], "cut off");
    fs::remove_file(&path).expect("the object");
    let gone = findings(&node.fails(&["recordings", "verify", &id]));
    assert!(gone.contains("object"), "{gone}");

    fs::write(&path, &whole).expect("the object");
    assert_eq!(node.done(&["recordings", "verify", &id])["verified"], true);
}

mod sqlite {
    use std::process::Command;

    use super::*;

    fn sql(node: &Node, file: &str, statement: &str) -> String {
        let output = Command::new("sqlite3").arg(node.data().join(file)).arg(statement).output();
        let output = output.expect("package sqlite3");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    #[test]
    fn a_flipped_bit_in_a_slip_or_the_tree_and_an_old_slip_put_back_are_named() {
        let (node, id) = stopped("+31612345697");
        let columns = "hex(sealed), revision, epoch, hex(commitment)";
        let old = sql(&node, "slips.db", &format!("SELECT {columns} FROM slips"));
        let _erased = node.done(&["recordings", "erase", &id, "--from", "1", "--to", "2"]);
        assert_eq!(node.done(&["recordings", "verify", &id])["verified"], true);
        let new = sql(&node, "slips.db", &format!("SELECT {columns} FROM slips"));
        sql(&node, "slips.db", "DROP TRIGGER slips_are_replaced_not_changed");
        let put = |slip: &str| {
            let [sealed, revision, epoch, commitment] =
                slip.split('|').collect::<Vec<_>>().try_into().expect("a slip");
            let set = format!(
                "UPDATE slips SET sealed = X'{sealed}', revision = {revision}, epoch = {epoch},
                 commitment = X'{commitment}'"
            );
            sql(&node, "slips.db", &set);
        };
        put(&old);
        let said = findings(&node.fails(&["recordings", "verify", &id]));
        assert!(said.contains("an old slip was put back"), "{said}");
        // The middle of the sealed nodes.
        let at = new.find('|').expect("a slip") / 2;
        let digit = if new.as_bytes()[at] == b'0' { "1" } else { "0" };
        put(&format!("{}{digit}{}", &new[..at], &new[at + 1..]));
        let said = findings(&node.fails(&["recordings", "verify", &id]));
        assert!(said.contains("key slip"), "{said}");
        put(&new);
        assert_eq!(node.done(&["recordings", "verify", &id])["verified"], true);

        assert_eq!(node.done(&["audit", "verify"])["verified"], true);
        sql(&node, "ledger.db", "DROP TRIGGER entries_are_never_changed");
        for (column, entry) in [("body", 3), ("salt", 2), ("leaf", 4)] {
            let whole = sql(
                &node,
                "ledger.db",
                &format!("SELECT hex({column}) FROM entries WHERE entry = {entry}"),
            );
            let set = |hex: &str| {
                sql(
                    &node,
                    "ledger.db",
                    &format!("UPDATE entries SET {column} = X'{hex}' WHERE entry = {entry}"),
                )
            };
            let last = whole.len() - 1;
            let digit = if whole.ends_with('0') { "1" } else { "0" };
            set(&format!("{}{digit}", &whole[..last]));
            let said = findings(&node.fails(&["audit", "verify"]));
            assert!(said.contains(&format!("entry {entry}")), "{column}: {said}");
            set(&whole);
            assert_eq!(node.done(&["audit", "verify"])["verified"], true);
        }
    }
}
