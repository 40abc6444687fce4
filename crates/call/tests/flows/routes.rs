//! Calls that nobody is asked in, and calls that are refused.

use call::*;

use crate::support::{Seen::*, *};

#[test]
fn c_17_nobody_is_asked_when_the_evidence_could_not_be_kept() {
    for why in [
        NotReady::Disk,
        NotReady::Ledger,
        NotReady::Keys,
        NotReady::Residency,
        NotReady::Prompts,
        NotReady::Recorder,
    ] {
        let mut desk = Desk::new(CallOffer { ready: Err(why), ..asked(asking()) });
        assert_eq!(desk.since(), [Opened, Dial]);
        desk.tell(Input::Answered);
        desk.tell(Input::HungUp(Party::Customer));
        assert_eq!(desk.finished(), words(Consent::NotAsked, Outcome::Bridged, Verdict::Blocked));
    }
}

#[test]
fn c_17_nobody_is_asked_with_a_prompt_that_the_evidence_could_not_name() {
    for missing in [Prompt::Notice, Prompt::Question, Prompt::Reask, Prompt::WrongKey, Prompt::Info]
    {
        let mut policy = asking();
        policy.prompts.retain(|(prompt, _)| *prompt != missing);
        assert_eq!(Desk::new(asked(policy)).since(), [Opened, Dial]);
    }
}

#[test]
fn e_01_an_emergency_call_is_connected_whatever_else_is_true() {
    for line in [None, asked(asking()).line] {
        let mut desk = Desk::new(CallOffer {
            emergency: true,
            ready: Err(NotReady::Disk),
            target_up: false,
            ..offer(line.clone())
        });
        let opened: &[Seen] = if line.is_some() { &[Opened, Dial] } else { &[Dial] };
        assert_eq!(desk.since(), opened);
        assert_eq!(desk.call.poll_timeout(), None, "it rings for as long as the caller waits");
        assert_eq!(desk.tell(Input::Answered), [Answer, Connect(Connection::Bridged)]);
        assert_eq!(desk.press('*'), []);
        desk.tell(Input::HungUp(Party::Customer));
        assert_eq!(desk.finished(), words(Consent::NotAsked, Outcome::Bridged, Verdict::Emergency));
    }
}

#[test]
fn a_line_that_is_never_recorded_is_transparent() {
    for line in [None, Some(line(Recording::Never))] {
        let mut desk = Desk::new(offer(line));
        desk.since();
        assert_eq!(desk.tell(Input::Ringing { early_media: false }), [Ring(false)]);
        assert_eq!(
            desk.tell(Input::Ringing { early_media: true }),
            [Ring(true), Connect(Connection::Early)]
        );
        assert_eq!(desk.tell(Input::Ringing { early_media: true }), [Ring(true)]);
        assert_eq!(desk.tell(Input::Answered), [Answer, Connect(Connection::Bridged)]);
        assert_eq!(desk.tell(Input::Confirmed), []);
        for key in ['1', '2', '*', '9'] {
            assert_eq!(desk.press(key), []);
        }
        assert_eq!(desk.commit(), []);
        assert_eq!(desk.tell(Input::Held(Party::Customer, true)), []);
        desk.tell(Input::HungUp(Party::Agent));
        assert_eq!(desk.finished(), words(Consent::NotAsked, Outcome::Bridged, Verdict::PolicyOff));
    }
}

#[test]
fn a_number_without_a_line_leaves_no_fact() {
    let mut desk = Desk::new(offer(None));
    assert_eq!(desk.since(), [Dial]);
    let words = words(Consent::NotAsked, Outcome::Busy, Verdict::PolicyOff);
    assert_eq!(desk.tell(Input::Failed(Failure::Busy)), [Reject(Failure::Busy), Finish(words)]);
}

#[test]
fn c_17_no_call_is_led_with_a_prompt_of_its_ground_that_the_evidence_could_not_name() {
    let asked = [
        Prompt::Notice,
        Prompt::Question,
        Prompt::Reask,
        Prompt::WrongKey,
        Prompt::Granted,
        Prompt::Refused,
        Prompt::NotGiven,
        Prompt::Withdrawn,
        Prompt::Info,
        Prompt::NoAnswer,
        Prompt::AgentAsk,
        Prompt::Resume,
    ];
    let twice = [&asked[..], &[Prompt::Explicit]].concat();
    let law = vec![Prompt::LegalObligation, Prompt::ObligationInfo, Prompt::NoAnswer];
    let objections = [Prompt::Refused, Prompt::Withdrawn, Prompt::Info, Prompt::NoAnswer];
    let opposing = [&objections[..], &[Prompt::LegitimateInterest]].concat();
    for (ground, needed) in [
        (Ground::Consent, asked.to_vec()),
        (Ground::ExplicitConsent, twice),
        (Ground::LegitimateInterest, opposing.clone()),
        (Ground::PublicTask, opposing),
        (Ground::LegalObligation, law),
    ] {
        for missing in Prompt::ALL {
            let mut policy = Asking { ground, ..asking() };
            policy.prompts.retain(|(prompt, _)| *prompt != missing);
            let mut desk = Desk::new(crate::support::asked(policy));
            let expected = if needed.contains(&missing) { Dial } else { Answer };
            assert_eq!(desk.since(), [Opened, expected], "{ground} without {missing}");
        }
    }
}

#[test]
fn l_06_on_a_ground_without_a_flow_nothing_is_said_and_nothing_recorded() {
    let without = Ground::ALL.iter().copied().filter(|ground| ground.manner().is_none());
    let without: Vec<_> = without.collect();
    assert_eq!(without, [Ground::Contract, Ground::VitalInterest]);
    for ground in without {
        for when_recording_fails in [WhenRecordingFails::GoOn, WhenRecordingFails::EndCall] {
            let policy = Asking { ground, when_recording_fails, ..asking() };
            let joined = Asking { outbound: Outbound::Join, ..policy.clone() };
            let before = early(QuestionAt::BeforeAnswer, policy.clone());
            for offer in [asked(policy.clone()), before, placed(policy.clone()), placed(joined)] {
                let mut desk = Desk::new(offer);
                assert!(!desk.call.may_be_recorded() && !desk.call.ends_unrecorded());
                assert_eq!(desk.since(), [Opened, Dial]);
                assert_eq!(desk.tell(Input::Progressed), []);
                assert_eq!(desk.tell(Input::Answered), [Answer, Connect(Connection::Bridged)]);
                for input in [Input::Confirmed, Input::Ask, Input::Prepared(Ok(LATER))] {
                    assert_eq!(desk.tell(input), []);
                }
                for key in ['1', '2', '*', '9'] {
                    assert_eq!(desk.press(key), []);
                }
                assert_eq!((desk.commit(), desk.tell(Input::TapCut)), (vec![], vec![]));
                assert_eq!(desk.wait(600_000), []);
                desk.tell(Input::HungUp(Party::Customer));
                let blocked = words(Consent::NotAsked, Outcome::Bridged, Verdict::Blocked);
                assert_eq!(desk.finished(), blocked);
                assert!(desk.evidence.is_none() && desk.permit.is_none());
            }
        }
    }
}

#[test]
fn nobody_is_asked_on_behalf_of_a_dead_pbx() {
    for (line, verdict) in [
        (asked(asking()).line, Verdict::Unconnected),
        (Some(line(Recording::Never)), Verdict::PolicyOff),
    ] {
        for ready in [Ok(()), Err(NotReady::Disk)] {
            let mut desk = Desk::new(CallOffer { target_up: false, ready, ..offer(line.clone()) });
            let words = words(Consent::NotAsked, Outcome::Unreachable, verdict);
            assert_eq!(
                desk.since(),
                [Opened, Reject(Failure::Unreachable), Ended(words), Finish(words)]
            );
        }
    }
    let mut desk = Desk::new(CallOffer { target_up: false, ..offer(None) });
    let words = words(Consent::NotAsked, Outcome::Unreachable, Verdict::PolicyOff);
    assert_eq!(desk.since(), [Reject(Failure::Unreachable), Finish(words)]);
}

#[test]
fn a_transparent_call_passes_failure_on() {
    for (failure, outcome) in [
        (Failure::Busy, Outcome::Busy),
        (Failure::NoAnswer, Outcome::NoAnswer),
        (Failure::Unreachable, Outcome::Unreachable),
        (Failure::Rejected(603), Outcome::Unreachable),
    ] {
        let mut desk = Desk::new(offer(Some(line(Recording::Never))));
        desk.since();
        let words = words(Consent::NotAsked, outcome, Verdict::PolicyOff);
        assert_eq!(
            desk.tell(Input::Failed(failure)),
            [Reject(failure), Ended(words), Finish(words)]
        );
    }
}

#[test]
fn a_transparent_call_that_rings_too_long_is_given_up() {
    for (line, rings) in [(Some(line(Recording::Never)), 30_000), (None, 180_000)] {
        let mut desk = Desk::new(offer(line));
        desk.since();
        desk.tell(Input::Ringing { early_media: false });
        let (waited, seen) = desk.wait_for_deadline();
        assert_eq!((waited, seen), (ms(rings), vec![CancelDial, Reject(Failure::NoAnswer)]));
        desk.tell(Input::Failed(Failure::Rejected(487)));
        assert_eq!(desk.finished().outcome, Outcome::NoAnswer);
    }
}

#[test]
fn a_transparent_caller_who_gives_up_cancels_the_pbx() {
    let mut desk = Desk::new(offer(Some(line(Recording::Never))));
    desk.since();
    assert_eq!(desk.tell(Input::HungUp(Party::Customer)), [CancelDial]);
    assert_eq!(desk.tell(Input::HungUp(Party::Customer)), []);
    desk.tell(Input::Failed(Failure::Rejected(487)));
    assert_eq!(desk.finished(), words(Consent::NotAsked, Outcome::CallerGone, Verdict::PolicyOff));
}
