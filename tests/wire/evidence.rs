//! What leaves the node: an export that other programs play, and a folder that an auditor proves.

use std::{fs, process::Command, time::Duration};

use support::{
    exchange::{Act, Manner, Plan},
    node::{Change, program},
    scene::{ENGLISH, Scene},
};

fn recorded(from: &str) -> (Scene, String) {
    let manner = Manner::Answers {
        after: Duration::ZERO,
        tone_hz: 440.0,
        acts: vec![(Duration::from_millis(3_200), Act::HangUp)],
    };
    let mut scene = Scene::start(&Change::default(), manner);
    scene.call(Plan::new(from, ENGLISH).at(400, Act::Press('1')));
    scene.over(1, 30);
    let id = scene.recording(from)["recording"].as_str().expect("an id").to_owned();
    (scene, id)
}

fn verify(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(program("jawoord-verify")).args(arguments).output();
    let output = output.expect("the program");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn an_auditor_proves_the_exported_folder_and_names_what_was_changed_in_it() {
    let (scene, id) = recorded("+31612345698");
    let folder = scene.node.home.path().join("audit");
    let name = folder.display().to_string();
    let exported = scene.node.done(&["audit", "export", &name]);
    assert_eq!(exported["recordings"], 1, "{exported}");
    let trust = scene.node.data().join("trust").display().to_string();
    let (code, said) = verify(&["--trust", &trust, &name]);
    assert_eq!(code, Some(0), "{said}");
    // Whose key it is must come from elsewhere.
    assert_eq!(verify(&[&name]).0, Some(1));

    let object = folder.join("recordings").join(format!("{id}.jwr"));
    let whole = fs::read(&object).expect("the object");
    let mut changed = whole.clone();
    changed[9_000] ^= 4;
    fs::write(&object, changed).expect("the object");
    let (code, said) = verify(&["--trust", &trust, &name]);
    assert!(code == Some(1) && said.contains("second 0") && said.contains(&id), "{code:?}: {said}");
    fs::write(&object, whole).expect("the object");

    let trail = folder.join("entries.jsonl");
    let lines = fs::read_to_string(&trail).expect("the trail");
    let without: Vec<&str> =
        lines.lines().enumerate().filter(|(n, _)| *n != 3).map(|(_, l)| l).collect();
    fs::write(&trail, without.join("\n") + "\n").expect("the trail");
    let (code, said) = verify(&["--trust", &trust, &name]);
    assert_eq!(code, Some(1), "an entry is missing and nobody says so: {said}");
}

mod sox {
    mod ffmpeg {
        use super::super::*;

        #[test]
        fn the_export_plays_in_sox_and_in_ffmpeg() {
            let (scene, id) = recorded("+31612345699");
            let (left, _) = scene.node.export(&id);
            let wav = scene.node.home.path().join(format!("{id}.wav"));
            let seconds = left.len() as f64 / 8_000.0;
            let said = Command::new("soxi").arg(&wav).output().expect("package sox");
            let said = String::from_utf8_lossy(&said.stdout).into_owned();
            assert!(said.contains("Channels       : 2") && said.contains(": 8000"), "{said}");
            let probe =
                ["-v", "error", "-show_entries", "stream=channels,duration", "-of", "csv=p=0"];
            let said =
                Command::new("ffprobe").args(probe).arg(&wav).output().expect("package ffmpeg");
            let said = String::from_utf8_lossy(&said.stdout).trim().to_owned();
            let (channels, length) = said.split_once(',').expect("two values");
            assert_eq!(channels, "2");
            assert!((length.parse::<f64>().expect("a length") - seconds).abs() < 0.001, "{said}");
            let mut decoded = Command::new("ffmpeg");
            decoded.args(["-v", "error", "-i"]).arg(&wav);
            let decoded = decoded.args(["-f", "null", "-"]).output().expect("package ffmpeg");
            assert!(decoded.status.success() && decoded.stderr.is_empty());
        }
    }
}
