//! Reload and stop while calls run.

use std::{fs, time::Duration};

use support::{
    exchange::{Act, Manner, Plan},
    node::Change,
    scene::{ENGLISH, Scene, words},
};

#[test]
fn o_07_a_bad_file_changes_nothing_a_good_one_new_calls_and_a_stop_closes_everything() {
    let manner = Manner::Answers { after: Duration::ZERO, tone_hz: 440.0, acts: Vec::new() };
    let mut scene = Scene::start(&Change::default(), manner);
    scene.call(Plan::new("+31612345680", ENGLISH).at(400, Act::Press('1')));
    let asked = scene.callers.until(Duration::from_secs(5), |calls| {
        calls.first().is_some_and(|call| call.heard.len() > 50)
    });
    assert!(asked);

    let file = scene.node.home.path().join("node.toml");
    let good = fs::read_to_string(&file).expect("the configuration");
    fs::write(&file, good.replace("port_max", "prot_max")).expect("a file");
    let said = scene.node.fails(&["reload"]).to_string();
    assert!(said.contains("prot_max") && said.contains("port_max"), "{said}");
    fs::write(&file, good.replace("policy = \"quality-en\"", "policy = \"never\""))
        .expect("a file");
    let changed = scene.node.done(&["reload"]);
    assert!(changed["configuration"].is_string(), "{changed}");
    // The new call is not asked; the one that was asked under the old settings keeps them.
    scene.call(Plan::new("+31612345681", ENGLISH));
    let quick = scene.pbx.until(Duration::from_secs(3), |calls| !calls.is_empty());
    assert!(quick && scene.pbx.find("+31612345681").is_some());
    let bridged = scene.pbx.until(Duration::from_secs(15), |calls| {
        calls.len() == 2 && calls.iter().all(|call| call.answered().is_some())
    });
    assert!(bridged, "{}", scene.node.log());
    std::thread::sleep(Duration::from_millis(2_000));

    scene.node.stop();
    for from in ["+31612345680", "+31612345681"] {
        let ended = |calls: &[support::exchange::History]| {
            calls.iter().filter(|call| call.request("BYE", true).is_some()).count() == 2
        };
        assert!(scene.callers.until(Duration::from_secs(1), ended), "a caller is left behind");
        assert!(scene.pbx.until(Duration::from_secs(1), ended), "the PBX is left behind");
        let (caller, agent) = scene.sides(from);
        for side in [&caller, &agent] {
            let bye = side.request("BYE", true).expect("a BYE");
            assert!(bye.text.contains("Reason: Q.850;cause=41"), "{}", bye.text);
        }
    }
    let first = scene.recording("+31612345680");
    assert_eq!((&first["verdict"], &first["degraded"]), (&"recorded".into(), &false.into()));
    assert_eq!(words(&scene.shown("+31612345680")), "granted bridged recorded");
    assert_eq!(words(&scene.shown("+31612345681")), "not-asked bridged policy-off");
    let id = first["recording"].as_str().expect("an id");
    assert_eq!(scene.node.done(&["recordings", "verify", id])["verified"], true);
    let (_, agent) = scene.sides("+31612345680");
    let bye = agent.request("BYE", true).expect("a BYE").at;
    let lived = (bye - agent.answered().expect("answered")).as_millis() as i64;
    let lost = lived - first["duration_ms"].as_i64().expect("a length");
    assert!((-100..=300).contains(&lost), "{lost} ms are missing at the end");
}
