//! Whether the books agree about one call, or one recording: a pure function of what each says.
//!
//! Only the cause is named: what is gone with a row is not missed a second time.

use std::time::Duration;

use call::{Time, Verdict};

use super::{
    finding::Mismatch,
    story::{CallSheet, CallStory, RecordingSheet, RecordingStory, Sheet, Trail},
};
use crate::catalogue::recordings::RecordingState;

/// How long after the end of its call a recording may be on its way to the store, and after its order a
/// deletion on its way out. A store that refuses is tried again for as long as it takes; what is not done
/// after this is named.
pub(crate) const SETTLING: Duration = Duration::from_secs(900);

/// What does not agree about a call.
pub(crate) fn call(story: &CallStory) -> Vec<Mismatch> {
    let row = match &story.row {
        Sheet::Absent if story.opened.is_some() => return vec![Mismatch::CallMissing],
        Sheet::Absent => return Vec::new(),
        Sheet::Unreadable => return vec![Mismatch::CallUnreadable],
        Sheet::Says(row) => row,
    };
    let mut found = Vec::new();
    if row.opening != story.opened {
        let unproved = story.opened.is_none();
        found.push(if unproved { Mismatch::CallUnproved } else { Mismatch::CallDiffers });
    }
    found.extend(end(story, row));
    found
}

/// What does not agree about the end of a call.
fn end(story: &CallStory, row: &CallSheet) -> Option<Mismatch> {
    let Some(words) = row.words else {
        return match (row.closed || story.ended.is_some(), story.runs) {
            (true, _) => Some(Mismatch::VerdictMissing),
            (false, true) => None,
            (false, false) => Some(Mismatch::CallOpen),
        };
    };
    match story.ended {
        None if row.opening.is_some() => return Some(Mismatch::VerdictUnproved),
        Some(ended) if ended != words => return Some(Mismatch::VerdictDiffers),
        None | Some(_) => {}
    }
    let lost = story.recordings.iter().all(|state| *state == RecordingState::Failed);
    (was_recorded(words.verdict) && lost && !story.permitted).then_some(Mismatch::VerdictUnkept)
}

/// Whether a verdict says that there is, or was, a recording.
pub(crate) const fn was_recorded(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Recorded | Verdict::Degraded)
}

/// Whether nothing of a call with this verdict may be kept. A withdrawal may leave what was recorded
/// before it, by policy; and what failed when the call ended may have reached its store later.
const fn denies(verdict: Verdict) -> bool {
    match verdict {
        Verdict::Recorded | Verdict::Degraded | Verdict::Withdrawn | Verdict::Failed => false,
        Verdict::Refused
        | Verdict::NotGiven
        | Verdict::Abandoned
        | Verdict::Unconnected
        | Verdict::PolicyOff
        | Verdict::Emergency
        | Verdict::Blocked
        | Verdict::Transparent
        | Verdict::Confidential
        | Verdict::Closed
        | Verdict::Fax => true,
    }
}

/// What does not agree about a recording at `now`.
pub(crate) fn recording(story: &RecordingStory, now: Time) -> Vec<Mismatch> {
    let trail = &story.trail;
    match &story.row {
        Sheet::Absent => rowless(story),
        Sheet::Says(_) | Sheet::Unreadable if trail.deleted => vec![Mismatch::DeletedRow],
        Sheet::Unreadable => vec![Mismatch::RecordingUnreadable],
        Sheet::Says(row) => {
            let mut found = Vec::new();
            found.extend(permit(row, trail));
            found.extend(evidence(story, row));
            match trail.removing {
                // What is on its way out is here in part, and a restart takes it further.
                Some(since) => found.extend(late(since, now, Mismatch::DeletionUnfinished)),
                None => {
                    found.extend(kept(story, row, now));
                    found.extend(slip(story));
                    let (orders, last) = trail.erasing;
                    let erasing = (orders > 0).then_some(last);
                    found.extend(erasing.and_then(|at| late(at, now, Mismatch::ErasureUnfinished)));
                }
            }
            found
        }
    }
}

/// Names what should be over by now.
fn late(since: Time, now: Time, mismatch: Mismatch) -> Option<Mismatch> {
    (now.since(since) >= SETTLING).then_some(mismatch)
}

/// Of a recording without a row.
fn rowless(story: &RecordingStory) -> Vec<Mismatch> {
    let Trail { permit, deleted, .. } = story.trail;
    if !deleted && permit.is_some() {
        return vec![Mismatch::RecordingMissing];
    }
    let left = [
        (story.object, Mismatch::DeletedObject, Mismatch::ObjectUnowned),
        (story.slip.is_some(), Mismatch::DeletedSlip, Mismatch::SlipUnowned),
    ];
    let named = |(is_left, if_deleted, if_unowned): (bool, Mismatch, Mismatch)| {
        is_left.then_some(if deleted { if_deleted } else { if_unowned })
    };
    let evidence = story.evidence.filter(|_| deleted).map(|_| Mismatch::DeletedEvidence);
    left.into_iter().filter_map(named).chain(evidence).collect()
}

fn permit(row: &RecordingSheet, trail: &Trail) -> Option<Mismatch> {
    let Some(permit) = trail.permit else { return Some(Mismatch::PermitMissing) };
    let mut as_proved = row.permit;
    as_proved.evidence = permit.evidence;
    if as_proved != permit {
        Some(Mismatch::PermitDiffers)
    } else {
        (row.permit != permit).then_some(Mismatch::EvidenceDiffers)
    }
}

/// The tree cannot have been changed, so that what is kept is held against its hash.
fn evidence(story: &RecordingStory, row: &RecordingSheet) -> Option<Mismatch> {
    let hash = story.trail.permit.map_or(row.permit.evidence, |permit| permit.evidence);
    match story.evidence {
        None => Some(Mismatch::EvidenceMissing),
        Some(kept) => (kept != hash).then_some(Mismatch::EvidenceAltered),
    }
}

/// Of the object, and of what the verdict says to it.
fn kept(story: &RecordingStory, row: &RecordingSheet, now: Time) -> Vec<Mismatch> {
    let trail = &story.trail;
    if row.state != RecordingState::Stored {
        return under_way(row, trail, now).into_iter().collect();
    }
    let mut found = Vec::new();
    if row.words.is_some_and(|words| denies(words.verdict)) {
        found.push(Mismatch::VerdictDenied);
    }
    if trail.stored.is_none() || trail.sealed.is_none() {
        found.push(Mismatch::StoredUnproved);
    } else if (trail.stored, trail.sealed) != (row.object, row.manifest) {
        found.push(Mismatch::ObjectDiffers);
    }
    if !story.object {
        found.push(Mismatch::ObjectMissing);
    }
    found
}

/// Of a recording that is not stored by its row.
fn under_way(row: &RecordingSheet, trail: &Trail, now: Time) -> Option<Mismatch> {
    if trail.stored.is_some() {
        return Some(Mismatch::StateBehind);
    }
    // That it failed is a fate too.
    let waits = row.call_closed_at.filter(|_| row.state != RecordingState::Failed);
    waits.and_then(|at| late(at, now, Mismatch::FateMissing))
}

fn slip(story: &RecordingStory) -> Option<Mismatch> {
    match (story.slip, story.trail.slip) {
        (None, _) => Some(Mismatch::SlipMissing),
        // Without a permit there is nothing to hold it against, and that is named already.
        (Some(_), None) => None,
        (Some(live), Some(proved)) => (live != proved).then_some(Mismatch::SlipDiffers),
    }
}
