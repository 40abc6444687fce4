//! The command line. Two options, one of two words and a folder or file: an auditor can read all of it here.

use std::{ffi::OsString, fmt, path::PathBuf};

/// What to verify, and against what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What the folder or file is.
    pub kind: Kind,
    /// The folder or file.
    pub folder: PathBuf,
    /// The trust file, if one was brought along.
    pub trust: Option<PathBuf>,
    /// Whether to print one JSON object instead of lines.
    pub json: bool,
}

/// What a folder or file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole audit trail with its recordings, as `jawoord audit export` makes it.
    Export,
    /// One decision, as `jawoord recordings evidence` makes it.
    Evidence,
    /// What a reconciliation found: a file of the node's folder `reports`.
    Reconciliation,
}

impl Kind {
    /// By the word before it.
    fn from_word(word: &str) -> Option<Self> {
        match word {
            "evidence" => Some(Self::Evidence),
            "report" => Some(Self::Reconciliation),
            _ => None,
        }
    }
}

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Args {
    /// To verify a folder.
    Verify(Request),
    /// To explain the program.
    Help,
    /// To name the program's version.
    Version,
}

/// Why a command line is not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UsageError {
    /// There is no such option.
    Option(OsString),
    /// `--trust` without a file.
    TrustWithoutFile,
    /// `--trust` more than once.
    TrustTwice,
    /// No folder is named.
    NoFolder,
    /// A second folder is named.
    SecondFolder(OsString),
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option(word) => {
                write!(f, "there is no option {word:?}; `jawoord-verify --help` lists them")
            }
            Self::TrustWithoutFile => {
                f.write_str("--trust names no file; write `--trust KEYFILE FOLDER`")
            }
            Self::TrustTwice => {
                f.write_str("--trust is given twice; put all keys into one file, one a line")
            }
            Self::NoFolder => f.write_str(
                "no folder is named; write `jawoord-verify --trust KEYFILE FOLDER`, where FOLDER \
                 is what `jawoord audit export` made",
            ),
            Self::SecondFolder(word) => {
                write!(f, "{word:?} is a second folder; verify one folder at a time")
            }
        }
    }
}

impl std::error::Error for UsageError {}

impl Args {
    /// Reads the words behind the program's name.
    ///
    /// # Errors
    /// [`UsageError`] for the first word that does not fit.
    pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Self, UsageError> {
        let words: Vec<OsString> = words.into_iter().collect();
        let mut words = words.into_iter();
        let (mut folder, mut trust, mut json, mut options) = (None, None, false, true);
        let mut kind = Kind::Export;
        while let Some(word) = words.next() {
            let text = if options { word.to_str().unwrap_or_default() } else { "" };
            match text {
                "--" => options = false,
                "--help" | "-h" => return Ok(Self::Help),
                "--version" | "-V" => return Ok(Self::Version),
                "--json" => json = true,
                "--trust" => {
                    let file = words.next().ok_or(UsageError::TrustWithoutFile)?;
                    once(&mut trust, file, UsageError::TrustTwice)?;
                }
                text => match text.strip_prefix("--trust=") {
                    Some("") => return Err(UsageError::TrustWithoutFile),
                    Some(file) => once(&mut trust, file.into(), UsageError::TrustTwice)?,
                    None if text.starts_with('-') => return Err(UsageError::Option(word)),
                    // Where nothing follows, it is a folder of this name.
                    None => match Kind::from_word(text) {
                        Some(named) if folder.is_none() && kind == Kind::Export && more(&words) => {
                            kind = named;
                        }
                        Some(_) | None => {
                            once(&mut folder, word.clone(), UsageError::SecondFolder(word))?;
                        }
                    },
                },
            }
        }
        let folder = folder.ok_or(UsageError::NoFolder)?.into();
        Ok(Self::Verify(Request { kind, folder, trust: trust.map(PathBuf::from), json }))
    }
}

/// Whether a folder can still follow.
fn more(words: &(impl Iterator<Item = OsString> + Clone)) -> bool {
    let mut words = words.clone();
    while let Some(word) = words.next() {
        match word.to_str().unwrap_or_default() {
            "--trust" => drop(words.next()),
            "--json" => {}
            text if text.starts_with("--trust=") => {}
            _ => return true,
        }
    }
    false
}

fn once(place: &mut Option<OsString>, word: OsString, twice: UsageError) -> Result<(), UsageError> {
    match place.replace(word) {
        None => Ok(()),
        Some(_) => Err(twice),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Args, UsageError> {
        Args::parse(line.split_whitespace().map(OsString::from))
    }

    fn request(folder: &str, trust: Option<&str>, json: bool) -> Result<Args, UsageError> {
        Ok(Args::Verify(Request {
            kind: Kind::Export,
            folder: folder.into(),
            trust: trust.map(PathBuf::from),
            json,
        }))
    }

    #[test]
    fn the_words_may_stand_in_any_order() {
        assert_eq!(parse("--trust k f"), request("f", Some("k"), false));
        assert_eq!(parse("f --json --trust=k"), request("f", Some("k"), true));
        assert_eq!(parse("f"), request("f", None, false));
        assert_eq!(parse("--trust k -- --json"), request("--json", Some("k"), false));
        assert_eq!(parse("f --help"), Ok(Args::Help));
        assert_eq!(parse("-V"), Ok(Args::Version));
    }

    #[test]
    fn a_word_stands_before_its_folder_and_is_a_folder_where_none_follows() {
        let about = |folder: &str, trust: Option<&str>| {
            let (kind, folder) = (Kind::Evidence, folder.into());
            Ok(Args::Verify(Request { kind, folder, trust: trust.map(PathBuf::from), json: false }))
        };
        assert_eq!(parse("evidence f"), about("f", None));
        let report = |file: &str| {
            let (kind, folder) = (Kind::Reconciliation, file.into());
            Ok(Args::Verify(Request { kind, folder, trust: None, json: false }))
        };
        assert_eq!(
            [parse("report f"), parse("report evidence")],
            [report("f"), report("evidence")]
        );
        assert_eq!(parse("report"), request("report", None, false));
        assert_eq!(parse("--trust k evidence f"), about("f", Some("k")));
        assert_eq!(parse("evidence --trust k f"), about("f", Some("k")));
        assert_eq!(parse("evidence evidence"), about("evidence", None));
        assert_eq!(parse("evidence"), request("evidence", None, false));
        assert_eq!(parse("evidence --trust k"), request("evidence", Some("k"), false));
        assert_eq!(parse("f evidence"), Err(UsageError::SecondFolder("evidence".into())));
    }

    #[test]
    fn a_wrong_use_is_named_and_says_what_to_write() {
        assert_eq!(parse("--json"), Err(UsageError::NoFolder));
        assert_eq!(parse("f --trust"), Err(UsageError::TrustWithoutFile));
        assert_eq!(parse("f --trust="), Err(UsageError::TrustWithoutFile));
        assert_eq!(parse("--trust a --trust=b f"), Err(UsageError::TrustTwice));
        assert_eq!(parse("f g"), Err(UsageError::SecondFolder("g".into())));
        assert_eq!(parse("f --trsut k"), Err(UsageError::Option("--trsut".into())));
        for error in [UsageError::NoFolder, UsageError::TrustTwice, UsageError::Option("-x".into())]
        {
            assert!(error.to_string().contains(';'), "{error}");
        }
    }
}
