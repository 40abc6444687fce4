//! The wall clock is stepped under a node with a recorded call, by libfaketime: row O-06.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use serde_json::Value;
use support::{
    node::Change,
    stage::{Stage, wait},
};
use tempfile::TempDir;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// A wall clock of one program's own, which goes wrong when it is told to. The clock that only ever goes
/// on stays the machine's.
struct Wall(TempDir);

impl Wall {
    fn new() -> Self {
        let wall = Self(TempDir::new().expect("a temporary folder"));
        wall.step(0);
        wall
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("offset")
    }

    /// The clock stands so many seconds beside the machine's from now on.
    fn step(&self, seconds: i64) {
        // Whoever reads it finds the old text or the new one.
        let part = self.0.path().join("part");
        fs::write(&part, format!("{seconds:+}\n")).expect("a file");
        fs::rename(part, self.file()).expect("a file");
    }

    fn over(&self, change: Change) -> Change {
        let libraries = fs::read_dir("/usr/lib").expect("a folder").flatten();
        let library = libraries
            .map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"))
            .find(|path| path.is_file())
            .expect("package libfaketime");
        change
            .under("LD_PRELOAD", library.display().to_string())
            .under("FAKETIME_TIMESTAMP_FILE", self.file().display().to_string())
            .under("FAKETIME_NO_CACHE", "1")
            .under("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .under("NO_FAKE_STAT", "1")
    }
}

/// Microseconds of a text such as `2026-11-22T09:30:00.000000Z`, counted from some day on.
fn micros(text: &str) -> i64 {
    let number = |at: usize, length: usize| -> i64 {
        let digits = text.get(at..at + length).and_then(|digits| digits.parse().ok());
        digits.unwrap_or_else(|| panic!("{text:?} is no time"))
    };
    // Days of a year that begins in March (Richards' formula for the Gregorian calendar).
    let (year, month, day) = (number(0, 4), number(5, 2), number(8, 2));
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day;
    let seconds = (number(11, 2) * 60 + number(14, 2)) * 60 + number(17, 2);
    (days * DAY + seconds) * 1_000_000 + number(20, 6)
}

fn at(value: &Value, key: &str) -> i64 {
    micros(value[key].as_str().unwrap_or_else(|| panic!("no {key} in {value:#}")))
}

/// How far the log's own times are apart, in seconds: they are of the wall clock as the program sees it.
fn spread(log: &str) -> i64 {
    let times = log.lines().filter_map(|line| line.split_whitespace().next());
    let times: Vec<_> = times.filter(|word| word.len() == 27 && word.ends_with('Z')).collect();
    let times = times.into_iter().map(micros);
    let (least, most) = times.fold((i64::MAX, i64::MIN), |(a, b), at| (a.min(at), b.max(at)));
    (most - least) / 1_000_000
}

#[test]
fn o_06_a_clock_that_is_stepped_back_and_forth_changes_no_length_no_record_and_no_retention() {
    let wall = Wall::new();
    let change = Change::default().with("confirm = \"first\"", "confirm = \"off\"");
    let mut stage = Stage::with(wall.over(change));
    let placed = Instant::now();
    let mut talk = stage.recorded();
    let bridged = Instant::now();
    stage.ear.speak(700.0);
    stage.desk.speak(440.0);
    // The log tells that the program sees each step.
    for seconds in [-3_600, 2 * DAY, -DAY] {
        wait(700);
        wall.step(seconds);
        for on in ["on", "off"] {
            let _told = stage.node.done(&["drain", on]);
        }
    }
    wait(700);
    stage.hang_up(&mut talk);
    let (talked, lasted) = (bridged.elapsed(), placed.elapsed());
    let apart = spread(&stage.node.log());
    assert!(apart > 3 * DAY - 60, "the program has seen no step: {apart} s");

    let near = |micros: i64, real: Duration| {
        let millis = i64::try_from(real.as_millis()).expect("seconds");
        assert!((micros / 1_000 - millis).abs() < 500, "{micros} µs for {real:?}");
    };
    let stored = stage.node.until(&["recordings", "list"], |rows| rows[0]["state"] == "stored");
    let recording = &stored[0];
    near(recording["duration_ms"].as_i64().expect("a length") * 1_000, talked);
    near(at(recording, "ended_at") - at(recording, "permitted_at"), talked);
    let kept = at(recording, "delete_after") - at(recording, "ended_at");
    assert_eq!(kept, 30 * DAY * 1_000_000, "{recording:#}");
    // Where it begins and ends, a packet may be on its way.
    assert!(recording["missing_ms"].as_u64().is_some_and(|missing| missing < 60), "{recording:#}");
    assert_eq!(recording["verdict"], "recorded");

    let first = stage.ended(1)[0].clone();
    near(at(&first, "closed_at") - at(&first, "opened_at"), lasted);
    let shown = stage.node.done(&["calls", "show", first["call"].as_str().expect("an id")]);
    let steps: Vec<_> = shown["ladder"].as_array().expect("steps").iter().collect();
    assert!(steps.len() > 6 && steps.is_sorted_by_key(|step| at(step, "at")), "{steps:#?}");

    // The next call is after it, whatever the wall clock says.
    let mut talk = stage.talk();
    stage.hang_up(&mut talk);
    let both = stage.ended(2);
    let next = both.iter().find(|call| call["call"] != first["call"]).expect("another call");
    assert!(at(next, "opened_at") >= at(&first, "closed_at"), "{both:#?}");
    assert!(stage.node.done(&["retention", "due"]).as_array().is_none_or(Vec::is_empty));
}
