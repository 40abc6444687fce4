//! Key epochs: what a closing one refuses, and when what was erased becomes unrecoverable.

use call::{Erasure, FactKind, Reason, TenantId};
use ledger::{EpochState, Ledger, LedgerError, Order, Refusal, Removal, Taken};

use super::fixture::{
    Fixture, commit, new_call, new_recording, open_epoch, recording, slip, store, tenant, time,
    trusted,
};

const SECONDS: Erasure = Erasure { from: 3, to: 9 };

fn refused<T>(refusal: Refusal) -> Result<T, LedgerError> {
    Err(LedgerError::Refused(refusal))
}

async fn erase_seconds(ledger: &Ledger, id: u8, revision: u32, epoch: u64) {
    let removal = Removal::Seconds(SECONDS);
    let order = Order { recording: recording(id), removal, reason: Reason::Request };
    ledger.intend(time(9), order).await.unwrap();
    let slip = slip(id, revision, epoch);
    ledger.puncture(time(10), slip, SECONDS, Reason::Request).await.unwrap();
}

async fn delete(ledger: &Ledger, id: u8) {
    let removal = Removal::Whole;
    let order = Order { recording: recording(id), removal, reason: Reason::Retention };
    ledger.intend(time(9), order).await.unwrap();
    ledger.destroy_slip(time(10), recording(id)).await.unwrap();
    ledger.remove_row(time(11), recording(id), Reason::Retention).await.unwrap();
}

async fn destroy(ledger: &Ledger, epoch: u64, at: u64) -> Vec<call::RecordingId> {
    ledger.close_epoch(time(at), epoch).await.unwrap();
    ledger.acknowledge_epoch(time(at), epoch).await.unwrap();
    ledger.check_destroyable(epoch).await.unwrap();
    ledger.epoch_destroyed(time(at), epoch).await.unwrap()
}

/// Both dates of the first removal of a recording: erased, unrecoverable.
async fn states(ledger: &Ledger, id: u8) -> (bool, bool) {
    let removals = ledger.removals(recording(id)).await.unwrap();
    (removals[0].erased_at.is_some(), removals[0].unrecoverable_at.is_some())
}

#[tokio::test]
async fn a_closing_epoch_refuses_a_slip_also_past_the_ledger() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    open_epoch(&ledger, 1).await;
    commit(&ledger, 1, 1).await;
    ledger.close_epoch(time(6), 1).await.unwrap();
    ledger.open_call(time(6), new_call(2), Vec::new()).await.unwrap();
    let takes_none = Refusal::EpochTakesNoSlip(1);
    let late = ledger.commit_recording(time(7), new_recording(2, 1), Vec::new()).await;
    assert_eq!(late, refused(takes_none));
    assert_eq!(ledger.recording(recording(2)).await.unwrap(), None);
    let resealed = ledger.reseal_slip(time(7), slip(1, 2, 1)).await;
    assert_eq!(resealed, refused(takes_none));
    assert_eq!(ledger.slip(recording(1)).await.unwrap(), Some(slip(1, 1, 1)));
    ledger.stop().await;

    let statement = "INSERT INTO slips (recording_id, revision, epoch, commitment, filler, sealed)
        VALUES (x'01', 1, 1, x'', zeroblob(512), x'')";
    let past = tokio::spawn(async move { fixture.sql("slips.db", statement).await });
    assert!(past.await.is_err(), "the database itself refuses");
}

#[tokio::test]
async fn an_epoch_goes_open_closing_closed_destroyed_and_never_back() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    assert_eq!(ledger.next_epoch().await.unwrap(), 1);
    open_epoch(&ledger, 1).await;
    assert_eq!(ledger.next_epoch().await.unwrap(), 2);
    let again = ledger.open_epoch(time(1), 1, tenant(), "2026-12").await;
    assert_eq!(again, refused(Refusal::EpochExists(1)));
    assert_eq!(ledger.current_epoch(&tenant(), "2026-12").await.unwrap(), Some(1));
    assert_eq!(ledger.current_epoch(&tenant(), "2027-01").await.unwrap(), None);
    let other = TenantId::new("other").unwrap();
    assert_eq!(ledger.current_epoch(&other, "2026-12").await.unwrap(), None);
    let open = Refusal::EpochState { epoch: 1, state: EpochState::Open };
    assert_eq!(ledger.acknowledge_epoch(time(1), 1).await, refused(open));
    assert_eq!(ledger.check_destroyable(1).await, refused(open));
    assert_eq!(ledger.epoch_destroyed(time(1), 1).await, refused(open));

    ledger.close_epoch(time(2), 1).await.unwrap();
    assert_eq!(ledger.current_epoch(&tenant(), "2026-12").await.unwrap(), None);
    let head = ledger.head();
    ledger.close_epoch(time(2), 1).await.unwrap();
    assert_eq!(ledger.head(), head, "closing twice is one fact");
    let closing = Refusal::EpochState { epoch: 1, state: EpochState::Closing };
    assert_eq!(ledger.epoch_destroyed(time(2), 1).await, refused(closing));
    ledger.acknowledge_epoch(time(3), 1).await.unwrap();
    ledger.check_destroyable(1).await.unwrap();
    assert_eq!(ledger.epoch_destroyed(time(4), 1).await, Ok(Vec::new()));
    let epochs = ledger.epochs().await.unwrap();
    assert_eq!((epochs[0].state, epochs[0].destroyed_at), (EpochState::Destroyed, Some(time(4))));
    assert_eq!(ledger.next_epoch().await.unwrap(), 2, "a number is never used again");
    assert_eq!(ledger.close_epoch(time(5), 9).await, refused(Refusal::EpochUnknown(9)));
    let kinds: Vec<_> =
        ledger.entries(0, 10).await.unwrap().iter().map(|entry| entry.kind).collect();
    let expected = [FactKind::EpochOpened, FactKind::EpochClosed, FactKind::EpochDestroyed];
    assert_eq!(kinds, expected);
    ledger.stop().await;
}

#[tokio::test]
async fn an_epoch_is_not_destroyed_while_it_seals_a_slip() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    open_epoch(&ledger, 1).await;
    open_epoch(&ledger, 2).await;
    for id in 1..=3 {
        store(&ledger, id, 1).await;
    }
    ledger.close_epoch(time(5), 1).await.unwrap();
    ledger.acknowledge_epoch(time(5), 1).await.unwrap();
    let in_use = Refusal::EpochInUse { epoch: 1, slips: 3 };
    assert_eq!(ledger.check_destroyable(1).await, refused(in_use));
    assert_eq!(ledger.epoch_destroyed(time(5), 1).await, refused(in_use));

    // What `keys rotate` does, page by page.
    let mut after = None;
    loop {
        let page = ledger.slips_of_epoch(1, after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.recording);
        for old in page {
            let byte = old.recording.as_bytes()[0];
            ledger.reseal_slip(time(6), slip(byte, 2, 2)).await.unwrap();
            assert!(!fixture.holds(&slip(byte, 1, 1).sealed[..11]));
        }
    }
    let slips = |epochs: &[ledger::Epoch]| [epochs[0].slips, epochs[1].slips];
    assert_eq!(slips(&ledger.epochs().await.unwrap()), [0, 3]);
    assert_eq!(ledger.epoch_destroyed(time(7), 1).await, Ok(Vec::new()));
    assert!(ledger.audit(Some(trusted())).await.unwrap().is_proved());
    ledger.stop().await;
}

#[tokio::test]
async fn a_full_epoch_takes_no_more() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    open_epoch(&ledger, 1).await;
    commit(&ledger, 1, 1).await;
    fixture.sql("slips.db", "UPDATE gates SET slips = 1000000").await;
    ledger.open_call(time(6), new_call(2), Vec::new()).await.unwrap();
    let late = ledger.commit_recording(time(7), new_recording(2, 1), Vec::new()).await;
    assert_eq!(late, refused(Refusal::EpochFull(1)));
    assert_eq!(ledger.current_epoch(&tenant(), "2026-12").await.unwrap(), None);
    // A new revision in the place of the old one is no more than before.
    ledger.reseal_slip(time(8), slip(1, 2, 1)).await.unwrap();
    ledger.stop().await;
}

#[tokio::test]
async fn erased_seconds_are_unrecoverable_once_every_epoch_of_the_old_slips_is_destroyed() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    for epoch in 1..=3 {
        open_epoch(&ledger, epoch).await;
    }
    store(&ledger, 7, 1).await;
    ledger.reseal_slip(time(8), slip(7, 2, 2)).await.unwrap();
    erase_seconds(&ledger, 7, 3, 2).await;
    assert_eq!(states(&ledger, 7).await, (true, false));
    let epochs = ledger.epochs().await.unwrap();
    assert_eq!(
        epochs.iter().map(|epoch| epoch.saw_erasure).collect::<Vec<_>>(),
        [true, true, false]
    );

    assert_eq!(destroy(&ledger, 1, 20).await, [], "epoch 2 sealed revision 2");
    assert_eq!(states(&ledger, 7).await, (true, false));
    ledger.reseal_slip(time(21), slip(7, 4, 3)).await.unwrap();
    assert_eq!(destroy(&ledger, 2, 22).await, [recording(7)]);
    assert_eq!(states(&ledger, 7).await, (true, true));
    let removals = ledger.removals(recording(7)).await.unwrap();
    assert_eq!(removals[0].unrecoverable_at, Some(time(22)));
    let facts = ledger.facts_of_recording(recording(7)).await.unwrap();
    assert_eq!(facts.last().unwrap().kind, FactKind::Unrecoverable);
    ledger.stop().await;
}

#[tokio::test]
async fn a_later_erasure_takes_the_word_back_to_its_own_epochs() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    open_epoch(&ledger, 1).await;
    open_epoch(&ledger, 2).await;
    store(&ledger, 7, 1).await;
    erase_seconds(&ledger, 7, 2, 2).await;
    delete(&ledger, 7).await;
    assert_eq!(destroy(&ledger, 1, 20).await, [], "epoch 2 sealed what was deleted");
    assert_eq!(destroy(&ledger, 2, 21).await, [recording(7)]);
    let removals = ledger.removals(recording(7)).await.unwrap();
    assert!(removals.iter().all(|removal| removal.unrecoverable_at == Some(time(21))));
    ledger.stop().await;
}

#[tokio::test]
async fn a_deleted_recording_is_unrecoverable_with_its_last_epoch_and_no_other_is() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    for epoch in 1..=2 {
        open_epoch(&ledger, epoch).await;
    }
    store(&ledger, 7, 1).await;
    store(&ledger, 8, 2).await;
    delete(&ledger, 7).await;
    delete(&ledger, 8).await;
    assert_eq!(states(&ledger, 7).await, (true, false));
    assert_eq!(destroy(&ledger, 1, 20).await, [recording(7)]);
    assert_eq!(states(&ledger, 8).await, (true, false));
    // The answer of a second destruction is settled and says nothing new.
    let head = ledger.head();
    assert_eq!(ledger.epoch_destroyed(time(21), 1).await, Ok(Vec::new()));
    assert_eq!(ledger.head(), head);
    ledger.stop().await;
}

#[tokio::test]
async fn an_epoch_cut_between_the_databases_is_settled_at_the_next_start() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    open_epoch(&ledger, 1).await;
    let broken = "CREATE TRIGGER broken BEFORE INSERT ON entries
        BEGIN SELECT RAISE(ABORT, 'x'); END";
    fixture.sql("ledger.db", broken).await;
    assert!(ledger.close_epoch(time(2), 1).await.is_err());
    assert!(ledger.open_epoch(time(2), 2, tenant(), "2026-12").await.is_err());
    ledger.stop().await;
    fixture.sql("ledger.db", "DROP TRIGGER broken").await;
    let ledger = fixture.open(10).await;
    let epochs = ledger.epochs().await.unwrap();
    assert_eq!(epochs.len(), 1);
    assert_eq!(epochs[0].state, EpochState::Closing, "its gate was shut");
    assert_eq!(ledger.leftovers.facts_caught_up, 1);
    open_epoch(&ledger, 2).await;
    let removal = Order { recording: recording(1), removal: Removal::Whole, reason: Reason::Empty };
    assert_eq!(ledger.intend(time(11), removal).await, Ok(Taken::Settled));
    ledger.stop().await;
}
