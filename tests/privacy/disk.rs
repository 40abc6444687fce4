//! Speech on disk: looked for in every file that the node has, open or not, all through a call.

use std::{
    fs, io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use support::node::{Change, Node};

use crate::calls::Call;

/// Everything below a folder. What goes while it is looked at is no longer there.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => {
                all.push(entry.path());
                all.extend(files(&entry.path()));
            }
            Ok(_) => all.push(entry.path()),
            Err(_) => {}
        }
    }
    all
}

/// The regular files that the node holds open, wherever they are, deleted ones as well.
fn open_files(pid: u32) -> Vec<PathBuf> {
    let held = fs::read_dir(format!("/proc/{pid}/fd")).expect("a running node");
    let held = held.flatten().map(|entry| entry.path());
    held.filter(|path| fs::metadata(path).is_ok_and(|it| it.is_file())).collect()
}

/// Looks through every file; says how many there were.
fn look(node: &Node, call: &Call) -> usize {
    let here = files(node.home.path()).into_iter().filter(|path| path.is_file());
    let all: Vec<_> = here.chain(open_files(node.pid())).collect();
    for path in &all {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => panic!("{}: {error}", path.display()),
        };
        for traces in [&call.said, &call.answered] {
            let found = traces.find(&bytes);
            assert!(found.is_empty(), "{}: {found:?}", path.display());
        }
    }
    all.len()
}

#[test]
fn what_is_said_in_a_recorded_call_is_in_no_file_during_the_call_nor_after_it() {
    let node = Node::start(&Change::default().under("RUST_LOG", "debug"));
    let mut call = Call::here(&node);
    // Into the notice, into the bridge, and a while behind the end.
    for _ in 0..5 {
        assert!(look(&node, &call) > 5, "a data folder, a key folder, a log");
        thread::sleep(Duration::from_millis(200));
    }
    call.bridge('1');
    let until = Instant::now() + Duration::from_secs(6);
    while Instant::now() < until {
        look(&node, &call);
        thread::sleep(Duration::from_millis(200));
    }
    call.hang_up();
    let stored = |node: &Node| {
        let list = node.json(&["recordings", "list"]);
        list.as_array().is_some_and(|list| list.len() == 1)
    };
    let limit = Instant::now() + Duration::from_secs(10);
    while !stored(&node) {
        assert!(Instant::now() < limit, "nothing is stored");
        look(&node, &call);
    }
    for _ in 0..5 {
        look(&node, &call);
        thread::sleep(Duration::from_millis(200));
    }
    let journals = files(&node.data()).into_iter().filter(|it| it.is_file());
    assert!(journals.count() > 2);
}
