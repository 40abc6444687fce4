//! The notice before the answer (flow F2).

use call::*;

use crate::{
    NORMAL, closed,
    support::{Seen::*, *},
};

const AFTER: QuestionAt = QuestionAt::AfterAnswer;
const BEFORE: QuestionAt = QuestionAt::BeforeAnswer;

/// The notice has been heard, and the PBX is called while the question waits.
fn rings() -> Desk {
    let mut desk = Desk::new(early(AFTER, asking()));
    desk.tell(Input::Progressed);
    desk.hear();
    desk
}

#[test]
fn a_06_the_notice_comes_before_the_answer_and_the_question_with_both_listening_after_it() {
    let mut desk = Desk::new(early(AFTER, asking()));
    assert_eq!(desk.since(), [Opened, Progress]);
    assert_eq!(desk.tell(Input::Progressed), [Play(Prompt::Notice)]);
    assert_eq!(desk.tell(Input::Progressed), []);
    assert_eq!(desk.hear(), [Keep(Party::Customer, Kept::All), Dial, RINGS]);
    assert_eq!(desk.tell(Input::Ringing { early_media: false }), [Ring(false)]);
    let bridged = [Answer, Hush, Connect(Connection::Bridged)];
    assert_eq!(desk.tell(Input::Answered), bridged);
    assert_eq!(desk.tell(Input::Confirmed), [Announce(Prompt::Question)]);
    desk.hear();
    assert_eq!(
        desk.press('1'),
        [
            Decided(Consent::Granted),
            Keep(Party::Customer, Kept::Nothing),
            Announce(Prompt::Granted),
            Commit { prompts: 2, presses: 1 }
        ]
    );
    assert_eq!(desk.commit(), [Record, Arm(key('*'))]);
    desk.wait(5_000);
    assert_eq!(
        desk.tell(Input::HungUp(Party::Agent)),
        [HangUp(Party::Customer, NORMAL), End(Fate::Keep)]
    );
    desk.tell(closed(true, 5_000));
    assert_eq!(desk.finished(), words(Consent::Granted, Outcome::Bridged, Verdict::Recorded));
}

#[test]
fn a_06_a_carrier_that_passes_keys_has_the_question_before_the_answer_too() {
    let mut desk = Desk::new(early(BEFORE, asking()));
    desk.tell(Input::Progressed);
    assert_eq!(desk.hear(), [Play(Prompt::Question)]);
    desk.press('1');
    desk.cut(8_000);
    desk.commit();
    assert_eq!(desk.hear(), [Dial, RINGS]);
    let bridged = [Answer, Hush, Connect(Connection::Bridged)];
    assert_eq!(desk.tell(Input::Answered), bridged);
    assert_eq!(desk.tell(Input::Confirmed), []);
}

#[test]
fn c_09_a_caller_who_gives_up_in_the_notice_leaves_no_call_and_no_recording() {
    for question in [AFTER, BEFORE] {
        let mut desk = Desk::new(early(question, asking()));
        desk.tell(Input::Progressed);
        desk.press('1');
        desk.tell(Input::HungUp(Party::Customer));
        assert!(!desk.all.contains(&Dial) && !desk.all.contains(&Answer), "{:?}", desk.all);
        let gone = words(Consent::Abandoned, Outcome::CallerGone, Verdict::Abandoned);
        assert_eq!(desk.finished(), gone);
        assert!(desk.evidence.is_none() && desk.permit.is_none());
    }
}

#[test]
fn b_18_a_busy_pbx_refuses_the_caller_before_the_answer_and_nothing_is_recorded() {
    for (failure, outcome) in [
        (Failure::Busy, Outcome::Busy),
        (Failure::NoAnswer, Outcome::NoAnswer),
        (Failure::Unreachable, Outcome::Unreachable),
    ] {
        let mut desk = rings();
        let words = words(Consent::NotGiven, outcome, Verdict::NotGiven);
        assert_eq!(
            desk.tell(Input::Failed(failure)),
            [Reject(failure), Decided(Consent::NotGiven), Ended(words), Finish(words)]
        );
    }
    // A yes that came early does not outlive the call: what was committed is erased unheard.
    let mut desk = rings();
    desk.press('1');
    assert_eq!(desk.tell(Input::Failed(Failure::Busy)), [Reject(Failure::Busy)]);
    assert_eq!(desk.commit(), [End(Fate::Erase(Reason::Empty))]);
    assert!(desk.permit.is_none());
    desk.tell(closed(true, 0));
    assert_eq!(desk.finished(), words(Consent::Granted, Outcome::Busy, Verdict::Unconnected));
}

#[test]
fn c_02_a_key_between_the_notice_and_its_question_counts_and_the_question_is_skipped() {
    for (key, consent) in
        [('1', Consent::Granted), ('2', Consent::Refused), ('*', Consent::Refused)]
    {
        let mut desk = rings();
        assert_eq!(desk.press('5'), []);
        let decided = desk.press(key);
        assert_eq!(decided[..2], [Decided(consent), Keep(Party::Customer, Kept::Nothing)]);
        desk.tell(Input::Answered);
        assert_eq!(desk.tell(Input::Confirmed), [], "nothing is asked again");
    }
}

#[test]
fn l_01_a_notice_that_was_cut_leads_to_no_question() {
    let mut desk = Desk::new(early(AFTER, asking()));
    desk.tell(Input::Progressed);
    assert_eq!(desk.cut(800), [Decided(Consent::NotGiven), Play(Prompt::NotGiven)]);
    assert_eq!(desk.hear(), [Dial, RINGS]);
    desk.tell(Input::Answered);
    assert_eq!(desk.tell(Input::Confirmed), []);
}

#[test]
fn a_06_the_carriers_limit_answers_the_caller_and_the_call_goes_on() {
    let notice = EarlyNotice { question: AFTER, limit: ms(12_000) };
    let mut desk = Desk::new(CallOffer { early: Some(notice), ..asked(asking()) });
    desk.tell(Input::Progressed);
    desk.hear();
    assert_eq!(desk.wait_for_deadline(), (ms(3_000), vec![Answer]));
    assert_eq!(desk.tell(Input::Confirmed), []);
    // From here on the parties come together, or not, as in a call that was answered first.
    let mut busy = rings();
    busy.wait(29_000);
    let asks = [Hush, Connect(Connection::Bridged), Announce(Prompt::Question)];
    assert_eq!(desk.tell(Input::Answered), asks);
    busy.tell(Input::Ringing { early_media: false });
    assert_eq!(
        busy.wait(2_000),
        [CancelDial, Reject(Failure::NoAnswer), Decided(Consent::NotGiven)]
    );
}

#[test]
fn a_06_a_caller_who_was_answered_at_the_limit_hears_that_the_pbx_is_busy() {
    let notice = EarlyNotice { question: AFTER, limit: ms(10_000) };
    let mut desk = Desk::new(CallOffer { early: Some(notice), ..asked(asking()) });
    desk.tell(Input::Progressed);
    desk.hear();
    desk.wait(1_000);
    desk.tell(Input::Confirmed);
    assert_eq!(
        desk.tell(Input::Failed(Failure::Busy)),
        [Decided(Consent::NotGiven), Tone(call::Tone::Busy)]
    );
    let cause = Cause::Failed(Failure::Busy);
    let words = words(Consent::NotGiven, Outcome::Busy, Verdict::NotGiven);
    assert_eq!(desk.wait(5_000), [HangUp(Party::Customer, cause), Ended(words), Finish(words)]);
}

#[test]
fn e_01_emergencies_and_quiet_lines_are_connected_as_ever() {
    let notice = Some(EarlyNotice { question: AFTER, limit: ms(60_000) });
    let urgent = CallOffer { emergency: true, early: notice, ..asked(asking()) };
    assert_eq!(Desk::new(urgent).since(), [Opened, Dial]);
    let quiet = CallOffer { early: notice, ..offer(Some(line(Recording::Never))) };
    assert_eq!(Desk::new(quiet).since(), [Opened, Dial]);
    let outgoing = CallOffer { early: notice, ..placed(asking()) };
    assert_eq!(Desk::new(outgoing).since(), [Opened, Dial]);
}
