//! Finds every test of the workspace whose name begins with the number of a row.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use support::node::root;

/// A test and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Proof {
    /// Path from the top of the repository.
    pub(crate) file: String,
    /// The function.
    pub(crate) name: String,
}

impl Proof {
    /// Whether it runs the real node.
    pub(crate) fn is_at_the_node(&self) -> bool {
        self.file.starts_with("tests/")
    }
}

/// All tests by the rows that they prove.
pub(crate) fn proofs() -> BTreeMap<String, BTreeSet<Proof>> {
    let mut found: BTreeMap<String, BTreeSet<Proof>> = BTreeMap::new();
    let mut folders = vec![root().join("crates"), root().join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                if path.file_name().is_none_or(|name| name != "target") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let file = short(&path);
                for name in tests(&fs::read_to_string(&path).unwrap_or_default()) {
                    for row in rows(name) {
                        let proof = Proof { file: file.clone(), name: name.to_owned() };
                        found.entry(row).or_default().insert(proof);
                    }
                }
            }
        }
    }
    found
}

fn short(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// The functions of a file that are tests and are run.
fn tests(text: &str) -> Vec<&str> {
    let (mut found, mut is_test) = (Vec::new(), false);
    for line in text.lines().map(str::trim_start) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if line.starts_with("#[ignore") {
            is_test = false;
        } else if let Some(rest) = line.strip_prefix("fn ").or(line.strip_prefix("async fn ")) {
            let name = rest.split(['(', '<']).next().unwrap_or_default();
            if std::mem::take(&mut is_test) {
                found.push(name);
            }
        }
    }
    found
}

/// The rows that a name begins with: `a_02_r_01_the_answer…` is of.
fn rows(name: &str) -> Vec<String> {
    let words: Vec<&str> = name.split('_').collect();
    let pairs = words.chunks_exact(2).map_while(|pair| {
        let letter = pair[0].len() == 1 && pair[0].bytes().all(|byte| byte.is_ascii_lowercase());
        let number = pair[1].len() == 2 && pair[1].bytes().all(|byte| byte.is_ascii_digit());
        (letter && number).then(|| format!("{}-{}", pair[0].to_uppercase(), pair[1]))
    });
    pairs.collect()
}

#[test]
fn a_name_says_which_rows_it_is_of() {
    assert_eq!(rows("a_02_r_01_the_answer"), ["A-02", "R-01"]);
    assert_eq!(rows("b_13_both"), ["B-13"]);
    assert!(rows("a_tone_of_400_hz").is_empty() && rows("b_1_x").is_empty());
}

#[test]
fn only_what_is_run_counts() {
    let text = "#[test]\nfn a_01_x() {}\nfn a_02_y() {}\n#[test]\n#[ignore]\nfn a_03_z() {}\n\
                #[test]\n#[cfg(unix)]\nfn a_04_w() {}\n";
    assert_eq!(tests(text), ["a_01_x", "a_04_w"]);
}
