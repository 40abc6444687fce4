//! Early media, failures of the PBX, hang-ups, the recorder, and the three words.

use call::*;

use crate::{
    support::{Seen::*, *},
    *,
};

#[test]
fn c_08_a_hang_up_in_the_notice_calls_nobody() {
    for confirmed in [false, true] {
        let mut desk = Desk::new(asked(asking()));
        if confirmed {
            desk.tell(Input::Confirmed);
            desk.press('1');
        }
        desk.since();
        let words = words(Consent::Abandoned, Outcome::CallerGone, Verdict::Abandoned);
        assert_eq!(
            desk.tell(Input::HungUp(Party::Customer)),
            [Decided(Consent::Abandoned), Ended(words), Finish(words)]
        );
        assert_eq!(desk.wait(120_000), []);
        assert!(!desk.all.contains(&Dial) && desk.evidence.is_none());
    }
}

#[test]
fn c_08_a_finished_call_answers_to_nothing() {
    let mut desk = Desk::new(asked(asking()));
    desk.tell(Input::HungUp(Party::Customer));
    for input in [
        Input::Confirmed,
        Input::Answered,
        Input::HungUp(Party::Customer),
        Input::HungUp(Party::Agent),
        Input::Stop(NORMAL),
        closed(true, 5),
        Input::Committed { recording: RECORDING, evidence: HASH },
    ] {
        assert_eq!(desk.tell(input), []);
    }
    assert_eq!(desk.call.poll_timeout(), None);
}

#[test]
fn c_10_a_hang_up_while_the_pbx_rings_cancels_it_and_removes_the_empty_recording() {
    let mut desk = Desk::dialled(asking());
    let permit = desk.permit.take().unwrap();
    assert_eq!(desk.tell(Input::HungUp(Party::Customer)), [CancelDial, EMPTY]);
    assert!(!permit.is_live());
    assert_eq!(desk.tell(Input::Failed(Failure::Rejected(487))), []);
    assert_eq!(
        desk.tell(closed(true, 0)),
        ended(Consent::Granted, Outcome::CallerGone, Verdict::Unconnected)
    );
}

#[test]
fn c_10_an_answer_that_crosses_with_the_cancel_is_hung_up() {
    let mut desk = Desk::new(asked(confirm(Confirm::Off)));
    desk.tell(Input::Confirmed);
    desk.press('2');
    assert_eq!(desk.tell(Input::HungUp(Party::Customer)), [CancelDial]);
    let words = words(Consent::Refused, Outcome::CallerGone, Verdict::Refused);
    assert_eq!(
        desk.tell(Input::Answered),
        [HangUp(Party::Agent, NORMAL), Ended(words), Finish(words)]
    );
}

#[test]
fn c_10_a_cancelled_pbx_that_never_says_anything_is_not_waited_for_forever() {
    let mut desk = Desk::new(asked(confirm(Confirm::Off)));
    desk.tell(Input::Confirmed);
    desk.press('2');
    desk.tell(Input::HungUp(Party::Customer));
    assert_eq!(
        desk.wait_for_deadline(),
        (ms(10_000), ended(Consent::Refused, Outcome::CallerGone, Verdict::Refused))
    );
}

#[test]
fn l_01_early_media_is_heard_and_its_connection_is_not_the_bridge() {
    let mut desk = Desk::dialled(asking());
    let ringing = Input::Ringing { early_media: true };
    assert_eq!(desk.tell(ringing), [Hush, Connect(Connection::Early)]);
    assert_eq!(desk.tell(ringing), []);
    assert_eq!(desk.tell(Input::Ringing { early_media: false }), []);
    desk.wait(5_000);
    assert_eq!(desk.tell(Input::HungUp(Party::Customer)), [CancelDial, EMPTY]);
}

#[test]
fn l_01_early_media_waits_for_the_end_of_our_prompt() {
    let mut desk = Desk::at_question(asked(confirm(Confirm::WhileRinging)));
    desk.press('1');
    desk.cut(10);
    assert_eq!(desk.tell(Input::Ringing { early_media: true }), []);
    assert_eq!(desk.hear(), [Connect(Connection::Early)]);
    assert_eq!(desk.press('*'), [Decided(Consent::Withdrawn), Play(Prompt::Withdrawn)]);
    assert_eq!(desk.hear(), [], "the PBX's own sound goes on");
}

#[test]
fn b_19_the_caller_hears_why_there_is_no_agent_and_is_hung_up() {
    for (failure, sound, outcome) in [
        (Failure::Busy, Tone(call::Tone::Busy), Outcome::Busy),
        (Failure::Unreachable, Tone(call::Tone::Congestion), Outcome::Unreachable),
        (Failure::Rejected(404), Tone(call::Tone::Congestion), Outcome::Unreachable),
    ] {
        let mut desk = Desk::dialled(asking());
        let permit = desk.permit.take().unwrap();
        assert_eq!(desk.tell(Input::Failed(failure)), [EMPTY, sound]);
        assert!(!permit.is_live());
        assert_eq!(desk.tell(closed(true, 0)), []);
        let words = words(Consent::Granted, outcome, Verdict::Unconnected);
        let hung_up = HangUp(Party::Customer, Cause::Failed(failure));
        assert_eq!(
            desk.wait_for_deadline(),
            (ms(5_000), vec![hung_up, Ended(words), Finish(words)])
        );
    }
}

#[test]
fn b_19_nobody_answers_is_said_and_then_hung_up() {
    let failed = Cause::Failed(Failure::NoAnswer);
    let mut desk = Desk::dialled(asking());
    assert_eq!(desk.tell(Input::Failed(Failure::NoAnswer)), [EMPTY, Play(Prompt::NoAnswer)]);
    assert_eq!(desk.hear(), [HangUp(Party::Customer, failed)]);
    desk.tell(closed(true, 0));
    assert_eq!(desk.finished(), words(Consent::Granted, Outcome::NoAnswer, Verdict::Unconnected));

    let mut desk = Desk::dialled(asking());
    desk.tell(Input::Failed(Failure::NoAnswer));
    let (waited, seen) = desk.wait_for_deadline();
    assert_eq!((waited, seen[0]), (ms(15_000), HangUp(Party::Customer, failed)));
}

#[test]
fn b_20_a_pbx_that_does_not_even_ring_is_not_there() {
    let mut desk = Desk::dialled(asking());
    let (waited, seen) = desk.wait_for_deadline();
    let congestion = Tone(call::Tone::Congestion);
    assert_eq!((waited, seen), (ms(30_000), vec![CancelDial, EMPTY, congestion]));
    let (_, seen) = desk.wait_for_deadline();
    assert_eq!(seen[0], HangUp(Party::Customer, Cause::Failed(Failure::Unreachable)));
    desk.tell(Input::Failed(Failure::Unreachable));
    desk.tell(closed(true, 0));
    let words = words(Consent::Granted, Outcome::Unreachable, Verdict::Unconnected);
    assert_eq!(desk.finished(), words);
}

#[test]
fn b_20_a_pbx_that_rings_too_long_is_cancelled() {
    let mut desk = Desk::dialled(asking());
    desk.tell(Input::Ringing { early_media: false });
    let (waited, seen) = desk.wait_for_deadline();
    assert_eq!((waited, seen), (ms(30_000), vec![CancelDial, EMPTY, Play(Prompt::NoAnswer)]));
    assert_eq!(desk.tell(Input::Answered), [HangUp(Party::Agent, NORMAL)], "too late");
    desk.hear();
    desk.tell(closed(true, 0));
    assert_eq!(desk.finished(), words(Consent::Granted, Outcome::NoAnswer, Verdict::Unconnected));
}

#[test]
fn b_19_the_caller_may_leave_before_the_tone_ends() {
    let mut desk = Desk::at_question(asked(confirm(Confirm::Off)));
    desk.press('2');
    desk.tell(Input::Failed(Failure::Busy));
    assert_eq!(desk.press('*'), []);
    assert_eq!(
        desk.tell(Input::HungUp(Party::Customer)),
        ended(Consent::Refused, Outcome::Busy, Verdict::Refused)
    );
}

#[test]
fn b_13_two_hang_ups_at_once_are_one_end() {
    let mut desk = Desk::recorded(asking());
    desk.wait(3_000);
    assert_eq!(
        desk.tell(Input::HungUp(Party::Agent)),
        [HangUp(Party::Customer, NORMAL), End(Fate::Keep)]
    );
    assert_eq!(desk.tell(Input::HungUp(Party::Customer)), []);
    assert_eq!(desk.tell(Input::HungUp(Party::Agent)), []);
    assert_eq!(desk.tell(Input::Stop(Cause::Shutdown)), []);
    desk.tell(closed(true, 3_000));
    assert_eq!(desk.all.iter().filter(|seen| matches!(seen, Finish(_))).count(), 1);
}

#[test]
fn what_a_pbx_says_out_of_turn_is_ignored() {
    let mut desk = Desk::new(asked(asking()));
    desk.since();
    for input in [
        Input::Ringing { early_media: true },
        Input::Answered,
        Input::Failed(Failure::Busy),
        Input::HungUp(Party::Agent),
        Input::Degraded,
        Input::RecorderFailed,
        closed(true, 1),
        closed(false, 0),
    ] {
        assert_eq!(desk.tell(input), []);
    }
    let mut desk = Desk::recorded(asking());
    assert_eq!(desk.tell(Input::Answered), []);
    assert_eq!(desk.tell(Input::Failed(Failure::Busy)), []);
    assert_eq!(desk.tell(Input::Ringing { early_media: true }), []);
    let mut desk = Desk::dialled(asking());
    assert_eq!(desk.tell(Input::HungUp(Party::Agent)), []);
    assert_eq!(desk.tell(Input::Answered)[1], Connect(Connection::Bridged));
}

#[test]
fn a_stop_ends_both_legs_with_its_cause() {
    let cause = Cause::Shutdown;
    let mut desk = Desk::recorded(asking());
    desk.wait(2_000);
    assert_eq!(
        desk.tell(Input::Stop(cause)),
        [HangUp(Party::Customer, cause), HangUp(Party::Agent, cause), End(Fate::Keep)]
    );
    desk.tell(closed(true, 2_000));
    assert_eq!(desk.finished(), words(Consent::Granted, Outcome::Bridged, Verdict::Recorded));

    let mut desk = Desk::at_question(asked(asking()));
    assert_eq!(
        desk.tell(Input::Stop(cause))[..2],
        [HangUp(Party::Customer, cause), Decided(Consent::NotGiven)]
    );
    assert_eq!(desk.finished(), words(Consent::NotGiven, Outcome::Unreachable, Verdict::NotGiven));

    let mut desk = Desk::new(offer(None));
    desk.since();
    assert_eq!(desk.tell(Input::Stop(cause)), [Reject(Failure::Unreachable), CancelDial]);
    desk.tell(Input::Failed(Failure::Rejected(487)));
    assert_eq!(desk.finished().outcome, Outcome::Unreachable);

    let mut desk = Desk::dialled(asking());
    desk.tell(Input::Failed(Failure::Busy));
    assert_eq!(desk.tell(Input::Stop(cause)), [HangUp(Party::Customer, cause)]);
    desk.tell(closed(true, 0));
    assert_eq!(desk.finished().outcome, Outcome::Busy, "the stop does not change why");
}

#[test]
fn lost_audio_makes_the_recording_degraded() {
    let mut desk = Desk::recorded(asking());
    desk.wait(2_000);
    assert_eq!(desk.tell(Input::Degraded), []);
    desk.tell(Input::HungUp(Party::Customer));
    desk.tell(closed(true, 1_900));
    assert_eq!(desk.finished(), words(Consent::Granted, Outcome::Bridged, Verdict::Degraded));

    let mut desk = Desk::recorded(asking());
    desk.wait(2_000);
    desk.tell(Input::HungUp(Party::Customer));
    desk.tell(Input::Degraded);
    desk.tell(closed(true, 1_900));
    assert_eq!(desk.finished().verdict, Verdict::Degraded, "the recorder may notice late");
}

#[test]
fn a_loss_before_the_recording_is_none() {
    let mut desk = Desk::at_question(asked(confirm(Confirm::Off)));
    desk.tell(Input::Degraded);
    desk.tell(Input::RecorderFailed);
    desk.press('1');
    desk.cut(1);
    desk.tell(Input::Degraded);
    desk.tell(Input::RecorderFailed);
    desk.commit();
    desk.tell(Input::Answered);
    desk.wait(2_000);
    desk.tell(Input::HungUp(Party::Customer));
    desk.tell(closed(true, 2_000));
    assert_eq!(desk.finished().verdict, Verdict::Recorded);
}

#[test]
fn a_commit_that_comes_long_after_the_bridge_misses_the_beginning() {
    for (late, verdict) in [(999, Verdict::Recorded), (1_000, Verdict::Degraded)] {
        let mut desk = Desk::at_question(asked(confirm(Confirm::Off)));
        desk.press('1');
        desk.cut(1);
        desk.tell(Input::Answered);
        desk.wait(late);
        assert_eq!(desk.commit(), [Record, Arm(key('*'))]);
        desk.wait(60_000);
        desk.tell(Input::HungUp(Party::Customer));
        desk.tell(closed(true, 60_000));
        assert_eq!(desk.finished().verdict, verdict);
    }
}

#[test]
fn a_recorder_that_fails_degrades_what_it_sealed_and_the_call_goes_on() {
    for (closed, verdict) in [
        (closed(true, 1_500), Verdict::Degraded),
        (closed(false, 1_500), Verdict::Failed),
        (closed(false, 0), Verdict::Failed),
    ] {
        let mut desk = Desk::recorded(asking());
        desk.wait(2_000);
        assert_eq!(desk.tell(Input::RecorderFailed), [End(Fate::Keep)]);
        desk.tell(closed);
        desk.wait(60_000);
        let words = words(Consent::Granted, Outcome::Bridged, verdict);
        assert_eq!(
            desk.tell(Input::HungUp(Party::Customer)),
            [HangUp(Party::Agent, NORMAL), Ended(words), Finish(words)]
        );
    }
}

#[test]
fn a_recorder_that_fails_at_once_leaves_a_failed_call() {
    let mut desk = Desk::recorded(asking());
    desk.wait(100);
    assert_eq!(desk.tell(Input::RecorderFailed), [End(Fate::Keep)]);
    assert_eq!(desk.tell(closed(true, 0)), [EMPTY]);
    desk.tell(closed(true, 0));
    desk.tell(Input::HungUp(Party::Customer));
    assert_eq!(desk.finished(), words(Consent::Granted, Outcome::Bridged, Verdict::Failed));
}

#[test]
fn a_recorder_that_fails_before_the_bridge_leaves_nothing() {
    let mut desk = Desk::dialled(asking());
    assert_eq!(desk.tell(Input::RecorderFailed), [EMPTY]);
    desk.tell(Input::Answered);
    desk.wait(10);
    desk.tell(Input::HungUp(Party::Customer));
    desk.tell(closed(true, 0));
    assert_eq!(desk.finished(), words(Consent::Granted, Outcome::Bridged, Verdict::Failed));
}

#[test]
fn a_recording_that_is_not_closed_is_a_failed_one() {
    let mut desk = Desk::recorded(asking());
    desk.wait(2_000);
    desk.tell(Input::HungUp(Party::Customer));
    let (waited, seen) = desk.wait_for_deadline();
    assert_eq!(waited, ms(10_000));
    assert_eq!(seen, ended(Consent::Granted, Outcome::Bridged, Verdict::Failed));

    let mut desk = Desk::recorded(asking());
    desk.wait(2_000);
    desk.tell(Input::HungUp(Party::Customer));
    assert_eq!(
        desk.tell(closed(false, 2_000)),
        ended(Consent::Granted, Outcome::Bridged, Verdict::Failed)
    );

    let mut desk = Desk::recorded(asking());
    desk.wait(2_000);
    desk.tell(Input::HungUp(Party::Customer));
    assert_eq!(
        desk.tell(closed(false, 0)),
        ended(Consent::Granted, Outcome::Bridged, Verdict::Failed),
        "what does not exist cannot be erased"
    );
}

#[test]
fn an_empty_recording_is_removed_and_only_a_long_silence_is_a_failure() {
    for (bridged, verdict) in [(20, Verdict::Unconnected), (1_000, Verdict::Failed)] {
        let mut desk = Desk::recorded(asking());
        desk.wait(bridged);
        desk.tell(Input::HungUp(Party::Customer));
        assert_eq!(desk.tell(closed(true, 0)), [EMPTY]);
        assert_eq!(desk.tell(closed(true, 0)), ended(Consent::Granted, Outcome::Bridged, verdict));
    }
}

#[test]
fn a_call_that_was_held_all_the_time_had_nothing_to_record() {
    let mut desk = Desk::dialled(asking());
    desk.tell(Input::Held(Party::Agent, true));
    desk.tell(Input::Answered);
    desk.wait(60_000);
    assert_eq!(desk.tell(Input::HungUp(Party::Customer)), [HangUp(Party::Agent, NORMAL), EMPTY]);
    desk.tell(closed(true, 0));
    assert_eq!(desk.finished(), words(Consent::Granted, Outcome::Bridged, Verdict::Unconnected));
}

#[test]
fn a_ledger_that_never_answers_makes_a_failed_call() {
    let mut desk = Desk::at_question(asked(confirm(Confirm::Off)));
    desk.press('1');
    desk.cut(1);
    desk.tell(Input::Answered);
    desk.wait(5_000);
    assert_eq!(desk.tell(Input::HungUp(Party::Customer)), [HangUp(Party::Agent, NORMAL)]);
    let (waited, seen) = desk.wait_for_deadline();
    assert_eq!(waited, ms(10_000));
    assert_eq!(seen, ended(Consent::Granted, Outcome::Bridged, Verdict::Failed));
}

#[test]
fn a_commit_that_comes_after_the_end_is_undone_before_the_call_finishes() {
    let mut desk = Desk::at_question(asked(confirm(Confirm::Off)));
    desk.press('1');
    desk.cut(1);
    desk.tell(Input::Answered);
    desk.wait(100);
    desk.tell(Input::HungUp(Party::Customer));
    assert_eq!(desk.commit(), [EMPTY]);
    assert_eq!(
        desk.tell(closed(true, 0)),
        ended(Consent::Granted, Outcome::Bridged, Verdict::Unconnected)
    );
}

#[test]
fn a_short_recording_that_is_not_closed_is_a_failed_one_too() {
    let mut desk = Desk::recorded(asking());
    desk.wait(300);
    desk.tell(Input::HungUp(Party::Customer));
    assert_eq!(
        desk.wait_for_deadline().1,
        ended(Consent::Granted, Outcome::Bridged, Verdict::Failed)
    );
}

#[test]
fn losing_all_audio_is_not_a_degraded_recording() {
    let mut desk = Desk::recorded(asking());
    desk.wait(2_000);
    desk.tell(Input::Degraded);
    desk.tell(Input::HungUp(Party::Customer));
    desk.tell(closed(true, 0));
    assert_eq!(
        desk.tell(closed(true, 0)),
        ended(Consent::Granted, Outcome::Bridged, Verdict::Failed)
    );
}
