//! Every scenario between two endpoints over a wire that loses, doubles and reorders.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says why")]

mod network;

use sip::SessionTimer;

use network::{Chance, Step, Weather, World};

/// Seeds per scenario and weather.
const SEEDS: u64 = 300;

const FAIR: Weather = Weather { loss: 0, twice: 0, delay_ms: 0 };
const ROUGH: Weather = Weather { loss: 80, twice: 150, delay_ms: 300 };
const STORM: Weather = Weather { loss: 350, twice: 200, delay_ms: 900 };

/// How a phone that nobody picks up ends a call whose caller has vanished without a word.
const NOBODY: (u64, Step) = (180_000, Step::Reject(480));

/// Runs a scenario in all weathers. In fair weather it ends as `fair` says; in rough weather as one
/// of `fair` and `also` says, save for one run in fifty where somebody gave up; in a storm nothing is
/// promised but that everything comes to rest and every leg ends once.
fn scenario(plan: impl Fn(&mut World), fair: &[[&str; 2]], also: &[[&str; 2]]) {
    let run = |seed, weather| {
        let mut world = World::new(seed, weather);
        plan(&mut world);
        world.call();
        world.run();
        world.check(seed);
        world
    };
    let world = run(1, FAIR);
    let ends = world.ends();
    assert!(fair.iter().any(|end| ends == *end), "{ends:?}\n{}", world.trace.join("\n"));
    let mut odd = Vec::new();
    for seed in 0..SEEDS {
        let world = run(seed, ROUGH);
        let ends = world.ends();
        if !fair.iter().chain(also).any(|end| ends == *end) {
            odd.push((seed, ends));
        }
        run(seed, STORM);
    }
    assert!(odd.len() as u64 * 50 <= SEEDS, "too many other ends: {odd:?}");
}

#[test]
fn a_call_is_answered_and_the_caller_hangs_up() {
    let plan = |world: &mut World| {
        world.called = vec![(100, Step::Ring), (2000, Step::Answer)];
        world.at(20_000, 0, Step::Bye);
    };
    scenario(plan, &[["HungUp", "Bye"]], &[]);
}

#[test]
fn a_call_is_answered_and_the_called_side_hangs_up_at_once() {
    let plan = |world: &mut World| world.called = vec![(0, Step::Answer), (0, Step::Bye)];
    scenario(plan, &[["Bye", "HungUp"]], &[]);
}

#[test]
fn b_13_both_sides_hang_up_at_the_same_time() {
    let plan = |world: &mut World| {
        world.called = vec![(0, Step::Answer)];
        world.at(20_000, 0, Step::Bye);
        world.at(20_000, 1, Step::Bye);
    };
    scenario(plan, &[["HungUp", "HungUp"]], &[["HungUp", "Bye"], ["Bye", "HungUp"]]);
}

#[test]
fn a_call_is_rejected() {
    let plan = |world: &mut World| world.called = vec![(100, Step::Ring), (500, Step::Reject(486))];
    scenario(plan, &[["Rejected 486", "Refused"]], &[]);
}

#[test]
fn c_10_a_ringing_call_is_cancelled() {
    let plan = |world: &mut World| {
        world.called = vec![(100, Step::Ring), NOBODY];
        world.at(5000, 0, Step::Cancel);
    };
    let quiet = "Cancelled { answered: false }";
    scenario(plan, &[[quiet, "Cancelled"]], &[]);
}

#[test]
fn b_15_a_cancel_before_any_response_is_kept_until_one_comes() {
    let plan = |world: &mut World| {
        world.called = vec![NOBODY];
        world.at(0, 0, Step::Cancel);
    };
    scenario(plan, &[["Cancelled { answered: false }", "Cancelled"]], &[]);
}

#[test]
fn b_15_a_cancel_crosses_the_answer() {
    let plan = |world: &mut World| {
        world.called = vec![(1000, Step::Answer)];
        world.at(1001, 0, Step::Cancel);
    };
    let answered = ["Cancelled { answered: true }", "Bye"];
    let quiet = ["Cancelled { answered: false }", "Cancelled"];
    scenario(plan, &[answered, quiet], &[["HungUp", "Bye"]]);
}

#[test]
fn b_01_hold_and_resume_from_both_sides_leave_both_with_the_same_session() {
    let plan = |world: &mut World| {
        world.called = vec![(100, Step::Ring), (500, Step::Answer)];
        world.at(10_000, 0, Step::Reinvite("v=0 caller holds"));
        world.at(60_000, 0, Step::Reinvite("v=0 caller resumes"));
        world.at(110_000, 1, Step::Reinvite("v=0 called holds"));
        world.at(160_000, 1, Step::Reinvite("v=0 called resumes"));
        world.at(250_000, 1, Step::Bye);
    };
    scenario(plan, &[["Bye", "HungUp"]], &[]);
    for seed in 0..100 {
        let mut world = World::new(seed, ROUGH);
        plan(&mut world);
        world.call();
        world.run();
        if world.ends() == ["Bye", "HungUp"] {
            let [caller, called] = &world.nodes;
            assert_eq!(called.said.as_deref(), Some(&b"v=0 called resumes"[..]), "seed {seed}");
            assert_eq!((&caller.said, &caller.heard), (&called.heard, &called.said), "seed {seed}");
        }
    }
}

#[test]
fn t_02_a_refer_is_heard_once_and_answered_whatever_the_wire_does() {
    let plan = |world: &mut World| {
        world.called = vec![(100, Step::Answer)];
        world.at(10_000, 1, Step::Refer);
        world.at(20_000, 0, Step::Refer);
        world.at(100_000, 0, Step::Bye);
    };
    scenario(plan, &[["HungUp", "Bye"]], &[]);
    for seed in 0..100 {
        let mut world = World::new(seed, ROUGH);
        plan(&mut world);
        world.call();
        world.run();
        if world.ends() == ["HungUp", "Bye"] {
            for node in &world.nodes {
                assert_eq!((node.asked, &node.told[..]), (1, &[202][..]), "seed {seed}");
            }
        }
    }
}

#[test]
fn b_07_offers_that_cross_are_both_made_in_the_end() {
    let plan = |world: &mut World| {
        world.called = vec![(100, Step::Answer)];
        world.at(10_000, 0, Step::Reinvite("v=0 caller"));
        world.at(10_000, 1, Step::Reinvite("v=0 called"));
        world.at(100_000, 0, Step::Bye);
    };
    scenario(plan, &[["HungUp", "Bye"]], &[]);
    let mut world = World::new(7, FAIR);
    plan(&mut world);
    world.call();
    world.run();
    let text = world.trace.join("\n");
    assert!(text.contains("491"), "they crossed:\n{text}");
    assert_eq!(text.matches("Reanswered").count(), 2, "{text}");
    // The called side waits 0 to 2 s, the owner of the Call-ID 2.1 to 4 s: the caller's is the last.
    assert_eq!(world.nodes[0].said.as_deref(), Some(&b"v=0 caller"[..]));
    assert_eq!(world.nodes[1].heard.as_deref(), Some(&b"v=0 caller"[..]));
}

#[test]
fn b_14_a_bye_crosses_a_new_offer() {
    let plan = |world: &mut World| {
        world.called = vec![(100, Step::Answer)];
        world.at(10_000, 0, Step::Reinvite("v=0 hold"));
        world.at(10_000, 1, Step::Bye);
        // Should the answer have come too late for the others.
        world.at(200_000, 0, Step::Bye);
    };
    scenario(plan, &[["Bye", "HungUp"]], &[["Unknown", "HungUp"], ["Unknown", "Bye"]]);
}

#[test]
fn a_04_a_caller_that_vanishes_is_hung_up_on_after_64_t1() {
    let mut world = World::new(3, FAIR);
    world.called = vec![(100, Step::Answer)];
    let destination = world.nodes[1].address;
    // The INVITE is delivered by hand from a node that does not exist, so nothing is ever acknowledged.
    let text = format!(
        "INVITE sip:a@{destination} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKgone\r\n\
         Max-Forwards: 70\r\nFrom: <sip:b@192.0.2.1>;tag=1\r\nTo: <sip:a@192.0.2.2>\r\nCall-ID: gone\r\n\
         CSeq: 1 INVITE\r\nContact: <sip:b@192.0.2.1>\r\nContent-Type: application/sdp\r\n\
         Content-Length: 3\r\n\r\nv=0"
    );
    let source = network::remote(world.nodes[0].address);
    world.nodes[1].endpoint.receive(world.now, source, text.as_bytes());
    world.at(0, 0, Step::Ring);
    world.run();
    let text = world.trace.join("\n");
    assert_eq!(text.matches("node 1 sends SIP/2.0 200 OK").count(), 11, "{text}");
    assert!(
        text.contains("32.101s node 1 sends BYE") || text.contains("32.1s node 1 sends BYE"),
        "{text}"
    );
    // The stranger answers the BYE with 481: it knows no such call. That ends it, too.
    assert_eq!(world.ends()[1], "NoAck", "{text}");
    assert_eq!(world.nodes[1].endpoint.legs(), 0);
}

#[test]
fn a_03_a_late_offer_is_answered_in_the_ack_whatever_the_wire_does() {
    let plan = |world: &mut World| {
        world.late = true;
        world.called = vec![(100, Step::Ring), (500, Step::Answer)];
        world.at(60_000, 1, Step::Bye);
    };
    scenario(plan, &[["Bye", "HungUp"]], &[]);
    let mut answered = 0;
    for seed in 0..100 {
        let mut world = World::new(seed, ROUGH);
        plan(&mut world);
        world.call();
        world.run();
        assert!(
            world.late_answers().iter().all(|answer| answer.as_deref() == Some(network::LATE)),
            "seed {seed}"
        );
        answered += world.late_answers().len();
    }
    assert!(answered >= 98, "{answered}");
}

#[test]
fn a_09_early_media_is_acknowledged_before_the_answer_whatever_the_wire_does() {
    let plan = |world: &mut World| {
        world.called = vec![(100, Step::Early), (600, Step::Answer)];
        world.at(60_000, 0, Step::Bye);
    };
    scenario(plan, &[["HungUp", "Bye"]], &[]);
    let mut world = World::new(1, FAIR);
    plan(&mut world);
    world.call();
    world.run();
    assert!(world.trace.join("\n").contains("sends PRACK"));
}

#[test]
fn a_11_updates_before_and_after_the_answer_leave_both_with_the_same_session() {
    let plan = |world: &mut World| {
        world.called = vec![(100, Step::Early), (9000, Step::Answer)];
        world.at(4000, 0, Step::Update("v=0 caller, early"));
        world.at(60_000, 1, Step::Update("v=0 called"));
        world.at(60_000, 0, Step::Update("v=0 caller"));
        world.at(160_000, 1, Step::Update("v=0 called, last"));
        world.at(250_000, 0, Step::Bye);
    };
    scenario(plan, &[["HungUp", "Bye"]], &[]);
    for seed in 0..100 {
        let mut world = World::new(seed, if seed == 0 { FAIR } else { ROUGH });
        plan(&mut world);
        world.call();
        world.run();
        if world.ends() == ["HungUp", "Bye"] {
            let [caller, called] = &world.nodes;
            let context = || format!("seed {seed}\n{}", world.trace.join("\n"));
            assert_eq!(called.said.as_deref(), Some(&b"v=0 called, last"[..]), "{}", context());
            assert_eq!(
                (&caller.said, &caller.heard),
                (&called.heard, &called.said),
                "{}",
                context()
            );
        }
    }
}

#[test]
fn b_11_a_call_that_is_refreshed_lives_on_whatever_the_wire_does() {
    let plan = |world: &mut World| {
        world.session = Some(SessionTimer { expires_s: 90, min_s: 90 });
        world.called = vec![(100, Step::Ring), (500, Step::Answer)];
        world.at(300_000, 0, Step::Reinvite("v=0 held"));
        world.at(900_000, 1, Step::Bye);
    };
    scenario(plan, &[["Bye", "HungUp"]], &[]);
    let mut world = World::new(1, FAIR);
    plan(&mut world);
    world.call();
    world.run();
    let text = world.trace.join("\n");
    assert!(text.matches("sends UPDATE").count() >= 18, "{text}");
    assert_eq!(text.matches("Reanswered").count(), 1, "nobody hears of a refresh: {text}");
}

/// Any commands at any time, in the weather of this seed.
fn any_commands(seed: u64) {
    let mut chance = Chance::new(seed ^ 0x5eed);
    let mut world = World::new(seed, [FAIR, ROUGH, STORM][usize::try_from(seed % 3).unwrap()]);
    let step = |chance: &mut Chance| match chance.below(12) {
        0 => Step::Ring,
        1 | 2 => Step::Answer,
        3 => Step::Reject(486),
        4 => Step::Cancel,
        5 => Step::Bye,
        6 | 7 => Step::Early,
        8 => Step::Update("v=0 a"),
        9 => Step::Update("v=0 d"),
        _ => Step::Reinvite(["v=0 a", "v=0 b", "v=0 c"][usize::try_from(chance.below(3)).unwrap()]),
    };
    let timer = SessionTimer { expires_s: 90, min_s: 90 };
    world.session = Some(timer).filter(|_| chance.below(2) == 0);
    for _ in 0..chance.below(16) {
        let (ms, node, step) = (chance.below(40_000), chance.below(2), step(&mut chance));
        world.at(ms, usize::try_from(node).unwrap(), step);
    }
    world.called = vec![NOBODY];
    // Whoever is still talking then hangs up.
    world.at(400_000, 0, Step::Bye);
    world.at(401_000, 1, Step::Bye);
    world.call();
    world.run();
    world.check(seed);
}

#[test]
fn any_commands_at_any_time_leave_nothing_behind() {
    (0..1500).for_each(any_commands);
}

mod long {
    use super::any_commands;

    #[test]
    fn twenty_thousand_talks_of_any_commands_leave_nothing_behind() {
        let seeds = 100_000..120_000;
        println!("seeds {seeds:?}");
        seeds.for_each(any_commands);
    }
}
