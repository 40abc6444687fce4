//! The page on which people list, hear and verify recordings and see what is wrong with the calls
//! that run, and the JSON beneath it.
//!
//! One room so far: a page on loopback behind a one-time link, on which nothing can be changed but
//! that a running recording be silent for a while. The daemon implements [`Archive`] and [`Floor`]
//! and serves [`Portal::router`] on a loopback listener.
//!
//! What is absent on purpose: no policy is decided here, no SIP is known, no number, name or
//! address of a person is ever in reach (the [`Archive`] has no place for one), nothing is written
//! to a disk, and no recording is held in memory whole.

#![cfg_attr(not(test), warn(clippy::indexing_slicing))]

mod archive;
mod assets;
mod entry;
mod floor;
mod gate;
mod incident;
mod language;
mod page;
mod peaks;
mod playback;
mod problem;
mod range;
mod recordings;
mod router;
mod running;
mod session;
mod sound;
mod wav;

pub use archive::{Archive, Finding, OpenError, Reader, Reading, Slice, Unavailable, VerifyReport};
pub use entry::{CallEntry, Entry, Erasure, ErasureState, State};
pub use floor::{
    AgentError, Ailment, AskError, Floor, Hearing, Now, PauseError, Running, Seated, Taping,
    Trouble, Way, WithdrawError,
};
pub use incident::Incident;
pub use router::Portal;
pub use session::{OneTimeLink, SessionId};
pub use sound::{PEAKS_PER_SECOND, Peak, ReadError, Sound};
