//! Reads the configuration file and `lines.d`, and says where and why when it cannot.

use std::{
    fs,
    path::{Path, PathBuf},
};

use ring::digest::{Context, SHA256};
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    problem::Problem,
    schema::{File, Line, Policy, Retention},
};
use call::Digest;

/// What stands in the file of the lines that are added by command.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct KeptFile {
    /// Lines.
    line: Vec<Line>,
}

/// What may stand in a file of `lines.d`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LinesFile {
    /// Policies.
    policy: Vec<Policy>,
    /// Retention classes.
    retention: Vec<Retention>,
    /// Lines.
    line: Vec<Line>,
}

/// The configuration as read, before its values are judged.
#[derive(Clone, Debug)]
pub struct Read {
    /// Everything, `lines.d` included.
    pub file: File,
    /// SHA-256 over the files, in the order in which they were read.
    pub hash: Digest,
    /// The lines that are kept by command; they stand behind all others.
    pub kept: Kept,
}

/// Where the lines are kept that are added by command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// The file, whether it is there or not.
    pub path: PathBuf,
    /// The place of the first of them among all lines.
    pub from: usize,
}

/// Reads `path`, every `lines.d/*.toml` beside it in the order of their names, and the lines that
/// are kept by command. `data` replaces the data folder of the file.
///
/// # Errors
/// Every problem found, each naming its file and line.
pub fn read(path: &Path, data: Option<&Path>) -> Result<Read, Vec<Problem>> {
    read_with(path, data, None)
}

/// The same with `kept` in place of the file of kept lines, before it is written.
///
/// # Errors
/// Every problem found, each naming its file and line.
pub fn read_with(
    path: &Path,
    data: Option<&Path>,
    kept: Option<&str>,
) -> Result<Read, Vec<Problem>> {
    let mut hash = Context::new(&SHA256);
    let mut problems = Vec::new();
    let mut file = match read_one::<File>(path, &mut hash) {
        Ok(file) => file,
        Err(problem) => {
            problems.push(problem);
            File::default()
        }
    };
    for more in lines_files(path) {
        match read_one::<LinesFile>(&more, &mut hash) {
            Ok(lines) => {
                file.policy.extend(lines.policy);
                file.retention.extend(lines.retention);
                file.line.extend(lines.line);
            }
            Err(problem) => problems.push(problem),
        }
    }
    let keeps = Kept { path: kept_file(path, &file, data), from: file.line.len() };
    let lines = match kept {
        Some(text) => {
            hash.update(text.as_bytes());
            Some(parse::<KeptFile>(&keeps.path, text))
        }
        // A node without lines of this kind has no such file.
        None if !keeps.path.exists() => None,
        None => Some(read_one::<KeptFile>(&keeps.path, &mut hash)),
    };
    match lines {
        Some(Ok(lines)) => file.line.extend(lines.line),
        Some(Err(problem)) => problems.push(problem),
        None => {}
    }
    if problems.is_empty() {
        Ok(Read { file, hash: finish(hash), kept: keeps })
    } else {
        Err(problems)
    }
}

/// `lines_file` beside the configuration, or `lines.toml` in the data folder.
fn kept_file(path: &Path, file: &File, data: Option<&Path>) -> PathBuf {
    match &file.lines_file {
        Some(named) => path.parent().unwrap_or(Path::new(".")).join(named),
        None => data.unwrap_or(&file.data.path).join("lines.toml"),
    }
}

/// Reads a configuration from text, as `demo` does.
///
/// # Errors
/// The first fault of its form.
pub fn read_text(text: &str) -> Result<Read, Vec<Problem>> {
    let mut hash = Context::new(&SHA256);
    hash.update(text.as_bytes());
    match parse::<File>(Path::new("(built in)"), text) {
        Ok(file) => Ok(Read { file, hash: finish(hash), kept: Kept::default() }),
        Err(problem) => Err(vec![problem]),
    }
}

fn finish(hash: Context) -> Digest {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(hash.finish().as_ref());
    Digest::from_bytes(bytes)
}

fn lines_files(path: &Path) -> Vec<PathBuf> {
    let folder = path.parent().unwrap_or(Path::new(".")).join("lines.d");
    let mut files: Vec<_> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|file| file.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    files
}

fn read_one<T: DeserializeOwned>(path: &Path, hash: &mut Context) -> Result<T, Problem> {
    let text = fs::read_to_string(path)
        .map_err(|error| Problem::Read { file: path.to_owned(), kind: error.kind() })?;
    hash.update(text.as_bytes());
    parse(path, &text)
}

/// Reads `[[line]]` tables from the text of a file.
///
/// # Errors
/// The first fault of its form.
pub fn lines(path: &Path, text: &str) -> Result<Vec<Line>, Problem> {
    parse::<KeptFile>(path, text).map(|file| file.line)
}

fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, Problem> {
    toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = text.bytes().take(start).filter(|byte| *byte == b'\n').count() + 1;
        Problem::Form {
            file: path.to_owned(),
            line,
            says: error.message().trim().into(),
            nearest: nearest(error.message()),
        }
    })
}

/// Of the names in "unknown field `x`, expected one of `a`, `b`" the one nearest to `x`.
fn nearest(message: &str) -> Option<Box<str>> {
    let mut names = message.split('`').skip(1).step_by(2);
    let unknown = names.next().filter(|_| message.starts_with("unknown"))?;
    names
        .map(|name| (strsim::damerau_levenshtein(unknown, name), name))
        .filter(|(distance, name)| *distance <= 1 + name.len() / 3)
        .min()
        .map(|(_, name)| name.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_the_nearest_right_name() {
        let error = read_text("[media]\nport_min = 20000\nprot_max = 3\n").unwrap_err();
        let text = error[0].to_string();
        assert!(text.contains("line 3") && text.contains("prot_max"), "{text}");
        assert!(text.ends_with("write `port_max`"), "{text}");
    }

    #[test]
    fn a_key_like_no_other_gets_no_wild_guess() {
        let error = read_text("[media]\nzzz = 1\n").unwrap_err();
        assert!(!error[0].to_string().contains("write `"), "{}", error[0]);
    }
}
