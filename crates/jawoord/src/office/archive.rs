//! What the office works with, and the two steps of a recording's beginning: slip and commit.

use std::{fmt, fs, io, path::Path, sync::Arc};

use call::{
    AgentId, Digest, Direction, Evidence, Fact, Private, RecordingId, Retention, TenantId, Time,
};
use ledger::{
    Ledger, LedgerConfig, LedgerError, LedgerWriter, Leftovers, NewRecording, Origin, PartyKeys,
    Storage,
};
use tokio::sync::{Mutex, Semaphore, watch};
use vault::{
    CipherError, Country, EpochKey, EpochNumber, KeyFile, KeyFileError, LocalStore, Provider,
    ProviderError, RootSeed, Signer, Sink, Slip, SlipError, Store, StoreError,
};

use super::shelf::Shelf;
use crate::{
    clock::Clock,
    config::{
        controller::Responsible,
        judge::{Place, Settings},
    },
    descriptors::STORES,
};

/// Why the office cannot do something. Each names who can mend it.
#[derive(Debug)]
pub enum OfficeError {
    /// The ledger.
    Ledger(LedgerError),
    /// The key provider.
    Keys(ProviderError),
    /// The key file.
    KeyFile(KeyFileError),
    /// The store.
    Store(StoreError),
    /// A key slip.
    Slip(SlipError),
    /// The cipher or the random source.
    Cipher(CipherError),
    /// A folder of the node.
    Folder(io::Error),
    /// Another process holds the data folder.
    Locked,
    /// The declared country of a folder is no country code.
    Country,
    /// There is no such recording or call.
    Unknown,
    /// The recording has no object yet.
    NotStored,
    /// A folder about this call would be silent about this recording.
    Permitted(RecordingId),
    /// A vCon of the recording would not fit into memory.
    TooLong,
    /// The folder that is to be written holds something already.
    FolderTaken,
    /// The recording does not open.
    Damaged(vault::ReadError),
}

impl fmt::Display for OfficeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ledger(error) => error.fmt(f),
            Self::Keys(error) => error.fmt(f),
            Self::KeyFile(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
            Self::Slip(error) => error.fmt(f),
            Self::Cipher(error) => error.fmt(f),
            Self::Folder(error) => {
                write!(f, "a folder cannot be used ({}); check its rights", error.kind())
            }
            Self::Locked => f.write_str(
                "another process holds the data folder and does not answer; stop it, or wait",
            ),
            Self::Country => f.write_str(
                "the data folder, the keys or the store declare no country; write `country`",
            ),
            Self::Permitted(recording) => write!(
                f,
                "a recording was allowed in this call; `jawoord recordings evidence {recording}` \
                 writes the folder about both"
            ),
            Self::TooLong => f.write_str(
                "the recording is too long for a vCon, which is signed as one text; take its sound with \
                 `recordings export` and its proof with `recordings evidence`",
            ),
            Self::FolderTaken => {
                f.write_str("the folder holds something already; name one that does not exist yet")
            }
            Self::Unknown => f.write_str("there is none with this id; see the list"),
            Self::Damaged(error) => error.fmt(f),
            Self::NotStored => {
                f.write_str("the recording is not stored yet; try again in a moment")
            }
        }
    }
}

impl std::error::Error for OfficeError {}

macro_rules! from {
    ($($error:ty => $variant:ident,)+) => {
        $(impl From<$error> for OfficeError {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        })+
    };
}

from! {
    LedgerError => Ledger,
    ProviderError => Keys,
    KeyFileError => KeyFile,
    StoreError => Store,
    SlipError => Slip,
    CipherError => Cipher,
    io::Error => Folder,
}

/// Ledger, keys and store of one data folder, held under its lock.
pub struct Archive {
    /// Facts at rest.
    pub ledger: Ledger,
    /// The key file.
    pub keys: Arc<KeyFile>,
    /// Sealed recordings.
    pub store: Arc<dyn Store>,
    /// The clock.
    pub clock: Clock,
    /// Where recordings are kept, for their tags.
    pub place: Place,
    /// Who is responsible for recordings, by the newest settings.
    pub controllers: watch::Sender<Vec<Responsible>>,
    /// What callers hear, by its hash.
    pub shelf: Shelf,
    /// Where reports are kept.
    pub reports: std::path::PathBuf,
    /// The spool folder.
    pub spool: std::path::PathBuf,
    /// Held while an epoch is opened.
    pub(crate) opening: Mutex<()>,
    /// Who makes an object has one of these: as many files are open as are kept for it.
    pub(crate) making: Semaphore,
    /// The exclusive lock; it is let go with the process.
    _lock: fs::File,
}

/// Signs for the audit tree with the node's key.
pub(super) struct Notary(pub(super) Arc<KeyFile>);

impl ledger::Signer for Notary {
    fn public_key(&self) -> [u8; 32] {
        *self.0.public_key().as_bytes()
    }

    fn sign(&self, message: &[u8]) -> Option<[u8; 64]> {
        Some(self.0.sign(message))
    }
}

/// An opened archive, its ledger's writer, and what the last run left.
pub struct Opened {
    /// The archive.
    pub archive: Arc<Archive>,
    /// To be run on a task of its own.
    pub writer: LedgerWriter,
    /// Unfinished business.
    pub leftovers: Leftovers,
}

/// The name of every node's tree until nodes have names of their own.
const ORIGIN: &str = "jawoord";

/// The key file's name in its folder.
pub(crate) const KEY_FILE: &str = "node.key";

impl Archive {
    /// Locks and opens everything; makes what is missing.
    ///
    /// # Errors
    /// [`OfficeError`]; nothing is served then.
    pub async fn open(settings: &Settings, clock: Clock) -> Result<Opened, OfficeError> {
        let data = &settings.data.path;
        private_folder(data)?;
        let lock = lock(data)?;
        let keys = Arc::new(KeyFile::open_or_create(&settings.keys.path.join(KEY_FILE))?);
        fs::write(data.join("trust"), keys.public_key().trust_file())?;
        let store = LocalStore::open(&settings.store.path, sink(&settings.store)?)?;
        let origin = Origin::new(ORIGIN).map_err(|_| OfficeError::Unknown)?;
        let config = LedgerConfig::in_folder(data, origin, Arc::new(Notary(Arc::clone(&keys))));
        let (ledger, writer, leftovers) = Ledger::open(config, clock.now()).await?;
        let archive = Arc::new(Self {
            ledger,
            keys,
            store: Arc::new(store),
            clock,
            place: settings.store.clone(),
            controllers: watch::Sender::new(settings.controllers.clone()),
            shelf: Shelf::new(data),
            reports: data.join("reports"),
            spool: data.join("spool"),
            opening: Mutex::new(()),
            making: Semaphore::new(STORES),
            _lock: lock,
        });
        Ok(Opened { archive, writer, leftovers })
    }

    /// Makes the key slip of a recording and commits it with evidence and row (invariant 4b).
    /// Returns the evidence hash and the seed, which exists nowhere else.
    ///
    /// # Errors
    /// [`OfficeError`]; no row exists then.
    pub async fn commit(&self, permit: Wanted) -> Result<(Digest, RootSeed), OfficeError> {
        let Wanted { evidence, retention, direction, customer } = permit;
        let now = self.clock.now();
        let month = month(now + retention.keep);
        let (epoch, key) = self.epoch(&evidence.tenant, &month).await?;
        let seed = RootSeed::random()?;
        let slip = Slip::first(evidence.recording, &seed);
        let slip = sealed(&slip, &evidence.tenant, epoch, &key)?;
        let parties = PartyKeys {
            customer: customer.map(|number| {
                *self.keys.party_key(&evidence.tenant, "catalogue", &number).as_bytes()
            }),
            agent: None,
        };
        let storage =
            Storage { country: self.place.country.clone(), provider: self.place.provider.clone() };
        let recording =
            NewRecording { evidence: *evidence, direction, retention, storage, parties, slip };
        let hash = self.ledger.commit_recording(now, recording, Vec::new()).await?;
        Ok((hash, seed))
    }

    /// The keyed hash under which the Call-ID of a caller's dialog is kept, which may hold an address.
    #[must_use]
    pub fn call_id_key(&self, call_id: &Private<String>) -> Digest {
        self.keys.name_key("call-id", call_id)
    }

    /// The pseudonym of an agent: the beginning of a keyed hash, whose key is that of a tenant and of this use.
    #[must_use]
    pub fn agent_id(&self, tenant: &TenantId, name: &Private<String>) -> AgentId {
        let hash = self.keys.party_key(tenant, "agent", name);
        let mut id = [0; 16];
        id.iter_mut().zip(hash.as_bytes()).for_each(|(byte, of_hash)| *byte = *of_hash);
        AgentId::from_bytes(id)
    }

    /// The live slip of a recording, opened and checked against the newest fact about it.
    ///
    /// # Errors
    /// [`OfficeError::Unknown`] when it has none.
    pub async fn slip(
        &self,
        recording: RecordingId,
        tenant: &TenantId,
    ) -> Result<Slip, OfficeError> {
        let stored = self.ledger.slip(recording).await?.ok_or(OfficeError::Unknown)?;
        let slip = vault::SealedSlip::from_bytes(stored.sealed)?;
        let key = self.keys.open(slip.epoch())?;
        Ok(slip.open(&key, tenant, recording)?)
    }

    /// Writes a fact; one that cannot be written is an alarm, not an answer.
    pub async fn fact(&self, fact: Fact) {
        let kind = fact.kind().as_str();
        if let Err(error) = self.ledger.append(self.clock.now(), vec![fact]).await {
            tracing::error!(kind, %error, "a fact could not be written");
        }
    }
}

/// What a decision asks to be committed.
#[derive(Debug)]
pub struct Wanted {
    /// The evidence.
    pub evidence: Box<Evidence>,
    /// How long the recording is to be kept.
    pub retention: Retention,
    /// Who called whom.
    pub direction: Direction,
    /// The customer's number, unless it was withheld.
    pub customer: Option<Private<String>>,
}

/// A slip sealed under an epoch, as the ledger keeps it.
pub(crate) fn sealed(
    slip: &Slip,
    tenant: &TenantId,
    epoch: EpochNumber,
    key: &EpochKey,
) -> Result<ledger::SealedSlip, CipherError> {
    let sealed = slip.seal(key, epoch, tenant)?;
    Ok(ledger::SealedSlip {
        recording: slip.recording(),
        revision: sealed.revision(),
        epoch: sealed.epoch().0,
        commitment: sealed.commitment(),
        sealed: sealed.as_bytes().to_vec(),
    })
}

/// The month of a moment, such as `2026-12`.
pub(crate) fn month(at: Time) -> String {
    at.to_string().chars().take(7).collect()
}

pub(crate) fn sink(place: &Place) -> Result<Sink, OfficeError> {
    let country = if place.country.is_empty() { "NL" } else { &place.country };
    let country = Country::new(country).ok_or(OfficeError::Country)?;
    Ok(Sink { country, provider: place.provider.clone() })
}

/// Makes a folder that only its owner may enter.
fn private_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

pub(crate) fn lock(data: &Path) -> Result<fs::File, OfficeError> {
    let file =
        fs::File::options().create(true).truncate(false).write(true).open(data.join("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(OfficeError::Locked),
        Err(fs::TryLockError::Error(error)) => Err(error.into()),
    }
}
