//! Consent, the permit, and its withdrawal.

use call::*;

use crate::{
    support::{Seen::*, *},
    *,
};

#[test]
fn c_15_withdrawal_in_the_call_kills_the_permit_and_erases_and_the_call_goes_on() {
    let mut desk = Desk::recorded(asking());
    desk.wait(30_000);
    let permit = desk.permit.take().unwrap();
    assert_eq!(format!("{permit:?}"), format!("Permit({RECORDING})"));
    assert_eq!(
        desk.press('*'),
        [ERASED, Decided(Consent::Withdrawn), again(), Play(Prompt::Withdrawn)]
    );
    assert!(!permit.is_live());
    assert_eq!(desk.tell(Input::TapCut), [], "the same press is counted once");
    assert_eq!(desk.press('*'), []);
    assert_eq!(desk.hear(), [], "the agent is still there");
    assert_eq!(desk.tell(closed(true, 0)), []);
    let words = words(Consent::Withdrawn, Outcome::Bridged, Verdict::Withdrawn);
    assert_eq!(
        desk.tell(Input::HungUp(Party::Customer)),
        [HangUp(Party::Agent, NORMAL), Ended(words), Finish(words)]
    );
}

#[test]
fn c_15_the_tap_that_the_worker_has_cut_is_a_withdrawal() {
    let mut desk = Desk::recorded(asking());
    desk.wait(1);
    assert_eq!(
        desk.tell(Input::TapCut),
        [ERASED, Decided(Consent::Withdrawn), again(), Play(Prompt::Withdrawn)]
    );
    assert_eq!(desk.press('*'), []);
    assert!(!desk.permit.unwrap().is_live());
}

#[test]
fn c_15_a_cut_without_a_tap_means_nothing() {
    let mut desk = Desk::at_question(asked(confirm(Confirm::Off)));
    desk.press('1');
    assert_eq!(desk.tell(Input::TapCut), []);
    desk.cut(1);
    assert_eq!(desk.tell(Input::TapCut), []);
    assert_eq!(desk.commit(), [Record, Arm(key('*'))]);
}

#[test]
fn l_08_what_the_customer_said_to_the_house_ends_it_as_their_key_does_and_says_who_passed_it_on() {
    let mut desk = Desk::recorded(asking());
    desk.wait(30_000);
    let permit = desk.permit.take().unwrap();
    assert!(desk.call.may_be_withdrawn());
    assert_eq!(
        desk.tell(Input::Withdraw),
        [
            Told(Hand::Operator),
            ERASED,
            Decided(Consent::Withdrawn),
            again(),
            Play(Prompt::Withdrawn)
        ]
    );
    assert!(!permit.is_live() && !desk.call.may_be_withdrawn());
    assert_eq!(desk.tell(Input::Withdraw), [], "it is withdrawn");
}

#[test]
fn l_08_nobody_can_withdraw_for_a_customer_who_has_agreed_to_nothing() {
    let mut desk = Desk::at_question(asked(asking()));
    assert!(!desk.call.may_be_withdrawn());
    assert_eq!(desk.tell(Input::Withdraw), []);
    desk.press('2');
    assert_eq!(desk.tell(Input::Withdraw), [], "nor after a no");
}

#[test]
fn c_15_a_policy_can_keep_what_was_recorded_before_the_withdrawal() {
    let policy = Asking { on_withdraw: OnWithdraw::Stop, ..asking() };
    let mut desk = Desk::recorded(policy.clone());
    desk.wait(2_000);
    assert_eq!(
        desk.press('*'),
        [End(Fate::Keep), Decided(Consent::Withdrawn), again(), Play(Prompt::Withdrawn)]
    );
    desk.tell(closed(true, 2_000));
    desk.tell(Input::HungUp(Party::Customer));
    assert_eq!(desk.finished(), words(Consent::Withdrawn, Outcome::Bridged, Verdict::Withdrawn));

    let mut desk = Desk::dialled(policy);
    assert_eq!(
        desk.press('*'),
        [ERASED, Decided(Consent::Withdrawn), Play(Prompt::Withdrawn)],
        "what was never heard is not kept"
    );
}

#[test]
fn c_15_withdrawal_before_the_commit_mints_nothing_and_removes_row_and_slip() {
    for policy in [OnWithdraw::Erase, OnWithdraw::Stop] {
        let mut desk = Desk::at_question(asked(Asking { on_withdraw: policy, ..asking() }));
        desk.press('1');
        desk.cut(10);
        assert_eq!(desk.press('*'), [Decided(Consent::Withdrawn), Play(Prompt::Withdrawn)]);
        assert_eq!(desk.commit(), [ERASED]);
        assert!(desk.permit.is_none());
        assert_eq!(desk.cut(10), []);
        assert_eq!(desk.hear(), [Dial, RINGS], "the customer hears it, then the PBX is called");
        desk.tell(Input::HungUp(Party::Customer));
        desk.tell(Input::Failed(Failure::Rejected(487)));
        desk.tell(closed(true, 0));
        let expected = words(Consent::Withdrawn, Outcome::CallerGone, Verdict::Withdrawn);
        assert_eq!(desk.finished(), expected);
    }
}

#[test]
fn c_15_withdrawal_before_the_evidence_is_complete_commits_nothing() {
    let mut desk = Desk::at_question(asked(asking()));
    desk.press('1');
    assert_eq!(desk.press('*'), [Decided(Consent::Withdrawn), Play(Prompt::Withdrawn)]);
    assert_eq!(desk.cut(10), []);
    assert_eq!(desk.cut(10), []);
    assert_eq!(desk.commit(), []);
    assert!(desk.evidence.is_none() && desk.permit.is_none());
}

#[test]
fn c_15_withdrawal_while_it_rings_is_heard_and_then_it_rings_on() {
    let mut desk = Desk::dialled(asking());
    assert_eq!(desk.press('*'), [ERASED, Decided(Consent::Withdrawn), Play(Prompt::Withdrawn)]);
    assert_eq!(desk.hear(), [RINGS]);
    assert_eq!(desk.tell(Input::Answered), [Hush, Connect(Connection::Bridged), again()]);
}

#[test]
fn c_15_withdrawal_counts_until_the_very_end() {
    let mut desk = Desk::recorded(asking());
    desk.wait(5_000);
    assert_eq!(desk.tell(Input::HungUp(Party::Agent))[1], End(Fate::Keep));
    assert_eq!(desk.press('*'), [ERASED, Decided(Consent::Withdrawn)]);
    assert_eq!(desk.tell(closed(true, 5_000)), [], "that was the close of what is now erased");
    assert_eq!(
        desk.tell(closed(true, 0)),
        ended(Consent::Withdrawn, Outcome::Bridged, Verdict::Withdrawn)
    );
}

#[test]
fn c_15_withdrawal_after_the_recorder_failed_erases_what_was_sealed() {
    let mut desk = Desk::recorded(asking());
    desk.wait(5_000);
    let permit = desk.permit.take().unwrap();
    assert_eq!(desk.tell(Input::RecorderFailed), [End(Fate::Keep)]);
    assert!(!permit.is_live());
    assert_eq!(desk.tell(Input::RecorderFailed), []);
    assert_eq!(desk.tell(closed(true, 4_000)), []);
    assert_eq!(
        desk.press('*'),
        [ERASED, Decided(Consent::Withdrawn), again(), Play(Prompt::Withdrawn)]
    );
    desk.tell(Input::HungUp(Party::Customer));
    assert_eq!(
        desk.tell(closed(true, 0)),
        ended(Consent::Withdrawn, Outcome::Bridged, Verdict::Withdrawn)
    );
}

#[test]
fn c_17_a_failed_commit_records_nothing_and_the_call_goes_on() {
    let mut desk = Desk::at_question(asked(confirm(Confirm::Off)));
    desk.press('1');
    desk.cut(10);
    assert_eq!(desk.tell(Input::CommitFailed { recording: OTHER_RECORDING }), []);
    assert_eq!(desk.tell(Input::CommitFailed { recording: RECORDING }), []);
    assert_eq!(desk.commit(), [], "a failure is not taken back");
    assert_eq!(desk.tell(Input::Answered), [Hush, Connect(Connection::Bridged)]);
    let words = words(Consent::Granted, Outcome::Bridged, Verdict::Failed);
    assert_eq!(
        desk.tell(Input::HungUp(Party::Customer)),
        [HangUp(Party::Agent, NORMAL), Ended(words), Finish(words)]
    );
}

#[test]
fn c_17_only_the_acknowledgement_of_this_recording_mints() {
    let mut desk = Desk::at_question(asked(asking()));
    assert_eq!(desk.commit(), []);
    desk.press('1');
    assert_eq!(desk.commit(), [], "nothing was committed yet");
    desk.cut(10);
    let other = Input::Committed { recording: OTHER_RECORDING, evidence: HASH };
    assert_eq!(desk.tell(other), []);
    assert_eq!(desk.commit(), [Record, Arm(key('*'))]);
    assert_eq!(desk.commit(), [], "one decision, one permit");
}

#[test]
fn l_03_nothing_is_recorded_while_a_party_holds() {
    let mut desk = Desk::recorded(asking());
    assert_eq!(desk.tell(Input::Held(Party::Agent, true)), [Pause]);
    assert_eq!(desk.tell(Input::Held(Party::Customer, true)), []);
    assert_eq!(desk.tell(Input::Held(Party::Agent, false)), []);
    assert_eq!(desk.tell(Input::Held(Party::Customer, false)), [Resume]);
    desk.press('*');
    assert_eq!(desk.tell(Input::Held(Party::Agent, true)), []);
}

#[test]
fn l_03_a_hold_before_the_commit_is_remembered() {
    let mut desk = Desk::at_question(asked(confirm(Confirm::Off)));
    desk.press('1');
    desk.cut(1);
    desk.tell(Input::Answered);
    assert_eq!(desk.tell(Input::Held(Party::Agent, true)), []);
    assert_eq!(desk.commit(), [Record, Arm(key('*')), Seen::Pause]);
    assert_eq!(desk.tell(Input::Held(Party::Agent, false)), [Resume]);
}

#[test]
fn l_08_withdrawing_takes_as_many_presses_as_granting() {
    let mut desk = Desk::new(asked(asking()));
    desk.tell(Input::Confirmed);
    desk.hear();
    let presses = desk.press('1');
    assert_eq!(presses[0], Decided(Consent::Granted));
    desk.cut(1);
    desk.commit();
    desk.hear();
    desk.tell(Input::Answered);
    assert!(desk.press('*').contains(&Decided(Consent::Withdrawn)));
}

#[test]
fn l_08_withdrawal_while_the_confirmation_plays_takes_its_place() {
    let mut desk = Desk::at_question(asked(asking()));
    desk.press('1');
    desk.cut(1);
    desk.commit();
    let permit = desk.permit.take().unwrap();
    assert_eq!(desk.press('*'), [ERASED, Decided(Consent::Withdrawn), Play(Prompt::Withdrawn)]);
    assert!(!permit.is_live());
    assert_eq!(desk.cut(1), []);
    assert_eq!(desk.hear(), [Dial, RINGS]);
}

#[test]
fn b_19_a_commit_that_comes_after_the_failure_is_undone() {
    let mut desk = Desk::at_question(asked(confirm(Confirm::Off)));
    desk.press('1');
    desk.cut(1);
    assert_eq!(desk.tell(Input::Failed(Failure::Busy)), [Tone(call::Tone::Busy)]);
    assert_eq!(desk.commit(), [EMPTY]);
    assert!(desk.permit.is_none());

    let mut desk = Desk::at_question(asked(confirm(Confirm::Off)));
    desk.press('1');
    desk.tell(Input::Failed(Failure::Busy));
    assert_eq!(desk.cut(1), [], "what was not committed yet never is");
    assert_eq!(desk.wait(500), []);
}

#[test]
fn a_withdrawal_while_the_tone_sounds_is_written_down_and_nothing_is_played() {
    let mut desk = Desk::dialled(asking());
    desk.tell(Input::Failed(Failure::Busy));
    assert_eq!(desk.press('*'), [Decided(Consent::Withdrawn)]);
    desk.tell(closed(true, 0));
    desk.wait(5_000);
    assert_eq!(desk.finished(), words(Consent::Withdrawn, Outcome::Busy, Verdict::Withdrawn));
}

#[test]
fn time_on_hold_is_not_time_to_be_heard() {
    let mut desk = Desk::recorded(asking());
    desk.wait(400);
    desk.tell(Input::Held(Party::Agent, true));
    desk.wait(60_000);
    desk.tell(Input::Held(Party::Agent, false));
    desk.wait(500);
    desk.tell(Input::HungUp(Party::Customer));
    desk.tell(closed(true, 0));
    desk.tell(closed(true, 0));
    assert_eq!(desk.finished().verdict, Verdict::Unconnected);
}

#[test]
fn a_withdrawal_outlives_the_failure_that_follows_it() {
    let mut desk = Desk::at_question(asked(confirm(Confirm::Off)));
    desk.press('1');
    desk.cut(1);
    desk.press('*');
    desk.tell(Input::Failed(Failure::Busy));
    assert_eq!(desk.commit(), [ERASED], "the reason is the withdrawal");
}

#[test]
fn dropping_a_call_drops_the_leash() {
    let mut desk = Desk::recorded(asking());
    let permit = desk.permit.take().unwrap();
    assert!(permit.is_live());
    drop(desk);
    assert!(!permit.is_live());
}

#[test]
fn c_17_the_failure_of_another_commit_means_nothing() {
    let mut desk = Desk::at_question(asked(confirm(Confirm::Off)));
    let failed = |recording| Input::CommitFailed { recording };
    assert_eq!(desk.tell(failed(RECORDING)), [], "nothing was committed yet");
    desk.press('1');
    desk.cut(10);
    assert_eq!(desk.tell(failed(OTHER_RECORDING)), []);
    assert_eq!(desk.commit(), [Record, Arm(key('*'))]);
    assert_eq!(desk.tell(failed(RECORDING)), [], "what is committed has not failed");
    assert!(desk.permit.as_ref().unwrap().is_live());
    desk.tell(Input::Answered);
    desk.wait(2_000);
    desk.tell(Input::HungUp(Party::Customer));
    desk.tell(closed(true, 2_000));
    assert_eq!(desk.finished().verdict, Verdict::Recorded);
}

#[test]
fn time_after_the_end_is_not_time_to_be_heard() {
    let mut desk = Desk::recorded(asking());
    desk.wait(500);
    desk.tell(Input::HungUp(Party::Agent));
    desk.tell(Input::Held(Party::Agent, false));
    desk.wait(5_000);
    desk.tell(Input::Held(Party::Agent, false));
    desk.tell(closed(true, 0));
    desk.tell(closed(true, 0));
    assert_eq!(desk.finished().verdict, Verdict::Unconnected);
}
