//! What the house lives with: findings that a line of `exceptions.toml` excuses, with the reason.

use crate::house::{Finding, House, Rule};

const BOOK: &str = include_str!("exceptions.toml");

/// One line of the book.
struct Exception {
    rule: String,
    file: String,
    what: String,
}

impl Exception {
    fn excuses(&self, rule: &str, finding: &Finding) -> bool {
        self.rule == rule && self.file == finding.file && finding.what.contains(&self.what)
    }
}

/// Reads the book.
///
/// # Errors
/// A sentence that names the entry which lacks a field or has a reason too short to be one.
fn read(book: &str) -> Result<Vec<Exception>, String> {
    let book = book.parse::<toml_edit::DocumentMut>().map_err(|error| error.to_string())?;
    let Some(entries) = book.get("exception").and_then(|entries| entries.as_array_of_tables())
    else {
        return Ok(Vec::new());
    };
    let mut exceptions = Vec::new();
    for (number, entry) in entries.iter().enumerate() {
        let field = |name: &str| {
            let value = entry.get(name).and_then(|value| value.as_str()).map(str::to_owned);
            value.ok_or_else(|| format!("exception {number} has no {name}"))
        };
        if field("reason")?.split_whitespace().count() < 4 {
            return Err(format!("exception {number} has a reason that explains nothing"));
        }
        exceptions.push(Exception {
            rule: field("rule")?,
            file: field("file")?,
            what: field("what")?,
        });
    }
    Ok(exceptions)
}

/// The findings that nothing excuses.
pub(crate) fn unexcused(rule: &str, mut findings: Vec<Finding>) -> Vec<Finding> {
    let book = read(BOOK).expect("exceptions.toml can be read");
    findings.retain(|finding| !book.iter().any(|exception| exception.excuses(rule, finding)));
    findings
}

/// The lines of the book that excuse nothing any more.
pub(crate) fn idle(rules: &[Rule], house: &House) -> Vec<String> {
    let book = read(BOOK).expect("exceptions.toml can be read");
    idle_of(&book, rules, house)
}

fn idle_of(book: &[Exception], rules: &[Rule], house: &House) -> Vec<String> {
    let found: Vec<_> = rules
        .iter()
        .flat_map(|rule| (rule.check)(house).into_iter().map(|finding| (rule.name, finding)))
        .collect();
    let is_idle = |exception: &&Exception| {
        !found.iter().any(|(rule, finding)| exception.excuses(rule, finding))
    };
    book.iter().filter(is_idle).map(|it| format!("  {} in {}", it.rule, it.file)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "[[exception]]\nrule = \"r\"\nfile = \"f\"\nwhat = \"w\"\n";

    #[test]
    fn an_exception_without_a_reason_is_refused() {
        assert!(read(ONE).is_err());
        assert!(read(&format!("{ONE}reason = \"because\"")).is_err());
        assert!(read(&format!("{ONE}reason = \"it cannot be otherwise\"")).is_ok());
    }

    #[test]
    fn an_exception_excuses_its_own_finding_and_nothing_else() {
        let book = read(&format!("{ONE}reason = \"it cannot be otherwise\"")).unwrap();
        let only = book.first().unwrap();
        assert!(only.excuses("r", &Finding::new("f", 1, "a w b")));
        assert!(!only.excuses("r", &Finding::new("g", 1, "a w b")));
        assert!(!only.excuses("s", &Finding::new("f", 1, "a w b")));
        assert!(!only.excuses("r", &Finding::new("f", 1, "a b")));
    }

    #[test]
    fn an_exception_that_excuses_nothing_is_idle() {
        let rule = Rule { name: "r", law: "", check: |_| vec![Finding::new("f", 1, "w")] };
        let silent = Rule { name: "r", law: "", check: |_| Vec::new() };
        let book = read(&format!("{ONE}reason = \"it cannot be otherwise\"")).unwrap();
        let house = House::of(&[]);
        assert!(idle_of(&book, &[rule], &house).is_empty());
        assert_eq!(idle_of(&book, &[silent], &house), ["  r in f"]);
    }
}
