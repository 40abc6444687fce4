//! The run of the program: words in, lines and an exit code out.

use std::{
    ffi::OsString,
    io::{self, Write},
};

use crate::{
    args::{Args, Kind, Request},
    evidence::verify_evidence,
    folder::verify_folder,
    proof::Proof,
    reconciliation::{Reconciled, verify_report},
    report::{Report, Verdict},
    trust::Trusted,
};

const HELP: &str = "\
Proves an exported folder offline: no node, no database, no network.

Usage: jawoord-verify [--trust KEYFILE] [--json] FOLDER
       jawoord-verify [--trust KEYFILE] [--json] evidence FOLDER
       jawoord-verify [--trust KEYFILE] [--json] report FILE

  FOLDER            what `jawoord audit export` made: entries.jsonl, checkpoints.jsonl and
                    recordings/; other files in it are not looked at
  evidence FOLDER   what `jawoord recordings evidence` or `calls evidence` made: the decision
                    behind one recording, or a call without one; every file in it is looked at
  report FILE       what `jawoord report reconcile` or the node by night wrote, its signed line
                    (.sig in the place of .json) beside it
  --trust KEYFILE   the node's public key, got by another way than FOLDER: a line
                    `jawoord-ed25519` and 64 hexadecimal digits for each key
  --json            print one JSON object
  -h, --help        print this
  -V, --version     print the version

It proves that the audit trail is whole and signed, that every recording is as it was sealed and
signed, that each of them had a permit, and that none is missing but those whose deletion is
recorded. What happened after the last entry it cannot know: compare the time of that entry with
the day of the export.

Of evidence it proves that every file is the one that was signed, that the decision was committed
to the audit tree, that the prompts are those that were heard, and that the page says what the
other files say. Each difference is named by its file.

Of a report it proves that this node has written it, and shows what it says; that books agree is
in its count of mismatches, not in the verdict. The audit trail has a fact `reconciled` with the
same SHA-256.

Exit codes: 0 proved, 1 not proved (also when no key was given), 2 wrong use.
";

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The folder is proved, or what was asked was said.
    Done,
    /// The folder is not proved, or the answer could not be written.
    NotProved,
    /// The words, the trust file or the folder's name were wrong.
    WrongUse,
}

impl Exit {
    /// The number that the operating system gets.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::NotProved => 1,
            Self::WrongUse => 2,
        }
    }
}

/// Does what the words behind the program's name ask for. The answer goes to `out`, a word about
/// wrong use to `told`.
pub fn run(
    words: impl IntoIterator<Item = OsString>,
    out: &mut dyn Write,
    told: &mut dyn Write,
) -> Exit {
    let said = match Args::parse(words) {
        Ok(Args::Help) => out.write_all(HELP.as_bytes()).map(|()| Exit::Done),
        Ok(Args::Version) => {
            writeln!(out, "jawoord-verify {}", env!("CARGO_PKG_VERSION")).map(|()| Exit::Done)
        }
        Ok(Args::Verify(request)) => match verify(&request) {
            Ok(answer) => print(&answer, request.json, out),
            Err(error) => wrong(&*error, told),
        },
        Err(error) => wrong(&error, told),
    };
    // An answer that nobody got proves nothing to anybody.
    said.and_then(|exit| out.flush().map(|()| exit)).unwrap_or(Exit::NotProved)
}

/// What was found in a folder.
enum Answer {
    Export(Report),
    Evidence(Proof),
    Reconciliation(Reconciled),
}

fn verify(request: &Request) -> Result<Answer, Box<dyn std::error::Error>> {
    let trusted = match &request.trust {
        Some(file) => Trusted::read(file)?,
        None => Trusted::default(),
    };
    Ok(match request.kind {
        Kind::Export => Answer::Export(verify_folder(&request.folder, &trusted)?),
        Kind::Reconciliation => Answer::Reconciliation(verify_report(&request.folder, &trusted)?),
        Kind::Evidence => Answer::Evidence(verify_evidence(&request.folder, &trusted)?),
    })
}

fn print(answer: &Answer, json: bool, out: &mut dyn Write) -> io::Result<Exit> {
    let (lines, object, verdict): (&dyn std::fmt::Display, _, _) = match answer {
        Answer::Export(report) => (report, report.json(), report.verdict()),
        Answer::Reconciliation(said) => (said, said.json(), said.verdict()),
        Answer::Evidence(proof) => (proof, proof.json(), proof.verdict()),
    };
    if json {
        writeln!(out, "{object}")?;
    } else {
        write!(out, "{lines}")?;
    }
    Ok(match verdict {
        Verdict::Proved => Exit::Done,
        Verdict::SignerUnknown | Verdict::NotProved => Exit::NotProved,
    })
}

fn wrong(error: &dyn std::error::Error, told: &mut dyn Write) -> io::Result<Exit> {
    writeln!(told, "jawoord-verify: {error}").map(|()| Exit::WrongUse)
}
