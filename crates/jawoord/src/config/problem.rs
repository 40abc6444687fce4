//! What is wrong with a configuration: the key, the value, the mend.

use std::{fmt, io, path::PathBuf};

/// One fault of the configuration. Nothing takes effect while there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// A file cannot be read.
    Read {
        /// Which file.
        file: PathBuf,
        /// Why.
        kind: io::ErrorKind,
    },
    /// A file is not TOML of the expected form.
    Form {
        /// Which file.
        file: PathBuf,
        /// On which line, counted from 1.
        line: usize,
        /// What the reader of TOML says.
        says: Box<str>,
        /// The right name that is nearest to an unknown one.
        nearest: Option<Box<str>>,
    },
    /// A value that cannot be meant.
    Value {
        /// In which table, such as `policy "quality-nl"`.
        place: Box<str>,
        /// The key.
        key: &'static str,
        /// The value as written.
        value: Box<str>,
        /// What to write instead.
        mend: &'static str,
    },
    /// A key that must be written and is not.
    Missing {
        /// In which table.
        place: Box<str>,
        /// The key.
        key: &'static str,
        /// What to write.
        mend: &'static str,
    },
    /// A line's policy says one thing and its audio another.
    Prompt {
        /// In which policy.
        place: Box<str>,
        /// What disagrees, naming both.
        finding: Box<str>,
    },
}

impl Problem {
    /// A value that cannot be meant.
    pub fn value(
        place: impl fmt::Display,
        key: &'static str,
        value: impl fmt::Display,
        mend: &'static str,
    ) -> Self {
        Self::Value { place: place.to_string().into(), key, value: value.to_string().into(), mend }
    }

    /// A key that is not written.
    pub fn missing(place: impl fmt::Display, key: &'static str, mend: &'static str) -> Self {
        Self::Missing { place: place.to_string().into(), key, mend }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { file, kind } => {
                write!(f, "{} cannot be read ({kind}); check its name and rights", file.display())
            }
            Self::Form { file, line, says, nearest } => {
                write!(f, "{}, line {line}: {says}", file.display())?;
                match nearest {
                    Some(name) => write!(f, "; write `{name}`"),
                    None => Ok(()),
                }
            }
            Self::Value { place, key, value, mend } => {
                write!(f, "{place}: `{key}` is {value:?}; {mend}")
            }
            Self::Missing { place, key, mend } => write!(f, "{place}: `{key}` is missing; {mend}"),
            Self::Prompt { place, finding } => write!(f, "{place}: {finding}"),
        }
    }
}

/// How many problems are printed; one cause can have thousands.
const SHOWN: usize = 50;

/// Prints problems one a line, the first fifty of them, and how many more there are.
pub struct Problems<'a>(pub &'a [Problem]);

impl fmt::Display for Problems<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(SHOWN).try_for_each(|problem| writeln!(f, "{problem}"))?;
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => writeln!(f, "and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_of_thousands_of_problems_does_not_fill_the_screen() {
        let one = Problem::missing("line \"a\"", "policy", "write a policy's id");
        let text = |count| Problems(&vec![one.clone(); count]).to_string();
        assert_eq!(text(50).lines().count(), 50);
        let many = text(10_000);
        assert_eq!((many.lines().count(), many.lines().last()), (51, Some("and 9950 more")));
    }
}
