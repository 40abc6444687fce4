//! The report of a reconciliation: proves that a node has signed it, and shows what it says.

use std::{fmt, fs, io, path::Path};

use call::Digest;
use ledger::{Inventory, Listed};
use serde_json::{Value, json};

use crate::{
    difference::{Difference, What},
    evidence,
    folder::FolderError,
    report::Verdict,
    trust::Trusted,
};

/// The form of the file.
const FORM: &str = "jawoord/reconciliation/v1";
/// Its numbers, in order.
const COUNTS: [&str; 6] = ["calls", "running", "recordings", "objects", "slips", "mismatches"];
/// Its moments, in order.
const MOMENTS: [&str; 3] = ["made_at", "from", "to"];

/// The answer about a report of a reconciliation. Printed, it is one line for each difference and for each
/// mismatch that the report names, and then the summary.
#[derive(Debug)]
pub struct Reconciled {
    /// Whether a trusted key was brought along.
    pub signer_known: bool,
    /// SHA-256 of the file, as the fact `reconciled` in the audit tree names it.
    pub sha256: Option<Digest>,
    /// What the report says, if it is one.
    pub says: Option<Value>,
    /// Each thing that is wrong with its files.
    pub differences: Vec<Difference>,
}

/// Verifies the report of a reconciliation by the signed line beside it (`.sig` in the place of `.json`),
/// and changes nothing. With nobody trusted it can be found consistent and is never proved.
///
/// # Errors
/// [`FolderError`] when there is no such file; whatever is wrong with it is in the answer.
pub fn verify_report(file: &Path, trusted: &Trusted) -> Result<Reconciled, FolderError> {
    let name = file.file_name().and_then(|name| name.to_str());
    let name = name.ok_or(FolderError(io::ErrorKind::InvalidFilename))?;
    fs::metadata(file).map_err(|error| FolderError(error.kind()))?;
    let folder = file.parent().unwrap_or(Path::new(""));
    let signer_known = !trusted.is_empty();
    let mut answer = Reconciled { signer_known, sha256: None, says: None, differences: Vec::new() };
    let list = Path::new(name).with_extension("sig");
    let list = list.to_str().ok_or(FolderError(io::ErrorKind::InvalidFilename))?;
    let listed = answer.signed(folder, list, trusted);
    match evidence::bytes(folder, name) {
        Ok(bytes) => answer.reads(Listed::new(name, &bytes), &bytes, listed.as_ref()),
        Err(what) => answer.find(name, what),
    }
    Ok(answer)
}

impl Reconciled {
    /// Adds what was found.
    fn find(&mut self, file: &str, what: What) {
        self.differences.push(Difference { file: file.into(), what });
    }

    /// The file that the signed line names, and whether a trusted key has signed it.
    fn signed(&mut self, folder: &Path, list: &str, trusted: &Trusted) -> Option<Listed> {
        let text = evidence::text(folder, list);
        let inventory = match text.map(|text| Inventory::read_report(&text)) {
            Ok(Some(inventory)) => inventory,
            Ok(None) => {
                self.find(list, What::Form);
                return None;
            }
            Err(what) => {
                self.find(list, what);
                return None;
            }
        };
        if !inventory.is_signed() {
            self.find(list, What::Signature);
        } else if self.signer_known && !trusted.keys().contains(&inventory.key) {
            self.find(list, What::OtherSigner);
        }
        inventory.files.into_iter().next()
    }

    /// Takes in what the file says, unless it is not the one that was signed.
    fn reads(&mut self, file: Listed, bytes: &[u8], listed: Option<&Listed>) {
        self.sha256 = Some(file.sha256);
        match listed {
            Some(listed) if listed.name != file.name => self.find(&file.name, What::Stranger),
            Some(listed) if listed.sha256 != file.sha256 => self.find(&file.name, What::Altered),
            Some(_) | None => {
                self.says = serde_json::from_slice(bytes).ok().filter(is_report);
                if self.says.is_none() {
                    self.find(&file.name, What::Form);
                }
            }
        }
    }

    /// The answer: whether a trusted node says this. What it says, [`Reconciled::says`] has.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        Verdict::of(!self.differences.is_empty(), self.signer_known)
    }

    /// The answer as one JSON object: `verdict` as for an export, `sha256` (hexadecimal, or null), `report`
    /// (what the file says, or null), and `differences`, each with `file`, `what_happened` and
    /// `what_to_do`.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "verdict": self.verdict().as_str(),
            "sha256": self.sha256.map(|hash| hash.to_string()),
            "report": self.says,
            "differences": self.differences.iter().map(Difference::json).collect::<Vec<_>>(),
        })
    }
}

/// Whether it has the form of a report, and its numbers are those of what it names.
fn is_report(report: &Value) -> bool {
    let count = |name: &str| report.get(name).and_then(Value::as_u64);
    let kinds = report.get("kinds").and_then(Value::as_object);
    let kinds = kinds.and_then(|kinds| kinds.values().map(Value::as_u64).sum::<Option<u64>>());
    let named = report.get("findings").and_then(Value::as_array).map(|named| named.len() as u64);
    let mismatches = count("mismatches");
    report.get("form").and_then(Value::as_str) == Some(FORM)
        && MOMENTS.iter().all(|name| report.get(name).is_some_and(Value::is_string))
        && COUNTS.iter().all(|name| count(name).is_some())
        && kinds == mismatches
        && named.zip(mismatches).is_some_and(|(named, all)| named == all.min(1_000))
}

impl fmt::Display for Reconciled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for difference in &self.differences {
            writeln!(f, "{difference}. {}", difference.what_to_do())?;
        }
        if let Some(report) = &self.says {
            for finding in report.get("findings").and_then(Value::as_array).into_iter().flatten() {
                let text = |name| finding.get(name).and_then(Value::as_str);
                let about = text("call").map(|id| ("call", id));
                let about = about.or_else(|| text("recording").map(|id| ("recording", id)));
                let ((kind, id), says) = (about.unwrap_or_default(), text("says"));
                // What the file says is shown as it stands there, without what moves a terminal's cursor.
                writeln!(
                    f,
                    "{kind} {}: {}",
                    id.escape_debug(),
                    says.unwrap_or_default().escape_debug()
                )?;
            }
            for name in MOMENTS {
                let at = report.get(name).and_then(Value::as_str).unwrap_or_default();
                writeln!(f, "{name}: {}", at.escape_debug())?;
            }
            for name in COUNTS {
                writeln!(
                    f,
                    "{name}: {}",
                    report.get(name).and_then(Value::as_u64).unwrap_or_default()
                )?;
            }
        }
        if let Some(sha256) = self.sha256 {
            writeln!(f, "sha256: {sha256}")?;
        }
        writeln!(f, "verdict: {}", self.verdict())?;
        match self.verdict() {
            Verdict::SignerUnknown => writeln!(
                f,
                "Nothing here says who made it. Get the node's key by another way than this file, and \
                 verify again with --trust KEYFILE."
            ),
            Verdict::Proved | Verdict::NotProved => Ok(()),
        }
    }
}
