//! Auditing the files: every damage done past the ledger is named; the export is proved without it.

use std::{fs::File, io::BufReader};

use call::{Fact, RecordingId};
use ledger::{
    AuditReport, CHECKPOINTS_FILE, ENTRIES_FILE, Finding, Node, Source, TreeHead, verify_export,
};

use super::fixture::{Fixture, commit, open_epoch, recording, slip, time, trusted};

async fn grown(size: u8) -> Fixture {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    for id in 0..size {
        let recording = RecordingId::from_bytes([id; 16]);
        let facts = vec![Fact::RecordingRead { recording, access: "play" }];
        ledger.append(time(u64::from(id)), facts).await.unwrap();
    }
    ledger.stop().await;
    fixture
}

/// Damages `ledger.db` of a running ledger and audits it.
async fn audit_after(fixture: &Fixture, damage: &str) -> AuditReport {
    let copy = Fixture { folder: fixture.copy() };
    let ledger = copy.open(500).await;
    let free = "DROP TRIGGER entries_are_never_changed; DROP TRIGGER entries_are_never_removed;";
    copy.sql("ledger.db", &format!("{free}{damage}")).await;
    let report = ledger.audit(Some(trusted())).await.unwrap();
    ledger.stop().await;
    report
}

#[tokio::test]
async fn every_damage_in_the_database_is_named() {
    let fixture = grown(13).await;
    assert!(audit_after(&fixture, "").await.is_proved());
    let altered = Finding::EntryAltered(5);
    let (source, size) = (Source::Stored, 13);
    let cases: &[(&str, Finding)] = &[
        ("UPDATE entries SET salt = zeroblob(32) WHERE entry = 5", altered),
        ("UPDATE entries SET leaf = zeroblob(32) WHERE entry = 5", altered),
        (
            "UPDATE entries SET body = CAST(replace(body, 'play', 'clay') AS BLOB) WHERE entry = 5",
            altered,
        ),
        ("UPDATE entries SET at = at + 1 WHERE entry = 5", altered),
        ("UPDATE entries SET kind = 'erased' WHERE entry = 5", altered),
        ("UPDATE entries SET kind = 'unheard-of' WHERE entry = 5", Finding::EntryUnreadable(5)),
        ("UPDATE entries SET salt = x'00' WHERE entry = 5", Finding::EntryUnreadable(5)),
        ("DELETE FROM entries WHERE entry = 5", Finding::EntriesMissing { from: 5, to: 6 }),
        ("DELETE FROM entries WHERE entry = 12", Finding::TreeShorter { tree: 12, checkpoint: 13 }),
        (
            "UPDATE entries SET entry = 4611686018427387904 WHERE entry = 12",
            Finding::EntriesMissing { from: 12, to: 1 << 62 },
        ),
        (
            "UPDATE nodes SET hash = zeroblob(32) WHERE last_leaf = 7 AND level = 3",
            Finding::NodeDiffers(Node { level: 3, position: 0 }),
        ),
        (
            "DELETE FROM nodes WHERE last_leaf = 5",
            Finding::NodeMissing(Node { level: 1, position: 2 }),
        ),
        (
            "INSERT INTO nodes (last_leaf, level, hash) VALUES (31, 5, zeroblob(32))",
            Finding::NodeSurplus(Node { level: 5, position: 0 }),
        ),
        (
            "INSERT INTO nodes (last_leaf, level, hash) VALUES (4, 70, zeroblob(32))",
            Finding::NodeSurplus(Node { level: 70, position: 0 }),
        ),
        (
            "UPDATE checkpoints SET note = replace(note, char(10) || '13', char(10) || '12')",
            Finding::SignatureBad { source, size: 12 },
        ),
        ("UPDATE checkpoints SET note = 'x'", Finding::CheckpointUnreadable(source)),
    ];
    for (damage, expected) in cases {
        let report = audit_after(&fixture, damage).await;
        assert!(report.findings.contains(expected), "{damage}: {:?}", report.findings);
        assert!(!report.is_proved());
    }
    let rewritten = "UPDATE entries SET salt = x'0101010101010101010101010101010101010101010101010101010101010101' WHERE entry = 2";
    let report = audit_after(&fixture, rewritten).await;
    assert!(report.findings.contains(&Finding::RootDiffers { source, size }), "{report:?}");
}

#[tokio::test]
async fn a_running_ledger_cannot_be_made_to_forget_by_plain_statements() {
    let fixture = grown(3).await;
    for statement in ["DELETE FROM entries", "UPDATE entries SET kind = 'erased'"] {
        let copy = Fixture { folder: fixture.copy() };
        let refused = tokio::spawn(async move { copy.sql("ledger.db", statement).await }).await;
        assert!(refused.is_err(), "{statement}");
    }
}

#[tokio::test]
async fn damage_to_the_checkpoint_outside_is_named() {
    let fixture = grown(5).await;
    let ledger = fixture.open(100).await;
    let file = fixture.path().join("checkpoint");
    let sound = std::fs::read_to_string(&file).unwrap();
    let source = Source::Outside;
    let cases = [
        (sound.replacen("\n5\n", "\n4\n", 1), Finding::SignatureBad { source, size: 4 }),
        ("x".to_owned(), Finding::CheckpointUnreadable(source)),
    ];
    for (note, expected) in cases {
        std::fs::write(&file, note).unwrap();
        let report = ledger.audit(Some(trusted())).await.unwrap();
        assert_eq!(report.findings, [expected]);
    }
    std::fs::remove_file(&file).unwrap();
    let report = ledger.audit(Some(trusted())).await.unwrap();
    assert_eq!(report.findings, [Finding::CheckpointMissing(source)]);
    ledger.stop().await;
}

#[tokio::test]
async fn the_export_is_proved_without_a_database_and_its_damage_is_named() {
    let fixture = grown(30).await;
    let ledger = fixture.open(100).await;
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(ledger.export_audit(folder.path()).await, Ok(30));
    let again = ledger.export_audit(folder.path()).await;
    assert!(again.is_err(), "an export never overwrites another");
    let open = |name| BufReader::new(File::open(folder.path().join(name)).unwrap());
    let verify = |key| verify_export(open(ENTRIES_FILE), open(CHECKPOINTS_FILE), key).unwrap();
    let report = verify(Some(trusted()));
    assert!(report.is_proved(), "{report:?}");
    assert_eq!(report.head, ledger.head());
    assert!(!verify(None).is_proved(), "without a key the signer is unknown");
    let path = folder.path().join(ENTRIES_FILE);
    let lines = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, lines.replacen("play", "clay", 1)).unwrap();
    let found = verify(Some(trusted())).findings;
    assert!(!found.is_empty());
    ledger.stop().await;
}

#[tokio::test]
async fn every_entry_is_proved_to_be_in_every_later_tree() {
    let fixture = grown(21).await;
    let ledger = fixture.open(100).await;
    let head = ledger.head();
    let entries = ledger.entries(0, 100).await.unwrap();
    assert_eq!(entries.len(), 21);
    for entry in &entries {
        let proof = ledger.inclusion_proof(entry.index, 21).await.unwrap();
        assert!(proof.holds(entry.leaf(), head));
        let lie = TreeHead { size: 21, root: entry.leaf() };
        assert!(!proof.holds(entry.leaf(), lie));
    }
    assert!(ledger.inclusion_proof(21, 21).await.is_err());
    assert!(ledger.inclusion_proof(3, 22).await.is_err(), "no tree of that size yet");
    assert!(ledger.consistency_proof(3, 22).await.is_err());
    assert_eq!(ledger.checkpoint().unwrap().head(), head);
    ledger.stop().await;
}

#[tokio::test]
async fn of_each_hour_the_last_checkpoint_is_kept() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    for hour in 0..3 {
        for minute in 0..4 {
            let recording = RecordingId::from_bytes([minute; 16]);
            let facts = vec![Fact::RecordingRead { recording, access: "play" }];
            ledger.append(time(hour * 3_600 + u64::from(minute)), facts).await.unwrap();
        }
    }
    let count = fixture.number("ledger.db", "SELECT COUNT(*) FROM checkpoints").await;
    assert_eq!(count, 3);
    let report = ledger.audit(Some(trusted())).await.unwrap();
    assert!(report.is_proved());
    assert_eq!(report.checkpoints, 4, "three stored, one outside");
    ledger.stop().await;
}

#[tokio::test]
async fn an_old_slip_put_back_differs_from_the_one_that_is_proved() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    open_epoch(&ledger, 1).await;
    commit(&ledger, 7, 1).await;
    ledger.reseal_slip(time(6), slip(7, 2, 1)).await.unwrap();
    let old = slip(7, 1, 1);
    let put_back = format!(
        "DROP TRIGGER slips_are_replaced_not_changed;
         UPDATE slips SET revision = 1, commitment = x'{}';",
        old.commitment
    );
    fixture.sql("slips.db", &put_back).await;
    // Whoever can write one database may write the other as well.
    let row =
        format!("UPDATE recordings SET slip_revision = 1, slip_commitment = x'{}'", old.commitment);
    fixture.sql("ledger.db", &row).await;
    let live = ledger.slip(recording(7)).await.unwrap().unwrap();
    let proved = ledger.proved_slip(recording(7)).await.unwrap().unwrap();
    assert_eq!((live.revision, live.commitment), (1, old.commitment));
    assert_eq!((proved.revision, proved.commitment), (2, slip(7, 2, 1).commitment));
    ledger.stop().await;
}

#[tokio::test]
async fn no_flipped_bit_of_the_file_passes_for_another_past() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    let read =
        |id| Fact::RecordingRead { recording: RecordingId::from_bytes([id; 16]), access: "play" };
    ledger.append(time(1), (0..250).map(read).collect()).await.unwrap();
    let sound = ledger.entries(0, 1_000).await.unwrap();
    ledger.stop().await;
    let file = std::fs::read(fixture.path().join("ledger.db")).unwrap();
    let (mut refused, mut named, mut harmless) = (0, 0, 0);
    for place in (0..file.len() * 8).step_by(19_997) {
        let copy = Fixture { folder: fixture.copy() };
        let mut flipped = file.clone();
        flipped[place / 8] ^= 1 << (place % 8);
        std::fs::write(copy.path().join("ledger.db"), flipped).unwrap();
        let Ok((ledger, writer, _)) = copy.try_open(200).await else {
            refused += 1;
            continue;
        };
        let task = tokio::spawn(writer.run());
        match ledger.audit(Some(trusted())).await {
            Ok(report) if report.is_proved() => {
                assert_eq!(ledger.entries(0, 1_000).await.unwrap(), sound, "bit {place}");
                harmless += 1;
            }
            Ok(_) | Err(_) => named += 1,
        }
        ledger.close().await;
        task.await.unwrap();
    }
    assert!(named > 0 && harmless > 0, "{refused} refused, {named} named, {harmless} harmless");
}
