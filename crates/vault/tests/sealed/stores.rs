//! Stores: whole or not at all, read back, gone when they say so, and honest when they cannot.

use std::{
    fs,
    io::{self, Cursor, ErrorKind, Read, Write},
};

use call::RecordingId;
use vault::*;

use crate::support::*;

const A: [Codec; 2] = [Codec::Pcma; 2];

#[test]
fn an_interrupted_write_leaves_nothing_under_the_name() {
    let folder = Folder::new();
    let store = LocalStore::open(&folder.join("objects"), sink()).unwrap();
    let failed = store.put(RECORDING, &mut |out| {
        out.write_all(&[1; 100_000])?;
        Err(ErrorKind::Interrupted.into())
    });
    assert_eq!(failed, Err(StoreError::Io(StoreStep::Put, ErrorKind::Interrupted)));
    assert_eq!(folder.files().len(), 0);
    assert_eq!(store.list().unwrap(), []);
    assert_eq!(store.open(RECORDING).err(), Some(StoreError::NotFound));
}

#[test]
fn what_a_crash_left_half_written_is_removed_at_the_start() {
    let folder = Folder::new();
    let store = LocalStore::open(&folder.join("objects"), sink()).unwrap();
    store.put(RECORDING, &mut |out| out.write_all(b"whole")).unwrap();
    let path = store.path(RECORDING);
    let part = path.with_extension("jwr.part");
    fs::write(&part, b"half").unwrap();
    assert_eq!(store.list().unwrap(), [RECORDING], "a part is no object");
    let store = LocalStore::open(&folder.join("objects"), sink()).unwrap();
    assert!(!part.exists() && path.exists());
    let mut bytes = Vec::new();
    store.open(RECORDING).unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, b"whole");
}

#[test]
fn deleting_is_done_when_it_is_gone_and_can_be_resumed() {
    let mut bench = Bench::new();
    bench.object(1_600);
    let path = bench.store.path(RECORDING);
    assert!(path.exists());
    bench.store.delete(RECORDING).unwrap();
    assert!(!path.exists());
    bench.store.delete(RECORDING).unwrap();
    assert_eq!(bench.store.list().unwrap(), []);
    bench.store.delete(RecordingId::from_bytes([0xEE; 16])).unwrap();
}

#[test]
fn a_deletion_that_did_not_happen_is_not_reported() {
    let folder = Folder::new();
    let store = LocalStore::open(&folder.join("objects"), sink()).unwrap();
    // Something that unlink refuses stands where the object is.
    let path = store.path(RECORDING);
    fs::create_dir_all(path.join("inside")).unwrap();
    let failed = store.delete(RECORDING).unwrap_err();
    assert!(matches!(failed, StoreError::Io(StoreStep::Delete, _) | StoreError::ReadOnly(_)));
    assert!(path.exists());
}

#[test]
fn a_read_only_store_is_named_so_with_what_to_do() {
    for kind in [ErrorKind::ReadOnlyFilesystem, ErrorKind::PermissionDenied] {
        let error = StoreError::from_io(StoreStep::Delete, &kind.into());
        assert_eq!(error, StoreError::ReadOnly(StoreStep::Delete));
        assert!(error.to_string().contains("read-only"), "{error}");
    }
    // A store that no user can write to, root included.
    let refused = LocalStore::open(std::path::Path::new("/proc/jawoord"), sink());
    assert!(refused.is_err());
}

/// A store that fails in one way.
struct Faulty {
    inner: LocalStore,
    fault: Fault,
}

#[derive(PartialEq)]
enum Fault {
    ReadOnly,
    GivesBackOther,
    GivesBackLess,
}

impl Store for Faulty {
    fn sink(&self) -> &Sink {
        self.inner.sink()
    }

    fn put(
        &self,
        recording: RecordingId,
        write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), StoreError> {
        if self.fault == Fault::ReadOnly {
            return Err(StoreError::ReadOnly(StoreStep::Put));
        }
        self.inner.put(recording, write)
    }

    fn open(&self, recording: RecordingId) -> Result<Box<dyn Source>, StoreError> {
        let mut bytes = Vec::new();
        let mut source = self.inner.open(recording)?;
        source.read_to_end(&mut bytes).map_err(|e| StoreError::from_io(StoreStep::Open, &e))?;
        if self.fault == Fault::GivesBackLess {
            bytes.pop();
        } else {
            bytes[1_000] ^= 1;
        }
        Ok(Box::new(Cursor::new(bytes)))
    }

    fn delete(&self, _: RecordingId) -> Result<(), StoreError> {
        Err(StoreError::ReadOnly(StoreStep::Delete))
    }

    fn list(&self) -> Result<Vec<RecordingId>, StoreError> {
        self.inner.list()
    }
}

#[test]
fn nothing_is_called_stored_that_does_not_read_back_equal() {
    let mut bench = Bench::new();
    bench.record(RECORDING, A, 8_000);
    let tape = bench.spool.take(RECORDING).unwrap();
    let expected = [
        (Fault::ReadOnly, FinaliseError::Store(StoreError::ReadOnly(StoreStep::Put))),
        (Fault::GivesBackOther, FinaliseError::Differs),
        (Fault::GivesBackLess, FinaliseError::Differs),
    ];
    for (fault, error) in expected {
        let inner = LocalStore::open(&bench.folder.join("faulty"), sink()).unwrap();
        let faulty = Faulty { inner, fault };
        assert_eq!(tape.finalise(tags(RECORDING), &bench.keys, &faulty), Err(error));
    }
    // The journal still has it, so that the next attempt succeeds.
    let sealed = tape.finalise(tags(RECORDING), &bench.keys, &bench.store).unwrap();
    assert_eq!(sealed.manifest.samples, 8_000);
    let wrong = tags(RecordingId::from_bytes([1; 16]));
    let refused = tape.finalise(wrong, &bench.keys, &bench.store);
    assert_eq!(refused, Err(FinaliseError::OtherRecording));
}

#[test]
fn a_journal_damaged_after_it_was_written_stops_the_object() {
    let mut bench = Bench::new();
    bench.record(RECORDING, A, 8_000);
    let journal = bench.spool_folder().join("0-0.jwj");
    let mut bytes = fs::read(&journal).unwrap();
    bytes[9_000] ^= 1;
    fs::write(&journal, bytes).unwrap();
    let tape = bench.spool.take(RECORDING).unwrap();
    let refused = tape.finalise(tags(RECORDING), &bench.keys, &bench.store);
    assert_eq!(refused, Err(FinaliseError::Journal(ErrorKind::InvalidData)));
    assert_eq!(bench.store.list().unwrap(), []);
}
