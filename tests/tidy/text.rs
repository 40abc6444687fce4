//! Rules about every tracked file: nothing of one machine, nothing borrowed, nothing out of place.

use std::collections::BTreeSet;

use crate::house::{Finding, House, Rule};

/// A fresh clone works anywhere: no file knows the machine or the mirror it was written on.
pub(crate) const FOREIGN_NAME: Rule = Rule {
    name: "foreign-name",
    law: "no file names a package host or a path of one machine",
    check: foreign_names,
};

/// Everything in the tree is ours; what is not comes through a package manager, by name.
pub(crate) const BORROWED: Rule =
    Rule { name: "borrowed", law: "nothing of others is copied into the tree", check: borrowed };

/// The top level is small enough to be told in one breath.
pub(crate) const TOP_LEVEL: Rule =
    Rule { name: "top-level", law: "the top level holds exactly what it should", check: top_level };

/// A map that names a street which is gone misleads worse than no map.
pub(crate) const MAP: Rule = Rule {
    name: "map",
    law: "every file and folder that a document names is there",
    check: lost_places,
};

/// Written in two halves, so that this file does not break its own rule.
const FOREIGN: [(&str, &str); 12] = [
    ("deb.debian", ".org"),
    ("crates", ".io"),
    ("pypi", ".org"),
    ("pythonhosted", ".org"),
    ("registry.npm", "js.org"),
    ("proxy.golang", ".org"),
    ("docker", ".io"),
    ("ghcr", ".io"),
    ("/wo", "rk/"),
    ("/fa", "rm/"),
    ("/ro", "ot/"),
    ("/tmp/bash", "_jobs"),
];

/// Lock files name where their packages come from; that is what they are for.
const LOCKS: [&str; 2] = ["Cargo.lock", "package-lock.json"];

const FOLDERS: [&str; 4] = ["vendor", "third_party", "third-party", "node_modules"];
const ARCHIVES: [&str; 8] = [".crate", ".whl", ".deb", ".tar.gz", ".tgz", ".zip", ".min.js", ".so"];

const TOP: [&str; 17] = [
    ".ci",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "clippy.toml",
    "config",
    "crates",
    "deny.toml",
    "deploy",
    "prompts",
    "rustfmt.toml",
    "tests",
];

fn foreign_names(house: &House) -> Vec<Finding> {
    let foreign = FOREIGN.map(|(first, second)| format!("{first}{second}"));
    let mut findings = Vec::new();
    for (path, text) in &house.files {
        if LOCKS.contains(&path.rsplit('/').next().unwrap_or_default()) {
            continue;
        }
        for (number, line) in text.as_deref().unwrap_or_default().lines().enumerate() {
            if let Some(name) = foreign.iter().find(|name| line.contains(name.as_str())) {
                findings.push(Finding::new(path, number + 1, format!("names {name}")));
            }
        }
    }
    findings
}

fn borrowed(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    // Two halves again.
    let mark = format!("{}{}", "Copyright ", "(c)").to_lowercase();
    for (path, text) in &house.files {
        if path.split('/').any(|part| FOLDERS.contains(&part)) {
            findings.push(Finding::new(path, 0, "lies in a folder for the work of others"));
        }
        if ARCHIVES.iter().any(|ending| path.ends_with(ending)) {
            findings.push(Finding::new(path, 0, "is a package or a build of something"));
        }
        let marked = text.as_deref().is_some_and(|text| text.to_lowercase().contains(&mark));
        if marked && path != "LICENSE" {
            findings.push(Finding::new(path, 0, "carries somebody's copyright line"));
        }
    }
    findings
}

fn top_level(house: &House) -> Vec<Finding> {
    let first = |path: &String| path.split('/').next().unwrap_or_default().to_owned();
    let there: BTreeSet<String> = house.files.iter().map(|(path, _)| first(path)).collect();
    let wanted: BTreeSet<String> = TOP.map(str::to_owned).into_iter().collect();
    let extra = there.difference(&wanted).map(|name| Finding::new(name, 0, "does not belong here"));
    let missing = wanted.difference(&there).map(|name| Finding::new(name, 0, "is missing"));
    extra.chain(missing).collect()
}

fn lost_places(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in house.files.iter().filter(|(path, _)| path.ends_with(".md")) {
        for (number, line) in text.as_deref().unwrap_or_default().lines().enumerate() {
            // Every second piece between back quotes is quoted.
            for place in line.split('`').skip(1).step_by(2).filter(|place| is_place(place)) {
                let bare = place.trim_end_matches('/');
                let below = format!("{bare}/");
                let there = |(file, _): &(String, _)| file == bare || file.starts_with(&below);
                if !house.files.iter().any(there) {
                    findings.push(Finding::new(path, number + 1, format!("{place} is not there")));
                }
            }
        }
    }
    findings
}

/// Whether a quoted word is a path from the top of the repository.
fn is_place(word: &str) -> bool {
    let named = |folder: &str| word.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    !word.contains(['*', ' ', '<', '{']) && TOP.iter().any(|top| named(top))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_and_a_machines_path_are_found_with_their_line() {
        for (first, second) in FOREIGN {
            let text = format!("fine\nsee {first}{second} for more\n");
            let found = foreign_names(&House::of(&[("README.md", &text)]));
            assert_eq!(found.first().map(|finding| finding.line), Some(2), "{first}");
            assert!(foreign_names(&House::of(&[("Cargo.lock", &text)])).is_empty());
        }
    }

    #[test]
    fn work_of_others_is_found() {
        let line = format!("// {}{} 2020 Somebody\n", "Copyright ", "(C)");
        for (path, text) in [("vendor/a.rs", ""), ("tests/a.whl", ""), ("crates/a/src/b.c", &line)]
        {
            assert_eq!(borrowed(&House::of(&[(path, text)])).len(), 1, "{path}");
        }
        assert!(borrowed(&House::of(&[("LICENSE", &line)])).is_empty());
    }

    #[test]
    fn a_place_that_is_gone_is_found() {
        let map = "see `crates/a/src/b.rs`, `crates/a/`, `crates/a/src/gone.rs` and `a/b`\n";
        let house = House::of(&[("MAP.md", map), ("crates/a/src/b.rs", "")]);
        let gone = Finding::new("MAP.md", 1, "crates/a/src/gone.rs is not there");
        assert_eq!(lost_places(&house), [gone]);
    }

    #[test]
    fn a_stray_file_and_a_missing_one_are_found() {
        let mut files: Vec<_> = TOP.iter().map(|name| (*name, "")).collect();
        assert!(top_level(&House::of(&files)).is_empty());
        files.push(("notes.txt", ""));
        assert_eq!(
            top_level(&House::of(&files)),
            [Finding::new("notes.txt", 0, "does not belong here")]
        );
        files.remove(0);
        assert_eq!(top_level(&House::of(&files)).len(), 2);
    }
}
