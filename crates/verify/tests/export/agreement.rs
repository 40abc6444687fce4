//! Trail and objects must say the same: every disagreement has a name.

use std::fs;

use call::{Digest, Fact, Ground, Reason, RecordingId};

use crate::{
    bench::{Export, FIRST, GONE, SECOND, of},
    support::tags,
};

const UNPERMITTED: &str = "there is sound, and no permit for it in the trail";

/// An export whose trail was written, and signed, after this was done to its facts.
fn told(edit: impl FnOnce(&mut Vec<Fact>)) -> Export {
    let mut export = Export::sound();
    edit(&mut export.facts);
    export.write();
    export
}

#[test]
fn an_object_that_is_not_there_is_named_unless_its_deletion_is() {
    let export = Export::sound();
    fs::remove_file(export.place(SECOND)).unwrap();
    let missing = "it was stored and not deleted, as the trail says, and its object is not here";
    export.verify().names(&[of(SECOND, missing)]);
    let export = told(|facts| drop(facts.pop()));
    let open = "its deletion was ordered, its object is not here, and nothing proves the deletion";
    export.verify().names(&[of(GONE, open)]);
}

#[test]
fn an_object_that_outlived_its_deletion_is_named() {
    let export = Export::sound();
    export.put(GONE, &export.object(GONE));
    export.verify().names(&[of(GONE, "entry 11 says that it was deleted, and its object is here")]);
}

#[test]
fn a_recording_without_a_permit_is_named_whether_its_object_is_there_or_not() {
    let is_permit = |fact: &Fact, id: RecordingId| matches!(fact, Fact::RecordingPermitted { recording, .. } if *recording == id);
    let export =
        told(|facts| facts.retain(|fact| !is_permit(fact, FIRST) && !is_permit(fact, GONE)));
    export.verify().names(&[of(FIRST, UNPERMITTED), of(GONE, UNPERMITTED)]);
    let late = told(|facts| facts.swap(1, 2));
    late.verify().names(&[of(FIRST, UNPERMITTED)]);
}

#[test]
fn an_object_of_another_node_is_named_even_if_that_node_is_trusted() {
    let (export, mut other) = (Export::sound(), Export::sound());
    let foreign = RecordingId::from_bytes([0x44; 16]);
    other.record(foreign, 800);
    export.put(foreign, &other.object(foreign));
    let signer = of(foreign, "its object is signed by another key than the trusted one");
    export.verify().names(&[of(foreign, UNPERMITTED), signer]);
    let trust = export.trust_file(&[&export.bench, &other.bench]);
    let answer = export.run(&["--trust", trust.to_str().unwrap()]);
    answer.names(&[of(foreign, UNPERMITTED)]);
    // The same recording, sealed by the other node, in place of this node's.
    fs::remove_file(export.place(foreign)).unwrap();
    export.put(FIRST, &other.object(FIRST));
    export.verify().names(&[
        of(FIRST, "its object is signed by another key than the trusted one"),
        of(FIRST, "its manifest is not the one that the trail says was sealed"),
        of(FIRST, "its object is not the one that the trail says was stored"),
    ]);
}

#[test]
fn objects_that_changed_names_are_named_with_what_they_hold() {
    let export = Export::sound();
    export.put(FIRST, &export.object(SECOND));
    export.put(SECOND, &export.object(FIRST));
    export.verify().names(&[
        of(FIRST, &format!("the file of its name holds recording {SECOND}")),
        of(SECOND, &format!("the file of its name holds recording {FIRST}")),
    ]);
}

#[test]
fn a_manifest_or_object_other_than_the_trail_tells_is_named() {
    let wrong = Digest::from_bytes([0; 32]);
    let export = told(|facts| {
        for fact in facts {
            match fact {
                Fact::RecordingSealed { recording: FIRST, manifest, .. } => *manifest = wrong,
                Fact::RecordingStored { recording: SECOND, object, .. } => *object = wrong,
                _ => {}
            }
        }
    });
    export.verify().names(&[
        of(FIRST, "its manifest is not the one that the trail says was sealed"),
        of(SECOND, "its object is not the one that the trail says was stored"),
    ]);
    let export = told(|facts| drop(facts.drain(2..4)));
    export.verify().names(&[
        of(FIRST, "its object is here, and the trail does not say that it was sealed"),
        of(FIRST, "its object is here, and the trail does not say that it was stored"),
    ]);
}

#[test]
fn a_recording_that_was_sealed_again_after_a_crash_is_held_against_the_later_fact() {
    let export = told(|facts| {
        let (seconds, missing_ms) = (1, 0);
        let manifest = Digest::from_bytes([1; 32]);
        let first = Fact::RecordingSealed { recording: FIRST, manifest, seconds, missing_ms };
        facts.insert(2, first);
    });
    assert_eq!(export.verify().verdict(), "proved");
}

#[test]
fn a_recording_that_is_not_stored_yet_is_nothing_missing() {
    let export = told(|facts| drop(facts.remove(6)));
    fs::remove_file(export.place(SECOND)).unwrap();
    assert_eq!(export.verify().verdict(), "proved");
}

#[test]
fn a_manifest_that_goes_beyond_its_permit_is_named() {
    let export = told(|facts| {
        let tags = tags(FIRST);
        facts[1] = Fact::RecordingPermitted {
            call: call::CallId::from_bytes([0; 16]),
            recording: FIRST,
            ground: Ground::Contract,
            purposes: tags.purposes.iter().take(1).collect(),
            evidence: Digest::from_bytes([6; 32]),
        };
    });
    let differs =
        |field| of(FIRST, &format!("its manifest does not have the {field} of its permit"));
    export.verify().names(&["call", "legal ground", "purposes", "evidence"].map(differs));
}

#[test]
fn a_deletion_of_something_else_is_named() {
    let export = told(|facts| {
        let (recording, reason) = (GONE, Reason::Retention);
        let manifest = Digest::from_bytes([6; 32]);
        facts[11] = Fact::RecordingDeleted { recording, reason, manifest };
    });
    let differs = "entry 11 deletes another manifest than the one that was sealed";
    export.verify().names(&[of(GONE, differs)]);
    // A recording that never came to sound is deleted with no manifest.
    let export = told(|facts| {
        facts.drain(8..10);
        let (recording, reason) = (GONE, Reason::Empty);
        let manifest = Digest::from_bytes([0; 32]);
        facts[9] = Fact::RecordingDeleted { recording, reason, manifest };
    });
    assert_eq!(export.verify().verdict(), "proved");
}

#[test]
fn a_fact_of_unknown_form_is_named() {
    let export = Export::sound();
    export.edit("entries.jsonl", |lines| {
        lines[3] = lines[3].replacen("jawoord/fact/v1", "jawoord/fact/v2", 1);
    });
    let answer = export.verify();
    let expected = "trail: entry 3 speaks of a recording in an unknown form. Verify with";
    assert!(answer.findings().iter().any(|line| line.starts_with(expected)), "{answer:#?}");
}
