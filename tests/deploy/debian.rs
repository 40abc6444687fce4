//! The Debian package: it is built, complete, and without a finding of Debian's own linter.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{program, read, run};

/// Builds the package from the programs of this build and says where it is.
pub fn build(folder: &Path) -> PathBuf {
    let top = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let jawoord = program("jawoord");
    let _also = program("jawoord-verify");
    let programs = jawoord.parent().expect("a folder");
    let mut script = Command::new(top.join("deploy/debian/build"));
    let (content, said) = run(script.arg(programs).arg(folder));
    assert!(content, "{said}");
    PathBuf::from(said.lines().last().expect("the package's name"))
}

fn deb(arguments: &[&str], package: &Path) -> String {
    let (content, said) = run(Command::new("dpkg-deb").args(arguments).arg(package));
    assert!(content, "{said}");
    said
}

#[test]
fn the_package_is_whole_belongs_to_root_and_has_no_finding() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let package = build(folder.path());
    let (content, said) =
        run(Command::new("lintian").args(["--fail-on", "warning,error"]).arg(&package));
    assert!(content, "{said}");

    let list = deb(&["--contents"], &package);
    for line in list.lines() {
        assert!(line.contains(" root/root "), "{line}");
    }
    for path in [
        "./usr/bin/jawoord",
        "./usr/bin/jawoord-verify",
        "./lib/systemd/system/jawoord.service",
        "./usr/share/jawoord/prompts/nl/notice.wav",
        "./usr/share/doc/jawoord/recipes/asterisk.md",
        "./usr/share/doc/jawoord/recipes/kamailio.cfg",
        "./etc/jawoord/",
    ] {
        assert!(list.lines().any(|line| line.ends_with(path)), "{path} is missing:\n{list}");
    }
    let fields = deb(&["--field"], &package);
    assert!(fields.contains("libc6 (>= ") && fields.contains("adduser"), "{fields}");
    let version = read("Cargo.toml");
    let version = version.lines().find_map(|line| line.strip_prefix("version = ")).expect("one");
    let ours = format!("Version: {}-", version.trim_matches('"'));
    assert!(fields.contains(&ours), "the package is not of {version}: {fields}");
}

#[test]
fn the_unit_in_the_package_runs_the_programs_of_the_package() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let package = build(folder.path());
    let tree = folder.path().join("tree");
    let (content, said) = run(Command::new("dpkg-deb").arg("-x").arg(&package).arg(&tree));
    assert!(content, "{said}");
    let unit = fs::read_to_string(tree.join("lib/systemd/system/jawoord.service")).expect("a unit");
    assert!(!unit.contains("/usr/local/"), "{unit}");
    let commands = unit.lines().filter(|line| line.starts_with("Exec"));
    for command in commands {
        let program = command.split(['=', ' ']).nth(1).expect("a program");
        assert!(tree.join(program.trim_start_matches('/')).is_file(), "{command}");
    }
    let (good, version) = run(Command::new(tree.join("usr/bin/jawoord")).arg("--version"));
    assert!(good && version.starts_with("jawoord "), "{version}");
}
