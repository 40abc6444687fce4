//! Seconds that are erased, and when no copy of yesterday opens them any more.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
    time::Duration,
};

use support::{
    exchange::{Act, Manner, Plan},
    node::{Change, program},
    scene::{ENGLISH, Scene},
    sound::{channels, heard, level},
};

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else if entry.path().is_file() {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

#[test]
fn erased_seconds_are_silence_and_unrecoverable_only_when_no_old_copy_opens_them() {
    let manner = Manner::Answers {
        after: Duration::ZERO,
        tone_hz: 440.0,
        acts: vec![(Duration::from_millis(7_500), Act::HangUp)],
    };
    let mut scene = Scene::start(&Change::default(), manner);
    let plan = Plan::new("+31612345695", ENGLISH).at(400, Act::Press('1'));
    scene.call(plan.at(10_000, Act::Speak(700.0)));
    scene.over(1, 40);
    let id = scene.recording("+31612345695")["recording"].as_str().expect("an id").to_owned();
    let (left, right) = scene.node.export(&id);
    assert!(heard(&left, 700.0) > 0.95 && heard(&right, 440.0) > 0.95);

    // Yesterday's copy of the whole data folder, which the node's keys open as long as they exist.
    scene.node.stop();
    let home = scene.node.home.path().to_owned();
    for day in ["yesterday", "today"] {
        copy(&scene.node.data(), &home.join(day));
    }
    scene.node.run_again();
    let keys = format!("[keys]\npath = \"{}\"", home.join("data.keys").display());
    let text = fs::read_to_string(home.join("node.toml")).expect("the configuration");
    fs::write(home.join("old.toml"), text.replacen("[keys]", &keys, 1)).expect("a file");
    let old_export = |day: &str| -> Output {
        Command::new(program("jawoord"))
            .args(["recordings", "export", &id, "-o"])
            .arg(home.join("old.wav"))
            .arg("--config")
            .arg(home.join("old.toml"))
            .arg("--data")
            .arg(home.join(day))
            .output()
            .expect("the program")
    };

    let erased = scene.node.done(&["recordings", "erase", &id, "--from", "2", "--to", "5"]);
    assert_eq!(erased["erased"][0]["state"], "erased", "{erased:#}");
    let (left_now, right_now) = scene.node.export(&id);
    assert_eq!((left_now.len(), right_now.len()), (left.len(), right.len()));
    for (side, hz) in [(&left_now, 700.0), (&right_now, 440.0)] {
        assert!(level(&side[16_000..40_000]) < 20.0, "{}", level(&side[16_000..40_000]));
        assert!(heard(&side[..16_000], hz) > 0.9 && heard(&side[40_000..], hz) > 0.9);
    }
    assert_eq!((&left_now[..16_000], &left_now[40_000..]), (&left[..16_000], &left[40_000..]));
    let verified = scene.node.done(&["recordings", "verify", &id]);
    assert_eq!((&verified["verified"], &verified["seconds_erased"]), (&true.into(), &3.into()));

    // Erased, and an old copy still opens them: nothing may say otherwise.
    let state =
        |scene: &Scene| scene.node.done(&["recordings", "show", &id])["erased"][0]["state"].clone();
    assert!(old_export("yesterday").status.success(), "the copy must have been able to open it");
    let (old, _) = channels(&home.join("old.wav"));
    assert!(heard(&old[16_000..40_000], 700.0) > 0.9);
    assert_eq!(state(&scene), "erased");
    let epochs = scene.node.done(&["keys", "status"]);
    let epoch = epochs[0]["epoch"].to_string();
    let _in_use = scene.node.fails(&["keys", "destroy-epoch", &epoch]);
    let rotated = scene.node.done(&["keys", "rotate"]);
    assert_eq!((&rotated["closed"], &rotated["slips"]), (&1.into(), &1.into()));
    assert_eq!(state(&scene), "erased");
    let destroyed = scene.node.done(&["keys", "destroy-epoch", &epoch]);
    assert_eq!(destroyed["unrecoverable"][0], id.as_str(), "{destroyed:#}");
    assert_eq!(state(&scene), "unrecoverable");

    let opened = old_export("today");
    assert_eq!(opened.status.code(), Some(1), "yesterday's copy still opens");
    assert_eq!(scene.node.export(&id), (left_now, right_now), "the rest still plays");
    assert_eq!(scene.node.done(&["recordings", "verify", &id])["verified"], true);
    assert_eq!(scene.node.done(&["audit", "verify"])["verified"], true);
}
