//! A bare Debian with Asterisk on it, in namespaces of its own: the package goes in, and a call is recorded.

use std::{fs, path::PathBuf, process::Command};

use support::{
    pcap,
    sound::{channels, encode_a, heard, tone},
};

use crate::{debian, read, run};

/// A person types fewer steps than this until the first recorded call.
const STEPS: usize = 10;

fn packets(hz: f64, millis: u32, first: u16) -> Vec<pcap::Packet> {
    let encoded: Vec<u8> = tone(hz, millis, 8_000.0).into_iter().map(encode_a).collect();
    pcap::audio(&encoded, 8, first)
}

#[test]
fn from_a_bare_debian_the_readme_leads_to_the_first_recorded_call_in_fewer_than_ten_steps() {
    let work = tempfile::TempDir::new().expect("a temporary folder");
    let top = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let bare = std::env::var_os("JAWOORD_BARE").map(PathBuf::from);
    let bare = bare.unwrap_or_else(|| top.join("target/run/bare"));
    debian::build(work.path());
    fs::write(work.path().join("README.md"), read("README.md")).expect("a file");
    fs::create_dir(work.path().join("layers")).expect("a folder");
    for scenario in ["caller_question.xml", "pbx_answers.xml"] {
        let text = read(&format!("tests/wire/scenarios/{scenario}"));
        fs::write(work.path().join(scenario), text).expect("a file");
    }
    let sounds = [("marker", 1_200.0, 2_000), ("talk", 700.0, 3_000), ("tone", 440.0, 3_000)];
    for (name, hz, millis) in sounds {
        let path = work.path().join(format!("{name}.pcap"));
        pcap::write(&path, 0x5151_0001, &packets(hz, millis, 100)).expect("a capture");
    }
    let key = bare.join("usr/share/sip-tester/dtmf_2833_1.pcap");
    fs::copy(key, work.path().join("key.pcap")).expect("package sip-tester");

    let mut script = Command::new("unshare");
    script.args(["--mount", "--net", "--pid", "--fork", "--kill-child"]);
    script.arg(top.join("tests/deploy/bare/first_call")).arg(&bare).arg(work.path());
    let (content, said) = run(&mut script);
    let log = |name: &str| fs::read_to_string(work.path().join(name)).unwrap_or_default();
    assert!(content, "{said}\n{}\n{}", log("caller.log"), log("phone.log"));
    let steps = said.lines().filter(|line| line.starts_with("typed: ")).count();
    assert!((3..STEPS).contains(&steps), "{steps} steps:\n{said}");
    assert!(said.contains("the configuration is good"), "jawoord check:\n{said}");
    assert!(said.contains("removed: ok"), "{said}");
    let (left, right) = channels(&work.path().join("call.wav"));
    let seconds = |side: &[i16], hz| heard(side, hz) * side.len() as f64 / 8_000.0;
    assert!(seconds(&left, 700.0) > 2.5, "the caller: {} s", seconds(&left, 700.0));
    assert!(seconds(&right, 440.0) > 2.5, "the phone: {} s", seconds(&right, 440.0));
    assert_eq!(seconds(&left, 1_200.0), 0.0, "what was said before the yes");
}
