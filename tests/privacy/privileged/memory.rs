//! Speech in the memory of the running node: looked for in every page, while the node stands still.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use support::node::{Change, Node};

use crate::{
    calls::Call,
    traces::{Found, Traces},
};

/// What the node may hold of what was said.
#[derive(Clone, Copy)]
struct Held {
    /// For so long.
    age: Duration,
    /// In buffers that end where they like: a few samples at the end of one may be all that is left
    /// there, and tell no age. A packet that stays somewhere is longer than that.
    cut: bool,
}

/// After a call: nothing.
const NOTHING: Held = Held { age: Duration::ZERO, cut: false };
/// During the notice: one packet on its way.
const ON_ITS_WAY: Held = Held { age: Duration::from_millis(40), cut: false };
/// Of a call that is being recorded: a block, reordering, a segment, and a tick of the recorder.
const UNSEALED: Held = Held { age: Duration::from_millis(600), cut: true };

/// Every writable page of a process at one moment.
struct Memory {
    taken: Instant,
    pieces: Vec<(String, Vec<u8>)>,
}

impl Memory {
    /// Stops the process, reads its memory, and lets it go on.
    fn of(pid: u32) -> Self {
        let taken = Instant::now();
        signal(pid, "-STOP");
        while !stands_still(pid) {
            thread::yield_now();
        }
        let pieces = read(pid);
        signal(pid, "-CONT");
        Self { taken, pieces }
    }

    fn find(&self, traces: &Traces) -> Vec<(&str, Found)> {
        let pieces = self.pieces.iter();
        pieces
            .flat_map(|(name, bytes)| traces.find(bytes).into_iter().map(move |f| (&**name, f)))
            .collect()
    }

    /// What is older than it may be, or of no known age.
    fn older(&self, traces: &mut Traces, held: Held) -> Vec<String> {
        let sent = traces.sent().to_vec();
        let found = self.find(traces);
        let age = |found: &Found| {
            let at = found.packet.and_then(|number| sent.get(number));
            at.map(|at| self.taken.saturating_duration_since(*at))
        };
        let old = |found: &Found| age(found).map_or(!held.cut, |age| age > held.age);
        let old = found.into_iter().filter(|(_, it)| old(it));
        old.map(|(piece, it)| format!("{it:?}, {:?} old, in {piece}", age(&it))).collect()
    }
}

fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill").args([name, &pid.to_string()]).status().expect("kill");
    assert!(sent.success());
}

/// Whether every thread has stopped.
fn stands_still(pid: u32) -> bool {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("a process");
    threads.flatten().all(|thread| {
        let stat = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('T'))
    })
}

fn read(pid: u32) -> Vec<(String, Vec<u8>)> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("a map");
    let memory = File::open(format!("/proc/{pid}/mem")).expect("root may read its memory");
    let mut pieces = Vec::new();
    for line in maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(writable)) {
        let (from, to) = line.split(' ').next().and_then(|it| it.split_once('-')).expect("a span");
        let place = |text| u64::from_str_radix(text, 16).expect("an address");
        let (from, to) = (place(from), place(to));
        let mut bytes = vec![0; usize::try_from(to - from).expect("a length")];
        match memory.read_exact_at(&mut bytes, from) {
            Ok(()) => pieces.push((line.to_owned(), bytes)),
            Err(error) => panic!("{line}: {error}"),
        }
    }
    pieces
}

fn writable(rights: &str) -> bool {
    rights.starts_with("rw")
}

/// Nothing that either party said is in the memory of the node.
fn nothing_left(call: &mut Call, memory: &Memory) {
    let caller = memory.older(&mut call.said, NOTHING);
    let pbx = memory.older(&mut call.answered, NOTHING);
    assert!(caller.is_empty() && pbx.is_empty(), "{caller:#?} {pbx:#?}");
}

/// Waits 100 ms from the end of the call on, and takes the memory.
fn after_the_end(node: &Node, ended: Instant) -> Memory {
    thread::sleep(Duration::from_millis(100).saturating_sub(ended.elapsed()));
    Memory::of(node.pid())
}

fn look(node: &Node, call: &mut Call, times: u32, held: Held) {
    for _ in 0..times {
        let memory = Memory::of(node.pid());
        let old =
            [memory.older(&mut call.said, held), memory.older(&mut call.answered, held)].concat();
        assert!(old.is_empty(), "{old:#?}");
        // Odd, so that no rhythm of the node is missed.
        thread::sleep(Duration::from_millis(313));
    }
}

#[test]
fn in_the_notice_nothing_older_than_40_ms_is_in_memory_and_nothing_after_a_hang_up() {
    let node = Node::start(&Change::default());
    let mut call = Call::here(&node);
    look(&node, &mut call, 10, ON_ITS_WAY);
    assert!(call.said.sent().len() > 100, "the caller speaks into the notice");
    let ended = call.hang_up();
    let memory = after_the_end(&node, ended);
    nothing_left(&mut call, &memory);
}

#[test]
fn of_a_refused_call_nothing_older_than_40_ms_is_in_memory_and_nothing_after_it() {
    let node = Node::start(&Change::default());
    let mut call = Call::here(&node);
    call.bridge('2');
    look(&node, &mut call, 10, ON_ITS_WAY);
    let ended = call.hang_up();
    let memory = after_the_end(&node, ended);
    nothing_left(&mut call, &memory);
}

#[test]
fn of_a_recorded_call_only_what_is_not_sealed_yet_is_in_memory_and_nothing_after_it() {
    let node = Node::start(&Change::default());
    let mut call = Call::here(&node);
    call.bridge('1');
    // What is looked for can be found: the recorder holds a part of the last half second.
    let caught = (0..40).any(|_| {
        thread::sleep(Duration::from_millis(40));
        let memory = Memory::of(node.pid());
        !memory.find(&call.said).is_empty() && !memory.find(&call.answered).is_empty()
    });
    assert!(caught, "a recorder that holds nothing records nothing");
    look(&node, &mut call, 10, UNSEALED);
    let ended = call.hang_up();
    let memory = after_the_end(&node, ended);
    nothing_left(&mut call, &memory);
    let kept = node.until(&["recordings", "list"], |list| {
        list.as_array().is_some_and(|list| !list.is_empty())
    });
    assert_eq!(kept.as_array().map(Vec::len), Some(1));
    // Nor does the way into the store bring it back.
    let memory = Memory::of(node.pid());
    nothing_left(&mut call, &memory);
}
