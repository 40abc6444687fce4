//! kill -9 in the middle of calls.

use std::{
    thread,
    time::{Duration, Instant},
};

use support::{
    exchange::{Act, Manner, Plan},
    node::Change,
    scene::{ENGLISH, Scene},
    sound::heard,
};

const CALLS: usize = 20;

#[test]
fn o_04_twenty_recordings_that_a_kill_has_cut_are_closed_degraded_with_their_true_length() {
    let manner = Manner::Answers { after: Duration::ZERO, tone_hz: 440.0, acts: Vec::new() };
    let mut scene = Scene::start(&Change::default(), manner);
    let from = |n: usize| format!("+316123457{n:02}");
    for n in 0..CALLS {
        let plan =
            Plan::new(&from(n), ENGLISH).at(400, Act::Press('1')).at(10_000, Act::Speak(700.0));
        scene.call(plan);
        // As a queue would send them, and so that no second of theirs begins together.
        thread::sleep(Duration::from_millis(37));
    }
    let answered = |calls: &[support::exchange::History]| {
        calls.iter().filter(|call| call.answered().is_some()).count() == CALLS
    };
    assert!(scene.pbx.until(Duration::from_secs(20), answered), "{}", scene.node.log());
    thread::sleep(Duration::from_millis(3_300));
    let killed = Instant::now();
    scene.node.kill();
    let ids: Vec<_> = (0..CALLS).map(|n| scene.id(&from(n))).collect();
    scene.node.run_again();

    let rows = scene.node.done(&["recordings", "list"]);
    let rows = rows.as_array().expect("a list");
    assert_eq!(rows.len(), CALLS, "{}", scene.node.log());
    for (n, id) in ids.iter().enumerate() {
        let row = rows.iter().find(|row| row["call"] == id.as_str()).expect("its recording");
        assert_eq!(
            (&row["state"], &row["degraded"], &row["verdict"]),
            (&"stored".into(), &true.into(), &"degraded".into())
        );
        let lived = killed - scene.pbx.of(&from(n)).answered().expect("answered");
        let lost = lived.as_millis() as i64 - row["duration_ms"].as_i64().expect("a length");
        assert!((-100..=500).contains(&lost), "{lost} ms of {lived:?} are lost");
        let recording = row["recording"].as_str().expect("an id");
        assert_eq!(scene.node.done(&["recordings", "verify", recording])["verified"], true);
        let (left, right) = scene.node.export(recording);
        assert_eq!(left.len() as i64 / 8, row["duration_ms"].as_i64().expect("a length"));
        let end = left.len() - 1_600;
        assert!(heard(&left[end..], 700.0) > 0.7 && heard(&right[end..], 440.0) > 0.7, "the end");
    }
    assert_eq!(scene.node.done(&["audit", "verify"])["verified"], true);
    assert!(scene.node.files("spool").iter().all(|(_, size)| *size == 0), "journals stay");

    // Nobody is left in a call that the node knows nothing of.
    for n in 0..CALLS {
        scene.callers.act(n, Act::HangUp);
        scene.pbx.act(n, Act::HangUp);
    }
    let told = |calls: &[support::exchange::History]| {
        calls.iter().filter(|call| call.answer("BYE").is_some_and(|(_, s)| s == 481)).count()
            == CALLS
    };
    assert!(scene.callers.until(Duration::from_secs(5), told), "the callers' BYE");
    assert!(scene.pbx.until(Duration::from_secs(5), told), "the PBX's BYE");
}
