//! Reads the configuration file and `lines.d`, and says where and why when it cannot.

use std::{
    fs,
    path::{Path, PathBuf},
};

use ring::digest::{Context, SHA256};
use serde::de::DeserializeOwned;

use super::{
    problem::Problem,
    schema::{File, LinesFile},
};
use call::Digest;

/// The configuration as read, before its values are judged.
#[derive(Clone, Debug)]
pub struct Read {
    /// Everything, `lines.d` included.
    pub file: File,
    /// SHA-256 over the files, in the order in which they were read.
    pub hash: Digest,
}

/// Reads `path` and every `lines.d/*.toml` beside it, in the order of their names.
///
/// # Errors
/// Every problem found, each naming its file and line.
pub fn read(path: &Path) -> Result<Read, Vec<Problem>> {
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
    if problems.is_empty() { Ok(Read { file, hash: finish(hash) }) } else { Err(problems) }
}

/// Reads a configuration from text, as `demo` does.
///
/// # Errors
/// The first fault of its form.
pub fn read_text(text: &str) -> Result<Read, Vec<Problem>> {
    let mut hash = Context::new(&SHA256);
    hash.update(text.as_bytes());
    match parse::<File>(Path::new("(built in)"), text) {
        Ok(file) => Ok(Read { file, hash: finish(hash) }),
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
