//! What the demonstration shows: on a screen as it happens, or as one JSON object at its end.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Value, json};

use super::scene::Scene;
use crate::command::show::{Table, cell};

/// Collects everything, and prints it while it happens unless JSON was asked for.
pub(super) struct Report {
    quiet: bool,
    scenes: Vec<(Scene, Value)>,
    recording: Value,
    verified: bool,
    exported: Option<PathBuf>,
    erased: bool,
    unrecoverable: bool,
    left_behind: Vec<String>,
    kept: bool,
}

/// The tags shown of the recording; all of them are in `recordings show`.
const TAGS: [&str; 14] = [
    "tenant",
    "line",
    "ground",
    "purposes",
    "policy",
    "policy_version",
    "evidence",
    "retention_class",
    "delete_after",
    "storage_country",
    "storage_provider",
    "codec",
    "duration_ms",
    "verdict",
];

impl Report {
    pub(super) const fn new(quiet: bool) -> Self {
        Self {
            quiet,
            scenes: Vec::new(),
            recording: Value::Null,
            verified: false,
            exported: None,
            erased: false,
            unrecoverable: false,
            left_behind: Vec::new(),
            kept: true,
        }
    }

    fn say(&self, text: &str) {
        if !self.quiet {
            println!("{text}");
        }
    }

    pub(super) fn opening(&self, node: &SocketAddr, pbx: &SocketAddr) {
        self.say(&format!("jawoord takes calls at {node}, its PBX is a phone at {pbx}."));
        self.say("Four callers dial +31201234567, which asks in Dutch:\n");
    }

    pub(super) fn progress(&self, at: Duration, scene: Scene, what: &str) {
        self.say(&format!("{:6.1} s  {:34} {what}", at.as_secs_f64(), scene.title()));
    }

    pub(super) fn call(&mut self, scene: Scene, call: &Value) {
        self.say(&format!("\n{}:", capital(scene.title())));
        self.say(call["drawing"].as_str().unwrap_or_default().trim_end());
        self.scenes.push((scene, call.clone()));
    }

    pub(super) fn verdicts(&mut self, recordings: &[Value]) {
        self.recording = recordings.first().cloned().unwrap_or_default();
        let rows: Vec<Value> = self
            .scenes
            .iter()
            .map(|(scene, call)| {
                json!({
                    "caller": scene.title(),
                    "consent": call["consent"],
                    "outcome": call["outcome"],
                    "verdict": call["verdict"],
                    "recording": self.recording_of(call).map(|id| id.chars().take(8).collect::<String>()),
                })
            })
            .collect();
        self.say("\nEvery call ends with three words:\n");
        let table = Table(&["caller", "consent", "outcome", "verdict", "recording"]);
        self.say(table.draw(&rows).trim_end());
    }

    fn recording_of(&self, call: &Value) -> Option<String> {
        let of_call = self.recording["call"] == call["call"];
        of_call.then(|| self.recording["recording"].as_str().map(str::to_owned)).flatten()
    }

    pub(super) fn recording(&self, recording: &Value, manifest: &str) {
        self.say("\nThe one recording, and the tags it will carry to its end:\n");
        for tag in TAGS {
            self.say(&format!("  {:17} {}", tag.replace('_', " "), cell(&recording[tag])));
        }
        self.say("\nIts manifest, signed by this node:\n");
        for line in manifest.lines() {
            self.say(&format!("  {line}"));
        }
    }

    pub(super) fn verified(&mut self, report: &Value) {
        self.verified = report["verified"] == true;
        self.say(&match self.verified {
            true => "\nVerified: every second opens with its key, nothing is damaged.".to_owned(),
            false => format!("\nNOT VERIFIED: {}", cell(&report["findings"])),
        });
    }

    pub(super) fn exported(&mut self, path: &Path) {
        self.say(&format!("Exported: {} (customer left, PBX right).", path.display()));
        self.exported = Some(path.to_owned());
    }

    pub(super) fn left(&mut self, files: &[String]) {
        self.left_behind = files.to_vec();
        self.say(&match files {
            [] => "The other three calls left no audio: no file, no row, no key.".to_owned(),
            files => format!("LEFT BEHIND: {}", files.join(", ")),
        });
    }

    pub(super) fn state(&mut self, state: &'static str, recording: &Value) {
        self.kept = false;
        let reached = recording["erased"]
            .as_array()
            .is_some_and(|removals| removals.iter().any(|removal| removal["state"] == state));
        match state {
            "erased" => self.erased = reached,
            _ => self.unrecoverable = reached,
        }
        self.say(&match (state, reached) {
            ("erased", true) => "\nErased: no live key opens it. A copy of last night's disk and \
                key folder would."
                .to_owned(),
            (_, true) => {
                "Unrecoverable: its key epoch is destroyed; no backup opens it either.".to_owned()
            }
            (_, false) => format!("NOT {state}: {recording}"),
        });
    }

    pub(super) fn proved(&mut self, audit: &Value, stored: &[PathBuf]) {
        self.left_behind.extend(stored.iter().map(|path| path.display().to_string()));
        self.say(&format!(
            "Proof: {} facts in the audit tree, root {}; the store is {}.",
            audit["entries"],
            cell(&audit["root"]),
            if stored.is_empty() { "empty" } else { "NOT EMPTY" },
        ));
    }

    pub(super) fn is_good(&self) -> bool {
        let words = |scene: Scene| match scene {
            Scene::Grant => "recorded",
            Scene::Refuse => "refused",
            Scene::Silence => "not-given",
            Scene::HangUp => "abandoned",
        };
        let verdicts = self.scenes.iter().all(|(scene, call)| call["verdict"] == words(*scene));
        let gone = self.kept || (self.erased && self.unrecoverable);
        verdicts && self.verified && self.exported.is_some() && self.left_behind.is_empty() && gone
    }

    pub(super) fn close(&self) -> String {
        match (self.is_good(), self.kept) {
            (true, true) => String::new(),
            (true, false) => {
                "\nEverything above was real SIP and RTP on this machine.\n".to_owned()
            }
            (false, _) => "\nSomething above is not as it should be.\n".to_owned(),
        }
    }

    pub(super) fn value(&self) -> Value {
        let calls: Vec<Value> = self
            .scenes
            .iter()
            .map(|(scene, call)| call_value(*scene, call, self.recording_of(call).as_deref()))
            .collect();
        json!({
            "calls": calls,
            "recording": self.recording,
            "verified": self.verified,
            "exported": self.exported.as_ref().map(|path| path.display().to_string()),
            "erased": self.erased,
            "unrecoverable": self.unrecoverable,
            "left_behind": self.left_behind,
        })
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// What the report says in JSON about a call.
fn call_value(scene: Scene, call: &Value, recording: Option<&str>) -> Value {
    json!({
        "scenario": scene.as_str(),
        "verdict": call["verdict"],
        "recording": recording,
        "ladder": call["ladder"],
    })
}
