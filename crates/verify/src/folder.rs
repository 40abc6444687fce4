//! The exported folder: proves the trail, then every recording that trail or folder knows.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    fs::{self, File},
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
};

use call::RecordingId;
use ledger::{AuditReport, CHECKPOINTS_FILE, ENTRIES_FILE, verify_export};
use vault::Trust;

use crate::{
    finding::{Finding, Part},
    history::{History, Listening},
    object::faults,
    report::Report,
    trust::Trusted,
};

/// The folder of objects within the export.
pub const RECORDINGS_FOLDER: &str = "recordings";
/// Ends the name of an object, behind the recording's id in hexadecimal digits.
const OBJECT_SUFFIX: &str = ".jwr";

/// There is no folder to verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FolderError(pub io::ErrorKind);

impl fmt::Display for FolderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the folder cannot be read ({}); name the one that `jawoord audit export` made",
            self.0
        )
    }
}

impl std::error::Error for FolderError {}

/// Verifies an exported folder and changes nothing in it. With nobody trusted it can be found
/// consistent and is never proved.
///
/// # Errors
/// [`FolderError`] when there is no such folder; whatever is wrong inside it is in the report.
pub fn verify_folder(folder: &Path, trusted: &Trusted) -> Result<Report, FolderError> {
    match fs::metadata(folder) {
        Ok(found) if found.is_dir() => {}
        Ok(_) => return Err(FolderError(io::ErrorKind::NotADirectory)),
        Err(error) => return Err(FolderError(error.kind())),
    }
    let mut report = Report::new(!trusted.is_empty());
    let history = trail(folder, trusted, &mut report);
    let objects = objects(&folder.join(RECORDINGS_FOLDER), &mut report);
    report.objects = objects.len() as u64;
    let trust = (!trusted.is_empty()).then(|| trusted.objects());
    recordings(&history, &objects, trust, &mut report);
    Ok(report)
}

/// Proves the trail and gives what it says.
fn trail(folder: &Path, trusted: &Trusted, report: &mut Report) -> History {
    let notes = || regular(&folder.join(CHECKPOINTS_FILE));
    let key = signer(trusted, || notes().ok());
    let entries = opened(regular(&folder.join(ENTRIES_FILE)), Part::Entries, report);
    let notes = opened(notes(), Part::Checkpoints, report);
    let mut listening = Listening::new(entries);
    let audit = verify_export(BufReader::new(&mut listening), BufReader::new(notes), key);
    let (history, part) = match listening.finish() {
        Some(history) => (history, Part::Entries),
        None => (History::default(), Part::Checkpoints),
    };
    report.entries = history.entries;
    (report.first, report.last) = (history.first, history.last);
    match audit {
        Ok(audit) => damage(audit, report),
        Err(error) => report.find([Finding::Unread { part, kind: error.kind() }]),
    }
    report.find(history.unreadable.iter().copied().map(Finding::FactUnreadable));
    history
}

/// A file, or nothing at all when it cannot be opened, which is named.
fn opened(file: io::Result<File>, part: Part, report: &mut Report) -> Box<dyn Read> {
    match file {
        Ok(file) => Box::new(file),
        Err(error) => {
            report.find([Finding::Unread { part, kind: error.kind() }]);
            Box::new(io::empty())
        }
    }
}

/// Takes over what the audit of the trail found.
fn damage(audit: AuditReport, report: &mut Report) {
    let consistent = audit.is_consistent();
    report.checkpoints = audit.checkpoints;
    report.root = consistent.then_some(audit.head.root);
    report.more_findings += audit.more_findings;
    let is_other =
        |finding: &ledger::Finding| matches!(finding, ledger::Finding::SignerOther { .. });
    // A wrong key makes every checkpoint another's: one line says so.
    let (others, findings): (Vec<_>, Vec<_>) = audit.findings.into_iter().partition(is_other);
    if !others.is_empty() {
        report.find([Finding::OtherSigner { checkpoints: others.len() as u64 }]);
    }
    report.find(findings.into_iter().map(Finding::Trail));
}

/// Of several trusted keys the one that signed most of this trail: a trail has one signer.
fn signer(trusted: &Trusted, checkpoints: impl Fn() -> Option<File>) -> Option<[u8; 32]> {
    let [first, others @ ..] = trusted.keys() else { return None };
    if others.is_empty() {
        return Some(*first);
    }
    let signed = |key: &&[u8; 32]| {
        let notes = BufReader::new(checkpoints()?);
        verify_export(io::empty(), notes, Some(**key)).ok().map(|audit| audit.checkpoints)
    };
    trusted.keys().iter().rev().max_by_key(signed).copied()
}

/// The objects of the folder, by recording; whatever else lies among them is named.
fn objects(folder: &Path, report: &mut Report) -> BTreeMap<RecordingId, PathBuf> {
    let mut objects = BTreeMap::new();
    let unread = |error: &io::Error| Finding::Unread { part: Part::Recordings, kind: error.kind() };
    let listed = match fs::read_dir(folder) {
        Ok(listed) => listed,
        // A trail without a recording may come without their folder.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return objects,
        Err(error) => {
            report.find([unread(&error)]);
            return objects;
        }
    };
    let mut strangers = BTreeSet::new();
    for item in listed {
        let (item, kind) = match item.and_then(|item| Ok((item.file_type()?, item))) {
            Ok((kind, item)) => (item, kind),
            Err(error) => {
                report.find([unread(&error)]);
                continue;
            }
        };
        let name = item.file_name();
        let id = name.to_str().and_then(|name| name.strip_suffix(OBJECT_SUFFIX)?.parse().ok());
        // A link or a pipe is not what was exported, whatever it leads to.
        match id.filter(|_| kind.is_file()) {
            Some(recording) => drop(objects.insert(recording, item.path())),
            None => drop(strangers.insert(name.to_string_lossy().into_owned())),
        }
    }
    report.find(strangers.into_iter().map(|name| Finding::Stranger(name.into())));
    objects
}

/// Judges every recording that the trail or the folder knows, in order of their ids.
fn recordings(
    history: &History,
    objects: &BTreeMap<RecordingId, PathBuf>,
    trust: Option<&Trust>,
    report: &mut Report,
) {
    let known: BTreeSet<_> =
        history.iter().map(|(recording, _)| recording).chain(objects.keys().copied()).collect();
    for recording in known {
        let story = history.story(recording);
        let (permitted, deleted) =
            story.map_or((false, false), |story| (story.permit.is_some(), story.deleted.is_some()));
        report.recordings += u64::from(permitted);
        report.deletions += u64::from(deleted);
        let object = objects.get(&recording).map(PathBuf::as_path);
        let faults = faults(recording, story, object, trust);
        report.find(faults.into_iter().map(|fault| Finding::Recording { recording, fault }));
    }
}

/// Opens a regular file; anything else could block or lead elsewhere.
fn regular(path: &Path) -> io::Result<File> {
    if fs::symlink_metadata(path)?.is_file() {
        File::open(path)
    } else {
        Err(io::ErrorKind::InvalidInput.into())
    }
}
