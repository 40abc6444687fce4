//! A customer who tells the agent that they want no recording any more, and need press nothing (law row L08).

use serde_json::Value;
use support::{
    node::Change,
    page::Visitor,
    scene::words,
    stage::{Stage, wait},
};

/// The facts of the audit tree from the first of this kind on: their kinds, and who is named in each.
fn facts_from(stage: &Stage, first: &str) -> Vec<(String, String)> {
    let folder = stage.node.temporary().join("audit");
    let _head = stage.node.done(&["audit", "export", folder.to_str().expect("a name")]);
    let entries = std::fs::read_to_string(folder.join("entries.jsonl")).expect("the entries");
    let facts = entries.lines().filter_map(|line| {
        let entry: Value = serde_json::from_str(line).ok()?;
        let body = entry["body"].as_str()?;
        let by = body.lines().find_map(|line| line.strip_prefix("by ")).unwrap_or_default();
        Some((entry["kind"].as_str()?.to_owned(), by.to_owned()))
    });
    facts.skip_while(|(kind, _)| kind != first).collect()
}

#[test]
fn l_08_what_a_customer_says_to_the_agent_ends_the_recording_and_erases_it_as_their_key_would() {
    let change = Change::default().with("confirm = \"first\"", "confirm = \"off\"");
    let mut stage = Stage::with(change);
    let page = Visitor::enter(&stage.node);
    let withdraw = |id: &str| page.post(&format!("/api/calls/{id}/withdraw"));
    assert_eq!(withdraw(&"0".repeat(32)).status, 404);
    let mut talk = stage.recorded();
    stage.ear.speak(700.0);
    wait(1_500);
    let calls = stage.node.done(&["calls", "list"]);
    let id = calls[0]["call"].as_str().expect("an id").to_owned();
    assert_eq!(page.get("/api/now").json()["calls"][0]["recording"], "on");
    let done = withdraw(&id);
    assert_eq!((done.status, done.body.as_str()), (204, ""), "{done:?}");
    assert_eq!(page.get("/api/now").json()["calls"][0]["recording"], "off");
    // It is withdrawn, by whatever way somebody says so again.
    let again = withdraw(&id);
    assert_eq!(
        (again.status, &again.json()["type"]),
        (409, &"/problems/nothing-to-withdraw".into())
    );
    let said = stage.node.fails(&["calls", "withdraw", &id]);
    assert!(said.to_string().contains("nothing to withdraw"), "{said}");
    wait(500);
    stage.hang_up(&mut talk);
    let call = stage.node.until(&["calls", "show", &id], |call| call["verdict"].is_string());
    assert_eq!(words(&call), "withdrawn bridged withdrawn");
    assert_eq!(stage.node.done(&["recordings", "list"]), Value::Array(Vec::new()));
    assert_eq!(stage.node.files("store"), []);
    let facts = facts_from(&stage, "withdrawal-told");
    let of = |kind: &str, by: &str| (kind.to_owned(), by.to_owned());
    assert_eq!(facts[..2], [of("withdrawal-told", "operator"), of("consent-decided", "")]);
    assert!(facts.iter().any(|(kind, _)| kind == "recording-deleted"), "{facts:?}");
}
