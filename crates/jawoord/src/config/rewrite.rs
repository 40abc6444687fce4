//! Judges number rules: from the words of the file to patterns.

use phonenumber::country::Id;
use serde::Deserialize;

use super::problem::Problem;
use crate::{
    number::Form,
    rewrite::{Becomes, Field, Rewrites, Rule, RuleError},
};

/// One `[[trunk.rewrite]]` or `[[pbx.rewrite]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// `in`: calls that come from this peer; `out`: calls that go to it.
    pub direction: Direction,
    /// Which number it is about.
    pub number: Number,
    /// A regular expression for the whole number.
    #[serde(default = "anything")]
    pub pattern: String,
    /// What the number becomes, with groups such as `${1}`.
    pub replace: Option<String>,
    /// In which form it is written instead.
    pub form: Option<FormName>,
    /// Where it is rewritten; by default everywhere it stands.
    pub fields: Option<Vec<String>>,
}

fn anything() -> String {
    ".*".to_owned()
}

/// Which way a call goes, seen from the peer.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From it.
    In,
    /// To it.
    Out,
}

/// Which number.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Number {
    /// Request-URI and To.
    Dialled,
    /// From and the asserted identities.
    Calling,
    /// All of them.
    Both,
}

/// A form of a number.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FormName {
    /// `+31201234567`.
    E164,
    /// `31201234567`.
    Digits,
    /// `0031201234567`.
    International,
    /// `0201234567`.
    National,
}

/// Judges the rules of a peer; national numbers are those of `country`.
pub fn rewrites(
    written: &[Written],
    country: Id,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Rewrites {
    let mut rewrites = Rewrites::default();
    for rule in written {
        let Some(becomes) = becomes(rule, country) else {
            let mend = "write either `replace` or `form` (e164, digits, international, national)";
            problems.push(Problem::missing(format_args!("{place}: rewrite"), "replace", mend));
            continue;
        };
        let Some(fields) = fields(rule, place, problems) else { continue };
        match Rule::new(fields, &rule.pattern, becomes) {
            Ok(rule_made) => match rule.direction {
                Direction::In => rewrites.inward.push(rule_made),
                Direction::Out => rewrites.outward.push(rule_made),
            },
            Err(error) => problems.push(bad(rule, error, place)),
        }
    }
    rewrites
}

fn becomes(rule: &Written, country: Id) -> Option<Becomes> {
    match (&rule.replace, rule.form) {
        (Some(text), None) => Some(Becomes::Text(text.as_str().into())),
        (None, Some(form)) => {
            let form = match form {
                FormName::E164 => Form::E164,
                FormName::Digits => Form::Digits,
                FormName::International => Form::International,
                FormName::National => Form::National,
            };
            Some(Becomes::Form(form, country))
        }
        (Some(_), Some(_)) | (None, None) => None,
    }
}

fn fields(rule: &Written, place: &str, problems: &mut Vec<Problem>) -> Option<Vec<Field>> {
    let usual = |field: &Field| match (rule.number, field) {
        (Number::Both, _) => true,
        (Number::Dialled, Field::RequestUri | Field::To) => true,
        (Number::Calling, Field::From | Field::Asserted) => true,
        (Number::Dialled, Field::From | Field::Asserted)
        | (Number::Calling, Field::RequestUri | Field::To) => false,
    };
    let all = Field::ALL.iter().filter(|(field, _)| usual(field));
    let Some(named) = &rule.fields else { return Some(all.map(|(field, _)| *field).collect()) };
    let mut fields = Vec::new();
    for name in named {
        match all.clone().find(|(_, known)| known == name) {
            Some((field, _)) => fields.push(*field),
            None => {
                let mend = "use `request-uri` and `to` for a dialled number, `from` and \
                            `p-asserted-identity` for a calling one";
                let place = format_args!("{place}: rewrite");
                problems.push(Problem::value(place, "fields", name, mend));
                return None;
            }
        }
    }
    Some(fields)
}

fn bad(rule: &Written, error: RuleError, place: &str) -> Problem {
    let place = format_args!("{place}: rewrite");
    match error {
        RuleError::Pattern => {
            let mend =
                "write a regular expression for the whole number, such as \"0([1-9][0-9]+)\"";
            Problem::value(place, "pattern", &rule.pattern, mend)
        }
        RuleError::Replacement => {
            let mend = "use digits, +, *, # and groups such as ${1}";
            Problem::value(place, "replace", rule.replace.as_deref().unwrap_or_default(), mend)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::problem::Problems, rewrite::applied};

    fn judged(text: &str) -> (Rewrites, String) {
        #[derive(Deserialize)]
        struct File {
            rewrite: Vec<Written>,
        }
        let file: File = toml::from_str(text).unwrap();
        let mut problems = Vec::new();
        let rewrites = rewrites(&file.rewrite, Id::NL, "trunk \"a\"", &mut problems);
        (rewrites, Problems(&problems).to_string())
    }

    #[test]
    fn r_22_rules_stand_per_direction_and_number() {
        let (rewrites, problems) = judged(
            "[[rewrite]]\ndirection = \"in\"\nnumber = \"both\"\nform = \"e164\"\n\
             [[rewrite]]\ndirection = \"out\"\nnumber = \"calling\"\npattern = \"[0-9]{3}\"\n\
             replace = \"+3120555${0}\"\nfields = [\"from\"]\n",
        );
        assert_eq!(problems, "");
        assert_eq!(applied(&rewrites.inward, Field::Asserted, "0201234567"), "+31201234567");
        assert_eq!(applied(&rewrites.outward, Field::From, "201"), "+3120555201");
        assert_eq!(applied(&rewrites.outward, Field::Asserted, "201"), "201");
        assert_eq!(applied(&rewrites.outward, Field::To, "201"), "201");
    }

    #[test]
    fn a_rule_with_a_fault_is_named_with_its_key_and_its_mend() {
        for (rule, says) in [
            ("pattern = \"(\"\nreplace = \"1\"", "trunk \"a\": rewrite: `pattern` is \"(\""),
            ("replace = \"1@x\"", "`replace` is \"1@x\"; use digits"),
            ("replace = \"1\"\nform = \"e164\"", "write either `replace` or `form`"),
            ("", "`replace` is missing"),
            ("replace = \"1\"\nfields = [\"from\"]", "`fields` is \"from\""),
        ] {
            let text = format!("[[rewrite]]\ndirection = \"in\"\nnumber = \"dialled\"\n{rule}\n");
            let (_, problems) = judged(&text);
            assert!(problems.contains(says), "{rule}: {problems}");
        }
    }
}
