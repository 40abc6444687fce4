//! The key file: who may read it, what it keeps, and that destroying is real.

use std::{fs, os::unix::fs::PermissionsExt};

use call::{Private, TenantId};
use vault::*;

use crate::support::*;

#[test]
fn the_first_start_makes_a_key_file_that_only_its_owner_reads() {
    let folder = Folder::new();
    let path = folder.join("lab.keys/jawoord.key");
    let first = KeyFile::open_or_create(&path).unwrap();
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(path.clone()), mode(folder.join("lab.keys"))), (0o600, 0o700));
    let again = KeyFile::open_or_create(&path).unwrap();
    assert_eq!(first.public_key(), again.public_key());
    assert_eq!(fs::read_dir(folder.join("lab.keys")).unwrap().count(), 1, "no part is left");
    let other = KeyFile::open_or_create(&folder.join("other.key")).unwrap();
    assert_ne!(first.public_key(), other.public_key());
}

#[test]
fn a_key_file_that_others_can_read_is_refused_with_what_to_do() {
    let folder = Folder::new();
    let path = folder.join("jawoord.key");
    KeyFile::open_or_create(&path).unwrap();
    for mode in [0o640, 0o604, 0o660, 0o601, 0o700 | 0o010] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let error = KeyFile::open_or_create(&path).err().unwrap();
        assert_eq!(error, KeyFileError::OpenToOthers { mode });
        let text = error.to_string();
        assert!(text.contains(&format!("{mode:04o}")) && text.contains("chmod 600"), "{text}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    assert!(KeyFile::open_or_create(&path).is_ok());
}

#[test]
fn a_damaged_key_file_is_refused_and_never_replaced() {
    let folder = Folder::new();
    let path = folder.join("jawoord.key");
    KeyFile::open_or_create(&path).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    for damaged in ["", "jawoord-key-file/v1\n", &text[1..], &text[..text.len() - 3]] {
        fs::write(&path, damaged).unwrap();
        assert_eq!(KeyFile::open_or_create(&path).err(), Some(KeyFileError::Damaged));
        assert_eq!(fs::read_to_string(&path).unwrap(), damaged);
    }
}

#[test]
fn of_many_that_make_one_epoch_key_at_the_same_time_one_has_made_the_key_that_is_there() {
    let folder = Folder::new();
    let keys = KeyFile::open_or_create(&folder.join("jawoord.key")).unwrap();
    for number in 0..50 {
        let epoch = EpochNumber(number);
        let made: Vec<_> = std::thread::scope(|scope| {
            let makers: Vec<_> = (0..8).map(|_| scope.spawn(|| keys.create(epoch))).collect();
            makers.into_iter().map(|maker| maker.join().unwrap()).collect()
        });
        let (made, late): (Vec<_>, Vec<_>) = made.into_iter().partition(Result::is_ok);
        assert!(late.into_iter().all(|late| late.err() == Some(ProviderError::Exists(epoch))));
        let [made] = <[_; 1]>::try_from(made).ok().expect("one has made it");
        let sealed = slip().seal(&made.unwrap(), epoch, &tenant()).unwrap();
        assert!(sealed.open(&keys.open(epoch).unwrap(), &tenant(), RECORDING).is_ok());
    }
    assert_eq!(fs::read_dir(folder.join(".")).unwrap().count(), 51, "no part is left");
}

#[test]
fn an_epoch_key_is_made_once_opened_often_and_destroyed_for_good() {
    let folder = Folder::new();
    let path = folder.join("jawoord.key");
    let keys = KeyFile::open_or_create(&path).unwrap();
    let sealed = slip().seal(&keys.create(EPOCH).unwrap(), EPOCH, &tenant()).unwrap();
    assert_eq!(keys.create(EPOCH).err(), Some(ProviderError::Exists(EPOCH)));
    keys.create(EpochNumber(12)).unwrap();
    let again = KeyFile::open(&path).unwrap();
    assert_eq!(again.epochs().unwrap(), [EPOCH, EpochNumber(12)]);
    assert!(sealed.open(&again.open(EPOCH).unwrap(), &tenant(), RECORDING).is_ok());
    let wrapped = fs::read(folder.join("epoch-7.key")).unwrap();
    // A crash between making the key and tidying up leaves a second name.
    fs::hard_link(folder.join("epoch-7.key"), folder.join("epoch-7.key.99.part")).unwrap();
    again.destroy(EPOCH).unwrap();
    again.destroy(EPOCH).unwrap();
    assert_eq!(again.open(EPOCH).err(), Some(ProviderError::Unknown(EPOCH)));
    assert_eq!(again.epochs().unwrap(), [EpochNumber(12)]);
    let left = folder.files();
    assert!(left.iter().all(|(_, bytes)| !bytes.windows(32).any(|part| part == &wrapped[1..33])));
}

#[test]
fn a_wrapped_epoch_key_opens_under_its_own_number_and_key_file_only() {
    let folder = Folder::new();
    let keys = KeyFile::open_or_create(&folder.join("a/jawoord.key")).unwrap();
    let others = KeyFile::open_or_create(&folder.join("b/jawoord.key")).unwrap();
    keys.create(EPOCH).unwrap();
    let wrapped = fs::read(folder.join("a/epoch-7.key")).unwrap();
    fs::write(folder.join("a/epoch-8.key"), &wrapped).unwrap();
    fs::write(folder.join("b/epoch-7.key"), &wrapped).unwrap();
    let eight = EpochNumber(8);
    assert_eq!(keys.open(eight).err(), Some(ProviderError::Damaged(eight)));
    assert_eq!(others.open(EPOCH).err(), Some(ProviderError::Damaged(EPOCH)));
    for bit in 0..wrapped.len() * 8 {
        let mut damaged = wrapped.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        fs::write(folder.join("a/epoch-7.key"), &damaged).unwrap();
        assert_eq!(keys.open(EPOCH).err(), Some(ProviderError::Damaged(EPOCH)), "bit {bit}");
    }
}

#[test]
fn a_key_that_cannot_be_destroyed_is_reported_as_still_there() {
    let folder = Folder::new();
    let keys = KeyFile::open_or_create(&folder.join("jawoord.key")).unwrap();
    // A folder of that name stands for whatever cannot be written and unlinked.
    fs::create_dir(folder.join("epoch-7.key")).unwrap();
    assert_eq!(keys.destroy(EPOCH).err(), Some(ProviderError::StillThere(EPOCH)));
}

#[test]
fn a_party_has_another_pseudonym_for_every_tenant_use_and_node() {
    let folder = Folder::new();
    let keys = KeyFile::open_or_create(&folder.join("a.key")).unwrap();
    let other_keys = KeyFile::open_or_create(&folder.join("b.key")).unwrap();
    let number = Private::new(CALLER.to_owned());
    let other = TenantId::new("acme-2").unwrap();
    let found = [
        keys.party_key(&tenant(), "catalogue", &number),
        keys.party_key(&other, "catalogue", &number),
        keys.party_key(&tenant(), "export", &number),
        keys.party_key(&tenant(), "catalogue", &Private::new("+31612345679".to_owned())),
        other_keys.party_key(&tenant(), "catalogue", &number),
    ];
    for (place, one) in found.iter().enumerate() {
        assert!(!found[place + 1..].contains(one));
    }
    let again = KeyFile::open(&folder.join("a.key")).unwrap();
    assert_eq!(again.party_key(&tenant(), "catalogue", &number), found[0]);
}

#[test]
fn a_signature_verifies_with_the_trust_file_and_for_nothing_else() {
    let bench = Bench::new();
    let signature = bench.keys.sign(b"what was signed");
    let key = bench.keys.public_key();
    assert!(key.signed(b"what was signed", &signature));
    assert!(!key.signed(b"what was not signed", &signature));
    assert!(bench.trust().knows(&key));
    assert!(!Bench::new().trust().knows(&key));
}
