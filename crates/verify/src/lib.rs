//! The auditor's offline tool: proves an exported folder with nothing but a key brought along.
//!
//! A folder that `jawoord audit export` wrote holds `entries.jsonl`, `checkpoints.jsonl` and
//! `recordings/<recording id>.jwr`, the sealed objects as stored. Three things are proved: that the
//! trail is whole and signed, that every object is as it was sealed and signed, and that each says
//! the same as the other: no sound without a permit, no recording missing, no deletion that did not
//! happen. Other files in the folder are not looked at, and nothing in it is changed.
//!
//! A folder that `jawoord recordings evidence` wrote is about one decision, and is proved by itself: a
//! signed list names every file, each fact has its path to the signed root of the tree, the permit
//! names the hash of the evidence, and the page is made again from the data.
//!
//! A report that `jawoord report reconcile` or a node by night wrote is proved by the signed line beside it.
//!
//! What is absent on purpose: no socket, no database, no runtime, no key that opens sound. The
//! tool reads ciphertext only and needs neither a node nor anybody's leave.

#![cfg_attr(not(test), warn(clippy::indexing_slicing))]

mod agreement;
mod args;
mod command;
mod difference;
mod evidence;
mod finding;
mod folder;
mod history;
mod object;
mod proof;
mod reconciliation;
mod report;
mod trust;

pub use args::{Args, Kind, Request, UsageError};
pub use command::{Exit, run};
pub use difference::{Difference, What};
pub use evidence::verify_evidence;
pub use finding::{Fault, Finding, Part, PermitField};
pub use folder::{FolderError, RECORDINGS_FOLDER, verify_folder};
pub use proof::Proof;
pub use reconciliation::{Reconciled, verify_report};
pub use report::{Report, Verdict};
pub use trust::{Trusted, TrustedError};
