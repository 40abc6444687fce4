//! Killed again and again on one data folder: what is listed is whole, and nothing else stays.

use std::{
    collections::BTreeSet,
    fs, mem,
    net::UdpSocket,
    thread,
    time::{Duration, Instant},
};

use support::{
    exchange::{Act, Exchange, Manner, Plan},
    node::Change,
    scene::{ENGLISH, Scene},
};

const ROUNDS: usize = 10;
const CALLS: usize = 5;
const SEED: u64 = 0xB492_B66F_BE98_F273;

fn answering() -> Manner {
    Manner::Answers { after: Duration::ZERO, tone_hz: 440.0, acts: Vec::new() }
}

/// Peers that know nothing of the calls before.
fn renew_peers(scene: &mut Scene) {
    let address = scene.pbx.address();
    drop(mem::replace(&mut scene.callers, Exchange::callers()));
    drop(mem::replace(&mut scene.pbx, Exchange::callers()));
    // The thread of the old PBX ends a moment after it was dropped.
    let until = Instant::now() + Duration::from_secs(5);
    while UdpSocket::bind(address).is_err() {
        assert!(Instant::now() < until, "the old PBX keeps its port");
        thread::sleep(Duration::from_millis(5));
    }
    scene.pbx = Exchange::start([127, 0, 0, 1], scene.node.pbx, answering());
}

/// Everything that is listed is whole: sound, proof and words; nothing waits in the spool.
/// Returns the ids of the recordings.
fn check(scene: &Scene, round: usize) -> BTreeSet<String> {
    let node = &scene.node;
    let rows = node.done(&["recordings", "list"]);
    let mut ids = BTreeSet::new();
    for row in rows.as_array().expect("a list") {
        let id = row["recording"].as_str().expect("an id");
        assert_eq!(row["state"], "stored", "round {round}: {row:#}");
        assert_eq!(node.done(&["recordings", "verify", id])["verified"], true, "round {round}");
        let (left, right) = node.export(id);
        fs::remove_file(node.home.path().join(format!("{id}.wav"))).expect("the export");
        let millis = row["duration_ms"].as_i64().expect("a length");
        assert_eq!((left.len() as i64 / 8, right.len()), (millis, left.len()), "round {round}");
        ids.insert(id.to_owned());
    }
    let calls = node.done(&["calls", "list"]);
    for call in calls.as_array().expect("a list") {
        assert!(call["verdict"].is_string(), "round {round}: {call:#}");
    }
    assert_eq!(node.done(&["audit", "verify"])["verified"], true, "round {round}");
    let spool = node.files("spool");
    assert!(spool.iter().all(|(_, size)| *size == 0), "round {round}: {spool:?}");
    ids
}

#[test]
fn o_04_ten_kills_on_one_folder_lose_no_recording_that_was_listed_and_leave_no_journal() {
    println!("seed {SEED:#x}");
    let mut chance = SEED;
    let mut scene = Scene::start(&Change::default(), answering());
    let mut known = BTreeSet::new();
    for round in 0..ROUNDS {
        for n in 0..CALLS {
            let from = format!("+3161234{round:02}{n:02}");
            scene.call(Plan::new(&from, ENGLISH).at(400, Act::Press('1')));
            thread::sleep(Duration::from_millis(37));
        }
        // Marsaglia's xorshift: from the confirmation, which is spoken first, until well in the talk.
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        let millis = 8_000 + chance % 6_000;
        println!("round {round}: killed after {millis} ms");
        thread::sleep(Duration::from_millis(millis));
        scene.node.kill();
        renew_peers(&mut scene);
        scene.node.run_again();
        let now = check(&scene, round);
        println!("round {round}: {} recordings", now.len());
        assert!(known.is_subset(&now), "round {round}: a recording that was listed is gone");
        known = now;
    }
    assert!(known.len() >= 2 * CALLS, "too few to have shown anything: {}", known.len());
}
