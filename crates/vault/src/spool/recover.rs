//! After a crash: what the old journals hold. Nothing is ever appended to them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{self, ErrorKind, Read},
    path::{Path, PathBuf},
};

use call::RecordingId;

use super::{
    JOURNAL_SUFFIX, SpoolError, remove_journal,
    tape::{Place, Tape},
};
use crate::record::{Entry, RECORD_MAGIC, Record};

const BUFFER: usize = 1024 * 1024;

/// Bytes of a journal that are no record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The journal.
    pub journal: PathBuf,
    /// Where they begin.
    pub offset: u64,
    /// How many.
    pub bytes: u64,
    /// Whether the journal ends there: a record that the crash cut, which is expected. Damage
    /// anywhere else is the disk's.
    pub at_end: bool,
}

/// What was found in a spool folder.
pub struct Recovered {
    /// What is there of each recording, to be finalised as `degraded`, unless the ledger says that
    /// it is stored or gone already.
    pub tapes: Vec<Tape>,
    /// What could not be read.
    pub damage: Vec<Damage>,
    journals: BTreeMap<PathBuf, BTreeSet<RecordingId>>,
}

/// Reads every journal of a folder. Call it before any [`Spool`](super::Spool) of the folder is
/// opened. A missing folder is an empty one.
///
/// # Errors
/// [`SpoolError`] when the folder or a journal cannot be read; damage inside one is no error.
pub fn recover(folder: &Path) -> Result<Recovered, SpoolError> {
    let mut found = Recovered { tapes: Vec::new(), damage: Vec::new(), journals: BTreeMap::new() };
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(found),
        entries => entries?,
    };
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort_unstable();
    for path in paths {
        if !path.as_os_str().as_encoded_bytes().ends_with(JOURNAL_SUFFIX.as_bytes()) {
            continue;
        }
        let tapes = scan(&path, &mut found.damage)?;
        if tapes.is_empty() {
            remove_journal(&path)?;
            continue;
        }
        let holds = tapes.iter().map(Tape::recording).collect();
        found.journals.insert(path, holds);
        found.tapes.extend(tapes);
    }
    Ok(found)
}

impl Recovered {
    /// The recording is stored and read back, or is to be gone. Its journal is removed with its
    /// last recording.
    ///
    /// # Errors
    /// [`SpoolError`] when the journal cannot be removed; it is found again at the next start.
    pub fn release(&mut self, recording: RecordingId) -> Result<(), SpoolError> {
        let holder = self.journals.iter_mut().find(|(_, holds)| holds.contains(&recording));
        let (path, holds) = holder.ok_or(SpoolError::Unknown)?;
        holds.remove(&recording);
        if !holds.is_empty() {
            return Ok(());
        }
        let path = path.clone();
        self.journals.remove(&path);
        remove_journal(&path)
    }
}

fn scan(path: &Path, damage: &mut Vec<Damage>) -> Result<Vec<Tape>, SpoolError> {
    let mut tapes: BTreeMap<RecordingId, Tape> = BTreeMap::new();
    let mut window = FileWindow::open(path)?;
    // Where unreadable bytes began.
    let mut lost_from = None;
    let mut note = |from: u64, to: u64, at_end| {
        let journal = path.to_owned();
        damage.push(Damage { journal, offset: from, bytes: to - from, at_end });
    };
    while window.fill()? {
        match Record::decode(window.bytes()) {
            Ok((record, length)) => {
                if let Some(from) = lost_from.take() {
                    note(from, window.offset, false);
                }
                let place = Place::new(window.offset, length);
                let recording = record.recording;
                if record.entry == Entry::Released {
                    tapes.remove(&recording);
                } else {
                    tapes
                        .entry(recording)
                        .or_insert_with(|| Tape::new(recording, path.to_owned()))
                        .note(&record, place);
                }
                window.skip(length);
            }
            Err(_) => {
                lost_from.get_or_insert(window.offset);
                window.skip_to_magic();
            }
        }
    }
    if let Some(from) = lost_from {
        note(from, window.offset, true);
    }
    Ok(tapes.into_values().collect())
}

/// A file seen through a buffer that always holds at least one whole record, if there is one.
struct FileWindow {
    file: File,
    buffer: Vec<u8>,
    at: usize,
    /// Where `at` is in the file.
    offset: u64,
    ended: bool,
}

/// No record is longer.
const RECORD_LIMIT: usize = 8 * 1024;

impl FileWindow {
    fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        Ok(Self { file, buffer: Vec::new(), at: 0, offset: 0, ended: false })
    }

    fn bytes(&self) -> &[u8] {
        self.buffer.get(self.at..).unwrap_or_default()
    }

    /// Makes room for the next record; `false` at the end.
    fn fill(&mut self) -> io::Result<bool> {
        while !self.ended && self.bytes().len() < RECORD_LIMIT {
            self.buffer.drain(..self.at);
            self.at = 0;
            let read = self.file.by_ref().take(BUFFER as u64).read_to_end(&mut self.buffer)?;
            self.ended = read == 0;
        }
        Ok(!self.bytes().is_empty())
    }

    fn skip(&mut self, count: usize) {
        self.at += count;
        self.offset += count as u64;
    }

    fn skip_to_magic(&mut self) {
        let behind = self.bytes().get(1..).unwrap_or_default();
        let next = behind.windows(RECORD_MAGIC.len()).position(|bytes| bytes == RECORD_MAGIC);
        // The magic may begin in the last three bytes of what is loaded.
        let keep = if self.ended { 0 } else { RECORD_MAGIC.len() - 1 };
        let none = behind.len().saturating_sub(keep);
        self.skip(1 + next.unwrap_or(none));
    }
}
