//! Everything that can be wrong with a folder of evidence, by file: what happened, what to do.

use std::{fmt, io};

use serde_json::{Value, json};

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// It is listed and not here, or every folder has it.
    Missing,
    /// It is here and not listed.
    Stranger,
    /// It cannot be read.
    Unread(io::ErrorKind),
    /// Its bytes are not the ones that were listed and signed.
    Altered,
    /// It is not in the form that this file has.
    Form,
    /// Its signature is not that of the key it names.
    Signature,
    /// It is signed by another key than the trusted one.
    OtherSigner,
    /// The fact of this index does not stand in the signed tree.
    Unproved(u64),
    /// The fact of this index stands before one that came earlier, or twice.
    Order(u64),
    /// This of it is not what the audit tree says.
    Disagrees(&'static str),
    /// There is evidence and no permit that names it, or a permit and no evidence or deletion.
    Permit,
    /// More of a prompt was heard than its sound has, or all of it and not as much.
    Length,
    /// The sound is not the one that the evidence names.
    OtherSound,
    /// It is made of the other files, and not what they make.
    OtherPage,
}

impl What {
    /// Whether nothing more can be said of the file.
    pub(crate) const fn is_beyond(&self) -> bool {
        match self {
            Self::Missing | Self::Unread(_) | Self::Altered => true,
            Self::Stranger
            | Self::Form
            | Self::Signature
            | Self::OtherSigner
            | Self::Unproved(_)
            | Self::Order(_)
            | Self::Disagrees(_)
            | Self::Permit
            | Self::Length
            | Self::OtherSound
            | Self::OtherPage => false,
        }
    }
}

/// One thing that keeps a folder of evidence from being proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The file, by its name within the folder.
    pub file: Box<str>,
    /// What is wrong with it.
    pub what: What,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.file)?;
        match &self.what {
            What::Missing => f.write_str("it is not here"),
            What::Stranger => f.write_str("the signed list of files does not have it"),
            What::Unread(kind) => write!(f, "it cannot be read ({kind})"),
            What::Altered => f.write_str("its bytes are not those that were signed"),
            What::Form => f.write_str("it is not in the form of this file"),
            What::Signature => f.write_str("its signature is not that of the key it names"),
            What::OtherSigner => f.write_str("it is signed by another key than the trusted one"),
            What::Unproved(entry) => write!(f, "fact {entry} does not stand in the signed tree"),
            What::Order(entry) => write!(f, "fact {entry} is not in its place"),
            What::Disagrees(what) => write!(f, "its {what} is not the one in the audit tree"),
            What::Permit => {
                f.write_str("it and the permit in the audit tree do not belong together")
            }
            What::Length => f.write_str("it does not have the length of a prompt's sound"),
            What::OtherSound => f.write_str("it is not the sound that the evidence names"),
            What::OtherPage => f.write_str("it does not say what the other files say"),
        }
    }
}

impl Difference {
    /// It as a JSON object: `file`, `what_happened` and `what_to_do`.
    pub(crate) fn json(&self) -> Value {
        json!({
            "file": &*self.file,
            "what_happened": self.to_string(),
            "what_to_do": self.what_to_do(),
        })
    }

    /// What to do about it.
    #[must_use]
    pub const fn what_to_do(&self) -> &'static str {
        match self.what {
            What::Missing | What::Unread(_) => {
                "Copy the folder again, whole, and check the rights of its files."
            }
            What::Stranger => "A node did not write it: find out who added it, and take it out.",
            What::Altered | What::Form | What::Signature => {
                "Keep this copy and ask for the folder again: if that says the same, it was changed \
                 after it was signed."
            }
            What::OtherSigner => {
                "Check that KEYFILE is the key of the node that made the folder; if it is, this \
                 folder is not that node's."
            }
            What::Unproved(_)
            | What::Order(_)
            | What::Disagrees(_)
            | What::Permit
            | What::Length => {
                "The node signed something else than it recorded: do not rely on it, and ask the \
                 controller how it came to be."
            }
            What::OtherSound => {
                "It is not what the customer heard: do not rely on it, and ask for the sound again."
            }
            What::OtherPage => {
                "Do not rely on it, and read the other files; or verify with the version of \
                 jawoord-verify that belongs to the node."
            }
        }
    }
}
