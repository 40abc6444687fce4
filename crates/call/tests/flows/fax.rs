//! A fax that calls while its caller is told and asked.

use call::*;

use crate::support::{Seen::*, *};

const FAX: Words =
    Words { consent: Consent::NotAsked, outcome: Outcome::Bridged, verdict: Verdict::Fax };

/// The PBX answers the fax, and nothing is asked, recorded or kept from anybody until it has gone.
fn talks_unrecorded(desk: &mut Desk) {
    let answered = desk.tell(Input::Answered);
    assert!(answered.ends_with(&[Connect(Connection::Bridged)]), "{answered:?}");
    desk.tell(Input::Confirmed);
    for character in ['1', '*', '9'] {
        assert_eq!(desk.press(character), []);
    }
    for input in [Input::Fax, Input::Ask, Input::Prepared(Ok(LATER))] {
        assert_eq!(desk.tell(input), []);
    }
    assert_eq!((desk.commit(), desk.wait(600_000)), (vec![], vec![]));
    desk.tell(Input::HungUp(Party::Customer));
    assert_eq!(desk.finished(), FAX);
    assert!(desk.evidence.is_none() && desk.permit.is_none());
}

#[test]
fn a_fax_in_the_notice_goes_to_the_pbx_at_once_and_is_not_recorded() {
    for ground in [Ground::Consent, Ground::ExplicitConsent, Ground::LegitimateInterest] {
        for confirm in [Confirm::First, Confirm::WhileRinging, Confirm::Off] {
            let mut desk = Desk::new(asked(Asking { ground, confirm, ..asking() }));
            desk.tell(Input::Confirmed);
            desk.wait(3_000);
            desk.since();
            let goes_on = [Decided(Consent::NotAsked), Hush, Dial, RINGS];
            assert_eq!(desk.tell(Input::Fax), goes_on, "{ground}");
            assert_eq!(desk.cut(24_000), []);
            talks_unrecorded(&mut desk);
        }
    }
}

#[test]
fn a_fax_in_the_question_or_after_a_key_is_one_as_well() {
    let mut desk = Desk::at_question(asked(asking()));
    desk.since();
    assert_eq!(desk.tell(Input::Fax), [Decided(Consent::NotAsked), Hush, Dial, RINGS]);
    talks_unrecorded(&mut desk);
    // What sounds like a yes while the notice is said counts when that has been heard, and it never is.
    let mut desk = Desk::new(asked(asking()));
    desk.tell(Input::Confirmed);
    desk.press('1');
    desk.tell(Input::Fax);
    talks_unrecorded(&mut desk);
}

#[test]
fn a_fax_whose_notice_comes_before_the_answer_is_never_asked() {
    let mut desk = Desk::new(early(QuestionAt::AfterAnswer, asking()));
    desk.tell(Input::Progressed);
    desk.since();
    assert_eq!(desk.tell(Input::Fax), [Decided(Consent::NotAsked), Hush, Dial, RINGS]);
    talks_unrecorded(&mut desk);
    // It may be heard only after the answer.
    let mut desk = Desk::new(early(QuestionAt::AfterAnswer, asking()));
    desk.tell(Input::Progressed);
    desk.hear();
    desk.since();
    let over = [Decided(Consent::NotAsked), Keep(Party::Customer, Kept::Nothing)];
    assert_eq!(desk.tell(Input::Fax), over);
    talks_unrecorded(&mut desk);
}

#[test]
fn l_54_no_tone_is_a_way_around_a_record_that_a_law_demands() {
    for when_recording_fails in [WhenRecordingFails::GoOn, WhenRecordingFails::EndCall] {
        let ground = Ground::LegalObligation;
        let mut desk = Desk::new(asked(Asking { ground, when_recording_fails, ..asking() }));
        desk.tell(Input::Confirmed);
        desk.since();
        assert_eq!(desk.tell(Input::Fax), []);
        let told = desk.hear();
        assert!(told.contains(&Commit { prompts: 1, presses: 0 }), "{told:?}");
    }
}

#[test]
fn who_talks_to_the_agent_is_no_fax() {
    let mut desk = Desk::new(placed(asking()));
    desk.tell(Input::Answered);
    desk.tell(Input::Ask);
    desk.tell(Input::Prepared(Ok(LATER)));
    desk.since();
    assert_eq!(desk.tell(Input::Fax), []);
    desk.hear();
    assert_eq!(desk.press('1')[0], Decided(Consent::Granted));
    // Nor is one who has said no and comes back to the question.
    let mut desk = Desk::at_question(asked(asking()));
    desk.press('2');
    desk.cut(8_000);
    desk.hear();
    desk.tell(Input::Answered);
    desk.press('*');
    desk.tell(Input::Prepared(Ok(LATER)));
    desk.since();
    assert_eq!(desk.tell(Input::Fax), []);
    desk.hear();
    assert_eq!(desk.press('1')[0], Decided(Consent::Granted));
}
