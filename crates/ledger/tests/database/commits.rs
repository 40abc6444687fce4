//! The order of invariant 4: what a commit leaves behind, and what a failed one does not.

use call::FactKind;
use ledger::{
    CallFilter, Database, LadderStep, LedgerError, RecordingFilter, RecordingState, Refusal,
    Station,
};

use super::fixture::{
    Fixture, WORDS, call, commit, digest, evidence, new_call, new_recording, open_epoch, opened,
    recording, slip, store, time, trusted,
};

#[tokio::test]
async fn a_recording_goes_from_the_permit_to_the_store_with_every_tag() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    open_epoch(&ledger, 1).await;
    store(&ledger, 7, 1).await;

    let row = ledger.recording(recording(7)).await.unwrap().unwrap();
    assert_eq!((row.call, row.state), (call(7), RecordingState::Stored));
    assert_eq!((row.ground, row.purposes), (evidence(7).ground, evidence(7).purposes));
    assert_eq!((&*row.retention_class, &*row.storage.country), ("quality-30d", "NL"));
    assert_eq!(row.delete_after, time(160), "counted from the end of the recording");
    assert_eq!(row.parties.customer, Some([7; 32]));
    assert_eq!(row.words, Some(WORDS));
    assert!(!row.held);
    let object = row.object.unwrap();
    assert_eq!((object.sealed.duration_ms, object.sealed.missing_ms), (12_345, 20));
    assert_eq!(object.sha256, Some(digest(88)));
    assert_eq!(ledger.slip(recording(7)).await.unwrap(), Some(slip(7, 1, 1)));
    assert_eq!(ledger.proved_slip(recording(7)).await.unwrap(), row.slip);
    let body = ledger.evidence(recording(7)).await.unwrap().unwrap();
    assert_eq!(*body.reveal(), evidence(7).encode());

    let facts = ledger.facts_of_recording(recording(7)).await.unwrap();
    let kinds: Vec<_> = facts.iter().map(|entry| entry.kind).collect();
    assert_eq!(
        kinds,
        [
            FactKind::RecordingPermitted,
            FactKind::SlipRevised,
            FactKind::RecordingSealed,
            FactKind::RecordingStored,
        ]
    );
    let report = ledger.audit(Some(trusted())).await.unwrap();
    assert!(report.is_proved(), "{report:?}");
    let filter = RecordingFilter { call: Some(call(7)), ..RecordingFilter::default() };
    assert_eq!(ledger.recordings(&filter).await.unwrap().len(), 1);
    ledger.stop().await;
}
