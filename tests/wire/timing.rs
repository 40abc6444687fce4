//! From the decision to the PBX: never while a prompt still speaks, and never later than it must.

use std::time::Duration;

use support::{
    exchange::{Act, Manner, Plan},
    node::{Change, root},
    scene::{DUTCH, ENGLISH, Scene, step, words},
    sound::level,
};

/// One slow turn of a loaded machine is not the node's doing; three in a row are.
const CALLS: usize = 3;

fn best(all: &[f64]) -> f64 {
    all.iter().copied().fold(f64::INFINITY, f64::min)
}

fn seconds_of(language: &str, prompt: &str) -> f64 {
    let wav = root().join(format!("prompts/{language}/{prompt}.wav"));
    let reader = hound::WavReader::open(wav).expect("a prompt");
    f64::from(reader.duration()) / f64::from(reader.spec().sample_rate)
}

#[test]
fn the_pbx_is_called_within_50_ms_of_the_last_sample_or_of_the_key() {
    let off = Change::default().with(
        "answer_timeout_ms = 4000\nunbridged_limit_s = 35\nconfirm = \"first\"",
        "answer_timeout_ms = 4000\nunbridged_limit_s = 35\nconfirm = \"off\"",
    );
    let manner = Manner::Answers {
        after: Duration::ZERO,
        tone_hz: 0.0,
        acts: vec![(Duration::from_millis(800), Act::HangUp)],
    };
    let mut scene = Scene::start(&off, manner);
    for n in 0..CALLS {
        scene.call(Plan::new(&format!("+3161234562{n}"), DUTCH).at(400, Act::Press('1')));
        scene.call(Plan::new(&format!("+3161234563{n}"), ENGLISH).at(9_300, Act::Press('1')));
    }
    scene.over(2 * CALLS, 40);
    let (mut first, mut off) = (Vec::new(), Vec::new());
    for n in 0..CALLS {
        let from = format!("+3161234562{n}");
        let call = scene.shown(&from);
        assert_eq!(words(&call).split(' ').take(2).collect::<Vec<_>>(), ["granted", "bridged"]);
        let ended = step(&call, "plays granted") + seconds_of("nl", "granted");
        let late = step(&call, "node pbx: INVITE") - ended;
        assert!(late > -0.001, "the PBX was called {late} s before the confirmation had ended");
        first.push(late);
        let (caller, agent) = scene.sides(&from);
        let invited = agent.request("INVITE", true).expect("an INVITE").at;
        let after =
            caller.samples(invited + Duration::from_millis(40), invited + Duration::from_secs(1));
        assert!(level(&after) < 100.0, "a prompt speaks when the PBX could: {}", level(&after));

        let (caller, agent) = scene.sides(&format!("+3161234563{n}"));
        // The key is over 100 ms after its first packet, and known with its first one.
        let pressed = caller.did(Act::Press('1')).expect("pressed");
        let invited = agent.request("INVITE", true).expect("an INVITE").at;
        off.push((invited - pressed).as_secs_f64());
    }
    assert!(best(&first) <= 0.050, "after the confirmation: {first:?} s");
    assert!(first.iter().all(|late| *late < 0.25), "{first:?} s");
    eprintln!("confirm=first {first:?}, off {off:?}");
    assert!(best(&off) <= 0.050, "after the key: {off:?} s");
}
