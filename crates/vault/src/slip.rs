//! The key slip: the nodes that still open a recording, sealed under an epoch's key.
//!
//! Erasing seconds makes a new revision of the slip without the nodes above them. Every revision
//! has a salted commitment that the ledger records, so that an old slip put back is named.

use std::fmt;

use call::{Digest, Erasure, RecordingId, TenantId};
use ring::aead::{Aad, Nonce};
use zeroize::Zeroizing;

use crate::{
    epoch::{EpochKey, EpochNumber},
    format::row::METADATA_CHUNK,
    secret::{CipherError, RootSeed, sha256},
    tree::{Leaf, Node, NodeSet},
};

const VERSION: u8 = 1;
/// version ‖ BE32 revision ‖ BE64 epoch ‖ salt.
const CLEAR_LENGTH: usize = 1 + 4 + 8 + 32;
/// depth ‖ BE32 prefix ‖ seed.
const NODE_LENGTH: usize = 1 + 4 + 32;

/// Why a sealed slip gives no slip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlipError {
    /// It is not a sealed slip of a version that this program knows.
    Form,
    /// It was altered, belongs to another recording or tenant, or the epoch's key is another one.
    DoesNotOpen {
        /// The revision it claims to be.
        revision: u32,
        /// The epoch it claims to be sealed under.
        epoch: EpochNumber,
    },
}

impl fmt::Display for SlipError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => f.write_str(
                "this is not a key slip of a known version; restore the slip database from its \
                 own backup",
            ),
            Self::DoesNotOpen { revision, epoch } => write!(
                f,
                "the key slip (revision {revision}, epoch {epoch}) does not open: it was altered \
                 or belongs elsewhere. Run `jawoord audit verify` and restore the slip database \
                 from its own backup"
            ),
        }
    }
}

impl std::error::Error for SlipError {}

/// What still opens one recording. It has no `Clone` and no `Debug`.
pub struct Slip {
    recording: RecordingId,
    revision: u32,
    nodes: NodeSet,
}

impl Slip {
    /// Revision 1 of a recording that begins: the root of its tree.
    #[must_use]
    pub fn first(recording: RecordingId, seed: &RootSeed) -> Self {
        Self { recording, revision: 1, nodes: NodeSet::root(seed) }
    }

    /// Which recording.
    #[must_use]
    pub const fn recording(&self) -> RecordingId {
        self.recording
    }

    /// Which revision, counted from 1.
    #[must_use]
    pub const fn revision(&self) -> u32 {
        self.revision
    }

    /// The nodes it holds.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        self.nodes.nodes()
    }

    /// The next revision, in which these seconds have no key. The metadata chunk keeps its key.
    #[must_use]
    pub fn erase(self, seconds: Erasure) -> Self {
        let gone = seconds.from..seconds.to.min(METADATA_CHUNK);
        Self { nodes: self.nodes.erase(gone), ..self }.renew()
    }

    /// The next revision with the same nodes: what a rotation to another epoch seals.
    #[must_use]
    pub fn renew(self) -> Self {
        Self { revision: self.revision.saturating_add(1), ..self }
    }

    /// Whether the second can still be opened.
    #[must_use]
    pub fn holds(&self, chunk: u32) -> bool {
        self.nodes.holds(chunk)
    }

    /// The seed of a chunk; `None` once it is erased.
    #[must_use]
    pub fn leaf(&self, chunk: u32) -> Option<Leaf> {
        self.nodes.leaf(chunk)
    }

    /// The erased seconds below `seconds`, in order.
    #[must_use]
    pub fn erased(&self, seconds: u32) -> Vec<Erasure> {
        let mut gone = Vec::new();
        let mut from = 0;
        let held = self.nodes.nodes().iter().map(Node::chunks);
        for range in held.chain(std::iter::once(seconds..seconds)) {
            let to = range.start.min(seconds);
            if from < to {
                gone.push(Erasure { from, to });
            }
            from = from.max(range.end);
        }
        gone
    }

    /// Seals this revision under an epoch's key, with a salt of 32 fresh random bytes.
    ///
    /// # Errors
    /// [`CipherError`] when the cipher does not work.
    pub fn seal_with(
        &self,
        key: &EpochKey,
        epoch: EpochNumber,
        tenant: &TenantId,
        salt: [u8; 32],
    ) -> Result<SealedSlip, CipherError> {
        let fields = bound_fields(tenant, self.recording, self.revision, epoch);
        let nodes = self.nodes.nodes();
        let mut clear = Zeroizing::new(Vec::with_capacity(2 + nodes.len() * NODE_LENGTH));
        let count = u16::try_from(nodes.len()).map_err(|_| CipherError)?;
        clear.extend_from_slice(&count.to_be_bytes());
        for node in nodes {
            clear.push(node.depth());
            clear.extend_from_slice(&node.prefix().to_be_bytes());
            clear.extend_from_slice(node.reveal());
        }
        // The salt makes the key; one key seals one slip, so the nonce is constant.
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        let tag = key
            .secret()
            .hkdf(&salt, &[&fields])
            .aes()?
            .seal_in_place_separate_tag(nonce, Aad::from(&fields), &mut clear)
            .map_err(|_| CipherError)?;
        let mut bytes = Vec::with_capacity(CLEAR_LENGTH + clear.len() + 16);
        bytes.push(VERSION);
        bytes.extend_from_slice(&self.revision.to_be_bytes());
        bytes.extend_from_slice(&epoch.0.to_be_bytes());
        bytes.extend_from_slice(&salt);
        bytes.extend_from_slice(&clear);
        bytes.extend_from_slice(tag.as_ref());
        Ok(SealedSlip { revision: self.revision, epoch, salt, bytes })
    }

    /// Seals this revision with a salt from the system's random source.
    ///
    /// # Errors
    /// [`CipherError`] when the cipher or the random source does not work.
    #[cfg(feature = "storage")]
    pub fn seal(
        &self,
        key: &EpochKey,
        epoch: EpochNumber,
        tenant: &TenantId,
    ) -> Result<SealedSlip, CipherError> {
        self.seal_with(key, epoch, tenant, *crate::secret::Secret::random()?.bytes())
    }
}

/// `"jawoord/v1/slip" ‖ BE16 length ‖ tenant ‖ recording ‖ BE32 revision ‖ BE64 epoch`: HKDF info
/// and associated data alike.
fn bound_fields(
    tenant: &TenantId,
    recording: RecordingId,
    revision: u32,
    epoch: EpochNumber,
) -> Vec<u8> {
    let name = tenant.as_str().as_bytes();
    // A tenant's name has at most 64 characters.
    let length = u16::try_from(name.len()).unwrap_or(u16::MAX).to_be_bytes();
    let (revision, epoch) = (revision.to_be_bytes(), epoch.0.to_be_bytes());
    [b"jawoord/v1/slip", &length[..], name, recording.as_bytes(), &revision, &epoch].concat()
}

/// A slip as the database stores it.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedSlip {
    revision: u32,
    epoch: EpochNumber,
    salt: [u8; 32],
    bytes: Vec<u8>,
}

impl SealedSlip {
    /// Reads the clear part of stored bytes.
    ///
    /// # Errors
    /// [`SlipError::Form`] when they are not a sealed slip.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, SlipError> {
        let clear: &[u8; CLEAR_LENGTH] = bytes.first_chunk().ok_or(SlipError::Form)?;
        let (version, rest) = clear.split_first_chunk::<1>().ok_or(SlipError::Form)?;
        let (revision, rest) = rest.split_first_chunk::<4>().ok_or(SlipError::Form)?;
        let (epoch, rest) = rest.split_first_chunk::<8>().ok_or(SlipError::Form)?;
        let salt: [u8; 32] = *rest.first_chunk().ok_or(SlipError::Form)?;
        if *version != [VERSION] {
            return Err(SlipError::Form);
        }
        let (revision, epoch) = (u32::from_be_bytes(*revision), u64::from_be_bytes(*epoch));
        Ok(Self { revision, epoch: EpochNumber(epoch), salt, bytes })
    }

    /// The bytes to store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The revision that it claims; proved by opening it.
    #[must_use]
    pub const fn revision(&self) -> u32 {
        self.revision
    }

    /// The epoch whose key opens it; proved by opening it.
    #[must_use]
    pub const fn epoch(&self) -> EpochNumber {
        self.epoch
    }

    /// What the fact of this revision commits to: SHA-256 over a domain prefix and the sealed
    /// bytes, which hold 32 random bytes of salt.
    #[must_use]
    pub fn commitment(&self) -> Digest {
        sha256(&[b"jawoord/v1/slip-commitment", &self.bytes])
    }

    /// Opens the slip.
    ///
    /// # Errors
    /// [`SlipError`] when it was altered, is not of this tenant and recording, or the key is not
    /// its epoch's.
    pub fn open(
        &self,
        key: &EpochKey,
        tenant: &TenantId,
        recording: RecordingId,
    ) -> Result<Slip, SlipError> {
        let refused = SlipError::DoesNotOpen { revision: self.revision, epoch: self.epoch };
        let fields = bound_fields(tenant, recording, self.revision, self.epoch);
        let sealed = self.bytes.get(CLEAR_LENGTH..).ok_or(SlipError::Form)?;
        let mut buffer = Zeroizing::new(sealed.to_vec());
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        let clear = key
            .secret()
            .hkdf(&self.salt, &[&fields])
            .aes()
            .map_err(|_| refused)?
            .open_in_place(nonce, Aad::from(&fields), &mut buffer)
            .map_err(|_| refused)?;
        let nodes = read_nodes(clear).ok_or(SlipError::Form)?;
        Ok(Slip { recording, revision: self.revision, nodes })
    }
}

fn read_nodes(clear: &[u8]) -> Option<NodeSet> {
    let (count, rest) = clear.split_first_chunk::<2>()?;
    let count = usize::from(u16::from_be_bytes(*count));
    if rest.len() != count * NODE_LENGTH {
        return None;
    }
    let read = |node: &[u8]| {
        let (depth, rest) = node.split_first()?;
        let (prefix, seed) = rest.split_first_chunk::<4>()?;
        Node::new(*depth, u32::from_be_bytes(*prefix), seed.try_into().ok()?)
    };
    NodeSet::from_nodes(rest.chunks_exact(NODE_LENGTH).map(read).collect::<Option<_>>()?)
}
