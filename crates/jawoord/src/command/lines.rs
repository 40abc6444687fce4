//! `jawoord lines`: what is to be added or removed, and the list.

use std::{fs, path::Path};

use serde_json::{Value, json};

use super::{Lines, Site, request::Request, show::Table};
use crate::{
    config::{
        problem::{Problem, Problems},
        read,
        schema::Line,
        written::Language,
    },
    kept::{self, Source},
};

/// What a command about lines asks of the node; `None` for the list, which asks nobody.
///
/// # Errors
/// The file of lines cannot be read.
pub fn request(command: &Lines) -> Result<Option<Request>, Problem> {
    match command {
        Lines::Add { file: Some(file), .. } => {
            Ok(Some(Request::LinesAdd { lines: read_lines(file)? }))
        }
        Lines::Add {
            id,
            tenant,
            number,
            direction,
            telemarketing,
            record_from,
            policy,
            mode,
            hours,
            language,
            file: None,
        } => {
            let text = |value: &Option<String>| value.clone().unwrap_or_default();
            let line = Line {
                id: text(id),
                tenant: text(tenant),
                number: text(number),
                direction: direction.unwrap_or_default(),
                telemarketing: *telemarketing,
                record_from: *record_from,
                policy: text(policy),
                mode: mode.unwrap_or_default(),
                hours: hours.clone(),
                language: language.iter().map(|text| self::language(text)).collect(),
            };
            Ok(Some(Request::LinesAdd { lines: vec![line] }))
        }
        Lines::Remove { ids } => Ok(Some(Request::LinesRemove { names: ids.clone() })),
        Lines::List => Ok(None),
    }
}

/// A policy, and behind `=` the numbers of customers who speak its language.
fn language(text: &str) -> Language {
    let (policy, numbers) = text.split_once('=').unwrap_or((text, ""));
    let numbers = numbers.split(',').map(str::trim).filter(|number| !number.is_empty());
    Language { policy: policy.to_owned(), numbers: numbers.map(str::to_owned).collect() }
}

fn read_lines(file: &Path) -> Result<Vec<Line>, Problem> {
    let text = fs::read_to_string(file)
        .map_err(|error| Problem::Read { file: file.to_owned(), kind: error.kind() })?;
    read::lines(file, &text)
}

/// The list, as a table or as JSON.
#[must_use]
pub fn list(site: &Site) -> (String, bool) {
    let source = Source { config: site.config.clone(), data: site.data.clone() };
    match kept::list(&source) {
        Ok(lines) => {
            let rows: Vec<Value> = lines.iter().map(|(line, kept)| row(line, *kept)).collect();
            if site.json {
                return (format!("{:#}\n", Value::from(rows)), true);
            }
            (
                Table(&["line", "number", "direction", "tenant", "policy", "record_from", "kept"])
                    .draw(&rows),
                true,
            )
        }
        Err(problems) => (Problems(&problems).to_string(), false),
    }
}

fn row(line: &Line, kept: bool) -> Value {
    json!({
        "line": line.id,
        "number": line.number,
        "direction": line.direction,
        "tenant": line.tenant,
        "policy": line.policy,
        "record_from": line.record_from,
        "mode": line.mode,
        "hours": line.hours,
        "languages": line.language.iter().map(|it| &it.policy).collect::<Vec<_>>(),
        "kept": if kept { "by command" } else { "by hand" },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c_12_a_language_is_named_by_its_policy_with_or_without_numbers() {
        let spoken = |text, numbers: &[&str]| {
            let numbers = numbers.iter().map(|it| (*it).to_owned()).collect();
            assert_eq!(language(text), Language { policy: "quality-de".to_owned(), numbers });
        };
        spoken("quality-de", &[]);
        spoken("quality-de=", &[]);
        spoken("quality-de=+49*", &["+49*"]);
        spoken("quality-de=+49*, +43*,", &["+49*", "+43*"]);
    }
}
