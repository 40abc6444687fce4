//! A recording that fails, where the house may not talk without a record (flows row O-05).

use crate::*;

const LOST: Cause = Cause::NotRecorded;

fn strict() -> Asking {
    Asking { when_recording_fails: WhenRecordingFails::EndCall, ..asking() }
}

#[test]
fn o_05_where_policy_says_so_a_recording_that_fails_ends_both_legs_and_is_kept() {
    for (closed, verdict) in
        [(closed(true, 1_500), Verdict::Degraded), (closed(false, 1_500), Verdict::Failed)]
    {
        let mut desk = Desk::recorded(strict());
        assert!(desk.call.ends_unrecorded());
        desk.wait(2_000);
        assert_eq!(
            desk.tell(Input::RecorderFailed),
            [HangUp(Party::Customer, LOST), HangUp(Party::Agent, LOST), End(Fate::Keep)]
        );
        assert_eq!(desk.tell(closed), ended(Consent::Granted, Outcome::Bridged, verdict));
    }
}

#[test]
fn o_05_so_does_a_yes_that_cannot_be_committed() {
    let failed = Input::CommitFailed { recording: RECORDING };
    let mut desk = Desk::at_question(asked(strict()));
    desk.press('1');
    desk.cut(1);
    assert_eq!(desk.tell(Input::CommitFailed { recording: OTHER_RECORDING }), []);
    assert_eq!(
        desk.tell(failed)[..],
        [
            &[HangUp(Party::Customer, LOST)][..],
            &ended(Consent::Granted, Outcome::Unreachable, Verdict::Unconnected)
        ]
        .concat()
    );
}

#[test]
fn o_05_while_the_pbx_rings_the_caller_is_hung_up_on_and_the_pbx_is_cancelled() {
    let mut desk = Desk::dialled(strict());
    assert_eq!(
        desk.tell(Input::RecorderFailed),
        [HangUp(Party::Customer, LOST), CancelDial, EMPTY]
    );
    desk.tell(Input::Failed(Failure::Rejected(487)));
    desk.tell(closed(true, 0));
    assert_eq!(desk.finished().verdict, Verdict::Unconnected);
}

#[test]
fn o_05_losses_that_the_recorder_goes_on_after_end_nothing() {
    let mut desk = Desk::recorded(strict());
    assert_eq!(desk.tell(Input::Degraded), []);
}

#[test]
fn o_05_a_call_that_is_not_recorded_any_more_goes_on() {
    let mut desk = Desk::recorded(strict());
    desk.wait(2_000);
    assert_eq!(desk.press('*')[..2], [ERASED, Decided(Consent::Withdrawn)]);
    assert_eq!(desk.tell(Input::RecorderFailed), []);

    let mut desk = Desk::recorded(strict());
    desk.wait(2_000);
    assert_eq!(desk.tell(Input::HouseLeft), [End(Fate::Keep)]);
    assert_eq!(desk.tell(Input::RecorderFailed), []);

    // The yes was taken back before the ledger had failed to keep it.
    let mut desk = Desk::at_question(asked(strict()));
    desk.press('1');
    desk.cut(1);
    desk.press('*');
    assert_eq!(desk.tell(Input::CommitFailed { recording: RECORDING }), []);
}

#[test]
fn o_05_a_call_that_was_never_to_be_recorded_goes_on() {
    let mut desk = Desk::at_question(asked(strict()));
    desk.press('2');
    desk.hear();
    desk.tell(Input::Answered);
    assert_eq!(desk.tell(Input::RecorderFailed), []);
    assert_eq!(desk.tell(Input::CommitFailed { recording: RECORDING }), []);
}

#[test]
fn o_05_e_01_no_emergency_is_ended() {
    let mut desk = Desk::new(CallOffer { emergency: true, ..asked(strict()) });
    assert!(!desk.call.ends_unrecorded());
    desk.tell(Input::Answered);
    assert_eq!(desk.tell(Input::RecorderFailed), []);

    // The agent transfers the customer to one, and it still rings there.
    let mut desk = Desk::recorded(strict());
    desk.wait(2_000);
    assert_eq!(desk.tell(Input::Urgent), []);
    assert!(!desk.call.ends_unrecorded());
    assert_eq!(desk.tell(Input::RecorderFailed), [End(Fate::Keep)]);
}
