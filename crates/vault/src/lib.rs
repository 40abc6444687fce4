//! Sound at rest: the recording format, its keys, the spool, the stores, reading, verifying.
//!
//! `FORMAT.md` beside this crate specifies every byte. What is absent on purpose: nothing here
//! knows a phone number (numbers pass through sealed, as [`call::Private`] values), nothing writes
//! plaintext audio to a file but the export that somebody asked for, and without the feature
//! `storage` nothing draws a random number or writes at all.

#![cfg_attr(not(test), warn(clippy::indexing_slicing))]

mod audio;
mod chunk;
mod codec;
mod epoch;
mod format;
mod halfway;
mod metadata;
#[cfg(feature = "storage")]
mod provider;
mod reader;
mod record;
mod residency;
mod secret;
mod segment;
mod shelf;
mod signature;
mod slip;
#[cfg(feature = "storage")]
mod spool;
#[cfg(feature = "storage")]
mod store;
mod tree;
mod verify;
#[cfg(feature = "storage")]
mod writer;

pub use audio::{ExportError, WAV_HEADER_LENGTH, WavHeaderError, export_wav, wav_header};
pub use chunk::{ChunkError, ChunkFault, Gap, Peaks, Second};
pub use codec::Codec;
pub use epoch::{EpochKey, EpochNumber};
pub use format::{
    manifest::{Manifest, ManifestError, Tags},
    merkle::{leaf_hash, root},
    object::{Footer, FooterError, Object, ObjectError},
    row::{Absence, METADATA_CHUNK, Row, RowError, SAMPLES_PER_SECOND, State},
};
pub use metadata::{Metadata, MetadataError, MetadataField};
#[cfg(feature = "storage")]
pub use provider::{
    Provider, ProviderError,
    file::{KeyFile, KeyFileError},
};
pub use reader::{Heard, ReadError, Reader};
pub use record::{ChunkCloses, ChunkOpens, Entry, Record, RecordError};
pub use residency::{Country, OutsideProfile, Profile, RESIDENCY_AS_OF, Sink};
pub use secret::{CipherError, RootSeed};
pub use segment::{OpenError, Opener, Sealer, Segment, StreamSalt, open_stream};
pub use signature::{PublicKey, Signer, Trust, TrustError};
pub use slip::{SealedSlip, Slip, SlipError};
#[cfg(feature = "storage")]
pub use spool::{
    finalise::{FinaliseError, Sealed},
    recover::{Damage, Recovered, recover},
    tape::Tape,
    {Spool, SpoolError},
};
#[cfg(feature = "storage")]
pub use store::{
    local::LocalStore,
    {Source, Store, StoreError, StoreStep},
};
pub use tree::{ChunkKey, Frontier, Leaf, Node, NodeSet, seconds_of};
pub use verify::{Finding, Report, SlipFinding, verify_object, verify_slip};
#[cfg(feature = "storage")]
pub use writer::{
    REORDER_SAMPLES, Writer, WriterConfig, WriterError,
    paper::Paper,
    window::{Decode, Decoded},
};
