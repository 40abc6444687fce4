//! The domain: calls, legal grounds, the permit, and the facts that prove what happened.
//!
//! This crate is pure (`std` only). It is told the time and never asks for it, draws no random
//! number, opens nothing, and does not know SIP. It is the vocabulary of every other crate but
//! `sip`.
//!
//! What is absent on purpose: there is no way to obtain a [`Permit`] but to drive a [`Call`]
//! through its inputs until a lawful decision has been committed.

#![cfg_attr(not(test), warn(clippy::indexing_slicing))]

mod agent;
mod alarm;
mod aside;
mod direction;
mod early;
mod encoding;
mod evidence;
mod fact;
mod ground;
mod id;
mod line;
mod machine;
mod named;
mod permit;
mod policy;
mod private;
mod prompt;
mod time;
mod verdict;

pub use agent::{Agent, AgentNews, AgentSource, Queue, QueueError, RecordFrom};
pub use alarm::{Alarm, DeadKeys, HeardAgain, Unheard};
pub use aside::Aside;
pub use direction::Direction;
pub use early::{EarlyNotice, QuestionAt};
pub use evidence::{Evidence, Press, PromptHeard, Raw, Transport};
pub use fact::{Erasure, Fact, FactKind, Hand, Reason};
pub use ground::{Ground, Manner, Parties, Party, Purpose, Purposes};
pub use id::{AgentId, CallId, Digest, IdError, LineId, PolicyId, RecordingId, TenantId};
pub use line::{DialledPattern, EmergencyList, Line, Lines, PatternError};
pub use machine::io::{
    Action, CallOffer, Cause, Connection, Cue, Failure, Fate, Input, Kept, NotReady, Pause, Tone,
};
pub use machine::state::Call;
pub use permit::{Leash, Permit};
pub use policy::{
    Asking, Audience, Confirm, Inbound, Key, KeyError, Keys, Language, OnWithdraw, Outbound,
    Pausing, Policy, PromptId, Recording, Retention, WhenRecordingFails,
};
pub use private::Private;
pub use prompt::Prompt;
pub use time::Time;
pub use verdict::{Consent, Outcome, Verdict, Words};
