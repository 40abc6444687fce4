//! The spool: one append-only journal per recorder thread, ciphertext only.
//!
//! A record is handed to the kernel before [`Spool::append`] returns, so a killed process loses
//! nothing that was appended; [`Spool::sync`] once a second bounds what a power cut takes. The
//! system calls of the durable path are `open(O_CREAT|O_EXCL)` and `fsync` of the folder when a
//! journal begins, one `writev` per record, one `fdatasync` per second and journal, and `unlink`
//! with `fsync` of the folder when all recordings of a journal are stored or gone.

pub(crate) mod finalise;
pub(crate) mod recover;
pub(crate) mod tape;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, ErrorKind, IoSlice, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use call::RecordingId;

use self::tape::{Place, Tape};
use crate::record::{Entry, Record};

/// A journal takes no new recording once it is this long, unless told otherwise.
const LENGTH_LIMIT: u64 = 1024 * 1024 * 1024;
/// How much [`Spool::probe`] writes.
const PROBE_LENGTH: usize = 256 * 1024;
pub(crate) const JOURNAL_SUFFIX: &str = ".jwj";

/// Why the spool did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpoolError {
    /// No space is left.
    Full,
    /// The recording is not in this spool.
    Unknown,
    /// The folder or the journal could not be used.
    Io(ErrorKind),
}

impl fmt::Display for SpoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str(
                "the spool's disk is full; free space. Calls go on without being recorded",
            ),
            Self::Unknown => f.write_str(
                "the recording is not in the spool; it was released before, or another thread's \
                 spool holds it",
            ),
            Self::Io(kind) => {
                write!(f, "the spool could not be used ({kind}); check its folder and its disk")
            }
        }
    }
}

impl std::error::Error for SpoolError {}

impl From<io::Error> for SpoolError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full,
            kind => Self::Io(kind),
        }
    }
}

struct Journal {
    path: PathBuf,
    file: File,
    length: u64,
    dirty: bool,
    /// Recordings that still need it.
    holds: BTreeSet<RecordingId>,
}

/// The journals of one recorder thread.
pub struct Spool {
    folder: PathBuf,
    thread: u32,
    next: u64,
    limit: u64,
    /// By number; the current one takes new recordings.
    journals: BTreeMap<u64, Journal>,
    current: Option<u64>,
    tapes: BTreeMap<RecordingId, (u64, Option<Tape>)>,
}

impl Spool {
    /// Opens the spool of a thread. Old journals are left alone: run
    /// [`recover`](recover::recover) first.
    ///
    /// # Errors
    /// [`SpoolError`] when the folder cannot be used.
    pub fn open(folder: &Path, thread: u32) -> Result<Self, SpoolError> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let mut next = 0;
        let prefix = format!("{thread}-");
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name();
            let number = name.to_str().and_then(|name| {
                let number = name.strip_prefix(&prefix)?.strip_suffix(JOURNAL_SUFFIX)?;
                number.parse::<u64>().ok()
            });
            next = next.max(number.map_or(0, |number| number.saturating_add(1)));
        }
        Ok(Self {
            folder: folder.to_owned(),
            thread,
            next,
            limit: LENGTH_LIMIT,
            journals: BTreeMap::new(),
            current: None,
            tapes: BTreeMap::new(),
        })
    }

    /// Lets a journal of `bytes` or more take no new recording; those in it go on to their ends.
    /// Smaller journals give disk space back sooner, and cost a `fdatasync` each.
    #[must_use]
    pub fn with_journal_limit(self, bytes: u64) -> Self {
        Self { limit: bytes, ..self }
    }

    /// Appends a record. A recording stays in the journal in which it began.
    ///
    /// # Errors
    /// [`SpoolError`]; the journal is as it was before, and the recording has a hole.
    pub fn append(&mut self, record: &Record) -> Result<(), SpoolError> {
        let recording = record.recording;
        let number = match self.tapes.get(&recording) {
            Some((number, _)) => *number,
            None => self.journal_for_new()?,
        };
        let journal = self.journals.get_mut(&number).ok_or(SpoolError::Unknown)?;
        let place = journal.append(record)?;
        journal.holds.insert(recording);
        let path = &journal.path;
        let (_, tape) = self
            .tapes
            .entry(recording)
            .or_insert_with(|| (number, Some(Tape::new(recording, path.clone()))));
        if let Some(tape) = tape {
            tape.note(record, place);
        }
        Ok(())
    }

    fn journal_for_new(&mut self) -> Result<u64, SpoolError> {
        let room = |number: &u64| {
            self.journals.get(number).is_some_and(|journal| journal.length < self.limit)
        };
        if let Some(number) = self.current.filter(room) {
            return Ok(number);
        }
        let number = self.next;
        self.next += 1;
        let path = self.folder.join(format!("{}-{number}{JOURNAL_SUFFIX}", self.thread));
        let file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(&path)?;
        File::open(&self.folder)?.sync_all()?;
        let journal = Journal { path, file, length: 0, dirty: false, holds: BTreeSet::new() };
        self.journals.insert(number, journal);
        self.current = Some(number);
        Ok(number)
    }

    /// Brings everything appended so far to the disk, for all recordings at once.
    ///
    /// # Errors
    /// [`SpoolError`] when the disk does not take it.
    pub fn sync(&mut self) -> Result<(), SpoolError> {
        for journal in self.journals.values_mut().filter(|journal| journal.dirty) {
            journal.file.sync_data()?;
            journal.dirty = false;
        }
        Ok(())
    }

    /// Writes as much as a second of many calls beside the journals, brings it to the disk, and
    /// removes it: whether the disk takes sound again after it did not.
    ///
    /// # Errors
    /// [`SpoolError`]; it does not.
    pub fn probe(&self) -> Result<(), SpoolError> {
        let path = self.folder.join(format!("{}.probe", self.thread));
        let open =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
        let written = open.and_then(|mut file| {
            file.write_all(&[0; PROBE_LENGTH])?;
            file.sync_data()
        });
        let removed = fs::remove_file(&path);
        Ok(written.and(removed)?)
    }

    /// Takes the tape of a recording that ended, to be made into an object. The journal stays
    /// until [`Spool::release`].
    pub fn take(&mut self, recording: RecordingId) -> Option<Tape> {
        self.tapes.get_mut(&recording).and_then(|(_, tape)| tape.take())
    }

    /// The recording is stored and read back, or it is to be erased: it needs its journal no
    /// longer. The journal is removed with its last recording.
    ///
    /// # Errors
    /// [`SpoolError`] when the journal cannot be removed; it is found again at the next start.
    pub fn release(&mut self, recording: RecordingId) -> Result<(), SpoolError> {
        let (number, _) = self.tapes.remove(&recording).ok_or(SpoolError::Unknown)?;
        let journal = self.journals.get_mut(&number).ok_or(SpoolError::Unknown)?;
        journal.holds.remove(&recording);
        if !journal.holds.is_empty() {
            let record = Record { recording, chunk: 0, entry: Entry::Released };
            journal.append(&record)?;
            return Ok(());
        }
        let path = journal.path.clone();
        self.journals.remove(&number);
        self.current = self.current.filter(|current| *current != number);
        remove_journal(&path)
    }

    /// Bytes in all journals.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.journals.values().map(|journal| journal.length).sum()
    }
}

impl Journal {
    fn append(&mut self, record: &Record) -> io::Result<Place> {
        let (header, body) = record.parts();
        let length = header.len() + body.len();
        let offset = self.length;
        if let Err(error) = write_both(&mut self.file, &header, body) {
            // Half a record must not stand in front of the next one.
            self.file.set_len(offset)?;
            return Err(error);
        }
        self.length += length as u64;
        self.dirty = true;
        Ok(Place::new(offset, length))
    }
}

/// Writes two pieces, one behind the other, by one system call if it takes all of them.
fn write_both(file: &mut File, header: &[u8], body: &[u8]) -> io::Result<()> {
    let mut both = [IoSlice::new(header), IoSlice::new(body)];
    let mut left = &mut both[..];
    while !left.is_empty() {
        match file.write_vectored(left) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut left, written),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

pub(crate) fn remove_journal(path: &Path) -> Result<(), SpoolError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
        Ok(()) | Err(_) => {}
    }
    match path.parent() {
        Some(folder) => Ok(File::open(folder)?.sync_all()?),
        None => Ok(()),
    }
}
