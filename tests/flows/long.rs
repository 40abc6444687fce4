//! Changes the product in a copy of the tree, one small change after the other, and sees each row's test fail.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant, SystemTime},
};

use support::node::{program, root};

use crate::table::{Mutation, mutations};

/// How many changes a run tries.
const SAMPLE: usize = 30;

/// A test that a change makes wait for ever has failed.
const PATIENCE: Duration = Duration::from_secs(90);

/// A copy of the tree with a target folder of its own.
struct Copy {
    tree: PathBuf,
    target: PathBuf,
    /// The test binaries by name, built from the unchanged tree.
    binaries: BTreeMap<String, PathBuf>,
}

impl Copy {
    fn make() -> Self {
        let built = program("jawoord");
        let debug = built.parent().expect("a folder");
        let home = debug.parent().expect("a target folder").join("mutate");
        let (tree, target) = (home.join("tree"), home.join("target"));
        let _absent = fs::remove_dir_all(&tree);
        fs::create_dir_all(&target).expect("a folder");
        let listed = Command::new("git")
            .args(["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others"])
            .arg("--exclude-standard")
            .current_dir(root())
            .output()
            .expect("git lists the files");
        for name in String::from_utf8(listed.stdout).expect("names").split_terminator('\0') {
            let to = tree.join(name);
            fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
            // A file that is listed and gone is being moved.
            let _moved = fs::copy(root().join(name), to);
        }
        if !target.join("debug").exists() {
            // What does not depend on our own crates is taken as it was built.
            let mut copy = Command::new("cp");
            let copied = copy.args(["-a", "--reflink=auto"]).args([debug, &target]).status();
            assert!(copied.is_ok_and(|status| status.success()), "the target is copied");
        }
        let mut copy = Self { tree, target, binaries: BTreeMap::new() };
        assert!(copy.builds(), "the unchanged tree does not build");
        copy.binaries = copy.test_binaries();
        copy
    }

    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO"));
        command.args(arguments).current_dir(&self.tree).env("CARGO_TARGET_DIR", &self.target);
        command
    }

    /// Builds the program that the tests run.
    fn builds(&self) -> bool {
        let built = self.cargo(&["build", "--quiet", "--package", "jawoord"]).output();
        built.is_ok_and(|built| {
            eprint!("{}", String::from_utf8_lossy(&built.stderr));
            built.status.success()
        })
    }

    fn test_binaries(&self) -> BTreeMap<String, PathBuf> {
        let arguments =
            ["test", "--package", "jawoord-tests", "--tests", "--no-run", "--message-format=json"];
        let built = self.cargo(&arguments).stderr(Stdio::inherit()).output().expect("cargo");
        let lines = String::from_utf8(built.stdout).expect("JSON");
        let lines = lines.lines().filter_map(|line| serde_json::from_str(line).ok());
        let binary = |line: serde_json::Value| {
            let name = line["target"]["name"].as_str()?.to_owned();
            Some((name, PathBuf::from(line["executable"].as_str()?)))
        };
        lines.filter_map(binary).collect()
    }

    /// Runs one test and says whether it passes.
    fn passes(&self, file: &Path, test: &str) -> bool {
        let folder = file.iter().nth(1).and_then(|name| name.to_str()).expect("tests/NAME/…");
        let binary = self.binaries.get(folder).unwrap_or_else(|| panic!("no binary {folder}"));
        let log = self.target.join("mutate.log");
        let out = fs::File::create(&log).expect("a log");
        let mut child = Command::new(binary)
            .arg(test)
            .current_dir(self.tree.join("tests"))
            .stdout(out)
            .stderr(Stdio::null())
            .spawn()
            .expect("the test starts");
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = child.try_wait().expect("a child") {
                let said = fs::read_to_string(&log).unwrap_or_default();
                assert!(said.contains("running 1 test"), "{test} is not one test: {said}");
                return status.success();
            }
            if Instant::now() > until {
                child.kill().and_then(|()| child.wait()).expect("the test is stopped");
                return false;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Applies a change, runs its test, takes the change back; the verdict in a word.
    fn tries(&self, change: &Mutation, file: &Path) -> &'static str {
        let path = self.tree.join(&change.file);
        let good = fs::read_to_string(&path).expect("a file of the product");
        assert_eq!(good.matches(&change.from).count(), 1, "{}: {}", change.row, change.from);
        fs::write(&path, good.replace(&change.from, &change.to)).expect("the copy is ours");
        let verdict = if !self.builds() {
            "DOES NOT BUILD"
        } else if self.passes(file, &change.test) {
            "SURVIVED"
        } else {
            "noticed"
        };
        fs::write(&path, good).expect("the copy is ours");
        verdict
    }
}

/// Thirty of them by a seed, or those of the rows that `MUTATE` names (`all` names every one).
fn chosen() -> Vec<Mutation> {
    let mut all = mutations();
    if let Ok(named) = std::env::var("MUTATE") {
        let rows: Vec<_> = named.split_whitespace().collect();
        all.retain(|change| rows == ["all"] || rows.contains(&change.row.as_str()));
        return all;
    }
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock");
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let mut state: u64 = seed.unwrap_or(now.as_secs());
    println!("SEED={state} tries the same changes again");
    // Splitmix64, and each pick takes one out.
    let mut pick = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = state;
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ word >> 31
    };
    let mut taken = Vec::new();
    while taken.len() < SAMPLE && !all.is_empty() {
        let at = usize::try_from(pick() % all.len() as u64).unwrap_or_default();
        taken.push(all.swap_remove(at));
    }
    taken
}

#[test]
fn a_sample_of_small_changes_is_noticed_by_the_tests_of_their_rows() {
    let (chosen, proofs) = (chosen(), crate::proof::proofs());
    assert!(!chosen.is_empty(), "nothing is chosen");
    let copy = Copy::make();
    let file = |change: &Mutation| {
        let proofs = proofs.get(&change.row).into_iter().flatten();
        let of = proofs.clone().find(|proof| proof.name == change.test && proof.is_at_the_node());
        PathBuf::from(&of.unwrap_or_else(|| panic!("{} has no {}", change.row, change.test)).file)
    };
    for change in &chosen {
        let good = copy.passes(&file(change), &change.test);
        assert!(good, "{} fails before anything is changed", change.test);
    }
    let mut missed = Vec::new();
    for change in &chosen {
        let verdict = copy.tries(change, &file(change));
        println!("{} {verdict}: {} in {}", change.row, change.test, change.file);
        if verdict != "noticed" {
            missed.push(format!("{} {verdict}: {:?} → {:?}", change.row, change.from, change.to));
        }
    }
    assert!(missed.is_empty(), "{} of {}:\n{}", missed.len(), chosen.len(), missed.join("\n"));
}
