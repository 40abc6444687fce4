//! `jawoord prompts`: check, build and import what callers hear.

use std::path::Path;

use call::{Language, Prompt};

use super::Prompts;
use crate::config::{judge, problem::Problem, read};
use crate::prompts::{
    build, check,
    import::{self, Recording},
    set::PromptSet,
    slot::Values,
};

/// Carries out a command; the text to print, and whether all is well.
#[must_use]
pub fn run(command: &Prompts) -> (String, bool) {
    match command {
        Prompts::Check { dir, config } => check(dir.as_deref(), config.as_deref()),
        Prompts::Build { dir, language } => build(dir, language.as_deref()),
        Prompts::Import { dir, language, name, file, text } => {
            let Some(language) = Language::new(language) else {
                return ("this is no language; use two letters such as nl\n".to_owned(), false);
            };
            let Some(prompt) = Prompt::from_name(name) else {
                let names: Vec<_> = Prompt::ALL.iter().map(|prompt| prompt.as_str()).collect();
                return (format!("there is no such prompt; use {}\n", names.join(", ")), false);
            };
            let recording = Recording {
                language,
                prompt,
                file,
                text,
                said: Values::new(),
                voice: "studio",
                licence: "as agreed with the speaker",
            };
            match import::import(dir, &recording) {
                Ok(id) => (format!("{language} {prompt} is version {} now\n", id.version), true),
                Err(error) => (format!("{error}\n"), false),
            }
        }
    }
}

fn check(dir: Option<&Path>, config: Option<&Path>) -> (String, bool) {
    let loaded = match dir {
        Some(dir) => PromptSet::inspect(dir),
        None => PromptSet::embedded().map(|set| (set, Vec::new())),
    };
    let (set, faults) = match loaded {
        Ok(loaded) => loaded,
        Err(error) => return (format!("{error}\n"), false),
    };
    let mut text = String::new();
    let findings = check::check(&set);
    for fault in &faults {
        text.push_str(&format!("{fault}\n"));
    }
    for finding in &findings {
        text.push_str(&format!("{finding}\n"));
    }
    let disagreements = config.map_or_else(Vec::new, |config| disagreements(config, dir));
    for problem in &disagreements {
        text.push_str(&format!("{problem}\n"));
    }
    let well = faults.is_empty() && findings.is_empty() && disagreements.is_empty();
    if well {
        for language in set.languages() {
            let (count, machine) =
                (set.entries(language).count(), set.placeholders(language).count());
            text.push_str(&format!(
                "{language}: {count} prompts are well, {machine} of them in a placeholder voice\n"
            ));
        }
    }
    (text, well)
}

/// Where the policies of a configuration say something else than the sounds; a configuration that
/// cannot be judged at all says so itself.
fn disagreements(config: &Path, dir: Option<&Path>) -> Vec<Problem> {
    let judged = read::read(config, None).and_then(|mut read| {
        if dir.is_some() {
            read.file.prompts.path = dir.map(Path::to_owned);
        }
        judge::judge(read, None)
    });
    let problems = judged.err().unwrap_or_default();
    let about_prompts = |problem: &Problem| matches!(problem, Problem::Prompt { .. });
    if problems.iter().any(about_prompts) {
        problems.into_iter().filter(about_prompts).collect()
    } else {
        problems
    }
}

fn build(dir: &Path, language: Option<&str>) -> (String, bool) {
    let only = match language.map(Language::new) {
        Some(None) => {
            return ("this is no language; use two letters such as nl\n".to_owned(), false);
        }
        Some(language) => language,
        None => None,
    };
    match build::build(dir, only) {
        Ok(made) => {
            let line = |(language, prompt, how): &(Language, Prompt, build::Made)| {
                let how = match how {
                    build::Made::Anew(version) => format!("made anew, version {version}"),
                    build::Made::Unchanged(version) => format!("unchanged, version {version}"),
                    build::Made::Kept(version) => {
                        format!("studio recording kept, version {version}")
                    }
                };
                format!("{language} {prompt}: {how}\n")
            };
            (made.iter().map(line).collect(), true)
        }
        Err(error) => (format!("{error}\n"), false),
    }
}
