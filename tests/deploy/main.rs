//! What stands in `deploy/` is checked by the tools that will read it: systemd, hadolint, the program itself.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on says so and stops")]

mod bare;
mod debian;
mod recipe;

use std::{fs, path::PathBuf, process::Command};

/// A file of the repository.
fn read(path: &str) -> String {
    let whole = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(path);
    fs::read_to_string(&whole).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A program of ours: the one that the same build has made.
fn program(name: &str) -> PathBuf {
    let exe = std::env::current_exe().expect("a test has a path");
    let folder = exe.ancestors().find(|folder| folder.join(name).is_file());
    folder.unwrap_or_else(|| panic!("{name} is not built: cargo build --workspace")).join(name)
}

/// Runs a tool and gives what it said and whether it was content.
fn run(command: &mut Command) -> (bool, String) {
    let output = command.output().expect("the tool is installed by tests/run");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn the_container_is_built_with_the_compiler_the_workspace_asks_for() {
    let manifest = read("Cargo.toml").parse::<toml_edit::DocumentMut>().expect("a manifest");
    let package = manifest.get("workspace").and_then(|workspace| workspace.get("package"));
    let version = package.and_then(|package| package.get("rust-version")?.as_str());
    let version = version.expect("the workspace says its rust-version");
    assert!(read("deploy/Containerfile").contains(&format!("FROM rust:{version}-slim-")));
}

#[test]
fn the_container_runs_as_nobody_in_particular_and_holds_no_keys() {
    let text = read("deploy/Containerfile");
    let user = text.lines().find_map(|line| line.strip_prefix("USER ")).expect("a USER line");
    assert!(user.trim().parse::<u32>().is_ok_and(|uid| uid > 1000), "USER {user}");
    let ignored = read("deploy/Containerfile.dockerignore");
    for never in ["lab-data", "lab-data.keys", "target", ".git"] {
        assert!(
            ignored.lines().any(|line| line == never),
            "{never} would be copied into the build"
        );
    }
}

mod systemd {
    //! systemd's own reading of the unit.

    use super::*;

    /// Ten times the exposure that `systemd-analyze security` may find: 1.2 on its scale, where
    /// 10 is no sandbox at all. What is left is the network, the host's root and UNIX sockets.
    const MOST_EXPOSED: &str = "12";

    /// The unit, with a program that exists on every machine in the place of ours.
    fn unit(name: &str, change: impl Fn(String) -> String) -> PathBuf {
        let text = change(read("deploy/jawoord.service"));
        let text = text.replace("/usr/local/bin/jawoord", "/bin/true");
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join("jawoord.service");
        fs::write(&path, text).expect("a unit");
        path
    }

    /// What systemd has to say about the unit itself, not about others it pulls in.
    fn complaints(unit: &PathBuf) -> Vec<String> {
        let mut verify = Command::new("systemd-analyze");
        let (_, said) = run(verify.args(["verify", "--man=no"]).arg(unit));
        let about_ours = |line: &&str| line.contains("jawoord.service");
        said.lines().filter(about_ours).map(str::to_owned).collect()
    }

    fn is_tight(unit: &PathBuf) -> (bool, String) {
        let threshold = format!("--threshold={MOST_EXPOSED}");
        let mut security = Command::new("systemd-analyze");
        run(security.args(["security", "--offline=yes", "--no-pager", &threshold]).arg(unit))
    }

    #[test]
    fn the_unit_is_read_without_a_complaint() {
        let said = complaints(&unit("whole", |text| text));
        assert!(said.is_empty(), "{}", said.join("\n"));
    }

    #[test]
    fn a_misspelt_line_in_the_unit_is_complained_about() {
        let broken = unit("misspelt", |text| text.replace("UMask=", "UMusk="));
        assert!(!complaints(&broken).is_empty());
    }

    #[test]
    fn the_unit_is_exposed_no_more_than_stated() {
        let (tight, said) = is_tight(&unit("tight", |text| text));
        assert!(tight, "{said}");
    }

    #[test]
    fn a_unit_that_may_gain_privileges_is_too_exposed() {
        let loose = unit("loose", |text| text.replace("CapabilityBoundingSet=\n", ""));
        assert!(!is_tight(&loose).0);
    }
}

mod hadolint {
    //! The linter of container files.

    use super::*;

    #[test]
    fn the_container_file_has_no_finding() {
        let linter = std::env::var_os("JAWOORD_HADOLINT").unwrap_or_else(|| "hadolint".into());
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/Containerfile");
        let (content, said) = run(Command::new(linter).arg(file));
        assert!(content, "{said}");
    }
}

mod shellcheck {
    //! The linter of shell scripts.

    use super::*;

    #[test]
    fn no_script_has_a_finding() {
        let top = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        let scripts = [
            "tests/run",
            ".ci/run",
            "tests/deploy/bare/first_call",
            "tests/peers/nat/calls",
            "tests/bench/signalling/run",
            "deploy/debian/build",
            "deploy/debian/postinst",
            "deploy/debian/prerm",
            "deploy/debian/postrm",
        ]
        .map(|script| top.join(script));
        let (content, said) = run(Command::new("shellcheck").args(scripts));
        assert!(content, "{said}");
    }
}
