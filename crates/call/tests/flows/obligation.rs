//! Legal obligation: who is told has no say, and a call may need its record (Art. 6(1)(c), law row L54).

use call::*;

use crate::{
    closed, ended,
    support::{Seen::*, *},
};

const NOTICE: Prompt = Prompt::LegalObligation;
const TOLD: Seen = Decided(Consent::NotAsked);
const LOST: Cause = Cause::NotRecorded;

fn law() -> Asking {
    Asking { ground: Ground::LegalObligation, ..asking() }
}

/// A law that lets no call be led without a record, and a house that keeps to it.
fn strict() -> Asking {
    Asking { when_recording_fails: WhenRecordingFails::EndCall, ..law() }
}

/// Legitimate interest in a house that may not talk without a record either.
fn interest() -> Asking {
    Asking { ground: Ground::LegitimateInterest, ..strict() }
}

/// A call whose notice begins to be said.
fn told(asking: Asking) -> Desk {
    let mut desk = Desk::new(asked(asking));
    desk.tell(Input::Confirmed);
    desk.since();
    desk
}

/// The words of a call that was refused or stopped, for want of a record.
fn unrecorded() -> Vec<Seen> {
    ended(Consent::NotAsked, Outcome::Unreachable, Verdict::Blocked)
}

#[test]
fn l_54_what_a_law_demands_is_recorded_after_the_notice_and_no_key_ends_it() {
    for confirm in [Confirm::First, Confirm::WhileRinging, Confirm::Off] {
        let mut desk = Desk::new(asked(Asking { confirm, ..law() }));
        assert_eq!(desk.since(), [Opened, Answer]);
        assert_eq!(desk.tell(Input::Confirmed), [Play(NOTICE)]);
        assert_eq!((desk.press('*'), desk.press('2')), (vec![], vec![]));
        assert_eq!(desk.hear(), [TOLD, Dial, RINGS, Commit { prompts: 1, presses: 2 }]);
        assert_eq!(desk.press('*'), []);
        assert_eq!(desk.commit(), [Record], "no key is armed, so each reaches the PBX");
        assert_eq!(desk.tell(Input::Answered), [Hush, Connect(Connection::Bridged)]);
        desk.wait(2_000);
        for key in ['*', '2', '1', '9'] {
            assert_eq!(desk.press(key), []);
        }
        assert_eq!(desk.tell(Input::TapCut), []);
        assert_eq!(desk.tell(Input::Withdraw), [], "nor does a word of the house end it");
        let permit = desk.permit.take().unwrap();
        assert!(permit.is_live());
        assert_eq!(permit.ground(), Ground::LegalObligation);
        assert_eq!(desk.tell(Input::HungUp(Party::Customer))[1], End(Fate::Keep));
        let kept = ended(Consent::NotAsked, Outcome::Bridged, Verdict::Recorded);
        assert_eq!(desk.tell(closed(true, 2_000)), kept);
    }
}

#[test]
fn l_54_the_info_key_plays_information_and_then_it_goes_on() {
    let mut desk = told(Asking { unbridged_limit: ms(12_000), ..strict() });
    assert_eq!(desk.press('9'), []);
    assert_eq!(desk.hear(), [Play(Prompt::ObligationInfo)]);
    assert_eq!(desk.press('*'), []);
    assert_eq!(desk.hear(), [TOLD, Dial, RINGS, Commit { prompts: 2, presses: 2 }]);
}

#[test]
fn l_54_an_early_notice_of_what_a_law_demands_postpones_nothing() {
    for question in [QuestionAt::AfterAnswer, QuestionAt::BeforeAnswer] {
        let mut desk = Desk::new(early(question, strict()));
        assert_eq!(desk.tell(Input::Progressed), [Opened, Progress, Play(NOTICE)]);
        assert_eq!(desk.press('*'), []);
        assert_eq!(desk.hear(), [TOLD, Dial, RINGS, Commit { prompts: 1, presses: 1 }]);
        assert_eq!(desk.commit(), [Record]);
        let bridged = [Answer, Hush, Connect(Connection::Bridged)];
        assert_eq!(desk.tell(Input::Answered), bridged);
        assert_eq!((desk.tell(Input::Confirmed), desk.press('*')), (vec![], vec![]));
    }
}

#[test]
fn l_54_a_call_that_could_not_be_recorded_is_refused_before_it_is_answered() {
    for why in [NotReady::Disk, NotReady::Ledger, NotReady::Keys, NotReady::Recorder] {
        let ready = Err(why);
        let refused = [&[Opened, Reject(Failure::Unreachable)][..], &unrecorded()].concat();
        let before = early(QuestionAt::BeforeAnswer, strict());
        for offer in [asked(strict()), before.clone(), placed(strict())] {
            assert_eq!(Desk::new(CallOffer { ready, ..offer }).since(), refused);
        }
        // It may go on where no law demands the record, or the house has chosen so.
        for asking in [law(), interest(), Asking { ground: Ground::Consent, ..strict() }] {
            for offer in [asked(asking.clone()), placed(asking)] {
                let mut desk = Desk::new(CallOffer { ready, ..offer });
                assert_eq!(desk.since(), [Opened, Dial]);
                desk.tell(Input::Answered);
                desk.tell(Input::HungUp(Party::Customer));
                assert_eq!(desk.finished().verdict, Verdict::Blocked);
            }
        }
        let urgent = CallOffer { ready, emergency: true, ..asked(strict()) };
        assert_eq!(Desk::new(urgent).since(), [Opened, Dial]);
    }
    let mut policy = strict();
    policy.prompts.retain(|(prompt, _)| *prompt != NOTICE);
    assert_eq!(Desk::new(asked(policy)).since()[1], Reject(Failure::Unreachable));
}

#[test]
fn l_54_a_dead_pbx_is_no_matter_of_the_record() {
    let mut desk = Desk::new(CallOffer { target_up: false, ..asked(strict()) });
    let dead = ended(Consent::NotAsked, Outcome::Unreachable, Verdict::Unconnected);
    assert_eq!(desk.since(), [&[Opened, Reject(Failure::Unreachable)][..], &dead].concat());
}

#[test]
fn l_54_a_call_whose_notice_cannot_be_heard_is_stopped() {
    let stopped = [&[TOLD, HangUp(Party::Customer, LOST)][..], &unrecorded()].concat();
    assert_eq!(told(strict()).cut(800), stopped);
    assert_eq!(told(strict()).wait(34_750), stopped);
    let mut unconfirmed = Desk::new(asked(strict()));
    unconfirmed.since();
    assert_eq!(unconfirmed.wait(34_750), stopped);
    let mut explained = told(strict());
    explained.press('9');
    explained.hear();
    assert_eq!(explained.wait(60_000), stopped);

    let rejected = [&[TOLD, Reject(Failure::Unreachable)][..], &unrecorded()].concat();
    for question in [QuestionAt::AfterAnswer, QuestionAt::BeforeAnswer] {
        let mut desk = Desk::new(early(question, strict()));
        desk.tell(Input::Progressed);
        desk.since();
        assert_eq!(desk.cut(800), rejected);
    }
}

#[test]
fn l_54_where_the_house_lets_it_go_on_it_goes_on_unrecorded() {
    for asking in [law(), interest()] {
        assert_eq!(told(asking.clone()).cut(800), [TOLD, Dial, RINGS]);
        let mut desk = told(asking);
        assert_eq!(desk.wait(34_750), [TOLD, Hush, Dial, RINGS]);
        desk.tell(Input::Answered);
        desk.tell(Input::HungUp(Party::Agent));
        assert_eq!(desk.finished(), words(Consent::NotAsked, Outcome::Bridged, Verdict::Blocked));
        assert!(desk.evidence.is_none());
    }
}

#[test]
fn l_54_e_01_no_emergency_is_stopped_for_want_of_a_record() {
    let mut desk = told(strict());
    desk.tell(Input::Urgent);
    assert_eq!(desk.cut(800), [TOLD, Dial, RINGS]);
}

#[test]
fn l_54_a_record_that_fails_ends_the_call_where_the_house_keeps_to_the_law() {
    let failed = Input::CommitFailed { recording: RECORDING };
    for (asking, ends) in [(strict(), true), (interest(), true), (law(), false)] {
        let mut desk = told(asking.clone());
        desk.hear();
        assert_eq!(desk.call.ends_unrecorded(), ends);
        let hung_up = [HangUp(Party::Customer, LOST), CancelDial];
        assert_eq!(desk.tell(failed), if ends { &hung_up[..] } else { &[] });

        let mut desk = told(asking);
        desk.hear();
        desk.commit();
        desk.tell(Input::Answered);
        desk.wait(2_000);
        let hung_up = [HangUp(Party::Customer, LOST), HangUp(Party::Agent, LOST), End(Fate::Keep)];
        let expected = if ends { &hung_up[..] } else { &hung_up[2..] };
        assert_eq!(desk.tell(Input::RecorderFailed), expected);
    }
}

#[test]
fn l_54_a_caller_who_hangs_up_in_the_notice_has_ended_the_call_themselves() {
    let mut desk = told(strict());
    let gone = ended(Consent::Abandoned, Outcome::CallerGone, Verdict::Abandoned);
    let seen = desk.tell(Input::HungUp(Party::Customer));
    assert_eq!(seen, [&[Decided(Consent::Abandoned)][..], &gone].concat());
}

#[test]
fn l_54_who_holds_in_the_notice_hears_it_again_and_nobody_is_stopped_meanwhile() {
    let mut desk = told(strict());
    desk.wait(5_000);
    assert_eq!(desk.tell(Input::Held(Party::Customer, true)), [Hush]);
    assert_eq!(desk.cut(40_000), []);
    assert_eq!(desk.tell(Input::Held(Party::Customer, false)), [Play(NOTICE)]);
    assert_eq!(desk.hear()[..1], [TOLD]);
}
