//! Starting: what is refused (invariant 9), what is found, and what goes on where it stopped.

use call::{Fact, RecordingId, Time};
use ledger::{
    CallEnd, CallNames, CallQuality, Database, LadderStep, Ledger, LedgerConfig, LedgerError,
    LegQuality, NoteError, Origin, Score, Station,
};
use std::sync::Arc;

use super::fixture::{
    Fixture, Key, WORDS, call, commit, copy_files, digest, new_call, open_epoch, recording, sealed,
    slip, store, tenant, time, trusted,
};

fn fact(id: u8) -> Vec<Fact> {
    vec![Fact::RecordingRead { recording: RecordingId::from_bytes([id; 16]), access: "play" }]
}

#[tokio::test]
async fn a_restart_goes_on_with_the_same_tree() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    for id in 0..37 {
        ledger.append(time(1), fact(id)).await.unwrap();
    }
    let head = ledger.head();
    ledger.stop().await;
    let ledger = fixture.open(10).await;
    assert_eq!(ledger.head(), head);
    ledger.append(time(11), fact(99)).await.unwrap();
    let proof = ledger.consistency_proof(37, 38).await.unwrap();
    assert!(proof.holds(head, ledger.head()));
    assert!(ledger.audit(Some(trusted())).await.unwrap().is_proved());
    ledger.stop().await;
}

#[tokio::test]
async fn an_older_database_put_back_is_refused_with_both_sizes() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    ledger.append(time(1), fact(1)).await.unwrap();
    ledger.stop().await;
    let old = fixture.copy();
    let ledger = fixture.open(2).await;
    ledger.append(time(3), fact(2)).await.unwrap();
    ledger.append(time(3), fact(3)).await.unwrap();
    ledger.stop().await;
    std::fs::copy(old.path().join("ledger.db"), fixture.path().join("ledger.db")).unwrap();
    assert_eq!(fixture.refusal(4).await, LedgerError::RolledBack { tree: 1, checkpoint: 3 });
    // Nothing was appended by the refused start.
    let count = fixture.number("ledger.db", "SELECT COUNT(*) FROM entries").await;
    assert_eq!(count, 1);
    std::fs::remove_file(fixture.path().join("ledger.db")).unwrap();
    assert_eq!(fixture.refusal(4).await, LedgerError::RolledBack { tree: 0, checkpoint: 3 });
}

#[tokio::test]
async fn another_past_of_the_same_length_is_refused() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    ledger.append(time(1), fact(1)).await.unwrap();
    ledger.stop().await;
    let fork = fixture.copy();
    let ledger = fixture.open(2).await;
    ledger.append(time(3), fact(2)).await.unwrap();
    ledger.stop().await;
    let other = Fixture { folder: fork };
    let ledger = other.open(2).await;
    ledger.append(time(3), fact(2)).await.unwrap();
    ledger.append(time(3), fact(3)).await.unwrap();
    ledger.stop().await;
    std::fs::copy(other.path().join("ledger.db"), fixture.path().join("ledger.db")).unwrap();
    assert_eq!(fixture.refusal(4).await, LedgerError::Forked { size: 2 });
}

#[tokio::test]
async fn a_missing_garbled_or_foreign_checkpoint_is_refused() {
    let fixture = Fixture::new();
    let file = fixture.path().join("checkpoint");
    let ledger = fixture.open(0).await;
    assert!(file.exists(), "the first checkpoint is there before the first entry");
    ledger.append(time(1), fact(1)).await.unwrap();
    ledger.stop().await;
    let sound = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(fixture.refusal(2).await, LedgerError::CheckpointMissing { tree: 1 });
    std::fs::write(&file, "garbage").unwrap();
    let garbled = LedgerError::CheckpointUnreadable(NoteError::Line(4));
    assert_eq!(fixture.refusal(2).await, garbled);
    std::fs::write(&file, sound.replacen("\n1\n", "\n0\n", 1)).unwrap();
    assert_eq!(fixture.refusal(2).await, LedgerError::CheckpointForeign);
    std::fs::write(&file, &sound).unwrap();
    for (origin, key) in [("elsewhere", 1), ("node1.example.nl/jawoord", 2)] {
        let origin = Origin::new(origin).unwrap();
        let config = LedgerConfig::in_folder(fixture.path(), origin, Arc::new(Key::new(key)));
        let refused = Ledger::open(config, time(2)).await.err();
        assert_eq!(refused, Some(LedgerError::CheckpointForeign));
    }
    fixture.open(3).await.stop().await;
}

#[tokio::test]
async fn a_tree_whose_edge_is_damaged_is_refused() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    for id in 0..4 {
        ledger.append(time(1), fact(id)).await.unwrap();
    }
    ledger.stop().await;
    fixture.sql("ledger.db", "UPDATE nodes SET hash = zeroblob(32) WHERE level = 2").await;
    assert_eq!(fixture.refusal(2).await, LedgerError::TreeDamaged);
    fixture.sql("ledger.db", "DELETE FROM nodes").await;
    assert_eq!(fixture.refusal(2).await, LedgerError::TreeDamaged);
}

#[tokio::test]
async fn an_older_slips_db_put_back_is_refused() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    open_epoch(&ledger, 1).await;
    commit(&ledger, 7, 1).await;
    ledger.stop().await;
    let old = fixture.copy();
    let ledger = fixture.open(2).await;
    commit(&ledger, 8, 1).await;
    ledger.stop().await;
    std::fs::copy(old.path().join("slips.db"), fixture.path().join("slips.db")).unwrap();
    let refused = fixture.refusal(4).await;
    assert!(matches!(refused, LedgerError::SlipsRolledBack { found: 2, expected: 3 }), "{refused}");
}

#[tokio::test]
async fn slips_are_never_swept_for_a_ledger_that_does_not_know_them() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    open_epoch(&ledger, 1).await;
    commit(&ledger, 7, 1).await;
    ledger.stop().await;
    std::fs::remove_file(fixture.path().join("ledger.db")).unwrap();
    std::fs::remove_file(fixture.path().join("checkpoint")).unwrap();
    assert_eq!(fixture.refusal(4).await, LedgerError::SlipsWithoutLedger { slips: 1 });
    assert!(fixture.holds(&slip(7, 1, 1).sealed[..11]));
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused() {
    let fixture = Fixture::new();
    fixture.open(0).await.stop().await;
    fixture.sql("slips.db", "INSERT INTO schema_version (version) VALUES (9)").await;
    let newer = LedgerError::SchemaNewer { database: Database::Slips, found: 9, known: 1 };
    assert_eq!(fixture.refusal(1).await, newer);
}

#[tokio::test]
async fn a_ledger_of_the_first_version_gets_names_and_keeps_its_ladders() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    ledger.open_call(time(1), new_call(1), Vec::new()).await.unwrap();
    ledger.close_call(time(2), call(1), WORDS, Vec::new(), Vec::new()).await.unwrap();
    ledger.stop().await;
    // As the first version left it.
    for (column, index) in [
        ("near_key", "near_key"),
        ("far_call_id", "far_call_id"),
        ("near_end", "near_end"),
        ("far_end", "far_end"),
    ] {
        fixture.sql("ledger.db", &format!("DROP INDEX calls_by_{index}")).await;
        fixture.sql("ledger.db", &format!("ALTER TABLE calls DROP COLUMN {column}")).await;
    }
    let table = "CREATE TABLE ladder (call_id BLOB NOT NULL REFERENCES calls (call_id),
        step BIGINT NOT NULL, at BIGINT NOT NULL, from_station TEXT NOT NULL,
        to_station TEXT NOT NULL, label TEXT NOT NULL, PRIMARY KEY (call_id, step))";
    let steps = "INSERT INTO ladder SELECT call_id, 1, 5, 'node', 'pbx', '200 OK' FROM calls
        UNION SELECT call_id, 0, 4, 'trunk', 'node', 'INVITE' FROM calls";
    let [ladder, quality] =
        ["ladder", "quality"].map(|name| format!("ALTER TABLE calls DROP COLUMN {name}"));
    for statement in [&*ladder, &quality, table, steps] {
        fixture.sql("ledger.db", statement).await;
    }
    fixture.sql("ledger.db", "DROP INDEX entries_that_begin").await;
    fixture.sql("ledger.db", "DELETE FROM schema_version WHERE version > 1").await;
    let ledger = fixture.open(3).await;
    let old = ledger.call(call(1)).await.unwrap().unwrap();
    let at = |microseconds| Time::from_micros(microseconds);
    let ladder = [
        LadderStep::new(at(4), Station::Trunk, Station::Node, "INVITE").unwrap(),
        LadderStep::new(at(5), Station::Node, Station::Pbx, "200 OK").unwrap(),
    ];
    assert_eq!(ledger.ladder(call(1)).await.unwrap(), ladder);
    assert_eq!((old.words, old.names, old.quality), (Some(WORDS), CallNames::default(), None));
    ledger.open_call(time(4), new_call(2), Vec::new()).await.unwrap();
    let names = CallNames {
        near_key: Some(digest(7)),
        far_call_id: Some("f00d".into()),
        session: Some(["a".into(), "b".into()]),
    };
    let score = Score { lost_of_10000: 100, jitter_us: 1_250, mos_hundredths: 431 };
    let leg = LegQuality { received: Some(score), ..LegQuality::default() };
    let quality = Some(CallQuality { customer: leg, agent: LegQuality::default() });
    let ladder = Vec::new();
    let end = CallEnd { call: call(2), words: WORDS, ladder, names: names.clone(), quality };
    ledger.close_call_later(time(5), end, Vec::new(), |done| done.unwrap());
    ledger.append(time(5), Vec::new()).await.unwrap();
    let new = ledger.call(call(2)).await.unwrap().unwrap();
    assert_eq!((new.names, new.quality), (names, quality));
    for (key, name) in [(7, "x"), (0, "f00d"), (0, "a"), (0, "b")] {
        let found = ledger.calls_named(digest(key), name).await.unwrap();
        assert_eq!(found.len(), 1, "{name}");
        assert_eq!(found[0].call.call, call(2));
    }
    assert!(ledger.calls_named(digest(0), "x").await.unwrap().is_empty());
}

#[tokio::test]
async fn what_a_crash_left_is_found() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    open_epoch(&ledger, 1).await;
    store(&ledger, 1, 1).await;
    commit(&ledger, 2, 1).await;
    commit(&ledger, 3, 1).await;
    ledger.begin_recording(time(6), recording(3)).await.unwrap();
    commit(&ledger, 4, 1).await;
    ledger.seal_recording(time(60), recording(4), sealed(60), Vec::new()).await.unwrap();
    ledger.open_call(time(7), new_call(5), Vec::new()).await.unwrap();
    // The slip of a commit whose second half never came.
    let broken = "CREATE TRIGGER broken BEFORE INSERT ON recordings
        BEGIN SELECT RAISE(ABORT, 'x'); END";
    fixture.sql("ledger.db", broken).await;
    let half = super::fixture::new_recording(5, 1);
    assert!(ledger.commit_recording(time(8), half, Vec::new()).await.is_err());
    // As after kill -9: the files as they are, without an orderly end.
    let crashed = Fixture { folder: fixture.copy() };
    ledger.stop().await;
    crashed.sql("ledger.db", "DROP TRIGGER broken").await;
    assert!(crashed.holds(&slip(5, 1, 1).sealed[..11]));

    let ledger = crashed.open(100).await;
    let leftovers = &ledger.leftovers;
    assert_eq!(leftovers.calls, [call(2), call(3), call(4), call(5)]);
    assert_eq!(leftovers.unsealed, [recording(2), recording(3)]);
    assert_eq!(leftovers.unstored, [recording(4)]);
    assert_eq!((leftovers.slips_removed, leftovers.facts_caught_up), (1, 0));
    assert_eq!(leftovers.removals, []);
    assert!(!crashed.holds(&slip(5, 1, 1).sealed[..11]));
    assert!(ledger.audit(Some(trusted())).await.unwrap().is_proved());
    let mut recovered = sealed(50);
    recovered.recovered = true;
    ledger.seal_recording(time(101), recording(3), recovered, Vec::new()).await.unwrap();
    ledger.store_recording(time(102), recording(3), digest(5)).await.unwrap();
    ledger.stop().await;
    let ledger = crashed.open(200).await;
    assert_eq!(ledger.leftovers.slips_removed, 0);
    assert_eq!(ledger.leftovers.unsealed, [recording(2)]);
    ledger.stop().await;
}

#[tokio::test]
async fn a_crash_after_any_batch_leaves_a_ledger_that_opens() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    open_epoch(&ledger, 1).await;
    for id in 1..=6 {
        commit(&ledger, id, 1).await;
        let copy = Fixture { folder: tempfile::tempdir().unwrap() };
        copy_files(fixture.path(), copy.path());
        let again = copy.open(50).await;
        assert_eq!(again.head(), ledger.head());
        assert!(again.recording(recording(id)).await.unwrap().is_some());
        assert_eq!(again.leftovers.slips_removed, 0);
        assert!(again.audit(Some(trusted())).await.unwrap().is_proved());
        again.stop().await;
    }
    ledger.stop().await;
}

#[tokio::test]
async fn a_checkpoint_that_cannot_be_replaced_makes_the_ledger_unready_until_it_can() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    // A folder where the new file would be written.
    let obstacle = fixture.path().join("checkpoint.new");
    std::fs::create_dir(&obstacle).unwrap();
    ledger.append(time(1), fact(1)).await.unwrap();
    assert!(matches!(ledger.health().fault, Some(LedgerError::File("checkpoint", _))));
    std::fs::remove_dir(&obstacle).unwrap();
    ledger.open_epoch(time(2), 1, tenant(), "2026-12").await.unwrap();
    assert_eq!(ledger.health().fault, None);
    let note = std::fs::read_to_string(fixture.path().join("checkpoint")).unwrap();
    assert_eq!(note.split('\n').nth(1), Some("2"));
    ledger.stop().await;
}

#[tokio::test]
async fn a_ledger_whose_writer_is_gone_says_so() {
    let fixture = Fixture::new();
    let (ledger, writer, _) = fixture.try_open(0).await.unwrap();
    drop(writer);
    assert_eq!(ledger.append(time(1), fact(1)).await, Err(LedgerError::Stopped));
}
