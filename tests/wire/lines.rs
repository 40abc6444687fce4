//! Lines that come and go while the node runs, and numbers that each side writes its own way.

use std::{fs, time::Duration};

use serde_json::json;
use support::{
    exchange::{Act, Manner, Plan, message::header},
    node::Change,
    scene::{NEVER, Scene},
};

fn answers(millis: u64) -> Manner {
    let acts = vec![(Duration::from_millis(millis), Act::HangUp)];
    Manner::Answers { after: Duration::ZERO, tone_hz: 440.0, acts }
}

const NEW: &str = "+31207777777";

#[test]
fn o_07_a_line_added_while_the_node_runs_takes_its_next_call_and_survives_a_restart() {
    let mut scene = Scene::start(&Change::default(), answers(4_000));
    let configuration =
        fs::read_to_string(scene.node.home.path().join("node.toml")).expect("a file");
    // A call of no line is running when the line comes, and keeps what it began with.
    scene.call(Plan::new("+31612345631", NEW));
    assert!(scene.pbx.until(Duration::from_secs(5), |calls| calls.len() == 1));
    let added = ["lines", "add", "desk", "--tenant", "voorbeeld", "--number", NEW];
    let added = [&added[..], &["--policy", "quality-en"]].concat();
    let added = [&added[..], &["--language", "quality-nl=+32*,+31612345639"]].concat();
    assert_eq!(scene.node.done(&added)["lines"], 4);
    scene.over(1, 10);
    let shown = scene.shown("+31612345631");
    assert!(shown["line"].is_null() && shown["verdict"] == "policy-off", "{shown:#}");

    // The next call is answered and asked.
    let call = scene.call(Plan::new("+31612345632", NEW));
    let answered = scene.callers.until(Duration::from_secs(5), |calls| {
        calls.get(call).is_some_and(|call| call.answered().is_some())
    });
    assert!(answered && scene.pbx.find("+31612345632").is_none(), "{}", scene.node.log());
    scene.callers.act(call, Act::HangUp);

    let fails = scene.node.fails(&[
        "lines",
        "add",
        "desk",
        "--tenant",
        "voorbeeld",
        "--number",
        "12x",
        "--policy",
        "none",
    ]);
    let said = fails["error"].as_str().expect("an error");
    assert!(said.contains("line \"desk\": `id` is \"desk\""), "{said}");

    let lift = ["lines", "add", "lift", "--tenant", "voorbeeld", "--number", "+31207777778"];
    let lift = [&lift[..], &["--policy", "never", "--mode", "transparent"]].concat();
    assert_eq!(scene.node.done(&lift)["lines"], 5);
    let told = scene.node.done(&["check", "--number", "+31207777778"]);
    assert_eq!(told["aside"], "transparent", "{told:#}");

    scene.node.stop();
    let listed = scene.node.json(&["lines", "list"]);
    assert_eq!(listed.as_array().map(Vec::len), Some(5));
    assert_eq!((&listed[4]["line"], &listed[4]["mode"]), (&json!("lift"), &json!("transparent")));
    assert_eq!((&listed[3]["line"], &listed[3]["kept"]), (&json!("desk"), &json!("by command")));
    assert_eq!(listed[3]["languages"], json!(["quality-nl"]));
    // Without a node the same command works on the folder itself.
    assert_eq!(scene.node.done(&["lines", "remove", "desk", "lift"])["lines"], 3);
    let left = fs::read_to_string(scene.node.home.path().join("node.toml")).expect("a file");
    assert_eq!(left, configuration, "what a person wrote was touched");
}

#[test]
fn r_22_each_side_reads_numbers_as_it_writes_them_and_check_says_so_beforehand() {
    let change = Change::default()
        .with(
            "keepalive_s = 0                     # seconds between",
            "rewrite = [{ direction = \"in\", number = \"both\", form = \"e164\" }]\n\
             keepalive_s = 0                     # seconds between",
        )
        .with(
            "name = \"pbx\"\n",
            "name = \"pbx\"\nrewrite = [\n  { direction = \"out\", number = \"dialled\", \
             pattern = '\\+3120123([0-9]{4})', replace = \"$1\" },\n  { direction = \"out\", \
             number = \"calling\", form = \"international\" },\n]\n",
        );
    let mut scene = Scene::start(&change, answers(200));
    let national = NEVER.replace("+31", "0");
    let told = scene.node.done(&["check", "--number", &national, "--from", "0612345633"]);
    assert_eq!((&told["line"], &told["targets"][0]["dialled"]), (&json!("alarm"), &json!("4569")));
    assert_eq!(told["targets"][0]["calling"], "0031612345633");

    scene.call(Plan::new("0612345633", &national));
    let called = scene.pbx.until(Duration::from_secs(5), |calls| calls.len() == 1);
    assert!(called, "{}", scene.node.log());
    let invite =
        scene.pbx.of("0031612345633").request("INVITE", true).expect("an INVITE").text.clone();
    assert!(invite.starts_with("INVITE sip:4569@127.0.0.1"), "{invite}");
    let to = header(&invite, "To").expect("To");
    let from = header(&invite, "From").expect("From");
    assert!(to.contains("sip:4569@") && from.contains("sip:0031612345633@"), "{to} {from}");
    scene.over(1, 5);
    let shown = scene.shown("0031612345633");
    assert_eq!(shown["line"], "alarm");
}
