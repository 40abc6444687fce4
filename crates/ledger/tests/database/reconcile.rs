//! Reconciliation: what agrees is not named, and each book that is changed past the ledger is named by
//! what is wrong with it.

use std::{collections::HashSet, convert::Infallible};

use call::{CallId, Consent, Erasure, Fact, Outcome, Reason, RecordingId, Time, Verdict, Words};
use ledger::{Ledger, LedgerError, Order, Period, Reconciliation, Removal, World};
use tokio::sync::mpsc;

use crate::fixture::*;

/// A store and a floor of calls, both as lists.
#[derive(Default)]
struct Around {
    objects: Vec<RecordingId>,
    running: HashSet<CallId>,
    /// Whether the store breaks off when it lists.
    broken: bool,
}

#[derive(Debug)]
struct Failed(#[allow(dead_code, reason = "shown by a test that fails")] LedgerError);

impl From<LedgerError> for Failed {
    fn from(error: LedgerError) -> Self {
        Self(error)
    }
}

impl From<Infallible> for Failed {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl World for Around {
    type Error = Failed;

    async fn has(&self, recording: RecordingId) -> Result<bool, Failed> {
        Ok(self.objects.contains(&recording))
    }

    async fn objects(&self, to: mpsc::Sender<Vec<RecordingId>>) -> Result<(), Failed> {
        to.send(self.objects.clone()).await.unwrap();
        if self.broken { Err(Failed(LedgerError::TreeDamaged)) } else { Ok(()) }
    }

    async fn runs(&self, call: CallId) -> bool {
        self.running.contains(&call)
    }
}

/// Long after everything that the tests do.
const NOW: u64 = 10_000;

fn always() -> Period {
    Period { from: Time::default(), to: time(NOW) }
}

async fn look(ledger: &Ledger, around: &Around) -> Reconciliation {
    ledger.reconcile(time(NOW), always(), around).await.unwrap()
}

/// The names of what was found, with the first byte of what each is about.
fn named(report: &Reconciliation) -> Vec<(&'static str, u8)> {
    let about = |found: &ledger::Disagreement| {
        let id = found.call.as_ref().or(found.recording.as_ref()).unwrap();
        (found.mismatch, u8::from_str_radix(&id[..2], 16).unwrap())
    };
    assert_eq!(report.mismatches, report.findings.len() as u64);
    report.findings.iter().map(about).collect()
}

/// A stored recording of an ended call, 7, one that was deleted with proof, 8, and a call that was never
/// recorded, 9. Nothing is wrong.
async fn well() -> (Fixture, Running, Around) {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    open_epoch(&ledger, 1).await;
    store(&ledger, 7, 1).await;
    store(&ledger, 8, 1).await;
    delete(&ledger, 8).await;
    refused(&ledger, 9).await;
    let around = Around { objects: vec![recording(7)], ..Around::default() };
    let report = look(&ledger, &around).await;
    assert_eq!(named(&report), []);
    assert_eq!((report.calls, report.recordings, report.objects, report.slips), (3, 2, 1, 1));
    (fixture, ledger, around)
}

async fn delete(ledger: &Ledger, id: u8) {
    let (recording, reason) = (recording(id), Reason::Retention);
    let order = Order { recording, removal: Removal::Whole, reason };
    ledger.intend(time(200), order).await.unwrap();
    ledger.destroy_slip(time(201), recording).await.unwrap();
    ledger.remove_row(time(202), recording, reason).await.unwrap();
}

async fn end(ledger: &Ledger, id: u8, words: Words) {
    let Words { consent, outcome, verdict } = words;
    let fact = Fact::CallEnded { call: call(id), consent, outcome, verdict };
    ledger.close_call(time(62), call(id), words, Vec::new(), vec![fact]).await.unwrap();
}

fn with(verdict: Verdict) -> Words {
    Words { consent: Consent::Refused, outcome: Outcome::Bridged, verdict }
}

async fn refused(ledger: &Ledger, id: u8) {
    ledger.open_call(time(1), new_call(id), vec![opened(id)]).await.unwrap();
    end(ledger, id, with(Verdict::Refused)).await;
}

/// Changes the ledger's file past it, also where the tree forbids that.
async fn damage(fixture: &Fixture, statements: &str) {
    let unguarded = "PRAGMA foreign_keys = OFF; DROP TRIGGER IF EXISTS entries_are_never_removed;
         DROP TRIGGER IF EXISTS entries_are_never_changed;";
    fixture.sql("ledger.db", &format!("{unguarded} {statements}")).await;
}

fn id_of(byte: u8) -> String {
    format!("x'{}'", format!("{byte:02x}").repeat(16))
}

#[tokio::test]
async fn a_book_that_is_changed_past_the_ledger_is_named_by_exactly_what_is_wrong() {
    let of = |what: &str| format!("{what} WHERE recording_id = {}", id_of(7));
    let fact = |kind: &str, id: u8| {
        let id = format!("{id:02x}").repeat(16);
        format!("DELETE FROM entries WHERE kind = '{kind}' AND about LIKE '% {id}'")
    };
    let words = |set: &str| format!("UPDATE calls SET {set} WHERE call_id = {}", id_of(9));
    for (statements, expected) in [
        (format!("DELETE FROM calls WHERE call_id = {}", id_of(9)), ("call-missing", 9)),
        (words("policy_version = policy_version + 1"), ("call-differs", 9)),
        (words("opened_at = opened_at + 1"), ("call-differs", 9)),
        (words("tenant = NULL, line = NULL"), ("call-differs", 9)),
        (words("consent = 'maybe'"), ("call-unreadable", 9)),
        (fact("call-opened", 9), ("call-unproved", 9)),
        (words("closed_at = NULL, consent = NULL"), ("verdict-missing", 9)),
        (words("consent = NULL"), ("verdict-missing", 9)),
        (fact("call-ended", 9), ("verdict-unproved", 9)),
        (words("verdict = 'recorded'"), ("verdict-differs", 9)),
        (
            of("DELETE FROM evidence") + ";" + &of("DELETE FROM recordings"),
            ("recording-missing", 7),
        ),
        (of("UPDATE recordings SET ground = 'whim'"), ("recording-unreadable", 7)),
        (fact("recording-permitted", 7), ("permit-missing", 7)),
        (of("UPDATE recordings SET ground = 'legitimate_interest'"), ("permit-differs", 7)),
        (of("UPDATE recordings SET purposes = 'quality'"), ("permit-differs", 7)),
        (of("UPDATE recordings SET permitted_at = permitted_at + 1"), ("permit-differs", 7)),
        (of("UPDATE recordings SET evidence_hash = zeroblob(32)"), ("evidence-differs", 7)),
        (of("DELETE FROM evidence"), ("evidence-missing", 7)),
        (of("UPDATE evidence SET body = body || x'0a'"), ("evidence-altered", 7)),
        (fact("recording-stored", 7), ("stored-unproved", 7)),
        (fact("recording-sealed", 7), ("stored-unproved", 7)),
        (of("UPDATE recordings SET object_sha256 = zeroblob(32)"), ("object-differs", 7)),
        (of("UPDATE recordings SET manifest = zeroblob(32)"), ("object-differs", 7)),
        (of("UPDATE recordings SET state = 'sealed'"), ("state-behind", 7)),
    ] {
        let (fixture, ledger, around) = well().await;
        damage(&fixture, &statements).await;
        assert_eq!(named(&look(&ledger, &around).await), [expected], "{statements}");
        ledger.stop().await;
    }
}

#[tokio::test]
async fn objects_and_key_slips_are_held_against_their_rows() {
    let (fixture, ledger, mut around) = well().await;
    around.objects.clear();
    assert_eq!(named(&look(&ledger, &around).await), [("object-missing", 7)]);
    // Also of a recording that nobody asked about.
    let later = Period { from: time(5_000), to: time(NOW) };
    let report = ledger.reconcile(time(NOW), later, &around).await.unwrap();
    assert_eq!(named(&report), [("object-missing", 7)]);
    assert_eq!((report.calls, report.recordings), (0, 0));
    around.objects = vec![recording(7), recording(8), recording(6)];
    let found = named(&look(&ledger, &around).await);
    assert_eq!(found, [("deleted-object", 8), ("object-unowned", 6)]);
    around.objects.truncate(1);
    let copy = |id: u8| {
        let (to, from) = (id_of(id), id_of(7));
        format!(
            "INSERT INTO slips SELECT {to}, revision, epoch, commitment, filler, sealed FROM slips
             WHERE recording_id = {from};"
        )
    };
    fixture.sql("slips.db", &(copy(8) + &copy(6))).await;
    let found = named(&look(&ledger, &around).await);
    assert_eq!(found, [("slip-unowned", 6), ("deleted-slip", 8)]);
    for id in [6, 8] {
        let delete = format!("DELETE FROM slips WHERE recording_id = {}", id_of(id));
        fixture.sql("slips.db", &delete).await;
    }
    assert_eq!(named(&look(&ledger, &around).await), []);
    let again =
        "DROP TRIGGER slips_are_replaced_not_changed; UPDATE slips SET commitment = zeroblob(32)";
    fixture.sql("slips.db", again).await;
    assert_eq!(named(&look(&ledger, &around).await), [("slip-differs", 7)]);
    fixture.sql("slips.db", "DELETE FROM slips").await;
    assert_eq!(named(&look(&ledger, &around).await), [("slip-missing", 7)]);
    ledger.stop().await;
}

#[tokio::test]
async fn what_a_deletion_leaves_is_named() {
    let (fixture, ledger, around) = well().await;
    let evidence = format!("INSERT INTO evidence VALUES ({}, x'00')", id_of(8));
    damage(&fixture, &evidence).await;
    assert_eq!(named(&look(&ledger, &around).await), [("deleted-evidence", 8)]);
    damage(&fixture, &format!("DELETE FROM evidence WHERE recording_id = {}", id_of(8))).await;
    let copy = format!(
        "CREATE TEMP TABLE put AS SELECT * FROM recordings WHERE recording_id = {};
         UPDATE put SET recording_id = {}; INSERT INTO recordings SELECT * FROM put",
        id_of(7),
        id_of(8)
    );
    damage(&fixture, &copy).await;
    assert_eq!(named(&look(&ledger, &around).await), [("deleted-row", 8)]);
    ledger.stop().await;
}

#[tokio::test]
async fn a_missing_recording_of_another_time_is_named_by_its_object() {
    let (fixture, ledger, around) = well().await;
    let of = |what: &str| format!("{what} WHERE recording_id = {};", id_of(7));
    damage(&fixture, &(of("DELETE FROM evidence") + &of("DELETE FROM recordings"))).await;
    let later = Period { from: time(5_000), to: time(NOW) };
    let report = ledger.reconcile(time(NOW), later, &around).await.unwrap();
    assert_eq!(named(&report), [("recording-missing", 7)]);
    ledger.stop().await;
}

#[tokio::test]
async fn a_verdict_that_nothing_kept_bears_out_is_named_and_so_is_one_that_denies_what_is_kept() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    open_epoch(&ledger, 1).await;
    for (id, verdict) in (1..).zip(Verdict::ALL) {
        commit(&ledger, id, 1).await;
        ledger.begin_recording(time(6), recording(id)).await.unwrap();
        ledger.seal_recording(time(60), recording(id), sealed(60), Vec::new()).await.unwrap();
        ledger.store_recording(time(61), recording(id), digest(88)).await.unwrap();
        end(&ledger, id, with(*verdict)).await;
        // And a call of the same verdict without any recording.
        let other = id + 100;
        ledger.open_call(time(1), new_call(other), vec![opened(other)]).await.unwrap();
        end(&ledger, other, with(*verdict)).await;
    }
    let objects = (1..=Verdict::ALL.len() as u8).map(recording).collect();
    let found = named(&look(&ledger, &Around { objects, ..Around::default() }).await);
    let of = |name: &str| -> Vec<Verdict> {
        let about = found.iter().filter(|(mismatch, _)| *mismatch == name);
        about.map(|(_, id)| Verdict::ALL[usize::from(id % 100) - 1]).collect()
    };
    assert_eq!(of("verdict-unkept"), [Verdict::Recorded, Verdict::Degraded]);
    let mut allowed: Vec<_> = Verdict::ALL.to_vec();
    allowed.retain(|verdict| !of("verdict-denied").contains(verdict));
    assert_eq!(
        allowed,
        [Verdict::Recorded, Verdict::Degraded, Verdict::Withdrawn, Verdict::Failed]
    );
    assert_eq!(found.len(), 2 + Verdict::ALL.len() - 4);
    ledger.stop().await;
}

#[tokio::test]
async fn a_call_that_runs_is_well_and_one_that_nobody_knows_is_named() {
    let (_fixture, ledger, mut around) = well().await;
    commit(&ledger, 5, 1).await;
    around.running.insert(call(5));
    let report = look(&ledger, &around).await;
    assert_eq!((named(&report), report.running), (vec![], 1));
    around.running.clear();
    assert_eq!(named(&look(&ledger, &around).await), [("call-open", 5)]);
    ledger.stop().await;
}

#[tokio::test]
async fn a_recording_has_a_while_to_reach_its_store_and_is_then_named() {
    let (_fixture, ledger, around) = well().await;
    commit(&ledger, 5, 1).await;
    end(&ledger, 5, WORDS).await;
    for (now, expected) in [
        (62 + 899, vec![]),
        (62 + 900, vec![("fate-missing", 5)]),
        (NOW, vec![("fate-missing", 5)]),
    ] {
        let report = ledger.reconcile(time(now), always(), &around).await.unwrap();
        assert_eq!(named(&report), expected, "{now}");
    }
    // On its way out it has a fate, and as long to get there.
    let order = |removal| Order { recording: recording(5), removal, reason: Reason::Empty };
    ledger.intend(time(NOW - 899), order(Removal::Whole)).await.unwrap();
    assert_eq!(named(&look(&ledger, &around).await), []);
    ledger.destroy_slip(time(NOW - 898), recording(5)).await.unwrap();
    assert_eq!(named(&look(&ledger, &around).await), []);
    let report = ledger.reconcile(time(NOW + 1), always(), &around).await.unwrap();
    assert_eq!(named(&report), [("deletion-unfinished", 5)]);
    let gone = (recording(5), Reason::Empty);
    ledger.remove_row(time(NOW + 1), gone.0, gone.1).await.unwrap();
    assert_eq!(named(&look(&ledger, &around).await), []);
    // That it failed is one too, and then nothing bears the verdict out.
    commit(&ledger, 4, 1).await;
    ledger.fail_recording(time(7), recording(4), Vec::new()).await.unwrap();
    end(&ledger, 4, WORDS).await;
    assert_eq!(named(&look(&ledger, &around).await), [("verdict-unkept", 4)]);
    ledger.stop().await;
}

#[tokio::test]
async fn seconds_whose_erasure_has_no_end_are_named_and_erased_ones_are_missed_by_nobody() {
    let (fixture, ledger, mut around) = well().await;
    let seconds = Erasure { from: 10, to: 20 };
    let (removal, reason) = (Removal::Seconds(seconds), Reason::Request);
    ledger.intend(time(300), Order { recording: recording(7), removal, reason }).await.unwrap();
    let at = async |now| {
        let report = ledger.reconcile(time(now), always(), &around).await.unwrap();
        named(&report)
    };
    assert_eq!(at(300 + 899).await, []);
    assert_eq!(at(300 + 900).await, [("erasure-unfinished", 7)]);
    ledger.puncture(time(301), slip(7, 2, 1), seconds, reason).await.unwrap();
    assert_eq!(at(NOW).await, []);
    // What is left is looked for as before.
    around.objects.clear();
    assert_eq!(named(&look(&ledger, &around).await), [("object-missing", 7)]);
    drop(fixture);
    ledger.stop().await;
}

#[tokio::test]
async fn a_row_that_was_moved_out_of_its_period_is_found_by_its_fact() {
    let (fixture, ledger, around) = well().await;
    let moved = format!(
        "UPDATE calls SET opened_at = 8000000000 WHERE call_id = {};
         UPDATE recordings SET permitted_at = 8000000000 WHERE recording_id = {};",
        id_of(9),
        id_of(7)
    );
    damage(&fixture, &moved).await;
    let period = Period { from: time(0), to: time(5_000) };
    let report = ledger.reconcile(time(NOW), period, &around).await.unwrap();
    assert_eq!(named(&report), [("call-differs", 9), ("permit-differs", 7)]);
    ledger.stop().await;
}

#[tokio::test]
async fn a_store_that_breaks_off_its_list_or_a_book_that_is_gone_makes_no_report() {
    let (fixture, ledger, mut around) = well().await;
    around.broken = true;
    assert!(ledger.reconcile(time(NOW), always(), &around).await.is_err());
    around.broken = false;
    assert_eq!(named(&look(&ledger, &around).await), []);
    damage(&fixture, "ALTER TABLE evidence RENAME TO elsewhere").await;
    assert!(ledger.reconcile(time(NOW), always(), &around).await.is_err());
    ledger.stop().await;
}

#[tokio::test]
async fn several_recordings_of_a_call_are_each_looked_at_and_the_call_once() {
    let (_fixture, ledger, mut around) = well().await;
    commit(&ledger, 5, 1).await;
    let mut second = new_recording(6, 1);
    second.evidence.call = call(5);
    ledger.commit_recording(time(20), second, Vec::new()).await.unwrap();
    delete(&ledger, 5).await;
    ledger.begin_recording(time(21), recording(6)).await.unwrap();
    ledger.seal_recording(time(60), recording(6), sealed(60), Vec::new()).await.unwrap();
    ledger.store_recording(time(61), recording(6), digest(88)).await.unwrap();
    end(&ledger, 5, WORDS).await;
    around.objects.push(recording(6));
    assert_eq!(named(&look(&ledger, &around).await), []);
    // Retention takes the last of them: the verdict stays what it was.
    delete(&ledger, 6).await;
    around.objects.pop();
    assert_eq!(named(&look(&ledger, &around).await), []);
    ledger.stop().await;
}

#[tokio::test]
async fn a_period_holds_what_began_in_it_page_after_page() {
    let fixture = Fixture::new();
    let ledger = fixture.open(0).await;
    for id in 0_u16..1_300 {
        let mut new = new_call(1);
        new.call = CallId::from_bytes([id.to_be_bytes(); 8].concat().try_into().unwrap());
        ledger.open_call_later(time(100 + u64::from(id) / 700), new, Vec::new(), |_| ());
    }
    let around = Around::default();
    let of = async |from, to| {
        let period = Period { from: time(from), to: time(to) };
        let report = ledger.reconcile(time(NOW), period, &around).await.unwrap();
        // Neither has any an end, nor a beginning in the tree.
        assert_eq!(report.mismatches, 2 * report.calls);
        report.calls
    };
    ledger.append(time(NOW), Vec::new()).await.unwrap();
    assert_eq!([of(0, 200).await, of(100, 101).await, of(101, 102).await], [1_300, 700, 600]);
    assert_eq!([of(0, 100).await, of(102, 200).await], [0, 0]);
    ledger.stop().await;
}
