//! The order of invariant 4: what a commit leaves behind, and what a failed one does not.

use call::FactKind;
use ledger::{
    CallEnd, CallFilter, CallNames, Database, LadderStep, LedgerError, RecordingFilter,
    RecordingState, Refusal, Station,
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
    let hash = ring::digest::digest(&ring::digest::SHA256, &evidence(7).encode());
    assert_eq!(row.evidence.as_bytes()[..], *hash.as_ref());
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

#[tokio::test]
async fn when_ledger_db_fails_neither_row_nor_slip_remains() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    open_epoch(&ledger, 1).await;
    ledger.open_call(time(1), new_call(7), vec![opened(7)]).await.unwrap();
    let before = ledger.head();
    for table in ["recordings", "evidence", "slip_revisions", "entries", "checkpoints"] {
        let trigger = format!(
            "CREATE TRIGGER broken BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'x'); END"
        );
        fixture.sql("ledger.db", &trigger).await;
        let failed = ledger.commit_recording(time(5), new_recording(7, 1), Vec::new()).await;
        assert!(matches!(failed, Err(LedgerError::Database(Database::Ledger, Some(_)))));
        assert!(ledger.health().fault.is_some(), "a node that cannot write asks nobody");
        assert_eq!(ledger.recording(recording(7)).await.unwrap(), None, "{table}");
        assert_eq!(ledger.head(), before, "{table}");
        fixture.sql("ledger.db", "DROP TRIGGER broken").await;
        // The next change finds the slip without a row and removes it.
        ledger.append(time(6), Vec::new()).await.unwrap();
        assert_eq!(ledger.slip(recording(7)).await.unwrap(), None, "{table}");
        assert_eq!(ledger.health().fault, None);
    }
    ledger.commit_recording(time(7), new_recording(7, 1), Vec::new()).await.unwrap();
    assert!(ledger.audit(Some(trusted())).await.unwrap().is_proved());
    ledger.stop().await;
}

#[tokio::test]
async fn when_slips_db_fails_nothing_is_written_anywhere() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    open_epoch(&ledger, 1).await;
    ledger.open_call(time(1), new_call(7), Vec::new()).await.unwrap();
    let before = ledger.head();
    let trigger =
        "CREATE TRIGGER broken BEFORE INSERT ON slips BEGIN SELECT RAISE(ABORT, 'x'); END";
    fixture.sql("slips.db", trigger).await;
    let failed = ledger.commit_recording(time(5), new_recording(7, 1), Vec::new()).await;
    assert!(matches!(failed, Err(LedgerError::Database(Database::Slips, Some(_)))), "{failed:?}");
    assert_eq!(ledger.recording(recording(7)).await.unwrap(), None);
    assert_eq!(ledger.evidence(recording(7)).await.unwrap(), None);
    assert_eq!(ledger.slip(recording(7)).await.unwrap(), None);
    assert_eq!(ledger.head(), before);
    ledger.stop().await;
}

#[tokio::test]
async fn a_refused_change_harms_no_other_change_of_its_batch() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    open_epoch(&ledger, 1).await;
    for id in 1..=3 {
        ledger.open_call(time(1), new_call(id), Vec::new()).await.unwrap();
    }
    let mut wrong_slip = new_recording(2, 1);
    wrong_slip.slip = slip(9, 1, 1);
    let mut late_slip = new_recording(2, 1);
    late_slip.slip = slip(2, 2, 1);
    let (unknown, again, no_epoch, other, late, good, next) = tokio::join!(
        ledger.commit_recording(time(5), new_recording(8, 1), Vec::new()),
        ledger.open_call(time(5), new_call(1), vec![opened(1)]),
        ledger.commit_recording(time(5), new_recording(1, 5), Vec::new()),
        ledger.commit_recording(time(5), wrong_slip, Vec::new()),
        ledger.commit_recording(time(5), late_slip, Vec::new()),
        ledger.commit_recording(time(5), new_recording(3, 1), Vec::new()),
        ledger.commit_recording(time(5), new_recording(3, 1), Vec::new()),
    );
    let refused = |refusal| Err(LedgerError::Refused(refusal));
    assert_eq!(unknown, refused(Refusal::CallUnknown));
    assert_eq!(again, Err(LedgerError::Refused(Refusal::CallExists)));
    assert_eq!(no_epoch, refused(Refusal::EpochUnknown(5)));
    assert_eq!(other, refused(Refusal::SlipOfAnother));
    assert_eq!(late, refused(Refusal::SlipRevision { live: 0, given: 2 }));
    assert!(good.is_ok());
    assert_eq!(next, refused(Refusal::RecordingExists));
    ledger.append(time(6), Vec::new()).await.unwrap();
    assert_eq!(ledger.slip(recording(8)).await.unwrap(), None, "its slip went with its refusal");
    assert_eq!(ledger.slip(recording(3)).await.unwrap(), Some(slip(3, 1, 1)));
    assert_eq!(ledger.facts_of_call(call(1)).await.unwrap(), []);
    ledger.stop().await;
}

#[tokio::test]
async fn a_call_has_its_row_its_words_once_and_its_ladder() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    ledger.open_call(time(1), new_call(1), vec![opened(1)]).await.unwrap();
    let mut no_line = new_call(2);
    no_line.line = None;
    ledger.open_call(time(2), no_line.clone(), Vec::new()).await.unwrap();
    let row = ledger.call(call(1)).await.unwrap().unwrap();
    assert_eq!((row.closed_at, row.words), (None, None));
    let step = |at, from, to, label| LadderStep::new(time(at), from, to, label).unwrap();
    let ladder = vec![
        step(1, Station::Trunk, Station::Node, "INVITE"),
        step(2, Station::Node, Station::Trunk, "200 OK"),
        step(3, Station::Node, Station::Node, "notice heard"),
    ];
    ledger.close_call(time(9), call(1), WORDS, ladder.clone(), Vec::new()).await.unwrap();
    let row = ledger.call(call(1)).await.unwrap().unwrap();
    assert_eq!((row.opened_at, row.closed_at, row.words), (time(1), Some(time(9)), Some(WORDS)));
    assert_eq!(row.call, new_call(1));
    assert_eq!(ledger.ladder(call(1)).await.unwrap(), ladder);
    let again = ledger.close_call(time(9), call(1), WORDS, ladder, Vec::new()).await;
    assert_eq!(again, Err(LedgerError::Refused(Refusal::CallEnded)));
    let unknown = ledger.close_call(time(9), call(3), WORDS, Vec::new(), Vec::new()).await;
    assert_eq!(unknown, Err(LedgerError::Refused(Refusal::CallUnknown)));

    let all = ledger.calls(&CallFilter::default()).await.unwrap();
    assert_eq!(all.iter().map(|row| row.call.call).collect::<Vec<_>>(), [call(2), call(1)]);
    assert_eq!(all[0].call, no_line);
    let listed = async |filter: CallFilter| ledger.calls(&filter).await.unwrap().len();
    let tenant = new_call(1).line.map(|line| line.tenant);
    assert_eq!(listed(CallFilter { tenant, ..CallFilter::default() }).await, 1);
    assert_eq!(listed(CallFilter { since: Some(time(2)), ..CallFilter::default() }).await, 1);
    assert_eq!(listed(CallFilter { before: Some(time(1)), ..CallFilter::default() }).await, 0);
    assert_eq!(listed(CallFilter { limit: 1, ..CallFilter::default() }).await, 1);
    ledger.stop().await;
}

#[tokio::test]
async fn what_nobody_waits_for_keeps_its_order_and_says_when_it_fails() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    let failures = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let note = |number| {
        let failures = std::sync::Arc::clone(&failures);
        move |done: Result<(), LedgerError>| {
            if let Err(error) = done {
                failures.lock().unwrap().push((number, error));
            }
        }
    };
    let ladder = vec![LadderStep::new(time(1), Station::Trunk, Station::Node, "INVITE").unwrap()];
    for number in 1..=100 {
        ledger.open_call_later(time(1), new_call(number), vec![opened(number)], note(number));
        let end = CallEnd {
            call: call(number),
            words: WORDS,
            ladder: ladder.clone(),
            names: CallNames::default(),
            quality: None,
        };
        ledger.close_call_later(time(2), end.clone(), Vec::new(), note(number));
        if number % 50 == 0 {
            ledger.close_call_later(time(3), end, Vec::new(), note(number));
        }
    }
    ledger.append_later(time(4), vec![opened(1)], note(0));
    // Whoever waits is behind all of them, and they are there when it is.
    ledger.append(time(5), Vec::new()).await.unwrap();
    let ended = LedgerError::Refused(Refusal::CallEnded);
    assert_eq!(*failures.lock().unwrap(), [(50, ended), (100, ended)]);
    for number in 1..=100 {
        assert_eq!(ledger.call(call(number)).await.unwrap().unwrap().words, Some(WORDS));
        assert_eq!(ledger.ladder(call(number)).await.unwrap(), ladder);
    }
    assert_eq!(ledger.head().size, 101);
    assert!(ledger.audit(Some(trusted())).await.unwrap().is_proved());
    ledger.stop().await;
}

#[tokio::test]
async fn a_step_out_of_order_is_refused() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    open_epoch(&ledger, 1).await;
    commit(&ledger, 7, 1).await;
    let refused = Err(LedgerError::Refused(Refusal::RecordingState));
    assert_eq!(ledger.store_recording(time(6), recording(7), digest(1)).await, refused);
    ledger.begin_recording(time(6), recording(7)).await.unwrap();
    assert_eq!(ledger.begin_recording(time(6), recording(7)).await, refused);
    ledger.fail_recording(time(7), recording(7), Vec::new()).await.unwrap();
    let row = ledger.recording(recording(7)).await.unwrap().unwrap();
    assert_eq!((row.state, row.object), (RecordingState::Failed, None));
    assert_eq!(row.delete_after, time(105), "what failed keeps the date of its permit");
    let unknown = ledger.begin_recording(time(6), recording(8)).await;
    assert_eq!(unknown, Err(LedgerError::Refused(Refusal::RecordingUnknown)));
    ledger.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_calls_at_once_are_all_there_in_the_order_they_were_taken() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    let tasks: Vec<_> = (0..1_000_u16)
        .map(|number| {
            let ledger = ledger.ledger.clone();
            tokio::spawn(async move {
                let mut id = [0; 16];
                id[..2].copy_from_slice(&number.to_be_bytes());
                let (mut new, id) = (new_call(0), call::CallId::from_bytes(id));
                new.call = id;
                let at = time(u64::from(number));
                let mut fact = opened(0);
                if let call::Fact::CallOpened { call, .. } = &mut fact {
                    *call = id;
                }
                ledger.open_call(at, new, vec![fact]).await.unwrap();
                ledger.close_call(at, id, WORDS, Vec::new(), Vec::new()).await.unwrap();
                id
            })
        })
        .collect();
    for task in tasks {
        let id = task.await.unwrap();
        assert_eq!(ledger.facts_of_call(id).await.unwrap().len(), 1);
    }
    assert_eq!(ledger.head().size, 1_000);
    assert_eq!(fixture.number("ledger.db", "SELECT COUNT(*) FROM calls").await, 1_000);
    let report = ledger.audit(Some(trusted())).await.unwrap();
    assert!(report.is_proved(), "{report:?}");
    assert_eq!(report.head, ledger.head());
    ledger.stop().await;
}

#[tokio::test]
async fn only_the_owner_reads_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    open_epoch(&ledger, 1).await;
    commit(&ledger, 7, 1).await;
    let mut names = Vec::new();
    for file in std::fs::read_dir(fixture.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", file.file_name());
        names.push(file.file_name());
    }
    assert!(names.len() >= 5, "{names:?}");
    ledger.stop().await;
}

#[tokio::test]
async fn no_value_of_a_person_shows_in_a_row_printed_for_debugging() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    open_epoch(&ledger, 1).await;
    let (mut new, mut secret) = (new_recording(7, 1), [0xAB; 32]);
    secret[0] = 0xCD;
    new.parties.customer = Some(secret);
    ledger.open_call(time(1), new_call(7), vec![opened(7)]).await.unwrap();
    let printed = format!("{new:?}");
    ledger.commit_recording(time(5), new, Vec::new()).await.unwrap();
    let row = ledger.recording(recording(7)).await.unwrap().unwrap();
    let evidence = ledger.evidence(recording(7)).await.unwrap();
    for text in [printed, format!("{row:?}"), format!("{evidence:?}")] {
        assert!(!text.contains("205, 171") && !text.contains("cdab"), "{text}");
    }
    ledger.stop().await;
}
