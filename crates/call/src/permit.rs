//! The permit: the only value with which audio can be kept, and the only place that mints one.
//!
//! A [`Permit`] has private fields and no `Clone`, `Default` or constructor outside this file.
//! `grant` is called from one transition of the call machine: the one in which the ledger has
//! acknowledged that the decision, its evidence and the key slip are committed (invariant 4c).
//! The machine keeps the [`Leash`]; when it drops, by any path, the permit is dead and the tap
//! that carries it passes nothing more (invariant 2).

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::{
    ground::{Ground, Parties, Purposes},
    id::{CallId, Digest, RecordingId},
};

/// What was decided, lawfully and provably; it comes from the machine and is spent by granting.
pub(crate) struct Decision {
    pub(crate) call: CallId,
    pub(crate) recording: RecordingId,
    pub(crate) ground: Ground,
    pub(crate) purposes: Purposes,
    pub(crate) heard: Parties,
    pub(crate) evidence: Digest,
}

/// Leave to make one recording, as long as its [`Leash`] is held.
///
/// One permit is one recording, one slip, one ground and one retention. A tap consumes it; a
/// writer asks to see it.
pub struct Permit {
    decision: Decision,
    live: Arc<AtomicBool>,
}

/// The machine's half of a permit. Dropping it ends the recording with the packet in hand.
pub struct Leash {
    recording: RecordingId,
    live: Arc<AtomicBool>,
}

impl Permit {
    /// Mints the permit of a committed decision. Nothing else can.
    pub(crate) fn grant(decision: Decision) -> (Self, Leash) {
        let live = Arc::new(AtomicBool::new(true));
        let leash = Leash { recording: decision.recording, live: Arc::clone(&live) };
        (Self { decision, live }, leash)
    }

    /// Whether the leash is still held. A tap asks this for every packet.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.live.load(Ordering::Acquire)
    }

    /// The call that is recorded.
    #[must_use]
    pub const fn call(&self) -> CallId {
        self.decision.call
    }

    /// The one recording this permit allows.
    #[must_use]
    pub const fn recording(&self) -> RecordingId {
        self.decision.recording
    }

    /// The legal ground.
    #[must_use]
    pub const fn ground(&self) -> Ground {
        self.decision.ground
    }

    /// What the recording may be used for.
    #[must_use]
    pub const fn purposes(&self) -> Purposes {
        self.decision.purposes
    }

    /// Who may be heard; the other side is silence.
    #[must_use]
    pub const fn heard(&self) -> Parties {
        self.decision.heard
    }

    /// SHA-256 of the committed evidence (Art. 7(1)).
    #[must_use]
    pub const fn evidence(&self) -> Digest {
        self.decision.evidence
    }
}

impl Leash {
    /// The recording that this leash holds.
    #[must_use]
    pub const fn recording(&self) -> RecordingId {
        self.recording
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        self.live.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Purpose;

    #[test]
    fn a_permit_dies_with_its_leash_and_says_what_was_decided() {
        let (permit, leash) = Permit::grant(Decision {
            call: CallId::from_bytes([1; 16]),
            recording: RecordingId::from_bytes([2; 16]),
            ground: Ground::Consent,
            purposes: [Purpose::Quality].into_iter().collect(),
            heard: Parties::BOTH,
            evidence: Digest::from_bytes([3; 32]),
        });
        assert!(permit.is_live());
        assert_eq!(permit.call(), CallId::from_bytes([1; 16]));
        assert_eq!(permit.recording(), RecordingId::from_bytes([2; 16]));
        assert_eq!(leash.recording(), permit.recording());
        assert_eq!(permit.ground(), Ground::Consent);
        assert_eq!(permit.purposes().to_string(), "quality");
        assert_eq!(permit.heard(), Parties::BOTH);
        assert_eq!(permit.evidence(), Digest::from_bytes([3; 32]));
        drop(leash);
        assert!(!permit.is_live());
    }
}
