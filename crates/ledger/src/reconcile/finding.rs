//! What can be wrong between the books: each mismatch with its name and its sentence.

use call::{CallId, RecordingId, named};

named!(
    /// A way in which two books differ that should say the same.
    Mismatch {
        /// The tree has a call that the catalogue does not.
        CallMissing = "call-missing",
        /// A column of a call's row is damaged.
        CallUnreadable = "call-unreadable",
        /// The catalogue has a call of a line that the tree does not.
        CallUnproved = "call-unproved",
        /// Row and tree name another line, policy or moment of its beginning.
        CallDiffers = "call-differs",
        /// A call was opened, does not run, and never ended.
        CallOpen = "call-open",
        /// A call has ended, and its row has no words.
        VerdictMissing = "verdict-missing",
        /// A call's row has words, and the tree has no end of it.
        VerdictUnproved = "verdict-unproved",
        /// The words of row and tree differ.
        VerdictDiffers = "verdict-differs",
        /// The verdict says recorded, and nothing of the call was ever kept.
        VerdictUnkept = "verdict-unkept",
        /// The verdict says not recorded, and a recording of the call is kept.
        VerdictDenied = "verdict-denied",
        /// The tree permits a recording that is neither in the catalogue nor deleted.
        RecordingMissing = "recording-missing",
        /// A column of a recording's row is damaged.
        RecordingUnreadable = "recording-unreadable",
        /// The catalogue has a recording that no fact permits.
        PermitMissing = "permit-missing",
        /// Row and permit name different calls, grounds, purposes or moments.
        PermitDiffers = "permit-differs",
        /// Row and permit name different evidence.
        EvidenceDiffers = "evidence-differs",
        /// A recording has no evidence.
        EvidenceMissing = "evidence-missing",
        /// The evidence is not the one that the permit was given for.
        EvidenceAltered = "evidence-altered",
        /// A permit whose recording was neither stored nor deleted, long after its call.
        FateMissing = "fate-missing",
        /// The tree says stored, and the row does not.
        StateBehind = "state-behind",
        /// The row says stored, and the tree does not.
        StoredUnproved = "stored-unproved",
        /// Row and tree name different objects or manifests.
        ObjectDiffers = "object-differs",
        /// A stored recording without its object.
        ObjectMissing = "object-missing",
        /// An object that no row names.
        ObjectUnowned = "object-unowned",
        /// A recording without its key slip.
        SlipMissing = "slip-missing",
        /// A key slip that is not the one the tree names last.
        SlipDiffers = "slip-differs",
        /// A key slip that no row names.
        SlipUnowned = "slip-unowned",
        /// A deletion that was ordered long ago and has no end.
        DeletionUnfinished = "deletion-unfinished",
        /// An erasure of seconds that was ordered long ago and has no end.
        ErasureUnfinished = "erasure-unfinished",
        /// A deleted recording whose row is there.
        DeletedRow = "deleted-row",
        /// A deleted recording whose evidence is there.
        DeletedEvidence = "deleted-evidence",
        /// A deleted recording whose key slip is there.
        DeletedSlip = "deleted-slip",
        /// A deleted recording whose object is there.
        DeletedObject = "deleted-object",
    }
);

impl Mismatch {
    /// What it means, in words for whoever has to mend it.
    #[must_use]
    pub const fn says(self) -> &'static str {
        match self {
            Self::CallMissing => "the audit tree has this call, and the catalogue has no row of it",
            Self::CallUnreadable => "the row of this call is damaged",
            Self::CallUnproved => {
                "the catalogue has this call of a line, and the audit tree never saw it open"
            }
            Self::CallDiffers => {
                "the row names another line, policy or beginning of this call than the audit tree"
            }
            Self::CallOpen => "the call was opened, does not run, and has never ended",
            Self::VerdictMissing => "the call has ended, and its row has no verdict",
            Self::VerdictUnproved => "the call has a verdict that is not in the audit tree",
            Self::VerdictDiffers => "the row and the audit tree name different words for this call",
            Self::VerdictUnkept => {
                "the verdict says that the call was recorded, and no recording of it was ever kept"
            }
            Self::VerdictDenied => {
                "a recording is kept of a call whose verdict says that it was not recorded"
            }
            Self::RecordingMissing => {
                "the audit tree permits this recording, which is neither in the catalogue nor deleted"
            }
            Self::RecordingUnreadable => "the row of this recording is damaged",
            Self::PermitMissing => "the recording has a row and no permit in the audit tree",
            Self::PermitDiffers => {
                "the row names another call, ground, purpose or moment than the permit"
            }
            Self::EvidenceDiffers => "the row names other evidence than the permit",
            Self::EvidenceMissing => "the recording has no evidence",
            Self::EvidenceAltered => "the evidence is not the one that the permit was given for",
            Self::FateMissing => {
                "the recording was permitted, its call is over, and it was neither stored nor deleted"
            }
            Self::StateBehind => "the audit tree says that it is stored, and the row does not",
            Self::StoredUnproved => "the row says that it is stored, and the audit tree does not",
            Self::ObjectDiffers => "the row names another object than the audit tree",
            Self::ObjectMissing => "the recording is stored, and the store has no object of it",
            Self::ObjectUnowned => "the store has an object that no row names",
            Self::SlipMissing => "the recording has no key slip, so that nobody can open it",
            Self::SlipDiffers => {
                "the key slip is not the one that the audit tree names last: it was put back"
            }
            Self::SlipUnowned => "there is a key slip that no row names",
            Self::DeletionUnfinished => {
                "the deletion of this recording was ordered, and nothing proves that it was done"
            }
            Self::ErasureUnfinished => {
                "the erasure of a part of this recording was ordered, and nothing proves that it was done"
            }
            Self::DeletedRow => "the recording is deleted, and its row is still there",
            Self::DeletedEvidence => "the recording is deleted, and its evidence is still there",
            Self::DeletedSlip => "the recording is deleted, and its key slip is still there",
            Self::DeletedObject => "the recording is deleted, and its object is still in the store",
        }
    }
}

/// What a mismatch is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum About {
    /// A call.
    Call(CallId),
    /// A recording.
    Recording(RecordingId),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mismatch_says_what_it_is_in_a_sentence_of_its_own() {
        let mut said: Vec<_> = Mismatch::ALL.iter().map(|it| it.says()).collect();
        assert!(said.iter().all(|text| text.contains(' ') && !text.ends_with('.')));
        said.sort_unstable();
        said.dedup();
        assert_eq!(said.len(), Mismatch::ALL.len());
    }
}
