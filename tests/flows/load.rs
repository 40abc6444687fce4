//! Many callers at once: row O-09.
//!
//! How long a packet takes through the node under load, and how many calls a machine carries, are
//! measured in `tests/bench`. What is asserted here holds on any machine, however busy it is.

use std::time::{Duration, Instant};

use serde_json::Value;
use support::{
    exchange::{Act, Heard, History, Manner, Plan},
    node::Change,
    scene::{ENGLISH, Scene},
    sound::heard,
    stage::wait,
    stamp::Stamp,
};

/// How many call at once, how often, and how long after each other.
const CALLERS: usize = 25;
const WAVES: usize = 3;
const BETWEEN_MS: u64 = 3_000;
/// When a caller hangs up, in milliseconds after the answer: some three seconds of talk.
const TALKED_MS: u64 = 11_500;
const PACKET: Duration = Duration::from_millis(20);
/// What the callers say and what the PBX says, in hertz.
const SAID: [f64; 2] = [700.0, 450.0];
/// So far from each other at most are callers who come together answered, and put through.
const TOGETHER: Duration = Duration::from_secs(1);
/// Speech is through so soon after the answer of the PBX, and until so shortly before the end.
const SLOW: Duration = Duration::from_millis(500);
/// A recording that begins later than its talk, on a machine that does eight things at once, is still one.
const LATE: Duration = Duration::from_secs(1);
/// What a packet takes through the node when nothing else wants the processor.
const QUICK: Duration = Duration::from_millis(5);

fn caller(wave: usize, number: usize) -> String {
    format!("+3161240{wave:02}{number:02}")
}

/// From the first of these moments to the last.
fn spread(moments: impl Iterator<Item = Instant> + Clone) -> Duration {
    let first = moments.clone().min().expect("moments");
    moments.max().expect("moments") - first
}

/// What one side said and the other one heard of it while both talked.
struct Way {
    /// How long each packet was on its way, the quickest first.
    delays: Vec<Duration>,
    /// How long the two talked.
    talk: Duration,
}

impl Way {
    /// Sees that from one moment to another nothing was lost and nothing overtaken. Packets were stamped
    /// from `since` on.
    fn whole(heard: &History, since: Instant, from: Instant, until: Instant) -> Self {
        let read = |heard: &Heard| Some((heard.at, Stamp::read(&heard.samples)?));
        let came: Vec<(Instant, Stamp)> = heard.heard.iter().filter_map(read).collect();
        let (first, last) = (came.first().expect("speech"), came.last().expect("speech"));
        let sent = |(_, stamp): &(Instant, Stamp)| since + stamp.sent;
        assert!(sent(first) < from + SLOW, "it begins {:?} late", sent(first) - from);
        assert!(sent(last) + SLOW > until, "it ends {:?} early", until - sent(last));
        for pair in came.windows(2) {
            let (before, after) = (pair[0].1.number, pair[1].1.number);
            assert_eq!(before.wrapping_add(1), after, "a packet is lost, comes twice or too late");
        }
        let mut delays: Vec<Duration> =
            came.iter().map(|came| came.0.saturating_duration_since(sent(came))).collect();
        delays.sort_unstable();
        Self { delays, talk: until - from }
    }
}

/// So many of a hundred took no longer; the quickest stands first.
fn percentile(delays: &[Duration], of_a_hundred: usize) -> Duration {
    delays[(delays.len() - 1) * of_a_hundred / 100]
}

/// Sees that those who came together were put through together and heard each other well.
fn wave_is_whole(scene: &mut Scene, wave: usize, since: Instant) -> [Vec<Way>; 2] {
    let sides: Vec<_> = (0..CALLERS).map(|number| scene.sides(&caller(wave, number))).collect();
    let called = |side: &History| side.request("INVITE", false).expect("an INVITE").at;
    let reached = |side: &History| side.request("INVITE", true).expect("an INVITE").at;
    let answered = |side: &History| side.answered().expect("an answer");
    let waited = sides.iter().map(|(a, _)| answered(a) - called(a)).max().expect("callers");
    let answers = spread(sides.iter().map(|(a, _)| answered(a)));
    let bridges = spread(sides.iter().map(|(_, b)| reached(b)));
    println!(
        "wave {wave}: answered within {waited:.1?}, {answers:.1?} after each other; put through \
         {bridges:.1?} after each other"
    );
    assert!(answers < TOGETHER && bridges < TOGETHER, "some wait for the others");
    let mut ways = [Vec::new(), Vec::new()];
    for (a, b) in &sides {
        let (begins, ends) = (answered(b), a.did(Act::HangUp).expect("it hangs up"));
        ways[0].push(Way::whole(b, since, begins, ends));
        ways[1].push(Way::whole(a, since, begins, ends));
    }
    ways
}

/// Every recording is stored, and as long as its talk; the most of them miss not a packet, and none
/// misses more than peers on a busy machine begin late or end early. In some we listen.
fn recordings_are_whole(scene: &Scene, mut talks: Vec<Duration>) {
    let stored = |rows: &Value| {
        let rows = rows.as_array().into_iter().flatten();
        rows.filter(|row| row["state"] == "stored").count() == CALLERS * WAVES
    };
    let rows = scene.node.until(&["recordings", "list"], stored);
    let rows = rows.as_array().expect("a list");
    assert_eq!(rows.len(), CALLERS * WAVES);
    let each = |name: &str| {
        let number = |row: &Value| Duration::from_millis(row[name].as_u64().expect(name));
        let mut each: Vec<_> = rows.iter().map(number).collect();
        each.sort_unstable();
        each
    };
    let (missing, lengths) = (each("missing_ms"), each("duration_ms"));
    assert!(missing[rows.len() / 2] < PACKET && missing[rows.len() - 1] < SLOW, "{missing:?}");
    talks.sort_unstable();
    let shorter = lengths.iter().zip(&talks).find(|(length, talk)| **length + LATE < **talk);
    assert_eq!(shorter, None, "a recording, and a talk of its rank");
    for row in rows.iter().step_by(10) {
        let (left, right) = scene.node.export(row["recording"].as_str().expect("an id"));
        for (channel, hz) in [(&left, SAID[0]), (&right, SAID[1])] {
            assert!(heard(channel, hz) > 0.9, "{hz} Hz in {} of {row:#}", heard(channel, hz));
        }
    }
}

#[test]
fn o_09_callers_who_come_at_once_are_put_through_together_and_lose_no_packet_and_no_recording() {
    let since = Instant::now();
    let says = |hz: f64| [Act::Speak(hz), Act::Stamp(since)].map(|act| (Duration::ZERO, act));
    let [caller_says, pbx_says] = SAID.map(says);
    let pbx = Manner::Answers { after: Duration::ZERO, tone_hz: 0.0, acts: pbx_says.into() };
    let curt = Change::default().with("confirm = \"first\"", "confirm = \"off\"");
    let mut scene = Scene::start(&curt, pbx);
    for wave in 0..WAVES {
        for number in 0..CALLERS {
            let mut plan = Plan::new(&caller(wave, number), ENGLISH);
            plan.acts = caller_says.into();
            scene.call(plan.at(400, Act::Press('1')).at(TALKED_MS, Act::HangUp));
        }
        wait(BETWEEN_MS);
    }
    scene.over(CALLERS * WAVES, 30);
    let waves: Vec<_> = (0..WAVES).map(|wave| wave_is_whole(&mut scene, wave, since)).collect();
    for (side, who) in ["callers", "PBX"].into_iter().enumerate() {
        let ways: Vec<&Way> = waves.iter().flat_map(|wave| &wave[side]).collect();
        let mut delays: Vec<_> = ways.iter().flat_map(|way| way.delays.clone()).collect();
        delays.sort_unstable();
        let [half, most, longest] = [50, 99, 100].map(|share| percentile(&delays, share));
        println!(
            "speech of the {who}: {} packets, on their way for {half:.1?} (half of them), {most:.1?} \
             (99 of a hundred), {longest:.1?} (all)",
            delays.len()
        );
        // What else the machine does can only make a packet later. A node that held packets back would
        // do so with every one of a call.
        let quickest = ways.iter().map(|way| percentile(&way.delays, 10)).max().expect("calls");
        assert!(quickest < QUICK, "a call has hardly a packet that is quicker than {quickest:?}");
    }
    let talks = waves.iter().flat_map(|wave| wave[0].iter().map(|way| way.talk)).collect();
    recordings_are_whole(&scene, talks);
}
