//! Lines that are added and removed by command: their own file, so that nobody's comments are lost.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::Serialize;

use crate::config::{
    judge::{self, Settings},
    problem::Problem,
    read::{self, Kept},
    schema::Line,
};

/// What stands above the lines.
const HEAD: &str = "# Written by `jawoord lines add` and `jawoord lines remove`, which write it anew each \
                    time.\n# What you want to keep by hand belongs into the configuration or `lines.d`.\n";

/// Where a node's configuration comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The configuration file.
    pub config: PathBuf,
    /// The data folder, instead of the one in the file.
    pub data: Option<PathBuf>,
}

impl Source {
    /// Reads and judges it.
    ///
    /// # Errors
    /// Every problem found.
    pub fn settings(&self) -> Result<Settings, Vec<Problem>> {
        judge::judge(read::read(&self.config, self.data.as_deref())?, self.data.as_deref())
    }
}

/// A change of the lines that are kept by command.
#[derive(Clone, Debug)]
pub enum Change {
    /// All of them, or none.
    Add(Vec<Line>),
    /// By their names; all of them, or none.
    Remove(Vec<String>),
}

/// Why lines are not changed.
#[derive(Debug)]
pub enum Refused {
    /// What is wrong, line by line.
    Problems(Vec<Problem>),
    /// The file cannot be written.
    Write(PathBuf, io::ErrorKind),
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Problems(problems) => crate::config::problem::Problems(problems).fmt(f),
            Self::Write(path, kind) => {
                write!(f, "{} cannot be written ({kind}); check its folder", path.display())
            }
        }
    }
}

impl std::error::Error for Refused {}

impl From<Vec<Problem>> for Refused {
    fn from(problems: Vec<Problem>) -> Self {
        Self::Problems(problems)
    }
}

/// Changes the lines: judged as a whole first, written under another name, then put in place. What
/// is refused changes nothing.
///
/// # Errors
/// [`Refused`], naming each line that is wrong.
pub fn change(source: &Source, change: Change) -> Result<Settings, Refused> {
    let read = read::read(&source.config, source.data.as_deref())?;
    let path = read.kept.path.clone();
    let (by_hand, kept) = read.file.line.split_at(read.kept.from.min(read.file.line.len()));
    let lines = match change {
        Change::Add(new) => added(by_hand, kept, new)?,
        Change::Remove(names) => removed(by_hand, kept, &names)?,
    };
    let text = written(&lines);
    let anew = read::read_with(&source.config, source.data.as_deref(), Some(&text))?;
    let settings = judge::judge(anew, source.data.as_deref())?;
    put(&path, &text).map_err(|error| Refused::Write(path, error.kind()))?;
    Ok(settings)
}

fn added(by_hand: &[Line], kept: &[Line], new: Vec<Line>) -> Result<Vec<Line>, Vec<Problem>> {
    let taken: std::collections::HashSet<&str> =
        by_hand.iter().chain(kept).map(|line| line.id.as_str()).collect();
    let mut problems = Vec::new();
    for line in &new {
        if taken.contains(line.id.as_str()) {
            let mend =
                "a line of this name is there already; remove it first, or give another name";
            problems.push(Problem::value(place(&line.id), "id", &line.id, mend));
        }
    }
    if problems.is_empty() { Ok(kept.iter().cloned().chain(new).collect()) } else { Err(problems) }
}

fn removed(by_hand: &[Line], kept: &[Line], names: &[String]) -> Result<Vec<Line>, Vec<Problem>> {
    let has = |lines: &[Line], name: &String| lines.iter().any(|line| line.id == *name);
    let mut problems = Vec::new();
    for name in names.iter().filter(|name| !has(kept, name)) {
        let mend = if has(by_hand, name) {
            "it stands in the configuration or `lines.d`; remove it there and run `jawoord reload`"
        } else {
            "no line has this name; see `jawoord lines list`"
        };
        problems.push(Problem::value(place(name), "id", name, mend));
    }
    let stays = |line: &&Line| !names.contains(&line.id);
    if problems.is_empty() {
        Ok(kept.iter().filter(stays).cloned().collect())
    } else {
        Err(problems)
    }
}

fn place(id: &str) -> String {
    format!("line \"{id}\"")
}

fn written(lines: &[Line]) -> String {
    #[derive(Serialize)]
    struct File<'a> {
        line: &'a [Line],
    }
    // A table of texts always has a TOML form; what had none would be caught when it is read back.
    let text = toml::to_string(&File { line: lines }).unwrap_or_default();
    if lines.is_empty() { HEAD.to_owned() } else { format!("{HEAD}\n{text}") }
}

/// Puts a file in place so that a reader, and a node after a power cut, sees the old or the new one.
fn put(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let mut file = fs::File::create(&part)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&part, path)?;
    fs::File::open(folder)?.sync_all()
}

/// The lines in the order of the files, and which of them are kept by command.
///
/// # Errors
/// Every problem of the configuration's form.
pub fn list(source: &Source) -> Result<Vec<(Line, bool)>, Vec<Problem>> {
    let read = read::read(&source.config, source.data.as_deref())?;
    let Kept { from, .. } = read.kept;
    let lines = read.file.line.into_iter().enumerate();
    Ok(lines.map(|(place, line)| (line, place >= from)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::problem::Problems;
    use call::Private;

    const LAB: &str = include_str!("../../../config/lab.toml");

    fn site() -> (tempfile::TempDir, Source) {
        let home = tempfile::TempDir::new().expect("a folder");
        let config = home.path().join("node.toml");
        fs::write(&config, LAB).expect("a configuration");
        let source = Source { config, data: Some(home.path().join("data")) };
        (home, source)
    }

    fn line(id: &str, number: &str, policy: &str) -> Line {
        let text = format!(
            "id = {id:?}\ntenant = \"voorbeeld\"\nnumber = {number:?}\npolicy = {policy:?}\n"
        );
        toml::from_str(&text).expect("a line")
    }

    fn said(refused: Refused) -> String {
        match refused {
            Refused::Problems(problems) => Problems(&problems).to_string(),
            Refused::Write(..) => refused.to_string(),
        }
    }

    fn finds(settings: &Settings, number: &str) -> Option<String> {
        let line = settings.lines.find(call::Direction::Inbound, &Private::new(number.to_owned()));
        line.map(|line| line.id.to_string())
    }

    #[test]
    fn o_07_a_line_that_is_added_is_there_after_a_restart_and_the_configuration_is_untouched() {
        let (_home, source) = site();
        let new = vec![line("desk", "+31209999999", "never")];
        let settings = change(&source, Change::Add(new)).map_err(said).unwrap();
        assert_eq!(finds(&settings, "+31209999999").as_deref(), Some("desk"));
        let again = source.settings().unwrap();
        assert_eq!(finds(&again, "+31209999999").as_deref(), Some("desk"));
        assert_eq!(fs::read_to_string(&source.config).unwrap(), LAB);
        assert_ne!(again.hash.to_string(), {
            let without =
                change(&source, Change::Remove(vec!["desk".into()])).map_err(said).unwrap();
            assert_eq!(finds(&without, "+31209999999"), None);
            without.hash.to_string()
        });
        let listed = list(&source).unwrap();
        assert!(listed.len() == 3 && listed.iter().all(|(_, kept)| !kept));
    }

    #[test]
    fn a_batch_with_one_wrong_line_changes_nothing_and_names_each_wrong_line() {
        let (home, source) = site();
        let batch = vec![
            line("good", "+31209999991", "never"),
            line("bad-number", "12x", "never"),
            line("bad-policy", "+31209999992", "nevr"),
        ];
        let text = said(change(&source, Change::Add(batch)).expect_err("two are wrong"));
        assert!(text.contains("line \"bad-number\": `number` is \"12x\""), "{text}");
        assert!(text.contains("line \"bad-policy\": `policy` is \"nevr\""), "{text}");
        assert!(!text.contains("\"good\"") && !home.path().join("data/lines.toml").exists());
        let twice = vec![line("sales-nl", "+31209999993", "never")];
        let text = said(change(&source, Change::Add(twice)).expect_err("it is there"));
        assert!(text.starts_with("line \"sales-nl\": `id`"), "{text}");
    }

    #[test]
    fn only_what_was_added_by_command_is_removed_by_command() {
        let (_home, source) = site();
        let remove = |name: &str| change(&source, Change::Remove(vec![name.to_owned()]));
        let text = said(remove("sales-nl").expect_err("it is written by hand"));
        assert!(text.contains("lines.d"), "{text}");
        let text = said(remove("nobody").expect_err("there is none"));
        assert!(text.contains("no line has this name"), "{text}");
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named_and_nothing_has_changed() {
        let (home, source) = site();
        fs::write(home.path().join("data"), "a file where the folder should be").unwrap();
        let new = vec![line("desk", "+31209999999", "never")];
        let text = said(change(&source, Change::Add(new)).expect_err("no folder"));
        assert!(text.contains("lines.toml") && text.contains("check its folder"), "{text}");
        assert_eq!(source.settings().map(|settings| settings.lines.iter().len()).ok(), Some(3));
    }

    #[test]
    fn o_07_ten_thousand_lines_are_judged_in_a_time_that_grows_with_their_number_alone() {
        let (_home, source) = site();
        let all = |count: usize| -> Vec<Line> {
            (0..count).map(|n| line(&format!("l-{n}"), &format!("+3130{n:07}"), "never")).collect()
        };
        let timed = |count| {
            let lines = all(count);
            let began = std::time::Instant::now();
            let settings = change(&source, Change::Add(lines)).map_err(said).unwrap();
            let took = began.elapsed();
            assert_eq!(finds(&settings, "+31300000007").as_deref(), Some("l-7"));
            fs::remove_file(source.data.clone().unwrap().join("lines.toml")).unwrap();
            took
        };
        let (thousand, ten_thousand) = (timed(1_000), timed(10_000));
        // Ten times the lines; a walk through all lines for each would be a hundred times.
        assert!(ten_thousand < thousand * 30, "{thousand:?} and {ten_thousand:?}");
        assert!(ten_thousand < std::time::Duration::from_secs(5), "{ten_thousand:?}");
    }
}
