//! The rule that the files of a crate form no circle: each can be read knowing only those below it.
//!
//! A file leans on another when it names something that is defined there. Re-exports are followed
//! to the file that defines the thing, so that `use crate::Permit` leans on `permit.rs` and not on
//! `lib.rs`. A `mod` line is no leaning, and tests may lean on anything.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    house::{Finding, House, Rule},
    record::{Record, Target},
};

/// STYLE: no circle between files of a crate.
pub(crate) const CIRCLE: Rule =
    Rule { name: "circle", law: "no circle between the files of a crate", check: circles };

/// From each file to the files it leans on, with the line that says so.
type Leanings = BTreeMap<String, BTreeMap<String, usize>>;

fn circles(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for root in roots(house) {
        let record = Record::of(house, &root);
        let leanings = leanings(&record);
        let mut told = BTreeSet::new();
        for file in leanings.keys() {
            let Some(circle) = shortest_circle(&leanings, file) else { continue };
            let members: BTreeSet<_> = circle.iter().cloned().collect();
            if told.insert(members) {
                findings.push(tell(&leanings, &circle));
            }
        }
    }
    findings
}

/// The files Cargo starts from.
fn roots(house: &House) -> Vec<String> {
    let is_root = |path: &&String| {
        let in_src = path.ends_with("/src/lib.rs") || path.ends_with("/src/main.rs");
        let in_tests = path.starts_with("tests/")
            && path.matches('/').count() == 2
            && (path.ends_with("/main.rs") || path.ends_with("/lib.rs"));
        in_src || in_tests || crate::house::is_target(path)
    };
    house.sources.iter().map(|source| &source.path).filter(is_root).cloned().collect()
}

fn leanings(record: &Record) -> Leanings {
    let mut leanings = Leanings::new();
    for (from, path, line) in record.mentions() {
        let Some(Target::Item(home)) = record.resolve(from, path) else { continue };
        let (file, other) = (record.file(from), record.file(home));
        if file != other {
            let towards = leanings.entry(file.to_owned()).or_default();
            towards.entry(other.to_owned()).or_insert(line);
        }
    }
    leanings
}

/// The shortest way from a file back to itself, breadth first.
fn shortest_circle(leanings: &Leanings, start: &str) -> Option<Vec<String>> {
    let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(file) = queue.pop_front() {
        for next in leanings.get(file).into_iter().flat_map(BTreeMap::keys) {
            if next == start {
                let mut circle = vec![file.to_owned()];
                let mut at = file;
                while at != start {
                    at = came_from.get(at)?;
                    circle.push(at.to_owned());
                }
                circle.reverse();
                return Some(circle);
            }
            if !came_from.contains_key(next.as_str()) {
                came_from.insert(next, file);
                queue.push_back(next);
            }
        }
    }
    None
}

fn tell(leanings: &Leanings, circle: &[String]) -> Finding {
    let steps = circle.iter().zip(circle.iter().cycle().skip(1)).map(|(file, next)| {
        let line = leanings.get(file).and_then(|towards| towards.get(next)).copied();
        format!("{file}:{} leans on {next}", line.unwrap_or_default())
    });
    let steps: Vec<_> = steps.collect();
    let first = circle.first().map(String::as_str).unwrap_or_default();
    Finding::new(first, 0, steps.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<Finding> {
        let whole: Vec<_> = files
            .iter()
            .map(|(name, text)| (format!("crates/a/src/{name}"), (*text).to_owned()))
            .collect();
        let lent: Vec<_> =
            whole.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        circles(&House::of(&lent))
    }

    #[test]
    fn two_files_that_use_each_other_are_found() {
        let found = found(&[
            ("lib.rs", "mod b;\nmod c;\n"),
            ("b.rs", "use crate::c::C;\npub struct B;\n"),
            ("c.rs", "pub struct C;\nfn f() -> crate::b::B { g() }\n"),
        ]);
        assert_eq!(found.len(), 1);
        let told = &found.first().unwrap().what;
        assert!(told.contains("b.rs:1 leans on crates/a/src/c.rs"), "{told}");
        assert!(told.contains("c.rs:2 leans on crates/a/src/b.rs"), "{told}");
    }

    #[test]
    fn a_circle_of_three_through_a_re_export_and_an_alias_is_found() {
        let found = found(&[
            ("lib.rs", "mod b;\nmod c;\nmod d;\npub use b::B;\n"),
            ("b.rs", "use crate::c;\npub struct B(c::C);\n"),
            ("c.rs", "use super::d::*;\npub struct C;\n"),
            ("d.rs", "fn f() { vec![crate::B]; }\npub struct D;\n"),
        ]);
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn a_child_that_leans_on_its_parent_and_is_leant_on_is_found() {
        let found = found(&[
            ("lib.rs", "mod b;\n"),
            ("b/mod.rs", "mod c;\nuse self::c::C;\npub struct B(C);\n"),
            ("b/c.rs", "pub struct C;\nimpl super::B {}\n"),
        ]);
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn declaring_a_module_re_exporting_it_and_testing_it_make_no_circle() {
        let found = found(&[
            ("lib.rs", "mod b;\nmod c;\npub use b::B;\npub use c::C;\n"),
            ("b.rs", "use crate::C;\npub struct B(C);\n"),
            ("c.rs", "pub struct C;\n#[cfg(test)]\nmod tests { use crate::B; }\n"),
        ]);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn a_circle_in_a_body_with_a_grouped_import_is_found() {
        let found = found(&[
            ("lib.rs", "mod b;\nmod c;\n"),
            ("b.rs", "pub fn b() { use crate::{c::{self, C}}; c::d(); }\n"),
            ("c.rs", "pub struct C;\npub fn d() { crate::b::b() }\n"),
        ]);
        assert_eq!(found.len(), 1, "{found:?}");
    }
}
