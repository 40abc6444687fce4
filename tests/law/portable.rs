//! A recording as whoever was recorded may take it elsewhere (GDPR Art. 20): a vCon that programs read.

/// With the `vcon` package of PyPI, which knows nothing of this house.
mod vcon {
    use std::{path::Path, process::Command, time::Duration};

    use serde_json::Value;
    use support::{
        exchange::{Act, Manner, Plan},
        node::Change,
        scene::{ENGLISH, Scene},
    };

    const CALLER: &str = "+31612345603";

    /// What the package makes of it, once signature, key and sound are right.
    fn read(file: &Path, trust: &Path, sound: &Path) -> Value {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("law/vcon_reads.py");
        let python = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
        let told = Command::new(python).arg(script).args([file, trust, sound]).output();
        let told = told.expect("python");
        let said = String::from_utf8_lossy(&told.stdout);
        assert!(told.status.success(), "{said}{}", String::from_utf8_lossy(&told.stderr));
        serde_json::from_str(&said).expect("JSON")
    }

    #[test]
    fn l_20_l_07_a_recording_is_handed_over_as_a_signed_vcon_with_its_ground_and_the_key_press() {
        let acts = vec![(Duration::from_millis(3_200), Act::HangUp)];
        let answers = Manner::Answers { after: Duration::ZERO, tone_hz: 440.0, acts };
        let mut scene = Scene::start(&Change::default(), answers);
        scene.call(Plan::new(CALLER, ENGLISH).at(400, Act::Press('1')));
        scene.over(1, 40);
        let recording = scene.recording(CALLER);
        let id = recording["recording"].as_str().expect("an id").to_owned();
        let home = scene.node.home.path().to_owned();
        let (file, sound) = (home.join("call.vcon"), home.join("call.wav"));
        for (command, to) in [("vcon", &file), ("export", &sound)] {
            let to = to.display().to_string();
            let _told = scene.node.done(&["recordings", command, &id, "--output", &to]);
        }
        let written = std::fs::read_to_string(&file).expect("a vCon");
        let vcon = read(&file, &scene.node.data().join("trust"), &sound);
        assert!(!vcon.to_string().contains("612345603"), "a number is in it: {vcon}");

        assert_eq!(vcon["vcon"], "0.4.0");
        assert_eq!(vcon["uuid"].as_str().and_then(|uuid| uuid.chars().nth(14)), Some('8'));
        let presses = vcon["call"]["party_history"].as_array().expect("a history");
        let one = |event: &&Value| event["event"] == "keydown" && event["button"] == "1";
        assert_eq!(presses.iter().filter(one).count(), 1, "{vcon}");
        let length = vcon["recording"]["duration"].as_f64().expect("seconds");
        let known = recording["duration_ms"].as_f64().expect("milliseconds") / 1_000.0;
        assert!((length - known).abs() < 0.02, "{length} s, and not {known} s");
        let [lawful, record] = &vcon["attachments"].as_array().expect("two")[..] else {
            panic!("a ground and a record: {vcon}")
        };
        assert_eq!(lawful["purpose"], "lawful_basis");
        let body = &lawful["body"];
        assert_eq!(
            (&body["lawful_basis"], &body["expiration"]),
            (&"consent".into(), &recording["delete_after"])
        );
        let granted = body["purpose_grants"].as_array().expect("grants");
        assert!(granted.iter().all(|grant| grant["granted"] == true), "{body}");
        assert_eq!(
            body["proof_mechanisms"][0]["proof_data"]["evidence_sha256"],
            recording["evidence"]
        );
        assert_eq!(record["body"]["@graph"][0]["@type"], "dpv:ConsentRecord");

        // That it was handed over is known, and what is erased is handed over no more.
        let folder = home.join("evidence").display().to_string();
        let _written = scene.node.done(&["recordings", "evidence", &id, "--out", &folder]);
        let facts = std::fs::read_to_string(home.join("evidence/facts.jsonl")).expect("facts");
        assert!(facts.contains("access vcon"), "{facts}");
        let _erased = scene.node.done(&["recordings", "erase", &id]);
        let to = file.display().to_string();
        let gone = scene.node.run(&["recordings", "vcon", &id, "--output", &to]);
        assert!(!gone.status.success(), "an erased recording was handed over");
        assert_eq!(std::fs::read_to_string(&file).expect("the old one"), written);
    }
}
