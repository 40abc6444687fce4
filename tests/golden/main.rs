//! What is promised in print is what the program prints: the README, the demo's JSON, the help.

use std::{fs, process::Command};

use serde_json::Value;
use support::node::{program, root};

fn demo(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(program("jawoord"))
        .arg("demo")
        .args(arguments)
        .output()
        .expect("the program starts");
    eprintln!("{}", String::from_utf8_lossy(&output.stderr));
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A line without what differs from run to run: numbers, ids, and how wide they make a column.
fn shape(line: &str) -> String {
    let word = |word: &str| {
        let id =
            word.len() >= 8 && word.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b';');
        let number = word.bytes().any(|byte| byte.is_ascii_digit());
        let path = word.ends_with("jawoord-demo.wav");
        if path {
            "FILE".to_owned()
        } else if id || (number && word.len() > 1) {
            "#".to_owned()
        } else {
            word.to_owned()
        }
    };
    line.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_readme_shows_what_the_demo_prints() {
    let readme = fs::read_to_string(root().join("README.md")).expect("the README");
    let shown = readme.split("```text\n").nth(1).and_then(|rest| rest.split("```").next());
    let (good, printed) = demo(&[]);
    assert!(good, "{printed}");
    let mut printed = printed.lines().map(shape);
    for line in shown.expect("a block of output").lines().filter(|line| *line != "…") {
        let wanted = shape(line);
        assert!(printed.any(|line| line == wanted), "the demo no longer prints {line:?}");
    }
}

#[test]
fn the_demo_as_json_has_four_verdicts_one_recording_and_leaves_nothing() {
    let (good, printed) = demo(&["--json"]);
    assert!(good, "{printed}");
    let shown: Value = serde_json::from_str(&printed).expect("one JSON object");
    let calls = shown["calls"].as_array().expect("calls");
    let words: Vec<_> = calls.iter().map(|call| (&call["scenario"], &call["verdict"])).collect();
    let expected = [
        ("grant", "recorded"),
        ("refuse", "refused"),
        ("silence", "not-given"),
        ("hangup", "abandoned"),
    ];
    assert_eq!(words.len(), expected.len());
    for ((scenario, verdict), (name, word)) in words.into_iter().zip(expected) {
        assert_eq!((scenario.as_str(), verdict.as_str()), (Some(name), Some(word)));
    }
    assert!(calls.iter().all(|call| call["ladder"].as_array().is_some_and(|l| l.len() >= 4)));
    assert_eq!(calls[0]["recording"], shown["recording"]["recording"]);
    assert!(calls[1..].iter().all(|call| call["recording"].is_null()));
    for tag in [
        "tenant",
        "line",
        "ground",
        "purposes",
        "policy_version",
        "evidence",
        "delete_after",
        "storage_country",
        "codec",
        "duration_ms",
    ] {
        assert!(!shown["recording"][tag].is_null(), "{tag} is missing");
    }
    assert_eq!((&shown["verified"], &shown["erased"]), (&true.into(), &true.into()));
    assert_eq!(shown["unrecoverable"], true);
    assert_eq!(shown["left_behind"].as_array().map(Vec::len), Some(0));
    let file = shown["exported"].as_str().expect("a file");
    assert_eq!(hound::WavReader::open(file).expect("a WAV file").spec().channels, 2);
}

#[test]
fn the_help_of_every_command_is_the_one_that_was_agreed_on() {
    let mut help = String::new();
    let commands: &[&[&str]] = &[
        &[],
        &["demo"],
        &["init"],
        &["serve"],
        &["check"],
        &["reload"],
        &["link"],
        &["lines"],
        &["lines", "add"],
        &["calls"],
        &["calls", "show"],
        &["calls", "evidence"],
        &["recordings"],
        &["recordings", "export"],
        &["recordings", "evidence"],
        &["recordings", "erase"],
        &["retention"],
        &["retention", "due"],
        &["keys"],
        &["keys", "destroy-epoch"],
        &["audit"],
        &["audit", "export"],
        &["prompts"],
        &["prompts", "import"],
    ];
    for command in commands {
        let output = Command::new(program("jawoord")).args(*command).arg("--help").output();
        let output = output.expect("the program starts");
        help.push_str(&format!("$ jawoord {} --help\n", command.join(" ")));
        help.push_str(&String::from_utf8_lossy(&output.stdout));
        help.push('\n');
    }
    let golden = root().join("tests/golden/help.txt");
    if std::env::var_os("JAWOORD_BLESS").is_some() {
        fs::write(&golden, &help).expect("a golden file");
    }
    assert_eq!(help, fs::read_to_string(&golden).expect("a golden file"), "JAWOORD_BLESS=1 agrees");
}

#[test]
fn the_metrics_are_the_ones_that_were_agreed_on() {
    let metrics = jawoord::metrics::Metrics::new().expect("no name twice");
    for consent in call_words() {
        metrics.ended(consent);
    }
    let text = metrics.render();
    let names: Vec<&str> = text.lines().filter(|line| line.starts_with("# HELP")).collect();
    let golden = root().join("tests/golden/metrics.txt");
    if std::env::var_os("JAWOORD_BLESS").is_some() {
        fs::write(&golden, names.join("\n")).expect("a golden file");
    }
    assert_eq!(names.join("\n"), fs::read_to_string(&golden).expect("a golden file"));
}

fn call_words() -> [call::Words; 1] {
    [call::Words {
        consent: call::Consent::Granted,
        outcome: call::Outcome::Bridged,
        verdict: call::Verdict::Recorded,
    }]
}

mod chromium {
    //! The page of a real node in a real browser.

    use std::{
        io::{BufRead, BufReader},
        process::{Command, Stdio},
    };

    use support::page::browser;

    use super::program;

    #[test]
    fn the_page_of_the_demo_lists_plays_seeks_and_verifies_its_recording() {
        let mut demo = Command::new(program("jawoord"))
            .args(["demo", "--keep"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        // The pipe stays open for as long as the demo may print.
        let mut printed =
            BufReader::new(demo.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
        let link = printed.find_map(|line| {
            line.starts_with("The page")
                .then(|| line.split_whitespace().last().map(str::to_owned))?
        });
        let shown = browser("page.mjs", &link.expect("the demo prints a link")).output();
        let _gone = demo.kill();
        let _reaped = demo.wait();
        let shown = shown.expect("node is installed");
        let said = String::from_utf8_lossy(&shown.stdout);
        assert!(shown.status.success(), "{said}{}", String::from_utf8_lossy(&shown.stderr));
    }
}
