//! The key file: one node's wrapping key and signing key, and the wrapped epoch keys beside it.
//!
//! It belongs OUTSIDE the data folder (by default `<data>.keys/jawoord.key`). A copy of the data
//! folder then opens nothing by itself, and after an epoch's key is destroyed here no copy of the
//! data folder, however old, opens what that epoch sealed. A backup of the keys' folder undoes
//! this for as long as it is kept, so it has a retention of its own, shorter than any window in
//! which an erasure is to become unrecoverable. Overwriting before unlinking reaches the file's
//! blocks only on file systems and disks that write in place.

use std::{
    fmt,
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, ErrorKind, Read, Write},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

use call::{Digest, Private, TenantId};
use ring::{
    aead::{Aad, Nonce},
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair},
};
use tempfile::Builder;
use zeroize::Zeroizing;

use super::{Provider, ProviderError};
use crate::{
    epoch::{EpochKey, EpochNumber},
    secret::{CipherError, Secret},
    signature::{PublicKey, Signer},
};

const TITLE: &str = "jawoord-key-file/v1";
/// More than any key file of ours.
const LENGTH_LIMIT: u64 = 4_096;
/// version ‖ salt ‖ sealed key ‖ tag.
const EPOCH_LENGTH: usize = 1 + 32 + 32 + 16;

/// Why a key file cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFileError {
    /// Others than its owner may read or write it.
    OpenToOthers {
        /// Its permission bits.
        mode: u32,
    },
    /// It is no key file, or damaged.
    Damaged,
    /// The random source or the signature algorithm does not work.
    Cipher(CipherError),
    /// It could not be read or made.
    Io(ErrorKind),
}

impl fmt::Display for KeyFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OpenToOthers { mode } => write!(
                f,
                "the key file can be read or written by others than its owner (mode {mode:04o}); \
                 run `chmod 600` on it, and make new keys if others have had access"
            ),
            Self::Damaged => f.write_str(
                "the key file is damaged or no key file; restore it from its own backup. A new \
                 one opens nothing that the old one sealed",
            ),
            Self::Cipher(error) => error.fmt(f),
            Self::Io(kind) => write!(
                f,
                "the key file could not be read or made ({kind}); check its folder and its owner"
            ),
        }
    }
}

impl std::error::Error for KeyFileError {}

impl From<CipherError> for KeyFileError {
    fn from(error: CipherError) -> Self {
        Self::Cipher(error)
    }
}

impl From<io::Error> for KeyFileError {
    fn from(error: io::Error) -> Self {
        Self::Io(error.kind())
    }
}

/// An open key file. It has no `Clone` and no `Debug`.
pub struct KeyFile {
    folder: PathBuf,
    wrapping: Secret,
    signing: Ed25519KeyPair,
}

impl KeyFile {
    /// Opens the key file, or makes it on the first start: in exclusive mode, readable by its
    /// owner only, in a folder (made if need be) that only its owner may enter.
    ///
    /// # Errors
    /// [`KeyFileError`], among them that others may read it.
    pub fn open_or_create(path: &Path) -> Result<Self, KeyFileError> {
        let opened = Self::open(path);
        if matches!(opened, Err(KeyFileError::Io(ErrorKind::NotFound))) {
            create(path)?;
            return Self::open(path);
        }
        opened
    }

    /// Opens an existing key file.
    ///
    /// # Errors
    /// [`KeyFileError`], among them that others may read it.
    pub fn open(path: &Path) -> Result<Self, KeyFileError> {
        let file = File::open(path)?;
        let mode = file.metadata()?.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(KeyFileError::OpenToOthers { mode });
        }
        let mut text = Zeroizing::new(Vec::with_capacity(LENGTH_LIMIT as usize));
        file.take(LENGTH_LIMIT).read_to_end(&mut text)?;
        let text = std::str::from_utf8(&text).map_err(|_| KeyFileError::Damaged)?;
        let (wrapping, signing) = parse(text).ok_or(KeyFileError::Damaged)?;
        let signing = Ed25519KeyPair::from_pkcs8(&signing).map_err(|_| KeyFileError::Damaged)?;
        Ok(Self { folder: folder_of(path), wrapping, signing })
    }

    /// The keyed hash under which a party appears in catalogue and manifest: one key per tenant
    /// and use, so that neither can be joined with another.
    #[must_use]
    pub fn party_key(
        &self,
        tenant: &TenantId,
        purpose: &'static str,
        number: &Private<String>,
    ) -> Digest {
        let name = tenant.as_str().as_bytes();
        let length = u16::try_from(name.len()).unwrap_or(u16::MAX).to_be_bytes();
        let info: [&[u8]; 4] = [b"jawoord/v1/party", &length, name, purpose.as_bytes()];
        let key = self.wrapping.hkdf(&[], &info);
        Digest::from_bytes(*key.hmac(&[number.reveal().as_bytes()]).bytes())
    }

    /// The keyed hash of a name that belongs to no tenant, such as a Call-ID: one key per use.
    #[must_use]
    pub fn name_key(&self, purpose: &'static str, name: &Private<String>) -> Digest {
        let info: [&[u8]; 2] = [b"jawoord/v1/name", purpose.as_bytes()];
        let key = self.wrapping.hkdf(&[], &info);
        Digest::from_bytes(*key.hmac(&[name.reveal().as_bytes()]).bytes())
    }

    fn epoch_path(&self, epoch: EpochNumber) -> PathBuf {
        self.folder.join(format!("epoch-{epoch}.key"))
    }

    /// Every file that holds the key of an epoch.
    fn copies(&self, epoch: EpochNumber) -> io::Result<Vec<PathBuf>> {
        let name = format!("epoch-{epoch}.key");
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let file = entry.file_name();
            let rest = file.to_str().and_then(|file| file.strip_prefix(&name));
            if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.')) {
                found.push(entry.path());
            }
        }
        Ok(found)
    }

    /// The key that wraps one epoch's key, and what it is bound to.
    fn wrap_key(&self, epoch: EpochNumber, salt: &[u8; 32]) -> (Secret, Vec<u8>) {
        let fields = [b"jawoord/v1/epoch", &epoch.0.to_be_bytes()[..]].concat();
        (self.wrapping.hkdf(salt, &[&fields]), fields)
    }

    fn wrap(&self, epoch: EpochNumber, key: &EpochKey) -> Result<Vec<u8>, CipherError> {
        let salt = *Secret::random()?.bytes();
        let (wrapping, fields) = self.wrap_key(epoch, &salt);
        let mut sealed = Zeroizing::new(key.secret().bytes().to_vec());
        let tag = wrapping
            .aes()?
            .seal_in_place_separate_tag(nonce(), Aad::from(&fields), &mut sealed)
            .map_err(|_| CipherError)?;
        Ok([&[1][..], &salt, &sealed, tag.as_ref()].concat())
    }

    fn unwrap(&self, epoch: EpochNumber, wrapped: &[u8]) -> Result<EpochKey, ProviderError> {
        let damaged = || ProviderError::Damaged(epoch);
        let rest = wrapped.strip_prefix(&[1]).ok_or_else(damaged)?;
        let (salt, sealed) = rest.split_first_chunk::<32>().ok_or_else(damaged)?;
        let (wrapping, fields) = self.wrap_key(epoch, salt);
        let mut buffer = Zeroizing::new(sealed.to_vec());
        let clear = wrapping
            .aes()?
            .open_in_place(nonce(), Aad::from(&fields), &mut buffer)
            .map_err(|_| damaged())?;
        let key = clear.first_chunk::<32>().filter(|_| clear.len() == 32).ok_or_else(damaged)?;
        Ok(EpochKey::from_bytes(*key))
    }
}

/// Every wrapping key wraps one epoch key, so the nonce is constant.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

impl Provider for KeyFile {
    fn create(&self, epoch: EpochNumber) -> Result<EpochKey, ProviderError> {
        let key = EpochKey::random()?;
        let wrapped = self.wrap(epoch, &key)?;
        let path = self.epoch_path(epoch);
        match write_once(&path, &wrapped) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Err(ProviderError::Exists(epoch))
            }
            Err(error) => Err(error.into()),
            Ok(()) => Ok(key),
        }
    }

    fn open(&self, epoch: EpochNumber) -> Result<EpochKey, ProviderError> {
        match fs::read(self.epoch_path(epoch)) {
            Ok(wrapped) => self.unwrap(epoch, &wrapped),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(ProviderError::Unknown(epoch)),
            Err(error) => Err(error.into()),
        }
    }

    fn destroy(&self, epoch: EpochNumber) -> Result<(), ProviderError> {
        // What a crash in the middle of `create` left counts as the key too.
        let copies = || self.copies(epoch).map_err(|_| ProviderError::StillThere(epoch));
        for path in copies()? {
            wipe(&path).map_err(|_| ProviderError::StillThere(epoch))?;
        }
        let synced = File::open(&self.folder).and_then(|folder| folder.sync_all());
        synced.map_err(|_| ProviderError::StillThere(epoch))?;
        if copies()?.is_empty() { Ok(()) } else { Err(ProviderError::StillThere(epoch)) }
    }

    fn epochs(&self) -> Result<Vec<EpochNumber>, ProviderError> {
        let mut epochs = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            let number = name
                .to_str()
                .and_then(|name| name.strip_prefix("epoch-")?.strip_suffix(".key")?.parse().ok());
            epochs.extend(number.map(EpochNumber));
        }
        epochs.sort_unstable();
        Ok(epochs)
    }
}

impl Signer for KeyFile {
    fn public_key(&self) -> PublicKey {
        let mut bytes = [0; 32];
        let public = self.signing.public_key();
        bytes.iter_mut().zip(public.as_ref()).for_each(|(to, from)| *to = *from);
        PublicKey::from_bytes(bytes)
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut bytes = [0; 64];
        let signature = self.signing.sign(message);
        bytes.iter_mut().zip(signature.as_ref()).for_each(|(to, from)| *to = *from);
        bytes
    }
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        Some(_) | None => PathBuf::from("."),
    }
}

fn create(path: &Path) -> Result<(), KeyFileError> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder_of(path))?;
    let wrapping = Secret::random()?;
    let signing = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| CipherError)?;
    let mut text = Zeroizing::new(Vec::with_capacity(LENGTH_LIMIT as usize));
    text.extend_from_slice(TITLE.as_bytes());
    for (name, secret) in [("wrap", &wrapping.bytes()[..]), ("sign", signing.as_ref())] {
        text.extend_from_slice(b"\n");
        text.extend_from_slice(name.as_bytes());
        text.extend_from_slice(b" ");
        for byte in secret {
            let digit = |value: u8| b"0123456789abcdef".get(usize::from(value)).copied();
            text.extend([byte >> 4, byte & 15].into_iter().filter_map(digit));
        }
    }
    text.extend_from_slice(b"\n");
    match write_once(path, &text) {
        // Another start of the same node was faster; its file counts.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        other => Ok(other?),
    }
}

/// Overwrites a wrapped key, then unlinks it.
fn wipe(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    file.write_all(&[0; EPOCH_LENGTH])?;
    file.sync_all()?;
    fs::remove_file(path)
}

/// Writes a file that must not exist yet: whole or not at all, on the disk when this returns. Of two
/// that write the same one at the same time, one succeeds.
fn write_once(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = folder_of(path);
    // The name of the file and a point, by which [`KeyFile::copies`] finds what a crash leaves.
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    let mut part = Builder::new()
        .prefix(&name)
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(&folder)?;
    part.write_all(bytes)?;
    part.as_file().sync_all()?;
    part.persist_noclobber(path)?;
    File::open(folder)?.sync_all()
}

fn parse(text: &str) -> Option<(Secret, Zeroizing<Vec<u8>>)> {
    let mut lines = text.lines();
    if lines.next()? != TITLE {
        return None;
    }
    let wrapping = hex(lines.next()?.strip_prefix("wrap ")?)?;
    let signing = hex(lines.next()?.strip_prefix("sign ")?)?;
    let wrapping = wrapping.first_chunk::<32>().filter(|_| wrapping.len() == 32)?;
    lines.next().is_none().then_some((Secret::new(*wrapping), signing))
}

fn hex(digits: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(digits.len() / 2));
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    for pair in digits.as_bytes().as_chunks::<2>().0 {
        let [high, low] = pair.map(|digit| char::from(digit).to_digit(16));
        bytes.push(u8::try_from(high? << 4 | low?).ok()?);
    }
    Some(bytes)
}
