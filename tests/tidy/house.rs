//! The house as the rules see it: every file of the repository, and the Rust ones as syntax.

use std::{fmt, path::Path, process::Command};

use crate::strip::{Stripped, strip};

/// One house rule.
#[derive(Clone, Copy)]
pub(crate) struct Rule {
    /// The short name that `exceptions.toml` uses.
    pub(crate) name: &'static str,
    /// The rule as a sentence.
    pub(crate) law: &'static str,
    /// What breaks it.
    pub(crate) check: fn(&House) -> Vec<Finding>,
}

/// One place where a rule is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) file: String,
    /// Line from 1; 0 is the file as a whole.
    pub(crate) line: usize,
    pub(crate) what: String,
}

impl Finding {
    pub(crate) fn new(file: &str, line: usize, what: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "  {}: {}", self.file, self.what),
            line => write!(f, "  {}:{line}: {}", self.file, self.what),
        }
    }
}

/// A Rust file.
pub(crate) struct Source {
    /// Path from the top of the repository, with forward slashes.
    pub(crate) path: String,
    /// The folder under `crates/`, or `tests`.
    pub(crate) crate_name: String,
    /// The syntax without anything that is compiled for tests only.
    pub(crate) product: syn::File,
    /// Lines of the file, and how many of them are tests.
    pub(crate) lines: usize,
    pub(crate) test_lines: usize,
    /// How many functions carry a test attribute.
    pub(crate) tests: usize,
    /// Whether the whole file is compiled for tests only.
    pub(crate) is_test: bool,
}

/// Everything the rules look at.
pub(crate) struct House {
    /// All files with their text; a file that is not UTF-8 has none.
    pub(crate) files: Vec<(String, Option<String>)>,
    pub(crate) sources: Vec<Source>,
    /// Rust files that no parser understands.
    pub(crate) unreadable: Vec<Finding>,
}

impl House {
    /// Reads the repository this test was built from: what is tracked, and what would be.
    pub(crate) fn read() -> Self {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ has a parent");
        let listed = Command::new("git")
            // A container often builds a checkout that belongs to somebody else.
            .args(["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others"])
            .arg("--exclude-standard")
            .current_dir(top)
            .output()
            .expect("git lists the files");
        assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
        let names = String::from_utf8(listed.stdout).expect("file names are UTF-8");
        let mut files = Vec::new();
        for name in names.split_terminator('\0') {
            // A file that is listed and gone is being moved; git will say so.
            if let Ok(bytes) = std::fs::read(top.join(name)) {
                files.push((name.to_owned(), String::from_utf8(bytes).ok()));
            }
        }
        Self::from_files(files)
    }

    /// A house of a few files, for showing that a rule can fail.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), Some((*text).to_owned()));
        Self::from_files(files.iter().map(owned).collect())
    }

    fn from_files(mut files: Vec<(String, Option<String>)>) -> Self {
        files.sort();
        let (mut sources, mut unreadable, mut test_modules) = (Vec::new(), Vec::new(), Vec::new());
        for (path, text) in &files {
            let Some(text) = text.as_deref().filter(|_| is_rust(path)) else { continue };
            match syn::parse_file(text) {
                Ok(whole) => {
                    let stripped = strip(whole);
                    test_modules.extend(stripped.modules.iter().map(|m| inside(path, m)));
                    sources.push(Source::new(path, text, stripped));
                }
                Err(error) => {
                    unreadable.push(Finding::new(
                        path,
                        error.span().start().line,
                        error.to_string(),
                    ));
                }
            }
        }
        for source in &mut sources {
            let stem = source.path.trim_end_matches(".rs");
            let below = |module: &String| stem == module || stem.starts_with(&format!("{module}/"));
            source.is_test |= test_modules.iter().any(below);
        }
        Self { files, sources, unreadable }
    }

    /// The Rust files that are part of what we ship.
    pub(crate) fn product(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter().filter(|source| !source.is_test)
    }

    /// The manifests: the folder under `crates/`, `tests` or `""` for the root, and the text.
    pub(crate) fn manifests(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.files.iter().filter_map(|(path, text)| {
            let folder = path.strip_suffix("Cargo.toml")?.trim_end_matches('/');
            Some((
                folder.strip_prefix("crates/").unwrap_or(folder),
                path.as_str(),
                text.as_deref()?,
            ))
        })
    }
}

impl Source {
    fn new(path: &str, text: &str, stripped: Stripped) -> Self {
        let mut folders = path.split('/');
        let first = folders.next().unwrap_or_default();
        let second = folders.next().unwrap_or_default();
        let in_crate = first == "crates";
        Self {
            path: path.to_owned(),
            crate_name: if in_crate { second } else { first }.to_owned(),
            product: stripped.product,
            lines: text.lines().count(),
            test_lines: stripped.lines,
            tests: stripped.tests,
            is_test: !in_crate || !matches!(folders.next(), Some("src" | "build.rs")),
        }
    }
}

fn is_rust(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "rs")
}

/// Where the module `name`, declared in the file `path`, has its files (without `.rs`).
pub(crate) fn inside(path: &str, name: &str) -> String {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let is_root = matches!(file, "lib.rs" | "main.rs" | "mod.rs") || is_target(path);
    let stem = if is_root { folder } else { path.trim_end_matches(".rs") };
    format!("{stem}/{name}")
}

/// Whether Cargo takes the file as a target of its own: `tests/x.rs`, `src/bin/x.rs` and the like.
pub(crate) fn is_target(path: &str) -> bool {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let last = folder.rsplit('/').next().unwrap_or_default();
    path.starts_with("crates/") && matches!(last, "tests" | "bin" | "examples" | "benches")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_declared_for_tests_is_a_test_file_with_all_below_it() {
        let house = House::of(&[
            ("crates/a/src/lib.rs", "#[cfg(test)]\nmod proof;\nmod real;\n"),
            ("crates/a/src/proof.rs", "mod deep;\n"),
            ("crates/a/src/proof/deep.rs", "fn f() {}\n"),
            ("crates/a/src/real.rs", "fn f() {}\n"),
            ("crates/a/tests/x.rs", "fn f() {}\n"),
        ]);
        let product: Vec<_> = house.product().map(|source| source.path.as_str()).collect();
        assert_eq!(product, ["crates/a/src/lib.rs", "crates/a/src/real.rs"]);
    }

    #[test]
    fn the_repository_is_not_empty() {
        let house = House::read();
        assert!(house.product().count() > 20);
        assert!(house.manifests().count() > 8);
    }
}
