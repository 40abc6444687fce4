//! A PBX that is busy, silent, absent or known to be down: what the caller hears and what is written.

use std::{thread, time::Duration};

use support::{
    exchange::{Act, Exchange, History, Manner, Plan},
    node::{Change, Node},
    scene::{ENGLISH, Scene, words},
    sound::{level, share},
};

fn plan(from: &str) -> Plan {
    Plan::new(from, ENGLISH).at(400, Act::Press('1'))
}

/// The `Reason` headers of the BYE that came in.
fn reasons(caller: &History) -> Vec<String> {
    let bye = caller.request("BYE", true).expect("a BYE");
    let lines = bye.text.lines().filter_map(|line| line.strip_prefix("Reason: "));
    lines.map(str::to_owned).collect()
}

/// The lengths in packets of 20 ms of a tone's spans, on and off in turn, whole ones only.
fn spans(caller: &History, hz: f64) -> Vec<usize> {
    let on = |samples: &[i16]| level(samples) > 300.0 && share(samples, hz) > 0.8;
    let packets: Vec<bool> = caller.heard.iter().map(|packet| on(&packet.samples)).collect();
    let runs: Vec<_> = packets.chunk_by(|a, b| a == b).collect();
    let first = runs.iter().position(|run| run[0]).unwrap_or(runs.len());
    let last = runs.iter().rposition(|run| run[0]).unwrap_or(0);
    runs.get(first..last).unwrap_or_default().iter().map(|run| run.len()).collect()
}

#[test]
fn b_19_busy_and_no_answer_are_heard_then_bye_says_why_and_the_words_too() {
    let mut busy = Scene::start(&Change::default(), Manner::Says(486));
    let brief = Change::default().with("ring_timeout_s = 30", "ring_timeout_s = 2");
    let mut slow = Scene::start(&brief, Manner::Rings);
    busy.call(plan("+31612345670"));
    slow.call(plan("+31612345671"));
    busy.over(1, 40);
    slow.over(1, 40);

    assert_eq!(words(&busy.shown("+31612345670")), "granted busy unconnected");
    let caller = busy.callers.of("+31612345670");
    let spans = spans(&caller, 425.0);
    assert!(spans.len() >= 7 && spans.iter().all(|span| (24..=26).contains(span)), "{spans:?}");
    let reasons_heard = reasons(&caller).join(" ");
    assert!(reasons_heard.contains("SIP;cause=486") && reasons_heard.contains("Q.850;cause=17"));

    assert_eq!(words(&slow.shown("+31612345671")), "granted no-answer unconnected");
    let (caller, agent) = slow.sides("+31612345671");
    let invited = agent.request("INVITE", true).expect("an INVITE").at;
    let cancelled = agent.request("CANCEL", true).expect("a CANCEL").at - invited;
    assert!((1_900..2_400).contains(&cancelled.as_millis()), "cancelled after {cancelled:?}");
    let bye = caller.request("BYE", true).expect("a BYE").at;
    let words_heard = caller.samples(invited + cancelled + Duration::from_millis(300), bye);
    assert!(level(&words_heard) > 500.0, "nobody says why");
    assert!(reasons(&caller).join(" ").contains("Q.850;cause=19"), "{:?}", reasons(&caller));

    for scene in [&busy, &slow] {
        assert_eq!(scene.node.done(&["recordings", "list"]), serde_json::json!([]));
        assert_eq!(scene.node.files("store"), []);
    }
}

#[test]
fn a_pbx_that_is_not_there_is_unreachable_and_one_known_to_be_down_is_never_asked_for() {
    let brief = Change::default().with("ring_timeout_s = 30", "ring_timeout_s = 3");
    let absent = Node::start(&brief);
    let mut callers = Exchange::callers();
    callers.call(absent.sip, plan("+31612345672"));
    let watched = Change::default().with("keepalive_s = 0", "keepalive_s = 1");
    let mut down = Scene::start(&watched, Manner::Says(503));
    thread::sleep(Duration::from_millis(2_500));
    down.call(plan("+31612345673"));
    down.over(1, 5);
    let caller = down.callers.of("+31612345673");
    assert_eq!(caller.answer("INVITE").map(|(_, status)| status), Some(503));
    assert!(caller.answered().is_none() && down.pbx.find("+31612345673").is_none());
    let calls = down.node.until(&["calls", "list"], |calls| calls[0]["verdict"].is_string());
    assert_eq!(words(&calls[0]), "not-asked unreachable unconnected");

    let ended =
        callers.until(Duration::from_secs(40), |calls| calls.first().is_some_and(History::over));
    assert!(ended, "{}", absent.log());
    let caller = callers.of("+31612345672");
    let calls = absent.until(&["calls", "list"], |calls| calls[0]["verdict"].is_string());
    assert_eq!(words(&calls[0]), "granted unreachable unconnected");
    assert!(reasons(&caller).join(" ").contains("Q.850;cause=27"), "{:?}", reasons(&caller));
    let spans = spans(&caller, 425.0);
    assert!(spans.len() > 6, "no congestion tone: {spans:?}");
}
