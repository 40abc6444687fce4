//! Deletion by retention: proved when it happened, open when it did not.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    process::{Command, Output},
    thread,
    time::Duration,
};

use serde_json::Value;
use support::{
    exchange::{Act, Manner, Plan},
    node::{Change, Node, program},
    scene::{ENGLISH, Scene},
};

/// `retention sweep` by somebody for whom the rights of a folder count, which they do not for root.
fn sweep(node: &Node) -> Output {
    let root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
    let mut command = if root {
        let mut command = Command::new("setpriv");
        command.arg("--bounding-set=-dac_override,-dac_read_search").arg(program("jawoord"));
        command
    } else {
        Command::new(program("jawoord"))
    };
    command.args(["retention", "sweep", "--json", "--config"]);
    command.arg(node.home.path().join("node.toml")).arg("--data").arg(node.data());
    command.output().expect("setpriv (package util-linux) and the program")
}

#[test]
fn l_19_what_is_due_goes_with_proof_and_what_cannot_go_stays_open_with_an_error() {
    let change = Change::default().with("keep_days = 30", "keep_s = 2");
    let manner = Manner::Answers {
        after: Duration::ZERO,
        tone_hz: 440.0,
        acts: vec![(Duration::from_millis(2_500), Act::HangUp)],
    };
    let mut scene = Scene::start(&change, manner);
    scene.call(Plan::new("+31612345690", ENGLISH).at(400, Act::Press('1')));
    scene.over(1, 30);
    let recording = scene.recording("+31612345690");
    let id = recording["recording"].as_str().expect("an id").to_owned();
    assert_eq!(scene.node.done(&["retention", "due", "--as-of", "1000"]), serde_json::json!([]));
    thread::sleep(Duration::from_millis(2_200));
    assert_eq!(scene.node.done(&["retention", "due"])[0]["recording"], id.as_str());

    // A store that lets nothing go.
    scene.node.stop();
    let (object, _) = scene.node.files("store").pop().expect("an object");
    let shard = object.parent().expect("its folder");
    fs::set_permissions(shard, fs::Permissions::from_mode(0o500)).expect("a right");
    let output = sweep(&scene.node);
    let said: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(output.status.code(), Some(1), "{said:#}");
    assert_eq!(
        (&said["deleted"], &said["open"][0]["recording"]),
        (&serde_json::json!([]), &id.as_str().into())
    );
    assert!(said["open"][0]["why"].as_str().is_some_and(|why| why.contains("store")), "{said:#}");
    assert!(object.exists());
    let rows = scene.node.done(&["recordings", "list"]);
    assert_eq!(
        (&rows[0]["recording"], &rows[0]["erased"][0]["state"]),
        (&id.as_str().into(), &"ordered".into())
    );

    // A store that does.
    fs::set_permissions(shard, fs::Permissions::from_mode(0o700)).expect("a right");
    scene.node.run_again();
    let said = scene.node.run(&["retention", "sweep"]);
    assert_eq!(said.status.code(), Some(0), "{}", String::from_utf8_lossy(&said.stderr));
    let list = scene
        .node
        .until(&["recordings", "list"], |rows| rows.as_array().is_some_and(Vec::is_empty));
    assert_eq!(list, serde_json::json!([]));
    assert_eq!(scene.node.files("store"), []);
    assert_eq!(scene.node.done(&["keys", "status"])[0]["slips"], 0);
    let shown = scene.node.done(&["recordings", "show", &id]);
    assert_eq!(
        (&shown["state"], &shown["erased"][0]["reason"]),
        (&"deleted".into(), &"retention".into())
    );
    assert_eq!(shown["erased"][0]["state"], "erased");
    let folder = scene.node.home.path().join("audit");
    let _exported = scene.node.done(&["audit", "export", &folder.display().to_string()]);
    let entries = fs::read_to_string(folder.join("entries.jsonl")).expect("the trail");
    let proof = |line: &&str| line.contains("recording-deleted") && line.contains(&id);
    assert_eq!(entries.lines().filter(proof).count(), 1, "{entries}");
    assert_eq!(scene.node.done(&["audit", "verify"])["verified"], true);
}
