//! The closed list of auditable facts, and the one text form in which each is committed to.

use std::fmt;

use crate::{
    AgentId, AgentSource, CallId, Consent, Digest, Ground, LineId, Outcome, PolicyId, Purposes,
    RecordingId, TenantId, Time, Verdict, encoding::Encoder, named,
};

named!(
    /// Why audio or a recording was removed.
    Reason {
        /// Its retention ended (Art. 5(1)(e)).
        Retention = "retention",
        /// The customer withdrew consent (Art. 7(3), 17(1)(b)).
        Withdrawal = "withdrawal",
        /// The customer objected (Art. 21(1), 17(1)(c)).
        Objection = "objection",
        /// Somebody entitled asked for it (Art. 17).
        Request = "request",
        /// No audio ever came to it: the parties were never connected.
        Empty = "empty",
    }
);

named!(
    /// Who paused a recording, let it go on, or passed on what its customer said.
    Hand {
        /// The operator, or a program that speaks for it.
        Operator = "operator",
        /// The agent, by a key.
        Agent = "agent",
        /// Nobody, for as long as the policy lets a pause last: it ended by itself.
        Limit = "limit",
    }
);

/// Which seconds of a recording were erased: `[from, to)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Erasure {
    /// First second erased.
    pub from: u32,
    /// First second after it that is kept.
    pub to: u32,
}

impl fmt::Display for Erasure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.from, self.to)
    }
}

macro_rules! facts {
    ($($(#[$doc:meta])* $kind:ident = $name:literal { $($(#[$fdoc:meta])* $field:ident : $type:ty,)+ })+) => {
        /// Something that happened and can be proved later. The list is closed: what is not here
        /// is not audited. No fact holds a number, name, digit or address.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Fact {
            $($(#[$doc])* $kind { $($(#[$fdoc])* $field: $type,)+ },)+
        }

        named!(
            /// The kinds of facts.
            FactKind { $($(#[$doc])* $kind = $name,)+ }
        );

        impl Fact {
            /// Which kind of fact this is.
            #[must_use]
            pub const fn kind(&self) -> FactKind {
                match self {
                    $(Self::$kind { .. } => FactKind::$kind,)+
                }
            }

            /// The stable text of the fact, with the moment at which it was recorded.
            #[must_use]
            pub fn encode(&self, at: Time) -> Vec<u8> {
                let mut text = Encoder::new("jawoord/fact/v1");
                text.field("kind", self.kind().as_str());
                text.field("at", at.as_micros());
                match self {
                    $(Self::$kind { $($field),+ } => {
                        $(text.field(stringify!($field), $field);)+
                    })+
                }
                text.finish()
            }
        }
    };
}

facts! {
    /// The daemon began to serve with this configuration.
    NodeStarted = "node-started" {
        /// SHA-256 of the configuration files as read.
        configuration: Digest,
        /// The program's version.
        version: &'static str,
    }
    /// A new configuration took effect; running calls keep theirs (an instruction, Art. 28).
    ConfigurationChanged = "configuration-changed" {
        /// SHA-256 of the configuration files as read.
        configuration: Digest,
    }
    /// A call was accepted for handling, before it was answered.
    CallOpened = "call-opened" {
        /// The call.
        call: CallId,
        /// Whose line.
        tenant: TenantId,
        /// The line.
        line: LineId,
        /// The policy's name.
        policy: PolicyId,
        /// The policy's version.
        policy_version: u32,
        /// The policy's hash.
        policy_hash: Digest,
    }
    /// The dialogue ended with this word.
    ConsentDecided = "consent-decided" {
        /// The call.
        call: CallId,
        /// The decision.
        consent: Consent,
    }
    /// The customer, who was not asked but told, objected to being recorded (Art. 21).
    CustomerObjected = "customer-objected" {
        /// The call.
        call: CallId,
    }
    /// The house passed on that the customer wants no recording any more: they said so and pressed no
    /// key. What it came to is the fact after this one (Art. 7(3), 21).
    WithdrawalTold = "withdrawal-told" {
        /// The call.
        call: CallId,
        /// Who passed it on.
        by: Hand,
    }
    /// Evidence, key slip and recording row were committed; a permit may exist from here on.
    RecordingPermitted = "recording-permitted" {
        /// The call.
        call: CallId,
        /// The recording.
        recording: RecordingId,
        /// The ground.
        ground: Ground,
        /// The purposes.
        purposes: Purposes,
        /// SHA-256 of the evidence.
        evidence: Digest,
    }
    /// A revision of a key slip took the place of the one before.
    SlipRevised = "slip-revised" {
        /// The recording.
        recording: RecordingId,
        /// The revision, counted from 1.
        revision: u32,
        /// The epoch that seals it.
        epoch: u64,
        /// Salted commitment to the sealed slip.
        commitment: Digest,
    }
    /// The recording's object is complete; its manifest hashes to this.
    RecordingSealed = "recording-sealed" {
        /// The recording.
        recording: RecordingId,
        /// SHA-256 of the signed manifest.
        manifest: Digest,
        /// How many seconds it covers.
        seconds: u32,
        /// Milliseconds known to be missing.
        missing_ms: u64,
    }
    /// The object was written to its store, read back and found equal.
    RecordingStored = "recording-stored" {
        /// The recording.
        recording: RecordingId,
        /// SHA-256 of the object.
        object: Digest,
        /// Country of the store, ISO 3166-1 alpha-2.
        country: Box<str>,
        /// Provider of the store.
        provider: Box<str>,
    }
    /// A recording that a crash had cut was closed after the restart.
    RecordingRecovered = "recording-recovered" {
        /// The recording.
        recording: RecordingId,
        /// How many seconds it covers.
        seconds: u32,
    }
    /// Audio that should have been recorded was not.
    RecordingGap = "recording-gap" {
        /// The recording.
        recording: RecordingId,
        /// How many milliseconds.
        missing_ms: u64,
    }
    /// From this moment on the recording is silence, or stays it for longer (PCI DSS 3.3.1).
    RecordingPaused = "recording-paused" {
        /// The recording.
        recording: RecordingId,
        /// Who wanted it.
        by: Hand,
    }
    /// From this moment on it has sound again, unless somebody holds.
    RecordingResumed = "recording-resumed" {
        /// The recording.
        recording: RecordingId,
        /// Who wanted it.
        by: Hand,
    }
    /// From this moment on this agent talks to the customer of a recording.
    AgentConnected = "agent-connected" {
        /// The recording.
        recording: RecordingId,
        /// Who, by a pseudonym.
        agent: AgentId,
        /// By which queue the customer came to them; empty where that is not known.
        queue: Box<str>,
        /// Who says so.
        by: AgentSource,
    }
    /// From this moment on nobody of the house does: the customer waits, holds, or hears a menu.
    AgentLeft = "agent-left" {
        /// The recording.
        recording: RecordingId,
        /// Who says so.
        by: AgentSource,
    }
    /// From this moment on it is not known who does: who said so last says nothing any more.
    AgentUnknown = "agent-unknown" {
        /// The recording.
        recording: RecordingId,
        /// Who says nothing any more.
        by: AgentSource,
    }
    /// Deletion of these seconds was ordered; a restart resumes from here.
    EraseIntended = "erase-intended" {
        /// The recording.
        recording: RecordingId,
        /// Which seconds.
        seconds: Erasure,
        /// Why.
        reason: Reason,
    }
    /// No live slip opens these seconds any more.
    Erased = "erased" {
        /// The recording.
        recording: RecordingId,
        /// Which seconds.
        seconds: Erasure,
        /// Why.
        reason: Reason,
    }
    /// Deletion of the whole recording was ordered; a restart resumes from here.
    DeletionIntended = "deletion-intended" {
        /// The recording.
        recording: RecordingId,
        /// Why.
        reason: Reason,
    }
    /// Slip, every object version and row are gone, and their absence was checked.
    RecordingDeleted = "recording-deleted" {
        /// The recording.
        recording: RecordingId,
        /// Why.
        reason: Reason,
        /// Hash of the manifest that is gone, zero if none was ever made.
        manifest: Digest,
    }
    /// Every epoch that sealed an earlier slip of what was erased is destroyed: no backup opens it.
    Unrecoverable = "unrecoverable" {
        /// The recording.
        recording: RecordingId,
    }
    /// A key epoch was opened.
    EpochOpened = "epoch-opened" {
        /// The epoch's number.
        epoch: u64,
        /// The tenant.
        tenant: TenantId,
        /// The delete-after month, such as `2026-12`.
        month: Box<str>,
    }
    /// A key epoch accepts no new slip.
    EpochClosed = "epoch-closed" {
        /// The epoch's number.
        epoch: u64,
    }
    /// A key epoch's key no longer exists.
    EpochDestroyed = "epoch-destroyed" {
        /// The epoch's number.
        epoch: u64,
    }
    /// Somebody opened a recording.
    RecordingRead = "recording-read" {
        /// The recording.
        recording: RecordingId,
        /// How: `play`, `export` or `verify`.
        access: &'static str,
    }
    /// Calls, verdicts, evidence and stored objects were held against each other, and what was
    /// found is in a report of this hash.
    Reconciled = "reconciled" {
        /// From when on the calls began that were looked at.
        from: Time,
        /// Those that began from here on were not.
        to: Time,
        /// How many calls.
        calls: u64,
        /// How many recordings, also those that are deleted.
        recordings: u64,
        /// How many objects the store holds.
        objects: u64,
        /// How many mismatches were found.
        mismatches: u64,
        /// SHA-256 of the report that names them.
        report: Digest,
    }
    /// The call ended with its three words.
    CallEnded = "call-ended" {
        /// The call.
        call: CallId,
        /// What the customer decided.
        consent: Consent,
        /// What became of the call.
        outcome: Outcome,
        /// What became of the recording.
        verdict: Verdict,
    }
}
