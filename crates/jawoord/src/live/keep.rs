//! Keys and store, tried: a key is wrapped and unwrapped, a sealed object written, read and deleted.

use std::{
    fs,
    io::Read,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use call::{RecordingId, TenantId};
use rustix::fs::Access;
use serde_json::json;
use vault::{
    EpochKey, EpochNumber, KeyFile, LocalStore, Provider, RootSeed, SealedSlip, Slip, Store,
    StoreError, StoreStep,
};

use super::finding::Finding;
use crate::{
    config::judge::Settings,
    office::archive::{KEY_FILE, lock, sink},
    recorder::thread::ROOM,
};

/// The epoch of the trial key: no ledger counts so far.
const TRIAL: EpochNumber = EpochNumber(u64::MAX);
/// Below so much free space somebody should look at the disk.
const SCARCE: u64 = 1 << 30;

/// Tries the keys and the store of a running node. `id` names the trial object and is that of no
/// recording.
#[must_use]
pub fn of_node(
    settings: &Settings,
    keys: &dyn Provider,
    store: &dyn Store,
    id: RecordingId,
) -> Vec<Finding> {
    let mut findings = tried(keys, store, id);
    findings.extend(spaces(settings));
    findings
}

/// The same without a node. Nothing is made that the first start would make, and nothing is
/// written into the folders of another user.
#[must_use]
pub fn without_node(settings: &Settings, id: RecordingId) -> Vec<Finding> {
    let (data, store) = (&settings.data.path, &settings.store.path);
    let key = settings.keys.path.join(KEY_FILE);
    if !key.exists() || !store.exists() {
        let folders = [("data", data), ("keys", &settings.keys.path), ("store", store)];
        let mut findings: Vec<_> =
            folders.iter().map(|(name, folder)| unmade(name, folder)).collect();
        findings.extend(spaces(settings));
        return findings;
    }
    if let Some(owner) = [data, &key, store].into_iter().find_map(|path| stranger(path)) {
        let found = format!("not tried: they belong to the user with id {owner}");
        let mend = format!("run this as that user (sudo -u '#{owner}' …), or start the node");
        return vec![Finding::warn("keys and store", found, mend)];
    }
    let _lock = match lock(data) {
        Ok(lock) => lock,
        Err(error) => {
            let mend = "stop the other process, or wait until it has ended";
            return vec![Finding::fail("data", error.to_string(), mend)];
        }
    };
    let opened = KeyFile::open(&key).map_err(|error| failed("keys", &error.to_string()));
    let stored = sink(&settings.store)
        .map_err(|error| error.to_string())
        .and_then(|sink| LocalStore::open(store, sink).map_err(|error| error.to_string()))
        .map_err(|error| failed("store", &error));
    let mut findings = match (opened, stored) {
        (Ok(keys), Ok(store)) => tried(&keys, &store, id),
        (keys, store) => [keys.err(), store.err()].into_iter().flatten().collect(),
    };
    findings.extend(spaces(settings));
    findings
}

/// A folder that the first start makes: whether it could.
fn unmade(name: &str, folder: &Path) -> Finding {
    if folder.exists() {
        return Finding::ok(name, "the folder is there; the first start fills it");
    }
    match ancestor(folder) {
        Some(there) if rustix::fs::access(&there, Access::WRITE_OK).is_ok() => {
            Finding::ok(name, "the folder is not there yet; the first start makes it")
        }
        Some(_) | None => {
            let found = "the folder is not there, and this user may not make it";
            let mend = "make it for the user that runs the node, mode 0700, or correct `path`";
            Finding::warn(name, found, mend)
        }
    }
}

/// The nearest folder above that is there.
fn ancestor(folder: &Path) -> Option<PathBuf> {
    let whole = std::path::absolute(folder).ok()?;
    whole.ancestors().find(|above| above.is_dir()).map(Path::to_owned)
}

/// The owner of a path, if it is somebody else.
fn stranger(path: &Path) -> Option<u32> {
    let owner = fs::metadata(path).ok()?.uid();
    (owner != rustix::process::geteuid().as_raw()).then_some(owner)
}

/// An error of ours says what happened, then what mends it.
fn failed(place: &str, error: &str) -> Finding {
    let cut = error.split_once("; ").or_else(|| error.split_once(". "));
    let (found, mend) = cut.unwrap_or((error, "see the log of the node"));
    Finding::fail(place, found, mend)
}

/// One key and one sealed object through everything that a recording goes through.
fn tried(keys: &dyn Provider, store: &dyn Store, id: RecordingId) -> Vec<Finding> {
    // What an earlier look may have left that did not come to its end.
    let made = keys.destroy(TRIAL).and_then(|()| keys.create(TRIAL));
    let unwrapped = made.and_then(|made| keys.open(TRIAL).map(|opened| (made, opened)));
    let mut findings = match unwrapped {
        Ok((made, opened)) => {
            let wrapped = "a key was made, wrapped, unwrapped and destroyed";
            let mut findings = vec![Finding::ok("keys", wrapped)];
            findings.push(match kept(&made, &opened, store, id) {
                Ok(octets) => {
                    let found = "a sealed object was written, read, opened and deleted";
                    Finding::ok("store", found).with(json!({ "octets": octets }))
                }
                Err(finding) => finding,
            });
            findings
        }
        Err(error) => vec![failed("keys", &error.to_string())],
    };
    if let Err(error) = keys.destroy(TRIAL) {
        findings.push(failed("keys", &error.to_string()));
    }
    findings
}

/// Seals under one key, stores, reads back, opens with the other key, deletes.
fn kept(
    made: &EpochKey,
    opened: &EpochKey,
    store: &dyn Store,
    id: RecordingId,
) -> Result<usize, Finding> {
    let stored = |error: StoreError| failed("store", &error.to_string());
    let ciphered = |error: &dyn std::fmt::Display| failed("keys", &error.to_string());
    let tenant = TenantId::new("check-live").map_err(|error| ciphered(&error))?;
    let seed = RootSeed::random().map_err(|error| ciphered(&error))?;
    let slip = Slip::first(id, &seed);
    let sealed = slip.seal(made, TRIAL, &tenant).map_err(|error| ciphered(&error))?;
    store.put(id, &mut |out| out.write_all(sealed.as_bytes())).map_err(stored)?;
    let read = read_back(store, id);
    store.delete(id).map_err(stored)?;
    let octets = read.map_err(stored)?;
    let length = octets.len();
    // What opens is what was sealed: the cipher authenticates every octet.
    let opens = SealedSlip::from_bytes(octets).and_then(|sealed| sealed.open(opened, &tenant, id));
    if opens.is_ok() {
        Ok(length)
    } else {
        let found = "what was read back does not open with its key";
        Err(Finding::fail("store", found, "look at the disk; recordings would be lost"))
    }
}

fn read_back(store: &dyn Store, id: RecordingId) -> Result<Vec<u8>, StoreError> {
    let mut octets = Vec::new();
    let read = store.open(id)?.read_to_end(&mut octets);
    read.map_err(|error| StoreError::from_io(StoreStep::Open, &error))?;
    Ok(octets)
}

/// What is left where recordings begin and where they end.
fn spaces(settings: &Settings) -> Vec<Finding> {
    let folders = [("data", &settings.data.path), ("store", &settings.store.path)];
    let measured = folders.into_iter().filter_map(|(name, folder)| {
        let space = rustix::fs::statvfs(ancestor(folder)?).ok()?;
        Some(room(name, space.f_bavail.saturating_mul(space.f_frsize)))
    });
    measured.collect()
}

fn room(name: &str, free: u64) -> Finding {
    let mb = free >> 20;
    let (place, found) = (format!("{name}, space"), format!("{mb} MB are free"));
    let mend = "free some space or add some";
    let finding = if free < ROOM {
        Finding::fail(place, format!("{found}, and nobody is asked below {} MB", ROOM >> 20), mend)
    } else if free < SCARCE {
        Finding::warn(place, found, mend)
    } else {
        Finding::ok(place, found)
    };
    finding.with(json!({ "free_mb": mb }))
}

#[cfg(test)]
mod tests {
    use vault::{Country, Sink};

    use super::*;
    use crate::live::finding::Grade;

    const ID: RecordingId = RecordingId::from_bytes([7; 16]);

    fn grades(findings: &[Finding]) -> Vec<(&str, Grade)> {
        findings.iter().map(|finding| (finding.place.as_str(), finding.grade)).collect()
    }

    fn office(folder: &Path) -> (KeyFile, LocalStore) {
        let sink = Sink { country: Country::new("NL").unwrap(), provider: "x".into() };
        let keys = KeyFile::open_or_create(&folder.join("keys").join(KEY_FILE)).unwrap();
        (keys, LocalStore::open(&folder.join("store"), sink).unwrap())
    }

    #[test]
    fn a_trial_goes_the_way_of_a_recording_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (keys, store) = office(folder.path());
        let _left_by_a_crash = keys.create(TRIAL).unwrap();
        let findings = tried(&keys, &store, ID);
        assert_eq!(grades(&findings), [("keys", Grade::Ok), ("store", Grade::Ok)]);
        assert_eq!(store.list().unwrap(), []);
        assert_eq!(keys.epochs().unwrap(), []);
    }

    #[test]
    fn a_store_that_takes_nothing_fails_with_its_mend_and_the_trial_key_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let (keys, store) = office(folder.path());
        // A file where the object's folder would be: nobody can write there, root neither.
        fs::write(folder.path().join("store").join("07"), "").unwrap();
        let findings = tried(&keys, &store, ID);
        assert_eq!(grades(&findings), [("keys", Grade::Ok), ("store", Grade::Fail)]);
        assert!(findings[1].mend.is_some(), "{findings:?}");
        assert_eq!(keys.epochs().unwrap(), []);
    }

    #[test]
    fn a_provider_that_wraps_nothing_fails_before_the_store_is_tried() {
        let folder = tempfile::tempdir().unwrap();
        let (keys, store) = office(folder.path());
        fs::remove_dir_all(folder.path().join("keys")).unwrap();
        let findings = tried(&keys, &store, ID);
        assert!(grades(&findings).iter().all(|found| *found == ("keys", Grade::Fail)));
    }

    #[test]
    fn little_space_is_warned_of_and_too_little_fails() {
        assert_eq!(room("data", SCARCE).grade, Grade::Ok);
        assert_eq!(room("data", SCARCE - 1).grade, Grade::Warn);
        assert_eq!(room("data", ROOM - 1).grade, Grade::Fail);
    }
}
