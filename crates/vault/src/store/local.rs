//! A store in a local folder: `ab/abcdef….jwr`, written beside its name and renamed into place.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, BufWriter, ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use call::RecordingId;

use super::{Source, Store, StoreError, StoreStep};
use crate::residency::Sink;

const SUFFIX: &str = ".jwr";
const PART: &str = ".part";
const BUFFER: usize = 256 * 1024;

/// Objects in a folder of this machine.
pub struct LocalStore {
    folder: PathBuf,
    sink: Sink,
}

impl LocalStore {
    /// Opens a folder, making it if need be, and removes what an interrupted write left.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be used.
    pub fn open(folder: &Path, sink: Sink) -> Result<Self, StoreError> {
        let store = Self { folder: folder.to_owned(), sink };
        store.prepare().map_err(|error| StoreError::from_io(StoreStep::Put, &error))?;
        Ok(store)
    }

    fn prepare(&self) -> io::Result<()> {
        make_folder(&self.folder)?;
        for shard in fs::read_dir(&self.folder)? {
            let shard = shard?.path();
            if !shard.is_dir() {
                continue;
            }
            for entry in fs::read_dir(shard)? {
                let path = entry?.path();
                if path.as_os_str().as_encoded_bytes().ends_with(PART.as_bytes()) {
                    fs::remove_file(path)?;
                }
            }
        }
        Ok(())
    }

    fn shard(&self, recording: RecordingId) -> PathBuf {
        let name = recording.to_string();
        self.folder.join(name.get(..2).unwrap_or("00"))
    }

    /// Where the object of a recording is or would be.
    #[must_use]
    pub fn path(&self, recording: RecordingId) -> PathBuf {
        self.shard(recording).join(format!("{recording}{SUFFIX}"))
    }

    fn write(
        &self,
        recording: RecordingId,
        write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let (shard, path) = (self.shard(recording), self.path(recording));
        make_folder(&shard)?;
        let part = shard.join(format!("{recording}{SUFFIX}{PART}"));
        let file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
        let mut buffered = BufWriter::with_capacity(BUFFER, file);
        let done = write(&mut buffered)
            .and_then(|()| buffered.into_inner().map_err(io::IntoInnerError::into_error))
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(&part, &path));
        if done.is_err() {
            // Best effort: `open` removes what stays.
            let _left_for_the_next_start = fs::remove_file(&part);
        }
        done?;
        File::open(&shard)?.sync_all()
    }

    fn remove(&self, recording: RecordingId) -> io::Result<()> {
        let shard = self.shard(recording);
        for name in [format!("{recording}{SUFFIX}"), format!("{recording}{SUFFIX}{PART}")] {
            match fs::remove_file(shard.join(name)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        match File::open(&shard) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            opened => opened?.sync_all(),
        }
    }

    fn each(&self, each: &mut dyn FnMut(RecordingId)) -> io::Result<()> {
        for shard in fs::read_dir(&self.folder)? {
            let shard = shard?.path();
            // What cannot be looked into is not taken for empty.
            if !fs::metadata(&shard)?.is_dir() {
                continue;
            }
            for entry in fs::read_dir(shard)? {
                let name = entry?.file_name();
                let id = name.to_str().and_then(|name| name.strip_suffix(SUFFIX));
                id.and_then(|id| id.parse::<RecordingId>().ok()).into_iter().for_each(&mut *each);
            }
        }
        Ok(())
    }
}

impl Store for LocalStore {
    fn sink(&self) -> &Sink {
        &self.sink
    }

    fn put(
        &self,
        recording: RecordingId,
        write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), StoreError> {
        self.write(recording, write).map_err(|error| StoreError::from_io(StoreStep::Put, &error))
    }

    fn open(&self, recording: RecordingId) -> Result<Box<dyn Source>, StoreError> {
        match File::open(self.path(recording)) {
            Ok(file) => Ok(Box::new(file)),
            Err(error) => Err(StoreError::from_io(StoreStep::Open, &error)),
        }
    }

    fn delete(&self, recording: RecordingId) -> Result<(), StoreError> {
        self.remove(recording).map_err(|error| StoreError::from_io(StoreStep::Delete, &error))?;
        match fs::symlink_metadata(self.path(recording)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Ok(_) | Err(_) => Err(StoreError::StillThere),
        }
    }

    fn list(&self) -> Result<Vec<RecordingId>, StoreError> {
        let mut found = Vec::new();
        self.walk(&mut |recording| found.push(recording))?;
        found.sort_unstable();
        Ok(found)
    }

    fn walk(&self, each: &mut dyn FnMut(RecordingId)) -> Result<(), StoreError> {
        self.each(each).map_err(|error| StoreError::from_io(StoreStep::List, &error))
    }

    fn has(&self, recording: RecordingId) -> Result<bool, StoreError> {
        match fs::metadata(self.path(recording)) {
            // What holds nothing is no object.
            Ok(found) => Ok(found.is_file() && found.len() > 0),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(StoreError::from_io(StoreStep::Open, &error)),
        }
    }
}

/// Makes a folder that only its owner may enter; its name is on the disk when this returns.
fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    match folder.parent() {
        Some(parent) if parent != Path::new("") => File::open(parent)?.sync_all(),
        Some(_) | None => Ok(()),
    }
}
