//! Removal on real files: the clerk's order, resumed after every step, with nothing left behind.

use call::{Erasure, FactKind, Reason};
use ledger::{
    Clerk, ClerkAction, ClerkInput, ClerkReport, Ledger, LedgerError, Obstacle, Order, Refusal,
    Removal, SealedSlip, Taken,
};

use super::fixture::{
    Fixture, commit, find, new_call, new_recording, open_epoch, recording, slip, store, time,
    trusted,
};

const SECONDS: Erasure = Erasure { from: 3, to: 9 };

fn whole(id: u8) -> Order {
    Order { recording: recording(id), removal: Removal::Whole, reason: Reason::Request }
}

fn seconds(id: u8) -> Order {
    let removal = Removal::Seconds(SECONDS);
    Order { recording: recording(id), removal, reason: Reason::Request }
}

/// Does what the keeper does; the store is one flag.
async fn execute(ledger: &Ledger, object: &mut bool, action: ClerkAction) -> ClerkInput {
    let at = time(200);
    let (id, taken) = match action {
        ClerkAction::Intend(id, order) => (id, ledger.intend(at, order).await),
        ClerkAction::Puncture(id, recording, seconds, reason) => {
            let live = ledger.slip(recording).await.unwrap().unwrap();
            let byte = recording.as_bytes()[0];
            let next = slip(byte, live.revision + 1, live.epoch);
            (id, ledger.puncture(at, next, seconds, reason).await)
        }
        ClerkAction::DestroySlip(id, recording) => (id, ledger.destroy_slip(at, recording).await),
        ClerkAction::DeleteObject(id, _) => {
            *object = false;
            (id, Ok(Taken::Done))
        }
        ClerkAction::RemoveRow(id, recording, reason) => {
            (id, ledger.remove_row(at, recording, reason).await)
        }
    };
    match taken {
        Ok(Taken::Done) => ClerkInput::Done(id),
        Ok(Taken::Settled) => ClerkInput::Settled(id),
        Err(error) => ClerkInput::Failed(id, error.obstacle()),
    }
}

async fn carry_out(ledger: &Ledger, clerk: &mut Clerk, object: &mut bool) -> Vec<ClerkReport> {
    while let Some(action) = clerk.poll_action() {
        let input = execute(ledger, object, action).await;
        clerk.handle(input);
    }
    std::iter::from_fn(|| clerk.poll_report()).collect()
}

async fn kinds(ledger: &Ledger, id: u8) -> Vec<FactKind> {
    let facts = ledger.facts_of_recording(recording(id)).await.unwrap();
    facts.iter().map(|entry| entry.kind).collect()
}

#[tokio::test]
async fn l_17_a_deletion_resumed_after_every_step_leaves_nothing_and_proves_it_once() {
    // The program ends after this many steps, before or after the clerk hears of the last.
    for steps in 0..=4 {
        for heard in [false, true] {
            let fixture = Fixture::new();
            let ledger = fixture.open(0).await;
            open_epoch(&ledger, 1).await;
            store(&ledger, 7, 1).await;
            let (mut clerk, mut object) = (Clerk::new(1), true);
            clerk.order(whole(7));
            for step in 1..=steps {
                let action = clerk.poll_action().unwrap();
                let input = execute(&ledger, &mut object, action).await;
                if step < steps || heard {
                    clerk.handle(input);
                }
            }
            ledger.stop().await;

            let ledger = fixture.open(300).await;
            let mut clerk = Clerk::new(1);
            let open = ledger.leftovers.removals.clone();
            assert_eq!(open.len(), usize::from((1..4).contains(&steps)), "after {steps} steps");
            for order in open {
                clerk.resume(order);
            }
            clerk.order(whole(7));
            let reports = carry_out(&ledger, &mut clerk, &mut object).await;
            assert!(matches!(reports[..], [ClerkReport::Removed(..)]), "{reports:?}");
            assert!(!object);
            assert_eq!(ledger.recording(recording(7)).await.unwrap(), None);
            assert_eq!(ledger.evidence(recording(7)).await.unwrap(), None);
            assert_eq!(ledger.slip(recording(7)).await.unwrap(), None);
            assert!(!fixture.holds(&slip(7, 1, 1).sealed[..11]), "after {steps} steps");
            let kinds = kinds(&ledger, 7).await;
            let count = |kind| kinds.iter().filter(|other| **other == kind).count();
            assert_eq!(count(FactKind::DeletionIntended), 1, "{kinds:?}");
            assert_eq!(count(FactKind::RecordingDeleted), 1, "{kinds:?}");
            assert_eq!(count(FactKind::Unrecoverable), 0, "the epoch still exists");
            assert!(ledger.audit(Some(trusted())).await.unwrap().is_proved());
            ledger.stop().await;
        }
    }
}

#[tokio::test]
async fn nothing_is_removed_without_an_intent_nor_out_of_order() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    open_epoch(&ledger, 1).await;
    store(&ledger, 7, 1).await;
    let not_intended = Err(LedgerError::Refused(Refusal::NotIntended));
    let reason = Reason::Request;
    assert_eq!(ledger.destroy_slip(time(9), recording(7)).await, not_intended);
    let punctured = ledger.puncture(time(9), slip(7, 2, 1), SECONDS, reason).await;
    assert_eq!(punctured, not_intended);
    let stays = Err(LedgerError::Refused(Refusal::SlipStays));
    assert_eq!(ledger.remove_row(time(9), recording(7), reason).await, stays);
    ledger.intend(time(9), whole(7)).await.unwrap();
    assert_eq!(ledger.remove_row(time(9), recording(7), reason).await, stays);
    assert_eq!(ledger.slip(recording(7)).await.unwrap(), Some(slip(7, 1, 1)));
    assert!(ledger.recording(recording(7)).await.unwrap().is_some());
    ledger.stop().await;
}

#[tokio::test]
async fn l_17_a_hold_blocks_deletion_and_erasure_and_says_so() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    open_epoch(&ledger, 1).await;
    store(&ledger, 7, 1).await;
    let hold = "INSERT INTO holds (recording_id, placed_at)
        SELECT recording_id, 1 FROM recordings";
    fixture.sql("ledger.db", hold).await;
    assert!(ledger.recording(recording(7)).await.unwrap().unwrap().held);
    assert_eq!(ledger.due(time(1_000), 10).await.unwrap(), []);
    let mut clerk = Clerk::new(1);
    clerk.order(whole(7));
    let reports = carry_out(&ledger, &mut clerk, &mut true).await;
    let held = |report: &ClerkReport| matches!(report, ClerkReport::Open(.., Obstacle::Held));
    assert!(reports.len() == 1 && reports.iter().all(held), "{reports:?}");
    assert_eq!(ledger.intend(time(9), seconds(7)).await, Err(LedgerError::Refused(Refusal::Held)));
    assert_eq!(ledger.open_removals().await.unwrap(), [], "what is held was not even intended");

    fixture.sql("ledger.db", "UPDATE holds SET released_at = 2").await;
    assert_eq!(ledger.due(time(1_000), 10).await.unwrap().len(), 1);
    clerk.retry();
    let reports = carry_out(&ledger, &mut clerk, &mut true).await;
    assert!(matches!(reports[..], [ClerkReport::Removed(..)]), "{reports:?}");
    ledger.stop().await;
}

#[tokio::test]
async fn erased_seconds_cost_the_old_slip_and_the_erasure_is_proved() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    open_epoch(&ledger, 1).await;
    store(&ledger, 7, 1).await;
    assert!(fixture.holds(&slip(7, 1, 1).sealed[..11]));
    assert_eq!(ledger.intend(time(9), seconds(7)).await, Ok(Taken::Done));
    let (reason, stale) = (Reason::Request, slip(7, 3, 1));
    let refused = ledger.puncture(time(9), stale, SECONDS, reason).await;
    let revision = Refusal::SlipRevision { live: 1, given: 3 };
    assert_eq!(refused, Err(LedgerError::Refused(revision)));
    let done = ledger.puncture(time(10), slip(7, 2, 1), SECONDS, reason).await;
    assert_eq!(done, Ok(Taken::Done));
    assert!(!fixture.holds(&slip(7, 1, 1).sealed[..11]), "the old slip is in no file");
    assert!(fixture.holds(&slip(7, 2, 1).sealed[..11]));
    let row = ledger.recording(recording(7)).await.unwrap().unwrap();
    assert_eq!(row.slip, ledger.proved_slip(recording(7)).await.unwrap());
    assert_eq!(row.slip.unwrap().revision, 2);
    let removals = ledger.removals(recording(7)).await.unwrap();
    assert_eq!(removals.len(), 1);
    assert_eq!((removals[0].removal, removals[0].reason), (seconds(7).removal, reason));
    assert_eq!((removals[0].erased_at, removals[0].unrecoverable_at), (Some(time(10)), None));
    let ends = [FactKind::EraseIntended, FactKind::SlipRevised, FactKind::Erased];
    assert_eq!(kinds(&ledger, 7).await[4..], ends);
    // Asked again, everything is settled and nothing is written twice.
    let head = ledger.head();
    assert_eq!(ledger.intend(time(11), seconds(7)).await, Ok(Taken::Settled));
    let again = ledger.puncture(time(11), slip(7, 3, 1), SECONDS, reason).await;
    assert_eq!(again, Ok(Taken::Settled));
    assert_eq!(ledger.head(), head);
    ledger.stop().await;
}

#[tokio::test]
async fn an_erasure_cut_between_the_databases_is_told_only_once_it_is_done() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    open_epoch(&ledger, 1).await;
    store(&ledger, 7, 1).await;
    ledger.intend(time(9), seconds(7)).await.unwrap();
    let broken = "CREATE TRIGGER broken BEFORE UPDATE ON intents
        BEGIN SELECT RAISE(ABORT, 'x'); END";
    fixture.sql("ledger.db", broken).await;
    let failed = ledger.puncture(time(10), slip(7, 2, 1), SECONDS, Reason::Request).await;
    assert!(failed.is_err());
    assert!(!kinds(&ledger, 7).await.contains(&FactKind::Erased));
    fixture.sql("ledger.db", "DROP TRIGGER broken").await;
    ledger.stop().await;

    let ledger = fixture.open(300).await;
    assert_eq!(ledger.leftovers.facts_caught_up, 1, "the slip that stands is the one proved");
    assert_eq!(ledger.leftovers.removals, [seconds(7)]);
    let live = ledger.slip(recording(7)).await.unwrap().unwrap();
    let proved = ledger.proved_slip(recording(7)).await.unwrap().unwrap();
    assert_eq!((live.revision, live.commitment), (proved.revision, proved.commitment));
    assert!(!kinds(&ledger, 7).await.contains(&FactKind::Erased));
    let mut clerk = Clerk::new(1);
    clerk.resume(seconds(7));
    let reports = carry_out(&ledger, &mut clerk, &mut true).await;
    assert!(matches!(reports[..], [ClerkReport::Removed(..)]), "{reports:?}");
    assert_eq!(ledger.slip(recording(7)).await.unwrap().unwrap().revision, 3);
    assert!(kinds(&ledger, 7).await.contains(&FactKind::Erased));
    assert!(ledger.audit(Some(trusted())).await.unwrap().is_proved());
    ledger.stop().await;
}

#[tokio::test]
async fn a_reader_that_keeps_the_log_alive_keeps_the_erasure_open() {
    use sqlx::{Connection, Executor};
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    open_epoch(&ledger, 1).await;
    store(&ledger, 7, 1).await;
    ledger.intend(time(9), whole(7)).await.unwrap();
    let url = format!("sqlite://{}", fixture.path().join("slips.db").display());
    let mut reader = sqlx::SqliteConnection::connect(&url).await.unwrap();
    reader.execute("BEGIN").await.unwrap();
    reader.execute("SELECT COUNT(*) FROM slips").await.unwrap();
    let failed = ledger.destroy_slip(time(10), recording(7)).await;
    assert_eq!(failed, Err(LedgerError::ShredIncomplete));
    assert_eq!(ledger.open_removals().await.unwrap(), [whole(7)]);
    reader.close().await.unwrap();
    assert_eq!(ledger.destroy_slip(time(11), recording(7)).await, Ok(Taken::Done));
    assert!(!fixture.holds(&slip(7, 1, 1).sealed[..11]));
    ledger.stop().await;
}

/// `secure_delete` does not wipe the copies that rows leave behind when they move between the pages
/// of a table, which takes hundreds of slips to happen. Sealed bytes therefore lie in overflow
/// pages only, which never move; such a page begins with a page number, a table's with its type.
#[tokio::test]
async fn no_sealed_byte_lies_in_a_page_whose_rows_may_move() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    open_epoch(&ledger, 1).await;
    for id in 1..=20 {
        ledger.open_call(time(1), new_call(id), Vec::new()).await.unwrap();
        let mut new = new_recording(id, 1);
        new.slip = long_slip(id, 1);
        ledger.commit_recording(time(5), new, Vec::new()).await.unwrap();
    }
    ledger.stop().await;
    let file = std::fs::read(fixture.path().join("slips.db")).unwrap();
    for id in 1..=20 {
        let needle = long_slip(id, 1).sealed;
        let holding: Vec<_> =
            file.chunks(512).filter(|page| find(page, &needle[..11])).map(|page| page[0]).collect();
        assert!(!holding.is_empty() && holding.iter().all(|kind| *kind == 0), "{id}: {holding:?}");
    }
}

/// A slip of 11 to 2,000 bytes; a revision is rarely as long as the one before.
fn long_slip(id: u8, revision: u32) -> SealedSlip {
    let mut slip = slip(id, revision, 1);
    let length = 11 + (usize::from(id) * 7_919 + revision as usize * 1_237) % 1_990;
    slip.sealed = slip.sealed.iter().copied().cycle().take(length).collect();
    slip
}

#[tokio::test]
async fn of_many_slips_replaced_and_destroyed_in_any_order_no_byte_is_left_in_any_file() {
    const SLIPS: u8 = 80;
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    open_epoch(&ledger, 1).await;
    let mut tasks = tokio::task::JoinSet::new();
    for id in 1..=SLIPS {
        let ledger = ledger.ledger.clone();
        tasks.spawn(async move {
            ledger.open_call(time(1), new_call(id), Vec::new()).await.unwrap();
            let mut new = new_recording(id, 1);
            new.slip = long_slip(id, 1);
            ledger.commit_recording(time(5), new, Vec::new()).await.unwrap();
            ledger.intend(time(9), whole(id)).await.unwrap();
        });
    }
    tasks.join_all().await;
    let mut live = vec![Some(1); usize::from(SLIPS) + 1];
    // Pages are emptied, joined, split and used again; a fixed generator says in which order.
    let mut state = 1_u32;
    for _ in 0..120 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let id = u8::try_from((state >> 16) % u32::from(SLIPS)).unwrap() + 1;
        let Some(revision) = live[usize::from(id)] else { continue };
        if state >> 31 == 0 {
            ledger.reseal_slip(time(10), long_slip(id, revision + 1)).await.unwrap();
            live[usize::from(id)] = Some(revision + 1);
        } else {
            ledger.destroy_slip(time(10), recording(id)).await.unwrap();
            live[usize::from(id)] = None;
        }
        let old = long_slip(id, revision).sealed;
        assert!(!fixture.holds(&old[..11]), "slip {id} revision {revision}");
    }
    for id in 1..=SLIPS {
        let revision = live[usize::from(id)];
        let needle = long_slip(id, revision.unwrap_or(1)).sealed;
        assert_eq!(fixture.holds(&needle[..11]), revision.is_some(), "slip {id}");
    }
    assert!(live.iter().flatten().count() < 70, "enough of them went");
    ledger.stop().await;
}

#[tokio::test]
async fn l_05_what_is_due_follows_the_end_of_the_recording_and_of_the_call() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    open_epoch(&ledger, 1).await;
    store(&ledger, 7, 1).await;
    commit(&ledger, 8, 1).await;
    let due = async |at| ledger.due(time(at), 10).await.unwrap();
    assert_eq!(due(159).await, []);
    assert_eq!(due(160).await.len(), 1);
    assert_eq!(due(1_000).await[0].recording, recording(7));
    assert_eq!(due(1_000).await.len(), 1, "the call of the other still runs");
    let words = super::fixture::WORDS;
    let other = super::fixture::call(8);
    ledger.close_call(time(20), other, words, Vec::new(), Vec::new()).await.unwrap();
    let found = due(1_000).await;
    let ids: Vec<_> = found.iter().map(|due| due.recording).collect();
    assert_eq!(ids, [recording(8), recording(7)], "never sealed, due from its permit");
    assert_eq!(ledger.due(time(1_000), 1).await.unwrap().len(), 1);
    ledger.stop().await;
}

#[tokio::test]
async fn an_order_for_a_recording_that_never_was_is_settled() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    assert_eq!(ledger.intend(time(1), whole(9)).await, Ok(Taken::Settled));
    assert_eq!(ledger.head().size, 0);
    ledger.stop().await;
}
