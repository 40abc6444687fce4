//! What a node does with the files and sockets that it may have open: rows O-01 and E-04.

use std::{collections::BTreeSet, mem, time::Instant};

use support::{
    node::Change,
    peer::{leg::Leg, seen::Seen, voice::Voice},
    scene::NEVER,
    stage::{CALLER, Stage, Talk, sdp, wait},
};

/// Ordinary calls that the test leaves room for; four emergencies have theirs beyond.
const CALLS: usize = 6;

/// A stage on which the node may open what it keeps for itself, and the sockets of so many calls.
fn narrow() -> Stage {
    let mut stage = Stage::with(Change::default().with("confirm = \"first\"", "confirm = \"off\""));
    let told = stage.node.done(&["check"])["calls"].clone();
    let number = |key: &str| told[key].as_u64().expect("a number");
    let all = number("wanted") + number("emergencies_beyond");
    let kept = number("descriptors_needed") - 4 * all;
    stage.node.kill();
    stage.node.descriptors = Some(kept + 4 * (CALLS as u64 + number("emergencies_beyond")));
    stage.node.run_again();
    let told = stage.node.done(&["check"])["calls"].clone();
    assert_eq!(told["at_a_time"].as_u64(), Some(CALLS as u64), "{told:#}");
    assert!(stage.node.log().contains("raise LimitNOFILE"), "{}", stage.node.log());
    stage
}

/// A call that is turned away, and how long it is to wait.
fn refused(stage: &mut Stage) -> u32 {
    let mut over = stage.caller.calls(CALLER, NEVER);
    stage.caller.send(&over.invite().sdp(sdp(stage.ear.own)));
    let full = stage.caller.expect(503);
    stage.caller.send(&over.ack(&full));
    full.header("Retry-After").parse().expect("seconds")
}

/// An emergency, up to its INVITE at the PBX.
fn emergency(stage: &mut Stage) -> (Leg, Leg, Seen) {
    let mut a = stage.caller.calls(CALLER, "112");
    stage.caller.send(&a.invite().sdp(sdp(stage.ear.own)));
    let invite = stage.pbx.expect("INVITE");
    assert!(invite.uri().contains("112@"), "{}", invite.uri());
    (a, stage.pbx.called(&invite), invite)
}

fn filled(stage: &mut Stage, calls: usize) -> Vec<Talk> {
    let talks = (0..calls).map(|_| stage.talk()).collect();
    assert!((1..=4).contains(&refused(stage)));
    talks
}

#[test]
fn o_01_e_04_a_call_without_descriptors_gets_503_an_emergency_goes_and_a_recording_is_whole() {
    let mut stage = narrow();
    let mut recorded = stage.recorded();
    stage.ear.speak(700.0);
    // Its voices stay with it; the other calls have their own.
    let (ip, pbx) = (stage.caller.own.ip(), stage.pbx.own.ip());
    let ear = mem::replace(&mut stage.ear, Voice::new(ip));
    let desk = mem::replace(&mut stage.desk, Voice::new(pbx));

    let mut talks = filled(&mut stage, CALLS - 1);
    let waits: BTreeSet<_> = (0..8).map(|_| refused(&mut stage)).collect();
    assert!(waits.len() > 1 && waits.iter().all(|wait| (1..=4).contains(wait)), "{waits:?}");
    let mut urgent: Vec<_> = (0..4).map(|_| emergency(&mut stage)).collect();
    assert!(refused(&mut stage) > 0, "the reserve is no ordinary call's");
    // Beyond its reserve an emergency takes the place of the youngest ordinary call.
    let mut beyond = stage.caller.calls(CALLER, "112");
    stage.caller.send(&beyond.invite().sdp(sdp(stage.ear.own)));
    let mut youngest = talks.pop().expect("a call");
    for (peer, leg) in [(&mut stage.caller, &mut youngest.a), (&mut stage.pbx, &mut youngest.b)] {
        let bye = peer.expect("BYE");
        peer.send(&leg.reply(&bye, 200));
    }
    let invite = stage.pbx.expect("INVITE");
    urgent.push((beyond, stage.pbx.called(&invite), invite));

    for (a, b, invite) in &mut urgent {
        stage.pbx.send(&b.reply(invite, 486));
        stage.pbx.expect("ACK");
        let busy = stage.caller.expect(486);
        stage.caller.send(&a.ack(&busy));
    }
    stage.ear = ear;
    stage.desk = desk;
    let since = Instant::now();
    wait(300);
    assert!(stage.desk.hears(700.0, since), "the recorded call goes on");
    stage.hang_up(&mut recorded);
    let stored = stage.node.until(&["recordings", "list"], |rows| rows[0]["state"] == "stored");
    assert_eq!(
        (&stored[0]["verdict"], &stored[0]["degraded"]),
        (&"recorded".into(), &false.into())
    );
    for talk in &mut talks {
        stage.hang_up(talk);
    }
    let _all = stage.ended(CALLS + 5);
    // Every descriptor is back: the same number of calls is taken again.
    let _again = filled(&mut stage, CALLS);

    let metrics = stage.node.metrics();
    assert!(metrics.contains("jawoord_turned_away_total{limit=\"descriptors\"} 11"), "{metrics}");
    assert!(metrics.contains("jawoord_descriptor_calls 10"), "{metrics}");
    let log = stage.node.log();
    assert_eq!(
        log.matches("all files and sockets of the process are promised").count(),
        1,
        "{log}"
    );
    assert!(!log.contains("os error 24") && !log.contains("Too many open files"), "{log}");
}

#[test]
fn o_01_a_node_that_could_carry_no_call_does_not_start_and_says_what_it_needs() {
    let mut stage = Stage::start();
    stage.node.kill();
    stage.node.descriptors = Some(200);
    let output = stage.node.run(&["serve"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("200 files and sockets") && told.contains("LimitNOFILE"), "{told}");
    let checked = stage.node.run(&["check"]);
    let told = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(told.contains("0 calls at a time") && told.contains("LimitNOFILE"), "{told}");
}

#[test]
fn two_media_threads_have_the_same_number_of_calls_and_the_one_with_fewer_gets_the_next() {
    let mut stage = Stage::with(Change::default().with("workers = 0 ", "workers = 2 "));
    let loads = |stage: &Stage| -> Vec<String> {
        let metrics = stage.node.metrics();
        let calls = metrics.lines().filter_map(|line| line.strip_prefix("jawoord_media_calls{"));
        calls.map(str::to_owned).collect()
    };
    let even = |calls: usize| [0, 1].map(|worker| format!("worker=\"{worker}\"}} {calls}"));
    let mut talks: Vec<_> = (0..6).map(|_| stage.talk()).collect();
    assert_eq!(loads(&stage), even(3));
    // Of those that go, all were of one thread; the next ones come in their places.
    for index in [4, 2, 0] {
        stage.hang_up(&mut talks.remove(index));
    }
    let _three = stage.ended(3);
    wait(100);
    assert_eq!(loads(&stage), ["worker=\"0\"} 0", "worker=\"1\"} 3"]);
    for _ in 0..3 {
        talks.push(stage.talk());
        // Both sides of each hear each other, whichever thread has it.
        let since = Instant::now();
        stage.ear.speak(700.0);
        assert!(stage.desk.hears(700.0, since));
    }
    assert_eq!(loads(&stage), even(3));
}
