//! A root with nothing in it but `jawoord-verify`: no node, no database, no network, no other program.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use support::node::program;
use tempfile::TempDir;

/// The root, as a machine that has only been given a folder and a key.
pub struct Bare(TempDir);

impl Bare {
    /// Copies the program there, and what the system's loader wants for it.
    pub fn new() -> Self {
        let root = Self(TempDir::new().expect("a folder"));
        let verify = program("jawoord-verify");
        fs::copy(&verify, root.path("jawoord-verify")).expect("the program");
        let needed = Command::new("ldd").arg(&verify).output().expect("ldd");
        for word in String::from_utf8_lossy(&needed.stdout).split_whitespace() {
            if word.starts_with('/') {
                root.put(Path::new(word), word.trim_start_matches('/'));
            }
        }
        root
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Copies a file, or a folder whole.
    pub fn put(&self, from: &Path, name: &str) {
        let to = self.path(name);
        if from.is_dir() {
            fs::create_dir_all(&to).expect("a folder");
            for item in fs::read_dir(from).expect("a folder").flatten() {
                let below = format!("{name}/{}", item.file_name().to_string_lossy());
                self.put(&item.path(), &below);
            }
        } else {
            fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
            fs::copy(from, to).expect("a file");
        }
    }

    /// Takes a folder away.
    pub fn take(&self, name: &str) {
        fs::remove_dir_all(self.path(name)).expect("a folder");
    }

    /// Runs the program there, without a network.
    pub fn verify(&self, words: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new("unshare");
        command.args(["--net", "--pid", "--fork", "--root"]).arg(self.0.path());
        said(command.arg("/jawoord-verify").args(words))
    }
}

/// Runs the program where the tests run.
pub fn verify(words: &[&str]) -> (Option<i32>, String) {
    said(Command::new(program("jawoord-verify")).args(words))
}

fn said(command: &mut Command) -> (Option<i32>, String) {
    let output = command.output().expect("the program");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}
